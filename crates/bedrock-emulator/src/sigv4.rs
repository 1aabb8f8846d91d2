//! `SigV4` as a verifier computes it: canonical request, string to sign, signature.
//!
//! Bedrock encodes each segment of the raw path once more than it stood on the wire: wire
//! `v1%3A0` is `v1%253A0` in the canonical request, and a literal `:` is `%3A` (both seen in
//! Bedrock's own answer to a wrong signature).
//!
//! The canonical request is written down and hashed at once: a hash that is fed a hundred pieces costs
//! more. The derived signing keys are kept, so that a request costs two hashes of its own bytes and one
//! short HMAC.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use time::{OffsetDateTime, UtcOffset};

use crate::{emulator::Credential, headers::Headers, wire::Request};

/// `Authorization: AWS4-HMAC-SHA256 …` or a presigned query, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Authorization<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) date: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    pub(crate) terminator: &'a str,
    /// Separated by semicolons.
    pub(crate) signed_headers: &'a str,
    pub(crate) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Takes the header apart, or says in AWS's words what is missing.
    pub(crate) fn parse(header: &'a str) -> Result<Self, String> {
        let header = header.trim();
        let parameters = header.strip_prefix("AWS4-HMAC-SHA256").unwrap_or(header);
        let mut credential = None;
        let mut signed_headers = None;
        let mut signature = None;
        let parts = parameters.split(',').flat_map(|part| part.split(' '));
        for part in parts.filter(|part| !part.is_empty()) {
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
        Self::new(credential, signed_headers, signature)
    }

    /// From its three parameters.
    pub(crate) fn new(
        credential: &'a str,
        signed_headers: &'a str,
        signature: &'a str,
    ) -> Result<Self, String> {
        let mut scope = credential.split('/');
        let parts = [(); 5].map(|()| scope.next());
        let (
            [
                Some(access_key_id),
                Some(date),
                Some(region),
                Some(service),
                Some(terminator),
            ],
            None,
        ) = (parts, scope.next())
        else {
            return Err(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{credential}'"
            ));
        };
        Ok(Self {
            access_key_id,
            date,
            region,
            service,
            terminator,
            signed_headers,
            signature,
        })
    }
}

/// What is signed, as it stood on the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ToSign<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    /// Query parameters that do not count.
    pub(crate) without: &'a [&'a str],
    /// Names in lower case.
    pub(crate) headers: &'a Headers,
    pub(crate) body: &'a [u8],
}

/// The keys derived from one secret, by day, region and service; the last few.
#[derive(Debug, Default)]
pub(crate) struct SigningKeys(Vec<SigningKey>);

#[derive(Debug)]
struct SigningKey {
    date: String,
    region: String,
    service: String,
    /// HMAC with this key, before any message: copying it saves half of the hashing.
    mac: Hmac<Sha256>,
}

/// A client works in a region or two with a service or two; the rest is derived again.
const KEYS_MAX: usize = 8;

impl SigningKeys {
    fn get(&mut self, secret: &str, scope: &Authorization<'_>) -> Hmac<Sha256> {
        let is_it = |key: &&SigningKey| {
            key.date == scope.date && key.region == scope.region && key.service == scope.service
        };
        if let Some(key) = self.0.iter().find(is_it) {
            return key.mac.clone();
        }
        let mac = derive(secret, scope);
        if self.0.len() == KEYS_MAX {
            self.0.remove(0);
        }
        self.0.push(SigningKey {
            date: scope.date.to_owned(),
            region: scope.region.to_owned(),
            service: scope.service.to_owned(),
            mac: mac.clone(),
        });
        mac
    }
}

