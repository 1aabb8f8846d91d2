//! Progress survives crashes, damage and several writers.

use std::{fs, process::Command, thread};

use time::OffsetDateTime;
use workshop_runner::{Progress, progress::State};

use crate::fixture::Fixture;

#[test]
fn writers_take_turns() {
    let fixture = Fixture::new("", "");
    thread::scope(|scope| {
        for n in 0..8 {
            let workspace = &fixture.workspace;
            scope.spawn(move || {
                for m in 0..10 {
                    let id = format!("{:03}", n * 10 + m);
                    Progress::update(workspace, |p| p.hint_shown(&id, 1)).unwrap();
                }
            });
        }
    });
    assert_eq!(Progress::load(&fixture.workspace).exercises.len(), 80);
    let left: Vec<_> = fs::read_dir(fixture.path(".workshop"))
        .unwrap()
        .flatten()
        .map(|e| e.file_name())
        .collect();
    assert_eq!(left.len(), 2, "only the file and its lock: {left:?}");
}

#[test]
fn a_damaged_file_is_put_aside() {
    let fixture = Fixture::new("", "");
    fixture.write(".workshop/progress.json", "{\"version\": 1, \"exer");
    let notes = Progress::update(&fixture.workspace, |p| p.hint_shown("001", 2)).unwrap();
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("progress.json.bad-"), "{notes:?}");
    let aside = fs::read_dir(fixture.path(".workshop"))
        .unwrap()
        .flatten()
        .find(|e| e.file_name().to_string_lossy().contains(".bad-"))
        .unwrap();
    assert_eq!(
        fs::read_to_string(aside.path()).unwrap(),
        "{\"version\": 1, \"exer"
    );
    assert_eq!(Progress::load(&fixture.workspace).exercises["001"].hints, 2);
}

#[test]
fn what_a_newer_program_wrote_is_kept() {
    let fixture = Fixture::new("", "");
    fixture.write(".workshop/progress.json", "{\"version\": 1, \"streak\": 3, \"exercises\": {\"001\": {\"state\": \"solved\", \"mood\": \"good\"}}}");
    Progress::update(&fixture.workspace, |p| p.hint_shown("002", 1)).unwrap();
    let text = fixture.read(".workshop/progress.json");
    assert!(
        text.contains("\"streak\": 3") && text.contains("\"mood\": \"good\""),
        "{text}"
    );
    assert_eq!(
        Progress::load(&fixture.workspace).state("001"),
        State::Solved
    );
}

#[test]
fn where_the_student_left_off() {
    let course = ["000", "001", "002", "003"];
    let mut progress = Progress::default();
    assert_eq!(progress.current(&course), Some("000"));
    let now = OffsetDateTime::UNIX_EPOCH;
    progress.skip("000", now);
    assert_eq!(progress.current(&course), Some("001"));
    for id in &course[1..] {
        progress
            .exercises
            .entry((*id).to_owned())
            .or_default()
            .state = State::Solved;
    }
    assert_eq!(
        progress.current(&course),
        Some("000"),
        "what was skipped comes back at the end"
    );
    progress.exercises.get_mut("000").unwrap().state = State::Solved;
    assert_eq!(progress.current(&course), None);
    assert!(progress.solution_allowed("000"));
}

#[test]
fn a_bug_is_found_once_and_the_first_time_stays() {
    let fixture = Fixture::new("", "");
    let update = |change: &dyn Fn(&mut Progress)| {
        Progress::update(&fixture.workspace, |p| change(p)).unwrap();
    };
    let later = OffsetDateTime::UNIX_EPOCH + time::Duration::DAY;
    update(&|p| p.hint_shown("000", 1));
    assert!(!fixture.read(".workshop/progress.json").contains("bugs"));
    update(&|p| p.bug_found("P-08", OffsetDateTime::UNIX_EPOCH));
    update(&|p| p.bug_found("P-08", later));
    let progress = Progress::load(&fixture.workspace);
    assert_eq!(progress.bugs["P-08"], "1970-01-01T00:00:00Z");
}

/// `kill -9` at any moment of many updates leaves a file that reads.
#[cfg(unix)]
#[test]
fn a_killed_writer_leaves_a_whole_file() {
    let fixture = Fixture::new("", "");
    if let Ok(root) = std::env::var("WORKSHOP_TEST_WRITES") {
        let workspace = workshop_runner::Workspace::at(root);
        loop {
            Progress::update(&workspace, |p| {
                for n in 0..50 {
                    p.hint_shown(&format!("{n:03}"), 3);
                }
            })
            .unwrap();
        }
    }
    Progress::update(&fixture.workspace, |p| p.hint_shown("777", 1)).unwrap();
    for _ in 0..5 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "progress::a_killed_writer_leaves_a_whole_file",
                "--nocapture",
            ])
            .env("WORKSHOP_TEST_WRITES", fixture.workspace.root())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let stamp = || {
            fs::metadata(fixture.path(".workshop/progress.json"))
                .and_then(|m| m.modified())
                .ok()
        };
        let before = stamp();
        while stamp() == before {
            thread::yield_now();
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        let text = fixture.read(".workshop/progress.json");
        let read: Progress = serde_json::from_str(&text).unwrap();
        assert_eq!(read.exercises["777"].hints, 1);
    }
}
