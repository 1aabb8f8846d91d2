//! `StartSyncExecution`: answers when the express execution is over.
//!
//! SDKs put `sync-` before the endpoint's host, which no address resolves; with an endpoint of one's
//! own that has to be switched off (boto3: `inject_host_prefix=False`) or resolved.

use std::sync::Arc;

use bedrock_emulator::{
    error::ApiError,
    neighbour::{Outcome, Visit},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Answered, States, check::Checks, describe_state_machine::INCLUDED_DATA, error::wrong_type,
    machine::Kind, run::Run, start_execution::Start, told,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    included_data: Option<String>,
}

pub(super) fn answer(states: &States, visit: Visit) -> Outcome {
    match begin(states, visit) {
        Ok((run, with_data)) => Outcome::Later(Box::pin(async move {
            run.ended().await;
            ended(&run, with_data)
        })),
        Err(error) => Outcome::Now(Err(error)),
    }
}

fn begin(states: &States, mut visit: Visit) -> Result<(Arc<Run>, bool), ApiError> {
    let request: Request = visit.json()?;
    let mut checks = Checks::default();
    checks.word(
        request.included_data.as_deref(),
        "includedData",
        INCLUDED_DATA,
    );
    checks.finish()?;
    let start = Start::read(&visit)?;
    let mut store = states.store();
    let machine = store.machine(&visit.account, &start.machine_arn)?.clone();
    if machine.kind != Kind::Express {
        return Err(wrong_type());
    }
    store.check_room(&visit.account, &states.0.setup)?;
    let run = start.begin(states, &mut visit, &machine)?;
    store.add_run(&visit.account, &run, false);
    drop(store);
    states.0.drive(&visit.account, &run)?;
    let with_data = request.included_data.as_deref() != Some("METADATA_ONLY");
    Ok((run, with_data))
}

/// The memory is what short executions are billed for; so is the step of 100 ms (both recorded).
fn ended(run: &Run, with_data: bool) -> Answered {
    let mut answer = run.described(with_data);
    // Failed ones say so too (recorded).
    answer["outputDetails"] = json!({"included": with_data});
    let stopped = run.execution().stopped_at();
    let Some(stopped) = stopped else {
        return Err(super::error::no_execution(&run.arn));
    };
    let millis = (stopped - run.started).whole_milliseconds().max(1);
    let billed = u64::try_from(millis).unwrap_or(u64::MAX).div_ceil(100) * 100;
    answer["billingDetails"] = json!({
        "billedDurationInMilliseconds": billed,
        "billedMemoryUsedInMB": 64,
    });
    Ok(told(&answer))
}
