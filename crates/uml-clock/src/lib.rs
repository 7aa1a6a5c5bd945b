//! A clock for User-Mode Linux in which sleeping takes no time and computing hardly any.
//!
//! Preloaded (`LD_PRELOAD`) into the process of a User-Mode Linux, this library stands between it and libc in three
//! functions: what time it is, when its one timer is to go off, and the wait for that. The guest's time has two rates:
//! while the guest *computes* it passes [`BUSY`] times slower than real time, so that what is due at one moment
//! happens at that moment, however busy the machine is; while the guest *waits* for its timer it passes [`IDLE`]
//! times faster, and not beyond the moment that is waited for.
//!
//! While the guest starts, and until it waits for the first time, its time is real: it measures its processor then.
//!
//! The program is one thread, and its signal handlers call these functions too; a clock that was read between two
//! steps of another reading is late by less than the guest can tell.
// The symbols of another program's libc, and a library that is called by it.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::Relaxed};

/// How much slower than real time the guest's passes while it computes.
const BUSY: i64 = 500;
/// How much faster it passes while the guest waits.
const IDLE: i64 = 4000;
/// Real times longer than this (104 days) are cut.
const REAL_MAX: i64 = 9_000_000_000_000_000;

const SECOND: i64 = 1_000_000_000;
const CLOCK_REALTIME: c_int = 0;
const CLOCK_MONOTONIC: c_int = 1;
const SIG_BLOCK: c_int = 0;
const SIG_SETMASK: c_int = 2;
/// `RTLD_NEXT`
const NEXT: *mut c_void = -1isize as *mut c_void;

/// `struct timespec`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Timespec {
    seconds: c_long,
    nanoseconds: c_long,
}

/// `struct itimerspec`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Itimerspec {
    interval: Timespec,
    value: Timespec,
}

/// `sigset_t` of glibc.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Sigset([u64; 16]);

type Timer = *mut c_void;

unsafe extern "C" {
    fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
    fn timer_gettime(timer: Timer, value: *mut Itimerspec) -> c_int;
    fn sigprocmask(how: c_int, set: *const Sigset, old: *mut Sigset) -> c_int;
}

type ClockGettime = unsafe extern "C" fn(c_int, *mut Timespec) -> c_int;
type TimerSettime = unsafe extern "C" fn(Timer, c_int, *const Itimerspec, *mut Itimerspec) -> c_int;
type Sigsuspend = unsafe extern "C" fn(*const Sigset) -> c_int;

/// libc's function of a name, looked up once.
fn libc(slot: &AtomicUsize, name: &CStr) -> usize {
    let known = slot.load(Relaxed);
    if known != 0 {
        return known;
    }
    // SAFETY: a handle that glibc defines, and a string that ends in 0.
    let found = unsafe { dlsym(NEXT, name.as_ptr()) } as usize;
    slot.store(found, Relaxed);
    found
}

fn real_clock_gettime() -> ClockGettime {
    static SLOT: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: what libc has under this name is a function of this type.
    unsafe { std::mem::transmute::<usize, ClockGettime>(libc(&SLOT, c"clock_gettime")) }
}

fn real_timer_settime() -> TimerSettime {
    static SLOT: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: as above.
    unsafe { std::mem::transmute::<usize, TimerSettime>(libc(&SLOT, c"timer_settime")) }
}

fn real_sigsuspend() -> Sigsuspend {
    static SLOT: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: as above.
    unsafe { std::mem::transmute::<usize, Sigsuspend>(libc(&SLOT, c"sigsuspend")) }
}

fn real_time(clock: c_int) -> i64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: the place for the answer is ours.
    unsafe { real_clock_gettime()(clock, &mut time) };
    time.nanoseconds()
}

impl Timespec {
    fn of(nanoseconds: i64) -> Timespec {
        Timespec { seconds: nanoseconds / SECOND, nanoseconds: nanoseconds % SECOND }
    }

    fn nanoseconds(self) -> i64 {
        self.seconds.saturating_mul(SECOND).saturating_add(self.nanoseconds)
    }
}

/// The guest's clock: at real time `real` it shows `shown`, and from there it goes at its rate. Nanoseconds.
struct Clock {
    started: AtomicBool,
    shown: AtomicI64,
    real: AtomicI64,
    /// From the monotonic to the calendar's time.
    calendar: AtomicI64,
    /// How many times slower it goes while the guest computes.
    slower: AtomicI64,
    waits: AtomicBool,
    /// What the timer is set for, on this clock; 0 where it is not, or goes off periodically.
    due: AtomicI64,
    timer: AtomicUsize,
}

static CLOCK: Clock = Clock {
    started: AtomicBool::new(false),
    shown: AtomicI64::new(0),
    real: AtomicI64::new(0),
    calendar: AtomicI64::new(0),
    slower: AtomicI64::new(1),
    waits: AtomicBool::new(false),
    due: AtomicI64::new(0),
    timer: AtomicUsize::new(0),
};

/// How much time the guest sees pass while `real` passes. `until_due` is how far its timer is away, if it waits for one.
fn passed(real: i64, waits: bool, until_due: Option<i64>, slower: i64) -> i64 {
    match (waits, until_due) {
        (true, Some(until_due)) => real.saturating_mul(IDLE).min(until_due.max(0)),
        (true, None) => real,
        (false, _) => real / slower,
    }
}

