//! Files of every device (net/core/net-sysfs.c of Linux 6.1).

use hairpin_netlink::Errno;

use super::attribute::{Attribute, Seen, Store, file, line};
use super::netlink::Nest;
use crate::control::settings::LinkSettings;
use crate::dev::Kind;
use crate::dev::netdevsim::Netdevsim;
use crate::device::{Device, Flags, OperState};

const IFLA_MTU: u16 = 4;
const IFLA_TXQLEN: u16 = 13;
const IFLA_IFALIAS: u16 = 20;
const IFLA_GROUP: u16 = 27;
const IFLA_CARRIER: u16 = 33;
const IFLA_PROTO_DOWN: u16 = 39;

/// `NET_NAME_PREDICTABLE`, `NET_NAME_USER`: the kernel named the loopback device, a person the others.
const NAMED_BY_KERNEL: u8 = 2;
const NAMED_BY_USER: u8 = 3;

const fn number(kind: u16) -> Store {
    Store::Number { nest: Nest::Link, kind, bytes: 4 }
}

const fn switch(kind: u16) -> Store {
    Store::Switch { nest: Nest::Link, kind }
}

pub(super) const ATTRIBUTES: &[Attribute] = &[
    file("addr_assign_type", |seen| line(seen.device.addr_assign as u8), Store::ReadOnly),
    file("addr_len", |seen| line(seen.device.address_len()), Store::ReadOnly),
    file("address", |seen| line(hardware_address(&seen.device.addresses().0)), Store::ReadOnly),
    file("broadcast", |seen| line(hardware_address(&seen.device.addresses().1)), Store::ReadOnly),
    file(
        "carrier",
        |seen| running(seen).and_then(|device| line(u8::from(device.carrier))),
        switch(IFLA_CARRIER),
    ),
    file(
        "carrier_changes",
        |seen| line(u64::from(seen.device.carrier_up_count) + u64::from(seen.device.carrier_down_count)),
        Store::ReadOnly,
    ),
    file("carrier_down_count", |seen| line(seen.device.carrier_down_count), Store::ReadOnly),
    file("carrier_up_count", |seen| line(seen.device.carrier_up_count), Store::ReadOnly),
    file("dev_id", |seen| line(format_args!("{:#x}", seen.device.dev_id)), Store::ReadOnly),
    file("dev_port", |_| line(0), Store::ReadOnly),
    file(
        "dormant",
        |seen| running(seen).and_then(|device| line(u8::from(device.operstate == OperState::Dormant))),
        Store::ReadOnly,
    ),
    file("duplex", |seen| settings(seen).and_then(|settings| line(duplex(&settings))), Store::ReadOnly),
    file("flags", |seen| line(format_args!("{:#x}", flags(seen.device))), Store::Flags),
    file("gro_flush_timeout", |_| line(0), Store::Same),
    file("ifalias", |seen| alias(seen.device), Store::Text { kind: IFLA_IFALIAS }),
    file("ifindex", |seen| line(seen.device.ifindex), Store::ReadOnly),
    file("iflink", |seen| line(link(seen)), Store::ReadOnly),
    file("link_mode", |_| line(0), Store::ReadOnly),
    file("mtu", |seen| line(seen.device.mtu), number(IFLA_MTU)),
    file("name_assign_type", |seen| line(named_by(seen.device)?), Store::ReadOnly),
    file("napi_defer_hard_irqs", |_| line(0), Store::Same),
    file("netdev_group", |seen| line(seen.device.group), number(IFLA_GROUP)),
    file("operstate", |seen| line(operstate(seen.device)), Store::ReadOnly),
    file("phys_port_id", |_| Err(Errno::EOPNOTSUPP), Store::ReadOnly),
    file("phys_port_name", |seen| line(switch_port(seen)?.port_name()), Store::ReadOnly),
    file("phys_switch_id", |seen| line(hex(&switch_port(seen)?.switch_id)), Store::ReadOnly),
    file("proto_down", |seen| line(u8::from(seen.device.protodown)), switch(IFLA_PROTO_DOWN)),
    file("speed", |seen| settings(seen).and_then(|settings| line(speed(&settings))), Store::ReadOnly),
    file(
        "testing",
        |seen| running(seen).and_then(|device| line(u8::from(device.operstate == OperState::Testing))),
        Store::ReadOnly,
    ),
    file("threaded", |_| line(0), Store::Same),
    file("tx_queue_len", |seen| line(seen.device.tx_queue_len), number(IFLA_TXQLEN)),
    file("type", |seen| line(seen.device.hardware), Store::ReadOnly),
    file("uevent", |seen| Ok(uevent(seen.device)), Store::Event),
];

