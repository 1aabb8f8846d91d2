//! `GetExecutionHistory`.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::{Value, json};
use states_language::HistoryEvent;

use super::{Answered, States, arn, check::Checks, page::List, told};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    execution_arn: Option<String>,
    max_results: Option<i64>,
    reverse_order: Option<bool>,
    next_token: Option<String>,
    include_execution_data: Option<bool>,
}

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut checks = Checks::default();
    let arn = checks.required(request.execution_arn, "executionArn", 256);
    let size = checks.page_size(request.max_results, 100, 1_000);
    checks.optional(request.next_token.as_deref(), "nextToken", 1, 1_024);
    checks.finish()?;
    arn::check_execution(&arn)?;
    let reverse = request.reverse_order.unwrap_or(false);
    let run = states.store().run(&visit.account, &arn)?.clone();
    // An event's number is its place: what comes later moves nothing.
    let list = List::new(visit, &format!("{arn} {reverse}"));
    let after = list.after(request.next_token.as_deref())?;
    let after = after.and_then(|after| after.parse::<u64>().ok());
    let events: Vec<HistoryEvent> = {
        let execution = run.execution();
        let history = execution.history();
        let wanted = |event: &&HistoryEvent| match after {
            None => true,
            Some(after) if reverse => event.id < after,
            Some(after) => event.id > after,
        };
        if reverse {
            history
                .iter()
                .rev()
                .filter(wanted)
                .take(size + 1)
                .cloned()
                .collect()
        } else {
            history
                .iter()
                .filter(wanted)
                .take(size + 1)
                .cloned()
                .collect()
        }
    };
    let page = &events[..events.len().min(size)];
    let shown: Vec<Value> = page
        .iter()
        .map(|event| match request.include_execution_data {
            Some(false) => event.to_json_without_data(),
            _ => event.to_json(),
        })
        .collect();
    let mut answer = json!({"events": shown});
    if let (Some(last), true) = (page.last(), events.len() > size) {
        answer["nextToken"] = list.token(&last.id.to_string()).into();
    }
    Ok(told(&answer))
}
