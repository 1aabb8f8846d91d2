//! `TransactGetItems`: up to a hundred items as they are at one moment.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    DynamoDb,
    capacity::{Kind, Used, Wanted, read_units},
    get_item, members,
    transact_write_items::{Reasons, check_count},
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    transact_items: Option<Vec<Part>>,
    return_consumed_capacity: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    get: Option<get_item::Members>,
}

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let wanted = Wanted::read(asked.return_consumed_capacity.as_deref())?;
    let parts = asked.transact_items;
    check_count(parts.as_ref().map(Vec::len))?;
    let mut gets = Vec::new();
    for part in parts.unwrap_or_default() {
        let mut constraints = super::constraints::Constraints::default();
        constraints.required("transactItems.get", part.get.is_some());
        constraints.finish()?;
        if let Some(get) = part.get {
            gets.push(get.read(visit)?);
        }
    }
    service.store.of(visit, |place| {
        let mut reasons = Reasons::default();
        let mut responses = Vec::with_capacity(gets.len());
        let mut used = std::collections::BTreeMap::<&str, Used>::new();
        for get in &gets {
            let table = place.table(&get.table)?;
            let slot = table.keys.slot_of_key(&get.key)?;
            if table.held.contains_key(&slot) {
                reasons.conflict();
                continue;
            }
            reasons.none();
            let (item, size) = get.get(place)?;
            let of = Used {
                table: read_units(size, true),
                ..Used::default()
            };
            used.entry(&get.table).or_default().add(of.times(2.0));
            responses.push(match item {
                Some(item) => json!({ "Item": item }),
                None => json!({}),
            });
        }
        reasons.finish()?;
        let mut answer = json!({ "Responses": responses });
        if wanted != Wanted::Nothing {
            let each = used
                .iter()
                .filter_map(|(name, used)| used.json(name, wanted, Kind::Read));
            answer["ConsumedCapacity"] = each.collect();
        }
        Ok(answer)
    })
}
