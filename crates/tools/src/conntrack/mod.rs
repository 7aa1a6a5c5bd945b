//! `conntrack` of conntrack-tools 1.4.7: `-L`, `-D`, `-F`, `-C`, `-S`, `-E`, `-I`, `-U`, `-G`.

mod change;
mod events;
mod filter;
mod show;

use hairpin_netlink::netfilter::conntrack::{Connection, Statistics, Update};
use hairpin_netlink::netfilter::{NetfilterCall, NetfilterReply};
use hairpin_netlink::{Errno, System};

use crate::{Program, Shell};
use filter::{Filter, Table};

const VERSION: &str = "1.4.7";

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    List,
    Delete,
    Flush,
    Count,
    Statistics,
    Event,
    Create,
    Update,
    Get,
    Version,
    Help,
}

/// How it fails: a text, and whether the hint at the help follows (exit code 2; 1 without).
struct Fail {
    text: String,
    hint: bool,
}

impl Fail {
    fn usage(text: impl Into<String>) -> Fail {
        Fail { text: text.into(), hint: true }
    }

    /// What the kernel refused (`err2str`).
    fn refused(errno: Errno) -> Fail {
        Fail { text: format!("Operation failed: {}", errno.text()), hint: false }
    }
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let args = program.args;
    let mut conntrack = Conntrack { system: &mut *program.system, shell: &mut *program.shell };
    match conntrack.run(args) {
        Ok(code) => code,
        Err(Fail { text, hint }) => {
            let hint = match hint {
                true => "Try `conntrack -h' or 'conntrack --help' for more information.\n",
                false => "",
            };
            let title = title();
            let _ = write!(conntrack.shell.err(), "{title}: {text}\n{hint}");
            if hint.is_empty() { 1 } else { 2 }
        }
    }
}

fn title() -> String {
    format!("conntrack v{VERSION} (conntrack-tools)")
}

struct Conntrack<'a> {
    system: &'a mut dyn System,
    shell: &'a mut dyn Shell,
}

impl Conntrack<'_> {
    fn run(&mut self, args: &[String]) -> Result<i32, Fail> {
        let (command, filter) = filter::parse(args)?;
        match command {
            Command::Help => {
                let _ = self.shell.out().write_all(include_bytes!("help.txt"));
                Ok(0)
            }
            Command::Version => {
                let _ = writeln!(self.shell.out(), "{}", title());
                Ok(0)
            }
            Command::List => self.list(&filter),
            Command::Delete => self.delete(&filter),
            Command::Event => self.listen(&filter),
            Command::Create => self.create(&filter),
            Command::Update => self.update(&filter),
            Command::Get => self.get(&filter),
            // There are no expectations.
            Command::Flush if filter.table == Table::Expect => {
                let title = title();
                let _ = writeln!(self.shell.err(), "{title}: expectation table has been emptied.");
                Ok(0)
            }
            Command::Statistics if filter.table == Table::Expect => {
                let _ = writeln!(self.shell.out(), "cpu=0   \texpect_new=0 expect_create=0 expect_delete=0 ");
                Ok(0)
            }
            Command::Flush => {
                let all = self.connections(&Filter::default())?;
                let numbers = all.iter().map(|connection| connection.id).collect();
                self.call(NetfilterCall::DeleteConnections(numbers))?;
                let title = title();
                let _ = writeln!(self.shell.err(), "{title}: connection tracking table has been emptied.");
                Ok(0)
            }
            Command::Count if filter.table == Table::Expect => {
                let _ = writeln!(self.shell.out(), "0");
                Ok(0)
            }
            Command::Count => {
                let count = self.statistics()?.entries;
                let _ = writeln!(self.shell.out(), "{count}");
                Ok(0)
            }
            Command::Statistics => {
                let Statistics {
                    found,
                    invalid,
                    insert,
                    insert_failed,
                    drop,
                    early_drop,
                    error,
                    search_restart,
                    clash_resolve,
                    chaintoolong,
                    ..
                } = self.statistics()?;
                let _ = writeln!(
                    self.shell.out(),
                    "cpu=0   \tfound={found} invalid={invalid} insert={insert} \
                     insert_failed={insert_failed} drop={drop} early_drop={early_drop} error={error} \
                     search_restart={search_restart} clash_resolve={clash_resolve} \
                     chaintoolong={chaintoolong} "
                );
                Ok(0)
            }
        }
    }

    fn call(&mut self, call: NetfilterCall) -> Result<Option<NetfilterReply>, Fail> {
        self.system.netfilter(call).map_err(Fail::refused)
    }

    fn statistics(&mut self) -> Result<Statistics, Fail> {
        match self.call(NetfilterCall::Statistics)? {
            Some(NetfilterReply::Statistics(statistics)) => Ok(statistics),
            _ => Err(Fail::refused(Errno::EPROTO)),
        }
    }

    fn connections(&mut self, filter: &Filter) -> Result<Vec<Connection>, Fail> {
        match self.call(NetfilterCall::Connections(filter.family))? {
            Some(NetfilterReply::Connections(mut found)) => {
                found.retain(|connection| filter.accepts(connection));
                Ok(found)
            }
            _ => Err(Fail::refused(Errno::EPROTO)),
        }
    }

    fn list(&mut self, filter: &Filter) -> Result<i32, Fail> {
        let title = title();
        let what = match filter.table {
            Table::Conntrack => "flow entries have been shown",
            Table::Expect => "expectations have been shown",
            Table::Dying | Table::Unconfirmed => "flow entries have been shown",
        };
        // There are no helpers, and so no expectations; nothing waits to die, or to be confirmed, between two calls.
        let found = match filter.table {
            Table::Conntrack => self.connections(filter)?,
            _ => Vec::new(),
        };
        let xml = filter.output.xml && !found.is_empty();
        if xml {
            let _ = writeln!(self.shell.out(), "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<conntrack>");
        }
        for connection in &found {
            let line = match filter.output.xml {
                true => show::xml(connection),
                false => show::line(connection, filter.output),
            };
            let _ = writeln!(self.shell.out(), "{line}");
        }
        if xml {
            let _ = writeln!(self.shell.out(), "</conntrack>");
            // The rest is told on the other stream: behind it.
            let _ = self.shell.out().flush();
        }
        if filter.zero {
            for connection in found.iter().filter(|connection| connection.counters.is_some()) {
                let update = Update { zero: true, ..Update::default() };
                self.call(NetfilterCall::UpdateConnection { number: connection.id, update })?;
            }
        }
        let _ = writeln!(self.shell.err(), "{title}: {} {what}.", found.len());
        Ok(0)
    }

    fn delete(&mut self, filter: &Filter) -> Result<i32, Fail> {
        if filter.table == Table::Expect {
            return Err(Fail::usage("You need to supply the `--src' option for this command"));
        }
        let found = self.connections(filter)?;
        let numbers = found.iter().map(|connection| connection.id).collect();
        self.call(NetfilterCall::DeleteConnections(numbers))?;
        for connection in &found {
            let line = show::line(connection, filter.output);
            let _ = writeln!(self.shell.out(), "{line}");
        }
        let title = title();
        let _ = writeln!(self.shell.err(), "{title}: {} flow entries have been deleted.", found.len());
        Ok(i32::from(found.is_empty()))
    }
}
