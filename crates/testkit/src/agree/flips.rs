//! Faults that nobody chose: places of the code where a rule can be flipped, found by the looks of it, as rustfmt writes
//! it. A condition is negated, one of its parts left out, a comparison takes its limit or not, a statement is left out, an
//! arm of a match does what the next one does or is not there, a number is one more.
//!
//! A flip is woven in by insertions alone (`weave`), so that thousands fit into one build.
//!
//! Some flips nobody can see: what they change makes no difference. Those are in `mutants/unseen/*.txt`, each with the
//! reason:
//!
//! ```text
//! == FILE, FUNCTION: HOW
//! why: why no scenario could tell, in one sentence
//! ---
//! the text of the flip, in one line
//! ```

use std::fs;
use std::ops::Range;
use std::path::Path;

/// The code of devices, of what they share, and of neighbours: where flips are looked for.
pub const FILES: &[&str] = &[
    "crates/kernel/src/control/address.rs",
    "crates/kernel/src/control/ipvlan.rs",
    "crates/kernel/src/control/lists.rs",
    "crates/kernel/src/control/master.rs",
    "crates/kernel/src/control/register.rs",
    "crates/kernel/src/control/state.rs",
    "crates/kernel/src/control/wiring.rs",
    "crates/kernel/src/dev/bridge/arp_proxy.rs",
    "crates/kernel/src/dev/bridge/fdb.rs",
    "crates/kernel/src/dev/bridge/forward.rs",
    "crates/kernel/src/dev/bridge/mdb.rs",
    "crates/kernel/src/dev/bridge/mod.rs",
    "crates/kernel/src/dev/bridge/port.rs",
    "crates/kernel/src/dev/bridge/snoop.rs",
    "crates/kernel/src/dev/bridge/stp.rs",
    "crates/kernel/src/dev/bridge/vlan.rs",
    "crates/kernel/src/dev/ipvlan.rs",
    "crates/kernel/src/dev/macvlan.rs",
    "crates/kernel/src/dev/mod.rs",
    "crates/kernel/src/dev/veth.rs",
    "crates/kernel/src/dev/vlan.rs",
    "crates/kernel/src/neigh/arp.rs",
    "crates/kernel/src/neigh/mod.rs",
    "crates/kernel/src/neigh/output.rs",
    "crates/kernel/src/neigh/state.rs",
    "crates/kernel/src/path/bridge.rs",
    "crates/kernel/src/path/rx.rs",
    "crates/kernel/src/path/tx.rs",
];

/// Something that goes into the code at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insertion {
    pub at: usize,
    pub text: String,
    /// It begins something, or it ends something, of this length: what is longer goes around.
    pub begins: bool,
    pub length: usize,
}

/// A place where a rule can be flipped.
#[derive(Clone, Debug)]
pub struct Flip {
    pub file: String,
    pub function: String,
    pub how: &'static str,
    /// What is flipped, in one line.
    pub text: String,
    edit: Edit,
}

/// What goes around a piece of the code; `#` stands for the question whether this flip is the chosen one.
#[derive(Clone, Debug)]
struct Edit {
    range: Range<usize>,
    before: String,
    after: String,
}

impl Flip {
    /// A number for its file, its function, its text and what is done with it: it stays when other code changes.
    pub fn hash(&self, seed: u64) -> u64 {
        // FNV-1a, and the end of splitmix64.
        let mut hash = 0xCBF2_9CE4_8422_2325 ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for byte in [self.file.as_str(), &self.function, self.how, &self.text].join("\n").bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        hash ^ (hash >> 31)
    }

    /// What weaves it in under a number.
    pub fn insertions(&self, number: usize) -> Vec<Insertion> {
        let question = format!("crate::planted::is({number})");
        let Edit { range, before, after } = &self.edit;
        let length = range.len();
        let of =
            |at, text: &String, begins| Insertion { at, text: text.replace('#', &question), begins, length };
        vec![of(range.start, before, true), of(range.end, after, false)]
    }
}

/// A flip that makes no difference to be seen.
#[derive(Clone, Debug)]
pub struct Unseen {
    pub file: String,
    pub function: String,
    pub how: String,
    pub text: String,
    pub why: String,
}

impl Unseen {
    pub fn is(&self, flip: &Flip) -> bool {
        self.file == flip.file
            && self.function == flip.function
            && self.how == flip.how
            && self.text == flip.text
    }
}

/// The flips that nobody can see, of the lists in a directory.
///
/// # Errors
/// A list cannot be read, or an entry lacks something; the text is for the user.
pub fn unseen(directory: &Path) -> Result<Vec<Unseen>, String> {
    let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        for entry in format!("\n{text}").split("\n== ").skip(1) {
            let head = entry.lines().next().unwrap_or_default();
            let parsed = (|| {
                let (place, how) = head.rsplit_once(": ")?;
                let (file, function) = place.split_once(", ")?;
                let (why, text) = entry.split_once("\n---\n")?;
                let why = why.lines().find_map(|line| line.strip_prefix("why: "))?;
                let [file, function, how, text, why] =
                    [file, function, how, text.trim(), why].map(str::to_owned);
                Some(Unseen { file, function, how, text, why })
            })();
            all.push(parsed.ok_or(format!("{}: '{head}' lacks something", file.display()))?);
        }
    }
    Ok(all)
}

/// Every flip of [`FILES`], from the root of the repository.
///
/// # Errors
/// A file cannot be read; the text is for the user.
pub fn all(root: &Path) -> Result<Vec<Flip>, String> {
    let mut flips = Vec::new();
    for file in FILES {
        let path = root.join(file);
        let code = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        flips.extend(find(file, &code));
    }
    Ok(flips)
}

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

