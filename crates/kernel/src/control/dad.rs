//! Duplicate address detection, and the solicitation of routers that follows it (RFC 4862 §5.4, RFC 4861 §6.3.7;
//! net/ipv6/addrconf.c).

use std::net::Ipv6Addr;
use std::time::Duration;

use hairpin_netlink::{Errno, Failure};

use crate::device::{Dad, DevId, Ipv6Address, ifa};
use crate::ip6::address::{ALL_NODES, is_link_local, solicited_node};
use crate::ip6::event::Event6;
use crate::neigh::ndisc::Advertised;
use crate::world::{TimerEvent, World};

const SECOND_US: u64 = 1_000_000;

impl World {
    fn address6_mut(&mut self, dev: DevId, address: Ipv6Addr) -> Option<&mut Ipv6Address> {
        self.devs.get_mut(dev)?.ipv6.iter_mut().find(|own| own.address == address)
    }

    /// `addrconf_dad_begin`: an address is tentative until it is known that nobody else has it.
    pub(super) fn dad_start(&mut self, dev: DevId, address: Ipv6Addr) {
        let Some(device) = self.devs.get(dev) else { return };
        let (noarp, ready) = (device.is_noarp(), device.inet6.ready);
        let Some(own) = device.ipv6.iter().find(|own| own.address == address) else { return };
        let (flags, joined) = (own.flags, own.dad.joined);
        if !noarp && !joined {
            self.join_ipv6_group(dev, solicited_node(address));
            if let Some(own) = self.address6_mut(dev, address) {
                own.dad.joined = true;
            }
        }
        let tentative = flags & ifa::TENTATIVE != 0;
        let off = self.conf6_of_all(dev, "accept_dad") < 1 && self.conf6(dev, "accept_dad") < 1;
        if noarp || off || !tentative || flags & ifa::NODAD != 0 {
            self.dad_completed(dev, address, tentative);
        } else if ready {
            self.dad_kick(dev, address);
        }
    }

    /// `addrconf_dad_run`: what had to wait for the link.
    pub(super) fn dad_run(&mut self, dev: DevId) {
        let waiting: Vec<Ipv6Addr> = match self.devs.get(dev) {
            Some(device) => device
                .ipv6
                .iter()
                .filter(|own| own.flags & ifa::TENTATIVE != 0 && own.flags & ifa::DADFAILED == 0)
                .filter(|own| own.dad.timer == 0)
                .map(|own| own.address)
                .collect(),
            None => return,
        };
        for address in waiting {
            self.dad_start(dev, address);
        }
    }

    /// `addrconf_dad_kick`: the first question after a random time, for many may have got their link at once.
    fn dad_kick(&mut self, dev: DevId, address: Ipv6Addr) {
        let most_s = self.conf6(dev, "router_solicitation_delay").max(0) as u64;
        let wait = Duration::from_micros(self.random_below(most_s.saturating_mul(SECOND_US)));
        let probes = self.conf6(dev, "dad_transmits").max(0) as u32;
        let mut nonce = [0; 6];
        if self.conf6_either(dev, "enhanced_dad") {
            // Any but 0, which says that there is none.
            let number = self.random_below((1 << 48) - 1) + 1;
            nonce.copy_from_slice(&number.to_be_bytes()[2..]);
        }
        if let Some(own) = self.address6_mut(dev, address) {
            own.dad.probes = probes;
            own.dad.nonce = nonce;
        }
        self.dad_timer(dev, address, wait);
    }

    fn dad_timer(&mut self, dev: DevId, address: Ipv6Addr, wait: Duration) {
        let at = self.now.timer(wait);
        let timer = self.next_timer();
        if let Some(own) = self.address6_mut(dev, address) {
            own.dad.timer = timer;
            self.timers.add(at, TimerEvent::Ipv6(Event6::Dad { dev, address, timer }));
        }
    }

    /// `addrconf_dad_work`
    pub(crate) fn dad_due(&mut self, dev: DevId, address: Ipv6Addr, timer: u32) {
        let retrans_ms = self.devs.get(dev).map_or(0, |device| device.neigh6_params.retrans_ms);
        let ready = self.devs.get(dev).is_some_and(|device| device.inet6.ready);
        let Some(own) = self.address6_mut(dev, address) else { return };
        if own.dad.timer != timer || own.flags & ifa::TENTATIVE == 0 || !ready {
            return;
        }
        own.dad.timer = 0;
        if own.dad.probes == 0 {
            return self.dad_completed(dev, address, true);
        }
        own.dad.probes -= 1;
        let nonce = Some(own.dad.nonce).filter(|nonce| *nonce != [0; 6]);
        self.dad_timer(dev, address, Duration::from_millis(retrans_ms.max(10)));
        self.ndisc_send_ns(dev, address, solicited_node(address), Ipv6Addr::UNSPECIFIED, nonce);
    }

    /// `addrconf_dad_completed`: nobody else has it.
    fn dad_completed(&mut self, dev: DevId, address: Ipv6Addr, was_tentative: bool) {
        let Some(own) = self.address6_mut(dev, address) else { return };
        own.flags &= !(ifa::TENTATIVE | ifa::DADFAILED);
        own.dad = Dad { joined: own.dad.joined, ..Dad::default() };
        self.address6_confirmed(dev, address);
        let lonely = is_link_local(address) && self.is_only_link_local(dev, address);
        let loopback = self.devs.get(dev).is_some_and(|device| device.is_loopback());
        if lonely {
            self.report_with_address(dev);
        }
        if lonely
            && !loopback
            && self.accepts_advertisements(dev)
            && self.conf6(dev, "router_solicitations") != 0
        {
            self.solicit_routers(dev, address);
        }
        if was_tentative && self.conf6_either(dev, "ndisc_notify") {
            let flags = Advertised { router: self.forwards6(dev), solicited: false, override_known: true };
            self.ndisc_send_na(dev, ALL_NODES, address, flags, true);
        }
    }

