//! dies in: a_task_that_hangs_ends_in_time, your_own_definition_is_clean
//!
//! Waits for Bedrock as long as Bedrock likes.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

pub use given::{Lint, Params};

/// The state machine, in the Amazon States Language.
pub fn definition(p: &Params) -> Value {
    json!({
        "StartAt": "Preprocess",
        "States": {
            "Preprocess": preprocess(),
            "Fetch": fetch(p),
            "Invoke": invoke(p),
            "Post": post(),
            "Park": park(p),
            "Failed": { "Type": "Fail", "Error": "NoAnswer", "Cause": "see the input of this state" },
        },
    })
}

/// A look at the input needs no function, and a Choice cannot fail as long as it asks first whether
/// there is something to compare.
fn preprocess() -> Value {
    let has = |name: &str, next: &str| {
        let path = format!("$.{name}");
        json!({
            "And": [
                { "Variable": path, "IsPresent": true },
                { "Variable": path, "IsString": true },
                { "Variable": "$.id", "IsPresent": true },
                { "Variable": "$.id", "IsString": true },
            ],
            "Next": next,
        })
    };
    json!({
        "Type": "Choice",
        "Choices": [has("text", "Invoke"), has("pointer", "Fetch")],
        "Default": "Failed",
    })
}

/// The one step for which there has to be code. The answer becomes `text`, as if it had been in the
/// input; nothing else of the input changes.
fn fetch(p: &Params) -> Value {
    json!({
        "Type": "Task",
        "Resource": p.fetch,
        "Parameters": { "pointer.$": "$.pointer" },
        "ResultPath": "$.text",
        "TimeoutSeconds": p.task_seconds,
        "Catch": parked(),
        "Next": "Invoke",
    })
}

/// Step Functions asks Bedrock itself: a function in between would wait, and be paid for waiting.
fn invoke(p: &Params) -> Value {
    json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::bedrock:invokeModel",
        "Parameters": {
            "ModelId": p.model,
            "ContentType": "application/json",
            "Accept": "application/json",
            "Body": {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": p.max_tokens,
                // The text is put in as a value. Pasted into JSON by `States.Format`, its first
                // quotation mark would end it.
                "messages": [{
                    "role": "user",
                    "content": [{ "type": "text", "text.$": "$.text" }],
                }],
            },
        },
        "ResultPath": "$.reply",
        // What heals by waiting, and nothing else. Of a call that ran out of time nobody knows
        // whether it was paid for, so that is not made again either.
        "Retry": [{
            "ErrorEquals": [
                "Bedrock.ThrottlingException",
                "Bedrock.ModelNotReadyException",
                "Bedrock.ServiceUnavailableException",
                "Bedrock.InternalServerException",
            ],
            "IntervalSeconds": 1,
            "BackoffRate": 2,
            "MaxAttempts": p.retries,
            "MaxDelaySeconds": p.pause_seconds,
            "JitterStrategy": "FULL",
        }],
        "Catch": parked(),
        "Next": "Post",
    })
}

/// Every text block: the first block of a model that thinks aloud has no text.
fn post() -> Value {
    json!({
        "Type": "Pass",
        "Parameters": {
            "id.$": "$.id",
            "texts.$": "$.reply.Body.content[*].text",
        },
        "End": true,
    })
}

/// The job as it came, with the error beside it.
fn park(p: &Params) -> Value {
    json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": { "QueueUrl": p.dead_letters, "MessageBody.$": "$" },
        "ResultPath": null,
        "TimeoutSeconds": p.task_seconds,
        "Catch": [{
            "ErrorEquals": ["States.ALL"],
            "ResultPath": "$.parking",
            "Next": "Failed",
        }],
        "Next": "Failed",
    })
}

/// Without `ResultPath` the error would replace the job.
fn parked() -> Value {
    json!([{ "ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Park" }])
}

/// What is wrong with a definition: each mistake once, in any order.
pub fn lint(def: &Value) -> Vec<Lint> {
    let mut found = BTreeSet::new();
    look(def, &mut found);
    found.into_iter().collect()
}

type States = Map<String, Value>;

/// A machine: the definition itself, a branch of a Parallel, or what a Map does with each item.
fn look(machine: &Value, found: &mut BTreeSet<Lint>) {
    let empty = States::new();
    let states = machine["States"].as_object().unwrap_or(&empty);
    if let Some(start) = machine["StartAt"].as_str() {
        leads("StartAt", start, states, found);
    }
    let ending = ending(states);
    for (name, state) in states {
        for next in exits(state) {
            leads(name, next, states, found);
        }
        if !ending.contains(name.as_str()) {
            found.insert(Lint::NoEnd {
                state: name.clone(),
            });
        }
        errors(name, state, found);
        let branches = list(state, "Branches").iter();
        for inner in branches.chain([&state["ItemProcessor"], &state["Iterator"]]) {
            look(inner, found);
        }
    }
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// Everywhere a state can lead to.
fn exits(state: &Value) -> impl Iterator<Item = &str> {
    let inner = list(state, "Choices").iter().chain(list(state, "Catch"));
    let next = inner.chain([state]).map(|from| &from["Next"]);
    next.chain([&state["Default"]]).filter_map(Value::as_str)
}

fn leads(from: &str, to: &str, states: &States, found: &mut BTreeSet<Lint>) {
    if !states.contains_key(to) {
        let (from, to) = (from.to_owned(), to.to_owned());
        found.insert(Lint::NoSuchState { from, to });
    }
}

/// The states from which an end can be reached: the ends, then whoever leads to one of these, until
/// there are no more. A name without a state is a mistake already told, so it counts as an end.
fn ending(states: &States) -> BTreeSet<&str> {
    let mut ending = BTreeSet::new();
    loop {
        let before = ending.len();
        for (name, state) in states {
            let end = matches!(state["Type"].as_str(), Some("Succeed" | "Fail"))
                || state["End"] == true
                || exits(state).any(|to| !states.contains_key(to) || ending.contains(to));
            if end {
                ending.insert(name.as_str());
            }
        }
        if ending.len() == before {
            return ending;
        }
    }
}

/// What a state does when something fails.
fn errors(name: &str, state: &Value, found: &mut BTreeSet<Lint>) {
    let state_name = || name.to_owned();
    let (retry, catch) = (list(state, "Retry"), list(state, "Catch"));
    if state["Type"] == "Task" {
        if state["TimeoutSeconds"].is_null() && state["TimeoutSecondsPath"].is_null() {
            let state = state_name();
            found.insert(Lint::NoTimeout { state });
        }
        if !catch.last().is_some_and(takes_all) {
            let state = state_name();
            found.insert(Lint::NoCatch { state });
        }
    }
    for retrier in retry {
        if retrier["MaxAttempts"].is_null() || retrier["MaxDelaySeconds"].is_null() {
            let state = state_name();
            found.insert(Lint::NoLimit { state });
        }
    }
    for catcher in catch {
        // Not so `null`: it drops the error and keeps the input.
        if catcher.get("ResultPath").is_none_or(|path| path == "$") {
            let state = state_name();
            found.insert(Lint::LosesInput { state });
        }
    }
    for entries in [retry, catch] {
        for (at, entry) in entries.iter().enumerate() {
            let last = at + 1 == entries.len();
            if takes_all(entry) && (!last || list(entry, "ErrorEquals").len() > 1) {
                let state = state_name();
                found.insert(Lint::NotLast { state });
            }
        }
    }
}

fn takes_all(entry: &Value) -> bool {
    list(entry, "ErrorEquals").iter().any(|e| e == "States.ALL")
}
