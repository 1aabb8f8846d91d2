//! `ListExecutions`, the newest first.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answered, States, arn,
    check::Checks,
    error::{not_emulated, validation, wrong_type},
    machine::Kind,
    page::List,
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    state_machine_arn: Option<String>,
    status_filter: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
    map_run_arn: Option<String>,
    redrive_filter: Option<String>,
}

/// In the order of AWS's own text (recorded).
const STATUSES: &[&str] = &[
    "SUCCEEDED",
    "TIMED_OUT",
    "PENDING_REDRIVE",
    "ABORTED",
    "FAILED",
    "RUNNING",
];

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut checks = Checks::default();
    checks.optional(
        request.state_machine_arn.as_deref(),
        "stateMachineArn",
        1,
        256,
    );
    checks.word(request.status_filter.as_deref(), "statusFilter", STATUSES);
    checks.word(
        request.redrive_filter.as_deref(),
        "redriveFilter",
        &["REDRIVEN", "NOT_REDRIVEN"],
    );
    let size = checks.page_size(request.max_results, 100, 1_000);
    checks.optional(request.next_token.as_deref(), "nextToken", 1, 3_096);
    checks.finish()?;
    if request.map_run_arn.is_some() {
        return Err(not_emulated("map runs (mapRunArn)"));
    }
    let Some(machine) = request.state_machine_arn else {
        return Err(validation("Must provide a StateMachine ARN or MapRun ARN"));
    };
    arn::check_machine(&machine)?;
    let filter = request.status_filter.as_deref();
    let list = List::new(
        visit,
        &format!("{machine} {filter:?} {:?}", request.redrive_filter),
    );
    let after = list.after(request.next_token.as_deref())?;
    let after = after.and_then(|after| after.parse::<u64>().ok());
    let runs = {
        let store = states.store();
        if store.machine(&visit.account, &machine)?.kind == Kind::Express {
            return Err(wrong_type());
        }
        store.runs_of(&visit.account, &machine)
    };
    let mut wanted = runs
        .iter()
        // Nothing is ever redriven.
        .filter(|_| request.redrive_filter.as_deref() != Some("REDRIVEN"))
        .filter(|(serial, _)| after.is_none_or(|after| *serial < after))
        .filter(|(_, run)| filter.is_none_or(|status| run.status() == status));
    let mut shown: Vec<Value> = Vec::new();
    let mut end = None;
    for (serial, run) in wanted.by_ref().take(size) {
        shown.push(run.listed());
        end = Some(*serial);
    }
    let mut answer = json!({"executions": shown});
    if let (Some(end), true) = (end, wanted.next().is_some()) {
        answer["nextToken"] = list.token(&end.to_string()).into();
    }
    Ok(told(&answer))
}
