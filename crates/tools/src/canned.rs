//! A small network for tests: answers to dumps. `eth0` (10.0.0.1/24, alias `eth0:1`) is a port of `br0` with hairpin
//! mode on.

use std::net::{IpAddr, Ipv4Addr};

use hairpin_netlink::codec::messages;
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::address::{AddressAttribute, AddressMessage};
use hairpin_netlink::route::link::{
    BridgeId, BridgePortState, InfoBridge, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind,
    LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage, State, Stats64,
};
use hairpin_netlink::route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use hairpin_netlink::route::route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType};
use hairpin_netlink::{Answer, Message, bridge_port};

use crate::fake::FakeKernel;

/// What a command line prints over this network, and its exit code.
pub(crate) fn run(line: &str) -> (String, i32) {
    let mut kernel = FakeKernel::new(|_| Ok(Vec::new()));
    kernel.netlink = answer;
    kernel.run(line)
}

const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);

/// What it answers to a netlink request.
pub(crate) fn answer(request: &[u8]) -> Vec<u8> {
    let request = messages(request).next().expect("a request");
    let mut answer = Answer::new(request.header);
    let found: Vec<Message> = match request.message().expect("a typed request") {
        Message::GetLink(asked) if asked.header.interface_family == AddressFamily::Bridge => {
            vec![Message::NewLink(port_of_bridge())]
        }
        Message::GetLink(_) => links().into_iter().map(Message::NewLink).collect(),
        Message::GetAddress(_) => addresses().into_iter().map(Message::NewAddress).collect(),
        Message::GetRoute(_) => routes().into_iter().map(Message::NewRoute).collect(),
        Message::GetNeighbour(asked) => neighbours(&asked).into_iter().map(Message::NewNeighbour).collect(),
        // A change: acknowledged.
        _ => return answer.end(Ok(())),
    };
    for message in &found {
        answer.push(message, true);
    }
    answer.done()
}

fn link(index: u32, name: &str, mac: u8) -> LinkMessage {
    let mut link = LinkMessage::default();
    link.header.index = index;
    link.header.link_layer_type = LinkLayerType::Ether;
    link.header.flags = LinkFlags::from_bits_retain(0x11043);
    link.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::TxQueueLen(1000),
        LinkAttribute::OperState(State::Up),
        LinkAttribute::Mtu(1500),
        LinkAttribute::Carrier(1),
        LinkAttribute::Address(vec![2, 0, 0, 0, 0, mac]),
    ];
    link
}

fn port_settings() -> Vec<InfoBridgePort> {
    vec![
        InfoBridgePort::State(BridgePortState::Forwarding),
        InfoBridgePort::Priority(32),
        InfoBridgePort::Cost(2),
        InfoBridgePort::HairpinMode(true),
        InfoBridgePort::Learning(true),
        InfoBridgePort::PortNumber(1),
    ]
}

fn port_of_bridge() -> LinkMessage {
    let mut link = link(2, "eth0", 1);
    link.header.interface_family = AddressFamily::Bridge;
    link.attributes.push(LinkAttribute::Controller(3));
    link.attributes.push(bridge_port::emit(&port_settings()));
    link
}

fn links() -> Vec<LinkMessage> {
    let mut eth0 = link(2, "eth0", 1);
    let mut statistics = Stats64::default();
    statistics.rx_packets = 7;
    statistics.rx_bytes = 5000;
    eth0.attributes.extend([
        LinkAttribute::Stats64(statistics),
        LinkAttribute::Controller(3),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Veth),
            LinkInfo::PortKind(InfoPortKind::Bridge),
            LinkInfo::PortData(InfoPortData::BridgePort(port_settings())),
        ]),
    ]);
    let mut br0 = link(3, "br0", 3);
    let id = BridgeId { priority: 0x8000, address: [2, 0, 0, 0, 0, 3] };
    br0.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Bridge),
        LinkInfo::Data(InfoData::Bridge(vec![
            InfoBridge::BridgeId(id),
            InfoBridge::StpState(0_u32.into()),
            InfoBridge::AgeingTime(30_000),
        ])),
    ]));
    vec![eth0, br0]
}

