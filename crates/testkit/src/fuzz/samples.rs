//! Requests and frames that work, recorded from our own front ends: what inputs are made from.

use std::sync::OnceLock;

use hairpin_kernel::task::LocalSystem;
use hairpin_kernel::{SegmentKind, TaskId, World};
use hairpin_netlink::socket::ETH_P_ALL;
use hairpin_netlink::{Call, Errno, Fd, Received, Reply, SocketKind, System};
use hairpin_tools::quiet::{self, QuietShell};

/// Commands whose requests are recorded. What fails has sent its request all the same.
const COMMANDS: &[&str] = &[
    "ip link add d1 type dummy",
    "ip link add d2 mtu 1400 address 02:00:00:00:00:22 type dummy",
    "ip link add w0 type veth peer name w1",
    "ip link add w2 type veth peer name w3 netns x",
    "ip link add br1 type bridge forward_delay 0 ageing_time 100 stp_state 0",
    "ip link set w0 master br1",
    "ip link set w0 type bridge_slave hairpin on isolated on learning off flood off cost 5 priority 3",
    "ip link set w0 nomaster",
    "ip link set w0 master br1 up",
    "ip link set w1 up",
    "ip link set br1 up",
    "bridge link set dev w0 hairpin on",
    "bridge link set dev w0 learning off flood off mcast_flood off isolated on",
    "bridge fdb add 02:00:00:00:00:31 dev w0 master static",
    "bridge fdb replace 02:00:00:00:00:31 dev w0 master",
    "bridge fdb del 02:00:00:00:00:31 dev w0 master",
    "bridge fdb add 02:00:00:00:00:32 dev w1 self",
    "bridge fdb show",
    "bridge link show",
    "brctl addbr br2",
    "brctl delbr br2",
    "ip link add m1 link d1 type macvlan mode bridge",
    "ip link add m2 link d1 type macvlan mode private",
    "ip link set m2 type macvlan mode vepa",
    "ip link add m3 link w1 type macvlan mode passthru nopromisc",
    "ip link add m4 link d2 type macvlan mode source",
    "ip link set m4 type macvlan macaddr add 02:00:00:00:00:41",
    "ip link set m4 type macvlan macaddr set 02:00:00:00:00:42 02:00:00:00:00:43",
    "ip link set m4 type macvlan macaddr del 02:00:00:00:00:42",
    "ip link set m4 type macvlan macaddr flush",
    "ip link add v1 link d1 type vlan id 7",
    "ip link add v2 link v1 type vlan proto 802.1ad id 8 reorder_hdr off loose_binding on",
    "ip link set v1 type vlan ingress-qos-map 1:2 egress-qos-map 3:4",
    "ip link set d1 name d9",
    "ip link set d9 up",
    "ip link set d9 alias something",
    "ip link property add dev d9 altname another",
    "ip link property del dev d9 altname another",
    "ip link set d9 address 02:00:00:00:00:51",
    "ip link set d9 mtu 9000",
    "ip link set d9 promisc on arp off multicast off",
    "ip link set d9 txqueuelen 5 group 7",
    "ip link set d2 netns x",
    "ip -n x link set d2 netns 1",
    "ip link set dev d9 down",
    "ip addr add 192.0.2.1/24 brd + dev d9",
    "ip addr add 192.0.2.2/24 dev d9 label d9:1 scope link valid_lft 100 preferred_lft 50",
    "ip addr add 192.0.2.5 peer 192.0.2.6/32 dev w1",
    "ip addr del 192.0.2.2/24 dev d9",
    "ip addr flush dev w1",
    "ip -6 addr add fd00::1/64 dev d9",
    "ip link set d9 up",
    "ip route add 198.51.100.0/24 via 192.0.2.9",
    "ip route add 198.51.101.0/24 dev d9 scope link src 192.0.2.1 metric 5",
    "ip route add default via 192.0.2.9 onlink dev d9 table 7",
    "ip route add 203.0.113.0/24 nexthop via 192.0.2.9 weight 2 nexthop via 192.0.2.10",
    "ip route replace 198.51.100.0/24 via 192.0.2.10 mtu 1300 advmss 1200",
    "ip route append 198.51.100.0/24 via 192.0.2.11",
    "ip route add blackhole 198.51.102.0/24",
    "ip route add prohibit 198.51.103.0/24",
    "ip route del 198.51.102.0/24",
    "ip route get 198.51.100.1",
    "ip route get 198.51.100.1 from 192.0.2.1 iif w1",
    "ip route get fibmatch 203.0.113.1",
    "ip route show table all",
    "ip -6 route show",
    "ip -6 route add 2001:db8:7::/64 dev d9 metric 5 mtu 1300",
    "ip -6 route add default via fe80::1 dev d9 expires 60 pref high",
    "ip -6 route append default via fe80::2 dev d9",
    "ip -6 route replace blackhole 2001:db8:8::/48",
    "ip -6 route get 2001:db8:7::1",
    "ip -6 route show table all",
    "ip -6 route del 2001:db8:7::/64",
    "ip neigh add fd00::9 lladdr 02:00:00:00:00:61 dev d9",
    "ip -6 neigh add proxy fd00::77 dev d9",
    "ip route flush table 7",
    "ip rule add from 192.0.2.0/24 to 198.51.100.0/24 iif d9 tos 4 fwmark 3/7 table 9 pref 77",
    "ip rule add blackhole uidrange 1-5 ipproto udp sport 5-9 dport 9",
    "ip rule show",
    "ip rule del pref 77",
    "ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:61 dev d9 nud permanent",
    "ip neigh replace 192.0.2.9 lladdr 02:00:00:00:00:62 dev d9 nud stale",
    "ip neigh change 192.0.2.9 dev d9 nud probe",
    "ip neigh add proxy 192.0.2.77 dev d9",
    "ip neigh get 192.0.2.9 dev d9",
    "ip neigh show",
    "ip neigh flush dev d9",
    "ip neigh del 192.0.2.9 dev d9",
    "ip netns set x 5",
    "ip netns list-id",
    "ip -d -s link show",
    "ip link show type macvlan",
    "ip link show master br1",
    "ip -d addr show",
    "ip -n x link del w3",
    "ip link del m1",
    "ip link del br1",
    "ip link del d9",
];

