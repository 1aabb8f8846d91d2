//! Wait states.

use std::{borrow::Cow, sync::Arc};

use serde_json::Value;
use time::OffsetDateTime;

use super::{Execution, Phase, Place, ThreadId, seconds_long, states::Run};
use crate::{choice::timestamp, failure::Failure, machine::Until, path::Path, template::Env};

/// AWS waits for at most 2^31 seconds (recorded: 24,855 days are accepted, 24,856 are not).
const LONGEST_WAIT: u64 = 2_147_483_647;

impl Execution {
    pub(super) fn wait(
        &mut self,
        id: ThreadId,
        place: &Place,
        until: &Until,
        input: &Arc<Value>,
    ) -> Result<Run, Failure> {
        let until = match until {
            Until::Seconds(seconds) => self.in_seconds(*seconds)?,
            Until::Timestamp(at) => self.at_last(*at)?,
            Until::SecondsPath(path) => {
                let seconds = self.with_env(id, place, input, |env| wait_seconds(path, env))?;
                self.in_seconds(seconds)?
            }
            Until::TimestampPath(path) => {
                let at = self.with_env(id, place, input, |env| wait_timestamp(path, env))?;
                self.at_last(at)?
            }
        };
        if until <= self.now {
            return Ok(Run::Leave(input.clone(), place.state().next));
        }
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.phase = Phase::Waiting;
        }
        self.set_timer(id, until);
        Ok(Run::Later)
    }

    fn in_seconds(&self, seconds: u64) -> Result<OffsetDateTime, Failure> {
        let too_long = || Failure::runtime("Wait state delay is too long.");
        if seconds > LONGEST_WAIT {
            return Err(too_long());
        }
        let at = self.now.checked_add(seconds_long(seconds));
        at.ok_or_else(too_long)
    }

    fn at_last(&self, at: OffsetDateTime) -> Result<OffsetDateTime, Failure> {
        let latest = self.in_seconds(LONGEST_WAIT)?;
        if at > latest {
            return Err(Failure::runtime("Wait state delay is too long."));
        }
        Ok(at)
    }

    pub(super) fn wait_over(&mut self, id: ThreadId) {
        let Some(place) = self.place(id) else { return };
        let input = self.effective_input(id, &place);
        let next = place.state().next;
        self.go_on(id, &place, input.map(|input| Run::Leave(input, next)));
    }
}

/// The number to which `SecondsPath` leads. Every text is recorded.
fn wait_seconds(path: &Path, env: &Env<'_>) -> Result<u64, Failure> {
    let text = path.text();
    let value = path.select(env.root(path)).map_err(|_| {
        Failure::runtime(format!(
            "The SecondsPath parameter does not reference an input value: {text}"
        ))
    })?;
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let number = number.ok_or_else(|| {
        Failure::runtime(format!(
            "The SecondsPath parameter cannot be parsed as a long value: {text} == {}",
            plain(&value)
        ))
    })?;
    u64::try_from(number).map_err(|_| {
        Failure::runtime(format!(
            "The SecondsPath parameter references a negative value: {text} == {number}"
        ))
    })
}

/// The time to which `TimestampPath` leads. The second text is recorded, the first after it.
fn wait_timestamp(path: &Path, env: &Env<'_>) -> Result<OffsetDateTime, Failure> {
    let text = path.text();
    let value = path.select(env.root(path)).map_err(|_| {
        Failure::runtime(format!(
            "The TimestampPath parameter does not reference an input value: {text}"
        ))
    })?;
    value.as_str().and_then(timestamp).ok_or_else(|| {
        Failure::runtime(format!(
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset \
             date-time format string: {text} == {}",
            plain(&value)
        ))
    })
}

/// A text without quotes.
fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}
