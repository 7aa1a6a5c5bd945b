//! Devices of tun, as `ip tuntap` makes them. The texts are those of Linux 6.1 and iproute2 6.1.

mod common;

use common::Lab;
use hairpin_netlink::Errno;

/// The first line of what is told of a device, and the last.
fn details(lab: &mut Lab, name: &str) -> (String, String) {
    let text = lab.output(&format!("ip -d link show {name}"));
    let mut lines = text.lines();
    (lines.next().unwrap_or_default().to_owned(), lines.last().unwrap_or_default().trim().to_owned())
}

#[test]
fn devices_are_made_and_listed() {
    let mut lab = Lab::first();
    for line in [
        "ip tuntap add dev tap0 mode tap",
        "ip tuntap add dev tun0 mode tun",
        "ip tuntap add tap1 mode tap user 0 group 5 one_queue pi vnet_hdr",
        "ip tuntap add dev tun1 mode tun multi_queue user 1000",
        "ip tuntap add mode tap",
    ] {
        lab.run(line);
    }
    let list = "tap0: tap persist\ntun0: tun persist\n\
                tap1: tap pi one_queue vnet_hdr persist filter user 0 group 5\n\
                tun1: tun multi_queue persist user 1000\ntap2: tap persist\n";
    assert_eq!(lab.output("ip tuntap"), list);
    assert_eq!(lab.output("ip tuntap show dev tap0"), list);
    let detailed = lab.output("ip -d tuntap list");
    assert!(
        detailed.starts_with("tap0: tap persist\n\tAttached to processes:\ntun0: tun persist\n"),
        "{detailed}"
    );
    let json = lab.output("ip -j tuntap");
    assert!(
        json.contains(
            "{\"ifname\":\"tap1\",\"flags\":[\"tap\",\"pi\",\"one_queue\",\"vnet_hdr\",\"persist\",\"filter\"],\
             \"user\":0,\"group\":5}"
        ),
        "{json}"
    );
    let (first, last) = details(&mut lab, "tap0");
    assert_eq!(
        first,
        "2: tap0: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 1000"
    );
    assert!(
        last.starts_with("tun type tap pi off vnet_hdr off persist on addrgenmode eui64 numtxqueues 1 "),
        "{last}"
    );
    let (first, last) = details(&mut lab, "tun0");
    assert_eq!(
        first,
        "3: tun0: <POINTOPOINT,MULTICAST,NOARP> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 500"
    );
    assert!(last.starts_with("tun type tun pi off vnet_hdr off persist on addrgenmode eui64 "), "{last}");
    let (_, last) = details(&mut lab, "tap1");
    assert!(last.starts_with("tun type tap pi on vnet_hdr on persist on user 0 group 5 "), "{last}");
    let (_, last) = details(&mut lab, "tun1");
    assert!(
        last.starts_with(
            "tun type tun pi off vnet_hdr off multi_queue numqueues 0 numdisabled 0 persist on user 1000 "
        ) && last.contains(" numtxqueues 256 "),
        "{last}"
    );
    assert!(lab.output("ip link show tun0").ends_with("    link/none \n"));
    let of = |lab: &mut Lab, file: &str| lab.shown(&format!("/sys/class/net/{file}"));
    assert_eq!(of(&mut lab, "tap1/tun_flags"), "0x6802\n");
    assert_eq!(of(&mut lab, "tun1/tun_flags"), "0x1901\n");
    assert_eq!(
        (of(&mut lab, "tun1/owner"), of(&mut lab, "tun1/group")),
        ("1000\n".to_owned(), "-1\n".to_owned())
    );
    assert_eq!(lab.write("/sys/class/net/tap1/owner", "0"), Err(Errno::EACCES));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut lab = Lab::first();
    lab.run("ip tuntap add dev tap0 mode tap");
    lab.run("ip tuntap add dev tun0 mode tun");
    for (line, text) in [
        ("ip tuntap add dev tap0 mode tap", "ioctl(TUNSETIFF): Device or resource busy\n"),
        ("ip tuntap add dev lo mode tap", "ioctl(TUNSETIFF): Device or resource busy\n"),
        ("ip tuntap add dev tapx", "You failed to specify a tunnel mode\n"),
        ("ip tuntap add dev tapx mode foo", "Unknown tunnel mode \"foo\"\n"),
        ("ip tuntap add dev x mode tun mode tap", "You managed to ask for more than one tunnel mode.\n"),
        ("ip tuntap add dev tapx mode tap user nobodyx", "invalid user \"nobodyx\"\n"),
        (
            "ip tuntap add dev averyveryverylongname mode tap",
            "Error: argument \"averyveryverylongname\" is wrong: \"dev\" not a valid ifname\n",
        ),
        (
            "ip tuntap add dev tapx mode tap foo",
            "Error: either \"name\" is duplicate, or \"foo\" is a garbage.\n",
        ),
        ("ip tuntap foo", "Command \"foo\" is unknown, try \"ip tuntap help\".\n"),
        ("ip tuntap del dev tap0", "You failed to specify a tunnel mode\n"),
        ("ip tuntap del dev tun0 mode tap", "ioctl(TUNSETIFF): Invalid argument\n"),
        ("ip tuntap del dev lo mode tun", "ioctl(TUNSETIFF): Invalid argument\n"),
        ("ip link add tapz type tun", "Error: tun/tap creation via rtnetlink is not supported.\n"),
        ("ip link set tap0 type tun", "Error: tun/tap creation via rtnetlink is not supported.\n"),
        ("ip link set tun0 mtu 70000", "Error: mtu greater than device maximum.\n"),
        ("ip link set tun0 address 02:00:00:00:00:05", "RTNETLINK answers: Operation not supported\n"),
        // One that is not there is made, and gone again.
        ("ip tuntap del dev nothere mode tun", ""),
        ("ip tuntap del dev tap0 mode tap", ""),
        ("ip tuntap", "tun0: tun persist\n"),
    ] {
        assert_eq!(lab.output(line), text, "{line}");
    }
}

