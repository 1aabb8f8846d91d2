//! The one place with model ids: `models.toml`, read into types and looked up.

mod lifecycle;
mod model;
mod price;
mod quirks;
mod resolve;

use serde::Deserialize;
use time::Date;

pub use lifecycle::{Lifecycle, LifecycleState};
pub use model::{Customization, Family, Modalities, Modality, Model, Quotas, Speed, ThinkingForms};
pub use price::{LongContext, Price};
pub use quirks::Quirks;
pub use resolve::{Resolved, Via};

/// All models and inference profiles the emulator knows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The day the file was checked against its sources.
    #[serde(deserialize_with = "day::deserialize")]
    pub as_of: Date,
    /// The regions that have Bedrock.
    #[serde(default)]
    pub regions: Vec<String>,
    /// The models, in the order of the file.
    #[serde(rename = "model")]
    pub models: Vec<Model>,
    /// Where the geographic inference profiles may be called, and who answers.
    #[serde(rename = "geography", default)]
    pub geographies: Vec<Geography>,
    /// Application inference profiles that every account has from the start.
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
    /// Regions that may answer. A source that is not among them answers its own callers too.
    pub destinations: Vec<String>,
}

impl Geography {
    /// The regions that may answer a caller in `region`, sorted.
    pub fn destinations_from<'g>(&'g self, region: &'g str) -> Vec<&'g str> {
        let mut all: Vec<&str> = self.destinations.iter().map(String::as_str).collect();
        if self.sources.iter().any(|source| source == region) {
            all.push(region);
        }
        all.sort_unstable();
        all.dedup();
        all
    }
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
    /// The prefix of the system-defined profile it was copied from; empty: it was made from the
    /// model itself and stays in its region.
    #[serde(default)]
    pub prefix: String,
    /// The region it was made in; none: it stands in every region.
    #[serde(default)]
    pub region: Option<String>,
}

impl Catalogue {
    /// The catalogue compiled into this crate.
    pub fn built_in() -> Result<Self, crate::ConfigError> {
        toml::from_str(include_str!("../../models.toml")).map_err(|source| {
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

    /// The geography behind a profile prefix; none for `global`.
    pub fn geography(&self, prefix: &str) -> Option<&Geography> {
        self.geographies.iter().find(|g| g.prefix == prefix)
    }

    /// The inference profile id of `model` for a caller in `region`: its geography's, or else
    /// `global.`, or `None` when the model has neither.
    pub fn profile_id(&self, model: &Model, region: &str) -> Option<String> {
        let prefix = self.prefixes(model, region).next()?;
        Some(format!("{prefix}.{}", model.id))
    }

    /// The id to call for a tier from `region`: its inference profile, or the base id of a model that
    /// has none there; `None` if there is no such tier.
    pub fn id_to_call(&self, alias: &str, region: &str) -> Option<String> {
        let model = self.by_alias(alias)?;
        let profile = self.profile_id(model, region);
        Some(profile.unwrap_or_else(|| model.id.clone()))
    }

    /// The prefixes under which a caller in `region` reaches `model`: geographies in the order of
    /// the file, then `global`.
    pub fn prefixes<'c>(
        &'c self,
        model: &'c Model,
        region: &'c str,
    ) -> impl Iterator<Item = &'c str> {
        let has = |prefix: &str| model.profiles.iter().any(|p| p == prefix);
        let near = self.geographies.iter().filter(move |geography| {
            has(&geography.prefix) && geography.sources.iter().any(|r| r == region)
        });
        let near = near.map(|geography| geography.prefix.as_str());
        near.chain(has("global").then_some("global"))
    }

    /// Whether `model` can be had in `region`, by its own id or through a profile.
    pub fn has_in_region(&self, model: &Model, region: &str) -> bool {
        if !model.regions.is_empty() {
            return model.regions.iter().any(|r| r == region);
        }
        model.on_demand_in(region) || self.prefixes(model, region).next().is_some()
    }

    /// Where `model` is in its life on `day`.
    pub fn state(&self, model: &Model, day: Date) -> LifecycleState {
        model.lifecycle.state(day, self.as_of)
    }
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
