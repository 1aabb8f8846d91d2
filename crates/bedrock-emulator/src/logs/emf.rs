//! Embedded metric format: a log line that is a JSON document with `_aws.CloudWatchMetrics` becomes
//! metrics.
//!
//! The rules are those of the specification's schema and of its text about targets. A document that
//! breaks the schema makes no metrics at all. Where a document is well formed and only the value that
//! it points at is not there or of a wrong type, that metric, or that set of dimensions, makes none and
//! the others do (chosen: the specification says MUST and not what happens else). What was wrong is
//! told in [`Document::problems`], because AWS says nothing to whoever wrote the line.

use serde_json::{Map, Value};

use crate::observe::{Custom, Timeline};

/// Bounds of the specification.
const METRICS_MAX: usize = 100;
const VALUES_MAX: usize = 100;
const DIMENSIONS_MAX: usize = 30;
const NAME_MAX: usize = 1_024;
const NAMESPACE_MAX: usize = 1_024;
const DIMENSION_MAX: usize = 250;
const DIMENSION_VALUE_MAX: usize = 1_024;

/// How many metrics one document may make; a bound of this emulator.
const DATA_MAX: usize = 1_000;

/// The largest number that CloudWatch stores, 2^360 (API reference of `MetricDatum`).
const NUMBER_MAX: f64 = 2.348_542_582_773_833_4e108;

/// As far from now as a datum may be: two weeks back and two hours ahead (API reference).
const BACK_MS: i64 = 14 * 86_400_000;
const AHEAD_MS: i64 = 2 * 3_600_000;

/// Units of the service model.
const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// A line in the embedded metric format.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) data: Vec<Datum>,
    /// Why metrics that somebody may expect are not there.
    pub(super) problems: Vec<String>,
    /// Whether it is not even JSON.
    pub(super) broken: bool,
}

/// Values of one metric with one set of dimensions.
#[derive(Debug)]
pub(super) struct Datum {
    pub(super) metric: Custom,
    pub(super) minute: i64,
    pub(super) values: Vec<f64>,
}

/// What a message comes to; `None`: it is a line like any other.
pub(super) fn read(message: &str, region: &str, now_ms: i64) -> Option<Document> {
    // Nothing may stand before or behind the document: a line that begins with a request's id or a
    // level is text, whatever follows.
    if !message.trim_start().starts_with('{') || !message.contains("\"_aws\"") {
        return None;
    }
    let root = match serde_json::from_str(message) {
        Ok(Value::Object(root)) => root,
        Ok(_) => return None,
        Err(error) => {
            return Some(Document {
                problems: vec![format!("the line is not one JSON document: {error}")],
                broken: true,
                ..Document::default()
            });
        }
    };
    let metadata = root.get("_aws")?;
    let mut document = Document::default();
    match schema(metadata, now_ms) {
        Ok((minute, directives)) => {
            for directive in &directives {
                document.take(&root, directive, region, minute);
            }
        }
        Err(problem) => document.problems.push(problem),
    }
    Some(document)
}

/// One of `_aws.CloudWatchMetrics`.
struct Directive<'d> {
    namespace: &'d str,
    sets: Vec<Vec<&'d str>>,
    /// Names and units.
    metrics: Vec<(&'d str, &'d str)>,
}

/// The minute and the directives, if they are as the schema wants them.
fn schema(metadata: &Value, now_ms: i64) -> Result<(i64, Vec<Directive<'_>>), String> {
    let timestamp = metadata
        .get("Timestamp")
        .ok_or("_aws.Timestamp is missing")?;
    let at = whole(timestamp).ok_or_else(|| {
        format!(
            "_aws.Timestamp is {timestamp}; it must be a whole number of milliseconds since 1970"
        )
    })?;
    if !(now_ms - BACK_MS..=now_ms + AHEAD_MS).contains(&at) {
        let seconds =
            (now_ms / 1_000 - BACK_MS / 1_000..=now_ms / 1_000 + AHEAD_MS / 1_000).contains(&at);
        let hint = if seconds {
            "; it looks like seconds, and must be milliseconds"
        } else {
            ""
        };
        return Err(format!(
            "_aws.Timestamp {at} is older than two weeks or more than two hours ahead{hint}"
        ));
    }
    let directives = metadata
        .get("CloudWatchMetrics")
        .and_then(Value::as_array)
        .ok_or("_aws.CloudWatchMetrics is missing or not an array")?;
    let directives = directives.iter().enumerate().map(|(index, directive)| {
        understand(directive).map_err(|why| format!("_aws.CloudWatchMetrics[{index}]: {why}"))
    });
    let directives: Result<Vec<_>, String> = directives.collect();
    Ok((at.div_euclid(60_000), directives?))
}

