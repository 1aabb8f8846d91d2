//! The control API's document says what is really answered: every example and every answer is held
//! against its schema, and what a schema describes is there.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_emulator::{Emulator, Request};
use serde_json::{Value, json};

use crate::bench::{call, now, open, profile, text};

/// Answered by the endpoint, which has the sockets; its own `tests/described.rs` asks for them.
const ENDPOINT_ONLY: [&str; 4] = ["GetEvents", "ListGates", "OpenGate", "CloseGate"];

fn document() -> Value {
    serde_json::from_str(include_str!("../../src/workshop/openapi.json")).unwrap()
}

/// Fails unless `value` is as the document's `schema` says.
fn validate(document: &Value, schema: &Value, value: &Value, what: &str) {
    let mut whole = json!({"allOf": [schema]});
    whole["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&whole).unwrap_or_else(|e| panic!("{what}: {e}"));
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}\nin {value:#}");
}

/// A `$ref` followed; anything else as it is.
fn followed<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => value,
    }
}

/// Every media type that an operation takes or answers, as `(what, media type, its description)`.
fn contents(document: &Value) -> Vec<(String, &str, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let mut all: Vec<(&str, &Value)> =
                responses.iter().map(|(s, r)| (s.as_str(), r)).collect();
            all.extend(operation.get("requestBody").map(|body| ("request", body)));
            for (part, described) in all {
                let content = &followed(document, described)["content"];
                for (media, described) in content.as_object().unwrap() {
                    let what = format!("{method} {path} {part} {media}");
                    found.push((what, media.as_str(), described));
                }
            }
        }
    }
    found
}

#[test]
fn every_body_has_a_schema_and_an_example_that_fits_it() {
    let document = document();
    let contents = contents(&document);
    assert!(contents.len() > 100, "{}", contents.len());
    for (what, media, described) in contents {
        let (schema, example) = (&described["schema"], &described["example"]);
        assert!(schema.is_object(), "{what} has no schema");
        assert!(!example.is_null(), "{what} has no example");
        assert_eq!(example.is_string(), media != "application/json", "{what}");
        validate(&document, schema, example, &what);
    }
}

/// What was really answered, by operation id.
type Answered = BTreeMap<String, Vec<Value>>;

/// Asks as the document says, with labels filled in, and wants success.
fn ask(
    answered: &mut Answered,
    emulator: &Emulator,
    method: &str,
    target: &str,
    said: &Value,
) -> Value {
    let document = document();
    let path = target.split('?').next().unwrap();
    let (template, operation) = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(template, item)| Some((template, item.get(method.to_lowercase())?)))
        .filter(|(template, _)| {
            let (wanted, parts) = (template.split('/'), path.split('/'));
            wanted.clone().count() == parts.clone().count()
                && wanted.zip(parts).all(|(w, p)| w.starts_with('{') || w == p)
        })
        .min_by_key(|(template, _)| template.contains('{'))
        .unwrap_or_else(|| panic!("{method} {target} is not described"));
    let mut headers = vec![("host".to_owned(), "127.0.0.1:4566".to_owned())];
    let mut body = String::new();
    if !said.is_null() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        body = said.to_string();
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        validate(
            &document,
            schema,
            said,
            &format!("what {method} {template} was sent"),
        );
    }
    let request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: headers.into(),
        body: body.into(),
        connection: 1,
    };
    let reply = emulator.handle(&request, now());
    let what = format!("{method} {target}");
    assert!(reply.status < 300, "{what}: {}", text(&reply));
    let described = &operation["responses"][reply.status.to_string()]["content"];
    let media = &reply.headers[0].1;
    let media = media.split(';').next().unwrap();
    let schema = &described[media]["schema"];
    assert!(
        schema.is_object(),
        "{what}: {} {media} is not described",
        reply.status
    );
    let value = match media {
        "application/json" => serde_json::from_str(&text(&reply)).unwrap(),
        _ => Value::String(text(&reply)),
    };
    validate(&document, schema, &value, &what);
    let id = operation["operationId"].as_str().unwrap().to_owned();
    answered.entry(id).or_default().push(value.clone());
    value
}

/// The members that a schema describes, its parts together; `None` if it leaves them open.
fn properties<'d>(document: &'d Value, schema: &'d Value) -> Option<BTreeMap<&'d str, &'d Value>> {
    let schema = followed(document, schema);
    let parts = ["allOf", "oneOf"].into_iter();
    let parts = parts.flat_map(|name| schema[name].as_array().into_iter().flatten());
    let mut all = BTreeMap::new();
    for part in parts {
        all.extend(properties(document, part).unwrap_or_default());
    }
    let own = schema["properties"].as_object().into_iter().flatten();
    all.extend(own.map(|(name, schema)| (name.as_str(), schema)));
    (!all.is_empty()).then_some(all)
}

/// What the answers of one operation had.
#[derive(Default)]
struct Seen {
    described: BTreeSet<String>,
    there: BTreeSet<String>,
    undescribed: BTreeSet<String>,
}

