//! The access log and the metrics.

use bedrock_emulator::{Config, emulator::Auth};
use serde_json::{Value, json};

use crate::bench::{self, Bench, to_chat};

#[tokio::test]
async fn every_request_leaves_one_line_in_the_stages_format() {
    let format = concat!(
        r#"{"id":"$context.requestId","ip":"$context.identity.sourceIp","agent":"$context.identity.userAgent","#,
        r#""time":"$context.requestTime","method":"$context.httpMethod","path":"$context.path","#,
        r#""resource":"$context.resourcePath","status":$context.status,"length":$context.responseLength,"#,
        r#""key":"$context.identity.apiKeyId","error":$context.error.messageString,"#,
        r#""type":"$context.error.responseType","function":"$context.integration.status","#,
        r#""why":"$context.integration.error","user":"$context.authorizer.principalId"}"#
    );
    let paths = json!({ "/chat": { "post": to_chat(json!({ "security": [{ "api_key": [] }] })) } });
    let settings = json!({
        "stage": { "accessLogSettings": { "format": format } },
        "apiKeys": [{ "id": "one", "value": "value-of-key-one" }],
        "usagePlans": [{ "keys": ["one"] }],
    });
    let bench = bench::function(paths, settings, |event| {
        let fails = event["body"] == "fail";
        let error = json!({ "errorType": "E", "errorMessage": "it \"failed\"" });
        if fails {
            Err(error)
        } else {
            Ok(json!({ "body": "hello" }))
        }
    })
    .await;
    let key = ("x-api-key", "value-of-key-one");
    let agent = ("user-agent", r#"a "quoted" \ agent"#);
    bench.post("/chat", &[key, agent], "x").await;
    let id = bench.entry().request_id;
    bench.post("/chat", &[agent], "x").await;
    bench.post("/chat", &[key, agent], "fail").await;
    bench.get("/nowhere").await;
    let lines: Vec<String> = bench
        .seen()
        .into_iter()
        .filter_map(|seen| seen.access_log)
        .collect();
    assert_eq!(
        lines[0],
        format!(
            "{{\"id\":\"{id}\",\"ip\":\"127.0.0.1\",\"agent\":\"a \\\"quoted\\\" \\\\ agent\",\
             \"time\":\"22/Nov/2026:13:00:00 +0000\",\"method\":\"POST\",\"path\":\"/dev/chat\",\
             \"resource\":\"/chat\",\"status\":200,\"length\":5,\"key\":\"one\",\"error\":-,\
             \"type\":\"-\",\"function\":\"200\",\"why\":\"-\",\"user\":\"-\"}}"
        )
    );
    let line = |index: usize| -> Value { serde_json::from_str(&lines[index]).unwrap() };
    let refused = line(1);
    assert_eq!(refused["status"], 403);
    assert_eq!(refused["error"], "Forbidden");
    assert_eq!(refused["type"], "INVALID_API_KEY");
    assert_eq!(
        (&refused["key"], &refused["function"]),
        (&json!("-"), &json!("-"))
    );
    let failed = line(2);
    assert_eq!(
        (&failed["status"], &failed["why"]),
        (&json!(502), &json!(r#"E: it "failed""#))
    );
    let nowhere = line(3);
    assert_eq!(
        (&nowhere["status"], &nowhere["resource"]),
        (&json!(403), &json!("-"))
    );
}

#[tokio::test]
async fn every_request_counts_in_the_metrics() {
    let paths = json!({ "/chat": { "get": to_chat(json!({})) } });
    let settings = json!({ "stage": {
        "cacheClusterEnabled": true, "methodSettings": { "*/*": { "cachingEnabled": true } },
    } });
    let bench = bench::rest(paths, settings).await;
    bench.get("/chat").await;
    bench.get("/chat").await;
    bench.get("/nowhere").await;
    let metrics = bench.seen().into_iter().map(|seen| seen.metrics());
    let metrics: Vec<_> = metrics.collect();
    let count = [
        ("Count", 1.0),
        ("4XXError", 0.0),
        ("5XXError", 0.0),
        ("Latency", 0.0),
    ];
    let miss = [
        ("IntegrationLatency", 0.0),
        ("CacheHitCount", 0.0),
        ("CacheMissCount", 1.0),
    ];
    assert_eq!(metrics[0], [&count[..], &miss].concat());
    let hit = [("CacheHitCount", 1.0), ("CacheMissCount", 0.0)];
    assert_eq!(metrics[1], [&count[..], &hit].concat());
    let refused = [
        ("Count", 1.0),
        ("4XXError", 1.0),
        ("5XXError", 0.0),
        ("Latency", 0.0),
    ];
    assert_eq!(metrics[2], refused);
    let seen = &bench.seen()[0];
    assert_eq!(
        (seen.resource.as_deref(), seen.http_method.as_str()),
        (Some("/chat"), "GET")
    );
}

/// What another service on the port says, unsigned.
async fn asked(bench: &Bench, protocol: &str, target: &str, input: &Value) -> Value {
    let headers = [("content-type", protocol), ("x-amz-target", target)];
    let got = bench
        .raw("POST", "/", &headers, input.to_string().as_bytes())
        .await;
    assert_eq!(got.status, 200, "{}", got.text());
    serde_json::from_slice(&got.body).unwrap()
}

#[tokio::test]
async fn cloudwatch_has_the_metrics_and_the_access_log() {
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:/apis/chat:*";
    for (settings, group) in [
        (
            json!({ "format": "$context.status $context.requestId" }),
            "API-Gateway-Access-Logs_workshop/dev",
        ),
        (
            json!({ "format": "$context.status $context.requestId", "destinationArn": arn }),
            "/apis/chat",
        ),
    ] {
        let paths = json!({ "/chat": { "get": to_chat(json!({})) } });
        let settings = json!({ "stage": { "accessLogSettings": settings } });
        let open = Config {
            auth: Auth::Off,
            ..Config::default()
        };
        let answer = json!({ "statusCode": 200, "body": "hello" });
        let bench = bench::bench(bench::document(paths), settings, open, move |_| {
            Ok(answer.clone())
        })
        .await;
        bench.get("/chat").await;
        bench.get("/nowhere").await;
        for dimensions in [
            json!([{ "Name": "ApiName", "Value": "chat" }]),
            json!([{ "Name": "Stage", "Value": "dev" }, { "Name": "ApiName", "Value": "chat" }]),
        ] {
            for (name, sum) in [("Count", 2.0), ("4XXError", 1.0), ("5XXError", 0.0)] {
                let input = json!({
                    "Namespace": "AWS/ApiGateway", "MetricName": name, "Dimensions": dimensions,
                    "StartTime": 1_795_352_400, "EndTime": 1_795_352_460, "Period": 60,
                    "Statistics": ["Sum"],
                });
                let target = "GraniteServiceVersion20100801.GetMetricStatistics";
                let told = asked(&bench, "application/x-amz-json-1.0", target, &input).await;
                assert_eq!(told["Datapoints"][0]["Sum"], sum, "{name}: {told}");
            }
        }
        let input = json!({ "logGroupName": group, "logStreamName": "dev", "startFromHead": true });
        let target = "Logs_20140328.GetLogEvents";
        let told = asked(&bench, "application/x-amz-json-1.1", target, &input).await;
        let lines = told["events"].as_array().unwrap().iter();
        let lines = lines.map(|event| event["message"].as_str().unwrap().split_once(' '));
        let statuses: Vec<_> = lines.map(|line| line.unwrap().0).collect();
        assert_eq!(statuses, ["200", "403"], "{told}");
    }
}
