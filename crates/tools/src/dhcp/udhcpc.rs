//! `udhcpc`, as busybox 1.35 has it with Debian's script.

use std::net::Ipv4Addr;

use hairpin_netlink::Errno;

use super::client::{self, Lease, Link, Style};
use super::{Kind, Message, option, script};
use crate::Program;
use crate::getopt::{Getopt, Item, Long, Value};
use crate::resolver::stub::identifier;

const NS_PER_S: u64 = 1_000_000_000;
const STYLE: Style = Style { tos: 0, ttl: 64 };
const VENDOR: &str = "udhcp 1.35.0";
const SHORT: &str = "CV:H:F:i:np:qRr:s:T:t:SA:O:ox:fbBavh";
const LONG: &[Long] = &[
    ("interface", Value::Required, 'i'),
    ("now", Value::None, 'n'),
    ("quit", Value::None, 'q'),
    ("foreground", Value::None, 'f'),
    ("background", Value::None, 'b'),
    ("script", Value::Required, 's'),
    ("timeout", Value::Required, 'T'),
    ("retries", Value::Required, 't'),
    ("tryagain", Value::Required, 'A'),
    ("request", Value::Required, 'r'),
    ("release", Value::None, 'R'),
    ("hostname", Value::Required, 'H'),
    ("pidfile", Value::Required, 'p'),
];
const PARAMETERS: &[u8] = &[
    option::MASK,
    option::ROUTER,
    option::DNS,
    option::HOST_NAME,
    option::DOMAIN,
    option::BROADCAST,
    option::NTP,
];
/// `--tryagain`, seconds
const TRY_AGAIN_S: u64 = 20;

struct Options {
    interface: String,
    exits_without: bool,
    quits: bool,
    foreground: bool,
    background: bool,
    releases: bool,
    /// A script of one's own does what a lease asks for, in the place of the distribution's.
    script: Option<String>,
    timeout_s: u64,
    tries: u32,
    again_s: u64,
    requested: Option<Ipv4Addr>,
    host_name: Option<String>,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let options = match read_options(program) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let mut link = match Link::open(program, &options.interface) {
        Ok(link) => link,
        Err(Errno::ENODEV) => {
            let _ = writeln!(program.shell.err(), "udhcpc: SIOCGIFINDEX: No such device");
            return 1;
        }
        Err(errno) => {
            let _ = writeln!(program.shell.err(), "udhcpc: socket: {}", errno.text());
            return 1;
        }
    };
    say(program, "started, v1.35.0");
    match options.script.is_some() {
        true => tell(program, &options, &mut link, "deconfig", None),
        false => deconfigure(program, &link),
    }
    let code = run(program, &options, &mut link);
    link.close(program);
    code
}

fn read_options(program: &mut Program<'_>) -> Result<Options, i32> {
    let mut options = Options {
        interface: "eth0".to_owned(),
        exits_without: false,
        quits: false,
        foreground: false,
        background: false,
        releases: false,
        script: None,
        timeout_s: 3,
        tries: 3,
        again_s: TRY_AGAIN_S,
        requested: None,
        host_name: None,
    };
    let mut words = Getopt::new(program.name, program.args, SHORT, LONG);
    while let Some(item) = words.next() {
        let (letter, value) = match item {
            Item::Option(letter, value) => (letter, value.unwrap_or_default()),
            Item::Error(text) => {
                let usage =
                    "Usage: udhcpc [-fbqaRB] [-a[MSEC]] [-t N] [-T SEC] [-A SEC|-n] [-i IFACE] [-s PROG]";
                let _ = writeln!(program.shell.err(), "{text}\n{usage}");
                return Err(1);
            }
        };
        let number = |program: &mut Program<'_>| {
            value.parse::<u64>().map_err(|_| {
                let _ = writeln!(program.shell.err(), "udhcpc: invalid number '{value}'");
                1
            })
        };
        match letter {
            'i' => value.clone_into(&mut options.interface),
            'n' => options.exits_without = true,
            'q' => options.quits = true,
            'f' => options.foreground = true,
            'b' => options.background = true,
            'R' => options.releases = true,
            's' => options.script = Some(value.to_owned()),
            'T' => options.timeout_s = number(program)?.max(1),
            't' => options.tries = u32::try_from(number(program)?).unwrap_or(u32::MAX),
            'A' => options.again_s = number(program)?,
            'r' => options.requested = value.parse().ok(),
            'H' | 'F' => options.host_name = Some(value.to_owned()),
            _ => {}
        }
    }
    Ok(options)
}

