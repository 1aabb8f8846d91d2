//! What an exercise's test needs: a [`Lab`] with its own emulator and SDK clients, the calls that
//! arrived, and assertions ([`Point`]) that say what was seen, what was wanted and why.
//!
//! Read in this order: [`Lab`], [`Call`], [`Point`], [`within`], [`Observer`], [`Hop`],
//! [`claude_shim`].

mod call;
mod claude;
mod events;
mod function;
mod hop;
mod lab;
mod legible;
#[cfg(feature = "live")]
pub mod live;
mod observer;
mod point;
mod trial;

pub use aws_sdk_bedrockruntime as bedrock;
pub use aws_smithy_types::Document;
pub use bedrock_emulator::{
    catalogue::{Catalogue, Model},
    emulator::Credential,
    fault::FaultRule,
    journal::Usage,
    neighbour::{Actor, Neighbour},
    observe::{LogRecord, Series},
    policy::{Access, Decision},
    script::{Fault, Numbers, Piece, Rule, Step, Text, When},
    trace::{TraceEvent, TraceStatus},
};
pub use bedrock_endpoint::{Clock, Gates, Stats};
pub use call::Call;
pub use claude::{ShimError, claude_shim};
pub use function::{alone, function_or_test, in_lambda};
pub use hop::{Hop, LAMBDA};
pub use lab::{Lab, Lights, Setup, models};
pub use observer::{Identity, Observer};
pub use point::{Point, within};
pub use serde_json::{Value, json};
#[cfg(unix)]
use workshop_prelink as _;
