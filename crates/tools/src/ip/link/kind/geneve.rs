//! `type geneve`

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::route::link::InfoData;

use super::help;
use super::raw::Raw;
use crate::iproute2::inet::{AF_UNSPEC, get_addr};
use crate::iproute2::names::Table;
use crate::iproute2::number::{get_u16, get_u32};
use crate::iproute2::{Args, Context, Stop, matches};

/// `IFLA_GENEVE_*`
mod attr {
    pub const ID: u16 = 1;
    pub const REMOTE: u16 = 2;
    pub const TTL: u16 = 3;
    pub const TOS: u16 = 4;
    pub const PORT: u16 = 5;
    pub const COLLECT_METADATA: u16 = 6;
    pub const REMOTE6: u16 = 7;
    pub const UDP_CSUM: u16 = 8;
    pub const UDP_ZERO_CSUM6_TX: u16 = 9;
    pub const UDP_ZERO_CSUM6_RX: u16 = 10;
    pub const LABEL: u16 = 11;
    pub const TTL_INHERIT: u16 = 12;
    pub const DF: u16 = 13;
    pub const INNER_PROTO_INHERIT: u16 = 14;
}

const VNI_END: u32 = 1 << 24;

pub(super) fn parse(context: &mut Context<'_>, args: &mut Args<'_>, create: bool) -> Result<InfoData, Stop> {
    let mut raw = Raw::default();
    let (mut id, mut remote, mut external) = (None, None, false);
    while let Some(word) = args.take() {
        let is = |name| matches(word, name);
        if is("id") || is("vni") {
            let word = args.value()?;
            let vni = get_u32(word, 0).filter(|vni| *vni < VNI_END);
            id = Some(vni.ok_or_else(|| Stop::invarg("invalid id", word))?);
        } else if is("remote") {
            let word = args.value()?;
            let address = get_addr(word, AF_UNSPEC)?.address.filter(|address| !address.is_multicast());
            remote = Some(address.ok_or_else(|| Stop::invarg("invalid remote address", word))?);
        } else if is("ttl") || is("hoplimit") {
            match args.value()? {
                "inherit" => raw.u8(attr::TTL_INHERIT, 1),
                "auto" => raw.u8(attr::TTL, 0),
                word => {
                    let ttl = get_u32(word, 0);
                    let ttl = ttl.ok_or_else(|| Stop::invarg("invalid TTL", word))?;
                    let ttl = u8::try_from(ttl).map_err(|_| Stop::invarg("TTL must be <= 255", word))?;
                    raw.u8(attr::TTL, ttl);
                }
            }
        } else if is("tos") || is("dsfield") {
            let word = args.value()?;
            let tos = match word {
                "inherit" => Some(1),
                word => context.id_of(Table::DsField, word).and_then(|tos| u8::try_from(tos).ok()),
            };
            raw.u8(attr::TOS, tos.ok_or_else(|| Stop::invarg("bad TOS value", word))?);
        } else if is("df") {
            let word = args.value()?;
            let df = match word {
                "unset" => 0,
                "set" => 1,
                "inherit" => 2,
                word => return Err(Stop::invarg("DF must be 'unset', 'set' or 'inherit'", word)),
            };
            raw.u8(attr::DF, df);
        } else if is("label") || is("flowlabel") {
            let word = args.value()?;
            let label = get_u32(word, 0).ok_or_else(|| Stop::invarg("invalid flowlabel", word))?;
            raw.be32(attr::LABEL, label);
        } else if is("dstport") {
            let word = args.value()?;
            raw.be16(attr::PORT, get_u16(word, 0).ok_or_else(|| Stop::invarg("dstport", word))?);
        } else if is("external") {
            external = true;
        } else if is("noexternal") {
            external = false;
        } else if is("udpcsum") || is("noudpcsum") {
            raw.u8(attr::UDP_CSUM, is("udpcsum").into());
        } else if is("udp6zerocsumtx") || is("noudp6zerocsumtx") {
            raw.u8(attr::UDP_ZERO_CSUM6_TX, is("udp6zerocsumtx").into());
        } else if is("udp6zerocsumrx") || is("noudp6zerocsumrx") {
            raw.u8(attr::UDP_ZERO_CSUM6_RX, is("udp6zerocsumrx").into());
        } else if is("innerprotoinherit") {
            raw.bytes(attr::INNER_PROTO_INHERIT, &[]);
        } else {
            let text = help("geneve").unwrap_or_default();
            return Err(match word {
                "help" => Stop::fail(1, text),
                _ => Stop::fail(1, format!("geneve: unknown command \"{word}\"?\n{text}")),
            });
        }
    }
    if external && id.is_some() {
        return Err(Stop::fail(1, "geneve: both 'external' and vni cannot be specified\n"));
    }
    if !external && id.is_none() {
        return Err(Stop::fail(1, "geneve: missing virtual network identifier\n"));
    }
    if !external && create && remote.is_none() {
        return Err(Stop::fail(1, "geneve: remote link partner not specified\n"));
    }
    if let Some(id) = id {
        raw.u32(attr::ID, id);
    }
    match remote {
        Some(IpAddr::V4(remote)) => raw.bytes(attr::REMOTE, &remote.octets()),
        Some(IpAddr::V6(remote)) => raw.bytes(attr::REMOTE6, &remote.octets()),
        None => {}
    }
    if external {
        raw.bytes(attr::COLLECT_METADATA, &[]);
    }
    Ok(raw.into_data())
}

