//! Prints the steps that build a world: `cargo run -p hairpin-lab --example plan WORLD`.
#![allow(clippy::disallowed_methods, reason = "a program of its own reads files")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(world) = std::env::args().nth(1) else {
        eprintln!("usage: plan WORLD");
        return ExitCode::from(2);
    };
    match hairpin_lab::open(&world, &mut |path| std::fs::read_to_string(path)) {
        Ok(world) => {
            print!("{}", hairpin_lab::plan(&world));
            ExitCode::SUCCESS
        }
        Err(errors) => {
            eprintln!("{errors}");
            ExitCode::from(2)
        }
    }
}
