//! The proof in three directions, and that it notices when one of them is gone.

use workshop_runner::{
    VerifyOptions, VerifyReport,
    verify::{Repeats, Row, Totals, verify},
};

use crate::fixture::Fixture;

const TESTS: &str = r#"
use ex001::sum;

#[test]
fn nothing_sums_to_zero() {
    assert_eq!(sum(&[]).ok(), Some(0), "001/1 RESULT sum of nothing");
}

#[test]
fn numbers_add_up() {
    let saw = sum(&[2, 3]).ok();
    assert!(saw == Some(5), "001/2 RESULT sum\n  saw     {saw:?}\n  wanted  5");
}
"#;

const STARTER: &str = "pub fn sum(numbers: &[i64]) -> Result<i64, String> {\n    let _ = numbers;\n    Err(\"001/1 not written yet\".to_owned())\n}\n";
const SOLUTION: &str = "mod given;\n\npub fn sum(numbers: &[i64]) -> Result<i64, String> {\n    Ok(numbers.iter().sum::<i64>() + given::ZERO)\n}\n";
const FIRST_ONLY: &str = "//! dies in: numbers_add_up\n\npub fn sum(numbers: &[i64]) -> Result<i64, String> {\n    Ok(numbers.first().copied().unwrap_or(0))\n}\n";
const NO_NOTHING: &str = "//! dies in: nothing_sums_to_zero\n\npub fn sum(numbers: &[i64]) -> Result<i64, String> {\n    if numbers.is_empty() { return Err(\"empty\".into()); }\n    Ok(numbers.iter().sum())\n}\n";

/// Stands for a test that reads a model's answer: the words are others in a trial.
const DEPENDS_ON_WORDS: &str = r#"
#[test]
fn a_certain_word_is_said() {
    let said = std::env::var("WORKSHOP_SCRAMBLE").map_or("Rhine", |_| "шторм");
    assert_eq!((sum(&[1]).ok(), said), (Some(1), "Rhine"), "001/3 RESULT words");
}
"#;

/// The same for ids.
const DEPENDS_ON_IDS: &str = r#"
#[test]
fn a_certain_model_is_called() {
    let shuffled = std::env::var_os("WORKSHOP_SHUFFLE").is_some();
    assert_eq!((sum(&[1]).ok(), shuffled), (Some(1), false), "001/3 RESULT id");
}
"#;

/// Bears either difference, and not both.
const DEPENDS_ON_BOTH: &str = r#"
#[test]
fn not_both_at_once() {
    let set = |name| std::env::var_os(name).is_some();
    let both = set("WORKSHOP_SCRAMBLE") && set("WORKSHOP_SHUFFLE");
    assert_eq!((sum(&[1]).ok(), both), (Some(1), false), "001/3 RESULT both");
}
"#;

const DIR: &str = "exercises/001-fixture";

fn fixture() -> Fixture {
    let fixture = Fixture::new(STARTER, TESTS);
    fixture.write(&format!("{DIR}/starter/lib.rs"), STARTER);
    fixture.write(&format!("{DIR}/src/given.rs"), "pub const ZERO: i64 = 0;\n");
    fixture.write(&format!("{DIR}/solution/lib.rs"), SOLUTION);
    fixture.write(&format!("{DIR}/wrong/first_only.rs"), FIRST_ONLY);
    fixture.write(&format!("{DIR}/wrong/no_nothing.rs"), NO_NOTHING);
    fixture
}

fn run(fixture: &Fixture) -> VerifyReport {
    run_again(fixture, 0)
}

fn run_again(fixture: &Fixture, repeat: usize) -> VerifyReport {
    let options = VerifyOptions {
        repeat,
        guard: Some(env!("CARGO_BIN_EXE_workshop-guard").into()),
        target_dir: Some(fixture.path("target")),
        bless: true,
        ..VerifyOptions::default()
    };
    let report = verify(&fixture.workspace, &options, &mut |_| {}).expect("nobody cancels");
    assert_eq!(report.broken, None);
    report
}

fn only_row(report: &VerifyReport) -> &Row {
    assert_eq!(report.rows.len(), 1);
    &report.rows[0]
}

