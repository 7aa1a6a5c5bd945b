//! `docker`, for the networks of containers on the hosts of a world: the command of Docker 28 and, in the same process,
//! what its daemon does. Of macvlan and ipvlan networks, default routes follow Docker 29: only with `--gateway`.
//!
//! A container is a network namespace, an image is a name; programs and files are those of the machine.
//!
//! * `network`, `container` the commands, a file each
//! * `flags` their command lines; `table`, `template`, `value`, `inspect`, `filter`, `time` their output
//! * `model` what is known of a host, `store` where it is kept
//! * `start` the daemon's start; `sandbox` containers start and stop; `names`, `resolver`, `resolv_conf` how they find each
//!   other
//! * `driver` what is made on the host for networks and containers; `ipam` addresses, `prefix` subnets
//! * `engine` runs our own `ip` and `iptables` for all of that

mod container;
mod driver;
mod engine;
mod filter;
mod flags;
mod inspect;
mod ipam;
mod model;
mod names;
mod network;
mod prefix;
mod resolv_conf;
mod resolver;
mod sandbox;
mod start;
mod store;
mod table;
mod template;
mod time;
mod value;
mod words;

use crate::Program;
use engine::{Docker, Failure, Outcome};
use flags::{Flag, Operands, Parsed, Syntax};

/// A command: its names, its arguments, what it does.
struct Command {
    names: &'static [&'static str],
    syntax: Syntax,
    run: fn(&mut Docker<'_>, &Parsed) -> Outcome,
}

const VERSION: &str = "28.5.2";

const USAGE: &str = "\
Usage:  docker [OPTIONS] COMMAND

Networks of containers on the hosts of an emulated world

Commands:
  create      Create a new container
  exec        Execute a command in a running container
  inspect     Return low-level information on Docker objects
  kill        Kill one or more running containers
  logs        Fetch the logs of a container
  network     Manage networks
  port        List port mappings or a specific mapping for the container
  ps          List containers
  pull        Download an image from a registry (an image is a name here)
  rename      Rename a container
  restart     Restart one or more containers
  rm          Remove one or more containers
  run         Create and run a new container from an image
  start       Start one or more stopped containers
  stop        Stop one or more running containers
  version     Show the Docker version information
  wait        Block until one or more containers stop, then print their exit codes

Management Commands:
  container   Manage containers
  network     Manage networks

Run 'docker COMMAND --help' for more information on a command.
";

/// Options in front of the command: the daemon is always the host's own.
const GLOBAL: Syntax = Syntax {
    path: "docker",
    usage: "[OPTIONS] COMMAND [ARG...]",
    short: "",
    flags: &[&[
        flags::value("config", ' ', "string", ""),
        flags::value("context", 'c', "string", ""),
        flags::switch("debug", 'D', ""),
        flags::value("host", 'H', "list", ""),
        flags::value("log-level", 'l', "string", ""),
        flags::switch("version", 'v', ""),
    ]],
    operands: Operands::AtLeast(0),
    interspersed: false,
};

const INSPECT: Syntax = Syntax {
    path: "docker inspect",
    usage: "[OPTIONS] NAME|ID [NAME|ID...]",
    short: "Return low-level information on Docker objects",
    flags: &[&[
        flags::value("format", 'f', "string", "Format output using a custom template: 'json' or 'TEMPLATE'"),
        flags::switch("size", 's', "Display total file sizes if the type is container"),
        flags::value("type", ' ', "string", "Only inspect objects of the given type"),
    ]],
    operands: Operands::AtLeast(1),
    interspersed: true,
};

const PULL: Syntax = Syntax {
    path: "docker pull",
    usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
    short: "Download an image from a registry",
    flags: &[&[
        flags::value("platform", ' ', "string", ""),
        flags::switch("quiet", 'q', "Suppress verbose output"),
    ] as &[Flag]],
    operands: Operands::Exactly(1),
    interspersed: true,
};

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let mut docker = Docker { system: &mut *program.system, shell: &mut *program.shell };
    let outcome = dispatch(&mut docker, program.args);
    outcome.unwrap_or_else(|Failure { text, code }| {
        if !text.is_empty() {
            docker.complain(&text);
        }
        code
    })
}

fn dispatch(docker: &mut Docker<'_>, args: &[String]) -> Outcome {
    let global = parse(&GLOBAL, args)?;
    if global.is_on("version") {
        docker.print(&format!("Docker version {VERSION}, build hairpin\n"));
        return Ok(0);
    }
    let Some((word, args)) = global.operands.split_first().filter(|_| !global.help) else {
        docker.print(USAGE);
        return Ok(0);
    };
    match word.as_str() {
        "network" => group(docker, "network", "networks", network::COMMANDS, args),
        "container" => group(docker, "container", "containers", container::COMMANDS, args),
        "help" => {
            docker.print(USAGE);
            Ok(0)
        }
        "version" => {
            docker.print(&format!("Client: hairpin\n Version:           {VERSION}\n"));
            Ok(0)
        }
        "inspect" => {
            let parsed = parse(&INSPECT, args)?;
            match parsed.help {
                true => docker.print(&INSPECT.help()),
                false => return inspect_any(docker, &parsed),
            }
            Ok(0)
        }
        container::KEEPER => match args {
            [id, started] => container::keep(docker, id, started),
            _ => Err(unknown(word)),
        },
        driver::proxy::PROXY => driver::proxy::run(docker, args),
        resolver::RESOLVER => resolver::run(docker, args),
        "pull" => {
            let parsed = parse(&PULL, args)?;
            pull(docker, &parsed);
            Ok(0)
        }
        // `ls` and `list` are containers' only behind the word `container`.
        word if !matches!(word, "ls" | "list" | "remove" | "prune") => {
            match container::COMMANDS.iter().find(|command| command.names.contains(&word)) {
                Some(command) => perform(docker, command, args),
                None => Err(unknown(word)),
            }
        }
        word => Err(unknown(word)),
    }
}

