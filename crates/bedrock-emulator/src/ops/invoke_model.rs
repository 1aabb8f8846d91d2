//! `InvokeModel` for Claude: Messages bodies in recorded key order, and Text Completions for
//! Claude 2 and Instant.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Encoded, Exchange, Input, whole_body, whole_due};
use crate::{
    answer_plan::{Citation, Content, Location},
    catalogue::Model,
    journal::Usage,
    json::Object,
    wire::{Header, header},
};

/// One content block of a Messages answer.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum MessageBlock {
    Text {
        text: String,
        /// Only where something is cited.
        #[serde(skip_serializing_if = "Option::is_none")]
        citations: Option<Vec<CitedLocation>>,
    },
    RedactedThinking {
        data: String,
    },
    Thinking {
        thinking: String,
        signature: String,
    },
    ToolUse {
        id: String,
        name: String,
        input: Value,
    },
}

/// A citation as the Messages API documents it; fields in its order.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(super) enum CitedLocation {
    #[serde(rename = "char_location")]
    Char {
        cited_text: String,
        document_index: usize,
        document_title: String,
        start_char_index: usize,
        end_char_index: usize,
    },
    #[serde(rename = "page_location")]
    Page {
        cited_text: String,
        document_index: usize,
        document_title: String,
        start_page_number: usize,
        end_page_number: usize,
    },
    #[serde(rename = "content_block_location")]
    ContentBlock {
        cited_text: String,
        document_index: usize,
        document_title: String,
        start_block_index: usize,
        end_block_index: usize,
    },
    #[serde(rename = "search_result_location")]
    SearchResult {
        cited_text: String,
        source: String,
        title: String,
        search_result_index: usize,
        start_block_index: usize,
        end_block_index: usize,
    },
}

impl From<Citation> for CitedLocation {
    fn from(citation: Citation) -> Self {
        let (cited_text, title) = (citation.text, citation.title);
        match citation.location {
            Location::Characters {
                document,
                start,
                end,
            } => Self::Char {
                cited_text,
                document_index: document,
                document_title: title,
                start_char_index: start,
                end_char_index: end,
            },
            Location::Pages {
                document,
                start,
                end,
            } => Self::Page {
                cited_text,
                document_index: document,
                document_title: title,
                start_page_number: start,
                end_page_number: end,
            },
            Location::Blocks {
                document,
                start,
                end,
            } => Self::ContentBlock {
                cited_text,
                document_index: document,
                document_title: title,
                start_block_index: start,
                end_block_index: end,
            },
            Location::SearchResult { source, index } => Self::SearchResult {
                cited_text,
                source,
                title,
                search_result_index: index,
                start_block_index: 0,
                end_block_index: 1,
            },
        }
    }
}

/// Writes the token usage of a Messages answer, by the model's era, in the order of the wire.
pub(super) fn write_usage(model: &Model, usage: Usage, thinking_tokens: u32, out: &mut String) {
    let cached = usage.cache_read + usage.cache_write() > 0;
    let mut members = Object::begin(out);
    members.number("input_tokens", usage.input.into());
    if model.quirks.cache_usage || cached {
        members.number("cache_creation_input_tokens", usage.cache_write().into());
        members.number("cache_read_input_tokens", usage.cache_read.into());
    }
    if model.quirks.cache_creation_usage {
        let mut creation = Object::begin(members.member("cache_creation"));
        creation.number("ephemeral_5m_input_tokens", usage.cache_write_5m.into());
        creation.number("ephemeral_1h_input_tokens", usage.cache_write_1h.into());
        creation.end();
    }
    members.number("output_tokens", usage.output.into());
    if model.quirks.usage_details {
        // What the output tokens were spent on.
        let mut details = Object::begin(members.member("output_tokens_details"));
        details.number("thinking_tokens", thinking_tokens.into());
        details.end();
        members.string("service_tier", "standard");
    }
    members.end();
}

/// A Text Completions answer.
#[derive(Debug, Serialize)]
pub(super) struct Completion {
    pub(super) r#type: &'static str,
    #[serde(rename = "completion")]
    pub(super) text: String,
    pub(super) stop_reason: Option<String>,
    pub(super) stop: Option<String>,
}

/// The id of a Messages answer, by the model's era.
pub(super) fn message_id(exchange: &mut Exchange<'_>) -> String {
    if exchange.model.quirks.base32_ids {
        exchange.rng.long_message_id()
    } else {
        exchange.rng.message_id()
    }
}

