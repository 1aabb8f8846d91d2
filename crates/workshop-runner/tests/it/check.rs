//! What a check reports.

use workshop_course::Tree;
use workshop_runner::{
    BedrockLimits, CheckOptions, Outcome, Progress, TestStatus, bench_loop, check_bedrock,
    check_with, live::Event, progress::State, protected,
};

use crate::fixture::{Fixture, options, test};

const TESTS: &str = r#"
use ex001::double;

#[test]
fn zero_stays_zero() {
    assert_eq!(double(0), 0);
}

#[test]
fn a_number_doubles() {
    println!("asking for 21");
    assert_eq!(double(21), 42, "001/2 RESULT double\n  saw     {}\n\n  wanted  42", double(21));
}
"#;

#[test]
fn red_then_green_then_broken() {
    let fixture = Fixture::new("pub fn double(n: i64) -> i64 { n }\n", TESTS);

    let (red, events) = fixture.check_with(&options());
    assert_eq!(red.outcome, Outcome::NotSolved, "{red:#?}");
    let names: Vec<_> = red.tests.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["zero_stays_zero", "a_number_doubles"]);
    let failed = test(&red, "a_number_doubles");
    assert_eq!(failed.status, TestStatus::Failed);
    assert!(
        failed
            .message
            .contains("001/2 RESULT double\n  saw     21\n\n  wanted  42"),
        "{failed:#?}"
    );
    assert_eq!(failed.location.as_deref(), Some("tests/check.rs:12:5"));
    assert_eq!(failed.output, "asking for 21");
    assert!(matches!(events.first(), Some(Event::Started { .. })));
    assert!(matches!(
        events.last(),
        Some(Event::Finished {
            passed: 1,
            total: 2,
            ..
        })
    ));
    let progress = Progress::load(&fixture.workspace);
    assert_eq!(progress.state("001"), State::Started);
    assert_eq!(
        progress.exercises["001"].last.as_ref().unwrap().failing,
        ["a_number_doubles"]
    );

    fixture.lib("pub fn double(n: i64) -> i64 { n * 2 }\n");
    let green = fixture.check();
    assert_eq!(green.outcome, Outcome::Solved, "{green:#?}");
    assert!(green.counts());
    let progress = Progress::load(&fixture.workspace);
    assert!(progress.solved("001"));
    assert_eq!(progress.exercises["001"].runs, 2);
    assert!(progress.exercises["001"].first_red.is_some());

    fixture.lib("pub fn double(n: i64) -> i64 { n * \"2\" }\n");
    let broken = fixture.check();
    assert_eq!(broken.outcome, Outcome::DoesNotCompile);
    assert_eq!(broken.diagnostics.len(), 1, "{broken:#?}");
    assert!(broken.diagnostics[0].contains("cannot multiply `i64` by `&str`"));
    assert!(broken.diagnostics[0].contains("src/lib.rs:1:34"));
    assert!(
        Progress::load(&fixture.workspace).solved("001"),
        "solved once is solved"
    );

    let log = fixture.read(".workshop/live.jsonl");
    let lines: Vec<Event> = log
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let starts = lines
        .iter()
        .filter(|e| matches!(e, Event::Started { .. }))
        .count();
    assert_eq!(starts, 3);
}

#[test]
fn a_check_off_the_record_logs_no_requests_either() {
    // What the testkit takes as "no log", although one lies beside the workspace.
    let tests = "#[test]\nfn nothing_is_logged() {\n    \
        assert_eq!(std::env::var(\"WORKSHOP_LIVE\").as_deref(), Ok(\"\"));\n}\n";
    let fixture = Fixture::new("", tests);
    let options = CheckOptions {
        unrecorded: true,
        ..options()
    };
    let (report, _) = fixture.check_with(&options);
    assert_eq!(report.outcome, Outcome::Solved, "{report:#?}");
}

#[test]
fn a_signature_the_tests_cannot_use_is_a_compile_error() {
    let fixture = Fixture::new("pub fn double(n: String) -> String { n }\n", TESTS);
    let report = fixture.check();
    assert_eq!(report.outcome, Outcome::DoesNotCompile);
    assert!(
        report.diagnostics[0].contains("mismatched types"),
        "{report:#?}"
    );
}

#[test]
fn an_edited_test_does_not_count() {
    let fixture = Fixture::new("pub fn double(n: i64) -> i64 { n * 2 }\n", TESTS);
    let path = "exercises/001-fixture/tests/check.rs";
    let mut course = Tree::default();
    course
        .files
        .insert(path.to_owned(), TESTS.as_bytes().to_owned());
    let options = CheckOptions {
        protected: protected(&course),
        ..options()
    };
    let (report, _) = fixture.check_with(&options);
    assert!(report.counts(), "{report:#?}");

    fixture.write(path, &format!("{TESTS}// mine\n"));
    let (report, _) = fixture.check_with(&options);
    assert_eq!(report.outcome, Outcome::Solved);
    assert!(report.tampered && !report.counts());
    assert!(
        report.notes[0].contains("tests/check.rs differs from the course"),
        "{report:#?}"
    );
}

