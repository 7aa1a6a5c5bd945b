//! `httpd`, as busybox 1.35 has it, for plain files: `httpd [-f] [-v] [-p [ADDRESS:]PORT] [-h HOME]`.
//!
//! Deliberate gaps: no configuration file, no CGI, no ranges; what a file's age would tell (`Last-Modified`, `ETag`) is left
//! out.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::{IpAddr, Ipv6Addr};

use hairpin_netlink::{Address, Errno, Fd, Received, SocketKind, SocketOption};

use super::end_of_head;
use crate::getopt::{Getopt, Item};
use crate::stream::end_of;
use crate::{Program, daemon};

const SHORT: &str = "fvp:h:c:r:u:e:d:m:i";
const PORT: u16 = 80;
/// Connections that may wait, and that are served at once.
const BACKLOG: u32 = 9;
/// `socketserver.TCPServer.request_queue_size`
const PYTHONS_BACKLOG: u32 = 5;
const CONNECTIONS_MAX: usize = 256;
/// Longest request, largest file.
const REQUEST_MAX: usize = 64 << 10;
const FILE_MAX: u64 = 64 << 20;
/// A request takes no longer (`HEADER_READ_TIMEOUT`).
const TIMEOUT_NS: u64 = 60_000_000_000;

const USAGE: &str = "BusyBox v1.35.0 multi-call binary.

Usage: httpd [-ifv[v]] [-c CONFFILE] [-p [IP:]PORT] [-h HOME]
or httpd -d/-e/-m STRING

Listen for incoming HTTP requests

\t-f\t\tDon't daemonize
\t-v[v]\t\tVerbose
\t-p [IP:]PORT\tBind to IP:PORT (default *:80)
\t-h HOME\t\tHome directory (default .)
";

/// Types of files by how their names end.
const TYPES: &[(&str, &str)] = &[
    ("txt", "text/plain"),
    ("h", "text/plain"),
    ("c", "text/plain"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("css", "text/css"),
    ("js", "application/javascript"),
];

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Busybox,
    /// `python3 -m http.server`
    Python,
}

pub(super) struct Options {
    pub style: Style,
    /// Unspecified, of IPv6: those of both families.
    pub address: IpAddr,
    pub port: u16,
    pub home: String,
    pub verbose: bool,
    pub foreground: bool,
}

/// A connection.
struct Client {
    peer: String,
    request: Vec<u8>,
    answer: Vec<u8>,
    until_ns: u64,
    /// The answer is there, to be sent.
    is_answered: bool,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let options = match read_options(program) {
        Ok(options) => options,
        Err(code) => return code,
    };
    let listener = match listen(program, &options) {
        Ok(listener) => listener,
        Err(text) => {
            let _ = writeln!(program.shell.err(), "httpd: {text}");
            return 1;
        }
    };
    if !options.foreground {
        let _ = program.system.close(listener);
        return daemon::start(program, &["-f"]);
    }
    let code = serve(program, &options, listener);
    let _ = program.system.close(listener);
    code
}

fn read_options(program: &mut Program<'_>) -> Result<Options, i32> {
    let mut options = Options {
        style: Style::Busybox,
        address: Ipv6Addr::UNSPECIFIED.into(),
        port: PORT,
        home: ".".to_owned(),
        verbose: false,
        foreground: false,
    };
    let mut words = Getopt::new(program.name, program.args, SHORT, &[]);
    while let Some(item) = words.next() {
        let (letter, value) = match item {
            Item::Option(letter, value) => (letter, value.unwrap_or_default()),
            Item::Error(text) => {
                let _ = write!(program.shell.err(), "{text}\n{USAGE}");
                return Err(1);
            }
        };
        match letter {
            'f' => options.foreground = true,
            'v' => options.verbose = true,
            'h' => options.home = value.trim_end_matches('/').to_owned(),
            'p' => {
                let (address, port) = match value.rsplit_once(':') {
                    Some((address, port)) => {
                        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
                        (bare.unwrap_or(address).parse().ok(), port)
                    }
                    None => (Some(Ipv6Addr::UNSPECIFIED.into()), value),
                };
                let (Some(address), Ok(port)) = (address, port.parse()) else {
                    let _ = writeln!(program.shell.err(), "httpd: bad address '{value}'");
                    return Err(1);
                };
                (options.address, options.port) = (address, port);
            }
            'c' | 'u' => {}
            other => {
                let _ = writeln!(program.shell.err(), "httpd: -{other} is not supported here");
                return Err(1);
            }
        }
    }
    Ok(options)
}

