//! `docs/agreement.md`: what was compared, how much of it is equal, and what differs and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hairpin_testkit::agree::script::Script;
use hairpin_testkit::agree::trial::{Trial, Verdict};

/// What is known to differ from Linux 6.1.
struct Known {
    what: &'static str,
    why: &'static str,
    /// How a scenario shows it.
    signs: Signs,
}

/// A scenario differs by something known if its script has one of the words in it, each line that differs has one of
/// the others in it, and, where lines only change places, both sides have the same ones.
struct Signs {
    script: &'static [&'static str],
    lines: &'static [&'static str],
    in_other_order: bool,
}

/// No scenario shows it.
const UNSEEN: Signs = Signs { script: &[], lines: &[], in_other_order: false };

const KNOWN: &[Known] = &[
    Known {
        what: "GVRP and MVRP",
        why: "a VLAN device takes `gvrp on` and `mvrp on`, but sends no frames of these protocols",
        signs: UNSEEN,
    },
    Known {
        what: "the order of neighbour probes",
        why: "timers of Linux that end five seconds ahead share a slot of 80 ms (at 100 ticks a second) and end in the \
              reverse order there; here each ends at its own instant. Generated scenarios put such probes off by ten \
              minutes",
        signs: UNSEEN,
    },
    Known {
        what: "questions about neighbours at one moment",
        why: "which of several questions of one moment an ipvlan's worker, or the timer of another neighbour, sends before \
              the answer to the other hangs on how Linux cuts its softirqs; here questions go out first",
        signs: Signs {
            script: &["type ipvlan", "10.0.1.99"],
            lines: &["ethertype", "IP "],
            in_other_order: true,
        },
    },
    Known {
        what: "the order of frames behind a tunnel",
        why: "what comes out of a tunnel waits in a queue of Linux (`gro_cells_receive`) behind all that waits to be received, \
              unless a capture on its way, or the copy of a flood, still shares its bytes; here all stay in their order",
        signs: Signs {
            script: &["type vxlan", "type geneve", "type gre", "type ipip", "type sit", "type ip6"],
            lines: &["ethertype", "IP ", "IP6 "],
            in_other_order: true,
        },
    },
    Known {
        what: "captures on a bond in balance-tlb and balance-alb",
        why: "our tcpdump reads a frame from its socket after the bond has put a slave's MAC into it, and shows that; the \
              distribution's shares memory with the kernel and shows the frame as it was given to the bond, as here",
        signs: Signs {
            script: &["mode balance-tlb", "mode balance-alb"],
            lines: &["ethertype"],
            in_other_order: false,
        },
    },
    Known {
        what: "when a learned address is forgotten",
        why: "the timer of a bridge that ends ten seconds ahead is up to 0.64 s late in Linux, by where its ticks stand; \
              here it is on time. Generated scenarios look at other moments",
        signs: UNSEEN,
    },
    Known {
        what: "reports of a group that a bridge leaves",
        why: "the second one comes at a time of chance within a second, and is lost if the link watch has turned off a \
              bridge without a carrier before. Generated scenarios let it pass first",
        signs: UNSEEN,
    },
    Known {
        what: "what an nlmon counts and shows",
        why: "Linux's messages about links carry attributes that no front end prints, and are longer by them than those here. \
              Its counters and captures are left out of generated scenarios",
        signs: UNSEEN,
    },
];

impl Signs {
    /// Whether a scenario that differs shows nothing else.
    fn explain(&self, script: &Script, trial: &Trial) -> bool {
        let side = |sign: char| -> Vec<&str> {
            let lines = trial.score.difference.lines();
            let lines = lines.filter(|line| !line.starts_with("+++ ") && !line.starts_with("--- "));
            let mut lines: Vec<&str> = lines.filter_map(|line| line.strip_prefix(sign)).collect();
            lines.sort_unstable();
            lines
        };
        let (real, ours) = (side('-'), side('+'));
        let known = |line: &&str| self.lines.iter().any(|word| line.contains(word));
        trial.verdict == Verdict::Differs
            && self.script.iter().any(|word| script.text.contains(word))
            && real.iter().chain(&ours).all(known)
            && (!self.in_other_order || real == ours)
    }
}

