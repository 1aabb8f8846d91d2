//! Parallel and Map: threads within a state.
//!
//! Which event precedes which is recorded: an iteration that starts because another ended follows that
//! one's last state, and everything that a failure ends follows the failure.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::{Execution, Phase, Place, Thread, ThreadId, states::Run};
use crate::{
    context::Item,
    failure::{BRANCH_FAILED, Failure},
    history::{Details, EventType},
    limits::{MAP_CONCURRENCY, PAYLOAD_BYTES},
    machine::{Kind, MapState, ScopeId, Seconds},
    path::Path,
    payload::Payload,
    template::Env,
};

/// The branches or iterations of a state.
#[derive(Debug)]
pub(super) struct Children {
    running: BTreeSet<ThreadId>,
    results: Vec<Option<Arc<Value>>>,
    left: usize,
    /// Bytes of the results. Too many are not kept: the state fails when all have ended, as on AWS.
    bytes: usize,
    items: Option<Items>,
}

/// What a Map has still to start.
#[derive(Debug)]
struct Items {
    list: Arc<Value>,
    input: Arc<Value>,
    next: usize,
}

impl Execution {
    pub(super) fn start_branches(
        &mut self,
        id: ThreadId,
        place: &Place,
        branches: &[ScopeId],
        input: &Arc<Value>,
    ) -> Result<Run, Failure> {
        let input = match &place.state().parameters {
            Some(template) => self.fill(id, place, template, input)?,
            None => input.clone(),
        };
        let input = self.checked(id, place, input)?;
        let started = self.record_next(id, EventType::ParallelStateStarted, Details::None);
        let item = self.threads.get(&id).and_then(|thread| thread.item.clone());
        let mut children = Children {
            running: BTreeSet::new(),
            results: vec![None; branches.len()],
            left: branches.len(),
            bytes: 0,
            items: None,
        };
        for (slot, scope) in branches.iter().enumerate() {
            let parent = Some((id, slot));
            let child = self.spawn(*scope, parent, started, input.clone(), item.clone());
            children.running.insert(child);
        }
        self.set_children(id, children);
        Ok(Run::Later)
    }

    pub(super) fn start_iterations(
        &mut self,
        id: ThreadId,
        place: &Place,
        map: &MapState,
        input: &Arc<Value>,
    ) -> Result<Run, Failure> {
        let list = self.with_env(id, place, input, |env| items(&map.items_path, env))?;
        let concurrency = match &map.max_concurrency {
            None | Some(Seconds::Fixed(0)) => MAP_CONCURRENCY,
            Some(Seconds::Fixed(most)) => usize::try_from(*most).unwrap_or(MAP_CONCURRENCY),
            Some(Seconds::Path(path)) => {
                self.with_env(id, place, input, |env| concurrency(path, env))?
            }
        };
        let length = list.as_array().map_or(0, Vec::len);
        let details = Details::MapStateStarted { length };
        let started = self.record_next(id, EventType::MapStateStarted, details);
        self.set_children(
            id,
            Children {
                running: BTreeSet::new(),
                results: vec![None; length],
                left: length,
                bytes: 0,
                items: Some(Items {
                    list: Arc::new(list),
                    input: input.clone(),
                    next: 0,
                }),
            },
        );
        if length == 0 {
            return self.all_done(id, started);
        }
        for _ in 0..length.min(concurrency.min(MAP_CONCURRENCY)) {
            self.start_iteration(id, place, map, started)?;
            if self.history.overflowed() {
                break;
            }
        }
        Ok(Run::Later)
    }

