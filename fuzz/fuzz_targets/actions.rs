#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hairpin_testkit::fuzz::actions::run(data));
