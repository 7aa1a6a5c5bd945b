//! `traceroute`

use crate::Program;

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let _ = writeln!(program.shell.err(), "traceroute: not built yet");
    1
}
