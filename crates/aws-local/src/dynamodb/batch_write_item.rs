//! `BatchWriteItem`: up to 25 puts and deletes, each on its own.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    DynamoDb,
    capacity::{self, Used, Wanted},
    constraints::Constraints,
    error::validation,
    members,
    store::table_name,
    value::{JsonMap, attributes},
    write::{Kind, Refusal, Write},
};

/// Writes in one request (service quotas).
const WRITES_MAX: usize = 25;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    request_items: Option<BTreeMap<String, Vec<Request>>>,
    return_consumed_capacity: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    put_request: Option<Put>,
    delete_request: Option<Delete>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    item: JsonMap,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    key: JsonMap,
}

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let wanted = Wanted::read(asked.return_consumed_capacity.as_deref())?;
    let mut constraints = Constraints::default();
    constraints.required("requestItems", asked.request_items.is_some());
    constraints.finish()?;
    let tables = asked.request_items.unwrap_or_default();
    if tables.is_empty() || tables.values().any(Vec::is_empty) {
        return Err(validation(
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: \
             Member must have length greater than or equal to 1",
        ));
    }
    if tables.values().map(Vec::len).sum::<usize>() > WRITES_MAX {
        return Err(validation(
            "Too many items requested for the BatchWriteItem call",
        ));
    }
    let mut writes = Vec::new();
    for (given, requests) in tables {
        let table = table_name(Some(given.clone()), visit)?;
        for request in requests {
            writes.push((given.clone(), request.read(table.clone())?));
        }
    }
    service.store.of(visit, |place| {
        let mut seen = BTreeSet::new();
        for (_, (write, _)) in &writes {
            if !seen.insert((&write.table, write.slot(place)?)) {
                return Err(validation("Provided list of item keys contains duplicates"));
            }
        }
        // What an item is refused for is said before any is written.
        for (_, (write, _)) in &writes {
            if let Err(Refusal::Error(error)) = write.prepare(place) {
                return Err(error);
            }
        }
        let mut unprocessed: BTreeMap<&str, Vec<&Json>> = BTreeMap::new();
        let mut used: BTreeMap<&str, Used> = BTreeMap::new();
        for (given, (write, again)) in &writes {
            match write.prepare(place) {
                Ok(change) => {
                    used.entry(&write.table)
                        .or_default()
                        .add(change.used(place));
                    change.make(place);
                }
                // Held by somebody's transaction, or no room left: to be sent again.
                Err(_) => unprocessed.entry(given).or_default().push(again),
            }
        }
        let mut answer = json!({ "UnprocessedItems": unprocessed });
        if wanted != Wanted::Nothing {
            let each = used.iter();
            let each =
                each.filter_map(|(name, used)| used.json(name, wanted, capacity::Kind::Plain));
            answer["ConsumedCapacity"] = each.collect();
        }
        Ok(answer)
    })
}

impl Request {
    /// The write, and how to ask for it again.
    fn read(self, table: String) -> Result<(Write, Json), ApiError> {
        let (kind, map, again) = match (self.put_request, self.delete_request) {
            (Some(put), None) => {
                let again = json!({ "PutRequest": { "Item": put.item } });
                (Kind::Put, put.item, again)
            }
            (None, Some(delete)) => {
                let again = json!({ "DeleteRequest": { "Key": delete.key } });
                (Kind::Delete, delete.key, again)
            }
            _ => {
                return Err(validation(
                    "Supplied AttributeValue has more than one datatypes set, must contain exactly \
                     one of the supported datatypes",
                ));
            }
        };
        Ok((Write::plain(kind, table, attributes(map)?), again))
    }
}
