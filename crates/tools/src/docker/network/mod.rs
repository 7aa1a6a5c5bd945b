//! `docker network`: a file a command.

mod connect;
mod create;
mod disconnect;
mod inspect;
mod list;
mod prune;
mod remove;

use super::Command;

pub(super) use inspect::inspected;

/// The commands behind `docker network`.
pub(super) const COMMANDS: &[Command] = &[
    connect::COMMAND,
    create::COMMAND,
    disconnect::COMMAND,
    inspect::COMMAND,
    list::COMMAND,
    prune::COMMAND,
    remove::COMMAND,
];
