//! Numbers within the bounds of a schema.

use serde_json::{Map, Number, Value, json};

use crate::answer::rng::Rng;

/// The bounds of a number.
#[derive(Debug, Default)]
pub(super) struct Range {
    least: Option<f64>,
    above: Option<f64>,
    most: Option<f64>,
    below: Option<f64>,
    /// The bounds as whole numbers, exact also where a float is not.
    first: Option<i128>,
    last: Option<i128>,
    step: Option<f64>,
}

impl Range {
    pub(super) fn of(keywords: &Map<String, Value>) -> Self {
        let float = |key| keywords.get(key).and_then(Value::as_f64);
        let up = |key| keywords.get(key).and_then(|v| exact(v, f64::ceil));
        let down = |key| keywords.get(key).and_then(|v| exact(v, f64::floor));
        // The first whole number above an exclusive bound: its floor and one.
        let above = down("exclusiveMinimum").map(|n| n + 1);
        let below = up("exclusiveMaximum").map(|n| n - 1);
        let last = [down("maximum"), below].into_iter().flatten().min();
        Self {
            least: float("minimum"),
            above: float("exclusiveMinimum"),
            most: float("maximum"),
            below: float("exclusiveMaximum"),
            first: up("minimum").max(above),
            last,
            step: float("multipleOf").filter(|step| *step > 0.0),
        }
    }

    /// A whole number within the bounds, near the one that is given.
    pub(super) fn whole(&self, rng: &mut Rng) -> Option<Number> {
        let step = match self.step {
            None => 1,
            // The smallest whole multiple of a step like 0.25.
            Some(step) => (1..=1_000).find_map(|n| {
                let whole = step * f64::from(n);
                exact(&json!(whole), f64::round).filter(|_| whole.fract() == 0.0)
            })?,
        };
        let ceil = |n: i128| n.div_euclid(step) + i128::from(n.rem_euclid(step) != 0);
        let (first, last) = match (self.first, self.last) {
            (None, None) => (1, 100),
            (Some(first), None) => (ceil(first), ceil(first) + 100),
            (None, Some(last)) => (last.div_euclid(step) - 100, last.div_euclid(step)),
            (Some(first), Some(last)) => (ceil(first), last.div_euclid(step)),
        };
        // JSON numbers of this crate end where 64 bits end.
        let first = first.max(ceil(i64::MIN.into()));
        let last = last.min(i128::from(u64::MAX).div_euclid(step));
        let room = usize::try_from(last.checked_sub(first)?).ok()?;
        let chosen = first + i128::try_from(rng.below(room.min(1_000) + 1)).ok()?;
        Number::from_i128(chosen * step)
    }

    /// Some other number within the bounds, for when no whole one is.
    pub(super) fn fraction(&self, rng: &mut Rng) -> Option<Number> {
        let low = [self.least, self.above]
            .into_iter()
            .flatten()
            .fold(f64::NEG_INFINITY, f64::max);
        let high = [self.most, self.below]
            .into_iter()
            .flatten()
            .fold(f64::INFINITY, f64::min);
        // A window that still has room where neighbouring floats are far apart.
        let window = |bound: f64| (bound.abs() * 1e-6).max(1.0);
        let (low, high) = match (low.is_finite(), high.is_finite()) {
            (true, true) => (low, high),
            (true, false) => (low, low + window(low)),
            (false, _) => (high - window(high), high),
        };
        let inside = |n: &f64| {
            self.least.is_none_or(|least| *n >= least)
                && self.above.is_none_or(|above| *n > above)
                && self.most.is_none_or(|most| *n <= most)
                && self.below.is_none_or(|below| *n < below)
        };
        let share = f64::from(u32::try_from(rng.below(19)).ok()? + 1) / 20.0;
        let within = low + (high - low) * share;
        let candidates = match self.step {
            None => vec![round(within, 3), within, low, high],
            Some(step) => {
                let times = (within / step).round();
                let multiples = [times, times + 1.0, times - 1.0].map(|times| times * step);
                multiples.map(|n| round(n, decimals(step))).to_vec()
            }
        };
        candidates
            .into_iter()
            .find(inside)
            .and_then(Number::from_f64)
    }
}

/// A JSON number as a whole one; a fraction is rounded.
fn exact(value: &Value, rounding: fn(f64) -> f64) -> Option<i128> {
    let whole = value
        .as_i64()
        .map(i128::from)
        .or_else(|| value.as_u64().map(i128::from));
    // Through its digits, because a cast would saturate without a word.
    whole.or_else(|| format!("{:.0}", rounding(value.as_f64()?)).parse().ok())
}

fn round(n: f64, decimals: usize) -> f64 {
    format!("{n:.decimals$}").parse().unwrap_or(n)
}

fn decimals(step: f64) -> usize {
    let text = format!("{step}");
    text.split_once('.').map_or(0, |(_, after)| after.len())
}
