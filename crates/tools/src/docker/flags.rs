//! Command lines as docker's parser (`cobra` and `pflag`) takes them: `--flag=value`, `--flag value`, `-fvalue`,
//! clustered letters, and its error texts.

use std::collections::BTreeMap;

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing, or `=true` and the like.
    Switch,
    /// A value; help calls it so.
    Value(&'static str),
}

/// A flag of a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    pub name: &'static str,
    pub letter: Option<char>,
    pub takes: Takes,
    /// What help says of it; a hidden flag has nothing.
    pub help: &'static str,
}

pub(super) const fn switch(name: &'static str, letter: char, help: &'static str) -> Flag {
    Flag { name, letter: letter_of(letter), takes: Takes::Switch, help }
}

pub(super) const fn value(name: &'static str, letter: char, kind: &'static str, help: &'static str) -> Flag {
    Flag { name, letter: letter_of(letter), takes: Takes::Value(kind), help }
}

const fn letter_of(letter: char) -> Option<char> {
    if letter == ' ' { None } else { Some(letter) }
}

/// How many operands a command takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operands {
    None,
    Exactly(usize),
    AtLeast(usize),
}

/// What is said of a command's arguments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syntax {
    /// `docker network create`
    pub path: &'static str,
    /// `[OPTIONS] NETWORK`
    pub usage: &'static str,
    /// What it does.
    pub short: &'static str,
    pub flags: &'static [&'static [Flag]],
    pub operands: Operands,
    /// Whether flags may follow the first operand.
    pub interspersed: bool,
}

/// A command line in its parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Parsed {
    values: BTreeMap<&'static str, Vec<String>>,
    pub operands: Vec<String>,
    /// `--help` was asked for.
    pub help: bool,
}

