//! What `GetExecutionHistory` shows.
//!
//! Types, ids, `previousEventId` and members are those of recorded histories; which event precedes
//! which is decided in [`crate::execution`].

mod event_type;

use std::sync::Arc;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::{
    failure::Failure,
    limits::{HISTORY_BYTES, HISTORY_EVENTS},
};
pub use event_type::EventType;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEvent {
    /// From 1, without gaps.
    pub id: u64,
    /// The event that led to this one; 0 for the first state as for the start.
    pub previous_event_id: u64,
    /// When it happened.
    pub timestamp: OffsetDateTime,
    /// What happened.
    pub event_type: EventType,
    /// With what.
    pub details: Details,
}

/// The members of an event's details. The name of the details follows from the event's type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are AWS's own")]
pub enum Details {
    /// The event has no details.
    None,
    ExecutionStarted {
        input: Data,
        role_arn: String,
    },
    StateEntered {
        name: String,
        input: Data,
    },
    StateExited {
        name: String,
        output: Data,
    },
    /// Of an execution or a Lambda function.
    Succeeded {
        output: Data,
    },
    /// Of an execution or a Lambda function.
    Failed {
        error: Option<String>,
        cause: Option<String>,
    },
    LambdaFunctionScheduled {
        resource: String,
        input: Data,
        timeout_in_seconds: Option<u64>,
        role_arn: Option<String>,
    },
    TaskScheduled {
        resource_type: String,
        resource: String,
        region: String,
        parameters: Arc<str>,
        timeout_in_seconds: Option<u64>,
        heartbeat_in_seconds: Option<u64>,
        role_arn: Option<String>,
    },
    TaskStarted {
        resource_type: String,
        resource: String,
    },
    TaskSucceeded {
        resource_type: String,
        resource: String,
        output: Data,
    },
    TaskFailed {
        resource_type: String,
        resource: String,
        error: Option<String>,
        cause: Option<String>,
    },
    MapStateStarted {
        length: usize,
    },
    MapIteration {
        name: String,
        index: usize,
    },
}

/// The JSON text of an input or output; `None` when the history is too long to keep it.
pub type Data = Option<Arc<str>>;

impl HistoryEvent {
    /// As in the answer of `GetExecutionHistory`; the timestamp in seconds, as awsJson has it.
    pub fn to_json(&self) -> Value {
        self.json(true)
    }

    /// As [`to_json`](Self::to_json) for a request with `includeExecutionData: false`.
    pub fn to_json_without_data(&self) -> Value {
        self.json(false)
    }

    fn json(&self, data: bool) -> Value {
        let mut event = json!({
            "timestamp": seconds(self.timestamp),
            "type": self.event_type.as_str(),
            "id": self.id,
            "previousEventId": self.previous_event_id,
        });
        let details = self.details.members(data);
        // An aborted execution has empty details (recorded), other events without any have none.
        if !matches!(self.details, Details::None) {
            event[self.event_type.details_name()] = Value::Object(details);
        }
        event
    }
}

/// Milliseconds are what AWS keeps.
fn seconds(at: OffsetDateTime) -> Value {
    let millis = at.unix_timestamp_nanos() / 1_000_000;
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of an era fit 53 bits"
    )]
    let seconds = millis as f64 / 1_000.0;
    json!(seconds)
}

impl Details {
    pub(crate) fn failed(failure: &Failure) -> Self {
        Self::Failed {
            error: failure.error.clone(),
            cause: failure.cause.clone().filter(|cause| !cause.is_empty()),
        }
    }

