//! What ethtool says of settings that no driver of a virtual device has.

use hairpin_netlink::route::link::{InfoKind, LinkAttribute};

use super::{Ethtool, driver_of, lower};
use crate::interfaces::{ARPHRD_LOOPBACK, Interface, Interfaces};

/// Asked by netlink, with the exit code.
const BY_NETLINK: &[(&[&str], i32)] = &[
    (&["-g", "--show-ring"], 1),
    (&["-G", "--set-ring"], 81),
    (&["-a", "--show-pause"], 1),
    (&["-A", "--pause"], 76),
    (&["-c", "--show-coalesce"], 1),
    (&["-C", "--coalesce"], 1),
    (&["-m", "--dump-module-eeprom", "--module-info"], 1),
    (&["--show-eee"], 1),
    (&["--set-eee"], 76),
    (&["--show-priv-flags"], 1),
    (&["--show-fec"], 1),
];

/// Asked by ioctl: what is said, and the exit code.
const BY_IOCTL: &[(&[&str], &str, i32)] = &[
    (&["-x", "--show-rxfh-indir", "--show-rxfh"], "Cannot get RX ring count", 1),
    (&["-r", "--negotiate"], "Cannot restart autonegotiation", 255),
    (&["-p", "--identify"], "Cannot identify NIC", 255),
    (&["-t", "--test"], "Cannot test", 74),
    (&["-d", "--register-dump"], "Cannot get register dump", 74),
    (&["-e", "--eeprom-dump"], "Cannot get EEPROM data", 74),
];

/// What a simulated card has: settings of its own, which are not built.
const OF_NETDEVSIM: &[&str] = &[
    "-g",
    "--show-ring",
    "-G",
    "--set-ring",
    "-a",
    "--show-pause",
    "-A",
    "--pause",
    "-c",
    "--show-coalesce",
    "-C",
    "--coalesce",
    "--show-fec",
];

/// What the driver of a card refuses as those of virtual devices do.
const CARD_LACKS: &[&str] = &[
    "-l",
    "-L",
    "-c",
    "--show-coalesce",
    "-C",
    "--coalesce",
    "-m",
    "--dump-module-eeprom",
    "--module-info",
    "--show-eee",
    "--set-eee",
    "--show-priv-flags",
    "--show-fec",
    "-x",
    "--show-rxfh-indir",
    "--show-rxfh",
    "-n",
    "-u",
    "--show-nfc",
    "--show-ntuple",
];

/// What `-s` may be followed by.
const SETTINGS: &[&str] = &[
    "speed",
    "duplex",
    "port",
    "mdix",
    "autoneg",
    "advertise",
    "phyad",
    "xcvr",
    "wol",
    "sopass",
    "msglvl",
    "master-slave",
    "lanes",
];

