//! `MACSEC_CMD_*`: channels and associations of MACsec devices, and what they have counted (drivers/net/macsec.c).

use hairpin_netlink::codec::{NLM_F_MULTI, put_attribute};
use hairpin_netlink::macsec::{
    KEY_ID_LEN, KEY_LEN_MAX, OFFLOAD_TYPE, SALT_LEN, VERSION, attr, command, counters, rxsc, sa, secy,
};
use hairpin_netlink::{Answer, Errno, Failure};

use super::link::attributes::{Attributes, Policy, U8, U32, U64};
use super::link::kind::macsec::suite_id;
use crate::dev::Kind;
use crate::dev::macsec::cipher::Cipher;
use crate::dev::macsec::{ASSOCIATIONS, Key, Macsec, ReceiveChannel, ReceiveSa, TransmitSa};
use crate::device::DevId;
use crate::netns::NsId;
use crate::world::World;

/// The number of the family here; Linux gives out others.
const FAMILY_ID: u16 = 0x1f;
/// Channels of one device at most.
const CHANNELS_MAX: usize = 4096;

/// `macsec_genl_policy`
const POLICY: &[(u16, Policy)] = &[
    (attr::IFINDEX, U32),
    (attr::RXSC_CONFIG, Policy::Nested),
    (attr::SA_CONFIG, Policy::Nested),
    (attr::OFFLOAD, Policy::Nested),
];
/// `macsec_genl_rxsc_policy`
const CHANNEL_POLICY: &[(u16, Policy)] = &[(rxsc::SCI, U64), (rxsc::ACTIVE, U8)];
/// `macsec_genl_sa_policy`
const ASSOCIATION_POLICY: &[(u16, Policy)] = &[
    (sa::AN, U8),
    (sa::ACTIVE, U8),
    (sa::PN, Policy::Least(4)),
    (sa::KEYID, Policy::Most(KEY_ID_LEN)),
    (sa::KEY, Policy::Most(KEY_LEN_MAX)),
    (sa::SSCI, U32),
    (sa::SALT, Policy::Most(SALT_LEN)),
];

/// A request that changes something.
pub(super) struct MacsecRequest<'a> {
    command: u8,
    ifindex: u32,
    /// `MACSEC_ATTR_RXSC_CONFIG`
    channel: Option<Attributes<'a>>,
    /// `MACSEC_ATTR_SA_CONFIG`
    association: Option<Attributes<'a>>,
    /// Of four or eight bytes.
    packet_number: Option<u64>,
    offload: Option<u8>,
}

impl<'a> MacsecRequest<'a> {
    /// # Errors
    /// `EOPNOTSUPP` for a command that is none; `EINVAL` for what is not there or not well formed.
    pub fn read(command: u8, bytes: &'a [u8]) -> Result<Self, Failure> {
        if command > command::UPD_OFFLOAD {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let attributes = Attributes::read(bytes, POLICY)?;
        let nest = |kind, policy| match attributes.get(kind) {
            Some(bytes) => {
                Attributes::read(bytes, policy).map(Some).map_err(|_| Failure::from(Errno::EINVAL))
            }
            None => Ok(None),
        };
        let association = nest(attr::SA_CONFIG, ASSOCIATION_POLICY)?;
        let number = |nest: &Attributes<'_>| nest.u64(sa::PN).or_else(|| nest.u32(sa::PN).map(u64::from));
        Ok(MacsecRequest {
            command,
            ifindex: attributes.u32(attr::IFINDEX).ok_or(Errno::EINVAL)?,
            channel: nest(attr::RXSC_CONFIG, CHANNEL_POLICY)?,
            packet_number: association.as_ref().and_then(number),
            association,
            offload: nest(attr::OFFLOAD, &[(OFFLOAD_TYPE, U8)])?.and_then(|nest| nest.u8(OFFLOAD_TYPE)),
        })
    }

    fn channel(&self) -> Result<&Attributes<'a>, Errno> {
        self.channel.as_ref().ok_or(Errno::EINVAL)
    }

