//! Exercise 009 against real Amazon Bedrock: a few calls, with your own AWS configuration.
//!
//! `workshop check 009 --target bedrock` runs this after it has told you the price ceiling and you have
//! agreed. It looks at the shape of the result alone: whether a model uses a tool is its own affair.

use ex009::{Limits, ReadFile, Tool, run};
use workshop_testkit::{
    Point,
    bedrock::error::DisplayErrorContext,
    live::{self, Limits as Ceiling},
};

/// What one run may cost; `exercise.toml` says the same.
const CEILING: Ceiling = Ceiling {
    calls: 4,
    max_tokens: 200,
};

#[tokio::test]
async fn a_real_model_may_read_this_manifest() {
    const SAID: Point = Point::result(
        "009/30",
        "what real models ask for is not in your hands; what your loop does about it is",
        "README.md \"The loop\"",
    );
    let live = live::client(CEILING)
        .await
        .unwrap_or_else(|missing| panic!("{missing}"));
    let model = live
        .model("haiku")
        .unwrap_or_else(|missing| panic!("{missing}"));

    let folder = env!("CARGO_MANIFEST_DIR").into();
    let tools: [Box<dyn Tool>; 1] = [Box::new(ReadFile { folder })];
    let limits = Limits {
        turns: 4,
        max_tokens: 200,
    };
    let prompt = "Read Cargo.toml with your tool and tell me the package's name in one sentence.";
    let outcome = match run(live.client(), &model, &tools, prompt, &limits).await {
        Ok(outcome) => outcome,
        Err(ex009::AgentError::Sdk(error)) => {
            SAID.fail("run(…)", DisplayErrorContext(error), "Ok(…)")
        }
        Err(error) => SAID.fail("run(…)", format!("{error:?}"), "Ok(…)"),
    };
    SAID.holds("text", !outcome.text.is_empty(), "nothing", "some words");
    let whole = outcome.turns > 1 || outcome.calls.is_empty();
    SAID.holds(
        "turns",
        whole,
        format!("{outcome:?}"),
        "a turn for each use of a tool, and one more",
    );
}
