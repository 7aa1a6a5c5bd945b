//! MACsec devices (IEEE 802.1AE; drivers/net/macsec.c): what they send over the device below is authenticated, and
//! encrypted if so wanted.
//!
//! Configuration: `IFLA_MACSEC_*` for the device (`rtnl/link/kind/macsec.rs`), generic netlink for channels and
//! associations (`rtnl/macsec.rs`). State: one [`Macsec`] a device, and on the device below a [`Port`] that lists those
//! on it. Transmit: [`Macsec::transmit`]. Receive: `path/macsec.rs` finds the channel, [`Macsec::receive`] says what
//! becomes of the frame. Not here: offloading.

pub mod cipher;

use hairpin_wire::macsec::{MIN_NON_SHORT_LEN, SCI_LEN, Sci, SecTag, tci};

use crate::device::DevId;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_LEN, Frame};
use crate::mac::Mac;

use self::cipher::{Cipher, ICV_LEN, IV_LEN};

/// `MACSEC_NUM_AN`: associations of a channel.
pub const ASSOCIATIONS: usize = 4;
/// Both addresses, which stay in front of the tag.
const ADDRESSES_LEN: usize = 12;
/// `MACSEC_PORT_ES`: the port of a channel that none was given for.
pub const PORT: u16 = 1;
/// `MACSEC_XPN_MAX_REPLAY_WINDOW`
pub const XPN_WINDOW_MAX: u32 = (1 << 30) - 1;

/// What a frame grows by beside its check value: EtherType and tag (`macsec_extra_len`).
pub const fn extra_len(with_sci: bool) -> usize {
    2 + SecTag::len(with_sci)
}

/// `dev_to_sci`
pub fn sci_of(mac: Mac, port: u16) -> Sci {
    let mut sci = [0; SCI_LEN];
    sci[..6].copy_from_slice(&mac.0);
    sci[6..].copy_from_slice(&port.to_be_bytes());
    sci
}

/// What becomes of received frames that are not as they should be (`enum macsec_validation_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Validate {
    Disabled = 0,
    Check = 1,
    #[default]
    Strict = 2,
}

impl Validate {
    pub fn from_number(number: u8) -> Option<Self> {
        [Validate::Disabled, Validate::Check, Validate::Strict].get(usize::from(number)).copied()
    }
}

/// The key of an association.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: [u8; 16],
    pub cipher: Cipher,
    /// With extended packet numbers: what an initialization vector is made from, beside the number.
    pub salt: [u8; IV_LEN],
    pub ssci: [u8; 4],
}

impl Key {
    /// `macsec_fill_iv`, `macsec_fill_iv_xpn`
    fn iv(&self, sci: Sci, number: u64, extended: bool) -> [u8; IV_LEN] {
        let mut iv = [0; IV_LEN];
        if extended {
            iv[..4].copy_from_slice(&self.ssci);
            iv[4..].copy_from_slice(&number.to_be_bytes());
            for (byte, salt) in iv.iter_mut().zip(self.salt) {
                *byte ^= salt;
            }
        } else {
            iv[..SCI_LEN].copy_from_slice(&sci);
            iv[SCI_LEN..].copy_from_slice(&(number as u32).to_be_bytes());
        }
        iv
    }
}

/// An association that frames are sent by.
#[derive(Clone, Debug)]
pub struct TransmitSa {
    pub active: bool,
    /// Only the lower half counts without extended packet numbers.
    pub next_pn: u64,
    pub key: Key,
    pub protected: u32,
    pub encrypted: u32,
}

/// An association that frames are received by.
#[derive(Clone, Debug)]
pub struct ReceiveSa {
    pub active: bool,
    pub next_pn: u64,
    pub key: Key,
    pub ok: u32,
    pub invalid: u32,
    pub not_valid: u32,
}

