//! One operation of the document: who may call it, what it requires, who answers.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value};

use super::{
    api::{self, Caching, Integration, Method, Parameter, Payload, Segment, Target},
    diagnostic::member,
    openapi::Document,
    schema,
    settings::MethodSetting,
};

/// Where an operation stands.
pub(super) struct Place<'a> {
    pub(super) http_method: String,
    /// Without its first slash.
    pub(super) resource: String,
    pub(super) segments: Vec<Segment>,
    /// The path's own parameters.
    pub(super) shared: (&'a [Value], String),
    pub(super) pointer: String,
}

/// What the stage says about a method.
pub(super) struct Setting<'a> {
    pub(super) all: Option<&'a MethodSetting>,
    pub(super) own: Option<&'a MethodSetting>,
    /// Whether the stage has a cache.
    pub(super) cached: bool,
}

impl Setting<'_> {
    /// Caching for all means GET; other methods are cached when they are named (API Gateway, "Enabling
    /// API caching").
    pub(super) fn caching(&self, http_method: &str) -> Option<Caching> {
        let own = self.own.and_then(|own| own.caching_enabled);
        let for_all = self.all.and_then(|all| all.caching_enabled) == Some(true);
        if !self.cached || !own.unwrap_or(for_all && http_method == "GET") {
            return None;
        }
        let seconds = self
            .pick(|setting| setting.cache_ttl_in_seconds)
            .unwrap_or(300);
        let asks = self.pick(|setting| setting.require_authorization_for_cache_control);
        let strategy = self.pick(|setting| setting.unauthorized_cache_control_header_strategy);
        (seconds > 0).then(|| Caching {
            ttl: Duration::from_secs(seconds.into()),
            bypass: asks.unwrap_or(true).then(|| strategy.unwrap_or_default()),
        })
    }

    fn pick<T>(&self, of: impl Fn(&MethodSetting) -> Option<T>) -> Option<T> {
        self.own.and_then(&of).or_else(|| self.all.and_then(&of))
    }
}

/// Reads an operation; `None` if something about it is wrong.
pub(super) fn read<'a>(
    document: &mut Document<'a>,
    value: &'a Value,
    place: Place<'a>,
) -> Option<Method> {
    let pointer = place.pointer.as_str();
    let Some(members) = value.as_object() else {
        document
            .findings
            .add(pointer, "no object", "describe the operation");
        return None;
    };
    let known = [
        "tags",
        "summary",
        "description",
        "externalDocs",
        "operationId",
        "parameters",
        "requestBody",
        "responses",
        "deprecated",
        "security",
        "servers",
        "x-amazon-apigateway-integration",
        "x-amazon-apigateway-request-validator",
        "x-amazon-apigateway-auth",
    ];
    document.only(members, &known, pointer);
    let declared = parameters(document, members, &place);
    let (key_required, signed) = security(document, members, pointer);
    let (validates_parameters, validates_body) = validator(document, members, pointer);
    let models = validates_body.then(|| schema::models(document, members, pointer));
    let required = declared.iter().filter(|(_, required)| **required);
    let required = required.map(|(parameter, _)| parameter.clone());
    let required = required.filter(|_| validates_parameters).collect();
    let integration = integration(document, members, &place, &declared)?;
    Some(Method {
        resource_id: resource_id(&place.resource),
        http_method: place.http_method,
        resource: place.resource,
        segments: place.segments,
        key_required,
        signed,
        required,
        models,
        integration,
        limit: None,
        caching: None,
    })
}

/// Six letters and digits, as AWS makes them up, but the same every time.
fn resource_id(resource: &str) -> String {
    // FNV-1a.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in resource.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let digit = |n: u64| char::from_digit(u32::try_from(n % 36).unwrap_or(0), 36);
    (0..6).filter_map(|at| digit(hash >> (at * 8))).collect()
}