/// Differences between the kernels that were met; the emulation follows 6.1.
const VERSIONS: &[(&str, &str, &str)] = &[
    ("lower device down, in another namespace", "`LOWERLAYERDOWN`", "`DOWN`"),
    ("a device that is up is renamed", "`Device or resource busy`", "is renamed"),
    (
        "an address that is there, or is not",
        "`File exists`, `Cannot assign requested address`",
        "texts of their own",
    ),
    ("a bridge moved to another namespace", "`Invalid argument`", "`The interface netns is immutable.`"),
    ("`/proc/net/snmp`: Ip", "`OutRequests` counts what is forwarded", "`OutTransmits` does"),
    (
        "`ip route get … from … iif …` that fails the check",
        "`Invalid cross-device link`",
        "`Invalid argument`",
    ),
    ("frames given to a device that is down", "counted nowhere", "counted as dropped"),
];

/// What the file is made of.
pub struct Facts<'a> {
    pub command: &'a str,
    pub release: &'a str,
    /// The topologies, if not all.
    pub only: Option<&'a str>,
    /// Of each script.
    pub topics: &'a [&'a str],
    pub scripts: &'a [Script],
    pub trials: &'a [Trial],
    /// The named scripts that are open.
    pub open: &'a [Script],
    pub speed: &'a str,
}

/// The file's text.
pub fn text(facts: &Facts) -> String {
    let Facts { command, release, topics, scripts, trials, open, .. } = *facts;
    let only = facts.only.map_or(String::new(), |names| format!(": {}", names.replace(',', ", ")));
    let mut text = format!("# Agreement with Linux{only}\n\n");
    let _ = write!(
        text,
        "Written by `{command}` on Linux {release}; do not edit. The emulation follows Linux 6.1.\n\n\
         A scenario is a script of plain sh: namespaces, links, addresses, captures, pings between all, changes and refused \
         commands, and in the end everything that can be looked at. It runs on the real kernel and in the emulation, with \
         the same front ends as functions, and every line is compared: exit codes, errors, `ip -d link`, counters, \
         neighbours, captures frame by frame. Only what is arbitrary is blanked: times, random MACs, ids.\n\n"
    );
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for (topic, trial) in topics.iter().zip(trials) {
        rows.entry(topic).or_default().add(trial);
    }
    text.push_str(
        "| about | scenarios | agree | of these Linux wavers | lines | equal |\n|---|---|---|---|---|---|\n",
    );
    let mut total = Row::default();
    for (topic, row) in &rows {
        row.write(&mut text, topic);
        total.join(row);
    }
    total.write(&mut text, "all");
    text.push_str(
        "\n*Linux wavers*: runs on the real kernel did not print the same, and the emulation prints, command by command, what one \
         of them did.\n\
         User-Mode Linux runs with a clock in which sleeping takes no time and computing hardly any (`crates/uml-clock`): how \
         busy the machine is changes nothing. A script that differs is emulated once more, each command at the instant at \
         which it started there and the timer wheel as it stood there; the run with fewer lines that differ is counted.\n",
    );
    devices(&mut text, scripts, trials);
    differing(&mut text, scripts, trials);
    text.push_str("\n## What is known to differ\n\n");
    for Known { what, why, .. } in KNOWN {
        let _ = writeln!(text, "* {what}: {why}.");
    }
    if !open.is_empty() {
        text.push_str(
            "\nNamed scripts (`crates/hairpin/tests/agreement`) that are open, and what they wait for:\n\n",
        );
    }
    for script in open {
        let _ = writeln!(text, "* {}: {}.", script.name, script.open.as_deref().unwrap_or_default());
    }
    text.push_str("\n## Linux 6.1 and Linux 6.18\n\n| | 6.1, and here | 6.18 |\n|---|---|---|\n");
    for (what, old, new) in VERSIONS {
        let _ = writeln!(text, "| {what} | {old} | {new} |");
    }
    let _ = write!(text, "\n## How fast the real kernel answers\n\n{}\n", facts.speed);
    text.push_str(
        "\n## Again, and more of it\n\n```sh\n\
         cargo xtask agree --seed 1 --count 5000                    # Linux 6.1 as User-Mode Linux, as any user\n\
         cargo xtask agree --kernel running --only macvlan          # this machine's kernel: root, or user namespaces\n\
         cargo xtask agree --script FILE                            # one script; --show prints both sides\n\
         cargo test -p hairpin --test agreement                     # the named scripts, on both kernels\n```\n\n\
         Where a script differs the smallest one that still shows the difference is printed.\n",
    );
    text
}

#[derive(Default)]
struct Row {
    scenarios: usize,
    agree: usize,
    waver: usize,
    lines: usize,
    equal: usize,
}

impl Row {
    fn add(&mut self, trial: &Trial) {
        self.scenarios += 1;
        self.agree += usize::from(trial.verdict == Verdict::Agrees);
        self.waver += usize::from(trial.verdict == Verdict::Agrees && trial.wavers);
        self.lines += trial.score.lines;
        self.equal += trial.score.equal;
    }

