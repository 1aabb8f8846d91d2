//! What a function answered, as an HTTP answer; or why it is none.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bedrock_emulator::{neighbour::Answer, wire::Header};
use bytes::Bytes;
use serde_json::{Map, Value};

use super::{api::Payload, exchange::Exchange};

/// The largest answer, in bytes (API Gateway quotas).
const ANSWER_MAX: usize = 10 * 1024 * 1024;

/// Reads a function's answer.
///
/// # Errors
/// What is wrong with it, for people: AWS writes it into its log and tells the client nothing.
pub(super) fn read(exchange: &Exchange, payload: &Bytes) -> Result<Answer, String> {
    let value: Value = serde_json::from_slice(payload)
        .map_err(|error| format!("the function's answer is no JSON: {error}"))?;
    let format = exchange.method().map(|method| method.integration.payload);
    let answer = match format {
        Some(Payload::V2) => v2(value, payload),
        _ => v1(exchange, value),
    }?;
    if answer.body.len() > ANSWER_MAX {
        return Err(format!("the body is larger than {ANSWER_MAX} bytes"));
    }
    Ok(answer)
}

/// No member has to be there, and no other may be (recorded).
fn v1(exchange: &Exchange, value: Value) -> Result<Answer, String> {
    let Value::Object(members) = value else {
        return Err(format!(
            "Malformed Lambda proxy response: {} instead of an object with statusCode, headers and \
             body",
            kind(&value)
        ));
    };
    let rest = exchange.stage.api.is_rest();
    let known = [
        "statusCode",
        "headers",
        "multiValueHeaders",
        "body",
        "isBase64Encoded",
    ];
    if let Some(other) = members.keys().find(|name| !known.contains(&name.as_str()))
        && rest
    {
        return Err(format!(
            "Malformed Lambda proxy response: it may not have a member '{other}'; put it into the \
             body"
        ));
    }
    if !rest && !members.contains_key("statusCode") {
        return Err("Malformed Lambda proxy response: statusCode is missing".to_owned());
    }
    let mut headers = Vec::new();
    plain_headers(&members, &mut headers)?;
    if let Some(more) = present(&members, "multiValueHeaders") {
        let Value::Object(more) = more else {
            return Err(malformed(
                "multiValueHeaders",
                more,
                "an object of lists of strings",
            ));
        };
        for (name, values) in more {
            // Where both have a header, this one counts.
            headers.retain(|(other, _): &(String, String)| !other.eq_ignore_ascii_case(name));
            let Value::Array(values) = values else {
                return Err(malformed(
                    "multiValueHeaders",
                    values,
                    "an object of lists of strings",
                ));
            };
            for value in values {
                headers.push((name.clone(), header_value("multiValueHeaders", value)?));
            }
        }
    }
    let decodes = !rest || {
        let accept = exchange.request.header("accept").unwrap_or_default();
        let first = accept.split(',').next().unwrap_or_default();
        is_binary(&exchange.stage.api.binary, first)
    };
    finish(&members, headers, "application/json", decodes, rest)
}

/// Whatever has no `statusCode` is the body itself, with status 200.
fn v2(value: Value, payload: &Bytes) -> Result<Answer, String> {
    let members = match value {
        Value::Object(members) if members.contains_key("statusCode") => members,
        value => {
            let body = match value {
                Value::String(text) => text.into(),
                _ => payload.clone(),
            };
            return Ok(Answer {
                status: 200,
                content_type: Cow::Borrowed("application/json"),
                headers: Vec::new(),
                body,
                lit: Vec::new(),
            });
        }
    };
    let mut headers = Vec::new();
    plain_headers(&members, &mut headers)?;
    if let Some(cookies) = present(&members, "cookies") {
        let Value::Array(cookies) = cookies else {
            return Err(malformed("cookies", cookies, "a list of strings"));
        };
        for cookie in cookies {
            headers.push(("set-cookie".to_owned(), header_value("cookies", cookie)?));
        }
    }
    finish(&members, headers, "text/plain; charset=utf-8", true, false)
}

fn present<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).filter(|value| !value.is_null())
}

