//! The order of Bedrock's checks: route, authentication, permission, JSON's shape, model id,
//! lifecycle, Bedrock's validation, the model's validation, throttle.
//!
//! Each request here breaks two neighbours at once; what is answered is the first. Whether the
//! permission or an unknown id comes first is not known; the emulator asks for permission first.

use bedrock_emulator::{Config, Emulator, Request, emulator::Auth};
use serde_json::{Value, json};

use crate::bench::{base, header, now, open, post, profile, text, with};

/// What a request can break, from first to last: its path and body, and the emulator's mood.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    Route,
    Authentication,
    Permission,
    Shape,
    ModelId,
    Lifecycle,
    Bedrock,
    Model,
    Throttle,
}

use Flaw::{
    Authentication, Bedrock, Lifecycle, Model, ModelId, Permission, Route, Shape, Throttle,
};

/// Every flaw, and how its refusal begins: the code, and a part of the text.
const ORDER: [(Flaw, &str, &str); 9] = [
    (Route, "UnknownOperationException", "No operation"),
    (
        Authentication,
        "AccessDeniedException",
        "Authorization header is missing",
    ),
    (
        Permission,
        "AccessDeniedException",
        "is not authorized to perform",
    ),
    (Shape, "SerializationException", "Unable to parse"),
    (
        ModelId,
        "ValidationException",
        "The provided model identifier is invalid.",
    ),
    (
        Lifecycle,
        "ResourceNotFoundException",
        "has reached the end of its life",
    ),
    (
        Bedrock,
        "ValidationException",
        "The maximum tokens you requested exceeds",
    ),
    (
        Model,
        "ValidationException",
        "The model returned the following errors: ",
    ),
    (Throttle, "ThrottlingException", "Too many requests"),
];

fn emulator(flaws: &[Flaw]) -> Emulator {
    with(|config: &mut Config| {
        if flaws.contains(&Authentication) {
            config.auth = Auth::Strict;
        }
        if flaws.contains(&Permission) {
            let allow = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
            config.policies = vec![json!({"Statement": [allow]})];
        }
        config.requests_per_minute = flaws.contains(&Throttle).then_some(0);
    })
}

fn request(emulator: &Emulator, flaws: &[Flaw]) -> Request {
    let broken = |flaw| flaws.contains(&flaw);
    let model = match (broken(ModelId), broken(Lifecycle)) {
        (true, _) => "no-such-model".to_owned(),
        (_, true) => base(emulator, "Claude 3.5 Haiku"),
        _ => profile(emulator, "sonnet"),
    };
    let text = if broken(Model) { "" } else { "Hi" };
    let tokens = if broken(Bedrock) { 999_999 } else { 100 };
    let body: Value = json!({
        "messages": [{"role": "user", "content": [{"text": text}]}],
        "inferenceConfig": {"maxTokens": tokens},
    });
    let body = if broken(Shape) {
        "{".to_owned()
    } else {
        body.to_string()
    };
    let action = if broken(Route) { "chat" } else { "converse" };
    post(&model, action, body)
}

fn check(flaws: &[Flaw], (_, code, message): (Flaw, &str, &str)) {
    let emulator = emulator(flaws);
    let reply = emulator.handle(&request(&emulator, flaws), now());
    let said = header(&reply, "x-amzn-ErrorType").unwrap_or_default();
    let body = text(&reply);
    assert!(said.starts_with(code), "{said}: {body} instead of {code}");
    assert!(body.contains(message), "{body} instead of {message}");
}

#[test]
fn each_flaw_has_its_refusal() {
    for row in ORDER {
        check(&[row.0], row);
    }
}

#[test]
fn of_two_neighbours_the_first_is_told() {
    for pair in ORDER.windows(2) {
        check(&[pair[0].0, pair[1].0], pair[0]);
    }
}

#[test]
fn of_all_flaws_from_one_on_it_is_told() {
    for (first, row) in ORDER.into_iter().enumerate() {
        let flaws: Vec<Flaw> = ORDER[first..].iter().map(|row| row.0).collect();
        check(&flaws, row);
    }
}

/// `InvokeModel`'s body is the model's: what is not JSON is refused after the model was found, and
/// limits on headers before (service model).
#[test]
fn a_body_for_the_model_is_read_when_the_model_is_known() {
    let emulator = open();
    let unknown = emulator.handle(&post("no-such-model", "invoke", ""), now());
    assert!(text(&unknown).contains("The provided model identifier is invalid."));
    let found = emulator.handle(&post(&profile(&emulator, "sonnet"), "invoke", "{"), now());
    assert_eq!(
        text(&found),
        "{\"message\":\"Malformed input request, please reformat your input and try again.\"}"
    );
    let mut request = post("no-such-model", "invoke", "{}");
    request
        .headers
        .push(("x-amzn-bedrock-trace".to_owned(), "on".to_owned()));
    let limited = emulator.handle(&request, now());
    assert!(
        text(&limited).contains(
            "Value 'on' at 'trace' failed to satisfy constraint: \
             Member must satisfy enum value set: [ENABLED, DISABLED, ENABLED_FULL]"
        ),
        "{}",
        text(&limited)
    );
}
