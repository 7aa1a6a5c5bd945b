//! The tokens of the input one after the other, and what is known while they are read.

use hairpin_netlink::netfilter::nft::Family;

use super::fail::{Fail, KEYWORDS, Place};
use super::token::{Kind, Token};
use super::value::Known;

pub(super) struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    pub known: &'t Known,
    /// Of the table whose rules are read.
    pub family: Family,
}

impl<'t> Parser<'t> {
    pub fn new(tokens: &'t [Token], known: &'t Known) -> Parser<'t> {
        Parser { tokens, at: 0, known, family: Family::Ip }
    }

    pub fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    pub fn next(&mut self) -> Option<&'t Token> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    pub fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    pub fn at(&self) -> usize {
        self.at
    }

    /// Where the next token stands; behind the last one at the end.
    pub fn place(&self) -> Place {
        match (self.peek(), self.tokens.last()) {
            (Some(token), _) => token.place,
            (None, Some(last)) => {
                Place { start: last.place.start + last.place.length, length: 1, ..last.place }
            }
            (None, None) => Place { source: 0, line: 1, start: 0, length: 1 },
        }
    }

    /// Where the token before stands.
    pub fn place_before(&self) -> Place {
        self.at
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .map_or(Place::default(), |token| token.place)
    }

    pub fn unexpected(&self) -> Fail {
        match self.peek() {
            Some(token) => Fail::unexpected(Some(token)),
            None => Fail::at("syntax error, unexpected newline", self.place()),
        }
    }

    /// The word that comes next, if it is one.
    pub fn peek_word(&self) -> Option<&'t str> {
        match self.peek() {
            Some(Token { kind: Kind::Word(word), .. }) => Some(word),
            _ => None,
        }
    }

    pub fn is_word(&self, word: &str) -> bool {
        self.peek_word() == Some(word)
    }

    pub fn take_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        self.at += usize::from(is);
        is
    }

    pub fn word(&mut self) -> Result<&'t str, Fail> {
        let word = self.peek_word().ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(word)
    }

    /// A word or a text in quotes.
    pub fn text(&mut self) -> Result<String, Fail> {
        match self.peek() {
            Some(Token { kind: Kind::Word(text) | Kind::Text(text), .. }) => {
                self.at += 1;
                Ok(text.clone())
            }
            _ => Err(self.unexpected()),
        }
    }

    /// What something is called: no word of the grammar.
    pub fn name(&mut self) -> Result<String, Fail> {
        match self.peek_word() {
            Some(word) if KEYWORDS.contains(&word) => {
                let text = format!("syntax error, unexpected {word}, expecting string");
                Err(Fail::at(text, self.place()))
            }
            _ => self.text(),
        }
    }

    pub fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token { kind: Kind::Sign(found), .. }) if *found == sign)
    }

    pub fn take_sign(&mut self, sign: &str) -> bool {
        let is = self.is_sign(sign);
        self.at += usize::from(is);
        is
    }

    pub fn sign(&mut self, sign: &str) -> Result<(), Fail> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub fn number(&mut self) -> Result<u64, Fail> {
        let place = self.place();
        let word = self.word()?;
        let found = super::value::number(word).and_then(|number| u64::try_from(number).ok());
        found.ok_or_else(|| Fail::at("syntax error, unexpected string", place))
    }

    /// The words from a token up to here, as they are printed.
    pub fn words_from(&self, from: usize) -> String {
        let words = self.tokens.get(from..self.at).unwrap_or(&[]).iter().map(|token| match &token.kind {
            Kind::Word(word) => word.as_str(),
            Kind::Text(text) => text.as_str(),
            Kind::Sign(sign) => sign,
            Kind::Newline => "",
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// How long the word is that a statement begins with.
    pub fn first_word_length(&self, from: usize) -> usize {
        self.tokens.get(from).map_or(1, |token| token.place.length)
    }

    /// The ports in `ADDRESS:PORTS`, the last such word since a token.
    pub fn port_place(&self, from: usize) -> Option<Place> {
        let mut words = self.tokens.get(from..self.at)?.iter().rev();
        words.find_map(|token| match &token.kind {
            Kind::Word(word) => word.rfind(':').map(|colon| Place {
                start: token.place.start + colon + 1,
                length: word.len() - colon - 1,
                ..token.place
            }),
            _ => None,
        })
    }

    /// Whether the statement ends here.
    pub fn is_end(&self) -> bool {
        matches!(
            self.peek(),
            None | Some(Token { kind: Kind::Newline | Kind::Sign(";") | Kind::Sign("}"), .. })
        )
    }

    /// What ends a line in `depth` blocks one in the other: a newline or a semicolon, not the brace behind it
    /// (`stmt_separator`). `more`: what else might stand there.
    pub fn separator(&self, depth: u32, more: &str) -> Result<(), Fail> {
        if self.peek().is_none() || !self.is_sign("}") {
            return if self.is_end() { Ok(()) } else { Err(self.unexpected()) };
        }
        let text = format!("syntax error, unexpected '}}', expecting newline or semicolon{more}");
        let mut fail = Fail::at(text, self.place());
        fail.then = self.unclosed(depth);
        Err(fail)
    }

    /// What else goes wrong once a line was given up in `depth` blocks: no braces on it count, so that one is left open.
    fn unclosed(&self, mut depth: u32) -> Option<Box<Fail>> {
        let mut rest = self.tokens.get(self.at..).unwrap_or(&[]).iter();
        let mut fails = Vec::new();
        let mut is_skipped = true;
        let mut is_first = false;
        for token in rest.by_ref() {
            match &token.kind {
                Kind::Newline => (is_skipped, is_first) = (false, true),
                _ if is_skipped => {}
                Kind::Sign("{") => depth += 1,
                Kind::Sign("}") => depth = depth.saturating_sub(1),
                Kind::Word(word) if is_first && depth > 1 && matches!(word.as_str(), "chain" | "table") => {
                    fails.push(Fail::at(format!("syntax error, unexpected {word}"), token.place));
                    is_skipped = true;
                }
                _ => is_first = false,
            }
            if depth == 0 {
                break;
            }
        }
        if depth > 0
            && let Some(last) = self.tokens.last()
        {
            // Behind the last line, which is shown.
            let line = last.place.line + 1;
            let place = Place { line, start: 0, length: 1, ..last.place };
            fails.push(Fail::at("syntax error, unexpected end of file", place));
        }
        let chain = |then: Option<Box<Fail>>, mut fail: Fail| {
            fail.then = then;
            Some(Box::new(fail))
        };
        fails.into_iter().rev().fold(None, chain)
    }

    /// Goes over line ends and semicolons.
    pub fn skip_ends(&mut self) {
        while matches!(self.peek(), Some(Token { kind: Kind::Newline | Kind::Sign(";"), .. })) {
            self.at += 1;
        }
    }

    pub fn skip_lines(&mut self) {
        while matches!(self.peek(), Some(Token { kind: Kind::Newline, .. })) {
            self.at += 1;
        }
    }
}
