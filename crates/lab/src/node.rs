//! A YAML document as a tree in which every value knows its place, and the merging of two of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, Position};

/// Where a value stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub file: Arc<str>,
    pub position: Position,
}

impl Place {
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error { file: self.file.clone(), position: Some(self.position), message: message.into(), help: None }
    }

    pub fn error_with(&self, message: impl Into<String>, help: impl Into<String>) -> Error {
        Error { help: Some(help.into()), ..self.error(message) }
    }

    /// The place in words, as seen from another place.
    pub fn seen_from(&self, other: &Place) -> String {
        if self.file == other.file {
            format!("line {}", self.position.line)
        } else {
            format!("{}:{}", self.file, self.position.line)
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub place: Place,
    pub data: Data,
}

#[derive(Clone, Debug)]
pub(crate) enum Data {
    /// `plain` if it is written without quotes. The text is as written: what type it has, its use says.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// In the order of the file; no key appears twice.
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub key: String,
    pub place: Place,
    pub value: Node,
}

impl Node {
    /// Nothing: an empty plain scalar, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match &self.data {
            _ if self.is_null() => "nothing",
            Data::Scalar { .. } => "a single value",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    /// The number of values in it, itself included, and how deep they nest.
    pub fn extent(&self) -> (usize, usize) {
        let children = match &self.data {
            Data::Scalar { .. } => return (1, 1),
            Data::List(items) => items.iter().map(Node::extent).collect::<Vec<_>>(),
            Data::Map(entries) => entries.iter().map(|entry| entry.value.extent()).collect(),
        };
        let size = children.iter().fold(1_usize, |sum, child| sum.saturating_add(child.0));
        let depth = children.iter().map(|child| child.1).max().unwrap_or(0);
        (size, depth.saturating_add(1))
    }
}

/// `over` laid over `base`: maps are merged key by key, everything else of `over` replaces what `base` has.
/// Keys keep the order of `base`; new ones follow.
pub(crate) fn merge(base: Node, over: Node) -> Node {
    let (mut entries, over_entries) = match (base.data, over.data) {
        (Data::Map(entries), Data::Map(over_entries)) => (entries, over_entries),
        (_, data) => return Node { place: over.place, data },
    };
    let index: BTreeMap<String, usize> =
        entries.iter().enumerate().map(|(at, entry)| (entry.key.clone(), at)).collect();
    for entry in over_entries {
        match index.get(&entry.key).and_then(|at| entries.get_mut(*at)) {
            Some(slot) => {
                let under = std::mem::replace(&mut slot.value.data, Data::List(Vec::new()));
                let under = Node { place: slot.value.place.clone(), data: under };
                *slot = Entry { key: entry.key, place: entry.place, value: merge(under, entry.value) };
            }
            None => entries.push(entry),
        }
    }
    Node { place: over.place, data: Data::Map(entries) }
}
