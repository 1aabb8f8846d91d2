//! Every row of the catalogue of Bedrock's errors, numbered as there: what is sent, and the whole
//! refusal. What another file proves is listed with the test that does.
//!
//! Two things are counted at the end: no row, no rule and no fixed refusal may be missing.

use std::collections::BTreeSet;

use bedrock_emulator::{
    Emulator, Reply,
    refusal::Refusal,
    rules::{By, Rule, Surface, rules},
    script::{Fault, Step},
};
use serde_json::{Value, json};
use time::Date;

use crate::bench::{base, call, header, now, open, post, profile, text, with};

mod requests;

use requests::{merge, messages, messages_with, say, say_turns, say_with, tool_spec};

const PREFIX: &str = "The model returned the following errors: ";

/// Who answers, as the error's namespace and the body's only key tell.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Bedrock,
    FrontDoor,
}

/// What proves a row.
enum Proof {
    /// This request, sent to every operation that takes it.
    Sent {
        emulator: Emulator,
        model: String,
        actions: &'static [&'static str],
        body: String,
    },
    /// A test elsewhere in this folder: file and function.
    Elsewhere(&'static str, &'static str),
    /// Nothing can: why.
    Nothing(&'static str),
}

struct Row {
    row: Option<u8>,
    /// The rule or fixed refusal that it proves.
    proves: &'static str,
    proof: Proof,
    status: u16,
    code: &'static str,
    side: Side,
    message: String,
    /// The recorded `Content-Length`.
    length: Option<usize>,
}

const CONVERSE: &[&str] = &["converse", "converse-stream"];
const INVOKE: &[&str] = &["invoke", "invoke-with-response-stream"];

/// The models that the rows need, by what is special about them.
struct World {
    emulator: Emulator,
    /// Sonnet 4.5: thinks by budget, one sampling parameter, takes a prefill.
    current: String,
    /// Opus 5: no sampling, no prefill, thinks adaptively.
    newest: String,
    /// Sonnet 5.5: forced tools are refused.
    unforced: String,
    /// Sonnet 4: has the strict context limit.
    strict_context: String,
    /// Claude 3 Haiku: strict roles, no caching, no thinking.
    old: String,
    /// Claude 3.5 Haiku, which ended in 2026-06.
    ended: String,
    /// Claude 2.0: text only.
    ancient: String,
    /// Claude 3 Sonnet, and its provider's id.
    three: (String, String),
}

impl World {
    fn new() -> Self {
        let emulator = open();
        let three = base(&emulator, "Claude 3 Sonnet");
        let provider_id = emulator
            .catalogue()
            .model(&three)
            .unwrap()
            .provider_id
            .clone();
        Self {
            current: profile(&emulator, "sonnet"),
            newest: format!("us.{}", base(&emulator, "Claude Opus 5")),
            unforced: format!("us.{}", base(&emulator, "Claude Sonnet 5.5")),
            strict_context: format!("us.{}", base(&emulator, "Claude Sonnet 4")),
            old: base(&emulator, "Claude 3 Haiku"),
            ended: base(&emulator, "Claude 3.5 Haiku"),
            ancient: base(&emulator, "Claude 2.0"),
            three: (three, provider_id),
            emulator,
        }
    }
}

/// A day in early 2025, when the old models still answered.
fn then() -> Emulator {
    with(|c| c.today = Date::from_ordinal_date(2025, 40).ok())
}

/// An emulator whose Sonnet 4.5 has one more peculiarity, of models that the catalogue lacks.
fn peculiar(change: impl FnOnce(&mut bedrock_emulator::catalogue::Model)) -> Emulator {
    let plain = open();
    let mut catalogue = plain.catalogue().clone();
    let id = catalogue.by_alias("sonnet").unwrap().id.clone();
    let model = catalogue.models.iter_mut().find(|m| m.id == id).unwrap();
    change(model);
    Emulator::with_catalogue(plain.config().clone(), catalogue).unwrap()
}

fn row(
    number: impl Into<Option<u8>>,
    proves: &'static str,
    (emulator, model, actions): (Emulator, &str, &'static [&'static str]),
    body: &Value,
    message: impl Into<String>,
) -> Row {
    Row {
        row: number.into(),
        proves,
        proof: Proof::Sent {
            emulator,
            model: model.to_owned(),
            actions,
            body: body.to_string(),
        },
        status: 400,
        code: "ValidationException",
        side: Side::Bedrock,
        message: message.into(),
        length: None,
    }
}

impl Row {
    fn answered(mut self, status: u16, code: &'static str) -> Self {
        (self.status, self.code) = (status, code);
        self
    }

    fn long(mut self, length: usize) -> Self {
        self.length = Some(length);
        self
    }
}

fn elsewhere(number: u8, file: &'static str, function: &'static str) -> Row {
    Row {
        row: Some(number),
        proves: "",
        proof: Proof::Elsewhere(file, function),
        status: 0,
        code: "",
        side: Side::FrontDoor,
        message: String::new(),
        length: None,
    }
}

