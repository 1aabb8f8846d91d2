//! dies in: without_a_key_and_a_plan_nobody_passes, a_burst_of_twelve_is_throttled_exactly, one_callers_burst_leaves_the_others_alone, twelve_threads_take_five_tokens, a_thousand_arrivals_fare_as_in_a_reference_bucket, a_429_says_when_to_come_back, a_days_quota_ends_with_the_day, nonsense_is_400_and_never_reaches_the_model, nonsense_costs_a_token, only_the_configured_methods_are_kept, what_is_kept_is_for_one_caller_and_one_question, what_is_kept_has_its_time, failures_are_never_kept, what_is_kept_is_behind_the_key_and_the_bucket, from_the_client_to_bedrock_over_lambda, who_comes_from_yesterday_begins_no_new_day
//!
//! What the articles list, line for line: rate limiting, API keys, request validation, caching. Each is
//! there, and the order and the details are what the list does not have.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{collections::HashMap, sync::Mutex, time::Duration};

use bytes::Bytes;
use lambda_http::http::Method;
use serde_json::{Value, json};

pub use given::{Customer, Decision, GwRequest, Millis, Plan, fits, invocation_uri, schema};

/// Stands in front of the function.
#[derive(Debug)]
pub struct Gate {
    limit: u32,
    requests: Mutex<HashMap<Millis, u32>>,
    cache: Mutex<HashMap<(String, Bytes), Bytes>>,
}

impl Gate {
    /// A gate.
    pub fn new(customers: &[Customer], _: &Value, _: Duration, _: &[Method]) -> Self {
        let plans = customers.iter().filter_map(|customer| customer.plan);
        Self {
            limit: plans.map(|plan| plan.burst).max().unwrap_or(10),
            requests: Mutex::default(),
            cache: Mutex::default(),
        }
    }

    /// Caching, API keys, validation, rate limiting.
    pub fn decide(&self, now: Millis, request: &GwRequest) -> Decision {
        let reject = |status| Decision::Reject {
            status,
            retry_after: None,
        };
        let question = (request.path.clone(), request.body.clone());
        if let Some(kept) = self.cache.lock().unwrap().get(&question) {
            return Decision::Cached(kept.clone());
        }
        if request.api_key.is_none() {
            return reject(403);
        }
        if request.method == Method::POST && serde_json::from_slice::<Value>(&request.body).is_err()
        {
            return reject(400);
        }
        let mut requests = self.requests.lock().unwrap();
        let this_second = requests.entry(now / 1_000).or_default();
        *this_second += 1;
        if *this_second > self.limit {
            return reject(429);
        }
        Decision::Forward
    }

    /// Keeps the answer.
    pub fn store(&self, _: Millis, request: &GwRequest, _: u16, answer: Bytes) {
        let question = (request.path.clone(), request.body.clone());
        self.cache.lock().unwrap().insert(question, answer);
    }
}

/// The API.
pub fn api(function: &str) -> Value {
    let method = json!({
        "responses": { "200": { "description": "OK" } },
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": invocation_uri(function),
        },
    });
    json!({
        "openapi": "3.0.1",
        "info": { "title": "ask", "version": "1" },
        "paths": { "/ask": { "post": method }, "/facts/{topic}": { "get": method } },
    })
}

/// The stage.
pub fn settings(customers: &[Customer], ttl_seconds: u32) -> Value {
    let keys = customers
        .iter()
        .map(|customer| json!({ "id": customer.id, "value": customer.key }));
    json!({
        "apiKeys": keys.collect::<Vec<_>>(),
        "stage": {
            "cacheClusterEnabled": true,
            "methodSettings": { "*/*": {
                "cachingEnabled": true,
                "cacheTtlInSeconds": ttl_seconds,
                "throttlingRateLimit": 2.0,
                "throttlingBurstLimit": 5,
            } },
        },
    })
}
