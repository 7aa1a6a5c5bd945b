//! The text of a template to its nodes.

use super::super::value::Value;

/// Nesting beyond this is refused.
const DEPTH_MAX: usize = 100;

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Print(Pipeline),
    If { condition: Pipeline, body: Vec<Node>, otherwise: Vec<Node> },
    With { value: Pipeline, body: Vec<Node>, otherwise: Vec<Node> },
    Range { over: Pipeline, body: Vec<Node>, otherwise: Vec<Node> },
    Break,
    Continue,
}

/// Commands, each fed with the result of the one before; what is declared gets the last result.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipeline {
    pub variables: Vec<String>,
    pub assigns: bool,
    pub commands: Vec<Command>,
}

pub(super) type Command = Vec<Operand>;

#[derive(Clone, Debug)]
pub(super) struct Operand {
    /// `LINE:COLUMN` in the template.
    pub place: String,
    pub base: Base,
    /// `.A.B` behind it.
    pub fields: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Base {
    Dot,
    Variable(String),
    Literal(Value),
    Nil,
    Group(Pipeline),
    Function(String),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Dot,
    /// `.NAME`; whether it follows what is before it without a blank.
    Field(String, bool),
    Variable(String),
    Word(String),
    Literal(Value),
    Open,
    Close,
    Pipe,
    Comma,
    Declare,
    Assign,
}

/// What stands between two delimiters, or around them.
enum Piece {
    Text(String),
    Action { tokens: Vec<(Token, usize)>, line: usize },
}

pub(super) fn parse(text: &str) -> Result<Vec<Node>, String> {
    let pieces = split(text)?;
    let mut parser = Parser { text, pieces: pieces.into_iter(), depth: 0 };
    let (nodes, end) = parser.list()?;
    match end {
        None => Ok(nodes),
        Some((word, line, _)) => Err(format!(":{line}: unexpected {{{{{word}}}}}")),
    }
}

/// Splits at `{{` and `}}`; `{{- ` and ` -}}` trim the text beside them.
fn split(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut trim = false;
    loop {
        let rest = text.get(at..).unwrap_or("");
        let (mut plain, start) = match rest.find("{{") {
            Some(length) => (rest.get(..length).unwrap_or(""), Some(at + length)),
            None => (rest, None),
        };
        if trim {
            plain = plain.trim_start();
        }
        let Some(start) = start else {
            if !plain.is_empty() {
                pieces.push(Piece::Text(plain.to_owned()));
            }
            return Ok(pieces);
        };
        let mut inside = start + 2;
        let trims_before = text
            .get(inside..)
            .is_some_and(|rest| rest.starts_with('-') && rest[1..].starts_with(|c: char| c.is_whitespace()));
        if trims_before {
            plain = plain.trim_end();
            inside += 1;
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain.to_owned()));
        }
        let line = 1 + text.get(..start).unwrap_or("").matches('\n').count();
        let comment = text.get(inside..).unwrap_or("").trim_start();
        if comment.starts_with("/*") {
            let end = comment.find("*/").ok_or_else(|| format!(":{line}: unclosed comment"))?;
            let behind = comment.get(end + 2..).unwrap_or("");
            let length =
                behind.find("}}").ok_or_else(|| format!(":{line}: comment ends before closing delimiter"))?;
            trim = behind.get(..length).unwrap_or("").trim() == "-";
            at = text.len() - behind.len() + length + 2;
            continue;
        }
        let mut lexer = Lexer { text, at: inside, line };
        let (tokens, trims) = lexer.action()?;
        at = lexer.at;
        trim = trims;
        pieces.push(Piece::Action { tokens, line });
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The tokens up to the closing delimiter, and whether that trims what follows.
    fn action(&mut self) -> Result<(Vec<(Token, usize)>, bool), String> {
        let mut tokens = Vec::new();
        let mut behind_blank = true;
        loop {
            let rest = self.rest();
            let Some(first) = rest.chars().next() else {
                return Err(format!(":{}: unclosed action", self.line));
            };
            if first.is_whitespace() {
                if rest.trim_start().starts_with("-}}") {
                    self.at = self.text.len() - rest.trim_start().len() + 3;
                    return Ok((tokens, true));
                }
                self.at += first.len_utf8();
                behind_blank = true;
                continue;
            }
            if rest.starts_with("}}") {
                self.at += 2;
                return Ok((tokens, false));
            }
            let start = self.at;
            let token = self.token(first, behind_blank)?;
            behind_blank = false;
            tokens.push((token, start));
        }
    }

