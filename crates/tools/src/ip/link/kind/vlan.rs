//! `type vlan`

use hairpin_netlink::core::DefaultNla;
use hairpin_netlink::route::link::{InfoVlan, VlanFlags, VlanProtocol, VlanQosMapping};

use super::help;
use crate::iproute2::number::{get_u16, get_u32};
use crate::iproute2::{Args, Context, Stop, find, matches};

const IFLA_VLAN_PROTOCOL: u16 = 5;

/// Flags in the order in which they are shown.
const FLAGS: &[(VlanFlags, &str)] = &[
    (VlanFlags::ReorderHdr, "REORDER_HDR"),
    (VlanFlags::Gvrp, "GVRP"),
    (VlanFlags::Mvrp, "MVRP"),
    (VlanFlags::LooseBinding, "LOOSE_BINDING"),
    (VlanFlags::BridgeBinding, "BRIDGE_BINDING"),
];

pub(super) fn parse(_: &mut Context<'_>, args: &mut Args<'_>) -> Result<Vec<InfoVlan>, Stop> {
    let mut options = Vec::new();
    let (mut flags, mut mask) = (VlanFlags::empty(), VlanFlags::empty());
    while let Some(word) = args.take() {
        let switch = [
            ("reorder_hdr", VlanFlags::ReorderHdr),
            ("gvrp", VlanFlags::Gvrp),
            ("mvrp", VlanFlags::Mvrp),
            ("loose_binding", VlanFlags::LooseBinding),
            ("bridge_binding", VlanFlags::BridgeBinding),
        ]
        .into_iter()
        .find(|(name, _)| matches(word, name));
        if matches(word, "protocol") {
            let word = args.value()?;
            let protocol = parse_protocol(word).ok_or_else(|| Stop::invarg("protocol is invalid", word))?;
            options.push(make_protocol(protocol));
        } else if matches(word, "id") {
            let word = args.value()?;
            let id = get_u16(word, 0).ok_or_else(|| Stop::invarg("id is invalid", word))?;
            options.push(InfoVlan::Id(id));
        } else if let Some((name, flag)) = switch {
            mask.insert(flag);
            match args.value()? {
                "on" => flags.insert(flag),
                "off" => flags.remove(flag),
                other => return Err(crate::ip::link::on_off(name, other)),
            }
        } else if matches(word, "ingress-qos-map") {
            options.push(InfoVlan::IngressQos(parse_map(args, "invalid ingress-qos-map")?));
        } else if matches(word, "egress-qos-map") {
            options.push(InfoVlan::EgressQos(parse_map(args, "invalid egress-qos-map")?));
        } else {
            let text = help("vlan").unwrap_or_default();
            return Err(if matches(word, "help") {
                Stop::fail(1, text)
            } else {
                Stop::fail(1, format!("vlan: unknown command \"{word}\"?\n{text}"))
            });
        }
    }
    if !mask.is_empty() {
        options.push(InfoVlan::Flags((flags, mask)));
    }
    Ok(options)
}

/// An EtherType by number, or the names of the two VLAN protocols.
pub(super) fn parse_protocol(word: &str) -> Option<u16> {
    if word.eq_ignore_ascii_case("802.1q") {
        return Some(0x8100);
    }
    if word.eq_ignore_ascii_case("802.1ad") {
        return Some(0x88a8);
    }
    get_u16(word, 0)
}

fn make_protocol(protocol: u16) -> InfoVlan {
    match protocol {
        0x8100 => InfoVlan::Protocol(VlanProtocol::Ieee8021Q),
        0x88a8 => InfoVlan::Protocol(VlanProtocol::Ieee8021Ad),
        // The kernel is to judge any other.
        other => InfoVlan::Other(DefaultNla::new(IFLA_VLAN_PROTOCOL, other.to_be_bytes().to_vec())),
    }
}

/// `FROM:TO...`, up to the first word without a colon.
fn parse_map(args: &mut Args<'_>, message: &str) -> Result<Vec<VlanQosMapping>, Stop> {
    // The keyword alone is incomplete; with a word that is no mapping the map is empty.
    if args.is_empty() {
        return Err(Stop::incomplete());
    }
    let mut map = Vec::new();
    while let Some((from, to)) = args.peek().and_then(|word| word.split_once(':')) {
        let pair = get_u32(from, 0).zip(get_u32(to, 0));
        let (key, value) = pair.ok_or_else(|| Stop::invarg(message, from))?;
        map.push(VlanQosMapping::Mapping(key, value));
        args.take();
    }
    Ok(map)
}

pub(super) fn print(context: &mut Context<'_>, options: &[InfoVlan]) {
    let Some(id) = find!(options, InfoVlan::Id) else {
        return;
    };
    let print = &mut context.print;
    let protocol = find!(options, InfoVlan::Protocol).map_or("802.1q".to_owned(), ToString::to_string);
    print.any("protocol", &protocol, format_args!("protocol {protocol} "));
    print.any("id", *id, format_args!("id {id} "));
    if let Some((flags, _)) = find!(options, InfoVlan::Flags) {
        let mut rest = *flags;
        print.open_array(Some("flags"));
        print.text(format_args!("<"));
        for (flag, name) in FLAGS {
            if rest.contains(*flag) {
                rest.remove(*flag);
                let comma = if rest.is_empty() { "" } else { "," };
                print.item(*name, format_args!("{name}{comma}"));
            }
        }
        if !rest.is_empty() {
            let rest = format!("{:x}", rest.bits());
            print.item(&rest, format_args!("{rest}"));
        }
        print.close_array();
        print.text(format_args!("> "));
    }
    for (key, title, map) in [
        ("ingress_qos", "ingress-qos-map", find!(options, InfoVlan::IngressQos)),
        ("egress_qos", "egress-qos-map", find!(options, InfoVlan::EgressQos)),
    ] {
        if let Some(map) = map {
            print_map(context, key, title, map);
        }
    }
}

fn print_map(context: &mut Context<'_>, key: &str, title: &str, map: &[VlanQosMapping]) {
    let print = &mut context.print;
    print.open_array(Some(key));
    print.line();
    print.text(format_args!("      {title} {{ "));
    for mapping in map {
        if let VlanQosMapping::Mapping(from, to) = mapping {
            print.open_object(None);
            print.json("from", *from);
            print.json("to", *to);
            print.close_object();
            print.text(format_args!("{from}:{to} "));
        }
    }
    print.close_array();
    print.text(format_args!("}} "));
}
