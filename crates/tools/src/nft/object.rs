//! Counters, quotas and limits with a name.

use hairpin_netlink::netfilter::nft::{NamedCounter, NamedObject, Statement, Table};

use super::change::Named;
use super::fail::Fail;
use super::parser::Parser;
use super::{Session, statement};

impl Session<'_> {
    pub(super) fn add_counter(
        &mut self,
        parser: &mut Parser<'_>,
        named: &Named,
        name: &str,
    ) -> Result<(), Fail> {
        let (mut packets, mut bytes, mut comment) = (0, 0, None);
        if parser.take_sign("{") {
            parser.skip_ends();
            while !parser.take_sign("}") {
                if parser.take_word("packets") {
                    packets = parser.number()?;
                    if parser.take_word("bytes") {
                        bytes = parser.number()?;
                    }
                } else if parser.take_word("comment") {
                    comment = Some(parser.text()?);
                } else {
                    return Err(parser.unexpected());
                }
                parser.skip_ends();
            }
        }
        let table = self.table_of(named, "")?;
        if !table.counters.iter().any(|known| known.name == name) {
            let handle = table.next_handle();
            table.counters.push(NamedCounter { name: name.to_owned(), handle, packets, bytes, comment });
        }
        Ok(())
    }

    /// `quota NAME { … }`, `limit NAME { … }`, also without braces.
    pub(super) fn add_object(
        &mut self,
        parser: &mut Parser<'_>,
        named: &Named,
        name: &str,
        kind: &str,
    ) -> Result<(), Fail> {
        let braces = parser.take_sign("{");
        let (mut found, mut comment) = (None, None);
        if braces {
            parser.skip_ends();
        }
        loop {
            if parser.take_word("comment") {
                comment = Some(parser.text()?);
            } else if found.is_none() {
                found = Some(statement::object(parser, kind)?);
            } else {
                return Err(parser.unexpected());
            }
            if !braces {
                break;
            }
            parser.skip_ends();
            if parser.take_sign("}") {
                break;
            }
        }
        let kind = found.ok_or_else(|| parser.unexpected())?;
        let table = self.table_of(named, "")?;
        if !table.objects.iter().any(|known| known.name == name && known.kind.name() == kind.name()) {
            let handle = table.next_handle();
            table.objects.push(NamedObject { name: name.to_owned(), handle, comment, kind });
        }
        Ok(())
    }
}

/// Whether a rule names an object of a kind.
pub(super) fn is_object_used(table: &Table, name: &str, kind: &str) -> bool {
    table.chains.iter().flat_map(|c| &c.rules).flat_map(|r| &r.statements).any(|statement| match statement {
        Statement::NamedCounter(known) => kind == "counter" && known == name,
        Statement::NamedQuota(known) => kind == "quota" && known == name,
        Statement::NamedLimit(known) => kind == "limit" && known == name,
        _ => false,
    })
}
