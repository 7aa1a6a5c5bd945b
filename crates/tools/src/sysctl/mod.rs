//! `sysctl` of procps 4.0.2, over the files of `/proc/sys`.

mod glob;
mod settings;

use hairpin_netlink::{Errno, System};
use regex_lite::Regex;

use crate::getopt::{Getopt, Item, Long, Value};
use crate::{Program, Shell};
use settings::Setting;

const ROOT: &str = "/proc/sys/";

const SHORT: &str = "bneNwfp::qoxaAXr:Vdh";

const LONG: &[Long] = &[
    ("all", Value::None, 'a'),
    ("deprecated", Value::None, 'D'),
    ("dry-run", Value::None, 'R'),
    ("binary", Value::None, 'b'),
    ("ignore", Value::None, 'e'),
    ("names", Value::None, 'N'),
    ("values", Value::None, 'n'),
    ("load", Value::Optional, 'p'),
    ("quiet", Value::None, 'q'),
    ("write", Value::None, 'w'),
    ("system", Value::None, 'S'),
    ("pattern", Value::Required, 'r'),
    ("help", Value::None, 'h'),
    ("version", Value::None, 'V'),
];

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let code = run(program);
    // `close_stdout`
    match program.shell.out().flush() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let text = error.raw_os_error().map_or_else(|| error.to_string(), |code| Errno(code).text());
            let _ = writeln!(program.shell.err(), "sysctl: write error: {text}");
            1
        }
        _ => code,
    }
}

fn run(program: &mut Program<'_>) -> i32 {
    let args = program.args;
    let mut sysctl = Sysctl {
        system: &mut *program.system,
        shell: &mut *program.shell,
        names_only: false,
        print_name: true,
        print_newline: true,
        ignore_unknown: false,
        quiet: false,
        dry_run: false,
        deprecated: false,
        pattern: Pattern::All,
    };
    if args.is_empty() {
        let _ = sysctl.shell.err().write_all(USAGE.as_bytes());
        return 1;
    }
    let mut options = Getopt::new(program.name, args, SHORT, LONG);
    let (mut write, mut all, mut load) = (false, false, false);
    let mut file = None;
    while let Some(item) = options.next() {
        match item {
            Item::Option('b', _) => {
                sysctl.print_newline = false;
                sysctl.print_name = false;
            }
            Item::Option('n', _) => sysctl.print_name = false,
            Item::Option('e', _) => sysctl.ignore_unknown = true,
            Item::Option('N', _) => sysctl.names_only = true,
            Item::Option('w', _) => write = true,
            Item::Option('f' | 'p', name) => {
                load = true;
                file = name.or(file);
            }
            Item::Option('q', _) => sysctl.quiet = true,
            Item::Option('o' | 'x', _) => {}
            Item::Option('a' | 'A' | 'X', _) => all = true,
            Item::Option('D', _) => sysctl.deprecated = true,
            Item::Option('R', _) => sysctl.dry_run = true,
            Item::Option('r', pattern) => {
                // What does not compile matches nothing.
                let pattern = Regex::new(pattern.unwrap_or(""));
                sysctl.pattern = pattern.map_or(Pattern::Nothing, Pattern::Matching);
            }
            Item::Option('S', _) => {
                return sysctl.fail("--system is not supported by hairpin yet: name the files with -p");
            }
            Item::Option('V', _) => {
                sysctl.print(format_args!("sysctl from procps-ng 4.0.2\n"));
                return 0;
            }
            Item::Option(..) => {
                sysctl.print(format_args!("{USAGE}"));
                return 0;
            }
            Item::Error(text) => {
                let _ = writeln!(sysctl.shell.err(), "{text}");
                sysctl.print(format_args!("{USAGE}"));
                return 0;
            }
        }
    }
    let operands = options.operands();
    if all {
        // A kernel that has only the network's part of /proc/sys shows that.
        let root = match sysctl.node(ROOT) {
            Node::Directory(_) => ROOT,
            _ => "/proc/sys/net/",
        };
        return sysctl.show_directory(root);
    }
    if load {
        return sysctl.load(file, &operands);
    }
    if operands.is_empty() {
        return sysctl.fail("no variables specified\nTry `sysctl --help' for more information.");
    }
    if sysctl.names_only && sysctl.quiet {
        return sysctl.fail("options -N and -q cannot coexist\nTry `sysctl --help' for more information.");
    }
    let mut code = 0;
    for operand in operands {
        if !write && !operand.contains('=') {
            code += sysctl.show(operand);
            continue;
        }
        code |= match settings::parse(&mut sysctl, "command line", 0, operand) {
            Some(setting) => sysctl.write(&setting.path, &setting),
            None => 1,
        };
    }
    code
}

