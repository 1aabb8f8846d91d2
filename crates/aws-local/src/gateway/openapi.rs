//! An OpenAPI 3 document with API Gateway's extensions, read into an [`Api`]. What is not understood
//! is refused with its place; only what describes the API for people is passed over.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    access_log::Format,
    api::{Api, Key, Method, Plan, Segment},
    diagnostic::{Findings, member},
    limits::Limit,
    operation::{self, Setting},
    settings::{MethodSetting, ProtocolType, Settings},
};

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];
/// Stands for every method.
pub(super) const ANY: &str = "x-amazon-apigateway-any-method";

/// What all operations of a document share.
pub(super) struct Document<'a> {
    pub(super) root: &'a Value,
    pub(super) settings: &'a Settings,
    pub(super) findings: &'a mut Findings,
    pub(super) warnings: Findings,
}

impl<'a> Document<'a> {
    pub(super) fn is_rest(&self) -> bool {
        self.settings.protocol_type == ProtocolType::Rest
    }

    /// The value itself, or what its `$ref` names.
    pub(super) fn resolve(&mut self, value: &'a Value, pointer: &str) -> Option<&'a Value> {
        let Some(reference) = value.get("$ref") else {
            return Some(value);
        };
        let reference = reference.as_str().unwrap_or_default();
        let found = reference.strip_prefix('#');
        let found = found.and_then(|place| self.root.pointer(place));
        if found.is_none() {
            self.findings.add(
                &member(pointer, "$ref"),
                format!("'{reference}' names nothing in this document"),
                "name something below #/components/",
            );
        }
        found
    }

    /// Refuses members of `value` that are none of these and no vendor's extension.
    pub(super) fn only(&mut self, value: &Map<String, Value>, known: &[&str], pointer: &str) {
        for name in value.keys() {
            if known.contains(&name.as_str()) {
                continue;
            }
            if name.starts_with("x-amazon-apigateway-") {
                self.findings.add(
                    &member(pointer, name),
                    format!("'{name}' is not emulated here"),
                    "remove it, or try it on AWS",
                );
            } else if !name.starts_with("x-") {
                self.findings.add(
                    &member(pointer, name),
                    format!("OpenAPI knows no '{name}' here"),
                    "remove it or correct its spelling",
                );
            }
        }
    }
}

/// Reads the document. Without findings there is an API.
pub(super) fn read(
    text: &str,
    settings: Settings,
    findings: &mut Findings,
    of_settings: &mut Findings,
) -> Option<Api> {
    let root: Value = match serde_json::from_str(text) {
        Ok(root) => root,
        Err(error) => {
            findings.add(
                "",
                format!("not JSON: {error}"),
                "write the document as JSON (AWS reads YAML as well; Bedrock Workshop does not)",
            );
            return None;
        }
    };
    let mut document = Document {
        root: &root,
        settings: &settings,
        findings,
        warnings: Findings::in_file("settings"),
    };
    check_top(&mut document);
    let mut methods = Vec::new();
    let empty = Map::new();
    let paths = root.get("paths").and_then(Value::as_object);
    for (path, item) in paths.unwrap_or(&empty) {
        read_path(&mut document, path, item, &mut methods);
    }
    if methods.is_empty() && document.findings.found.is_empty() {
        document.findings.add(
            "/paths",
            "no path has a method",
            "add one with x-amazon-apigateway-integration",
        );
    }
    check_siblings(&methods, document.findings);
    let mut warnings = document.warnings;
    apply_settings(&settings, &mut methods, of_settings, &mut warnings);
    let keys = keys(&settings, &methods, of_settings);
    let log = settings.stage.access_log_settings.as_ref();
    let log = log.and_then(|log| Format::read(&log.format, of_settings));
    let title = root.pointer("/info/title").and_then(Value::as_str);
    Some(Api {
        name: title.unwrap_or(&settings.api_id).to_owned(),
        binary: binary(&root, findings),
        methods,
        keys,
        log,
        warnings: warnings.found,
        settings,
    })
}

fn check_top(document: &mut Document<'_>) {
    let root = document.root;
    let Some(members) = root.as_object() else {
        document
            .findings
            .add("", "no object", "write an OpenAPI 3 document");
        return;
    };
    let version = root.get("openapi").and_then(Value::as_str);
    if !version.is_some_and(|version| version.starts_with("3.")) {
        document.findings.add(
            "/openapi",
            "no OpenAPI 3 document",
            "say \"openapi\": \"3.0.1\"; AWS reads Swagger 2.0 as well, Bedrock Workshop does not",
        );
    }
    let known = [
        "openapi",
        "info",
        "paths",
        "components",
        "servers",
        "security",
        "tags",
        "externalDocs",
        "x-amazon-apigateway-request-validators",
        "x-amazon-apigateway-request-validator",
        "x-amazon-apigateway-api-key-source",
        "x-amazon-apigateway-binary-media-types",
        "x-amazon-apigateway-importexport-version",
    ];
    document.only(members, &known, "");
    let source = root.get("x-amazon-apigateway-api-key-source");
    if source.is_some_and(|source| source != "HEADER") {
        document.findings.add(
            "/x-amazon-apigateway-api-key-source",
            "keys from an authorizer are not emulated here",
            "say HEADER: the client sends x-api-key",
        );
    }
}

fn binary(root: &Value, findings: &mut Findings) -> Vec<String> {
    const NAME: &str = "x-amazon-apigateway-binary-media-types";
    let Some(types) = root.get(NAME) else {
        return Vec::new();
    };
    let types: Option<Vec<String>> = types.as_array().and_then(|types| {
        let types = types
            .iter()
            .map(|one| one.as_str().map(str::to_ascii_lowercase));
        types.collect()
    });
    types.unwrap_or_else(|| {
        findings.add(
            &member("", NAME),
            "no list of media types",
            "write [\"image/png\"]",
        );
        Vec::new()
    })
}

fn read_path<'a>(
    document: &mut Document<'a>,
    path: &str,
    item: &'a Value,
    methods: &mut Vec<Method>,
) {
    let pointer = member("/paths", path);
    let Some(segments) = segments(path, document, &pointer) else {
        return;
    };
    let Some(members) = item.as_object() else {
        document
            .findings
            .add(&pointer, "no object", "give it methods");
        return;
    };
    let mut known = vec!["parameters", "summary", "description", "servers", ANY];
    known.extend(METHODS);
    document.only(members, &known, &pointer);
    let shared = item.get("parameters").and_then(Value::as_array);
    let shared = shared.map_or(&[][..], Vec::as_slice);
    for name in METHODS.iter().chain([&ANY]) {
        let Some(value) = members.get(*name) else {
            continue;
        };
        let http_method = if *name == ANY {
            "ANY".to_owned()
        } else {
            name.to_ascii_uppercase()
        };
        let place = operation::Place {
            http_method,
            resource: path.trim_start_matches('/').to_owned(),
            segments: segments.clone(),
            shared: (shared, format!("{pointer}/parameters")),
            pointer: member(&pointer, name),
        };
        methods.extend(operation::read(document, value, place));
    }
}

