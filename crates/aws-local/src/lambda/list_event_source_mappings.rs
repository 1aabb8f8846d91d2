//! `ListEventSourceMappings`, of a function or a queue perhaps.

use bedrock_emulator::neighbour::Visit;
use serde_json::{Value, json};

use super::{
    Lambda,
    operations::{Answered, told},
    page::page,
    place::Reference,
};

pub(super) fn answer(lambda: &Lambda, visit: &Visit) -> Answered {
    let given = |name| visit.query(name).filter(|text: &String| !text.is_empty());
    let function = given("FunctionName");
    let function = function.map(|name| Reference::of(visit, &name));
    let function = function.transpose()?;
    let queue = given("EventSourceArn");
    let registry = lambda.registry();
    let all = registry.mappings.all(&visit.account, &visit.region);
    let all = all.filter(|mapping| {
        let invokes = |reference: &Reference| mapping.reference.place == reference.place;
        function.as_ref().is_none_or(invokes)
            && queue.as_ref().is_none_or(|arn| *arn == mapping.queue.arn())
    });
    let (mappings, next) = page(visit, all.collect(), |mapping| &mapping.id)?;
    let mappings: Vec<Value> = mappings
        .iter()
        .map(|mapping| mapping.json(mapping.state()))
        .collect();
    let mut body = json!({ "EventSourceMappings": mappings });
    if let Some(next) = next {
        body["NextMarker"] = next.into();
    }
    Ok(told(&body))
}
