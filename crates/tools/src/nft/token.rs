//! The words of a command, with where they stand.

use super::fail::{Fail, Place};

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word(String),
    /// In quotes.
    Text(String),
    /// `{`, `}`, `(`, `)`, `,`, `;`, `=`, `!`, `<`, `>`, `&`, `|`, `^`, `==`, `!=`, `<=`, `>=`, `.`, `:`, `/`.
    Sign(&'static str),
    Newline,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub place: Place,
    /// It stands right behind the token before it.
    pub joined: bool,
}

const SIGNS: &[&str] =
    &["==", "!=", "<=", ">=", "{", "}", "(", ")", ",", ";", "=", "!", "<", ">", "&", "|", "^", "[", "]"];

/// Cuts a text (of the source with a number) into tokens; comments go, and a backslash at a line's end joins it with the next.
pub(super) fn tokens(text: &str, source: usize) -> Result<Vec<Token>, Fail> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut line_start = 0;
    let mut line = 1;
    let mut at = 0;
    let mut end_before = usize::MAX;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let here = |length: usize| Place { source, line, start: at - line_start, length };
        if let Some(stripped) = rest.strip_prefix("\\\n") {
            at = text.len() - stripped.len();
            line += 1;
            line_start = at;
            continue;
        }
        let first = rest.chars().next().unwrap_or(' ');
        if first == '\n' {
            tokens.push(Token { kind: Kind::Newline, place: here(1), joined: false });
            at += 1;
            line += 1;
            line_start = at;
            continue;
        }
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if first == '#' {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let joined = at == end_before;
        let (kind, length) = if first == '"' {
            let inner = rest.get(1..).unwrap_or("");
            let Some(end) = inner.find('"') else {
                return Err(Fail::at("syntax error, unexpected end of file", here(rest.len())));
            };
            (Kind::Text(inner.get(..end).unwrap_or("").to_owned()), end + 2)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Kind::Sign(sign), sign.len())
        } else {
            let is_end = |c: char| c.is_whitespace() || "{}(),;=!<>&|^[]\"#".contains(c);
            let mut length = rest.find(is_end).unwrap_or(rest.len());
            let mut word = rest.get(..length).unwrap_or(rest);
            // `80: 10.0.0.1`: the colon parts key and datum.
            if word.len() > 1 && word.ends_with(':') && !word.ends_with("::") {
                length -= 1;
                word = rest.get(..length).unwrap_or(rest);
            }
            match word {
                "." => (Kind::Sign("."), 1),
                ":" => (Kind::Sign(":"), 1),
                "/" => (Kind::Sign("/"), 1),
                "" => (Kind::Word(first.to_string()), first.len_utf8()),
                word => (Kind::Word(word.to_owned()), length),
            }
        };
        tokens.push(Token { kind, place: here(length), joined });
        at += length;
        end_before = at;
    }
    Ok(tokens)
}

/// Puts what `define` names in the place of `$NAME`.
pub(super) fn defined(tokens: Vec<Token>, given: &[(String, String)]) -> Result<Vec<Token>, Fail> {
    let mut names: Vec<(String, Vec<Token>)> = Vec::new();
    for (name, value) in given {
        names.push((name.clone(), self::tokens(value, 0)?));
    }
    let mut out: Vec<Token> = Vec::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        match &token.kind {
            Kind::Word(word) if word == "define" => {
                let name = match rest.next() {
                    Some(Token { kind: Kind::Word(name), .. }) => name,
                    other => return Err(Fail::unexpected(other.as_ref())),
                };
                match rest.next() {
                    Some(Token { kind: Kind::Sign("="), .. }) => {}
                    other => return Err(Fail::unexpected(other.as_ref())),
                }
                let mut value = Vec::new();
                let mut depth = 0u32;
                while let Some(next) = rest.peek() {
                    match next.kind {
                        Kind::Newline | Kind::Sign(";") if depth == 0 => break,
                        Kind::Sign("{") => depth += 1,
                        Kind::Sign("}") => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    value.extend(rest.next());
                }
                let value = replaced(value, &names)?;
                names.retain(|(known, _)| *known != name);
                names.push((name, value));
            }
            _ => out.extend(replaced(vec![token], &names)?),
        }
    }
    Ok(out)
}

fn replaced(tokens: Vec<Token>, names: &[(String, Vec<Token>)]) -> Result<Vec<Token>, Fail> {
    let mut out = Vec::new();
    for token in tokens {
        let name = match &token.kind {
            Kind::Word(word) => word.strip_prefix('$'),
            _ => None,
        };
        match name {
            None => out.push(token),
            Some(name) => {
                let known = names.iter().find(|(known, _)| known == name);
                let unknown = || Fail::at(format!("unknown identifier '{name}'"), token.place);
                let (_, value) = known.ok_or_else(unknown)?;
                out.extend(value.iter().map(|of| Token { place: token.place, ..of.clone() }));
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_signs_and_texts_are_told_apart() {
        let found: Vec<Kind> = tokens("tcp dport{22,80-90}  log prefix \"a b\" # c", 0)
            .expect("tokens")
            .into_iter()
            .map(|t| t.kind)
            .collect();
        let word = |text: &str| Kind::Word(text.to_owned());
        let expected = [
            word("tcp"),
            word("dport"),
            Kind::Sign("{"),
            word("22"),
            Kind::Sign(","),
            word("80-90"),
            Kind::Sign("}"),
            word("log"),
            word("prefix"),
            Kind::Text("a b".to_owned()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_defined_is_put_in_its_place() {
        let tokens = tokens("define a = { 1, 2 }\ntcp dport $a", 0).expect("tokens");
        let count = defined(tokens, &[]).expect("a text").len();
        assert_eq!(count, 1 + 2 + 5);
    }
}
