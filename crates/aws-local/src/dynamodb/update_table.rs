//! `UpdateTable`: billing, units, protection, and global indexes, which are built at once.

use std::sync::Arc;

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    DynamoDb,
    constraints::Constraints,
    create_table::{self, GLOBAL_MAX},
    definition::{
        AttributeDefinition, IndexDefinition, ThroughputDefinition, definitions, described,
    },
    error::{invalid, not_found, validation},
    members,
    store::table_name,
    table::{Billing, Scope, Table, Throughput},
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    table_name: Option<String>,
    attribute_definitions: Option<Vec<AttributeDefinition>>,
    billing_mode: Option<String>,
    provisioned_throughput: Option<ThroughputDefinition>,
    global_secondary_index_updates: Option<Vec<IndexUpdate>>,
    table_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexUpdate {
    create: Option<IndexDefinition>,
    update: Option<IndexThroughput>,
    delete: Option<IndexName>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexThroughput {
    index_name: String,
    provisioned_throughput: Option<ThroughputDefinition>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexName {
    index_name: String,
}

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let name = table_name(asked.table_name.clone(), visit)?;
    let mut constraints = Constraints::default();
    let billing_mode = asked.billing_mode.as_deref();
    let class = asked.table_class.as_deref();
    create_table::constrain(&mut constraints, billing_mode, class);
    constraints.finish()?;
    if billing_mode.is_none()
        && class.is_none()
        && asked.provisioned_throughput.is_none()
        && asked.deletion_protection_enabled.is_none()
        && asked.global_secondary_index_updates.is_none()
    {
        return Err(validation(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, \
             GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required",
        ));
    }
    service.store.of(visit, |place| {
        let table = place.described(&name)?;
        // All of it is understood before any of it is done.
        let billing = billing(&asked, table, visit)?;
        let index = index_change(asked.global_secondary_index_updates)?;
        let mut known = table.definitions.clone();
        known.extend(definitions(
            asked.attribute_definitions.unwrap_or_default(),
        )?);
        apply(table, index, &known, billing)?;
        table.billing = billing;
        if let Some(class) = asked.table_class {
            table.infrequent_access = class == "STANDARD_INFREQUENT_ACCESS";
        }
        if let Some(protected) = asked.deletion_protection_enabled {
            table.deletion_protection = protected;
        }
        Ok(json!({ "TableDescription": described(table, "ACTIVE") }))
    })
}

fn billing(asked: &Members, table: &Table, visit: &Visit) -> Result<Billing, ApiError> {
    let throughput = asked
        .provisioned_throughput
        .map(ThroughputDefinition::read)
        .transpose()?;
    let mode = asked.billing_mode.as_deref();
    match (mode, throughput, table.billing) {
        (Some("PAY_PER_REQUEST"), Some(_), _) | (None, Some(_), Billing::PerRequest(_)) => {
            Err(invalid(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode \
                 is PAY_PER_REQUEST",
            ))
        }
        (Some("PAY_PER_REQUEST"), None, Billing::Provisioned(_)) => {
            Ok(Billing::PerRequest(visit.now))
        }
        (Some("PROVISIONED"), None, Billing::PerRequest(_)) => Err(invalid(
            "ProvisionedThroughput must be specified when BillingMode is PROVISIONED",
        )),
        (_, Some(throughput), _) => Ok(Billing::Provisioned(throughput)),
        (_, None, known) => Ok(known),
    }
}

enum IndexChange {
    Nothing,
    Create(IndexDefinition),
    Update(String, Throughput),
    Delete(String),
}

/// One index at a time, as on AWS.
fn index_change(updates: Option<Vec<IndexUpdate>>) -> Result<IndexChange, ApiError> {
    let mut updates = updates.unwrap_or_default();
    if updates.len() > 1 {
        return Err(super::error::limit_exceeded(
            "Subscriber limit exceeded: Only 1 online index can be created or deleted \
             simultaneously per table",
        ));
    }
    let Some(update) = updates.pop() else {
        return Ok(IndexChange::Nothing);
    };
    match (update.create, update.update, update.delete) {
        (Some(create), None, None) => Ok(IndexChange::Create(create)),
        (None, None, Some(delete)) => Ok(IndexChange::Delete(delete.index_name)),
        (
            None,
            Some(IndexThroughput {
                index_name,
                provisioned_throughput: Some(units),
            }),
            None,
        ) => Ok(IndexChange::Update(index_name, units.read()?)),
        _ => Err(invalid(
            "One of GlobalSecondaryIndexUpdate's Create, Update (with ProvisionedThroughput) or \
             Delete must be given, and only one",
        )),
    }
}

fn apply(
    table: &mut Table,
    change: IndexChange,
    known: &std::collections::BTreeMap<String, super::key::KeyKind>,
    billing: Billing,
) -> Result<(), ApiError> {
    let find = |table: &Table, name: &str| {
        let found = table
            .indexes
            .iter()
            .position(|index| index.name == name && matches!(index.scope, Scope::Global(_)));
        found.ok_or_else(|| not_found("Requested resource not found"))
    };
    match change {
        IndexChange::Nothing => {}
        IndexChange::Update(name, units) => {
            let at = find(table, &name)?;
            table.indexes[at].scope = Scope::Global(units);
        }
        IndexChange::Delete(name) => {
            let at = find(table, &name)?;
            table.indexes.remove(at);
        }
        IndexChange::Create(definition) => {
            if table
                .indexes
                .iter()
                .any(|index| index.name == definition.index_name)
            {
                return Err(validation(format!(
                    "Attempting to create an index which already exists: {}",
                    definition.index_name
                )));
            }
            let global = |index: &&super::table::Index| index.scope != Scope::Local;
            if table.indexes.iter().filter(global).count() == GLOBAL_MAX {
                return Err(invalid(format!(
                    "GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_MAX}"
                )));
            }
            let mut index = definition.read(known, None, &billing)?;
            // Items that do not fit are left out, as on AWS.
            for (slot, item) in &table.entries {
                index.replace(&table.keys, slot, None, Some(&Arc::clone(item)));
            }
            for key in index.keys.attributes() {
                table.definitions.insert(key.name.clone(), key.kind);
            }
            table.indexes.push(index);
        }
    }
    Ok(())
}
