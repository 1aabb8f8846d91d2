//! Exercise 003 against real Amazon Bedrock: one call, with your own AWS configuration.
//!
//! `workshop check 003 --target bedrock` runs this after it has told you the price ceiling and you have
//! agreed. It looks at the shape of the result alone: what a model says is its own affair.

use ex003::{StreamFailure, stream};
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
async fn real_bedrock_streams_in_pieces_and_ends_with_usage() {
    const STREAMS: Point = Point::result(
        "003/20",
        "a real stream comes in the model's rhythm; what was shown is still what is returned",
        "README.md \"As it arrives\"",
    );
    let live = live::client(LIMITS)
        .await
        .unwrap_or_else(|missing| panic!("{missing}"));
    let model = live
        .model("haiku")
        .unwrap_or_else(|missing| panic!("{missing}"));

    let mut shown = Vec::new();
    let mut on_text = |piece: &str| shown.push(piece.to_owned());
    let prompt = "Count from one to thirty in words.";
    let streamed = match stream(live.client(), &model, prompt, 200, &mut on_text).await {
        Ok(streamed) => streamed,
        Err(StreamFailure::Start(error)) => {
            STREAMS.fail("stream(…)", DisplayErrorContext(error), "a Streamed")
        }
        Err(cut) => STREAMS.fail("stream(…)", format!("{cut:?}"), "a Streamed"),
    };
    STREAMS.holds(
        "pieces shown",
        shown.len() > 1,
        shown.len(),
        "more than one",
    );
    STREAMS.equal("text", streamed.text, shown.concat());
    let output = streamed.usage.map_or(0, |usage| usage.output_tokens());
    STREAMS.holds(
        "output tokens",
        (1..=200).contains(&output),
        output,
        "from 1 to 200",
    );
}
