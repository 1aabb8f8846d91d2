//! `AssumeRole`: temporary credentials of a role, for who its trust policy and their own policies
//! let have them.

use serde_json::Value;

use crate::{
    error::{ApiError, Code},
    identity::{Kept, Principal, Session},
    policy::{Decision, Grant, Inquiry, Layer, NamedPolicy, Policies},
    service::{Call, Plain, Route, Told},
};

use super::{
    NAMESPACE, VERSION,
    issue::{Checks, Pattern, invalid, issue, write, write_user},
};

pub(super) const OPERATION: Plain = Plain {
    name: "AssumeRole",
    route: Route::Query {
        action: "AssumeRole",
        version: VERSION,
    },
    // Asked below: it needs the role's trust as well.
    permission: None,
    answer,
};

const ACTION: &str = "sts:AssumeRole";

/// What the name of a session is made of.
pub(super) const CHARACTERS: Pattern = ("[\\w+=,.@-]*", |c| {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
});

/// A role that is assumed by a role is so for at most an hour (IAM user guide, "role chaining").
const CHAINED_MAX: u32 = 3_600;

struct Asked {
    role_arn: String,
    session_name: String,
    seconds: u32,
    policy: Option<String>,
    tags: Vec<(String, String)>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let asked = parse(call)?;
    let policies = session_policies(asked.policy.as_deref())?;
    let role = authorize(call, &asked)?;
    duration(call, &asked, &role)?;
    let session = Session {
        role: Some(asked.role_arn.clone()),
        policies,
        issued_at: call.now,
        tags: asked.tags,
        // The same code goes on under another name.
        actor: call.principal.session.as_ref().and_then(|s| s.actor),
    };
    let name = &asked.session_name;
    let principal = Principal::assumed(&asked.role_arn, name, role.policies, session);
    let (arn, user_id) = (principal.arn.clone(), principal.user_id());
    let credential = issue(call, principal, asked.seconds);
    Ok(call.xml(NAMESPACE, OPERATION.name, |xml| {
        write_user(xml, &arn, &user_id);
        write(xml, &credential);
        if let Some(policy) = &asked.policy {
            // Percent of what a packed policy may take (chosen: the packed form is not public).
            let percent = (policy.len() * 100).div_ceil(2_048).min(100);
            xml.text("PackedPolicySize", &percent.to_string());
        }
    }))
}

fn parse(call: &Call<'_>) -> Result<Asked, ApiError> {
    let mut checks = Checks::default();
    let role_arn = checks.required(call, "RoleArn", (20, 2_048), None);
    let session_name = checks.required(call, "RoleSessionName", (2, 64), Some(CHARACTERS));
    let seconds = checks.seconds(call, 3_600, (900, 43_200))?;
    checks.finish()?;
    let resource = role_arn.splitn(6, ':').nth(5).unwrap_or_default();
    if !role_arn.starts_with("arn:") || !resource.starts_with("role/") {
        return Err(invalid(format!("{role_arn} is invalid")));
    }
    let tags = (1..=50).map_while(|n| {
        let part = |name| call.parameter(&format!("Tags.member.{n}.{name}"));
        Some((part("Key")?, part("Value")?))
    });
    Ok(Asked {
        tags: tags.collect(),
        role_arn,
        session_name,
        seconds,
        policy: call.parameter("Policy"),
    })
}

pub(super) fn session_policies(document: Option<&str>) -> Result<Policies, ApiError> {
    let Some(text) = document else {
        return Ok(Policies::default());
    };
    let malformed = |problem: String| ApiError::signature(Code::MalformedPolicyDocument, problem);
    let document: Value = serde_json::from_str(text)
        .map_err(|_| malformed("This policy contains invalid Json".to_owned()))?;
    let policy = NamedPolicy {
        name: "session policy".to_owned(),
        document,
    };
    Policies::named(&[policy]).map_err(|error| malformed(error.to_string()))
}

/// In its own account a caller that the trust policy names needs nothing else; whose account is
/// named, or who comes from another account, needs a policy that allows it (IAM user guide,
/// "cross-account policy evaluation logic").
fn authorize(call: &mut Call<'_>, asked: &Asked) -> Result<Kept, ApiError> {
    let mut extra = vec![("sts:RoleSessionName".to_owned(), asked.session_name.clone())];
    for name in ["ExternalId", "SourceIdentity"] {
        let value = call.parameter(name);
        extra.extend(value.map(|value| (format!("sts:{name}"), value)));
    }
    for (key, value) in &asked.tags {
        extra.push((format!("aws:RequestTag/{key}"), value.clone()));
        extra.push(("aws:TagKeys".to_owned(), key.clone()));
    }
    let mut rules = call.account.rules(call.principal);
    rules.endpoint = call.emulator.endpoint_policies(call.request);
    let inquiry = Inquiry {
        principal: call.caller.clone(),
        rules,
        region: call.region.to_owned(),
        now: call.now,
        profile: None,
        extra,
        asked: vec![(ACTION, asked.role_arn.clone())],
    };
    let role = call.emulator.identities().role(&asked.role_arn).cloned();
    let context = inquiry.context(&asked.role_arn, call.request);
    let principal = call.principal;
    let trust = role.as_ref().and_then(|role| role.trust.as_ref());
    let grant = trust.map_or(Grant::Nothing, |trust| {
        let arns = [principal.arn.as_str(), principal.policy_arn()];
        trust.trusts(ACTION, &arns, &principal.account, &context)
    });
    let verdict = inquiry.rules.decide(ACTION, &asked.role_arn, &context);
    let same_account = asked.role_arn.split(':').nth(4) == Some(principal.account.as_str());
    let named = grant == Grant::Caller && same_account;
    let result = match (role, grant, verdict) {
        (_, Grant::Denied | Grant::Nothing, _) | (None, ..) => Err(untrusted(principal, asked)),
        (Some(role), _, (Decision::Allow, _)) => Ok(role),
        (Some(role), _, (Decision::ImplicitDeny, Layer::Identity)) if named => Ok(role),
        (Some(_), _, verdict) => {
            let (rules, arn) = (&inquiry.rules, &principal.arn);
            Err(rules.denial(verdict, arn, ACTION, &asked.role_arn, &context))
        }
    };
    if !inquiry.rules.unrestricted() {
        call.inquiry = Some(Box::new(inquiry));
    }
    result
}

/// A role that is not there reads like one that trusts somebody else.
fn untrusted(principal: &Principal, asked: &Asked) -> ApiError {
    let (arn, role) = (&principal.arn, &asked.role_arn);
    ApiError::front_door(
        Code::AccessDenied,
        format!("User: {arn} is not authorized to perform: {ACTION} on resource: {role}"),
    )
}

fn duration(call: &Call<'_>, asked: &Asked, role: &Kept) -> Result<(), ApiError> {
    if asked.seconds > role.max_session_seconds {
        return Err(invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let chained = call
        .principal
        .session
        .as_ref()
        .is_some_and(|s| s.role.is_some());
    if chained && asked.seconds > CHAINED_MAX {
        return Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining",
        ));
    }
    Ok(())
}
