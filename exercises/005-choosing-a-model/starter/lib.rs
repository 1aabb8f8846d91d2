//! Exercise 005: choosing a model by task and cost.
//!
//! Give each task to the cheapest model that can do it, lives, and can be called from here; and know
//! what the call cost. This is the only file you edit; types and the call itself stand in `given.rs`.
//! The task is in `README.md`; `workshop hint 005` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::{Client, types::TokenUsage};

pub use given::{
    Caps, Latency, Limits, MicroUsd, Model, Models, NoModel, Price, Reply, RouteError, Task, Tier,
    converse,
};

/// What a call cost that used so many tokens, rounded up to a whole micro-USD.
pub fn cost(model: &Model, usage: &TokenUsage) -> MicroUsd {
    todo!("005/1: what {usage:?} costs at {:?}", model.price)
}

/// The id under which `model` can be called from `region`; `None` if it cannot be.
pub fn call_id(models: &Models, model: &Model, region: &str) -> Option<String> {
    let _ = models;
    todo!("005/2: how {} is called from {region}", model.id)
}

/// The cheapest model that can do the task, lives and can be called, within the ceiling.
pub fn choose<'m>(
    models: &'m Models,
    task: &Task,
    limits: &Limits<'_>,
) -> Result<&'m Model, NoModel> {
    todo!(
        "005/3: choose one of {} models for {task:?} within {limits:?}",
        models.models.len()
    )
}

/// Asks the model that [`choose`] chooses; and if Bedrock will not let us have that one, the next
/// cheapest. The answer comes with what it cost.
pub async fn ask_routed(
    client: &Client,
    models: &Models,
    task: &Task,
    limits: &Limits<'_>,
    prompt: &str,
) -> Result<(Reply, MicroUsd), RouteError> {
    let _ = (client, models, limits);
    todo!("005/4: ask the right model {prompt:?}, a task like {task:?}")
}
