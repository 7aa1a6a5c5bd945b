//! `-j`: rulesets as JSON (libnftables-json).

#[macro_use]
mod document;
mod statement;

use hairpin_netlink::netfilter::Policy;
use hairpin_netlink::netfilter::nft::{Data, Element, Limit, ObjectKind, Rule, Set, Span, Table, Type};

use super::show::statement::{amount, per};
use super::show::{Part, hook_name, kind_name};
use super::value::{self, Known};
use document::{Json, document, member, member_of, object};
use statement::verdict;

pub(super) fn tables(tables: &[&Table]) -> String {
    document(tables.iter().map(|table| table_head(table)).collect())
}

fn table_head(table: &Table) -> Json {
    json!({"table": {"family": table.family.name(), "name": &table.name, "handle": table.handle}})
}

pub(super) fn ruleset(tables: &[&Table], part: Part<'_>, known: &Known, now_ns: u64) -> String {
    let mut members = Vec::new();
    let printer = Writer { known, now_ns };
    for table in tables {
        let all = matches!(part, Part::All);
        if all {
            members.push(table_head(table));
        }
        let (family, of) = (table.family.name(), table.name.as_str());
        let mut objects: Vec<(u64, Json)> = Vec::new();
        for counter in &table.counters {
            let wanted = match part {
                Part::All | Part::Counters => true,
                Part::Counter(name) => counter.name == name,
                _ => false,
            };
            if wanted {
                let body = object(vec![
                    ("family", Some(json!(family))),
                    ("name", Some(json!(&counter.name))),
                    ("table", Some(json!(of))),
                    ("handle", Some(json!(counter.handle))),
                    ("comment", counter.comment.as_ref().map(|comment| json!(comment))),
                    ("packets", Some(json!(counter.packets))),
                    ("bytes", Some(json!(counter.bytes))),
                ]);
                objects.push((counter.handle, json!({"counter": body})));
            }
        }
        for found in &table.objects {
            let kind = found.kind.name();
            let wanted = match part {
                Part::All => true,
                Part::Objects(wanted) => wanted == kind,
                Part::Object(wanted, name) => wanted == kind && found.name == name,
                _ => false,
            };
            if wanted {
                let mut body = vec![
                    ("family", Some(json!(family))),
                    ("name", Some(json!(&found.name))),
                    ("table", Some(json!(of))),
                    ("handle", Some(json!(found.handle))),
                    ("comment", found.comment.as_ref().map(|comment| json!(comment))),
                ];
                match &found.kind {
                    ObjectKind::Quota { bytes, over, used } => {
                        body.push(("bytes", Some(json!(*bytes))));
                        body.push(("used", Some(json!(*used))));
                        body.push(("inv", Some(json!(*over))));
                    }
                    ObjectKind::Limit(limit) => body.extend(named_limit(limit)),
                }
                objects.push((found.handle, member_of(kind, object(body))));
            }
        }
        objects.sort_by_key(|(handle, _)| *handle);
        members.extend(objects.into_iter().map(|(_, json)| json));
        for set in &table.sets {
            if part.has_set(set) {
                members.push(printer.set(set, family, of));
            }
        }
        for chain in &table.chains {
            let wanted = match part {
                Part::All | Part::Chains => true,
                Part::Chain(name) => chain.name == name,
                _ => false,
            };
            if !wanted {
                continue;
            }
            let base = chain.base;
            members.push(json!({"chain": object(vec![
                ("family", Some(json!(family))),
                ("table", Some(json!(of))),
                ("name", Some(json!(&chain.name))),
                ("handle", Some(json!(chain.handle))),
                ("comment", chain.comment.as_ref().map(|comment| json!(comment))),
                ("type", base.map(|base| json!(kind_name(base.kind)))),
                ("hook", base.map(|base| json!(hook_name(base.hook)))),
                ("prio", base.map(|base| json!(base.priority))),
                ("policy", base.map(|base| json!(if base.policy == Policy::Drop { "drop" } else { "accept" }))),
            ])}));
        }
        for chain in &table.chains {
            if matches!(part, Part::All) || matches!(part, Part::Chain(name) if chain.name == name) {
                for rule in &chain.rules {
                    members.push(printer.rule(rule, family, of, &chain.name));
                }
            }
        }
    }
    document(members)
}

struct Writer<'a> {
    known: &'a Known,
    now_ns: u64,
}

