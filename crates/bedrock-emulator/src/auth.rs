//! Who calls: `SigV4` signatures and Bedrock API keys, and how AWS refuses them.
//!
//! The order of checks: is there an `Authorization` at all, can it be read, is the key known, is
//! the session token the right one, is the clock right, is the signature right.

use time::{Date, Duration, Month, OffsetDateTime, Time};

use crate::{
    emulator::Credential,
    error::{ApiError, Code},
    identity::{Identities, Principal},
    journal::Caller,
    sigv4::{self, Authorization},
    wire::Request,
};

/// What the request says about its caller, verified or not.
pub(crate) fn caller(request: &Request) -> Caller {
    let mut caller = Caller {
        session: request.header("x-amz-security-token").is_some(),
        ..Caller::default()
    };
    let header = request.header("authorization").unwrap_or_default();
    if is_bearer(header) {
        caller.bearer = true;
    } else if let Ok(authorization) = Authorization::parse(header) {
        caller.access_key_id = Some(authorization.access_key_id);
        caller.region = Some(authorization.region);
        caller.service = Some(authorization.service);
    }
    caller
}

/// Verifies a request to the service with this signing name, or answers as AWS does.
pub(crate) fn authenticate(
    identities: &Identities,
    signing_name: &str,
    request: &Request,
    now: OffsetDateTime,
) -> Result<Principal, ApiError> {
    let header = request.header("authorization").map(str::trim);
    let Some(header) = header.filter(|header| !header.is_empty()) else {
        return Err(ApiError::front_door(
            Code::AccessDenied,
            "Authorization header is missing",
        ));
    };
    if is_bearer(header) {
        return bearer(identities, header[6..].trim());
    }
    let authorization = Authorization::parse(header).map_err(incomplete)?;
    let credential = credential(identities, &authorization, request, now)?;
    scope(&authorization, signing_name)?;
    let sent = sent_at(request, &authorization)?;
    skew(&sent, now)?;
    signature(request, &authorization, &sent, credential)?;
    Ok(identities.principal(credential.arn.clone(), false))
}

fn is_bearer(header: &str) -> bool {
    header
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "))
}

fn bearer(identities: &Identities, token: &str) -> Result<Principal, ApiError> {
    if !token.starts_with("ABSK") && !token.starts_with("bedrock-api-key-") {
        return Err(ApiError::front_door(
            Code::AccessDenied,
            "Invalid API Key format: Must start with pre-defined prefix",
        ));
    }
    let known = identities.api_key(token).ok_or_else(|| {
        ApiError::front_door(
            Code::AccessDenied,
            "Authentication failed: Please make sure your API Key is valid.",
        )
    })?;
    Ok(identities.principal(known.arn.clone(), true))
}

fn credential<'c>(
    identities: &'c Identities,
    authorization: &Authorization,
    request: &Request,
    now: OffsetDateTime,
) -> Result<&'c Credential, ApiError> {
    let token = request.header("x-amz-security-token");
    let known = identities
        .credential(&authorization.access_key_id)
        .filter(|c| c.session_token.as_deref() == token);
    let known = known.ok_or_else(|| {
        ApiError::signature(
            Code::UnrecognizedClient,
            "The security token included in the request is invalid.",
        )
    })?;
    if known.expires_at.is_some_and(|end| now >= end) {
        return Err(ApiError::signature(
            Code::ExpiredToken,
            "The security token included in the request is expired",
        ));
    }
    Ok(known)
}

/// AWS's general texts; no recording shows them for Bedrock. Any region is accepted: one emulator
/// stands for all.
fn scope(authorization: &Authorization, signing_name: &str) -> Result<(), ApiError> {
    if authorization.service != signing_name {
        return Err(ApiError::signature(
            Code::InvalidSignature,
            format!("Credential should be scoped to correct service: '{signing_name}'."),
        ));
    }
    if authorization.terminator != "aws4_request" {
        return Err(ApiError::signature(
            Code::InvalidSignature,
            "Credential should be scoped with a valid terminator: 'aws4_request'.",
        ));
    }
    let region = &authorization.region;
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.split('-').count() < 3 || !region.chars().all(legal) {
        return Err(ApiError::signature(
            Code::InvalidSignature,
            "Credential should be scoped to a valid region.",
        ));
    }
    let hosts = ["host", ":authority"];
    if !authorization
        .signed_headers
        .iter()
        .any(|h| hosts.contains(&h.as_str()))
    {
        return Err(ApiError::signature(
            Code::InvalidSignature,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ));
    }
    Ok(())
}

