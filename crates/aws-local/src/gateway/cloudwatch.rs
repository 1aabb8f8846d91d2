//! Where the access log and the metrics of an API go: CloudWatch Logs, and `AWS/ApiGateway`.

use std::sync::{Arc, Weak};

use bedrock_emulator::{Emulator, observe::ServiceMetric};

use super::{
    seen::{Seen, Watcher},
    settings::ProtocolType,
};

/// Writes what is seen into that emulator's logs and metrics, as long as it is there.
pub(super) fn watcher(emulator: Weak<Emulator>) -> Watcher {
    Arc::new(move |seen| {
        if let Some(emulator) = emulator.upgrade() {
            log(&emulator, seen);
            measure(&emulator, seen);
        }
    })
}

fn log(emulator: &Emulator, seen: &Seen) {
    let (Some(line), Some(group)) = (&seen.access_log, &seen.log_group) else {
        return;
    };
    let at = i64::try_from(seen.at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    let events = [(at, line.clone())];
    // AWS spreads the lines over streams whose names say nothing; one is enough here.
    let (account, region) = (&seen.account_id, &seen.region);
    emulator.put_log_events(account, region, group, &seen.stage, events, seen.at);
}

fn measure(emulator: &Emulator, seen: &Seen) {
    let counted = dimensions(seen).into_iter().flat_map(|dimensions| {
        let values = seen.metrics().into_iter();
        values.map(move |(name, value)| ServiceMetric {
            region: seen.region.clone(),
            namespace: "AWS/ApiGateway",
            name: own_name(seen.protocol_type, name),
            dimensions: dimensions.clone(),
            unit: if name.ends_with("Latency") {
                "Milliseconds"
            } else {
                "Count"
            },
            value,
        })
    });
    emulator.put_service_metrics(&seen.account_id, counted, seen.at);
}

/// Under which dimensions a request counts (documentation): a REST API goes by its name, an HTTP API by
/// its id; each also by stage.
fn dimensions(seen: &Seen) -> [Vec<(&'static str, String)>; 2] {
    let api = match seen.protocol_type {
        ProtocolType::Rest => ("ApiName", seen.api_name.clone()),
        ProtocolType::Http => ("ApiId", seen.api_id.clone()),
    };
    [vec![api.clone()], vec![api, ("Stage", seen.stage.clone())]]
}

/// HTTP APIs call two of them differently (documentation).
fn own_name(api: ProtocolType, name: &'static str) -> &'static str {
    match (api, name) {
        (ProtocolType::Http, "4XXError") => "4xx",
        (ProtocolType::Http, "5XXError") => "5xx",
        _ => name,
    }
}
