//! The event that a function gets: a proxy integration's, in format 1.0 or 2.0.
//!
//! Members and nulls of 1.0 as recorded from a REST API, those of 2.0 as pasted from HTTP APIs. What
//! only `CloudFront` and TLS could add is missing: `CloudFront-*`, `Via`, client certificates.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bedrock_emulator::neighbour::decode;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{api::Payload, exchange::Exchange, response::is_binary};

/// The only address that a client can have here.
pub(super) const SOURCE_IP: &str = "127.0.0.1";

/// The event as JSON.
pub(super) fn event(exchange: &Exchange) -> Bytes {
    let event = match exchange.method().map(|method| method.integration.payload) {
        Some(Payload::V2) => v2(exchange),
        _ => v1(exchange),
    };
    event.to_string().into()
}

/// Names and decoded values of a query string, in order.
pub(super) fn query(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // What is no percent-encoding is taken as it stands.
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            decode(&text).unwrap_or(text)
        };
        (decoded(name), decoded(value))
    });
    pairs.collect()
}

fn v1(exchange: &Exchange) -> Value {
    let api = &exchange.stage.api;
    let request = &exchange.request;
    let headers = forwarded(exchange);
    let query = query(&exchange.query);
    let media_type = request.header("content-type").unwrap_or_default();
    let (body, encoded) = if api.is_rest() {
        body(&request.body, is_binary(&api.binary, media_type))
    } else {
        body(&request.body, !is_text(media_type))
    };
    let identity = identity_v1(exchange);
    let path = exchange.path_with_stage();
    let mut context = json!({
        "accountId": api.settings.account_id,
        "apiId": api.id(),
        "deploymentId": exchange.stage.deployment_id,
        "domainName": exchange.domain(),
        "domainPrefix": api.id(),
        "extendedRequestId": exchange.extended_request_id,
        "httpMethod": request.method,
        "identity": identity,
        "path": path,
        "protocol": "HTTP/1.1",
        "requestId": exchange.request_id,
        "requestTime": clf(exchange.at),
        "requestTimeEpoch": epoch_ms(exchange.at),
        "resourceId": exchange.method().map(|method| method.resource_id.as_str()),
        "resourcePath": exchange.resource(),
        "stage": api.stage(),
    });
    let mut event = json!({
        "resource": exchange.resource(),
        "path": exchange.path,
        "httpMethod": request.method,
        "headers": last(&headers),
        "multiValueHeaders": all(&headers),
        "queryStringParameters": or_null(last(&query)),
        "multiValueQueryStringParameters": or_null(all(&query)),
        "pathParameters": or_null(exchange.parameters()),
        "stageVariables": or_null(variables(exchange)),
        "body": body,
        "isBase64Encoded": encoded,
    });
    if !api.is_rest() {
        // An HTTP API says which format it is, and its paths begin with the stage.
        event["version"] = json!("1.0");
        event["path"] = json!(path);
        context["authorizer"] = Value::Null;
    }
    event["requestContext"] = context;
    event
}

fn identity_v1(exchange: &Exchange) -> Value {
    let mut identity = json!({
        "accessKey": null,
        "accountId": exchange.caller.as_ref().map(|_| &exchange.stage.api.settings.account_id),
        "caller": null,
        "cognitoAuthenticationProvider": null,
        "cognitoAuthenticationType": null,
        "cognitoIdentityId": null,
        "cognitoIdentityPoolId": null,
        "principalOrgId": null,
        "sourceIp": SOURCE_IP,
        "user": null,
        "userAgent": exchange.request.header("user-agent"),
        "userArn": exchange.caller,
    });
    if let Some(key) = exchange.key() {
        identity["apiKey"] = json!(key.value);
        identity["apiKeyId"] = json!(key.id);
    }
    identity
}

fn v2(exchange: &Exchange) -> Value {
    let api = &exchange.stage.api;
    let request = &exchange.request;
    let path = exchange.path_with_stage();
    let mut headers = forwarded(exchange);
    let cookies = headers.iter().filter(|(name, _)| name == "cookie");
    let cookies = cookies
        .flat_map(|(_, value)| value.split(';'))
        .map(str::trim);
    let cookies: Vec<String> = cookies.map(str::to_owned).collect();
    headers.retain(|(name, _)| name != "cookie");
    let media_type = request.header("content-type").unwrap_or_default();
    let (body, encoded) = body(&request.body, !is_text(media_type));
    let mut event = json!({
        "version": "2.0",
        "routeKey": exchange.route_key(),
        "rawPath": path,
        "rawQueryString": exchange.query,
        "headers": joined(&headers),
        "requestContext": {
            "accountId": api.settings.account_id,
            "apiId": api.id(),
            "domainName": exchange.domain(),
            "domainPrefix": api.id(),
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": SOURCE_IP,
                "userAgent": request.header("user-agent").unwrap_or_default(),
            },
            "requestId": exchange.extended_request_id,
            "routeKey": exchange.route_key(),
            "stage": api.stage(),
            "time": clf(exchange.at),
            "timeEpoch": epoch_ms(exchange.at),
        },
        "isBase64Encoded": encoded,
    });
    // Unlike 1.0, what there is none of is not there.
    if !body.is_null() {
        event["body"] = body;
    }
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    let present = [
        ("queryStringParameters", joined(&query(&exchange.query))),
        ("pathParameters", exchange.parameters()),
        ("stageVariables", variables(exchange)),
    ];
    for (name, members) in present {
        if !members.is_empty() {
            event[name] = Value::Object(members);
        }
    }
    event
}

