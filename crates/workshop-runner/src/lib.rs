//! Runs cargo for one exercise or all: build, run, verdict, watch, verify, progress.
//!
//! Read in this order: [`workspace`] (where things are), [`check()`] (one exercise: build, run each
//! test in a process of its own, verdict), [`progress`] (what the student has reached),
//! [`live`] (the event log that the site follows), [`verify`] (the author's proof in three
//! directions). No HTML, no wire formats.

pub mod check;
pub mod live;
pub mod progress;
pub mod verify;
pub mod workspace;

pub use check::{Outcome, Report, TestResult, TestStatus, check};
pub use workspace::Workspace;
