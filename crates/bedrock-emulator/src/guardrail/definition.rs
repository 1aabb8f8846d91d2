//! What a guardrail consists of, as `CreateGuardrail` and `UpdateGuardrail` take it and
//! `GetGuardrail` gives it back (service model).

use regex_lite::Regex;
use serde::{Deserialize, Serialize};

use crate::{
    error::ApiError,
    violations::{missing, violation},
};

/// The body of `CreateGuardrail` and `UpdateGuardrail`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    name: Option<String>,
    description: Option<String>,
    topic_policy_config: Option<TopicConfig>,
    content_policy_config: Option<ContentConfig>,
    word_policy_config: Option<WordConfig>,
    sensitive_information_policy_config: Option<SensitiveConfig>,
    contextual_grounding_policy_config: Option<GroundingConfig>,
    automated_reasoning_policy_config: Option<serde_json::Value>,
    blocked_input_messaging: Option<String>,
    blocked_outputs_messaging: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TopicConfig {
    #[serde(default)]
    topics_config: Vec<Topic>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContentConfig {
    #[serde(default)]
    filters_config: Vec<ContentFilter>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WordConfig {
    #[serde(default)]
    words_config: Vec<Word>,
    #[serde(default)]
    managed_word_lists_config: Vec<WordList>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SensitiveConfig {
    #[serde(default)]
    pii_entities_config: Vec<PiiEntity>,
    #[serde(default)]
    regexes_config: Vec<Pattern>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroundingConfig {
    #[serde(default)]
    filters_config: Vec<GroundingFilter>,
}

/// A definition that was checked.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) topics: Vec<Topic>,
    pub(crate) filters: Vec<ContentFilter>,
    pub(crate) words: Vec<Word>,
    pub(crate) word_lists: Vec<WordList>,
    pub(crate) pii: Vec<PiiEntity>,
    pub(crate) patterns: Vec<Pattern>,
    /// The patterns' compiled forms, in the same order.
    pub(crate) compiled: Vec<Regex>,
    pub(crate) grounding: Vec<GroundingFilter>,
    pub(crate) blocked_input: String,
    pub(crate) blocked_output: String,
}

/// Whether and how a policy acts on what goes in and what comes out.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sides {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_action: Option<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_action: Option<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) input_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_enabled: Option<bool>,
}

/// What is done about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Action {
    Block,
    Anonymize,
    None,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) definition: String,
    #[serde(default)]
    pub(crate) examples: Vec<String>,
    pub(crate) r#type: TopicType,
    #[serde(flatten)]
    pub(crate) sides: Sides,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum TopicType {
    Deny,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContentFilter {
    pub(crate) r#type: Category,
    pub(crate) input_strength: Strength,
    pub(crate) output_strength: Strength,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_modalities: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_modalities: Option<Vec<String>>,
    #[serde(flatten)]
    pub(crate) sides: Sides,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Category {
    Sexual,
    Violence,
    Hate,
    Insults,
    Misconduct,
    PromptAttack,
}

/// How strict a filter is, and how sure a finding: a filter acts on findings it is strict enough for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Strength {
    None,
    Low,
    Medium,
    High,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct Word {
    pub(crate) text: String,
    #[serde(flatten)]
    pub(crate) sides: Sides,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct WordList {
    pub(crate) r#type: WordListType,
    #[serde(flatten)]
    pub(crate) sides: Sides,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum WordListType {
    Profanity,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct PiiEntity {
    pub(crate) r#type: String,
    pub(crate) action: Action,
    #[serde(flatten)]
    pub(crate) sides: Sides,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct Pattern {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "pattern")]
    pub(crate) regex: String,
    pub(crate) action: Action,
    #[serde(flatten)]
    pub(crate) sides: Sides,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct GroundingFilter {
    pub(crate) r#type: Grounding,
    pub(crate) threshold: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enabled: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Grounding {
    Grounding,
    Relevance,
}

/// The kinds of personal data that a guardrail can look for (service model).
const PII_TYPES: &[&str] = &[
    "ADDRESS",
    "AGE",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "CA_HEALTH_NUMBER",
    "CA_SOCIAL_INSURANCE_NUMBER",
    "CREDIT_DEBIT_CARD_CVV",
    "CREDIT_DEBIT_CARD_EXPIRY",
    "CREDIT_DEBIT_CARD_NUMBER",
    "DRIVER_ID",
    "EMAIL",
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    "IP_ADDRESS",
    "LICENSE_PLATE",
    "MAC_ADDRESS",
    "NAME",
    "PASSWORD",
    "PHONE",
    "PIN",
    "SWIFT_CODE",
    "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
    "UK_NATIONAL_INSURANCE_NUMBER",
    "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER",
    "URL",
    "USERNAME",
    "US_BANK_ACCOUNT_NUMBER",
    "US_BANK_ROUTING_NUMBER",
    "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
    "US_PASSPORT_NUMBER",
    "US_SOCIAL_SECURITY_NUMBER",
    "VEHICLE_IDENTIFICATION_NUMBER",
];

impl Request {
    /// Checks what the service model bounds, and that there is a policy at all.
    pub(crate) fn check(self) -> Result<Definition, ApiError> {
        let name = required(self.name, "name", 50)?;
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !name.chars().all(legal) {
            return Err(violation(
                "name",
                Some(&name),
                "Member must satisfy regular expression pattern: [0-9a-zA-Z-_]+",
            ));
        }
        if self.automated_reasoning_policy_config.is_some() {
            return Err(ApiError::validation(
                "Automated Reasoning policies are not emulated by Bedrock Workshop.",
            ));
        }
        let words = self.word_policy_config.map_or_else(
            || (Vec::new(), Vec::new()),
            |c| (c.words_config, c.managed_word_lists_config),
        );
        let sensitive = self.sensitive_information_policy_config.map_or_else(
            || (Vec::new(), Vec::new()),
            |c| (c.pii_entities_config, c.regexes_config),
        );
        let definition = Definition {
            name,
            description: self.description,
            topics: self
                .topic_policy_config
                .map_or_else(Vec::new, |c| c.topics_config),
            filters: self
                .content_policy_config
                .map_or_else(Vec::new, |c| c.filters_config),
            words: words.0,
            word_lists: words.1,
            compiled: compile(&sensitive.1)?,
            pii: sensitive.0,
            patterns: sensitive.1,
            grounding: self
                .contextual_grounding_policy_config
                .map_or_else(Vec::new, |c| c.filters_config),
            blocked_input: required(self.blocked_input_messaging, "blockedInputMessaging", 500)?,
            blocked_output: required(
                self.blocked_outputs_messaging,
                "blockedOutputsMessaging",
                500,
            )?,
        };
        definition.check()?;
        Ok(definition)
    }
}

impl Definition {
    fn check(&self) -> Result<(), ApiError> {
        let policies = self.topics.len()
            + self.filters.len()
            + self.words.len()
            + self.word_lists.len()
            + self.pii.len()
            + self.patterns.len()
            + self.grounding.len();
        if policies == 0 {
            return Err(ApiError::validation(
                "A guardrail must have at least one policy: topic, content, word, sensitive \
                 information or contextual grounding.",
            ));
        }
        for topic in &self.topics {
            length(
                &topic.name,
                "topicPolicyConfig.topicsConfig.member.name",
                100,
            )?;
            length(
                &topic.definition,
                "topicPolicyConfig.topicsConfig.member.definition",
                200,
            )?;
        }
        for word in &self.words {
            length(&word.text, "wordPolicyConfig.wordsConfig.member.text", 100)?;
        }
        for entity in &self.pii {
            if !PII_TYPES.contains(&entity.r#type.as_str()) {
                let constraint_text = format!(
                    "Member must satisfy enum value set: [{}]",
                    PII_TYPES.join(", ")
                );
                return Err(violation(
                    "sensitiveInformationPolicyConfig.piiEntitiesConfig.member.type",
                    Some(&entity.r#type),
                    &constraint_text,
                ));
            }
        }
        for filter in &self.grounding {
            if !(0.0..1.0).contains(&filter.threshold) {
                return Err(ApiError::validation(format!(
                    "The threshold {} of a contextual grounding filter is not between 0 and 0.99.",
                    filter.threshold
                )));
            }
        }
        Ok(())
    }
}

fn compile(patterns: &[Pattern]) -> Result<Vec<Regex>, ApiError> {
    let compiled = patterns.iter().map(|pattern| {
        Regex::new(&pattern.regex).map_err(|error| {
            ApiError::validation(format!(
                "The regex {} of the sensitive information filter cannot be used: {error}",
                pattern.name
            ))
        })
    });
    compiled.collect()
}

fn required(value: Option<String>, at: &str, max: usize) -> Result<String, ApiError> {
    let Some(value) = value else {
        return Err(missing(at));
    };
    length(&value, at, max)?;
    Ok(value)
}

fn length(value: &str, at: &str, max: usize) -> Result<(), ApiError> {
    if value.is_empty() {
        let text = "Member must have length greater than or equal to 1";
        return Err(violation(at, Some(value), text));
    }
    if value.chars().count() > max {
        let text = format!("Member must have length less than or equal to {max}");
        return Err(violation(at, Some(value), &text));
    }
    Ok(())
}
