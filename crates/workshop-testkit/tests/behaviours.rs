//! The behaviours that `tests/clients` asks of every client, asked of the Rust SDK. The first word
//! of a test's name is the behaviour; `tests/clients/run.py` reads the results for its table.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::HashMap, time::Duration};

use aws_sdk_bedrockruntime::{
    Client,
    config::retry::RetryConfig,
    error::{ProvideErrorMetadata, SdkError},
    operation::converse::{ConverseError, ConverseOutput, builders::ConverseFluentBuilder},
    primitives::Blob,
    types::{
        AnyToolChoice, CachePointBlock, CachePointType, ContentBlock, ContentBlockDelta,
        ConversationRole, ConverseStreamOutput, ConverseTokensRequest, CountTokensInput,
        InferenceConfiguration, JsonSchemaDefinition, Message, OutputConfig, OutputFormat,
        OutputFormatStructure, OutputFormatType, ReasoningContentBlock, ResponseStream, StopReason,
        SystemContentBlock, TokenUsage, Tool, ToolChoice, ToolConfiguration, ToolInputSchema,
        ToolResultBlock, ToolResultContentBlock, ToolSpecification, ToolUseBlock,
    },
};
use aws_smithy_types::Number;
use workshop_testkit::{Document, Fault, Lab, Setup, Step, Value, json};

fn user(content: impl IntoIterator<Item = ContentBlock>) -> Message {
    let content = content.into_iter().collect();
    let message = Message::builder().role(ConversationRole::User);
    message.set_content(Some(content)).build().unwrap()
}

fn ask(text: &str) -> Message {
    user([ContentBlock::Text(text.to_owned())])
}

fn to(lab: &Lab, client: &Client, text: &str) -> ConverseFluentBuilder {
    let call = client.converse().model_id(lab.profile("haiku"));
    call.messages(ask(text))
}

async fn converse(lab: &Lab, text: &str) -> Result<ConverseOutput, SdkError<ConverseError>> {
    to(lab, &lab.client(), text).send().await
}

fn message(out: &ConverseOutput) -> &Message {
    out.output().unwrap().as_message().unwrap()
}

fn text(out: &ConverseOutput) -> String {
    let blocks = message(out).content().iter();
    blocks.filter_map(|b| b.as_text().ok().cloned()).collect()
}

fn tool_uses(out: &ConverseOutput) -> Vec<&ToolUseBlock> {
    let blocks = message(out).content().iter();
    blocks.filter_map(|b| b.as_tool_use().ok()).collect()
}

fn document(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(flag) => Document::Bool(*flag),
        Value::Number(n) => Document::Number(
            n.as_u64()
                .map_or_else(|| Number::Float(n.as_f64().unwrap()), Number::PosInt),
        ),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(items) => Document::Array(items.iter().map(document).collect()),
        Value::Object(members) => Document::Object(
            members
                .iter()
                .map(|(key, item)| (key.clone(), document(item)))
                .collect::<HashMap<_, _>>(),
        ),
    }
}

fn weather() -> Value {
    json!({
        "type": "object",
        "properties": {
            "city": { "type": "string" },
            "days": { "type": "integer", "minimum": 1, "maximum": 14 },
        },
        "required": ["city", "days"],
        "additionalProperties": false,
    })
}

fn tools(choice: Option<ToolChoice>) -> ToolConfiguration {
    let spec = ToolSpecification::builder()
        .name("weather")
        .description("The weather in a city.")
        .input_schema(ToolInputSchema::Json(document(&weather())))
        .build()
        .unwrap();
    let tools = ToolConfiguration::builder().tools(Tool::ToolSpec(spec));
    tools.set_tool_choice(choice).build().unwrap()
}

fn forced() -> ToolChoice {
    ToolChoice::Any(AnyToolChoice::builder().build())
}

fn assert_weather(input: &Document) {
    let input = input.as_object().unwrap();
    assert!(input["city"].as_string().is_some(), "{input:?}");
    let days: u64 = (*input["days"].as_number().unwrap()).try_into().unwrap();
    assert!((1..=14).contains(&days), "{input:?}");
}

// ---------------------------------------------------------------- plain

#[tokio::test]
async fn plain_converse() {
    let lab = Lab::start().await;
    let out = converse(&lab, "Name one river.").await.unwrap();
    assert_eq!(out.stop_reason(), &StopReason::EndTurn);
    assert!(!text(&out).is_empty());
    let usage = out.usage().unwrap();
    assert_eq!(
        usage.total_tokens(),
        usage.input_tokens() + usage.output_tokens()
    );
}

#[tokio::test]
async fn plain_invoke_model() {
    let lab = Lab::start().await;
    let out = lab.client().invoke_model().model_id(lab.profile("haiku"));
    let out = out.body(messages_body("Hello")).send().await.unwrap();
    let body: Value = serde_json::from_slice(out.body().as_ref()).unwrap();
    assert_eq!(body["type"], "message");
}

