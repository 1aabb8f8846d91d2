//! A state machine as it is kept.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use states_language::{Code, Diagnostic, Resource, StateMachine};
use time::OffsetDateTime;

use super::TaskRunner;

/// Whether executions of a machine are kept to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Standard,
    /// Executions leave nothing behind but the answer of `StartSyncExecution`.
    Express,
}

impl Kind {
    pub(super) const WORDS: &[&str] = &["STANDARD", "EXPRESS"];

    /// Of a word that was checked.
    pub(super) fn of(word: Option<&str>) -> Self {
        match word {
            Some("EXPRESS") => Self::Express,
            _ => Self::Standard,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::Express => "EXPRESS",
        }
    }
}

/// A state machine.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) created: OffsetDateTime,
    pub(super) tags: BTreeMap<String, String>,
    /// As it is now; executions keep the one they began with.
    pub(super) revision: Arc<Revision>,
}

/// What `UpdateStateMachine` changes.
#[derive(Debug)]
pub(super) struct Revision {
    /// None before the first update (recorded).
    pub(super) id: Option<String>,
    /// As it was sent: what counts for idempotency is the text (recorded).
    pub(super) definition: String,
    pub(super) parsed: Arc<StateMachine>,
    pub(super) role_arn: String,
    pub(super) updated: OffsetDateTime,
    pub(super) logging: Value,
    pub(super) tracing: Value,
}

impl Machine {
    /// As in `DescribeStateMachine`; without the definition when only metadata is asked for.
    pub(super) fn described(&self, with_data: bool) -> Value {
        let revision = &self.revision;
        let mut told = json!({
            "stateMachineArn": self.arn,
            "name": self.name,
            "status": "ACTIVE",
            "roleArn": revision.role_arn,
            "type": self.kind.as_str(),
            "creationDate": seconds(self.created),
            "loggingConfiguration": revision.logging,
            "tracingConfiguration": revision.tracing,
        });
        // A required member; of metadata it is empty (documented).
        let definition = if with_data {
            &*revision.definition
        } else {
            "{}"
        };
        told["definition"] = definition.into();
        if let Some(id) = &revision.id {
            told["revisionId"] = id.as_str().into();
        }
        told
    }
}

/// The configurations that are kept and do nothing; the default is recorded.
pub(super) fn logging(sent: Option<Value>) -> Value {
    sent.unwrap_or_else(|| json!({"level": "OFF", "includeExecutionData": false}))
}

/// See [`logging`].
pub(super) fn tracing(sent: Option<Value>) -> Value {
    sent.unwrap_or_else(|| json!({"enabled": false}))
}

/// A date as awsJson has it, with the milliseconds that AWS keeps.
pub(super) fn seconds(at: OffsetDateTime) -> Value {
    let millis = at.unix_timestamp_nanos() / 1_000_000;
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of an era fit 53 bits"
    )]
    let seconds = millis as f64 / 1_000.0;
    json!(seconds)
}

/// Reads a definition, and makes sure that its tasks can be run.
pub(super) fn read(
    definition: &str,
    runner: &dyn TaskRunner,
) -> Result<StateMachine, Vec<Diagnostic>> {
    let machine = StateMachine::parse(definition)?;
    let refused = machine.resources().filter_map(|resource| {
        let why = runner.refuses(resource)?;
        let text = text_of(resource);
        Some(Diagnostic {
            code: Code::SchemaValidationFailed,
            message: format!("The resource {text} cannot be run by Bedrock Workshop: {why}"),
            location: place_of(definition, &text),
        })
    });
    let mut refused: Vec<Diagnostic> = refused.collect();
    refused.dedup();
    if refused.is_empty() {
        Ok(machine)
    } else {
        Err(refused)
    }
}

fn text_of(resource: &Resource) -> String {
    match resource {
        Resource::LambdaFunction { arn } => arn.clone(),
        Resource::Service { service, action } => format!("arn:aws:states:::{service}:{action}"),
    }
}

/// Where a definition first names that resource.
fn place_of(definition: &str, resource: &str) -> Option<String> {
    let definition: Value = serde_json::from_str(definition).ok()?;
    // Deeper definitions were refused before.
    find(&definition, resource, "")
}

fn find(value: &Value, resource: &str, place: &str) -> Option<String> {
    match value {
        Value::Object(members) => members.iter().find_map(|(name, inner)| {
            let place = format!("{place}/{name}");
            let found = name == "Resource" && inner == resource;
            found
                .then(|| place.clone())
                .or_else(|| find(inner, resource, &place))
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, inner)| find(inner, resource, &format!("{place}[{at}]"))),
        _ => None,
    }
}
