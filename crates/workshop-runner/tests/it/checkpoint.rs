//! A checkpoint is a copy: everything before an exercise is solved there, and nothing here changes.

use std::fs;

use time::OffsetDateTime;
use workshop_runner::{CheckpointError, Progress, Workspace, checkpoint};

use crate::fixture::Fixture;

fn course() -> Fixture {
    let fixture = Fixture::new("// mine 1\n", "");
    for id in ["001-fixture", "002-second", "003-third"] {
        let number = &id[..3];
        fixture.write(&format!("exercises/{id}/Cargo.toml"), "[package]\n");
        fixture.write(
            &format!("exercises/{id}/src/lib.rs"),
            &format!("// mine {number}\n"),
        );
        fixture.write(
            &format!("exercises/{id}/starter/lib.rs"),
            &format!("// start {number}\n"),
        );
        fixture.write(
            &format!("exercises/{id}/solution/lib.rs"),
            &format!("// right {number}\n"),
        );
    }
    fixture.write(
        "target/CACHEDIR.TAG",
        "Signature: 8a477f597d28d172789f06886806bc55",
    );
    fixture.write(".git/HEAD", "ref: refs/heads/main");
    fixture.write(
        ".workshop/progress.json",
        "{\"version\":1,\"exercises\":{}}",
    );
    fixture
}

#[test]
fn what_comes_before_is_solved_in_the_copy_alone() {
    let fixture = course();
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("deep/copy");
    let done = checkpoint(&fixture.workspace, "2", &to, OffsetDateTime::UNIX_EPOCH).unwrap();
    assert_eq!(
        (done.solved, done.start.as_str()),
        (vec!["001".to_owned()], "002")
    );

    let lib = |id: &str| fs::read_to_string(to.join(format!("exercises/{id}/src/lib.rs"))).unwrap();
    assert_eq!(lib("001-fixture"), "// right 001\n");
    assert_eq!(lib("002-second"), "// start 002\n");
    assert_eq!(lib("003-third"), "// mine 003\n");
    for left_behind in ["target", ".git"] {
        assert!(!to.join(left_behind).exists(), "{left_behind}");
    }
    let progress = Progress::load(&Workspace::at(&to));
    assert_eq!(progress.current(&["001", "002", "003"]), Some("002"));

    for id in ["001-fixture", "002-second", "003-third"] {
        let mine = fixture.read(&format!("exercises/{id}/src/lib.rs"));
        assert_eq!(mine, format!("// mine {}\n", &id[..3]));
    }
    assert!(Progress::load(&fixture.workspace).exercises.is_empty());
}

#[test]
fn nothing_is_written_over_and_nothing_is_left_half_done() {
    let fixture = course();
    let place = tempfile::tempdir().unwrap();
    let now = OffsetDateTime::UNIX_EPOCH;
    let taken = place.path().join("taken");
    fs::create_dir(&taken).unwrap();
    let there = checkpoint(&fixture.workspace, "2", &taken, now);
    assert!(
        matches!(there, Err(CheckpointError::Exists(_))),
        "{there:?}"
    );

    let inside = fixture.path("exercises/copy");
    let there = checkpoint(&fixture.workspace, "2", &inside, now);
    assert!(
        matches!(there, Err(CheckpointError::Inside(_))),
        "{there:?}"
    );

    fs::remove_file(fixture.path("exercises/001-fixture/solution/lib.rs")).unwrap();
    let there = checkpoint(&fixture.workspace, "2", &place.path().join("copy"), now);
    let text = there.unwrap_err().to_string();
    assert!(text.contains("001-fixture/solution/lib.rs"), "{text}");
    let left: Vec<_> = fs::read_dir(place.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "only `taken`: {left:?}");
}
