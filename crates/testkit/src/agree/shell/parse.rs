//! Text to a tree: the part of POSIX sh that scripts of this house use. Whatever is outside of it is an error
//! that names the line and the word; nothing is skipped.

use std::fmt;

/// What is wrong with a script, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// Counted from 1.
    pub line: usize,
    pub word: String,
    pub text: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: '{}': {}", self.line, self.word, self.text)
    }
}

/// A command of any form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Simple(Simple),
    /// The output of each is the input of the next.
    Pipe(Vec<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Background(Box<Node>),
    For {
        name: String,
        words: Vec<Word>,
        body: Vec<Node>,
    },
    If {
        condition: Vec<Node>,
        then: Vec<Node>,
        otherwise: Vec<Node>,
    },
    Group {
        body: Vec<Node>,
        redirects: Vec<Redirect>,
    },
    Function {
        name: String,
        body: Vec<Node>,
    },
}

/// Words, with assignments in front and redirections.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Simple {
    pub line: usize,
    pub assignments: Vec<(String, Word)>,
    pub words: Vec<Word>,
    pub redirects: Vec<Redirect>,
}

/// `2>FILE` and its like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    pub line: usize,
    /// 0, 1 or 2.
    pub fd: u8,
    pub kind: RedirectKind,
    pub to: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    Read,
    Write,
    Append,
    /// `2>&1`: the word is the other descriptor's number.
    Duplicate,
}

/// A word before expansion.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Word(pub Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text that stays as it is.
    Text { text: String, quoted: bool },
    /// `$NAME`, `${NAME%PATTERN}`; unquoted values are split into words.
    Variable { name: String, trim: Option<(Trim, String)>, quoted: bool },
    /// `$(…)`
    Command { body: Vec<Node>, quoted: bool },
    /// `$((…))`: sums and differences.
    Sum { text: String },
}

/// What is taken off a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trim {
    /// `%`
    Suffix,
    /// `#`
    Prefix,
}

/// Parses a script.
///
/// # Errors
/// The first thing that is not in the language.
pub fn parse(text: &str) -> Result<Vec<Node>, ScriptError> {
    let mut parser = Parser { rest: text.chars().collect(), at: 0, line: 1 };
    let body = parser.list(&[])?;
    match parser.peek() {
        None => Ok(body),
        Some(letter) => Err(parser.error(&letter.to_string(), "not expected here")),
    }
}

struct Parser {
    rest: Vec<char>,
    at: usize,
    line: usize,
}

const RESERVED_OUTSIDE: &[&str] = &["while", "until", "case", "select", "[[", "function", "time", "elif"];

