//! The commands that are not front ends: as much of each as scripts use, and an error for the rest.

use std::io::Write;

use hairpin_netlink::System as _;
use regex_lite::{Regex, RegexBuilder};

use super::run::Interpreter;
use super::streams::{Sink, Streams, Surroundings, Task};

/// What a builtin runs with.
pub(super) struct Builtin<'a> {
    pub args: &'a [String],
    pub task: &'a Task,
    pub surroundings: &'a Surroundings,
    pub streams: Streams,
    pub out: &'a mut Sink,
    pub err: Sink,
}

type Main = fn(&mut Builtin<'_>) -> i32;

const PROGRAMS: &[(&str, Main)] = &[
    (":", |_| 0),
    ("[", test),
    ("bash", sh),
    ("cat", cat),
    ("echo", echo),
    ("false", |_| 1),
    ("grep", grep),
    ("head", head),
    ("inject", super::inject::main),
    ("ls", ls),
    ("mktemp", mktemp),
    ("printf", printf),
    ("rm", rm),
    ("sed", super::sed::main),
    ("sh", sh),
    ("sort", sort),
    ("tail", tail),
    ("test", test),
    ("true", |_| 0),
    ("wc", wc),
];

/// The program of that name.
pub(super) fn program(name: &str) -> Option<Main> {
    PROGRAMS.iter().find(|(known, _)| *known == name).map(|(_, main)| *main)
}

impl Builtin<'_> {
    /// A form of the command that is not there.
    pub fn unknown(&mut self, word: &str, of: &str) -> i32 {
        self.surroundings.note_unknown(word, &format!("{of}: not in the runner's {of}"));
        2
    }

    pub fn complain(&mut self, text: &str) -> i32 {
        let _ = writeln!(self.err, "{text}");
        1
    }

    /// The lines of the files, or of the input where there is none.
    pub fn lines(&mut self, name: &str, files: &[String]) -> (Vec<String>, i32) {
        let (mut bytes, mut code) = (Vec::new(), 0);
        for file in files {
            match read(self, file) {
                Ok(mut found) => bytes.append(&mut found),
                Err(text) => code = self.complain(&format!("{name}: {file}: {text}")),
            }
        }
        if files.is_empty() {
            bytes = std::mem::take(&mut self.streams.input);
        }
        (String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect(), code)
    }

    pub fn print(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            let _ = writeln!(self.out, "{line}");
        }
    }
}

/// Whether a path is the kernel's.
pub(super) fn is_of_the_kernel(path: &str) -> bool {
    path.starts_with("/proc/") || path.starts_with("/sys/")
}

fn read(builtin: &Builtin<'_>, path: &str) -> Result<Vec<u8>, String> {
    let path = builtin.surroundings.path(path);
    if is_of_the_kernel(&path) {
        return builtin.task.clone().read_file(&path).map_err(|errno| errno.text());
    }
    builtin.surroundings.files.read(&path).ok_or_else(|| "No such file or directory".to_owned())
}

fn echo(builtin: &mut Builtin<'_>) -> i32 {
    let (end, words) = match builtin.args {
        [first, rest @ ..] if first == "-n" => ("", rest),
        words => ("\n", words),
    };
    if let Some(option) =
        words.first().filter(|word| word.starts_with('-') && word.len() == 2 && *word != "-n")
    {
        let option = option.clone();
        if matches!(option.as_str(), "-e" | "-E") {
            return builtin.unknown(&option, "echo");
        }
    }
    let _ = write!(builtin.out, "{}{end}", words.join(" "));
    0
}

