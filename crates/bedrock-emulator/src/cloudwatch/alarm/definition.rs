//! What an alarm watches, as `PutMetricAlarm` says it and `DescribeAlarms` tells it.

use serde_json::{Value, json};

use super::{
    StateValue,
    verdict::{BEYOND, Comparison, Point, Rule, Treat},
};
use crate::{
    cloudwatch::{
        Input, Shape, combination,
        get_metric_data::{self, Asked, Query},
        invalid, missing,
        shape::Members,
        statistic::{Selector, Span, Statistic},
    },
    error::ApiError,
    observe::Found,
};

/// Bounds of the API reference.
const NAME_MAX: usize = 255;
const DESCRIPTION_MAX: usize = 1_024;
const ACTIONS_MAX: usize = 5;
const DIMENSIONS_MAX: usize = 30;
const DAY: i64 = 86_400;

/// An alarm's configuration.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) actions_enabled: bool,
    ok_actions: Vec<String>,
    alarm_actions: Vec<String>,
    insufficient_actions: Vec<String>,
    watched: Watched,
    rule: Rule,
    /// As they were given: what was left out is not told.
    to_alarm: Option<i64>,
    treats_missing: Option<Treat>,
    low_samples: Option<String>,
}

/// What has a threshold.
#[derive(Debug, Clone)]
enum Watched {
    Metric {
        /// `Namespace`, `MetricName` and `Dimensions`.
        metric: Value,
        unit: Option<String>,
        statistic: Statistic,
        /// Its name, and whether it was given as `ExtendedStatistic`.
        name: String,
        extended: bool,
        period: i64,
    },
    Math {
        /// `MetricDataQuery`s.
        queries: Value,
        period: i64,
    },
}

