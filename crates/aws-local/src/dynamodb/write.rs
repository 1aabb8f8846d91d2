//! What every write shares, alone or in a transaction: its members, its condition, the change.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::{Deserialize, de::IgnoredAny};

use super::{
    capacity::{Used, write_units},
    constraints::Constraints,
    error::{condition_failed, invalid, transaction_conflict, validation},
    expression::{Condition, Given, Placeholders, Update},
    key::Slot,
    store::{Place, table_name},
    table::{Scope, Stored},
    value::{Attributes, JsonMap, attributes},
};

/// The members of `PutItem`, `UpdateItem`, `DeleteItem` and of their namesakes in a transaction.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Members {
    table_name: Option<String>,
    item: Option<JsonMap>,
    key: Option<JsonMap>,
    condition_expression: Option<String>,
    update_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    expression_attribute_values: Option<JsonMap>,
    return_values_on_condition_check_failure: Option<String>,
    pub(super) return_values: Option<String>,
    pub(super) return_consumed_capacity: Option<String>,
    // What the expressions replaced.
    expected: Option<IgnoredAny>,
    attribute_updates: Option<IgnoredAny>,
    conditional_operator: Option<IgnoredAny>,
}

/// Which write it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Put,
    Update,
    Delete,
    /// `ConditionCheck`: nothing is written.
    Check,
}

/// A write that is understood.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) kind: Kind,
    pub(super) table: String,
    /// The item to put, or the key of the others.
    subject: Attributes,
    condition: Option<Condition>,
    pub(super) update: Option<Update>,
    /// Whether who fails the condition wants to see the item.
    shows_item: bool,
}

/// A write that may happen.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) table: String,
    slot: Slot,
    pub(super) old: Option<Arc<Stored>>,
    pub(super) new: Option<Arc<Stored>>,
    kind: Kind,
}

/// Why a write may not happen.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The condition does not hold; with what is there, if it is wanted.
    Condition(Option<Arc<Stored>>),
    /// Somebody's transaction holds the item.
    Conflict,
    /// Anything else.
    Error(ApiError),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Condition(item) => {
                condition_failed(item.map(|i| i.attributes.clone()).as_ref())
            }
            Refusal::Conflict => transaction_conflict(),
            Refusal::Error(error) => error,
        }
    }
}

/// What an item that is not there has.
static NOTHING: LazyLock<Attributes> = LazyLock::new(Attributes::new);

/// Says that a parameter from before the expressions is not known here.
pub(super) fn refuse_legacy(members: &[(&str, bool)], instead: &str) -> Result<(), ApiError> {
    match members.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((member, _)) => Err(validation(format!(
            "Bedrock Workshop: {member} is a legacy parameter that is not emulated; use {instead}"
        ))),
    }
}

impl Members {
    /// Understands it.
    pub(super) fn read(self, kind: Kind, visit: &Visit) -> Result<Write, ApiError> {
        let table = table_name(self.table_name, visit)?;
        let mut constraints = Constraints::default();
        match kind {
            Kind::Put => constraints.required("item", self.item.is_some()),
            _ => constraints.required("key", self.key.is_some()),
        }
        if kind == Kind::Check {
            let given = self.condition_expression.is_some();
            constraints.required("conditionExpression", given);
        }
        let on_failure = self.return_values_on_condition_check_failure.as_deref();
        let member = "returnValuesOnConditionCheckFailure";
        constraints.one_of(member, on_failure, &["ALL_OLD", "NONE"]);
        constraints.finish()?;
        refuse_legacy(
            &[
                ("Expected", self.expected.is_some()),
                ("AttributeUpdates", self.attribute_updates.is_some()),
                ("ConditionalOperator", self.conditional_operator.is_some()),
            ],
            "ConditionExpression and UpdateExpression",
        )?;
        let expressions = [
            ("UpdateExpression", self.update_expression.as_deref()),
            ("ConditionExpression", self.condition_expression.as_deref()),
        ];
        let first = usize::from(kind != Kind::Update);
        let given = Given {
            expressions: &expressions[first..],
        };
        let mut placeholders = Placeholders::read(
            self.expression_attribute_names,
            self.expression_attribute_values,
            given,
        )?;
        let subject = attributes(self.item.or(self.key).unwrap_or_default())?;
        let update = match &self.update_expression {
            Some(text) if kind == Kind::Update => Some(placeholders.update(text)?),
            _ => None,
        };
        let condition = self.condition_expression.as_deref();
        let condition = condition
            .map(|text| placeholders.condition("ConditionExpression", text))
            .transpose()?;
        placeholders.all_used()?;
        Ok(Write {
            kind,
            table,
            subject,
            condition,
            update,
            shows_item: on_failure == Some("ALL_OLD"),
        })
    }
}

