//! `DescribeLogStreams`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{group_name, invalid, limit, page};
use crate::{
    error::ApiError,
    page_token::List,
    service::{Call, Plain, Route, Told},
};

pub(super) const OPERATION: Plain = Plain {
    name: "DescribeLogStreams",
    route: Route::Target("Logs_20140328.DescribeLogStreams"),
    permission: super::permission("logs:DescribeLogStreams"),
    answer,
};

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    descending: bool,
    limit: Option<u64>,
    next_token: Option<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let input: Input = call.json()?;
    let list = List::of_body(call, OPERATION.name);
    let name = group_name(input.log_group_name, input.log_group_identifier)?;
    let prefix = input.log_stream_name_prefix.unwrap_or_default();
    let (limit, skip) = (
        limit(input.limit, 50)?,
        page(list, input.next_token.as_deref())?,
    );
    let by_time = match input.order_by.as_deref() {
        None | Some("LogStreamName") => false,
        Some("LastEventTime") if prefix.is_empty() => true,
        Some("LastEventTime") => {
            return Err(invalid(
                "Cannot order by LastEventTime with a logStreamNamePrefix.",
            ));
        }
        Some(other) => {
            return Err(invalid(format!(
                "orderBy: {other} is not LogStreamName or LastEventTime."
            )));
        }
    };
    let state = call.account.state();
    let group = state.log_groups.group(call.region, &name)?;
    let streams = group.streams.iter();
    let mut streams: Vec<_> = streams
        .filter(|(name, _)| name.starts_with(&prefix))
        .collect();
    if by_time {
        streams.sort_by_key(|(_, stream)| stream.events.back().map(|event| event.timestamp));
    }
    if input.descending {
        streams.reverse();
    }
    let listed: Vec<Value> = streams
        .iter()
        .skip(skip)
        .take(limit)
        .map(|(stream, kept)| {
            let arn = format!(
                "arn:aws:logs:{}:{}:log-group:{name}:log-stream:{stream}",
                call.region, call.account.id
            );
            let mut out = json!({
                "logStreamName": stream,
                "creationTime": kept.created,
                "arn": arn,
                "storedBytes": 0,
            });
            if let (Some(first), Some(last)) = (kept.events.front(), kept.events.back()) {
                out["firstEventTimestamp"] = first.timestamp.into();
                out["lastEventTimestamp"] = last.timestamp.into();
            }
            if let Some(ingested) = kept.ingested {
                out["lastIngestionTime"] = ingested.into();
            }
            out
        })
        .collect();
    let mut out = json!({ "logStreams": listed });
    if streams.len() > skip.saturating_add(limit) {
        out["nextToken"] = list.token(skip + limit).into();
    }
    Ok(Told::aws_json(&out))
}
