//! Kinds of device that scripts on a real kernel reach only in part: CAN frames by packet sockets, netlink messages on
//! nlmon, kinds whose modules the tested kernel lacks, and `ip tunnel`, which asks the real kernel another way.

mod common;

use common::Lab;
use hairpin_netlink::{Address, Errno, Fd, PacketType, Received, SocketKind, System as _, socket::ETH_P_ALL};

const ETH_P_CAN: u16 = 0x000c;

/// A packet socket on a device, and the device's index.
fn tap(lab: &mut Lab, dev: &str) -> (Fd, u32) {
    let index = lab.shown(&format!("/sys/class/net/{dev}/ifindex")).trim().parse().expect("an index");
    let mut system = lab.system();
    let socket = system.socket(SocketKind::Packet { cooked: false, protocol: 0 }).expect("a socket");
    let address = Address::Link { ifindex: index, protocol: ETH_P_ALL, mac: [0; 6] };
    system.bind(socket, address).expect("bound");
    (socket, index)
}

fn received(lab: &mut Lab, socket: Fd) -> Vec<(Vec<u8>, u16, PacketType, u16)> {
    let items = lab.system().receive(socket, 100).unwrap_or_default();
    items
        .into_iter()
        .filter_map(|item| match item {
            Received::Frame { data, protocol, packet_type, hardware, .. } => {
                Some((data, protocol, packet_type, hardware))
            }
            _ => None,
        })
        .collect()
}

/// What Linux 6.1 does with the same frames: sent on one side they are broadcasts on the other, and only
/// whole CAN frames cross.
#[test]
fn can_frames_cross_a_pair_and_others_do_not() {
    let mut lab = Lab::new();
    for line in [
        "ip link add c0 type vxcan peer name c1",
        "ip link set c0 up",
        "ip link set c1 up",
        "ip link add c2 type vcan",
        "ip link set c2 up",
    ] {
        lab.run(line);
    }
    let frame = [0x23, 1, 0, 0, 4, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 0];
    let (sender, c0) = tap(&mut lab, "c0");
    let (listener, _) = tap(&mut lab, "c1");
    let (alone, c2) = tap(&mut lab, "c2");
    let (other, _) = tap(&mut lab, "c2");
    for (socket, index, data) in [(sender, c0, &frame[..]), (sender, c0, &frame[..9]), (alone, c2, &frame)] {
        let to = Address::Link { ifindex: index, protocol: ETH_P_CAN, mac: [0; 6] };
        assert_eq!(lab.system().send(socket, data.to_vec(), Some(to)), Ok(data.len()));
    }
    assert_eq!(received(&mut lab, listener), [(frame.to_vec(), ETH_P_CAN, PacketType::Broadcast, 280)]);
    assert_eq!(received(&mut lab, other), [(frame.to_vec(), ETH_P_CAN, PacketType::Outgoing, 280)]);
    let stats = lab.output("ip -s link show c0");
    assert!(stats.lines().any(|line| line.split_whitespace().eq(["4", "1", "0", "1", "0", "0"])), "{stats}");
    let long = vec![0; 73];
    let to = Address::Link { ifindex: c0, protocol: ETH_P_CAN, mac: [0; 6] };
    assert!(lab.system().send(sender, long, Some(to)).is_err());
}

#[test]
fn nlmon_shows_requests_answers_and_nothing_of_other_namespaces() {
    let mut lab = Lab::new();
    lab.run("ip link add n0 type nlmon");
    lab.run("ip link set n0 up");
    let (socket, _) = tap(&mut lab, "n0");
    lab.run("ip link set n0 mtu 3000");
    let frames = received(&mut lab, socket);
    assert!(frames.iter().all(|(_, protocol, kind, hardware)| {
        (*protocol, *kind, *hardware) == (0, PacketType::Outgoing, 824)
    }));
    // The request, with the new MTU in its attribute, and its acknowledgement.
    let mtu = [8, 0, 4, 0, 0xb8, 0x0b, 0, 0];
    assert!(frames.iter().any(|(data, ..)| data.windows(8).any(|bytes| bytes == mtu)));
    assert!(frames.iter().any(|(data, ..)| data.get(4..6) == Some(&[2, 0])));
    let mut other = Lab { task: lab.world.open_task("pc", None).expect("the first namespace"), ..lab };
    other.run("ip link add d0 type dummy");
    assert_eq!(received(&mut Lab { task: other.task, world: other.world }, socket), []);
}

