//! `ss`, as iproute2 6.1 has it: TCP, UDP, raw and packet sockets.
//!
//! * [`options`] the command line, [`filter`] what stands behind it
//! * [`table`] columns as wide as what they hold, [`info`] what `-i` says of a connection

mod filter;
mod info;
mod options;
mod summary;
mod table;

use std::net::{IpAddr, Ipv6Addr};

use hairpin_netlink::sock_diag::{SocketFamily, SocketInfo, SocketQuery, state};
use hairpin_netlink::{Address, Errno};

use crate::interfaces::Interfaces;
use crate::services::Services;
use crate::{Program, resolver};
use options::{Options, Stop};
use table::{Column, Table};

/// What a connection knows begins a line of its own.
const DETAIL: &str = "\n\t";

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let options = match Options::read(program) {
        Ok(options) => options,
        Err(Stop(code)) => return code,
    };
    let code = match run(program, &options) {
        Ok(()) => 0,
        Err(text) => {
            let _ = program.shell.out().flush();
            let _ = writeln!(program.shell.err(), "{text}");
            1
        }
    };
    let _ = program.shell.out().flush();
    code
}

fn run(program: &mut Program<'_>, options: &Options) -> Result<(), String> {
    if let Some(name) = &options.netns {
        let entered = program.system.netns_enter(name);
        entered.map_err(|errno| format!("Cannot open network namespace \"{name}\": {}", errno.text()))?;
    }
    if options.summary {
        return summary::show(program);
    }
    let mut table = Table::new(options);
    let services = if options.numeric { Services::default() } else { Services::read(program.shell) };
    let mut shown = Shown { devices: None, services };
    for (kind, family) in options.families() {
        let query =
            SocketQuery { family, states: options.states, owners: options.processes, details: options.info };
        let sockets = match program.system.sockets(query) {
            Ok(sockets) => sockets,
            // A kernel without IPv6, or without that protocol's module, has none.
            Err(Errno::ENOENT | Errno::EINVAL | Errno::EAFNOSUPPORT | Errno::ENOSYS) => continue,
            Err(errno) => return Err(format!("RTNETLINK answers: {}", errno.text())),
        };
        for socket in &sockets {
            if options.filter.accepts(socket) {
                let kind = if socket.cooked { "p_dgr" } else { kind };
                shown.line(program, options, &mut table, kind, socket);
            }
        }
    }
    let text = table.text();
    let _ = program.shell.out().write_all(text.as_bytes());
    Ok(())
}

/// What lines need beside the sockets.
struct Shown {
    devices: Option<Interfaces>,
    services: Services,
}

impl Shown {
    fn line(
        &mut self,
        program: &mut Program<'_>,
        options: &Options,
        table: &mut Table,
        kind: &str,
        socket: &SocketInfo,
    ) {
        let protocol = if kind.starts_with("tcp") { "tcp" } else { "udp" };
        table.begin();
        table.put(Column::Netid, kind);
        table.put(Column::State, state_name(socket.state));
        table.put(Column::Receive, &format!("{:<6}", socket.receive_queue));
        table.put(Column::Send, &format!("{:<6}", socket.send_queue));
        let is_raw = kind == "raw";
        for (end, is_local) in [(socket.local, true), (socket.remote, false)] {
            let (address, port) = self.end(program, options, socket, end, is_local, protocol, is_raw);
            let columns = match is_local {
                true => (Column::Local, Column::LocalPort),
                false => (Column::Peer, Column::PeerPort),
            };
            table.put(columns.0, &address);
            table.put(columns.1, &port);
        }
        let owners: Vec<String> = socket
            .owners
            .iter()
            .filter(|owner| owner.process != 0)
            .map(|owner| format!("(\"{}\",pid={},fd={})", owner.name, owner.process, owner.fd))
            .collect();
        let mut extra = Vec::new();
        if !owners.is_empty() {
            extra.push(format!("users:({})", owners.join(",")));
        }
        if options.timers && socket.timer != 0 {
            extra.push(timer(socket));
        }
        if options.extended {
            if socket.uid != 0 {
                extra.push(format!("uid:{}", socket.uid));
            }
            extra.push(format!("ino:{} sk:0", socket.inode));
            if socket.v6only {
                extra.push("v6only:1".to_owned());
            }
            extra.push("<->".to_owned());
        }
        let mut extra: String = extra.iter().map(|word| format!(" {word}")).collect();
        let has_info = options.info && matches!(kind, "tcp" | "raw");
        if options.memory || has_info {
            if !options.one_line {
                extra.push_str(DETAIL);
            }
            if options.memory {
                let queued = socket.receive_queue;
                extra.push_str(&format!(" skmem:(r{queued},rb131072,t0,tb87040,f0,w0,o0,bl0,d0)"));
            }
            if let Some(tcp) = socket.tcp.as_deref().filter(|_| has_info) {
                extra.push_str(&info::text(tcp));
            }
        }
        table.put(Column::Process, &extra);
    }

