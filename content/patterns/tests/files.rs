//! The files that `workshop serve` reads are what the code makes.

use std::{env, fs, path::Path};

use patterns::{gateway, queue, workflow};
use serde_json::Value;

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function";

/// Compares, or writes the file when `PATTERNS_BLESS` is set.
#[track_caller]
fn is(name: &str, wanted: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let wanted = format!("{wanted:#}\n");
    if env::var_os("PATTERNS_BLESS").is_some() {
        fs::write(&path, &wanted).expect("the file can be written");
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        there, wanted,
        "{name} is not what the code makes; `PATTERNS_BLESS=1 cargo test -p patterns` writes it"
    );
}

#[test]
fn the_state_machine_is_that_of_exercise_013() {
    let params = workflow::Params {
        model: "${model.haiku}".to_owned(),
        max_tokens: 256,
        fetch: "arn:aws:lambda:${region}:${account}:function:fetch".to_owned(),
        dead_letters: "${endpoint}/${account}/jobs-dead".to_owned(),
        task_seconds: 30,
        retries: 4,
        pause_seconds: 20,
    };
    is("answer.asl.json", &workflow::definition(&params));
}

#[test]
fn the_api_is_that_of_exercise_011() {
    is("api.json", &gateway::api(&format!("{ARN}:ask")));
    let customer = gateway::Customer {
        id: "you".to_owned(),
        key: "only-for-this-machine".to_owned(),
        plan: Some(gateway::Plan {
            rate_per_s: 2.0,
            burst: 5,
            quota_per_day: 1_000,
        }),
    };
    let settings = gateway::settings(&[customer], 300);
    is("api-settings.json", &settings);
}

#[test]
fn the_queue_is_that_of_exercise_012() {
    let settings = queue::settings();
    let local = Path::new(env!("CARGO_MANIFEST_DIR")).join("local.toml");
    let local = fs::read_to_string(local).unwrap();
    for line in [
        format!(
            "visibility_timeout = {}",
            settings.visibility_timeout.as_secs()
        ),
        format!("receives_max = {}", settings.max_receive_count.unwrap()),
        format!(
            "report_batch_item_failures = {}",
            settings.report_batch_item_failures
        ),
        format!("timeout = {}", queue::FUNCTION_TIMEOUT.as_secs()),
    ] {
        assert!(local.contains(&line), "local.toml lacks {line:?}");
    }
}
