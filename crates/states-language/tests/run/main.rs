//! Definitions, driven in virtual time.

mod bench;
mod data;
mod errors;
mod histories;
mod hostile;
mod refusals;
mod retries;
mod states;
