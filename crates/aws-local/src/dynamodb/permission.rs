//! What IAM must allow: an action for each table (or index) that a request is about (service
//! authorization reference, "Actions, resources, and condition keys for Amazon DynamoDB").

use std::collections::BTreeMap;

use bedrock_emulator::neighbour::Visit;
use serde::{Deserialize, de::IgnoredAny};

use super::store::arn;

/// The members that say what a request is about; everything else is skipped.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct About {
    table_name: Option<String>,
    index_name: Option<String>,
    resource_arn: Option<String>,
    #[expect(
        clippy::zero_sized_map_values,
        reason = "the values are skipped while they are read"
    )]
    request_items: Option<BTreeMap<String, IgnoredAny>>,
    transact_items: Option<Vec<Part>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Part {
    get: Option<OfPart>,
    put: Option<OfPart>,
    update: Option<OfPart>,
    delete: Option<OfPart>,
    condition_check: Option<OfPart>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct OfPart {
    table_name: Option<String>,
}

/// The actions of operations that are about one table, or about none.
const ACTIONS: &[(&str, &str)] = &[
    ("PutItem", "dynamodb:PutItem"),
    ("GetItem", "dynamodb:GetItem"),
    ("UpdateItem", "dynamodb:UpdateItem"),
    ("DeleteItem", "dynamodb:DeleteItem"),
    ("Query", "dynamodb:Query"),
    ("Scan", "dynamodb:Scan"),
    ("BatchGetItem", "dynamodb:BatchGetItem"),
    ("BatchWriteItem", "dynamodb:BatchWriteItem"),
    ("CreateTable", "dynamodb:CreateTable"),
    ("DescribeTable", "dynamodb:DescribeTable"),
    ("UpdateTable", "dynamodb:UpdateTable"),
    ("DeleteTable", "dynamodb:DeleteTable"),
    ("ListTables", "dynamodb:ListTables"),
    ("UpdateTimeToLive", "dynamodb:UpdateTimeToLive"),
    ("DescribeTimeToLive", "dynamodb:DescribeTimeToLive"),
    ("TagResource", "dynamodb:TagResource"),
    ("UntagResource", "dynamodb:UntagResource"),
    ("ListTagsOfResource", "dynamodb:ListTagsOfResource"),
    ("DescribeLimits", "dynamodb:DescribeLimits"),
    ("DescribeEndpoints", "dynamodb:DescribeEndpoints"),
];

/// See [`bedrock_emulator::neighbour::Neighbour::permissions`].
pub(super) fn asked(visit: &Visit) -> Vec<(&'static str, String)> {
    let about: About = visit.json().unwrap_or_default();
    let mut asked: Vec<_> = match about.transact_items {
        Some(parts) if visit.operation.starts_with("Transact") => parts
            .into_iter()
            .flat_map(|part| part.asked(visit))
            .collect(),
        _ => plain(visit, about),
    };
    // A part's action and table may come a hundred times.
    asked.sort();
    asked.dedup();
    asked
}

fn plain(visit: &Visit, about: About) -> Vec<(&'static str, String)> {
    let Some((_, action)) = ACTIONS
        .iter()
        .find(|(operation, _)| *operation == visit.operation)
    else {
        // A transaction without parts: refused when it is answered.
        return Vec::new();
    };
    if let Some(tables) = about.request_items.filter(|tables| !tables.is_empty()) {
        return tables
            .keys()
            .map(|name| (*action, table(visit, name)))
            .collect();
    }
    let resource = match (about.resource_arn, about.table_name, about.index_name) {
        (Some(arn), _, _) => arn,
        (None, Some(name), Some(index)) => format!("{}/index/{index}", table(visit, &name)),
        (None, Some(name), None) => table(visit, &name),
        (None, None, _) => "*".to_owned(),
    };
    vec![(*action, resource)]
}

impl Part {
    fn asked(self, visit: &Visit) -> impl Iterator<Item = (&'static str, String)> {
        let parts = [
            ("dynamodb:GetItem", self.get),
            ("dynamodb:PutItem", self.put),
            ("dynamodb:UpdateItem", self.update),
            ("dynamodb:DeleteItem", self.delete),
            ("dynamodb:ConditionCheckItem", self.condition_check),
        ];
        parts.into_iter().filter_map(|(action, part)| {
            let name = part?.table_name;
            Some((
                action,
                name.map_or_else(|| "*".to_owned(), |name| table(visit, &name)),
            ))
        })
    }
}

/// The ARN of a table that is given by its name or its ARN.
fn table(visit: &Visit, name: &str) -> String {
    if name.starts_with("arn:") {
        name.to_owned()
    } else {
        arn(visit, name)
    }
}
