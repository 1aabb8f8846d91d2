//! Where events meet: a bounded ring for those who come back, a broadcast for those who listen.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use bedrock_emulator::journal::Entry;
use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use workshop_runner::live::Event;

use super::{Board, EMULATOR, Seen, kept::Kept};

/// Messages kept for a browser that lost its connection.
const RING_MAX: usize = 512;

/// Messages a slow browser may be behind before it is told to load the page anew.
const BEHIND_MAX: usize = 1024;

/// More exercises than any course has; keeps a nonsense log from eating the memory.
const BOARDS_MAX: usize = 256;

/// Everything live in one place.
#[derive(Debug)]
pub struct Hub {
    state: Mutex<State>,
    listeners: broadcast::Sender<Arc<Message>>,
    closed: watch::Sender<bool>,
    /// Tells this start's numbers from those of another start.
    epoch: u128,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    ring: VecDeque<Arc<Message>>,
    boards: BTreeMap<String, Board>,
    kept: Kept,
}

/// One message of the stream.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) number: u64,
    pub(super) name: &'static str,
    pub(super) data: String,
}

/// A place in the stream.
#[derive(Debug)]
pub struct Subscription {
    /// Messages missed since the place asked for.
    pub(super) backlog: VecDeque<Arc<Message>>,
    /// Those to come.
    pub(super) live: broadcast::Receiver<Arc<Message>>,
    /// Ends when the site stops.
    pub(super) closed: watch::Receiver<bool>,
    /// Whether messages between the place asked for and the backlog are lost.
    pub(super) gap: bool,
}

impl Default for Hub {
    fn default() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            state: Mutex::default(),
            listeners: broadcast::Sender::new(BEHIND_MAX),
            closed: watch::Sender::new(false),
            epoch: since_epoch.map_or(0, |t| t.as_millis()),
        }
    }
}

impl Hub {
    /// Takes in an event of the runner or the emulator, and passes it on.
    pub fn publish_event(&self, event: &Event) {
        if let Event::Request {
            exercise,
            test,
            entry,
        } = event
        {
            return self.publish_request(exercise, test, entry);
        }
        let Some((name, exercise, data)) = describe(event) else {
            return;
        };
        let mut state = self.state();
        if state.boards.len() < BOARDS_MAX || state.boards.contains_key(&exercise) {
            state.boards.entry(exercise).or_default().apply(event);
        }
        self.send(&mut state, name, data);
    }

    /// Bodies stay behind: the ring must stay small. A page asks for one by its address.
    fn publish_request(&self, exercise: &str, test: &str, entry: &Value) {
        let Some(mut seen) = Seen::from_entry(test, entry) else {
            return;
        };
        let mut state = self.state();
        let State { boards, kept, .. } = &mut *state;
        if boards.len() < BOARDS_MAX || boards.contains_key(exercise) {
            let board = boards.entry(exercise.to_owned()).or_default();
            // The emulator's own journal holds what was sent to it; what states light has no entry.
            if exercise != EMULATOR {
                let number = board.number();
                seen.href = format!("/requests/{exercise}/{number}");
                kept.push(exercise, number, test, entry);
            } else if seen.seq > 0 {
                seen.href = format!("/requests/emulator/{}", seen.seq);
            }
            board.see(seen.clone());
        }
        let data = json!({
            "type": "request", "exercise": exercise, "test": test, "entry": seen,
        });
        self.send(&mut state, "request", data.to_string());
    }

    /// The requests of an exercise's last run, without those sent by hand.
    pub fn run_of(&self, exercise: &str) -> Vec<Seen> {
        let state = self.state();
        let board = state.boards.get(exercise);
        board.map_or_else(Vec::new, |board| board.requests.iter().cloned().collect())
    }

    /// The exercises that sent requests since the site started.
    pub fn exercises(&self) -> Vec<String> {
        let state = self.state();
        let boards = state.boards.iter();
        let asked = boards.filter(|(id, b)| *id != EMULATOR && !b.requests.is_empty());
        asked.map(|(id, _)| id.clone()).collect()
    }

    /// The whole entry of an exercise's request, and the test that sent it.
    pub fn entry(&self, exercise: &str, number: u64) -> Option<(String, Entry)> {
        self.state().kept.find(exercise, number)
    }

    /// Passes on that pages changed; `paths` are theirs.
    pub fn publish_reload(&self, paths: &[String]) {
        let data = json!({ "paths": paths }).to_string();
        self.send(&mut self.state(), "reload", data);
    }

    /// Passes on that every page looks different now.
    pub fn publish_everywhere(&self) {
        self.publish_reload(&["*".to_owned()]);
    }

    /// Passes on that the student's file is now of that version, or that there is none to show.
    pub fn publish_file(&self, exercise: &str, version: Option<&str>) {
        let data = json!({ "exercise": exercise, "version": version }).to_string();
        self.send(&mut self.state(), "file", data);
    }

    /// The number of the last message.
    pub fn last(&self) -> u64 {
        self.state().last
    }

    /// The id of the last message.
    pub fn last_id(&self) -> String {
        let last = self.last();
        self.id(last)
    }

    /// A copy of the exercise's board, with requests to the emulator beside the site mixed in by
    /// time, and the id of the last message it includes.
    pub fn board(&self, exercise: &str) -> (Board, String) {
        let state = self.state();
        let mut board = state.boards.get(exercise).cloned().unwrap_or_default();
        if exercise != EMULATOR
            && let Some(by_hand) = state.boards.get(EMULATOR)
        {
            let since = board.started.or(board.requests.front().map(|r| r.t));
            let recent = |r: &&Seen| since.is_none_or(|since| r.t >= since);
            board
                .requests
                .extend(by_hand.requests.iter().filter(recent).cloned());
            board.requests.make_contiguous().sort_by_key(|r| r.t);
        }
        (board, self.id(state.last))
    }

