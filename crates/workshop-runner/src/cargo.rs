//! Building with cargo, and telling apart whose fault a failed build is.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    sync::{OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;

use crate::{
    CancelToken,
    guard::Rules,
    process::{Program, Stream},
};

/// What to build.
#[derive(Debug, Clone)]
pub(crate) struct Build {
    /// The folder cargo runs in (its `rust-toolchain.toml` decides the toolchain).
    pub(crate) root: PathBuf,
    /// What to build: `test --no-run …` or `build …`.
    pub(crate) args: Vec<String>,
    /// More environment variables for cargo.
    pub(crate) env: Vec<(&'static str, OsString)>,
    /// Another target folder than cargo would choose.
    pub(crate) target_dir: Option<PathBuf>,
    /// Rendered messages carry terminal colours.
    pub(crate) color: bool,
    /// The guard executable.
    pub(crate) guard: Option<PathBuf>,
    pub(crate) cancel: CancelToken,
}

/// What happens while cargo works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Packages finished, of all.
    Crates { done: usize, total: usize },
    /// A sentence: what cargo waits for, what it fetches.
    Note(String),
}

/// A finished build.
#[derive(Debug)]
pub(crate) enum Built {
    /// Everything asked for was built.
    Ready(Products),
    /// Some crates were not.
    Failed(Products),
    /// Cargo, the toolchain, the disk or the network: cause and cure, for people.
    Broken(String),
    Cancelled,
}

/// What cargo made and said.
#[derive(Debug, Default)]
pub(crate) struct Products {
    /// Test programs by `(package id, target name)`.
    pub(crate) tests: Vec<TestProgram>,
    /// The metadata files of libraries, with their packages' names.
    pub(crate) libraries: Vec<(String, PathBuf)>,
    /// Compiler messages, in order.
    pub(crate) messages: Vec<CompilerMessage>,
    /// Folders with shared libraries that build scripts named.
    pub(crate) library_dirs: BTreeSet<PathBuf>,
    /// Cargo's own words, for a build that failed without a compiler message.
    pub(crate) stderr: String,
    /// Crates that were really compiled (not fresh).
    pub(crate) compiled: usize,
}

/// A test program.
#[derive(Debug, Clone)]
pub(crate) struct TestProgram {
    pub(crate) package: String,
    pub(crate) target: String,
    pub(crate) path: PathBuf,
}

/// One message of the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompilerMessage {
    /// The package's name.
    pub(crate) package: String,
    pub(crate) level: String,
    /// About the library, not a test.
    pub(crate) about_lib: bool,
    /// The lint, or the error's number.
    pub(crate) code: Option<String>,
    /// Without location and source.
    pub(crate) message: String,
    /// As rustc shows it.
    pub(crate) rendered: String,
    /// What it is about in the source.
    pub(crate) span: Option<Span>,
}

/// A place in the source; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Span {
    /// Relative to the workspace's root.
    pub(crate) file_name: String,
    pub(crate) line_start: usize,
    pub(crate) line_end: usize,
    pub(crate) column_start: usize,
    pub(crate) column_end: usize,
    pub(crate) is_primary: bool,
    pub(crate) label: Option<String>,
}

impl CompilerMessage {
    pub(crate) fn is_error(&self) -> bool {
        self.level.starts_with("error")
    }
}

impl Build {
    /// Builds, first with what is on this machine only, and over the network when that is not enough.
    pub(crate) fn run(&self, on: &mut dyn FnMut(Progress)) -> Built {
        let mut built = self.attempt(&["--offline", "--locked"], on);
        if said(&built, needs_lock_change) {
            built = self.attempt(&["--offline"], on);
        }
        if said(&built, needs_network) {
            on(Progress::Note(
                "downloading the dependencies (once; later checks need no network)".into(),
            ));
            built = self.attempt(&[], on);
        }
        match built {
            Built::Failed(products) if !products.messages.iter().any(CompilerMessage::is_error) => {
                Built::Broken(explain(&products.stderr))
            }
            Built::Failed(products) => match broken_toolchain(&products.messages) {
                Some(cause) => Built::Broken(cause),
                None => Built::Failed(products),
            },
            other => other,
        }
    }

