//! One request on its way through the gateway, and what is known about it.

use std::{borrow::Cow, sync::Arc};

use bedrock_emulator::{
    Request,
    error::ApiError,
    neighbour::{Answer, Lit, Visit},
    wire::Header,
};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{
    api::{Key, Method, Parameter, Place},
    event::{self, clf, epoch_ms},
    refusal::Refusal,
    route::Matched,
    stage::Stage,
};

/// A request, from its arrival to the line in the access log.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) stage: Arc<Stage>,
    pub(super) request: Arc<Request>,
    /// Below the stage, from its slash on.
    pub(super) path: String,
    /// As it stood on the wire.
    pub(super) query: String,
    pub(super) request_id: String,
    pub(super) extended_request_id: String,
    pub(super) trace_id: String,
    pub(super) at: OffsetDateTime,
    /// The caller's ARN, where the method asks for a signature.
    pub(super) caller: Option<String>,
    pub(super) matched: Option<Matched>,
    /// Among the API's keys.
    pub(super) key: Option<usize>,
    pub(super) ended: Ended,
}

/// How it ended, as far as it has.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) status: u16,
    pub(super) length: usize,
    pub(super) latency_ms: i64,
    pub(super) integration_status: Option<u16>,
    pub(super) integration_latency_ms: Option<i64>,
    /// Whether the cache had it, where there is one.
    pub(super) cached: Option<bool>,
    pub(super) refusal: Option<Refusal>,
}

impl Exchange {
    pub(super) fn new(stage: Arc<Stage>, visit: &mut Visit, path: String, query: String) -> Self {
        let at = stage.clock.now();
        let (high, low) = (visit.random(), visit.random());
        let seconds = u32::try_from(at.unix_timestamp()).unwrap_or_default();
        let trace = format!("Root=1-{seconds:08x}-{:08x}{low:016x}", high >> 32);
        let sent = visit.request.header("x-amzn-trace-id").map(str::to_owned);
        Self {
            request: Arc::clone(&visit.request),
            path,
            query,
            request_id: visit.request_id.clone(),
            extended_request_id: extended_id(visit.random(), high),
            trace_id: sent.unwrap_or(trace),
            at,
            caller: None,
            matched: None,
            key: None,
            ended: Ended::default(),
            stage,
        }
    }

    pub(super) fn method(&self) -> Option<&Method> {
        let matched = self.matched.as_ref()?;
        self.stage.api.methods.get(matched.method)
    }

    pub(super) fn key(&self) -> Option<&Key> {
        self.stage.api.keys.get(self.key?)
    }

    /// The path variables.
    pub(super) fn parameters(&self) -> Map<String, Value> {
        let parameters = self.matched.iter().flat_map(|matched| &matched.parameters);
        let parameters =
            parameters.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        parameters.collect()
    }

    /// `/items/{id}`.
    pub(super) fn resource(&self) -> Option<String> {
        let method = self.method()?;
        Some(if method.resource == "$default" {
            method.resource.clone()
        } else {
            format!("/{}", method.resource)
        })
    }

    /// `GET /items/{id}`, or `$default`.
    pub(super) fn route_key(&self) -> Option<String> {
        let method = self.method()?;
        let resource = self.resource()?;
        Some(if resource == "$default" {
            resource
        } else {
            format!("{} {resource}", method.http_method)
        })
    }

    /// The path as the client of the real service sends it.
    pub(super) fn path_with_stage(&self) -> String {
        match self.stage.api.stage() {
            "$default" => self.path.clone(),
            stage => format!("/{stage}{}", self.path),
        }
    }

    /// The host name that the API has on AWS.
    pub(super) fn domain(&self) -> String {
        let api = &self.stage.api;
        format!(
            "{}.execute-api.{}.amazonaws.com",
            api.id(),
            api.settings.region
        )
    }

    /// The values of a parameter, decoded; `None`: it was not sent.
    pub(super) fn parameter(&self, parameter: &Parameter) -> Option<Vec<String>> {
        let values: Vec<String> = match parameter.place {
            Place::Path => {
                let matched = self.matched.iter();
                let values = matched.filter_map(|m| m.parameters.get(&parameter.name));
                values.cloned().collect()
            }
            Place::Query => {
                let pairs = event::query(&self.query).into_iter();
                let pairs = pairs.filter(|(name, _)| *name == parameter.name);
                pairs.map(|(_, value)| value).collect()
            }
            Place::Header => {
                let headers = self.request.headers.iter();
                let headers = headers.filter(|(name, _)| parameter.name.eq_ignore_ascii_case(name));
                headers.map(|(_, value)| value.to_owned()).collect()
            }
        };
        (!values.is_empty()).then_some(values)
    }

