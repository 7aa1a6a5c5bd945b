//! `iperf3 -s`

use std::net::{Ipv4Addr, Ipv6Addr};

use hairpin_netlink::{Address, Errno, Fd, Received, SocketKind, SocketOption};

use super::client::{HELLO, HELLO_REPLY, ends, results, system, totals};
use super::control::{COOKIE_LEN, Control, state};
use super::flow::Flow;
use super::json::{Json, Start, end, start};
use super::options::{Options, Params};
use super::report::{self, BANNER, Total, titled};
use super::run::{Event, Run};
use super::{Failure, NS_PER_S, Output, fail};
use crate::Program;
use crate::resolver::{self, Families};

const BACKLOG: u32 = 128;
/// How often a stream is looked for before the server gives up.
const STRANGERS_MAX: usize = 1024;

pub(super) fn run(
    program: &mut Program<'_>,
    options: &Options,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let own = own_address(program, options)?;
    let listener = listen(program, options, own)?;
    let mut count = 1u64;
    loop {
        if !options.json {
            let text = format!("{BANNER}Server listening on {} (test #{count})\n{BANNER}", options.port);
            output.print(program, &titled(options, &text));
        }
        let fd = accept(program, listener)?;
        let mut control = Control::new(fd, false);
        let outcome = test(program, options, listener, own, &mut control, output);
        let _ = program.system.close(fd);
        match outcome {
            Ok(()) => {}
            // The test has failed; the server goes on.
            Err(failure) if failure.0.starts_with("interrupt") => return Err(failure),
            Err(failure) => output.fail(program, options, &failure.0),
        }
        if options.one_off {
            let _ = program.system.close(listener);
            return Ok(());
        }
        count += 1;
    }
}

/// `*`, or what `-B`, `-4` and `-6` say.
fn own_address(program: &mut Program<'_>, options: &Options) -> Result<Address, Failure> {
    let any = match options.families {
        Families::Ipv4 => Address::Ipv4 { address: Ipv4Addr::UNSPECIFIED, port: options.port },
        Families::Any | Families::Ipv6 => {
            Address::Ipv6 { address: Ipv6Addr::UNSPECIFIED, port: options.port, scope: 0 }
        }
    };
    let Some(bind) = &options.bind else { return Ok(any) };
    let found = resolver::addresses(program, bind, options.families);
    let found = found
        .or_else(|why| fail(format!("error - unable to start listener for connections: {}", why.text())))?;
    Ok(found.first().map_or(any, |place| place.end(options.port)))
}

fn listen(program: &mut Program<'_>, options: &Options, own: Address) -> Result<Fd, Failure> {
    let kind = if matches!(own, Address::Ipv6 { .. }) { SocketKind::TcpIpv6 } else { SocketKind::TcpIpv4 };
    let error =
        |errno: Errno| Failure(format!("error - unable to start listener for connections: {}", errno.text()));
    let listener = program.system.socket(kind).map_err(error)?;
    program.system.set_option(listener, SocketOption::ReuseAddress(true)).map_err(error)?;
    if let Some(device) = &options.device {
        program.system.set_option(listener, SocketOption::BindToDevice(device.clone())).map_err(error)?;
    }
    program.system.bind(listener, own).map_err(error)?;
    program.system.listen(listener, BACKLOG).map_err(error)?;
    Ok(listener)
}

