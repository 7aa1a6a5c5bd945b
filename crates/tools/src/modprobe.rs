//! `modprobe` of kmod 30, for a kernel that has built in what it has, but br_netfilter.

use hairpin_netlink::Call;

use crate::Program;
use crate::getopt::{Getopt, Item, Long, Value};

const SHORT: &str = "arRibfDcnqsvVC:d:S:h";

const LONG: &[Long] = &[
    ("all", Value::None, 'a'),
    ("remove", Value::None, 'r'),
    ("remove-dependencies", Value::None, '1'),
    ("remove-holders", Value::None, '1'),
    ("wait", Value::Required, '2'),
    ("resolve-alias", Value::None, 'R'),
    ("first-time", Value::None, '3'),
    ("ignore-install", Value::None, 'i'),
    ("ignore-remove", Value::None, 'i'),
    ("use-blacklist", Value::None, 'b'),
    ("force", Value::None, 'f'),
    ("force-modversion", Value::None, 'f'),
    ("force-vermagic", Value::None, 'f'),
    ("show-depends", Value::None, 'D'),
    ("showconfig", Value::None, 'c'),
    ("show-config", Value::None, 'c'),
    ("show-modversions", Value::None, '4'),
    ("dump-modversions", Value::None, '4'),
    ("show-exports", Value::None, '4'),
    ("dry-run", Value::None, 'n'),
    ("show", Value::None, 'n'),
    ("config", Value::Required, 'C'),
    ("dirname", Value::Required, 'd'),
    ("set-version", Value::Required, 'S'),
    ("syslog", Value::None, 's'),
    ("quiet", Value::None, 'q'),
    ("verbose", Value::None, 'v'),
    ("version", Value::None, 'V'),
    ("help", Value::None, 'h'),
];

/// The module that can be loaded, and taken out again.
const LOADABLE: &str = "br_netfilter";