    /// Address and port of an end (`inet_addr_print`).
    #[expect(clippy::too_many_arguments, reason = "two callers side by side")]
    fn end(
        &mut self,
        program: &mut Program<'_>,
        options: &Options,
        socket: &SocketInfo,
        end: Address,
        is_local: bool,
        protocol: &str,
        is_raw: bool,
    ) -> (String, String) {
        let device = |shown: &mut Shown, program: &mut Program<'_>| {
            if is_local && socket.ifindex != 0 {
                format!("%{}", shown.device(program, socket.ifindex))
            } else {
                String::new()
            }
        };
        let (address, port) = match end {
            Address::Can { .. } => return ("*".to_owned(), String::new()),
            Address::Link { .. } if !is_local => return ("*".to_owned(), String::new()),
            Address::Link { ifindex, protocol, .. } => {
                let name = if ifindex == 0 { "*".to_owned() } else { self.device(program, ifindex) };
                let protocol = match protocol {
                    hairpin_netlink::socket::ETH_P_ALL => "*:".to_owned(),
                    0x0800 => "ip:".to_owned(),
                    0x0806 => "arp:".to_owned(),
                    0x86dd => "ipv6:".to_owned(),
                    other => format!("[{other}]:"),
                };
                return (protocol, name);
            }
            Address::Ipv4 { address, port } => (IpAddr::V4(address), port),
            Address::Ipv6 { address, port, .. } => (IpAddr::V6(address), port),
        };
        let text = match address {
            // A socket of both families.
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) if !socket.v6only => "*".to_owned(),
            IpAddr::V4(address) => {
                self.name(program, options, address.into()).unwrap_or_else(|| address.to_string())
            }
            IpAddr::V6(address) => self
                .name(program, options, address.into())
                .unwrap_or_else(|| format!("[{}]", mapped(address))),
        };
        let port = match port {
            0 => "*".to_owned(),
            port if is_raw => self.protocol(options, port),
            port if options.numeric => port.to_string(),
            port => self.services.name(port, protocol).map_or_else(|| port.to_string(), str::to_owned),
        };
        (format!("{text}{}:", device(self, program)), port)
    }

    fn name(&self, program: &mut Program<'_>, options: &Options, address: IpAddr) -> Option<String> {
        if !options.resolve || address.is_unspecified() {
            return None;
        }
        resolver::name_of(program, address)
    }

    fn protocol(&self, options: &Options, number: u16) -> String {
        match number {
            1 if !options.numeric => "icmp".to_owned(),
            58 if !options.numeric => "ipv6-icmp".to_owned(),
            other => other.to_string(),
        }
    }

    fn device(&mut self, program: &mut Program<'_>, ifindex: u32) -> String {
        if self.devices.is_none() {
            self.devices = Interfaces::dump(program.system).ok();
        }
        let found = self.devices.as_ref().and_then(|devices| devices.by_index(ifindex));
        found.map_or_else(|| format!("if{ifindex}"), |device| device.name().to_owned())
    }
}

/// An IPv4 address inside an IPv6 one is shown with dots.
fn mapped(address: Ipv6Addr) -> String {
    match address.to_ipv4_mapped() {
        Some(v4) => format!("::ffff:{v4}"),
        None => address.to_string(),
    }
}

fn state_name(state: u8) -> &'static str {
    match state {
        state::ESTABLISHED => "ESTAB",
        state::SYN_SENT => "SYN-SENT",
        state::SYN_RECEIVED => "SYN-RECV",
        state::FIN_WAIT_1 => "FIN-WAIT-1",
        state::FIN_WAIT_2 => "FIN-WAIT-2",
        state::TIME_WAIT => "TIME-WAIT",
        state::CLOSED => "UNCONN",
        state::CLOSE_WAIT => "CLOSE-WAIT",
        state::LAST_ACK => "LAST-ACK",
        state::LISTEN => "LISTEN",
        state::CLOSING => "CLOSING",
        _ => "UNKNOWN",
    }
}

/// `tcp_timer_print` and `print_ms_timer`
fn timer(socket: &SocketInfo) -> String {
    const NAMES: [&str; 6] = ["off", "on", "keepalive", "timewait", "persist", "unknown"];
    let name = NAMES.get(usize::from(socket.timer)).copied().unwrap_or("unknown");
    let ms = socket.expires_ms;
    let (minutes, seconds, rest) = (ms / 60_000, ms / 1000 % 60, ms % 1000);
    let mut time = String::new();
    if minutes > 0 {
        time.push_str(&format!("{minutes}min"));
    }
    if seconds > 0 {
        let point = if minutes == 0 && ms < 10_000 { "." } else { "sec" };
        time.push_str(&format!("{seconds}{point}"));
    }
    if rest > 0 && minutes == 0 && ms < 10_000 {
        time.push_str(&format!("{rest:03}ms"));
    }
    format!("timer:({name},{time},{})", socket.retransmits)
}

/// What is listed, and how its kind is called.
pub(super) type Listed = (&'static str, SocketFamily);
