//! From method and raw path to an operation.
//!
//! Routing works on the path as it stood on the wire and decodes one segment afterwards: an ARN's
//! `%2F` must not split the path, and `v1:0` and `v1%3A0` are the same model (recorded).

use std::io::Read as _;

use flate2::read::GzDecoder;

use crate::{
    cloudwatch,
    error::{ApiError, Code},
    mantle,
    ops::Operation,
    service::{self, Plain, Protocol, Service},
    wire::Request,
};

/// Where a request goes.
#[derive(Debug)]
pub(crate) enum Route {
    /// `POST /model/{modelId}/{action}`, with the model's id or ARN percent-decoded, or
    /// `POST /anthropic/v1/messages` with the model that its body names.
    Model { operation: Operation, model: String },
    /// An operation that asks no model, with the decoded segments its path leaves open.
    Plain {
        service: Service,
        operation: &'static Plain,
        labels: Vec<String>,
    },
}

/// Finds the operation of a request.
pub(crate) fn route(request: &Request) -> Result<Route, ApiError> {
    let (method, target) = (request.method.as_str(), request.target.as_str());
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    if let Some(name) = aws_target(request) {
        return targeted(name);
    }
    if let Some(action) = query_action(request) {
        return query(request, &action);
    }
    if let Some(name) = rpc(request) {
        return cloudwatch_operation(name).unwrap_or_else(|| Err(not_emulated(name)));
    }
    if method == "POST"
        && let Some((id, action)) = path.strip_prefix("/model/").and_then(|p| p.split_once('/'))
        && !id.is_empty()
        && let Some(operation) = Operation::of_action(action)
    {
        let model = decode(id)
            .ok_or_else(|| ApiError::validation("The provided model identifier is invalid."))?;
        return Ok(Route::Model { operation, model });
    }
    if let Some((operation, model)) = mantle::route(method, path, &request.body) {
        return Ok(Route::Model { operation, model });
    }
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    plain(method, &segments).unwrap_or_else(|| Err(no_operation(method, path, &segments)))
}

/// How errors of a request are written as long as its service is not known.
pub(crate) fn protocol(request: &Request) -> Protocol {
    match aws_target(request) {
        Some(name) if name.starts_with(cloudwatch::TARGET) => Protocol::AwsJson10Query,
        Some(_) => Protocol::AwsJson11,
        None if rpc(request).is_some() => Protocol::Cbor,
        // What AWS's query services answer in before they know the operation.
        None if query_action(request).is_some() => Protocol::Query {
            namespace: "http://webservices.amazon.com/AWSFault/2005-15-09",
        },
        None if mantle::owns(&request.target) => Protocol::Anthropic,
        None => Protocol::RestJson,
    }
}

/// The operation that `X-Amz-Target` names: `awsJson1_1` puts all of them on `POST /`.
fn aws_target(request: &Request) -> Option<&str> {
    let bare = request.target == "/" && request.method == "POST";
    bare.then(|| request.header("x-amz-target"))?
}

fn targeted(name: &str) -> Result<Route, ApiError> {
    if let Some((cloudwatch::TARGET, operation)) = name.split_once('.') {
        return cloudwatch_operation(operation).unwrap_or_else(|| Err(not_emulated(name)));
    }
    for &service in Service::ALL {
        let is_it = |plain: &&Plain| matches!(plain.route, service::Route::Target(t) if t == name);
        if let Some(operation) = service.operations().iter().find(is_it) {
            return Ok(Route::Plain {
                service,
                operation,
                labels: Vec::new(),
            });
        }
    }
    Err(not_emulated(name))
}

fn not_emulated(name: &str) -> ApiError {
    ApiError::signature(
        Code::UnknownOperation,
        format!("{name}: not emulated by Bedrock Workshop."),
    )
}

/// The operation that an `rpcv2Cbor` path names.
fn rpc(request: &Request) -> Option<&str> {
    let path = request.target.strip_prefix("/service/")?;
    let (service, operation) = path.split_once("/operation/")?;
    (request.method == "POST" && service == cloudwatch::TARGET).then_some(operation)
}

fn cloudwatch_operation(name: &str) -> Option<Result<Route, ApiError>> {
    let mut operations = cloudwatch::OPERATIONS.iter();
    let operation = operations.find(|operation| operation.name == name)?;
    Some(Ok(Route::Plain {
        service: Service::Monitoring,
        operation,
        labels: Vec::new(),
    }))
}

/// The `Action` of a query service: all of them share the path `/`.
fn query_action(request: &Request) -> Option<String> {
    let bare = request.target == "/" || request.target.starts_with("/?");
    bare.then(|| naming(request, "Action"))?
}

