//! `udhcpc`, as busybox 1.35 has it with Debian's script. One difference: halfway through a lease it looks for a server as at
//! the start, where busybox first asks the server that it has.

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
/// What a lease without a time lasts, and the least and the most that any is taken to last, seconds.
const LEASE_DEFAULT_S: u32 = 3600;
const LEASE_LEAST_S: u32 = 30;
const LEASE_MOST_S: u32 = i32::MAX as u32;

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

/// A lease, and when it ends by the monotonic clock.
struct Held {
    lease: Lease,
    until_ns: u64,
}

fn run(program: &mut Program<'_>, options: &Options, link: &mut Link) -> i32 {
    let mut held: Option<Held> = None;
    // Who has once had a lease does not give up.
    let mut exits_without = options.exits_without;
    loop {
        let found = match round(program, options, link) {
            Ok(found) => found,
            Err(code) => return leave(program, options, link, held.as_ref(), code),
        };
        let wait_s = match (found, &held) {
            (Some((lease, answer)), before) => {
                let word = if before.is_some() { "renew" } else { "bound" };
                take(program, options, link, &lease, &answer, word);
                let lease_s = lease_s(&answer);
                let until_ns = now(program).saturating_add(lease_s.saturating_mul(NS_PER_S));
                held = Some(Held { lease, until_ns });
                exits_without = false;
                // Without -f it would only wait for the time to renew: that is left to a run with -f.
                if options.quits {
                    return leave(program, options, link, held.as_ref(), 0);
                } else if !options.foreground {
                    return 0;
                }
                lease_s / 2
            }
            (None, Some(Held { until_ns, .. })) => {
                let left_s = until_ns.saturating_sub(now(program)) / NS_PER_S;
                if left_s <= LEASE_LEAST_S.into() {
                    say(program, "lease lost, entering init state");
                    held = None;
                    match options.script.is_some() {
                        true => tell(program, options, link, "deconfig", None),
                        false => deconfigure(program, link),
                    }
                    continue;
                }
                left_s / 2
            }
            (None, None) => {
                tell(program, options, link, "leasefail", None);
                if options.background {
                    say(program, "no lease, forking to background");
                    return crate::daemon::start(program, &["-f"]);
                } else if exits_without {
                    say(program, "no lease, failing");
                    return 1;
                }
                options.again_s
            }
        };
        if let Err(code) = pause(program, wait_s) {
            return leave(program, options, link, held.as_ref(), code);
        }
    }
}

/// What an answer's lease is taken to last, in seconds: neither so short that nothing but renewals would be done, nor for
/// ever. Option 58 is not looked at.
fn lease_s(answer: &Message) -> u64 {
    let told_s = answer.number(option::LEASE_TIME).unwrap_or(LEASE_DEFAULT_S);
    told_s.clamp(LEASE_LEAST_S, LEASE_MOST_S).into()
}

/// # Errors
/// The exit code of one that is asked to end meanwhile, or cannot wait.
fn pause(program: &mut Program<'_>, seconds: u64) -> Result<(), i32> {
    let until = now(program).saturating_add(seconds.saturating_mul(NS_PER_S));
    loop {
        match program.system.wait(&[], Some(until), false) {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) if program.shell.take_signal().is_some() => return Err(0),
            Err(Errno::EINTR) => {}
            Err(_) => return Err(1),
        }
    }
}

/// The end, with an exit code.
fn leave(
    program: &mut Program<'_>,
    options: &Options,
    link: &mut Link,
    held: Option<&Held>,
    code: i32,
) -> i32 {
    if let Some(Held { lease, .. }) = held
        && options.releases
    {
        release(program, options, link, lease);
    }
    code
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

/// The script's part with a lease.
fn take(
    program: &mut Program<'_>,
    options: &Options,
    link: &mut Link,
    lease: &Lease,
    answer: &Message,
    word: &str,
) {
    tell(program, options, link, word, Some(answer));
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

#[cfg(test)]
mod tests {
    use hairpin_netlink::{PacketType, Received};

    use super::*;
    use crate::Signal;
    use crate::canned;
    use crate::dhcp::CLIENT_PORT;
    use crate::fake::{FakeKernel, Sent};

    /// Behind the headers of Ethernet, IPv4 and UDP.
    const MESSAGE_AT: usize = 42;

    /// What a server says to a frame: a lease of no time, to be renewed at once.
    fn answer(sent: &Sent) -> Vec<(u64, Received)> {
        let Some(asked) = sent.data.get(MESSAGE_AT..).and_then(Message::parse) else { return Vec::new() };
        let kind = match asked.kind() {
            Some(Kind::Discover) => Kind::Offer,
            Some(Kind::Request) => Kind::Ack,
            _ => return Vec::new(),
        };
        let mut answer = asked.answer(kind);
        answer.yours = Ipv4Addr::new(10, 9, 0, 5);
        answer.push(option::SERVER, [10, 9, 0, 1]);
        answer.push(option::LEASE_TIME, [0; 4]);
        answer.push(option::RENEWAL, [0; 4]);
        let mut data = sent.data.get(..MESSAGE_AT).unwrap_or_default().to_vec();
        data[36..38].copy_from_slice(&CLIENT_PORT.to_be_bytes());
        data.extend(answer.write());
        let frame = Received::Frame {
            data,
            ifindex: 2,
            protocol: 0x0800,
            packet_type: PacketType::Broadcast,
            hardware: 1,
            mac: [2, 0, 0, 0, 0, 9],
            realtime_ns: 0,
        };
        vec![(1_000_000, frame)]
    }

    /// The words that a script hears in so many seconds of which the server answers in the first `answers_s`.
    fn words(answers_s: u64, seconds: u64) -> Vec<String> {
        let mut kernel = FakeKernel::new(move |sent| {
            Ok(if sent.now_ns < answers_s * NS_PER_S { answer(sent) } else { Vec::new() })
        });
        kernel.netlink = canned::answer;
        kernel.signals.push((seconds * NS_PER_S, Signal::Terminate));
        let (text, code) = kernel.run("udhcpc -f -n -i eth0 -s script");
        assert_eq!(code, 0, "{text}");
        let words = text.lines().filter_map(|line| line.strip_prefix("[\"script\", \"")?.strip_suffix("\"]"));
        words.map(str::to_owned).collect()
    }

    #[test]
    fn a_lease_of_no_time_is_renewed_every_fifteen_seconds() {
        assert_eq!(words(50, 50), ["deconfig", "bound", "renew", "renew", "renew"]);
    }

    #[test]
    fn a_lease_that_nobody_renews_is_lost_and_looked_for_again() {
        assert_eq!(words(10, 60), ["deconfig", "bound", "deconfig", "leasefail"]);
    }

    #[test]
    fn a_script_that_cannot_be_started_is_told_of() {
        let mut kernel = FakeKernel::new(|_| Ok(Vec::new()));
        kernel.netlink = canned::answer;
        let (text, code) = kernel.run("udhcpc -n -i eth0 -s nope");
        assert!(text.contains("udhcpc: can't execute 'nope': entity not found\n"), "{text}");
        assert_eq!(code, 1);
    }

    #[test]
    fn leases_last_neither_too_short_nor_too_long() {
        let mut message = Message::request(Kind::Ack, 1, [0; 6]);
        assert_eq!(lease_s(&message), 3600);
        message.push(option::LEASE_TIME, [0xff; 4]);
        assert_eq!(lease_s(&message), u64::from(LEASE_MOST_S));
    }
}
