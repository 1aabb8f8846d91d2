//! Programs in processes of their own, and what the system knows about them.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// A running server; it ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // A request to end, so that a server with workers takes them along.
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Server {
    /// The site over that course, with its emulator.
    pub(crate) fn workshop(
        program: &Path,
        course: Option<&Path>,
        at: &Path,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.current_dir(at).args(["serve", "--json"]);
        command.args(["--addr", "127.0.0.1:0", "--emulator-addr", "127.0.0.1:0"]);
        if let Some(course) = course {
            command.arg("--course").arg(course);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} does not start", program.display()))?;
        let out = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let addr = serde_json::from_str::<Value>(&line).ok().and_then(|ready| {
            let url = ready.get("site")?.as_str()?.strip_prefix("http://")?;
            url.trim_end_matches('/').parse().ok()
        });
        let Some(addr) = addr else {
            let _ = child.kill();
            let _ = child.wait();
            bail!(
                "{} printed {line:?} where its address was expected",
                program.display()
            );
        };
        Ok(Self { child, addr })
    }

    /// A program that will listen on that address.
    pub(crate) fn listening(mut command: Command, addr: SocketAddr) -> anyhow::Result<Self> {
        let child = command.spawn()?;
        let mut server = Self { child, addr };
        let start = Instant::now();
        while TcpStream::connect(addr).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("{command:?} ended: {status}");
            }
            if start.elapsed() > Duration::from_mins(1) {
                bail!("{command:?} does not listen on {addr}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    /// CPU time of its threads and of its workers so far.
    pub(crate) fn cpu(&self) -> Duration {
        let id = self.child.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        let workers = children.split_whitespace().filter_map(|id| id.parse().ok());
        workers.chain([id]).map(cpu_of).sum()
    }
}

fn cpu_of(process: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{process}/task"));
    let times = tasks.into_iter().flatten().flatten().filter_map(|task| {
        let stat = fs::read_to_string(task.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(times.sum())
}

/// A port of this machine that was free a moment ago.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The whole body of one answer, which must be a 200.
pub(crate) fn get(addr: SocketAddr, path: &str, coding: &str) -> anyhow::Result<usize> {
    let mut tcp = TcpStream::connect(addr)?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {addr}\r\naccept-encoding: {coding}\r\nconnection: close\r\n\r\n"
    );
    tcp.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n");
    let end = end.with_context(|| format!("no whole answer to {path}"))?;
    let head = String::from_utf8_lossy(&answer[..end]);
    let status = head.lines().next().unwrap_or_default();
    if !status.contains(" 200") {
        bail!("{path} is answered with {status}");
    }
    if coding != "identity"
        && !head
            .to_lowercase()
            .contains(&format!("content-encoding: {coding}"))
    {
        bail!("{path} is not sent as {coding}");
    }
    Ok(answer.len() - end - 4)
}

/// Where that program is, if it is installed; Debian's nginx is not on everybody's path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let mut files = folders.map(|folder| folder.join(program));
    files.find(|file| file.is_file())
}

/// As seen from here, wherever a child process stands.
pub(crate) fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    Ok(std::env::current_dir()?.join(path))
}

/// Runs a program to its end: wall and CPU time, of its children too.
pub(crate) fn time(mut command: Command) -> anyhow::Result<(Duration, Duration)> {
    let (before, start) = (cpu_of_children()?, Instant::now());
    let output = command
        .output()
        .with_context(|| format!("{command:?} does not start"))?;
    let wall = start.elapsed();
    if !output.status.success() {
        let (out, err) = (&output.stdout, &output.stderr);
        let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
        bail!("{command:?} ended with {}: {out}{err}", output.status);
    }
    Ok((wall, cpu_of_children()?.saturating_sub(before)))
}

/// Of those that ended; in hundredths of a second, as Linux counts it for everybody.
fn cpu_of_children() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name stands in brackets and may hold anything.
    let (_, rest) = stat.rsplit_once(')').context("no /proc/self/stat")?;
    let ticks = rest.split_whitespace().skip(13).take(2);
    let ticks: u64 = ticks.filter_map(|n| n.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}