impl Parsed {
    pub fn is_on(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    /// The last value given; empty without one.
    pub fn text(&self, name: &str) -> &str {
        self.values.get(name).and_then(|values| values.last()).map_or("", String::as_str)
    }

    pub fn is_given(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Every value given.
    pub fn all(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Every value given, with lists at commas taken apart.
    pub fn split(&self, name: &str) -> Vec<String> {
        self.all(name).iter().flat_map(|value| value.split(',')).map(str::to_owned).collect()
    }

    /// `KEY=VALUE`s as a map.
    pub fn map(&self, name: &str) -> BTreeMap<String, String> {
        let entry = |text: &String| {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            (key.to_owned(), value.to_owned())
        };
        self.all(name).iter().map(entry).collect()
    }
}

impl Syntax {
    /// # Errors
    /// The text, and the program's exit code.
    pub fn parse(&self, args: &[String]) -> Result<Parsed, (String, i32)> {
        let mut parsed = Parsed::default();
        let mut words = args.iter();
        while let Some(word) = words.next() {
            if word == "--" {
                parsed.operands.extend(words.cloned());
                break;
            }
            if word.len() < 2 || !word.starts_with('-') {
                parsed.operands.push(word.clone());
                if !self.interspersed {
                    parsed.operands.extend(words.cloned());
                    break;
                }
                continue;
            }
            let taken = match word.strip_prefix("--") {
                Some(long) => self.take_long(long, &mut words, &mut parsed),
                None => self.take_letters(word, &mut words, &mut parsed),
            };
            taken.map_err(|text| (self.with_usage(&text), 125))?;
            if parsed.help {
                return Ok(parsed);
            }
        }
        self.count(parsed.operands.len()).map_err(|text| (text, 1))?;
        Ok(parsed)
    }

    fn find(&self, matches: impl Fn(&Flag) -> bool) -> Option<&'static Flag> {
        self.flags.iter().flat_map(|group| group.iter()).find(|flag| matches(flag))
    }

    fn take_long<'a>(
        &self,
        word: &str,
        words: &mut impl Iterator<Item = &'a String>,
        parsed: &mut Parsed,
    ) -> Result<(), String> {
        let (name, given) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        if name.is_empty() || name.starts_with('-') {
            return Err(format!("bad flag syntax: --{word}"));
        }
        if name == "help" {
            parsed.help = true;
            return Ok(());
        }
        let flag = self.find(|flag| flag.name == name).ok_or_else(|| format!("unknown flag: --{name}"))?;
        let value = match (flag.takes, given) {
            (Takes::Switch, None) => "true".to_owned(),
            (Takes::Switch, Some(text)) => boolean(&text, &format!("--{name}"))?,
            (Takes::Value(_), Some(value)) => value,
            (Takes::Value(_), None) => {
                words.next().cloned().ok_or_else(|| format!("flag needs an argument: --{name}"))?
            }
        };
        parsed.values.entry(flag.name).or_default().push(value);
        Ok(())
    }

    fn take_letters<'a>(
        &self,
        word: &str,
        words: &mut impl Iterator<Item = &'a String>,
        parsed: &mut Parsed,
    ) -> Result<(), String> {
        let cluster = word.strip_prefix('-').unwrap_or("");
        let mut rest = cluster;
        while let Some(letter) = rest.chars().next() {
            rest = rest.get(letter.len_utf8()..).unwrap_or("");
            let Some(flag) = self.find(|flag| flag.letter == Some(letter)) else {
                if letter == 'h' {
                    parsed.help = true;
                    return Ok(());
                }
                return Err(format!("unknown shorthand flag: '{letter}' in -{cluster}"));
            };
            let entry = parsed.values.entry(flag.name).or_default();
            match (flag.takes, rest.strip_prefix('=')) {
                (Takes::Switch, Some(text)) => {
                    entry.push(boolean(text, &format!("-{letter}, --{}", flag.name))?);
                    return Ok(());
                }
                (Takes::Switch, None) => entry.push("true".to_owned()),
                (Takes::Value(_), Some(value)) => {
                    entry.push(value.to_owned());
                    return Ok(());
                }
                (Takes::Value(_), None) if !rest.is_empty() => {
                    entry.push(rest.to_owned());
                    return Ok(());
                }
                (Takes::Value(_), None) => {
                    let value = words.next().cloned();
                    let missing = || format!("flag needs an argument: '{letter}' in -{cluster}");
                    entry.push(value.ok_or_else(missing)?);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn count(&self, given: usize) -> Result<(), String> {
        let plural = |count: usize| if count == 1 { "argument" } else { "arguments" };
        let wrong = match self.operands {
            Operands::None if given > 0 => "accepts no arguments".to_owned(),
            Operands::Exactly(count) if given != count => format!("requires {count} {}", plural(count)),
            Operands::AtLeast(count) if given < count => {
                format!("requires at least {count} {}", plural(count))
            }
            _ => return Ok(()),
        };
        Err(self.with_usage(&format!("docker: '{}' {wrong}", self.path)))
    }

    fn with_usage(&self, text: &str) -> String {
        let Syntax { path, usage, .. } = self;
        format!("{text}\n\nUsage:  {path} {usage}\n\nRun '{path} --help' for more information\n")
    }

    /// What `--help` prints.
    pub fn help(&self) -> String {
        let mut text = format!("Usage:  {} {}\n\n{}\n", self.path, self.usage, self.short);
        let mut flags: Vec<&Flag> =
            self.flags.iter().flat_map(|group| group.iter()).filter(|flag| !flag.help.is_empty()).collect();
        flags.sort_by_key(|flag| flag.name);
        if flags.is_empty() {
            return text;
        }
        let left = |flag: &Flag| {
            let letter = flag.letter.map_or("    ".to_owned(), |letter| format!("-{letter}, "));
            let kind = match flag.takes {
                Takes::Switch => String::new(),
                Takes::Value(kind) => format!(" {kind}"),
            };
            format!("  {letter}--{}{kind}", flag.name)
        };
        let width = flags.iter().map(|flag| left(flag).len()).max().unwrap_or(0) + 3;
        text.push_str("\nOptions:\n");
        for flag in flags {
            text.push_str(&format!("{:width$}{}\n", left(flag), flag.help));
        }
        text
    }
}

/// `strconv.ParseBool`
fn boolean(text: &str, flag: &str) -> Result<String, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok("true".to_owned()),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok("false".to_owned()),
        _ => Err(format!(
            "invalid argument \"{text}\" for \"{flag}\" flag: strconv.ParseBool: parsing \"{text}\": invalid syntax"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Syntax = Syntax {
        path: "docker run",
        usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        short: "Create and run a new container from an image",
        flags: &[&[
            switch("detach", 'd', "Run container in background and print container ID"),
            switch("interactive", 'i', "Keep STDIN open even if not attached"),
            switch("rm", ' ', "Automatically remove the container when it exits"),
            value("net", ' ', "network", ""),
            value("publish", 'p', "list", "Publish a container's port(s) to the host"),
        ]],
        operands: Operands::AtLeast(1),
        interspersed: false,
    };

    fn parse(line: &str) -> Result<Parsed, (String, i32)> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        RUN.parse(&words)
    }

    #[test]
    fn flags_end_at_the_image() {
        let parsed = parse("-id --net=a -p80:80 -p 81:81 --rm=false busybox sh -d").expect("parsed");
        assert!(parsed.is_on("detach") && parsed.is_on("interactive") && !parsed.is_on("rm"));
        assert_eq!(parsed.text("net"), "a");
        assert_eq!(parsed.all("publish"), ["80:80", "81:81"]);
        assert_eq!(parsed.operands, ["busybox", "sh", "-d"]);
    }

    #[test]
    fn errors_name_the_flag_and_show_the_usage() {
        let usage = "\n\nUsage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'docker run --help' for more \
                     information\n";
        for (line, text, code) in [
            ("--foo x", "unknown flag: --foo", 125),
            ("-iz x", "unknown shorthand flag: 'z' in -iz", 125),
            ("--net", "flag needs an argument: --net", 125),
            ("-ip", "flag needs an argument: 'p' in -ip", 125),
            ("-d", "docker: 'docker run' requires at least 1 argument", 1),
        ] {
            assert_eq!(parse(line).expect_err(line), (format!("{text}{usage}"), code));
        }
    }

    #[test]
    fn help_is_aligned() {
        let text = "\
Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]

Create and run a new container from an image

Options:
  -d, --detach         Run container in background and print container ID
  -i, --interactive    Keep STDIN open even if not attached
  -p, --publish list   Publish a container's port(s) to the host
      --rm             Automatically remove the container when it exits
";
        assert_eq!(RUN.help(), text);
        assert!(parse("--help").expect("parsed").help);
    }
}
