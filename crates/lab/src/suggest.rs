//! "Did you mean …?"

/// The most names that are looked at, so that a file full of slips costs little.
const MAX_KNOWN: usize = 200;
/// The most names that are listed.
const MAX_LISTED: usize = 16;

/// The longest name worth comparing, in bytes: no longer one means anything in a world.
const MAX_LENGTH: usize = 128;

/// The one of `known` that is most like `word`, if any is like enough to be a slip of it.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > MAX_LENGTH {
        return None;
    }
    let length = word.chars().count();
    let limit = (length / 3).max(1);
    known
        .take(MAX_KNOWN)
        .filter(|candidate| {
            let other = candidate.chars().take(MAX_LENGTH).count();
            other > 1 && other.abs_diff(length) <= limit
        })
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The help for `word`, which is none of `known`: the nearest one, or all of them.
pub(crate) fn help<'a>(word: &str, what: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(word, known.clone()) {
        return format!("did you mean `{near}`?");
    }
    let mut listed: Vec<&str> = known.take(MAX_LISTED + 1).collect();
    match listed.len() {
        0 => return format!("there is no {what} here"),
        1..=MAX_LISTED => {}
        _ => {
            listed.pop();
            listed.push("…");
        }
    }
    format!("{what}: {}", listed.join(", "))
}

/// The number of letters left out, put in, exchanged or swapped with their neighbour (optimal string
/// alignment), capitals and small letters alike.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    // The rows of the table for the last but one, the last and this letter of `a`.
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
            let mut least = at(&above, j) + usize::from(x != y);
            least = least.min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                least = least.min(at(&before, j - 1) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("nics", "nics"), 0);
        assert_eq!(distance("nisc", "nics"), 1);
        assert_eq!(distance("nta", "nat"), 1);
        assert_eq!(distance("adresses", "addresses"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["nics", "addresses", "routes", "up"];
        assert_eq!(nearest("adresses", known.into_iter()), Some("addresses"));
        assert_eq!(nearest("Route", known.into_iter()), Some("routes"));
        assert_eq!(nearest("vlan", known.into_iter()), None);
        assert_eq!(nearest("x", known.into_iter()), None);
    }
}
