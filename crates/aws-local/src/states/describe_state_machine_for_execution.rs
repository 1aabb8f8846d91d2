//! `DescribeStateMachineForExecution`: the machine as it was when the execution began.

use bedrock_emulator::neighbour::Visit;
use serde_json::json;

use super::{Answered, States, describe_execution, machine::seconds, told};

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let (arn, with_data) = describe_execution::asked(visit)?;
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