/// The code with comments, strings and character literals blanked, byte by byte.
fn plain(code: &str) -> Vec<u8> {
    let bytes = code.as_bytes();
    let mut plain = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"//") {
            at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
        } else if rest[0] == b'"' {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            end + 1
        } else if rest[0] == b'\'' && rest.get(1) == Some(&b'\\') {
            at + 3 + rest.iter().skip(3).position(|byte| *byte == b'\'').unwrap_or(0) + 1
        } else if rest[0] == b'\'' && rest.get(2) == Some(&b'\'') {
            at + 3
        } else {
            at += 1;
            continue;
        };
        let end = end.min(bytes.len());
        for byte in &mut plain[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        // A literal is still something.
        if rest[0] != b'/' && end > at + 1 {
            plain[at] = b'"';
            plain[end - 1] = b'"';
        }
        at = end.max(at + 1);
    }
    plain
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a word begins there.
fn word_at(plain: &[u8], at: usize, word: &str) -> bool {
    plain[at..].starts_with(word.as_bytes())
        && !(at > 0 && is_word(plain[at - 1]))
        && !plain.get(at + word.len()).is_some_and(|byte| is_word(*byte))
}

/// The first place from `from` on, outside of brackets, where `stops` says so; none where the brackets around it end.
fn scan(plain: &[u8], from: usize, to: usize, stops: impl Fn(&[u8]) -> bool) -> Option<usize> {
    let mut depth = 0usize;
    for at in from..to {
        if depth == 0 && stops(&plain[at..to]) {
            return Some(at);
        }
        match plain[at] {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// Behind the bracket that closes the one there.
fn closing(plain: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in plain.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Name, body without its braces, and whether it gives a `bool`, of every function that is not `const`.
fn functions(plain: &[u8]) -> Vec<(String, Range<usize>, bool)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < plain.len() {
        if !word_at(plain, at, "fn") {
            at += 1;
            continue;
        }
        let line = plain[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
        let constant = plain[line..at].windows(5).any(|word| word == b"const");
        let name: String =
            plain[at + 3..].iter().take_while(|byte| is_word(**byte)).map(|byte| char::from(*byte)).collect();
        at += 2;
        let Some(open) = scan(plain, at, plain.len(), |rest| matches!(rest[0], b'{' | b';')) else {
            continue;
        };
        if plain[open] == b';' || name.is_empty() {
            continue;
        }
        let Some(end) = closing(plain, open) else { continue };
        let head = String::from_utf8_lossy(&plain[at..open]).trim_end().ends_with("-> bool");
        if !constant {
            found.push((name, open + 1..end - 1, head));
        }
        at = end;
    }
    found
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

    /// Statements that begin a line and need not be there.
    fn statements(&mut self, body: Range<usize>) {
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
            if !begins || other || !(first.is_ascii_alphabetic() || first == b'*' || first == b'_') {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agree::weave;

    const CODE: &str = "\
impl Port {
    fn deliver(&mut self, port: &Egress, from: Option<u8>) -> bool {
        // if this { is a comment }
        if from == Some(port.dev) && !port.hairpin {
            return false;
        }
        self.count += 1;
        match port.state {
            State::Blocked => self.drop(\"if\"),
            State::Open if self.up => self.send(),
            _ => {}
        }
        port.list.iter().any(|one| one.age < 5)
    }
}
";

    /// What is listed as unseen is there.
    #[test]
    fn the_list_fits_the_code() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let flips = super::all(&here.join("../..")).expect("the code");
        assert!(flips.len() > 1000, "{} flips", flips.len());
        let unseen = unseen(&here.join("mutants/unseen")).expect("lists");
        let stale: Vec<_> = unseen.iter().filter(|one| !flips.iter().any(|flip| one.is(flip))).collect();
        assert!(stale.is_empty(), "{stale:#?}");
    }

    #[test]
    fn rules_are_found_where_they_stand() {
        let of = |how, text: &str| (how, text.to_owned());
        let mut found: Vec<_> = find("file.rs", CODE).into_iter().map(|flip| (flip.how, flip.text)).collect();
        found.sort();
        let mut wanted = vec![
            of("negated", "from == Some(port.dev) && !port.hairpin"),
            of("left out", "from == Some(port.dev)"),
            of("left out", "!port.hairpin"),
            of("negated", "false in return false;"),
            of("left out", "self.count += 1;"),
            of("one more", "1 in self.count += 1;"),
            of("no such arm", "State::Blocked"),
            of("negated", "self.up"),
            of("as another arm", "State::Open if self.up => self.send()"),
            of("negated", "one.age < 5"),
            of("the limit", "one.age < 5"),
            of("one more", "5 in port.list.iter().any(|one| one.age < 5)"),
            of("negated", "port.list.iter().any(|one| one.age < 5)"),
        ];
        wanted.sort();
        let missing: Vec<_> = wanted.iter().filter(|flip| !found.contains(flip)).collect();
        assert!(missing.is_empty(), "{missing:?} of {found:#?}");
    }

    #[test]
    fn what_is_woven_in_is_balanced_and_asks_for_its_number() {
        let flips = find("file.rs", CODE);
        let numbered: Vec<(usize, &Flip)> = flips.iter().enumerate().collect();
        let woven = weave::weave(CODE, &[], &numbered).expect("it fits");
        for number in 0..flips.len() {
            assert_eq!(woven.matches(&format!("crate::planted::is({number})")).count(), 1, "{woven}");
        }
        assert!(woven.contains("if (crate::planted::is(0) != ((from == Some(port.dev) || crate::planted::is(1)) && (!port.hairpin || crate::planted::is(2)))) {"), "{woven}");
        for (open, close) in [('(', ')'), ('{', '}')] {
            assert_eq!(woven.matches(open).count(), woven.matches(close).count(), "{woven}");
        }
    }
}
