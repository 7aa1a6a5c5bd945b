//! What commands do to a table in memory (libiptc).

use hairpin_netlink::Errno;
use hairpin_netlink::netfilter::{Chain, Counters, Rule, Table, Target};

use super::command::action::{Action, Command};
use super::command::policy;
use super::fail::Fail;
use super::list::{self, Format};
use super::names::Names;
use super::targets;
use super::text::{self, Count};

/// A table is full of rules; a program can make no more of them.
const RULES_MAX: usize = 1 << 20;

/// Performs a command. True if the table has changed and is to be put back.
pub(super) fn apply(table: &mut Table, command: &Command, names: &mut Names<'_>) -> Result<bool, Fail> {
    let chain = command.chain.as_deref();
    let name = chain.unwrap_or("");
    match command.action {
        Action::List(number) => {
            let shown = listing(table, chain, number, command.format, names)?;
            print(names, &shown);
            if command.then_zero {
                zero(table, chain, command.verbose, names)?;
            }
            return Ok(command.then_zero);
        }
        Action::ListRules(number) => {
            let shown = rules(table, chain, number, command.verbose > 0, names)?;
            print(names, &shown);
            if command.then_zero {
                zero(table, chain, command.verbose, names)?;
            }
            return Ok(command.then_zero);
        }
        Action::Append | Action::Insert(_) | Action::Replace(_) | Action::Delete | Action::Check => {
            return with_rules(table, name, command, names);
        }
        Action::DeleteNumber(number) => {
            let rules = &mut existing(table, name)?.rules;
            if number > rules.len() {
                return Err(Fail::Table("Index of deletion too big.".to_owned()));
            }
            rules.remove(number - 1);
        }
        Action::Flush => flush(table, chain, command.verbose, names)?,
        Action::Zero => zero(table, chain, command.verbose, names)?,
        Action::ZeroNumber(number) => {
            let found = existing(table, name)?.rules.get_mut(number - 1);
            let rule = found.ok_or_else(|| Fail::Table("Index of counter too big.".to_owned()))?;
            (rule.id, rule.counters) = (0, Counters::default());
        }
        Action::NewChain => new_chain(table, name)?,
        Action::DeleteChain => delete_chain(table, chain, command.verbose, names)?,
        Action::RenameChain => rename(table, name, &command.new_name)?,
        Action::Policy => set_policy(table, name, &command.policy, command.counters)?,
    }
    Ok(true)
}

/// What libiptc does when it puts a table back: policies count from the beginning, but for counters just set.
pub(super) fn settle_policies(table: &mut Table) {
    for chain in table.chains.iter_mut().filter(|chain| chain.builtin.is_some() && chain.id != 0) {
        (chain.id, chain.counters) = (0, Counters::default());
    }
}

fn print(names: &mut Names<'_>, text: &str) {
    let _ = names.shell.out().write_all(text.as_bytes());
}

fn existing<'t>(table: &'t mut Table, name: &str) -> Result<&'t mut Chain, Fail> {
    table.chain_mut(name).ok_or_else(|| Fail::table(Errno::ENOENT))
}

fn with_rules(table: &mut Table, name: &str, command: &Command, names: &mut Names<'_>) -> Result<bool, Fail> {
    let target = target(table, command)?;
    if table.chain(name).is_none() {
        return Err(Fail::table(Errno::ENOENT));
    }
    for rule in &command.rules {
        let mut rule = rule.clone();
        if let Some(target) = &target {
            rule.target = target.clone();
        }
        if command.verbose > 0 {
            let format = Format { numeric: true, single: true, ..Format::default() };
            let line = list::line(&rule, 0, format, names);
            print(names, &line);
        }
        let rules = &mut existing(table, name)?.rules;
        let at = rules.iter().position(|known| known.same(&rule));
        let plain = matches!(rule.target, Target::None | Target::Accept | Target::Drop | Target::Return);
        let missing = || match plain {
            true => Fail::Table("Bad rule (does a matching rule exist in that chain?).".to_owned()),
            false => Fail::table(Errno::ENOENT),
        };
        match command.action {
            Action::Check => {
                at.ok_or_else(missing)?;
            }
            Action::Delete => {
                rules.remove(at.ok_or_else(missing)?);
            }
            Action::Insert(number) => {
                if number > rules.len() + 1 {
                    return Err(Fail::Table("Index of insertion too big.".to_owned()));
                }
                rules.insert(number - 1, rule);
            }
            Action::Replace(number) => match rules.get_mut(number - 1) {
                Some(place) => *place = rule,
                None => return Err(Fail::Table("Index of replacement too big.".to_owned())),
            },
            _ if rules.len() >= RULES_MAX => return Err(Fail::table(Errno::ENOMEM)),
            _ => rules.push(rule),
        }
    }
    Ok(command.action != Action::Check)
}

