//! A frame on its way: bytes with headroom in a pooled buffer, and what the kernel keeps beside them.

use std::ops::{Deref, DerefMut};

pub use hairpin_netlink::PacketType;
use hairpin_wire::vlan::{TAG_LEN, Tag};

use crate::dev::tunnel::TunnelInfo;
use crate::ip::{fold, sum};
use crate::mac::Mac;
use crate::netfilter::{Bridged, Track};

/// Length of an Ethernet header.
pub const ETH_LEN: usize = 14;
/// Free bytes kept in front of a new frame: link header and tags go there without moving bytes.
pub const HEADROOM: usize = 64;
/// Size of pooled buffers; larger frames get a buffer of their own.
const POOLED: usize = 2048;
/// Buffers kept for reuse.
const POOL_MAX: usize = 4096;

pub mod ethertype {
    /// What is less is a length (`ETH_P_802_3_MIN`).
    pub const LEAST: u16 = 0x0600;
    pub const IPV4: u16 = 0x0800;
    pub const ARP: u16 = 0x0806;
    pub const IPV6: u16 = 0x86dd;
    pub const PAUSE: u16 = 0x8808;
    /// `struct can_frame`, `struct canfd_frame`
    pub const CAN: u16 = 0x000c;
    pub const CANFD: u16 = 0x000d;
    /// Ethernet inside something else.
    pub const TEB: u16 = 0x6558;
}

/// A frame: from `start` to `end` of its buffer, beginning with the Ethernet header. It is one pointer wide, so
/// that handing it on costs nothing; a copy has its own bytes.
#[derive(Debug)]
pub struct Frame(Box<Body>);

/// What a [`Frame`] points to.
#[derive(Debug)]
struct Body {
    buffer: Box<[u8]>,
    start: u32,
    end: u32,
    meta: Meta,
}

/// Whose socket has sent a packet (`skb->sk`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// None: it is forwarded, or made by a rule.
    #[default]
    Nobody,
    /// One of the kernel's own, which nobody has opened (`inet_ctl_sock_create`).
    Kernel,
    Program,
}

/// A checksum of a transport's header that is left to the device (`CHECKSUM_PARTIAL`): until the frame comes to one that
/// leaves it undone, the sum of the pseudo header stands in its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Partial {
    /// Bytes from the first one that is summed to the frame's end (`csum_start`); 0: nothing is left to do.
    reach: u16,
    /// Where in them the checksum stands (`csum_offset`).
    field: u8,
}

impl Partial {
    /// Of the last `reach` bytes of a frame.
    pub(crate) fn new(reach: usize, field: u8) -> Partial {
        Partial { reach: u16::try_from(reach).unwrap_or(0), field }
    }

    #[inline]
    pub(crate) fn is_due(self) -> bool {
        self.reach != 0
    }

    /// Bytes from the first one that is summed to the frame's end.
    pub(crate) fn reach(self) -> usize {
        usize::from(self.reach)
    }

    /// Where in them the checksum stands.
    pub(crate) fn field(self) -> usize {
        usize::from(self.field)
    }
}

/// What the kernel keeps beside a frame's bytes (`struct sk_buff`).
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// A VLAN tag that the device layer has taken off, or has not yet put on (`skb->vlan_tci`).
    pub tag: Option<Tag>,
    pub packet_type: PacketType,
    /// `-j TRACE`: every rule it meets is logged.
    pub(crate) traced: bool,
    /// Whose socket sent it.
    pub(crate) owner: Owner,
    /// The device that this socket is bound to, by interface index; 0 for none (`sk_bound_dev_if`).
    pub(crate) bound: u32,
    /// What is left to do for its checksum.
    pub(crate) partial: Partial,
    /// Bytes of the longest fragment that it was put together from; 0: it was whole.
    pub(crate) fragment_max: u16,
    /// Bytes of the longest packet that goes the way of its route (`dst_mtu` of `skb_dst`); 0: it has none, as what
    /// has just come in.
    pub(crate) path_mtu: u16,
    /// Where the packet came in, by interface index; 0 for local packets.
    pub iif: u32,
    /// The port of the VRF that the packet came in by, or the VRF itself (`inet_sdif`); 0: no VRF.
    pub vrf_port: u32,
    pub mark: u32,
    /// What a VLAN's tag says of it (`skb->priority`).
    pub(crate) priority: u32,
    /// Identifies a frame and its copies in traces.
    pub trace: u32,
    /// The connection it belongs to.
    pub(crate) track: Track,
    /// The packet or CAN socket that sent it, which does not see it.
    pub sender: Option<crate::sock::SockId>,
    /// The tunnel that it is to go by, or has come by (`skb_tunnel_info`).
    pub(crate) tunnel: Option<TunnelInfo>,
    /// The bridge ports of a packet that netfilter sees on its way over a bridge.
    pub(crate) bridged: Option<Bridged>,
}