/// What Docker has, and an emulation of its networks has no use for.
const NOT_EMULATED: &[&str] = &[
    "attach",
    "build",
    "builder",
    "buildx",
    "checkpoint",
    "commit",
    "compose",
    "config",
    "context",
    "cp",
    "diff",
    "events",
    "export",
    "history",
    "image",
    "images",
    "import",
    "info",
    "load",
    "login",
    "logout",
    "manifest",
    "node",
    "pause",
    "plugin",
    "push",
    "rmi",
    "save",
    "search",
    "secret",
    "service",
    "stack",
    "stats",
    "swarm",
    "system",
    "tag",
    "top",
    "trust",
    "unpause",
    "update",
    "volume",
];

fn unknown(word: &str) -> Failure {
    if NOT_EMULATED.contains(&word) {
        return Failure::of_client(format!(
            "docker: hairpin does not emulate 'docker {word}': it has networks and containers, see 'docker --help'"
        ));
    }
    Failure::of_client(format!(
        "docker: unknown command: docker {word}\n\nRun 'docker --help' for more information"
    ))
}

/// `docker network …`, `docker container …`
fn group(docker: &mut Docker<'_>, name: &str, what: &str, commands: &[Command], args: &[String]) -> Outcome {
    let found = args.split_first().and_then(|(word, args)| {
        Some((commands.iter().find(|command| command.names.contains(&word.as_str()))?, args))
    });
    if let Some((command, args)) = found {
        return perform(docker, command, args);
    }
    let mut usage = format!("Usage:  docker {name} COMMAND\n\nManage {what}\n\nCommands:\n");
    for command in commands {
        let shown = match command.names {
            ["ps", ..] => "ls",
            names => names.first().copied().unwrap_or(""),
        };
        usage.push_str(&format!("  {shown:<11} {}\n", command.syntax.short));
    }
    usage.push_str(&format!("\nRun 'docker {name} COMMAND --help' for more information on a command.\n"));
    match args.first().map(String::as_str) {
        None | Some("--help" | "-h" | "help") => {
            docker.print(&usage);
            Ok(0)
        }
        Some(word) => Err(Failure::of_client(format!(
            "docker: unknown command: docker {name} {word}\n\nUsage:  docker {name} COMMAND\n\nRun 'docker {name} \
             --help' for more information"
        ))),
    }
}

fn perform(docker: &mut Docker<'_>, command: &Command, args: &[String]) -> Outcome {
    let parsed = parse(&command.syntax, args)?;
    if parsed.help {
        docker.print(&command.syntax.help());
        return Ok(0);
    }
    docker.start_daemon()?;
    (command.run)(docker, &parsed)
}

fn parse(syntax: &Syntax, args: &[String]) -> Result<Parsed, Failure> {
    // A newline ends the text already.
    syntax.parse(args).map_err(|(text, code)| Failure { text: text.trim_end().to_owned(), code })
}

/// `docker inspect`: containers and networks.
fn inspect_any(docker: &mut Docker<'_>, parsed: &Parsed) -> Outcome {
    docker.start_daemon()?;
    let state = docker.state()?;
    let kind = parsed.text("type");
    let find = |name: &str| {
        if kind != "network"
            && let Ok(container) = state.container(name)
        {
            return Ok(container::inspected(&state, container));
        }
        if kind != "container"
            && let Ok(network) = state.network(name)
        {
            return Ok(network::inspected(&state, network));
        }
        Err(match kind {
            "" => format!("error: no such object: {name}"),
            kind => format!("error: no such {kind}: {name}"),
        })
    };
    inspect::print(docker, parsed.text("format"), &parsed.operands, find)
}

fn pull(docker: &mut Docker<'_>, parsed: &Parsed) {
    let name = parsed.operands.first().map_or("", String::as_str);
    let last = name.rsplit('/').next().unwrap_or(name);
    let tagged = if last.contains([':', '@']) { name.to_owned() } else { format!("{name}:latest") };
    let full = match name.split('/').count() {
        1 => format!("docker.io/library/{tagged}"),
        2 if !name.split('/').next().is_some_and(|host| host.contains(['.', ':'])) => {
            format!("docker.io/{tagged}")
        }
        _ => tagged,
    };
    if !parsed.is_on("quiet") {
        docker.print(&format!(
            "Status: Image is up to date for {}\n",
            full.trim_start_matches("docker.io/library/")
        ));
    }
    docker.print(&format!("{full}\n"));
}

impl Docker<'_> {
    /// Does something with each object named, and prints its name: what fails is told, and the exit code is 1.
    fn each(
        &mut self,
        names: &[String],
        mut act: impl FnMut(&mut Self, &str) -> Result<(), String>,
    ) -> Outcome {
        let mut errors = Vec::new();
        for name in names {
            match act(self, name) {
                Ok(()) => self.print(&format!("{name}\n")),
                Err(error) => errors.push(format!("Error response from daemon: {error}")),
            }
        }
        match errors.is_empty() {
            true => Ok(0),
            false => Err(Failure::of_client(errors.join("\n"))),
        }
    }

    /// Asks whether to go on.
    fn confirm(&mut self, warning: &str) -> bool {
        self.print(&format!("{warning}\nAre you sure you want to continue? [y/N] "));
        let _ = self.shell.out().flush();
        let mut answer = String::new();
        let _ = self.shell.input().read_line(&mut answer);
        answer.trim().eq_ignore_ascii_case("y")
    }
}
