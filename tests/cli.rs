//! The command line as a person meets it: output, exit codes, files left behind.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
};

use serde_json::Value;
use workshop_course::{Course, Tree};

use crate::site::{Serving, get};

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
        "serve",
        "emulator",
        "env",
        "list",
        "start",
        "check",
        "watch",
        "hint",
        "solution",
        "explain",
        "diff",
        "review",
        "skip",
        "checkpoint",
        "reset",
        "verify",
        "new",
        "doctor",
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
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] {
        assert_eq!(env[name], "http://127.0.0.1:4999");
    }
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
    assert_eq!(
        ids,
        [
            "000", "001", "002", "003", "004", "005", "006", "007", "008", "009", "010", "011",
            "012", "013", "014", "015", "016", "017", "018", "019", "020"
        ]
    );
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

/// A checkout with exercises 001 to 004, in which 001 and 004 are solved: 001 with the reference itself.
fn checkout() -> tempfile::TempDir {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../exercises");
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("workshop");
    fs::create_dir_all(root.join("exercises")).unwrap();
    fs::write(root.join("Cargo.toml"), "[workspace]\n").unwrap();
    fs::copy(here.join("tracks.toml"), root.join("exercises/tracks.toml")).unwrap();
    let names = fs::read_dir(&here).unwrap().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    for name in names.filter(|name| ("001".."005").contains(&&name[..3])) {
        copy(&here.join(&name), &root.join("exercises").join(&name));
        let exercise = root.join("exercises").join(&name);
        let from = if name.starts_with("001") {
            "solution"
        } else {
            "starter"
        };
        let from = exercise.join(from).join("lib.rs");
        fs::copy(from, exercise.join("src/lib.rs")).unwrap();
    }
    fs::create_dir(root.join(".workshop")).unwrap();
    let solved = r#"{"state": "solved", "last": {"at": "2026-11-01T10:00:00Z"}}"#;
    fs::write(
        root.join(".workshop/progress.json"),
        format!(r#"{{"version": 1, "exercises": {{"001": {solved}, "004": {solved}}}}}"#),
    )
    .unwrap();
    dir
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let there = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &there);
        } else {
            fs::copy(entry.path(), there).unwrap();
        }
    }
}

fn answered(dir: &Path, args: &[&str], input: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_workshop"))
        .args(args)
        .current_dir(dir)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = child.stdin.take().unwrap();
    answers.write_all(input.as_bytes()).unwrap();
    drop(answers);
    stdout(&child.wait_with_output().unwrap())
}

#[test]
fn start_names_the_exercise_to_do_now_and_skip_goes_on() {
    let dir = checkout();
    let root = dir.path().join("workshop");
    let start = stdout(&workshop(&root, &["start"]));
    assert!(start.starts_with("002 "), "{start}");
    assert!(start.contains("Edit      exercises/002-"), "{start}");
    assert!(!start.contains("It builds on"), "001 is solved: {start}");
    let four = stdout(&workshop(&root, &["start", "4"]));
    assert!(four.contains("workshop review --before 004"), "{four}");

    let skipped = workshop(&root, &["skip"]);
    assert_eq!(skipped.status.code(), Some(0));
    let text = stdout(&skipped);
    assert!(text.starts_with("Skipped 002"), "{text}");
    assert!(text.contains("Next:  workshop start 003"), "{text}");
    assert!(stdout(&workshop(&root, &["start"])).starts_with("003 "));
    let solved = stdout(&workshop(&root, &["skip", "001"]));
    assert!(solved.contains("solved already"), "{solved}");
}