impl Clock {
    fn start(&self) {
        if !self.started.swap(true, Relaxed) {
            let now = real_time(CLOCK_MONOTONIC);
            self.shown.store(now, Relaxed);
            self.real.store(now, Relaxed);
            self.calendar.store(real_time(CLOCK_REALTIME) - now, Relaxed);
        }
    }

    fn now(&self) -> i64 {
        let (shown, due) = (self.shown.load(Relaxed), self.due.load(Relaxed));
        let real = real_time(CLOCK_MONOTONIC) - self.real.load(Relaxed);
        let until_due = (due != 0).then_some(due - shown);
        shown + passed(real.max(0), self.waits.load(Relaxed), until_due, self.slower.load(Relaxed))
    }

    /// Goes on from here, at another rate.
    fn set(&self, waits: bool) {
        let now = self.now();
        self.shown.store(now, Relaxed);
        self.real.store(real_time(CLOCK_MONOTONIC), Relaxed);
        self.waits.store(waits, Relaxed);
    }

    /// The wait is over, by the timer or by something else: the timer goes at the other rate again.
    fn wake(&self) {
        if self.waits.load(Relaxed) {
            self.set(false);
            self.wind(|left, slower| left.saturating_mul(slower));
        }
    }

    /// Sets the real timer anew, if it is set, by what is left on this clock.
    fn wind(&self, real: impl Fn(i64, i64) -> i64) {
        let (due, timer) = (self.due.load(Relaxed), self.timer.load(Relaxed) as Timer);
        let mut value = Itimerspec { interval: Timespec::of(0), value: Timespec::of(0) };
        // SAFETY: a timer that the program has set before; the place for the answer is ours.
        let set = due != 0 && unsafe { timer_gettime(timer, &mut value) } == 0;
        if set && value.value.nanoseconds() != 0 {
            set_real_timer(timer, real((due - self.now()).max(0), self.slower.load(Relaxed)));
        }
    }
}

fn set_real_timer(timer: Timer, after: i64) -> c_int {
    let value = Itimerspec { interval: Timespec::of(0), value: Timespec::of(after.clamp(1, REAL_MAX)) };
    // SAFETY: the program's timer, and no place for the old value.
    unsafe { real_timer_settime()(timer, 0, &value, std::ptr::null_mut()) }
}

/// # Safety
/// As libc's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int {
    CLOCK.start();
    let calendar = match clock {
        CLOCK_MONOTONIC => 0,
        CLOCK_REALTIME => CLOCK.calendar.load(Relaxed),
        // SAFETY: handed on as it came.
        _ => return unsafe { real_clock_gettime()(clock, time) },
    };
    CLOCK.wake();
    // SAFETY: the caller's place for the answer.
    unsafe { time.write(Timespec::of(CLOCK.now() + calendar)) };
    0
}

/// # Safety
/// As libc's. The old value is not told.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn timer_settime(
    timer: Timer,
    flags: c_int,
    new: *const Itimerspec,
    old: *mut Itimerspec,
) -> c_int {
    CLOCK.start();
    CLOCK.wake();
    CLOCK.timer.store(timer as usize, Relaxed);
    // SAFETY: the caller's value.
    let wanted = unsafe { new.read() };
    let after = wanted.value.nanoseconds();
    if after == 0 || wanted.interval.nanoseconds() != 0 {
        CLOCK.due.store(0, Relaxed);
        // SAFETY: handed on as it came.
        return unsafe { real_timer_settime()(timer, flags, new, old) };
    }
    CLOCK.due.store(CLOCK.now() + after, Relaxed);
    set_real_timer(timer, after.saturating_mul(CLOCK.slower.load(Relaxed)))
}

/// # Safety
/// As libc's.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn sigsuspend(mask: *const Sigset) -> c_int {
    CLOCK.start();
    let (all, mut before) = (Sigset([u64::MAX; 16]), Sigset([0; 16]));
    // SAFETY: both sets are ours. No signal comes between the change of rate and the wait.
    unsafe { sigprocmask(SIG_BLOCK, &all, &mut before) };
    CLOCK.set(true);
    CLOCK.slower.store(BUSY, Relaxed);
    CLOCK.wind(|left, _| left.saturating_add(IDLE - 1) / IDLE);
    // SAFETY: the caller's mask.
    let result = unsafe { real_sigsuspend()(mask) };
    CLOCK.wake();
    // SAFETY: the set is ours.
    unsafe { sigprocmask(SIG_SETMASK, &before, std::ptr::null_mut()) };
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_takes_no_time_and_ends_when_it_is_due() {
        assert_eq!(passed(1_000, true, Some(SECOND), BUSY), 1_000 * IDLE);
        assert_eq!(passed(SECOND, true, Some(SECOND), BUSY), SECOND);
        assert_eq!(passed(SECOND, true, Some(-1), BUSY), 0);
    }

    #[test]
    fn computing_takes_hardly_any() {
        assert_eq!(passed(SECOND, false, Some(1), BUSY), SECOND / BUSY);
        assert_eq!(passed(SECOND, false, None, 1), SECOND);
    }

    #[test]
    fn without_a_timer_time_is_real() {
        assert_eq!(passed(SECOND, true, None, BUSY), SECOND);
    }
}
