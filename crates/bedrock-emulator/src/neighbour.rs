//! Services that answer on the emulator's port from outside this crate: SQS, `DynamoDB`, Lambda, …
//!
//! A [`Neighbour`] says which requests are its own and what IAM must allow, and answers, at once or
//! later. Everything before and after is the emulator's: signatures, identities, policies, fault
//! rules, the journal, light on the diagram. So one credential, one port and one journal serve them
//! all.

use std::{borrow::Cow, fmt, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    error::ApiError,
    identity::Principal,
    observe::ServiceMetric,
    rng::Rng,
    trace::TraceStatus,
    wire::{Header, Request},
};
pub use crate::{route::decode, service::Protocol};

/// A service beside Bedrock.
pub trait Neighbour: fmt::Debug + Send + Sync {
    /// What never changes about it.
    fn about(&self) -> &'static About;

    /// The operation that a request asks for, as in the service model; `None`: the request is not
    /// this service's. Only asked about requests that name no operation of the emulator's own.
    fn operation(&self, request: &Request) -> Option<Result<&'static str, ApiError>>;

    /// IAM actions, each with the ARN (or `*`) of what it is done to. None: nothing is asked. A request
    /// that cannot be understood asks for `*`, and is refused by [`Neighbour::answer`].
    fn permissions(&self, visit: &Visit) -> Vec<(&'static str, String)>;

    /// Answers a request that was let in.
    fn answer(&self, visit: Visit) -> Outcome;

    /// What it has counted of an account since it was last asked, for CloudWatch, each with the moment
    /// to which it belongs. Asked whenever somebody looks at the account's metrics or alarms; a service
    /// may also tell at once ([`crate::Emulator::put_service_metrics`]).
    fn metrics(&self, _account: &str) -> Vec<(ServiceMetric, OffsetDateTime)> {
        Vec::new()
    }

    /// Forgets what it holds of an account: reset or dropped by the control API.
    fn forget(&self, account: &str);
}

/// What never changes about a [`Neighbour`].
#[derive(Debug, PartialEq, Eq)]
pub struct About {
    /// Its name for people and fault rules: `SQS`.
    pub name: &'static str,
    /// Its name in the credential scope; `None`: nobody has to sign.
    pub signing_name: Option<&'static str>,
    /// How it writes its errors.
    pub protocol: Protocol,
    /// The diagrams' node that stands for it.
    pub node: Option<&'static str>,
    /// The edge by which a client's own request reaches it, on the diagrams that have one:
    /// `CLIENT-SQS`.
    pub from_client: Option<&'static str>,
}

/// A service that calls others in the name of a role, as Lambda does for a function.
#[derive(Debug, PartialEq, Eq)]
pub struct Actor {
    /// The diagrams' node that stands for it.
    pub node: &'static str,
    /// The nodes it may reach, each with the edge that leads there: `("BR", "LAMBDA-BR")`.
    pub edges: &'static [(&'static str, &'static str)],
}

/// A request that was let in.
#[derive(Debug)]
pub struct Visit {
    /// As it arrived.
    pub request: Arc<Request>,
    /// See [`Neighbour::operation`].
    pub operation: &'static str,
    /// The caller's account.
    pub account: Arc<str>,
    /// The caller's ARN.
    pub caller: String,
    /// From the credential scope, or the configured one.
    pub region: String,
    /// As answered in `x-amzn-RequestId`.
    pub request_id: String,
    /// When it arrived.
    pub now: OffsetDateTime,
    principal: Arc<Principal>,
    rng: Rng,
}

impl Visit {
    pub(crate) fn new(
        request: Arc<Request>,
        operation: &'static str,
        caller: &Arc<Principal>,
        account: Arc<str>,
        arrival: Arrival,
    ) -> Self {
        Self {
            request,
            operation,
            account,
            caller: caller.arn.clone(),
            region: arrival.region,
            request_id: arrival.request_id,
            now: arrival.now,
            principal: Arc::clone(caller),
            rng: arrival.rng,
        }
    }

    /// The caller's unique id, as `GetCallerIdentity` tells it: `AIDA…`, or `AROA…:session`.
    pub fn caller_id(&self) -> String {
        self.principal.user_id()
    }

