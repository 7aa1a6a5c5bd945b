//! `ethtool` 6.1 for virtual devices: `DEV`, `-i`, `-P`, `-S`, `-k` and `-K`, `-l` and `-L`, `-T`, and what it says of settings
//! that they do not have.
//!
//! The real program asks drivers by `ioctl` and generic netlink. What those of virtual devices answer follows from
//! the kind of the device, which rtnetlink tells; what does not follow from it is reported as not supported.

mod card;
mod features;
mod refused;

use hairpin_netlink::System;
use hairpin_netlink::route::link::{InfoBond, InfoKind, LinkAttribute, State};

use crate::interfaces::{ARPHRD_ETHER, ARPHRD_LOOPBACK, IFF_UP, Interface, Interfaces};
use crate::net_tools::hardware::colons;
use crate::{Program, Shell};

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let words: Vec<&str> = program.args.iter().map(String::as_str).collect();
    let mut ethtool = Ethtool { system: &mut *program.system, shell: &mut *program.shell };
    match words.as_slice() {
        ["-h" | "--help", ..] => ethtool.print(USAGE),
        ["--version"] => ethtool.print("ethtool version 6.1\n"),
        ["-i" | "--driver", device] => return ethtool.with(device, NO_DRIVER, Ethtool::driver),
        ["-P" | "--show-permaddr", device] => {
            return ethtool.with(device, ("netlink error", 1), Ethtool::permanent_address);
        }
        ["-S" | "--statistics", device] => return ethtool.with(device, NO_STRINGS, Ethtool::statistics),
        ["-k" | "--show-features" | "--show-offload", device] => return ethtool.show_features(device),
        ["-K" | "--features" | "--offload", device, rest @ ..] => {
            return ethtool.change_features(device, rest);
        }
        ["-l" | "--show-channels", device] => return ethtool.channels(device),
        ["-L" | "--set-channels", device, rest @ ..] => return ethtool.set_channels(device, rest),
        ["-T" | "--show-time-stamping", device] => return ethtool.time_stamps(device),
        [option, device, rest @ ..] if option.starts_with('-') && !device.starts_with('-') => {
            if let Some(code) = ethtool.refuse(option, device, rest) {
                return code;
            }
            if KNOWN.contains(option) {
                return ethtool.fail(&format!("ethtool: {option} is not supported by hairpin yet"), 1);
            }
            return ethtool.bad_command_line();
        }
        [option, ..] if option.starts_with('-') => return ethtool.bad_command_line(),
        [] => return ethtool.bad_command_line(),
        [device, ..] => return ethtool.settings(device),
    }
    0
}

/// Options of the real program that are not built.
const KNOWN: &[&str] = &[
    "-E",
    "--change-eeprom",
    "-N",
    "-U",
    "--config-nfc",
    "--config-ntuple",
    "-X",
    "--set-rxfh-indir",
    "--rxfh",
    "-f",
    "--flash",
    "--set-priv-flags",
    "--phy-statistics",
    "-I",
    "--include-statistics",
    "--json",
    "--set-fec",
    "--monitor",
];

/// `BOND_MODE_ACTIVEBACKUP`
const ACTIVE_BACKUP: u32 = 1;

const NO_DRIVER: (&str, i32) = ("Cannot get driver information", 71);
const NO_STRINGS: (&str, i32) = ("Cannot get stats strings information", 96);

const USAGE: &str = "\
ethtool version 6.1
Usage:
        ethtool DEVNAME\tDisplay standard information about device
        ethtool -i|--driver DEVNAME\tShow driver information
        ethtool -k|--show-features|--show-offload DEVNAME\tGet state of protocol offload and other features
        ethtool -K|--features|--offload DEVNAME FEATURE on|off ...\tSet protocol offload and other features
        ethtool -l|--show-channels DEVNAME\tQuery Channels
        ethtool -T|--show-time-stamping DEVNAME\tShow time stamping capabilities
        ethtool -P|--show-permaddr DEVNAME\tShow permanent hardware address
        ethtool -S|--statistics DEVNAME\tShow adapter statistics
        ethtool -h|--help\t\tShow this help
        ethtool --version\t\tShow version number
";

/// A run of ethtool.
struct Ethtool<'a> {
    system: &'a mut dyn System,
    shell: &'a mut dyn Shell,
}

