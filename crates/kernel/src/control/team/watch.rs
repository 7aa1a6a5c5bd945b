//! The link watches of `teamd`: what a port's carrier and the answers of a host say of its link (teamd_link_watch.c,
//! teamd_lw_ethtool.c, teamd_lw_psr.c and teamd_lw_arp_ping.c of libteam).

use std::time::Duration;

use hairpin_netlink::team::{TeamArpPing, TeamWatch};
use hairpin_wire::vlan::Tag;

use super::TeamJob;
use crate::device::DevId;
use crate::frame::{ETH_LEN, Frame, ethertype};
use crate::mac::Mac;
use crate::neigh::arp::{ARP_LEN, Arp, REPLY, REQUEST};
use crate::world::{TimerEvent, World};

/// EtherType of VLANs.
const TPID: u16 = 0x8100;
/// `VLAN_VID_MASK`
const VLAN_ID: u16 = 0x0fff;

impl World {
    /// The watches of a port that has come begin.
    pub(super) fn start_watches(&mut self, team: DevId, dev: DevId) {
        self.watch_carrier(team, dev);
        let Some(port) = self.team(team).and_then(|state| state.port(dev)) else { return };
        let waits: Vec<(u8, u32)> = (0u8..)
            .zip(&port.watches)
            .filter_map(|(at, watch)| match &watch.config {
                TeamWatch::ArpPing(ping) => Some((at, ping.init_wait)),
                TeamWatch::Ethtool { .. } => None,
            })
            .collect();
        for (at, wait) in waits {
            self.set_watch_clock(team, dev, at, wait);
        }
    }

    fn set_watch_clock(&mut self, team: DevId, dev: DevId, at: u8, after_ms: u32) {
        let when = self.now + Duration::from_millis(u64::from(after_ms));
        let port = self.team_mut(team).and_then(|state| state.port_mut(dev));
        let Some(watch) = port.and_then(|port| port.watches.get_mut(usize::from(at))) else { return };
        watch.serial = watch.serial.wrapping_add(1);
        let serial = watch.serial;
        self.timers.add(when, TimerEvent::Team { team, job: TeamJob::Watch(dev, at), serial });
    }

    /// `lw_ethtool_event_watch_port_changed`: a carrier counts once it has lasted.
    pub(super) fn watch_carrier(&mut self, team: DevId, dev: DevId) {
        let count = self.team(team).and_then(|state| state.port(dev)).map_or(0, |port| port.watches.len());
        for at in 0..u8::try_from(count).unwrap_or(u8::MAX) {
            let Some(port) = self.team_mut(team).and_then(|state| state.port_mut(dev)) else { return };
            let up = port.up;
            let Some(watch) = port.watches.get_mut(usize::from(at)) else { return };
            let TeamWatch::Ethtool { delay_up, delay_down } = watch.config else { continue };
            // What was begun is given up.
            watch.serial = watch.serial.wrapping_add(1);
            let delay = if up { delay_up } else { delay_down };
            match delay {
                _ if watch.up == up => {}
                0 => self.judge_link(team, dev, at, up),
                _ => self.set_watch_clock(team, dev, at, delay),
            }
        }
    }

    /// The clock of a link watch has gone off.
    pub(super) fn watch_due(&mut self, team: DevId, dev: DevId, at: u8, serial: u32) {
        let Some(port) = self.team_mut(team).and_then(|state| state.port_mut(dev)) else { return };
        let carrier = port.up;
        let Some(watch) = port.watches.get_mut(usize::from(at)).filter(|watch| watch.serial == serial) else {
            return;
        };
        match watch.config.clone() {
            TeamWatch::Ethtool { .. } => self.judge_link(team, dev, at, carrier),
            TeamWatch::ArpPing(ping) => {
                // `lw_psr_callback_periodic`
                let mut up = watch.up;
                if std::mem::take(&mut watch.heard) {
                    watch.missed = 0;
                    up = true;
                } else {
                    watch.missed = watch.missed.saturating_add(1);
                    up &= watch.missed <= ping.missed_max;
                }
                self.judge_link(team, dev, at, up);
                self.set_watch_clock(team, dev, at, ping.interval);
                // `link_watch_refresh_forced_send`: enabled ports ask; all, while none is.
                let asks = |world: &World| {
                    let enabled = world.team(team).map(|state| state.enabled.as_slice()).unwrap_or_default();
                    enabled.is_empty() || enabled.contains(&dev)
                };
                if ping.send_always || asks(self) {
                    self.ask_by_arp(dev, &ping);
                }
            }
        }
    }

    /// `teamd_link_watch_check_link_up`
    fn judge_link(&mut self, team: DevId, dev: DevId, at: u8, up: bool) {
        let Some(port) = self.team_mut(team).and_then(|state| state.port_mut(dev)) else { return };
        let Some(watch) = port.watches.get_mut(usize::from(at)).filter(|watch| watch.up != up) else {
            return;
        };
        watch.up = up;
        if !up {
            watch.down_count = watch.down_count.saturating_add(1);
        }
        port.user_linkup = port.watched_up();
        self.refresh_port_link(team, dev);
        self.changed();
        self.settle_team_carrier(team);
        self.link_judged(team, dev);
    }

    /// `lw_ap_send`
    fn ask_by_arp(&mut self, dev: DevId, ping: &TeamArpPing) {
        let Some(own) = self.devs.get(dev).map(|device| device.mac) else { return };
        let mut frame = self.pool.frame(ETH_LEN + ARP_LEN);
        frame.set_header(Mac::BROADCAST, own, ethertype::ARP);
        let arp = Arp {
            operation: REQUEST,
            sender_mac: own,
            sender: ping.source,
            target_mac: Mac::BROADCAST,
            target: ping.target,
        };
        arp.write(frame.payload_mut());
        if let Some(vid) = ping.vlan {
            frame.push_tag(Tag { tpid: TPID, tci: vid });
        }
        self.name_frame(&mut frame);
        self.transmit(dev, frame);
    }

    /// `lw_ap_receive`: an ARP packet was seen on a port, coming or going.
    pub(crate) fn team_sees_arp(&mut self, team: DevId, dev: DevId, frame: &Frame) {
        let Some(state) = self.team_mut(team).filter(|state| state.daemon.is_some()) else { return };
        let enabled = state.is_enabled(dev);
        let Some(port) = state.port_mut(dev) else { return };
        let Some(arp) = Arp::parse(frame.payload()) else { return };
        let vid = frame.tag.map(|tag| tag.tci & VLAN_ID);
        for watch in &mut port.watches {
            let TeamWatch::ArpPing(ping) = &watch.config else { continue };
            if ping.vlan != vid.filter(|vid| *vid != 0) {
                continue;
            }
            let validates = if enabled { ping.validate_active } else { ping.validate_inactive };
            let between = |one, other| (arp.sender, arp.target) == (one, other);
            let fits = arp.operation == REPLY
                && (between(ping.target, ping.source) || between(ping.source, ping.target));
            watch.heard |= !validates || fits;
        }
    }
}
