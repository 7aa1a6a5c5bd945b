//! `docker container`, and the same commands without that word: a file a command.

mod create;
mod exec;
mod image;
mod inspect;
mod kill;
mod list;
mod options;
mod port;
mod prune;
mod publish;
mod remove;
mod rename;
mod restart;
mod run;
mod start;
mod stop;

use super::Command;

pub(super) use inspect::inspected;

/// The commands behind `docker container`; all but `prune` are also there without it.
pub(super) const COMMANDS: &[Command] = &[
    create::COMMAND,
    exec::COMMAND,
    inspect::COMMAND,
    kill::COMMAND,
    list::COMMAND,
    port::COMMAND,
    prune::COMMAND,
    remove::COMMAND,
    rename::COMMAND,
    restart::COMMAND,
    run::COMMAND,
    start::COMMAND,
    stop::COMMAND,
];
