//! The one place with model ids: `models.toml`, read into types and looked up.

use std::fmt;

use serde::Deserialize;
use time::Date;

use crate::{
    error::{ApiError, Code},
    journal::Usage,
};

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
    /// Where the geographic inference profiles may be called, and who answers.
    #[serde(rename = "geography", default)]
    pub geographies: Vec<Geography>,
    /// Application inference profiles of the account.
    #[serde(rename = "application_profile", default)]
    pub application_profiles: Vec<ApplicationProfile>,
}

/// The regions behind a profile prefix such as `us`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Geography {
    /// `us`, `eu`, …
    pub prefix: String,
    /// Regions from which a profile with this prefix can be called.
    pub sources: Vec<String>,
    /// Regions that may answer.
    pub destinations: Vec<String>,
}

/// An inference profile that an account made for itself, to tag costs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationProfile {
    /// The twelve characters at the end of its ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The base id of its model.
    pub model: String,
    /// The prefix of the system-defined profile it was copied from.
    pub prefix: String,
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
    /// Most tokens the model can answer with. `maxTokens` must be *lower* than this: Bedrock's
    /// bound is exclusive (seen in several live answers).
    pub max_output: u32,
    /// Smallest prompt prefix in tokens that prompt caching accepts; none: no caching.
    #[serde(default)]
    pub min_cache_tokens: Option<u32>,
    /// Prices in micro-USD for 1,000 tokens.
    pub price: Price,
    /// How many percent a geographic profile (`us.`, `eu.`, …) costs more than `global.`.
    #[serde(default)]
    pub geo_percent: u32,
    /// When it became available, is legacy, and ends.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// What this model does differently on the wire.
    #[serde(default)]
    pub quirks: Quirks,
    /// Which forms of thinking it takes.
    #[serde(default)]
    pub thinking: ThinkingForms,
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
    /// It had ended by the catalogue's `as_of`, on a day that no source names. Any earlier day
    /// sees it alive.
    pub retired: bool,
}

/// Where a model is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleState {
    /// Current.
    Active,
    /// Still answers; its end is announced.
    Legacy,
    /// No longer answers.
    EndOfLife,
}

impl fmt::Display for LifecycleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "ACTIVE",
            Self::Legacy => "LEGACY",
            Self::EndOfLife => "END_OF_LIFE",
        })
    }
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
    /// Has no tool use at all.
    pub no_tools: bool,
    /// The Messages body's usage also carries `cache_creation` by time to live.
    pub cache_creation_usage: bool,
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

/// What an id or ARN in a request's path means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resolved<'c> {
    /// The model that answers.
    pub model: &'c Model,
    /// Through which door.
    pub via: Via<'c>,
}

