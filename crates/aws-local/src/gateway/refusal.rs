//! The answers that API Gateway gives in a function's place: one table, two kinds of API.

use std::borrow::Cow;

use bedrock_emulator::{
    error::ApiError,
    neighbour::{Answer, Lit, OwnCode},
    wire::Header,
};
use serde_json::Value;

/// Why a request is refused or its function's answer is not passed on. The names are those of API
/// Gateway's gateway responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    MissingAuthenticationToken,
    /// No such stage, in AWS's words for it.
    AccessDenied,
    InvalidApiKey,
    Throttled,
    QuotaExceeded,
    BadRequestParameters,
    BadRequestBody,
    RequestTooLarge,
    /// Lambda did not take the event.
    IntegrationRejected,
    /// The function failed, or answered in another form than agreed.
    IntegrationFailure,
    /// As many run as may.
    IntegrationThrottled,
    IntegrationTimeout,
}

/// A refusal on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    /// What the client reads, where it is not the kind's usual text.
    text: Option<String>,
    /// What the journal tells beside it.
    why: Option<String>,
}

/// How a kind looks on the wire.
struct Row {
    code: &'static OwnCode,
    text: &'static str,
    /// What comes from behind the front door has a space after the colon (seen by its length of 36
    /// bytes, and pasted); what the door says itself has none.
    spaced: bool,
    response_type: &'static str,
}

macro_rules! own {
    ($name:ident = $code:literal, $status:literal) => {
        static $name: OwnCode = OwnCode::new($code, $status);
    };
}

own!(MISSING_TOKEN = "MissingAuthenticationTokenException", 403);
own!(FORBIDDEN = "ForbiddenException", 403);
own!(NOT_FOUND = "NotFoundException", 404);
own!(TOO_MANY = "TooManyRequestsException", 429);
own!(LIMIT = "LimitExceededException", 429);
own!(BAD_REQUEST = "BadRequestException", 400);
own!(TOO_LARGE = "RequestTooLargeException", 413);
own!(INTERNAL = "InternalServerErrorException", 500);
own!(BAD_GATEWAY = "InternalServerErrorException", 502);
own!(UNAVAILABLE = "ServiceUnavailableException", 503);
own!(GATEWAY_TIMEOUT = "InternalServerErrorException", 504);

impl Kind {
    /// REST APIs. The statuses and types of the gateway responses are documented; texts and
    /// `x-amzn-ErrorType` as pasted from AWS, but for the two of 413, which are chosen.
    fn rest(self) -> Row {
        let (code, text, spaced, response_type) = match self {
            Self::MissingAuthenticationToken => (
                &MISSING_TOKEN,
                "Missing Authentication Token",
                false,
                "MISSING_AUTHENTICATION_TOKEN",
            ),
            Self::AccessDenied => (&FORBIDDEN, "Forbidden", false, "ACCESS_DENIED"),
            Self::InvalidApiKey => (&FORBIDDEN, "Forbidden", false, "INVALID_API_KEY"),
            Self::Throttled => (&TOO_MANY, "Too Many Requests", false, "THROTTLED"),
            Self::QuotaExceeded => (&LIMIT, "Limit Exceeded", false, "QUOTA_EXCEEDED"),
            Self::BadRequestParameters => (&BAD_REQUEST, "", true, "BAD_REQUEST_PARAMETERS"),
            Self::BadRequestBody => (
                &BAD_REQUEST,
                "Invalid request body",
                true,
                "BAD_REQUEST_BODY",
            ),
            Self::RequestTooLarge => (&TOO_LARGE, "Request Too Long", false, "REQUEST_TOO_LARGE"),
            // Lambda developer guide: 500 when the invocation is rejected, 502 when the function
            // fails or its answer has the wrong form.
            Self::IntegrationRejected | Self::IntegrationThrottled => (
                &INTERNAL,
                "Internal server error",
                true,
                "API_CONFIGURATION_ERROR",
            ),
            Self::IntegrationFailure => {
                (&BAD_GATEWAY, "Internal server error", true, "DEFAULT_5XX")
            }
            Self::IntegrationTimeout => (
                &GATEWAY_TIMEOUT,
                "Endpoint request timed out",
                true,
                "INTEGRATION_TIMEOUT",
            ),
        };
        Row {
            code,
            text,
            spaced,
            response_type,
        }
    }

    /// HTTP APIs: another product with other words.
    fn http(self) -> Row {
        let (code, text) = match self {
            Self::MissingAuthenticationToken | Self::AccessDenied => (&NOT_FOUND, "Not Found"),
            Self::InvalidApiKey => (&FORBIDDEN, "Forbidden"),
            Self::Throttled | Self::QuotaExceeded => (&TOO_MANY, "Too Many Requests"),
            Self::BadRequestParameters | Self::BadRequestBody => (&BAD_REQUEST, "Bad Request"),
            Self::RequestTooLarge => (&TOO_LARGE, "Request Entity Too Large"),
            Self::IntegrationRejected | Self::IntegrationFailure => {
                (&INTERNAL, "Internal Server Error")
            }
            Self::IntegrationThrottled | Self::IntegrationTimeout => {
                (&UNAVAILABLE, "Service Unavailable")
            }
        };
        Row {
            code,
            text,
            spaced: false,
            response_type: self.rest().response_type,
        }
    }
}

impl From<Kind> for Refusal {
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            text: None,
            why: None,
        }
    }
}

impl Refusal {
    /// With this text for the client.
    pub(super) fn saying(kind: Kind, text: String) -> Self {
        Self {
            text: Some(text),
            ..Self::from(kind)
        }
    }

    /// With a reason that only the journal and the access log tell, as AWS keeps it in its log.
    pub(super) fn because(kind: Kind, why: impl Into<String>) -> Self {
        Self {
            why: Some(why.into()),
            ..Self::from(kind)
        }
    }

    fn row(&self, rest: bool) -> Row {
        if rest {
            self.kind.rest()
        } else {
            self.kind.http()
        }
    }

    pub(super) fn status(&self, rest: bool) -> u16 {
        self.row(rest).code.status
    }

    /// What the client reads.
    pub(super) fn text(&self, rest: bool) -> &str {
        self.text.as_deref().unwrap_or(self.row(rest).text)
    }

    /// What only logs tell.
    pub(super) fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    pub(super) fn response_type(&self) -> &'static str {
        self.kind.rest().response_type
    }

    /// As it goes on the wire, with these headers before `x-amzn-ErrorType`.
    pub(super) fn error(&self, rest: bool, mut headers: Vec<Header>, lit: Vec<Lit>) -> ApiError {
        let row = self.row(rest);
        let text = Value::from(self.text(rest));
        let space = if row.spaced { " " } else { "" };
        let body = format!("{{\"message\":{space}{text}}}");
        if rest {
            headers.push((Cow::Borrowed("x-amzn-ErrorType"), row.code.name.to_owned()));
        }
        let told = match &self.why {
            Some(why) => format!("{}: {why}", self.text(rest)),
            None => self.text(rest).to_owned(),
        };
        row.code.error(told).written(Answer {
            status: row.code.status,
            content_type: Cow::Borrowed("application/json"),
            headers,
            body: body.into(),
            lit,
        })
    }
}