/// `nsim_validate`
#[test]
fn a_simulated_card_is_refused_as_linux_does() {
    let mut lab = Lab::new();
    assert_eq!(
        lab.output("ip link add s type netdevsim"),
        "Error: Please use: echo \"[ID] [PORT_COUNT] [NUM_QUEUES]\" > /sys/bus/netdevsim/new_device.\n"
    );
}

/// What the real program printed for the same tunnels on Linux 6.1.
#[test]
fn ip_tunnel_makes_and_shows_tunnels() {
    let mut lab = Lab::new();
    for line in [
        "ip link add u0 type dummy",
        "ip tunnel add t1 mode gre remote 192.168.0.2 local 192.168.0.1 key 77 ttl 64 dev u0",
        "ip tunnel add t2 mode ipip remote 192.168.0.2 local 192.168.0.1",
        "ip tunnel add t3 mode sit remote 192.168.0.2 local 192.168.0.1 ttl 64",
        "ip tunnel add t5 mode gre remote 192.168.0.9 ikey 5 okey 6 seq csum tos inherit",
    ] {
        lab.run(line);
    }
    assert_eq!(
        lab.output("ip tunnel show"),
        "t1: gre/ip remote 192.168.0.2 local 192.168.0.1 dev u0 ttl 64 key 77\n\
         t2: ip/ip remote 192.168.0.2 local 192.168.0.1 ttl inherit\n\
         t3: ipv6/ip remote 192.168.0.2 local 192.168.0.1 ttl 64\n\
         t5: gre/ip remote 192.168.0.9 local any ttl inherit tos inherit ikey 5 okey 6\n  \
         Drop packets out of sequence.\n  Checksum in received packet is required.\n  \
         Sequence packets on output.\n  Checksum output packets.\n"
    );
    lab.run("ip tunnel change t1 ttl 8 remote 192.168.0.22");
    assert_eq!(
        lab.output("ip tunnel show t1"),
        "t1: gre/ip remote 192.168.0.22 local 192.168.0.1 dev u0 ttl 8 key 77\n"
    );
    lab.run("ip tunnel del t1");
    for (line, text) in [
        ("ip tunnel del t1", "delete tunnel \"t1\" failed: No such device\n"),
        ("ip tunnel add t6 mode gretap remote 1.1.1.1", "Unknown tunnel mode \"gretap\"\n"),
        ("ip tunnel add t7 remote 1.1.1.1", "cannot determine tunnel mode (ipip, gre, vti or sit)\n"),
        (
            "ip tunnel add t4 mode ipip remote 192.168.0.2 local 192.168.0.1",
            "add tunnel \"tunl0\" failed: File exists\n",
        ),
    ] {
        assert_eq!(lab.output(line), text);
    }
}

/// Two bridges, two cables, no spanning tree: one broadcast goes round and round.
#[test]
fn a_loop_of_bridges_ends() {
    let mut lab = Lab::first();
    for line in [
        "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1",
        "ip link add b1 type bridge",
        "ip link add b2 type bridge",
        "ip link add p1 type veth peer name q1",
        "ip link add p2 type veth peer name q2",
        "ip link set p1 master b1 up",
        "ip link set p2 master b1 up",
        "ip link set q1 master b2 up",
        "ip link set q2 master b2 up",
        "ip link set b1 up",
        "ip link set b2 up",
        "ip addr add 10.0.0.1/24 dev b1",
    ] {
        lab.run(line);
    }
    let said = lab.output("ping -c 1 -W 1 10.0.0.2");
    assert!(said.contains("1 packets transmitted, 0 received"), "{said}");
    let seen: u64 = lab
        .read("/sys/class/net/p1/statistics/rx_packets")
        .expect("a counter")
        .trim()
        .parse()
        .expect("a number");
    assert!((1_000..100_000).contains(&seen), "{seen} frames");
}

