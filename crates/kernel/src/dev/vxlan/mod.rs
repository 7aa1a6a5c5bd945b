//! vxlan: Ethernet over UDP (RFC 7348, drivers/net/vxlan).
//!
//! Configuration: `IFLA_VXLAN_*`, kept in [`Config`]; where MACs are, in [`Fdb`]. Transmit: the remotes of the
//! destination's entry, else of the entry of MAC zero; each gets a copy ([`Vxlan::transmit`]). Receive: by UDP port
//! and network identifier; who sent is learned ([`Vxlan::receive`]). Timer: ageing of what was learned.

pub mod fdb;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::mac::Mac;
use crate::neigh::nud;
use crate::netns::NsId;
use crate::time::Time;

use super::tunnel::{self, Inner, Outer, Ports, Shim, Six, TunnelInfo, TunnelWay};
use super::{Verdict, Verdicts};
pub use fdb::{Entry, Fdb, Key, Remote};

/// The port of Linux' own making, older than the assigned 4789.
pub const PORT: u16 = 8472;
/// Network identifiers are smaller.
pub const VNI_END: u32 = 1 << 24;
/// Bytes around a frame with its link header, over IPv4 (`VXLAN_HEADROOM`) and over IPv6 (`VXLAN6_HEADROOM`).
const HEADROOM: u32 = 50;
const HEADROOM_6: u32 = 70;
/// `FDB_AGE_DEFAULT`
pub const AGEING: u32 = 300;
/// `FDB_AGE_INTERVAL`: how long ageing waits at most for its next look.
pub const AGEING_INTERVAL: Duration = Duration::from_secs(10);
/// The flag that says that there is a network identifier.
const FLAG_VNI: u8 = 0x08;
/// `VXLAN_HF_GBP`; the flags in the byte behind it, and what they are in a packet's mark.
const FLAG_POLICY: u8 = 0x80;
const DONT_LEARN: u8 = 0x40;
const APPLIED: u8 = 0x08;
const POLICY_DONT_LEARN: u32 = 1 << 22;
const POLICY_APPLIED: u32 = 1 << 19;

/// What of the carried packet makes the outer one's DF (`VXLAN_DF_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DontFragment {
    Unset = 0,
    Set = 1,
    Inherit = 2,
}

/// What a vxlan device is told to be (`struct vxlan_config`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub vni: u32,
    /// Of the entry that MAC zero has; unspecified: none.
    pub remote: IpAddr,
    /// Of the same family.
    pub local: IpAddr,
    /// The device below; 0: any.
    pub oif: u32,
    pub port: u16,
    /// Source ports from the first up to, without it, the second; (0, 0): the namespace's.
    pub port_range: (u16, u16),
    pub ttl: u8,
    pub ttl_inherit: bool,
    /// 1: the carried packet's.
    pub tos: u8,
    pub df: DontFragment,
    /// Of the outer IPv6 header.
    pub label: u32,
    pub learning: bool,
    /// Requests for the addresses of neighbours are answered from the device's own table.
    pub proxy: bool,
    /// What goes to the MAC of a router goes to the neighbour's at once (`IFLA_VXLAN_RSC`).
    pub route_short_circuit: bool,
    /// An unknown destination is told to listeners.
    pub l2miss: bool,
    /// An unknown neighbour is told to listeners.
    pub l3miss: bool,
    /// Seconds
    pub ageing: u32,
    /// Most entries; 0: no limit.
    pub limit: u32,
    /// Over IPv4.
    pub checksum: bool,
    /// Over IPv6: what is sent has no checksum, what comes may have none.
    pub no_checksum_6: (bool, bool),
    /// Frames say themselves which tunnel they go by (`VXLAN_F_COLLECT_METADATA`).
    pub external: bool,
    /// A packet's mark goes with it as the identifier of a policy (`VXLAN_F_GBP`).
    pub policies: bool,
}

impl Config {
    /// A device that is told nothing.
    pub fn plain() -> Config {
        Config {
            vni: 0,
            remote: NOWHERE,
            local: NOWHERE,
            oif: 0,
            port: 0,
            port_range: (0, 0),
            ttl: 0,
            ttl_inherit: false,
            tos: 0,
            df: DontFragment::Unset,
            label: 0,
            learning: true,
            proxy: false,
            route_short_circuit: false,
            l2miss: false,
            l3miss: false,
            ageing: 0,
            limit: 0,
            checksum: true,
            no_checksum_6: (false, false),
            external: false,
            policies: false,
        }
    }

