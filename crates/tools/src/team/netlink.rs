//! `teamnl`: ports and options of a team, from the kernel.

use hairpin_netlink::team::{TeamCall, TeamMode, TeamState};
use hairpin_netlink::{Errno, System};

use super::{find, order, state};
use crate::getopt::{Getopt, Item, Long, Value};
use crate::{Program, Shell};

const LONG: &[Long] =
    &[("help", Value::None, 'h'), ("port_name", Value::Required, 'p'), ("array_index", Value::Required, 'a')];

const HELP: &str = " [options] teamdevname command [command args]
\t-h --help                Show this help
\t-p --port_name           team slave port name
\t-a --array_index         team option array index
Commands:
\tports
\toptions
\tgetoption OPT_NAME
\tsetoption OPT_NAME OPT_VALUE
\tmonitor OPT_STYLE
";

const COMMANDS: [&str; 5] = ["ports", "options", "getoption", "setoption", "monitor"];

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let name = program.name.to_owned();
    let mut walk = Getopt::new(program.name, program.args, "hp:a:", LONG);
    let mut port = None;
    while let Some(item) = walk.next() {
        match item {
            Item::Option('h', _) => return help(program.shell, &name, 0),
            Item::Option('p', value) => port = value.map(str::to_owned),
            // No option that is emulated is an array.
            Item::Option(..) => {}
            Item::Error(text) => {
                let _ = writeln!(program.shell.err(), "{text}\nunknown option.");
                return help(program.shell, &name, 1);
            }
        }
    }
    let operands = walk.operands();
    let [device, command, arguments @ ..] = operands.as_slice() else {
        let missing = if operands.is_empty() { "No team device specified." } else { "No command specified." };
        return unclear(program.shell, &name, missing);
    };
    let Some(known) = COMMANDS.iter().find(|known| known.starts_with(command)) else {
        return unclear(program.shell, &name, &format!("Unknown command \"{command}\"."));
    };
    match perform(program.system, program.shell, device, known, port.as_deref(), arguments) {
        Ok(()) => 0,
        Err(errno) => {
            let _ = writeln!(program.shell.err(), "Command failed: {errno}");
            1
        }
    }
}

fn help(shell: &mut dyn Shell, name: &str, code: i32) -> i32 {
    let _ = write!(shell.out(), "{name}{HELP}");
    code
}

fn unclear(shell: &mut dyn Shell, name: &str, text: &str) -> i32 {
    let _ = writeln!(shell.err(), "{text}");
    let _ = writeln!(shell.out());
    help(shell, name, 1)
}

fn perform(
    system: &mut dyn System,
    shell: &mut dyn Shell,
    device: &str,
    command: &str,
    port: Option<&str>,
    arguments: &[&str],
) -> Result<(), Errno> {
    let not_found = |shell: &mut dyn Shell, name: &str| {
        let _ = writeln!(shell.err(), "Netdevice \"{name}\" not found.");
        Errno::ENODEV
    };
    let Some(team) = find(system, device)?.map(|interface| interface.index()) else {
        return Err(not_found(shell, device));
    };
    let state = state(system, team).inspect_err(|_| {
        let _ = writeln!(shell.err(), "Team init failed.");
    })?;
    let port = match port {
        None => None,
        Some(name) => {
            let index = find(system, name)?.map(|interface| interface.index());
            let index = index.ok_or_else(|| not_found(shell, name))?;
            if !state.ports.iter().any(|port| port.ifindex == index) {
                let _ = writeln!(shell.err(), "Netdevice \"{name}\" is not port of this team.");
                return Err(Errno::ENODEV);
            }
            Some(index)
        }
    };
    match command {
        "ports" => {
            for port in state.ports.iter().rev() {
                let up = if port.up { "up" } else { "down" };
                let duplex = if port.full_duplex { "FD" } else { "HD" };
                let (index, name, speed) = (port.ifindex, &port.name, port.speed);
                let _ = writeln!(shell.out(), " {index}: {name}: {up} {speed}Mbit {duplex} ");
            }
            Ok(())
        }
        "options" if state.mode == Some(TeamMode::LoadBalance) => {
            let _ =
                writeln!(shell.err(), "teamnl: options of mode loadbalance are not listed by hairpin yet");
            Err(Errno::EOPNOTSUPP)
        }
        "options" => {
            for (name, port, value) in options(&state).into_iter().rev() {
                let port = port.and_then(|index| state.ports.iter().find(|port| port.ifindex == index));
                let port = port.map_or(String::new(), |port| format!("(port:{}) ", port.name));
                let _ = writeln!(shell.out(), " {name} {port}{value} ");
            }
            Ok(())
        }
        "getoption" => {
            let name = expected(shell, command, "name", arguments.first())?;
            let option = options(&state).into_iter().find(|option| option.0 == name && option.1 == port);
            let (_, _, value) = option.ok_or(Errno::ENOENT)?;
            let _ = writeln!(shell.out(), "{value}");
            Ok(())
        }
        "setoption" => {
            let name = expected(shell, command, "name", arguments.first())?;
            let value = expected(shell, command, "value", arguments.get(1))?;
            options(&state)
                .into_iter()
                .find(|option| option.0 == name && option.1 == port)
                .ok_or(Errno::ENOENT)?;
            set(system, shell, team, port, name, value)
        }
        _ => {
            let _ = writeln!(shell.err(), "teamnl: {command} is not supported by hairpin yet");
            Err(Errno::EOPNOTSUPP)
        }
    }
}

