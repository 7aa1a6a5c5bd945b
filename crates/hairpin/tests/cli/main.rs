//! The binary as a user calls it: options, bad input, exit codes.
#![allow(clippy::disallowed_methods, reason = "tests read files and start programs")]

mod bad_input;
mod cards;
mod docker;
mod house;
mod input;
mod place;
mod programs;
mod resolvectl;
mod ssh;
mod terminals;
mod trace;
mod views;