/// A channel that frames are received by, with its counters.
#[derive(Clone, Debug, Default)]
pub struct ReceiveChannel {
    pub sci: Sci,
    pub active: bool,
    pub associations: [Option<ReceiveSa>; ASSOCIATIONS],
    pub octets_validated: u64,
    pub octets_decrypted: u64,
    pub unchecked: u64,
    pub delayed: u64,
    pub ok: u64,
    pub invalid: u64,
    pub late: u64,
    pub not_valid: u64,
    pub not_using_sa: u64,
    pub unused_sa: u64,
}

/// Counters of what was sent (`struct macsec_tx_sc_stats`).
#[derive(Clone, Copy, Debug, Default)]
pub struct TransmitCounters {
    pub protected: u64,
    pub encrypted: u64,
    pub octets_protected: u64,
    pub octets_encrypted: u64,
}

/// Counters of frames outside of channels (`struct macsec_dev_stats`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    pub out_untagged: u64,
    pub in_untagged: u64,
    pub out_too_long: u64,
    pub in_no_tag: u64,
    pub in_bad_tag: u64,
    pub in_unknown_sci: u64,
    pub in_no_sci: u64,
}

/// A MACsec device (`struct macsec_secy`).
#[derive(Clone, Debug)]
pub struct Macsec {
    pub lower: DevId,
    pub sci: Sci,
    /// 16 or 32.
    pub key_len: usize,
    /// Extended packet numbers, of 64 bits.
    pub xpn: bool,
    pub icv_len: u8,
    /// Frames can be sent, as far as the last one showed.
    pub operational: bool,
    pub protect: bool,
    pub validate: Validate,
    pub replay_protect: bool,
    pub replay_window: u32,
    pub encoding_sa: u8,
    pub encrypt: bool,
    pub send_sci: bool,
    pub end_station: bool,
    pub scb: bool,
    pub transmit: [Option<TransmitSa>; ASSOCIATIONS],
    /// The newest first.
    pub receive: Vec<ReceiveChannel>,
    pub sent: TransmitCounters,
    pub counters: Counters,
}

/// What becomes of a received frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Its tag is off; it is the device's.
    Deliver,
    /// Counted as an error.
    Error(DropReason),
    /// Counted as a drop.
    Late,
}

impl Macsec {
    /// `macsec_add_dev`
    pub fn new(lower: DevId, icv_len: u8) -> Self {
        Macsec {
            lower,
            sci: [0; SCI_LEN],
            key_len: 16,
            xpn: false,
            icv_len,
            operational: true,
            protect: true,
            validate: Validate::Strict,
            replay_protect: false,
            replay_window: 0,
            encoding_sa: 0,
            encrypt: false,
            send_sci: true,
            end_station: false,
            scb: false,
            transmit: Default::default(),
            receive: Vec::new(),
            sent: TransmitCounters::default(),
            counters: Counters::default(),
        }
    }

    /// What it takes away from the MTU of the device below.
    pub fn overhead(&self) -> u32 {
        u32::from(self.icv_len) + extra_len(true) as u32
    }

    /// `macsec_send_sci`
    fn sends_sci(&self) -> bool {
        let several = self.receive.iter().filter(|channel| channel.active).count() > 1;
        self.send_sci || several && !self.end_station && !self.scb
    }

    /// `macsec_active_sci`: the channel of frames that do not tell it, where there is only one.
    pub fn only_channel(&self) -> Option<Sci> {
        match self.receive.as_slice() {
            [only] if only.active => Some(only.sci),
            _ => None,
        }
    }

    pub fn channel(&self, sci: Sci) -> Option<usize> {
        self.receive.iter().position(|channel| channel.sci == sci)
    }

