//! The tables of each account and region, each behind one lock that is held for one operation.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use time::{Duration, OffsetDateTime};

use super::{
    constraints::Constraints,
    error::{full, no_such_table, no_table, token_mismatch, validation},
    key::Slot,
    table::Table,
    value::Attributes,
};

/// What an account may hold in one region: items in `DynamoDB`'s counting, with [`ENTRY_BYTES`] for
/// each item and for each index entry.
pub const BYTES_MAX: usize = 256 * MIB;
const MIB: usize = 1024 * 1024;
/// About what an item costs here beside what it holds.
const ENTRY_BYTES: usize = 256;
/// Tables of an account in one region (service quotas).
const TABLES_MAX: usize = 2500;
/// For so long a transaction's token is known (API reference, `TransactWriteItems`).
const TOKEN_LIFE: Duration = Duration::minutes(10);
/// Tokens that are remembered at once; beyond, the oldest go first.
const TOKENS_MAX: usize = 1000;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Store {
    places: Mutex<HashMap<Whose, Arc<Mutex<Place>>>>,
}

/// An account and a region.
type Whose = (String, String);

/// One account's tables in one region.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) tables: BTreeMap<String, Table>,
    /// What a reset gives back.
    kept: BTreeMap<String, Table>,
    /// Oldest first.
    tokens: VecDeque<Token>,
}

#[derive(Debug)]
struct Token {
    text: String,
    /// Of the transaction that it belongs to.
    fingerprint: u64,
    since: OffsetDateTime,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// The caller's place.
    pub(super) fn of<T>(&self, visit: &Visit, act: impl FnOnce(&mut Place) -> T) -> T {
        let key = (visit.account.to_string(), visit.region.clone());
        let place = Arc::clone(lock(&self.places).entry(key).or_default());
        let mut place = lock(&place);
        act(&mut place)
    }

    fn known(&self, account: &str, region: &str) -> Option<Arc<Mutex<Place>>> {
        let key = (account.to_owned(), region.to_owned());
        lock(&self.places).get(&key).cloned()
    }

    pub(super) fn item(
        &self,
        account: &str,
        region: &str,
        table: &str,
        key: &Attributes,
    ) -> Option<Attributes> {
        let place = self.known(account, region)?;
        let place = lock(&place);
        let table = place.tables.get(table)?;
        let slot = table.keys.slot_of_key(key).ok()?;
        Some(table.entries.get(&slot)?.attributes.clone())
    }

    pub(super) fn items(&self, account: &str, region: &str, table: &str) -> Vec<Attributes> {
        let Some(place) = self.known(account, region) else {
            return Vec::new();
        };
        let place = lock(&place);
        let table = place.tables.get(table);
        let items = table.into_iter().flat_map(|table| table.entries.values());
        items.map(|item| item.attributes.clone()).collect()
    }

    pub(super) fn hold(
        this: &Arc<Self>,
        account: &str,
        region: &str,
        table: &str,
        key: &Attributes,
    ) -> Option<Held> {
        let place = this.known(account, region)?;
        let slot = {
            let mut place = lock(&place);
            let table = place.tables.get_mut(table)?;
            let slot = table.keys.slot_of_key(key).ok()?;
            *table.held.entry(slot.clone()).or_default() += 1;
            slot
        };
        Some(Held {
            place,
            table: table.to_owned(),
            slot,
        })
    }

    pub(super) fn keep(&self, account: &str) {
        for ((owner, _), place) in lock(&self.places).iter() {
            if owner == account {
                let mut place = lock(place);
                place.kept = place.tables.clone();
                place.kept.values_mut().for_each(|table| table.held.clear());
            }
        }
    }

    pub(super) fn forget(&self, account: &str) {
        lock(&self.places).retain(|(owner, _), place| owner != account || lock(place).renew());
    }
}

