//! Guardrails: made, versioned, applied. The golden answers follow two recordings of
//! `ApplyGuardrail` and one of each kind of invocation.

use bedrock_emulator::{
    Emulator, Reply, Request,
    script::{Piece, Step},
};
use serde_json::{Value, json};
use time::Duration;

use crate::bench::{base, call, chunks, events, header, json, now, open, post, profile, text};

fn send(emulator: &Emulator, method: &str, target: &str, body: &Value) -> Reply {
    let request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: bedrock_emulator::Headers::default(),
        body: if body.is_null() {
            bytes::Bytes::new()
        } else {
            body.to_string().into()
        },
        connection: 1,
    };
    emulator.handle(&request, now())
}

/// The policies of the recorded guardrail.
fn investments() -> Value {
    let filters = ["SEXUAL", "VIOLENCE"]
        .map(|kind| json!({ "type": kind, "inputStrength": "HIGH", "outputStrength": "HIGH" }));
    json!({
        "name": "advice",
        "topicPolicyConfig": { "topicsConfig": [{
            "name": "InvestmentObjectives",
            "definition": "Advice about stocks, funds or expected returns of investments.",
            "examples": ["Which stock should I buy?"],
            "type": "DENY",
        }]},
        "contentPolicyConfig": { "filtersConfig": filters },
        "sensitiveInformationPolicyConfig": { "piiEntitiesConfig": [
            { "type": "EMAIL", "action": "BLOCK" },
            { "type": "PHONE", "action": "ANONYMIZE" },
        ]},
        "blockedInputMessaging": "Sorry, the model cannot answer this question.",
        "blockedOutputsMessaging": "Sorry, that answer was held back.",
    })
}

fn create(emulator: &Emulator, definition: &Value) -> String {
    let reply = send(emulator, "POST", "/guardrails", definition);
    assert_eq!(reply.status, 202, "{}", text(&reply));
    json(&reply)["guardrailId"].as_str().unwrap().to_owned()
}

fn apply(emulator: &Emulator, id: &str, version: &str, said: &str) -> Value {
    let body = json!({
        "source": "INPUT", "content": [{ "text": { "text": said } }], "outputScope": "FULL",
    });
    let target = format!("/guardrail/{id}/version/{version}/apply");
    json(&send(emulator, "POST", &target, &body))
}

#[test]
fn a_blocked_text_is_answered_as_recorded() {
    let emulator = open();
    let id = create(&emulator, &investments());
    let said = "Give stock suggestions for the NASDAQ100. Expected returns are around 20% CAGR. \
                Also Send this report to email abc@pqrt.com";
    let mut answer = apply(&emulator, &id, "DRAFT", said);
    let assessment = &mut answer["assessments"][0];
    assessment["invocationMetrics"]["guardrailProcessingLatency"] = 379.into();
    let arn = format!("arn:aws:bedrock:us-east-1:123456789012:guardrail/{id}");
    let filter = |kind: &str| {
        json!({
            "action": "NONE", "confidence": "NONE", "detected": false, "filterStrength": "HIGH",
            "type": kind,
        })
    };
    let coverage = json!({ "images": null, "textCharacters": { "guarded": 123, "total": 123 } });
    let usage = json!({
        "automatedReasoningPolicies": 0, "automatedReasoningPolicyUnits": 0,
        "contentPolicyImageUnits": 0, "contentPolicyUnits": 1,
        "contextualGroundingPolicyUnits": 0, "sensitiveInformationPolicyFreeUnits": 0,
        "sensitiveInformationPolicyUnits": 1, "topicPolicyUnits": 1, "wordPolicyUnits": 0,
    });
    let message = "Sorry, the model cannot answer this question.";
    let wanted = json!({
        "action": "GUARDRAIL_INTERVENED",
        "actionReason": "Guardrail blocked.",
        "assessments": [{
            "appliedGuardrailDetails": {
                "guardrailArn": arn, "guardrailId": id, "guardrailOrigin": ["REQUEST"],
                "guardrailOwnership": "SELF", "guardrailVersion": "DRAFT",
            },
            "automatedReasoningPolicy": null,
            "contentPolicy": { "filters": [filter("SEXUAL"), filter("VIOLENCE")] },
            "contextualGroundingPolicy": null,
            "invocationMetrics": {
                "guardrailCoverage": coverage, "guardrailProcessingLatency": 379, "usage": usage,
            },
            "sensitiveInformationPolicy": {
                "piiEntities": [
                    { "action": "BLOCKED", "detected": true, "match": "abc@pqrt.com", "type": "EMAIL" },
                    { "action": "NONE", "detected": false, "match": "", "type": "PHONE" },
                ],
                "regexes": null,
            },
            "topicPolicy": { "topics": [{
                "action": "BLOCKED", "detected": true, "name": "InvestmentObjectives", "type": "DENY",
            }]},
            "wordPolicy": null,
        }],
        "blockedResponse": message,
        "guardrailCoverage": coverage,
        "output": [{ "text": message }],
        "outputs": [{ "text": message }],
        "usage": usage,
    });
    assert_eq!(answer, wanted);
}

