//! Lent by exercise 005: the cheapest model that can do it, and what it costs.

use aws_sdk_bedrockruntime::types::TokenUsage;

use super::{Deps, Kind, Ticket};

/// Millionths of a dollar.
pub type MicroUsd = u64;

/// A model and its prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name on graphs: `haiku`.
    pub name: String,
    /// The inference profile to call.
    pub profile: String,
    /// 1,000 input tokens.
    pub input_price: MicroUsd,
    /// 1,000 output tokens.
    pub output_price: MicroUsd,
}

/// The system prompt's length and the frame's, in tokens, generously.
const FRAME: u64 = 200;

/// The model for a ticket: by what the form says and not by what the text says, for a stranger wrote the
/// text.
pub fn route<'d>(d: &'d Deps, ticket: &Ticket) -> &'d Model {
    match ticket.kind {
        Kind::Question => &d.haiku,
        Kind::Incident => &d.sonnet,
    }
}

impl Model {
    /// The most that one answer can cost. No token is shorter than a byte.
    pub fn worst(&self, text: &str, max_tokens: i32) -> MicroUsd {
        let input = FRAME + u64::try_from(text.len()).unwrap_or(u64::MAX / 2);
        self.price(input, u64::try_from(max_tokens).unwrap_or_default())
    }

    /// What an answer has cost.
    pub fn cost(&self, usage: &TokenUsage) -> MicroUsd {
        let tokens = |count: i32| u64::try_from(count).unwrap_or_default();
        self.price(tokens(usage.input_tokens), tokens(usage.output_tokens))
    }

    fn price(&self, input: u64, output: u64) -> MicroUsd {
        let input = input.saturating_mul(self.input_price);
        let output = output.saturating_mul(self.output_price);
        input.saturating_add(output).div_ceil(1_000)
    }
}