    /// The stream from behind the message of that id, or from now on.
    pub fn subscribe(&self, after: Option<&str>) -> Subscription {
        let state = self.state();
        let number = match after {
            None => Some(state.last),
            Some(id) => self.number(id).filter(|n| *n <= state.last),
        };
        let oldest = state.ring.front().map_or(state.last + 1, |m| m.number);
        let gap = number.is_none_or(|n| n + 1 < oldest);
        let from = number.filter(|_| !gap).unwrap_or(state.last);
        Subscription {
            backlog: state
                .ring
                .iter()
                .filter(|m| m.number > from)
                .cloned()
                .collect(),
            live: self.listeners.subscribe(),
            closed: self.closed.subscribe(),
            gap,
        }
    }

    /// Ends all streams.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    fn send(&self, state: &mut State, name: &'static str, data: String) {
        state.last += 1;
        let message = Arc::new(Message {
            id: self.id(state.last),
            number: state.last,
            name,
            data,
        });
        if state.ring.len() == RING_MAX {
            state.ring.pop_front();
        }
        state.ring.push_back(Arc::clone(&message));
        // Sent under the lock, so that a subscriber sees each message exactly once. Nobody
        // listening is not an error.
        let _ = self.listeners.send(message);
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.epoch)
    }

    fn number(&self, id: &str) -> Option<u64> {
        let (epoch, number) = id.split_once('-')?;
        (epoch == self.epoch.to_string()).then_some(())?;
        number.parse().ok()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Name, exercise and data of an event that is no request.
fn describe(event: &Event) -> Option<(&'static str, String, String)> {
    let (name, exercise) = match event {
        Event::Started { exercise, .. } => ("started", exercise),
        Event::Bedrock { exercise } => ("bedrock", exercise),
        Event::Building { exercise, .. } => ("building", exercise),
        Event::Test { exercise, .. } => ("test", exercise),
        Event::Note { exercise, .. } => ("note", exercise),
        Event::Finished { exercise, .. } => ("finished", exercise),
        Event::Stopped { exercise, .. } => ("stopped", exercise),
        _ => return None,
    };
    let data = serde_json::to_string(event).ok()?;
    Some((name, exercise.clone(), data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(exercise: &str, t: i64) -> Event {
        Event::Request {
            exercise: exercise.to_owned(),
            test: "a_test".to_owned(),
            entry: json!({
                "seq": 1, "t": t, "status": 200, "body": {"big": "left behind"},
                "trace": [{"node": "BR", "edge": "CC-BR", "status": "ok", "request_id": "r", "t": t}],
            }),
        }
    }

    fn numbers(subscription: &Subscription) -> Vec<u64> {
        subscription.backlog.iter().map(|m| m.number).collect()
    }

    #[test]
    fn a_page_goes_on_where_it_was_rendered() {
        let hub = Hub::default();
        hub.publish_event(&request("001", 1));
        let (board, at) = hub.board("001");
        assert_eq!(board.requests.len(), 1);
        hub.publish_event(&request("001", 2));
        hub.publish_event(&request("001", 3));
        let resumed = hub.subscribe(Some(&at));
        assert_eq!((numbers(&resumed), resumed.gap), (vec![2, 3], false));
        assert_eq!(numbers(&hub.subscribe(None)), [0_u64; 0]);
    }

    #[test]
    fn what_the_ring_lost_is_reported_as_a_gap() {
        let hub = Hub::default();
        let (_, at) = hub.board("001");
        for t in 0..=RING_MAX {
            hub.publish_event(&request("001", i64::try_from(t).unwrap()));
        }
        assert!(hub.subscribe(Some(&at)).gap);
        assert!(hub.subscribe(Some("1-1")).gap, "an id of another start");
        assert!(hub.subscribe(Some("nonsense")).gap);
    }

    #[test]
    fn a_request_is_found_again_by_its_address() {
        let hub = Hub::default();
        for t in [1, 2] {
            hub.publish_event(&request("001", t));
        }
        let href = hub.board("001").0.requests[1].href.clone();
        assert_eq!(href, "/requests/001/2");
        let (test, entry) = hub.entry("001", 2).unwrap();
        assert_eq!((test.as_str(), entry.t), ("a_test", 2));
        assert_eq!(entry.body, Some(json!({"big": "left behind"})));
        assert!(hub.entry("001", 3).is_none() && hub.entry("002", 1).is_none());
    }

    #[test]
    fn bodies_do_not_travel() {
        let hub = Hub::default();
        let (_, at) = hub.board("001");
        hub.publish_event(&request("001", 1));
        let data = &hub.subscribe(Some(&at)).backlog[0].data;
        assert!(
            data.contains("CC-BR") && !data.contains("left behind"),
            "{data}"
        );
    }

    #[test]
    fn requests_by_hand_light_the_exercise_too_unless_older_than_the_run() {
        let hub = Hub::default();
        hub.publish_event(&request(EMULATOR, 5));
        assert_eq!(hub.board("001").0.requests.len(), 1);
        hub.publish_event(&Event::Started {
            exercise: "001".to_owned(),
            t: 10,
        });
        assert_eq!(hub.board("001").0.requests.len(), 0);
        hub.publish_event(&request("001", 20));
        hub.publish_event(&request(EMULATOR, 15));
        let times: Vec<_> = hub.board("001").0.requests.iter().map(|r| r.t).collect();
        assert_eq!(times, [15, 20]);
    }
}