fn derive(secret: &str, scope: &Authorization<'_>) -> Hmac<Sha256> {
    let mut mac = keyed(format!("AWS4{secret}").as_bytes());
    for part in [scope.date, scope.region, scope.service, "aws4_request"] {
        mac.update(part.as_bytes());
        mac = keyed(&mac.finalize().into_bytes());
    }
    mac
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The signature, in hexadecimal digits.
pub(crate) fn signature(
    keys: &mut SigningKeys,
    secret: &str,
    scope: &Authorization<'_>,
    amz_date: &str,
    request: &ToSign<'_>,
) -> [u8; 64] {
    let mut mac = keys.get(secret, scope);
    let hash = payload_hash(request.canonical(scope.signed_headers).as_bytes());
    mac.update(string_to_sign(amz_date, scope, &hash).as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// Signs a request as that identity: sets `x-amz-date`, `x-amz-security-token` for temporary
/// credentials, and `authorization`. Every header there is gets signed; `host` has to be among them.
pub fn sign(
    request: &mut Request,
    credential: &Credential,
    region: &str,
    service: &str,
    now: OffsetDateTime,
) {
    let now = now.to_offset(UtcOffset::UTC);
    let date = format!(
        "{:04}{:02}{:02}",
        now.year(),
        u8::from(now.month()),
        now.day()
    );
    let (hour, minute, second) = now.to_hms();
    let amz_date = format!("{date}T{hour:02}{minute:02}{second:02}Z");
    request.headers.set("x-amz-date", &amz_date);
    match &credential.session_token {
        Some(token) => request.headers.set("x-amz-security-token", token),
        None => request.headers.remove("x-amz-security-token"),
    }
    request.headers.remove("authorization");
    let mut names: Vec<&str> = request.headers.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    let signed_headers = names.join(";");
    let scope = Authorization {
        access_key_id: &credential.access_key_id,
        date: &date,
        region,
        service,
        terminator: "aws4_request",
        signed_headers: &signed_headers,
        signature: "",
    };
    let (path, query) = split(&request.target);
    let to_sign = ToSign {
        method: &request.method,
        path,
        query,
        without: &[],
        headers: &request.headers,
        body: &request.body,
    };
    let mut keys = SigningKeys::default();
    let secret = &credential.secret_access_key;
    let signature = signature(&mut keys, secret, &scope, &amz_date, &to_sign);
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={}/{date}/{region}/{service}/aws4_request, \
         SignedHeaders={signed_headers}, Signature={}",
        credential.access_key_id,
        text(&signature)
    );
    request.headers.push(("authorization", value));
}

/// The canonical request and the string to sign, for people.
pub(crate) fn explain(
    scope: &Authorization<'_>,
    amz_date: &str,
    request: &ToSign<'_>,
) -> (String, String) {
    let canonical = request.canonical(scope.signed_headers);
    let hash = payload_hash(canonical.as_bytes());
    (canonical, string_to_sign(amz_date, scope, &hash))
}

/// The SHA-256 of a body or of a canonical request, in hexadecimal digits.
pub(crate) fn payload_hash(body: &[u8]) -> [u8; 64] {
    hex(&Sha256::digest(body))
}

/// Hexadecimal digits as text.
pub(crate) fn text(hex: &[u8; 64]) -> &str {
    std::str::from_utf8(hex).unwrap_or_default()
}

fn string_to_sign(amz_date: &str, scope: &Authorization<'_>, hash: &[u8; 64]) -> String {
    [
        "AWS4-HMAC-SHA256\n",
        amz_date,
        "\n",
        scope.date,
        "/",
        scope.region,
        "/",
        scope.service,
        "/",
        scope.terminator,
        "\n",
        text(hash),
    ]
    .concat()
}

/// Enough for the canonical request of an SDK.
const CANONICAL_USUAL: usize = 1024;

impl ToSign<'_> {
    fn canonical(&self, signed_headers: &str) -> String {
        let mut out = String::with_capacity(CANONICAL_USUAL);
        let into = &mut out;
        into.push_str(self.method);
        into.push('\n');
        encode_path(self.path, into);
        into.push('\n');
        if !self.query.is_empty() {
            into.push_str(&canonical_query(self.query, self.without));
        }
        into.push('\n');
        for name in signed_headers.split(';') {
            into.push_str(name);
            into.push(':');
            self.header(name, into);
            into.push('\n');
        }
        into.push('\n');
        into.push_str(signed_headers);
        into.push('\n');
        into.push_str(text(&payload_hash(self.body)));
        out
    }

    /// All values of a header, trimmed, inner runs of spaces folded, joined by commas. An HTTP/2
    /// client may sign `:authority`, which is the host.
    fn header(&self, name: &str, into: &mut String) {
        let name = if name == ":authority" { "host" } else { name };
        let mut values = self.headers.iter().filter(|(n, _)| *n == name).peekable();
        while let Some((_, value)) = values.next() {
            for (i, word) in value.split_ascii_whitespace().enumerate() {
                if i > 0 {
                    into.push(' ');
                }
                into.push_str(word);
            }
            if values.peek().is_some() {
                into.push(',');
            }
        }
    }
}

/// Pairs decoded, encoded alike, and sorted by name and value.
fn canonical_query(query: &str, without: &[&str]) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let alike = |text: &str| {
                let mut encoded = String::with_capacity(text.len());
                encode(&decode(text), &mut encoded);
                encoded
            };
            (alike(name), alike(value))
        })
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .collect();
    pairs.sort();
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

/// A path as it is signed: each segment of the raw path encoded once more.
pub(crate) fn encode_path(path: &str, into: &mut String) {
    for (i, segment) in path.split('/').enumerate() {
        if i > 0 {
            into.push('/');
        }
        encode(segment.as_bytes(), into);
    }
}

/// Everything but unreserved characters becomes `%XX`.
fn encode(bytes: &[u8], into: &mut String) {
    let unreserved = |b: &u8| b.is_ascii_alphanumeric() || b"-_.~".contains(b);
    let mut rest = bytes;
    while !rest.is_empty() {
        let run = rest
            .iter()
            .position(|b| !unreserved(b))
            .unwrap_or(rest.len());
        let (plain, tail) = rest.split_at(run);
        into.push_str(std::str::from_utf8(plain).unwrap_or_default());
        rest = tail;
        if let Some((byte, tail)) = rest.split_first() {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            let (high, low) = (
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            );
            into.push_str(std::str::from_utf8(&[b'%', high, low]).unwrap_or_default());
            rest = tail;
        }
    }
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

/// Percent-decoded text; what is not UTF-8 is replaced.
pub(crate) fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&decode(text)).into_owned()
}

/// Encoded as a query parameter's value.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    encode(text.as_bytes(), &mut out);
    out
}

/// Path and query of a request target.
pub(crate) fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

fn hex(bytes: &[u8]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = [b'0'; 64];
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    out
}