    /// `macsec_start_xmit`: what is done to a frame before it goes to the device below, whose MTU is `mtu`.
    ///
    /// # Errors
    /// Why it does not go.
    pub fn transmit(&mut self, frame: &mut Frame, mtu: usize) -> Result<(), DropReason> {
        if !self.protect {
            self.counters.out_untagged += 1;
            return Ok(());
        }
        if !self.operational {
            return Err(DropReason::MacsecNotOperational);
        }
        let with_sci = self.sends_sci();
        let at = usize::from(self.encoding_sa);
        let Some(association) = self.transmit.get_mut(at).and_then(Option::as_mut).filter(|sa| sa.active)
        else {
            self.operational = false;
            return Err(DropReason::MacsecNotOperational);
        };
        let number = association.next_pn;
        // `tx_sa_update_pn`
        association.next_pn = match self.xpn {
            true => number.wrapping_add(1),
            false => number & !0xffff_ffff | u64::from((number as u32).wrapping_add(1)),
        };
        if association.next_pn == 0 {
            association.active = false;
            self.operational = false;
        }
        if number == 0 {
            return Err(DropReason::MacsecNotOperational);
        }
        let len = frame.len();
        let data_len = len - ADDRESSES_LEN.min(len);
        let icv_len = usize::from(self.icv_len).min(ICV_LEN);
        let extra = extra_len(with_sci);
        if len + extra + icv_len > mtu + ETH_LEN {
            self.counters.out_too_long += 1;
            return Err(DropReason::TargetMtu);
        }
        let mut flags = match (with_sci, self.end_station, self.scb) {
            (true, ..) => tci::SCI,
            (false, end_station, scb) => {
                (u8::from(end_station) * tci::END_STATION) | (u8::from(scb) * tci::SCB)
            }
        };
        // `macsec_fill_sectag`
        if self.encrypt {
            flags |= tci::ENCRYPTED | tci::CHANGED_TEXT;
        } else if icv_len != ICV_LEN {
            flags |= tci::CHANGED_TEXT;
        }
        let tag = SecTag {
            tci_an: flags | self.encoding_sa,
            short_length: if data_len < MIN_NON_SHORT_LEN { data_len as u8 } else { 0 },
            packet_number: number as u32,
            sci: with_sci.then_some(self.sci),
        };
        frame.push_front(extra);
        frame.push_back(icv_len);
        let bytes = frame.bytes_mut();
        if bytes.len() < extra + ADDRESSES_LEN + icv_len {
            return Err(DropReason::HeaderTruncated);
        }
        bytes.copy_within(extra..extra + ADDRESSES_LEN, 0);
        tag.write(bytes);
        let (covered, icv) = bytes.split_at_mut(bytes.len() - icv_len);
        let clear = if self.encrypt { ADDRESSES_LEN + extra } else { covered.len() };
        let (header, data) = covered.split_at_mut(clear);
        let iv = association.key.iv(self.sci, number, self.xpn);
        let Some(whole) = association.key.cipher.seal(&iv, header, data) else {
            return Err(DropReason::TargetMtu);
        };
        icv.copy_from_slice(&whole[..icv_len]);
        // `macsec_count_tx`
        if self.encrypt {
            self.sent.encrypted += 1;
            self.sent.octets_encrypted += data_len as u64;
            association.encrypted = association.encrypted.wrapping_add(1);
        } else {
            self.sent.protected += 1;
            self.sent.octets_protected += data_len as u64;
            association.protected = association.protected.wrapping_add(1);
        }
        Ok(())
    }

