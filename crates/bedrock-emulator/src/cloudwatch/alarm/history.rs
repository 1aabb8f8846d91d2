//! What happened to alarms. It outlives the alarm it tells about, as on AWS.

use std::collections::VecDeque;

use serde_json::Value;

use crate::cloudwatch::Shape;

/// A bound of this emulator; AWS keeps thirty days.
const ITEMS_MAX: usize = 2_000;

/// The items of one account. They are pushed alarm by alarm, so not all in order of time.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Item>);

/// `AlarmHistoryItem`.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) region: String,
    pub(super) alarm: String,
    pub(super) at_ms: i64,
    /// `ConfigurationUpdate`, `StateUpdate` or `Action`.
    pub(super) kind: &'static str,
    pub(super) summary: String,
    pub(super) data: Value,
}

impl History {
    pub(super) fn push(&mut self, item: Item) {
        if self.0.len() == ITEMS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(item);
    }

    /// The items of one region, oldest first; those of the same moment as they happened.
    pub(super) fn of(&self, region: &str) -> Vec<&Item> {
        let mut items: Vec<&Item> = self.0.iter().filter(|item| item.region == region).collect();
        items.sort_by_key(|item| item.at_ms);
        items
    }
}

impl Item {
    pub(super) fn shape(&self) -> Shape {
        Shape::Members(vec![
            ("AlarmName", self.alarm.as_str().into()),
            ("AlarmType", "MetricAlarm".into()),
            ("Timestamp", Shape::Millis(self.at_ms)),
            ("HistoryItemType", self.kind.into()),
            ("HistorySummary", self.summary.as_str().into()),
            ("HistoryData", Shape::Text(self.data.to_string())),
        ])
    }
}
