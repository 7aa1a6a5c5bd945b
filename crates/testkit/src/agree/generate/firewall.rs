//! A router with rules of iptables in every table, hosts on both sides or three, and what they send each other: verdicts,
//! counters, translations, and what the tables look like.

use super::{Scenario, Topology};

pub const TOPOLOGY: Topology = Topology { name: "firewall", needs_uml: true, build };

const TABLE: [(&str, &[&str]); 5] = [
    ("filter", &["INPUT", "FORWARD", "FORWARD", "OUTPUT"]),
    ("nat", &["PREROUTING", "POSTROUTING", "POSTROUTING", "OUTPUT", "INPUT"]),
    ("mangle", &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]),
    ("raw", &["PREROUTING", "OUTPUT"]),
    ("security", &["INPUT", "FORWARD", "OUTPUT"]),
];
const STATES: &[&str] =
    &["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "NEW,RELATED", "ESTABLISHED,RELATED"];
const REJECTS: &[&str] = &[
    "",
    " --reject-with icmp-port-unreachable",
    " --reject-with icmp-host-prohibited",
    " --reject-with icmp-net-unreachable",
    " --reject-with icmp-admin-prohibited",
];
/// The router's own address, and a way to reach a host by another one.
const ELSEWHERE: &str = "10.9.9.9";

struct Firewall<'a> {
    scenario: &'a mut Scenario,
    /// The last octets are the numbers of the networks.
    hosts: usize,
    pings: usize,
    ports: usize,
}

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    scenario.bare = &["eth0"];
    scenario.namespace("r");
    let hosts = scenario.between(2, 3);
    for number in 1..=hosts {
        let (ns, port) = (format!("h{number}"), format!("r{number}"));
        scenario.namespace(&ns);
        scenario.veth(&ns, "eth0", "r", &port);
        scenario.line(format!("ip -n {ns} addr add 10.0.{number}.1/24 dev eth0"));
        scenario.line(format!("ip -n r addr add 10.0.{number}.254/24 dev {port}"));
        // Without a way back it answers only who is translated.
        if number == 1 || !scenario.once_in(4) {
            scenario.line(format!("ip -n {ns} route add default via 10.0.{number}.254"));
        }
    }
    scenario.line("ip netns exec r sysctl -w net.ipv4.ip_forward=1");
    let mut firewall = Firewall { scenario, hosts, pings: 0, ports: 0 };
    let tables = firewall.tables();
    for table in &tables {
        firewall.chains(table);
    }
    for _ in 0..firewall.scenario.between(6, 14) {
        let at = firewall.scenario.below(tables.len());
        if let Some(table) = tables.get(at) {
            firewall.rule(table, "-A");
        }
    }
    firewall.show(&tables);
    firewall.traffic();
    firewall.show(&tables);
    for _ in 0..firewall.scenario.between(1, 4) {
        let at = firewall.scenario.below(tables.len());
        if let Some(table) = tables.get(at) {
            firewall.edit(table);
        }
    }
    firewall.traffic();
    firewall.show(&tables);
}

