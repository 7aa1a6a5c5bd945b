//! The front ends: one file a command, argv in, system calls to a kernel, text out.
//!
//! A front end is a function from [`Program`] to an exit code. It reaches the network only through
//! [`hairpin_netlink::System`] and everything else (streams, files, other programs) through [`Shell`], so
//! the same code serves the emulated kernel and Linux, as a process of its own or inside a test.

use std::io::{BufRead, Read, Write};

use hairpin_netlink::System;

mod arp;
mod arping;
mod brctl;
mod bridge;
mod busybox;
mod c_number;
mod calendar;
mod can;
#[cfg(test)]
mod canned;
mod conntrack;
mod daemon;
mod dhcp;
mod dmesg;
mod dns;
mod dnsmasq;
mod docker;
mod ethtool;
#[cfg(test)]
mod fake;
mod getent;
mod getopt;
mod hostname;
mod http;
mod ifconfig;
mod interfaces;
mod ip;
mod iperf3;
mod iproute2;
mod ipset;
pub mod iptables;
mod iputils;
mod machine;
mod modprobe;
mod nc;
mod net_tools;
mod netstat;
mod nft;
mod nsenter;
mod nstat;
mod ping;
pub mod quiet;
mod resolvectl;
mod resolver;
mod route;
mod services;
mod sleep;
mod ss;
mod ssh;
mod stream;
mod sudo;
mod sysctl;
mod tap;
mod tc;
mod tcpdump;
mod team;
mod tracepath;
mod traceroute;

/// Names whose programs those of a container's image are: `busybox`, or not set for the usual ones.
pub(crate) const USERLAND_VARIABLE: &str = "HAIRPIN_USERLAND";

/// The VRF that a program's sockets belong to (`ip vrf exec`); empty or not set for none.
pub const VRF_VARIABLE: &str = "HAIRPIN_VRF";

/// What a front end runs with.
pub struct Program<'a> {
    /// The name it was called by, without directory.
    pub name: &'a str,
    /// The arguments behind the name.
    pub args: &'a [String],
    pub system: &'a mut dyn System,
    pub shell: &'a mut dyn Shell,
}

/// A signal that asks a front end to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Interrupt,
    Terminate,
    /// `ping` prints its statistics so far and goes on.
    Quit,
}

/// What surrounds a front end besides the network.
pub trait Shell {
    fn out(&mut self) -> &mut dyn Write;
    fn err(&mut self) -> &mut dyn Write;
    fn input(&mut self) -> &mut dyn BufRead;
    /// While on, a wait also ends, with `EINTR`, when there is input to read. False where it does not, because
    /// reading input never makes anyone wait here.
    fn watch_input(&mut self, _on: bool) -> bool {
        false
    }
    /// Takes what there is of the input without waiting for more: nothing yet, some bytes, or none at its end.
    ///
    /// # Errors
    /// The input cannot be read.
    fn read_input(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let data = self.input().fill_buf()?.to_vec();
        self.input().consume(data.len());
        Ok(Some(data))
    }
    /// Opens a file of the user for reading.
    fn open(&mut self, path: &str) -> std::io::Result<Box<dyn Read>>;
    /// What is in a directory of the user, and whether each is a directory itself.
    ///
    /// # Errors
    /// It cannot be read, or there are no files here.
    fn directory(&mut self, _path: &str) -> std::io::Result<Vec<(String, bool)>> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
    /// Creates or empties a file of the user.
    fn create(&mut self, path: &str) -> std::io::Result<Box<dyn Write>>;
    /// An environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// Whether standard output is a terminal.
    fn is_terminal(&self) -> bool;
    /// The process id: `ping` puts its low 16 bits into its packets.
    fn process_id(&self) -> u32;
    /// Takes the signal that has arrived since the last call, if any. A wait that a signal interrupts
    /// fails with `EINTR`.
    fn take_signal(&mut self) -> Option<Signal>;
    /// Runs another program, ours or the system's, in the task's present network namespace, and returns its
    /// exit code (in a process of our own this replaces the process and does not return).
    ///
    /// # Errors
    /// The program cannot be started.
    fn exec(&mut self, argv: &[String]) -> std::io::Result<i32>;
    /// As [`Shell::exec`], with more said of the program.
    ///
    /// # Errors
    /// The program cannot be started, or not so.
    fn launch(&mut self, launch: &Launch<'_>) -> std::io::Result<i32> {
        match launch {
            Launch { argv, environment: [], input: true } => self.exec(argv),
            _ => Err(no_processes()),
        }
    }
    /// Runs another program in the task's present network namespace, in a process of its own, and waits for its end: its
    /// exit code, or 128 and the number of the signal that ended it.
    ///
    /// # Errors
    /// The program cannot be started, or there are no processes here.
    fn run(&mut self, _launch: &Launch<'_>) -> std::io::Result<i32> {
        Err(no_processes())
    }
    /// Starts another program in the task's present network namespace, in a process group of its own and away from the
    /// terminal; what it prints goes to a log. However long it says it waits, time does not jump for it.
    ///
    /// # Errors
    /// The program cannot be started, or there are no processes here.
    fn start(&mut self, _launch: &Launch<'_>, _log: &str) -> std::io::Result<Background> {
        Err(no_processes())
    }
    /// Asks all that has come of [`Shell::start`] to end, or makes it end, and waits for that for a moment. Whether it has.
    fn end(&mut self, _background: Background, _by_force: bool) -> bool {
        true
    }
    /// What programs in the background have printed.
    ///
    /// # Errors
    /// There is no such log.
    fn log(&mut self, _log: &str) -> std::io::Result<Box<dyn Read>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    /// Runs a program, the first of `argv`, on another host of the world (`ssh HOST CMD`).
    ///
    /// # Errors
    /// There is no such host, or the kernel is not a world's.
    fn exec_on(&mut self, host: &str, argv: &[String]) -> std::io::Result<i32>;
}