#[test]
fn a_sound_exercise_is_proved() {
    let report = run(&fixture());
    assert_eq!(only_row(&report).problems, Vec::<String>::new());
    let wanted = Totals {
        exercises: 1,
        starters_fail: 1,
        solutions_pass: 1,
        wrong: 2,
        wrong_dead: 2,
        failed: 0,
    };
    assert_eq!(report.totals, wanted);
    assert!(report.ok());
}

/// Each row spoils one file of a sound exercise; the problem must say what is wrong with it.
#[test]
fn what_is_not_sound_is_named() {
    let rows = [
        (
            "starter/lib.rs",
            SOLUTION.to_owned(),
            "starter/lib.rs: passes every test",
        ),
        (
            "starter/lib.rs",
            STARTER.replace("let _ = numbers;", "let unused = numbers;"),
            "starter/lib.rs: compiles with a warning:\nwarning: unused variable",
        ),
        (
            "starter/lib.rs",
            STARTER.replace(
                "Err(\"001/1 not written yet\".to_owned())",
                "panic!(\"todo\")",
            ),
            "without the id of a point",
        ),
        (
            "solution/lib.rs",
            FIRST_ONLY.to_owned(),
            "solution/lib.rs: numbers_add_up does not pass",
        ),
        (
            "solution/second.rs",
            FIRST_ONLY.to_owned(),
            "solution/second.rs: numbers_add_up does not pass",
        ),
        (
            "tests/check.rs",
            format!("{TESTS}{DEPENDS_ON_IDS}"),
            "solution/lib.rs: a_certain_model_is_called does not pass when the models have other ids and \
             prices (with the solution in src/lib.rs: WORKSHOP_SHUFFLE=7 cargo test -p ex001)",
        ),
        (
            "tests/check.rs",
            format!("{TESTS}{DEPENDS_ON_BOTH}"),
            "solution/lib.rs: not_both_at_once does not pass when several things differ at once (with the \
             solution in src/lib.rs: WORKSHOP_SCRAMBLE=7 WORKSHOP_SHUFFLE=7 cargo test -p ex001)",
        ),
        (
            "tests/check.rs",
            format!("{TESTS}{DEPENDS_ON_WORDS}"),
            "solution/lib.rs: a_certain_word_is_said does not pass when the model says other words \
             (with the solution in src/lib.rs: WORKSHOP_SCRAMBLE=7 cargo test -p ex001)",
        ),
        (
            "solution/lib.rs",
            SOLUTION
                .replace("Ok(numbers", "return Ok(numbers")
                .replace("ZERO)", "ZERO);"),
            "needless_return",
        ),
        (
            "solution/lib.rs",
            SOLUTION.replace("    Ok", "  Ok"),
            "solution/lib.rs: is not formatted",
        ),
        (
            "wrong/first_only.rs",
            SOLUTION.replace("mod given", "//! dies in: numbers_add_up\nmod given"),
            "wrong/first_only.rs: survives numbers_add_up",
        ),
        (
            "wrong/first_only.rs",
            FIRST_ONLY.replace("numbers_add_up", "nothing_sums_to_zero"),
            "wrong/first_only.rs: also fails numbers_add_up",
        ),
        (
            "wrong/first_only.rs",
            FIRST_ONLY.replace("numbers_add_up", "no_such"),
            "there is no such test",
        ),
        (
            "wrong/first_only.rs",
            FIRST_ONLY.replace("//! dies in", "// dies in"),
            "its first line must be",
        ),
        (
            "wrong/second_only.rs",
            FIRST_ONLY.to_owned(),
            "wrong/second_only.rs: dies with the same text as wrong/first_only.rs",
        ),
        (
            "wrong/no_nothing.rs",
            format!("{NO_NOTHING}\nfn broken("),
            "wrong/no_nothing.rs: does not compile",
        ),
        (
            "wrong/no_nothing.rs",
            NO_NOTHING.replace("return Err(\"empty\".into())", "std::process::exit(0)"),
            "is stopped in nothing_sums_to_zero",
        ),
    ];
    let fixture = fixture();
    for (file, text, wanted) in rows {
        let path = format!("{DIR}/{file}");
        let before = fixture.path(&path).exists().then(|| fixture.read(&path));
        fixture.write(&path, &text);
        let report = run(&fixture);
        let problems = &only_row(&report).problems;
        assert!(!report.ok(), "{file}: {wanted}");
        assert!(
            problems.iter().any(|p| p.contains(wanted)),
            "{wanted}: {problems:#?}"
        );
        match before {
            Some(before) => fixture.write(&path, &before),
            None => std::fs::remove_file(fixture.path(&path)).unwrap(),
        }
    }
}

