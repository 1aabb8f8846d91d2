//! `PutLogEvents`: events of one's own.

use serde::Deserialize;
use serde_json::json;

use super::{ingest, ingest::Stream, invalid, millis};
use crate::{
    error::ApiError,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "PutLogEvents",
    route: Route::Target("Logs_20140328.PutLogEvents"),
    permission: super::permission("logs:PutLogEvents"),
    answer,
};

/// Bounds of the API reference.
const EVENTS_MAX: usize = 10_000;
const DAY: i64 = 86_400_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    #[serde(rename = "logGroupName")]
    group: String,
    #[serde(rename = "logStreamName")]
    stream: String,
    #[serde(rename = "logEvents")]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    timestamp: i64,
    message: String,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    let (events, now) = (input.events, millis(call));
    if !(1..=EVENTS_MAX).contains(&events.len()) {
        return Err(invalid(format!(
            "1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member \
             must have length between 1 and {EVENTS_MAX}"
        )));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ));
    }
    // Sorted by time, so what is refused stands at the two ends.
    let too_old = events.partition_point(|event| event.timestamp < now - 14 * DAY);
    let too_new = events.partition_point(|event| event.timestamp <= now + DAY / 12);
    let mut out = json!({ "nextSequenceToken": now.to_string() });
    if too_old > 0 {
        out["rejectedLogEventsInfo"]["tooOldLogEventEndIndex"] = too_old.into();
    }
    if too_new < events.len() {
        out["rejectedLogEventsInfo"]["tooNewLogEventStartIndex"] = too_new.into();
    }
    let kept = events.into_iter().take(too_new).skip(too_old);
    let kept = kept.map(|event| (event.timestamp, event.message)).collect();
    let stream = Stream {
        region: call.region,
        group: &input.group,
        name: &input.stream,
    };
    ingest::put(call.account, stream, kept, now)?;
    Ok(Told::aws_json(&out))
}
