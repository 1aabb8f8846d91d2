//! `PutItem`: an item, instead of whatever had its key.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde_json::{Value as Json, json};

use super::{
    DynamoDb,
    capacity::{self, Wanted},
    constraints::Constraints,
    error::validation,
    members,
    write::{Kind, Members, Write},
};

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    replacing(service, visit, Kind::Put)
}

/// A write that can only answer what was there before it.
pub(super) fn replacing(service: &DynamoDb, visit: &Visit, kind: Kind) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let shows_old = match asked.return_values.as_deref() {
        None | Some("NONE") => false,
        Some("ALL_OLD") => true,
        Some(other) => {
            let mut constraints = Constraints::default();
            constraints.one_of("returnValues", Some(other), RETURN_VALUES);
            constraints.finish()?;
            return Err(validation("ReturnValues can only be ALL_OLD or NONE"));
        }
    };
    let wanted = Wanted::read(asked.return_consumed_capacity.as_deref())?;
    let write: Write = asked.read(kind, visit)?;
    service.store.of(visit, |place| {
        let change = write.prepare(place)?;
        let used = change.used(place);
        change.make(place);
        let mut answer = json!({});
        if let Some(old) = change.old.as_ref().filter(|_| shows_old) {
            answer["Attributes"] = json!(old.attributes);
        }
        if let Some(used) = used.json(&write.table, wanted, capacity::Kind::Plain) {
            answer["ConsumedCapacity"] = used;
        }
        Ok(answer)
    })
}

/// All that `ReturnValues` may say somewhere.
pub(super) const RETURN_VALUES: &[&str] =
    &["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"];