/// A second time, after another exercise alone, and after the check that a student runs in between.
#[test]
fn what_has_not_changed_is_not_built_again() {
    let fixture = fixture();
    let other = "exercises/002-other";
    for file in [
        "Cargo.toml",
        "starter/lib.rs",
        "src/lib.rs",
        "src/given.rs",
        "solution/lib.rs",
        "wrong/first_only.rs",
        "wrong/no_nothing.rs",
        "tests/check.rs",
    ] {
        let text = fixture.read(&format!("{DIR}/{file}"));
        let text = text.replace("ex001", "ex002").replace("001/", "002/");
        fixture.write(&format!("{other}/{file}"), &text);
    }
    let verify = |ids: &[&str]| {
        let options = VerifyOptions {
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            target_dir: Some(fixture.path("target")),
            bless: true,
            ..VerifyOptions::default()
        };
        let report = verify(&fixture.workspace, &options, &mut |_| {}).expect("nobody cancels");
        assert!(report.ok(), "{report:#?}");
        report.compiled
    };
    assert_eq!(
        verify(&[]),
        16,
        "a library and a test program of eight variants"
    );
    assert_eq!(verify(&["001"]), 0);
    fixture.check();
    fixture.write(
        "Cargo.toml",
        &(fixture.read("Cargo.toml") + "[workspace.dependencies]\nunused = \"1\"\n"),
    );
    assert_eq!(verify(&["002"]), 0);
    fixture.write(
        &format!("{DIR}/wrong/no_nothing.rs"),
        &(NO_NOTHING.to_owned() + "// Edited.\n"),
    );
    assert_eq!(verify(&[]), 2, "one variant was edited");
}

#[test]
fn a_dependency_of_its_own_is_refused() {
    let fixture = fixture();
    fixture.write(
        "local/Cargo.toml",
        "[package]\nname = \"local\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    fixture.write("local/src/lib.rs", "");
    let manifest = fixture.read(&format!("{DIR}/Cargo.toml"));
    let with = format!("{manifest}\n[dependencies]\nlocal = {{ path = \"../../local\" }}\n");
    fixture.write(&format!("{DIR}/Cargo.toml"), &with);
    let report = run(&fixture);
    assert!(
        only_row(&report).problems[0].contains("local must be `local.workspace = true`"),
        "{report:#?}"
    );
}

#[test]
fn a_students_edit_does_not_hide_the_courses_starter() {
    let fixture = fixture();
    fixture.lib(SOLUTION);
    let report = run(&fixture);
    assert!(report.ok(), "{report:#?}");
    let noted = |n: &String| n.contains("differs from the starter");
    assert!(report.notes.iter().any(noted), "{report:#?}");
}

#[test]
fn an_exercise_without_a_starter_is_named() {
    let fixture = fixture();
    std::fs::remove_file(fixture.path(&format!("{DIR}/starter/lib.rs"))).unwrap();
    let report = verify(&fixture.workspace, &VerifyOptions::default(), &mut |_| {});
    let broken = report.and_then(|r| r.broken).unwrap();
    assert!(broken.contains("starter/lib.rs"), "{broken}");
}

#[test]
fn a_changed_wording_is_noticed_until_it_is_blessed() {
    let fixture = fixture();
    assert!(run(&fixture).ok());
    let file = format!("{DIR}/messages.txt");
    let kept = fixture.read(&file);
    assert!(
        kept.contains("wrong/first_only.rs dies in numbers_add_up"),
        "{kept}"
    );
    fixture.write(&file, &kept.replace("wanted  5", "wanted  6"));
    let compare = VerifyOptions {
        target_dir: Some(fixture.path("target")),
        ..VerifyOptions::default()
    };
    let report = verify(&fixture.workspace, &compare, &mut |_| {}).unwrap();
    let problem = &only_row(&report).problems[0];
    assert!(
        problem.contains("--bless") && problem.contains("wanted  5"),
        "{problem}"
    );
}

/// Fails in every second process that runs it: stands for a test that depends on timing.
const SOMETIMES: &str = r#"
#[test]
fn it_is_quiet_today() {
    let counter = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("runs.txt");
    let runs = std::fs::read_to_string(&counter).map_or(0, |text| text.len());
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&counter).unwrap();
    std::io::Write::write_all(&mut file, b"x").unwrap();
    assert_eq!((sum(&[1]).ok(), runs >= 4 && runs % 2 == 0), (Some(1), false), "001/3 RESULT luck");
}
"#;

