//! `sudo`: everyone in an emulated world is root, so it runs the command it is given. Users, groups and
//! prompts are read and ignored; assignments reach the command through `env`.

use std::io::ErrorKind;

use crate::Program;
use crate::getopt::{Getopt, Item, Long, Value};

const SHORT: &str = "+AbBC:D:Eeg:Hh:iKklNnp:PR:r:Sst:T:U:u:Vv";

const LONG: &[Long] = &[
    ("askpass", Value::None, 'A'),
    ("background", Value::None, 'b'),
    ("bell", Value::None, 'B'),
    ("chdir", Value::Required, 'D'),
    ("chroot", Value::Required, 'R'),
    ("close-from", Value::Required, 'C'),
    ("command-timeout", Value::Required, 'T'),
    ("edit", Value::None, 'e'),
    ("group", Value::Required, 'g'),
    ("help", Value::None, '?'),
    ("host", Value::Required, 'h'),
    ("list", Value::None, 'l'),
    ("login", Value::None, 'i'),
    ("no-update", Value::None, 'N'),
    ("non-interactive", Value::None, 'n'),
    ("other-user", Value::Required, 'U'),
    ("preserve-env", Value::Optional, 'E'),
    ("preserve-groups", Value::None, 'P'),
    ("prompt", Value::Required, 'p'),
    ("remove-timestamp", Value::None, 'K'),
    ("reset-timestamp", Value::None, 'k'),
    ("role", Value::Required, 'r'),
    ("set-home", Value::None, 'H'),
    ("shell", Value::None, 's'),
    ("stdin", Value::None, 'S'),
    ("type", Value::Required, 't'),
    ("user", Value::Required, 'u'),
    ("validate", Value::None, 'v'),
    ("version", Value::None, 'V'),
];

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let mut options = Getopt::new("sudo", program.args, SHORT, LONG);
    let mut shell = false;
    let mut no_command_needed = false;
    while let Some(item) = options.next() {
        match item {
            Item::Option('V', _) => {
                let _ = writeln!(program.shell.out(), "sudo (hairpin)");
                return 0;
            }
            Item::Option('i' | 's', _) => shell = true,
            Item::Option('k' | 'K' | 'v', _) => no_command_needed = true,
            Item::Option(letter @ ('b' | 'D' | 'e' | 'l' | 'R'), _) => {
                let err = program.shell.err();
                let _ = writeln!(err, "sudo: option -{letter} is not supported by hairpin yet");
                return 1;
            }
            Item::Option('?', _) => {
                let _ = writeln!(program.shell.out(), "{USAGE}");
                return 0;
            }
            Item::Option(..) => {}
            Item::Error(text) => {
                let _ = writeln!(program.shell.err(), "{text}\n{USAGE}");
                return 1;
            }
        }
    }
    let operands = options.operands();
    let assignments = operands.iter().take_while(|word| is_assignment(word)).count();
    let command = operands.get(assignments..).unwrap_or(&[]);
    if command.is_empty() && !shell {
        if no_command_needed {
            return 0;
        }
        let _ = writeln!(program.shell.err(), "{USAGE}");
        return 1;
    }
    let mut argv: Vec<String> = Vec::new();
    if assignments > 0 {
        argv.push("env".to_owned());
        argv.extend(operands.iter().take(assignments).map(|word| (*word).to_owned()));
    }
    if shell {
        argv.push(program.shell.variable("SHELL").unwrap_or_else(|| "bash".to_owned()));
        if !command.is_empty() {
            argv.push("-c".to_owned());
            argv.push(command.iter().map(|word| escape(word)).collect::<Vec<_>>().join(" "));
        }
    } else {
        argv.extend(command.iter().map(|word| (*word).to_owned()));
    }
    match program.shell.exec(&argv) {
        Ok(code) => code,
        Err(error) => {
            let name = argv.first().map_or("", String::as_str);
            let err = program.shell.err();
            let _ = match error.kind() {
                ErrorKind::NotFound => writeln!(err, "sudo: {name}: command not found"),
                _ => writeln!(err, "sudo: unable to execute {name}: {error}"),
            };
            1
        }
    }
}

/// `VAR=VALUE` in front of the command.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.contains('/'))
}

/// How sudo hands a word to a shell: everything but letters, digits, `_`, `-` and `$` is escaped.
fn escape(word: &str) -> String {
    let mut escaped = String::new();
    for letter in word.chars() {
        if !(letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '$')) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

const USAGE: &str = "\
usage: sudo -h | -K | -k | -V
usage: sudo -v [-ABkNnS] [-g group] [-h host] [-p prompt] [-u user]
usage: sudo -l [-ABkNnS] [-g group] [-h host] [-p prompt] [-U user] [-u user]
            [command [arg ...]]
usage: sudo [-ABbEHkNnPS] [-r role] [-t type] [-C num] [-D directory] [-g
            group] [-h host] [-p prompt] [-R directory] [-T timeout] [-u user]
            [VAR=value] [-i | -s] [command [arg ...]]
usage: sudo -e [-ABkNnS] [-r role] [-t type] [-C num] [-D directory] [-g group]
            [-h host] [-p prompt] [-R directory] [-T timeout] [-u user] file ...";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::FakeKernel;

    #[test]
    fn commands_run_with_what_was_asked_around_them() {
        let run = |line: &str| FakeKernel::new(|_| Ok(Vec::new())).run(line);
        assert_eq!(run("sudo -n -u root ip -d link"), ("[\"ip\", \"-d\", \"link\"]\n".to_owned(), 7));
        assert_eq!(run("sudo A=b ip link").0, "[\"env\", \"A=b\", \"ip\", \"link\"]\n");
        assert_eq!(run("sudo -s ip link").0, "[\"bash\", \"-c\", \"ip link\"]\n");
        assert_eq!(run("sudo nope"), ("sudo: nope: command not found\n".to_owned(), 1));
        assert_eq!(run("sudo -v"), (String::new(), 0));
        assert_eq!(run("sudo -Z ls").0.lines().next(), Some("sudo: invalid option -- 'Z'"));
    }

    #[test]
    fn assignments_end_at_the_command() {
        assert!(is_assignment("A=b"));
        assert!(!is_assignment("ip"));
        assert!(!is_assignment("/bin/x=y"));
        assert!(!is_assignment("=x"));
    }

    #[test]
    fn words_are_escaped_for_a_shell() {
        assert_eq!(escape("a b;$c"), "a\\ b\\;$c");
    }
}
