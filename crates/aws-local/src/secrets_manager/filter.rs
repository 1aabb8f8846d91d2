//! Which secrets a list is about.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;

use super::{error::VALIDATION, secret::Secret};

/// One condition: any of the values fits.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Filter {
    #[serde(default)]
    key: String,
    #[serde(default)]
    values: Vec<String>,
}

const KEYS: [&str; 7] = [
    "name",
    "description",
    "tag-key",
    "tag-value",
    "primary-region",
    "owning-service",
    "all",
];

/// Refuses conditions that cannot be.
pub(super) fn check(filters: &[Filter]) -> Result<(), ApiError> {
    for filter in filters {
        if !KEYS.contains(&filter.key.as_str()) {
            return Err(VALIDATION.error(format!(
                "1 validation error detected: Value '{}' at 'filters.1.member.key' failed to satisfy \
                 constraint: Member must satisfy enum value set: [all, name, tag-key, description, \
                 tag-value, primary-region, owning-service]",
                filter.key
            )));
        }
        if !(1..=10).contains(&filter.values.len()) {
            return Err(VALIDATION.error(
                "1 validation error detected: Value at 'filters.1.member.values' failed to satisfy \
                 constraint: Member must have length between 1 and 10",
            ));
        }
    }
    Ok(())
}

/// Whether a secret fits all conditions.
pub(super) fn fits(filters: &[Filter], secret: &Secret, visit: &Visit) -> bool {
    filters.iter().all(|filter| filter.fits(secret, visit))
}

impl Filter {
    /// Values that begin with `!` exclude; of the others, one has to fit.
    fn fits(&self, secret: &Secret, visit: &Visit) -> bool {
        let (without, with): (Vec<_>, Vec<_>) =
            self.values.iter().partition(|value| value.starts_with('!'));
        let excluded = without
            .iter()
            .any(|value| self.matches(value.trim_start_matches('!'), secret, visit));
        let included =
            with.is_empty() || with.iter().any(|value| self.matches(value, secret, visit));
        included && !excluded
    }

    /// Beginnings match. Of the description and of everything together, case does not count
    /// (service model).
    fn matches(&self, value: &str, secret: &Secret, visit: &Visit) -> bool {
        let description = secret.description.as_deref().unwrap_or_default();
        let folded = |text: &str| text.to_lowercase().starts_with(&value.to_lowercase());
        match self.key.as_str() {
            "name" => secret.name.starts_with(value),
            "description" => folded(description),
            "tag-key" => secret.tags.keys().any(|key| key.starts_with(value)),
            "tag-value" => secret.tags.values().any(|text| text.starts_with(value)),
            "primary-region" => visit.region.starts_with(value),
            "all" => value.split_whitespace().all(|word| {
                let word = word.to_lowercase();
                let texts = [secret.name.as_str(), description];
                let tags = secret
                    .tags
                    .iter()
                    .flat_map(|(key, value)| [key.as_str(), value]);
                let mut texts = texts.into_iter().chain(tags);
                texts.any(|text| text.to_lowercase().contains(&word))
            }),
            // No other service owns a secret here.
            _ => false,
        }
    }
}
