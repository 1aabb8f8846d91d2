//! `GetLogEvents`: the events of one stream, page by page in both directions.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{group_name, limit, unknown_token};
use crate::{
    error::ApiError,
    page_token::List,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "GetLogEvents",
    route: Route::Target("Logs_20140328.GetLogEvents"),
    permission: super::permission("logs:GetLogEvents"),
    answer,
};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<u64>,
    start_from_head: bool,
}

/// Where a page is: behind an event, or before one. As on AWS the token is a direction and 56 digits;
/// the first twenty tell the stream, the others the event.
enum Place {
    After(u64),
    Before(u64),
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    let limit = limit(input.limit, 10_000)?;
    let name = group_name(input.log_group_name, input.log_group_identifier)?;
    let list = List::new(
        call,
        OPERATION.name,
        &format!("{name}:{}", input.log_stream_name),
    );
    let place = match input.next_token.as_deref() {
        Some(token) => place(list, token).ok_or_else(unknown_token)?,
        None if input.start_from_head => Place::After(0),
        None => Place::Before(u64::MAX),
    };
    let state = call.account.state();
    let stream = state
        .log_groups
        .stream(call.region, &name, &input.log_stream_name)?;
    let (start, end) = (
        input.start_time.unwrap_or(i64::MIN),
        input.end_time.unwrap_or(i64::MAX),
    );
    let within = stream.events.iter();
    let within = within.filter(|event| (start..end).contains(&event.timestamp));
    let events: Vec<_> = match place {
        Place::After(id) => within
            .filter(|event| event.id > id)
            .take(limit)
            .cloned()
            .collect(),
        Place::Before(id) => {
            let mut newest: Vec<_> = within
                .rev()
                .filter(|event| event.id < id)
                .take(limit)
                .cloned()
                .collect();
            newest.reverse();
            newest
        }
    };
    drop(state);
    // At an end of the stream the token comes back as it was: that is how clients know.
    let (oldest, newest) = match (events.first(), events.last(), &place) {
        (Some(oldest), Some(newest), _) => (oldest.id, newest.id),
        (_, _, Place::After(id)) => (id.saturating_add(1), *id),
        (_, _, Place::Before(id)) => (*id, id.saturating_sub(1)),
    };
    let events = events.iter().map(|event| {
        json!({
            "timestamp": event.timestamp,
            "message": event.message.text(),
            "ingestionTime": event.ingested,
        })
    });
    let events: Vec<Value> = events.collect();
    let token =
        |direction: &str, id: u64| format!("{direction}/{:020}{id:036}", list.fingerprint());
    Ok(Told::aws_json(&json!({
        "events": events,
        "nextForwardToken": token("f", newest),
        "nextBackwardToken": token("b", oldest),
    })))
}

fn place(list: List, token: &str) -> Option<Place> {
    let (direction, digits) = token.split_at_checked(2)?;
    let id = digits.strip_prefix(&format!("{:020}", list.fingerprint()))?;
    let id = (id.len() == 36).then(|| id.parse().ok())??;
    match direction {
        "f/" => Some(Place::After(id)),
        "b/" => Some(Place::Before(id)),
        _ => None,
    }
}
