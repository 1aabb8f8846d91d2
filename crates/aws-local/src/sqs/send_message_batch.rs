//! `SendMessageBatch`: each entry on its own, but too long together is too long.

use std::sync::Arc;

use bedrock_emulator::{error::ApiError, neighbour::Visit};

use super::{
    Answered, Sqs,
    attributes::MESSAGE_BYTES_MAX,
    batch::{self, Batch, Results},
    error::{BATCH_TOO_LONG, invalid},
    message::Outgoing,
    place::Place,
    queue::Queue,
    queues::NO_DEDUPLICATION,
    told,
};

pub(super) fn answer(sqs: &Sqs, mut visit: Visit) -> Answered {
    let request: Batch<Outgoing> = visit.json()?;
    let place = Place::at(&visit, request.queue_url.as_deref())?;
    let sender: Arc<str> = visit.caller_id().into();
    let now = sqs.clock.now();
    let mut queues = sqs.queues();
    let queue = queues.get(&place, now)?;
    let entries = batch::checked(request.entries, "SendMessageBatchRequestEntry")?;
    let bytes: usize = entries.iter().map(|(_, entry)| entry.bytes()).sum();
    if bytes > MESSAGE_BYTES_MAX {
        return Err(BATCH_TOO_LONG.error(format!(
            "Batch requests cannot be longer than {MESSAGE_BYTES_MAX} bytes. You have sent {bytes} bytes."
        )));
    }
    if queue.attributes.fifo {
        for (_, entry) in &entries {
            check_fifo(queue, entry)?;
        }
    }
    let mut results = Results::default();
    for (id, entry) in entries {
        let message_id = visit.uuid();
        let sent = entry.send(&mut queues, &place, message_id, Arc::clone(&sender), now);
        results.push(&id, sent.map_err(of_an_entry));
    }
    Ok(told(&results.json()))
}

/// What a FIFO queue asks for is asked of the whole batch (observed), and called a value.
fn check_fifo(queue: &Queue, entry: &Outgoing) -> Result<(), ApiError> {
    if entry.message_deduplication_id.is_none() && !queue.attributes.content_based {
        return Err(invalid(NO_DEDUPLICATION));
    }
    if entry.message_group_id.is_none() {
        return Err(invalid(
            "The request must contain the parameter MessageGroupId.",
        ));
    }
    Ok(())
}

/// The same mistake has another text in an entry (observed).
fn of_an_entry(error: ApiError) -> ApiError {
    let said = error
        .message()
        .strip_prefix("One or more parameters are invalid.");
    match said.map(|rest| format!("One or more parameters cannot be validated.{rest}")) {
        Some(text) => error.saying(text),
        None => error,
    }
}
