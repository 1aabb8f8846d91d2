//! The one place with model ids: `models.toml`, read into types.

use serde::Deserialize;
use time::Date;

/// All models and inference profiles the emulator knows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The day the file was checked against its sources.
    #[serde(deserialize_with = "day::deserialize")]
    pub as_of: Date,
    /// The models, in the order of the file.
    #[serde(rename = "model")]
    pub models: Vec<Model>,
}

/// One foundation model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The base model id, as in `arn:aws:bedrock:{region}::foundation-model/{id}`.
    pub id: String,
    /// The name the course uses (`haiku`, `sonnet`, `opus`): the current model of that tier.
    #[serde(default)]
    pub alias: Option<String>,
    /// For people: `Claude Haiku 4.5`.
    pub name: String,
    /// `anthropic`, `amazon`, `cohere`.
    pub provider: String,
    /// The provider's own id, as Claude's Messages answers carry it in `model`.
    pub provider_id: String,
    /// The diagram node that stands for it (`HAIKU`, `SONNET`, `OPUS`).
    #[serde(default)]
    pub node: Option<String>,
    /// Prefixes of its system-defined inference profiles (`us`, `eu`, `global`, …).
    #[serde(default)]
    pub profiles: Vec<String>,
    /// Whether the base id may be invoked directly, without a profile.
    #[serde(default)]
    pub on_demand: bool,
    /// Context window in tokens.
    pub context: u32,
    /// `maxTokens` must be lower than this (Bedrock's bound is exclusive) plus one.
    pub max_output: u32,
    /// Smallest prompt prefix in tokens that prompt caching accepts; none: no caching.
    #[serde(default)]
    pub min_cache_tokens: Option<u32>,
    /// Prices in micro-USD for 1,000 tokens.
    pub price: Price,
    /// When it became available, is legacy, and ends.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// What this model does differently on the wire.
    #[serde(default)]
    pub quirks: Quirks,
    /// Where the figures come from.
    pub source: String,
}

/// Prices in micro-USD for 1,000 tokens (1 USD for a million tokens = 1,000).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input.
    pub input: u32,
    /// Output.
    pub output: u32,
    /// Written to the prompt cache (5 minutes).
    #[serde(default)]
    pub cache_write: u32,
    /// Read from the prompt cache.
    #[serde(default)]
    pub cache_read: u32,
}

/// Lifecycle dates; `None` means not announced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lifecycle {
    /// First day of `LEGACY`.
    #[serde(deserialize_with = "day::option")]
    pub legacy: Option<Date>,
    /// First day on which it no longer answers.
    #[serde(deserialize_with = "day::option")]
    pub eol: Option<Date>,
}

/// Differences of one model on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quirks {
    /// Converse (not streamed) puts the undocumented `"type":"tool_use"` into `toolUse`.
    pub tool_use_type: bool,
    /// Usage carries the cache fields even when nothing was cached.
    pub cache_usage: bool,
    /// Usage carries `serverToolUsage`.
    pub server_tool_usage: bool,
    /// `InvokeModel` answers with the two cache token headers.
    pub cache_headers: bool,
    /// Refuses `temperature`, `top_p` and `top_k`.
    pub no_sampling: bool,
    /// Refuses `temperature` together with `top_p`.
    pub one_sampling: bool,
    /// Refuses a conversation that ends with an assistant message.
    pub no_prefill: bool,
    /// Wants strictly alternating roles, user first.
    pub strict_roles: bool,
    /// Answers the Text Completions API (`prompt`, `max_tokens_to_sample`).
    pub text_completions: bool,
    /// Refuses a forced tool choice.
    pub no_forced_tool: bool,
}

mod day {
    use serde::{Deserialize, Deserializer, de::Error};
    use time::{Date, format_description::well_known::Iso8601};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
        let text = String::deserialize(from)?;
        Date::parse(&text, &Iso8601::DATE)
            .map_err(|e| D::Error::custom(format!("{text} is not a date like 2026-11-22: {e}")))
    }

    pub(super) fn option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
        deserialize(from).map(Some)
    }
}

impl Catalogue {
    /// The catalogue compiled into this crate.
    pub fn built_in() -> Result<Self, crate::ConfigError> {
        toml::from_str(include_str!("../models.toml")).map_err(|source| {
            crate::ConfigError::Catalogue {
                path: "models.toml (built in)".to_owned(),
                source,
            }
        })
    }
}
