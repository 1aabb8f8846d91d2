//! One connection that is kept alive, for requests to any service. The client costs as little as it
//! can: it is on the same machine as what it measures.

use std::{fmt::Write as _, net::SocketAddr};

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

/// A connection to a server.
pub(crate) struct Connection {
    addr: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) async fn open(addr: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            addr,
            stream: BufReader::new(stream),
        })
    }

    /// An operation of a JSON protocol, by its target.
    pub(crate) async fn json(
        &mut self,
        service: &str,
        target: &str,
        input: &Value,
    ) -> anyhow::Result<Value> {
        let headers =
            format!("content-type: application/x-amz-json-1.0\r\nx-amz-target: {target}\r\n");
        let answer = self.send("POST", "/", service, &headers, input).await;
        answer.with_context(|| target.to_owned())
    }

    /// An operation of a REST protocol, by its path.
    pub(crate) async fn rest(
        &mut self,
        method: &str,
        path: &str,
        service: &str,
        input: &Value,
    ) -> anyhow::Result<Value> {
        let headers = "content-type: application/json\r\n";
        let answer = self.send(method, path, service, headers, input).await;
        answer.with_context(|| format!("{method} {path}"))
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        service: &str,
        headers: &str,
        input: &Value,
    ) -> anyhow::Result<Value> {
        let body = input.to_string();
        // Servers that check no signature still look at the scope, to find the service.
        let scope = format!("20261122/us-east-1/{service}/aws4_request");
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n{headers}",
            self.addr
        );
        let _ = write!(
            request,
            "authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/{scope}, \
             SignedHeaders=host, Signature=00\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let (status, body) = self.answer().await?;
        if !(200..300).contains(&status) {
            bail!("{status}: {}", String::from_utf8_lossy(&body));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(&body)?)
    }

    async fn answer(&mut self) -> anyhow::Result<(u16, Vec<u8>)> {
        let (mut status, mut length, mut line) = (0, None, String::new());
        loop {
            line.clear();
            if self.stream.read_line(&mut line).await? == 0 {
                bail!("the connection was closed");
            }
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if status == 0 {
                let code = text.split(' ').nth(1).context("no status line")?;
                status = code.parse()?;
            } else if let Some((name, value)) = text.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse()?);
            }
        }
        let length: usize = length.context("an answer without content-length")?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok((status, body))
    }
}
