//! The order of things, and how each refusal looks.

use serde_json::{Value, json};
use time::Duration;

use crate::bench::{self, Bench, Got, to_chat};

/// `/chat` asks for a key; two keys at rate 2, burst 5; a third without a plan, a fourth turned off.
fn plans(plan: Value) -> Value {
    let mut plan = plan;
    plan["name"] = json!("basic");
    plan["keys"] = json!(["one", "two"]);
    json!({
        "usagePlans": [plan],
        "apiKeys": [
            { "id": "one", "value": "value-of-key-one" },
            { "id": "two", "value": "value-of-key-two" },
            { "id": "three", "value": "value-of-key-three" },
            { "id": "off", "value": "value-of-key-off", "enabled": false },
        ],
    })
}

fn keyed() -> Value {
    json!({ "/chat": {
        "post": to_chat(json!({ "security": [{ "api_key": [] }] })),
        "get": to_chat(json!({ "security": [{ "api_key": [] }] })),
    } })
}

async fn with_key(bench: &Bench, key: &str) -> Got {
    bench.post("/chat", &[("x-api-key", key)], "{}").await
}

fn is_refused(got: &Got, status: u16, body: &str, kind: &str) {
    assert_eq!(got.pair(), (status, body), "{got:?}");
    assert_eq!(got.header("x-amzn-ErrorType"), Some(kind));
    assert_eq!(got.header("content-type"), Some("application/json"));
    let id = got.header("x-amz-apigw-id").unwrap();
    assert!(id.len() == 16 && id.ends_with('='), "{id}");
    assert_eq!(got.header("x-amzn-RequestId").unwrap().len(), 36);
}

const FORBIDDEN: &str = r#"{"message":"Forbidden"}"#;
const TOO_MANY: &str = r#"{"message":"Too Many Requests"}"#;

#[tokio::test]
async fn what_no_method_answers_misses_an_authentication_token() {
    let bench = bench::rest(
        json!({ "/chat": { "post": to_chat(json!({})) } }),
        json!({}),
    )
    .await;
    let missing = r#"{"message":"Missing Authentication Token"}"#;
    for got in [
        bench.get("/chat").await,
        bench.post("/other", &[], "{}").await,
        bench.get("").await,
    ] {
        is_refused(&got, 403, missing, "MissingAuthenticationTokenException");
        assert_eq!(got.header("content-length"), Some("42"));
    }
    assert_eq!(
        bench.lit(),
        [("CLIENT-APIGW".to_owned(), "Denied".to_owned())]
    );
    // A slash at the end counts for nothing.
    assert_eq!(bench.post("/chat/", &[], "{}").await.status, 200);
    assert_eq!(bench.events().len(), 1);
    // No such stage, in AWS's words; no such API, in ours.
    let got = bench
        .raw("GET", "/_aws/execute-api/workshop/prod/chat", &[], b"")
        .await;
    assert_eq!(got.pair(), (403, FORBIDDEN));
    let got = bench
        .raw("GET", "/_aws/execute-api/nobody/dev/chat", &[], b"")
        .await;
    assert_eq!(got.status, 404);
    assert!(
        got.text()
            .contains("no API 'nobody' is deployed; there are: workshop"),
        "{got:?}"
    );
}

#[tokio::test]
async fn an_api_answers_to_its_host_name_too() {
    let bench = bench::rest(
        json!({ "/chat": { "post": to_chat(json!({})) } }),
        json!({}),
    )
    .await;
    let host = ("host", "workshop.execute-api.us-east-1.amazonaws.com");
    let got = bench.raw("POST", "/dev/chat", &[host], b"{}").await;
    assert_eq!(got.status, 200);
    // Other hosts are Bedrock's.
    let got = bench
        .raw("POST", "/dev/chat", &[("host", "localhost")], b"{}")
        .await;
    assert_ne!(got.status, 200);
    assert!(bench.gateway.remove("workshop", "dev"));
    assert_eq!(
        bench.raw("POST", "/dev/chat", &[host], b"{}").await.status,
        404
    );
}