/// The parameters that an operation declares, and whether they are required.
fn parameters<'a>(
    document: &mut Document<'a>,
    operation: &'a Map<String, Value>,
    place: &Place<'a>,
) -> BTreeMap<Parameter, bool> {
    let own_pointer = member(&place.pointer, "parameters");
    let own = operation.get("parameters").and_then(Value::as_array);
    let own = own.map_or(&[][..], Vec::as_slice);
    let shared = place.shared.0.iter().enumerate();
    let shared = shared.map(|(index, value)| (format!("{}/{index}", place.shared.1), value));
    let own = own.iter().enumerate();
    let own = own.map(|(index, value)| (format!("{own_pointer}/{index}"), value));
    let mut declared = BTreeMap::new();
    // The operation's own replace the path's.
    for (pointer, value) in shared.chain(own) {
        let Some(value) = document.resolve(value, &pointer) else {
            continue;
        };
        let name = value
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let place = match value.get("in").and_then(Value::as_str) {
            Some("path") => api::Place::Path,
            Some("query") => api::Place::Query,
            Some("header") => api::Place::Header,
            _ => {
                document.findings.add(
                    &member(&pointer, "in"),
                    "API Gateway knows parameters in path, query and header",
                    "use one of them",
                );
                continue;
            }
        };
        let required = value.get("required") == Some(&Value::Bool(true));
        let name = name.to_owned();
        declared.insert(Parameter { place, name }, required);
    }
    for segment in &place.segments {
        if let Segment::Variable(name) | Segment::Greedy(name) = segment {
            let (place, name) = (api::Place::Path, name.clone());
            declared.insert(Parameter { place, name }, true);
        }
    }
    declared
}