fn expected<'a>(
    shell: &mut dyn Shell,
    command: &str,
    what: &str,
    word: Option<&&'a str>,
) -> Result<&'a str, Errno> {
    word.copied().ok_or_else(|| {
        let _ = writeln!(shell.err(), "{command}: Option {what} as a command line parameter expected.");
        Errno::EINVAL
    })
}

/// Every option with its port and its value, the kernel's oldest first; libteam shows the newest first.
fn options(state: &TeamState) -> Vec<(&'static str, Option<u32>, String)> {
    let mode = state.mode.map_or("*NOMODE*", TeamMode::name).to_owned();
    let mut options = vec![
        ("mode", None, mode),
        ("notify_peers_count", None, state.notify_peers.0.to_string()),
        ("notify_peers_interval", None, state.notify_peers.1.to_string()),
        ("mcast_rejoin_count", None, state.mcast_rejoin.0.to_string()),
        ("mcast_rejoin_interval", None, state.mcast_rejoin.1.to_string()),
    ];
    if state.mode == Some(TeamMode::ActiveBackup) {
        options.push(("activeport", None, state.active.unwrap_or(0).to_string()));
    }
    if state.mode == Some(TeamMode::LoadBalance) {
        let balances = state.daemon.as_ref().and_then(|daemon| daemon.balances);
        let method = if balances.is_some() { "hash_to_port_mapping" } else { "hash" };
        options.push(("lb_tx_method", None, method.to_owned()));
        options.push(("lb_stats_refresh_interval", None, balances.unwrap_or(0).to_string()));
    }
    for port in &state.ports {
        let index = Some(port.ifindex);
        let watched = state.daemon.is_some();
        options.push(("enabled", index, port.enabled.to_string()));
        options.push(("user_linkup", index, (watched && port.watched_up).to_string()));
        options.push(("user_linkup_enabled", index, port.user_linkup_enabled.to_string()));
        options.push(("priority", index, port.priority.to_string()));
        options.push(("queue_id", index, port.queue_id.to_string()));
    }
    options
}

fn set(
    system: &mut dyn System,
    shell: &mut dyn Shell,
    ifindex: u32,
    port: Option<u32>,
    name: &str,
    value: &str,
) -> Result<(), Errno> {
    let call = match (name, port) {
        ("priority", Some(port)) => {
            let priority = value.parse().map_err(|_| Errno::EINVAL)?;
            TeamCall::SetPriority { ifindex, port, priority }
        }
        ("enabled", Some(port)) => {
            let enabled = value.parse().map_err(|_| Errno::EINVAL)?;
            TeamCall::SetEnabled { ifindex, port, enabled }
        }
        ("queue_id", Some(port)) => {
            let queue_id = value.parse().map_err(|_| Errno::EINVAL)?;
            TeamCall::SetQueue { ifindex, port, queue_id }
        }
        ("activeport", None) => {
            let port = value.parse().map_err(|_| Errno::EINVAL)?;
            TeamCall::SetActive { ifindex, port }
        }
        _ => {
            let _ = writeln!(shell.err(), "teamnl: setting {name} is not supported by hairpin yet");
            return Err(Errno::EOPNOTSUPP);
        }
    };
    order(system, call)
}