impl Write {
    /// An unconditional one.
    pub(super) fn plain(kind: Kind, table: String, subject: Attributes) -> Self {
        Self {
            kind,
            table,
            subject,
            condition: None,
            update: None,
            shows_item: false,
        }
    }

    /// The place of its item.
    pub(super) fn slot(&self, place: &Place) -> Result<Slot, ApiError> {
        let table = place.table(&self.table)?;
        match self.kind {
            Kind::Put => table.check(&self.subject),
            Kind::Update | Kind::Delete | Kind::Check => table.keys.slot_of_key(&self.subject),
        }
    }

    /// The change that it makes, if it may.
    pub(super) fn prepare(&self, place: &Place) -> Result<Change, Refusal> {
        let table = place.table(&self.table)?;
        let slot = self.slot(place)?;
        if let Some(update) = &self.update
            && let Some(name) = update.attributes().find(|name| table.keys.has(name))
        {
            return Err(invalid(format!(
                "Cannot update attribute {name}. This attribute is part of the key"
            ))
            .into());
        }
        if table.held.contains_key(&slot) {
            return Err(Refusal::Conflict);
        }
        let old = table.entries.get(&slot).cloned();
        let known = old.as_ref().map_or(&*NOTHING, |old| &old.attributes);
        if let Some(condition) = &self.condition
            && !condition.holds(known)
        {
            return Err(Refusal::Condition(old.filter(|_| self.shows_item)));
        }
        let new = match self.kind {
            Kind::Put => Some(Stored::new(self.subject.clone(), "")?),
            Kind::Update => Some(self.updated(place, old.as_deref())?),
            Kind::Delete => None,
            Kind::Check => {
                let new = old.clone();
                return Ok(Change {
                    table: self.table.clone(),
                    slot,
                    old,
                    new,
                    kind: self.kind,
                });
            }
        };
        if let Some(new) = &new {
            let size = |item: &Option<Arc<Stored>>| item.as_ref().map_or(0, |item| item.size);
            let entries = if old.is_none() {
                1 + table.indexes.len()
            } else {
                0
            };
            place.check_room(new.size.saturating_sub(size(&old)), entries)?;
        }
        let new = new.map(Arc::new);
        Ok(Change {
            table: self.table.clone(),
            slot,
            old,
            new,
            kind: self.kind,
        })
    }

    fn updated(&self, place: &Place, old: Option<&Stored>) -> Result<Stored, ApiError> {
        let table = place.table(&self.table)?;
        let before = old.map_or(&self.subject, |old| &old.attributes);
        let Some(update) = &self.update else {
            return Stored::new(before.clone(), " to update");
        };
        let after = update.apply(before)?;
        let keys = table
            .indexes
            .iter()
            .flat_map(|index| index.keys.attributes());
        for key in keys {
            if after
                .get(&key.name)
                .is_some_and(|value| value.kind() != key.kind.name())
            {
                return Err(validation(
                    "The update expression attempted to update the secondary index key to \
                     unsupported type",
                ));
            }
        }
        for index in &table.indexes {
            index.keys.check_in_index(&after, &index.name)?;
        }
        Stored::new(after, " to update")
    }
}

impl Change {
    /// Makes it.
    pub(super) fn make(&self, place: &mut Place) {
        if self.kind != Kind::Check
            && let Some(table) = place.tables.get_mut(&self.table)
        {
            table.set(&self.slot, self.new.as_ref());
        }
    }

    /// What it uses.
    pub(super) fn used(&self, place: &Place) -> Used {
        let Some(table) = place.tables.get(&self.table) else {
            return Used::default();
        };
        let size = |item: &Option<Arc<Stored>>| item.as_ref().map_or(0, |item| item.size);
        let mut used = Used {
            table: write_units(size(&self.old).max(size(&self.new))),
            ..Used::default()
        };
        if self.kind == Kind::Check {
            return used;
        }
        for index in &table.indexes {
            let (old, new) = (self.old.as_deref(), self.new.as_deref());
            let units = index.write_units(&table.keys, old, new);
            if units > 0.0 {
                let of = match index.scope {
                    Scope::Local => &mut used.local,
                    Scope::Global(_) => &mut used.global,
                };
                of.insert(index.name.clone(), units);
            }
        }
        used
    }
}
