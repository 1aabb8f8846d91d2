//! dies in: the_cache_point_stands_last_and_only_where_it_helps, a_long_question_is_no_reason_for_a_cache_point
//!
//! A cache point where there is a cache; how long the prompt is, Bedrock will see to.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_bedrockruntime::{
    Client,
    types::{
        CachePointBlock, CachePointType, ConverseTokensRequest, CountTokensInput,
        SystemContentBlock,
    },
};

pub use given::{
    Ask, BudgetError, CountError, MicroUsd, Model, OverBudget, Price, Reply, converse, message,
};

/// How many input tokens the question has: system prompt, message and all.
pub async fn count(client: &Client, base_id: &str, ask: &Ask) -> Result<u32, CountError> {
    // What is counted is what will be sent. A part that is left out here is a surprise on the bill.
    let question = ConverseTokensRequest::builder()
        .system(SystemContentBlock::Text(ask.system.clone()))
        .messages(message(&ask.prompt))
        .build();
    let output = client
        .count_tokens()
        // The model's own id: a profile says where an answer is made, and counting makes none.
        .model_id(base_id)
        .input(CountTokensInput::Converse(question))
        .send()
        .await
        .map_err(|error| CountError(Box::new(error)))?;
    Ok(u32::try_from(output.input_tokens()).unwrap_or_default())
}

/// Whether the model's cache would keep a beginning of that many tokens.
fn keeps(model: &Model, tokens: u32) -> bool {
    model.min_cache_tokens.is_some_and(|least| tokens >= least)
}

/// The system prompt, followed by a cache point if the model's cache would keep that many tokens.
pub fn with_cache_point(system: &str, model: &Model, tokens: u32) -> Vec<SystemContentBlock> {
    let mut blocks = vec![SystemContentBlock::Text(system.to_owned())];
    let _ = tokens;
    if model.min_cache_tokens.is_some() {
        // Everything in front of the point is kept, so it stands behind the last block that repeats.
        let point = CachePointBlock::builder().r#type(CachePointType::Default);
        let point = point.build().expect("its type is all it needs");
        blocks.push(SystemContentBlock::CachePoint(point));
    }
    blocks
}

/// Money for many callers at once.
#[derive(Debug)]
pub struct Budget {
    limit: MicroUsd,
    // Two numbers that change together: a lock, held for a few additions and never across an await.
    account: Mutex<Account>,
}

#[derive(Debug, Default)]
struct Account {
    spent: u64,
    reserved: u64,
}

/// A part of a [`Budget`] that nobody else can have. Dropped without being settled, it goes back.
#[derive(Debug)]
#[must_use = "dropped at once, it reserves nothing"]
pub struct Reservation<'b> {
    budget: &'b Budget,
    worst: MicroUsd,
}

impl Budget {
    /// A budget of which nothing is spent.
    pub fn new(limit: MicroUsd) -> Self {
        Self {
            limit,
            account: Mutex::default(),
        }
    }

    /// Sets `worst` aside, if it is left.
    pub fn reserve(&self, worst: MicroUsd) -> Result<Reservation<'_>, OverBudget> {
        // Looking and taking happen under one lock: nobody can come in between.
        let mut account = self.account();
        let taken = account.spent.saturating_add(account.reserved);
        // Saturating, because a bill may come out higher than what was reserved for it.
        let left = MicroUsd(self.limit.0.saturating_sub(taken));
        if worst > left {
            return Err(OverBudget {
                wanted: worst,
                left,
            });
        }
        account.reserved += worst.0;
        Ok(Reservation {
            budget: self,
            worst,
        })
    }

    /// What was settled so far, without what is only reserved.
    pub fn spent(&self) -> MicroUsd {
        MicroUsd(self.account().spent)
    }

    /// A caller that panicked while it held the lock left whole numbers behind.
    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation<'_> {
    /// What it really cost. The rest goes back.
    pub fn settle(mut self, actual: MicroUsd) {
        let mut account = self.budget.account();
        // Under one lock, so that nobody sees the amount twice, or not at all.
        account.spent = account.spent.saturating_add(actual.0);
        account.reserved -= self.worst.0;
        drop(account);
        // `self` is dropped here as well, and has nothing left to give back.
        self.worst = MicroUsd(0);
    }
}

impl Drop for Reservation<'_> {
    /// However a call ends, by an answer, an error, a panic or a caller who went away: this runs.
    fn drop(&mut self) {
        self.budget.account().reserved -= self.worst.0;
    }
}

/// The most that a call can cost.
fn worst(model: &Model, ask: &Ask, tokens: u32) -> MicroUsd {
    let price = &model.price;
    // Nobody knows beforehand whether the cache will be read or written, and writing costs more.
    let input = if keeps(model, ask.system_tokens) {
        price.input.max(price.cache_write)
    } else {
        price.input
    };
    let sum = u64::from(tokens) * input + u64::from(ask.max_tokens) * price.output;
    MicroUsd(sum.div_ceil(1_000_000))
}

/// Asks `model`, if the worst that this can cost is left in the budget. The answer comes with what it
/// did cost.
pub async fn ask_within(
    client: &Client,
    budget: &Budget,
    model: &Model,
    ask: &Ask,
) -> Result<(Reply, MicroUsd), BudgetError> {
    let tokens = count(client, &model.base_id, ask)
        .await
        .map_err(BudgetError::Count)?;
    let reservation = budget
        .reserve(worst(model, ask, tokens))
        .map_err(BudgetError::Over)?;
    let system = with_cache_point(&ask.system, model, ask.system_tokens);
    // An error returns from here, and the reservation goes back with it.
    let reply = converse(
        client,
        &model.profile_id,
        system,
        &ask.prompt,
        ask.max_tokens,
    )
    .await
    .map_err(BudgetError::Sdk)?;
    let cost = model.price.cost(&reply.usage);
    reservation.settle(cost);
    Ok((reply, cost))
}
