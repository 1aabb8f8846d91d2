//! The core alone: bytes in, reply out, without sockets. What a change to it costs shows here first.

use std::{hint::black_box, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::bail;
use bedrock_emulator::{
    Config, Emulator, Request,
    emulator::{Auth, Latency},
};
use bytes::Bytes;
use time::OffsetDateTime;

use crate::{load::find, request, request::Kind};

/// Prints the CPU time of one request for each operation, with authentication off and on.
pub(crate) fn run(requests: u32) -> anyhow::Result<()> {
    println!("The core alone: {requests} requests on one thread\n");
    println!("| operation | auth off µs | SigV4 verified µs |");
    println!("|---|---|---|");
    for kind in [Kind::Converse, Kind::InvokeModel, Kind::ConverseStream] {
        let off = time(kind, Auth::Off, requests)?;
        let strict = time(kind, Auth::Strict, requests)?;
        println!("| {} | {off:.1} | {strict:.1} |", kind.name());
    }
    println!();
    Ok(())
}

fn time(kind: Kind, auth: Auth, requests: u32) -> anyhow::Result<f64> {
    let emulator = Emulator::new(Config {
        auth,
        latency: Latency::none(),
        invocation_logging: false,
        ..Config::default()
    })?;
    let addr: SocketAddr = ([127, 0, 0, 1], 4566).into();
    let request = parse(&request::bytes(kind, addr, auth == Auth::Strict)?)?;
    let now = OffsetDateTime::now_utc();
    let mut start = cpu()?;
    for n in 0..requests + requests / 10 {
        if n == requests / 10 {
            // What came before filled the journal.
            start = cpu()?;
        }
        let reply = emulator.answer(Arc::new(request.clone()), now);
        if reply.status != 200 {
            bail!("{}", String::from_utf8_lossy(&reply.body.bytes()));
        }
        black_box(reply);
    }
    Ok(cpu()?.saturating_sub(start).as_secs_f64() * 1_000_000.0 / f64::from(requests))
}

/// CPU time of this thread, which other work on the machine does not touch.
fn cpu() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let on_cpu = stat.split_whitespace().next().unwrap_or_default();
    Ok(Duration::from_nanos(on_cpu.parse()?))
}

/// The HTTP/1.1 request that the load generator sends, as the endpoint gives it to the core.
fn parse(bytes: &[u8]) -> anyhow::Result<Request> {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        bail!("a request without an end of its head");
    };
    let head = std::str::from_utf8(&bytes[..end])?;
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_owned(), value.to_owned()))
    });
    Ok(Request {
        method: first.next().unwrap_or_default().to_owned(),
        target: first.next().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: Bytes::copy_from_slice(&bytes[end + 4..]),
        connection: 1,
    })
}
