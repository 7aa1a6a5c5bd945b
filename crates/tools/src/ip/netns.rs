//! `ip netns`

use hairpin_netlink::route::nsid::{NsidAttribute, NsidMessage};
use hairpin_netlink::{Errno, Message};

use crate::iproute2::number::get_i32;
use crate::iproute2::{Args, Context, Stop, matches};

const RUN_DIRECTORY: &str = "/run/netns";
const NAME_MAX: usize = 255;

const USAGE: &str = "\
Usage:	ip netns list
	ip netns add NAME
	ip netns attach NAME PID
	ip netns set NAME NETNSID
	ip [-all] netns delete [NAME]
	ip netns identify [PID]
	ip netns pids NAME
	ip [-all] netns exec [NAME] cmd ...
	ip netns monitor
	ip netns list-id [target-nsid POSITIVE-INT] [nsid POSITIVE-INT]
NETNSID := auto | POSITIVE-INT
";

/// Runs `ip netns` with the arguments behind the object.
pub(super) fn main(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(command) = args.take() else {
        return list(ctx);
    };
    if let Some(name) = args.peek().filter(|name| !ctx.options.all && is_invalid(name)) {
        return Err(Stop::exit(255, format!("Invalid netns name \"{name}\"\n")));
    }
    // The order decides what an ambiguous abbreviation means.
    if ["list", "show", "lst"].iter().any(|word| matches(command, word)) {
        list(ctx)
    } else if matches(command, "list-id") {
        list_id(ctx, args)
    } else if matches(command, "help") {
        Err(usage())
    } else if matches(command, "add") {
        add(ctx, args)
    } else if matches(command, "set") {
        set(ctx, args)
    } else if matches(command, "delete") {
        delete(ctx, args)
    } else if matches(command, "identify") {
        identify(ctx, args)
    } else if matches(command, "pids") {
        pids(ctx, args)
    } else if matches(command, "exec") {
        exec(ctx, args)
    } else if matches(command, "monitor") {
        Err(Stop::fail(1, "ip netns monitor is not supported by hairpin yet\n"))
    } else if matches(command, "attach") {
        attach(ctx, args)
    } else {
        Err(Stop::exit(255, format!("Command \"{command}\" is unknown, try \"ip netns help\".\n")))
    }
}

/// Prints an id that a monitor heard of.
pub(super) fn print_event(ctx: &mut Context<'_>, message: &NsidMessage, deleted: bool) {
    // An id that is gone keeps the name it had.
    if !deleted {
        ctx.nsids.clear();
    }
    print_id(ctx, message, deleted);
}

fn list(ctx: &mut Context<'_>) -> Result<(), Stop> {
    let Ok(names) = ctx.system.netns_list() else {
        return Ok(());
    };
    ctx.begin();
    for name in names {
        let id = ctx.nsid_of(&name);
        ctx.print.open_object(None);
        ctx.print.any("name", &name, format_args!("{name}"));
        if let Some(id) = id {
            ctx.print.any("id", id, format_args!(" (id: {id})"));
        }
        ctx.print.text(format_args!("\n"));
        ctx.print.close_object();
    }
    ctx.end();
    Ok(())
}

fn list_id(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let mut target = None;
    let mut wanted = None;
    while let Some(word) = args.take() {
        let chosen = match word {
            "target-nsid" => &mut target,
            "nsid" => &mut wanted,
            _ => return Err(usage()),
        };
        if chosen.is_some() {
            return Err(Stop::duparg(word, word));
        }
        let value = args.value()?;
        let id =
            get_i32(value, 0).ok_or_else(|| Stop::invarg(&format!("\"{word}\" value is invalid"), value))?;
        if id < 0 {
            let next = args.peek().unwrap_or("(null)");
            return Err(Stop::invarg(&format!("\"{word}\" value should be >= 0"), next));
        }
        *chosen = Some(id);
    }
    let mut request = NsidMessage::default();
    if let Some(id) = wanted {
        request.attributes.push(NsidAttribute::Id(id));
    }
    request.attributes.extend(target.map(NsidAttribute::TargetNsid));
    let answer = if wanted.is_some() {
        ctx.talk(&Message::GetNsId(request), 0)?
    } else {
        ctx.begin();
        match ctx.dump(&Message::GetNsId(request)) {
            Ok(answer) => answer,
            Err(stop) => {
                ctx.end();
                return Err(stop);
            }
        }
    };
    if wanted.is_some() {
        ctx.begin();
    }
    for message in &answer {
        if let Message::NewNsId(id) = message {
            print_id(ctx, id, false);
        }
    }
    ctx.end();
    Ok(())
}

