//! `teamdctl`: asks a running `teamd`, and tells it.

use hairpin_netlink::team::{TeamCall, TeamDaemon, TeamMode, TeamPortState, TeamState};
use hairpin_netlink::{Errno, System};
use serde_json::{Value as Json, json};

use super::config::{Unfit, read_port};
use super::view::{View, state_json};
use super::{dump, enslave, find, order, state};
use crate::getopt::{Getopt, Item, Long, Value};
use crate::{Program, Shell};

const LONG: &[Long] = &[
    ("help", Value::None, 'h'),
    ("verbose", Value::None, 'v'),
    ("oneline", Value::None, 'o'),
    ("force-dbus", Value::None, 'D'),
    ("force-zmq", Value::Required, 'Z'),
    ("force-usock", Value::None, 'U'),
];

const HELP: &str = " [options] teamdevname command [command args]
    -h --help                Show this help
    -v --verbose             Increase output verbosity
    -o --oneline             Force output to one line if possible
    -D --force-dbus          Force to use D-Bus interface
    -Z --force-zmq=ADDRESS   Force to use ZeroMQ interface [-Z[Address]]
    -U --force-usock         Force to use UNIX domain socket interface
Commands:
";

/// Every command: its words, and what it needs besides.
const COMMANDS: &[(&[&str], &[&str])] = &[
    (&["config", "dump"], &[]),
    (&["config", "dump", "noports"], &[]),
    (&["config", "dump", "actual"], &[]),
    (&["state"], &[]),
    (&["state", "dump"], &[]),
    (&["state", "view"], &[]),
    (&["state", "item", "get"], &["ITEMPATH"]),
    (&["state", "item", "set"], &["ITEMPATH", "VALUE"]),
    (&["port", "add"], &["PORTDEV"]),
    (&["port", "remove"], &["PORTDEV"]),
    (&["port", "present"], &["PORTDEV"]),
    (&["port", "config", "update"], &["PORTDEV", "PORTCONFIG"]),
    (&["port", "config", "dump"], &["PORTDEV"]),
];

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let name = program.name.to_owned();
    let mut walk = Getopt::new(program.name, program.args, "hvoDZ:U", LONG);
    let (mut verbose, mut one_line) = (false, false);
    while let Some(item) = walk.next() {
        match item {
            Item::Option('h', _) => return help(program.shell, &name, 0),
            Item::Option('v', _) => verbose = true,
            Item::Option('o', _) => one_line = true,
            // By which way the daemon is asked.
            Item::Option(..) => {}
            Item::Error(text) => {
                let _ = writeln!(program.shell.err(), "{text}\nunknown option.");
                return help(program.shell, &name, 1);
            }
        }
    }
    let operands = walk.operands();
    let Some((device, words)) = operands.split_first() else {
        let _ = writeln!(program.shell.err(), "No team device specified.");
        return help(program.shell, &name, 1);
    };
    let (command, arguments) = match find_command(words) {
        Ok(found) => found,
        Err(text) => {
            let _ = writeln!(program.shell.err(), "{text}");
            return help(program.shell, &name, 1);
        }
    };
    let mut control = Control { system: &mut *program.system, shell: &mut *program.shell, verbose, one_line };
    match control.perform(device, command, &arguments) {
        Ok(()) => 0,
        Err(Some(errno)) => {
            let _ = writeln!(control.shell.err(), "command call failed ({errno})");
            1
        }
        Err(None) => 1,
    }
}

fn help(shell: &mut dyn Shell, name: &str, code: i32) -> i32 {
    let _ = write!(shell.out(), "{name}{HELP}");
    for (words, parameters) in COMMANDS {
        let _ = writeln!(shell.out(), "    {}", [*words, *parameters].concat().join(" "));
    }
    code
}

/// `find_command`: words may be shortened; the first command that can take all that follows is meant.
fn find_command<'a>(words: &[&'a str]) -> Result<(&'static [&'static str], Vec<&'a str>), String> {
    let mut prefix: Vec<&'static str> = Vec::new();
    let mut rest = words;
    loop {
        let Some((word, following)) = rest.split_first() else {
            return Err("None or incomplete command".to_owned());
        };
        rest = following;
        let next = COMMANDS.iter().find_map(|(known, _)| {
            let next = known.get(prefix.len())?;
            (known.starts_with(&prefix) && next.starts_with(word)).then_some(*next)
        });
        prefix.push(next.ok_or_else(|| format!("Unknown command \"{word}\"."))?);
        let command = COMMANDS.iter().find(|(known, _)| *known == prefix.as_slice());
        if let Some((known, parameters)) = command.filter(|(_, parameters)| parameters.len() >= rest.len()) {
            return match parameters.get(rest.len()) {
                Some(missing) => Err(format!("Command line parameter \"{missing}\" expected.")),
                None => Ok((*known, rest.to_vec())),
            };
        }
    }
}

