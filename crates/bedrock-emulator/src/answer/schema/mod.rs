//! JSON that satisfies a JSON schema: what a forced tool choice or a JSON output format gets.
//!
//! Order of reading: [`make`] (the generator), [`merge`] (several schemas that must hold at once
//! become one), [`check`] (the judge every result passes before it leaves), [`pattern`] (the
//! regular expressions that both understand), [`hint`] (values taken from the prompt).
//!
//! The generator proposes and the judge disposes: keywords that are hard to construct for (`not`,
//! `contains`, `propertyNames`) are met by trying again with other random choices.

mod check;
mod hint;
mod make;
mod merge;
mod pattern;

use serde_json::Value;

use super::rng::Rng;

/// How often a value is made anew when the judge refuses it.
const ATTEMPTS: u64 = 24;

/// How many parts of a value are made in all attempts together.
const BUDGET: usize = 20_000;

/// A value that is valid against `schema`, taking strings and numbers from `prompt` where they
/// fit, or why none can be made. The same arguments give the same value.
///
/// Understood are the keywords of JSON Schema 2020-12 except `unevaluated*` and `$dynamicRef`;
/// references must stay within the schema. Required properties are always there, optional ones
/// sometimes.
pub fn instance(seed: u64, schema: &Value, prompt: &str) -> Result<Value, Unsatisfiable> {
    let mut last = None;
    let mut budget = BUDGET;
    for attempt in 0..ATTEMPTS {
        let rng = Rng::new(seed.wrapping_add(attempt << 32), prompt);
        match make::value(rng, schema, prompt, &mut budget) {
            Ok(value) => match check::check(schema, &value) {
                Ok(()) => return Ok(value),
                Err(refused) => last = Some(refused),
            },
            // What cannot be made is told apart from what was refused: the first says more.
            Err(impossible) => last = Some(impossible),
        }
        if budget == 0 {
            break;
        }
    }
    Err(last.unwrap_or_else(|| Unsatisfiable::new("#", "no attempt was made")))
}

/// No value satisfies the schema, as far as this generator understands it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no value satisfies the schema at {pointer}: {reason}")]
pub struct Unsatisfiable {
    /// JSON pointer into the schema.
    pub pointer: String,
    /// What stands in the way.
    pub reason: String,
}

impl Unsatisfiable {
    fn new(pointer: &str, reason: impl Into<String>) -> Self {
        Self {
            pointer: pointer.to_owned(),
            reason: reason.into(),
        }
    }
}

/// The schema a reference points to: `#`, a JSON pointer behind `#`, or an `$anchor`.
fn referenced<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let fragment = reference.strip_prefix('#')?;
    if fragment.is_empty() || fragment.starts_with('/') {
        return root.pointer(fragment);
    }
    let named = |definitions: &'a Value| {
        let mut all = definitions.as_object()?.values();
        all.find(|d| d.get("$anchor").is_some_and(|anchor| anchor == fragment))
    };
    ["$defs", "definitions"]
        .iter()
        .find_map(|key| named(root.get(key)?))
}

#[cfg(test)]
mod tests;
