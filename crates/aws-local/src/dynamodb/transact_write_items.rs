//! `TransactWriteItems`: up to a hundred writes, all of them or none.

use std::{
    collections::{BTreeMap, BTreeSet, hash_map::DefaultHasher},
    hash::{Hash as _, Hasher as _},
};

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::{
    DynamoDb,
    capacity::{self, Used, Wanted},
    constraints::Constraints,
    error::{CONDITION_FAILED_TEXT, transaction_canceled, validation},
    members,
    value::Attributes,
    write::{Kind, Members as WriteMembers, Refusal, Write},
};

/// Parts of one transaction (service quotas).
const PARTS_MAX: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Members {
    transact_items: Option<Vec<Part>>,
    client_request_token: Option<String>,
    return_consumed_capacity: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    condition_check: Option<WriteMembers>,
    put: Option<WriteMembers>,
    delete: Option<WriteMembers>,
    update: Option<WriteMembers>,
}

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: Members = members(visit)?;
    let wanted = Wanted::read(asked.return_consumed_capacity.as_deref())?;
    let parts = asked.transact_items;
    check_count(parts.as_ref().map(Vec::len))?;
    check_token(asked.client_request_token.as_deref())?;
    let parts = parts.unwrap_or_default().into_iter();
    let writes: Vec<Write> = parts
        .map(|part| part.read(visit))
        .collect::<Result<_, _>>()?;
    let fingerprint = fingerprint(visit)?;
    service.store.of(visit, |place| {
        let token = asked.client_request_token;
        if let Some(token) = &token
            && place.is_repeated(token, fingerprint, visit.now)?
        {
            return Ok(json!({}));
        }
        let mut seen = BTreeSet::new();
        for write in &writes {
            if !seen.insert((&write.table, write.slot(place)?)) {
                return Err(validation(
                    "Transaction request cannot include multiple operations on one item",
                ));
            }
        }
        let mut reasons = Reasons::default();
        let mut changes = Vec::with_capacity(writes.len());
        for write in &writes {
            match write.prepare(place) {
                Ok(change) => {
                    reasons.none();
                    changes.push(change);
                }
                Err(Refusal::Condition(item)) => {
                    reasons.condition(item.as_ref().map(|item| &item.attributes));
                }
                Err(Refusal::Conflict) => reasons.conflict(),
                Err(Refusal::Error(error)) => reasons.error(&error),
            }
        }
        reasons.finish()?;
        let mut used: BTreeMap<&str, Used> = BTreeMap::new();
        for change in &changes {
            used.entry(&change.table)
                .or_default()
                .add(change.used(place).times(2.0));
            change.make(place);
        }
        if let Some(token) = token {
            place.remember(token, fingerprint, visit.now);
        }
        let mut answer = json!({});
        if wanted != Wanted::Nothing {
            let each = used.iter();
            let each =
                each.filter_map(|(name, used)| used.json(name, wanted, capacity::Kind::Write));
            answer["ConsumedCapacity"] = each.collect();
        }
        Ok(answer)
    })
}

/// A transaction has at least one part and at most a hundred.
pub(super) fn check_count(count: Option<usize>) -> Result<(), ApiError> {
    let mut constraints = Constraints::default();
    constraints.required("transactItems", count.is_some());
    if count == Some(0) {
        constraints.fail(
            "transactItems",
            Some(&"[]"),
            "have length greater than or equal to 1",
        );
    }
    if count.is_some_and(|count| count > PARTS_MAX) {
        let must = format!("have length less than or equal to {PARTS_MAX}");
        constraints.fail("transactItems", Some(&"[…]"), &must);
    }
    constraints.finish()
}

fn check_token(token: Option<&str>) -> Result<(), ApiError> {
    let mut constraints = Constraints::default();
    if let Some(token) = token.filter(|token| !(1..=36).contains(&token.chars().count())) {
        let must = if token.is_empty() {
            "have length greater than or equal to 1"
        } else {
            "have length less than or equal to 36"
        };
        constraints.fail("clientRequestToken", Some(&token), must);
    }
    constraints.finish()
}

/// What makes two transactions the same: all parts as they were sent.
fn fingerprint(visit: &Visit) -> Result<u64, ApiError> {
    let body: Json = members(visit)?;
    let mut hasher = DefaultHasher::new();
    // The members of an object are in order.
    body["TransactItems"].to_string().hash(&mut hasher);
    Ok(hasher.finish())
}

impl Part {
    fn read(self, visit: &Visit) -> Result<Write, ApiError> {
        let given = [
            (Kind::Check, self.condition_check),
            (Kind::Put, self.put),
            (Kind::Delete, self.delete),
            (Kind::Update, self.update),
        ];
        let mut given = given
            .into_iter()
            .filter_map(|(kind, members)| Some((kind, members?)));
        match (given.next(), given.next()) {
            (Some((kind, members)), None) => members.read(kind, visit),
            _ => Err(validation(
                "TransactItems can only contain one of Check, Put, Update or Delete",
            )),
        }
    }
}

/// Why a transaction does not happen: one reason for each part.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    codes: Vec<&'static str>,
    reasons: Vec<Json>,
}

impl Reasons {
    /// This part was not the reason.
    pub(super) fn none(&mut self) {
        self.push("None", json!({}));
    }

    /// Somebody's transaction holds the item.
    pub(super) fn conflict(&mut self) {
        let message = "Transaction is ongoing for the item";
        self.push("TransactionConflict", json!({ "Message": message }));
    }

    fn condition(&mut self, item: Option<&Attributes>) {
        let mut reason = json!({ "Message": CONDITION_FAILED_TEXT });
        if let Some(item) = item {
            reason["Item"] = json!(item);
        }
        self.push("ConditionalCheckFailed", reason);
    }

    fn error(&mut self, error: &ApiError) {
        let code = match error.code().name() {
            "ItemCollectionSizeLimitExceededException" => "ItemCollectionSizeLimitExceeded",
            _ => "ValidationError",
        };
        self.push(code, json!({ "Message": error.message() }));
    }

    fn push(&mut self, code: &'static str, mut reason: Json) {
        reason["Code"] = code.into();
        self.codes.push(code);
        self.reasons.push(reason);
    }

    /// The error, if there is a reason.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        if self.codes.iter().all(|code| *code == "None") {
            return Ok(());
        }
        Err(transaction_canceled(&self.codes, self.reasons.into()))
    }
}