impl Default for Meta {
    fn default() -> Self {
        Meta {
            tag: None,
            packet_type: PacketType::Host,
            traced: false,
            owner: Owner::Nobody,
            bound: 0,
            partial: Partial::default(),
            fragment_max: 0,
            path_mtu: 0,
            iif: 0,
            vrf_port: 0,
            mark: 0,
            priority: 0,
            trace: 0,
            track: Track::default(),
            sender: None,
            tunnel: None,
            bridged: None,
        }
    }
}

impl Deref for Frame {
    type Target = Meta;

    #[inline]
    fn deref(&self) -> &Meta {
        &self.0.meta
    }
}

impl DerefMut for Frame {
    #[inline]
    fn deref_mut(&mut self) -> &mut Meta {
        &mut self.0.meta
    }
}

/// A copy whose buffer is no longer than it must be; on a frame's way there is [`Pool::copy`].
impl Clone for Frame {
    fn clone(&self) -> Self {
        let mut copy = Frame::with_buffer(headed(self.bytes(), HEADROOM, self.len()), self.len());
        copy.0.meta = self.0.meta;
        copy
    }
}

/// A buffer with `room` free bytes, then `bytes`, lengthened by zeros to `len`.
fn headed(bytes: &[u8], room: usize, len: usize) -> Box<[u8]> {
    let mut buffer = Vec::with_capacity(room + len);
    buffer.resize(room, 0);
    buffer.extend_from_slice(bytes);
    buffer.resize(room + len, 0);
    buffer.into_boxed_slice()
}

impl Frame {
    /// A frame of `len` bytes behind the headroom of a buffer.
    fn with_buffer(buffer: Box<[u8]>, len: usize) -> Frame {
        let end = (HEADROOM + len) as u32;
        Frame(Box::new(Body { buffer, start: HEADROOM as u32, end, meta: Meta::default() }))
    }

    /// Has it in a buffer of its size with `front` more bytes in front and `back` more at its end.
    #[cold]
    fn rebuild(&mut self, front: usize, back: usize) {
        let len = front + self.len() + back;
        let body = &mut *self.0;
        let old = body.buffer.get(body.start as usize..body.end as usize).unwrap_or(&[]);
        body.buffer = headed(old, HEADROOM + front, len - front);
        body.start = HEADROOM as u32;
        body.end = (HEADROOM + len) as u32;
    }

