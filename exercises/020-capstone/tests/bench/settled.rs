//! What the tables say, read as an operator would.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

use super::account::{Account, BUDGET, TODAY};

/// One row: names and values, as texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row(BTreeMap<String, String>);

impl Row {
    /// A text or number; empty when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A number; 0 when there is none.
    pub(crate) fn number(&self, name: &str) -> i128 {
        self.get(name).parse().unwrap_or(0)
    }

    /// Whether it says this anywhere.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.0.values().any(|value| value.contains(text))
    }

    fn of(row: HashMap<String, AttributeValue>) -> Self {
        let members = row.into_iter().map(|(name, value)| {
            let value = match value {
                AttributeValue::S(text) | AttributeValue::N(text) => text,
                other => format!("{other:?}"),
            };
            (name, value)
        });
        Self(members.collect())
    }
}

/// All rows of a table, by the attribute that is its key.
pub(crate) async fn rows(account: &Account, table: &str, key: &str) -> BTreeMap<String, Row> {
    let tables = aws_sdk_dynamodb::Client::new(&account.lab.sdk_config());
    let scan = tables.scan().table_name(table).consistent_read(true);
    let scanned = scan.send().await.expect("the table answers");
    let rows = scanned.items.unwrap_or_default().into_iter().map(Row::of);
    rows.map(|row| (row.get(key).to_owned(), row)).collect()
}

/// The budget's row: what is committed, and what is spent.
pub(crate) async fn money(account: &Account) -> [i128; 2] {
    let rows = rows(account, BUDGET, "day").await;
    let row = rows.get(TODAY).cloned().unwrap_or_default();
    [row.number("committed"), row.number("spent")]
}
