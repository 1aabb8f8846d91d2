//! Ways to a green check that are not an answer: each is seen, none counts, and the student is told why.

use workshop_runner::{
    CheckOptions, Outcome, Report, TestStatus, Workspace, course_files, protected,
};

use crate::fixture::{Fixture, MANIFEST, options, test};

const TESTS: &str = r#"
#[test]
fn numbers_add_up() {
    assert_eq!(ex001::sum(&[2, 3]), 5, "001/1 RESULT sum");
}

#[test]
fn nothing_sums_to_zero() {
    assert_eq!(ex001::sum(&[]), 0, "001/2 RESULT nothing");
}
"#;
const ANSWER: &str = "pub fn sum(numbers: &[i64]) -> i64 {\n    numbers.iter().sum()\n}\n";
const WRONG: &str = "pub fn sum(_numbers: &[i64]) -> i64 {\n    1\n}\n";
const DIR: &str = "exercises/001-fixture";

/// An exercise whose library is `lib`, with the course's answer beside it.
fn fixture(lib: &str) -> Fixture {
    let fixture = Fixture::new(lib, TESTS);
    fixture.write(&format!("{DIR}/solution/lib.rs"), ANSWER);
    fixture.write(&format!("{DIR}/src/given.rs"), "pub const ZERO: i64 = 0;\n");
    fixture
}

/// What the course says of the fixture's files as they are now.
fn as_shipped(fixture: &Fixture) -> CheckOptions {
    let mut tree = workshop_course::Tree::default();
    for file in ["Cargo.toml", "tests/check.rs", "src/given.rs"] {
        let path = format!("{DIR}/{file}");
        tree.files
            .insert(path.clone(), fixture.read(&path).into_bytes());
    }
    CheckOptions {
        protected: protected(&tree),
        ..options()
    }
}

fn does_not_count(report: &Report, wanted: &str) {
    assert!(!report.counts(), "{report:#?}");
    let said = report.notes.iter().any(|note| note.contains(wanted));
    assert!(said, "{wanted}: {report:#?}");
}

#[test]
fn an_answer_counts() {
    let fixture = fixture(ANSWER);
    let options = as_shipped(&fixture);
    // Notes of one's own, and an answer in several modules, are free.
    fixture.write(&format!("{DIR}/notes.md"), "mine\n");
    fixture.write(&format!("{DIR}/src/parts.rs"), "");
    fixture.lib(&format!("mod parts;\n{ANSWER}"));
    let (report, _) = fixture.check_with(&options);
    assert!(report.counts(), "{report:#?}");
    assert_eq!(report.notes, Vec::<String>::new());
}

/// Each row spoils a file that is the course's, or adds one that decides something.
#[test]
fn files_of_the_course_that_were_edited_are_named() {
    let rows = [
        (
            "tests/check.rs",
            TESTS
                .replace("5, \"001/1", "1, \"001/1")
                .replace("0, \"001/2", "1, \"001/2"),
        ),
        (
            "tests/check.rs",
            "#[test]\nfn numbers_add_up() {}\n".to_owned(),
        ),
        (
            "Cargo.toml",
            format!("{MANIFEST}\n[[test]]\nname = \"check\"\npath = \"src/mine.rs\"\n"),
        ),
        ("src/given.rs", "pub const ZERO: i64 = 1;\n".to_owned()),
        ("build.rs", "fn main() {}\n".to_owned()),
        ("tests/more.rs", "#[test]\nfn mine() {}\n".to_owned()),
        ("src/main.rs", "fn main() {}\n".to_owned()),
    ];
    for (file, text) in rows {
        let fixture = fixture(WRONG);
        let options = as_shipped(&fixture);
        fixture.write(
            &format!("{DIR}/src/mine.rs"),
            "#[test]\nfn numbers_add_up() {}\n",
        );
        fixture.write(&format!("{DIR}/{file}"), &text);
        let (report, _) = fixture.check_with(&options);
        assert!(report.tampered, "{file}: {report:#?}");
        does_not_count(&report, &format!("{file} differs from the course"));
    }
}

#[test]
fn the_courses_own_list_does_not_follow_an_edited_test() {
    let fixture = fixture(WRONG);
    let list =
        "\"exercises/001-fixture/tests/check.rs\" = \"".to_owned() + &"0".repeat(64) + "\"\n";
    let mut tree = workshop_course::Tree::default();
    tree.files
        .insert(course_files::LIST.into(), list.into_bytes());
    let edited = "#[test]\nfn numbers_add_up() {}\n";
    fixture.write(&format!("{DIR}/tests/check.rs"), edited);
    // Packed from the student's own checkout, as `cargo run` does it.
    tree.files
        .insert(format!("{DIR}/tests/check.rs"), edited.into());
    let options = CheckOptions {
        protected: protected(&tree),
        ..options()
    };
    let (report, _) = fixture.check_with(&options);
    assert_eq!(report.outcome, Outcome::Solved);
    does_not_count(&report, "tests/check.rs differs from the course");
}

