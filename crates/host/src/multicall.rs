//! The front ends by the name they are called by.

use hairpin_netlink::System;
use hairpin_tools::Program;

use crate::linux::LinuxSystem;
use crate::shell::{Elsewhere, Nowhere, ProcessShell};
use crate::signals;

/// Programs that end in good order when they are interrupted; any other dies of the signal.
const CATCH_SIGNALS: &[&str] = &["arping", "ping", "tcpdump"];

/// Runs the front end `name` against the real kernel; `None` where there is no such front end.
pub fn run_on_linux(name: &str, args: &[String]) -> Option<i32> {
    run(name, args, &mut LinuxSystem::new(), Box::new(Nowhere))
}

pub(crate) fn run(
    name: &str,
    args: &[String],
    system: &mut dyn System,
    elsewhere: Box<dyn Elsewhere>,
) -> Option<i32> {
    let main = hairpin_tools::find(name)?;
    signals::default_pipe();
    if CATCH_SIGNALS.contains(&name) {
        signals::catch();
    }
    let mut shell = ProcessShell::new(elsewhere);
    let code = main(&mut Program { name, args, system, shell: &mut shell });
    shell.finish();
    Some(code)
}
