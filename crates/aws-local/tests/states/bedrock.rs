//! Tasks that ask Bedrock, in the name of the machine's role.

use std::time::Duration;

use aws_sdk_sfn::types::ExecutionStatus;
use bedrock_emulator::{
    Config, Emulator,
    fault::FaultRule,
    journal::Entry,
    policy::NamedPolicy,
    script::{Fault, Step, When},
};
use serde_json::{Value, json};

use crate::bench::{Bench, ROLE, bench, bench_with, json, only, task};

const INVOKE_MODEL: &str = "arn:aws:states:::bedrock:invokeModel";

/// The us-east-1 profile id of a current model.
fn model(emulator: &Emulator) -> String {
    let catalogue = emulator.catalogue();
    let model = catalogue.by_alias("haiku").unwrap();
    catalogue.profile_id(model, "us-east-1").unwrap()
}

fn invoke(model: &str, more: &Value) -> Value {
    let mut state = task(INVOKE_MODEL, more);
    state["Parameters"] = json!({
        "ModelId": model,
        "ContentType": "application/json",
        "Accept": "application/json",
        "Body": {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 64,
            "messages": [{"role": "user", "content.$": "$.prompt"}],
        },
    });
    state
}

fn invocations(bench: &Bench) -> Vec<Entry> {
    let mut entries = bench.emulator().journal();
    entries.retain(|entry| entry.operation.as_deref() == Some("InvokeModel"));
    entries
}

#[tokio::test]
async fn a_throttled_model_is_asked_again_and_answers() {
    let bench = bench().await;
    bench.emulator().script([Step::text("Four.")]);
    let throttled = Fault::Throttling {
        retry_after_ms: None,
    };
    let when = When::any().operation("InvokeModel");
    bench
        .emulator()
        .faults([FaultRule::new(throttled).when(when).count(2)]);
    let retry = json!({"Retry": [{
        "ErrorEquals": ["Bedrock.ThrottlingException"],
        "IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 4,
        "MaxDelaySeconds": 20, "JitterStrategy": "FULL",
    }]});
    let definition = only(&invoke(&model(bench.emulator()), &retry));
    let ended = bench
        .run(&definition, &json!({"prompt": "Two and two?"}))
        .await;
    assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
    let output = json(ended.output());
    assert_eq!(output["ContentType"], "application/json");
    assert_eq!(output["Body"]["content"][0]["text"], "Four.");

    let history = bench.history(&ended.execution_arn).await;
    let failed: Vec<_> = history
        .iter()
        .filter_map(|event| event.task_failed_event_details())
        .collect();
    assert_eq!(failed.len(), 2);
    for failed in failed {
        assert_eq!(failed.error(), Some("Bedrock.ThrottlingException"));
        let cause = failed.cause().unwrap();
        assert!(
            cause.contains("(Service: BedrockRuntime, Status Code: 429, Request ID: "),
            "{cause}"
        );
    }
    let types = bench.types(&ended.execution_arn).await;
    let entered = types.iter().filter(|t| *t == "TaskScheduled").count();
    assert_eq!(entered, 3);

    // Three real requests, in the name of the role, where the diagram can see them.
    let entries = invocations(&bench);
    let statuses: Vec<u16> = entries.iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [429, 429, 200]);
    let run = ended.name().unwrap();
    let caller = format!("arn:aws:sts::123456789012:assumed-role/workflow/{run}");
    for entry in &entries {
        assert_eq!(entry.identity.as_deref(), Some(&*caller));
        let lit = entry
            .trace
            .iter()
            .any(|lit| lit.edge.as_deref() == Some("SFN-BR"));
        assert!(lit, "{:?}", entry.trace);
    }
    assert_eq!(
        entries[2].body.as_ref().unwrap()["messages"][0]["content"],
        "Two and two?"
    );
}

/// Whoever watches the endpoint sees what no socket did.
#[tokio::test]
async fn calls_of_tasks_are_among_the_live_events() {
    let bench = bench().await;
    let mut entries = bench.endpoint.subscribe();
    let definition = only(&invoke(&model(bench.emulator()), &json!({})));
    bench.run(&definition, &json!({"prompt": "Hello"})).await;
    let mut operations = Vec::new();
    while let Ok(entry) = entries.try_recv() {
        operations.extend(entry.operation.clone());
    }
    assert!(
        operations.iter().any(|o| o == "InvokeModel"),
        "{operations:?}"
    );
}