/// The bus of netdevsim, as drivers/net/netdevsim of Linux 6.1 has it: no machine here has that module.
#[test]
fn simulated_cards_come_from_their_bus() {
    const BUS: &str = "/sys/bus/netdevsim";
    let mut lab = Lab::new();
    let new = |lab: &mut Lab, text: &str| lab.write(&format!("{BUS}/new_device"), text);
    assert_eq!(lab.list(BUS), Ok(["del_device", "devices", "new_device"].map(str::to_owned).to_vec()));
    assert_eq!(lab.list(&format!("{BUS}/devices")), Ok(vec![]));
    for text in ["", "x", "-1 1", "2147483648"] {
        assert_eq!(new(&mut lab, text), Err(Errno::EINVAL), "{text}");
    }
    assert_eq!(new(&mut lab, "10 2 4\n"), Ok(()));
    assert_eq!(new(&mut lab, "10\n"), Err(Errno::ENOSPC));
    assert_eq!(lab.list(&format!("{BUS}/devices/netdevsim10/net")), Ok(vec!["eth0".into(), "eth1".into()]));
    assert_eq!(lab.read(&format!("{BUS}/new_device")), Err(Errno::EACCES));
    assert_eq!(lab.write(&format!("{BUS}/nosuch"), "1"), Err(Errno::EACCES));

    let text = lab.output("ip -d link show eth1");
    let switch = lab.shown("/sys/class/net/eth1/phys_switch_id").trim().to_owned();
    assert_eq!(switch.len(), 64);
    assert_eq!(switch, lab.shown("/sys/class/net/eth0/phys_switch_id").trim());
    assert_eq!(lab.shown("/sys/class/net/eth1/phys_port_name"), "p2\n");
    assert_eq!(lab.read("/sys/class/net/eth1/name_assign_type"), Err(Errno::EINVAL));
    let (first, rest) = text.split_once("\n    link/ether ").expect("an Ethernet device");
    assert!(
        first.ends_with(
            "eth1: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 1000"
        ),
        "{text}"
    );
    let (_, rest) = rest.split_once(' ').expect("a MAC");
    assert_eq!(
        rest,
        format!(
            "brd ff:ff:ff:ff:ff:ff promiscuity 0  allmulti 0 minmtu 68 maxmtu 65535 addrgenmode eui64 numtxqueues 4 \
             numrxqueues 4 gso_max_size 65536 gso_max_segs 65535 tso_max_size 65536 tso_max_segs 65535 \
             gro_max_size 65536 portname p2 switchid {switch} \
             parentbus netdevsim parentdev netdevsim10 \n"
        )
    );
    // It has no kind: nothing lists it as one, and it goes by its bus alone.
    assert_eq!(lab.output("ip link show type netdevsim"), "");
    assert_eq!(lab.output("ip link del eth1"), "RTNETLINK answers: Operation not supported\n");
    assert_eq!(lab.output("ip link set eth1 carrier off"), "RTNETLINK answers: Operation not supported\n");
    assert!(lab.output("ip link set eth1 mtu 67").contains("mtu less than device minimum"));
    let driver = lab.output("ethtool -i eth1");
    assert!(
        driver.starts_with("driver: netdevsim\n") && driver.contains("\nbus-info: netdevsim10\n"),
        "{driver}"
    );
    assert_eq!(lab.output("ethtool eth1"), "No data available\n");
    assert!(lab.output("ethtool -l eth1").ends_with("Combined:\t4\n"));
    let features = lab.output("ethtool -k eth1");
    for line in
        ["tx-tcp-segmentation: on [fixed]", "hw-tc-offload: off\n", "rx-udp_tunnel-port-offload: on\n"]
    {
        assert!(features.contains(line), "{features}");
    }

    // What is sent is counted, and gone.
    assert_eq!(lab.write("/proc/sys/net/ipv6/conf/eth1/disable_ipv6", "1"), Ok(()));
    lab.run("ip link set eth1 up");
    assert!(
        lab.output("ip link show eth1")
            .contains("<BROADCAST,NOARP,UP,LOWER_UP> mtu 1500 qdisc noqueue state UNKNOWN")
    );
    lab.run("ip addr add 192.0.2.1/24 dev eth1");
    lab.output("ping -c 2 -W 1 192.0.2.2");
    assert_eq!(lab.shown("/sys/class/net/eth1/statistics/tx_bytes"), "196\n");
    assert_eq!(lab.shown("/sys/class/net/eth1/statistics/rx_packets"), "0\n");
    // Routes go to the hardware, the first of each prefix.
    lab.run("ip link add d0 type dummy");
    lab.run("ip link set d0 up");
    lab.run("ip route add 192.0.2.0/24 dev d0 metric 7");
    assert_eq!(
        lab.output("ip route show"),
        "192.0.2.0/24 dev eth1 proto kernel scope link src 192.0.2.1 rt_trap \n\
         192.0.2.0/24 dev d0 scope link metric 7 \n"
    );

    // Ports come and go one by one.
    let port =
        |lab: &mut Lab, file: &str, text: &str| lab.write(&format!("{BUS}/devices/netdevsim10/{file}"), text);
    assert_eq!(port(&mut lab, "new_port", "1"), Err(Errno::EEXIST));
    assert_eq!(port(&mut lab, "new_port", "0x7\n"), Ok(()));
    assert_eq!(lab.shown("/sys/class/net/eth2/phys_port_name"), "p8\n");
    assert_eq!(port(&mut lab, "del_port", "0"), Ok(()));
    assert_eq!(port(&mut lab, "del_port", "0"), Err(Errno::ENOENT));
    assert_eq!(port(&mut lab, "sriov_numvfs", "0"), Ok(()));
    assert_eq!(port(&mut lab, "sriov_numvfs", "1"), Err(Errno::EOPNOTSUPP));
    assert_eq!(port(&mut lab, "sriov_numvfs", "5"), Err(Errno::ENOMEM));
    assert_eq!(lab.output("ip -br link show eth0"), "Device \"eth0\" does not exist.\n");

    // A device whose ports cannot be made is there all the same.
    assert_eq!(new(&mut lab, "11 1 0"), Ok(()));
    assert_eq!(
        lab.list(&format!("{BUS}/devices/netdevsim11")),
        Ok(["del_port", "new_port", "sriov_numvfs"].map(str::to_owned).to_vec())
    );
    for file in ["new_port", "del_port", "sriov_numvfs"] {
        let file = format!("{BUS}/devices/netdevsim11/{file}");
        assert_eq!(lab.write(&file, "0"), Err(Errno::ENOENT), "{file}");
    }
    assert_eq!(lab.write(&format!("{BUS}/del_device"), "10"), Ok(()));
    assert_eq!(lab.write(&format!("{BUS}/del_device"), "10"), Err(Errno::ENOENT));
    assert_eq!(lab.output("ip -o link show eth1"), "Device \"eth1\" does not exist.\n");
    assert!(!lab.output("ip route show table all").contains("rt_trap"));
}