fn messages_body(text: &str) -> Blob {
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 60,
        "messages": [{ "role": "user", "content": text }],
    });
    Blob::new(body.to_string())
}

// ---------------------------------------------------------------- stream

#[tokio::test]
async fn stream_of_converse_in_the_recorded_order() {
    let lab = Lab::start().await;
    let call = lab.client().converse_stream();
    let call = call.model_id(lab.profile("haiku"));
    let mut stream = call.messages(ask("Tell me about tides.")).send().await;
    let stream = &mut stream.as_mut().unwrap().stream;
    let (mut kinds, mut said) = (Vec::new(), String::new());
    while let Some(event) = stream.recv().await.unwrap() {
        kinds.push(match event {
            ConverseStreamOutput::MessageStart(_) => "messageStart",
            ConverseStreamOutput::ContentBlockStart(_) => "contentBlockStart",
            ConverseStreamOutput::ContentBlockDelta(event) => {
                if let Some(ContentBlockDelta::Text(piece)) = event.delta {
                    said.push_str(&piece);
                }
                "contentBlockDelta"
            }
            ConverseStreamOutput::ContentBlockStop(_) => "contentBlockStop",
            ConverseStreamOutput::MessageStop(_) => "messageStop",
            ConverseStreamOutput::Metadata(_) => "metadata",
            _ => "unknown",
        });
    }
    assert!(!said.is_empty());
    kinds.dedup();
    let order = [
        "messageStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ];
    assert_eq!(kinds, order);
}

#[tokio::test]
async fn stream_of_invoke_model() {
    let lab = Lab::start().await;
    let call = lab.client().invoke_model_with_response_stream();
    let call = call
        .model_id(lab.profile("haiku"))
        .body(messages_body("Hello"));
    let mut body = call.send().await.unwrap().body;
    let mut last = Value::Null;
    while let Some(ResponseStream::Chunk(chunk)) = body.recv().await.unwrap() {
        last = serde_json::from_slice(chunk.bytes().unwrap().as_ref()).unwrap();
    }
    assert_eq!(last["type"], "message_stop");
    assert!(last["amazon-bedrock-invocationMetrics"].is_object());
}

// ---------------------------------------------------------------- tools

#[tokio::test]
async fn tools_forced_get_an_input_that_fits_the_schema() {
    let lab = Lab::start().await;
    let call = to(&lab, &lab.client(), "Lisbon, 3 days");
    let out = call
        .tool_config(tools(Some(forced())))
        .send()
        .await
        .unwrap();
    assert_eq!(out.stop_reason(), &StopReason::ToolUse);
    assert_weather(tool_uses(&out)[0].input());
}

#[tokio::test]
async fn tools_asked_for_are_called_and_the_result_is_used() {
    let lab = Lab::start().await;
    let client = lab.client();
    let question = "Use the weather tool for the city Lisbon.";
    let call = to(&lab, &client, question).tool_config(tools(None));
    let first = call.send().await.unwrap();
    let uses = tool_uses(&first);
    assert_eq!(uses.len(), 1);
    assert_eq!(
        uses[0].input().as_object().unwrap()["city"],
        Document::String("Lisbon".to_owned())
    );
    let second = to(&lab, &client, question)
        .tool_config(tools(None))
        .messages(message(&first).clone())
        .messages(user([result(uses[0])]))
        .send()
        .await
        .unwrap();
    assert!(text(&second).contains("hail"), "{}", text(&second));
}

fn result(of: &ToolUseBlock) -> ContentBlock {
    let said = ToolResultContentBlock::Text("hail, 7 degrees".to_owned());
    let result = ToolResultBlock::builder().tool_use_id(of.tool_use_id());
    ContentBlock::ToolResult(result.content(said).build().unwrap())
}

// ---------------------------------------------------------------- structured output

#[tokio::test]
async fn structured_output_fits_its_schema() {
    let lab = Lab::start().await;
    let schema = JsonSchemaDefinition::builder().schema(weather().to_string());
    let format = OutputFormat::builder()
        .r#type(OutputFormatType::JsonSchema)
        .structure(OutputFormatStructure::JsonSchema(schema.build().unwrap()))
        .build()
        .unwrap();
    let config = OutputConfig::builder().text_format(format).build();
    let call = to(&lab, &lab.client(), "Lisbon, 3 days");
    let out = call.output_config(config).send().await.unwrap();
    assert_weather(&document(&serde_json::from_str(&text(&out)).unwrap()));
}

// ---------------------------------------------------------------- errors

#[tokio::test]
async fn errors_are_typed() {
    let lab = Lab::start().await;
    let client = lab.client();
    let call = client.converse().model_id("no.such-model");
    let error = call.messages(ask("x")).send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
    let error = error.into_service_error();
    assert!(error.is_validation_exception(), "{error:?}");
    let said = "The provided model identifier is invalid.";
    assert_eq!(error.message(), Some(said));
}

#[tokio::test]
async fn errors_of_permission_are_typed() {
    let allowed = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "bedrock:CountTokens", "Resource": "*" }],
    });
    let lab = Lab::with(Setup {
        policies: vec![allowed],
        ..Setup::default()
    })
    .await;
    let error = converse(&lab, "x").await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 403);
    let error = error.into_service_error();
    assert!(error.is_access_denied_exception(), "{error:?}");
    let said = error.message().unwrap();
    assert!(
        said.contains("is not authorized to perform: bedrock:InvokeModel on resource: "),
        "{said}"
    );
}

