//! Options of kinds that are read and written as bytes: those for which the typed form lacks attributes.

use std::net::{Ipv4Addr, Ipv6Addr};

use hairpin_netlink::codec;
use hairpin_netlink::core::Emitable;
use hairpin_netlink::route::link::InfoData;

/// Bytes in front of an attribute's value.
const HEADER_LEN: usize = 4;

/// Attributes of `IFLA_INFO_DATA`, in the order in which they come.
#[derive(Debug, Default)]
pub(super) struct Raw(Vec<u8>);

impl Raw {
    /// What a link says of its kind.
    pub fn of(data: &InfoData) -> Raw {
        let mut bytes = vec![0; data.buffer_len()];
        data.emit(&mut bytes);
        bytes.drain(..HEADER_LEN.min(bytes.len()));
        Raw(bytes)
    }

    pub fn bytes(&mut self, kind: u16, value: &[u8]) {
        let len = u16::try_from(HEADER_LEN + value.len()).unwrap_or(u16::MAX);
        self.0.extend(len.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    pub fn u8(&mut self, kind: u16, value: u8) {
        self.bytes(kind, &[value]);
    }

    pub fn u32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    pub fn be16(&mut self, kind: u16, value: u16) {
        self.bytes(kind, &value.to_be_bytes());
    }

    pub fn be32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    /// The bytes, if there are any.
    pub fn filled(&self) -> Option<&[u8]> {
        Some(self.0.as_slice()).filter(|bytes| !bytes.is_empty())
    }

    pub fn into_data(self) -> InfoData {
        InfoData::Other(self.0)
    }

    pub fn get(&self, kind: u16) -> Option<&[u8]> {
        codec::attributes(&self.0).find(|(known, _)| *known == kind).map(|(_, value)| value)
    }

    pub fn get_u8(&self, kind: u16) -> Option<u8> {
        self.get(kind)?.first().copied()
    }

    pub fn get_u32(&self, kind: u16) -> Option<u32> {
        self.get(kind)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
    }

    pub fn get_be16(&self, kind: u16) -> Option<u16> {
        self.get(kind)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
    }

    pub fn get_be32(&self, kind: u16) -> Option<u32> {
        self.get(kind)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
    }

    pub fn get_ipv6(&self, kind: u16) -> Option<Ipv6Addr> {
        self.get(kind)?.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets))
    }

    pub fn get_ipv4(&self, kind: u16) -> Option<Ipv4Addr> {
        self.get_be32(kind).map(Ipv4Addr::from)
    }
}
