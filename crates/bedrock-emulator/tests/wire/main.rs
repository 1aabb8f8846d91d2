//! The emulator from outside: bytes in, bytes out.

#![expect(
    clippy::unwrap_used,
    reason = "this is a test; the functions that tests share may panic too"
)]

mod alarms;
mod api_keys;
mod authentication;
mod bench;
mod caching;
mod catalogue;
mod cloudwatch;
mod control;
mod control_plane;
mod converse;
mod decisions;
mod described;
mod evidence;
mod faults;
mod golden;
mod guardrails;
mod hostile;
mod invoke;
mod journal;
mod latency;
mod logs;
mod mantle;
mod neighbours;
mod order;
mod other_models;
mod page_tokens;
mod permissions;
mod properties;
mod quotas;
mod refusals;
mod rules;
mod scripts;
mod service_quotas;
mod service_roles;
mod sessions;
mod sts;
mod tape;
mod thinking;
mod tools;
mod unsigned;
mod upstream;
mod vpc_endpoints;
mod web_identity;
