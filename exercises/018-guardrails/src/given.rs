//! Given: what is asked, under which guardrail, how it can end, and what a guardrail says it found. Not to
//! be edited.

use std::{error::Error, fmt};

use aws_sdk_bedrockruntime::{
    error::SdkError,
    operation::apply_guardrail::ApplyGuardrailError,
    types::{
        GuardrailAssessment, GuardrailContentPolicyAction,
        GuardrailContextualGroundingPolicyAction, GuardrailSensitiveInformationPolicyAction,
        GuardrailTopicPolicyAction, GuardrailWordPolicyAction,
    },
};

/// A version of a guardrail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// Its id or ARN.
    pub id: String,
    /// A number. `DRAFT` is whatever somebody is trying out at this moment.
    pub version: String,
}

/// One question about a document.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The model's inference profile.
    pub model: &'a str,
    /// The system prompt. Yours.
    pub system: &'a str,
    /// A document that a stranger has written.
    pub untrusted: &'a str,
    /// What is asked about it. Yours.
    pub prompt: &'a str,
    /// The longest answer.
    pub max_tokens: i32,
}

/// What may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Safe {
    /// The model's answer.
    Answer {
        /// Its text.
        text: String,
        /// Whether the guardrail has masked something, in the document or in the answer.
        masked: bool,
    },
    /// The guardrail has blocked the document or the answer.
    Blocked {
        /// What it says instead, for the reader.
        user_message: String,
        /// Which of its policies blocked, each once: `pii:EMAIL`, `word`.
        policies: Vec<String>,
    },
}

/// Why nothing may be shown.
#[derive(Debug)]
pub enum GuardError {
    /// The guardrail's version is not a number.
    NotAVersion(String),
    /// The guardrail has not looked at the document.
    Unchecked(Box<SdkError<ApplyGuardrailError>>),
    /// Bedrock has not answered.
    Refused(Box<dyn Error + Send + Sync>),
    /// The answer broke off, or is no message.
    Broken,
}

impl fmt::Display for GuardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAVersion(version) => write!(f, "{version:?} is no version of a guardrail"),
            Self::Unchecked(error) => write!(f, "the document is unchecked: {error}"),
            Self::Refused(error) => write!(f, "no answer: {error}"),
            Self::Broken => f.write_str("no whole answer"),
        }
    }
}

impl Error for GuardError {}

/// One thing that a guardrail has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The policy, and what in it: `topic:…`, `content:VIOLENCE`, `word`, `words:PROFANITY`, `pii:EMAIL`,
    /// `pattern:…`, `grounding:RELEVANCE`.
    pub policy: String,
    /// The text that it was found in, as far as the guardrail tells.
    pub matched: Option<String>,
    /// What was done about it.
    pub done: Done,
}

/// What a guardrail does about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The text does not pass.
    Blocked,
    /// What was found is replaced.
    Masked,
    /// It is only told.
    Nothing,
}

fn blocked(blocked: bool) -> Done {
    if blocked {
        Done::Blocked
    } else {
        Done::Nothing
    }
}

fn sensitive(action: &GuardrailSensitiveInformationPolicyAction) -> Done {
    match action {
        GuardrailSensitiveInformationPolicyAction::Blocked => Done::Blocked,
        GuardrailSensitiveInformationPolicyAction::Anonymized => Done::Masked,
        _ => Done::Nothing,
    }
}

/// Everything in an assessment, in a list. Findings that were only looked for are left out.
pub fn findings(assessment: &GuardrailAssessment) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut push = |policy: String, matched: Option<&str>, done, detected: Option<bool>| {
        if detected != Some(false) {
            let matched = matched.map(str::to_owned);
            all.push(Finding {
                policy,
                matched,
                done,
            });
        }
    };
    for topic in assessment.topic_policy().map_or(&[][..], |p| p.topics()) {
        let done = blocked(*topic.action() == GuardrailTopicPolicyAction::Blocked);
        push(
            format!("topic:{}", topic.name()),
            None,
            done,
            topic.detected(),
        );
    }
    for filter in assessment.content_policy().map_or(&[][..], |p| p.filters()) {
        let done = blocked(*filter.action() == GuardrailContentPolicyAction::Blocked);
        let policy = format!("content:{}", filter.r#type().as_str());
        push(policy, None, done, filter.detected());
    }
    if let Some(words) = assessment.word_policy() {
        for word in words.custom_words() {
            let done = blocked(*word.action() == GuardrailWordPolicyAction::Blocked);
            push(
                "word".to_owned(),
                Some(word.r#match()),
                done,
                word.detected(),
            );
        }
        for word in words.managed_word_lists() {
            let done = blocked(*word.action() == GuardrailWordPolicyAction::Blocked);
            let policy = format!("words:{}", word.r#type().as_str());
            push(policy, Some(word.r#match()), done, word.detected());
        }
    }
    if let Some(information) = assessment.sensitive_information_policy() {
        for entity in information.pii_entities() {
            let policy = format!("pii:{}", entity.r#type().as_str());
            let done = sensitive(entity.action());
            push(policy, Some(entity.r#match()), done, entity.detected());
        }
        for regex in information.regexes() {
            let policy = format!("pattern:{}", regex.name().unwrap_or_default());
            let done = sensitive(regex.action());
            push(policy, regex.r#match(), done, regex.detected());
        }
    }
    let grounding = assessment.contextual_grounding_policy();
    for filter in grounding.map_or(&[][..], |p| p.filters()) {
        let action = filter.action();
        let done = blocked(*action == GuardrailContextualGroundingPolicyAction::Blocked);
        let policy = format!("grounding:{}", filter.r#type().as_str());
        push(policy, None, done, filter.detected());
    }
    all
}