#[tokio::test]
async fn keys_that_are_missing_unknown_off_or_without_a_plan_are_all_the_same() {
    let bench = bench::rest(keyed(), plans(json!({}))).await;
    is_refused(
        &bench.post("/chat", &[], "{}").await,
        403,
        FORBIDDEN,
        "ForbiddenException",
    );
    assert_eq!(bench.entry().error.as_deref(), Some("ForbiddenException"));
    let why = bench.entry().message.unwrap();
    assert_eq!(why, "Forbidden: the request has no x-api-key");
    for key in ["", "guess", "value-of-key-three", "value-of-key-off"] {
        is_refused(
            &with_key(&bench, key).await,
            403,
            FORBIDDEN,
            "ForbiddenException",
        );
    }
    assert_eq!(
        bench.lit(),
        [("CLIENT-APIGW".to_owned(), "Denied".to_owned())]
    );
    assert_eq!(bench.events(), [] as [Value; 0]);
    assert_eq!(with_key(&bench, "value-of-key-one").await.status, 200);
    let lit = [("CLIENT-APIGW", "Ok"), ("APIGW-LAMBDA", "Ok")];
    assert_eq!(
        bench.lit(),
        lit.map(|(place, status)| (place.to_owned(), status.to_owned()))
    );
    let identity = &bench.events()[0]["requestContext"]["identity"];
    assert_eq!(identity["apiKey"], "value-of-key-one");
    assert_eq!(identity["apiKeyId"], "one");
}

#[tokio::test]
async fn a_burst_of_twelve_at_rate_two_and_burst_five_is_throttled_exactly() {
    let throttle = json!({ "throttle": { "rateLimit": 2.0, "burstLimit": 5 } });
    let bench = bench::rest(keyed(), plans(throttle)).await;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let got = with_key(&bench, "value-of-key-one").await;
        if got.status == 429 {
            is_refused(&got, 429, TOO_MANY, "TooManyRequestsException");
        }
        statuses.push(got.status);
    }
    assert_eq!(statuses[..5], [200; 5]);
    assert_eq!(statuses[5..], [429; 7]);
    assert_eq!(
        bench.lit(),
        [("CLIENT-APIGW".to_owned(), "Throttled".to_owned())]
    );
    assert_eq!(bench.events().len(), 5);
    // The other key's bucket is full.
    assert_eq!(with_key(&bench, "value-of-key-two").await.status, 200);
    bench.advance(Duration::seconds(1));
    for expected in [200, 200, 429] {
        assert_eq!(with_key(&bench, "value-of-key-one").await.status, expected);
    }
    assert_eq!(bench.events().len(), 8);
}

#[tokio::test]
async fn a_methods_own_limits_stand_beside_the_plans() {
    let plan = json!({
        "throttle": { "rateLimit": 1.0, "burstLimit": 3 },
        "methodThrottle": { "/chat/GET": { "rateLimit": 1.0, "burstLimit": 1 } },
    });
    let mut settings = plans(plan);
    settings["stage"] = json!({ "methodSettings": {
        "/chat/POST": { "throttlingRateLimit": 1.0, "throttlingBurstLimit": 4 },
    } });
    let bench = bench::rest(keyed(), settings).await;
    let (one, two) = ("value-of-key-one", "value-of-key-two");
    for (key, expected) in [(one, 200), (one, 429), (two, 200), (two, 429)] {
        let got = bench.get_with("/chat", &[("x-api-key", key)]).await;
        assert_eq!(got.status, expected);
    }
    // POST: three for each key by the plan, four for everybody by the stage.
    for (key, expected) in [
        (one, 200),
        (one, 200),
        (one, 200),
        (one, 429),
        (two, 200),
        (two, 429),
    ] {
        assert_eq!(with_key(&bench, key).await.status, expected);
    }
}

#[tokio::test]
async fn a_quota_lasts_until_its_period_ends() {
    let quota = json!({ "quota": { "limit": 2, "period": "DAY" } });
    let bench = bench::rest(keyed(), plans(quota)).await;
    let key = "value-of-key-one";
    assert_eq!(with_key(&bench, key).await.status, 200);
    assert_eq!(with_key(&bench, key).await.status, 200);
    let exceeded = r#"{"message":"Limit Exceeded"}"#;
    is_refused(
        &with_key(&bench, key).await,
        429,
        exceeded,
        "LimitExceededException",
    );
    assert_eq!(with_key(&bench, "value-of-key-two").await.status, 200);
    // 23:59:59, then midnight.
    bench.advance(Duration::hours(11) - Duration::seconds(1));
    assert_eq!(with_key(&bench, key).await.status, 429);
    bench.advance(Duration::seconds(1));
    assert_eq!(with_key(&bench, key).await.status, 200);
}

