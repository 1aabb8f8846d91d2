//! `FilterLogEvents`: the events of a group that match a pattern, oldest first.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{group_name, invalid, limit, page, pattern::Pattern};
use crate::{
    error::ApiError,
    page_token::List,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "FilterLogEvents",
    route: Route::Target("Logs_20140328.FilterLogEvents"),
    permission: super::permission("logs:FilterLogEvents"),
    answer,
};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<u64>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    let list = List::of_body(call, OPERATION.name);
    let (limit, skip) = (
        limit(input.limit, 10_000)?,
        page(list, input.next_token.as_deref())?,
    );
    let pattern = Pattern::parse(input.filter_pattern.as_deref().unwrap_or_default())?;
    let name = group_name(input.log_group_name, input.log_group_identifier)?;
    if input.log_stream_names.is_some() && input.log_stream_name_prefix.is_some() {
        return Err(invalid(
            "logStreamNames and logStreamNamePrefix cannot be given together.",
        ));
    }
    let prefix = input.log_stream_name_prefix.unwrap_or_default();
    let wanted = |stream: &str| {
        let named = input.log_stream_names.as_ref();
        stream.starts_with(&prefix) && named.is_none_or(|names| names.iter().any(|n| n == stream))
    };
    let (start, end) = (
        input.start_time.unwrap_or(i64::MIN),
        input.end_time.unwrap_or(i64::MAX),
    );
    let state = call.account.state();
    let group = state.log_groups.group(call.region, &name)?;
    let streams = group.streams.iter().filter(|(name, _)| wanted(name));
    let mut found: Vec<_> = streams
        .flat_map(|(name, stream)| {
            let name: Arc<str> = name.as_str().into();
            let events = stream.events.iter();
            let events = events.filter(|event| (start..=end).contains(&event.timestamp));
            events.map(move |event| (Arc::clone(&name), event.clone()))
        })
        .collect();
    drop(state);
    found.sort_by_key(|(_, event)| (event.timestamp, event.id));
    // The token counts events that were looked at, so that a page costs no second look.
    let mut seen = skip;
    let mut events: Vec<Value> = Vec::new();
    for (stream, event) in found.iter().skip(skip) {
        if events.len() == limit {
            break;
        }
        seen += 1;
        let message = event.message.text();
        if pattern.matches(&message) {
            events.push(json!({
                "logStreamName": &**stream,
                "timestamp": event.timestamp,
                "message": message,
                "ingestionTime": event.ingested,
                "eventId": format!("{:056}", event.id),
            }));
        }
    }
    let mut out = json!({ "events": events, "searchedLogStreams": [] });
    if seen < found.len() {
        out["nextToken"] = list.token(seen).into();
    }
    Ok(Told::aws_json(&out))
}