fn addresses() -> Vec<AddressMessage> {
    let address = |last: u8, label: &str| {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.index = 2;
        message.header.prefix_len = 24;
        let own = Ipv4Addr::new(10, 0, 0, last);
        message.attributes = vec![
            AddressAttribute::Address(IpAddr::V4(own)),
            AddressAttribute::Local(IpAddr::V4(own)),
            AddressAttribute::Broadcast(Ipv4Addr::new(10, 0, 0, 255)),
            AddressAttribute::Label(label.to_owned()),
        ];
        message
    };
    vec![address(1, "eth0"), address(9, "eth0:1")]
}

fn routes() -> Vec<RouteMessage> {
    let route = |prefix: u8, kind: RouteType, attributes: Vec<RouteAttribute>| {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.table = RouteHeader::RT_TABLE_MAIN;
        message.header.destination_prefix_length = prefix;
        message.header.kind = kind;
        message.attributes = attributes;
        message
    };
    let to = |address: [u8; 4]| RouteAttribute::Destination(RouteAddress::Inet(address.into()));
    vec![
        route(
            0,
            RouteType::Unicast,
            vec![RouteAttribute::Gateway(RouteAddress::Inet(GATEWAY)), RouteAttribute::Oif(2)],
        ),
        route(24, RouteType::Unicast, vec![to([10, 0, 0, 0]), RouteAttribute::Oif(2)]),
        route(32, RouteType::Unreachable, vec![to([10, 9, 9, 9]), RouteAttribute::Priority(5)]),
    ]
}

fn neighbours(asked: &NeighbourMessage) -> Vec<NeighbourMessage> {
    let mut message = NeighbourMessage::default();
    message.header.family = asked.header.family;
    message.header.ifindex = 2;
    let mac = NeighbourAttribute::LinkLayerAddress(vec![2, 0, 0, 0, 0, 0x99]);
    let of = |address: Ipv4Addr| NeighbourAttribute::Destination(NeighbourAddress::Inet(address));
    if asked.header.family == AddressFamily::Bridge {
        message.header.state = NeighbourState::Permanent;
        message.attributes = vec![mac, NeighbourAttribute::Controller(3)];
        return vec![message];
    }
    if asked.header.flags.contains(NeighbourFlags::Proxy) {
        message.header.flags = NeighbourFlags::Proxy;
        message.attributes = vec![of(Ipv4Addr::new(10, 0, 0, 77))];
        return vec![message];
    }
    let mut failed = message.clone();
    failed.header.state = NeighbourState::Failed;
    failed.attributes = vec![of(Ipv4Addr::new(10, 0, 0, 7))];
    message.header.state = NeighbourState::Reachable;
    message.attributes = vec![of(GATEWAY), mac];
    vec![message, failed]
}

#[cfg(test)]
mod tests {
    use super::run;

    fn prints(line: &str, text: &str) {
        assert_eq!(run(line), (text.to_owned(), 0), "{line}");
    }

    #[test]
    fn arp() {
        prints(
            "arp -n",
            "Address                  HWtype  HWaddress           Flags Mask            Iface\n\
             10.0.0.254               ether   02:00:00:00:00:99   C                     eth0\n\
             10.0.0.7                         (incomplete)                              eth0\n\
             10.0.0.77                *       <from_interface>    MP                    eth0\n",
        );
        prints("arp -a 10.0.0.7", "seven.example (10.0.0.7) at <incomplete> on eth0\n");
        prints("arp -n 10.0.0.5", "10.0.0.5 (10.0.0.5) -- no entry\n");
    }

    #[test]
    fn brctl() {
        prints(
            "brctl show",
            "bridge name\tbridge id\t\tSTP enabled\tinterfaces\n\
             br0\t\t8000.020000000003\tno\t\teth0\n",
        );
        prints(
            "brctl showmacs br0",
            "port no\tmac addr\t\tis local?\tageing timer\n  1\t02:00:00:00:00:99\tyes\t\t   0.00\n",
        );
        assert_eq!(run("brctl show eth0"), ("device eth0 is not a bridge!\n".to_owned(), 1));
        let text = "device eth0 is already a member of a bridge; can't add it to bridge br0.\n";
        assert_eq!(run("brctl addif br0 eth0"), (text.to_owned(), 1));
    }

