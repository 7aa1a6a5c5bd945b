//! `ip -batch FILE`: a command a line, in one run.

use std::io::{BufRead, BufReader};

use crate::iproute2::{Args, Context, Stop};

/// The most words a line may have.
const WORDS_MAX: usize = 511;

/// Runs the commands of `file` (`-` for standard input).
///
/// # Errors
/// A command failed (exit code 1), or ended the whole run.
pub(crate) fn run(
    context: &mut Context<'_>,
    file: &str,
    command: fn(&mut Context<'_>, Args<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut opened = if file == "-" { None } else { Some(open(context, file)?) };
    let family = context.options.family;
    let mut outcome = Ok(());
    let mut number = 0;
    loop {
        let line = match &mut opened {
            Some(reader) => command_line(reader, &mut number),
            None => command_line(context.shell.input(), &mut number),
        };
        let line = match line {
            Ok(Some(line)) => line,
            Ok(None) => return outcome,
            Err(text) => {
                context.complain(text);
                return outcome;
            }
        };
        let words = split(&line)?;
        if words.is_empty() {
            continue;
        }
        context.options.family = family;
        match command(context, Args::new(&words)) {
            Ok(()) => {}
            Err(stop) if stop.exit => return Err(stop),
            Err(stop) => {
                context.complain(&stop.text);
                context.complain(&format!("Command failed {file}:{number}\n"));
                outcome = Err(Stop::silent(1));
                if !context.options.force {
                    return outcome;
                }
            }
        }
        // A command may rename, add or delete links.
        context.forget();
    }
}

fn open(context: &mut Context<'_>, file: &str) -> Result<BufReader<Box<dyn std::io::Read>>, Stop> {
    context.shell.open(file).map(BufReader::new).map_err(|error| {
        let text = error.raw_os_error().map(|code| hairpin_netlink::Errno(code).text());
        let text = text.unwrap_or_else(|| error.kind().to_string());
        Stop::fail(1, format!("Cannot open file \"{file}\" for reading: {text}\n"))
    })
}

/// A line with its continuation lines and without comments; `None` at the end. Counts lines in `number`.
fn command_line(
    reader: &mut (impl BufRead + ?Sized),
    number: &mut u32,
) -> Result<Option<String>, &'static str> {
    let Some(mut line) = one_line(reader) else {
        return Ok(None);
    };
    *number += 1;
    while let Some(end) = line.find("\\\n") {
        let Some(next) = one_line(reader) else {
            return Err("Missing continuation line\n");
        };
        *number += 1;
        line.truncate(end);
        line.push_str(&next);
    }
    Ok(Some(line))
}

/// A line up to a `#`.
fn one_line(reader: &mut (impl BufRead + ?Sized)) -> Option<String> {
    let mut bytes = Vec::new();
    match reader.read_until(b'\n', &mut bytes) {
        Ok(length) if length > 0 => {
            let mut line = String::from_utf8_lossy(&bytes).into_owned();
            line.truncate(line.find('#').unwrap_or(line.len()));
            Some(line)
        }
        _ => None,
    }
}

/// Words between white space; a word that begins with a quote ends at the next one.
fn split(line: &str) -> Result<Vec<String>, Stop> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let Some(first) = rest.chars().next() else {
            return Ok(words);
        };
        if words.len() >= WORDS_MAX {
            return Err(Stop::exit(1, "Too many arguments to command\n"));
        }
        let (word, after) = if first == '\'' || first == '"' {
            rest[1..].split_once(first).ok_or_else(|| Stop::exit(1, "Unterminated quoted string\n"))?
        } else {
            let end = rest.find([' ', '\t', '\r', '\n']).unwrap_or(rest.len());
            rest.split_at(end)
        };
        words.push(word.to_owned());
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(String, u32)> {
        let mut reader = text.as_bytes();
        let mut number = 0;
        let mut found = Vec::new();
        while let Ok(Some(line)) = command_line(&mut reader, &mut number) {
            found.push((line, number));
        }
        found
    }

    #[test]
    fn lines_continue_and_comments_end_them() {
        let found = lines("link show # all\n\naddr \\\nshow\nlast");
        assert_eq!(
            found,
            [
                ("link show ".to_owned(), 1),
                ("\n".to_owned(), 2),
                ("addr show\n".to_owned(), 4),
                ("last".to_owned(), 5),
            ]
        );
    }

    #[test]
    fn quotes_hold_words_together() {
        let words = split("link set lo alias \"a b\" x'y 'z'\n");
        assert_eq!(
            words.ok(),
            Some(["link", "set", "lo", "alias", "a b", "x'y", "z"].map(String::from).to_vec())
        );
        assert!(split("alias 'x").is_err());
    }
}
