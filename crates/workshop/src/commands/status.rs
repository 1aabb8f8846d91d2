//! `workshop emulator status`: how a running emulator is.

use std::fmt::Write as _;

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::{cli, commands::env::DEFAULT_EMULATOR, exit, running::Running, source::Source, style};

/// An emulator answers at once; what takes longer is not one.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) fn run(args: &cli::EmulatorStatus, source: &Source) -> anyhow::Result<u8> {
    let addr = match &args.url {
        Some(url) => address(url)?,
        None => Running::find(source.workspace.as_ref()).map_or(DEFAULT_EMULATOR, |r| r.emulator),
    };
    match ask(addr) {
        Ok(status) if args.json => println!("{status}"),
        Ok(status) => print!("{}", table(addr, &status)),
        Err(error) => {
            if args.json {
                println!(
                    "{}",
                    serde_json::json!({ "running": false, "url": format!("http://{addr}") })
                );
            }
            eprintln!("No emulator answers at http://{addr}: {error:#}");
            eprintln!("Start one:  workshop emulator");
            eprintln!("Elsewhere:  workshop emulator status --url http://127.0.0.1:PORT");
            return Ok(exit::NOT_RUNNING);
        }
    }
    Ok(exit::OK)
}

/// `http://127.0.0.1:4566`, or without the scheme.
fn address(url: &str) -> anyhow::Result<SocketAddr> {
    use std::net::ToSocketAddrs as _;
    let authority = url.trim_start_matches("http://").trim_end_matches('/');
    if authority.contains("://") {
        bail!("{url}: ask over http; the port speaks it beside TLS too");
    }
    let mut found = authority
        .to_socket_addrs()
        .with_context(|| format!("{url} is not an address; write http://127.0.0.1:4566"))?;
    found.next().with_context(|| format!("{url} leads nowhere"))
}

/// One request of HTTP/1.0: the answer ends with the connection.
fn ask(addr: SocketAddr) -> anyhow::Result<Value> {
    let mut tcp = TcpStream::connect_timeout(&addr, PATIENCE)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    write!(
        tcp,
        "GET /_workshop/status HTTP/1.0\r\nHost: {addr}\r\n\r\n"
    )?;
    let mut answer = String::new();
    tcp.take(1 << 20)
        .read_to_string(&mut answer)
        .context("it does not answer as an emulator does")?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(message) = status["error"]["message"].as_str() {
        bail!("{message}");
    }
    if !status["requests"].is_u64() {
        let first = head.lines().next().unwrap_or("nothing");
        bail!("something else listens there (it says {first:?})");
    }
    Ok(status)
}

fn table(addr: SocketAddr, status: &Value) -> String {
    let text = |key: &str| status[key].as_str().unwrap_or("-").to_owned();
    let count = |key: &str| status[key].as_u64().unwrap_or_default();
    let mut rows = vec![
        (
            "emulator",
            format!("up at http://{addr}, version {}", text("version")),
        ),
        ("uptime", uptime(count("uptime_s"))),
        (
            "region",
            format!("{}, signatures {}", text("region"), text("auth")),
        ),
        ("day", text("today")),
        ("requests", count("requests").to_string()),
        (
            "errors",
            format!(
                "{}, of them throttled {}",
                count("errors"),
                count("throttles")
            ),
        ),
    ];
    let last = &status["last_error"];
    if last.is_object() {
        let what = |key: &str| last[key].as_str().unwrap_or("-").to_owned();
        let words = match what("message") {
            message if message.chars().count() > 100 => {
                format!("{}…", message.chars().take(100).collect::<String>())
            }
            message => message,
        };
        rows.push((
            "last error",
            format!(
                "request {}, {} {}: {words}",
                last["seq"],
                what("operation"),
                what("code")
            ),
        ));
    }
    let mut out = String::new();
    for (name, value) in rows {
        let _ = writeln!(out, "{name:<11} {}", value.replace('\n', " "));
    }
    let accounts = status["accounts"].as_array().cloned().unwrap_or_default();
    out.push_str(&style::bold(&format!(
        "\n{:<13} {:>9} {:>7} {:>10} {:>7} {:>7}",
        "account", "requests", "errors", "throttled", "script", "faults"
    )));
    out.push('\n');
    for account in accounts {
        let count = |key: &str| account[key].as_u64().unwrap_or_default();
        let _ = writeln!(
            out,
            "{:<13} {:>9} {:>7} {:>10} {:>7} {:>7}",
            account["id"].as_str().unwrap_or("-"),
            count("requests"),
            count("errors"),
            count("throttles"),
            count("script_rules"),
            count("faults"),
        );
    }
    out
}

fn uptime(seconds: u64) -> String {
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_scheme() {
        for url in [
            "http://127.0.0.1:99",
            "127.0.0.1:99",
            "http://127.0.0.1:99/",
        ] {
            assert_eq!(address(url).unwrap().port(), 99, "{url}");
        }
        assert!(address("https://127.0.0.1:99").is_err());
        assert!(address("nonsense").is_err());
    }

    #[test]
    fn times_are_told_roughly() {
        assert_eq!(uptime(5), "5 s");
        assert_eq!(uptime(65), "1 min 5 s");
        assert_eq!(uptime(3_700), "1 h 1 min");
    }
}
