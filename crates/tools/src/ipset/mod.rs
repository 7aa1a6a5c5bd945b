//! `ipset` of ipset 7.17: sets of addresses, ports and the like for rules.
//!
//! [`parse`] reads options and elements, [`show`] prints sets.

mod parse;
mod show;

use std::io::Read as _;

use hairpin_netlink::netfilter::ipset::{Element, Set, SetCall, SetType, Storage, error};
use hairpin_netlink::netfilter::{NetfilterCall, NetfilterReply};
use hairpin_netlink::{Errno, System};

use crate::{Program, Shell};
use show::{Form, Output};

const VERSION: &str = "7.17";
/// The longest text that `restore` reads.
const RESTORE_MAX: u64 = 1 << 26;

/// How it fails: a text, whether the hint at the help follows, and the exit code.
struct Fail {
    text: String,
    hint: bool,
}

impl Fail {
    /// What the command line has wrong: exit code 2.
    fn usage(text: impl Into<String>) -> Fail {
        Fail { text: text.into(), hint: true }
    }

    fn syntax(text: impl std::fmt::Display) -> Fail {
        Fail { text: format!("Syntax error: {text}"), hint: false }
    }
}

/// Options of every command.
#[derive(Clone, Debug, Default)]
struct Options {
    exist: bool,
    quiet: bool,
    output: Output,
    file: Option<String>,
}

/// Commands, with other names of theirs and the letters of old.
const COMMANDS: &[(&str, &[&str])] = &[
    ("create", &["-N", "new", "--create", "n"]),
    ("add", &["-A", "--add"]),
    ("del", &["-D", "--del", "delete"]),
    ("test", &["-T", "--test"]),
    ("destroy", &["-X", "x", "--destroy"]),
    ("list", &["-L", "--list", "ls"]),
    ("save", &["-S", "--save"]),
    ("restore", &["-R", "--restore"]),
    ("flush", &["-F", "--flush"]),
    ("rename", &["-E", "--rename", "e"]),
    ("swap", &["-W", "--swap", "w"]),
    ("help", &["-h", "--help", "-H"]),
    ("version", &["-v", "-V", "--version"]),
];

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let args = program.args.to_vec();
    let mut ipset =
        Ipset { system: &mut *program.system, shell: &mut *program.shell, quiet: false, line: None };
    let outcome = ipset.run(&args);
    ipset.finish(outcome)
}

struct Ipset<'a> {
    system: &'a mut dyn System,
    shell: &'a mut dyn Shell,
    quiet: bool,
    /// The line that `restore` is at.
    line: Option<usize>,
}

