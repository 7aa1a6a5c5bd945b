//! Commands that change the ruleset.

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::nft::{
    Base, Chain, ChainKind, Element, Expr, Family, NatAddress, Right, Rule, Ruleset, Set, SetRef, Statement,
    Table,
};
use hairpin_netlink::netfilter::{Hook, Policy};

use super::fail::{Fail, Place};
use super::parser::Parser;
use super::show::{Printer, priority_named};
use super::{Session, meant, set, statement};

/// A table that a command names, and where.
pub(super) struct Named {
    pub family: Family,
    pub name: String,
    pub place: Place,
}

pub(super) const MISSING: &str = "No such file or directory";

impl Session<'_> {
    pub(super) fn change(&mut self, parser: &mut Parser<'_>, verb: &str) -> Result<(), Fail> {
        parser.next();
        match verb {
            "add" | "create" => self.add(parser, verb == "create"),
            "insert" => {
                parser.take_word("rule");
                self.rule(parser, "insert")
            }
            "replace" => {
                parser.take_word("rule");
                self.rule(parser, "replace")
            }
            "delete" => self.delete(parser),
            "flush" => self.flush(parser),
            "rename" => self.rename(parser),
            _ => self.get(parser),
        }
    }

    /// `[FAMILY] TABLE`
    pub(super) fn table_name(&mut self, parser: &mut Parser<'_>) -> Result<(Family, String, Place), Fail> {
        let family = match parser.peek_word() {
            Some("ip") => Some(Family::Ip),
            Some("ip6") => Some(Family::Ip6),
            Some("inet") => Some(Family::Inet),
            Some(other @ ("bridge" | "arp" | "netdev")) => {
                let text = format!("hairpin has no tables of family {other}");
                return Err(Fail::at(text, parser.place()));
            }
            _ => None,
        };
        if family.is_some() {
            parser.next();
        }
        if parser.is_end() {
            let place = parser.place();
            return Err(Fail::at("syntax error, unexpected newline, expecting string", place));
        }
        let place = parser.place();
        let name = parser.name()?;
        let family = family.unwrap_or(Family::Ip);
        parser.family = family;
        Ok((family, name, place))
    }

    pub(super) fn named(&mut self, parser: &mut Parser<'_>) -> Result<Named, Fail> {
        let (family, name, place) = self.table_name(parser)?;
        Ok(Named { family, name, place })
    }

    /// The table that a command is about; it fails with this text in front where there is none.
    pub(super) fn table_of(&mut self, named: &Named, text: &str) -> Result<&mut Table, Fail> {
        if self.ruleset.table(named.family, named.name.as_str()).is_none() {
            let meant =
                if text.is_empty() { meant::table(&self.ruleset, &named.name, None) } else { String::new() };
            return Err(Fail::at(format!("{text}{MISSING}{meant}"), named.place));
        }
        let missing = Fail::at(MISSING, named.place);
        self.ruleset.table_mut(named.family, named.name.as_str()).ok_or(missing)
    }

    pub(super) fn add(&mut self, parser: &mut Parser<'_>, create: bool) -> Result<(), Fail> {
        self.changed = true;
        if parser.is_end() {
            let place = parser.place();
            return Err(Fail::at("syntax error, unexpected newline, expecting string", place));
        }
        match parser.peek_word() {
            Some("table") => {
                parser.next();
                self.add_table(parser, create)
            }
            Some("chain") => {
                parser.next();
                let named = self.named(parser)?;
                self.table_of(&named, "")?;
                let place = parser.place();
                let chain = parser.name()?;
                self.add_chain(parser, &named, &chain, place, create)
            }
            Some("set") => {
                parser.next();
                self.add_set(parser, false, create)
            }
            Some("map") => {
                parser.next();
                self.add_set(parser, true, create)
            }
            Some("element") => {
                parser.next();
                self.add_elements(parser, create)
            }
            Some("counter") => {
                parser.next();
                let named = self.named(parser)?;
                let name = parser.text()?;
                self.add_counter(parser, &named, &name)
            }
            Some("rule") => {
                parser.next();
                self.rule(parser, "add")
            }
            Some(kind @ ("quota" | "limit")) => {
                parser.next();
                let named = self.named(parser)?;
                self.table_of(&named, "")?;
                let name = parser.text()?;
                self.add_object(parser, &named, &name, kind)
            }
            Some(other @ ("ct" | "flowtable" | "synproxy" | "secmark")) => {
                Err(Fail::at(format!("hairpin has no {other} objects"), parser.place()))
            }
            _ => self.rule(parser, "add"),
        }
    }

    fn add_table(&mut self, parser: &mut Parser<'_>, create: bool) -> Result<(), Fail> {
        let named = self.named(parser)?;
        let known = self.ruleset.table(named.family, named.name.as_str()).is_some();
        if known && create {
            return Err(Fail::refused(Errno::EEXIST, named.place));
        }
        if !known {
            self.ruleset.handles += 1;
            self.ruleset.tables.push(Table {
                family: named.family,
                name: named.name.clone(),
                handle: self.ruleset.handles,
                dormant: false,
                comment: None,
                handles: 0,
                counters: Vec::new(),
                objects: Vec::new(),
                sets: Vec::new(),
                chains: Vec::new(),
            });
        }
        if parser.take_sign("{") {
            self.table_block(parser, &named)?;
        }
        Ok(())
    }

    fn add_chain(
        &mut self,
        parser: &mut Parser<'_>,
        named: &Named,
        chain: &str,
        place: Place,
        create: bool,
    ) -> Result<(), Fail> {
        let (mut base, mut policy, mut comment) = (None, None, None);
        if parser.take_sign("{") {
            loop {
                parser.skip_ends();
                if parser.take_sign("}") {
                    break;
                }
                match parser.peek_word() {
                    Some("type") => base = Some(base_of(parser)?),
                    Some("policy") => policy = Some(policy_of(parser)?),
                    Some("comment") => {
                        parser.next();
                        comment = Some(parser.text()?);
                    }
                    _ => return Err(parser.unexpected()),
                }
                parser.separator(1, "")?;
            }
        }
        self.put_chain(named, chain, place, base, policy, comment, create)
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn put_chain(
        &mut self,
        named: &Named,
        chain: &str,
        place: Place,
        base: Option<Base>,
        policy: Option<Policy>,
        comment: Option<String>,
        create: bool,
    ) -> Result<(), Fail> {
        let table = self.table_of(named, "")?;
        if let Some(known) = table.chain_mut(chain) {
            if create {
                return Err(Fail::refused(Errno::EEXIST, place));
            }
            match (&mut known.base, base) {
                (Some(known), Some(wanted))
                    if (known.kind, known.hook, known.priority)
                        != (wanted.kind, wanted.hook, wanted.priority) =>
                {
                    return Err(Fail::refused(Errno::EEXIST, place));
                }
                (Some(known), _) => known.policy = policy.unwrap_or(known.policy),
                (None, Some(_)) => return Err(Fail::refused(Errno::EEXIST, place)),
                (None, None) => {}
            }
            return Ok(());
        }
        let handle = table.next_handle();
        let base = base.map(|base| Base { policy: policy.unwrap_or(base.policy), ..base });
        table.chains.push(Chain { name: chain.to_owned(), handle, base, comment, rules: Vec::new() });
        Ok(())
    }

    fn add_set(&mut self, parser: &mut Parser<'_>, is_map: bool, create: bool) -> Result<(), Fail> {
        let named = self.named(parser)?;
        self.table_of(&named, "")?;
        let place = parser.place();
        let name = parser.text()?;
        let found = set::definition(parser, &name, is_map, 1, self.now_ns)?;
        self.put_set(&named, found, place, create)
    }

    pub(super) fn put_set(
        &mut self,
        named: &Named,
        mut found: Set,
        place: Place,
        create: bool,
    ) -> Result<(), Fail> {
        let now = self.now_ns;
        let table = self.table_of(named, "")?;
        if let Some(known) = table.set_mut(&found.name) {
            if create || known.key != found.key || known.data != found.data {
                return Err(Fail::refused(Errno::EEXIST, place));
            }
            for element in found.elements {
                if !known.elements.iter().any(|old| old.key == element.key && !old.has_expired(now)) {
                    known.insert(element);
                }
            }
            return Ok(());
        }
        found.handle = table.next_handle();
        table.sets.push(found);
        Ok(())
    }

    fn add_elements(&mut self, parser: &mut Parser<'_>, create: bool) -> Result<(), Fail> {
        let now = self.now_ns;
        let named = self.named(parser)?;
        let place = parser.place();
        let name = parser.text()?;
        let missing = self.missing_set(&named, &name, place);
        let table = self.table_of(&named, "")?;
        let set = table.set_mut(&name).ok_or(missing)?;
        let whole = parser.place();
        let elements = set::elements(parser, set, false)?;
        let whole = whole.to(parser.place_before());
        let _ = whole;
        if create {
            let known = |element: &Element| {
                set.elements.iter().any(|old| old.key == element.key && !old.has_expired(now))
            };
            if let Some((_, place)) = elements.iter().find(|(element, _)| known(element)) {
                return Err(Fail::refused(Errno::EEXIST, *place));
            }
        }
        set::insert(set, elements, now)
    }

    /// A set or map that is not there.
    pub(super) fn missing_set(&self, named: &Named, name: &str, place: Place) -> Fail {
        let of = (named.family, named.name.as_str());
        let meant = meant::inside(&self.ruleset, of, ("set", name), meant::sets).unwrap_or_default();
        Fail::at(format!("{MISSING}{meant}"), place)
    }

    /// `add|insert|replace rule [FAMILY] TABLE CHAIN [handle N|position N|index N] …`
    fn rule(&mut self, parser: &mut Parser<'_>, verb: &str) -> Result<(), Fail> {
        self.changed = true;
        let named = self.named(parser)?;
        if parser.is_end() {
            return Err(parser.unexpected());
        }
        let chain_place = parser.place();
        let chain = parser.name()?;
        let mut place = if verb == "insert" { Where::Start } else { Where::End };
        let mut at = Place::default();
        match parser.peek_word() {
            Some("handle" | "position") => {
                parser.next();
                at = parser.place();
                let handle = parser.number()?;
                place = match verb {
                    // No rule has the number 0: it is as if none was given.
                    "insert" | "add" if handle == 0 => place,
                    "insert" => Where::Before(handle),
                    "replace" => Where::Over(handle),
                    _ => Where::Behind(handle),
                };
            }
            Some("index") => {
                parser.next();
                at = parser.place();
                let index = parser.number()? as usize;
                place = if verb == "insert" { Where::BeforeIndex(index) } else { Where::BehindIndex(index) };
            }
            _ if verb == "replace" => {
                let place = parser.place();
                return Err(Fail::at("syntax error, unexpected newline, expecting handle", place));
            }
            _ => {}
        }
        let from = parser.at();
        let (statements, comment) = statement::rule(parser)?;
        let meant = meant::inside(
            &self.ruleset,
            (named.family, named.name.as_str()),
            ("chain", chain.as_str()),
            meant::chains,
        );
        let mut missing = Fail::refused(Errno::ENOENT, chain_place);
        if let Some(meant) = meant {
            missing.text = format!("{MISSING}{meant}");
            if self.ruleset.table(named.family, named.name.as_str()).is_none() {
                return Err(Fail { place: Some(named.place), ..missing });
            }
        }
        let table = self.table_of(&named, "Could not process rule: ")?;
        let known = table.chain(&chain).ok_or(missing)?;
        let handle = match place {
            Where::Before(handle) | Where::Over(handle) | Where::Behind(handle) => Some(handle),
            _ => None,
        };
        if handle.is_some_and(|handle| !known.rules.iter().any(|rule| rule.handle == handle)) {
            return Err(Fail::refused(Errno::ENOENT, at));
        }
        if let Where::BeforeIndex(index) | Where::BehindIndex(index) = place
            && index >= known.rules.len()
        {
            return Err(Fail::at("index out of range", at));
        }
        self.put_rule(parser, &named, &chain, from, statements, comment, place)
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn put_rule(
        &mut self,
        parser: &mut Parser<'_>,
        named: &Named,
        chain: &str,
        from: usize,
        statements: Vec<Statement>,
        comment: Option<String>,
        place: Where,
    ) -> Result<(), Fail> {
        let echo = self.options.echo;
        let style = self.options.style;
        let (now_ns, known) = (self.now_ns, parser.known);
        let of_table = self.ruleset.table(named.family, named.name.as_str());
        if let Some(table) = of_table {
            names(parser, &self.ruleset, table, from)?;
        }
        let table = self.table_of(named, "")?;
        // A set that rules fill has a bound.
        for statement in &statements {
            if let Statement::SetElement { set, .. } = statement
                && let Some(set) = table.set_mut(set)
            {
                set.size.get_or_insert(65535);
            }
        }
        // A set of the rule's own takes a number before the rule does.
        let sets = statements.iter().map(own_sets).sum::<usize>();
        let mut handle = 0;
        if !matches!(place, Where::Over(_)) {
            for _ in 0..=sets {
                handle = table.next_handle();
            }
        } else {
            for _ in 0..sets {
                table.next_handle();
            }
        }
        if let Where::Over(old) = place {
            handle = old;
        }
        let rule = Rule { handle, comment, statements };
        if echo {
            let printer = Printer { style, known, now_ns };
            let number = if style.handles { format!(" # handle {handle}") } else { String::new() };
            let text = printer.rule(&rule);
            let line = format!("add rule {} {} {chain} {text}{number}\n", named.family.name(), named.name);
            self.out.push_str(&line);
        }
        let table = self.table_of(named, "")?;
        let Some(chain) = table.chain_mut(chain) else { return Ok(()) };
        let position = |handle: u64| chain.rules.iter().position(|rule| rule.handle == handle);
        let at = match place {
            Where::Start => 0,
            Where::End => chain.rules.len(),
            Where::Before(handle) => position(handle).unwrap_or(0),
            Where::Behind(handle) => position(handle).map_or(chain.rules.len(), |at| at + 1),
            Where::BeforeIndex(index) => index,
            Where::BehindIndex(index) => index + 1,
            Where::Over(handle) => {
                if let Some(at) = position(handle) {
                    chain.rules[at] = rule;
                }
                return Ok(());
            }
        };
        chain.rules.insert(at.min(chain.rules.len()), rule);
        Ok(())
    }

    /// `get element`
    fn get(&mut self, parser: &mut Parser<'_>) -> Result<(), Fail> {
        let start = self.command;
        if !parser.take_word("element") {
            return Err(parser.unexpected());
        }
        let named = self.named(parser)?;
        let place = parser.place();
        let name = parser.text()?;
        let now = self.now_ns;
        let (style, known) = (self.options.style, parser.known);
        let table = self.table_of(&named, "")?;
        let set = table.set(&name).ok_or(Fail::at(MISSING, place))?;
        let wanted = set::elements(parser, set, true)?;
        let mut shown = set.clone();
        shown.elements.clear();
        for (element, _) in wanted {
            let key: Vec<u128> = element.key.iter().map(|span| span.first).collect();
            let whole = start.to(parser.place_before());
            let at = set.find(&key, now).ok_or(Fail::refused(Errno::ENOENT, whole))?;
            shown.elements.push(set.elements[at].clone());
        }
        let of_table = Table {
            sets: vec![shown],
            chains: Vec::new(),
            counters: Vec::new(),
            objects: Vec::new(),
            ..table.clone()
        };
        let printer = Printer { style, known, now_ns: now };
        let text = printer.table(&of_table, super::show::Part::Set(&name));
        self.out.push_str(&text);
        Ok(())
    }
}

/// Where a rule goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Where {
    Start,
    End,
    Before(u64),
    Behind(u64),
    Over(u64),
    BeforeIndex(usize),
    BehindIndex(usize),
}

