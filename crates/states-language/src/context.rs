//! The context object, `$$`.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Who and what is running, as the caller knows it. The rest of the context object is the
/// execution's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContextInfo {
    /// `$$.Execution.Id`.
    pub execution_arn: String,
    /// `$$.Execution.Name`.
    pub execution_name: String,
    /// `$$.StateMachine.Id`.
    pub state_machine_arn: String,
    /// `$$.StateMachine.Name`.
    pub state_machine_name: String,
    /// `$$.Execution.RoleArn`.
    pub role_arn: String,
}

impl ContextInfo {
    /// For an execution of that state machine: the execution's ARN, the machine's name and a role
    /// follow from the two.
    pub fn named(state_machine_arn: &str, execution_name: &str) -> Self {
        let name = state_machine_arn.rsplit(':').next().unwrap_or_default();
        let account = state_machine_arn.split(':').nth(4).unwrap_or_default();
        let executions = state_machine_arn.replacen(":stateMachine:", ":execution:", 1);
        Self {
            execution_arn: format!("{executions}:{execution_name}"),
            execution_name: execution_name.to_owned(),
            state_machine_arn: state_machine_arn.to_owned(),
            state_machine_name: name.to_owned(),
            role_arn: format!("arn:aws:iam::{account}:role/{name}"),
        }
    }

    /// The region in which it runs, for `TaskScheduled`.
    pub(crate) fn region(&self) -> &str {
        self.state_machine_arn.split(':').nth(3).unwrap_or_default()
    }
}

/// Where an execution stands, from which the context object is made when a state asks for it.
pub(crate) struct Standing<'a> {
    pub(crate) info: &'a ContextInfo,
    pub(crate) input: &'a Value,
    pub(crate) started: OffsetDateTime,
    pub(crate) state: &'a str,
    pub(crate) entered: OffsetDateTime,
    /// Only where a state can be retried (recorded).
    pub(crate) retry_count: Option<u64>,
    pub(crate) item: Option<&'a Item>,
}

/// The item of the innermost Map.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) index: usize,
    pub(crate) value: Arc<Value>,
}

impl Standing<'_> {
    pub(crate) fn context(&self) -> Value {
        let mut state = json!({"EnteredTime": timestamp(self.entered), "Name": self.state});
        if let Some(count) = self.retry_count {
            state["RetryCount"] = count.into();
        }
        let mut context = Map::new();
        context.insert(
            "Execution".to_owned(),
            json!({
                "Id": self.info.execution_arn,
                "Input": self.input,
                "Name": self.info.execution_name,
                "RoleArn": self.info.role_arn,
                "StartTime": timestamp(self.started),
                "RedriveCount": 0,
            }),
        );
        context.insert(
            "StateMachine".to_owned(),
            json!({"Id": self.info.state_machine_arn, "Name": self.info.state_machine_name}),
        );
        context.insert("State".to_owned(), state);
        if let Some(item) = self.item {
            context.insert(
                "Map".to_owned(),
                json!({"Item": {"Index": item.index, "Value": *item.value}}),
            );
        }
        Value::Object(context)
    }
}

/// Milliseconds, always three digits: `2024-03-10T16:22:15.040Z`.
fn timestamp(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let whole = at.replace_nanosecond(0).unwrap_or(at);
    let text = whole.format(&Rfc3339).unwrap_or_default();
    format!("{}.{:03}Z", text.trim_end_matches('Z'), at.millisecond())
}
