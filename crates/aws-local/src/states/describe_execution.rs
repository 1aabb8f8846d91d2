//! `DescribeExecution`.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;

use super::{Answered, States, arn, check::Checks, describe_state_machine::INCLUDED_DATA, told};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    execution_arn: Option<String>,
    included_data: Option<String>,
}

pub(super) fn answer(service: &States, visit: &Visit) -> Answered {
    let (arn, with_data) = asked(visit)?;
    let run = service.store().run(&visit.account, &arn)?.clone();
    let mut answer = run.described(with_data);
    let stands = answer["status"].as_str().unwrap_or_default().to_owned();
    answer["redriveCount"] = 0.into();
    // Measured of one that timed out, recorded of one that succeeded.
    if matches!(stands.as_str(), "RUNNING" | "SUCCEEDED") {
        answer["redriveStatus"] = "NOT_REDRIVABLE".into();
        answer["redriveStatusReason"] =
            format!("Execution is {stands} and cannot be redriven").into();
    } else {
        answer["redriveStatus"] = "REDRIVABLE".into();
    }
    Ok(told(&answer))
}

/// The execution that a request names, and whether it wants to see what is in it.
pub(super) fn asked(visit: &Visit) -> Result<(String, bool), ApiError> {
    let request: Request = visit.json()?;
    let mut checks = Checks::default();
    let arn = checks.required(request.execution_arn, "executionArn", 256);
    checks.word(
        request.included_data.as_deref(),
        "includedData",
        INCLUDED_DATA,
    );
    checks.finish()?;
    arn::check_execution(&arn)?;
    let with_data = request.included_data.as_deref() != Some("METADATA_ONLY");
    Ok((arn, with_data))
}
