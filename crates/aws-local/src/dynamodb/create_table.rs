//! `CreateTable`: a table, `ACTIVE` at once.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    DynamoDb,
    constraints::Constraints,
    definition::{
        AttributeDefinition, IndexDefinition, KeySchemaElement, ThroughputDefinition,
        check_all_used, definitions, described, key_schema,
    },
    error::{in_use, invalid, limit_exceeded, validation},
    key::KeySchema,
    members,
    store::{arn, table_name},
    table::{Billing, Entries, Index, Scope, Table},
    tag_resource::{Tag, tags},
};

/// Global indexes of a table (service quotas).
pub(super) const GLOBAL_MAX: usize = 20;
/// Local indexes of a table.
const LOCAL_MAX: usize = 5;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    table_name: Option<String>,
    attribute_definitions: Option<Vec<AttributeDefinition>>,
    key_schema: Option<Vec<KeySchemaElement>>,
    local_secondary_indexes: Option<Vec<IndexDefinition>>,
    global_secondary_indexes: Option<Vec<IndexDefinition>>,
    billing_mode: Option<String>,
    provisioned_throughput: Option<ThroughputDefinition>,
    table_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
    tags: Option<Vec<Tag>>,
    stream_specification: Option<Stream>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stream {
    stream_enabled: Option<bool>,
}

/// What a billing mode and a table class may be.
pub(super) fn constrain(constraints: &mut Constraints, billing: Option<&str>, class: Option<&str>) {
    constraints.one_of("billingMode", billing, &["PROVISIONED", "PAY_PER_REQUEST"]);
    constraints.one_of(
        "tableClass",
        class,
        &["STANDARD", "STANDARD_INFREQUENT_ACCESS"],
    );
}

pub(super) fn answer(service: &DynamoDb, visit: &mut Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let name = table_name(asked.table_name, visit)?;
    let mut constraints = Constraints::default();
    constraints.required(
        "attributeDefinitions",
        asked.attribute_definitions.is_some(),
    );
    constraints.required("keySchema", asked.key_schema.is_some());
    let billing_mode = asked.billing_mode.as_deref();
    let class = asked.table_class.as_deref();
    constrain(&mut constraints, billing_mode, class);
    constraints.finish()?;
    if asked
        .stream_specification
        .is_some_and(|stream| stream.stream_enabled == Some(true))
    {
        return Err(validation(
            "Bedrock Workshop: DynamoDB Streams are not emulated",
        ));
    }
    let throughput = asked
        .provisioned_throughput
        .map(ThroughputDefinition::read)
        .transpose()?;
    let billing = match (billing_mode, throughput) {
        (Some("PAY_PER_REQUEST"), None) => Billing::PerRequest(visit.now),
        (Some("PAY_PER_REQUEST"), Some(_)) => {
            return Err(invalid(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode \
                 is PAY_PER_REQUEST",
            ));
        }
        (_, Some(throughput)) => Billing::Provisioned(throughput),
        (_, None) => {
            return Err(invalid(
                "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is \
                 PROVISIONED",
            ));
        }
    };
    let definitions = definitions(asked.attribute_definitions.unwrap_or_default())?;
    let keys = key_schema(&asked.key_schema.unwrap_or_default(), &definitions)?;
    let indexes = indexes(
        asked.local_secondary_indexes,
        asked.global_secondary_indexes,
        &keys,
        |index, local_to| index.read(&definitions, local_to, &billing),
    )?;
    check_all_used(&definitions, &keys, &indexes)?;
    let table = Table {
        arn: arn(visit, &name),
        id: visit.uuid(),
        created: visit.now,
        definitions,
        keys,
        entries: Entries::new(),
        bytes: 0,
        indexes,
        billing,
        deletion_protection: asked.deletion_protection_enabled.unwrap_or_default(),
        infrequent_access: class == Some("STANDARD_INFREQUENT_ACCESS"),
        time_to_live: None,
        tags: tags(asked.tags.unwrap_or_default(), BTreeMap::new())?,
        held: BTreeMap::new(),
        name: name.clone(),
    };
    service.store.of(visit, |place| {
        if place.tables.contains_key(&name) {
            return Err(in_use(format!("Table already exists: {name}")));
        }
        if !place.has_room_for_a_table() {
            return Err(limit_exceeded(
                "Subscriber limit exceeded: there is a limit of 2500 tables per account and region",
            ));
        }
        let answer = json!({ "TableDescription": described(&table, "ACTIVE") });
        place.tables.insert(name, table);
        Ok(answer)
    })
}

fn indexes(
    local: Option<Vec<IndexDefinition>>,
    global: Option<Vec<IndexDefinition>>,
    keys: &KeySchema,
    read: impl Fn(IndexDefinition, Option<&KeySchema>) -> Result<Index, ApiError>,
) -> Result<Vec<Index>, ApiError> {
    if local.as_ref().is_some_and(Vec::is_empty) {
        return Err(invalid("List of LocalSecondaryIndexes is empty"));
    }
    if global.as_ref().is_some_and(Vec::is_empty) {
        return Err(invalid("List of GlobalSecondaryIndexes is empty"));
    }
    if local.is_some() && keys.range.is_none() {
        return Err(invalid(
            "Table KeySchema does not have a range key, which is required when specifying a \
             LocalSecondaryIndex",
        ));
    }
    let mut indexes = Vec::new();
    for index in local.unwrap_or_default() {
        indexes.push(read(index, Some(keys))?);
    }
    for index in global.unwrap_or_default() {
        indexes.push(read(index, None)?);
    }
    let mut names = BTreeSet::new();
    if let Some(index) = indexes.iter().find(|index| !names.insert(&index.name)) {
        return Err(invalid(format!("Duplicate index name: {}", index.name)));
    }
    let local = indexes
        .iter()
        .filter(|index| index.scope == Scope::Local)
        .count();
    if local > LOCAL_MAX {
        return Err(invalid(format!(
            "Number of LocalSecondaryIndexes exceeds per-table limit of {LOCAL_MAX}"
        )));
    }
    if indexes.len() - local > GLOBAL_MAX {
        return Err(invalid(format!(
            "GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_MAX}"
        )));
    }
    Ok(indexes)
}
