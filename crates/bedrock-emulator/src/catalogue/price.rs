//! What tokens cost.

use serde::Deserialize;

use crate::journal::Usage;

/// Prices in micro-USD for 1,000 tokens (1 USD for a million tokens = 1,000).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input.
    pub input: u32,
    /// Output.
    #[serde(default)]
    pub output: u32,
    /// Written to the prompt cache for five minutes.
    #[serde(default)]
    pub cache_write: u32,
    /// Written to the prompt cache for an hour; 0: not listed, twice the input as every list has it.
    #[serde(default)]
    pub cache_write_1h: u32,
    /// Read from the prompt cache.
    #[serde(default)]
    pub cache_read: u32,
    /// What a batch job pays, in percent; none: no batch.
    #[serde(default)]
    pub batch_percent: Option<u32>,
    /// What the `flex` tier pays, in percent; none: no such tier.
    #[serde(default)]
    pub flex_percent: Option<u32>,
    /// What the `priority` tier pays, in percent; none: no such tier.
    #[serde(default)]
    pub priority_percent: Option<u32>,
    /// What a long prompt pays.
    #[serde(default)]
    pub long_context: Option<LongContext>,
}

/// A dearer tier for long prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongContext {
    /// From more input tokens than this on, cached ones included, the whole request pays it.
    pub above: u32,
    /// In percent of the short price. The lists name input and output; that the cache follows is
    /// inferred.
    pub percent: u32,
}

impl Price {
    /// What `usage` costs at this price, in micro-USD, rounded up.
    pub fn cost_micro_usd(&self, usage: Usage) -> u64 {
        self.scaled(usage).div_ceil(1_000)
    }

    /// The same in thousandths of a micro-USD: no rounding yet.
    pub(super) fn scaled(&self, usage: Usage) -> u64 {
        let hour = match self.cache_write_1h {
            0 => self.input.saturating_mul(2),
            listed => listed,
        };
        let parts = [
            (usage.input, self.input),
            (usage.output, self.output),
            (usage.cache_read, self.cache_read),
            (usage.cache_write_5m, self.cache_write),
            (usage.cache_write_1h, hour),
        ];
        let cost = |(tokens, price)| u64::from(tokens) * u64::from(price);
        let sum: u64 = parts.into_iter().map(cost).sum();
        match self.long_context {
            Some(long) if prompt(usage) > u64::from(long.above) => {
                sum * u64::from(long.percent) / 100
            }
            _ => sum,
        }
    }
}

/// All tokens of the prompt, from the cache or not.
fn prompt(usage: Usage) -> u64 {
    let parts = [
        usage.input,
        usage.cache_read,
        usage.cache_write_5m,
        usage.cache_write_1h,
    ];
    parts.into_iter().map(u64::from).sum()
}