#[test]
fn a_harmless_text_passes() {
    let emulator = open();
    let id = create(&emulator, &investments());
    let answer = apply(&emulator, &id, "DRAFT", "Who is the president of USA?");
    assert_eq!(answer["action"], "NONE");
    assert_eq!(answer["actionReason"], "No action.");
    assert_eq!(answer["outputs"], json!([]));
    assert_eq!(answer["blockedResponse"], Value::Null);
}

#[test]
fn what_is_masked_is_replaced_by_its_name() {
    let emulator = open();
    let id = create(&emulator, &investments());
    let answer = apply(&emulator, &id, "DRAFT", "Call me at 555-010-9999, please.");
    assert_eq!(answer["action"], "GUARDRAIL_INTERVENED");
    assert_eq!(
        answer["outputs"],
        json!([{ "text": "Call me at {PHONE}, please." }])
    );
}

#[test]
fn a_version_stays_what_it_was() {
    let emulator = open();
    let id = create(&emulator, &investments());
    let path = format!("/guardrails/{id}");
    let version = json(&send(
        &emulator,
        "POST",
        &path,
        &json!({ "description": "first" }),
    ));
    assert_eq!(version, json!({ "guardrailId": id, "version": "1" }));
    let mut changed = investments();
    changed["blockedInputMessaging"] = "No.".into();
    assert_eq!(send(&emulator, "PUT", &path, &changed).status, 202);
    let said = "Which stock should I buy?";
    assert_eq!(
        apply(&emulator, &id, "DRAFT", said)["blockedResponse"],
        "No."
    );
    let first = apply(&emulator, &id, "1", said);
    assert_eq!(
        first["blockedResponse"],
        "Sorry, the model cannot answer this question."
    );
    let target = format!("{path}?guardrailVersion=1");
    let described = json(&send(&emulator, "GET", &target, &Value::Null));
    assert_eq!(
        (&described["version"], &described["description"]),
        (&json!("1"), &json!("first"))
    );
    let listed = format!("/guardrails?guardrailIdentifier={id}");
    let listed = json(&send(&emulator, "GET", &listed, &Value::Null));
    let numbers = listed["guardrails"].as_array().unwrap().iter();
    let numbers: Vec<_> = numbers.map(|g| g["version"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["DRAFT", "1"]);
    assert_eq!(send(&emulator, "DELETE", &target, &Value::Null).status, 202);
    assert_eq!(send(&emulator, "GET", &target, &Value::Null).status, 404);
}

#[test]
fn a_list_comes_in_pages() {
    let emulator = open();
    for n in 0..3 {
        let mut definition = investments();
        definition["name"] = format!("g{n}").into();
        create(&emulator, &definition);
    }
    let first = json(&send(
        &emulator,
        "GET",
        "/guardrails?maxResults=2",
        &Value::Null,
    ));
    assert_eq!(first["guardrails"].as_array().unwrap().len(), 2);
    let token = first["nextToken"].as_str().unwrap();
    let target = format!("/guardrails?maxResults=2&nextToken={token}");
    let second = json(&send(&emulator, "GET", &target, &Value::Null));
    assert_eq!(second["guardrails"].as_array().unwrap().len(), 1);
    assert_eq!(second.get("nextToken"), None);
}

#[test]
fn a_definition_that_cannot_be_used_is_refused() {
    let emulator = open();
    let rows = [
        (json!({ "name": "x" }), "at 'blockedInputMessaging'"),
        (
            json!({ "name": "a b", "blockedInputMessaging": "x", "blockedOutputsMessaging": "x" }),
            "regular expression pattern",
        ),
        (
            json!({ "name": "x", "blockedInputMessaging": "x", "blockedOutputsMessaging": "x" }),
            "at least one policy",
        ),
        (
            json!({
                "name": "x", "blockedInputMessaging": "x", "blockedOutputsMessaging": "x",
                "sensitiveInformationPolicyConfig": { "regexesConfig": [
                    { "name": "open", "pattern": "(", "action": "BLOCK" },
                ]},
            }),
            "The regex open",
        ),
    ];
    for (definition, said) in rows {
        let reply = send(&emulator, "POST", "/guardrails", &definition);
        assert_eq!(reply.status, 400);
        assert!(text(&reply).contains(said), "{}", text(&reply));
        let kind = header(&reply, "x-amzn-ErrorType").unwrap();
        assert!(kind.starts_with("ValidationException:"), "{kind}");
    }
    create(&emulator, &investments());
    let again = send(&emulator, "POST", "/guardrails", &investments());
    assert!(
        header(&again, "x-amzn-ErrorType")
            .unwrap()
            .starts_with("ConflictException")
    );
}

#[test]
fn an_asynchronous_job_runs_through_its_states() {
    let emulator = open();
    let body = json!({
        "modelId": base(&emulator, "Amazon Nova Multimodal Embeddings"),
        "modelInput": { "taskType": "SEGMENTED_EMBEDDING" },
        "outputDataConfig": { "s3OutputDataConfig": { "s3Uri": "s3://bucket/out" } },
        "clientRequestToken": "once",
    });
    let started = json(&send(&emulator, "POST", "/async-invoke", &body));
    let again = json(&send(&emulator, "POST", "/async-invoke", &body));
    assert_eq!(started, again, "the token makes it one job");
    let arn = started["invocationArn"].as_str().unwrap();
    let get = Request {
        method: "GET".to_owned(),
        target: format!(
            "/async-invoke/{}",
            arn.replace(':', "%3A").replace('/', "%2F")
        ),
        headers: bedrock_emulator::Headers::default(),
        body: bytes::Bytes::new(),
        connection: 1,
    };
    let at = |seconds| json(&emulator.handle(&get, now() + Duration::seconds(seconds)));
    assert_eq!(at(1)["status"], "InProgress");
    assert_eq!(at(3)["status"], "Completed");
    let listed = json(&send(
        &emulator,
        "GET",
        "/async-invoke?statusEquals=InProgress",
        &Value::Null,
    ));
    assert_eq!(listed["asyncInvokeSummaries"].as_array().unwrap().len(), 1);
    let haiku = emulator.catalogue().by_alias("haiku").unwrap();
    let mut refused = body.clone();
    refused["modelId"] = emulator
        .catalogue()
        .profile_id(haiku, "us-east-1")
        .unwrap()
        .into();
    assert_eq!(
        send(&emulator, "POST", "/async-invoke", &refused).status,
        400
    );
}

/// A guardrail that masks phone numbers in answers and blocks e-mail addresses in questions.
fn guarded() -> (Emulator, String) {
    let emulator = open();
    let id = create(&emulator, &investments());
    (emulator, id)
}

fn converse(emulator: &Emulator, id: &str, verb: &str, said: &str) -> Reply {
    let body = json!({
        "messages": [{ "role": "user", "content": [{ "text": said }] }],
        "guardrailConfig": {
            "guardrailIdentifier": id, "guardrailVersion": "DRAFT", "trace": "enabled",
        },
    });
    call(emulator, &profile(emulator, "haiku"), verb, &body)
}

#[test]
fn a_blocked_question_reaches_no_model() {
    let (emulator, id) = guarded();
    let reply = converse(&emulator, &id, "converse", "Mail abc@pqrt.com for me.");
    let body = json(&reply);
    assert_eq!(body["stopReason"], "guardrail_intervened");
    assert_eq!(
        body["output"]["message"]["content"],
        json!([{ "text": "Sorry, the model cannot answer this question." }])
    );
    assert_eq!(body["usage"]["totalTokens"], 0);
    let trace = &body["trace"]["guardrail"];
    assert_eq!(
        trace["inputAssessment"][&id]["sensitiveInformationPolicy"],
        json!({ "piiEntities": [{ "action": "BLOCKED", "match": "abc@pqrt.com", "type": "EMAIL" }] })
    );
    assert_eq!(trace.get("outputAssessments"), None);
}

#[test]
fn an_answer_is_masked_whole_and_streamed() {
    let (emulator, id) = guarded();
    let said = "It is 555-010-9999 or 555-010-8888.";
    emulator.script([Step::text(said), Step::text(said)]);
    let whole = json(&converse(&emulator, &id, "converse", "The number?"));
    let masked = "It is {PHONE} or {PHONE}.";
    assert_eq!(whole["stopReason"], "guardrail_intervened");
    assert_eq!(whole["output"]["message"]["content"][0]["text"], masked);
    assert_eq!(whole["trace"]["guardrail"]["modelOutput"], json!([said]));
    let found = &whole["trace"]["guardrail"]["outputAssessments"][&id][0];
    let found = found["sensitiveInformationPolicy"]["piiEntities"]
        .as_array()
        .unwrap();
    assert_eq!(found.len(), 2);
    let events = events(&converse(&emulator, &id, "converse-stream", "The number?"));
    let deltas = events
        .iter()
        .filter(|(kind, _)| kind == "contentBlockDelta");
    let deltas: Vec<_> = deltas
        .map(|(_, payload)| &payload["delta"]["text"])
        .collect();
    assert_eq!(deltas, [masked], "one piece, as recorded");
    let (_, metadata) = events.last().unwrap();
    assert_eq!(metadata["trace"]["guardrail"]["modelOutput"], json!([said]));
}

#[test]
fn what_is_guarded_can_be_marked() {
    let (emulator, id) = guarded();
    emulator.script([Step::text("Fine.")]);
    let body = json!({
        "messages": [{ "role": "user", "content": [
            { "text": "Mail abc@pqrt.com for me." },
            { "guardContent": { "text": { "text": "Hello there" } } },
        ]}],
        "guardrailConfig": {
            "guardrailIdentifier": id, "guardrailVersion": "DRAFT", "trace": "enabled_full",
        },
    });
    let reply = json(&call(
        &emulator,
        &profile(&emulator, "haiku"),
        "converse",
        &body,
    ));
    let input = &reply["trace"]["guardrail"]["inputAssessment"][&id];
    let coverage = &input["invocationMetrics"]["guardrailCoverage"]["textCharacters"];
    assert_eq!(*coverage, json!({ "guarded": 11, "total": 11 }));
    assert_eq!(input["topicPolicy"]["topics"][0]["action"], "NONE");
    assert_eq!(reply["stopReason"], "end_turn");
}

#[test]
fn an_answer_that_leaves_its_source_is_held_back() {
    let emulator = open();
    let id = create(
        &emulator,
        &json!({
            "name": "grounded",
            "contextualGroundingPolicyConfig": { "filtersConfig": [
                { "type": "GROUNDING", "threshold": 0.75 }, { "type": "RELEVANCE", "threshold": 0.5 },
            ]},
            "blockedInputMessaging": "in", "blockedOutputsMessaging": "Not in the source.",
        }),
    );
    let guard = |text: &str, qualifier: &str| json!({ "guardContent": { "text": { "text": text, "qualifiers": [qualifier] } } });
    let body = json!({
        "messages": [{ "role": "user", "content": [
            guard("Tokyo is the capital of Japan.", "grounding_source"),
            guard("What is the capital of Japan?", "query"),
        ]}],
        "guardrailConfig": {
            "guardrailIdentifier": id, "guardrailVersion": "DRAFT", "trace": "enabled",
        },
    });
    emulator.script([
        Step::text("Tokyo is the capital of Japan."),
        Step::text("Elephants dance over purple mountains."),
    ]);
    let model = profile(&emulator, "haiku");
    let scores = |reply: &Value| {
        let found = &reply["trace"]["guardrail"]["outputAssessments"][&id][0];
        let filters = found["contextualGroundingPolicy"]["filters"]
            .as_array()
            .unwrap();
        filters
            .iter()
            .map(|f| f["action"].clone())
            .collect::<Vec<_>>()
    };
    let grounded = json(&call(&emulator, &model, "converse", &body));
    assert_eq!(grounded["stopReason"], "end_turn");
    assert_eq!(scores(&grounded), ["NONE", "NONE"]);
    let invented = json(&call(&emulator, &model, "converse", &body));
    assert_eq!(invented["stopReason"], "guardrail_intervened");
    assert_eq!(
        invented["output"]["message"]["content"][0]["text"],
        "Not in the source."
    );
    assert_eq!(scores(&invented)[0], "BLOCKED");
}

#[test]
fn invoke_model_takes_its_guardrail_from_headers() {
    let (emulator, id) = guarded();
    emulator.script([
        Step::text("Call 555-010-9999."),
        Step::text("Call 555-010-9999."),
    ]);
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31", "max_tokens": 50,
        "messages": [{ "role": "user", "content": "The number?" }],
    });
    let send = |verb: &str| {
        let model = profile(&emulator, "haiku");
        let mut request = post(&model, verb, body.to_string());
        for (name, value) in [
            ("x-amzn-bedrock-guardrailidentifier", id.as_str()),
            ("x-amzn-bedrock-guardrailversion", "DRAFT"),
            ("x-amzn-bedrock-trace", "ENABLED"),
        ] {
            request.headers.push((name.to_owned(), value.to_owned()));
        }
        emulator.handle(&request, now())
    };
    let whole = json(&send("invoke"));
    assert_eq!(whole["content"][0]["text"], "Call {PHONE}.");
    assert_eq!(whole["stop_reason"], "end_turn");
    assert_eq!(whole["amazon-bedrock-guardrailAction"], "INTERVENED");
    let trace = &whole["amazon-bedrock-trace"]["guardrail"];
    assert_eq!(trace["modelOutput"], json!(["Call 555-010-9999."]));
    assert_eq!(
        trace["outputs"][0][&id]["sensitiveInformationPolicy"]["piiEntities"][0]["match"],
        "555-010-9999"
    );
    let chunks = chunks(&send("invoke-with-response-stream"));
    let last = chunks.last().unwrap();
    assert_eq!(last["amazon-bedrock-guardrailAction"], "INTERVENED");
}

