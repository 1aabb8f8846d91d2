//! A stage's cache: whole answers, for a time, in bounded room.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use bedrock_emulator::neighbour::Answer;
use time::OffsetDateTime;

/// The largest answer that is kept, in bytes (API Gateway, "Enabling API caching").
const ANSWER_MAX: usize = 1_048_576;

/// What all kept answers and their keys may take: AWS's smallest cluster has half a gigabyte, this
/// machine has other things to do.
const ROOM: usize = 64 * 1024 * 1024;

/// What an entry costs beside its bytes, so that small ones cannot be endless.
const OVERHEAD: usize = 512;

/// The kept answers.
#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: HashMap<String, Entry>,
    /// Keys by when they end, in nanoseconds of Unix time, and by age.
    ends: BTreeMap<(i128, u64), String>,
    bytes: usize,
    count: u64,
}

#[derive(Debug)]
struct Entry {
    answer: Answer,
    end: (i128, u64),
    bytes: usize,
}

impl Cache {
    pub(super) fn get(&mut self, key: &str, now: OffsetDateTime) -> Option<Answer> {
        let entry = self.entries.get(key)?;
        if entry.end.0 <= now.unix_timestamp_nanos() {
            self.remove(key);
            return None;
        }
        Some(entry.answer.clone())
    }

    /// Keeps an answer. What ends first makes room.
    pub(super) fn put(&mut self, key: String, answer: &Answer, ttl: Duration, now: OffsetDateTime) {
        self.remove(&key);
        let headers = answer.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        let bytes = answer.body.len() + headers + 2 * key.len() + OVERHEAD;
        if answer.body.len() > ANSWER_MAX || bytes > ROOM {
            return;
        }
        while self.bytes + bytes > ROOM {
            let Some((_, first)) = self.ends.first_key_value() else {
                break;
            };
            let first = first.clone();
            self.remove(&first);
        }
        let ttl = i128::try_from(ttl.as_nanos()).unwrap_or(i128::MAX);
        self.count += 1;
        let end = (now.unix_timestamp_nanos().saturating_add(ttl), self.count);
        self.bytes += bytes;
        self.ends.insert(end, key.clone());
        let answer = answer.clone();
        self.entries.insert(key, Entry { answer, end, bytes });
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            self.ends.remove(&entry.end);
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(text: &str) -> Answer {
        Answer::json("application/json", &json!(text))
    }

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds)
    }

    #[test]
    fn an_answer_is_kept_until_its_time_is_up() {
        let mut cache = Cache::default();
        let ttl = Duration::from_mins(5);
        cache.put("a".to_owned(), &answer("1"), ttl, at(0));
        assert_eq!(cache.get("a", at(299)), Some(answer("1")));
        assert_eq!(cache.get("b", at(299)), None);
        assert_eq!(cache.get("a", at(300)), None);
        assert_eq!((cache.bytes, cache.ends.len()), (0, 0));
        // Another answer takes the place of the first, and its own time.
        cache.put("a".to_owned(), &answer("1"), ttl, at(300));
        cache.put("a".to_owned(), &answer("2"), ttl, at(400));
        assert_eq!(cache.get("a", at(650)), Some(answer("2")));
        assert_eq!(cache.ends.len(), 1);
    }

    #[test]
    fn room_is_bounded_and_the_first_to_end_makes_it() {
        let mut cache = Cache::default();
        let large = answer(&"x".repeat(ANSWER_MAX - 2));
        for index in 0..100 {
            cache.put(index.to_string(), &large, Duration::from_mins(5), at(index));
        }
        assert!(cache.bytes <= ROOM, "{} bytes", cache.bytes);
        assert_eq!(cache.get("0", at(99)), None);
        assert!(cache.get("99", at(99)).is_some());
        let too_large = answer(&"x".repeat(ANSWER_MAX));
        cache.put("one".to_owned(), &too_large, Duration::from_mins(5), at(99));
        assert_eq!(cache.get("one", at(99)), None);
    }
}
