//! Findings as the service writes them. `ApplyGuardrail` lists what is not there as explicit nulls
//! and says `detected`; the traces of invocations leave out what was not found (both recorded).

use serde_json::{Map, Value, json};

use super::{
    Version,
    assess::{Assessment, Outcome, Source},
    definition::Definition,
};

/// How much of an assessment is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Only what was found.
    Interventions,
    /// Everything that was looked for.
    Full,
}

/// How many text units each policy took: one for each thousand characters.
fn units(definition: &Definition, assessment: &Assessment, every: bool) -> Value {
    let units = assessment.total.div_ceil(1_000).max(1);
    let guarded = assessment.guarded.div_ceil(1_000);
    let of = |used: bool, units: usize| if used { units } else { 0 };
    let grounded = !assessment.grounding.is_empty();
    let mut usage = json!({
        "contentPolicyUnits": of(!definition.filters.is_empty(), units),
        "contextualGroundingPolicyUnits": of(grounded, units),
        "sensitiveInformationPolicyFreeUnits": of(!definition.patterns.is_empty(), guarded),
        "sensitiveInformationPolicyUnits": of(!definition.pii.is_empty(), units),
        "topicPolicyUnits": of(!definition.topics.is_empty(), units),
        "wordPolicyUnits": of(!definition.words.is_empty() || !definition.word_lists.is_empty(), units),
    });
    if every {
        usage["automatedReasoningPolicies"] = 0.into();
        usage["automatedReasoningPolicyUnits"] = 0.into();
        usage["contentPolicyImageUnits"] = 0.into();
    }
    usage
}

/// The body of an `ApplyGuardrail` answer.
pub(crate) fn applied(
    version: &Version,
    assessment: &Assessment,
    scope: Scope,
    latency_ms: u64,
) -> Value {
    let definition = &version.definition;
    let usage = units(definition, assessment, true);
    let coverage = json!({
        "images": null,
        "textCharacters": { "guarded": assessment.guarded, "total": assessment.total },
    });
    let message = match assessment.source {
        Source::Input => &definition.blocked_input,
        Source::Output => &definition.blocked_output,
    };
    let (action, reason) = if assessment.blocks() {
        ("GUARDRAIL_INTERVENED", "Guardrail blocked.")
    } else if assessment.masks() {
        // Inferred from the other two, which are recorded.
        ("GUARDRAIL_INTERVENED", "Guardrail masked.")
    } else {
        ("NONE", "No action.")
    };
    let outputs: Vec<Value> = if assessment.blocks() {
        vec![json!({ "text": message })]
    } else if assessment.masks() {
        let masked = assessment.masked.iter();
        masked.map(|text| json!({ "text": text })).collect()
    } else {
        Vec::new()
    };
    let mut found = policies(definition, assessment, scope, true);
    for policy in [
        "automatedReasoningPolicy",
        "contentPolicy",
        "contextualGroundingPolicy",
        "sensitiveInformationPolicy",
        "topicPolicy",
        "wordPolicy",
    ] {
        found.entry(policy).or_insert(Value::Null);
    }
    found.insert(
        "appliedGuardrailDetails".to_owned(),
        json!({
            "guardrailArn": version.arn,
            "guardrailId": version.id,
            "guardrailOrigin": ["REQUEST"],
            "guardrailOwnership": "SELF",
            "guardrailVersion": version.number,
        }),
    );
    found.insert(
        "invocationMetrics".to_owned(),
        json!({
            "guardrailCoverage": coverage,
            "guardrailProcessingLatency": latency_ms,
            "usage": usage,
        }),
    );
    json!({
        "action": action,
        "actionReason": reason,
        "assessments": [found],
        "blockedResponse": assessment.blocks().then_some(message),
        "guardrailCoverage": coverage,
        "output": outputs,
        "outputs": outputs,
        "usage": usage,
    })
}

/// One assessment in the trace of an invocation.
pub(crate) fn traced(
    version: &Version,
    assessment: &Assessment,
    scope: Scope,
    latency_ms: u64,
) -> Value {
    let definition = &version.definition;
    let mut found = policies(definition, assessment, scope, scope == Scope::Full);
    found.insert(
        "invocationMetrics".to_owned(),
        json!({
            "guardrailCoverage": {
                "textCharacters": { "guarded": assessment.guarded, "total": assessment.total },
            },
            "guardrailProcessingLatency": latency_ms,
            "usage": units(definition, assessment, false),
        }),
    );
    Value::Object(found)
}

