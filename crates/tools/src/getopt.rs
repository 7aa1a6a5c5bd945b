//! Command lines in the manner of GNU `getopt_long`: clustered short options, abbreviated long ones, options
//! behind operands, `--`, and glibc's error texts.

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    None,
    Required,
    /// Only in the same word: `-pFILE`, `--load=FILE`.
    Optional,
}

/// A long option: its name, whether it takes a value, and the letter it stands for.
pub(crate) type Long = (&'static str, Value, char);

/// One step of the walk over a command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    Option(char, Option<&'a str>),
    /// What `getopt` prints to standard error before it returns `?`.
    Error(String),
}

/// Walks a command line option by option.
pub(crate) struct Getopt<'a> {
    program: &'a str,
    args: &'a [String],
    /// `getopt`'s short option string; a leading `+` stops at the first operand.
    short: &'static str,
    long: &'static [Long],
    next: usize,
    /// Byte offset of the next letter inside the present cluster.
    cluster: Option<usize>,
    operands: Vec<&'a str>,
}

impl<'a> Getopt<'a> {
    pub(crate) fn new(
        program: &'a str,
        args: &'a [String],
        short: &'static str,
        long: &'static [Long],
    ) -> Self {
        Getopt { program, args, short, long, next: 0, cluster: None, operands: Vec::new() }
    }

    /// The next option, or nothing when only operands are left.
    pub(crate) fn next(&mut self) -> Option<Item<'a>> {
        loop {
            let word = self.args.get(self.next)?.as_str();
            if let Some(at) = self.cluster {
                return Some(self.letter(word, at));
            }
            if word == "--" {
                self.next += 1;
                self.take_rest();
                return None;
            }
            if let Some(long) = word.strip_prefix("--") {
                self.next += 1;
                return Some(self.long_option(long));
            }
            if word.len() > 1 && word.starts_with('-') {
                self.cluster = Some(1);
                continue;
            }
            if self.short.starts_with('+') {
                self.take_rest();
                return None;
            }
            self.operands.push(word);
            self.next += 1;
        }
    }

    /// What is no option; complete once [`Getopt::next`] has returned nothing.
    pub(crate) fn operands(self) -> Vec<&'a str> {
        self.operands
    }

    fn take_rest(&mut self) {
        self.operands.extend(self.args.iter().skip(self.next).map(String::as_str));
        self.next = self.args.len();
    }

    fn letter(&mut self, word: &'a str, at: usize) -> Item<'a> {
        let rest = word.get(at..).unwrap_or("");
        let Some(letter) = rest.chars().next() else {
            self.end_of_word();
            return Item::Error(format!("{}: invalid option -- ''", self.program));
        };
        let behind = at + letter.len_utf8();
        let inline = word.get(behind..).filter(|value| !value.is_empty());
        self.cluster = Some(behind);
        if inline.is_none() {
            self.end_of_word();
        }
        let Some(value) = short_value(self.short, letter) else {
            return Item::Error(format!("{}: invalid option -- '{letter}'", self.program));
        };
        let found = match (value, inline) {
            (Value::None, _) => return Item::Option(letter, None),
            (_, Some(inline)) => {
                self.end_of_word();
                return Item::Option(letter, Some(inline));
            }
            (Value::Optional, None) => return Item::Option(letter, None),
            (Value::Required, None) => self.take_value(),
        };
        match found {
            Some(found) => Item::Option(letter, Some(found)),
            None => Item::Error(format!("{}: option requires an argument -- '{letter}'", self.program)),
        }
    }

    fn end_of_word(&mut self) {
        if self.cluster.take().is_some() {
            self.next += 1;
        }
    }

    fn take_value(&mut self) -> Option<&'a str> {
        let value = self.args.get(self.next).map(String::as_str);
        self.next += usize::from(value.is_some());
        value
    }

    fn long_option(&mut self, word: &'a str) -> Item<'a> {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let matching: Vec<&Long> = self.long.iter().filter(|long| long.0.starts_with(name)).collect();
        let exact = matching.iter().find(|long| long.0 == name);
        let same = matching.windows(2).all(|pair| matches!(pair, [a, b] if a.1 == b.1 && a.2 == b.2));
        let found = match (exact, matching.first()) {
            (Some(exact), _) => exact,
            (None, Some(first)) if same => first,
            (None, Some(_)) => {
                let all: String = matching.iter().map(|long| format!(" '--{}'", long.0)).collect();
                return Item::Error(format!(
                    "{}: option '--{word}' is ambiguous; possibilities:{all}",
                    self.program
                ));
            }
            (None, None) => {
                return Item::Error(format!("{}: unrecognized option '--{name}'", self.program));
            }
        };
        let (name, value, letter) = **found;
        match (value, inline) {
            (Value::None, Some(_)) => {
                Item::Error(format!("{}: option '--{name}' doesn't allow an argument", self.program))
            }
            (Value::Required, None) => match self.take_value() {
                Some(value) => Item::Option(letter, Some(value)),
                None => Item::Error(format!("{}: option '--{name}' requires an argument", self.program)),
            },
            (_, inline) => Item::Option(letter, inline),
        }
    }
}

