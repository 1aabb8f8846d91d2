//! `WireMock`'s stub mappings, as its recorder writes them.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Node, Raw};

pub(super) fn exchange(node: &Node) -> Result<Raw, String> {
    let part = |name: &str| node.get(name).ok_or_else(|| format!("it has no `{name}`"));
    let (request, response) = (part("request")?, part("response")?);
    let url = request.get("url").or_else(|| request.get("urlPath"));
    let url = url.and_then(Node::text);
    let method = request.get("method").and_then(Node::text);
    let status = response.get("status").and_then(Node::number);
    Ok(Raw {
        method: method.ok_or("its request has no `method`")?,
        url: url.ok_or("its request has no `url` (patterns name no single request)")?,
        request_headers: Vec::new(),
        request: request_body(request),
        status: status.unwrap_or(200),
        headers: super::headers(response.get("headers")),
        body: body(response)?,
    })
}

/// The body that the request must equal.
fn request_body(request: &Node) -> Vec<u8> {
    let patterns = request.get("bodyPatterns").and_then(Node::list);
    for pattern in patterns.unwrap_or_default() {
        let wanted = pattern
            .get("equalToJson")
            .or_else(|| pattern.get("equalTo"));
        match wanted {
            Some(Node::Text(text)) => return text.clone().into_bytes(),
            Some(parsed) => return parsed.to_json().into_bytes(),
            None => {}
        }
    }
    Vec::new()
}

fn body(response: &Node) -> Result<Vec<u8>, String> {
    if let Some(base64) = response.get("base64Body").and_then(Node::text) {
        let base64: String = base64.split_whitespace().collect();
        let wrong = |_| "its `base64Body` is not base64".to_owned();
        return STANDARD.decode(base64).map_err(wrong);
    }
    if let Some(parsed) = response.get("jsonBody") {
        return Ok(parsed.to_json().into_bytes());
    }
    let text = response.get("body").and_then(Node::text);
    Ok(text.unwrap_or_default().into_bytes())
}