/// A program to be started.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// Its name, found as a shell finds it, and its arguments.
    pub argv: &'a [String],
    /// What is set in its environment, beside what is there.
    pub environment: &'a [(String, String)],
    /// Whether it reads this program's input; it has none otherwise.
    pub input: bool,
}

/// A program in the background: the first process of its group. Its number may be another's later, but not with the same
/// start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Background {
    pub process: u32,
    /// Ticks since the machine started.
    pub started: u64,
}

fn no_processes() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::Unsupported, "no processes are started here")
}

/// A front end: runs a program to its exit code.
pub type Main = fn(&mut Program<'_>) -> i32;

/// Front ends beside which the machine's own program of that name is used too, by its path.
pub const BESIDE_THE_MACHINES: &[&str] = &["busybox", "getent", "python3"];

/// Every front end by the name it is called by.
pub const FRONT_ENDS: &[(&str, Main)] = &[
    ("arp", arp::main),
    ("arping", arping::main),
    ("brctl", brctl::main),
    ("bridge", bridge::main),
    ("busybox", busybox::applet::main),
    ("candump", can::dump::main),
    ("cansend", can::send::main),
    ("conntrack", conntrack::main),
    ("curl", http::curl::main),
    ("dhclient", dhcp::dhclient::main),
    ("dig", dns::dig::main),
    ("dmesg", dmesg::main),
    ("dnsmasq", dnsmasq::main),
    ("dnsdomainname", hostname::main),
    ("docker", docker::main),
    ("domainname", hostname::main),
    ("ethtool", ethtool::main),
    ("getent", getent::main),
    ("host", dns::host::main),
    ("hostname", hostname::main),
    ("httpd", http::httpd::main),
    ("ifconfig", ifconfig::main),
    ("ip", ip::main),
    ("iperf3", iperf3::main),
    ("ip6tables", iptables::main),
    ("ip6tables-legacy", iptables::main),
    ("ip6tables-legacy-restore", iptables::main),
    ("ip6tables-legacy-save", iptables::main),
    ("ip6tables-restore", iptables::main),
    ("ip6tables-save", iptables::main),
    ("ipset", ipset::main),
    ("iptables", iptables::main),
    ("iptables-legacy", iptables::main),
    ("iptables-legacy-restore", iptables::main),
    ("iptables-legacy-save", iptables::main),
    ("iptables-restore", iptables::main),
    ("iptables-save", iptables::main),
    ("modprobe", modprobe::main),
    ("nc", nc::main),
    ("netcat", nc::main),
    ("netstat", netstat::main),
    ("nft", nft::main),
    ("nsenter", nsenter::main),
    ("nisdomainname", hostname::main),
    ("nslookup", dns::nslookup::main),
    ("nstat", nstat::main),
    ("ping", ping::main),
    ("ping4", ping::main),
    ("ping6", ping::main),
    ("python3", http::python::main),
    ("resolvectl", resolvectl::main),
    ("route", route::main),
    ("sleep", sleep::main),
    ("ss", ss::main),
    ("ssh", ssh::main),
    ("sudo", sudo::main),
    ("sysctl", sysctl::main),
    ("tap", tap::main),
    ("tc", tc::main),
    ("teamd", team::daemon::main),
    ("teamdctl", team::control::main),
    ("teamnl", team::netlink::main),
    ("tcpdump", tcpdump::main),
    ("tracepath", tracepath::main),
    ("traceroute", traceroute::main),
    ("traceroute6", traceroute::main),
    ("udhcpc", dhcp::udhcpc::main),
    ("wget", http::wget::main),
    ("ypdomainname", hostname::main),
];

/// The front end called `name`.
pub fn find(name: &str) -> Option<Main> {
    FRONT_ENDS.iter().find(|(known, _)| *known == name).map(|(_, main)| *main)
}
