//! From an id or ARN in a request's path to a model and the door it is reached through.

use time::Date;

use super::{ApplicationProfile, Catalogue, Family, Geography, LifecycleState, Model};
use crate::{error::ApiError, journal::Usage, refusal::Refusal};

/// What an id or ARN in a request's path means.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved<'c> {
    /// The model that answers.
    pub model: &'c Model,
    /// Through which door.
    pub via: Via<'c>,
}

/// How a model is reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Via<'c> {
    /// By its base id, on demand.
    OnDemand,
    /// By a context size that only provisioned throughput has. Never answers.
    Provisioned,
    /// By a system-defined inference profile.
    Profile {
        /// `us`, `global`, …
        prefix: &'c str,
    },
    /// By an application inference profile.
    ApplicationProfile(Box<ApplicationProfile>),
}

impl Catalogue {
    /// Finds what `id_or_arn` (percent-decoded) means for a caller in `region` on the day `today`.
    ///
    /// The errors are Bedrock's own: an unknown identifier, an ended model, a model that needs a
    /// profile, an identifier that breaks the service model's pattern. A model whose time has not
    /// come is as unknown as one that never was.
    pub fn resolve(
        &self,
        id_or_arn: &str,
        region: &str,
        today: Date,
    ) -> Result<Resolved<'_>, ApiError> {
        self.resolve_among(id_or_arn, region, today, &[])
    }

    /// The same for an account that has application profiles of its own.
    pub fn resolve_among(
        &self,
        id_or_arn: &str,
        region: &str,
        today: Date,
        own: &[ApplicationProfile],
    ) -> Result<Resolved<'_>, ApiError> {
        let found = self.known(id_or_arn, region, today, own)?;
        self.alive(&found, today)?;
        if found.via == Via::OnDemand && !found.model.on_demand_in(region) {
            // The apostrophe is U+2019, as on the wire.
            return Err(ApiError::validation(format!(
                "Invocation of model ID {id} with on-demand throughput isn\u{2019}t supported. \
                 Retry your request with the ID or ARN of an inference profile that contains this model.",
                id = found.model.id
            )));
        }
        Ok(found)
    }

    /// Like [`Self::resolve`] for `CountTokens`, which takes base ids only (recorded), and
    /// Claude's only (AWS's list of models).
    pub fn resolve_for_counting(
        &self,
        id_or_arn: &str,
        region: &str,
        today: Date,
    ) -> Result<Resolved<'_>, ApiError> {
        let found = self.known(id_or_arn, region, today, &[])?;
        if found.via != Via::OnDemand || found.model.family != Family::Claude {
            return Err(ApiError::validation(
                "The provided model doesn't support counting tokens.",
            ));
        }
        self.alive(&found, today)?;
        Ok(found)
    }

    /// Like [`Self::resolve`] for Anthropic's own paths: base ids need no profile there, and the
    /// older ones may leave their date and version out (`LiteLLM`'s list of what this endpoint
    /// serves). Which older models it serves is not known: all that live are.
    pub fn resolve_for_messages(
        &self,
        id: &str,
        region: &str,
        today: Date,
    ) -> Result<Resolved<'_>, ApiError> {
        let speaks =
            |model: &Model| model.provider == "anthropic" && !model.quirks.text_completions;
        let short = || {
            let named = |model: &&Model| {
                speaks(model) && format!("anthropic.{}", undated(&model.provider_id)) == id
            };
            self.models.iter().find(named).map(Resolved::on_demand)
        };
        let found = self.find(id, region).or_else(short);
        let found = found
            .filter(|found| speaks(found.model))
            .filter(|found| self.state(found.model, today) != LifecycleState::NotYet)
            .ok_or_else(|| crate::mantle::no_such_model(id))?;
        self.alive(&found, today)?;
        Ok(found)
    }

    fn known(
        &self,
        id_or_arn: &str,
        region: &str,
        today: Date,
        own: &[ApplicationProfile],
    ) -> Result<Resolved<'_>, ApiError> {
        check_pattern(id_or_arn)?;
        let found = self
            .find_among(id_or_arn, region, own)
            .filter(|found| self.state(found.model, today) != LifecycleState::NotYet)
            .ok_or_else(|| unknown(id_or_arn))?;
        match found.via {
            Via::Provisioned => Err(Refusal::ContextSuffix.error()),
            Via::OnDemand if !self.has_in_region(found.model, region) && found.model.on_demand => {
                Err(Refusal::ModelNotFound.error())
            }
            _ => Ok(found),
        }
    }

    fn alive(&self, found: &Resolved<'_>, today: Date) -> Result<(), ApiError> {
        if self.state(found.model, today).lives() {
            return Ok(());
        }
        Err(Refusal::EndOfLife.error())
    }

    /// Like [`Self::resolve`] without the rules about lifecycle and on-demand throughput.
    pub fn find(&self, id_or_arn: &str, region: &str) -> Option<Resolved<'_>> {
        self.find_among(id_or_arn, region, &[])
    }

    /// The same for an account that has application profiles of its own.
    pub fn find_among(
        &self,
        id_or_arn: &str,
        region: &str,
        own: &[ApplicationProfile],
    ) -> Option<Resolved<'_>> {
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
                let here = |p: &&ApplicationProfile| {
                    p.id == id && p.region.as_deref().is_none_or(|r| r == region)
                };
                let profile = own.iter().chain(&self.application_profiles).find(here)?;
                let model = self.model(&profile.model)?;
                let via = Via::ApplicationProfile(Box::new(profile.clone()));
                Some(Resolved { model, via })
            }
            _ => None,
        }
    }

    fn find_id(&self, id: &str, region: &str) -> Option<Resolved<'_>> {
        if let Some(model) = self.model(id) {
            return Some(Resolved::on_demand(model));
        }
        self.find_profile(id, region)
            .or_else(|| self.find_provisioned(id))
    }

    /// `…-v1:0:200k`: a context size that only provisioned throughput has.
    fn find_provisioned(&self, id: &str) -> Option<Resolved<'_>> {
        let (base, context) = id.rsplit_once(':')?;
        let model = self.model(base)?;
        let known = model.provisioned.iter().any(|p| p == context);
        known.then_some(Resolved {
            model,
            via: Via::Provisioned,
        })
    }

    fn find_profile(&self, id: &str, region: &str) -> Option<Resolved<'_>> {
        let (prefix, base) = id.split_once('.')?;
        let model = self.model(base)?;
        let prefix = model.profiles.iter().find(|p| *p == prefix)?;
        let sources = |g: &Geography| g.sources.iter().any(|r| r == region);
        let reachable = prefix == "global" || self.geography(prefix).is_some_and(sources);
        reachable.then_some(Resolved {
            model,
            via: Via::Profile { prefix },
        })
    }

    /// The ARNs a caller must be allowed to invoke: the profile's, if there is one, and the
    /// model's in every region that may answer. A global profile's model ARN has no region.
    pub fn resources(&self, resolved: &Resolved<'_>, region: &str, account: &str) -> Vec<String> {
        let id = &resolved.model.id;
        let (profile, prefix) = match &resolved.via {
            Via::OnDemand | Via::Provisioned => return vec![model_arn(region, id)],
            Via::Profile { prefix } => (format!("inference-profile/{prefix}.{id}"), *prefix),
            Via::ApplicationProfile(profile) => (
                format!("application-inference-profile/{}", profile.id),
                profile.prefix.as_str(),
            ),
        };
        let mut arns = vec![format!("arn:aws:bedrock:{region}:{account}:{profile}")];
        arns.extend(self.model_arns(id, prefix, region));
        arns
    }

    /// The model ARNs behind a profile: in every region of its geography; for `global` the one
    /// without a region and the caller's own; without a prefix the caller's own.
    pub fn model_arns(&self, id: &str, prefix: &str, region: &str) -> Vec<String> {
        match self.geography(prefix) {
            Some(geography) => {
                let regions = geography.destinations_from(region).into_iter();
                regions.map(|r| model_arn(r, id)).collect()
            }
            None if prefix == "global" => vec![model_arn(region, id), model_arn("", id)],
            None => vec![model_arn(region, id)],
        }
    }
}

