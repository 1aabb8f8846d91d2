//! `GetMetricStatistics`: statistics of one metric, period by period.

use super::{
    Input, Shape, combination, invalid, missing,
    statistic::{Selector, Span, Statistic},
    wire,
};
use crate::{
    error::ApiError,
    service::{Call, Permission, Plain, Route},
};

/// As many datapoints as one answer holds (API reference).
const POINTS_MAX: usize = 1_440;

pub(super) const OPERATION: Plain = Plain {
    name: "GetMetricStatistics",
    route: Route::CloudWatch("GetMetricStatistics"),
    permission: Permission::anywhere("cloudwatch:GetMetricStatistics"),
    answer: |call| wire::answer(call, "GetMetricStatistics", |input| act(call, input)),
};

fn act(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let unit = input.text("Unit")?;
    let selector = Selector::parse(input, unit)?;
    let (start, end) = (
        input.required_time("StartTime")?,
        input.required_time("EndTime")?,
    );
    let period = input.whole("Period")?.ok_or_else(|| missing("Period"))?;
    let span = Span::new(start, end, period)?;
    let statistics = input.texts("Statistics");
    let extended = input.texts("ExtendedStatistics");
    if statistics.is_empty() && extended.is_empty() {
        return Err(ApiError::bedrock(
            crate::error::Code::MissingRequiredParameter,
            "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
        ));
    }
    if span.starts(POINTS_MAX).is_none() {
        let asked = (end - start + period - 1) / period;
        return Err(combination(format!(
            "You have requested up to {asked} datapoints, which exceeds the limit of {POINTS_MAX}. \
             You may reduce the datapoints requested by increasing Period, or decreasing the time \
             range."
        )));
    }
    let plain = named(&statistics)?;
    let extended_of: Result<Vec<_>, ApiError> = extended
        .iter()
        .map(|text| Ok((*text, Statistic::parse(text)?)))
        .collect();
    let extended_of = extended_of?;
    let state = call.account.state();
    let found = state.meters.found(call.region);
    let metrics = selector.select(&found);
    let unit = metrics.first().map_or("None", |metric| metric.unit);
    let periods = span.periods(&metrics).into_iter();
    let points = periods.map(|(at, stats)| {
        let mut point = vec![("Timestamp", Shape::Time(at))];
        for (name, statistic) in &plain {
            if let Some(value) = statistic.of(&stats) {
                point.push((name, Shape::Number(value)));
            }
        }
        point.push(("Unit", unit.into()));
        let extended = extended_of.iter();
        let extended = extended.filter_map(|(name, s)| Some((*name, s.of(&stats)?)));
        let extended: Vec<(&str, f64)> = extended.collect();
        if !extended.is_empty() {
            point.push(("ExtendedStatistics", Shape::Numbers(owned(&extended))));
        }
        Shape::Members(point)
    });
    Ok(Shape::Members(vec![
        ("Label", selector.name.into()),
        ("Datapoints", Shape::List(points.collect())),
    ]))
}

fn owned(pairs: &[(&str, f64)]) -> Vec<(String, f64)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect()
}

/// `Statistics` takes the five plain ones; percentiles are `ExtendedStatistics`.
fn named(texts: &[&str]) -> Result<Vec<(&'static str, Statistic)>, ApiError> {
    const NAMES: [(&str, Statistic); 5] = [
        ("SampleCount", Statistic::SampleCount),
        ("Average", Statistic::Average),
        ("Sum", Statistic::Sum),
        ("Minimum", Statistic::Minimum),
        ("Maximum", Statistic::Maximum),
    ];
    for text in texts {
        if !NAMES.iter().any(|(name, _)| name == text) {
            return Err(invalid(format!(
                "The parameter Statistics must be one of SampleCount, Average, Sum, Minimum and \
                 Maximum, not {text}; percentiles are ExtendedStatistics."
            )));
        }
    }
    let asked = NAMES.into_iter().filter(|(name, _)| texts.contains(name));
    Ok(asked.collect())
}
