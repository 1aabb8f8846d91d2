//! Tables and indexes as they are asked for and as they are described.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_emulator::error::ApiError;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use time::OffsetDateTime;

use super::{
    constraints::Constraints,
    error::{invalid, validation},
    key::{KeyAttribute, KeyKind, KeySchema},
    store::check_name,
    table::{Billing, Entries, Index, Projected, Scope, Table, Throughput},
};

/// Attributes that an index includes beside keys (service model).
const INCLUDED_MAX: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttributeDefinition {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeySchemaElement {
    attribute_name: String,
    key_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct IndexDefinition {
    pub(super) index_name: String,
    key_schema: Vec<KeySchemaElement>,
    projection: Option<ProjectionDefinition>,
    provisioned_throughput: Option<ThroughputDefinition>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProjectionDefinition {
    projection_type: Option<String>,
    non_key_attributes: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ThroughputDefinition {
    read_capacity_units: i64,
    write_capacity_units: i64,
}

impl ThroughputDefinition {
    pub(super) fn read(self) -> Result<Throughput, ApiError> {
        let mut constraints = Constraints::default();
        for (member, value) in [
            (
                "provisionedThroughput.readCapacityUnits",
                self.read_capacity_units,
            ),
            (
                "provisionedThroughput.writeCapacityUnits",
                self.write_capacity_units,
            ),
        ] {
            constraints.at_least(member, Some(value), 1);
        }
        constraints.finish()?;
        let units = |value: i64| u64::try_from(value).unwrap_or_default();
        Ok(Throughput {
            read: units(self.read_capacity_units),
            write: units(self.write_capacity_units),
        })
    }
}

/// What the attributes of keys hold.
pub(super) fn definitions(
    given: Vec<AttributeDefinition>,
) -> Result<BTreeMap<String, KeyKind>, ApiError> {
    let mut definitions = BTreeMap::new();
    for (i, definition) in given.into_iter().enumerate() {
        let kind = match definition.attribute_type.as_str() {
            "S" => KeyKind::S,
            "N" => KeyKind::N,
            "B" => KeyKind::B,
            other => {
                let mut constraints = Constraints::default();
                let member = format!("attributeDefinitions.{}.member.attributeType", i + 1);
                constraints.one_of(&member, Some(other), &["B", "N", "S"]);
                constraints.finish()?;
                continue;
            }
        };
        definitions.insert(definition.attribute_name, kind);
    }
    Ok(definitions)
}

/// A key, whose attributes must be defined.
pub(super) fn key_schema(
    given: &[KeySchemaElement],
    definitions: &BTreeMap<String, KeyKind>,
) -> Result<KeySchema, ApiError> {
    let mut constraints = Constraints::default();
    for (i, element) in given.iter().enumerate() {
        let member = format!("keySchema.{}.member.keyType", i + 1);
        constraints.one_of(&member, Some(&element.key_type), &["HASH", "RANGE"]);
    }
    if !(1..=2).contains(&given.len()) {
        let must = if given.is_empty() {
            "greater than or equal to 1"
        } else {
            "less than or equal to 2"
        };
        constraints.fail("keySchema", Some(&"[…]"), &format!("have length {must}"));
    }
    constraints.finish()?;
    let undefined: Vec<_> = given
        .iter()
        .map(|element| element.attribute_name.as_str())
        .filter(|name| !definitions.contains_key(*name))
        .collect();
    if !undefined.is_empty() {
        let known: Vec<_> = definitions.keys().map(String::as_str).collect();
        return Err(invalid(format!(
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], \
             AttributeDefinitions: [{}]",
            undefined.join(", "),
            known.join(", ")
        )));
    }
    if given.len() == 2 && given[0].attribute_name == given[1].attribute_name {
        return Err(validation(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ));
    }
    if given[0].key_type != "HASH" {
        return Err(validation(
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ));
    }
    if given
        .get(1)
        .is_some_and(|element| element.key_type != "RANGE")
    {
        return Err(validation(
            "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
        ));
    }
    let attribute = |element: &KeySchemaElement| KeyAttribute {
        name: element.attribute_name.clone(),
        kind: definitions
            .get(&element.attribute_name)
            .copied()
            .unwrap_or(KeyKind::S),
    };
    Ok(KeySchema {
        hash: attribute(&given[0]),
        range: given.get(1).map(attribute),
    })
}

impl IndexDefinition {
    /// An index without entries. `table`: for a local one, the key that it shares.
    pub(super) fn read(
        self,
        definitions: &BTreeMap<String, KeyKind>,
        local_to: Option<&KeySchema>,
        billing: &Billing,
    ) -> Result<Index, ApiError> {
        let name = self.index_name;
        check_name("indexName", &name)?;
        let keys = key_schema(&self.key_schema, definitions)?;
        if let Some(table) = local_to {
            if keys.range.is_none() {
                return Err(invalid(format!(
                    "Index KeySchema does not have a range key for index: {name}"
                )));
            }
            if keys.hash.name != table.hash.name {
                return Err(invalid(format!(
                    "Index KeySchema does not have the same leading hash key as table KeySchema for \
                     index: {name}. index hash key: {}, table hash key: {}",
                    keys.hash.name, table.hash.name
                )));
            }
        }
        let projected = projected(self.projection)?;
        let throughput = self
            .provisioned_throughput
            .map(ThroughputDefinition::read)
            .transpose()?;
        let scope = match (local_to, billing, throughput) {
            (Some(_), _, _) => Scope::Local,
            (None, Billing::Provisioned(_), Some(throughput)) => Scope::Global(throughput),
            (None, Billing::Provisioned(_), None) => {
                return Err(invalid(format!(
                    "ProvisionedThroughput is not specified for index: {name}"
                )));
            }
            (None, Billing::PerRequest(_), Some(_)) => {
                return Err(invalid(format!(
                    "ProvisionedThroughput should not be specified for index: {name} when \
                     BillingMode is PAY_PER_REQUEST"
                )));
            }
            (None, Billing::PerRequest(_), None) => Scope::Global(Throughput::default()),
        };
        Ok(Index {
            name,
            keys,
            scope,
            projected,
            entries: Entries::new(),
            bytes: 0,
        })
    }
}

fn projected(given: Option<ProjectionDefinition>) -> Result<Projected, ApiError> {
    let given = given.unwrap_or(ProjectionDefinition {
        projection_type: None,
        non_key_attributes: None,
    });
    let kind = given.projection_type.as_deref();
    let mut constraints = Constraints::default();
    constraints.one_of(
        "projection.projectionType",
        kind,
        &["ALL", "INCLUDE", "KEYS_ONLY"],
    );
    constraints.finish()?;
    match (kind, given.non_key_attributes) {
        (None, _) => Err(invalid("Unknown ProjectionType: null")),
        (Some("INCLUDE"), None) => Err(invalid(
            "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        )),
        (Some("INCLUDE"), Some(names)) if !(1..=INCLUDED_MAX).contains(&names.len()) => {
            Err(invalid(format!(
                "NonKeyAttributes must have between 1 and {INCLUDED_MAX} names"
            )))
        }
        (Some("INCLUDE"), Some(names)) => Ok(Projected::Include(
            names.into_iter().collect::<BTreeSet<_>>(),
        )),
        (Some(kind), Some(_)) => Err(invalid(format!(
            "ProjectionType is {kind}, but NonKeyAttributes is specified"
        ))),
        (Some("KEYS_ONLY"), None) => Ok(Projected::KeysOnly),
        (Some(_), None) => Ok(Projected::All),
    }
}

/// Refuses definitions that no key uses.
pub(super) fn check_all_used(
    definitions: &BTreeMap<String, KeyKind>,
    keys: &KeySchema,
    indexes: &[Index],
) -> Result<(), ApiError> {
    let schemas = || std::iter::once(keys).chain(indexes.iter().map(|index| &index.keys));
    if definitions
        .keys()
        .all(|name| schemas().any(|schema| schema.has(name)))
    {
        return Ok(());
    }
    if indexes.is_empty() {
        return Err(invalid(
            "Number of attributes in KeySchema does not exactly match number of attributes defined \
             in AttributeDefinitions",
        ));
    }
    let known: Vec<_> = definitions.keys().map(String::as_str).collect();
    let used: BTreeSet<_> = schemas()
        .flat_map(KeySchema::attributes)
        .map(|key| key.name.as_str())
        .collect();
    Err(invalid(format!(
        "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
        known.join(", "),
        used.into_iter().collect::<Vec<_>>().join(", ")
    )))
}

// ---------------------------------------------------------------- as described

/// `TableDescription`.
pub(super) fn described(table: &Table, status: &str) -> Json {
    let throughput = match table.billing {
        Billing::Provisioned(throughput) => throughput,
        Billing::PerRequest(_) => Throughput::default(),
    };
    let definitions = table.definitions.iter();
    let definitions: Vec<_> = definitions
        .map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind }))
        .collect();
    let mut described = json!({
        "AttributeDefinitions": definitions,
        "TableName": table.name,
        "KeySchema": schema(&table.keys),
        "TableStatus": status,
        "CreationDateTime": seconds(table.created),
        "ProvisionedThroughput": provisioned(throughput),
        "TableSizeBytes": table.bytes,
        "ItemCount": table.entries.len(),
        "TableArn": table.arn,
        "TableId": table.id,
        "DeletionProtectionEnabled": table.deletion_protection,
    });
    if let Billing::PerRequest(since) = table.billing {
        described["BillingModeSummary"] = json!({
            "BillingMode": "PAY_PER_REQUEST",
            "LastUpdateToPayPerRequestDateTime": seconds(since),
        });
    }
    if table.infrequent_access {
        described["TableClassSummary"] = json!({ "TableClass": "STANDARD_INFREQUENT_ACCESS" });
    }
    for index in &table.indexes {
        let member = match index.scope {
            Scope::Local => "LocalSecondaryIndexes",
            Scope::Global(_) => "GlobalSecondaryIndexes",
        };
        if described[member].is_null() {
            described[member] = json!([]);
        }
        if let Some(list) = described[member].as_array_mut() {
            list.push(described_index(table, index));
        }
    }
    described
}

fn described_index(table: &Table, index: &Index) -> Json {
    let projection = match &index.projected {
        Projected::All => json!({ "ProjectionType": "ALL" }),
        Projected::KeysOnly => json!({ "ProjectionType": "KEYS_ONLY" }),
        Projected::Include(names) => {
            json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": names })
        }
    };
    let mut described = json!({
        "IndexName": index.name,
        "KeySchema": schema(&index.keys),
        "Projection": projection,
        "IndexSizeBytes": index.bytes,
        "ItemCount": index.entries.len(),
        "IndexArn": format!("{}/index/{}", table.arn, index.name),
    });
    if let Scope::Global(throughput) = index.scope {
        described["IndexStatus"] = "ACTIVE".into();
        described["ProvisionedThroughput"] = provisioned(throughput);
    }
    described
}

fn schema(keys: &KeySchema) -> Json {
    let element = |(i, attribute): (usize, &KeyAttribute)| {
        let kind = if i == 0 { "HASH" } else { "RANGE" };
        json!({ "AttributeName": attribute.name, "KeyType": kind })
    };
    keys.attributes().enumerate().map(element).collect()
}

fn provisioned(throughput: Throughput) -> Json {
    json!({
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": throughput.read,
        "WriteCapacityUnits": throughput.write,
    })
}

/// Seconds since 1970, with milliseconds.
pub(super) fn seconds(moment: OffsetDateTime) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of our time have 41 bits"
    )]
    let millis = (moment.unix_timestamp_nanos() / 1_000_000) as f64;
    millis / 1000.0
}