fn say(program: &mut Program<'_>, text: &str) {
    let _ = writeln!(program.shell.err(), "udhcpc: {text}");
}

fn now(program: &mut Program<'_>) -> u64 {
    program.system.now().map_or(0, |now| now.monotonic_ns)
}

/// The script's part at the start.
fn deconfigure(program: &mut Program<'_>, link: &Link) {
    client::run_ip(program, &format!("-4 addr flush dev {}", link.name));
    client::run_ip(program, &format!("link set dev {} up", link.name));
}

fn request(options: &Options, link: &Link, kind: Kind, xid: u32, more: &[(u8, Ipv4Addr)]) -> Message {
    let mut message = Message::request(kind, xid, link.mac);
    for (code, address) in more {
        message.push(*code, address.octets().to_vec());
    }
    if kind != Kind::Release {
        message.push(option::MAX_SIZE, 576u16.to_be_bytes().to_vec());
        message.push(option::PARAMETERS, PARAMETERS.to_vec());
        if let Some(name) = &options.host_name {
            message.push(option::HOST_NAME, name.clone().into_bytes());
        }
        message.push(option::VENDOR, VENDOR.as_bytes().to_vec());
    }
    let mut id = vec![1];
    id.extend(link.mac);
    message.push(option::CLIENT, id);
    message
}

fn run(program: &mut Program<'_>, options: &Options, link: &mut Link) -> i32 {
    loop {
        match round(program, options, link) {
            Err(code) => return code,
            Ok(Some((lease, answer))) => return keep(program, options, link, &lease, &answer),
            Ok(None) if options.exits_without => {
                tell(program, options, link, "leasefail", None);
                say(program, "no lease, failing");
                return 1;
            }
            Ok(None) if options.background => {
                tell(program, options, link, "leasefail", None);
                say(program, "no lease, forking to background");
                return crate::daemon::start(program, &["-f"]);
            }
            Ok(None) => {
                tell(program, options, link, "leasefail", None);
                let until = now(program).saturating_add(options.again_s.saturating_mul(NS_PER_S));
                match program.system.wait(&[], Some(until), false) {
                    Err(Errno::EINTR) if program.shell.take_signal().is_some() => return 0,
                    _ => {}
                }
            }
        }
    }
}

/// A script of one's own hears of it. What was open is closed while another program runs.
fn tell(program: &mut Program<'_>, options: &Options, link: &mut Link, word: &str, answer: Option<&Message>) {
    if let Some(script) = &options.script {
        script::run(program, script, &link.name, word, answer);
        if let Ok(again) = Link::open(program, &link.name) {
            *link = again;
        }
    }
}

