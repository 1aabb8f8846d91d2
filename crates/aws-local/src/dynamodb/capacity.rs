//! `ReturnConsumedCapacity`: what an operation would have used (developer guide, "DynamoDB read and
//! write operations").

use std::collections::BTreeMap;

use bedrock_emulator::error::ApiError;
use serde_json::{Value as Json, json};

use super::constraints::Constraints;

/// How much of it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Nothing,
    Total,
    Indexes,
}

impl Wanted {
    /// From `ReturnConsumedCapacity`.
    pub(super) fn read(asked: Option<&str>) -> Result<Self, ApiError> {
        Ok(match asked {
            None | Some("NONE") => Self::Nothing,
            Some("TOTAL") => Self::Total,
            Some("INDEXES") => Self::Indexes,
            Some(other) => {
                let mut constraints = Constraints::default();
                constraints.one_of(
                    "returnConsumedCapacity",
                    Some(other),
                    &["INDEXES", "TOTAL", "NONE"],
                );
                constraints.finish()?;
                Self::Nothing
            }
        })
    }
}

/// Units of a write of so many bytes.
pub(super) fn write_units(bytes: usize) -> f64 {
    as_units(bytes.div_ceil(1024).max(1))
}

/// Units of a read of so many bytes: one for 4 KiB, half of it when eventually consistent.
pub(super) fn read_units(bytes: usize, consistent: bool) -> f64 {
    let whole = as_units(bytes.div_ceil(4096).max(1));
    if consistent { whole } else { whole / 2.0 }
}

fn as_units(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

/// What was used of one table.
#[derive(Debug, Default, Clone)]
pub(super) struct Used {
    pub(super) table: f64,
    pub(super) global: BTreeMap<String, f64>,
    pub(super) local: BTreeMap<String, f64>,
}

/// Which member of a transaction's answer the units stand in, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// `ReadCapacityUnits`.
    Read,
    /// `WriteCapacityUnits`.
    Write,
}

impl Used {
    /// Adds what a part of the operation used.
    pub(super) fn add(&mut self, other: Self) {
        self.table += other.table;
        for (into, from) in [
            (&mut self.global, other.global),
            (&mut self.local, other.local),
        ] {
            for (name, units) in from {
                *into.entry(name).or_default() += units;
            }
        }
    }

    /// That many times as much: transactions use twice the units.
    pub(super) fn times(mut self, factor: f64) -> Self {
        self.table *= factor;
        for units in self.global.values_mut().chain(self.local.values_mut()) {
            *units *= factor;
        }
        self
    }

    /// As answered; `None`: nobody asked.
    pub(super) fn json(&self, table: &str, wanted: Wanted, kind: Kind) -> Option<Json> {
        if wanted == Wanted::Nothing {
            return None;
        }
        let units = |count: f64| {
            let mut units = json!({ "CapacityUnits": count });
            match kind {
                Kind::Plain => {}
                Kind::Read => units["ReadCapacityUnits"] = json!(count),
                Kind::Write => units["WriteCapacityUnits"] = json!(count),
            }
            units
        };
        let indexes = self.global.values().chain(self.local.values());
        let mut answer = units(self.table + indexes.sum::<f64>());
        answer["TableName"] = json!(table);
        if wanted == Wanted::Indexes {
            answer["Table"] = units(self.table);
            for (member, used) in [
                ("GlobalSecondaryIndexes", &self.global),
                ("LocalSecondaryIndexes", &self.local),
            ] {
                if !used.is_empty() {
                    let each = used
                        .iter()
                        .map(|(name, count)| (name.clone(), units(*count)));
                    answer[member] = Json::Object(each.collect());
                }
            }
        }
        Some(answer)
    }
}
