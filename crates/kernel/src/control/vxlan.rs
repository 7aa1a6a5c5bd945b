//! vxlan devices go up and down, learn and forget: their sockets, groups and timers
//! (`vxlan_open`, `vxlan_stop`, `vxlan_cleanup`).

use std::net::IpAddr;

use hairpin_netlink::{Errno, Failure};

use crate::dev::Kind;
use crate::dev::vxlan::{Config, Key, Vxlan};
use crate::device::DevId;
use crate::netns::NsId;
use crate::world::{TimerEvent, World};

/// The port of a device's socket, and whether it is one of IPv6.
fn socket(config: &Config) -> (u16, bool) {
    (config.port, config.is_over_ipv6())
}

/// The same of all its sockets: one that goes by what a frame says has one of each family (`vxlan_sock_add`).
fn sockets(config: &Config) -> impl Iterator<Item = (u16, bool)> + use<> {
    let (port, six) = socket(config);
    let families = if config.external { [Some(true), Some(false)] } else { [Some(six), None] };
    families.into_iter().flatten().map(move |six| (port, six))
}

impl World {
    pub(crate) fn vxlan(&self, dev: DevId) -> Option<&Vxlan> {
        match &self.devs.get(dev)?.kind {
            Kind::Vxlan(state) => Some(state),
            _ => None,
        }
    }

    pub(crate) fn vxlan_mut(&mut self, dev: DevId) -> Option<&mut Vxlan> {
        match &mut self.devs.get_mut(dev)?.kind {
            Kind::Vxlan(state) => Some(state),
            _ => None,
        }
    }

    /// `vxlan_open`: the socket, then the group.
    ///
    /// # Errors
    /// `EADDRINUSE` where a program has the port; `ENODEV` where the device below lacks IPv4, and so has no groups of it to
    /// join (`ip_mc_join_group`).
    pub(super) fn open_vxlan(&mut self, dev: DevId) -> Result<(), Failure> {
        let now = self.now;
        let Some(state) = self.vxlan_mut(dev) else { return Ok(()) };
        state.aged = now;
        let (underlay, sockets) = (state.underlay, sockets(&state.config));
        let group = matches!(state.config.remote, IpAddr::V4(remote) if remote.is_multicast());
        let below = self.vxlan_below(dev).and_then(|(below, _)| self.devs.get(below));
        if group && below.is_some_and(|below| !below.has_ipv4) {
            return Err(Errno::ENODEV.into());
        }
        for socket in sockets {
            if let Err(failure) = self.bind_udp_tunnel(underlay, socket, dev) {
                self.release_vxlan_sockets(dev);
                return Err(failure);
            }
        }
        self.vxlan_group(dev, true);
        if let Some(at) = self.vxlan_mut(dev).and_then(|state| state.start_ageing(now)) {
            self.timers.add(at, TimerEvent::VxlanAgeing { dev });
        }
        Ok(())
    }

    /// `vxlan_stop`
    pub(super) fn close_vxlan(&mut self, dev: DevId) {
        let Some(state) = self.vxlan_mut(dev) else { return };
        state.ageing_at = None;
        // `vxlan_flush`
        let gone = state.fdb.take(|_, entry| !entry.is_fixed());
        self.vxlan_group(dev, false);
        for (key, entry) in gone {
            self.notify_vxlan_fdb(dev, key, &entry, true);
        }
        self.release_vxlan_sockets(dev);
    }

    /// `vxlan_sock_release`
    fn release_vxlan_sockets(&mut self, dev: DevId) {
        let Some(state) = self.vxlan(dev) else { return };
        let (underlay, sockets) = (state.underlay, sockets(&state.config));
        for socket in sockets {
            self.release_udp_tunnel(underlay, socket, dev);
        }
    }

