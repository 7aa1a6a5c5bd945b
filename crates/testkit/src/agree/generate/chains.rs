//! How packets go through the chains of iptables: policies, jumps and ways back, what rules ask for, and what they do to
//! packets that are still looked at afterwards. Every rule is met by some of what is sent.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "chains", needs_uml: true, build };

/// Rules that count, each in a chain where there is something to count.
const COUNTED: &[&str] = &[
    "FORWARD -s 10.0.1.1",
    "FORWARD ! -s 10.0.1.1",
    "FORWARD -d 10.0.1.0/24",
    "FORWARD -i r1",
    "FORWARD ! -i r1",
    "FORWARD -o r2",
    "FORWARD -i r+ -p icmp",
    "FORWARD -p icmp --icmp-type echo-request",
    "FORWARD -p icmp --icmp-type 3/3",
    "FORWARD -p icmp --icmp-type 3/1",
    "FORWARD -p udp -m multiport --ports 5001,4009",
    "FORWARD -p udp -m multiport --sports 4001:4002",
    "FORWARD -m iprange --src-range 10.0.1.0-10.0.1.1",
    "FORWARD -m iprange ! --dst-range 10.0.2.1-10.0.2.9",
    "FORWARD -p tcp --syn",
    "FORWARD -p tcp --tcp-flags ALL RST,ACK",
    "FORWARD -p tcp --tcp-flags RST RST",
    "FORWARD -m length --length 84",
    "FORWARD -m length --length 0:83",
    "FORWARD -m ttl --ttl-gt 62",
    "FORWARD -m ttl --ttl-gt 63",
    "FORWARD -m ttl --ttl-lt 63",
    "FORWARD -m ttl --ttl-eq 63",
    "FORWARD -m addrtype --dst-type LOCAL",
    "FORWARD -m pkttype --pkt-type unicast",
    "FORWARD -m mac --mac-source 02:00:00:00:00:02",
    "OUTPUT -m owner --uid-owner 0",
    "OUTPUT -m owner ! --uid-owner 0",
    "OUTPUT -m owner --socket-exists",
    "OUTPUT -m conntrack --ctstate RELATED",
    "OUTPUT -p icmp --icmp-type time-exceeded",
    "INPUT -m conntrack --ctstate NEW",
    "INPUT -m conntrack --ctstate ESTABLISHED",
    "INPUT -m addrtype ! --src-type LOCAL",
    "INPUT -m conntrack --ctdir REPLY",
];

struct Chains<'a>(&'a mut Scenario);

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    scenario.bare = &["eth0"];
    scenario.namespace("r");
    for number in 1..=2 {
        let (ns, port) = (format!("h{number}"), format!("r{number}"));
        scenario.namespace(&ns);
        scenario.veth(&ns, "eth0", "r", &port);
        scenario.line(format!("ip -n {ns} addr add 10.0.{number}.1/24 dev eth0"));
        scenario.line(format!("ip -n r addr add 10.0.{number}.254/24 dev {port}"));
        scenario.line(format!("ip -n r addr add 10.0.{}.254/24 dev {port}", number + 4));
        scenario.line(format!("ip -n {ns} route add default via 10.0.{number}.254"));
    }
    scenario.line("ip netns exec r sysctl -w net.ipv4.ip_forward=1");
    scenario.line("sleep 1.5");
    let mut chains = Chains(scenario);
    for state in ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"] {
        chains.add("", &format!("FORWARD -m conntrack --ctstate {state}"));
    }
    for rule in chains.0.some(COUNTED, 9) {
        chains.add("", rule);
    }
    let count = chains.0.between(3, 5);
    for part in chains.0.some(&[0, 1, 2, 3, 4, 5, 6], count) {
        match part {
            0 => chains.marks(),
            1 => chains.lives(),
            2 => chains.sources(),
            3 => chains.destinations(),
            4 => chains.untracked(),
            5 => chains.ways(),
            _ => chains.ends(),
        }
    }
    chains.traffic();
    chains.show();
}

