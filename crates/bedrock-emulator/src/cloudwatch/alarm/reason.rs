//! Why an alarm is in its state, in AWS's words (seen in notifications and events), and as JSON.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    StateValue,
    verdict::{Point, Rule, Verdict},
};

/// Of an alarm that was never evaluated.
pub(super) const INITIAL: &str = "Unchecked: Initial alarm creation";

/// `StateReason`.
pub(super) fn words(rule: &Rule, state: StateValue, verdict: &Verdict) -> String {
    let all = rule.periods;
    if state == StateValue::InsufficientData {
        return format!("Insufficient Data: {} unknown.", datapoints(all));
    }
    let treated = verdict.as_breaching.map(|breaching| {
        let kind = if breaching {
            "Breaching"
        } else {
            "NonBreaching"
        };
        let count = verdict.made_up;
        format!(
            "{count} missing {} treated as [{kind}]",
            plural(count, "datapoint")
        )
    });
    if verdict.judged.is_empty() {
        let periods = if all == 1 { "period" } else { "periods" };
        let treated = treated.unwrap_or_default();
        return format!(
            "Threshold Crossed: no datapoints were received for {all} {periods} and {treated}."
        );
    }
    let alarms = state == StateValue::Alarm;
    let judged = verdict.judged.iter();
    let decisive: Vec<&Point> = judged.filter(|p| rule.breaches(p) == alarms).collect();
    if decisive.is_empty() {
        return format!("Threshold Crossed: {}.", treated.unwrap_or_default());
    }
    let count = decisive.len();
    let (not, minimum, change) = if alarms {
        ("", rule.to_alarm, "OK -> ALARM")
    } else {
        ("not ", all - rule.to_alarm + 1, "ALARM -> OK")
    };
    let treated = treated.map_or_else(String::new, |treated| format!(" and {treated}"));
    let list: Vec<String> = decisive
        .iter()
        .map(|point| format!("{} ({})", number(point.value), date(point.at)))
        .collect();
    let verb = if count == 1 { "was" } else { "were" };
    let datapoint = if minimum == 1 {
        "datapoint"
    } else {
        "datapoints"
    };
    format!(
        "Threshold Crossed: {count} out of the last {all} datapoints [{}] {verb} {not}{} the threshold \
         ({}){treated} (minimum {minimum} {datapoint} for {change} transition).",
        list.join(", "),
        rule.comparison.words(),
        number(rule.threshold),
    )
}

/// What `StateReasonData` names beside the points.
pub(super) struct Asked<'a> {
    pub(super) statistic: Option<&'a str>,
    pub(super) unit: Option<&'a str>,
    pub(super) period: i64,
    /// When it was evaluated, in milliseconds.
    pub(super) at_ms: i64,
}

/// `StateReasonData`.
pub(super) fn data(rule: &Rule, verdict: &Verdict, asked: &Asked<'_>) -> Value {
    let oldest_first: Vec<f64> = verdict.judged.iter().rev().map(|p| p.value).collect();
    let evaluated: Vec<Value> = verdict.judged.iter().map(evaluated).collect();
    let mut data = json!({
        "version": "1.0",
        "queryDate": stamp(asked.at_ms),
        "period": asked.period,
        "recentDatapoints": oldest_first,
        "threshold": rule.threshold,
        "evaluatedDatapoints": evaluated,
    });
    if let Some(oldest) = verdict.judged.last() {
        data["startDate"] = stamp(oldest.at * 1_000).into();
    }
    if let Some(statistic) = asked.statistic {
        data["statistic"] = statistic.into();
    }
    if let Some(unit) = asked.unit {
        data["unit"] = unit.into();
    }
    data
}

fn evaluated(point: &Point) -> Value {
    let mut told = json!({"timestamp": stamp(point.at * 1_000), "value": point.value});
    if let Some(samples) = point.samples {
        told["sampleCount"] = samples.into();
    }
    told
}

fn datapoints(count: usize) -> String {
    format!("{count} {}", plural(count, "datapoint"))
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 {
        format!("{what} was")
    } else {
        format!("{what}s were")
    }
}

