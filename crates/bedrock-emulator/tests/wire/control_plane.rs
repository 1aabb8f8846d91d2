//! The control plane: models, inference profiles, invocation logging, the use case form.

use bedrock_emulator::{Emulator, Reply, Request};
use serde_json::{Value, json};

use crate::bench::{base, call, json as body, now, open, text};

fn ask(emulator: &Emulator, method: &str, target: &str, sent: &Value) -> Reply {
    let sent = if sent.is_null() {
        String::new()
    } else {
        sent.to_string()
    };
    let request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: [("host", "127.0.0.1:4566")].into(),
        body: sent.into(),
        connection: 1,
    };
    emulator.handle(&request, now())
}

fn get(emulator: &Emulator, target: &str) -> Value {
    let reply = ask(emulator, "GET", target, &Value::Null);
    assert_eq!(reply.status, 200, "{target}: {}", text(&reply));
    body(&reply)
}

fn ids(answer: &Value) -> Vec<String> {
    let all = answer["modelSummaries"].as_array().unwrap().iter();
    all.map(|m| m["modelId"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn models_are_listed_by_four_filters() {
    let emulator = open();
    let all = ids(&get(&emulator, "/foundation-models"));
    let haiku = base(&emulator, "Claude Haiku 4.5");
    let ended = base(&emulator, "Claude 3.5 Haiku");
    assert!(
        all.contains(&haiku) && !all.contains(&ended),
        "the dead are not listed"
    );
    let vectors = ids(&get(
        &emulator,
        "/foundation-models?byOutputModality=EMBEDDING&byProvider=cohere",
    ));
    assert_eq!(vectors.len(), 3, "{vectors:?}");
    let on_demand = ids(&get(
        &emulator,
        "/foundation-models?byInferenceType=ON_DEMAND",
    ));
    assert!(!on_demand.contains(&haiku) && on_demand.contains(&base(&emulator, "Nova Lite")));
    let tuned = ids(&get(
        &emulator,
        "/foundation-models?byCustomizationType=FINE_TUNING&byProvider=amazon",
    ));
    assert!(tuned.iter().any(|id| id.ends_with(":300k")), "{tuned:?}");
    let wrong = ask(
        &emulator,
        "GET",
        "/foundation-models?byInferenceType=SOMETIMES",
        &Value::Null,
    );
    assert_eq!(wrong.status, 400);
    let one = get(
        &emulator,
        &format!("/foundation-models/{}", haiku.replace(':', "%3A")),
    );
    let details = &one["modelDetails"];
    assert_eq!(
        details["inferenceTypesSupported"],
        json!(["INFERENCE_PROFILE"])
    );
    assert_eq!(
        details["modelLifecycle"]["startOfLifeTime"],
        "2025-10-15T00:00:00Z"
    );
    let profile = ask(
        &emulator,
        "GET",
        &format!("/foundation-models/us.{haiku}"),
        &Value::Null,
    );
    assert_eq!(profile.status, 404, "a profile is no model");
    let here = get(
        &emulator,
        &format!("/foundation-model-availability/{haiku}"),
    );
    assert_eq!(here["regionAvailability"], "AVAILABLE");
}

#[test]
fn profiles_are_listed_in_pages() {
    let emulator = open();
    let all = get(&emulator, "/inference-profiles");
    let all = all["inferenceProfileSummaries"].as_array().unwrap().clone();
    let mut paged = Vec::new();
    let mut target = "/inference-profiles?maxResults=7".to_owned();
    loop {
        let page = get(&emulator, &target);
        paged.extend(
            page["inferenceProfileSummaries"]
                .as_array()
                .unwrap()
                .clone(),
        );
        let Some(next) = page["nextToken"].as_str() else {
            break;
        };
        target = format!("/inference-profiles?maxResults=7&nextToken={next}");
    }
    assert_eq!(paged, all);
    let us = format!("us.{}", base(&emulator, "Claude Haiku 4.5"));
    let one = all
        .iter()
        .find(|p| p["inferenceProfileId"] == us.as_str())
        .unwrap();
    assert_eq!(one["inferenceProfileName"], "US Anthropic Claude Haiku 4.5");
    assert_eq!(
        one["description"],
        "Routes requests to Anthropic Claude Haiku 4.5 in us-east-1, us-east-2 and us-west-2."
    );
    assert_eq!(*one, get(&emulator, &format!("/inference-profiles/{us}")));
}

#[test]
fn an_application_profile_is_a_model_id_until_it_is_deleted() {
    let emulator = open();
    let global = format!("global.{}", base(&emulator, "Claude Haiku 4.5"));
    let source = format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/{global}");
    let create = json!({"inferenceProfileName": "team a", "description": "costs of a",
        "modelSource": {"copyFrom": source}});
    let reply = ask(&emulator, "POST", "/inference-profiles", &create);
    assert_eq!(reply.status, 201, "{}", text(&reply));
    let arn = body(&reply)["inferenceProfileArn"]
        .as_str()
        .unwrap()
        .to_owned();
    let id = arn.rsplit('/').next().unwrap();
    let shown = get(&emulator, &format!("/inference-profiles/{id}"));
    assert_eq!(shown["toolboxArn"], Value::Null);
    assert_eq!(shown["type"], "APPLICATION");
    let first = shown["models"][0]["modelArn"].as_str().unwrap();
    assert!(
        first.starts_with("arn:aws:bedrock:::foundation-model/"),
        "no region, as recorded: {first}"
    );
    let again = ask(&emulator, "POST", "/inference-profiles", &create);
    assert_eq!(
        body(&again)["message"]
            .as_str()
            .map(|m| m.contains("team a")),
        Some(true)
    );
    let hi = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    assert_eq!(call(&emulator, &arn, "converse", &hi).status, 200);
    let listed = get(&emulator, "/inference-profiles?type=APPLICATION");
    assert!(text(&reply).contains(id) && listed.to_string().contains(id));
    let target = format!("/inference-profiles/{id}");
    assert_eq!(ask(&emulator, "DELETE", &target, &Value::Null).status, 200);
    assert_eq!(ask(&emulator, "DELETE", &target, &Value::Null).status, 404);
    assert_eq!(call(&emulator, &arn, "converse", &hi).status, 400);
}

#[test]
fn logging_is_what_was_put() {
    let emulator = open();
    let config = json!({"s3Config": {"bucketName": "my-logs"}, "textDataDeliveryEnabled": true});
    let put = |config: &Value| {
        ask(
            &emulator,
            "PUT",
            "/logging/modelinvocations",
            &json!({"loggingConfig": config}),
        )
    };
    assert_eq!(put(&config).status, 200);
    assert_eq!(
        get(&emulator, "/logging/modelinvocations")["loggingConfig"],
        config
    );
    let wrong = put(&json!({"cloudWatchConfig": {"logGroupName": "g"}}));
    assert_eq!(wrong.status, 400);
    assert!(
        text(&wrong).contains("loggingConfig.cloudWatchConfig.roleArn"),
        "{}",
        text(&wrong)
    );
    let deleted = ask(
        &emulator,
        "DELETE",
        "/logging/modelinvocations",
        &Value::Null,
    );
    assert_eq!(deleted.status, 200);
    assert_eq!(get(&emulator, "/logging/modelinvocations"), json!({}));
}

#[test]
fn the_use_case_form_is_kept_as_it_was_put() {
    let emulator = open();
    let path = "/use-case-for-model-access";
    let put = |form: &Value| ask(&emulator, "POST", path, &json!({ "formData": form }));
    let none = ask(&emulator, "GET", path, &Value::Null);
    assert_eq!(none.status, 404, "{}", text(&none));
    // {"companyName":"Example"}
    let form = json!("eyJjb21wYW55TmFtZSI6IkV4YW1wbGUifQ==");
    let kept = put(&form);
    assert_eq!((kept.status, text(&kept)), (201, "{}".to_owned()));
    assert_eq!(get(&emulator, path), json!({ "formData": form }));
    for (wrong, said) in [
        (json!("c2hvcnQ="), "greater than or equal to 10"),
        (json!("A".repeat(21_848)), "less than or equal to 16384"),
        (json!("no base64!"), "base64"),
        (Value::Null, "must not be null"),
    ] {
        let refused = put(&wrong);
        assert_eq!(refused.status, 400);
        assert!(text(&refused).contains(said), "{}", text(&refused));
    }
    assert_eq!(get(&emulator, path), json!({ "formData": form }));
}
