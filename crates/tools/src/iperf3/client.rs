//! `iperf3 -c`

use std::net::IpAddr;

use hairpin_netlink::{Address, Errno, Fd, Received, SocketKind, SocketOption};
use serde_json::{Value, json};

use super::control::{COOKIE_LEN, Control, cookie, state};
use super::flow::{self, Flow};
use super::json::{Json, Start, end, start};
use super::options::{Options, Params};
use super::report::{self, Total, titled};
use super::run::{Event, Run};
use super::{Failure, NS_PER_S, Output, fail, now};
use crate::Program;
use crate::resolver::{self, Families, Place};
use crate::stream::{Fault, From, Stream};

/// Bytes of one write to a connection, and of a datagram where the path's are not known.
const BLOCK: usize = 128 << 10;
const DATAGRAM: usize = 1460;
/// What opens a stream of datagrams, and what answers (`UDP_CONNECT_MSG`, `UDP_CONNECT_REPLY`).
pub(super) const HELLO: u32 = 0x3637_3839;
pub(super) const HELLO_REPLY: u32 = 0x3938_3736;
const HELLO_TIMEOUT_NS: u64 = 30 * NS_PER_S;

pub(super) fn run(
    program: &mut Program<'_>,
    options: &Options,
    host: &str,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let (place, control) = connect(program, options, host)?;
    let mut control = Control::new(control, true);
    let cookie = cookie(program);
    control.send(program, &[cookie.as_bytes(), &[0]].concat())?;
    let mut run: Option<Run> = None;
    let mut mss = 0;
    loop {
        match control.state(program)? {
            state::PARAM_EXCHANGE => {
                let (local, remote) = ends(program, control.fd)?;
                mss = flow::connection(program, local, remote).map_or(0, |info| info.send_mss);
                let params = with_block_size(&options.params, mss);
                control.send_document(program, &params.to_json())?;
                run = Some(Run::new(params, false));
            }
            state::CREATE_STREAMS => {
                let Some(run) = &mut run else { return fail("error - received an unknown control message") };
                if !options.json {
                    let mut text = format!("Connecting to host {host}, port {}\n", options.port);
                    if run.params.reverse {
                        text.push_str(&format!("Reverse mode, remote host {host} is sending\n"));
                    }
                    output.print(program, &titled(options, &text));
                }
                for at in 0..run.params.streams {
                    let flow = open(program, options, run, at, place, &cookie)?;
                    run.flows.push(flow);
                }
                if !options.json {
                    output.print(program, &report::connected(run, options));
                }
            }
            state::TEST_START => {}
            state::TEST_RUNNING => break,
            state::ACCESS_DENIED => {
                return fail("error - the server is busy running a test. try again later");
            }
            state::SERVER_ERROR => {
                let _ = control.exactly(program, 8);
                return fail("error - the server has reported an error");
            }
            _ => return fail("error - received an unknown control message"),
        }
    }
    let Some(run) = &mut run else { return fail("error - received an unknown control message") };
    run.begin(program, options)?;
    match run.until_event(program, options, &mut control, output) {
        Ok(Event::Done) => {}
        Ok(Event::State(state::SERVER_TERMINATE)) => return fail("error - the server has terminated"),
        Ok(Event::State(_)) => return fail("error - received an unknown control message"),
        Ok(Event::Lost) => return fail("error - control socket has closed unexpectedly"),
        Err(failure) => {
            let _ = control.send_state(program, state::CLIENT_TERMINATE);
            return Err(failure);
        }
    }
    run.end(program, options, output)?;
    control.send_state(program, state::TEST_END)?;
    let theirs = finish(program, &mut control, run)?;
    let own: Vec<Total> = run.flows.iter().map(|flow| Total::of(flow, run.length_ns())).collect();
    let (senders, receivers) = if run.sends { (&own, &theirs) } else { (&theirs, &own) };
    if options.json {
        let time = program.system.now()?.realtime_ns.saturating_sub(run.length_ns()) / NS_PER_S;
        let known =
            Start { host: host.to_owned(), port: options.port, cookie, mss, time, system: system(program) };
        let document = Json::object([
            ("start", start(run, &known)),
            ("intervals", Json::List(std::mem::take(&mut run.intervals))),
            ("end", end(run, senders, receivers)),
        ]);
        output.print(program, &format!("{}\n", document.print()));
    } else {
        let text = report::results(run, options, Some(senders), Some(receivers));
        output.print(program, &format!("{text}\n{}", titled(options, "iperf Done.\n")));
    }
    control.send_state(program, state::IPERF_DONE)?;
    run.close(program);
    let _ = program.system.close(control.fd);
    Ok(())
}

