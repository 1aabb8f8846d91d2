//! Keys: what identifies an item, and where it stands among the others.

use bedrock_emulator::error::ApiError;
use serde::{Deserialize, Serialize};

use super::{
    error::{invalid, validation},
    number::Number,
    value::{AttributeValue, Attributes},
};

/// The longest partition key, in bytes (service quotas).
const PARTITION_MAX: usize = 2048;
/// The longest sort key.
const SORT_MAX: usize = 1024;

/// What a key may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum KeyKind {
    S,
    N,
    B,
}

impl KeyKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        }
    }
}

/// An attribute that is (part of) a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyAttribute {
    pub(super) name: String,
    pub(super) kind: KeyKind,
}

/// The key of a table or index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeySchema {
    pub(super) hash: KeyAttribute,
    pub(super) range: Option<KeyAttribute>,
}

/// A key attribute's value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeyValue {
    S(String),
    N(Number),
    B(Vec<u8>),
}

impl KeyValue {
    /// `None`: no key holds such a value.
    pub(super) fn of(value: &AttributeValue) -> Option<Self> {
        Some(match value {
            AttributeValue::S(text) => Self::S(text.clone()),
            AttributeValue::N(number) => Self::N(*number),
            AttributeValue::B(bytes) => Self::B(bytes.clone()),
            _ => return None,
        })
    }

    fn hash(&self) -> u64 {
        match self {
            Self::S(text) => hash(text.as_bytes()),
            Self::N(number) => hash(number.to_string().as_bytes()),
            Self::B(bytes) => hash(bytes),
        }
    }
}

/// FNV-1a with a final mix: items are scanned in an order that follows from their keys but looks like
/// none, as on AWS, and is the same in every run.
fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// A value, or before or behind all of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edge<T> {
    Low,
    At(T),
    High,
}

/// Where an item stands in a table or index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    hash: u64,
    partition: KeyValue,
    /// [`Edge::Low`] where there is no sort key.
    sort: Edge<KeyValue>,
    /// In an index: the item's place in the table; many items may have one index key.
    table: Edge<Box<Slot>>,
}

impl Slot {
    pub(super) fn new(partition: KeyValue, sort: Option<KeyValue>) -> Self {
        Self {
            hash: partition.hash(),
            partition,
            sort: sort.map_or(Edge::Low, Edge::At),
            table: Edge::Low,
        }
    }

    /// The same in an index, for the item that stands there in the table.
    pub(super) fn of_item(self, table: Self) -> Self {
        Self {
            table: Edge::At(Box::new(table)),
            ..self
        }
    }

    /// Before all that have this sort key (or none), and behind all of them.
    pub(super) fn around(partition: &KeyValue, sort: &Edge<KeyValue>) -> (Self, Self) {
        let at = |table| Self {
            hash: partition.hash(),
            partition: partition.clone(),
            sort: sort.clone(),
            table,
        };
        (at(Edge::Low), at(Edge::High))
    }

    /// Before everything whose hash is at least this.
    pub(super) fn from_hash(hash: u64) -> Self {
        Self {
            hash,
            partition: KeyValue::S(String::new()),
            sort: Edge::Low,
            table: Edge::Low,
        }
    }

    /// Which of so many equal parts of a table it stands in.
    pub(super) fn segment(&self, total: u32) -> u32 {
        let part = (u128::from(self.hash) * u128::from(total)) >> 64;
        u32::try_from(part).unwrap_or(u32::MAX)
    }

    /// The first hash of a segment.
    pub(super) fn first_hash(segment: u32, total: u32) -> u64 {
        let first = (u128::from(segment) << 64).div_ceil(u128::from(total.max(1)));
        u64::try_from(first).unwrap_or(u64::MAX)
    }
}