/// What the word behind `-j` stands for: a verdict, a chain, or an extension that is not there.
fn target(table: &Table, command: &Command) -> Result<Option<Target>, Fail> {
    let Some(name) = &command.jump else { return Ok(None) };
    let chain = table.chain(name);
    if command.goto {
        return match chain {
            Some(_) => Ok(Some(Target::Goto(name.clone()))),
            None => Err(Fail::parameter(format!("goto '{name}' is not a chain"))),
        };
    }
    if let Some(verdict) = targets::standard(name) {
        return Ok(Some(verdict));
    }
    match chain {
        Some(chain) if chain.builtin.is_some() => Err(Fail::table(Errno::EINVAL)),
        Some(_) => Ok(Some(Target::Jump(name.clone()))),
        None => Err(Fail::parameter(format!("Couldn't load target `{name}':No such file or directory\n"))),
    }
}

/// The chains that a command is about.
fn chosen(table: &Table, chain: Option<&str>) -> Result<Vec<String>, Fail> {
    match chain {
        Some(name) if table.chain(name).is_none() => Err(Fail::table(Errno::ENOENT)),
        Some(name) => Ok(vec![name.to_owned()]),
        None => Ok(table.chains.iter().map(|chain| chain.name.clone()).collect()),
    }
}

pub(super) fn flush(
    table: &mut Table,
    chain: Option<&str>,
    verbose: u32,
    names: &mut Names<'_>,
) -> Result<(), Fail> {
    for name in chosen(table, chain)? {
        if verbose > 0 {
            print(names, &format!("Flushing chain `{name}'\n"));
        }
        existing(table, &name)?.rules.clear();
    }
    Ok(())
}

fn zero(table: &mut Table, chain: Option<&str>, verbose: u32, names: &mut Names<'_>) -> Result<(), Fail> {
    for name in chosen(table, chain)? {
        if verbose > 0 {
            print(names, &format!("Zeroing chain `{name}'\n"));
        }
        let chain = existing(table, &name)?;
        (chain.id, chain.counters) = (0, Counters::default());
        for rule in &mut chain.rules {
            (rule.id, rule.counters) = (0, Counters::default());
        }
    }
    Ok(())
}

pub(super) fn new_chain(table: &mut Table, name: &str) -> Result<(), Fail> {
    if table.chain(name).is_some() || targets::standard(name).is_some() {
        return Err(Fail::Table("Chain already exists.".to_owned()));
    }
    let new = Chain {
        name: name.to_owned(),
        builtin: None,
        id: 0,
        counters: Counters::default(),
        rules: Vec::new(),
    };
    table.chains.push(new);
    sort(table);
    Ok(())
}

/// The user's chains stand behind the others in the order of their names.
fn sort(table: &mut Table) {
    table.chains.sort_by(|a, b| match (&a.builtin, &b.builtin) {
        (None, None) => a.name.cmp(&b.name),
        (a, b) => a.is_none().cmp(&b.is_none()),
    });
}