    fn attempt(&self, network: &[&str], on: &mut dyn FnMut(Progress)) -> Built {
        let format = if self.color {
            "json-diagnostic-rendered-ansi"
        } else {
            "json"
        };
        let mut args: Vec<OsString> = self.args.iter().map(OsString::from).collect();
        args.push(format!("--message-format={format}").into());
        args.extend(network.iter().map(OsString::from));
        let program = Program {
            path: cargo(),
            args,
            cwd: self.root.clone(),
            env: self.env(),
            guard: self.guard.clone().map(|guard| (guard, Rules::default())),
            input: Vec::new(),
        };
        let mut reader = Reader::new(self);
        let status = program.stream(&self.cancel, &mut |stream, line| match stream {
            Stream::Stdout => reader.json(&line, on),
            Stream::Stderr => reader.stderr(&line, on),
        });
        match status {
            Ok(None) => Built::Cancelled,
            Ok(Some(status)) if status.success() => Built::Ready(reader.products),
            Ok(Some(_)) => Built::Failed(reader.products),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Built::Broken(NO_CARGO.to_owned())
            }
            Err(error) => Built::Broken(format!("cargo could not be started: {error}")),
        }
    }

    /// Cargo's environment: the user's, without what an outer `cargo run` left in it (build
    /// scripts that look at those variables would run again, and rebuild half the tree).
    fn env(&self) -> Vec<(OsString, Option<OsString>)> {
        let mut env: Vec<_> = std::env::vars_os()
            .filter(|(name, _)| name.to_str().is_some_and(is_from_outer_cargo))
            .map(|(name, _)| (name, None))
            .collect();
        env.push(("CARGO_TERM_PROGRESS_WHEN".into(), Some("never".into())));
        env.push(("CARGO_TERM_COLOR".into(), Some("never".into())));
        if let Some(dir) = &self.target_dir {
            env.push(("CARGO_TARGET_DIR".into(), Some(dir.into())));
        }
        env.extend(
            self.env
                .iter()
                .map(|(name, value)| ((*name).into(), Some(value.clone()))),
        );
        env
    }
}

fn is_from_outer_cargo(name: &str) -> bool {
    const EXACT: [&str; 8] = [
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_MANIFEST_LINKS",
        "CARGO_CRATE_NAME",
        "CARGO_BIN_NAME",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_TARGET_TMPDIR",
        "OUT_DIR",
    ];
    EXACT.contains(&name) || name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_BIN_EXE_")
}

/// Removes what an outer `cargo run` left in our environment.
pub(crate) fn without_outer_cargo(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_from_outer_cargo) {
            command.env_remove(name);
        }
    }
}

/// The cargo to use: the one that runs us, or the one on the path.
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// Follows cargo's output.
struct Reader<'a> {
    build: &'a Build,
    products: Products,
    started: Instant,
    done: BTreeSet<String>,
    total: Option<mpsc::Receiver<usize>>,
    known_total: usize,
    waiting: bool,
}

