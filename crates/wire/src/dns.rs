//! DNS messages (RFC 1035, section 4; RFC 3596 for IPv6; RFC 6891 for what stands in a pseudo record).
//!
//! Names are text without the last dot, the root is empty; in a label a dot and a backslash stand behind a backslash,
//! what cannot be printed is `\DDD` (RFC 1035, section 5.1).

use std::net::{Ipv4Addr, Ipv6Addr};

/// The port of a server.
pub const PORT: u16 = 53;
/// The class of the internet.
pub const IN: u16 = 1;

/// Types of records.
pub mod kind {
    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const CNAME: u16 = 5;
    pub const SOA: u16 = 6;
    pub const PTR: u16 = 12;
    pub const MX: u16 = 15;
    pub const TXT: u16 = 16;
    pub const AAAA: u16 = 28;
    pub const SRV: u16 = 33;
    pub const OPT: u16 = 41;
    pub const ANY: u16 = 255;
}

/// Bits of the header's second word.
pub mod flag {
    pub const RESPONSE: u16 = 0x8000;
    pub const AUTHORITATIVE: u16 = 0x0400;
    pub const TRUNCATED: u16 = 0x0200;
    pub const RECURSION_DESIRED: u16 = 0x0100;
    pub const RECURSION_AVAILABLE: u16 = 0x0080;
    pub const AUTHENTIC_DATA: u16 = 0x0020;
    pub const CHECKING_DISABLED: u16 = 0x0010;
}

/// The lowest four bits of that word.
pub mod response {
    pub const NO_ERROR: u16 = 0;
    pub const FORMAT_ERROR: u16 = 1;
    pub const SERVER_FAILURE: u16 = 2;
    pub const NAME_ERROR: u16 = 3;
    pub const NOT_IMPLEMENTED: u16 = 4;
    pub const REFUSED: u16 = 5;
}

const RESPONSE_MASK: u16 = 0xf;
const OPERATION_MASK: u16 = 0x7800;
/// A name and a label have at most so many bytes.
const NAME_MAX: usize = 255;
const LABEL_MAX: usize = 63;
/// Records of a message that are looked at.
const RECORDS_MAX: usize = 512;
/// Pointers that one name follows.
const JUMPS_MAX: usize = 64;

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub id: u16,
    /// [`flag`]s, the operation and the [`response`].
    pub flags: u16,
    pub questions: Vec<Question>,
    pub answers: Vec<Record>,
    pub authority: Vec<Record>,
    pub additional: Vec<Record>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub name: String,
    pub kind: u16,
    pub class: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub name: String,
    pub kind: u16,
    pub class: u16,
    /// Seconds.
    pub ttl: u32,
    pub data: Data,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    /// `CNAME`, `NS`, `PTR`
    Name(String),
    Mx(u16, String),
    Txt(Vec<Vec<u8>>),
    Srv {
        priority: u16,
        weight: u16,
        port: u16,
        target: String,
    },
    Soa {
        server: String,
        mailbox: String,
        numbers: [u32; 5],
    },
    /// Anything else, as it stands.
    Other(Vec<u8>),
}

impl Message {
    /// A question as a stub resolver asks it.
    pub fn query(id: u16, name: &str, kind: u16) -> Message {
        let question = Question { name: name.to_owned(), kind, class: IN };
        Message { id, flags: flag::RECURSION_DESIRED, questions: vec![question], ..Message::default() }
    }

    /// The beginning of an answer to this question, which repeats it.
    pub fn reply(&self) -> Message {
        let kept = OPERATION_MASK | flag::RECURSION_DESIRED | flag::CHECKING_DISABLED;
        Message {
            id: self.id,
            flags: flag::RESPONSE | self.flags & kept,
            questions: self.questions.clone(),
            ..Message::default()
        }
    }

    /// See [`response`].
    pub fn response(&self) -> u16 {
        self.flags & RESPONSE_MASK
    }

