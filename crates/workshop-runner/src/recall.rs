//! When a question is asked again: later each time it is answered rightly, tomorrow when it was not.

use serde::{Deserialize, Serialize};
use time::{Date, Duration, macros::format_description};

/// Days until a question comes back, by how often in a row it was answered rightly.
const DAYS: [i64; 6] = [1, 3, 7, 16, 35, 90];

/// What is remembered of a question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// Right answers in a row.
    pub in_a_row: u32,
    /// Times it was asked.
    pub asked: u32,
    /// The day from which it may be asked again, as `2026-11-23`.
    pub due: String,
}

impl Remembered {
    /// The same after one more answer, given on that day (UTC).
    #[must_use]
    pub fn after(&self, right: bool, today: Date) -> Self {
        let in_a_row = if right {
            self.in_a_row.saturating_add(1)
        } else {
            0
        };
        let step = usize::try_from(in_a_row).unwrap_or(usize::MAX);
        let days = DAYS[step.min(DAYS.len() - 1)];
        Self {
            in_a_row,
            asked: self.asked.saturating_add(1),
            due: day(today.saturating_add(Duration::days(days))),
        }
    }

    /// Whether it is to be asked on that day.
    pub fn is_due(&self, today: Date) -> bool {
        self.due <= day(today)
    }
}

/// As text that sorts like the days themselves.
fn day(date: Date) -> String {
    let format = format_description!("[year]-[month]-[day]");
    date.format(format).unwrap_or_default()
}

/// The questions to ask on that day, at most `count`: those that are due, longest due first, then those
/// that were never asked, in their order.
pub fn choose<'q, 'm, Q>(
    questions: impl IntoIterator<Item = &'q Q>,
    remembered: impl Fn(&Q) -> Option<&'m Remembered>,
    today: Date,
    count: usize,
) -> Vec<&'q Q> {
    let (mut due, mut new) = (Vec::new(), Vec::new());
    for question in questions {
        match remembered(question) {
            Some(known) if known.is_due(today) => due.push((&known.due, question)),
            Some(_) => {}
            None => new.push(question),
        }
    }
    due.sort_by_key(|(day, _)| *day);
    let due = due.into_iter().map(|(_, question)| question);
    due.chain(new).take(count).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use time::macros::date;

    use super::*;

    #[test]
    fn right_answers_bring_it_back_later_and_a_wrong_one_tomorrow() {
        let today = date!(2026 - 12 - 30);
        let mut known = Remembered::default();
        let mut days = Vec::new();
        for _ in 0..7 {
            known = known.after(true, today);
            days.push(known.due.clone());
        }
        assert_eq!(
            days,
            [
                "2027-01-02",
                "2027-01-06",
                "2027-01-15",
                "2027-02-03",
                "2027-03-30",
                "2027-03-30",
                "2027-03-30"
            ]
        );
        let known = known.after(false, today);
        assert_eq!((known.in_a_row, known.asked), (0, 8));
        assert!(!known.is_due(today) && known.is_due(date!(2026 - 12 - 31)));
    }

    #[test]
    fn what_is_due_longest_comes_first_then_what_is_new() {
        let today = date!(2026 - 11 - 22);
        let known = |due: &str| Remembered {
            due: due.to_owned(),
            ..Remembered::default()
        };
        let memory = BTreeMap::from([
            ("b", known("2026-11-22")),
            ("c", known("2026-11-01")),
            ("d", known("2026-11-23")),
        ]);
        let all = ["a", "b", "c", "d", "e"];
        let chosen = |count| choose(&all, |q| memory.get(q), today, count);
        assert_eq!(chosen(5), [&"c", &"b", &"a", &"e"]);
        assert_eq!(chosen(2), [&"c", &"b"]);
    }
}
