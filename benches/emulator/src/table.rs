//! The measurements, and how they are printed.

use std::time::{Duration, Instant};

use crate::{
    Args,
    load::{self, Run},
    pacing::{self, Kept},
    request::{self, Kind},
    server::{Server, first_answer},
};

/// A server under load, with its name in the table.
struct Candidate {
    name: String,
    server: Server,
    signed: bool,
    /// How much less it is asked for, because it is slow.
    share: usize,
    runs: Vec<Run>,
}

pub(crate) async fn requests(args: &Args) -> anyhow::Result<()> {
    println!(
        "CPU of the server for a request, and latency; medians of {} rounds of {} requests taken in turns\n",
        args.rounds, args.requests
    );
    println!(
        "| operation | connections | server | CPU µs | × floor | p50 µs | p99 µs | requests/s |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for kind in [Kind::Converse, Kind::InvokeModel] {
        for connections in [1, 32] {
            let mut candidates = candidates(args, kind).await?;
            for _ in 0..args.rounds {
                for candidate in &mut candidates {
                    let request = request::bytes(kind, candidate.server.addr, candidate.signed)?;
                    let total = (args.requests / candidate.share).max(connections);
                    let run = load::run(&candidate.server, &request, connections, total).await?;
                    candidate.runs.push(run);
                }
            }
            print(kind, connections, &candidates);
        }
    }
    println!();
    Ok(())
}

async fn candidates(args: &Args, kind: Kind) -> anyhow::Result<Vec<Candidate>> {
    let candidate = |name: &str, server, signed, share| Candidate {
        name: name.to_owned(),
        server,
        signed,
        share,
        runs: Vec::new(),
    };
    let open = Server::emulator(&args.workshop, false)?;
    let strict = Server::emulator(&args.workshop, true)?;
    // Everybody is warm before the first round, and the floor learns how long an answer is.
    let warm = (args.requests / 10).max(100);
    let request = request::bytes(kind, open.addr, false)?;
    let bytes = load::run(&open, &request, 4, warm).await?.bytes;
    load::run(&strict, &request::bytes(kind, strict.addr, true)?, 4, warm).await?;
    let floor = Server::own("floor", bytes)?;
    load::run(&floor, &request::bytes(kind, floor.addr, false)?, 4, warm).await?;
    let mut candidates = vec![
        candidate("floor", floor, false, 1),
        candidate("Bedrock Workshop, auth off", open, false, 1),
        candidate("Bedrock Workshop, SigV4 verified", strict, true, 1),
    ];
    for peer in &args.peer {
        let (name, command) = peer.split_once('=').unwrap_or(("peer", peer));
        let server = Server::peer(command).await?;
        let request = request::bytes(kind, server.addr, true)?;
        load::run(&server, &request, 1, warm / 10).await?;
        candidates.push(candidate(name, server, true, 10));
    }
    Ok(candidates)
}

fn print(kind: Kind, connections: usize, candidates: &[Candidate]) {
    let floor = median(&candidates[0].runs, |run| micros(run.cpu));
    for candidate in candidates {
        let cpu = median(&candidate.runs, |run| micros(run.cpu));
        println!(
            "| {} | {connections} | {} | {cpu:.1} | {:.2} | {:.0} | {:.0} | {:.0} |",
            kind.name(),
            candidate.name,
            cpu / floor,
            median(&candidate.runs, |run| micros(run.p50)),
            median(&candidate.runs, |run| micros(run.p99)),
            median(&candidate.runs, |run| run.per_second),
        );
    }
}

pub(crate) async fn start(args: &Args) -> anyhow::Result<()> {
    let mut times = Vec::new();
    for _ in 0..=(args.rounds * 4) {
        let start = Instant::now();
        let server = Server::emulator(&args.workshop, false)?;
        first_answer(
            server.addr,
            &request::bytes(Kind::Converse, server.addr, false)?,
        )
        .await?;
        times.push(start.elapsed());
    }
    println!(
        "Cold start: {:.1} ms from spawn to the first answer (median of {})\n",
        median(&times, |time| micros(*time)) / 1_000.0,
        times.len()
    );
    Ok(())
}

pub(crate) async fn memory(args: &Args, total: usize) -> anyhow::Result<()> {
    let server = Server::emulator(&args.workshop, false)?;
    let request = request::bytes(Kind::Converse, server.addr, false)?;
    println!(
        "Resident memory (the journal holds its configured number of requests after the first row)\n"
    );
    println!("| after | MiB |");
    println!("|---|---|");
    println!("| start | {:.1} |", mib(server.rss_kib()?));
    let mut sent = 0;
    for goal in [total / 100, total / 10, total / 2, total] {
        load::run(&server, &request, 32, goal - sent).await?;
        sent = goal;
        println!("| {sent} requests | {:.1} |", mib(server.rss_kib()?));
    }
    println!();
    Ok(())
}

pub(crate) async fn pacing(args: &Args, streams: usize) -> anyhow::Result<()> {
    println!("Pacing of {streams} streams at once, a delta every 100 ms: how late each comes\n");
    println!("| server | p50 ms | p99 ms | at most ms | CPU µs a delta |");
    println!("|---|---|---|---|---|");
    let ours = pacing::emulator(&args.workshop)?;
    let kept = paced(&ours, streams).await?;
    let floor = Server::own("paced-floor", kept.bytes)?;
    let least = paced(&floor, streams).await?;
    for (name, Kept { late, cpu, .. }) in [("floor", least), ("Bedrock Workshop", kept)] {
        let at = |percent: usize| micros(late[(late.len() - 1) * percent / 100]) / 1_000.0;
        println!(
            "| {name} | {:.2} | {:.2} | {:.2} | {:.1} |",
            at(50),
            at(99),
            at(100),
            micros(cpu)
        );
    }
    println!();
    Ok(())
}

async fn paced(server: &Server, streams: usize) -> anyhow::Result<Kept> {
    let request = request::bytes(Kind::ConverseStream, server.addr, false)?;
    pacing::keep(server, request.into(), streams).await
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000_000.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "memory in KiB is far below 2^52"
)]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1_024.0
}

fn median<T>(all: &[T], of: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = all.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
