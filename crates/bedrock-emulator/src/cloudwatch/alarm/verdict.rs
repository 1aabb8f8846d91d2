//! What datapoints say about an alarm: M out of N, and what is made of those that are missing.
//!
//! AWS looks at a few periods more than `EvaluationPeriods` (its "evaluation range"), so that points
//! which come late or seldom are judged as they are before missing ones are made up. How many more is
//! not documented; both tables of the documentation have N = 3 and a range of five, so it is two here.

use super::StateValue;

/// How many periods beyond `EvaluationPeriods` are looked at.
pub(super) const BEYOND: usize = 2;

/// One period's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    /// The second its period starts.
    pub(super) at: i64,
    pub(super) value: f64,
    /// How many values it was made of; of an expression nobody knows.
    pub(super) samples: Option<f64>,
}

/// `ComparisonOperator`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    GreaterOrEqual,
    Greater,
    Less,
    LessOrEqual,
}

impl Comparison {
    const NAMES: [(&str, Self); 4] = [
        ("GreaterThanOrEqualToThreshold", Self::GreaterOrEqual),
        ("GreaterThanThreshold", Self::Greater),
        ("LessThanThreshold", Self::Less),
        ("LessThanOrEqualToThreshold", Self::LessOrEqual),
    ];

    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut names = Self::NAMES.into_iter();
        names.find(|(known, _)| *known == name).map(|(_, c)| c)
    }

    pub(super) fn name(self) -> &'static str {
        let mut names = Self::NAMES.into_iter();
        let name = names.find(|(_, comparison)| *comparison == self);
        name.map_or("", |(name, _)| name)
    }

    /// As reasons say it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::GreaterOrEqual => "greater than or equal to",
            Self::Greater => "greater than",
            Self::Less => "less than",
            Self::LessOrEqual => "less than or equal to",
        }
    }

    /// As people write it.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }

    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterOrEqual => value >= threshold,
            Self::Greater => value > threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
        }
    }
}

/// `TreatMissingData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treat {
    Missing,
    Ignore,
    Breaching,
    NotBreaching,
}

impl Treat {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "missing" => Self::Missing,
            "ignore" => Self::Ignore,
            "breaching" => Self::Breaching,
            "notBreaching" => Self::NotBreaching,
            _ => return None,
        })
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Ignore => "ignore",
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
        }
    }
}

/// What an alarm compares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) comparison: Comparison,
    pub(super) threshold: f64,
    /// N.
    pub(super) periods: usize,
    /// M.
    pub(super) to_alarm: usize,
    pub(super) missing: Treat,
}

/// What datapoints come to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    /// None: the state stays what it is.
    pub(super) state: Option<StateValue>,
    /// The points that were judged, newest first.
    pub(super) judged: Vec<Point>,
    /// How many more were made up, and whether as breaching; none if they were taken as missing.
    pub(super) made_up: usize,
    pub(super) as_breaching: Option<bool>,
}

impl Rule {
    pub(super) fn breaches(&self, point: &Point) -> bool {
        self.comparison.holds(point.value, self.threshold)
    }