/// A path's segments. `/$default` has none: it catches what no other route does.
fn segments(path: &str, document: &mut Document<'_>, pointer: &str) -> Option<Vec<Segment>> {
    if path == "/$default" && !document.is_rest() {
        return Some(vec![Segment::Greedy("$default".to_owned())]);
    }
    let Some(below) = path.strip_prefix('/') else {
        document
            .findings
            .add(pointer, "a path begins with '/'", format!("write /{path}"));
        return None;
    };
    if below.is_empty() {
        return Some(Vec::new());
    }
    let mut names = BTreeSet::new();
    let count = below.split('/').count();
    let mut segments = Vec::new();
    for (index, part) in below.split('/').enumerate() {
        let variable = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        let segment = match variable {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Segment::Greedy(name.to_owned()),
                None => Segment::Variable(name.to_owned()),
            },
            None => Segment::Literal(part.to_owned()),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:,~@$*".contains(c);
        let problem = match &segment {
            Segment::Greedy(_) if index + 1 < count => {
                Some("a greedy path variable must be the last segment".to_owned())
            }
            Segment::Literal(text) if text.is_empty() || !text.chars().all(plain) => {
                Some(format!("'{text}' is no path segment"))
            }
            Segment::Variable(name) | Segment::Greedy(name)
                if name.is_empty() || !names.insert(name.clone()) =>
            {
                Some(format!("'{name}' is no name for one more path variable"))
            }
            _ => None,
        };
        if let Some(problem) = problem {
            let cure = "write segments like 'items', '{id}' or, at the end, '{proxy+}'";
            document.findings.add(pointer, problem, cure);
            return None;
        }
        segments.push(segment);
    }
    Some(segments)
}

