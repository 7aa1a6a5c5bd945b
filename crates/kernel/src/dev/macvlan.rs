//! macvlan: several MACs on one lower device (drivers/net/macvlan.c).
//!
//! Configuration: `IFLA_MACVLAN_MODE`, `_FLAGS` (nopromisc, nodst), `_MACADDR_*` (source mode),
//! `_BC_QUEUE_LEN`. State: one [`Macvlan`] a device; one [`Port`] on the lower device, which knows every
//! macvlan standing on it. Transmit: [`Port::transmit`]. Receive on the lower device: [`Port::receive`];
//! broadcasts are distributed later by [`Port::distribute`].

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::ethertype;
use crate::mac::Mac;

use super::{GroupFilter, PacketType, Verdict, Verdicts};

/// `MACVLAN_MODE_*`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Mode {
    Private = 1,
    Vepa = 2,
    Bridge = 4,
    Passthru = 8,
    Source = 16,
}

impl Mode {
    pub fn from_number(number: u32) -> Option<Mode> {
        [Mode::Private, Mode::Vepa, Mode::Bridge, Mode::Passthru, Mode::Source]
            .into_iter()
            .find(|mode| *mode as u32 == number)
    }
}

/// `MACVLAN_FLAG_NOPROMISC`: a passthru macvlan leaves the lower device's promiscuity alone.
pub const FLAG_NOPROMISC: u16 = 1;
/// `MACVLAN_FLAG_NODST`: a source-mode macvlan keeps what it matches from everybody else.
pub const FLAG_NODST: u16 = 2;
/// `MACVLAN_DEFAULT_BC_QUEUE_LEN`
pub const DEFAULT_BC_QUEUE_LEN: u32 = 1000;

/// A macvlan device.
#[derive(Clone, Debug)]
pub struct Macvlan {
    pub lower: DevId,
    /// It is a macvtap.
    pub tap: bool,
    pub mode: Mode,
    pub flags: u16,
    pub bc_queue_len_requested: u32,
    /// Source mode: the MACs to receive from, in the order in which they were added.
    pub sources: Vec<Mac>,
}

/// What the port knows of one macvlan.
#[derive(Clone, Debug)]
pub struct Member {
    pub dev: DevId,
    pub mac: Mac,
    pub mode: Mode,
    pub up: bool,
    pub nodst: bool,
    pub sources: Vec<Mac>,
    pub filter: GroupFilter,
}

/// The lower device's side of its macvlans (`struct macvlan_port`).
#[derive(Clone, Debug, Default)]
pub struct Port {
    /// In the order of creation (`port->vlans`).
    pub members: Vec<Member>,
    /// Indices of members that are up in the order in which broadcasts reach them: by hash bucket, and in a
    /// bucket the one that came up last first.
    order: Vec<usize>,
    /// Members in the order in which they came up, for `order`.
    came_up: Vec<DevId>,
    /// How many broadcasts may wait to be distributed.
    pub bc_queue_len: u32,
    pub bc_queued: u32,
    /// Which groups the lower device's frames must be for to be handed on (`port->mc_filter`).
    pub filter: GroupFilter,
    /// The lower device's MAC before a passthru macvlan changed it.
    pub lower_mac_before: Option<Mac>,
}

impl Port {
    pub fn is_passthru(&self) -> bool {
        self.members.iter().any(|member| member.mode == Mode::Passthru)
    }

    pub fn member(&self, dev: DevId) -> Option<&Member> {
        self.members.iter().find(|member| member.dev == dev)
    }

