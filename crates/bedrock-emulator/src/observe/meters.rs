//! What `CloudWatch` counts: the namespace `AWS/Bedrock` by region and `ModelId`, and the metrics
//! that users put.
//!
//! A request finds the meter of its model by comparing, not by building a key: nothing is allocated
//! for a model that was asked before.

use std::{collections::BTreeMap, sync::Arc};

use time::Date;

use super::{
    Metrics, Spent,
    ledger::Ledger,
    timeline::{Stats, Timeline},
};
use crate::{
    catalogue::{Catalogue, Resolved, Via},
    error::Code,
    journal::Measured,
};

macro_rules! named {
    ($($name:ident $unit:literal;)*) => {
        /// A metric of `AWS/Bedrock`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Named { $($name,)* }

        impl Named {
            /// Every one.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The unit that its values are put with.
            pub(crate) const fn unit(self) -> &'static str {
                match self { $(Self::$name => $unit,)* }
            }
        }
    };
}

named! {
    Invocations "Count";
    InvocationLatency "Milliseconds";
    InvocationClientErrors "Count";
    InvocationServerErrors "Count";
    InvocationThrottles "Count";
    InputTokenCount "Count";
    OutputTokenCount "Count";
    CacheReadInputTokenCount "Count";
    CacheWriteInputTokenCount "Count";
    TimeToFirstToken "Milliseconds";
    EstimatedTPMQuotaUsage "Count";
    LegacyModelInvocations "Count";
}

const NAMED: usize = Named::ALL.len();

/// How many metrics a user may put in an account; a bound of this emulator.
const CUSTOM_MAX: usize = 2_000;

/// One way to one model: what its metrics, log records and diagram node are called.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Door {
    /// `ModelId`, as `CloudWatch` shows it.
    pub(crate) id: String,
    /// `modelId`, as an invocation log record shows it: the profile's ARN, or the model's id.
    pub(crate) logged_id: String,
    /// The diagram node that stands for the model.
    pub(crate) node: Option<String>,
    /// Whether a profile stands before the model.
    pub(crate) profile: bool,
    /// Whether the model has a prompt cache.
    pub(crate) caches: bool,
    /// The model behind it.
    pub(crate) model: String,
    /// Of a system-defined profile.
    prefix: Option<String>,
    region: String,
}

impl Door {
    fn new(resolved: &Resolved<'_>, catalogue: &Catalogue, region: &str, account: &str) -> Self {
        let model = resolved.model;
        let (prefix, profile) = match &resolved.via {
            Via::OnDemand | Via::Provisioned => (None, false),
            Via::Profile { prefix } => (Some((*prefix).to_owned()), true),
            Via::ApplicationProfile(_) => (None, true),
        };
        let arns = catalogue.resources(resolved, region, account).into_iter();
        let arn = arns.take(1).next().filter(|_| profile);
        Self {
            id: resolved.metric_id(),
            logged_id: arn.unwrap_or_else(|| model.id.clone()),
            node: model.node.clone(),
            profile,
            caches: model.min_cache_tokens.is_some(),
            model: model.id.clone(),
            prefix,
            region: region.to_owned(),
        }
    }

    fn is_of(&self, resolved: &Resolved<'_>, region: &str) -> bool {
        let same = match &resolved.via {
            Via::OnDemand | Via::Provisioned => !self.profile,
            Via::Profile { prefix } => self.prefix.as_deref() == Some(*prefix),
            Via::ApplicationProfile(profile) => self.prefix.is_none() && self.id == profile.id,
        };
        same && self.region == region
    }
}

/// The meters of one door.
#[derive(Debug)]
struct Meter {
    door: Arc<Door>,
    lines: [Timeline; NAMED],
    ledger: Ledger,
}

/// What one request adds to its model's meters.
#[derive(Debug)]
pub(crate) struct Sample {
    /// The minute it arrived in, since the Unix epoch.
    pub(crate) minute: i64,
    pub(crate) day: Date,
    pub(crate) streams: bool,
    /// Whether the model is on its way out.
    pub(crate) legacy: bool,
    /// What the answer took, if there was one.
    pub(crate) measured: Option<Measured>,
    /// Tokens that count against the quota.
    pub(crate) quota_tokens: u64,
    /// Whether it came through the runtime's endpoint.
    pub(crate) runtime: bool,
    pub(crate) micro_usd: u64,
    pub(crate) error: Option<Code>,
}

/// A metric that a user put.
#[derive(Debug)]
pub(crate) struct Custom {
    pub(crate) region: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Sorted by name.
    pub(crate) dimensions: Vec<(String, String)>,
    pub(crate) unit: String,
    pub(crate) line: Timeline,
}

/// A metric of either kind.
#[derive(Debug, Clone)]
pub(crate) struct Found<'m> {
    pub(crate) namespace: &'m str,
    pub(crate) name: &'m str,
    pub(crate) dimensions: Vec<(&'m str, &'m str)>,
    pub(crate) unit: &'m str,
    pub(crate) line: &'m Timeline,
}

/// All meters of one account.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    /// By model id.
    models: BTreeMap<String, Vec<Meter>>,
    custom: Vec<Custom>,
}

impl Meters {
    /// Adds what one request leaves behind; tells through which door it went.
    pub(crate) fn put(
        &mut self,
        resolved: &Resolved<'_>,
        catalogue: &Catalogue,
        region: &str,
        account: &str,
        sample: &Sample,
    ) -> Arc<Door> {
        let id = resolved.model.id.as_str();
        if !self.models.contains_key(id) {
            self.models.insert(id.to_owned(), Vec::new());
        }
        let meters = self.models.get_mut(id).expect("it was just put there");
        let at = meters.iter().position(|m| m.door.is_of(resolved, region));
        let at = at.unwrap_or_else(|| {
            meters.push(Meter {
                door: Arc::new(Door::new(resolved, catalogue, region, account)),
                lines: Default::default(),
                ledger: Ledger::default(),
            });
            meters.len() - 1
        });
        let meter = &mut meters[at];
        meter.put(sample);
        Arc::clone(&meter.door)
    }

