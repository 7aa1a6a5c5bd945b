//! `/proc/sys/net`, `/proc/net` and `/sys/class/net` of an emulated namespace. Outcomes are those of Linux.

mod common;

use std::collections::BTreeMap;

use common::Lab;
use hairpin_netlink::{Call, Errno, System as _};

const IPV4: &str = "/proc/sys/net/ipv4/";

/// `neigh_alloc`: a full table refuses what could be collected; permanent and externally learned entries neither count
/// nor are they refused.
#[test]
fn permanent_neighbours_do_not_count_against_the_limit() {
    let mut lab = Lab::first();
    lab.run("ip link add v0 type veth peer name v1");
    lab.run("ip link set v0 up");
    for (key, value) in [("gc_thresh1", "2"), ("gc_thresh2", "3"), ("gc_thresh3", "4")] {
        assert_eq!(lab.write(&format!("{IPV4}neigh/default/{key}"), value), Ok(()));
    }
    for host in 1..=10 {
        lab.run(&format!("ip neigh add 10.0.0.{host} lladdr 02:00:00:00:00:01 dev v0"));
        lab.run(&format!(
            "ip neigh add 10.0.1.{host} lladdr 02:00:00:00:00:01 nud reachable extern_learn dev v0"
        ));
    }
    let add = |lab: &mut Lab, host| {
        lab.output(&format!("ip neigh add 10.0.2.{host} lladdr 02:00:00:00:00:01 nud reachable dev v0"))
    };
    for host in 1..=4 {
        assert_eq!(add(&mut lab, host), "");
    }
    assert_eq!(add(&mut lab, 5), "RTNETLINK answers: No buffer space available\n");
    lab.run("ip neigh add 10.0.0.11 lladdr 02:00:00:00:00:01 dev v0");
    assert_eq!(lab.output("ip neigh show dev v0").lines().count(), 25);
}

/// `neightbl_set`: numbers of the kernel and its defaults are the first namespace's, and files show them.
#[test]
fn tables_of_neighbours_are_changed_by_netlink() {
    let mut lab = Lab::first();
    lab.run("ip ntable change name arp_cache thresh1 100 thresh3 2000 gc_int 20000 ucast_probes 5");
    lab.run("ip ntable change name ndisc_cache thresh1 101");
    let of = |lab: &mut Lab, key: &str| lab.shown(&format!("/proc/sys/net/{key}"));
    assert_eq!(of(&mut lab, "ipv4/neigh/default/gc_thresh1"), "100\n");
    assert_eq!(of(&mut lab, "ipv4/neigh/default/gc_interval"), "20\n");
    assert_eq!(of(&mut lab, "ipv4/neigh/default/ucast_solicit"), "5\n");
    assert_eq!(of(&mut lab, "ipv6/neigh/default/gc_thresh1"), "101\n");
    assert_eq!(of(&mut lab, "ipv6/neigh/default/gc_thresh3"), "1024\n");
    let shown = lab.output("ip ntable show dev none name arp_cache");
    assert!(shown.contains("thresh1 100 thresh2 512 thresh3 2000 gc_int 20000 "), "{shown}");
    // A part of a second is kept though the file shows none, and no threshold is refused.
    lab.run("ip ntable change name arp_cache thresh1 7 thresh3 4000000000 gc_int 20500");
    let shown = lab.output("ip ntable show dev none name arp_cache");
    assert!(shown.contains("thresh1 7 thresh2 512 thresh3 4000000000 gc_int 20500 "), "{shown}");
    assert_eq!(of(&mut lab, "ipv4/neigh/default/gc_interval"), "20\n");
    assert_eq!(of(&mut lab, "ipv4/neigh/default/gc_thresh3"), "-294967296\n");
}

/// A module that came with the first device of its kind stays loaded when the last is gone.
#[test]
fn files_of_modules_stay() {
    let mut lab = Lab::first();
    let llc = |lab: &mut Lab| lab.shown("/proc/net/ptype").contains("llc_rcv");
    assert!(!llc(&mut lab));
    assert!(lab.read("/proc/net/vlan/config").is_err());
    lab.run("ip link add br0 type bridge");
    lab.run("ip link add link br0 name br0.5 type vlan id 5");
    lab.run("ip link del br0.5");
    lab.run("ip link del br0");
    assert!(llc(&mut lab));
    assert!(!lab.shown("/proc/net/vlan/config").contains("br0.5"));
}