#[test]
fn an_unknown_exercise_names_those_there_are() {
    let fixture = Fixture::new("", "");
    let mut ignore = |_: &Event| {};
    let report = workshop_runner::check(&fixture.workspace, "9", &mut ignore);
    assert_eq!(report.outcome, Outcome::BrokenSetup);
    assert_eq!(
        report.diagnostics,
        ["there is no exercise 9; there are: 001"]
    );
}

#[test]
fn a_manifest_cargo_cannot_read_is_a_broken_setup() {
    let fixture = Fixture::new("", "");
    fixture.write("exercises/001-fixture/Cargo.toml", "[package\n");
    let report = fixture.check();
    assert_eq!(report.outcome, Outcome::BrokenSetup);
    assert!(
        report.diagnostics[0].contains("A Cargo.toml cannot be read"),
        "{report:#?}"
    );
}

#[test]
fn a_dependency_that_is_not_there_names_the_network() {
    let fixture = Fixture::new("", "");
    let manifest = fixture.read("exercises/001-fixture/Cargo.toml");
    let with =
        format!("{manifest}[dependencies]\nabsent = {{ git = \"http://127.0.0.1:1/absent\" }}\n");
    fixture.write("exercises/001-fixture/Cargo.toml", &with);
    let (report, events) = fixture.check_with(&options());
    assert_eq!(report.outcome, Outcome::BrokenSetup);
    assert!(
        report.diagnostics[0].contains("could not download"),
        "{report:#?}"
    );
    assert!(
        events.iter().any(|e| matches!(e, Event::Note { .. })),
        "{events:#?}"
    );
}

#[test]
fn real_bedrock_gets_the_configuration_and_the_limits() {
    let fixture = Fixture::new("", "");
    let manifest = fixture.read("exercises/001-fixture/Cargo.toml");
    let with = format!("{manifest}\n[features]\nlive = []\n");
    fixture.write("exercises/001-fixture/Cargo.toml", &with);
    let limits = BedrockLimits::new(3, 64);
    let run = || {
        let options = CheckOptions {
            target_dir: Some(fixture.path("target")),
            ..options()
        };
        check_bedrock(&fixture.workspace, "1", limits, &options, &mut |_| {}).unwrap()
    };
    let none = run();
    assert_eq!(none.outcome, Outcome::BrokenSetup);
    assert!(none.diagnostics[0].contains("no part that runs against real Bedrock"));

    fixture.write(
        "exercises/001-fixture/tests/bedrock.rs",
        "#[test]\nfn limits_are_set() {\n    let calls = std::env::var(\"WORKSHOP_MAX_CALLS\");\n    assert_eq!((calls.as_deref(), cfg!(feature = \"live\")), (Ok(\"3\"), true));\n    assert!(std::env::var_os(\"AWS_EC2_METADATA_DISABLED\").is_none());\n}\n",
    );
    let report = run();
    assert_eq!(report.outcome, Outcome::Solved, "{report:#?}");
    assert!(fixture.path("target/bedrock").exists());
    assert_eq!(Progress::load(&fixture.workspace).state("001"), State::New);
}

#[test]
fn a_cancelled_check_has_no_verdict() {
    let fixture = Fixture::new("pub fn double(n: i64) -> i64 { n }\n", TESTS);
    let options = CheckOptions {
        target_dir: Some(fixture.path("target")),
        ..options()
    };
    let cancel = options.cancel.clone();
    let mut stopped = false;
    let report = check_with(
        &fixture.workspace,
        "001",
        &options,
        &mut |event| match event {
            Event::Started { .. } => cancel.cancel(),
            Event::Stopped { .. } => stopped = true,
            _ => {}
        },
    );
    assert_eq!(report, None);
    assert!(stopped);
    assert_eq!(Progress::load(&fixture.workspace).state("001"), State::New);
}

#[test]
fn the_wait_can_be_measured() {
    // A program beside the tests, which they run as well.
    let tests = format!("#[path = \"../examples/program.rs\"]\nmod program;\n{TESTS}");
    let fixture = Fixture::new("pub fn double(n: i64) -> i64 { n * 2 }\n", &tests);
    let program = "#[allow(dead_code)]\npub fn main() {}\n";
    fixture.write("exercises/001-fixture/examples/program.rs", program);
    let options = CheckOptions {
        target_dir: Some(fixture.path("target")),
        ..options()
    };
    let before = fixture.read("exercises/001-fixture/src/lib.rs");
    let bench = bench_loop(&fixture.workspace, "001", 1, &options).unwrap();
    assert_eq!((bench.tests, bench.rounds), (2, 1));
    assert!(bench.edit_to_verdict.as_nanos() > 0 && bench.cargo_test.as_nanos() > 0);
    assert_eq!(fixture.read("exercises/001-fixture/src/lib.rs"), before);
    assert!(!fixture.path(".workshop").exists(), "nothing is recorded");
    assert!(
        bench
            .to_string()
            .contains("edit → verdict (workshop check)")
    );
}
