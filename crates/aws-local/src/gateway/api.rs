//! An API as it is deployed: what its document and settings say, checked and resolved.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{
    access_log::Format,
    diagnostic::{Diagnostic, Diagnostics, Findings},
    limits::Limit,
    openapi,
    settings::{ProtocolType, Quota, Settings, Unauthorized},
};

/// An API with one stage, ready to be deployed.
#[derive(Debug)]
pub struct Api {
    pub(super) settings: Settings,
    /// The title of the document.
    pub(super) name: String,
    pub(super) methods: Vec<Method>,
    /// Media types that are no text: `x-amazon-apigateway-binary-media-types`.
    pub(super) binary: Vec<String>,
    pub(super) keys: Vec<Key>,
    pub(super) log: Option<Format>,
    pub(super) warnings: Vec<Diagnostic>,
}

impl Api {
    /// Reads an OpenAPI 3 document in JSON, with API Gateway's extensions. `file` is its name for
    /// people.
    ///
    /// # Errors
    /// Everything that AWS would refuse, and everything that is not emulated: each with its place and
    /// its cure.
    pub fn read(file: &str, document: &str, settings: Settings) -> Result<Self, Diagnostics> {
        let mut of_settings = Findings::in_file("settings");
        settings.check(&mut of_settings);
        let mut findings = Findings::in_file(file);
        let api = openapi::read(document, settings, &mut findings, &mut of_settings);
        let mut found = findings.found;
        found.append(&mut of_settings.found);
        match api {
            Some(api) if found.is_empty() => Ok(api),
            _ => Err(Diagnostics(found)),
        }
    }

    /// What works on AWS as well, but hardly as meant.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.settings.api_id
    }

    /// Its stage's name.
    pub fn stage(&self) -> &str {
        &self.settings.stage.stage_name
    }

    /// The log group of its access log.
    pub(super) fn log_group(&self) -> String {
        let Settings { api_id, stage, .. } = &self.settings;
        let chosen = stage.access_log_settings.as_ref();
        let chosen = chosen.and_then(|log| log.destination_arn.as_deref());
        // arn:aws:logs:us-east-1:123456789012:log-group:NAME
        let name = chosen.and_then(|arn| arn.split_once(":log-group:"));
        match name {
            Some((_, name)) => name.trim_end_matches(":*").to_owned(),
            None => format!("API-Gateway-Access-Logs_{api_id}/{}", stage.stage_name),
        }
    }

    pub(super) fn is_rest(&self) -> bool {
        self.settings.protocol_type == ProtocolType::Rest
    }
}

/// A method of a resource; of an HTTP API: a route.
#[expect(clippy::struct_field_names, reason = "API Gateway calls it httpMethod")]
#[derive(Debug)]
pub(super) struct Method {
    /// `GET`, …, or `ANY`.
    pub(super) http_method: String,
    /// `/items/{id}`, or `$default`.
    pub(super) resource: String,
    pub(super) resource_id: String,
    pub(super) segments: Vec<Segment>,
    pub(super) key_required: bool,
    /// `AWS_IAM`.
    pub(super) signed: bool,
    pub(super) required: Vec<Parameter>,
    /// By media type, or `$default`. `None`: bodies are not validated.
    pub(super) models: Option<BTreeMap<String, jsonschema::Validator>>,
    pub(super) integration: Integration,
    /// Of the stage.
    pub(super) limit: Option<Limit>,
    pub(super) caching: Option<Caching>,
}

impl Method {
    pub(super) fn is(&self, http_method: &str) -> bool {
        self.http_method == http_method || self.http_method == "ANY"
    }
}

/// A segment of a resource's path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Segment {
    Literal(String),
    /// `{id}`.
    Variable(String),
    /// `{proxy+}`.
    Greedy(String),
}

/// A request's parameter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Parameter {
    pub(super) place: Place,
    pub(super) name: String,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Path,
    Query,
    Header,
}

/// Who answers.
#[derive(Debug)]
pub(super) struct Integration {
    pub(super) target: Target,
    pub(super) payload: Payload,
    pub(super) timeout: Duration,
    pub(super) cache_namespace: String,
    pub(super) cache_key: Vec<Parameter>,
}

/// Which form the function's event and answer have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    /// `1.0`.
    V1,
    /// `2.0`.
    V2,
}

/// The function that an integration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// As the document has it, with stage variables filled in.
    pub arn: String,
    /// The function's name.
    pub name: String,
    /// A version or alias.
    pub qualifier: Option<String>,
}

impl Target {
    /// From a function's ARN.
    pub(super) fn of_arn(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let (name, qualifier) = match parts.as_slice() {
            ["arn", _, "lambda", _, _, "function", name] => (*name, None),
            ["arn", _, "lambda", _, _, "function", name, qualifier] => (*name, Some(*qualifier)),
            _ => return None,
        };
        (!name.is_empty()).then(|| Self {
            arn: arn.to_owned(),
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }
}

/// How a method's answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caching {
    pub(super) ttl: Duration,
    /// What becomes of a client that wants the cache bypassed. `None`: it may.
    pub(super) bypass: Option<Unauthorized>,
}

/// A key and what its plan grants.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) value: String,
    pub(super) enabled: bool,
    /// `None`: the key has no plan for this stage.
    pub(super) plan: Option<Plan>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// What a usage plan grants each of its keys.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) limit: Option<Limit>,
    pub(super) quota: Option<Quota>,
    /// Instead of `limit`, by the index of the method.
    pub(super) methods: BTreeMap<usize, Limit>,
}
