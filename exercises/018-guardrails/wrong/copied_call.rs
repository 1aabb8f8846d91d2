//! dies in: the_document_is_checked_before_the_model_is_asked, the_call_names_the_guardrail_and_whose_words_are_whose, the_model_is_sent_what_is_left_of_the_document, a_blocked_document_reaches_no_model, a_masked_answer_is_an_answer, a_blocked_answer_is_none, a_stream_is_shown_while_it_is_open, a_stream_waits_for_its_guardrail, a_blocked_stream_shows_none_of_the_models_words, without_a_verdict_no_model_is_asked, a_draft_guards_nothing, a_stream_that_breaks_off_is_no_answer, the_invocation_log_knows_no_address, the_audit_names_policies_and_no_persons, a_stream_is_about_a_checked_document
//!
//! The call from the articles, with a guardrail attached, and the whole outcome in a log "for audit".

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::{
    Client,
    types::{
        ContentBlock, ConversationRole, GuardrailConfiguration, InferenceConfiguration, Message,
        SystemContentBlock,
    },
};
use serde_json::{Value, json};

pub use given::{Ask, Done, Finding, Guard, GuardError, Safe, findings};

/// Asks about a document that a stranger has written, under a guardrail.
pub async fn safe_ask(client: &Client, guard: &Guard, ask: &Ask<'_>) -> Result<Safe, GuardError> {
    let text = format!("{}\n\n{}", ask.prompt, ask.untrusted);
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(text))
        .build()
        .expect("role and content are set");
    let config = GuardrailConfiguration::builder()
        .guardrail_identifier(&guard.id)
        .guardrail_version("DRAFT")
        .build();
    let limit = InferenceConfiguration::builder().max_tokens(ask.max_tokens);
    let answer = client
        .converse()
        .model_id(ask.model)
        .system(SystemContentBlock::Text(ask.system.to_owned()))
        .messages(message)
        .inference_config(limit.build())
        .guardrail_config(config)
        .send()
        .await
        .map_err(|error| GuardError::Refused(error.into()))?;
    let message = answer.output().and_then(|output| output.as_message().ok());
    let block = message.and_then(|message| message.content().first());
    let text = block.and_then(|block| block.as_text().ok());
    let text = text.ok_or(GuardError::Broken)?.clone();
    Ok(Safe::Answer {
        text,
        masked: false,
    })
}

/// The same, and `on_text` is called with the answer.
pub async fn safe_stream(
    client: &Client,
    guard: &Guard,
    ask: &Ask<'_>,
    on_text: &mut (dyn FnMut(&str) + Send),
) -> Result<Safe, GuardError> {
    let safe = safe_ask(client, guard, ask).await?;
    if let Safe::Answer { text, .. } = &safe {
        on_text(text);
    }
    Ok(safe)
}

/// The record of one question for the audit.
pub fn audit_record(outcome: &Result<Safe, GuardError>) -> Value {
    json!({ "outcome": format!("{outcome:?}"), "policies": [] })
}
