//! `SigV4` as a verifier computes it: canonical request, string to sign, signature.
//!
//! Bedrock encodes each segment of the raw path once more than it stood on the wire: wire
//! `v1%3A0` is `v1%253A0` in the canonical request, and a literal `:` is `%3A` (both seen in
//! Bedrock's own answer to a wrong signature).

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::wire::Request;

/// `Authorization: AWS4-HMAC-SHA256 …`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) access_key_id: String,
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) terminator: String,
    pub(crate) signed_headers: Vec<String>,
    pub(crate) signature: String,
}

impl Authorization {
    /// Takes the header apart, or says in AWS's words what is missing.
    pub(crate) fn parse(header: &str) -> Result<Self, String> {
        let header = header.trim();
        let parameters = header.strip_prefix("AWS4-HMAC-SHA256").unwrap_or(header);
        let mut credential = None;
        let mut signed_headers = None;
        let mut signature = None;
        for part in parameters.split([',', ' ']).filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(format!(
                    "'{part}' not a valid key=value pair (missing equal-sign) in \
                     Authorization header: '{header}'."
                ));
            };
            match name {
                "Credential" => credential = Some(value),
                "SignedHeaders" => signed_headers = Some(value),
                "Signature" => signature = Some(value),
                _ => {}
            }
        }
        let (Some(credential), Some(signed_headers), Some(signature)) =
            (credential, signed_headers, signature)
        else {
            let names = [
                ("Credential", credential),
                ("Signature", signature),
                ("SignedHeaders", signed_headers),
            ];
            let missing = names.iter().filter(|(_, value)| value.is_none());
            let missing = missing
                .map(|(name, _)| format!("Authorization header requires '{name}' parameter. "));
            return Err(format!(
                "{}Authorization={header}",
                missing.collect::<String>()
            ));
        };
        let scope: Vec<&str> = credential.split('/').collect();
        let [key, date, region, service, terminator] = scope.as_slice() else {
            return Err(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{credential}'"
            ));
        };
        Ok(Self {
            access_key_id: (*key).to_owned(),
            date: (*date).to_owned(),
            region: (*region).to_owned(),
            service: (*service).to_owned(),
            terminator: (*terminator).to_owned(),
            signed_headers: signed_headers.split(';').map(str::to_owned).collect(),
            signature: signature.to_owned(),
        })
    }

    fn scope(&self) -> String {
        format!(
            "{}/{}/{}/{}",
            self.date, self.region, self.service, self.terminator
        )
    }
}

/// What the signature of `request` should have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) canonical_request: String,
    pub(crate) string_to_sign: String,
    pub(crate) signature: String,
}

/// Computes the signature with `secret` at the time `amz_date` (`20260819T143434Z`).
pub(crate) fn expected(
    request: &Request,
    authorization: &Authorization,
    amz_date: &str,
    secret: &str,
) -> Expected {
    let canonical_request = canonical_request(request, &authorization.signed_headers);
    let scope = authorization.scope();
    let hash = hex(&Sha256::digest(canonical_request.as_bytes()));
    let string_to_sign = format!("AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{hash}");
    let mut key = hmac(format!("AWS4{secret}").as_bytes(), &authorization.date);
    for part in [
        &authorization.region,
        &authorization.service,
        &authorization.terminator,
    ] {
        key = hmac(&key, part);
    }
    let signature = hex(&hmac(&key, &string_to_sign));
    Expected {
        canonical_request,
        string_to_sign,
        signature,
    }
}

fn canonical_request(request: &Request, signed_headers: &[String]) -> String {
    let (path, query) = match request.target.split_once('?') {
        Some((path, query)) => (path, query),
        None => (request.target.as_str(), ""),
    };
    let path: Vec<String> = path.split('/').map(|s| encode(s.as_bytes())).collect();
    let mut canonical = format!(
        "{}\n{}\n{}\n",
        request.method,
        path.join("/"),
        canonical_query(query)
    );
    for name in signed_headers {
        let _ = writeln!(canonical, "{name}:{}", header_value(request, name));
    }
    let _ = write!(
        canonical,
        "\n{}\n{}",
        signed_headers.join(";"),
        hex(&Sha256::digest(&request.body))
    );
    canonical
}

/// All values of a header, trimmed, inner runs of spaces folded, joined by commas. An HTTP/2 client
/// may sign `:authority`, which is the host.
fn header_value(request: &Request, name: &str) -> String {
    let name = if name == ":authority" { "host" } else { name };
    let values = request.headers.iter().filter(|(n, _)| n == name);
    let values = values.map(|(_, v)| v.split_whitespace().collect::<Vec<_>>().join(" "));
    values.collect::<Vec<_>>().join(",")
}

fn canonical_query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(&decode(name)), encode(&decode(value)))
        })
        .collect();
    pairs.sort();
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

/// Everything but unreserved characters becomes `%XX`.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Percent-decodes what can be decoded and keeps the rest.
fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = tail.get(..2).filter(|_| byte == b'%');
        let escaped = escaped.and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(decoded) = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(decoded);
            rest = &tail[2..];
        } else {
            out.push(byte);
            rest = tail;
        }
    }
    out
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
