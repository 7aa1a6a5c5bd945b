//! Kinds of link: their arguments behind `type KIND`, their details, their help.

mod bond;
mod bridge;
mod bridge_port;
mod can;
mod foreign;
mod geneve;
pub(in crate::ip) mod gre;
mod help;
mod ipoib;
mod ipvlan;
mod macsec;
mod macvlan;
mod peer;
mod raw;
mod tun;
pub(in crate::ip) mod tunnel;
mod tunnel6;
mod vlan;
mod vrf;
mod vxlan;

use hairpin_netlink::Fd;
use hairpin_netlink::route::link::{InfoData, InfoPortData, InfoVeth, InfoVxcan, LinkInfo};

use crate::iproute2::{Args, Context, Stop, find};

pub(super) use help::help;

/// What the arguments of a kind come to.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// Of the link itself.
    Link(InfoData),
    /// Of the link as a port (`bridge_slave`).
    Port(InfoPortData),
}

/// Reads the arguments behind `type KIND`. `existing` is the link that is changed, by index; `opened` collects
/// descriptors that the message refers to.
///
/// # Errors
/// Whatever the kind does not understand, or arguments of a kind that takes none.
pub(super) fn parse(
    context: &mut Context<'_>,
    kind: &str,
    args: &mut Args<'_>,
    existing: Option<u32>,
    opened: &mut Vec<Fd>,
) -> Result<Data, Stop> {
    let create = existing.is_none();
    Ok(match kind {
        "bridge" => Data::Link(InfoData::Bridge(bridge::parse(args)?)),
        "bridge_slave" => Data::Port(InfoPortData::BridgePort(bridge_port::parse(context, args)?)),
        "bond_slave" => Data::Port(InfoPortData::BondPort(bond::parse_port(args)?)),
        "bond" => Data::Link(InfoData::Bond(bond::parse(context, args)?)),
        "macvlan" => Data::Link(InfoData::MacVlan(macvlan::parse(context, kind, args)?)),
        "macvtap" => {
            let options = macvlan::parse(context, kind, args)?;
            Data::Link(InfoData::MacVtap(options.into_iter().map(macvlan::into_macvtap).collect()))
        }
        "ipvlan" => Data::Link(InfoData::IpVlan(ipvlan::parse(kind, args)?)),
        "ipvtap" => {
            let options = ipvlan::parse(kind, args)?;
            Data::Link(InfoData::IpVtap(options.into_iter().map(ipvlan::into_ipvtap).collect()))
        }
        "ipoib" => Data::Link(InfoData::Ipoib(ipoib::parse(args)?)),
        "vlan" => Data::Link(InfoData::Vlan(vlan::parse(context, args)?)),
        "vrf" => Data::Link(InfoData::Vrf(vrf::parse(context, args)?)),
        "gre" | "gretap" | "erspan" | "ipip" | "sit" => {
            Data::Link(tunnel::parse(context, kind, args, existing)?)
        }
        "ip6tnl" | "ip6gre" | "ip6gretap" | "ip6erspan" => {
            Data::Link(tunnel6::parse(context, kind, args, existing)?)
        }
        "geneve" => Data::Link(geneve::parse(context, args, create)?),
        "macsec" => Data::Link(macsec::parse(context, args)?),
        "vxlan" => Data::Link(InfoData::Vxlan(vxlan::parse(context, args, create)?)),
        "veth" => {
            let peer = peer::parse(context, kind, args, create, opened)?;
            Data::Link(InfoData::Veth(InfoVeth::Peer(peer)))
        }
        "vxcan" => {
            let peer = peer::parse(context, kind, args, create, opened)?;
            Data::Link(InfoData::Vxcan(InfoVxcan::Peer(peer)))
        }
        // These ignore what follows.
        "dummy" | "ifb" | "nlmon" | "vcan" | "netdevsim" | "virt_wifi" | "team" | "tun" => {
            Data::Link(InfoData::Other(vec![]))
        }
        "team_slave" => Data::Port(InfoPortData::Other(vec![])),
        "can" => Data::Link(can::parse(args)?),
        kind => match foreign::parse(context, kind, args)? {
            Some(data) => Data::Link(data),
            None => {
                let word = args.peek().unwrap_or("");
                if args.next_matches("help") {
                    return Err(super::usage());
                }
                return Err(super::garbage(word));
            }
        },
    })
}

/// Prints the kind of a link with its options, then what it is as a port.
pub(super) fn print_info(context: &mut Context<'_>, info: &[LinkInfo]) {
    context.print.open_object(Some("linkinfo"));
    if let Some(kind) = find!(info, LinkInfo::Kind) {
        let kind = kind.to_string();
        context.print.line();
        context.print.any("info_kind", &kind, format_args!("    {kind} "));
        if shows_options(&kind) {
            context.print.open_object(Some("info_data"));
            if let Some(data) = find!(info, LinkInfo::Data) {
                match kind.as_str() {
                    "gre" | "gretap" | "ipip" | "sit" => tunnel::print(context, &kind, data),
                    "ip6tnl" | "ip6gre" | "ip6gretap" => tunnel6::print(context, &kind, data),
                    "geneve" => geneve::print(context, data),
                    "macsec" => macsec::print(context, data),
                    _ => print_data(context, data),
                }
            }
            context.print.close_object();
        }
    }
    if let Some(kind) = find!(info, LinkInfo::PortKind) {
        let kind = kind.to_string();
        context.print.line();
        context.print.any("info_slave_kind", &kind, format_args!("    {kind}_slave "));
        if matches!(kind.as_str(), "bridge" | "bond" | "vrf") {
            context.print.open_object(Some("info_slave_data"));
            match find!(info, LinkInfo::PortData) {
                Some(InfoPortData::BridgePort(options)) => bridge_port::print(context, options),
                Some(InfoPortData::BondPort(options)) => bond::print_port(context, options),
                Some(InfoPortData::VrfPort(options)) => vrf::print_port(context, options),
                _ => {}
            }
            context.print.close_object();
        }
    }
    context.print.close_object();
}

fn print_data(context: &mut Context<'_>, data: &InfoData) {
    match data {
        InfoData::Bridge(options) => bridge::print(context, options),
        InfoData::Bond(options) => bond::print(context, options),
        InfoData::MacVlan(options) => macvlan::print(context, options),
        InfoData::MacVtap(options) => {
            let options: Vec<_> = options.iter().cloned().map(macvlan::from_macvtap).collect();
            macvlan::print(context, &options);
        }
        InfoData::IpVlan(options) => ipvlan::print(context, options),
        InfoData::IpVtap(options) => {
            let options: Vec<_> = options.iter().cloned().map(ipvlan::from_ipvtap).collect();
            ipvlan::print(context, &options);
        }
        InfoData::Ipoib(options) => ipoib::print(context, options),
        InfoData::Tun(options) => tun::print(context, options),
        InfoData::Vlan(options) => vlan::print(context, options),
        InfoData::Vrf(options) => vrf::print(context, options),
        InfoData::Vxlan(options) => vxlan::print(context, options),
        _ => {}
    }
}

/// Whether iproute2 shows options of a kind (and an object in JSON, be it empty).
fn shows_options(kind: &str) -> bool {
    !matches!(
        kind,
        "dummy"
            | "ifb"
            | "nlmon"
            | "vcan"
            | "netdevsim"
            | "virt_wifi"
            | "team"
            | "veth"
            | "vxcan"
            | "dsa"
            | "batadv"
            | "wireguard"
            | "netkit"
            | "amt"
    ) && (help(kind).is_some() || kind == "tun")
}
