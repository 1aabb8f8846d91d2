//! What the tests share.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use lambda_host::{FunctionConfig, Host, Invocation, InvokeError, Invoked, Setup};
use serde_json::Value;

/// A program of this crate's `tests` folder, which cargo builds as an example.
pub(crate) fn program(name: &str) -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let profile = deps.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join(name);
    assert!(
        program.exists(),
        "{} is missing: cargo builds it with `cargo test -p lambda-host` and with `cargo build -p \
         lambda-host --examples`",
        program.display()
    );
    program
}

/// The function with AWS's defaults, but more time: the machine may be busy.
pub(crate) fn config() -> FunctionConfig {
    FunctionConfig {
        timeout: Duration::from_mins(1),
        ..FunctionConfig::new("f", program("lambda-host-function"))
    }
}

/// A host with that function.
pub(crate) fn host(change: impl FnOnce(&mut FunctionConfig)) -> Host {
    host_with(Setup::default(), change)
}

pub(crate) fn host_with(setup: Setup, change: impl FnOnce(&mut FunctionConfig)) -> Host {
    let host = Host::new(setup);
    let mut config = config();
    change(&mut config);
    host.create(config).unwrap();
    host
}

pub(crate) async fn try_invoke(host: &Host, event: &str) -> Result<Invoked, InvokeError> {
    host.invoke("f", Invocation::new(event.to_owned())).await
}

pub(crate) async fn invoke(host: &Host, event: &str) -> Invoked {
    try_invoke(host, event).await.unwrap()
}

pub(crate) fn json(invoked: &Invoked) -> Value {
    serde_json::from_slice(&invoked.payload).unwrap()
}

/// The answer of a function that succeeded.
pub(crate) async fn answer(host: &Host, event: &str) -> Value {
    let invoked = invoke(host, event).await;
    assert_eq!(invoked.function_error, None, "{:?}", invoked.payload);
    json(&invoked)
}

pub(crate) fn log(invoked: &Invoked) -> Vec<&str> {
    invoked.log.iter().map(|e| e.message.as_str()).collect()
}

/// Whether a process exists and is no zombie.
pub(crate) fn runs(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}

/// Whether anything of a process is left, a zombie included.
pub(crate) fn exists(pid: u64) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Waits for what another process does on its own. It gives up after half a minute.
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::yield_now();
    }
}
