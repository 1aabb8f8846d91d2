//! Sampling parameters, limits and the context window.

use super::*;

pub(super) fn about_sampling(world: &World) -> Vec<Row> {
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
    // Counting words is slow in a test; a small window overflows as a large one does.
    let small = |name: &str| peculiar(name, |model| model.context = 2_000);
    let long = "word ".repeat(6_000);
    let tokens = input_tokens(world, &long);
    let fits = "word ".repeat(1_500);
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
            (small("Claude Sonnet 4.5"), current, CONVERSE),
            &say(&long),
            format!("{PREFIX}prompt is too long: {tokens} tokens > 2000 maximum"),
        ),
        row(
            55,
            "input-too-long",
            (small("Claude Sonnet 4.5"), current, INVOKE),
            &messages(&long),
            "Input is too long for requested model.",
        ),
        row(
            55,
            "nova-input-too-long",
            (
                small("Nova Micro"),
                &base(&world.emulator, "Nova Micro"),
                CONVERSE,
            ),
            &say(&long),
            format!(
                "{PREFIX}Input Tokens Exceeded: Number of input tokens exceeds maximum length. \
             Please update the input to try again."
            ),
        ),
        row(
            55,
            "context-limit",
            (small("Claude Sonnet 4"), strict_context, INVOKE),
            &merge(messages(&fits), json!({"max_tokens": 1_000})),
            format!(
                "input length and `max_tokens` exceed context limit: {fit_tokens} + 1000 > \
             2000, decrease input length or `max_tokens` and try again"
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
