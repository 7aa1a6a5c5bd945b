//! `brctl` of bridge-utils 1.7.1.

mod show;

use hairpin_netlink::codec::{NLM_F_CREATE, NLM_F_EXCL};
use hairpin_netlink::route::AddressFamily;
use hairpin_netlink::route::link::{
    InfoBridge, InfoBridgePort, InfoData, InfoKind, LinkAttribute, LinkInfo, LinkMessage,
};
use hairpin_netlink::{Errno, Failure, Message, System, bridge_port, transact};

use crate::Program;
use crate::c_number::{scan_int, strtod};
use crate::getopt::{Getopt, Item, Long, Value};
use crate::interfaces::{ARPHRD_ETHER, IFF_UP, Interface, Interfaces, cut};

const LONG: &[Long] = &[("help", Value::None, 'h'), ("version", Value::None, 'V')];

/// A command: how many arguments it needs, its name, its function, and what the usage says of it.
type Command = (usize, &'static str, fn(&mut Brctl<'_>, &[&str]) -> i32, &'static str);

const COMMANDS: &[Command] = &[
    (1, "addbr", addbr, "<bridge>\t\tadd bridge"),
    (1, "delbr", delbr, "<bridge>\t\tdelete bridge"),
    (2, "addif", addif, "<bridge> <device>\tadd interface to bridge"),
    (2, "delif", delif, "<bridge> <device>\tdelete interface from bridge"),
    (3, "hairpin", hairpin, "<bridge> <port> {on|off}\tturn hairpin on/off"),
    (2, "setageing", setageing, "<bridge> <time>\t\tset ageing time"),
    (2, "setbridgeprio", setbridgeprio, "<bridge> <prio>\t\tset bridge priority"),
    (2, "setfd", setfd, "<bridge> <time>\t\tset bridge forward delay"),
    (2, "sethello", sethello, "<bridge> <time>\t\tset hello time"),
    (2, "setmaxage", setmaxage, "<bridge> <time>\t\tset max message age"),
    (3, "setpathcost", setpathcost, "<bridge> <port> <cost>\tset path cost"),
    (3, "setportprio", setportprio, "<bridge> <port> <prio>\tset port priority"),
    (0, "show", show::bridges, "[ <bridge> ]\t\tshow a list of bridges"),
    (1, "showmacs", show::macs, "<bridge>\t\tshow a list of mac addrs"),
    (1, "showstp", show::stp, "<bridge>\t\tshow bridge stp info"),
    (2, "stp", stp, "<bridge> {on|off}\tturn stp on/off"),
];

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let args = program.args;
    let mut options = Getopt::new(program.name, args, "Vh", LONG);
    let mut brctl = Brctl { system: &mut *program.system, shell: &mut *program.shell };
    // The first option decides.
    if let Some(item) = options.next() {
        match item {
            Item::Option('V', _) => {
                brctl.print(format_args!("bridge-utils, 1.7\n"));
                return 0;
            }
            Item::Option(..) => {
                brctl.help();
                return 0;
            }
            Item::Error(text) => {
                brctl.complain(format_args!("{text}\nUnknown option '?'"));
                brctl.help();
                return 1;
            }
        }
    }
    let operands = options.operands();
    let Some((name, arguments)) = operands.split_first() else {
        brctl.help();
        return 1;
    };
    let Some((needed, name, command, help)) = COMMANDS.iter().find(|command| command.1 == *name) else {
        brctl.complain(format_args!("never heard of command [{name}]"));
        brctl.help();
        return 1;
    };
    if arguments.len() < *needed {
        brctl.print(format_args!("Incorrect number of arguments for command\nUsage: brctl {name} {help}\n"));
        return 1;
    }
    command(&mut brctl, arguments)
}

/// What a command works with.
struct Brctl<'a> {
    system: &'a mut dyn System,
    shell: &'a mut dyn crate::Shell,
}

