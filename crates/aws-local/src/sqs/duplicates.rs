//! What a queue that is first in, first out has taken in during the last five minutes, so that the
//! same is not taken in twice.

use std::collections::{HashMap, VecDeque};

use time::{Duration, OffsetDateTime};

const INTERVAL: Duration = Duration::minutes(5);

/// Where a deduplication id counts, and the id.
type Key = (Option<String>, String);

/// Ids and what was answered to them.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    accepted: HashMap<Key, Accepted>,
    oldest_first: VecDeque<(OffsetDateTime, Key)>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) message_id: String,
    pub(super) sequence: String,
}

impl Duplicates {
    /// What was answered to this id in these five minutes. `group`: it counts there only.
    pub(super) fn find(&self, group: Option<&str>, id: &str) -> Option<Accepted> {
        let key = (group.map(str::to_owned), id.to_owned());
        self.accepted.get(&key).cloned()
    }

    pub(super) fn remember(
        &mut self,
        group: Option<&str>,
        id: &str,
        accepted: Accepted,
        now: OffsetDateTime,
    ) {
        let key = (group.map(str::to_owned), id.to_owned());
        self.accepted.insert(key.clone(), accepted);
        self.oldest_first.push_back((now, key));
    }

    pub(super) fn forget_old(&mut self, now: OffsetDateTime) {
        while let Some((at, _)) = self.oldest_first.front()
            && *at + INTERVAL <= now
        {
            if let Some((_, key)) = self.oldest_first.pop_front() {
                self.accepted.remove(&key);
            }
        }
    }
}