#[test]
fn a_guardrail_that_does_not_exist_is_refused_and_its_use_is_a_permission() {
    let emulator = open();
    let reply = converse(&emulator, "nothere", "converse", "hi");
    assert_eq!(reply.status, 400);
    assert!(
        text(&reply).contains("guardrail identifier or version"),
        "{}",
        text(&reply)
    );
    let id = create(&emulator, &investments());
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*" }],
    });
    emulator.set_policies(&[policy]).unwrap();
    let reply = converse(&emulator, &id, "converse", "hi");
    assert_eq!(reply.status, 403);
    assert!(text(&reply).contains("bedrock:ApplyGuardrail on resource: arn:aws:bedrock"));
}

/// Streams an answer in that mode: what was shown, and why it stopped.
fn streamed(emulator: &Emulator, id: &str, mode: &str, answer: &[&str]) -> (String, Value) {
    let pieces = answer.iter().map(|piece| Piece::Text((*piece).to_owned()));
    emulator.script([Step::Say(pieces.collect())]);
    let body = json!({
        "messages": [{ "role": "user", "content": [{ "text": "Well?" }] }],
        "guardrailConfig": {
            "guardrailIdentifier": id, "guardrailVersion": "DRAFT",
            "streamProcessingMode": mode,
        },
    });
    let model = profile(emulator, "haiku");
    let events = events(&call(emulator, &model, "converse-stream", &body));
    let shown = events.iter();
    let shown = shown.filter_map(|(_, event)| event["delta"]["text"].as_str());
    let shown = shown.collect();
    let mut stop = events.iter().filter(|(kind, _)| kind == "messageStop");
    (shown, stop.next().unwrap().1["stopReason"].clone())
}