/// Some files answer only while the device is up (`netif_running`).
fn running<'a>(seen: &Seen<'a>) -> Result<&'a Device, Errno> {
    if seen.device.is_up() { Ok(seen.device) } else { Err(Errno::EINVAL) }
}

/// `netdev_show_ifalias`: an empty file without one.
fn alias(device: &Device) -> Result<String, Errno> {
    if device.alias.is_empty() { Ok(String::new()) } else { line(&device.alias) }
}

/// `dev->flags`: without the bits that show the link's state; promiscuous whoever wants it.
fn flags(device: &Device) -> u32 {
    let mut flags = device.flags - (Flags::RUNNING | Flags::LOWER_UP | Flags::DORMANT);
    flags.set(Flags::PROMISC, device.promiscuity > 0);
    flags.set(Flags::ALLMULTI, device.allmulti > 0);
    flags.bits()
}

fn link(seen: &Seen<'_>) -> u32 {
    seen.world.iflink(seen.device)
}

/// Whose ports belong to a switch.
fn switch_port<'a>(seen: &Seen<'a>) -> Result<&'a Netdevsim, Errno> {
    match &seen.device.kind {
        Kind::Netdevsim(port) => Ok(port),
        _ => Err(Errno::EOPNOTSUPP),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `sysfs_format_mac`
fn hardware_address(address: &[u8]) -> String {
    address.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

fn named_by(device: &Device) -> Result<u8, Errno> {
    match device.kind {
        Kind::Loopback => Ok(NAMED_BY_KERNEL),
        // `NET_NAME_UNKNOWN`
        Kind::Netdevsim(_) => Err(Errno::EINVAL),
        _ => Ok(NAMED_BY_USER),
    }
}

fn operstate(device: &Device) -> &'static str {
    if !device.is_up() {
        return "down";
    }
    match device.operstate {
        OperState::Unknown => "unknown",
        OperState::NotPresent => "notpresent",
        OperState::Down => "down",
        OperState::LowerLayerDown => "lowerlayerdown",
        OperState::Testing => "testing",
        OperState::Dormant => "dormant",
        OperState::Up => "up",
    }
}

fn settings(seen: &Seen<'_>) -> Result<LinkSettings, Errno> {
    let device = running(seen)?;
    seen.world.link_settings(device).ok_or(Errno::EINVAL)
}

/// Mbit/s; -1 unknown.
fn speed(settings: &LinkSettings) -> i64 {
    settings.speed.map_or(-1, i64::from)
}

fn duplex(settings: &LinkSettings) -> &'static str {
    match settings.full_duplex {
        Some(true) => "full",
        Some(false) => "half",
        None => "unknown",
    }
}

fn uevent(device: &Device) -> String {
    let kind = match &device.kind {
        Kind::Bridge(_) => "DEVTYPE=bridge\n",
        Kind::Bond(_) => "DEVTYPE=bond\n",
        Kind::Team(_) => "DEVTYPE=team\n",
        Kind::Vlan(_) => "DEVTYPE=vlan\n",
        Kind::Macsec(_) => "DEVTYPE=macsec\n",
        Kind::Vxlan(_) => "DEVTYPE=vxlan\n",
        Kind::Geneve(_) => "DEVTYPE=geneve\n",
        _ => "",
    };
    format!("{kind}INTERFACE={}\nIFINDEX={}\n", device.name, device.ifindex)
}
