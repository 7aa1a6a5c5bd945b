//! The signals that ask a front end to end: a flag each, and a `poll` that they interrupt.
#![allow(unsafe_code)]

use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use hairpin_netlink::Errno;
use hairpin_tools::Signal as Request;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};
use nix::sys::time::TimeSpec;

use crate::linux::from_nix;

const CAUGHT: [(Signal, u8, Request); 3] = [
    (Signal::SIGINT, 1, Request::Interrupt),
    (Signal::SIGTERM, 2, Request::Terminate),
    (Signal::SIGQUIT, 4, Request::Quit),
];

/// One bit a signal that has arrived and was not taken.
static ARRIVED: AtomicU8 = AtomicU8::new(0);
/// Standard input is polled beside what else is.
static WATCHING: AtomicBool = AtomicBool::new(false);
static INPUT: OnceLock<std::io::Stdin> = OnceLock::new();
static CATCHING: AtomicBool = AtomicBool::new(false);

/// Lets a closed pipe end the process, as in any C program; Rust ignores the signal at start.
pub fn default_pipe() {
    let action = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code of ours.
    let _ = unsafe { sigaction(Signal::SIGPIPE, &action) };
}

/// Whether [`poll`] also ends when there is input to read.
pub fn watch_input(on: bool) {
    WATCHING.store(on, Ordering::SeqCst);
}

/// Whether input is watched for, and there.
pub fn watched_input_waits() -> bool {
    WATCHING.load(Ordering::SeqCst) && has_input()
}

/// Whether standard input can be read without waiting: data, its end, or an error.
pub fn has_input() -> bool {
    let input = std::io::stdin();
    let mut fds = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    ppoll(&mut fds, Some(TimeSpec::new(0, 0)), None).is_ok_and(|count| count > 0)
}

/// Whether SIGINT was ignored when the process started, as for `command &` in a shell script.
/// To be called before [`catch`].
pub fn interrupt_is_ignored() -> bool {
    let mut present = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with a null new action the kernel only fills `present`, which all-zero bytes initialise.
    let action = unsafe {
        if libc::sigaction(libc::SIGINT, std::ptr::null(), present.as_mut_ptr()) != 0 {
            return false;
        }
        present.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}

/// Catches the three signals, also where they were ignored before, as ping and tcpdump do.
pub fn catch() {
    let action = SigAction::new(SigHandler::Handler(note), SaFlags::empty(), SigSet::empty());
    for (signal, ..) in CAUGHT {
        // SAFETY: `note` only touches an atomic, which is safe in a signal handler.
        let _ = unsafe { sigaction(signal, &action) };
    }
    CATCHING.store(true, Ordering::SeqCst);
}

/// Takes a signal that has arrived.
pub fn take() -> Option<Request> {
    CAUGHT
        .iter()
        .find(|(_, bit, _)| ARRIVED.fetch_and(!bit, Ordering::SeqCst) & bit != 0)
        .map(|(.., request)| *request)
}

/// `ppoll`; fails with `EINTR` as long as a caught signal has not been taken, or watched input is there and nothing
/// of `fds` is. Returns how many of `fds` are ready.
pub fn poll(fds: &mut [PollFd<'_>], timeout: Option<TimeSpec>) -> Result<i32, Errno> {
    if !WATCHING.load(Ordering::SeqCst) {
        return poll_these(fds, timeout);
    }
    let watched = PollFd::new(INPUT.get_or_init(std::io::stdin).as_fd(), PollFlags::POLLIN);
    let mut all: Vec<PollFd<'_>> = fds.iter().cloned().chain([watched]).collect();
    let count = poll_these(&mut all, timeout)?;
    let has_input = all.pop().is_some_and(|watched| watched.any().unwrap_or(false));
    fds.clone_from_slice(&all);
    match (count, has_input) {
        (1, true) => Err(Errno::EINTR),
        (count, true) => Ok(count - 1),
        (count, false) => Ok(count),
    }
}

fn poll_these(fds: &mut [PollFd<'_>], timeout: Option<TimeSpec>) -> Result<i32, Errno> {
    if !CATCHING.load(Ordering::SeqCst) {
        return loop {
            match ppoll(fds, timeout, None) {
                Err(nix::Error::EINTR) => {}
                other => break other.map_err(from_nix),
            }
        };
    }
    // Blocked between the look at the flag and the wait, or a signal in between would be slept through.
    let blocked: SigSet = CAUGHT.iter().map(|(signal, ..)| *signal).collect();
    let mut before = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&blocked), Some(&mut before)).map_err(from_nix)?;
    let result = if ARRIVED.load(Ordering::SeqCst) != 0 {
        Err(Errno::EINTR)
    } else {
        ppoll(fds, timeout, Some(before)).map_err(from_nix)
    };
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&before), None).map_err(from_nix)?;
    result
}

extern "C" fn note(number: libc::c_int) {
    if let Some((_, bit, _)) = CAUGHT.iter().find(|(signal, ..)| *signal as libc::c_int == number) {
        ARRIVED.fetch_or(*bit, Ordering::SeqCst);
    }
}
