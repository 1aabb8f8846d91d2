//! VCR and its relatives (vcrpy, Ruby's and R's vcr, dd-apm-test-agent): a request and a response,
//! each with headers and a body.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Node, Raw};

/// Whether the request names host and path, not a path alone.
pub(super) fn names_a_whole_url(exchange: &Node) -> bool {
    let request = exchange.get("request");
    request.and_then(url).is_some_and(|url| url.contains("://"))
}

fn url(request: &Node) -> Option<String> {
    request.get("uri").or_else(|| request.get("url"))?.text()
}

pub(super) fn exchange(node: &Node) -> Result<Raw, String> {
    let part = |name: &str| node.get(name).ok_or_else(|| format!("it has no `{name}`"));
    let (request, response) = (part("request")?, part("response")?);
    let method = request.get("method").and_then(Node::text);
    Ok(Raw {
        method: method.ok_or("its request has no `method`")?,
        url: url(request).ok_or("its request has no `uri`")?,
        request_headers: super::headers(request.get("headers")),
        request: body(request),
        status: status(response).ok_or("its response has no `status`")?,
        headers: super::headers(response.get("headers")),
        body: body(response),
    })
}

/// `status: 200` or `status: {code: 200}` or `status_code: 200`.
fn status(response: &Node) -> Option<u16> {
    let status = response
        .get("status")
        .or_else(|| response.get("status_code"))?;
    status.get("code").unwrap_or(status).number()
}

/// The body's bytes, wherever they stand.
fn body(part: &Node) -> Vec<u8> {
    // pydantic's cassettes keep JSON bodies as YAML.
    if let Some(parsed) = part.get("parsed_body") {
        return parsed.to_json().into_bytes();
    }
    match part.get("body") {
        None => Vec::new(),
        Some(Node::Text(text)) => text.clone().into_bytes(),
        Some(Node::Bytes(bytes)) => bytes.clone(),
        Some(body) => {
            let string = body.get("string").or_else(|| body.get("base64_string"));
            match string {
                Some(Node::Text(base64)) if body.get("base64_string").is_some() => {
                    let base64: String = base64.split_whitespace().collect();
                    STANDARD.decode(&base64).unwrap_or(base64.into_bytes())
                }
                Some(Node::Bytes(bytes)) => bytes.clone(),
                Some(string) => string.text().unwrap_or_default().into_bytes(),
                // A body that the tool has parsed.
                None if matches!(body, Node::Map(_) | Node::List(_)) => body.to_json().into_bytes(),
                None => Vec::new(),
            }
        }
    }
}
