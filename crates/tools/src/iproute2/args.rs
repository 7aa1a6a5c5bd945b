//! The words of a command line, taken one after the other.

use super::Stop;

/// Whether `word` abbreviates `keyword`: a prefix, not empty.
pub(crate) fn matches(word: &str, keyword: &str) -> bool {
    !word.is_empty() && keyword.starts_with(word)
}

/// The words not yet taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Args<'a> {
    rest: &'a [String],
}

impl<'a> Args<'a> {
    pub(crate) fn new(words: &'a [String]) -> Self {
        Args { rest: words }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next word, left in place.
    pub(crate) fn peek(&self) -> Option<&'a str> {
        self.rest.first().map(String::as_str)
    }

    /// The next word.
    pub(crate) fn take(&mut self) -> Option<&'a str> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// The value behind a keyword.
    ///
    /// # Errors
    /// The command line ends here.
    pub(crate) fn value(&mut self) -> Result<&'a str, Stop> {
        self.take().ok_or_else(Stop::incomplete)
    }

    /// Takes the next word if it is exactly `word`.
    pub(crate) fn take_if(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        if found {
            self.take();
        }
        found
    }

    /// Whether the next word abbreviates `keyword`.
    pub(crate) fn next_matches(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|word| matches(word, keyword))
    }

    /// The words not yet taken.
    pub(crate) fn rest(&self) -> &'a [String] {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abbreviation_is_a_non_empty_prefix() {
        assert!(matches("a", "address"));
        assert!(matches("address", "address"));
        assert!(!matches("addresses", "address"));
        assert!(!matches("", "address"));
    }
}
