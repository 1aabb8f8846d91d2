//! `DescribeTable`.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{DynamoDb, definition::described, members, store::table_name};

/// The member of every operation about one table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneTable {
    pub(super) table_name: Option<String>,
}

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: OneTable = members(visit)?;
    let name = table_name(asked.table_name, visit)?;
    service.store.of(visit, |place| {
        Ok(json!({ "Table": described(place.described(&name)?, "ACTIVE") }))
    })
}
