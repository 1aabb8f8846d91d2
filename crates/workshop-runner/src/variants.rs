//! Every variant of an exercise (starter, solutions, wrong answers) as a package of its own, in a
//! generated workspace below the target folder.
//!
//! Each package has the variant as `variant/lib.rs`, the exercise's other source files copied beside
//! it and into `src/` (`mod given;` is looked up next to `lib.rs`, and a solution in the real
//! `solution/` may say `#[path = "../src/given.rs"] mod given;`), and the exercise's *own*
//! `tests/check.rs` by path. Dependencies and profiles are the root's. Manifests are generated because two packages with one library
//! name in one real workspace break `cargo build` and `cargo doc`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use crate::workspace::{ExerciseDir, STARTER};

/// The folder of the variant's text in its package.
const VARIANT: &str = "variant";

/// One variant of one exercise.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) exercise: ExerciseDir,
    pub(crate) kind: Kind,
    /// For people, relative to the exercise's folder: `solution/lib.rs`.
    pub(crate) file: String,
    /// The package's name: `ex001-wrong-no-limit`.
    pub(crate) package: String,
    /// What becomes `lib.rs`.
    pub(crate) text: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Starter,
    Solution,
    Wrong,
}

/// A file that could not be read or written, or not be understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VariantError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Toml {
        path: PathBuf,
        source: toml::de::Error,
    },
    #[error("the generated manifest cannot be written: {0}")]
    Generate(#[from] toml::ser::Error),
}

/// The variants of an exercise, the starter being `starter`.
pub(crate) fn variants(
    exercise: &ExerciseDir,
    starter: Vec<u8>,
) -> Result<Vec<Variant>, VariantError> {
    let variant = |kind, file: String, text| {
        let name: String = match kind {
            Kind::Starter => "starter".into(),
            Kind::Solution | Kind::Wrong => {
                file.trim_end_matches(".rs").replace(['/', '_', '.'], "-")
            }
        };
        Variant {
            exercise: exercise.clone(),
            kind,
            package: format!("{}-{name}", exercise.package()),
            file,
            text,
        }
    };
    let mut all = vec![variant(Kind::Starter, STARTER.into(), starter)];
    for (kind, folder) in [(Kind::Solution, "solution"), (Kind::Wrong, "wrong")] {
        for file in rust_files(&exercise.dir.join(folder))? {
            let text = read(&exercise.dir.join(folder).join(&file))?;
            all.push(variant(kind, format!("{folder}/{file}"), text));
        }
    }
    Ok(all)
}

fn rust_files(folder: &Path) -> Result<Vec<String>, VariantError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(VariantError::Io {
                path: folder.to_owned(),
                source,
            });
        }
    };
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = names
        .filter(|name| Path::new(name).extension().is_some_and(|e| e == "rs"))
        .collect();
    names.sort();
    Ok(names)
}

/// All packages, however many. Clippy reads the workspace's manifest and so depends on it: whenever it
/// changes, every variant is stale. So it names no package, and no dependency that no exercise has.
const MEMBERS: &str = "ex*";

/// Only those of the workspace's dependencies that exercises name.
fn keep_dependencies<'a>(manifest: &mut Table, exercises: impl Iterator<Item = &'a Table>) {
    let mut named: BTreeSet<String> = BTreeSet::new();
    for exercise in exercises {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            named.extend(table(exercise, section).into_iter().map(|(name, _)| name));
        }
    }
    let mut workspace = table(manifest, "workspace");
    let dependencies = table(&workspace, "dependencies").into_iter();
    let kept: Table = dependencies
        .filter(|(name, _)| named.contains(name))
        .collect();
    workspace.insert("dependencies".into(), kept.into());
    manifest.insert("workspace".into(), workspace.into());
}

