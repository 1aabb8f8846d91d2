//! `LookupEvents`: management events about the requests that the journal holds, the newest first.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    error::{ApiError, Code},
    observe::{Trailed, trail_event},
    page_token::List,
    service::{Call, Permission, Plain, Route, Told},
};

/// As many events as one answer holds (API reference).
const PAGE: usize = 50;

pub(super) const OPERATION: Plain = Plain {
    name: "LookupEvents",
    route: Route::Target("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"),
    permission: Permission::anywhere("cloudtrail:LookupEvents"),
    answer,
};

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    lookup_attributes: Vec<Attribute>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_key: String,
    attribute_value: String,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    let refuse = |message: String| ApiError::bedrock(Code::InvalidParameter, message);
    if input.lookup_attributes.len() > 1 {
        return Err(refuse(
            "You can only specify one lookup attribute.".to_owned(),
        ));
    }
    for attribute in &input.lookup_attributes {
        if of(attribute, None).is_none() {
            return Err(refuse(format!(
                "{} is not an attribute that events can be looked up by.",
                attribute.attribute_key
            )));
        }
    }
    let list = List::of_body(call, OPERATION.name);
    // The service model has the error and no words for it (chosen).
    let unknown = || ApiError::bedrock(Code::InvalidNextTokenException, "Invalid token.");
    let skip = input.next_token.as_deref();
    let skip = skip.map(|token| list.place(token).ok_or_else(unknown));
    let skip = skip.transpose()?.unwrap_or(0);
    let page = input.max_results.unwrap_or(PAGE).clamp(1, PAGE);
    let (start, end) = (
        input.start_time.unwrap_or(f64::MIN),
        input.end_time.unwrap_or(f64::MAX),
    );
    let records = call.account.state().journal.records();
    let mut found = records
        .iter()
        .rev()
        .filter(|record| record.region == call.region)
        .filter_map(|record| trail_event(record))
        .filter(|event| {
            let at = seconds(event);
            let mut wanted = input.lookup_attributes.iter();
            at >= start && at <= end && wanted.all(|a| of(a, Some(event)) == Some(true))
        })
        .skip(skip);
    let events: Vec<Value> = found
        .by_ref()
        .take(page)
        .map(|event| told(&event))
        .collect();
    let mut out = json!({ "Events": events });
    if found.next().is_some() {
        out["NextToken"] = list.token(skip + page).into();
    }
    Ok(Told::aws_json(&out))
}

fn seconds(event: &Trailed) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since the epoch are far below 2^53"
    )]
    let at = event.at as f64;
    at
}

/// Whether the event has that attribute; `None` when there is no such attribute.
fn of(attribute: &Attribute, event: Option<&Trailed>) -> Option<bool> {
    let member = match attribute.attribute_key.as_str() {
        "EventName" => "/eventName",
        "EventSource" => "/eventSource",
        "EventId" => "/eventID",
        "AccessKeyId" => "/userIdentity/accessKeyId",
        "ReadOnly" => "/readOnly",
        "ResourceName" => "/requestParameters/modelId",
        "Username" => {
            return Some(event.is_some_and(|e| e.user == attribute.attribute_value));
        }
        _ => return None,
    };
    let Some(event) = event else {
        return Some(false);
    };
    let value = event.event.pointer(member).unwrap_or(&Value::Null);
    Some(match value {
        Value::Bool(flag) => flag.to_string() == attribute.attribute_value,
        value => value.as_str() == Some(&attribute.attribute_value),
    })
}

fn told(event: &Trailed) -> Value {
    let read_only = event.event["readOnly"].as_bool().unwrap_or_default();
    let model = event.event.pointer("/requestParameters/modelId");
    let resources: Vec<Value> = model
        .into_iter()
        .map(|model| json!({ "ResourceType": "AWS::Bedrock::Model", "ResourceName": model }))
        .collect();
    json!({
        "EventId": event.id,
        "EventName": event.event["eventName"],
        "ReadOnly": read_only.to_string(),
        "AccessKeyId": event.event["userIdentity"]["accessKeyId"].as_str().unwrap_or_default(),
        "EventTime": event.at,
        "EventSource": event.event["eventSource"],
        "Username": event.user,
        "Resources": resources,
        "CloudTrailEvent": event.event.to_string(),
    })
}