impl Definition {
    pub(super) fn parse(input: Input<'_>) -> Result<Self, ApiError> {
        let name = input.required("AlarmName")?;
        if name.chars().count() > NAME_MAX {
            return Err(invalid(format!(
                "The parameter AlarmName must be at most {NAME_MAX} characters."
            )));
        }
        for other in ["ThresholdMetricId", "EvaluationCriteria"] {
            if input.has(other) {
                return Err(invalid(format!(
                    "The parameter {other} is not emulated by Bedrock Workshop: anomaly detection and \
                     queries need a model of the metric. Give a Threshold."
                )));
            }
        }
        let description = input.text("AlarmDescription")?.map(str::to_owned);
        if description
            .as_ref()
            .is_some_and(|d| d.chars().count() > DESCRIPTION_MAX)
        {
            return Err(invalid(format!(
                "The parameter AlarmDescription must be at most {DESCRIPTION_MAX} characters."
            )));
        }
        let periods = positive(input, "EvaluationPeriods")?;
        let periods = periods.ok_or_else(|| missing("EvaluationPeriods"))?;
        let to_alarm = positive(input, "DatapointsToAlarm")?;
        if to_alarm.is_some_and(|m| m > periods) {
            return Err(combination(format!(
                "DatapointsToAlarm ({}) must be less than or equal to EvaluationPeriods ({periods}).",
                to_alarm.unwrap_or_default()
            )));
        }
        let watched = Watched::parse(input)?;
        let period = watched.period();
        let longest = if period >= 3_600 { 7 * DAY } else { DAY };
        if periods.saturating_mul(period) > longest {
            return Err(invalid(format!(
                "Metrics cannot be checked across more than {} (EvaluationPeriods * Period must be <= \
                 {longest}).",
                if longest == DAY { "a day" } else { "a week" }
            )));
        }
        let treats_missing = input.text("TreatMissingData")?.map(|name| {
            Treat::parse(name).ok_or_else(|| {
                invalid(format!(
                    "The value {name} for parameter TreatMissingData must be breaching, notBreaching, \
                     ignore or missing."
                ))
            })
        });
        let treats_missing = treats_missing.transpose()?;
        let size = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Self {
            name: name.to_owned(),
            description,
            actions_enabled: input.flag("ActionsEnabled").unwrap_or(true),
            ok_actions: actions(input, "OKActions")?,
            alarm_actions: actions(input, "AlarmActions")?,
            insufficient_actions: actions(input, "InsufficientDataActions")?,
            rule: Rule {
                comparison: comparison(input)?,
                threshold: input
                    .number("Threshold")?
                    .ok_or_else(|| missing("Threshold"))?,
                periods: size(periods),
                to_alarm: size(to_alarm.unwrap_or(periods)),
                missing: treats_missing.unwrap_or(Treat::Missing),
            },
            low_samples: low_samples(input, &watched)?,
            watched,
            to_alarm,
            treats_missing,
        })
    }

    pub(super) const fn rule(&self) -> &Rule {
        &self.rule
    }

    pub(super) const fn period(&self) -> i64 {
        self.watched.period()
    }

    /// How far back an evaluation looks, in seconds.
    pub(super) fn reach(&self) -> i64 {
        let periods = i64::try_from(self.rule.periods + BEYOND).unwrap_or(i64::MAX);
        periods.saturating_mul(self.period())
    }

    pub(super) fn actions(&self, state: StateValue) -> &[String] {
        match state {
            StateValue::Ok => &self.ok_actions,
            StateValue::Alarm => &self.alarm_actions,
            StateValue::InsufficientData => &self.insufficient_actions,
        }
    }

    /// Whether one of its actions begins so.
    pub(super) fn acts(&self, prefix: &str) -> bool {
        let all = [
            &self.ok_actions,
            &self.alarm_actions,
            &self.insufficient_actions,
        ];
        all.into_iter().flatten().any(|arn| arn.starts_with(prefix))
    }

    /// The statistic's name and the unit, for the reason's data.
    pub(super) fn asks(&self) -> (Option<&str>, Option<&str>) {
        match &self.watched {
            Watched::Metric { name, unit, .. } => (Some(name), unit.as_deref()),
            Watched::Math { .. } => (None, None),
        }
    }

    /// The periods of the evaluation range before `end`, newest first. `Err`: the expression cannot be
    /// evaluated. `Ok(None)`: there are too few samples for a percentile, and the alarm waits for more.
    pub(super) fn points(
        &self,
        found: &[Found<'_>],
        end: i64,
    ) -> Result<Option<Vec<Option<Point>>>, ApiError> {
        let period = self.period();
        let start = end - self.reach();
        let span = Span::new(start, end, period)?;
        let values = match &self.watched {
            Watched::Metric {
                metric,
                unit,
                statistic,
                ..
            } => {
                let selector = Selector::parse(Input::new(metric), unit.as_deref())?;
                let periods = span.periods(&selector.select(found)).into_iter();
                let points = periods.filter_map(|(at, stats)| {
                    let value = statistic.of(&stats)?;
                    Some((
                        at,
                        Point {
                            at,
                            value,
                            samples: Some(stats.count()),
                        },
                    ))
                });
                points.collect::<std::collections::BTreeMap<_, _>>()
            }
            Watched::Math { queries, .. } => {
                let queries = queries_of(queries, start, end)?;
                let points = Asked::new(&queries, found, span).the_series()?.into_iter();
                let points = points.filter(|(_, value)| value.is_finite());
                points
                    .map(|(at, value)| {
                        (
                            at,
                            Point {
                                at,
                                value,
                                samples: None,
                            },
                        )
                    })
                    .collect()
            }
        };
        let starts = (1_i64..)
            .map(|age| end - age * period)
            .take_while(|at| *at >= start);
        let points: Vec<Option<Point>> = starts.map(|at| values.get(&at).copied()).collect();
        let enough = |point: &Point| {
            point
                .samples
                .is_none_or(|count| count >= self.least_samples())
        };
        let newest = points.iter().take(self.rule.periods).flatten();
        Ok(newest.into_iter().all(enough).then_some(points))
    }

    /// `EvaluateLowSampleCountPercentile: ignore`: how many samples a percentile needs to be one
    /// (documentation: 10/(1-p) above the middle, 10/p below).
    fn least_samples(&self) -> f64 {
        match (&self.watched, self.low_samples.as_deref()) {
            (
                Watched::Metric {
                    statistic: Statistic::Percentile(percent),
                    ..
                },
                Some("ignore"),
            ) => {
                let tail = percent.min(100.0 - percent) / 100.0;
                if tail > 0.0 { 10.0 / tail } else { 0.0 }
            }
            _ => 0.0,
        }
    }

    /// The minutes with data that an evaluation between these two would see, in order.
    pub(super) fn busy(&self, found: &[Found<'_>], from: i64, to: i64) -> Vec<i64> {
        let mut minutes = Vec::new();
        let mut add = |selector: &Selector<'_>| {
            for metric in selector.select(found) {
                let within = metric
                    .line
                    .within(from.div_euclid(60), to.div_euclid(60) + 1);
                minutes.extend(within.map(|(minute, _)| minute));
            }
        };
        match &self.watched {
            Watched::Metric { metric, unit, .. } => {
                if let Ok(selector) = Selector::parse(Input::new(metric), unit.as_deref()) {
                    add(&selector);
                }
            }
            Watched::Math { queries, .. } => {
                if let Ok(queries) = queries_of(queries, from, to.max(from + 60)) {
                    queries.iter().filter_map(Query::selector).for_each(add);
                }
            }
        }
        minutes.sort_unstable();
        minutes.dedup();
        minutes
    }

    /// Whether it watches this metric, with what is given of statistic, period and unit.
    pub(super) fn watches(&self, asked: Input<'_>) -> Result<bool, ApiError> {
        let Watched::Metric {
            metric,
            unit,
            name,
            extended,
            period,
            ..
        } = &self.watched
        else {
            return Ok(false);
        };
        let wanted = Selector::parse(asked, None)?;
        let own = Selector::parse(Input::new(metric), None)?;
        let statistic = if *extended {
            "ExtendedStatistic"
        } else {
            "Statistic"
        };
        let other = if *extended {
            "Statistic"
        } else {
            "ExtendedStatistic"
        };
        Ok(wanted.same_metric(&own)
            && asked.text(statistic)?.is_none_or(|asked| asked == name)
            && !asked.has(other)
            && asked.whole("Period")?.is_none_or(|asked| asked == *period)
            && asked
                .text("Unit")?
                .is_none_or(|asked| Some(asked) == unit.as_deref()))
    }

    /// One line for people.
    pub(super) fn condition(&self) -> String {
        let what = match &self.watched {
            Watched::Metric { metric, name, .. } => {
                let text = |key: &str| metric[key].as_str().unwrap_or_default().to_owned();
                format!("{name} of {} {}", text("Namespace"), text("MetricName"))
            }
            Watched::Math { queries, .. } => {
                let shown = queries.as_array().into_iter().flatten();
                let mut shown =
                    shown.filter(|query| Input::new(query).flag("ReturnData") != Some(false));
                let text = shown.next().and_then(|query| query["Expression"].as_str());
                text.unwrap_or("a metric").to_owned()
            }
        };
        let Rule {
            comparison,
            threshold,
            periods,
            to_alarm,
            ..
        } = &self.rule;
        format!(
            "{what} {} {threshold} in {to_alarm} of {periods} periods of {} s",
            comparison.sign(),
            self.period()
        )
    }

    /// What of it stands before the state in `MetricAlarm`, and what behind it.
    pub(super) fn shapes(&self) -> (Members, Members) {
        let arns = |arns: &[String]| Shape::List(arns.iter().map(|a| a.as_str().into()).collect());
        let mut before = Vec::new();
        if let Some(text) = &self.description {
            before.push(("AlarmDescription", text.as_str().into()));
        }
        before.extend([
            ("ActionsEnabled", Shape::Flag(self.actions_enabled)),
            ("OKActions", arns(&self.ok_actions)),
            ("AlarmActions", arns(&self.alarm_actions)),
            ("InsufficientDataActions", arns(&self.insufficient_actions)),
        ]);
        let mut behind = self.watched.shapes();
        let periods = i64::try_from(self.rule.periods).unwrap_or(i64::MAX);
        behind.push(("EvaluationPeriods", Shape::Whole(periods)));
        if let Some(to_alarm) = self.to_alarm {
            behind.push(("DatapointsToAlarm", Shape::Whole(to_alarm)));
        }
        behind.extend([
            ("Threshold", Shape::Number(self.rule.threshold)),
            ("ComparisonOperator", self.rule.comparison.name().into()),
        ]);
        if let Some(missing) = self.treats_missing {
            behind.push(("TreatMissingData", missing.name().into()));
        }
        if let Some(text) = &self.low_samples {
            behind.push(("EvaluateLowSampleCountPercentile", text.as_str().into()));
        }
        (before, behind)
    }
}

