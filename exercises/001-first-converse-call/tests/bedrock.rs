//! Exercise 001 against real Amazon Bedrock: one call, with your own AWS configuration.
//!
//! `workshop check 001 --target bedrock` runs this after it has told you the price ceiling and you have
//! agreed. It looks at the shape of the result alone: what a model says is its own affair.

use ex001::{AskError, ask};
use workshop_testkit::{
    Point,
    bedrock::error::DisplayErrorContext,
    live::{self, Limits},
};

/// What one run may cost; `exercise.toml` says the same.
const LIMITS: Limits = Limits {
    calls: 1,
    max_tokens: 200,
};

#[tokio::test]
async fn real_bedrock_answers_with_text_usage_and_a_request_id() {
    const ANSWERS: Point = Point::result(
        "001/20",
        "the same code, another address: nothing in your function knows which one it talks to",
        "README.md \"The task\"",
    );
    let live = live::client(LIMITS)
        .await
        .unwrap_or_else(|missing| panic!("{missing}"));
    let model = live
        .model("haiku")
        .unwrap_or_else(|missing| panic!("{missing}"));

    let reply = match ask(
        live.client(),
        &model,
        None,
        "Greet me in one short sentence.",
        200,
    )
    .await
    {
        Ok(reply) => reply,
        Err(AskError::Sdk(error)) => ANSWERS.fail("ask(…)", DisplayErrorContext(error), "a Reply"),
        Err(error) => ANSWERS.fail("ask(…)", format!("{error:?}"), "a Reply"),
    };
    ANSWERS.holds(
        "text",
        !reply.text.trim().is_empty(),
        "nothing",
        "some words",
    );
    let (input, output) = (reply.usage.input_tokens(), reply.usage.output_tokens());
    ANSWERS.holds(
        "usage",
        input > 0 && (1..=200).contains(&output),
        format!("{input} in, {output} out"),
        "both above 0, and at most 200 out",
    );
    ANSWERS.holds("request_id", reply.request_id.is_some(), "nothing", "an id");
}
