//! rtnetlink messages to bytes and back, with the parts that the typed crate leaves raw: extended
//! acknowledgements (`NLMSGERR_ATTR_*`) and `RTM_*LINKPROP`.

use netlink_packet_core::{NetlinkDeserializable, NetlinkHeader, NetlinkSerializable, Parseable};
use netlink_packet_route::{RouteNetlinkMessage, link::LinkMessage};

use crate::{Errno, System};

/// Size of `struct nlmsghdr`.
pub const HEADER_LEN: usize = 16;

pub const NLM_F_REQUEST: u16 = 0x1;
pub const NLM_F_MULTI: u16 = 0x2;
pub const NLM_F_ACK: u16 = 0x4;
pub const NLM_F_ECHO: u16 = 0x8;
pub const NLM_F_DUMP: u16 = 0x300;
pub const NLM_F_REPLACE: u16 = 0x100;
pub const NLM_F_EXCL: u16 = 0x200;
pub const NLM_F_CREATE: u16 = 0x400;
pub const NLM_F_APPEND: u16 = 0x800;
/// In an error: the request is not repeated whole.
pub const NLM_F_CAPPED: u16 = 0x100;
/// In an error: extended-ack attributes follow.
pub const NLM_F_ACK_TLVS: u16 = 0x200;
/// In a dump's end: it was filtered in the kernel.
pub const NLM_F_DUMP_FILTERED: u16 = 0x20;

pub const NLMSG_NOOP: u16 = 1;
pub const NLMSG_ERROR: u16 = 2;
pub const NLMSG_DONE: u16 = 3;

const RTM_NEWLINK: u16 = 16;
const RTM_NEWLINKPROP: u16 = 108;
const RTM_DELLINKPROP: u16 = 109;
/// Size of `struct ifinfomsg`.
const IFINFOMSG_LEN: usize = 16;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;
const NLMSGERR_ATTR_MSG: u16 = 1;
const NLMSGERR_ATTR_OFFS: u16 = 2;

/// `struct nlmsghdr` without its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: u16,
    pub flags: u16,
    pub sequence: u32,
    pub port: u32,
}

/// Why a request failed: what the kernel put into `NLMSG_ERROR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub errno: Errno,
    /// Extended-ack text, which iproute2 prints as `Error: TEXT.`
    pub text: Option<String>,
    /// Extended-ack offset of the offending attribute from the start of the message.
    pub offset: Option<u32>,
}

impl Failure {
    /// An errno with an extended-ack text (without the final full stop that iproute2 adds).
    pub fn with_text(errno: Errno, text: impl Into<String>) -> Self {
        Failure { errno, text: Some(text.into()), offset: None }
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Failure { errno, text: None, offset: None }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.text {
            Some(text) => write!(f, "{text} ({})", self.errno),
            None => write!(f, "{}", self.errno),
        }
    }
}

impl std::error::Error for Failure {}

/// The bytes of one message. `flags` get no bit added.
pub fn encode(message: &RouteNetlinkMessage, flags: u16, sequence: u32, port: u32) -> Vec<u8> {
    let length = HEADER_LEN + message.buffer_len();
    let mut bytes = vec![0; align(length)];
    put_header(&mut bytes, length, Header { kind: message.message_type(), flags, sequence, port });
    message.serialize(&mut bytes[HEADER_LEN..length]);
    bytes
}

/// The bytes of a message without a typed form.
pub fn encode_raw(header: Header, payload: &[u8]) -> Vec<u8> {
    let length = HEADER_LEN + payload.len();
    let mut bytes = vec![0; align(length)];
    put_header(&mut bytes, length, header);
    bytes[HEADER_LEN..length].copy_from_slice(payload);
    bytes
}

/// One decoded message of a buffer.
#[derive(Clone, Debug)]
pub struct Decoded<'a> {
    pub header: Header,
    /// What follows the header.
    pub payload: &'a [u8],
}