    /// Whether the frames go over IPv6 (`VXLAN_F_IPV6`).
    pub fn is_over_ipv6(&self) -> bool {
        self.remote.is_ipv6()
    }

    /// What sockets go by that take such a device's packets: those of devices that differ in it cannot be shared
    /// (`VXLAN_F_RCV_FLAGS`).
    pub fn receives(&self) -> (bool, bool, bool) {
        (self.external, self.no_checksum_6.1, self.policies)
    }

    /// Source ports, where `local` are those that the namespace below gives to programs.
    fn source_ports(&self, local: (u16, u16)) -> (u16, u16) {
        match self.port_range {
            (low, high) if low < high => (low, high),
            _ => local,
        }
    }

    /// `vxlan_headroom`
    pub fn headroom(&self) -> u32 {
        if self.is_over_ipv6() { HEADROOM_6 } else { HEADROOM }
    }

    /// The unspecified address of the family of the device's ends.
    pub fn nowhere(&self) -> IpAddr {
        unspecified(self.is_over_ipv6())
    }
}

/// No address, of IPv4.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

pub use super::tunnel::unspecified;

/// What the neighbour table of a device knows about the destination of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    Unknown,
    /// It is known, but not (or no longer) sure.
    Unsure,
    At(Mac),
}

/// What listeners are to be told that the device does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    Mac(Mac),
    Address(IpAddr),
}

/// A vxlan device.
#[derive(Clone, Debug)]
pub struct Vxlan {
    /// The namespace whose IP stack carries the frames; the device may be in another.
    pub underlay: NsId,
    pub config: Config,
    pub fdb: Fdb,
    /// Ageing looked at the entries last, or the device went up, then.
    pub aged: Time,
    /// When ageing looks next; none while nothing ages.
    pub ageing_at: Option<Time>,
}

/// What an arriving frame has done to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    Nothing,
    /// The entry of the source is new, or is elsewhere now.
    Changed,
}

impl Vxlan {
    pub fn new(underlay: NsId, config: Config, now: Time) -> Vxlan {
        Vxlan { underlay, config, fdb: Fdb::default(), aged: now, ageing_at: None }
    }

    /// The remote of the device's own configuration.
    pub fn default_remote(&self) -> Remote {
        let Config { remote, port, vni, oif, .. } = self.config;
        Remote { ip: remote, port, vni, ifindex: oif }
    }

    /// `vxlan_xmit`. `local_ports` are those that the namespace below gives to programs. What listeners are to be told
    /// of is returned. `circuit`: the frame went to a router and has got the MAC of its neighbour.
    pub fn transmit(
        &mut self,
        frame: &Frame,
        circuit: bool,
        local_ports: (u16, u16),
        now: Time,
        out: &mut Verdicts,
    ) -> Option<Missed> {
        let network = match (self.config.external, frame.tunnel) {
            (false, _) => 0,
            (true, Some(info)) if info.way == TunnelWay::GoesByNetwork => info.id as u32,
            (true, Some(info)) if info.way == TunnelWay::Goes => {
                out.push(Verdict::Encapsulate(self.outer(frame, info, local_ports)));
                return None;
            }
            (true, _) => {
                out.push(Verdict::Drop(DropReason::TunnelTransmitInfo));
                return None;
            }
        };
        let destination = frame.destination();
        let known = self.fdb.find((destination, network), now).is_some();
        let key = (if known { destination } else { Mac::ZERO }, network);
        let Some(entry) = self.fdb.find(key, now) else {
            out.push(Verdict::Drop(DropReason::NoTransmitTarget));
            let tells = self.config.l2miss && !destination.is_group();
            return tells.then_some(Missed::Mac(destination));
        };
        let config = &self.config;
        let inner = Inner::of(frame);
        let source = tunnel::source_port(frame, config.source_ports(local_ports));
        let dont_fragment = match (frame.tunnel, config.df) {
            (Some(info), _) => info.has(TunnelInfo::DONT_FRAGMENT),
            (None, DontFragment::Unset) => false,
            (None, DontFragment::Set) => true,
            (None, DontFragment::Inherit) => inner.dont_fragment,
        };
        let tos = if config.tos == 1 { inner.tos } else { config.tos };
        // The first remote is served last: it gets the frame itself.
        let (first, rest) = match entry.remotes.split_first() {
            Some((first, rest)) => (Some(first), rest),
            None => (None, &[][..]),
        };
        for remote in rest.iter().chain(first) {
            if remote.ip.is_unspecified() {
                out.push(match circuit {
                    // Back to the bridge of this host.
                    true => Verdict::VxlanBypass,
                    false => Verdict::Drop(DropReason::NoTransmitTarget),
                });
                continue;
            }
            let ttl = match (config.ttl_inherit, config.ttl) {
                (true, _) => inner.ttl,
                (false, 0) if remote.ip.is_multicast() => 1,
                (false, ttl) => ttl,
            };
            let checksum = if remote.ip.is_ipv6() { !config.no_checksum_6.0 } else { config.checksum };
            let ports = Ports { source, destination: remote.port, checksum };
            out.push(Verdict::Encapsulate(Outer {
                underlay: self.underlay,
                local: config.local,
                remote: remote.ip,
                oif: remote.ifindex,
                tos: inner.outer_tos(tos),
                ttl,
                ttl_is_final: false,
                dont_fragment,
                six: Six { label: config.label, ..Six::default() },
                shim: Shim::Vxlan {
                    vni: if remote.vni == 0 { network } else { remote.vni },
                    policy: if config.policies { frame.mark } else { 0 },
                    ports,
                },
            }));
        }
        None
    }

