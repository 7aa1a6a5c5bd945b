//! Splitting a line of text into words as a shell does, as far as no shell is needed.

/// Why a line could not be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// A quote that is not closed, or a backslash at the end.
    Unfinished,
    /// The line uses this character as shell syntax.
    Shell(char),
}

/// The words of a line: separated by blanks, with single quotes, double quotes and backslashes.
///
/// # Errors
/// An unfinished quote, or syntax that only a shell understands (pipes, lists, redirections, expansions).
pub(crate) fn split(line: &str) -> Result<Vec<String>, Trouble> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => single_quoted(&mut chars, word.get_or_insert_default())?,
            '"' => double_quoted(&mut chars, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(chars.next().ok_or(Trouble::Unfinished)?),
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`' | '*' | '?' | '[' | '{' | '\n' => {
                return Err(Trouble::Shell(c));
            }
            '#' | '~' if word.is_none() => return Err(Trouble::Shell(c)),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// The words of a whole command line. An assignment or a negation in front makes it one for a shell.
pub(crate) fn split_command(line: &str) -> Result<Vec<String>, Trouble> {
    let words = split(line)?;
    match words.first() {
        Some(first) if first.contains('=') => Err(Trouble::Shell('=')),
        Some(first) if first == "!" => Err(Trouble::Shell('!')),
        _ => Ok(words),
    }
}

fn single_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), Trouble> {
    for c in chars {
        match c {
            '\'' => return Ok(()),
            _ => word.push(c),
        }
    }
    Err(Trouble::Unfinished)
}

/// POSIX XCU 2.2.3: in double quotes a backslash quotes only `$`, a backquote, `"`, itself and a line's end.
fn double_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), Trouble> {
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok(()),
            '$' | '`' => return Err(Trouble::Shell(c)),
            '\\' => match chars.next().ok_or(Trouble::Unfinished)? {
                '\n' => {}
                quoted @ ('$' | '`' | '"' | '\\') => word.push(quoted),
                other => word.extend(['\\', other]),
            },
            _ => word.push(c),
        }
    }
    Err(Trouble::Unfinished)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_quotes() {
        let words = |line| split(line).unwrap();
        assert_eq!(words("ip  link\tset lo up"), ["ip", "link", "set", "lo", "up"]);
        assert_eq!(words(r#"a "b c" 'd "e"' f\ g ''"#), ["a", "b c", "d \"e\"", "f g", ""]);
        assert_eq!(words(r#""a\"b\x""#), [r#"a"b\x"#]);
        assert_eq!(words("-i natA ! -o docker0"), ["-i", "natA", "!", "-o", "docker0"]);
        assert_eq!(words("a#b x~y"), ["a#b", "x~y"]);
        assert!(words("  ").is_empty());
    }

    #[test]
    fn what_needs_a_shell() {
        for (line, c) in [("a | b", '|'), ("echo 1 > f", '>'), ("ping $IP", '$'), ("ls *", '*'), ("# x", '#')]
        {
            assert_eq!(split(line), Err(Trouble::Shell(c)), "{line}");
        }
        assert_eq!(split_command("A=1 ip link"), Err(Trouble::Shell('=')));
        assert_eq!(split_command("! ip link"), Err(Trouble::Shell('!')));
        assert_eq!(split("a 'b"), Err(Trouble::Unfinished));
        assert_eq!(split("a \\"), Err(Trouble::Unfinished));
    }
}
