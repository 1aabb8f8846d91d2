//! `DeleteItem`: away with the item that has this key, if there is one.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde_json::Value as Json;

use super::{DynamoDb, put_item::replacing, write::Kind};

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    replacing(service, visit, Kind::Delete)
}