/// Listings: what `ip` and `bridge` ask for them.
const LISTINGS: &[&str] = &[
    "ip -d -s link show",
    "ip addr show",
    "ip route show table all",
    "ip -6 route show table all",
    "ip -6 addr show",
    "ip rule show",
    "ip neigh show",
    "bridge -d link show",
    "bridge fdb show",
    "ip netns list-id",
];

/// Programs whose frames are recorded.
const TRAFFIC: &[&str] = &[
    "ping -c 2 -i 0.2 10.0.0.2",
    "ping -c 1 -s 3000 10.0.0.2",
    "ping -c 2 -i 0.2 2001:db8::2",
    "ping -c 1 -s 3000 2001:db8:1::2",
    "ping -c 1 -W 1 2001:db8::99",
    "ping -c 1 -W 1 2001:db8:9::1",
    "ping -c 1 -W 1 10.0.0.99",
    "ping -c 1 -t 1 -W 1 192.0.2.1",
    "ping -c 1 -R 10.0.0.2",
    "ping -c 1 -b 10.0.0.255 -W 1",
    "ping -c 1 -W 1 -I eth0 224.0.0.1",
    "arping -c 1 -I eth0 10.0.0.2",
    "arping -c 1 -D -I eth0 10.0.0.9",
    "arping -c 1 -U -I eth0 10.0.0.1",
    "traceroute -n -q 1 -m 2 10.0.0.2",
    "ping -c 1 10.5.0.2",
];

/// rtnetlink requests of all kinds.
pub fn requests() -> &'static [Vec<u8>] {
    static REQUESTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    REQUESTS.get_or_init(|| recorded(&[&["ip netns add x"], COMMANDS].concat()))
}

/// The requests of listings.
pub fn dumps() -> &'static [Vec<u8>] {
    static DUMPS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    DUMPS.get_or_init(|| {
        let mut requests = recorded(LISTINGS);
        requests.dedup();
        requests
    })
}

