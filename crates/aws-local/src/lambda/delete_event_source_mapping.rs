//! `DeleteEventSourceMapping`: nothing more is received; batches that are being worked on are finished.

use bedrock_emulator::neighbour::Visit;

use super::{
    Lambda,
    error::no_resource,
    operations::{Answered, told_as},
};

pub(super) fn answer(lambda: &Lambda, visit: &Visit, id: &str) -> Answered {
    let mut registry = lambda.registry();
    registry.mappings.get(&visit.account, &visit.region, id)?;
    let mapping = registry.mappings.remove(id).ok_or_else(no_resource)?;
    Ok(told_as(202, &mapping.json("Deleting")))
}