/// What is written, what answers, and what is read then.
#[test]
fn sysctls_are_written_as_on_linux() {
    let cases: &[(&str, &str, Option<Errno>, &str)] = &[
        ("ip_forward", "2", None, "2\n"),
        ("ip_forward", "x", Some(Errno::EINVAL), "2\n"),
        ("ip_forward", "", None, "2\n"),
        ("ip_forward", "1 2", None, "1\n"),
        ("ip_forward", "1x", Some(Errno::EINVAL), "1\n"),
        ("ip_forward", "99999999999", Some(Errno::EINVAL), "1\n"),
        ("ip_default_ttl", "0x10", None, "16\n"),
        ("ip_default_ttl", "0", Some(Errno::EINVAL), "16\n"),
        ("ip_default_ttl", "256", Some(Errno::EINVAL), "16\n"),
        ("icmp_echo_ignore_all", "3", Some(Errno::EINVAL), "0\n"),
        ("conf/v0/rp_filter", "5\n", None, "5\n"),
        ("conf/v0/tag", "-5\n", None, "-5\n"),
        ("conf/v0/mc_forwarding", "1", Some(Errno::EACCES), "0\n"),
        ("ip_local_port_range", "5000 4000", Some(Errno::EINVAL), "32768\t60999\n"),
        ("ip_local_port_range", "5000", None, "5000\t60999\n"),
        ("ip_local_port_range", "5000\t6000\n", None, "5000\t6000\n"),
        ("ip_local_port_range", "0 70000", Some(Errno::EINVAL), "5000\t6000\n"),
        ("ping_group_range", "0 100", None, "0\t100\n"),
        ("ping_group_range", "5 1", None, "1\t0\n"),
        ("ip_local_reserved_ports", "8080,9000-9002", None, "8080,9000-9002\n"),
        ("ip_local_reserved_ports", "9-1", Some(Errno::EINVAL), "8080,9000-9002\n"),
        ("ip_default_ttl", "  7 ", None, "7\n"),
        ("ip_default_ttl", "7,8", Some(Errno::EINVAL), "7\n"),
        ("ip_default_ttl", "+8", Some(Errno::EINVAL), "7\n"),
        ("icmp_ratelimit", "7", None, "8\n"),
        ("tcp_fin_timeout", "-1", None, "-1\n"),
        ("tcp_sack", "300", Some(Errno::EINVAL), "1\n"),
        ("tcp_available_congestion_control", "1", Some(Errno::EACCES), "reno cubic\n"),
        ("ip_unprivileged_port_start", "-1", Some(Errno::EINVAL), "1024\n"),
        ("neigh/v0/app_solicit", "-1", Some(Errno::EINVAL), "0\n"),
        ("neigh/v0/retrans_time_ms", "250", None, "252\n"),
        ("neigh/v0/retrans_time", "5", None, "4\n"),
        ("neigh/v0/locktime", "7", None, "6\n"),
        ("neigh/v0/base_reachable_time_ms", "3", None, "4\n"),
        ("../ipv6/neigh/v0/retrans_time", "7", None, "7\n"),
        ("../ipv6/conf/v0/mtu", "100", Some(Errno::EINVAL), "1500\n"),
        ("../ipv6/conf/v0/mtu", "1400", None, "1400\n"),
        ("../ipv6/conf/v0/mtu", "2000", Some(Errno::EINVAL), "1400\n"),
        ("../ipv6/conf/v0/hop_limit", "300", Some(Errno::EINVAL), "64\n"),
        ("../ipv6/conf/all/disable_ipv6", "2", None, "2\n"),
        ("../ipv6/conf/all/proxy_ndp", "1", None, "1\n"),
        ("../ipv6/conf/v0/proxy_ndp", "", None, "0\n"),
        ("../ipv6/conf/v0/stable_secret", "", Some(Errno::EOPNOTSUPP), "Input/output error"),
        ("../bridge/bridge-nf-call-iptables", "2", None, "1\n"),
        ("neigh/v0/retrans_time", "200", None, "200\n"),
        ("neigh/v0/unres_qlen", "50", None, "50\n"),
        ("neigh/v0/base_reachable_time", "7", None, "7\n"),
        ("tcp_congestion_control", "foo", Some(Errno::ENOENT), "cubic\n"),
        ("tcp_congestion_control", "reno", None, "reno\n"),
        ("tcp_rmem", "1 2 3", None, "1\t2\t3\n"),
        ("tcp_rmem", "5", None, "5\t2\t3\n"),
        ("fib_multipath_hash_policy", "2", None, "2\n"),
        ("fib_multipath_hash_policy", "9", Some(Errno::EINVAL), "2\n"),
        ("route/flush", "1", None, "Permission denied"),
        ("nonexist", "1", Some(Errno::ENOENT), "No such file or directory"),
        ("conf", "1", Some(Errno::EISDIR), "Is a directory"),
        ("ip_forward/", "1", Some(Errno::ENOTDIR), "Not a directory"),
        ("ip_forward/x", "1", Some(Errno::ENOTDIR), "Not a directory"),
        ("conf/v0/tag/x", "1", Some(Errno::ENOTDIR), "Not a directory"),
        ("conf/none/tag", "1", Some(Errno::ENOENT), "No such file or directory"),
        ("../ipv6/conf/v0/addr_gen_mode", "9", Some(Errno::EINVAL), "0\n"),
        ("../bridge/bridge-nf-call-iptables", "0", None, "0\n"),
        ("../core/somaxconn", "100", None, "100\n"),
        ("../core/rmem_max", "100000", Some(Errno::ENOENT), "No such file or directory"),
    ];
    let mut lab = Lab::usual();
    lab.run("modprobe br_netfilter");
    for (name, value, errno, after) in cases {
        let path = format!("{IPV4}{name}");
        assert_eq!(lab.write(&path, value).err(), *errno, "{name} <- {value:?}");
        assert_eq!(lab.shown(&path), *after, "{name} after {value:?}");
    }
}

