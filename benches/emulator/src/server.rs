//! A server in a process of its own, and what the system knows about it.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use bedrock_emulator::{
    Config, Emulator,
    emulator::{Auth, Latency},
};
use bedrock_endpoint::Endpoint;
use tokio::{io::AsyncReadExt as _, net::TcpStream};

/// A running server; it ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Our emulator without latency.
    pub(crate) fn emulator(workshop: &Path, strict: bool) -> anyhow::Result<Self> {
        Self::emulator_with(workshop, strict, &[])
    }

    /// The same with more arguments.
    pub(crate) fn emulator_with(
        workshop: &Path,
        strict: bool,
        more: &[&str],
    ) -> anyhow::Result<Self> {
        let auth = if strict { "strict" } else { "off" };
        let mut command = Command::new(workshop);
        command.args([
            "emulator",
            "--addr",
            "127.0.0.1:0",
            "--no-latency",
            "--quiet",
        ]);
        command.args(["--json", "--auth", auth]).args(more);
        Self::spawn(command, |line| {
            let ready: serde_json::Value = serde_json::from_str(line).ok()?;
            let url = ready.get("emulator")?.as_str()?.strip_prefix("http://")?;
            url.parse().ok()
        })
        .with_context(|| format!("{} does not start", workshop.display()))
    }

    /// A part of this program that prints its address.
    pub(crate) fn own(part: &str, argument: usize) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([part, &argument.to_string()]);
        Self::spawn(command, |line| line.parse().ok())
    }

    /// Somebody else's emulator: any command that listens on `{port}`.
    pub(crate) async fn peer(command: &str) -> anyhow::Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        let addr: SocketAddr = ([127, 0, 0, 1], port).into();
        let line = command.replace("{port}", &port.to_string());
        let child = Command::new("sh")
            .args(["-c", &format!("exec env {line}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{line} does not start"))?;
        let mut server = Self { child, addr };
        let start = Instant::now();
        while TcpStream::connect(addr).await.is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("{line} ended: {status}");
            }
            if start.elapsed() > Duration::from_mins(1) {
                bail!("{line} does not listen on port {port}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }

    fn spawn(
        mut command: Command,
        address: impl Fn(&str) -> Option<SocketAddr>,
    ) -> anyhow::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)?;
        let addr = address(line.trim());
        let Some(addr) = addr else {
            let _ = child.kill();
            let _ = child.wait();
            bail!("it printed {line:?} where its address was expected");
        };
        Ok(Self { child, addr })
    }

    /// CPU time of all its threads so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let mut total = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread may end between the two reads.
            let Ok(stat) = fs::read_to_string(task?.path().join("schedstat")) else {
                continue;
            };
            let on_cpu = stat.split_whitespace().next().unwrap_or_default();
            total += on_cpu.parse::<u64>().unwrap_or_default();
        }
        Ok(Duration::from_nanos(total))
    }

    /// Resident memory in KiB.
    pub(crate) fn rss_kib(&self) -> anyhow::Result<u64> {
        self.memory_kib("VmRSS:")
    }

    /// Of the resident memory what is no page of a file: the system cannot drop it and read it again.
    pub(crate) fn private_kib(&self) -> anyhow::Result<u64> {
        self.memory_kib("RssAnon:")
    }

    fn memory_kib(&self, which: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(which));
        let number = line.and_then(|line| line.split_whitespace().next());
        let number = number.with_context(|| format!("the system does not tell {which}"))?;
        Ok(number.parse()?)
    }
}

/// The emulator's endpoint in this process, without latency, on a free port, which it prints. It ends
/// with its standard input, so that a profiler can write down what it saw.
pub(crate) async fn serve(strict: bool) -> anyhow::Result<()> {
    let emulator = Emulator::new(Config {
        auth: if strict { Auth::Strict } else { Auth::Off },
        latency: Latency::none(),
        ..Config::default()
    })?;
    let endpoint = Endpoint::bind(([127, 0, 0, 1], 0).into(), Arc::new(emulator)).await?;
    println!("{}", endpoint.addr());
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()))
        .await??;
    endpoint.shutdown().await;
    Ok(())
}

/// Reads until the connection has nothing more to say; for tests of a server's start.
pub(crate) async fn first_answer(addr: SocketAddr, request: &[u8]) -> anyhow::Result<()> {
    let mut tcp = TcpStream::connect(addr).await?;
    tokio::io::AsyncWriteExt::write_all(&mut tcp, request).await?;
    let mut head = [0; 12];
    tcp.read_exact(&mut head).await?;
    let head = String::from_utf8_lossy(&head);
    if head != "HTTP/1.1 200" {
        bail!("{head} instead of a 200");
    }
    Ok(())
}
