//! Puts the Bedrock emulator on a socket: HTTP/1.1 and cleartext HTTP/2 on one port.
//!
//! The core decides what is answered and when; this crate reads requests, waits until each part is
//! due and writes it. See [`Endpoint`].

mod gates;
mod serve;

pub use gates::Gates;
pub use serve::{BindError, Endpoint, Stats};
