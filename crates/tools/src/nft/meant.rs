//! What a name that is not there may have been meant to be (nft's misspell.c, and `nft_cmd_enoent` of cmd.c).

use hairpin_netlink::netfilter::nft::{Family, Ruleset, Table};

/// The nearest of some names so far.
struct Search<'a, T> {
    wanted: &'a str,
    found: Option<(usize, T)>,
}

impl<'a, T> Search<'a, T> {
    fn of(wanted: &'a str) -> Self {
        Search { wanted, found: None }
    }

    /// `string_misspell_update`
    fn look_at(&mut self, name: &str, what: T) {
        let (long, short) = (name.len().max(self.wanted.len()), name.len().min(self.wanted.len()));
        let most = match long - short {
            _ if name == self.wanted => 0,
            _ if long <= 1 => return,
            0 | 1 => long.div_ceil(3).max(1),
            _ => (long + 2).div_ceil(3),
        };
        let distance = distance(name, self.wanted);
        if distance <= most && self.found.as_ref().is_none_or(|(nearest, _)| distance < *nearest) {
            self.found = Some((distance, what));
        }
    }
}

/// How many letters are other ones, too many, missing or have changed their places (Damerau and Levenshtein, each once).
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (i, letter) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, against) in other.iter().enumerate() {
            let changed = rows[i][j] + usize::from(letter != against);
            let mut least = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && one[i - 1] == *against && *letter == other[j - 1] {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}

fn this_table(table: &Table) -> String {
    format!("; did you mean table \u{2018}{}\u{2019} in family {}?", table.name, table.family.name())
}

/// What is said behind an error about a table; nothing where none is near. `only`: those of a family alone are known.
pub(super) fn table(ruleset: &Ruleset, name: &str, only: Option<Family>) -> String {
    let mut search = Search::of(name);
    for table in ruleset.tables.iter().filter(|table| only.is_none_or(|family| table.family == family)) {
        search.look_at(&table.name, table);
    }
    search.found.map_or(String::new(), |(_, table)| this_table(table))
}

/// The same about a chain or set that a command names in a table: what the table may have been, which is also said where it
/// is not there, else what is in it. `word` is what it is, `names` those of a table.
pub(super) fn inside<'t>(
    ruleset: &'t Ruleset,
    (family, of): (Family, &str),
    (word, name): (&str, &str),
    names: fn(&'t Table) -> Vec<&'t str>,
) -> Option<String> {
    let mut search = Search::of(name);
    for table in &ruleset.tables {
        for known in names(table) {
            search.look_at(known, (table, known));
        }
    }
    let (_, (table, known)) = search.found?;
    let (in_table, of_family) = (&table.name, table.family.name());
    Some(match table.family == family && table.name == of {
        true => {
            format!(
                "; did you mean {word} \u{2018}{known}\u{2019} in table {of_family} \u{2018}{in_table}\u{2019}?"
            )
        }
        false => this_table(table),
    })
}

pub(super) fn chains(table: &Table) -> Vec<&str> {
    table.chains.iter().map(|chain| chain.name.as_str()).collect()
}

pub(super) fn sets(table: &Table) -> Vec<&str> {
    table.sets.iter().map(|set| set.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        assert_eq!(distance("filter", "filtre"), 1);
        assert_eq!(distance("nofilter", "filter"), 2);
        assert_eq!(distance("", "abc"), 3);
        let nearest = |wanted: &str, names: &[&str]| {
            let mut search = Search::of(wanted);
            names.iter().enumerate().for_each(|(at, name)| search.look_at(name, at));
            search.found.map(|(_, at)| at)
        };
        assert_eq!(nearest("inputt", &["output", "input"]), Some(1));
        assert_eq!(nearest("ss", &["s"]), Some(0));
        assert_eq!(nearest("a", &["b"]), None);
        assert_eq!(nearest("zzzzzz", &["input"]), None);
        assert_eq!(nearest("filter", &["filters", "filter"]), Some(1));
    }
}
