//! A request on its way to the real service, signed anew: the client signed it for another host, with
//! whatever key it had.

use std::{sync::Arc, time::SystemTime};

use aws_credential_types::Credentials as SigningKeys;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, Uri,
    body::Incoming,
    header::{AUTHORIZATION, HeaderValue},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore};

use super::{Destination, StartError, header};
use crate::credentials::Credentials;

/// Headers of the client that are about its own connection or its own identity.
const LEFT_BEHIND: &[&str] = &[
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-api-key",
];

pub(super) struct Sender {
    destination: Destination,
    credentials: Option<Credentials>,
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Sender {
    pub(super) fn new(
        destination: &Destination,
        credentials: Option<Credentials>,
    ) -> Result<Self, StartError> {
        let secure = match destination {
            Destination::Bedrock { .. } => true,
            Destination::Url { url, .. } => {
                let unusable = || StartError::Url(url.clone());
                let uri: Uri = url.parse().map_err(|_| unusable())?;
                if uri.host().is_none_or(str::is_empty) {
                    return Err(unusable());
                }
                match uri.scheme_str() {
                    Some("https") => true,
                    Some("http") => false,
                    _ => return Err(unusable()),
                }
            }
        };
        if let Some(Credentials::ApiKey(key)) = &credentials
            && HeaderValue::from_str(key).is_err()
        {
            return Err(StartError::ApiKey);
        }
        let provider = rustls::crypto::ring::default_provider();
        let https = HttpsConnectorBuilder::new();
        let https = if secure {
            https
                .with_provider_and_native_roots(provider)
                .map_err(StartError::Roots)?
        } else {
            // Never used: the address is http.
            let config = ClientConfig::builder_with_provider(Arc::new(provider))
                .with_safe_default_protocol_versions()
                .map_err(|error| StartError::Roots(std::io::Error::other(error)))?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
            https.with_tls_config(config)
        };
        // HTTP/1.1, because its recordings show the letter case of nothing and the chunks of all.
        let connector = https.https_or_http().enable_http1().build();
        Ok(Self {
            destination: destination.clone(),
            credentials,
            http: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// Sends the request on. An `Err` says why there is no answer.
    pub(super) async fn send(
        &self,
        method: &Method,
        target: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, String> {
        let (base, region, service) = self.place(target);
        let uri: Uri = format!("{base}{target}")
            .parse()
            .map_err(|_| format!("{target} cannot be sent"))?;
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = method.clone();
        let kept = headers
            .iter()
            .filter(|(name, _)| !LEFT_BEHIND.contains(&name.as_str()));
        request
            .headers_mut()
            .extend(kept.map(|(n, v)| (n.clone(), v.clone())));
        match &self.credentials {
            None => {}
            Some(Credentials::ApiKey(key)) => {
                let bearer = header(AUTHORIZATION.as_str(), &format!("Bearer {key}"));
                request.headers_mut().extend(bearer);
            }
            Some(Credentials::Keys {
                access_key_id,
                secret_access_key,
                session_token,
            }) => {
                let keys = SigningKeys::new(
                    access_key_id,
                    secret_access_key,
                    session_token.clone(),
                    None,
                    "workshop record",
                );
                let signed = signature(&uri, &request, &body, keys, region, service)?;
                request.headers_mut().extend(signed);
            }
        }
        *request.uri_mut() = uri;
        let answer = self.http.request(request).await;
        answer.map_err(|error| format!("{base} cannot be reached: {}", innermost(&error)))
    }

    /// Address, region and signing name for a path.
    fn place(&self, target: &str) -> (String, &str, &'static str) {
        match &self.destination {
            Destination::Url { url, region } => {
                let service = if target.starts_with("/anthropic/") {
                    "bedrock-mantle"
                } else {
                    "bedrock"
                };
                (url.trim_end_matches('/').to_owned(), region, service)
            }
            Destination::Bedrock { region } => {
                let (host, service) = host(target, region);
                (format!("https://{host}"), region, service)
            }
        }
    }
}

/// Which of Bedrock's hosts serves a path, and what requests to it are signed for.
fn host(target: &str, region: &str) -> (String, &'static str) {
    let suffix = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    let first = target.split(['/', '?']).nth(1).unwrap_or_default();
    match first {
        "model" | "guardrail" | "async-invoke" => {
            (format!("bedrock-runtime.{region}.{suffix}"), "bedrock")
        }
        "anthropic" => (format!("bedrock-mantle.{region}.api.aws"), "bedrock-mantle"),
        _ => (format!("bedrock.{region}.{suffix}"), "bedrock"),
    }
}

/// The headers that sign the request.
fn signature(
    uri: &Uri,
    request: &Request<Full<Bytes>>,
    body: &[u8],
    keys: SigningKeys,
    region: &str,
    service: &str,
) -> Result<HeaderMap, String> {
    let cannot = |error: &dyn std::error::Error| format!("the request cannot be signed: {error}");
    let identity = keys.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| cannot(&error))?;
    let host = uri.authority().map(ToString::to_string).unwrap_or_default();
    // The rest may be changed by proxies on the way.
    let content_type = request.headers().get("content-type");
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let headers = [
        ("host", Some(host.as_str())),
        ("content-type", content_type),
    ];
    let headers = headers
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let signable = SignableRequest::new(
        request.method().as_str(),
        uri.to_string(),
        headers,
        SignableBody::Bytes(body),
    );
    let signable = signable.map_err(|error| cannot(&error))?;
    let output = sign(signable, &params.into()).map_err(|error| cannot(&error))?;
    let (instructions, _) = output.into_parts();
    let signed = instructions.headers();
    Ok(signed
        .filter_map(|(name, value)| header(name, value))
        .collect())
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_goes_to_its_host() {
        for (target, at, service) in [
            (
                "/model/x/converse",
                "bedrock-runtime.eu-west-1.amazonaws.com",
                "bedrock",
            ),
            (
                "/guardrail/x/version/1/apply",
                "bedrock-runtime.eu-west-1.amazonaws.com",
                "bedrock",
            ),
            (
                "/foundation-models?x=y",
                "bedrock.eu-west-1.amazonaws.com",
                "bedrock",
            ),
            ("/guardrails", "bedrock.eu-west-1.amazonaws.com", "bedrock"),
            (
                "/anthropic/v1/messages",
                "bedrock-mantle.eu-west-1.api.aws",
                "bedrock-mantle",
            ),
        ] {
            assert_eq!(host(target, "eu-west-1"), (at.to_owned(), service));
        }
    }
}