fn plain_headers(
    members: &Map<String, Value>,
    headers: &mut Vec<(String, String)>,
) -> Result<(), String> {
    match present(members, "headers") {
        None => Ok(()),
        Some(Value::Object(plain)) => {
            for (name, value) in plain {
                headers.push((name.clone(), header_value("headers", value)?));
            }
            Ok(())
        }
        Some(other) => Err(malformed("headers", other, "an object of strings")),
    }
}

/// Strings, and truth values (recorded); numbers are refused.
fn header_value(place: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(truth) => Ok(truth.to_string()),
        other => Err(malformed(place, other, "strings")),
    }
}

fn finish(
    members: &Map<String, Value>,
    headers: Vec<(String, String)>,
    default_type: &'static str,
    decodes: bool,
    rest: bool,
) -> Result<Answer, String> {
    let status = status(members)?;
    let text = match present(members, "body") {
        None => "",
        Some(Value::String(text)) => text,
        Some(other) => {
            return Err(malformed(
                "body",
                other,
                "a string (serde_json::to_string makes one)",
            ));
        }
    };
    let encoded = match present(members, "isBase64Encoded") {
        None => false,
        Some(Value::Bool(encoded)) => *encoded,
        Some(other) => return Err(malformed("isBase64Encoded", other, "true or false")),
    };
    let body = if encoded && decodes {
        let bytes = STANDARD.decode(text);
        bytes
            .map_err(|error| format!("the body is no base64: {error}"))?
            .into()
    } else {
        Bytes::from(text.to_owned())
    };
    let mut content_type = Cow::Borrowed(default_type);
    let mut kept: Vec<Header> = Vec::new();
    for (name, value) in headers {
        if !is_header(&name, &value) {
            return Err(format!(
                "no header can be called '{name}' and say {value:?}"
            ));
        }
        if name.eq_ignore_ascii_case("content-type") {
            content_type = Cow::Owned(value);
        } else if let Some(name) = passed_on(name, rest) {
            kept.push((Cow::Owned(name), value));
        }
    }
    Ok(Answer {
        status,
        content_type,
        headers: kept,
        body,
        lit: Vec::new(),
    })
}

fn status(members: &Map<String, Value>) -> Result<u16, String> {
    let status = match present(members, "statusCode") {
        None => Some(200),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    let status = status.and_then(|status| u16::try_from(status).ok());
    let status = status.filter(|status| (200..600).contains(status));
    status.ok_or_else(|| {
        let given = members.get("statusCode").unwrap_or(&Value::Null);
        format!("Malformed Lambda proxy response: statusCode is {given}, not 200 to 599")
    })
}

fn malformed(name: &str, found: &Value, wanted: &str) -> String {
    let kind = kind(found);
    format!("Malformed Lambda proxy response: {name} has {kind} where it takes {wanted}")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What HTTP lets stand in a header.
fn is_header(name: &str, value: &str) -> bool {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let visible = |c: char| c == '\t' || (!c.is_control() && c.is_ascii());
    !name.is_empty() && name.chars().all(token) && value.chars().all(visible)
}

/// The name that a header leaves under; `None`: it does not (API Gateway, "Important notes").
fn passed_on(name: String, rest: bool) -> Option<String> {
    match name.to_ascii_lowercase().as_str() {
        "connection" | "content-md5" | "date" | "max-forwards" | "server" | "www-authenticate"
            if rest =>
        {
            Some(format!("x-amzn-Remapped-{name}"))
        }
        // The endpoint says when it is, and how it connects.
        "connection" | "date" | "content-length" | "transfer-encoding" | "te" | "trailer"
        | "upgrade" | "expect" | "host" | "proxy-authenticate" | "keep-alive" => None,
        _ => Some(name),
    }
}

/// Whether a media type is one of these: in full, `image/*` or `*/*`.
pub(super) fn is_binary(types: &[String], media_type: &str) -> bool {
    let bare = media_type.split(';').next().unwrap_or_default().trim();
    let bare = bare.to_ascii_lowercase();
    types.iter().any(|one| {
        let family = one.strip_suffix('*');
        one == "*/*" || *one == bare || family.is_some_and(|family| bare.starts_with(family))
    })
}