/// The parts of cargo's messages that we use; see "JSON messages" in the reference of Cargo.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Line {
    CompilerArtifact {
        package_id: String,
        target: Target,
        fresh: bool,
        executable: Option<PathBuf>,
        #[serde(default)]
        filenames: Vec<PathBuf>,
    },
    CompilerMessage {
        package_id: String,
        target: Target,
        message: Diagnostic,
    },
    BuildScriptExecuted {
        #[serde(default)]
        linked_paths: Vec<String>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Diagnostic {
    message: String,
    level: String,
    code: Option<Code>,
    rendered: Option<String>,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

impl<'a> Reader<'a> {
    fn new(build: &'a Build) -> Self {
        Self {
            build,
            products: Products::default(),
            started: Instant::now(),
            done: BTreeSet::new(),
            total: None,
            known_total: 0,
            waiting: false,
        }
    }

    fn json(&mut self, line: &str, on: &mut dyn FnMut(Progress)) {
        let Ok(message) = serde_json::from_str(line) else {
            return;
        };
        match message {
            Line::CompilerArtifact {
                package_id,
                target,
                fresh,
                executable,
                filenames,
            } => {
                let name = package_name(&package_id);
                let metadata = filenames
                    .into_iter()
                    .filter(|file| file.extension().is_some_and(|e| e == "rmeta"));
                let libraries = &mut self.products.libraries;
                libraries.extend(metadata.map(|file| (name.clone(), file)));
                if target.kind.iter().any(|kind| kind == "test") {
                    self.products
                        .tests
                        .extend(executable.map(|path| TestProgram {
                            package: name.clone(),
                            target: target.name,
                            path,
                        }));
                }
                self.products.compiled += usize::from(!fresh);
                self.progress(package_id, fresh, on);
            }
            Line::CompilerMessage {
                package_id,
                target,
                message,
            } => {
                let summary = message.message.contains("emitted")
                    || message.message.starts_with("aborting due to");
                if !summary {
                    self.products.messages.push(CompilerMessage {
                        package: package_name(&package_id),
                        level: message.level,
                        about_lib: target.kind.iter().any(|kind| kind.ends_with("lib")),
                        code: message.code.map(|c| c.code),
                        span: message.spans.into_iter().find(|s| s.is_primary),
                        rendered: message.rendered.unwrap_or_default().trim_end().to_owned(),
                        message: message.message,
                    });
                }
            }
            Line::BuildScriptExecuted { linked_paths } => {
                let dirs = linked_paths.iter().map(|path| match path.split_once('=') {
                    Some(("native" | "all" | "dependency" | "crate", path)) => PathBuf::from(path),
                    _ => PathBuf::from(path),
                });
                self.products.library_dirs.extend(dirs);
            }
            Line::Other => {}
        }
    }

    /// Tells how many packages are done once there is something to wait for.
    fn progress(&mut self, package_id: String, fresh: bool, on: &mut dyn FnMut(Progress)) {
        // Counting costs as much as a small build: not for the loop's own two crates.
        let asked_for = self.build.args.iter().filter(|arg| *arg == "-p").count() == 1
            && self.build.args.contains(&package_name(&package_id));
        let long = !fresh && !asked_for && self.started.elapsed() > Duration::from_millis(700);
        self.done.insert(package_id);
        if self.total.is_none() && long {
            self.total = Some(count_packages(self.build));
        }
        let Some(total) = &self.total else { return };
        if let Ok(total) = total.try_recv() {
            self.known_total = total;
        }
        // Until the count is there, and when it was too low: at least what we have seen, and one.
        let total = self.known_total.max(self.done.len());
        if self.known_total > 0 {
            on(Progress::Crates {
                done: self.done.len(),
                total,
            });
        }
    }

    fn stderr(&mut self, line: &str, on: &mut dyn FnMut(Progress)) {
        let text = line.trim_start();
        if text.starts_with("Blocking waiting for file lock") && !self.waiting {
            self.waiting = true;
            on(Progress::Note(
                "waiting for another cargo (an editor, or another terminal) to finish its build"
                    .into(),
            ));
        }
        if text.starts_with("Downloading ") || text.starts_with("Updating ") {
            on(Progress::Note(format!("cargo: {}", text.to_lowercase())));
        }
        self.products.stderr.push_str(line);
        self.products.stderr.push('\n');
    }
}

/// How many packages the build will touch. Cargo does not tell (its unit graph is unstable), so
/// the resolved tree is counted; each package in it gives at least one artifact.
fn count_packages(build: &Build) -> mpsc::Receiver<usize> {
    let (tell, total) = mpsc::channel();
    let mut command = Command::new(cargo());
    command
        .args([
            "tree",
            "--offline",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--no-dedupe",
        ])
        .args(["-e", "normal,build,dev"])
        .args(selection(&build.args))
        .current_dir(&build.root)
        .stdin(std::process::Stdio::null());
    for (name, value) in build.env() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    thread::spawn(move || {
        if let Ok(output) = command.output() {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let packages: BTreeSet<_> = text.lines().map(|l| l.trim_end_matches(" (*)")).collect();
            // Nobody listens when the build is over before the count.
            let _ = tell.send(packages.len());
        }
    });
    total
}

/// The part of the arguments that `cargo tree` understands too.
fn selection(args: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-p" | "--features" | "--manifest-path" => {
                kept.push(arg.clone());
                kept.extend(args.next().cloned());
            }
            "--workspace" => kept.push(arg.clone()),
            _ => {}
        }
    }
    kept
}