    /// Bytes from the Ethernet header on, without a tag kept in `tag`.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.0.buffer[self.0.start as usize..self.0.end as usize]
    }

    /// The same, to write.
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let body = &mut *self.0;
        &mut body.buffer[body.start as usize..body.end as usize]
    }

    /// Length as the wire carries it, a kept tag not counted.
    #[inline]
    pub fn len(&self) -> usize {
        (self.0.end - self.0.start) as usize
    }

    pub fn is_empty(&self) -> bool {
        self.0.end == self.0.start
    }

    #[inline]
    pub fn destination(&self) -> Mac {
        Mac::read(self.bytes()).unwrap_or_default()
    }

    #[inline]
    pub fn source(&self) -> Mac {
        self.bytes().get(6..).and_then(Mac::read).unwrap_or_default()
    }

    /// EtherType behind the addresses (a tag kept in `tag` is not there).
    #[inline]
    pub fn ethertype(&self) -> u16 {
        self.bytes().get(12..14).map_or(0, |t| u16::from_be_bytes([t[0], t[1]]))
    }

    /// What follows the Ethernet header.
    #[inline]
    pub fn payload(&self) -> &[u8] {
        self.0.buffer.get(self.0.start as usize + ETH_LEN..self.0.end as usize).unwrap_or(&[])
    }

    /// Bytes of what follows the Ethernet header.
    #[inline]
    pub fn payload_len(&self) -> usize {
        self.len().saturating_sub(ETH_LEN)
    }

    #[inline]
    pub fn payload_mut(&mut self) -> &mut [u8] {
        self.bytes_mut().get_mut(ETH_LEN..).unwrap_or(&mut [])
    }

    /// Cuts bytes off the end so that `len` remain.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        let cut = self.len().saturating_sub(len);
        self.0.end -= cut as u32;
        self.partial.reach = self.partial.reach.saturating_sub(u16::try_from(cut).unwrap_or(u16::MAX));
    }

    /// Whether the checksum that is left to do is of a packet inside of another (`skb->encapsulation`).
    pub(crate) fn sums_inside(&self) -> bool {
        let bytes = self.bytes();
        let mut at = ETH_LEN;
        while let Some(&[0x81, 0x00] | &[0x88, 0xa8]) = bytes.get(at - 2..at) {
            at += TAG_LEN;
        }
        let header = match bytes.get(at) {
            Some(first) if first >> 4 == 4 => usize::from(first & 15) * 4,
            _ => crate::ip6::HEADER_LEN,
        };
        at + header + self.partial.reach() != bytes.len()
    }

    /// Completes the checksum that was left to the device (`skb_checksum_help`).
    pub(crate) fn complete_checksum(&mut self) {
        let Partial { reach, field } = std::mem::take(&mut self.partial);
        let start = self.len().saturating_sub(usize::from(reach));
        if reach == 0 {
            return;
        }
        let Some(summed) = self.bytes_mut().get_mut(start..) else { return };
        let total = !fold(sum(summed));
        if let Some(place) = summed.get_mut(usize::from(field)..).and_then(|rest| rest.first_chunk_mut()) {
            // `CSUM_MANGLED_0`
            *place = if total == 0 { 0xffff } else { total }.to_be_bytes();
        }
    }

    /// Appends zero bytes up to `len` (padding on a wire).
    pub fn pad_to(&mut self, len: usize) {
        if self.len() >= len {
            return;
        }
        let old = self.len();
        self.push_back(len - old);
        if let Some(padding) = self.bytes_mut().get_mut(old..) {
            padding.fill(0);
        }
    }

    /// Whether there is something for [`Frame::forget_netfilter`] to forget.
    #[inline]
    pub(crate) fn is_known_to_netfilter(&self) -> bool {
        self.owner != Owner::Nobody
            || self.traced
            || self.fragment_max != 0
            || self.bridged.is_some()
            || self.tunnel.is_some()
            || self.track != Track::default()
    }

    /// `nf_reset_ct`: it goes to another device, and perhaps machine, where nothing is known of it.
    #[inline]
    pub(crate) fn forget_netfilter(&mut self) {
        self.track = Track::default();
        self.bridged = None;
        self.tunnel = None;
        self.traced = false;
        self.owner = Owner::Nobody;
        self.bound = 0;
        self.fragment_max = 0;
    }

    /// Writes the Ethernet header.
    #[inline]
    pub fn set_header(&mut self, destination: Mac, source: Mac, ethertype: u16) {
        if let Some(header) = self.bytes_mut().first_chunk_mut::<ETH_LEN>() {
            header[0..6].copy_from_slice(&destination.0);
            header[6..12].copy_from_slice(&source.0);
            header[12..14].copy_from_slice(&ethertype.to_be_bytes());
        }
    }

    /// Takes the outermost tag out of the bytes into `tag` (`skb_vlan_untag`). False if the frame is cut short.
    pub fn untag(&mut self) -> bool {
        let Some(tag) = Tag::of_frame(self.bytes()) else { return false };
        if self.len() < ETH_LEN + TAG_LEN {
            return false;
        }
        let bytes = self.bytes_mut();
        bytes.copy_within(0..12, TAG_LEN);
        self.0.start += TAG_LEN as u32;
        self.tag = Some(tag);
        true
    }

    /// Puts a kept tag back into the bytes.
    pub fn retag(&mut self) {
        let Some(tag) = self.tag.take() else { return };
        self.push_front(TAG_LEN);
        let bytes = self.bytes_mut();
        if bytes.len() >= 16 {
            bytes.copy_within(TAG_LEN..TAG_LEN + 12, 0);
            bytes[12..16].copy_from_slice(&tag.to_bytes());
        }
    }

    /// A copy with these tags in its bytes, the outermost first; its own stays where it is.
    pub fn with_tags(&self, tags: &[Tag]) -> Frame {
        let mut copy = self.clone();
        for tag in tags.iter().rev() {
            copy.tag = Some(*tag);
            copy.retag();
        }
        copy.tag = self.tag;
        copy
    }

    /// Adds an outer tag: one already kept goes into the bytes.
    pub fn push_tag(&mut self, tag: Tag) {
        self.retag();
        self.tag = Some(tag);
    }

    /// Grows at the front by `n` bytes of unspecified content.
    pub fn push_front(&mut self, n: usize) {
        match self.0.start.checked_sub(u32::try_from(n).unwrap_or(u32::MAX)) {
            Some(start) => self.0.start = start,
            None => self.rebuild(n, 0),
        }
    }

    /// Grows at the end by `n` bytes of unspecified content.
    pub fn push_back(&mut self, n: usize) {
        self.complete_checksum();
        let end = self.0.end as usize + n;
        match end <= self.0.buffer.len() {
            true => self.0.end = end as u32,
            false => self.rebuild(0, n),
        }
    }

    /// Takes `n` bytes off the front; what is left of a shorter frame is nothing.
    pub fn pull_front(&mut self, n: usize) {
        self.0.start = self.0.start.saturating_add(u32::try_from(n).unwrap_or(u32::MAX)).min(self.0.end);
        if self.partial.reach() > self.len() {
            // `skb_postpull_rcsum`
            self.partial = Partial::default();
        }
    }

    /// The whole frame with its tag in place, as a capture shows it.
    pub fn to_vec(&self) -> Vec<u8> {
        let bytes = self.bytes();
        match self.tag {
            Some(tag) if bytes.len() >= 12 => {
                let mut whole = Vec::with_capacity(bytes.len() + TAG_LEN);
                whole.extend_from_slice(&bytes[..12]);
                whole.extend_from_slice(&tag.to_bytes());
                whole.extend_from_slice(&bytes[12..]);
                whole
            }
            _ => bytes.to_vec(),
        }
    }
}

