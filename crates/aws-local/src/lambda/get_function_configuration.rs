//! `GetFunctionConfiguration`.

use bedrock_emulator::neighbour::Visit;

use super::{
    Lambda,
    operations::{Answered, told},
    place::Reference,
};

pub(super) fn answer(lambda: &Lambda, visit: &Visit, name: &str) -> Answered {
    let reference = Reference::of(visit, name)?;
    let registry = lambda.registry();
    let kept = registry.find(visit, &reference, "lambda:GetFunctionConfiguration")?;
    Ok(told(&kept.json(Some(&reference))))
}
