//! The keys of `exercise.toml`.

use serde::Deserialize;
use toml::Spanned;

use crate::{Real, RealLimits, Recall};

/// `exercise.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) id: Spanned<String>,
    pub(super) title: String,
    pub(super) track: Spanned<String>,
    pub(super) minutes: u32,
    pub(super) level: Spanned<u8>,
    pub(super) core: bool,
    #[serde(default)]
    pub(super) requires: Vec<Spanned<String>>,
    pub(super) goal: String,
    pub(super) diagram: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) nodes: Vec<Spanned<String>>,
    pub(super) real: Spanned<RealField>,
    #[serde(default)]
    pub(super) recall: Vec<Spanned<RecallField>>,
}

/// `real = "no"` or `real = { max_calls = 3, max_tokens = 200 }`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RealField {
    Word(String),
    Limits(LimitsField),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsField {
    pub(super) max_calls: u32,
    pub(super) max_tokens: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecallField {
    pub(super) question: String,
    pub(super) choices: Vec<String>,
    pub(super) answer: usize,
    pub(super) from: String,
}

pub(super) fn real(field: &RealField) -> Option<Real> {
    match field {
        RealField::Word(word) if word == "no" => Some(Real::No),
        RealField::Limits(limits) if limits.max_calls > 0 && limits.max_tokens > 0 => {
            Some(Real::Optional(RealLimits {
                max_calls: limits.max_calls,
                max_tokens: limits.max_tokens,
            }))
        }
        RealField::Word(_) | RealField::Limits(_) => None,
    }
}

impl From<RecallField> for Recall {
    fn from(field: RecallField) -> Self {
        Self {
            question: field.question,
            choices: field.choices,
            answer: field.answer,
            from: field.from,
        }
    }
}