/// `-r`
enum Pattern {
    All,
    Nothing,
    Matching(Regex),
}

/// A run of sysctl.
struct Sysctl<'a> {
    system: &'a mut dyn System,
    shell: &'a mut dyn Shell,
    names_only: bool,
    print_name: bool,
    print_newline: bool,
    ignore_unknown: bool,
    quiet: bool,
    dry_run: bool,
    deprecated: bool,
    pattern: Pattern,
}

/// What stands at a path.
enum Node {
    Directory(Vec<String>),
    File,
    Nothing(Errno),
}

impl Sysctl<'_> {
    fn print(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.shell.out().write_fmt(text);
    }

    fn warn(&mut self, text: std::fmt::Arguments<'_>) {
        // `error(3)` lets standard output go first.
        let _ = self.shell.out().flush();
        let _ = writeln!(self.shell.err(), "sysctl: {text}");
    }

    /// Says why it ends, with exit code 1.
    fn fail(&mut self, text: &str) -> i32 {
        self.warn(format_args!("{text}"));
        1
    }

    fn matches(&self, text: &str) -> bool {
        match &self.pattern {
            Pattern::All => true,
            Pattern::Nothing => false,
            Pattern::Matching(pattern) => pattern.is_match(text),
        }
    }

    /// `stat` by what else there is.
    fn node(&mut self, path: &str) -> Node {
        match self.system.list_directory(path) {
            Ok(names) => Node::Directory(names),
            Err(Errno::ENOTDIR) if !path.ends_with('/') => Node::File,
            Err(errno) => Node::Nothing(errno),
        }
    }

    /// Swaps the separators of a name, unless its first one is `new` already: `net/ipv4/conf/eth0.5` names
    /// the interface `eth0.5`, and so does `net.ipv4.conf.eth0/5`.
    fn swap_separators(&mut self, name: &str, old: char, new: char) -> String {
        let Some(first) = name.find(['/', '.']) else { return name.to_owned() };
        let (head, tail) = name.split_at(first);
        if tail.starts_with(new) {
            return name.to_owned();
        }
        let repeated = tail.char_indices().find(|(at, c)| {
            let next = tail.get(at + 1..).and_then(|rest| rest.chars().next());
            matches!(c, '/' | '.') && matches!(next, Some('/' | '.'))
        });
        let swap = |c| match c {
            c if c == old => new,
            c if c == new => old,
            c => c,
        };
        let swapped: String = tail.chars().map(swap).collect();
        if let Some((at, _)) = repeated {
            // By then the part in front of the repetition has been swapped.
            let text = tail.get(at..).unwrap_or("");
            self.warn(format_args!("separators should not be repeated: {text}"));
        }
        format!("{head}{swapped}")
    }

    /// Prints a variable, or every variable of a directory; the exit code.
    fn show(&mut self, name: &str) -> i32 {
        if name.is_empty() {
            self.warn(format_args!("\"\" is an unknown key"));
            return -1;
        }
        self.swap_separators(name, '/', '.');
        let path = format!("{ROOT}{}", self.swap_separators(name, '.', '/'));
        let shown = self.swap_separators(name, '/', '.');
        let node = self.node(&path);
        if let Node::Nothing(errno) = node {
            if self.ignore_unknown {
                return 0;
            }
            self.warn(format_args!("cannot stat {path}: {errno}"));
            return 1;
        }
        if !self.is_inside(&path) {
            return -1;
        }
        if let Node::Directory(_) = node {
            return self.show_directory(&format!("{path}/"));
        }
        if !self.matches(&shown) {
            return 0;
        }
        // A file that nobody may read says nothing, whatever is asked about it.
        let text = match self.system.read_file(&path) {
            Err(Errno::EACCES) => return 0,
            read => read,
        };
        if self.names_only {
            self.print(format_args!("{shown}\n"));
            return 0;
        }
        match text {
            Ok(text) => {
                self.show_value(&shown, &String::from_utf8_lossy(&text));
                0
            }
            Err(Errno::ENOENT) if self.ignore_unknown => 0,
            Err(Errno::ENOENT) => {
                self.warn(format_args!("\"{shown}\" is an unknown key"));
                1
            }
            Err(Errno::EIO) => 1,
            Err(errno) => {
                self.warn(format_args!("reading key \"{shown}\": {errno}"));
                1
            }
        }
    }

    fn show_value(&mut self, name: &str, text: &str) {
        for line in text.split_inclusive('\n') {
            if self.print_name {
                let end = if line.ends_with('\n') { "" } else { "\n" };
                self.print(format_args!("{name} = {line}{end}"));
            } else if self.print_newline {
                self.print(format_args!("{line}"));
            } else {
                self.print(format_args!("{}", line.trim_end_matches('\n')));
            }
        }
    }

    fn show_directory(&mut self, path: &str) -> i32 {
        let names = match self.node(path) {
            Node::Directory(names) => names,
            _ => return self.fail(&format!("unable to open directory \"{path}\"")),
        };
        let mut code = 0;
        for name in names {
            if !self.deprecated && matches!(name.as_str(), "base_reachable_time" | "retrans_time") {
                continue;
            }
            let entry = format!("{path}{name}");
            match self.node(&entry) {
                Node::Nothing(errno) => self.warn(format_args!("cannot stat {entry}: {errno}")),
                // As in procps, what fails in there is not counted.
                Node::Directory(_) => drop(self.show_directory(&format!("{entry}/"))),
                Node::File => code |= self.show(entry.strip_prefix(ROOT).unwrap_or(&entry)),
            }
        }
        code
    }

    /// Whether a path stays under `/proc/sys`; says so if not.
    fn is_inside(&mut self, path: &str) -> bool {
        let mut depth = 0_i32;
        for part in path.strip_prefix(ROOT).unwrap_or("").split('/') {
            depth += match part {
                "" | "." => 0,
                ".." => -1,
                _ => 1,
            };
            if depth < 0 {
                self.warn(format_args!("Path is not under {ROOT}: {path}"));
                return false;
            }
        }
        true
    }

    /// Sets a variable; the exit code.
    fn write(&mut self, path: &str, setting: &Setting) -> i32 {
        let node = self.node(path);
        if let Node::Nothing(errno) = node {
            if self.ignore_unknown {
                return 0;
            }
            self.warn(format_args!("cannot stat {path}: {errno}"));
            return 1;
        }
        if !self.is_inside(path) {
            return 1;
        }
        let name = self.swap_separators(path.strip_prefix(ROOT).unwrap_or(path), '/', '.');
        if let Node::Directory(_) = node {
            self.warn(format_args!("setting key \"{name}\": {}", Errno::EINVAL));
            return 0;
        }
        let value = setting.value.as_deref().unwrap_or("(null)");
        let ignoring = if setting.ignore_failure { ", ignoring" } else { "" };
        if !self.dry_run {
            match self.system.write_file(path, format!("{value}\n").as_bytes()) {
                Ok(()) => {}
                // A file that nobody may write: procps reports it with an errno left over from before.
                Err(Errno::EACCES) => {
                    self.warn(format_args!("setting key \"{name}\": {}", Errno::EINVAL));
                    return 0;
                }
                Err(Errno::EPERM | Errno::EROFS) => {
                    self.warn(format_args!("permission denied on key \"{name}\"{ignoring}"));
                    return i32::from(!setting.ignore_failure);
                }
                Err(errno) => {
                    self.warn(format_args!("setting key \"{name}\": {errno}"));
                    return 1;
                }
            }
        }
        if !self.quiet || self.dry_run {
            if self.names_only {
                self.print(format_args!("{value}\n"));
            } else if self.print_name {
                self.print(format_args!("{name} = {value}\n"));
            } else if self.print_newline {
                self.print(format_args!("{value}\n"));
            } else {
                self.print(format_args!("{value}"));
            }
        }
        0
    }
}

