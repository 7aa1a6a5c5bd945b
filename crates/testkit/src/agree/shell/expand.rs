//! Words to strings: variables, command substitution, and the split of what was not quoted.

use super::parse::{Part, ScriptError, Trim, Word};
use super::run::Interpreter;

impl Interpreter {
    /// The words that a list of words becomes.
    pub(super) fn expand_all(&mut self, words: &[Word], line: usize) -> Result<Vec<String>, ScriptError> {
        let mut expanded = Vec::new();
        for word in words {
            expanded.extend(self.expand(word, line)?);
        }
        Ok(expanded)
    }

    /// One word: none, one or several strings.
    fn expand(&mut self, word: &Word, line: usize) -> Result<Vec<String>, ScriptError> {
        let mut words: Vec<String> = Vec::new();
        let mut present: Option<String> = None;
        for part in &word.0 {
            let (value, split) = match part {
                Part::Text { text, .. } => (text.clone(), false),
                Part::Sum { .. } => (self.value(part, line)?, false),
                Part::Variable { quoted, .. } | Part::Command { quoted, .. } => {
                    (self.value(part, line)?, !quoted)
                }
            };
            if !split {
                present.get_or_insert_default().push_str(&value);
                continue;
            }
            let starts_apart = value.starts_with(char::is_whitespace);
            let ends_apart = value.ends_with(char::is_whitespace);
            let mut fields = value.split_whitespace().peekable();
            if starts_apart {
                words.extend(present.take());
            }
            while let Some(field) = fields.next() {
                present.get_or_insert_default().push_str(field);
                if fields.peek().is_some() || ends_apart {
                    words.extend(present.take());
                }
            }
        }
        words.extend(present);
        Ok(words)
    }

    /// A word that stays one: a value that is assigned, a file's name.
    pub(super) fn expand_one(&mut self, word: &Word, line: usize) -> Result<String, ScriptError> {
        let mut text = String::new();
        for part in &word.0 {
            text.push_str(&self.value(part, line)?);
        }
        Ok(text)
    }

    fn value(&mut self, part: &Part, line: usize) -> Result<String, ScriptError> {
        match part {
            Part::Text { text, .. } => Ok(text.clone()),
            Part::Variable { name, trim, .. } => {
                let value = self.variable(name);
                Ok(match trim {
                    None => value,
                    Some((Trim::Suffix, pattern)) => trim_suffix(&value, pattern).to_owned(),
                    Some((Trim::Prefix, pattern)) => trim_prefix(&value, pattern).to_owned(),
                })
            }
            Part::Sum { text } => self.sum(text, line),
            Part::Command { body, .. } => {
                let text = self.substitute(body, line)?;
                Ok(text.trim_end_matches('\n').to_owned())
            }
        }
    }
}

impl Interpreter {
    /// `A + B - C`: numbers and variables.
    fn sum(&self, text: &str, line: usize) -> Result<String, ScriptError> {
        let spaced = text.replace('+', " + ").replace('-', " - ");
        let (mut sum, mut sign) = (0i64, 1);
        for word in spaced.split_whitespace() {
            match word {
                "+" => sign = 1,
                "-" => sign = -1,
                _ => {
                    let name = word.trim_start_matches('$');
                    let value = match name.parse::<i64>() {
                        Ok(number) if name == word => number,
                        _ => self.variable(name).parse().map_err(|_| ScriptError {
                            line,
                            word: word.to_owned(),
                            text: "is no number".to_owned(),
                        })?,
                    };
                    sum = sum.saturating_add(sign * value);
                }
            }
        }
        Ok(sum.to_string())
    }
}

/// Whether a text fits a pattern of letters and `*`.
fn fits(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.get(at..).is_some_and(|rest| fits(rest, after)))
        }),
    }
}

/// Takes the shortest fitting end off.
fn trim_suffix<'a>(value: &'a str, pattern: &str) -> &'a str {
    (0..=value.len())
        .rev()
        .find(|at| value.get(*at..).is_some_and(|end| fits(end, pattern)))
        .and_then(|at| value.get(..at))
        .unwrap_or(value)
}

/// Takes the shortest fitting beginning off.
fn trim_prefix<'a>(value: &'a str, pattern: &str) -> &'a str {
    (0..=value.len())
        .find(|at| value.get(..*at).is_some_and(|begin| fits(begin, pattern)))
        .and_then(|at| value.get(at..))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_end_is_trimmed() {
        assert_eq!(trim_suffix("A.a0.5", ".*"), "A.a0");
        assert_eq!(trim_prefix("A.a0.5", "*."), "a0.5");
        assert_eq!(trim_suffix("A", ".*"), "A");
    }
}
