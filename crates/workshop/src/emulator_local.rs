//! What runs beside Bedrock from the start: queues, Lambda functions and what invokes them, from
//! `--local FILE` and `--function`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use aws_local::{
    Services,
    lambda::{EventSource, Function},
};
use bedrock_emulator::Emulator;
use serde::Deserialize;
use serde_json::json;

/// What `workshop emulator --help-local` prints: a file with every key.
pub(crate) const TEMPLATE: &str = r#"# What runs beside Bedrock from the start. Every table may be given several times; keys
# that are commented out show their defaults, or an example.

# An SQS queue. A name that ends in ".fifo" makes it first in, first out.
[[queue]]
name = "jobs"
# visibility_timeout = 30              # seconds; six times the function's timeout is AWS's advice
# delay = 0                            # seconds
# dead_letter_queue = "jobs-dead"      # made as well, unless the file has it
# receives_max = 3                     # then a message goes there
# content_based_deduplication = false  # FIFO queues only

# A Lambda function: a compiled program that uses `lambda_runtime`. Paths are seen from this file.
[[function]]
name = "ask"
program = "target/debug/ask"
# role = "arn:aws:iam::123456789012:role/ask-role"  # its policies: [[role]] in the --config file
# timeout = 3                          # seconds, also 0.5
# memory = 128                         # megabytes; told to the function, not enforced
# concurrency = 10                     # reserved; default: none
# environment = { TABLE = "answers" }

# A queue whose messages invoke a function.
[[mapping]]
queue = "jobs"
function = "ask"
# batch_size = 10
# batching_window = 0                  # seconds
# report_batch_item_failures = false
# concurrency = 5                      # invocations at once; 2 or more
"#;

/// What is to run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Local {
    #[serde(default, rename = "queue")]
    queues: Vec<QueueKey>,
    #[serde(default, rename = "function")]
    functions: Vec<FunctionKey>,
    #[serde(default, rename = "mapping")]
    mappings: Vec<MappingKey>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct QueueKey {
    name: String,
    visibility_timeout: Option<u32>,
    delay: Option<u32>,
    dead_letter_queue: Option<String>,
    receives_max: Option<u32>,
    content_based_deduplication: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionKey {
    name: String,
    program: PathBuf,
    role: Option<String>,
    timeout: Option<f64>,
    memory: Option<u32>,
    concurrency: Option<u32>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingKey {
    queue: String,
    function: String,
    batch_size: Option<u32>,
    batching_window: Option<u64>,
    #[serde(default)]
    report_batch_item_failures: bool,
    concurrency: Option<u32>,
}

impl Local {
    /// Adds what a file says.
    pub(crate) fn read(&mut self, path: &Path) -> anyhow::Result<()> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("--local: cannot read {}", path.display()))?;
        let mut read: Self = toml::from_str(&text).with_context(|| {
            format!(
                "--local: {} cannot be used; `workshop emulator --help-local` shows every key",
                path.display()
            )
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for function in &mut read.functions {
            function.program = folder.join(&function.program);
        }
        self.queues.extend(read.queues);
        self.functions.extend(read.functions);
        self.mappings.extend(read.mappings);
        Ok(())
    }

    /// Adds `ask=target/debug/ask,queue=jobs,timeout=10`.
    pub(crate) fn function(&mut self, keys: &str) -> anyhow::Result<()> {
        let mut pairs = keys.split(',').map(|pair| pair.split_once('='));
        let wrong = || {
            anyhow!(
                "--function {keys:?}: write NAME=PROGRAM, then perhaps ,queue=NAME ,timeout=SECONDS \
                 ,role=ARN ,memory=MEGABYTES"
            )
        };
        let (name, program) = pairs.next().flatten().ok_or_else(wrong)?;
        let mut function = FunctionKey {
            name: name.to_owned(),
            program: program.into(),
            role: None,
            timeout: None,
            memory: None,
            concurrency: None,
            environment: BTreeMap::new(),
        };
        for pair in pairs {
            let (key, value) = pair.ok_or_else(wrong)?;
            match key {
                "timeout" => function.timeout = Some(value.parse().map_err(|_| wrong())?),
                "memory" => function.memory = Some(value.parse().map_err(|_| wrong())?),
                "role" => function.role = Some(value.to_owned()),
                "queue" => self.mappings.push(MappingKey {
                    queue: value.to_owned(),
                    function: name.to_owned(),
                    report_batch_item_failures: true,
                    ..MappingKey::default()
                }),
                _ => return Err(wrong()),
            }
        }
        self.functions.push(function);
        Ok(())
    }

    /// The functions' names, for people.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.functions.iter().map(|f| f.name.as_str()).collect()
    }

    /// Makes all of it.
    pub(crate) fn start(&self, services: &Services, emulator: &Emulator) -> anyhow::Result<()> {
        for function in &self.functions {
            let name = &function.name;
            let created = services.lambda.create(function.function()?);
            created.with_context(|| format!("the function {name}"))?;
            if !function.program.is_file() {
                eprintln!(
                    "The program of the function {name} is not there yet: {}; build it before the \
                     function is invoked.",
                    function.program.display()
                );
            }
        }
        self.open_queues(services, emulator)?;
        for mapping in &self.mappings {
            let mapped = services.lambda.map(mapping.source());
            mapped.with_context(|| {
                format!("the mapping of {} to {}", mapping.queue, mapping.function)
            })?;
        }
        Ok(())
    }

    /// Queues of the file, and those that only a mapping or another queue names.
    fn open_queues(&self, services: &Services, emulator: &Emulator) -> anyhow::Result<()> {
        let config = emulator.config();
        let (account, region) = (&config.account_id, &config.region);
        let named = |name: &str| self.queues.iter().any(|queue| queue.name == name);
        let open = |name: &str, attributes: &BTreeMap<String, String>| {
            let opened = services.sqs.create(account, region, name, attributes);
            opened.map_err(|error| anyhow!("the queue {name}: {}", error.message()))
        };
        // Where messages end is there before where they come from.
        let (later, first): (Vec<_>, Vec<_>) = self
            .queues
            .iter()
            .partition(|queue| queue.dead_letter_queue.is_some());
        for queue in &later {
            if let Some(dead) = queue
                .dead_letter_queue
                .as_deref()
                .filter(|dead| !named(dead))
            {
                open(dead, &fifo(dead))?;
            }
        }
        for queue in first.into_iter().chain(later) {
            open(&queue.name, &queue.attributes(account, region))?;
        }
        for mapping in &self.mappings {
            if !named(&mapping.queue) && !mapping.queue.starts_with("arn:") {
                let mut attributes = fifo(&mapping.queue);
                let function = self.functions.iter().find(|f| f.name == mapping.function);
                let timeout = function.and_then(|f| f.timeout).unwrap_or(3.0);
                // AWS's advice: six times the function's timeout.
                let visibility = (timeout * 6.0).clamp(30.0, 43_200.0).ceil();
                attributes.insert("VisibilityTimeout".to_owned(), format!("{visibility:.0}"));
                open(&mapping.queue, &attributes)?;
            }
        }
        Ok(())
    }
}

fn fifo(name: &str) -> BTreeMap<String, String> {
    #[expect(
        clippy::case_sensitive_file_extension_comparisons,
        reason = "a queue's name, not a file's"
    )]
    let fifo = name.ends_with(".fifo");
    let attribute = fifo.then(|| ("FifoQueue".to_owned(), "true".to_owned()));
    attribute.into_iter().collect()
}