    /// `macsec_handle_frame`, of a frame of the channel at this place.
    pub fn receive(&mut self, channel: usize, frame: &mut Frame, tag: &SecTag) -> Received {
        let icv_len = usize::from(self.icv_len).min(ICV_LEN);
        if !is_valid(tag, frame.len(), icv_len, self.xpn) {
            self.counters.in_bad_tag += 1;
            return Received::Error(DropReason::MacsecBadTag);
        }
        let Some(channel) = self.receive.get_mut(channel) else {
            return Received::Error(DropReason::MacsecNoChannel);
        };
        let strict = tag.has(tci::CHANGED_TEXT) || self.validate == Validate::Strict;
        let at = usize::from(tag.tci_an & tci::ASSOCIATION);
        let association = channel.associations.get_mut(at).and_then(Option::as_mut).filter(|sa| sa.active);
        let Some(association) = association else {
            // IEEE 802.1AE 10.6.1
            if strict {
                channel.not_using_sa += 1;
                return Received::Error(DropReason::MacsecNoChannel);
            }
            channel.unused_sa += 1;
            strip(frame, tag, icv_len);
            return Received::Deliver;
        };
        let number = tag.packet_number;
        let next = association.next_pn as u32;
        // Only without replay protection does a lower one go on.
        let lowest = next.saturating_sub(self.replay_window);
        let is_late = number < lowest && (!self.xpn || same_half(number, lowest));
        if self.replay_protect && is_late {
            channel.late += 1;
            return Received::Late;
        }
        let mut valid = false;
        let data_len =
            frame.len().saturating_sub(ADDRESSES_LEN + extra_len(tag.sci.is_some()) + icv_len) as u64;
        if tag.has(tci::CHANGED_TEXT) || self.validate != Validate::Disabled {
            let mut whole = u64::from(number);
            if self.xpn {
                let upper = association.next_pn >> 32;
                let next_half = number < next && !same_half(number, next);
                whole |= upper.wrapping_add(next_half.into()) << 32;
            }
            let iv = association.key.iv(channel.sci, whole, self.xpn);
            valid = open(frame, tag, icv_len, &association.key.cipher, &iv);
        }
        // `macsec_post_decrypt`
        if self.validate != Validate::Disabled {
            match tag.has(tci::ENCRYPTED) {
                true => channel.octets_decrypted += data_len,
                false => channel.octets_validated += data_len,
            }
        }
        if valid {
            if number < lowest {
                channel.delayed += 1;
            } else {
                channel.ok += 1;
                association.ok = association.ok.wrapping_add(1);
            }
            let after = number.wrapping_add(1);
            let upper = association.next_pn & !0xffff_ffff;
            if after > next {
                association.next_pn = upper | u64::from(after);
            } else if self.xpn && (after == 0 || !same_half(number, next)) {
                association.next_pn = upper.wrapping_add(1 << 32) | u64::from(after);
            }
        } else if strict {
            channel.not_valid += 1;
            association.not_valid = association.not_valid.wrapping_add(1);
            return Received::Error(DropReason::MacsecNotValid);
        } else if self.validate == Validate::Check {
            channel.invalid += 1;
            association.invalid = association.invalid.wrapping_add(1);
        } else if number < lowest {
            channel.delayed += 1;
        } else {
            channel.unchecked += 1;
        }
        strip(frame, tag, icv_len);
        Received::Deliver
    }
}

/// `macsec_validate_skb` (IEEE 802.1AE-2018 9.12): whether a tag may be on a frame of this length.
fn is_valid(tag: &SecTag, len: usize, icv_len: usize, xpn: bool) -> bool {
    let contradicts = tag.tci_an & (tci::END_STATION | tci::SCB) != 0 && tag.has(tci::SCI);
    if len <= 16 || tag.has(tci::VERSION) || contradicts || tag.short_length > 0x3f {
        return false;
    }
    if tag.packet_number == 0 && !xpn {
        return false;
    }
    let around = ADDRESSES_LEN + extra_len(tag.sci.is_some()) + icv_len;
    match usize::from(tag.short_length) {
        0 => len >= around + MIN_NON_SHORT_LEN,
        short => len == around + short,
    }
}

/// Authenticates a frame and decrypts it in place. False, and the frame as it was, where it is not what was sent.
fn open(frame: &mut Frame, tag: &SecTag, icv_len: usize, cipher: &Cipher, iv: &[u8; IV_LEN]) -> bool {
    let bytes = frame.bytes_mut();
    let Some((covered, icv)) = bytes.split_at_mut_checked(bytes.len().saturating_sub(icv_len)) else {
        return false;
    };
    let header_len = ADDRESSES_LEN + extra_len(tag.sci.is_some());
    let clear = if tag.has(tci::ENCRYPTED) { header_len } else { covered.len() };
    match covered.split_at_mut_checked(clear) {
        Some((header, data)) => cipher.open(iv, header, data, icv),
        None => false,
    }
}

