//! Requests as bytes, answers as bytes. Outcomes are those that Linux gives to the same requests of `ip link`.

use hairpin_netlink::{
    Errno, Failure, Message,
    codec::{self, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST},
    route::link::{InfoBridge, InfoData, InfoKind, InfoMacVlan, LinkAttribute, LinkInfo, LinkMessage},
};

use super::*;
use crate::device::Flags;

const NEW: u16 = NLM_F_CREATE | NLM_F_EXCL;

/// Bytes of one attribute.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = ((4 + value.len()) as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn text(kind: u16, value: &str) -> Vec<u8> {
    attribute(kind, format!("{value}\0").as_bytes())
}

fn number(kind: u16, value: u32) -> Vec<u8> {
    attribute(kind, &value.to_ne_bytes())
}

fn name(value: &str) -> Vec<u8> {
    text(ifla::IFNAME, value)
}

/// `IFLA_LINKINFO` with a kind and its options.
fn kind(kind: &str, data: &[Vec<u8>]) -> Vec<u8> {
    let mut info = text(1, kind);
    if !data.is_empty() {
        info.extend(attribute(2, &data.concat()));
    }
    attribute(ifla::LINKINFO, &info)
}

/// One machine and a task on it.
struct Lab {
    world: World,
    ns: NsId,
    opened: Vec<NsId>,
}

/// Header of a request: type, flags, interface index, flags to set and their mask.
#[derive(Clone, Copy)]
struct Ask {
    kind: u16,
    flags: u16,
    family: u8,
    index: u32,
    set: u32,
    mask: u32,
}

const ADD: Ask = Ask { kind: RTM_NEWLINK, flags: NEW, family: 0, index: 0, set: 0, mask: 0 };
const SET: Ask = Ask { kind: RTM_NEWLINK, flags: 0, ..ADD };
const DEL: Ask = Ask { kind: RTM_DELLINK, flags: 0, ..ADD };
const GET: Ask = Ask { kind: RTM_GETLINK, flags: 0, ..ADD };

impl Lab {
    fn new() -> Self {
        let mut world = World::new(1);
        let host = world.add_host("pc").unwrap_or_default();
        let ns = world.hosts[host].initial;
        Lab { world, ns, opened: Vec::new() }
    }

