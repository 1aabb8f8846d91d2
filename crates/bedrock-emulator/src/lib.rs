//! Bytes and a time in, Amazon Bedrock's answer out.
//!
//! This crate holds no socket, clock, random source, file or environment variable, and its
//! manifest proves it. [`Emulator::handle`] takes one HTTP request and the time it arrived;
//! it returns a [`Reply`] whose body is bytes, or a list of event-stream frames each with an
//! offset in time. The same requests in the same order give the same bytes.
//!
//! Read in this order: [`wire`] (what goes in and out), [`emulator`] (the pipeline), [`ops`]
//! (one operation, one file).

pub mod wire;

pub mod emulator;

pub mod answer;
pub mod catalogue;
pub mod journal;
pub mod observe;
pub mod script;
pub mod trace;

pub use emulator::{Config, ConfigError, Emulator};
pub use wire::{Body, Due, Frame, Reply, Request};