    /// 0 for a question.
    pub fn operation(&self) -> u16 {
        (self.flags & OPERATION_MASK) >> 11
    }

    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    pub fn set_response(&mut self, response: u16) {
        self.flags = self.flags & !RESPONSE_MASK | response & RESPONSE_MASK;
    }

    /// Reads a message; none where it ends too early or points astray.
    pub fn parse(bytes: &[u8]) -> Option<Message> {
        let mut reader = Reader { bytes, at: 0 };
        let (id, flags) = (reader.u16()?, reader.u16()?);
        let counts = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
        let mut message = Message { id, flags, ..Message::default() };
        if counts.iter().map(|count| usize::from(*count)).sum::<usize>() > RECORDS_MAX {
            return None;
        }
        let [questions, answers, authority, additional] = counts;
        for _ in 0..questions {
            let name = reader.name()?;
            message.questions.push(Question { name, kind: reader.u16()?, class: reader.u16()? });
        }
        for (count, section) in [
            (answers, &mut message.answers),
            (authority, &mut message.authority),
            (additional, &mut message.additional),
        ] {
            for _ in 0..count {
                section.push(reader.record()?);
            }
        }
        Some(message)
    }

    /// The message's bytes. What a record belongs to is written once; a second time it is a pointer.
    pub fn write(&self) -> Vec<u8> {
        let mut writer = Writer { bytes: Vec::with_capacity(128), known: Vec::new() };
        let count = |records: &[Record]| records.len().min(RECORDS_MAX) as u16;
        for word in [
            self.id,
            self.flags,
            self.questions.len().min(RECORDS_MAX) as u16,
            count(&self.answers),
            count(&self.authority),
            count(&self.additional),
        ] {
            writer.u16(word);
        }
        for question in self.questions.iter().take(RECORDS_MAX) {
            writer.owner(&question.name);
            writer.u16(question.kind);
            writer.u16(question.class);
        }
        for section in [&self.answers, &self.authority, &self.additional] {
            for record in section.iter().take(RECORDS_MAX) {
                writer.record(record);
            }
        }
        writer.bytes
    }
}

/// Whether two names are the same (RFC 4343).
pub fn is_same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// The name under which an address is looked up backwards (RFC 1035, 3.5; RFC 3596, 2.5).
pub fn reverse_name(address: std::net::IpAddr) -> String {
    match address {
        std::net::IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        std::net::IpAddr::V6(address) => {
            let mut name = String::with_capacity(72);
            for octet in address.octets().iter().rev() {
                name.push_str(&format!("{:x}.{:x}.", octet & 0xf, octet >> 4));
            }
            name + "ip6.arpa"
        }
    }
}

/// Whether this can be written as a name: labels of 1 to 63 bytes, 255 in all.
pub fn is_name(name: &str) -> bool {
    labels(name).is_some()
}

