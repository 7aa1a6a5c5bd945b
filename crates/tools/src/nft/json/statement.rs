//! Statements of rules, and the expressions in them.

use hairpin_netlink::netfilter::nft::{
    Expr, Limit, Log, Nat, NatAddress, Op, Reject, Right, SetOp, SetRef, Statement, Type, Verdict,
};

use super::Writer;
use super::document::{Json, is_empty, member, object};
use crate::nft::expr::type_of;
use crate::nft::fields;
use crate::nft::show::statement::{amount, nat_flags, nat_name, per};
use crate::nft::statement::{ICMPX, LEVELS};
use crate::nft::value;

impl Writer<'_> {
    pub(super) fn statement(&self, statement: &Statement) -> Json {
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

pub(super) fn verdict(verdict: &Verdict) -> Json {
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
