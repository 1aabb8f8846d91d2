//! Exercise 008: token counting and a cost budget.
//!
//! Know what a call can cost before it is made, stop at the limit even when ten callers come at once,
//! and pay for a long prompt once. This is the only file you edit; types and the Converse call stand in
//! `given.rs`. The task is in `README.md`; `workshop hint 008` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::{Client, types::SystemContentBlock};

pub use given::{
    Ask, BudgetError, CountError, MicroUsd, Model, OverBudget, Price, Reply, converse, message,
};

/// How many input tokens the question has: system prompt, message and all.
pub async fn count(client: &Client, base_id: &str, ask: &Ask) -> Result<u32, CountError> {
    let _ = client;
    todo!(
        "008/1: let {base_id} count the tokens of {:?} and its system prompt",
        ask.prompt
    )
}

/// The system prompt, followed by a cache point if the model's cache would keep that many tokens.
pub fn with_cache_point(system: &str, model: &Model, tokens: u32) -> Vec<SystemContentBlock> {
    todo!(
        "008/2: a system prompt of {} bytes has {tokens} tokens; the cache wants {:?}",
        system.len(),
        model.min_cache_tokens
    )
}

/// Money for many callers at once.
#[derive(Debug)]
pub struct Budget {
    limit: MicroUsd,
}

/// A part of a [`Budget`] that nobody else can have. Dropped without being settled, it goes back.
#[derive(Debug)]
#[must_use = "dropped at once, it reserves nothing"]
pub struct Reservation<'b> {
    budget: &'b Budget,
}

impl Budget {
    /// A budget of which nothing is spent.
    pub fn new(limit: MicroUsd) -> Self {
        Self { limit }
    }

    /// Sets `worst` aside, if it is left.
    pub fn reserve(&self, worst: MicroUsd) -> Result<Reservation<'_>, OverBudget> {
        todo!("008/3: set {worst} aside, of {}", self.limit)
    }

    /// What was settled so far, without what is only reserved.
    pub fn spent(&self) -> MicroUsd {
        todo!("008/4: what was spent of {}", self.limit)
    }
}

impl Reservation<'_> {
    /// What it really cost. The rest goes back.
    pub fn settle(self, actual: MicroUsd) {
        todo!(
            "008/5: spend {actual} of {:?}, give the rest back",
            self.budget
        )
    }
}

/// Asks `model`, if the worst that this can cost is left in the budget. The answer comes with what it
/// did cost.
pub async fn ask_within(
    client: &Client,
    budget: &Budget,
    model: &Model,
    ask: &Ask,
) -> Result<(Reply, MicroUsd), BudgetError> {
    let _ = (client, budget, model);
    todo!("008/6: count, reserve, ask, settle: {:?}", ask.prompt)
}
