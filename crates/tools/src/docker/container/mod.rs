//! `docker container`, and the same commands without that word: a file a command.

mod create;
mod exec;
mod image;
mod inspect;
mod kill;
mod list;
mod logs;
mod options;
mod port;
mod program;
mod prune;
mod publish;
mod remove;
mod rename;
mod restart;
mod run;
mod start;
mod stop;
mod wait;

use super::Command;

pub(super) use inspect::inspected;
pub(super) use program::{KEEPER, keep};

/// The commands behind `docker container`; all but `prune` are also there without it.
pub(super) const COMMANDS: &[Command] = &[
    create::COMMAND,
    exec::COMMAND,
    inspect::COMMAND,
    kill::COMMAND,
    list::COMMAND,
    logs::COMMAND,
    port::COMMAND,
    prune::COMMAND,
    remove::COMMAND,
    rename::COMMAND,
    restart::COMMAND,
    run::COMMAND,
    start::COMMAND,
    stop::COMMAND,
    wait::COMMAND,
];