fn validated() -> Value {
    let schema = json!({
        "type": "object",
        "required": ["prompt"],
        "properties": { "prompt": { "type": "string", "minLength": 1 } },
        "additionalProperties": false,
    });
    let required = |name: &str, place: &str| json!({ "name": name, "in": place, "required": true });
    json!({ "/chat": { "post": to_chat(json!({
        "x-amazon-apigateway-request-validator": "all",
        "parameters": [required("q", "query"), required("X-Team", "header")],
        "requestBody": { "content": { "application/json": { "schema": schema } } },
        "security": [{ "api_key": [] }],
    })) } })
}

#[tokio::test]
async fn a_request_is_validated_after_its_token_is_taken() {
    let throttle = json!({ "throttle": { "rateLimit": 0.0, "burstLimit": 7 } });
    let bench = bench::rest(validated(), plans(throttle)).await;
    let key = ("x-api-key", "value-of-key-one");
    let team = ("X-Team", "blue");
    let kind = "BadRequestException";
    let got = bench.post("/chat", &[key], "{}").await;
    let text = r#"{"message": "Missing required request parameters: [q, X-Team]"}"#;
    is_refused(&got, 400, text, kind);
    // Blank is missing.
    let got = bench.post("/chat?q=", &[key, team], "{}").await;
    is_refused(
        &got,
        400,
        r#"{"message": "Missing required request parameters: [q]"}"#,
        kind,
    );
    let invalid = r#"{"message": "Invalid request body"}"#;
    for body in [r#"{"prompt":1}"#, "not JSON", ""] {
        let got = bench.post("/chat?q=1", &[key, team], body).await;
        is_refused(&got, 400, invalid, kind);
    }
    let why = bench.entry().message.unwrap();
    assert!(why.contains("\"prompt\" is a required property"), "{why}");
    assert_eq!(bench.events(), [] as [Value; 0]);
    // What has no model is let through.
    let csv = ("content-type", "text/csv");
    assert_eq!(
        bench
            .post("/chat?q=1", &[key, team, csv], "a;b")
            .await
            .status,
        200
    );
    let json = ("content-type", "application/json; charset=utf-8");
    let good = r#"{"prompt":"hi"}"#;
    assert_eq!(
        bench
            .post("/chat?q=1", &[key, team, json], good)
            .await
            .status,
        200
    );
    // Garbage was not free.
    assert_eq!(
        bench
            .post("/chat?q=1", &[key, team, json], good)
            .await
            .status,
        429
    );
}

#[tokio::test]
async fn ten_megabytes_are_the_most() {
    let paths = json!({ "/chat": { "post": to_chat(json!({})) } });
    let bench = bench::function(paths, json!({}), |_| Ok(json!({}))).await;
    let most = "x".repeat(10 * 1024 * 1024);
    assert_eq!(bench.post("/chat", &[], &most).await.status, 200);
    let got = bench.post("/chat", &[], &format!("{most}x")).await;
    is_refused(
        &got,
        413,
        r#"{"message":"Request Too Long"}"#,
        "RequestTooLargeException",
    );
}

#[tokio::test]
async fn a_method_with_aws_iam_asks_for_a_signature() {
    let paths = json!({ "/chat": {
        "post": to_chat(json!({ "security": [{ "sigv4": [] }] })),
        "get": to_chat(json!({})),
    } });
    let bench = bench::rest(paths, json!({})).await;
    let got = bench.post("/chat", &[], "{}").await;
    let missing = r#"{"message":"Missing Authentication Token"}"#;
    is_refused(&got, 403, missing, "MissingAuthenticationTokenException");
    let unknown = "AWS4-HMAC-SHA256 Credential=AKIANOBODY/20261122/us-east-1/execute-api/aws4_request, \
                   SignedHeaders=host, Signature=00";
    let got = bench
        .post("/chat", &[("authorization", unknown)], "{}")
        .await;
    assert_eq!(got.status, 403, "{got:?}");
    assert_eq!(bench.get("/chat").await.status, 200);
    assert_eq!(bench.events().len(), 1);
}

#[tokio::test]
async fn a_reset_of_the_account_fills_buckets_and_forgets_quotas() {
    let plan = json!({
        "throttle": { "rateLimit": 0.0, "burstLimit": 1 },
        "quota": { "limit": 1, "period": "MONTH" },
    });
    let bench = bench::rest(keyed(), plans(plan)).await;
    let key = "value-of-key-one";
    assert_eq!(with_key(&bench, key).await.status, 200);
    assert_eq!(with_key(&bench, key).await.status, 429);
    let reset = bench.raw("POST", "/_workshop/reset", &[], b"").await;
    assert!(reset.status < 300, "{reset:?}");
    assert_eq!(with_key(&bench, key).await.status, 200);
}
