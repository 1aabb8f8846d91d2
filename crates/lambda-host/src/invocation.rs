//! What goes into an invocation and what comes out.

use std::{fmt::Write as _, time::Duration};

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::{InvokeError, LogEvent};

/// `LogResult` holds the last four kilobytes of the log (API reference).
pub const LOG_RESULT_MAX: usize = 4096;

/// One event for a function.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// JSON. Nothing at all reaches the function as `{}`.
    pub payload: Bytes,
    /// The id that the caller's API made; a new one when `None`.
    pub request_id: Option<String>,
    /// The ARN the function was called by, when it had a qualifier.
    pub invoked_function_arn: Option<String>,
    /// JSON, decoded from `X-Amz-Client-Context`.
    pub client_context: Option<String>,
    /// `X-Amzn-Trace-Id`; a new one, not sampled, when `None`.
    pub trace_id: Option<String>,
}

impl Invocation {
    /// An event and nothing else.
    pub fn new(payload: impl Into<Bytes>) -> Self {
        Self {
            payload: payload.into(),
            ..Self::default()
        }
    }

    /// Refuses what the Invoke API refuses before it looks at the function, and what could not be
    /// handed to a runtime.
    pub(crate) fn check(&self, max: usize) -> Result<(), InvokeError> {
        if self.payload.len() > max {
            return Err(InvokeError::RequestTooLarge { max });
        }
        if !self.payload.is_empty() {
            serde_json::from_slice::<IgnoredAny>(&self.payload).map_err(|error| {
                InvokeError::InvalidRequestContent(format!(
                    "Could not parse request body into json: Could not parse payload into json: \
                     {error}"
                ))
            })?;
        }
        if let Some(context) = &self.client_context
            && serde_json::from_str::<serde_json::Map<String, Value>>(context).is_err()
        {
            return Err(InvokeError::InvalidRequestContent(
                "Client context must be a valid Base64-encoded JSON object.".to_owned(),
            ));
        }
        // The id stands in the Runtime API's paths too.
        let id = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let visible = |c: char| c.is_ascii_graphic();
        check_header("request id", self.request_id.as_deref(), id)?;
        check_header("trace id", self.trace_id.as_deref(), visible)?;
        check_header("ARN", self.invoked_function_arn.as_deref(), visible)
    }

    /// The client context as a header can hold it: JSON may write every character in ASCII.
    pub(crate) fn ascii_client_context(&self) -> Option<String> {
        let context = self.client_context.as_deref()?;
        let mut ascii = String::with_capacity(context.len());
        for c in context.chars() {
            match c {
                '\n' | '\r' | '\t' => ascii.push(' '),
                c if c.is_ascii() => ascii.push(c),
                c => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        let _ = write!(ascii, "\\u{unit:04x}");
                    }
                }
            }
        }
        Some(ascii)
    }
}

fn check_header(
    what: &str,
    value: Option<&str>,
    allowed: impl Fn(char) -> bool,
) -> Result<(), InvokeError> {
    match value {
        Some(value) if value.is_empty() || value.len() > 1024 || !value.chars().all(allowed) => {
            Err(InvokeError::InvalidParameterValue(format!(
                "the {what} {value:?} cannot be handed to a runtime"
            )))
        }
        _ => Ok(()),
    }
}

/// What the function answered: on the wire, status 200.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// The invocation's id.
    pub request_id: String,
    /// The function's answer, or its error as JSON.
    pub payload: Bytes,
    /// `X-Amz-Function-Error`.
    pub function_error: Option<FunctionError>,
    /// `X-Amz-Executed-Version`.
    pub executed_version: String,
    /// Everything in this invocation's log, Lambda's own lines included; those of the cold start
    /// come first.
    pub log: Vec<LogEvent>,
    /// What the REPORT line says.
    pub report: Report,
}

impl Invoked {
    /// The end of the log, for `LogResult` (which is its Base64).
    pub fn log_tail(&self) -> String {
        let mut tail = String::new();
        for event in &self.log {
            tail.push_str(&event.message);
            tail.push('\n');
        }
        let start = tail.len().saturating_sub(LOG_RESULT_MAX);
        let start = (start..=tail.len()).find(|at| tail.is_char_boundary(*at));
        tail.split_off(start.unwrap_or_default())
    }
}

/// How a function failed.
///
/// The service model also knows `Handled`; whatever comes through the Runtime API is `Unhandled`
/// (developer guide, custom runtimes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FunctionError {
    /// It answered with an error, ended, or did not answer in time.
    Unhandled,
}

impl FunctionError {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        "Unhandled"
    }
}

/// The figures of one invocation.
#[derive(Debug, Clone)]
pub struct Report {
    /// From the moment the event was handed over until the runtime asked for the next one.
    pub duration: Duration,
    /// Whole milliseconds that AWS would charge, a cold start's initialization included.
    pub billed_ms: u64,
    /// How long a successful initialization took; `None` on a warm environment.
    pub init: Option<Duration>,
    /// The configured size.
    pub memory_mb: u32,
    /// The most the process held so far. `None` where the system does not tell (not Linux) or the
    /// process is gone.
    pub memory_max_mb: Option<u32>,
    /// Whether an environment had to be started.
    pub cold: bool,
    /// The environment's log stream.
    pub log_stream: String,
    /// How it ended.
    pub status: Status,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// With an answer, be it the function's own error.
    Answered,
    /// With a failure of this type: `Runtime.ExitError` and the like.
    Error(String),
    /// Not in time.
    Timeout,
}