/// An item that is held as by a transaction; see [`DynamoDb::hold`](super::DynamoDb::hold).
#[derive(Debug)]
#[must_use = "the item is held only as long as this lives"]
pub struct Held {
    place: Arc<Mutex<Place>>,
    table: String,
    slot: Slot,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut place = lock(&self.place);
        let Some(table) = place.tables.get_mut(&self.table) else {
            return;
        };
        if let Some(count) = table.held.get_mut(&self.slot) {
            *count -= 1;
            if *count == 0 {
                table.held.remove(&self.slot);
            }
        }
    }
}

impl Place {
    /// As it was kept; whether there is anything.
    fn renew(&mut self) -> bool {
        self.tables = self.kept.clone();
        self.tokens.clear();
        !self.tables.is_empty()
    }

    /// A table for an operation on items.
    pub(super) fn table(&self, name: &str) -> Result<&Table, ApiError> {
        self.tables.get(name).ok_or_else(no_table)
    }

    /// A table for an operation on tables.
    pub(super) fn described(&mut self, name: &str) -> Result<&mut Table, ApiError> {
        self.tables.get_mut(name).ok_or_else(|| no_such_table(name))
    }

    /// Whether one more table may be made.
    pub(super) fn has_room_for_a_table(&self) -> bool {
        self.tables.len() < TABLES_MAX
    }

    /// Refuses a write that adds so many bytes in so many new entries.
    pub(super) fn check_room(&self, bytes: usize, entries: usize) -> Result<(), ApiError> {
        let held = |table: &Table| {
            let indexed: usize = table.indexes.iter().map(|index| index.entries.len()).sum();
            table.bytes + ENTRY_BYTES * (table.entries.len() + indexed)
        };
        let held: usize = self.tables.values().map(held).sum();
        if bytes > 0 && held + bytes + entries * ENTRY_BYTES > BYTES_MAX {
            return Err(full(BYTES_MAX / MIB));
        }
        Ok(())
    }

    /// Whether a transaction with this token was done already; another one with it is refused.
    pub(super) fn is_repeated(
        &mut self,
        token: &str,
        fingerprint: u64,
        now: OffsetDateTime,
    ) -> Result<bool, ApiError> {
        self.tokens.retain(|known| now - known.since < TOKEN_LIFE);
        match self.tokens.iter().find(|known| known.text == token) {
            Some(known) if known.fingerprint == fingerprint => Ok(true),
            Some(_) => Err(token_mismatch()),
            None => Ok(false),
        }
    }

    /// Remembers the token of a transaction that was done.
    pub(super) fn remember(&mut self, token: String, fingerprint: u64, now: OffsetDateTime) {
        if self.tokens.len() == TOKENS_MAX {
            self.tokens.pop_front();
        }
        self.tokens.push_back(Token {
            text: token,
            fingerprint,
            since: now,
        });
    }
}

/// The name of the table that a request means, which may give its ARN.
pub(super) fn table_name(given: Option<String>, visit: &Visit) -> Result<String, ApiError> {
    let mut constraints = Constraints::default();
    constraints.required("tableName", given.is_some());
    constraints.finish()?;
    let given = given.unwrap_or_default();
    if given.starts_with("arn:") {
        let own = arn(visit, "");
        let name = given.strip_prefix(&own).filter(|name| !name.contains('/'));
        return name.map(str::to_owned).ok_or_else(no_table);
    }
    check_name("tableName", &given)?;
    Ok(given)
}

/// Refuses what is no name of a table or index.
pub(super) fn check_name(member: &str, name: &str) -> Result<(), ApiError> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if !name.is_empty() && !name.chars().all(known) {
        let mut constraints = Constraints::default();
        let must = "satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
        constraints.fail(member, Some(&name), must);
        constraints.finish()?;
    }
    if (3..=255).contains(&name.len()) {
        return Ok(());
    }
    let (first, rest) = member.split_at(1);
    Err(validation(format!(
        "{}{rest} must be at least 3 characters long and at most 255 characters long",
        first.to_uppercase()
    )))
}

/// The ARN of the caller's table of that name.
pub(super) fn arn(visit: &Visit, table: &str) -> String {
    format!(
        "arn:aws:dynamodb:{}:{}:table/{table}",
        visit.region, visit.account
    )
}
