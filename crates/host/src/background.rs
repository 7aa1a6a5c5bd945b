//! Programs in the background: each is the first process of a group of its own.

use std::io;
use std::time::{Duration, Instant};

use hairpin_tools::Background;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// A group has so long to end.
const END_MAX: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A process that has just been started.
///
/// # Errors
/// `ESRCH`: it is gone already.
pub(crate) fn of(process: u32) -> io::Result<Background> {
    let gone = || io::Error::from_raw_os_error(libc::ESRCH);
    let (_, started) = state(process).ok_or_else(gone)?;
    Ok(Background { process, started })
}

/// Ends the group of a process; whether it has ended.
pub(crate) fn end(background: Background, by_force: bool) -> bool {
    let Ok(group) = i32::try_from(background.process) else { return true };
    if group <= 1 || is_gone(background) {
        return true;
    }
    let signal = if by_force { Signal::SIGKILL } else { Signal::SIGTERM };
    let _ = killpg(Pid::from_raw(group), signal);
    let end = Instant::now() + END_MAX;
    while !is_gone(background) {
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    true
}

fn is_gone(background: Background) -> bool {
    match state(background.process) {
        Some((state, started)) => state == 'Z' || started != background.started,
        None => true,
    }
}

/// State and start of a process (proc_pid_stat(5), fields 3 and 22).
fn state(process: u32) -> Option<(char, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn only_the_process_that_was_started_is_ended() {
        let mut child = Command::new("sleep").arg("60").process_group(0).spawn().expect("sleep");
        let started = of(child.id()).expect("it runs");
        let other = Background { started: started.started + 1, ..started };
        assert!(end(other, true));
        assert_eq!(child.try_wait().expect("a child"), None);
        assert!(end(started, false));
        assert!(!child.wait().expect("its end").success());
        assert!(of(child.id()).is_err());
    }
}
