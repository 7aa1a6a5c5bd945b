//! `busybox APPLET`: applets that talk to the network are the front ends of their names, for real ones would act on this
//! machine's network; every other is the machine's own. `ping` and `nslookup` print BusyBox's text; the others, `ip` among
//! them, print that of the programs whose front ends they are: whether `ip` prints BusyBox's is told by the environment alone,
//! as in a container of an image that is made of it.

use super::{nslookup, ping};
use crate::{Main, Program, find, machine};

/// Those that have a front end.
const NETWORK: &[&str] = &[
    "arp",
    "arping",
    "brctl",
    "dmesg",
    "dnsdomainname",
    "hostname",
    "httpd",
    "ifconfig",
    "ip",
    "modprobe",
    "nc",
    "netstat",
    "route",
    "sysctl",
    "tc",
    "traceroute",
    "traceroute6",
    "udhcpc",
    "wget",
];
/// Those that have none.
const MISSING: &[&str] = &[
    "dhcprelay",
    "dnsd",
    "ether-wake",
    "ftpd",
    "ftpget",
    "ftpput",
    "ifdown",
    "ifenslave",
    "ifplugd",
    "ifup",
    "ipaddr",
    "iplink",
    "ipneigh",
    "iproute",
    "iprule",
    "iptunnel",
    "nameif",
    "nbd-client",
    "ntpd",
    "rdate",
    "slattach",
    "tcpsvd",
    "telnet",
    "telnetd",
    "tftp",
    "tftpd",
    "tunctl",
    "udhcpc6",
    "udhcpd",
    "udpsvd",
    "vconfig",
    "whois",
    "zcip",
];

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let Some((applet, args)) = program.args.split_first() else {
        return machine::become_own(program, "busybox");
    };
    if MISSING.contains(&applet.as_str()) {
        let _ = writeln!(program.shell.err(), "busybox: hairpin has no {applet} yet");
        return 1;
    }
    match front_end(applet) {
        Some(main) => main(&mut Program {
            name: applet,
            args,
            system: &mut *program.system,
            shell: &mut *program.shell,
        }),
        None => machine::become_own(program, "busybox"),
    }
}

/// What an applet is here.
fn front_end(applet: &str) -> Option<Main> {
    match applet {
        "ping" | "ping6" => Some(ping::main),
        "nslookup" => Some(nslookup::main),
        _ if NETWORK.contains(&applet) => find(applet),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_applet_of_the_network_has_a_front_end() {
        assert!(NETWORK.iter().all(|applet| front_end(applet).is_some()));
        assert!(front_end("sh").is_none());
        assert!(!MISSING.iter().any(|applet| find(applet).is_some()));
    }
}