fn add(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(name) = args.take() else {
        return Err(no_name());
    };
    ctx.system.netns_add(name).map_err(|errno| match errno {
        // Without privileges the first of the steps that fails is this one.
        Errno::EPERM => Stop::fail(1, format!("mount --make-shared {RUN_DIRECTORY} failed: {errno}\n")),
        Errno::EACCES => Stop::fail(1, format!("mkdir {RUN_DIRECTORY} failed: {errno}\n")),
        _ => Stop::fail(1, format!("Cannot create namespace file \"{RUN_DIRECTORY}/{name}\": {errno}\n")),
    })
}

fn attach(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let (Some(name), Some(value)) = (args.take(), args.take()) else {
        return Err(Stop::fail(1, "No netns name and PID specified\n"));
    };
    let Some(pid) = get_i32(value, 0).filter(|pid| *pid != 0) else {
        return Err(Stop::fail(1, format!("Invalid PID: {value}\n")));
    };
    let path = format!("{RUN_DIRECTORY}/{name}");
    let attached = match u32::try_from(pid) {
        Ok(pid) => ctx.system.netns_attach(name, pid),
        Err(_) => Err(Errno::ENOENT),
    };
    attached.map_err(|errno| match errno {
        Errno::ENOENT => Stop::fail(1, format!("Bind /proc/{pid}/ns/net -> {path} failed: {errno}\n")),
        _ => Stop::fail(1, format!("Cannot create namespace file \"{path}\": {errno}\n")),
    })
}

fn identify(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let pid = match args.take() {
        None => None,
        Some(_) if !args.is_empty() => return Err(extra_arguments()),
        Some(text) if !text.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Err(Stop::fail(1, format!("Specified string '{text}' is not a pid\n")));
        }
        // No process has a number that does not fit.
        Some(text) => Some(text.parse().unwrap_or(u32::MAX)),
    };
    let names = ctx.system.netns_identify(pid).map_err(not_opened)?;
    let name = names.last().map_or("", String::as_str);
    ctx.print.text(format_args!("{name}\n"));
    Ok(())
}

fn pids(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(name) = args.take() else {
        return Err(no_name());
    };
    if !args.is_empty() {
        return Err(extra_arguments());
    }
    for pid in ctx.system.netns_processes(name).map_err(not_opened)? {
        ctx.print.text(format_args!("{pid}\n"));
    }
    Ok(())
}

fn set(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    let Some(name) = args.take() else {
        return Err(no_name());
    };
    let Some(value) = args.take() else {
        return Err(Stop::fail(1, "No nsid specified\n"));
    };
    let id = match (value, get_i32(value, 0)) {
        ("auto", _) => -1,
        (_, None) => return Err(Stop::invarg("Invalid \"netnsid\" value", value)),
        (_, Some(id)) if id < 0 => {
            return Err(Stop::invarg("\"netnsid\" value should be >= 0", value));
        }
        (_, Some(id)) => id,
    };
    let fd = ctx.system.netns_open(name).map_err(|errno| Stop::fail(1, cannot_open(name, errno)))?;
    let mut request = NsidMessage::default();
    request.attributes.push(NsidAttribute::Fd(fd.0));
    request.attributes.push(NsidAttribute::Id(id));
    let answer = ctx.talk(&Message::NewNsId(request), 0);
    let _ = ctx.system.close(fd);
    answer.map(drop)
}

fn delete(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    if ctx.options.all {
        for name in names(ctx)? {
            if let Err(errno) = ctx.system.netns_delete(&name) {
                ctx.complain(&cannot_remove(&name, errno));
                break;
            }
        }
        return Ok(());
    }
    let Some(name) = args.take() else {
        return Err(no_name());
    };
    ctx.system.netns_delete(name).map_err(|errno| Stop::fail(1, cannot_remove(name, errno)))
}

