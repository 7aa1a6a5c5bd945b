//! What may stand in a ruleset, and where (`nf_tables_newchain`, `nft_chain_validate`).

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::Hook;
use hairpin_netlink::netfilter::nft::{
    Chain, ChainKind, Ct, Data, Expr, NatKind, Right, Ruleset, Set, SetRef, Statement, Table, Verdict,
};

/// Chains that a packet may be in at once (`NFT_JUMP_STACK_SIZE`).
const DEPTH_MAX: usize = 16;
/// Rules that are looked at on all ways from one base chain.
const STEPS_MAX: u32 = 1 << 20;
/// Rules of one ruleset.
const RULES_MAX: usize = 1 << 20;

pub(super) fn ruleset(ruleset: &Ruleset) -> Result<(), Errno> {
    let chains = ruleset.tables.iter().flat_map(|table| &table.chains);
    if chains.map(|chain| chain.rules.len()).sum::<usize>() > RULES_MAX {
        return Err(Errno::ENOMEM);
    }
    ruleset.tables.iter().try_for_each(table)
}

fn table(table: &Table) -> Result<(), Errno> {
    for chain in &table.chains {
        if let Some(base) = chain.base {
            let allowed: &[Hook] = match base.kind {
                ChainKind::Filter => Hook::ALL,
                ChainKind::Nat => &[Hook::Prerouting, Hook::Input, Hook::Output, Hook::Postrouting],
                ChainKind::Route => &[Hook::Output],
            };
            // Translation works on connections, which are there from -200 on.
            if !allowed.contains(&base.hook) || base.kind == ChainKind::Nat && base.priority <= -200 {
                return Err(Errno::EOPNOTSUPP);
            }
        }
        for statement in chain.rules.iter().flat_map(|rule| &rule.statements) {
            names(table, statement)?;
        }
    }
    for chain in table.chains.iter().filter(|chain| chain.base.is_some()) {
        walk(table, chain, chain, 0, &mut 0)?;
    }
    Ok(())
}

/// Whether everything that a statement names is there.
fn names(table: &Table, statement: &Statement) -> Result<(), Errno> {
    let set = |found: &SetRef| match found {
        SetRef::Named(name) => table.set(name).map(drop).ok_or(Errno::ENOENT),
        SetRef::Anonymous(_) => Ok(()),
    };
    let verdict = |verdict: &Verdict| match verdict {
        Verdict::Jump(name) | Verdict::Goto(name) => match table.chain(name) {
            None => Err(Errno::ENOENT),
            Some(chain) if chain.base.is_some() => Err(Errno::EOPNOTSUPP),
            Some(_) => Ok(()),
        },
        _ => Ok(()),
    };
    match statement {
        Statement::Match { right: Right::Set(found), .. } => set(found),
        Statement::NamedCounter(name) => {
            let known = table.counters.iter().any(|counter| counter.name == *name);
            known.then_some(()).ok_or(Errno::ENOENT)
        }
        Statement::NamedQuota(name) => object(table, name, "quota"),
        Statement::NamedLimit(name) => object(table, name, "limit"),
        Statement::Verdict(found) => verdict(found),
        Statement::VerdictMap { map, .. } => {
            set(map)?;
            verdicts(table, map).try_for_each(verdict)
        }
        Statement::SetElement { set, .. } => table.set(set).map(drop).ok_or(Errno::ENOENT),
        Statement::SetMeta(_, Expr::Map { map, .. }) | Statement::SetCtMark(Expr::Map { map, .. }) => {
            set(map)
        }
        _ => Ok(()),
    }
}

fn object(table: &Table, name: &str, kind: &str) -> Result<(), Errno> {
    let known = table.objects.iter().any(|object| object.name == name && object.kind.name() == kind);
    known.then_some(()).ok_or(Errno::ENOENT)
}

fn set_of<'a>(table: &'a Table, found: &'a SetRef) -> Option<&'a Set> {
    match found {
        SetRef::Named(name) => table.set(name),
        SetRef::Anonymous(set) => Some(set),
    }
}

/// The verdicts of a map.
fn verdicts<'a>(table: &'a Table, map: &'a SetRef) -> impl Iterator<Item = &'a Verdict> {
    let elements = set_of(table, map).into_iter().flat_map(|set| &set.elements);
    elements.filter_map(|element| match &element.data {
        Some(Data::Verdict(verdict)) => Some(verdict),
        _ => None,
    })
}

/// Follows every way from a base chain: none may lead back or too deep, and translation stands in its own chains.
fn walk(table: &Table, base: &Chain, chain: &Chain, depth: usize, steps: &mut u32) -> Result<(), Errno> {
    *steps = steps.saturating_add(u32::try_from(chain.rules.len()).unwrap_or(u32::MAX));
    if depth >= DEPTH_MAX || *steps > STEPS_MAX {
        return Err(Errno::EMLINK);
    }
    for statement in chain.rules.iter().flat_map(|rule| &rule.statements) {
        let mut enter = |verdict: &Verdict| match verdict {
            Verdict::Jump(name) | Verdict::Goto(name) => match table.chain(name) {
                Some(next) if next.name == chain.name => Err(Errno::ELOOP),
                Some(next) => walk(table, base, next, depth + 1, steps),
                None => Err(Errno::ENOENT),
            },
            _ => Ok(()),
        };
        match statement {
            Statement::Verdict(verdict) => enter(verdict)?,
            Statement::VerdictMap { map, .. } => verdicts(table, map).try_for_each(&mut enter)?,
            Statement::Nat(nat) => {
                let Some(at) = base.base else { continue };
                let fits = match nat.kind {
                    NatKind::Snat => matches!(at.hook, Hook::Postrouting | Hook::Input),
                    NatKind::Masquerade => at.hook == Hook::Postrouting,
                    NatKind::Dnat | NatKind::Redirect => matches!(at.hook, Hook::Prerouting | Hook::Output),
                };
                if at.kind != ChainKind::Nat || !fits {
                    return Err(Errno::EOPNOTSUPP);
                }
            }
            Statement::Reject(_) => {
                let allowed = [Hook::Input, Hook::Forward, Hook::Output, Hook::Prerouting];
                if base.base.is_some_and(|at| !allowed.contains(&at.hook)) {
                    return Err(Errno::EOPNOTSUPP);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether something in a table asks for connections.
pub(super) fn tracks(table: &Table) -> bool {
    let of_chain = |chain: &Chain| {
        chain.base.is_some_and(|base| base.kind == ChainKind::Nat)
            || chain.rules.iter().flat_map(|rule| &rule.statements).any(statement_tracks)
    };
    table.chains.iter().any(of_chain)
}

fn statement_tracks(statement: &Statement) -> bool {
    let any = |exprs: &[Expr]| exprs.iter().any(expr_tracks);
    match statement {
        Statement::Match { left, .. } => any(left),
        Statement::VerdictMap { key, .. } | Statement::SetElement { key, .. } => any(key),
        Statement::SetMeta(_, expr) | Statement::SetPayload(_, expr) => expr_tracks(expr),
        Statement::SetCtMark(_) | Statement::NoTrack => true,
        _ => false,
    }
}

fn expr_tracks(expr: &Expr) -> bool {
    match expr {
        Expr::Ct(Ct::State | Ct::Status | Ct::Mark, _) | Expr::Ct(..) => true,
        Expr::Bits { of, .. } => expr_tracks(of),
        Expr::Map { key, .. } => key.iter().any(expr_tracks),
        _ => false,
    }
}
