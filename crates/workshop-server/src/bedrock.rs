//! Real Bedrock: whether checks go there, whom they reach, and what one of them costs at most.
//!
//! Off at every start. Nothing here speaks to AWS: what is shown comes from the environment's names and
//! from the catalogue. The environment's secrets are never read.

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering},
};

use bedrock_emulator::{Config, catalogue::Catalogue, journal::Usage};
use time::Date;
use workshop_course::{Course, Exercise, Real, RealLimits};

/// Overrides the model of a run against real Bedrock.
pub const MODEL_VARIABLE: &str = "WORKSHOP_MODEL";

/// Longer than any prompt of the exercises.
pub const PROMPT_TOKENS: u32 = 1_000;

/// Whether the page's checks go to real Bedrock; its owner agreed since the workshop started.
#[derive(Debug, Default)]
pub struct Switch(AtomicBool);

impl Switch {
    /// Whether they do.
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// From now on they do, or do not.
    pub fn set(&self, on: bool) {
        self.0.store(on, Ordering::SeqCst);
    }
}

/// The limits of an exercise that may run against real Bedrock.
pub fn limits(exercise: &Exercise) -> Option<RealLimits> {
    match exercise.real {
        Real::Optional(limits) => Some(limits),
        Real::No => None,
    }
}

/// The exercises that may run against real Bedrock, and those that may not.
pub fn exercises(course: &Course) -> (Vec<(&Exercise, RealLimits)>, Vec<&Exercise>) {
    let (real, emulated): (Vec<_>, Vec<_>) =
        course.exercises.iter().partition(|e| limits(e).is_some());
    let with_limits = real.into_iter().filter_map(|e| Some((e, limits(e)?)));
    (with_limits.collect(), emulated)
}

/// How the AWS SDK would be configured, as far as the environment's names tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aws {
    /// An endpoint URL in place of AWS's own, and the variable that names it.
    pub endpoint: Option<(String, &'static str)>,
    /// The region, and the variable that names it; otherwise the profile's.
    pub region: Option<(String, &'static str)>,
    /// Where the credentials come from, in words.
    pub credentials: String,
    /// The model that `WORKSHOP_MODEL` names.
    pub model: Option<String>,
}

impl Aws {
    /// As this process would pass it on.
    pub fn from_env() -> Self {
        Self::of(|name| env::var(name).ok())
    }

    /// The order is the SDK's: an API key before signatures, keys in the environment before profiles.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let first = |names: [&'static str; 2]| {
            let mut named = names.into_iter();
            named.find_map(|name| Some((set(name)?, name)))
        };
        let credentials = if set("AWS_BEARER_TOKEN_BEDROCK").is_some() {
            "a Bedrock API key (AWS_BEARER_TOKEN_BEDROCK)".to_owned()
        } else if set("AWS_ACCESS_KEY_ID").is_some() {
            "an access key of the environment (AWS_ACCESS_KEY_ID)".to_owned()
        } else if let Some(profile) = set("AWS_PROFILE") {
            format!("the profile {profile} (AWS_PROFILE)")
        } else if set("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() {
            "a web identity (AWS_WEB_IDENTITY_TOKEN_FILE)".to_owned()
        } else {
            "the default profile, if there is one".to_owned()
        };
        Self {
            endpoint: first(["AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL"]),
            region: first(["AWS_REGION", "AWS_DEFAULT_REGION"]),
            credentials,
            model: set(MODEL_VARIABLE),
        }
    }

    /// Where the requests go, as a sentence's subject.
    pub fn destination(&self) -> String {
        match &self.endpoint {
            Some((url, name)) => {
                format!("The endpoint {url} (from {name}), with your AWS configuration")
            }
            None => "Real Amazon Bedrock, with your AWS configuration".to_owned(),
        }
    }

    /// What a run within these limits costs at most, in micro-dollars; `None` for a model without a price.
    pub fn ceiling_micro_usd(&self, limits: RealLimits) -> Option<u64> {
        let catalogue = Catalogue::built_in().ok()?;
        // A region that the catalogue does not know is the default's price away from an estimate.
        let regions = [
            self.region.as_ref().map(|(region, _)| region.clone()),
            Some(Config::default().region),
        ];
        let usage = Usage::new(PROMPT_TOKENS, limits.max_tokens);
        let one = regions.into_iter().flatten().find_map(|region| {
            let id = match &self.model {
                Some(id) => id.clone(),
                None => catalogue.profile_id(catalogue.by_alias("haiku")?, &region)?,
            };
            Some(catalogue.find(&id, &region)?.cost_micro_usd(usage))
        })?;
        Some(one * u64::from(limits.max_calls))
    }
}

/// The day of the catalogue's prices.
pub fn prices_as_of() -> Option<Date> {
    Catalogue::built_in().ok().map(|catalogue| catalogue.as_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aws(variables: &[(&str, &str)]) -> Aws {
        Aws::of(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const LIMITS: RealLimits = RealLimits {
        max_calls: 1,
        max_tokens: 200,
    };

    #[test]
    fn the_ceiling_grows_with_calls_and_tokens() {
        let of = |max_calls, max_tokens| {
            let limits = RealLimits {
                max_calls,
                max_tokens,
            };
            aws(&[]).ceiling_micro_usd(limits).unwrap()
        };
        assert!(of(1, 200) > 0 && of(1, 200) < 100_000);
        assert_eq!(of(3, 200), 3 * of(1, 200));
        assert!(of(1, 400) > of(1, 200));
    }

    #[test]
    fn a_model_without_a_price_has_no_ceiling() {
        let unknown = aws(&[(MODEL_VARIABLE, "no.such-model")]);
        assert_eq!(unknown.ceiling_micro_usd(LIMITS), None);
        let far = aws(&[("AWS_REGION", "mars-north-1")]);
        assert!(far.ceiling_micro_usd(LIMITS).is_some());
    }

    #[test]
    fn the_environment_is_told_by_names_and_never_by_secrets() {
        let all = aws(&[
            ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "very secret"),
            ("AWS_PROFILE", "work"),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
        ]);
        assert!(all.credentials.contains("AWS_ACCESS_KEY_ID"));
        assert_eq!(
            all.region,
            Some(("eu-west-1".to_owned(), "AWS_DEFAULT_REGION"))
        );
        assert!(all.destination().contains("4566 (from AWS_ENDPOINT_URL)"));
        let told = format!("{all:?}");
        assert!(
            !told.contains("very secret") && !told.contains("AKIA"),
            "{told}"
        );
        let key = aws(&[
            ("AWS_BEARER_TOKEN_BEDROCK", "secret"),
            ("AWS_PROFILE", "work"),
        ]);
        assert!(key.credentials.contains("API key") && !format!("{key:?}").contains("secret"));
        let profile = aws(&[("AWS_PROFILE", "work"), ("AWS_ACCESS_KEY_ID", "")]);
        assert_eq!(profile.credentials, "the profile work (AWS_PROFILE)");
        assert!(aws(&[]).destination().starts_with("Real Amazon Bedrock"));
    }
}
