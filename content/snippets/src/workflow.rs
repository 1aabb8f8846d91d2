//! The workflow: Step Functions prepares, asks Bedrock itself, and stores, with a retry, a way
//! out and a time limit in every step.

use serde_json::{Value, json};

/// The ARNs and names that differ from account to account.
#[derive(Debug, Clone)]
pub struct Params {
    /// The function that checks and shapes the input.
    pub preprocess: String,
    /// The function that joins the text blocks and stores the answer.
    pub postprocess: String,
    /// An inference profile id or ARN.
    pub model: String,
    /// Longest answer, in tokens.
    pub max_tokens: u32,
    /// URL of the queue for jobs that failed.
    pub dead_letter_url: String,
}

// region: definition
/// The state machine, in the Amazon States Language.
pub fn definition(params: &Params) -> Value {
    json!({
        "StartAt": "Preprocess",
        "TimeoutSeconds": 300,
        "States": {
            "Preprocess": function(&params.preprocess, "$.clean", "Invoke"),
            "Invoke": invoke(params),
            "Postprocess": function(&params.postprocess, "$.stored", "Done"),
            "Done": {"Type": "Succeed"},
            "SendToDeadLetters": dead_letter(&params.dead_letter_url),
            "Failed": {"Type": "Fail", "ErrorPath": "$.error.Error"},
        },
    })
}
// endregion: definition

// region: invoke
/// Step Functions calls Bedrock itself; a Lambda in between would only wait and be billed.
fn invoke(params: &Params) -> Value {
    json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::bedrock:invokeModel",
        "Parameters": {
            "ModelId": params.model,
            "Body": {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": params.max_tokens,
                "messages": [{
                    "role": "user",
                    "content": [{"type": "text", "text.$": "$.clean.Payload.prompt"}],
                }],
            },
        },
        "ResultSelector": {
            "content.$": "$.Body.content",
            "stopReason.$": "$.Body.stop_reason",
            "usage.$": "$.Body.usage",
        },
        "ResultPath": "$.answer",
        "TimeoutSeconds": 60,
        "Retry": [{
            "ErrorEquals": [
                "Bedrock.ThrottlingException",
                "Bedrock.ServiceUnavailableException",
                "Bedrock.InternalServerException",
                "Bedrock.ModelTimeoutException",
                "Bedrock.ModelNotReadyException",
            ],
            "IntervalSeconds": 1,
            "BackoffRate": 2,
            "MaxAttempts": 4,
            "MaxDelaySeconds": 20,
            "JitterStrategy": "FULL",
        }],
        // Everything else, access denied first of all, goes straight out. The job stays in the
        // state: without ResultPath the error would replace it.
        "Catch": [catch_all("SendToDeadLetters")],
        "Next": "Postprocess",
    })
}

fn catch_all(next: &str) -> Value {
    json!({"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": next})
}
// endregion: invoke

fn function(arn: &str, result_path: &str, next: &str) -> Value {
    json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": arn, "Payload.$": "$"},
        "ResultPath": result_path,
        "TimeoutSeconds": 15,
        "Retry": [{
            "ErrorEquals": [
                "Lambda.ServiceException",
                "Lambda.AWSLambdaException",
                "Lambda.SdkClientException",
                "Lambda.TooManyRequestsException",
            ],
            "IntervalSeconds": 1,
            "BackoffRate": 2,
            "MaxAttempts": 3,
            "JitterStrategy": "FULL",
        }],
        "Catch": [catch_all("SendToDeadLetters")],
        "Next": next,
    })
}

