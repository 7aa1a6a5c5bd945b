//! A command line of `iptables` (xtables.c, `do_parse`): [`action`] what it may ask for, `finish` what is made of its words.

pub(super) mod action;
mod finish;

use hairpin_netlink::netfilter::{Counters, Family, Header, Interface, Match, Policy, Target};

use self::action::{Action, Parsed};
use super::extension::{Opt, Reading, Rest, Words};
use super::fail::Fail;
use super::help::Asked;
use super::names::Names;
use super::{matches, targets};

/// Characters of a chain's name (`XT_EXTENSION_MAXNAMELEN`).
const CHAIN_MAX: usize = 29;
/// Characters of a device's name.
const INTERFACE_MAX: usize = 15;

const LONG: &[(&str, Words, char)] = &[
    ("append", Words::One, 'A'),
    ("delete", Words::One, 'D'),
    ("check", Words::One, 'C'),
    ("insert", Words::One, 'I'),
    ("replace", Words::One, 'R'),
    ("list", Words::None, 'L'),
    ("list-rules", Words::None, 'S'),
    ("flush", Words::None, 'F'),
    ("zero", Words::None, 'Z'),
    ("new-chain", Words::One, 'N'),
    ("delete-chain", Words::None, 'X'),
    ("rename-chain", Words::One, 'E'),
    ("policy", Words::One, 'P'),
    ("source", Words::One, 's'),
    ("destination", Words::One, 'd'),
    ("src", Words::One, 's'),
    ("dst", Words::One, 'd'),
    ("protocol", Words::One, 'p'),
    ("in-interface", Words::One, 'i'),
    ("jump", Words::One, 'j'),
    ("table", Words::One, 't'),
    ("match", Words::One, 'm'),
    ("numeric", Words::None, 'n'),
    ("out-interface", Words::One, 'o'),
    ("verbose", Words::None, 'v'),
    ("wait", Words::None, 'w'),
    ("wait-interval", Words::None, 'W'),
    ("exact", Words::None, 'x'),
    ("fragments", Words::None, 'f'),
    ("version", Words::None, 'V'),
    ("help", Words::None, 'h'),
    ("line-numbers", Words::None, '0'),
    ("modprobe", Words::One, 'M'),
    ("set-counters", Words::One, 'c'),
    ("goto", Words::One, 'g'),
    ("ipv4", Words::None, '4'),
    ("ipv6", Words::None, '6'),
];

/// Letters whose option takes a word.
const WITH_WORD: &str = "ACDRIMNEPopsdjitmcg";
/// Letters whose option takes a word in the same argument only.
const WITH_OPTIONAL: &str = "LSFZXhwW";
const WITHOUT: &str = "fbvnxV46";

/// The reading of one command line.
struct Parser<'a, 'n, 's> {
    args: &'a [String],
    next: usize,
    names: &'n mut Names<'s>,
    invert: bool,
    command: Option<(Action, bool)>,
    given: Vec<char>,
    table: Option<String>,
    chain: Option<String>,
    new_name: String,
    policy: String,
    header: Header,
    /// The protocol as it was written.
    protocol_word: String,
    sources: Option<(String, bool)>,
    destinations: Option<(String, bool)>,
    matches: Vec<Reading<Match>>,
    of_protocol: bool,
    target: Option<Reading<Target>>,
    jump: Option<String>,
    goto: bool,
    counters: Option<Counters>,
    verbose: u32,
    /// A line of a file to restore: no table, other defaults.
    restoring: bool,
}

/// Reads a command line. `table` is that of a file being restored.
pub(super) fn parse(args: &[String], table: Option<&str>, names: &mut Names<'_>) -> Result<Parsed, Fail> {
    let mut parser = Parser {
        args,
        next: 0,
        names,
        invert: false,
        command: None,
        given: Vec::new(),
        table: table.map(str::to_owned),
        chain: None,
        new_name: String::new(),
        policy: String::new(),
        header: Header::default(),
        protocol_word: String::new(),
        sources: None,
        destinations: None,
        matches: Vec::new(),
        of_protocol: false,
        target: None,
        jump: None,
        goto: false,
        counters: None,
        verbose: 0,
        restoring: table.is_some(),
    };
    parser.run()
}