impl Firewall<'_> {
    fn tables(&mut self) -> Vec<&'static str> {
        let all: Vec<&str> = TABLE.iter().map(|(table, _)| *table).collect();
        let mut chosen: Vec<&str> = Vec::new();
        for table in all {
            // The filter is there always, the others more often than not.
            if table == "filter" || !self.scenario.once_in(if table == "security" { 2 } else { 3 }) {
                chosen.push(table);
            }
        }
        chosen
    }

    fn run(&mut self, table: &str, command: &str) {
        let table = if table == "filter" { String::new() } else { format!(" -t {table}") };
        self.scenario.line(format!("ip netns exec r iptables-legacy{table} {command}"));
    }

    fn chains(&mut self, table: &str) {
        for chain in ["one", "two"] {
            self.run(table, &format!("-N {chain}"));
            for _ in 0..self.scenario.between(1, 2) {
                let wanted = self.matches(table, chain);
                let target = self.scenario.one(&["RETURN", "RETURN", "ACCEPT", ""]);
                let target = if target.is_empty() { String::new() } else { format!(" -j {target}") };
                self.run(table, &format!("-A {chain}{wanted}{target}"));
            }
        }
        if table == "filter" && self.scenario.once_in(4) {
            let chain = self.scenario.one(&["INPUT", "FORWARD", "OUTPUT"]);
            self.run(table, &format!("-P {chain} DROP"));
        }
    }

    fn chain(&mut self, table: &str) -> &'static str {
        let chains = TABLE.iter().find(|(name, _)| *name == table).map_or(&[][..], |(_, chains)| *chains);
        chains.get(self.scenario.below(chains.len())).copied().unwrap_or("INPUT")
    }

    fn rule(&mut self, table: &str, how: &str) {
        let chain = self.chain(table);
        let wanted = self.matches(table, chain);
        let target = self.target(table, chain);
        let how = if how == "-A" { format!("-A {chain}") } else { format!("{how} {chain} 1") };
        self.run(table, &format!("{how}{wanted}{target}"));
    }

    /// A change of the rules that are there.
    fn edit(&mut self, table: &str) {
        let chain = self.chain(table);
        match self.scenario.below(8) {
            0 => self.run(table, &format!("-D {chain} 1")),
            1 => self.run(table, &format!("-F {chain}")),
            2 => self.run(table, &format!("-Z {chain}")),
            3 => self.run(table, "-X one"),
            4 => self.run(table, "-E two three"),
            5 => self.rule(table, "-R"),
            _ => self.rule(table, "-I"),
        }
    }

    fn address(&mut self) -> String {
        let net = self.scenario.between(1, self.hosts);
        match self.scenario.below(4) {
            0 => format!("10.0.{net}.0/24"),
            1 => format!("10.0.{net}.254"),
            _ => format!("10.0.{net}.1"),
        }
    }

    /// What a rule asks for: nothing, one thing or two.
    fn matches(&mut self, table: &str, chain: &str) -> String {
        let mut text = String::new();
        if self.scenario.once_in(2) {
            let (not, address) = (self.scenario.one(&["", "", "! "]), self.address());
            let side = self.scenario.one(&["-s", "-d"]);
            text.push_str(&format!(" {not}{side} {address}"));
        }
        if self.scenario.once_in(3) {
            let net = self.scenario.between(1, self.hosts);
            let not = self.scenario.one(&["", "", "! "]);
            match chain {
                "PREROUTING" | "INPUT" => text.push_str(&format!(" {not}-i r{net}")),
                "OUTPUT" | "POSTROUTING" => text.push_str(&format!(" {not}-o r{net}")),
                "FORWARD" => {
                    let side = self.scenario.one(&["-i", "-o"]);
                    text.push_str(&format!(" {not}{side} r{net}"));
                }
                _ => {}
            }
        }
        let state = self.scenario.one(STATES);
        let more = match self.scenario.below(22) {
            0 | 1 => " -p icmp".to_owned(),
            2 => format!(
                " -p icmp --icmp-type {}",
                self.scenario.one(&["echo-request", "echo-reply", "3/3", "any"])
            ),
            3 => " -p udp --dport 5001".to_owned(),
            4 => format!(
                " -p udp -m multiport {}",
                self.scenario.one(&["--dports 5001,5003", "--sports 4001:4005", "! --ports 5001"])
            ),
            5 => format!(
                " -p tcp{}",
                self.scenario.one(&[" --dport 80", " --syn", " --sport 80", " --tcp-flags ALL RST,ACK", ""])
            ),
            6 | 7 => format!(" -m conntrack --ctstate {state}"),
            8 => format!(" -m state --state {state}"),
            9 => format!(
                " -m addrtype {}",
                self.scenario.one(&["--dst-type LOCAL", "! --src-type LOCAL", "--dst-type UNICAST"])
            ),
            10 => format!(" -m mark {}", self.scenario.one(&["--mark 1", "--mark 2/2", "! --mark 1"])),
            11 => format!(" -m connmark --mark {}", self.scenario.one(&["1", "2/2"])),
            12 => " -m limit --limit 1/min --limit-burst 2".to_owned(),
            13 => " -m comment --comment \"what it is for\"".to_owned(),
            14 => format!(
                " -m iprange {}",
                self.scenario.one(&["--src-range 10.0.1.0-10.0.1.9", "! --dst-range 10.0.2.1-10.0.2.9"])
            ),
            15 => format!(" -m ttl {}", self.scenario.one(&["--ttl-eq 63", "--ttl-gt 63", "--ttl-lt 64"])),
            16 => format!(" -m length --length {}", self.scenario.one(&["84", "85:", "0:84"])),
            17 if chain != "OUTPUT" && chain != "POSTROUTING" => " -m pkttype --pkt-type unicast".to_owned(),
            18 if chain == "OUTPUT" || chain == "POSTROUTING" => " -m owner --uid-owner 0".to_owned(),
            19 if chain == "FORWARD" || chain == "PREROUTING" => {
                " -m mac ! --mac-source 02:00:00:00:00:02".to_owned()
            }
            20 => " -m conntrack --ctstatus CONFIRMED".to_owned(),
            _ => String::new(),
        };
        // No rule of raw knows a connection.
        if !(table == "raw" && more.contains("state")) {
            text.push_str(&more);
        }
        text
    }

    fn target(&mut self, table: &str, chain: &str) -> String {
        let net = self.scenario.between(1, self.hosts);
        if self.scenario.once_in(5) {
            return format!(" {}", self.scenario.one(&["-j one", "-j two", "-g two", "-j RETURN"]));
        }
        let reject = self.scenario.one(REJECTS);
        let target = match table {
            "filter" => match self.scenario.below(9) {
                0 => "DROP".to_owned(),
                1..=3 => format!("REJECT{reject}"),
                4 => "LOG --log-prefix \"seen: \"".to_owned(),
                5 | 6 => "ACCEPT".to_owned(),
                _ => return String::new(),
            },
            "nat" => match chain {
                "PREROUTING" | "OUTPUT" => match self.scenario.below(5) {
                    0 => format!("DNAT --to-destination 10.0.{net}.1"),
                    1 => return format!(" -p udp -j DNAT --to-destination 10.0.{net}.1:5009"),
                    2 => "REDIRECT".to_owned(),
                    3 => return " -p udp -j REDIRECT --to-ports 5008".to_owned(),
                    _ => return format!(" -d {ELSEWHERE} -j DNAT --to-destination 10.0.{net}.1"),
                },
                "POSTROUTING" => match self.scenario.below(4) {
                    0 => format!("SNAT --to-source 10.0.{net}.254"),
                    1 => "NETMAP --to 10.7.0.0/16".to_owned(),
                    _ => "MASQUERADE".to_owned(),
                },
                _ => "SNAT --to-source 10.0.1.77".to_owned(),
            },
            "mangle" => match self.scenario.below(9) {
                0 => "MARK --set-mark 1".to_owned(),
                1 => "MARK --or-mark 2".to_owned(),
                2 => "MARK --set-xmark 0x3/0xf".to_owned(),
                3 => "CONNMARK --save-mark".to_owned(),
                4 => "CONNMARK --restore-mark".to_owned(),
                5 => "CONNMARK --set-mark 2".to_owned(),
                6 => format!("TTL {}", self.scenario.one(&["--ttl-set 33", "--ttl-dec 2", "--ttl-inc 5"])),
                7 => return " -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1200".to_owned(),
                _ => "ACCEPT".to_owned(),
            },
            "raw" => self.scenario.one(&["CT --notrack", "NOTRACK", "ACCEPT", "ACCEPT"]).to_owned(),
            _ => self.scenario.one(&["ACCEPT", "DROP", "RETURN"]).to_owned(),
        };
        format!(" -j {target}")
    }

    /// Who sends and to whom: a host or the router, to a host, the router, or an address that is translated.
    fn pair(&mut self) -> (String, String) {
        let from = match self.scenario.below(5) {
            0 => "r".to_owned(),
            _ => format!("h{}", self.scenario.between(1, self.hosts)),
        };
        let net = self.scenario.between(1, self.hosts);
        let to = match self.scenario.below(8) {
            0 => ELSEWHERE.to_owned(),
            1 => format!("10.0.{net}.254"),
            2 => format!("10.0.{net}.99"),
            _ => format!("10.0.{net}.1"),
        };
        (from, to)
    }

    fn traffic(&mut self) {
        let link = self.scenario.between(1, self.hosts);
        let capture = self.scenario.capture_of(&format!("h{link}"), "eth0", "icmp or udp");
        self.scenario.line("sleep 0.7");
        for _ in 0..self.scenario.between(5, 8) {
            let (from, to) = self.pair();
            self.pings += 1;
            let options = self.scenario.one(&["", "", "", " -t 1", " -s 1600", " -c2 -i0.2"]);
            let id = self.pings;
            self.scenario.line(format!("ip netns exec {from} ping -e {id} -c1 -W0.31{options} {to}"));
        }
        for _ in 0..self.scenario.between(1, 3) {
            let (from, to) = self.pair();
            self.ports += 1;
            let port = self.scenario.one(&["5001", "5002", "5003"]);
            let own = 4000 + self.ports;
            // Whether it hears of an error in time hangs on how fast programs are.
            self.scenario
                .line(format!("echo x | ip netns exec {from} nc -n -u -p {own} -w 1 {to} {port} || true"));
        }
        let (from, net) = (self.pair().0, self.scenario.between(1, self.hosts));
        if from != format!("h{net}") {
            self.ports += 1;
            let own = 4000 + self.ports;
            self.scenario.line(format!("ip netns exec {from} nc -n -z -w 1 -p {own} 10.0.{net}.1 80"));
        }
        // What asks for an address that nobody has gives up.
        self.scenario.line("sleep 3.3");
        self.scenario.show(&[capture]);
    }

    fn show(&mut self, tables: &[&str]) {
        for table in tables {
            self.run(table, "-L -n -v -x");
        }
        self.scenario.line("ip netns exec r iptables-legacy-save -c | grep -v '^#'");
        self.scenario.line(
            "ip netns exec r cat /proc/net/nf_conntrack | sed -E 's/ +[0-9]+ ([A-Z_]+ )?src/ T \\1src/' | sort",
        );
    }
}