    #[test]
    fn bridge() {
        prints(
            "bridge -d link",
            "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master br0 state forwarding priority 32 cost 2 \n    \
             hairpin on learning on \n",
        );
        prints("bridge fdb show br br0", "02:00:00:00:00:99 dev eth0 master br0 permanent\n");
        prints(
            "bridge -j fdb",
            "[{\"mac\":\"02:00:00:00:00:99\",\"ifname\":\"eth0\",\"flags\":[],\"master\":\"br0\",\
             \"state\":\"permanent\"}]\n",
        );
    }

    #[test]
    fn ifconfig() {
        prints(
            "ifconfig eth0",
            "eth0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500\n        \
             inet 10.0.0.1  netmask 255.255.255.0  broadcast 10.0.0.255\n        \
             ether 02:00:00:00:00:01  txqueuelen 1000  (Ethernet)\n        \
             RX packets 7  bytes 5000 (4.8 KiB)\n        \
             RX errors 0  dropped 0  overruns 0  frame 0\n        \
             TX packets 0  bytes 0 (0.0 B)\n        \
             TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0\n\n",
        );
        let (text, _) = run("ifconfig -s");
        let names: Vec<&str> = text.lines().map(|line| line.split(' ').next().unwrap_or("")).collect();
        assert_eq!(names, ["Iface", "br0", "eth0", "eth0:1"]);
    }

    #[test]
    fn route() {
        prints(
            "route -n",
            "Kernel IP routing table\n\
             Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n\
             0.0.0.0         10.0.0.254      0.0.0.0         UG    0      0        0 eth0\n\
             10.0.0.0        0.0.0.0         255.255.255.0   U     0      0        0 eth0\n\
             10.9.9.9        -               255.255.255.255 !H    5      -        0 -\n",
        );
    }

    #[test]
    fn ethtool() {
        let (text, code) = run("ethtool br0");
        assert!(text.contains("\tSpeed: 10000Mb/s\n\tDuplex: Unknown! (255)\n"), "{text}");
        assert_eq!(code, 0);
        assert!(run("ethtool -i eth0").0.starts_with("driver: veth\nversion: 1.0\n"));
    }

    /// Command lines of words that mean something somewhere, in any order.
    #[test]
    fn no_command_line_makes_a_program_panic() {
        const PROGRAMS: [&str; 9] =
            ["arp", "brctl", "bridge", "ethtool", "ifconfig", "route", "ssh", "sudo", "sysctl"];
        const WORDS: [&str; 96] = [
            "-a",
            "-n",
            "-e",
            "-s",
            "-d",
            "-j",
            "-p",
            "-v",
            "-D",
            "-i",
            "-f",
            "-H",
            "-A",
            "-w",
            "-r",
            "-b",
            "-N",
            "-S",
            "-P",
            "-h",
            "-V",
            "-ee",
            "--",
            "-net",
            "-host",
            "add",
            "del",
            "delete",
            "append",
            "replace",
            "get",
            "flush",
            "show",
            "link",
            "fdb",
            "set",
            "dev",
            "via",
            "dst",
            "vni",
            "vlan",
            "port",
            "nhid",
            "self",
            "master",
            "state",
            "cost",
            "priority",
            "hairpin",
            "on",
            "off",
            "hw",
            "ether",
            "mtu",
            "netmask",
            "broadcast",
            "up",
            "down",
            "promisc",
            "-promisc",
            "-arp",
            "pointopoint",
            "dstaddr",
            "txqueuelen",
            "gw",
            "metric",
            "mss",
            "window",
            "irtt",
            "reject",
            "pub",
            "temp",
            "addif",
            "delif",
            "showmacs",
            "showstp",
            "setageing",
            "setfd",
            "stp",
            "eth0",
            "eth0:1",
            "br0",
            "nope",
            "10.0.0.1",
            "10.0.0.0/24",
            "10.0.0.254/33",
            "fe80::1/64",
            "02:00:00:00:00:99",
            "02:",
            "default",
            "0",
            "-1",
            "99999999999999999999",
            "1e400",
            "[",
            "\u{e9}\u{20ac}=:/.",
        ];
        let mut seed: u64 = 1;
        let mut random = |bound: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % bound
        };
        for round in 0..20_000 {
            let count = random(8);
            let words: Vec<&str> = (0..count).map(|_| WORDS[random(WORDS.len())]).collect();
            run(&format!("{} {}", PROGRAMS[round % PROGRAMS.len()], words.join(" ")));
        }
    }
}