/// `devlink_pernet_pre_exit`: the ports of a device start anew in the first namespace when theirs ends; a port that was
/// moved comes home as a card does.
#[test]
fn simulated_cards_outlive_their_namespace() {
    let mut lab = Lab::first();
    lab.run("ip netns add n");
    let there = lab.world.open_task("pc", Some("n")).expect("a namespace just made");
    let mut lab_there = Lab { task: there, ..lab };
    assert_eq!(lab_there.write("/sys/bus/netdevsim/new_device", "1 1"), Ok(()));
    let first = lab_there.world.open_task("pc", None).expect("the first namespace");
    let mut lab = Lab { task: first, ..lab_there };
    assert_eq!(lab.write("/sys/bus/netdevsim/new_device", "2 1"), Ok(()));
    lab.run("ip link set eth0 name other");
    lab.run("ip link set other netns n");
    assert_eq!(
        lab.output("ip -br link show"),
        "lo               DOWN           00:00:00:00:00:00 <LOOPBACK> \n"
    );
    lab.world.close_task(there);
    lab.run("ip netns del n");
    assert_eq!(lab.shown("/sys/class/net/eth0/phys_port_name"), "p1\n");
    assert_eq!(lab.list("/sys/bus/netdevsim/devices/netdevsim1/net"), Ok(vec!["eth0".into()]));
    assert_eq!(lab.list("/sys/bus/netdevsim/devices/netdevsim2/net"), Ok(vec!["other".into()]));
}