impl Decoded<'_> {
    /// The typed message.
    ///
    /// # Errors
    /// `EINVAL` for a payload that does not parse, `EOPNOTSUPP` for a type without a typed form.
    pub fn message(&self) -> Result<RouteNetlinkMessage, Errno> {
        match self.header.kind {
            RTM_NEWLINKPROP | RTM_DELLINKPROP => {
                let link = LinkMessage::parse(self.payload).map_err(|_| Errno::EINVAL)?;
                Ok(if self.header.kind == RTM_NEWLINKPROP {
                    RouteNetlinkMessage::NewLinkProp(link)
                } else {
                    RouteNetlinkMessage::DelLinkProp(link)
                })
            }
            kind => {
                let mut header = NetlinkHeader::default();
                header.message_type = kind;
                let with_port_kind = if kind == RTM_NEWLINK { with_port_kind(self.payload) } else { None };
                let payload = with_port_kind.as_deref().unwrap_or(self.payload);
                RouteNetlinkMessage::deserialize(&header, payload).map_err(|error| {
                    if error.to_string().contains("Unknown message type") {
                        Errno::EOPNOTSUPP
                    } else {
                        Errno::EINVAL
                    }
                })
            }
        }
    }

    /// For `NLMSG_ERROR` and `NLMSG_DONE`: the result they carry.
    pub fn outcome(&self) -> Option<Result<(), Failure>> {
        if self.header.kind != NLMSG_ERROR && self.header.kind != NLMSG_DONE {
            return None;
        }
        let code = self.payload.first_chunk::<4>().map_or(0, |code| i32::from_ne_bytes(*code));
        if code == 0 {
            return Some(Ok(()));
        }
        let mut failure = Failure::from(Errno(code.wrapping_neg()));
        failure.text = self.text();
        if self.header.flags & NLM_F_ACK_TLVS != 0 {
            let offset = attributes(self.ext_ack()).find(|(kind, _)| *kind == NLMSGERR_ATTR_OFFS);
            failure.offset =
                offset.and_then(|(_, value)| value.first_chunk::<4>().map(|o| u32::from_ne_bytes(*o)));
        }
        Some(Err(failure))
    }

    /// The extended-ack text of an acknowledgement: of an error its reason, of a success a warning.
    pub fn text(&self) -> Option<String> {
        if self.header.flags & NLM_F_ACK_TLVS == 0 {
            return None;
        }
        attributes(self.ext_ack())
            .find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG)
            .map(|(_, value)| String::from_utf8_lossy(value.strip_suffix(&[0]).unwrap_or(value)).into_owned())
    }

    /// The extended-ack attributes of an error: behind the code and (unless capped) the whole request.
    fn ext_ack(&self) -> &[u8] {
        let mut start = 4;
        if self.header.kind == NLMSG_ERROR {
            let quoted = self.payload.get(4..8).and_then(|l| l.first_chunk::<4>());
            let quoted = quoted.map_or(HEADER_LEN, |l| u32::from_ne_bytes(*l) as usize);
            let capped = self.header.flags & NLM_F_CAPPED != 0;
            start += if capped { HEADER_LEN } else { align(quoted.max(HEADER_LEN)) };
        }
        self.payload.get(start..).unwrap_or(&[])
    }
}

/// `NLA_F_NESTED`: the attribute's value is attributes.
pub const NLA_F_NESTED: u16 = 0x8000;

/// Splits a buffer into messages; stops at the first header whose length does not fit.
pub fn messages(bytes: &[u8]) -> impl Iterator<Item = Decoded<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(*rest.first_chunk::<4>()?) as usize;
        if length < HEADER_LEN || length > rest.len() {
            return None;
        }
        let u16_at = |at: usize| u16::from_ne_bytes([rest[at], rest[at + 1]]);
        let u32_at = |at: usize| u32::from_ne_bytes([rest[at], rest[at + 1], rest[at + 2], rest[at + 3]]);
        let header = Header { kind: u16_at(4), flags: u16_at(6), sequence: u32_at(8), port: u32_at(12) };
        let payload = &rest[HEADER_LEN..length];
        rest = rest.get(align(length)..).unwrap_or(&[]);
        Some(Decoded { header, payload })
    })
}

/// Walks attributes (`struct nlattr`): type without the nested and byte-order bits, and value.
pub fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let head = rest.first_chunk::<4>()?;
        let length = u16::from_ne_bytes([head[0], head[1]]) as usize;
        let kind = u16::from_ne_bytes([head[2], head[3]]) & 0x3fff;
        let value = rest.get(4..length)?;
        rest = rest.get(align(length)..).unwrap_or(&[]);
        Some((kind, value))
    })
}

/// What `ip link set DEV type bridge_slave ...` sends names the port's kind in `IFLA_INFO_KIND`, which the
/// typed crate does not take for one: this adds the `IFLA_INFO_SLAVE_KIND` it needs. `None` where nothing is
/// to be added.
fn with_port_kind(payload: &[u8]) -> Option<Vec<u8>> {
    let info = attributes(payload.get(IFINFOMSG_LEN..)?).find(|(kind, _)| *kind == IFLA_LINKINFO)?.1;
    let find = |wanted| attributes(info).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    if find(IFLA_INFO_SLAVE_DATA).is_none() || find(IFLA_INFO_SLAVE_KIND).is_some() {
        return None;
    }
    let name = find(IFLA_INFO_KIND)?;
    let port_kind = name.strip_suffix(&[0]).unwrap_or(name).strip_suffix(b"_slave")?;
    let mut changed = payload.get(..IFINFOMSG_LEN)?.to_vec();
    for (kind, value) in attributes(payload.get(IFINFOMSG_LEN..)?) {
        if kind != IFLA_LINKINFO {
            put_attribute(&mut changed, kind, value);
            continue;
        }
        let mut info = Vec::new();
        for (kind, value) in attributes(value) {
            if kind == IFLA_INFO_SLAVE_DATA {
                put_attribute(&mut info, IFLA_INFO_SLAVE_KIND, port_kind);
            }
            put_attribute(&mut info, kind, value);
        }
        put_attribute(&mut changed, IFLA_LINKINFO, &info);
    }
    Some(changed)
}

