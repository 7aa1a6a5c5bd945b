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
    " --reject-with icmp-host-unreachable",
    " --reject-with icmp-proto-unreachable",
    " --reject-with icmp-net-prohibited",
];
const REJECTS6: &[&str] = &[
    "",
    " --reject-with icmp6-no-route",
    " --reject-with icmp6-adm-prohibited",
    " --reject-with icmp6-addr-unreachable",
    " --reject-with icmp6-port-unreachable",
    " --reject-with icmp6-policy-fail",
    " --reject-with icmp6-reject-route",
];
/// Later fragments are left out: what is translated on the other side may write into them.
const SEEN: &str = "(icmp or udp) and ip[6:2] & 0x1fff = 0";
/// The number of a network that is nowhere: addresses to be translated.
const ELSEWHERE: usize = 99;
/// What a packet is asked for by matches that remember, by DSCP, and by what it carries.
const REMEMBERING: &[&str] = &[
    "-m statistic --mode nth --every 2 --packet 0",
    "-m statistic --mode nth --every 3 --packet 1",
    "-m statistic --mode nth ! --every 2 --packet 1",
    "-m quota --quota 300",
    "-m quota ! --quota 200",
    "-m recent --set --name seen",
    "-m recent --set --name seen --rdest",
    "-m recent --rcheck --name seen",
    "-m recent --update --hitcount 2 --name seen",
    "-m recent --rcheck --seconds 2 --name seen",
    "-m recent ! --rcheck --name seen",
    "-m recent --remove --name seen",
    "-m hashlimit --hashlimit-upto 1/min --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name one",
    "-m hashlimit --hashlimit-above 1/min --hashlimit-burst 1 --hashlimit-mode srcip,dstip --hashlimit-name two",
    "-m hashlimit --hashlimit-upto 2/min --hashlimit-mode dstip --hashlimit-dstmask 16 --hashlimit-name three",
    "-m connlimit --connlimit-above 1",
    "-m connlimit --connlimit-upto 1 --connlimit-daddr",
    "-m connlimit --connlimit-above 2 --connlimit-mask 0",
    "-m limit --limit 1/min --limit-burst 2",
    "-m limit --limit 1/hour --limit-burst 1",
];
const LOOKING: &[&str] = &[
    "-m tos --tos 0x10",
    "-m tos ! --tos 0x10/0x3f",
    "-m dscp --dscp 4",
    "-m dscp ! --dscp-class CS1",
    "-m ecn --ecn-ip-ect 0",
    "-p tcp -m ecn ! --ecn-tcp-cwr",
    "-p tcp -m tcpmss --mss 1200:1460",
    "-p tcp -m tcpmss ! --mss 1400",
    "-m string --algo bm --hex-string '|31323334|'",
    "-m string --algo kmp --hex-string '|31323334|' --from 60",
    "-m string --algo bm ! --hex-string '|3132|'",
    "-m physdev ! --physdev-is-bridged",
];
const CONNECTION: &[&str] = &[
    "--ctstatus CONFIRMED",
    "--ctstatus SEEN_REPLY",
    "! --ctstatus ASSURED",
    "--ctdir ORIGINAL",
    "--ctdir REPLY",
    "--ctproto 17",
    "! --ctproto 1",
    "--ctorigdstport 5001",
    "--ctreplsrcport 80:5002",
    "--ctstate ESTABLISHED --ctexpire 1:40",
    "--ctstate DNAT",
    "--ctstate SNAT",
    "! --ctstate SNAT,DNAT",
];

struct Firewall<'a> {
    scenario: &'a mut Scenario,
    /// The last octets are the numbers of the networks.
    hosts: usize,
    pings: usize,
    ports: usize,
    /// All of it by IPv6.
    six: bool,
}

