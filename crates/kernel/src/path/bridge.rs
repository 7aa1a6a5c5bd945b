//! A frame at a bridge's port: what the bridge decides, and what else its decisions entail.

use std::net::Ipv4Addr;

use hairpin_wire::bpdu::Bpdu;
use hairpin_wire::snoop;
use hairpin_wire::vlan::Tag;

use crate::dev::bridge::arp_proxy::{self, Answer};
use crate::dev::bridge::snoop::Query;
use crate::dev::bridge::{Bridge, Clock, Event, Known, Own, PortFlags, State};
use crate::dev::{Kind, RxHandler, Verdicts};
use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::mac::Mac;
use crate::neigh::arp::ARP_LEN;
use crate::world::{TimerEvent, Waiting, World};

impl World {
    /// The bridge's decision on a frame that its port `port` has received.
    pub(super) fn bridge_receive(
        &mut self,
        bridge: DevId,
        port: DevId,
        frame: &mut Frame,
        verdicts: &mut Verdicts,
    ) {
        let now = self.now;
        if frame.tunnel.is_some() {
            self.bridge_takes_from_tunnel(bridge, port, frame);
        }
        let known = self.known_to_bridge(bridge, Some(port), frame);
        let Some(master) = self.devs.get_mut(bridge) else { return };
        let own = Own {
            dev: bridge,
            mac: master.mac,
            promiscuous: master.promiscuity > 0,
            up: master.is_up(),
            known,
        };
        let Kind::Bridge(state) = &mut master.kind else { return };
        state.receive(own, port, frame, now, verdicts);
        if !state.events.is_empty() {
            self.bridge_events_and_timers(bridge);
        }
    }

    /// `br_handle_ingress_vlan_tunnel`: the tunnel by which a frame has come says its VLAN.
    #[cold]
    fn bridge_takes_from_tunnel(&self, bridge: DevId, port: DevId, frame: &mut Frame) {
        let Some(Kind::Bridge(state)) = self.devs.get(bridge).map(|device| &device.kind) else { return };
        let Some(port) = state.port(port).filter(|port| port.flags.contains(PortFlags::VLAN_TUNNEL)) else {
            return;
        };
        if frame.tag.is_some() || Tag::is_tpid(frame.ethertype()) {
            return;
        }
        if let Some(vid) = frame.tunnel.and_then(|tunnel| port.vlans.of_tunnel(tunnel.id)) {
            frame.tunnel = None;
            frame.tag = Some(Tag { tpid: state.vlan_protocol, tci: vid });
        }
    }

    /// What a bridge device knows of the address that an ARP frame asks for, where a port wants that known
    /// (`br_is_local_ip`, `neigh_lookup`).
    #[inline]
    pub(super) fn known_to_bridge(&self, bridge: DevId, port: Option<DevId>, frame: &Frame) -> Known {
        match frame.ethertype() {
            ethertype::ARP => self.asked_of_bridge(bridge, port, frame),
            _ => Known::default(),
        }
    }

    fn asked_of_bridge(&self, bridge: DevId, port: Option<DevId>, frame: &Frame) -> Known {
        let Some(master) = self.devs.get(bridge) else { return Known::default() };
        let Kind::Bridge(state) = &master.kind else { return Known::default() };
        if !state.proxies_arp() {
            return Known::default();
        }
        let Some(target) = arp_proxy::asked(frame) else { return Known::default() };
        let at = match state.vlan_seen(port, frame.tag) {
            0 => Some(bridge),
            vid => {
                master.vlans.iter().find(|(key, _)| *key == (state.vlan_protocol, vid)).map(|(_, dev)| *dev)
            }
        };
        let Some(device) = at.and_then(|dev| self.devs.get(dev)) else { return Known::default() };
        let has = |dev: &DevId| {
            self.devs.get(*dev).is_some_and(|device| device.ipv4.iter().any(|known| known.local == target))
        };
        let own = has(&device.id) || device.uppers.iter().any(has);
        let neighbour = self.netns.get(device.ns).and_then(|netns| netns.neigh.get(device.ifindex, target));
        let mac = neighbour.filter(|neighbour| neighbour.is_valid()).map(|neighbour| neighbour.mac);
        Known { asked: true, own, mac }
    }

    /// Performs what a decision on a frame entails.
    pub(super) fn bridge_events_and_timers(&mut self, bridge: DevId) {
        self.bridge_events(bridge);
        self.arm_bridge(bridge);
    }

    /// Lets a bridge do something and performs what that entails. None for another device.
    pub(crate) fn bridge_act<R>(
        &mut self,
        bridge: DevId,
        act: impl FnOnce(&mut Bridge, Clock) -> R,
    ) -> Option<R> {
        let now = self.now;
        let device = self.devs.get_mut(bridge)?;
        let clock = Clock { now, up: device.is_up() };
        let Kind::Bridge(state) = &mut device.kind else { return None };
        let result = act(state, clock);
        self.bridge_events_and_timers(bridge);
        Some(result)
    }