pub(super) fn listen(program: &mut Program<'_>, options: &Options) -> Result<Fd, String> {
    let text = |what: &'static str| move |errno: Errno| format!("{what}: {}", errno.text());
    let kind = if options.address.is_ipv6() { SocketKind::TcpIpv6 } else { SocketKind::TcpIpv4 };
    let listener = program.system.socket(kind).map_err(text("socket"))?;
    program.system.set_option(listener, SocketOption::ReuseAddress(true)).map_err(text("setsockopt"))?;
    program.system.bind(listener, end_of(options.address, options.port)).map_err(text("bind"))?;
    let backlog = if options.style == Style::Python { PYTHONS_BACKLOG } else { BACKLOG };
    program.system.listen(listener, backlog).map_err(text("listen"))?;
    Ok(listener)
}

pub(super) fn serve(program: &mut Program<'_>, options: &Options, listener: Fd) -> i32 {
    let mut clients: BTreeMap<Fd, Client> = BTreeMap::new();
    loop {
        let mut reading: Vec<Fd> =
            clients.iter().filter(|(_, c)| !c.is_answered).map(|(fd, _)| *fd).collect();
        if clients.len() < CONNECTIONS_MAX {
            reading.push(listener);
        }
        let writing: Vec<Fd> = clients.iter().filter(|(_, c)| c.is_answered).map(|(fd, _)| *fd).collect();
        let until = clients.values().map(|client| client.until_ns).min();
        // A server has no end of its own.
        match program.system.wait_for(&reading, &writing, until, false) {
            Ok(_) => {}
            Err(Errno::EINTR) if program.shell.take_signal().is_some() => return 0,
            Err(Errno::EINTR) => {}
            Err(_) => return 1,
        }
        let now = program.system.now().map_or(0, |now| now.monotonic_ns);
        while clients.len() < CONNECTIONS_MAX
            && let Ok(fd) = program.system.accept(listener)
        {
            let peer = match (program.system.peer_address(fd), options.style) {
                (Ok(Address::Ipv4 { address, port }), Style::Busybox) => format!("{address}:{port}"),
                (Ok(Address::Ipv6 { address, port, .. }), Style::Busybox) => format!("[{address}]:{port}"),
                (Ok(Address::Ipv4 { address, .. }), Style::Python) => address.to_string(),
                (Ok(Address::Ipv6 { address, .. }), Style::Python) => address.to_string(),
                _ => "?".to_owned(),
            };
            let (request, answer) = (Vec::new(), Vec::new());
            let until_ns = now.saturating_add(TIMEOUT_NS);
            clients.insert(fd, Client { peer, request, answer, until_ns, is_answered: false });
        }
        let mut over = Vec::new();
        for (fd, client) in &mut clients {
            let goes_on = client.until_ns > now
                && if client.is_answered {
                    client.send(program, *fd)
                } else {
                    client.read(program, options, *fd)
                };
            if !goes_on {
                over.push(*fd);
            }
        }
        for fd in over {
            clients.remove(&fd);
            let _ = program.system.close(fd);
        }
    }
}

impl Client {
    /// Takes what has come; false when the connection is of no use any more.
    fn read(&mut self, program: &mut Program<'_>, options: &Options, fd: Fd) -> bool {
        let items = match program.system.receive(fd, 16) {
            Ok(items) => items,
            Err(Errno::EAGAIN) => return true,
            Err(_) => return false,
        };
        for item in items {
            match item {
                Received::Stream(data) => self.request.extend(data),
                Received::End => return false,
                _ => {}
            }
        }
        if self.request.len() > REQUEST_MAX {
            return false;
        }
        if end_of_head(&self.request).is_none() {
            return true;
        }
        self.is_answered = true;
        match options.style {
            Style::Busybox => {
                let status;
                (status, self.answer) = answer(program, options, &self.request);
                if options.verbose {
                    let _ = writeln!(program.shell.err(), "{}: response:{status}", self.peer);
                }
            }
            Style::Python => self.answer = super::python::answer(program, options, &self.request, &self.peer),
        }
        self.send(program, fd)
    }