impl KeySchema {
    /// Its attributes, the partition key first.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.hash).chain(&self.range)
    }

    /// Whether this attribute is part of it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }

    /// The place that a whole item belongs to.
    pub(super) fn slot_of_item(&self, item: &Attributes) -> Result<Slot, ApiError> {
        let mut values = Vec::with_capacity(2);
        for attribute in self.attributes() {
            let name = &attribute.name;
            let value = item
                .get(name)
                .ok_or_else(|| invalid(format!("Missing the key {name} in the item")))?;
            if value.kind() != attribute.kind.name() {
                return Err(invalid(format!(
                    "Type mismatch for key {name} expected: {} actual: {}",
                    attribute.kind.name(),
                    value.kind()
                )));
            }
            values.push(self.piece(attribute, value)?);
        }
        Ok(slot(values))
    }

    /// The place that a `Key` names: all of the key's attributes and nothing else.
    pub(super) fn slot_of_key(&self, key: &Attributes) -> Result<Slot, ApiError> {
        let mismatch = || validation("The provided key element does not match the schema");
        if key.len() != self.attributes().count() {
            return Err(mismatch());
        }
        let mut values = Vec::with_capacity(2);
        for attribute in self.attributes() {
            let value = key.get(&attribute.name).ok_or_else(mismatch)?;
            if value.kind() != attribute.kind.name() {
                return Err(mismatch());
            }
            values.push(self.piece(attribute, value)?);
        }
        Ok(slot(values))
    }

    /// The place in an index; `None`: the item is not in it.
    pub(super) fn slot_in_index(&self, item: &Attributes) -> Option<Slot> {
        let values = self.attributes().map(|attribute| {
            let value = item.get(&attribute.name)?;
            KeyValue::of(value).filter(|_| value.kind() == attribute.kind.name())
        });
        values.collect::<Option<Vec<_>>>().map(slot)
    }

    /// Refuses an item that the index named so cannot hold.
    pub(super) fn check_in_index(&self, item: &Attributes, index: &str) -> Result<(), ApiError> {
        for attribute in self.attributes() {
            let name = &attribute.name;
            let Some(value) = item.get(name) else {
                continue;
            };
            if value.kind() != attribute.kind.name() {
                return Err(invalid(format!(
                    "Type mismatch for Index Key {name} Expected: {} Actual: {} IndexName: {index}",
                    attribute.kind.name(),
                    value.kind()
                )));
            }
            if value.size() == 0 {
                return Err(validation(format!(
                    "One or more parameter values are not valid. A value specified for a secondary \
                     index key is not supported. The AttributeValue for a key attribute cannot \
                     contain an empty {} value. IndexName: {index}, IndexKey: {name}",
                    attribute.kind.long_name()
                )));
            }
        }
        Ok(())
    }

    /// The key's attributes of an item.
    pub(super) fn key_of(&self, item: &Attributes) -> Attributes {
        self.attributes()
            .filter_map(|attribute| item.get_key_value(&attribute.name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn piece(
        &self,
        attribute: &KeyAttribute,
        value: &AttributeValue,
    ) -> Result<KeyValue, ApiError> {
        let size = value.size();
        if size == 0 {
            return Err(validation(format!(
                "One or more parameter values are not valid. The AttributeValue for a key attribute \
                 cannot contain an empty {} value. Key: {}",
                attribute.kind.long_name(),
                attribute.name
            )));
        }
        let is_hash = attribute.name == self.hash.name;
        if is_hash && size > PARTITION_MAX {
            // Without a space, as the service writes it.
            return Err(invalid(format!(
                "Size of hashkey has exceeded the maximum size limit of{PARTITION_MAX} bytes"
            )));
        }
        if !is_hash && size > SORT_MAX {
            return Err(invalid(format!(
                "Aggregated size of all range keys has exceeded the size limit of {SORT_MAX} bytes"
            )));
        }
        KeyValue::of(value)
            .ok_or_else(|| validation("The provided key element does not match the schema"))
    }
}

impl KeyKind {
    fn long_name(self) -> &'static str {
        match self {
            Self::S => "string",
            Self::N => "number",
            Self::B => "binary",
        }
    }
}

fn slot(mut values: Vec<KeyValue>) -> Slot {
    let sort = (values.len() > 1).then(|| values.remove(1));
    Slot::new(values.remove(0), sort)
}
