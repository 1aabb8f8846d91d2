//! What a queue can be told: its attributes, their bounds and defaults (service model).

use std::collections::BTreeMap;

use bedrock_emulator::error::ApiError;
use serde_json::Value;

use super::{
    error::{
        INVALID_ATTRIBUTE_NAME, INVALID_ATTRIBUTE_VALUE, invalid_attribute, unknown_attribute,
    },
    redrive::{Redrive, RedriveAllow},
};

/// The most that a message, and a batch of them, may hold in bytes.
pub(super) const MESSAGE_BYTES_MAX: usize = 1_048_576;
/// Twelve hours, in seconds.
pub(super) const VISIBILITY_MAX: i64 = 43_200;
/// The longest that a receive waits, in seconds.
pub(super) const WAIT_MAX: i64 = 20;
/// The longest delay, in seconds.
pub(super) const DELAY_MAX: i64 = 900;

/// Names that `GetQueueAttributes` knows and nobody sets.
const COMPUTED: [&str; 6] = [
    "QueueArn",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
];

/// Names that can be set.
const SETTABLE: [&str; 15] = [
    "Policy",
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
];

/// Whether `GetQueueAttributes` may be asked for it.
pub(super) fn is_known(name: &str) -> bool {
    name == "All" || COMPUTED.contains(&name) || SETTABLE.contains(&name)
}

/// What a queue was told, durations in seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attributes {
    pub(super) fifo: bool,
    pub(super) visibility: i64,
    pub(super) delay: i64,
    pub(super) wait: i64,
    pub(super) retention: i64,
    pub(super) message_bytes_max: usize,
    pub(super) redrive: Option<Redrive>,
    pub(super) redrive_allow: Option<RedriveAllow>,
    pub(super) content_based: bool,
    /// Duplicates are looked for within a message group only.
    pub(super) per_group: bool,
    per_group_throughput: bool,
    policy: Option<String>,
    kms_key: Option<String>,
    kms_reuse: i64,
    sse: bool,
}

impl Attributes {
    /// AWS's defaults.
    pub(super) fn new(fifo: bool) -> Self {
        Self {
            fifo,
            visibility: 30,
            delay: 0,
            wait: 0,
            retention: 345_600,
            message_bytes_max: MESSAGE_BYTES_MAX,
            redrive: None,
            redrive_allow: None,
            content_based: false,
            per_group: false,
            per_group_throughput: false,
            policy: None,
            kms_key: None,
            kms_reuse: 300,
            sse: true,
        }
    }

    /// The same with these told, all or none.
    pub(super) fn with(&self, told: &BTreeMap<String, String>) -> Result<Self, ApiError> {
        let mut attributes = self.clone();
        for (name, value) in told {
            attributes.set(name, value)?;
        }
        if attributes.per_group_throughput && !attributes.per_group {
            return Err(INVALID_ATTRIBUTE_VALUE.error(
                "Invalid value for the parameter FifoThroughputLimit. Reason: The perMessageGroupId \
                 value is allowed only when the value for DeduplicationScope is messageGroup.",
            ));
        }
        let two_kinds = told
            .get("SqsManagedSseEnabled")
            .is_some_and(|on| on == "true")
            && told
                .get("KmsMasterKeyId")
                .is_some_and(|key| !key.is_empty());
        if two_kinds {
            return Err(INVALID_ATTRIBUTE_NAME.error(
                "You can use one type of server-side encryption (SSE) at one time. You can either \
                 enable KMS SSE or SQS SSE.",
            ));
        }
        Ok(attributes)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        let text = || (!value.is_empty()).then(|| value.to_owned());
        match name {
            "VisibilityTimeout" => self.visibility = number(name, value, 0..=VISIBILITY_MAX)?,
            "DelaySeconds" => self.delay = number(name, value, 0..=DELAY_MAX)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait = number(name, value, 0..=WAIT_MAX)?,
            "MessageRetentionPeriod" => self.retention = number(name, value, 60..=1_209_600)?,
            "MaximumMessageSize" => {
                let bytes = number(name, value, 1_024..=1_048_576)?;
                self.message_bytes_max = usize::try_from(bytes).unwrap_or(MESSAGE_BYTES_MAX);
            }
            "RedrivePolicy" => self.redrive = text().map(|t| Redrive::parse(&t)).transpose()?,
            "RedriveAllowPolicy" => {
                self.redrive_allow = text().map(|t| RedriveAllow::parse(&t)).transpose()?;
            }
            "Policy" => {
                let is_object = |t: &String| {
                    serde_json::from_str::<Value>(t).is_ok_and(|policy| policy.is_object())
                };
                self.policy = text();
                if self
                    .policy
                    .as_ref()
                    .is_some_and(|policy| !is_object(policy))
                {
                    return Err(invalid_attribute(name));
                }
            }
            "KmsMasterKeyId" => {
                self.kms_key = text();
                // One kind of encryption at a time.
                self.sse = self.kms_key.is_none();
            }
            "KmsDataKeyReusePeriodSeconds" => self.kms_reuse = number(name, value, 60..=86_400)?,
            "SqsManagedSseEnabled" => {
                self.sse = boolean(name, value)?;
                if self.sse {
                    self.kms_key = None;
                }
            }
            "FifoQueue" => self.set_fifo(value)?,
            "ContentBasedDeduplication" if self.fifo => self.content_based = boolean(name, value)?,
            "DeduplicationScope" if self.fifo => {
                self.per_group = one_of(name, value, ["queue", "messageGroup"])?;
            }
            "FifoThroughputLimit" if self.fifo => {
                self.per_group_throughput = one_of(name, value, ["perQueue", "perMessageGroupId"])?;
            }
            "DeduplicationScope" | "FifoThroughputLimit" => {
                return Err(INVALID_ATTRIBUTE_NAME.error(format!(
                    "You can specify the {name} only when FifoQueue is set to true."
                )));
            }
            _ => return Err(unknown_attribute(name)),
        }
        Ok(())
    }

