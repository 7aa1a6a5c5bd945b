//! `ethtool -k` and `-K`: what a device can do for the stack.

use std::fmt::Write as _;

use hairpin_netlink::features::{Features, NAMES};
use hairpin_netlink::{Call, Errno, Reply};

use super::Ethtool;

/// Names older than those of the kernel, and the kernel's they stand for. One with a `*` stands for several.
struct Older {
    short: &'static str,
    long: &'static str,
    names: &'static str,
}

const OLDER: &[Older] = &[
    Older { short: "rx", long: "rx-checksumming", names: "rx-checksum" },
    Older { short: "tx", long: "tx-checksumming", names: "tx-checksum-*" },
    Older { short: "sg", long: "scatter-gather", names: "tx-scatter-gather*" },
    Older { short: "tso", long: "tcp-segmentation-offload", names: "tx-tcp*-segmentation" },
    Older { short: "ufo", long: "udp-fragmentation-offload", names: "tx-udp-fragmentation" },
    Older { short: "gso", long: "generic-segmentation-offload", names: "tx-generic-segmentation" },
    Older { short: "gro", long: "generic-receive-offload", names: "rx-gro" },
    Older { short: "lro", long: "large-receive-offload", names: "rx-lro" },
    Older { short: "rxvlan", long: "rx-vlan-offload", names: "rx-vlan-hw-parse" },
    Older { short: "txvlan", long: "tx-vlan-offload", names: "tx-vlan-hw-insert" },
    Older { short: "ntuple", long: "ntuple-filters", names: "rx-ntuple-filter" },
    Older { short: "rxhash", long: "receive-hashing", names: "rx-hashing" },
];

impl Older {
    fn is_for(&self, name: &str) -> bool {
        match self.names.split_once('*') {
            Some((front, back)) => {
                name.len() >= front.len() + back.len() && name.starts_with(front) && name.ends_with(back)
            }
            None => name == self.names,
        }
    }

    fn bits(&self) -> u64 {
        bits().filter(|(_, name)| self.is_for(name)).fold(0, |all, (bit, _)| all | bit)
    }
}

/// Every feature that has a name, in the order of the bits.
fn bits() -> impl Iterator<Item = (u64, &'static str)> {
    NAMES.into_iter().enumerate().filter(|(_, name)| !name.is_empty()).map(|(at, name)| (1 << at, name))
}

impl Ethtool<'_> {
    /// `-k`
    pub(super) fn show_features(&mut self, name: &str) -> i32 {
        let features = match self.features(Call::Features(name.to_owned())) {
            Ok(features) => features,
            Err(errno) => return self.no_features(name, errno, 1),
        };
        let text = listing(name, features);
        self.print(&text);
        0
    }

    /// `-K`, with the words behind the device.
    pub(super) fn change_features(&mut self, name: &str, words: &[&str]) -> i32 {
        let (mut wanted, mut mask) = (0, 0);
        let mut unknown = None;
        // Where the next bit begins in the request: behind the header with its name and flags, and two nests.
        let mut offset = 48 + (name.len() + 1).next_multiple_of(4);
        for pair in words.chunks(2) {
            let [flag, rest @ ..] = pair else { break };
            let on = match rest {
                ["on"] => true,
                ["off"] => false,
                _ => {
                    let word = rest.first().unwrap_or(&"(null)");
                    let text = format!(
                        "ethtool (-K): flag '{word}' for parameter '(null)' is not followed by 'on' or 'off'"
                    );
                    return self.fail(&text, 1);
                }
            };
            let older = OLDER.iter().find(|older| older.short == *flag || older.long == *flag);
            let chosen = match older {
                Some(older) => older.bits(),
                None => bits().find(|(_, known)| known == flag).map_or(0, |(bit, _)| bit),
            };
            if older.is_none() && chosen == 0 && unknown.is_none() {
                unknown = Some(offset);
            }
            for (_, known) in bits().filter(|(bit, _)| bit & chosen != 0) {
                offset += 8 + (known.len() + 1).next_multiple_of(4) + if on { 4 } else { 0 };
            }
            mask |= chosen;
            wanted = if on { wanted | chosen } else { wanted & !chosen };
        }
        let before = match self.features(Call::Features(name.to_owned())) {
            Ok(features) => features,
            Err(errno) => return self.no_features(name, errno, 92),
        };
        if let Some(offset) = unknown {
            self.fail(&format!("netlink error: bit name not found (offset {offset})"), 92);
            return self.fail("netlink error: Operation not supported", 92);
        }
        let after = match self.features(Call::SetFeatures { device: name.to_owned(), wanted, mask }) {
            Ok(features) => features,
            Err(errno) => return self.no_features(name, errno, 92),
        };
        let refused = mask & (wanted ^ after.active);
        let changed = before.active ^ after.active;
        if refused != 0 || changed & !mask != 0 {
            let text = changes(wanted, mask, refused, changed, after.active);
            self.print(&text);
        }
        if mask & !refused == 0 {
            return self.fail("Could not change any device features", 1);
        }
        0
    }

    /// Whether a device has GRO switched on, if that can be known.
    pub(super) fn has_gro(&mut self, name: &str) -> Option<bool> {
        let features = self.features(Call::Features(name.to_owned())).ok()?;
        let bit = bits().find(|(_, name)| *name == "rx-gro").map_or(0, |(bit, _)| bit);
        Some(features.active & bit != 0)
    }

    pub(super) fn features(&mut self, call: Call) -> Result<Features, Errno> {
        match self.system.call(call)? {
            Reply::Features(features) => Ok(features),
            _ => Err(Errno::EPROTO),
        }
    }

    fn no_features(&mut self, name: &str, errno: Errno, code: i32) -> i32 {
        match errno {
            Errno::ENODEV => self.no_such_device(code),
            Errno::ENOSYS => {
                self.fail(&format!("ethtool: the features of {name} are not known to hairpin"), code)
            }
            other => self.fail(&format!("netlink error: {other}"), code),
        }
    }
}

