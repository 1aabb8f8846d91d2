//! A table: its items, ordered by their keys, and its indexes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bedrock_emulator::error::ApiError;
use time::OffsetDateTime;

use super::{
    error::validation,
    expression::Projection,
    key::{KeyKind, KeySchema, Slot},
    value::{Attributes, size},
};

/// The largest item, in bytes (service quotas).
const ITEM_MAX: usize = 400 * 1024;

/// An item as it is kept.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) attributes: Attributes,
    /// In the service's counting.
    pub(super) size: usize,
}

/// Items in order.
pub(super) type Entries = BTreeMap<Slot, Arc<Stored>>;

/// A table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) id: String,
    pub(super) created: OffsetDateTime,
    /// What the attributes of keys hold, as declared.
    pub(super) definitions: BTreeMap<String, KeyKind>,
    pub(super) keys: KeySchema,
    pub(super) entries: Entries,
    /// Of all items together.
    pub(super) bytes: usize,
    pub(super) indexes: Vec<Index>,
    pub(super) billing: Billing,
    pub(super) deletion_protection: bool,
    pub(super) infrequent_access: bool,
    /// The attribute that says when an item may go.
    pub(super) time_to_live: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    /// Items that somebody's transaction holds.
    pub(super) held: BTreeMap<Slot, usize>,
}

/// How a table is paid for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Billing {
    Provisioned(Throughput),
    /// Since when, if it ever was otherwise or was made so.
    PerRequest(OffsetDateTime),
}

/// Provisioned units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Throughput {
    pub(super) read: u64,
    pub(super) write: u64,
}

/// A secondary index.
#[derive(Debug, Clone)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) keys: KeySchema,
    pub(super) scope: Scope,
    pub(super) projected: Projected,
    pub(super) entries: Entries,
    /// Of what is projected, together.
    pub(super) bytes: usize,
}

/// Whose partitions an index has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The table's.
    Local,
    /// Its own, with units of its own.
    Global(Throughput),
}

/// What an index holds of each item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Projected {
    All,
    KeysOnly,
    Include(BTreeSet<String>),
}

impl Stored {
    /// Refuses what is too large: `verb` is empty, or ` to update`.
    pub(super) fn new(attributes: Attributes, verb: &str) -> Result<Self, ApiError> {
        let size = size(&attributes);
        if size > ITEM_MAX {
            return Err(validation(format!(
                "Item size{verb} has exceeded the maximum allowed size"
            )));
        }
        Ok(Self { attributes, size })
    }
}

impl Table {
    /// The index of that name.
    pub(super) fn index(&self, name: &str) -> Result<&Index, ApiError> {
        let found = self.indexes.iter().find(|index| index.name == name);
        found.ok_or_else(|| {
            validation(format!(
                "The table does not have the specified index: {name}"
            ))
        })
    }

    /// The place of a whole item, which must fit the table and its indexes.
    pub(super) fn check(&self, item: &Attributes) -> Result<Slot, ApiError> {
        let slot = self.keys.slot_of_item(item)?;
        for index in &self.indexes {
            index.keys.check_in_index(item, &index.name)?;
        }
        Ok(slot)
    }

    /// Puts, replaces or (with `None`) takes away the item at that place.
    pub(super) fn set(&mut self, slot: &Slot, new: Option<&Arc<Stored>>) {
        let old = match new {
            Some(new) => self.entries.insert(slot.clone(), Arc::clone(new)),
            None => self.entries.remove(slot),
        };
        self.bytes += new.map_or(0, |item| item.size);
        self.bytes -= old.as_ref().map_or(0, |item| item.size);
        for index in &mut self.indexes {
            index.replace(&self.keys, slot, old.as_deref(), new);
        }
    }
}

impl Index {
    /// The names that it holds; `None`: all.
    pub(super) fn names<'a>(&'a self, table: &'a KeySchema) -> Option<BTreeSet<&'a str>> {
        let extra = match &self.projected {
            Projected::All => return None,
            Projected::KeysOnly => None,
            Projected::Include(names) => Some(names.iter().map(String::as_str)),
        };
        let keys = self.keys.attributes().chain(table.attributes());
        let mut names: BTreeSet<_> = keys.map(|key| key.name.as_str()).collect();
        names.extend(extra.into_iter().flatten());
        Some(names)
    }

    /// What it holds of each item; `None`: all.
    pub(super) fn projection(&self, table: &KeySchema) -> Option<Projection> {
        self.names(table).map(Projection::of_names)
    }

    /// The bytes that it holds of an item.
    pub(super) fn size_of(&self, table: &KeySchema, item: &Stored) -> usize {
        match self.names(table) {
            None => item.size,
            Some(names) => item
                .attributes
                .iter()
                .filter(|(name, _)| names.contains(name.as_str()))
                .map(|(name, value)| name.len() + value.size())
                .sum(),
        }
    }

    fn slot(&self, table: &Slot, item: &Stored) -> Option<Slot> {
        let slot = self.keys.slot_in_index(&item.attributes)?;
        Some(slot.of_item(table.clone()))
    }

    pub(super) fn replace(
        &mut self,
        table: &KeySchema,
        slot: &Slot,
        old: Option<&Stored>,
        new: Option<&Arc<Stored>>,
    ) {
        if let Some(old) = old
            && let Some(place) = self.slot(slot, old)
            && self.entries.remove(&place).is_some()
        {
            self.bytes -= self.size_of(table, old);
        }
        if let Some(new) = new
            && let Some(place) = self.slot(slot, new)
        {
            self.bytes += self.size_of(table, new);
            self.entries.insert(place, Arc::clone(new));
        }
    }

    /// Write units of a change here: one for each KiB that goes or comes; nothing if what it holds
    /// stays the same (developer guide, "Provisioned throughput considerations for global secondary
    /// indexes").
    pub(super) fn write_units(
        &self,
        table: &KeySchema,
        old: Option<&Stored>,
        new: Option<&Stored>,
    ) -> f64 {
        let units = |item: &Stored| super::capacity::write_units(self.size_of(table, item));
        let place = |item: Option<&Stored>| self.keys.slot_in_index(&item?.attributes);
        match (old.zip(place(old)), new.zip(place(new))) {
            (None, None) => 0.0,
            (Some((old, _)), None) => units(old),
            (None, Some((new, _))) => units(new),
            (Some((old, from)), Some((new, to))) if from != to => units(old) + units(new),
            (Some((old, _)), Some((new, _))) => {
                let same = match self.projection(table) {
                    None => old.attributes == new.attributes,
                    Some(held) => held.of(&old.attributes) == held.of(&new.attributes),
                };
                if same {
                    0.0
                } else {
                    units(old).max(units(new))
                }
            }
        }
    }
}
