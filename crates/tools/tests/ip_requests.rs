//! What `ip route`, `ip neigh`, `ip rule` and `ip netns` ask a kernel for, and that no words and no answer make
//! them panic.

use std::net::{Ipv4Addr, Ipv6Addr};

use hairpin_netlink::codec::{
    Answer, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, messages,
};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::link::{LinkAttribute, LinkMessage};
use hairpin_netlink::route::neighbour::{NeighbourAttribute, NeighbourFlags, NeighbourState};
use hairpin_netlink::route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteNextHop, RouteProtocol,
    RouteScope, RouteType, RouteVia,
};
use hairpin_netlink::route::rule::{RuleAction, RuleAttribute};
use hairpin_netlink::{Call, Errno, Failure, Fd, Message, Reply, System};
use hairpin_tools::quiet::{self, QuietShell};

const V0: u32 = 2;
const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 254);

#[test]
fn an_added_route_is_in_the_main_table_and_of_boot() {
    let (route, flags) = route("ip route add 10.5.0.0/16 via 10.1.0.254");
    assert_eq!(flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    assert_eq!(route.header.address_family, AddressFamily::Inet);
    assert_eq!(route.header.destination_prefix_length, 16);
    assert_eq!((route.header.table, route.header.protocol), (254, RouteProtocol::Boot));
    assert_eq!((route.header.kind, route.header.scope), (RouteType::Unicast, RouteScope::Universe));
    let destination = RouteAddress::Inet(Ipv4Addr::new(10, 5, 0, 0));
    let expected = [RouteAttribute::Destination(destination), RouteAttribute::Gateway(GATEWAY.into())];
    assert_eq!(route.attributes, expected);
}

#[test]
fn the_scope_follows_from_type_and_gateway() {
    let scope = |command: &str| route(command).0.header.scope;
    assert_eq!(scope("ip route add 10.5.0.0/16 dev v0"), RouteScope::Link);
    assert_eq!(scope("ip route add 10.5.0.0/16 dev v0 scope 7"), RouteScope::Other(7));
    assert_eq!(scope("ip route add local 10.5.0.1 dev v0"), RouteScope::Host);
    assert_eq!(scope("ip route add broadcast 10.5.0.1 dev v0"), RouteScope::Link);
    assert_eq!(scope("ip route add blackhole 10.5.0.0/16"), RouteScope::Universe);
    assert_eq!(scope("ip route add 2001:db8::/64 dev v0"), RouteScope::Universe);
    assert_eq!(scope("ip route add 10.5.0.0/16 nexthop dev v0"), RouteScope::Universe);
    assert_eq!(scope("ip route del 10.5.0.0/16"), RouteScope::NoWhere);
    assert_eq!(scope("ip -6 route del default"), RouteScope::Universe);
}

#[test]
fn the_table_follows_from_the_type_and_may_exceed_a_byte() {
    let table = |command: &str| route(command).0.header.table;
    assert_eq!(table("ip route add local 10.5.0.1 dev v0"), 255);
    assert_eq!(table("ip route add local 10.5.0.1 dev v0 table main"), 254);
    assert_eq!(table("ip route add 10.5.0.0/16 dev v0 table 100"), 100);
    let (large, _) = route("ip route add 10.5.0.0/16 dev v0 table 1000");
    assert_eq!(large.header.table, 0);
    assert!(large.attributes.contains(&RouteAttribute::Table(1000)));
}

#[test]
fn a_deletion_names_only_what_was_given() {
    let (route, flags) = route("ip route del 10.5.0.0/16 metric 7");
    assert_eq!(flags, NLM_F_REQUEST | NLM_F_ACK);
    assert_eq!((route.header.kind, route.header.protocol), (RouteType::Unspec, RouteProtocol::Unspec));
    assert!(route.attributes.contains(&RouteAttribute::Priority(7)));
}

#[test]
fn gateways_of_another_family_and_several_next_hops() {
    let (via, _) = route("ip route add 10.5.0.0/16 via inet6 fe80::1 dev v0 onlink");
    let other = RouteVia::Inet6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1));
    assert!(via.attributes.contains(&RouteAttribute::Via(other)));
    assert!(via.attributes.contains(&RouteAttribute::Oif(V0)));
    assert_eq!(via.header.flags, RouteFlags::Onlink);

    let (route, _) =
        route("ip route add default nexthop via 10.1.0.254 dev v0 weight 3 nexthop via 10.1.0.253");
    let mut first = RouteNextHop::default();
    first.hops = 2;
    first.interface_index = V0;
    first.attributes.push(RouteAttribute::Gateway(GATEWAY.into()));
    let mut second = RouteNextHop::default();
    second.attributes.push(RouteAttribute::Gateway(Ipv4Addr::new(10, 1, 0, 253).into()));
    assert_eq!(route.attributes, [RouteAttribute::MultiPath(vec![first, second])]);
}

