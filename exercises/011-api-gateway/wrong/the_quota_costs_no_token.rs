//! dies in: a_429_says_when_to_come_back
//!
//! What the quota refuses has not cost its token.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use lambda_http::http::Method;
use serde_json::{Value, json};

pub use given::{Customer, Decision, GwRequest, Millis, Plan, fits, invocation_uri, schema};

const DAY: Millis = 24 * 60 * 60 * 1_000;

/// Stands in front of the function. Many threads ask it at once.
#[derive(Debug)]
pub struct Gate {
    /// By key. A customer without a plan is not among them: nothing was bought.
    plans: HashMap<String, Plan>,
    schema: Value,
    ttl: Millis,
    cache_methods: Vec<Method>,
    /// One lock for all of it, held for one step: looking and taking must not come apart.
    state: Mutex<State>,
}

/// What changes.
#[derive(Debug, Default)]
struct State {
    /// By key. Strangers make no entries, so it cannot grow without end.
    meters: HashMap<String, Meter>,
    kept: HashMap<CacheKey, Kept>,
}

/// Who asked for what: whoever sees a kept answer could have got it as their own.
type CacheKey = (String, Method, String, Bytes);

#[derive(Debug)]
struct Kept {
    answer: Bytes,
    until: Millis,
}

/// What a customer has used.
#[derive(Debug)]
struct Meter {
    tokens: f64,
    seen: Millis,
    day: Millis,
    requests: u32,
}

impl Meter {
    fn full(plan: &Plan, now: Millis) -> Self {
        Self {
            tokens: plan.burst.into(),
            seen: now,
            day: now / DAY,
            requests: 0,
        }
    }

    /// Takes a token and counts a request, or tells how many seconds that will take.
    fn take(&mut self, plan: &Plan, now: Millis) -> Result<(), u32> {
        // Two threads may come with their times in the wrong order: then nothing flows.
        let passed = now.saturating_sub(self.seen);
        self.seen = self.seen.max(now);
        let flowed = plan.rate_per_s * passed as f64 / 1_000.0;
        self.tokens = (self.tokens + flowed).min(plan.burst.into());
        if self.tokens < 1.0 {
            let wait = (1.0 - self.tokens) / plan.rate_per_s;
            return Err(wait.ceil().max(1.0) as u32);
        }

        let today = self.seen / DAY;
        if self.day != today {
            self.day = today;
            self.requests = 0;
        }
        if self.requests >= plan.quota_per_day {
            let left = (today + 1) * DAY - self.seen;
            return Err(left.div_ceil(1_000) as u32);
        }
        self.requests += 1;
        self.tokens -= 1.0;
        Ok(())
    }
}

impl Gate {
    /// A gate with full buckets and nothing kept. `schema` is for bodies; answers to requests with one
    /// of `cache_methods` are kept for `ttl`.
    pub fn new(
        customers: &[Customer],
        schema: &Value,
        ttl: Duration,
        cache_methods: &[Method],
    ) -> Self {
        let planned = customers
            .iter()
            .filter_map(|customer| Some((customer.key.clone(), customer.plan?)));
        Self {
            plans: planned.collect(),
            schema: schema.clone(),
            ttl: ttl.as_millis() as Millis,
            cache_methods: cache_methods.to_vec(),
            state: Mutex::default(),
        }
    }

    /// What becomes of a request that arrives now. The order is the point: each check protects the
    /// next, and none of them tells a stranger anything.
    pub fn decide(&self, now: Millis, request: &GwRequest) -> Decision {
        // Who?
        let key = request.api_key.as_deref().unwrap_or_default();
        let Some(plan) = self.plans.get(key) else {
            return reject(403);
        };
        // How often?
        let mut state = self.state();
        let meter = state.meters.entry(key.to_owned());
        let meter = meter.or_insert_with(|| Meter::full(plan, now));
        if let Err(seconds) = meter.take(plan, now) {
            return Decision::Reject {
                status: 429,
                retry_after: Some(seconds),
            };
        }
        // What?
        if request.method != Method::GET && !fits(&self.schema, &request.body) {
            return reject(400);
        }
        // Is it known already?
        let Some(key) = self.cache_key(request) else {
            return Decision::Forward;
        };
        match state.kept.get(&key) {
            Some(kept) if now < kept.until => Decision::Cached(kept.answer.clone()),
            Some(_) => {
                state.kept.remove(&key);
                Decision::Forward
            }
            None => Decision::Forward,
        }
    }