    fn association(&self) -> Result<&Attributes<'a>, Errno> {
        self.association.as_ref().ok_or(Errno::EINVAL)
    }

    fn sci(&self) -> Result<[u8; 8], Errno> {
        let bytes = self.channel()?.get(rxsc::SCI).and_then(|bytes| bytes.first_chunk());
        bytes.copied().ok_or(Errno::EINVAL)
    }

    /// The number of the association.
    fn number(&self) -> Result<usize, Errno> {
        let number = self.association()?.u8(sa::AN).map(usize::from);
        number.filter(|number| *number < ASSOCIATIONS).ok_or(Errno::EINVAL)
    }

    fn active(attributes: &Attributes<'_>, kind: u16) -> Result<Option<bool>, Errno> {
        match attributes.u8(kind) {
            Some(number) if number > 1 => Err(Errno::EINVAL),
            number => Ok(number.map(|number| number == 1)),
        }
    }

    /// `validate_add_txsa`, `validate_add_rxsa`, and what a device's suite wants: the key of a new association.
    fn key(&self, macsec: &Macsec) -> Result<Key, Errno> {
        let association = self.association()?;
        let key = association.get(sa::KEY).filter(|key| key.len() == macsec.key_len);
        let id = association.get(sa::KEYID).and_then(|id| <[u8; KEY_ID_LEN]>::try_from(id).ok());
        let cipher = key.and_then(Cipher::new).ok_or(Errno::EINVAL)?;
        let (mut salt, mut ssci) = ([0; SALT_LEN], [0; 4]);
        if macsec.xpn {
            let found = association.get(sa::SALT).and_then(|salt| <[u8; SALT_LEN]>::try_from(salt).ok());
            salt = found.ok_or(Errno::EINVAL)?;
            ssci = association
                .get(sa::SSCI)
                .and_then(|ssci| ssci.first_chunk().copied())
                .ok_or(Errno::EINVAL)?;
        }
        Ok(Key { id: id.ok_or(Errno::EINVAL)?, cipher, salt, ssci })
    }

    /// The packet number, which has the length that the device's suite wants.
    fn packet_number(&self, macsec: &Macsec) -> Result<Option<u64>, Errno> {
        let len = self.association()?.get(sa::PN).map(<[u8]>::len);
        if len.is_some_and(|len| len != if macsec.xpn { 8 } else { 4 }) {
            return Err(Errno::EINVAL);
        }
        Ok(self.packet_number)
    }

    /// `validate_upd_sa`
    fn validate_update(&self) -> Result<Option<bool>, Errno> {
        let association = self.association()?;
        self.number()?;
        let fixed = [sa::KEY, sa::KEYID, sa::SSCI, sa::SALT];
        if fixed.into_iter().any(|kind| association.has(kind)) || self.packet_number == Some(0) {
            return Err(Errno::EINVAL);
        }
        Self::active(association, sa::ACTIVE)
    }
}

impl World {
    fn macsec_at(&mut self, ns: NsId, ifindex: u32) -> Result<(DevId, &mut Macsec), Errno> {
        let dev = self.device_at(ns, ifindex).ok_or(Errno::ENODEV)?;
        match self.devs.get_mut(dev).map(|device| &mut device.kind) {
            Some(Kind::Macsec(macsec)) => Ok((dev, macsec)),
            _ => Err(Errno::ENODEV),
        }
    }

