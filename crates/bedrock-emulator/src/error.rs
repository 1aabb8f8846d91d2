//! Errors as Bedrock answers them: one table of codes, two dialects, one encoding.
//!
//! A protocol error is data. Bedrock itself and the front door (signatures, IAM, JSON shapes)
//! differ in the namespace of `x-amzn-ErrorType`, and the front door spells the body's only member
//! `Message` in some cases and `message` in others (recorded; see [`Dialect`]).

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{
    cloudwatch, mantle,
    neighbour::{Answer, OwnCode},
    service::Protocol,
    wire::{Header, header},
    xml::Xml,
};

/// What is said about bytes that are not base64; chosen.
pub(crate) const INVALID_BASE64: &str = "Invalid base64 value";

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    code: Code,
    dialect: Dialect,
    message: String,
    retry_after_ms: Option<u64>,
    /// What the body says beside the text.
    members: Option<Box<Map<String, Value>>>,
    /// What the headers say beside the code.
    own_headers: Vec<Header>,
    /// Its bytes, where a neighbour writes them itself.
    answer: Option<Box<Answer>>,
}

/// Who answers, and how it spells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Bedrock: `{"message":…}`.
    Bedrock,
    /// The front door about signatures and tokens: `{"message":…}`.
    Signature,
    /// The front door about permissions, missing authentication and JSON shapes: `{"Message":…}`.
    FrontDoor,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $event:literal;)*) => {
        /// What went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)*
            /// One of a neighbour's own.
            Own(&'static OwnCode),
        }

        impl Code {
            /// Every code of the emulator's own services.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As in `x-amzn-ErrorType`, before the colon.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Own(own) => own.name,
                }
            }

            /// The HTTP status (service model).
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                    Self::Own(own) => own.status,
                }
            }

            /// As in `:exception-type` of an event-stream message.
            pub const fn exception_type(self) -> &'static str {
                match self {
                    $(Self::$name => $event,)*
                    Self::Own(own) => own.name,
                }
            }
        }
    };
}

codes! {
    /// 403: no permission.
    AccessDenied = "AccessDeniedException", 403, "accessDeniedException";
    /// 400: `Authorization` is incomplete.
    IncompleteSignature = "IncompleteSignatureException", 400, "incompleteSignatureException";
    /// 403: the signature is wrong, too old or too new.
    InvalidSignature = "InvalidSignatureException", 403, "invalidSignatureException";
    /// 403: no such access key, or not with this session token.
    UnrecognizedClient = "UnrecognizedClientException", 403, "unrecognizedClientException";
    /// 403: the temporary credentials have expired.
    ExpiredToken = "ExpiredTokenException", 403, "expiredTokenException";
    /// 400: the body is not the JSON the operation takes.
    Serialization = "SerializationException", 400, "serializationException";
    /// 404: no operation has this method and path.
    UnknownOperation = "UnknownOperationException", 404, "unknownOperationException";
    /// 400: a value is refused.
    Validation = "ValidationException", 400, "validationException";
    /// 413: a body longer than any operation takes. What Bedrock's front door says here is not
    /// recorded; the status is HTTP's own.
    RequestEntityTooLarge = "RequestEntityTooLargeException", 413, "requestEntityTooLargeException";
    /// 404: no such thing, or no longer.
    ResourceNotFound = "ResourceNotFoundException", 404, "resourceNotFoundException";
    /// 400: a policy document cannot be understood (STS).
    MalformedPolicyDocument = "MalformedPolicyDocument", 400, "malformedPolicyDocument";
    /// 403: nothing says who calls (query services; Bedrock says `AccessDeniedException`).
    MissingAuthenticationToken = "MissingAuthenticationTokenException", 403, "missingAuthenticationTokenException";
    /// 400: a value is refused (CloudWatch).
    InvalidParameterValue = "InvalidParameterValueException", 400, "invalidParameterValueException";
    /// 400: values do not go together (CloudWatch).
    InvalidParameterCombination = "InvalidParameterCombinationException", 400, "invalidParameterCombinationException";
    /// 400: a member is missing (CloudWatch).
    MissingRequiredParameter = "MissingRequiredParameterException", 400, "missingRequiredParameterException";
    /// 400: no page has this token (CloudWatch).
    InvalidNextToken = "InvalidNextToken", 400, "invalidNextToken";
    /// 400: no page has this token (CloudTrail).
    InvalidNextTokenException = "InvalidNextTokenException", 400, "invalidNextTokenException";
    /// 404: no such alarm (CloudWatch).
    NotFound = "ResourceNotFound", 404, "resourceNotFound";
    /// 400: a text is not the JSON it has to be (CloudWatch).
    InvalidFormatFault = "InvalidFormatFault", 400, "invalidFormatFault";
    /// 400: no room for more of it (CloudWatch).
    LimitExceededFault = "LimitExceededFault", 400, "limitExceededFault";
    /// 400: no room for more of it.
    LimitExceeded = "LimitExceededException", 400, "limitExceededException";
    /// 400: a value is refused (CloudWatch Logs).
    InvalidParameter = "InvalidParameterException", 400, "invalidParameterException";
    /// 400: it is there already (CloudWatch Logs).
    ResourceAlreadyExists = "ResourceAlreadyExistsException", 400, "resourceAlreadyExistsException";
    /// 400: no such service or quota (Service Quotas).
    NoSuchResource = "NoSuchResourceException", 400, "noSuchResourceException";
    /// 400: a value is refused (Service Quotas).
    IllegalArgument = "IllegalArgumentException", 400, "illegalArgumentException";
    /// 400: no page has this token (Service Quotas).
    InvalidPaginationToken = "InvalidPaginationTokenException", 400, "invalidPaginationTokenException";
    /// 400: it clashes with what is there.
    Conflict = "ConflictException", 400, "conflictException";
    /// 400: over a quota that waiting does not restore.
    ServiceQuotaExceeded = "ServiceQuotaExceededException", 400, "serviceQuotaExceededException";
    /// 429: too fast.
    Throttling = "ThrottlingException", 429, "throttlingException";
    /// 429: the model is being loaded; SDKs retry it.
    ModelNotReady = "ModelNotReadyException", 429, "modelNotReadyException";
    /// 408: the model took too long.
    ModelTimeout = "ModelTimeoutException", 408, "modelTimeoutException";
    /// 424: the model failed.
    ModelError = "ModelErrorException", 424, "modelErrorException";
    /// 424: the model failed while streaming.
    ModelStreamError = "ModelStreamErrorException", 424, "modelStreamErrorException";
    /// 500: Bedrock failed.
    InternalServer = "InternalServerException", 500, "internalServerException";
    /// 503: no capacity.
    ServiceUnavailable = "ServiceUnavailableException", 503, "serviceUnavailableException";
}