fn model_arn(region: &str, id: &str) -> String {
    format!("arn:aws:bedrock:{region}::foundation-model/{id}")
}

impl<'c> Resolved<'c> {
    fn on_demand(model: &'c Model) -> Self {
        let via = Via::OnDemand;
        Self { model, via }
    }

    /// What CloudWatch shows as `ModelId`: the profile's id, or the model's.
    pub fn metric_id(&self) -> String {
        match &self.via {
            Via::OnDemand | Via::Provisioned => self.model.id.clone(),
            Via::Profile { prefix } => format!("{prefix}.{}", self.model.id),
            Via::ApplicationProfile(profile) => profile.id.clone(),
        }
    }

    /// The prefix of the profile that routes the request; none on demand.
    pub fn prefix(&self) -> Option<&str> {
        match &self.via {
            Via::OnDemand | Via::Provisioned => None,
            Via::Profile { prefix } => Some(prefix),
            Via::ApplicationProfile(profile) => {
                Some(profile.prefix.as_str()).filter(|prefix| !prefix.is_empty())
            }
        }
    }

    /// What `usage` costs through this door, in micro-USD, rounded up.
    pub fn cost_micro_usd(&self, usage: Usage) -> u64 {
        // US government regions cost twice the surcharge (price lists of 2026-11).
        let percent = match self.prefix() {
            None | Some("global") => 0,
            Some("us-gov") => 2 * self.model.geo_percent,
            Some(_) => self.model.geo_percent,
        };
        let cost = self.model.price.scaled(usage);
        (cost * u64::from(100 + percent)).div_ceil(100_000)
    }

