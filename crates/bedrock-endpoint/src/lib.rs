//! Puts the Bedrock emulator on a socket: HTTP/1.1 and HTTP/2, cleartext and (on demand) TLS, all on
//! one port.
//!
//! The core decides what is answered and when; this crate reads requests, waits until each part is
//! due and writes it. All I/O and every clock are here. See [`Endpoint`].
//!
//! Read in this order: `serve` (the listener and its connections), `answer` (one request), `pace`
//! (when each frame leaves), [`Gates`], `spelling` (letter case on HTTP/1.1), `flush` (how a cut
//! stream still delivers what came before the cut), `tls`, `upstream`
//! (words from another model).

mod answer;
mod control;
mod events;
mod flush;
mod gates;
mod idle;
mod pace;
mod serve;
mod spelling;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "upstream")]
mod upstream;

pub use gates::{Gate, Gates};
pub use serve::{BODY_MAX, BindError, Clock, Endpoint, Hook, Hooks, Patience, Setup, Stats};
#[cfg(feature = "tls")]
pub use tls::{CaPem, Identity, IdentityError};
#[cfg(feature = "upstream")]
pub use upstream::{Upstream, UpstreamError};
