//! The services that answer on the emulator's port, beside the operations that ask a model.
//!
//! An operation that asks no model is a [`Plain`]: a row with its name, its route, its IAM action
//! and the function that answers it from what the account holds. Each service lists its rows; the
//! router and the pipeline know nothing else about it.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use time::{Date, OffsetDateTime};

use crate::{
    account::Account,
    bedrock,
    catalogue::Catalogue,
    cloudtrail, cloudwatch,
    emulator::Emulator,
    error::ApiError,
    identity::Principal,
    logs,
    neighbour::About,
    page_token::{self, List},
    policy::Inquiry,
    rng::Rng,
    runtime, service_quotas, sts,
    wire::{Header, Request, header},
    workshop,
    xml::Xml,
};

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// `bedrock-runtime`: models are asked.
    Runtime,
    /// `bedrock-mantle`: models are asked on Anthropic's own paths.
    Mantle,
    /// `bedrock`: the control plane.
    Bedrock,
    /// `servicequotas`, as far as it knows Bedrock.
    Quotas,
    /// `sts`: temporary credentials.
    Sts,
    /// `monitoring`: CloudWatch's metrics.
    Monitoring,
    /// `logs`: CloudWatch Logs.
    Logs,
    /// `cloudtrail`: who did what.
    Trail,
    /// The emulator's own control API, `/_workshop/…`. Asks for no signature.
    Workshop,
    /// A service that answers from outside this crate.
    Neighbour(&'static About),
}

/// How a service writes its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `restJson1`: the code in `x-amzn-ErrorType`.
    RestJson,
    /// `awsJson1_1`: `{"__type":…,"message":…}`, and every mistake of the caller is a 400.
    AwsJson11,
    /// `awsJson1_0`.
    AwsJson10,
    /// `awsJson1_0` of a service that used to speak `awsQuery`: the code's old name stands in
    /// `x-amzn-query-error`.
    AwsJson10Query,
    /// `rpcv2Cbor`, likewise.
    Cbor,
    /// `awsQuery`: `Action=…` in a form, answers in XML of that namespace.
    Query {
        /// Of the answers' XML.
        namespace: &'static str,
    },
    /// Anthropic's: `{"type":"error","error":{"type":…,"message":…},"request_id":…}`.
    Anthropic,
    /// Ours: `{"error":{"code":…,"message":…}}`.
    Workshop,
}

impl Protocol {
    /// What every answer in it says in its headers.
    pub(crate) fn header(self) -> Option<Header> {
        (self == Self::Cbor).then(|| header("smithy-protocol", "rpc-v2-cbor"))
    }
}

impl Service {
    /// The services whose operations are [`Plain`]s.
    pub(crate) const ALL: &[Self] = &[
        Self::Runtime,
        Self::Bedrock,
        Self::Quotas,
        Self::Sts,
        Self::Monitoring,
        Self::Logs,
        Self::Trail,
        Self::Workshop,
    ];

    /// The service's name in the credential scope; none: nobody has to sign.
    pub(crate) const fn signing_name(self) -> Option<&'static str> {
        match self {
            Self::Runtime | Self::Bedrock => Some("bedrock"),
            Self::Mantle => Some("bedrock-mantle"),
            Self::Quotas => Some("servicequotas"),
            Self::Sts => Some("sts"),
            Self::Monitoring => Some("monitoring"),
            Self::Logs => Some("logs"),
            Self::Trail => Some("cloudtrail"),
            Self::Workshop => None,
            Self::Neighbour(about) => about.signing_name,
        }
    }

    /// How it writes, to a request that came in the protocol `sent`.
    pub(crate) const fn protocol(self, sent: Protocol) -> Protocol {
        match self {
            Self::Runtime | Self::Bedrock => Protocol::RestJson,
            Self::Mantle => Protocol::Anthropic,
            Self::Quotas | Self::Logs | Self::Trail => Protocol::AwsJson11,
            Self::Sts => Protocol::Query {
                namespace: sts::NAMESPACE,
            },
            // The one service here that speaks several.
            Self::Monitoring => match sent {
                Protocol::Query { .. } => Protocol::Query {
                    namespace: cloudwatch::NAMESPACE,
                },
                other => other,
            },
            Self::Workshop => Protocol::Workshop,
            Self::Neighbour(about) => about.protocol,
        }
    }

    /// Its operations that ask no model.
    pub(crate) const fn operations(self) -> &'static [Plain] {
        match self {
            Self::Runtime => runtime::OPERATIONS,
            Self::Mantle | Self::Neighbour(_) => &[],
            Self::Bedrock => bedrock::OPERATIONS,
            Self::Quotas => service_quotas::OPERATIONS,
            Self::Sts => sts::OPERATIONS,
            Self::Monitoring => cloudwatch::OPERATIONS,
            Self::Logs => logs::OPERATIONS,
            Self::Trail => cloudtrail::OPERATIONS,
            Self::Workshop => workshop::OPERATIONS,
        }
    }
}