/// `printf '…\n…%s…' WORD…`
fn printf(builtin: &mut Builtin<'_>) -> i32 {
    let Some((format, words)) = builtin.args.split_first() else { return 2 };
    let format = format.replace("\\n", "\n").replace("\\t", "\t");
    let pieces: Vec<&str> = format.split("%s").collect();
    if pieces.iter().any(|piece| piece.contains(['%', '\\'])) {
        return builtin.unknown(&format, "printf");
    }
    let mut words = words.iter();
    loop {
        let mut text = String::new();
        for (at, piece) in pieces.iter().enumerate() {
            if at > 0 {
                text.push_str(words.next().map_or("", String::as_str));
            }
            text.push_str(piece);
        }
        let _ = builtin.out.write_all(text.as_bytes());
        if words.len() == 0 || pieces.len() == 1 {
            return 0;
        }
    }
}

fn cat(builtin: &mut Builtin<'_>) -> i32 {
    let mut code = 0;
    if builtin.args.is_empty() {
        let input = std::mem::take(&mut builtin.streams.input);
        let _ = builtin.out.write_all(&input);
    }
    for path in builtin.args {
        match read(builtin, path) {
            Ok(bytes) => drop(builtin.out.write_all(&bytes)),
            Err(text) => code = builtin.complain(&format!("cat: {path}: {text}")),
        }
    }
    code
}

fn ls(builtin: &mut Builtin<'_>) -> i32 {
    let [path] = builtin.args else { return builtin.unknown(&builtin.args.join(" "), "ls") };
    match builtin.task.clone().list_directory(path) {
        Ok(names) => {
            builtin.print(names);
            0
        }
        Err(errno) => builtin.complain(&format!("ls: cannot access '{path}': {}", errno.text())),
    }
}

fn rm(builtin: &mut Builtin<'_>) -> i32 {
    let (options, paths): (Vec<&String>, Vec<&String>) =
        builtin.args.iter().partition(|word| word.starts_with('-'));
    let forced = options.iter().any(|option| option.contains(['f', 'r']));
    let mut code = 0;
    for path in paths {
        if !builtin.surroundings.files.remove(path) && !forced {
            code = builtin.complain(&format!("rm: cannot remove '{path}': No such file or directory"));
        }
    }
    code
}

/// A name of its own for files.
fn mktemp(builtin: &mut Builtin<'_>) -> i32 {
    let name = format!("tmp.{}", builtin.surroundings.process_id());
    if builtin.args.first().is_none_or(|word| word != "-d") {
        drop(builtin.surroundings.files.open(&name, false));
    }
    builtin.print([name]);
    0
}

fn sh(builtin: &mut Builtin<'_>) -> i32 {
    let [option, text, rest @ ..] = builtin.args else {
        return builtin.unknown(&builtin.args.join(" "), "sh");
    };
    if option != "-c" {
        return builtin.unknown(option, "sh");
    }
    let streams = Streams {
        input: std::mem::take(&mut builtin.streams.input),
        out: builtin.out.clone(),
        err: builtin.err.clone(),
    };
    let mut inner = Interpreter::inside(builtin.task.clone(), builtin.surroundings.clone(), streams, rest);
    inner.run_text(text)
}

fn test(builtin: &mut Builtin<'_>) -> i32 {
    let words: Vec<&str> = builtin.args.iter().map(String::as_str).collect();
    let words = words.strip_suffix(&["]"]).unwrap_or(&words);
    let number = |text: &str| text.parse::<i64>().ok();
    let holds = match words {
        [one, "=", two] => one == two,
        [one, "!=", two] => one != two,
        [one, "-eq", two] => number(one) == number(two),
        [one, "-ne", two] => number(one) != number(two),
        ["-n", one] => !one.is_empty(),
        ["-z", one] => one.is_empty(),
        _ => return builtin.unknown(&words.join(" "), "["),
    };
    i32::from(!holds)
}

/// `-5` or `-n 5`, and the files behind it.
fn count(args: &[String]) -> Option<(usize, &[String])> {
    match args {
        [option, number, files @ ..] if option == "-n" => Some((number.parse().ok()?, files)),
        [option, files @ ..] if option.starts_with('-') => Some((option.get(1..)?.parse().ok()?, files)),
        files => Some((10, files)),
    }
}

