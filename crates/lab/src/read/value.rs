//! Maps, lists and single values of a world file, and what is wrong with them.

use std::ops::RangeInclusive;
use std::str::FromStr;

use super::wrong_type;
use crate::error::Error;
use crate::node::{Data, Entry, Node};
use crate::suggest;
use crate::words::{self, Trouble};

/// Reads on after an error, so that all of them are reported together.
#[derive(Default)]
pub(super) struct Reader {
    pub errors: Vec<Error>,
}

/// A map whose keys have a meaning each.
#[derive(Clone, Copy)]
pub(super) struct Record<'n> {
    node: &'n Node,
    entries: &'n [Entry],
}

impl<'n> Record<'n> {
    /// The value of `key`; nothing if it is left out or empty.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.value)
            .filter(|node| !node.is_null())
    }

    /// As [`Record::get`], for a key that must be there.
    pub fn need(&self, reader: &mut Reader, what: &str, key: &str, example: &str) -> Option<&'n Node> {
        let value = self.get(key);
        if value.is_none() {
            let message = format!("{what} needs `{key}`");
            reader.fail(self.node.place.error_with(message, format!("write {example}")));
        }
        value
    }
}

impl Reader {
    pub fn fail(&mut self, error: Error) {
        self.errors.push(error);
    }

    /// The entries of a map; an empty value is an empty map.
    pub fn map<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Entry] {
        match &node.data {
            Data::Map(entries) => entries,
            _ if node.is_null() => &[],
            _ => {
                self.fail(wrong_type(
                    node,
                    what,
                    "a map",
                    "`{KEY: VALUE}`, or `KEY: VALUE` in lines of its own",
                ));
                &[]
            }
        }
    }

    /// A map that has no keys but `keys`.
    pub fn record<'n>(&mut self, node: &'n Node, what: &str, keys: &[&str]) -> Record<'n> {
        let entries = self.map(node, what);
        for entry in entries.iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
            let message = format!("unknown key `{}` in {what}", entry.key);
            let help = match entry.key.split_once(':') {
                Some((key, _)) if keys.contains(&key) => format!("a blank must follow the colon: `{key}: …`"),
                _ => suggest::help(&entry.key, "keys", keys.iter().copied()),
            };
            self.fail(entry.place.error_with(message, help));
        }
        Record { node, entries }
    }

    pub fn list<'n>(&mut self, node: &'n Node, what: &str, example: &str) -> &'n [Node] {
        match &node.data {
            Data::List(items) => items,
            _ if node.is_null() => &[],
            _ => {
                self.fail(wrong_type(node, what, "a list", &format!("`- {example}` in a line of its own")));
                &[]
            }
        }
    }

    pub fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.data {
            Data::Scalar { text, .. } if !node.is_null() => Some(text),
            _ => {
                self.fail(wrong_type(node, what, "a text", "it in quotes, `\"…\"`"));
                None
            }
        }
    }

    /// The spellings of YAML 1.1 without its single letters.
    pub fn flag(&mut self, node: &Node, what: &str) -> Option<bool> {
        let flag = as_flag(node);
        if flag.is_none() {
            self.fail(wrong_type(node, what, "yes or no", "`yes` or `no`"));
        }
        flag
    }

    pub fn number(&mut self, node: &Node, what: &str, range: RangeInclusive<u16>) -> Option<u16> {
        let (min, max) = (range.start(), range.end());
        let number = match &node.data {
            Data::Scalar { text, .. } => text.parse().ok().filter(|number| range.contains(number)),
            _ => None,
        };
        if number.is_none() {
            let wanted = format!("a number from {min} to {max}");
            self.fail(wrong_type(node, what, &wanted, "the number only"));
        }
        number
    }

    /// A text that stands for something: an address, a word of a fixed set.
    pub fn parsed<T: FromStr>(&mut self, node: &Node, what: &str, wanted: &str, example: &str) -> Option<T> {
        let value = match &node.data {
            Data::Scalar { text, .. } => text.parse().ok(),
            _ => None,
        };
        if value.is_none() {
            self.fail(wrong_type(node, what, wanted, example));
        }
        value
    }

    /// One of `known`.
    pub fn word<T: Copy>(&mut self, node: &Node, what: &str, known: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, what)?;
        let found = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let words = known.iter().map(|(word, _)| *word);
            let message = format!("{what} cannot be `{text}`");
            self.fail(node.place.error_with(message, suggest::help(text, "one of", words)));
        }
        found
    }

    /// The arguments of a command.
    pub fn arguments(&mut self, node: &Node, what: &str) -> Option<Vec<String>> {
        let text = self.text(node, what)?;
        match words::split(text) {
            Ok(words) => return Some(words),
            Err(Trouble::Unfinished) => {
                let help = "close the quote, or put a backslash before it";
                self.fail(node.place.error_with(format!("{what} has an unfinished quote: `{text}`"), help));
            }
            Err(Trouble::Shell(c)) => {
                let help =
                    format!("arguments are not for a shell: quote the {c:?}, or write the line in `setup`");
                self.fail(node.place.error_with(format!("{what} contains {c:?}: `{text}`"), help));
            }
        }
        None
    }
}

/// The truth value a scalar spells, if it spells one.
pub(super) fn as_flag(node: &Node) -> Option<bool> {
    let Data::Scalar { text, .. } = &node.data else { return None };
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" => Some(true),
        "no" | "false" | "off" => Some(false),
        _ => None,
    }
}
