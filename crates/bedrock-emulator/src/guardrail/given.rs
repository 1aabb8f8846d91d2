//! A guardrail that is there from the start, without a request to the control plane.

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::Request;
use crate::{emulator::Emulator, error::ApiError};

/// A guardrail that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("guardrail {id}: {problem}")]
pub struct GuardrailError {
    /// The id it was to have.
    pub id: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Emulator {
    /// Makes a guardrail of the configured account and region, with a draft and version 1, as
    /// `CreateGuardrail` and `CreateGuardrailVersion` do; `definition` is the body of the first. AWS draws
    /// ids of twelve lower-case letters and digits; here the caller chooses one.
    pub fn add_guardrail(
        &self,
        id: &str,
        definition: &Value,
        now: OffsetDateTime,
    ) -> Result<(), GuardrailError> {
        let failed = |problem: String| GuardrailError {
            id: id.to_owned(),
            problem,
        };
        let api = |error: ApiError| failed(error.message().to_owned());
        let definition = Request::deserialize(definition).map_err(|e| failed(e.to_string()))?;
        let definition = definition.check().map_err(api)?;
        let config = self.config();
        let (region, account) = (&config.region, &config.account_id);
        let arn = format!("arn:aws:bedrock:{region}:{account}:guardrail/{id}");
        let mut state = self.home().state();
        let guardrails = &mut state.guardrails;
        let made = guardrails.create(id.to_owned(), arn, region, definition, now);
        made.and_then(|_| guardrails.publish(id, None, now))
            .map(|_| ())
            .map_err(api)
    }
}