impl ApiError {
    /// An error that Bedrock itself answers.
    pub fn bedrock(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Dialect::Bedrock, message)
    }

    /// 400 `ValidationException` by Bedrock.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::bedrock(Code::Validation, message)
    }

    /// An error about a signature or token, by the front door.
    pub fn signature(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Dialect::Signature, message)
    }

    /// An error about permissions or the JSON's shape, by the front door.
    pub fn front_door(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Dialect::FrontDoor, message)
    }

    /// 400 `SerializationException`: the body is not the JSON that an operation takes. The front
    /// door names no place. The text about maps is seen on Bedrock, the others belong to its family
    /// or are chosen; which text belongs to broken JSON is not verified.
    pub fn serialization(error: &serde_json::Error) -> Self {
        let detail = error.to_string();
        let message = if error.is_syntax() || error.is_eof() {
            "Unable to parse the request body as JSON"
        } else if detail.contains("invalid type: map") {
            "Start of structure or map found where not expected"
        } else if detail.contains("invalid type: sequence") {
            "Start of list found where not expected"
        } else if detail.contains("expected a sequence") {
            "Expected list or null"
        } else if detail.contains(INVALID_BASE64) {
            INVALID_BASE64
        } else {
            "Unexpected field type"
        };
        Self::front_door(Code::Serialization, message)
    }

    fn new(code: Code, dialect: Dialect, message: impl Into<String>) -> Self {
        Self {
            code,
            dialect,
            message: message.into(),
            retry_after_ms: None,
            members: None,
            own_headers: Vec::new(),
            answer: None,
        }
    }

    /// An error with a neighbour's own code.
    pub fn own(code: &'static OwnCode, message: impl Into<String>) -> Self {
        Self::new(Code::Own(code), Dialect::Bedrock, message)
    }

    /// The same, with one more member in its body, such as `CancellationReasons`.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        let members = self.members.get_or_insert_default();
        members.insert(name.to_owned(), value);
        self
    }

    /// The same, with one more header, such as `Retry-After`.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.own_headers.push(header(name, value));
        self
    }

    /// The same, written as this answer, whatever the protocol says: a front that puts other people's
    /// services on the wire has bodies of its own. The code and the text are the journal's.
    #[must_use]
    pub fn written(mut self, answer: Answer) -> Self {
        self.answer = Some(Box::new(answer));
        self
    }

    /// See [`ApiError::written`].
    pub(crate) fn answer(&self) -> Option<&Answer> {
        self.answer.as_deref()
    }

    /// The same, asking the client to wait (`x-amz-retry-after`, in milliseconds).
    #[must_use]
    pub fn retry_after(mut self, ms: Option<u64>) -> Self {
        self.retry_after_ms = ms;
        self
    }

    /// The same with another text.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// What `x-amz-retry-after` says.
    pub(crate) fn retry_after_ms(&self) -> Option<u64> {
        self.retry_after_ms
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The HTTP status: `awsJson1_1` knows 400 and the 500s only; query services answer every
    /// mistake of the caller but a denial with 400. A neighbour knows its own.
    pub(crate) const fn status(&self, protocol: Protocol) -> u16 {
        if let Code::Own(own) = self.code {
            return own.status;
        }
        match (protocol, self.code.status()) {
            (
                Protocol::AwsJson11
                | Protocol::AwsJson10
                | Protocol::AwsJson10Query
                | Protocol::Cbor,
                ..500,
            )
            | (Protocol::Query { .. }, 404..500) => 400,
            (Protocol::Anthropic, _) => mantle::status(self.code),
            (_, status) => status,
        }
    }

    /// The text.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The headers after `x-amzn-RequestId`.
    pub(crate) fn headers(&self, protocol: Protocol) -> Vec<Header> {
        let mut headers = Vec::new();
        if protocol == Protocol::RestJson {
            let namespace = match self.dialect {
                Dialect::Bedrock => "com.amazon.bedrock",
                Dialect::Signature | Dialect::FrontDoor => "com.amazon.coral.service",
            };
            let error_type = match self.code {
                Code::Own(own) => own.wire.to_owned(),
                code => format!(
                    "{}:http://internal.amazon.com/coral/{namespace}/",
                    code.name()
                ),
            };
            headers.push(header("x-amzn-ErrorType", error_type));
        }
        if matches!(protocol, Protocol::AwsJson10Query | Protocol::Cbor) {
            let error = format!("{};{}", self.code.query_name(), self.at_fault());
            headers.push(header("x-amzn-query-error", error));
        }
        headers.extend(protocol.header());
        if let Some(ms) = self.retry_after_ms {
            headers.push(header("x-amz-retry-after", ms.to_string()));
        }
        headers.extend(self.own_headers.iter().cloned());
        headers
    }

    /// The body's media type.
    pub(crate) const fn content_type(protocol: Protocol) -> &'static str {
        match protocol {
            Protocol::RestJson | Protocol::Anthropic | Protocol::Workshop => "application/json",
            Protocol::AwsJson11 => "application/x-amz-json-1.1",
            Protocol::AwsJson10 | Protocol::AwsJson10Query => "application/x-amz-json-1.0",
            Protocol::Cbor => "application/cbor",
            Protocol::Query { .. } => "text/xml",
        }
    }

    /// The body, as it goes out.
    pub(crate) fn bytes(&self, protocol: Protocol, request_id: &str) -> Bytes {
        match protocol {
            Protocol::Cbor => cloudwatch::cbor_error(self.code.name(), &self.message).into(),
            _ => self.body(protocol, request_id).into(),
        }
    }

    /// The body, where it is text.
    pub(crate) fn body(&self, protocol: Protocol, request_id: &str) -> String {
        match protocol {
            Protocol::Query { namespace } => self.xml(namespace, request_id),
            Protocol::RestJson => self.json(None),
            Protocol::AwsJson11
            | Protocol::AwsJson10
            | Protocol::AwsJson10Query
            | Protocol::Cbor => self.json(Some(self.code.wire_name())),
            Protocol::Anthropic => mantle::error_body(self, request_id),
            Protocol::Workshop => {
                let error = json!({ "code": self.code.name(), "message": self.message });
                json!({ "error": error }).to_string()
            }
        }
    }
}

