//! Log groups, their streams and events; the oldest events go when there are too many bytes.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use crate::{error::ApiError, journal::Record, observe::log_record};

use super::{exists, full, ingest::Troubles, no_group, no_stream};

/// Bounds of this emulator.
const GROUPS_MAX: usize = 1_000;
const STREAMS_MAX: usize = 1_000;

/// What AWS counts for each event beside its message.
const OVERHEAD: usize = 26;

/// All log groups of one account.
#[derive(Debug)]
pub(crate) struct LogGroups {
    /// By region and name.
    groups: BTreeMap<(String, String), Group>,
    bytes: usize,
    bytes_max: usize,
    /// Numbers events.
    next: u64,
    /// What documents of the embedded metric format got wrong.
    pub(crate) troubles: Troubles,
}

#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) created: i64,
    pub(super) retention_days: Option<u32>,
    pub(super) streams: BTreeMap<String, Stream>,
}

#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) created: i64,
    pub(super) ingested: Option<i64>,
    pub(super) events: VecDeque<Event>,
    pub(super) bytes: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Counts all events of the account.
    pub(super) id: u64,
    pub(super) timestamp: i64,
    pub(super) ingested: i64,
    pub(super) message: Message,
}

/// What an event says.
#[derive(Debug, Clone)]
pub(super) enum Message {
    Text(Arc<str>),
    /// A model invocation, written out when somebody reads it.
    Invocation(Arc<Record>),
}

impl Message {
    /// Its words. Not to be asked for while the account is locked: an invocation's are long.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            Self::Invocation(record) => {
                let log = log_record(record);
                log.map_or_else(String::new, |log| log.record.to_string())
            }
        }
    }

    fn bytes(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Text(text) => text.len(),
                Self::Invocation(record) => record.weight(),
            }
    }
}

impl Group {
    /// Bytes of all its streams.
    pub(super) fn bytes(&self) -> usize {
        self.streams.values().map(|stream| stream.bytes).sum()
    }
}