/// `Action` or `Version`. SDKs compress a long `PutMetricData`, form and all; these two stand at its
/// beginning.
fn naming(request: &Request, name: &str) -> Option<String> {
    /// What is unpacked before anybody is known to have signed it.
    const BEGINNING: u64 = 1_024;
    if request.header("content-encoding") != Some("gzip") {
        return parameter(request, name);
    }
    let mut unpacked = GzDecoder::new(&*request.body).take(BEGINNING);
    let mut beginning = Vec::new();
    unpacked.read_to_end(&mut beginning).ok()?;
    form_value(std::str::from_utf8(&beginning).ok()?, name)
}

fn query(request: &Request, action: &str) -> Result<Route, ApiError> {
    let version = naming(request, "Version").unwrap_or_default();
    if version == cloudwatch::VERSION
        && let Some(found) = cloudwatch_operation(action)
    {
        return found;
    }
    for &service in Service::ALL {
        let mut operations = service.operations().iter();
        let operation = operations.find(|operation| {
            matches!(operation.route, service::Route::Query { action: a, version: v }
                if a == action && v == version)
        });
        if let Some(operation) = operation {
            return Ok(Route::Plain {
                service,
                operation,
                labels: Vec::new(),
            });
        }
    }
    Err(ApiError::signature(
        Code::UnknownOperation,
        format!("Could not find operation {action} for version {version}"),
    ))
}

/// A parameter of a query service, from the form or the query string.
pub(crate) fn parameter(request: &Request, name: &str) -> Option<String> {
    let query = request.target.split_once('?').map(|(_, query)| query);
    let in_query = query.and_then(|query| form_value(query, name));
    in_query.or_else(|| form_value(std::str::from_utf8(&request.body).ok()?, name))
}

/// The first value of that name in `a=1&b=2`, decoded; `""` when it has none.
pub(crate) fn form_value(pairs: &str, name: &str) -> Option<String> {
    pairs.split('&').find_map(|pair| {
        let (key, value) = form_pair(pair);
        (form_decoded(key)? == name).then(|| form_decoded(value))?
    })
}

/// All names and values of `a=1&b=2`, decoded; `None` for what cannot be.
pub(crate) fn form_values(pairs: &str) -> impl Iterator<Item = (Option<String>, Option<String>)> {
    let pairs = pairs.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (key, value) = form_pair(pair);
        (form_decoded(key), form_decoded(value))
    })
}

fn form_pair(pair: &str) -> (&str, &str) {
    pair.split_once('=').unwrap_or((pair, ""))
}

fn form_decoded(text: &str) -> Option<String> {
    decode(&text.replace('+', "%20"))
}

/// An operation whose template fits, if there is one.
fn plain(method: &str, segments: &[&str]) -> Option<Result<Route, ApiError>> {
    for &service in Service::ALL {
        for operation in service.operations() {
            let service::Route::Rest(its_method, template) = operation.route else {
                continue;
            };
            if its_method != method || !fits(template, segments) {
                continue;
            }
            let labels = labels(template, segments).map(|labels| Route::Plain {
                service,
                operation,
                labels,
            });
            let broken = || ApiError::validation("The path is not valid percent-encoding.");
            return Some(labels.ok_or_else(broken));
        }
    }
    None
}

fn fits(template: &str, segments: &[&str]) -> bool {
    let mut wanted = template.split('/').skip(1);
    let mut given = segments.iter();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(want), Some(have)) if want == *have => {}
            (Some(want), Some(have)) if want.starts_with('{') && !have.is_empty() => {}
            _ => return false,
        }
    }
}

fn labels(template: &str, segments: &[&str]) -> Option<Vec<String>> {
    let pairs = template.split('/').skip(1).zip(segments);
    let open = pairs.filter(|(want, _)| want.starts_with('{'));
    open.map(|(_, have)| decode(have)).collect()
}

/// An answer in AWS's shape. The sentences are ours: a client of the real service cannot come here.
fn no_operation(method: &str, path: &str, segments: &[&str]) -> ApiError {
    let known = match segments {
        ["model", _, "invoke-with-bidirectional-stream"] => "InvokeModelWithBidirectionalStream",
        ["guardrail-checks", ..] => "InvokeGuardrailChecks",
        ["model", ..] | [""] | [] => {
            return ApiError::signature(
                Code::UnknownOperation,
                format!(
                    "No operation of Amazon Bedrock Runtime has the route {method} {path}. \
                     Expected POST /model/{{modelId}}/converse, converse-stream, invoke, \
                     invoke-with-response-stream or count-tokens; a slash in an ARN must be sent \
                     as %2F."
                ),
            );
        }
        // Most of what comes here is the control plane's: custom models, jobs, agreements.
        _ => "An operation of Amazon Bedrock with this route",
    };
    let message = format!("{known}: not emulated by Bedrock Workshop ({method} {path}).");
    ApiError::signature(Code::UnknownOperation, message)
}

