//! The tables of a `--local` file, and what each becomes.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use aws_local::{
    gateway::{Api, Settings},
    lambda::{EventSource, Function},
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueueKey {
    pub(super) name: String,
    pub(super) visibility_timeout: Option<u32>,
    pub(super) delay: Option<u32>,
    pub(super) dead_letter_queue: Option<String>,
    pub(super) receives_max: Option<u32>,
    pub(super) content_based_deduplication: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FunctionKey {
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) role: Option<String>,
    pub(super) timeout: Option<f64>,
    pub(super) memory: Option<u32>,
    pub(super) concurrency: Option<u32>,
    #[serde(default)]
    pub(super) environment: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MappingKey {
    pub(super) queue: String,
    pub(super) function: String,
    pub(super) batch_size: Option<u32>,
    pub(super) batching_window: Option<u64>,
    #[serde(default)]
    pub(super) report_batch_item_failures: bool,
    pub(super) concurrency: Option<u32>,
}

/// What a queue's name says about it.
pub(super) fn fifo(name: &str) -> BTreeMap<String, String> {
    #[expect(
        clippy::case_sensitive_file_extension_comparisons,
        reason = "a queue's name, not a file's"
    )]
    let fifo = name.ends_with(".fifo");
    let attribute = fifo.then(|| ("FifoQueue".to_owned(), "true".to_owned()));
    attribute.into_iter().collect()
}

impl QueueKey {
    /// As `CreateQueue` takes them.
    pub(super) fn attributes(&self, account: &str, region: &str) -> BTreeMap<String, String> {
        let mut attributes = fifo(&self.name);
        let mut set = |name: &str, value: Option<String>| {
            attributes.extend(value.map(|value| (name.to_owned(), value)));
        };
        set(
            "VisibilityTimeout",
            self.visibility_timeout.map(|n| n.to_string()),
        );
        set("DelaySeconds", self.delay.map(|n| n.to_string()));
        set(
            "ContentBasedDeduplication",
            self.content_based_deduplication.map(|b| b.to_string()),
        );
        let policy = self.dead_letter_queue.as_ref().map(|dead| {
            let arn = format!("arn:aws:sqs:{region}:{account}:{dead}");
            let most = self.receives_max.unwrap_or(3);
            json!({ "deadLetterTargetArn": arn, "maxReceiveCount": most }).to_string()
        });
        set("RedrivePolicy", policy);
        attributes
    }
}

impl FunctionKey {
    /// As the service takes it; `fill` fills in what a value of the environment names.
    pub(super) fn function(
        &self,
        fill: impl Fn(&str) -> anyhow::Result<String>,
    ) -> anyhow::Result<Function> {
        let mut function = Function::new(&self.name, &self.program);
        if let Some(seconds) = self.timeout {
            let Ok(timeout) = Duration::try_from_secs_f64(seconds) else {
                bail!(
                    "the function {}: timeout = {seconds} is no number of seconds",
                    self.name
                );
            };
            function.timeout = timeout;
        }
        function.role.clone_from(&self.role);
        function.memory_mb = self.memory.unwrap_or(function.memory_mb);
        function.reserved_concurrency = self.concurrency;
        for (name, value) in &self.environment {
            let value = fill(value).with_context(|| name.clone())?;
            function.environment.insert(name.clone(), value);
        }
        Ok(function)
    }
}

impl MappingKey {
    pub(super) fn source(&self) -> EventSource {
        let mut source = EventSource::new(&self.queue, &self.function);
        source.batch_size = self.batch_size.unwrap_or(source.batch_size);
        source.batching_window = Duration::from_secs(self.batching_window.unwrap_or_default());
        source.report_batch_item_failures = self.report_batch_item_failures;
        source.concurrency_max = self.concurrency;
        source
    }
}

/// A `DynamoDB` table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableKey {
    pub(super) name: String,
    pub(super) partition_key: String,
    pub(super) sort_key: Option<String>,
}

impl TableKey {
    /// The request `CreateTable`. A key is a name, or a name and its type: `at:N`.
    pub(super) fn request(&self) -> Value {
        let typed = |key: &str| {
            let (name, kind) = key.split_once(':').unwrap_or((key, "S"));
            (name.to_owned(), kind.to_owned())
        };
        let keys = [
            Some(("HASH", typed(&self.partition_key))),
            self.sort_key.as_deref().map(|key| ("RANGE", typed(key))),
        ];
        let (mut schema, mut definitions) = (Vec::new(), Vec::new());
        for (role, (name, kind)) in keys.into_iter().flatten() {
            schema.push(json!({ "AttributeName": name, "KeyType": role }));
            definitions.push(json!({ "AttributeName": name, "AttributeType": kind }));
        }
        json!({
            "TableName": self.name,
            "KeySchema": schema,
            "AttributeDefinitions": definitions,
            "BillingMode": "PAY_PER_REQUEST",
        })
    }
}

/// A secret of Secrets Manager.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretKey {
    pub(super) name: String,
    pub(super) value: String,
}

impl SecretKey {
    /// The request `CreateSecret`. The token is for requests that are sent twice; this one is not.
    pub(super) fn request(&self) -> Value {
        json!({
            "Name": self.name,
            "SecretString": self.value,
            "ClientRequestToken": "00000000-0000-4000-8000-000000000000",
        })
    }
}

/// A state machine of Step Functions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MachineKey {
    pub(super) name: String,
    pub(super) definition: PathBuf,
    #[serde(default)]
    pub(super) express: bool,
    pub(super) role: Option<String>,
}

impl MachineKey {
    /// The request `CreateStateMachine`.
    pub(super) fn request(
        &self,
        account: &str,
        fill: impl Fn(&str) -> anyhow::Result<String>,
    ) -> anyhow::Result<Value> {
        let definition = fill(&text(&self.definition)?)?;
        let role = || format!("arn:aws:iam::{account}:role/{}-role", self.name);
        Ok(json!({
            "name": self.name,
            "definition": definition,
            "roleArn": self.role.clone().unwrap_or_else(role),
            "type": if self.express { "EXPRESS" } else { "STANDARD" },
        }))
    }
}

/// An API of API Gateway.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKey {
    pub(super) document: PathBuf,
    pub(super) settings: Option<PathBuf>,
}

impl ApiKey {
    pub(super) fn api(&self) -> anyhow::Result<Api> {
        let shown = |path: &Path| path.display().to_string();
        let settings = match &self.settings {
            Some(path) => Settings::read(&shown(path), &text(path)?)?,
            None => Settings::default(),
        };
        let document = text(&self.document)?;
        Ok(Api::read(&shown(&self.document), &document, settings)?)
    }
}

fn text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
