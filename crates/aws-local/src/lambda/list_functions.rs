//! `ListFunctions`: the caller's functions in a region, by name.

use bedrock_emulator::neighbour::Visit;
use serde_json::{Value, json};

use super::{
    Lambda,
    operations::{Answered, told},
    page::page,
};

pub(super) fn answer(lambda: &Lambda, visit: &Visit) -> Answered {
    let all = lambda.registry().functions(&visit.account, &visit.region);
    let (functions, next) = page(visit, all, |kept| &kept.place.name)?;
    let functions: Vec<Value> = functions.iter().map(|kept| kept.json(None)).collect();
    let mut body = json!({ "Functions": functions });
    if let Some(next) = next {
        body["NextMarker"] = next.into();
    }
    Ok(told(&body))
}
