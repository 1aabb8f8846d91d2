//! What the interpreter must survive: any definition, any input, any expression, and whatever a task
//! answers. A function panics when a bound does not hold or a history is not as AWS would show it.

use std::sync::Arc;

use serde_json::{Value, json};
use states_language::{
    Command, ContextInfo, Execution, Outcome, StateMachine, TaskFailure, invalid_definition, limits,
};
use time::{Duration, OffsetDateTime};

/// A definition, and behind a line break the input of its execution.
pub fn definition(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (text, input) = text.rsplit_once("\n\n").unwrap_or((&text, "{}"));
    match StateMachine::parse(text) {
        Ok(machine) => {
            let input = serde_json::from_str(input).unwrap_or(Value::Null);
            execute(machine, input, data);
        }
        Err(found) => {
            assert!(!found.is_empty() && found.len() <= 100);
            assert!(invalid_definition(&found).starts_with("Invalid State Machine Definition: '"));
        }
    }
}

/// A path or call as the value of a template, against an input of some of everything.
pub fn expression(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Parameters": {"x.$": text}, "ResultPath": "$.r", "Next": "B"},
        "B": {"Type": "Choice", "Default": "C", "Choices": [
            {"Variable": "$.r.x", "IsPresent": true, "Next": "C"}]},
        "C": {"Type": "Succeed", "OutputPath": "$.r.x"},
    }});
    let Ok(machine) = StateMachine::parse(&definition.to_string()) else {
        return;
    };
    let input = json!({
        "a": {"b": [1, {"c": "text"}, null, [true, 2.5]]}, "n": -7, "s": "a,b", "": {"": []},
        "items": [{"p": 1}, {"p": 2, "q": {"p": 3}}], "json": "{\"k\": [1]}", "é": "ü",
    });
    execute(machine, input, data);
}

/// Drives an execution in virtual time; the bytes decide what the tasks answer.
fn execute(machine: StateMachine, input: Value, dice: &[u8]) {
    let context = ContextInfo::named(
        "arn:aws:states:us-east-1:123456789012:stateMachine:fuzz",
        "run",
    );
    let mut now = OffsetDateTime::UNIX_EPOCH;
    let mut execution = Execution::start(Arc::new(machine), input, context, 1, now);
    let mut dice = dice.iter().copied().cycle();
    for _ in 0..400 {
        for command in execution.poll(now) {
            let Command::Task(task) = command else {
                continue;
            };
            let answer = match dice.next().unwrap_or_default() % 5 {
                0 => Err(TaskFailure::new("States.Timeout", "")),
                1 => Err(TaskFailure::new("Custom", "why")),
                2 => Ok(json!({"Payload": {"n": 1, "l": [1, 2]}, "done": true})),
                3 => Ok(Value::clone(&task.input)),
                _ => continue,
            };
            execution.complete(task.token, answer, now);
        }
        let Some(at) = execution.next_deadline() else {
            break;
        };
        now = now.max(at);
    }
    execution.stop(None, None, now + Duration::SECOND);
    // Tasks that still run are cancelled.
    execution.poll(now + Duration::SECOND);
    whole(&execution);
}

/// Whether the history is one.
fn whole(execution: &Execution) {
    let events = execution.history();
    let length = u64::try_from(events.len()).unwrap_or(u64::MAX);
    assert!(length <= limits::HISTORY_EVENTS);
    for (event, id) in events.iter().zip(1..) {
        assert_eq!(event.id, id);
        assert!(event.previous_event_id < id);
        let shown = event.to_json();
        assert!(shown.get("details").is_none(), "{shown}");
    }
    // Where it still ran, `stop` ended it; without tasks or timers it would have hung.
    assert!(execution.is_over());
    assert!(execution.next_deadline().is_none());
    if let Outcome::Succeeded(output) = execution.outcome() {
        assert!(output.to_string().len() <= limits::PAYLOAD_BYTES);
    }
}