fn exec(ctx: &mut Context<'_>, mut args: Args<'_>) -> Result<(), Stop> {
    if ctx.options.all {
        return exec_everywhere(ctx, args);
    }
    let Some(name) = args.take() else {
        return Err(no_name());
    };
    let Some(program) = args.peek() else {
        return Err(Stop::fail(1, "No command specified\n"));
    };
    ctx.flush();
    ctx.enter_netns(name).map_err(|stop| Stop { exit: false, ..stop })?;
    match ctx.shell.exec(args.rest()) {
        Ok(0) => Ok(()),
        Ok(code) => Err(Stop::silent(code)),
        Err(error) => {
            let reason = error.raw_os_error().map_or_else(|| error.to_string(), |n| Errno(n).text());
            Err(Stop::exit(1, format!("exec of \"{program}\" failed: {reason}\n")))
        }
    }
}

/// `ip -all netns exec CMD`: a shell runs the command in one namespace after the other, since a task can
/// become another program only once.
fn exec_everywhere(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Stop> {
    if args.is_empty() {
        return Err(Stop::fail(1, "No command specified\n"));
    }
    let command: Vec<_> = args.rest().iter().map(|word| quoted(word)).collect();
    let command = command.join(" ");
    let mut script = String::new();
    for name in names(ctx)? {
        let name = quoted(&name);
        script += &format!("printf '\\nnetns: %s\\n' {name}\nip netns exec {name} {command}\n");
    }
    script += "exit 0\n";
    ctx.flush();
    let argv = ["sh", "-c", &script].map(str::to_owned);
    match ctx.shell.exec(&argv) {
        Ok(_) => Ok(()),
        Err(error) => Err(Stop::exit(1, format!("exec of \"sh\" failed: {error}\n"))),
    }
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn print_id(ctx: &mut Context<'_>, message: &NsidMessage, deleted: bool) {
    let mut id = None;
    let mut current = None;
    for attribute in &message.attributes {
        match attribute {
            NsidAttribute::Id(found) => id = Some(*found),
            NsidAttribute::CurrentNsid(found) => current = Some(*found),
            _ => {}
        }
    }
    let Some(id) = id else { return };
    ctx.print.open_object(None);
    if deleted {
        ctx.print.any("deleted", true, format_args!("Deleted "));
    }
    if id < 0 {
        ctx.print.text(format_args!("nsid unassigned "));
    } else {
        ctx.print.any("nsid", id, format_args!("nsid {id} "));
    }
    match current {
        Some(current) if current < 0 => ctx.print.text(format_args!("current-nsid unassigned ")),
        Some(current) => ctx.print.any("current-nsid", current, format_args!("current-nsid {current} ")),
        None => {}
    }
    if let Some(name) = ctx.nsid_name(current.unwrap_or(id)) {
        ctx.print.any("name", &name, format_args!("(iproute2 netns name: {name})"));
    }
    ctx.print.text(format_args!("\n"));
    ctx.print.close_object();
}

fn names(ctx: &mut Context<'_>) -> Result<Vec<String>, Stop> {
    ctx.system
        .netns_list()
        .map_err(|errno| Stop::fail(1, format!("Failed to open directory {RUN_DIRECTORY}: {errno}\n")))
}

fn is_invalid(name: &str) -> bool {
    name.is_empty() || name.len() > NAME_MAX || name.contains('/') || name == "." || name == ".."
}

fn cannot_open(name: &str, errno: Errno) -> String {
    format!("Cannot open network namespace \"{name}\": {errno}\n")
}

fn cannot_remove(name: &str, errno: Errno) -> String {
    format!("Cannot remove namespace file \"{RUN_DIRECTORY}/{name}\": {errno}\n")
}

fn not_opened(errno: Errno) -> Stop {
    Stop::fail(1, format!("Cannot open network namespace: {errno}\n"))
}

fn extra_arguments() -> Stop {
    Stop::fail(1, "extra arguments specified\n")
}

fn no_name() -> Stop {
    Stop::fail(1, "No netns name specified\n")
}

fn usage() -> Stop {
    Stop::exit(255, USAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_single_path_components() {
        assert!(is_invalid(""));
        assert!(is_invalid(".."));
        assert!(is_invalid("a/b"));
        assert!(is_invalid(&"x".repeat(256)));
        assert!(!is_invalid("net1"));
    }

    #[test]
    fn quoting_survives_quotes() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
