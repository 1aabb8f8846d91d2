//! Text Completions, the API of Claude 2 and Instant: one prompt, checked against a JSON schema.

use super::{
    malformed,
    taken::{Complaint, Member, structures},
};
use crate::{
    conversation::{Block, Conversation, Role, Turn},
    error::ApiError,
    place::Place,
};

structures! {
    Completion {
        anthropic_version: String,
        max_tokens_to_sample: i64,
        prompt: String,
        stop_sequences: Vec<Member<String>>,
        temperature: f64,
        top_k: i64,
        top_p: f64,
    }
}

impl Completion {
    /// Claude 2 took Messages bodies too (recorded in 2025).
    pub(super) fn is_messages(&self) -> bool {
        self.others.iter().any(|name| name == "messages") && !self.prompt.is_sent()
    }

    pub(super) fn conversation(self) -> Result<Conversation, ApiError> {
        self.schema()?;
        self.read()
            .map_err(|complaint| ApiError::validation(complaint.0))
    }

    /// The schema's complaints, all at once.
    fn schema(&self) -> Result<(), ApiError> {
        let mut problems = Vec::new();
        let required = [
            ("prompt", self.prompt.is_sent()),
            ("max_tokens_to_sample", self.max_tokens_to_sample.is_sent()),
        ];
        for (name, _) in required.iter().filter(|(_, sent)| !sent) {
            problems.push(format!("#: required key [{name}] not found"));
        }
        for name in &self.others {
            problems.push(format!("#: extraneous key [{name}] is not permitted"));
        }
        let wrong = [
            (
                "prompt",
                "String",
                matches!(self.prompt, Member::Wrong | Member::Null),
            ),
            (
                "max_tokens_to_sample",
                "Integer",
                matches!(self.max_tokens_to_sample, Member::Wrong | Member::Null),
            ),
            (
                "temperature",
                "Number",
                matches!(self.temperature, Member::Wrong),
            ),
            ("top_p", "Number", matches!(self.top_p, Member::Wrong)),
            ("top_k", "Integer", matches!(self.top_k, Member::Wrong)),
            (
                "stop_sequences",
                "JSONArray",
                matches!(self.stop_sequences, Member::Wrong),
            ),
        ];
        // The form of a wrong type follows the validator that Bedrock's other complaints are by; it
        // was not seen for these models.
        for (name, wanted, _) in wrong.iter().filter(|(_, _, wrong)| *wrong) {
            problems.push(format!("#/{name}: expected type: {wanted}"));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(malformed(&problems.concat()))
        }
    }

    fn read(self) -> Result<Conversation, Complaint> {
        let max = self
            .max_tokens_to_sample
            .required(&Place::root("max_tokens_to_sample"))?;
        let Some(max @ 1..=1_000_000) = u32::try_from(max).ok() else {
            let text = "max_tokens_to_sample: range: 1..1,000,000";
            return Err(Complaint(text.to_owned()));
        };
        let at = Place::root("stop_sequences");
        let mut stop_sequences = Vec::new();
        let stops = self.stop_sequences.optional(&at)?.unwrap_or_default();
        for (i, stop) in stops.into_iter().enumerate() {
            stop_sequences.push(stop.required(&at.index(i))?);
        }
        let prompt = self.prompt.required(&Place::root("prompt"))?;
        Ok(Conversation {
            turns: vec![Turn {
                role: Role::User,
                blocks: vec![Block::Text(human_turn(&prompt)?)],
            }],
            max_tokens: Some(max),
            stop_sequences,
            temperature: self.temperature.optional(&Place::root("temperature"))?,
            top_p: self.top_p.optional(&Place::root("top_p"))?,
            top_k: self.top_k.is_sent(),
            tool_config: true,
            ..Conversation::default()
        })
    }
}

/// What the human said. A prompt without the line breaks was accepted (recorded 2024-06), one
/// without the names was not.
fn human_turn(prompt: &str) -> Result<String, Complaint> {
    let Some((_, said)) = prompt.split_once("Human:") else {
        let text = "Invalid prompt: prompt must start with \"\n\nHuman:\" turn after an optional system prompt";
        return Err(Complaint(text.to_owned()));
    };
    let Some(said) = said.trim_end().strip_suffix("Assistant:") else {
        let text = "Invalid prompt: prompt must end with \"\n\nAssistant:\" turn";
        return Err(Complaint(text.to_owned()));
    };
    Ok(said.trim().to_owned())
}
