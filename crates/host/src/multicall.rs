//! The front ends by the name they are called by.

use hairpin_netlink::System;
use hairpin_tools::{Main, Program};

use crate::linux::LinuxSystem;
use crate::session::client::Session;
use crate::session::{entering, launch};
use crate::shell::{Machine, ProcessShell, Surroundings};
use crate::signals;

/// Programs that end in good order when they are interrupted; any other dies of the signal.
const CATCH_SIGNALS: &[&str] =
    &["arping", "conntrack", "dhclient", "dnsmasq", "iperf3", "ping", "ping4", "ping6", "tap", "tcpdump"];

/// Programs that tell of the emulated kernel what is never true of a real one.
const SESSION_ONLY: &[&str] = &["modprobe", "tap"];

/// Network commands that hairpin has not got yet. In a session they must not reach this machine's own network.
const MISSING: &[&str] = &[
    "arp-scan",
    "arptables",
    "ctstat",
    "dcb",
    "devlink",
    "dhcpcd",
    "ebtables",
    "firewall-cmd",
    "fping",
    "genl",
    "hping3",
    "ifdown",
    "ifenslave",
    "ifquery",
    "ifstat",
    "ifup",
    "iperf",
    "ipmaddr",
    "iptunnel",
    "iw",
    "iwconfig",
    "lnstat",
    "mii-tool",
    "mtr",
    "nameif",
    "ncat",
    "netperf",
    "netplan",
    "netserver",
    "networkctl",
    "nmap",
    "nmcli",
    "nping",
    "plipconfig",
    "podman",
    "rarp",
    "rdma",
    "routef",
    "routel",
    "rtacct",
    "rtmon",
    "rtstat",
    "slattach",
    "socat",
    "tcpreplay",
    "tcptraceroute",
    "telnet",
    "tipc",
    "tshark",
    "tunctl",
    "ufw",
    "vconfig",
    "vdpa",
    "wg",
    "wg-quick",
];

/// Which engine a front end talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// This machine's kernel.
    Linux,
    /// The emulated kernel of the session that the process is in.
    Session,
}

/// Looks a front end up by name.
pub type Find = fn(&str) -> Option<Main>;

/// Every name that a session answers to.
pub fn names() -> impl Iterator<Item = &'static str> {
    hairpin_tools::FRONT_ENDS.iter().map(|(name, _)| *name).chain(MISSING.iter().copied())
}

/// Runs the program `name`: in its session if the process is in one, else against this machine's kernel.
/// `None` where there is no such program.
pub fn run(find: Find, name: &str, args: &[String]) -> Option<i32> {
    if name == launch::ENTER {
        return Some(launch::enter(args));
    }
    if name == entering::CHECK {
        return Some(entering::try_out());
    }
    let Some(main) = find(name) else {
        // Another name of a program that stands where a front end does (`iptables-xml`).
        let is_another = !name.starts_with("hairpin") && Session::is_named();
        return (is_another || MISSING.contains(&name)).then(|| {
            eprintln!("{name}: hairpin has no {name} yet");
            1
        });
    };
    let engine = if Session::is_named() { Engine::Session } else { Engine::Linux };
    Some(run_on(engine, main, name, args))
}

/// Runs a front end to its exit code.
pub fn run_on(engine: Engine, main: Main, name: &str, args: &[String]) -> i32 {
    if engine == Engine::Linux {
        if SESSION_ONLY.contains(&name) {
            eprintln!("{name}: hairpin's {name} is for its own kernel");
            return 1;
        }
        return run_with(main, name, args, &mut LinuxSystem::new(), Box::new(Machine));
    }
    let Some(session) = Session::from_environment() else {
        eprintln!("hairpin: not in a session: use 'hairpin exec', or --engine linux");
        return 1;
    };
    run_with(main, name, args, &mut session.clone(), Box::new(session))
}

fn run_with(
    main: Main,
    name: &str,
    args: &[String],
    system: &mut dyn System,
    surroundings: Box<dyn Surroundings>,
) -> i32 {
    signals::default_pipe();
    if CATCH_SIGNALS.contains(&name) {
        signals::catch();
    }
    let mut shell = ProcessShell::new(surroundings);
    let code = main(&mut Program { name, args, system, shell: &mut shell });
    shell.finish();
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_called_missing() {
        let both: Vec<&str> =
            MISSING.iter().copied().filter(|name| hairpin_tools::find(name).is_some()).collect();
        assert_eq!(both, Vec::<&str>::new());
    }
}
