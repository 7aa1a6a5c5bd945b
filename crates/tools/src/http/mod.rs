//! HTTP (RFC 9110, RFC 9112), plain: what `curl`, `wget` and `httpd` have in common.

pub(crate) mod curl;
pub(crate) mod httpd;
pub(crate) mod python;
pub(crate) mod wget;

use crate::Program;
use crate::stream::{Fault, Stream};

/// Longest head of a message, and longest line that tells a chunk's size.
const HEAD_MAX: usize = 256 << 10;
const LINE_MAX: usize = 1024;

/// `http://HOST[:PORT]/PATH`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub scheme: String,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
    pub has_port: bool,
    /// With what stands behind a `?`; begins with a slash.
    pub path: String,
    pub user: Option<String>,
}

impl Url {
    /// None where it is no address of a page. Without a scheme it is `http`.
    pub fn parse(text: &str) -> Option<Url> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let rest = rest.split('#').next().unwrap_or(rest);
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (place, path) = rest.split_at(at);
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let (user, place) = match place.rsplit_once('@') {
            Some((user, place)) => (Some(user.to_owned()), place),
            None => (None, place),
        };
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, behind) = rest.split_once(']')?;
                (host, behind.strip_prefix(':'))
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = port.filter(|port| !port.is_empty());
        let number = match port {
            Some(port) => port.parse().ok()?,
            None if scheme == "https" => 443,
            None => 80,
        };
        let fits = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control());
        fits.then(|| Url {
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_owned(),
            port: number,
            has_port: port.is_some(),
            path,
            user,
        })
    }

    /// The host as it stands in an address, with the port unless it goes without saying.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let default = if self.scheme == "https" { 443 } else { 80 };
        if self.port == default { host } else { format!("{host}:{}", self.port) }
    }

    /// The address as text.
    pub fn text(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority(), self.path)
    }

    /// Where a `Location` leads.
    pub fn join(&self, location: &str) -> Option<Url> {
        if location.contains("://") {
            return Url::parse(location);
        }
        let path = match location.strip_prefix('/') {
            Some(_) => location.to_owned(),
            None => {
                let directory = self.path.split('?').next().and_then(|path| path.rsplit_once('/'));
                format!("{}/{location}", directory.map_or("", |(directory, _)| directory))
            }
        };
        Some(Url { path, ..self.clone() })
    }

    /// The last part of the path; empty for a directory.
    pub fn file_name(&self) -> &str {
        let path = self.path.split('?').next().unwrap_or("");
        path.rsplit('/').next().unwrap_or("")
    }
}

/// The head of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// `1.1`
    pub version: String,
    pub status: u16,
    pub reason: String,
    pub fields: Vec<(String, String)>,
    /// As it came, with the empty line.
    pub raw: Vec<u8>,
}

impl Head {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// How long the body is, where that is told.
    pub fn length(&self) -> Option<u64> {
        self.field("Content-Length")?.parse().ok()
    }

    fn is_chunked(&self) -> bool {
        self.field("Transfer-Encoding").is_some_and(|value| value.to_ascii_lowercase().ends_with("chunked"))
    }

    fn parse(raw: &[u8]) -> Option<Head> {
        let text = String::from_utf8_lossy(raw);
        let mut lines = text.lines();
        let first = lines.next()?;
        let mut words = first.splitn(3, ' ');
        let version = words.next()?.strip_prefix("HTTP/")?.to_owned();
        let status = words.next()?.trim().parse().ok()?;
        let reason = words.next().unwrap_or("").trim_end().to_owned();
        let field = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        };
        Some(Head { version, status, reason, fields: lines.filter_map(field).collect(), raw: raw.to_vec() })
    }
}

/// What goes wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    Connection(Fault),
    /// The connection ended before anything came.
    Empty,
    /// It is no HTTP.
    Malformed,
    /// It ended too early: so many bytes are missing.
    Short(u64),
}

/// An answer that is being read.
pub(crate) struct Reader {
    pub stream: Stream,
    buffer: Vec<u8>,
}

impl Reader {
    pub fn new(stream: Stream) -> Reader {
        Reader { stream, buffer: Vec::new() }
    }

