//! Event source mappings: queues whose messages invoke functions.
//!
//! Read in this order: this file (what a mapping is), `record` (a message as a function sees it),
//! `poller` (who receives, invokes and deletes), `verdict` (which messages a function took).

mod poller;
mod record;
mod verdict;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bedrock_emulator::{error::ApiError, identity::Identity, policy::NamedPolicy};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    Lambda, Shared,
    error::{conflict, invalid, no_function, no_resource, service},
    function::uuid_of,
    place::{Place, Reference},
};
use crate::sqs::QueueHandle;

use self::poller::{Poller, service_role};

/// A queue whose messages invoke a function. [`EventSource::new`] gives Lambda's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSource {
    /// Its name or ARN.
    pub queue: String,
    /// A name, a partial ARN or an ARN.
    pub function: String,
    /// How many messages one invocation gets at most: 10 unless it is said; more than 10 need a
    /// window, and FIFO queues have no more.
    pub batch_size: u32,
    /// How long a batch may wait for more messages, in whole seconds up to 300.
    pub batching_window: Duration,
    /// Whether the function's answer says which messages it did not handle
    /// (`ReportBatchItemFailures`).
    pub report_batch_item_failures: bool,
    /// Invocations at once: 2 to 1,000. `None`: five, as many as AWS begins with.
    pub concurrency_max: Option<u32>,
    /// Whether it polls.
    pub enabled: bool,
}

impl EventSource {
    /// A mapping with Lambda's defaults: batches of ten without waiting, no partial answers.
    pub fn new(queue: impl Into<String>, function: impl Into<String>) -> Self {
        Self {
            queue: queue.into(),
            function: function.into(),
            batch_size: 10,
            batching_window: Duration::ZERO,
            report_batch_item_failures: false,
            concurrency_max: None,
            enabled: true,
        }
    }
}

/// A mapping that is there.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) id: String,
    pub(super) queue: QueueHandle,
    pub(super) reference: Reference,
    pub(super) source: EventSource,
    pub(super) modified: OffsetDateTime,
    /// Made from Rust: a reset keeps it.
    configured: bool,
    poller: Option<Poller>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Mappings {
    by_id: BTreeMap<String, Mapping>,
    /// Pollers that work their last batches off.
    ending: Vec<Poller>,
}

impl Lambda {
    /// Lets a queue's messages invoke a function: `CreateEventSourceMapping`. Both must be there. It
    /// polls on the tokio runtime that this is called on, until it is deleted or the last handle of
    /// this service is gone. Account and region are the emulator's unless ARNs say otherwise.
    ///
    /// # Errors
    /// What Lambda would answer, as text.
    pub fn map(&self, source: EventSource) -> Result<String, MapError> {
        let connection = self.shared.connection.get();
        let emulator = connection.and_then(|connection| connection.emulator.upgrade());
        let emulator = emulator.ok_or_else(|| MapError("no emulator is connected".to_owned()))?;
        let (account, region) = (&emulator.config().account_id, &emulator.config().region);
        // A queue invokes a function once.
        let id = uuid_of(&format!("{} {}", source.queue, source.function));
        let mapped = self.add(source, account, region, id.clone(), true);
        mapped.map_err(|error| MapError(error.message().to_owned()))?;
        Ok(id)
    }

    /// Adds a mapping and begins to poll; its description.
    pub(super) fn add(
        &self,
        source: EventSource,
        account: &str,
        region: &str,
        id: String,
        configured: bool,
    ) -> Result<Value, ApiError> {
        let reference = Reference::parse(&source.function, account, region);
        let reference = reference.ok_or_else(|| no_function(&source.function))?;
        let queue = self.shared.sqs.queue(account, region, &source.queue);
        let queue = queue.ok_or_else(|| {
            // As AWS tells it.
            invalid(
                "Error occurred while ReceiveMessage. SQS Error Code: \
                 AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does \
                 not exist.",
            )
        })?;
        let mut registry = self.registry();
        let kept = registry.function(&reference.place);
        let kept = kept.filter(|_| reference.is_latest());
        let kept = kept.ok_or_else(|| no_function(&reference.arn()))?;
        check(&source, &queue)?;
        check_visibility(&queue, kept.function.timeout)?;
        self.check_role(&kept.role(), &queue)?;
        self.allow(&kept.place.account)?;
        let mut mapping = Mapping {
            id: id.clone(),
            queue,
            reference,
            source,
            modified: self.shared.clock.now(),
            configured,
            poller: None,
        };
        registry.mappings.check_new(&mapping)?;
        mapping.set_polling(&self.shared)?;
        let told = mapping.json(if mapping.source.enabled {
            "Creating"
        } else {
            "Disabled"
        });
        registry.mappings.by_id.insert(id, mapping);
        Ok(told)
    }

