//! A request that a recording answers.

use std::sync::Arc;

use super::{Pipeline, Ready, Stop};
use crate::{
    emulator::Latency,
    error::{ApiError, Code},
    route::{Route, route},
    service::Service,
    tape::{self, Miss, Replay, Tape},
    trace::{Note, TraceStatus},
    wire::{Body, Header, Reply, header},
};

/// A recording's answer, ready for the wire.
pub(super) struct Played {
    pub(super) status: u16,
    pub(super) headers: Vec<Header>,
    pub(super) body: Body,
}

impl Pipeline<'_> {
    /// The recording that answers this request; `None` if the emulator is to answer by itself.
    /// Who calls is checked as always, what is asked is not: the recorded service has judged it.
    pub(super) fn replay(&mut self, tape: &Tape) -> Result<Option<Ready>, Stop> {
        let (service, operation, model) = match route(&self.request) {
            Ok(Route::Model { operation, model }) => {
                (Service::Runtime, Some(operation.name()), Some(model))
            }
            Ok(Route::Plain {
                service: Service::Workshop,
                ..
            }) => return Ok(None),
            Ok(Route::Plain {
                service, operation, ..
            }) => (service, Some(operation.name), None),
            // Also what the emulator does not know can have been recorded.
            Err(_) => (Service::Runtime, None, None),
        };
        let request = Arc::clone(&self.request);
        let found = match (tape.find(&request), tape.miss()) {
            (Err(_), Miss::Answer) => return Ok(None),
            (found, _) => found,
        };
        self.record.service = Some(service);
        self.record.operation = operation;
        self.record.model = model;
        self.authenticate(service)?;
        // 400, because SDKs do not repeat it.
        let replay = found.map_err(|why| ApiError::validation(format!("Bedrock Workshop: {why}.")));
        let replay = replay.inspect_err(|error| self.refused(error))?;
        self.record.note = Some(format!("recording {}", replay.name));
        self.reached_bedrock(TraceStatus::Ok, Note::Origin);
        Ok(Some(Ready::Recorded(self.play(&replay))))
    }

    fn play(&mut self, replay: &Replay<'_>) -> Played {
        let mut headers = replay.headers.to_vec();
        let sent = |wanted: &str| {
            let found = headers.iter().find(|h| h.0.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.clone())
        };
        if let Some(name) = sent("x-amzn-errortype") {
            let name = name.split(':').next().unwrap_or_default();
            self.record.error = Code::ALL.iter().find(|code| code.name() == name).copied();
        }
        match sent("x-amzn-requestid") {
            Some(id) => self.record.request_id = id,
            None => headers.push(header("x-amzn-RequestId", self.record.request_id.as_str())),
        }
        let timed = self.dials.latency != Latency::none();
        Played {
            status: replay.status,
            headers,
            body: if timed {
                replay.body.clone()
            } else {
                tape::at_once(replay.body)
            },
        }
    }

    pub(super) fn send_recorded(&mut self, played: Played) -> Reply {
        self.record.status = match played.body {
            Body::Disconnect { .. } => 0,
            Body::Whole { .. } | Body::Frames { .. } => played.status,
        };
        Reply {
            status: played.status,
            headers: played.headers,
            body: played.body,
            seq: self.record.seq,
            account: Arc::clone(&self.account.id),
        }
    }
}
