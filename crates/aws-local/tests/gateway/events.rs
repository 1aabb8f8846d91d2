//! The events that functions get, golden, and as `lambda_http` reads them.

use lambda_http::{
    Body, RequestExt as _,
    request::{RequestContext, from_str},
};
use serde_json::{Value, json};

use crate::bench::{self, operation, to_chat};

/// The parts that no test can foresee.
fn settled(mut event: Value, port: u16) -> Value {
    let host = format!("127.0.0.1:{port}");
    let mut text = event.to_string().replace(&host, "127.0.0.1:4566");
    for pointer in [
        "/requestContext/requestId",
        "/requestContext/extendedRequestId",
    ] {
        if let Some(id) = event.pointer(pointer).and_then(Value::as_str) {
            text = text.replace(id, "ID");
        }
    }
    let trace = event["headers"]["x-amzn-trace-id"].take();
    text = text.replace(trace.as_str().unwrap(), "TRACE");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn format_1_0_is_what_aws_sends() {
    let paths = json!({ "/items/{id}": { "post": to_chat(json!({})) } });
    let settings = json!({ "stage": { "stageName": "dev", "variables": { "model": "small" } } });
    let bench = bench::rest(paths, settings).await;
    let headers = [
        ("Content-Type", "application/json"),
        ("User-Agent", "test"),
        ("X-Many", "a"),
        ("X-Many", "b"),
    ];
    let path = "/items/a%2Bb?n=1&n=2&text=x%20y+z&bare";
    assert_eq!(
        bench
            .post(path, &headers, r#"{"prompt":"hi"}"#)
            .await
            .status,
        200
    );
    let port = bench.endpoint.addr().port();
    let expected = json!({
        "resource": "/items/{id}",
        "path": "/items/a%2Bb",
        "httpMethod": "POST",
        "headers": {
            "content-type": "application/json",
            "host": "127.0.0.1:4566",
            "user-agent": "test",
            "x-amzn-trace-id": "TRACE",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            "x-many": "b",
        },
        "multiValueHeaders": {
            "content-type": ["application/json"],
            "host": ["127.0.0.1:4566"],
            "user-agent": ["test"],
            "x-amzn-trace-id": ["TRACE"],
            "x-forwarded-for": ["127.0.0.1"],
            "x-forwarded-port": ["443"],
            "x-forwarded-proto": ["https"],
            "x-many": ["a", "b"],
        },
        "queryStringParameters": { "n": "2", "text": "x y z", "bare": "" },
        "multiValueQueryStringParameters": { "n": ["1", "2"], "text": ["x y z"], "bare": [""] },
        "pathParameters": { "id": "a%2Bb" },
        "stageVariables": { "model": "small" },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "workshop",
            "deploymentId": "d00001",
            "domainName": "workshop.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "workshop",
            "extendedRequestId": "ID",
            "httpMethod": "POST",
            "identity": {
                "accessKey": null,
                "accountId": null,
                "caller": null,
                "cognitoAuthenticationProvider": null,
                "cognitoAuthenticationType": null,
                "cognitoIdentityId": null,
                "cognitoIdentityPoolId": null,
                "principalOrgId": null,
                "sourceIp": "127.0.0.1",
                "user": null,
                "userAgent": "test",
                "userArn": null,
            },
            "path": "/dev/items/a%2Bb",
            "protocol": "HTTP/1.1",
            "requestId": "ID",
            "requestTime": "22/Nov/2026:13:00:00 +0000",
            "requestTimeEpoch": 1_795_352_400_000_i64,
            "resourceId": bench.events()[0]["requestContext"]["resourceId"],
            "resourcePath": "/items/{id}",
            "stage": "dev",
        },
        "body": "{\"prompt\":\"hi\"}",
        "isBase64Encoded": false,
    });
    assert_eq!(settled(bench.events()[0].clone(), port), expected);
    let answered = bench.entry().request_id;
    assert_eq!(bench.events()[0]["requestContext"]["requestId"], answered);
}

#[tokio::test]
async fn format_1_0_has_nulls_where_there_is_nothing() {
    let paths = json!({ "/{proxy+}": { "x-amazon-apigateway-any-method": to_chat(json!({})) } });
    let bench = bench::rest(paths, json!({})).await;
    assert_eq!(bench.get("/a/b%20c/").await.status, 200);
    let event = &bench.events()[0];
    for name in [
        "body",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "stageVariables",
    ] {
        assert_eq!(event[name], Value::Null, "{name}");
    }
    // Recorded: the slash at the end stays in the path and leaves the variable.
    assert_eq!(event["path"], "/a/b%20c/");
    assert_eq!(event["pathParameters"], json!({ "proxy": "a/b%20c" }));
    assert_eq!(event["resource"], "/{proxy+}");
}

#[tokio::test]
async fn format_2_0_is_what_aws_sends() {
    let paths = json!({ "/items/{id}": { "post": operation("2.0", json!({})) } });
    let settings = json!({ "protocolType": "HTTP", "stage": { "stageName": "$default" } });
    let bench = bench::function(paths, settings, |_| Ok(json!("ok"))).await;
    let headers = [
        ("Content-Type", "application/json"),
        ("User-Agent", "test"),
        ("X-Many", "a"),
        ("X-Many", "b"),
        ("Cookie", "a=1; b=2"),
    ];
    assert_eq!(
        bench.post("/items/7?n=1&n=2", &headers, "{}").await.status,
        200
    );
    let port = bench.endpoint.addr().port();
    let expected = json!({
        "version": "2.0",
        "routeKey": "POST /items/{id}",
        "rawPath": "/items/7",
        "rawQueryString": "n=1&n=2",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "content-length": "2",
            "content-type": "application/json",
            "host": "127.0.0.1:4566",
            "user-agent": "test",
            "x-amzn-trace-id": "TRACE",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            "x-many": "a,b",
        },
        "queryStringParameters": { "n": "1,2" },
        "pathParameters": { "id": "7" },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "workshop",
            "domainName": "workshop.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "workshop",
            "http": {
                "method": "POST",
                "path": "/items/7",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "test",
            },
            "requestId": "ID",
            "routeKey": "POST /items/{id}",
            "stage": "$default",
            "time": "22/Nov/2026:13:00:00 +0000",
            "timeEpoch": 1_795_352_400_000_i64,
        },
        "body": "{}",
        "isBase64Encoded": false,
    });
    assert_eq!(settled(bench.events()[0].clone(), port), expected);
}

