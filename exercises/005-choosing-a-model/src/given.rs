//! Given: the types of this exercise, and the call itself. Not to be edited.

use std::{collections::BTreeMap, fmt, ops::BitOr};

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::converse::ConverseError,
    types::{ContentBlock, ConversationRole, InferenceConfiguration, Message, TokenUsage},
};
use time::Date;

/// An amount of money: millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct MicroUsd(pub u64);

impl fmt::Display for MicroUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// A set of things that a model can do, or that a task needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caps(u8);

impl Caps {
    /// Nothing but text.
    pub const NONE: Self = Self(0);
    /// Calling tools.
    pub const TOOLS: Self = Self(1);
    /// Reading pictures.
    pub const VISION: Self = Self(2);
    /// Hard, many-step reasoning.
    pub const DEEP: Self = Self(4);

    /// Whether all of `needs` is in this set.
    pub const fn contains(self, needs: Self) -> bool {
        self.0 & needs.0 == needs.0
    }
}

impl BitOr for Caps {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The size of a model, the smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The fastest.
    Haiku,
    /// The middle.
    Sonnet,
    /// For the hardest work.
    Opus,
}

/// What a million tokens cost, in micro-USD: 3 USD for a million tokens is 3,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Input tokens that were written to the prompt cache.
    pub cache_write: u64,
    /// Input tokens that were read from the prompt cache.
    pub cache_read: u64,
}

/// One model, as your price list knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its base id.
    pub id: String,
    /// Its size.
    pub tier: Tier,
    /// What it can do.
    pub caps: Caps,
    /// How many tokens question and answer may have together.
    pub context: u32,
    /// How many tokens an answer may have.
    pub max_output: u32,
    /// How long its first token usually takes, in milliseconds.
    pub first_token_ms: u32,
    /// The prefixes of its inference profiles: `us`, `eu`, `global`, …
    pub profiles: Vec<String>,
    /// Whether the base id may be called without a profile.
    pub on_demand: bool,
    /// What it costs.
    pub price: Price,
    /// The first day on which it no longer answers, if that is known.
    pub eol: Option<Date>,
}

/// All models, and where profiles can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models {
    /// The models, in no particular order.
    pub models: Vec<Model>,
    /// The regions from which profiles with a prefix can be called. `global` is not listed.
    pub sources: BTreeMap<String, Vec<String>>,
}

impl Models {
    /// Whether an inference profile with this prefix can be called from `region`.
    pub fn serves(&self, prefix: &str, region: &str) -> bool {
        let listed = self.sources.get(prefix);
        prefix == "global" || listed.is_some_and(|regions| regions.iter().any(|r| r == region))
    }
}

/// What is to be done, before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// What the model must be able to do.
    pub needs: Caps,
    /// About how many tokens go in.
    pub est_in: u32,
    /// At most how many tokens come out. The request says so, too.
    pub est_out: u32,
    /// Who waits.
    pub latency: Latency,
}

/// How long somebody waits for the first token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latency {
    /// As long as it takes.
    Any,
    /// No longer than so many milliseconds.
    FirstTokenWithin(u32),
}

/// Where, for how much and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits<'a> {
    /// The region that the client calls.
    pub region: &'a str,
    /// What one call may cost by its estimate.
    pub ceiling: MicroUsd,
    /// The day.
    pub today: Date,
}

/// Why no model is left. Models are sorted out in this order; the first step that leaves none is the
/// reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoModel {
    /// None can do the task.
    NothingCapable,
    /// Those that could have ended.
    AllRetired,
    /// Those that live cannot be called from this region.
    NotInRegion,
    /// Those that can be called cost more than the ceiling.
    OverCeiling {
        /// What the cheapest of them would cost.
        cheapest: MicroUsd,
    },
}

/// Why there is no [`Reply`].
#[derive(Debug)]
pub enum RouteError {
    /// Nobody was asked.
    NoModel(NoModel),
    /// The last request failed.
    Sdk(Box<SdkError<ConverseError>>),
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Its text blocks, joined.
    pub text: String,
    /// The id that was called.
    pub model: String,
    /// What the call used.
    pub usage: TokenUsage,
}

/// One call, as in exercise 001: `prompt` to the model or profile `id`, for at most `max_tokens`.
pub async fn converse(
    client: &Client,
    id: &str,
    prompt: &str,
    max_tokens: u32,
) -> Result<Reply, Box<SdkError<ConverseError>>> {
    let built = |error| Box::new(SdkError::construction_failure(error));
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt.to_owned()))
        .build();
    let limit = InferenceConfiguration::builder()
        .max_tokens(i32::try_from(max_tokens).unwrap_or(i32::MAX))
        .build();
    let output = client
        .converse()
        .model_id(id)
        .messages(message.map_err(built)?)
        .inference_config(limit)
        .send()
        .await
        .map_err(Box::new)?;
    let message = output.output().and_then(|output| output.as_message().ok());
    let blocks = message.map_or(&[][..], |message| message.content());
    let texts = blocks.iter().filter_map(|block| block.as_text().ok());
    let none = TokenUsage::builder()
        .input_tokens(0)
        .output_tokens(0)
        .total_tokens(0);
    let usage = match output.usage() {
        Some(usage) => usage.clone(),
        None => none.build().map_err(built)?,
    };
    Ok(Reply {
        text: texts.map(String::as_str).collect(),
        model: id.to_owned(),
        usage,
    })
}
