//! The environment variables a function finds, and no others.
//!
//! Names and values follow the developer guide's list of defined runtime environment variables.
//! `AWS_EXECUTION_ENV` is absent on purpose: OS-only runtimes, which `provided.al2023` is, do not
//! define it.

use std::{collections::BTreeMap, ffi::OsString, path::Path};

use crate::FunctionConfig;

/// What Lambda does not let a function set (developer guide, reserved variables).
const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// What of our own environment a program needs to be found and to run: where programs and shared
/// libraries are (this workspace's binaries link one), and what Windows cannot do without.
const PASSED_ON: &[&str] = &[
    "PATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "SystemRoot",
];

/// The variable that marks everything a host started, so that its warden finds it.
pub(crate) const MARKER: &str = "LAMBDA_HOST_ID";

/// Refuses variables that Lambda refuses.
pub(crate) fn check(environment: &BTreeMap<String, String>) -> Result<(), String> {
    let reserved: Vec<&str> = environment
        .keys()
        .map(String::as_str)
        .filter(|name| RESERVED.contains(name) || *name == MARKER)
        .collect();
    if !reserved.is_empty() {
        let reserved = reserved.join(", ");
        return Err(format!(
            "Lambda was unable to configure your environment variables because the environment \
             variables you have provided contains reserved keys that are currently not supported \
             for modification. Reserved keys used in this request: {reserved}"
        ));
    }
    // Service model: `[a-zA-Z]([a-zA-Z0-9_])+`.
    let plain = |name: &str| {
        name.len() >= 2
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match environment.iter().find(|(name, _)| !plain(name)) {
        Some((name, _)) => Err(format!(
            "the environment variable name '{name}' must be a letter followed by letters, digits \
             and '_', two characters at least"
        )),
        None => match environment.iter().find(|(_, value)| value.contains('\0')) {
            Some((name, _)) => Err(format!(
                "the value of the environment variable '{name}' holds a NUL character"
            )),
            None => Ok(()),
        },
    }
}

/// All variables of one environment of a function.
pub(crate) fn of(
    config: &FunctionConfig,
    log_stream: &str,
    runtime_api: &str,
    marker: &str,
) -> BTreeMap<OsString, OsString> {
    let mut all: BTreeMap<OsString, OsString> = BTreeMap::new();
    for name in PASSED_ON {
        if let Some(value) = std::env::var_os(name) {
            all.insert(name.into(), value);
        }
    }
    all.insert("LANG".into(), "en_US.UTF-8".into());
    all.insert("TZ".into(), ":UTC".into());
    for (name, value) in &config.environment {
        all.insert(name.into(), value.into());
    }
    let memory = config.memory_mb.to_string();
    let group = config.log_group();
    for (name, value) in [
        ("_HANDLER", config.handler.as_str()),
        ("AWS_REGION", &config.region),
        ("AWS_DEFAULT_REGION", &config.region),
        ("AWS_LAMBDA_FUNCTION_NAME", &config.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", &config.version),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
        (MARKER, marker),
    ] {
        all.insert(name.into(), value.into());
    }
    all.insert("LAMBDA_TASK_ROOT".into(), task_root(config).into());
    if let Some(credentials) = &config.credentials {
        let mut set = |name: &str, value: &str| all.insert(name.into(), value.into());
        set("AWS_ACCESS_KEY_ID", &credentials.access_key_id);
        set("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key);
        if let Some(token) = &credentials.session_token {
            set("AWS_SESSION_TOKEN", token);
        }
    }
    all
}

/// The folder of the program: what `/var/task` is on AWS. It is the working directory too.
pub(crate) fn task_root(config: &FunctionConfig) -> &Path {
    match config.program.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
