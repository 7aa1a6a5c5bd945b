//! Where a rule can be flipped.

use std::ops::Range;

use super::code::{closing, functions, is_word, plain, scan, word_at};
use super::{Edit, Flip};

/// Every place of a file's code where a rule can be flipped, but for its tests.
pub fn find(file: &str, code: &str) -> Vec<Flip> {
    let tests = code.find("#[cfg(test)]").unwrap_or(code.len());
    let plain = plain(code.get(..tests).unwrap_or(code));
    let mut finder = Finder { code, plain: &plain, file, function: String::new(), flips: Vec::new() };
    for (name, body, is_bool) in functions(&plain) {
        finder.function = name;
        finder.conditions(body.clone());
        finder.matches(body.clone());
        finder.closures(body.clone());
        finder.statements(body.clone());
        finder.literals(body.clone());
        if is_bool {
            finder.tail(body);
        }
    }
    finder.flips
}

struct Finder<'a> {
    code: &'a str,
    plain: &'a [u8],
    file: &'a str,
    function: String,
    flips: Vec<Flip>,
}

const QUESTION: &str = "#";

impl Finder<'_> {
    fn text(&self, range: &Range<usize>) -> &str {
        self.code.get(range.clone()).unwrap_or_default()
    }

    fn starts(&self, range: &Range<usize>, with: &str) -> bool {
        self.plain[range.clone()].starts_with(with.as_bytes())
    }

    fn trim(&self, mut range: Range<usize>) -> Range<usize> {
        while range.start < range.end && self.plain[range.start].is_ascii_whitespace() {
            range.start += 1;
        }
        while range.start < range.end && self.plain[range.end - 1].is_ascii_whitespace() {
            range.end -= 1;
        }
        range
    }

    fn flip(&mut self, how: &'static str, range: Range<usize>, before: &str, after: &str) {
        let text = self.text(&range).split_whitespace().collect::<Vec<_>>().join(" ");
        self.flips.push(Flip {
            file: self.file.to_owned(),
            function: self.function.clone(),
            how,
            text,
            edit: Edit { range, before: before.to_owned(), after: after.to_owned() },
        });
    }

    /// The parts of a range between an operator, outside of brackets.
    fn split(&self, range: &Range<usize>, by: &str) -> Vec<Range<usize>> {
        let (mut parts, mut start) = (Vec::new(), range.start);
        while let Some(at) = scan(self.plain, start, range.end, |rest| rest.starts_with(by.as_bytes())) {
            parts.push(self.trim(start..at));
            start = at + by.len();
        }
        parts.push(self.trim(start..range.end));
        parts
    }

    /// What follows `if`: whole, and each part of it.
    fn condition(&mut self, range: Range<usize>) {
        let range = self.trim(range);
        let alternatives = self.split(&range, "||");
        let lets = self.plain[range.clone()].windows(4).any(|word| word == b"let ");
        let parts: Vec<Vec<Range<usize>>> =
            alternatives.iter().map(|range| self.split(range, "&&")).collect();
        let simple = alternatives.len() == 1 && parts[0].len() == 1;
        if !lets {
            self.flip("negated", range.clone(), "(# != (", "))");
        }
        if alternatives.len() > 1 {
            for range in &alternatives {
                self.flip("left out", range.clone(), "(", " && !#)");
            }
        }
        for part in parts.iter().flatten() {
            if self.starts(part, "let ") || part.is_empty() {
                continue;
            }
            if parts.iter().any(|parts| parts.len() > 1 && parts.contains(part)) {
                self.flip("left out", part.clone(), "(", " || #)");
                if lets {
                    self.flip("negated", part.clone(), "(# != (", "))");
                }
            } else if lets && !simple {
                self.flip("negated", part.clone(), "(# != (", "))");
            }
            self.comparison(part);
        }
    }

    /// A comparison that takes its limit or not.
    fn comparison(&mut self, range: &Range<usize>) {
        for (sign, other) in [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > ")] {
            let parts = self.split(range, sign);
            if let [one, two] = &parts[..] {
                let changed = format!("(if # {{ {}{other}{} }} else {{ ", self.text(one), self.text(two));
                self.flip("the limit", range.clone(), &changed, " })");
            }
        }
    }

    fn conditions(&mut self, body: Range<usize>) {
        for at in body.clone() {
            if word_at(self.plain, at, "if") {
                let stops = |rest: &[u8]| rest[0] == b'{' || rest.starts_with(b"=>");
                if let Some(end) = scan(self.plain, at + 2, body.end, stops) {
                    self.condition(at + 2..end);
                }
            }
            if word_at(self.plain, at, "let")
                && let Some(end) = scan(self.plain, at, body.end, |rest| matches!(rest[0], b';' | b'{'))
                && self.plain[end] == b';'
                && let Some(equals) = scan(self.plain, at, end, |rest| rest.starts_with(b" = "))
            {
                let range = self.trim(equals + 3..end);
                let starts = |with| self.starts(&range, with);
                let signs = ["==", "!=", "&&", "||", " <= ", " >= "];
                let is_bool = signs.iter().any(|sign| self.split(&range, sign).len() > 1);
                if is_bool && !["|", "move ", "if ", "match "].into_iter().any(starts) {
                    self.condition(range);
                }
            }
        }
    }

    /// Pattern, and body, of each arm.
    fn arms(&self, open: usize) -> Vec<(Range<usize>, Range<usize>)> {
        let mut arms = Vec::new();
        let Some(end) = closing(self.plain, open).map(|end| end - 1) else { return arms };
        let mut at = open + 1;
        while let Some(arrow) = scan(self.plain, at, end, |rest| rest.starts_with(b"=>")) {
            let pattern = self.trim(at..arrow);
            let start = self.trim(arrow + 2..end).start;
            let stop = match self.plain[start] {
                b'{' => closing(self.plain, start).unwrap_or(end),
                _ => scan(self.plain, start, end, |rest| rest[0] == b',').unwrap_or(end),
            };
            // A block may go on: `{ … }.into()` is none.
            arms.push((pattern, self.trim(start..stop)));
            at = stop;
            while at < end && (self.plain[at] == b',' || self.plain[at].is_ascii_whitespace()) {
                at += 1;
            }
        }
        arms
    }

    fn matches(&mut self, body: Range<usize>) {
        for at in body.clone() {
            if !word_at(self.plain, at, "match") {
                continue;
            }
            let Some(open) = scan(self.plain, at + 5, body.end, |rest| rest[0] == b'{') else { continue };
            let arms = self.arms(open);
            let falls = arms.last().is_some_and(|(pattern, _)| self.text(pattern) == "_");
            for (number, (pattern, body)) in arms.iter().enumerate() {
                let guarded = self.split(pattern, " if ").len() > 1;
                if falls && number + 1 < arms.len() && !guarded {
                    let shown = self.text(pattern).to_owned();
                    self.flip("no such arm", pattern.clone(), "", " if !#");
                    if let Some(flip) = self.flips.last_mut() {
                        flip.text = shown.split_whitespace().collect::<Vec<_>>().join(" ");
                    }
                }
                let next = arms.get(number + 1).or(arms.get(number.wrapping_sub(1)));
                if let Some((other, instead)) = next
                    && !self.binds(other)
                    && self.text(instead) != self.text(body)
                {
                    let before = format!("if # {{ {} }} else {{ ", self.text(instead));
                    let shown = format!("{} => {}", self.text(pattern), self.text(body));
                    self.flip("as another arm", body.clone(), &before, " }");
                    if let Some(flip) = self.flips.last_mut() {
                        flip.text = shown.split_whitespace().collect::<Vec<_>>().join(" ");
                    }
                }
            }
        }
    }

    /// Whether a pattern gives names to something.
    fn binds(&self, pattern: &Range<usize>) -> bool {
        let text = self.text(pattern);
        let own = ["true", "false", "crate", "self", "super", "ref", "mut"];
        let mut at = 0;
        text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| {
            let end = at + word.len();
            at = end + 1;
            let is_path = text.get(end..).is_some_and(|rest| rest.starts_with("::"));
            word.starts_with(|letter: char| letter.is_ascii_lowercase()) && !own.contains(&word) && !is_path
        })
    }

    /// Questions about each of many.
    fn closures(&mut self, body: Range<usize>) {
        const ASK: &[&str] = &[
            ".filter(|",
            ".any(|",
            ".all(|",
            ".find(|",
            ".position(|",
            ".retain(|",
            ".is_some_and(|",
            ".is_none_or(|",
            ".take_while(|",
            ".take_if(|",
        ];
        for at in body {
            let Some(ask) = ASK.iter().find(|ask| self.plain[at..].starts_with(ask.as_bytes())) else {
                continue;
            };
            let open = at + ask.len() - 2;
            let Some(end) = closing(self.plain, open).map(|end| end - 1) else { continue };
            let parameters = at + ask.len();
            let Some(length) = self.plain[parameters..end].iter().position(|byte| *byte == b'|') else {
                continue;
            };
            let mut range = self.trim(parameters + length + 1..end);
            if range.end > range.start && self.plain[range.end - 1] == b',' {
                range = self.trim(range.start..range.end - 1);
            }
            if range.is_empty() || self.starts(&range, "->") {
                continue;
            }
            self.condition(range);
        }
    }

    /// Statements that begin a line and need not be there; but for those that serve traces and the pool of buffers alone,
    /// of which no program sees anything.
    fn statements(&mut self, body: Range<usize>) {
        const UNSEEN: &[&str] = &["self.name_frame(", "self.consume("];
        const OTHERS: &[&str] = &[
            "let",
            "return",
            "break",
            "continue",
            "use",
            "const",
            "static",
            "if",
            "for",
            "while",
            "loop",
            "match",
            "fn",
            "pub",
            "type",
            "mod",
            "else",
            "unsafe",
            "assert",
            "debug_assert",
            "debug_assert_eq",
        ];
        let mut before = b'{';
        let mut start = body.start;
        while start < body.end {
            let end = self.plain[start..body.end].iter().position(|byte| *byte == b'\n');
            let end = end.map_or(body.end, |length| start + length);
            let line = self.trim(start..end);
            start = end + 1;
            let Some(last) = line.clone().next_back().map(|at| self.plain[at]) else { continue };
            let begins = matches!(before, b';' | b'{' | b'}');
            before = last;
            let first = self.plain[line.start];
            let word = self.plain[line.clone()].split(|byte| !is_word(*byte)).next().unwrap_or_default();
            let other = OTHERS.iter().any(|other| other.as_bytes() == word);
            let unseen = UNSEEN.iter().any(|start| self.starts(&line, start));
            if !begins || other || unseen || !(first.is_ascii_alphabetic() || first == b'*' || first == b'_')
            {
                continue;
            }
            let stops = |rest: &[u8]| matches!(rest[0], b';' | b',') || rest.starts_with(b"=>");
            if let Some(stop) = scan(self.plain, line.start, body.end, stops)
                && self.plain[stop] == b';'
            {
                self.flip("left out", line.start..stop + 1, "if !# { ", " }");
            }
        }
    }

    /// Numbers that are compared or reckoned with, and truths that are given.
    fn literals(&mut self, body: Range<usize>) {
        const BEFORE: &[&str] =
            &["== ", "!= ", "< ", "<= ", "> ", ">= ", "+ ", "- ", "+= ", "-= ", "* ", "= "];
        for at in body.clone() {
            let before = self.plain.get(..at).unwrap_or_default();
            let line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
            let line_end =
                self.plain[at..].iter().position(|byte| *byte == b'\n').map_or(at, |length| at + length);
            let has = |word: &str| {
                self.plain[line..line_end].windows(word.len()).any(|found| found == word.as_bytes())
            };
            if self.plain[at].is_ascii_digit() && !before.last().is_some_and(|byte| is_word(*byte)) {
                let length = self.plain[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                let range = at..at + length;
                let next = self.plain.get(range.end).copied().unwrap_or(b' ');
                let field = before.ends_with(b": ") && next == b',';
                let fits = field || BEFORE.iter().any(|sign| before.ends_with(sign.as_bytes()));
                if !fits || is_word(next) || next == b'.' || has("const ") || has("let Some(") {
                    continue;
                }
                let Ok(number) = self.text(&range).parse::<u64>() else { continue };
                let whole = self.plain[line..line_end].to_vec();
                self.flip("one more", range, &format!("(if # {{ {} }} else {{ ", number + 1), " })");
                self.show(&whole);
            }
            for word in ["true", "false"] {
                if word_at(self.plain, at, word) {
                    let next = self.plain.get(at + word.len()).copied().unwrap_or(b' ');
                    let given = [&b"= "[..], b"(", b", ", b": ", b"=> ", b"return "];
                    let given = given.iter().any(|sign| before.ends_with(sign));
                    let arm = self.plain[at..line_end].windows(2).any(|found| found == b"=>");
                    if given && matches!(next, b',' | b')' | b';' | b' ') && !arm && !has("let Some") {
                        let whole = self.plain[line..line_end].to_vec();
                        self.flip("negated", at..at + word.len(), "(", &format!(" != {QUESTION})"));
                        self.show(&whole);
                    }
                }
            }
        }
    }

    /// The last flip's text is a line.
    fn show(&mut self, line: &[u8]) {
        if let Some(flip) = self.flips.last_mut() {
            let line = String::from_utf8_lossy(line);
            flip.text = format!("{} in {}", flip.text, line.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    /// What a function that says yes or no says at its end, in one line.
    fn tail(&mut self, body: Range<usize>) {
        let range = self.trim(body);
        let line = self.plain[range.clone()].iter().rposition(|byte| *byte == b'\n');
        let range = self.trim(line.map_or(range.start, |line| range.start + line)..range.end);
        let ends = self.plain[..range.start].trim_ascii_end().last().copied();
        let closes = self.plain[range.clone()].last().is_some_and(|byte| matches!(byte, b'}' | b';'));
        if !range.is_empty() && matches!(ends, Some(b';' | b'{' | b'}')) && !closes {
            self.condition(range);
        }
    }
}
