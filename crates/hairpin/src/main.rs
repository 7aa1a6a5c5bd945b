//! The `hairpin` command. Called by the name of a front end (`ip`, `ping`, …) it is that front end.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod cli;

use std::process::ExitCode;

use hairpin_host::multicall;

fn main() -> ExitCode {
    let args: Vec<String> =
        std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let called = args.first().map_or("", |path| path.rsplit('/').next().unwrap_or(path));
    // Before anything else: these start a hundred times in a script.
    let code = multicall::run(hairpin_tools::find, called, args.get(1..).unwrap_or(&[]))
        .unwrap_or_else(|| cli::main(&args));
    ExitCode::from(u8::try_from(code & 0xff).unwrap_or(1))
}
