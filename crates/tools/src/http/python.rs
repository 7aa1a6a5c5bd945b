//! `python3 -m http.server`, as Python 3.11 has it: a real one would serve this machine's network. Every other `python3` is
//! the machine's own.
//!
//! Deliberate gaps: what a file's age would tell (`Last-Modified`) is left out; no CGI.

use std::net::{IpAddr, Ipv4Addr};

use super::httpd::{self, Found, Options, Style, http_date, read_file, unescaped};
use crate::calendar::Date;
use crate::{Program, Signal, machine};

const PORT: u16 = 8000;
const SERVER: &str = "SimpleHTTP/0.6 Python/3.11.2";

/// Types of files by how their names end (`mimetypes`).
const TYPES: &[(&str, &str)] = &[
    ("html", "text/html"),
    ("htm", "text/html"),
    ("txt", "text/plain"),
    ("c", "text/plain"),
    ("h", "text/plain"),
    ("py", "text/x-python"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("xml", "text/xml"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("svg", "image/svg+xml"),
    ("sh", "application/x-sh"),
    ("gz", "application/gzip"),
    ("zip", "application/zip"),
];

/// What a command line of `python3 -m http.server` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    /// `-u`
    unbuffered: bool,
    bind: Option<String>,
    port: u16,
    directory: String,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let wanted = match wanted(program.args) {
        None => return machine::become_own(program, "python3"),
        Some(Ok(wanted)) => wanted,
        Some(Err(text)) => {
            let usage = "usage: server.py [-h] [--cgi] [-b ADDRESS] [-d DIRECTORY] [-p VERSION] [port]";
            let _ = writeln!(program.shell.err(), "{usage}\nserver.py: error: {text}");
            return 2;
        }
    };
    let address = match wanted.bind.as_deref().map(str::parse::<IpAddr>) {
        None => Ipv4Addr::UNSPECIFIED.into(),
        Some(Ok(address)) => address,
        Some(Err(_)) => {
            let text = "socket.gaierror: [Errno -2] Name or service not known";
            let _ = writeln!(program.shell.err(), "{text}");
            return 1;
        }
    };
    let options = Options {
        style: Style::Python,
        address,
        port: wanted.port,
        home: wanted.directory,
        verbose: true,
        foreground: true,
    };
    let listener = match httpd::listen(program, &options) {
        Ok(listener) => listener,
        Err(text) => {
            let text = text.split_once(": ").map_or(text.as_str(), |(_, why)| why);
            let _ = writeln!(program.shell.err(), "OSError: {text}");
            return 1;
        }
    };
    // What is no terminal gets what Python prints when its buffer is full, or never.
    if wanted.unbuffered || program.shell.is_terminal() {
        let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
        let port = options.port;
        let text = format!("Serving HTTP on {address} port {port} (http://{host}:{port}/) ...");
        let _ = writeln!(program.shell.out(), "{text}");
        let _ = program.shell.out().flush();
    }
    let code = httpd::serve(program, &options, listener);
    if program.shell.take_signal() == Some(Signal::Interrupt) {
        let _ = writeln!(program.shell.out(), "\nKeyboard interrupt received, exiting.");
    }
    code
}

/// None where something else than the module is to run.
fn wanted(args: &[String]) -> Option<Result<Wanted, String>> {
    let mut unbuffered = false;
    let mut rest = args.iter();
    loop {
        let word = rest.next()?;
        let letters = word.strip_prefix('-')?;
        let module = match letters.strip_suffix('m') {
            // Switches of the interpreter may stand in the same word.
            Some(switches) if switches.chars().all(|c| "uBEIsSOqv".contains(c)) => {
                unbuffered |= switches.contains('u');
                rest.next()?.as_str()
            }
            _ => match letters.strip_prefix('m') {
                Some(module) => module,
                None if !letters.is_empty() && letters.chars().all(|c| "uBEIsSOqv".contains(c)) => {
                    unbuffered |= letters.contains('u');
                    continue;
                }
                None => return None,
            },
        };
        if module != "http.server" {
            return None;
        }
        break;
    }
    let mut wanted = Wanted { unbuffered, bind: None, port: PORT, directory: ".".to_owned() };
    while let Some(word) = rest.next() {
        let (name, inline) =
            word.split_once('=').map_or((word.as_str(), None), |(n, v)| (n, Some(v.to_owned())));
        match name {
            "-b" | "--bind" | "-d" | "--directory" | "-p" | "--protocol" => {
                let Some(value) = inline.or_else(|| rest.next().cloned()) else {
                    return Some(Err(format!("argument {name}: expected one argument")));
                };
                match name {
                    "-b" | "--bind" => wanted.bind = Some(value),
                    "-d" | "--directory" => wanted.directory = value.trim_end_matches('/').to_owned(),
                    _ => {}
                }
            }
            word if word.starts_with('-') => return Some(Err(format!("unrecognized arguments: {word}"))),
            word => match word.parse() {
                Ok(port) => wanted.port = port,
                Err(_) => return Some(Err(format!("argument port: invalid int value: '{word}'"))),
            },
        }
    }
    Some(Ok(wanted))
}

/// The answer to a request (`SimpleHTTPRequestHandler`); it is told of on standard error.
pub(super) fn answer(program: &mut Program<'_>, options: &Options, request: &[u8], peer: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let line = text.lines().next().unwrap_or("");
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let seconds = program.system.now().map_or(0, |now| now.realtime_ns / 1_000_000_000);
    let has_body = method != "HEAD";
    let mut log = Log { line, peer, seconds };
    if method != "GET" && method != "HEAD" {
        let message = format!("Unsupported method ('{method}')");
        return log.error(program, 501, &message, "Server does not support this operation", has_body);
    }
    let path = target.split(['?', '#']).next().unwrap_or("");
    let path = unescaped(path);
    let inside: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let file = format!("{}/{}", options.home, inside.join("/"));
    let nothing = |log: &mut Log<'_>, program: &mut Program<'_>| {
        log.error(program, 404, "File not found", "Nothing matches the given URI", has_body)
    };
    match read_file(program, &file) {
        Found::File(_) if path.ends_with('/') => nothing(&mut log, program),
        Found::File(body) => log.page(program, kind(&file), &body, has_body),
        Found::Nothing => nothing(&mut log, program),
        Found::Directory if !path.ends_with('/') => {
            let head = format!("Location: {path}/\r\nContent-Length: 0\r\n\r\n");
            log.head(program, 301, "Moved Permanently", &head).into_bytes()
        }
        Found::Directory => {
            for index in ["index.html", "index.htm"] {
                if let Found::File(body) = read_file(program, &format!("{file}/{index}")) {
                    return log.page(program, "text/html", &body, has_body);
                }
            }
            match program.shell.directory(&file) {
                Ok(names) => {
                    log.page(program, "text/html; charset=utf-8", listing(&path, names).as_bytes(), has_body)
                }
                Err(_) => log.error(
                    program,
                    404,
                    "No permission to list directory",
                    "Nothing matches the given URI",
                    has_body,
                ),
            }
        }
    }
}

fn kind(file: &str) -> &'static str {
    let end = file
        .rsplit('/')
        .next()
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, end)| end.to_ascii_lowercase());
    let found = TYPES.iter().find(|(known, _)| Some(*known) == end.as_deref());
    found.map_or("application/octet-stream", |(_, kind)| kind)
}