    /// `vxlan_xmit_one` for a frame that says itself where it goes.
    fn outer(&self, frame: &Frame, info: TunnelInfo, local_ports: (u16, u16)) -> Outer {
        let source = tunnel::source_port(frame, self.config.source_ports(local_ports));
        let checksum = info.has(TunnelInfo::CHECKSUM);
        let ports = Ports { source, destination: self.config.port, checksum };
        // Options of a tunnel, with which it could say a policy, are not set here.
        let shim = Shim::Vxlan { vni: info.id as u32, policy: 0, ports };
        Outer { ttl_is_final: false, ..info.outer(frame, self.underlay, shim) }
    }

    /// The network of a frame that is looked up in the database: of a plain device there is one, which goes without saying.
    /// None: it is not looked up.
    pub fn network_of(&self, frame: &Frame) -> Option<u32> {
        match (self.config.external, frame.tunnel) {
            (false, _) => Some(0),
            (true, Some(info)) if info.way == TunnelWay::GoesByNetwork => Some(info.id as u32),
            (true, _) => None,
        }
    }

    /// The network under which what comes from the network `vni` is learned.
    pub fn learned_in(&self, vni: u32) -> u32 {
        if self.config.external { vni } else { 0 }
    }

    /// `route_shortcircuit`: what to do with an IP packet to the MAC of a router, whose neighbour is `found`.
    pub fn short_circuit(&mut self, frame: &Frame, network: u32, now: Time) -> bool {
        let destination = frame.destination();
        let router = |entry: &mut Entry| entry.flags & crate::neigh::ROUTER != 0;
        self.config.route_short_circuit
            && !destination.is_group()
            && self.fdb.find((destination, network), now).is_some_and(router)
    }

    /// `arp_reduce`, `neigh_reduce`: whether a neighbour that has the MAC of `key` is behind the tunnel, and whether it is a router;
    /// none where it is on this side.
    pub fn answers_for(&mut self, key: Key, now: Time) -> Option<bool> {
        let Some(entry) = self.fdb.find(key, now) else { return Some(false) };
        let near = entry.remotes.first().is_some_and(|remote| remote.ip.is_unspecified());
        (!near).then_some(entry.flags & crate::neigh::ROUTER != 0)
    }

    /// `vxlan_set_mac`, `vxlan_snoop`: a frame from the MAC of `source` has come from the tunnel's end `from`; the device
    /// has the address `own`.
    ///
    /// # Errors
    /// Why it is dropped: it is the device's own, or its source is fixed at another place.
    pub fn receive(&mut self, own: Mac, source: Key, from: IpAddr, now: Time) -> Result<Learned, DropReason> {
        if source.0 == own {
            return Err(DropReason::LocalMac);
        }
        match self.config.learning {
            true => self.learn(source, from, now),
            false => Ok(Learned::Nothing),
        }
    }

    /// `vxlan_snoop`
    ///
    /// # Errors
    /// [`DropReason::VxlanEntryExists`]
    pub fn learn(&mut self, source: Key, from: IpAddr, now: Time) -> Result<Learned, DropReason> {
        let Config { vni, port, limit, .. } = self.config;
        match self.fdb.find(source, now) {
            Some(entry) => {
                let fixed = entry.is_fixed();
                let Some(remote) = entry.remotes.first_mut() else { return Ok(Learned::Nothing) };
                if remote.ip == from && remote.ifindex == 0 {
                    return Ok(Learned::Nothing);
                }
                if fixed {
                    return Err(DropReason::VxlanEntryExists);
                }
                remote.ip = from;
                entry.updated = now;
                Ok(Learned::Changed)
            }
            None => {
                let remote = Remote { ip: from, port, vni, ifindex: 0 };
                let made = self.fdb.create(source, remote, nud::REACHABLE, NTF_SELF, now, limit);
                Ok(if made.is_ok() { Learned::Changed } else { Learned::Nothing })
            }
        }
    }

