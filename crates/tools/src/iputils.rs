//! What `ping`, `arping` and `tracepath` share, as iputils' common file does: error lines and checked numbers.

use crate::Program;
use crate::c_number::integer;
use hairpin_netlink::Errno;

/// The end of a program, with its exit code; what was to be said has been printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(pub i32);

/// Prints `NAME: TEXT` to standard error, behind what standard output has so far (`error(3)`).
pub(crate) fn complain(program: &mut Program<'_>, text: &str) {
    // A closed stream cannot be reported anywhere.
    let _ = program.shell.out().flush();
    let _ = writeln!(program.shell.err(), "{}: {text}", program.name);
}

/// The end of a run (`close_stdout`): what could not be printed is told, and makes it a failure.
pub(crate) fn close(program: &mut Program<'_>, code: i32) -> i32 {
    match program.shell.out().flush() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let _ = writeln!(program.shell.err(), "{}: write error", program.name);
            1
        }
        _ => code,
    }
}

/// [`complain`], for `return Err(fail(…))`.
pub(crate) fn fail(program: &mut Program<'_>, code: i32, text: &str) -> Exit {
    complain(program, text);
    Exit(code)
}

/// A failed call: `NAME: CALL: REASON`, exit code 2.
pub(crate) fn failed(program: &mut Program<'_>, call: &str, errno: Errno) -> Exit {
    fail(program, 2, &format!("{call}: {errno}"))
}

/// A whole decimal number from `min` to `max`, else exit code 1.
pub(crate) fn signed(program: &mut Program<'_>, text: &str, min: i64, max: i64) -> Result<i64, Exit> {
    let number = integer(text, 10);
    let value = if number.negative { -number.magnitude } else { number.magnitude };
    checked(program, text, number.length, i64::try_from(value).ok(), min, max)
}

/// As [`signed`], for unsigned numbers: a minus sign wraps around.
pub(crate) fn unsigned(program: &mut Program<'_>, text: &str, min: u64, max: u64) -> Result<u64, Exit> {
    let number = integer(text, 10);
    let value = u64::try_from(number.magnitude).ok();
    let value = value.map(|value| if number.negative { value.wrapping_neg() } else { value });
    checked(program, text, number.length, value, min, max)
}

fn checked<T: PartialOrd + std::fmt::Display>(
    program: &mut Program<'_>,
    text: &str,
    length: usize,
    value: Option<T>,
    min: T,
    max: T,
) -> Result<T, Exit> {
    let Some(value) = value else {
        return Err(fail(program, 1, &format!("invalid argument: '{text}': {}", Errno::ERANGE)));
    };
    if length == 0 || length < text.len() {
        return Err(fail(program, 1, &format!("invalid argument: '{text}'")));
    }
    if value < min || value > max {
        let text = format!("invalid argument: '{text}': out of range: {min} <= value <= {max}");
        return Err(fail(program, 1, &text));
    }
    Ok(value)
}