    /// Judges the periods of the evaluation range, newest first.
    pub(super) fn judge(&self, range: &[Option<Point>]) -> Verdict {
        let real: Vec<(usize, Point)> = range
            .iter()
            .enumerate()
            .filter_map(|(age, point)| Some((age + 1, (*point)?)))
            .collect();
        let judged: Vec<Point> = real.iter().map(|(_, p)| *p).take(self.periods).collect();
        let made_up = self.periods - judged.len();
        let breaching = judged.iter().filter(|point| self.breaches(point)).count();
        let alarm_if = |yes: bool| {
            Some(if yes {
                StateValue::Alarm
            } else {
                StateValue::Ok
            })
        };
        let all_breach = breaching == judged.len();
        let (state, as_breaching) = match self.missing {
            _ if made_up == 0 || breaching >= self.to_alarm => {
                (alarm_if(breaching >= self.to_alarm), None)
            }
            Treat::Breaching => (alarm_if(breaching + made_up >= self.to_alarm), Some(true)),
            Treat::NotBreaching => (Some(StateValue::Ok), Some(false)),
            Treat::Missing if judged.is_empty() => (Some(StateValue::InsufficientData), None),
            // A point within the threshold speaks against the alarm, however few there are.
            Treat::Missing | Treat::Ignore if !all_breach => (Some(StateValue::Ok), None),
            Treat::Ignore => (None, None),
            // "Avoiding premature transitions": breaching points alone are enough from the moment on
            // when the oldest of them is M periods old. Before, nothing is decided (chosen).
            Treat::Missing => {
                let oldest = real.last().map_or(0, |(age, _)| *age);
                ((oldest >= self.to_alarm).then_some(StateValue::Alarm), None)
            }
        };
        Verdict {
            state,
            judged,
            made_up,
            as_breaching,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StateValue::{Alarm, InsufficientData, Ok};

    fn judged(m: usize, drawn: &str, missing: Treat) -> Option<StateValue> {
        let rule = Rule {
            comparison: Comparison::Greater,
            threshold: 0.0,
            periods: 3,
            to_alarm: m,
            missing,
        };
        // Drawn as in the documentation: the oldest first.
        let points: Vec<Option<Point>> = drawn
            .split(' ')
            .rev()
            .map(|sign| {
                let value = match sign {
                    "X" => 1.0,
                    "0" => 0.0,
                    _ => return None,
                };
                Some(Point {
                    at: 0,
                    value,
                    samples: None,
                })
            })
            .collect();
        rule.judge(&points).state
    }

    /// The documentation's tables "How CloudWatch alarms evaluate missing data", both of them.
    #[test]
    fn missing_data_is_treated_as_documented() {
        let rows = [
            (3, "0 - X - X", [Some(Ok), Some(Ok), Some(Ok), Some(Ok)]),
            (3, "- - - - 0", [Some(Ok), Some(Ok), Some(Ok), Some(Ok)]),
            (
                3,
                "- - - - -",
                [Some(InsufficientData), None, Some(Alarm), Some(Ok)],
            ),
            (
                3,
                "0 X X - X",
                [Some(Alarm), Some(Alarm), Some(Alarm), Some(Alarm)],
            ),
            (3, "- - X - -", [Some(Alarm), None, Some(Alarm), Some(Ok)]),
            (
                2,
                "0 - X - X",
                [Some(Alarm), Some(Alarm), Some(Alarm), Some(Alarm)],
            ),
            (
                2,
                "0 0 X 0 X",
                [Some(Alarm), Some(Alarm), Some(Alarm), Some(Alarm)],
            ),
            (2, "0 - X - -", [Some(Ok), Some(Ok), Some(Alarm), Some(Ok)]),
            (2, "- - - - 0", [Some(Ok), Some(Ok), Some(Alarm), Some(Ok)]),
            (2, "- - - X -", [Some(Alarm), None, Some(Alarm), Some(Ok)]),
            // Not in the tables: one young point decides nothing yet.
            (3, "- - - - X", [None, None, Some(Alarm), Some(Ok)]),
            (
                1,
                "- - - - X",
                [Some(Alarm), Some(Alarm), Some(Alarm), Some(Alarm)],
            ),
        ];
        let kinds = [
            Treat::Missing,
            Treat::Ignore,
            Treat::Breaching,
            Treat::NotBreaching,
        ];
        for (m, drawn, wanted) in rows {
            for (kind, wanted) in kinds.into_iter().zip(wanted) {
                assert_eq!(
                    judged(m, drawn, kind),
                    wanted,
                    "{m} of 3, {drawn}, {kind:?}"
                );
            }
        }
    }

    #[test]
    fn operators_compare_with_the_threshold() {
        for (name, below, equal, above) in [
            ("GreaterThanOrEqualToThreshold", false, true, true),
            ("GreaterThanThreshold", false, false, true),
            ("LessThanThreshold", true, false, false),
            ("LessThanOrEqualToThreshold", true, true, false),
        ] {
            let comparison = Comparison::parse(name).unwrap();
            assert_eq!(comparison.name(), name);
            for (value, wanted) in [(1.0, below), (2.0, equal), (3.0, above)] {
                assert_eq!(comparison.holds(value, 2.0), wanted, "{value} {name} 2");
            }
        }
    }
}