/// `macsec_finalize_skb`: takes the tag and the check value off.
pub fn strip(frame: &mut Frame, tag: &SecTag, icv_len: usize) {
    let extra = extra_len(tag.sci.is_some());
    let bytes = frame.bytes_mut();
    if bytes.len() < ADDRESSES_LEN + extra + icv_len {
        return;
    }
    bytes.copy_within(..ADDRESSES_LEN, extra);
    frame.truncate(frame.len() - icv_len);
    frame.pull_front(extra);
}

/// `pn_same_half`
fn same_half(a: u32, b: u32) -> bool {
    a >> 31 == b >> 31
}

/// The MACsec devices on a device, in the order in which they were made (`struct macsec_rxh_data`).
#[derive(Clone, Debug, Default)]
pub struct Port {
    pub members: Vec<DevId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Pool;

    const KEY: [u8; 16] = [9; 16];
    const SCI: Sci = [2, 0, 0, 0, 0, 10, 0, 1];

    fn key(xpn: bool) -> Key {
        let Some(cipher) = Cipher::new(&KEY) else { panic!("16 bytes are a key") };
        let (salt, ssci) = if xpn { ([5; 12], [0, 0, 0, 1]) } else { ([0; 12], [0; 4]) };
        Key { id: [0; 16], cipher, salt, ssci }
    }

    fn sender(change: impl FnOnce(&mut Macsec)) -> Macsec {
        let mut sender = Macsec::new(DevId::default(), 16);
        (sender.sci, sender.encrypt) = (SCI, true);
        change(&mut sender);
        let key = key(sender.xpn);
        sender.transmit[0] = Some(TransmitSa { active: true, next_pn: 1, key, protected: 0, encrypted: 0 });
        sender
    }

    fn receiver(change: impl FnOnce(&mut Macsec)) -> Macsec {
        let mut receiver = Macsec::new(DevId::default(), 16);
        change(&mut receiver);
        let key = key(receiver.xpn);
        let association = ReceiveSa { active: true, next_pn: 1, key, ok: 0, invalid: 0, not_valid: 0 };
        let mut channel = ReceiveChannel { sci: SCI, active: true, ..ReceiveChannel::default() };
        channel.associations[0] = Some(association);
        receiver.receive.push(channel);
        receiver
    }

    fn frame(len: usize) -> Frame {
        let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
        Pool::default().frame_from(&bytes)
    }

    fn send(sender: &mut Macsec, len: usize) -> Frame {
        let mut frame = frame(len);
        assert_eq!(sender.transmit(&mut frame, 1500), Ok(()));
        frame
    }

    fn take(receiver: &mut Macsec, frame: &mut Frame) -> Received {
        let Some(tag) = SecTag::of_frame(frame.bytes()) else { panic!("a tag") };
        receiver.receive(0, frame, &tag)
    }

    /// What a device is told.
    type Change = fn(&mut Macsec);

    #[test]
    fn what_is_sent_arrives_as_it_was() {
        let cases: &[(Change, usize)] = &[
            (|_| (), 14),
            (|_| (), 42),
            (|_| (), 98),
            (|device| device.encrypt = false, 98),
            (|device| device.icv_len = 8, 98),
            (|device| (device.icv_len, device.encrypt) = (13, false), 42),
            (|device| device.xpn = true, 98),
            (|device| (device.send_sci, device.end_station) = (false, true), 98),
        ];
        for (at, (change, len)) in cases.iter().enumerate() {
            let (mut sender, mut receiver) = (sender(change), receiver(change));
            for _ in 0..3 {
                let mut sent = send(&mut sender, *len);
                assert_eq!(take(&mut receiver, &mut sent), Received::Deliver, "case {at}");
                assert_eq!(sent.bytes(), frame(*len).bytes(), "case {at}");
            }
            assert_eq!(receiver.receive[0].ok, 3, "case {at}");
        }
    }

    #[test]
    fn a_frame_is_taken_once() {
        let (mut sender, mut receiver) = (sender(|_| ()), receiver(|device| device.replay_protect = true));
        let first = send(&mut sender, 60);
        let second = send(&mut sender, 60);
        assert_eq!(take(&mut receiver, &mut second.clone()), Received::Deliver);
        assert_eq!(take(&mut receiver, &mut second.clone()), Received::Late);
        assert_eq!(take(&mut receiver, &mut first.clone()), Received::Late);
        receiver.replay_window = 2;
        assert_eq!(take(&mut receiver, &mut first.clone()), Received::Deliver);
    }