/// As Java writes a double.
fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 1e7 || (size > 0.0 && size < 1e-3) {
        let text = format!("{value:E}");
        return match text.split_once('E') {
            Some((digits, power)) if !digits.contains('.') => format!("{digits}.0E{power}"),
            _ => text,
        };
    }
    if value.fract() == 0.0 {
        format!("{value:.1}")
    } else {
        value.to_string()
    }
}

/// `19/08/26 14:34:00`.
fn date(seconds: i64) -> String {
    let t = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:02}/{:02}/{:02} {:02}:{:02}:{:02}",
        t.day(),
        u8::from(t.month()),
        t.year().rem_euclid(100),
        t.hour(),
        t.minute(),
        t.second()
    )
}

/// `2026-08-19T14:34:00.000+0000`.
pub(super) fn stamp(ms: i64) -> String {
    let t = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1_000));
    let t = t.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+0000",
        t.year(),
        u8::from(t.month()),
        t.day(),
        t.hour(),
        t.minute(),
        t.second(),
        ms.rem_euclid(1_000)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudwatch::alarm::verdict::{Comparison, Treat};

    fn said(m: usize, n: usize, missing: Treat, values: &[Option<f64>]) -> String {
        let rule = Rule {
            comparison: Comparison::GreaterOrEqual,
            threshold: 80.0,
            periods: n,
            to_alarm: m,
            missing,
        };
        let newest = 1_787_150_040;
        let range: Vec<_> = values
            .iter()
            .zip(0_i64..)
            .map(|(value, age)| {
                let at = newest - 60 * age;
                value.map(|value| Point {
                    at,
                    value,
                    samples: Some(1.0),
                })
            })
            .collect();
        let verdict = rule.judge(&range);
        words(&rule, verdict.state.unwrap(), &verdict)
    }

    #[test]
    fn reasons_read_as_those_of_aws() {
        let rows = [
            (
                said(1, 1, Treat::Missing, &[Some(99.5), None, None]),
                "Threshold Crossed: 1 out of the last 1 datapoints [99.5 (19/08/26 14:34:00)] was \
                 greater than or equal to the threshold (80.0) (minimum 1 datapoint for OK -> ALARM \
                 transition).",
            ),
            (
                said(
                    2,
                    3,
                    Treat::Missing,
                    &[Some(1e7), Some(0.0), Some(80.0), None, None],
                ),
                "Threshold Crossed: 2 out of the last 3 datapoints [1.0E7 (19/08/26 14:34:00), 80.0 \
                 (19/08/26 14:32:00)] were greater than or equal to the threshold (80.0) (minimum 2 \
                 datapoints for OK -> ALARM transition).",
            ),
            (
                said(
                    3,
                    3,
                    Treat::Missing,
                    &[Some(1.0), Some(90.0), Some(90.0), None, None],
                ),
                "Threshold Crossed: 1 out of the last 3 datapoints [1.0 (19/08/26 14:34:00)] was not \
                 greater than or equal to the threshold (80.0) (minimum 1 datapoint for ALARM -> OK \
                 transition).",
            ),
            (
                said(1, 1, Treat::Missing, &[None, None, None]),
                "Insufficient Data: 1 datapoint was unknown.",
            ),
            (
                said(2, 2, Treat::Breaching, &[None, None, None, None]),
                "Threshold Crossed: no datapoints were received for 2 periods and 2 missing \
                 datapoints were treated as [Breaching].",
            ),
            (
                said(2, 2, Treat::Breaching, &[None, Some(90.0), None, None]),
                "Threshold Crossed: 1 out of the last 2 datapoints [90.0 (19/08/26 14:33:00)] was \
                 greater than or equal to the threshold (80.0) and 1 missing datapoint was treated as \
                 [Breaching] (minimum 2 datapoints for OK -> ALARM transition).",
            ),
            (
                said(2, 2, Treat::NotBreaching, &[None, Some(90.0), None, None]),
                "Threshold Crossed: 1 missing datapoint was treated as [NonBreaching].",
            ),
        ];
        for (got, wanted) in rows {
            assert_eq!(got, wanted);
        }
    }

    #[test]
    fn numbers_are_javas() {
        for (value, text) in [
            (0.0, "0.0"),
            (-1.5, "-1.5"),
            (99.501_602_296_934_34, "99.50160229693434"),
            (12_345_678.0, "1.2345678E7"),
            (1e-4, "1.0E-4"),
            (9_999_999.0, "9999999.0"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
