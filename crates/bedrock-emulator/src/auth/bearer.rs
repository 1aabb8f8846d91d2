//! Amazon Bedrock API keys (`AWS_BEARER_TOKEN_BEDROCK`).
//!
//! A long-term key is a secret that the configuration lists. A short-term key is a presigned call of
//! `CallWithBearerToken`, in base 64: it is verified like any signature, and says itself how long it
//! is good for (AWS's token generator; service authorization reference).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use time::{Duration, OffsetDateTime};

use super::{Door, clock, query_signed};
use crate::{
    emulator::Credential,
    error::{ApiError, Code},
    headers::Headers,
    identity::{Bearer, Identities, Principal},
    route::form_value,
    sigv4::{self, Authorization, SigningKeys, ToSign},
    wire::Request,
};

const LONG_TERM: &str = "ABSK";
const SHORT_TERM: &str = "bedrock-api-key-";
const HOST: &str = "bedrock.amazonaws.com";
const LONGEST: Duration = Duration::hours(12);

/// The token in an `Authorization: Bearer …`.
pub(super) fn token(header: &str) -> Option<&str> {
    let scheme = header.get(..7)?;
    let bearer = scheme.eq_ignore_ascii_case("bearer ");
    bearer.then(|| header[7..].trim())
}

pub(super) fn authenticate(
    identities: &Identities,
    door: &Door<'_>,
    token: &str,
    request: &Request,
    now: OffsetDateTime,
) -> Result<Arc<Principal>, ApiError> {
    if let Some(presigned) = token.strip_prefix(SHORT_TERM) {
        let region = region(request).unwrap_or(door.region);
        return short_term(identities, door, presigned, region, now);
    }
    if !token.starts_with(LONG_TERM) {
        return Err(ApiError::front_door(
            Code::AccessDenied,
            "Invalid API Key format: Must start with pre-defined prefix",
        ));
    }
    identities.api_key(token).cloned().ok_or_else(invalid)
}

/// `us-west-2` of `bedrock-runtime.us-west-2.amazonaws.com`.
fn region(request: &Request) -> Option<&str> {
    let host = request.header("host")?;
    let (service, rest) = host.split_once('.')?;
    service
        .starts_with("bedrock")
        .then(|| rest.split('.').next())?
}

/// Whatever is wrong with a key, it is told in the same words (recorded, also for the key of another
/// region); only expiry has words of its own (chosen: none are recorded).
fn invalid() -> ApiError {
    ApiError::front_door(
        Code::AccessDenied,
        "Authentication failed: Please make sure your API Key is valid.",
    )
}

/// Whose key it says it is, unverified.
pub(super) fn claimed(identities: &Identities, token: &str) -> Option<Arc<Principal>> {
    let Some(presigned) = token.strip_prefix(SHORT_TERM) else {
        return identities.api_key(token).cloned();
    };
    let url = String::from_utf8(STANDARD.decode(presigned).ok()?).ok()?;
    let (_, query) = url.split_once('?')?;
    let principal = super::owner(identities, &form_value(query, "X-Amz-Credential")?)?;
    Some(short_term_of(&principal))
}

fn short_term(
    identities: &Identities,
    door: &Door<'_>,
    presigned: &str,
    region: &str,
    now: OffsetDateTime,
) -> Result<Arc<Principal>, ApiError> {
    let bytes = STANDARD.decode(presigned).map_err(|_| invalid())?;
    let url = String::from_utf8(bytes).map_err(|_| invalid())?;
    let (path, query) = url.split_once('?').ok_or_else(invalid)?;
    let is_call = form_value(query, "Action").as_deref() == Some("CallWithBearerToken");
    let credential = form_value(query, "X-Amz-Credential").unwrap_or_default();
    let right_region = credential.split('/').nth(2) == Some(region);
    if path.strip_prefix(HOST) != Some("/") || !is_call || !right_region {
        return Err(invalid());
    }
    let headers = Headers::from_iter([("host", HOST)]);
    let request = ToSign {
        method: "POST",
        path: "/",
        query,
        // The version was added after signing.
        without: &["X-Amz-Signature", "Version"],
        headers: &headers,
        body: b"",
    };
    let door = Door {
        signing_name: "bedrock",
        ..*door
    };
    let known = query_signed(identities, &door, &request, LONGEST, now).map_err(|error| {
        let expired =
            error.code() == Code::ExpiredToken || error.message().starts_with("Signature expired");
        if expired {
            ApiError::front_door(Code::AccessDenied, "Bearer Token has expired")
        } else {
            invalid()
        }
    })?;
    Ok(short_term_of(&known.principal))
}

fn short_term_of(principal: &Principal) -> Arc<Principal> {
    let mut principal = principal.clone();
    principal.bearer = Some(Bearer::ShortTerm);
    Arc::new(principal)
}

/// A short-term Amazon Bedrock API key, as AWS's token generator makes it: good in one region, from
/// `now` for as long as `lasts` (at most twelve hours), with the rights of `credential`.
pub fn short_term_api_key(
    credential: &Credential,
    region: &str,
    now: OffsetDateTime,
    lasts: Duration,
) -> String {
    let date = clock::basic(now);
    let day = &date[..8];
    let scope = Authorization {
        access_key_id: &credential.access_key_id,
        date: day,
        region,
        service: "bedrock",
        terminator: "aws4_request",
        signed_headers: "host",
        signature: "",
    };
    let id = &credential.access_key_id;
    let named = sigv4::encoded(&format!("{id}/{day}/{region}/bedrock/aws4_request"));
    let expires = lasts.min(LONGEST).whole_seconds();
    let mut query = format!(
        "Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={named}\
         &X-Amz-Date={date}&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host"
    );
    if let Some(token) = &credential.session_token {
        query.push_str("&X-Amz-Security-Token=");
        query.push_str(&sigv4::encoded(token));
    }
    let request = ToSign {
        method: "POST",
        path: "/",
        query: &query,
        without: &[],
        headers: &Headers::from_iter([("host", HOST)]),
        body: b"",
    };
    let keys = &mut SigningKeys::default();
    let signature = sigv4::signature(keys, &credential.secret_access_key, &scope, &date, &request);
    let signature = sigv4::text(&signature);
    let url = format!("{HOST}/?{query}&X-Amz-Signature={signature}&Version=1");
    format!("{SHORT_TERM}{}", STANDARD.encode(url))
}
