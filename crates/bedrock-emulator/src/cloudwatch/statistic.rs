//! One statistic of a metric, period by period.

use std::collections::BTreeMap;

use super::{Input, invalid};
use crate::{
    error::ApiError,
    observe::{Found, Stats},
};

/// Values by the second their period starts.
pub(super) type Points = BTreeMap<i64, f64>;

/// How the values of a period become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// `p50`, `p99.9`, …
    Percentile(f64),
}

impl Statistic {
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        Ok(match text {
            "SampleCount" | "n" => Self::SampleCount,
            "Average" | "avg" => Self::Average,
            "Sum" | "sum" => Self::Sum,
            "Minimum" | "min" => Self::Minimum,
            "Maximum" | "max" => Self::Maximum,
            other => {
                let percent = other.strip_prefix('p').and_then(|p| p.parse().ok());
                let percent = percent.filter(|p| (0.0..=100.0).contains(p));
                let percent = percent.ok_or_else(|| {
                    invalid(format!(
                        "The value {other} for parameter Stat is not supported. This emulator knows \
                         SampleCount, Average, Sum, Minimum, Maximum and percentiles from p0 to p100."
                    ))
                });
                Self::Percentile(percent?)
            }
        })
    }

    pub(super) fn of(self, stats: &Stats) -> Option<f64> {
        Some(match self {
            Self::SampleCount => stats.count(),
            Self::Average => stats.average(),
            Self::Sum => stats.sum(),
            Self::Minimum => stats.min(),
            Self::Maximum => stats.max(),
            Self::Percentile(percent) => return stats.percentile(percent),
        })
    }
}

/// From when to when, in steps of which length.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) period: i64,
}

impl Span {
    /// Periods start at the asked start, rounded down to a minute.
    pub(super) fn new(start: i64, end: i64, period: i64) -> Result<Self, ApiError> {
        if period < 60 || period % 60 != 0 || period > 86_400 * 365 {
            return Err(invalid(format!(
                "The value {period} for parameter Period is not supported: this emulator keeps \
                 minutes, so it must be a multiple of 60 from 60 on."
            )));
        }
        let start = start.div_euclid(60) * 60;
        if end <= start {
            return Err(invalid(
                "The parameter StartTime must be less than the parameter EndTime.",
            ));
        }
        Ok(Self { start, end, period })
    }

    /// The starts of all its periods, if there are not more than `max`.
    pub(super) fn starts(&self, max: usize) -> Option<impl Iterator<Item = i64> + use<>> {
        let Self { start, end, period } = *self;
        let count = (end - start + period - 1).div_euclid(period);
        let count = usize::try_from(count).ok().filter(|count| *count <= max)?;
        Some((0..count).map(move |n| start + period * i64::try_from(n).unwrap_or(i64::MAX)))
    }

    /// The statistics of each period that has data.
    pub(super) fn periods(&self, metrics: &[&Found<'_>]) -> BTreeMap<i64, Stats> {
        let mut periods: BTreeMap<i64, Stats> = BTreeMap::new();
        let last = (self.end + 59).div_euclid(60);
        for metric in metrics {
            for (minute, stats) in metric.line.within(self.start / 60, last) {
                let offset = (minute * 60 - self.start).div_euclid(self.period);
                let at = self.start + offset * self.period;
                periods.entry(at).or_default().merge(stats);
            }
        }
        periods
    }

    /// One statistic of each period that has data.
    pub(super) fn points(&self, metrics: &[&Found<'_>], statistic: Statistic) -> Points {
        let periods = self.periods(metrics).into_iter();
        let points = periods.filter_map(|(at, stats)| Some((at, statistic.of(&stats)?)));
        points.collect()
    }
}

/// Which metric is asked for: namespace, name, exactly these dimensions, and perhaps a unit.
#[derive(Debug)]
pub(super) struct Selector<'v> {
    namespace: &'v str,
    pub(super) name: &'v str,
    dimensions: Vec<(&'v str, &'v str)>,
    unit: Option<&'v str>,
}

impl<'v> Selector<'v> {
    pub(super) fn parse(metric: Input<'v>, unit: Option<&'v str>) -> Result<Self, ApiError> {
        let mut dimensions = Vec::new();
        for dimension in metric.list("Dimensions") {
            dimensions.push((dimension.required("Name")?, dimension.required("Value")?));
        }
        dimensions.sort_unstable();
        Ok(Self {
            namespace: metric.required("Namespace")?,
            name: metric.required("MetricName")?,
            dimensions,
            unit,
        })
    }

    /// Whether the other names the same metric, whatever its unit.
    pub(super) fn same_metric(&self, other: &Self) -> bool {
        (self.namespace, self.name, &self.dimensions)
            == (other.namespace, other.name, &other.dimensions)
    }

    /// The metrics that it selects: more than one when values were put with several units.
    pub(super) fn select<'f, 'm>(&self, found: &'f [Found<'m>]) -> Vec<&'f Found<'m>> {
        let all = found.iter();
        let mine = all.filter(|metric| {
            metric.namespace == self.namespace
                && metric.name == self.name
                && metric.dimensions == self.dimensions
                && self.unit.is_none_or(|unit| unit == metric.unit)
        });
        mine.collect()
    }
}