/// The exchange of results; what the server says of its streams.
fn finish(program: &mut Program<'_>, control: &mut Control, run: &Run) -> Result<Vec<Total>, Failure> {
    let mut theirs = Vec::new();
    loop {
        match control.state(program)? {
            state::EXCHANGE_RESULTS => {
                control.send_document(program, &results(run))?;
                theirs = totals(&control.document(program)?);
            }
            state::DISPLAY_RESULTS => return Ok(theirs),
            state::SERVER_TERMINATE => return fail("error - the server has terminated"),
            _ => return fail("error - received an unknown control message"),
        }
    }
}

/// `send_results`
pub(super) fn results(run: &Run) -> Value {
    let streams: Vec<Value> = run
        .flows
        .iter()
        .enumerate()
        .map(|(at, flow)| {
            let total = Total::of(flow, run.length_ns());
            json!({
                "id": if at == 0 { 1 } else { at + 2 },
                "bytes": total.bytes,
                "retransmits": total.retransmits,
                "jitter": total.jitter,
                "errors": total.lost,
                "packets": total.packets,
                "start_time": 0,
                "end_time": total.seconds,
            })
        })
        .collect();
    json!({
        "cpu_util_total": 0, "cpu_util_user": 0, "cpu_util_system": 0,
        "sender_has_retransmits": if run.params.udp { -1 } else { i32::from(run.sends) },
        "congestion_used": "cubic",
        "streams": streams,
    })
}

pub(super) fn totals(document: &Value) -> Vec<Total> {
    let streams = document.get("streams").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let of = |stream: &Value| {
        let number = |name: &str| stream.get(name).and_then(Value::as_f64).unwrap_or(0.0);
        Total {
            bytes: number("bytes") as u64,
            retransmits: number("retransmits") as i64,
            jitter: number("jitter"),
            lost: number("errors") as u64,
            packets: number("packets") as u64,
            seconds: number("end_time") - number("start_time"),
        }
    };
    streams.iter().map(of).collect()
}

fn with_block_size(params: &Params, mss: u32) -> Params {
    let block_size = match (params.block_size, params.udp, mss) {
        (0, false, _) => BLOCK,
        (0, true, 0) => DATAGRAM,
        (0, true, mss) => (mss as usize).min(65_507),
        (size, true, _) => size.max(flow::DATAGRAM_HEAD + 4),
        (size, false, _) => size,
    };
    Params { block_size, ..params.clone() }
}

