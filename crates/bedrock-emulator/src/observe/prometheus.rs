//! The metrics of `AWS/Bedrock` in Prometheus' text format.

use std::fmt::Write as _;

use super::{Meters, Named};

/// What each metric is called there, and what it says.
const fn words(metric: Named) -> (&'static str, &'static str) {
    match metric {
        Named::Invocations => ("invocations_total", "Invocations accepted."),
        Named::InvocationLatency => (
            "invocation_latency_milliseconds",
            "From the request to the last token.",
        ),
        Named::InvocationClientErrors => (
            "invocation_client_errors_total",
            "Invocations refused as the caller's mistake.",
        ),
        Named::InvocationServerErrors => (
            "invocation_server_errors_total",
            "Invocations that Bedrock or the model failed.",
        ),
        Named::InvocationThrottles => ("invocation_throttles_total", "Invocations throttled."),
        Named::InputTokenCount => ("input_tokens_total", "Input tokens, without cached ones."),
        Named::OutputTokenCount => ("output_tokens_total", "Output tokens."),
        Named::CacheReadInputTokenCount => (
            "cache_read_input_tokens_total",
            "Input tokens read from the prompt cache.",
        ),
        Named::CacheWriteInputTokenCount => (
            "cache_write_input_tokens_total",
            "Input tokens written to the prompt cache.",
        ),
        Named::TimeToFirstToken => (
            "time_to_first_token_milliseconds",
            "From the request to the first token of a stream.",
        ),
        Named::EstimatedTPMQuotaUsage => (
            "estimated_quota_tokens_total",
            "Tokens as they count against the quota.",
        ),
        Named::LegacyModelInvocations => (
            "legacy_model_invocations_total",
            "Invocations of models in their legacy state.",
        ),
    }
}

/// All accounts' metrics; counters since the start, latencies as summaries.
pub(crate) fn prometheus<'m>(accounts: impl Iterator<Item = (&'m str, &'m Meters)>) -> String {
    let accounts: Vec<_> = accounts.collect();
    let mut out = String::new();
    for &metric in Named::ALL {
        let (name, help) = words(metric);
        let kind = match metric.unit() {
            "Milliseconds" => "summary",
            _ => "counter",
        };
        let mut first = true;
        for (account, meters) in &accounts {
            let lines = meters.bedrock().filter(|(_, _, m, _)| *m == metric);
            for (region, model, _, line) in lines {
                if std::mem::take(&mut first) {
                    let _ = writeln!(out, "# HELP aws_bedrock_{name} {help}");
                    let _ = writeln!(out, "# TYPE aws_bedrock_{name} {kind}");
                }
                let labels =
                    format!("account=\"{account}\",region=\"{region}\",model_id=\"{model}\"");
                let total = line.total();
                if kind == "counter" {
                    let _ = writeln!(out, "aws_bedrock_{name}{{{labels}}} {}", total.sum());
                    continue;
                }
                for (quantile, percent) in [("0.5", 50.0), ("0.9", 90.0), ("0.99", 99.0)] {
                    let value = total.percentile(percent).unwrap_or(f64::NAN);
                    let _ = writeln!(
                        out,
                        "aws_bedrock_{name}{{{labels},quantile=\"{quantile}\"}} {value}"
                    );
                }
                let _ = writeln!(out, "aws_bedrock_{name}_sum{{{labels}}} {}", total.sum());
                let _ = writeln!(
                    out,
                    "aws_bedrock_{name}_count{{{labels}}} {}",
                    total.count()
                );
            }
        }
    }
    out
}
