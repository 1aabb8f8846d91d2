//! Exercise 008 against real Amazon Bedrock: a count, which is free, and one call, with your own AWS
//! configuration.
//!
//! `workshop check 008 --target bedrock` runs this after it has told you the price ceiling and you have
//! agreed. It looks at the shape of the result alone: what a model says is its own affair.

use ex008::{Ask, Budget, BudgetError, CountError, MicroUsd, Model, Price, ask_within};
use workshop_testkit::{
    Point,
    bedrock::error::DisplayErrorContext,
    live::{self, Limits},
    models,
};

/// What one run may cost; `exercise.toml` says the same.
const LIMITS: Limits = Limits {
    calls: 2,
    max_tokens: 200,
};

#[tokio::test]
async fn real_bedrock_counts_and_the_bill_stays_within_the_reservation() {
    const WITHIN: Point = Point::result(
        "008/30",
        "the count is the model's own, so the worst case was not exceeded",
        "README.md \"Reserving\"",
    );
    let live = live::client(LIMITS)
        .await
        .unwrap_or_else(|missing| panic!("{missing}"));
    let profile_id = live
        .model("haiku")
        .unwrap_or_else(|missing| panic!("{missing}"));
    // The profile's id is a prefix, a dot and the id of its model.
    let known = models().models.iter();
    let base = known.map(|m| &m.id).find(|id| profile_id.ends_with(*id));
    let model = Model {
        base_id: base.unwrap_or(&profile_id).clone(),
        profile_id: profile_id.clone(),
        price: Price {
            input: 1_000_000,
            output: 5_000_000,
            cache_write: 1_250_000,
            cache_read: 100_000,
        },
        min_cache_tokens: None,
    };
    let ask = Ask {
        system: "You answer in one short sentence.".to_owned(),
        system_tokens: 10,
        prompt: "Why do clocks go clockwise?".to_owned(),
        max_tokens: 200,
    };
    // Enough for a few hundred tokens in, and for the whole answer.
    let limit = MicroUsd(500 + 200 * 5);
    let budget = Budget::new(limit);
    let (reply, cost) = match ask_within(live.client(), &budget, &model, &ask).await {
        Ok(answered) => answered,
        Err(BudgetError::Sdk(error)) => {
            WITHIN.fail("ask_within(…)", DisplayErrorContext(error), "an answer")
        }
        Err(BudgetError::Count(CountError(error))) => {
            WITHIN.fail("ask_within(…)", DisplayErrorContext(error), "an answer")
        }
        Err(error) => WITHIN.fail("ask_within(…)", format!("{error:?}"), "an answer"),
    };
    WITHIN.holds(
        "text",
        !reply.text.trim().is_empty(),
        "nothing",
        "some words",
    );
    WITHIN.equal("spent", budget.spent(), cost);
    WITHIN.holds("cost", cost <= limit, cost, format!("at most {limit}"));
}
