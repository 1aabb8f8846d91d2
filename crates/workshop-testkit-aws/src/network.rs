//! A network in which every name leads to the lab.

use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};

/// A client that sends everything to `url`, and leaves in `Host` where it was to go.
pub(crate) fn any_host(url: String) -> SharedHttpClient {
    SharedHttpClient::new(AnyHost {
        client: Builder::new().build_http(),
        url,
    })
}

#[derive(Debug)]
struct AnyHost {
    client: SharedHttpClient,
    url: String,
}

impl HttpClient for AnyHost {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Redirecting {
            connector: self.client.http_connector(settings, components),
            url: self.url.clone(),
        })
    }
}

#[derive(Debug)]
struct Redirecting {
    connector: SharedHttpConnector,
    url: String,
}

impl HttpConnector for Redirecting {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let uri = request.uri().to_owned();
        let rest = uri.split_once("://").map_or(uri.as_str(), |(_, rest)| rest);
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // The signature covers the host that was meant.
        request.headers_mut().insert("host", host.to_owned());
        match request.set_uri(format!("{}{path}", self.url)) {
            Ok(()) => self.connector.call(request),
            Err(error) => HttpConnectorFuture::ready(Err(ConnectorError::user(Box::new(error)))),
        }
    }
}