/// Without a program at its other end a device has no carrier, and nothing leaves it.
#[test]
fn nobody_is_at_the_other_end() {
    let mut lab = Lab::first();
    lab.write("/proc/sys/net/core/default_qdisc", "pfifo_fast").expect("a discipline");
    lab.run("ip tuntap add dev tap0 mode tap");
    lab.run("ip tuntap add dev tun0 mode tun");
    for line in [
        "ip link set tap0 up",
        "ip link set tun0 up",
        "ip addr add 10.0.0.1/24 dev tap0",
        "ip addr add 10.1.0.1 peer 10.1.0.2 dev tun0",
    ] {
        lab.run(line);
    }
    let first = |lab: &mut Lab, name: &str| details(lab, name).0;
    assert_eq!(
        first(&mut lab, "tap0"),
        "2: tap0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc pfifo_fast state DOWN mode DEFAULT group default \
         qlen 1000"
    );
    assert_eq!(
        first(&mut lab, "tun0"),
        "3: tun0: <NO-CARRIER,POINTOPOINT,MULTICAST,NOARP,UP> mtu 1500 qdisc pfifo_fast state DOWN mode DEFAULT group \
         default qlen 500"
    );
    assert_eq!(
        lab.output("ip route"),
        "10.0.0.0/24 dev tap0 proto kernel scope link src 10.0.0.1 linkdown \n\
         10.1.0.2 dev tun0 proto kernel scope link src 10.1.0.1 linkdown \n"
    );
    assert!(
        lab.output("ping -c1 -W1 10.1.0.2").contains("1 packets transmitted, 0 received, 100% packet loss")
    );
    let counted = lab.output("ip -s link show tun0");
    assert!(counted.ends_with("             0       0      0       0       0       0 \n"), "{counted}");
    lab.run("ip link add br0 type bridge");
    lab.run("ip link set tap0 master br0");
    assert_eq!(lab.output("ip link set tun0 master br0"), "RTNETLINK answers: Invalid argument\n");
}
