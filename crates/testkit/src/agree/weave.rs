//! All planted faults in one build (mutant schemata): every function that a fault changes has a copy of itself for each
//! fault, and begins with the question which of them is chosen. Only a copy of the sources is changed so; what is built
//! from it asks the environment once.

use super::flips::{Flip, Insertion};
use super::mutants::Mutant;

/// The variable that chooses a fault of a woven build, by its number.
pub const CHOICE_VARIABLE: &str = "HAIRPIN_PLANTED_FAULT";
/// The variable that makes a woven build say which faults it comes to.
pub const REACH_VARIABLE: &str = "HAIRPIN_PLANTED_REACH";
/// How it says so on its standard error, before the number.
pub const REACHED: &str = "@@reached ";

/// What a crate with woven functions has at the end of its `lib.rs`.
pub fn chooser() -> String {
    format!(
        r#"
#[doc(hidden)]
pub(crate) mod planted {{
    use std::sync::atomic::{{AtomicBool, Ordering}};
    static SEEN: [AtomicBool; 8192] = [const {{ AtomicBool::new(false) }}; 8192];
    pub(crate) fn is(number: usize) -> bool {{
        static CHOSEN: std::sync::OnceLock<(Option<usize>, bool)> = std::sync::OnceLock::new();
        let (chosen, tells) = *CHOSEN.get_or_init(|| {{
            let chosen = std::env::var("{CHOICE_VARIABLE}").ok().and_then(|number| number.parse().ok());
            (chosen, std::env::var_os("{REACH_VARIABLE}").is_some())
        }});
        if tells && SEEN.get(number).is_some_and(|seen| !seen.swap(true, Ordering::Relaxed)) {{
            eprintln!("{REACHED}{{number}}");
        }}
        chosen == Some(number)
    }}
}}
"#
    )
}

/// A function of a file as rustfmt writes it: lines from its head to the brace that closes it.
struct Function<'a> {
    name: &'a str,
    start: usize,
    /// Behind the opening brace's line.
    body: usize,
    /// Behind the closing brace's line.
    end: usize,
    /// How a copy of another name is called from within.
    path: &'static str,
    arguments: Vec<&'a str>,
}

/// The code of a file with every fault of it, listed ones and flips, each with the number that chooses it.
///
/// # Errors
/// The list is stale, or a fault is not within one function; the text is for the user.
pub fn weave(code: &str, faults: &[(usize, &Mutant)], flips: &[(usize, &Flip)]) -> Result<String, String> {
    let mut functions: Vec<(Function, String, String)> = Vec::new();
    for (number, mutant) in faults {
        // That it is there once.
        mutant.plant(code)?;
        let at = code.find(&mutant.text).unwrap_or_default();
        let function = enclosing(code, at, at + mutant.text.len()).ok_or_else(|| {
            format!("'{}' is not within one function of {}:\n{}", mutant.name, mutant.file, mutant.text)
        })?;
        let name = format!("{}__planted_{number}", function.name);
        let text = code.get(function.start..function.end).unwrap_or_default();
        let copy = mutant.plant(text)?.replacen(&format!("fn {}", function.name), &format!("fn {name}"), 1);
        let question = format!(
            "if crate::planted::is({number}) {{ return {}{name}({}); }}\n",
            function.path,
            function.arguments.join(", ")
        );
        match functions.iter_mut().find(|(known, ..)| known.start == function.start) {
            Some((_, questions, copies)) => {
                questions.push_str(&question);
                copies.push_str(&copy);
            }
            None => functions.push((function, question, copy)),
        }
    }
    let mut insertions: Vec<Insertion> =
        flips.iter().flat_map(|(number, flip)| flip.insertions(*number)).collect();
    for (function, questions, copies) in functions {
        for (at, text) in [(function.body, questions), (function.end, copies)] {
            insertions.push(Insertion { at, text, begins: true, length: 0 });
        }
    }
    // At one place what ends comes before what begins; what is longer is around what is shorter; of two that are alike
    // the first is around the other.
    let mut ordered: Vec<(usize, bool, i64, i64, String)> = Vec::new();
    for (number, Insertion { at, text, begins, length }) in insertions.into_iter().enumerate() {
        let (length, number) = (length as i64, number as i64);
        ordered.push(match begins {
            true => (at, true, -length, number, text),
            false => (at, false, length, -number, text),
        });
    }
    ordered.sort();
    let (mut woven, mut done) = (String::new(), 0);
    for (at, _, _, _, text) in ordered {
        woven.push_str(code.get(done..at).unwrap_or_default());
        woven.push_str(&text);
        done = at;
    }
    woven.push_str(code.get(done..).unwrap_or_default());
    Ok(woven)
}

/// The function that holds a piece of the code.
fn enclosing(code: &str, from: usize, to: usize) -> Option<Function<'_>> {
    let mut at = 0;
    let mut found: Option<Function> = None;
    for line in code.split_inclusive('\n') {
        let (start, next) = (at, at + line.len());
        at = next;
        let text = line.trim_end();
        let indent = text.len() - text.trim_start().len();
        if let Some(name) = name_of(text)
            && start <= from
        {
            found = head(code, name, start, indent);
        }
        let closes =
            |function: &Function| text.trim_start() == "}" && indent == indent_at(code, function.start);
        if let Some(function) = found.take_if(|function| closes(function))
            && function.body <= from
            && start >= to
        {
            return Some(Function { end: next, ..function });
        }
    }
    None
}