impl Seen {
    fn look(&mut self, document: &Value, schema: &Value, value: &Value, at: &str) {
        // Rules come back with the keys that they were given, and `ask` holds them against the schema.
        let rule = schema["$ref"].as_str();
        if rule.is_some_and(|r| r.ends_with("/Reply") || r.ends_with("/FaultRule")) {
            return;
        }
        if let (Value::Array(items), of) = (value, &followed(document, schema)["items"]) {
            for item in items {
                self.look(document, of, item, &format!("{at}/*"));
            }
        }
        let (Value::Object(map), Some(known)) = (value, properties(document, schema)) else {
            return;
        };
        let here = |name: &str| format!("{at}/{name}");
        self.described.extend(known.keys().map(|name| here(name)));
        for (name, member) in map {
            match known.get(name.as_str()) {
                Some(schema) => {
                    self.there.insert(here(name));
                    self.look(document, schema, member, &here(name));
                }
                None => {
                    self.undescribed.insert(here(name));
                }
            }
        }
    }
}

/// One life of an emulator, through every operation.
fn life() -> Answered {
    let (emulator, mut all) = (open(), Answered::new());
    let mut tell = |method: &str, target: &str, said: Value| {
        ask(
            &mut all,
            &emulator,
            method,
            &format!("/_workshop/{target}"),
            &said,
        )
    };
    let none = Value::Null;
    tell("GET", "health", none.clone());
    tell("GET", "openapi.json", none.clone());
    tell("GET", "script", none.clone());
    tell(
        "POST",
        "script",
        json!({
            "strict": false,
            "reply": [
                {"name": "greets", "when": {"prompt": "Hi", "turn": 1}, "text": "Hello.", "times": 5},
                {"error": "ThrottlingException", "retry_after_ms": 5},
            ],
            "fault": [{"latency_ms": 1, "count": 1}],
        }),
    );
    tell(
        "POST",
        "faults",
        json!({"fault": [
            {"name": "slow", "latency_ms": 10, "when": {"operation": "Converse"}, "rate": 1.0},
            {"error": "ThrottlingException", "when": {"call": 3}},
        ]}),
    );
    let made = tell(
        "POST",
        "accounts",
        json!({"id": "444455556666", "invocation_logging": true}),
    );
    let id = made["id"].as_str().unwrap().to_owned();
    let model = profile(&emulator, "haiku");
    let hi = json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    for action in ["converse", "converse-stream", "converse"] {
        call(&emulator, &model, action, &hi);
    }
    let unreadable = [(0, "{\"_aws\": {}}".to_owned())];
    emulator.put_log_events("123456789012", "us-east-1", "g", "s", unreadable, now());
    tell("GET", "emf", none.clone());
    for list in [
        "script",
        "faults",
        "accounts",
        "status",
        "config",
        "requests",
        "requests/1",
    ] {
        tell("GET", list, none.clone());
    }
    tell("GET", "requests?operation=Converse&limit=1", none.clone());
    tell("GET", &format!("accounts/{id}"), none.clone());
    tell("GET", "accounts/123456789012", none.clone());
    tell(
        "PATCH",
        "config",
        json!({"today": "2026-09-02", "seed": 3, "latency": false}),
    );
    tell(
        "PATCH",
        "config",
        json!({"latency": {"first_token_ms": 1, "per_token_ms": 0}}),
    );
    tell("GET", "config", none.clone());
    for stream_or_not in [1, 2] {
        let replay = format!("requests/{stream_or_not}/replay");
        let again = tell("POST", &replay, none.clone());
        tell("GET", &format!("requests/{}", again["seq"]), none.clone());
    }
    tell("GET", "requests", none.clone());
    for list in [
        "requests/1/curl",
        "requests/1/boto3",
        "requests/1/rust",
        "requests.har",
        "metrics",
        "cost",
        "trail",
        "logs",
    ] {
        tell("GET", list, none.clone());
    }
    let alarm = json!({
        "AlarmName": "calls", "Namespace": "AWS/Bedrock", "MetricName": "Invocations",
        "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 0.0,
        "ComparisonOperator": "LessThanOrEqualToThreshold", "TreatMissingData": "breaching",
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:page"],
    });
    let put = Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: vec![(
            "x-amz-target".to_owned(),
            "GraniteServiceVersion20100801.PutMetricAlarm".to_owned(),
        )]
        .into(),
        body: alarm.to_string().into(),
        connection: 1,
    };
    assert_eq!(emulator.handle(&put, now()).status, 200);
    tell("GET", "alarms", none.clone());
    tell("DELETE", "faults/2", none.clone());
    tell("DELETE", "faults", none.clone());
    tell("DELETE", "script", none.clone());
    tell("DELETE", "requests", none.clone());
    tell("DELETE", &format!("accounts/{id}"), none.clone());
    tell("POST", "reset", none);
    all
}

#[test]
fn answers_have_the_described_members_and_no_others() {
    let document = document();
    let answered = life();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            if ENDPOINT_ONLY.contains(&id) {
                continue;
            }
            let what = format!("{method} {path}");
            let answers = answered
                .get(id)
                .unwrap_or_else(|| panic!("{what} was not asked"));
            let responses = operation["responses"].as_object().unwrap();
            let (_, response) = responses.iter().find(|(s, _)| s.starts_with('2')).unwrap();
            let Some(json) = response["content"].get("application/json") else {
                continue;
            };
            let mut seen = Seen::default();
            for answer in answers {
                seen.look(&document, &json["schema"], answer, "");
            }
            let missing: Vec<_> = seen.described.difference(&seen.there).collect();
            assert!(missing.is_empty(), "{what} never answered {missing:?}");
            assert!(
                seen.undescribed.is_empty(),
                "{what} also answers {:?}",
                seen.undescribed
            );
        }
    }
}