/// `list_directory`; directories have a slash behind their names.
fn listing(path: &str, mut names: Vec<(String, bool)>) -> String {
    names.sort_by_key(|(name, _)| name.to_lowercase());
    let title = format!("Directory listing for {}", html(path));
    let mut text = format!(
        "<!DOCTYPE HTML>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n</head>\n<body>\n\
         <h1>{title}</h1>\n<hr>\n<ul>\n"
    );
    for (name, is_directory) in names {
        let name = if is_directory { format!("{name}/") } else { name };
        text.push_str(&format!("<li><a href=\"{}\">{}</a></li>\n", quoted(&name), html(&name)));
    }
    text.push_str("</ul>\n<hr>\n</body>\n</html>\n");
    text
}

/// `html.escape`
fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `urllib.parse.quote`
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// What is told of a request.
struct Log<'a> {
    line: &'a str,
    peer: &'a str,
    seconds: u64,
}

impl Log<'_> {
    fn say(&self, program: &mut Program<'_>, text: &str) {
        let date = Date::of(self.seconds);
        let _ = writeln!(
            program.shell.err(),
            "{} - - [{:02}/{}/{} {:02}:{:02}:{:02}] {text}",
            self.peer,
            date.day,
            date.month_name(),
            date.year,
            date.hour,
            date.minute,
            date.second
        );
    }

    /// The beginning of an answer; `rest` is the rest of its head.
    fn head(&self, program: &mut Program<'_>, status: u16, reason: &str, rest: &str) -> String {
        self.say(program, &format!("\"{}\" {status} -", self.line));
        let date = http_date(self.seconds);
        format!("HTTP/1.0 {status} {reason}\r\nServer: {SERVER}\r\nDate: {date}\r\n{rest}")
    }

    fn page(&self, program: &mut Program<'_>, kind: &str, body: &[u8], has_body: bool) -> Vec<u8> {
        let rest = format!("Content-type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut out = self.head(program, 200, "OK", &rest).into_bytes();
        if has_body {
            out.extend(body);
        }
        out
    }

    /// `send_error`
    fn error(
        &self,
        program: &mut Program<'_>,
        status: u16,
        message: &str,
        explanation: &str,
        has_body: bool,
    ) -> Vec<u8> {
        self.say(program, &format!("code {status}, message {message}"));
        let shown = html(message);
        let body = format!(
            "<!DOCTYPE HTML>\n<html lang=\"en\">\n    <head>\n        <meta charset=\"utf-8\">\n        \
             <title>Error response</title>\n    </head>\n    <body>\n        <h1>Error response</h1>\n        \
             <p>Error code: {status}</p>\n        <p>Message: {shown}.</p>\n        \
             <p>Error code explanation: {status} - {explanation}.</p>\n    </body>\n</html>\n"
        );
        let rest = format!(
            "Connection: close\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut out = self.head(program, status, message, &rest);
        if has_body {
            out.push_str(&body);
        }
        out.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Port, address and directory.
    type Read = (u16, Option<String>, String);

    fn read(line: &str) -> Option<Result<Read, String>> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        wanted(&args).map(|outcome| outcome.map(|wanted| (wanted.port, wanted.bind, wanted.directory)))
    }

    #[test]
    fn only_the_module_is_ours() {
        let plain = |port| Some(Ok((port, None, ".".to_owned())));
        assert_eq!(read("-m http.server"), plain(8000));
        assert_eq!(read("-um http.server 80"), plain(80));
        assert_eq!(read("-u -mhttp.server 80"), plain(80));
        let bound = Some(Ok((80, Some("10.0.0.1".to_owned()), "/srv".to_owned())));
        assert_eq!(read("-m http.server --bind 10.0.0.1 80 -d /srv/"), bound);
        for other in ["", "-c print()", "script.py -m http.server", "-m venv x", "-", "-V"] {
            assert_eq!(read(other), None, "{other}");
        }
        assert!(matches!(read("-m http.server x"), Some(Err(_))));
    }

    #[test]
    fn names_in_listings() {
        let text = listing("/a&b/", vec![("b c".to_owned(), false), ("A".to_owned(), true)]);
        assert!(text.contains("<title>Directory listing for /a&amp;b/</title>"));
        assert!(text.contains("<li><a href=\"A/\">A/</a></li>\n<li><a href=\"b%20c\">b c</a></li>\n"));
    }
}
