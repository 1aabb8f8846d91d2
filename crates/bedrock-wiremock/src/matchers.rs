//! Matchers for requests to Bedrock's runtime.

use serde_json::Value;
use wiremock::{Match, Request};

/// The last segment of the path of each operation on a model (service model).
const OPERATIONS: [(&str, &str); 5] = [
    ("Converse", "converse"),
    ("ConverseStream", "converse-stream"),
    ("InvokeModel", "invoke"),
    (
        "InvokeModelWithResponseStream",
        "invoke-with-response-stream",
    ),
    ("CountTokens", "count-tokens"),
];

/// Matches requests for one operation: `Converse`, `ConverseStream`, `InvokeModel`,
/// `InvokeModelWithResponseStream` or `CountTokens`.
///
/// # Panics
///
/// At once, if there is no such operation: a misspelt name would otherwise just never match.
pub fn operation(name: &str) -> OperationMatcher {
    let known = OPERATIONS.iter().find(|(known, _)| *known == name);
    let Some((_, verb)) = known else {
        let names: Vec<&str> = OPERATIONS.iter().map(|(known, _)| *known).collect();
        panic!(
            "{name} is no operation on a model; there are {}",
            names.join(", ")
        );
    };
    OperationMatcher { verb }
}

/// See [`operation`].
#[derive(Debug, Clone)]
pub struct OperationMatcher {
    verb: &'static str,
}

impl Match for OperationMatcher {
    fn matches(&self, request: &Request) -> bool {
        request.method == "POST" && route(request).is_some_and(|(_, verb)| verb == self.verb)
    }
}

/// Matches requests for this model: a model id, an inference profile or an ARN, as your code
/// writes it. On the wire it is percent-encoded, so wiremock's own `path` matcher rarely fits.
pub fn model(id: impl Into<String>) -> ModelMatcher {
    ModelMatcher { id: id.into() }
}

/// See [`model`].
#[derive(Debug, Clone)]
pub struct ModelMatcher {
    id: String,
}

impl Match for ModelMatcher {
    fn matches(&self, request: &Request) -> bool {
        route(request).is_some_and(|(id, _)| percent_decoded(id) == self.id.as_bytes())
    }
}

/// Matches requests whose JSON body holds `value` at a JSON pointer
/// (`/inferenceConfig/maxTokens`).
pub fn body_at(pointer: impl Into<String>, value: impl Into<Value>) -> BodyAtMatcher {
    BodyAtMatcher {
        pointer: pointer.into(),
        value: value.into(),
    }
}

/// See [`body_at`].
#[derive(Debug, Clone)]
pub struct BodyAtMatcher {
    pointer: String,
    value: Value,
}

impl Match for BodyAtMatcher {
    fn matches(&self, request: &Request) -> bool {
        let body: Option<Value> = serde_json::from_slice(&request.body).ok();
        body.as_ref().and_then(|body| body.pointer(&self.pointer)) == Some(&self.value)
    }
}

/// The model (still encoded) and the last segment of `/model/{modelId}/…`.
fn route(request: &Request) -> Option<(&str, &str)> {
    let rest = request.url.path().strip_prefix("/model/")?;
    let (model, verb) = rest.split_once('/')?;
    (!verb.contains('/')).then_some((model, verb))
}

/// Decodes `%3A` and the like; a `%` without two hexadecimal digits stands for itself.
fn percent_decoded(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%').and_then(hex);
        decoded.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    decoded
}

fn hex(digits: &[u8]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let number = value(digits[0])? * 16 + value(digits[1])?;
    u8::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::percent_decoded;

    #[test]
    fn escapes_are_decoded_and_stray_percent_signs_kept() {
        for (text, decoded) in [
            ("a-v1%3A0", "a-v1:0"),
            ("a-v1:0", "a-v1:0"),
            ("arn%3Aaws%2fx", "arn:aws/x"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%25%33", "%3"),
        ] {
            assert_eq!(percent_decoded(text), decoded.as_bytes(), "{text}");
        }
    }

    #[test]
    #[should_panic(expected = "converse is no operation on a model; there are Converse, ")]
    fn a_misspelt_operation_is_told_at_once() {
        super::operation("converse");
    }
}
