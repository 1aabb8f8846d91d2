//! `ListTables`: names in order, a hundred at most.

use std::ops::Bound;

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{DynamoDb, constraints::Constraints, members};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    exclusive_start_table_name: Option<String>,
    limit: Option<i64>,
}

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let mut constraints = Constraints::default();
    constraints.at_least("limit", asked.limit, 1);
    constraints.at_most("limit", asked.limit, 100);
    constraints.finish()?;
    let limit = usize::try_from(asked.limit.unwrap_or(100)).unwrap_or(100);
    let start = asked
        .exclusive_start_table_name
        .map_or(Bound::Unbounded, Bound::Excluded);
    service.store.of(visit, |place| {
        let mut names = place
            .tables
            .range((start, Bound::Unbounded))
            .map(|(name, _)| name);
        let page: Vec<_> = names.by_ref().take(limit).collect();
        let mut answer = json!({ "TableNames": page });
        if names.next().is_some() {
            answer["LastEvaluatedTableName"] = json!(page.last());
        }
        Ok(answer)
    })
}
