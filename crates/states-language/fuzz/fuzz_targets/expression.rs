#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| states_language_fuzz::expression(data));
