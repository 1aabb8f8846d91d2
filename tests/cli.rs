//! The command line as a person meets it: output, exit codes, files left behind.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn workshop(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_workshop"))
        .args(args)
        .current_dir(dir)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let help = stdout(&workshop(dir.path(), &["--help"]));
    for command in [
        "serve", "emulator", "env", "list", "check", "watch", "hint", "solution", "reset",
        "verify", "new", "doctor",
    ] {
        assert!(
            help.contains(&format!("\n  {command}")),
            "{command} is missing:\n{help}"
        );
    }
    assert!(help.contains("Exit codes: 0"), "{help}");
    assert!(!help.contains("__guard"), "{help}");
}

#[test]
fn wrong_usage_is_exit_code_two() {
    let dir = tempfile::tempdir().unwrap();
    let output = workshop(dir.path(), &["chekc"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("check"),
        "it suggests the nearest command"
    );
}

#[test]
fn env_points_at_the_address_given() {
    let dir = tempfile::tempdir().unwrap();
    let output = workshop(
        dir.path(),
        &[
            "env",
            "--shell",
            "json",
            "--emulator-addr",
            "127.0.0.1:4999",
        ],
    );
    let env: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(
        env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"],
        "http://127.0.0.1:4999"
    );
    assert_eq!(env["AWS_REGION"], "us-east-1");
    assert!(
        env["ANTHROPIC_DEFAULT_HAIKU_MODEL"]
            .as_str()
            .unwrap()
            .starts_with("us.")
    );
}

#[test]
fn the_built_in_course_lists_its_exercises_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let output = workshop(dir.path(), &["list", "--json"]);
    let rows: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let ids: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["000", "001", "002", "003", "004"]);
}

#[test]
fn hints_go_one_step_at_a_time_and_need_no_checkout() {
    let dir = tempfile::tempdir().unwrap();
    let first = stdout(&workshop(dir.path(), &["hint", "001", "1"]));
    let third = stdout(&workshop(dir.path(), &["hint", "1", "3"]));
    assert!(first.contains("hint 1 of 3") && third.contains("hint 3 of 3"));
    assert_ne!(first, third);
    let output = workshop(dir.path(), &["hint", "001", "4"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_check_outside_a_checkout_says_how_to_get_one() {
    let dir = tempfile::tempdir().unwrap();
    let output = workshop(dir.path(), &["check", "001"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        stderr(&output).contains("inside a checkout"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn an_unknown_exercise_is_named_with_the_ones_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let output = workshop(dir.path(), &["hint", "999"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).contains("000, 001"), "{}", stderr(&output));
}

#[test]
fn a_solution_waits_for_success_or_peek() {
    let dir = tempfile::tempdir().unwrap();
    let refused = workshop(dir.path(), &["solution", "001"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("--peek"));
    let shown = workshop(dir.path(), &["solution", "001", "--peek"]);
    assert_eq!(shown.status.code(), Some(0));
    assert!(stdout(&shown).contains("pub async fn ask"));
}

#[test]
fn a_new_exercise_is_laid_out_once() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    fs::create_dir(dir.path().join("exercises")).unwrap();
    let made = workshop(dir.path(), &["new", "021-mine"]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    for file in [
        "exercise.toml",
        "README.md",
        "hints.md",
        "src/lib.rs",
        "starter/lib.rs",
        "tests/check.rs",
    ] {
        assert!(
            dir.path().join("exercises/021-mine").join(file).is_file(),
            "{file}"
        );
    }
    let again = workshop(dir.path(), &["new", "021-other"]);
    assert_eq!(again.status.code(), Some(4));
    assert!(stderr(&again).contains("021 is taken"));
}

#[test]
fn the_settings_file_of_the_emulator_explains_itself() {
    let dir = tempfile::tempdir().unwrap();
    let output = workshop(dir.path(), &["emulator", "--help-config"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("requests_per_minute"));
    fs::write(dir.path().join("bad.toml"), "sed = 1\n").unwrap();
    let output = workshop(dir.path(), &["emulator", "--config", "bad.toml"]);
    assert_eq!(output.status.code(), Some(4));
    let said = stderr(&output);
    assert!(
        said.contains("bad.toml") && said.contains("`sed`"),
        "{said}"
    );
}