    /// # Errors
    /// The kernel's.
    pub(super) fn change_macsec_channels(
        &mut self,
        ns: NsId,
        request: &MacsecRequest<'_>,
    ) -> Result<(), Errno> {
        match request.command {
            command::ADD_RXSC => return self.add_receive_channel(ns, request),
            command::UPD_OFFLOAD => {
                self.macsec_at(ns, request.ifindex)?;
                return match request.offload {
                    Some(0) => Ok(()),
                    Some(_) => Err(Errno::EOPNOTSUPP),
                    None => Err(Errno::EINVAL),
                };
            }
            _ => {}
        }
        // What is missing is found before the device is looked for.
        match request.command {
            command::DEL_RXSC | command::UPD_RXSC => drop(request.sci()?),
            command::ADD_TXSA | command::DEL_TXSA => drop(request.number()?),
            command::UPD_TXSA => drop(request.validate_update()?),
            command::UPD_RXSA => drop((request.validate_update()?, request.channel()?)),
            _ => drop((request.number()?, request.channel()?)),
        }
        let (_, macsec) = self.macsec_at(ns, request.ifindex)?;
        match request.command {
            command::DEL_RXSC => {
                let at = macsec.channel(request.sci()?).ok_or(Errno::ENODEV)?;
                macsec.receive.remove(at);
                Ok(())
            }
            command::UPD_RXSC => {
                let active = MacsecRequest::active(request.channel()?, rxsc::ACTIVE)?;
                let channel = receive_channel(macsec, request)?;
                channel.active = active.unwrap_or(channel.active);
                Ok(())
            }
            command::ADD_TXSA => add_transmit(macsec, request),
            command::DEL_TXSA => {
                let place = macsec.transmit.get_mut(request.number()?).ok_or(Errno::EINVAL)?;
                match place {
                    None => Err(Errno::ENODEV),
                    Some(association) if association.active => Err(Errno::EBUSY),
                    Some(_) => {
                        *place = None;
                        Ok(())
                    }
                }
            }
            command::UPD_TXSA => update_transmit(macsec, request),
            command::ADD_RXSA => add_receive(macsec, request),
            command::DEL_RXSA => {
                let number = request.number()?;
                let channel = receive_channel(macsec, request)?;
                let place = channel.associations.get_mut(number).ok_or(Errno::EINVAL)?;
                match place {
                    None => Err(Errno::ENODEV),
                    Some(association) if association.active => Err(Errno::EBUSY),
                    Some(_) => {
                        *place = None;
                        Ok(())
                    }
                }
            }
            command::UPD_RXSA => update_receive(macsec, request),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    /// `macsec_add_rxsc`: no other device on the one below may have a channel of the same name.
    fn add_receive_channel(&mut self, ns: NsId, request: &MacsecRequest<'_>) -> Result<(), Errno> {
        let sci = request.sci()?;
        let active = MacsecRequest::active(request.channel()?, rxsc::ACTIVE)?.unwrap_or(true);
        let lower = self.macsec_at(ns, request.ifindex)?.1.lower;
        if self.macsecs_on(lower).any(|(_, other)| other.channel(sci).is_some()) {
            return Err(Errno::EEXIST);
        }
        let (_, macsec) = self.macsec_at(ns, request.ifindex)?;
        if macsec.receive.len() >= CHANNELS_MAX {
            return Err(Errno::ENOMEM);
        }
        macsec.receive.insert(0, ReceiveChannel { sci, active, ..ReceiveChannel::default() });
        Ok(())
    }

    /// `macsec_dump_txsc`
    pub(super) fn dump_macsecs(&self, ns: NsId, answer: &mut Answer) {
        for device in self.devices_of(ns) {
            if let Kind::Macsec(macsec) = &device.kind {
                let mut payload = vec![command::GET_TXSC, VERSION, 0, 0];
                payload.extend(dump(device.ifindex, macsec));
                answer.push_raw(FAMILY_ID, &payload, NLM_F_MULTI);
            }
        }
    }
}

fn receive_channel<'a>(
    macsec: &'a mut Macsec,
    request: &MacsecRequest<'_>,
) -> Result<&'a mut ReceiveChannel, Errno> {
    let at = macsec.channel(request.sci()?).ok_or(Errno::ENODEV)?;
    macsec.receive.get_mut(at).ok_or(Errno::ENODEV)
}

/// `macsec_add_txsa`
fn add_transmit(macsec: &mut Macsec, request: &MacsecRequest<'_>) -> Result<(), Errno> {
    let number = request.number()?;
    let active = MacsecRequest::active(request.association()?, sa::ACTIVE)?.unwrap_or(false);
    let next_pn = request.packet_number(macsec)?.filter(|number| *number != 0).ok_or(Errno::EINVAL)?;
    let key = request.key(macsec)?;
    let place = macsec.transmit.get_mut(number).ok_or(Errno::EINVAL)?;
    if place.is_some() {
        return Err(Errno::EBUSY);
    }
    *place = Some(TransmitSa { active, next_pn, key, protected: 0, encrypted: 0 });
    if active && number == usize::from(macsec.encoding_sa) {
        macsec.operational = true;
    }
    Ok(())
}