    /// Asks for routers, and again as long as none answers.
    fn solicit_routers(&mut self, dev: DevId, source: Ipv6Addr) {
        self.ndisc_send_rs(dev, source);
        // RFC 8415 15: the first interval varies by a tenth.
        let initial_s = self.conf6(dev, "router_solicitation_interval").max(0) as u64;
        let interval_us = (900_000 + self.random_below(200_001)).saturating_mul(initial_s);
        if let Some(device) = self.devs.get_mut(dev) {
            device.inet6.solicit.sent = 1;
            device.inet6.solicit.interval_us = interval_us;
        }
        self.solicit_timer(dev, interval_us);
    }

    /// The identifier of addresses that advertised prefixes make is another from now on (`inet6_set_iftoken`): those of the
    /// one before go, and routers are asked to advertise. 0 is none.
    ///
    /// # Errors
    /// `EINVAL`: the device is a loopback, has no neighbours, or does not listen to routers or ask for them.
    pub(crate) fn set_ipv6_token(&mut self, dev: DevId, token: u64, asks: bool) -> Result<(), Failure> {
        let refused = |text: &str| Err(Failure::with_text(Errno::EINVAL, text));
        let Some(device) = self.devs.get(dev) else { return Err(Errno::ENODEV.into()) };
        if device.is_loopback() {
            return refused("ipv6: Device is loopback");
        }
        if device.is_noarp() {
            return refused("ipv6: Device does not do neighbour discovery");
        }
        if !self.accepts_advertisements(dev) {
            return refused("ipv6: Router advertisement is disabled on device");
        }
        if self.conf6(dev, "router_solicitations") == 0 {
            return refused("Router solicitation is disabled on device");
        }
        let source = self.link_local_of(dev);
        let Some(device) = self.devs.get_mut(dev) else { return Err(Errno::ENODEV.into()) };
        device.inet6.token = token;
        let is_ready = device.inet6.ready;
        let of_before: Vec<Ipv6Addr> =
            device.ipv6.iter().filter(|own| own.tokenized).map(|own| own.address).collect();
        if let Some(source) = source.filter(|_| asks && is_ready) {
            self.solicit_routers(dev, source);
        }
        for address in of_before {
            self.drop_address6(dev, address);
        }
        Ok(())
    }

    /// `ipv6_lonely_lladdr`
    fn is_only_link_local(&self, dev: DevId, address: Ipv6Addr) -> bool {
        const STATES: u32 = ifa::PERMANENT | ifa::TENTATIVE | ifa::DADFAILED;
        self.devs.get(dev).is_some_and(|device| {
            !device.ipv6.iter().any(|own| {
                own.address != address && is_link_local(own.address) && own.flags & STATES == ifa::PERMANENT
            })
        })
    }

    /// `addrconf_dad_failure`, `addrconf_dad_stop`: somebody else has it.
    pub(crate) fn dad_failed(&mut self, dev: DevId, address: Ipv6Addr) {
        let Some(own) = self.address6_mut(dev, address) else { return };
        if own.flags & ifa::DADFAILED != 0 {
            return;
        }
        own.dad.timer = 0;
        if own.flags & ifa::PERMANENT == 0 {
            return self.drop_address6(dev, address);
        }
        own.flags |= ifa::TENTATIVE | ifa::DADFAILED;
        self.changed();
        self.notify_own_address6(dev, address);
        // With `accept_dad` 2, a device whose own address is taken has no IPv6 any more.
        let strict = self.conf6_of_all(dev, "accept_dad") > 1 || self.conf6(dev, "accept_dad") > 1;
        let of_mac =
            self.devs.get(dev).is_some_and(|d| crate::ip6::address::link_local(d.mac, d.dev_id) == address);
        if strict && of_mac {
            self.set_ipv6_disabled(dev, true);
        }
    }

    fn solicit_timer(&mut self, dev: DevId, wait_us: u64) {
        let at = self.now.timer(Duration::from_micros(wait_us));
        let timer = self.next_timer();
        if let Some(device) = self.devs.get_mut(dev) {
            device.inet6.solicit.timer = timer;
            self.timers.add(at, TimerEvent::Ipv6(Event6::RouterSolicitation { dev, timer }));
        }
    }

    /// `addrconf_rs_timer`: ever more rarely, as long as no router answers.
    pub(crate) fn solicitation_due(&mut self, dev: DevId, timer: u32) {
        let most = self.conf6(dev, "router_solicitations");
        let longest_us =
            (self.conf6(dev, "router_solicitation_max_interval").max(0) as u64).saturating_mul(SECOND_US);
        let vary = self.random_below(200_001);
        let accepts = self.accepts_advertisements(dev);
        let source = self.link_local_of(dev);
        let Some(device) = self.devs.get_mut(dev) else { return };
        let solicit = &mut device.inet6.solicit;
        if solicit.timer != timer || !device.inet6.ready || !accepts || solicit.advertised {
            return;
        }
        if most >= 0 && i64::from(solicit.sent) >= most {
            return;
        }
        solicit.sent = solicit.sent.saturating_add(1);
        let Some(source) = source else { return };
        // RFC 8415 15: the interval doubles, up to the longest.
        let scale = |factor: u64, us: u64| (u128::from(factor) * u128::from(us) / 1_000_000) as u64;
        let mut next = scale(1_900_000 + vary, solicit.interval_us);
        if longest_us > 0 && next > longest_us {
            next = scale(900_000 + vary, longest_us);
        }
        solicit.interval_us = next;
        self.ndisc_send_rs(dev, source);
        self.solicit_timer(dev, next);
    }
}
