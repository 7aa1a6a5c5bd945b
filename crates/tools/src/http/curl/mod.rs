//! `curl`, as curl 7.88 has it, for plain HTTP.

mod options;
mod progress;

use std::io::Write as _;
use std::net::IpAddr;

use hairpin_netlink::{Errno, Fd};

use super::{Bad, Head, Reader, Url};
use crate::Program;
use crate::resolver::{self, Families, Place, Unresolved};
use crate::stream::{Fault, From, Stream};
use options::{Options, Output, Stop};
use progress::Meter;

const NS_PER_MS: u64 = 1_000_000;
/// Redirections that are followed unless told otherwise.
const REDIRECTS_MAX: u32 = 50;

/// curl's exit codes.
mod code {
    pub const UNSUPPORTED_PROTOCOL: i32 = 1;
    pub const URL_MALFORMED: i32 = 3;
    pub const COULD_NOT_RESOLVE: i32 = 6;
    pub const COULD_NOT_CONNECT: i32 = 7;
    pub const WEIRD_REPLY: i32 = 8;
    pub const PARTIAL_FILE: i32 = 18;
    pub const HTTP_ERROR: i32 = 22;
    pub const WRITE_ERROR: i32 = 23;
    pub const TIMED_OUT: i32 = 28;
    pub const INTERFACE_FAILED: i32 = 45;
    pub const TOO_MANY_REDIRECTS: i32 = 47;
    pub const EMPTY_REPLY: i32 = 52;
    pub const SEND_ERROR: i32 = 55;
    pub const RECEIVE_ERROR: i32 = 56;
}

/// Why a transfer failed, and curl's text for it.
struct Failure {
    code: i32,
    text: String,
}

fn fail<T>(code: i32, text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure { code, text: text.into() })
}

/// What is known of a transfer, for `-w`.
#[derive(Clone, Debug, Default)]
struct Transfer {
    url: String,
    method: String,
    scheme: String,
    status: u16,
    version: String,
    content_type: String,
    local: Option<(IpAddr, u16)>,
    remote: Option<(IpAddr, u16)>,
    connects: u32,
    redirects: u32,
    downloaded: u64,
    uploaded: u64,
    header_size: usize,
    request_size: usize,
    start_ns: u64,
    resolved_ns: u64,
    connected_ns: u64,
    first_byte_ns: u64,
    end_ns: u64,
    exit: i32,
    error: String,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let options = match Options::read(program) {
        Ok(options) => options,
        Err(Stop(code)) => return code,
    };
    let mut code = 0;
    for at in 0..options.urls.len() {
        code = one(program, &options, at);
        if code != 0 && options.fail_early {
            break;
        }
    }
    let _ = program.shell.out().flush();
    code
}

/// One address, as often as `--retry` allows.
fn one(program: &mut Program<'_>, options: &Options, at: usize) -> i32 {
    let mut delay_s = 1;
    let mut left = options.retries;
    loop {
        let mut transfer = Transfer { start_ns: now(program), ..Transfer::default() };
        let mut meter = Meter::new(program, options, at);
        meter.begin(program);
        let outcome = perform(program, options, at, &mut transfer, &mut meter);
        transfer.end_ns = now(program);
        let failure = outcome.err();
        transfer.exit = failure.as_ref().map_or(0, |failure| failure.code);
        meter.end(program, &transfer, failure.is_some());
        if let Some(failure) = &failure {
            transfer.error.clone_from(&failure.text);
            let _ = program.shell.out().flush();
            if options.verbose && transfer.status == 0 {
                let _ = writeln!(program.shell.err(), "* Closing connection 0");
            }
            if options.shows_errors() {
                let _ = writeln!(program.shell.err(), "curl: ({}) {}", failure.code, failure.text);
            }
        }
        let is_transient = matches!(transfer.exit, code::TIMED_OUT | code::COULD_NOT_RESOLVE)
            || transfer.exit == code::COULD_NOT_CONNECT && options.retry_refused
            || transfer.exit == 0 && matches!(transfer.status, 408 | 429 | 500 | 502 | 503 | 504);
        if is_transient && left > 0 {
            let wait_s = options.retry_delay_s.unwrap_or(delay_s);
            if !options.silent {
                let why = match transfer.exit {
                    0 => "HTTP error",
                    code::TIMED_OUT => "timeout",
                    code::COULD_NOT_CONNECT => "connection refused",
                    _ => "(retrying all errors)",
                };
                let _ = writeln!(
                    program.shell.err(),
                    "Warning: Problem : {why}. Will retry in {wait_s} seconds. {left} retries left."
                );
            }
            left -= 1;
            delay_s = (delay_s * 2).min(600);
            let until = now(program).saturating_add(wait_s.saturating_mul(1_000_000_000));
            if program.system.wait(&[], Some(until), true).is_err() && program.shell.take_signal().is_some() {
                return 130;
            }
            continue;
        }
        if let Some(format) = &options.write_out {
            let text = write_out(format, &transfer);
            let _ = program.shell.out().write_all(text.as_bytes());
        }
        return transfer.exit;
    }
}

