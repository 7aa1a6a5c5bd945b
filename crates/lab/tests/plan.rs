//! The steps that build a world.

use hairpin_lab::{parse, plan};

fn steps(yaml: &str) -> String {
    plan(&parse("w", yaml).unwrap()).to_string()
}

#[test]
fn a_host_in_the_order_of_its_dependencies() {
    let yaml = r#"
segments:
  lan: {kind: switch, pad: 60, trunk: [200, 300], gateway_learns_from_ip: {host: a, dev: eth0, prefix: "10.0.2."}}
hosts:
  a:
    setup:
      - "ip link add link eth0 name eth0.200 type vlan id 200"
      - "echo 1 > /proc/sys/net/ipv4/ip_forward"
    files: {/etc/resolv.conf: "nameserver 10.0.2.3"}
    answers:
      - {ip: 8.8.8.8, ttl: 117}
      - {ip: 9.9.9.9}
    iptables: ["-A INPUT -m comment --comment 'a b' -j DROP"]
    routes: ["default via 10.0.2.2 proto dhcp"]
    addresses:
      - {dev: eth0, ip: 10.0.2.15/24, opts: "brd + noprefixroute"}
    nics:
      eth0: {segment: lan, mac: "02:00:00:00:00:01", altname: enp0s3, addrgenmode: none, ipv6: no}
      eth0.5: {mac: "02:00:00:00:00:02", master: br0, up: off, ipv6: false}
    bridges:
      br0: {addr: 172.17.0.1/16, carrier: yes}
      br-9bf9aa158c15: {carrier: no}
      br1:
    sysctl: {net.ipv4.ip_forward: yes, net.ipv4.tcp_rmem: "4096 87380 6291456"}
    dns: {server: 10.0.2.3, names: {example.org: {cname: example.net, a: [192.0.2.1]}}}
  b:
"#;
    let expected = "\
segment lan: switch, pad 60, trunk [200, 300], a learns 10.0.2.0/24 on eth0 from IP
host a
a: ip link set dev lo up
a: NIC eth0 02:00:00:00:00:01 in lan
a: NIC eth0.5 02:00:00:00:00:02 unplugged
a: ip link property add dev eth0 altname enp0s3
host b
b: ip link set dev lo up
a: sysctl -qw net.ipv4.ip_forward=1
a: sysctl -qw 'net.ipv4.tcp_rmem=4096 87380 6291456'
a: ip link add name br0 type bridge
a: ip link set dev br0 up
a: ip addr add 172.17.0.1/16 dev br0
a: ip link add name br0-p type dummy
a: ip link set dev br0-p master br0 up
a: ip link add name br-9bf9aa158c15 type bridge
a: ip link set dev br-9bf9aa158c15 up
a: ip link add name br-9bf9a-p type dummy
a: ip link set dev br-9bf9a-p master br-9bf9aa158c15 up
a: sleep 0.2
a: ip link del dev br-9bf9a-p
a: ip link add name br1 type bridge
a: ip link set dev br1 up
a: sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
a: ip link set dev eth0 addrgenmode none
a: ip link set dev eth0 up
a: sysctl -qw net.ipv6.conf.eth0/5.disable_ipv6=1
a: ip link set dev eth0.5 master br0
a: ip addr add 10.0.2.15/24 dev eth0 brd + noprefixroute
a: ip route add default via 10.0.2.2 proto dhcp
a: iptables -A INPUT -m comment --comment 'a b' -j DROP
a: ip addr add 8.8.8.8/32 dev lo
a: packets from 8.8.8.8 leave with ttl 118
a: ip addr add 9.9.9.9/32 dev lo
a: file /etc/resolv.conf, 20 bytes
a: ip link add link eth0 name eth0.200 type vlan id 200
a: echo 1 > /proc/sys/net/ipv4/ip_forward
a: DNS server at 10.0.2.3, 1 names
";
    assert_eq!(steps(yaml), expected);
}

#[test]
fn ports_of_bridges_with_like_names_do_not_collide() {
    let yaml = "hosts: {a: {bridges: {bridge-one: {carrier: yes}, bridge-only: {carrier: yes}}}}";
    let text = steps(yaml);
    assert!(text.contains("ip link add name bridge-o-p type dummy"), "{text}");
    assert!(text.contains("ip link add name bridge-o-p2 type dummy"), "{text}");
}

#[test]
fn nothing_in_a_built_in_world_is_skipped() {
    for (name, _) in hairpin_lab::BUILT_IN {
        let world = hairpin_lab::builtin(name).unwrap().unwrap();
        let text = plan(&world).to_string();
        assert!(!text.contains("skipped"), "{name}:\n{text}");
    }
}

#[test]
fn the_built_in_worlds_are_what_they_promise() {
    let nat = hairpin_lab::builtin("nat").unwrap().unwrap();
    let text = plan(&nat).to_string();
    assert_eq!(nat.hosts[0].name, "host");
    for line in ["host: ip link set dev eth0 up", "host: ip addr add 10.0.2.15/24 dev eth0 brd +"] {
        assert!(text.lines().any(|step| step == line), "{line}\n{text}");
    }
    let bare = hairpin_lab::builtin("bare").unwrap().unwrap();
    assert_eq!(plan(&bare).to_string(), "host box\nbox: ip link set dev lo up\n");
    assert!(hairpin_lab::builtin("nope").is_none());
}

#[test]
fn macs_left_out_are_made_up_once_and_for_all() {
    let yaml = "hosts: {a: {nics: {eth0: , eth1: {up: no}}}, b: {nics: {eth0: }}}";
    let world = parse("w", yaml).unwrap();
    assert_eq!(world, parse("w", yaml).unwrap());
    let macs: Vec<[u8; 6]> = world.hosts.iter().flat_map(|host| &host.nics).map(|nic| nic.mac).collect();
    assert!(macs.iter().all(|mac| mac[0] == 2));
    assert!(macs[0] != macs[1] && macs[0] != macs[2] && macs[1] != macs[2]);
    // Part of the format: captures of a world look the same in every release.
    assert_eq!(macs[0], [0x02, 0x3d, 0x14, 0xe3, 0x25, 0x0d]);
}