#[test]
fn forwarding_goes_to_every_device_and_stops_believing_redirects() {
    let mut lab = Lab::usual();
    let read = |lab: &mut Lab, name: &str| lab.shown(&format!("{IPV4}conf/{name}"));
    assert_eq!(lab.write("/proc/sys/net/ipv4/conf/v1/forwarding", "1\n"), Ok(()));
    assert_eq!(read(&mut lab, "v1/forwarding") + &read(&mut lab, "v0/forwarding"), "1\n0\n");
    assert_eq!(lab.write("/proc/sys/net/ipv4/ip_forward", "1\n"), Ok(()));
    for name in ["all", "default", "lo", "v0", "v1", "br0", "mv0"] {
        assert_eq!(read(&mut lab, &format!("{name}/forwarding")), "1\n", "{name}");
    }
    assert_eq!(read(&mut lab, "all/accept_redirects"), "0\n");
    assert_eq!(read(&mut lab, "v0/accept_redirects"), "1\n");
    lab.run("ip link add d0 type dummy");
    assert_eq!(read(&mut lab, "d0/forwarding"), "1\n");
    assert_eq!(lab.write("/proc/sys/net/ipv4/conf/all/forwarding", "0\n"), Ok(()));
    assert_eq!(read(&mut lab, "d0/forwarding"), "0\n");
    assert_eq!(lab.shown("/proc/sys/net/ipv4/ip_forward"), "0\n");
    assert_eq!(read(&mut lab, "all/accept_redirects"), "1\n");
}

