//! `UpdateItem`: some attributes of an item, which is made if it is not there.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde_json::{Value as Json, json};

use super::{
    DynamoDb,
    capacity::{self, Wanted},
    constraints::Constraints,
    members,
    put_item::RETURN_VALUES,
    value::Attributes,
    write::{Change, Kind, Members, Write},
};

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let shown = asked.return_values.clone();
    let mut constraints = Constraints::default();
    constraints.one_of("returnValues", shown.as_deref(), RETURN_VALUES);
    constraints.finish()?;
    let wanted = Wanted::read(asked.return_consumed_capacity.as_deref())?;
    let update = asked.read(Kind::Update, visit)?;
    service.store.of(visit, |place| {
        let change = update.prepare(place)?;
        let used = change.used(place);
        change.make(place);
        let mut answer = json!({});
        if let Some(attributes) = shown_of(&update, &change, shown.as_deref()) {
            answer["Attributes"] = json!(attributes);
        }
        if let Some(used) = used.json(&update.table, wanted, capacity::Kind::Plain) {
            answer["ConsumedCapacity"] = used;
        }
        Ok(answer)
    })
}

fn shown_of(update: &Write, change: &Change, shown: Option<&str>) -> Option<Attributes> {
    let (item, whole) = match shown? {
        "ALL_OLD" => (&change.old, true),
        "UPDATED_OLD" => (&change.old, false),
        "ALL_NEW" => (&change.new, true),
        "UPDATED_NEW" => (&change.new, false),
        _ => return None,
    };
    let item = &item.as_ref()?.attributes;
    if whole {
        return Some(item.clone());
    }
    let updated = update.update.as_ref()?.projection().of(item);
    // Nothing of it is there: no member at all.
    (!updated.is_empty()).then_some(updated)
}
