//! Who calls: `SigV4` signatures in headers and presigned queries, and Bedrock API keys; and how AWS
//! refuses them.
//!
//! The order of checks: is there an `Authorization` at all, can it be read, is the key known, is
//! the session token the right one, is the clock right, is the signature right.

mod bearer;
mod clock;

use std::{borrow::Cow, sync::Arc};

use time::{Duration, OffsetDateTime};

use crate::{
    error::{ApiError, Code},
    identity::{Identities, Known, Principal},
    journal::Caller,
    route::form_value,
    service::Protocol,
    sigv4::{self, Authorization, ToSign},
    wire::Request,
};

pub use bearer::short_term_api_key;

/// The service that is called, as far as authentication cares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Door<'a> {
    /// Its name in the credential scope.
    pub(crate) signing_name: &'static str,
    pub(crate) protocol: Protocol,
    /// The region that unsigned requests and API keys are for.
    pub(crate) region: &'a str,
}

/// What the request says about its caller, verified or not.
pub(crate) fn caller(request: &Request) -> Caller {
    let mut caller = Caller {
        session: request.header("x-amz-security-token").is_some(),
        ..Caller::default()
    };
    let header = request.header("authorization").unwrap_or_default();
    let anthropic_key = header.is_empty() && request.header("x-api-key").is_some();
    if bearer::token(header).is_some() || anthropic_key {
        caller.bearer = true;
    } else if let Ok(authorization) = Authorization::parse(header) {
        caller.access_key_id = Some(authorization.access_key_id.to_owned());
        caller.region = Some(authorization.region.to_owned());
        caller.service = Some(authorization.service.to_owned());
    }
    caller
}

/// The region of the credential scope.
pub(crate) fn region(request: &Request) -> Option<Cow<'_, str>> {
    if let Some(header) = request.header("authorization") {
        return Some(Authorization::parse(header).ok()?.region.into());
    }
    let (_, query) = request.target.split_once('?')?;
    let (_, query) = query.split_once("X-Amz-Credential=")?;
    let credential = sigv4::decoded(query.split('&').next()?);
    Some(credential.split('/').nth(2)?.to_owned().into())
}

/// Who the request says it is, unverified: for an emulator that verifies nothing. Only the name of a
/// known key counts; what surrounds it may be garbage.
pub(crate) fn claimed(identities: &Identities, request: &Request) -> Option<Arc<Principal>> {
    let Some(header) = request.header("authorization").map(str::trim) else {
        if let Some(key) = request.header("x-api-key") {
            return bearer::claimed(identities, key.trim());
        }
        let (_, query) = request.target.split_once('?')?;
        return owner(identities, &form_value(query, "X-Amz-Credential")?);
    };
    if let Some(token) = bearer::token(header) {
        return bearer::claimed(identities, token);
    }
    let (_, credential) = header.split_once("Credential=")?;
    owner(identities, credential)
}

/// Whose key a credential scope begins with.
fn owner(identities: &Identities, credential: &str) -> Option<Arc<Principal>> {
    let end = credential.find(['/', ',', ' ']);
    let access_key_id = &credential[..end.unwrap_or(credential.len())];
    let known = identities.known(access_key_id)?;
    Some(Arc::clone(&known.principal))
}

/// Verifies a request, or answers as AWS does.
pub(crate) fn authenticate(
    identities: &Identities,
    door: &Door<'_>,
    request: &Request,
    now: OffsetDateTime,
) -> Result<Arc<Principal>, ApiError> {
    let header = request.header("authorization").map(str::trim);
    // Anthropic's clients may send an API key under Anthropic's own name.
    if let (None, Some(key)) = (header, request.header("x-api-key"))
        && door.protocol == Protocol::Anthropic
    {
        return bearer::authenticate(identities, door, key.trim(), request, now);
    }
    let Some(header) = header.filter(|header| !header.is_empty()) else {
        if request.target.contains("X-Amz-Signature=") {
            return presigned(identities, door, request, now);
        }
        return Err(missing(door.protocol));
    };
    if let Some(token) = bearer::token(header) {
        return bearer::authenticate(identities, door, token, request, now);
    }
    let authorization = Authorization::parse(header).map_err(incomplete)?;
    let token = request.header("x-amz-security-token");
    let known = known(identities, authorization.access_key_id, token, now)?;
    scope(&authorization, door.signing_name)?;
    let (date, time) = sent_at(request, &authorization)?;
    clock::skew(date, time, now)?;
    let (path, query) = sigv4::split(&request.target);
    let signed = ToSign {
        method: &request.method,
        path,
        query,
        without: &[],
        headers: &request.headers,
        body: &request.body,
    };
    signature(known, &authorization, date, &signed)?;
    payload(request, &authorization, date, &signed)?;
    Ok(Arc::clone(&known.principal))
}

/// Bedrock's words (recorded) are not those of the query services.
fn missing(protocol: Protocol) -> ApiError {
    match protocol {
        Protocol::Query { .. } => ApiError::front_door(
            Code::MissingAuthenticationToken,
            "Request is missing Authentication Token",
        ),
        _ => ApiError::front_door(Code::AccessDenied, "Authorization header is missing"),
    }
}

/// The key pair, if the session token is the one that belongs to it and it has not expired.
fn known<'i>(
    identities: &'i Identities,
    access_key_id: &str,
    token: Option<&str>,
    now: OffsetDateTime,
) -> Result<&'i Known, ApiError> {
    let known = identities.known(access_key_id);
    let known = known.filter(|k| k.credential.session_token.as_deref() == token);
    let known = known.ok_or_else(|| {
        ApiError::signature(
            Code::UnrecognizedClient,
            "The security token included in the request is invalid.",
        )
    })?;
    if known.credential.expires_at.is_some_and(|end| now >= end) {
        return Err(ApiError::signature(
            Code::ExpiredToken,
            "The security token included in the request is expired",
        ));
    }
    Ok(known)
}

