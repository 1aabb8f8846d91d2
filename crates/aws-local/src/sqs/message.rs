//! One message: what a producer sent, checked, and the digests that SDKs verify.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bedrock_emulator::error::ApiError;
use md5::{Digest as _, Md5};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::error::{INVALID_MESSAGE_CONTENTS, invalid, required, value_is_invalid, within};
use super::{attributes::DELAY_MAX, queue::Queue};

/// What `SendMessage` and an entry of `SendMessageBatch` say.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Outgoing {
    pub(super) message_body: Option<String>,
    delay_seconds: Option<i64>,
    pub(super) message_attributes: Option<BTreeMap<String, MessageAttribute>>,
    message_system_attributes: Option<BTreeMap<String, MessageAttribute>>,
    pub(super) message_deduplication_id: Option<String>,
    pub(super) message_group_id: Option<String>,
}

/// A message attribute as it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct MessageAttribute {
    data_type: Option<String>,
    string_value: Option<String>,
    binary_value: Option<String>,
}

/// A message attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// `String`, `Number`, `Binary`, with an own label perhaps: `Number.float`.
    pub data_type: String,
    /// What it holds.
    pub value: AttributeValue,
}

/// What a message attribute holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// Text, of numbers too.
    String(String),
    /// Bytes.
    Binary(Vec<u8>),
}

/// A message that was accepted.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: Arc<str>,
    pub(super) attributes: Arc<BTreeMap<String, Attribute>>,
    trace_header: Option<String>,
    pub(super) sender: Arc<str>,
    pub(super) sent: OffsetDateTime,
    pub(super) first_received: Option<OffsetDateTime>,
    pub(super) last_received: Option<OffsetDateTime>,
    /// In all queues together.
    pub(super) receives: u32,
    pub(super) group: Option<Arc<str>>,
    pub(super) deduplication: Option<String>,
    pub(super) sequence: Option<String>,
    /// The ARN of the queue that gave it up.
    pub(super) given_up_by: Option<String>,
}

/// A message to be accepted, checked but for the rules of first in, first out.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) message: Message,
    /// In seconds.
    pub(super) delay: i64,
    pub(super) system_digest: Option<String>,
}

impl Outgoing {
    /// Body and attributes in bytes, as both limits count them.
    pub(super) fn bytes(&self) -> usize {
        let body = self.message_body.as_ref().map_or(0, String::len);
        let attributes = self.message_attributes.iter().flatten();
        body + attributes
            .map(|(name, value)| name.len() + value.bytes())
            .sum::<usize>()
    }

    /// Whether the queue takes it.
    pub(super) fn check(
        self,
        queue: &Queue,
        id: String,
        sender: Arc<str>,
        now: OffsetDateTime,
    ) -> Result<Checked, ApiError> {
        let bytes = self.bytes();
        let delay = self.delay(queue);
        let body = required(self.message_body, "MessageBody")?;
        if bytes > queue.attributes.message_bytes_max {
            return Err(invalid(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {} bytes.",
                queue.attributes.message_bytes_max
            )));
        }
        check_text(&body)?;
        check_id(self.message_group_id.as_deref(), "MessageGroupId")?;
        check_id(
            self.message_deduplication_id.as_deref(),
            "MessageDeduplicationId",
        )?;
        if let Some(id) = &self.message_deduplication_id
            && !queue.attributes.fifo
        {
            return Err(value_is_invalid(id, "MessageDeduplicationId", FIFO_ONLY));
        }
        let delay = delay?;
        let attributes = checked_attributes(self.message_attributes.unwrap_or_default(), "user")?;
        if attributes.len() > 10 {
            return Err(invalid(format!(
                "Number of message attributes [{}] exceeds the allowed maximum [10].",
                attributes.len()
            )));
        }
        let system = self.message_system_attributes.unwrap_or_default();
        let system = checked_attributes(system, "system")?;
        let trace_header = match system.get("AWSTraceHeader") {
            Some(Attribute {
                value: AttributeValue::String(text),
                ..
            }) => Some(text.clone()),
            _ => None,
        };
        if trace_header.is_none() && !system.is_empty() {
            return Err(invalid(
                "Message (system) attributes: only AWSTraceHeader is supported, with data type String.",
            ));
        }
        Ok(Checked {
            system_digest: (!system.is_empty()).then(|| attributes_digest(system.iter())),
            delay,
            message: Message {
                id,
                body: body.into(),
                attributes: Arc::new(attributes),
                trace_header,
                sender,
                sent: now,
                first_received: None,
                last_received: None,
                receives: 0,
                group: self.message_group_id.map(Into::into),
                deduplication: self.message_deduplication_id,
                sequence: None,
                given_up_by: None,
            },
        })
    }

    /// A queue that is first in, first out has one delay for all; 0 is taken to mean it (observed).
    fn delay(&self, queue: &Queue) -> Result<i64, ApiError> {
        let default = queue.attributes.delay;
        match self.delay_seconds {
            None => Ok(default),
            Some(0) if queue.attributes.fifo => Ok(default),
            Some(seconds) if queue.attributes.fifo => Err(value_is_invalid(
                seconds,
                "DelaySeconds",
                "The request include parameter that is not valid for this queue type.",
            )),
            Some(seconds) => within(seconds, "DelaySeconds", 0..=DELAY_MAX),
        }
    }
}

