//! What tests and fuzzers of several crates share.
//!
//! * [`fuzz`] the bodies of the fuzz targets, as plain functions of bytes

pub mod fuzz;