/// How a model is reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Via<'c> {
    /// By its base id, on demand.
    OnDemand,
    /// By a system-defined inference profile.
    Profile {
        /// `us`, `global`, …
        prefix: &'c str,
    },
    /// By an application inference profile.
    ApplicationProfile(&'c ApplicationProfile),
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

    /// The model with this base id.
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|m| m.id == id)
    }

    /// The current model of a tier: `haiku`, `sonnet` or `opus`.
    pub fn by_alias(&self, alias: &str) -> Option<&Model> {
        self.models
            .iter()
            .find(|m| m.alias.as_deref() == Some(alias))
    }

    /// The inference profile id of `model` for a caller in `region`: its geography's, or else
    /// `global.`, or `None` when the model has neither.
    pub fn profile_id(&self, model: &Model, region: &str) -> Option<String> {
        let has = |prefix: &str| model.profiles.iter().any(|p| p == prefix);
        let geography = self
            .geographies
            .iter()
            .find(|g| has(&g.prefix) && g.sources.iter().any(|r| r == region));
        let prefix = match geography {
            Some(geography) => geography.prefix.as_str(),
            None if has("global") => "global",
            None => return None,
        };
        Some(format!("{prefix}.{}", model.id))
    }

    /// Finds what `id_or_arn` (percent-decoded) means for a caller in `region` on the day `today`.
    ///
    /// The errors are Bedrock's own: an unknown identifier, an ended model, a model that needs a
    /// profile, an identifier that breaks the service model's pattern.
    pub fn resolve(
        &self,
        id_or_arn: &str,
        region: &str,
        today: Date,
    ) -> Result<Resolved<'_>, ApiError> {
        check_pattern(id_or_arn)?;
        let found = self
            .find(id_or_arn, region)
            .ok_or_else(unknown_identifier)?;
        self.alive(&found, today)?;
        if found.via == Via::OnDemand && !found.model.on_demand {
            // The apostrophe is U+2019, as on the wire.
            return Err(ApiError::validation(format!(
                "Invocation of model ID {id} with on-demand throughput isn\u{2019}t supported. \
                 Retry your request with the ID or ARN of an inference profile that contains this model.",
                id = found.model.id
            )));
        }
        Ok(found)
    }

    /// Like [`Self::resolve`] for `CountTokens`, which takes base ids only (recorded).
    pub fn resolve_for_counting(
        &self,
        id_or_arn: &str,
        region: &str,
        today: Date,
    ) -> Result<Resolved<'_>, ApiError> {
        check_pattern(id_or_arn)?;
        let found = self
            .find(id_or_arn, region)
            .ok_or_else(unknown_identifier)?;
        if found.via != Via::OnDemand {
            return Err(ApiError::validation(
                "The provided model doesn't support counting tokens.",
            ));
        }
        self.alive(&found, today)?;
        Ok(found)
    }

    fn alive(&self, found: &Resolved<'_>, today: Date) -> Result<(), ApiError> {
        if self.state(found.model, today) != LifecycleState::EndOfLife {
            return Ok(());
        }
        Err(ApiError::bedrock(
            Code::ResourceNotFound,
            "This model version has reached the end of its life. \
             Please refer to the AWS documentation for more details.",
        ))
    }

    /// Like [`Self::resolve`] without the rules about lifecycle and on-demand throughput.
    pub fn find(&self, id_or_arn: &str, region: &str) -> Option<Resolved<'_>> {
        let Some(arn) = id_or_arn.strip_prefix("arn:aws:bedrock:") else {
            return self.find_id(id_or_arn, region);
        };
        let mut parts = arn.splitn(3, ':');
        let (arn_region, _account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        if arn_region != region {
            return None;
        }
        let (kind, id) = resource.split_once('/')?;
        match kind {
            "foundation-model" => self.model(id).map(Resolved::on_demand),
            "inference-profile" => self.find_profile(id, region),
            "application-inference-profile" => {
                let profile = self.application_profiles.iter().find(|p| p.id == id)?;
                let model = self.model(&profile.model)?;
                let via = Via::ApplicationProfile(profile);
                Some(Resolved { model, via })
            }
            _ => None,
        }
    }

    fn find_id(&self, id: &str, region: &str) -> Option<Resolved<'_>> {
        match self.model(id) {
            Some(model) => Some(Resolved::on_demand(model)),
            None => self.find_profile(id, region),
        }
    }

    fn find_profile(&self, id: &str, region: &str) -> Option<Resolved<'_>> {
        let (prefix, base) = id.split_once('.')?;
        let model = self.model(base)?;
        let prefix = model.profiles.iter().find(|p| *p == prefix)?;
        let reachable = prefix == "global"
            || self
                .geographies
                .iter()
                .any(|g| g.prefix == *prefix && g.sources.iter().any(|r| r == region));
        reachable.then_some(Resolved {
            model,
            via: Via::Profile { prefix },
        })
    }

    /// Where `model` is in its life on `day`.
    pub fn state(&self, model: &Model, day: Date) -> LifecycleState {
        let lifecycle = model.lifecycle;
        let ended =
            lifecycle.eol.is_some_and(|eol| day >= eol) || (lifecycle.retired && day >= self.as_of);
        if ended {
            LifecycleState::EndOfLife
        } else if lifecycle.legacy.is_some_and(|legacy| day >= legacy) {
            LifecycleState::Legacy
        } else {
            LifecycleState::Active
        }
    }

    /// The ARNs a caller must be allowed to invoke: the profile's, if there is one, and the
    /// model's in every region that may answer. A global profile's model ARN has no region.
    pub fn resources(&self, resolved: &Resolved<'_>, region: &str, account: &str) -> Vec<String> {
        let id = &resolved.model.id;
        let model_in = |region: &str| format!("arn:aws:bedrock:{region}::foundation-model/{id}");
        let (profile, prefix) = match resolved.via {
            Via::OnDemand => return vec![model_in(region)],
            Via::Profile { prefix } => (format!("inference-profile/{prefix}.{id}"), prefix),
            Via::ApplicationProfile(profile) => (
                format!("application-inference-profile/{}", profile.id),
                profile.prefix.as_str(),
            ),
        };
        let mut arns = vec![format!("arn:aws:bedrock:{region}:{account}:{profile}")];
        match self.geographies.iter().find(|g| g.prefix == prefix) {
            Some(geography) => arns.extend(geography.destinations.iter().map(|r| model_in(r))),
            None => arns.extend([model_in(region), model_in("")]),
        }
        arns
    }
}