/// Collects the answer to one request, as a kernel's netlink server writes it.
#[derive(Clone, Debug)]
pub struct Answer {
    request: Header,
    bytes: Vec<u8>,
}

impl Answer {
    pub fn new(request: Header) -> Self {
        Answer { request, bytes: Vec::new() }
    }

    /// Adds a message of a dump (`NLM_F_MULTI`) or of a single-object answer.
    pub fn push(&mut self, message: &RouteNetlinkMessage, multipart: bool) {
        self.push_flagged(message, if multipart { NLM_F_MULTI } else { 0 });
    }

    /// Adds a message with these header flags.
    pub fn push_flagged(&mut self, message: &RouteNetlinkMessage, flags: u16) {
        self.bytes.extend(encode(message, flags, self.request.sequence, self.request.port));
    }

    /// Adds a message without a typed form.
    pub fn push_raw(&mut self, kind: u16, payload: &[u8], flags: u16) {
        self.bytes.extend(encode_raw(
            Header { kind, flags, sequence: self.request.sequence, port: self.request.port },
            payload,
        ));
    }

    /// Ends a dump.
    pub fn done(mut self) -> Vec<u8> {
        let length = HEADER_LEN + 4;
        let header = Header { kind: NLMSG_DONE, flags: NLM_F_MULTI, ..self.request };
        let start = self.bytes.len();
        self.bytes.resize(start + length, 0);
        put_header(&mut self.bytes[start..], length, header);
        self.bytes
    }

    /// Ends a dump that failed: the kernel's dump functions answer with `NLMSG_DONE` and the error in it
    /// (`netlink_dump_done`).
    pub fn broken_off(mut self, failure: Failure) -> Vec<u8> {
        let mut body = failure.errno.0.wrapping_neg().to_ne_bytes().to_vec();
        let mut flags = NLM_F_MULTI;
        if failure.text.is_some() || failure.offset.is_some() {
            flags |= NLM_F_ACK_TLVS;
            put_ext_ack(&mut body, failure);
        }
        let header = Header { kind: NLMSG_DONE, flags, ..self.request };
        let start = self.bytes.len();
        self.bytes.resize(start + HEADER_LEN, 0);
        put_header(&mut self.bytes[start..], HEADER_LEN + body.len(), header);
        self.bytes.extend(body);
        self.bytes
    }

    /// Ends a request: an acknowledgement where one was asked for, an error always.
    pub fn end(mut self, outcome: Result<(), Failure>) -> Vec<u8> {
        let failure = match outcome {
            Ok(()) if self.request.flags & NLM_F_ACK == 0 => return self.bytes,
            Ok(()) => Failure::from(Errno(0)),
            Err(failure) => failure,
        };
        let mut body = failure.errno.0.wrapping_neg().to_ne_bytes().to_vec();
        body.extend((HEADER_LEN as u32).to_ne_bytes());
        body.extend(self.request.kind.to_ne_bytes());
        body.extend(self.request.flags.to_ne_bytes());
        body.extend(self.request.sequence.to_ne_bytes());
        body.extend(self.request.port.to_ne_bytes());
        let mut flags = NLM_F_CAPPED;
        if failure.text.is_some() || failure.offset.is_some() {
            flags |= NLM_F_ACK_TLVS;
            put_ext_ack(&mut body, failure);
        }
        let length = HEADER_LEN + body.len();
        let start = self.bytes.len();
        self.bytes.resize(start + HEADER_LEN, 0);
        put_header(&mut self.bytes[start..], length, Header { kind: NLMSG_ERROR, flags, ..self.request });
        self.bytes.extend(body);
        self.bytes
    }
}

/// The attributes that explain a failure.
fn put_ext_ack(body: &mut Vec<u8>, failure: Failure) {
    if let Some(text) = failure.text {
        let mut value = text.into_bytes();
        value.push(0);
        put_attribute(body, NLMSGERR_ATTR_MSG, &value);
    }
    if let Some(offset) = failure.offset {
        put_attribute(body, NLMSGERR_ATTR_OFFS, &offset.to_ne_bytes());
    }
}