    /// Lets Lambda itself invoke functions, whatever the account's policies say.
    fn allow(&self, account: &str) -> Result<(), ApiError> {
        let connection = self.shared.connection.get();
        let Some(emulator) = connection.and_then(|connection| connection.emulator.upgrade()) else {
            return Ok(());
        };
        let identity = Identity {
            arn: service_role(account),
            policies: Some(vec![NamedPolicy {
                name: "what Lambda itself may".to_owned(),
                document: json!({
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Action": "lambda:InvokeFunction",
                        "Resource": "*",
                    }],
                }),
            }]),
            ..Identity::default()
        };
        let set = emulator.set_identity(&identity);
        set.map_err(|problem| service(problem.to_string()))
    }

    /// The role must be allowed to take messages (AWS asks when the mapping is made).
    fn check_role(&self, role: &str, queue: &QueueHandle) -> Result<(), ApiError> {
        let connection = self.shared.connection.get();
        let Some(emulator) = connection.and_then(|connection| connection.emulator.upgrade()) else {
            return Ok(());
        };
        let arn = queue.arn();
        for action in ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"] {
            if !emulator.role_may(role, &format!("sqs:{action}"), &arn) {
                return Err(invalid(format!(
                    "The provided execution role does not have permissions to call {action} on SQS"
                )));
            }
        }
        Ok(())
    }
}

/// A mapping cannot be made: what Lambda would answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event source mapping cannot be created: {0}")]
pub struct MapError(String);

/// Bounds that belong together. The second text is AWS's; the others are chosen.
pub(super) fn check(source: &EventSource, queue: &QueueHandle) -> Result<(), ApiError> {
    let window = source.batching_window;
    if queue.is_fifo() && (source.batch_size > 10 || !window.is_zero()) {
        return Err(invalid(
            "For FIFO queues, the maximum batch size is 10 and a batching window is not supported.",
        ));
    }
    if source.batch_size > 10 && window.is_zero() {
        return Err(invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater \
             than 10",
        ));
    }
    if !(1..=10_000).contains(&source.batch_size) || window > Duration::from_mins(5) {
        return Err(invalid(
            "The batch size must be between 1 and 10000, the batching window between 0 and 300 seconds.",
        ));
    }
    if source
        .concurrency_max
        .is_some_and(|n| !(2..=1_000).contains(&n))
    {
        return Err(invalid("MaximumConcurrency must be between 2 and 1000."));
    }
    Ok(())
}

/// A batch must not come back while the function still works on it. The text is AWS's.
fn check_visibility(queue: &QueueHandle, timeout: Duration) -> Result<(), ApiError> {
    let visibility = queue.visibility_timeout().unwrap_or_default();
    if visibility >= timeout {
        return Ok(());
    }
    Err(invalid(format!(
        "Queue visibility timeout: {} seconds is less than Function timeout: {} seconds",
        visibility.whole_seconds(),
        timeout.as_millis().div_ceil(1_000)
    )))
}

impl Mapping {
    /// Begins or ends to poll, as the source says.
    pub(super) fn set_polling(&mut self, shared: &Arc<Shared>) -> Result<(), ApiError> {
        if !self.source.enabled {
            return Ok(());
        }
        let poller = Poller::start(shared, self).ok_or_else(|| {
            service(
                "an event source mapping polls on a tokio runtime, and there is none here; send the \
                 request to an endpoint",
            )
        })?;
        self.poller = Some(poller);
        Ok(())
    }