    /// When ageing looks at the entries for the first time after `now`, if it does not do so already.
    pub fn start_ageing(&mut self, now: Time) -> Option<Time> {
        if self.ageing_at.is_some() || !self.fdb.ages() {
            return None;
        }
        let rounds = now.since(self.aged).as_secs() / AGEING_INTERVAL.as_secs() + 1;
        let at = self.aged + Duration::from_secs(rounds.saturating_mul(AGEING_INTERVAL.as_secs()));
        self.ageing_at = Some(at);
        Some(at)
    }

    /// `vxlan_cleanup`: what is too old, and when to look again.
    pub fn age(&mut self, now: Time) -> (Vec<(Key, Entry)>, Option<Time>) {
        let (gone, next) = self.fdb.expire(now, Duration::from_secs(u64::from(self.config.ageing)));
        self.aged = now;
        self.ageing_at = next.map(|at| at.min(now + AGEING_INTERVAL));
        (gone, self.ageing_at)
    }
}

/// `NTF_SELF`
pub const NTF_SELF: u8 = 0x02;

/// A header that names a network, and a policy unless that is 0 (`vxlan_build_gbp_hdr`).
pub fn header(vni: u32, policy: u32) -> [u8; tunnel::VXLAN_LEN] {
    let [_, a, b, c] = vni.to_be_bytes();
    if policy == 0 {
        return [FLAG_VNI, 0, 0, 0, a, b, c, 0];
    }
    let bit = |mark: u32, bit: u8| if policy & mark != 0 { bit } else { 0 };
    let flags = bit(POLICY_DONT_LEARN, DONT_LEARN) | bit(POLICY_APPLIED, APPLIED);
    let [.., d, e] = policy.to_be_bytes();
    [FLAG_VNI | FLAG_POLICY, flags, d, e, a, b, c, 0]
}

/// What a VXLAN header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    pub vni: u32,
    /// The mark that the policy makes, if there is one.
    pub policy: Option<u32>,
    /// There is more than the network.
    more: bool,
    /// There is more than a policy.
    unknown: bool,
}

impl Read {
    /// Whether a device that knows of policies, or of none, understands all that it says (`vxlan_rcv`).
    pub fn is_understood(&self, policies: bool) -> bool {
        if policies { !self.unknown } else { !self.more }
    }
}