/// A refusal that only circumstances bring about, asked for by name.
fn fault(refusal: Refusal) -> Row {
    let emulator = open();
    let model = profile(&emulator, "haiku");
    for _ in CONVERSE.iter().chain(INVOKE) {
        emulator.script([Step::Fault(Fault::from(refusal))]);
    }
    let at = (emulator, model.as_str(), CONVERSE);
    row(
        refusal.row(),
        refusal.name(),
        at,
        &say("Hi"),
        refusal.text(),
    )
    .answered(refusal.code().status(), refusal.code().name())
}

fn about_models(world: &World) -> Vec<Row> {
    let at = |id: &str| (open(), id.to_owned());
    let send = |number: u8, proves, (emulator, id): (Emulator, String), message: &str| {
        row(
            number,
            proves,
            (emulator, &id, CONVERSE),
            &say("Hi"),
            message,
        )
    };
    let sonnet = base(&world.emulator, "Claude Sonnet 4.5");
    let catalogue = world.emulator.catalogue();
    let provisioned = |m: &&bedrock_emulator::catalogue::Model| !m.provisioned.is_empty();
    let sized = catalogue.models.iter().find(provisioned).unwrap();
    let sized = format!("{}:{}", sized.id, sized.provisioned[0]);
    let unfit = "a model/with a slash and spaces";
    vec![
        send(
            1,
            "unknown-model",
            at("does-not-exist"),
            Refusal::UnknownModel.text(),
        ),
        send(
            1,
            "unknown-model",
            at(&format!("{sonnet}0")),
            Refusal::UnknownModel.text(),
        ),
        elsewhere(2, "catalogue.rs", "wrong_ids_are_refused_in_bedrocks_words"),
        send(
            3,
            "",
            at(&sonnet),
            &format!(
                "Invocation of model ID {sonnet} with on-demand throughput isn\u{2019}t supported. \
             Retry your request with the ID or ARN of an inference profile that contains this model."
            ),
        ),
        send(
            4,
            "context-suffix",
            at(&sized),
            Refusal::ContextSuffix.text(),
        ),
        fault(Refusal::ModelNotFound),
        send(
            6,
            "not-a-chat-model",
            at(&base(&world.emulator, "Titan Text Embeddings V2")),
            Refusal::NotAChatModel.text(),
        ),
        send(
            7,
            "end-of-life",
            at(&world.ended),
            Refusal::EndOfLife.text(),
        )
        .answered(404, "ResourceNotFoundException"),
        fault(Refusal::LegacyInactive),
        fault(Refusal::ExtendedAccess),
        fault(Refusal::ModelAccess).long(77),
        fault(Refusal::AccountNotAuthorized),
        fault(Refusal::Marketplace),
        fault(Refusal::UseCaseForm),
        send(
            64,
            "prompt-resource",
            at("arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1"),
            Refusal::PromptResource.text(),
        )
        .answered(403, "AccessDeniedException"),
        row(
            2,
            "",
            (open(), unfit, INVOKE),
            &json!({}),
            format!(
                "1 validation error detected: Value '{unfit}' at 'modelId' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: {}",
                "(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:(([0-9]{12}:custom-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}/[a-z0-9]{12})|(:foundation-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.:]?[a-z0-9-]{1,63}))|([0-9]{12}:imported-model/[a-z0-9]{12})|([0-9]{12}:provisioned-model/[a-z0-9]{12})|([0-9]{12}:custom-model-deployment/[a-z0-9]{12})|([0-9]{12}:(inference-profile|application-inference-profile)/[a-zA-Z0-9-:.]+)))|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.:]?[a-z0-9-]{1,63}))|(([0-9a-zA-Z][_-]?)+)|([a-zA-Z0-9-:.]+)|(^(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:prompt/[0-9a-zA-Z]{10}(?::[0-9]{1,5})?))$|(^arn:aws:sagemaker:[a-z0-9-]+:[0-9]{12}:endpoint/[a-zA-Z0-9-]+$)|(^arn:aws(-[^:]+)?:bedrock:([0-9a-z-]{1,20}):([0-9]{12}):(default-)?prompt-router/[a-zA-Z0-9-:.]+$)",
            ),
        ),
    ]
}

fn about_callers() -> Vec<Row> {
    let authentication = |row, test| elsewhere(row, "authentication.rs", test);
    let headers = "headers_that_cannot_be_verified_are_refused_in_awss_words";
    let permissions = |row, test| elsewhere(row, "permissions.rs", test);
    vec![
        permissions(14, "a_profile_needs_itself_and_every_model_behind_it"),
        permissions(15, "an_explicit_deny_reads_differently"),
        permissions(16, "streaming_is_an_action_of_its_own_and_converse_is_none"),
        permissions(17, "an_explicit_deny_reads_differently"),
        authentication(18, headers),
        authentication(19, headers),
        authentication(20, headers),
        authentication(21, "a_configured_api_key_is_accepted"),
        authentication(22, headers),
        authentication(23, "temporary_credentials_need_their_token_and_expire"),
        authentication(24, "five_minutes_of_skew_are_allowed_and_no_more"),
        authentication(25, "five_minutes_of_skew_are_allowed_and_no_more"),
        authentication(26, "a_wrong_signature_is_told_what_would_have_been_signed"),
        authentication(27, headers),
        authentication(28, headers),
    ]
}

