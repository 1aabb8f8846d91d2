//! `UpdateEventSourceMapping`: what it does not say stays.

use bedrock_emulator::neighbour::Visit;

use super::{
    Lambda,
    create_event_source_mapping::Input,
    error::no_function,
    event_source::check,
    operations::{Answered, told_as},
    place::Reference,
};

pub(super) fn answer(lambda: &Lambda, visit: &Visit, id: &str) -> Answered {
    let input: Input = visit.json()?;
    let function = input.function_name.as_deref();
    let function = function
        .map(|name| Reference::of(visit, name))
        .transpose()?;
    let mut registry = lambda.registry();
    if let Some(reference) = &function
        && (!reference.is_latest() || registry.function(&reference.place).is_none())
    {
        return Err(no_function(&reference.arn()));
    }
    let mapping = registry.mappings.get(&visit.account, &visit.region, id)?;
    let mut source = mapping.source.clone();
    let before = source.enabled;
    input.apply(&mut source)?;
    check(&source, &mapping.queue)?;
    let state = match (before, source.enabled) {
        (true, false) => "Disabling",
        (false, true) => "Enabling",
        _ => "Updating",
    };
    let changed = registry.mappings.change(&lambda.shared, id, |mapping| {
        mapping.source = source;
        if let Some(reference) = function {
            mapping.reference = reference;
        }
    })?;
    Ok(told_as(202, &changed.json(state)))
}