#[test]
fn an_asynchronous_stream_has_told_what_is_found_too_late() {
    let emulator = open();
    let definition = json!({
        "name": "words",
        "blockedInputMessaging": "No.", "blockedOutputsMessaging": "[stopped]",
        "wordPolicyConfig": { "wordsConfig": [{ "text": "Atlantis" }] },
        "sensitiveInformationPolicyConfig": {
            "piiEntitiesConfig": [{ "type": "PHONE", "action": "ANONYMIZE" }],
        },
    });
    let id = create(&emulator, &definition);
    let named = ["It is called ", "Atlantis", ", and it ", "begins soon."];
    let number = ["Call 555-", "010-9999."];
    for (mode, said, shown, stop) in [
        ("sync", &named[..], "[stopped]", "guardrail_intervened"),
        (
            "async",
            &named,
            "It is called Atlantis[stopped]",
            "guardrail_intervened",
        ),
        ("sync", &number, "Call {PHONE}.", "guardrail_intervened"),
        ("async", &number, "Call 555-010-9999.", "end_turn"),
    ] {
        let (told, stopped) = streamed(&emulator, &id, mode, said);
        assert_eq!(
            (told.as_str(), stopped.as_str()),
            (shown, Some(stop)),
            "{mode}"
        );
    }
}

