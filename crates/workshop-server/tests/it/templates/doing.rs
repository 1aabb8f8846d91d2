//! Exercises: the page, its checks, and what opens after success.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{at, element, happen, main_of, owners, page, shot};
use crate::support::{Answer, Site, folder};

const EXERCISE: &str = "/exercises/001-one-call";
const RESULTS: &str = "/exercises/001-one-call/results";

/// The course as a checkout, with what the student has reached.
fn checkout(progress: &str) -> (TempDir, Site) {
    let folder = folder();
    let starter = folder.path().join("exercises/001-one-call/starter");
    fs::create_dir_all(&starter).unwrap();
    fs::write(starter.join("lib.rs"), "pub fn starter() {}\n").unwrap();
    if !progress.is_empty() {
        let state = folder.path().join(".workshop");
        fs::create_dir_all(&state).unwrap();
        fs::write(state.join("progress.json"), progress).unwrap();
    }
    let site = Site::in_folder(folder.path());
    (folder, site)
}

const SOLVED: &str = r#"{"version": 1, "exercises": {"001": {"state": "solved",
    "last": {"at": "2026-01-02T08:00:00Z", "passed": 2, "total": 2},
    "history": [
        {"at": "2026-01-01T08:00:00Z", "outcome": "not_solved", "passed": 1, "total": 2, "ms": 2500},
        {"at": "2026-01-02T08:00:00Z", "outcome": "solved", "passed": 2, "total": 2, "ms": 1200}]}}}"#;

async fn checks(site: &Site) -> String {
    let parts = owners(site, RESULTS).await;
    let from = parts.text().find("<section class=\"checks\"").unwrap();
    let rest = &parts.text()[from..];
    element(rest, "<section class=\"checks\"", "</section>").to_owned()
}

fn started() -> Value {
    json!({"type": "started", "t": at(0)})
}

fn test(name: &str, more: &Value) -> Value {
    let mut result = json!({"name": name, "status": "passed", "message": "", "location": null, "output": "", "ms": 3});
    for (field, value) in more.as_object().unwrap() {
        result[field] = value.clone();
    }
    json!({"type": "test", "result": result})
}

fn finished(outcome: &str, passed: usize, total: usize) -> Value {
    json!({"type": "finished", "outcome": outcome, "passed": passed, "total": total, "t": at(1_500)})
}

#[tokio::test]
async fn the_page_of_an_exercise() {
    let site = Site::new();
    shot(
        "exercise-without_a_checkout",
        main_of(&page(&site, EXERCISE).await),
    );
    let (folder, site) = checkout("");
    shot("exercise-signed_out", main_of(&page(&site, EXERCISE).await));
    shot("exercise-new", main_of(&owners(&site, EXERCISE).await));
    let file = folder.path().join("exercises/001-one-call/src/lib.rs");
    fs::remove_file(file).unwrap();
    shot(
        "exercise-without_its_file",
        main_of(&owners(&site, EXERCISE).await),
    );
    shot("exercises-new", main_of(&page(&site, "/exercises").await));
    let empty = super::reading::empty();
    shot(
        "exercises-empty",
        main_of(&page(&empty, "/exercises").await),
    );
}

#[tokio::test]
async fn checks_from_the_first_crate_to_the_verdict() {
    let (_folder, site) = checkout("");
    shot("checks-none_yet", &checks(&site).await);
    happen(
        &site,
        [
            started(),
            json!({"type": "building", "done": 41, "total": 212}),
        ],
    );
    shot("checks-compiling", &checks(&site).await);
    happen(&site, [test("a_call_is_signed", &json!({}))]);
    shot("checks-testing", &checks(&site).await);
    let failed = json!({
        "status": "failed", "location": "tests/check.rs:12:5", "output": "<hello>",
        "message": "001/2 WIRE  the retry\n  saw     1 request\n  wanted  2 requests & <patience>\n  why     a throttle passes\n  read    the post",
    });
    let todo = json!({
        "status": "failed", "location": "src/lib.rs:4:5", "message": "not yet implemented: step 2",
    });
    happen(
        &site,
        [
            test("a_throttle_is_waited_out", &failed),
            test("the_answer_is_returned", &todo),
            finished("not_solved", 1, 3),
        ],
    );
    shot("checks-failed", &checks(&site).await);
    let again = [
        started(),
        test("a_call_is_signed", &json!({})),
        finished("solved", 1, 1),
    ];
    happen(&site, again);
    shot("checks-solved", &checks(&site).await);
    shot("results-solved", owners(&site, RESULTS).await.text());
}