    /// Starts the next item, if there is one.
    fn start_iteration(
        &mut self,
        id: ThreadId,
        place: &Place,
        map: &MapState,
        previous: u64,
    ) -> Result<(), Failure> {
        let Some(items) = self.children(id).and_then(|c| c.items.as_mut()) else {
            return Ok(());
        };
        let index = items.next;
        let value = match &*items.list {
            Value::Array(list) => list.get(index).cloned(),
            _ => None,
        };
        let Some(value) = value.map(Arc::new) else {
            return Ok(());
        };
        items.next += 1;
        let input = items.input.clone();
        let item = Item {
            index,
            value: value.clone(),
        };
        let details = Details::MapIteration {
            name: place.state().name.clone(),
            index,
        };
        let started = self.record(EventType::MapIterationStarted, details, previous);
        // `Parameters` is what `ItemSelector` was called before.
        let selector = map
            .item_selector
            .as_ref()
            .or(place.state().parameters.as_ref());
        let input = match selector {
            None => value,
            Some(template) => {
                // `$$.Map.Item` of the selector is the new item, though the state is the Map's.
                let own = self
                    .threads
                    .get_mut(&id)
                    .map(|t| t.item.replace(item.clone()));
                let filled = self.fill(id, place, template, &input);
                if let (Some(own), Some(thread)) = (own, self.threads.get_mut(&id)) {
                    thread.item = own;
                }
                filled?
            }
        };
        let input = self.checked(id, place, input)?;
        let parent = Some((id, index));
        let child = self.spawn(map.processor, parent, started, input, Some(item));
        if let Some(children) = self.children(id) {
            children.running.insert(child);
        }
        Ok(())
    }

    /// A child ended well; `last` is its last event.
    pub(super) fn child_done(&mut self, id: ThreadId, slot: usize, payload: &Payload, last: u64) {
        let Some(place) = self.place(id) else { return };
        let Some(children) = self.children(id) else {
            return;
        };
        children.left = children.left.saturating_sub(1);
        children.bytes += payload.text.len() + 1;
        if children.bytes <= PAYLOAD_BYTES
            && let Some(result) = children.results.get_mut(slot)
        {
            *result = Some(payload.value.clone());
        }
        let left = children.left;
        let Kind::Map(map) = &place.state().kind else {
            if left == 0 {
                let run = self.all_done(id, last);
                self.go_on(id, &place, run);
            }
            return;
        };
        let details = Details::MapIteration {
            name: place.state().name.clone(),
            index: slot,
        };
        let succeeded = self.record(EventType::MapIterationSucceeded, details, last);
        let run = if left == 0 {
            self.all_done(id, succeeded)
        } else {
            self.start_iteration(id, &place, map, last)
                .map(|()| Run::Later)
        };
        if !self.history.overflowed() {
            self.go_on(id, &place, run);
        }
    }

    /// The results in order, after the last child's `last` event.
    fn all_done(&mut self, id: ThreadId, last: u64) -> Result<Run, Failure> {
        let Some(thread) = self.threads.get_mut(&id) else {
            return Ok(Run::Later);
        };
        thread.previous = last;
        let Phase::Children(children) = std::mem::replace(&mut thread.phase, Phase::Again) else {
            return Ok(Run::Later);
        };
        if children.bytes > PAYLOAD_BYTES {
            let place = self.place(id);
            let name = place.as_ref().map_or("", |place| &place.state().name);
            return Err(Failure::data_limit(name));
        }
        let succeeded = if children.items.is_some() {
            EventType::MapStateSucceeded
        } else {
            EventType::ParallelStateSucceeded
        };
        // What follows has the same previous event, not this one (recorded).
        self.record(succeeded, Details::None, last);
        let results = children.results.into_iter();
        let results = results.map(|result| result.map_or(Value::Null, Arc::unwrap_or_clone));
        Ok(Run::Result(Arc::new(Value::Array(results.collect()))))
    }

