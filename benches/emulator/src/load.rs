//! Load: connections that are kept alive and always have one request under way.

use std::{
    cell::Cell,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::LocalSet,
};

use crate::server::Server;

/// What a run of requests took.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// CPU of the server for each request.
    pub(crate) cpu: Duration,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) per_second: f64,
    /// Length of an answer's body.
    pub(crate) bytes: usize,
}

/// Sends `total` requests over `connections`.
pub(crate) async fn run(
    server: &Server,
    request: &[u8],
    connections: usize,
    total: usize,
) -> anyhow::Result<Run> {
    let left = Rc::new(Cell::new(total));
    let request: Rc<[u8]> = request.into();
    let addr = server.addr;
    let (cpu, start) = (server.cpu()?, Instant::now());
    let local = LocalSet::new();
    let clients: Vec<_> = (0..connections)
        .map(|_| local.spawn_local(client(addr, Rc::clone(&request), Rc::clone(&left))))
        .collect();
    local.await;
    let mut times = Vec::with_capacity(total);
    let mut bytes = 0;
    for client in clients {
        let (its_times, its_bytes) = client.await??;
        times.extend(its_times);
        bytes = bytes.max(its_bytes);
    }
    let (wall, cpu) = (start.elapsed(), server.cpu()?.saturating_sub(cpu));
    times.sort_unstable();
    let done = u32::try_from(times.len())?;
    Ok(Run {
        cpu: cpu / done,
        p50: times[times.len() / 2],
        p99: times[times.len() * 99 / 100],
        per_second: f64::from(done) / wall.as_secs_f64(),
        bytes,
    })
}

async fn client(
    addr: SocketAddr,
    request: Rc<[u8]>,
    left: Rc<Cell<usize>>,
) -> anyhow::Result<(Vec<Duration>, usize)> {
    let mut tcp = TcpStream::connect(addr).await?;
    tcp.set_nodelay(true)?;
    let mut buffer = vec![0; 64 * 1024];
    let (mut times, mut bytes) = (Vec::new(), 0);
    while left.get() > 0 {
        left.set(left.get() - 1);
        let start = Instant::now();
        tcp.write_all(&request).await?;
        bytes = answer(&mut tcp, &mut buffer).await?;
        times.push(start.elapsed());
    }
    Ok((times, bytes))
}

/// Reads one answer; its body's length.
async fn answer(tcp: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<usize> {
    let mut filled = 0;
    loop {
        let read = tcp.read(&mut buffer[filled..]).await?;
        if read == 0 {
            bail!("the server closed the connection");
        }
        filled += read;
        let Some(head) = find(&buffer[..filled], b"\r\n\r\n") else {
            continue;
        };
        let text = std::str::from_utf8(&buffer[..head])?;
        if !text.starts_with("HTTP/1.1 200") {
            bail!("{}", String::from_utf8_lossy(&buffer[..filled]));
        }
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then_some(value)
        });
        let length: usize = length.context("no Content-Length")?.trim().parse()?;
        let whole = head + 4 + length;
        if whole > buffer.len() {
            bail!("an answer of {length} bytes is longer than expected");
        }
        while filled < whole {
            let read = tcp.read(&mut buffer[filled..whole]).await?;
            if read == 0 {
                bail!("the server closed the connection in an answer");
            }
            filled += read;
        }
        return Ok(length);
    }
}

pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}