    /// Asks to be woken at a bridge's next timer.
    fn arm_bridge(&mut self, bridge: DevId) {
        let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
            return;
        };
        let Some(at) = state.next_timer() else { return };
        if state.tree.armed.is_none_or(|armed| at < armed) {
            state.tree.armed = Some(at);
            self.timers.add(at, TimerEvent::BridgeTree { bridge });
        }
    }

    /// A bridge's timers, those that are due.
    pub(crate) fn bridge_timers(&mut self, bridge: DevId) {
        let address = self.devs.get(bridge).and_then(|device| device.ipv4.first()).map(|known| known.local);
        self.bridge_act(bridge, |state, clock| {
            if state.tree.armed.is_some_and(|armed| armed <= clock.now) {
                state.tree.armed = None;
            }
            state.snooping.address = address.unwrap_or(Ipv4Addr::UNSPECIFIED);
            state.expire_timers(clock);
        });
    }

    /// Performs what a bridge's decisions entail.
    fn bridge_events(&mut self, bridge: DevId) {
        loop {
            let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind) else {
                return;
            };
            if state.events.is_empty() {
                return;
            }
            let mut events = std::mem::take(&mut state.events);
            for event in events.drain(..) {
                self.bridge_event(bridge, event);
            }
            // The list goes back for reuse, unless there is more by now.
            if let Some(Kind::Bridge(state)) = self.devs.get_mut(bridge).map(|device| &mut device.kind)
                && state.events.is_empty()
            {
                state.events = events;
            }
        }
    }

    fn bridge_event(&mut self, bridge: DevId, event: Event) {
        match event {
            Event::Learned(key) => {
                if let Some(Kind::Bridge(state)) = self.devs.get(bridge).map(|device| &device.kind)
                    && let Some(entry) = state.fdb.get(key.0, key.1).copied()
                {
                    self.wake_bridge_ageing(bridge);
                    self.notify_fdb(bridge, key, &entry, false);
                }
            }
            Event::PortChanged(port, then) => {
                self.changed();
                let now = self.exchange_port_state(bridge, port, then);
                self.notify_bridge_link(port);
                if let Some(now) = now {
                    self.exchange_port_state(bridge, port, now);
                }
            }
            Event::Flush(port) => self.flush_port(bridge, port, false),
            Event::Carrier(carrier) => self.set_carrier(bridge, carrier),
            Event::Bpdu(port, bpdu) => self.send_bpdu(bridge, port, &bpdu),
            Event::Mdb(change) => {
                self.changed();
                self.notify_mdb(bridge, &change);
            }
            Event::Router(port, gone) => {
                self.changed();
                self.notify_router_port(bridge, port, gone);
            }
            Event::Query(query) => self.send_query(bridge, &query),
            Event::Timers => {}
            Event::Answer(answer) => self.send_answer(bridge, &answer),
        }
    }

    fn exchange_port_state(&mut self, bridge: DevId, port: DevId, state: State) -> Option<State> {
        match self.devs.get_mut(bridge).map(|device| &mut device.kind) {
            Some(Kind::Bridge(own)) => own.exchange_state(port, state),
            _ => None,
        }
    }

    /// `br_send_bpdu`
    fn send_bpdu(&mut self, bridge: DevId, port: DevId, bpdu: &Bpdu) {
        let Some(Kind::Bridge(state)) = self.devs.get(bridge).map(|device| &device.kind) else { return };
        let destination = state.group_addr;
        let Some(source) = self.devs.get(port).map(|device| device.mac) else { return };
        let mut frame = self.pool.frame(ETH_LEN + bpdu.len());
        frame.set_header(destination, source, bpdu.len() as u16);
        bpdu.emit(frame.payload_mut());
        self.name_frame(&mut frame);
        self.transmit(port, frame);
    }

    /// `br_arp_send`: out of the port that asked; in a VLAN, to the bridge device itself by way of its own stack.
    fn send_answer(&mut self, bridge: DevId, answer: &Answer) {
        let mut frame = self.pool.frame(ETH_LEN + ARP_LEN);
        frame.set_header(answer.arp.target_mac, answer.arp.sender_mac, ethertype::ARP);
        answer.arp.write(frame.payload_mut());
        frame.tag = answer.tag;
        self.name_frame(&mut frame);
        match answer.port {
            Some(port) => self.transmit(port, frame),
            None if answer.in_vlan => self.enqueue(Waiting::Receive { dev: bridge, frame }),
            None => self.transmit(bridge, frame),
        }
    }

    /// `__br_multicast_send_query`: out of a port, or into the bridge device's own stack.
    fn send_query(&mut self, bridge: DevId, query: &Query) {
        let Some(source) = self.devs.get(bridge).map(|device| device.mac) else { return };
        let mut frame = self.pool.frame(ETH_LEN + snoop::QUERY_LEN);
        frame.set_header(Mac::of_ipv4_multicast(snoop::QUERY_TO), source, ethertype::IPV4);
        snoop::write_query(frame.payload_mut(), query.source, query.group, query.response);
        self.name_frame(&mut frame);
        match query.port {
            Some(port) => self.transmit(port, frame),
            None => self.enqueue(Waiting::Receive { dev: bridge, frame }),
        }
    }

    /// `llc_rcv`, `stp_pdu_rcv`: a frame with a length instead of an EtherType. Only BPDUs are for anybody here.
    pub(super) fn llc_receive(&mut self, dev: DevId, frame: Frame) {
        let Some(device) = self.devs.get(dev) else { return };
        if let RxHandler::BridgePort { bridge } = device.rx_handler {
            let length = usize::from(frame.ethertype());
            let payload = frame.payload().get(..length).unwrap_or(&[]);
            let destination = frame.destination();
            self.bridge_act(bridge, |state, clock| state.receive_bpdu(dev, destination, payload, clock));
            return self.drop_frame(Some(dev), frame, DropReason::Bpdu);
        }
        self.drop_frame(Some(dev), frame, DropReason::Llc);
    }
}
