//! An execution's own time: the service's clock, and how far it has jumped ahead of it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use time::{Duration, OffsetDateTime};
use tokio::sync::{Notify, watch};

use super::Time;
use crate::clock::Clock;

/// The time of one execution.
#[derive(Debug)]
pub(super) struct Pace {
    clock: Arc<dyn Clock>,
    jumps: bool,
    /// How far ahead of the clock.
    ahead: watch::Sender<Duration>,
    /// Tasks that wait for a moment, or for ever.
    asleep: Mutex<Vec<Sleeper>>,
    next: Mutex<u64>,
    /// Somebody has fallen asleep.
    pub(super) stirred: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Sleeper {
    number: u64,
    task: u64,
    until: Option<OffsetDateTime>,
}

impl Pace {
    pub(super) fn new(clock: &Arc<dyn Clock>, time: Time) -> Self {
        Self {
            clock: Arc::clone(clock),
            jumps: time == Time::Virtual,
            ahead: watch::Sender::new(Duration::ZERO),
            asleep: Mutex::default(),
            next: Mutex::default(),
            stirred: Notify::new(),
        }
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.clock.now() + *self.ahead.borrow()
    }

    /// Ends when that moment has come.
    pub(super) async fn until(&self, moment: OffsetDateTime) {
        let mut jumped = self.ahead.subscribe();
        loop {
            let ahead = *jumped.borrow_and_update();
            if self.clock.now() + ahead >= moment {
                return;
            }
            tokio::select! {
                () = self.clock.until(moment - ahead) => {}
                // The sender is this.
                _ = jumped.changed() => {}
            }
        }
    }

    /// Goes to what is waited for next, if every one of these tasks does nothing but wait. `false`: it
    /// did not.
    pub(super) fn jump(&self, tasks: &[u64], deadline: Option<OffsetDateTime>) -> bool {
        if !self.jumps {
            return false;
        }
        let now = self.now();
        let mut next = deadline;
        {
            let asleep = self.asleep();
            for task in tasks {
                let mut waits = asleep
                    .iter()
                    .filter(|sleeper| sleeper.task == *task)
                    .peekable();
                if waits.peek().is_none() {
                    return false;
                }
                for moment in waits.filter_map(|sleeper| sleeper.until) {
                    next = Some(next.map_or(moment, |next| next.min(moment)));
                }
            }
        }
        match next {
            // What is due is about to wake up.
            Some(next) if next > now => {
                self.ahead.send_modify(|ahead| *ahead += next - now);
                true
            }
            _ => false,
        }
    }

    fn asleep(&self) -> MutexGuard<'_, Vec<Sleeper>> {
        self.asleep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fall_asleep(self: &Arc<Self>, task: u64, until: Option<OffsetDateTime>) -> Asleep {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next += 1;
        let number = *next;
        drop(next);
        self.asleep().push(Sleeper {
            number,
            task,
            until,
        });
        self.stirred.notify_one();
        Asleep {
            pace: Arc::clone(self),
            number,
        }
    }
}

/// A task that waits, until it is dropped.
#[derive(Debug)]
struct Asleep {
    pace: Arc<Pace>,
    number: u64,
}

impl Drop for Asleep {
    fn drop(&mut self) {
        let number = self.number;
        self.pace
            .asleep()
            .retain(|sleeper| sleeper.number != number);
    }
}

/// The time as a task sees it. Whoever waits does nothing else meanwhile: in virtual time the wait is
/// over as soon as nobody in the execution has anything else to do.
#[derive(Debug, Clone)]
pub struct TaskClock {
    pace: Arc<Pace>,
    task: u64,
}

impl TaskClock {
    pub(super) fn new(pace: &Arc<Pace>, task: u64) -> Self {
        Self {
            pace: Arc::clone(pace),
            task,
        }
    }

    /// The execution's time now.
    pub fn now(&self) -> OffsetDateTime {
        self.pace.now()
    }

    /// Ends when that moment has come.
    pub async fn until(&self, moment: OffsetDateTime) {
        let _asleep = self.pace.fall_asleep(self.task, Some(moment));
        self.pace.until(moment).await;
    }

    /// Never ends: for an answer that never comes. The task's timeout, if it has one, ends it.
    pub async fn forever(&self) -> Infallible {
        let _asleep = self.pace.fall_asleep(self.task, None);
        std::future::pending().await
    }
}
