//! Front ends that go on beside whoever called them.

use crate::Program;

/// Starts this program again in the background with `more` in front of its arguments, and returns once it waits for
/// something: what comes next finds it there.
pub(crate) fn start(program: &mut Program<'_>, more: &[&str]) -> i32 {
    let words: Vec<&str> = more.iter().copied().chain(program.args.iter().map(String::as_str)).collect();
    start_with(program, &words)
}

/// The same with these arguments alone.
pub(crate) fn start_with(program: &mut Program<'_>, words: &[&str]) -> i32 {
    let quoted = |word: &&str| format!("'{}'", word.replace('\'', "'\\''"));
    let words: Vec<String> = words.iter().map(quoted).collect();
    let name = program.name;
    // A program's first call waits for those that were started before it: even a `sleep` of no time.
    let script = format!("{name} {} </dev/null >/dev/null 2>&1 & sleep 0", words.join(" "));
    match program.shell.exec(&["sh".to_owned(), "-c".to_owned(), script]) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(program.shell.err(), "{name}: {error}");
            1
        }
    }
}
