//! A router of a world that advertises itself (RFC 4861 §6.2), as a program such as radvd does on Linux: prefixes from
//! which hosts make addresses, and that it is their way out.
//!
//! It advertises when the device has its link-local address, twice more soon after, and then now and again; who
//! solicits is answered at once.

use std::net::Ipv6Addr;
use std::time::Duration;

use hairpin_netlink::Errno;

use crate::device::DevId;
use crate::ip6::address::{ALL_NODES, ALL_ROUTERS};
use crate::ip6::event::Event6;
use crate::ip6::icmp::kind;
use crate::neigh::ndisc::{option, put, put_option};
use crate::world::{TimerEvent, World};

/// How soon it is looked again whether the device can send.
const RETRY: Duration = Duration::from_secs(1);
/// `MAX_INITIAL_RTR_ADVERTISEMENTS`, `MAX_INITIAL_RTR_ADVERT_INTERVAL` (RFC 4861 §10).
const INITIAL: u32 = 3;
const INITIAL_INTERVAL: Duration = Duration::from_secs(16);
/// Between `MinRtrAdvInterval` and `MaxRtrAdvInterval` as they are by default (RFC 4861 §6.2.1).
const INTERVAL: Duration = Duration::from_secs(400);
/// What hosts are told to start with in `Hop Limit`.
const HOP_LIMIT: u8 = 64;
/// Bytes of a message without options, and of its options.
const HEADER_LEN: usize = 16;
const PREFIX_LEN: usize = 32;
const OPTION_LEN: usize = 8;
/// Hosts make addresses of the prefix, and reach it on the link.
const ON_LINK_AUTONOMOUS: u8 = 0xc0;

/// What a router says on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertisement {
    pub prefixes: Vec<(Ipv6Addr, u8)>,
    /// How long it is a way out, in seconds; 0: it is none.
    pub lifetime: u16,
    /// How long addresses of the prefixes live, in seconds: at all, and as preferred ones.
    pub valid: u32,
    pub preferred: u32,
    pub mtu: Option<u32>,
}

/// What a device advertises, and how often it has.
#[derive(Clone, Debug)]
pub struct Advertiser {
    told: Advertisement,
    sent: u32,
}

impl World {
    /// Lets a device of a host's first namespace advertise.
    ///
    /// # Errors
    /// `ENOENT`: no such host; `ENODEV`: no such device.
    pub fn advertise(&mut self, host: usize, dev: &str, told: Advertisement) -> Result<(), Errno> {
        let ns = self.hosts.get(host).ok_or(Errno::ENOENT)?.initial;
        let dev = self.device_named(ns, dev).ok_or(Errno::ENODEV)?;
        if let Some(device) = self.devs.get_mut(dev) {
            device.inet6.advertiser = Some(Box::new(Advertiser { told, sent: 0 }));
        }
        // There it is asked.
        self.join_ipv6_group(dev, ALL_ROUTERS);
        let at = self.now + RETRY;
        self.timers.add(at, TimerEvent::Ipv6(Event6::RouterAdvertisement { dev }));
        Ok(())
    }

    /// The timer of [`World::advertise`].
    pub(crate) fn advertisement_due(&mut self, dev: DevId) {
        let sent = self.send_advertisement(dev);
        let Some(advertiser) = self.devs.get_mut(dev).and_then(|device| device.inet6.advertiser.as_mut())
        else {
            return;
        };
        advertiser.sent += u32::from(sent);
        let next = match sent {
            false => RETRY,
            true if advertiser.sent < INITIAL => INITIAL_INTERVAL,
            true => INTERVAL,
        };
        let at = self.now + next;
        self.timers.add(at, TimerEvent::Ipv6(Event6::RouterAdvertisement { dev }));
    }

    /// Sends an advertisement to everybody on the link. False: the device does not advertise, or cannot send yet.
    pub(crate) fn send_advertisement(&mut self, dev: DevId) -> bool {
        let Some(source) = self.link_local_of(dev) else { return false };
        let Some(device) = self.devs.get(dev).filter(|device| device.can_transmit()) else { return false };
        let Some(advertiser) = &device.inet6.advertiser else { return false };
        let (told, mac) = (advertiser.told.clone(), device.mac);
        let options = told.prefixes.len() * PREFIX_LEN + usize::from(told.mtu.is_some()) * OPTION_LEN;
        self.ndisc_send(dev, source, ALL_NODES, HEADER_LEN + options + OPTION_LEN, |message| {
            put(message, 0, &[kind::ROUTER_ADVERTISEMENT]);
            put(message, 4, &[HOP_LIMIT]);
            put(message, 6, &told.lifetime.to_be_bytes());
            let mut at = HEADER_LEN;
            for (prefix, length) in &told.prefixes {
                put(message, at, &[option::PREFIX, 4, *length, ON_LINK_AUTONOMOUS]);
                put(message, at + 4, &told.valid.to_be_bytes());
                put(message, at + 8, &told.preferred.to_be_bytes());
                put(message, at + 16, &prefix.octets());
                at += PREFIX_LEN;
            }
            if let Some(mtu) = told.mtu {
                put(message, at, &[option::MTU, 1]);
                put(message, at + 4, &mtu.to_be_bytes());
                at += OPTION_LEN;
            }
            put_option(message, at, option::SOURCE_MAC, &mac.0);
        });
        true
    }
}
