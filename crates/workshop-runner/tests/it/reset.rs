//! A reset gives back the course's files and loses nothing.

use time::OffsetDateTime;
use workshop_course::Tree;
use workshop_runner::reset;

use crate::fixture::Fixture;

#[test]
fn what_was_written_is_kept() {
    let fixture = Fixture::new("// mine\n", "// edited test\n");
    let mut course = Tree::default();
    for (file, text) in [
        ("src/lib.rs", "// starter\n"),
        ("tests/check.rs", "// test\n"),
        ("README.md", "task\n"),
    ] {
        course.files.insert(
            format!("exercises/001-fixture/{file}"),
            text.as_bytes().to_owned(),
        );
    }
    fixture.write("exercises/001-fixture/notes.txt", "my notes");

    let now = OffsetDateTime::UNIX_EPOCH;
    let done = reset(&fixture.workspace, &course, "1", now).unwrap();
    assert_eq!(done.restored, ["README.md", "src/lib.rs", "tests/check.rs"]);
    let backup = done.backup.unwrap();
    assert!(backup.ends_with(".workshop/backups/001/1970-01-01T00-00-00"));
    assert_eq!(
        std::fs::read_to_string(backup.join("src/lib.rs")).unwrap(),
        "// mine\n"
    );
    assert_eq!(
        std::fs::read_to_string(backup.join("tests/check.rs")).unwrap(),
        "// edited test\n"
    );
    assert_eq!(
        fixture.read("exercises/001-fixture/src/lib.rs"),
        "// starter\n"
    );
    assert_eq!(fixture.read("exercises/001-fixture/notes.txt"), "my notes");

    let again = reset(&fixture.workspace, &course, "1", now).unwrap();
    assert_eq!((again.backup, again.restored), (None, Vec::new()));

    fixture.lib("// mine again\n");
    let third = reset(&fixture.workspace, &course, "1", now).unwrap();
    assert!(third.backup.unwrap().ends_with("1970-01-01T00-00-00-2"));
}
