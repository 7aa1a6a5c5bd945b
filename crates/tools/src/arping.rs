//! `arping`

use crate::Program;

pub(crate) fn main(program: &mut Program<'_>) -> i32 {
    let _ = writeln!(program.shell.err(), "arping: not built yet");
    1
}