fn queries_of(queries: &Value, start: i64, end: i64) -> Result<Vec<Query<'_>>, ApiError> {
    let list = queries.as_array().into_iter().flatten();
    get_metric_data::queries(list.map(Input::new).collect(), start, end)
}

/// A whole number from 1 on.
fn positive(input: Input<'_>, name: &str) -> Result<Option<i64>, ApiError> {
    match input.whole(name)? {
        Some(number) if number < 1 => Err(invalid(format!(
            "The parameter {name} must be greater than or equal to 1."
        ))),
        number => Ok(number),
    }
}

fn comparison(input: Input<'_>) -> Result<Comparison, ApiError> {
    let name = input.required("ComparisonOperator")?;
    Comparison::parse(name).ok_or_else(|| {
        let band = [
            "LessThanLowerOrGreaterThanUpperThreshold",
            "LessThanLowerThreshold",
            "GreaterThanUpperThreshold",
        ];
        invalid(if band.contains(&name) {
            format!("{name} is for anomaly detection, which is not emulated by Bedrock Workshop.")
        } else {
            format!(
                "The value {name} for parameter ComparisonOperator must be \
                 GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanThreshold or \
                 LessThanOrEqualToThreshold."
            )
        })
    })
}

fn actions(input: Input<'_>, name: &str) -> Result<Vec<String>, ApiError> {
    let arns = input.texts(name);
    if arns.len() > ACTIONS_MAX {
        return Err(invalid(format!(
            "The collection {name} must not have a size greater than {ACTIONS_MAX}."
        )));
    }
    if let Some(wrong) = arns.iter().find(|arn| !arn.starts_with("arn:")) {
        return Err(invalid(format!("Invalid arn syntax: {wrong}")));
    }
    Ok(arns.into_iter().map(str::to_owned).collect())
}