    fn raw(&mut self, ask: Ask, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut payload = vec![ask.family, 0, 0, 0];
        for word in [ask.index, ask.set, ask.mask] {
            payload.extend(word.to_ne_bytes());
        }
        payload.extend(attributes.concat());
        let mut bytes = ((16 + payload.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(ask.kind.to_ne_bytes());
        bytes.extend((ask.flags | NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
        bytes.extend([1, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(payload);
        let opened = self.opened.clone();
        let asker = Asker { ns: self.ns, opened: &|fd| opened.get(fd as usize).copied() };
        self.world.rtnetlink(&asker, &bytes)
    }

    fn ask(&mut self, ask: Ask, attributes: &[Vec<u8>]) -> Result<(), Failure> {
        let answer = self.raw(ask, attributes);
        codec::messages(&answer).find_map(|message| message.outcome()).unwrap_or(Ok(()))
    }

    /// As a program would print it: errno name and text.
    fn says(&mut self, ask: Ask, attributes: &[Vec<u8>]) -> String {
        match self.ask(ask, attributes) {
            Ok(()) => "ok".to_owned(),
            Err(Failure { errno, text, .. }) => {
                format!("{errno:?} {}", text.unwrap_or_default()).trim_end().to_owned()
            }
        }
    }

    fn links(&mut self, attributes: &[Vec<u8>]) -> Vec<LinkMessage> {
        let answer = self.raw(Ask { flags: NLM_F_DUMP, ..GET }, attributes);
        links(&answer)
    }

    fn link(&mut self, wanted: &str) -> LinkMessage {
        let answer = self.raw(GET, &[name(wanted)]);
        links(&answer).into_iter().next().unwrap_or_default()
    }

    fn index(&mut self, name: &str) -> u32 {
        self.link(name).header.index
    }

    fn up(&mut self, name: &str) -> String {
        let index = self.index(name);
        let up = Flags::UP.bits();
        self.says(Ask { index, set: up, mask: up, ..SET }, &[])
    }

    fn add(&mut self, new: &str, of_kind: &str) {
        assert_eq!(self.says(ADD, &[name(new), kind(of_kind, &[])]), "ok");
    }

    /// `v0`, `v1` (a pair), `br0`, and `m0` on `v1`.
    fn usual() -> Self {
        let mut lab = Lab::new();
        let peer = [vec![0; 16], name("v1")].concat();
        let veth = kind("veth", &[attribute(1, &peer)]);
        assert_eq!(lab.says(ADD, &[name("v0"), veth]), "ok");
        lab.add("br0", "bridge");
        let v1 = lab.index("v1");
        let bridge_mode = kind("macvlan", &[number(1, 4)]);
        assert_eq!(lab.says(ADD, &[name("m0"), number(ifla::LINK, v1), bridge_mode]), "ok");
        lab
    }
}

fn links(answer: &[u8]) -> Vec<LinkMessage> {
    let typed = codec::messages(answer).filter_map(|message| message.message().ok());
    typed
        .filter_map(|message| match message {
            Message::NewLink(link) => Some(link),
            _ => None,
        })
        .collect()
}

fn link_name(link: &LinkMessage) -> String {
    let found = link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    });
    found.unwrap_or_default()
}

#[test]
fn creation_is_refused_as_linux_refuses_it() {
    let mut lab = Lab::usual();
    let v0 = lab.index("v0");
    let lo = lab.index("lo");
    let on = |index| number(ifla::LINK, index);
    let mtu = |mtu| number(ifla::MTU, mtu);
    let group_mac = || attribute(ifla::ADDRESS, &[1, 2, 3, 4, 5, 6]);
    let vlan = |vid: u16| kind("vlan", &[attribute(1, &vid.to_ne_bytes())]);
    let cases: Vec<(Vec<Vec<u8>>, &str)> = vec![
        (vec![name("x"), kind("foo", &[])], "EOPNOTSUPP Unknown device type"),
        (vec![name("x")], "EOPNOTSUPP Unknown device type"),
        (vec![name("v0"), kind("veth", &[])], "EEXIST"),
        (vec![name("a123456789012345"), kind("bridge", &[])], "ERANGE Attribute failed policy validation"),
        (vec![name("a/b"), kind("bridge", &[])], "EINVAL"),
        (vec![name("x"), kind("bridge", &[]), group_mac()], "EADDRNOTAVAIL"),
        (vec![name("x"), kind("veth", &[]), group_mac()], "EADDRNOTAVAIL"),
        (vec![name("x"), kind("veth", &[]), mtu(60)], "EINVAL"),
        (vec![name("x"), kind("bridge", &[]), mtu(60)], "EINVAL mtu less than device minimum"),
        (vec![name("x"), kind("bridge", &[]), mtu(70000)], "EINVAL mtu greater than device maximum"),
        (
            vec![name("x"), kind("bridge", &[]), number(ifla::NUM_TX_QUEUES, 5000)],
            "EINVAL Invalid number of transmit queues",
        ),
        (vec![name("x"), kind("macvlan", &[])], "EINVAL"),
        (vec![name("x"), kind("macvlan", &[]), on(99)], "ENODEV"),
        (vec![name("x"), kind("macvlan", &[]), on(lo)], "EINVAL"),
        (vec![name("x"), kind("macvlan", &[]), on(v0), mtu(9000)], "EINVAL"),
        (vec![name("x"), kind("macvlan", &[number(1, 3)]), on(v0)], "EINVAL"),
        (vec![name("x"), kind("vlan", &[]), on(v0)], "EINVAL 8021q: VLAN properties not specified"),
        (vec![name("x"), vlan(4095), on(v0)], "ERANGE 8021q: Invalid VLAN id"),
        (vec![name("x"), vlan(5)], "EINVAL 8021q: link not specified"),
        (vec![name("x"), vlan(5), on(99)], "ENODEV 8021q: link does not exist"),
        (vec![name("x"), vlan(5), on(lo)], "EOPNOTSUPP 8021q: VLANs not supported on device"),
        (vec![name("x"), vlan(5), on(v0)], "ok"),
        (vec![name("y"), vlan(5), on(v0)], "EEXIST 8021q: VLAN device already exists"),
        (vec![name("z"), kind("dummy", &[]), number(ifla::NET_NS_PID, 77)], "ESRCH"),
        (vec![name("z"), kind("dummy", &[]), number(ifla::NET_NS_FD, 9)], "EBADF"),
        (
            vec![name("z"), kind("dummy", &[]), number(ifla::LINK_NETNSID, 9)],
            "EINVAL Unknown network namespace id",
        ),
        (
            vec![name("z"), kind("dummy", &[]), number(ifla::NET_NS_FD, 0), number(ifla::NET_NS_PID, 1)],
            "EINVAL multiple netns identifying attributes specified",
        ),
    ];
    for (attributes, expected) in cases {
        assert_eq!(lab.says(ADD, &attributes), expected, "{attributes:?}");
    }
}

#[test]
fn a_failed_creation_leaves_nothing() {
    let mut lab = Lab::usual();
    let before = lab.links(&[]).len();
    // The peer's name is taken; a bridge with an impossible option; a master that is none.
    let peer = [vec![0; 16], name("v1")].concat();
    assert_eq!(lab.says(ADD, &[name("w"), kind("veth", &[attribute(1, &peer)])]), "EEXIST");
    let peer = [vec![0; 16], name("w")].concat();
    assert_eq!(lab.says(ADD, &[name("w"), kind("veth", &[attribute(1, &peer)])]), "EEXIST");
    assert_eq!(lab.says(ADD, &[name("w"), kind("bridge", &[number(2, 1)])]), "ERANGE");
    let v0 = lab.index("v0");
    assert_eq!(lab.says(ADD, &[name("w"), kind("dummy", &[]), number(ifla::MASTER, v0)]), "EOPNOTSUPP");
    // One end up needs the other (`veth_open`).
    let mut up = vec![0; 16];
    up[8..12].copy_from_slice(&1u32.to_ne_bytes());
    up[12..16].copy_from_slice(&1u32.to_ne_bytes());
    let peer = [up, name("w1")].concat();
    assert_eq!(lab.says(ADD, &[name("w0"), kind("veth", &[attribute(1, &peer)])]), "ENOTCONN");
    assert_eq!(lab.links(&[]).len(), before);
}

#[test]
fn names_are_found_where_none_is_given() {
    let mut lab = Lab::new();
    assert_eq!(lab.says(ADD, &[kind("bridge", &[])]), "ok");
    assert_eq!(lab.says(ADD, &[kind("veth", &[])]), "ok");
    let names: Vec<String> = lab.links(&[]).iter().map(link_name).collect();
    assert_eq!(names, ["lo", "bridge0", "veth0", "veth1"]);
}

#[test]
fn changes_are_refused_as_linux_refuses_them() {
    let mut lab = Lab::usual();
    lab.add("br1", "bridge");
    let index = |lab: &mut Lab, name: &str| lab.index(name);
    let (v0, v1, m0, br0, br1, lo) = (
        index(&mut lab, "v0"),
        index(&mut lab, "v1"),
        index(&mut lab, "m0"),
        index(&mut lab, "br0"),
        index(&mut lab, "br1"),
        index(&mut lab, "lo"),
    );
    let at = |index| Ask { index, ..SET };
    let master = |index| number(ifla::MASTER, index);
    let cases: Vec<(u32, Vec<u8>, &str)> = vec![
        (br0, master(br1), "ELOOP Can not enslave a bridge to a bridge"),
        (lo, master(br0), "EINVAL"),
        (v0, master(v1), "EOPNOTSUPP"),
        (v0, master(99), "EINVAL"),
        (v1, master(br0), "EBUSY"),
        (v0, number(ifla::MTU, 60), "EINVAL mtu less than device minimum"),
        (v0, number(ifla::MTU, 70000), "EINVAL mtu greater than device maximum"),
        (v0, attribute(ifla::CARRIER, &[0]), "EOPNOTSUPP"),
        (v0, attribute(ifla::PROTO_DOWN, &[1]), "EOPNOTSUPP Protodown not supported by device"),
        (m0, attribute(ifla::PROTO_DOWN, &[1]), "ok"),
        (v0, attribute(ifla::ADDRESS, &[1, 0, 0, 0, 0, 1]), "EADDRNOTAVAIL"),
        (v0, attribute(ifla::ADDRESS, &[0; 6]), "EADDRNOTAVAIL"),
        (v0, attribute(ifla::ADDRESS, &[2, 0, 0]), "EINVAL"),
        (v0, name("v1"), "EEXIST"),
        (v0, name("a/b"), "EINVAL"),
        (v0, number(ifla::TXQLEN, u32::MAX), "ERANGE"),
        (v0, number(ifla::TXQLEN, 32_768), "ERANGE"),
        (v0, number(ifla::TXQLEN, 32_767), "ok"),
        (v0, number(ifla::NET_NS_PID, 999), "ESRCH"),
        (v0, attribute(ifla::AF_SPEC, &attribute(10, &attribute(8, &[1]))), "ok"),
        (v0, attribute(ifla::AF_SPEC, &attribute(10, &attribute(8, &[2]))), "EINVAL"),
        (v0, attribute(ifla::AF_SPEC, &attribute(17, &[])), "EAFNOSUPPORT"),
        (m0, kind("macvlan", &[number(1, 8)]), "EINVAL"),
        (m0, kind("macvlan", &[number(3, 0), attribute(4, &[2, 0, 0, 0, 0, 1])]), "EINVAL"),
        (m0, kind("bridge", &[number(2, 100)]), "EOPNOTSUPP"),
        (v0, kind("veth", &[]), "ok"),
        (v0, kind("veth", &[attribute(1, &[0; 16])]), "EOPNOTSUPP"),
        (br0, kind("bridge", &[number(2, 1)]), "ERANGE"),
    ];
    for (index, attribute, expected) in cases {
        assert_eq!(lab.says(at(index), std::slice::from_ref(&attribute)), expected, "{index} {attribute:?}");
    }
    assert_eq!(lab.says(SET, &[name("nope")]), "ENODEV");
    assert_eq!(lab.says(SET, &[]), "ENODEV");
    assert_eq!(lab.says(Ask { index: u32::MAX, ..SET }, &[]), "EINVAL ifindex can't be negative");
    assert_eq!(lab.says(Ask { index: v0, flags: NEW, ..SET }, &[kind("veth", &[])]), "EEXIST");
}

#[test]
fn what_was_changed_before_a_failure_stays() {
    let mut lab = Lab::usual();
    let v0 = lab.index("v0");
    let attributes = [number(ifla::GROUP, 7), name("w0"), text(ifla::IFALIAS, "x"), number(ifla::MASTER, 99)];
    assert_eq!(lab.says(Ask { index: v0, ..SET }, &attributes), "EINVAL");
    let link = lab.link("w0");
    assert!(link.attributes.contains(&LinkAttribute::Group(7)));
    assert!(link.attributes.contains(&LinkAttribute::IfAlias("x".to_owned())));
}

#[test]
fn flags_change_under_their_mask() {
    let mut lab = Lab::usual();
    let br0 = lab.index("br0");
    let flags = |lab: &mut Lab| Flags::from_bits_truncate(lab.link("br0").header.flags.bits());
    assert_eq!(lab.up("br0"), "ok");
    assert!(flags(&mut lab).contains(Flags::UP | Flags::MULTICAST | Flags::LOWER_UP));
    let promisc = Flags::PROMISC.bits();
    assert_eq!(lab.says(Ask { index: br0, set: promisc, mask: promisc, ..SET }, &[]), "ok");
    assert!(flags(&mut lab).contains(Flags::UP | Flags::PROMISC));
    assert!(lab.link("br0").attributes.contains(&LinkAttribute::Promiscuity(1)));
    let multicast = Flags::MULTICAST.bits();
    assert_eq!(lab.says(Ask { index: br0, set: 0, mask: multicast, ..SET }, &[]), "ok");
    assert!(!flags(&mut lab).contains(Flags::MULTICAST));
    assert_eq!(lab.says(Ask { index: br0, set: 0, mask: 1, ..SET }, &[]), "ok");
    assert!(!flags(&mut lab).contains(Flags::UP));
}

#[test]
fn deletion_by_name_and_by_group() {
    let mut lab = Lab::usual();
    assert_eq!(lab.says(DEL, &[name("lo")]), "EOPNOTSUPP");
    assert_eq!(lab.says(DEL, &[name("nope")]), "ENODEV");
    assert_eq!(lab.says(DEL, &[]), "EINVAL");
    assert_eq!(lab.says(DEL, &[number(ifla::GROUP, 0)]), "EPERM");
    assert_eq!(lab.says(DEL, &[number(ifla::GROUP, 5)]), "ENODEV");
    let v1 = lab.index("v1");
    assert_eq!(lab.says(Ask { index: v1, ..SET }, &[number(ifla::GROUP, 5)]), "ok");
    assert_eq!(lab.says(DEL, &[number(ifla::GROUP, 5)]), "ok");
    // The peer went along, and the macvlan on it.
    let names: Vec<String> = lab.links(&[]).iter().map(link_name).collect();
    assert_eq!(names, ["lo", "br0"]);
}

#[test]
fn other_names() {
    let mut lab = Lab::usual();
    let v0 = lab.index("v0");
    let list = |names: &[&str]| {
        let names: Vec<u8> = names.iter().flat_map(|name| text(ifla::ALT_IFNAME, name)).collect();
        attribute(ifla::PROP_LIST | 0x8000, &names)
    };
    let add = Ask { kind: RTM_NEWLINKPROP, flags: NEW, index: v0, ..ADD };
    let del = Ask { kind: RTM_DELLINKPROP, flags: 0, ..add };
    assert_eq!(lab.says(add, &[list(&["foo", "a-rather-long-alternative-name"])]), "ok");
    assert_eq!(lab.says(add, &[list(&["foo"])]), "EEXIST");
    assert_eq!(lab.says(add, &[list(&["v1"])]), "EEXIST");
    assert_eq!(lab.says(del, &[list(&["bar"])]), "ENOENT");
    assert_eq!(lab.says(del, &[list(&["v0"])]), "EINVAL");
    let found = lab.raw(GET, &[text(ifla::ALT_IFNAME, "a-rather-long-alternative-name")]);
    assert_eq!(links(&found).first().map(link_name), Some("v0".to_owned()));
    assert_eq!(lab.says(del, &[list(&["foo"])]), "ok");
    assert_eq!(lab.says(GET, &[name("foo")]), "ENODEV");
}

#[test]
fn dumps_are_filtered_and_ordered() {
    let mut lab = Lab::usual();
    let (v0, br0) = (lab.index("v0"), lab.index("br0"));
    assert_eq!(lab.says(Ask { index: v0, ..SET }, &[number(ifla::MASTER, br0)]), "ok");
    let names = |lab: &mut Lab, filter: Vec<u8>| -> Vec<String> {
        lab.links(&[filter]).iter().map(link_name).collect()
    };
    assert_eq!(names(&mut lab, number(ifla::EXT_MASK, 9)), ["lo", "v1", "v0", "br0", "m0"]);
    assert_eq!(names(&mut lab, number(ifla::MASTER, br0)), ["v0"]);
    assert_eq!(names(&mut lab, number(ifla::MASTER, u32::MAX)), ["lo", "v1", "br0", "m0"]);
    assert_eq!(names(&mut lab, kind("macvlan", &[])), ["m0"]);
    assert_eq!(names(&mut lab, kind("foo", &[])).len(), 5);
    assert_eq!(lab.says(GET, &[]), "EINVAL");
    assert_eq!(lab.says(GET, &[name("nope")]), "ENODEV");
}

/// Attribute types of 6.1 in its order (`rtnl_fill_ifinfo`), here for a bridge's port.
#[test]
fn attributes_come_in_linuxs_order() {
    let mut lab = Lab::usual();
    let (v0, br0) = (lab.index("v0"), lab.index("br0"));
    assert_eq!(lab.says(Ask { index: v0, ..SET }, &[number(ifla::MASTER, br0)]), "ok");
    let answer = lab.raw(GET, &[name("v0")]);
    let message = codec::messages(&answer).next().map(|message| message.payload.to_vec());
    let message = message.unwrap_or_default();
    let kinds: Vec<u16> = codec::attributes(message.get(16..).unwrap_or(&[])).map(|(kind, _)| kind).collect();
    assert_eq!(
        kinds,
        [
            3, 13, 16, 17, 4, 50, 51, 27, 30, 61, 31, 40, 41, 58, 59, 60, 32, 10, 33, 6, 35, 47, 48, 39, 14,
            1, 2, 23, 7, 43, 18, 5, 26
        ]
    );
}

#[test]
fn macvlan_sources_and_modes() {
    let mut lab = Lab::usual();
    let m0 = lab.index("m0");
    let at = Ask { index: m0, ..SET };
    let source = |last: u8| attribute(4, &[2, 0, 0, 0, 0, last]);
    let sources = |lab: &mut Lab| -> Vec<u8> {
        let data = lab.link("m0").attributes.into_iter().find_map(|attribute| match attribute {
            LinkAttribute::LinkInfo(info) => info.into_iter().find_map(|info| match info {
                LinkInfo::Data(InfoData::MacVlan(data)) => Some(data),
                _ => None,
            }),
            _ => None,
        });
        let list = data.unwrap_or_default().into_iter().find_map(|option| match option {
            InfoMacVlan::MacAddrData(list) => Some(list),
            _ => None,
        });
        let last = |option| match option {
            InfoMacVlan::MacAddr(mac) => Some(mac[5]),
            _ => None,
        };
        list.unwrap_or_default().into_iter().filter_map(last).collect()
    };
    assert_eq!(lab.says(at, &[kind("macvlan", &[number(1, 16)])]), "ok");
    assert_eq!(lab.says(at, &[kind("macvlan", &[number(3, 0), source(0x0a)])]), "ok");
    let set = [number(3, 3), attribute(5, &[source(0x0b), source(0x0c)].concat())];
    assert_eq!(lab.says(at, &[kind("macvlan", &set)]), "ok");
    // In the order of the hash table, as `ip -d link` lists them on Linux.
    assert_eq!(sources(&mut lab), [0x0c, 0x0b]);
    assert_eq!(lab.says(at, &[kind("macvlan", &[number(3, 0)])]), "EINVAL");
    assert_eq!(lab.says(at, &[kind("macvlan", &[number(3, 1), source(0x0c)])]), "ok");
    assert_eq!(sources(&mut lab), [0x0b]);
    // Leaving the mode forgets them, even where what follows fails.
    let leave = kind("macvlan", &[number(1, 4), number(3, 0), source(1)]);
    assert_eq!(lab.says(at, &[leave]), "EINVAL");
    assert!(sources(&mut lab).is_empty());
}

#[test]
fn a_bridges_options_and_its_ports() {
    let mut lab = Lab::usual();
    let (v0, br0) = (lab.index("v0"), lab.index("br0"));
    let slave = |data: &[Vec<u8>]| {
        let info = [text(4, "bridge"), attribute(5, &data.concat())].concat();
        attribute(ifla::LINKINFO, &info)
    };
    let at = Ask { index: v0, ..SET };
    assert_eq!(lab.says(at, &[slave(&[attribute(4, &[1])])]), "EOPNOTSUPP");
    assert_eq!(lab.says(at, &[number(ifla::MASTER, br0)]), "ok");
    assert_eq!(lab.says(at, &[slave(&[number(3, 0)])]), "ERANGE");
    assert_eq!(lab.says(at, &[slave(&[number(3, 70000)])]), "ERANGE");
    assert_eq!(lab.says(at, &[slave(&[attribute(2, &64u16.to_ne_bytes())])]), "ERANGE");
    assert_eq!(lab.says(at, &[slave(&[attribute(4, &[1])])]), "ok");
    let change = Ask { index: br0, ..SET };
    assert_eq!(lab.says(change, &[kind("bridge", &[number(4, 1500)])]), "ok");
    let options = lab.link("br0").attributes.into_iter().find_map(|attribute| match attribute {
        LinkAttribute::LinkInfo(info) => Some(info),
        _ => None,
    });
    let options = options.unwrap_or_default();
    assert_eq!(options.first(), Some(&LinkInfo::Kind(InfoKind::Bridge)));
    let Some(LinkInfo::Data(InfoData::Bridge(options))) = options.get(1) else { panic!("no options") };
    assert!(options.contains(&InfoBridge::AgeingTime(1500)));
}

#[test]
fn bridge_link_lists_and_changes_ports() {
    let mut lab = Lab::usual();
    let (v0, v1, br0) = (lab.index("v0"), lab.index("v1"), lab.index("br0"));
    assert_eq!(lab.says(Ask { index: v0, ..SET }, &[number(ifla::MASTER, br0)]), "ok");
    let set = |index| Ask { kind: RTM_SETLINK, flags: 0, family: AF_BRIDGE, index, ..ADD };
    let option = |kind, value: u8| attribute(ifla::PROTINFO | 0x8000, &attribute(kind, &[value]));
    assert_eq!(lab.says(set(v0), &[option(33, 1)]), "ok");
    assert_eq!(lab.says(set(v0), &[option(1, 9)]), "EINVAL");
    assert_eq!(lab.says(set(v0), &[option(1, 2)]), "ENETDOWN");
    assert_eq!(lab.says(set(v1), &[option(33, 1)]), "EOPNOTSUPP");
    assert_eq!(lab.says(set(99), &[option(33, 1)]), "ENODEV unknown ifindex");
    // `hwmode veb`: for the device itself, which is no bridge.
    let itself = [attribute(0, &2u16.to_ne_bytes()), attribute(1, &0u16.to_ne_bytes())].concat();
    assert_eq!(lab.says(set(v0), &[attribute(ifla::AF_SPEC, &itself)]), "EOPNOTSUPP");
    let answer = lab.raw(Ask { flags: NLM_F_DUMP, family: AF_BRIDGE, ..GET }, &[number(ifla::EXT_MASK, 0)]);
    let payload = codec::messages(&answer).next().map(|message| message.payload.to_vec()).unwrap_or_default();
    let kinds: Vec<u16> = codec::attributes(payload.get(16..).unwrap_or(&[])).map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [3, 10, 4, 16, 1, 5, 12]);
    assert_eq!(links(&answer).len(), 1);
}

#[test]
fn devices_move_between_namespaces() {
    let mut lab = Lab::usual();
    let other = lab.world.create_netns(0).unwrap_or_default();
    lab.world.hold_netns(other);
    lab.opened = vec![other];
    let (v0, v1, lo) = (lab.index("v0"), lab.index("v1"), lab.index("lo"));
    let there = number(ifla::NET_NS_FD, 0);
    assert!(lab.says(Ask { index: lo, ..SET }, std::slice::from_ref(&there)).starts_with("EINVAL"));
    assert_eq!(lab.says(Ask { index: v0, ..SET }, &[there.clone(), name("eth0")]), "ok");
    assert_eq!(lab.says(GET, &[name("v0")]), "ENODEV");
    let attributes = lab.link("v1").attributes;
    assert!(attributes.contains(&LinkAttribute::LinkNetNsId(0)));
    assert!(attributes.contains(&LinkAttribute::Link(v0)));
    // A macvlan made straight into the other namespace, on a device of this one.
    let new = [name("m9"), number(ifla::LINK, v1), kind("macvlan", &[]), there];
    assert_eq!(lab.says(ADD, &new), "ok");
    assert_eq!(lab.says(GET, &[name("m9")]), "ENODEV");
    let id = number(ifla::TARGET_NETNSID, 0);
    let answer = lab.raw(Ask { flags: NLM_F_DUMP, ..GET }, &[id]);
    let names: Vec<String> = links(&answer).iter().map(link_name).collect();
    // The moved device keeps its index, the new one gets the first after loopback's.
    assert_eq!(names, ["lo", "m9", "eth0"]);
}

#[test]
fn stacks_are_eight_devices_high_at_most() {
    let mut lab = Lab::new();
    lab.add("d0", "dummy");
    let vlan = kind("vlan", &[attribute(1, &1u16.to_ne_bytes())]);
    let outcomes: Vec<String> = (1..10)
        .map(|level| {
            let below = lab.index(&format!("d{}", level - 1));
            lab.says(ADD, &[name(&format!("d{level}")), number(ifla::LINK, below), vlan.clone()])
        })
        .collect();
    assert_eq!(outcomes[..7], ["ok"; 7]);
    assert_eq!(outcomes[7], "EMLINK");
}

#[test]
fn nothing_panics_on_garbage() {
    let mut lab = Lab::usual();
    let v0 = lab.index("v0");
    for kind in [RTM_NEWLINK, RTM_SETLINK, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINKPROP, RTM_DELLINKPROP] {
        for family in [0, AF_BRIDGE, 255] {
            for attribute_kind in 0..70 {
                for length in [0, 1, 3, 4, 6, 8, 16, 40] {
                    let junk = attribute(attribute_kind, &vec![0xff; length]);
                    let ask = Ask { kind, flags: 0, family, index: v0, set: 0, mask: 0 };
                    // Whatever it says, it says something.
                    let _ = lab.says(ask, &[junk]);
                    if kind == RTM_DELLINK {
                        lab = Lab::usual();
                    }
                }
            }
        }
    }
    assert_eq!(Errno::EINVAL.name(), Some("EINVAL"));
}