fn indent_at(code: &str, start: usize) -> usize {
    let line = code.get(start..).unwrap_or_default();
    line.len() - line.trim_start_matches(' ').len()
}

/// The name that a line declares a function of.
fn name_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = match line.strip_prefix("pub") {
        Some(rest) => rest.split_once(' ').map(|(_, rest)| rest)?,
        None => line,
    };
    let rest = line.strip_prefix("fn ")?;
    let end = rest.find(['(', '<'])?;
    rest.get(..end)
}

/// The head of a function: its parameters, and where its body begins.
fn head<'a>(code: &'a str, name: &'a str, start: usize, indent: usize) -> Option<Function<'a>> {
    let rest = code.get(start..)?;
    let mut length = 0;
    for line in rest.split_inclusive('\n') {
        length += line.len();
        if line.trim_end().ends_with('{') {
            break;
        }
    }
    let text = rest.get(..length)?;
    // The first parenthesis that is not within the generic parameters.
    let (mut depth, mut open, mut begins, mut parameters) = (0i32, false, 0, Vec::new());
    let mut before = ' ';
    let named = text.find(&format!("fn {name}"))?;
    for (at, letter) in text.char_indices().skip_while(|(at, _)| *at < named) {
        match letter {
            '(' if depth == 0 && !open => {
                open = true;
                begins = at + 1;
            }
            ')' if depth == 0 && open => {
                parameters.push(text.get(begins..at)?);
                break;
            }
            ',' if depth == 0 && open => {
                parameters.push(text.get(begins..at)?);
                begins = at + 1;
            }
            '(' | '[' | '{' | '<' => depth += 1,
            '>' if before == '-' => {}
            ')' | ']' | '}' | '>' => depth -= 1,
            _ => {}
        }
        before = letter;
    }
    let names = parameters.iter().map(|parameter| parameter.split(':').next().unwrap_or_default().trim());
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    let method = names.first().is_some_and(|name| name.ends_with("self"));
    let path = match (method, indent) {
        (true, _) => "self.",
        (false, 0) => "",
        (false, _) => "Self::",
    };
    let arguments = names.into_iter().skip(usize::from(method));
    let arguments = arguments.map(|name| name.strip_prefix("mut ").unwrap_or(name)).collect();
    Some(Function { name, start, body: start + length, end: start + length, path, arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(name: &str, text: &str, replacement: &str) -> Mutant {
        Mutant {
            name: name.to_owned(),
            list: "list".to_owned(),
            rule: "a rule".to_owned(),
            cases: "links".to_owned(),
            file: "file.rs".to_owned(),
            text: text.to_owned(),
            replacement: replacement.to_owned(),
        }
    }

    const CODE: &str = "impl Port {
    /// Documented.
    pub(crate) fn is_up<F: Fn(u8) -> bool>(&mut self, mut by: &[(u8, u8)], f: F) -> bool {
        if by.is_empty() {
            return true;
        }
        self.up && f(1)
    }
}

fn free(
    x: u8,
) -> u8 {
    x + 1
}
const LIMIT: u8 = 6;
";

    #[test]
    fn a_function_asks_which_of_its_copies_is_chosen() {
        let (one, two) =
            (mutant("one", "self.up && f(1)", "self.up"), mutant("two", "return true", "return false"));
        let three = mutant("three", "x + 1", "x");
        let woven = weave(CODE, &[(1, &one), (2, &two), (3, &three)], &[]).expect("it fits");
        assert_eq!(
            woven,
            "impl Port {
    /// Documented.
    pub(crate) fn is_up<F: Fn(u8) -> bool>(&mut self, mut by: &[(u8, u8)], f: F) -> bool {
if crate::planted::is(1) { return self.is_up__planted_1(by, f); }
if crate::planted::is(2) { return self.is_up__planted_2(by, f); }
        if by.is_empty() {
            return true;
        }
        self.up && f(1)
    }
    pub(crate) fn is_up__planted_1<F: Fn(u8) -> bool>(&mut self, mut by: &[(u8, u8)], f: F) -> bool {
        if by.is_empty() {
            return true;
        }
        self.up
    }
    pub(crate) fn is_up__planted_2<F: Fn(u8) -> bool>(&mut self, mut by: &[(u8, u8)], f: F) -> bool {
        if by.is_empty() {
            return false;
        }
        self.up && f(1)
    }
}

fn free(
    x: u8,
) -> u8 {
if crate::planted::is(3) { return free__planted_3(x); }
    x + 1
}
fn free__planted_3(
    x: u8,
) -> u8 {
    x
}
const LIMIT: u8 = 6;
"
        );
    }

    #[test]
    fn what_is_in_no_function_cannot_be_woven() {
        let limit = mutant("limit", "LIMIT: u8 = 6", "LIMIT: u8 = 7");
        assert!(weave(CODE, &[(1, &limit)], &[]).is_err_and(|text| text.contains("not within one function")));
        let stale = mutant("stale", "never there", "");
        assert!(weave(CODE, &[(1, &stale)], &[]).is_err_and(|text| text.contains("stale")));
    }
}