    fn join(&mut self, other: &Row) {
        self.scenarios += other.scenarios;
        self.agree += other.agree;
        self.waver += other.waver;
        self.lines += other.lines;
        self.equal += other.equal;
    }

    fn write(&self, text: &mut String, name: &str) {
        let share = self.equal as f64 * 100.0 / self.lines.max(1) as f64;
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {share:.2} % |",
            self.scenarios, self.agree, self.waver, self.lines
        );
    }
}

/// In how many scenarios a device's kind and mode took part.
fn devices(text: &mut String, scripts: &[Script], trials: &[Trial]) {
    const MODES: &[&str] = &[
        "type veth",
        "type bridge",
        "type dummy",
        "mode bridge",
        "mode private",
        "mode vepa",
        "mode passthru",
        "mode source",
        "type vlan",
        "reorder_hdr off",
        "protocol 802.1ad",
        "loose_binding on",
        "hairpin on",
        "isolated on",
        "learning off",
        "flood off",
        "mcast_flood off",
        "bcast_flood off",
        "master static",
        "locked on",
        "backup_port",
        "mdb add",
        "nud permanent",
        " down",
        "route add",
        "rule add",
        "ip_forward=1",
        "tcpdump",
        "arping",
        "-s 1600",
        "-M do",
        "-b 10.",
        "type ipvlan mode l2",
        "type ipvlan mode l3 ",
        "type ipvlan mode l3s",
        "type bond mode balance-rr",
        "type bond mode active-backup",
        "type bond mode balance-xor",
        "type bond mode broadcast",
        "type bond mode 802.3ad",
        "type bond mode balance-tlb",
        "type bond mode balance-alb",
        "type vxlan",
        "group 239.",
        "type vrf",
        "vlan_filtering 1",
        "type gre ",
        "type gretap",
        "type ipip",
        "type sit",
        "type geneve",
        "type macvtap",
        "type team",
        "type ifb",
        "ping -6",
        "iptables-legacy",
        "-j MASQUERADE",
        "-j DNAT",
        "-j REJECT",
        "-j TTL",
        "-j MARK",
        "nc -n -u",
    ];
    text.push_str("\n| in the script | scenarios | lines | equal |\n|---|---|---|---|\n");
    for mode in MODES {
        let mut row = Row::default();
        for (script, trial) in scripts.iter().zip(trials) {
            if script.text.contains(mode) {
                row.add(trial);
            }
        }
        if row.scenarios == 0 {
            continue;
        }
        let share = row.equal as f64 * 100.0 / row.lines.max(1) as f64;
        let _ = writeln!(text, "| `{}` | {} | {} | {share:.2} % |", mode.trim(), row.scenarios, row.lines);
    }
}

fn differing(text: &mut String, scripts: &[Script], trials: &[Trial]) {
    let others = scripts.iter().zip(trials).filter(|(_, trial)| trial.verdict != Verdict::Agrees);
    let others: Vec<(&Script, &Trial)> = others.collect();
    if others.is_empty() {
        return;
    }
    let explained =
        |script: &Script, trial: &Trial| KNOWN.iter().find(|known| known.signs.explain(script, trial));
    let is_open = |script: &Script, trial: &Trial| {
        trial.verdict != Verdict::LinuxDiffers && explained(script, trial).is_none()
    };
    let open = others.iter().filter(|(script, trial)| is_open(script, trial)).count();
    let itself = others.iter().filter(|(_, trial)| trial.verdict == Verdict::LinuxDiffers).count();
    let _ = write!(
        text,
        "\n## Scenarios that differ\n\n{} of {}, of which {open} show more than what is known (below). In {itself} more than \
         that differs only where Linux differs from itself: twelve runs on the real kernel did not print the same, and the \
         emulation prints something else again.\n\n",
        others.len(),
        trials.len()
    );
    for (script, trial) in others {
        let missing = trial.score.lines - trial.score.equal;
        let what = match &trial.verdict {
            Verdict::Failed(error) => format!("did not run: {error}"),
            Verdict::TooBusy => format!("{missing} lines, on a machine too busy to tell why"),
            Verdict::LinuxDiffers => format!("{missing} lines, where Linux differs from itself"),
            _ => format!("{missing} lines"),
        };
        let first = trial.score.difference.lines().find(|line| line.starts_with("@@")).unwrap_or_default();
        let why = explained(script, trial).map_or(String::new(), |known| format!(": {}", known.what));
        let _ = writeln!(
            text,
            "* {}: {what}, first behind `{}`{why}",
            trial.name,
            first.trim_matches(['@', ' '])
        );
    }
}
