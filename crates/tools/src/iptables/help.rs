//! What `-h` prints: the program's own text, then those of the target and the matches in front of it, a file each.

use hairpin_netlink::netfilter::Family;

/// What stands in front of `-h`.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub target: Option<&'static str>,
    pub matches: Vec<&'static str>,
}

/// The whole text.
pub(super) fn text(asked: &Asked, family: Family) -> String {
    let mut text = general(family);
    text.extend(asked.target.map(|name| of_target(name, family)));
    text.extend(asked.matches.iter().map(|name| of_match(name, family)));
    text
}

fn general(family: Family) -> String {
    let text = include_str!("help.txt");
    if family == Family::Ipv4 {
        return text.to_owned();
    }
    // The families change places; fragments are a matter of IPv4's header.
    let lines = text.lines().filter(|line| !line.contains("--fragment"));
    let line = |line: &str| match line.split_once('\t') {
        Some(("    --ipv4", rest)) => format!("    --ipv4\t{}\n", rest.replace("Nothing", "Error")),
        Some(("    --ipv6", rest)) => format!("    --ipv6\t{}\n", rest.replace("Error", "Nothing")),
        _ => format!("{}\n", line.replace("iptables ", "ip6tables ")),
    };
    lines.map(line).collect()
}

fn of_match(name: &str, family: Family) -> &'static str {
    match (name, family) {
        ("addrtype", _) => include_str!("help/match/addrtype.txt"),
        ("ah", Family::Ipv4) => include_str!("help/match/ah.ipv4.txt"),
        ("ah", Family::Ipv6) => include_str!("help/match/ah.ipv6.txt"),
        ("comment", _) => include_str!("help/match/comment.txt"),
        ("connbytes", _) => include_str!("help/match/connbytes.txt"),
        ("connlimit", _) => include_str!("help/match/connlimit.txt"),
        ("connmark", _) => include_str!("help/match/connmark.txt"),
        ("conntrack", _) => include_str!("help/match/conntrack.txt"),
        ("dscp", _) => include_str!("help/match/dscp.txt"),
        ("dst", _) => include_str!("help/match/dst.txt"),
        ("ecn", _) => include_str!("help/match/ecn.txt"),
        ("esp", _) => include_str!("help/match/esp.txt"),
        ("eui64", _) => include_str!("help/match/eui64.txt"),
        ("frag", _) => include_str!("help/match/frag.txt"),
        ("hashlimit", _) => include_str!("help/match/hashlimit.txt"),
        ("hbh", _) => include_str!("help/match/hbh.txt"),
        ("hl", _) => include_str!("help/match/hl.txt"),
        ("icmp", _) => include_str!("help/match/icmp.txt"),
        ("icmp6", _) => include_str!("help/match/icmp6.txt"),
        ("iprange", _) => include_str!("help/match/iprange.txt"),
        ("ipv6header", _) => include_str!("help/match/ipv6header.txt"),
        ("length", _) => include_str!("help/match/length.txt"),
        ("limit", _) => include_str!("help/match/limit.txt"),
        ("mac", _) => include_str!("help/match/mac.txt"),
        ("mark", _) => include_str!("help/match/mark.txt"),
        ("mh", _) => include_str!("help/match/mh.txt"),
        ("multiport", _) => include_str!("help/match/multiport.txt"),
        ("owner", _) => include_str!("help/match/owner.txt"),
        ("physdev", _) => include_str!("help/match/physdev.txt"),
        ("pkttype", _) => include_str!("help/match/pkttype.txt"),
        ("quota", _) => include_str!("help/match/quota.txt"),
        ("recent", _) => include_str!("help/match/recent.txt"),
        ("rpfilter", _) => include_str!("help/match/rpfilter.txt"),
        ("rt", _) => include_str!("help/match/rt.txt"),
        ("sctp", _) => include_str!("help/match/sctp.txt"),
        ("set", _) => include_str!("help/match/set.txt"),
        ("state", _) => include_str!("help/match/state.txt"),
        ("statistic", _) => include_str!("help/match/statistic.txt"),
        ("string", _) => include_str!("help/match/string.txt"),
        ("tcp", _) => include_str!("help/match/tcp.txt"),
        ("tcpmss", _) => include_str!("help/match/tcpmss.txt"),
        ("time", _) => include_str!("help/match/time.txt"),
        ("tos", _) => include_str!("help/match/tos.txt"),
        ("ttl", _) => include_str!("help/match/ttl.txt"),
        ("u32", _) => include_str!("help/match/u32.txt"),
        ("udp", _) => include_str!("help/match/udp.txt"),
        _ => "",
    }
}

fn of_target(name: &str, family: Family) -> &'static str {
    match (name, family) {
        ("CHECKSUM", _) => include_str!("help/target/CHECKSUM.txt"),
        ("CLASSIFY", _) => include_str!("help/target/CLASSIFY.txt"),
        ("CONNMARK", _) => include_str!("help/target/CONNMARK.txt"),
        ("CT", _) => include_str!("help/target/CT.txt"),
        ("DNAT", _) => include_str!("help/target/DNAT.txt"),
        ("DSCP", _) => include_str!("help/target/DSCP.txt"),
        ("HL", _) => include_str!("help/target/HL.txt"),
        ("LOG", _) => include_str!("help/target/LOG.txt"),
        ("MARK", _) => include_str!("help/target/MARK.txt"),
        ("MASQUERADE", _) => include_str!("help/target/MASQUERADE.txt"),
        ("NETMAP", _) => include_str!("help/target/NETMAP.txt"),
        ("NFLOG", _) => include_str!("help/target/NFLOG.txt"),
        ("NFQUEUE", _) => include_str!("help/target/NFQUEUE.txt"),
        ("NOTRACK", _) => include_str!("help/target/NOTRACK.txt"),
        ("REDIRECT", _) => include_str!("help/target/REDIRECT.txt"),
        ("REJECT", Family::Ipv4) => include_str!("help/target/REJECT.ipv4.txt"),
        ("REJECT", Family::Ipv6) => include_str!("help/target/REJECT.ipv6.txt"),
        ("SET", _) => include_str!("help/target/SET.txt"),
        ("SNAT", _) => include_str!("help/target/SNAT.txt"),
        ("TCPMSS", Family::Ipv4) => include_str!("help/target/TCPMSS.ipv4.txt"),
        ("TCPMSS", Family::Ipv6) => include_str!("help/target/TCPMSS.ipv6.txt"),
        ("TOS", _) => include_str!("help/target/TOS.txt"),
        ("TRACE", _) => include_str!("help/target/TRACE.txt"),
        ("TTL", _) => include_str!("help/target/TTL.txt"),
        ("standard", _) => include_str!("help/target/standard.txt"),
        _ => "",
    }
}
