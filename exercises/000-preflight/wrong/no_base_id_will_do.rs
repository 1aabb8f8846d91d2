//! dies in: models_are_pinned_by_the_id_of_a_profile
//!
//! Refuses every base id, also of a model that needs no profile.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use serde_json::{Value, json};

pub use given::{Access, Env, Found, Mode, Model, Models, Pins, Problem, serves};

/// The variables that name a model.
const PINS: [&str; 4] = [
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "ANTHROPIC_MODEL",
];

/// Names that stand for whatever model is current: no pin.
const ALIASES: [&str; 3] = ["opus", "sonnet", "haiku"];

/// Every problem of `env`, each once, the gravest first (the order of [`Problem`]).
///
/// `today` is a day as `YYYY-MM-DD`; such texts compare like the days themselves.
pub fn diagnose(env: &Env, models: &Models, today: &str, mode: Mode) -> Vec<Problem> {
    // Push, do not return: who repairs a set-up wants to hear everything at once.
    let mut problems = Vec::new();
    // The value decides, not the presence: `CLAUDE_CODE_USE_BEDROCK=0` says no.
    if !get(env, "CLAUDE_CODE_USE_BEDROCK").is_some_and(is_on) {
        problems.push(Problem::NotEnabled);
    }
    // No default: a region that nobody chose is where data goes that nobody sent there.
    let region = get(env, "AWS_REGION").or_else(|| get(env, "AWS_DEFAULT_REGION"));
    if region.is_none() {
        problems.push(Problem::NoRegion);
    }
    problems.extend(credentials(env, mode));
    problems.extend(pinned(env, models, today, region));
    problems.extend(endpoint(env, mode));
    problems.sort();
    problems.dedup();
    problems
}

/// A variable that is set to something. An empty one is what `export AWS_REGION=` leaves behind.
fn get<'a>(env: &'a Env, name: &str) -> Option<&'a str> {
    env.get(name)
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}

fn is_on(value: &str) -> bool {
    value == "1" || value.eq_ignore_ascii_case("true")
}

fn credentials(env: &Env, mode: Mode) -> Option<Problem> {
    let unsigned =
        mode == Mode::Emulator && get(env, "CLAUDE_CODE_SKIP_BEDROCK_AUTH").is_some_and(is_on);
    let named = get(env, "AWS_PROFILE").or_else(|| get(env, "AWS_BEARER_TOKEN_BEDROCK"));
    if unsigned || named.is_some() {
        return None;
    }
    let key = get(env, "AWS_ACCESS_KEY_ID");
    let secret = get(env, "AWS_SECRET_ACCESS_KEY");
    let (Some(key), Some(_)) = (key, secret) else {
        return Some(Problem::NoCredentials);
    };
    let token = get(env, "AWS_SESSION_TOKEN");
    match (key.starts_with("ASIA"), token) {
        // A temporary key is half a credential without its token.
        (true, None) => Some(Problem::NoCredentials),
        // AWS's documentation key is all the emulator has, and nobody can lose it.
        (false, None) if mode == Mode::Real => Some(Problem::LongLivedKeys),
        _ => None,
    }
}

fn pinned(env: &Env, models: &Models, today: &str, region: Option<&str>) -> Vec<Problem> {
    let values = PINS.iter().filter_map(|name| get(env, name));
    let ids: Vec<&str> = values.filter(|id| !ALIASES.contains(id)).collect();
    if ids.is_empty() {
        return vec![Problem::ModelNotPinned];
    }
    ids.into_iter()
        .flat_map(|id| model_problems(id, models, today, region))
        .collect()
}

fn model_problems(id: &str, models: &Models, today: &str, region: Option<&str>) -> Vec<Problem> {
    let Some(Found { model, profile }) = models.find(id) else {
        return vec![Problem::UnknownModel(id.to_owned())];
    };
    let mut problems = Vec::new();
    if profile.is_none() {
        problems.push(Problem::BareModelId(id.to_owned()));
    }
    // `eol` is the first day without an answer, so that day counts.
    if let Some(eol) = model.eol.as_deref().filter(|eol| *eol <= today) {
        problems.push(Problem::RetiredModel {
            id: id.to_owned(),
            eol: eol.to_owned(),
        });
    }
    if let (Some(prefix), Some(region)) = (profile, region)
        && !serves(prefix, region)
    {
        problems.push(Problem::RegionOutsideProfile {
            region: region.to_owned(),
            profile: id.to_owned(),
        });
    }
    problems
}

fn endpoint(env: &Env, mode: Mode) -> Option<Problem> {
    let url = get(env, "ANTHROPIC_BEDROCK_BASE_URL").unwrap_or_default();
    (mode == Mode::Emulator && !is_local(url)).then(|| Problem::EndpointNotLocal(url.to_owned()))
}

/// Whether the host of `url` is this machine: the whole host, not something that begins like it.
fn is_local(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // The port is behind the last colon, unless that colon is part of an IPv6 address.
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    ["127.0.0.1", "localhost", "[::1]"].contains(&host)
}

/// Settings for Claude Code, as in `~/.claude/settings.json`: `{"env": {…}}`, all values texts.
pub fn settings(region: &str, access: &Access, pins: &Pins) -> Value {
    // Environment variables are texts, so `"1"` and not `1`.
    let mut env = json!({
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "AWS_REGION": region,
        "ANTHROPIC_DEFAULT_OPUS_MODEL": pins.opus,
        "ANTHROPIC_DEFAULT_SONNET_MODEL": pins.sonnet,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": pins.haiku,
    });
    match access {
        Access::Emulator { port } => {
            env["ANTHROPIC_BEDROCK_BASE_URL"] = json!(format!("http://127.0.0.1:{port}"));
            env["CLAUDE_CODE_SKIP_BEDROCK_AUTH"] = json!("1");
        }
        // The name of a profile is no secret; keys would be, and settings get copied around.
        Access::AwsProfile(name) => env["AWS_PROFILE"] = json!(name),
    }
    json!({ "env": env })
}
