//! What becomes of a function's answer.

use std::sync::Arc;

use aws_local::{
    Services,
    gateway::{Api, Functions, Invoking, NotInvoked, Settings, Target},
};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::bench::{self, Bench, operation, to_chat};

const INTERNAL: &str = r#"{"message": "Internal server error"}"#;

/// A REST API whose function answers with the JSON that it is sent.
async fn echo(binary: Value) -> Bench {
    let mut document = bench::document(json!({ "/chat": { "post": to_chat(json!({})) } }));
    document["x-amazon-apigateway-binary-media-types"] = binary;
    bench::bench(
        document,
        json!({}),
        bedrock_emulator::Config::default(),
        said,
    )
    .await
}

async fn http(version: &str) -> Bench {
    let paths = json!({ "/chat": { "post": operation(version, json!({})) } });
    bench::function(paths, json!({ "protocolType": "HTTP" }), said).await
}

fn said(event: &Value) -> Result<Value, Value> {
    let answer: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    match answer.get("errorMessage") {
        Some(_) => Err(answer),
        None => Ok(answer),
    }
}

async fn tell(bench: &Bench, answer: &Value) -> bench::Got {
    let json = ("content-type", "application/json");
    bench.post("/chat", &[json], &answer.to_string()).await
}

#[tokio::test]
async fn format_1_0_as_an_http_answer() {
    let bench = echo(json!([])).await;
    let got = tell(
        &bench,
        &json!({
            "statusCode": 201,
            "headers": { "Content-Type": "text/plain", "X-One": "1", "X-Two": "dropped", "X-Yes": true },
            "multiValueHeaders": { "x-two": ["a", "b"] },
            "body": "hello",
        }),
    )
    .await;
    assert_eq!(got.pair(), (201, "hello"));
    assert_eq!(got.header("content-type"), Some("text/plain"));
    assert_eq!(
        (got.header("X-One"), got.header("X-Yes")),
        (Some("1"), Some("true"))
    );
    let two = got
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("x-two"));
    let two: Vec<&str> = two.map(|(_, value)| value.as_str()).collect();
    assert_eq!(two, ["a", "b"]);
    let trace = got.header("X-Amzn-Trace-Id").unwrap();
    assert!(
        trace.starts_with("Root=1-6b02e750-") && trace.len() == 40,
        "{trace}"
    );
    // Nothing has to be there.
    let got = tell(&bench, &json!({})).await;
    assert_eq!(got.pair(), (200, ""));
    assert_eq!(got.header("content-type"), Some("application/json"));
    // A function's own failure is its own affair.
    let got = tell(&bench, &json!({ "statusCode": "503", "body": null })).await;
    assert_eq!(got.pair(), (503, ""));
    assert_eq!(got.header("x-amzn-ErrorType"), None);
}

#[tokio::test]
async fn headers_that_are_the_gateways_own_leave_under_another_name() {
    let bench = echo(json!([])).await;
    let headers =
        json!({ "Server": "mine", "Content-Length": "999", "Transfer-Encoding": "chunked" });
    let got = tell(&bench, &json!({ "headers": headers, "body": "ok" })).await;
    assert_eq!(got.pair(), (200, "ok"));
    assert_eq!(got.header("x-amzn-Remapped-Server"), Some("mine"));
    assert_eq!(got.header("content-length"), Some("2"));
    assert_eq!(got.header("transfer-encoding"), None);
}

