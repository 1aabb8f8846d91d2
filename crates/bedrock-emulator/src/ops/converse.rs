//! Converse: the whole answer in one JSON body with sorted keys.

use serde_json::{Map, Value, json};

use super::{Encoded, Exchange, Input, whole_body, whole_due};
use crate::{
    answer_plan::{Citation, Content, Location},
    catalogue::Model,
    conversation::Ttl,
    guardrail::Guarding,
    journal::Usage,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

pub(super) fn encode(mut exchange: Exchange<'_>) -> Encoded {
    let (pace, due) = whole_due(&exchange);
    let latency_ms = pace.elapsed_ms();
    let output = response(&mut exchange, latency_ms);
    let body = whole_body(&exchange.answer.ending, due, crate::json::sorted(&output));
    Encoded {
        headers: Vec::new(),
        content_type: "application/json",
        body,
        latency_ms,
        first_token_ms: pace.first_ms(),
        exception: None,
    }
}

/// The response's body; also what the invocation log of a stream shows.
pub(super) fn response(exchange: &mut Exchange<'_>, latency_ms: u64) -> Value {
    let content: Vec<Value> = exchange
        .answer
        .contents()
        .into_iter()
        .map(|content| block(content, exchange))
        .collect();
    let mut response = json!({
        "metrics": { "latencyMs": latency_ms },
        "output": { "message": { "content": content, "role": "assistant" } },
        "stopReason": exchange.answer.stop,
        "usage": usage(exchange.model, exchange.answer.usage, false),
    });
    if let Value::Object(map) = &mut response {
        additional_fields(exchange, map);
        echoes(exchange, map);
    }
    response
}

fn block(content: Content, exchange: &mut Exchange<'_>) -> Value {
    match content {
        Content::Text(text) => json!({ "text": text }),
        Content::CitedText { text, citations } => {
            let citations: Vec<Value> = citations.iter().map(citation).collect();
            json!({ "citationsContent": { "citations": citations, "content": [{ "text": text }] } })
        }
        Content::RedactedReasoning(data) => {
            json!({ "reasoningContent": { "redactedContent": redacted(&data) } })
        }
        Content::Reasoning { text, signature } => json!({
            "reasoningContent": { "reasoningText": { "text": text, "signature": signature } }
        }),
        Content::ToolUse { name, input } => {
            let id = exchange.rng.tool_use_id();
            let mut tool_use = json!({ "toolUseId": id, "name": name, "input": input });
            if exchange.model.quirks.tool_use_type {
                tool_use["type"] = "tool_use".into();
            }
            json!({ "toolUse": tool_use })
        }
    }
}

/// Anthropic's base64 string in base64 once more (recorded).
pub(super) fn redacted(data: &str) -> String {
    STANDARD.encode(data)
}

/// One citation, as recorded for texts, PDFs and search results.
pub(super) fn citation(citation: &Citation) -> Value {
    let (kind, place) = match &citation.location {
        Location::Characters {
            document,
            start,
            end,
        } => (
            "documentChar",
            json!({ "documentIndex": document, "start": start, "end": end }),
        ),
        Location::Pages {
            document,
            start,
            end,
        } => (
            "documentPage",
            json!({ "documentIndex": document, "start": start, "end": end }),
        ),
        Location::Blocks {
            document,
            start,
            end,
        } => (
            "documentChunk",
            json!({ "documentIndex": document, "start": start, "end": end }),
        ),
        Location::SearchResult { index, .. } => (
            "searchResultLocation",
            json!({ "searchResultIndex": index, "start": 0, "end": 1 }),
        ),
    };
    let mut told = json!({
        "location": { kind: place },
        "sourceContent": [{ "text": citation.text }],
        "title": citation.title,
    });
    if let Location::SearchResult { source, .. } = &citation.location {
        told["source"] = source.as_str().into();
    }
    told
}

/// Token usage with the undocumented members that newer models add (recorded); streams leave the
/// cache fields out unless something was cached.
pub(super) fn usage(model: &Model, usage: Usage, stream: bool) -> Value {
    let mut fields = json!({
        "inputTokens": usage.input,
        "outputTokens": usage.output,
        "totalTokens": usage.total(),
    });
    let (read, write) = (usage.cache_read, usage.cache_write());
    if read + write > 0 || (model.quirks.cache_usage && !stream) {
        fields["cacheReadInputTokenCount"] = read.into();
        fields["cacheReadInputTokens"] = read.into();
        fields["cacheWriteInputTokenCount"] = write.into();
        fields["cacheWriteInputTokens"] = write.into();
    }
    // Recorded with one entry; that two times to live make two, the longer first, is inferred.
    let written = [
        (Ttl::OneHour, usage.cache_write_1h),
        (Ttl::FiveMinutes, usage.cache_write_5m),
    ];
    let details = written.into_iter().filter(|(_, tokens)| *tokens > 0);
    let details = details.map(|(ttl, n)| json!({ "inputTokens": n, "ttl": ttl.name() }));
    let details: Vec<Value> = details.collect();
    if !details.is_empty() {
        fields["cacheDetails"] = details.into();
    }
    if model.quirks.server_tool_usage {
        fields["serverToolUsage"] = json!({});
    }
    fields
}

/// `additionalModelResponseFields`: of the paths a caller may ask for, Claude knows
/// `/stop_sequence`.
pub(super) fn additional_fields(exchange: &Exchange<'_>, into: &mut Map<String, Value>) {
    let Input::Converse(request) = exchange.input else {
        return;
    };
    let paths = request.additional_model_response_field_paths.as_deref();
    if paths
        .unwrap_or_default()
        .iter()
        .any(|p| p == "/stop_sequence")
    {
        let sequence = exchange.answer.stop_sequence.clone();
        let fields = json!({ "stop_sequence": sequence });
        into.insert("additionalModelResponseFields".to_owned(), fields);
    }
}

/// `trace` of a guardrail; `performanceConfig` and `serviceTier` come back when the caller sent them (service model).
pub(super) fn echoes(exchange: &Exchange<'_>, into: &mut Map<String, Value>) {
    if let Some(trace) = exchange.guard.and_then(Guarding::converse_trace) {
        into.insert("trace".to_owned(), trace);
    }
    let Input::Converse(request) = exchange.input else {
        return;
    };
    if let Some(latency) = request
        .performance_config
        .as_ref()
        .and_then(|c| c.latency.as_ref())
    {
        into.insert(
            "performanceConfig".to_owned(),
            json!({ "latency": latency }),
        );
    }
    if let Some(tier) = request
        .service_tier
        .as_ref()
        .and_then(|t| t.r#type.as_ref())
    {
        into.insert("serviceTier".to_owned(), json!({ "type": tier }));
    }
}
