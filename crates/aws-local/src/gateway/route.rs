//! Which API and stage a request is for, and which of its methods answers.

use std::collections::BTreeMap;

use bedrock_emulator::{Request, neighbour::decode};

use super::api::{Api, Method, Segment};

/// Where a request goes: below `stage` everything is the API's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address<'a> {
    pub(super) api: &'a str,
    /// From the first segment below the API on; without the query.
    pub(super) below: &'a str,
    /// Without its question mark.
    pub(super) query: &'a str,
}

/// The path that stands for the host name of an API: as in `LocalStack`, so that what was written for
/// one works with the other.
pub(super) const PREFIX: &str = "/_aws/execute-api/";

/// An API is reached below [`PREFIX`] or by its host name, `{api}.execute-api.{region}.…`.
pub(super) fn address(request: &Request) -> Option<Address<'_>> {
    let target = request.target.as_str();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if let Some(rest) = path.strip_prefix(PREFIX) {
        let (api, _) = rest.split_once('/').unwrap_or((rest, ""));
        let below = &rest[api.len()..];
        return Some(Address { api, below, query });
    }
    let host = request.header("host")?;
    let (api, rest) = host.split_once('.')?;
    let is_ours = rest.starts_with("execute-api.");
    is_ours.then_some(Address {
        api,
        below: path,
        query,
    })
}

/// The stage that a path below the API begins with, and what remains.
pub(super) fn stage(below: &str) -> (&str, &str) {
    let path = below.strip_prefix('/').unwrap_or(below);
    let stage = path.split('/').next().unwrap_or_default();
    (stage, &path[stage.len()..])
}

/// The method that answers, and the values of its path variables as they stood on the wire: that is
/// how AWS hands them on (recorded).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Matched {
    pub(super) method: usize,
    pub(super) parameters: BTreeMap<String, String>,
}

/// Finds it. `path` is below the stage.
///
/// In a REST API the most specific resource decides, and then must have the method. In an HTTP API the
/// most specific route of those with the method answers (API Gateway, "Routing API requests").
pub(super) fn find(api: &Api, http_method: &str, path: &str) -> Option<Matched> {
    let path = path.strip_prefix('/').unwrap_or(path);
    // Recorded for REST APIs: a slash at the end counts for nothing.
    let path = if api.is_rest() {
        path.strip_suffix('/').unwrap_or(path)
    } else {
        path
    };
    let parts: Vec<&str> = if path.is_empty() {
        Vec::new()
    } else {
        path.split('/').collect()
    };
    let candidates = api.methods.iter().enumerate();
    let candidates = candidates.filter(|(_, method)| api.is_rest() || method.is(http_method));
    let fitting = candidates.filter_map(|(index, method)| {
        let parameters = fits(&method.segments, &parts)?;
        Some((index, method, parameters))
    });
    let mut fitting: Vec<_> = fitting.collect();
    fitting.sort_by_key(|(_, method, _)| rank(method));
    let best = fitting
        .first()
        .map(|(_, method, _)| method.segments.clone())?;
    let mut same = fitting
        .into_iter()
        .filter(|(_, method, _)| method.segments == best);
    let (method, _, parameters) = same.find(|(_, method, _)| method.is(http_method))?;
    Some(Matched { method, parameters })
}

/// The smaller, the more specific: what is written out, before a variable, before everything.
fn rank(method: &Method) -> (Vec<u8>, bool) {
    let kinds = method.segments.iter().map(|segment| match segment {
        Segment::Literal(_) => 0,
        Segment::Variable(_) => 1,
        Segment::Greedy(name) if name == "$default" => 3,
        Segment::Greedy(_) => 2,
    });
    (kinds.collect(), method.http_method == "ANY")
}

fn fits(segments: &[Segment], parts: &[&str]) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    let mut rest = parts;
    for segment in segments {
        if let Segment::Greedy(name) = segment {
            let catches_all = name == "$default";
            if !catches_all {
                let value = rest.join("/");
                if value.is_empty() {
                    return None;
                }
                parameters.insert(name.clone(), value);
            }
            return Some(parameters);
        }
        let (part, left) = rest.split_first()?;
        match segment {
            Segment::Variable(name) if !part.is_empty() => {
                parameters.insert(name.clone(), (*part).to_owned());
            }
            Segment::Literal(text) if text == part || decode(part).as_ref() == Some(text) => {}
            _ => return None,
        }
        rest = left;
    }
    rest.is_empty().then_some(parameters)
}