fn low_samples(input: Input<'_>, watched: &Watched) -> Result<Option<String>, ApiError> {
    const NAME: &str = "EvaluateLowSampleCountPercentile";
    let percentile = matches!(
        watched,
        Watched::Metric {
            statistic: Statistic::Percentile(_),
            ..
        }
    );
    match input.text(NAME)? {
        Some(_) if !percentile => Err(combination(format!(
            "The parameter {NAME} is for alarms with a percentile as ExtendedStatistic."
        ))),
        Some(text @ ("evaluate" | "ignore")) => Ok(Some(text.to_owned())),
        Some(other) => Err(invalid(format!(
            "The value {other} for parameter {NAME} must be evaluate or ignore."
        ))),
        None => Ok(None),
    }
}

impl Watched {
    const fn period(&self) -> i64 {
        match self {
            Self::Metric { period, .. } | Self::Math { period, .. } => *period,
        }
    }

    fn parse(input: Input<'_>) -> Result<Self, ApiError> {
        if input.has("Metrics") && !input.list("Metrics").is_empty() {
            return Self::math(input);
        }
        if !input.has("MetricName") {
            return Err(missing("MetricName"));
        }
        let metric = metric(input)?;
        let period = input.whole("Period")?.ok_or_else(|| missing("Period"))?;
        // Says what is wrong with a period.
        Span::new(0, period.max(60), period)?;
        let (plain, extended) = (input.text("Statistic")?, input.text("ExtendedStatistic")?);
        let (name, is_extended) = match (plain, extended) {
            (Some(name), None) => (name, false),
            (None, Some(name)) => (name, true),
            (None, None) => return Err(missing("Statistic")),
            (Some(_), Some(_)) => {
                return Err(combination(
                    "The parameters Statistic and ExtendedStatistic are mutually exclusive and you \
                     have specified both.",
                ));
            }
        };
        let statistic = Statistic::parse(name)?;
        let plain = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"].contains(&name);
        if plain == is_extended {
            return Err(invalid(format!(
                "The statistic {name} is not a value of {}; percentiles are ExtendedStatistic, the \
                 others Statistic.",
                if is_extended {
                    "ExtendedStatistic"
                } else {
                    "Statistic"
                }
            )));
        }
        Ok(Self::Metric {
            metric,
            unit: input.text("Unit")?.map(str::to_owned),
            statistic,
            name: name.to_owned(),
            extended: is_extended,
            period,
        })
    }