    /// A queue's kind is for ever.
    fn set_fifo(&self, value: &str) -> Result<(), ApiError> {
        if !self.fifo {
            return Err(unknown_attribute("FifoQueue"));
        }
        if boolean("FifoQueue", value)? {
            return Ok(());
        }
        Err(INVALID_ATTRIBUTE_VALUE.error(
            "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
        ))
    }

    /// Name and value of everything told, as `GetQueueAttributes` writes them. What is not set is
    /// not there.
    pub(super) fn list(&self) -> Vec<(&'static str, String)> {
        let mut list = vec![
            ("VisibilityTimeout", self.visibility.to_string()),
            ("MaximumMessageSize", self.message_bytes_max.to_string()),
            ("MessageRetentionPeriod", self.retention.to_string()),
            ("DelaySeconds", self.delay.to_string()),
            ("ReceiveMessageWaitTimeSeconds", self.wait.to_string()),
            ("SqsManagedSseEnabled", self.sse.to_string()),
        ];
        list.extend(self.policy.clone().map(|policy| ("Policy", policy)));
        list.extend(self.redrive.as_ref().map(|r| ("RedrivePolicy", r.text())));
        let allow = self.redrive_allow.as_ref();
        list.extend(allow.map(|allow| ("RedriveAllowPolicy", allow.text())));
        if let Some(key) = &self.kms_key {
            list.push(("KmsMasterKeyId", key.clone()));
            list.push(("KmsDataKeyReusePeriodSeconds", self.kms_reuse.to_string()));
        }
        if self.fifo {
            let either = |yes: bool, names: [&str; 2]| names[usize::from(yes)].to_owned();
            let (scope, limit) = (self.per_group, self.per_group_throughput);
            list.push(("FifoQueue", "true".to_owned()));
            list.push(("ContentBasedDeduplication", self.content_based.to_string()));
            list.push((
                "DeduplicationScope",
                either(scope, ["queue", "messageGroup"]),
            ));
            list.push((
                "FifoThroughputLimit",
                either(limit, ["perQueue", "perMessageGroupId"]),
            ));
        }
        list
    }

    /// The first of the names whose value here is another than there.
    pub(super) fn difference<'n>(
        &self,
        other: &Self,
        mut names: impl Iterator<Item = &'n String>,
    ) -> Option<&'n String> {
        let (here, there) = (self.list(), other.list());
        let value = |list: &[(&'static str, String)], name: &str| {
            let found = list.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        names.find(|name| value(&here, name) != value(&there, name))
    }
}

fn number(name: &str, value: &str, bounds: std::ops::RangeInclusive<i64>) -> Result<i64, ApiError> {
    let number = value.trim().parse().ok().filter(|n| bounds.contains(n));
    number.ok_or_else(|| invalid_attribute(name))
}

fn boolean(name: &str, value: &str) -> Result<bool, ApiError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(invalid_attribute(name)),
    }
}

/// Whether it is the second.
fn one_of(name: &str, value: &str, both: [&str; 2]) -> Result<bool, ApiError> {
    let place = both.iter().position(|known| *known == value);
    place
        .map(|place| place == 1)
        .ok_or_else(|| invalid_attribute(name))
}
