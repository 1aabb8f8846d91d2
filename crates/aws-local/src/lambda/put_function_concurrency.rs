//! `PutFunctionConcurrency`: reserves environments for a function; 0 turns it off.

use bedrock_emulator::neighbour::Visit;
use serde::Deserialize;
use serde_json::json;

use super::{
    Lambda,
    error::{constraint, invalid},
    operations::{Answered, told},
    place::Reference,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    reserved_concurrent_executions: Option<i64>,
}

pub(super) fn answer(lambda: &Lambda, visit: &Visit, name: &str) -> Answered {
    let reference = Reference::of(visit, name)?;
    let input: Input = visit.json()?;
    let asked = input.reserved_concurrent_executions;
    let asked =
        asked.ok_or_else(|| constraint("null", "reservedConcurrentExecutions", "not be null"))?;
    let reserved = u32::try_from(asked).map_err(|_| {
        let rule = "have value greater than or equal to 0";
        constraint(asked, "reservedConcurrentExecutions", rule)
    })?;
    let mut registry = lambda.registry();
    registry.find(visit, &reference, "lambda:PutFunctionConcurrency")?;
    if registry.reserved_without(&reference.place) + u64::from(reserved) > RESERVED_MAX {
        return Err(invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's \
             UnreservedConcurrentExecution below its minimum value of [100].",
        ));
    }
    registry.change(&reference.place, visit.now, |function| {
        function.reserved_concurrency = Some(reserved);
    })?;
    Ok(told(&json!({ "ReservedConcurrentExecutions": reserved })))
}

/// Of an account's 1,000, a hundred stay for functions without a reservation (developer guide).
const RESERVED_MAX: u64 = 900;
