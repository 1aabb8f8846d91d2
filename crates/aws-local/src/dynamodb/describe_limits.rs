//! `DescribeLimits`: the quotas that every account begins with.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde_json::{Value as Json, json};

use super::DynamoDb;

#[expect(clippy::unnecessary_wraps, reason = "the form of every operation")]
pub(super) fn answer(_: &DynamoDb, _: &Visit) -> Result<Json, ApiError> {
    Ok(json!({
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    }))
}
