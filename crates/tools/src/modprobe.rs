//! `modprobe` of kmod 30, of a kernel that has most of its modules built in.

use hairpin_netlink::{Call, Errno};

use crate::Program;

/// Where the messages say that modules are; there is no such directory.
const DIRECTORY: &str = "/lib/modules/6.1.0";

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let (mut remove, mut all, mut quiet, mut dry) = (false, false, false, false);
    let mut names: Vec<&str> = Vec::new();
    let args = program.args;
    for word in args {
        match word.as_str() {
            "--remove" => remove = true,
            "--all" => all = true,
            "--quiet" => quiet = true,
            "--dry-run" | "--show" => dry = true,
            "--verbose" | "--use-blacklist" | "--first-time" | "--syslog" => {}
            "--version" => {
                let _ = writeln!(program.shell.out(), "kmod version 30");
                return 0;
            }
            long if long.starts_with("--") => {
                return unknown(program, &format!("unrecognized option '{long}'"));
            }
            short if short.starts_with('-') && short.len() > 1 => {
                for letter in short.chars().skip(1) {
                    match letter {
                        'r' => remove = true,
                        'a' => all = true,
                        'q' => quiet = true,
                        'n' => dry = true,
                        'v' | 'b' | 's' => {}
                        'V' => {
                            let _ = writeln!(program.shell.out(), "kmod version 30");
                            return 0;
                        }
                        other => return unknown(program, &format!("invalid option -- '{other}'")),
                    }
                }
            }
            name => names.push(name),
        }
    }
    if names.is_empty() {
        let _ = writeln!(program.shell.err(), "modprobe: ERROR: missing parameters. See -h.");
        return 1;
    }
    // Without -a and -r the words behind the first are the module's parameters.
    if !all && !remove {
        names.truncate(1);
    }
    let mut code = 0;
    for name in names {
        if dry {
            continue;
        }
        let call = Call::Module { name: name.to_owned(), load: !remove };
        let Err(errno) = program.system.call(call) else { continue };
        code = 1;
        let text = match errno {
            Errno::ENOENT if all && !remove => {
                format!("modprobe: WARNING: Module {name} not found in directory {DIRECTORY}")
            }
            Errno::ENOENT if remove => format!("modprobe: FATAL: Module {name} not found."),
            Errno::ENOENT => format!("modprobe: FATAL: Module {name} not found in directory {DIRECTORY}"),
            Errno::EBUSY => format!("modprobe: FATAL: Module {name} is builtin."),
            other => format!("modprobe: ERROR: could not insert '{name}': {}", other.text()),
        };
        if !quiet || errno != Errno::ENOENT {
            let _ = writeln!(program.shell.err(), "{text}");
        }
    }
    code
}

fn unknown(program: &mut Program<'_>, text: &str) -> i32 {
    let _ = writeln!(program.shell.err(), "modprobe: {text}");
    1
}