fn about_json(world: &World) -> Vec<Row> {
    let current = world.current.as_str();
    let at = |actions| (open(), current, actions);
    let mut broken = row(
        29,
        "",
        at(CONVERSE),
        &json!({"messages": [{"role": {}, "content": []}]}),
        "Start of structure or map found where not expected",
    )
    .answered(400, "SerializationException")
    .long(64);
    broken.side = Side::FrontDoor;
    let schema = |json: Value| {
        let tools = json!([{"toolSpec": {"name": "a", "inputSchema": {"json": json}}}]);
        say_with(json!({"toolConfig": {"tools": tools}}))
    };
    let result = json!([{"toolResult": {"toolUseId": "t", "content": [{"json": [1]}]}}]);
    let old = || (then(), world.ancient.as_str(), INVOKE);
    let s3 = json!({"s3Location": {"uri": "s3://bucket/a.pdf"}});
    let document = json!({"document": {"format": "pdf", "name": "a", "source": s3}});
    vec![
        broken,
        row(
            30,
            "",
            at(CONVERSE),
            &schema(json!("{}")),
            "The format of the value at toolConfig.tools.0.toolSpec.inputSchema.json is invalid. \
             Provide a json object for the field and try again.",
        ),
        row(
            30,
            "",
            at(CONVERSE),
            &say_turns(&[("user", result)]),
            "The format of the value at messages.0.content.0.toolResult.content.0.json is invalid. \
             Provide a json object for the field and try again.",
        ),
        row(
            None,
            "",
            at(CONVERSE),
            &schema(json!({"oneOf": []})),
            "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the \
             following: object.",
        ),
        row(
            31,
            "",
            old(),
            &json!({"prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 9, "max_tokens": 9}),
            "Malformed input request: #: extraneous key [max_tokens] is not permitted, please \
             reformat your input and try again.",
        ),
        row(
            32,
            "nova-tool-result-from-s3",
            (open(), &nova(&world.emulator), CONVERSE),
            &nova_tool_result(),
            format!(
                "{PREFIX}Malformed input request: #/messages/2/content/0: extraneous key \
             [toolResult] is not permitted, please reformat your input and try again."
            ),
        ),
        row(
            None,
            "",
            (then(), &world.three.0, INVOKE),
            &json!({"prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 9}),
            format!(
                "\"{}\" is not supported on this API. Please use the Messages API instead.",
                world.three.1
            ),
        ),
        // The request of the seed's article, in the days of its model.
        row(
            33,
            "",
            old(),
            &json!({"prompt": "Hi", "max_tokens": 9}),
            "Malformed input request: #: required key [max_tokens_to_sample] not found#: \
             extraneous key [max_tokens] is not permitted, please reformat your input and try \
             again.",
        ),
        row(
            34,
            "document-from-s3",
            at(CONVERSE),
            &say_turns(&[("user", json!([{"text": "Read this."}, document]))]),
            format!("{PREFIX}messages.0.content.1.document.source.type: Field required"),
        ),
        row(
            34,
            "",
            at(INVOKE),
            &messages_with(json!({"stream": true})),
            "stream: Extra inputs are not permitted",
        ),
        row(
            34,
            "",
            at(CONVERSE),
            &say_with(json!({"additionalModelRequestFields": {"foo": 1}})),
            format!("{PREFIX}foo: Extra inputs are not permitted"),
        ),
        row(
            35,
            "",
            at(INVOKE),
            &messages_without("max_tokens"),
            "max_tokens: Field required",
        ),
        row(
            57,
            "",
            (
                open(),
                &base(&world.emulator, "Claude Sonnet 4.5"),
                &["count-tokens"],
            ),
            &count(&messages_with(json!({
                "tools": [{"type": "web_search_20250305", "name": "web_search"}],
            }))),
            "tools.0: Input tag 'web_search_20250305' found using 'type' does not match any of \
             the expected tags: 'bash_20250124', 'custom', 'text_editor_20250124', \
             'text_editor_20250429', 'text_editor_20250728'",
        ),
    ]
}

/// Nova 2 Lite, which reads media in tool results.
fn nova(emulator: &Emulator) -> String {
    format!("us.{}", base(emulator, "Nova 2 Lite"))
}

fn nova_tool_result() -> Value {
    let source = json!({"s3Location": {"uri": "s3://bucket/a.pdf"}});
    let content = json!([{"document": {"format": "pdf", "name": "a", "source": source}}]);
    let body = say_turns(&[
        ("user", json!([{"text": "Fetch it."}])),
        (
            "assistant",
            json!([{"toolUse": {"toolUseId": "t", "name": "a", "input": {}}}]),
        ),
        (
            "user",
            json!([{"toolResult": {"toolUseId": "t", "content": content}}]),
        ),
    ]);
    merge(body, json!({"toolConfig": {"tools": [tool_spec("a")]}}))
}

fn messages_without(member: &str) -> Value {
    let mut body = messages("Hi");
    body.as_object_mut().unwrap().remove(member);
    body
}

fn count(body: &Value) -> Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    json!({"input": {"invokeModel": {"body": STANDARD.encode(body.to_string())}}})
}

fn about_sampling(world: &World) -> Vec<Row> {
    let World {
        current,
        newest,
        old,
        strict_context,
        ..
    } = world;
    let config = |config: Value| say_with(json!({"inferenceConfig": config}));
    let both = "`temperature` and `top_p` cannot both be specified for this model. \
                Please use only one.";
    let deprecated = "`temperature` is deprecated for this model.";
    let limit = world.emulator.catalogue().by_alias("sonnet").unwrap();
    let long = "word ".repeat(250_000);
    let tokens = input_tokens(world, &long);
    let fits = "word ".repeat(150_000);
    let fit_tokens = input_tokens(world, &fits);
    vec![
        row(
            36,
            "max-tokens-too-large",
            (open(), current, CONVERSE),
            &config(json!({"maxTokens": 64_001})),
            "The maximum tokens you requested exceeds the model limit of 64000. Try again with a \
             maximum tokens value that is lower than 64000.",
        ),
        row(
            36,
            "messages-max-tokens-too-large",
            (open(), current, INVOKE),
            &messages_with(json!({"max_tokens": 64_001})),
            format!(
                "max_tokens: 64001 > 64000, which is the maximum allowed number of output \
             tokens for {}",
                limit.provider_id
            ),
        ),
        row(
            37,
            "temperature-beside-top-p",
            (open(), current, CONVERSE),
            &config(json!({"temperature": 0.5, "topP": 0.5})),
            format!("{PREFIX}{both}"),
        ),
        row(
            37,
            "temperature-beside-top-p",
            (open(), current, INVOKE),
            &messages_with(json!({"temperature": 0.5, "top_p": 0.5})),
            both,
        ),
        row(
            38,
            "sampling-deprecated",
            (open(), newest, CONVERSE),
            &config(json!({"temperature": 0.5})),
            format!("{PREFIX}{deprecated}"),
        ),
        row(
            38,
            "sampling-deprecated",
            (open(), newest, INVOKE),
            &messages_with(json!({"temperature": 0.5})),
            deprecated,
        ),
        row(
            55,
            "prompt-too-long",
            (open(), current, CONVERSE),
            &say(&long),
            format!("{PREFIX}prompt is too long: {tokens} tokens > 200000 maximum"),
        ),
        row(
            55,
            "input-too-long",
            (open(), current, INVOKE),
            &messages(&long),
            "Input is too long for requested model.",
        ),
        row(
            55,
            "nova-input-too-long",
            (open(), &base(&world.emulator, "Nova Micro"), CONVERSE),
            &say(&long),
            format!(
                "{PREFIX}Input Tokens Exceeded: Number of input tokens exceeds maximum length. \
             Please update the input to try again."
            ),
        ),
        row(
            55,
            "context-limit",
            (open(), strict_context, INVOKE),
            &merge(messages(&fits), json!({"max_tokens": 60_000})),
            format!(
                "input length and `max_tokens` exceed context limit: {fit_tokens} + 60000 > \
             200000, decrease input length or `max_tokens` and try again"
            ),
        ),
        row(
            53,
            "no-prompt-caching",
            (then(), old, CONVERSE),
            &say_with(json!({"system": [{"text": "a"}, {"cachePoint": {"type": "default"}}]})),
            "You invoked an unsupported model or your request did not allow prompt caching",
        )
        .answered(403, "AccessDeniedException"),
    ]
}

/// As `CountTokens` tells it.
fn input_tokens(world: &World, prompt: &str) -> u64 {
    let id = base(&world.emulator, "Claude Sonnet 4.5");
    let reply = call(
        &world.emulator,
        &id,
        "count-tokens",
        &count(&messages(prompt)),
    );
    let answer: Value = serde_json::from_str(&text(&reply)).unwrap();
    answer["inputTokens"].as_u64().unwrap()
}

fn about_turns(world: &World) -> Vec<Row> {
    let World {
        current,
        newest,
        old,
        ..
    } = world;
    let hi = json!([{"text": "Hi"}]);
    let first = "A conversation must start with a user message. \
                 Try again with a conversation that starts with a user message.";
    let two = [("user", hi.clone()), ("user", hi.clone())];
    let filled = [("user", hi.clone()), ("assistant", hi.clone())];
    let text = |text: &str| say_turns(&[("user", json!([{"text": text}]))]);
    let prefill = "This model does not support assistant message prefill. \
                   The conversation must end with a user message.";
    let blank = json!([{"text": "a"}, {"text": " "}]);
    let points = vec![json!({"cachePoint": {"type": "default"}}); 5];
    let long_lived = json!({"cachePoint": {"type": "default", "ttl": "1h"}});
    let short_lived = json!({"cachePoint": {"type": "default"}});
    let ordered = json!([{"text": "a"}, short_lived, {"text": "b"}, long_lived]);
    let cached = json!([{"type": "text", "text": "", "cache_control": {"type": "ephemeral"}}]);
    vec![
        row(
            39,
            "roles-do-not-alternate",
            (then(), old, CONVERSE),
            &say_turns(&two),
            "A conversation must alternate between user and assistant roles. Make sure the \
             conversation alternates between user and assistant roles and try again.",
        ),
        row(
            40,
            "first-message-not-user",
            (then(), old, CONVERSE),
            &say_turns(&[("assistant", hi.clone())]),
            first,
        ),
        row(
            40,
            "no-messages",
            (open(), current, CONVERSE),
            &json!({"messages": []}),
            first,
        ),
        row(
            41,
            "prefill",
            (open(), newest, CONVERSE),
            &say_turns(&filled),
            format!("{PREFIX}{prefill}"),
        ),
        row(
            41,
            "prefill",
            (open(), newest, INVOKE),
            &messages_with(json!({"messages": [
                {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
            ]})),
            prefill,
        ),
        row(
            None,
            "prefill-white-space",
            (open(), current, CONVERSE),
            &say_turns(&[
                ("user", hi.clone()),
                ("assistant", json!([{"text": "So "}])),
            ]),
            format!(
                "{PREFIX}messages: final assistant content cannot end with trailing whitespace"
            ),
        ),
        row(
            42,
            "blank-text",
            (then(), old, CONVERSE),
            &say_turns(&[("user", blank)]),
            "The text field in the ContentBlock object at messages.0.content.1 is blank. Add text \
             to the text field, and try again.",
        ),
        row(
            42,
            "empty-text",
            (open(), current, CONVERSE),
            &text(""),
            format!("{PREFIX}messages: text content blocks must be non-empty"),
        ),
        row(
            42,
            "white-space-only",
            (open(), current, CONVERSE),
            &text(" \n"),
            format!("{PREFIX}messages: text content blocks must contain non-whitespace text"),
        ),
        row(
            43,
            "empty-content",
            (open(), current, CONVERSE),
            &say_turns(&[("user", hi.clone()), ("assistant", json!([]))]),
            "The content field in the Message object at messages.1 is empty. Add a ContentBlock \
             object to the content field and try again.",
        ),
        row(
            52,
            "too-many-cache-points",
            (open(), current, CONVERSE),
            &say_with(json!({"system": points})),
            format!("{PREFIX}A maximum of 4 blocks with cache_control may be provided. Found 5."),
        ),
        row(
            None,
            "cache-ttl-order",
            (open(), current, CONVERSE),
            &say_with(json!({"system": ordered})),
            format!(
                "{PREFIX}system.3.cache_control.ttl: a ttl='1h' cache_control block must not \
             come after a ttl='5m' cache_control block. Note that blocks are processed in the \
             following order: `tools`, `system`, `messages`."
            ),
        ),
        row(
            None,
            "cached-empty-text",
            (open(), current, INVOKE),
            &messages_with(json!({"system": cached})),
            "system.0.text: cache_control cannot be set for empty text blocks",
        ),
        row(
            None,
            "messages-empty",
            (open(), current, INVOKE),
            &messages_with(json!({"messages": []})),
            "messages: at least one message is required",
        ),
        row(
            None,
            "message-content-empty",
            (open(), current, INVOKE),
            &messages_with(json!({"messages": [{"role": "user", "content": []}]})),
            "messages.0: all messages must have non-empty content except for the optional final \
             assistant message",
        ),
        row(
            None,
            "system-role",
            (open(), current, INVOKE),
            &messages_with(json!({"messages": [
                {"role": "user", "content": "a"}, {"role": "system", "content": "b"},
            ]})),
            "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` \
             parameter, not \"system\" as an input message role.",
        ),
    ]
}

fn about_blocks(world: &World) -> Vec<Row> {
    let World { current, .. } = world;
    let s3 = json!({"s3Location": {"uri": "s3://bucket/key"}});
    let video = json!([{"text": "a"}, {"video": {"format": "mp4", "source": s3}}]);
    let image = json!([{"image": {"format": "png", "source": s3}}]);
    let document = json!([{"document": {"format": "txt", "name": "a", "source": {"text": "x"}}}]);
    let gif = |media_type: &str, data: &[u8]| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let source =
            json!({"type": "base64", "media_type": media_type, "data": STANDARD.encode(data)});
        messages_with(json!({"messages": [
            {"role": "user", "content": [{"type": "image", "source": source}]},
        ]}))
    };
    let url = json!([{"type": "image", "source": {"type": "url", "url": "a"}}]);
    let at = "messages.0.content.0.image.source.base64";
    vec![
        row(
            44,
            "document-without-text",
            (open(), current, CONVERSE),
            &say_turns(&[("user", document)]),
            "A text block must be included when using documents.",
        ),
        row(
            50,
            "unsupported-block",
            (open(), current, CONVERSE),
            &say_turns(&[("user", video)]),
            "This model doesn't support the video content block that you provided. Update the \
             content block and try again.",
        ),
        row(
            51,
            "image-from-s3",
            (open(), current, CONVERSE),
            &say_turns(&[("user", image)]),
            "This model doesn't support the s3Uri field. Remove s3Uri and try again.",
        ),
        row(
            None,
            "source-is-url",
            (open(), current, INVOKE),
            &messages_with(json!({"messages": [{"role": "user", "content": url}]})),
            "messages.0.content.0.image.source: Input tag 'url' found using 'type' does not match \
             any of the expected tags: 'base64'",
        ),
        row(
            None,
            "image-of-another-format",
            (open(), current, INVOKE),
            &gif("image/png", b"GIF89a"),
            format!("{at}.data: Image does not match the provided media type image/png"),
        ),
        row(
            None,
            "image-too-heavy",
            (open(), current, INVOKE),
            &gif("image/gif", &[b'G'; 4_000_000]),
            format!("{at}: image exceeds 5 MB maximum: 5333336 bytes > 5242880 bytes"),
        ),
        row(
            None,
            "image-too-large",
            (open(), current, INVOKE),
            &gif("image/gif", b"GIF89a\x41\x1F\x01\0\0\0\0"),
            format!(
                "{at}.data: At least one of the image dimensions exceed max allowed size: \
             8000 pixels"
            ),
        ),
    ]
}

fn about_tools(world: &World) -> Vec<Row> {
    let World {
        current,
        unforced,
        ancient,
        ..
    } = world;
    let tools = json!({"toolConfig": {"tools": [tool_spec("a")]}});
    let hi = json!([{"text": "Hi"}]);
    let used = |id: &str| json!([{"toolUse": {"toolUseId": id, "name": "a", "input": {}}}]);
    let result = |id: &str| json!([{"toolResult": {"toolUseId": id, "content": [{"text": "x"}]}}]);
    let talk = |turns: &[(&str, Value)]| merge(say_turns(turns), tools.clone());
    let beside = json!([
        {"toolResult": {"toolUseId": "t", "content": []}}, {"text": "Hi"},
    ]);
    let choice = |choice: Value| {
        say_with(json!({"toolConfig": {"tools": [tool_spec("a")], "toolChoice": choice}}))
    };
    let left = "`tool_use` ids were found without `tool_result` blocks immediately after: t. Each \
                `tool_use` block must have a corresponding `tool_result` block in the next message.";
    let orphan = "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t. \
                  Each `tool_result` block must have a corresponding `tool_use` block in the \
                  previous message.";
    vec![
        row(
            45,
            "tool-results-missing",
            (open(), current, CONVERSE),
            &talk(&[
                ("user", hi.clone()),
                ("assistant", used("t")),
                ("user", hi.clone()),
            ]),
            "Expected toolResult blocks at messages.2.content for the following Ids: t",
        ),
        row(
            46,
            "tool-use-without-result",
            (open(), current, CONVERSE),
            &talk(&[("user", hi.clone()), ("assistant", used("t"))]),
            format!("{PREFIX}messages.1: {left}"),
        ),
        row(
            46,
            "tool-use-without-result",
            (open(), current, INVOKE),
            &messages_with(json!({"messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "a", "input": {}}]},
                {"role": "user", "content": "b"},
            ]})),
            format!("messages.1: {left}"),
        ),
        row(
            47,
            "tool-result-without-use",
            (open(), current, CONVERSE),
            &talk(&[("user", result("t"))]),
            format!("{PREFIX}{orphan}"),
        ),
        row(
            47,
            "tool-result-without-use",
            (open(), current, INVOKE),
            &messages_with(json!({"messages": [
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]},
            ]})),
            orphan,
        ),
        row(
            None,
            "tool-use-ids-repeat",
            (open(), current, CONVERSE),
            &talk(&[
                ("user", hi.clone()),
                ("assistant", used("t")),
                ("user", result("t")),
                ("assistant", used("t")),
                ("user", result("t")),
            ]),
            format!("{PREFIX}messages.3.content.0: `tool_use` ids must be unique"),
        ),
        row(
            48,
            "tool-blocks-without-tool-config",
            (open(), current, CONVERSE),
            &say_turns(&[
                ("user", hi.clone()),
                ("assistant", used("t")),
                ("user", result("t")),
            ]),
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        ),
        row(
            49,
            "tool-result-beside-text",
            (
                peculiar(|model| model.quirks.no_mixed_turns = true),
                current,
                CONVERSE,
            ),
            &talk(&[
                ("user", hi.clone()),
                ("assistant", used("t")),
                ("user", beside),
            ]),
            "messages.2.content: Conversation blocks and tool result blocks cannot be provided in \
             the same turn.",
        ),
        row(
            54,
            "no-tools-in-streams",
            (
                peculiar(|model| model.quirks.no_streamed_tools = true),
                current,
                &["converse-stream"],
            ),
            &say_with(tools.clone()),
            "This model doesn't support tool use in streaming mode.",
        ),
        row(
            None,
            "no-system",
            (
                then(),
                &base(&world.emulator, "Titan Text G1 - Express"),
                CONVERSE,
            ),
            &say_with(json!({"system": [{"text": "a"}]})),
            "This model doesn't support system messages. Try again without a system message or \
             use a model that supports system messages.",
        ),
        row(
            None,
            "no-tools",
            (then(), ancient, CONVERSE),
            &say_with(tools.clone()),
            "This model doesn't support tool use.",
        ),
        row(
            None,
            "tool-names-repeat",
            (open(), current, CONVERSE),
            &say_with(json!({"toolConfig": {"tools": [tool_spec("a"), tool_spec("a")]}})),
            format!("{PREFIX}tools: Tool names must be unique."),
        ),
        row(
            None,
            "tool-choice-without-tools",
            (open(), current, INVOKE),
            &messages_with(json!({"tool_choice": {"type": "any"}})),
            "tool_choice: tool_choice may only be specified while providing tools",
        ),
        row(
            None,
            "unknown-tool-chosen",
            (open(), current, CONVERSE),
            &choice(json!({"tool": {"name": "b"}})),
            format!("{PREFIX}Tool 'b' not found in provided tools"),
        ),
        row(
            None,
            "thinking-beside-forced-tool",
            (open(), unforced, CONVERSE),
            &choice(json!({"any": {}})),
            format!("{PREFIX}Thinking may not be enabled when tool_choice forces tool use."),
        ),
    ]
}

