//! Whole entries of the requests that exercises sent, for the page of each; the emulator beside the
//! site keeps its own. Bounded by bytes: the oldest go.

use std::collections::VecDeque;

use bedrock_emulator::journal::Entry;
use serde_json::Value;

/// A request of a course takes some kilobytes, and a run has some dozens of them.
const BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Debug, Default)]
pub(super) struct Kept {
    entries: VecDeque<Whole>,
    bytes: usize,
}

/// As text: a parsed one is several times as large, and most are never asked for.
#[derive(Debug)]
struct Whole {
    exercise: String,
    number: u64,
    test: String,
    json: Box<str>,
}

impl Kept {
    pub(super) fn push(&mut self, exercise: &str, number: u64, test: &str, entry: &Value) {
        let whole = Whole {
            exercise: exercise.to_owned(),
            number,
            test: test.to_owned(),
            json: entry.to_string().into(),
        };
        self.bytes += whole.json.len();
        self.entries.push_back(whole);
        while self.bytes > BYTES_MAX {
            let Some(oldest) = self.entries.pop_front() else {
                return;
            };
            self.bytes -= oldest.json.len();
        }
    }

    /// The newest are asked for most.
    pub(super) fn find(&self, exercise: &str, number: u64) -> Option<(String, Entry)> {
        let mut newest_first = self.entries.iter().rev();
        let whole = newest_first.find(|w| w.number == number && w.exercise == exercise)?;
        let entry = serde_json::from_str(&whole.json).ok()?;
        Some((whole.test.clone(), entry))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_oldest_go_when_there_are_too_many_bytes() {
        let mut kept = Kept::default();
        let entry = json!({ "seq": 1, "body": "x".repeat(BYTES_MAX / 3) });
        for number in 1..=4 {
            kept.push("001", number, "a_test", &entry);
        }
        assert!(kept.find("001", 1).is_none() && kept.find("001", 2).is_none());
        assert!(kept.find("001", 3).is_some() && kept.find("001", 4).is_some());
    }

    #[test]
    fn a_line_of_another_version_is_still_read() {
        let mut kept = Kept::default();
        kept.push(
            "001",
            1,
            "a_test",
            &json!({ "operation": "Converse", "new": 1 }),
        );
        let (_, entry) = kept.find("001", 1).unwrap();
        assert_eq!(entry.operation.as_deref(), Some("Converse"));
    }
}
