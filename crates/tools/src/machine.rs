//! The machine's own programs, beside the front ends of their names.

use crate::Program;

/// What a shell says of a command that is not there.
const NOT_FOUND: i32 = 127;

/// Becomes the machine's own program called `name`, with this one's arguments.
pub(crate) fn become_own(program: &mut Program<'_>, name: &str) -> i32 {
    let path = program.shell.variable("PATH").unwrap_or_default();
    let place = path.split(':').find(|place| {
        program.shell.open(&format!("{place}/hairpin")).is_err()
            && program.shell.open(&format!("{place}/{name}")).is_ok()
    });
    let Some(place) = place else {
        let _ = writeln!(program.shell.err(), "{name}: command not found");
        return NOT_FOUND;
    };
    let argv: Vec<String> =
        std::iter::once(format!("{place}/{name}")).chain(program.args.iter().cloned()).collect();
    match program.shell.exec(&argv) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(program.shell.err(), "{name}: {error}");
            NOT_FOUND
        }
    }
}
