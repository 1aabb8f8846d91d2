//! `workshop emulator status`: how a running emulator is, and what it would have cost so far.

mod table;

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::{cli, commands::env::DEFAULT_EMULATOR, exit, running::Running, source::Source};

/// An emulator answers at once; what takes longer is not one.
const PATIENCE: Duration = Duration::from_secs(3);
/// Nobody's cost table is longer, and what listens there may be anything.
const LONGEST: u64 = 64 << 20;

pub(crate) fn run(args: &cli::EmulatorStatus, source: &Source) -> anyhow::Result<u8> {
    let addr = match &args.url {
        Some(url) => address(url)?,
        None => Running::find(source.workspace.as_ref()).map_or(DEFAULT_EMULATOR, |r| r.emulator),
    };
    match ask_all(addr) {
        Ok(status) if args.json => println!("{status}"),
        Ok(status) => print!("{}", table::render(addr, &status)),
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

/// The control API's status, with its cost as the member `cost`.
fn ask_all(addr: SocketAddr) -> anyhow::Result<Value> {
    let mut status = ask(addr, "status", "requests")?;
    status["cost"] = ask(addr, "cost", "microUsd")?;
    Ok(status)
}

/// One request of HTTP/1.0: the answer ends with the connection. `counts` is a number that the
/// answer of an emulator has.
fn ask(addr: SocketAddr, what: &str, counts: &str) -> anyhow::Result<Value> {
    let mut tcp = TcpStream::connect_timeout(&addr, PATIENCE)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /_workshop/{what} HTTP/1.0\r\nHost: {addr}\r\n\r\n");
    tcp.write_all(request.as_bytes())?;
    let mut answer = String::new();
    tcp.take(LONGEST)
        .read_to_string(&mut answer)
        .context("it does not answer as an emulator does")?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let told: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(message) = told["error"]["message"].as_str() {
        bail!("{message}");
    }
    if !told[counts].is_u64() {
        let first = head.lines().next().unwrap_or("nothing");
        bail!("something else listens there (it says {first:?})");
    }
    Ok(told)
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
}
