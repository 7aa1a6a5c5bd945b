//! `include`: the tokens of other files, in the place of the words that name them.

use std::io::Read as _;

use super::fail::{Fail, Place};
use super::token::{self, Kind, Token};
use super::{INPUT_MAX, Source};
use crate::Shell;

/// Files within files (`MAX_INCLUDE_DEPTH`).
const DEPTH_MAX: usize = 16;
/// Where names without a directory are looked for (`DEFAULT_INCLUDE_PATH`).
const DIRECTORY: &str = "/etc";

/// The tokens of the first source, with those of the files it includes, which become sources too.
pub(super) fn tokens(shell: &mut dyn Shell, sources: &mut Vec<Source>) -> Result<Vec<Token>, Fail> {
    of_source(shell, sources, 0, 0)
}

fn of_source(
    shell: &mut dyn Shell,
    sources: &mut Vec<Source>,
    number: usize,
    depth: usize,
) -> Result<Vec<Token>, Fail> {
    let text = sources.get(number).map_or("", |source| source.text.as_str());
    let found = token::tokens(text, number)?;
    let mut out: Vec<Token> = Vec::with_capacity(found.len());
    let mut rest = found.into_iter().peekable();
    while let Some(token) = rest.next() {
        let first = out.last().is_none_or(|before| {
            matches!(before.kind, Kind::Newline | Kind::Sign(";") | Kind::Sign("{") | Kind::Sign("}"))
        });
        if !first || token.kind != Kind::Word("include".to_owned()) {
            out.push(token);
            continue;
        }
        let (path, end) = match rest.next() {
            Some(Token { kind: Kind::Text(path), place, .. }) => (path, place),
            other => return Err(Fail::unexpected(other.as_ref())),
        };
        // The mark covers what ends the command.
        let mut place = token.place.to(end);
        place.length += 1;
        let text = open(shell, &path, place)?;
        if depth >= DEPTH_MAX {
            return Err(Fail::at(format!("Include nested too deeply, max {DEPTH_MAX} levels"), place));
        }
        sources.push(Source { name: Some(text.0), text: text.1, from: Some(place) });
        let inner = of_source(shell, sources, sources.len() - 1, depth + 1)?;
        out.extend(inner);
    }
    Ok(out)
}

/// The file of a name, and what is in it.
fn open(shell: &mut dyn Shell, name: &str, place: Place) -> Result<(String, String), Fail> {
    if name.contains(['*', '?', '[']) {
        return Err(Fail::at("hairpin's nft takes no patterns in include", place));
    }
    let direct = ["/", "./", "../"].iter().any(|start| name.starts_with(start));
    let path = if direct { name.to_owned() } else { format!("{DIRECTORY}/{name}") };
    let missing = || Fail::at(format!("File not found: {name}"), place);
    let file = shell.open(&path).map_err(|_| missing())?;
    let mut text = String::new();
    file.take(INPUT_MAX).read_to_string(&mut text).map_err(|_| missing())?;
    Ok((path, text))
}