const USAGE: &str = "
Usage:
 sysctl [options] [variable[=value] ...]

Options:
  -a, --all            display all variables
  -A                   alias of -a
  -X                   alias of -a
      --deprecated     include deprecated parameters to listing
      --dry-run        Print the key and values but do not write
  -b, --binary         print value without new line
  -e, --ignore         ignore unknown variables errors
  -N, --names          print variable names without values
  -n, --values         print only values of the given variable(s)
  -p, --load[=<file>]  read values from file
  -f                   alias of -p
      --system         read values from all system directories
  -r, --pattern <expression>
                       select setting that match expression
  -q, --quiet          do not echo variable set
  -w, --write          enable writing a value to variable
  -o                   does nothing
  -x                   does nothing
  -d                   alias of -h

 -h, --help     display this help and exit
 -V, --version  output version information and exit

For more details see sysctl(8).
";

#[cfg(test)]
mod tests {
    use crate::fake::FakeKernel;

    fn kernel() -> FakeKernel {
        let mut kernel = FakeKernel::new(|_| Ok(Vec::new()));
        let files = [
            ("net/ipv4/conf/eth0.5/forwarding", "0\n"),
            ("net/ipv4/conf/eth0.5/rp_filter", "2\n"),
            ("net/ipv4/ip_forward", "0\n"),
            ("net/ipv4/neigh/eth0.5/retrans_time", "100\n"),
        ];
        for (name, text) in files {
            kernel.files.insert(format!("/proc/sys/{name}"), text.to_owned());
        }
        kernel
    }

