//! Measures the emulator: CPU and latency of a request beside a floor (and a peer), cold start,
//! memory after a million requests, and how exactly a thousand paced streams keep their time.
//!
//! `cargo run --release -p emulator-bench` prints the tables of `crates/bedrock-emulator/README.md`.

mod core;
mod floor;
mod http;
mod load;
mod pacing;
mod request;
mod server;
mod services;
mod table;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measure the Bedrock emulator.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    /// The `workshop` binary to measure; built with `cargo build --release` beforehand.
    #[arg(long, default_value = "target/release/workshop")]
    workshop: PathBuf,
    /// Another emulator beside ours: `NAME=COMMAND`; `{port}` in the command is replaced.
    #[arg(long)]
    peer: Vec<String>,
    /// Requests in each measurement.
    #[arg(long, default_value_t = 20_000)]
    requests: usize,
    /// Measurements of each kind, taken in turns; the table shows medians.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Only CPU and latency of a request.
    Requests,
    /// Only the core, without sockets.
    Core,
    /// Only cold start.
    Start,
    /// Only memory.
    Memory {
        /// How many requests.
        #[arg(long, default_value_t = 1_000_000)]
        total: usize,
    },
    /// Only pacing.
    Pacing {
        /// Streams at once.
        #[arg(long, default_value_t = 1_000)]
        streams: usize,
    },
    /// Only the services beside Bedrock: Lambda, SQS, Step Functions.
    Services {
        /// Invocations of a warm function, one after the other.
        #[arg(long, default_value_t = 2_000)]
        invocations: usize,
        /// Messages, sent in batches of ten.
        #[arg(long, default_value_t = 2_000)]
        messages: usize,
        /// Executions of a state machine.
        #[arg(long, default_value_t = 100)]
        executions: usize,
    },
    /// The floor itself: an axum handler that parses the JSON and answers as many bytes.
    #[command(hide = true)]
    Floor {
        /// Length of its answers.
        bytes: usize,
    },
    /// The floor of pacing: an axum handler that sleeps and writes as many bytes.
    #[command(hide = true)]
    PacedFloor {
        /// Length of its answers.
        bytes: usize,
    },
    /// The emulator's endpoint alone, journal and checks on: what `valgrind --tool=callgrind` runs.
    #[command(hide = true)]
    Endpoint {
        /// Whether signatures are verified.
        #[arg(long)]
        strict: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    match &args.part {
        // The servers get as many threads as the emulator does by itself.
        Some(Part::Floor { bytes }) => tokio::runtime::Runtime::new()?.block_on(floor::run(*bytes)),
        Some(Part::Endpoint { strict }) => {
            tokio::runtime::Runtime::new()?.block_on(server::serve(*strict))
        }
        Some(Part::PacedFloor { bytes }) => {
            tokio::runtime::Runtime::new()?.block_on(pacing::serve_floor(*bytes))
        }
        part => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(measure(&args, part.as_ref()))
        }
    }
}

async fn measure(args: &Args, part: Option<&Part>) -> anyhow::Result<()> {
    let wants = |name: fn(&Part) -> bool| part.is_none_or(name);
    if wants(|p| matches!(p, Part::Requests)) {
        table::requests(args).await?;
    }
    if wants(|p| matches!(p, Part::Core)) {
        core::run(u32::try_from(args.requests)?)?;
    }
    if wants(|p| matches!(p, Part::Start)) {
        table::start(args).await?;
    }
    if wants(|p| matches!(p, Part::Memory { .. })) {
        let total = match part {
            Some(Part::Memory { total }) => *total,
            _ => 1_000_000,
        };
        table::memory(args, total).await?;
    }
    if wants(|p| matches!(p, Part::Pacing { .. })) {
        let streams = match part {
            Some(Part::Pacing { streams }) => *streams,
            _ => 1_000,
        };
        table::pacing(args, streams).await?;
    }
    if let Some(Part::Services {
        invocations,
        messages,
        executions,
    }) = part
    {
        let amounts = services::Amounts {
            invocations: *invocations,
            messages: *messages,
            executions: *executions,
        };
        services::run(args, amounts).await?;
    }
    Ok(())
}