    fn token(&mut self, first: char, behind_blank: bool) -> Result<Token, String> {
        let single = match first {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            '|' => Some(Token::Pipe),
            ',' => Some(Token::Comma),
            '=' => Some(Token::Assign),
            _ => None,
        };
        if let Some(token) = single {
            self.at += 1;
            return Ok(token);
        }
        if self.rest().starts_with(":=") {
            self.at += 2;
            return Ok(Token::Declare);
        }
        match first {
            '"' => self.string(),
            '`' => {
                let rest = self.rest().get(1..).unwrap_or("");
                let end = rest
                    .find('`')
                    .ok_or_else(|| format!(":{}: unterminated raw quoted string", self.line))?;
                let text = rest.get(..end).unwrap_or("").to_owned();
                self.at += end + 2;
                Ok(Token::Literal(text.into()))
            }
            '.' => {
                self.at += 1;
                let name = self.word();
                Ok(if name.is_empty() { Token::Dot } else { Token::Field(name, behind_blank) })
            }
            '$' => {
                self.at += 1;
                Ok(Token::Variable(self.word()))
            }
            _ if first.is_ascii_digit() || first == '-' || first == '+' => {
                let rest = self.rest();
                let length =
                    rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '_')));
                let word = rest.get(..length.unwrap_or(rest.len())).unwrap_or("").to_owned();
                self.at += word.len();
                let number = word.parse::<i64>();
                number
                    .map(|number| Token::Literal(number.into()))
                    .map_err(|_| format!(":{}: bad number syntax: \"{word}\"", self.line))
            }
            _ if first.is_alphabetic() || first == '_' => Ok(Token::Word(self.word())),
            other => Err(format!(":{}: unexpected \"{other}\" in command", self.line)),
        }
    }

    fn word(&mut self) -> String {
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or("").to_owned();
        self.at += length;
        word
    }

    /// A string in double quotes; Go's escapes.
    fn string(&mut self) -> Result<Token, String> {
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at += at + 1;
                    return Ok(Token::Literal(text.into()));
                }
                '\\' => match letters.next().map(|(_, letter)| letter) {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(other) => text.push(other),
                    None => break,
                },
                '\n' => break,
                other => text.push(other),
            }
        }
        Err(format!(":{}: unterminated quoted string", self.line))
    }
}

struct Parser<'a> {
    text: &'a str,
    pieces: std::vec::IntoIter<Piece>,
    depth: usize,
}

