//! `nft` of nftables 1.0.6: tables, chains, rules, sets and maps.
//!
//! The input is cut into tokens ([`token`]), which [`change`] (with [`block`] and [`delete`]) and [`list`] take as commands; [`statement`], [`expr`]
//! and [`set`] read what rules are made of, [`value`] data by type, [`fields`] has the names of headers' fields. The
//! ruleset is read from the kernel once, changed in memory and put back whole, so that all of an input holds or none.
//! [`show`] prints it as text, [`json`] as JSON.

mod block;
mod change;
mod conflict;
mod delete;
mod expr;
mod fail;
mod fields;
mod include;
mod json;
mod list;
mod meant;
mod object;
mod parser;
mod set;
mod show;
mod statement;
mod time;
mod token;
mod value;

use std::io::Read as _;

use hairpin_netlink::netfilter::nft::{NftCall, Ruleset};
use hairpin_netlink::netfilter::{NetfilterCall, NetfilterReply};
use hairpin_netlink::{Errno, System};

use crate::Program;
use fail::{Fail, Place};
use parser::Parser;
use show::Style;
use token::Token;
use value::Known;

const VERSION: &str = "nftables v1.0.6 (Lester Gooch #5)";
/// The longest input.
const INPUT_MAX: u64 = 1 << 26;

/// A text that commands are read from: the input, or a file that it includes.
#[derive(Debug)]
struct Source {
    /// None on the command line.
    name: Option<String>,
    text: String,
    /// The command that includes it.
    from: Option<Place>,
}

/// Options of the command line.
#[derive(Debug, Default)]
struct Options {
    style: Style,
    json: bool,
    check: bool,
    echo: bool,
    file: Option<String>,
    defines: Vec<(String, String)>,
}

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let (options, words) = match options(program.args) {
        Ok(Parsed::Run(options, words)) => (options, words),
        Ok(Parsed::Version) => {
            let _ = writeln!(program.shell.out(), "{VERSION}");
            return 0;
        }
        Ok(Parsed::Help) => {
            let _ = program.shell.out().write_all(include_bytes!("help.txt"));
            return 0;
        }
        Err(text) => {
            let _ = writeln!(program.shell.err(), "{text}");
            return 1;
        }
    };
    let input = match &options.file {
        None if words.is_empty() => {
            let _ = writeln!(program.shell.err(), "nft: no command specified");
            return 1;
        }
        None => words.join(" "),
        Some(path) => match read(program, path) {
            Ok(text) => text,
            Err(text) => {
                let _ = write!(program.shell.err(), "{text}");
                return 1;
            }
        },
    };
    let file = options.file.as_deref().map(|path| if path == "-" { "/dev/stdin" } else { path });
    let mut sources = vec![Source { name: file.map(str::to_owned), text: input, from: None }];
    let tokens = include::tokens(&mut *program.shell, &mut sources);
    let mut text = String::new();
    let outcome = tokens.and_then(|tokens| run(program.system, &options, tokens, &mut text));
    let _ = program.shell.out().write_all(text.as_bytes());
    match outcome {
        Ok(()) => 0,
        Err(fail) => {
            let _ = program.shell.err().write_all(fail.text(&sources).as_bytes());
            1
        }
    }
}

enum Parsed {
    Run(Options, Vec<String>),
    Version,
    Help,
}

fn options(args: &[String]) -> Result<Parsed, String> {
    let mut options = Options::default();
    let mut words = args.iter().peekable();
    let mut rest = Vec::new();
    while let Some(word) = words.next() {
        let letters: Vec<char> = match word.as_str() {
            "--version" => vec!['v'],
            "--help" => vec!['h'],
            "--file" => vec!['f'],
            "--define" => vec!['D'],
            "--check" => vec!['c'],
            "--handle" => vec!['a'],
            "--stateless" => vec!['s'],
            "--terse" => vec!['t'],
            "--numeric" => vec!['n'],
            "--numeric-priority" => vec!['y'],
            "--numeric-protocol" => vec!['p'],
            "--numeric-time" => vec!['T'],
            "--service" => vec!['S'],
            "--reversedns" => vec!['N'],
            "--guid" => vec!['u'],
            "--echo" => vec!['e'],
            "--json" => vec!['j'],
            "--optimize" => vec!['o'],
            "--interactive" => vec!['i'],
            long if long.starts_with("--") => return Err(format!("nft: unrecognized option '{long}'")),
            short if short.starts_with('-') && short.len() > 1 && rest.is_empty() => {
                short.chars().skip(1).collect()
            }
            _ => {
                rest.push(word.clone());
                continue;
            }
        };
        for letter in letters {
            match letter {
                'v' | 'V' => return Ok(Parsed::Version),
                'h' => return Ok(Parsed::Help),
                'a' => options.style.handles = true,
                's' => options.style.stateless = true,
                't' => options.style.terse = true,
                'n' => options.style.numeric = true,
                'y' => options.style.numeric_priority = true,
                'p' | 'T' | 'S' | 'N' | 'u' => {}
                'j' => options.json = true,
                'c' => options.check = true,
                'e' => options.echo = true,
                'f' => {
                    let file = words.next().ok_or("nft: option requires an argument -- 'f'")?;
                    options.file = Some(file.clone());
                }
                'D' => {
                    let text = words.next().ok_or("nft: option requires an argument -- 'D'")?;
                    let (name, value) = text.split_once('=').ok_or("Error: syntax error, unexpected end")?;
                    options.defines.push((name.to_owned(), value.to_owned()));
                }
                'o' | 'i' | 'I' | 'd' => return Err(format!("nft: hairpin has no -{letter}")),
                other => return Err(format!("nft: invalid option -- '{other}'")),
            }
        }
    }
    Ok(Parsed::Run(options, rest))
}