    /// The caller's quota of tokens per minute through this door.
    pub fn tokens_per_minute(&self) -> u64 {
        let quotas = &self.model.quotas;
        match self.prefix() {
            Some("global") => quotas
                .global_tokens_per_minute
                .unwrap_or(quotas.tokens_per_minute),
            Some(_) => quotas.tokens_per_minute,
            None if self.model.profiles.is_empty() => quotas.tokens_per_minute,
            // The daily quota's name says it: "doubled for cross-region calls".
            None => quotas.tokens_per_minute / 2,
        }
    }
}

/// `claude-haiku-4-5` of `claude-haiku-4-5-20251001`.
fn undated(id: &str) -> &str {
    match id.rsplit_once('-') {
        Some((name, date)) if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => id,
    }
}

/// Why nothing has this id.
fn unknown(id_or_arn: &str) -> ApiError {
    if id_or_arn.starts_with("arn:") && id_or_arn.contains(":prompt/") {
        return Refusal::PromptResource.error();
    }
    Refusal::UnknownModel.error()
}

/// The pattern of `modelId` in the service model, as Bedrock quotes it back.
const PATTERN: &str = "(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:(([0-9]{12}:custom-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}/[a-z0-9]{12})|(:foundation-model/[a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.:]?[a-z0-9-]{1,63}))|([0-9]{12}:imported-model/[a-z0-9]{12})|([0-9]{12}:provisioned-model/[a-z0-9]{12})|([0-9]{12}:custom-model-deployment/[a-z0-9]{12})|([0-9]{12}:(inference-profile|application-inference-profile)/[a-zA-Z0-9-:.]+)))|([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63}([.:]?[a-z0-9-]{1,63}))|(([0-9a-zA-Z][_-]?)+)|([a-zA-Z0-9-:.]+)|(^(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:prompt/[0-9a-zA-Z]{10}(?::[0-9]{1,5})?))$|(^arn:aws:sagemaker:[a-z0-9-]+:[0-9]{12}:endpoint/[a-zA-Z0-9-]+$)|(^arn:aws(-[^:]+)?:bedrock:([0-9a-z-]{1,20}):([0-9]{12}):(default-)?prompt-router/[a-zA-Z0-9-:.]+$)";

/// Refuses what no alternative of [`PATTERN`] can match. Ids that match it and name nothing are
/// told apart later, as on AWS.
fn check_pattern(id: &str) -> Result<(), ApiError> {
    let arn = id.starts_with("arn:");
    let plain =
        |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'.' | b':');
    let legal = id.bytes().all(|b| plain(b) || (arn && b == b'/'));
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