impl Parser {
    fn error(&self, word: &str, text: &str) -> ScriptError {
        ScriptError { line: self.line, word: word.to_owned(), text: text.to_owned() }
    }

    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn looking_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(offset, letter)| self.rest.get(self.at + offset) == Some(&letter))
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        self.line += usize::from(letter == '\n');
        Some(letter)
    }

    /// Blanks, continued lines and comments.
    fn blanks(&mut self) {
        loop {
            if self.looking_at("\\\n") {
                self.next();
                self.next();
            } else if matches!(self.peek(), Some(' ' | '\t')) {
                self.next();
            } else if self.peek() == Some('#') {
                while self.peek().is_some_and(|letter| letter != '\n') {
                    self.next();
                }
            } else {
                return;
            }
        }
    }

    fn separators(&mut self) {
        loop {
            self.blanks();
            match self.peek() {
                Some('\n' | ';') if !self.looking_at(";;") => {
                    self.next();
                }
                _ => return,
            }
        }
    }

    /// The bare word that comes next, not taken.
    fn bare(&self) -> String {
        self.rest[self.at.min(self.rest.len())..]
            .iter()
            .take_while(|letter| !matches!(letter, ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')'))
            .collect()
    }

    fn take_bare(&mut self, word: &str) {
        for _ in word.chars() {
            self.next();
        }
    }

    /// Commands up to one of the closing words, which is not taken.
    fn list(&mut self, closing: &[&str]) -> Result<Vec<Node>, ScriptError> {
        let mut nodes = Vec::new();
        loop {
            self.separators();
            let bare = self.bare();
            let closed =
                closing.contains(&bare.as_str()) || closing.contains(&")") && self.peek() == Some(')');
            if self.peek().is_none() || closed {
                return Ok(nodes);
            }
            let mut node = self.and_or()?;
            self.blanks();
            if self.peek() == Some('&') && !self.looking_at("&&") {
                self.next();
                node = Node::Background(Box::new(node));
                nodes.push(node);
                continue;
            }
            nodes.push(node);
            match self.peek() {
                None | Some('\n' | ';') => {}
                Some(')') if closing.contains(&")") => {}
                _ => return Err(self.error(&self.bare_or_letter(), "not expected here")),
            }
        }
    }

    fn bare_or_letter(&self) -> String {
        let bare = self.bare();
        if bare.is_empty() { self.peek().map(String::from).unwrap_or_default() } else { bare }
    }

    fn and_or(&mut self) -> Result<Node, ScriptError> {
        let mut left = self.pipe()?;
        loop {
            self.blanks();
            let and = self.looking_at("&&");
            if !and && !self.looking_at("||") {
                return Ok(left);
            }
            self.take_bare("&&");
            while matches!(self.peek(), Some('\n')) || self.peek_blank() {
                self.next();
            }
            let right = Box::new(self.pipe()?);
            left = if and { Node::And(Box::new(left), right) } else { Node::Or(Box::new(left), right) };
        }
    }

    fn peek_blank(&self) -> bool {
        matches!(self.peek(), Some(' ' | '\t'))
    }

    fn pipe(&mut self) -> Result<Node, ScriptError> {
        self.blanks();
        if self.bare() == "!" {
            self.take_bare("!");
            return Ok(Node::Not(Box::new(self.pipe()?)));
        }
        let mut stages = vec![self.command()?];
        loop {
            self.blanks();
            if self.peek() != Some('|') || self.looking_at("||") {
                break;
            }
            self.next();
            self.blanks();
            stages.push(self.command()?);
        }
        match stages.len() {
            1 => Ok(stages.remove(0)),
            _ => Ok(Node::Pipe(stages)),
        }
    }

    fn command(&mut self) -> Result<Node, ScriptError> {
        self.blanks();
        let bare = self.bare();
        if RESERVED_OUTSIDE.contains(&bare.as_str()) {
            return Err(self.error(&bare, "not in the language of the runner"));
        }
        match bare.as_str() {
            "for" => self.for_loop(),
            "if" => self.conditional(),
            "{" => {
                self.take_bare("{");
                let body = self.list(&["}"])?;
                self.expect("}")?;
                Ok(Node::Group { body, redirects: self.redirects()? })
            }
            _ if self.peek() == Some('(') => {
                Err(self.error("(", "subshells are not in the language of the runner"))
            }
            _ => self.simple(),
        }
    }

    fn expect(&mut self, word: &str) -> Result<(), ScriptError> {
        self.separators();
        if self.bare() != word {
            return Err(self.error(&self.bare_or_letter(), &format!("'{word}' expected")));
        }
        self.take_bare(word);
        Ok(())
    }

    fn for_loop(&mut self) -> Result<Node, ScriptError> {
        self.take_bare("for");
        self.blanks();
        let name = self.bare();
        if !is_name(&name) {
            return Err(self.error(&name, "a variable's name expected"));
        }
        self.take_bare(&name);
        self.blanks();
        let mut words = Vec::new();
        if self.bare() != "in" {
            // `for NAME do`: the arguments.
            let name_of_all = Part::Variable { name: "@".to_owned(), trim: None, quoted: false };
            words.push(Word(vec![name_of_all]));
            self.expect("do")?;
            let body = self.list(&["done"])?;
            self.expect("done")?;
            return Ok(Node::For { name, words, body });
        }
        self.take_bare("in");
        loop {
            self.blanks();
            if matches!(self.peek(), None | Some('\n' | ';')) {
                break;
            }
            words.push(self.word()?);
        }
        self.expect("do")?;
        let body = self.list(&["done"])?;
        self.expect("done")?;
        Ok(Node::For { name, words, body })
    }

    fn conditional(&mut self) -> Result<Node, ScriptError> {
        self.take_bare("if");
        let condition = self.list(&["then"])?;
        self.expect("then")?;
        let then = self.list(&["else", "fi"])?;
        self.separators();
        let mut otherwise = Vec::new();
        if self.bare() == "else" {
            self.take_bare("else");
            otherwise = self.list(&["fi"])?;
        }
        self.expect("fi")?;
        Ok(Node::If { condition, then, otherwise })
    }

    fn redirects(&mut self) -> Result<Vec<Redirect>, ScriptError> {
        let mut redirects = Vec::new();
        loop {
            self.blanks();
            match self.redirect()? {
                Some(mut found) => redirects.append(&mut found),
                None => return Ok(redirects),
            }
        }
    }

    fn simple(&mut self) -> Result<Node, ScriptError> {
        let mut simple = Simple { line: self.line, ..Simple::default() };
        loop {
            self.blanks();
            match self.peek() {
                None | Some('\n' | ';' | '&' | '|' | ')') if !self.looking_at("&>") => break,
                _ => {}
            }
            if let Some(mut found) = self.redirect()? {
                simple.redirects.append(&mut found);
                continue;
            }
            if self.peek() == Some('(') {
                return self.function(&simple);
            }
            let bare = self.bare();
            if simple.words.is_empty()
                && let Some((name, _)) = bare.split_once('=')
                && is_name(name)
            {
                self.take_bare(name);
                self.next();
                let value = match self.peek() {
                    None | Some(' ' | '\t' | '\n' | ';') => Word::default(),
                    _ => self.word()?,
                };
                simple.assignments.push((name.to_owned(), value));
                continue;
            }
            simple.words.push(self.word()?);
        }
        if simple.words.is_empty() && simple.assignments.is_empty() {
            return Err(self.error(&self.bare_or_letter(), "a command expected"));
        }
        Ok(Node::Simple(simple))
    }

    /// `NAME() { … }`, from the parenthesis on.
    fn function(&mut self, head: &Simple) -> Result<Node, ScriptError> {
        let name = match head.words.as_slice() {
            [Word(parts)] => match parts.as_slice() {
                [Part::Text { text, quoted: false }] if is_name(text) => text.clone(),
                _ => return Err(self.error("(", "not expected here")),
            },
            _ => return Err(self.error("(", "not expected here")),
        };
        if !self.looking_at("()") {
            return Err(self.error("(", "not expected here"));
        }
        self.take_bare("()");
        self.expect("{")?;
        let body = self.list(&["}"])?;
        self.expect("}")?;
        Ok(Node::Function { name, body })
    }

    fn redirect(&mut self) -> Result<Option<Vec<Redirect>>, ScriptError> {
        let line = self.line;
        let (start, first) = (self.at, self.peek());
        let mut both = false;
        let fd = match first {
            Some('&') if self.looking_at("&>") => {
                self.next();
                both = true;
                1
            }
            Some(digit @ '0'..='2') if matches!(self.rest.get(self.at + 1), Some('<' | '>')) => {
                self.next();
                digit as u8 - b'0'
            }
            Some('>') => 1,
            Some('<') => 0,
            _ => return Ok(None),
        };
        let kind = match self.next() {
            Some('<') if self.peek() == Some('<') => {
                return Err(self.error("<<", "here-documents are not in the language of the runner"));
            }
            Some('<') => RedirectKind::Read,
            Some('>') if self.peek() == Some('>') => {
                self.next();
                RedirectKind::Append
            }
            Some('>') if self.peek() == Some('&') => {
                self.next();
                RedirectKind::Duplicate
            }
            Some('>') => RedirectKind::Write,
            _ => {
                self.at = start;
                return Ok(None);
            }
        };
        self.blanks();
        let to = self.word()?;
        let mut found = vec![Redirect { line, fd, kind, to }];
        if both {
            let one = Word(vec![Part::Text { text: "1".to_owned(), quoted: false }]);
            found.push(Redirect { line, fd: 2, kind: RedirectKind::Duplicate, to: one });
        }
        Ok(Some(found))
    }

    fn word(&mut self) -> Result<Word, ScriptError> {
        let mut parts = Vec::new();
        let mut text = String::new();
        while let Some(letter) = self.peek() {
            match letter {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | ')' | '<' | '>' => break,
                '(' if parts.is_empty() && is_name(&text) => break,
                '(' => return Err(self.error("(", "not expected here")),
                '`' => return Err(self.error("`", "write $(…)")),
                '*' | '?' | '[' if self.is_pattern(letter, &text) => {
                    return Err(
                        self.error(&self.bare(), "file name patterns are not in the language of the runner")
                    );
                }
                '~' if text.is_empty() && parts.is_empty() => {
                    return Err(self.error("~", "not in the language of the runner"));
                }
                '\\' => {
                    self.next();
                    let Some(escaped) = self.next() else { break };
                    flush(&mut parts, &mut text, false);
                    if escaped != '\n' {
                        parts.push(Part::Text { text: escaped.to_string(), quoted: true });
                    }
                }
                '\'' => {
                    self.next();
                    flush(&mut parts, &mut text, false);
                    let mut quoted = String::new();
                    loop {
                        match self.next() {
                            Some('\'') => break,
                            Some(letter) => quoted.push(letter),
                            None => return Err(self.error("'", "is not closed")),
                        }
                    }
                    parts.push(Part::Text { text: quoted, quoted: true });
                }
                '"' => {
                    self.next();
                    flush(&mut parts, &mut text, false);
                    self.quoted(&mut parts)?;
                }
                '$' => {
                    flush(&mut parts, &mut text, false);
                    self.expansion(&mut parts, false)?;
                }
                _ => {
                    self.next();
                    text.push(letter);
                }
            }
        }
        flush(&mut parts, &mut text, false);
        if parts.is_empty() {
            return Err(self.error(&self.bare_or_letter(), "a word expected"));
        }
        Ok(Word(parts))
    }

    /// `[` by itself is a command.
    fn is_pattern(&self, letter: char, before: &str) -> bool {
        letter != '[' || !(before.is_empty() && self.bare() == "[")
    }

    fn quoted(&mut self, parts: &mut Vec<Part>) -> Result<(), ScriptError> {
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(self.error("\"", "is not closed")),
                Some('"') => {
                    self.next();
                    parts.push(Part::Text { text, quoted: true });
                    return Ok(());
                }
                Some('`') => return Err(self.error("`", "write $(…)")),
                Some('$') => {
                    flush(parts, &mut text, true);
                    self.expansion(parts, true)?;
                }
                Some('\\') => {
                    self.next();
                    match self.next() {
                        Some(letter @ ('"' | '\\' | '$' | '`')) => text.push(letter),
                        Some('\n') | None => {}
                        Some(letter) => text.extend(['\\', letter]),
                    }
                }
                Some(letter) => {
                    self.next();
                    text.push(letter);
                }
            }
        }
    }

    /// From the `$` on.
    fn expansion(&mut self, parts: &mut Vec<Part>, quoted: bool) -> Result<(), ScriptError> {
        self.next();
        if self.looking_at("((") {
            self.take_bare("((");
            let text: String = self.rest[self.at..].iter().take_while(|letter| **letter != ')').collect();
            self.take_bare(&text);
            let fits = |letter: char| is_name_letter(letter) || " $+-".contains(letter);
            if !self.looking_at("))") || !text.chars().all(fits) {
                return Err(
                    self.error(&format!("$(({text}"), "only + and - are in the language of the runner")
                );
            }
            self.take_bare("))");
            parts.push(Part::Sum { text });
            return Ok(());
        }
        match self.peek() {
            Some('(') => {
                self.next();
                let body = self.list(&[")"])?;
                if self.next() != Some(')') {
                    return Err(self.error("$(", "is not closed"));
                }
                parts.push(Part::Command { body, quoted });
            }
            Some('{') => {
                self.next();
                let inside: String =
                    self.rest[self.at..].iter().take_while(|letter| **letter != '}').collect();
                self.take_bare(&inside);
                if self.next() != Some('}') {
                    return Err(self.error("${", "is not closed"));
                }
                let name_end = inside.find(|letter: char| !is_name_letter(letter)).unwrap_or(inside.len());
                let (name, rest) =
                    inside.split_at(if name_end == 0 { inside.len().min(1) } else { name_end });
                let trim = match rest.chars().next() {
                    None => None,
                    Some('%') if !rest.starts_with("%%") => Some((Trim::Suffix, rest[1..].to_owned())),
                    Some('#') if !rest.starts_with("##") => Some((Trim::Prefix, rest[1..].to_owned())),
                    Some(_) => {
                        return Err(
                            self.error(&format!("${{{inside}}}"), "not in the language of the runner")
                        );
                    }
                };
                parts.push(Part::Variable { name: name.to_owned(), trim, quoted });
            }
            Some(letter @ ('?' | '!' | '*' | '@' | '#' | '$' | '0'..='9')) => {
                self.next();
                parts.push(Part::Variable { name: letter.to_string(), trim: None, quoted });
            }
            Some(letter) if is_name_letter(letter) => {
                let name: String = self.rest[self.at..].iter().take_while(|l| is_name_letter(**l)).collect();
                self.take_bare(&name);
                parts.push(Part::Variable { name, trim: None, quoted });
            }
            _ => parts.push(Part::Text { text: "$".to_owned(), quoted: true }),
        }
        Ok(())
    }
}

