//! One invocation, from START to REPORT.
//!
//! On-demand functions initialize as on AWS: the first attempt has ten seconds of its own; when it
//! fails, a second one is made within the invocation and its timeout, and what that one ends with
//! is the answer. The lines and their order are those that users of AWS show: of a crashing Rust
//! function (cargo-lambda issue 572), of timeouts with an earlier failed start, of invalid entry
//! points.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    Attempt, FunctionConfig, FunctionError, Invocation, InvokeError, Invoked, Report, Status,
    environment::{Environment, Failure, Handled, Init, StartError},
    host::{Permit, Shared},
    ids,
    output::LogStream,
    runtime_api::{Answer, Work},
};

/// Carries out what the permit allows, and gives a healthy environment back to it.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mut permit: Permit,
    invocation: Invocation,
) -> Result<Invoked, InvokeError> {
    let config = permit.config();
    let given = invocation.request_id.clone();
    let run = Run {
        id: given.unwrap_or_else(ids::request_id).into(),
        timeout: config.timeout,
        config,
        shared,
        cold: false,
    };
    match permit.warm() {
        Some(environment) => {
            run.handle(environment, None, run.start(), permit, invocation)
                .await
        }
        None => Run { cold: true, ..run }.cold(permit, invocation).await,
    }
}

struct Run {
    id: Arc<str>,
    config: Arc<FunctionConfig>,
    shared: Arc<Shared>,
    timeout: Duration,
    cold: bool,
}

/// When an invocation began and when it must be over.
#[derive(Clone, Copy)]
struct Span {
    began: Instant,
    until: Instant,
}

/// What an invocation came to, before its last lines are written.
struct Outcome {
    payload: Bytes,
    error: Option<FunctionError>,
    status: Status,
    /// What Lambda itself has to say, before END.
    lines: Vec<String>,
    memory_max_mb: Option<u32>,
}

impl Run {
    fn start(&self) -> Span {
        let began = Instant::now();
        Span {
            began,
            until: began + self.timeout,
        }
    }

    async fn cold(self, permit: Permit, invocation: Invocation) -> Result<Invoked, InvokeError> {
        let log = self.shared.log_stream(&self.config);
        let began = Instant::now();
        let (first, environment) = self.init(&log, began + self.shared.init_timeout).await?;
        let took = began.elapsed();
        if let (Init::Ready, Some(environment)) = (&first, environment) {
            let span = self.start();
            return self
                .handle(environment, Some(took), span, permit, invocation)
                .await;
        }
        log.platform(init_report(took, "init", &first));

        let span = self.start();
        let (second, environment) = self.init(&log, span.until).await?;
        if let (Init::Ready, Some(environment)) = (&second, environment) {
            return self
                .handle(environment, None, span, permit, invocation)
                .await;
        }
        log.platform(init_report(span.began.elapsed(), "invoke", &second));
        self.begin(&log);
        let outcome = match second {
            Init::Failed(failure) => self.failed(failure),
            Init::TimedOut | Init::Ready => self.timed_out(&log),
        };
        drop(permit);
        Ok(self.finish(&log, outcome, span, None))
    }

    /// One attempt to initialize. What does not become ready is gone when this returns.
    async fn init(
        &self,
        log: &Arc<LogStream>,
        until: Instant,
    ) -> Result<(Init, Option<Environment>), InvokeError> {
        let config = Arc::clone(&self.config);
        let started = Environment::start(&self.shared, config, Arc::clone(log)).await;
        let mut environment = match started {
            Ok(environment) => environment,
            Err(StartError::InvalidEntrypoint(text)) => {
                return Ok((Init::Failed(Failure::InvalidEntrypoint(text)), None));
            }
            Err(StartError::Host(text)) => return Err(InvokeError::Service(text)),
        };
        let init = environment.init(until).await;
        self.shared.check_open()?;
        if matches!(init, Init::Ready) {
            return Ok((init, Some(environment)));
        }
        environment.end().await;
        Ok((init, None))
    }

