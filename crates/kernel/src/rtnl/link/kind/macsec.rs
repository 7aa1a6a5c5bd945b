//! MACsec devices (`macsec_newlink`, drivers/net/macsec.c). Not here: offloading, which no card does.

use hairpin_netlink::macsec::{
    CIPHER_128, CIPHER_256, CIPHER_DEFAULT, CIPHER_XPN_128, CIPHER_XPN_256, link as attr,
};
use hairpin_netlink::route::link::{InfoData, InfoKind};
use hairpin_netlink::{Errno, Failure};

use super::raw::Raw;
use super::{Creation, LinkOps};
use crate::dev::macsec::cipher::Cipher;
use crate::dev::macsec::{ASSOCIATIONS, Macsec, PORT, Validate, XPN_WINDOW_MAX, sci_of};
use crate::dev::{Kind, RxHandler};
use crate::device::DevId;
use crate::rtnl::link::attributes::{Attributes, Policy, U8, U16, U32, U64};
use crate::rtnl::link::request::ifla;
use crate::world::World;

pub(super) const OPS: LinkOps = LinkOps {
    policy: Some(POLICY),
    mtu: (0, super::ETH_MAX_MTU),
    validate: |_, data| validate(data),
    change: Some(World::change_macsec),
    ..LinkOps::new("macsec", World::create_macsec)
};

/// `macsec_rtnl_policy`
const POLICY: &[(u16, Policy)] = &[
    (attr::SCI, U64),
    (attr::PORT, U16),
    (attr::ICV_LEN, U8),
    (attr::CIPHER_SUITE, U64),
    (attr::WINDOW, U32),
    (attr::ENCODING_SA, U8),
    (attr::ENCRYPT, U8),
    (attr::PROTECT, U8),
    (attr::INC_SCI, U8),
    (attr::ES, U8),
    (attr::SCB, U8),
    (attr::REPLAY_PROTECT, U8),
    (attr::VALIDATION, U8),
    (attr::OFFLOAD, U8),
];

/// `MACSEC_DEFAULT_ICV_LEN`
const ICV_LEN: u8 = 16;
/// `MACSEC_MIN_ICV_LEN`
const ICV_LEN_MIN: u8 = 8;

/// `macsec_validate_attr`
fn validate(data: Option<&Attributes<'_>>) -> Result<(), Failure> {
    let Some(data) = data else { return Ok(()) };
    let icv_len = data.u8(attr::ICV_LEN).unwrap_or(ICV_LEN);
    let known = suite(data.u64(attr::CIPHER_SUITE).unwrap_or(CIPHER_DEFAULT)).is_some();
    let flags = [attr::ENCRYPT, attr::PROTECT, attr::INC_SCI, attr::ES, attr::SCB, attr::REPLAY_PROTECT];
    let on = |flag| data.u8(flag).is_some_and(|on| on != 0);
    let exclusive = [attr::INC_SCI, attr::ES, attr::SCB].into_iter().filter(|flag| on(*flag)).count();
    let good = Cipher::takes_icv_len(icv_len)
        && icv_len >= ICV_LEN_MIN
        && known
        && data.u8(attr::ENCODING_SA).is_none_or(|an| usize::from(an) < ASSOCIATIONS)
        && flags.into_iter().all(|flag| data.u8(flag).is_none_or(|on| on <= 1))
        && exclusive <= 1
        && data.u8(attr::VALIDATION).is_none_or(|number| Validate::from_number(number).is_some())
        && (!on(attr::REPLAY_PROTECT) || data.has(attr::WINDOW));
    if good { Ok(()) } else { Err(Errno::EINVAL.into()) }
}

/// Bytes of a suite's keys, and whether its packet numbers are extended.
fn suite(id: u64) -> Option<(usize, bool)> {
    match id {
        CIPHER_128 | CIPHER_DEFAULT => Some((16, false)),
        CIPHER_256 => Some((32, false)),
        CIPHER_XPN_128 => Some((16, true)),
        CIPHER_XPN_256 => Some((32, true)),
        _ => None,
    }
}

/// The suite of a device, as it is told.
pub(in crate::rtnl) fn suite_id(macsec: &Macsec) -> u64 {
    match (macsec.key_len, macsec.xpn) {
        (32, true) => CIPHER_XPN_256,
        (32, false) => CIPHER_256,
        (_, true) => CIPHER_XPN_128,
        (_, false) => CIPHER_DEFAULT,
    }
}

/// `macsec_changelink_common`
fn apply(macsec: &mut Macsec, data: &Attributes<'_>) -> Result<(), Failure> {
    if let Some(an) = data.u8(attr::ENCODING_SA) {
        macsec.encoding_sa = an;
        let association = macsec.transmit.get(usize::from(an)).and_then(Option::as_ref);
        macsec.operational = association.is_some_and(|sa| sa.active);
    }
    let switches = [
        (attr::ENCRYPT, &mut macsec.encrypt),
        (attr::PROTECT, &mut macsec.protect),
        (attr::INC_SCI, &mut macsec.send_sci),
        (attr::ES, &mut macsec.end_station),
        (attr::SCB, &mut macsec.scb),
        (attr::REPLAY_PROTECT, &mut macsec.replay_protect),
    ];
    for (flag, switch) in switches {
        *switch = data.u8(flag).map_or(*switch, |on| on != 0);
    }
    if let Some(validate) = data.u8(attr::VALIDATION).and_then(Validate::from_number) {
        macsec.validate = validate;
    }
    if let Some(id) = data.u64(attr::CIPHER_SUITE) {
        (macsec.key_len, macsec.xpn) = suite(id).ok_or(Errno::EINVAL)?;
    }
    if let Some(window) = data.u32(attr::WINDOW) {
        macsec.replay_window = window;
        if macsec.xpn && window > XPN_WINDOW_MAX {
            return Err(Errno::EINVAL.into());
        }
    }
    Ok(())
}