/// The labels of a name as bytes.
fn labels(name: &str) -> Option<Vec<Vec<u8>>> {
    let name = match name.strip_suffix('.') {
        Some(rest) if !rest.ends_with('\\') => rest,
        _ => name,
    };
    if name.is_empty() {
        return Some(Vec::new());
    }
    let mut labels = vec![Vec::new()];
    let mut bytes = name.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'.' => {
                labels.push(Vec::new());
                continue;
            }
            b'\\' => match bytes.next()? {
                first @ b'0'..=b'9' => {
                    let digits = [first, bytes.next()?, bytes.next()?];
                    std::str::from_utf8(&digits).ok()?.parse().ok()?
                }
                other => other,
            },
            other => other,
        };
        labels.last_mut()?.push(byte);
    }
    let total = labels.iter().map(|label| label.len() + 1).sum::<usize>() + 1;
    let fits = labels.iter().all(|label| (1..=LABEL_MAX).contains(&label.len())) && total <= NAME_MAX;
    fits.then_some(labels)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().map(|word| u16::from_be_bytes(*word))
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.first_chunk().map(|word| u32::from_be_bytes(*word))
    }

    /// A name, along its pointers (RFC 1035, 4.1.4).
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut walk = Reader { bytes: self.bytes, at: self.at };
        let mut behind = None;
        for _ in 0..JUMPS_MAX {
            loop {
                let length = walk.u8()?;
                match length {
                    0 => {
                        self.at = behind.unwrap_or(walk.at);
                        return Some(name);
                    }
                    1..=63 => {
                        if name.len() > NAME_MAX * 4 {
                            return None;
                        }
                        if !name.is_empty() {
                            name.push('.');
                        }
                        for byte in walk.take(length.into())? {
                            push_byte(&mut name, *byte);
                        }
                    }
                    _ if length & 0xc0 == 0xc0 => {
                        let low = walk.u8()?;
                        behind.get_or_insert(walk.at);
                        walk.at = usize::from(length & 0x3f) << 8 | usize::from(low);
                        break;
                    }
                    _ => return None,
                }
            }
        }
        None
    }

    fn record(&mut self) -> Option<Record> {
        let name = self.name()?;
        let (kind, class, ttl) = (self.u16()?, self.u16()?, self.u32()?);
        let length = usize::from(self.u16()?);
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len())?;
        let data = self.data(kind, end)?;
        self.at = end;
        Some(Record { name, kind, class, ttl, data })
    }

    fn data(&mut self, kind: u16, end: usize) -> Option<Data> {
        let raw = self.bytes.get(self.at..end)?;
        Some(match (kind, raw.len()) {
            (kind::A, 4) => Data::A(Ipv4Addr::from(*raw.first_chunk::<4>()?)),
            (kind::AAAA, 16) => Data::Aaaa(Ipv6Addr::from(*raw.first_chunk::<16>()?)),
            (kind::CNAME | kind::NS | kind::PTR, _) => Data::Name(self.name()?),
            (kind::MX, _) => Data::Mx(self.u16()?, self.name()?),
            (kind::SRV, _) => {
                let (priority, weight, port) = (self.u16()?, self.u16()?, self.u16()?);
                Data::Srv { priority, weight, port, target: self.name()? }
            }
            (kind::SOA, _) => {
                let (server, mailbox) = (self.name()?, self.name()?);
                let numbers = [self.u32()?, self.u32()?, self.u32()?, self.u32()?, self.u32()?];
                Data::Soa { server, mailbox, numbers }
            }
            (kind::TXT, _) => {
                let mut strings = Vec::new();
                while self.at < end {
                    let length = usize::from(self.u8()?);
                    strings.push(self.take(length)?.to_vec());
                }
                Data::Txt(strings)
            }
            _ => Data::Other(raw.to_vec()),
        })
    }
}

/// A byte of a label as text.
fn push_byte(text: &mut String, byte: u8) {
    match byte {
        b'.' | b'\\' => {
            text.push('\\');
            text.push(byte.into());
        }
        0x21..=0x7e => text.push(byte.into()),
        _ => text.push_str(&format!("\\{byte:03}")),
    }
}

struct Writer {
    bytes: Vec<u8>,
    /// Names, and where they begin.
    known: Vec<(String, usize)>,
}

impl Writer {
    fn u16(&mut self, word: u16) {
        self.bytes.extend(word.to_be_bytes());
    }

    fn u32(&mut self, word: u32) {
        self.bytes.extend(word.to_be_bytes());
    }

    /// A name as it is; one that cannot be written is the root.
    fn name(&mut self, name: &str) {
        let at = self.bytes.len();
        if !name.is_empty() && at < 1 << 14 {
            self.known.push((name.to_owned(), at));
        }
        for label in labels(name).unwrap_or_default() {
            self.bytes.push(label.len() as u8);
            self.bytes.extend(label);
        }
        self.bytes.push(0);
    }

    /// What a question asks for, or a record belongs to.
    fn owner(&mut self, name: &str) {
        match self.known.iter().find(|(known, _)| is_same_name(known, name)) {
            Some((_, at)) => self.u16(0xc000 | *at as u16),
            None => self.name(name),
        }
    }