/// The client's headers and those that the gateway adds. Names stay as they arrived: over HTTP/2, and
/// through the emulator's endpoint, in lower case.
fn forwarded(exchange: &Exchange) -> Vec<(String, String)> {
    let dropped = [
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
        "upgrade",
    ];
    let added = [
        ("x-amzn-trace-id", exchange.trace_id.clone()),
        ("x-forwarded-for", forwarded_for(exchange)),
        ("x-forwarded-port", "443".to_owned()),
        ("x-forwarded-proto", "https".to_owned()),
    ];
    let headers = exchange.request.headers.iter();
    let kept = headers.filter(|(name, _)| {
        !dropped.contains(name) && !added.iter().any(|(added, _)| added == name)
    });
    let own_content_length = exchange.request.header("content-length");
    let content_length = own_content_length.filter(|_| !exchange.stage.api.is_rest());
    let content_length = content_length.map(|length| ("content-length", length.to_owned()));
    let added = added.iter().cloned().chain(content_length);
    let added = added.map(|(name, value)| (name.to_owned(), value));
    let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut headers: Vec<(String, String)> = kept.chain(added).collect();
    headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    headers
}

fn forwarded_for(exchange: &Exchange) -> String {
    match exchange.request.header("x-forwarded-for") {
        Some(others) => format!("{others}, {SOURCE_IP}"),
        None => SOURCE_IP.to_owned(),
    }
}

/// The body and whether it is in base64.
fn body(body: &Bytes, binary: bool) -> (Value, bool) {
    if body.is_empty() {
        return (Value::Null, false);
    }
    if binary {
        return (Value::from(STANDARD.encode(body)), true);
    }
    (Value::from(String::from_utf8_lossy(body)), false)
}

/// What an HTTP API hands on as text; everything else in base64.
fn is_text(media_type: &str) -> bool {
    let bare = media_type.split(';').next().unwrap_or_default().trim();
    let bare = bare.to_ascii_lowercase();
    // A form goes in base64 (as often reported), and so does what has no type at all.
    matches!(
        bare.as_str(),
        "application/json" | "application/javascript" | "application/xml"
    ) || bare.starts_with("text/")
        || bare.ends_with("+json")
        || bare.ends_with("+xml")
}

/// By name, the last value (recorded).
fn last(pairs: &[(String, String)]) -> Map<String, Value> {
    let pairs = pairs.iter().cloned();
    pairs
        .map(|(name, value)| (name, Value::from(value)))
        .collect()
}

/// By name, every value in order.
fn all(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in pairs {
        all.entry(name).or_default().push(value);
    }
    let all = all.into_iter();
    all.map(|(name, values)| (name.to_owned(), json!(values)))
        .collect()
}

/// By name, every value, with commas between them.
fn joined(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in pairs {
        all.entry(name).or_default().push(value);
    }
    let all = all.into_iter();
    all.map(|(name, values)| (name.to_owned(), json!(values.join(","))))
        .collect()
}

fn variables(exchange: &Exchange) -> Map<String, Value> {
    let variables = &exchange.stage.api.settings.stage.variables;
    let variables = variables.iter();
    variables
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect()
}

fn or_null(members: Map<String, Value>) -> Value {
    if members.is_empty() {
        Value::Null
    } else {
        Value::Object(members)
    }
}

/// `09/Apr/2015:12:34:56 +0000`, as in Apache's log.
pub(super) fn clf(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let month = at.month().to_string();
    format!(
        "{:02}/{}/{}:{:02}:{:02}:{:02} +0000",
        at.day(),
        &month[..3],
        at.year(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// Milliseconds of Unix time.
pub(super) fn epoch_ms(at: OffsetDateTime) -> i64 {
    at.unix_timestamp() * 1_000 + i64::from(at.millisecond())
}