/// ipoib by the rules of drivers/infiniband/ulp/ipoib: no kernel here has InfiniBand.
#[test]
fn devices_of_partitions_stand_on_an_infiniband_card() {
    let mut lab = Lab::first();
    let mac = hairpin_kernel::Mac([0x00, 0x02, 0xc9, 0x0a, 0xbb, 0xcc]);
    assert_eq!(lab.world.add_infiniband_card(0, "ib0", mac), Ok(()));
    let shown = |lab: &mut Lab, dev: &str| {
        let text = lab.output(&format!("ip -d link show {dev}"));
        text.split_once(": ").map(|(_, rest)| rest.to_owned()).unwrap_or(text)
    };
    let ends = "addrgenmode eui64 numtxqueues 1 numrxqueues 1 gso_max_size 65536 gso_max_segs 65535 \
                tso_max_size 65536 tso_max_segs 65535 gro_max_size 65536 \n";
    assert_eq!(
        shown(&mut lab, "ib0"),
        format!(
            "ib0: <BROADCAST,MULTICAST> mtu 4092 qdisc noop state DOWN mode DEFAULT group default qlen 256\n    \
             link/infiniband 80:00:02:08:fe:80:00:00:00:00:00:00:02:02:c9:ff:fe:0a:bb:cc brd \
             00:ff:ff:ff:ff:12:40:1b:ff:ff:00:00:00:00:00:00:ff:ff:ff:ff promiscuity 0  allmulti 0 minmtu 0 \
             maxmtu 65520 \n    ipoib pkey 0xffff mode datagram umcast 0000 {ends}"
        )
    );
    // On what is none, and on nothing.
    lab.run("ip link add d0 type dummy");
    for (line, answer) in [
        ("ip link add link d0 name x type ipoib", "RTNETLINK answers: No such device\n"),
        ("ip link add x type ipoib", "RTNETLINK answers: Invalid argument\n"),
        ("ip link add link ib0 name x type ipoib pkey 0x8000", "RTNETLINK answers: Invalid argument\n"),
        ("ip link add link ib0 name x type ipoib pkey 0", "RTNETLINK answers: Invalid argument\n"),
        (
            "ip link add link ib0 name x type ipoib pkey 0x10000",
            "Error: argument \"0x10000\" is wrong: pkey is invalid\n",
        ),
        (
            "ip link add link ib0 name x type ipoib mode fast",
            "Error: argument of \"mode\" must be \"datagram\"or \"connected\"\n",
        ),
        ("ip link add link ib0 name v type vlan id 5", "Error: 8021q: VLANs not supported on device.\n"),
        ("ip link add link ib0 name m type macvlan", "RTNETLINK answers: Invalid argument\n"),
    ] {
        assert_eq!(lab.output(line), answer, "{line}");
    }
    lab.run("ip link add link ib0 name ib0.8001 type ipoib pkey 0x8001 mode connected umcast 1");
    assert_eq!(
        shown(&mut lab, "ib0.8001"),
        format!(
            "ib0.8001@ib0: <BROADCAST,MULTICAST,M-DOWN> mtu 65520 qdisc noop state DOWN mode DEFAULT group default \
             qlen 256\n    link/infiniband 80:00:02:09:fe:80:00:00:00:00:00:00:02:02:c9:ff:fe:0a:bb:cc brd \
             00:ff:ff:ff:ff:12:40:1b:80:01:00:00:00:00:00:00:ff:ff:ff:ff promiscuity 0  allmulti 0 minmtu 0 \
             maxmtu 65520 \n    ipoib pkey 0x8001 mode connected umcast 0001 {ends}"
        )
    );
    let json = lab.output("ip -d -j link show ib0.8001");
    assert!(
        json.contains(
            r#""info_kind":"ipoib","info_data":{"key":"0x8001","mode":"connected","umcast":"0001"}"#
        ),
        "{json}"
    );
    assert_eq!(
        lab.output("ip link add link ib0.8001 name x type ipoib"),
        "RTNETLINK answers: Invalid argument\n"
    );
    // Netlink minds no key that is there already; a mode brings its MTU.
    lab.run("ip link add link ib0 name again mtu 9000 type ipoib pkey 1");
    assert!(shown(&mut lab, "again").contains("mtu 4092 "));
    assert!(shown(&mut lab, "again").contains("ipoib pkey 0x8001 mode datagram umcast 0000"));
    assert_eq!(lab.output("ip link set again mtu 4093"), "RTNETLINK answers: Invalid argument\n");
    assert_eq!(lab.output("ip link set again mtu 71"), "RTNETLINK answers: Invalid argument\n");
    lab.run("ip link set again mtu 2044");
    lab.run("ip link set again type ipoib mode connected");
    assert!(shown(&mut lab, "again").contains("mtu 65520 "));
    lab.run("ip link set again type ipoib mode datagram");
    assert!(shown(&mut lab, "again").contains("mtu 4092 "));
    assert!(lab.output("ip link set again mtu 65521").contains("mtu greater than device maximum"));

    // Without a fabric there is no link; those on a card's device follow it.
    lab.run("ip link set ib0 up");
    assert!(shown(&mut lab, "ib0").starts_with(
        "ib0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 4092 qdisc fq_codel state DOWN mode DEFAULT"
    ));
    assert!(shown(&mut lab, "again").starts_with(
        "again@ib0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 4092 qdisc fq_codel state LOWERLAYERDOWN"
    ));
    lab.run("ip addr add 192.0.2.1/24 dev ib0");
    assert_eq!(
        lab.output("ip route show"),
        "192.0.2.0/24 dev ib0 proto kernel scope link src 192.0.2.1 linkdown \n"
    );
    assert!(lab.output("ping -c 1 -W 1 192.0.2.2").contains("100% packet loss"));
    let settings = lab.output("ethtool ib0");
    for line in ["Speed: Unknown!", "Duplex: Unknown! (255)", "Port: Twisted Pair", "Link detected: no"] {
        assert!(settings.contains(line), "{settings}");
    }
    assert!(lab.output("ethtool -i ib0").starts_with("driver: ib_ipoib\n"));
    assert!(lab.output("ethtool -S ib0").starts_with("NIC statistics:\n     rx_packets: 0\n"));
    lab.run("ip link set ib0 down");
    assert!(shown(&mut lab, "again").starts_with("again@ib0: <BROADCAST,MULTICAST,M-DOWN> "));

    // An address keeps all but the port's identity, which all devices of a card have.
    let address = "80:00:02:08:fe:80:00:00:00:00:00:00:02:02:c9:ff:fe:00:00:01";
    assert_eq!(
        lab.output(&format!("ip link set ib0 address {}", address.replace("02:08", "02:07"))),
        "RTNETLINK answers: Invalid argument\n"
    );
    assert_eq!(
        lab.output("ip link set ib0 address 02:00:00:00:00:01"),
        "Invalid address length 6 - must be 20 bytes\n"
    );
    lab.run(&format!("ip link set ib0 address {address}"));
    assert!(shown(&mut lab, "ib0").contains(&format!(
        "link/infiniband {address} brd 00:ff:ff:ff:ff:12:40:1b:ff:ff:00:00:00:00:00:00:ff:ff:ff:ff permaddr \
         80:00:02:08:fe:80:00:00:00:00:00:00:02:02:c9:ff:fe:0a:bb:cc "
    )));
    assert!(
        shown(&mut lab, "ib0.8001")
            .contains("link/infiniband 80:00:02:09:fe:80:00:00:00:00:00:00:02:02:c9:ff:fe:00:00:01 ")
    );

    // By files, where a key is unique.
    let file = |name: &str| format!("/sys/class/net/ib0/{name}");
    assert_eq!(lab.shown(&file("pkey")), "0xffff\n");
    assert_eq!(lab.write(&file("create_child"), "0x8002\n"), Ok(()));
    assert_eq!(lab.write(&file("create_child"), "0x8002"), Err(Errno::ENOTUNIQ));
    assert_eq!(lab.write(&file("create_child"), "0xffff"), Err(Errno::ENOTUNIQ));
    assert_eq!(lab.write(&file("create_child"), "0x8000"), Err(Errno::EINVAL));
    assert_eq!(lab.shown("/sys/class/net/ib0.8002/parent"), "ib0\n");
    assert_eq!(lab.read("/sys/class/net/ib0.8001/parent"), Err(Errno::ENOENT));
    assert_eq!(lab.write(&file("mode"), "connected\n"), Ok(()));
    assert_eq!((lab.shown(&file("mode")), lab.shown(&file("mtu"))), ("connected\n".into(), "65520\n".into()));
    assert_eq!(lab.write(&file("mode"), "fast\n"), Err(Errno::EINVAL));
    assert_eq!(lab.write(&file("delete_child"), "0x8001"), Err(Errno::ENODEV));
    assert_eq!(lab.write(&file("delete_child"), "0x8002"), Ok(()));

    // A card's device does not go, and nobody says so; those on it do.
    lab.run("ip link del ib0");
    lab.run("ip link del ib0.8001");
    assert_eq!(
        lab.output("ip -br link show type ipoib")
            .lines()
            .map(|line| line.split(' ').next())
            .collect::<Vec<_>>(),
        [Some("ib0"), Some("again@ib0")]
    );
}
