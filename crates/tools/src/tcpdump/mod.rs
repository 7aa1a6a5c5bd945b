//! `tcpdump`

use crate::Program;

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let _ = writeln!(program.shell.err(), "tcpdump: not built yet");
    1
}