/// An operation that asks no model.
#[derive(Debug)]
pub(crate) struct Plain {
    /// Its name, as in the service model.
    pub(crate) name: &'static str,
    /// How a request names it.
    pub(crate) route: Route,
    /// What IAM must allow; none: nothing.
    pub(crate) permission: Option<Permission>,
    /// Answers it.
    pub(crate) answer: fn(&mut Call<'_>) -> Result<Told, ApiError>,
}

/// How a request names an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Method and path; `{name}` stands for one segment.
    Rest(&'static str, &'static str),
    /// The value of `X-Amz-Target` of a `POST /` (`awsJson1_1`).
    Target(&'static str),
    /// An operation of CloudWatch, in any of its three protocols.
    CloudWatch(&'static str),
    /// `Action` and `Version` of a `POST /` with a form, or of a `GET /?Action=…`.
    Query {
        action: &'static str,
        version: &'static str,
    },
}

/// An IAM action and the ARN of what it is done to (`*` when the action takes no resource).
#[derive(Debug)]
pub(crate) struct Permission {
    pub(crate) action: &'static str,
    pub(crate) resource: fn(&Call<'_>) -> String,
}

impl Permission {
    /// An action that takes no resource.
    #[expect(clippy::unnecessary_wraps, reason = "rows of operations read better")]
    pub(crate) const fn anywhere(action: &'static str) -> Option<Self> {
        Some(Self {
            action,
            resource: |_| "*".to_owned(),
        })
    }
}

/// A request to a [`Plain`] operation, with everything it may look at.
pub(crate) struct Call<'a> {
    pub(crate) emulator: &'a Emulator,
    /// The caller's account.
    pub(crate) account: &'a Arc<Account>,
    pub(crate) principal: &'a Principal,
    /// The same, to keep.
    pub(crate) caller: Arc<Principal>,
    /// What the operation asked IAM by itself, for the journal.
    pub(crate) inquiry: Option<Box<Inquiry>>,
    /// What a guardrail said, for the diagram.
    pub(crate) looked: Option<(bool, &'static str)>,
    /// From the credential scope, or the configured one.
    pub(crate) region: &'a str,
    pub(crate) request: &'a Request,
    /// As answered in `x-amzn-RequestId`.
    pub(crate) request_id: String,
    /// The values of the `{name}`s in the path, percent-decoded, in order.
    pub(crate) labels: Vec<String>,
    pub(crate) now: OffsetDateTime,
    /// The calendar day that lifecycle rules see.
    pub(crate) today: Date,
    /// Draws ids.
    pub(crate) rng: Rng,
}

impl Call<'_> {
    pub(crate) fn catalogue(&self) -> &Catalogue {
        self.emulator.catalogue()
    }

    /// The body as JSON; an empty one is an empty object.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, ApiError> {
        let body: &[u8] = &self.request.body;
        let body = if body.is_empty() { b"{}" } else { body };
        serde_json::from_slice(body).map_err(|error| ApiError::serialization(&error))
    }

    /// The first value of a query parameter, percent-decoded; `""` when it has none.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.request.target.split_once('?')?;
        crate::route::form_value(query, name)
    }

    /// The page of `all` that `maxResults` and `nextToken` ask for, and the next page's token.
    pub(crate) fn page<'t, T>(
        &self,
        operation: &Plain,
        all: &'t [T],
        most: usize,
    ) -> Result<(&'t [T], Option<String>), ApiError> {
        let size = match self.query("maxResults") {
            None => most,
            Some(text) => {
                let size = text.parse().ok().filter(|n| (1..=most).contains(n));
                size.ok_or_else(|| {
                    ApiError::validation(format!(
                        "1 validation error detected: Value '{text}' at 'maxResults' failed to \
                         satisfy constraint: Member must be between 1 and {most}"
                    ))
                })?
            }
        };
        let list = List::of_query(self, operation.name);
        // Chosen: nobody has shown Bedrock's own words. These are Service Quotas'.
        let unknown = || ApiError::validation(page_token::UNKNOWN);
        let start = self.query("nextToken");
        let start = start.map(|token| list.place(&token).ok_or_else(unknown));
        // What has been deleted since is on no page; that is no mistake of the caller's.
        let start = start.transpose()?.unwrap_or(0).min(all.len());
        let end = start.saturating_add(size).min(all.len());
        let next = (end < all.len()).then(|| list.token(end));
        Ok((&all[start..end], next))
    }

    /// A parameter of a query service, from the form or the query string.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        crate::route::parameter(self.request, name)
    }

    /// The answer of a query service: what `result` writes, in AWS's envelope.
    pub(crate) fn xml(
        &self,
        namespace: &str,
        operation: &str,
        result: impl FnOnce(&mut Xml),
    ) -> Told {
        let mut xml = Xml::default();
        xml.root(&format!("{operation}Response"), namespace, |xml| {
            xml.within(&format!("{operation}Result"), result);
            xml.within("ResponseMetadata", |xml| {
                xml.text("RequestId", &self.request_id);
            });
        });
        Told {
            status: 200,
            content_type: "text/xml",
            body: xml.finish().into(),
        }
    }
}

/// The answer of a [`Plain`] operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
}

impl Told {
    /// 200 with this JSON, compact.
    pub(crate) fn json(body: &Value) -> Self {
        Self::status(200, body)
    }

    /// 200 with this JSON, as `awsJson1_1` labels it.
    pub(crate) fn aws_json(body: &Value) -> Self {
        Self {
            content_type: "application/x-amz-json-1.1",
            ..Self::json(body)
        }
    }

    /// Another success with this JSON.
    pub(crate) fn status(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: body.to_string().into(),
        }
    }
}
