//! dies in: a_stream_is_about_a_checked_document
//!
//! Has the document checked, and streams about what it was given.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::{
    Client,
    types::{
        ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput,
        GuardrailAssessment, GuardrailConfiguration, GuardrailContentBlock, GuardrailContentSource,
        GuardrailConverseContentBlock, GuardrailConverseTextBlock, GuardrailStreamConfiguration,
        GuardrailStreamProcessingMode, GuardrailTextBlock, GuardrailTrace,
        GuardrailTraceAssessment, InferenceConfiguration, Message, StopReason, SystemContentBlock,
    },
};
use serde_json::{Value, json};

pub use given::{Ask, Done, Finding, Guard, GuardError, Safe, findings};

/// Asks about a document that a stranger has written, under a guardrail.
pub async fn safe_ask(client: &Client, guard: &Guard, ask: &Ask<'_>) -> Result<Safe, GuardError> {
    let document = match checked(client, guard, ask.untrusted).await? {
        Checked::Passed(document) => document,
        Checked::Blocked(blocked) => return Ok(blocked),
    };
    let config = GuardrailConfiguration::builder()
        .guardrail_identifier(&guard.id)
        .guardrail_version(&guard.version)
        // Without a trace nobody knows which policy it was.
        .trace(GuardrailTrace::Enabled)
        .build();
    let answer = client
        .converse()
        .model_id(ask.model)
        .system(SystemContentBlock::Text(ask.system.to_owned()))
        .messages(question(&document.text, ask.prompt))
        .inference_config(limit(ask))
        .guardrail_config(config)
        .send()
        .await
        .map_err(|error| GuardError::Refused(error.into()))?;

    let message = answer.output().and_then(|output| output.as_message().ok());
    let message = message.ok_or(GuardError::Broken)?;
    let texts = message.content().iter();
    let text = texts.filter_map(|block| block.as_text().ok().map(String::as_str));
    let trace = answer.trace().and_then(|trace| trace.guardrail());
    Ok(judged(
        text.collect(),
        answer.stop_reason(),
        trace,
        &document,
    ))
}

/// The same, and `on_text` is called with each piece of the answer as it arrives.
pub async fn safe_stream(
    client: &Client,
    guard: &Guard,
    ask: &Ask<'_>,
    on_text: &mut (dyn FnMut(&str) + Send),
) -> Result<Safe, GuardError> {
    let document = match checked(client, guard, ask.untrusted).await? {
        Checked::Passed(document) => document,
        Checked::Blocked(blocked) => return Ok(blocked),
    };
    let config = GuardrailStreamConfiguration::builder()
        .guardrail_identifier(&guard.id)
        .guardrail_version(&guard.version)
        .trace(GuardrailTrace::Enabled)
        // What arrives has been looked at. The other mode shows first and looks later, and never masks.
        .stream_processing_mode(GuardrailStreamProcessingMode::Sync)
        .build();
    let mut events = client
        .converse_stream()
        .model_id(ask.model)
        .system(SystemContentBlock::Text(ask.system.to_owned()))
        .messages(question(ask.untrusted, ask.prompt))
        .inference_config(limit(ask))
        .guardrail_config(config)
        .send()
        .await
        .map_err(|error| GuardError::Refused(error.into()))?
        .stream;

    let (mut text, mut stop, mut trace) = (String::new(), None, None);
    while let Some(event) = events.recv().await.map_err(|_| GuardError::Broken)? {
        match event {
            ConverseStreamOutput::ContentBlockDelta(event) => {
                if let Some(ContentBlockDelta::Text(piece)) = event.delta() {
                    on_text(piece);
                    text.push_str(piece);
                }
            }
            ConverseStreamOutput::MessageStop(event) => stop = Some(event.stop_reason().clone()),
            // The verdict comes last.
            ConverseStreamOutput::Metadata(event) => {
                trace = event.trace().and_then(|trace| trace.guardrail()).cloned();
            }
            _ => {}
        }
    }
    let stop = stop.ok_or(GuardError::Broken)?;
    Ok(judged(text, &stop, trace.as_ref(), &document))
}

