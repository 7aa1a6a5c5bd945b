//! `IFLA_AF_SPEC` of a request: settings of a device's IPv4 and IPv6 sides (`inet_set_link_af`,
//! `inet6_set_link_af`).

use hairpin_netlink::{Errno, Failure, codec};

use super::attributes::{Attributes, Policy, U8};
use crate::device::{AddrGenMode, DevId};
use crate::sysctl::Conf;
use crate::world::World;

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const AF_MPLS: u16 = 28;

const IFLA_INET_CONF: u16 = 1;
const IFLA_INET6_TOKEN: u16 = 7;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;

/// `IPV4_DEVCONF_*` from 1.
const DEVCONF: [Conf; 33] = [
    Conf::Forwarding,
    Conf::McForwarding,
    Conf::ProxyArp,
    Conf::AcceptRedirects,
    Conf::SecureRedirects,
    Conf::SendRedirects,
    Conf::SharedMedia,
    Conf::RpFilter,
    Conf::AcceptSourceRoute,
    Conf::BootpRelay,
    Conf::LogMartians,
    Conf::Tag,
    Conf::ArpFilter,
    Conf::MediumId,
    Conf::DisableXfrm,
    Conf::DisablePolicy,
    Conf::ForceIgmpVersion,
    Conf::ArpAnnounce,
    Conf::ArpIgnore,
    Conf::PromoteSecondaries,
    Conf::ArpAccept,
    Conf::ArpNotify,
    Conf::AcceptLocal,
    Conf::SrcValidMark,
    Conf::ProxyArpPvlan,
    Conf::RouteLocalnet,
    Conf::Igmpv2UnsolicitedReportInterval,
    Conf::Igmpv3UnsolicitedReportInterval,
    Conf::IgnoreRoutesWithLinkdown,
    Conf::DropUnicastInL2Multicast,
    Conf::DropGratuitousArp,
    Conf::BcForwarding,
    Conf::ArpEvictNocarrier,
];

impl World {
    /// The checks of `validate_linkmsg`; `dev` is none while the device is not made yet.
    pub(super) fn validate_sides(&self, dev: Option<DevId>, sides: &[u8]) -> Result<(), Failure> {
        for (family, side) in codec::attributes(sides) {
            match family {
                AF_INET => {
                    conf(side)?;
                }
                AF_INET6 => {
                    let mtu = dev.and_then(|dev| self.devs.get(dev)).map(|device| device.mtu);
                    if mtu.is_some_and(|mtu| mtu < 1280) {
                        return Err(Errno::EAFNOSUPPORT.into());
                    }
                    inet6(side)?;
                }
                AF_MPLS => return Err(Errno::EOPNOTSUPP.into()),
                _ => return Err(Errno::EAFNOSUPPORT.into()),
            }
        }
        Ok(())
    }

    /// Performs what [`World::validate_sides`] has let pass.
    pub(super) fn set_sides(&mut self, dev: DevId, sides: &[u8]) -> Result<(), Failure> {
        for (family, side) in codec::attributes(sides) {
            match family {
                AF_INET => {
                    for (key, value) in conf(side)? {
                        self.on_device(dev, |device| device.ipv4_conf.set_kept(key, value));
                    }
                    self.settle_ignore_linkdown(dev);
                }
                _ => {
                    let (token, mode) = inet6(side)?;
                    if let Some(token) = token {
                        // Only a token that is nothing at all asks for nothing.
                        self.set_ipv6_token(dev, token as u64, token != 0)?;
                    }
                    self.on_device(dev, |device| device.addr_gen_mode = mode.unwrap_or(device.addr_gen_mode));
                }
            }
        }
        Ok(())
    }
}

/// `inet_validate_link_af`: settings of a device by their numbers.
fn conf(side: &[u8]) -> Result<Vec<(Conf, i32)>, Failure> {
    let side = Attributes::read(side, &[(IFLA_INET_CONF, Policy::Nested)])?;
    let mut found = Vec::new();
    for (number, value) in codec::attributes(side.get(IFLA_INET_CONF).unwrap_or(&[])) {
        let key = usize::from(number).checked_sub(1).and_then(|at| DEVCONF.get(at));
        match (key, value.first_chunk()) {
            (Some(key), Some(value)) => found.push((*key, i32::from_ne_bytes(*value))),
            _ => return Err(Errno::EINVAL.into()),
        }
    }
    Ok(found)
}

/// `inet6_validate_link_af`
fn inet6(side: &[u8]) -> Result<(Option<u128>, Option<AddrGenMode>), Failure> {
    let side =
        Attributes::read(side, &[(IFLA_INET6_TOKEN, Policy::Least(16)), (IFLA_INET6_ADDR_GEN_MODE, U8)])?;
    let token = side.get(IFLA_INET6_TOKEN).and_then(|token| token.first_chunk());
    let token = token.map(|token| u128::from_be_bytes(*token));
    match side.u8(IFLA_INET6_ADDR_GEN_MODE) {
        None if token.is_some() => Ok((token, None)),
        Some(0) => Ok((token, Some(AddrGenMode::Eui64))),
        Some(1) => Ok((token, Some(AddrGenMode::None))),
        Some(3) => Ok((token, Some(AddrGenMode::Random))),
        // 2 needs a secret, which no device has; without any attribute nothing is asked for.
        _ => Err(Errno::EINVAL.into()),
    }
}