fn listing(name: &str, features: Features) -> String {
    let mut text = format!("Features for {name}:\n");
    let state = |bit: u64| {
        let on = |set: u64| if set & bit != 0 { "on" } else { "off" };
        let remark = if features.switchable & bit == 0 {
            " [fixed]".to_owned()
        } else if (features.wanted ^ features.active) & bit != 0 {
            format!(" [requested {}]", on(features.wanted))
        } else {
            String::new()
        };
        format!("{}{remark}", on(features.active))
    };
    for older in OLDER {
        let all = older.bits();
        if all == 0 {
            continue;
        }
        if all.count_ones() == 1 {
            let _ = writeln!(text, "{}: {}", older.long, state(all));
            continue;
        }
        let _ = writeln!(text, "{}: {}", older.long, if features.active & all != 0 { "on" } else { "off" });
        for (bit, name) in bits().filter(|(bit, _)| bit & all != 0) {
            let _ = writeln!(text, "\t{name}: {}", state(bit));
        }
    }
    for (bit, name) in bits() {
        if !OLDER.iter().any(|older| older.is_for(name)) {
            let _ = writeln!(text, "{name}: {}", state(bit));
        }
    }
    text
}

/// What came of a request that did not do just what it said.
fn changes(wanted: u64, mask: u64, refused: u64, changed: u64, active: u64) -> String {
    let mut text = "Actual changes:\n".to_owned();
    let on = |set: bool| if set { "on" } else { "off" };
    for (bit, name) in bits().filter(|(bit, _)| (refused | changed) & bit != 0) {
        let is = on(active & bit != 0);
        let remark = if refused & bit != 0 {
            format!(" [requested {}]", on(wanted & bit != 0))
        } else if mask & bit == 0 {
            " [not requested]".to_owned()
        } else {
            String::new()
        };
        let _ = writeln!(text, "{name}: {is}{remark}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_names_stand_for_the_kernels() {
        let names = |short: &str| -> Vec<&str> {
            let older = OLDER.iter().find(|older| older.short == short).expect("known");
            bits().filter(|(bit, _)| bit & older.bits() != 0).map(|(_, name)| name).collect()
        };
        assert_eq!(names("rx"), ["rx-checksum"]);
        assert_eq!(names("tso").len(), 4);
        assert_eq!(names("tx").len(), 5);
        assert_eq!(names("ufo"), [""; 0]);
    }

    #[test]
    fn changes_say_what_was_not_asked_for() {
        let (csum, tso, gro) = (1 << 3, 1 << 16, 1 << 14);
        assert_eq!(
            changes(0, csum | gro, gro, csum | tso, gro),
            "Actual changes:\ntx-checksum-ip-generic: off\nrx-gro: on [requested off]\n\
             tx-tcp-segmentation: off [not requested]\n"
        );
    }
}
