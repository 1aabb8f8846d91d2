//! `workshop doctor`: one line for each thing that can be wrong, with its cure.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
    sync::Arc,
};

use aws_local::{Services, SystemClock};
use bedrock_emulator::{Config, catalogue::Catalogue};
use bedrock_endpoint::Setup;
use serde::Serialize;
use time::OffsetDateTime;

use crate::{cli, exit, running::Running, source::Source, style};

/// The oldest compiler that builds the workspace (`rust-version` in Cargo.toml).
const OLDEST_RUST: (u32, u32) = (1, 95);
/// What a first build, all exercises and some room need.
const DISK_NEEDED_GB: u64 = 3;

#[derive(Debug, Serialize)]
struct Finding {
    name: &'static str,
    state: State,
    saw: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    cure: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Note,
    Bad,
}

impl Finding {
    fn ok(name: &'static str, saw: impl Into<String>) -> Self {
        Self::new(name, State::Ok, saw, "")
    }

    fn new(
        name: &'static str,
        state: State,
        saw: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            name,
            state,
            saw: saw.into(),
            cure: cure.into(),
        }
    }
}

pub(crate) async fn run(args: &cli::Doctor, source: &Source) -> anyhow::Result<u8> {
    let findings = [
        rust(),
        linker(),
        disk(source),
        port("site port", 3000, source),
        port("emulator port", 4566, source),
        emulator().await,
        exercises(source),
        prebuilt(source),
        clock(),
        credentials(),
    ];
    if args.json {
        println!("{}", serde_json::to_string(&findings)?);
    } else {
        for finding in &findings {
            print_line(finding);
        }
    }
    let bad = findings.iter().any(|f| f.state == State::Bad);
    Ok(if bad { exit::BROKEN_SETUP } else { exit::OK })
}

fn print_line(finding: &Finding) {
    let mark = match finding.state {
        State::Ok => style::green("ok  "),
        State::Note => style::yellow("note"),
        State::Bad => style::red("bad "),
    };
    println!("{mark}  {:<14} {}", finding.name, finding.saw);
    if !finding.cure.is_empty() {
        println!("      {:<14} → {}", "", finding.cure);
    }
}

fn rust() -> Finding {
    const CURE: &str = "install or update Rust with rustup: `rustup update stable`";
    let Some(version) = output("rustc", &["--version"]) else {
        return Finding::new("rust", State::Bad, "rustc does not run", CURE);
    };
    if output("cargo", &["--version"]).is_none() {
        return Finding::new("rust", State::Bad, "cargo does not run", CURE);
    }
    match parse_rust_version(&version) {
        Some(found) if found >= OLDEST_RUST => Finding::ok("rust", version),
        _ => Finding::new(
            "rust",
            State::Bad,
            format!(
                "{version}; {}.{} or newer is needed",
                OLDEST_RUST.0, OLDEST_RUST.1
            ),
            CURE,
        ),
    }
}

fn parse_rust_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn linker() -> Finding {
    if cfg!(windows) {
        return Finding::ok("linker", "comes with the toolchain's build tools");
    }
    match output("cc", &["--version"]) {
        Some(text) => Finding::ok("linker", text.lines().next().unwrap_or("cc").to_owned()),
        None => Finding::new(
            "linker",
            State::Bad,
            "cc does not run",
            "install a C linker: Debian and Ubuntu `apt install gcc`, Fedora `dnf install gcc`, macOS `xcode-select --install`",
        ),
    }
}

#[cfg(unix)]
fn disk(source: &Source) -> Finding {
    let folder = source.folder.clone().unwrap_or_else(|| ".".into());
    match rustix::fs::statvfs(&folder) {
        Ok(stat) => {
            let free = stat.f_bavail.saturating_mul(stat.f_frsize) >> 30;
            if free >= DISK_NEEDED_GB {
                Finding::ok("disk", format!("{free} GB free"))
            } else {
                Finding::new(
                    "disk",
                    State::Bad,
                    format!("{free} GB free, {DISK_NEEDED_GB} GB are needed"),
                    "free some room, or set CARGO_TARGET_DIR to a folder on another disk",
                )
            }
        }
        Err(error) => Finding::new("disk", State::Note, format!("cannot tell: {error}"), ""),
    }
}

#[cfg(not(unix))]
fn disk(_source: &Source) -> Finding {
    Finding::new(
        "disk",
        State::Note,
        format!("not looked at on this system; {DISK_NEEDED_GB} GB are needed"),
        "",
    )
}

