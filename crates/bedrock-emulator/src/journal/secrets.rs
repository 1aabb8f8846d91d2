//! What never reaches the journal's reader: whatever would let somebody else be the caller, and the
//! values that Secrets Manager keeps and the tokens of identity providers.

use std::borrow::Cow;

use serde_json::Value;

use super::Record;
use crate::service::Service;

/// The members that the service models of Secrets Manager and STS call sensitive.
const SENSITIVE: [&str; 5] = [
    "SecretString",
    "SecretBinary",
    "RandomPassword",
    "RotationToken",
    "WebIdentityToken",
];

impl Record {
    /// Whether its bodies may hold values of Secrets Manager, or a token that opens a role.
    fn is_sensitive(&self) -> bool {
        match self.service {
            Some(Service::Neighbour(about)) => about.signing_name == Some("secretsmanager"),
            Some(Service::Sts) => self.operation == Some("AssumeRoleWithWebIdentity"),
            _ => false,
        }
    }

    /// A body of it as JSON, as it is shown.
    pub(super) fn shown(&self, body: Option<Value>) -> Option<Value> {
        let mut body = body?;
        if self.is_sensitive() {
            conceal(&mut body);
        }
        Some(body)
    }

    /// The bytes of a body of it, as they are shown.
    pub(super) fn shown_bytes<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        if !self.is_sensitive() || bytes.is_empty() {
            return Cow::Borrowed(bytes);
        }
        // What is not JSON was refused, and may still hold a value.
        let body = serde_json::from_slice(bytes).ok();
        let shown = self.shown(body).map(|body| body.to_string());
        Cow::Owned(shown.unwrap_or_else(|| "…".to_owned()).into_bytes())
    }
}

fn conceal(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if SENSITIVE.contains(&name.as_str()) {
                    *value = "…".into();
                } else {
                    conceal(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(conceal),
        _ => {}
    }
}

/// A header as it is shown: what proves an identity is replaced by `…`.
pub fn redacted((name, value): (&str, &str)) -> (String, String) {
    let value = match name {
        "authorization" => {
            let scheme = || value.split_whitespace().next().unwrap_or_default();
            match value.split_once("Signature=") {
                Some((scope, _)) => format!("{scope}Signature=…"),
                None => format!("{} …", scheme()),
            }
        }
        "x-amz-security-token" | "x-api-key" | "proxy-authorization" | "cookie" => "…".to_owned(),
        _ => value.to_owned(),
    };
    (name.to_owned(), value)
}

/// Path and query as they are shown: a presigned query carries signature and session token.
pub(crate) fn redacted_target(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let secret = |name: &str| {
        ["x-amz-signature", "x-amz-security-token"]
            .iter()
            .any(|secret| name.eq_ignore_ascii_case(secret))
    };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if secret(name) => format!("{name}=…"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_proves_an_identity_is_shown() {
        let rows = [
            ("authorization", "Bearer ABSKsecret", "Bearer …"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=A/d/r/s/aws4_request, Signature=abc",
                "AWS4-HMAC-SHA256 Credential=A/d/r/s/aws4_request, Signature=…",
            ),
            ("x-api-key", "secret", "…"),
            ("x-amz-security-token", "secret", "…"),
            ("accept", "*/*", "*/*"),
        ];
        for (name, value, shown) in rows {
            assert_eq!(redacted((name, value)).1, shown);
        }
        let rows = [
            ("/a?b=c", "/a?b=c"),
            ("/a", "/a"),
            (
                "/?X-Amz-Date=1&X-Amz-Signature=ab&x-amz-security-token=cd",
                "/?X-Amz-Date=1&X-Amz-Signature=…&x-amz-security-token=…",
            ),
        ];
        for (target, shown) in rows {
            assert_eq!(redacted_target(target), shown);
        }
    }
}
