//! `DescribeTimeToLive`.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde_json::{Value as Json, json};

use super::{DynamoDb, describe_table::OneTable, members, store::table_name};

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: OneTable = members(visit)?;
    let name = table_name(asked.table_name, visit)?;
    service.store.of(visit, |place| {
        let description = match &place.described(&name)?.time_to_live {
            Some(attribute) => {
                json!({ "TimeToLiveStatus": "ENABLED", "AttributeName": attribute })
            }
            None => json!({ "TimeToLiveStatus": "DISABLED" }),
        };
        Ok(json!({ "TimeToLiveDescription": description }))
    })
}