fn flush(parts: &mut Vec<Part>, text: &mut String, quoted: bool) {
    if !text.is_empty() {
        parts.push(Part::Text { text: std::mem::take(text), quoted });
    }
}

fn is_name_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

pub(super) fn is_name(text: &str) -> bool {
    text.chars().all(is_name_letter) && text.chars().next().is_some_and(|letter| !letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text).expect_err(text).to_string()
    }

    #[test]
    fn lists_pipes_and_loops() {
        let nodes = parse(
            "a && b || c; d | e & # f\nfor i in 1 2; do g $i; done\nh() { i; }\nif a; then b; else c; fi",
        )
        .expect("in the language");
        assert_eq!(nodes.len(), 5);
        assert!(matches!(&nodes[0], Node::Or(..)));
        assert!(
            matches!(&nodes[1], Node::Background(pipe) if matches!(&**pipe, Node::Pipe(stages) if stages.len() == 2))
        );
        assert!(matches!(&nodes[2], Node::For { words, body, .. } if words.len() == 2 && body.len() == 1));
        assert!(matches!(&nodes[3], Node::Function { name, .. } if name == "h"));
    }

    #[test]
    fn words_have_parts() {
        let nodes = parse("echo a'b c'\"$d e\"${f%.*} >x 2>&1").expect("in the language");
        let Node::Simple(simple) = &nodes[0] else { panic!("simple") };
        assert_eq!(simple.words[1].0.len(), 5);
        assert_eq!(simple.redirects.len(), 2);
    }

    #[test]
    fn what_is_outside_is_named() {
        assert_eq!(
            refused("true\nwhile true; do x; done"),
            "line 2: 'while': not in the language of the runner"
        );
        assert_eq!(
            refused("ls /proc/sys/*"),
            "line 1: '*': file name patterns are not in the language of the runner"
        );
        assert_eq!(
            refused("a $((2 * 3))"),
            "line 1: '$((2 * 3': only + and - are in the language of the runner"
        );
        assert_eq!(
            refused("cat <<E\nE"),
            "line 1: '<<': here-documents are not in the language of the runner"
        );
        assert!(refused("echo `x`").contains("write $(…)"));
        assert!(refused("echo 'x").contains("is not closed"));
        assert!(refused("(a)").contains("subshells"));
    }
}
