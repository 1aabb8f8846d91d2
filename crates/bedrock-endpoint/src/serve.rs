//! The listener and its connections.

use std::{
    fmt,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bedrock_emulator::{Begun, Emulator, Reply, Request, journal::Entry};
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use time::OffsetDateTime;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Notify, broadcast, watch},
    task::{JoinHandle, JoinSet},
};

use crate::{
    Gates,
    answer::{Connection, answer},
    flush::Flushing,
    idle::Idle,
    spelling::Spelling,
};

/// The longest request body that is read, in bytes (service model: `InvokeModel`'s body).
pub const BODY_MAX: usize = 25_000_000;

/// How long [`Endpoint::shutdown`] lets requests finish.
const GRACE: Duration = Duration::from_secs(2);

/// The pause after a failed `accept`, so that a process without free file descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running emulator on a socket. Dropping it closes the listener and its connections at once.
#[derive(Debug)]
pub struct Endpoint {
    addr: SocketAddr,
    speaks_tls: bool,
    shared: Arc<Shared>,
    closing: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

/// How long a client may take, and how many there may be. What goes beyond is closed without harm to
/// the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// A connection that sends nothing for this long is closed: before its first byte, in the middle
    /// of its headers, or between two requests.
    pub idle: Duration,
    /// A client that does not come to the end of its body within this time is let go.
    pub body: Duration,
    /// A client that takes nothing of its answer for this long is let go.
    pub stall: Duration,
    /// Connections at once; further ones wait until one of them closes.
    pub connections: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            idle: Duration::from_mins(2),
            body: Duration::from_mins(1),
            stall: Duration::from_mins(2),
            connections: 8_192,
        }
    }
}

/// What only the socket can know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// TCP connections accepted so far.
    pub connections: u64,
    /// Requests being answered now.
    pub in_flight: usize,
    /// The most requests that were being answered at once.
    pub max_in_flight: usize,
}

/// Looks at something that passes by.
pub type Hook<T> = Box<dyn Fn(&T) + Send + Sync>;

/// Called for each request; they may look, and must return quickly.
#[derive(Default)]
pub struct Hooks {
    /// Before the core sees the request.
    pub before: Option<Hook<Request>>,
    /// After the core has answered, before the answer is sent.
    pub after: Option<Hook<Entry>>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("before", &self.before.is_some())
            .field("after", &self.after.is_some())
            .finish()
    }
}

/// Tells the core what time it is. The default is the system's time.
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<Tell>>);

type Tell = dyn Fn() -> OffsetDateTime + Send + Sync;