/// Frames for reuse: a warm world allocates nothing per frame.
#[derive(Debug, Default)]
pub struct Pool {
    /// Each with a buffer of the usual size.
    free: Vec<Frame>,
}

/// Nothing of it is part of the simulation: a copied world begins with an empty one.
impl Clone for Pool {
    fn clone(&self) -> Self {
        Pool::default()
    }
}

impl Pool {
    /// A frame of `len` bytes of unspecified content, with headroom.
    #[inline]
    pub fn frame(&mut self, len: usize) -> Frame {
        let need = HEADROOM + len;
        match self.free.pop() {
            Some(mut frame) if need <= POOLED => {
                frame.0.start = HEADROOM as u32;
                frame.0.end = need as u32;
                frame.0.meta = Meta::default();
                frame
            }
            kept => {
                self.free.extend(kept);
                Frame::with_buffer(vec![0; need.max(POOLED)].into_boxed_slice(), len)
            }
        }
    }

    /// A copy of a frame.
    pub fn copy(&mut self, frame: &Frame) -> Frame {
        let mut copy = self.frame(frame.len());
        copy.bytes_mut().copy_from_slice(frame.bytes());
        copy.0.meta = frame.0.meta;
        copy
    }

    /// A frame with the given bytes.
    pub fn frame_from(&mut self, bytes: &[u8]) -> Frame {
        let mut frame = self.frame(bytes.len());
        frame.bytes_mut().copy_from_slice(bytes);
        frame
    }

    /// Takes a frame back.
    #[inline]
    pub fn recycle(&mut self, frame: Frame) {
        if frame.0.buffer.len() == POOLED && self.free.len() < POOL_MAX {
            self.free.push(frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged() -> Frame {
        let mut bytes = vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0, 0, 5, 8, 6];
        bytes.extend([0xaa; 28]);
        Pool::default().frame_from(&bytes)
    }

    #[test]
    fn a_tag_moves_out_of_the_bytes_and_back() {
        let mut frame = tagged();
        let whole = frame.bytes().to_vec();
        assert!(frame.untag());
        assert_eq!((frame.ethertype(), frame.len()), (ethertype::ARP, 42));
        assert_eq!(frame.tag.map(Tag::vid), Some(5));
        assert_eq!(frame.to_vec(), whole);
        frame.retag();
        assert_eq!(frame.bytes(), whole);
    }

    #[test]
    fn writing_leaves_other_copies_alone() {
        let mut frame = tagged();
        let copy = frame.clone();
        frame.bytes_mut()[0] = 99;
        assert_eq!((frame.bytes()[0], copy.bytes()[0]), (99, 1));
    }

    #[test]
    fn a_recycled_buffer_is_used_again() {
        let mut pool = Pool::default();
        let first = pool.frame(60);
        let address = first.bytes().as_ptr();
        pool.recycle(first);
        assert_eq!(pool.frame(60).bytes().as_ptr(), address);
    }

    #[test]
    fn padding_adds_zeros() {
        let mut frame = Pool::default().frame_from(&[7; 42]);
        frame.pad_to(60);
        assert_eq!((frame.len(), frame.bytes()[41], frame.bytes()[59]), (60, 7, 0));
    }
}