    async fn handle(
        &self,
        mut environment: Environment,
        init: Option<Duration>,
        span: Span,
        permit: Permit,
        invocation: Invocation,
    ) -> Result<Invoked, InvokeError> {
        let log = Arc::clone(&environment.log);
        self.begin(&log);
        let work = self.work(span, invocation);
        let handled = environment.handle(work, span.until).await;
        self.shared.check_open()?;
        let memory_max_mb = environment.memory_max_mb();
        let mut outcome = match handled {
            Handled::Answered(answer) => {
                log.catch_up();
                let outcome = self.answered(answer);
                let invoked = Outcome {
                    memory_max_mb,
                    ..outcome
                };
                let invoked = self.finish(&log, invoked, span, init);
                permit.give_back(environment);
                return Ok(invoked);
            }
            Handled::AnsweredAndGone(answer) => {
                environment.end().await;
                self.answered(answer)
            }
            Handled::Exit(exit) => {
                environment.end().await;
                self.failed(Failure::Exit(exit))
            }
            Handled::TimedOut => {
                environment.end().await;
                self.timed_out(&log)
            }
        };
        outcome.memory_max_mb = memory_max_mb;
        drop(permit);
        Ok(self.finish(&log, outcome, span, init))
    }

    fn begin(&self, log: &LogStream) {
        log.begin(&self.id);
        let (id, version) = (&self.id, &self.config.version);
        log.platform(format!("START RequestId: {id} Version: {version}"));
    }

    /// The answer to `next`: the event and the headers that the Runtime API documents.
    fn work(&self, span: Span, invocation: Invocation) -> Work {
        let context = invocation.ascii_client_context();
        let now = self.shared.clock.now();
        let deadline = now + span.until.saturating_duration_since(Instant::now());
        let deadline_ms = deadline.unix_timestamp_nanos() / 1_000_000;
        let arn = invocation.invoked_function_arn;
        let arn = arn.unwrap_or_else(|| self.config.arn());
        let trace = invocation.trace_id.unwrap_or_else(|| ids::trace_id(now));
        // Inferred: Lambda's invoke without a payload reaches functions as an empty object.
        let payload = match invocation.payload {
            empty if empty.is_empty() => Bytes::from_static(b"{}"),
            payload => payload,
        };
        let mut response = Response::new(Full::new(payload));
        let headers = response.headers_mut();
        let mut set = |name: &'static str, value: &str| {
            // `Invocation::check` has seen what callers give; the rest is ours.
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        set("lambda-runtime-aws-request-id", &self.id);
        set("lambda-runtime-deadline-ms", &deadline_ms.to_string());
        set("lambda-runtime-invoked-function-arn", &arn);
        set("lambda-runtime-trace-id", &trace);
        if let Some(context) = &context {
            set("lambda-runtime-client-context", context);
        }
        set(CONTENT_TYPE.as_str(), "application/json");
        Work {
            request_id: Arc::clone(&self.id),
            response,
        }
    }

    fn answered(&self, answer: Answer) -> Outcome {
        let (payload, error) = match answer {
            Answer::Success(payload) => (payload, None),
            Answer::Error(payload) => (payload, Some(FunctionError::Unhandled)),
            Answer::Failure { kind, message } => return self.failure(kind, &message, Vec::new()),
        };
        Outcome {
            payload,
            error,
            status: Status::Answered,
            lines: Vec::new(),
            memory_max_mb: None,
        }
    }

    fn failed(&self, failure: Failure) -> Outcome {
        let id = &self.id;
        let told = |kind: &str, sentence: &str| {
            let message = format!("RequestId: {id} Error: {sentence}");
            let lines = vec![message.clone(), kind.to_owned()];
            self.failure(kind, &message, lines)
        };
        match failure {
            Failure::Exit(exit) => told("Runtime.ExitError", &exit.sentence()),
            Failure::InvalidEntrypoint(text) => told("Runtime.InvalidEntrypoint", &text),
            Failure::Reported { kind, body } if body.is_empty() => {
                told(&kind, "the runtime reported no details")
            }
            Failure::Reported { kind, body } => Outcome {
                payload: body,
                ..self.failure(&kind, "", Vec::new())
            },
        }
    }

