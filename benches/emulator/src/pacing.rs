//! How exactly many streams at once keep their time table.

use std::{
    convert::Infallible,
    io::Write as _,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::bail;
use axum::{Json, Router, body::Body, extract::State, routing::post, serve::ListenerExt as _};
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::LocalSet,
};

use crate::{load::find, server::Server};

/// What tells a delta from other frames.
const MARK: &[u8] = b"contentBlockDelta";

/// Deltas in a stream.
const DELTAS: u32 = 40;

/// Time between two deltas.
const STEP: Duration = Duration::from_millis(100);

/// In how long a time all streams are opened. They run on together for the rest of the time table: how
/// a server stands a rush of new connections is another question than how it keeps time.
const OPENING: Duration = Duration::from_secs(1);

/// The `workshop` binary, whose every answer has a delta every [`STEP`].
pub(crate) fn emulator(workshop: &Path) -> anyhow::Result<Server> {
    let step = STEP.as_millis();
    let deltas =
        (0..DELTAS).map(|n| format!("{{ wait_ms = {step} }}, {{ text = \"delta {n} \" }}"));
    let deltas: Vec<_> = deltas.collect();
    let mut script = tempfile::NamedTempFile::new()?;
    write!(
        script,
        "[[reply]]\ntimes = \"always\"\nsay = [{}]\n",
        deltas.join(", ")
    )?;
    let path = script.path().to_string_lossy();
    Server::emulator_with(workshop, false, &["--script", &path])
}

/// What the streams of a server were like.
pub(crate) struct Kept {
    /// How late each delta came, in order.
    pub(crate) late: Vec<Duration>,
    /// Bytes of one stream, with what frames them.
    pub(crate) bytes: usize,
    /// CPU of the server for each delta.
    pub(crate) cpu: Duration,
}

/// Opens all streams and reads them to their end.
pub(crate) async fn keep(
    server: &Server,
    request: Arc<[u8]>,
    streams: usize,
) -> anyhow::Result<Kept> {
    let (addr, cpu) = (server.addr, server.cpu()?);
    let local = LocalSet::new();
    let spread = OPENING / u32::try_from(streams.max(1))?;
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
    let mut kept = Kept {
        late: Vec::new(),
        bytes: 0,
        cpu: Duration::ZERO,
    };
    for client in clients {
        let (late, bytes) = client.await??;
        kept.late.extend(late);
        kept.bytes = kept.bytes.max(bytes);
    }
    kept.late.sort_unstable();
    kept.cpu = server.cpu()?.saturating_sub(cpu) / u32::try_from(kept.late.len().max(1))?;
    Ok(kept)
}

/// One stream: when each delta came, after the time at which it was due, counted from the moment at
/// which the request was sent; and its bytes.
async fn client(addr: SocketAddr, request: &[u8]) -> anyhow::Result<(Vec<Duration>, usize)> {
    let mut tcp = TcpStream::connect(addr).await?;
    tcp.write_all(request).await?;
    let start = Instant::now();
    let (mut late, mut bytes) = (Vec::with_capacity(DELTAS as usize), 0);
    let mut buffer = [0; 8 * 1024];
    // The end of what was read before, where the name may have been cut.
    let mut kept = 0;
    loop {
        let read = tcp.read(&mut buffer[kept..]).await?;
        let now = start.elapsed();
        if read == 0 {
            bail!("a stream ended after {} deltas", late.len());
        }
        bytes += read;
        let filled = kept + read;
        let mut searched = 0;
        while let Some(at) = find(&buffer[searched..filled], MARK) {
            searched += at + MARK.len();
            let number = u32::try_from(late.len())? + 1;
            late.push(now.saturating_sub(STEP * number));
        }
        if late.len() >= DELTAS as usize {
            return Ok((late, bytes));
        }
        let from = searched.max(filled.saturating_sub(MARK.len() - 1));
        buffer.copy_within(from..filled, 0);
        kept = filled - from;
    }
}

/// The floor: an axum handler that sleeps as long and writes as many bytes.
pub(crate) async fn serve_floor(bytes: usize) -> anyhow::Result<()> {
    let mut delta = MARK.to_vec();
    delta.resize((bytes / DELTAS as usize).max(MARK.len()), b'x');
    let app = Router::new()
        .route("/{*path}", post(floor))
        .with_state(Bytes::from(delta));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener.tap_io(|tcp| _ = tcp.set_nodelay(true)), app).await?;
    Ok(())
}

async fn floor(State(delta): State<Bytes>, Json(body): Json<Value>) -> Body {
    std::hint::black_box(body);
    let start = tokio::time::Instant::now();
    let deltas = stream::unfold(0, move |told| {
        let delta = delta.clone();
        async move {
            if told == DELTAS {
                return None;
            }
            tokio::time::sleep_until(start + STEP * (told + 1)).await;
            Some((Ok::<_, Infallible>(delta), told + 1))
        }
    });
    Body::from_stream(deltas)
}
