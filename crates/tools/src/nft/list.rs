//! `list` and `reset`.

use hairpin_netlink::netfilter::nft::{Family, ObjectKind, Table};

use super::fail::Fail;
use super::parser::Parser;
use super::show::{Part, Printer};
use super::{Session, json};

impl Session<'_> {
    pub(super) fn list(&mut self, parser: &mut Parser<'_>) -> Result<(), Fail> {
        parser.next();
        let place = parser.place();
        let Some(what) = parser.peek_word() else { return Err(parser.unexpected()) };
        parser.next();
        match what {
            "ruleset" | "tables" | "chains" | "sets" | "maps" | "counters" | "quotas" | "limits"
            | "flowtables" | "meters" => {
                let family = family(parser);
                let of_family = |table: &&Table| family.is_none_or(|family| table.family == family);
                let mut tables: Vec<&Table> = self.ruleset.tables.iter().filter(of_family).collect();
                if matches!(what, "counters" | "quotas" | "limits") {
                    tables.retain(|table| !table.counters.is_empty() || !table.objects.is_empty());
                }
                let part = match what {
                    "ruleset" => Part::All,
                    "chains" => Part::Chains,
                    "sets" => Part::Sets,
                    "maps" => Part::Maps,
                    "quotas" => Part::Objects("quota"),
                    "limits" => Part::Objects("limit"),
                    "flowtables" | "meters" => Part::Objects(""),
                    _ => Part::Counters,
                };
                let text = match (self.options.json, what) {
                    (true, "tables") => json::tables(&tables),
                    (true, _) => json::ruleset(&tables, part, parser.known, self.now_ns),
                    (false, "tables") => {
                        let line = |table: &&Table| format!("table {} {}\n", table.family.name(), table.name);
                        tables.iter().map(line).collect()
                    }
                    (false, _) => {
                        let printer = self.printer(parser);
                        tables.iter().map(|table| printer.table(table, part)).collect()
                    }
                };
                self.out.push_str(&text);
            }
            "table" | "chain" | "set" | "map" | "counter" | "quota" | "limit" => {
                let (family, name, place) = self.table_name(parser)?;
                let missing = Fail::at("No such file or directory", place);
                let table = self.ruleset.table(family, &name).ok_or(missing)?;
                let mut item = String::new();
                if what != "table" {
                    let place = parser.place();
                    item = parser.text()?;
                    let there = match what {
                        "chain" => table.chain(&item).is_some(),
                        "set" => table.set(&item).is_some_and(|set| set.data.is_none()),
                        "map" => table.set(&item).is_some_and(|set| set.data.is_some()),
                        kind @ ("quota" | "limit") => {
                            table.objects.iter().any(|found| found.name == item && found.kind.name() == kind)
                        }
                        _ => table.counters.iter().any(|counter| counter.name == item),
                    };
                    if !there {
                        return Err(Fail::at("No such file or directory", place));
                    }
                }
                let part = match what {
                    "table" => Part::All,
                    "chain" => Part::Chain(&item),
                    "counter" => Part::Counter(&item),
                    "quota" => Part::Object("quota", &item),
                    "limit" => Part::Object("limit", &item),
                    _ => Part::Set(&item),
                };
                let text = match self.options.json {
                    true => json::ruleset(&[table], part, parser.known, self.now_ns),
                    false => self.printer(parser).table(table, part),
                };
                self.out.push_str(&text);
            }
            _ => return Err(Fail::at("syntax error, unexpected string", place)),
        }
        Ok(())
    }

    fn printer<'p>(&self, parser: &Parser<'p>) -> Printer<'p> {
        Printer { style: self.options.style, known: parser.known, now_ns: self.now_ns }
    }

    /// `reset counters|quotas`, `reset counter|quota [FAMILY] TABLE NAME`: shown, then zero.
    pub(super) fn reset(&mut self, parser: &mut Parser<'_>) -> Result<(), Fail> {
        parser.next();
        let place = parser.place();
        let what = parser.word()?;
        let mut only: Option<(Family, String, String)> = None;
        match what {
            "counters" | "quotas" => {
                let _ = family(parser);
            }
            "counter" | "quota" => {
                let (family, table, _) = self.table_name(parser)?;
                only = Some((family, table, parser.text()?));
            }
            _ => {
                let text =
                    "syntax error, unexpected string, expecting counter or counters or quotas or quota";
                return Err(Fail::at(text, place));
            }
        }
        let counters = what.starts_with("counter");
        self.changed = true;
        let printer = self.printer(parser);
        for table in &mut self.ruleset.tables {
            let wanted = match &only {
                None if counters => !table.counters.is_empty(),
                None => table.objects.iter().any(|object| object.kind.name() == "quota"),
                Some((family, name, _)) => table.family == *family && table.name == *name,
            };
            if !wanted {
                continue;
            }
            let part = match (&only, counters) {
                (None, true) => Part::Counters,
                (None, false) => Part::Objects("quota"),
                (Some((_, _, name)), true) => Part::Counter(name),
                (Some((_, _, name)), false) => Part::Object("quota", name),
            };
            self.out.push_str(&printer.table(table, part));
            let meant = |name: &str| only.as_ref().is_none_or(|(_, _, only)| name == only);
            if counters {
                for counter in table.counters.iter_mut().filter(|counter| meant(&counter.name)) {
                    (counter.packets, counter.bytes) = (0, 0);
                }
                continue;
            }
            for object in table.objects.iter_mut().filter(|object| meant(&object.name)) {
                if let ObjectKind::Quota { used, .. } = &mut object.kind {
                    *used = 0;
                }
            }
        }
        Ok(())
    }
}

fn family(parser: &mut Parser<'_>) -> Option<Family> {
    let family = match parser.peek_word() {
        Some("ip") => Some(Family::Ip),
        Some("ip6") => Some(Family::Ip6),
        Some("inet") => Some(Family::Inet),
        _ => None,
    };
    if family.is_some() {
        parser.next();
    }
    family
}