fn policies(
    definition: &Definition,
    assessment: &Assessment,
    scope: Scope,
    detected: bool,
) -> Map<String, Value> {
    let told = |outcome: Outcome| scope == Scope::Full || outcome.detected();
    let row = |mut row: Value, outcome: Outcome| {
        row["action"] = outcome.name().into();
        if detected {
            row["detected"] = outcome.detected().into();
        }
        row
    };
    let mut all = Map::new();
    let mut put = |name: &str, value: Value, empty: bool| {
        if !empty {
            all.insert(name.to_owned(), value);
        }
    };
    let topics: Vec<Value> = assessment
        .topics
        .iter()
        .filter(|(_, outcome)| told(*outcome))
        .map(|(name, outcome)| row(json!({ "name": name, "type": "DENY" }), *outcome))
        .collect();
    put(
        "topicPolicy",
        json!({ "topics": topics }),
        topics.is_empty(),
    );
    let filters: Vec<Value> = assessment
        .filters
        .iter()
        .filter(|(_, _, _, outcome)| told(*outcome))
        .map(|(kind, confidence, strength, outcome)| {
            let filter = json!({
                "type": kind, "confidence": confidence, "filterStrength": strength,
            });
            row(filter, *outcome)
        })
        .collect();
    put(
        "contentPolicy",
        json!({ "filters": filters }),
        filters.is_empty(),
    );
    let word = |(text, outcome): &(String, Outcome)| row(json!({ "match": text }), *outcome);
    let words: Vec<Value> = assessment.words.iter().map(word).collect();
    let lists: Vec<Value> = assessment
        .profanities
        .iter()
        .map(|found| {
            let mut row = word(found);
            row["type"] = "PROFANITY".into();
            row
        })
        .collect();
    let empty = words.is_empty() && lists.is_empty();
    let value = json!({ "customWords": words, "managedWordLists": lists });
    put("wordPolicy", value, empty);
    let (pii, regexes) = sensitive(assessment, &told, &row);
    let empty = pii.is_empty() && regexes.is_empty();
    let mut value = json!({});
    // `ApplyGuardrail` writes the missing one as null, traces leave it out (recorded).
    if detected {
        value["piiEntities"] = nullable(pii, definition.pii.is_empty());
        value["regexes"] = nullable(regexes, definition.patterns.is_empty());
    } else {
        if !pii.is_empty() {
            value["piiEntities"] = pii.into();
        }
        if !regexes.is_empty() {
            value["regexes"] = regexes.into();
        }
    }
    put("sensitiveInformationPolicy", value, empty);
    let grounding: Vec<Value> = assessment
        .grounding
        .iter()
        .map(|(kind, threshold, score, outcome)| {
            let filter = json!({ "type": kind, "threshold": threshold, "score": score });
            row(filter, *outcome)
        })
        .collect();
    put(
        "contextualGroundingPolicy",
        json!({ "filters": grounding }),
        grounding.is_empty(),
    );
    all
}

fn nullable(rows: Vec<Value>, absent: bool) -> Value {
    if absent { Value::Null } else { rows.into() }
}

fn sensitive(
    assessment: &Assessment,
    told: &impl Fn(Outcome) -> bool,
    row: &impl Fn(Value, Outcome) -> Value,
) -> (Vec<Value>, Vec<Value>) {
    let pii = assessment
        .pii
        .iter()
        .filter(|(_, _, outcome)| told(*outcome))
        .map(|(kind, text, outcome)| row(json!({ "type": kind, "match": text }), *outcome));
    let regexes = assessment
        .patterns
        .iter()
        .filter(|(_, _, _, outcome)| told(*outcome))
        .map(|(name, regex, text, outcome)| {
            row(
                json!({ "name": name, "regex": regex, "match": text }),
                *outcome,
            )
        });
    (pii.collect(), regexes.collect())
}

/// The body of a `GetGuardrail` answer.
pub(crate) fn described(version: &Version) -> Value {
    let definition = &version.definition;
    let mut body = json!({
        "name": definition.name,
        "guardrailId": version.id,
        "guardrailArn": version.arn,
        "version": version.number,
        "status": "READY",
        "createdAt": super::timestamp(version.created),
        "updatedAt": super::timestamp(version.updated),
        "statusReasons": [],
        "failureRecommendations": [],
        "blockedInputMessaging": definition.blocked_input,
        "blockedOutputsMessaging": definition.blocked_output,
    });
    if let Some(description) = &version.description {
        body["description"] = description.as_str().into();
    }
    let mut put = |name: &str, value: Value, empty: bool| {
        if !empty {
            body[name] = value;
        }
    };
    put(
        "topicPolicy",
        json!({ "topics": definition.topics }),
        definition.topics.is_empty(),
    );
    put(
        "contentPolicy",
        json!({ "filters": definition.filters }),
        definition.filters.is_empty(),
    );
    put(
        "wordPolicy",
        json!({ "words": definition.words, "managedWordLists": definition.word_lists }),
        definition.words.is_empty() && definition.word_lists.is_empty(),
    );
    put(
        "sensitiveInformationPolicy",
        json!({ "piiEntities": definition.pii, "regexes": definition.patterns }),
        definition.pii.is_empty() && definition.patterns.is_empty(),
    );
    put(
        "contextualGroundingPolicy",
        json!({ "filters": definition.grounding }),
        definition.grounding.is_empty(),
    );
    body
}