/// What `ETHTOOL_GLINKSETTINGS` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// What drivers of purely virtual devices make up: full duplex, twisted pair, and a speed in Mb/s.
    Virtual(u32),
    /// Nothing known but perhaps a speed in Mb/s.
    Other(Option<u32>),
    /// The speeds of several devices, all full duplex.
    Sum(u32),
    /// A port of InfiniBand without a link.
    NoFabric,
    /// A card of a gigabit that agrees on it with the other end.
    Card {
        /// There is another end.
        plugged: bool,
        /// Whether the pairs are crossed is known.
        pair_known: bool,
    },
    /// No settings, but whether there is a link.
    Detected,
    /// The driver has no settings.
    Unsupported,
    /// Depends on what rtnetlink does not tell.
    Unknown,
}

impl Ethtool<'_> {
    fn print(&mut self, text: &str) {
        let _ = self.shell.out().write_all(text.as_bytes());
    }

    fn fail(&mut self, text: &str, code: i32) -> i32 {
        let _ = writeln!(self.shell.err(), "{text}");
        code
    }

    fn no_such_device(&mut self, code: i32) -> i32 {
        self.fail("netlink error: no device matches name (offset 24)", code);
        self.fail("netlink error: No such device", code)
    }

    fn bad_command_line(&mut self) -> i32 {
        self.fail("ethtool: bad command line argument(s)\nFor more information run ethtool -h", 1)
    }

    /// Finds the device and does something with it, or fails with a text and an exit code.
    fn with(
        &mut self,
        name: &str,
        (text, code): (&str, i32),
        action: fn(&mut Self, &Interfaces, &Interface) -> i32,
    ) -> i32 {
        let found = Interfaces::dump(self.system).map_err(|failure| failure.errno);
        match found {
            Ok(interfaces) => match interfaces.by_name(name) {
                Some(device) => action(self, &interfaces, device),
                None => self.fail(&format!("{text}: No such device"), code),
            },
            Err(errno) => self.fail(&format!("{text}: {errno}"), code),
        }
    }

    fn settings(&mut self, name: &str) -> i32 {
        let interfaces = match Interfaces::dump(self.system) {
            Ok(interfaces) => interfaces,
            Err(failure) => return self.fail(&format!("netlink error: {}", failure.errno), 75),
        };
        let Some(device) = interfaces.by_name(name) else {
            // One refusal a request: settings, modes, debug, wake-on-LAN, link state.
            for _ in 0..5 {
                self.no_such_device(75);
            }
            return self.no_data();
        };
        let tun_speed = tun_speed(&self.release());
        let known = Known { interfaces: &interfaces, tun_speed, cards: self.cards(&interfaces) };
        let is_card = known.cards.contains(&device.index());
        let link = match known.link(device, 0) {
            Link::Unknown => {
                return self.fail(&format!("ethtool: settings of {name} are not known to hairpin"), 75);
            }
            link => link,
        };
        let is_loopback = device.hardware() == ARPHRD_LOOPBACK;
        if link == Link::Unsupported && !is_loopback {
            return self.no_data();
        }
        let mut text = format!("Settings for {name}:\n");
        text += &settings_text(link);
        let kinds_with_level = [InfoKind::Tun, InfoKind::IpVlan, InfoKind::IpVtap];
        if device.kind().is_some_and(|kind| kinds_with_level.contains(kind)) {
            text += "        Current message level: 0x00000000 (0)\n                              \n";
        }
        if is_card {
            text += card::OWN_TEXT;
        }
        let detected = if is_loopback { device.flags() & IFF_UP != 0 } else { link_detected(device) };
        text += &format!("\tLink detected: {}\n", if detected { "yes" } else { "no" });
        self.print(&text);
        0
    }

    /// The kernel's release. The emulated kernel has no file for it: it is a 6.1.
    fn release(&mut self) -> String {
        let release = self.system.read_file("/proc/sys/kernel/osrelease").unwrap_or_default();
        let release = String::from_utf8_lossy(&release).trim().to_owned();
        if release.is_empty() { "6.1.0".to_owned() } else { release }
    }

    fn no_data(&mut self) -> i32 {
        self.print("No data available\n");
        75
    }

    fn driver(&mut self, _: &Interfaces, device: &Interface) -> i32 {
        if device.hardware() == ARPHRD_LOOPBACK {
            return self.fail("Cannot get driver information: Operation not supported", 71);
        }
        let release = self.release();
        if let Some(card) = self.card(device) {
            self.print(&format!(
                "driver: e1000\nversion: {release}\nfirmware-version: \nexpansion-rom-version: \n\
                 bus-info: {}\nsupports-statistics: yes\nsupports-test: yes\nsupports-eeprom-access: yes\n\
                 supports-register-dump: yes\nsupports-priv-flags: no\n",
                card.bus_info
            ));
            return 0;
        }
        let parent = driver_of(device);
        let kind = match (device.kind(), parent) {
            // `ethtool_get_drvinfo`: a driver that says nothing of itself, on a bus.
            (None, Some((bus, _))) => InfoKind::Other(bus.to_owned()),
            (Some(kind), _) => kind.clone(),
            (None, None) => {
                let name = device.name();
                return self.fail(&format!("ethtool: the driver of {name} is not known to hairpin"), 71);
            }
        };
        let bus = if device.hardware() == ARPHRD_ETHER { "tap" } else { "tun" };
        let name = kind.to_string();
        // Driver, version, firmware version, bus information, whether there are statistics.
        let parent = parent.map_or("", |(_, parent)| parent);
        let (driver, version, firmware, bus, statistics) = match &kind {
            InfoKind::Veth => ("veth", "1.0", "", "", true),
            InfoKind::Bridge => ("bridge", "2.3", "N/A", "N/A", false),
            InfoKind::MacVlan | InfoKind::MacVtap => ("macvlan", "0.1", "", "", false),
            InfoKind::IpVlan | InfoKind::IpVtap => ("ipvlan", "0.1", "", "", false),
            InfoKind::Vlan => ("802.1Q VLAN Support", "1.8", "N/A", "", false),
            InfoKind::Vxlan => ("vxlan", "0.1", "", "", false),
            InfoKind::Tun => ("tun", "1.6", "", bus, false),
            InfoKind::Vrf => ("vrf", "1.1", "", "", false),
            InfoKind::Geneve => ("geneve", "0.6", "", "", false),
            InfoKind::Ipoib => ("ib_ipoib", release.as_str(), "", "", true),
            InfoKind::Bond => ("bonding", release.as_str(), "2", "", false),
            // A driver that says nothing of itself: net/ethtool/ioctl.c: ethtool_get_drvinfo
            _ => (name.as_str(), release.as_str(), "", parent, kind == InfoKind::Ifb),
        };
        let statistics = if statistics { "yes" } else { "no" };
        self.print(&format!(
            "driver: {driver}\nversion: {version}\nfirmware-version: {firmware}\n\
             expansion-rom-version: \nbus-info: {bus}\nsupports-statistics: {statistics}\n\
             supports-test: no\nsupports-eeprom-access: no\nsupports-register-dump: no\n\
             supports-priv-flags: no\n"
        ));
        0
    }

    fn permanent_address(&mut self, _: &Interfaces, device: &Interface) -> i32 {
        let address = device.find(|attribute| match attribute {
            LinkAttribute::PermAddress(address) if !address.is_empty() => Some(colons(address)),
            _ => None,
        });
        let address = address.unwrap_or_else(|| "not set".to_owned());
        self.print(&format!("Permanent address: {address}\n"));
        0
    }

    fn statistics(&mut self, _: &Interfaces, device: &Interface) -> i32 {
        match device.kind() {
            Some(InfoKind::Veth) => {
                let peer = device.find(|attribute| match attribute {
                    LinkAttribute::Link(index) => Some(*index),
                    _ => None,
                });
                self.print(&format!("NIC statistics:\n     peer_ifindex: {}\n", peer.unwrap_or(0)));
                self.queue_statistics(device.name())
            }
            Some(InfoKind::Ipoib) => {
                self.print(&infiniband_counters(device));
                0
            }
            None if driver_of(device).is_some() => self.fail("no stats available", 94),
            Some(InfoKind::Ifb) | None if device.hardware() != ARPHRD_LOOPBACK => {
                let name = device.name();
                self.fail(&format!("ethtool: statistics of {name} are not known to hairpin"), 94)
            }
            _ => self.fail("no stats available", 94),
        }
    }
}

