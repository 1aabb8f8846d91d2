//! House rules as tests: who may depend on whom, what stays out of the core, what stays out of
//! the text.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Which of our crates each of our crates may use. A new edge is a design decision: change
/// `ARCHITECTURE.md` with it.
const EDGES: &[(&str, &[&str])] = &[
    (
        "aws-local",
        // The endpoint in tests only: where the real SDKs call.
        &[
            "bedrock-emulator",
            "bedrock-endpoint",
            "lambda-host",
            "states-language",
        ],
    ),
    ("bedrock-emulator", &[]),
    ("bedrock-endpoint", &["bedrock-emulator"]),
    (
        "bedrock-recordings",
        // The endpoint in tests only: something to record.
        &["bedrock-emulator", "bedrock-endpoint"],
    ),
    ("bedrock-wiremock", &["bedrock-emulator"]),
    ("cache-store", &[]),
    ("lambda-host", &[]),
    ("states-language", &[]),
    (
        "workshop-prelink",
        &["bedrock-emulator", "bedrock-endpoint"],
    ),
    (
        "workshop-testkit",
        &["bedrock-emulator", "bedrock-endpoint", "workshop-prelink"],
    ),
    ("workshop-prelink-aws", &["aws-local", "workshop-prelink"]),
    (
        "workshop-testkit-aws",
        &["aws-local", "workshop-prelink-aws", "workshop-testkit"],
    ),
    ("workshop-course", &[]),
    ("workshop-diagrams", &["workshop-course"]),
    ("workshop-runner", &["workshop-course"]),
    (
        "workshop-server",
        &[
            "bedrock-emulator",
            "bedrock-endpoint",
            "workshop-course",
            "workshop-runner",
        ],
    ),
    (
        "workshop",
        &[
            "aws-local",
            "bedrock-emulator",
            "bedrock-endpoint",
            "bedrock-recordings",
            "workshop-course",
            "workshop-runner",
            "workshop-server",
        ],
    ),
    // Its examples ask the catalogue for a model.
    ("patterns", &["bedrock-emulator"]),
    // In tests only: the records of find-the-bug pages come from more services than Bedrock.
    (
        "post-snippets",
        &["workshop-testkit", "workshop-testkit-aws"],
    ),
    ("emulator-bench", &["bedrock-emulator", "bedrock-endpoint"]),
    (
        "site-bench",
        &["workshop-course", "workshop-runner", "workshop-server"],
    ),
    ("client-tests", &["bedrock-emulator", "workshop-testkit"]),
];

/// What an exercise may use. With Lambda's crates it names all three: see the root `Cargo.toml`.
const EXERCISE_MAY_USE: &[&str] = &[
    "aws-config",
    "aws-credential-types",
    "aws-sdk-bedrockruntime",
    "aws-sdk-cloudwatch",
    "aws-sdk-dynamodb",
    "aws-sdk-secretsmanager",
    "aws-sdk-sfn",
    "aws-sdk-sqs",
    "aws-sdk-sts",
    "aws-smithy-async",
    "aws-smithy-http-client",
    "aws-smithy-types",
    "aws-types",
    "aws_lambda_events",
    "bytes",
    "cache-store",
    "futures-util",
    "http",
    "lambda-host",
    "lambda_http",
    "lambda_runtime",
    "serde",
    "serde-saphyr",
    "serde_json",
    "sha2",
    "time",
    "tokio",
    "workshop-testkit",
    "workshop-testkit-aws",
];

/// Crates of ours that are handed bytes and the time, and touch nothing else.
const CORES: &[&str] = &["bedrock-emulator", "states-language"];

/// Crates that read sockets, clocks, files or random numbers.
const NOT_IN_THE_CORE: &[&str] = &[
    "tokio",
    "axum",
    "hyper",
    "hyper-util",
    "wiremock",
    "reqwest",
    "rand",
    "fastrand",
    "getrandom",
    "uuid",
    "rustix",
    "libc",
    "notify",
    "tempfile",
    "aws-sdk-bedrockruntime",
    "aws-config",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn dependencies(package: &Value) -> BTreeSet<String> {
    let listed = package["dependencies"].as_array().unwrap();
    listed
        .iter()
        .map(|d| d["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn crates_depend_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let packages = packages();
    let ours: BTreeSet<&str> = packages
        .iter()
        .map(|p| p["name"].as_str().unwrap())
        .collect();
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        let used = dependencies(package);
        if name.starts_with("ex") && name.len() == 5 {
            for dependency in &used {
                assert!(
                    EXERCISE_MAY_USE.contains(&dependency.as_str()),
                    "{name} uses {dependency}; exercises use only {EXERCISE_MAY_USE:?}"
                );
            }
            continue;
        }
        let allowed = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} is new: add its edges here and to ARCHITECTURE.md"));
        for dependency in used.iter().filter(|d| ours.contains(d.as_str())) {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} may not use {dependency}; allowed: {allowed:?}"
            );
        }
    }
}

/// The features of every crate that an exercise needs, as cargo would build it alone.
fn features(exercise: &str) -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", exercise])
        .args(["--edges", "normal,build,dev", "--prefix", "none"])
        .args(["--no-dedupe", "--format", "{p}|{f}"])
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some((package, features)) = line.split_once('|') {
            let features = features.trim_end_matches(" (*)").to_owned();
            found
                .entry(package.to_owned())
                .or_default()
                .insert(features);
        }
    }
    found
}

