//! `DeleteFunctionConcurrency`: the function shares what the account has again.

use bedrock_emulator::neighbour::Visit;

use super::{
    Lambda,
    operations::{Answered, done},
    place::Reference,
};

pub(super) fn answer(lambda: &Lambda, visit: &Visit, name: &str) -> Answered {
    let reference = Reference::of(visit, name)?;
    let mut registry = lambda.registry();
    registry.find(visit, &reference, "lambda:DeleteFunctionConcurrency")?;
    registry.change(&reference.place, visit.now, |function| {
        function.reserved_concurrency = None;
    })?;
    Ok(done())
}