/// The moment of signing, from `x-amz-date`.
struct Sent {
    text: String,
    time: OffsetDateTime,
}

fn sent_at(request: &Request, authorization: &Authorization) -> Result<Sent, ApiError> {
    let Some(text) = request.header("x-amz-date") else {
        return Err(incomplete(format!(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
             Authorization={}",
            request.header("authorization").unwrap_or_default()
        )));
    };
    let time = parse_basic(text).ok_or_else(|| {
        incomplete(format!(
            "Date must be in ISO-8601 'basic format'. Got '{text}'. See \
             http://en.wikipedia.org/wiki/ISO_8601"
        ))
    })?;
    if !text.starts_with(&authorization.date) || authorization.date.len() != 8 {
        return Err(ApiError::signature(
            Code::InvalidSignature,
            format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{}' != '{}', from '{text}'.",
                authorization.date,
                text.get(..8).unwrap_or_default()
            ),
        ));
    }
    Ok(Sent {
        text: text.to_owned(),
        time,
    })
}

/// Reads `20260819T143434Z`.
fn parse_basic(text: &str) -> Option<OffsetDateTime> {
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u16>().ok())?
    };
    if text.len() != 16 || text.as_bytes()[8] != b'T' || !text.ends_with('Z') {
        return None;
    }
    let small = |range| u8::try_from(digits(range)?).ok();
    let month = Month::try_from(small(4..6)?).ok()?;
    let date = Date::from_calendar_date(i32::from(digits(0..4)?), month, small(6..8)?).ok()?;
    let time = Time::from_hms(small(9..11)?, small(11..13)?, small(13..15)?).ok()?;
    Some(date.with_time(time).assume_utc())
}

/// Five minutes either way.
fn skew(sent: &Sent, now: OffsetDateTime) -> Result<(), ApiError> {
    let window = Duration::minutes(5);
    let (now_text, text) = (basic(now), &sent.text);
    if sent.time < now - window {
        let earliest = basic(now - window);
        return Err(ApiError::signature(
            Code::InvalidSignature,
            format!(
                "Signature expired: {text} is now earlier than {earliest} ({now_text} - 5 min.)"
            ),
        ));
    }
    if sent.time > now + window {
        let latest = basic(now + window);
        return Err(ApiError::signature(
            Code::InvalidSignature,
            format!(
                "Signature not yet current: {text} is still later than {latest} \
                 ({now_text} + 5 min.)"
            ),
        ));
    }
    Ok(())
}

/// `20260819T143434Z`.
fn basic(time: OffsetDateTime) -> String {
    let time = time.to_offset(time::UtcOffset::UTC);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// Bedrock sometimes tells what it would have signed; we always do, because it teaches most.
fn signature(
    request: &Request,
    authorization: &Authorization,
    sent: &Sent,
    credential: &Credential,
) -> Result<(), ApiError> {
    let secret = &credential.secret_access_key;
    let expected = sigv4::expected(request, authorization, &sent.text, secret);
    if expected.signature == authorization.signature {
        return Ok(());
    }
    Err(ApiError::signature(
        Code::InvalidSignature,
        format!(
            "The request signature we calculated does not match the signature you provided. Check \
             your AWS Secret Access Key and signing method. Consult the service documentation for \
             details.\n\nThe Canonical String for this request should have been\n'{}'\n\n\
             The String-to-Sign should have been\n'{}'\n",
            expected.canonical_request, expected.string_to_sign
        ),
    ))
}

fn incomplete(message: String) -> ApiError {
    ApiError::signature(Code::IncompleteSignature, message)
}