/// The name in a package id (`path+file:///…/exercises/001-x#ex001@0.1.0`, `…/ex001#0.1.0`).
fn package_name(id: &str) -> String {
    let (url, fragment) = id.split_once('#').unwrap_or((id, ""));
    match fragment.split_once('@') {
        Some((name, _version)) => name.to_owned(),
        None => url.rsplit('/').next().unwrap_or(url).to_owned(),
    }
}

/// Whether cargo gave up before compiling, with such words.
fn said(built: &Built, words: fn(&str) -> bool) -> bool {
    match built {
        Built::Failed(products) => products.messages.is_empty() && words(&products.stderr),
        _ => false,
    }
}

fn needs_lock_change(stderr: &str) -> bool {
    stderr.contains("because --locked was passed")
        || stderr.contains("needs to be updated but --locked")
        || stderr.contains("cannot update the lock file")
        || stderr.contains("cannot create the lock file")
}

fn needs_network(stderr: &str) -> bool {
    stderr.contains("--offline was specified")
        || stderr.contains("attempting to make an HTTP request")
        || stderr.contains("can't checkout from")
        || stderr.contains("you're using offline mode (--offline)")
        || stderr.contains("no matching package named")
        || stderr.contains("offline mode")
}

const NO_CARGO: &str = "cargo was not found. Install Rust from https://rustup.rs, open a new terminal and start this there.";

/// Cause and cure of a build that failed before the compiler said anything.
fn explain(stderr: &str) -> String {
    // The guard, in cargo's place, says what the system said.
    if stderr.contains("__guard: cannot run") && stderr.contains("(os error 2)") {
        return NO_CARGO.to_owned();
    }
    let cure = if stderr.contains("No space left on device") || stderr.contains("os error 112") {
        "The disk is full. Free some space (`cargo clean` gives back this folder's build files) and check again."
    } else if stderr.contains("Could not resolve host")
        || stderr.contains("failed to download")
        || stderr.contains("failed to fetch")
        || stderr.contains("spurious network error")
        || stderr.contains("offline mode")
    {
        "Cargo could not download the dependencies. The first check needs the network once; later ones do not. Behind a proxy, set HTTPS_PROXY."
    } else if stderr.contains("is not installed") && stderr.contains("toolchain") {
        "The Rust toolchain this workshop asks for is not installed. Run `rustup toolchain install` in this folder."
    } else if stderr.contains("did not match any packages") {
        "The workspace does not know this exercise. Is its Cargo.toml as the course ships it? `workshop reset` restores it."
    } else if stderr.contains("failed to parse manifest")
        || stderr.contains("failed to load manifest")
    {
        "A Cargo.toml cannot be read. Undo your change to it (`git checkout -- Cargo.toml exercises`), then check again."
    } else if stderr.contains("rustc --version` failed") || stderr.contains("requires rustc") {
        "The Rust toolchain does not work or is too old. Run `rustup update stable`."
    } else if stderr.contains("Permission denied") || stderr.contains("Read-only file system") {
        "Cargo may not write to the target folder. Was it made by another user, or with sudo?"
    } else {
        "Cargo failed before it compiled anything; its own words are above."
    };
    let said = last_lines(stderr, 12);
    if said.is_empty() {
        cure.to_owned()
    } else {
        format!("{said}\n\n{cure}")
    }
}

