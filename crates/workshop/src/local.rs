//! What runs beside Bedrock from the start: queues, tables, Lambda functions and what invokes them, from
//! `--local FILE` and `--function`.
//!
//! Read in this order: [`Local`], then `keys` (the file's tables, one by one).

mod keys;

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use anyhow::{Context as _, anyhow, bail};
use aws_local::Services;
use bedrock_emulator::{Emulator, OnBehalf, Request};
use bedrock_endpoint::Endpoint;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use self::keys::{
    ApiKey, FunctionKey, MachineKey, MappingKey, QueueKey, SecretKey, TableKey, fifo,
};
use crate::cli::LocalArgs;

/// What `--help-local` prints: a file with every key.
pub(crate) const TEMPLATE: &str = r#"# What runs beside Bedrock from the start. Every table may be given several times; keys
# that are commented out show their defaults, or an example. A reset of the account gives back
# what this file says: queues and tables are empty, secrets have these values, executions are gone.

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
# environment = { TABLE = "answers", MODEL_ID = "${model.haiku}" }
#   also ${account}, ${region}, ${endpoint}; in a state machine's definition as well

# A queue whose messages invoke a function.
[[mapping]]
queue = "jobs"
function = "ask"
# batch_size = 10
# batching_window = 0                  # seconds
# report_batch_item_failures = false
# concurrency = 5                      # invocations at once; 2 or more

# A DynamoDB table. A key is a string, unless its type follows: "at:N".
[[table]]
name = "answers"
partition_key = "job_id"
# sort_key = "at:N"

# A secret of Secrets Manager.
[[secret]]
name = "pepper"
value = "only-for-this-machine"

# A state machine of Step Functions: its definition in the Amazon States Language.
[[state_machine]]
name = "answer"
definition = "answer.asl.json"
# express = false
# role = "arn:aws:iam::123456789012:role/answer-role"

# An API of API Gateway: an OpenAPI 3 document in JSON with API Gateway's extensions, whose
# integrations name functions; and what the document does not hold, with the names of API
# Gateway's own API: stage, usagePlans, apiKeys.
[[api]]
document = "api.json"
# settings = "api-settings.json"
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
    #[serde(default, rename = "table")]
    tables: Vec<TableKey>,
    #[serde(default, rename = "secret")]
    secrets: Vec<SecretKey>,
    #[serde(default, rename = "state_machine")]
    machines: Vec<MachineKey>,
    #[serde(default, rename = "api")]
    apis: Vec<ApiKey>,
}

impl Local {
    /// What the command line says.
    pub(crate) fn of(args: &LocalArgs) -> anyhow::Result<Self> {
        let read = args.local.as_deref().map(Self::read).transpose()?;
        let mut local = read.unwrap_or_default();
        for keys in &args.function {
            local.function(keys)?;
        }
        Ok(local)
    }

