//! How exactly many streams at once keep their time table.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::bail;
use bedrock_emulator::{
    Config, Emulator,
    emulator::{Auth, Latency},
    script::{Piece, Step},
};
use bedrock_endpoint::Endpoint;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::LocalSet,
};

use crate::load::find;

/// Deltas in a stream.
const DELTAS: u32 = 40;

/// Time between two deltas.
const STEP: Duration = Duration::from_millis(100);

/// Answers `streams` streams, each with a delta every [`STEP`].
pub(crate) async fn serve(streams: usize) -> anyhow::Result<()> {
    let config = Config {
        auth: Auth::Off,
        latency: Latency::none(),
        ..Config::default()
    };
    let emulator = Arc::new(Emulator::new(config)?);
    let mut pieces = Vec::new();
    for delta in 0..DELTAS {
        pieces.push(Piece::Pause(STEP));
        pieces.push(Piece::Text(format!("delta {delta} ")));
    }
    emulator.script(std::iter::repeat_n(Step::Say(pieces), streams));
    let endpoint = Endpoint::bind(([127, 0, 0, 1], 0).into(), emulator).await?;
    println!("{}", endpoint.addr());
    std::future::pending().await
}

/// Opens all streams, spread over one step, and returns how late each delta came.
pub(crate) async fn lateness(
    addr: SocketAddr,
    request: Arc<[u8]>,
    streams: usize,
) -> anyhow::Result<Vec<Duration>> {
    let local = LocalSet::new();
    let spread = STEP / u32::try_from(streams.max(1))?;
    let clients: Vec<_> = (0..streams)
        .map(|n| {
            let request = Arc::clone(&request);
            let wait = spread * u32::try_from(n).unwrap_or_default();
            local.spawn_local(async move {
                tokio::time::sleep(wait).await;
                client(addr, &request).await
            })
        })
        .collect();
    local.await;
    let mut all = Vec::new();
    for client in clients {
        all.extend(client.await??);
    }
    all.sort_unstable();
    Ok(all)
}

/// One stream: when each delta came, after the time at which it was due.
async fn client(addr: SocketAddr, request: &[u8]) -> anyhow::Result<Vec<Duration>> {
    let mut tcp = TcpStream::connect(addr).await?;
    tcp.write_all(request).await?;
    let start = Instant::now();
    let (mut late, mut seen) = (Vec::new(), Vec::new());
    let mut buffer = [0; 8 * 1024];
    let mut searched = 0;
    loop {
        let read = tcp.read(&mut buffer).await?;
        let now = start.elapsed();
        if read == 0 {
            bail!("a stream ended after {} deltas", late.len());
        }
        seen.extend_from_slice(&buffer[..read]);
        while let Some(at) = find(&seen[searched..], b"contentBlockDelta") {
            searched += at + 1;
            let number = u32::try_from(late.len())? + 1;
            late.push(now.saturating_sub(STEP * number));
        }
        if late.len() >= DELTAS as usize {
            return Ok(late);
        }
        // The name may be cut by the end of what was read.
        searched = searched.max(seen.len().saturating_sub(16));
    }
}