impl<'c> Resolved<'c> {
    fn on_demand(model: &'c Model) -> Self {
        let via = Via::OnDemand;
        Self { model, via }
    }

    /// What CloudWatch shows as `ModelId`: the profile's id, or the model's.
    pub fn metric_id(&self) -> String {
        match self.via {
            Via::OnDemand => self.model.id.clone(),
            Via::Profile { prefix } => format!("{prefix}.{}", self.model.id),
            Via::ApplicationProfile(profile) => profile.id.clone(),
        }
    }

    /// What `usage` costs through this door, in micro-USD, rounded up.
    pub fn cost_micro_usd(&self, usage: Usage) -> u64 {
        let cost = self.model.price.cost_micro_usd(usage);
        let prefix = match self.via {
            Via::OnDemand => return cost,
            Via::Profile { prefix } => prefix,
            Via::ApplicationProfile(profile) => profile.prefix.as_str(),
        };
        // US government regions cost twice the surcharge (price lists of 2026-11).
        let percent = match prefix {
            "global" => 0,
            "us-gov" => 2 * self.model.geo_percent,
            _ => self.model.geo_percent,
        };
        (cost * u64::from(100 + percent)).div_ceil(100)
    }
}

impl Price {
    /// What `usage` costs at this price, in micro-USD, rounded up.
    pub fn cost_micro_usd(&self, usage: Usage) -> u64 {
        // An hour in the cache costs twice the input (every price list of 2026-11 agrees).
        let priced = [
            (usage.input, self.input),
            (usage.output, self.output),
            (usage.cache_read, self.cache_read),
            (usage.cache_write_5m, self.cache_write),
            (usage.cache_write_1h, self.input.saturating_mul(2)),
        ];
        let costs = priced.map(|(tokens, price)| u64::from(tokens) * u64::from(price));
        costs.iter().sum::<u64>().div_ceil(1_000)
    }
}

fn unknown_identifier() -> ApiError {
    ApiError::validation("The provided model identifier is invalid.")
}

/// The pattern of `modelId` in the service model, as Bedrock quotes it back.
const PATTERN: &str = "(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:(([0-9]{12}:custom-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}/[a-z0-9]{12})|(:foundation-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.:]?[a-z0-9-]{1,63}))|([0-9]{12}:imported-model/[a-z0-9]{12})|([0-9]{12}:provisioned-model/[a-z0-9]{12})|([0-9]{12}:custom-model-deployment/[a-z0-9]{12})|([0-9]{12}:(inference-profile|application-inference-profile)/[a-zA-Z0-9-:.]+)))|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.:]?[a-z0-9-]{1,63}))|(([0-9a-zA-Z][_-]?)+)|([a-zA-Z0-9-:.]+)|(^(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:prompt/[0-9a-zA-Z]{10}(?::[0-9]{1,5})?))$|(^arn:aws:sagemaker:[a-z0-9-]+:[0-9]{12}:endpoint/[a-zA-Z0-9-]+$)|(^arn:aws(-[^:]+)?:bedrock:([0-9a-z-]{1,20}):([0-9]{12}):(default-)?prompt-router/[a-zA-Z0-9-:.]+$)";

/// Refuses what no alternative of [`PATTERN`] can match. Ids that match it and name nothing are
/// told apart later, as on AWS.
fn check_pattern(id: &str) -> Result<(), ApiError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let legal = if id.starts_with("arn:") {
        id.chars().all(|c| plain(c) || c == '/')
    } else {
        id.chars().all(plain)
    };
    if legal && id.len() <= 2_048 {
        return Ok(());
    }
    let constraint = if legal {
        "Member must have length less than or equal to 2048".to_owned()
    } else {
        format!("Member must satisfy regular expression pattern: {PATTERN}")
    };
    Err(ApiError::validation(format!(
        "1 validation error detected: Value '{id}' at 'modelId' failed to satisfy constraint: {constraint}"
    )))
}
