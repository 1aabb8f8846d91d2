//! What `Query` and `Scan` share: their members, what they answer of each item.

use std::{collections::BTreeMap, sync::Arc};

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value as Json, json};

use super::{
    capacity::{Kind, Wanted},
    constraints::Constraints,
    error::{invalid, validation},
    expression::{Condition, Given, KeyCondition, Placeholders, Projection},
    store::{Place, check_name, table_name},
    table::Stored,
    value::{Attributes, JsonMap, attributes},
    view::{Page, View},
    write::refuse_legacy,
};

/// The members of both.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Members {
    table_name: Option<String>,
    index_name: Option<String>,
    select: Option<String>,
    limit: Option<i64>,
    consistent_read: Option<bool>,
    pub(super) scan_index_forward: Option<bool>,
    exclusive_start_key: Option<JsonMap>,
    return_consumed_capacity: Option<String>,
    pub(super) segment: Option<i64>,
    pub(super) total_segments: Option<i64>,
    projection_expression: Option<String>,
    filter_expression: Option<String>,
    key_condition_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<JsonMap>,
    // What the expressions replaced.
    attributes_to_get: Option<IgnoredAny>,
    key_conditions: Option<IgnoredAny>,
    query_filter: Option<IgnoredAny>,
    scan_filter: Option<IgnoredAny>,
    conditional_operator: Option<IgnoredAny>,
}

/// A read that is understood.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) table: String,
    index: Option<String>,
    select: Select,
    pub(super) limit: Option<usize>,
    pub(super) consistent: bool,
    pub(super) start: Option<Attributes>,
    wanted: Wanted,
    projection: Option<Projection>,
    pub(super) filter: Option<Condition>,
    pub(super) keys: Option<KeyCondition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Select {
    /// What the table or index holds.
    Held,
    AllAttributes,
    Count,
}

impl Members {
    /// Understands it; `with_keys`: it is a `Query`.
    pub(super) fn read(self, visit: &Visit, with_keys: bool) -> Result<Read, ApiError> {
        let table = table_name(self.table_name, visit)?;
        if let Some(index) = &self.index_name {
            check_name("indexName", index)?;
        }
        let mut constraints = Constraints::default();
        let known = [
            "SPECIFIC_ATTRIBUTES",
            "COUNT",
            "ALL_ATTRIBUTES",
            "ALL_PROJECTED_ATTRIBUTES",
        ];
        constraints.one_of("select", self.select.as_deref(), &known);
        constraints.at_least("limit", self.limit, 1);
        constraints.finish()?;
        let wanted = Wanted::read(self.return_consumed_capacity.as_deref())?;
        refuse_legacy(
            &[
                ("AttributesToGet", self.attributes_to_get.is_some()),
                ("KeyConditions", self.key_conditions.is_some()),
                ("QueryFilter", self.query_filter.is_some()),
                ("ScanFilter", self.scan_filter.is_some()),
                ("ConditionalOperator", self.conditional_operator.is_some()),
            ],
            "KeyConditionExpression, FilterExpression and ProjectionExpression",
        )?;
        let expressions = [
            (
                "ProjectionExpression",
                self.projection_expression.as_deref(),
            ),
            ("FilterExpression", self.filter_expression.as_deref()),
            (
                "KeyConditionExpression",
                self.key_condition_expression.as_deref(),
            ),
        ];
        let count = if with_keys { 3 } else { 2 };
        let mut placeholders = Placeholders::read(
            self.expression_attribute_names,
            self.expression_attribute_values,
            Given {
                expressions: &expressions[..count],
            },
        )?;
        let start = self.exclusive_start_key.map(attributes).transpose()?;
        let keys = match &self.key_condition_expression {
            Some(text) if with_keys => Some(placeholders.key_condition(text)?),
            None if with_keys => {
                return Err(validation(
                    "Either the KeyConditions or KeyConditionExpression parameter must be specified \
                     in the request.",
                ));
            }
            _ => None,
        };
        let filter = self.filter_expression.as_deref();
        let filter = filter
            .map(|text| placeholders.condition("FilterExpression", text))
            .transpose()?;
        let projection = self.projection_expression.as_deref();
        let projection = projection
            .map(|text| placeholders.projection(text))
            .transpose()?;
        placeholders.all_used()?;
        let on_index = self.index_name.is_some();
        Ok(Read {
            select: select(self.select.as_deref(), projection.is_some(), on_index)?,
            table,
            index: self.index_name,
            limit: self.limit.and_then(|limit| usize::try_from(limit).ok()),
            consistent: self.consistent_read.unwrap_or_default(),
            start,
            wanted,
            projection,
            filter,
            keys,
        })
    }
}

