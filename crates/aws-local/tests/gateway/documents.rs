//! What a document may say, and how it is told otherwise.

use aws_local::gateway::{Api, Settings};
use serde_json::{Value, json};

use crate::bench::{self, operation, to_chat};

/// The diagnostics, one a line; nothing if there are none.
fn read(document: &Value, settings: &Value) -> String {
    let settings = match Settings::read("settings.json", &settings.to_string()) {
        Ok(settings) => settings,
        Err(found) => return found.to_string(),
    };
    let api = Api::read("api.json", &document.to_string(), settings);
    api.map_or_else(|found| found.to_string(), |_| String::new())
}

/// A document with one operation that says more.
fn one(more: Value) -> Value {
    bench::document(json!({ "/chat": { "post": to_chat(more) } }))
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_cure() {
    let with = |name: &str, value: Value| {
        let mut document = one(json!({}));
        document[name] = value;
        document
    };
    let path = |path: &str| bench::document(json!({ path: { "get": to_chat(json!({})) } }));
    let body = |schema: Value| {
        one(json!({
            "x-amazon-apigateway-request-validator": "all",
            "requestBody": { "content": { "application/json": { "schema": schema } } },
        }))
    };
    let at = "api.json#/paths/~1chat/post";
    let integration = format!("{at}/x-amazon-apigateway-integration");
    let rows = [
        (json!([]), "api.json#: no object".to_owned()),
        (
            with("openapi", json!("2.0")),
            "api.json#/openapi: no OpenAPI 3 document".into(),
        ),
        (
            with("pahts", json!({})),
            "api.json#/pahts: OpenAPI knows no 'pahts' here".into(),
        ),
        (
            with("x-amazon-apigateway-policy", json!({})),
            "api.json#/x-amazon-apigateway-policy: 'x-amazon-apigateway-policy' is not emulated"
                .into(),
        ),
        (
            with("x-amazon-apigateway-api-key-source", json!("AUTHORIZER")),
            "keys from an authorizer are not emulated here; say HEADER".into(),
        ),
        (
            bench::document(json!({})),
            "api.json#/paths: no path has a method".into(),
        ),
        (
            path("chat"),
            "api.json#/paths/chat: a path begins with '/'; write /chat".into(),
        ),
        (
            path("/{a+}/b"),
            "a greedy path variable must be the last segment".into(),
        ),
        (
            path("/{a}/{a}"),
            "'a' is no name for one more path variable".into(),
        ),
        (path("/a b"), "'a b' is no path segment".into()),
        (
            bench::document(json!({
                "/x/{a}": { "get": to_chat(json!({})) }, "/x/{b}/c": { "get": to_chat(json!({})) },
            })),
            "a sibling ({a}) of {b} is a path variable already".into(),
        ),
        (
            one(json!({ "security": [{ "jwt": [] }] })),
            format!("{at}/security: no security scheme is called 'jwt'"),
        ),
        (
            one(json!({ "x-amazon-apigateway-request-validator": "none" })),
            "no request validator is called \"none\"".into(),
        ),
        (
            one(json!({ "parameters": [{ "name": "c", "in": "cookie" }] })),
            format!("{at}/parameters/0/in: API Gateway knows parameters in path, query and header"),
        ),
        (
            one(json!({ "parameters": [{ "$ref": "#/components/parameters/q" }] })),
            format!("{at}/parameters/0/$ref: '#/components/parameters/q' names nothing"),
        ),
        (
            one(json!({ "integration": { "type": "mock" } })),
            format!("{integration}/type: integrations of the type 'mock'"),
        ),
        (
            one(json!({ "integration": { "uri": "lambda" } })),
            format!("{integration}/uri: 'lambda' names no function"),
        ),
        (
            one(json!({ "integration": { "uri": "${stageVariables.fn}" } })),
            "the stage has no variable 'fn'; add it to the settings' stage.variables".into(),
        ),
        (
            one(json!({ "integration": { "httpMethod": "GET" } })),
            "Lambda is invoked with POST, whatever the client sends".into(),
        ),
        (
            one(json!({ "integration": { "payloadFormatVersion": "2.0" } })),
            "REST APIs know 1.0 only".into(),
        ),
        (
            one(json!({ "integration": { "timeoutInMillis": 29_001 } })),
            "Timeout should be between 50 ms and 29000 ms".into(),
        ),
        (
            one(json!({ "integration": { "requestTemplates": {} } })),
            "an integration's 'requestTemplates' is not emulated here".into(),
        ),
        (
            one(
                json!({ "integration": { "cacheKeyParameters": ["method.request.querystring.q"] } }),
            ),
            "cacheKeyParameters/0: Invalid cache key parameter specified".into(),
        ),
        (
            body(json!({ "type": "strng" })),
            "no JSON schema: \"strng\" is not valid".into(),
        ),
        (
            body(json!({ "$ref": "https://example.com/schema" })),
            "post/requestBody/content/application~1json/schema: no JSON schema".into(),
        ),
        (
            body(json!({ "properties": { "a": { "type": "string", "nullable": true } } })),
            "schema/properties/a/nullable: API Gateway does not support 'nullable'".into(),
        ),
    ];
    for (document, expected) in rows {
        let told = read(&document, &json!({}));
        assert!(
            told.contains(&expected),
            "wanted: {expected}\ntold:   {told}"
        );
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    let told = Api::read("api.yaml", "openapi: 3.0.1", Settings::default()).unwrap_err();
    assert!(
        told.to_string().contains("write the document as JSON"),
        "{told}"
    );
}

#[test]
fn settings_are_held_against_the_document_and_awss_limits() {
    let plan = |plan: Value| json!({ "usagePlans": [plan] });
    let methods =
        |key: &str, setting: Value| json!({ "stage": { "methodSettings": { key: setting } } });
    let format = |format: &str| json!({ "stage": { "accessLogSettings": { "format": format } } });
    let rows = [
        (
            json!({ "apiID": "x" }),
            "settings.json#: unknown field `apiID`",
        ),
        (
            json!({ "apiId": "a.b" }),
            "settings#/apiId: the id 'a.b' cannot stand in a URL",
        ),
        (
            json!({ "stage": { "stageName": "$default" } }),
            "'$default' is no stage name",
        ),
        (plan(json!({ "keys": ["x"] })), "no key has the id 'x'"),
        (
            plan(json!({ "quota": { "limit": 1, "period": "DAY", "offset": 1 } })),
            "Usage Plan quota offset must be zero in the DAY period",
        ),
        (
            plan(json!({ "throttle": { "rateLimit": -1.0, "burstLimit": 1 } })),
            "settings#/usagePlans/0/throttle/rateLimit: -1 requests per second are no rate",
        ),
        (
            plan(
                json!({ "methodThrottle": { "/chat/PUT": { "rateLimit": 1.0, "burstLimit": 1 } } }),
            ),
            "no method is called '/chat/PUT'; name one of: /chat/POST",
        ),
        (
            methods("/caht/POST", json!({})),
            "no method is called '/caht/POST'",
        ),
        (
            methods("*/*", json!({ "cacheTtlInSeconds": 3601 })),
            "settings#/stage/methodSettings/*~1*/cacheTtlInSeconds: AWS caches for an hour at most",
        ),
        (
            methods("*/*", json!({ "throttlingRateLimit": 1.0 })),
            "a rate and a burst belong together",
        ),
        (
            format("$context.requestId $context.nope"),
            "there is no variable $context.nope",
        ),
        (
            format("$context.status"),
            "the format names no request; put $context.requestId into it",
        ),
        (
            json!({
                "apiKeys": [{ "id": "a", "value": "v" }, { "id": "b", "value": "v" }],
            }),
            "settings#/apiKeys/1: the key 'b' is there already",
        ),
        (
            json!({
                "apiKeys": [{ "id": "a", "value": "v" }],
                "usagePlans": [{ "keys": ["a"] }, { "keys": ["a"] }],
            }),
            "settings#/usagePlans/1/keys: the key 'a' has a usage plan for this stage already",
        ),
    ];
    for (settings, expected) in rows {
        let told = read(&one(json!({})), &settings);
        assert!(
            told.contains(expected),
            "wanted: {expected}\ntold:   {told}"
        );
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn http_apis_have_neither_keys_nor_validation_nor_a_cache() {
    let http = |more: Value| {
        let mut settings = json!({ "protocolType": "HTTP" });
        for (name, value) in more.as_object().unwrap() {
            settings[name] = value.clone();
        }
        settings
    };
    let plain =
        |more: Value| bench::document(json!({ "/chat": { "post": operation("2.0", more) } }));
    assert_eq!(read(&plain(json!({})), &http(json!({}))), "");
    let told = read(
        &plain(json!({ "security": [{ "api_key": [] }] })),
        &http(json!({})),
    );
    assert!(told.contains("HTTP APIs know no API keys"), "{told}");
    let validator = json!({ "x-amazon-apigateway-request-validator": "all" });
    let told = read(&plain(validator), &http(json!({})));
    assert!(told.contains("HTTP APIs validate nothing"), "{told}");
    let told = read(
        &plain(json!({})),
        &http(json!({ "apiKeys": [{ "id": "a", "value": "b" }] })),
    );
    assert!(
        told.contains("HTTP APIs have no API keys and no usage plans"),
        "{told}"
    );
    let cached = http(json!({ "stage": { "cacheClusterEnabled": true } }));
    let told = read(&plain(json!({})), &cached);
    assert!(told.contains("HTTP APIs have no cache"), "{told}");
}

#[test]
fn a_cached_variable_that_is_not_chosen_is_worth_a_warning() {
    let paths = json!({ "/items/{id}": { "get": to_chat(json!({})) } });
    let settings = json!({ "stage": {
        "cacheClusterEnabled": true, "methodSettings": { "*/*": { "cachingEnabled": true } },
    } });
    let settings = Settings::read("settings.json", &settings.to_string()).unwrap();
    let document = bench::document(paths).to_string();
    let api = Api::read("api.json", &document, settings).unwrap();
    let [warning] = api.warnings() else {
        panic!("{:?}", api.warnings());
    };
    let told = warning.to_string();
    assert!(
        told.contains("GET /items/{id} is cached without 'id'"),
        "{told}"
    );
    assert!(told.contains("method.request.path.id"), "{told}");
}

#[tokio::test]
async fn the_most_specific_path_answers() {
    let to = |name: &str| {
        let uri = format!("arn:aws:lambda:us-east-1:123456789012:function:{name}:live");
        to_chat(json!({ "integration": { "uri": uri } }))
    };
    let any = "x-amazon-apigateway-any-method";
    let paths = json!({
        "/": { "get": to("root") },
        "/items": { "get": to("list"), any: to("any-items") },
        "/items/{id}": { "get": to("one") },
        "/items/new": { "get": to("new") },
        "/{proxy+}": { any: to("rest") },
    });
    let expected = [
        ("GET", "", "root"),
        ("GET", "/", "root"),
        ("GET", "/items", "list"),
        ("DELETE", "/items", "any-items"),
        ("GET", "/items/7", "one"),
        ("GET", "/items/new", "new"),
        ("GET", "/items/n%65w", "new"),
        ("GET", "/items/7/more", "rest"),
        ("PUT", "/other", "rest"),
    ];
    let rest = bench::rest(paths.clone(), json!({})).await;
    let http = bench::rest(paths, json!({ "protocolType": "HTTP" })).await;
    for bench in [&rest, &http] {
        for (method, path, function) in expected {
            let got = bench.send(method, path, &[], b"").await;
            assert_eq!(got.status, 200, "{method} {path}: {got:?}");
            let target = bench.targets().pop().unwrap();
            assert_eq!(target.name, function, "{method} {path}");
            assert_eq!(target.qualifier.as_deref(), Some("live"));
        }
    }
    // A REST API has found the resource, and it has no such method. An HTTP API looks further.
    assert_eq!(rest.send("PUT", "/items/7", &[], b"").await.status, 403);
    assert_eq!(http.send("PUT", "/items/7", &[], b"").await.status, 200);
    assert_eq!(http.targets().pop().unwrap().name, "rest");
}

#[tokio::test]
async fn an_http_apis_default_route_and_stage_catch_the_rest() {
    let paths = json!({
        "/items": { "get": operation("2.0", json!({})) },
        "/$default": { "x-amazon-apigateway-any-method": operation("2.0", json!({})) },
    });
    let settings = json!({ "protocolType": "HTTP", "stage": { "stageName": "$default" } });
    let bench = bench::function(paths, settings, |event| Ok(event["routeKey"].clone())).await;
    assert_eq!(bench.base, "/_aws/execute-api/workshop");
    assert_eq!(bench.get("/items").await.text(), "GET /items");
    assert_eq!(bench.get("/dev/items").await.text(), "$default");
    assert_eq!(bench.get("").await.text(), "$default");
}