impl Chains<'_> {
    fn run(&mut self, table: &str, command: &str) {
        let table = if table.is_empty() { String::new() } else { format!(" -t {table}") };
        self.0.line(format!("ip netns exec r iptables-legacy{table} {command}"));
    }

    fn add(&mut self, table: &str, rule: &str) {
        self.run(table, &format!("-A {rule}"));
    }

    /// Marks of packets and of their connections.
    fn marks(&mut self) {
        self.add("mangle", "PREROUTING -j CONNMARK --restore-mark");
        self.add("mangle", "PREROUTING -m mark --mark 0x11/0x11");
        self.add("mangle", "PREROUTING -p icmp -j MARK --set-mark 0x10");
        let how = self.0.one(&["--or-mark 1", "--set-xmark 0x1/0xf", "--and-mark 0x30", "--xor-mark 0x11"]);
        self.add("mangle", &format!("PREROUTING -i r1 -j MARK {how}"));
        self.add("", "FORWARD -m mark --mark 0x11");
        self.add("", "FORWARD -m mark ! --mark 0x10/0x10");
        self.add("mangle", "FORWARD -j CONNMARK --save-mark");
        self.add("mangle", "POSTROUTING -m connmark --mark 0x11");
        self.add("mangle", "POSTROUTING -m connmark --mark 0x10/0x10");
    }

    /// Times to live.
    fn lives(&mut self) {
        let how = self.0.one(&["--ttl-dec 1", "--ttl-inc 5", "--ttl-set 33"]);
        self.add("mangle", &format!("PREROUTING -i r1 -j TTL {how}"));
        self.add("mangle", "PREROUTING -i r2 -j TTL --ttl-dec 2");
        self.add("mangle", "POSTROUTING -m ttl --ttl-eq 61");
        self.add("mangle", "POSTROUTING -m ttl --ttl-lt 34");
    }

    /// Other sources.
    fn sources(&mut self) {
        let how = self.0.one(&[
            "MASQUERADE",
            "MASQUERADE",
            "SNAT --to-source 10.0.2.77",
            "NETMAP --to 10.7.0.0/16",
        ]);
        self.add("nat", &format!("POSTROUTING -o r2 -j {how}"));
        self.add("", "FORWARD -m conntrack --ctstate SNAT");
        self.0.line("ip -n h2 route add 10.7.0.0/16 via 10.0.2.254");
        self.0.line("ip -n r addr add 10.0.2.77/32 dev r2");
    }

    /// Other destinations.
    fn destinations(&mut self) {
        const RULES: &[&str] = &[
            "PREROUTING -d 10.9.9.9 -j DNAT --to-destination 10.0.2.1",
            "PREROUTING -p udp --dport 5001 -j DNAT --to-destination 10.0.2.1:5009",
            "PREROUTING -p udp -j REDIRECT --to-ports 5008",
            "PREROUTING -i r1 -p icmp -j REDIRECT",
            "OUTPUT -d 10.9.9.9 -j DNAT --to-destination 10.0.1.1",
        ];
        for rule in self.0.some(RULES, 2) {
            self.add("nat", rule);
        }
        self.add("", "FORWARD -m conntrack --ctstate DNAT");
        self.add("", "INPUT -m conntrack --ctstate DNAT");
    }

    fn untracked(&mut self) {
        let what = self.0.one(&["-p icmp", "-p udp", "-s 10.0.1.1", "-p tcp"]);
        self.add("raw", &format!("PREROUTING {what} -j CT --notrack"));
    }

    /// Jumps, ways back, and the ways that do not lead back.
    fn ways(&mut self) {
        for chain in ["one", "two", "three"] {
            self.run("", &format!("-N {chain}"));
        }
        let to = self.0.one(&["-g two", "-j two"]);
        self.add("", &format!("one -p icmp {to}"));
        self.add("", "one -p udp -j RETURN");
        self.add("", "one");
        let end = self.0.one(&["two -d 10.0.2.1", "two -s 10.0.1.1 -j RETURN", "two -j three"]);
        self.add("", end);
        self.add("", "two");
        let end = self.0.one(&["three -j RETURN", "three -p icmp -j ACCEPT", "three"]);
        self.add("", end);
        let how = self.0.one(&["-j", "-j", "-g"]);
        self.add("", &format!("FORWARD {how} one"));
        self.add("", "FORWARD");
        self.add("", "FORWARD -d 10.0.2.99 -j DROP");
    }

    /// What ends a packet's way, and what only looks at it.
    fn ends(&mut self) {
        self.add("", "FORWARD -p icmp -j LOG --log-prefix \"seen: \"");
        let limit =
            self.0.one(&["--limit 2/s --limit-burst 2", "--limit 1/min --limit-burst 3", "--limit 10/s"]);
        self.add("", &format!("FORWARD -p icmp -m limit {limit}"));
        match self.0.below(4) {
            0 => self.add("", "FORWARD -p tcp -j REJECT --reject-with tcp-reset"),
            1 => self.add("", "FORWARD -p udp -j REJECT"),
            2 => self.add("", "FORWARD -p icmp -i r2 -j REJECT --reject-with icmp-admin-prohibited"),
            _ => self.add("", "INPUT -p udp -j DROP"),
        }
        let chain = self.0.one(&["INPUT", "FORWARD", "OUTPUT"]);
        if self.0.once_in(2) {
            self.add("", &format!("{chain} -p icmp -j ACCEPT"));
        }
        self.run("", &format!("-P {chain} DROP"));
    }

    fn traffic(&mut self) {
        let captures = [
            self.0.capture_of("h2", "eth0", "(icmp or udp) and ip[6:2] & 0x1fff = 0"),
            // Errors, and what they say that they are about.
            self.0.capture_of("h1", "eth0", "icmp and icmp[0] != 0 and icmp[0] != 8"),
        ];
        self.0.line("sleep 0.7");
        let pings = [
            ("h1", " -c3 -i0.3", "10.0.2.1"),
            ("h2", " -c2 -i0.3", "10.0.1.1"),
            ("h1", " -c1", "10.0.1.254"),
            ("r", " -c1", "10.0.2.1"),
            ("h1", " -c1 -t 1", "10.0.2.1"),
            ("h1", " -c1", "10.0.2.99"),
            ("h1", " -c1", "10.9.9.9"),
        ];
        for (id, (ns, options, to)) in pings.into_iter().enumerate() {
            self.0.line(format!("ip netns exec {ns} ping -e {}{options} -W0.31 {to}", id + 1));
        }
        for (number, (ns, to)) in [
            ("h1", "10.0.2.1 5001"),
            ("h1", "10.9.9.9 5004"),
            ("h1", "10.0.1.254 5002"),
            ("r", "10.0.2.1 5001"),
            ("h2", "10.0.1.1 5003"),
        ]
        .into_iter()
        .enumerate()
        {
            self.0.line(format!("echo x | ip netns exec {ns} nc -n -u -p {} -w 1 {to}", 4001 + number));
        }
        for (number, (ns, to)) in
            [("h1", "10.0.2.1"), ("h1", "10.0.1.254"), ("h2", "10.0.1.1")].into_iter().enumerate()
        {
            self.0.line(format!("ip netns exec {ns} nc -n -v -z -w 1 -p {} {to} 80", 4011 + number));
        }
        // What asks for an address that nobody has gives up.
        self.0.line("sleep 3.3");
        self.0.show(&captures);
    }

    fn show(&mut self) {
        for table in ["", "nat", "mangle", "raw"] {
            self.run(table, "-L -n -v -x");
        }
        self.0.line("ip netns exec r iptables-legacy-save -c | grep -v '^#'");
        self.0.line(
            "ip netns exec r cat /proc/net/nf_conntrack | sed -E 's/ +[0-9]+ ([A-Z_]+ )?src/ T \\1src/' | sort",
        );
        for ns in ["r", "h1", "h2"] {
            self.0.line(format!("ip -n {ns} -s link"));
        }
    }
}
