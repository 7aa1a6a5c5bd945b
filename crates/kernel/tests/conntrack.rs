//! A table of connections that is full.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use common::Lab;

/// One that nobody has answered makes room; where all are assured, what is new is dropped (`__nf_conntrack_alloc`).
#[test]
fn a_full_table_drops_what_is_new() {
    let mut lab = Lab::first();
    for line in [
        "ip link set lo up",
        "iptables -A INPUT -m conntrack --ctstate NEW",
        "sysctl -qw net.netfilter.nf_conntrack_max=2",
        "conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport 1 --dport 2 -t 100 -u ASSURED,SEEN_REPLY",
        "conntrack -I -p udp -s 192.0.2.1 -d 192.0.2.2 --sport 3 --dport 4 -t 100",
        "ping -c 1 -W 1 127.0.0.1",
    ] {
        lab.run(line);
    }
    let listed = lab.output("conntrack -L -p udp");
    assert!(listed.contains("sport=1") && !listed.contains("sport=3"), "{listed}");
    assert!(lab.output("conntrack -S").contains(" early_drop=1 "));
    lab.run("conntrack -F");
    for port in [1, 3] {
        let ends = format!("-s 192.0.2.1 -d 192.0.2.2 --sport {port} --dport 2");
        lab.run(&format!("conntrack -I -p udp {ends} -t 100 -u ASSURED,SEEN_REPLY"));
    }
    let refused = lab.output("ping -c 1 -W 1 127.0.0.1");
    assert!(refused.contains("100% packet loss"), "{refused}");
    assert!(lab.output("conntrack -S").contains(" drop=1 "));
    // Another namespace shows the bound, and cannot set it.
    lab.run("ip netns add x");
    lab.task = lab.world.open_task("pc", Some("x")).expect("a namespace just made");
    let said = lab.output("sysctl -w net.netfilter.nf_conntrack_max=9");
    assert_eq!(said, "sysctl: setting key \"net.netfilter.nf_conntrack_max\": Invalid argument\n");
    let shown = lab.output("sysctl net.netfilter.nf_conntrack_max");
    assert_eq!(shown, "net.netfilter.nf_conntrack_max = 2\n");
}