    fn record(&mut self, record: &Record) {
        self.owner(&record.name);
        self.u16(record.kind);
        self.u16(record.class);
        self.u32(record.ttl);
        let at = self.bytes.len();
        self.u16(0);
        match &record.data {
            Data::A(address) => self.bytes.extend(address.octets()),
            Data::Aaaa(address) => self.bytes.extend(address.octets()),
            Data::Name(name) => self.name(name),
            Data::Mx(preference, name) => {
                self.u16(*preference);
                self.name(name);
            }
            Data::Srv { priority, weight, port, target } => {
                for word in [*priority, *weight, *port] {
                    self.u16(word);
                }
                self.name(target);
            }
            Data::Soa { server, mailbox, numbers } => {
                self.name(server);
                self.name(mailbox);
                for number in numbers {
                    self.u32(*number);
                }
            }
            Data::Txt(strings) => {
                for string in strings {
                    let string = string.get(..string.len().min(255)).unwrap_or(&[]);
                    self.bytes.push(string.len() as u8);
                    self.bytes.extend(string);
                }
            }
            Data::Other(bytes) => self.bytes.extend(bytes),
        }
        let length = (self.bytes.len() - at - 2) as u16;
        if let Some(place) = self.bytes.get_mut(at..at + 2) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, kind: u16, data: Data) -> Record {
        Record { name: name.to_owned(), kind, class: IN, ttl: 300, data }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut message = Message::query(7, "www.lab", kind::A).reply();
        message.answers = vec![
            record("www.lab", kind::CNAME, Data::Name("two.lab".to_owned())),
            record("two.lab", kind::A, Data::A(Ipv4Addr::new(10, 9, 0, 6))),
            record("lab", kind::MX, Data::Mx(10, "mail.lab".to_owned())),
            record("lab", kind::TXT, Data::Txt(vec![b"hello".to_vec(), Vec::new()])),
        ];
        let numbers = [1, 2, 3, 4, 5];
        let (server, mailbox) = ("ns.lab".to_owned(), "root.lab".to_owned());
        message.authority = vec![record("lab", kind::SOA, Data::Soa { server, mailbox, numbers })];
        message.additional = vec![record("", kind::OPT, Data::Other(vec![0, 10, 0, 0]))];
        assert_eq!(Message::parse(&message.write()), Some(message));
    }

    /// As dnsmasq 2.90 answers: owners are pointers, names inside records are not.
    #[test]
    fn an_answer_is_as_long_as_the_real_one() {
        let mut message = Message::query(7, "alias.lab", kind::A).reply();
        message.answers = vec![
            record("alias.lab", kind::CNAME, Data::Name("two.lab".to_owned())),
            record("two.lab", kind::A, Data::A(Ipv4Addr::new(10, 9, 0, 6))),
        ];
        assert_eq!(message.write().len(), 64);
    }

    #[test]
    fn pointers_end() {
        let mut bytes = Message::query(7, "a", kind::A).write();
        bytes[12..15].copy_from_slice(&[0xc0, 12, 0]);
        assert_eq!(Message::parse(&bytes), None);
        assert_eq!(Message::parse(&[]), None);
    }

    #[test]
    fn names_keep_what_cannot_be_printed() {
        assert!(is_name("a.b."));
        assert!(is_name(""));
        assert!(!is_name("a..b"));
        assert!(!is_name(&"x".repeat(64)));
        let message = Message::query(1, "a\\.b\\000c.d", kind::A);
        assert_eq!(Message::parse(&message.write()), Some(message));
    }

    #[test]
    fn addresses_are_asked_for_backwards() {
        assert_eq!(reverse_name([10, 9, 0, 5].into()), "5.0.9.10.in-addr.arpa");
        let name = reverse_name("2001:db8::1".parse::<Ipv6Addr>().expect("an address").into());
        assert!(name.starts_with("1.0.0.0.") && name.ends_with("8.b.d.0.1.0.0.2.ip6.arpa"), "{name}");
    }
}
