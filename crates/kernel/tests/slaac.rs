//! What a router advertises becomes addresses and routes; the texts are those of Linux 6.1.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use std::net::Ipv6Addr;
use std::time::Duration;

use common::Lab;
use hairpin_netlink::{Address, SocketKind, System as _};

const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 2);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// `ETH_P_IPV6`
const IPV6: u16 = 0x86dd;

/// A veth `v0`-`v1`; what is sent from `v1` comes from a router.
fn lab() -> Lab {
    let mut lab = Lab::first();
    for line in [
        "ip netns add r",
        "ip link set lo up",
        "ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 netns r address 02:00:00:00:00:02",
        "ip link set v0 up",
    ] {
        lab.run(line);
    }
    by_router(&mut lab, |lab| lab.run("ip link set v1 up"));
    pass(&mut lab, 3000);
    lab
}

fn by_router(lab: &mut Lab, act: impl FnOnce(&mut Lab)) {
    let own = lab.task;
    lab.task = lab.world.open_task("pc", Some("r")).expect("the router's namespace");
    act(lab);
    lab.task = own;
}

fn pass(lab: &mut Lab, ms: u64) {
    let until = lab.world.now() + Duration::from_millis(ms);
    lab.world.advance_to(until);
}

/// What one advertisement says.
struct Advertisement {
    lifetime: u16,
    /// Of the router's preference and `M`, `O`.
    flags: u8,
    prefix: Ipv6Addr,
    valid: u32,
    preferred: u32,
}

fn checksum(data: &[u8]) -> u16 {
    let sum: u32 =
        data.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !(((folded & 0xffff) + (folded >> 16)) as u16)
}

fn advertise(lab: &mut Lab, said: &Advertisement) {
    let mut body = vec![134, 0, 0, 0, 63, said.flags];
    body.extend(said.lifetime.to_be_bytes());
    body.extend([0; 8]);
    body.extend([1, 1, 2, 0, 0, 0, 0, 2]);
    body.extend([5, 1, 0, 0]);
    body.extend(1400_u32.to_be_bytes());
    body.extend([3, 4, 64, 0xc0]);
    body.extend(said.valid.to_be_bytes());
    body.extend(said.preferred.to_be_bytes());
    body.extend([0; 4]);
    body.extend(said.prefix.octets());
    let mut pseudo = [ROUTER.octets(), ALL_NODES.octets()].concat();
    pseudo.extend((body.len() as u32).to_be_bytes());
    pseudo.extend([0, 0, 0, 58]);
    pseudo.extend(&body);
    let sum = checksum(&pseudo);
    body[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut frame = vec![0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0];
    frame.extend((body.len() as u16).to_be_bytes());
    frame.extend([58, 255]);
    frame.extend(ROUTER.octets());
    frame.extend(ALL_NODES.octets());
    frame.extend(body);

    by_router(lab, |lab| {
        let ifindex = lab.read("/sys/class/net/v1/ifindex").expect("an index");
        let ifindex = ifindex.trim().parse().expect("a number");
        let mut system = lab.system();
        let fd = system.socket(SocketKind::Packet { cooked: false, protocol: 0 }).expect("a socket");
        let to = Address::Link { ifindex, protocol: IPV6, mac: [0; 6] };
        system.send(fd, frame, Some(to)).expect("sent");
        system.close(fd).expect("closed");
    });
    pass(lab, 100);
}

#[track_caller]
fn shows(lab: &mut Lab, command: &str, expected: &str) {
    let shown: Vec<String> = lab.output(command).lines().map(|line| line.trim_end().to_owned()).collect();
    let expected: Vec<&str> = expected.lines().map(str::trim_end).skip(1).collect();
    assert_eq!(shown, expected, "{command}:\n{}", shown.join("\n"));
}

#[test]
fn a_router_s_advertisements_make_addresses_and_routes() {
    let mut lab = lab();
    let said = Advertisement {
        lifetime: 1800,
        flags: 0,
        prefix: "2001:db8:5::".parse().expect("an address"),
        valid: 3600,
        preferred: 1200,
    };
    advertise(&mut lab, &said);
    shows(
        &mut lab,
        "ip -6 addr show dev v0",
        "
2: v0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000 link-netns r
    inet6 2001:db8:5::ff:fe00:1/64 scope global tentative dynamic mngtmpaddr 
       valid_lft 3600sec preferred_lft 1200sec
    inet6 fe80::ff:fe00:1/64 scope link 
       valid_lft forever preferred_lft forever",
    );
    shows(
        &mut lab,
        "ip -6 route show table all",
        "
2001:db8:5::/64 dev v0 proto kernel metric 256 expires 3599sec pref medium
fe80::/64 dev v0 proto kernel metric 256 pref medium
default via fe80::ff:fe00:2 dev v0 proto ra metric 1024 expires 1799sec mtu 1400 hoplimit 63 pref medium
local ::1 dev lo table local proto kernel metric 0 pref medium
local fe80::ff:fe00:1 dev v0 table local proto kernel metric 0 pref medium
multicast ff00::/8 dev v0 table local proto kernel metric 256 pref medium",
    );
    shows(
        &mut lab,
        "ip -6 neigh",
        "
fe80::ff:fe00:2 dev v0 lladdr 02:00:00:00:00:02 router STALE ",
    );
    assert_eq!(lab.shown("/proc/sys/net/ipv6/conf/v0/mtu"), "1400\n");
    assert_eq!(lab.shown("/proc/sys/net/ipv6/conf/v0/hop_limit"), "63\n");

    pass(&mut lab, 2500);
    shows(
        &mut lab,
        "ip -6 route get 2400::1",
        "
2400::1 from :: via fe80::ff:fe00:2 dev v0 proto ra src 2001:db8:5::ff:fe00:1 metric 1024 mtu 1400 hoplimit 63 pref medium",
    );
    // Without the counts of users.
    let routes = lab.shown("/proc/net/ipv6_route");
    let shown: Vec<[&str; 5]> = routes
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            [words[0], words[1], words[4], words[5], words[8]]
        })
        .take(3)
        .collect();
    let nobody = "00000000000000000000000000000000";
    let router = "fe80000000000000000000fffe000002";
    let expected = [
        ["20010db8000500000000000000000000", "40", nobody, "00000100", "004c0001"],
        ["fe800000000000000000000000000000", "40", nobody, "00000100", "00000001"],
        [nobody, "00", router, "00000400", "00450003"],
    ];
    assert_eq!(shown, expected, "{routes}");

    // The router is none any more; two hours less are left for the address, as anybody may say so.
    advertise(&mut lab, &Advertisement { lifetime: 0, valid: 60, preferred: 0, ..said });
    shows(
        &mut lab,
        "ip -6 addr show dev v0",
        "
2: v0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000 link-netns r
    inet6 2001:db8:5::ff:fe00:1/64 scope global deprecated dynamic mngtmpaddr 
       valid_lft 3598sec preferred_lft 0sec
    inet6 fe80::ff:fe00:1/64 scope link 
       valid_lft forever preferred_lft forever",
    );
    shows(
        &mut lab,
        "ip -6 route",
        "
2001:db8:5::/64 dev v0 proto kernel metric 256 expires 59sec pref medium
fe80::/64 dev v0 proto kernel metric 256 pref medium",
    );

    let prefix = "2001:db8:6::".parse().expect("an address");
    advertise(&mut lab, &Advertisement { lifetime: 5, flags: 0x08, prefix, valid: 3, preferred: 2 });
    shows(
        &mut lab,
        "ip -6 route",
        "
2001:db8:5::/64 dev v0 proto kernel metric 256 expires 59sec pref medium
2001:db8:6::/64 dev v0 proto kernel metric 256 expires 2sec pref medium
fe80::/64 dev v0 proto kernel metric 256 pref medium
default via fe80::ff:fe00:2 dev v0 proto ra metric 1024 expires 4sec hoplimit 63 pref high",
    );
    pass(&mut lab, 4000);
    shows(
        &mut lab,
        "ip -6 addr show dev v0",
        "
2: v0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000 link-netns r
    inet6 2001:db8:5::ff:fe00:1/64 scope global deprecated dynamic mngtmpaddr 
       valid_lft 3594sec preferred_lft 0sec
    inet6 fe80::ff:fe00:1/64 scope link 
       valid_lft forever preferred_lft forever",
    );
}