/// `macsec_upd_txsa`
fn update_transmit(macsec: &mut Macsec, request: &MacsecRequest<'_>) -> Result<(), Errno> {
    let (number, active) = (request.number()?, request.validate_update()?);
    let next_pn = request.packet_number(macsec);
    let association = macsec.transmit.get_mut(number).and_then(Option::as_mut).ok_or(Errno::ENODEV)?;
    association.next_pn = next_pn?.unwrap_or(association.next_pn);
    association.active = active.unwrap_or(association.active);
    if number == usize::from(macsec.encoding_sa) {
        macsec.operational = association.active;
    }
    Ok(())
}

/// `macsec_add_rxsa`
fn add_receive(macsec: &mut Macsec, request: &MacsecRequest<'_>) -> Result<(), Errno> {
    let number = request.number()?;
    let active = MacsecRequest::active(request.association()?, sa::ACTIVE)?.unwrap_or(false);
    if request.packet_number == Some(0) {
        return Err(Errno::EINVAL);
    }
    // The channel is looked for before the key is looked at.
    receive_channel(macsec, request)?;
    let key = request.key(macsec);
    let next_pn = request.packet_number(macsec);
    let channel = receive_channel(macsec, request)?;
    let place = channel.associations.get_mut(number).ok_or(Errno::EINVAL)?;
    let (key, next_pn) = (key?, next_pn?.unwrap_or(1));
    if place.is_some() {
        return Err(Errno::EBUSY);
    }
    *place = Some(ReceiveSa { active, next_pn, key, ok: 0, invalid: 0, not_valid: 0 });
    Ok(())
}

/// `macsec_upd_rxsa`
fn update_receive(macsec: &mut Macsec, request: &MacsecRequest<'_>) -> Result<(), Errno> {
    let (number, active) = (request.number()?, request.validate_update()?);
    let next_pn = request.packet_number(macsec);
    let channel = receive_channel(macsec, request)?;
    let association = channel.associations.get_mut(number).and_then(Option::as_mut).ok_or(Errno::ENODEV)?;
    association.next_pn = next_pn?.unwrap_or(association.next_pn);
    association.active = active.unwrap_or(association.active);
    Ok(())
}

/// Attributes one after the other.
#[derive(Default)]
struct Nest(Vec<u8>);

impl Nest {
    fn put(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        put_attribute(&mut self.0, kind, value);
        self
    }

    fn nest(&mut self, kind: u16, nested: &Nest) -> &mut Self {
        self.put(kind, &nested.0)
    }

    fn numbers<const N: usize, const B: usize>(values: [[u8; B]; N], first: u16) -> Nest {
        let mut nest = Nest::default();
        for (kind, value) in (first..).zip(values) {
            nest.put(kind, &value);
        }
        nest
    }
}

/// `dump_secy`
fn dump(ifindex: u32, macsec: &Macsec) -> Vec<u8> {
    let mut whole = Nest::default();
    let mut offload = Nest::default();
    offload.put(OFFLOAD_TYPE, &[0]);
    let (sent, seen) = (&macsec.sent, &macsec.counters);
    let sent = [sent.protected, sent.encrypted, sent.octets_protected, sent.octets_encrypted];
    let seen = [
        seen.out_untagged,
        seen.in_untagged,
        seen.out_too_long,
        seen.in_no_tag,
        seen.in_bad_tag,
        seen.in_unknown_sci,
        seen.in_no_sci,
        // Nothing overruns here.
        0,
    ];
    whole.put(attr::IFINDEX, &ifindex.to_ne_bytes());
    whole.nest(attr::OFFLOAD, &offload);
    whole.nest(attr::SECY, &secy(macsec));
    whole.nest(attr::TXSC_STATS, &Nest::numbers(sent.map(u64::to_ne_bytes), 1));
    whole.nest(attr::SECY_STATS, &Nest::numbers(seen.map(u64::to_ne_bytes), 1));
    let mut associations = Nest::default();
    let present = macsec.transmit.iter().enumerate().filter_map(|(an, sa)| Some((an, sa.as_ref()?)));
    for (kind, (an, association)) in (1..).zip(present) {
        let first = counters::SA_RECEIVE as u16 + 1;
        let stats = [association.protected, association.encrypted].map(u32::to_ne_bytes);
        let stats = Nest::numbers(stats, first);
        let TransmitSa { active, next_pn, key, .. } = association;
        associations.nest(kind, &association_nest(an, *active, *next_pn, key, macsec.xpn, &stats));
    }
    whole.nest(attr::TXSA_LIST, &associations);
    let mut channels = Nest::default();
    for (kind, channel) in (1..).zip(&macsec.receive) {
        channels.nest(kind, &channel_nest(channel, macsec.xpn));
    }
    whole.nest(attr::RXSC_LIST, &channels);
    whole.0
}

