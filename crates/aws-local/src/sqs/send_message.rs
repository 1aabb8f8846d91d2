//! `SendMessage`.

use std::sync::Arc;

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde::Deserialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::{
    Answered, Sqs,
    message::{Outgoing, attributes_digest, digest},
    place::Place,
    queues::Queues,
    told,
};

#[derive(Deserialize)]
struct Request {
    #[serde(rename = "QueueUrl")]
    queue_url: Option<String>,
    #[serde(flatten)]
    outgoing: Outgoing,
}

pub(super) fn answer(sqs: &Sqs, mut visit: Visit) -> Answered {
    let request: Request = visit.json()?;
    let place = Place::at(&visit, request.queue_url.as_deref())?;
    let sender = visit.caller_id().into();
    let now = sqs.clock.now();
    let id = visit.uuid();
    let sent = request
        .outgoing
        .send(&mut sqs.queues(), &place, id, sender, now)?;
    Ok(told(&sent.into()))
}

impl Outgoing {
    /// Sends it; what is answered.
    pub(super) fn send(
        self,
        queues: &mut Queues,
        place: &Place,
        id: String,
        sender: Arc<str>,
        now: OffsetDateTime,
    ) -> Result<Map<String, Value>, ApiError> {
        let queue = queues.get(place, now)?;
        let checked = self.check(queue, id, sender, now)?;
        let body_digest = digest(checked.message.body.as_bytes());
        let attributes = Arc::clone(&checked.message.attributes);
        let system_digest = checked.system_digest.clone();
        let sent = queues.accept(place, checked, now)?;
        let rows = [
            ("MessageId", Some(sent.message_id)),
            ("MD5OfMessageBody", Some(body_digest)),
            (
                "MD5OfMessageAttributes",
                (!attributes.is_empty()).then(|| attributes_digest(attributes.iter())),
            ),
            ("MD5OfMessageSystemAttributes", system_digest),
            ("SequenceNumber", sent.sequence),
        ];
        let said = rows
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name.to_owned(), Value::String(value))));
        Ok(said.collect())
    }
}
