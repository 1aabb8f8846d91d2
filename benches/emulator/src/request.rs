//! The requests that are sent, ready as bytes.

use std::{fmt::Write as _, net::SocketAddr, time::SystemTime};

use anyhow::Context as _;
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use bedrock_emulator::{Config, catalogue::Catalogue};

/// Which operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Converse,
    InvokeModel,
    ConverseStream,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Converse => "Converse",
            Self::InvokeModel => "InvokeModel",
            Self::ConverseStream => "ConverseStream",
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Converse => "converse",
            Self::InvokeModel => "invoke",
            Self::ConverseStream => "converse-stream",
        }
    }

    /// About 270 bytes, as a short question from an SDK has.
    fn body(self) -> String {
        let question = "Name three things that make a service that calls a language model \
                        ready for production, and say in one sentence each why they matter.";
        match self {
            Self::Converse => format!(
                r#"{{"messages":[{{"role":"user","content":[{{"text":"{question}"}}]}}],"inferenceConfig":{{"maxTokens":64}}}}"#
            ),
            // A scripted stream is told to its end.
            Self::ConverseStream => format!(
                r#"{{"messages":[{{"role":"user","content":[{{"text":"{question}"}}]}}],"inferenceConfig":{{"maxTokens":4000}}}}"#
            ),
            Self::InvokeModel => format!(
                r#"{{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"messages":[{{"role":"user","content":"{question}"}}]}}"#
            ),
        }
    }
}

/// One HTTP/1.1 request, signed with the default identity if `signed`.
pub(crate) fn bytes(kind: Kind, addr: SocketAddr, signed: bool) -> anyhow::Result<Vec<u8>> {
    let catalogue = Catalogue::built_in()?;
    let model = catalogue
        .by_alias("haiku")
        .context("no model is called haiku")?;
    let model = catalogue
        .profile_id(model, "us-east-1")
        .context("haiku has no profile in us-east-1")?
        .replace(':', "%3A");
    let path = format!("/model/{model}/{}", kind.action());
    let body = kind.body();
    let host = addr.to_string();
    let mut headers = vec![
        ("host".to_owned(), host.clone()),
        ("content-type".to_owned(), "application/json".to_owned()),
    ];
    if signed {
        headers.extend(signature(&format!("http://{host}{path}"), &headers, &body)?);
    }
    let mut request = format!("POST {path} HTTP/1.1\r\n");
    for (name, value) in headers {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    let _ = write!(request, "content-length: {}\r\n\r\n{body}", body.len());
    Ok(request.into_bytes())
}

fn signature(
    url: &str,
    headers: &[(String, String)],
    body: &str,
) -> anyhow::Result<Vec<(String, String)>> {
    let pair = Config::default().credentials.remove(0);
    let identity = Credentials::new(
        pair.access_key_id,
        pair.secret_access_key,
        None,
        None,
        "emulator-bench",
    )
    .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("bedrock")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?
        .into();
    let signed_headers = headers.iter().map(|(n, v)| (n.as_str(), v.as_str()));
    let request = SignableRequest::new(
        "POST",
        url,
        signed_headers,
        SignableBody::Bytes(body.as_bytes()),
    )?;
    let (instructions, _) = sign(request, &params)?.into_parts();
    let (headers, _) = instructions.into_parts();
    let pairs = headers
        .into_iter()
        .map(|header| (header.name().to_owned(), header.value().to_owned()));
    Ok(pairs.collect())
}
