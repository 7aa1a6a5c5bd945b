//! DHCP (RFC 2131, RFC 2132): messages, and the clients `dhclient` and `udhcpc`.

mod client;
pub(crate) mod dhclient;
mod script;
pub(crate) mod udhcpc;

use std::net::Ipv4Addr;

pub(crate) const SERVER_PORT: u16 = 67;
pub(crate) const CLIENT_PORT: u16 = 68;

/// Options.
pub(crate) mod option {
    pub const MASK: u8 = 1;
    pub const TIME_OFFSET: u8 = 2;
    pub const ROUTER: u8 = 3;
    pub const DNS: u8 = 6;
    pub const HOST_NAME: u8 = 12;
    pub const DOMAIN: u8 = 15;
    pub const MTU: u8 = 26;
    pub const BROADCAST: u8 = 28;
    pub const NTP: u8 = 42;
    pub const NETBIOS_SERVER: u8 = 44;
    pub const NETBIOS_SCOPE: u8 = 47;
    pub const REQUESTED: u8 = 50;
    pub const LEASE_TIME: u8 = 51;
    pub const OVERLOAD: u8 = 52;
    pub const KIND: u8 = 53;
    pub const SERVER: u8 = 54;
    pub const PARAMETERS: u8 = 55;
    pub const MESSAGE: u8 = 56;
    pub const MAX_SIZE: u8 = 57;
    pub const RENEWAL: u8 = 58;
    pub const REBINDING: u8 = 59;
    pub const VENDOR: u8 = 60;
    pub const CLIENT: u8 = 61;
    pub const SEARCH: u8 = 119;
    pub const ROUTES: u8 = 121;
}

/// What a message is (option 53).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Discover = 1,
    Offer = 2,
    Request = 3,
    Decline = 4,
    Ack = 5,
    Nak = 6,
    Release = 7,
    Inform = 8,
}

impl Kind {
    fn of(number: u8) -> Option<Kind> {
        use Kind::{Ack, Decline, Discover, Inform, Nak, Offer, Release, Request};
        let kinds = [Discover, Offer, Request, Decline, Ack, Nak, Release, Inform];
        kinds.into_iter().find(|kind| *kind as u8 == number)
    }
}

const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const MAGIC: [u8; 4] = [99, 130, 83, 99];
const HEADER_LEN: usize = 236;
const SERVER_NAME_AT: usize = 44;
const BOOT_FILE_AT: usize = 108;
/// `BOOTP_MIN_LEN`: shorter ones are padded.
const LEN_MIN: usize = 300;
const OPTIONS_MAX: usize = 256;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub is_reply: bool,
    pub xid: u32,
    pub secs: u16,
    pub flags: u16,
    pub client: Ipv4Addr,
    pub yours: Ipv4Addr,
    pub server: Ipv4Addr,
    pub relay: Ipv4Addr,
    pub mac: [u8; 6],
    /// `sname` and `file`, up to the first NUL.
    pub server_name: Vec<u8>,
    pub boot_file: Vec<u8>,
    /// In the order in which they stand.
    pub options: Vec<(u8, Vec<u8>)>,
}

impl Message {
    pub fn request(kind: Kind, xid: u32, mac: [u8; 6]) -> Message {
        let none = Ipv4Addr::UNSPECIFIED;
        Message {
            is_reply: false,
            xid,
            secs: 0,
            flags: 0,
            client: none,
            yours: none,
            server: none,
            relay: none,
            mac,
            server_name: Vec::new(),
            boot_file: Vec::new(),
            options: vec![(option::KIND, vec![kind as u8])],
        }
    }

    /// The answer to this.
    pub fn answer(&self, kind: Kind) -> Message {
        let options = vec![(option::KIND, vec![kind as u8])];
        let none = Ipv4Addr::UNSPECIFIED;
        Message {
            is_reply: true,
            secs: 0,
            client: none,
            yours: none,
            server: none,
            server_name: Vec::new(),
            boot_file: Vec::new(),
            options,
            ..self.clone()
        }
    }

    pub fn kind(&self) -> Option<Kind> {
        Kind::of(*self.option(option::KIND)?.first()?)
    }

    pub fn option(&self, code: u8) -> Option<&[u8]> {
        self.options.iter().find(|(known, _)| *known == code).map(|(_, value)| value.as_slice())
    }

    pub fn push(&mut self, code: u8, value: impl Into<Vec<u8>>) {
        self.options.push((code, value.into()));
    }

