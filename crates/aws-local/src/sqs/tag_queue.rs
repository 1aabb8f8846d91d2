//! `TagQueue`: new tags, and new values of old ones.

use std::collections::BTreeMap;

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;

use super::{
    Answered, Sqs, done,
    error::{invalid, missing},
    place::Place,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

pub(super) fn answer(sqs: &Sqs, visit: &Visit) -> Answered {
    let request: Request = visit.json()?;
    let place = Place::at(visit, request.queue_url.as_deref())?;
    let tags = request.tags.filter(|tags| !tags.is_empty());
    let tags = tags.ok_or_else(|| missing("Tags"))?;
    let mut queues = sqs.queues();
    let queue = queues.get(&place, sqs.clock.now())?;
    let mut all = queue.tags.clone();
    all.extend(tags);
    check(&all)?;
    queue.tags = all;
    Ok(done())
}

/// Fifty tags, keys of 128 and values of 256 characters at most (Developer Guide). The texts are
/// chosen.
pub(super) fn check(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.len() > 50 {
        return Err(invalid("Too many tags added for queue: the maximum is 50."));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 || key.starts_with("aws:") {
            return Err(invalid(format!(
                "Tag key '{key}' must be between 1 and 128 characters in length and not begin with aws:."
            )));
        }
        if value.chars().count() > 256 {
            return Err(invalid(format!(
                "The value of tag '{key}' must be between 0 and 256 characters in length."
            )));
        }
    }
    Ok(())
}
