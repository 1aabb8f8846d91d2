//! What the posts show and do not compute on the page: recordings and figures, made anew by each run.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bugs;
mod figures;
mod kept;
mod recorded;