fn last_lines(text: &str, n: usize) -> String {
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("Compiling "))
        .collect();
    lines[lines.len().saturating_sub(n)..]
        .join("\n")
        .trim()
        .to_owned()
}

/// A compiler message that is not about anybody's code.
fn broken_toolchain(messages: &[CompilerMessage]) -> Option<String> {
    messages.iter().filter(|m| m.is_error()).find_map(|m| {
        let text = format!("{} {}", m.message, m.rendered);
        let cure = if text.contains("No space left on device") {
            "The disk is full. Free some space (`cargo clean` gives back this folder's build files) and check again."
        } else if text.contains("linker `") && text.contains("not found") {
            "There is no C linker. Install one: `apt install build-essential`, `dnf install gcc`, `xcode-select --install`, or the Visual Studio Build Tools."
        } else if text.contains("the compiler unexpectedly panicked") {
            "The compiler itself failed. `cargo clean -p` for this exercise often helps; `rustup update stable` if it stays."
        } else if text.contains("found crate") && text.contains("incompatible version of rustc") {
            "The build files were made by another Rust. Run `cargo clean` and check again."
        } else {
            return None;
        };
        Some(format!("{}\n\n{cure}", m.rendered))
    })
}

/// Where cargo builds in that folder: `CARGO_TARGET_DIR`, the configuration, or `target`.
pub(crate) fn target_dir(root: &Path) -> Result<PathBuf, String> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let output = Command::new(cargo())
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root)
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    let metadata: Result<Metadata, _> = serde_json::from_slice(&output.stdout);
    let metadata = metadata.map_err(|_| explain(&String::from_utf8_lossy(&output.stderr)))?;
    Ok(metadata.target_directory)
}

/// Where the shared libraries of the toolchain are (`libstd-….so`), for this process and folder.
pub(crate) fn toolchain_libraries(root: &Path) -> Option<PathBuf> {
    static KNOWN: OnceLock<std::sync::Mutex<BTreeMap<PathBuf, PathBuf>>> = OnceLock::new();
    let known = KNOWN.get_or_init(std::sync::Mutex::default);
    if let Some(dir) = known.lock().ok()?.get(root) {
        return Some(dir.clone());
    }
    if let Some(dir) = libraries_beside_cargo() {
        return Some(dir);
    }
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir"])
        .current_dir(root)
        .stdin(std::process::Stdio::null())
        .output()
        .ok()?;
    let dir = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    known.lock().ok()?.insert(root.to_owned(), dir.clone());
    Some(dir)
}

/// Below `cargo run`, `CARGO` is the toolchain's own cargo and the libraries are near it: no
/// process has to be asked, unless libraries of several targets are installed.
fn libraries_beside_cargo() -> Option<PathBuf> {
    if std::env::var_os("RUSTC").is_some() {
        return None;
    }
    let cargo = PathBuf::from(std::env::var_os("CARGO")?);
    let targets = cargo.parent()?.parent()?.join("lib/rustlib");
    let has_std = |dir: &PathBuf| {
        let mut files = std::fs::read_dir(dir).into_iter().flatten().flatten();
        files.any(|file| file.file_name().to_string_lossy().contains("std-"))
    };
    let entries = std::fs::read_dir(targets).ok()?.flatten();
    let mut found = entries
        .map(|entry| entry.path().join("lib"))
        .filter(has_std);
    let only = found.next()?;
    found.next().is_none().then_some(only)
}