#[tokio::test]
async fn what_the_role_may_not_is_caught() {
    let nothing = NamedPolicy {
        name: "nothing of Bedrock".to_owned(),
        document: json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}],
        }),
    };
    let change = |config: &mut Config| {
        config
            .identities
            .push(bedrock_emulator::identity::Identity {
                arn: ROLE.to_owned(),
                policies: Some(vec![nothing]),
                ..Default::default()
            });
    };
    let bench = bench_with(|_| {}, change).await;
    let more = json!({
        "Retry": [{"ErrorEquals": ["Bedrock.ThrottlingException"]}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}],
    });
    let mut definition = only(&invoke(&model(bench.emulator()), &more));
    definition["States"]["Caught"] = json!({"Type": "Pass", "End": true});
    let ended = bench.run(&definition, &json!({"prompt": "Hello"})).await;
    let output = json(ended.output());
    assert_eq!(output["prompt"], "Hello");
    assert_eq!(output["error"]["Error"], "Bedrock.AccessDeniedException");
    let cause = output["error"]["Cause"].as_str().unwrap();
    assert!(cause.contains("assumed-role/workflow/"), "{cause}");
    assert_eq!(invocations(&bench).len(), 1);
}

#[tokio::test]
async fn a_model_that_never_answers_ends_with_the_timeout() {
    let bench = bench().await;
    let when = When::any().operation("InvokeModel");
    bench
        .emulator()
        .faults([FaultRule::new(Fault::Hang).when(when)]);
    let limit = json!({"TimeoutSeconds": 30});
    let definition = only(&invoke(&model(bench.emulator()), &limit));
    let ended = bench.run(&definition, &json!({"prompt": "Hello"})).await;
    assert_eq!(ended.error(), Some("States.Timeout"));
    assert_eq!(
        ended.stop_date.unwrap().secs() - ended.start_date.secs(),
        30
    );
}

/// A model's time is the execution's: nobody waits for it in virtual time.
#[tokio::test]
async fn a_models_time_shows_in_the_history() {
    let bench = bench().await;
    let when = When::any().operation("InvokeModel");
    bench
        .emulator()
        .faults([FaultRule::delay(Duration::from_secs(25)).when(when)]);
    let definition = only(&invoke(&model(bench.emulator()), &json!({})));
    let ended = bench.run(&definition, &json!({"prompt": "Hello"})).await;
    assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
    assert_eq!(
        ended.stop_date.unwrap().secs() - ended.start_date.secs(),
        25
    );
}

#[tokio::test]
async fn the_sdk_integration_speaks_pascal_case() {
    let bench = bench().await;
    bench.emulator().script([Step::text("Hello you.")]);
    let mut state = task(
        "arn:aws:states:::aws-sdk:bedrockruntime:converse",
        &json!({}),
    );
    state["Parameters"] = json!({
        "ModelId": model(bench.emulator()),
        "Messages": [{"Role": "user", "Content": [{"Text.$": "$.prompt"}]}],
        "InferenceConfig": {"MaxTokens": 64},
    });
    let ended = bench.run(&only(&state), &json!({"prompt": "Hello"})).await;
    let output = json(ended.output());
    assert_eq!(
        output["Output"]["Message"]["Content"][0]["Text"],
        "Hello you."
    );
    assert_eq!(output["StopReason"], "end_turn");
    assert!(output["Usage"]["InputTokens"].is_u64());

    // A mistake in the parameters is the service's to find.
    state["Parameters"]["Messages"][0]["Role"] = json!("nobody");
    let machine = bench.create("wrong", &only(&state)).await;
    let run = bench.start(&machine, &json!({"prompt": "Hello"})).await;
    let ended = bench.ended(&run).await;
    assert_eq!(ended.error(), Some("BedrockRuntime.ValidationException"));
}

/// One state machine starts another through the same door.
#[tokio::test]
async fn a_state_machine_calls_step_functions() {
    let bench = bench().await;
    let inner = only(&json!({"Type": "Pass", "End": true}));
    let inner = bench.create("inner", &inner).await;
    let mut state = task("arn:aws:states:::aws-sdk:sfn:startExecution", &json!({}));
    state["Parameters"] = json!({"StateMachineArn": inner, "Name": "child", "Input": {"n": 1}});
    let machine = bench.create("outer", &only(&state)).await;
    let run = bench.start(&machine, &json!({})).await;
    let ended = bench.ended(&run).await;
    let output = json(ended.output());
    let child = "arn:aws:states:us-east-1:123456789012:execution:inner:child";
    assert_eq!(output["ExecutionArn"], child);
    let child = bench
        .client
        .describe_execution()
        .execution_arn(child)
        .send();
    assert_eq!(child.await.unwrap().input(), Some(r#"{"n":1}"#));
}
