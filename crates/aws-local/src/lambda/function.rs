//! A function as it is registered, and as the API tells it.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lambda_host::{Credentials, FunctionConfig};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::place::{LATEST, Place, Reference};

/// A function: a compiled program and what Lambda needs to know about it. [`Function::new`] gives
/// Lambda's defaults.
#[derive(Debug, Clone)]
pub struct Function {
    /// 1 to 64 letters, digits, `-` and `_`.
    pub name: String,
    /// The compiled program: AWS's `bootstrap`.
    pub program: PathBuf,
    /// What the program is started with; nothing on AWS. For a program that is more than one function.
    pub arguments: Vec<String>,
    /// The ARN of the execution role, whose policies decide what the function may do. `None`:
    /// `<name>-role`, which has its account's policies unless it is configured.
    pub role: Option<String>,
    /// For people.
    pub description: String,
    /// The function's own variables. `AWS_ENDPOINT_URL` is added unless it is here.
    pub environment: BTreeMap<String, String>,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// 128 to 10,240. Told to the function and the log; not enforced.
    pub memory_mb: u32,
    /// Environments at once; `Some(0)` turns the function off. `None`: what the account has.
    pub reserved_concurrency: Option<u32>,
    /// How often an asynchronous invocation that failed is tried again: 0, 1 or 2.
    pub event_retries_max: u32,
    /// `None`: the emulator's own.
    pub account: Option<String>,
    /// `None`: the emulator's own.
    pub region: Option<String>,
}

impl Function {
    /// A function with Lambda's defaults: 3 seconds, 128 MB, no reserved concurrency, two retries of
    /// asynchronous invocations.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            arguments: Vec::new(),
            role: None,
            description: String::new(),
            environment: BTreeMap::new(),
            timeout: Duration::from_secs(3),
            memory_mb: 128,
            reserved_concurrency: None,
            event_retries_max: 2,
            account: None,
            region: None,
        }
    }
}

/// A function that is there.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) place: Place,
    pub(super) function: Function,
    /// As it was before the API changed it.
    pub(super) registered: Function,
    pub(super) modified: OffsetDateTime,
    /// Counts changes.
    pub(super) revision: u32,
}

impl Kept {
    pub(super) fn role(&self) -> String {
        let Place { account, name, .. } = &self.place;
        let role = self.function.role.clone();
        role.unwrap_or_else(|| format!("arn:aws:iam::{account}:role/{name}-role"))
    }

    /// What the host is told. The endpoint is this emulator, unless the function has its own.
    pub(super) fn host_config(
        &self,
        credentials: Option<Credentials>,
        endpoint_url: &str,
    ) -> FunctionConfig {
        let Function {
            timeout,
            memory_mb,
            reserved_concurrency,
            event_retries_max,
            ..
        } = self.function;
        let mut environment = self.function.environment.clone();
        let endpoint = environment.entry("AWS_ENDPOINT_URL".to_owned());
        endpoint.or_insert_with(|| endpoint_url.to_owned());
        FunctionConfig {
            arguments: self.function.arguments.clone(),
            environment,
            credentials,
            timeout,
            memory_mb,
            reserved_concurrency,
            event_retries_max,
            region: self.place.region.clone(),
            account: self.place.account.clone(),
            ..FunctionConfig::new(&self.function.name, &self.function.program)
        }
    }

    /// `FunctionConfiguration` of the service model.
    pub(super) fn json(&self, reference: Option<&Reference>) -> Value {
        let function = &self.function;
        let program = std::fs::metadata(&function.program).ok();
        let size = program.as_ref().map_or(0, std::fs::Metadata::len);
        let changed = program.and_then(|program| program.modified().ok());
        let code = format!("{}{size}{changed:?}", function.program.display());
        let seconds = function.timeout.as_millis().div_ceil(1_000);
        let mut told = json!({
            "FunctionName": self.place.name,
            "FunctionArn": reference.map_or_else(|| self.place.arn(), Reference::arn),
            "Runtime": "provided.al2023",
            "Role": self.role(),
            "Handler": "bootstrap",
            "CodeSize": size,
            "Description": function.description,
            "Timeout": u32::try_from(seconds).unwrap_or(u32::MAX),
            "MemorySize": function.memory_mb,
            "LastModified": self.modified(),
            // Of what tells one program from the next; the program itself may be long.
            "CodeSha256": STANDARD.encode(Sha256::digest(code.as_bytes())),
            "Version": LATEST,
            "TracingConfig": { "Mode": "PassThrough" },
            "RevisionId": self.revision_id(),
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": [if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }],
            "EphemeralStorage": { "Size": 512 },
            "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
            "LoggingConfig": {
                "LogFormat": "Text",
                "LogGroup": format!("/aws/lambda/{}", self.place.name),
            },
        });
        if !function.environment.is_empty() {
            told["Environment"] = json!({ "Variables": function.environment });
        }
        told
    }

    /// Another one after every change.
    pub(super) fn revision_id(&self) -> String {
        uuid_of(&format!("{} {}", self.place.arn(), self.revision))
    }

    /// `2026-08-19T14:34:34.000+0000`.
    fn modified(&self) -> String {
        let (date, time) = (self.modified.date(), self.modified.time());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        let millis = time.millisecond();
        format!("{date}T{hour:02}:{minute:02}:{second:02}.{millis:03}+0000")
    }
}

/// The same for the same text: it says what the thing is, not who made it.
pub(super) fn uuid_of(text: &str) -> String {
    use std::fmt::Write as _;

    let digest = Sha256::digest(text.as_bytes());
    let hex = digest[..16].iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}