    fn run(line: &str) -> (String, i32) {
        kernel().run(line)
    }

    #[test]
    fn separators_swap_and_interfaces_keep_their_dots() {
        let shown = "net.ipv4.conf.eth0/5.forwarding = 0\n";
        assert_eq!(run("sysctl net/ipv4/conf/eth0.5/forwarding"), (shown.to_owned(), 0));
        assert_eq!(run("sysctl net.ipv4.conf.eth0/5.forwarding"), (shown.to_owned(), 0));
        let missing =
            "sysctl: cannot stat /proc/sys/net/ipv4/conf/eth0/5/forwarding: No such file or directory\n";
        assert_eq!(run("sysctl net.ipv4.conf.eth0.5.forwarding"), (missing.to_owned(), 1));
    }

    #[test]
    fn variables_are_set_and_shown() {
        let mut kernel = kernel();
        assert_eq!(
            kernel.run("sysctl -w net.ipv4.ip_forward=1"),
            ("net.ipv4.ip_forward = 1\n".to_owned(), 0)
        );
        assert_eq!(kernel.files["/proc/sys/net/ipv4/ip_forward"], "1\n");
        assert_eq!(kernel.run("sysctl -n net.ipv4.ip_forward"), ("1\n".to_owned(), 0));
        assert_eq!(
            kernel.run("sysctl -q net.ipv4.ip_forward=0 -N"),
            (
                "sysctl: options -N and -q cannot coexist\nTry `sysctl --help' for more information.\n"
                    .to_owned(),
                1
            )
        );
    }

    #[test]
    fn directories_are_walked_and_patterns_pick() {
        let all = "net.ipv4.conf.eth0/5.forwarding = 0\nnet.ipv4.conf.eth0/5.rp_filter = 2\nnet.ipv4.ip_forward = 0\n";
        assert_eq!(run("sysctl -a"), (all.to_owned(), 0));
        assert_eq!(run("sysctl -a -r ^net.ipv4.ip_"), ("net.ipv4.ip_forward = 0\n".to_owned(), 0));
        assert_eq!(
            run("sysctl -N net.ipv4.conf"),
            ("net.ipv4.conf.eth0/5.forwarding\nnet.ipv4.conf.eth0/5.rp_filter\n".to_owned(), 0)
        );
        assert_eq!(run("sysctl -a --deprecated -r retrans").0, "net.ipv4.neigh.eth0/5.retrans_time = 100\n");
    }

    #[test]
    fn nothing_outside_is_touched() {
        let mut kernel = kernel();
        kernel.files.insert("/proc/sys/net/../../../etc/passwd".to_owned(), String::new());
        let (text, code) = kernel.run("sysctl net/../../../etc/passwd");
        let last = "sysctl: Path is not under /proc/sys/: /proc/sys/net/../../../etc/passwd";
        assert_eq!((text.lines().last(), code), (Some(last), -1));
    }
}