/// The counters of a device on InfiniBand.
fn infiniband_counters(device: &Interface) -> String {
    let counted = device.find(|attribute| match attribute {
        LinkAttribute::Stats64(counted) => Some(*counted),
        _ => None,
    });
    let counted = counted.unwrap_or_default();
    let counters = [
        ("rx_packets", counted.rx_packets),
        ("tx_packets", counted.tx_packets),
        ("rx_bytes", counted.rx_bytes),
        ("tx_bytes", counted.tx_bytes),
        ("tx_errors", counted.tx_errors),
        ("rx_dropped", counted.rx_dropped),
        ("tx_dropped", counted.tx_dropped),
        ("multicast", counted.multicast),
    ];
    let lines = counters.iter().map(|(name, count)| format!("     {name}: {count}\n"));
    std::iter::once("NIC statistics:\n".to_owned()).chain(lines).collect()
}

/// What is known of the devices of a namespace.
struct Known<'a> {
    interfaces: &'a Interfaces,
    /// What a TUN or TAP device says of its speed, in Mb/s.
    tun_speed: u32,
    /// Cards, by index.
    cards: Vec<u32>,
}

impl Known<'_> {
    /// What a device's driver says of its link. Stacked devices ask the one below; no stack is deeper than 8.
    fn link(&self, device: &Interface, depth: u32) -> Link {
        let interfaces = self.interfaces;
        let below = || lower(interfaces, device).filter(|_| depth < 8);
        match device.kind() {
            Some(InfoKind::Veth) => Link::Virtual(10_000),
            Some(InfoKind::Tun) => Link::Virtual(self.tun_speed),
            Some(InfoKind::Ipoib) => Link::NoFabric,
            Some(
                InfoKind::MacVlan | InfoKind::MacVtap | InfoKind::IpVlan | InfoKind::IpVtap | InfoKind::Vlan,
            ) => match below().map_or(Link::Unknown, |lower| self.link(lower, depth + 1)) {
                // Its own driver has the request, and only the one below has nothing to answer.
                Link::Unsupported => Link::Detected,
                link => link,
            },
            Some(InfoKind::Vxlan) => {
                let underlay = device.vxlan_link().filter(|_| depth < 8);
                match underlay.and_then(|index| interfaces.by_index(index)) {
                    Some(underlay) => self.link(underlay, depth + 1),
                    None => Link::Other(None),
                }
            }
            Some(InfoKind::Bridge) => {
                // net/bridge/br_device.c: br_get_link_ksettings: the fastest port that is up
                let of_bridge = |port: &&Interface| {
                    port.master() == Some(device.index()) && is_running(port) && depth < 8
                };
                let speeds =
                    interfaces.iter().filter(of_bridge).map(|port| speed(self.link(port, depth + 1)));
                Link::Other(speeds.flatten().max())
            }
            // drivers/net/bonding/bond_main.c: bond_ethtool_get_link_ksettings, team_ethtool_get_link_ksettings
            Some(InfoKind::Bond | InfoKind::Team) => {
                let setting = |wanted: fn(&InfoBond) -> Option<u32>| device.bond().iter().find_map(wanted);
                let mode = setting(|setting| match setting {
                    InfoBond::Mode(mode) => Some(u8::from(*mode).into()),
                    _ => None,
                });
                let active = setting(|setting| match setting {
                    InfoBond::ActivePort(index) => Some(*index),
                    _ => None,
                });
                let sends = |slave: &&Interface| {
                    slave.master() == Some(device.index())
                        && depth < 8
                        && is_running(slave)
                        && (mode != Some(ACTIVE_BACKUP) || active == Some(slave.index()))
                };
                let speeds = interfaces.iter().filter(sends);
                let known = speeds.filter_map(|slave| speed(self.link(slave, depth + 1)));
                match known.reduce(u32::saturating_add) {
                    Some(sum) => Link::Sum(sum),
                    None => Link::Other(None),
                }
            }
            Some(
                InfoKind::Dummy
                | InfoKind::Ifb
                | InfoKind::Vrf
                | InfoKind::Vcan
                | InfoKind::Vxcan
                | InfoKind::GreTun
                | InfoKind::GreTap
                | InfoKind::IpIp
                | InfoKind::SitTun
                | InfoKind::MacSec,
            ) => Link::Unsupported,
            Some(InfoKind::Other(kind)) if kind.starts_with("ip6") => Link::Unsupported,
            Some(InfoKind::Nlmon | InfoKind::Geneve) => Link::Detected,
            None if device.hardware() == ARPHRD_LOOPBACK || driver_of(device).is_some() => Link::Unsupported,
            None if self.cards.contains(&device.index()) => card::link(device),
            _ => Link::Unknown,
        }
    }
}

