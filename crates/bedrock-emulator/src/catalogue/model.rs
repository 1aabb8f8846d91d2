//! One foundation model, as `models.toml` describes it.

use serde::Deserialize;

use super::{Lifecycle, Price, Quirks};

/// One foundation model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The base model id, as in `arn:aws:bedrock:{region}::foundation-model/{id}`.
    pub id: String,
    /// The name the course uses (`haiku`, `sonnet`, `opus`): the current model of that tier.
    #[serde(default)]
    pub alias: Option<String>,
    /// For people, and for `ListFoundationModels`: `Claude Haiku 4.5`.
    pub name: String,
    /// `anthropic`, `amazon`, `cohere`.
    pub provider: String,
    /// The provider's own id, as Claude's Messages answers carry it in `model`.
    pub provider_id: String,
    /// Whose body `InvokeModel` takes.
    #[serde(default)]
    pub family: Family,
    /// The diagram node that stands for it (`HAIKU`, `SONNET`, `OPUS`).
    #[serde(default)]
    pub node: Option<String>,
    /// Prefixes of its system-defined inference profiles (`us`, `eu`, `global`, …).
    #[serde(default)]
    pub profiles: Vec<String>,
    /// Whether the base id may be invoked directly, without a profile.
    #[serde(default)]
    pub on_demand: bool,
    /// The regions in which that is so; empty: all that have the model.
    #[serde(default)]
    pub on_demand_regions: Vec<String>,
    /// Context sizes that provisioned throughput has, as in `…-v1:0:200k`.
    #[serde(default)]
    pub provisioned: Vec<String>,
    /// The regions that have it; empty: every region with Bedrock, or those of its profiles.
    #[serde(default)]
    pub regions: Vec<String>,
    /// What goes in and what comes out.
    #[serde(default)]
    pub modalities: Modalities,
    /// Whether it answers as a stream.
    #[serde(default = "yes")]
    pub streaming: bool,
    /// How it can be customized.
    #[serde(default)]
    pub customizations: Vec<Customization>,
    /// Context window in tokens.
    pub context: u32,
    /// Most tokens the model can answer with. `maxTokens` may ask for as much (why:
    /// `rules.rs`).
    pub max_output: u32,
    /// Smallest prompt prefix in tokens that prompt caching accepts; none: no caching.
    #[serde(default)]
    pub min_cache_tokens: Option<u32>,
    /// Prices in micro-USD for 1,000 tokens.
    pub price: Price,
    /// How many percent a geographic profile (`us.`, `eu.`, …) costs more than `global.`.
    #[serde(default)]
    pub geo_percent: u32,
    /// An account's default quotas.
    #[serde(default)]
    pub quotas: Quotas,
    /// How fast it is.
    #[serde(default)]
    pub speed: Speed,
    /// When it became available, is legacy, and ends.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// Which forms of thinking it takes.
    #[serde(default)]
    pub thinking: ThinkingForms,
    /// What this model does differently on the wire.
    #[serde(default)]
    pub quirks: Quirks,
    /// Where the figures come from.
    pub source: String,
}

const fn yes() -> bool {
    true
}

impl Model {
    /// Whether a caller in `region` may invoke the base id.
    pub fn on_demand_in(&self, region: &str) -> bool {
        let here = &self.on_demand_regions;
        self.on_demand && (here.is_empty() || here.iter().any(|r| r == region))
    }

    /// The provider as `ListFoundationModels` names it.
    pub fn provider_name(&self) -> String {
        let mut letters = self.provider.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect()
    }
}

/// Whose body `InvokeModel` takes, and what Converse has to be translated to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Family {
    /// Anthropic's Messages (and for Claude 2, Text Completions).
    #[default]
    Claude,
    /// Amazon Nova: a body like Converse's.
    Nova,
    /// Amazon Titan Text: `inputText` and `textGenerationConfig`.
    TitanText,
    /// Titan Embeddings G1: `inputText` alone.
    TitanEmbedV1,
    /// Titan Text Embeddings V2: `dimensions`, `normalize`, `embeddingTypes`.
    TitanEmbedV2,
    /// Cohere Embed 3: `texts` and `input_type`.
    CohereEmbedV3,
    /// Cohere Embed 4: also `inputs`, `output_dimension`, `embedding_types`.
    CohereEmbedV4,
    /// Nova Multimodal Embeddings: `taskType` and `singleEmbeddingParams`.
    NovaEmbed,
}