    pub fn address(&self, code: u8) -> Option<Ipv4Addr> {
        self.option(code)?.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets))
    }

    pub fn addresses(&self, code: u8) -> Vec<Ipv4Addr> {
        let (chunks, _) = self.option(code).unwrap_or(&[]).as_chunks::<4>();
        chunks.iter().map(|octets| Ipv4Addr::from(*octets)).collect()
    }

    pub fn number(&self, code: u8) -> Option<u32> {
        self.option(code)?.first_chunk::<4>().map(|word| u32::from_be_bytes(*word))
    }

    pub fn text(&self, code: u8) -> Option<String> {
        let text = String::from_utf8_lossy(self.option(code)?);
        let text = text.trim_end_matches('\0');
        // Names go into files and commands: nothing else may.
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._ ".contains(c);
        text.chars().all(fits).then(|| text.to_owned())
    }

    pub fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LEN_MIN);
        bytes.extend([if self.is_reply { REPLY } else { REQUEST }, 1, 6, 0]);
        bytes.extend(self.xid.to_be_bytes());
        bytes.extend(self.secs.to_be_bytes());
        bytes.extend(self.flags.to_be_bytes());
        for address in [self.client, self.yours, self.server, self.relay] {
            bytes.extend(address.octets());
        }
        bytes.extend(self.mac);
        bytes.resize(SERVER_NAME_AT, 0);
        bytes.extend(self.server_name.iter().take(BOOT_FILE_AT - SERVER_NAME_AT));
        bytes.resize(BOOT_FILE_AT, 0);
        bytes.extend(self.boot_file.iter().take(HEADER_LEN - BOOT_FILE_AT));
        bytes.resize(HEADER_LEN, 0);
        bytes.extend(MAGIC);
        for (code, value) in &self.options {
            let value = value.get(..value.len().min(255)).unwrap_or(&[]);
            bytes.extend([*code, value.len() as u8]);
            bytes.extend(value);
        }
        bytes.push(255);
        bytes.resize(bytes.len().max(LEN_MIN), 0);
        bytes
    }

    /// None for what is no DHCP over Ethernet.
    pub fn parse(bytes: &[u8]) -> Option<Message> {
        let (head, rest) = bytes.split_at_checked(HEADER_LEN)?;
        let rest = rest.strip_prefix(&MAGIC)?;
        let &[op, 1, 6, _, ..] = head else { return None };
        let word = |at: usize| head.get(at..)?.first_chunk::<4>().copied();
        let address = |at: usize| word(at).map(Ipv4Addr::from);
        let half = |at: usize| head.get(at..)?.first_chunk::<2>().map(|half| u16::from_be_bytes(*half));
        let mut options: Vec<(u8, Vec<u8>)> = Vec::new();
        let mut rest = rest;
        while let Some((code, behind)) = rest.split_first() {
            rest = match code {
                0 => behind,
                255 => break,
                code => {
                    let (length, behind) = behind.split_first()?;
                    let (value, behind) = behind.split_at_checked((*length).into())?;
                    if options.len() < OPTIONS_MAX {
                        options.push((*code, value.to_vec()));
                    }
                    behind
                }
            };
        }
        Some(Message {
            is_reply: op == REPLY,
            xid: u32::from_be_bytes(word(4)?),
            secs: half(8)?,
            flags: half(10)?,
            client: address(12)?,
            yours: address(16)?,
            server: address(20)?,
            relay: address(24)?,
            mac: *head.get(28..)?.first_chunk::<6>()?,
            server_name: until_nul(head.get(SERVER_NAME_AT..BOOT_FILE_AT)?).to_vec(),
            boot_file: until_nul(head.get(BOOT_FILE_AT..)?).to_vec(),
            options,
        })
    }
}

/// What C takes for a text.
fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or(&[])
}

/// `02:00:00:00:00:01`
pub(crate) fn mac_text(mac: &[u8]) -> String {
    mac.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let mut message = Message::request(Kind::Discover, 7, [2, 0, 0, 0, 0, 1]);
        message.push(option::HOST_NAME, b"x".to_vec());
        message.server_name = b"s".to_vec();
        message.boot_file = b"f".repeat(128);
        let bytes = message.write();
        assert_eq!(bytes.len(), 300);
        assert_eq!(Message::parse(&bytes), Some(message.clone()));
        assert_eq!(message.kind(), Some(Kind::Discover));
        assert_eq!(message.text(option::HOST_NAME).as_deref(), Some("x"));
        message.push(option::DOMAIN, b"a;b".to_vec());
        assert_eq!(message.text(option::DOMAIN), None);
    }

    #[test]
    fn nothing_damaged_is_read() {
        let bytes = Message::request(Kind::Discover, 7, [0; 6]).write();
        assert_eq!(Message::parse(bytes.get(..200).unwrap_or(&[])), None);
        assert_eq!(Message::parse(&[]), None);
    }
}
