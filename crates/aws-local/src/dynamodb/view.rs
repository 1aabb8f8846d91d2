//! A table or one of its indexes, as it is read.

use std::{collections::BTreeSet, ops::Bound, sync::Arc};

use bedrock_emulator::error::ApiError;

use super::{
    capacity::{Used, read_units},
    error::validation,
    expression::{Condition, KeyCondition, SortCondition},
    key::{Edge, KeySchema, KeyValue, Slot},
    table::{Entries, Index, Projected, Scope, Stored, Table},
    value::{AttributeValue, Attributes},
};

/// A page ends behind the item that makes it longer than this, in bytes (service quotas).
const PAGE_MAX: usize = 1024 * 1024;

/// What is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) table: &'a Table,
    pub(super) index: Option<&'a Index>,
}

/// A part of it, in order.
#[derive(Debug)]
pub(super) struct Range {
    low: Bound<Slot>,
    high: Bound<Slot>,
}

/// What one request reads of it.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) items: Vec<Arc<Stored>>,
    /// How many were looked at.
    pub(super) scanned: usize,
    /// Their bytes.
    pub(super) bytes: usize,
    /// The last one that was looked at, if there may be more.
    pub(super) last: Option<Arc<Stored>>,
}

impl<'a> View<'a> {
    pub(super) fn keys(&self) -> &'a KeySchema {
        self.index.map_or(&self.table.keys, |index| &index.keys)
    }

    fn entries(&self) -> &'a Entries {
        self.index
            .map_or(&self.table.entries, |index| &index.entries)
    }

    fn size_of(&self, item: &Stored) -> usize {
        self.index
            .map_or(item.size, |index| index.size_of(&self.table.keys, item))
    }

    /// The index, if it is a global one.
    pub(super) fn global(&self) -> Option<&'a Index> {
        self.index
            .filter(|index| matches!(index.scope, Scope::Global(_)))
    }

    /// Whether it holds less than the items.
    pub(super) fn is_partial(&self) -> bool {
        self.index
            .is_some_and(|index| index.projected != Projected::All)
    }

    /// The names it holds beside others; `None`: all.
    pub(super) fn names(&self) -> Option<BTreeSet<&'a str>> {
        self.index.and_then(|index| index.names(&self.table.keys))
    }

    /// What it holds of an item.
    pub(super) fn held(&self, item: &Stored) -> Attributes {
        match self
            .index
            .and_then(|index| index.projection(&self.table.keys))
        {
            Some(projection) => projection.of(&item.attributes),
            None => item.attributes.clone(),
        }
    }

    /// The key to go on from: of the table, and of the index that is read.
    pub(super) fn key_of(&self, item: &Stored) -> Attributes {
        let mut key = self.table.keys.key_of(&item.attributes);
        if let Some(index) = self.index {
            key.extend(index.keys.key_of(&item.attributes));
        }
        key
    }

    /// The place that such a key names.
    pub(super) fn start(&self, key: &Attributes) -> Result<Slot, ApiError> {
        let wrong = || validation("The provided starting key is invalid");
        let said = |error: ApiError| {
            let message = format!("The provided starting key is invalid: {}", error.message());
            error.saying(message)
        };
        let Some(index) = self.index else {
            return self.table.keys.slot_of_key(key).map_err(said);
        };
        let names: BTreeSet<_> = index
            .keys
            .attributes()
            .chain(self.table.keys.attributes())
            .collect_names();
        if key.len() != names.len() || !key.keys().all(|name| names.contains(name.as_str())) {
            return Err(wrong());
        }
        let table = self
            .table
            .keys
            .slot_of_key(&self.table.keys.key_of(key))
            .map_err(said)?;
        let place = index.keys.slot_in_index(key).ok_or_else(wrong)?;
        Ok(place.of_item(table))
    }

    /// Everything, or one of so many segments.
    pub(super) fn all(segment: Option<(u32, u32)>) -> Range {
        match segment {
            None => Range {
                low: Bound::Unbounded,
                high: Bound::Unbounded,
            },
            Some((segment, total)) => {
                let from = |segment| Slot::from_hash(Slot::first_hash(segment, total));
                let high = if segment + 1 < total {
                    Bound::Excluded(from(segment + 1))
                } else {
                    Bound::Unbounded
                };
                Range {
                    low: Bound::Included(from(segment)),
                    high,
                }
            }
        }
    }

    /// What a key condition means here.
    pub(super) fn matching(&self, condition: &KeyCondition) -> Result<Range, ApiError> {
        let keys = self.keys();
        let unsupported = || validation("Query key condition not supported");
        let find = |name: &str| condition.0.iter().find(|(known, _)| known == name);
        if condition.0.len() > 2 {
            return Err(validation("Conditions can be of length 1 or 2 only"));
        }
        let missed =
            |name: &str| validation(format!("Query condition missed key schema element: {name}"));
        let (_, partition) = find(&keys.hash.name).ok_or_else(|| missed(&keys.hash.name))?;
        let SortCondition::Equal(value) = partition else {
            return Err(unsupported());
        };
        let partition = key_value(value, keys.hash.kind.name())?;
        let mut sort = None;
        if condition.0.len() == 2 {
            let range = keys.range.as_ref().ok_or_else(unsupported)?;
            let (_, found) = find(&range.name).ok_or_else(|| missed(&range.name))?;
            for value in found.values() {
                key_value(value, range.kind.name())?;
            }
            sort = Some(found);
        }
        Ok(Range::of(&partition, sort))
    }

    /// Reads on from `start`: at most `limit` items are looked at.
    pub(super) fn page(
        &self,
        range: Range,
        start: Option<Slot>,
        forward: bool,
        limit: Option<usize>,
        filter: Option<&Condition>,
    ) -> Page {
        let range = match start {
            Some(start) if forward => Range {
                low: Bound::Excluded(start),
                ..range
            },
            Some(start) => Range {
                high: Bound::Excluded(start),
                ..range
            },
            None => range,
        };
        let mut page = Page {
            items: Vec::new(),
            scanned: 0,
            bytes: 0,
            last: None,
        };
        if range.is_empty() {
            return page;
        }
        let mut entries = self.entries().range((range.low, range.high));
        loop {
            let next = if forward {
                entries.next()
            } else {
                entries.next_back()
            };
            let Some((_, item)) = next else {
                return page;
            };
            page.scanned += 1;
            page.bytes += self.size_of(item);
            let wanted = filter.is_none_or(|filter| {
                if self.is_partial() {
                    filter.holds(&self.held(item))
                } else {
                    filter.holds(&item.attributes)
                }
            });
            if wanted {
                page.items.push(Arc::clone(item));
            }
            // As on AWS: a page that is full has a key to go on from, also when nothing follows.
            if limit.is_some_and(|limit| page.scanned >= limit) || page.bytes >= PAGE_MAX {
                page.last = Some(Arc::clone(item));
                return page;
            }
        }
    }

    /// What reading so many bytes uses. `fetched`: items that a local index had to fetch whole.
    pub(super) fn used(&self, bytes: usize, consistent: bool, fetched: &[Arc<Stored>]) -> Used {
        let units = read_units(bytes, consistent);
        let mut used = Used::default();
        match self.index {
            None => used.table = units,
            Some(index) => {
                let of = match index.scope {
                    Scope::Local => &mut used.local,
                    Scope::Global(_) => &mut used.global,
                };
                of.insert(index.name.clone(), units);
                used.table = fetched
                    .iter()
                    .map(|item| read_units(item.size, consistent))
                    .sum();
            }
        }
        used
    }
}

