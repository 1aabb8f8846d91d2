//! What CloudWatch would know: invocation log records and metrics.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    answer_plan::Answer,
    catalogue::{Resolved, Via},
    error::{ApiError, Code},
    journal::{Record, Usage},
    ops::Encoded,
    wire::Request,
};

/// One record of model invocation logging (`schemaType: ModelInvocationLog`); logging is off
/// until it is switched on, as on AWS.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogRecord {
    /// The request it is about.
    pub request_id: String,
    /// The record as CloudWatch Logs would hold it.
    pub record: Value,
}

/// Sums and counts of the namespace `AWS/Bedrock`, by metric name and `ModelId`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    series: BTreeMap<(String, String), Series>,
}

/// One metric of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Series {
    /// Number of data points.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The largest.
    pub max: f64,
}

impl Metrics {
    /// Adds one data point.
    pub fn put(&mut self, name: &str, model_id: &str, value: f64) {
        let series = self
            .series
            .entry((name.to_owned(), model_id.to_owned()))
            .or_default();
        series.count += 1;
        series.sum += value;
        series.max = series.max.max(value);
    }

    /// The series of that metric and model; zero when nothing was recorded.
    pub fn get(&self, name: &str, model_id: &str) -> Series {
        self.series
            .get(&(name.to_owned(), model_id.to_owned()))
            .copied()
            .unwrap_or_default()
    }

    /// All series as `(metric name, model id, series)`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, Series)> {
        self.series
            .iter()
            .map(|((name, model), s)| (name.as_str(), model.as_str(), *s))
    }
}

impl Metrics {
    /// What an invocation that was answered puts. A failure inside the stream counts as accepted.
    pub(crate) fn put_answer(
        &mut self,
        model_id: &str,
        streams: bool,
        answer: &Answer,
        encoded: &Encoded,
    ) {
        self.put("Invocations", model_id, 1.0);
        if let Some(error) = &encoded.exception {
            self.put(error_metric(error), model_id, 1.0);
            return;
        }
        self.put("InvocationLatency", model_id, float(encoded.latency_ms));
        let usage = answer.usage;
        self.put("InputTokenCount", model_id, f64::from(usage.input));
        self.put("OutputTokenCount", model_id, f64::from(usage.output));
        if streams {
            let first = float(encoded.first_token_ms);
            self.put("TimeToFirstToken", model_id, first);
        }
    }

    /// What a refused or failed invocation puts. Throttles are in neither invocations nor errors;
    /// what validation refuses was never accepted.
    pub(crate) fn put_error(&mut self, model_id: &str, error: &ApiError) {
        let metric = error_metric(error);
        if metric == "InvocationServerErrors" {
            self.put("Invocations", model_id, 1.0);
        }
        self.put(metric, model_id, 1.0);
    }
}

fn error_metric(error: &ApiError) -> &'static str {
    match (error.code(), error.code().status()) {
        (Code::Throttling, _) => "InvocationThrottles",
        (_, 400..=404) => "InvocationClientErrors",
        _ => "InvocationServerErrors",
    }
}

fn float(ms: u64) -> f64 {
    f64::from(u32::try_from(ms).unwrap_or(u32::MAX))
}

/// What an invocation came to, for its log record.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    output: Option<&'a Value>,
    usage: Option<Usage>,
    error: Option<&'a ApiError>,
}

impl<'a> Outcome<'a> {
    pub(crate) fn answered(encoded: &'a Encoded, usage: Usage) -> Self {
        Self {
            output: Some(&encoded.log_output),
            usage: Some(usage),
            error: encoded.exception.as_ref(),
        }
    }

    pub(crate) fn failed(error: &'a ApiError) -> Self {
        Self {
            output: None,
            usage: None,
            error: Some(error),
        }
    }

    /// The record as CloudWatch Logs holds it. Profile calls show the profile's ARN as `modelId`.
    #[expect(
        clippy::too_many_arguments,
        reason = "the record is made of everything a request consists of"
    )]
    pub(crate) fn record(
        &self,
        kept: &Record,
        operation: &str,
        caller: &str,
        account: &str,
        region: &str,
        resolved: &Resolved<'_>,
        arns: &[String],
        now: OffsetDateTime,
    ) -> LogRecord {
        let model_id = match resolved.via {
            Via::OnDemand => resolved.model.id.as_str(),
            Via::Profile { .. } | Via::ApplicationProfile(_) => arns[0].as_str(),
        };
        let body: Option<Value> = serde_json::from_slice(&kept.request.body).ok();
        let metadata = request_metadata(&kept.request, body.as_ref());
        let mut input = json!({
            "inputContentType": "application/json",
            "inputBodyJson": body,
        });
        let mut record = json!({
            "schemaType": "ModelInvocationLog",
            "schemaVersion": "1.0",
            "timestamp": now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default(),
            "accountId": account,
            "identity": { "arn": caller },
            "region": region,
            "requestId": kept.request_id,
            "operation": operation,
            "modelId": model_id,
        });
        if let Some(usage) = self.usage {
            input["inputTokenCount"] = usage.input.into();
        }
        record["input"] = input;
        if let Some(output) = self.output {
            record["output"] = json!({
                "outputContentType": "application/json",
                "outputBodyJson": output,
            });
            if let Some(usage) = self.usage {
                record["output"]["outputTokenCount"] = usage.output.into();
            }
        }
        if resolved.via != Via::OnDemand {
            record["inferenceRegion"] = region.into();
        }
        if let Some(error) = self.error {
            record["errorCode"] = error.code().name().into();
            record["status"] = error.code().status().to_string().into();
        }
        if let Some(metadata) = metadata {
            record["requestMetadata"] = metadata;
        }
        LogRecord {
            request_id: kept.request_id.clone(),
            record,
        }
    }
}

/// From the Converse body, or from the header that `InvokeModel` takes.
fn request_metadata(request: &Request, body: Option<&Value>) -> Option<Value> {
    let in_body = body.and_then(|b| b.get("requestMetadata"));
    let header = request.header("x-amzn-bedrock-request-metadata");
    let in_header = header.and_then(|h| serde_json::from_str(h).ok());
    in_body.cloned().or(in_header)
}
