//! Runs a machine of three tasks in virtual time and prints its history.
//!
//! `cargo run -p states-language --example three_tasks`

use std::{error::Error, sync::Arc};

use serde_json::{Value, json};
use states_language::{
    Command, ContextInfo, Execution, StateMachine, TaskFailure, invalid_definition,
};
use time::OffsetDateTime;

const DEFINITION: &str = r#"{
    "StartAt": "Validate",
    "States": {
        "Validate": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:validate",
            "Next": "Summarize"
        },
        "Summarize": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:summarize",
            "Retry": [{"ErrorEquals": ["ThrottlingException"], "IntervalSeconds": 2, "BackoffRate": 2}],
            "ResultPath": "$.summary",
            "Next": "Store"
        },
        "Store": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:store",
            "End": true
        }
    }
}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let machine = StateMachine::parse(DEFINITION).map_err(|found| invalid_definition(&found))?;
    let context = ContextInfo::named(
        "arn:aws:states:us-east-1:123456789012:stateMachine:summaries",
        "first",
    );
    let start = OffsetDateTime::UNIX_EPOCH;
    let mut now = start;
    let mut execution =
        Execution::start(Arc::new(machine), json!({"text": "Hello"}), context, 1, now);
    let mut throttled = 0;
    loop {
        for command in execution.poll(now) {
            let Command::Task(task) = command else {
                continue;
            };
            let answer: Result<Value, TaskFailure> = match task.state.as_str() {
                "Summarize" if throttled < 2 => {
                    throttled += 1;
                    Err(TaskFailure::new("ThrottlingException", "Too many requests"))
                }
                "Summarize" => Ok(json!("A greeting.")),
                _ => Ok(Value::clone(&task.input)),
            };
            execution.complete(task.token, answer, now);
        }
        // Virtual time: nobody waits for a retry.
        match execution.next_deadline() {
            Some(at) => now = at,
            None => break,
        }
    }
    for event in execution.history() {
        let seconds = (event.timestamp - start).whole_seconds();
        println!("{seconds:>3} s  {}", event.to_json());
    }
    println!("{:?}", execution.outcome());
    Ok(())
}
