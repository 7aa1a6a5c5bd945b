//! `teamd`. Its options and its configuration are checked here; what a running daemon does, the kernel does.

use std::io::Read;

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_EXCL};
use hairpin_netlink::route::link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage};
use hairpin_netlink::team::{TeamCall, TeamDaemon};
use hairpin_netlink::{Errno, Message, System};
use serde_json::{Map, Value as Json, json};

use super::config::{Unfit, read};
use super::{enslave, find, order, send, state};
use crate::getopt::{Getopt, Item, Long, Value};
use crate::{Program, Shell};

const LONG: &[Long] = &[
    ("help", Value::None, 'h'),
    ("daemonize", Value::None, 'd'),
    ("kill", Value::None, 'k'),
    ("check", Value::None, 'e'),
    ("version", Value::None, 'v'),
    ("config-file", Value::Required, 'f'),
    ("config", Value::Required, 'c'),
    ("pid-file", Value::Required, 'p'),
    ("debug", Value::None, 'g'),
    ("log-output", Value::Required, 'l'),
    ("force-recreate", Value::None, 'r'),
    ("take-over", Value::None, 'o'),
    ("no-quit-destroy", Value::None, 'N'),
    ("team-dev", Value::Required, 't'),
    ("no-ports", Value::None, 'n'),
    ("dbus-enable", Value::None, 'D'),
    ("zmq-enable", Value::Required, 'Z'),
    ("usock-enable", Value::None, 'U'),
    ("usock-disable", Value::None, 'u'),
];

const HELP: &str = " [options]
    -h --help                Show this help
    -d --daemonize           Daemonize after startup
    -k --kill                Kill running daemon instance
    -e --check               Return 0 if a daemon is already running
    -v --version             Show version
    -f --config-file=FILE    Load the specified configuration file
    -c --config=TEXT         Use given config string (This causes configuration
                             file will be ignored)
    -p --pid-file=FILE       Use the specified PID file
    -g --debug               Increase verbosity
    -l --log-output          Force teamd log output to stdout, stderr or syslog
    -r --force-recreate      Force team device recreation in case it
                             already exists
    -o --take-over           Take over the device if it already exists
    -N --no-quit-destroy     Do not destroy the device on quit
    -t --team-dev=DEVNAME    Use the specified team device
    -n --no-ports            Start without ports
    -D --dbus-enable         Enable D-Bus interface
    -Z --zmq-enable=ADDRESS  Enable ZeroMQ interface
    -U --usock-enable        Enable UNIX domain socket interface
    -u --usock-disable       Disable UNIX domain socket interface
Available runners: broadcast, roundrobin, random, activebackup, loadbalance, lacp
";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Command {
    Run,
    Kill,
    Check,
}

/// Why the program ends.
enum Stop {
    /// With this said.
    Said(String),
    /// A daemon that could not start has said why to the system's log.
    Failed(Errno),
}

#[derive(Default)]
struct Options {
    text: Option<String>,
    file: Option<String>,
    device: Option<String>,
    daemonize: bool,
    recreate: bool,
    take_over: bool,
    keep: bool,
    no_ports: bool,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let mut options = Options::default();
    let mut command = Command::Run;
    let mut walk = Getopt::new(program.name, program.args, "hdkevf:c:p:gl:roNt:nDZ:Uu", LONG);
    while let Some(item) = walk.next() {
        match item {
            Item::Option('h', _) => {
                let _ = write!(program.shell.out(), "{}{HELP}", program.name);
                return 0;
            }
            Item::Option('v', _) => {
                let _ = writeln!(program.shell.out(), "{} 1.31", program.name);
                return 0;
            }
            Item::Option('k', _) => command = Command::Kill,
            Item::Option('e', _) => command = Command::Check,
            Item::Option('d', _) => options.daemonize = true,
            Item::Option('r', _) => options.recreate = true,
            Item::Option('o', _) => options.take_over = true,
            Item::Option('N', _) => options.keep = true,
            Item::Option('n', _) => options.no_ports = true,
            Item::Option('c', value) => options.text = value.map(str::to_owned),
            Item::Option('f', value) => options.file = value.map(str::to_owned),
            Item::Option('t', value) => options.device = value.map(str::to_owned),
            // How it logs, where its PID is, and by which ways it may be asked.
            Item::Option(..) => {}
            Item::Error(text) => {
                say(program.shell, &text);
                return 1;
            }
        }
    }
    if !walk.operands().is_empty() {
        say(program.shell, "Too many arguments");
        return 1;
    }
    match perform(program.system, program.shell, command, options) {
        Ok(code) => code,
        Err(Stop::Said(text)) => {
            say(program.shell, &text);
            1
        }
        Err(Stop::Failed(errno)) => {
            say(program.shell, &format!("Daemon process failed.\nFailed: {errno}"));
            1
        }
    }
}