impl Brctl<'_> {
    fn print(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.shell.out().write_fmt(text);
    }

    /// A line on standard error.
    fn complain(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.shell.err(), "{text}");
    }

    fn help(&mut self) {
        self.print(format_args!("Usage: brctl [commands]\ncommands:\n"));
        for (_, name, _, help) in COMMANDS {
            self.print(format_args!("\t{name:<10}\t{help}\n"));
        }
    }

    fn interfaces(&mut self) -> Result<Interfaces, Errno> {
        Interfaces::dump(self.system).map_err(|failure| failure.errno)
    }

    fn send(&mut self, message: &Message, flags: u16) -> Result<(), Errno> {
        transact(self.system, message, flags).map(drop).map_err(|failure: Failure| failure.errno)
    }

    /// An existing bridge, with the errors of the bridge's `ioctl`s.
    fn bridge(&mut self, name: &str) -> Result<Interface, Errno> {
        let interfaces = self.interfaces()?;
        match interfaces.by_name(name) {
            None => Err(Errno::ENODEV),
            Some(bridge) if !bridge.is_bridge() => Err(Errno::EOPNOTSUPP),
            Some(bridge) => Ok(bridge.clone()),
        }
    }

    /// Changes one setting of a bridge.
    fn set_bridge(&mut self, name: &str, setting: InfoBridge) -> Result<(), Errno> {
        let index = self.bridge(name)?.index();
        self.send(&Message::NewLink(bridge_message(index, None, vec![setting])), 0)
    }

    /// Changes one setting of a port. Which bridge is named matters only if it is no port at all: brctl writes
    /// to `/sys/class/net/PORT/brport` first.
    fn set_port(&mut self, bridge: &str, port: &str, setting: &InfoBridgePort) -> Result<(), Errno> {
        let interfaces = self.interfaces()?;
        let found = interfaces.by_name(port).ok_or(Errno::ENODEV)?;
        if found.bridge_port().is_none() {
            self.bridge(bridge)?;
            return Err(Errno::ENOENT);
        }
        let mut message = LinkMessage::default();
        message.header.interface_family = AddressFamily::Bridge;
        message.header.index = found.index();
        message.attributes.push(bridge_port::emit(std::slice::from_ref(setting)));
        self.send(&Message::SetLink(message), 0)
    }
}

fn bridge_message(index: u32, name: Option<&str>, settings: Vec<InfoBridge>) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.attributes.extend(name.map(|name| LinkAttribute::IfName(name.to_owned())));
    let mut info = vec![LinkInfo::Kind(InfoKind::Bridge)];
    if !settings.is_empty() {
        info.push(LinkInfo::Data(InfoData::Bridge(settings)));
    }
    message.attributes.push(LinkAttribute::LinkInfo(info));
    message
}

/// An argument; `main` has counted them.
fn at<'a>(arguments: &[&'a str], position: usize) -> &'a str {
    arguments.get(position).copied().unwrap_or("")
}