    /// What a file says; its paths are seen from where it lies.
    fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("--local: cannot read {}", path.display()))?;
        let mut read: Self = toml::from_str(&text).with_context(|| {
            format!(
                "--local: {} cannot be used; `--help-local` shows every key",
                path.display()
            )
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for function in &mut read.functions {
            function.program = folder.join(&function.program);
        }
        for machine in &mut read.machines {
            machine.definition = folder.join(&machine.definition);
        }
        for api in &mut read.apis {
            api.document = folder.join(&api.document);
            api.settings = api.settings.as_ref().map(|path| folder.join(path));
        }
        Ok(read)
    }

    /// Adds `ask=target/debug/ask,queue=jobs,timeout=10`.
    fn function(&mut self, keys: &str) -> anyhow::Result<()> {
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

    /// Makes all of it. Returns what to tell people about it: a word, and names or addresses.
    pub(crate) async fn start(
        &self,
        services: &Services,
        endpoint: &Endpoint,
    ) -> anyhow::Result<Vec<(&'static str, String)>> {
        let emulator = endpoint.emulator();
        self.create_functions(services, endpoint)?;
        self.open_queues(services, emulator)?;
        for mapping in &self.mappings {
            let mapped = services.lambda.map(mapping.source());
            mapped.with_context(|| {
                format!("the mapping of {} to {}", mapping.queue, mapping.function)
            })?;
        }
        for table in &self.tables {
            let made = ask(emulator, "DynamoDB_20120810.CreateTable", &table.request()).await;
            made.with_context(|| format!("the table {}", table.name))?;
        }
        for secret in &self.secrets {
            let made = ask(emulator, "secretsmanager.CreateSecret", &secret.request()).await;
            made.with_context(|| format!("the secret {}", secret.name))?;
        }
        for machine in &self.machines {
            let what = || format!("the state machine {}", machine.name);
            let account = &emulator.config().account_id;
            let request = machine.request(account, |text| fill(text, endpoint));
            let request = request.with_context(what)?;
            let made = ask(emulator, "AWSStepFunctions.CreateStateMachine", &request).await;
            made.with_context(what)?;
        }
        services.keep(&emulator.config().account_id);
        let mut apis = Vec::new();
        for key in &self.apis {
            let api = key.api().context("--local")?;
            for warning in api.warnings() {
                eprintln!("{warning}");
            }
            let path = services
                .gateway
                .deploy(api, Arc::new(services.lambda.clone()));
            apis.push(format!("{}{path}", endpoint.url()));
        }
        let queues: Vec<_> = self.queues.iter().map(|q| q.name.as_str()).collect();
        let tables: Vec<_> = self.tables.iter().map(|t| t.name.as_str()).collect();
        let functions: Vec<_> = self.functions.iter().map(|f| f.name.as_str()).collect();
        let machines: Vec<_> = self.machines.iter().map(|m| m.name.as_str()).collect();
        let told = [
            ("Queues", queues.join(", ")),
            ("Tables", tables.join(", ")),
            ("Lambda functions", functions.join(", ")),
            ("State machines", machines.join(", ")),
            ("APIs", apis.join(", ")),
        ];
        Ok(told
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .collect())
    }

    fn create_functions(&self, services: &Services, endpoint: &Endpoint) -> anyhow::Result<()> {
        for function in &self.functions {
            let name = &function.name;
            let what = || format!("the function {name}");
            let made = function.function(|value| fill(value, endpoint));
            let created = services.lambda.create(made.with_context(what)?);
            created.with_context(what)?;
            if !function.program.is_file() {
                eprintln!(
                    "The program of the function {name} is not there yet: {}; build it before the \
                     function is invoked.",
                    function.program.display()
                );
            }
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

/// The text with its `${…}` filled in.
fn fill(text: &str, endpoint: &Endpoint) -> anyhow::Result<String> {
    let config = endpoint.emulator().config();
    let mut pieces = text.split("${");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let named = piece.split_once('}');
        let (name, rest) = named.ok_or_else(|| anyhow!("${{{piece} has no end"))?;
        match name {
            "account" => filled += &config.account_id,
            "region" => filled += &config.region,
            "endpoint" => filled += &endpoint.url(),
            _ => filled += &model(name, endpoint.emulator())?,
        }
        filled += rest;
    }
    Ok(filled)
}

/// `model.haiku`: the id to call.
fn model(name: &str, emulator: &Emulator) -> anyhow::Result<String> {
    let (catalogue, region) = (emulator.catalogue(), &emulator.config().region);
    let alias = name.strip_prefix("model.");
    let found = alias.and_then(|alias| catalogue.id_to_call(alias, region));
    found.ok_or_else(|| {
        let known = catalogue.models.iter().filter_map(|m| m.alias.as_deref());
        let known: Vec<_> = known.map(|alias| format!("${{model.{alias}}}")).collect();
        anyhow!(
            "${{{name}}} stands for nothing; ${{account}}, ${{region}}, ${{endpoint}}, {} do",
            known.join(", ")
        )
    })
}

/// Has a service make something, in the name of a role of this file.
async fn ask(emulator: &Arc<Emulator>, target: &str, input: &Value) -> anyhow::Result<()> {
    let config = emulator.config();
    let role = format!(
        "arn:aws:iam::{}:role/workshop-local-file",
        config.account_id
    );
    let caller = OnBehalf {
        role_arn: &role,
        session_name: "start",
        region: &config.region,
        actor: None,
    };
    let version = if target.starts_with("secrets") {
        "1.1"
    } else {
        "1.0"
    };
    let headers = [
        ("content-type", format!("application/x-amz-json-{version}")),
        ("x-amz-target", target.to_owned()),
    ];
    let request = Request {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: headers.into(),
        body: input.to_string().into(),
        connection: 0,
    };
    let now = OffsetDateTime::now_utc();
    let reply = emulator.call_as(caller, Arc::new(request), now).await;
    if reply.status == 200 {
        return Ok(());
    }
    let body = reply.body.bytes();
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    let message = ["message", "Message"].map(|name| said[name].as_str());
    match message.into_iter().flatten().next() {
        Some(message) => bail!("{message}"),
        None => bail!("{}", String::from_utf8_lossy(&body)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_every_key_in_use() {
        let local: Local = toml::from_str(TEMPLATE).unwrap();
        assert_eq!(local.functions[0].name, "ask");
        assert_eq!(
            local.tables[0].request()["KeySchema"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
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
        let table = local.tables[0].request();
        assert_eq!(table["AttributeDefinitions"][1]["AttributeType"], "N");
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
