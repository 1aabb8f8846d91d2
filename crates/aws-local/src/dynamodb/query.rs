//! `Query`: items of one partition, in the order of their sort keys.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde_json::Value as Json;

use super::{DynamoDb, error::validation, members, read::Members};

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let forward = asked.scan_index_forward.unwrap_or(true);
    let query = asked.read(visit, true)?;
    service.store.of(visit, |place| {
        let view = query.view(place)?;
        let keys = query.keys.iter().next();
        let range = keys.map(|keys| view.matching(keys)).transpose()?;
        let range = range.unwrap_or_else(|| super::view::View::all(None));
        if let Some(filter) = &query.filter
            && let Some(name) =
                filter.attributes().into_iter().find(|name| view.keys().has(name))
        {
            return Err(validation(format!(
                "Filter Expression can only contain non-primary key attributes: Primary key \
                 attribute: {name}"
            )));
        }
        let start = query.start.as_ref().map(|key| view.start(key)).transpose()?;
        if start.as_ref().is_some_and(|start| !range.has(start)) {
            return Err(validation(
                "The provided starting key is outside query boundaries based on provided conditions",
            ));
        }
        let page = view.page(range, start, forward, query.limit, query.filter.as_ref());
        Ok(query.answer(&view, &page))
    })
}