impl Family {
    /// Whether it answers with vectors: no Converse, no stream, no output tokens.
    pub const fn embeds(self) -> bool {
        !self.chats()
    }

    /// Whether it answers with text.
    pub const fn chats(self) -> bool {
        matches!(self, Self::Claude | Self::Nova | Self::TitanText)
    }
}

/// What goes into a model and what comes out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modalities {
    /// What it takes.
    pub input: Vec<Modality>,
    /// What it gives.
    pub output: Vec<Modality>,
}

impl Default for Modalities {
    /// Text and images in, text out: every Claude since 3.
    fn default() -> Self {
        Self {
            input: vec![Modality::Text, Modality::Image],
            output: vec![Modality::Text],
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        pub enum $name { $($(#[$item_doc])* #[serde(rename = $text)] $item,)* }

        impl $name {
            /// As the API writes it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$item => $text,)* }
            }
        }
    };
}

words! {
    /// A kind of content. The service model knows the first three; the others stand in live lists.
    Modality {
        /// Text.
        Text = "TEXT",
        /// Pictures.
        Image = "IMAGE",
        /// Vectors.
        Embedding = "EMBEDDING",
        /// Moving pictures.
        Video = "VIDEO",
        /// Sound.
        Audio = "AUDIO",
    }
}

words! {
    /// A way to customize a model.
    Customization {
        /// With labelled examples.
        FineTuning = "FINE_TUNING",
        /// With unlabelled text.
        ContinuedPreTraining = "CONTINUED_PRE_TRAINING",
        /// From a larger model's answers.
        Distillation = "DISTILLATION",
    }
}

/// The forms of thinking that a Claude model takes; none: it does not think.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ThinkingForms {
    /// `{"type": "enabled", "budget_tokens": …}`. From Opus 4.7 on it is refused (seen live).
    pub budget: bool,
    /// `{"type": "adaptive"}` with `output_config.effort`.
    pub adaptive: bool,
    /// It thinks whether it is asked to or not (price lists of 2026-11).
    pub always: bool,
    /// The text of its thinking is left out unless `display` is `summarized` (seen live on Opus
    /// 4.7 and 4.8; inferred for what came after).
    pub omitted: bool,
}

/// An account's default quotas for one model in one region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Tokens per minute through a geographic profile; half of it on demand where a model has
    /// both, all of it where it has no profile.
    pub tokens_per_minute: u64,
    /// Tokens per minute through the `global.` profile, if that differs.
    pub global_tokens_per_minute: Option<u64>,
    /// Requests per minute. Bedrock stopped enforcing these on 2026-05-27 (its release notes).
    pub requests_per_minute: u32,
    /// How many tokens of the quota one output token uses up.
    pub output_burndown: u32,
}

impl Default for Quotas {
    /// What most text models of 2024 got.
    fn default() -> Self {
        Self {
            tokens_per_minute: 1_000_000,
            global_tokens_per_minute: None,
            requests_per_minute: 1_000,
            output_burndown: 1,
        }
    }
}

impl Quotas {
    /// Tokens per day for a quota per minute: by default a day's minutes (AWS documents it so).
    pub const fn tokens_per_day(tokens_per_minute: u64) -> u64 {
        tokens_per_minute * 24 * 60
    }
}

/// How fast a model is, in the middle of what callers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Speed {
    /// Milliseconds until the first token (embeddings: until the answer).
    pub first_token_ms: u32,
    /// Output tokens per second from there on; 0: the answer comes as a whole.
    pub tokens_per_second: u32,
}

impl Default for Speed {
    fn default() -> Self {
        Self {
            first_token_ms: 900,
            tokens_per_second: 70,
        }
    }
}