/// What the emulated kernel has of Linux's modules, with `_` for `-`.
const MODULES: &[&str] = &[
    "8021q",
    "af_packet",
    "bonding",
    "br_netfilter",
    "bridge",
    "can",
    "dummy",
    "garp",
    "geneve",
    "gre",
    "ifb",
    "ip6_gre",
    "ip6_tables",
    "ip6_tunnel",
    "ip6table_filter",
    "ip6table_mangle",
    "ip6table_nat",
    "ip6table_raw",
    "ip_gre",
    "ip_set",
    "ip_tables",
    "ip_tunnel",
    "ipip",
    "iptable_filter",
    "iptable_mangle",
    "iptable_nat",
    "iptable_raw",
    "ipv6",
    "ipvlan",
    "llc",
    "macvlan",
    "mrp",
    "nf_conntrack",
    "nf_conntrack_ipv4",
    "nf_conntrack_netlink",
    "nf_defrag_ipv4",
    "nf_nat",
    "nf_nat_ipv4",
    "nf_reject_ipv4",
    "nlmon",
    "sit",
    "stp",
    "team",
    "team_mode_activebackup",
    "team_mode_broadcast",
    "team_mode_roundrobin",
    "tunnel4",
    "udp_tunnel",
    "vcan",
    "veth",
    "vrf",
    "vxcan",
    "vxlan",
    "x_tables",
    "xt_CT",
    "xt_LOG",
    "xt_MASQUERADE",
    "xt_TCPMSS",
    "xt_addrtype",
    "xt_comment",
    "xt_connmark",
    "xt_conntrack",
    "xt_iprange",
    "xt_length",
    "xt_limit",
    "xt_mac",
    "xt_mark",
    "xt_multiport",
    "xt_nat",
    "xt_owner",
    "xt_physdev",
    "xt_pkttype",
    "xt_set",
    "xt_state",
    "xt_tcpudp",
];

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let mut options = Getopt::new("modprobe", program.args, SHORT, LONG);
    let (mut all, mut remove, mut quiet) = (false, false, false);
    while let Some(item) = options.next() {
        match item {
            Item::Option('a', _) => all = true,
            Item::Option('r', _) => remove = true,
            Item::Option('q', _) => quiet = true,
            Item::Option('V', _) => {
                let _ = writeln!(program.shell.out(), "kmod version 30");
                return 0;
            }
            Item::Option('h', _) => {
                let _ = writeln!(program.shell.out(), "{USAGE}");
                return 0;
            }
            Item::Option(letter @ ('R' | 'D' | 'c' | '1' | '2' | '3' | '4'), _) => {
                let option = LONG.iter().find(|(_, _, known)| *known == letter).map_or("", |(name, ..)| name);
                let _ = writeln!(program.shell.err(), "modprobe: --{option} is not supported by hairpin yet");
                return 1;
            }
            Item::Option(..) => {}
            Item::Error(text) => {
                let _ = writeln!(program.shell.err(), "{text}");
                return 1;
            }
        }
    }
    let words = options.operands();
    let Some((first, parameters)) = words.split_first() else {
        let _ = writeln!(program.shell.err(), "modprobe: ERROR: missing parameters. See -h.");
        return 1;
    };
    let several = all || remove;
    let names = if several { &words[..] } else { &words[..1] };
    let release = program.system.read_file("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = String::from_utf8_lossy(&release).trim().to_owned();
    let mut code = 0;
    for name in names {
        let plain = name.replace('-', "_");
        let known = MODULES.contains(&plain.as_str());
        let text = match known {
            true if plain == LOADABLE => {
                let call = Call::Module { name: plain.clone(), load: !remove };
                let Err(errno) = program.system.call(call) else { continue };
                let what = if remove { "remove" } else { "insert" };
                format!("could not {what} '{plain}': {}", errno.text())
            }
            true if remove => format!("Module {plain} is builtin."),
            true if !several && !parameters.is_empty() => {
                let parameters = parameters.join(" ");
                format!("{first} is built in, where it takes no parameters ({parameters})")
            }
            true => continue,
            false if quiet => String::new(),
            false if remove => format!("Module {name} not found."),
            false => format!("Module {name} not found in directory /lib/modules/{release}"),
        };
        code = 1;
        if !text.is_empty() {
            let level = if all { "WARNING" } else { "FATAL" };
            let _ = writeln!(program.shell.err(), "modprobe: {level}: {text}");
        }
        if !all {
            break;
        }
    }
    code
}

const USAGE: &str = "\
Usage:
\tmodprobe [options] [-i] [-b] modulename
\tmodprobe [options] -a [-i] [-b] modulename [modulename...]
\tmodprobe [options] -r [-i] modulename
\tmodprobe [options] -r -a [-i] modulename [modulename...]";

#[cfg(test)]
mod tests {
    use crate::fake::FakeKernel;

    #[test]
    fn what_is_there_is_loaded_and_what_is_not_is_not_found() {
        let run = |line: &str| FakeKernel::new(|_| Ok(Vec::new())).run(line);
        assert_eq!(run("modprobe macvlan"), (String::new(), 0));
        assert_eq!(run("modprobe -v br-netfilter"), (String::new(), 0));
        assert_eq!(run("modprobe -a bridge 8021q veth"), (String::new(), 0));
        let (text, code) = run("modprobe wireguard");
        assert!(
            text.starts_with("modprobe: FATAL: Module wireguard not found in directory /lib/modules/"),
            "{text}"
        );
        assert_eq!(code, 1);
        assert_eq!(run("modprobe -q wireguard"), (String::new(), 1));
        assert_eq!(run("modprobe -r veth"), ("modprobe: FATAL: Module veth is builtin.\n".to_owned(), 1));
        assert_eq!(run("modprobe dummy numdummies=2").1, 1);
        assert_eq!(run("modprobe"), ("modprobe: ERROR: missing parameters. See -h.\n".to_owned(), 1));
    }
}