impl LogGroups {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            groups: BTreeMap::new(),
            bytes: 0,
            bytes_max,
            next: 1,
            troubles: Troubles::default(),
        }
    }

    /// Delivers a model invocation to that group's stream, both made when they are missing: on AWS
    /// the group must be there, and a set-up that everybody copies makes it.
    pub(crate) fn deliver(
        &mut self,
        region: &str,
        group: &str,
        stream: &str,
        record: &Arc<Record>,
    ) {
        let now = record.t;
        self.ensure(region, group, stream, now);
        let key = (region.to_owned(), group.to_owned());
        let message = Message::Invocation(Arc::clone(record));
        self.add(&key, stream, vec![(now, message)], now);
    }

    /// Makes group and stream if they are missing. A group with all the streams it may have loses the
    /// one that has been quiet for longest: each start of a function's environment makes a stream.
    pub(super) fn ensure(&mut self, region: &str, group: &str, stream: &str, now: i64) {
        let key = (region.to_owned(), group.to_owned());
        let group = self.groups.entry(key).or_insert_with(|| Group {
            created: now,
            ..Group::default()
        });
        if group.streams.contains_key(stream) {
            return;
        }
        if group.streams.len() >= STREAMS_MAX {
            let quiet = group.streams.iter().min_by_key(|(_, s)| s.ingested);
            let quiet = quiet.map(|(name, _)| name.clone());
            if let Some(gone) = quiet.and_then(|name| group.streams.remove(&name)) {
                self.bytes = self.bytes.saturating_sub(gone.bytes);
            }
        }
        let made = Stream {
            created: now,
            ..Stream::default()
        };
        group.streams.insert(stream.to_owned(), made);
    }

    pub(super) fn create_group(
        &mut self,
        region: &str,
        name: &str,
        now: i64,
    ) -> Result<(), ApiError> {
        let key = (region.to_owned(), name.to_owned());
        if self.groups.contains_key(&key) {
            return Err(exists("group"));
        }
        if self.groups.len() >= GROUPS_MAX {
            return Err(full("log groups"));
        }
        let group = Group {
            created: now,
            ..Group::default()
        };
        self.groups.insert(key, group);
        Ok(())
    }

    pub(super) fn delete_group(&mut self, region: &str, name: &str) -> Result<(), ApiError> {
        let key = (region.to_owned(), name.to_owned());
        let group = self.groups.remove(&key).ok_or_else(no_group)?;
        self.bytes = self.bytes.saturating_sub(group.bytes());
        Ok(())
    }

    pub(super) fn create_stream(
        &mut self,
        region: &str,
        group: &str,
        name: &str,
        now: i64,
    ) -> Result<(), ApiError> {
        let group = self.group_mut(region, group)?;
        if group.streams.contains_key(name) {
            return Err(exists("stream"));
        }
        if group.streams.len() >= STREAMS_MAX {
            return Err(full("log streams"));
        }
        let stream = Stream {
            created: now,
            ..Stream::default()
        };
        group.streams.insert(name.to_owned(), stream);
        Ok(())
    }

    pub(super) fn delete_stream(
        &mut self,
        region: &str,
        group: &str,
        name: &str,
    ) -> Result<(), ApiError> {
        let group = self.group_mut(region, group)?;
        let stream = group.streams.remove(name).ok_or_else(no_stream)?;
        self.bytes = self.bytes.saturating_sub(stream.bytes);
        Ok(())
    }

    /// The groups of one region by name.
    pub(super) fn groups(&self, region: &str) -> impl Iterator<Item = (&str, &Group)> {
        let groups = self.groups.iter().filter(move |((r, _), _)| r == region);
        groups.map(|((_, name), group)| (name.as_str(), group))
    }

    pub(super) fn group(&self, region: &str, name: &str) -> Result<&Group, ApiError> {
        let key = (region.to_owned(), name.to_owned());
        self.groups.get(&key).ok_or_else(no_group)
    }

    pub(super) fn group_mut(&mut self, region: &str, name: &str) -> Result<&mut Group, ApiError> {
        let key = (region.to_owned(), name.to_owned());
        self.groups.get_mut(&key).ok_or_else(no_group)
    }

    pub(super) fn stream(
        &self,
        region: &str,
        group: &str,
        name: &str,
    ) -> Result<&Stream, ApiError> {
        let group = self.group(region, group)?;
        group.streams.get(name).ok_or_else(no_stream)
    }

    /// Adds events with these times and texts.
    pub(super) fn put(
        &mut self,
        region: &str,
        group: &str,
        stream: &str,
        events: Vec<(i64, String)>,
        now: i64,
    ) -> Result<(), ApiError> {
        self.stream(region, group, stream)?;
        let events = events.into_iter();
        let events = events.map(|(at, text)| (at, Message::Text(text.into())));
        let key = (region.to_owned(), group.to_owned());
        self.add(&key, stream, events.collect(), now);
        Ok(())
    }

    fn add(&mut self, key: &(String, String), stream: &str, events: Vec<(i64, Message)>, now: i64) {
        let group = self.groups.get_mut(key);
        let Some(stream) = group.and_then(|group| group.streams.get_mut(stream)) else {
            return;
        };
        stream.ingested = Some(now);
        for (timestamp, message) in events {
            let bytes = message.bytes();
            stream.bytes += bytes;
            self.bytes += bytes;
            stream.events.push_back(Event {
                id: self.next,
                timestamp,
                ingested: now,
                message,
            });
            self.next += 1;
        }
        self.drop_oldest();
    }

    /// The longest stream loses its oldest events first.
    fn drop_oldest(&mut self) {
        while self.bytes > self.bytes_max {
            let streams = self
                .groups
                .values_mut()
                .flat_map(|g| g.streams.values_mut());
            let longest = streams.max_by_key(|stream| stream.bytes);
            let Some((stream, event)) = longest.and_then(|stream| {
                let event = stream.events.pop_front()?;
                Some((stream, event))
            }) else {
                return;
            };
            let bytes = event.message.bytes();
            stream.bytes = stream.bytes.saturating_sub(bytes);
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }
}
