//! Guardrails: policies of an account about what may be said to a model and by it.
//!
//! What a guardrail *is* follows the service: definitions, versions, actions, the form of its
//! findings, what happens to an answer. How it *recognises* something is ours and simple: patterns,
//! word lists, shared words. It errs where a model would not; the crate's README says so.

mod assess;
mod definition;
mod detect;
mod given;
mod invocation;
mod render;

use std::{collections::BTreeMap, sync::Arc};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

pub use given::GuardrailError;

pub(crate) use assess::{Assessment, Passage, Qualifier, Source, assess};
pub(crate) use definition::{Definition, Request};
pub(crate) use invocation::{Guarding, Members, named};
pub(crate) use render::{Scope, applied, described, traced};

use crate::error::{ApiError, Code};

/// The guardrails of one account.
#[derive(Debug, Default)]
pub(crate) struct Guardrails {
    all: BTreeMap<String, Guardrail>,
}

/// A guardrail with its draft and its numbered versions.
#[derive(Debug)]
pub(crate) struct Guardrail {
    pub(crate) region: String,
    pub(crate) draft: Arc<Version>,
    pub(crate) numbered: BTreeMap<u32, Arc<Version>>,
    last_number: u32,
}

/// One version of a guardrail; never changes.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) arn: String,
    /// `DRAFT`, or a number from 1.
    pub(crate) number: String,
    pub(crate) description: Option<String>,
    pub(crate) definition: Arc<Definition>,
    pub(crate) created: OffsetDateTime,
    pub(crate) updated: OffsetDateTime,
}

impl Guardrails {
    /// Adds a guardrail with a draft.
    pub(crate) fn create(
        &mut self,
        id: String,
        arn: String,
        region: &str,
        definition: Definition,
        now: OffsetDateTime,
    ) -> Result<Arc<Version>, ApiError> {
        self.free_name(&definition.name, None)?;
        let draft = Arc::new(Version {
            id: id.clone(),
            arn,
            number: "DRAFT".to_owned(),
            description: definition.description.clone(),
            definition: Arc::new(definition),
            created: now,
            updated: now,
        });
        let guardrail = Guardrail {
            region: region.to_owned(),
            draft: Arc::clone(&draft),
            numbered: BTreeMap::new(),
            last_number: 0,
        };
        self.all.insert(id, guardrail);
        Ok(draft)
    }

    /// Replaces the draft.
    pub(crate) fn update(
        &mut self,
        id_or_arn: &str,
        definition: Definition,
        now: OffsetDateTime,
    ) -> Result<Arc<Version>, ApiError> {
        let id = id_of(id_or_arn).to_owned();
        self.get(&id)?;
        self.free_name(&definition.name, Some(&id))?;
        let guardrail = self.all.get_mut(&id).ok_or_else(|| unknown(id_or_arn))?;
        guardrail.draft = Arc::new(Version {
            id,
            arn: guardrail.draft.arn.clone(),
            number: "DRAFT".to_owned(),
            description: definition.description.clone(),
            definition: Arc::new(definition),
            created: guardrail.draft.created,
            updated: now,
        });
        Ok(Arc::clone(&guardrail.draft))
    }

    /// Freezes the draft as the next number.
    pub(crate) fn publish(
        &mut self,
        id_or_arn: &str,
        description: Option<String>,
        now: OffsetDateTime,
    ) -> Result<Arc<Version>, ApiError> {
        let guardrail = self.all.get_mut(id_of(id_or_arn));
        let guardrail = guardrail.ok_or_else(|| unknown(id_or_arn))?;
        guardrail.last_number += 1;
        let version = Arc::new(Version {
            id: guardrail.draft.id.clone(),
            arn: guardrail.draft.arn.clone(),
            number: guardrail.last_number.to_string(),
            description,
            definition: Arc::clone(&guardrail.draft.definition),
            created: now,
            updated: now,
        });
        let kept = Arc::clone(&version);
        guardrail.numbered.insert(guardrail.last_number, kept);
        Ok(version)
    }

    /// Removes one numbered version, or the guardrail with everything.
    pub(crate) fn delete(&mut self, id_or_arn: &str, number: Option<&str>) -> Result<(), ApiError> {
        let id = id_of(id_or_arn);
        let guardrail = self.all.get_mut(id).ok_or_else(|| unknown(id_or_arn))?;
        let Some(number) = number else {
            self.all.remove(id);
            return Ok(());
        };
        let removed = number
            .parse()
            .ok()
            .and_then(|number: u32| guardrail.numbered.remove(&number));
        removed.map(|_| ()).ok_or_else(|| unknown(id_or_arn))
    }

    /// The guardrail with this id or ARN.
    pub(crate) fn get(&self, id_or_arn: &str) -> Result<&Guardrail, ApiError> {
        self.all
            .get(id_of(id_or_arn))
            .ok_or_else(|| unknown(id_or_arn))
    }

    /// One version of it; without a number the draft.
    pub(crate) fn version(
        &self,
        id_or_arn: &str,
        number: Option<&str>,
    ) -> Result<Arc<Version>, ApiError> {
        let guardrail = self.get(id_or_arn)?;
        match number {
            None | Some("" | "DRAFT") => Ok(Arc::clone(&guardrail.draft)),
            Some(number) => number
                .parse()
                .ok()
                .and_then(|number: u32| guardrail.numbered.get(&number))
                .cloned()
                .ok_or_else(|| unknown(id_or_arn)),
        }
    }

    /// The version that an invocation names. The text is inferred: it was not recorded.
    pub(crate) fn named(&self, id_or_arn: &str, number: &str) -> Result<Arc<Version>, ApiError> {
        self.version(id_or_arn, Some(number)).map_err(|_| {
            ApiError::validation(
                "The guardrail identifier or version provided in the request does not exist.",
            )
        })
    }

    /// All guardrails of a region, the oldest first.
    pub(crate) fn of_region(&self, region: &str) -> Vec<&Guardrail> {
        let mut found: Vec<_> = self.all.values().filter(|g| g.region == region).collect();
        found.sort_by(|a, b| {
            let key = |g: &Guardrail| (g.draft.created, g.draft.id.clone());
            key(a).cmp(&key(b))
        });
        found
    }

    /// Names are unique in an account (documented; the text is chosen).
    fn free_name(&self, name: &str, except: Option<&str>) -> Result<(), ApiError> {
        let taken = self.all.iter().any(|(id, guardrail)| {
            guardrail.draft.definition.name == name && Some(id.as_str()) != except
        });
        if !taken {
            return Ok(());
        }
        Err(ApiError::bedrock(
            Code::Conflict,
            "Another guardrail in your account already has this name.",
        ))
    }
}

/// `274u1upxm897`, also at the end of an ARN.
fn id_of(id_or_arn: &str) -> &str {
    match id_or_arn.strip_prefix("arn:") {
        Some(arn) => arn.rsplit('/').next().unwrap_or(arn),
        None => id_or_arn,
    }
}

/// The text is chosen: none was recorded.
fn unknown(id_or_arn: &str) -> ApiError {
    ApiError::bedrock(
        Code::ResourceNotFound,
        format!(
            "The guardrail {id_or_arn} or the version of it that you asked for does not exist. \
             Check the identifier, the version and the Region, and try again."
        ),
    )
}

/// `2026-07-13T14:00:42.680622107Z`: the control plane's timestamps (recorded).
pub(crate) fn timestamp(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}
