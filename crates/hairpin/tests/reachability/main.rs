//! Who reaches whom: every mode and flag of ipvlan and every mode of macvlan, on Linux 6.1 (User-Mode Linux) and in the
//! emulation, from one list of cases. The table is `docs/reachability.md`; it is compared with both.
//!
//! `HAIRPIN_REACHABILITY=write cargo test -p hairpin --test reachability` writes it anew.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use hairpin_testkit::agree::oracle::{Kernel, Oracle};
use hairpin_testkit::agree::script::Script;
use hairpin_testkit::agree::{trial, worker};

/// What the two devices are made with, and how the table calls them.
const CASES: &[(&str, &str)] = &[
    ("macvlan private", "type macvlan mode private"),
    ("macvlan vepa", "type macvlan mode vepa"),
    ("macvlan bridge", "type macvlan mode bridge"),
    ("macvlan passthru", "type macvlan mode passthru"),
    ("macvlan source, nobody listed", "type macvlan mode source"),
    ("macvlan source, the outside listed", "type macvlan mode source macaddr add 02:00:00:00:00:02"),
    ("ipvlan l2 bridge", "type ipvlan mode l2 bridge"),
    ("ipvlan l2 private", "type ipvlan mode l2 private"),
    ("ipvlan l2 vepa", "type ipvlan mode l2 vepa"),
    ("ipvlan l3 bridge", "type ipvlan mode l3 bridge"),
    ("ipvlan l3 private", "type ipvlan mode l3 private"),
    ("ipvlan l3 vepa", "type ipvlan mode l3 vepa"),
    ("ipvlan l3s bridge", "type ipvlan mode l3s bridge"),
    ("ipvlan l3s private", "type ipvlan mode l3s private"),
    ("ipvlan l3s vepa", "type ipvlan mode l3s vepa"),
];

/// Column, and the ping that it shows: from which namespace, to which address. A question about the broadcast shows
/// who heard it instead.
const COLUMNS: &[(&str, Question)] = &[
    ("sibling", Question::Ping("a", "10.0.0.11")),
    ("host", Question::Ping("a", "10.0.0.1")),
    ("from host", Question::Ping("h", "10.0.0.10")),
    ("outside", Question::Ping("a", "10.0.0.2")),
    ("from outside", Question::Ping("o", "10.0.0.10")),
    ("outside with a route back", Question::Routed("a", "10.0.0.2")),
    ("sibling, hairpin switch", Question::Hairpin("a", "10.0.0.11")),
    ("broadcast: sibling", Question::Heard("b")),
    ("broadcast: outside", Question::Heard("o")),
];

#[derive(Clone, Copy)]
enum Question {
    Ping(&'static str, &'static str),
    /// With a route to the device by way of the host's address.
    Routed(&'static str, &'static str),
    /// With the switch sending back what a port sent.
    Hairpin(&'static str, &'static str),
    Heard(&'static str),
}

/// The script of a case. `h` has the lower device, `a` and `b` the two devices, `o` is outside behind switch `s`.
fn script(name: &str, options: &str) -> Script {
    let mut text = String::from(
        "for n in h a b o s; do ip netns add $n; ip -n $n link set lo up; done
ip link add low netns h address 02:00:00:00:00:01 type veth peer name p1 netns s
ip link add wire netns o address 02:00:00:00:00:02 type veth peer name p2 netns s
ip -n s link add br0 type bridge mcast_snooping 0
ip -n s link set p1 master br0
ip -n s link set p2 master br0
ip -n s link set br0 up
ip -n s link set p1 up
ip -n s link set p2 up
ip -n h link set low up
ip -n o link set wire up
ip -n h addr add 10.0.0.1/24 dev low
ip -n o addr add 10.0.0.2/24 dev wire
",
    );
    for (ns, last) in [("a", "0a"), ("b", "0b")] {
        let address = if options.contains("macvlan") {
            format!(" address 02:00:00:00:00:{last}")
        } else {
            String::new()
        };
        let (made_with, listed) = options.split_once(" macaddr").unwrap_or((options, ""));
        let number = if ns == "a" { 10 } else { 11 };
        let _ = writeln!(text, "ip -n h link add link low name x netns {ns}{address} {made_with}");
        if !listed.is_empty() {
            let _ = writeln!(text, "ip -n {ns} link set x type macvlan macaddr{listed}");
        }
        let _ = writeln!(text, "ip -n {ns} addr add 10.0.0.{number}/24 dev x\nip -n {ns} link set x up");
    }
    text.push_str("sleep 1\n");
    let counted = |text: &mut String, when: &str| {
        for (ns, dev) in [("b", "x"), ("o", "wire")] {
            let _ = writeln!(
                text,
                "echo {when} {ns}\nip netns exec {ns} cat /sys/class/net/{dev}/statistics/rx_packets"
            );
        }
    };
    counted(&mut text, "before");
    text.push_str("ip netns exec a ping -b -c1 -W0.3 10.0.0.255\nsleep 0.2\n");
    counted(&mut text, "after");
    for (column, question) in COLUMNS {
        let (from, to) = match question {
            Question::Heard(_) => continue,
            Question::Ping(from, to) => (from, to),
            Question::Routed(from, to) => {
                text.push_str("ip -n o route add 10.0.0.10/32 via 10.0.0.1\n");
                (from, to)
            }
            Question::Hairpin(from, to) => {
                text.push_str("bridge -n s link set dev p1 hairpin on\n");
                (from, to)
            }
        };
        text.push_str("for n in a b h o; do ip -n $n neigh flush all; done\n");
        let _ = writeln!(text, "echo cell {column}\nip netns exec {from} ping -c1 -W1 {to}\necho end");
    }
    Script::new(name, &text).expect("a right header")
}

/// The row of a case as a kernel's output tells it: per column yes, no, or that there is no such device.
fn row(output: &str) -> Vec<&'static str> {
    let lines: Vec<&str> = output.lines().collect();
    let number_after = |line: &str| -> Option<u64> {
        let at = lines.iter().position(|known| *known == line)?;
        lines.iter().skip(at + 1).find(|line| !line.starts_with('$'))?.parse().ok()
    };
    let lonely = number_after("before b").is_none();
    let answered = |column: &str| {
        let start = lines.iter().position(|line| *line == format!("cell {column}"));
        let cell = lines.iter().skip(start.unwrap_or(lines.len())).take_while(|line| **line != "end");
        cell.into_iter().any(|line| line.contains(" 1 received"))
    };
    COLUMNS
        .iter()
        .map(|(column, question)| match question {
            Question::Heard("b") | Question::Hairpin(..) if lonely => "–",
            Question::Ping(_, "10.0.0.11") if lonely => "–",
            Question::Heard(ns) => {
                let (before, after) =
                    (number_after(&format!("before {ns}")), number_after(&format!("after {ns}")));
                if after > before { "yes" } else { "no" }
            }
            _ => match answered(column) {
                true => "yes",
                false => "no",
            },
        })
        .collect()
}