    /// A child failed with its event `last`: the others end, and the state fails.
    pub(super) fn child_failed(&mut self, id: ThreadId, slot: usize, failure: Failure, last: u64) {
        let Some(place) = self.place(id) else { return };
        if matches!(place.state().kind, Kind::Map(_)) {
            let details = Details::MapIteration {
                name: place.state().name.clone(),
                index: slot,
            };
            self.record(EventType::MapIterationFailed, details, last);
        }
        self.end_children(id, last);
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.previous = last;
        }
        if !self.history.overflowed() {
            // AWS shows the branch's own error (recorded); States.BranchFailed is its documented name.
            let failure = match place.state().kind {
                Kind::Parallel(_) => failure.also(BRANCH_FAILED),
                _ => failure,
            };
            self.failed(id, &place, failure);
        }
    }

    /// Ends the children that still run, because of the event `last`.
    pub(super) fn end_children(&mut self, id: ThreadId, last: u64) {
        let Some(children) = self.children(id) else {
            return;
        };
        let of_map = children.items.is_some();
        let running = std::mem::take(&mut children.running);
        for child in running {
            self.end_children(child, last);
            let Some(place) = self.place(child) else {
                continue;
            };
            let Some(thread) = self.drop_thread(child) else {
                continue;
            };
            if let Some(event) = aborted(&place, &thread) {
                self.record(event, Details::None, last);
            }
            if let (true, Some((_, index))) = (of_map, thread.parent) {
                let parent = self.place(id);
                let name = parent.map(|place| place.state().name.clone());
                let details = Details::MapIteration {
                    name: name.unwrap_or_default(),
                    index,
                };
                self.record(EventType::MapIterationAborted, details, last);
            }
        }
    }

    fn set_children(&mut self, id: ThreadId, children: Children) {
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.phase = Phase::Children(children);
        }
    }

    fn children(&mut self, id: ThreadId) -> Option<&mut Children> {
        match &mut self.threads.get_mut(&id)?.phase {
            Phase::Children(children) => Some(children),
            _ => None,
        }
    }
}

/// The event that says a thread's state was given up, if it was entered.
fn aborted(place: &Place, thread: &Thread) -> Option<EventType> {
    match (&place.state().kind, &thread.phase) {
        (_, Phase::Enter) => None,
        (Kind::Task(_), _) => Some(EventType::TaskStateAborted),
        (Kind::Wait(_), _) => Some(EventType::WaitStateAborted),
        (Kind::Parallel(_), _) => Some(EventType::ParallelStateAborted),
        (Kind::Map(_), _) => Some(EventType::MapStateAborted),
        _ => None,
    }
}

/// The list to which `ItemsPath` leads. The words are recorded for the array, measured for the path.
fn items(path: &Path, env: &Env<'_>) -> Result<Value, Failure> {
    let text = path.text();
    let value = path
        .select(env.root(path))
        .map_err(|missing| Failure::runtime(format!("Invalid path '{text}' : {}", missing.0)))?;
    if !value.is_array() {
        // Of `$$` AWS shows one dollar (recorded).
        let shown = text.strip_prefix('$').filter(|t| t.starts_with('$'));
        let shown = shown.unwrap_or(text);
        return Err(Failure::runtime(format!(
            "Reference path \"{shown}\" must point to array."
        )));
    }
    Ok(value.into_owned())
}

/// The number to which `MaxConcurrencyPath` leads; 0 is no limit but AWS's own. Recorded.
fn concurrency(path: &Path, env: &Env<'_>) -> Result<usize, Failure> {
    let text = path.text();
    let value = path
        .select(env.root(path))
        .map_err(|missing| Failure::runtime(format!("Invalid path '{text}' : {}", missing.0)))?;
    match value.as_i64() {
        Some(0) => Ok(MAP_CONCURRENCY),
        Some(most) if most > 0 => Ok(usize::try_from(most).unwrap_or(MAP_CONCURRENCY)),
        Some(_) => Err(Failure::runtime("MaxConcurrency cannot be negative.")),
        None => {
            let shown = match &*value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Err(Failure::runtime(format!(
                "The MaxConcurrencyPath field refers to value \"{shown}\" which is not a valid \
                 integer: {text}"
            )))
        }
    }
}
