//! Which packets our filters take, against those of the real tcpdump.

mod common;

use std::collections::BTreeSet;

use hairpin_capture::filter::{Filter, FrameView, Target};
use hairpin_capture::{LinkType, Packet};

const TARGET: Target = Target { link: LinkType::ETHERNET, live: false, netmask: 0 };

const EXPRESSIONS: &[&str] = &[
    "",
    "arp",
    "rarp",
    "ip",
    "ip6",
    "icmp",
    "icmp6",
    "tcp",
    "udp",
    "igmp",
    "vrrp",
    "stp",
    "iso",
    "ipx",
    "netbeui",
    "atalk",
    "aarp",
    "pim",
    "ah",
    "esp",
    "sctp",
    "llc",
    "esis",
    "not arp",
    "not (arp or icmp)",
    "! arp && ! icmp",
    "icmp or arp",
    "arp or icmp and icmp",
    "arp or (icmp and icmp)",
    "icmp and arp or arp",
    "not icmp or arp",
    "host 10.0.0.1",
    "src host 10.0.0.1",
    "dst host 10.0.0.2",
    "src 10.0.0.1",
    "dst 10.0.0.2 and not udp",
    "src or dst host 10.0.0.2",
    "src and dst host 10.0.0.1",
    "host 10.0.0.1 or 192.168.1.1",
    "host (10.0.0.1 and 10.0.0.2)",
    "host not 10.0.0.1",
    "ip host 10.0.0.2",
    "arp host 10.0.0.2",
    "rarp host 10.0.0.2",
    "host localhost",
    "host ::1",
    "host fe80::1",
    "src host fe80::1 and dst host 2001:db8::2",
    "ip6 host 2001:db8::2",
    "net 10.0.0.0/24",
    "net 10.0.0.0/8",
    "net 10.0.0.0 mask 255.255.255.0",
    "net 10",
    "net 10.0",
    "src net 192.168",
    "net 0.0.0.0/0",
    "net 2001:db8::/32",
    "dst net fe80::/10",
    "net ff02::/16",
    "port 53",
    "port domain",
    "udp port 53",
    "tcp port 53",
    "port 53 or 4789",
    "port (53 or 67)",
    "not port 53",
    "src port 53",
    "dst port 40000",
    "src and dst port 5000",
    "tcp port ssh or http",
    "tcp src port 80",
    "port bootps",
    "portrange 1-100",
    "udp portrange 5000-6000",
    "tcp dst portrange 22-8888",
    "src portrange 8888-22",
    "portrange 53",
    "portrange domain-9999",
    "ether host 02:00:00:00:00:0a",
    "ether src 2:0:0:0:0:a",
    "ether dst 02-00-00-00-00-0b",
    "ether dst 0200.0000.000b",
    "ether host 02000000000a",
    "ether broadcast",
    "broadcast",
    "ether multicast",
    "multicast",
    "ip broadcast",
    "ip multicast",
    "ip6 multicast",
    "ether proto 0x88b5",
    "ether proto \\arp",
    "ether proto \\ip6",
    "ether proto \\stp",
    "ether proto 0x42",
    "ether proto 6",
    "ip proto \\icmp",
    "ip proto 2",
    "ip6 proto 17",
    "proto 17",
    "proto \\udp or gre",
    "vlan",
    "vlan 5",
    "vlan 5 and icmp",
    "vlan and arp",
    "vlan and vlan",
    "vlan 100 and vlan 5 and icmp",
    "vlan 200 and vlan and vlan",
    "icmp or vlan and icmp",
    "icmp or (vlan and icmp)",
    "not vlan",
    "vlan and not icmp",
    "vlan and (ip or ip6)",
    "vlan and udp port 53",
    "vlan and host 10.0.0.1",
    "vlan and ether src 02:00:00:00:00:0a",
    "vlan and stp",
    "vlan and ether[12:2] = 0x8100",
    "less 60",
    "greater 100",
    "len = 60",
    "len - 14 > 100",
    "length != 60",
    "ether[0] & 1 = 0",
    "ether[0] & 1 != 0",
    "ether[12:2] = 0x0800",
    "ip[0] & 0xf != 5",
    "ip[8] = 64",
    "ip[8:1] < 2",
    "ip[6:2] & 0x1fff != 0",
    "ip[6] & 0x20 != 0",
    "ip[2:2] - (ip[0] & 0xf) * 4 > 40",
    "icmp[icmptype] == icmp-echo",
    "icmp[icmptype] != icmp-echo and icmp[0] != icmp-echoreply",
    "icmp[icmpcode] > 3",
    "icmp6[icmp6type] = icmp6-neighborsolicit",
    "icmp6[0] = 128 or icmp6[0] = 129",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
    "tcp[13] = 0x12",
    "tcp[tcpflags] == tcp-syn|tcp-ack",
    "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
    "udp[4:2] > 20",
    "udp[0:2] = 53 or udp[2:2] = 53",
    "ip6[6] = 58",
    "ip6[40] = 135",
    "arp[6:2] = 1",
    "arp[6:2] = 2 and ether dst ff:ff:ff:ff:ff:ff",
    "ip[ip[0] & 0xf] = 0",
    "ip[9] + 1 = 18",
    "tcp[0:2] + ip[9] = 46",
    "ip[9] - 20 = 0 - 3",
    "-ip[9] = 0 - 17",
    "ip[8] * 2 / 4 % 7 = 4",
    "ip[8] ^ 0x40 = 0",
    "1 = 1",
    "2 > 1 and icmp",
    "ip[1000] = 0 or arp",
    "arp or ip[1000] = 0",
    "not ip[1000] = 0",
    "not tcp port 80",
    "byte 0 = 2",
    "byte 13 > 6",
    "byte 14 < 70",
    "ip and not tcp and not udp and not icmp",
    "tcp or udp and port 53",
    "udp and port 53 or 4789 and host 10.0.0.1",
    "src host 10.0.0.1 and not (dst port 80 or 443 or 22)",
    "ether src 02:00:00:00:00:0a and (arp or ip) and not broadcast",
    "link[0] = 2",
    "icmp and icmp[0] = 3 and icmp[1] = 3",
    "ip host 10.0.0.2 and not ip proto 17",
    "igmp or vrrp or icmp6",
    "0x08 = 010",
    "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
    "ip[16] >= 224",
    "clnp",
    "decnet",
];

