//! Runs cargo for one exercise or all: build, run, verdict, watch, verify, progress.
//!
//! Read in this order: [`workspace`] (where things are), [`check()`] (one exercise: build, run its
//! tests within limits, verdict), [`guard`] (the process around a test that lets nothing outlive
//! it), [`progress`] (what the student has reached), [`live`] (the event log that the site
//! follows), [`recall`] (when a question comes back), [`watch`] (check on save), [`checkpoint`](mod@checkpoint) (a
//! copy to start in the middle), [`student_file`] (the file that an editor in the browser writes),
//! [`tools`] (rustfmt and `rustc --explain`), [`verify`](mod@verify) (the author's proof in three
//! directions), [`mod@bench`] (how long a student waits). No HTML, no wire formats.

pub mod bench;
pub mod cancel;
pub(crate) mod cargo;
pub mod check;
pub mod checkpoint;
pub mod course_files;
pub mod guard;
pub(crate) mod integrity;
pub(crate) mod libtest;
pub mod live;
pub(crate) mod messages;
pub mod process;
pub mod progress;
pub mod recall;
pub mod reset;
pub mod student_file;
pub(crate) mod suite;
pub mod tools;
pub(crate) mod variants;
pub mod verify;
pub mod watch;
pub mod workspace;

pub use bench::{BenchError, BenchReport, bench_loop};
pub use cancel::CancelToken;
pub use check::{
    BedrockLimits, CheckOptions, Outcome, Place, Problem, Report, TestResult, TestStatus, check,
    check_bedrock, check_with,
};
pub use checkpoint::{Checkpoint, CheckpointError, checkpoint};
pub use course_files::{Protected, protected};
pub use process::Limits;
pub use progress::Progress;
pub use reset::{ResetError, ResetReport, reset};
pub use verify::{VerifyEvent, VerifyOptions, VerifyReport, verify};
pub use watch::{WatchOptions, Watched, Watcher};
pub use workspace::{ExerciseDir, Workspace, WorkspaceError};