#[test]
fn the_exercises_build_every_crate_once() {
    let packages = packages();
    let names = packages.iter().map(|p| p["name"].as_str().unwrap());
    let exercises = names.filter(|name| name.starts_with("ex") && name.len() == 5);
    let mut all: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    for exercise in exercises {
        for (package, features) in features(exercise) {
            let (first, known) = all
                .entry(package.clone())
                .or_insert_with(|| (exercise.to_owned(), features.clone()));
            assert_eq!(
                *known, features,
                "{first} and {exercise} build {package} with different features, so whoever goes \
                 from one to the other builds it again: name the missing ones in \
                 crates/workshop-testkit/Cargo.toml"
            );
        }
    }
}

#[test]
fn the_cores_do_no_io() {
    let packages = packages();
    for name in CORES {
        let core = packages.iter().find(|p| p["name"] == *name).unwrap();
        let normal = core["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|d| d["kind"].is_null())
            .map(|d| d["name"].as_str().unwrap().to_owned());
        for dependency in normal {
            assert!(
                !NOT_IN_THE_CORE.contains(&dependency.as_str()),
                "{name} uses {dependency}"
            );
        }
        for (path, text) in texts(&[&format!("crates/{name}/src")]) {
            for word in [
                "std::fs",
                "std::net",
                "std::env",
                "SystemTime::now",
                "Instant::now",
                "now_utc()",
            ] {
                assert!(!text.contains(word), "{path} uses {word}");
            }
        }
    }
}

#[test]
fn model_ids_stand_in_the_catalogue_only() {
    let catalogue = fs::read_to_string(root().join("crates/bedrock-emulator/models.toml")).unwrap();
    let ids: Vec<&str> = catalogue
        .lines()
        .filter_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"'))
        .collect();
    assert!(ids.len() > 5, "the catalogue lists models");
    for (path, text) in texts(&[
        "crates",
        "exercises",
        "content",
        "diagrams",
        "tests",
        "README.md",
    ]) {
        let mistaken = workshop_course::FILES_WITH_MISTAKEN_IDS.contains(&path.as_str());
        if path.ends_with("models.toml") || mistaken {
            continue;
        }
        for id in &ids {
            let found = text.lines().position(|line| line.contains(id));
            assert!(
                found.is_none(),
                "{path}:{}: the model id {id} stands here; take it from the catalogue",
                found.unwrap_or_default() + 1
            );
        }
    }
}

#[test]
fn the_changelog_names_the_version() {
    let text = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    assert!(text.contains(concat!("## ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn the_working_copies_of_exercises_equal_their_starters_in_a_fresh_checkout() {
    // A student edits src/lib.rs; only a fresh checkout (CI) can be held to this.
    if std::env::var_os("CI").is_none() {
        return;
    }
    for entry in fs::read_dir(root().join("exercises")).unwrap().flatten() {
        let starter = entry.path().join("starter/lib.rs");
        if entry.path().is_dir() {
            let name = entry.file_name();
            assert_eq!(
                fs::read_to_string(&starter).unwrap(),
                fs::read_to_string(entry.path().join("src/lib.rs")).unwrap(),
                "{name:?}: src/lib.rs and starter/lib.rs differ"
            );
        }
    }
}

/// Our own text files below those paths.
fn texts(below: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = below.iter().map(|b| root().join(b)).collect();
    while let Some(path) = open.pop() {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if !["target", "node_modules", "vendor"].contains(&name.as_str()) {
                open.extend(fs::read_dir(&path).unwrap().flatten().map(|e| e.path()));
            }
        } else if let Ok(text) = fs::read_to_string(&path) {
            let shown = path
                .strip_prefix(root())
                .unwrap_or(&path)
                .display()
                .to_string();
            found.push((shown, text));
        }
    }
    found
}

#[test]
fn the_course_loads_without_a_finding() {
    let tree = workshop_course::Tree::read(&root()).unwrap();
    let mut findings = workshop_course::Course::load(&tree).diagnostics;
    findings.extend(workshop_course::Course::house_checks(&tree));
    let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}

/// `coverage::check` lets a course of somebody else be without; ours is not.
#[test]
fn what_the_course_grew_from_is_covered() {
    let tree = workshop_course::Tree::read(&root()).unwrap();
    let (covered, findings) = workshop_course::coverage::check(&tree);
    assert_eq!(findings, []);
    assert_eq!((covered.documents, covered.lines), (2, 259 + 122));
    assert!(covered.groups >= 20, "{covered:?}");
}

/// In an editor the README is read alone; on the page the goal stands above it, once.
#[test]
fn every_task_begins_with_its_goal() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let read = |dir: &Path, name: &str| fs::read_to_string(dir.join(name)).unwrap();
    let exercises = fs::read_dir(root().join("exercises")).unwrap();
    let folders = exercises.map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for dir in folders.filter(|dir| dir.join("exercise.toml").is_file()) {
        let manifest: toml::Table = read(&dir, "exercise.toml").parse().unwrap();
        let goal = manifest["goal"].as_str().unwrap();
        let readme = read(&dir, "README.md");
        let (_, task) = readme.split_once("\n\n").unwrap();
        let first = task.split("\n\n").next().unwrap_or_default();
        assert_eq!(words(first), words(goal), "{}", dir.display());
        seen += 1;
    }
    assert!(seen > 20, "{seen} exercises");
}
