//! `ListStateMachines`, by name.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answered, States,
    check::Checks,
    machine::{Machine, seconds},
    page::List,
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut checks = Checks::default();
    let size = checks.page_size(request.max_results, 100, 1_000);
    checks.optional(request.next_token.as_deref(), "nextToken", 1, 1_024);
    checks.finish()?;
    let list = List::new(visit, "");
    let after = list.after(request.next_token.as_deref())?;
    let store = states.store();
    let here = format!("arn:aws:states:{}:", visit.region);
    let mut machines = store
        .machines(&visit.account)
        .filter(|machine| machine.arn.starts_with(&here))
        .filter(|machine| after.as_ref().is_none_or(|after| machine.name > *after));
    let page: Vec<&Machine> = machines.by_ref().take(size).collect();
    let shown: Vec<Value> = page.iter().map(|machine| listed(machine)).collect();
    let mut answer = json!({"stateMachines": shown});
    if let (Some(last), true) = (page.last(), machines.next().is_some()) {
        answer["nextToken"] = list.token(&last.name).into();
    }
    Ok(told(&answer))
}

fn listed(machine: &Machine) -> Value {
    json!({
        "stateMachineArn": machine.arn,
        "name": machine.name,
        "type": machine.kind.as_str(),
        "creationDate": seconds(machine.created),
    })
}
