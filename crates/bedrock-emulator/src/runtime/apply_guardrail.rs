//! `ApplyGuardrail`: a guardrail's opinion on texts, without a model. Keys sorted, nulls explicit
//! (recorded).

use serde::Deserialize;

use crate::{
    error::{ApiError, Code},
    guardrail::{Passage, Qualifier, Scope, Source, applied, assess},
    service::{Call, Permission, Plain, Route, Told},
    violations::{missing, violation},
};

pub(super) const OPERATION: Plain = Plain {
    name: "ApplyGuardrail",
    route: Route::Rest(
        "POST",
        "/guardrail/{guardrailIdentifier}/version/{guardrailVersion}/apply",
    ),
    permission: Some(Permission {
        action: "bedrock:ApplyGuardrail",
        resource: |call| {
            let id = &call.labels[0];
            if id.starts_with("arn:") {
                return id.clone();
            }
            let (region, account) = (call.region, &call.account.id);
            format!("arn:aws:bedrock:{region}:{account}:guardrail/{id}")
        },
    }),
    answer,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    source: Option<String>,
    content: Option<Vec<Content>>,
    output_scope: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Content {
    text: Option<Text>,
    image: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Text {
    text: String,
    #[serde(default)]
    qualifiers: Vec<String>,
}

fn answer(call: &mut Call<'_>) -> Result<Told, ApiError> {
    let request: Request = call.json()?;
    let source = match request.source.as_deref() {
        Some("INPUT") => Source::Input,
        Some("OUTPUT") => Source::Output,
        other => return Err(not_one_of("source", other, "[INPUT, OUTPUT]")),
    };
    let scope = match request.output_scope.as_deref() {
        Some("FULL") => Scope::Full,
        None | Some("INTERVENTIONS") => Scope::Interventions,
        other => return Err(not_one_of("outputScope", other, "[FULL, INTERVENTIONS]")),
    };
    let content = request.content.ok_or_else(|| missing("content"))?;
    let passages = content
        .into_iter()
        .map(passage)
        .collect::<Result<Vec<_>, _>>()?;
    let state = call.account.state();
    let version = state
        .guardrails
        .version(&call.labels[0], Some(&call.labels[1]))
        .map_err(|_| {
            ApiError::bedrock(
                Code::ResourceNotFound,
                "The guardrail identifier or version provided in the request does not exist.",
            )
        })?;
    drop(state);
    let assessment = assess(&version, source, &passages);
    call.looked = Some(assessment.verdict());
    let latency_ms = 200 + call.rng.below(200);
    let body = applied(&version, &assessment, scope, latency_ms);
    Ok(Told {
        status: 200,
        content_type: "application/json",
        body: crate::json::sorted(&body).into(),
    })
}

fn passage(content: Content) -> Result<Passage, ApiError> {
    if content.image.is_some() {
        return Err(ApiError::validation(
            "Images in guardrail content are not emulated by Bedrock Workshop.",
        ));
    }
    let Some(text) = content.text else {
        return Err(missing("content.1.member.text"));
    };
    let qualifiers = text.qualifiers.iter().map(|name| {
        let allowed = "[grounding_source, query, guard_content]";
        Qualifier::of_name(name)
            .ok_or_else(|| not_one_of("content.1.member.text.qualifiers", Some(name), allowed))
    });
    Ok(Passage {
        qualifiers: qualifiers.collect::<Result<_, _>>()?,
        text: text.text,
    })
}

fn not_one_of(at: &str, value: Option<&str>, allowed: &str) -> ApiError {
    match value {
        None => missing(at),
        some => violation(
            at,
            some,
            &format!("Member must satisfy enum value set: {allowed}"),
        ),
    }
}
