//! The oracle: the same script on a real Linux kernel and in the emulation, compared line by line.
//!
//! * [`script`] a script, and [`normalise`], [`compare`] for what it prints
//! * [`generate`] random scenarios; [`shrink`] for those that differ
//! * [`trial`] one script on both sides, [`chance`] what several runs of it show; [`mutants`] faults planted in the emulation, which a trial must find, [`flips`]
//!   such that are found mechanically, and [`weave`] all of them in one build
//! * [`oracle`] a real kernel that runs scripts, many at once; [`worker`] its side inside; [`guest`] User-Mode Linux
//! * [`shell`] the runner of scripts, over any [`kernel`]: [`emulated`], or the real one ([`linux`])
// Everything here is about this machine's own kernel.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod chance;
pub mod compare;
pub mod emulated;
pub mod flips;
pub mod generate;
pub mod guest;
pub mod kernel;
pub mod linux;
pub mod mutants;
pub mod normalise;
pub mod oracle;
pub mod script;
pub mod shell;
pub mod shrink;
pub mod trial;
pub mod weave;
pub mod worker;
