//! `iptables`, `iptables-save`, `iptables-restore` and their kin for IPv6, of iptables 1.8.9 in its legacy form.
//!
//! [`command`] reads a command line, [`edit`] performs it on a table in memory, which then goes back to the kernel
//! whole. [`list`] prints `-L`, [`text`] the form of `-S` and `iptables-save`. [`matches`] and [`targets`] have the
//! extensions, one file each, which read their options by [`extension`].

mod command;
mod edit;
mod extension;
mod fail;
mod help;
mod list;
mod matches;
pub(crate) mod names;
mod restore;
mod save;
mod targets;
mod text;

use hairpin_netlink::netfilter::ipset::{Dimension, Set, SetCall, SetType, Storage};
use hairpin_netlink::netfilter::{Family, NetfilterCall, NetfilterReply, Table, TableKind};
use hairpin_netlink::{Errno, System};

use crate::Program;
use command::action::{Command, Parsed};
use fail::Fail;
use names::Names;
pub use text::{from_text, to_text};

const VERSION: &str = "1.8.9";

/// Which of the programs this is.
struct Tool {
    /// As it was called.
    called: &'static str,
    /// Its name in texts.
    name: &'static str,
    family: Family,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Change,
    Save,
    Restore,
}

const TOOLS: &[Tool] = &[
    tool("iptables", "iptables", Family::Ipv4, Kind::Change),
    tool("iptables-legacy", "iptables", Family::Ipv4, Kind::Change),
    tool("iptables-save", "iptables-save", Family::Ipv4, Kind::Save),
    tool("iptables-legacy-save", "iptables-save", Family::Ipv4, Kind::Save),
    tool("iptables-restore", "iptables-restore", Family::Ipv4, Kind::Restore),
    tool("iptables-legacy-restore", "iptables-restore", Family::Ipv4, Kind::Restore),
    tool("ip6tables", "ip6tables", Family::Ipv6, Kind::Change),
    tool("ip6tables-legacy", "ip6tables", Family::Ipv6, Kind::Change),
    tool("ip6tables-save", "ip6tables-save", Family::Ipv6, Kind::Save),
    tool("ip6tables-legacy-save", "ip6tables-save", Family::Ipv6, Kind::Save),
    tool("ip6tables-restore", "ip6tables-restore", Family::Ipv6, Kind::Restore),
    tool("ip6tables-legacy-restore", "ip6tables-restore", Family::Ipv6, Kind::Restore),
];

const fn tool(called: &'static str, name: &'static str, family: Family, kind: Kind) -> Tool {
    Tool { called, name, family, kind }
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let Some(tool) = TOOLS.iter().find(|tool| tool.called == program.name) else { return 127 };
    let mut engine = Engine { system: &mut *program.system, tool: tool.name };
    let mut names = Names::new(&mut *program.shell, tool.family);
    let options = ["--match-set", "--set", "--add-set", "--del-set"];
    if tool.kind == Kind::Restore || program.args.iter().any(|word| options.contains(&word.as_str())) {
        names.sets = engine.sets();
    }
    match tool.kind {
        Kind::Change => change(tool, program.args, &mut engine, &mut names),
        Kind::Save => save::main(tool, program.args, &mut engine, &mut names),
        Kind::Restore => restore::main(tool, program.args, &mut engine, &mut names),
    }
}

fn change(tool: &Tool, args: &[String], engine: &mut Engine<'_>, names: &mut Names<'_>) -> i32 {
    let outcome = command::parse(args, None, names).and_then(|parsed| match parsed {
        Parsed::Command(command) => perform(&command, engine, names),
        Parsed::Help(asked) => {
            let text = help::text(&asked, tool.family);
            let _ = names.shell.out().write_all(text.as_bytes());
            Ok(())
        }
        Parsed::Nothing => Ok(()),
        Parsed::Version => {
            let _ = writeln!(names.shell.out(), "{} v{VERSION} (legacy)", tool.name);
            Ok(())
        }
    });
    match outcome {
        Ok(()) => 0,
        Err(fail) => {
            let text = fail.text(tool.name, None);
            let _ = names.shell.err().write_all(text.as_bytes());
            fail.code()
        }
    }
}

fn perform(command: &Command, engine: &mut Engine<'_>, names: &mut Names<'_>) -> Result<(), Fail> {
    let name = &command.table;
    let mut table = engine
        .table(names.family, name)
        .map_err(|why| Fail::Version(format!("can't initialize {} table `{name}': {why}", engine.tool)))?;
    if edit::apply(&mut table, command, names)? {
        edit::settle_policies(&mut table);
        let call = NetfilterCall::Replace { family: names.family, table: Box::new(table) };
        engine.system.netfilter(call).map_err(|errno| {
            if errno == Errno::ELOOP {
                Fail::Table("Too many levels of symbolic links.".to_owned())
            } else {
                Fail::table(errno)
            }
        })?;
    }
    Ok(())
}

/// The kernel's tables.
struct Engine<'a> {
    system: &'a mut dyn System,
    tool: &'static str,
}

impl Engine<'_> {
    fn tool_name(&self) -> &'static str {
        self.tool
    }

    /// A table, or why there is none.
    fn table(&mut self, family: Family, name: &str) -> Result<Table, String> {
        let errno = match TableKind::by_name(name) {
            None => Errno::ENOENT,
            Some(kind) => match self.system.netfilter(NetfilterCall::Table { family, kind }) {
                Ok(Some(NetfilterReply::Table(table))) => return Ok(*table),
                Ok(_) => Errno::EPROTO,
                Err(errno) => errno,
            },
        };
        Err(match errno {
            Errno::ENOENT => "Table does not exist (do you need to insmod?)".to_owned(),
            Errno::EPERM => "Permission denied (you must be root)".to_owned(),
            errno => errno.text(),
        })
    }

    fn tables(&mut self, family: Family) -> Result<Vec<TableKind>, Errno> {
        match self.system.netfilter(NetfilterCall::Tables(family))? {
            Some(NetfilterReply::Tables(tables)) => Ok(tables),
            _ => Err(Errno::EPROTO),
        }
    }

    /// The kernel's sets by name, with their families; `None` where it does not say.
    fn sets(&mut self) -> Option<Vec<(String, Option<Family>)>> {
        let call = NetfilterCall::Sets(SetCall::List(None));
        let Ok(Some(NetfilterReply::Sets(sets))) = self.system.netfilter(call) else { return None };
        let family = |set: &Set| {
            let kind = SetType::by_name(&set.kind)?;
            let of_ipv4 = kind.storage == Storage::Bitmap && kind.dimensions.contains(&Dimension::Ip);
            (kind.has_family() || of_ipv4).then_some(set.options.family)
        };
        Some(sets.iter().map(|set| (set.name.clone(), family(set))).collect())
    }

    /// The time of day as `ctime` prints it (UTC).
    fn date(&mut self) -> String {
        let seconds = self.system.now().map_or(0, |now| now.realtime_ns / 1_000_000_000);
        crate::calendar::Date::of(seconds).ctime()
    }
}
