//! What a request leaves behind for logs and metrics.

use std::sync::Arc;

use time::OffsetDateTime;

use super::{exchange::Exchange, settings::ProtocolType};

/// Hears how each request ended; must return quickly.
pub type Watcher = Arc<dyn Fn(&Seen) + Send + Sync>;

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The account that the API is in.
    pub account_id: String,
    /// Where it is.
    pub region: String,
    /// Which product.
    pub protocol_type: ProtocolType,
    /// The API's id.
    pub api_id: String,
    /// The title of its document.
    pub api_name: String,
    /// The stage's name.
    pub stage: String,
    /// `GET`, …
    pub http_method: String,
    /// `/items/{id}`; `None`: no method answers.
    pub resource: Option<String>,
    /// When it arrived.
    pub at: OffsetDateTime,
    /// The answer's status.
    pub status: u16,
    /// From its arrival to the answer.
    pub latency_ms: i64,
    /// From the event to the function's answer; `None`: no function was asked.
    pub integration_latency_ms: Option<i64>,
    /// Whether the cache had the answer; `None`: it was not asked.
    pub cache_hit: Option<bool>,
    /// Its line in the access log, if the stage has one.
    pub access_log: Option<String>,
    /// The log group of the access log.
    pub log_group: Option<String>,
}

impl Seen {
    pub(super) fn of(exchange: &Exchange) -> Self {
        let (api, ended) = (&exchange.stage.api, &exchange.ended);
        Self {
            account_id: api.settings.account_id.clone(),
            region: api.settings.region.clone(),
            protocol_type: api.settings.protocol_type,
            api_id: api.id().to_owned(),
            api_name: api.name.clone(),
            stage: api.stage().to_owned(),
            http_method: exchange.request.method.clone(),
            resource: exchange.resource(),
            at: exchange.at,
            status: ended.status,
            latency_ms: ended.latency_ms,
            integration_latency_ms: ended.integration_latency_ms,
            cache_hit: ended.cached,
            log_group: api.log.as_ref().map(|_| api.log_group()),
            access_log: api.log.as_ref().map(|format| format.line(exchange)),
        }
    }

    /// The values that this request adds to the metrics of `AWS/ApiGateway`, as a REST API's are called.
    /// Errors and cache hits count as 0 as well, so that their average is a rate.
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds are far below 2^52"
    )]
    pub fn metrics(&self) -> Vec<(&'static str, f64)> {
        let flag = |is: bool| if is { 1.0 } else { 0.0 };
        let mut metrics = vec![
            ("Count", 1.0),
            ("4XXError", flag((400..500).contains(&self.status))),
            ("5XXError", flag(self.status >= 500)),
            ("Latency", self.latency_ms as f64),
        ];
        let integration = self.integration_latency_ms;
        metrics.extend(integration.map(|ms| ("IntegrationLatency", ms as f64)));
        if let Some(hit) = self.cache_hit {
            metrics.push(("CacheHitCount", flag(hit)));
            metrics.push(("CacheMissCount", flag(!hit)));
        }
        metrics
    }
}
