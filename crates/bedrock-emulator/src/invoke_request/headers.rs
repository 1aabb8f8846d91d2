//! The members of `InvokeModel` that travel as headers, with the service model's limits.

use crate::{
    converse_request::{guardrail_identifier, guardrail_version},
    error::ApiError,
    place::Place,
    violations::Violations,
    wire::Request,
};

/// Headers with a fixed set of values, and the names of their members.
const CHOICES: &[(&str, &str, &[&str])] = &[
    (
        "x-amzn-bedrock-trace",
        "trace",
        &["ENABLED", "DISABLED", "ENABLED_FULL"],
    ),
    (
        "x-amzn-bedrock-performanceconfig-latency",
        "performanceConfigLatency",
        &["standard", "optimized"],
    ),
    (
        "x-amzn-bedrock-service-tier",
        "serviceTier",
        &["priority", "default", "flex", "reserved"],
    ),
];

/// Checks them all.
pub(crate) fn check_headers(request: &Request) -> Result<(), ApiError> {
    let bedrocks = |(name, _): (&str, &str)| {
        let start = name.as_bytes().get(..14);
        start.is_some_and(|start| start.eq_ignore_ascii_case(b"x-amzn-bedrock"))
    };
    if !request.headers.iter().any(bedrocks) {
        return Ok(());
    }
    let mut found = Violations::default();
    for (header, member, values) in CHOICES {
        if let Some(value) = request.header(header) {
            found.one_of(&Place::root(member), value, values);
        }
    }
    if let Some(id) = request.header("x-amzn-bedrock-guardrailidentifier") {
        guardrail_identifier(&Place::root("guardrailIdentifier"), id, &mut found);
    }
    if let Some(version) = request.header("x-amzn-bedrock-guardrailversion") {
        guardrail_version(&Place::root("guardrailVersion"), version, &mut found);
    }
    if let Some(metadata) = request.header("x-amzn-bedrock-request-metadata") {
        found.length(&Place::root("requestMetadata"), metadata, 0, 8_500);
    }
    found.into_result()
}
