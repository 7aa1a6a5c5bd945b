//! The arguments of `hairpin` itself.

use clap::{Parser, Subcommand, ValueEnum};
use hairpin_host::multicall;

/// Linux virtual networking in one user-space process.
#[derive(Parser)]
#[command(name = "hairpin", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run one front end (ip, bridge, ping, ...) directly
    Tool {
        /// The kernel it talks to
        #[arg(long, value_enum, default_value_t = Engine::Linux)]
        engine: Engine,
        /// The front end
        name: String,
        /// Its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Engine {
    /// This machine's own kernel
    Linux,
}

/// Parses and runs; returns the exit code.
pub fn main(args: &[String]) -> i32 {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return error.exit_code();
        }
    };
    match arguments.command {
        Command::Tool { engine: Engine::Linux, name, args } => tool(&name, &args),
    }
}

fn tool(name: &str, args: &[String]) -> i32 {
    multicall::run_on_linux(name, args).unwrap_or_else(|| {
        let known: Vec<&str> = hairpin_tools::FRONT_ENDS.iter().map(|(name, _)| *name).collect();
        eprintln!("hairpin: no front end called '{name}'; there are: {}", known.join(", "));
        127
    })
}