    pub fn member_mut(&mut self, dev: DevId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.dev == dev)
    }

    /// The up macvlan with this MAC (`macvlan_hash_lookup`).
    pub fn lookup(&self, mac: Mac) -> Option<&Member> {
        self.order.iter().filter_map(|i| self.members.get(*i)).find(|member| member.mac == mac)
    }

    pub fn add(&mut self, member: Member) {
        self.members.push(member);
        self.reorder();
    }

    pub fn remove(&mut self, dev: DevId) {
        self.members.retain(|member| member.dev != dev);
        self.came_up.retain(|known| *known != dev);
        self.reorder();
    }

    /// A macvlan goes up or down, or changes its MAC: enter it in, or take it from, the table.
    pub fn set_up(&mut self, dev: DevId, up: bool, mac: Mac) {
        if let Some(member) = self.member_mut(dev) {
            member.up = up;
            member.mac = mac;
        }
        self.came_up.retain(|known| *known != dev);
        if up {
            self.came_up.push(dev);
        }
        self.reorder();
    }

    fn reorder(&mut self) {
        let age = |dev: DevId| self.came_up.iter().position(|known| *known == dev).unwrap_or(0);
        let mut order: Vec<usize> = (0..self.members.len()).filter(|i| self.members[*i].up).collect();
        order.sort_by_key(|i| {
            let member = &self.members[*i];
            (bucket(member.mac), std::cmp::Reverse(age(member.dev)))
        });
        self.order = order;
    }

    fn up_members(&self) -> impl Iterator<Item = &Member> {
        self.order.iter().filter_map(|i| self.members.get(*i))
    }

    /// `macvlan_queue_xmit`: a frame of macvlan `dev` on its way out.
    pub fn transmit(&self, dev: DevId, lower: DevId, destination: Mac, out: &mut Verdicts) {
        let bridge = self.member(dev).is_some_and(|member| member.mode == Mode::Bridge);
        if bridge {
            if destination.is_group() {
                self.copies(
                    destination,
                    Some(dev),
                    &[Mode::Bridge],
                    |member| Verdict::Inject { dev: member },
                    out,
                );
            } else if self.lookup(destination).is_some_and(|to| to.mode == Mode::Bridge) {
                // The sibling gets it through the lower device's receive path, where its taps see it.
                out.push(Verdict::Inject { dev: lower });
                return;
            }
        }
        out.push(Verdict::Transmit { dev: lower });
    }

    /// `macvlan_handle_frame`: a frame received on the lower device.
    /// `packet_type` is what it is to the lower device.
    pub fn receive(
        &self,
        lower: DevId,
        destination: Mac,
        source: Mac,
        packet_type: PacketType,
        out: &mut Verdicts,
    ) {
        let received_as =
            if destination.is_broadcast() { PacketType::Broadcast } else { PacketType::Multicast };
        if self.forward_source(source, destination, packet_type, out) {
            return out.push(Verdict::Drop(DropReason::MacvlanNoDst));
        }
        if destination.is_group() {
            return match self.lookup(source) {
                // The own frame of a macvlan that talks to nobody comes back: only that macvlan gets it.
                Some(own) if !matches!(own.mode, Mode::Vepa | Mode::Bridge) => {
                    out.push(Verdict::EnqueueOwn { dev: own.dev, packet_type: received_as });
                }
                _ => {
                    if self.filter.passes(destination) {
                        out.push(Verdict::MacvlanBroadcast { lower });
                    }
                    out.push(Verdict::Local);
                }
            };
        }
        let to = if self.is_passthru() { self.members.first() } else { self.lookup(destination) };
        match to {
            None | Some(Member { mode: Mode::Source, .. }) => out.push(Verdict::Local),
            Some(member) if !member.up => out.push(Verdict::Drop(DropReason::MacvlanDown)),
            Some(member) => out.push(Verdict::Receive { dev: member.dev, packet_type: PacketType::Host }),
        }
    }

    /// `macvlan_forward_source`: copies for source-mode macvlans. True if one of them keeps the frame.
    fn forward_source(
        &self,
        source: Mac,
        destination: Mac,
        packet_type: PacketType,
        out: &mut Verdicts,
    ) -> bool {
        let mut consume = false;
        for member in &self.members {
            if member.mode != Mode::Source || !member.sources.contains(&source) {
                continue;
            }
            // What a macvlan keeps for itself it keeps when it is down, too.
            consume |= member.nodst;
            if !member.up {
                continue;
            }
            // `macvlan_forward_source_one` only notes that it is for the macvlan itself: a frame to the lower device's
            // MAC is one for this host.
            let packet_type = if destination == member.mac { PacketType::Host } else { packet_type };
            out.push(Verdict::Enqueue { dev: member.dev, packet_type });
        }
        consume
    }

    /// `macvlan_process_broadcast`: a queued broadcast from the lower device reaches the macvlans.
    pub fn distribute(&self, destination: Mac, source: Mac, kind: u16, out: &mut Verdicts) {
        if kind == ethertype::PAUSE {
            return;
        }
        let packet_type =
            if destination.is_broadcast() { PacketType::Broadcast } else { PacketType::Multicast };
        let from = self.lookup(source);
        let modes: &[Mode] = match from.map(|member| member.mode) {
            None => &[Mode::Private, Mode::Vepa, Mode::Passthru, Mode::Bridge],
            Some(Mode::Vepa) => &[Mode::Vepa, Mode::Bridge],
            // Bridge-mode siblings saw the frame on its way out.
            Some(_) => &[Mode::Vepa],
        };
        let from = from.map(|member| member.dev);
        self.copies(destination, from, modes, |dev| Verdict::Enqueue { dev, packet_type }, out);
    }

    /// `macvlan_broadcast`: one verdict for each up macvlan in one of `modes` but `except`.
    fn copies(
        &self,
        destination: Mac,
        except: Option<DevId>,
        modes: &[Mode],
        verdict: impl Fn(DevId) -> Verdict,
        out: &mut Verdicts,
    ) {
        for member in self.up_members() {
            if Some(member.dev) != except && modes.contains(&member.mode) && member.filter.passes(destination)
            {
                out.push(verdict(member.dev));
            }
        }
    }
}