pub(super) fn print(context: &mut Context<'_>, data: &InfoData) {
    let raw = Raw::of(data);
    let print = &mut context.print;
    if raw.get(attr::COLLECT_METADATA).is_some() {
        print.any("external", true, format_args!("external "));
    }
    if let Some(id) = raw.get_u32(attr::ID) {
        print.any("id", id, format_args!("id {id} "));
    }
    if let Some(remote) = raw.get_ipv4(attr::REMOTE).filter(|remote| *remote != Ipv4Addr::UNSPECIFIED) {
        let remote = remote.to_string();
        print.any("remote", &remote, format_args!("remote {remote} "));
    }
    if let Some(remote) = raw.get_ipv6(attr::REMOTE6).filter(|remote| !remote.is_unspecified()) {
        let remote = remote.to_string();
        print.any("remote6", &remote, format_args!("remote {remote} "));
    }
    let inherits = raw.get_u8(attr::TTL_INHERIT).is_some_and(|on| on != 0);
    if inherits {
        print.text(format_args!("ttl inherit "));
    } else if let Some(ttl) = raw.get_u8(attr::TTL) {
        print.json("ttl", ttl);
        match ttl {
            0 => print.text(format_args!("ttl auto ")),
            ttl => print.text(format_args!("ttl {ttl} ")),
        }
    }
    if let Some(tos) = raw.get_u8(attr::TOS).filter(|tos| *tos != 0) {
        let hex = format!("{tos:#x}");
        print.json("tos", &hex);
        match tos {
            1 => print.text(format_args!("tos inherit ")),
            _ => print.text(format_args!("tos {hex} ")),
        }
    }
    match raw.get_u8(attr::DF) {
        Some(0) => print.json("df", "unset"),
        Some(1) => print.any("df", "set", format_args!("df set ")),
        Some(2) => print.any("df", "inherit", format_args!("df inherit ")),
        _ => {}
    }
    if let Some(label) = raw.get_be32(attr::LABEL).filter(|label| *label != 0) {
        let hex = format!("{label:#x}");
        print.any("label", &hex, format_args!("flowlabel {hex} "));
    }
    if let Some(port) = raw.get_be16(attr::PORT) {
        print.any("port", port, format_args!("dstport {port} "));
    }
    for (number, key, word) in [
        (attr::UDP_CSUM, "udp_csum", "udpcsum"),
        (attr::UDP_ZERO_CSUM6_TX, "udp_zero_csum6_tx", "udp6zerocsumtx"),
        (attr::UDP_ZERO_CSUM6_RX, "udp_zero_csum6_rx", "udp6zerocsumrx"),
    ] {
        if let Some(on) = raw.get_u8(number) {
            let on = on != 0;
            print.any(key, on, format_args!("{}{word} ", if on { "" } else { "no" }));
        }
    }
    if raw.get(attr::INNER_PROTO_INHERIT).is_some() {
        print.any("inner_proto_inherit", true, format_args!("innerprotoinherit "));
    }
}
