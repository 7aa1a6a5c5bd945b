//! Options of kinds that are written as bytes: those for which the typed form lacks attributes.

use hairpin_netlink::route::link::InfoData;

/// Attributes as they go into `IFLA_INFO_DATA`.
#[derive(Debug, Default)]
pub(super) struct Raw(Vec<u8>);

impl Raw {
    pub fn bytes(&mut self, kind: u16, value: &[u8]) {
        let len = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
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

    pub fn into_data(self) -> InfoData {
        InfoData::Other(self.0)
    }
}