    /// Puts an answer on the wire.
    pub(super) fn send(mut self, mut answer: Answer) -> Answer {
        let mut headers = self.own_headers();
        headers.append(&mut answer.headers);
        answer.headers = headers;
        self.ended.status = answer.status;
        self.ended.length = answer.body.len();
        self.end();
        answer
    }

    /// Puts a refusal on the wire.
    pub(super) fn refuse(mut self, refusal: Refusal, lit: Vec<Lit>) -> ApiError {
        let rest = self.stage.api.is_rest();
        let error = refusal.error(rest, self.own_headers(), lit);
        self.ended.status = refusal.status(rest);
        self.ended.length = refusal.text(rest).len() + r#"{"message":""}"#.len();
        self.ended.refusal = Some(refusal);
        self.end();
        error
    }

    /// The headers by which a request is found again.
    fn own_headers(&self) -> Vec<Header> {
        let name = if self.stage.api.is_rest() {
            "x-amz-apigw-id"
        } else {
            "Apigw-Requestid"
        };
        vec![(Cow::Borrowed(name), self.extended_request_id.clone())]
    }

    fn end(mut self) {
        let took = self.stage.clock.now() - self.at;
        self.ended.latency_ms = i64::try_from(took.whole_milliseconds()).unwrap_or(i64::MAX);
        self.stage.tell(&self);
    }

    /// A `$context` variable, once the request has ended.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let api = &self.stage.api;
        let ended = &self.ended;
        let refusal = ended.refusal.as_ref();
        let rest = api.is_rest();
        Some(match name {
            "accountId" => api.settings.account_id.clone(),
            "apiId" | "domainPrefix" => api.id().to_owned(),
            "awsEndpointRequestId" | "requestId" if rest => self.request_id.clone(),
            "requestId" | "extendedRequestId" => self.extended_request_id.clone(),
            "deploymentId" => self.stage.deployment_id.clone(),
            "domainName" => self.domain(),
            "error.message" => refusal?.text(rest).to_owned(),
            "error.messageString" => Value::from(refusal?.text(rest)).to_string(),
            "error.responseType" => refusal?.response_type().to_owned(),
            "httpMethod" => self.request.method.clone(),
            "identity.apiKey" => self.key()?.value.clone(),
            "identity.apiKeyId" => self.key()?.id.clone(),
            "identity.sourceIp" => event::SOURCE_IP.to_owned(),
            "identity.userAgent" => self.request.header("user-agent")?.to_owned(),
            "identity.userArn" => self.caller.clone()?,
            "integration.error" | "integrationErrorMessage" => refusal?.why()?.to_owned(),
            "integration.latency" | "integrationLatency" => {
                ended.integration_latency_ms?.to_string()
            }
            "integration.status" | "integrationStatus" => ended.integration_status?.to_string(),
            "path" => self.path_with_stage(),
            "protocol" => "HTTP/1.1".to_owned(),
            "requestTime" => clf(self.at),
            "requestTimeEpoch" => epoch_ms(self.at).to_string(),
            "resourceId" => self.method()?.resource_id.clone(),
            "resourcePath" => self.resource()?,
            "responseLatency" => ended.latency_ms.to_string(),
            "responseLength" => ended.length.to_string(),
            "routeKey" => self.route_key()?,
            "stage" => api.stage().to_owned(),
            "status" => ended.status.to_string(),
            _ => return None,
        })
    }
}

/// Eleven bytes in base64: `Wr0WzGzFIAMFfNg=` is how they look.
fn extended_id(a: u64, b: u64) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let (a, b) = (a.to_be_bytes(), b.to_be_bytes());
    let bytes: Vec<u8> = a.iter().chain(&b[..3]).copied().collect();
    // Neither '+' nor '/' is in AWS's.
    STANDARD.encode(bytes).replace(['+', '/'], "A")
}
