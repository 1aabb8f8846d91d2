//! Exercise 000: preflight. Would Claude Code reach the right model, in the right region, as the
//! right identity?
//!
//! Turn an environment into a diagnosis, and write settings that have none. This is the only file
//! you edit; the types stand in `given.rs`. The task is in `README.md`; `workshop hint 000` helps.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use serde_json::Value;

pub use given::{Access, Env, Found, Mode, Model, Models, Pins, Problem, serves};

/// Every problem of `env`, each once, the gravest first (the order of [`Problem`]).
///
/// `today` is a day as `YYYY-MM-DD`; such texts compare like the days themselves.
pub fn diagnose(env: &Env, models: &Models, today: &str, mode: Mode) -> Vec<Problem> {
    let _ = models;
    todo!("000/1: find every problem of {env:?} for {mode:?} on {today}")
}

/// Settings for Claude Code, as in `~/.claude/settings.json`: `{"env": {…}}`, all values texts.
pub fn settings(region: &str, access: &Access, pins: &Pins) -> Value {
    todo!("000/2: settings for {region} with {access:?} and {pins:?}")
}