impl Ethtool<'_> {
    /// Answers an option that is refused for every virtual device; `None` for any other option.
    pub(super) fn refuse(&mut self, option: &str, name: &str, rest: &[&str]) -> Option<i32> {
        let answered = match option {
            "-g" | "--show-ring" => self.ring(name),
            "-a" | "--show-pause" => self.pause(name),
            _ => None,
        };
        if answered.is_some() {
            return answered;
        }
        let by_netlink = BY_NETLINK.iter().find(|(names, _)| names.contains(&option)).map(|(_, code)| *code);
        if let Some(code) = by_netlink {
            return Some(self.refuse_by_netlink(option, name, code));
        }
        if let Some((_, text, code)) = BY_IOCTL.iter().find(|(names, ..)| names.contains(&option)) {
            return Some(self.refuse_by_ioctl(option, name, text, *code));
        }
        match option {
            "-n" | "-u" | "--show-nfc" | "--show-ntuple" => {
                let code = self.refuse_by_ioctl(option, name, "Cannot get RX rings", 1);
                if self.is_answered(option, name) {
                    self.refuse_by_ioctl(option, name, "rxclass: Cannot get RX class rule count", 1);
                    self.fail("RX classification rule retrieval failed", 1);
                }
                Some(code)
            }
            "-s" | "--change" => {
                // What follows a setting is its value.
                let wrong = rest.iter().step_by(2).find(|word| !SETTINGS.contains(word));
                Some(match wrong {
                    Some(word) => self.fail(&format!("ethtool (-s): unknown parameter '{word}'"), 1),
                    None => self.refuse_by_netlink(option, name, 75),
                })
            }
            _ => None,
        }
    }

    /// `-l`: only a veth and a simulated card have queues to tell of.
    pub(super) fn channels(&mut self, name: &str) -> i32 {
        if let Some(combined) = self.netdevsim_queues(name) {
            let none = "RX:\t\tn/a\nTX:\t\tn/a\nOther:\t\tn/a\n";
            self.print(&format!(
                "Channel parameters for {name}:\nPre-set maximums:\n{none}Combined:\t{combined}\n\
                 Current hardware settings:\n{none}Combined:\t{combined}\n"
            ));
            return 0;
        }
        let Some((receive, transmit)) = self.veth_queues(name) else {
            return self.refuse_by_netlink("-l", name, 1);
        };
        self.print(&format!(
            "Channel parameters for {name}:\nPre-set maximums:\nRX:\t\t{receive}\nTX:\t\t{transmit}\n\
             Other:\t\tn/a\nCombined:\tn/a\nCurrent hardware settings:\nRX:\t\t{receive}\nTX:\t\t{transmit}\n\
             Other:\t\tn/a\nCombined:\tn/a\n"
        ));
        0
    }

    /// The counters of a veth's queues, which count what XDP and polling handle: nothing, unless GRO is on.
    pub(super) fn queue_statistics(&mut self, name: &str) -> i32 {
        const RECEIVE: &[&str] =
            &["xdp_packets", "xdp_bytes", "drops", "xdp_redirect", "xdp_drops", "xdp_tx", "xdp_tx_errors"];
        const TRANSMIT: &[&str] = &["xdp_xmit", "xdp_xmit_errors"];
        let polls = self.has_gro(name) != Some(false);
        let Some((receive, transmit)) = self.veth_queues(name).filter(|_| !polls) else {
            return self.fail("ethtool: statistics of XDP queues are not known to hairpin", 0);
        };
        let mut text = String::new();
        for (side, queues, counters) in [("rx", receive, RECEIVE), ("tx", transmit, TRANSMIT)] {
            for queue in 0..queues {
                text.extend(
                    counters.iter().map(|counter| format!("     {side}_queue_{queue}_{counter}: 0\n")),
                );
            }
        }
        self.print(&text);
        0
    }

    /// `-L`: no more than there are.
    pub(super) fn set_channels(&mut self, name: &str, words: &[&str]) -> i32 {
        let mut too_many = false;
        let queues = self.veth_queues(name);
        for pair in words.chunks(2) {
            let [word, value @ ..] = pair else { break };
            let Some(count) = value.first().and_then(|value| value.parse::<u32>().ok()) else {
                return self
                    .fail("ethtool: bad command line argument(s)\nFor more information run ethtool -h", 1);
            };
            let most = match (*word, queues) {
                ("rx", Some((receive, _))) => receive,
                ("tx", Some((_, transmit))) => transmit,
                ("rx" | "tx" | "other" | "combined", _) => 0,
                _ => return self.fail(&format!("ethtool (-L): unknown parameter '{word}'"), 1),
            };
            too_many |= count > most;
        }
        if queues.is_none() {
            return self.refuse_by_netlink("-L", name, 1);
        }
        if too_many {
            let offset = 28 + (name.len() + 1).next_multiple_of(4);
            self.fail(
                &format!("netlink error: requested channel count exceeds maximum (offset {offset})"),
                1,
            );
            return self.fail("netlink error: Invalid argument", 1);
        }
        0
    }

    /// `-T`: software stamps what it receives, and what a driver sends if that says when.
    pub(super) fn time_stamps(&mut self, name: &str) -> i32 {
        let Ok(interfaces) = Interfaces::dump(self.system) else { return self.no_such_device(1) };
        let Some(device) = interfaces.by_name(name) else { return self.no_such_device(1) };
        let cards = self.cards(&interfaces);
        let Some(sends) = stamps_what_it_sends(&interfaces, &cards, device, 0) else {
            return self.fail(&format!("ethtool: the time stamps of {name} are not known to hairpin"), 1);
        };
        let transmit = if sends { "\tsoftware-transmit\n" } else { "" };
        self.print(&format!(
            "Time stamping parameters for {name}:\nCapabilities:\n{transmit}\tsoftware-receive\n\
             \tsoftware-system-clock\nPTP Hardware Clock: none\nHardware Transmit Timestamp Modes: none\n\
             Hardware Receive Filter Modes: none\n"
        ));
        0
    }

    fn refuse_by_netlink(&mut self, option: &str, name: &str, code: i32) -> i32 {
        match self.has_settings(option, name) {
            None => self.no_such_device(code),
            Some(true) if !CARD_LACKS.contains(&option) || !self.is_card(name) => {
                self.not_known(option, name)
            }
            Some(_) => self.fail("netlink error: Operation not supported", code),
        }
    }

    fn refuse_by_ioctl(&mut self, option: &str, name: &str, text: &str, code: i32) -> i32 {
        match self.has_settings(option, name) {
            // Before a test its results' names are asked for.
            None if matches!(option, "-t" | "--test") => {
                self.fail("Cannot get strings: No such device", code)
            }
            None => self.fail(&format!("{text}: No such device"), code),
            Some(true) if !CARD_LACKS.contains(&option) || !self.is_card(name) => {
                self.not_known(option, name)
            }
            Some(_) => self.fail(&format!("{text}: Operation not supported"), code),
        }
    }

    fn not_known(&mut self, option: &str, name: &str) -> i32 {
        self.fail(&format!("ethtool: what {option} tells of {name} is not known to hairpin"), 1)
    }

    fn is_answered(&mut self, option: &str, name: &str) -> bool {
        self.has_settings(option, name) != Some(true) || self.is_card(name)
    }

    /// Whether the device may have what others have not: a card, or one that a program drives. `None` without it.
    fn has_settings(&mut self, option: &str, name: &str) -> Option<bool> {
        let interfaces = Interfaces::dump(self.system).ok()?;
        let device = interfaces.by_name(name)?;
        Some(match device.kind() {
            Some(InfoKind::Tun) => true,
            Some(_) => false,
            None if driver_of(device).is_some() => OF_NETDEVSIM.contains(&option),
            None => device.hardware() != ARPHRD_LOOPBACK,
        })
    }

    /// How many queues a simulated card has.
    fn netdevsim_queues(&mut self, name: &str) -> Option<u32> {
        let interfaces = Interfaces::dump(self.system).ok()?;
        let device = interfaces.by_name(name)?;
        driver_of(device)?;
        device.find(|attribute| match attribute {
            LinkAttribute::NumTxQueues(count) => Some(*count),
            _ => None,
        })
    }

    /// How many queues a veth has, to receive and to transmit.
    fn veth_queues(&mut self, name: &str) -> Option<(u32, u32)> {
        let interfaces = Interfaces::dump(self.system).ok()?;
        let device = interfaces.by_name(name)?;
        if device.kind() != Some(&InfoKind::Veth) {
            return None;
        }
        let receive = device.find(|attribute| match attribute {
            LinkAttribute::NumRxQueues(count) => Some(*count),
            _ => None,
        });
        let transmit = device.find(|attribute| match attribute {
            LinkAttribute::NumTxQueues(count) => Some(*count),
            _ => None,
        });
        Some((receive.unwrap_or(1), transmit.unwrap_or(1)))
    }
}

