//! `InvokeModel` for Amazon Titan Text: `inputText` in, `results` out.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::{
    Encoded, Events, Exchange, Took,
    invoke_model::{headers, to_json},
    invoke_model_with_response_stream::send,
    whole_body, whole_due,
};
use crate::{
    answer_plan::{Beat, Part},
    catalogue::Model,
    conversation::{Block, Conversation, Role, Turn},
    error::ApiError,
    malformed::Malformed,
};

/// The answer; the order of fields is the order on the wire (recorded).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    input_text_token_count: u32,
    results: [Completion; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Completion {
    token_count: u32,
    output_text: String,
    #[serde(rename = "completionReason")]
    reason: &'static str,
}

/// One chunk of a stream. The last one tells how it ended.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Piece {
    output_text: String,
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_output_text_token_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_text_token_count: Option<u32>,
    #[serde(
        rename = "amazon-bedrock-invocationMetrics",
        skip_serializing_if = "Option::is_none"
    )]
    metrics: Option<super::nova::Metrics>,
}

/// Reads and checks a body.
pub(super) fn conversation(body: &Value, model: &Model) -> Result<Conversation, ApiError> {
    const CONFIG: &str = "#/textGenerationConfig";
    let mut wrong = Malformed::default();
    let mut conversation = Conversation::default();
    if let Some(map) = wrong.object(
        "#",
        body,
        &["inputText"],
        &["inputText", "textGenerationConfig"],
    ) {
        if let Some(value) = map.get("inputText") {
            let text = wrong
                .text("#/inputText", value, 1, 42_000)
                .unwrap_or_default();
            conversation.turns.push(Turn {
                role: Role::User,
                blocks: vec![Block::Text(text.to_owned())],
            });
        }
        let allowed = ["maxTokenCount", "temperature", "topP", "stopSequences"];
        let config = map.get("textGenerationConfig");
        if let Some(config) = config.and_then(|c| wrong.object(CONFIG, c, &[], &allowed)) {
            let at = |key: &str| format!("{CONFIG}/{key}");
            if let Some(value) = config.get("maxTokenCount") {
                let most = model.max_output;
                conversation.max_tokens = wrong.integer(&at("maxTokenCount"), value, 1, most);
            }
            if let Some(value) = config.get("temperature") {
                conversation.temperature = wrong.number(&at("temperature"), value, 0, 1);
            }
            if let Some(value) = config.get("topP") {
                conversation.top_p = wrong.number(&at("topP"), value, 0, 1);
            }
            if let Some(value) = config.get("stopSequences") {
                let at = at("stopSequences");
                for (i, stop) in wrong.list(&at, value, 0, 100).iter().enumerate() {
                    let stop = wrong.text(&format!("{at}/{i}"), stop, 1, 100);
                    conversation.stop_sequences.extend(stop.map(str::to_owned));
                }
            }
        }
    }
    wrong.into_result()?;
    let tokens = conversation.input_tokens();
    if tokens > model.context {
        return Err(ApiError::validation(format!(
            "400 Bad Request: Too many input tokens. Max input tokens: {}, request input token \
             count: {tokens} ",
            model.context
        )));
    }
    Ok(conversation)
}

pub(super) fn encode(exchange: &Exchange<'_>) -> Encoded {
    let (pace, due) = whole_due(exchange);
    let latency_ms = pace.elapsed_ms();
    let usage = exchange.answer.usage;
    let body = to_json(&Answer {
        input_text_token_count: usage.input,
        results: [Completion {
            token_count: usage.output,
            output_text: exchange.answer.text(),
            reason: reason(exchange),
        }],
    });
    Encoded {
        headers: headers(exchange, latency_ms),
        content_type: "application/json",
        body: whole_body(&exchange.answer.ending, due, body),
        latency_ms,
        first_token_ms: pace.first_ms(),
        exception: None,
    }
}

fn reason(exchange: &Exchange<'_>) -> &'static str {
    match exchange.answer.stop.as_str() {
        "max_tokens" => "LENGTH",
        "stop_sequence" => "STOP_CRITERIA_MET",
        "content_filtered" => "CONTENT_FILTERED",
        _ => "FINISH",
    }
}

/// A stream in large pieces: Titan sends a few hundred characters at a time (recorded).
#[derive(Debug, Default)]
pub(super) struct TitanEvents {
    held: String,
    begun: bool,
}

impl Events for TitanEvents {
    fn start(&mut self, _: &mut Exchange<'_>, _: &mut Vec<Bytes>) {}

    fn beat(&mut self, beat: &Beat, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        const PIECE: usize = 200;
        let Beat::Delta(Part::Text(text)) = beat else {
            return;
        };
        if self.held.len() >= PIECE {
            let piece = Piece {
                output_text: std::mem::take(&mut self.held),
                index: 0,
                total_output_text_token_count: None,
                completion_reason: None,
                input_text_token_count: (!self.begun).then_some(exchange.answer.usage.input),
                metrics: None,
            };
            self.begun = true;
            send(&piece, exchange, out);
        }
        self.held.push_str(text);
    }

    fn finish(&mut self, took: Took, exchange: &mut Exchange<'_>, out: &mut Vec<Bytes>) {
        let usage = exchange.answer.usage;
        let piece = Piece {
            output_text: std::mem::take(&mut self.held),
            index: 0,
            total_output_text_token_count: Some(usage.output),
            completion_reason: Some(reason(exchange)),
            input_text_token_count: (!self.begun).then_some(usage.input),
            metrics: Some(super::nova::Metrics::new(exchange, took)),
        };
        send(&piece, exchange, out);
    }
}