    /// Reads more; false at the end.
    fn fill(&mut self, program: &mut Program<'_>) -> Result<bool, Bad> {
        match self.stream.receive(program).map_err(Bad::Connection)? {
            Some(data) => {
                self.buffer.extend(data);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// The head, without what servers say while they are busy (1xx).
    pub fn head(&mut self, program: &mut Program<'_>) -> Result<Head, Bad> {
        loop {
            while end_of_head(&self.buffer).is_none() {
                if self.buffer.len() > HEAD_MAX {
                    return Err(Bad::Malformed);
                }
                if !self.fill(program)? {
                    return Err(if self.buffer.is_empty() { Bad::Empty } else { Bad::Malformed });
                }
            }
            let end = end_of_head(&self.buffer).ok_or(Bad::Malformed)?;
            let raw: Vec<u8> = self.buffer.drain(..end).collect();
            let head = Head::parse(&raw).ok_or(Bad::Malformed)?;
            if head.status >= 200 {
                return Ok(head);
            }
        }
    }

    /// The body, piece by piece.
    pub fn body(
        &mut self,
        program: &mut Program<'_>,
        head: &Head,
        mut take: impl FnMut(&mut Program<'_>, &[u8]) -> Result<(), Bad>,
    ) -> Result<(), Bad> {
        if head.is_chunked() {
            return self.chunks(program, &mut take);
        }
        match head.length() {
            Some(length) => self.exactly(program, length, &mut take),
            None => loop {
                let data = std::mem::take(&mut self.buffer);
                if !data.is_empty() {
                    take(program, &data)?;
                }
                if !self.fill(program)? {
                    return Ok(());
                }
            },
        }
    }

    fn exactly(
        &mut self,
        program: &mut Program<'_>,
        mut left: u64,
        take: &mut impl FnMut(&mut Program<'_>, &[u8]) -> Result<(), Bad>,
    ) -> Result<(), Bad> {
        while left > 0 {
            if self.buffer.is_empty() && !self.fill(program)? {
                return Err(Bad::Short(left));
            }
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
            let data: Vec<u8> = self.buffer.drain(..count).collect();
            left -= count as u64;
            take(program, &data)?;
        }
        Ok(())
    }

    /// RFC 9112, 7.1
    fn chunks(
        &mut self,
        program: &mut Program<'_>,
        take: &mut impl FnMut(&mut Program<'_>, &[u8]) -> Result<(), Bad>,
    ) -> Result<(), Bad> {
        loop {
            let line = self.line(program)?;
            let size = line.split(';').next().unwrap_or("").trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| Bad::Malformed)?;
            if size == 0 {
                while !self.line(program)?.is_empty() {}
                return Ok(());
            }
            self.exactly(program, size, take)?;
            self.line(program)?;
        }
    }

    fn line(&mut self, program: &mut Program<'_>) -> Result<String, Bad> {
        loop {
            if let Some(at) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=at).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.buffer.len() > LINE_MAX {
                return Err(Bad::Malformed);
            }
            if !self.fill(program)? {
                return Err(Bad::Short(1));
            }
        }
    }
}

/// Where the empty line behind a head ends.
pub(crate) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let found = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
    found.or_else(|| bytes.windows(2).position(|window| window == b"\n\n").map(|at| at + 2))
}

/// RFC 4648, for `Authorization: Basic`.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().enumerate().fold(0u32, |word, (at, byte)| word | u32::from(*byte) << (16 - 8 * at));
        for at in 0..4 {
            let digit = DIGITS.get((word >> (18 - 6 * at) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_pages() {
        let url = Url::parse("http://u:p@www.example.org:8080/a/b?c#d").expect("one");
        assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("www.example.org", 8080, "/a/b?c"));
        assert_eq!(url.text(), "http://www.example.org:8080/a/b?c");
        assert_eq!(url.file_name(), "b");
        let url = Url::parse("10.0.0.1").expect("one");
        assert_eq!((url.text().as_str(), url.file_name()), ("http://10.0.0.1/", ""));
        let url = Url::parse("http://[2001:db8::1]:81/x").expect("one");
        assert_eq!((url.host.as_str(), url.text().as_str()), ("2001:db8::1", "http://[2001:db8::1]:81/x"));
        assert_eq!(url.join("y").map(|url| url.path), Some("/y".to_owned()));
        assert_eq!(url.join("http://z/").map(|url| url.host), Some("z".to_owned()));
        for bad in ["http://", "http://a:b/", "http://a b/", "http://[::1/"] {
            assert_eq!(Url::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn heads() {
        let raw = b"HTTP/1.1 404 Not Found\r\nContent-length: 12\r\nX: a: b\r\n\r\n";
        assert_eq!(end_of_head(raw), Some(raw.len()));
        let head = Head::parse(raw).expect("a head");
        assert_eq!((head.status, head.reason.as_str(), head.length()), (404, "Not Found", Some(12)));
        assert_eq!(head.field("x"), Some("a: b"));
        assert_eq!(Head::parse(b"SSH-2.0\r\n\r\n"), None);
    }

    #[test]
    fn base64_of_every_rest() {
        assert_eq!(["a", "ab", "abc"].map(|text| base64(text.as_bytes())), ["YQ==", "YWI=", "YWJj"]);
    }
}