#[test]
fn metrics_are_nested_with_their_locks() {
    let (route, _) = route("ip route replace 10.5.0.0/16 dev v0 mtu lock 1400 advmss 1300");
    let metrics = vec![RouteMetric::Mtu(1400), RouteMetric::Advmss(1300), RouteMetric::Lock(1 << 2)];
    assert!(route.attributes.contains(&RouteAttribute::Metrics(metrics)));
}

#[test]
fn a_listing_is_filtered_by_the_kernel() {
    let recorded = run("ip route show dev v0 proto static");
    let Some((Message::GetRoute(request), flags)) = recorded.last() else { panic!("{recorded:?}") };
    assert_eq!(*flags, NLM_F_REQUEST | NLM_F_DUMP);
    assert_eq!(request.header.address_family, AddressFamily::Inet);
    assert_eq!(request.header.protocol, RouteProtocol::Static);
    assert_eq!(request.attributes, [RouteAttribute::Table(254), RouteAttribute::Oif(V0)]);
}

#[test]
fn a_question_asks_for_the_table_too() {
    let recorded = run("ip route get 10.5.0.1 from 10.1.0.1 iif v0 mark 5");
    let Some((Message::GetRoute(request), _)) = recorded.last() else { panic!("{recorded:?}") };
    assert_eq!(request.header.flags, RouteFlags::LookupTable);
    assert_eq!((request.header.destination_prefix_length, request.header.source_prefix_length), (32, 32));
    assert!(request.attributes.contains(&RouteAttribute::Iif(V0)));
    assert!(request.attributes.contains(&RouteAttribute::Mark(5)));
}

