//! `GetItem`: the item that has this key.

use std::collections::BTreeMap;

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value as Json, json};

use super::{
    DynamoDb,
    capacity::{Kind, Used, Wanted, read_units},
    constraints::Constraints,
    expression::{Given, Placeholders, Projection},
    members,
    store::{Place, table_name},
    value::{Attributes, JsonMap, attributes},
    write::refuse_legacy,
};

/// The members of `GetItem` and of `Get` in a transaction.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Members {
    table_name: Option<String>,
    key: Option<JsonMap>,
    consistent_read: Option<bool>,
    return_consumed_capacity: Option<String>,
    projection_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    attributes_to_get: Option<IgnoredAny>,
}

/// A read of one item.
#[derive(Debug)]
pub(super) struct Get {
    pub(super) table: String,
    pub(super) key: Attributes,
    projection: Option<Projection>,
}

impl Members {
    /// Understands it.
    pub(super) fn read(self, visit: &Visit) -> Result<Get, ApiError> {
        let table = table_name(self.table_name, visit)?;
        let mut constraints = Constraints::default();
        constraints.required("key", self.key.is_some());
        constraints.finish()?;
        refuse_legacy(
            &[("AttributesToGet", self.attributes_to_get.is_some())],
            "ProjectionExpression",
        )?;
        let projection = projection(
            self.projection_expression.as_deref(),
            self.expression_attribute_names,
        )?;
        let key = attributes(self.key.unwrap_or_default())?;
        Ok(Get {
            table,
            key,
            projection,
        })
    }
}

/// A projection alone, with its names.
pub(super) fn projection(
    text: Option<&str>,
    names: Option<BTreeMap<String, String>>,
) -> Result<Option<Projection>, ApiError> {
    let given = Given {
        expressions: &[("ProjectionExpression", text)],
    };
    let mut placeholders = Placeholders::read(names, None, given)?;
    let projection = text.map(|text| placeholders.projection(text)).transpose()?;
    placeholders.all_used()?;
    Ok(projection)
}

impl Get {
    /// The item, as far as it is wanted, and its size.
    pub(super) fn get(&self, place: &Place) -> Result<(Option<Attributes>, usize), ApiError> {
        let table = place.table(&self.table)?;
        let slot = table.keys.slot_of_key(&self.key)?;
        let Some(item) = table.entries.get(&slot) else {
            return Ok((None, 0));
        };
        let shown = match &self.projection {
            Some(projection) => projection.of(&item.attributes),
            None => item.attributes.clone(),
        };
        Ok((Some(shown), item.size))
    }
}

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let consistent = asked.consistent_read.unwrap_or_default();
    let wanted = Wanted::read(asked.return_consumed_capacity.as_deref())?;
    let get = asked.read(visit)?;
    service.store.of(visit, |place| {
        let (item, size) = get.get(place)?;
        let mut answer = json!({});
        if let Some(item) = item {
            answer["Item"] = json!(item);
        }
        let used = Used {
            table: read_units(size, consistent),
            ..Used::default()
        };
        if let Some(used) = used.json(&get.table, wanted, Kind::Plain) {
            answer["ConsumedCapacity"] = used;
        }
        Ok(answer)
    })
}