impl Clock {
    /// One that tells what `now` does. Clients have to sign with the same time: a signature older than
    /// five minutes is refused.
    pub fn new(now: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(now)))
    }

    /// The time now.
    pub fn now(&self) -> OffsetDateTime {
        match &self.0 {
            Some(now) => now(),
            None => OffsetDateTime::now_utc(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.0.as_ref().map_or("the system's", |_| "another");
        f.debug_tuple("Clock").field(&kind).finish()
    }
}

/// How an endpoint differs from a plain one.
#[derive(Debug, Default)]
pub struct Setup {
    /// What time it is for the core: for signatures, expiry, metrics, logs.
    pub clock: Clock,
    /// Who looks at what passes by.
    pub hooks: Hooks,
    /// How long clients may take.
    pub patience: Patience,
    /// With it the port speaks TLS beside cleartext.
    #[cfg(feature = "tls")]
    pub tls: Option<crate::Identity>,
    /// Another model that finds the words.
    #[cfg(feature = "upstream")]
    pub upstream: Option<crate::Upstream>,
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}")]
pub struct BindError {
    /// The address asked for.
    pub addr: SocketAddr,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}

impl Endpoint {
    /// Listens on `addr` (port 0 picks a free one) and answers from `emulator`. Runs on the tokio
    /// runtime it is called on.
    pub async fn bind(addr: SocketAddr, emulator: Arc<Emulator>) -> Result<Self, BindError> {
        Self::bind_with(addr, emulator, Hooks::default()).await
    }

    /// The same with hooks.
    pub async fn bind_with(
        addr: SocketAddr,
        emulator: Arc<Emulator>,
        hooks: Hooks,
    ) -> Result<Self, BindError> {
        let setup = Setup {
            hooks,
            ..Setup::default()
        };
        Self::open(addr, emulator, setup).await
    }

    /// The same with all there is to choose.
    pub async fn open(
        addr: SocketAddr,
        emulator: Arc<Emulator>,
        setup: Setup,
    ) -> Result<Self, BindError> {
        #[cfg(feature = "tls")]
        if let Some(identity) = &setup.tls {
            let both = crate::tls::Both::new(identity);
            let mut endpoint = Self::listen(addr, emulator, setup, both).await?;
            endpoint.speaks_tls = true;
            return Ok(endpoint);
        }
        Self::listen(addr, emulator, setup, Plain).await
    }

    async fn listen(
        addr: SocketAddr,
        emulator: Arc<Emulator>,
        setup: Setup,
        security: impl Security,
    ) -> Result<Self, BindError> {
        let failed = |source| BindError { addr, source };
        #[cfg(feature = "upstream")]
        let upstream = setup.upstream.map(crate::upstream::Client::new).transpose();
        #[cfg(feature = "upstream")]
        let upstream = upstream
            .map_err(|error| failed(std::io::Error::other(error)))?
            .map(Arc::new);
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            emulator,
            gates: Gates::default(),
            entries: broadcast::Sender::new(256),
            clock: setup.clock,
            hooks: setup.hooks,
            patience: setup.patience,
            spelling: Spelling::learn().await,
            #[cfg(feature = "upstream")]
            upstream,
            connections: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            max_in_flight: AtomicUsize::new(0),
        });
        shared.emulator.started(shared.clock.now());
        let listening = Arc::downgrade(&shared);
        shared.emulator.overhear(move |reply| {
            if let Some(shared) = listening.upgrade() {
                shared.tell(reply);
            }
        });
        let closing = watch::Sender::new(false);
        let accepting = tokio::spawn(accept(
            listener,
            Arc::clone(&shared),
            closing.subscribe(),
            security,
        ));
        Ok(Self {
            addr,
            speaks_tls: false,
            shared,
            closing,
            accepting,
        })
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:4566`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// `https://127.0.0.1:4566`: the same port, if it was opened with a TLS identity.
    pub fn tls_url(&self) -> Option<String> {
        self.speaks_tls.then(|| format!("https://{}", self.addr))
    }

    /// The emulator behind it.
    pub fn emulator(&self) -> &Arc<Emulator> {
        &self.shared.emulator
    }

    /// Its gates.
    pub fn gates(&self) -> &Gates {
        &self.shared.gates
    }

    /// Journal entries from now on, each as soon as its request is answered by the core.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.shared.subscribe()
    }

    /// What only the socket can know.
    pub fn stats(&self) -> Stats {
        Stats {
            connections: self.shared.connections.load(Ordering::Relaxed),
            in_flight: self.shared.in_flight.load(Ordering::Relaxed),
            max_in_flight: self.shared.max_in_flight.load(Ordering::Relaxed),
        }
    }

    /// Closes the listener, lets running requests finish for up to two seconds, then closes their
    /// connections.
    pub async fn shutdown(mut self) {
        self.closing.send_replace(true);
        let _ = tokio::time::timeout(GRACE, &mut self.accepting).await;
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // The task owns the listener and all connections.
        self.accepting.abort();
    }
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) emulator: Arc<Emulator>,
    pub(crate) gates: Gates,
    pub(crate) spelling: Spelling,
    #[cfg(feature = "upstream")]
    pub(crate) upstream: Option<Arc<crate::upstream::Client>>,
    entries: broadcast::Sender<Arc<Entry>>,
    pub(crate) clock: Clock,
    hooks: Hooks,
    pub(crate) patience: Patience,
    connections: AtomicU64,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
}

impl Shared {
    /// Lets the core answer, and tells whoever listens.
    pub(crate) fn receive(&self, request: Request) -> Begun {
        self.hand_over(request, Emulator::receive)
    }

    /// The same, or it says what another model is to be asked.
    #[cfg(feature = "upstream")]
    pub(crate) fn begin(&self, request: Request) -> Begun {
        self.hand_over(request, Emulator::begin)
    }

    fn hand_over(
        &self,
        request: Request,
        core: fn(&Arc<Emulator>, Arc<Request>, OffsetDateTime) -> Begun,
    ) -> Begun {
        if let Some(before) = &self.hooks.before {
            before(&request);
        }
        let begun = core(&self.emulator, Arc::new(request), self.clock.now());
        if let Begun::Reply(reply) = &begun {
            self.tell(reply);
        }
        begun
    }

