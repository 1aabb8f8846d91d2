//! The services beside Bedrock, under the same requests as a peer: invocations of a warm function,
//! messages from `SendMessage` to the end of the function that got them, transitions of state machines.

use std::{
    fs,
    io::{Cursor, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{Args, http::Connection, server::Server};

const ACCOUNT: &str = "123456789012";
const ROLE: &str = "arn:aws:iam::123456789012:role/bench";
/// States of the machine that is run.
const STATES: usize = 50;
/// Messages in a batch.
const BATCH: usize = 10;

/// How much of each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amounts {
    pub(crate) invocations: usize,
    pub(crate) messages: usize,
    pub(crate) executions: usize,
}

/// A server with a function `bench`, and a queue `jobs` whose messages invoke it.
struct Candidate {
    name: String,
    server: Server,
    queue: String,
    machine: String,
    /// Rates of each round, per second: invocations, messages, transitions.
    rates: [Vec<f64>; 3],
}

pub(crate) async fn run(args: &Args, amounts: Amounts) -> anyhow::Result<()> {
    let function = std::env::current_exe()?.with_file_name("bench-function");
    if !function.is_file() {
        bail!(
            "{} is missing: `cargo build --release -p emulator-bench`",
            function.display()
        );
    }
    let mut candidates = vec![ours(args, &function).await?];
    for peer in &args.peer {
        let (name, command) = peer.split_once('=').context("--peer NAME=COMMAND")?;
        candidates.push(theirs(name, command, &function).await?);
    }
    println!(
        "Services; medians of {} rounds of {} invocations, {} messages, {} executions of {STATES} states, \
         taken in turns\n",
        args.rounds, amounts.invocations, amounts.messages, amounts.executions
    );
    for _ in 0..args.rounds {
        for candidate in &mut candidates {
            candidate.round(amounts).await?;
        }
    }
    println!(
        "| server | Lambda invocations/s | messages processed/s | state transitions/s | memory MiB | of it private |"
    );
    println!("|---|---|---|---|---|---|");
    let first = candidates[0].medians()?;
    for candidate in &candidates {
        let medians = candidate.medians()?;
        let cells = (0..5).map(|column| {
            let ratio = first[column] / medians[column];
            format!("{:.0} ({ratio:.2}×)", medians[column])
        });
        let cells: Vec<String> = cells.collect();
        println!("| {} | {} |", candidate.name, cells.join(" | "));
    }
    println!("\nIn brackets: what the first row has, divided by it.\n");
    Ok(())
}

async fn ours(args: &Args, function: &Path) -> anyhow::Result<Candidate> {
    let function = format!("bench={},queue=jobs,timeout=30", function.display());
    let server = Server::emulator_with(&args.workshop, false, &["--function", &function])?;
    let mut connection = Connection::open(server.addr).await?;
    let queue = queue(&mut connection).await?;
    let machine = machine(&mut connection).await?;
    Ok(Candidate {
        name: "Bedrock Workshop".to_owned(),
        server,
        queue,
        machine,
        rates: Default::default(),
    })
}

async fn theirs(name: &str, command: &str, function: &Path) -> anyhow::Result<Candidate> {
    let server = Server::peer(command).await?;
    let mut connection = Connection::open(server.addr).await?;
    let create = json!({
        "FunctionName": "bench", "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Role": ROLE, "Timeout": 30, "Code": { "ZipFile": STANDARD.encode(zipped(function)?) },
    });
    connection
        .rest("POST", "/2015-03-31/functions", "lambda", &create)
        .await?;
    let queue = queue(&mut connection).await?;
    let mapping = json!({
        "FunctionName": "bench", "BatchSize": BATCH,
        "EventSourceArn": format!("arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"),
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    });
    // Its account is its own, and told with the queue.
    let arn = json!({ "QueueUrl": queue, "AttributeNames": ["QueueArn"] });
    let told = connection
        .json("sqs", "AmazonSQS.GetQueueAttributes", &arn)
        .await?;
    let mut mapping = mapping;
    mapping["EventSourceArn"] = told["Attributes"]["QueueArn"].clone();
    connection
        .rest(
            "POST",
            "/2015-03-31/event-source-mappings",
            "lambda",
            &mapping,
        )
        .await?;
    let machine = machine(&mut connection).await?;
    Ok(Candidate {
        name: name.to_owned(),
        server,
        queue,
        machine,
        rates: Default::default(),
    })
}

/// The function as AWS wants it: a zip file with the program `bootstrap`.
fn zipped(function: &Path) -> anyhow::Result<Vec<u8>> {
    let program = fs::read(PathBuf::from(function))?;
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .unix_permissions(0o755);
    zip.start_file("bootstrap", stored)?;
    zip.write_all(&program)?;
    Ok(zip.finish()?.into_inner())
}

async fn queue(connection: &mut Connection) -> anyhow::Result<String> {
    let create = json!({ "QueueName": "jobs", "Attributes": { "VisibilityTimeout": "180" } });
    let made = connection
        .json("sqs", "AmazonSQS.CreateQueue", &create)
        .await?;
    let url = made["QueueUrl"].as_str();
    Ok(url.context("the queue has no URL")?.to_owned())
}

async fn machine(connection: &mut Connection) -> anyhow::Result<String> {
    let states = (0..STATES).map(|n| {
        let next = if n + 1 == STATES {
            json!({ "Type": "Pass", "End": true })
        } else {
            json!({ "Type": "Pass", "Next": format!("S{}", n + 1) })
        };
        (format!("S{n}"), next)
    });
    let states: serde_json::Map<String, Value> = states.collect();
    let definition = json!({ "StartAt": "S0", "States": states });
    let create = json!({
        "name": "bench", "roleArn": ROLE, "definition": definition.to_string(),
    });
    let made = connection
        .json("states", "AWSStepFunctions.CreateStateMachine", &create)
        .await?;
    let arn = made["stateMachineArn"].as_str();
    Ok(arn.context("the state machine has no ARN")?.to_owned())
}

impl Candidate {
    async fn round(&mut self, amounts: Amounts) -> anyhow::Result<()> {
        let mut connection = Connection::open(self.server.addr).await?;
        let rates = [
            invocations(&mut connection, amounts.invocations).await,
            self.messages(&mut connection, amounts.messages).await,
            self.transitions(&mut connection, amounts.executions).await,
        ];
        for (known, new) in self.rates.iter_mut().zip(rates) {
            known.push(new.with_context(|| self.name.clone())?);
        }
        Ok(())
    }

    /// Sends batches, then waits until the queue is empty: nothing waits, nothing is in flight.
    async fn messages(&self, connection: &mut Connection, total: usize) -> anyhow::Result<f64> {
        let start = Instant::now();
        for first in (0..total).step_by(BATCH) {
            let entries = (first..total.min(first + BATCH))
                .map(|n| json!({ "Id": n.to_string(), "MessageBody": format!("job {n}") }));
            let entries: Vec<Value> = entries.collect();
            let batch = json!({ "QueueUrl": self.queue, "Entries": entries });
            connection
                .json("sqs", "AmazonSQS.SendMessageBatch", &batch)
                .await?;
        }
        let counts = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ];
        let ask = json!({ "QueueUrl": self.queue, "AttributeNames": counts });
        loop {
            let told = connection
                .json("sqs", "AmazonSQS.GetQueueAttributes", &ask)
                .await?;
            if counts.iter().all(|name| told["Attributes"][name] == "0") {
                return Ok(rate(total, start));
            }
            pause(start).await?;
        }
    }

    /// Starts executions, then waits until the last has succeeded.
    async fn transitions(&self, connection: &mut Connection, total: usize) -> anyhow::Result<f64> {
        let start = Instant::now();
        let mut started = Vec::new();
        for _ in 0..total {
            let input = json!({ "stateMachineArn": self.machine, "input": "{}" });
            let made = connection
                .json("states", "AWSStepFunctions.StartExecution", &input)
                .await?;
            started.push(made["executionArn"].clone());
        }
        for arn in started {
            let ask = json!({ "executionArn": arn });
            loop {
                let told = connection
                    .json("states", "AWSStepFunctions.DescribeExecution", &ask)
                    .await?;
                match told["status"].as_str() {
                    Some("SUCCEEDED") => break,
                    Some("RUNNING") => pause(start).await?,
                    _ => bail!("an execution ended as {told}"),
                }
            }
        }
        Ok(rate(total * STATES, start))
    }

    /// Rates, and memory.
    fn medians(&self) -> anyhow::Result<[f64; 5]> {
        let median = |column: usize| {
            let mut rates = self.rates[column].clone();
            rates.sort_by(f64::total_cmp);
            rates[rates.len() / 2]
        };
        #[expect(clippy::cast_precision_loss, reason = "megabytes")]
        let [all, private] =
            [self.server.rss_kib()?, self.server.private_kib()?].map(|kib| kib as f64 / 1024.0);
        Ok([median(0), median(1), median(2), all, private])
    }
}

/// One after the other, as one caller that waits for each answer.
async fn invocations(connection: &mut Connection, total: usize) -> anyhow::Result<f64> {
    let path = "/2015-03-31/functions/bench/invocations";
    let event = json!({ "asked": 1 });
    // The first one starts the function.
    connection.rest("POST", path, "lambda", &event).await?;
    let start = Instant::now();
    for _ in 0..total {
        let answer = connection.rest("POST", path, "lambda", &event).await?;
        if answer["asked"] != 1 {
            bail!("the function answered {answer}");
        }
    }
    Ok(rate(total, start))
}

/// Between two questions whether something is done; not for ever.
async fn pause(start: Instant) -> anyhow::Result<()> {
    if start.elapsed() > Duration::from_mins(5) {
        bail!("it is not done after five minutes");
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn rate(done: usize, start: Instant) -> f64 {
    done as f64 / start.elapsed().as_secs_f64()
}
