//! `vlan/config` and `vlan/DEV` (net/8021q/vlanproc.c).

use std::fmt::Write as _;

use hairpin_netlink::Errno;

use crate::dev::vlan::{Vlan, VlanFlags};
use crate::dev::{Kind, RxHandler};
use crate::device::Device;
use crate::netns::NsId;
use crate::world::World;

const CONFIG: &str = "config";

/// `IFF_802_1Q_VLAN`, `IFF_XMIT_DST_RELEASE`, `IFF_UNICAST_FLT`, `IFF_NO_QUEUE`: what a VLAN device has.
const PRIVATE_FLAGS: u32 = 0x8_1021;
/// `IFF_L3MDEV_SLAVE`
const VRF_SLAVE: u32 = 0x20_0000;
/// `IFF_BONDING`, `IFF_MACVLAN_PORT`, `IFF_BRIDGE_PORT`, `IFF_TEAM_PORT`
const BONDING: u32 = 0x4;
const MACVLAN_PORT: u32 = 0x100;
const BRIDGE_PORT: u32 = 0x200;
const TEAM_PORT: u32 = 0x2000;

pub(super) fn names(world: &World, ns: NsId) -> Vec<String> {
    let devices = vlans(world, ns).map(|(device, _)| device.name.clone());
    devices.chain([CONFIG.to_owned()]).collect()
}

pub(super) fn read(world: &World, ns: NsId, name: &str) -> Result<String, Errno> {
    if name == CONFIG {
        return Ok(config(world, ns));
    }
    let dev = world.device_named(ns, name).ok_or(Errno::ENOENT)?;
    let device = world.devs.get(dev).filter(|device| device.name == name).ok_or(Errno::ENOENT)?;
    match &device.kind {
        Kind::Vlan(vlan) => Ok(vlan_text(world, device, vlan)),
        _ => Err(Errno::ENOENT),
    }
}

fn config(world: &World, ns: NsId) -> String {
    let mut text = "VLAN Dev name\t | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\n".to_owned();
    for (device, vlan) in vlans(world, ns) {
        let _ = writeln!(text, "{:<15}| {}  | {}", device.name, vlan.vid, lower_name(world, vlan));
    }
    text
}

fn vlan_text(world: &World, device: &Device, vlan: &Vlan) -> String {
    let flags = PRIVATE_FLAGS
        | match device.rx_handler {
            RxHandler::None | RxHandler::IpvlanPort(_) | RxHandler::MacsecPort(_) | RxHandler::Tap(_) => 0,
            RxHandler::BridgePort { .. } => BRIDGE_PORT,
            RxHandler::MacvlanPort(_) => MACVLAN_PORT,
            RxHandler::BondSlave { .. } => BONDING,
            RxHandler::TeamPort { .. } => TEAM_PORT,
        }
        | world.vrf_of(device.id).map_or(0, |_| VRF_SLAVE);
    let mut text = format!(
        "{}  VID: {}\t REORDER_HDR: {}  dev->priv_flags: {flags:x}\n",
        device.name,
        vlan.vid,
        u8::from(vlan.flags.contains(VlanFlags::REORDER_HDR))
    );
    let stats = &device.stats;
    let mut count = |name: &str, value: u64| {
        let _ = writeln!(text, "{name:>30} {value:>12}");
    };
    count("total frames received", stats.rx_packets);
    count("total bytes received", stats.rx_bytes);
    count("Broadcast/Multicast Rcvd", stats.multicast);
    text.push('\n');
    let mut count = |name: &str, value: u64| {
        let _ = writeln!(text, "{name:>30} {value:>12}");
    };
    count("total frames transmitted", stats.tx_packets);
    count("total bytes transmitted", stats.tx_bytes);
    let _ = writeln!(text, "Device: {}", lower_name(world, vlan));
    let [a, b, c, d, e, f, g, h] = vlan.ingress_qos;
    let _ =
        writeln!(text, "INGRESS priority mappings: 0:{a}  1:{b}  2:{c}  3:{d}  4:{e}  5:{f}  6:{g} 7:{h}");
    text.push_str(" EGRESS priority mappings: ");
    let mut egress: Vec<(u32, u32)> = vlan.egress_qos.iter().rev().copied().collect();
    egress.sort_by_key(|(from, _)| from & 0xf);
    for (from, to) in egress {
        let _ = write!(text, "{from}:{to} ");
    }
    text.push('\n');
    text
}

fn vlans(world: &World, ns: NsId) -> impl Iterator<Item = (&Device, &Vlan)> {
    world.devices_of(ns).filter_map(|device| match &device.kind {
        Kind::Vlan(vlan) => Some((device, vlan.as_ref())),
        _ => None,
    })
}

fn lower_name<'a>(world: &'a World, vlan: &Vlan) -> &'a str {
    world.devs.get(vlan.lower).map_or("", |lower| lower.name.as_str())
}