#[tokio::test]
async fn lambda_http_reads_both_formats() {
    let settings = json!({ "stage": { "variables": { "model": "small" } } });
    let paths = json!({ "/items/{id}": { "post": to_chat(json!({})) } });
    let rest = bench::rest(paths, settings).await;
    let paths = json!({ "/items/{id}": { "post": operation("2.0", json!({})) } });
    let settings = json!({
        "protocolType": "HTTP", "stage": { "variables": { "model": "small" } },
    });
    let http = bench::function(paths, settings, |_| Ok(json!("ok"))).await;
    for bench in [rest, http] {
        let headers = [("Content-Type", "application/json"), ("X-Team", "blue")];
        let got = bench
            .post("/items/7?n=1&n=2", &headers, r#"{"prompt":"hi"}"#)
            .await;
        assert_eq!(got.status, 200);
        let event = bench.events()[0].to_string();
        let request = from_str(&event).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.headers()["x-team"], "blue");
        assert_eq!(request.body(), &Body::Text(r#"{"prompt":"hi"}"#.to_owned()));
        assert_eq!(request.path_parameters().first("id"), Some("7"));
        assert_eq!(request.stage_variables().first("model"), Some("small"));
        let query = request.query_string_parameters();
        let v2 = matches!(request.request_context(), RequestContext::ApiGatewayV2(_));
        if v2 {
            assert_eq!(request.raw_http_path(), "/dev/items/7");
        } else {
            assert!(matches!(
                request.request_context(),
                RequestContext::ApiGatewayV1(_)
            ));
            assert_eq!(query.all("n"), Some(vec!["1", "2"]));
        }
    }
}

#[tokio::test]
async fn http_apis_send_format_1_0_as_well() {
    let paths = json!({ "/items": { "get": operation("1.0", json!({})) } });
    let bench = bench::rest(paths, json!({ "protocolType": "HTTP" })).await;
    assert_eq!(bench.get("/items").await.status, 200);
    let event = &bench.events()[0];
    assert_eq!(
        (&event["version"], &event["path"]),
        (&json!("1.0"), &json!("/dev/items"))
    );
    assert!(from_str(&event.to_string()).is_ok());
}

#[tokio::test]
async fn bodies_that_are_no_text_come_in_base64() {
    let paths = json!({ "/up": { "post": to_chat(json!({})) } });
    let mut document = bench::document(paths);
    document["x-amazon-apigateway-binary-media-types"] = json!(["image/*"]);
    let config = bedrock_emulator::Config::default();
    let bench = bench::bench(document, json!({}), config, |_| Ok(json!({}))).await;
    let png = [("content-type", "image/png")];
    assert_eq!(
        bench.send("POST", "/up", &png, &[0x89, 0xff]).await.status,
        200
    );
    let event = &bench.events()[0];
    assert_eq!(
        (&event["body"], &event["isBase64Encoded"]),
        (&json!("if8="), &json!(true))
    );
    let Body::Binary(bytes) = from_str(&event.to_string()).unwrap().into_body() else {
        panic!("{event}");
    };
    assert_eq!(bytes, [0x89, 0xff]);
    // A REST API takes everything else for text; an HTTP API looks at the type.
    let got = bench
        .send("POST", "/up", &[("content-type", "audio/wav")], &[0xff])
        .await;
    assert_eq!(got.status, 200);
    assert_eq!(bench.events()[1]["body"], "\u{fffd}");
    let paths = json!({ "/up": { "post": operation("2.0", json!({})) } });
    let http = json!({ "protocolType": "HTTP" });
    let bench = bench::function(paths, http, |_| Ok(json!("ok"))).await;
    for (kind, encoded) in [
        ("application/json; charset=utf-8", false),
        ("text/csv", false),
        ("application/problem+json", false),
        ("application/x-www-form-urlencoded", true),
        ("audio/wav", true),
    ] {
        bench.post("/up", &[("content-type", kind)], "hi").await;
        let event = bench.events().pop().unwrap();
        assert_eq!(event["isBase64Encoded"], encoded, "{kind}");
        assert_eq!(event["body"], if encoded { "aGk=" } else { "hi" });
    }
}
