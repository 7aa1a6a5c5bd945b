//! Group records and sources, which IGMPv3 (RFC 3376, 4.1 and 4.2) and MLDv2 (RFC 3810, 5.1 and 5.2) have in common: only
//! the addresses differ in length.

use super::dissect::{Dissected, Dissector, put};

pub(super) const IPV4_LEN: usize = 4;
pub(super) const IPV6_LEN: usize = 16;

/// Bytes of a record in front of the group's address, and of a report in front of its records.
const RECORD_HEAD: usize = 4;
const REPORT_HEAD: usize = 8;

const RECORDS: &[(u32, &str)] =
    &[(1, "is_in"), (2, "is_ex"), (3, "to_in"), (4, "to_ex"), (5, "allow"), (6, "block")];

impl Dissector<'_> {
    /// The records of a report.
    pub(super) fn group_records(&mut self, at: usize, length: usize, address_len: usize) -> Dissected {
        let records = self.u16(at + 6)?;
        put!(self, ", {records} group record(s)");
        if self.options.verbose == 0 {
            return Ok(());
        }
        let version = if address_len == IPV4_LEN { 3 } else { 2 };
        let head = RECORD_HEAD + address_len;
        let mut record = REPORT_HEAD;
        for _ in 0..records {
            if length < record + head {
                self.out.push_str(" [invalid number of groups]");
                return Ok(());
            }
            put!(self, " [gaddr {} ", self.group_address(at + record + RECORD_HEAD, address_len)?);
            let kind = u32::from(self.u8(at + record)?);
            self.token(RECORDS, kind, |number| format!(" [v{version}-report-#{number}]"));
            let sources = usize::from(self.u16(at + record + 2)?);
            if length < record + head + sources * address_len {
                put!(self, " [invalid number of sources {sources}]");
                return Ok(());
            }
            if self.options.verbose == 1 {
                put!(self, ", {sources} source(s)");
            } else {
                self.group_sources(at + record + head, sources, address_len)?;
            }
            record += head + sources * address_len;
            self.out.push(']');
        }
        Ok(())
    }

    /// The end of a query: its sources, which begin `head` bytes into it.
    pub(super) fn queried_sources(
        &mut self,
        at: usize,
        head: usize,
        length: usize,
        address_len: usize,
    ) -> Dissected {
        let sources = usize::from(self.u16(at + head - 2)?);
        if sources > 0 {
            if length < head + sources * address_len {
                self.out.push_str(" [invalid number of sources]");
            } else if self.options.verbose > 1 {
                self.group_sources(at + head, sources, address_len)?;
            } else {
                put!(self, ", {sources} source(s)");
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn group_sources(&mut self, at: usize, count: usize, address_len: usize) -> Dissected {
        self.out.push_str(" {");
        for source in 0..count {
            put!(self, " {}", self.group_address(at + source * address_len, address_len)?);
        }
        self.out.push_str(" }");
        Ok(())
    }

    fn group_address(&self, at: usize, address_len: usize) -> Dissected<String> {
        Ok(match address_len {
            IPV4_LEN => self.ipv4(at)?.to_string(),
            _ => self.ipv6(at)?.to_string(),
        })
    }
}