/// Hash bucket of a MAC (`macvlan_eth_hash`): the top 8 bits of a multiplicative hash.
pub(crate) fn bucket(mac: Mac) -> u64 {
    let [a, b, c, d, e, f] = mac.0;
    let value = u64::from_le_bytes([0, 0, a, b, c, d, e, f]);
    value.wrapping_mul(0x61C8_8646_80B5_83EB) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;
    use slotmap::SlotMap;

    const LOWER: Mac = Mac([2, 0, 0, 0, 0, 1]);

    fn mac(last: u8) -> Mac {
        Mac([2, 0, 0, 0, 0, last])
    }

    /// A port with one macvlan for each (last MAC byte, mode), all up, and a lower device.
    fn port(members: &[(u8, Mode)]) -> (Port, DevId, Vec<DevId>) {
        let mut ids = SlotMap::<DevId, ()>::with_key();
        let lower = ids.insert(());
        let mut port = Port { bc_queue_len: 1000, ..Port::default() };
        let devs: Vec<DevId> = members
            .iter()
            .map(|(last, mode)| {
                let dev = ids.insert(());
                let filter = GroupFilter::new(false, [Mac::BROADCAST]);
                let member = Member {
                    dev,
                    mac: mac(*last),
                    mode: *mode,
                    up: false,
                    nodst: false,
                    sources: vec![],
                    filter,
                };
                port.add(member);
                port.set_up(dev, true, mac(*last));
                dev
            })
            .collect();
        (port, lower, devs)
    }

    fn received(port: &Port, lower: DevId, destination: Mac, source: Mac) -> Verdicts {
        let mut out = Vec::new();
        let packet_type = match destination {
            Mac::BROADCAST => PacketType::Broadcast,
            LOWER => PacketType::Host,
            _ => PacketType::OtherHost,
        };
        port.receive(lower, destination, source, packet_type, &mut out);
        out
    }

    fn distributed(port: &Port, source: Mac) -> Vec<DevId> {
        let mut out = Vec::new();
        port.distribute(Mac::BROADCAST, source, ethertype::ARP, &mut out);
        out.iter()
            .filter_map(|v| match v {
                Verdict::Enqueue { dev, .. } | Verdict::EnqueueOwn { dev, .. } => Some(*dev),
                _ => None,
            })
            .collect()
    }

    /// Buckets as measured on Linux 6.1 and 6.18.
    #[test]
    fn buckets_are_those_of_linux() {
        let found: Vec<u64> =
            [0x11, 0x12, 0x13, 0x21, 0x22, 0x31, 0x32].iter().map(|last| bucket(mac(*last))).collect();
        assert_eq!(found, [167, 146, 125, 87, 66, 7, 242]);
    }

    #[test]
    fn bridge_siblings_meet_in_the_lower_devices_receive_path() {
        let (port, lower, devs) = port(&[(0x11, Mode::Bridge), (0x12, Mode::Bridge), (0x21, Mode::Vepa)]);
        let transmit = |to| {
            let mut out = Vec::new();
            port.transmit(devs[0], lower, to, &mut out);
            out
        };
        assert_eq!(transmit(mac(0x12)), [Verdict::Inject { dev: lower }]);
        assert_eq!(transmit(mac(0x21)), [Verdict::Transmit { dev: lower }]);
        assert_eq!(
            transmit(Mac::BROADCAST),
            [Verdict::Inject { dev: devs[1] }, Verdict::Transmit { dev: lower }]
        );
    }

    #[test]
    fn who_gets_a_broadcast_depends_on_where_it_came_from() {
        let members = [(0x11, Mode::Bridge), (0x21, Mode::Vepa), (0x31, Mode::Private), (0x32, Mode::Source)];
        let (port, lower, devs) = port(&members);
        assert_eq!(distributed(&port, mac(0x99)), [devs[2], devs[1], devs[0]]);
        assert_eq!(distributed(&port, mac(0x21)), [devs[0]]);
        assert_eq!(distributed(&port, mac(0x11)), [devs[1]]);
        // A private macvlan's own frame coming back reaches only itself.
        assert_eq!(
            received(&port, lower, Mac::BROADCAST, mac(0x31)),
            [Verdict::EnqueueOwn { dev: devs[2], packet_type: PacketType::Broadcast }]
        );
    }

    #[test]
    fn unicast_goes_by_destination_and_private_does_not_mind_the_source() {
        let (port, lower, devs) = port(&[(0x11, Mode::Private), (0x12, Mode::Private)]);
        assert_eq!(
            received(&port, lower, mac(0x12), mac(0x11)),
            [Verdict::Receive { dev: devs[1], packet_type: PacketType::Host }]
        );
        assert_eq!(received(&port, lower, mac(0x77), mac(0x11)), [Verdict::Local]);
    }

    #[test]
    fn source_mode_takes_by_source_and_may_keep() {
        let (mut port, lower, devs) = port(&[(0x11, Mode::Source), (0x12, Mode::Bridge)]);
        if let Some(member) = port.member_mut(devs[0]) {
            member.sources = vec![mac(0x99)];
        }
        let copy = Verdict::Enqueue { dev: devs[0], packet_type: PacketType::OtherHost };
        assert_eq!(
            received(&port, lower, mac(0x12), mac(0x99)),
            [copy, Verdict::Receive { dev: devs[1], packet_type: PacketType::Host }]
        );
        let copy_of_ours = Verdict::Enqueue { dev: devs[0], packet_type: PacketType::Host };
        assert_eq!(received(&port, lower, LOWER, mac(0x99)), [copy_of_ours, Verdict::Local]);
        if let Some(member) = port.member_mut(devs[0]) {
            member.nodst = true;
        }
        assert_eq!(
            received(&port, lower, mac(0x12), mac(0x99)),
            [copy, Verdict::Drop(DropReason::MacvlanNoDst)]
        );
    }

    #[test]
    fn a_passthru_macvlan_takes_everything_even_when_down() {
        let (mut port, lower, devs) = port(&[(0x11, Mode::Passthru)]);
        assert_eq!(
            received(&port, lower, mac(0x77), mac(0x99)),
            [Verdict::Receive { dev: devs[0], packet_type: PacketType::Host }]
        );
        port.set_up(devs[0], false, mac(0x11));
        assert_eq!(received(&port, lower, mac(0x77), mac(0x99)), [Verdict::Drop(DropReason::MacvlanDown)]);
    }
}
