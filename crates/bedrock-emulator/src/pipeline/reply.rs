//! How what became of a request goes on the wire: an answer, a refusal, or silence.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;

use super::{Pipeline, Ready, Stop, invoke::Answered};
use crate::{
    error::ApiError,
    mantle, neighbour,
    script::{Fault, Raw},
    service::{Protocol, Told},
    trace::{Note, TraceStatus},
    wire::{Body, Due, End, Header, Reply, header},
};

impl Pipeline<'_> {
    pub(super) fn end(&mut self, result: Result<Ready, Stop>) -> Reply {
        match result {
            Ok(Ready::Model(answered)) => self.reply(*answered),
            Ok(Ready::Plain(told)) => self.tell(told),
            Ok(Ready::Recorded(played)) => self.send_recorded(played),
            Err(Stop::Error(error)) => self.refuse(&error),
            Err(Stop::Silence(fault)) => self.stay_silent(&fault),
            Err(Stop::Raw(raw)) => self.pass_on(raw),
            Ok(Ready::Visit(answer)) => self.pass(answer),
            Err(Stop::Ask | Stop::Wait(_)) => {
                unreachable!("whoever sets `asks` or `waits` sees to it")
            }
        }
    }

    fn reply(&mut self, answered: Answered) -> Reply {
        let Answered {
            encoded,
            usage,
            stop,
        } = answered;
        let mut headers = Vec::with_capacity(encoded.headers.len() + 3);
        headers.push(header("Content-Type", encoded.content_type));
        headers.push(header("x-amzn-RequestId", self.record.request_id.as_str()));
        headers.extend(encoded.headers);
        headers.extend(self.anthropic_request_id());
        self.record.status = match &encoded.body {
            Body::Disconnect { .. } => 0,
            Body::Whole { .. } | Body::Frames { .. } => 200,
        };
        if let Some(error) = &encoded.exception {
            self.record.error = Some(error.code());
            self.record.message = Some(error.message().to_owned());
        }
        let complete = !matches!(
            &encoded.body,
            Body::Disconnect { .. } | Body::Frames { end: End::Cut, .. }
        );
        if !stop.is_empty() && complete && encoded.exception.is_none() {
            self.record.stop_reason = Some(stop);
            self.record.usage = Some(usage);
        }
        Reply {
            status: 200,
            headers,
            body: encoded.body,
            seq: self.record.seq,
            account: Arc::clone(&self.account.id),
        }
    }

    fn tell(&mut self, told: Told) -> Reply {
        self.record.status = told.status;
        let mut headers = vec![
            header("Content-Type", told.content_type),
            header("x-amzn-RequestId", self.record.request_id.as_str()),
        ];
        headers.extend(self.protocol.header());
        Reply {
            status: told.status,
            headers,
            body: Body::Whole {
                due: self.at_once(),
                bytes: told.body,
            },
            seq: self.record.seq,
            account: Arc::clone(&self.account.id),
        }
    }

    fn pass(&mut self, answer: neighbour::Answer) -> Reply {
        self.record.status = answer.status;
        let mut headers = vec![
            (
                Cow::Borrowed("Content-Type"),
                answer.content_type.into_owned(),
            ),
            header("x-amzn-RequestId", self.record.request_id.as_str()),
        ];
        headers.extend(answer.headers);
        Reply {
            status: answer.status,
            headers,
            body: Body::Whole {
                due: self.at_once(),
                bytes: answer.body,
            },
            seq: self.record.seq,
            account: Arc::clone(&self.account.id),
        }
    }

    pub(super) fn refuse(&mut self, error: &ApiError) -> Reply {
        if let Some(answer) = error.answer() {
            self.record.error = Some(error.code());
            self.record.message = Some(error.message().to_owned());
            return self.pass(answer.clone());
        }
        self.record.status = error.status(self.protocol);
        self.record.error = Some(error.code());
        self.record.message = Some(error.message().to_owned());
        let mut headers = vec![
            header("Content-Type", ApiError::content_type(self.protocol)),
            header("x-amzn-RequestId", self.record.request_id.as_str()),
        ];
        headers.extend(error.headers(self.protocol));
        headers.extend(self.anthropic_request_id());
        Reply {
            status: error.status(self.protocol),
            headers,
            body: Body::Whole {
                due: self.at_once(),
                bytes: error.bytes(self.protocol, &self.record.request_id),
            },
            seq: self.record.seq,
            account: Arc::clone(&self.account.id),
        }
    }

    /// An answer that is not Bedrock's: no request id, no error type.
    fn pass_on(&mut self, raw: Raw) -> Reply {
        self.reached_bedrock(
            TraceStatus::Throttled,
            Note::Words("somebody else's answer"),
        );
        self.record.status = raw.status;
        Reply {
            status: raw.status,
            headers: vec![header("Content-Type", raw.content_type)],
            body: Body::Whole {
                due: self.at_once(),
                bytes: raw.body.into(),
            },
            seq: self.record.seq,
            account: Arc::clone(&self.account.id),
        }
    }

    fn stay_silent(&mut self, fault: &Fault) -> Reply {
        let (body, note) = if *fault == Fault::Hang {
            let bytes = Bytes::new();
            let due = Due::Never;
            (Body::Whole { due, bytes }, "no answer")
        } else {
            let due = self.at_once();
            (Body::Disconnect { due }, "connection closed")
        };
        self.reached_bedrock(TraceStatus::Throttled, Note::Words(note));
        self.record.status = 0;
        self.record.message = Some(note.to_owned());
        Reply {
            status: 200,
            headers: Vec::new(),
            body,
            seq: self.record.seq,
            account: Arc::clone(&self.account.id),
        }
    }

    /// Under which name Anthropic's clients look for the request's id.
    fn anthropic_request_id(&self) -> Option<Header> {
        (self.protocol == Protocol::Anthropic).then(|| {
            let id = mantle::request_id_of(&self.record.request_id);
            header("request-id", id)
        })
    }
}