fn read(program: &mut Program<'_>, path: &str) -> Result<String, String> {
    let mut text = String::new();
    let outcome = match path {
        "-" => program.shell.input().take(INPUT_MAX).read_to_string(&mut text),
        path => match program.shell.open(path) {
            Ok(file) => file.take(INPUT_MAX).read_to_string(&mut text),
            Err(_) => {
                return Err(format!(
                    "internal:0:0-0: Error: Could not open file \"{path}\": No such file or directory\n\n\n"
                ));
            }
        },
    };
    match outcome {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("Error: {path}: {error}\n")),
    }
}

/// What an input is carried out on.
struct Session<'a> {
    options: &'a Options,
    ruleset: Ruleset,
    now_ns: u64,
    /// Something is to go back to the kernel.
    changed: bool,
    /// What is printed.
    out: String,
    /// The command that is carried out.
    command: Place,
}

/// Carries the commands out; what they print is in `out` when one of them fails, too.
fn run(system: &mut dyn System, options: &Options, tokens: Vec<Token>, out: &mut String) -> Result<(), Fail> {
    let tokens = token::defined(tokens, &options.defines)?;
    let ruleset = match system.netfilter(NetfilterCall::Nft(NftCall::Ruleset)) {
        Ok(Some(NetfilterReply::Ruleset(ruleset))) => *ruleset,
        Ok(_) => return Err(Fail::plain(Errno::EPROTO.text())),
        Err(Errno::ENOSYS) => {
            return Err(Fail::plain("hairpin's nft reads rules of the emulated kernel only"));
        }
        Err(errno) => return Err(Fail::plain(errno.text())),
    };
    let known = Known { interfaces: interfaces(system) };
    let now_ns = system.now().map_or(0, |now| now.monotonic_ns);
    let mut parser = Parser::new(&tokens, &known);
    let mut session =
        Session { options, ruleset, now_ns, changed: false, out: String::new(), command: Place::default() };
    let performed = session.perform_all(&mut parser);
    *out = std::mem::take(&mut session.out);
    performed?;
    if session.changed && !options.check {
        let call = NetfilterCall::Nft(NftCall::Replace(Box::new(session.ruleset)));
        system.netfilter(call).map_err(|errno| Fail::refused(errno, session.command))?;
    }
    Ok(())
}

impl Session<'_> {
    /// Every command, as far as the first that fails.
    fn perform_all(&mut self, parser: &mut Parser<'_>) -> Result<(), Fail> {
        let mut none = true;
        loop {
            parser.skip_ends();
            if parser.peek().is_none() {
                break;
            }
            let start = parser.place();
            self.command = start;
            none = false;
            self.perform(parser)?;
            self.command = start.to(parser.place_before());
            // The mark covers what ends the command.
            self.command.length += 1;
            if !parser.is_end() || parser.is_sign("}") {
                return Err(parser.unexpected());
            }
        }
        if none && self.options.file.is_none() {
            return Err(Fail::at("syntax error, unexpected newline", parser.place()));
        }
        Ok(())
    }

    /// One command.
    fn perform(&mut self, parser: &mut Parser<'_>) -> Result<(), Fail> {
        let Some(verb) = parser.peek_word() else { return Err(parser.unexpected()) };
        match verb {
            "list" => self.list(parser),
            "reset" => self.reset(parser),
            "add" | "create" | "insert" | "replace" | "delete" | "flush" | "rename" | "get" => {
                self.change(parser, verb)
            }
            "table" | "chain" | "rule" | "set" | "map" | "element" => self.add(parser, false),
            "monitor" | "describe" | "export" | "import" => {
                Err(Fail::at(format!("hairpin's nft has no {verb}"), parser.place()))
            }
            _ => {
                parser.next();
                let place = parser.place();
                if parser.is_end() {
                    return Err(Fail::at("syntax error, unexpected newline, expecting string", place));
                }
                // A rule without a verb needs its table and chain.
                Err(parser.unexpected())
            }
        }
    }
}

/// The interfaces by their numbers.
fn interfaces(system: &mut dyn System) -> Vec<(u32, String)> {
    let names = system.list_directory("/sys/class/net").unwrap_or_default();
    let index = |system: &mut dyn System, name: &str| -> Option<u32> {
        let bytes = system.read_file(&format!("/sys/class/net/{name}/ifindex")).ok()?;
        String::from_utf8_lossy(&bytes).trim().parse().ok()
    };
    names.into_iter().filter_map(|name| Some((index(system, &name)?, name))).collect()
}