fn table(rows: &[(&str, Vec<&'static str>)]) -> String {
    let mut text = String::from(HEAD);
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let _ = writeln!(text, "| device | {} |\n|---{}|", names.join(" | "), "|---".repeat(names.len()));
    for (name, cells) in rows {
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    text.push_str(FOOT);
    text
}

const HEAD: &str = "\
# Who reaches whom

Two macvlan or ipvlan devices stand on one lower device: the first, 10.0.0.10, is asked; the second, 10.0.0.11, is
its sibling. The host, 10.0.0.1, has the lower device; the outside, 10.0.0.2, is behind a switch. All are in one
subnet and in namespaces of their own. A cell tells whether a ping is answered.

";

const FOOT: &str = "
* \"Outside with a route back\": the outside sends packets for the device to the host's address. An ipvlan in mode l3 or
  l3s needs that, for nobody answers ARP for its address.
* \"Hairpin switch\": the switch sends a frame back to the port that it came from (`bridge link set dev PORT hairpin on`).
* \"Broadcast\": whether a ping to 10.0.0.255 from the first device reaches the sibling, and the outside.
* \"–\": the lower device takes only one device of this mode.

This page is made, from Linux 6.1 and the emulation, which must agree in every cell:
`HAIRPIN_REACHABILITY=write cargo test -p hairpin --test reachability`.
";

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reachability.md")
}

fn main() -> ExitCode {
    if worker::serve_if_called() {
        return ExitCode::SUCCESS;
    }
    if std::env::args().any(|word| word == "--list") {
        println!("devices_reach_whom_they_reach_on_linux: test");
        return ExitCode::SUCCESS;
    }
    let scripts: Vec<Script> = CASES.iter().map(|(name, options)| script(name, options)).collect();
    let mut good = true;
    let ours: Vec<(&str, Vec<&str>)> = CASES
        .iter()
        .zip(&scripts)
        .map(|((name, _), script)| {
            let ran = trial::emulate(script, None);
            if let Some(error) = ran.error {
                println!("{name}: in the emulation: {error}");
                good = false;
            }
            (*name, row(&ran.output))
        })
        .collect();
    good &= agrees_with_linux(&scripts, &ours);
    let text = table(&ours);
    if std::env::var("HAIRPIN_REACHABILITY").is_ok_and(|how| how == "write") {
        std::fs::write(page(), &text).expect("the page is written");
    } else if std::fs::read_to_string(page()).ok().as_deref() != Some(&text) {
        println!("docs/reachability.md is not what the emulation does:\n{text}");
        good = false;
    }
    println!("\ntest result: {}.\n", if good { "ok" } else { "FAILED" });
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every cell on User-Mode Linux. A run that a busy machine disturbed is tried again.
fn agrees_with_linux(scripts: &[Script], ours: &[(&str, Vec<&str>)]) -> bool {
    let oracle = match Oracle::start(Kernel::Uml, scripts.len()) {
        Ok(oracle) => oracle,
        Err(text) => {
            println!("skipped: {text}");
            return std::env::var_os("CI").is_none();
        }
    };
    let real: Vec<Result<Vec<&str>, String>> = std::thread::scope(|scope| {
        let jobs: Vec<_> = scripts
            .iter()
            .zip(ours)
            .map(|(script, (_, ours))| {
                let oracle = &oracle;
                scope.spawn(move || {
                    let mut found = Err(String::new());
                    for _ in 0..3 {
                        found = oracle.run(script).and_then(|outcome| match outcome.ran.error {
                            Some(error) => Err(error.to_string()),
                            None => Ok(row(&outcome.ran.output)),
                        });
                        if found.as_ref() == Ok(ours) {
                            break;
                        }
                    }
                    found
                })
            })
            .collect();
        jobs.into_iter().map(|job| job.join().unwrap_or_else(|_| Err("it panicked".to_owned()))).collect()
    });
    let (mut equal, mut cells) = (0, 0);
    for ((name, ours), real) in ours.iter().zip(real) {
        let real = match real {
            Ok(real) => real,
            Err(text) => {
                println!("{name}: on Linux: {text}");
                cells += ours.len();
                continue;
            }
        };
        for (((column, _), real), ours) in COLUMNS.iter().zip(real).zip(ours) {
            cells += 1;
            match real == *ours {
                true => equal += 1,
                false => println!("{name}, {column}: Linux says {real}, hairpin {ours}"),
            }
        }
    }
    println!("{equal} of {cells} cells equal on Linux {}", oracle.release);
    equal == cells
}
