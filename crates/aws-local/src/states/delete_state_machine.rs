//! `DeleteStateMachine`: also one that is not there (recorded).

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{Answered, States, arn, check::Checks, told};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    state_machine_arn: Option<String>,
}

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut checks = Checks::default();
    let arn = checks.required(request.state_machine_arn, "stateMachineArn", 256);
    checks.finish()?;
    arn::check_machine(&arn)?;
    states.store().remove_machine(&visit.account, &arn);
    Ok(told(&json!({})))
}
