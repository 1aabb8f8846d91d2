//! Given: the types of this exercise. Not to be edited.

use std::collections::BTreeMap;

/// Environment variables, or the `env` block of Claude Code's settings.
pub type Env = BTreeMap<String, String>;

/// Where Claude Code is meant to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To the emulator on this machine.
    Emulator,
    /// To Amazon Bedrock.
    Real,
}

/// What stands between an environment and an answer from the right model, the gravest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// `CLAUDE_CODE_USE_BEDROCK` is not on: Claude Code would talk to another service.
    NotEnabled,
    /// No region: no host to call, and nothing to sign for.
    NoRegion,
    /// Nothing to sign with.
    NoCredentials,
    /// The key pair of an IAM user: it works until somebody deletes it, for whoever finds it.
    LongLivedKeys,
    /// No variable names a model: Claude Code would choose one, and tomorrow another one.
    ModelNotPinned,
    /// No model has this id.
    UnknownModel(String),
    /// The id of a model that can only be called through an inference profile.
    BareModelId(String),
    /// The model of this id no longer answers; `eol` is the first such day.
    RetiredModel {
        /// As the variable has it.
        id: String,
        /// `YYYY-MM-DD`
        eol: String,
    },
    /// The profile cannot be called from the region.
    RegionOutsideProfile {
        /// The region that requests go to.
        region: String,
        /// The id of the profile, as the variable has it.
        profile: String,
    },
    /// Meant for the emulator, but the address (empty: none) is not one of this machine.
    EndpointNotLocal(String),
}

/// One model of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its base id.
    pub id: String,
    /// The prefixes of its inference profiles: `us`, `eu`, `global`, …
    pub profiles: Vec<String>,
    /// Whether the base id may be called without a profile.
    pub on_demand: bool,
    /// The first day on which it no longer answers (`YYYY-MM-DD`), if that is known.
    pub eol: Option<String>,
}

/// All models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Models(pub Vec<Model>);

/// What an id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// The model.
    pub model: &'a Model,
    /// The prefix of the inference profile; `None` for the base id itself.
    pub profile: Option<&'a str>,
}

impl Models {
    /// The model behind a base id, or behind the id of one of its inference profiles
    /// (`{prefix}.{base id}`).
    pub fn find(&self, id: &str) -> Option<Found<'_>> {
        self.0.iter().find_map(|model| {
            if model.id == id {
                return Some(Found {
                    model,
                    profile: None,
                });
            }
            let prefix = id.strip_suffix(&model.id)?.strip_suffix('.')?;
            let profile = model.profiles.iter().find(|profile| *profile == prefix)?;
            Some(Found {
                model,
                profile: Some(profile),
            })
        })
    }
}

/// Whether the inference profile with this prefix can be called from `region`.
pub fn serves(prefix: &str, region: &str) -> bool {
    match prefix {
        "global" => true,
        "us" => region.starts_with("us-") && !region.starts_with("us-gov-"),
        "apac" => region.starts_with("ap-"),
        "jp" => region.starts_with("ap-northeast-"),
        "au" => region == "ap-southeast-2" || region == "ap-southeast-4",
        other => region.starts_with(&format!("{other}-")),
    }
}

/// The models that Claude Code is to use, one of each tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins {
    /// For the hardest work.
    pub opus: String,
    /// For most work.
    pub sonnet: String,
    /// For small work in the background.
    pub haiku: String,
}

/// How Claude Code gets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// The emulator at this port of 127.0.0.1, without signing.
    Emulator {
        /// The port.
        port: u16,
    },
    /// Amazon Bedrock, with the named AWS profile.
    AwsProfile(String),
}