struct Control<'a> {
    system: &'a mut dyn System,
    shell: &'a mut dyn Shell,
    verbose: bool,
    one_line: bool,
}

/// An error that is still to be told, or none where that is done.
type Outcome = Result<(), Option<Errno>>;

impl Control<'_> {
    fn complain(&mut self, text: &str) {
        let _ = writeln!(self.shell.err(), "{text}");
    }

    fn perform(&mut self, device: &str, command: &[&str], arguments: &[&str]) -> Outcome {
        let Some(interface) = find(self.system, device).map_err(Some)? else {
            self.complain(&format!("Device \"{device}\" does not exist"));
            return Err(None);
        };
        let team = interface.index();
        let Ok(state) = state(self.system, team) else { return self.no_daemon() };
        let Some(daemon) = state.daemon.clone() else { return self.no_daemon() };
        let argument = arguments.first().copied().unwrap_or_default();
        let mut config = config_of(&state, &daemon);
        match command {
            ["config", "dump"] => self.print(&config),
            ["config", "dump", "noports"] => {
                if let Json::Object(config) = &mut config {
                    config.remove("ports");
                }
                self.print(&config);
            }
            ["config", "dump", "actual"] => {
                if let Json::Object(config) = &mut config {
                    let had = config.remove("ports").unwrap_or_else(|| json!({}));
                    let of = |port: &TeamPortState| had.get(&port.name).cloned().unwrap_or_else(|| json!({}));
                    let ports = state.ports.iter().map(|port| (port.name.clone(), of(port)));
                    config.insert("ports".to_owned(), Json::Object(ports.collect()));
                }
                self.print(&config);
            }
            ["state"] | ["state", "view"] => {
                View { shell: &mut *self.shell, verbose: self.verbose }.show(&state, &daemon);
            }
            ["state", "dump"] => {
                let text = dump(&state_json(&interface, &state, &daemon), self.one_line);
                let _ = writeln!(self.shell.out(), "{text}");
            }
            ["state", "item", "get"] => return self.item(&state_json(&interface, &state, &daemon), argument),
            ["port", "add"] => {
                let Some(port) = find(self.system, argument).map_err(Some)? else {
                    return self.refused("NoSuchDev", "No such device.");
                };
                if let Err(errno) = enslave(self.system, port.index(), team) {
                    let text = format!("Failed to add port: {errno}.");
                    return self.refused("PortAddFail", &text);
                }
            }
            ["port", "remove"] => {
                let Some(port) = state.ports.iter().find(|port| port.name == argument) else {
                    let text = if find(self.system, argument).map_err(Some)?.is_some() {
                        ("NoSuchPort", "No such port.")
                    } else {
                        ("NoSuchDev", "No such device.")
                    };
                    return self.refused(text.0, text.1);
                };
                enslave(self.system, port.ifindex, 0).map_err(Some)?;
            }
            ["port", "present"] => {
                if !state.ports.iter().any(|port| port.name == argument) {
                    return Err(Some(Errno::ENODEV));
                }
            }
            ["port", "config", "dump"] => {
                if find(self.system, argument).map_err(Some)?.is_none() {
                    return self.refused("NoSuchDev", "No such device.");
                }
                let config = config.get("ports").and_then(|ports| ports.get(argument)).cloned();
                self.print(&config.unwrap_or_else(|| json!({})));
            }
            ["port", "config", "update"] => {
                let text = arguments.get(1).copied().unwrap_or_default();
                return self.update_port(team, daemon, argument, text);
            }
            ["state", "item", "set"] => {
                let value = arguments.get(1).copied().unwrap_or_default();
                let all = state_json(&interface, &state, &daemon);
                return self.set_item(team, &state, daemon, &all, argument, value);
            }
            other => {
                let text = format!("teamdctl: {} is not supported by hairpin yet", other.join(" "));
                self.complain(&text);
                return Err(None);
            }
        }
        Ok(())
    }

    /// `teamd_config_port_update`: a port's configuration is another one from now on.
    fn update_port(&mut self, team: u32, mut daemon: TeamDaemon, port: &str, text: &str) -> Outcome {
        if find(self.system, port).map_err(Some)?.is_none() {
            return self.refused("NoSuchDev", "No such device.");
        }
        let failed = ("ConfigUpdateFail", "Failed to update config.");
        let Ok(said @ Json::Object(_)) = serde_json::from_str::<Json>(text) else {
            return self.refused(failed.0, failed.1);
        };
        let read = match read_port(port, &said) {
            Ok(read) => read,
            Err(Unfit::Refused(_)) => return self.refused(failed.0, failed.1),
            Err(Unfit::NotEmulated(what)) => {
                self.complain(&format!("teamdctl: {what} is not emulated yet"));
                return Err(None);
            }
        };
        daemon.ports.retain(|known| known.name != port);
        daemon.ports.push(read);
        let mut config: Json = serde_json::from_str(&daemon.config).unwrap_or_else(|_| json!({}));
        if let Json::Object(config) = &mut config
            && let Json::Object(ports) = config.entry("ports").or_insert_with(|| json!({}))
        {
            ports.insert(port.to_owned(), said);
        }
        daemon.config = config.to_string();
        order(self.system, TeamCall::Configure { ifindex: team, daemon: Box::new(daemon) }).map_err(Some)
    }

    /// `teamd_state_item_value_set`
    fn set_item(
        &mut self,
        team: u32,
        state: &TeamState,
        mut daemon: TeamDaemon,
        all: &Json,
        path: &str,
        value: &str,
    ) -> Outcome {
        let failed = ("ItemValueSetFail", "Failed to set item value.");
        let call = match path {
            "setup.debug_level" => {
                let Ok(level) = value.parse() else { return self.refused(failed.0, failed.1) };
                daemon.debug_level = level;
                TeamCall::Configure { ifindex: team, daemon: Box::new(daemon) }
            }
            "runner.active_port" if daemon.mode == TeamMode::ActiveBackup => {
                let Some(port) = state.ports.iter().find(|port| port.name == value) else {
                    return self.refused(failed.0, failed.1);
                };
                TeamCall::Choose { ifindex: team, port: port.ifindex }
            }
            _ if path.split('.').try_fold(all, |at, key| at.get(key)).is_some() => {
                return self.refused("OpNotSupp", "Operation not supported.");
            }
            _ => return self.refused("PathDoesNotExist", "Item path does not exist."),
        };
        order(self.system, call).map_err(Some)
    }

    fn no_daemon(&mut self) -> Outcome {
        self.complain("libteamdctl: teamdctl_connect: Failed to connect using all CLIs.");
        self.complain("teamdctl_connect failed (Invalid argument)");
        Err(None)
    }

    fn refused(&mut self, kind: &str, text: &str) -> Outcome {
        let message = "libteamdctl: cli_usock_process_msg: usock: Error message";
        self.complain(&format!("{message} received: \"{kind}\"\n{message} content: \"{text}\""));
        Err(Some(Errno::EINVAL))
    }

    fn print(&mut self, value: &Json) {
        let text = dump(value, self.one_line);
        let _ = writeln!(self.shell.out(), "{text}");
    }

    fn item(&mut self, all: &Json, path: &str) -> Outcome {
        let item = path.split('.').try_fold(all, |at, key| at.get(key));
        let text = match item {
            Some(Json::String(text)) => text.clone(),
            Some(value @ (Json::Bool(_) | Json::Number(_))) => value.to_string(),
            _ => return self.refused("PathDoesNotExist", "Item path does not exist."),
        };
        let _ = writeln!(self.shell.out(), "{text}");
        Ok(())
    }
}

/// The configuration, into which the daemon has put the link watch of ports of which nothing is said.
fn config_of(state: &TeamState, daemon: &TeamDaemon) -> Json {
    let mut config: Json = serde_json::from_str(&daemon.config).unwrap_or_else(|_| json!({}));
    let Json::Object(map) = &mut config else { return config };
    if map.contains_key("link_watch") {
        return config;
    }
    for port in &state.ports {
        if let Json::Object(ports) = map.entry("ports").or_insert_with(|| json!({}))
            && let Json::Object(port) = ports.entry(port.name.as_str()).or_insert_with(|| json!({}))
        {
            port.entry("link_watch").or_insert_with(|| json!({"name": "ethtool"}));
        }
    }
    config
}
