//! dies in: a_model_that_is_not_to_be_had_is_followed_by_the_next_cheapest
//!
//! Has a first choice and one to fall back to, and no third.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use aws_sdk_bedrockruntime::{
    Client, error::SdkError, operation::converse::ConverseError, types::TokenUsage,
};

pub use given::{
    Caps, Latency, Limits, MicroUsd, Model, Models, NoModel, Price, Reply, RouteError, Task, Tier,
    converse,
};

/// What a call cost that used so many tokens, rounded up to a whole micro-USD.
pub fn cost(model: &Model, usage: &TokenUsage) -> MicroUsd {
    let price = &model.price;
    let tokens = |count: i32| u64::try_from(count).unwrap_or_default();
    // On Bedrock `input_tokens` leaves out what came from the cache or went into it, so nothing is
    // counted twice here.
    let sum = tokens(usage.input_tokens) * price.input
        + tokens(usage.output_tokens) * price.output
        + tokens(usage.cache_write_input_tokens.unwrap_or_default()) * price.cache_write
        + tokens(usage.cache_read_input_tokens.unwrap_or_default()) * price.cache_read;
    micro_usd(sum)
}

/// What the task would cost if it used all the tokens of its estimate.
fn estimate(model: &Model, task: &Task) -> MicroUsd {
    let price = &model.price;
    micro_usd(u64::from(task.est_in) * price.input + u64::from(task.est_out) * price.output)
}

/// Prices are for a million tokens. Whole numbers, and one rounding at the end, upwards: a budget
/// must not be beaten by many small fractions.
fn micro_usd(tokens_times_price: u64) -> MicroUsd {
    MicroUsd(tokens_times_price.div_ceil(1_000_000))
}

/// The id under which `model` can be called from `region`; `None` if it cannot be.
pub fn call_id(models: &Models, model: &Model, region: &str) -> Option<String> {
    let serving = model
        .profiles
        .iter()
        .filter(|prefix| models.serves(prefix, region));
    // `false` sorts before `true`, and of equals `min_by_key` takes the first: a geography's profile
    // keeps the data there, the global one is for where there is none.
    let nearest = serving.min_by_key(|prefix| *prefix == "global");
    match nearest {
        Some(prefix) => Some(format!("{prefix}.{}", model.id)),
        None => model.on_demand.then(|| model.id.clone()),
    }
}

/// Whether `model` could do the task at all.
fn can(model: &Model, task: &Task) -> bool {
    let tokens = u64::from(task.est_in) + u64::from(task.est_out);
    let in_time = match task.latency {
        Latency::Any => true,
        Latency::FirstTokenWithin(limit) => model.first_token_ms <= limit,
    };
    model.caps.contains(task.needs)
        && tokens <= u64::from(model.context)
        && task.est_out <= model.max_output
        && in_time
}

/// All models that may be asked, the cheapest first; never an empty list.
fn candidates<'m>(
    models: &'m Models,
    task: &Task,
    limits: &Limits<'_>,
) -> Result<Vec<&'m Model>, NoModel> {
    // Sort out first, compare prices afterwards. Each step that leaves nothing is a reason of its own.
    let mut left: Vec<&Model> = models.models.iter().filter(|m| can(m, task)).collect();
    if left.is_empty() {
        return Err(NoModel::NothingCapable);
    }
    // `eol` is the first day without an answer, so on that very day it is too late.
    left.retain(|model| model.eol.is_none_or(|eol| limits.today < eol));
    if left.is_empty() {
        return Err(NoModel::AllRetired);
    }
    left.retain(|model| call_id(models, model, limits.region).is_some());
    // A stable sort: of equals, the first in the list stays first.
    left.sort_by_key(|model| (estimate(model, task), model.tier));
    let Some(cheapest) = left.first().map(|model| estimate(model, task)) else {
        return Err(NoModel::NotInRegion);
    };
    left.retain(|model| estimate(model, task) <= limits.ceiling);
    if left.is_empty() {
        return Err(NoModel::OverCeiling { cheapest });
    }
    Ok(left)
}

/// The cheapest model that can do the task, lives and can be called, within the ceiling.
pub fn choose<'m>(
    models: &'m Models,
    task: &Task,
    limits: &Limits<'_>,
) -> Result<&'m Model, NoModel> {
    candidates(models, task, limits).map(|candidates| candidates[0])
}

/// Whether the error says: not this model, for you, here. Another one may answer.
fn not_this_model(error: &SdkError<ConverseError>) -> bool {
    match error.as_service_error() {
        // No access, or an end that the price list did not know of.
        Some(
            ConverseError::AccessDeniedException(_) | ConverseError::ResourceNotFoundException(_),
        ) => true,
        // One exception for everything that is wrong with a request. Only its text tells an id that
        // names nothing here from a request that is wrong for every model.
        Some(ConverseError::ValidationException(error)) => error
            .message()
            .is_some_and(|text| text.contains("model identifier is invalid")),
        _ => false,
    }
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
    // The list is within the ceiling as a whole, so falling back never costs more than was allowed.
    let candidates = candidates(models, task, limits).map_err(RouteError::NoModel)?;
    let mut refusal = RouteError::NoModel(NoModel::NotInRegion);
    for model in candidates.into_iter().take(2) {
        let Some(id) = call_id(models, model, limits.region) else {
            continue;
        };
        match converse(client, &id, prompt, task.est_out).await {
            Ok(reply) => {
                let cost = cost(model, &reply.usage);
                return Ok((reply, cost));
            }
            Err(error) if not_this_model(&error) => refusal = RouteError::Sdk(error),
            Err(error) => return Err(RouteError::Sdk(error)),
        }
    }
    Err(refusal)
}