fn about_thinking(world: &World) -> Vec<Row> {
    let World {
        current,
        newest,
        old,
        ..
    } = world;
    let budget = |tokens: u32| json!({"thinking": {"type": "enabled", "budget_tokens": tokens}});
    let adaptive = json!({"thinking": {"type": "adaptive"}});
    let through = |fields: Value| say_with(json!({"additionalModelRequestFields": fields}));
    let small = "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024";
    let over = "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our \
                documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size";
    let important = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking";
    let by_budget = "\"thinking.type.enabled\" is not supported for this model. Use \
                     \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.";
    let thinking = |more: Value| {
        let base = merge(messages_with(json!({"max_tokens": 4_096})), budget(1_024));
        merge(base, more)
    };
    let unthought = json!({"messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "a", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]},
    ]});
    vec![
        row(
            56,
            "thinking-budget-too-small",
            (open(), current, CONVERSE),
            &through(budget(100)),
            format!("{PREFIX}{small}"),
        ),
        row(
            56,
            "thinking-budget-too-small",
            (open(), current, INVOKE),
            &messages_with(budget(100)),
            small,
        ),
        row(
            56,
            "thinking-budget-over-max-tokens",
            (open(), current, INVOKE),
            &messages_with(budget(1_024)),
            over,
        ),
        row(
            None,
            "no-thinking",
            (then(), old, CONVERSE),
            &through(budget(1_024)),
            format!("{PREFIX}thinking: Extra inputs are not permitted"),
        ),
        row(
            None,
            "thinking-not-by-budget",
            (open(), newest, CONVERSE),
            &through(budget(1_024)),
            format!("{PREFIX}{by_budget}"),
        ),
        row(
            None,
            "thinking-not-adaptive",
            (open(), current, CONVERSE),
            &through(adaptive),
            format!("{PREFIX}adaptive thinking is not supported on this model"),
        ),
        row(
            None,
            "thinking-beside-temperature",
            (open(), current, INVOKE),
            &thinking(json!({"temperature": 0.5})),
            format!(
                "`temperature` may only be set to 1 when thinking is enabled. Please consult \
             our documentation at {important}"
            ),
        ),
        row(
            None,
            "thinking-beside-top-p",
            (open(), current, INVOKE),
            &thinking(json!({"top_p": 0.5})),
            format!(
                "`top_p` must be greater than or equal to 0.95 or unset when thinking is \
             enabled. Please consult our documentation at {important}"
            ),
        ),
        row(
            None,
            "thinking-beside-top-k",
            (open(), current, INVOKE),
            &thinking(json!({"top_k": 5})),
            format!(
                "`top_k` must be unset when thinking is enabled. Please consult our \
             documentation at {important}"
            ),
        ),
        row(
            None,
            "thinking-left-out",
            (open(), current, INVOKE),
            &thinking(unthought),
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found \
             `tool_use`. When `thinking` is enabled, a final `assistant` message must start with a \
             thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). \
             We recommend you include thinking blocks from previous turns. To avoid this \
             requirement, disable `thinking`. Please consult our documentation at \
             https://docs.claude.com/en/docs/build-with-claude/extended-thinking",
        ),
    ]
}