impl Writer<'_> {
    fn rule(&self, rule: &Rule, family: &str, table: &str, chain: &str) -> Json {
        let statements: Vec<Json> = rule.statements.iter().map(|found| self.statement(found)).collect();
        json!({"rule": object(vec![
            ("family", Some(json!(family))),
            ("table", Some(json!(table))),
            ("chain", Some(json!(chain))),
            ("handle", Some(json!(rule.handle))),
            ("comment", rule.comment.as_ref().map(|comment| json!(comment))),
            ("expr", Some(json!(statements))),
        ])})
    }

    fn set(&self, set: &Set, family: &str, table: &str) -> Json {
        let types = |kinds: &[Type]| match kinds {
            [kind] => json!(value::type_name(*kind)),
            kinds => json!(kinds.iter().map(|kind| value::type_name(*kind)).collect::<Vec<_>>()),
        };
        let flags = [
            (set.constant, "constant"),
            (set.interval, "interval"),
            (set.timeouts, "timeout"),
            (set.dynamic, "dynamic"),
        ];
        let flags: Vec<&str> = flags.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        let alive = set.elements.iter().filter(|element| !element.has_expired(self.now_ns));
        let elements: Vec<Json> = alive.map(|element| self.element(set, element)).collect();
        let body = object(vec![
            ("family", Some(json!(family))),
            ("name", Some(json!(&set.name))),
            ("table", Some(json!(table))),
            ("type", Some(types(&set.key))),
            ("handle", Some(json!(set.handle))),
            ("comment", set.comment.as_ref().map(|comment| json!(comment))),
            ("map", set.data.as_deref().map(types)),
            ("size", set.size.map(|size| json!(size))),
            ("flags", (!flags.is_empty()).then(|| json!(flags))),
            ("timeout", set.timeout_ms.map(|ms| json!(ms / 1000))),
            ("gc-interval", set.gc_interval_ms.map(|ms| json!(ms / 1000))),
            ("auto-merge", set.auto_merge.then(|| json!(true))),
            ("elem", (!elements.is_empty()).then(|| json!(elements))),
        ]);
        if set.data.is_some() { json!({"map": body}) } else { json!({"set": body}) }
    }

    fn element(&self, set: &Set, element: &Element) -> Json {
        let mut key: Vec<Json> =
            element.key.iter().zip(&set.key).map(|(span, kind)| self.span(*span, *kind)).collect();
        let mut value = if key.len() == 1 { key.remove(0) } else { json!({"concat": key}) };
        let more = element.timeout_ms.is_some() || element.comment.is_some() || element.counter.is_some();
        if more {
            value = json!({"elem": object(vec![
                ("val", Some(value)),
                ("timeout", element.timeout_ms.map(|ms| json!(ms / 1000))),
                ("expires", element.expires_ns.map(|at| json!(at.saturating_sub(self.now_ns) / 1_000_000_000))),
                ("comment", element.comment.as_ref().map(|comment| json!(comment))),
                ("counter", element.counter.map(|(p, b)| json!({"packets": p, "bytes": b}))),
            ])});
        }
        match &element.data {
            None => value,
            Some(Data::Verdict(found)) => json!([value, verdict(found)]),
            Some(Data::Values(values)) => {
                let kinds = set.data.as_deref().unwrap_or(&[]);
                let mut data: Vec<Json> =
                    values.iter().zip(kinds).map(|(span, kind)| self.span(*span, *kind)).collect();
                let data = if data.len() == 1 { data.remove(0) } else { json!({"concat": data}) };
                json!([value, data])
            }
        }
    }

    fn span(&self, span: Span, kind: Type) -> Json {
        if span.is_one() {
            return self.value(kind, span.first);
        }
        let prefix = value::bits(kind).filter(|_| matches!(kind, Type::Ipv4 | Type::Ipv6));
        match prefix.and_then(|bits| value::prefix_of(span, bits)) {
            Some(prefix) => json!({"prefix": {"addr": self.value(kind, span.first), "len": prefix}}),
            None => json!({"range": [self.value(kind, span.first), self.value(kind, span.last)]}),
        }
    }

    /// A datum: a number, where it has no name.
    fn value(&self, kind: Type, value: u128) -> Json {
        match kind {
            Type::Mark | Type::Integer | Type::Service | Type::Boolean => json!(value as u64),
            Type::Time => json!((value / 1000) as u64),
            kind if kind.is_flags() => {
                let names = value::flag_names(kind, value);
                if let [name] = names.as_slice() { json!(name) } else { json!(names) }
            }
            kind => {
                let text = value::show(kind, value, false, self.known);
                match text.parse::<u64>() {
                    Ok(number) => json!(number),
                    Err(_) => json!(text.trim_matches('"')),
                }
            }
        }
    }
}

/// A named limit tells of its burst last, and of what is the rule not at all.
fn named_limit(limit: &Limit) -> Vec<(&'static str, Option<Json>)> {
    let (rate, unit) = if limit.bytes { amount(limit.rate) } else { (limit.rate, "") };
    let (burst, burst_unit) =
        if limit.bytes { amount(u64::from(limit.burst)) } else { (u64::from(limit.burst), "") };
    vec![
        ("rate", Some(json!(rate))),
        ("per", Some(json!(per(limit.unit_s)))),
        ("inv", limit.over.then(|| json!(true))),
        ("rate_unit", limit.bytes.then(|| json!(unit))),
        ("burst", (burst != 0).then(|| json!(burst))),
        ("burst_unit", (limit.bytes && burst != 0).then(|| json!(burst_unit))),
    ]
}
