//! Who receives a queue's messages, invokes the function with them, and deletes what it took.

use std::{
    collections::HashSet,
    sync::{Arc, Weak},
    time::Duration,
};

use bedrock_emulator::{OnBehalf, Reply, Request, neighbour::Actor};
use bytes::Bytes;
use lambda_host::PAYLOAD_MAX;
use time::OffsetDateTime;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, watch},
    task::{AbortHandle, JoinSet},
};

use super::{EventSource, Mapping, record::record, verdict::failures};
use crate::{
    clock::Clock,
    lambda::{Shared, place::Reference},
    sqs::{QueueHandle, Received},
};

/// How many batches are worked on at once unless the mapping says: the pollers AWS begins with.
const CONCURRENCY: usize = 5;

/// How long a queue that is gone is left alone.
const GONE_PAUSE: Duration = Duration::from_secs(1);

/// The first and the longest pause of a batch that was throttled.
const THROTTLE_PAUSE: [Duration; 2] = [Duration::from_secs(1), Duration::from_mins(1)];

/// The task of one mapping. Dropped, it ends at once, and what it works on comes back when the
/// queue's visibility timeout is over.
#[derive(Debug)]
pub(super) struct Poller {
    stop: watch::Sender<bool>,
    task: AbortHandle,
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Poller {
    /// Begins to poll; `None`: there is no runtime to poll on.
    pub(super) fn start(shared: &Arc<Shared>, mapping: &Mapping) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        let stop = watch::Sender::new(false);
        let work = Work {
            shared: Arc::downgrade(shared),
            clock: Arc::clone(&shared.clock),
            queue: mapping.queue.clone(),
            reference: mapping.reference.clone(),
            source: mapping.source.clone(),
        };
        let task = runtime.spawn(poll(Arc::new(work), stop.subscribe()));
        Some(Self {
            task: task.abort_handle(),
            stop,
        })
    }

    /// Receives nothing more; batches that are being worked on are finished.
    pub(super) fn end(self) -> Self {
        self.stop.send_replace(true);
        self
    }

    pub(super) fn is_over(&self) -> bool {
        self.task.is_finished()
    }
}

struct Work {
    /// The service holds us.
    shared: Weak<Shared>,
    clock: Arc<dyn Clock>,
    queue: QueueHandle,
    reference: Reference,
    source: EventSource,
}

/// Messages that were received together, and when they are seen again.
struct Batch {
    messages: Vec<Received>,
    until: OffsetDateTime,
}

async fn poll(work: Arc<Work>, mut stop: watch::Receiver<bool>) {
    let most = work.source.concurrency_max.map(usize::try_from);
    let most = most.and_then(Result::ok).unwrap_or(CONCURRENCY);
    let slots = Arc::new(Semaphore::new(most));
    let mut running = JoinSet::new();
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            Some((slot, work.gather().await))
        };
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            next = next => {
                let Some((slot, batches)) = next else { break };
                let work = Arc::clone(&work);
                running.spawn(async move {
                    for batch in batches {
                        work.handle(batch).await;
                    }
                    drop(slot);
                });
            }
        }
        while running.try_join_next().is_some() {}
    }
    while running.join_next().await.is_some() {}
}

impl Work {
    /// The next messages, as batches that one invocation can take each.
    async fn gather(&self) -> Vec<Batch> {
        let most = usize::try_from(self.source.batch_size).unwrap_or(10);
        let mut messages = loop {
            if !self.queue.available().await {
                self.clock.until(self.clock.now() + GONE_PAUSE).await;
                continue;
            }
            let received = self.queue.receive(most, None);
            // Another receiver was faster, or it went to the dead-letter queue.
            if !received.is_empty() {
                break received;
            }
        };
        let began = self.clock.now();
        let window = self.clock.until(began + self.source.batching_window);
        tokio::pin!(window);
        while messages.len() < most && !self.source.batching_window.is_zero() {
            tokio::select! {
                biased;
                available = self.queue.available() => {
                    if !available {
                        break;
                    }
                    messages.extend(self.queue.receive(most - messages.len(), None));
                }
                () = &mut window => break,
            }
        }
        let visibility = self.queue.visibility_timeout().unwrap_or_default();
        self.split(messages, began + visibility)
    }