const REFUSED: &[&str] = &[
    "foo",
    "host foo.invalid.",
    "port foo",
    "ip and",
    "and ip",
    "gateway 1.2.3.4",
    "net 10.0.0.1/24",
    "host 1.2.3.4/24",
    "host 1.2.3.0/24",
    "net 10.0/33",
    "net 1.2.3.4 mask 255.255.255.0",
    "port 99999",
    "portrange 1-",
    "portrange 1-foo",
    "tcp port domain and",
    "ether host foo",
    "proto foo",
    "ip proto foo",
    "ether proto foo",
    "vlan 5000",
    "inbound",
    "outbound",
    "tcp[0:3] = 1",
    "ip[0:1",
    "tcp host",
    "tcp host 1.2.3.4",
    "udp net 10",
    "len",
    "less abc",
    "ether[0]",
    "arp port 53",
    "icmp host 1.2.3.4",
    "ip host ::1",
    "ip6 host 1.2.3.4",
    "ip6 net 10.0.0.0/8",
    "host 256.1.1.1",
    "net 10.1.2.3.4",
    "$",
    "'",
    "((ip)",
    "ip)",
    "()",
    "ether host 1:2:3:4:5",
    "host 1:2:3:4:5:6",
    "1.2.3.4",
    "53",
    "icmp 53",
    "type mgt",
    "ip[1]/0=1",
    "ip[1]%0=1",
    "ip[1]<<32=1",
    "net 2001:db8::/130",
    "net 2001:db8::1/64",
    "host 2001:db8::/32",
    "port 2001:db8::1",
    "ether 10.0.0.1",
    "tcp port 53.2",
    "port snmp and udp port snmp and tcp port bootps",
    "tcp port tftp",
    "src and dst",
    "greater",
    "tcp proto 6",
    "arp proto 6",
    "lat proto 6",
    "host 10.0.0.1 and tcp and 10.0.0.2",
    "ether[0] = 08",
    "ip[0] = 4294967296",
    "ip[0] = 0x100000000",
    "esp[0] = 1",
    "not",
    "ifindex 3",
    "1 = 2",
    "icmp and 1 = 2",
    "icmp and not 2 > 1",
    "port 53 or (54 or tcp)",
    "ether broadcast multicast",
    "arp net 10.0.0.0/8 broadcast",
];

#[test]
fn the_same_packets_are_taken() {
    compare(&common::packets::all());
}

#[test]
fn the_same_damaged_packets_are_taken() {
    compare(&common::packets::damaged(10));
}

fn compare(packets: &[Packet]) {
    let Some(program) = common::tcpdump() else { return };
    let file = common::file(packets, LinkType::ETHERNET);
    assert!(EXPRESSIONS.len() >= 80 && packets.len() >= 300, "{} packets", packets.len());
    let mut wrong = Vec::new();
    for expression in EXPRESSIONS {
        // The time of each packet tells which it is.
        let (out, error) =
            common::run(program, &["-n", "-q", "-tt", "--nano", "-x", "--", expression], &file);
        let theirs: BTreeSet<&str> = out
            .lines()
            .filter_map(|line| line.split(' ').next())
            .filter(|time| time.len() == 20 && time.contains('.'))
            .collect();
        if error.lines().any(|line| line.starts_with("tcpdump:")) {
            wrong.push(format!("{expression}: {error}"));
            continue;
        }
        let filter = match Filter::compile(expression, TARGET) {
            Ok(filter) => filter,
            Err(error) => {
                wrong.push(format!("{expression}: {error}"));
                continue;
            }
        };
        let times: Vec<String> = packets
            .iter()
            .filter(|packet| filter.matches(&FrameView::of_file(&packet.data, packet.length)))
            .map(|packet| format!("{}.{:09}", packet.time_ns / 1_000_000_000, packet.time_ns % 1_000_000_000))
            .collect();
        let ours: BTreeSet<&str> = times.iter().map(String::as_str).collect();
        if ours != theirs {
            let missing: Vec<_> = theirs.difference(&ours).collect();
            let surplus: Vec<_> = ours.difference(&theirs).collect();
            wrong.push(format!("{expression}: missing {missing:?}, surplus {surplus:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_expressions_are_refused() {
    let Some(program) = common::tcpdump() else { return };
    let file = common::file(&[], LinkType::ETHERNET);
    let mut wrong = Vec::new();
    for expression in REFUSED {
        let (_, error) = common::run(program, &["-n", "--", expression], &file);
        let theirs = error.lines().find_map(|line| line.strip_prefix("tcpdump: "));
        let ours = Filter::compile(expression, TARGET).err().map(|error| error.to_string());
        if ours.as_deref() != theirs {
            wrong.push(format!("{expression}: theirs {theirs:?}, ours {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