/// The names of key attributes.
trait Names<'a>: Iterator<Item = &'a super::key::KeyAttribute> + Sized {
    fn collect_names(self) -> BTreeSet<&'a str> {
        self.map(|attribute| attribute.name.as_str()).collect()
    }
}

impl<'a, I: Iterator<Item = &'a super::key::KeyAttribute>> Names<'a> for I {}

fn key_value(value: &AttributeValue, kind: &str) -> Result<KeyValue, ApiError> {
    let mismatch = || {
        validation(
            "One or more parameter values were invalid: Condition parameter type does not match \
             schema type",
        )
    };
    if value.kind() != kind {
        return Err(mismatch());
    }
    KeyValue::of(value).ok_or_else(mismatch)
}

impl Range {
    fn of(partition: &KeyValue, sort: Option<&SortCondition>) -> Self {
        let before = |edge: Edge<KeyValue>| Slot::around(partition, &edge).0;
        let behind = |edge: Edge<KeyValue>| Slot::around(partition, &edge).1;
        let at = |value: &AttributeValue| KeyValue::of(value).map_or(Edge::High, Edge::At);
        let (low, high) = match sort {
            None => (before(Edge::Low), behind(Edge::High)),
            Some(SortCondition::Equal(value)) => (before(at(value)), behind(at(value))),
            Some(SortCondition::Less(value)) => (before(Edge::Low), before(at(value))),
            Some(SortCondition::LessOrEqual(value)) => (before(Edge::Low), behind(at(value))),
            Some(SortCondition::Greater(value)) => (behind(at(value)), behind(Edge::High)),
            Some(SortCondition::GreaterOrEqual(value)) => (before(at(value)), behind(Edge::High)),
            Some(SortCondition::Between(low, high)) => (before(at(low)), behind(at(high))),
            Some(SortCondition::BeginsWith(start)) => {
                let end = successor(start).map_or(Edge::High, Edge::At);
                (before(at(start)), before(end))
            }
        };
        Self {
            low: Bound::Included(low),
            high: Bound::Excluded(high),
        }
    }

    /// Whether a place lies within it.
    pub(super) fn has(&self, slot: &Slot) -> bool {
        use std::ops::RangeBounds;
        (self.low.as_ref(), self.high.as_ref()).contains(slot)
    }

    fn is_empty(&self) -> bool {
        match (&self.low, &self.high) {
            (
                Bound::Included(low) | Bound::Excluded(low),
                Bound::Included(high) | Bound::Excluded(high),
            ) => low >= high,
            _ => false,
        }
    }
}

/// The first value behind all that begin so; `None`: there is none.
fn successor(start: &AttributeValue) -> Option<KeyValue> {
    match start {
        AttributeValue::S(text) => {
            let mut chars: Vec<char> = text.chars().collect();
            while let Some(last) = chars.pop() {
                // The one character that has no number after its own begins a gap (surrogates).
                let next = if last == '\u{D7FF}' {
                    Some('\u{E000}')
                } else {
                    char::from_u32(u32::from(last) + 1)
                };
                if let Some(next) = next {
                    chars.push(next);
                    return Some(KeyValue::S(chars.into_iter().collect()));
                }
            }
            None
        }
        AttributeValue::B(bytes) => {
            let mut bytes = bytes.clone();
            while let Some(last) = bytes.pop() {
                if last < u8::MAX {
                    bytes.push(last + 1);
                    return Some(KeyValue::B(bytes));
                }
            }
            None
        }
        _ => None,
    }
}
