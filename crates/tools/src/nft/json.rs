//! `-j`: rulesets as JSON (libnftables-json).

use hairpin_netlink::netfilter::Policy;
use hairpin_netlink::netfilter::nft::{
    Data, Element, Expr, Limit, Log, Nat, NatAddress, ObjectKind, Op, Reject, Right, Rule, Set, SetOp,
    SetRef, Span, Statement, Table, Type, Verdict,
};

use super::expr::type_of;
use super::fields;
use super::show::statement::{amount, nat_flags, nat_name, per};
use super::show::{Part, hook_name, kind_name};
use super::statement::{ICMPX, LEVELS};
use super::value::{self, Known};

/// A value whose members stay in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Json {
    Null,
    Bool(bool),
    Number(i64),
    Unsigned(u64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// An object or list as it is written.
macro_rules! json {
    (@members $into:ident) => {};
    (@members $into:ident $name:literal : null $(, $($rest:tt)*)?) => {
        member(&mut $into, $name, Json::Null);
        $(json!(@members $into $($rest)*);)?
    };
    (@members $into:ident $name:literal : { $($inner:tt)* } $(, $($rest:tt)*)?) => {
        member(&mut $into, $name, json!({ $($inner)* }));
        $(json!(@members $into $($rest)*);)?
    };
    (@members $into:ident $name:literal : [ $($inner:tt)* ] $(, $($rest:tt)*)?) => {
        member(&mut $into, $name, json!([ $($inner)* ]));
        $(json!(@members $into $($rest)*);)?
    };
    (@members $into:ident $name:literal : $value:expr $(, $($rest:tt)*)?) => {
        member(&mut $into, $name, Json::from($value));
        $(json!(@members $into $($rest)*);)?
    };
    ({ $($inner:tt)* }) => {{
        let mut members: Vec<(String, Json)> = Vec::new();
        json!(@members members $($inner)*);
        Json::Object(members)
    }};
    ([ $($value:expr),* $(,)? ]) => { Json::List(vec![$(Json::from($value)),*]) };
    ($value:expr) => { Json::from($value) };
}

fn member(members: &mut Vec<(String, Json)>, name: &str, value: Json) {
    members.push((name.to_owned(), value));
}

macro_rules! numbers {
    ($($kind:ty),*) => {
        $(
            impl From<$kind> for Json {
                fn from(value: $kind) -> Json {
                    Json::Unsigned(u64::from(value))
                }
            }

            impl From<&$kind> for Json {
                fn from(value: &$kind) -> Json {
                    Json::Unsigned(u64::from(*value))
                }
            }
        )*
    };
}

numbers!(u8, u16, u32, u64);

impl From<i32> for Json {
    fn from(value: i32) -> Json {
        Json::Number(i64::from(value))
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json::Bool(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Json {
        Json::Text(value.to_owned())
    }
}

impl From<&&str> for Json {
    fn from(value: &&str) -> Json {
        Json::Text((*value).to_owned())
    }
}

impl From<&String> for Json {
    fn from(value: &String) -> Json {
        Json::Text(value.clone())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Json {
        Json::Text(value)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(values: Vec<T>) -> Json {
        Json::List(values.into_iter().map(Into::into).collect())
    }
}

fn metainfo() -> Json {
    json!({"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}})
}

/// The members of the document, as the program writes it: with a space behind commas and colons.
fn document(members: Vec<Json>) -> String {
    let all: Vec<Json> = std::iter::once(metainfo()).chain(members).collect();
    spaced(&json!({"nftables": all})) + "\n"
}

/// JSON with spaces as libjansson writes it.
fn spaced(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(value) => value.to_string(),
        Json::Unsigned(value) => value.to_string(),
        Json::Text(text) => quoted(text),
        Json::List(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Json::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{}: {}", quoted(name), spaced(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(super) fn tables(tables: &[&Table]) -> String {
    document(tables.iter().map(|table| table_head(table)).collect())
}

fn table_head(table: &Table) -> Json {
    json!({"table": {"family": table.family.name(), "name": &table.name, "handle": table.handle}})
}

/// What an object is made of, in order.
fn object(members: Vec<(&str, Option<Json>)>) -> Json {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Json::Object(there.collect())
}

fn is_empty(value: &Json) -> bool {
    matches!(value, Json::Object(members) if members.is_empty())
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
            let wanted = match part {
                Part::All => true,
                Part::Set(name) => set.name == name,
                Part::Sets => set.data.is_none(),
                Part::Maps => set.data.is_some(),
                _ => false,
            };
            if wanted {
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

    fn statement(&self, statement: &Statement) -> Json {
        match statement {
            Statement::Match { left, op, right } => self.comparison(left, *op, right),
            Statement::Counter { packets, bytes } => json!({"counter": {"packets": packets, "bytes": bytes}}),
            Statement::NamedCounter(name) => json!({"counter": name}),
            Statement::NamedQuota(name) => json!({"quota": name}),
            Statement::NamedLimit(name) => json!({"limit": name}),
            Statement::Verdict(found) => verdict(found),
            Statement::VerdictMap { key, map } => {
                json!({"vmap": {"key": self.exprs(key), "data": self.reference(map)}})
            }
            Statement::Reject(reject) => self.reject(*reject),
            Statement::Log(found) => log(found),
            Statement::Limit(found) => limit(found),
            Statement::Quota { bytes, over, used } => {
                let (count, unit) = amount(*bytes);
                let mut members = vec![("val", Some(json!(count))), ("val_unit", Some(json!(unit)))];
                if *used > 0 {
                    let (count, unit) = amount(*used);
                    members.push(("used", Some(json!(count))));
                    members.push(("used_unit", Some(json!(unit))));
                }
                members.push(("inv", over.then(|| json!(true))));
                json!({"quota": object(members)})
            }
            Statement::Nat(nat) => self.nat(nat),
            Statement::SetMeta(meta, expr) => {
                let left = Expr::Meta(*meta);
                json!({"mangle": {"key": self.expr(&left), "value": self.assigned(expr, type_of(&left))}})
            }
            Statement::SetCtMark(expr) => {
                json!({"mangle": {"key": {"ct": {"key": "mark"}}, "value": self.assigned(expr, Type::Mark)}})
            }
            Statement::SetPayload(field, expr) => {
                let left = Expr::Payload(*field);
                json!({"mangle": {"key": self.expr(&left), "value": self.assigned(expr, field.kind)}})
            }
            Statement::NoTrack => json!({"notrack": null}),
            Statement::SetMss(size) => {
                let value = match size {
                    Some(size) => json!(size),
                    None => json!({"rt": {"key": "mtu"}}),
                };
                json!({"mangle": {"key": {"tcp option": {"name": "maxseg", "field": "size"}}, "value": value}})
            }
            Statement::SetElement { op, set, key, timeout_ms, .. } => {
                let op = match op {
                    SetOp::Add => "add",
                    SetOp::Update => "update",
                    SetOp::Delete => "delete",
                };
                let mut elem = self.exprs(key);
                if let Some(ms) = timeout_ms {
                    elem = json!({"elem": {"val": elem, "timeout": ms / 1000}});
                }
                json!({"set": {"op": op, "elem": elem, "set": format!("@{set}")}})
            }
        }
    }

    fn comparison(&self, left: &[Expr], op: Op, right: &Right) -> Json {
        let kind = left.first().map_or(Type::Integer, type_of);
        let flags = kind.is_flags();
        let sign = match op {
            Op::Implicit
                if flags && matches!(right, Right::Value(_)) && !matches!(left, [Expr::Bits { .. }]) =>
            {
                "in"
            }
            Op::Implicit | Op::Equal => "==",
            Op::NotEqual => "!=",
            Op::Less => "<",
            Op::Greater => ">",
            Op::LessOrEqual => "<=",
            Op::GreaterOrEqual => ">=",
        };
        let right = match right {
            Right::Value(found) if flags && op != Op::Implicit => {
                match value::flag_names(kind, *found).as_slice() {
                    [name] => json!(name),
                    names => json!({"|": names.to_vec()}),
                }
            }
            Right::Value(found) => self.value(kind, *found),
            Right::Prefix(found, prefix) if kind == Type::IfName => {
                let text = value::text_of(*found);
                let length = usize::from(*prefix / 8).min(text.len());
                json!(format!("{}*", text.get(..length).unwrap_or(&text)))
            }
            Right::Prefix(found, prefix) => {
                json!({"prefix": {"addr": self.value(kind, *found), "len": prefix}})
            }
            Right::Range(low, high) => json!({"range": [self.value(kind, *low), self.value(kind, *high)]}),
            Right::Set(found) => self.reference(found),
        };
        json!({"match": {"op": sign, "left": self.exprs(left), "right": right}})
    }

    fn exprs(&self, exprs: &[Expr]) -> Json {
        match exprs {
            [only] => self.expr(only),
            exprs => json!({"concat": exprs.iter().map(|expr| self.expr(expr)).collect::<Vec<_>>()}),
        }
    }

    fn expr(&self, expr: &Expr) -> Json {
        match expr {
            Expr::Payload(field) => {
                let (header, name) = fields::names(field);
                json!({"payload": {"protocol": header, "field": name}})
            }
            Expr::Meta(meta) => {
                let name =
                    fields::METAS.iter().find(|(_, known, ..)| known == meta).map_or("", |(name, ..)| name);
                json!({"meta": {"key": name}})
            }
            Expr::Ct(key, direction) => {
                let name =
                    fields::CTS.iter().find(|(_, known, ..)| known == key).map_or("", |(name, ..)| name);
                let direction = direction.map(|way| json!(if way == 0 { "original" } else { "reply" }));
                json!({"ct": object(vec![("key", Some(json!(name))), ("dir", direction)])})
            }
            Expr::FibType { source, iif, oif } => {
                let mut words = vec![if *source { "saddr" } else { "daddr" }];
                words.extend(iif.then_some("iif"));
                words.extend(oif.then_some("oif"));
                json!({"fib": {"result": "type", "flags": words}})
            }
            Expr::Value(value) => json!(*value as u64),
            Expr::Bits { of, and, xor } => {
                let kind = type_of(of);
                let whole = u128::from(u32::MAX);
                let left = self.expr(of);
                match (*and, *xor) {
                    (and, 0) => json!({"&": [left, self.value(kind, and)]}),
                    (and, xor) if and == whole & !xor => json!({"|": [left, self.value(kind, xor)]}),
                    (and, xor) if and == whole => json!({"^": [left, self.value(kind, xor)]}),
                    (and, xor) => {
                        json!({"|": [json!({"&": [left, self.value(kind, and | xor)]}), self.value(kind, xor)]})
                    }
                }
            }
            Expr::Map { key, map } => json!({"map": {"key": self.exprs(key), "data": self.reference(map)}}),
            Expr::NumberOf { random, modulus, offset, .. } => {
                let mode = if *random { "random" } else { "inc" };
                json!({"numgen": {"mode": mode, "mod": modulus, "offset": offset}})
            }
        }
    }

    fn assigned(&self, expr: &Expr, kind: Type) -> Json {
        match expr {
            Expr::Value(value) => self.value(kind, *value),
            other => self.expr(other),
        }
    }

    fn reference(&self, found: &SetRef) -> Json {
        match found {
            SetRef::Named(name) => json!(format!("@{name}")),
            SetRef::Anonymous(set) => {
                let elements: Vec<Json> =
                    set.elements.iter().map(|element| self.element(set, element)).collect();
                json!({"set": elements})
            }
        }
    }

    fn reject(&self, reject: Reject) -> Json {
        let code = |kind: Type, code: u8| self.value(kind, u128::from(code));
        let (family, code) = match reject {
            Reject::TcpReset => return json!({"reject": {"type": "tcp reset"}}),
            Reject::Icmp(found) => ("icmp", code(Type::IcmpCode, found)),
            Reject::Icmp6(found) => ("icmpv6", code(Type::Icmp6Code, found)),
            Reject::Icmpx(found) => {
                let name = ICMPX.iter().find(|(_, code)| *code == found).map_or("", |(name, _)| name);
                ("icmpx", json!(name))
            }
        };
        json!({"reject": {"type": family, "expr": code}})
    }

    fn nat(&self, nat: &Nat) -> Json {
        let address = nat.address.as_ref().map(|address| match address {
            NatAddress::Range(low, high) => {
                let kind = if *low > u128::from(u32::MAX) { Type::Ipv6 } else { Type::Ipv4 };
                match low == high {
                    true => self.value(kind, *low),
                    false => json!({"range": [self.value(kind, *low), self.value(kind, *high)]}),
                }
            }
            NatAddress::Of(expr) => self.expr(expr),
        });
        let port =
            nat.ports.map(|(low, high)| if low == high { json!(low) } else { json!({"range": [low, high]}) });
        let flags = nat_flags(nat);
        let flags = match flags.as_slice() {
            [] => None,
            [only] => Some(json!(only)),
            flags => Some(json!(flags.to_vec())),
        };
        let body = object(vec![
            ("family", nat.family.map(|family| json!(family.name()))),
            ("addr", address),
            ("port", port),
            ("flags", flags),
        ]);
        let empty = is_empty(&body);
        object(vec![(nat_name(nat.kind), Some(if empty { Json::Null } else { body }))])
    }
}

fn verdict(verdict: &Verdict) -> Json {
    match verdict {
        Verdict::Accept => json!({"accept": null}),
        Verdict::Drop => json!({"drop": null}),
        Verdict::Continue => json!({"continue": null}),
        Verdict::Return => json!({"return": null}),
        Verdict::Jump(chain) => json!({"jump": {"target": chain}}),
        Verdict::Goto(chain) => json!({"goto": {"target": chain}}),
    }
}

fn log(log: &Log) -> Json {
    let level = log.level.filter(|level| *level != 4).and_then(|level| LEVELS.get(usize::from(level)));
    let names = [(1, "tcp sequence"), (2, "tcp options"), (4, "ip options"), (8, "skuid"), (32, "ether")];
    let flags: Vec<&str> =
        names.into_iter().filter(|(bit, _)| log.flags & bit != 0).map(|(_, name)| name).collect();
    let flags = match flags.as_slice() {
        [] => None,
        _ if log.flags == 0x2f => Some(json!("all")),
        [only] => Some(json!(only)),
        flags => Some(json!(flags.to_vec())),
    };
    let body = object(vec![
        ("prefix", log.prefix.as_ref().map(|prefix| json!(prefix))),
        ("group", log.group.map(|group| json!(group))),
        ("snaplen", log.snaplen.map(|length| json!(length))),
        ("queue-threshold", log.queue_threshold.map(|threshold| json!(threshold))),
        ("level", level.map(|level| json!(level))),
        ("flags", flags),
    ]);
    let empty = is_empty(&body);
    object(vec![("log", Some(if empty { Json::Null } else { body }))])
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

fn member_of(name: &str, value: Json) -> Json {
    Json::Object(vec![(name.to_owned(), value)])
}

fn limit(limit: &Limit) -> Json {
    let (rate, unit) = if limit.bytes { amount(limit.rate) } else { (limit.rate, "") };
    let (burst, burst_unit) =
        if limit.bytes { amount(u64::from(limit.burst)) } else { (u64::from(limit.burst), "") };
    let members = vec![
        ("rate", Some(json!(rate))),
        ("burst", Some(json!(burst))),
        ("per", Some(json!(per(limit.unit_s)))),
        ("rate_unit", limit.bytes.then(|| json!(unit))),
        ("burst_unit", limit.bytes.then(|| json!(burst_unit))),
        ("inv", limit.over.then(|| json!(true))),
    ];
    json!({"limit": object(members)})
}
