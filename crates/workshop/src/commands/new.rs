//! `workshop new NNN-slug`: a new exercise that `workshop verify` can judge.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};

use crate::{cli, exit, source::Source};

pub(crate) fn run(args: &cli::New, source: &Source) -> anyhow::Result<u8> {
    let (id, slug) = parse(&args.name)?;
    let exercises = source.workspace()?.root().join("exercises");
    if let Some(taken) = folder_with_id(&exercises, id)? {
        bail!("the number {id} is taken by exercises/{taken}; choose another one");
    }
    let dir = exercises.join(&args.name);
    for (path, text) in files(id, slug) {
        let file = dir.join(path);
        let parent = file.parent().context("every file lies in the folder")?;
        fs::create_dir_all(parent)
            .with_context(|| format!("cannot create {}", parent.display()))?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    println!("exercises/{} is laid out. Next:", args.name);
    println!("  1. write the task in README.md, three hints in hints.md, after.md for afterwards");
    println!(
        "  2. write tests/check.rs, starter/lib.rs (copy it to src/lib.rs) and solution/lib.rs"
    );
    println!("  3. add wrong answers to wrong/, each beginning with `//! dies in: <test name>`");
    println!("  4. prove it: workshop verify {id}");
    Ok(exit::OK)
}

fn parse(name: &str) -> anyhow::Result<(&str, &str)> {
    let parts = name.split_once('-').filter(|(id, slug)| {
        let digits = id.len() == 3 && id.bytes().all(|b| b.is_ascii_digit());
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        digits && !slug.is_empty() && slug.bytes().all(plain) && !slug.ends_with('-')
    });
    parts.with_context(|| {
        format!("{name:?}: three digits, a hyphen and a lower-case name, as in 021-my-exercise")
    })
}

fn folder_with_id(exercises: &Path, id: &str) -> anyhow::Result<Option<String>> {
    let entries =
        fs::read_dir(exercises).with_context(|| format!("cannot read {}", exercises.display()))?;
    let prefix = format!("{id}-");
    Ok(entries
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .find(|name| name.starts_with(&prefix)))
}

fn files(id: &str, slug: &str) -> Vec<(&'static str, String)> {
    let title = slug.replace('-', " ");
    let starter = format!(
        "//! {title}: the file you edit.\n\n\
         use aws_sdk_bedrockruntime::Client;\n\n\
         /// Say what it must do.\n\
         pub(crate) async fn answer(client: &Client, model: &str) -> Result<String, String> {{\n    \
         todo!(\"{id}/1: ask {{model}} through {{client:?}} and return the text\")\n}}\n"
    );
    vec![
        (
            "Cargo.toml",
            format!(
                "[package]\nname = \"ex{id}\"\nversion.workspace = true\nedition.workspace = true\n\
                 rust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\n\
                 [lib]\ndoctest = false\ntest = false\n\n[dependencies]\n\
                 aws-sdk-bedrockruntime.workspace = true\nserde_json.workspace = true\n\
                 tokio.workspace = true\n\n[dev-dependencies]\nworkshop-testkit.workspace = true\n"
            ),
        ),
        (
            "exercise.toml",
            format!(
                "id = \"{id}\"\ntitle = \"{title}\"\ntrack = \"a\"\nminutes = 20\nlevel = 2\ncore = false\n\
                 requires = [\"001\"]\ngoal = \"Say in one sentence what the student can do afterwards.\"\n\
                 diagram = \"bedrock-architecture\"\nnodes = [\"CC\", \"BR\"]\nreal = \"no\"\n"
            ),
        ),
        (
            "README.md",
            format!(
                "# {title}\n\nSay in one sentence what the student can do afterwards.\n\n\
                 What to write, and why it matters on the job.\n\n## Your task\n\n1. …\n"
            ),
        ),
        (
            "hints.md",
            "## A question\n\n…\n\n## The name of the API\n\n…\n\n## Almost the code\n\n…\n"
                .to_owned(),
        ),
        (
            "after.md",
            "What you just did, where AWS differs from the emulator, what to read next.\n"
                .to_owned(),
        ),
        ("src/lib.rs", starter.clone()),
        ("starter/lib.rs", starter),
        (
            "solution/lib.rs",
            "// The reference, commented for teaching.\n".to_owned(),
        ),
        (
            "tests/check.rs",
            format!(
                "use ex{id}::answer;\nuse workshop_testkit::{{Lab, Point, Step}};\n\n\
                 const ONE_CALL: Point = Point::wire(\n    \"{id}/1\",\n    \"say why it matters on the job\",\n    \
                 \"README.md \\\"Your task\\\" · workshop hint {id} 1\",\n);\n\n\
                 #[tokio::test]\nasync fn one_request_reaches_bedrock() {{\n    \
                 let lab = Lab::start().await;\n    lab.script([Step::text(\"hello\")]);\n    \
                 let answer = answer(&lab.client(), &lab.profile(\"haiku\")).await;\n    \
                 ONE_CALL.equal(\"requests\", lab.calls().len(), 1);\n    \
                 ONE_CALL.equal(\"the answer\", answer, Ok(\"hello\".to_owned()));\n}}\n"
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert_eq!(parse("021-my-exercise").unwrap(), ("021", "my-exercise"));
        for bad in [
            "21-x", "021", "021-", "021-Big", "021-a b", "0a1-x", "021-x-",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
