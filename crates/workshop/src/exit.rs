//! Exit codes: four different endings of a check are four different numbers. A wrong command line is
//! clap's own 2.

/// Everything is as it should be; for `check`: solved.
pub(crate) const OK: u8 = 0;
/// `check`: it compiles, but a test fails. `verify`: a proof failed.
pub(crate) const NOT_SOLVED: u8 = 1;
/// `check`: the student's file does not compile.
pub(crate) const DOES_NOT_COMPILE: u8 = 3;
/// `emulator status`: none is running there.
pub(crate) const NOT_RUNNING: u8 = 3;
/// Something around the exercise is broken: no cargo, a port in use, a file that cannot be read.
pub(crate) const BROKEN_SETUP: u8 = 4;
/// Stopped by Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;
