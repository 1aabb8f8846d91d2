//! A message as a function sees it: one of `Records` (developer guide, "Using Lambda with Amazon SQS").

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::sqs::{Attribute, AttributeValue, QueueHandle, Received};

/// One message, as JSON text.
pub(super) fn record(message: &Received, queue: &QueueHandle, region: &str) -> String {
    let own = message.message_attributes.iter();
    let own: Map<String, Value> = own
        .map(|(name, attribute)| (name.clone(), own_attribute(attribute)))
        .collect();
    let mut record = json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": &*message.body,
        "attributes": message.attributes,
        "messageAttributes": own,
        "md5OfBody": message.md5_of_body,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn(),
        "awsRegion": region,
    });
    if let Some(digest) = &message.md5_of_message_attributes {
        record["md5OfMessageAttributes"] = digest.as_str().into();
    }
    record.to_string()
}

fn own_attribute(attribute: &Attribute) -> Value {
    let (kind, value) = match &attribute.value {
        AttributeValue::String(text) => ("stringValue", text.clone()),
        AttributeValue::Binary(bytes) => ("binaryValue", STANDARD.encode(bytes)),
    };
    json!({
        kind: value,
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": attribute.data_type,
    })
}