#[tokio::test]
async fn malformed_answers_are_a_502_whose_reason_only_the_journal_tells() {
    let bench = echo(json!([])).await;
    let rows = [
        (json!("text"), "a string instead of an object"),
        (json!([]), "a list instead of an object"),
        (json!({ "prompt": "hi" }), "may not have a member 'prompt'"),
        (
            json!({ "statusCode": 200, "body": {} }),
            "body has an object where it takes a string",
        ),
        (json!({ "statusCode": "OK" }), "statusCode is \"OK\""),
        (json!({ "statusCode": 99 }), "statusCode is 99"),
        (json!({ "statusCode": 600 }), "statusCode is 600"),
        (json!({ "headers": ["a"] }), "headers has a list"),
        (json!({ "headers": { "x": 1 } }), "headers has a number"),
        (
            json!({ "headers": { "x y": "1" } }),
            "no header can be called 'x y'",
        ),
        (
            json!({ "headers": { "x": "a\r\nb: c" } }),
            "no header can be called 'x'",
        ),
        (
            json!({ "multiValueHeaders": { "x": "1" } }),
            "multiValueHeaders has a string",
        ),
        (
            json!({ "isBase64Encoded": "yes" }),
            "isBase64Encoded has a string",
        ),
    ];
    for (answer, why) in rows {
        let got = tell(&bench, &answer).await;
        assert_eq!(got.pair(), (502, INTERNAL), "{answer}");
        assert_eq!(got.header("content-length"), Some("36"));
        assert_eq!(
            got.header("x-amzn-ErrorType"),
            Some("InternalServerErrorException")
        );
        let told = bench.entry().message.unwrap();
        assert!(told.contains(why), "{answer}: {told}");
    }
    let lit = [("CLIENT-APIGW", "Throttled"), ("APIGW-LAMBDA", "Throttled")];
    assert_eq!(
        bench.lit(),
        lit.map(|(place, status)| (place.to_owned(), status.to_owned()))
    );
}

#[tokio::test]
async fn an_error_of_the_function_is_a_502_without_its_words() {
    let bench = echo(json!([])).await;
    let got = tell(
        &bench,
        &json!({ "errorType": "E", "errorMessage": "my secret" }),
    )
    .await;
    assert_eq!(got.pair(), (502, INTERNAL));
    assert_eq!(
        bench.entry().message.unwrap(),
        "Internal server error: E: my secret"
    );
}