/// AWS's general texts; no recording shows them for Bedrock. Any region is accepted: one emulator
/// stands for all.
fn scope(authorization: &Authorization<'_>, signing_name: &str) -> Result<(), ApiError> {
    if authorization.service != signing_name {
        return Err(invalid(format!(
            "Credential should be scoped to correct service: '{signing_name}'."
        )));
    }
    if authorization.terminator != "aws4_request" {
        return Err(invalid(
            "Credential should be scoped with a valid terminator: 'aws4_request'.",
        ));
    }
    let region = authorization.region;
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if region.split('-').count() < 3 || !region.bytes().all(legal) {
        return Err(invalid("Credential should be scoped to a valid region."));
    }
    let mut signed = authorization.signed_headers.split(';');
    if !signed.any(|name| matches!(name, "host" | ":authority")) {
        return Err(invalid(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ));
    }
    Ok(())
}

/// The moment of signing, from `x-amz-date`.
fn sent_at<'r>(
    request: &'r Request,
    authorization: &Authorization<'_>,
) -> Result<(&'r str, OffsetDateTime), ApiError> {
    let Some(text) = request.header("x-amz-date") else {
        return Err(incomplete(format!(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
             Authorization={}",
            request.header("authorization").unwrap_or_default()
        )));
    };
    Ok((text, clock::signed_on(text, authorization)?))
}

/// Bedrock sometimes tells what it would have signed; we always do, because it teaches most.
fn signature(
    known: &Known,
    authorization: &Authorization<'_>,
    date: &str,
    signed: &ToSign<'_>,
) -> Result<(), ApiError> {
    let secret = &known.credential.secret_access_key;
    let expected =
        known.signing(|keys| sigv4::signature(keys, secret, authorization, date, signed));
    if authorization.signature.as_bytes() == expected {
        return Ok(());
    }
    Err(mismatch(authorization, date, signed))
}

fn mismatch(authorization: &Authorization<'_>, date: &str, signed: &ToSign<'_>) -> ApiError {
    let (canonical, string) = sigv4::explain(authorization, date, signed);
    invalid(format!(
        "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method. Consult the service documentation for \
         details.\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n\
         The String-to-Sign should have been\n'{string}'\n"
    ))
}

/// `x-amz-content-sha256` must be the body's: Bedrock takes no unsigned payloads (chosen; no
/// recording shows a wrong one). The canonical request in the answer shows the right one.
fn payload(
    request: &Request,
    authorization: &Authorization<'_>,
    date: &str,
    signed: &ToSign<'_>,
) -> Result<(), ApiError> {
    let Some(claimed) = request.header("x-amz-content-sha256") else {
        return Ok(());
    };
    let hash = sigv4::payload_hash(&request.body);
    if claimed.trim().eq_ignore_ascii_case(sigv4::text(&hash)) {
        return Ok(());
    }
    Err(mismatch(authorization, date, signed))
}

/// A signature in the query string.
fn presigned(
    identities: &Identities,
    door: &Door<'_>,
    request: &Request,
    now: OffsetDateTime,
) -> Result<Arc<Principal>, ApiError> {
    let (path, query) = sigv4::split(&request.target);
    let request = ToSign {
        method: &request.method,
        path,
        query,
        without: &["X-Amz-Signature"],
        headers: &request.headers,
        body: &request.body,
    };
    let longest = Duration::days(7);
    let known = query_signed(identities, door, &request, longest, now)?;
    Ok(Arc::clone(&known.principal))
}

/// Verifies a signature that stands in the query string.
fn query_signed<'i>(
    identities: &'i Identities,
    door: &Door<'_>,
    request: &ToSign<'_>,
    longest: Duration,
    now: OffsetDateTime,
) -> Result<&'i Known, ApiError> {
    let value = |name: &str| form_value(request.query, name);
    let wanted = |name: &str| {
        let missing = || {
            incomplete(format!(
                "AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."
            ))
        };
        value(name).ok_or_else(missing)
    };
    let credential = wanted("X-Amz-Credential")?;
    let signed_headers = wanted("X-Amz-SignedHeaders")?;
    let signature_sent = wanted("X-Amz-Signature")?;
    let date = wanted("X-Amz-Date")?;
    let expires = wanted("X-Amz-Expires")?;
    let authorization =
        Authorization::new(&credential, &signed_headers, &signature_sent).map_err(incomplete)?;
    let token = value("X-Amz-Security-Token");
    let known = known(
        identities,
        authorization.access_key_id,
        token.as_deref(),
        now,
    )?;
    scope(&authorization, door.signing_name)?;
    let signed_on = clock::signed_on(&date, &authorization)?;
    let seconds = expires.parse().ok().map(Duration::seconds);
    let lasts = seconds.filter(|s| s.is_positive() && *s <= longest);
    let Some(lasts) = lasts else {
        return Err(invalid(format!(
            "X-Amz-Expires must be between 1 and {} seconds",
            longest.whole_seconds()
        )));
    };
    clock::expiry(&date, signed_on, lasts, now)?;
    signature(known, &authorization, &date, request)?;
    Ok(known)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::signature(Code::InvalidSignature, message)
}

fn incomplete(message: String) -> ApiError {
    ApiError::signature(Code::IncompleteSignature, message)
}
