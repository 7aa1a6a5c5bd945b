//! Blanks what differs from one run on the real kernel to the next.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

use super::script::Script;

/// What is blanked, and what stands in its place. A line without any of the words before it is passed over quickly.
const BLANKED: &[(&[&str], &str, &str)] = &[
    (&["time"], r"\btime[= ][0-9.]+ ?ms", "time=T"),
    (&["]  "], r"(\[[0-9A-Za-z:]+\])  [0-9.]+ms$", "$1 T"),
    (&["expires"], r"\bexpires \d+sec", "expires Nsec"),
    (&["rtt"], r"(rtt min/avg/max/mdev = ).*", "${1}T"),
    (&[", pipe"], r", pipe \d+", ""),
    // Identifications of IPv4 packets.
    (&[" id "], r" id \d+, (offset|ttl)", " $1"),
    // What stands in the place of a port is the sum of a message with the time in it.
    (&["protocol 1 port"], r"(protocol 1 port) \d+", "$1 N"),
    (&[":"], r"^\d\d:\d\d:\d\d\.\d{6} ", "TIME "),
    (&["_lft"], r"\b(valid|preferred)_lft \d+sec", "${1}_lft Nsec"),
    (&["_timer"], r#"_timer("?:| +)[0-9.]+"#, "_timer${1}T"),
    // Tunnels over IPv6 make their link-local address of a random one.
    (&["permaddr"], r#"(permaddr"?[ :]"?)[0-9a-f:]+::"#, "${1}RANDOM"),
    (&["Geneve", "VXLAN"], r"\[bad udp cksum 0x0000 -> 0x[0-9a-f]+!\] (Geneve|VXLAN)", "[no cksum] $1"),
    (&["Geneve", "VXLAN"], r"\[(bad udp cksum [^\]]+|udp sum ok)\] (Geneve|VXLAN)", "[cksum] $2"),
    // The source port of a tunnel is made of a hash with a random seed, as is a flow's label.
    (&["Geneve", "VXLAN"], r"\.\d+ > (\S+\.\d+: (\[[a-z ]+\] )?(Geneve|VXLAN))", ".PORT > $1"),
    // Identifications of IPv6 packets.
    (&["frag (0x"], r"\bfrag \(0x[0-9a-f]{8}:", "frag (ID:"),
    (&["flowlabel"], r"\bflowlabel 0x[0-9a-f]{5}, ", ""),
    (&["used "], r"\bused \d+/\d+(/\d+)?", "used N"),
    (&["REACHABLE", "STALE", "DELAY", "PROBE"], r"\b(REACHABLE|STALE|DELAY|PROBE)\b", "NUD"),
    // Drawn by each table anew.
    (&["reachable"], r#"\breachable("?:?) \d+"#, "reachable$1 N"),
    (&["age "], r"\bage [0-9.]+", "age T"),
    // 31.25 s in the kernel's ticks, of which there are 100 or 250 a second.
    (&["mcast_startup"], r#"(mcast_startup_query_int(?:er)?va?l"?[ :])312[45]"#, "${1}N"),
    // A veth has as many queues as the machine has processors; a kernel for one processor does not tell of
    // receive queues (`CONFIG_RPS`).
    (&["num_tx_queues"], r#""num_tx_queues":\d+(,"num_rx_queues":\d+)?"#, "QUEUES"),
    (&["numtxqueues"], r" numtxqueues \d+( numrxqueues \d+)?", " QUEUES"),
];

/// All that is looked for, compiled once.
struct Patterns {
    blanked: Vec<(&'static [&'static str], Regex, &'static str)>,
    /// Link-layer addresses, also as bridge identifiers write them.
    mac: Regex,
    local: Regex,
    echo: Regex,
    neighbours: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let regex = |text: &str| Regex::new(text).expect("a regex");
    Patterns {
        blanked: BLANKED.iter().map(|(words, text, with)| (*words, regex(text), *with)).collect(),
        mac: regex(r"\b[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}\b"),
        local: regex(r"\bfe80::[0-9a-f:]+"),
        echo: regex(r"\b(ICMP echo (?:request|reply), id )(\d+)"),
        neighbours: regex(r"^\$ ip .*neigh( show)?( dev \S+)?( nud \w+)?$"),
    }
});

/// The comparable lines of an output; `release` is the real kernel's.
pub fn lines(output: &str, script: &Script, release: &str) -> Vec<String> {
    let patterns = &*PATTERNS;
    let follows = release.starts_with("6.1.");
    let known: Vec<_> = script.known.iter().filter(|known| !(follows && known.after_6_1)).collect();
    let mut names = Names::default();
    let mut lines = Vec::new();
    // In one order before names are given, and again by them.
    let mut printed: Vec<String> = output.lines().map(str::to_owned).collect();
    sort_neighbours(&mut printed);
    blank_monitors(&mut printed);
    for line in printed {
        if known.iter().any(|known| known.lines.is_match(&line)) {
            continue;
        }
        let mut line = line;
        if line.contains(':') {
            line = patterns.mac.replace_all(&line, |found: &Captures| names.mac(&found[0])).into_owned();
        }
        if line.contains("fe80::") {
            let named = |found: &Captures| names.local(&found[0]);
            line = patterns.local.replace_all(&line, named).into_owned();
        }
        if line.contains("ICMP echo") {
            let named = |found: &Captures| format!("{}{}", &found[1], names.bind("ID", &found[2]));
            line = patterns.echo.replace_all(&line, named).into_owned();
        }
        for (words, regex, with) in &patterns.blanked {
            if words.iter().any(|word| line.contains(word)) {
                line = regex.replace_all(&line, *with).into_owned();
            }
        }
        lines.push(line);
    }
    sort_neighbours(&mut lines);
    lines
}

/// The counters of an nlmon in `ip -s link`: how long Linux's messages are is made up by attributes that nothing prints, and
/// how many there are by which dumps fit into one.
fn blank_monitors(lines: &mut [String]) {
    let mut is_monitor = false;
    let mut counts_follow = false;
    for line in lines {
        let trimmed = line.trim_start();
        let counts = counts_follow;
        counts_follow = trimmed.starts_with("RX:") || trimmed.starts_with("TX:");
        if !line.starts_with(' ') {
            is_monitor = false;
        } else if trimmed.starts_with("link/") {
            is_monitor = trimmed.starts_with("link/netlink");
        } else if is_monitor && counts {
            *line = "    COUNTS".to_owned();
        }
    }
}

/// A neighbour table's order hangs on a random number of its namespace.
fn sort_neighbours(lines: &mut [String]) {
    for tables in lines.chunk_by_mut(|_, line| !line.starts_with('$')) {
        if let [command, table @ ..] = tables
            && PATTERNS.neighbours.is_match(command)
        {
            table.sort();
        }
    }
}

/// Values of chance, by the order in which they appear.
#[derive(Default)]
struct Names {
    known: BTreeMap<(&'static str, String), usize>,
}

impl Names {
    /// Random MACs get a number. Those that a script sets (02:…) and well-known groups stay.
    fn mac(&mut self, text: &str) -> String {
        let octets: Vec<u8> =
            text.split(':').filter_map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
        let fixed = matches!(octets[..], [2, 0, 0, ..] | [0, 0, 0, ..] | [255, ..])
            || octets.first().is_some_and(|first| first & 1 == 1);
        match fixed {
            true => text.to_owned(),
            false => {
                let full: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
                self.bind("MAC", &full.join(":"))
            }
        }
    }

    /// Those of random MACs get a number; those of MACs that a script sets (02:00:00:…) stay.
    fn local(&mut self, text: &str) -> String {
        match text.starts_with("fe80::ff:fe") {
            true => text.to_owned(),
            false => self.bind("LOCAL", text),
        }
    }

    fn bind(&mut self, what: &'static str, value: &str) -> String {
        let next = self.known.keys().filter(|(known, _)| *known == what).count() + 1;
        let number = *self.known.entry((what, value.to_owned())).or_insert(next);
        format!("{what}{number}")
    }
}

#[test]
fn chance_is_bound_in_order_of_appearance() {
    let script = Script::new("x", "true").expect("a script");
    let text =
        "a 5e:01:02:03:04:05 b\n8000.5e:1:2:3:4:5 32:00:00:00:00:01 02:00:00:00:00:07 ff:ff:ff:ff:ff:ff";
    assert_eq!(
        lines(text, &script, "6.1.0"),
        ["a MAC1 b", "8000.MAC1 MAC2 02:00:00:00:00:07 ff:ff:ff:ff:ff:ff"]
    );
    assert_eq!(
        lines("64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.004 ms", &script, "6.1.0"),
        ["64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=T"]
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_monitors_lose_their_counters() {
        let text = "2: n1: <NOARP,UP> mtu 3776\n    link/netlink \n    RX:  bytes packets\n          1234      12\n    \
                    TX:  bytes packets\n             0       0\n3: d1: <UP> mtu 1500\n    link/ether 02:00:00:00:00:01\n    \
                    RX:  bytes packets\n            56       1\n";
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        blank_monitors(&mut lines);
        assert_eq!((lines[3].as_str(), lines[5].as_str()), ("    COUNTS", "    COUNTS"));
        assert_eq!(lines[9].trim(), "56       1");
    }
}
