//! Runs compiled Lambda functions the way AWS runs `provided.al2023`: one process per execution
//! environment, spoken to through the real [Runtime API].
//!
//! [`Host`] starts environments when they are needed, keeps them warm, enforces timeouts and
//! concurrency, captures the log, and tells a crash, a timeout or a failed start in AWS's own
//! words. It knows neither the Invoke API's HTTP form nor any other service: whoever puts one in
//! front of it finds the exceptions' names and statuses in [`InvokeError`].
//!
//! No process outlives the host: not after [`Host::close`], not after a drop, and not after the
//! hosting process was killed.
//!
//! Read in this order: `function` (what is configured), `invocation` (what goes in and comes out),
//! `host` (who may run, on which environment), `run` (one invocation from START to REPORT),
//! `environment` (one process and its Runtime API), `runtime_api`, `output` (lines from a pipe),
//! `process` and `warden` (how everything that was started ends), `events` (asynchronous
//! invocations).
//!
//! [Runtime API]: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

mod attempt;
mod clock;
mod environment;
mod error;
mod events;
mod function;
mod host;
mod ids;
mod invocation;
mod output;
mod process;
mod run;
mod runtime_api;
mod variables;
mod warden;

pub use attempt::{Attempt, AttemptSink};
pub use clock::{Clock, Sleep, SystemClock};
pub use error::{ConfigError, InvokeError, ThrottleReason};
pub use events::{Accepted, Condition, EventOutcome, EventSink};
pub use function::{Credentials, FunctionConfig};
pub use host::{EVENT_PAYLOAD_MAX, Host, PAYLOAD_MAX, Setup};
pub use invocation::{FunctionError, Invocation, Invoked, LOG_RESULT_MAX, Report, Status};
pub use output::{LogEvent, LogSink};