/// `nla_put_secy`
fn secy(macsec: &Macsec) -> Nest {
    let mut nest = Nest::default();
    nest.put(secy::SCI, &macsec.sci);
    nest.put(secy::CIPHER_SUITE, &suite_id(macsec).to_ne_bytes());
    for (kind, value) in [
        (secy::ICV_LEN, macsec.icv_len),
        (secy::OPER, macsec.operational.into()),
        (secy::PROTECT, macsec.protect.into()),
        (secy::REPLAY, macsec.replay_protect.into()),
        (secy::VALIDATE, macsec.validate as u8),
        (secy::ENCRYPT, macsec.encrypt.into()),
        (secy::INC_SCI, macsec.send_sci.into()),
        (secy::ES, macsec.end_station.into()),
        (secy::SCB, macsec.scb.into()),
        (secy::ENCODING_SA, macsec.encoding_sa),
    ] {
        nest.put(kind, &[value]);
    }
    if macsec.replay_protect {
        nest.put(secy::WINDOW, &macsec.replay_window.to_ne_bytes());
    }
    nest
}

fn association_nest(an: usize, active: bool, next_pn: u64, key: &Key, xpn: bool, stats: &Nest) -> Nest {
    let mut nest = Nest::default();
    nest.nest(sa::STATS, stats);
    nest.put(sa::AN, &[an as u8]);
    match xpn {
        true => nest.put(sa::PN, &next_pn.to_ne_bytes()),
        false => nest.put(sa::PN, &(next_pn as u32).to_ne_bytes()),
    };
    nest.put(sa::KEYID, &key.id);
    if xpn {
        nest.put(sa::SSCI, &key.ssci);
    }
    nest.put(sa::ACTIVE, &[active.into()]);
    nest
}

fn channel_nest(channel: &ReceiveChannel, xpn: bool) -> Nest {
    let mut nest = Nest::default();
    nest.put(rxsc::ACTIVE, &[channel.active.into()]);
    nest.put(rxsc::SCI, &channel.sci);
    let seen = [
        channel.octets_validated,
        channel.octets_decrypted,
        channel.unchecked,
        channel.delayed,
        channel.ok,
        channel.invalid,
        channel.late,
        channel.not_valid,
        channel.not_using_sa,
        channel.unused_sa,
    ];
    nest.nest(rxsc::STATS, &Nest::numbers(seen.map(u64::to_ne_bytes), 1));
    let mut associations = Nest::default();
    let present = channel.associations.iter().enumerate().filter_map(|(an, sa)| Some((an, sa.as_ref()?)));
    for (kind, (an, association)) in (1..).zip(present) {
        // Linux counts no frames of associations that are not in use for one of them.
        let stats = [association.ok, association.invalid, association.not_valid, 0, 0];
        let stats = Nest::numbers(stats.map(u32::to_ne_bytes), 1);
        let ReceiveSa { active, next_pn, key, .. } = association;
        associations.nest(kind, &association_nest(an, *active, *next_pn, key, xpn, &stats));
    }
    nest.nest(rxsc::SA_LIST, &associations);
    nest
}
