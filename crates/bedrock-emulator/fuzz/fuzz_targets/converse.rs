#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bedrock_emulator_fuzz::converse(data));