/// `type TYPE hook HOOK priority PRIORITY`
pub(super) fn base_of(parser: &mut Parser<'_>) -> Result<Base, Fail> {
    parser.next();
    let kind = match parser.word()? {
        "filter" => ChainKind::Filter,
        "nat" => ChainKind::Nat,
        "route" => ChainKind::Route,
        _ => return Err(Fail::at("unknown chain type", parser.place_before())),
    };
    if !parser.take_word("hook") {
        return Err(parser.unexpected());
    }
    let hook = match parser.word()? {
        "prerouting" => Hook::Prerouting,
        "input" => Hook::Input,
        "forward" => Hook::Forward,
        "output" => Hook::Output,
        "postrouting" => Hook::Postrouting,
        _ => return Err(Fail::at("unknown chain hook", parser.place_before())),
    };
    let start = parser.place();
    if !parser.take_word("priority") {
        return Err(parser.unexpected());
    }
    let word = parser.word()?;
    let named = priority_named(word, hook);
    let bad = Fail::at("invalid priority expression value in this context.", start.to(parser.place_before()));
    let mut priority = named.or_else(|| word.parse().ok()).ok_or(bad)?;
    if let Some(sign @ ("+" | "-")) = parser.peek_word() {
        parser.next();
        let more = parser.number()? as i32;
        priority = if sign == "+" { priority.saturating_add(more) } else { priority.saturating_sub(more) };
    } else if named.is_some()
        && let Some(more) = parser.peek_word().and_then(|word| word.parse::<i32>().ok())
    {
        parser.next();
        priority = priority.saturating_add(more);
    }
    Ok(Base { kind, hook, priority, policy: Policy::Accept })
}