#[tokio::test]
async fn checks_that_have_no_verdict() {
    let (_folder, site) = checkout(SOLVED);
    let problem = json!({
        "level": "error", "code": "E0308", "message": "mismatched <types>", "label": "expected `String`",
        "place": {"file": "src/lib.rs", "line": 3, "column": 9, "end_line": 3, "end_column": 12},
    });
    let mut broken = finished("does_not_compile", 0, 0);
    broken["diagnostics"] = json!(["error[E0308]: mismatched <types>\n --> src/lib.rs:3:9\n"]);
    broken["problems"] = json!([problem]);
    happen(&site, [started(), broken]);
    shot("checks-does_not_compile", &checks(&site).await);
    let mut broken = finished("broken_setup", 0, 0);
    broken["diagnostics"] = json!(["cargo was not found.\nInstall Rust from its site."]);
    happen(&site, [started(), broken]);
    shot("checks-broken_setup", &checks(&site).await);
}

#[tokio::test]
async fn what_is_reached() {
    let (_folder, site) = checkout("");
    let open = owners(&site, RESULTS).await;
    let part = |answer: &Answer| {
        element(
            answer.text(),
            "<div data-part=\"reached\">",
            "</nav>\n</div>",
        )
        .to_owned()
    };
    let tag = |answer: &Answer| element(answer.text(), "<span", "</span>").to_owned();
    shot("reached-open", &part(&open));
    shot("standing-new", &tag(&open));
    let (folder, site) = checkout(SOLVED);
    let solved = owners(&site, RESULTS).await;
    shot("reached-solved", &part(&solved));
    shot("standing-solved", &tag(&solved));
    shot("checks-runs_before", &checks(&site).await);

    let solution = "/exercises/001-one-call/solution";
    let other = owners(&site, solution).await;
    shot("solution-beside_mine", main_of(&other));
    shot(
        "difference-lines",
        element(other.text(), "<div class=\"difference\"", "</div>"),
    );
    let ours = folder.path().join("exercises/001-one-call");
    fs::copy(ours.join("solution/lib.rs"), ours.join("src/lib.rs")).unwrap();
    shot("solution-the_same", main_of(&owners(&site, solution).await));
}

#[tokio::test]
async fn two_texts_of_one_file() {
    let (_folder, site) = checkout("");
    let cookie = site.cookie();
    let headers = [
        ("cookie", cookie.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let path = format!("{EXERCISE}/file");
    let clash = site
        .post(&path, &headers, "text=mine%0D%0A&version=old&act=save")
        .await;
    assert_eq!(clash.status, 412, "{}", clash.text());
    shot("conflict", main_of(&clash));
}

#[tokio::test]
async fn what_stands_beside_the_file() {
    let (folder, _) = checkout("");
    let ours = folder.path().join("exercises/001-one-call");
    for (file, text) in [
        ("src/given.rs", "pub struct Given;\n"),
        ("tests/check.rs", "fn asks_once() {}\n"),
    ] {
        let path = ours.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let site = Site::in_folder(folder.path());
    let given = page(&site, &format!("{EXERCISE}/files/src/given.rs")).await;
    shot("beside-given", main_of(&given));
    let check = page(&site, &format!("{EXERCISE}/files/tests/check.rs")).await;
    shot("beside-check", main_of(&check));
}

#[tokio::test]
async fn what_rustc_explains() {
    let (_folder, site) = checkout("");
    let explained = owners(&site, "/rustc/E0308").await;
    // Rust's own text is another one with another Rust.
    let main = main_of(&explained);
    let text = super::between(main, "<div class=\"prose\">", "</div>");
    assert!(text.contains("language-rust"), "{text}");
    shot("rustc", &main.replace(text, "(what rustc says)"));
}