    /// `geneve_open`, `nlmon_open`, and that an IP tunnel can be found.
    ///
    /// # Errors
    /// `EADDRINUSE` where a program has the port.
    pub(super) fn open_endpoint(&mut self, dev: DevId) -> Result<(), Failure> {
        let Some(device) = self.devs.get(dev) else { return Ok(()) };
        let ns = device.ns;
        match &device.kind {
            Kind::Geneve(state) => {
                return self.bind_udp_tunnel(state.underlay, state.config.socket(), dev);
            }
            Kind::IpTunnel(state) => {
                let underlay = state.underlay;
                if let Some(netns) = self.netns.get_mut(underlay) {
                    netns.ip_tunnels.push(dev);
                }
            }
            Kind::Ip6Tunnel(state) => {
                let underlay = state.underlay;
                if let Some(netns) = self.netns.get_mut(underlay) {
                    netns.ip6_tunnels.push(dev);
                }
            }
            Kind::Nlmon => {
                if let Some(netns) = self.netns.get_mut(ns) {
                    netns.nlmons.push(dev);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The reverse of [`World::open_endpoint`].
    pub(super) fn close_endpoint(&mut self, dev: DevId) {
        let Some(device) = self.devs.get(dev) else { return };
        let (ns, underlay) = (device.ns, device.kind.underlay());
        if let Kind::Geneve(state) = &device.kind {
            let (underlay, socket) = (state.underlay, state.config.socket());
            return self.release_udp_tunnel(underlay, socket, dev);
        }
        if let Some(netns) = self.netns.get_mut(underlay.unwrap_or(ns)) {
            netns.ip_tunnels.retain(|known| *known != dev);
            netns.ip6_tunnels.retain(|known| *known != dev);
            netns.nlmons.retain(|known| *known != dev);
        }
    }

    /// `udp_sock_create`: a tunnel's socket takes the port on every address.
    ///
    /// # Errors
    /// `EADDRINUSE`
    pub(super) fn bind_udp_tunnel(
        &mut self,
        ns: NsId,
        (port, six): (u16, bool),
        dev: DevId,
    ) -> Result<(), Failure> {
        let kind = |dev: DevId| {
            let device = self.devs.get(dev)?;
            let receives = match &device.kind {
                Kind::Vxlan(state) => state.config.receives(),
                _ => Default::default(),
            };
            Some((std::mem::discriminant(&device.kind), receives))
        };
        let Some(netns) = self.netns.get(ns) else { return Err(Errno::ENODEV.into()) };
        let others = netns.udp_tunnels.get(&(port, six)).and_then(|devs| devs.first()).copied();
        // Tunnels of one kind that take the same packets share a socket.
        let programs = if six { &netns.udp6 } else { &netns.udp };
        if programs.contains_key(&port) || others.is_some_and(|other| kind(other) != kind(dev)) {
            return Err(Errno::EADDRINUSE.into());
        }
        if let Some(netns) = self.netns.get_mut(ns) {
            netns.udp_tunnels.entry((port, six)).or_default().push(dev);
        }
        Ok(())
    }

    pub(super) fn release_udp_tunnel(&mut self, ns: NsId, socket: (u16, bool), dev: DevId) {
        let Some(netns) = self.netns.get_mut(ns) else { return };
        if let Some(devs) = netns.udp_tunnels.get_mut(&socket) {
            devs.retain(|known| *known != dev);
            if devs.is_empty() {
                netns.udp_tunnels.remove(&socket);
            }
        }
    }

    /// The device below, where one is named, and the configuration.
    fn vxlan_below(&self, dev: DevId) -> Option<(DevId, &Config)> {
        let state = self.vxlan(dev)?;
        Some((self.device_at(state.underlay, state.config.oif)?, &state.config))
    }

    /// `vxlan_multicast_join`, `vxlan_multicast_leave`: of the group that is the device's remote end, if one is, and no
    /// other device uses it.
    pub(crate) fn vxlan_group(&mut self, dev: DevId, joins: bool) {
        if self.vxlan_group_used(dev) {
            return;
        }
        let Some((below, config)) = self.vxlan_below(dev).filter(|(_, config)| config.remote.is_multicast())
        else {
            return;
        };
        match (config.remote, joins) {
            (IpAddr::V4(group), true) => self.join_ipv4_group(below, group),
            (IpAddr::V4(group), false) => self.leave_ipv4_group(below, group),
            (IpAddr::V6(group), true) => self.join_ipv6_group(below, group),
            (IpAddr::V6(group), false) => self.leave_ipv6_group(below, group),
        }
    }

    /// `vxlan_group_used`: another running device on the same socket wants the same group.
    fn vxlan_group_used(&self, dev: DevId) -> bool {
        let Some(own) = self.vxlan(dev) else { return false };
        let sharing =
            self.netns.get(own.underlay).and_then(|netns| netns.udp_tunnels.get(&socket(&own.config)));
        sharing.is_some_and(|devs| {
            devs.iter()
                .filter(|other| **other != dev)
                .filter_map(|other| self.vxlan(*other))
                .any(|other| (other.config.remote, other.config.oif) == (own.config.remote, own.config.oif))
        })
    }

    /// An entry for a MAC is new or has moved.
    pub(crate) fn vxlan_learned(&mut self, dev: DevId, key: Key) {
        self.vxlan_start_ageing(dev);
        if let Some(entry) = self.vxlan(dev).and_then(|state| state.fdb.get(key)).cloned() {
            self.notify_vxlan_fdb(dev, key, &entry, false);
        }
    }

    /// Sets the timer of ageing where something ages and the device runs.
    pub(crate) fn vxlan_start_ageing(&mut self, dev: DevId) {
        let now = self.now;
        if self.devs.get(dev).is_some_and(|device| device.is_up())
            && let Some(at) = self.vxlan_mut(dev).and_then(|state| state.start_ageing(now))
        {
            self.timers.add(at, TimerEvent::VxlanAgeing { dev });
        }
    }

    /// The timer of ageing.
    pub(crate) fn vxlan_ageing(&mut self, dev: DevId) {
        let now = self.now;
        let Some(state) = self.vxlan_mut(dev) else { return };
        if state.ageing_at.is_none_or(|at| at > now) {
            return;
        }
        let (gone, next) = state.age(now);
        if let Some(at) = next {
            self.timers.add(at, TimerEvent::VxlanAgeing { dev });
        }
        for (key, entry) in gone {
            self.notify_vxlan_fdb(dev, key, &entry, true);
        }
    }

    /// Tunnels that go with a device or namespace below (`vxlan_handle_lowerdev_unregister`,
    /// `vxlan_exit_batch_net`): those on device `below`, or without it all of the namespace's stack.
    pub(super) fn tunnels_over(&self, ns: NsId, below: Option<u32>) -> Vec<DevId> {
        let over = |device: &&crate::device::Device| match (&device.kind, below) {
            (Kind::Vxlan(state), Some(below)) => state.underlay == ns && state.config.oif == below,
            (_, Some(_)) => false,
            (kind, None) => kind.underlay() == Some(ns),
        };
        self.devs.values().filter(over).map(|device| device.id).collect()
    }
}