/// What ends a list of nodes: `end` or `else`, its line, and what follows an `else`.
type End = (&'static str, usize, Vec<(Token, usize)>);
type List = (Vec<Node>, Option<End>);

impl Parser<'_> {
    fn list(&mut self) -> Result<List, String> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let (tokens, line) = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Piece::Action { tokens, line } => (tokens, line),
            };
            let first = match tokens.first() {
                Some((Token::Word(word), _)) => word.as_str(),
                Some(_) => "",
                None => return Err(format!(":{line}: missing value for command")),
            };
            match first {
                "end" => return Ok((nodes, Some(("end", line, Vec::new())))),
                "else" => {
                    let rest = tokens.get(1..).unwrap_or(&[]).to_vec();
                    return Ok((nodes, Some(("else", line, rest))));
                }
                "if" | "with" | "range" => {
                    let kind = first.to_owned();
                    nodes.push(self.block(&kind, tokens.get(1..).unwrap_or(&[]), line)?);
                }
                "break" => nodes.push(Node::Break),
                "continue" => nodes.push(Node::Continue),
                _ => nodes.push(Node::Print(self.pipeline(&tokens, line)?)),
            }
        }
        Ok((nodes, None))
    }

    fn block(&mut self, kind: &str, tokens: &[(Token, usize)], line: usize) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!(":{line}: nested too deeply"));
        }
        let pipeline = self.pipeline(tokens, line)?;
        let (body, end) = self.list()?;
        let mut otherwise = Vec::new();
        match end {
            None => return Err(format!(":{line}: unexpected EOF")),
            // `else if`: a block of its own, whose end is this one's too.
            Some(("else", line, rest)) if !rest.is_empty() => {
                let kind = match rest.first() {
                    Some((Token::Word(word), _)) if matches!(word.as_str(), "if" | "with") => word.clone(),
                    _ => return Err(format!(":{line}: unexpected token in else")),
                };
                otherwise.push(self.block(&kind, rest.get(1..).unwrap_or(&[]), line)?);
            }
            Some(("else", ..)) => {
                let (rest, end) = self.list()?;
                otherwise = rest;
                match end {
                    Some(("end", ..)) => {}
                    Some((_, line, _)) => return Err(format!(":{line}: expected end; found {{{{else}}}}")),
                    None => return Err(format!(":{line}: unexpected EOF")),
                }
            }
            Some(_) => {}
        }
        self.depth -= 1;
        Ok(match kind {
            "if" => Node::If { condition: pipeline, body, otherwise },
            "with" => Node::With { value: pipeline, body, otherwise },
            _ => Node::Range { over: pipeline, body, otherwise },
        })
    }

    fn pipeline(&mut self, tokens: &[(Token, usize)], line: usize) -> Result<Pipeline, String> {
        let mut at = 0;
        let pipeline = self.pipe(tokens, &mut at, line)?;
        match tokens.get(at) {
            None => Ok(pipeline),
            Some(_) => Err(format!(":{line}: unexpected \")\" in command")),
        }
    }

    fn pipe(&mut self, tokens: &[(Token, usize)], at: &mut usize, line: usize) -> Result<Pipeline, String> {
        let mut pipeline = Pipeline::default();
        self.declarations(tokens, at, &mut pipeline);
        let mut command = Command::new();
        loop {
            match tokens.get(*at) {
                None | Some((Token::Close, _)) => break,
                Some((Token::Pipe, _)) => {
                    *at += 1;
                    if command.is_empty() {
                        return Err(format!(":{line}: missing value for command"));
                    }
                    pipeline.commands.push(std::mem::take(&mut command));
                }
                Some(_) => command.push(self.operand(tokens, at, line)?),
            }
        }
        if command.is_empty() {
            return Err(format!(":{line}: missing value for command"));
        }
        pipeline.commands.push(command);
        Ok(pipeline)
    }

    /// `$a := `, `$a, $b := `, `$a = `
    fn declarations(&self, tokens: &[(Token, usize)], at: &mut usize, pipeline: &mut Pipeline) {
        let name = |offset: usize| match tokens.get(*at + offset) {
            Some((Token::Variable(name), _)) => Some(name.clone()),
            _ => None,
        };
        let is =
            |offset: usize, token: &Token| tokens.get(*at + offset).is_some_and(|(found, _)| found == token);
        let (Some(first), second) = (name(0), name(2)) else { return };
        if is(1, &Token::Declare) || is(1, &Token::Assign) {
            pipeline.assigns = is(1, &Token::Assign);
            pipeline.variables.push(first);
            *at += 2;
        } else if let (Some(second), true, true) = (second, is(1, &Token::Comma), is(3, &Token::Declare)) {
            pipeline.variables.extend([first, second]);
            *at += 4;
        }
    }

    fn operand(&mut self, tokens: &[(Token, usize)], at: &mut usize, line: usize) -> Result<Operand, String> {
        let Some((token, offset)) = tokens.get(*at) else {
            return Err(format!(":{line}: missing value for command"));
        };
        *at += 1;
        let mut fields = Vec::new();
        let base = match token {
            Token::Dot => Base::Dot,
            Token::Field(name, _) => {
                fields.push(name.clone());
                Base::Dot
            }
            Token::Variable(name) => Base::Variable(name.clone()),
            Token::Literal(value) => Base::Literal(value.clone()),
            Token::Word(word) => match word.as_str() {
                "true" => Base::Literal(true.into()),
                "false" => Base::Literal(false.into()),
                "nil" => Base::Nil,
                name if super::functions::is_known(name) => Base::Function(name.to_owned()),
                name => return Err(format!(":{line}: function \"{name}\" not defined")),
            },
            Token::Open => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err(format!(":{line}: nested too deeply"));
                }
                let inner = self.pipe(tokens, at, line)?;
                self.depth -= 1;
                if !matches!(tokens.get(*at), Some((Token::Close, _))) {
                    return Err(format!(":{line}: unclosed left paren"));
                }
                *at += 1;
                Base::Group(inner)
            }
            _ => return Err(format!(":{line}: unexpected token in command")),
        };
        while let Some((Token::Field(name, false), _)) = tokens.get(*at) {
            fields.push(name.clone());
            *at += 1;
        }
        Ok(Operand { place: self.place(*offset), base, fields })
    }

    fn place(&self, offset: usize) -> String {
        let before = self.text.get(..offset).unwrap_or("");
        let line = 1 + before.matches('\n').count();
        let column = offset - before.rfind('\n').map_or(0, |at| at + 1);
        format!(":{line}:{column}")
    }
}