/// Whether a device is up and has a carrier.
fn link_detected(device: &Interface) -> bool {
    let carrier = device.find(|attribute| match attribute {
        LinkAttribute::Carrier(carrier) => Some(*carrier != 0),
        _ => None,
    });
    device.flags() & IFF_UP != 0 && carrier.unwrap_or(false)
}

/// What a device of such a link says of its speed, in Mb/s.
fn speed(link: Link) -> Option<u32> {
    match link {
        Link::Virtual(speed) | Link::Sum(speed) => Some(speed),
        Link::Card { plugged, .. } => plugged.then_some(1000),
        Link::Other(speed) => speed,
        Link::NoFabric | Link::Detected | Link::Unsupported | Link::Unknown => None,
    }
}

/// Up, and able to send.
fn is_running(device: &Interface) -> bool {
    let operational = device.find(|attribute| match attribute {
        LinkAttribute::OperState(state) => Some(matches!(state, State::Up | State::Unknown)),
        _ => None,
    });
    device.flags() & IFF_UP != 0 && operational == Some(true)
}

/// Bus and name of the simulated card that a device is a port of; its driver is called as the bus.
fn driver_of(device: &Interface) -> Option<(&str, &str)> {
    let bus = device.find(|attribute| match attribute {
        LinkAttribute::ParentDevBusName(bus) if bus == "netdevsim" => Some(bus.as_str()),
        _ => None,
    });
    let name = device.find(|attribute| match attribute {
        LinkAttribute::ParentDevName(name) => Some(name.as_str()),
        _ => None,
    });
    Some((bus?, name?))
}

