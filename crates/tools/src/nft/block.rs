//! `table NAME { … }`: everything that a table has, in one command.

use super::Session;
use super::change::{Named, Where, base_of, policy_of};
use super::fail::{Fail, Place};
use super::parser::Parser;
use super::{set, statement};

impl Session<'_> {
    /// The inside of `table NAME { … }`.
    pub(super) fn table_block(&mut self, parser: &mut Parser<'_>, named: &Named) -> Result<(), Fail> {
        // What is asked of the kernel comes in this order, whatever stands first: chains, objects, sets, rules. So handles
        // are given, and rules may name what follows them.
        let (mut objects, mut sets) = (Vec::new(), Vec::new());
        let mut rules: Vec<(String, usize)> = Vec::new();
        let end = loop {
            parser.skip_ends();
            if parser.take_sign("}") {
                break parser.at();
            }
            let place = parser.place();
            match parser.word()? {
                "chain" => {
                    let place = parser.place();
                    let chain = parser.text()?;
                    let at = parser.at();
                    self.add_chain_block(parser, named, &chain, place)?;
                    parser.separator(1, "")?;
                    rules.push((chain, at));
                }
                word @ ("set" | "map") => {
                    let name = parser.text()?;
                    sets.push((set::definition(parser, &name, word == "map", 2, self.now_ns)?, place));
                    parser.separator(1, "")?;
                }
                kind @ ("counter" | "quota" | "limit") => {
                    objects.push((parser.at(), kind.to_owned()));
                    skip_block(parser)?;
                    parser.separator(1, "")?;
                }
                other @ ("ct" | "flowtable" | "synproxy" | "secmark") => {
                    return Err(Fail::at(format!("hairpin has no {other} objects"), place));
                }
                "comment" => {
                    let comment = parser.text()?;
                    parser.separator(1, "")?;
                    self.table_of(named, "")?.comment = Some(comment);
                }
                "flags" => {
                    let dormant = parser.word()? == "dormant";
                    parser.separator(1, "")?;
                    self.table_of(named, "")?.dormant = dormant;
                }
                _ => return Err(Fail::at("syntax error, unexpected string", place)),
            }
        };
        for (at, kind) in objects {
            parser.back_to(at);
            let name = parser.text()?;
            match kind.as_str() {
                "counter" => self.add_counter(parser, named, &name)?,
                kind => self.add_object(parser, named, &name, kind)?,
            }
        }
        for (found, place) in sets {
            self.put_set(named, found, place, false)?;
        }
        for (chain, at) in rules {
            parser.back_to(at);
            parser.sign("{")?;
            loop {
                parser.skip_ends();
                if parser.take_sign("}") {
                    break;
                }
                match parser.peek_word() {
                    Some("type" | "policy") => skip_clause(parser),
                    Some("comment") => skip_clause(parser),
                    _ => {
                        let from = parser.at();
                        let (statements, comment) = statement::rule(parser)?;
                        self.put_rule(parser, named, &chain, from, statements, comment, Where::End)?;
                    }
                }
                if !parser.is_end() {
                    return Err(parser.unexpected());
                }
            }
        }
        parser.back_to(end);
        Ok(())
    }

    /// A chain of a table's block: its base, and its rules for later.
    fn add_chain_block(
        &mut self,
        parser: &mut Parser<'_>,
        named: &Named,
        chain: &str,
        place: Place,
    ) -> Result<(), Fail> {
        let (mut base, mut policy, mut comment) = (None, None, None);
        parser.sign("{")?;
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
                // A rule, which has its turn when everything is there.
                _ => skip_block(parser)?,
            }
            parser.separator(2, "")?;
        }
        self.put_chain(named, chain, place, base, policy, comment, false)
    }
}

fn skip_clause(parser: &mut Parser<'_>) {
    while !parser.is_end() {
        parser.next();
    }
}

/// Goes on behind a statement, and behind the braces in it.
fn skip_block(parser: &mut Parser<'_>) -> Result<(), Fail> {
    let mut depth = 0u32;
    loop {
        if parser.take_sign("{") {
            depth += 1;
        } else if parser.is_sign("}") && depth > 0 {
            parser.next();
            depth -= 1;
        } else if parser.peek().is_none() {
            return Err(parser.unexpected());
        } else if parser.is_end() && depth == 0 {
            return Ok(());
        } else {
            parser.next();
        }
    }
}
