//! The playground: what a person fills in becomes one request to the emulator beside the site, and
//! its answer is told piece by piece.
//!
//! Read in this order: `compose` (the form as a request), [`run`] (sending it, and what happens then),
//! `frames` (messages of a stream as they arrive).

mod compose;
mod frames;
mod run;

pub use compose::{Form, Inject, Operation};
pub use run::{Piece, run};