#[test]
fn a_guardrail_lights_where_it_looked_and_a_model_that_was_not_asked_does_not() {
    let (emulator, id) = guarded();
    let lit = |emulator: &Emulator| -> Vec<(String, String)> {
        let trace = emulator.journal().pop().unwrap().trace.into_iter();
        let edges = trace.filter_map(|event| Some((event.edge?, event.note)));
        edges
            .filter(|(edge, _)| edge.starts_with("BR-") && edge != "BR-CW" && edge != "BR-METRICS")
            .collect()
    };
    let looked = |words: &str| ("BR-GUARD".to_owned(), words.to_owned());
    converse(&emulator, &id, "converse", "Mail abc@pqrt.com for me.");
    assert_eq!(lit(&emulator), [looked("input blocked")]);
    emulator.script([Step::text("It is 555-010-9999.")]);
    converse(&emulator, &id, "converse", "The number?");
    let way = lit(&emulator);
    assert_eq!(
        [&way[0], &way[2]],
        [&looked("input passed"), &looked("output masked")]
    );
    assert_eq!((way.len(), way[1].0.as_str()), (3, "BR-HAIKU"));
    apply(&emulator, &id, "DRAFT", "Mail abc@pqrt.com for me.");
    assert_eq!(lit(&emulator), [looked("input blocked")]);
}