/// Waits, without an end of its own, for the next connection.
fn accept(program: &mut Program<'_>, listener: Fd) -> Result<Fd, Failure> {
    loop {
        match program.system.accept(listener) {
            Ok(fd) => {
                let _ = program.system.set_option(fd, SocketOption::NoDelay(true));
                return Ok(fd);
            }
            Err(Errno::EAGAIN) => {}
            Err(errno) => return Err(errno.into()),
        }
        match program.system.wait(&[listener], None, false) {
            Err(Errno::EINTR) if program.shell.take_signal().is_some() => {
                return fail("interrupt - the server has terminated");
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// One client's test.
fn test(
    program: &mut Program<'_>,
    options: &Options,
    listener: Fd,
    own: Address,
    control: &mut Control,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let cookie = control.exactly(program, COOKIE_LEN)?;
    let (_, peer) = ends(program, control.fd)?;
    control.send_state(program, state::PARAM_EXCHANGE)?;
    let params = Params::from_json(&control.document(program)?);
    let (peer, peer_port) = report::parts(peer);
    if !options.json {
        let text = format!("Accepted connection from {peer}, port {peer_port}\n");
        output.print(program, &titled(options, &text));
    }
    let mut run = Run::new(params, true);
    // Datagrams must find their socket when they are asked for.
    run.shared = if run.params.udp { Some(open_datagrams(program, own)?) } else { None };
    let outcome = streams(program, listener, &cookie, control, &mut run)
        .and_then(|()| carry(program, options, control, &mut run, output));
    run.close(program);
    if let Some(shared) = run.shared {
        let _ = program.system.close(shared);
    }
    let theirs = outcome?;
    let totals: Vec<Total> = run.flows.iter().map(|flow| Total::of(flow, run.length_ns())).collect();
    if options.json {
        let time = program.system.now()?.realtime_ns.saturating_sub(run.length_ns()) / NS_PER_S;
        let text = String::from_utf8_lossy(&cookie).trim_end_matches('\0').to_owned();
        let known =
            Start { host: peer, port: peer_port, cookie: text, mss: 0, time, system: system(program) };
        let (senders, receivers) = if run.sends { (&totals, &theirs) } else { (&theirs, &totals) };
        let document = Json::object([
            ("start", start(&run, &known)),
            ("intervals", Json::List(std::mem::take(&mut run.intervals))),
            ("end", end(&run, senders, receivers)),
        ]);
        output.print(program, &format!("{}\n", document.print()));
        return Ok(());
    }
    let (senders, receivers) = if run.sends { (Some(&totals[..]), None) } else { (None, Some(&totals[..])) };
    output.print(program, &report::results(&run, options, senders, receivers));
    Ok(())
}

/// The client opens its streams.
fn streams(
    program: &mut Program<'_>,
    listener: Fd,
    cookie: &[u8],
    control: &mut Control,
    run: &mut Run,
) -> Result<(), Failure> {
    control.send_state(program, state::CREATE_STREAMS)?;
    let mut strangers = 0;
    while run.flows.len() < run.params.streams {
        let at = run.flows.len();
        let flow = match run.shared {
            Some(shared) => hello(program, shared, at, run.sends)?,
            None => {
                let fd = accept(program, listener)?;
                let mut stream = Control::new(fd, false);
                if stream.exactly(program, COOKIE_LEN)? != cookie {
                    let _ = stream.send_state(program, state::ACCESS_DENIED);
                    let _ = program.system.close(fd);
                    strangers += 1;
                    if strangers > STRANGERS_MAX {
                        return fail("error - unable to accept connection on stream");
                    }
                    continue;
                }
                let ends = ends(program, fd)?;
                Flow::new(fd, at, ends, true, run.sends)
            }
        };
        if run.params.no_delay && !run.params.udp {
            let _ = program.system.set_option(flow.fd, SocketOption::NoDelay(true));
        }
        if run.params.tos != 0 {
            let _ = program.system.set_option(flow.fd, SocketOption::Tos(run.params.tos));
        }
        run.flows.push(flow);
    }
    control.send_state(program, state::TEST_START)?;
    control.send_state(program, state::TEST_RUNNING)
}

fn open_datagrams(program: &mut Program<'_>, own: Address) -> Result<Fd, Failure> {
    let ipv6 = matches!(own, Address::Ipv6 { .. });
    let fd = program.system.socket(if ipv6 { SocketKind::UdpIpv6 } else { SocketKind::UdpIpv4 })?;
    if ipv6 {
        program.system.set_option(fd, SocketOption::V6Only(false))?;
    }
    program.system.bind(fd, own)?;
    Ok(fd)
}

/// The first datagram of a stream tells who sends it.
fn hello(program: &mut Program<'_>, shared: Fd, at: usize, sends: bool) -> Result<Flow, Failure> {
    loop {
        for item in program.system.receive(shared, 1)? {
            if let Received::Datagram { data, from, to, .. } = item
                && data.starts_with(&HELLO.to_le_bytes())
            {
                program.system.send(shared, HELLO_REPLY.to_le_bytes().to_vec(), Some(from))?;
                return Ok(Flow::new(shared, at, (to, from), true, sends));
            }
        }
        match program.system.wait(&[shared], None, false) {
            Err(Errno::EINTR) if program.shell.take_signal().is_some() => {
                return fail("interrupt - the server has terminated");
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Until the client says that it is done; what it says of its streams.
fn carry(
    program: &mut Program<'_>,
    options: &Options,
    control: &mut Control,
    run: &mut Run,
    output: &mut Output<'_>,
) -> Result<Vec<Total>, Failure> {
    if !options.json {
        output.print(program, &report::connected(run, options));
    }
    run.begin(program, options)?;
    match run.until_event(program, options, control, output)? {
        Event::State(state::TEST_END) => {}
        Event::State(state::CLIENT_TERMINATE) => return fail("the client has terminated"),
        Event::Lost | Event::Done => return fail("the client has unexpectedly closed the connection"),
        Event::State(_) => return fail("error - received an unknown control message"),
    }
    run.end(program, options, output)?;
    control.send_state(program, state::EXCHANGE_RESULTS)?;
    let theirs = totals(&control.document(program)?);
    control.send_document(program, &results(run))?;
    control.send_state(program, state::DISPLAY_RESULTS)?;
    // `IPERF_DONE`; who goes without a word is done too.
    let _ = control.exactly(program, 1);
    Ok(theirs)
}