/// AWS: "A sibling ({id}) of this resource already has a variable path part".
fn check_siblings(methods: &[Method], findings: &mut Findings) {
    let mut seen: BTreeMap<Vec<String>, &Segment> = BTreeMap::new();
    for method in methods {
        let mut parent = Vec::new();
        for segment in &method.segments {
            if let Segment::Variable(name) = segment {
                match seen.insert(parent.clone(), segment) {
                    Some(sibling @ Segment::Variable(other)) if sibling != segment => {
                        findings.add(
                            &member("/paths", &format!("/{}", method.resource)),
                            format!(
                                "a sibling ({{{other}}}) of {{{name}}} is a path variable already"
                            ),
                            "give both the same name",
                        );
                    }
                    _ => {}
                }
            }
            parent.push(format!("{segment:?}"));
        }
    }
}

/// Brings the stage's settings to the methods.
fn apply_settings(
    settings: &Settings,
    methods: &mut [Method],
    of_settings: &mut Findings,
    warnings: &mut Findings,
) {
    let stage = &settings.stage;
    for key in stage.method_settings.keys() {
        if key != "*/*" && method_of(key, methods).is_none() {
            unknown(
                &member("/stage/methodSettings", key),
                key,
                methods,
                of_settings,
            );
        }
    }
    let all = stage.method_settings.get("*/*");
    for index in 0..methods.len() {
        let own = stage
            .method_settings
            .iter()
            .find(|(key, _)| key.as_str() != "*/*" && method_of(key, methods) == Some(index));
        let setting = Setting {
            all,
            own: own.map(|(_, own)| own),
            cached: stage.cache_cluster_enabled,
        };
        setting.apply(&mut methods[index]);
        warn_of_shared_answers(&methods[index], warnings);
    }
}

impl Setting<'_> {
    fn apply(&self, method: &mut Method) {
        let rate = |setting: &MethodSetting| {
            let throttle = super::settings::Throttle {
                rate_limit: setting.throttling_rate_limit?,
                burst_limit: setting.throttling_burst_limit?,
            };
            Some(Limit::from(throttle))
        };
        method.limit = self.own.and_then(rate).or_else(|| self.all.and_then(rate));
        method.caching = self.caching(&method.http_method);
    }
}

/// AWS keys the cache by the parameters that were chosen, and a path variable is one only if chosen.
fn warn_of_shared_answers(method: &Method, warnings: &mut Findings) {
    if method.caching.is_none() {
        return;
    }
    for segment in &method.segments {
        if let Segment::Variable(name) | Segment::Greedy(name) = segment
            && !method
                .integration
                .cache_key
                .iter()
                .any(|key| key.name == *name)
        {
            warnings.add(
                "/stage/methodSettings",
                format!(
                    "{} /{} is cached without '{name}': every value of it gets the same answer",
                    method.http_method, method.resource
                ),
                format!("add method.request.path.{name} to the integration's cacheKeyParameters"),
            );
        }
    }
}

fn keys(settings: &Settings, methods: &[Method], of_settings: &mut Findings) -> Vec<Key> {
    let mut plans = Vec::new();
    for (index, plan) in settings.usage_plans.iter().enumerate() {
        let mut own = BTreeMap::new();
        for (key, throttle) in &plan.method_throttle {
            let Some(method) = method_of(key, methods) else {
                let pointer = member(&format!("/usagePlans/{index}/methodThrottle"), key);
                unknown(&pointer, key, methods, of_settings);
                continue;
            };
            own.insert(method, Limit::from(*throttle));
        }
        let granted = Plan {
            limit: plan.throttle.map(Limit::from),
            quota: plan.quota,
            methods: own,
        };
        plans.push((&plan.keys, granted));
    }
    let keys = settings.api_keys.iter().map(|key| {
        let plan = plans.iter().find(|(keys, _)| keys.contains(&key.id));
        Key {
            id: key.id.clone(),
            value: key.value.clone(),
            enabled: key.enabled,
            plan: plan.map(|(_, plan)| plan.clone()),
        }
    });
    keys.collect()
}

/// The method that `/path/METHOD` names. AWS also writes a path's slashes as `~1`.
fn method_of(key: &str, methods: &[Method]) -> Option<usize> {
    let (path, http_method) = key.rsplit_once('/')?;
    let path = path.replace("~1", "/");
    let path = path.trim_start_matches('/');
    methods
        .iter()
        .position(|method| method.resource == path && method.http_method == http_method)
}

fn unknown(pointer: &str, key: &str, methods: &[Method], findings: &mut Findings) {
    let names = methods.iter().map(|method| {
        let slash = if method.resource.is_empty() { "" } else { "/" };
        format!("{slash}{}/{}", method.resource, method.http_method)
    });
    let names: Vec<String> = names.collect();
    findings.add(
        pointer,
        format!("no method is called '{key}'"),
        format!("name one of: {}", names.join(", ")),
    );
}
