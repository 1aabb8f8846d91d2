//! What is left behind: journal, diagram events, logs and metrics.

use bedrock_emulator::{
    Emulator,
    script::{Fault, Step},
    trace::TraceStatus,
};
use serde_json::{Value, json};

use crate::bench::{call, json as body, now, open, post, profile, with};

fn ask() -> Value {
    json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}], "requestMetadata": {"team": "a"}})
}

fn lit(emulator: &Emulator) -> Vec<(String, TraceStatus)> {
    let entry = emulator.journal().pop().unwrap();
    let events = entry.trace.into_iter();
    let names = events.map(|e| (e.edge.unwrap_or(e.node), e.status));
    names.collect()
}

fn names(lit: &[(String, TraceStatus)]) -> Vec<&str> {
    lit.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn an_answer_lights_the_way_to_its_model_and_back() {
    let emulator = open();
    for (alias, edge) in [
        ("haiku", "BR-HAIKU"),
        ("sonnet", "BR-SONNET"),
        ("opus", "BR-OPUS"),
    ] {
        call(&emulator, &profile(&emulator, alias), "converse", &ask());
        let lit = lit(&emulator);
        assert_eq!(
            names(&lit),
            [
                "CC",
                "CC-USER",
                "USER-POLICY",
                "POLICY-BR",
                edge,
                "BR-METRICS",
                "BR-CW"
            ]
        );
        assert!(lit.iter().all(|(_, status)| *status == TraceStatus::Ok));
    }
}

#[test]
fn only_what_was_reached_is_lit() {
    let emulator = with(|c| c.invocation_logging = false);
    let model = profile(&emulator, "haiku");
    call(&emulator, &model, "converse", &ask());
    assert!(!names(&lit(&emulator)).contains(&"BR-CW"));
    emulator.script([Step::Fault(Fault::Throttling {
        retry_after_ms: None,
    })]);
    call(&emulator, &model, "converse", &ask());
    let throttled = lit(&emulator);
    assert_eq!(
        names(&throttled),
        ["CC", "CC-USER", "USER-POLICY", "POLICY-BR", "BR-METRICS"]
    );
    assert_eq!(throttled[3].1, TraceStatus::Throttled);
    call(&emulator, "nonsense", "converse", &ask());
    assert_eq!(
        lit(&emulator)[3],
        ("POLICY-BR".to_owned(), TraceStatus::Denied)
    );
    let deny = json!({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}});
    emulator.set_policies(&[deny]).unwrap();
    call(&emulator, &model, "converse", &ask());
    assert_eq!(
        lit(&emulator).last().unwrap(),
        &("USER-POLICY".to_owned(), TraceStatus::Denied)
    );
    let strict = with(|c| c.auth = bedrock_emulator::emulator::Auth::Strict);
    call(&strict, &model, "converse", &ask());
    assert_eq!(
        lit(&strict).last().unwrap(),
        &("CC-USER".to_owned(), TraceStatus::Denied)
    );
}

#[test]
fn the_journal_knows_attempts_and_answers_and_is_bounded() {
    let emulator = with(|c| c.journal_capacity = 2);
    let model = profile(&emulator, "haiku");
    let mut request = post(&model, "converse", ask().to_string());
    request
        .headers
        .push(("amz-sdk-invocation-id".to_owned(), "call-1".to_owned()));
    request
        .headers
        .push(("amz-sdk-request".to_owned(), "attempt=2; max=3".to_owned()));
    for _ in 0..3 {
        emulator.handle(&request, now());
    }
    let entries = emulator.journal();
    assert_eq!(entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [2, 3]);
    let entry = &entries[1];
    assert_eq!(entry.model.as_deref(), Some(model.as_str()));
    assert_eq!(entry.invocation.as_deref(), Some("call-1"));
    assert_eq!((entry.attempt, entry.max_attempts), (Some(2), Some(3)));
    assert_eq!(entry.stop_reason.as_deref(), Some("end_turn"));
    assert!(entry.usage.unwrap().output > 0);
    assert!(emulator.entry(1).is_none() && emulator.entry(3).is_some());
    assert_eq!(emulator.logs().len(), 2);
}

#[test]
fn a_log_record_has_the_shape_of_cloudwatchs() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let reply = call(&emulator, &model, "converse", &ask());
    let record = &emulator.logs()[0].record;
    let answer = body(&reply);
    for (key, wanted) in [
        ("schemaType", "ModelInvocationLog"),
        ("schemaVersion", "1.0"),
        ("timestamp", "2026-08-19T14:34:34Z"),
        ("accountId", "123456789012"),
        ("region", "us-east-1"),
        ("operation", "Converse"),
    ] {
        assert_eq!(record[key], wanted);
    }
    assert_eq!(
        record["modelId"],
        format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/{model}")
    );
    assert_eq!(record["input"]["inputBodyJson"], ask());
    assert_eq!(
        record["input"]["inputTokenCount"],
        answer["usage"]["inputTokens"]
    );
    assert_eq!(record["output"]["outputBodyJson"], answer);
    assert_eq!(record["requestMetadata"], json!({"team": "a"}));
    let invoke = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    call(&emulator, &model, "invoke-with-response-stream", &invoke);
    assert!(emulator.logs()[1].record["output"]["outputBodyJson"].is_array());
    emulator.set_invocation_logging(false);
    call(&emulator, &model, "converse", &ask());
    assert_eq!(emulator.logs().len(), 2);
}

#[test]
fn metrics_count_as_cloudwatch_counts() {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    let reply = call(&emulator, &model, "converse", &ask());
    call(&emulator, &model, "converse-stream", &ask());
    emulator.script([
        Step::Fault(Fault::Throttling {
            retry_after_ms: None,
        }),
        Step::Fault(Fault::InternalServer),
    ]);
    call(&emulator, &model, "converse", &ask());
    call(&emulator, &model, "converse", &ask());
    call(&emulator, &model, "converse", &json!({}));
    call(&emulator, "nonsense", "converse", &ask());
    let metrics = emulator.metrics();
    let count = |name: &str| metrics.get(name, &model).count;
    assert_eq!(count("Invocations"), 3, "two answers and a server error");
    assert_eq!(count("InvocationThrottles"), 1);
    assert_eq!(count("InvocationServerErrors"), 1);
    assert_eq!(count("InvocationClientErrors"), 1);
    assert_eq!(count("InvocationLatency"), 2);
    assert_eq!(count("TimeToFirstToken"), 1, "streams only");
    let input = body(&reply)["usage"]["inputTokens"].as_f64().unwrap();
    let series = metrics.get("InputTokenCount", &model);
    assert!((series.sum - 2.0 * input).abs() < f64::EPSILON);
    assert!(
        metrics.iter().all(|(_, id, _)| id == model),
        "no series for unknown ids"
    );
}