fn about_circumstances() -> Vec<Row> {
    let nothing = Row {
        proof: Proof::Nothing("a wrong region has no host: no request arrives anywhere"),
        ..elsewhere(65, "", "")
    };
    vec![
        fault(Refusal::TooManyRequests),
        fault(Refusal::TooManyTokens).long(63),
        fault(Refusal::TooManyTokensPerDay),
        fault(Refusal::TooManyConnections),
        fault(Refusal::UnableToProcess),
        fault(Refusal::InternalServer),
        fault(Refusal::ModelTimeout),
        fault(Refusal::ModelNotReady),
        fault(Refusal::ModelError),
        nothing,
    ]
}

fn table() -> Vec<Row> {
    let world = World::new();
    let mut rows = about_models(&world);
    rows.extend(about_callers());
    rows.extend(about_json(&world));
    rows.extend(about_sampling(&world));
    rows.extend(about_turns(&world));
    rows.extend(about_blocks(&world));
    rows.extend(about_tools(&world));
    rows.extend(about_thinking(&world));
    rows.extend(about_circumstances());
    rows
}

#[test]
fn every_row_is_refused_as_it_says() {
    let mut wrong = Vec::new();
    for row in table() {
        match &row.proof {
            Proof::Sent {
                emulator,
                model,
                actions,
                body,
            } => {
                for action in *actions {
                    let reply = emulator.handle(&post(model, action, body.clone()), now());
                    wrong.extend(check(&row, action, body, &reply));
                }
            }
            Proof::Elsewhere(file, function) => {
                let source = match *file {
                    "authentication.rs" => include_str!("authentication.rs"),
                    "catalogue.rs" => include_str!("catalogue.rs"),
                    "permissions.rs" => include_str!("permissions.rs"),
                    other => panic!("{other}"),
                };
                assert!(
                    source.contains(&format!("fn {function}(")),
                    "{file}: {function}"
                );
            }
            Proof::Nothing(why) => assert!(!why.is_empty()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not as the row says.
fn check(row: &Row, action: &str, sent: &str, reply: &Reply) -> Option<String> {
    let (key, namespace) = match row.side {
        Side::Bedrock => ("message", "com.amazon.bedrock"),
        Side::FrontDoor => ("Message", "com.amazon.coral.service"),
    };
    let namespace = format!("http://internal.amazon.com/coral/{namespace}/");
    let code = format!("{}:{namespace}", row.code);
    let said = (
        reply.status,
        header(reply, "x-amzn-ErrorType").unwrap_or_default(),
        String::from_utf8_lossy(&reply.body.bytes()).into_owned(),
    );
    let body = json!({ key: row.message }).to_string();
    let length = row.length.unwrap_or(body.len());
    let wanted = (row.status, code.as_str(), body);
    if said == wanted && said.2.len() == length {
        return None;
    }
    let short: String = sent.chars().take(300).collect();
    let (number, proves) = (row.row, row.proves);
    Some(format!(
        "row {number:?} {proves} on {action}: {short}\n  {said:?}\n  {wanted:?}"
    ))
}

#[test]
fn no_row_no_rule_and_no_refusal_is_missing() {
    let table = table();
    let rows: BTreeSet<u8> = table.iter().filter_map(|row| row.row).collect();
    assert_eq!(rows, (1..=65).collect());
    let proved: BTreeSet<&str> = table.iter().map(|row| row.proves).collect();
    for rule in rules() {
        assert!(proved.contains(rule.name), "no row proves {}", rule.name);
        let same_number = |row: &&Row| row.proves == rule.name && row.row == rule.row;
        assert!(
            table.iter().any(|row| same_number(&row)),
            "{}: {:?}",
            rule.name,
            rule.row
        );
    }
    for refusal in Refusal::ALL {
        assert!(
            proved.contains(refusal.name()),
            "no row proves {}",
            refusal.name()
        );
    }
}

/// A rule that both APIs share and that the model complains about is bare on one and prefixed on
/// the other; Bedrock's own words have no prefix.
#[test]
fn rules_speak_for_who_complains() {
    let bedrock = |rule: &&Rule| rule.by == By::Bedrock;
    for rule in rules().filter(bedrock) {
        let shared = rule.surface != Some(Surface::Messages);
        assert!(shared, "{}: Bedrock checks no Messages body", rule.name);
    }
    for row in table() {
        let Some(rule) = rules().find(|rule| rule.name == row.proves) else {
            continue;
        };
        let Proof::Sent { actions, .. } = row.proof else {
            continue;
        };
        let prefixed = rule.by == By::Model && actions[0].starts_with("converse");
        assert_eq!(row.message.starts_with(PREFIX), prefixed, "{}", rule.name);
    }
}
