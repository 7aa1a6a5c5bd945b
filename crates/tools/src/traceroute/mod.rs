//! `traceroute`, as Dmitry Butskoy's version 2.1.2 runs.
//!
//! * `command_line` the grammar of its options, with its error texts
//! * `options` what they mean
//! * `probe` one probe, and how its answer is read
//! * `method` UDP and ICMP: sending and matching
//! * `tracer` which probe is sent, given up or printed when

mod command_line;
mod method;
mod options;
mod probe;
#[cfg(test)]
mod tests;
mod tracer;

use hairpin_netlink::Errno;

use crate::Program;
use tracer::Tracer;

/// The end of the program, with its exit code; what was to be said has been printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Exit(i32);

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let code = run(program).map_or_else(|Exit(code)| code, |()| 0);
    // Nobody is left to tell of a closed stream.
    let _ = program.shell.out().flush();
    code
}

fn run(program: &mut Program<'_>) -> Result<(), Exit> {
    let args = program.args;
    let options = options::read(program, args)?;
    Tracer::new(program, options)?.run(program)
}

/// Says what is wrong with the command line; exit code 2.
fn refuse(program: &mut Program<'_>, text: &str) -> Exit {
    let _ = program.shell.out().flush();
    let _ = writeln!(program.shell.err(), "{text}");
    Exit(2)
}

/// A failed call, behind an empty line that ends the one of the header; exit code 1.
fn failed(program: &mut Program<'_>, call: &str, errno: Errno) -> Exit {
    let _ = program.shell.out().flush();
    let _ = writeln!(program.shell.err(), "\n{call}: {errno}");
    Exit(1)
}