impl Parser<'_, '_, '_> {
    fn run(&mut self) -> Result<Parsed, Fail> {
        while let Some(word) = self.args.get(self.next) {
            let word = word.as_str();
            self.next += 1;
            if word == "--" {
                continue;
            }
            if let Some(long) = word.strip_prefix("--") {
                if let Some(parsed) = self.long(long)? {
                    return Ok(parsed);
                }
            } else if word.len() > 1 && word.starts_with('-') {
                if let Some(parsed) = self.letters(word)? {
                    return Ok(parsed);
                }
            } else if word == "!" && !self.invert {
                self.invert = true;
                continue;
            } else if word == "!" {
                return Err(Fail::parameter("multiple consecutive ! not allowed"));
            } else {
                return Err(Fail::Argument(format!("Bad argument `{word}'")));
            }
            self.invert = false;
        }
        self.finish().map(|command| Parsed::Command(Box::new(command)))
    }

    fn letters(&mut self, word: &str) -> Result<Option<Parsed>, Fail> {
        let mut rest = word.get(1..).unwrap_or("").chars();
        while let Some(letter) = rest.next() {
            if WITHOUT.contains(letter) {
                if let Some(parsed) = self.option(letter, None)? {
                    return Ok(Some(parsed));
                }
                continue;
            }
            let behind = rest.as_str();
            let value = if WITH_OPTIONAL.contains(letter) {
                (!behind.is_empty()).then(|| behind.to_owned())
            } else if WITH_WORD.contains(letter) {
                match behind {
                    "" => Some(self.word().ok_or_else(|| needs_argument(word))?),
                    behind => Some(behind.to_owned()),
                }
            } else {
                return Err(Fail::parameter(format!("unknown option \"{word}\"")));
            };
            return self.option(letter, value);
        }
        Ok(None)
    }

    fn long(&mut self, word: &str) -> Result<Option<Parsed>, Fail> {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        // Extensions go before where a name is exact; the newest one has the say.
        if let Some(found) = self.extension_option(name, true) {
            return self.extension(found, inline).map(|()| None);
        }
        let exact = LONG.iter().find(|(known, ..)| *known == name);
        let short: Vec<_> = LONG.iter().filter(|(known, ..)| known.starts_with(name)).collect();
        let known = match (exact, short.as_slice()) {
            (Some(exact), _) => Some(exact),
            (None, [first, others @ ..]) if others.iter().all(|(.., letter)| *letter == first.2) => {
                Some(*first)
            }
            _ => None,
        };
        if let Some((_, words, letter)) = known {
            let value = match (words, inline) {
                (Words::None, inline) => inline,
                (_, Some(inline)) => Some(inline),
                (_, None) => Some(self.word().ok_or_else(|| needs_argument(&format!("--{word}")))?),
            };
            return self.option(*letter, value);
        }
        if let Some(found) = self.extension_option(name, false) {
            return self.extension(found, inline).map(|()| None);
        }
        // The protocol's own match is loaded when one of its options is met.
        if let Some((protocol, _)) = self.header.protocol
            && !self.of_protocol
            && let Some(of_protocol) = self.match_of_protocol(protocol)
            && !self.matches.iter().any(|reading| reading.reader.name() == of_protocol)
            && let Some(reader) = matches::reader(of_protocol, self.names.family)
        {
            self.of_protocol = true;
            self.matches.push(Reading::new(reader));
            if let Some(found) =
                self.extension_option(name, true).or_else(|| self.extension_option(name, false))
            {
                return self.extension(found, inline).map(|()| None);
            }
            self.matches.pop();
        }
        Err(Fail::parameter(format!("unknown option \"--{word}\"")))
    }

    /// The match that belongs to the rule's protocol. A mobility header's is not called as the protocol is, and is
    /// found by its own name alone.
    fn match_of_protocol(&self, protocol: u8) -> Option<&'static str> {
        let found = matches::of_protocol(protocol, self.names.family);
        let is_mh = self.names.family == Family::Ipv6 && self.protocol_word == "mh";
        found.or(is_mh.then_some("mh"))
    }

    /// What has been asked for up to `-h`: the target and the matches, each with its help.
    fn extensions(&self) -> Asked {
        let standard = self.jump.as_deref().is_some_and(|name| targets::standard(name).is_some());
        let target = match &self.target {
            Some(reading) => Some(reading.reader.name()),
            None if standard => Some("standard"),
            None => None,
        };
        let mut matches: Vec<&'static str> =
            self.matches.iter().map(|reading| reading.reader.name()).collect();
        // A protocol's own match is found by the protocol's name, not by its number.
        if matches.is_empty() {
            let by_name = matches::reader(&self.protocol_word, self.names.family);
            matches.extend(by_name.map(|reader| reader.name()));
        }
        Asked { target, matches }
    }

    /// Which extension has an option: a match by its place, or the target.
    fn extension_option(&self, name: &str, exact: bool) -> Option<(Option<usize>, &'static Opt)> {
        let fits = |opt: &&'static Opt| if exact { opt.name == name } else { opt.name.starts_with(name) };
        let of_target = self.target.as_ref().and_then(|target| target.reader.options().iter().find(fits));
        if let Some(opt) = of_target {
            return Some((None, opt));
        }
        let of_match = |(place, reading): (usize, &Reading<Match>)| {
            reading.reader.options().iter().find(fits).map(|opt| (Some(place), opt))
        };
        self.matches.iter().enumerate().rev().find_map(of_match)
    }

    fn extension(
        &mut self,
        (place, opt): (Option<usize>, &'static Opt),
        inline: Option<String>,
    ) -> Result<(), Fail> {
        let value = match (opt.words, inline) {
            (Words::None, _) => String::new(),
            (_, Some(inline)) => inline,
            (_, None) => self.word().ok_or_else(|| needs_argument(&format!("--{}", opt.name)))?,
        };
        let second = match opt.words {
            Words::Two => self.peek().map(str::to_owned).unwrap_or_default(),
            _ => String::new(),
        };
        if opt.words == Words::Two && !second.is_empty() && !second.starts_with(['-', '!']) {
            self.next += 1;
        }
        let invert = self.invert;
        let protocol = self.header.protocol;
        let mut rest = Rest { names: self.names, protocol };
        let values = (value.as_str(), second.as_str());
        match place {
            Some(place) => match self.matches.get_mut(place) {
                Some(reading) => reading.option(opt, values, invert, &mut rest),
                None => Ok(()),
            },
            None => match &mut self.target {
                Some(reading) => reading.option(opt, values, invert, &mut rest),
                None => Ok(()),
            },
        }
    }

    fn word(&mut self) -> Option<String> {
        let word = self.args.get(self.next)?;
        self.next += 1;
        Some(word.clone())
    }

    fn peek(&self) -> Option<&str> {
        self.args.get(self.next).map(String::as_str)
    }

    /// `xs_has_arg`: the next word, if it is no option.
    fn more(&mut self) -> Option<String> {
        let more = self.peek().is_some_and(|word| !word.starts_with(['-', '!']) || word.is_empty());
        if more { self.word() } else { None }
    }

    fn option(&mut self, letter: char, value: Option<String>) -> Result<Option<Parsed>, Fail> {
        let text = value.clone().unwrap_or_default();
        match letter {
            'A' => self.command(Action::Append, Some(text))?,
            'C' => self.command(Action::Check, Some(text))?,
            'D' => match self.more() {
                Some(number) => {
                    let number = rule_number(&number)?;
                    self.command(Action::DeleteNumber(number), Some(text))?;
                }
                None => self.command(Action::Delete, Some(text))?,
            },
            'R' => {
                let missing = || Fail::parameter("-R requires a rule number");
                let number = rule_number(&self.more().ok_or_else(missing)?)?;
                self.command(Action::Replace(number), Some(text))?;
            }
            'I' => {
                let number = self.more().map_or(Ok(1), |number| rule_number(&number))?;
                self.command(Action::Insert(number), Some(text))?;
            }
            'L' | 'S' => {
                let chain = value.or_else(|| self.more());
                let number = match chain.is_some() {
                    true => self.more().map_or(Ok(0), |number| rule_number(&number))?,
                    false => 0,
                };
                let action = if letter == 'L' { Action::List(number) } else { Action::ListRules(number) };
                self.command(action, chain)?;
            }
            'F' | 'X' => {
                let chain = value.or_else(|| self.more());
                self.command(if letter == 'F' { Action::Flush } else { Action::DeleteChain }, chain)?;
            }
            'Z' => {
                let chain = value.or_else(|| self.more());
                let number = match chain.is_some() {
                    true => self.more().map(|number| rule_number(&number)).transpose()?,
                    false => None,
                };
                let action = number.map_or(Action::Zero, Action::ZeroNumber);
                self.command(action, chain)?;
            }
            'N' => {
                chain_name(&text, self.names)?;
                self.command(Action::NewChain, Some(text))?;
            }
            'E' => {
                let missing = || Fail::parameter("-E requires old-chain-name and new-chain-name");
                self.new_name = self.more().ok_or_else(missing)?;
                self.command(Action::RenameChain, Some(text))?;
            }
            'P' => {
                let missing = || Fail::parameter("-P requires a chain and a policy");
                self.policy = self.more().ok_or_else(missing)?;
                self.command(Action::Policy, Some(text))?;
            }
            'h' => return Ok(Some(Parsed::Help(self.extensions()))),
            'V' => return Ok(Some(Parsed::Version)),
            's' => {
                self.once('s')?;
                self.sources = Some((text, self.invert));
            }
            'd' => {
                self.once('d')?;
                self.destinations = Some((text, self.invert));
            }
            'p' => {
                self.once('p')?;
                let number = self.names.parse_protocol(&text)?;
                if number == 0 && self.invert {
                    return Err(Fail::parameter("rule would never match protocol"));
                }
                self.header.protocol = (number != 0).then_some((number, self.invert));
                self.protocol_word = text.to_lowercase();
                // Headers in front of the protocol, of which only the last is ever the rule's (`is_exthdr`).
                if self.names.family == Family::Ipv6 && !self.invert && matches!(number, 43 | 44 | 51 | 60) {
                    let word = &self.protocol_word;
                    let _ = writeln!(
                        self.names.shell.err(),
                        "Warning: never matched protocol: {word}. use extension match instead."
                    );
                }
            }
            'i' | 'o' => {
                self.once(letter)?;
                let interface = self.interface(text)?;
                match letter {
                    'i' => self.header.input = interface,
                    _ => self.header.output = interface,
                }
            }
            'f' if self.names.family == Family::Ipv6 => {
                return Err(Fail::parameter("`-f' is not supported in IPv6, use -m frag instead"));
            }
            'f' => {
                self.once('f')?;
                self.header.fragment = Some(!self.invert);
            }
            'j' | 'g' => {
                self.once('j')?;
                self.jump(text, letter == 'g')?;
            }
            'm' => self.load_match(&text)?,
            'v' => {
                self.given.push('v');
                self.verbose += 1;
            }
            'n' | 'x' | '0' => self.once(letter)?,
            't' => {
                if self.restoring {
                    return Err(Fail::parameter("The -t option cannot be used in iptables-restore.\n"));
                }
                self.table = Some(text);
            }
            'w' | 'W' => {
                // There is nobody to wait for: a table is replaced in one step.
                let seconds = self.peek().is_some_and(|word| word.parse::<f64>().is_ok());
                if value.is_none() && seconds {
                    self.next += 1;
                }
                if letter == 'W' {
                    let _ = writeln!(self.names.shell.err(), "Ignoring deprecated --wait-interval option.");
                }
                self.given.push(letter);
            }
            'M' | 'b' => {}
            'c' => self.set_counters(&text)?,
            '4' | '6' if (letter == '4') != (self.names.family == Family::Ipv4) => {
                // A line of a file is for the other program; a command line only gets a hint.
                return if self.restoring { Ok(Some(Parsed::Nothing)) } else { Err(Fail::Hint) };
            }
            '4' | '6' => {}
            _ => return Err(Fail::parameter(format!("unknown option \"-{letter}\""))),
        }
        Ok(None)
    }

    fn command(&mut self, action: Action, chain: Option<String>) -> Result<(), Fail> {
        if self.invert {
            return Err(Fail::parameter("unexpected '!' flag"));
        }
        self.command = Some(match self.command {
            None => (action, false),
            Some((list @ (Action::List(_) | Action::ListRules(_)), _)) if action == Action::Zero => {
                (list, true)
            }
            Some((Action::Zero, _)) if matches!(action, Action::List(_) | Action::ListRules(_)) => {
                (action, true)
            }
            Some((first, _)) => {
                return Err(Fail::parameter(format!(
                    "Cannot use -{} with -{}",
                    action.letter(),
                    first.letter()
                )));
            }
        });
        if chain.is_some() {
            self.chain = chain;
        }
        Ok(())
    }

    fn once(&mut self, letter: char) -> Result<(), Fail> {
        if self.given.contains(&letter) {
            return Err(Fail::parameter(format!("multiple -{letter} flags not allowed")));
        }
        self.given.push(letter);
        if self.invert && matches!(letter, 'n' | 'j' | 'x' | '0') {
            return Err(Fail::parameter(format!("cannot have ! before -{letter}")));
        }
        Ok(())
    }

    fn interface(&mut self, name: String) -> Result<Option<Interface>, Fail> {
        if name.len() > INTERFACE_MAX {
            return Err(Fail::parameter(format!(
                "interface name `{name}' must be shorter than IFNAMSIZ ({INTERFACE_MAX})"
            )));
        }
        if name.contains([' ', '/']) {
            let _ = writeln!(
                self.names.shell.err(),
                "Warning: weird character in interface `{name}' ('/' and ' ' are not allowed by the kernel)."
            );
        }
        Ok((!name.is_empty()).then_some(Interface { name, invert: self.invert }))
    }

    fn jump(&mut self, name: String, goto: bool) -> Result<(), Fail> {
        if name.is_empty() {
            return Err(Fail::parameter("Invalid target name (too short)"));
        }
        if name.len() >= CHAIN_MAX {
            return Err(Fail::parameter(format!(
                "Invalid target name `{name}' ({} chars max)",
                CHAIN_MAX - 1
            )));
        }
        if name.starts_with('-') {
            return Err(Fail::parameter(format!("chain name not allowed to start with `{}'", '-')));
        }
        if !goto {
            self.target = targets::reader(&name, self.names.family).map(Reading::new);
        }
        self.jump = Some(name);
        self.goto = goto;
        Ok(())
    }

    fn load_match(&mut self, name: &str) -> Result<(), Fail> {
        if self.invert {
            return Err(Fail::parameter("unexpected ! flag before --match"));
        }
        let reader = matches::reader(name, self.names.family).ok_or_else(|| {
            // It has one file under all its names.
            let name = if matches!(name, "icmpv6" | "ipv6-icmp") { "icmp6" } else { name };
            Fail::parameter(format!("Couldn't load match `{name}':No such file or directory\n"))
        })?;
        self.matches.push(Reading::new(reader));
        Ok(())
    }

    fn set_counters(&mut self, packets: &str) -> Result<(), Fail> {
        self.once('c')?;
        let (packets, bytes) = match packets.split_once(',') {
            Some((packets, bytes)) => (packets.to_owned(), Some(bytes.to_owned())),
            None => (packets.to_owned(), self.more()),
        };
        let bytes = bytes.ok_or_else(|| Fail::parameter("-c requires packet and byte counter"))?;
        let number = |text: &str, what: &str| {
            text.parse().map_err(|_| Fail::parameter(format!("-c {what} counter not numeric")))
        };
        self.counters =
            Some(Counters { packets: number(&packets, "packet")?, bytes: number(&bytes, "byte")? });
        Ok(())
    }
}

