//! The five patterns by hand: `workshop serve --local`, real functions as processes, a real client, and
//! light from one end to the other.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::site::{Serving, get};

/// What each pattern lights, from the client on.
const LIT: &[(&str, &[&str])] = &[
    ("direct", &["POLICY-BR", "BR-HAIKU"]),
    ("lambda", &["CLIENT-LAMBDA", "LAMBDA-BR"]),
    ("gateway", &["CLIENT-APIGW", "APIGW-LAMBDA", "LAMBDA-BR"]),
    (
        "queue",
        &["CLIENT-SQS", "SQS-LAMBDA", "LAMBDA-BR", "LAMBDA-DDB"],
    ),
    ("workflow", &["CLIENT-SFN", "SFN-LAMBDA", "SFN-BR"]),
];

/// Where cargo puts the examples of this build.
fn examples() -> PathBuf {
    let program = env::current_exe().unwrap();
    let profile = program.parent().and_then(Path::parent).unwrap();
    let examples = profile.join("examples");
    assert!(
        examples.join("call").is_file() || examples.join("call.exe").is_file(),
        "`cargo build -p patterns --examples` builds what this test starts; plain `cargo test` does too"
    );
    examples
}

/// The folder as it is, with the programs of this build.
fn patterns(to: &Path, examples: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/patterns");
    for name in ["api.json", "api-settings.json", "answer.asl.json"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    let local = fs::read_to_string(from.join("local.toml")).unwrap();
    // TOML reads a backslash as the beginning of an escape.
    let examples = examples.display().to_string().replace('\\', "/");
    assert!(local.contains("../../target/debug/examples"));
    let local = local.replace("../../target/debug/examples", &examples);
    fs::write(to.join("local.toml"), local).unwrap();
}

#[test]
fn each_runs_with_one_command_and_lights_its_diagram() {
    let examples = examples();
    let dir = tempfile::tempdir().unwrap();
    patterns(dir.path(), &examples);
    let serving = Serving::start(dir.path(), &["--local", "local.toml"]);
    for (name, wanted) in LIT {
        let before = lit(&serving);
        let called = Command::new(examples.join("call"))
            .arg(name)
            .env("AWS_ENDPOINT_URL", format!("http://{}", serving.emulator))
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env(
                "AWS_SECRET_ACCESS_KEY",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            )
            .env_remove("AWS_SESSION_TOKEN")
            .output()
            .unwrap();
        let (out, err) = (called.stdout, called.stderr);
        let (out, err) = (String::from_utf8_lossy(&out), String::from_utf8_lossy(&err));
        assert!(called.status.success(), "{name}: {out}{err}");
        let answer = out.strip_prefix(name).unwrap().trim();
        assert!(answer.contains(' '), "{name} tells no answer: {out}");
        let after = lit(&serving);
        for edge in *wanted {
            let count = |lit: &Vec<String>| lit.iter().filter(|e| e == edge).count();
            assert!(
                count(&after) > count(&before),
                "{name} does not light {edge}"
            );
        }
    }
}

/// Every edge that was lit so far.
fn lit(serving: &Serving) -> Vec<String> {
    let (status, text) = get(&serving.emulator, "/_workshop/requests?limit=1000");
    assert_eq!(status, 200, "{text}");
    let body = text.split_once("\r\n\r\n").unwrap().1;
    let told: Value = serde_json::from_str(body).unwrap();
    let entries = told["requests"].as_array().unwrap().iter();
    let events = entries.flat_map(|entry| entry["trace"].as_array().cloned().unwrap_or_default());
    let edges = events.filter_map(|event| Some(event["edge"].as_str()?.to_owned()));
    edges.collect()
}

#[test]
fn what_is_wrong_in_the_file_is_told_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("bad.json"),
        "{\"StartAt\": \"Nowhere\", \"States\": {}}",
    )
    .unwrap();
    let mut seen = BTreeSet::new();
    for (file, says) in [
        ("[[table]]\nname = \"t\"\n", "missing field `partition_key`"),
        ("[[tabel]]\nname = \"t\"\n", "unknown field `tabel`"),
        (
            "[[table]]\nname = \"t\"\npartition_key = \"id:X\"\n",
            "the table t",
        ),
        (
            "[[state_machine]]\nname = \"m\"\ndefinition = \"none.json\"\n",
            "none.json",
        ),
        (
            "[[state_machine]]\nname = \"m\"\ndefinition = \"bad.json\"\n",
            "Invalid State Machine Definition",
        ),
        (
            "[[function]]\nname = \"f\"\nprogram = \"f\"\nenvironment = { M = \"${model.best}\" }\n",
            "${model.best} stands for nothing",
        ),
        ("[[api]]\ndocument = \"bad.json\"\n", "/openapi"),
    ] {
        fs::write(dir.path().join("local.toml"), file).unwrap();
        let ended = Command::new(env!("CARGO_BIN_EXE_workshop"))
            .args(["serve", "--addr", "127.0.0.1:0", "--emulator-addr"])
            .args(["127.0.0.1:0", "--local", "local.toml"])
            .current_dir(dir.path())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(4), "{file}: {told}");
        assert!(told.contains(says), "{file}: {told}");
        assert!(seen.insert(told.clone()), "said twice: {told}");
    }
}
