//! Lent by exercise 018: a guardrail reads what a stranger wrote before a model does.

use aws_sdk_bedrockruntime::types::{
    GuardrailAction, GuardrailAssessment, GuardrailContentBlock, GuardrailContentPolicyAction,
    GuardrailContentSource, GuardrailSensitiveInformationPolicyAction, GuardrailTextBlock,
};

use super::{Deps, Trouble};

/// A guardrail, and the numbered version of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// Its id.
    pub id: String,
    /// A number: `DRAFT` is whatever somebody tries out at the moment.
    pub version: String,
}

/// What the guardrail says to a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This text may go on: the ticket's own, or one in which personal data are masked.
    Pass(String),
    /// This text goes nowhere.
    Blocked {
        /// What it was blocked for: `PROMPT_ATTACK`, …
        policies: Vec<String>,
    },
}

/// Asks the guardrail. An error is no permission.
pub async fn inspect(d: &Deps, text: &str) -> Result<Verdict, Trouble> {
    let block = GuardrailTextBlock::builder().text(text).build()?;
    let said = d
        .bedrock
        .apply_guardrail()
        .guardrail_identifier(&d.guard.id)
        .guardrail_version(&d.guard.version)
        .source(GuardrailContentSource::Input)
        .content(GuardrailContentBlock::Text(block))
        .send()
        .await?;
    if *said.action() != GuardrailAction::GuardrailIntervened {
        return Ok(Verdict::Pass(text.to_owned()));
    }
    let policies: Vec<String> = said.assessments().iter().flat_map(blocking).collect();
    if !policies.is_empty() {
        return Ok(Verdict::Blocked { policies });
    }
    // It intervened and blocked nothing: it masked.
    let masked = said.outputs().first().and_then(|output| output.text());
    let masked = masked.ok_or("the guardrail intervened and says nothing")?;
    Ok(Verdict::Pass(masked.to_owned()))
}

/// The policies that block: attacks and harm, and personal data that no mask is good enough for.
fn blocking(found: &GuardrailAssessment) -> Vec<String> {
    let content = found.content_policy().map(|policy| policy.filters());
    let content = content.unwrap_or_default().iter();
    let content = content
        .filter(|filter| *filter.action() == GuardrailContentPolicyAction::Blocked)
        .map(|filter| filter.r#type().as_str().to_owned());
    let personal = found.sensitive_information_policy();
    let personal = personal.map(|policy| policy.pii_entities());
    let personal = personal.unwrap_or_default().iter();
    let personal = personal
        .filter(|entity| *entity.action() == GuardrailSensitiveInformationPolicyAction::Blocked)
        .map(|entity| entity.r#type().as_str().to_owned());
    content.chain(personal).collect()
}
