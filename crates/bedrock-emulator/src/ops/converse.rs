//! Converse: the whole answer in one JSON body with sorted keys.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{Encoded, Exchange, Input, whole_body, whole_due};
use crate::{
    answer_plan::{Citation, Content, Location},
    catalogue::Model,
    conversation::Ttl,
    guardrail::Guarding,
    journal::Usage,
    json::Object,
};

pub(super) fn encode(mut exchange: Exchange<'_>) -> Encoded {
    let (pace, due) = whole_due(&exchange);
    let latency_ms = pace.elapsed_ms();
    let output = response(&mut exchange, latency_ms);
    let body = whole_body(&exchange.answer.ending, due, output);
    Encoded {
        headers: Vec::new(),
        content_type: "application/json",
        body,
        latency_ms,
        first_token_ms: pace.first_ms(),
        exception: None,
    }
}

/// The response's body. Its frame is written as it stands on the wire; what has a shape of its own
/// is sorted piece by piece.
fn response(exchange: &mut Exchange<'_>, latency_ms: u64) -> String {
    /// What stands around the text, and a little more.
    const FRAME: usize = 320;
    let mut around = Map::new();
    additional_fields(exchange, &mut around);
    echoes(exchange, &mut around);
    let mut around = around.into_iter().peekable();
    let mut body = String::with_capacity(exchange.answer.length() + FRAME);
    let mut response = Object::begin(&mut body);
    // Before `metrics`, then between `output` and `stopReason`, then behind it, by the alphabet.
    while let Some((name, value)) = around.next_if(|(name, _)| name.as_str() < "metrics") {
        response
            .member(&name)
            .push_str(&crate::json::sorted(&value));
    }
    let metrics = response.member("metrics");
    write_metrics(latency_ms, metrics);
    let output = response.member("output");
    output.push_str("{\"message\":{\"content\":[");
    for (place, content) in exchange.answer.contents().into_iter().enumerate() {
        if place > 0 {
            output.push(',');
        }
        match content {
            Content::Text(text) => {
                let mut block = Object::begin(output);
                block.string("text", &text);
                block.end();
            }
            other => output.push_str(&crate::json::sorted(&block(other, exchange))),
        }
    }
    output.push_str("],\"role\":\"assistant\"}}");
    while let Some((name, value)) = around.next_if(|(name, _)| name.as_str() < "stopReason") {
        response
            .member(&name)
            .push_str(&crate::json::sorted(&value));
    }
    response.string("stopReason", &exchange.answer.stop);
    for (name, value) in around {
        response
            .member(&name)
            .push_str(&crate::json::sorted(&value));
    }
    let usage = exchange.answer.usage;
    write_usage(exchange.model, usage, false, response.member("usage"));
    response.end();
    body
}

/// The member `metrics`.
pub(super) fn write_metrics(latency_ms: u64, out: &mut String) {
    let mut metrics = Object::begin(out);
    metrics.number("latencyMs", latency_ms);
    metrics.end();
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

/// Writes token usage with the undocumented members that newer models add (recorded); streams leave
/// the cache fields out unless something was cached. Members are sorted, as all of Converse's.
pub(super) fn write_usage(model: &Model, usage: Usage, stream: bool, out: &mut String) {
    let (read, write) = (usage.cache_read, usage.cache_write());
    let told = read + write > 0 || (model.quirks.cache_usage && !stream);
    // Recorded with one entry; that two times to live make two, the longer first, is inferred.
    let written = [
        (Ttl::OneHour, usage.cache_write_1h),
        (Ttl::FiveMinutes, usage.cache_write_5m),
    ];
    let mut members = Object::begin(out);
    if write > 0 {
        let details = members.member("cacheDetails");
        let mut before = '[';
        for (ttl, tokens) in written.into_iter().filter(|(_, tokens)| *tokens > 0) {
            details.push(before);
            let mut detail = Object::begin(details);
            detail.number("inputTokens", tokens.into());
            detail.string("ttl", ttl.name());
            detail.end();
            before = ',';
        }
        details.push(']');
    }
    if told {
        members.number("cacheReadInputTokenCount", read.into());
        members.number("cacheReadInputTokens", read.into());
        members.number("cacheWriteInputTokenCount", write.into());
        members.number("cacheWriteInputTokens", write.into());
    }
    members.number("inputTokens", usage.input.into());
    members.number("outputTokens", usage.output.into());
    if model.quirks.server_tool_usage {
        // Always empty (recorded).
        members.member("serverToolUsage").push_str("{}");
    }
    members.number("totalTokens", usage.total());
    members.end();
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

/// `trace` of a guardrail; `performanceConfig` and `serviceTier` come back when the caller sent
/// them (service model).
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
