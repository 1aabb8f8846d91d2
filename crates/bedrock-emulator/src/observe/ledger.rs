//! What invocations cost: by day, tokens of each kind and money.

use std::collections::VecDeque;

use serde::Serialize;
use time::Date;

use crate::journal::Usage;

/// How many days are kept for each model. The oldest go first.
const DAYS_MAX: usize = 400;

/// What was used and paid for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spent {
    /// Invocations that a model answered.
    pub invocations: u64,
    /// Input tokens, without cached ones.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Input tokens read from the prompt cache.
    pub cache_read_tokens: u64,
    /// Input tokens written to the prompt cache for five minutes.
    pub cache_write_5m_tokens: u64,
    /// Input tokens written to the prompt cache for an hour.
    pub cache_write_1h_tokens: u64,
    /// The price of all that at the catalogue's prices, in micro-USD.
    pub micro_usd: u64,
}

/// What one account spent on one model on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// The account.
    pub account: String,
    /// The region that was asked.
    pub region: String,
    /// `ModelId`, as `CloudWatch` shows it: the profile's id, or the model's.
    pub model_id: String,
    /// The model behind it.
    pub model: String,
    /// The day (UTC), as 2026-11-22.
    pub day: String,
    /// What it came to.
    #[serde(flatten)]
    pub spent: Spent,
}

impl Spent {
    pub(super) fn add(&mut self, usage: Usage, micro_usd: u64) {
        self.merge(&Self {
            invocations: 1,
            input_tokens: usage.input.into(),
            output_tokens: usage.output.into(),
            cache_read_tokens: usage.cache_read.into(),
            cache_write_5m_tokens: usage.cache_write_5m.into(),
            cache_write_1h_tokens: usage.cache_write_1h.into(),
            micro_usd,
        });
    }

    /// Adds up.
    pub fn merge(&mut self, other: &Self) {
        self.invocations += other.invocations;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cache_read_tokens += other.cache_read_tokens;
        self.cache_write_5m_tokens += other.cache_write_5m_tokens;
        self.cache_write_1h_tokens += other.cache_write_1h_tokens;
        self.micro_usd += other.micro_usd;
    }
}

/// The days of one model, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    days: VecDeque<(Date, Spent)>,
}

impl Ledger {
    pub(super) fn add(&mut self, day: Date, usage: Usage, micro_usd: u64) {
        match self.days.back_mut() {
            Some((at, spent)) if *at >= day => spent.add(usage, micro_usd),
            _ => {
                let mut spent = Spent::default();
                spent.add(usage, micro_usd);
                self.days.push_back((day, spent));
                if self.days.len() > DAYS_MAX {
                    self.days.pop_front();
                }
            }
        }
    }

    pub(super) fn days(&self) -> impl Iterator<Item = (Date, &Spent)> {
        self.days.iter().map(|(day, spent)| (*day, spent))
    }
}
