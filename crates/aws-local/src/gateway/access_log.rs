//! The access log: one line per request, in the stage's own format.

use std::fmt::Write as _;

use super::{diagnostic::Findings, exchange::Exchange};

/// A format, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Without `$context.`.
    Variable(String),
}

/// What can have a value here.
const VARIABLES: &[&str] = &[
    "accountId",
    "apiId",
    "awsEndpointRequestId",
    "deploymentId",
    "domainName",
    "domainPrefix",
    "error.message",
    "error.messageString",
    "error.responseType",
    "extendedRequestId",
    "httpMethod",
    "identity.apiKey",
    "identity.apiKeyId",
    "identity.sourceIp",
    "identity.userAgent",
    "identity.userArn",
    "integration.error",
    "integration.latency",
    "integration.status",
    "integrationErrorMessage",
    "integrationLatency",
    "integrationStatus",
    "path",
    "protocol",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "resourceId",
    "resourcePath",
    "responseLatency",
    "responseLength",
    "routeKey",
    "stage",
    "status",
];

/// What AWS knows and nothing here can fill: a dash, as on AWS.
const NEVER: &[&str] = &[
    "authorize.",
    "authorizer.",
    "authenticate.",
    "customDomain.",
    "waf.",
    "wafResponseCode",
    "webaclArn",
    "xrayTraceId",
    "error.validationErrorString",
    "identity.",
    "integration.",
    "integrationLatency",
];

impl Format {
    /// Reads a format.
    pub(super) fn read(text: &str, findings: &mut Findings) -> Option<Self> {
        const POINTER: &str = "/stage/accessLogSettings/format";
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("$context.") {
            parts.push(Part::Text(before.to_owned()));
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && !".-_".contains(c));
            let name = after[..end.unwrap_or(after.len())].trim_end_matches(['.', '-', '_']);
            rest = &after[name.len()..];
            let known = VARIABLES.contains(&name) || NEVER.iter().any(|n| name.starts_with(n));
            if !known {
                let problem = format!("there is no variable $context.{name}");
                findings.add(POINTER, problem, "correct its spelling");
                return None;
            }
            parts.push(Part::Variable(name.to_owned()));
        }
        parts.push(Part::Text(rest.to_owned()));
        let names = |wanted: &str| {
            parts
                .iter()
                .any(|p| matches!(p, Part::Variable(n) if n == wanted))
        };
        if !names("requestId") && !names("extendedRequestId") {
            // AWS asks for it as well.
            findings.add(
                POINTER,
                "the format names no request",
                "put $context.requestId into it",
            );
            return None;
        }
        if text.contains(['\n', '\r']) {
            findings.add(
                POINTER,
                "the format has several lines",
                "write it on one line",
            );
            return None;
        }
        Some(Self(parts))
    }

    /// The line of a request that has been answered.
    pub(super) fn line(&self, exchange: &Exchange) -> String {
        let mut line = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => line.push_str(text),
                Part::Variable(name) => match exchange.variable(name) {
                    // The quotes are in the value itself.
                    Some(value) if name == "error.messageString" => line.push_str(&value),
                    Some(value) => escape(&value, &mut line),
                    None => line.push('-'),
                },
            }
        }
        line
    }
}

/// So that a client's header cannot end a JSON string of the format, or the line.
fn escape(value: &str, line: &mut String) {
    for c in value.chars() {
        match c {
            '"' | '\\' => {
                line.push('\\');
                line.push(c);
            }
            c if c.is_control() => _ = write!(line, "\\u{:04x}", u32::from(c)),
            c => line.push(c),
        }
    }
}