/// Ethernet frames of all kinds.
pub fn frames() -> &'static [Vec<u8>] {
    static FRAMES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FRAMES.get_or_init(|| {
        let (mut world, task) = wire();
        let mut listener = LocalSystem { world: &mut world, task };
        let fd = listener
            .socket(SocketKind::Packet { cooked: false, protocol: ETH_P_ALL })
            .expect("a packet socket");
        for line in TRAFFIC {
            let task = world.fork_task(task).expect("a task");
            run(&mut LocalSystem { world: &mut world, task }, line);
        }
        taken(&mut LocalSystem { world: &mut world, task }, fd)
    })
}

fn taken(system: &mut dyn System, fd: Fd) -> Vec<Vec<u8>> {
    let items = system.receive(fd, u32::MAX).unwrap_or_default();
    let frames = items.into_iter().filter_map(|item| match item {
        Received::Frame { data, .. } => Some(data),
        _ => None,
    });
    let mut frames: Vec<_> = frames.collect();
    frames.sort();
    frames.dedup();
    frames
}

/// Two hosts on a wire, with a VLAN.
fn wire() -> (World, TaskId) {
    let mut world = World::new(2);
    let wire = world.add_segment("wire", SegmentKind::Switch, 60);
    for (name, last) in [("b", 2), ("a", 1)] {
        let host = world.add_host(name).expect("a free name");
        world.add_card(host, "eth0", None, Some(wire)).expect("a card");
        let task = world.open_task(name, None).expect("a host");
        let mut system = LocalSystem { world: &mut world, task };
        for line in [
            "ip link set eth0 up".to_owned(),
            format!("ip addr add 10.0.0.{last}/24 brd + dev eth0"),
            "ip route add default via 10.0.0.2".to_owned(),
            "ip link add link eth0 name eth0.5 type vlan id 5".to_owned(),
            format!("ip addr add 10.5.0.{last}/24 dev eth0.5"),
            "ip link set eth0.5 up".to_owned(),
        ] {
            run(&mut system, &line);
        }
    }
    let task = world.open_task("a", None).expect("a host");
    (world, task)
}

fn recorded(commands: &[&str]) -> Vec<Vec<u8>> {
    let mut world = World::new(1);
    world.add_host("host").expect("a first host");
    let task = world.open_task("host", None).expect("a task");
    let mut requests = Vec::new();
    for line in commands {
        // A task of its own: `ip -n` leaves its task in the other namespace.
        let task = world.fork_task(task).expect("a task");
        let inner = LocalSystem { world: &mut world, task };
        run(&mut Recorder { inner, requests: &mut requests }, line);
        world.close_task(task);
    }
    requests
}

fn run(system: &mut dyn System, line: &str) {
    let argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    quiet::run(system, &mut QuietShell::default(), &argv);
}

/// Passes calls on, and keeps the netlink requests among them.
struct Recorder<'a> {
    inner: LocalSystem<'a>,
    requests: &'a mut Vec<Vec<u8>>,
}

impl System for Recorder<'_> {
    fn call(&mut self, call: Call) -> Result<Reply, Errno> {
        if let Call::Netlink(request) = &call {
            self.requests.push(request.clone());
        }
        self.inner.call(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_samples_of_all_kinds() {
        let kinds: std::collections::BTreeSet<u16> =
            requests().iter().map(|request| u16::from_ne_bytes([request[4], request[5]])).collect();
        // Links, addresses, routes, neighbours, rules, namespace ids, alternative names: new, delete, get.
        for kind in [16, 17, 18, 19, 20, 21, 22, 24, 25, 26, 28, 29, 30, 32, 33, 34, 88, 90, 108, 109] {
            assert!(kinds.contains(&kind), "no request of type {kind} among {kinds:?}");
        }
        assert!(dumps().len() >= 6, "{}", dumps().len());
        let ethertypes: std::collections::BTreeSet<[u8; 2]> =
            frames().iter().map(|frame| [frame[12], frame[13]]).collect();
        assert!(frames().len() > 20, "{}", frames().len());
        assert!([[8, 0], [8, 6], [0x81, 0]].iter().all(|kind| ethertypes.contains(kind)), "{ethertypes:?}");
    }
}
