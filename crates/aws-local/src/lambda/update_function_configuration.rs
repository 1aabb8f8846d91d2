//! `UpdateFunctionConfiguration`, as far as the host can: time, memory, variables, role, description.

use std::{collections::BTreeMap, time::Duration};

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Lambda,
    error::{another_revision, constraint, invalid},
    operations::{Answered, told},
    place::Reference,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    description: Option<String>,
    environment: Option<Environment>,
    memory_size: Option<i64>,
    revision_id: Option<String>,
    role: Option<String>,
    timeout: Option<i64>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Environment {
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

/// What may be said as long as it is what it is already.
const FIXED: &[(&str, &str)] = &[("Runtime", "provided.al2023"), ("Handler", "bootstrap")];

pub(super) fn answer(lambda: &Lambda, visit: &Visit, name: &str) -> Answered {
    let reference = Reference::of(visit, name)?;
    let input: Input = visit.json()?;
    check_rest(&input.rest)?;
    let timeout = bounded(input.timeout, "timeout", 1, 900)?;
    let memory = bounded(input.memory_size, "memorySize", 128, 10_240)?;
    let mut registry = lambda.registry();
    let kept = registry.find(visit, &reference, "lambda:UpdateFunctionConfiguration")?;
    let revision = input.revision_id.filter(|text| !text.is_empty());
    if revision.is_some_and(|revision| revision != kept.revision_id()) {
        return Err(another_revision());
    }
    let place = &reference.place;
    let kept = registry.change(place, visit.now, |function| {
        if let Some(seconds) = timeout {
            function.timeout = Duration::from_secs(seconds.into());
        }
        if let Some(megabytes) = memory {
            function.memory_mb = megabytes;
        }
        if let Some(environment) = input.environment {
            function.environment = environment.variables;
        }
        if let Some(description) = input.description {
            function.description = description;
        }
        if let Some(role) = input.role {
            function.role = Some(role);
        }
    })?;
    Ok(told(&kept.json(Some(&reference))))
}

fn check_rest(rest: &BTreeMap<String, Value>) -> Result<(), ApiError> {
    let fixed =
        |(name, value): &(&String, &Value)| FIXED.iter().any(|(n, v)| n == name && *value == v);
    let mut rest = rest
        .iter()
        .filter(|(_, value)| !value.is_null())
        .filter(|row| !fixed(row));
    match rest.next() {
        None => Ok(()),
        Some((name, _)) => Err(invalid(format!(
            "{name}: not emulated by Bedrock Workshop, which changes Timeout, MemorySize, Environment, \
             Role and Description."
        ))),
    }
}

fn bounded(
    asked: Option<i64>,
    member: &str,
    least: u32,
    most: u32,
) -> Result<Option<u32>, ApiError> {
    let Some(asked) = asked else { return Ok(None) };
    let found = u32::try_from(asked)
        .ok()
        .filter(|n| (least..=most).contains(n));
    let rule = match asked {
        low if low < i64::from(least) => format!("have value greater than or equal to {least}"),
        _ => format!("have value less than or equal to {most}"),
    };
    found
        .map(Some)
        .ok_or_else(|| constraint(asked, member, &rule))
}