/// What `getopt`'s option string says of a letter.
fn short_value(short: &str, letter: char) -> Option<Value> {
    let at = short.find(letter).filter(|_| letter != ':' && letter != '+')?;
    let behind = short.get(at + letter.len_utf8()..).unwrap_or("");
    Some(match (behind.starts_with("::"), behind.starts_with(':')) {
        (true, _) => Value::Optional,
        (false, true) => Value::Required,
        (false, false) => Value::None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &[Long] = &[
        ("verbose", Value::None, 'v'),
        ("version", Value::None, 'V'),
        ("device", Value::Required, 'i'),
        ("load", Value::Optional, 'p'),
    ];

    /// Every option as `LETTER`, `LETTER=VALUE` or the error text, then `|` and the operands.
    fn walk(short: &'static str, line: &str) -> String {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut getopt = Getopt::new("arp", &args, short, LONG);
        let mut out = Vec::new();
        while let Some(item) = getopt.next() {
            out.push(match item {
                Item::Option(letter, None) => letter.to_string(),
                Item::Option(letter, Some(value)) => format!("{letter}={value}"),
                Item::Error(text) => text,
            });
        }
        format!("{} | {}", out.join(" "), getopt.operands().join(" "))
    }

    #[test]
    fn clusters_values_and_operands() {
        assert_eq!(walk("nai:p::", "-na host -i eth0 -ieth1 -p -pf"), "n a i=eth0 i=eth1 p p=f | host");
        assert_eq!(walk("n", "-n -- -x"), "n | -x");
        assert_eq!(walk("+n", "-n cmd -n"), "n | cmd -n");
        assert_eq!(walk("n", "-"), " | -");
    }

    #[test]
    fn long_options_may_be_shortened() {
        assert_eq!(walk("", "--dev eth0 --device=eth1 --verb --load=x --load"), "i=eth0 i=eth1 v p=x p | ");
    }

    #[test]
    fn errors_read_like_glibcs() {
        assert_eq!(walk("n", "-nx"), "n arp: invalid option -- 'x' | ");
        assert_eq!(walk("i:", "-i"), "arp: option requires an argument -- 'i' | ");
        assert_eq!(walk("", "--nope=1"), "arp: unrecognized option '--nope' | ");
        assert_eq!(walk("", "--device"), "arp: option '--device' requires an argument | ");
        assert_eq!(walk("", "--verbose=1"), "arp: option '--verbose' doesn't allow an argument | ");
        assert_eq!(
            walk("", "--ver"),
            "arp: option '--ver' is ambiguous; possibilities: '--verbose' '--version' | "
        );
    }
}
