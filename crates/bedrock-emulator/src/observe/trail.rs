//! What CloudTrail would hold: one management event for each authenticated request, without prompt,
//! answer or token counts.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::{journal::Record, rng::Rng, service::Service};

/// One event of the trail.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trailed {
    /// `eventID`.
    pub(crate) id: String,
    /// Arrival, seconds since the Unix epoch.
    pub(crate) at: i64,
    /// Who called, for people: a user's name, or a session's.
    pub(crate) user: String,
    /// The event itself.
    pub(crate) event: Value,
}

/// The event about that request; none for what CloudTrail does not see: requests whose route names no
/// operation, and the emulator's own control API.
pub(crate) fn trail_event(record: &Record) -> Option<Trailed> {
    let operation = record.operation?;
    let service = record
        .service
        .filter(|service| *service != Service::Workshop)?;
    let request = &record.request;
    let mut rng = Rng::new(record.seq, &[0x7472_6169]);
    let id = rng.uuid();
    let host = request.header("host").unwrap_or_default();
    let parameters = record
        .model
        .as_ref()
        .map(|model| json!({ "modelId": model }));
    let mut event = json!({
        "eventVersion": "1.09",
        "userIdentity": user_identity(record),
        "eventTime": record.arrived_at().replace_nanosecond(0).ok()?.format(&Rfc3339).ok()?,
        "eventSource": format!("{}.amazonaws.com", service.signing_name()?),
        "eventName": operation,
        "awsRegion": record.region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": request.header("user-agent"),
        "requestParameters": parameters,
        "responseElements": null,
        "requestID": record.request_id,
        "eventID": id,
        "readOnly": reads(operation),
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": &*record.account,
        "eventCategory": "Management",
        "tlsDetails": { "clientProvidedHostHeader": host },
    });
    if let Some(code) = record.error {
        event["errorCode"] = code.name().into();
        event["errorMessage"] = record.message.clone().into();
    }
    if record.door.as_ref().is_some_and(|door| door.profile) {
        event["additionalEventData"] = json!({ "inferenceRegion": record.region });
    }
    Some(Trailed {
        id,
        at: record.t.div_euclid(1_000),
        user: user_name(record),
        event,
    })
}

/// Invocations change nothing: CloudTrail calls them read-only (as in real events).
fn reads(operation: &str) -> bool {
    const READING: [&str; 10] = [
        "Get",
        "List",
        "Describe",
        "Converse",
        "InvokeModel",
        "CountTokens",
        "ApplyGuardrail",
        "Filter",
        "Lookup",
        "Assume",
    ];
    READING.iter().any(|start| operation.starts_with(start))
}

/// The last part of the caller's ARN.
fn user_name(record: &Record) -> String {
    let arn = record
        .principal
        .as_ref()
        .map_or("", |principal| &principal.arn);
    arn.rsplit(['/', ':']).next().unwrap_or_default().to_owned()
}

fn user_identity(record: &Record) -> Value {
    let caller = crate::auth::caller(&record.request);
    let Some(principal) = &record.principal else {
        return json!({ "type": "Unknown", "accessKeyId": caller.access_key_id });
    };
    let resource = principal.arn.splitn(6, ':').nth(5).unwrap_or_default();
    let mut identity = json!({
        "type": match resource.split('/').next() {
            Some("assumed-role") => "AssumedRole",
            Some("root") => "Root",
            _ => "IAMUser",
        },
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": caller.access_key_id,
    });
    if identity["type"] == "IAMUser" {
        identity["userName"] = user_name(record).into();
    }
    if principal.bearer.is_some() {
        identity["credentialType"] = "BEARER_TOKEN".into();
    }
    identity
}