    /// The current form, with an `errorType`; before 2024 the payload held only `errorMessage`, which
    /// was the text of the log line below (aws-appsync-community issue 386 and others show both).
    /// Seconds have two decimals.
    fn timed_out(&self, log: &LogStream) -> Outcome {
        let (id, seconds) = (&self.id, self.timeout.as_secs_f64());
        let sentence = format!("Task timed out after {seconds:.2} seconds");
        let message = format!("RequestId: {id} Error: {sentence}");
        let line = format!("{} {id} {sentence}", log.timestamp());
        Outcome {
            status: Status::Timeout,
            ..self.failure("Sandbox.Timedout", &message, vec![line])
        }
    }

    #[expect(clippy::unused_self, reason = "reads as the others do")]
    fn failure(&self, kind: &str, message: &str, lines: Vec<String>) -> Outcome {
        // By hand for AWS's order of keys.
        let payload = format!(
            r#"{{"errorType":{},"errorMessage":{}}}"#,
            json!(kind),
            json!(message)
        );
        Outcome {
            payload: payload.into(),
            error: Some(FunctionError::Unhandled),
            status: Status::Error(kind.to_owned()),
            lines,
            memory_max_mb: None,
        }
    }

    fn finish(
        &self,
        log: &LogStream,
        outcome: Outcome,
        span: Span,
        init: Option<Duration>,
    ) -> Invoked {
        let duration = match outcome.status {
            // It was stopped at the timeout; what stopping took is not the function's.
            Status::Timeout => self.timeout,
            Status::Answered | Status::Error(_) => span.began.elapsed(),
        };
        let charged = duration + init.unwrap_or_default();
        let billed_ms = u64::try_from(charged.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        let report = Report {
            duration,
            billed_ms: billed_ms.max(1),
            init,
            memory_mb: self.config.memory_mb,
            memory_max_mb: outcome.memory_max_mb,
            cold: self.cold,
            log_stream: log.name().to_owned(),
            status: outcome.status,
        };
        for line in outcome.lines {
            log.platform(line);
        }
        log.platform(format!("END RequestId: {}", self.id));
        log.platform(report_line(&self.id, &report));
        let invoked = Invoked {
            request_id: self.id.to_string(),
            payload: outcome.payload,
            function_error: outcome.error,
            executed_version: self.config.version.clone(),
            log: log.end(),
            report,
        };
        let attempt = Attempt::Ended(&invoked);
        self.shared.attempts.tell(&self.config, attempt);
        invoked
    }
}

/// The REPORT line: fields between tabs, and a tab at the end unless there is a status.
fn report_line(id: &str, report: &Report) -> String {
    let mut fields = vec![
        format!("REPORT RequestId: {id}"),
        format!("Duration: {} ms", ids::millis(report.duration)),
        format!("Billed Duration: {} ms", report.billed_ms),
        format!("Memory Size: {} MB", report.memory_mb),
    ];
    if let Some(used) = report.memory_max_mb {
        fields.push(format!("Max Memory Used: {used} MB"));
    }
    if let Some(init) = report.init {
        fields.push(format!("Init Duration: {} ms", ids::millis(init)));
    }
    match &report.status {
        // A function's own error leaves no trace here.
        Status::Answered => fields.push(String::new()),
        Status::Timeout => fields.push("Status: timeout".to_owned()),
        Status::Error(kind) => {
            fields.push("Status: error".to_owned());
            fields.push(format!("Error Type: {kind}"));
        }
    }
    fields.join("\t")
}

/// The line of an initialization that failed.
fn init_report(took: Duration, phase: &str, init: &Init) -> String {
    let status = match init {
        Init::Ready => String::new(),
        Init::TimedOut => "\tStatus: timeout".to_owned(),
        Init::Failed(failure) => {
            let kind = match failure {
                Failure::Exit(_) => "Runtime.ExitError",
                Failure::InvalidEntrypoint(_) => "Runtime.InvalidEntrypoint",
                Failure::Reported { kind, .. } => kind,
            };
            format!("\tStatus: error\tError Type: {kind}")
        }
    };
    let took = ids::millis(took);
    format!("INIT_REPORT Init Duration: {took} ms\tPhase: {phase}{status}")
}