#[tokio::test]
async fn who_does_not_answer_in_29_seconds_is_a_504() {
    let paths = json!({
        "/slow": { "get": to_chat(json!({})) },
        "/short": { "get": to_chat(json!({ "integration": { "timeoutInMillis": 50 } })) },
    });
    let bench = bench::function(paths, json!({}), |_| Ok(json!("never"))).await;
    for (path, seconds) in [("/slow", 29), ("/short", 1)] {
        let clock = bench.clock.clone();
        let events = bench.events().len();
        let waiting = bench.get(path);
        let moving = async {
            // The clock moves once the function has its event, and not before.
            while bench.events().len() == events {
                tokio::task::yield_now().await;
            }
            clock.advance(time::Duration::seconds(seconds));
        };
        let (got, ()) = tokio::join!(waiting, moving);
        assert_eq!(
            got.pair(),
            (504, r#"{"message": "Endpoint request timed out"}"#)
        );
        assert_eq!(got.header("content-length"), Some("41"));
    }
    assert!(
        bench
            .entry()
            .message
            .unwrap()
            .ends_with("no answer within 50 ms")
    );
    let latency = bench.seen()[0].integration_latency_ms;
    assert_eq!(latency, Some(29_000));
}

struct Refusing(NotInvoked);

impl Functions for Refusing {
    fn invoke(&self, _: &Target, _: Bytes) -> Invoking {
        let refused = self.0.clone();
        Box::pin(async move { Err(refused) })
    }
}

#[tokio::test]
async fn what_lambda_does_not_take_is_a_500_and_too_much_a_413() {
    let rows = [
        (
            NotInvoked::Rejected("Function not found: chat".into()),
            "REST",
            500,
            INTERNAL,
        ),
        (
            NotInvoked::Throttled("Rate Exceeded.".into()),
            "REST",
            500,
            INTERNAL,
        ),
        (
            NotInvoked::TooLarge,
            "REST",
            413,
            r#"{"message":"Request Too Long"}"#,
        ),
        (
            NotInvoked::Rejected("no".into()),
            "HTTP",
            500,
            r#"{"message":"Internal Server Error"}"#,
        ),
        (
            NotInvoked::Throttled("no".into()),
            "HTTP",
            503,
            r#"{"message":"Service Unavailable"}"#,
        ),
        (
            NotInvoked::TooLarge,
            "HTTP",
            413,
            r#"{"message":"Request Entity Too Large"}"#,
        ),
    ];
    let paths = json!({ "/chat": { "get": to_chat(json!({})) } });
    let bench = bench::rest(paths.clone(), json!({})).await;
    for (refused, kind, status, body) in rows {
        let settings = json!({ "protocolType": kind });
        let settings = Settings::read("settings", &settings.to_string()).unwrap();
        let document = bench::document(paths.clone()).to_string();
        let api = Api::read("api.json", &document, settings).unwrap();
        bench.gateway.deploy(api, Arc::new(Refusing(refused)));
        assert_eq!(bench.get("/chat").await.pair(), (status, body));
    }
}

#[tokio::test]
async fn the_lambda_service_is_asked_by_the_functions_arn() {
    let paths = json!({ "/chat": { "get": to_chat(json!({})) } });
    let bench = bench::rest(paths.clone(), json!({})).await;
    let document = bench::document(paths).to_string();
    let api = Api::read("api.json", &document, Settings::default()).unwrap();
    let services = Services::new(Arc::new(bench.clock.clone()));
    bench.gateway.deploy(api, Arc::new(services.lambda));
    assert_eq!(bench.get("/chat").await.pair(), (500, INTERNAL));
    let why = bench.entry().message.unwrap();
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:chat";
    assert!(why.contains(&format!("Function not found: {arn}")), "{why}");
}

#[tokio::test]
async fn binary_answers_are_decoded_for_those_who_accept_them() {
    let bench = echo(json!(["image/png"])).await;
    let answer = json!({
        "headers": { "content-type": "image/png" }, "body": "iVBORw==", "isBase64Encoded": true,
    });
    let answer = answer.to_string();
    let json = ("content-type", "application/json");
    let png = ("accept", "image/png");
    let got = bench.post("/chat", &[json, png], &answer).await;
    assert_eq!(got.body, [0x89, b'P', b'N', b'G']);
    // A browser's list begins with something else: the trap of real REST APIs.
    let html = ("accept", "text/html, image/png");
    let got = bench.post("/chat", &[json, html], &answer).await;
    assert_eq!(got.text(), "iVBORw==");
    let broken = answer.replace("iVBORw==", "???");
    assert_eq!(
        bench.post("/chat", &[json, png], &broken).await.pair(),
        (502, INTERNAL)
    );
}

#[tokio::test]
async fn format_2_0_takes_bare_bodies_and_cookies() {
    let bench = http("2.0").await;
    let got = tell(&bench, &json!({ "answer": 42 })).await;
    assert_eq!(got.pair(), (200, r#"{"answer":42}"#));
    assert_eq!(got.header("content-type"), Some("application/json"));
    assert_eq!(got.header("x-amzn-ErrorType"), None);
    assert_eq!(got.header("apigw-requestid").unwrap().len(), 16);
    let got = tell(&bench, &json!("Hello")).await;
    assert_eq!(got.pair(), (200, "Hello"));
    let got = tell(
        &bench,
        &json!({
            "statusCode": 202,
            "headers": { "x-one": "1" },
            "cookies": ["a=1; Secure", "b=2"],
            "body": "aGk=",
            "isBase64Encoded": true,
        }),
    )
    .await;
    assert_eq!(got.pair(), (202, "hi"));
    assert_eq!(
        got.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let cookies = got
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let cookies: Vec<&str> = cookies.map(|(_, value)| value.as_str()).collect();
    assert_eq!(cookies, ["a=1; Secure", "b=2"]);
}

#[tokio::test]
async fn http_apis_have_words_of_their_own() {
    let bench = http("2.0").await;
    let got = bench.get("/chat").await;
    assert_eq!(got.pair(), (404, r#"{"message":"Not Found"}"#));
    assert_eq!(got.header("x-amzn-ErrorType"), None);
    let got = tell(&bench, &json!({ "statusCode": 200, "body": {} })).await;
    assert_eq!(got.pair(), (500, r#"{"message":"Internal Server Error"}"#));
    // Format 1.0 has no bare bodies in HTTP APIs either.
    let bench = http("1.0").await;
    let got = tell(&bench, &json!({ "answer": 42 })).await;
    assert_eq!(got.status, 500);
}
