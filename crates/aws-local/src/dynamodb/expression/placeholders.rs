//! `#names` and `:values`: what an expression may mean by them, and that all of them are meant.

use std::collections::{BTreeMap, BTreeSet};

use bedrock_emulator::error::ApiError;

use super::{
    super::{
        error::validation,
        value::{AttributeValue, JsonMap},
    },
    Condition, KeyCondition, Projection, Update, condition_parser,
    parser::Parser,
    update_parser,
};

/// The expressions of one request, by the names of their members.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    /// `ConditionExpression` and the like, with what was sent.
    pub(crate) expressions: &'a [(&'static str, Option<&'a str>)],
}

/// What `ExpressionAttributeNames` and `ExpressionAttributeValues` define.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, AttributeValue>,
    used: BTreeSet<String>,
}

impl Placeholders {
    /// Reads the two maps of a request with these expressions.
    pub(crate) fn read(
        names: Option<BTreeMap<String, String>>,
        values: Option<JsonMap>,
        given: Given<'_>,
    ) -> Result<Self, ApiError> {
        if names.is_some() && given.expressions.iter().all(|(_, text)| text.is_none()) {
            return Err(validation(
                "ExpressionAttributeNames can only be specified when using expressions",
            ));
        }
        let with_values: Vec<_> = given
            .expressions
            .iter()
            .filter(|(member, _)| *member != "ProjectionExpression")
            .collect();
        if values.is_some() && with_values.iter().all(|(_, text)| text.is_none()) {
            let members: Vec<_> = with_values.iter().map(|(member, _)| *member).collect();
            let verb = if members.len() > 1 { "are" } else { "is" };
            return Err(validation(format!(
                "ExpressionAttributeValues can only be specified when using expressions: {} {verb} \
                 null",
                members.join(" and ")
            )));
        }
        Ok(Self {
            names: read_names(names)?,
            values: read_values(values)?,
            used: BTreeSet::new(),
        })
    }

    /// A condition or filter; `member` is its name in the request.
    pub(crate) fn condition(&mut self, member: &str, text: &str) -> Result<Condition, ApiError> {
        let parsed = Parser::parse(text, self, condition_parser::condition);
        parsed.map_err(|message| validation(format!("Invalid {member}: {message}")))
    }

    /// A `KeyConditionExpression`.
    pub(crate) fn key_condition(&mut self, text: &str) -> Result<KeyCondition, ApiError> {
        let condition = self.condition("KeyConditionExpression", text)?;
        KeyCondition::new(condition).map_err(validation)
    }

    /// An `UpdateExpression`.
    pub(crate) fn update(&mut self, text: &str) -> Result<Update, ApiError> {
        let parsed = Parser::parse(text, self, update_parser::update);
        parsed.map_err(|message| validation(format!("Invalid UpdateExpression: {message}")))
    }

    /// A `ProjectionExpression`.
    pub(crate) fn projection(&mut self, text: &str) -> Result<Projection, ApiError> {
        let parsed = Parser::parse(text, self, Projection::parse);
        parsed.map_err(|message| validation(format!("Invalid ProjectionExpression: {message}")))
    }

    /// The last look: something is defined and no expression names it.
    pub(crate) fn all_used(&self) -> Result<(), ApiError> {
        let unused = |keys: Vec<&String>, member: &str| {
            let unused: Vec<_> = keys
                .into_iter()
                .filter(|key| !self.used.contains(*key))
                .map(String::as_str)
                .collect();
            if unused.is_empty() {
                return Ok(());
            }
            Err(validation(format!(
                "Value provided in {member} unused in expressions: keys: {{{}}}",
                unused.join(", ")
            )))
        };
        unused(self.names.keys().collect(), "ExpressionAttributeNames")?;
        unused(self.values.keys().collect(), "ExpressionAttributeValues")
    }

    pub(super) fn name(&mut self, placeholder: &str) -> Option<String> {
        let found = self.names.get(placeholder)?.clone();
        self.used.insert(placeholder.to_owned());
        Some(found)
    }

    pub(super) fn value(&mut self, placeholder: &str) -> Option<AttributeValue> {
        let found = self.values.get(placeholder)?.clone();
        self.used.insert(placeholder.to_owned());
        Some(found)
    }
}

fn read_names(
    names: Option<BTreeMap<String, String>>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let Some(names) = names else {
        return Ok(BTreeMap::new());
    };
    if names.is_empty() {
        return Err(validation("ExpressionAttributeNames must not be empty"));
    }
    check_keys(names.keys(), '#', "ExpressionAttributeNames")?;
    Ok(names)
}

fn read_values(values: Option<JsonMap>) -> Result<BTreeMap<String, AttributeValue>, ApiError> {
    let Some(values) = values else {
        return Ok(BTreeMap::new());
    };
    if values.is_empty() {
        return Err(validation("ExpressionAttributeValues must not be empty"));
    }
    check_keys(values.keys(), ':', "ExpressionAttributeValues")?;
    let read = |(key, value): (String, _)| match AttributeValue::from_json(value) {
        Ok(value) => Ok((key, value)),
        Err(error) if error.code().name() == "ValidationException" => Err(validation(format!(
            "ExpressionAttributeValues contains invalid value: {} for key {key}",
            error.message()
        ))),
        Err(error) => Err(error),
    };
    values.into_iter().map(read).collect()
}

fn check_keys<'a>(
    mut keys: impl Iterator<Item = &'a String>,
    first: char,
    member: &str,
) -> Result<(), ApiError> {
    let wrong = keys.find(|key| {
        let name = key.strip_prefix(first).unwrap_or_default();
        name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    match wrong {
        Some(key) => Err(validation(format!(
            "{member} contains invalid key: Syntax error; key: \"{key}\""
        ))),
        None => Ok(()),
    }
}
