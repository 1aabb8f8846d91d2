//! `GetFunctionConcurrency`: how many environments a function has for itself, if any.

use bedrock_emulator::neighbour::Visit;
use serde_json::json;

use super::{
    Lambda,
    operations::{Answered, told},
    place::Reference,
};

pub(super) fn answer(lambda: &Lambda, visit: &Visit, name: &str) -> Answered {
    let reference = Reference::of(visit, name)?;
    let registry = lambda.registry();
    let kept = registry.find(visit, &reference, "lambda:GetFunctionConcurrency")?;
    Ok(told(&match kept.function.reserved_concurrency {
        Some(reserved) => json!({ "ReservedConcurrentExecutions": reserved }),
        None => json!({}),
    }))
}