// ---------------------------------------------------------------- retries

#[tokio::test]
async fn retries_get_through_and_are_one_invocation() {
    let lab = Lab::start().await;
    let throttled = Fault::Throttling {
        retry_after_ms: None,
    };
    lab.script([
        Step::Fault(throttled),
        Step::Fault(Fault::ServiceUnavailable),
        Step::text("Through."),
    ]);
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    let client = lab.client_with(|config| config.retry_config(retries.with_max_attempts(3)));
    let out = to(&lab, &client, "x").send().await.unwrap();
    assert_eq!(text(&out), "Through.");
    let calls = lab.calls();
    let seen: Vec<_> = calls.iter().map(|c| (c.status, c.attempt)).collect();
    assert_eq!(seen, [(429, 1), (503, 2), (200, 3)]);
    assert!(calls.iter().all(|c| c.invocation == calls[0].invocation));
}

#[tokio::test]
async fn retries_are_not_made_for_what_cannot_get_better() {
    let lab = Lab::start().await;
    let retries = RetryConfig::standard().with_max_attempts(3);
    let client = lab.client_with(|config| config.retry_config(retries));
    let call = client.converse().model_id("no.such-model");
    call.messages(ask("x")).send().await.unwrap_err();
    assert_eq!(lab.calls().len(), 1);
}

// ---------------------------------------------------------------- caching

#[tokio::test]
async fn caching_writes_then_reads() {
    let lab = Lab::start().await;
    let minimum = lab.model("haiku").min_cache_tokens.unwrap();
    // No tokenizer makes fewer than one token of such a word and its blank.
    let long = (0..minimum).fold(String::new(), |text, n| text + &format!("tide{n} "));
    let first = cached(&lab, &long, "One?").await;
    let second = cached(&lab, &long, "Two?").await;
    assert!(first.cache_write_input_tokens().unwrap() >= i32::try_from(minimum).unwrap());
    assert_eq!(
        second.cache_read_input_tokens(),
        first.cache_write_input_tokens()
    );
    assert_eq!(second.cache_write_input_tokens(), Some(0));
}

async fn cached(lab: &Lab, system: &str, question: &str) -> TokenUsage {
    let point = CachePointBlock::builder().r#type(CachePointType::Default);
    let call = to(lab, &lab.client(), question)
        .system(SystemContentBlock::Text(system.to_owned()))
        .system(SystemContentBlock::CachePoint(point.build().unwrap()));
    call.send().await.unwrap().usage().unwrap().clone()
}

// ---------------------------------------------------------------- thinking

#[tokio::test]
async fn thinking_comes_with_a_signature_that_verifies() {
    let lab = Lab::start().await;
    let client = lab.client();
    let question = "Use the weather tool for the city Lisbon.";
    let first = thinking(to(&lab, &client, question)).send().await.unwrap();
    let said = message(&first).clone();
    let next = |said: Message| {
        let call = thinking(to(&lab, &client, question)).messages(said);
        call.messages(user([result(tool_uses(&first)[0])])).send()
    };
    let answered = next(said.clone()).await.unwrap();
    assert_eq!(answered.stop_reason(), &StopReason::EndTurn);

    let mut altered = said;
    let ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(thought)) =
        &mut altered.content[0]
    else {
        panic!("the first block is no thought: {altered:?}");
    };
    assert!(thought.signature.is_some());
    thought.text.push_str(" But no.");
    let error = next(altered).await.unwrap_err().into_service_error();
    assert!(error.is_validation_exception(), "{error:?}");
    assert!(error.message().unwrap().contains("signature"), "{error:?}");
}

fn thinking(call: ConverseFluentBuilder) -> ConverseFluentBuilder {
    let budget = json!({ "thinking": { "type": "enabled", "budget_tokens": 1024 } });
    let limits = InferenceConfiguration::builder().max_tokens(2000).build();
    call.tool_config(tools(None))
        .inference_config(limits)
        .additional_model_request_fields(document(&budget))
}

// ---------------------------------------------------------------- counting

#[tokio::test]
async fn counting_is_what_usage_says() {
    let lab = Lab::start().await;
    let question = "Name one river.";
    let tokens = ConverseTokensRequest::builder().messages(ask(question));
    let call = lab.client().count_tokens().model_id(&lab.model("haiku").id);
    let call = call.input(CountTokensInput::Converse(tokens.build()));
    let counted = call.send().await.unwrap().input_tokens();
    let used = converse(&lab, question).await.unwrap();
    assert_eq!(counted, used.usage().unwrap().input_tokens());
}
