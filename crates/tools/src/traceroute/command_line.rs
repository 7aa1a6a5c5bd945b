//! The grammar of traceroute's command line, which is not `getopt`'s: `-m5`, `-m 5` and `--max-hops=5`, never
//! `--max-hops 5`; few long options may be shortened.

/// An option of the table.
pub(super) struct Known {
    pub short: Option<char>,
    pub long: Option<&'static str>,
    /// The name of its value.
    pub value: Option<&'static str>,
    /// Its value is a list with commas.
    pub is_list: bool,
    pub may_be_shortened: bool,
    /// Written with one dash though it is long.
    pub one_dash: bool,
}

/// An option of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// The letter, or the long name where there is none.
    pub name: &'static str,
    pub value: Option<&'a str>,
    /// As which it was written, without its value.
    shown: String,
    /// Position of the word that completes it.
    position: usize,
}

impl Found<'_> {
    /// The text for a value that the option does not take.
    pub fn refused(&self) -> String {
        let Found { shown, value, position, .. } = self;
        match value {
            Some(value) => format!("Cannot handle `{shown}' option with arg `{value}' (argc {position})"),
            None => format!("Cannot handle `{shown}' option (argc {position})"),
        }
    }
}

/// One step of the walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Option(Found<'a>),
    /// The text of a mistake, which ends the program.
    Mistake(String),
}

/// Walks over the command line; the operands, with their positions, are gathered aside.
pub(super) struct Walk<'a> {
    args: &'a [String],
    known: &'static [Known],
    /// Position of the next word; the program's name is 0.
    next: usize,
    /// What is left of a word of short options.
    group: &'a str,
    /// Whether the next letter is the first of its word.
    is_first: bool,
    only_operands: bool,
    pub operands: Vec<(usize, &'a str)>,
}

impl<'a> Walk<'a> {
    pub fn new(args: &'a [String], known: &'static [Known]) -> Self {
        Walk { args, known, next: 1, group: "", is_first: false, only_operands: false, operands: Vec::new() }
    }

    /// The next option; `None` when `operands` is complete.
    pub fn next(&mut self) -> Option<Item<'a>> {
        loop {
            if !self.group.is_empty() {
                return Some(self.letter());
            }
            let position = self.next;
            let word = self.word(position)?;
            self.next += 1;
            let short = word.strip_prefix('-').filter(|rest| !rest.is_empty() && !self.only_operands);
            let Some(short) = short else {
                self.operands.push((position, word));
                continue;
            };
            match short.strip_prefix('-') {
                Some(long) if long.starts_with('-') => self.operands.push((position, word)),
                Some("") => self.only_operands = true,
                Some(long) => return Some(self.long(word, long, false, position)),
                None if self.find_long(short, true).is_some() => {
                    return Some(self.long(word, short, true, position));
                }
                None => {
                    self.group = short;
                    self.is_first = true;
                }
            }
        }
    }

    fn word(&self, position: usize) -> Option<&'a str> {
        self.args.get(position.checked_sub(1)?).map(String::as_str)
    }

    fn find_long(&self, word: &str, one_dash: bool) -> Option<&'static Known> {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        let has_value = name.len() < word.len();
        let fits = |known: &&'static Known| {
            known.one_dash == one_dash && (!has_value || known.value.is_some()) && known.long.is_some()
        };
        let exact = self.known.iter().filter(fits).find(|known| known.long == Some(name));
        let starts = |known: &&'static Known| {
            known.may_be_shortened && known.long.is_some_and(|long| long.starts_with(name))
        };
        let mut shortened = self.known.iter().filter(fits).filter(starts).filter(|_| name.len() >= 2);
        exact.or_else(|| shortened.next().filter(|_| shortened.next().is_none()))
    }

    fn long(&mut self, word: &'a str, long: &'a str, one_dash: bool, position: usize) -> Item<'a> {
        let value = long.split_once('=').map(|(_, value)| value);
        let Some(known) = self.find_long(long, one_dash) else {
            return Item::Mistake(match word.split_once('=') {
                Some((_, value)) => format!("Bad option `{word}' (with arg `{value}') (argc {position})"),
                None => format!("Bad option `{word}' (argc {position})"),
            });
        };
        let dashes = if one_dash { "-" } else { "--" };
        let shown = format!("{dashes}{}", known.long.unwrap_or(""));
        if let (Some(name), None) = (known.value, value) {
            let list = if known.is_list { ",..." } else { "" };
            return Item::Mistake(format!(
                "Option `{shown}' (argc {position}) requires an argument: `{shown}={name}{list}'"
            ));
        }
        Item::Option(Found { name: name_of(known), value, shown, position })
    }

    fn letter(&mut self) -> Item<'a> {
        let position = self.next - 1;
        let mut letters = self.group.chars();
        let letter = letters.next().unwrap_or(' ');
        let rest = letters.as_str();
        let is_first = std::mem::take(&mut self.is_first);
        self.group = rest;
        let Some(known) = self.known.iter().find(|known| known.short == Some(letter)) else {
            return Item::Mistake(format!("Bad option `-{letter}' (argc {position})"));
        };
        let shown = format!("-{letter}");
        let Some(value_name) = known.value else {
            return Item::Option(Found { name: name_of(known), value: None, shown, position });
        };
        let (value, position) = match rest {
            "" => (self.word(self.next), self.next),
            rest => (Some(rest).filter(|_| is_first), position),
        };
        let Some(value) = value else {
            let position = self.next - 1;
            let list = if known.is_list { ",..." } else { "" };
            return Item::Mistake(format!(
                "Option `{shown}' (argc {position}) requires an argument: `{shown} {value_name}{list}'"
            ));
        };
        self.group = "";
        self.next = position + 1;
        Item::Option(Found { name: name_of(known), value: Some(value), shown, position })
    }
}