/// Percent-decodes one path segment; `None` when it is not valid UTF-8 or not valid encoding.
pub fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut parts = segment.as_bytes().split(|byte| *byte == b'%');
    bytes.extend_from_slice(parts.next()?);
    for part in parts {
        let digit = |at: usize| char::from(*part.get(at)?).to_digit(16);
        bytes.push(u8::try_from(digit(0)? * 16 + digit(1)?).ok()?);
        bytes.extend_from_slice(&part[2..]);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, target: &str) -> Request {
        Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: crate::Headers::default(),
            body: bytes::Bytes::new(),
            connection: 1,
        }
    }

    #[test]
    fn the_raw_path_decides_and_one_segment_is_decoded() {
        let rows = [
            (
                "/model/a.b-v1%3A0/converse",
                Operation::Converse,
                "a.b-v1:0",
            ),
            ("/model/a.b-v1:0/converse", Operation::Converse, "a.b-v1:0"),
            (
                "/model/a.b/converse-stream?x=1",
                Operation::ConverseStream,
                "a.b",
            ),
            (
                "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.a.b/invoke",
                Operation::InvokeModel,
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.a.b",
            ),
            (
                "/model/a.b/invoke-with-response-stream",
                Operation::InvokeModelWithResponseStream,
                "a.b",
            ),
            ("/model/a.b/count-tokens", Operation::CountTokens, "a.b"),
        ];
        for (target, operation, model) in rows {
            let found = route(&request("POST", target)).unwrap();
            let Route::Model {
                operation: op,
                model: m,
            } = found
            else {
                panic!("{target}: {found:?}");
            };
            assert_eq!((op, m.as_str()), (operation, model));
        }
    }

    #[test]
    fn everything_else_is_no_operation() {
        let rows = [
            ("GET", "/model/a.b/converse"),
            ("POST", "/model/a.b/chat"),
            ("POST", "/model//converse"),
            ("POST", "/model/a/b/converse"),
            ("POST", "/"),
            ("POST", ""),
            ("GET", "/custom-models"),
        ];
        for (method, target) in rows {
            let error = route(&request(method, target)).expect_err(target);
            assert_eq!(error.code(), Code::UnknownOperation, "{target}");
        }
    }

    #[test]
    fn who_asks_for_another_part_of_bedrock_is_told_so() {
        for (target, part) in [
            ("/model/a.b/chat", "Expected POST /model/{modelId}/converse"),
            (
                "/model-customization-jobs",
                "not emulated by Bedrock Workshop",
            ),
            (
                "/model/a.b/invoke-with-bidirectional-stream",
                "InvokeModelWithBidirectionalStream: not",
            ),
        ] {
            let error = route(&request("POST", target)).expect_err(target);
            assert!(error.message().contains(part), "{}", error.message());
        }
    }

    #[test]
    fn a_target_names_an_operation_of_a_json_service() {
        let targeted = |name: &str| Request {
            headers: vec![("x-amz-target".to_owned(), name.to_owned())].into(),
            ..request("POST", "/")
        };
        let known = targeted("ServiceQuotasV20190624.ListServices");
        let found = route(&known).unwrap();
        assert!(
            matches!(&found, Route::Plain { service: Service::Quotas, operation, .. } if operation.name == "ListServices"),
            "{found:?}"
        );
        assert_eq!(protocol(&known), Protocol::AwsJson11);
        let error = route(&targeted("Nothing.Known")).expect_err("unknown");
        assert_eq!(error.code(), Code::UnknownOperation);
        assert_eq!(error.status(Protocol::AwsJson11), 400);
    }

    #[test]
    fn an_action_and_its_version_name_an_operation_of_a_query_service() {
        let posted = |body: &'static str| Request {
            body: body.into(),
            ..request("POST", "/")
        };
        let known = "Action=GetCallerIdentity&Version=2011-06-15";
        for asked in [posted(known), request("GET", &format!("/?{known}"))] {
            let found = route(&asked).unwrap();
            assert!(
                matches!(&found, Route::Plain { operation, .. } if operation.name == "GetCallerIdentity"),
                "{found:?}"
            );
        }
        for unknown in [
            "Action=GetCallerIdentity&Version=1999-01-01",
            "Action=Fly&Version=2011-06-15",
            "Action=&Version",
        ] {
            let error = route(&posted(unknown)).expect_err(unknown);
            assert_eq!(error.code(), Code::UnknownOperation, "{unknown}");
            assert!(error.message().starts_with("Could not find operation"));
        }
        assert!(matches!(protocol(&posted(known)), Protocol::Query { .. }));
    }

    #[test]
    fn a_broken_escape_is_an_invalid_identifier() {
        for target in [
            "/model/a%3/invoke",
            "/model/a%zz/invoke",
            "/model/%ff/invoke",
        ] {
            let error = route(&request("POST", target)).expect_err(target);
            assert_eq!(error.code(), Code::Validation, "{target}");
        }
    }
}