impl QueueKey {
    fn attributes(&self, account: &str, region: &str) -> BTreeMap<String, String> {
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
    fn function(&self) -> anyhow::Result<Function> {
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
        function.environment.clone_from(&self.environment);
        Ok(function)
    }
}

impl MappingKey {
    fn source(&self) -> EventSource {
        let mut source = EventSource::new(&self.queue, &self.function);
        source.batch_size = self.batch_size.unwrap_or(source.batch_size);
        source.batching_window = Duration::from_secs(self.batching_window.unwrap_or_default());
        source.report_batch_item_failures = self.report_batch_item_failures;
        source.concurrency_max = self.concurrency;
        source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_every_key_in_use() {
        let local: Local = toml::from_str(TEMPLATE).unwrap();
        assert_eq!(local.names(), ["ask"]);
        // What is commented out is a key as well.
        let all: String = TEMPLATE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(key) if key.contains(" = ") => format!("{key}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let local: Local = toml::from_str(&all).unwrap();
        assert_eq!(local.functions[0].environment["TABLE"], "answers");
        assert_eq!(local.mappings[0].concurrency, Some(5));
        let queue = local.queues[0].attributes("1", "r");
        assert_eq!(queue["VisibilityTimeout"], "30");
        assert!(queue["RedrivePolicy"].contains("arn:aws:sqs:r:1:jobs-dead"));
    }

    #[test]
    fn a_function_can_stand_on_the_command_line() {
        let mut local = Local::default();
        local
            .function("ask=target/debug/ask,queue=jobs,timeout=0.5")
            .unwrap();
        assert_eq!(local.functions[0].timeout, Some(0.5));
        assert_eq!(local.mappings[0].queue, "jobs");
        for wrong in [
            "ask",
            "ask=x,colour=blue",
            "ask=x,timeout=soon",
            "ask=x,queue",
        ] {
            let refused = local.function(wrong).unwrap_err().to_string();
            assert!(refused.contains("NAME=PROGRAM"), "{refused}");
        }
    }
}