/// Whether the driver stamps what it sends (`skb_tx_timestamp`); `None` where that is not known. Stacked devices ask the
/// one below; no stack is deeper than 8.
fn stamps_what_it_sends(
    interfaces: &Interfaces,
    cards: &[u32],
    device: &Interface,
    depth: u32,
) -> Option<bool> {
    if depth >= 8 {
        return None;
    }
    match device.kind() {
        Some(InfoKind::Dummy | InfoKind::Veth | InfoKind::Vcan | InfoKind::Vxcan | InfoKind::Tun) => {
            Some(true)
        }
        Some(InfoKind::MacVlan | InfoKind::MacVtap | InfoKind::Vlan) => {
            stamps_what_it_sends(interfaces, cards, lower(interfaces, device)?, depth + 1)
        }
        // `bond_ethtool_get_ts_info`: if all slaves do, and there are any.
        Some(InfoKind::Bond) => {
            let slaves = interfaces.iter().filter(|slave| slave.master() == Some(device.index()));
            let known: Option<Vec<bool>> =
                slaves.map(|slave| stamps_what_it_sends(interfaces, cards, slave, depth + 1)).collect();
            known.map(|all| !all.is_empty() && all.iter().all(|does| *does))
        }
        Some(_) => Some(false),
        None if device.hardware() == ARPHRD_LOOPBACK || cards.contains(&device.index()) => Some(true),
        None => driver_of(device).map(|_| false),
    }
}