    #[test]
    fn a_touched_frame_is_an_error_only_where_that_is_asked_for() {
        let clear: Change = |device| device.encrypt = false;
        let cases: &[(Change, Validate, bool)] = &[
            (|_| (), Validate::Strict, false),
            (|_| (), Validate::Disabled, false),
            (clear, Validate::Strict, false),
            (clear, Validate::Check, true),
            (clear, Validate::Disabled, true),
        ];
        for (change, validate, delivered) in cases {
            let (mut sender, mut receiver) = (sender(change), receiver(|device| device.validate = *validate));
            let mut sent = send(&mut sender, 60);
            let last = sent.len() - 20;
            sent.bytes_mut()[last] ^= 1;
            let expected = match delivered {
                true => Received::Deliver,
                false => Received::Error(DropReason::MacsecNotValid),
            };
            assert_eq!(take(&mut receiver, &mut sent), expected, "{validate:?}");
        }
    }

    #[test]
    fn extended_numbers_go_on_where_their_lower_half_ends() {
        let extended: Change = |device| device.xpn = true;
        let (mut sender, mut receiver) = (sender(extended), receiver(extended));
        for sa in sender.transmit.iter_mut().flatten() {
            sa.next_pn = 0xffff_fffe;
        }
        for sa in receiver.receive[0].associations.iter_mut().flatten() {
            sa.next_pn = 0xffff_fffe;
        }
        for _ in 0..4 {
            assert_eq!(take(&mut receiver, &mut send(&mut sender, 60)), Received::Deliver);
        }
        let next = receiver.receive[0].associations[0].as_ref().map(|sa| sa.next_pn);
        assert_eq!(next, Some(0x1_0000_0002));
    }

    #[test]
    fn without_an_association_nothing_is_sent() {
        let mut sender = sender(|device| device.encoding_sa = 1);
        assert_eq!(sender.transmit(&mut frame(60), 1500), Err(DropReason::MacsecNotOperational));
        assert!(!sender.operational);
        sender.protect = false;
        let mut plain = frame(60);
        assert_eq!((sender.transmit(&mut plain, 1500), plain.len()), (Ok(()), 60));
    }

    #[test]
    fn what_would_be_too_long_below_is_dropped() {
        let mut sender = sender(|_| ());
        assert_eq!(sender.transmit(&mut frame(1483), 1500), Err(DropReason::TargetMtu));
        assert_eq!(sender.counters.out_too_long, 1);
        assert_eq!(sender.transmit(&mut frame(1482), 1500), Ok(()));
    }

    #[test]
    fn tags_that_contradict_themselves_are_bad() {
        let tag = SecTag { tci_an: tci::SCI, short_length: 0, packet_number: 1, sci: Some(SCI) };
        let around = 12 + 16 + 16;
        assert!(is_valid(&tag, around + 48, 16, false));
        assert!(!is_valid(&tag, around + 47, 16, false));
        assert!(is_valid(&SecTag { short_length: 30, ..tag }, around + 30, 16, false));
        // A card that pads short frames spoils them.
        assert!(!is_valid(&SecTag { short_length: 2, ..tag }, 60, 16, false));
        for bad in [
            SecTag { tci_an: tci::SCI | tci::VERSION, ..tag },
            SecTag { tci_an: tci::SCI | tci::END_STATION, ..tag },
            SecTag { tci_an: tci::SCI | tci::SCB, ..tag },
            SecTag { short_length: 0x40, ..tag },
            SecTag { packet_number: 0, ..tag },
        ] {
            assert!(!is_valid(&bad, around + 48, 16, false), "{bad:?}");
        }
        assert!(is_valid(&SecTag { packet_number: 0, ..tag }, around + 48, 16, true));
    }
}