fn say(shell: &mut dyn Shell, text: &str) {
    let _ = writeln!(shell.err(), "{text}");
}

fn perform(
    system: &mut dyn System,
    shell: &mut dyn Shell,
    command: Command,
    mut options: Options,
) -> Result<i32, Stop> {
    let mut config = load(shell, &options)?;
    let given = config.get("device").and_then(Json::as_str).map(str::to_owned);
    let device = match options.device.take().or(given) {
        Some(device) => device,
        None if command == Command::Run => free_name(system)?,
        None => return Err(Stop::Said("Team device name not specified.".to_owned())),
    };
    config.insert("device".to_owned(), json!(device));
    let running = running(system, &device)?;
    match (command, running) {
        (Command::Check, running) => Ok(i32::from(running.is_none())),
        (Command::Kill, None) => {
            say(shell, "Daemon not running");
            Ok(1)
        }
        (Command::Kill, Some((ifindex, daemon))) => {
            end(system, ifindex, &daemon).map_err(|errno| Stop::Said(errno.text()))?;
            Ok(0)
        }
        (Command::Run, running) => {
            say(shell, "This program is not intended to be run as root.");
            if let Some((_, daemon)) = running {
                let errno = Errno::EEXIST;
                let pid = daemon.process_id;
                return Err(Stop::Said(format!("Daemon already running on PID {pid}.\nFailed: {errno}")));
            }
            start(system, shell, &device, config, &options)
        }
    }
}

/// The configuration: given, or of a file, or none.
fn load(shell: &mut dyn Shell, options: &Options) -> Result<Map<String, Json>, Stop> {
    let text = match (&options.text, &options.file) {
        (Some(text), file) => {
            if file.is_some() {
                say(shell, "Command line config string is present, ignoring given config file.");
            }
            text.clone()
        }
        (None, Some(file)) => {
            let mut text = String::new();
            let read = shell.open(file).and_then(|mut file| file.read_to_string(&mut text));
            if let Err(error) = read {
                let reason = Errno(error.raw_os_error().unwrap_or(Errno::EIO.0));
                return Err(Stop::Said(format!("Failed to get absolute path of \"{file}\": {reason}")));
            }
            text
        }
        (None, None) => "{}".to_owned(),
    };
    match serde_json::from_str(&text) {
        Ok(Json::Object(config)) => Ok(config),
        Ok(_) => {
            Err(Stop::Said("Failed to parse config: '[' or '{' expected\nFailed to load config.".to_owned()))
        }
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let what = match error.is_eof() {
                true => "unexpected token near end of file".to_owned(),
                false => {
                    let rest = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
                    let token = rest.get(column.saturating_sub(1)..).unwrap_or_default();
                    format!("unexpected token near '{}'", token.split_whitespace().next().unwrap_or_default())
                }
            };
            let text = format!("Failed to parse config: {what} on line {line}, column {column}");
            Err(Stop::Said(format!("{text}\nFailed to load config.")))
        }
    }
}

/// `teamd_generate_devname`
fn free_name(system: &mut dyn System) -> Result<String, Stop> {
    for number in 0..u32::MAX {
        let name = format!("team{number}");
        if find(system, &name).map_err(Stop::Failed)?.is_none() {
            return Ok(name);
        }
    }
    Err(Stop::Said("Failed to generate team device name.".to_owned()))
}