    fn math(input: Input<'_>) -> Result<Self, ApiError> {
        let single = [
            "MetricName",
            "Namespace",
            "Statistic",
            "ExtendedStatistic",
            "Period",
            "Dimensions",
            "Unit",
        ];
        if let Some(both) = single.into_iter().find(|name| input.has(name)) {
            return Err(combination(format!(
                "The parameters Metrics and {both} are mutually exclusive and you have specified both."
            )));
        }
        let queries = input.members()["Metrics"].clone();
        let parsed = queries_of(&queries, 0, DAY)?;
        if parsed.iter().filter(|query| query.returns()).count() != 1 {
            return Err(combination(
                "Exactly one element of the metrics list should return data.",
            ));
        }
        let period = get_metric_data::shortest(&parsed);
        // An expression that cannot be evaluated is refused, not left to stay INSUFFICIENT_DATA.
        Asked::new(&parsed, &[], Span::new(0, period, period)?).the_series()?;
        drop(parsed);
        Ok(Self::Math { queries, period })
    }

    fn shapes(&self) -> Members {
        match self {
            Self::Metric {
                metric,
                unit,
                name,
                extended,
                period,
                ..
            } => {
                let mut shapes = metric_shapes(Input::new(metric));
                // The alarm tells the name before the namespace.
                shapes.swap(0, 1);
                let statistic = if *extended {
                    "ExtendedStatistic"
                } else {
                    "Statistic"
                };
                shapes.insert(2, (statistic, name.as_str().into()));
                shapes.push(("Period", Shape::Whole(*period)));
                if let Some(unit) = unit {
                    shapes.push(("Unit", unit.as_str().into()));
                }
                shapes
            }
            Self::Math { queries, .. } => {
                let queries = queries.as_array().into_iter().flatten();
                let queries = queries.map(|query| query_shape(Input::new(query)));
                vec![("Metrics", Shape::List(queries.collect()))]
            }
        }
    }
}

/// Namespace, name and dimensions, checked.
fn metric(input: Input<'_>) -> Result<Value, ApiError> {
    Selector::parse(input, None)?;
    let dimensions = input.list("Dimensions");
    if dimensions.len() > DIMENSIONS_MAX {
        return Err(invalid(format!(
            "The collection Dimensions must not have a size greater than {DIMENSIONS_MAX}."
        )));
    }
    let dimensions: Result<Vec<Value>, ApiError> = dimensions
        .into_iter()
        .map(|d| Ok(json!({"Name": d.required("Name")?, "Value": d.required("Value")?})))
        .collect();
    Ok(json!({
        "Namespace": input.required("Namespace")?,
        "MetricName": input.required("MetricName")?,
        "Dimensions": dimensions?,
    }))
}

fn metric_shapes(metric: Input<'_>) -> Members {
    let text = |of: Input<'_>, name: &str| {
        let text = of.text(name).ok().flatten();
        Shape::from(text.unwrap_or_default())
    };
    let dimensions = metric.list("Dimensions").into_iter().map(|dimension| {
        Shape::Members(vec![
            ("Name", text(dimension, "Name")),
            ("Value", text(dimension, "Value")),
        ])
    });
    vec![
        ("Namespace", text(metric, "Namespace")),
        ("MetricName", text(metric, "MetricName")),
        ("Dimensions", Shape::List(dimensions.collect())),
    ]
}

/// A `MetricDataQuery` as it was given. It has been understood before.
fn query_shape(query: Input<'_>) -> Shape {
    let text = |of: Input<'_>, name: &str| of.text(name).ok().flatten().map(Shape::from);
    let whole = |of: Input<'_>, name: &str| of.whole(name).ok().flatten().map(Shape::Whole);
    let mut members = Vec::new();
    let mut add = |name: &'static str, shape: Option<Shape>| {
        members.extend(shape.map(|shape| (name, shape)));
    };
    add("Id", text(query, "Id"));
    let stat = query.inside("MetricStat").map(|stat| {
        let mut members = Vec::new();
        if let Some(metric) = stat.inside("Metric") {
            members.push(("Metric", Shape::Members(metric_shapes(metric))));
        }
        for (name, shape) in [
            ("Period", whole(stat, "Period")),
            ("Stat", text(stat, "Stat")),
            ("Unit", text(stat, "Unit")),
        ] {
            members.extend(shape.map(|shape| (name, shape)));
        }
        Shape::Members(members)
    });
    add("MetricStat", stat);
    add("Expression", text(query, "Expression"));
    add("Label", text(query, "Label"));
    add(
        "ReturnData",
        Some(Shape::Flag(query.flag("ReturnData").unwrap_or(true))),
    );
    add("Period", whole(query, "Period"));
    Shape::Members(members)
}