#[test]
fn neighbours_are_permanent_unless_told_otherwise() {
    let recorded = run("ip neigh replace 10.1.0.2 lladdr 2:0:0:0:0:2 dev v0 router");
    let Some((Message::NewNeighbour(entry), flags)) = recorded.last() else { panic!("{recorded:?}") };
    assert_eq!(*flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
    assert_eq!((entry.header.ifindex, entry.header.state), (V0, NeighbourState::Permanent));
    assert_eq!(entry.header.flags, NeighbourFlags::Router);
    let lladdr = NeighbourAttribute::LinkLayerAddress(vec![2, 0, 0, 0, 0, 2]);
    let destination = NeighbourAttribute::Destination(Ipv4Addr::new(10, 1, 0, 2).into());
    assert_eq!(entry.attributes, [destination, lladdr]);
}

#[test]
fn rules_look_up_the_main_table_unless_told_otherwise() {
    let recorded = run("ip rule add from 10.1.0.0/16 fwmark 1/0xff pref 7");
    let Some((Message::NewRule(rule), _)) = recorded.last() else { panic!("{recorded:?}") };
    assert_eq!((rule.header.table, rule.header.action, rule.header.src_len), (254, RuleAction::ToTable, 16));
    assert!(rule.attributes.contains(&RuleAttribute::FwMask(0xff)));

    let recorded = run("ip rule add to 10.1.0.0/16 prohibit");
    let Some((Message::NewRule(rule), _)) = recorded.last() else { panic!("{recorded:?}") };
    assert_eq!((rule.header.table, rule.header.action), (0, RuleAction::Prohibit));
}

#[test]
fn no_words_make_it_panic() {
    let words = "route neigh rule netns monitor add del show flush get replace append list-id exec set 10.0.0.0/8 \
        10.1.0.254 fe80::1 default all via dev v0 nexthop weight 5 table 1000 metric proto static scope link src \
        mtu lock rtt 20ms 1.5s realms 1/2 type blackhole local from to iif oif mark fwmark 1/2 uidrange 1-2 sport \
        80-90 lladdr 2:0:0:0:0:1 nud reachable proxy pref goto not suppress_prefixlength -1 0x é / : -j -d -s -6 -4 \
        -o -br root match exact 99999999999999999999 label file nsid target-nsid blue auto inet6 inet encap congctl";
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut state = 1u64;
    for _ in 0..6_000 {
        let mut args = Vec::new();
        loop {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = (state >> 33) as usize;
            if random.is_multiple_of(11) {
                break;
            }
            args.extend(words.get(random % words.len()).copied());
        }
        run_words(&args, None);
    }
}

#[test]
fn no_answer_makes_it_panic() {
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    for command in
        ["-d -s route show table all", "-j -s neigh show nud all", "-d rule", "route get 10.0.0.1", "netns"]
    {
        let args: Vec<&str> = command.split(' ').collect();
        for _ in 0..500 {
            // A header of some kind, and attributes of every sort with random values.
            let kind = [24, 28, 32, 88][random() as usize % 4];
            let mut payload: Vec<u8> = (0..12).map(|_| random() as u8).collect();
            if random().is_multiple_of(2) {
                payload[0] = [2, 10][random() as usize % 2];
            }
            for _ in 0..random() % 12 {
                let length = [0, 1, 2, 4, 4, 4, 8, 16, 32][random() as usize % 9];
                payload.extend((4 + length as u16).to_ne_bytes());
                payload.extend((random() as u16 % 32).to_ne_bytes());
                payload.extend((0..length).map(|_| random() as u8));
                payload.resize(payload.len().next_multiple_of(4), 0);
            }
            run_words(&args, Some((kind, payload)));
        }
    }
}

/// The one route message that a command sends.
fn route(command: &str) -> (RouteMessage, u16) {
    let recorded = run(command);
    match recorded.last() {
        Some((Message::NewRoute(route) | Message::DelRoute(route), flags)) => (route.clone(), *flags),
        other => panic!("{command}: {other:?}"),
    }
}

/// The requests that a command line sends, with their flags.
fn run(command: &str) -> Vec<(Message, u16)> {
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    run_words(&words, None)
}

fn run_words(words: &[&str], answer: Option<(u16, Vec<u8>)>) -> Vec<(Message, u16)> {
    let argv: Vec<String> = [&["ip"], words].concat().into_iter().map(str::to_owned).collect();
    let mut system = Recorder { requests: Vec::new(), answer };
    quiet::run(&mut system, &mut QuietShell::default(), &argv);
    system.requests
}

/// A kernel with the links `lo`, `v0` and `v1` that does nothing but remember what it is asked for.
struct Recorder {
    requests: Vec<(Message, u16)>,
    /// Kind and payload of the message that answers every request.
    answer: Option<(u16, Vec<u8>)>,
}

impl Recorder {
    fn netlink(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Some(request) = messages(bytes).next() else { return Vec::new() };
        let mut answer = Answer::new(request.header);
        let Ok(message) = request.message() else {
            return answer.end(Err(Errno::EINVAL.into()));
        };
        if let Message::GetLink(wanted) = &message {
            let dump = request.header.flags & NLM_F_DUMP == NLM_F_DUMP;
            let mut found = false;
            for (index, name) in [(1, "lo"), (V0, "v0"), (3, "v1")] {
                let named = wanted.attributes.contains(&LinkAttribute::IfName(name.to_owned()));
                if dump || named || wanted.header.index == index {
                    let mut link = LinkMessage::default();
                    link.header.index = index;
                    link.attributes.push(LinkAttribute::IfName(name.to_owned()));
                    answer.push(&Message::NewLink(link), dump);
                    found = true;
                }
            }
            return match (dump, found) {
                (true, _) => answer.done(),
                (false, true) => answer.end(Ok(())),
                (false, false) => answer.end(Err(Errno::ENODEV.into())),
            };
        }
        self.requests.push((message, request.header.flags));
        let mut bytes = Vec::new();
        if let Some((kind, payload)) = &self.answer {
            bytes.extend((16 + payload.len() as u32).to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(2u16.to_ne_bytes());
            bytes.extend(request.header.sequence.to_ne_bytes());
            bytes.extend(0u32.to_ne_bytes());
            bytes.extend(payload);
        }
        let end = match request.header.flags & NLM_F_DUMP {
            NLM_F_DUMP => answer.done(),
            _ if self.answer.is_some() => answer.end(Ok(())),
            _ => answer.end(Err(Failure::with_text(Errno::EPERM, "this kernel only listens"))),
        };
        bytes.extend(end);
        bytes
    }
}

impl System for Recorder {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        match call {
            Call::Netlink(bytes) => Ok(Reply::Bytes(self.netlink(&bytes))),
            Call::NetnsList => Ok(Reply::Names(vec!["blue".into()])),
            Call::NetnsOpen(_) => Ok(Reply::Fd(Fd(7))),
            Call::Close(_) => Ok(Reply::Done),
            _ => Err(Errno::ENOSYS),
        }
    }
}
