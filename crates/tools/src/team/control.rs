//! `teamdctl`: asks a running `teamd`, and tells it.

use hairpin_netlink::team::{TeamDaemon, TeamMode, TeamPortState, TeamState};
use hairpin_netlink::{Errno, System};
use serde_json::{Map, Value as Json, json};

use super::{dump, enslave, find, state};
use crate::getopt::{Getopt, Item, Long, Value};
use crate::interfaces::Interface;
use crate::net_tools::hardware::colons;
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
        let mut config: Json = serde_json::from_str(&daemon.config).unwrap_or_else(|_| json!({}));
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
            ["state"] | ["state", "view"] => self.view(&state, &daemon),
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
                let config = config.get("ports").and_then(|ports| ports.get(argument)).cloned();
                self.print(&config.unwrap_or_else(|| json!({})));
            }
            other => {
                let text = format!("teamdctl: {} is not supported by hairpin yet", other.join(" "));
                self.complain(&text);
                return Err(None);
            }
        }
        Ok(())
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

    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.shell.out(), "{:1$}{text}", "", 2 * depth);
    }

    /// Only with `-v`.
    fn detail(&mut self, depth: usize, text: &str) {
        if self.verbose {
            self.line(depth, text);
        }
    }

    /// `stateview_json_process`
    fn view(&mut self, state: &TeamState, daemon: &TeamDaemon) {
        let runner = daemon.runner.name();
        self.line(0, "setup:");
        self.line(1, &format!("runner: {runner}"));
        for text in [
            format!("kernel team mode: {runner}"),
            "D-BUS enabled: no".to_owned(),
            "ZeroMQ enabled: no".to_owned(),
            "debug level: 0".to_owned(),
            "daemonized: yes".to_owned(),
            format!("PID: {}", daemon.process_id),
            format!("PID file: {}", pid_file(daemon)),
        ] {
            self.detail(1, &text);
        }
        if !state.ports.is_empty() {
            self.line(0, "ports:");
        }
        for port in sorted(state) {
            let link = if port.watched_up { "up" } else { "down" };
            self.line(1, &port.name);
            self.detail(2, &format!("ifindex: {}", port.ifindex));
            self.detail(2, &format!("addr: {}", colons(&port.mac)));
            let (duplex, up) = (duplex(port), if port.up { "up" } else { "down" });
            self.detail(2, &format!("ethtool link: {}mbit/{duplex}duplex/{up}", port.speed));
            self.line(2, "link watches:");
            self.line(3, &format!("link summary: {link}"));
            self.line(3, "instance[link_watch_0]:");
            self.line(4, "name: ethtool");
            self.line(4, &format!("link: {link}"));
            self.line(4, &format!("down count: {}", port.down_count));
            self.detail(4, &format!("link up delay: {}", daemon.delay_up_ms));
            self.detail(4, &format!("link down delay: {}", daemon.delay_down_ms));
        }
        if daemon.runner == TeamMode::ActiveBackup {
            self.line(0, "runner:");
            self.line(1, &format!("active port: {}", active(state)));
        }
    }
}

/// The daemon's ports, in the order of their names.
fn sorted(state: &TeamState) -> Vec<&TeamPortState> {
    let mut ports: Vec<&TeamPortState> = state.ports.iter().collect();
    ports.sort_by(|a, b| a.name.cmp(&b.name));
    ports
}

/// The name of the active port, if it is up.
fn active(state: &TeamState) -> &str {
    let active = state.ports.iter().find(|port| Some(port.ifindex) == state.active && port.watched_up);
    active.map_or("", |port| port.name.as_str())
}

fn duplex(port: &TeamPortState) -> &'static str {
    if port.full_duplex { "full" } else { "half" }
}

fn pid_file(daemon: &TeamDaemon) -> String {
    let config: Json = serde_json::from_str(&daemon.config).unwrap_or_else(|_| json!({}));
    format!("/var/run/teamd/{}.pid", config.get("device").and_then(Json::as_str).unwrap_or_default())
}

/// What the daemon tells of itself.
fn state_json(team: &Interface, state: &TeamState, daemon: &TeamDaemon) -> Json {
    let mac = colons(team.address());
    let mut ports = Map::new();
    for port in &state.ports {
        let watch = json!({
            "delay_down": daemon.delay_down_ms,
            "delay_up": daemon.delay_up_ms,
            "down_count": port.down_count,
            "name": "ethtool",
            "up": port.watched_up,
        });
        let value = json!({
            "ifinfo": {
                "dev_addr": colons(&port.mac),
                "dev_addr_len": 6,
                "ifindex": port.ifindex,
                "ifname": port.name,
            },
            "link": {"duplex": duplex(port), "speed": port.speed, "up": port.up},
            "link_watches": {"list": {"link_watch_0": watch}, "up": port.watched_up},
        });
        ports.insert(port.name.clone(), value);
    }
    let mut all = json!({
        "setup": {
            "daemonized": true,
            "dbus_enabled": false,
            "debug_level": 0,
            "kernel_team_mode_name": daemon.runner.name(),
            "pid": daemon.process_id,
            "pid_file": pid_file(daemon),
            "runner_name": daemon.runner.name(),
            "zmq_enabled": false,
        },
        "team_device": {
            "ifinfo": {"dev_addr": mac, "dev_addr_len": 6, "ifindex": team.index(), "ifname": team.name()},
        },
    });
    if let Json::Object(map) = &mut all {
        if !ports.is_empty() {
            map.insert("ports".to_owned(), Json::Object(ports));
        }
        if daemon.runner == TeamMode::ActiveBackup {
            map.insert("runner".to_owned(), json!({"active_port": active(state)}));
        }
    }
    all
}
