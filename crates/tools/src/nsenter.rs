//! `nsenter`, as far as network namespaces go (util-linux 2.38): into that of a container, or one with a name.

use crate::getopt::{Getopt, Item, Long, Value};
use crate::{Program, Shell};

const LONG: &[Long] = &[
    ("all", Value::None, 'a'),
    ("target", Value::Required, 't'),
    ("mount", Value::Optional, 'm'),
    ("uts", Value::Optional, 'u'),
    ("ipc", Value::Optional, 'i'),
    ("net", Value::Optional, 'n'),
    ("pid", Value::Optional, 'p'),
    ("user", Value::Optional, 'U'),
    ("no-fork", Value::None, 'F'),
    ("preserve-credentials", Value::None, 'c'),
    ("help", Value::None, 'h'),
    ("version", Value::None, 'V'),
];

const USAGE: &str = "\n\
Usage:
 nsenter [options] [<program> [<argument>...]]

Run a program with namespaces of other processes.

Options:
 -a, --all              enter all namespaces
 -t, --target <pid>     target process to get namespaces from
 -n, --net[=<file>]     enter network namespace
 -m, -u, -i, -p, -U     other namespaces (without effect: all programs of a world share them)
";

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let mut options = Getopt::new(program.name, program.args, "+at:m::u::i::n::p::U::FchV", LONG);
    let (mut target, mut net) = (None, None);
    while let Some(item) = options.next() {
        match item {
            Item::Option('t', Some(pid)) => target = Some(pid.to_owned()),
            Item::Option('n', file) => net = Some(file.map(|file| file.trim_start_matches('=').to_owned())),
            Item::Option('a', _) => net = Some(None),
            Item::Option('h', _) => {
                let _ = write!(program.shell.out(), "{USAGE}");
                return 0;
            }
            Item::Option('V', _) => {
                let _ = writeln!(program.shell.out(), "nsenter (hairpin), after util-linux 2.38.1");
                return 0;
            }
            Item::Option(..) => {}
            Item::Error(text) => {
                return complain(
                    program.shell,
                    &format!("{text}\nTry 'nsenter --help' for more information."),
                );
            }
        }
    }
    let argv: Vec<String> = options.operands().iter().map(|word| (*word).to_owned()).collect();
    let path = match (net, target) {
        (None, _) => None,
        (Some(Some(file)), _) => Some(file),
        (Some(None), Some(pid)) if pid.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(format!("/proc/{pid}/ns/net"))
        }
        (Some(None), Some(pid)) => {
            return complain(program.shell, &format!("nsenter: failed to parse pid: '{pid}'"));
        }
        (Some(None), None) => {
            let text = "nsenter: neither filename nor target pid supplied for ns/net";
            return complain(program.shell, text);
        }
    };
    if let Some(path) = path {
        // Those of `ip netns` are known by their names.
        let name = path.strip_prefix("/var/run/netns/").or(path.strip_prefix("/run/netns/")).unwrap_or(&path);
        if let Err(errno) = program.system.netns_enter(name) {
            return complain(program.shell, &format!("nsenter: cannot open {path}: {errno}"));
        }
    }
    let shell = program.shell.variable("SHELL").unwrap_or_else(|| "/bin/sh".to_owned());
    let argv = if argv.is_empty() { vec![shell] } else { argv };
    match program.shell.exec(&argv) {
        Ok(code) => code,
        Err(error) => {
            let name = argv.first().map_or("", String::as_str);
            complain(program.shell, &format!("nsenter: failed to execute {name}: {error}"));
            127
        }
    }
}

fn complain(shell: &mut dyn Shell, text: &str) -> i32 {
    let _ = writeln!(shell.err(), "{text}");
    1
}

#[cfg(test)]
mod tests {
    use crate::fake::FakeKernel;

    #[test]
    fn what_it_says() {
        let run = |line: &str| FakeKernel::new(|_| Ok(Vec::new())).run(line);
        let text = "nsenter: neither filename nor target pid supplied for ns/net\n";
        assert_eq!(run("nsenter -n ip link"), (text.to_owned(), 1));
        assert_eq!(run("nsenter -t x -n ip link"), ("nsenter: failed to parse pid: 'x'\n".to_owned(), 1));
        assert_eq!(run("nsenter -t 1 -m ip -d link"), ("[\"ip\", \"-d\", \"link\"]\n".to_owned(), 7));
        assert_eq!(run("nsenter -t 1 -m nope").1, 127);
    }
}