/// The kernel, as `uname` tells it.
pub(super) fn system(program: &mut Program<'_>) -> String {
    let mut read = |name: &str| {
        let text = program.system.read_file(&format!("/proc/sys/kernel/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&text).trim().to_owned()
    };
    format!("Linux {} {} x86_64", read("hostname"), read("osrelease"))
}

/// The control connection.
fn connect(program: &mut Program<'_>, options: &Options, host: &str) -> Result<(Place, Fd), Failure> {
    let error = |text: &str| format!("error - unable to connect to server: {text}");
    let host = host.split_once('%').filter(|(name, _)| !name.contains(':')).map_or(host, |(name, _)| name);
    let places = resolver::addresses(program, host, options.families);
    let places = places.or_else(|why| fail(error(why.text())))?;
    let until = match options.connect_timeout_ms {
        Some(ms) => Some(now(program)?.saturating_add(ms.saturating_mul(1_000_000))),
        None => None,
    };
    let mut why = Errno::ECONNREFUSED;
    for place in places {
        let from =
            From { address: source(program, options, place)?, port: 0, device: options.device.clone() };
        match Stream::connect(program, place.end(options.port), &from, until) {
            Ok(stream) => {
                let _ = program.system.set_option(stream.fd, SocketOption::NoDelay(true));
                return Ok((place, stream.fd));
            }
            Err(Fault::Interrupted) => return fail("interrupt - the client has terminated"),
            Err(Fault::TimedOut) => why = Errno::ETIMEDOUT,
            Err(Fault::Error(errno)) => why = errno,
        }
    }
    fail(error(&why.text()))
}

/// `-B`
fn source(program: &mut Program<'_>, options: &Options, place: Place) -> Result<Option<IpAddr>, Failure> {
    let Some(bind) = &options.bind else { return Ok(None) };
    let families = if place.address.is_ipv4() { Families::Ipv4 } else { Families::Ipv6 };
    let found = resolver::addresses(program, bind, families);
    let found = found.or_else(|why| fail(format!("error - unable to connect to server: {}", why.text())))?;
    Ok(found.first().map(|place| place.address))
}

pub(super) fn ends(program: &mut Program<'_>, fd: Fd) -> Result<(Address, Address), Failure> {
    Ok((program.system.local_address(fd)?, program.system.peer_address(fd)?))
}

/// A stream of data.
fn open(
    program: &mut Program<'_>,
    options: &Options,
    run: &Run,
    at: usize,
    place: Place,
    cookie: &str,
) -> Result<Flow, Failure> {
    let from = From {
        address: source(program, options, place)?,
        port: if options.client_port == 0 { 0 } else { options.client_port.saturating_add(at as u16) },
        device: options.device.clone(),
    };
    let to = place.end(options.port);
    let fd = match run.params.udp {
        true => open_datagrams(program, &from, to)?,
        false => match Stream::connect(program, to, &from, None) {
            Ok(stream) => {
                let control = Control::new(stream.fd, true);
                control.send(program, &[cookie.as_bytes(), &[0]].concat())?;
                debug_assert_eq!(cookie.len() + 1, COOKIE_LEN);
                stream.fd
            }
            Err(Fault::Interrupted) => return fail("interrupt - the client has terminated"),
            Err(Fault::TimedOut) => return fail("error - unable to connect stream: Connection timed out"),
            Err(Fault::Error(errno)) => {
                return fail(format!("error - unable to connect stream: {}", errno.text()));
            }
        },
    };
    if run.params.no_delay && !run.params.udp {
        program.system.set_option(fd, SocketOption::NoDelay(true))?;
    }
    if run.params.tos != 0 {
        program.system.set_option(fd, SocketOption::Tos(run.params.tos))?;
    }
    let ends = match run.params.udp {
        true => (program.system.local_address(fd)?, to),
        false => ends(program, fd)?,
    };
    Ok(Flow::new(fd, at, ends, false, run.sends))
}

/// Says hello, and waits for the answer.
fn open_datagrams(program: &mut Program<'_>, from: &From, to: Address) -> Result<Fd, Failure> {
    let (kind, any): (_, IpAddr) = match to {
        Address::Ipv6 { .. } => (SocketKind::UdpIpv6, std::net::Ipv6Addr::UNSPECIFIED.into()),
        _ => (SocketKind::UdpIpv4, std::net::Ipv4Addr::UNSPECIFIED.into()),
    };
    let fd = program.system.socket(kind)?;
    if let Some(device) = &from.device {
        program.system.set_option(fd, SocketOption::BindToDevice(device.clone()))?;
    }
    if from.address.is_some() || from.port != 0 {
        let own = crate::stream::end_of(from.address.unwrap_or(any), from.port);
        program.system.bind(fd, own)?;
    }
    program.system.connect(fd, to)?;
    program.system.send(fd, HELLO.to_le_bytes().to_vec(), None)?;
    let until = now(program)?.saturating_add(HELLO_TIMEOUT_NS);
    loop {
        if program.system.wait(&[fd], Some(until), true)?.is_empty() {
            return fail("error - unable to read from stream socket: Resource temporarily unavailable");
        }
        for item in program.system.receive(fd, 1)? {
            match item {
                Received::Datagram { data, .. } if data.starts_with(&HELLO_REPLY.to_le_bytes()) => {
                    return Ok(fd);
                }
                Received::Error { errno, .. } => {
                    return fail(format!("error - unable to read from stream socket: {}", errno.text()));
                }
                _ => {}
            }
        }
    }
}
