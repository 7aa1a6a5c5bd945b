//! `bonding/BOND` (drivers/net/bonding/bond_procfs.c).

use std::fmt::Write as _;

use hairpin_netlink::Errno;

use crate::dev::Kind;
use crate::dev::bond::options::{Mode, Opt};
use crate::dev::bond::{Bond, Slave};
use crate::device::{DevId, Device};
use crate::netns::NsId;
use crate::world::World;

pub(super) fn names(world: &World, ns: NsId) -> Vec<String> {
    let bonds = world.devices_of(ns).filter(|device| matches!(device.kind, Kind::Bond(_)));
    bonds.map(|device| device.name.clone()).collect()
}

pub(super) fn read(world: &World, ns: NsId, name: &str) -> Result<String, Errno> {
    let dev = world.device_named(ns, name).ok_or(Errno::ENOENT)?;
    let device = world.devs.get(dev).filter(|device| device.name == name).ok_or(Errno::ENOENT)?;
    let Kind::Bond(bond) = &device.kind else { return Err(Errno::ENOENT) };
    let mut text = format!("Ethernet Channel Bonding Driver: v{}\n\n", crate::RELEASE);
    master(&mut text, world, device, bond);
    for slave in &bond.slaves {
        slave_text(&mut text, world, bond, slave);
    }
    Ok(text)
}

fn name(world: &World, dev: Option<DevId>) -> &str {
    dev.and_then(|dev| world.devs.get(dev)).map_or("None", |device| &device.name)
}

/// `bond_info_show_master`
fn master(text: &mut String, world: &World, device: &Device, bond: &Bond) {
    let params = &bond.params;
    let mode = params.mode;
    // Writing to a string cannot fail.
    let _ = write!(text, "Bonding Mode: {}", mode.description());
    if params.slaves_keep_mac() {
        let _ = write!(text, " (fail_over_mac {})", Opt::FailOverMac.word(params.fail_over_mac));
    }
    text.push('\n');
    if params.uses_hash() {
        let policy = params.hash_policy;
        let _ = writeln!(text, "Transmit Hash Policy: {} ({policy})", Opt::XmitHash.word(policy));
    }
    if mode.uses_primary() {
        let _ = write!(text, "Primary Slave: {}", name(world, bond.primary));
        if bond.primary.is_some() {
            let reselect = Opt::PrimaryReselect.word(params.primary_reselect);
            let _ = write!(text, " (primary_reselect {reselect})");
        }
        let _ = writeln!(text, "\nCurrently Active Slave: {}", name(world, bond.active));
    }
    let status = if device.carrier { "up" } else { "down" };
    let delay = |runs: u32| runs.saturating_mul(params.miimon);
    let _ = write!(
        text,
        "MII Status: {status}\nMII Polling Interval (ms): {}\nUp Delay (ms): {}\nDown Delay (ms): {}\n\
         Peer Notification Delay (ms): {}\n",
        params.miimon,
        delay(params.updelay),
        delay(params.downdelay),
        delay(params.peer_notif_delay)
    );
    if params.arp_interval > 0 {
        let targets: Vec<String> = params.arp_targets.iter().map(|target| format!(" {target}")).collect();
        let ns_targets: Vec<String> = params.ns_targets.iter().map(|target| format!(" {target}")).collect();
        let _ = write!(
            text,
            "ARP Polling Interval (ms): {}\nARP Missed Max: {}\nARP IP target/s (n.n.n.n form):{}\n\
             NS IPv6 target/s (xx::xx form):{}\n",
            params.arp_interval,
            params.missed_max,
            targets.join(","),
            ns_targets.join(",")
        );
    }
    if mode == Mode::Lacp {
        aggregation(text, device, bond);
    }
}

fn aggregation(text: &mut String, device: &Device, bond: &Bond) {
    let params = &bond.params;
    let _ = write!(
        text,
        "\n802.3ad info\nLACP active: {}\nLACP rate: {}\nMin links: {}\n\
         Aggregator selection policy (ad_select): {}\nSystem priority: {}\nSystem MAC address: {}\n",
        if params.lacp_active { "on" } else { "off" },
        if params.lacp_fast { "fast" } else { "slow" },
        params.min_links,
        Opt::AdSelect.word(params.ad_select),
        bond.ad.priority,
        bond.ad.system
    );
    let _ = match bond.ad_info() {
        None => writeln!(text, "bond {} has no active aggregator", device.name),
        Some(info) => write!(
            text,
            "Active Aggregator Info:\n\tAggregator ID: {}\n\tNumber of ports: {}\n\tActor Key: {}\n\
             \tPartner Key: {}\n\tPartner Mac Address: {}\n",
            info.aggregator, info.ports, info.actor_key, info.partner_key, info.partner_system
        ),
    };
}

/// `bond_info_show_slave`
fn slave_text(text: &mut String, world: &World, bond: &Bond, slave: &Slave) {
    let speed = slave.speed.map_or("Unknown".to_owned(), |speed| format!("{speed} Mbps"));
    let duplex = match slave.full_duplex {
        None => "Unknown",
        Some(true) => "full",
        Some(false) => "half",
    };
    let _ = write!(
        text,
        "\nSlave Interface: {}\nMII Status: {}\nSpeed: {speed}\nDuplex: {duplex}\nLink Failure Count: {}\n\
         Permanent HW addr: {}\nSlave queue ID: {}\n",
        name(world, Some(slave.dev)),
        slave.link.name(),
        slave.failures,
        slave.permanent_mac,
        slave.queue_id
    );
    if bond.params.mode == Mode::Lacp {
        port(text, bond, slave);
    }
}

fn port(text: &mut String, bond: &Bond, slave: &Slave) {
    let port = &slave.ad.port;
    let Some(owner) = port.aggregator.and_then(|dev| bond.slave(dev)) else {
        text.push_str("Aggregator ID: N/A\n");
        return;
    };
    let partner = &port.partner;
    let _ = write!(
        text,
        "Aggregator ID: {}\nActor Churn State: {}\nPartner Churn State: {}\nActor Churned Count: {}\n\
         Partner Churned Count: {}\ndetails actor lacp pdu:\n    system priority: {}\n    \
         system mac address: {}\n    port key: {}\n    port priority: {}\n    port number: {}\n    \
         port state: {}\ndetails partner lacp pdu:\n    system priority: {}\n    system mac address: {}\n    \
         oper key: {}\n    port priority: {}\n    port number: {}\n    port state: {}\n",
        owner.ad.aggregator.id,
        port.actor_churn.name(),
        port.partner_churn.name(),
        port.actor_churn_count,
        port.partner_churn_count,
        bond.ad.priority,
        bond.ad.system,
        port.key,
        port.priority,
        port.number,
        port.state,
        partner.system_priority,
        crate::mac::Mac(partner.system),
        partner.key,
        partner.port_priority,
        partner.port,
        partner.state
    );
}
