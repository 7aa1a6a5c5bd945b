//! What is wrong with a world file, where, and how to mend it.

use std::fmt;
use std::sync::Arc;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file as the loader was asked for it.
    pub file: Arc<str>,
    /// `None` where the whole file is meant: it cannot be read.
    pub position: Option<Position>,
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(at) => write!(f, "{}:{}:{}: {}", self.file, at.line, at.column, self.message)?,
            None => write!(f, "{}: {}", self.file, self.message)?,
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// The most errors that are kept: nobody mends more at a time.
const MAX_ERRORS: usize = 50;

/// What is wrong with a world, at least one thing, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors {
    pub list: Vec<Error>,
    /// How many more there are.
    pub omitted: usize,
}

impl Errors {
    pub(crate) fn new(mut list: Vec<Error>) -> Self {
        list.sort_by(|a, b| (&a.file, a.position).cmp(&(&b.file, b.position)));
        let omitted = list.len().saturating_sub(MAX_ERRORS);
        list.truncate(MAX_ERRORS);
        Self { list, omitted }
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{error}")?;
        }
        match self.omitted {
            0 => Ok(()),
            1 => write!(f, "\nand one more error"),
            omitted => write!(f, "\nand {omitted} more errors"),
        }
    }
}

impl std::error::Error for Errors {}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self::new(vec![error])
    }
}