fn addbr(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let given = at(arguments, 0);
    let name = cut(given);
    // net/core/dev.c: dev_valid_name; a netlink request without a name would make one up.
    let invalid = |c: char| c == '/' || c == ':' || c.is_ascii_whitespace() || c == '\x0b';
    let outcome = if name.is_empty() || name == "." || name == ".." || name.contains(invalid) {
        Err(Errno::EINVAL)
    } else {
        let message = bridge_message(0, Some(name), Vec::new());
        brctl.send(&Message::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
    };
    match outcome {
        Ok(()) => 0,
        Err(Errno::EEXIST) => {
            brctl.complain(format_args!(
                "device {given} already exists; can't create bridge with the same name"
            ));
            1
        }
        Err(errno) => {
            brctl.complain(format_args!("add bridge failed: {errno}"));
            1
        }
    }
}

fn delbr(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let name = at(arguments, 0);
    // net/bridge/br_if.c: br_del_bridge
    let outcome = match brctl.bridge(name) {
        Err(Errno::ENODEV) => Err(Errno::ENXIO),
        Err(Errno::EOPNOTSUPP) => Err(Errno::EPERM),
        Err(errno) => Err(errno),
        Ok(bridge) if bridge.flags() & IFF_UP != 0 => Err(Errno::EBUSY),
        Ok(bridge) => {
            let mut message = LinkMessage::default();
            message.header.index = bridge.index();
            brctl.send(&Message::DelLink(message), 0)
        }
    };
    match outcome {
        Ok(()) => return 0,
        Err(Errno::ENXIO) => {
            brctl.complain(format_args!("bridge {name} doesn't exist; can't delete it"));
        }
        Err(Errno::EBUSY) => {
            brctl.complain(format_args!("bridge {name} is still up; can't delete it"));
        }
        Err(errno) => brctl.complain(format_args!("can't delete bridge {name}: {errno}")),
    }
    1
}

fn addif(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let bridge = at(arguments, 0);
    for device in arguments.iter().skip(1) {
        let Err(errno) = add_port(brctl, bridge, device) else { continue };
        match errno {
            Errno::ENODEV => missing(brctl, bridge, device),
            Errno::EBUSY => brctl.complain(format_args!(
                "device {device} is already a member of a bridge; can't add it to bridge {bridge}."
            )),
            Errno::ELOOP => brctl.complain(format_args!(
                "device {device} is a bridge device itself; can't add a bridge device to a bridge device."
            )),
            errno => brctl.complain(format_args!("can't add {device} to bridge {bridge}: {errno}")),
        }
        return 1;
    }
    0
}

/// net/bridge/br_if.c: br_add_if. A netlink request would take a port away from its old master, so what that
/// function refuses is refused here.
fn add_port(brctl: &mut Brctl<'_>, bridge: &str, device: &str) -> Result<(), Errno> {
    let interfaces = brctl.interfaces()?;
    let device = interfaces.by_name(device).ok_or(Errno::ENODEV)?;
    let bridge = brctl.bridge(bridge)?;
    if device.hardware() != ARPHRD_ETHER {
        return Err(Errno::EINVAL);
    }
    if device.is_bridge() {
        return Err(Errno::ELOOP);
    }
    if device.master().is_some() {
        return Err(Errno::EBUSY);
    }
    set_master(brctl, device.index(), bridge.index())
}

fn set_master(brctl: &mut Brctl<'_>, device: u32, master: u32) -> Result<(), Errno> {
    let mut message = LinkMessage::default();
    message.header.index = device;
    message.attributes.push(LinkAttribute::Controller(master));
    brctl.send(&Message::SetLink(message), 0)
}

/// Which of the two does not exist.
fn missing(brctl: &mut Brctl<'_>, bridge: &str, device: &str) {
    let known = brctl.interfaces().is_ok_and(|interfaces| interfaces.by_name(device).is_some());
    if known {
        brctl.complain(format_args!("bridge {bridge} does not exist!"));
    } else {
        brctl.complain(format_args!("interface {device} does not exist!"));
    }
}

fn delif(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let bridge = at(arguments, 0);
    for device in arguments.iter().skip(1) {
        let Err(errno) = delete_port(brctl, bridge, device) else { continue };
        match errno {
            Errno::ENODEV => missing(brctl, bridge, device),
            Errno::EINVAL => brctl.complain(format_args!("device {device} is not a port of {bridge}")),
            errno => brctl.complain(format_args!("can't delete {device} from {bridge}: {errno}")),
        }
        return 1;
    }
    0
}

/// net/bridge/br_if.c: br_del_if
fn delete_port(brctl: &mut Brctl<'_>, bridge: &str, device: &str) -> Result<(), Errno> {
    let interfaces = brctl.interfaces()?;
    let device = interfaces.by_name(device).ok_or(Errno::ENODEV)?;
    let bridge = brctl.bridge(bridge)?;
    if device.master() != Some(bridge.index()) {
        return Err(Errno::EINVAL);
    }
    set_master(brctl, device.index(), 0)
}

fn on_off(brctl: &mut Brctl<'_>, word: &str) -> Option<bool> {
    match word {
        "on" | "yes" | "1" => Some(true),
        "off" | "no" | "0" => Some(false),
        _ => {
            brctl.complain(format_args!("expect on/off for argument"));
            None
        }
    }
}

fn hairpin(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let (bridge, port) = (at(arguments, 0), at(arguments, 1));
    let Some(on) = on_off(brctl, at(arguments, 2)) else { return 1 };
    let known = brctl.interfaces().map(|all| (all.by_name(port).is_some(), all.by_name(bridge).is_some()));
    match known {
        Ok((false, _)) => brctl.complain(format_args!("interface {port} does not exist!")),
        Ok((_, false)) => brctl.complain(format_args!("bridge {bridge} does not exist!")),
        _ => match brctl.set_port(bridge, port, &InfoBridgePort::HairpinMode(on)) {
            Ok(()) => return 0,
            Err(errno) => {
                brctl.complain(format_args!("can't set {port} to hairpin on bridge {bridge}: {errno}"));
            }
        },
    }
    1
}

/// Reports an outcome; the exit code.
fn report(brctl: &mut Brctl<'_>, what: &str, outcome: Result<(), Errno>) -> i32 {
    match outcome {
        Ok(()) => 0,
        Err(errno) => {
            brctl.complain(format_args!("{what} failed: {errno}"));
            1
        }
    }
}

/// Sets one of the bridge's times, given in seconds. The kernel counts them in hundredths.
fn set_time(
    brctl: &mut Brctl<'_>,
    arguments: &[&str],
    (what, bad): (&str, &str),
    file: &str,
    setting: fn(u32) -> InfoBridge,
) -> i32 {
    let (bridge, text) = (at(arguments, 0), at(arguments, 1));
    let (seconds, length) = strtod(text);
    if length == 0 {
        brctl.complain(format_args!("bad {bad} value"));
        return 1;
    }
    let whole = seconds as i64;
    let micros = (1_000_000.0 * (seconds - whole as f64)) as i64;
    let micros = whole.wrapping_mul(1_000_000).wrapping_add(micros) as u64;
    let ticks = micros / 10_000;
    let outcome = match u32::try_from(ticks) {
        Ok(ticks) => brctl.set_bridge(bridge, setting(ticks)),
        // More than netlink can say: the file takes it.
        Err(_) => brctl.bridge(bridge).and_then(|bridge| {
            let path = format!("/sys/class/net/{}/bridge/{file}", bridge.name());
            brctl.system.write_file(&path, format!("{ticks}\n").as_bytes())
        }),
    };
    report(brctl, what, outcome)
}

fn setageing(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let texts = ("set ageing time", "ageing time");
    set_time(brctl, arguments, texts, "ageing_time", InfoBridge::AgeingTime)
}

fn setfd(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let texts = ("set forward delay", "forward delay");
    set_time(brctl, arguments, texts, "forward_delay", InfoBridge::ForwardDelay)
}

fn sethello(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let texts = ("set hello timer", "hello timer");
    set_time(brctl, arguments, texts, "hello_time", InfoBridge::HelloTime)
}

fn setmaxage(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    set_time(brctl, arguments, ("set max age", "max age"), "max_age", InfoBridge::MaxAge)
}

fn setbridgeprio(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let Some(priority) = scan_int(at(arguments, 1)) else {
        brctl.complain(format_args!("bad priority"));
        return 1;
    };
    // net/bridge/br_sysfs_br.c: set_priority keeps 16 bits.
    let outcome = brctl.set_bridge(at(arguments, 0), InfoBridge::Priority(priority as u16));
    report(brctl, "set bridge priority", outcome)
}

fn setpathcost(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let Some(cost) = scan_int(at(arguments, 2)) else {
        brctl.complain(format_args!("bad path cost value"));
        return 1;
    };
    let setting = InfoBridgePort::Cost(cost as u32);
    let outcome = brctl.set_port(at(arguments, 0), at(arguments, 1), &setting);
    report(brctl, "set path cost", outcome)
}

fn setportprio(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let Some(priority) = scan_int(at(arguments, 2)) else {
        brctl.complain(format_args!("bad path priority value"));
        return 1;
    };
    // What 16 bits do not hold is out of range too.
    let setting = InfoBridgePort::Priority(u16::try_from(priority).unwrap_or(u16::MAX));
    let outcome = brctl.set_port(at(arguments, 0), at(arguments, 1), &setting);
    report(brctl, "set port priority", outcome)
}

fn stp(brctl: &mut Brctl<'_>, arguments: &[&str]) -> i32 {
    let Some(on) = on_off(brctl, at(arguments, 1)) else { return 1 };
    let outcome = brctl.set_bridge(at(arguments, 0), InfoBridge::StpState(u32::from(on).into()));
    report(brctl, "set stp status", outcome)
}