    fn members(&self, data: bool) -> Map<String, Value> {
        let mut members = Members {
            map: Map::new(),
            data,
        };
        match self {
            Self::None => {}
            Self::ExecutionStarted { input, role_arn } => {
                members.data("input", "inputDetails", input);
                members.set("roleArn", role_arn);
            }
            Self::StateEntered { name, input } => {
                members.set("name", name);
                members.data("input", "inputDetails", input);
            }
            Self::StateExited { name, output } => {
                members.set("name", name);
                members.data("output", "outputDetails", output);
            }
            Self::Succeeded { output } => members.data("output", "outputDetails", output),
            Self::Failed { error, cause } => {
                members.maybe("error", error.as_deref());
                members.maybe("cause", cause.as_deref());
            }
            Self::LambdaFunctionScheduled {
                resource,
                input,
                timeout_in_seconds,
                role_arn,
            } => {
                members.set("resource", resource);
                members.data("input", "inputDetails", input);
                members.number("timeoutInSeconds", *timeout_in_seconds);
                members.credentials(role_arn.as_deref());
            }
            Self::TaskScheduled {
                resource_type,
                resource,
                region,
                parameters,
                timeout_in_seconds,
                heartbeat_in_seconds,
                role_arn,
            } => {
                members.set("resourceType", resource_type);
                members.set("resource", resource);
                members.set("region", region);
                members.set("parameters", parameters);
                members.number("timeoutInSeconds", *timeout_in_seconds);
                members.number("heartbeatInSeconds", *heartbeat_in_seconds);
                members.credentials(role_arn.as_deref());
            }
            Self::TaskStarted {
                resource_type,
                resource,
            } => {
                members.set("resourceType", resource_type);
                members.set("resource", resource);
            }
            Self::TaskSucceeded {
                resource_type,
                resource,
                output,
            } => {
                members.set("resourceType", resource_type);
                members.set("resource", resource);
                members.data("output", "outputDetails", output);
            }
            Self::TaskFailed {
                resource_type,
                resource,
                error,
                cause,
            } => {
                members.set("resourceType", resource_type);
                members.set("resource", resource);
                members.maybe("error", error.as_deref());
                members.maybe("cause", cause.as_deref());
            }
            Self::MapStateStarted { length } => {
                members.map.insert("length".to_owned(), json!(length));
            }
            Self::MapIteration { name, index } => {
                members.set("name", name);
                members.map.insert("index".to_owned(), json!(index));
            }
        }
        members.map
    }
}

struct Members {
    map: Map<String, Value>,
    data: bool,
}

impl Members {
    fn set(&mut self, name: &str, value: &str) {
        self.map.insert(name.to_owned(), value.into());
    }

    fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    fn number(&mut self, name: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.map.insert(name.to_owned(), value.into());
        }
    }

    fn credentials(&mut self, role_arn: Option<&str>) {
        if let Some(role_arn) = role_arn {
            self.map
                .insert("taskCredentials".to_owned(), json!({"roleArn": role_arn}));
        }
    }

    fn data(&mut self, name: &str, details: &str, data: &Data) {
        if !self.data {
            return;
        }
        self.maybe(name, data.as_deref());
        let truncated = json!({"truncated": data.is_none()});
        self.map.insert(details.to_owned(), truncated);
    }
}

/// The events of an execution, and whether there may be more.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    events: Vec<HistoryEvent>,
    /// Bytes of the texts kept.
    bytes: usize,
    last_kept: Option<Arc<str>>,
    overflowed: bool,
}

impl History {
    pub(crate) fn events(&self) -> &[HistoryEvent] {
        &self.events
    }

    /// The texts that are kept, and the events themselves.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.events.len() * size_of::<HistoryEvent>()
    }

    /// More happened than a history may hold. What led here did not get an event.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Notes an event and gives its id. The last place is kept for the end of the execution.
    pub(crate) fn record(
        &mut self,
        event_type: EventType,
        details: Details,
        previous_event_id: u64,
        timestamp: OffsetDateTime,
    ) -> u64 {
        if self.last_id() + 1 >= HISTORY_EVENTS {
            self.overflowed = true;
            return HISTORY_EVENTS;
        }
        self.push(event_type, details, previous_event_id, timestamp)
    }

    /// Notes the event with which the execution ends.
    pub(crate) fn push(
        &mut self,
        event_type: EventType,
        details: Details,
        previous_event_id: u64,
        timestamp: OffsetDateTime,
    ) -> u64 {
        let id = self.last_id() + 1;
        self.events.push(HistoryEvent {
            id,
            previous_event_id,
            timestamp,
            event_type,
            details,
        });
        id
    }

    pub(crate) fn last_id(&self) -> u64 {
        self.events.last().map_or(0, |event| event.id)
    }

    /// The text as an event holds it. What one state puts out and the next takes in is counted once.
    pub(crate) fn data(&mut self, text: &Arc<str>) -> Data {
        let same = self
            .last_kept
            .as_ref()
            .is_some_and(|last| Arc::ptr_eq(last, text));
        if !same {
            if self.bytes + text.len() > HISTORY_BYTES {
                return None;
            }
            self.bytes += text.len();
            self.last_kept = Some(text.clone());
        }
        Some(text.clone())
    }
}
