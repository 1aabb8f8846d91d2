//! `Scan`: all items of a table or index, or one of so many segments of them.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde_json::Value as Json;

use super::{
    DynamoDb, constraints::Constraints, error::validation, members, read::Members, view::View,
};

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let segment = segment(asked.segment, asked.total_segments)?;
    let scan = asked.read(visit, false)?;
    service.store.of(visit, |place| {
        let view = scan.view(place)?;
        let start = scan.start.as_ref().map(|key| view.start(key)).transpose()?;
        if let (Some(start), Some((segment, total))) = (&start, segment)
            && start.segment(total) != segment
        {
            return Err(validation(format!(
                "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use \
                 ExclusiveStartKey with correct Segment. TotalSegments: {total} Segment: {segment}"
            )));
        }
        let page = view.page(
            View::all(segment),
            start,
            true,
            scan.limit,
            scan.filter.as_ref(),
        );
        Ok(scan.answer(&view, &page))
    })
}

fn segment(segment: Option<i64>, total: Option<i64>) -> Result<Option<(u32, u32)>, ApiError> {
    let mut constraints = Constraints::default();
    constraints.at_least("totalSegments", total, 1);
    constraints.at_most("totalSegments", total, 1_000_000);
    constraints.at_least("segment", segment, 0);
    constraints.at_most("segment", segment, 999_999);
    constraints.finish()?;
    match (segment, total) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(validation(
            "The TotalSegments parameter is required but was not present in the request when \
             Segment parameter is present",
        )),
        (None, Some(_)) => Err(validation(
            "The Segment parameter is required but was not present in the request when parameter \
             TotalSegments is present",
        )),
        (Some(segment), Some(total)) if segment >= total => Err(validation(format!(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: \
             Segment: {segment} is not less than TotalSegments: {total}"
        ))),
        // Both have been bounded.
        (Some(segment), Some(total)) => {
            Ok(u32::try_from(segment).ok().zip(u32::try_from(total).ok()))
        }
    }
}