/// Sends `message` with `NLM_F_REQUEST | flags` and returns the messages of the answer.
///
/// Without `NLM_F_DUMP` an acknowledgement is asked for.
///
/// # Errors
/// What the kernel answered, with its extended acknowledgement.
pub fn transact(
    system: &mut (impl System + ?Sized),
    message: &RouteNetlinkMessage,
    flags: u16,
) -> Result<Vec<RouteNetlinkMessage>, Failure> {
    let ack = if flags & NLM_F_DUMP == NLM_F_DUMP { 0 } else { NLM_F_ACK };
    let answer =
        match system.call(crate::Call::Netlink(encode(message, NLM_F_REQUEST | ack | flags, 1, 0)))? {
            crate::Reply::Bytes(bytes) => bytes,
            _ => return Err(Errno::EPROTO.into()),
        };
    let mut found = Vec::new();
    for decoded in messages(&answer) {
        match decoded.outcome() {
            Some(Ok(())) => {}
            Some(Err(failure)) => return Err(failure),
            // A message that this version cannot type is left out, as iproute2 skips what it does not know.
            None => found.extend(decoded.message().ok()),
        }
    }
    Ok(found)
}

fn align(length: usize) -> usize {
    length.next_multiple_of(4)
}

fn put_header(bytes: &mut [u8], length: usize, header: Header) {
    bytes[0..4].copy_from_slice(&(length as u32).to_ne_bytes());
    bytes[4..6].copy_from_slice(&header.kind.to_ne_bytes());
    bytes[6..8].copy_from_slice(&header.flags.to_ne_bytes());
    bytes[8..12].copy_from_slice(&header.sequence.to_ne_bytes());
    bytes[12..16].copy_from_slice(&header.port.to_ne_bytes());
}

/// Appends an attribute; `kind` with the nested bit where its value is attributes.
pub fn put_attribute(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    bytes.extend(((4 + value.len()) as u16).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(align(bytes.len()), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(flags: u16) -> Header {
        Header { kind: 16, flags, sequence: 7, port: 0 }
    }

    #[test]
    fn an_error_carries_its_text_and_offset() {
        let failure = Failure { offset: Some(40), ..Failure::with_text(Errno::EINVAL, "Invalid gateway") };
        let bytes = Answer::new(request(NLM_F_ACK)).end(Err(failure.clone()));
        let all: Vec<_> = messages(&bytes).collect();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].outcome(), Some(Err(failure)));
        assert_eq!(all[0].header.sequence, 7);
    }

    #[test]
    fn success_is_acknowledged_only_when_asked_for() {
        assert!(Answer::new(request(0)).end(Ok(())).is_empty());
        let bytes = Answer::new(request(NLM_F_ACK)).end(Ok(()));
        assert_eq!(messages(&bytes).next().and_then(|m| m.outcome()), Some(Ok(())));
    }

    #[test]
    fn link_properties_survive_the_round_trip() {
        let mut link = LinkMessage::default();
        link.header.index = 3;
        let message = RouteNetlinkMessage::NewLinkProp(link);
        let bytes = encode(&message, NLM_F_REQUEST, 1, 0);
        assert_eq!(messages(&bytes).next().map(|m| m.message()), Some(Ok(message)));
    }

    #[test]
    fn a_port_s_options_are_understood_without_its_kind() {
        use netlink_packet_route::link::{
            InfoBridgePort, InfoKind, InfoPortData, InfoPortKind, LinkAttribute, LinkInfo,
        };
        let kind = LinkInfo::Kind(InfoKind::Other("bridge_slave".into()));
        let data = LinkInfo::PortData(InfoPortData::BridgePort(vec![InfoBridgePort::HairpinMode(true)]));
        let link = |info| {
            let mut link = LinkMessage::default();
            link.attributes = vec![LinkAttribute::LinkInfo(info), LinkAttribute::Mtu(1400)];
            RouteNetlinkMessage::NewLink(link)
        };
        let bytes = encode(&link(vec![kind.clone(), data.clone()]), NLM_F_REQUEST, 1, 0);
        let expected = link(vec![kind, LinkInfo::PortKind(InfoPortKind::Bridge), data]);
        assert_eq!(messages(&bytes).next().map(|m| m.message()), Some(Ok(expected)));
    }

    #[test]
    fn broken_lengths_end_the_walk() {
        assert_eq!(messages(&[1, 0, 0, 0]).count(), 0);
        assert_eq!(messages(&[255; 32]).count(), 0);
        assert_eq!(attributes(&[2, 0, 1, 0, 9, 9]).count(), 0);
    }
}
