//! `AssumeRoleWithWebIdentity`: temporary credentials of a role, for whom an identity provider vouches
//! with a token. Nobody signs: a pipeline has no key, and that is the point of it.
//!
//! Every claim is taken at its word, as far as the role's trust policy asks for it: the emulator is
//! offline and has no provider's public keys, so the token's signature is not checked. On AWS it is,
//! against the keys of a provider that the account has registered.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    error::{ApiError, Code},
    identity::{Kept, Principal, Session},
    neighbour::OwnCode,
    policy::{Context, Grant, Policies},
    service::{Call, Plain, Route, Told},
};

use super::{
    NAMESPACE, VERSION,
    assume_role::{CHARACTERS, session_policies},
    issue::{Checks, invalid, issue, write, write_user},
};

pub(super) const OPERATION: Plain = Plain {
    name: "AssumeRoleWithWebIdentity",
    route: Route::Query {
        action: "AssumeRoleWithWebIdentity",
        version: VERSION,
    },
    // The role's trust policy decides, below.
    permission: None,
    answer,
};

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// Not in common with other operations: the codes and status are the service model's.
static INVALID_TOKEN: OwnCode = OwnCode::new("InvalidIdentityToken", 400);
static EXPIRED_TOKEN: OwnCode = OwnCode::new("ExpiredTokenException", 400);

struct Asked {
    role_arn: String,
    session_name: String,
    seconds: u32,
    policies: Policies,
    token: String,
}

/// What the identity provider says about whoever holds its token.
struct Claims {
    /// Without `https://`: as IAM names providers.
    issuer: String,
    subject: String,
    audience: Vec<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let asked = parse(call)?;
    let claims = Claims::read(call, &asked.token)?;
    let account = asked.role_arn.split(':').nth(4).unwrap_or_default();
    let provider = format!("arn:aws:iam::{account}:oidc-provider/{}", claims.issuer);
    let role = trusted(call, &asked, &claims, &provider)?;
    if asked.seconds > role.max_session_seconds {
        return Err(invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let session = Session {
        role: Some(asked.role_arn.clone()),
        policies: asked.policies,
        issued_at: call.now,
        tags: Vec::new(),
        actor: None,
    };
    let name = &asked.session_name;
    let principal = Principal::assumed(&asked.role_arn, name, role.policies, session);
    let (arn, user_id) = (principal.arn.clone(), principal.user_id());
    let credential = issue(call, principal, asked.seconds);
    Ok(call.xml(NAMESPACE, OPERATION.name, |xml| {
        xml.text(
            "Audience",
            claims.audience.first().map_or("", String::as_str),
        );
        write_user(xml, &arn, &user_id);
        xml.text("Provider", &provider);
        write(xml, &credential);
        xml.text("SubjectFromWebIdentityToken", &claims.subject);
    }))
}

fn parse(call: &Call<'_>) -> Result<Asked, ApiError> {
    let mut checks = Checks::default();
    let role_arn = checks.required(call, "RoleArn", (20, 2_048), None);
    let session_name = checks.required(call, "RoleSessionName", (2, 64), Some(CHARACTERS));
    let token = checks.required(call, "WebIdentityToken", (4, 20_000), None);
    let seconds = checks.seconds(call, 3_600, (900, 43_200))?;
    checks.finish()?;
    let policies = session_policies(call.parameter("Policy").as_deref())?;
    Ok(Asked {
        role_arn,
        session_name,
        seconds,
        policies,
        token,
    })
}

impl Claims {
    fn read(call: &Call<'_>, token: &str) -> Result<Self, ApiError> {
        let claims = payload(token).ok_or_else(|| {
            // The sentence of people's bug reports.
            refused(
                "The ID Token provided is not a valid JWT. (You may see this error if you sent an \
                 Access Token)",
            )
        })?;
        let text = |name: &str| claims[name].as_str().map(str::to_owned);
        // Chosen: what AWS says to each of these is not in the evidence.
        let missing = |name: &str| refused(format!("Missing a required claim: {name}"));
        let issuer = text("iss").ok_or_else(|| missing("iss"))?;
        let issuer = issuer.strip_prefix("https://").map(str::to_owned);
        let issuer = issuer.ok_or_else(|| refused("The issuer must begin with https://"))?;
        let subject = text("sub").ok_or_else(|| missing("sub"))?;
        let audience = match &claims["aud"] {
            Value::String(one) => vec![one.clone()],
            Value::Array(several) => {
                let texts = several.iter().filter_map(Value::as_str);
                texts.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        if audience.is_empty() {
            return Err(missing("aud"));
        }
        let expires = claims["exp"].as_i64().ok_or_else(|| missing("exp"))?;
        let now = call.now.unix_timestamp();
        if now >= expires {
            return Err(ApiError::own(
                &EXPIRED_TOKEN,
                format!(
                    "Token expired: current date/time {now} must be before the expiration \
                     date/time {expires}"
                ),
            ));
        }
        Ok(Self {
            issuer,
            subject,
            audience,
        })
    }
}

/// The claims of a JSON web token.
fn payload(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || signature.is_empty() {
        return None;
    }
    let object = |part: &str| -> Option<Value> {
        let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
        let value: Value = serde_json::from_slice(&bytes).ok()?;
        value.is_object().then_some(value)
    };
    object(header)?;
    object(payload)
}

fn refused(message: impl Into<String>) -> ApiError {
    ApiError::own(&INVALID_TOKEN, message)
}

/// The role, if its trust policy trusts this provider about these claims. A role that is not there
/// reads like one that trusts somebody else.
fn trusted(
    call: &Call<'_>,
    asked: &Asked,
    claims: &Claims,
    provider: &str,
) -> Result<Kept, ApiError> {
    let issuer = &claims.issuer;
    let mut extra = vec![
        (format!("{issuer}:sub"), claims.subject.clone()),
        ("sts:RoleSessionName".to_owned(), asked.session_name.clone()),
    ];
    let audience = claims.audience.iter();
    extra.extend(audience.map(|audience| (format!("{issuer}:aud"), audience.clone())));
    let context = Context {
        request: Some(call.request),
        now: Some(call.now),
        region: call.region,
        resource: &asked.role_arn,
        extra: &extra,
        ..Context::default()
    };
    let role = call.emulator.identities().role(&asked.role_arn).cloned();
    let trust = role.as_ref().and_then(|role| role.trust.as_ref());
    let grant = trust.map(|trust| trust.trusts_provider(ACTION, provider, &context));
    match (role, grant) {
        (Some(role), Some(Grant::Caller)) => Ok(role),
        _ => Err(ApiError::front_door(
            Code::AccessDenied,
            format!("Not authorized to perform {ACTION}"),
        )),
    }
}