impl ApiError {
    /// `{"__type":…,"message":…}`, and what else belongs to it.
    fn json(&self, kind: Option<&str>) -> String {
        let mut body = "{".to_owned();
        if let Some(kind) = kind {
            let _ = write!(body, "\"__type\":\"{kind}\",");
        }
        let text = Value::from(self.message.as_str());
        let _ = write!(body, "\"{}\":{text}", self.message_key());
        for (name, value) in self.members.iter().flat_map(|members| members.iter()) {
            let _ = write!(body, ",{}:{value}", Value::from(name.as_str()));
        }
        body.push('}');
        body
    }

    const fn message_key(&self) -> &'static str {
        if let Code::Own(own) = self.code {
            return own.message_key;
        }
        match self.dialect {
            Dialect::Bedrock | Dialect::Signature => "message",
            Dialect::FrontDoor => "Message",
        }
    }
}

/// The query services' spelling (STS, CloudWatch).
impl ApiError {
    const fn at_fault(&self) -> &'static str {
        if self.code.status() < 500 {
            "Sender"
        } else {
            "Receiver"
        }
    }

    fn xml(&self, namespace: &str, request_id: &str) -> String {
        let mut xml = Xml::default();
        xml.root("ErrorResponse", namespace, |xml| {
            xml.within("Error", |xml| {
                xml.text("Type", self.at_fault());
                xml.text("Code", self.code.query_name());
                xml.text("Message", &self.message);
            });
            xml.text("RequestId", request_id);
        });
        xml.finish()
    }
}