/// `default` goes to devices without a value of their own: those not written to and without an address.
#[test]
fn defaults_are_followed_until_a_device_has_its_own() {
    let mut lab = Lab::usual();
    lab.run("ip addr add 10.0.0.1/24 dev v1");
    assert_eq!(lab.write("/proc/sys/net/ipv4/conf/br0/rp_filter", "0"), Ok(()));
    assert_eq!(lab.write("/proc/sys/net/ipv4/conf/default/rp_filter", "2"), Ok(()));
    for (name, expected) in [("default", "2\n"), ("all", "0\n"), ("v0", "2\n"), ("v1", "0\n"), ("br0", "0\n")]
    {
        assert_eq!(lab.shown(&format!("{IPV4}conf/{name}/rp_filter")), expected, "{name}");
    }
}

#[test]
fn neighbour_defaults_are_the_first_namespaces() {
    let mut lab = Lab::first();
    lab.run("ip link add d0 type dummy");
    assert_eq!(lab.write("/proc/sys/net/ipv4/neigh/default/gc_thresh3", "2048"), Ok(()));
    assert_eq!(lab.shown("/proc/sys/net/ipv4/neigh/default/gc_thresh3"), "2048\n");
    assert_eq!(lab.write("/proc/sys/net/ipv4/neigh/default/ucast_solicit", "5"), Ok(()));
    assert_eq!(lab.shown("/proc/sys/net/ipv4/neigh/d0/ucast_solicit"), "5\n");
    lab.run("ip netns add x");
    lab.task = lab.world.open_task("pc", Some("x")).expect("just made");
    assert_eq!(lab.shown("/proc/sys/net/ipv4/neigh/lo/ucast_solicit"), "5\n");
    assert_eq!(lab.list("/proc/sys/net/ipv4/neigh"), Ok(vec!["lo".to_owned()]));
}

