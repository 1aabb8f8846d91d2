//! `DynamoDB`: tables, items, conditions, transactions.
//!
//! Read in this order: `value` and `number` (what an item holds), `expression` (the language),
//! `key` and `table` (where items stand), `store` (tables of each account and region), `write` and
//! `read` (what the operations on items share), then the operations, one file each.
//!
//! Two things are unlike AWS on purpose. Tables are `ACTIVE` at once. And time to live is an attribute
//! and nothing more: no timer deletes what is past its time. On AWS such items stay readable for up to
//! a few days; code that is right there filters them when it reads, and is right here.

mod capacity;
mod constraints;
mod error;
mod expression;
mod key;
mod number;
mod permission;
mod read;
mod store;
mod table;
mod value;
mod view;
mod write;

mod batch_get_item;
mod batch_write_item;
mod create_table;
mod definition;
mod delete_item;
mod delete_table;
mod describe_endpoints;
mod describe_limits;
mod describe_table;
mod describe_time_to_live;
mod get_item;
mod list_tables;
mod list_tags_of_resource;
mod put_item;
mod query;
mod scan;
mod tag_resource;
mod transact_get_items;
mod transact_write_items;
mod untag_resource;
mod update_item;
mod update_table;
mod update_time_to_live;

use std::sync::Arc;

use bedrock_emulator::{
    error::ApiError,
    neighbour::{About, Answer, Neighbour, Outcome, Protocol, Visit},
};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::json_service::{Json as JsonNeighbour, JsonService, Operation};

pub use number::Number;
pub use store::{BYTES_MAX, Held};
pub use value::{AttributeValue, Attributes};

use store::Store;

static ABOUT: About = About {
    name: "DynamoDB",
    signing_name: Some("dynamodb"),
    protocol: Protocol::AwsJson10,
    node: Some("DDB"),
    from_client: None,
};

/// All tables of all accounts. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct DynamoDb {
    store: Arc<Store>,
}

impl DynamoDb {
    /// Without any table.
    pub fn new() -> Self {
        Self::default()
    }

    /// As a neighbour of the emulator.
    pub fn neighbour(&self) -> Arc<dyn Neighbour> {
        Arc::new(JsonNeighbour(self.clone()))
    }

    /// The item with this key, as it is now; `None` if there is no such table or item.
    ///
    /// ```
    /// use aws_local::dynamodb::DynamoDb;
    ///
    /// let dynamodb = DynamoDb::new();
    /// let key = [("id".to_owned(), "job-1".into())].into();
    /// assert_eq!(dynamodb.item("123456789012", "us-east-1", "jobs", &key), None);
    /// ```
    pub fn item(
        &self,
        account: &str,
        region: &str,
        table: &str,
        key: &Attributes,
    ) -> Option<Attributes> {
        self.store.item(account, region, table, key)
    }

    /// All items of a table in the order of a scan; none if there is no such table.
    pub fn items(&self, account: &str, region: &str, table: &str) -> Vec<Attributes> {
        self.store.items(account, region, table)
    }

    /// What an account holds now is what a reset gives back.
    pub fn keep(&self, account: &str) {
        self.store.keep(account);
    }

    /// Holds an item as somebody's transaction would, until the answer is dropped: writes to it end
    /// with `TransactionConflictException`, transactions with the reason `TransactionConflict`.
    /// Operations here take no time, so that no conflict ever happens by itself.
    ///
    /// `None` if there is no such table, or the key is not one of its keys.
    pub fn hold(&self, account: &str, region: &str, table: &str, key: &Attributes) -> Option<Held> {
        Store::hold(&self.store, account, region, table, key)
    }
}

/// A row of the table below: the operation's name and its function.
macro_rules! operations {
    ($($name:literal => $module:ident;)*) => {
        &[$(Operation {
            name: $name,
            permission: None,
            answer: |service, mut visit| reply($module::answer(service, &mut visit)),
        },)*]
    };
}

impl JsonService for DynamoDb {
    const ABOUT: &'static About = &ABOUT;
    const TARGET: &'static str = "DynamoDB_20120810";
    const OPERATIONS: &'static [Operation<Self>] = operations! {
        "PutItem" => put_item;
        "GetItem" => get_item;
        "UpdateItem" => update_item;
        "DeleteItem" => delete_item;
        "Query" => query;
        "Scan" => scan;
        "BatchGetItem" => batch_get_item;
        "BatchWriteItem" => batch_write_item;
        "TransactGetItems" => transact_get_items;
        "TransactWriteItems" => transact_write_items;
        "CreateTable" => create_table;
        "DescribeTable" => describe_table;
        "UpdateTable" => update_table;
        "DeleteTable" => delete_table;
        "ListTables" => list_tables;
        "UpdateTimeToLive" => update_time_to_live;
        "DescribeTimeToLive" => describe_time_to_live;
        "TagResource" => tag_resource;
        "UntagResource" => untag_resource;
        "ListTagsOfResource" => list_tags_of_resource;
        "DescribeLimits" => describe_limits;
        "DescribeEndpoints" => describe_endpoints;
    };

    fn more_permissions(&self, visit: &Visit) -> Vec<(&'static str, String)> {
        permission::asked(visit)
    }

    fn forget(&self, account: &str) {
        self.store.forget(account);
    }
}

/// The answer with its checksum, which some SDKs verify where it is sent. Errors go out without it:
/// those SDKs do not miss it.
fn reply(result: Result<Json, ApiError>) -> Outcome {
    let answer = result.map(|body| {
        let mut answer = Answer::json("application/x-amz-json-1.0", &body);
        let checksum = crc32fast::hash(&answer.body);
        answer
            .headers
            .push(("x-amz-crc32".into(), checksum.to_string()));
        answer
    });
    Outcome::Now(answer)
}

/// The request's members.
fn members<T: DeserializeOwned>(visit: &Visit) -> Result<T, ApiError> {
    let read = visit.json();
    read.map_err(|error: ApiError| error::serialization(error.message()))
}

#[cfg(test)]
mod tests;