fn now(program: &mut Program<'_>) -> u64 {
    program.system.now().map_or(0, |now| now.monotonic_ns)
}

fn perform(
    program: &mut Program<'_>,
    options: &Options,
    at: usize,
    transfer: &mut Transfer,
    meter: &mut Meter,
) -> Result<(), Failure> {
    let text = options.urls.get(at).map_or("", String::as_str);
    let bad = "URL using bad/illegal format or missing URL";
    let Some(mut url) = Url::parse(text) else { return fail(code::URL_MALFORMED, bad) };
    let mut method = options.method.clone();
    let mut data = options.data.clone();
    loop {
        transfer.url = url.text();
        transfer.scheme = url.scheme.to_uppercase();
        if url.scheme != "http" {
            let text = format!("Protocol \"{}\" not supported or disabled in libcurl", url.scheme);
            return fail(code::UNSUPPORTED_PROTOCOL, text);
        }
        transfer.method.clone_from(&method);
        let mut reader = Reader::new(connect(program, options, &url, transfer)?);
        let outcome =
            exchange(program, options, at, (&url, &method, data.as_deref()), &mut reader, transfer, meter);
        reader.stream.close(program);
        let head = outcome?;
        let closes = head.version == "1.0"
            || head.field("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let _ = program.shell.out().flush();
        match closes {
            true => say(program, options, "* Closing connection 0"),
            false => say(program, options, &format!("* Connection #0 to host {} left intact", url.host)),
        }
        let next = head.field("Location").filter(|_| options.follows && (300..400).contains(&head.status));
        let Some(next) = next.and_then(|location| url.join(location)) else {
            if options.fails && head.status >= 400 {
                return fail(code::HTTP_ERROR, format!("The requested URL returned error: {}", head.status));
            }
            return Ok(());
        };
        transfer.redirects += 1;
        let most = options.redirects_max.unwrap_or(REDIRECTS_MAX);
        if transfer.redirects > most {
            return fail(code::TOO_MANY_REDIRECTS, format!("Maximum ({most}) redirects followed"));
        }
        if options.verbose {
            let _ = writeln!(program.shell.err(), "* Issue another request to this URL: '{}'", next.text());
        }
        // What was posted is not posted again (RFC 9110, 15.4).
        if matches!(head.status, 301..=303) && method == "POST" {
            (method, data) = ("GET".to_owned(), None);
        }
        url = next;
    }
}

fn connect(
    program: &mut Program<'_>,
    options: &Options,
    url: &Url,
    transfer: &mut Transfer,
) -> Result<Stream, Failure> {
    let start = now(program);
    let elapsed = |program: &mut Program<'_>| now(program).saturating_sub(start) / NS_PER_MS;
    let (host, port) = (url.host.as_str(), url.port);
    let places = match options.resolved.iter().find(|known| known.0 == host && known.1 == port) {
        Some((_, _, address)) => vec![Place::from(*address)],
        None => resolve(program, options, host)?,
    };
    let total = options.max_time_ns.map(|limit| transfer.start_ns.saturating_add(limit));
    let connecting = options.connect_timeout_ns.map(|limit| start.saturating_add(limit));
    transfer.resolved_ns = now(program);
    if let Some(limit) = options.max_time_ns.filter(|_| total.is_some_and(|end| end <= transfer.resolved_ns))
    {
        return fail(
            code::TIMED_OUT,
            format!("Resolving timed out after {} milliseconds", limit / NS_PER_MS),
        );
    }
    let from = source(program, options)?;
    let until = [total, connecting].into_iter().flatten().min();
    let mut refused = Errno::ECONNREFUSED;
    for place in places {
        let address = place.address;
        say(program, options, &format!("*   Trying {}:{port}...", bracketed(address)));
        match Stream::connect(program, place.end(port), &from, until) {
            Ok(mut stream) => {
                stream.until_ns = total;
                transfer.connects += 1;
                transfer.connected_ns = now(program);
                transfer.remote = Some((address, port));
                transfer.local = local(program, stream.fd);
                say(program, options, &format!("* Connected to {host} ({address}) port {port} (#0)"));
                return Ok(stream);
            }
            Err(Fault::Interrupted) => return fail(130, "interrupted"),
            Err(Fault::TimedOut) => {
                let ms = elapsed(program);
                let text = match (total, connecting) {
                    (Some(total), other) if other.is_none_or(|other| total <= other) => {
                        format!("Connection timed out after {ms} milliseconds")
                    }
                    _ => {
                        format!("Failed to connect to {host} port {port} after {ms} ms: Timeout was reached")
                    }
                };
                say(program, options, &format!("* {text}"));
                return fail(code::TIMED_OUT, text);
            }
            Err(Fault::Error(Errno::EADDRNOTAVAIL | Errno::ENODEV)) if options.interface.is_some() => {
                let name = options.interface.clone().unwrap_or_default();
                return fail(code::INTERFACE_FAILED, format!("Couldn't bind to '{name}'"));
            }
            Err(Fault::Error(errno)) => {
                refused = errno;
                say(
                    program,
                    options,
                    &format!("* connect to {address} port {port} failed: {}", errno.text()),
                );
            }
        }
    }
    let ms = elapsed(program);
    let text = format!("Failed to connect to {host} port {port} after {ms} ms: Couldn't connect to server");
    say(program, options, &format!("* {text}"));
    let code = if refused == Errno::ETIMEDOUT { code::TIMED_OUT } else { code::COULD_NOT_CONNECT };
    fail(code, text)
}

fn bracketed(address: IpAddr) -> String {
    if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
}

fn say(program: &mut Program<'_>, options: &Options, text: &str) {
    if options.verbose {
        let _ = program.shell.out().flush();
        let _ = writeln!(program.shell.err(), "{text}");
    }
}

fn resolve(program: &mut Program<'_>, options: &Options, host: &str) -> Result<Vec<Place>, Failure> {
    let families = match (options.ipv4, options.ipv6) {
        (true, _) => Families::Ipv4,
        (_, true) => Families::Ipv6,
        _ => Families::Any,
    };
    let found = resolver::addresses(program, host, families);
    match found {
        Ok(places) => Ok(places),
        Err(Unresolved::OtherFamily) => fail(code::COULD_NOT_CONNECT, "Couldn't connect to server"),
        Err(_) => {
            say(program, options, &format!("* Could not resolve host: {host}"));
            fail(code::COULD_NOT_RESOLVE, format!("Could not resolve host: {host}"))
        }
    }
}

/// `--interface` names a device, or an address of this host.
fn source(program: &mut Program<'_>, options: &Options) -> Result<From, Failure> {
    let mut from = From { port: options.local_port.unwrap_or(0), ..From::default() };
    let Some(name) = &options.interface else { return Ok(from) };
    let name = name.strip_prefix("if!").or_else(|| name.strip_prefix("host!")).unwrap_or(name);
    let devices = crate::interfaces::Interfaces::dump(program.system).ok();
    if let Ok(address) = name.parse() {
        from.address = Some(address);
    } else if devices.is_some_and(|devices| devices.by_name(name).is_some()) {
        from.device = Some(name.to_owned());
    } else {
        match resolver::lookup_ipv4(program, name) {
            Ok(host) => from.address = Some(host.address.into()),
            Err(_) => return fail(code::INTERFACE_FAILED, format!("Couldn't bind to '{name}'")),
        }
    }
    Ok(from)
}

fn local(program: &mut Program<'_>, fd: Fd) -> Option<(IpAddr, u16)> {
    match program.system.local_address(fd).ok()? {
        hairpin_netlink::Address::Ipv4 { address, port } => Some((address.into(), port)),
        hairpin_netlink::Address::Ipv6 { address, port, .. } => Some((address.into(), port)),
        hairpin_netlink::Address::Link { .. } | hairpin_netlink::Address::Can { .. } => None,
    }
}

/// Asks, and takes the answer.
fn exchange(
    program: &mut Program<'_>,
    options: &Options,
    at: usize,
    (url, method, data): (&Url, &str, Option<&[u8]>),
    reader: &mut Reader,
    transfer: &mut Transfer,
    meter: &mut Meter,
) -> Result<Head, Failure> {
    let request = request(options, url, method, data);
    transfer.request_size += request.len();
    for line in String::from_utf8_lossy(&request).lines() {
        say(program, options, &format!("> {line}"));
    }
    let mut whole = request;
    whole.extend(data.unwrap_or(&[]));
    transfer.uploaded += data.map_or(0, |data| data.len() as u64);
    match reader.stream.send(program, &whole) {
        Ok(()) => {}
        Err(Fault::Error(errno)) => return fail(code::SEND_ERROR, format!("Send failure: {}", errno.text())),
        Err(fault) => return Err(broken(program, Bad::Connection(fault), transfer, None)),
    }
    let head = match reader.head(program) {
        Ok(head) => head,
        Err(bad) => return Err(broken(program, bad, transfer, None)),
    };
    transfer.first_byte_ns = now(program);
    transfer.status = head.status;
    transfer.version.clone_from(&head.version);
    transfer.header_size += head.raw.len();
    head.field("Content-Type").unwrap_or("").clone_into(&mut transfer.content_type);
    for line in String::from_utf8_lossy(&head.raw).lines() {
        say(program, options, &format!("< {line}"));
    }
    let follows = options.follows && (300..400).contains(&head.status) && head.field("Location").is_some();
    let mut sink = Sink::open(program, options, at, url)?;
    if options.include || method == "HEAD" {
        sink.write(program, &head.raw)?;
    }
    let is_refused = options.fails && head.status >= 400;
    if method == "HEAD" || is_refused || matches!(head.status, 204 | 304) {
        return Ok(head);
    }
    let mut failed = None;
    let mut is_first = true;
    let length = head.length();
    meter.expect(length);
    let outcome = reader.body(program, &head, |program, piece| {
        if std::mem::take(&mut is_first) && options.verbose && !options.is_terminal {
            let _ = writeln!(program.shell.err(), "{{ [{} bytes data]", piece.len());
        }
        transfer.downloaded += piece.len() as u64;
        // What leads elsewhere is not shown.
        if !follows && let Err(failure) = sink.write(program, piece) {
            failed = Some(failure);
            return Err(Bad::Malformed);
        }
        Ok(())
    });
    if let Some(failure) = failed {
        return Err(failure);
    }
    match outcome {
        Ok(()) => {
            sink.finish()?;
            Ok(head)
        }
        Err(bad) => Err(broken(program, bad, transfer, length)),
    }
}

/// curl's words for what goes wrong with a connection.
fn broken(program: &mut Program<'_>, bad: Bad, transfer: &Transfer, length: Option<u64>) -> Failure {
    let ms = now(program).saturating_sub(transfer.start_ns) / NS_PER_MS;
    let (code, text) = match bad {
        Bad::Connection(Fault::TimedOut) => {
            let of = length.map(|length| format!(" out of {length}")).unwrap_or_default();
            let got = transfer.downloaded;
            let text = format!("Operation timed out after {ms} milliseconds with {got}{of} bytes received");
            (code::TIMED_OUT, text)
        }
        Bad::Connection(Fault::Interrupted) => (130, "interrupted".to_owned()),
        Bad::Connection(Fault::Error(errno)) => {
            (code::RECEIVE_ERROR, format!("Recv failure: {}", errno.text()))
        }
        Bad::Empty => (code::EMPTY_REPLY, "Empty reply from server".to_owned()),
        Bad::Malformed => (code::WEIRD_REPLY, "Received HTTP/0.9 when not allowed".to_owned()),
        Bad::Short(left) => {
            (code::PARTIAL_FILE, format!("transfer closed with {left} bytes remaining to read"))
        }
    };
    Failure { code: if bad == Bad::Malformed { 1 } else { code }, text }
}

fn request(options: &Options, url: &Url, method: &str, data: Option<&[u8]>) -> Vec<u8> {
    let version = if options.http10 { "1.0" } else { "1.1" };
    let mut text = format!("{method} {} HTTP/{version}\r\n", url.path);
    let given = |name: &str| {
        options.headers.iter().any(|line| {
            line.split([':', ';']).next().is_some_and(|known| known.trim().eq_ignore_ascii_case(name))
        })
    };
    if !given("Host") {
        text.push_str(&format!("Host: {}\r\n", url.authority()));
    }
    if let Some(user) = options.user.as_ref().or(url.user.as_ref()) {
        text.push_str(&format!("Authorization: Basic {}\r\n", super::base64(user.as_bytes())));
    }
    if !given("User-Agent") && !options.agent.is_empty() {
        text.push_str(&format!("User-Agent: {}\r\n", options.agent));
    }
    if !given("Accept") {
        text.push_str("Accept: */*\r\n");
    }
    for line in &options.headers {
        // `Name:` takes a header away, `Name;` sends it empty.
        match line.split_once(':') {
            Some((_, value)) if !value.trim().is_empty() => text.push_str(&format!("{line}\r\n")),
            None if line.ends_with(';') => {
                text.push_str(&format!("{}:\r\n", line.trim_end_matches(';')));
            }
            _ => {}
        }
    }
    if let Some(data) = data {
        text.push_str(&format!("Content-Length: {}\r\n", data.len()));
        if !given("Content-Type") {
            text.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
        }
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// Where a body goes.
enum Sink {
    Out,
    File(Box<dyn std::io::Write>),
}

impl Sink {
    fn open(program: &mut Program<'_>, options: &Options, at: usize, url: &Url) -> Result<Sink, Failure> {
        let path = match options.outputs.get(at) {
            None => return Ok(Sink::Out),
            Some(Output::Named(path)) if path == "-" => return Ok(Sink::Out),
            Some(Output::Named(path)) => path.clone(),
            Some(Output::Remote) => match url.file_name() {
                "" => return fail(code::WRITE_ERROR, "Remote file name has no length!"),
                name => name.to_owned(),
            },
        };
        match program.shell.create(&path) {
            Ok(file) => Ok(Sink::File(file)),
            Err(error) => {
                if options.shows_errors() {
                    let reason =
                        error.raw_os_error().map_or_else(|| error.to_string(), |number| Errno(number).text());
                    let _ =
                        writeln!(program.shell.err(), "Warning: Failed to open the file {path}: {reason}");
                }
                fail(code::WRITE_ERROR, "Failure writing output to destination")
            }
        }
    }

    fn write(&mut self, program: &mut Program<'_>, bytes: &[u8]) -> Result<(), Failure> {
        let written = match self {
            Sink::Out => program.shell.out().write_all(bytes),
            Sink::File(file) => file.write_all(bytes),
        };
        written.or_else(|_| fail(code::WRITE_ERROR, "Failure writing output to destination"))
    }

    fn finish(&mut self) -> Result<(), Failure> {
        match self {
            Sink::Out => Ok(()),
            Sink::File(file) => {
                file.flush().or_else(|_| fail(code::WRITE_ERROR, "Failure writing output to destination"))
            }
        }
    }
}

/// `-w`: variables and escapes.
fn write_out(format: &str, transfer: &Transfer) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some(next) = rest.chars().next() {
        if let Some(inner) = rest.strip_prefix("%{")
            && let Some((name, behind)) = inner.split_once('}')
        {
            text.push_str(&variable(name, transfer));
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("%%") {
            text.push('%');
            rest = behind;
        } else if next == '\\' {
            let mut chars = rest.chars();
            chars.next();
            match chars.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some(other) => text.extend(['\\', other]),
                None => text.push('\\'),
            }
            rest = chars.as_str();
        } else {
            text.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or("");
        }
    }
    text
}

fn variable(name: &str, transfer: &Transfer) -> String {
    let seconds = |at: u64| {
        let at = at.max(transfer.start_ns);
        format!("{:.6}", (at - transfer.start_ns) as f64 / 1e9)
    };
    let speed = |bytes: u64| {
        let elapsed = transfer.end_ns.saturating_sub(transfer.start_ns).max(1);
        (u128::from(bytes) * 1_000_000_000 / u128::from(elapsed)).to_string()
    };
    let address =
        |end: Option<(IpAddr, u16)>| end.map_or_else(String::new, |(address, _)| address.to_string());
    let port = |end: Option<(IpAddr, u16)>| end.map_or(0, |(_, port)| port).to_string();
    match name {
        "http_code" | "response_code" => format!("{:03}", transfer.status),
        "http_connect" => "000".to_owned(),
        "http_version" => match transfer.version.as_str() {
            "" => "0".to_owned(),
            version => version.to_owned(),
        },
        "method" => transfer.method.clone(),
        "scheme" => transfer.scheme.clone(),
        "url" | "url_effective" => transfer.url.clone(),
        "content_type" => transfer.content_type.clone(),
        "remote_ip" => address(transfer.remote),
        "remote_port" => port(transfer.remote),
        "local_ip" => address(transfer.local),
        "local_port" => port(transfer.local),
        "num_connects" => transfer.connects.to_string(),
        "num_redirects" => transfer.redirects.to_string(),
        "num_headers" => "0".to_owned(),
        "size_download" => transfer.downloaded.to_string(),
        "size_upload" => transfer.uploaded.to_string(),
        "size_header" => transfer.header_size.to_string(),
        "size_request" => transfer.request_size.to_string(),
        "speed_download" => speed(transfer.downloaded),
        "speed_upload" => speed(transfer.uploaded),
        "time_namelookup" => seconds(transfer.resolved_ns),
        "time_connect" => seconds(transfer.connected_ns),
        "time_appconnect" | "time_redirect" => "0.000000".to_owned(),
        "time_pretransfer" => seconds(transfer.connected_ns),
        "time_starttransfer" => seconds(transfer.first_byte_ns),
        "time_total" => seconds(transfer.end_ns),
        "exitcode" => transfer.exit.to_string(),
        "errormsg" => transfer.error.clone(),
        "ssl_verify_result" => "0".to_owned(),
        "filename_effective" | "redirect_url" | "referer" => String::new(),
        "onerror" | "stdout" | "stderr" => String::new(),
        other => {
            // curl complains of what it does not know, and goes on.
            let _ = other;
            String::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_write_out() {
        let transfer = Transfer { status: 200, downloaded: 15, ..Transfer::default() };
        assert_eq!(write_out("%{http_code} %{size_download}%%\\n\\x", &transfer), "200 15%\n\\x");
        assert_eq!(write_out("%{http_code", &transfer), "%{http_code");
        assert_eq!(write_out("%{http_code}", &Transfer::default()), "000");
    }
}