/// The record of one question for the audit: how it ended, and by which policies. Neither texts nor what a
/// policy has matched: a match of `pii:EMAIL` is somebody's address.
pub fn audit_record(outcome: &Result<Safe, GuardError>) -> Value {
    let none = Vec::new();
    let (outcome, policies) = match outcome {
        Ok(Safe::Answer { masked: false, .. }) => ("answered", &none),
        Ok(Safe::Answer { masked: true, .. }) => ("masked", &none),
        Ok(Safe::Blocked { policies, .. }) => ("blocked", policies),
        // An error's text is Bedrock's, and may quote what was sent.
        Err(_) => ("failed", &none),
    };
    json!({ "outcome": outcome, "policies": policies })
}

/// A document that the guardrail has let pass, masked where it wants it masked.
struct Document {
    text: String,
    masked: bool,
}

enum Checked {
    Passed(Document),
    Blocked(Safe),
}

/// Has the document looked at before anything else happens to it. What is sent to a model is written to
/// the invocation log as it was sent, also when a guardrail masks it on its way to the model: so what is
/// sent is masked already.
async fn checked(client: &Client, guard: &Guard, untrusted: &str) -> Result<Checked, GuardError> {
    let number = guard.version.parse::<u32>();
    if number.is_err() {
        return Err(GuardError::NotAVersion(guard.version.clone()));
    }
    let text = GuardrailTextBlock::builder().text(untrusted);
    let text = text.build().expect("the text is set");
    let looked = client
        .apply_guardrail()
        .guardrail_identifier(&guard.id)
        .guardrail_version(&guard.version)
        .source(GuardrailContentSource::Input)
        .content(GuardrailContentBlock::Text(text))
        .send()
        .await
        // No verdict is not a good one.
        .map_err(|error| GuardError::Unchecked(Box::new(error)))?;

    let found = all(looked.assessments());
    let outputs = looked.outputs().iter();
    let said: String = outputs.filter_map(|output| output.text()).collect();
    Ok(if did(&found, Done::Blocked) {
        Checked::Blocked(Safe::Blocked {
            user_message: said,
            policies: blocking(&found),
        })
    } else {
        let masked = did(&found, Done::Masked);
        let text = if masked { said } else { untrusted.to_owned() };
        Checked::Passed(Document { text, masked })
    })
}

/// The document as what it is: a stranger's, for the guardrail to look at. The question beside it, and the
/// system prompt, are ours: a guardrail that looks for attacks on prompts would find them there.
fn question(document: &str, prompt: &str) -> Message {
    let document = GuardrailConverseTextBlock::builder().text(document);
    let document = document.build().expect("the text is set");
    Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::GuardContent(
            GuardrailConverseContentBlock::Text(document),
        ))
        .content(ContentBlock::Text(prompt.to_owned()))
        .build()
        .expect("role and content are set")
}

fn limit(ask: &Ask<'_>) -> InferenceConfiguration {
    InferenceConfiguration::builder()
        .max_tokens(ask.max_tokens)
        .build()
}

/// What an answer is: the model's words, or the guardrail's in their place.
fn judged(
    text: String,
    stop: &StopReason,
    trace: Option<&GuardrailTraceAssessment>,
    document: &Document,
) -> Safe {
    // Masked and blocked answers have the same stop reason; only the trace tells them apart.
    let intervened = *stop == StopReason::GuardrailIntervened;
    let found = trace.map(of_the_trace).unwrap_or_default();
    let only_masked = did(&found, Done::Masked) && !did(&found, Done::Blocked);
    if intervened && !only_masked {
        return Safe::Blocked {
            user_message: text,
            policies: blocking(&found),
        };
    }
    Safe::Answer {
        text,
        masked: intervened || document.masked,
    }
}

fn of_the_trace(trace: &GuardrailTraceAssessment) -> Vec<Finding> {
    let input = trace.input_assessment().into_iter().flatten();
    let output = trace.output_assessments().into_iter().flatten();
    let input = input.map(|(_, assessment)| assessment);
    let output = output.flat_map(|(_, assessments)| assessments);
    input.chain(output).flat_map(findings).collect()
}

fn all(assessments: &[GuardrailAssessment]) -> Vec<Finding> {
    assessments.iter().flat_map(findings).collect()
}

fn did(found: &[Finding], done: Done) -> bool {
    found.iter().any(|finding| finding.done == done)
}

/// The policies that block, each once. What they matched stays here.
fn blocking(found: &[Finding]) -> Vec<String> {
    let mut policies: Vec<String> = Vec::new();
    for finding in found {
        if finding.done == Done::Blocked && !policies.contains(&finding.policy) {
            policies.push(finding.policy.clone());
        }
    }
    policies
}