impl Code {
    /// As in `__type`.
    const fn wire_name(self) -> &'static str {
        match self {
            Self::Own(own) => own.wire,
            code => code.name(),
        }
    }

    /// The common errors have names of their own in query services (IAM and STS API references,
    /// "Common Errors"); the rest lose `Exception`.
    fn query_name(self) -> &'static str {
        match self {
            Self::Own(own) => own.query_name,
            Self::InvalidSignature => "SignatureDoesNotMatch",
            Self::UnrecognizedClient => "InvalidClientTokenId",
            Self::UnknownOperation => "InvalidAction",
            Self::Validation | Self::Serialization => "ValidationError",
            Self::InternalServer => "InternalFailure",
            Self::MissingRequiredParameter => "MissingParameter",
            Self::InvalidFormatFault => "InvalidFormat",
            Self::LimitExceededFault => "LimitExceeded",
            other => {
                let name = other.name();
                name.strip_suffix("Exception").unwrap_or(name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths as recorded in `Content-Length`.
    #[test]
    fn bodies_have_the_recorded_lengths() {
        let rows = [
            (
                ApiError::signature(
                    Code::UnrecognizedClient,
                    "The security token included in the request is invalid.",
                ),
                68,
            ),
            (
                ApiError::bedrock(
                    Code::Throttling,
                    "Too many tokens, please wait before trying again.",
                ),
                63,
            ),
            (
                ApiError::front_door(Code::AccessDenied, "Authorization header is missing"),
                45,
            ),
            (
                ApiError::front_door(
                    Code::Serialization,
                    "Start of structure or map found where not expected",
                ),
                64,
            ),
        ];
        for (error, length) in rows {
            assert_eq!(
                error.body(Protocol::RestJson, "").len(),
                length,
                "{}",
                error.body(Protocol::RestJson, "")
            );
        }
    }

    #[test]
    fn the_namespace_tells_bedrock_from_the_front_door() {
        let bedrock = ApiError::validation("x").headers(Protocol::RestJson);
        assert_eq!(
            bedrock[0].1,
            "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/"
        );
        let door = ApiError::front_door(Code::AccessDenied, "x").headers(Protocol::RestJson);
        assert_eq!(
            door[0].1,
            "AccessDeniedException:http://internal.amazon.com/coral/com.amazon.coral.service/"
        );
    }

    #[test]
    fn json_services_name_the_code_in_the_body() {
        let error = ApiError::bedrock(Code::ResourceNotFound, "No such thing.");
        assert_eq!(
            error.body(Protocol::AwsJson11, ""),
            r#"{"__type":"ResourceNotFoundException","message":"No such thing."}"#
        );
        assert!(error.headers(Protocol::AwsJson11).is_empty());
        assert_eq!(error.status(Protocol::AwsJson11), 400);
        let failed = ApiError::bedrock(Code::InternalServer, "x");
        assert_eq!(failed.status(Protocol::AwsJson11), 500);
    }

    #[test]
    fn query_services_answer_in_xml_with_names_of_their_own() {
        let protocol = Protocol::Query {
            namespace: "https://example.test/doc/",
        };
        let error = ApiError::signature(Code::UnrecognizedClient, "a < b & c");
        assert_eq!(
            error.body(protocol, "id-1"),
            "<ErrorResponse xmlns=\"https://example.test/doc/\"><Error><Type>Sender</Type>\
             <Code>InvalidClientTokenId</Code><Message>a &lt; b &amp; c</Message></Error>\
             <RequestId>id-1</RequestId></ErrorResponse>"
        );
        assert!(error.headers(protocol).is_empty());
        let denied = ApiError::front_door(Code::AccessDenied, "no").body(protocol, "");
        assert!(denied.contains("<Code>AccessDenied</Code>"), "{denied}");
    }

    #[test]
    fn exception_types_are_the_names_in_lower_camel_case() {
        for code in Code::ALL {
            let (head, tail) = code.name().split_at(1);
            assert_eq!(code.exception_type(), head.to_lowercase() + tail);
        }
    }
}
