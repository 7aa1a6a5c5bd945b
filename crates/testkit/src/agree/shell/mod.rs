//! The runner of scripts: plain sh, read by ourselves, whose commands are our front ends as functions. No process is
//! started, so that the same script runs a hundred times a second on a real kernel, and in no time in the
//! emulation.
//!
//! * [`parse`] text to a tree
//! * `expand` words to strings
//! * [`run`] the tree on a kernel
//! * `builtins` the commands that are not front ends; `sed` one of them
//! * `streams` what surrounds a front end: its output, files, signals
//!
//! The language: simple commands, quoting, `;` `&&` `||` `!` `|` `&`, variables and `$(…)`, `${v%p}` and `${v#p}`,
//! `for`, `if`, `{ … }`, functions, redirections. Files are kept in memory, but those of `/proc` and `/sys` are the
//! kernel's. What is outside of the language, or a command that is none of ours, is an error that names line and word.

mod builtins;
mod expand;
mod inject;
pub mod parse;
pub mod run;
mod sed;
mod streams;

pub use parse::ScriptError;
pub use run::{Interpreter, Ran};
pub use streams::Signals;