pub(super) fn encode(mut exchange: Exchange<'_>) -> Encoded {
    let (pace, due) = whole_due(&exchange);
    let latency_ms = pace.elapsed_ms();
    let is_completion = matches!(exchange.input, Input::Invoke(r) if r.is_completion());
    let body = if is_completion {
        to_json(&completion(&exchange))
    } else {
        message(&mut exchange)
    };
    Encoded {
        headers: headers(&exchange, latency_ms),
        content_type: "application/json",
        body: whole_body(&exchange.answer.ending, due, body),
        latency_ms,
        first_token_ms: pace.first_ms(),
        exception: None,
    }
}

/// Latency and token counts, in recorded order.
pub(super) fn headers(exchange: &Exchange<'_>, latency_ms: u64) -> Vec<Header> {
    let usage = exchange.answer.usage;
    let mut headers = Vec::with_capacity(5);
    headers.push(header(
        "X-Amzn-Bedrock-Invocation-Latency",
        latency_ms.to_string(),
    ));
    if exchange.model.quirks.cache_headers {
        if !exchange.model.quirks.only_cache_read_header {
            headers.push(header(
                "X-Amzn-Bedrock-Cache-Write-Input-Token-Count",
                usage.cache_write().to_string(),
            ));
        }
        headers.push(header(
            "X-Amzn-Bedrock-Cache-Read-Input-Token-Count",
            usage.cache_read.to_string(),
        ));
    }
    headers.push(header(
        "X-Amzn-Bedrock-Output-Token-Count",
        usage.output.to_string(),
    ));
    headers.push(header(
        "X-Amzn-Bedrock-Input-Token-Count",
        usage.input.to_string(),
    ));
    headers
}

/// A Messages answer; the order of members is the order on the wire.
pub(super) fn message(exchange: &mut Exchange<'_>) -> String {
    /// What stands around the text, and a little more.
    const FRAME: usize = 512;
    let mut body = String::with_capacity(exchange.answer.length() + FRAME);
    let mut message = Object::begin(&mut body);
    message.string("id", &message_id(exchange));
    message.string("type", "message");
    message.string("role", "assistant");
    message.string("model", &exchange.model.provider_id);
    contents(exchange, message.member("content"));
    let (model, answer) = (exchange.model, exchange.answer);
    message.string("stop_reason", &answer.stop);
    message.string_or_null("stop_sequence", answer.stop_sequence.as_deref());
    // Only in the newest models' messages, and null there (recorded once).
    if model.quirks.usage_details {
        message.string_or_null("stop_details", None);
    }
    let thinking_tokens = answer.thinking_tokens();
    write_usage(
        model,
        answer.usage,
        thinking_tokens,
        message.member("usage"),
    );
    message.end();
    body
}

/// The content blocks as a list.
fn contents(exchange: &mut Exchange<'_>, out: &mut String) {
    out.push('[');
    for (place, content) in exchange.answer.contents().into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        match content {
            Content::Text(text) => {
                let mut block = Object::begin(out);
                block.string("type", "text");
                block.string("text", &text);
                block.end();
            }
            other => out.push_str(&to_json(&block(other, exchange))),
        }
    }
    out.push(']');
}

fn block(content: Content, exchange: &mut Exchange<'_>) -> MessageBlock {
    match content {
        Content::Text(text) => MessageBlock::Text {
            text,
            citations: None,
        },
        Content::CitedText { text, citations } => MessageBlock::Text {
            text,
            citations: Some(citations.into_iter().map(CitedLocation::from).collect()),
        },
        Content::RedactedReasoning(data) => MessageBlock::RedactedThinking { data },
        Content::Reasoning { text, signature } => MessageBlock::Thinking {
            thinking: text,
            signature,
        },
        Content::ToolUse { name, input } => MessageBlock::ToolUse {
            id: exchange.rng.toolu_id(),
            name,
            input,
        },
    }
}

/// The text starts with the space that follows `Assistant:` (recorded).
fn completion(exchange: &Exchange<'_>) -> Completion {
    let (stop_reason, stop) = completion_stop(exchange);
    Completion {
        r#type: "completion",
        text: format!(" {}", exchange.answer.text()),
        stop_reason: Some(stop_reason),
        stop,
    }
}

/// A completion that is done stops before the next `Human:` turn.
pub(super) fn completion_stop(exchange: &Exchange<'_>) -> (String, Option<String>) {
    match (
        exchange.answer.stop.as_str(),
        &exchange.answer.stop_sequence,
    ) {
        ("max_tokens", _) => ("max_tokens".to_owned(), None),
        (_, Some(stop)) => ("stop_sequence".to_owned(), Some(stop.clone())),
        (_, None) => ("stop_sequence".to_owned(), Some("\n\nHuman:".to_owned())),
    }
}

/// Compact JSON of a type whose keys are strings, which cannot fail.
pub(super) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        let error = error.to_string();
        json!({ "error": error }).to_string()
    })
}