/// The device below, if it is in this namespace.
fn lower<'a>(interfaces: &'a Interfaces, device: &Interface) -> Option<&'a Interface> {
    let lower = device.find(|attribute| match attribute {
        LinkAttribute::Link(index) => Some(*index),
        _ => None,
    });
    // A device in another namespace has an index of that one.
    let foreign = device.find(|attribute| match attribute {
        LinkAttribute::LinkNetNsId(id) => Some(*id),
        _ => None,
    });
    match foreign {
        None => interfaces.by_index(lower?),
        Some(_) => None,
    }
}

/// What a TUN or TAP device says of its speed: 10 Mb/s, since Linux 6.2 ten gigabits.
fn tun_speed(release: &str) -> u32 {
    let mut numbers = release.split(['.', '-']).map(|number| number.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= (6, 2) { 10_000 } else { 10 }
}

fn settings_text(link: Link) -> String {
    let (speed, duplex, port) = match link {
        Link::Virtual(speed) => (Some(speed), "Full", "Twisted Pair"),
        Link::Other(speed) => (speed, "Unknown! (255)", "Other"),
        Link::NoFabric => (None, "Unknown! (255)", "Twisted Pair"),
        Link::Sum(speed) => (Some(speed), "Full", "Other"),
        Link::Card { plugged, pair_known } => return card::settings_text(plugged, pair_known),
        Link::Detected | Link::Unsupported | Link::Unknown => return String::new(),
    };
    let speed = speed.map_or("Unknown!".to_owned(), |speed| format!("{speed}Mb/s"));
    let crossover = if matches!(link, Link::Virtual(_) | Link::NoFabric) { "\tMDI-X: Unknown\n" } else { "" };
    format!(
        "\tSupported ports: [  ]\n\tSupported link modes:   Not reported\n\
         \tSupported pause frame use: No\n\tSupports auto-negotiation: No\n\
         \tSupported FEC modes: Not reported\n\tAdvertised link modes:  Not reported\n\
         \tAdvertised pause frame use: No\n\tAdvertised auto-negotiation: No\n\
         \tAdvertised FEC modes: Not reported\n\tSpeed: {speed}\n\tDuplex: {duplex}\n\
         \tAuto-negotiation: off\n\tPort: {port}\n\tPHYAD: 0\n\tTransceiver: internal\n{crossover}"
    )
}

#[cfg(test)]
mod tests {
    use super::tun_speed;

    #[test]
    fn tun_devices_became_faster() {
        assert_eq!(tun_speed("6.1.176"), 10);
        assert_eq!(tun_speed("6.18.44-x"), 10_000);
        assert_eq!(tun_speed("10.0"), 10_000);
        assert_eq!(tun_speed(""), 10);
    }
}