    /// Hears what the function answered to a request that was forwarded.
    pub fn store(&self, now: Millis, request: &GwRequest, status: u16, answer: Bytes) {
        // A failure that is kept outlives its cause.
        if let Some(key) = self.cache_key(request)
            && (200..300).contains(&status)
        {
            let until = now + self.ttl;
            self.state().kept.insert(key, Kept { answer, until });
        }
    }

    /// `None`: answers to such requests are not kept.
    fn cache_key(&self, request: &GwRequest) -> Option<CacheKey> {
        let GwRequest {
            method,
            path,
            api_key,
            body,
        } = request.clone();
        let keeps = self.cache_methods.contains(&method);
        keeps.then_some((api_key?, method, path, body))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn reject(status: u16) -> Decision {
    Decision::Reject {
        status,
        retry_after: None,
    }
}

/// The managed gateway's API: an OpenAPI document whose two methods ask that Lambda function.
pub fn api(function: &str) -> Value {
    // Lambda is always invoked with POST, whatever the client sends.
    let ask_function = json!({
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": invocation_uri(function),
    });
    let mut ask_function_once = ask_function.clone();
    // Without these, everybody gets the answer that somebody once got about something.
    ask_function_once["cacheKeyParameters"] = json!([
        "method.request.path.topic",
        "method.request.header.x-api-key"
    ]);
    json!({
        "openapi": "3.0.1",
        "info": { "title": "ask", "version": "1" },
        // For both methods.
        "security": [{ "api_key": [] }],
        "paths": {
            "/ask": { "post": {
                "requestBody": {
                    "required": true,
                    "content": { "application/json": { "schema": schema() } },
                },
                // A schema that nobody names is documentation.
                "x-amazon-apigateway-request-validator": "body",
                "responses": { "200": { "description": "The model's words" } },
                "x-amazon-apigateway-integration": ask_function,
            } },
            "/facts/{topic}": { "get": {
                "parameters": [
                    { "name": "topic", "in": "path", "required": true, "schema": { "type": "string" } },
                    { "name": "x-api-key", "in": "header", "schema": { "type": "string" } },
                ],
                "responses": { "200": { "description": "The model's words" } },
                "x-amazon-apigateway-integration": ask_function_once,
            } },
        },
        "components": { "securitySchemes": {
            "api_key": { "type": "apiKey", "name": "x-api-key", "in": "header" },
        } },
        "x-amazon-apigateway-request-validators": {
            "body": { "validateRequestBody": true, "validateRequestParameters": false },
        },
    })
}

/// The managed gateway's stage, usage plans and keys; answers to `GET` are kept for that many seconds.
pub fn settings(customers: &[Customer], ttl_seconds: u32) -> Value {
    let keys = customers
        .iter()
        .map(|customer| json!({ "id": customer.id, "value": customer.key }));
    // One plan each is the simplest; a plan may have many keys, and limits each of them by itself.
    let plans = customers.iter().filter_map(|customer| {
        let plan = customer.plan?;
        Some(json!({
            "name": customer.id,
            "throttle": { "rateLimit": plan.rate_per_s, "burstLimit": plan.burst },
            "quota": { "limit": plan.quota_per_day, "period": "DAY" },
            "keys": [customer.id],
        }))
    });
    json!({
        "apiKeys": keys.collect::<Vec<_>>(),
        "usagePlans": plans.collect::<Vec<_>>(),
        "stage": {
            "cacheClusterEnabled": true,
            // For all methods, which means GET: a prompt is in a body, and no body is part of the key.
            "methodSettings": {
                "*/*": { "cachingEnabled": true, "cacheTtlInSeconds": ttl_seconds },
            },
        },
    })
}
