//! What takes away from a ruleset, and gives chains other names.

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::nft::{
    Data, Expr, Family, NamedObject, NatAddress, Right, Set, SetRef, Statement, Table, Verdict,
};

use super::change::MISSING;
use super::fail::{Fail, Place};
use super::object::is_object_used;
use super::parser::Parser;
use super::{Session, meant, set};

impl Session<'_> {
    pub(super) fn delete(&mut self, parser: &mut Parser<'_>) -> Result<(), Fail> {
        self.changed = true;
        let what = parser.word()?;
        let named = self.named(parser)?;
        let missing = |place: Place| Fail::refused(Errno::ENOENT, place);
        let (family, name) = (named.family, named.name.clone());
        if what == "table" && self.ruleset.table(family, &name).is_none() {
            let meant = meant::table(&self.ruleset, &name, Some(family));
            let text = if meant.is_empty() {
                format!("Could not process rule: {MISSING}")
            } else {
                MISSING.to_owned()
            };
            return Err(Fail::at(text + &meant, named.place));
        }
        let near = |session: &Session<'_>, item: &str, place: Place| {
            match what {
                "chain" => {
                    meant::inside(&session.ruleset, (family, name.as_str()), (what, item), meant::chains)
                }
                "set" | "map" => {
                    meant::inside(&session.ruleset, (family, name.as_str()), ("set", item), meant::sets)
                }
                _ => None,
            }
            .map_or(missing(place), |meant| Fail::at(format!("{MISSING}{meant}"), place))
        };
        self.table_of(&named, "Could not process rule: ")?;
        if what == "table" {
            self.ruleset.tables.retain(|table| (table.family, &table.name) != (family, &name));
            return Ok(());
        }
        let place = parser.place();
        let item = parser.text()?;
        let absent = near(self, &item, place);
        let table = self.table_of(&named, "Could not process rule: ")?;
        match what {
            "chain" => {
                let at = table.chains.iter().position(|chain| chain.name == item).ok_or(absent)?;
                // Its rules go with it (`nf_tables_delchain`).
                if is_used(table, &item) {
                    return Err(Fail::refused(Errno::EBUSY, place));
                }
                table.chains.remove(at);
            }
            "set" | "map" => {
                let at = table.sets.iter().position(|set| set.name == item).ok_or(absent)?;
                if is_set_used(table, &item) {
                    return Err(Fail::refused(Errno::EBUSY, place));
                }
                table.sets.remove(at);
            }
            "counter" => {
                let at = table.counters.iter().position(|c| c.name == item).ok_or(missing(place))?;
                if is_object_used(table, &item, "counter") {
                    return Err(Fail::refused(Errno::EBUSY, place));
                }
                table.counters.remove(at);
            }
            "quota" | "limit" => {
                let is = |object: &NamedObject| object.name == item && object.kind.name() == what;
                let at = table.objects.iter().position(is).ok_or(Fail::at(MISSING, place))?;
                if is_object_used(table, &item, what) {
                    return Err(Fail::refused(Errno::EBUSY, place));
                }
                table.objects.remove(at);
            }
            "rule" => {
                if !parser.take_word("handle") {
                    let place = parser.place();
                    return Err(Fail::at("syntax error, unexpected newline, expecting handle", place));
                }
                let at = parser.place();
                let handle = parser.number()?;
                let chain = table.chain_mut(&item).ok_or(missing(place))?;
                let rule = chain.rules.iter().position(|rule| rule.handle == handle).ok_or(missing(at))?;
                chain.rules.remove(rule);
            }
            "element" => {
                let set = table.set_mut(&item).ok_or(Fail::at(MISSING, place))?;
                for (element, place) in set::elements(parser, set, true)? {
                    let at = set.elements.iter().position(|known| known.key == element.key);
                    let absent = match set.interval {
                        true => Fail::at("element does not exist", place),
                        false => missing(place),
                    };
                    set.elements.remove(at.ok_or(absent)?);
                }
            }
            _ => return Err(Fail::at("syntax error, unexpected string", place)),
        }
        Ok(())
    }

    pub(super) fn flush(&mut self, parser: &mut Parser<'_>) -> Result<(), Fail> {
        self.changed = true;
        let what = parser.word()?;
        if what == "ruleset" {
            let family = match parser.peek_word() {
                Some("ip") => Some(Family::Ip),
                Some("ip6") => Some(Family::Ip6),
                Some("inet") => Some(Family::Inet),
                _ => None,
            };
            if family.is_some() {
                parser.next();
            }
            self.ruleset.tables.retain(|table| family.is_some_and(|family| table.family != family));
            return Ok(());
        }
        let named = self.named(parser)?;
        let table = self.table_of(&named, "Could not process rule: ")?;
        if what == "table" {
            table.chains.iter_mut().for_each(|chain| chain.rules.clear());
            return Ok(());
        }
        let place = parser.place();
        let item = parser.text()?;
        let missing = Fail::refused(Errno::ENOENT, place);
        match what {
            "chain" => table.chain_mut(&item).ok_or(missing)?.rules.clear(),
            "set" | "map" => table.set_mut(&item).ok_or(missing)?.elements.clear(),
            _ => return Err(Fail::at("syntax error, unexpected string", place)),
        }
        Ok(())
    }

    pub(super) fn rename(&mut self, parser: &mut Parser<'_>) -> Result<(), Fail> {
        self.changed = true;
        if !parser.take_word("chain") {
            return Err(parser.unexpected());
        }
        let named = self.named(parser)?;
        let place = parser.place();
        let (from, to) = (parser.text()?, parser.text()?);
        let table = self.table_of(&named, "Could not process rule: ")?;
        if table.chain(&to).is_some() {
            return Err(Fail::refused(Errno::EEXIST, place));
        }
        table.chain_mut(&from).ok_or(Fail::refused(Errno::ENOENT, place))?.name.clone_from(&to);
        // Jumps hold on to the chain, not to its name.
        let follow = |verdict: &mut Verdict| {
            if let Verdict::Jump(name) | Verdict::Goto(name) = verdict
                && *name == from
            {
                name.clone_from(&to);
            }
        };
        let of_set = |set: &mut Set| {
            for element in &mut set.elements {
                if let Some(Data::Verdict(verdict)) = &mut element.data {
                    follow(verdict);
                }
            }
        };
        table.sets.iter_mut().for_each(of_set);
        for statement in table.chains.iter_mut().flat_map(|c| &mut c.rules).flat_map(|r| &mut r.statements) {
            match statement {
                Statement::Verdict(verdict) => follow(verdict),
                Statement::VerdictMap { map: SetRef::Anonymous(set), .. } => of_set(set),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether a rule or map leads to a chain.
fn is_used(table: &Table, chain: &str) -> bool {
    let leads =
        |verdict: &Verdict| matches!(verdict, Verdict::Jump(name) | Verdict::Goto(name) if name == chain);
    let in_set = |set: &Set| {
        set.elements
            .iter()
            .any(|element| matches!(&element.data, Some(Data::Verdict(verdict)) if leads(verdict)))
    };
    table.sets.iter().any(in_set)
        || table.chains.iter().flat_map(|c| &c.rules).flat_map(|r| &r.statements).any(|statement| {
            match statement {
                Statement::Verdict(verdict) => leads(verdict),
                Statement::VerdictMap { map: SetRef::Anonymous(set), .. } => in_set(set),
                _ => false,
            }
        })
}

fn is_set_used(table: &Table, set: &str) -> bool {
    let named = |found: &SetRef| matches!(found, SetRef::Named(name) if name == set);
    let expr = |found: &Expr| matches!(found, Expr::Map { map, .. } if named(map));
    table.chains.iter().flat_map(|c| &c.rules).flat_map(|r| &r.statements).any(|statement| match statement {
        Statement::Match { right: Right::Set(found), .. } => named(found),
        Statement::VerdictMap { map, .. } => named(map),
        Statement::SetElement { set: name, .. } => name == set,
        Statement::SetMeta(_, found) | Statement::SetCtMark(found) | Statement::SetPayload(_, found) => {
            expr(found)
        }
        Statement::Nat(nat) => matches!(&nat.address, Some(NatAddress::Of(found)) if expr(found)),
        _ => false,
    })
}