/// Removes the packages of variants that are no more: the workspace would still have them.
fn remove_others(folder: &Path, variants: &[Variant]) {
    let known: BTreeSet<&str> = variants.iter().map(|v| v.package.as_str()).collect();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("ex") && !known.contains(&*name) {
            // What cannot be removed, cargo names.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The generated workspace.
#[derive(Debug)]
pub(crate) struct Generated {
    /// Its folder.
    pub(crate) root: PathBuf,
}

impl Generated {
    /// Writes the workspace below `folder`. Files that are already as they should be are not
    /// touched, so that cargo finds them fresh.
    pub(crate) fn write(
        root: &Path,
        folder: &Path,
        variants: &[Variant],
    ) -> Result<Self, VariantError> {
        let mut manifests: BTreeMap<&Path, Table> = BTreeMap::new();
        for variant in variants {
            let dir = variant.exercise.dir.as_path();
            if !manifests.contains_key(dir) {
                manifests.insert(dir, parse(&dir.join("Cargo.toml"))?);
            }
            write_variant(folder, variant, &manifests[dir])?;
        }
        let mut manifest = parse(&root.join("Cargo.toml"))?;
        build_once(&mut manifest);
        keep_dependencies(&mut manifest, manifests.values());
        remove_others(folder, variants);
        let members = vec![MEMBERS.into()];
        put(
            &folder.join("Cargo.toml"),
            workspace_manifest(&manifest, root, members)?.as_bytes(),
        )?;
        copy_lock(root, folder)?;
        Ok(Self {
            root: folder.to_owned(),
        })
    }

    /// The folder of a variant's package.
    pub(crate) fn dir(&self, variant: &Variant) -> PathBuf {
        self.root.join(&variant.package)
    }

    /// A variant's `lib.rs`.
    pub(crate) fn lib(&self, variant: &Variant) -> PathBuf {
        self.dir(variant).join(VARIANT).join("lib.rs")
    }
}

/// Variants are built once and run once: what serves the next edit (incremental files) or a
/// debugger would only cost time. The dependencies' profile stays as it is, and so do their builds.
fn build_once(manifest: &mut Table) {
    let mut profiles = table(manifest, "profile");
    let mut dev = table(&profiles, "dev");
    dev.insert("debug".into(), false.into());
    dev.insert("incremental".into(), false.into());
    profiles.insert("dev".into(), dev.into());
    manifest.insert("profile".into(), profiles.into());
}

/// The folder in a copy's workspace in which everything is laid out as in the real one. One level
/// down: cargo names what it builds after a package's path in its workspace, and in the same target
/// folder a copy at the same path would pass for the student's own exercise, already built.
pub(crate) const COPY: &str = "copy";

/// A workspace with a copy of one exercise, laid out like the real one in [`COPY`]; gives the copy's
/// `src/lib.rs`, which is not written.
pub(crate) fn write_copy(
    root: &Path,
    folder: &Path,
    exercise: &ExerciseDir,
) -> Result<PathBuf, VariantError> {
    let member = format!("{COPY}/exercises/{}", exercise.name);
    let manifest = parse(&root.join("Cargo.toml"))?;
    let members = vec![Value::from(member.clone())];
    put(
        &folder.join("Cargo.toml"),
        workspace_manifest(&manifest, root, members)?.as_bytes(),
    )?;
    copy_lock(root, folder)?;
    let mut manifest = parse(&exercise.dir.join("Cargo.toml"))?;
    absolute_dependencies(&mut manifest, &exercise.dir);
    let dir = folder.join(member);
    put(
        &dir.join("Cargo.toml"),
        toml::to_string(&manifest)?.as_bytes(),
    )?;
    // An exercise about functions has a program in `examples`, and its tests run that too.
    let parts = ["examples", "src", "tests"].into_iter();
    for part in parts.filter(|part| exercise.dir.join(part).is_dir()) {
        for (name, text) in given_files(&exercise.dir.join(part))? {
            put(&dir.join(part).join(name), &text)?;
        }
    }
    let src = dir.join("src");
    fs::create_dir_all(&src).map_err(|source| VariantError::Io {
        path: src.clone(),
        source,
    })?;
    Ok(src.join("lib.rs"))
}

fn workspace_manifest(
    root_manifest: &Table,
    root: &Path,
    members: Vec<Value>,
) -> Result<String, VariantError> {
    let mut workspace = Table::new();
    if let Some(Value::Table(of_root)) = root_manifest.get("workspace") {
        for key in ["resolver", "package", "lints", "dependencies"] {
            if let Some(value) = of_root.get(key) {
                workspace.insert(key.into(), value.clone());
            }
        }
    }
    if let Some(Value::Table(dependencies)) = workspace.get_mut("dependencies") {
        absolute_paths(dependencies, root);
    }
    workspace.insert("members".into(), Value::Array(members));
    let mut manifest = Table::new();
    manifest.insert("workspace".into(), workspace.into());
    for key in ["profile", "patch"] {
        if let Some(value) = root_manifest.get(key) {
            manifest.insert(key.into(), value.clone());
        }
    }
    Ok(toml::to_string(&manifest)?)
}

fn write_variant(
    folder: &Path,
    variant: &Variant,
    exercise_manifest: &Table,
) -> Result<(), VariantError> {
    let exercise = &variant.exercise;
    let mut manifest = exercise_manifest.clone();
    let mut package = table(exercise_manifest, "package");
    package.insert("name".into(), variant.package.clone().into());
    manifest.insert("package".into(), package.into());
    let mut lib = table(exercise_manifest, "lib");
    lib.insert("name".into(), exercise.package().into());
    lib.insert("path".into(), format!("{VARIANT}/lib.rs").into());
    manifest.insert("lib".into(), lib.into());
    let mut test = Table::new();
    test.insert("name".into(), "check".into());
    test.insert(
        "path".into(),
        path_value(&exercise.dir.join("tests/check.rs")),
    );
    manifest.insert("test".into(), Value::Array(vec![test.into()]));
    absolute_dependencies(&mut manifest, &exercise.dir);
    let dir = folder.join(&variant.package);
    put(
        &dir.join("Cargo.toml"),
        toml::to_string(&manifest)?.as_bytes(),
    )?;
    for (name, text) in given_files(&exercise.dir.join("src"))? {
        put(&dir.join("src").join(&name), &text)?;
        put(&dir.join(VARIANT).join(&name), &text)?;
    }
    put(&dir.join(VARIANT).join("lib.rs"), &variant.text)
}

/// The source files beside `lib.rs`, at any depth.
fn given_files(src: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, VariantError> {
    let mut found = Vec::new();
    let mut folders = vec![src.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)
            .map_err(|source| VariantError::Io {
                path: folder.clone(),
                source,
            })?
            .flatten()
        {
            let path = entry.path();
            let name = path.strip_prefix(src).unwrap_or(&path).to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name != Path::new("lib.rs") {
                found.push((name, read(&path)?));
            }
        }
    }
    Ok(found)
}

fn table(of: &Table, key: &str) -> Table {
    match of.get(key) {
        Some(Value::Table(table)) => table.clone(),
        _ => Table::new(),
    }
}

fn absolute_dependencies(manifest: &mut Table, base: &Path) {
    for key in ["dependencies", "dev-dependencies"] {
        if let Some(Value::Table(dependencies)) = manifest.get_mut(key) {
            absolute_paths(dependencies, base);
        }
    }
}

fn absolute_paths(dependencies: &mut Table, base: &Path) {
    for (_name, dependency) in dependencies.iter_mut() {
        if let Some(Value::String(path)) = dependency.get("path") {
            let absolute = path_value(&base.join(path));
            if let Value::Table(dependency) = dependency {
                dependency.insert("path".into(), absolute);
            }
        }
    }
}

fn path_value(path: &Path) -> Value {
    Value::from(path.to_string_lossy().into_owned())
}

/// The root's lock file, so that the very same versions are used. Cargo then drops what is not
/// needed here and adds the variants; that result is kept until the root's file changes.
fn copy_lock(root: &Path, folder: &Path) -> Result<(), VariantError> {
    let Ok(lock) = fs::read(root.join("Cargo.lock")) else {
        return Ok(());
    };
    let copied = folder.join("root.lock");
    if fs::read(&copied).is_ok_and(|before| before == lock) && folder.join("Cargo.lock").exists() {
        return Ok(());
    }
    put(&folder.join("Cargo.lock"), &lock)?;
    put(&copied, &lock)
}

fn parse(path: &Path) -> Result<Table, VariantError> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    text.parse().map_err(|source| VariantError::Toml {
        path: path.to_owned(),
        source,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, VariantError> {
    fs::read(path).map_err(|source| VariantError::Io {
        path: path.to_owned(),
        source,
    })
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), VariantError> {
    if fs::read(path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, bytes))
        .map_err(|source| VariantError::Io {
            path: path.to_owned(),
            source,
        })
}

/// What an exercise's manifest may depend on: crates that the shared library and the testkit
/// bring anyway, so that no exercise makes every student build more.
///
/// The exceptions are Lambda's crates and those of the services beside Bedrock, for exercises about
/// them: no other exercise builds them, and the testkit sees to it that they change nothing that the
/// others use.
const ALLOWED: [&str; 31] = [
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
    "aws-smithy-runtime-api",
    "aws-smithy-types",
    "aws-types",
    "aws_lambda_events",
    "base64",
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

/// Dependencies and features that would make cargo build something again, or something new.
pub(crate) fn manifest_problems(exercise: &ExerciseDir) -> Vec<String> {
    let manifest = match parse(&exercise.dir.join("Cargo.toml")) {
        Ok(manifest) => manifest,
        Err(error) => return vec![error.to_string()],
    };
    let mut problems = Vec::new();
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, spec) in table(&manifest, section) {
            problems.extend(dependency_problem(section, &name, &spec));
        }
    }
    if manifest.contains_key("target") {
        problems.push(
            "Cargo.toml: platform-specific dependencies build another tree; remove `[target]`"
                .into(),
        );
    }
    if exercise.dir.join("build.rs").exists() {
        problems.push("build.rs: an exercise has no build script; remove it".into());
    }
    problems
}

fn dependency_problem(section: &str, name: &str, spec: &Value) -> Option<String> {
    let Value::Table(spec) = spec else {
        return Some(format!(
            "Cargo.toml: [{section}] {name} must be `{name}.workspace = true`, so that all exercises share one version"
        ));
    };
    if spec.get("workspace") != Some(&Value::Boolean(true)) {
        return Some(format!(
            "Cargo.toml: [{section}] {name} must be `{name}.workspace = true`, so that all exercises share one version"
        ));
    }
    if let Some(key) = spec
        .keys()
        .find(|key| !["workspace", "optional"].contains(&key.as_str()))
    {
        return Some(format!(
            "Cargo.toml: [{section}] {name} sets `{key}`; that makes every student build it again, so put it into the workspace's dependencies or do without"
        ));
    }
    (!ALLOWED.contains(&name)).then(|| {
        format!(
            "Cargo.toml: [{section}] {name} is not among the crates exercises share ({})",
            ALLOWED.join(", ")
        )
    })
}