/// Whether an API key is required, and whether a signature is. Several requirements are all asked
/// for: AWS has one authorization and one key per method.
fn security(
    document: &mut Document<'_>,
    operation: &Map<String, Value>,
    pointer: &str,
) -> (bool, bool) {
    let (mut key_required, mut signed) = (false, false);
    let own = operation.get("security");
    let pointer = if own.is_some() {
        member(pointer, "security")
    } else {
        "/security".to_owned()
    };
    let asked = own.or_else(|| document.root.get("security"));
    let asked = asked.and_then(Value::as_array);
    let names = asked.into_iter().flatten().filter_map(Value::as_object);
    for name in names.flat_map(Map::keys) {
        let scheme = document
            .root
            .pointer(&member("/components/securitySchemes", name));
        let Some(scheme) = scheme else {
            document.findings.add(
                &pointer,
                format!("no security scheme is called '{name}'"),
                "add it to components.securitySchemes",
            );
            continue;
        };
        let text = |member: &str| {
            scheme
                .get(member)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let header = text("name").to_ascii_lowercase();
        match (text("type"), text("in"), header.as_str()) {
            ("apiKey", "header", "x-api-key") => key_required = true,
            ("apiKey", "header", "authorization")
                if text("x-amazon-apigateway-authtype") == "awsSigv4" =>
            {
                signed = true;
            }
            _ => document.findings.add(
                &member("/components/securitySchemes", name),
                "this authorization is not emulated here",
                "use an apiKey in the header x-api-key, or awsSigv4",
            ),
        }
    }
    if let Some(auth) = operation.get("x-amazon-apigateway-auth") {
        match auth.get("type").and_then(Value::as_str) {
            Some(kind) if kind.eq_ignore_ascii_case("AWS_IAM") => signed = true,
            Some(kind) if kind.eq_ignore_ascii_case("NONE") => signed = false,
            _ => document.findings.add(
                &pointer.replace("/security", "/x-amazon-apigateway-auth"),
                "this authorization is not emulated here",
                "use AWS_IAM or NONE",
            ),
        }
    }
    if key_required && !document.is_rest() {
        document.findings.add(
            &pointer,
            "HTTP APIs know no API keys",
            "remove the requirement, or set protocolType to REST",
        );
    }
    (key_required, signed)
}

/// Whether parameters and whether bodies are validated.
fn validator(
    document: &mut Document<'_>,
    operation: &Map<String, Value>,
    pointer: &str,
) -> (bool, bool) {
    const NAME: &str = "x-amazon-apigateway-request-validator";
    let pointer = if operation.contains_key(NAME) {
        member(pointer, NAME)
    } else {
        member("", NAME)
    };
    let named = operation.get(NAME).or_else(|| document.root.get(NAME));
    let Some(named) = named else {
        return (false, false);
    };
    if !document.is_rest() {
        document.findings.add(
            &pointer,
            "HTTP APIs validate nothing",
            "remove it, or set protocolType to REST",
        );
    }
    let validators = document.root.get("x-amazon-apigateway-request-validators");
    let name = named.as_str().unwrap_or_default();
    let Some(validator) = validators.and_then(|all| all.get(name)) else {
        document.findings.add(
            &pointer,
            format!("no request validator is called {named}"),
            "add it to x-amazon-apigateway-request-validators",
        );
        return (false, false);
    };
    let says = |member: &str| validator.get(member) == Some(&Value::Bool(true));
    (
        says("validateRequestParameters"),
        says("validateRequestBody"),
    )
}

fn integration(
    document: &mut Document<'_>,
    operation: &Map<String, Value>,
    place: &Place<'_>,
    declared: &BTreeMap<Parameter, bool>,
) -> Option<Integration> {
    const NAME: &str = "x-amazon-apigateway-integration";
    let pointer = member(&place.pointer, NAME);
    let Some(value) = operation.get(NAME).and_then(Value::as_object) else {
        document.findings.add(
            &place.pointer,
            "no integration answers this method",
            format!("add {NAME} with type aws_proxy and the function's uri"),
        );
        return None;
    };
    let kind = value
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !kind.eq_ignore_ascii_case("aws_proxy") {
        document.findings.add(
            &member(&pointer, "type"),
            format!("integrations of the type '{kind}' are not emulated here"),
            "use aws_proxy: a Lambda function that gets the whole request",
        );
        return None;
    }
    check_members(document, value, &pointer);
    let target = target(document, value, &pointer);
    let payload = payload(document, value, &pointer);
    let timeout = timeout(document, value, &pointer);
    let cache_key = cache_key(document, value, &pointer, declared);
    let namespace = value.get("cacheNamespace").and_then(Value::as_str);
    let namespace = namespace.map_or_else(|| resource_id(&place.resource), str::to_owned);
    Some(Integration {
        target: target?,
        payload,
        timeout,
        cache_namespace: namespace,
        cache_key,
    })
}

fn check_members(document: &mut Document<'_>, value: &Map<String, Value>, pointer: &str) {
    // The second list is what AWS takes and never looks at for a proxy integration.
    let known = [
        "type",
        "uri",
        "httpMethod",
        "payloadFormatVersion",
        "timeoutInMillis",
        "cacheNamespace",
        "cacheKeyParameters",
    ];
    let unread = ["passthroughBehavior", "connectionType", "responses"];
    for name in value.keys() {
        if !known.contains(&name.as_str()) && !unread.contains(&name.as_str()) {
            document.findings.add(
                &member(pointer, name),
                format!("an integration's '{name}' is not emulated here"),
                "remove it, or try it on AWS",
            );
        }
    }
    let method = value.get("httpMethod").and_then(Value::as_str);
    if document.is_rest() && method != Some("POST") {
        // AWS accepts the document and answers every request with 500.
        document.findings.add(
            &member(pointer, "httpMethod"),
            "Lambda is invoked with POST, whatever the client sends",
            "say \"httpMethod\": \"POST\"",
        );
    }
    if value
        .get("connectionType")
        .is_some_and(|kind| kind != "INTERNET")
    {
        let pointer = member(pointer, "connectionType");
        document
            .findings
            .add(&pointer, "VPC links are not emulated here", "remove it");
    }
}

/// `arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION_ARN/invocations`, or, for
/// HTTP APIs, also the function's ARN alone.
fn target(
    document: &mut Document<'_>,
    value: &Map<String, Value>,
    pointer: &str,
) -> Option<Target> {
    let pointer = member(pointer, "uri");
    let cure = "write arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
                arn:aws:lambda:us-east-1:123456789012:function:NAME/invocations";
    let Some(uri) = value.get("uri").and_then(Value::as_str) else {
        let problem = "no function's URI (CloudFormation's functions are not resolved here)";
        document.findings.add(&pointer, problem, cure);
        return None;
    };
    let mut filled = String::new();
    let mut rest = uri;
    while let Some((before, after)) = rest.split_once("${stageVariables.") {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let Some(value) = document.settings.stage.variables.get(name) else {
            document.findings.add(
                &pointer,
                format!("the stage has no variable '{name}'"),
                "add it to the settings' stage.variables",
            );
            return None;
        };
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    let path = filled.split_once(":lambda:path/2015-03-31/functions/");
    let arn = path.and_then(|(_, arn)| arn.strip_suffix("/invocations"));
    let arn = arn.unwrap_or(&filled);
    let target = Target::of_arn(arn);
    if target.is_none() {
        document
            .findings
            .add(&pointer, format!("'{filled}' names no function"), cure);
    }
    target
}

fn payload(document: &mut Document<'_>, value: &Map<String, Value>, pointer: &str) -> Payload {
    let version = value.get("payloadFormatVersion").and_then(Value::as_str);
    match (version, document.is_rest()) {
        (Some("1.0"), _) | (None, true) => Payload::V1,
        (Some("2.0"), false) => Payload::V2,
        (_, rest) => {
            let cure = if rest {
                "REST APIs know 1.0 only: remove it, or set protocolType to HTTP"
            } else {
                "say \"1.0\" or \"2.0\""
            };
            let pointer = member(pointer, "payloadFormatVersion");
            document
                .findings
                .add(&pointer, "not a version of this kind of API", cure);
            Payload::V1
        }
    }
}

fn timeout(document: &mut Document<'_>, value: &Map<String, Value>, pointer: &str) -> Duration {
    let most = if document.is_rest() { 29_000 } else { 30_000 };
    let Some(given) = value.get("timeoutInMillis") else {
        return Duration::from_millis(most);
    };
    match given.as_u64() {
        Some(ms) if (50..=most).contains(&ms) => Duration::from_millis(ms),
        _ => {
            document.findings.add(
                &member(pointer, "timeoutInMillis"),
                format!("Timeout should be between 50 ms and {most} ms"),
                "choose a number between them",
            );
            Duration::from_millis(most)
        }
    }
}

fn cache_key(
    document: &mut Document<'_>,
    value: &Map<String, Value>,
    pointer: &str,
    declared: &BTreeMap<Parameter, bool>,
) -> Vec<Parameter> {
    let pointer = member(pointer, "cacheKeyParameters");
    let listed = value.get("cacheKeyParameters").and_then(Value::as_array);
    let mut key = Vec::new();
    for (index, one) in listed.into_iter().flatten().enumerate() {
        let text = one.as_str().unwrap_or_default();
        let request = ["method.request.", "integration.request."];
        let place = request.iter().find_map(|prefix| text.strip_prefix(prefix));
        let parameter = place
            .and_then(|place| place.split_once('.'))
            .and_then(|(place, name)| {
                let place = match place {
                    "path" => api::Place::Path,
                    "querystring" => api::Place::Query,
                    "header" => api::Place::Header,
                    _ => return None,
                };
                let name = name.to_owned();
                Some(Parameter { place, name })
            });
        match parameter {
            Some(parameter) if declared.contains_key(&parameter) => key.push(parameter),
            _ => document.findings.add(
                &format!("{pointer}/{index}"),
                "Invalid cache key parameter specified",
                "name a declared parameter: method.request.querystring.q, \
                 method.request.path.id or method.request.header.Accept",
            ),
        }
    }
    key.sort();
    key
}
