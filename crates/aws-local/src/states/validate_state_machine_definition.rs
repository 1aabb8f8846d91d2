//! `ValidateStateMachineDefinition`: everything that is wrong, without creating anything.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::{Value, json};
use states_language::Diagnostic;

use super::{
    Answered, States,
    check::Checks,
    machine::{self, Kind},
    told,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    definition: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    severity: Option<String>,
    max_results: Option<i64>,
}

pub(super) fn answer(states: &States, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let mut checks = Checks::default();
    // An empty one is a finding, not a mistake of the request (recorded).
    let definition = request.definition.unwrap_or_default();
    checks.optional(Some(&definition), "definition", 0, 1 << 20);
    checks.word(request.kind.as_deref(), "type", Kind::WORDS);
    checks.word(
        request.severity.as_deref(),
        "severity",
        &["ERROR", "WARNING"],
    );
    let size = checks.page_size(request.max_results, 100, 100);
    checks.finish()?;
    let found = machine::read(&definition, &*states.0.runner)
        .err()
        .unwrap_or_default();
    let shown: Vec<Value> = found.iter().take(size).map(Diagnostic::to_json).collect();
    Ok(told(&json!({
        "result": if found.is_empty() { "OK" } else { "FAIL" },
        "diagnostics": shown,
        "truncated": found.len() > size,
    })))
}
