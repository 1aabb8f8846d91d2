//! Light for the diagram, from what really happened: requests to tables, verdicts of the guardrail, lines
//! that became metrics.

use std::{cell::Cell, collections::BTreeMap, time::SystemTime};

use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{Dimension, Statistic},
};
use ex020::NAMESPACE;
use workshop_testkit::{Call, Hop, TraceStatus};
use workshop_testkit_aws::{AwsLab, aws_local::Clock as _};

use super::account::{Account, BUDGET, CACHE};

const GROUP: &str = "/workshop/worker";

/// What was lit already.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    lines: Cell<usize>,
}

impl Evidence {
    /// The cache and the budget are tables of their own, and the guardrail an operation.
    #[expect(clippy::unused_self, reason = "all evidence is given to one collector")]
    pub(crate) fn of_calls(&self, lab: &AwsLab, calls: &[Call]) {
        // The tests' own requests carry no session: they light nothing.
        for call in calls.iter().filter(|call| call.session) {
            let table = call.body["TableName"].as_str().unwrap_or_default();
            let node = match (table, call.operation.as_str()) {
                (CACHE, _) => "CACHE",
                // Money is set aside by a write; the report only reads.
                (BUDGET, operation) if operation != "GetItem" => "BUDGET",
                (_, "ApplyGuardrail") => "GUARD",
                _ => continue,
            };
            lab.saw(Hop {
                from: "LAMBDA",
                to: node,
                what: &call.operation,
                status: call.status,
                request_id: &call.request_id,
            });
        }
    }

    /// Hands new lines to `CloudWatch` Logs, as Lambda does.
    pub(crate) fn of_lines(&self, account: &Account) {
        let lines = account.lines();
        let new = &lines[self.lines.get()..];
        if new.is_empty() {
            return;
        }
        self.lines.set(lines.len());
        let emulator = account.lab.emulator();
        let now = account.lab.clock().now();
        let at = i64::try_from(now.unix_timestamp_nanos() / 1_000_000).expect("before 2262");
        let events: Vec<_> = new.iter().map(|line| (at, line.clone())).collect();
        let config = emulator.config();
        emulator.put_log_events(&config.account_id, &config.region, GROUP, "a", events, now);
        account.lab.saw(hop("LAMBDA", "CW", "lines"));
    }

    /// How many calls `CloudWatch` has counted.
    pub(crate) async fn counted(&self, account: &Account) -> f64 {
        self.of_lines(account);
        let counted = calls_counted(&account.lab).await;
        if counted > 0.0 {
            account.lab.saw(hop("CW", "METRICS", "DurationMs"));
        }
        counted
    }
}

/// The sample count of `DurationMs`, of both models.
pub(crate) async fn calls_counted(lab: &AwsLab) -> f64 {
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&lab.sdk_config());
    let now = DateTime::from(SystemTime::now()).secs();
    let mut counted = 0.0;
    for tier in ["haiku", "sonnet"] {
        let model = Dimension::builder().name("Model").value(tier).build();
        let asked = cloudwatch.get_metric_statistics();
        let answer = asked
            .namespace(NAMESPACE)
            .metric_name("DurationMs")
            .dimensions(model)
            .start_time(DateTime::from_secs(now - 7_200))
            .end_time(DateTime::from_secs(now + 7_200))
            .period(14_400)
            .statistics(Statistic::SampleCount)
            .send();
        let answer = answer.await.expect("CloudWatch answers");
        let counts = answer.datapoints().iter();
        counted += counts.filter_map(|point| point.sample_count()).sum::<f64>();
    }
    counted
}

fn hop<'a>(from: &'a str, to: &'a str, what: &'a str) -> Hop<'a> {
    Hop {
        from,
        to,
        what,
        status: 200,
        request_id: "the evening",
    }
}

/// The edges of the diagram.
pub(crate) const EDGES: [&str; 13] = [
    "CLIENT-APIGW",
    "APIGW-SQS",
    "SQS-LAMBDA",
    "LAMBDA-DDB",
    "LAMBDA-BUDGET",
    "LAMBDA-CACHE",
    "LAMBDA-GUARD",
    "LAMBDA-BR",
    "BR-HAIKU",
    "BR-SONNET",
    "LAMBDA-CW",
    "CW-METRICS",
    "SQS-DLQ",
];

/// The last state of each edge that was lit, and how often each was not green.
#[derive(Debug, Default)]
pub(crate) struct Lit {
    last: BTreeMap<String, TraceStatus>,
    troubled: BTreeMap<String, usize>,
}

impl Lit {
    pub(crate) fn of(lab: &AwsLab) -> Self {
        let mut lit = Self::default();
        for event in lab.trace() {
            let Some(edge) = event.edge else { continue };
            if event.status != TraceStatus::Ok {
                *lit.troubled.entry(edge.clone()).or_default() += 1;
            }
            lit.last.insert(edge, event.status);
        }
        lit
    }

    /// Edges that no evidence leads over.
    pub(crate) fn dark(&self) -> Vec<&'static str> {
        let edges = EDGES.into_iter();
        edges
            .filter(|edge| !self.last.contains_key(*edge))
            .collect()
    }

    /// Edges over which the last request failed.
    pub(crate) fn red(&self) -> Vec<&'static str> {
        let green = |edge: &&str| self.last.get(*edge) == Some(&TraceStatus::Ok);
        let lit = EDGES
            .into_iter()
            .filter(|edge| self.last.contains_key(*edge));
        lit.filter(|edge| !green(edge)).collect()
    }

    /// Whether the way to Bedrock was ever red.
    pub(crate) fn was_troubled(&self, edge: &str) -> bool {
        self.troubled.contains_key(edge)
    }
}
