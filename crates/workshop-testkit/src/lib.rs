//! What an exercise's test needs: a [`Lab`] with its own emulator and SDK clients, the calls that
//! arrived, and assertions ([`Point`]) that say what was seen, what was wanted and why.

mod lab;
mod point;

pub use aws_sdk_bedrockruntime as bedrock;
pub use aws_smithy_types::Document;
pub use bedrock_emulator::{
    catalogue::Catalogue,
    script::{Fault, Piece, Step},
    trace::{TraceEvent, TraceStatus},
};
pub use lab::{Call, Lab, Setup};
pub use point::Point;
#[cfg(unix)]
use workshop_prelink as _;
