//! What a command line asks for.

use hairpin_netlink::netfilter::{Counters, Rule};

use crate::iptables::help;
use crate::iptables::list::Format;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::iptables) enum Action {
    Append,
    Delete,
    DeleteNumber(usize),
    Insert(usize),
    Replace(usize),
    Check,
    List(usize),
    ListRules(usize),
    Flush,
    Zero,
    ZeroNumber(usize),
    NewChain,
    DeleteChain,
    RenameChain,
    Policy,
}

impl Action {
    pub fn letter(self) -> char {
        match self {
            Action::Append => 'A',
            Action::Delete | Action::DeleteNumber(_) => 'D',
            Action::Insert(_) => 'I',
            Action::Replace(_) => 'R',
            Action::Check => 'C',
            Action::List(_) => 'L',
            Action::ListRules(_) => 'S',
            Action::Flush => 'F',
            Action::Zero | Action::ZeroNumber(_) => 'Z',
            Action::NewChain => 'N',
            Action::DeleteChain => 'X',
            Action::RenameChain => 'E',
            Action::Policy => 'P',
        }
    }

    pub fn has_rule(self) -> bool {
        matches!(
            self,
            Action::Append | Action::Delete | Action::Insert(_) | Action::Replace(_) | Action::Check
        )
    }

    /// Options (by letter, 0 for `--line-numbers`) that it does not go with (`commands_v_options`).
    pub fn refuses(self) -> &'static str {
        match self {
            Action::Append | Action::Insert(_) | Action::Replace(_) => "nx0",
            Action::Delete | Action::Check => "nx0c",
            Action::List(_) => "sdpjiocf",
            Action::Policy => "nsdpjxio0f",
            _ => "nsdpjxio0cf",
        }
    }
}

/// A command line, read.
#[derive(Clone, Debug)]
pub(in crate::iptables) struct Command {
    pub action: Action,
    /// `-L -Z`: the counters are cleared afterwards.
    pub then_zero: bool,
    pub table: String,
    pub chain: Option<String>,
    /// The new name of a chain.
    pub new_name: String,
    pub policy: String,
    /// One rule for every pair of a source and a destination.
    pub rules: Vec<Rule>,
    /// The word behind `-j` or `-g`, which may be a chain; none where `rules` have their target already.
    pub jump: Option<String>,
    pub goto: bool,
    pub counters: Option<Counters>,
    pub format: Format,
    pub verbose: u32,
}

/// What a command line asks for besides commands.
pub(in crate::iptables) enum Parsed {
    Command(Box<Command>),
    Help(help::Asked),
    Version,
    /// It is for the other family.
    Nothing,
}
