//! A metric filter: a pattern of lines, and the metrics that each line of that pattern makes.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    invalid,
    pattern::{Pattern, Selector},
};
use crate::{
    error::ApiError,
    observe::{Custom, Timeline},
};

/// Bounds of the service model.
const DIMENSIONS_MAX: usize = 3;

/// A filter of one log group.
#[derive(Debug)]
pub(crate) struct MetricFilter {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) created: i64,
    pattern: Pattern,
    metrics: Vec<Transformation>,
}

/// How a line that matches becomes a datum.
#[derive(Debug)]
struct Transformation {
    given: Given,
    value: Operand,
    dimensions: Vec<(String, Selector)>,
}

/// As it was sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Given {
    metric_name: String,
    metric_namespace: String,
    metric_value: String,
    default_value: Option<f64>,
    #[serde(default)]
    dimensions: std::collections::BTreeMap<String, String>,
    unit: Option<String>,
}

#[derive(Debug)]
enum Operand {
    Number(f64),
    Of(Selector),
}

impl MetricFilter {
    pub(super) fn new(
        name: String,
        text: String,
        given: Vec<Given>,
        created: i64,
    ) -> Result<Self, ApiError> {
        let pattern = Pattern::parse(&text)?;
        if given.len() != 1 {
            return Err(invalid(
                "1 validation error detected: Value at 'metricTransformations' failed to satisfy \
                 constraint: Member must have length of 1",
            ));
        }
        let metrics = given
            .into_iter()
            .map(|given| Transformation::new(given, &pattern));
        let metrics: Result<_, ApiError> = metrics.collect();
        Ok(Self {
            name,
            text,
            created,
            metrics: metrics?,
            pattern,
        })
    }

    /// Whether it makes this metric.
    pub(super) fn makes(&self, namespace: Option<&str>, name: Option<&str>) -> bool {
        self.metrics.iter().any(|metric| {
            namespace.is_none_or(|n| n == metric.given.metric_namespace)
                && name.is_none_or(|n| n == metric.given.metric_name)
        })
    }

    /// What a line comes to.
    pub(super) fn data(&self, region: &str, line: &str) -> Vec<(Custom, f64)> {
        let Some(found) = self.pattern.find(line) else {
            let defaults = self.metrics.iter();
            let defaults = defaults
                .filter_map(|m| Some((m.custom(region, Vec::new()), m.given.default_value?)));
            return defaults.collect();
        };
        let data = self.metrics.iter().filter_map(|metric| {
            let value = match &metric.value {
                Operand::Number(number) => *number,
                Operand::Of(selector) => found.value(selector)?.trim().parse().ok()?,
            };
            if !f64::is_finite(value) {
                return None;
            }
            // Without one of its dimensions a line makes no metric (documentation).
            let dimensions = metric.dimensions.iter();
            let dimensions: Option<Vec<_>> = dimensions
                .map(|(name, selector)| Some((name.clone(), found.value(selector)?)))
                .collect();
            Some((metric.custom(region, dimensions?), value))
        });
        data.collect()
    }

    /// As `DescribeMetricFilters` tells it.
    pub(super) fn told(&self, group: &str) -> Value {
        let metrics: Vec<Value> = self.metrics.iter().map(|m| m.given.told()).collect();
        json!({
            "filterName": self.name,
            "filterPattern": self.text,
            "metricTransformations": metrics,
            "creationTime": self.created,
            "logGroupName": group,
        })
    }
}

impl Transformation {
    fn new(given: Given, pattern: &Pattern) -> Result<Self, ApiError> {
        if given.metric_name.is_empty() || given.metric_namespace.is_empty() {
            return Err(invalid("metricName and metricNamespace must not be empty."));
        }
        if given.metric_namespace.starts_with("AWS/") {
            return Err(invalid(
                "metricNamespace must not start with AWS/: these namespaces are those of AWS services.",
            ));
        }
        if given.dimensions.len() > DIMENSIONS_MAX {
            return Err(invalid(format!(
                "A metric filter has at most {DIMENSIONS_MAX} dimensions."
            )));
        }
        if !given.dimensions.is_empty() && given.default_value.is_some() {
            return Err(invalid(
                "A metric filter with dimensions cannot have a defaultValue.",
            ));
        }
        let selector = |text: &str| {
            Selector::parse(text, pattern).ok_or_else(|| {
                invalid(format!(
                    "{text} selects nothing that the filter's pattern knows: use $.member with a JSON \
                     pattern, $name with a space-delimited one."
                ))
            })
        };
        let value = match given.metric_value.parse() {
            Ok(number) => Operand::Number(number),
            Err(_) => Operand::Of(selector(&given.metric_value)?),
        };
        let dimensions = given.dimensions.iter();
        let dimensions: Result<_, ApiError> = dimensions
            .map(|(name, text)| Ok((name.clone(), selector(text)?)))
            .collect();
        Ok(Self {
            value,
            dimensions: dimensions?,
            given,
        })
    }

    fn custom(&self, region: &str, dimensions: Vec<(String, String)>) -> Custom {
        Custom {
            region: region.to_owned(),
            namespace: self.given.metric_namespace.clone(),
            name: self.given.metric_name.clone(),
            dimensions,
            unit: self.given.unit.clone().unwrap_or_else(|| "None".to_owned()),
            line: Timeline::default(),
        }
    }
}

impl Given {
    fn told(&self) -> Value {
        let mut told = json!({
            "metricName": self.metric_name,
            "metricNamespace": self.metric_namespace,
            "metricValue": self.metric_value,
        });
        if let Some(default) = self.default_value {
            told["defaultValue"] = default.into();
        }
        if !self.dimensions.is_empty() {
            told["dimensions"] = json!(self.dimensions);
        }
        if let Some(unit) = &self.unit {
            told["unit"] = unit.as_str().into();
        }
        told
    }
}