    /// Sums and counts since the start.
    pub(crate) fn totals(&self) -> Metrics {
        let mut metrics = Metrics::default();
        for meter in self.models.values().flatten() {
            for (named, line) in Named::ALL.iter().zip(&meter.lines) {
                if line.last().is_some() {
                    metrics.add(named.name(), &meter.door.id, line.total());
                }
            }
        }
        metrics
    }

    /// All metrics of one region.
    pub(crate) fn found(&self, region: &str) -> Vec<Found<'_>> {
        let meters = self.models.values().flatten();
        let ours = meters
            .filter(|meter| meter.door.region == region)
            .flat_map(|meter| {
                let lines = Named::ALL.iter().zip(&meter.lines);
                lines.map(|(named, line)| Found {
                    namespace: "AWS/Bedrock",
                    name: named.name(),
                    dimensions: vec![("ModelId", meter.door.id.as_str())],
                    unit: named.unit(),
                    line,
                })
            });
        let custom = self.custom.iter().filter(|custom| custom.region == region);
        let theirs = custom.map(|custom| Found {
            namespace: &custom.namespace,
            name: &custom.name,
            dimensions: custom
                .dimensions
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect(),
            unit: &custom.unit,
            line: &custom.line,
        });
        let all = ours.chain(theirs);
        all.filter(|found| found.line.last().is_some()).collect()
    }

    /// All metrics of `AWS/Bedrock`, as `(region, model id, metric, timeline)`.
    pub(crate) fn bedrock(&self) -> impl Iterator<Item = (&str, &str, Named, &Timeline)> {
        self.models.values().flatten().flat_map(|meter| {
            let lines = Named::ALL.iter().zip(&meter.lines);
            let lines = lines.filter(|(_, line)| line.last().is_some());
            lines.map(|(named, line)| (&*meter.door.region, &*meter.door.id, *named, line))
        })
    }

    /// What was spent, as `(region, model id, door's id, day, spent)`.
    pub(crate) fn spent(&self) -> impl Iterator<Item = (&Door, Date, &Spent)> {
        self.models.values().flatten().flat_map(|meter| {
            let days = meter.ledger.days();
            days.map(|(day, spent)| (&*meter.door, day, spent))
        })
    }

    /// Puts data of a metric that is none of a model's; `false` when there is no room for another.
    pub(crate) fn change_custom(
        &mut self,
        metric: Custom,
        minute: i64,
        change: impl Fn(&mut Stats),
    ) -> bool {
        let same = |known: &Custom| {
            (
                &known.region,
                &known.namespace,
                &known.name,
                &known.dimensions,
            ) == (
                &metric.region,
                &metric.namespace,
                &metric.name,
                &metric.dimensions,
            ) && known.unit == metric.unit
        };
        let at = match self.custom.iter().position(same) {
            Some(at) => at,
            None if self.custom.len() >= CUSTOM_MAX => return false,
            None => {
                self.custom.push(metric);
                self.custom.len() - 1
            }
        };
        self.custom[at].line.change(minute, change);
        true
    }
}

impl Door {
    /// Where it is.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }
}

impl Meter {
    /// `AWS/Bedrock` counts an invocation when it was accepted, also one that fails later; throttles
    /// are neither invocations nor errors; what validation refuses was never accepted (documentation).
    fn put(&mut self, sample: &Sample) {
        if let Some(error) = sample.error {
            let metric = error_metric(error);
            if sample.measured.is_some() || metric == Named::InvocationServerErrors {
                self.add(Named::Invocations, sample, 1);
            }
            self.add(metric, sample, 1);
            return;
        }
        let Some(measured) = &sample.measured else {
            return;
        };
        let usage = measured.usage;
        self.ledger.add(sample.day, usage, sample.micro_usd);
        self.add(Named::Invocations, sample, 1);
        self.add(Named::InvocationLatency, sample, measured.latency_ms);
        self.add(Named::InputTokenCount, sample, usage.input.into());
        self.add(Named::OutputTokenCount, sample, usage.output.into());
        // The figure is kept of the runtime's endpoint only (inferred from dashboards).
        if sample.runtime {
            self.add(Named::EstimatedTPMQuotaUsage, sample, sample.quota_tokens);
        }
        if usage.cache_read > 0 {
            let tokens = usage.cache_read.into();
            self.add(Named::CacheReadInputTokenCount, sample, tokens);
        }
        if usage.cache_write() > 0 {
            let tokens = usage.cache_write().into();
            self.add(Named::CacheWriteInputTokenCount, sample, tokens);
        }
        if sample.streams {
            self.add(Named::TimeToFirstToken, sample, measured.first_token_ms);
        }
        if sample.legacy {
            self.add(Named::LegacyModelInvocations, sample, 1);
        }
    }

    fn add(&mut self, metric: Named, sample: &Sample, value: u64) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "tokens and milliseconds stay far below 2^53"
        )]
        let value = value as f64;
        self.lines[metric as usize].put(sample.minute, value);
    }
}

fn error_metric(code: Code) -> Named {
    match (code, code.status()) {
        (Code::Throttling, _) => Named::InvocationThrottles,
        (_, 400..=404) => Named::InvocationClientErrors,
        _ => Named::InvocationServerErrors,
    }
}
