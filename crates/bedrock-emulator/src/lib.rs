//! Bytes and a time in, Amazon Bedrock's answer out.
//!
//! This crate holds no socket, clock, random source, file or environment variable, and its
//! manifest proves it. [`Emulator::handle`] takes one HTTP request and the time it arrived;
//! it returns a [`Reply`] whose body is bytes, or a list of event-stream frames each with an
//! offset in time. The same requests in the same order give the same bytes.
//!
//! Read in this order: [`wire`] (what goes in and out), [`emulator`] and `pipeline` (what happens to a
//! request), `ops` (one operation, one file), [`catalogue`] (the models).

pub mod wire;

mod account;
pub mod emulator;
mod pipeline;

mod page_token;
mod route;
mod service;

mod auth;
pub mod identity;
mod sigv4;

pub mod policy;
mod vpc_endpoint;

mod conversation;
mod converse_request;
mod invoke_request;
mod malformed;
mod media;
mod ops;
mod other_rules;
mod place;
pub mod refusal;
pub mod rules;
mod violations;

pub mod answer;
mod answer_plan;
mod cache;
mod embedding;
mod frames;
mod pace;
mod signature;
mod sources;
mod speak;

mod bedrock;
mod cloudtrail;
mod cloudwatch;
pub mod control;
mod guardrail;
mod headers;
mod logs;
mod mantle;
mod runtime;
mod service_quotas;
mod sts;
mod workshop;

pub mod neighbour;

mod document;

pub mod catalogue;
pub mod chat;
pub mod error;
pub mod fault;
pub mod journal;
pub mod observe;
pub mod script;
pub mod tape;
pub mod trace;

mod json;
pub mod quota;
mod rng;
mod xml;

pub use auth::short_term_api_key;
pub use emulator::{Config, ConfigError, Emulator};
pub use guardrail::GuardrailError;
pub use headers::Headers;
pub use pipeline::on_behalf::OnBehalf;
pub use pipeline::question::{Begun, Question, Said, Stopped, Timing};
pub use pipeline::visit::Waiting;
pub use sigv4::sign;
pub use wire::{Body, Due, Frame, Gate, Reply, Request};