/// Looks for a server as often as is allowed.
fn round(
    program: &mut Program<'_>,
    options: &Options,
    link: &mut Link,
) -> Result<Option<(Lease, Message)>, i32> {
    let xid = u32::from(identifier(program)) << 16 | u32::from(identifier(program).rotate_left(3));
    for _ in 0..options.tries {
        say(program, "broadcasting discover");
        let more: Vec<(u8, Ipv4Addr)> =
            options.requested.iter().map(|address| (option::REQUESTED, *address)).collect();
        let _ = link.broadcast(program, &request(options, link, Kind::Discover, xid, &more), STYLE);
        let until = now(program).saturating_add(options.timeout_s.saturating_mul(NS_PER_S));
        let Some(offer) = await_kind(program, link, xid, until, &[Kind::Offer])? else { continue };
        let (address, server) = (offer.yours, offer.address(option::SERVER).unwrap_or(offer.server));
        for _ in 0..options.tries {
            say(program, &format!("broadcasting select for {address}, server {server}"));
            let more = [(option::REQUESTED, address), (option::SERVER, server)];
            let _ = link.broadcast(program, &request(options, link, Kind::Request, xid, &more), STYLE);
            let until = now(program).saturating_add(options.timeout_s.saturating_mul(NS_PER_S));
            let Some(answer) = await_kind(program, link, xid, until, &[Kind::Ack, Kind::Nak])? else {
                continue;
            };
            if client::is(&answer, Kind::Nak) {
                say(program, &format!("received DHCP NAK from {server}"));
                tell(program, options, link, "nak", Some(&answer));
                break;
            }
            let lease = Lease::of(&answer);
            let (address, server, time) = (lease.address, lease.server, lease.time);
            say(program, &format!("lease of {address} obtained from {server}, lease time {time}"));
            return Ok(Some((lease, answer)));
        }
    }
    Ok(None)
}

fn await_kind(
    program: &mut Program<'_>,
    link: &Link,
    xid: u32,
    until: u64,
    kinds: &[Kind],
) -> Result<Option<Message>, i32> {
    loop {
        match link.receive(program, xid, until) {
            Ok(Some(message)) if kinds.iter().any(|kind| client::is(&message, *kind)) => {
                return Ok(Some(message));
            }
            Ok(Some(_)) => {}
            Ok(None) => return Ok(None),
            Err(_) => return Err(0),
        }
    }
}

/// The script's part with a lease, and what comes after.
fn keep(
    program: &mut Program<'_>,
    options: &Options,
    link: &mut Link,
    lease: &Lease,
    answer: &Message,
) -> i32 {
    tell(program, options, link, "bound", Some(answer));
    if options.script.is_none() {
        let (name, address, length) = (&link.name, lease.address, lease.prefix_len());
        let broadcast = lease.broadcast.map_or("+".to_owned(), |address| address.to_string());
        client::run_ip(
            program,
            &format!("-4 addr replace {address}/{length} broadcast {broadcast} dev {name}"),
        );
        for router in &lease.routers {
            client::run_ip(program, &format!("-4 route replace default via {router} dev {name}"));
        }
        client::write_resolver(program, lease, false);
    }
    if options.quits {
        if options.releases {
            release(program, options, link, lease);
        }
        return 0;
    }
    if !options.foreground {
        // It would only wait for the time to renew: that is left to a run with -f.
        return 0;
    }
    let until = now(program).saturating_add(u64::from(lease.renewal).saturating_mul(NS_PER_S));
    loop {
        match program.system.wait(&[], Some(until), false) {
            Ok(_) => return run(program, options, link),
            Err(Errno::EINTR) if program.shell.take_signal().is_some() => {
                if options.releases {
                    release(program, options, link, lease);
                }
                return 0;
            }
            Err(Errno::EINTR) => {}
            Err(_) => return 1,
        }
    }
}

fn release(program: &mut Program<'_>, options: &Options, link: &mut Link, lease: &Lease) {
    let (address, server) = (lease.address, lease.server);
    say(program, &format!("unicasting a release of {address} to {server}"));
    let xid = u32::from(identifier(program)) << 16 | 1;
    let mut message = request(options, link, Kind::Release, xid, &[(option::SERVER, server)]);
    message.client = address;
    let _ = client::send_unicast(program, address, server, &message);
    match &options.script {
        Some(_) => tell(program, options, link, "deconfig", None),
        None => {
            client::run_ip(program, &format!("-4 addr flush dev {}", link.name));
        }
    }
}