fn port(name: &'static str, port: u16, source: &Source) -> Finding {
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    if TcpListener::bind(addr).is_ok() {
        return Finding::ok(name, format!("{addr} is free"));
    }
    let ours = Running::find(source.workspace.as_ref());
    if ours.is_some_and(|r| r.emulator == addr || r.site == Some(addr)) {
        return Finding::ok(name, format!("{addr}: this workshop is running there"));
    }
    Finding::new(
        name,
        State::Note,
        format!("{addr} is in use by another program"),
        "start with other ports: `workshop serve --addr 127.0.0.1:0 --emulator-addr 127.0.0.1:0`",
    )
}

async fn emulator() -> Finding {
    let services = Services::new(Arc::new(SystemClock));
    let (config, setup) = (Config::default(), Setup::default());
    let loopback = ([127, 0, 0, 1], 0).into();
    match super::emulator::start(&services, config, loopback, setup).await {
        Ok(endpoint) => match tokio::net::TcpStream::connect(endpoint.addr()).await {
            Ok(_) => Finding::ok("emulator", "starts and accepts connections"),
            Err(error) => Finding::new(
                "emulator",
                State::Bad,
                format!("does not accept connections: {error}"),
                "a firewall or security tool blocks loopback connections; allow 127.0.0.1",
            ),
        },
        Err(error) => Finding::new("emulator", State::Bad, format!("{error:#}"), ""),
    }
}

fn exercises(source: &Source) -> Finding {
    match &source.workspace {
        Some(workspace) => Finding::ok("exercises", workspace.root().display().to_string()),
        None => Finding::new(
            "exercises",
            State::Note,
            "no checkout here; posts and the emulator work, exercises do not",
            "run this inside a clone of the workshop",
        ),
    }
}

fn prebuilt(source: &Source) -> Finding {
    const NAME: &str = "dependencies";
    let Some(workspace) = &source.workspace else {
        return Finding::new(NAME, State::Note, "not needed without exercises", "");
    };
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.root().join("target"), Into::into);
    if has_prelinked(&target.join("debug/deps")) {
        Finding::ok(NAME, "built; checks take about a second")
    } else {
        Finding::new(
            NAME,
            State::Note,
            "not built yet; the first check takes a minute or two",
            "build them now: `cargo test --no-run -p ex000 --test check`",
        )
    }
}

fn has_prelinked(deps: &Path) -> bool {
    let Ok(entries) = fs::read_dir(deps) else {
        return false;
    };
    entries
        .flatten()
        .any(|e| e.file_name().to_string_lossy().contains("workshop_prelink"))
}

fn clock() -> Finding {
    let now = OffsetDateTime::now_utc();
    let Ok(catalogue) = Catalogue::built_in() else {
        return Finding::new("clock", State::Note, now.to_string(), "");
    };
    if now.date() >= catalogue.as_of {
        Finding::ok("clock", format!("{} UTC", now.date()))
    } else {
        Finding::new(
            "clock",
            State::Bad,
            format!(
                "{} lies before this course was made ({})",
                now.date(),
                catalogue.as_of
            ),
            "set the clock; AWS refuses requests that are five minutes off",
        )
    }
}

fn credentials() -> Finding {
    let source = if env::var_os("AWS_BEARER_TOKEN_BEDROCK").is_some() {
        "a Bedrock API key (AWS_BEARER_TOKEN_BEDROCK)"
    } else if env::var_os("AWS_ACCESS_KEY_ID").is_some() {
        "keys in the environment (AWS_ACCESS_KEY_ID)"
    } else if env::var_os("AWS_PROFILE").is_some() {
        "a profile (AWS_PROFILE)"
    } else {
        return Finding::new(
            "credentials",
            State::Note,
            "none in the environment; the emulator needs none of your own",
            "",
        );
    };
    Finding::ok(
        "credentials",
        format!("{source}; used only with `workshop check --target bedrock`"),
    )
}

fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_versions_compare_by_number() {
        assert_eq!(
            parse_rust_version("rustc 1.95.0 (abc 2026-03-21)"),
            Some((1, 95))
        );
        assert_eq!(parse_rust_version("rustc 1.100.0-nightly"), Some((1, 100)));
        assert_eq!(parse_rust_version("rustc"), None);
        assert!((1, 100) > OLDEST_RUST);
    }
}
