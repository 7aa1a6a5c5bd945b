//! `-m u32`: numbers of four bytes anywhere in a packet.

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::matches::{Words, WordsOp, WordsTest};

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::not;

/// `XT_U32_MAXSIZE`: of tests, of numbers in one, and of its values.
const PARTS_MAX: usize = 10;

#[derive(Default)]
pub(super) struct Reading(Words);

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "u32"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[opt("u32").invertible().required()];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        let mut text = Text { bytes: given.value.as_bytes(), at: 0 };
        loop {
            if self.0.tests.len() >= PARTS_MAX {
                return Err(text.fail("too many \"&&\"s"));
            }
            let test = text.test()?;
            self.0.tests.push(test);
            match text.peek() {
                None => break,
                Some(_) => text.twice(b'&')?,
            }
        }
        self.0.invert = given.invert;
        Ok(())
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::Words(Box::new(std::mem::take(&mut self.0))))
    }
}

/// The expression while it is read (`u32_parse`).
struct Text<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Text<'_> {
    fn fail(&self, why: &str) -> Fail {
        Fail::parameter(format!("u32: at char {}: {why}", self.at))
    }

    /// The next byte behind white space.
    fn peek(&mut self) -> Option<u8> {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn twice(&mut self, byte: u8) -> Result<(), Fail> {
        self.at += 1;
        if self.bytes.get(self.at) != Some(&byte) {
            return Err(self.fail(&format!("a second '{}' was expected", char::from(byte))));
        }
        self.at += 1;
        Ok(())
    }

    fn number(&mut self) -> Result<u32, Fail> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.fail("number expected"));
        }
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let text = String::from_utf8_lossy(rest.get(..length).unwrap_or(&[])).into_owned();
        let number = super::super::names::number(&text, u64::from(u32::MAX));
        let number = number.ok_or_else(|| self.fail("number expected"))?;
        self.at += length;
        Ok(number as u32)
    }

    fn test(&mut self) -> Result<WordsTest, Fail> {
        let mut test = WordsTest::default();
        loop {
            let op = match (self.peek(), test.location.is_empty()) {
                (Some(b'='), true) => return Err(self.fail("location spec missing")),
                (Some(b'='), false) => break,
                (_, true) => WordsOp::At,
                (Some(b'&'), _) => {
                    self.at += 1;
                    WordsOp::And
                }
                (Some(b'<'), _) => {
                    self.twice(b'<')?;
                    WordsOp::Left
                }
                (Some(b'>'), _) => {
                    self.twice(b'>')?;
                    WordsOp::Right
                }
                (Some(b'@'), _) => {
                    self.at += 1;
                    WordsOp::At
                }
                _ => return Err(self.fail("operator expected")),
            };
            if test.location.len() >= PARTS_MAX {
                return Err(self.fail("too many operators"));
            }
            let number = self.number()?;
            test.location.push((op, number));
        }
        self.at += 1;
        loop {
            let low = self.number()?;
            let high = match self.peek() {
                Some(b':') => {
                    self.at += 1;
                    self.number()?
                }
                _ => low,
            };
            if test.values.len() >= PARTS_MAX {
                return Err(self.fail("too many \",\"s"));
            }
            test.values.push((low, high));
            match self.peek() {
                None | Some(b'&') => return Ok(test),
                Some(b',') => self.at += 1,
                Some(_) => return Err(self.fail("expected \",\" or \"&&\"")),
            }
        }
    }
}

fn text(found: &Words) -> String {
    let test = |test: &WordsTest| {
        let mut text = String::new();
        for (at, (op, number)) in test.location.iter().enumerate() {
            text += match op {
                _ if at == 0 => "",
                WordsOp::And => "&",
                WordsOp::Left => "<<",
                WordsOp::Right => ">>",
                WordsOp::At => "@",
            };
            text += &format!("0x{number:x}");
        }
        let values = test.values.iter().map(|(low, high)| match low == high {
            true => format!("0x{low:x}"),
            false => format!("0x{low:x}:0x{high:x}"),
        });
        text + "=" + &values.collect::<Vec<_>>().join(",")
    };
    format!("\"{}\"", found.tests.iter().map(test).collect::<Vec<_>>().join("&&"))
}

pub(super) fn saved(found: &Words) -> String {
    format!(" -m u32{} --u32 {}", not(found.invert), text(found))
}

pub(super) fn listed(found: &Words) -> String {
    format!(" u32{} {}", not(found.invert), text(found))
}