fn head(builtin: &mut Builtin<'_>) -> i32 {
    let args = builtin.args;
    let Some((number, files)) = count(args) else { return builtin.unknown(&args.join(" "), "head") };
    let (lines, code) = builtin.lines("head", files);
    builtin.print(lines.into_iter().take(number));
    code
}

fn tail(builtin: &mut Builtin<'_>) -> i32 {
    let args = builtin.args;
    let Some((number, files)) = count(args) else { return builtin.unknown(&args.join(" "), "tail") };
    let (lines, code) = builtin.lines("tail", files);
    let skipped = lines.len().saturating_sub(number);
    builtin.print(lines.into_iter().skip(skipped));
    code
}

fn sort(builtin: &mut Builtin<'_>) -> i32 {
    let args = builtin.args;
    let (unique, files) = match args {
        [option, files @ ..] if option == "-u" => (true, files),
        [option, ..] if option.starts_with('-') => return builtin.unknown(option, "sort"),
        files => (false, files),
    };
    let (mut lines, code) = builtin.lines("sort", files);
    lines.sort();
    if unique {
        lines.dedup();
    }
    builtin.print(lines);
    code
}

fn wc(builtin: &mut Builtin<'_>) -> i32 {
    match builtin.args {
        [option] if option == "-l" => {
            let (lines, _) = builtin.lines("wc", &[]);
            builtin.print([lines.len().to_string()]);
            0
        }
        _ => builtin.unknown(&builtin.args.join(" "), "wc"),
    }
}

fn grep(builtin: &mut Builtin<'_>) -> i32 {
    let mut options = String::new();
    let mut words = builtin.args.iter();
    let mut pattern = None;
    for word in words.by_ref() {
        match word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            Some("e") => {}
            Some(letters) => options.push_str(letters),
            None => {
                pattern = Some(word);
                break;
            }
        }
    }
    let has = |letter: char| options.contains(letter);
    if let Some(letter) = options.chars().find(|letter| !"EFHacioqv".contains(*letter)) {
        return builtin.unknown(&format!("-{letter}"), "grep");
    }
    let Some(pattern) = pattern else { return builtin.unknown("grep", "grep") };
    let text = if has('F') {
        regex_lite::escape(pattern)
    } else if !has('E') && pattern.contains(['\\', '+', '?', '|', '(', ')', '{', '}']) {
        // Letters that mean another thing in a basic regular expression.
        return builtin.unknown(pattern, "grep");
    } else {
        pattern.clone()
    };
    let Ok(regex) = RegexBuilder::new(&text).case_insensitive(has('i')).build() else {
        return builtin.unknown(pattern, "grep");
    };
    let files: Vec<String> = words.cloned().collect();
    if has('H') {
        return grep_with_names(builtin, &regex, &files);
    }
    let (lines, _) = builtin.lines("grep", &files);
    let found: Vec<String> = lines.into_iter().filter(|line| regex.is_match(line) != has('v')).collect();
    let code = i32::from(found.is_empty());
    if has('c') {
        builtin.print([found.len().to_string()]);
    } else if has('o') {
        builtin.print(matches_of(&regex, &found));
    } else if !has('q') {
        builtin.print(found);
    }
    code
}

/// `grep -H`
fn grep_with_names(builtin: &mut Builtin<'_>, regex: &Regex, files: &[String]) -> i32 {
    let mut code = 1;
    for file in files {
        let (lines, failed) = builtin.lines("grep", std::slice::from_ref(file));
        for line in lines.iter().filter(|line| regex.is_match(line)) {
            builtin.print([format!("{file}:{line}")]);
            code = code.min(0);
        }
        if failed != 0 {
            code = 2;
        }
    }
    code
}

fn matches_of(regex: &Regex, lines: &[String]) -> Vec<String> {
    lines.iter().flat_map(|line| regex.find_iter(line).map(|found| found.as_str().to_owned())).collect()
}