    /// Lets the core refuse a request whose body was not read to its end.
    pub(crate) fn refuse_too_large(&self, request: Request) -> Reply {
        let now = self.clock.now();
        let request = Arc::new(request);
        let reply = self.emulator.refuse_too_large(request, BODY_MAX, now);
        self.tell(&reply);
        reply
    }

    pub(crate) fn tell(&self, reply: &Reply) {
        let listened_to = self.entries.receiver_count() > 0;
        if (listened_to || self.hooks.after.is_some())
            && let Some(entry) = self.emulator.entry_of(reply)
        {
            if let Some(after) = &self.hooks.after {
                after(&entry);
            }
            let _ = self.entries.send(Arc::new(entry));
        }
    }

    /// Journal entries from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.entries.subscribe()
    }

    /// Counts a request until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> InFlight {
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.max_in_flight.fetch_max(now, Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }
}

/// One request being answered.
pub(crate) struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How bytes are protected between client and endpoint.
pub(crate) trait Security: Clone + Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// The stream to speak HTTP on, or `None` if the client does not get that far.
    fn secure(
        &self,
        tcp: TcpStream,
        idle: Duration,
    ) -> impl Future<Output = Option<Self::Stream>> + Send;
}

/// Cleartext.
#[derive(Clone)]
struct Plain;

impl Security for Plain {
    type Stream = TcpStream;

    async fn secure(&self, tcp: TcpStream, idle: Duration) -> Option<TcpStream> {
        first_byte(&tcp, idle).await.map(|_| tcp)
    }
}

/// Waits for it and leaves it where it is: hyper's time-out starts when it knows the protocol, which
/// takes the first byte. `None` if the client leaves or says nothing.
pub(crate) async fn first_byte(tcp: &TcpStream, idle: Duration) -> Option<u8> {
    let mut first = [0];
    let peeked = tokio::time::timeout(idle, tcp.peek(&mut first)).await;
    matches!(peeked, Ok(Ok(1..))).then_some(first[0])
}

async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    closing: watch::Receiver<bool>,
    security: impl Security,
) {
    let mut stop = closing.clone();
    // Aborting this task drops the set, and that aborts every connection.
    let mut connections = JoinSet::new();
    loop {
        let room = connections.len() < shared.patience.connections;
        tokio::select! {
            accepted = listener.accept(), if room => match accepted {
                Ok((tcp, peer)) => {
                    let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
                    let connection = Connection {
                        shared: Arc::clone(&shared),
                        number,
                        local: peer.ip().to_canonical().is_loopback(),
                        flushed: Arc::new(Notify::new()),
                        activity: Arc::default(),
                    };
                    connections.spawn(serve(tcp, connection, closing.clone(), security.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
            () = closed(&mut stop) => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Returns when the endpoint closes.
async fn closed(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}

async fn serve(
    tcp: TcpStream,
    connection: Connection,
    mut closing: watch::Receiver<bool>,
    security: impl Security,
) {
    let patience = connection.shared.patience;
    // Without this a paced frame could wait for the acknowledgement of the one before.
    let _ = tcp.set_nodelay(true);
    let stream = tokio::select! {
        stream = security.secure(tcp, patience.idle) => stream,
        () = closed(&mut closing) => None,
    };
    let Some(stream) = stream else { return };
    let io = Flushing::new(
        TokioIo::new(stream),
        Arc::clone(&connection.flushed),
        patience.stall,
        Idle::new(Arc::clone(&connection.activity), patience.idle),
    );
    let service = service_fn(move |request| answer(request, connection.clone()));
    let http = http();
    let mut http = pin!(http.serve_connection(io, service));
    // An error here is the client's (garbage, a reset) or a fault that the script asked for.
    tokio::select! {
        _ = http.as_mut() => return,
        () = closed(&mut closing) => http.as_mut().graceful_shutdown(),
    }
    let _ = http.await;
}

fn http() -> auto::Builder<TokioExecutor> {
    // Not `preserve_header_case`: hyper spells an answer's names by the extension that `spelling` keeps
    // without it, and with it would also note down the spelling of every name that a client sends.
    let mut http = auto::Builder::new(TokioExecutor::new()).title_case_headers(true);
    // One timer a connection instead: see `idle`.
    http.http1().header_read_timeout(None);
    http.http2().timer(TokioTimer::new());
    http
}