/// The letter of an option, as text, or its long name.
fn name_of(known: &'static Known) -> &'static str {
    const LETTERS: &str = "46dFfgITimNnptlwqrszeAMOUDPV";
    let at = known.short.and_then(|letter| LETTERS.find(letter));
    at.and_then(|at| LETTERS.get(at..at + 1)).or(known.long).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::super::options::KNOWN;
    use super::*;

    fn walk(line: &str) -> (Vec<String>, Vec<String>) {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut walk = Walk::new(&args, KNOWN);
        let mut found = Vec::new();
        while let Some(item) = walk.next() {
            found.push(match item {
                Item::Option(Found { name, value: None, .. }) => name.to_owned(),
                Item::Option(Found { name, value: Some(value), .. }) => format!("{name}={value}"),
                Item::Mistake(text) => text,
            });
        }
        (found, walk.operands.iter().map(|(position, word)| format!("{position}:{word}")).collect())
    }

    #[test]
    fn values_stand_in_the_same_or_the_next_word() {
        assert_eq!(walk("-nI -m5 host -q 1 40").0, ["n", "I", "m=5", "q=1"]);
        assert_eq!(walk("-nI -m5 host -q 1 40").1, ["3:host", "6:40"]);
        assert_eq!(walk("--max-hops=5 --mtu -UL --ext").0, ["m=5", "mtu", "UL", "e"]);
        assert_eq!(walk("-- -n").1, ["2:-n"]);
    }

    #[test]
    fn mistakes_name_their_word() {
        let cases = [
            ("-x", "Bad option `-x' (argc 1)"),
            ("--foo=1", "Bad option `--foo=1' (with arg `1') (argc 1)"),
            ("-m", "Option `-m' (argc 1) requires an argument: `-m max_ttl'"),
            ("--first 5", "Option `--first' (argc 1) requires an argument: `--first=first_ttl'"),
            ("-g", "Option `-g' (argc 1) requires an argument: `-g gate,...'"),
        ];
        for (line, text) in cases {
            assert_eq!(walk(line).0.first().map(String::as_str), Some(text), "{line}");
        }
        assert_eq!(
            walk("-nm5").0.get(1).map(String::as_str),
            Some("Option `-m' (argc 1) requires an argument: `-m max_ttl'")
        );
    }
}
