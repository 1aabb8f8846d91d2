//! `BatchGetItem`: up to a hundred items of any tables.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value as Json, json};

use super::{
    DynamoDb,
    capacity::{Kind, Used, Wanted, read_units},
    constraints::Constraints,
    error::validation,
    get_item::projection,
    members,
    store::table_name,
    value::{JsonMap, attributes},
    write::refuse_legacy,
};

/// Items in one request (service quotas).
const ITEMS_MAX: usize = 100;
/// The longest answer, in bytes; what does not fit is answered as unprocessed.
const ANSWER_MAX: usize = 16 * 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    request_items: Option<BTreeMap<String, OfTable>>,
    return_consumed_capacity: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfTable {
    keys: Option<Vec<JsonMap>>,
    consistent_read: Option<bool>,
    projection_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    attributes_to_get: Option<IgnoredAny>,
}

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let wanted = Wanted::read(asked.return_consumed_capacity.as_deref())?;
    let mut constraints = Constraints::default();
    constraints.required("requestItems", asked.request_items.is_some());
    constraints.finish()?;
    let tables = asked.request_items.unwrap_or_default();
    let count = |asked: &OfTable| asked.keys.as_ref().map_or(0, Vec::len);
    if tables.is_empty() || tables.values().any(|keys| count(keys) == 0) {
        return Err(validation(
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: \
             Member must have length greater than or equal to 1",
        ));
    }
    if tables.values().map(count).sum::<usize>() > ITEMS_MAX {
        return Err(validation(
            "Too many items requested for the BatchGetItem call",
        ));
    }
    service.store.of(visit, |place| {
        let (mut responses, mut unprocessed) = (json!({}), json!({}));
        let mut capacities = Vec::new();
        let mut sent = 0;
        for (given, asked) in tables {
            let name = table_name(Some(given.clone()), visit)?;
            refuse_legacy(
                &[("AttributesToGet", asked.attributes_to_get.is_some())],
                "ProjectionExpression",
            )?;
            let table = place.table(&name)?;
            let names = asked.expression_attribute_names;
            let projection = projection(asked.projection_expression.as_deref(), names.clone())?;
            let consistent = asked.consistent_read.unwrap_or_default();
            let (mut seen, mut found, mut left) = (BTreeSet::new(), Vec::new(), Vec::new());
            let mut used = Used::default();
            for key in asked.keys.unwrap_or_default() {
                let key = attributes(key)?;
                let slot = table.keys.slot_of_key(&key)?;
                if !seen.insert(slot.clone()) {
                    return Err(validation("Provided list of item keys contains duplicates"));
                }
                let item = table.entries.get(&slot);
                let size = item.map_or(0, |item| item.size);
                if sent + size > ANSWER_MAX {
                    left.push(key);
                    continue;
                }
                sent += size;
                used.table += read_units(size, consistent);
                found.extend(item.map(|item| match &projection {
                    Some(projection) => projection.of(&item.attributes),
                    None => item.attributes.clone(),
                }));
            }
            responses[&given] = json!(found);
            if !left.is_empty() {
                let mut again = json!({ "Keys": left, "ConsistentRead": consistent });
                if let Some(text) = asked.projection_expression {
                    again["ProjectionExpression"] = text.into();
                }
                if let Some(names) = names {
                    again["ExpressionAttributeNames"] = json!(names);
                }
                unprocessed[&given] = again;
            }
            capacities.extend(used.json(&name, wanted, Kind::Plain));
        }
        let mut answer = json!({ "Responses": responses, "UnprocessedKeys": unprocessed });
        if wanted != Wanted::Nothing {
            answer["ConsumedCapacity"] = capacities.into();
        }
        Ok(answer)
    })
}