fn running(system: &mut dyn System, device: &str) -> Result<Option<(u32, TeamDaemon)>, Stop> {
    let Some(interface) = find(system, device).map_err(Stop::Failed)? else { return Ok(None) };
    match state(system, interface.index()) {
        Ok(state) => Ok(state.daemon.map(|daemon| (interface.index(), daemon))),
        Err(Errno::ENODEV) => Ok(None),
        Err(Errno::ENOSYS) => Err(Stop::Said(
            "teamd: this kernel needs libteam's own teamd; hairpin's is for worlds".to_owned(),
        )),
        Err(errno) => Err(Stop::Failed(errno)),
    }
}

/// `teamd_fini`
fn end(system: &mut dyn System, ifindex: u32, daemon: &TeamDaemon) -> Result<(), Errno> {
    match daemon.destroys {
        true => delete(system, ifindex),
        false => order(system, TeamCall::Stop { ifindex }),
    }
}

fn delete(system: &mut dyn System, ifindex: u32) -> Result<(), Errno> {
    let mut message = LinkMessage::default();
    message.header.index = ifindex;
    send(system, &Message::DelLink(message), 0)
}

fn start(
    system: &mut dyn System,
    shell: &mut dyn Shell,
    device: &str,
    mut config: Map<String, Json>,
    options: &Options,
) -> Result<i32, Stop> {
    let process_id = shell.process_id();
    let daemon = match read(&mut config) {
        // The real program finds out once it has the device.
        Err(Unfit::Refused(errno)) => Err(errno),
        Err(Unfit::NotEmulated(what)) => {
            return Err(Stop::Said(format!("teamd: {what} is not emulated yet")));
        }
        Ok(daemon) => Ok(TeamDaemon { destroys: !options.keep, process_id, ..daemon }),
    };
    let there = find(system, device).map_err(Stop::Failed)?.map(|interface| interface.index());
    let taken_over = options.take_over && there.is_some();
    if let Some(index) = there.filter(|_| options.recreate && !taken_over) {
        delete(system, index).map_err(Stop::Failed)?;
    }
    if !taken_over {
        create(system, device).map_err(Stop::Failed)?;
    }
    let ifindex = find(system, device).map_err(Stop::Failed)?.map(|interface| interface.index());
    let ifindex = ifindex.ok_or(Stop::Failed(Errno::ENODEV))?;
    let started = daemon.and_then(|daemon| {
        run(system, ifindex, &config, daemon.clone(), options)?;
        Ok(daemon)
    });
    let daemon = match started {
        Ok(daemon) => daemon,
        Err(errno) => {
            if !taken_over {
                // There is nothing to be done about it.
                let _ = delete(system, ifindex);
            }
            return Err(Stop::Failed(errno));
        }
    };
    if options.daemonize {
        return Ok(0);
    }
    say(shell, "1.31 successfully started.");
    loop {
        match system.wait(&[], None, false) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(Stop::Failed(errno)),
        }
        if shell.take_signal().is_some() {
            say(shell, "Exiting...");
            end(system, ifindex, &daemon).map_err(Stop::Failed)?;
            return Ok(0);
        }
    }
}

fn create(system: &mut dyn System, device: &str) -> Result<(), Errno> {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(device.to_owned()));
    message
        .attributes
        .push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Other("team".to_owned()))]));
    send(system, &Message::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
}

fn run(
    system: &mut dyn System,
    ifindex: u32,
    config: &Map<String, Json>,
    daemon: TeamDaemon,
    options: &Options,
) -> Result<(), Errno> {
    if let Some(text) = config.get("hwaddr").and_then(Json::as_str) {
        let mac: Option<Vec<u8>> = text.split(':').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
        let mac = mac.filter(|mac| mac.len() == 6).ok_or(Errno::EINVAL)?;
        let mut message = LinkMessage::default();
        message.header.index = ifindex;
        message.attributes.push(LinkAttribute::Address(mac));
        send(system, &Message::SetLink(message), 0)?;
    }
    let ports: Vec<String> = daemon.ports.iter().map(|port| port.name.clone()).collect();
    order(system, TeamCall::Start { ifindex, daemon: Box::new(daemon) })?;
    for port in ports.iter().filter(|_| !options.no_ports) {
        // A missing port is passed over.
        if let Some(interface) = find(system, port)? {
            enslave(system, interface.index(), ifindex)?;
        }
    }
    Ok(())
}