#[test]
fn the_courses_answer_cannot_be_compiled_in() {
    let ways = [
        "include!(\"../solution/lib.rs\");\n".to_owned(),
        "#[path = \"../solution/lib.rs\"]\nmod answer;\npub use answer::sum;\n".to_owned(),
        format!(
            "const TESTS: &str = include_str!(\"../tests/check.rs\");\n{ANSWER}pub fn tests() -> &'static str {{ TESTS }}\n"
        ),
    ];
    for lib in ways {
        let fixture = fixture(&lib);
        let (report, _) = fixture.check_with(&as_shipped(&fixture));
        assert_eq!(report.outcome, Outcome::Solved, "{report:#?}");
        does_not_count(&report, "is compiled into your crate, so this is practice");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_courses_answer_cannot_be_read_while_the_tests_run() {
    let read = |file: &str| {
        format!(
            "pub fn sum(numbers: &[i64]) -> i64 {{\n    let dir = std::env::var(\"CARGO_MANIFEST_DIR\").unwrap();\n    let _ = std::fs::read_to_string(dir + \"/{file}\").unwrap();\n    numbers.iter().sum()\n}}\n"
        )
    };
    for file in ["solution/lib.rs", "tests/check.rs"] {
        let fixture = fixture(&read(file));
        let (report, _) = fixture.check_with(&as_shipped(&fixture));
        assert_eq!(report.outcome, Outcome::Solved, "{report:#?}");
        does_not_count(&report, &format!("{file} was read while the tests ran"));
    }
    // What is the student's own may be read.
    let fixture = fixture(&read("src/lib.rs"));
    let (report, _) = fixture.check_with(&as_shipped(&fixture));
    assert!(report.counts(), "{report:#?}");
}

/// Each row ends in red, whatever it prints: the library's text, and a word of what the student reads.
#[test]
fn what_only_looks_green_is_red() {
    let body = |body: &str| format!("pub fn sum(_: &[i64]) -> i64 {{\n{body}\n}}\n");
    // All that the harness prints when both tests pass, past its capture of `println!`.
    let all = "test nothing_sums_to_zero ... ok\\ntest numbers_add_up ... ok\\n\\nsuccesses:\\n\\nsuccesses:\\n    nothing_sums_to_zero\\n    numbers_add_up\\n\\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\\n\\n";
    // The same for each of them alone.
    let one = "test \".to_owned() + name + \" ... ok\\n\\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.00s\\n\\n";
    let raw = |text: &str| {
        format!(
            "    use std::io::Write as _;\n    let here = std::thread::current();\n    let name = here.name().unwrap();\n    let _ = name;\n    std::io::stdout().write_all((\"{text}\").as_bytes()).unwrap();\n    std::io::stdout().flush().unwrap();\n    std::process::exit(0)"
        )
    };
    let rows = [
        (
            body("    std::process::exit(0)"),
            "exit code 0 before the test was over",
        ),
        (body(&raw(all)), "exit code 0 before the test was over"),
        (body(&raw(one)), "only the test harness prints"),
        (
            body("    println!(\"test numbers_add_up ... ok\");\n    1"),
            "001/",
        ),
        (
            body("    std::panic::set_hook(Box::new(|_| {}));\n    1"),
            "Does the code replace the panic hook?",
        ),
        (
            body("    std::panic::set_hook(Box::new(|_| std::process::exit(0)));\n    1"),
            "exit code 0 before the test was over",
        ),
        // Neither is part of the test program: the library is built as everybody's, without its tests.
        (
            format!(
                "{WRONG}\n#[test]\nfn numbers_add_up() {{}}\n\n#[test]\nfn nothing_sums_to_zero() {{}}\n"
            ),
            "001/",
        ),
        (
            format!("#[cfg(test)]\n{ANSWER}\n#[cfg(not(test))]\n{WRONG}"),
            "001/",
        ),
        // A macro of the same name is not the test's unless the test asks for it.
        (
            format!("#[macro_export]\nmacro_rules! assert_eq {{ ($($any:tt)*) => {{}} }}\n{WRONG}"),
            "001/",
        ),
    ];
    for (lib, wanted) in rows {
        let fixture = fixture(&lib);
        let (report, _) = fixture.check_with(&as_shipped(&fixture));
        assert_eq!(report.outcome, Outcome::NotSolved, "{lib}\n{report:#?}");
        let result = test(&report, "numbers_add_up");
        assert_ne!(result.status, TestStatus::Passed, "{lib}\n{report:#?}");
        assert!(
            result.message.contains(wanted),
            "{lib}\n{wanted}: {report:#?}"
        );
    }
}

/// A clone whose test kit was bent.
#[test]
fn an_edited_kit_is_named() {
    let fixture = fixture(ANSWER);
    fixture.write("crates/workshop-testkit/src/lib.rs", "// Strict.\n");
    fixture.write(".gitignore", "target\n.workshop\nCargo.lock\n");
    let git = |args: &[&str]| {
        let ran = std::process::Command::new("git")
            .args(["-c", "user.name=x", "-c", "user.email=x@example.com"])
            .args(args)
            .current_dir(Workspace::root(&fixture.workspace))
            .output();
        assert!(ran.unwrap().status.success(), "git {args:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "The course"]);
    let options = as_shipped(&fixture);
    let (sound, _) = fixture.check_with(&options);
    assert!(sound.counts(), "{sound:#?}");
    fixture.write("crates/workshop-testkit/src/lib.rs", "// Lenient.\n");
    let (report, _) = fixture.check_with(&options);
    assert_eq!(report.outcome, Outcome::Solved);
    does_not_count(
        &report,
        "crates/workshop-testkit/src/lib.rs differs from the last commit",
    );
}