fn needs_argument(word: &str) -> Fail {
    Fail::parameter(format!("option \"{word}\" requires an argument"))
}

fn rule_number(text: &str) -> Result<usize, Fail> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Fail::parameter(format!("Invalid rule number `{text}'")))
}

/// `parse_chain`
fn chain_name(name: &str, names: &Names<'_>) -> Result<(), Fail> {
    if name.len() >= CHAIN_MAX {
        return Err(Fail::parameter(format!(
            "chain name `{name}' too long (must be under {CHAIN_MAX} chars)"
        )));
    }
    if let Some(first) = name.chars().next().filter(|first| matches!(first, '-' | '!')) {
        return Err(Fail::parameter(format!("chain name not allowed to start with `{first}'")));
    }
    let clashes = targets::standard(name).is_some() || targets::reader(name, names.family).is_some();
    if clashes || name == "QUEUE" {
        return Err(Fail::parameter("chain name may not clash with target name"));
    }
    if name.contains(char::is_whitespace) {
        return Err(Fail::parameter(format!("Invalid chain name `{name}'")));
    }
    Ok(())
}

/// A policy by its name.
pub(super) fn policy(name: &str) -> Option<Policy> {
    match name {
        "ACCEPT" => Some(Policy::Accept),
        "DROP" => Some(Policy::Drop),
        _ => None,
    }
}
