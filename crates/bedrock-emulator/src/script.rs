//! Scripted answers and faults: what a test tells the emulator to say next.
//!
//! Steps are used up in order, one for each model invocation that passes authentication and
//! validation of its route (Converse, `ConverseStream`, `InvokeModel`,
//! `InvokeModelWithResponseStream`). When none is left the emulator answers by itself again.

use std::collections::VecDeque;

use serde_json::Value;

use crate::{conversation::Conversation, ops::Operation, wire::Due};

/// What is still to be said, in order.
#[derive(Debug, Default)]
pub(crate) struct Script {
    steps: VecDeque<Step>,
}

/// The invocation that a step would answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: Operation,
    /// The base id of the model.
    pub(crate) model: &'a str,
    pub(crate) conversation: &'a Conversation,
}

impl Script {
    /// Appends steps.
    pub(crate) fn extend(&mut self, steps: impl IntoIterator<Item = Step>) {
        self.steps.extend(steps);
    }

    /// How many steps are unused.
    pub(crate) fn left(&self) -> usize {
        self.steps.len()
    }

    /// The step for this invocation, used up.
    pub(crate) fn next(&mut self, _asked: Asked<'_>) -> Option<Step> {
        self.steps.pop_front()
    }
}

/// What the emulator does with one model invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The model says this. Streaming operations send one delta for each [`Piece::Text`];
    /// the others join neighbours into one content block.
    Say(Vec<Piece>),
    /// The invocation fails.
    Fault(Fault),
}

impl Step {
    /// The model answers `text` and ends its turn.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Say(vec![Piece::Text(text.into())])
    }
}

/// One part of a scripted answer, in the order in which it happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Text; neighbours belong to one content block, one delta each.
    Text(String),
    /// Closes the current content block, so that the next text starts a new one.
    NewBlock,
    /// A block of reasoning (Claude's thinking).
    Reasoning(String),
    /// The model asks for a tool.
    ToolUse {
        /// The tool's name.
        name: String,
        /// The input, any JSON object.
        input: Value,
    },
    /// Replaces the stop reason, in Converse's spelling (`end_turn`, `max_tokens`, …).
    Stop(String),
    /// Replaces the token usage.
    Usage {
        /// Input tokens.
        input: u32,
        /// Output tokens.
        output: u32,
    },
    /// Everything after this waits until the test opens the gate of that name.
    Gate(String),
    /// Everything after this waits that long.
    Pause(std::time::Duration),
    /// A modelled exception inside the stream; ends it. Outside a stream: the whole reply.
    Exception(Fault),
    /// The connection is cut here.
    Cut,
    /// The reply's body is replaced by these bytes (not a stream): for "not JSON" and the like.
    Raw(Vec<u8>),
}

/// A failure Bedrock can answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 429 `ThrottlingException`; `retry_after_ms` becomes `x-amz-retry-after`.
    Throttling {
        /// Milliseconds the service asks the client to wait, if it says so.
        retry_after_ms: Option<u64>,
    },
    /// 503 `ServiceUnavailableException`.
    ServiceUnavailable,
    /// 500 `InternalServerException`.
    InternalServer,
    /// 408 `ModelTimeoutException`.
    ModelTimeout,
    /// 424 `ModelErrorException`; inside a stream `modelStreamErrorException`.
    ModelError,
    /// 429 `ModelNotReadyException`.
    ModelNotReady,
    /// 403 `AccessDeniedException`, Bedrock's own "no access to the model".
    AccessDenied,
    /// 400 `ValidationException` with this message.
    Validation(String),
    /// 404 `ResourceNotFoundException` with this message.
    ResourceNotFound(String),
    /// 400 `ServiceQuotaExceededException`.
    ServiceQuotaExceeded,
    /// The request is read and never answered.
    Hang,
    /// The connection is closed without an answer.
    Disconnect,
}

/// When a reply is due if a script does not say otherwise: at once.
pub const AT_ONCE: Due = Due::After(std::time::Duration::ZERO);
