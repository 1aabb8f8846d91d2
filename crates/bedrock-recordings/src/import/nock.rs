//! nock's recorder: a list of definitions; JSON bodies parsed, binary ones in hexadecimal.

use super::{Node, Raw};

pub(super) fn exchange(node: &Node) -> Result<Raw, String> {
    let text = |name: &str| {
        let found = node.get(name).and_then(Node::text);
        found.ok_or_else(|| format!("it has no `{name}`"))
    };
    let raw_headers = node.get("rawHeaders");
    let headers = match raw_headers.and_then(Node::list) {
        Some(list) => {
            let texts: Vec<String> = list.iter().filter_map(Node::text).collect();
            let pairs = texts.chunks_exact(2);
            pairs
                .map(|pair| (pair[0].clone(), pair[1].clone()))
                .collect()
        }
        None => super::headers(raw_headers.or(node.get("headers"))),
    };
    let binary = headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.contains("eventstream")
    });
    let binary =
        binary || node.get("responseIsBinary").and_then(Node::text).as_deref() == Some("true");
    Ok(Raw {
        method: text("method")?,
        url: text("scope")? + &text("path")?,
        request_headers: super::headers(node.get("reqheaders")),
        request: body(node.get("body"), false),
        status: node.get("status").and_then(Node::number).unwrap_or(200),
        body: body(node.get("response"), binary),
        headers,
    })
}

fn body(node: Option<&Node>, binary: bool) -> Vec<u8> {
    match node {
        None => Vec::new(),
        Some(node) if node.is_null() => Vec::new(),
        Some(Node::List(parts))
            if parts
                .iter()
                .all(|p| p.text().is_some_and(|t| hex(&t).is_some())) =>
        {
            let parts = parts.iter().filter_map(|part| hex(&part.text()?));
            parts.flatten().collect()
        }
        Some(Node::Text(text)) => match hex(text).filter(|_| binary) {
            Some(bytes) => bytes,
            None => text.clone().into_bytes(),
        },
        Some(parsed) => parsed.to_json().into_bytes(),
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let pairs = (0..text.len()).step_by(2).map(|at| &text[at..at + 2]);
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect()
}
