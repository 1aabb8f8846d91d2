//! Exercise 011: what stands in front of the function.
//!
//! A gate that knows who asks, how often and what, before anything is paid for; and the configuration
//! with which Amazon API Gateway does the same. This is the only file you edit; what a request, a plan
//! and a decision are stands in `given.rs`. The task is in `README.md`; `workshop hint 011` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::time::Duration;

use bytes::Bytes;
use lambda_http::http::Method;
use serde_json::Value;

pub use given::{Customer, Decision, GwRequest, Millis, Plan, fits, invocation_uri, schema};

/// Stands in front of the function. Many threads ask it at once.
#[derive(Debug)]
pub struct Gate;

impl Gate {
    /// A gate with full buckets and nothing kept. `schema` is for bodies; answers to requests with one
    /// of `cache_methods` are kept for `ttl`.
    pub fn new(
        customers: &[Customer],
        schema: &Value,
        ttl: Duration,
        cache_methods: &[Method],
    ) -> Self {
        todo!(
            "011/1: know {} customers by their keys, check bodies against {schema}, and keep answers to \
             {cache_methods:?} for {ttl:?}",
            customers.len()
        )
    }

    /// What becomes of a request that arrives now.
    pub fn decide(&self, now: Millis, request: &GwRequest) -> Decision {
        todo!("011/1: at {now}, let {request:?} pass, or not")
    }

    /// Hears what the function answered to a request that was forwarded.
    pub fn store(&self, now: Millis, request: &GwRequest, status: u16, answer: Bytes) {
        todo!("011/1: at {now}, keep {answer:?}, a {status} to {request:?}, or do not")
    }
}

/// The managed gateway's API: an OpenAPI document whose two methods ask that Lambda function.
pub fn api(function: &str) -> Value {
    todo!("011/1: describe POST /ask and GET /facts/{{topic}}, both answered by {function}")
}

/// The managed gateway's stage, usage plans and keys; answers to `GET` are kept for that many seconds.
pub fn settings(customers: &[Customer], ttl_seconds: u32) -> Value {
    todo!(
        "011/1: give {} customers their keys and plans, and keep answers for {ttl_seconds} s",
        customers.len()
    )
}
