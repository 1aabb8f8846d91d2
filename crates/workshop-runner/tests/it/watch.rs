//! A watcher checks on every save, and drops a check that a newer save made pointless.

use std::time::Duration;

use workshop_runner::{CheckOptions, Outcome, Report, WatchOptions, Watched, Watcher, live::Event};

use crate::fixture::{Fixture, options};

const TESTS: &str = "#[test]\nfn it_is_two() {\n    assert_eq!(ex001::two(), 2);\n}\n";
const HANGING: &str = "pub fn two() -> i64 { loop { std::thread::park() } }\n";

fn start(fixture: &Fixture, poll: bool) -> Watcher {
    let check = CheckOptions {
        target_dir: Some(fixture.path("target")),
        ..options()
    };
    Watcher::start(
        fixture.workspace.clone(),
        "001",
        WatchOptions { check, poll },
    )
    .unwrap()
}

fn next(watcher: &Watcher) -> Watched {
    watcher
        .events
        .recv_timeout(Duration::from_mins(1))
        .expect("something happens within a minute")
}

fn verdict(watcher: &Watcher) -> Report {
    loop {
        if let Watched::Verdict(report) = next(watcher) {
            return report;
        }
    }
}

fn a_save_is_checked(poll: bool) {
    let fixture = Fixture::new("pub fn two() -> i64 { 1 }\n", TESTS);
    let watcher = start(&fixture, poll);
    assert_eq!(verdict(&watcher).outcome, Outcome::NotSolved);
    fixture.lib("pub fn two() -> i64 { 2 }\n");
    assert_eq!(verdict(&watcher).outcome, Outcome::Solved);
}

#[test]
fn a_save_is_checked_when_the_system_tells() {
    a_save_is_checked(false);
}

#[test]
fn a_save_is_checked_when_nobody_tells() {
    a_save_is_checked(true);
}

#[test]
fn a_newer_save_cancels_the_check_under_way() {
    let fixture = Fixture::new(HANGING, TESTS);
    let watcher = start(&fixture, false);
    // The first check would take its whole time limit; it is under way from its first event on.
    while !matches!(next(&watcher), Watched::Event(Event::Started { .. })) {}
    fixture.lib("pub fn two() -> i64 { 2 }\n");
    assert_eq!(verdict(&watcher).outcome, Outcome::Solved);
    let log = fixture.read(".workshop/live.jsonl");
    assert!(
        log.lines().any(|line| line.contains("\"stopped\"")),
        "{log}"
    );
}

#[test]
fn an_editor_that_replaces_the_file_is_followed() {
    let fixture = Fixture::new("pub fn two() -> i64 { 1 }\n", TESTS);
    let watcher = start(&fixture, false);
    assert_eq!(verdict(&watcher).outcome, Outcome::NotSolved);
    for (text, wanted) in [("2", Outcome::Solved), ("3", Outcome::NotSolved)] {
        fixture.write(
            "exercises/001-fixture/src/.lib.rs.swp",
            &format!("pub fn two() -> i64 {{ {text} }}\n"),
        );
        let src = fixture.path("exercises/001-fixture/src");
        std::fs::rename(src.join(".lib.rs.swp"), src.join("lib.rs")).unwrap();
        assert_eq!(verdict(&watcher).outcome, wanted);
    }
}

#[test]
fn ending_a_watcher_ends_its_check() {
    let fixture = Fixture::new(HANGING, TESTS);
    let watcher = start(&fixture, false);
    while !matches!(next(&watcher), Watched::Event(Event::Started { .. })) {}
    drop(watcher);
    let log = fixture.read(".workshop/live.jsonl");
    assert!(log.lines().last().unwrap().contains("\"stopped\""), "{log}");
}