pub(super) fn delete_chain(
    table: &mut Table,
    chain: Option<&str>,
    verbose: u32,
    names: &mut Names<'_>,
) -> Result<(), Fail> {
    let doomed = match chain {
        Some(name) => vec![name.to_owned()],
        None => {
            let own = table.chains.iter().filter(|chain| chain.builtin.is_none());
            own.map(|chain| chain.name.clone()).collect()
        }
    };
    let mut outcome = Ok(());
    for name in doomed {
        if verbose > 0 {
            print(names, &format!("Deleting chain `{name}'\n"));
        }
        let found = existing(table, &name)?;
        let (builtin, empty) = (found.builtin.is_some(), found.rules.is_empty());
        if builtin {
            outcome = Err(Fail::table(Errno::EINVAL));
        } else if table.references(&name) > 0 {
            outcome = Err(Fail::Table("Too many links.".to_owned()));
        } else if !empty {
            outcome = Err(Fail::Table("Directory not empty.".to_owned()));
        } else {
            table.chains.retain(|chain| chain.name != name);
        }
    }
    outcome
}

fn rename(table: &mut Table, from: &str, to: &str) -> Result<(), Fail> {
    if table.chain(to).is_some() || targets::standard(to).is_some() {
        return Err(Fail::Table("File exists.".to_owned()));
    }
    let chain = existing(table, from)?;
    if chain.builtin.is_some() {
        return Err(Fail::table(Errno::ENOENT));
    }
    to.clone_into(&mut chain.name);
    for rule in table.chains.iter_mut().flat_map(|chain| &mut chain.rules) {
        if let Some(leads) = rule.target.chain_mut()
            && leads == from
        {
            to.clone_into(leads);
        }
    }
    sort(table);
    Ok(())
}

pub(super) fn set_policy(
    table: &mut Table,
    name: &str,
    word: &str,
    counters: Option<Counters>,
) -> Result<(), Fail> {
    let bad_chain = || Fail::Table("Bad built-in chain name.".to_owned());
    let chain = table.chain_mut(name).ok_or_else(bad_chain)?;
    let Some((hook, _)) = chain.builtin else { return Err(bad_chain()) };
    let policy = policy(word)
        .ok_or_else(|| Fail::Table("Bad policy name. Run `dmesg' for more information.".to_owned()))?;
    chain.builtin = Some((hook, policy));
    (chain.id, chain.counters) = (0, counters.unwrap_or_default());
    Ok(())
}

/// `-L`
fn listing(
    table: &Table,
    chain: Option<&str>,
    number: usize,
    format: Format,
    names: &mut Names<'_>,
) -> Result<String, Fail> {
    let mut shown = Vec::new();
    for name in chosen(table, chain)? {
        let Some(chain) = table.chain(&name) else { continue };
        shown.push(match number {
            0 => list::chain(table, chain, format, names),
            number => match chain.rules.get(number - 1) {
                Some(rule) => list::line(rule, number, format, names),
                None => String::new(),
            },
        });
    }
    Ok(shown.join("\n"))
}

/// `-S`
fn rules(
    table: &Table,
    chain: Option<&str>,
    number: usize,
    counters: bool,
    names: &mut Names<'_>,
) -> Result<String, Fail> {
    let chosen = chosen(table, chain)?;
    let mut text = String::new();
    if number == 0 {
        for chain in table.chains.iter().filter(|chain| chosen.contains(&chain.name)) {
            match chain.builtin {
                Some((_, policy)) => {
                    text += &format!("-P {} {}", chain.name, policy.name());
                    if counters {
                        let Counters { packets, bytes } = chain.counters;
                        text += &format!(" -c {packets} {bytes}");
                    }
                    text.push('\n');
                }
                None => text += &format!("-N {}\n", chain.name),
            }
        }
    }
    let count = if counters { Count::Inside } else { Count::No };
    for chain in table.chains.iter().filter(|chain| chosen.contains(&chain.name)) {
        let of_chain: &[Rule] = match number {
            0 => &chain.rules,
            number => chain.rules.get(number - 1).map_or(&[], std::slice::from_ref),
        };
        for rule in of_chain {
            text += &text::rule(&chain.name, rule, count, names);
            text.push('\n');
        }
    }
    Ok(text)
}