    /// False once everything is sent.
    fn send(&mut self, program: &mut Program<'_>, fd: Fd) -> bool {
        while !self.answer.is_empty() {
            let piece = self.answer.get(..self.answer.len().min(64 << 10)).unwrap_or(&[]).to_vec();
            match program.system.send(fd, piece, None) {
                Ok(sent) => drop(self.answer.drain(..sent.min(self.answer.len()))),
                Err(Errno::EAGAIN) => return true,
                Err(_) => return false,
            }
        }
        let _ = program.system.shutdown(fd);
        false
    }
}

/// The answer to a request, and its status.
fn answer(program: &mut Program<'_>, options: &Options, request: &[u8]) -> (u16, Vec<u8>) {
    let text = String::from_utf8_lossy(request);
    let first = text.lines().next().unwrap_or("");
    let mut words = first.split_whitespace();
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let date = program.system.now().map_or(0, |now| now.realtime_ns / 1_000_000_000);
    let date = http_date(date);
    let path = path.split('?').next().unwrap_or("");
    let path = unescaped(path);
    if !path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return refusal(400, &date);
    }
    if method != "GET" && method != "HEAD" {
        return refusal(501, &date);
    }
    let file = if path.ends_with('/') { format!("{path}index.html") } else { path.clone() };
    match read_file(program, &format!("{}{file}", options.home)) {
        Found::File(body) => {
            let mut out = format!("HTTP/1.1 200 OK\r\nDate: {date}\r\nConnection: close\r\n");
            let end = file.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
            if let Some((_, kind)) = TYPES.iter().find(|(known, _)| Some(*known) == end.as_deref()) {
                out.push_str(&format!("Content-type: {kind}\r\n"));
            }
            out.push_str(&format!("Accept-Ranges: bytes\r\nContent-Length: {}\r\n\r\n", body.len()));
            let mut out = out.into_bytes();
            if method == "GET" {
                out.extend(body);
            }
            (200, out)
        }
        Found::Directory => {
            let text = format!(
                "HTTP/1.1 302 Found\r\nDate: {date}\r\nConnection: close\r\nContent-type: text/html\r\nLocation: \
                 {path}/\r\n\r\n"
            );
            (302, text.into_bytes())
        }
        Found::Nothing => refusal(404, &date),
    }
}

pub(super) enum Found {
    File(Vec<u8>),
    Directory,
    Nothing,
}

pub(super) fn read_file(program: &mut Program<'_>, path: &str) -> Found {
    let Ok(file) = program.shell.open(path) else { return Found::Nothing };
    let mut body = Vec::new();
    match file.take(FILE_MAX).read_to_end(&mut body) {
        Ok(_) => Found::File(body),
        Err(error) if error.raw_os_error() == Some(Errno::EISDIR.0) => Found::Directory,
        Err(_) => Found::Nothing,
    }
}

fn refusal(status: u16, date: &str) -> (u16, Vec<u8>) {
    let (title, text) = match status {
        400 => ("Bad Request", "Unsupported method"),
        501 => ("Not Implemented", "The requested method is not recognized"),
        _ => ("Not Found", "The requested URL was not found"),
    };
    let text = format!(
        "HTTP/1.1 {status} {title}\r\nDate: {date}\r\nConnection: close\r\nContent-type: text/html\r\n\r\n\
         <HTML><HEAD><TITLE>{status} {title}</TITLE></HEAD>\n<BODY><H1>{status} {title}</H1>\n{text}\n</BODY></HTML>\n"
    );
    (status, text.into_bytes())
}

/// `%41` is `A`.
pub(super) fn unescaped(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let digits = rest.clone().take(2).collect::<Vec<u8>>();
        let value = std::str::from_utf8(&digits).ok().filter(|text| text.len() == 2);
        match value.and_then(|text| u8::from_str_radix(text, 16).ok()).filter(|_| byte == b'%') {
            Some(value) => {
                bytes.push(value);
                rest.nth(1);
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `Fri, 27 Nov 2026 06:05:13 GMT` (RFC 9110, 5.6.7)
pub(super) fn http_date(seconds: u64) -> String {
    let date = crate::calendar::Date::of(seconds);
    let (weekday, month) = (date.weekday_name(), date.month_name());
    format!(
        "{weekday}, {:02} {month} {} {:02}:{:02}:{:02} GMT",
        date.day, date.year, date.hour, date.minute, date.second
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_paths() {
        assert_eq!(http_date(1_795_759_513), "Fri, 27 Nov 2026 06:05:13 GMT");
        assert_eq!(unescaped("/a%20b%"), "/a b%");
        assert_eq!(unescaped("/%41%4"), "/A%4");
    }
}