    /// The body as JSON; an empty one is an empty object.
    ///
    /// # Errors
    /// `SerializationException`, as AWS's front door says it.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, ApiError> {
        let body: &[u8] = &self.request.body;
        let body = if body.is_empty() { b"{}" } else { body };
        serde_json::from_slice(body).map_err(|error| ApiError::serialization(&error))
    }

    /// The path, without the query, as it stood on the wire.
    pub fn path(&self) -> &str {
        let target = &self.request.target;
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    /// The first value of a query parameter, percent-decoded; `""` when it has none.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.request.target.split_once('?')?;
        crate::route::form_value(query, name)
    }

    /// The next of the request's seeded random numbers.
    pub fn random(&mut self) -> u64 {
        self.rng.next()
    }

    /// A version 4 UUID of the same kind.
    pub fn uuid(&mut self) -> String {
        self.rng.uuid()
    }
}

/// How and when a request arrived.
pub(crate) struct Arrival {
    pub(crate) region: String,
    pub(crate) request_id: String,
    pub(crate) now: OffsetDateTime,
    pub(crate) rng: Rng,
}

/// How a visit ends.
pub enum Outcome {
    /// At once.
    Now(Result<Answer, ApiError>),
    /// When this future says so: a long poll, a function that runs. Dropped when the client leaves.
    Later(Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send>>),
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(answer) => f.debug_tuple("Now").field(answer).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}

impl From<Result<Answer, ApiError>> for Outcome {
    fn from(answer: Result<Answer, ApiError>) -> Self {
        Self::Now(answer)
    }
}

/// The answer to a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body's media type.
    pub content_type: Cow<'static, str>,
    /// Headers beside `Content-Type` and `x-amzn-RequestId`.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Bytes,
    /// What else the request reached, as light on the diagram.
    pub lit: Vec<Lit>,
}

/// A node or edge of a diagram that a visit lit beside the service's own node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lit {
    /// The node; for an edge, the one it leads to.
    pub node: &'static str,
    /// `FROM-TO`.
    pub edge: Option<&'static str>,
    /// What happened there.
    pub status: TraceStatus,
    /// A few words for people.
    pub words: &'static str,
}

impl Answer {
    /// 200 with this JSON, compact, in a media type such as `application/x-amz-json-1.0`.
    pub fn json(content_type: &'static str, body: &Value) -> Self {
        Self {
            status: 200,
            content_type: Cow::Borrowed(content_type),
            headers: Vec::new(),
            body: body.to_string().into(),
            lit: Vec::new(),
        }
    }

    /// The same, having lit this too.
    #[must_use]
    pub fn lighting(mut self, lit: Lit) -> Self {
        self.lit.push(lit);
        self
    }
}

/// An error code of a neighbour's own.
#[derive(Debug, PartialEq, Eq)]
pub struct OwnCode {
    /// Its name in the service model: `QueueDoesNotExist`.
    pub name: &'static str,
    /// As on the wire, when that says more: `com.amazonaws.sqs#QueueDoesNotExist`.
    pub wire: &'static str,
    /// As the service called it when it still spoke `awsQuery`.
    pub query_name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// How the service spells the text's member: `message` or `Message`.
    pub message_key: &'static str,
}

impl OwnCode {
    /// A code whose names are all the same, with `message` and this status.
    pub const fn new(name: &'static str, status: u16) -> Self {
        Self {
            name,
            wire: name,
            query_name: name,
            status,
            message_key: "message",
        }
    }

    /// The same, written so on the wire.
    #[must_use]
    pub const fn on_the_wire(self, wire: &'static str) -> Self {
        Self { wire, ..self }
    }

    /// The same, with its name in `awsQuery`.
    #[must_use]
    pub const fn in_query(self, query_name: &'static str) -> Self {
        Self { query_name, ..self }
    }

    /// The same, with another name for the text's member.
    #[must_use]
    pub const fn texted(self, message_key: &'static str) -> Self {
        Self {
            message_key,
            ..self
        }
    }

    /// An error with this code.
    pub fn error(&'static self, message: impl Into<String>) -> ApiError {
        ApiError::own(self, message)
    }
}