impl World {
    fn create_macsec(&mut self, new: Creation<'_>) -> Result<DevId, Failure> {
        let Creation { place, mut draft, request, data } = new;
        let Some(index) = request.attributes.u32(ifla::LINK) else { return Err(Errno::EINVAL.into()) };
        let lower = self.device_at(place.below(), index).ok_or(Errno::ENODEV)?;
        let below = self.devs.get(lower).ok_or(Errno::ENODEV)?;
        if !below.is_ethernet() {
            return Err(Errno::EINVAL.into());
        }
        if data.is_some_and(|data| data.u8(attr::OFFLOAD).is_some_and(|offload| offload != 0)) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let sci = data.and_then(|data| data.get(attr::SCI)?.first_chunk().copied());
        if sci.is_some() && data.is_some_and(|data| data.u8(attr::INC_SCI) == Some(0)) {
            return Err(Errno::EINVAL.into());
        }
        let icv_len = data.and_then(|data| data.u8(attr::ICV_LEN)).unwrap_or(ICV_LEN);
        let mut macsec = Macsec::new(lower, icv_len);
        // One that was asked for is overwritten.
        draft.mtu = Some(below.mtu.saturating_sub(macsec.overhead()));
        let (mac, assigned, broadcast) = (below.mac, below.addr_assign, below.broadcast);
        self.check_macsec(lower)?;
        let own = draft.mac;
        draft.mac.get_or_insert(mac);
        draft.broadcast.get_or_insert(broadcast);
        let port = data.and_then(|data| data.be16(attr::PORT)).unwrap_or(PORT);
        macsec.sci = sci.unwrap_or_else(|| sci_of(own.unwrap_or(mac), port));
        let wanted = macsec.sci;
        let dev = self.register_draft(draft, Kind::Macsec(Box::new(macsec)))?;
        // What goes wrong from here on does so with a device that was there.
        let finished = self.finish_macsec(dev, lower, wanted, data);
        if let Err(failure) = finished {
            self.unregister(dev);
            return Err(failure);
        }
        if own.is_none() {
            self.on_device(dev, |device| device.addr_assign = assigned);
        }
        Ok(dev)
    }

    fn finish_macsec(
        &mut self,
        dev: DevId,
        lower: DevId,
        sci: [u8; 8],
        data: Option<&Attributes<'_>>,
    ) -> Result<(), Failure> {
        self.check_nesting(lower)?;
        if self.macsecs_on(lower).any(|(_, other)| other.sci == sci) {
            return Err(Errno::EBUSY.into());
        }
        if let Some(data) = data
            && let Some(Kind::Macsec(macsec)) = self.devs.get_mut(dev).map(|device| &mut device.kind)
        {
            apply(macsec, data)?;
        }
        self.link_macsec(dev, lower)?;
        self.notify_link(lower);
        Ok(())
    }

    /// The MACsec devices on a device.
    pub(in crate::rtnl) fn macsecs_on(&self, lower: DevId) -> impl Iterator<Item = (DevId, &Macsec)> {
        let port = match self.devs.get(lower).map(|below| &below.rx_handler) {
            Some(RxHandler::MacsecPort(port)) => port.members.as_slice(),
            _ => &[],
        };
        port.iter().filter_map(|dev| match &self.devs.get(*dev)?.kind {
            Kind::Macsec(macsec) => Some((*dev, macsec.as_ref())),
            _ => None,
        })
    }

    /// `macsec_changelink`
    fn change_macsec(&mut self, dev: DevId, data: &Attributes<'_>) -> Result<(), Failure> {
        let fixed = [attr::CIPHER_SUITE, attr::ICV_LEN, attr::SCI, attr::PORT];
        if fixed.into_iter().any(|attribute| data.has(attribute)) {
            return Err(Errno::EINVAL.into());
        }
        if let Some(Kind::Macsec(macsec)) = self.devs.get_mut(dev).map(|device| &mut device.kind) {
            let mut changed = macsec.clone();
            apply(&mut changed, data)?;
            *macsec = changed;
        }
        self.changed();
        Ok(())
    }
}

/// `macsec_fill_info`
pub(super) fn describe(macsec: &Macsec) -> (InfoKind, Option<InfoData>) {
    let mut raw = Raw::default();
    raw.bytes(attr::SCI, &macsec.sci);
    raw.u8(attr::ICV_LEN, macsec.icv_len);
    raw.bytes(attr::CIPHER_SUITE, &suite_id(macsec).to_ne_bytes());
    raw.u8(attr::ENCODING_SA, macsec.encoding_sa);
    raw.u8(attr::ENCRYPT, macsec.encrypt.into());
    raw.u8(attr::PROTECT, macsec.protect.into());
    raw.u8(attr::INC_SCI, macsec.send_sci.into());
    raw.u8(attr::ES, macsec.end_station.into());
    raw.u8(attr::SCB, macsec.scb.into());
    raw.u8(attr::REPLAY_PROTECT, macsec.replay_protect.into());
    raw.u8(attr::VALIDATION, macsec.validate as u8);
    if macsec.replay_protect {
        raw.u32(attr::WINDOW, macsec.replay_window);
    }
    (InfoKind::MacSec, Some(raw.into_data()))
}
