//! `GetEventSourceMapping`.

use bedrock_emulator::neighbour::Visit;

use super::{
    Lambda,
    operations::{Answered, told},
};

pub(super) fn answer(lambda: &Lambda, visit: &Visit, id: &str) -> Answered {
    let registry = lambda.registry();
    let mapping = registry.mappings.get(&visit.account, &visit.region, id)?;
    Ok(told(&mapping.json(mapping.state())))
}
