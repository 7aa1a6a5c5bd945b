//! A script and what its header says about it.

use regex_lite::Regex;

/// A script to run on both sides.
pub struct Script {
    pub name: String,
    pub text: String,
    /// It needs devices that the running kernel may lack.
    pub needs_uml: bool,
    /// Lines left out of the comparison, each for a reason given in the header.
    pub known: Vec<Regex>,
}

impl Script {
    pub fn new(name: &str, text: &str) -> Script {
        let header = |key: &'static str| text.lines().filter_map(move |line| line.strip_prefix(key));
        let known: Vec<Regex> =
            header("# lines: ").map(|line| Regex::new(line).expect("a regular expression")).collect();
        assert_eq!(known.len(), header("# differs: ").count(), "{name}: a reason for each exception");
        let needs_uml = header("# needs: ").any(|needs| needs == "uml");
        Script { name: name.to_owned(), text: text.to_owned(), needs_uml, known }
    }

    /// The script as both sides run it: every command is printed before its output, failures with their code.
    pub fn instrumented(&self) -> String {
        format!("{}{}", include_str!("preamble.sh"), self.text)
    }
}