fn dead_letter(queue_url: &str) -> Value {
    json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {
            "QueueUrl": queue_url,
            "MessageBody": {"jobId.$": "$.jobId", "error.$": "$.error.Error"},
        },
        "ResultPath": null,
        "TimeoutSeconds": 15,
        "Retry": [{
            "ErrorEquals": ["States.TaskFailed"],
            "IntervalSeconds": 1,
            "BackoffRate": 2,
            "MaxAttempts": 3,
            "JitterStrategy": "FULL",
        }],
        "Catch": [catch_all("Failed")],
        "Next": "Failed",
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::{Params, definition};

    fn states() -> Map<String, Value> {
        let function = |name| format!("arn:aws:lambda:us-east-1:123456789012:function:{name}");
        let mut definition = definition(&Params {
            preprocess: function("preprocess"),
            postprocess: function("postprocess"),
            model: "an inference profile id".to_owned(),
            max_tokens: 500,
            dead_letter_url: "https://sqs.example/123456789012/dead".to_owned(),
        });
        assert_eq!(definition["StartAt"], "Preprocess");
        assert!(definition["TimeoutSeconds"].is_u64());
        let Value::Object(states) = definition["States"].take() else {
            panic!("States is an object");
        };
        states
    }

    /// Where a state leads, by `Next` and by `Catch`.
    fn exits(state: &Value) -> Vec<&str> {
        let caught = state["Catch"].as_array().into_iter().flatten();
        let next = caught.map(|c| &c["Next"]).chain([&state["Next"]]);
        next.filter_map(Value::as_str).collect()
    }

    #[test]
    fn every_way_leads_to_an_end() {
        let states = states();
        for (name, state) in &states {
            let exits = exits(state);
            let ends = ["Succeed", "Fail"].contains(&state["Type"].as_str().unwrap());
            assert_eq!(exits.is_empty(), ends, "{name}");
            for exit in exits {
                assert!(states.contains_key(exit), "{name} leads to {exit}");
            }
        }
        let mut at = "Preprocess";
        let mut way = vec![at];
        while let Some(next) = states[at]["Next"].as_str() {
            assert!(way.len() < states.len(), "a circle: {way:?}");
            at = next;
            way.push(at);
        }
        assert_eq!(way, ["Preprocess", "Invoke", "Postprocess", "Done"]);
    }

    #[test]
    fn every_task_has_a_time_limit_a_jittered_retry_and_a_catch_that_keeps_the_job() {
        let states = states();
        for (name, task) in states.iter().filter(|(_, s)| s["Type"] == "Task") {
            assert!(task["TimeoutSeconds"].is_u64(), "{name}");
            for retry in task["Retry"].as_array().unwrap() {
                assert_eq!(retry["JitterStrategy"], "FULL", "{name}");
                let errors = retry["ErrorEquals"].as_array().unwrap();
                assert!(!errors.iter().any(|e| e == "States.ALL"), "{name}");
            }
            let catch = task["Catch"].as_array().unwrap().last().unwrap();
            assert_eq!(catch["ErrorEquals"], serde_json::json!(["States.ALL"]));
            assert_eq!(catch["ResultPath"], "$.error", "{name}");
        }
    }

    #[test]
    fn no_step_overwrites_the_job_and_the_model_reads_what_preprocess_wrote() {
        let states = states();
        for name in ["Preprocess", "Invoke", "Postprocess"] {
            let path = states[name]["ResultPath"].as_str().unwrap();
            assert!(
                path.starts_with("$.") && path != "$.jobId",
                "{name}: {path}"
            );
        }
        let written = states["Preprocess"]["ResultPath"].as_str().unwrap();
        let message = &states["Invoke"]["Parameters"]["Body"]["messages"][0];
        assert_eq!(
            message["content"][0]["text.$"],
            format!("{written}.Payload.prompt") // `lambda:invoke` puts the answer into Payload
        );
    }

    #[test]
    fn access_denied_is_not_retried() {
        let states = states();
        let retried = states["Invoke"]["Retry"].to_string();
        assert!(retried.contains("Bedrock.ThrottlingException"));
        assert!(!retried.contains("AccessDenied") && !retried.contains("Validation"));
    }

    #[test]
    fn the_body_is_what_invoke_model_takes() {
        let states = states();
        let mut body = states["Invoke"]["Parameters"]["Body"].clone();
        // What Step Functions does with `text.$`.
        body["messages"][0]["content"][0] = serde_json::json!({"type": "text", "text": "Hello"});
        let mut plain = crate::invoke::body("Hello", 500);
        plain["messages"][0]["content"] = body["messages"][0]["content"].clone();
        assert_eq!(body, plain);
    }
}
