//! `-m string`

use hairpin_netlink::netfilter::Match;
use hairpin_netlink::netfilter::counting::Text;

use super::super::extension::{Given, Opt, Reader, Rest, opt};
use super::super::fail::Fail;
use super::not;

/// Bytes of a pattern (`XT_STRING_MAX_PATTERN_SIZE`).
const PATTERN_MAX: usize = 128;

pub(super) struct Reading {
    given: bool,
    found: Text,
}

impl Default for Reading {
    fn default() -> Self {
        Reading {
            given: false,
            found: Text {
                pattern: Vec::new(),
                algorithm: String::new(),
                from: 0,
                to: u16::MAX,
                ignore_case: false,
                invert: false,
            },
        }
    }
}

impl Reader<Match> for Reading {
    fn name(&self) -> &'static str {
        "string"
    }

    fn options(&self) -> &'static [Opt] {
        const OPTIONS: &[Opt] = &[
            opt("from"),
            opt("to"),
            opt("algo").required(),
            opt("string").invertible().exclusive(1),
            opt("hex-string").invertible().exclusive(1),
            opt("icase").flag(),
        ];
        OPTIONS
    }

    fn option(&mut self, given: &Given<'_>, _: &mut Rest<'_, '_>) -> Result<(), Fail> {
        match given.id {
            "from" => self.found.from = given.number(0, u64::from(u16::MAX))? as u16,
            "to" => self.found.to = given.number(0, u64::from(u16::MAX))? as u16,
            "algo" => given.value.clone_into(&mut self.found.algorithm),
            "icase" => self.found.ignore_case = true,
            id => {
                if given.value.len() > PATTERN_MAX {
                    return Err(Fail::parameter(format!("STRING too long \"{}\"", given.value)));
                }
                self.found.pattern = match id {
                    "string" => given.value.as_bytes().to_vec(),
                    _ => from_hex(given.value)?,
                };
                (self.given, self.found.invert) = (true, given.invert);
            }
        }
        Ok(())
    }

    fn first(&mut self) -> Result<(), Fail> {
        match self.given {
            true => Ok(()),
            false => Err(Fail::parameter("STRING match: You must specify `--string' or `--hex-string'")),
        }
    }

    fn finish(&mut self, _: &mut Rest<'_, '_>) -> Result<Match, Fail> {
        Ok(Match::String(Box::new(self.found.clone())))
    }
}

/// Text with bytes in hexadecimal between bars.
fn from_hex(text: &str) -> Result<Vec<u8>, Fail> {
    let block = || Fail::parameter("Invalid hex block");
    let mut bytes = Vec::new();
    let mut hex = false;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if !hex => bytes.extend(letters.next().unwrap_or('\\').to_string().bytes()),
            '|' => hex = !hex,
            ' ' if hex => {}
            letter if hex => {
                let second = letters.next().filter(|second| *second != '|').ok_or_else(block)?;
                let digit = |letter: char| {
                    let value = letter.to_digit(16);
                    value.ok_or_else(|| Fail::parameter(format!("Invalid hex char '{letter}'")))
                };
                bytes.push((digit(letter)? << 4 | digit(second)?) as u8);
            }
            letter => bytes.extend(letter.to_string().bytes()),
        }
    }
    if hex { Err(block()) } else { Ok(bytes) }
}

/// Whether it is shown in hexadecimal, and its form.
fn pattern(bytes: &[u8]) -> (bool, String) {
    let plain = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    if !plain || bytes.last() == Some(&b'\\') {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        return (true, format!(" \"|{digits}|\""));
    }
    let mut text = String::from(" \"");
    for letter in bytes.iter().map(|byte| char::from(*byte)) {
        if matches!(letter, '"' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    (false, text + "\"")
}

pub(super) fn saved(found: &Text) -> String {
    let (hex, shown) = pattern(&found.pattern);
    let option = if hex { "hex-string" } else { "string" };
    let mut text = format!(" -m string{} --{option}{shown} --algo {}", not(found.invert), found.algorithm);
    if found.from != 0 {
        text += &format!(" --from {}", found.from);
    }
    if found.to != u16::MAX {
        text += &format!(" --to {}", found.to);
    }
    if found.ignore_case {
        text += " --icase";
    }
    text
}

pub(super) fn listed(found: &Text) -> String {
    let not = if found.invert { "!" } else { "" };
    let mut text = format!(" STRING match {not}{} ALGO name {}", pattern(&found.pattern).1, found.algorithm);
    if found.from != 0 {
        text += &format!(" FROM {}", found.from);
    }
    if found.to != u16::MAX {
        text += &format!(" TO {}", found.to);
    }
    if found.ignore_case {
        text += " ICASE";
    }
    text
}