pub(super) fn policy_of(parser: &mut Parser<'_>) -> Result<Policy, Fail> {
    parser.next();
    let policy = match parser.peek_word() {
        Some("accept") => Policy::Accept,
        Some("drop") => Policy::Drop,
        _ => {
            let fail = parser.unexpected();
            let text = format!("{}, expecting accept or drop or '$'", fail.text);
            return Err(Fail { text, ..fail });
        }
    };
    parser.next();
    Ok(policy)
}

/// Goes over `type …`, `policy …` or `comment …` of a chain.
/// How many sets a statement has of its own.
fn own_sets(statement: &Statement) -> usize {
    let reference = |found: &SetRef| usize::from(matches!(found, SetRef::Anonymous(_)));
    let expr = |found: &Expr| match found {
        Expr::Map { map, .. } => reference(map),
        _ => 0,
    };
    match statement {
        Statement::Match { right: Right::Set(found), .. } => reference(found),
        Statement::VerdictMap { map, .. } => reference(map),
        Statement::SetMeta(_, found) | Statement::SetCtMark(found) | Statement::SetPayload(_, found) => {
            expr(found)
        }
        Statement::Nat(nat) => match &nat.address {
            Some(NatAddress::Of(found)) => expr(found),
            _ => 0,
        },
        _ => 0,
    }
}