const FIFO_ONLY: &str = "The request includes a parameter that is not valid for this queue type.";

/// The characters of XML 1.0, which is what the service model allows.
fn check_text(text: &str) -> Result<(), ApiError> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if text.chars().all(allowed) {
        return Ok(());
    }
    // The service model's list of what may stand there.
    Err(INVALID_MESSAGE_CONTENTS.error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | \
         #xE000 to #xFFFD | #x10000 to #x10FFFF",
    ))
}

fn check_id(id: Option<&str>, parameter: &str) -> Result<(), ApiError> {
    let Some(id) = id else { return Ok(()) };
    let printable = id.bytes().all(|byte| byte.is_ascii_graphic());
    if printable && (1..=128).contains(&id.len()) {
        return Ok(());
    }
    let reason = format!(
        "{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."
    );
    Err(value_is_invalid(id, parameter, &reason))
}

fn checked_attributes(
    sent: BTreeMap<String, MessageAttribute>,
    kind: &str,
) -> Result<BTreeMap<String, Attribute>, ApiError> {
    let checked = sent.into_iter().map(|(name, attribute)| {
        check_attribute_name(&name)?;
        let attribute = attribute.checked(&name, kind)?;
        Ok((name, attribute))
    });
    checked.collect()
}

fn check_attribute_name(name: &str) -> Result<(), ApiError> {
    if name.is_empty() || name.len() > 256 {
        return Err(invalid(
            "Message (user) attribute names must be shorter than 256 Bytes",
        ));
    }
    let letters = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.chars().all(letters) {
        return Err(invalid(
            "Message (user) attributes name can only contain upper and lower score characters, digits, \
             periods, hyphens and underscores. ",
        ));
    }
    let lower = name.to_ascii_lowercase();
    let reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    if reserved || name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Err(invalid(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings \
             are reserved for internal use. Additionally, they cannot start or end with '.'.",
        ));
    }
    Ok(())
}

impl MessageAttribute {
    fn bytes(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        // Four signs of base64 are three bytes.
        let binary = length(&self.binary_value) / 4 * 3;
        length(&self.data_type) + length(&self.string_value) + binary
    }

    fn checked(self, name: &str, kind: &str) -> Result<Attribute, ApiError> {
        let data_type = self.data_type.filter(|text| !text.is_empty());
        let data_type = data_type.ok_or_else(|| {
            invalid(format!(
                "The message attribute '{name}' must contain non-empty message attribute type."
            ))
        })?;
        if data_type.len() > 256 {
            return Err(invalid(
                "Message (user) attribute types must be shorter than 256 Bytes",
            ));
        }
        let base = data_type.split('.').next().unwrap_or_default();
        let empty = || {
            invalid(format!(
                "Message ({kind}) attribute '{name}' must contain a non-empty value of type '{base}'."
            ))
        };
        let value = match base {
            "String" | "Number" => {
                let text = self.string_value.filter(|text| !text.is_empty());
                let text = text.ok_or_else(empty)?;
                // AWS calls it a parameter here, not the message's contents (observed).
                check_text(&text).map_err(|error| invalid(error.message()))?;
                if base == "Number" && text.parse::<f64>().is_err() {
                    return Err(invalid(format!(
                        "Can't cast the value of message ({kind}) attribute '{name}' to a number."
                    )));
                }
                AttributeValue::String(text)
            }
            "Binary" => {
                let text = self.binary_value.filter(|text| !text.is_empty());
                let bytes = STANDARD.decode(text.ok_or_else(empty)?);
                AttributeValue::Binary(bytes.map_err(|_| empty())?)
            }
            _ => {
                return Err(invalid(format!(
                    "The type of message ({kind}) attribute '{name}' is invalid. You must use only the \
                     following supported type prefixes: Binary, Number, String."
                )));
            }
        };
        Ok(Attribute { data_type, value })
    }
}