/// A world's router: hosts behind a switch make themselves addresses and know a way out; who comes later asks.
#[test]
fn a_world_s_router_advertises_itself() {
    let mut lab = Lab::first();
    let segment = lab.world.add_segment("lan", hairpin_kernel::SegmentKind::Switch, 0);
    let router = lab.world.add_host("router").expect("a second host");
    for (host, name, last) in [(0, "eth0", 1), (router, "lan0", 9)] {
        let mac = hairpin_kernel::Mac([2, 0, 0, 0, 0, last]);
        lab.world.add_card(host, name, Some(mac), Some(segment)).expect("a card");
    }
    let told = hairpin_kernel::control::advertise::Advertisement {
        prefixes: vec![("2001:db8:7::".parse().expect("an address"), 64)],
        lifetime: 1800,
        valid: 86_400,
        preferred: 14_400,
        mtu: Some(1400),
    };
    assert_eq!(lab.world.advertise(router, "lan1", told.clone()), Err(hairpin_netlink::Errno::ENODEV));
    lab.world.advertise(router, "lan0", told).expect("the card is there");
    let own = lab.task;
    lab.task = lab.world.open_task("router", None).expect("the router");
    lab.run("ip link set lan0 up");
    lab.task = own;
    // The router has said all that it says at the beginning; it is asked then.
    pass(&mut lab, 100_000);
    lab.run("ip link set eth0 up");
    pass(&mut lab, 9_000);
    let addresses = lab.output("ip -6 addr show dev eth0");
    assert!(
        addresses.contains("inet6 2001:db8:7::ff:fe00:1/64 scope global dynamic mngtmpaddr"),
        "{addresses}"
    );
    let routes = lab.output("ip -6 route show default");
    let way = "default via fe80::ff:fe00:9 dev eth0 proto ra metric 1024 expires 17";
    assert!(routes.starts_with(way) && routes.contains("mtu 1400"), "{routes}");
}