    /// Whether it belongs to that account and region.
    fn is_in(&self, account: &str, region: &str) -> bool {
        let place = &self.reference.place;
        place.account == account && place.region == region
    }

    /// The state in which it rests.
    pub(super) fn state(&self) -> &'static str {
        if self.source.enabled {
            "Enabled"
        } else {
            "Disabled"
        }
    }

    /// `EventSourceMappingConfiguration` of the service model.
    pub(super) fn json(&self, state: &str) -> Value {
        let source = &self.source;
        let Place {
            account, region, ..
        } = &self.reference.place;
        let id = &self.id;
        let types: &[&str] = if source.report_batch_item_failures {
            &["ReportBatchItemFailures"]
        } else {
            &[]
        };
        let millis = self.modified.unix_timestamp_nanos() / 1_000_000;
        let mut told = json!({
            "UUID": id,
            "BatchSize": source.batch_size,
            "MaximumBatchingWindowInSeconds": source.batching_window.as_secs(),
            "EventSourceArn": self.queue.arn(),
            "FunctionArn": self.reference.arn(),
            "LastModified": f64_of(millis) / 1_000.0,
            "State": state,
            "StateTransitionReason": "USER_INITIATED",
            "FunctionResponseTypes": types,
            "EventSourceMappingArn":
                format!("arn:aws:lambda:{region}:{account}:event-source-mapping:{id}"),
        });
        if let Some(most) = source.concurrency_max {
            told["ScalingConfig"] = json!({ "MaximumConcurrency": most });
        }
        told
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of this era are exact"
)]
fn f64_of(millis: i128) -> f64 {
    millis as f64
}

impl Mappings {
    /// A queue invokes a function once. The text is AWS's.
    fn check_new(&self, new: &Mapping) -> Result<(), ApiError> {
        let same = self.by_id.values().find(|there| {
            there.queue.arn() == new.queue.arn() && there.reference.place == new.reference.place
        });
        let Some(there) = same else { return Ok(()) };
        Err(conflict(format!(
            "An event source mapping with SQS arn (\" {} \") and function (\" {} \") already exists. \
             Please update or delete the existing mapping with UUID {}",
            new.queue.arn(),
            new.reference.place.name,
            there.id
        )))
    }

    pub(super) fn get(&self, account: &str, region: &str, id: &str) -> Result<&Mapping, ApiError> {
        let there = self.by_id.get(id);
        let there = there.filter(|mapping| mapping.is_in(account, region));
        there.ok_or_else(no_resource)
    }

    /// An account's mappings in a region, by id.
    pub(super) fn all(&self, account: &str, region: &str) -> impl Iterator<Item = &Mapping> {
        let all = self.by_id.values();
        all.filter(move |mapping| mapping.is_in(account, region))
    }

    /// Changes a mapping: its poller ends with its batches, and a new one begins.
    pub(super) fn change(
        &mut self,
        shared: &Arc<Shared>,
        id: &str,
        change: impl FnOnce(&mut Mapping),
    ) -> Result<&Mapping, ApiError> {
        let mapping = self.by_id.get_mut(id).ok_or_else(no_resource)?;
        change(mapping);
        mapping.modified = shared.clock.now();
        if let Some(poller) = mapping.poller.take() {
            let ending = poller.end();
            self.ending.retain(|poller| !poller.is_over());
            self.ending.push(ending);
        }
        mapping.set_polling(shared)?;
        Ok(mapping)
    }

    /// Removes a mapping; what it works on is finished.
    pub(super) fn remove(&mut self, id: &str) -> Option<Mapping> {
        let mut mapping = self.by_id.remove(id)?;
        if let Some(poller) = mapping.poller.take() {
            self.ending.retain(|poller| !poller.is_over());
            self.ending.push(poller.end());
        }
        Some(mapping)
    }

    /// Ends the mappings of an account that the API made.
    pub(super) fn forget(&mut self, account: &str) {
        self.by_id
            .retain(|_, mapping| mapping.configured || mapping.reference.place.account != account);
    }
}
