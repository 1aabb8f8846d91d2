//! `DescribeStateMachine`.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;

use super::{Answered, States, arn, check::Checks, told};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    state_machine_arn: Option<String>,
    included_data: Option<String>,
}

/// How much of an answer is wanted.
pub(super) const INCLUDED_DATA: &[&str] = &["ALL_DATA", "METADATA_ONLY"];

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut checks = Checks::default();
    let arn = checks.required(request.state_machine_arn, "stateMachineArn", 256);
    checks.word(
        request.included_data.as_deref(),
        "includedData",
        INCLUDED_DATA,
    );
    checks.finish()?;
    arn::check_machine(&arn)?;
    let with_data = request.included_data.as_deref() != Some("METADATA_ONLY");
    let store = states.store();
    let machine = store.machine(&visit.account, &arn)?;
    Ok(told(&machine.described(with_data)))
}
