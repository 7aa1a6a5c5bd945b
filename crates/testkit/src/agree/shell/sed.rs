//! `sed -E 's/REGEX/TEXT/; …' [FILE…]`: substitutions, and no more of it.

use regex_lite::Regex;

use super::builtins::Builtin;

struct Substitution {
    regex: Regex,
    text: String,
    everywhere: bool,
}

pub(super) fn main(builtin: &mut Builtin<'_>) -> i32 {
    let (extended, rest) = match builtin.args {
        [option, rest @ ..] if option == "-E" => (true, rest),
        rest => (false, rest),
    };
    let Some((program, files)) = rest.split_first() else { return builtin.unknown("sed", "sed") };
    let Some(substitutions) = parse(program, extended) else { return builtin.unknown(program, "sed") };
    let files = files.to_vec();
    let (lines, code) = builtin.lines("sed", &files);
    let changed = lines.into_iter().map(|line| {
        substitutions.iter().fold(line, |line, substitution| {
            let Substitution { regex, text, everywhere } = substitution;
            let limit = if *everywhere { 0 } else { 1 };
            regex.replacen(&line, limit, text.as_str()).into_owned()
        })
    });
    builtin.print(changed.collect::<Vec<_>>());
    code
}

fn parse(program: &str, extended: bool) -> Option<Vec<Substitution>> {
    let mut rest = program.trim();
    let mut substitutions = Vec::new();
    while !rest.is_empty() {
        let mut letters = rest.strip_prefix('s')?.char_indices();
        let (_, mark) = letters.next()?;
        let mut fields = vec![String::new()];
        let mut end = None;
        while let Some((at, letter)) = letters.next() {
            match letter {
                _ if letter == mark => {
                    if fields.len() == 2 {
                        end = Some(at + mark.len_utf8() + 1);
                        break;
                    }
                    fields.push(String::new());
                }
                '\\' => {
                    let (_, escaped) = letters.next()?;
                    let field = fields.last_mut()?;
                    if escaped != mark {
                        field.push('\\');
                    }
                    field.push(escaped);
                }
                _ => fields.last_mut()?.push(letter),
            }
        }
        let after = rest.get(end?..)?;
        let (flags, next) = after.split_once(';').unwrap_or((after, ""));
        let everywhere = match flags.trim() {
            "" => false,
            "g" => true,
            _ => return None,
        };
        let [regex, text] = fields.try_into().ok()?;
        if !extended && regex.contains(['\\', '+', '?', '|', '(', ')', '{', '}']) {
            return None;
        }
        substitutions.push(Substitution { regex: Regex::new(&regex).ok()?, text: groups(&text), everywhere });
        rest = next.trim();
    }
    Some(substitutions)
}

/// `\1` and `&` as the regular expressions here write them.
fn groups(text: &str) -> String {
    let mut written = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '$' => written.push_str("$$"),
            '&' => written.push_str("${0}"),
            '\\' => match letters.next() {
                Some(digit @ '0'..='9') => written.push_str(&format!("${{{digit}}}")),
                Some(other) => written.push(other),
                None => {}
            },
            _ => written.push(letter),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(program: &str, line: &str) -> String {
        let substitutions = parse(program, true).expect("a program");
        substitutions.iter().fold(line.to_owned(), |line, substitution| {
            let limit = usize::from(!substitution.everywhere);
            substitution.regex.replacen(&line, limit, substitution.text.as_str()).into_owned()
        })
    }

    #[test]
    fn substitutions() {
        assert_eq!(
            run("s/ id [0-9]+, (offset|ttl)/ \\1/; s/ifindex [0-9]+ //", "a id 7, ttl ifindex 3 b"),
            "a ttl b"
        );
        assert_eq!(run("s|/|-|g", "a/b/c"), "a-b-c");
        assert!(parse("y/a/b/", true).is_none());
    }
}