#[test]
fn ipv6_goes_and_comes_back() {
    let mut lab = Lab::usual();
    lab.run("ip link set v1 up");
    lab.run("ip link set v0 up");
    let addresses = |lab: &mut Lab| lab.shown("/proc/net/if_inet6").matches(" v1\n").count();
    assert_eq!(addresses(&mut lab), 1);
    assert_eq!(lab.write("/proc/sys/net/ipv6/conf/v1/disable_ipv6", "1\n"), Ok(()));
    assert_eq!(addresses(&mut lab), 0);
    assert_eq!(lab.write("/proc/sys/net/ipv6/conf/v1/disable_ipv6", "0\n"), Ok(()));
    assert_eq!(addresses(&mut lab), 1);
    assert_eq!(lab.write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1\n"), Ok(()));
    assert_eq!(lab.shown("/proc/net/if_inet6"), "");
    assert_eq!(lab.shown("/proc/sys/net/ipv6/conf/default/disable_ipv6"), "1\n");
    assert_eq!(lab.write("/proc/sys/net/ipv6/conf/all/forwarding", "1\n"), Ok(()));
    assert_eq!(lab.shown("/proc/sys/net/ipv6/conf/v1/forwarding"), "1\n");
}

#[test]
fn sysfs_is_written_as_on_linux() {
    let cases: &[(&str, &str, Option<Errno>, &str)] = &[
        ("v0/mtu", "1280", None, "1280\n"),
        ("v0/mtu", "10", Some(Errno::EINVAL), "1280\n"),
        ("v0/mtu", "abc", Some(Errno::EINVAL), "1280\n"),
        ("v0/ifalias", "hello\n", None, "hello\n"),
        ("v0/ifalias", "", None, "hello\n"),
        ("v0/proto_down", "1", Some(Errno::EOPNOTSUPP), "0\n"),
        ("v0/tx_queue_len", "100", None, "100\n"),
        ("v0/tx_queue_len", "-1", Some(Errno::EINVAL), "100\n"),
        ("v0/ifindex", "1", Some(Errno::EACCES), "4\n"),
        ("v0/netdev_group", "7", None, "7\n"),
        ("v0/nonexist", "1", Some(Errno::EACCES), "No such file or directory"),
        ("none/mtu", "1", Some(Errno::ENOENT), "No such file or directory"),
        ("v0/statistics", "1", Some(Errno::EISDIR), "Is a directory"),
        ("v0/mtu/x", "1", Some(Errno::ENOTDIR), "Not a directory"),
        ("br0/bridge/ageing_time", "1000", None, "1000\n"),
        ("br0/bridge/hello_time", "1", Some(Errno::ERANGE), "200\n"),
        ("br0/bridge/flush", "1", None, "Permission denied"),
        ("br0/bridge/priority", "x", Some(Errno::EINVAL), "32768\n"),
        ("br0/bridge/priority", "70000", None, "4464\n"),
        ("br0/bridge/group_fwd_mask", "1", Some(Errno::EINVAL), "0x0\n"),
        ("br0/bridge/group_fwd_mask", "0x8", None, "0x8\n"),
        ("br0/bridge/multicast_snooping", "0", None, "0\n"),
        ("br0/bridge/stp_state", "0", None, "0\n"),
        ("v0/brport/hairpin_mode", "5", None, "1\n"),
        ("v0/brport/isolated", "1\n", None, "1\n"),
        ("v0/brport/learning", "0", None, "0\n"),
        ("v0/brport/priority", "70", Some(Errno::ERANGE), "32\n"),
        ("v0/brport/path_cost", "0", Some(Errno::ERANGE), "2\n"),
        ("v0/brport/group_fwd_mask", "2", Some(Errno::EINVAL), "0x0\n"),
        ("v0/brport/flush", "1", None, "Permission denied"),
        ("v0/brport/multicast_router", "9", Some(Errno::EINVAL), "1\n"),
        ("v0/brport/state", "1", Some(Errno::EACCES), "0\n"),
        ("br0/brif/v0/learning", "1", None, "1\n"),
        ("v0/master/upper_none", "1", Some(Errno::EACCES), "No such file or directory"),
        ("v0/master/lower_v0/brport/bridge/ifindex", "1", Some(Errno::EACCES), "2\n"),
        ("v0/flags", "0x1103", None, "0x1303\n"),
    ];
    let mut lab = Lab::usual();
    for (name, value, errno, after) in cases {
        let path = format!("/sys/class/net/{name}");
        assert_eq!(lab.write(&path, value).err(), *errno, "{name} <- {value:?}");
        assert_eq!(lab.shown(&path), *after, "{name} after {value:?}");
    }
}

#[test]
fn files_of_the_link_answer_only_while_it_is_up() {
    let mut lab = Lab::usual();
    for name in ["carrier", "speed", "duplex", "dormant", "testing"] {
        assert_eq!(lab.read(&format!("/sys/class/net/v0/{name}")), Err(Errno::EINVAL), "{name}");
    }
    lab.run("ip link set v0 up");
    assert_eq!(lab.shown("/sys/class/net/v0/carrier"), "0\n");
    assert_eq!(lab.shown("/sys/class/net/v0/operstate"), "lowerlayerdown\n");
    lab.run("ip link set v1 up");
    assert_eq!(lab.shown("/sys/class/net/v0/carrier"), "1\n");
    assert_eq!(lab.shown("/sys/class/net/v0/speed"), "10000\n");
}

#[test]
fn proc_net_has_linuxs_formats() {
    let mut lab = Lab::usual();
    for line in [
        "ip link set lo up",
        "ip addr add 10.0.0.1/24 dev v1",
        "ip link set v1 up",
        "ip link set v0 up",
        "ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v1",
        "ip link add link v1 name v1.10 type vlan id 10",
    ] {
        lab.run(line);
    }
    assert_eq!(
        lab.shown("/proc/net/arp"),
        "IP address       HW type     Flags       HW address            Mask     Device\n\
         10.0.0.9         0x1         0x6         02:00:00:00:00:09     *        v1\n"
    );
    assert_eq!(
        lab.shown("/proc/net/vlan/config"),
        "VLAN Dev name\t | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\nv1.10          | 10  | v1\n"
    );
    assert!(
        lab.shown("/proc/net/vlan/v1.10")
            .starts_with("v1.10  VID: 10\t REORDER_HDR: 1  dev->priv_flags: 81021\n")
    );
    assert!(lab.shown("/proc/net/dev").contains("\n    lo:       0       0    0    0    0     0          0"));
    assert!(
        lab.shown("/proc/net/route").contains("\nv1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0 ")
    );
    assert!(lab.shown("/proc/net/snmp").starts_with("Ip: Forwarding DefaultTTL InReceives"));
    assert_eq!(lab.write("/proc/net/dev", "1"), Err(Errno::EACCES));
    assert_eq!(lab.list("/proc/net/dev"), Err(Errno::ENOTDIR));
    assert_eq!(lab.read("/proc/net"), Err(Errno::EISDIR));
    assert_eq!(lab.list("/proc/sys"), Ok(vec!["fs".to_owned(), "kernel".to_owned(), "net".to_owned()]));
}

/// Routing hears of it: for one device, for all, and for devices that come later.
#[test]
fn routes_without_a_link_are_ignored_on_request() {
    let mut lab = Lab::usual();
    lab.run("ip addr add 10.0.0.1/24 dev v1");
    lab.run("ip link set v1 up");
    let found = |lab: &mut Lab| lab.output("ip route get 10.0.0.5").contains("dev v1");
    assert!(found(&mut lab));
    for scope in ["v1", "all"] {
        let path = format!("{IPV4}conf/{scope}/ignore_routes_with_linkdown");
        assert_eq!(lab.write(&path, "1"), Ok(()));
        assert!(!found(&mut lab), "{scope}");
        assert_eq!(lab.write(&path, "0"), Ok(()));
        assert!(found(&mut lab), "{scope}");
    }
    assert_eq!(lab.write(&format!("{IPV4}conf/default/ignore_routes_with_linkdown"), "1"), Ok(()));
    assert!(found(&mut lab));
    for line in
        ["ip link add w0 type veth peer name w1", "ip addr add 10.1.0.1/24 dev w1", "ip link set w1 up"]
    {
        lab.run(line);
    }
    assert!(!lab.output("ip route get 10.1.0.5").contains("dev w1"));
}

/// A port's flag written in sysfs is the one that netlink shows, and frames follow.
#[test]
fn port_flags_written_in_sysfs_are_the_ports() {
    let mut lab = Lab::usual();
    assert_eq!(lab.write("/sys/class/net/br0/brif/v0/hairpin_mode", "1\n"), Ok(()));
    assert_eq!(lab.write("/sys/class/net/v0/brport/unicast_flood", "0\n"), Ok(()));
    let shown = lab.output("bridge -d link show dev v0");
    assert!(shown.contains("hairpin on") && shown.contains(" flood off"), "{shown}");
}

/// Lines as Linux has them, but for bucket, inode and kernel pointer.
#[test]
fn sockets_are_listed() {
    use hairpin_netlink::{Address, SocketKind, System as _};
    let mut lab = Lab::new();
    lab.run("ip link set lo up");
    let mut system = lab.system();
    let udp = system.socket(SocketKind::UdpIpv4).expect("a socket");
    let local = Address::Ipv4 { address: [127, 0, 0, 1].into(), port: 5000 };
    system.bind(udp, local).expect("a free port");
    system.connect(udp, Address::Ipv4 { address: [127, 0, 0, 1].into(), port: 9 }).expect("a route");
    system.socket(SocketKind::RawIpv4 { protocol: 1 }).expect("a socket");
    system.socket(SocketKind::Packet { cooked: false, protocol: 3 }).expect("a socket");
    let line = |text: String| text.lines().nth(1).unwrap_or_default().to_owned();
    let udp = line(lab.shown("/proc/net/udp"));
    let expected = ": 0100007F:1388 0100007F:0009 01 00000000:00000000 00:00000000 00000000     0        0 ";
    assert!(udp.contains(expected) && udp.len() == 127, "{udp:?}");
    let raw = line(lab.shown("/proc/net/raw"));
    let expected = ": 00000000:0001 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 ";
    assert!(raw.contains(expected), "{raw:?}");
    let packet = line(lab.shown("/proc/net/packet"));
    assert!(packet.contains(" 3      3    0003   0     1 0      0      "), "{packet:?}");
    let statistics = lab.shown("/proc/net/sockstat");
    assert!(statistics.contains("UDP: inuse 1 mem 0\nUDPLITE: inuse 0\nRAW: inuse 1\n"), "{statistics}");
}

#[test]
fn sysctl_lists_every_key() {
    let mut lab = Lab::usual();
    lab.run("modprobe br_netfilter");
    let listed = lab.output("sysctl -a");
    for line in [
        "net.ipv4.ip_forward = 0",
        "net.ipv4.ip_local_port_range = 32768\t60999",
        "net.ipv4.conf.mv0.rp_filter = 0",
        "net.ipv6.conf.all.disable_ipv6 = 0",
        "net.bridge.bridge-nf-call-iptables = 1",
        "net.core.somaxconn = 4096",
    ] {
        assert!(listed.lines().any(|listed| listed == line), "{line} in {listed}");
    }
    lab.run("sysctl -w net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.v0.proxy_arp=1");
    assert_eq!(lab.shown("/proc/sys/net/ipv4/conf/v0/proxy_arp"), "1\n");
}

/// The settings of bridges' netfilter come and go with its module, and are as at first each time.
#[test]
fn bridge_netfilter_is_there_once_it_is_loaded() {
    let mut lab = Lab::usual();
    let path = "/proc/sys/net/bridge/bridge-nf-call-iptables";
    assert_eq!(lab.shown(path), "No such file or directory");
    lab.run("modprobe br_netfilter");
    assert_eq!(lab.shown(path), "1\n");
    lab.run("sysctl -qw net.bridge.bridge-nf-call-iptables=0");
    lab.run("modprobe -r br_netfilter");
    assert_eq!(lab.shown(path), "No such file or directory");
    // A rule about the ports of bridges asks for it.
    lab.run("iptables -A FORWARD -m physdev --physdev-in v0");
    assert_eq!(lab.shown(path), "1\n");
    let missing = lab.output("modprobe nosuch");
    assert!(missing.starts_with("modprobe: FATAL: Module nosuch not found in directory"), "{missing}");
    assert_eq!(lab.output("modprobe -r veth"), "modprobe: FATAL: Module veth is builtin.\n");
}

/// Every path that a listing names can be listed or read; writing rubbish or what was read breaks nothing.
#[test]
fn every_listed_path_answers() {
    for mut lab in [Lab::usual(), Lab::first()] {
        let mut pending =
            vec!["/proc/sys/net".to_owned(), "/proc/net".to_owned(), "/sys/class/net".to_owned()];
        let mut files = Vec::new();
        while let Some(path) = pending.pop() {
            // Symbolic links lead round in circles.
            if path.split('/').count() > 9 {
                continue;
            }
            match lab.list(&path) {
                Ok(names) => {
                    assert!(names.is_sorted(), "{path}: {names:?}");
                    pending.extend(names.iter().map(|name| format!("{path}/{name}")));
                }
                Err(errno) => {
                    assert_eq!(errno, Errno::ENOTDIR, "{path}");
                    files.push(path);
                }
            }
        }
        assert!(files.len() > 500, "{}", files.len());
        for path in files {
            match lab.read(&path) {
                Ok(text) => {
                    let is_text = !path.ends_with("/brforward");
                    assert!(!is_text || text.is_empty() || text.ends_with('\n'), "{path}: {text:?}");
                    let _ = lab.write(&path, &text);
                }
                Err(errno) => {
                    let known = [Errno::EACCES, Errno::EINVAL, Errno::EIO, Errno::ENOENT, Errno::EOPNOTSUPP];
                    assert!(known.contains(&errno), "{path}: {errno:?}");
                }
            }
            for rubbish in ["\0", "\n", "-", "0x", "99999999999999999999", "1 2 3 4 5", "\u{fc}", ",-,"] {
                let _ = lab.write(&path, rubbish);
            }
        }
    }
}

/// Every file below a directory, by path, and every directory's stamp.
fn walk(lab: &mut Lab, path: &str, files: &mut BTreeMap<String, String>, stamps: &mut Stamps) {
    if let Some(stamp) = lab.world.directory_stamp(lab.task, path) {
        stamps.insert(path.to_owned(), stamp);
    }
    for name in lab.list(path).expect("a directory") {
        let path = format!("{path}/{name}");
        if let Ok(to) = lab.system().call(Call::ReadLink(path.clone())) {
            files.insert(path, format!("{to:?}"));
        } else if lab.list(&path).is_ok() {
            walk(lab, &path, files, stamps);
        } else {
            let text = lab.read(&path);
            files.insert(path, format!("{text:?}"));
        }
    }
}

type Stamps = BTreeMap<String, u64>;

fn seen(lab: &mut Lab) -> (BTreeMap<String, String>, Stamps) {
    let (mut files, mut stamps) = (BTreeMap::new(), Stamps::new());
    for tree in ["/proc/sys/net", "/sys/class/net"] {
        walk(lab, tree, &mut files, &mut stamps);
    }
    (files, stamps)
}

/// Directories whose stamp is as before and whose files are not.
fn overlooked(
    before: &(BTreeMap<String, String>, Stamps),
    after: &(BTreeMap<String, String>, Stamps),
) -> Vec<String> {
    let same = before.1.iter().filter(|(path, stamp)| after.1.get(*path) == Some(stamp));
    let mut found = Vec::new();
    for (path, _) in same {
        let below = format!("{path}/");
        let of = |files: &BTreeMap<String, String>| -> Vec<(String, String)> {
            let below = files.range(below.clone()..).take_while(|(name, _)| name.starts_with(&below));
            below.map(|(name, text)| (name.clone(), text.clone())).collect()
        };
        if of(&before.0) != of(&after.0) {
            found.push(path.clone());
        }
    }
    found
}

/// Whoever keeps copies of the files reads again what has another stamp, and nothing else.
#[test]
fn a_directory_with_the_same_stamp_has_the_same_files() {
    let mut lab = Lab::first();
    for line in common::DEVICES {
        lab.run(line);
    }
    let mut before = seen(&mut lab);
    for line in [
        "ip link set v0 up",
        "ip link set v1 up",
        "ip addr add 10.0.0.1/24 dev v1",
        "ip addr add 10.0.0.2/24 dev mv0",
        "ip link set mv0 up",
        "ip link set br0 up",
        "ping -c 1 10.0.0.2",
        "ip link set v1 mtu 1400",
        "ip link set v1 mtu 1200",
        "ip link set mv0 name mv1",
        "ip link set mv1 addrgenmode none",
        "ip link add d0 numtxqueues 3 numrxqueues 2 type dummy",
        "iptables -A INPUT -m state --state NEW",
        "ping -c 1 127.0.0.1",
        "ip link set lo up",
        "ping -c 1 127.0.0.1",
        "ip netns add y",
        "ip link set d0 netns y",
        "ip link del br0",
    ] {
        lab.output(line);
        let after = seen(&mut lab);
        assert_eq!(overlooked(&before, &after), [""; 0], "{line}");
        before = after;
    }
    // Each setting, one after the other.
    let settings: Vec<String> =
        before.0.keys().filter(|path| path.starts_with("/proc/sys/net")).cloned().collect();
    assert!(settings.len() > 500, "{}", settings.len());
    let mut changed = 0;
    let mut stamps: BTreeMap<String, Option<u64>> =
        before.1.iter().map(|(path, stamp)| (path.clone(), Some(*stamp))).collect();
    for path in settings {
        let Ok(text) = lab.read(&path) else { continue };
        let number: Option<i64> = text.trim().parse().ok();
        for value in number.map_or(vec![], |number| vec![number + 1, number - 1]) {
            if lab.write(&path, &value.to_string()).is_err() || lab.read(&path).as_ref() == Ok(&text) {
                continue;
            }
            // What `all` entails shows elsewhere too.
            if path.contains("/all/") {
                let after = seen(&mut lab);
                assert_eq!(overlooked(&before, &after), [""; 0], "{value} to {path}");
                before = after;
            }
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            for directory in ["/proc/sys/net", parent] {
                let now = lab.world.directory_stamp(lab.task, directory);
                let known = stamps.insert(directory.to_owned(), now);
                assert!(now.is_none() || known != Some(now), "{value} to {path}: {directory}");
            }
            changed += 1;
            break;
        }
    }
    assert!(changed > 300, "{changed}");
}
