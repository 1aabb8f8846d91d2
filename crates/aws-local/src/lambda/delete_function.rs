//! `DeleteFunction`. Events that it works on are finished.

use bedrock_emulator::neighbour::Visit;

use super::{
    Lambda,
    error::invalid,
    operations::{Answered, done},
    place::Reference,
};

pub(super) fn answer(lambda: &Lambda, visit: &Visit, name: &str) -> Answered {
    let reference = Reference::of(visit, name)?;
    if reference.qualifier.is_some() && reference.is_latest() {
        return Err(invalid(
            "$LATEST version cannot be deleted without deleting the function.",
        ));
    }
    let mut registry = lambda.registry();
    registry.find(visit, &reference, "lambda:DeleteFunction")?;
    registry.remove(&reference.place)?;
    Ok(done())
}
