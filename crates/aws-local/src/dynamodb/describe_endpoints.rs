//! `DescribeEndpoints`: the address that the caller already has, for a day.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde_json::{Value as Json, json};

use super::DynamoDb;

#[expect(clippy::unnecessary_wraps, reason = "the form of every operation")]
pub(super) fn answer(_: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let address = visit
        .request
        .header("host")
        .unwrap_or("127.0.0.1")
        .to_owned();
    Ok(json!({ "Endpoints": [{ "Address": address, "CachePeriodInMinutes": 1440 }] }))
}
