//! `StopExecution`.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{Answered, States, arn, check::Checks, machine::seconds, told};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    execution_arn: Option<String>,
    error: Option<String>,
    cause: Option<String>,
}

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut checks = Checks::default();
    let arn = checks.required(request.execution_arn, "executionArn", 256);
    checks.optional(request.error.as_deref(), "error", 0, 256);
    checks.optional(request.cause.as_deref(), "cause", 0, 32_768);
    checks.finish()?;
    arn::check_execution(&arn)?;
    let run = states.store().run(&visit.account, &arn)?.clone();
    let now = run.pace.now();
    let stopped = {
        let mut execution = run.execution();
        // One that is over stays as it is.
        execution.stop(request.error, request.cause, now);
        execution.stopped_at()
    };
    // Its driver ends the tasks.
    run.wake.notify_one();
    Ok(told(&json!({"stopDate": seconds(stopped.unwrap_or(now))})))
}