fn build(scenario: &mut Scenario) {
    scenario.talked = true;
    scenario.bare = &["eth0"];
    let six = scenario.once_in(4);
    if six {
        scenario.line("# ipv6: on");
    }
    scenario.namespace("r");
    if six {
        no_routers(scenario, "r");
    }
    let hosts = scenario.between(2, 3);
    for number in 1..=hosts {
        let (ns, port) = (format!("h{number}"), format!("r{number}"));
        scenario.namespace(&ns);
        if six {
            no_routers(scenario, &ns);
        }
        let (mac, routers) = scenario.veth(&ns, "eth0", "r", &port);
        let (own, gateway) = (address(six, number, 1), address(six, number, 254));
        let (bits, nodad) = if six { (64, " nodad") } else { (24, "") };
        scenario.line(format!("ip -n {ns} addr add {own}/{bits} dev eth0{nodad}"));
        scenario.line(format!("ip -n r addr add {gateway}/{bits} dev {port}{nodad}"));
        if six {
            // What asks for neighbours would be counted.
            scenario.line(format!("ip -n {ns} neigh add {gateway} lladdr {routers} dev eth0 nud permanent"));
            scenario.line(format!("ip -n r neigh add {own} lladdr {mac} dev {port} nud permanent"));
        }
        // Without a way back it answers only who is translated.
        if number == 1 || !scenario.once_in(4) {
            scenario.line(format!("ip -n {ns} route add default via {gateway}"));
        }
    }
    let forward = if six { "ipv6.conf.all.forwarding" } else { "ipv4.ip_forward" };
    scenario.line(format!("ip netns exec r sysctl -w net.{forward}=1"));
    if six {
        // Until all groups have been reported.
        scenario.line("sleep 4.3");
    }
    let mut firewall = Firewall { scenario, hosts, pings: 0, ports: 0, six };
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

/// Nobody asks for routers, and no reports of groups come long after.
fn no_routers(scenario: &mut Scenario, ns: &str) {
    scenario.line(format!("ip netns exec {ns} sysctl -w net.ipv6.conf.default.accept_ra=0"));
}

/// An address in a network.
fn address(six: bool, net: usize, host: usize) -> String {
    if six { format!("fd00:0:0:{net}::{host}") } else { format!("10.0.{net}.{host}") }
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
        let program = self.program();
        self.scenario.line(format!("ip netns exec r {program}{table} {command}"));
    }

    fn program(&self) -> &'static str {
        if self.six { "ip6tables-legacy" } else { "iptables-legacy" }
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
        match (self.scenario.below(4), self.six) {
            (0, false) => format!("10.0.{net}.0/24"),
            (0, true) => format!("fd00:0:0:{net}::/64"),
            (1, six) => address(six, net, 254),
            (_, six) => address(six, net, 1),
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
        let more = match self.scenario.below(30) {
            0 | 1 => format!(" -p {}", if self.six { "icmpv6" } else { "icmp" }),
            2 if self.six => format!(
                " -p icmpv6 --icmpv6-type {}",
                self.scenario.one(&["echo-request", "129", "1/4", "1", "3/0"])
            ),
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
            14 if self.six => " -m iprange --src-range fd00:0:0:1::-fd00:0:0:1::9".to_owned(),
            14 => format!(
                " -m iprange {}",
                self.scenario.one(&["--src-range 10.0.1.0-10.0.1.9", "! --dst-range 10.0.2.1-10.0.2.9"])
            ),
            15 if self.six => {
                format!(" -m hl {}", self.scenario.one(&["--hl-eq 63", "--hl-gt 63", "! --hl-eq 64"]))
            }
            15 => format!(" -m ttl {}", self.scenario.one(&["--ttl-eq 63", "--ttl-gt 63", "--ttl-lt 64"])),
            16 => format!(" -m length --length {}", self.scenario.one(&["84", "85:", "0:84"])),
            17 if chain != "OUTPUT" && chain != "POSTROUTING" => " -m pkttype --pkt-type unicast".to_owned(),
            18 if chain == "OUTPUT" || chain == "POSTROUTING" => " -m owner --uid-owner 0".to_owned(),
            19 if chain == "FORWARD" || chain == "PREROUTING" => {
                " -m mac ! --mac-source 02:00:00:00:00:02".to_owned()
            }
            20 | 21 => format!(" -m conntrack {}", self.scenario.one(CONNECTION)),
            22..=25 => format!(" {}", self.scenario.one(REMEMBERING)),
            26 | 27 => format!(" {}", self.scenario.one(LOOKING)),
            28 => {
                let (side, whose) =
                    (self.scenario.one(&["src", "dst"]), self.scenario.one(&["orig", "repl"]));
                let (not, address) = (self.scenario.one(&["", "! "]), self.address());
                format!(" -m conntrack {not}--ct{whose}{side} {address}")
            }
            _ => String::new(),
        };
        // No rule of raw knows a connection.
        let about_connections = more.contains("-m conn") || more.contains("state");
        if !(table == "raw" && about_connections) {
            text.push_str(&more);
        }
        text
    }

    fn target(&mut self, table: &str, chain: &str) -> String {
        let net = self.scenario.between(1, self.hosts);
        if self.scenario.once_in(5) {
            return format!(" {}", self.scenario.one(&["-j one", "-j two", "-g two", "-j RETURN"]));
        }
        let reject = self.scenario.one(if self.six { REJECTS6 } else { REJECTS });
        let (host, gateway) = (address(self.six, net, 1), address(self.six, net, 254));
        let place = if self.six { format!("[{host}]") } else { host.clone() };
        let target = match table {
            "filter" => match self.scenario.below(11) {
                0 => "DROP".to_owned(),
                9 => return " -p tcp -j REJECT --reject-with tcp-reset".to_owned(),
                10 => self
                    .scenario
                    .one(&["NFLOG --nflog-group 3", "NFQUEUE --queue-bypass", "NFQUEUE"])
                    .to_owned(),
                1..=3 => format!("REJECT{reject}"),
                4 => "LOG --log-prefix \"seen: \"".to_owned(),
                5 | 6 => "ACCEPT".to_owned(),
                _ => return String::new(),
            },
            "nat" => match chain {
                "PREROUTING" | "OUTPUT" => match self.scenario.below(7) {
                    0 => format!("DNAT --to-destination {host}"),
                    1 => return format!(" -p udp -j DNAT --to-destination '{place}:5009'"),
                    2 => "REDIRECT".to_owned(),
                    3 => return " -p udp -j REDIRECT --to-ports 5008".to_owned(),
                    4 => {
                        return format!(
                            " -p udp --dport 5001:5003 -j DNAT --to-destination '{place}:6001-6003/5001'"
                        );
                    }
                    5 => return format!(" -p tcp --dport 8080 -j DNAT --to-destination '{place}:80'"),
                    _ => {
                        let elsewhere = address(self.six, ELSEWHERE, 9);
                        return format!(" -d {elsewhere} -j DNAT --to-destination {host}");
                    }
                },
                "POSTROUTING" => match self.scenario.below(6) {
                    0 => format!("SNAT --to-source {gateway}"),
                    1 if self.six => "NETMAP --to fd00:7::/48".to_owned(),
                    1 => "NETMAP --to 10.7.0.0/16".to_owned(),
                    2 => return " -p udp -j MASQUERADE --to-ports 7000".to_owned(),
                    3 if !self.six => return format!(" -p udp -j SNAT --to-source {gateway}:7001"),
                    _ => "MASQUERADE".to_owned(),
                },
                _ => format!("SNAT --to-source {}", address(self.six, 1, 77)),
            },
            "mangle" => match self.scenario.below(14) {
                0 => "MARK --set-mark 1".to_owned(),
                1 => "MARK --or-mark 2".to_owned(),
                2 => "MARK --set-xmark 0x3/0xf".to_owned(),
                3 => "CONNMARK --save-mark".to_owned(),
                4 => "CONNMARK --restore-mark".to_owned(),
                5 => "CONNMARK --set-mark 2".to_owned(),
                8 => format!(
                    "TOS {}",
                    self.scenario.one(&["--set-tos 0x10", "--or-tos 0x20", "--and-tos 0xf0"])
                ),
                9 => format!("DSCP {}", self.scenario.one(&["--set-dscp 4", "--set-dscp-class CS1"])),
                10 if chain == "POSTROUTING" || chain == "FORWARD" => "CLASSIFY --set-class 1:10".to_owned(),
                11 => format!(
                    "CONNMARK {}",
                    self.scenario.one(&[
                        "--save-mark --mask 0xf",
                        "--restore-mark --mask 0x3",
                        "--or-mark 4",
                        "--set-xmark 1/3"
                    ])
                ),
                12 => {
                    format!("MARK {}", self.scenario.one(&["--and-mark 2", "--xor-mark 3", "--set-mark 2/2"]))
                }
                6 if self.six => {
                    format!("HL {}", self.scenario.one(&["--hl-set 33", "--hl-dec 2", "--hl-inc 5"]))
                }
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
            0 => address(self.six, ELSEWHERE, 9),
            1 => address(self.six, net, 254),
            2 if !self.six => address(false, net, 99),
            _ => address(self.six, net, 1),
        };
        (from, to)
    }

    fn traffic(&mut self) {
        let link = self.scenario.between(1, self.hosts);
        let seen = if self.six { "icmp6 and (ip6[40] = 128 or ip6[40] = 129)" } else { SEEN };
        let capture = self.scenario.capture_of(&format!("h{link}"), "eth0", seen);
        let server = (!self.six).then(|| self.server());
        self.scenario.line("sleep 0.7");
        for _ in 0..self.scenario.between(5, 8) {
            let (from, to) = self.pair();
            self.pings += 1;
            let options =
                self.scenario.one(&["", "", "", " -t 1", " -s 1600", " -c2 -i0.2", " -Q 0x10", " -c3 -i0.3"]);
            let id = self.pings;
            let family = if self.six { " -6" } else { "" };
            self.scenario.line(format!("ip netns exec {from} ping{family} -e {id} -c1 -W0.31{options} {to}"));
        }
        for _ in 0..self.scenario.between(1, 3) {
            if self.six {
                break;
            }
            let (from, to) = self.pair();
            self.ports += 1;
            let port = self.scenario.one(&["5001", "5002", "5003"]);
            let own = 4000 + self.ports;
            // Whether it hears of an error in time hangs on how fast programs are.
            self.scenario
                .line(format!("echo x | ip netns exec {from} nc -n -u -p {own} -w 1 {to} {port} || true"));
        }
        let (from, net) = (self.pair().0, self.scenario.between(1, self.hosts));
        if !self.six && from != format!("h{net}") {
            self.ports += 1;
            let own = 4000 + self.ports;
            self.scenario.line(format!("ip netns exec {from} nc -n -z -w 1 -p {own} 10.0.{net}.1 80"));
        }
        if let Some((host, _)) = &server {
            let (from, to) = (self.pair().0, address(false, *host, 1));
            if from != format!("h{host}") {
                self.ports += 1;
                let own = 4000 + self.ports;
                let (to, port) = match self.scenario.below(3) {
                    0 => (address(false, ELSEWHERE, 9), "80"),
                    1 => (to, "8080"),
                    _ => (to, "80"),
                };
                self.scenario.line(format!("ip netns exec {from} nc -n -z -w 1 -p {own} {to} {port}"));
            }
        }
        // What asks for an address that nobody has gives up.
        self.scenario.line("sleep 3.3");
        if let Some((_, job)) = server {
            self.scenario.line(format!("kill %{job}"));
        }
        self.scenario.show(&[capture]);
    }

    /// A server on some host: the host's number and its job.
    fn server(&mut self) -> (usize, usize) {
        let host = self.scenario.between(1, self.hosts);
        self.scenario.jobs += 1;
        self.scenario.line(format!("ip netns exec h{host} nc -n -l -k -p 80 >/dev/null 2>&1 &"));
        (host, self.scenario.jobs)
    }

    fn show(&mut self, tables: &[&str]) {
        for table in tables {
            self.run(table, "-L -n -v -x");
        }
        let program = self.program();
        self.scenario.line(format!("ip netns exec r {program}-save -c | grep -v '^#'"));
        self.scenario.line(
            "ip netns exec r cat /proc/net/nf_conntrack | sed -E 's/ +[0-9]+ ([A-Z_]+ )?src/ T \\1src/' | sort",
        );
    }
}