#[test]
fn repeating_counts_what_only_fails_sometimes() {
    let fixture = fixture();
    let sound = run_again(&fixture, 2);
    assert_eq!(only_row(&sound).repeats, Repeats { runs: 4, flakes: 0 });
    assert!(sound.ok(), "{sound:#?}");

    let check = format!("{DIR}/tests/check.rs");
    fixture.write(&check, &format!("{TESTS}{SOMETIMES}"));
    // The first run, the trials and the two in company are quiet, then every second one is not.
    let flaky = run_again(&fixture, 4);
    let row = only_row(&flaky);
    assert_eq!(row.repeats, Repeats { runs: 7, flakes: 4 }, "{row:#?}");
    let wanted = "solution/lib.rs: it_is_quiet_today does not pass in 2 of 4 runs as usual:\n";
    let named = |problem: &String| problem.starts_with(wanted);
    assert!(row.problems.iter().any(named), "{row:#?}");
    assert!(!flaky.ok());
}

/// Ends well at once, unless another copy of it runs at the same time; waits a second for one.
const ALONE: &str = r#"
#[test]
fn nobody_else_is_here() {
    let meeting = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("meeting");
    let mine = meeting.join(std::process::id().to_string());
    std::fs::create_dir_all(&meeting).unwrap();
    std::fs::write(&mine, "").unwrap();
    let here = || std::fs::read_dir(&meeting).unwrap().count();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(1);
    while here() == 1 && std::time::Instant::now() < until {
        std::thread::yield_now();
    }
    let others = here() - 1;
    // The other one has to see this one, too.
    std::thread::sleep(std::time::Duration::from_millis(200));
    std::fs::remove_file(mine).unwrap();
    assert_eq!((sum(&[1]).ok(), others), (Some(1), 0), "001/3 RESULT company");
}
"#;

#[test]
fn what_two_copies_share_is_noticed() {
    let fixture = fixture();
    let sound = run(&fixture);
    assert!(only_row(&sound).bears_company, "{sound:#?}");
    let check = format!("{DIR}/tests/check.rs");
    fixture.write(&check, &format!("{TESTS}{ALONE}"));
    let report = run(&fixture);
    let row = only_row(&report);
    assert!(!row.bears_company && row.bears_trials, "{row:#?}");
    let wanted =
        "solution/lib.rs: nobody_else_is_here does not pass while a second copy of these tests run";
    let named = |problem: &String| problem.starts_with(wanted);
    assert!(row.problems.iter().any(named), "{row:#?}");
}

/// Tries to reach a machine that no network has, and does not mind when that fails.
const OUTWARD: &str = r#"
#[test]
fn the_world_is_asked() {
    use std::{net::TcpStream, time::Duration};
    let away = "192.0.2.1:80".parse().unwrap();
    let _ = TcpStream::connect_timeout(&away, Duration::from_millis(50));
    assert_eq!(sum(&[1]).ok(), Some(1), "001/3 RESULT one");
}
"#;

#[test]
fn a_way_out_is_closed_and_who_looks_for_it_is_named() {
    let fixture = fixture();
    let sound = run(&fixture);
    let row = only_row(&sound);
    let unseen = |note: &String| note.contains("is not checked here: ");
    if row.stays_on_the_machine.is_none() {
        // No namespaces here: the report has to say so, and nothing else can be shown.
        assert!(sound.notes.iter().any(unseen), "{sound:#?}");
        return;
    }
    assert_eq!((row.stays_on_the_machine, sound.ok()), (Some(true), true));
    assert!(!sound.notes.iter().any(unseen), "{sound:#?}");
    let check = format!("{DIR}/tests/check.rs");
    fixture.write(&check, &format!("{TESTS}{OUTWARD}"));
    let report = run(&fixture);
    let row = only_row(&report);
    assert_eq!(row.stays_on_the_machine, Some(false), "{row:#?}");
    // Once as they are, once as a trial.
    let wanted = "solution/lib.rs: its tests tried 2 times to reach another machine";
    let named = |problem: &String| problem.starts_with(wanted);
    assert!(row.problems.iter().any(named), "{row:#?}");
}