/// Whether what a rule names is there, with a mark under what is not. The rule's first token is `from`.
fn names(parser: &mut Parser<'_>, ruleset: &Ruleset, table: &Table, from: usize) -> Result<(), Fail> {
    let end = parser.at();
    parser.back_to(from);
    let mut missing = None;
    while parser.at() < end && missing.is_none() {
        let place = parser.place();
        let word = parser.peek_word().map(str::to_owned);
        parser.next();
        match word.as_deref() {
            Some("jump" | "goto") => {
                let place = parser.place();
                if let Some(name) = parser.peek_word()
                    && table.chain(name).is_none()
                {
                    missing = Some(Fail::refused(Errno::ENOENT, place));
                }
            }
            Some(kind @ ("quota" | "limit")) if parser.take_word("name") => {
                let place = parser.place();
                let known = parser.text().is_ok_and(|name| {
                    table.objects.iter().any(|object| object.name == name && object.kind.name() == kind)
                });
                if !known {
                    missing = Some(Fail::refused(Errno::ENOENT, place));
                }
            }
            Some(word) if word.starts_with('@') => {
                let name = word.get(1..).unwrap_or("");
                if table.set(name).is_none() {
                    let of = (table.family, table.name.as_str());
                    let meant = meant::inside(ruleset, of, ("set", name), meant::sets).unwrap_or_default();
                    missing = Some(Fail::at(format!("{MISSING}{meant}"), place));
                }
            }
            _ => {}
        }
    }
    parser.back_to(end);
    missing.map_or(Ok(()), Err)
}
