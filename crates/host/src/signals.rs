//! The signals that ask a front end to end: a flag each, and a `poll` that they interrupt.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use hairpin_netlink::Errno;
use hairpin_tools::Signal as Request;
use nix::poll::{PollFd, ppoll};
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
static CATCHING: AtomicBool = AtomicBool::new(false);

/// Lets a closed pipe end the process, as in any C program; Rust ignores the signal at start.
pub fn default_pipe() {
    let action = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code of ours.
    let _ = unsafe { sigaction(Signal::SIGPIPE, &action) };
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

/// `ppoll`; fails with `EINTR` as long as a caught signal has not been taken. Returns how many are ready.
pub fn poll(fds: &mut [PollFd<'_>], timeout: Option<TimeSpec>) -> Result<i32, Errno> {
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