fn select(given: Option<&str>, projects: bool, on_index: bool) -> Result<Select, ApiError> {
    let cannot = |what: &str| {
        Err(validation(format!(
            "Cannot specify the ProjectionExpression when choosing to get {what}"
        )))
    };
    match given {
        Some("COUNT") if projects => cannot("only the Count"),
        Some("COUNT") => Ok(Select::Count),
        Some("ALL_ATTRIBUTES") if projects => cannot("ALL_ATTRIBUTES"),
        Some("ALL_ATTRIBUTES") => Ok(Select::AllAttributes),
        Some("ALL_PROJECTED_ATTRIBUTES") if projects => cannot("ALL_PROJECTED_ATTRIBUTES"),
        Some("ALL_PROJECTED_ATTRIBUTES") if !on_index => Err(validation(
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        )),
        Some("SPECIFIC_ATTRIBUTES") if !projects => Err(validation(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get \
             SPECIFIC_ATTRIBUTES",
        )),
        _ => Ok(Select::Held),
    }
}

impl Read {
    /// What is read; refuses what the index cannot give.
    pub(super) fn view<'a>(&self, place: &'a Place) -> Result<View<'a>, ApiError> {
        let table = place.table(&self.table)?;
        let index = self
            .index
            .as_deref()
            .map(|name| table.index(name))
            .transpose()?;
        let view = View { table, index };
        let Some(index) = view.global() else {
            return Ok(view);
        };
        if self.consistent {
            return Err(validation(
                "Consistent reads are not supported on global secondary indexes",
            ));
        }
        let name = &index.name;
        if self.select == Select::AllAttributes && view.is_partial() {
            return Err(invalid(format!(
                "Select type ALL_ATTRIBUTES is not supported for global secondary index {name} \
                 because its projection type is not ALL"
            )));
        }
        if let (Some(projection), Some(held)) = (&self.projection, view.names()) {
            let missing: Vec<_> = projection.attributes().difference(&held).copied().collect();
            if !missing.is_empty() {
                return Err(invalid(format!(
                    "Global secondary index {name} does not project [{}]",
                    missing.join(", ")
                )));
            }
        }
        Ok(view)
    }

    /// The answer with a page.
    pub(super) fn answer(&self, view: &View<'_>, page: &Page) -> Json {
        // A local index fetches what it does not hold from its table.
        let fetches = view.is_partial()
            && match (&self.projection, view.names()) {
                (Some(projection), Some(held)) => !projection.attributes().is_subset(&held),
                _ => self.select == Select::AllAttributes,
            };
        let mut answer = json!({ "Count": page.items.len(), "ScannedCount": page.scanned });
        if self.select != Select::Count {
            let items = page
                .items
                .iter()
                .map(|item| self.shown(view, item, fetches));
            answer["Items"] = json!(items.collect::<Vec<_>>());
        }
        if let Some(last) = &page.last {
            answer["LastEvaluatedKey"] = json!(view.key_of(last));
        }
        let whole: &[Arc<Stored>] = if fetches { &page.items } else { &[] };
        let used = view.used(page.bytes, self.consistent, whole);
        if let Some(used) = used.json(&self.table, self.wanted, Kind::Plain) {
            answer["ConsumedCapacity"] = used;
        }
        answer
    }

    fn shown(&self, view: &View<'_>, item: &Stored, fetches: bool) -> Attributes {
        let all = fetches || !view.is_partial();
        match &self.projection {
            Some(projection) if all => projection.of(&item.attributes),
            Some(projection) => projection.of(&view.held(item)),
            None if all => item.attributes.clone(),
            None => view.held(item),
        }
    }
}
