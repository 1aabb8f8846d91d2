//! `DescribeStateMachineForExecution`: the machine as it was when the execution began.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{
    Answered, States, arn, check::Checks, describe_state_machine::INCLUDED_DATA, machine::seconds,
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    execution_arn: Option<String>,
    included_data: Option<String>,
}

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
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
    let store = states.store();
    let run = store.run(&visit.account, &arn)?;
    let revision = &run.revision;
    let definition = if with_data {
        &*revision.definition
    } else {
        "{}"
    };
    let mut answer = json!({
        "stateMachineArn": run.machine_arn,
        "name": run.machine_name,
        "definition": definition,
        "roleArn": revision.role_arn,
        "updateDate": seconds(revision.updated),
        "loggingConfiguration": revision.logging,
        "tracingConfiguration": revision.tracing,
    });
    if let Some(id) = &revision.id {
        answer["revisionId"] = id.as_str().into();
    }
    Ok(told(&answer))
}
