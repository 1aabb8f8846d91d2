//! Student code that misbehaves: it is stopped, and the student is told why.

use std::time::Duration;

use workshop_runner::{CheckOptions, Limits, Outcome, TestStatus};

use crate::fixture::{Fixture, options, test};

const TESTS: &str = r"
#[test]
fn it_runs() {
    ex001::run();
}

#[test]
fn the_neighbour_is_not_harmed() {}
";

/// Checks `run` with that body; the neighbour must pass whatever happens.
fn check(body: &str, options: &CheckOptions) -> (Fixture, workshop_runner::Report) {
    let fixture = Fixture::new(&format!("pub fn run() {{\n{body}\n}}\n"), TESTS);
    let (report, _) = fixture.check_with(options);
    assert_eq!(report.outcome, Outcome::NotSolved, "{report:#?}");
    assert_eq!(
        test(&report, "the_neighbour_is_not_harmed").status,
        TestStatus::Passed,
        "{report:#?}"
    );
    (fixture, report)
}

fn aborted(body: &str) -> workshop_runner::TestResult {
    let (_, report) = check(body, &options());
    let result = test(&report, "it_runs").clone();
    assert_eq!(result.status, TestStatus::Aborted, "{result:#?}");
    result
}

fn with_wall(seconds: f32) -> CheckOptions {
    let limits = Limits {
        wall: Duration::from_secs_f32(seconds),
        ..Limits::default()
    };
    CheckOptions {
        limits,
        ..options()
    }
}

#[test]
fn an_endless_loop_is_stopped() {
    let (_, report) = check(
        "println!(\"before\"); loop { std::hint::spin_loop() }",
        &with_wall(1.5),
    );
    let result = test(&report, "it_runs");
    assert_eq!(result.status, TestStatus::TimedOut);
    assert!(
        result
            .message
            .starts_with("Stopped after 1.5 s. Is there a loop"),
        "{result:#?}"
    );
    assert_eq!(result.output, "before");
}

#[test]
fn a_flood_of_output_is_stopped() {
    let result = aborted("loop { println!(\"drip\") }");
    assert!(
        result
            .message
            .contains("printed more than 64 KB to standard output"),
        "{result:#?}"
    );
    assert!(result.output.len() < 2000);
}

#[test]
fn exit_is_not_success() {
    let result = aborted("println!(\"bye\"); std::process::exit(0)");
    assert!(
        result
            .message
            .contains("exit code 0 before the test was over"),
        "{result:#?}"
    );
    assert_eq!(result.output, "bye");
}

#[test]
fn abort_is_named() {
    let result = aborted("std::process::abort()");
    assert!(result.message.contains("aborted"), "{result:#?}");
}

#[test]
fn a_stack_overflow_is_named() {
    let result = aborted(
        "fn down(n: u64) -> u64 { std::hint::black_box(n) + down(std::hint::black_box(n + 1)) }\nstd::hint::black_box(down(0));",
    );
    assert!(
        result.message.contains("The stack overflowed"),
        "{result:#?}"
    );
}

#[test]
fn memory_without_end_is_stopped() {
    let mut options = options();
    options.limits.memory_bytes = 256 * 1024 * 1024;
    let body = "let mut all = Vec::new(); loop { all.push(vec![1u8; 1 << 20]); }";
    let (_, report) = check(body, &options);
    let result = test(&report, "it_runs");
    assert!(
        result
            .message
            .contains("more memory than the limit of 256 MB"),
        "{result:#?}"
    );
}

#[test]
fn a_huge_file_is_stopped() {
    let mut options = options();
    options.limits.file_bytes = 1024 * 1024;
    // Rust ignores no SIGXFSZ, so the signal ends the process.
    let body = "let mut f = std::fs::File::create(\"big\").unwrap(); loop { std::io::Write::write_all(&mut f, &[0; 65536]).unwrap() }";
    let (_, report) = check(body, &options);
    let result = test(&report, "it_runs");
    assert!(
        result.message.contains("a file larger than 1 MB"),
        "{result:#?}"
    );
}

#[test]
fn a_payload_that_is_no_text_is_a_failure() {
    let (_, report) = check("std::panic::panic_any(7_u8)", &options());
    let result = test(&report, "it_runs");
    assert_eq!(result.status, TestStatus::Failed, "{result:#?}");
    assert_eq!(result.message, "Box<dyn Any>");
}

#[test]
fn forged_lines_are_not_believed() {
    let line = "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.00s";
    let result = aborted(&format!(
        "println!(\"running 1 test\\n{line}\\n\"); std::process::exit(0)"
    ));
    assert!(
        result.message.contains("only the test harness prints"),
        "{result:#?}"
    );

    let (_, report) = check(&format!("println!(\"{line}\"); panic!(\"no\")"), &options());
    assert_ne!(test(&report, "it_runs").status, TestStatus::Passed);
}

#[test]
fn a_file_that_was_deleted_comes_back() {
    let body = "let dir = std::env::var(\"CARGO_MANIFEST_DIR\").unwrap();\nstd::fs::remove_dir_all(dir).unwrap();\npanic!(\"gone\")";
    let (fixture, report) = check(body, &options());
    assert!(
        fixture
            .read("exercises/001-fixture/src/lib.rs")
            .contains("remove_dir_all")
    );
    assert!(fixture.path("exercises/001-fixture/Cargo.toml").exists());
    assert!(
        report
            .notes
            .iter()
            .any(|n| n.starts_with("src/lib.rs was deleted")),
        "{report:#?}"
    );
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;

    /// Whether a process runs with that word among its arguments.
    fn runs(word: &str) -> bool {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes
            .filter_map(|p| std::fs::read(p.path().join("cmdline")).ok())
            .any(|line| line.split(|b| *b == 0).any(|arg| arg == word.as_bytes()))
    }

    #[test]
    fn a_daemon_does_not_survive() {
        let fixture = Fixture::new(
            "pub fn run() { let _ = std::process::Command::new(\"setsid\").args([\"sh\", \"-c\", \"sleep 6043 & exec sleep 6042\"]).spawn().unwrap(); std::thread::sleep(std::time::Duration::from_millis(100)); }",
            TESTS,
        );
        let report = fixture.check();
        assert_eq!(report.outcome, Outcome::Solved, "{report:#?}");
        assert!(!runs("6042") && !runs("6043"));
    }

    #[test]
    fn processes_that_fork_processes_do_not_survive() {
        // Bounded: 2^6 processes that each wait. The real thing differs only in the number.
        let body = r#"
            let script = "fork() { if [ $1 -gt 0 ]; then (fork $(($1 - 1))) & (fork $(($1 - 1))) & fi; exec sleep 6044; }; fork 5";
            let _child = std::process::Command::new("sh").args(["-c", script]).spawn().unwrap();
            loop { std::thread::park() }"#;
        let (_, report) = check(body, &with_wall(1.5));
        assert_eq!(test(&report, "it_runs").status, TestStatus::TimedOut);
        assert!(!runs("6044"));
    }

    #[test]
    fn a_killed_runner_leaves_nothing() {
        // The guard's leash: when its standard input closes, the program ends.
        let mut guard = std::process::Command::new(env!("CARGO_BIN_EXE_workshop-guard"))
            .args([
                "__guard",
                "--end-the-rest",
                "--",
                "sh",
                "-c",
                "sleep 6045 & exec sleep 6046",
            ])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(guard.stdin.take());
        let status = guard.wait().unwrap();
        assert!(!status.success());
        assert!(!runs("6045") && !runs("6046"));
    }
}