impl Ipset<'_> {
    fn finish(&mut self, outcome: Result<i32, Fail>) -> i32 {
        let fail = match outcome {
            Ok(code) => return code,
            Err(fail) => fail,
        };
        if !self.quiet {
            let place = self.line.map_or(String::new(), |line| format!("Error in line {line}: "));
            let hint = if fail.hint { "Try `ipset help' for more information.\n" } else { "" };
            let _ = write!(self.shell.err(), "ipset v{VERSION}: {place}{}\n{hint}", fail.text);
        }
        if fail.hint { 2 } else { 1 }
    }

    fn run(&mut self, args: &[String]) -> Result<i32, Fail> {
        let mut options = Options::default();
        let rest = common(args, &mut options)?;
        self.quiet = options.quiet;
        let Some((word, rest)) = rest.split_first() else {
            return Err(Fail::usage("No command specified."));
        };
        let known = COMMANDS.iter().find(|(name, others)| name == word || others.contains(&word.as_str()));
        let Some((command, _)) = known else {
            return Err(Fail::usage(format!("No command specified: unknown argument {word}")));
        };
        self.command(command, rest, &options)
    }

    fn command(&mut self, command: &str, rest: &[String], options: &Options) -> Result<i32, Fail> {
        let needed = match command {
            "create" | "add" | "del" | "test" | "rename" | "swap" => 2,
            _ => 0,
        };
        match rest.len() {
            0 if needed > 0 => {
                return Err(Fail::usage(format!("Missing mandatory argument to command {command}")));
            }
            1 if needed > 1 => {
                return Err(Fail::usage(format!("Missing second mandatory argument to command {command}")));
            }
            _ => {}
        }
        let most = match command {
            "rename" | "swap" => 2,
            "destroy" | "flush" | "list" | "save" => 1,
            "restore" | "version" => 0,
            _ => usize::MAX,
        };
        if let Some(word) = rest.get(most.min(rest.len())..).and_then(<[String]>::first) {
            return Err(Fail::usage(format!("Unknown argument {word}")));
        }
        for name in rest.iter().take(if most == 2 { 2 } else { usize::from(command != "help") }) {
            if name.len() > 31 {
                return Err(Fail::syntax(format_args!("setname '{name}' is longer than 31 characters")));
            }
        }
        let name = rest.first().cloned();
        match command {
            "version" => {
                let _ = writeln!(self.shell.out(), "ipset v{VERSION}, protocol version: 7");
            }
            "help" => {
                let _ = self.shell.out().write_all(include_bytes!("help.txt"));
            }
            "create" => self.create(rest, options)?,
            "destroy" => self.change("destroy", SetCall::Destroy(name), options)?,
            "flush" => self.change("flush", SetCall::Flush(name), options)?,
            "rename" => {
                let call = SetCall::Rename { from: rest[0].clone(), to: rest[1].clone() };
                self.change("rename", call, options)?;
            }
            "swap" => {
                let call = SetCall::Swap { one: rest[0].clone(), other: rest[1].clone() };
                self.change("swap", call, options)?;
            }
            "list" | "save" => {
                let sets = self.sets(name)?;
                let form = if command == "save" { Form::Save } else { options.output.form };
                let text = show::sets(&sets, &Output { form, ..options.output });
                let _ = self.shell.out().write_all(text.as_bytes());
            }
            "restore" => self.restore(options)?,
            _ => return self.element(command, rest, options),
        }
        Ok(0)
    }

    fn create(&mut self, rest: &[String], options: &Options) -> Result<(), Fail> {
        let [name, kind, words @ ..] = rest else { return Err(Fail::usage("No command specified.")) };
        let Some(kind) = SetType::by_name(parse::type_name(kind)) else {
            return Err(Fail::syntax(format_args!("typename '{kind}' is unknown")));
        };
        let (mut made, exist) = parse::options(kind, words, self.shell)?;
        if kind.storage == Storage::Hash {
            // The seed of its hash, which only shows.
            let now = self.system.now().map_or(0, |now| now.monotonic_ns);
            let seed = name.bytes().fold(now ^ 0x9e37_79b9_7f4a_7c15, |seed, byte| {
                (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
            if made.initial == 0 {
                made.initial = (seed >> 16) as u32;
            }
        }
        let exist = exist || options.exist;
        let call = SetCall::Create {
            name: name.clone(),
            kind: kind.name.to_owned(),
            options: Box::new(made),
            exist,
        };
        match self.call(call) {
            Ok(_) => Ok(()),
            Err(Errno::EEXIST) => Err(failed("Set cannot be created: set with the same name already exists")),
            Err(errno) => Err(refused("create", errno, kind.storage)),
        }
    }

    fn change(&mut self, command: &str, call: SetCall, options: &Options) -> Result<(), Fail> {
        match self.call(call) {
            Ok(_) => Ok(()),
            Err(Errno::ENOENT) if command == "destroy" && options.exist => Ok(()),
            Err(errno) => Err(refused(command, errno, Storage::Hash)),
        }
    }

    /// `add`, `del`, `test`
    fn element(&mut self, command: &str, rest: &[String], options: &Options) -> Result<i32, Fail> {
        let [name, text, words @ ..] = rest else { return Err(Fail::usage("No command specified.")) };
        // What the set's elements look like is its type's business.
        let sets = self.sets(Some(name.clone()))?;
        let Some(set) = sets.first() else { return Err(refused(command, Errno::ENOENT, Storage::Hash)) };
        let Some(kind) = SetType::by_name(&set.kind) else {
            return Err(failed("Kernel error received: set type not supported"));
        };
        let (template, exist) = parse::extras(kind, command, words)?;
        let exist = exist || options.exist;
        let parts = parse::element(kind, &set.options, text, self.shell)?;
        let elements: Vec<Element> =
            parts.into_iter().map(|parts| Element { parts, ..template.clone() }).collect();
        let set = name.clone();
        let call = match command {
            "add" => SetCall::Add { set, elements, exist },
            "del" => SetCall::Delete { set, elements, exist },
            _ => {
                let Some(element) = elements.into_iter().next() else { return Ok(1) };
                return self.test(set, element, &[text], words, kind, options);
            }
        };
        match self.call(call) {
            Ok(_) => Ok(0),
            Err(errno) if errno == error::EXIST => Err(failed(match command {
                "add" => "Element cannot be added to the set: it's already added",
                _ => "Element cannot be deleted from the set: it's not added",
            })),
            Err(errno) => Err(refused(command, errno, kind.storage)),
        }
    }

    fn test(
        &mut self,
        set: String,
        element: Element,
        text: &[&String],
        words: &[String],
        kind: &SetType,
        options: &Options,
    ) -> Result<i32, Fail> {
        // The program prints either place as `after`.
        let word = |word: &'_ String| if word == "before" { "after".to_owned() } else { word.clone() };
        let shown: Vec<String> = text.iter().copied().chain(words).map(word).collect();
        let shown = shown.join(" ");
        match self.call(SetCall::Test { set: set.clone(), element: Box::new(element) }) {
            Ok(Some(NetfilterReply::Tested(found))) => {
                if !options.quiet {
                    let _ = match found {
                        true => writeln!(self.shell.err(), "Warning: {shown} is in set {set}."),
                        false => writeln!(self.shell.err(), "{shown} is NOT in set {set}."),
                    };
                }
                Ok(i32::from(!found))
            }
            Ok(_) => Err(refused("test", Errno::EPROTO, kind.storage)),
            Err(errno) => Err(refused("test", errno, kind.storage)),
        }
    }

    fn restore(&mut self, options: &Options) -> Result<(), Fail> {
        let mut text = String::new();
        let read = match &options.file {
            Some(path) => {
                let file = self.shell.open(path);
                let file =
                    file.map_err(|error| failed(&format!("Cannot open {path} for reading: {error}")))?;
                file.take(RESTORE_MAX).read_to_string(&mut text)
            }
            None => self.shell.input().take(RESTORE_MAX).read_to_string(&mut text),
        };
        read.map_err(|error| failed(&error.to_string()))?;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line == "COMMIT" {
                continue;
            }
            self.line = Some(number + 1);
            let words = parse::words(line);
            let mut of_line = Options { file: None, ..options.clone() };
            let rest = common(&words, &mut of_line)?;
            let Some((word, rest)) = rest.split_first() else { continue };
            let known =
                COMMANDS.iter().find(|(name, others)| name == word || others.contains(&word.as_str()));
            match known {
                Some((command, _)) if *command != "restore" => {
                    self.command(command, rest, &of_line)?;
                }
                _ => return Err(Fail::usage(format!("No command specified: unknown argument {word}"))),
            }
        }
        self.line = None;
        Ok(())
    }

    fn sets(&mut self, name: Option<String>) -> Result<Vec<Set>, Fail> {
        match self.call(SetCall::List(name)) {
            Ok(Some(NetfilterReply::Sets(sets))) => Ok(sets),
            Ok(_) => Err(refused("list", Errno::EPROTO, Storage::Hash)),
            Err(errno) => Err(refused("list", errno, Storage::Hash)),
        }
    }

    fn call(&mut self, call: SetCall) -> Result<Option<NetfilterReply>, Errno> {
        self.system.netfilter(NetfilterCall::Sets(call))
    }
}

/// Takes options that every command knows out of the words.
fn common(args: &[String], options: &mut Options) -> Result<Vec<String>, Fail> {
    let mut rest = Vec::new();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-!" | "-exist" | "--exist" => options.exist = true,
            "-q" | "-quiet" | "--quiet" => options.quiet = true,
            "-s" | "-sorted" | "--sorted" => options.output.sorted = true,
            "-n" | "-name" | "--name" => options.output.names = true,
            "-t" | "-terse" | "--terse" => options.output.terse = true,
            "-r" | "-resolve" | "--resolve" => {}
            "-o" | "-output" | "--output" => {
                options.output.form = match words.next().map(String::as_str) {
                    Some("plain") => Form::Plain,
                    Some("save") => Form::Save,
                    Some("xml") => Form::Xml,
                    Some(other) => {
                        return Err(Fail::syntax(format_args!("unknown output mode '{other}'")));
                    }
                    None => return Err(missing(word)),
                };
            }
            "-f" | "-file" | "--file" => {
                options.file = Some(words.next().ok_or_else(|| missing(word))?.clone());
            }
            _ => rest.push(word.clone()),
        }
    }
    Ok(rest)
}