/// A number without a fraction, however it is written.
fn whole(value: &Value) -> Option<i64> {
    if let Some(whole) = value.as_i64() {
        return Some(whole);
    }
    let number = value.as_f64()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within ±2^53, and without a fraction"
    )]
    let whole = (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    whole
}

fn understand(directive: &Value) -> Result<Directive<'_>, String> {
    let namespace = text(directive, "Namespace", NAMESPACE_MAX)?;
    if namespace.starts_with("AWS/") {
        return Err(format!(
            "Namespace is {namespace:?}; namespaces that start with AWS/ are those of AWS services"
        ));
    }
    let sets = directive.get("Dimensions").and_then(Value::as_array);
    let sets = sets.filter(|sets| !sets.is_empty()).ok_or(
        "Dimensions is missing or empty; it is an array of arrays of names, [[]] for no dimension",
    )?;
    let sets: Result<Vec<_>, String> = sets.iter().map(dimensions).collect();
    let metrics = directive.get("Metrics").and_then(Value::as_array);
    let metrics = metrics.ok_or("Metrics is missing or not an array")?;
    if metrics.len() > METRICS_MAX {
        return Err(format!(
            "Metrics defines {} metrics; {METRICS_MAX} is the most",
            metrics.len()
        ));
    }
    let metrics: Result<Vec<_>, String> = metrics.iter().map(definition).collect();
    Ok(Directive {
        namespace,
        sets: sets?,
        metrics: metrics?,
    })
}

fn text<'v>(of: &'v Value, name: &str, most: usize) -> Result<&'v str, String> {
    let text = of.get(name).and_then(Value::as_str);
    let text = text.filter(|text| (1..=most).contains(&text.chars().count()));
    text.ok_or_else(|| format!("{name} must be a string of 1 to {most} characters"))
}

