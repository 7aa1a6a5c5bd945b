//! Commands for those who work on hairpin: `cargo xtask …`.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod agree;
mod mutants;
mod report;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Commands for those who work on hairpin.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare the emulation with a real Linux kernel, script by script, line by line
    Agree(agree::Options),
    /// Plant faults in the emulation, one at a time, and see which case catches each
    Mutants(mutants::Options),
}

fn main() -> ExitCode {
    if hairpin_testkit::agree::worker::serve_if_called() {
        return ExitCode::SUCCESS;
    }
    let result = match Arguments::parse().command {
        Command::Agree(options) => agree::run(&options),
        Command::Mutants(options) => mutants::run(&options),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(text) => {
            eprintln!("cargo xtask: {text}");
            ExitCode::from(2)
        }
    }
}