fn missing(word: &str) -> Fail {
    Fail::usage(format!("Missing mandatory argument to option {word}"))
}

fn failed(text: &str) -> Fail {
    Fail { text: text.to_owned(), hint: false }
}

/// The text of an error of the kernel (`ipset_errcode`).
fn refused(command: &str, errno: Errno, storage: Storage) -> Fail {
    let text = match (errno, storage) {
        (Errno::ENOENT, _) => "The set with the given name does not exist".to_owned(),
        (error::FIND_TYPE, _) => "Kernel error received: set type not supported".to_owned(),
        (error::BUSY, _) => "Set cannot be destroyed: it is in use by a kernel component".to_owned(),
        (error::EXIST_SETNAME2, _) if command == "swap" => {
            "Sets cannot be swapped: the second set does not exist".to_owned()
        }
        (error::EXIST_SETNAME2, _) => {
            "Set cannot be renamed: a set with the new name already exists".to_owned()
        }
        (error::TYPE_MISMATCH, _) => "The sets cannot be swapped: their type does not match".to_owned(),
        (error::REFERENCED, _) => "Set cannot be renamed: it is in use by another system".to_owned(),
        (error::INVALID_CIDR, _) => "The value of the CIDR parameter of the IP address is invalid".to_owned(),
        (error::TIMEOUT, _) => "Timeout cannot be used: set was created without timeout support".to_owned(),
        (error::COUNTER, _) => {
            "Packet/byte counters cannot be used: set was created without counter support".to_owned()
        }
        (error::COMMENT, _) => "Comment cannot be used: set was created without comment support".to_owned(),
        (Errno(4352), Storage::Hash) => "Hash is full, cannot add more elements".to_owned(),
        (Errno(4352), Storage::Bitmap) => "Element is out of the range of the set".to_owned(),
        (Errno(4352), Storage::List) => {
            "Set to be added/deleted/tested as element does not exist.".to_owned()
        }
        (Errno(4353), Storage::Bitmap) => {
            "The range you specified exceeds the size limit of the set type".to_owned()
        }
        (Errno(4353), Storage::List) => "Sets with list:set type cannot be added to the set.".to_owned(),
        (Errno(4355), Storage::List) => "No reference set specified.".to_owned(),
        (Errno(4356), Storage::List) => "The set is full, more elements cannot be added.".to_owned(),
        (Errno(4357), Storage::List) => {
            "The set to which you referred with 'before' or 'after' does not exist.".to_owned()
        }
        (errno, _) => format!("Kernel error received: {}", errno.text()),
    };
    Fail { text, hint: false }
}