fn dimensions(set: &Value) -> Result<Vec<&str>, String> {
    let set = set
        .as_array()
        .ok_or("Dimensions must be an array of arrays: [[\"Model\"]], not [\"Model\"]")?;
    if set.len() > DIMENSIONS_MAX {
        return Err(format!(
            "a set of Dimensions has {} names; {DIMENSIONS_MAX} is the most",
            set.len()
        ));
    }
    let names = set.iter().map(|name| {
        let name = name.as_str();
        let name = name.filter(|name| (1..=DIMENSION_MAX).contains(&name.chars().count()));
        name.ok_or_else(|| {
            format!("the names in Dimensions must be strings of 1 to {DIMENSION_MAX} characters")
        })
    });
    let mut names = names.collect::<Result<Vec<_>, String>>()?;
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Name and unit of a metric.
fn definition(metric: &Value) -> Result<(&str, &str), String> {
    let name = text(metric, "Name", NAME_MAX).map_err(|why| format!("Metrics: {why}"))?;
    let unit = match metric.get("Unit") {
        None => "None",
        Some(unit) => unit
            .as_str()
            .filter(|unit| UNITS.contains(unit))
            .ok_or_else(|| {
                format!("Unit of {name} is {unit}, which is none of CloudWatch's units")
            })?,
    };
    // Seconds are accepted; like everything else they are kept by the minute.
    match metric.get("StorageResolution") {
        None => {}
        Some(resolution) if [Some(1), Some(60)].contains(&whole(resolution)) => {}
        Some(resolution) => {
            return Err(format!(
                "StorageResolution of {name} is {resolution}; it must be 1 or 60"
            ));
        }
    }
    Ok((name, unit))
}

impl Document {
    fn take(
        &mut self,
        root: &Map<String, Value>,
        directive: &Directive<'_>,
        region: &str,
        minute: i64,
    ) {
        let mut metrics = Vec::new();
        for (name, unit) in &directive.metrics {
            match values(root, name) {
                Ok(values) => metrics.push((*name, *unit, values)),
                Err(problem) => self.problems.push(problem),
            }
        }
        for set in &directive.sets {
            let dimensions = match set.iter().map(|name| dimension(root, name)).collect() {
                Ok(dimensions) => dimensions,
                Err(problem) => {
                    self.problems.push(problem);
                    continue;
                }
            };
            for (name, unit, values) in &metrics {
                if self.data.len() >= DATA_MAX {
                    self.problems.push(format!(
                        "the document makes more than {DATA_MAX} metrics; the rest is left out"
                    ));
                    return;
                }
                let dimensions: &Vec<(String, String)> = &dimensions;
                self.data.push(Datum {
                    metric: Custom {
                        region: region.to_owned(),
                        namespace: directive.namespace.to_owned(),
                        name: (*name).to_owned(),
                        dimensions: dimensions.clone(),
                        unit: (*unit).to_owned(),
                        line: Timeline::default(),
                    },
                    minute,
                    values: values.clone(),
                });
            }
        }
    }
}

/// The metric's target: a number, or an array of them, at the root.
fn values(root: &Map<String, Value>, name: &str) -> Result<Vec<f64>, String> {
    let target = root.get(name).ok_or_else(|| {
        format!("the metric {name} has no value: no member of that name stands at the root")
    })?;
    let one = std::slice::from_ref(target);
    let all = target.as_array().map_or(one, Vec::as_slice);
    if !(1..=VALUES_MAX).contains(&all.len()) {
        return Err(format!(
            "the metric {name} has {} values; an array holds from 1 to {VALUES_MAX}",
            all.len()
        ));
    }
    let numbers = all.iter().map(|value| {
        let number = value.as_f64().filter(|number| number.abs() <= NUMBER_MAX);
        number.ok_or_else(|| {
            format!("the metric {name} is {value}, which is not a number that can be stored")
        })
    });
    numbers.collect()
}

/// The dimension's target: a string at the root.
fn dimension(root: &Map<String, Value>, name: &str) -> Result<(String, String), String> {
    let target = root.get(name).ok_or_else(|| {
        format!("the dimension {name} has no value: no member of that name stands at the root")
    })?;
    let value = target
        .as_str()
        .ok_or_else(|| format!("the dimension {name} is {target}; it must be a string"))?;
    if !(1..=DIMENSION_VALUE_MAX).contains(&value.chars().count()) {
        return Err(format!(
            "the dimension {name} must have from 1 to {DIMENSION_VALUE_MAX} characters"
        ));
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_787_150_074_000;

    fn line() -> Value {
        json!({
            "_aws": {"Timestamp": NOW, "CloudWatchMetrics": [{
                "Namespace": "Lesson",
                "Dimensions": [["Model", "Operation"], ["Model"], []],
                "Metrics": [
                    {"Name": "Latency", "Unit": "Milliseconds", "StorageResolution": 1},
                    {"Name": "Tokens"},
                ],
            }]},
            "Model": "m", "Operation": "Converse", "Latency": [12, 13.5], "Tokens": 7,
            "requestId": "a property",
        })
    }

    fn changed(pointer: &str, value: Value) -> Value {
        let mut line = line();
        *line.pointer_mut(pointer).unwrap() = value;
        line
    }

    fn without(pointer: &str, name: &str) -> Value {
        let mut line = line();
        let of = line.pointer_mut(pointer).unwrap();
        of.as_object_mut().unwrap().remove(name);
        line
    }

    fn read(line: &Value) -> Document {
        super::read(&line.to_string(), "r", NOW).unwrap()
    }

    #[test]
    fn each_set_of_dimensions_is_a_metric_of_its_own() {
        let document = read(&line());
        assert_eq!(document.problems, [""; 0]);
        let made: Vec<_> = document
            .data
            .iter()
            .map(|d| {
                (
                    d.metric.name.as_str(),
                    d.metric.dimensions.len(),
                    d.values.len(),
                )
            })
            .collect();
        let wanted = [
            ("Latency", 2, 2),
            ("Tokens", 2, 1),
            ("Latency", 1, 2),
            ("Tokens", 1, 1),
            ("Latency", 0, 2),
            ("Tokens", 0, 1),
        ];
        assert_eq!(made, wanted);
        let first = &document.data[0];
        assert_eq!(first.metric.unit, "Milliseconds");
        assert_eq!(document.data[1].metric.unit, "None");
        assert_eq!(first.metric.dimensions[0], ("Model".into(), "m".into()));
        assert_eq!(first.minute, NOW / 60_000);
    }

    #[test]
    fn a_document_that_breaks_the_schema_makes_nothing() {
        let directive = "/_aws/CloudWatchMetrics/0";
        let at = |rest: &str| format!("{directive}{rest}");
        let many: Vec<Value> = (0..101).map(|n| json!({"Name": format!("m{n}")})).collect();
        let wide: Vec<String> = (0..31).map(|n| format!("d{n}")).collect();
        for (line, said) in [
            (without("/_aws", "Timestamp"), "_aws.Timestamp is missing"),
            (
                changed("/_aws/Timestamp", json!("now")),
                "whole number of milliseconds",
            ),
            (
                changed("/_aws/Timestamp", json!(1_787_150_074_000.5)),
                "whole number of milliseconds",
            ),
            (
                changed("/_aws/Timestamp", json!(NOW / 1_000)),
                "looks like seconds",
            ),
            (
                changed("/_aws/Timestamp", json!(NOW - 15 * 86_400_000)),
                "older than two weeks or",
            ),
            (
                changed("/_aws/Timestamp", json!(NOW + 3 * 3_600_000)),
                "two hours ahead",
            ),
            (
                without("/_aws", "CloudWatchMetrics"),
                "CloudWatchMetrics is missing",
            ),
            (
                changed("/_aws/CloudWatchMetrics", json!({})),
                "not an array",
            ),
            (without(directive, "Namespace"), "[0]: Namespace must be"),
            (changed(&at("/Namespace"), json!("")), "Namespace must be"),
            (
                changed(&at("/Namespace"), json!("AWS/Bedrock")),
                "those of AWS services",
            ),
            (without(directive, "Dimensions"), "Dimensions is missing"),
            (
                changed(&at("/Dimensions"), json!([])),
                "Dimensions is missing or empty",
            ),
            (
                changed(&at("/Dimensions"), json!(["Model"])),
                "array of arrays",
            ),
            (
                changed(&at("/Dimensions"), json!([[1]])),
                "names in Dimensions",
            ),
            (changed(&at("/Dimensions"), json!([wide])), "has 31 names"),
            (without(directive, "Metrics"), "Metrics is missing"),
            (changed(&at("/Metrics"), json!(many)), "defines 101 metrics"),
            (
                changed(&at("/Metrics"), json!([{"Unit": "Count"}])),
                "Name must be",
            ),
            (
                changed(&at("/Metrics/0/Unit"), json!("ms")),
                "none of CloudWatch's units",
            ),
            (
                changed(&at("/Metrics/0/StorageResolution"), json!(30)),
                "must be 1 or 60",
            ),
        ] {
            let document = read(&line);
            assert!(document.data.is_empty(), "{line}");
            assert!(!document.broken);
            let [problem] = document.problems.as_slice() else {
                panic!("{line}: {:?}", document.problems);
            };
            assert!(problem.contains(said), "{problem:?} does not say {said:?}");
        }
    }

    #[test]
    fn a_target_that_is_not_there_costs_its_own_metrics_only() {
        for (line, said, left) in [
            (without("", "Tokens"), "the metric Tokens has no value", 3),
            (
                changed("/Tokens", json!("7")),
                "the metric Tokens is \"7\"",
                3,
            ),
            (
                changed("/Tokens", json!(null)),
                "the metric Tokens is null",
                3,
            ),
            (changed("/Tokens", json!([])), "has 0 values", 3),
            (changed("/Tokens", json!([1, "x"])), "is \"x\"", 3),
            (changed("/Tokens", json!(vec![1; 101])), "has 101 values", 3),
            (changed("/Tokens", json!(1e200)), "can be stored", 3),
            (changed("/Tokens", json!({"a": 1})), "not a number", 3),
            (
                without("", "Operation"),
                "the dimension Operation has no value",
                4,
            ),
            (changed("/Operation", json!(5)), "it must be a string", 4),
            (
                changed("/Operation", json!("")),
                "from 1 to 1024 characters",
                4,
            ),
        ] {
            let document = read(&line);
            assert_eq!(document.data.len(), left, "{line}");
            let [problem] = document.problems.as_slice() else {
                panic!("{line}: {:?}", document.problems);
            };
            assert!(problem.contains(said), "{problem:?} does not say {said:?}");
        }
    }

    #[test]
    fn other_lines_are_lines() {
        let text = line().to_string();
        for other in [
            "START RequestId: 1",
            "{\"level\": \"ERROR\"}",
            "[1, 2]",
            "{\"note\": {\"_aws\": 1}}",
            &format!("2026-08-19T14:34:34Z id INFO {text}"),
            &json!([line()]).to_string(),
        ] {
            assert!(super::read(other, "r", NOW).is_none(), "{other}");
        }
        // A line's end is white space, which JSON allows.
        let ended = format!("{text}\n");
        assert_eq!(super::read(&ended, "r", NOW).unwrap().data.len(), 6);
        for broken in [
            format!("{text} and more"),
            text[..text.len() - 1].to_owned(),
        ] {
            let document = super::read(&broken, "r", NOW).unwrap();
            assert!(document.broken && document.data.is_empty());
            assert!(document.problems[0].contains("not one JSON document"));
        }
    }

    #[test]
    fn what_one_document_makes_is_bounded() {
        let sets = vec![json!(["Model"]); 600];
        let line = changed("/_aws/CloudWatchMetrics/0/Dimensions", json!(sets));
        let document = read(&line);
        assert_eq!(document.data.len(), DATA_MAX);
        assert_eq!(document.problems.len(), 1);
    }
}
