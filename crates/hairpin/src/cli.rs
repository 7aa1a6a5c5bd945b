//! The arguments of `hairpin` itself.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hairpin_host::multicall::{self, Engine};
use hairpin_host::session::launch::{self, TraceTo};
use hairpin_host::session::manage::{self, Listed};
use hairpin_host::session::{Pace, TaskName};
use serde_json::json;

use hairpin_host::emulated::{TRACE_LINES_MAX, load};

/// Linux virtual networking in one user-space process.
#[derive(Parser)]
#[command(name = "hairpin", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a bash script whose ip, bridge, ping, tcpdump, ... act on an emulated world
    Run {
        #[command(flatten)]
        world: WorldArguments,
        /// Record what happens to every frame, a line each
        #[arg(long, value_name = "FILE")]
        trace: Option<PathBuf>,
        /// The trace ends after so many lines; its last line says so
        #[arg(long, value_name = "N", default_value_t = TRACE_LINES_MAX, requires = "trace")]
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        trace_lines: u64,
        /// The script; - reads it from standard input
        script: String,
        /// Its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// An interactive shell in a world of its own
    Shell {
        #[command(flatten)]
        world: WorldArguments,
    },
    /// Start a world that stays until 'hairpin down'
    Up {
        /// A built-in world (nat, bare) or a YAML file
        #[arg(value_name = "WORLD", required_unless_present = "named")]
        world: Option<String>,
        /// The same, as `run` and `shell` take it
        #[arg(long = "world", value_name = "WORLD", conflicts_with = "world", hide = true)]
        named: Option<String>,
        /// What to call it; the file's name without extension where left out
        #[arg(long, short)]
        name: Option<String>,
        #[arg(long, value_enum, default_value_t = Clock::Virtual)]
        clock: Clock,
    },
    /// Run a command on a host of a world that is up
    Exec {
        /// The world; may be left out where one is up
        #[arg(long, short)]
        world: Option<String>,
        /// HOST, HOST:NETNS or :NETNS; may be left out where the world has one host
        #[arg(value_name = "HOST[:NETNS]", default_value = "", hide_default_value = true)]
        place: String,
        /// The command; a shell where left out
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// List the worlds that are up
    Ls {
        #[arg(long)]
        json: bool,
    },
    /// End a world
    Down {
        /// The world; may be left out where one is up
        name: Option<String>,
    },
    /// Let a world's time pass
    Wait {
        /// The world; may be left out where one is up
        #[arg(long, short)]
        world: Option<String>,
        seconds: String,
    },
    /// Run one front end (ip, bridge, ping, ...) directly
    Tool {
        /// The kernel it talks to [default: the session it is called in, else linux]
        #[arg(long, value_enum)]
        engine: Option<EngineName>,
        /// The front end
        name: String,
        /// Its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

#[derive(Args)]
struct WorldArguments {
    /// A built-in world (nat, bare) or a YAML file
    #[arg(long, default_value = "nat")]
    world: String,
    /// Where to start: HOST, HOST:NETNS or :NETNS [default: the first host]
    #[arg(long, value_name = "HOST[:NETNS]")]
    host: Option<String>,
    #[arg(long, value_enum, default_value_t = Clock::Virtual)]
    clock: Clock,
}

#[derive(Clone, Copy, ValueEnum)]
enum Clock {
    /// Time passes as fast as programs wait for it
    Virtual,
    /// Time passes as on the wall
    Real,
}

#[derive(Clone, Copy, ValueEnum)]
enum EngineName {
    /// The session's emulated kernel
    Emulated,
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
    perform(arguments.command).unwrap_or_else(|text| {
        eprintln!("hairpin: {text}");
        1
    })
}

fn perform(command: Command) -> Result<i32, String> {
    match command {
        Command::Run { world, trace, trace_lines, script, args } => {
            let trace = trace.map(|file| TraceTo { file, lines_max: trace_lines });
            launch::run(load, &world.options(trace), &script, &args)
        }
        Command::Shell { world } => launch::shell(load, &world.options(None)),
        Command::Up { world, named, name, clock } => {
            let world = world.or(named).unwrap_or_default();
            println!("{}", manage::up(load, &world, name.as_deref(), clock.pace())?);
            Ok(0)
        }
        Command::Exec { world, place, command } => {
            launch::exec(world.as_deref(), &TaskName::parse(&place), &command)
        }
        Command::Ls { json } => {
            list(&manage::list(), json);
            Ok(0)
        }
        Command::Down { name } => {
            println!("world '{}' is down", manage::down(name.as_deref())?);
            Ok(0)
        }
        Command::Wait { world, seconds } => launch::wait(world.as_deref(), &seconds).map(|()| 0),
        Command::Tool { engine, name, args } => Ok(tool(engine, &name, &args)),
    }
}

impl WorldArguments {
    fn options(&self, trace: Option<TraceTo>) -> launch::Options {
        let task = TaskName::parse(self.host.as_deref().unwrap_or_default());
        launch::Options { world: self.world.clone(), task, pace: self.clock.pace(), trace }
    }
}

impl Clock {
    fn pace(self) -> Pace {
        match self {
            Clock::Virtual => Pace::Virtual,
            Clock::Real => Pace::Real,
        }
    }
}

fn tool(engine: Option<EngineName>, name: &str, args: &[String]) -> i32 {
    let code = match (hairpin_tools::find(name), engine) {
        (Some(main), Some(EngineName::Linux)) => Some(multicall::run_on(Engine::Linux, main, name, args)),
        (Some(main), Some(EngineName::Emulated)) => {
            Some(multicall::run_on(Engine::Session, main, name, args))
        }
        _ => multicall::run(hairpin_tools::find, name, args),
    };
    code.unwrap_or_else(|| {
        let known: Vec<&str> = hairpin_tools::FRONT_ENDS.iter().map(|(name, _)| *name).collect();
        eprintln!("hairpin: no front end called '{name}'; there are: {}", known.join(", "));
        127
    })
}

fn list(worlds: &[Listed], json: bool) {
    if json {
        let all: Vec<_> = worlds.iter().map(as_json).collect();
        println!("{:#}", serde_json::Value::from(all));
        return;
    }
    let width = worlds.iter().map(|world| world.name.len()).max().unwrap_or(0);
    for Listed { name, description } in worlds {
        println!("{name:width$}  {}  {}", age(description.age_seconds), description.world);
        for host in &description.hosts {
            let namespaces: String =
                host.namespaces.iter().map(|netns| format!(" {}:{netns}", host.name)).collect();
            println!("  {}{namespaces}", host.name);
        }
    }
}

fn as_json(listed: &Listed) -> serde_json::Value {
    let description = &listed.description;
    let hosts: Vec<_> = description
        .hosts
        .iter()
        .map(|host| json!({"name": host.name, "namespaces": host.namespaces}))
        .collect();
    json!({
        "name": listed.name,
        "world": description.world,
        "pid": description.process_id,
        "age_seconds": description.age_seconds,
        "clock": match description.pace { Pace::Virtual => "virtual", Pace::Real => "real" },
        "time_ns": description.monotonic_ns,
        "hosts": hosts,
    })
}

fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn exec_without_a_host() {
        let parsed =
            Arguments::try_parse_from(["hairpin", "exec", "--", "ip", "-d", "link"]).expect("parsed");
        match parsed.command {
            Command::Exec { world: None, place, command } => {
                assert_eq!((place.as_str(), command.len()), ("", 3));
            }
            _ => panic!("not exec"),
        }
    }

    #[test]
    fn a_world_that_stays_is_named_as_one_that_does_not() {
        for args in [&["hairpin", "up", "bare"][..], &["hairpin", "up", "--world", "bare", "-n", "x"]] {
            match Arguments::try_parse_from(args).expect("parsed").command {
                Command::Up { world, named, .. } => assert_eq!(world.or(named).as_deref(), Some("bare")),
                _ => panic!("not up"),
            }
        }
        assert!(Arguments::try_parse_from(["hairpin", "up"]).is_err());
    }

    #[test]
    fn a_script_gets_its_options() {
        let parsed =
            Arguments::try_parse_from(["hairpin", "run", "x.sh", "-v", "--world", "y"]).expect("parsed");
        match parsed.command {
            Command::Run { world, args, .. } => {
                assert_eq!((world.world.as_str(), args.len()), ("nat", 3));
            }
            _ => panic!("not run"),
        }
    }
}
