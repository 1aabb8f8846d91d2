//! Tasks that move messages back out of a dead-letter queue. Nothing runs: whoever looks at a queue
//! first has the tasks do what they would have done by then.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::{Duration, OffsetDateTime};

use super::{place::Place, queues::Queues};

/// All tasks, oldest first.
#[derive(Debug, Default)]
pub(super) struct Tasks(Vec<Task>);

/// One task.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) source: Place,
    /// None: to where each message came from.
    pub(super) destination: Option<Place>,
    /// Messages a second; none: all at once.
    pub(super) rate: Option<u32>,
    pub(super) started: OffsetDateTime,
    pub(super) moved: u64,
    pub(super) to_move: usize,
    pub(super) status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Running,
    Completed,
    Cancelled,
    /// The queue to move to is gone.
    Failed,
}

impl Tasks {
    /// Ten tasks of a queue can be told of; older ones are forgotten.
    pub(super) fn add(&mut self, task: Task) {
        const TOLD: usize = 10;
        let mut older = self.0.iter().filter(|other| other.source == task.source);
        if older.clone().count() >= TOLD
            && let Some(oldest) = older.next().map(|oldest| oldest.id.clone())
        {
            self.0
                .retain(|other| other.source != task.source || other.id != oldest);
        }
        self.0.push(task);
    }

    pub(super) fn running(&self, source: &Place) -> bool {
        let mut of_source = self.of(source);
        of_source.any(|task| task.status == Status::Running)
    }

    /// The tasks of that queue, newest first.
    pub(super) fn of<'t>(&'t self, source: &'t Place) -> impl Iterator<Item = &'t Task> {
        self.0
            .iter()
            .rev()
            .filter(move |task| task.source == *source)
    }

    pub(super) fn find(&mut self, source: &Place, id: &str) -> Option<&mut Task> {
        let mut tasks = self.0.iter_mut();
        tasks.find(|task| task.source == *source && task.id == id)
    }

    pub(super) fn forget(&mut self, account: &str) {
        self.0.retain(|task| task.source.account != account);
    }

    /// When the next message moves, if nobody calls.
    pub(super) fn next_due(&self) -> Option<OffsetDateTime> {
        self.0.iter().filter_map(Task::next_due).min()
    }
}

impl Task {
    fn next_due(&self) -> Option<OffsetDateTime> {
        let rate = self.rate.filter(|_| self.status == Status::Running)?;
        let next = i64::try_from(self.moved + 1).ok()?;
        // Rounded up, so that the message has really been due when the moment has come.
        let millis = (next * 1_000 + i64::from(rate) - 1) / i64::from(rate.max(1));
        Some(self.started + Duration::milliseconds(millis))
    }

    /// How many messages may have moved by then.
    fn allowed(&self, now: OffsetDateTime) -> u64 {
        let Some(rate) = self.rate else {
            return u64::MAX;
        };
        let millis = (now - self.started).whole_milliseconds();
        u64::try_from(millis * i128::from(rate) / 1_000).unwrap_or_default()
    }

    /// What names it: opaque, with the source in it, as AWS's are (observed).
    pub(super) fn handle(&self) -> String {
        let said = json!({ "taskId": self.id, "sourceArn": self.source.arn() });
        STANDARD.encode(said.to_string())
    }
}

/// Task and source of a handle.
pub(super) fn read_handle(handle: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(handle).ok()?;
    let said: Value = serde_json::from_slice(&bytes).ok()?;
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    Some((text("taskId")?, text("sourceArn")?))
}

/// The ARN of the queue that a task moves messages out of.
pub(super) fn source_of(handle: &str) -> Option<String> {
    read_handle(handle).map(|(_, source)| source)
}

impl Queues {
    /// Moves what tasks would have moved by now.
    pub(super) fn work_off_tasks(&mut self, now: OffsetDateTime) {
        for at in 0..self.tasks.0.len() {
            while self.tasks.0[at].status == Status::Running
                && self.tasks.0[at].moved < self.tasks.0[at].allowed(now)
            {
                self.move_one(at, now);
            }
        }
    }

    fn move_one(&mut self, at: usize, now: OffsetDateTime) {
        let task = self.tasks.0[at].clone();
        let message = self.by_place.get_mut(&task.source).and_then(|queue| {
            queue.settle(now);
            queue.give_away()
        });
        let Some(mut message) = message else {
            self.tasks.0[at].status = Status::Completed;
            return;
        };
        let origin = message.given_up_by.as_deref().and_then(Place::of_arn);
        let Some(destination) = task.destination.clone().or(origin) else {
            return self.fail(at, &task.source, message, now);
        };
        let original = message.clone();
        // A message that is moved back is a new one (Developer Guide).
        message.id = id_of(&format!("{}/{}", task.id, task.moved));
        message.sent = now;
        message.receives = 0;
        message.first_received = None;
        message.last_received = None;
        message.given_up_by = None;
        if self.put(&destination, message, now) {
            self.tasks.0[at].moved += 1;
        } else {
            self.fail(at, &task.source, original, now);
        }
    }

    fn fail(
        &mut self,
        at: usize,
        source: &Place,
        message: super::message::Message,
        now: OffsetDateTime,
    ) {
        self.put(source, message, now);
        self.tasks.0[at].status = Status::Failed;
    }
}

/// A version 4 UUID made of a text.
fn id_of(text: &str) -> String {
    use std::fmt::Write as _;

    let digest = Sha256::digest(text.as_bytes());
    let mut hex = String::new();
    for byte in &digest[..16] {
        let _ = write!(hex, "{byte:02x}");
    }
    format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}