/// Reads a VXLAN header.
///
/// # Errors
/// There is none, or one that names no network.
pub fn read_header(bytes: &[u8]) -> Result<Read, DropReason> {
    match bytes.first_chunk::<{ tunnel::VXLAN_LEN }>() {
        Some(&[first, second, c, d, x, y, z, last]) if first & FLAG_VNI != 0 => {
            let says_policy = first & FLAG_POLICY != 0;
            let bit = |bit: u8, mark: u32| if second & bit != 0 { mark } else { 0 };
            let flags = bit(DONT_LEARN, POLICY_DONT_LEARN) | bit(APPLIED, POLICY_APPLIED);
            Ok(Read {
                vni: u32::from_be_bytes([0, x, y, z]),
                policy: says_policy.then(|| u32::from_be_bytes([0, 0, c, d]) | flags),
                more: first != FLAG_VNI || [second, c, d, last] != [0; 4],
                unknown: first & !(FLAG_VNI | FLAG_POLICY) != 0 || last != 0,
            })
        }
        _ => Err(DropReason::VxlanInvalidHeader),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Pool, ethertype};

    const NOW: Time = Time::ZERO;
    const PORTS: (u16, u16) = (32768, 60999);

    fn mac(last: u8) -> Mac {
        Mac([2, 0, 0, 0, 0, last])
    }

    fn ip(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 168, 0, last).into()
    }

    fn device(remote: IpAddr) -> Vxlan {
        let config = Config { vni: 42, remote, port: 4789, ageing: AGEING, ..Config::plain() };
        let mut vxlan = Vxlan::new(NsId::default(), config, NOW);
        if !remote.is_unspecified() {
            let remote = vxlan.default_remote();
            assert!(vxlan.fdb.create((Mac::ZERO, 0), remote, nud::PERMANENT, NTF_SELF, NOW, 0).is_ok());
        }
        vxlan
    }

    fn sent(vxlan: &mut Vxlan, destination: Mac) -> Vec<Result<(IpAddr, u8), DropReason>> {
        let mut frame = Pool::default().frame(60);
        frame.set_header(destination, mac(1), ethertype::ARP);
        let mut out = Vec::new();
        vxlan.transmit(&frame, false, PORTS, NOW, &mut out);
        out.iter()
            .map(|verdict| match verdict {
                Verdict::Encapsulate(outer) => Ok((outer.remote, outer.ttl)),
                Verdict::Drop(reason) => Err(*reason),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn an_exact_entry_then_that_of_zero_then_nothing() {
        let mut vxlan = device(ip(2));
        assert_eq!(sent(&mut vxlan, mac(9)), [Ok((ip(2), 0))]);
        assert_eq!(vxlan.receive(mac(1), (mac(9), 0), ip(3), NOW), Ok(Learned::Changed));
        assert_eq!(vxlan.receive(mac(1), (mac(9), 0), ip(3), NOW), Ok(Learned::Nothing));
        assert_eq!(sent(&mut vxlan, mac(9)), [Ok((ip(3), 0))]);
        assert_eq!(sent(&mut vxlan, Mac::BROADCAST), [Ok((ip(2), 0))]);
        let mut lonely = device(NOWHERE);
        assert_eq!(sent(&mut lonely, mac(9)), [Err(DropReason::NoTransmitTarget)]);
    }

    #[test]
    fn every_remote_of_an_entry_gets_a_copy_the_first_last() {
        let mut vxlan = device(ip(2));
        let (remote, group) = (vxlan.default_remote(), IpAddr::from([239, 1, 1, 1]));
        let entry = vxlan.fdb.get_mut((Mac::ZERO, 0)).expect("the default entry");
        assert_eq!(entry.append(Remote { ip: group, ..remote }), Ok(true));
        assert_eq!(entry.append(remote), Ok(false));
        assert_eq!(sent(&mut vxlan, Mac::BROADCAST), [Ok((group, 1)), Ok((ip(2), 0))]);
    }

    #[test]
    fn what_is_learned_moves_and_ages_what_is_set_does_not() {
        let mut vxlan = device(ip(2));
        assert_eq!(vxlan.receive(mac(1), (mac(1), 0), ip(2), NOW), Err(DropReason::LocalMac));
        assert_eq!(vxlan.receive(mac(1), (mac(9), 0), ip(3), NOW), Ok(Learned::Changed));
        assert_eq!(vxlan.receive(mac(1), (mac(9), 0), ip(4), NOW), Ok(Learned::Changed));
        let remote = Remote { ip: ip(5), ..vxlan.default_remote() };
        assert!(vxlan.fdb.create((mac(8), 0), remote, nud::PERMANENT, NTF_SELF, NOW, 0).is_ok());
        assert_eq!(vxlan.receive(mac(1), (mac(8), 0), ip(3), NOW), Err(DropReason::VxlanEntryExists));
        assert_eq!(vxlan.start_ageing(NOW), Some(NOW + AGEING_INTERVAL));
        assert_eq!(vxlan.start_ageing(NOW), None);
        let (gone, next) = vxlan.age(NOW + Duration::from_secs(290));
        assert_eq!((gone.len(), next), (0, Some(NOW + Duration::from_secs(300))));
        let (gone, next) = vxlan.age(NOW + Duration::from_secs(300));
        assert_eq!((gone.len(), next), (1, None));
    }

    #[test]
    fn headers_say_their_network_and_nothing_else() {
        let read = read_header(&[8, 0, 0, 0, 0, 0, 42, 0, 1]).expect("a header");
        assert_eq!((read.vni, read.policy, read.is_understood(false)), (42, None, true));
        for bytes in [&[0, 0, 0, 0, 0, 0, 42, 0][..], &[8, 0, 0, 0]] {
            assert_eq!(read_header(bytes), Err(DropReason::VxlanInvalidHeader));
        }
        let read = read_header(&[8, 0, 0, 0, 0, 0, 42, 1]).expect("a header");
        assert!(!read.is_understood(false) && !read.is_understood(true));
    }

    #[test]
    fn a_policy_is_a_mark() {
        let mark = 0x1234 | POLICY_DONT_LEARN | POLICY_APPLIED;
        let read = read_header(&header(42, mark)).expect("a header");
        assert_eq!((read.vni, read.policy), (42, Some(mark)));
        assert!(read.is_understood(true) && !read.is_understood(false));
    }
}