impl Attribute {
    /// As `ReceiveMessage` writes it.
    fn json(&self) -> Value {
        match &self.value {
            AttributeValue::String(text) => {
                json!({ "DataType": self.data_type, "StringValue": text })
            }
            AttributeValue::Binary(bytes) => {
                json!({ "DataType": self.data_type, "BinaryValue": STANDARD.encode(bytes) })
            }
        }
    }
}

impl Message {
    /// What SQS knows about it, by name, in AWS's order of names.
    pub(super) fn system_attributes(&self) -> BTreeMap<&'static str, String> {
        let millis =
            |moment: OffsetDateTime| (moment.unix_timestamp_nanos() / 1_000_000).to_string();
        let rows = [
            ("SenderId", Some(self.sender.to_string())),
            ("SentTimestamp", Some(millis(self.sent))),
            ("ApproximateReceiveCount", Some(self.receives.to_string())),
            (
                "ApproximateFirstReceiveTimestamp",
                self.first_received.map(millis),
            ),
            ("MessageGroupId", self.group.as_deref().map(str::to_owned)),
            ("MessageDeduplicationId", self.deduplication.clone()),
            ("SequenceNumber", self.sequence.clone()),
            ("AWSTraceHeader", self.trace_header.clone()),
            ("DeadLetterQueueSourceArn", self.given_up_by.clone()),
        ];
        let known = rows
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        known.collect()
    }
}

/// Attributes as `ReceiveMessage` writes them, and their digest; none: nothing is written.
pub(super) fn attributes_json<'a>(
    chosen: impl Iterator<Item = (&'a String, &'a Attribute)> + Clone,
) -> Option<(Value, String)> {
    let written: Map<String, Value> = chosen
        .clone()
        .map(|(name, attribute)| (name.clone(), attribute.json()))
        .collect();
    (!written.is_empty()).then(|| (Value::Object(written), attributes_digest(chosen)))
}

/// MD5 in lower-case hex.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(Md5::digest(bytes).as_slice())
}

/// MD5 over attributes in the order of their names: each length in four bytes before its text, and
/// between type and value 1 for text or 2 for bytes (Developer Guide).
pub(super) fn attributes_digest<'a>(
    attributes: impl Iterator<Item = (&'a String, &'a Attribute)>,
) -> String {
    let mut md5 = Md5::new();
    let mut part = |bytes: &[u8], before: Option<u8>| {
        if let Some(byte) = before {
            md5.update([byte]);
        }
        md5.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        md5.update(bytes);
    };
    for (name, attribute) in attributes {
        part(name.as_bytes(), None);
        part(attribute.data_type.as_bytes(), None);
        match &attribute.value {
            AttributeValue::String(text) => part(text.as_bytes(), Some(1)),
            AttributeValue::Binary(bytes) => part(bytes, Some(2)),
        }
    }
    hex(md5.finalize().as_slice())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(rows: &[(&str, &str)]) -> BTreeMap<String, Attribute> {
        let attribute = |value: &str| Attribute {
            data_type: "String".to_owned(),
            value: AttributeValue::String(value.to_owned()),
        };
        rows.iter()
            .map(|(name, value)| ((*name).to_owned(), attribute(value)))
            .collect()
    }

    /// Observed on AWS.
    #[test]
    fn digests_are_those_of_aws() {
        assert_eq!(digest(b"msg"), "6e2baaf3b97dbeef01c0043275f9a0e7");
        let rows: [(&[(&str, &str)], &str); 3] = [
            (&[("Hello", "There")], "a311262e065454b75da111d535b8dacd"),
            (&[("Foo", "Bar")], "ae7155c6026991b6d54b11589678bf9c"),
            (
                &[("General", "Kenobi"), ("Hello", "There"), ("Help.Me", "Me")],
                "4c360f3fdafd970e05fae2f149d997f5",
            ),
        ];
        for (attributes, expected) in rows {
            assert_eq!(attributes_digest(strings(attributes).iter()), expected);
        }
        let traceparent = b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01";
        let binary = Attribute {
            data_type: "Binary".to_owned(),
            value: AttributeValue::Binary(traceparent.to_vec()),
        };
        assert_eq!(
            attributes_digest([(&"attr1".to_owned(), &binary)].into_iter()),
            "8cbe4db156db8a94db8b801b7addb984"
        );
    }

    #[test]
    fn characters_outside_xml_are_refused() {
        for text in ["plain", "tab\t", "emoji 😀", "\u{e000}"] {
            assert!(check_text(text).is_ok(), "{text:?}");
        }
        for text in ["\u{1}", "\u{0}", "\u{fffe}", "\u{ffff}"] {
            assert!(check_text(text).is_err(), "{text:?}");
        }
    }
}