    /// A payload has a limit, and a batch with it (developer guide: 6 MB).
    fn split(&self, messages: Vec<Received>, until: OffsetDateTime) -> Vec<Batch> {
        let mut batches: Vec<Batch> = Vec::new();
        let mut bytes = 0;
        for message in messages {
            let length = self.record(&message).len() + 1;
            bytes += length;
            match batches.last_mut() {
                Some(batch) if bytes < PAYLOAD_MAX - FRAME => batch.messages.push(message),
                _ => {
                    bytes = length;
                    batches.push(Batch {
                        messages: vec![message],
                        until,
                    });
                }
            }
        }
        batches
    }

    fn record(&self, message: &Received) -> String {
        record(message, &self.queue, &self.reference.place.region)
    }

    /// Invokes the function and deletes what it took. What it did not take comes back by itself, and
    /// goes to the dead-letter queue in the end.
    async fn handle(&self, batch: Batch) {
        let Some(reply) = self.invoke(&batch).await else {
            return;
        };
        let ids = batch.messages.iter().map(|message| &*message.message_id);
        let ids: HashSet<&str> = ids.collect();
        let reports = self.source.report_batch_item_failures;
        let mut headers = reply.headers.iter();
        if headers.any(|(name, _)| name.eq_ignore_ascii_case("X-Amz-Function-Error")) {
            return;
        }
        let Some(failed) = failures(&reply.body.bytes(), reports, &ids) else {
            return;
        };
        for message in &batch.messages {
            if !failed.contains(&*message.message_id) {
                self.queue.delete(&message.receipt_handle);
            }
        }
    }

    /// A throttled batch is tried again for as long as nobody else sees its messages.
    async fn invoke(&self, batch: &Batch) -> Option<Reply> {
        let records: Vec<String> = batch.messages.iter().map(|m| self.record(m)).collect();
        let payload = Bytes::from(format!("{{\"Records\":[{}]}}", records.join(",")));
        let mut pause = THROTTLE_PAUSE[0];
        loop {
            let reply = self.call(payload.clone()).await?;
            match reply.status {
                200 => return Some(reply),
                429 => {}
                _ => return None,
            }
            let next = self.clock.now() + pause;
            if next >= batch.until {
                return None;
            }
            self.clock.until(next).await;
            pause = (pause * 2).min(THROTTLE_PAUSE[1]);
        }
    }

    /// `Invoke`, as a request that the journal tells, fault rules strike and the diagram shows.
    async fn call(&self, payload: Bytes) -> Option<Reply> {
        let emulator = {
            let shared = self.shared.upgrade()?;
            shared.connection.get()?.emulator.upgrade()?
        };
        let place = &self.reference.place;
        let request = Request {
            method: "POST".to_owned(),
            target: format!(
                "/2015-03-31/functions/{}/invocations",
                self.reference.arn().replace(':', "%3A")
            ),
            headers: [("content-type", "application/json")].into(),
            body: payload,
            connection: 0,
        };
        let role = service_role(&place.account);
        let caller = OnBehalf {
            role_arn: &role,
            session_name: "event-source-mapping",
            region: &place.region,
            actor: Some(&QUEUE),
        };
        let now = self.clock.now();
        Some(emulator.call_as(caller, Arc::new(request), now).await)
    }
}

/// What an invocation for a queue lights.
static QUEUE: Actor = Actor {
    node: "SQS",
    edges: &[("LAMBDA", "SQS-LAMBDA")],
};

/// In whose name Lambda invokes a function for a queue. On AWS it needs nobody's: the role stands
/// for Lambda itself, and may.
pub(super) fn service_role(account: &str) -> String {
    format!(
        "arn:aws:iam::{account}:role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda"
    )
}

/// What stands around the records.
const FRAME: usize = 64;