#[test]
fn explanation_and_difference_wait_for_success() {
    let dir = checkout();
    let root = dir.path().join("workshop");
    for command in ["explain", "diff"] {
        let refused = workshop(&root, &[command, "002"]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(stderr(&refused).contains("--peek"), "{command}");
    }
    let text = stdout(&workshop(&root, &["explain", "001"]));
    assert!(text.contains("what it was about"), "{text}");
    assert!(text.contains("workshop diff 001"), "{text}");
    let same = stdout(&workshop(&root, &["diff", "001"]));
    assert!(same.contains("letter by letter"), "{same}");
    let peeked = stdout(&workshop(&root, &["diff", "002", "--peek"]));
    assert!(peeked.contains("(yours)\n+++ exercises/002-"), "{peeked}");
    assert!(peeked.contains("\n+"), "{peeked}");
}

#[test]
fn review_asks_what_was_learned_and_asks_again_later() {
    let dir = checkout();
    let root = dir.path().join("workshop");
    let first = answered(&root, &["review", "-n", "1"], "z\na\n");
    assert!(first.starts_with("1/1  (exercise 00"), "{first}");
    assert!(first.contains("One letter from a to"), "{first}");
    assert!(first.contains(" of 1 right."), "{first}");
    let question = first.lines().next().unwrap();
    let again = answered(&root, &["review"], "");
    assert!(!again.contains(question), "it is not due today: {again}");
    assert!(again.contains("0 of 0 right."), "{again}");
    let before = answered(&root, &["review", "--before", "004"], "q\n");
    assert!(before.starts_with("1/2"), "{before}");

    let new = tempfile::tempdir().unwrap();
    fs::write(new.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    fs::create_dir(new.path().join("exercises")).unwrap();
    let nothing = answered(new.path(), &["review"], "");
    assert!(nothing.contains("Nothing to review yet"), "{nothing}");
}

#[test]
fn a_checkpoint_is_a_copy_beside_the_checkout() {
    let dir = checkout();
    let root = dir.path().join("workshop");
    let made = workshop(&root, &["checkpoint", "3"]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let text = stdout(&made);
    assert!(text.contains("workshop-at-003"), "{text}");
    assert!(text.contains("Exercises 001 to 002"), "{text}");
    let there = dir.path().join("workshop-at-003");
    assert!(stdout(&workshop(&there, &["start"])).starts_with("003 "));
    let again = workshop(&root, &["checkpoint", "3"]);
    assert_eq!(again.status.code(), Some(4));
    assert!(stderr(&again).contains("exists already"));
}

#[test]
fn a_new_exercise_is_laid_out_once() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    fs::create_dir(dir.path().join("exercises")).unwrap();
    let made = workshop(dir.path(), &["new", "exercise", "021-mine"]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    assert!(stdout(&made).contains("workshop verify 021"));
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
    let again = workshop(dir.path(), &["new", "exercise", "021-other"]);
    assert_eq!(again.status.code(), Some(4));
    assert!(stderr(&again).contains("021 is taken"));
    assert!(!dir.path().join("exercises/021-other").exists());
}

#[test]
fn a_name_of_another_form_is_refused_with_an_example() {
    let dir = tempfile::tempdir().unwrap();
    for (args, example) in [
        (["new", "exercise", "21-Mine"], "021-my-exercise"),
        (["new", "post", "../mine"], "why-retries-hurt"),
        (["new", "diagram", "Mine"], "why-retries-hurt"),
    ] {
        let output = workshop(dir.path(), &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(example), "{}", stderr(&output));
    }
    let help = workshop(dir.path(), &["new"]);
    assert_eq!(help.status.code(), Some(2));
    assert!(stderr(&help).contains("workshop new diagram retry-layers"));
    let nowhere = workshop(dir.path(), &["new", "post", "mine"]);
    assert_eq!(nowhere.status.code(), Some(4));
    assert!(stderr(&nowhere).contains("--course DIR"));
}

/// The whole course, to add to.
fn course() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let dir = tempfile::tempdir().unwrap();
    for part in ["content", "diagrams", "exercises"] {
        copy(&root.join(part), &dir.path().join(part));
    }
    fs::write(dir.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    dir
}

/// What is wrong with files whose path has that in it.
fn findings(dir: &Path, part: &str) -> Vec<String> {
    let tree = Tree::read(dir).unwrap();
    let mut all = Course::load(&tree).diagnostics;
    all.extend(Course::house_checks(&tree));
    let of_part = all.iter().filter(|found| found.file.contains(part));
    of_part.map(ToString::to_string).collect()
}

#[test]
fn a_new_post_is_a_draft_without_a_finding() {
    let dir = course();
    let made = workshop(dir.path(), &["new", "post", "my-post", "--exercise", "6"]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    assert!(
        stdout(&made).contains("/posts/my-post"),
        "{}",
        stdout(&made)
    );
    assert_eq!(findings(dir.path(), "my-post"), [""; 0]);
    let text = fs::read_to_string(dir.path().join("content/posts/my-post.md")).unwrap();
    assert!(text.contains("exercises: [\"006\"]") && text.contains("recall from=006"));

    let again = workshop(dir.path(), &["new", "post", "my-post"]);
    assert_eq!(again.status.code(), Some(4));
    assert!(stderr(&again).contains("is taken by content/posts/my-post.md"));

    let plain = Serving::start(dir.path(), &[]);
    assert_eq!(get(&plain.site, "/posts/my-post").0, 404);
    drop(plain);
    let preview = Serving::start(dir.path(), &["--preview"]);
    let (status, page) = get(&preview.site, "/posts/my-post");
    assert!(status == 200 && page.contains(">draft</span>"), "{page}");
    assert!(!page.contains("{{"), "nothing of the template is left");
}

#[test]
fn a_new_diagram_is_drawn_and_an_exercise_can_name_its_nodes() {
    let dir = course();
    let made = workshop(dir.path(), &["new", "diagram", "my-picture"]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let made = workshop(dir.path(), &["new", "exercise", "091-mine"]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let manifest = dir.path().join("exercises/091-mine/exercise.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(
        text.contains("diagram = \"bedrock-architecture\""),
        "{text}"
    );
    let text = text
        .replace("bedrock-architecture", "my-picture")
        .replace("\"CC\"", "\"APP\"");
    fs::write(&manifest, text).unwrap();
    for part in ["my-picture", "091-mine"] {
        assert_eq!(findings(dir.path(), part), [""; 0]);
    }
    let course = Course::load(&Tree::read(dir.path()).unwrap());
    let drawn = &course.diagram("my-picture").unwrap().diagrams[0];
    assert!(
        drawn.fresh && drawn.nodes.contains_key("HAIKU"),
        "{drawn:?}"
    );

    let preview = Serving::start(dir.path(), &["--preview"]);
    let (status, page) = get(&preview.site, "/diagrams/my-picture");
    assert!(status == 200 && page.contains("<title id=\"my-picture-1-title\">My picture</title>"));
    assert!(page.contains(">draft</span>"), "{page}");
    let (status, page) = get(&preview.site, "/exercises/091-mine");
    assert!(status == 200 && page.contains("Mine") && !page.contains("{{"));
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

/// `workshop emulator` on a free port; it ends with the test.
struct RunningEmulator {
    child: Child,
    url: String,
}

impl RunningEmulator {
    fn start(dir: &Path) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_workshop")), dir)
    }

    fn start_by(mut program: Command, dir: &Path) -> Self {
        let mut child = program
            .args(["emulator", "--addr", "127.0.0.1:0", "--auth", "off"])
            .args(["--no-latency", "--quiet", "--json"])
            .args(["--fault", "error=ThrottlingException,when.call=2"])
            .current_dir(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut ready).unwrap();
        let ready: Value = serde_json::from_str(&ready).unwrap();
        let url = ready["emulator"].as_str().unwrap().to_owned();
        Self { child, url }
    }

    fn get(&self, path: &str) -> Value {
        self.send(&format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"))
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let length = body.len();
        self.send(&format!(
            "POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
    }

    fn send(&self, request: &str) -> Value {
        let mut tcp = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        tcp.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }
}

impl Drop for RunningEmulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn more_clients_than_the_shells_limit_on_files_are_served() {
    let dir = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -S -n 48; exec \"$0\" \"$@\""]);
    shell.arg(env!("CARGO_BIN_EXE_workshop"));
    let emulator = RunningEmulator::start_by(shell, dir.path());
    let address = emulator.url.trim_start_matches("http://");
    let mut clients: Vec<_> = (0..100)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let request = "GET /_workshop/health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for client in &mut clients {
        let patience = Some(std::time::Duration::from_secs(30));
        client.set_read_timeout(patience).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        let mut head = [0; 12];
        client.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
    }
}

#[test]
fn the_status_tells_what_a_running_emulator_has_cost() {
    let dir = tempfile::tempdir().unwrap();
    let emulator = RunningEmulator::start(dir.path());
    let profiles = emulator.get("/inference-profiles");
    let model = profiles["inferenceProfileSummaries"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|profile| profile["inferenceProfileId"].as_str())
        .find(|id| id.contains("haiku"))
        .unwrap()
        .to_owned();
    // The list was call 1 and the fault rule throttles call 2.
    let ask = serde_json::json!({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]});
    let path = format!("/model/{model}/converse");
    let throttled = emulator.post(&path, &ask);
    assert!(
        throttled["message"].as_str().unwrap().contains("Too many"),
        "{throttled}"
    );
    let answer = emulator.post(&path, &ask);
    let (input, output) = (
        &answer["usage"]["inputTokens"],
        &answer["usage"]["outputTokens"],
    );

    let asked = ["emulator", "status", "--url", &emulator.url];
    let text = workshop(dir.path(), &asked);
    assert_eq!(text.status.code(), Some(0), "{}", stderr(&text));
    let text = stdout(&text);
    for words in [
        format!("emulator     up at {}", emulator.url),
        "requests     3\n".to_owned(),
        "errors       1, of them throttled 1\n".to_owned(),
        "last error   request 2, Converse ThrottlingException: Too many".to_owned(),
        format!("tokens       {input} in, {output} out, 0 read from the cache, 0 written to it\n"),
        "\n123456789012          3       1          1       0       1\n".to_owned(),
    ] {
        assert!(text.contains(&words), "{words:?} is missing:\n{text}");
    }

    let json = workshop(dir.path(), &[&asked[..], &["--json"]].concat());
    assert_eq!(json.status.code(), Some(0));
    let json: Value = serde_json::from_str(&stdout(&json)).unwrap();
    let row = &json["cost"]["rows"][0];
    assert_eq!(
        (&json["requests"], &json["throttles"]),
        (&3.into(), &1.into())
    );
    assert_eq!(row["modelId"], *model);
    assert_eq!((&row["inputTokens"], &row["outputTokens"]), (input, output));
    let usd = json["cost"]["usd"].as_str().unwrap();
    assert!(text.contains(&format!("cost so far  {usd} USD")), "{text}");
    assert!(text.ends_with(&format!("{usd}\n")), "{text}");
}

#[test]
fn no_emulator_is_exit_code_three() {
    let dir = tempfile::tempdir().unwrap();
    // A port that nobody listens on: the system gives it to no program that asks for any.
    let nobody = "http://127.0.0.1:1".to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let mut tcp = tcp.unwrap();
            let _ = tcp.read(&mut [0; 512]);
            let _ = tcp.write_all(b"HTTP/1.0 200 OK\r\n\r\n<html>");
        }
    });
    for (url, why) in [(nobody, "refused"), (other, "something else listens there")] {
        let output = workshop(dir.path(), &["emulator", "status", "--url", &url, "--json"]);
        assert_eq!(output.status.code(), Some(3), "{url}");
        let said = stderr(&output);
        assert!(said.contains(&format!("No emulator answers at {url}")));
        assert!(said.contains(why), "{said}");
        assert!(said.contains("workshop emulator\n"), "{said}");
        let json: Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(json["running"], false);
    }
    let wrong = workshop(dir.path(), &["emulator", "status", "--url", "nowhere"]);
    assert_eq!(wrong.status.code(), Some(4));
    assert!(stderr(&wrong).contains("http://127.0.0.1:4566"));
}
