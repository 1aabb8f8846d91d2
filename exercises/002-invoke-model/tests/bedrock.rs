//! Exercise 002 against real Amazon Bedrock: one call, with your own AWS configuration.
//!
//! `workshop check 002 --target bedrock` runs this after it has told you the price ceiling and you have
//! agreed. It looks at the shape of the result alone: what a model says is its own affair.

use ex002::{InvokeFailure, invoke};
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
async fn real_bedrock_takes_the_body_and_its_answer_can_be_read() {
    const ANSWERS: Point = Point::result(
        "002/20",
        "a body that was built by hand is proven by the one who has to accept it",
        "README.md \"The body\"",
    );
    let live = live::client(LIMITS)
        .await
        .unwrap_or_else(|missing| panic!("{missing}"));
    let model = live
        .model("haiku")
        .unwrap_or_else(|missing| panic!("{missing}"));

    let answer = match invoke(
        live.client(),
        &model,
        "Greet me in one short sentence.",
        200,
    )
    .await
    {
        Ok(answer) => answer,
        Err(InvokeFailure::Sdk(error)) => {
            ANSWERS.fail("invoke(…)", DisplayErrorContext(error), "an Answer")
        }
        Err(error) => ANSWERS.fail("invoke(…)", format!("{error:?}"), "an Answer"),
    };
    ANSWERS.holds(
        "text",
        !answer.text.trim().is_empty(),
        "nothing",
        "some words",
    );
    ANSWERS.holds(
        "stop_reason",
        !answer.stop_reason.is_empty(),
        "nothing",
        "a reason",
    );
    ANSWERS.holds(
        "usage",
        answer.input_tokens > 0 && (1..=200).contains(&answer.output_tokens),
        format!("{} in, {} out", answer.input_tokens, answer.output_tokens),
        "both above 0, and at most 200 out",
    );
}
