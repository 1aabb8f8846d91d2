//! Metric math: arithmetic and the functions that dashboards of Bedrock use.
//!
//! What is understood: numbers, ids of other queries, `+ - * /`, comparisons, parentheses,
//! `[m1, m2]`, `METRICS()`, `SUM AVG MIN MAX`, `FILL(x, n)`, `IF(a, b, c)`, `ABS CEIL FLOOR`,
//! `PERIOD(x)`, and `SEARCH` with namespace, dimensions and words. Anything else is named in the error.

use std::collections::BTreeMap;

use super::{invalid, statistic::Points};
use crate::error::ApiError;

/// How deep parentheses may go.
const DEPTH_MAX: usize = 32;

/// What an expression has come to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Scalar(f64),
    Series(Points),
    /// Several, each with what it is called.
    Array(Vec<(String, Points)>),
}

/// Where an expression finds what it names.
pub(super) trait Scope {
    /// The query of that id.
    fn query(&self, id: &str) -> Result<Value, ApiError>;
    /// All queries that are metrics, and whose id contains `part`.
    fn metrics(&self, part: &str) -> Result<Vec<(String, Points)>, ApiError>;
    /// What `SEARCH` finds.
    fn search(&self, text: &str, statistic: &str) -> Result<Vec<(String, Points)>, ApiError>;
    /// The starts of all periods.
    fn starts(&self) -> Vec<i64>;
    /// The length of a period in seconds.
    fn period(&self) -> f64;
}

/// Evaluates `text`.
pub(super) fn evaluate(text: &str, scope: &dyn Scope) -> Result<Value, ApiError> {
    let mut reader = Reader {
        whole: text,
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
        scope,
    };
    let value = reader.comparison()?;
    match reader.tokens.get(reader.at) {
        None => Ok(value),
        Some(token) => Err(reader.wrong(&format!("{token:?} is not expected"))),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Text(String),
    Sign(&'static str),
}

fn tokens(text: &str) -> Result<Vec<Token>, ApiError> {
    const SIGNS: [&str; 17] = [
        "==", "!=", ">=", "<=", "&&", "||", "+", "-", "*", "/", "(", ")", "[", "]", ",", ">", "<",
    ];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_digit() || first == '.' {
            let end = |c: char| !c.is_ascii_digit() && c != '.';
            let length = rest.find(end).unwrap_or(rest.len());
            let number = rest[..length].parse();
            let number =
                number.map_err(|_| wrong(text, &format!("{} is no number", &rest[..length])));
            tokens.push(Token::Number(number?));
            length
        } else if first.is_ascii_alphabetic() {
            let end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            let length = rest.find(end).unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..length].to_owned()));
            length
        } else if first == '\'' || first == '"' {
            let inside = &rest[1..];
            let end = inside.find(first);
            let end = end.ok_or_else(|| wrong(text, "a quotation mark is not closed"))?;
            tokens.push(Token::Text(inside[..end].to_owned()));
            end + 2
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| wrong(text, &format!("{first:?} is not understood")))?;
            tokens.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn wrong(whole: &str, why: &str) -> ApiError {
    invalid(format!("Error in expression '{whole}': {why}."))
}

struct Reader<'r> {
    whole: &'r str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    scope: &'r dyn Scope,
}

impl Reader<'_> {
    fn wrong(&self, why: &str) -> ApiError {
        wrong(self.whole, why)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Sign(s)) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), ApiError> {
        if self.take(sign) {
            return Ok(());
        }
        Err(self.wrong(&format!("{sign} is missing")))
    }

    /// Truth is 1, and 0.
    fn comparison(&mut self) -> Result<Value, ApiError> {
        let mut left = self.sum()?;
        loop {
            let compare: fn(f64, f64) -> bool = if self.take("==") {
                |a, b| (a - b).abs() < f64::EPSILON
            } else if self.take("!=") {
                |a, b| (a - b).abs() >= f64::EPSILON
            } else if self.take(">=") {
                |a, b| a >= b
            } else if self.take("<=") {
                |a, b| a <= b
            } else if self.take(">") {
                |a, b| a > b
            } else if self.take("<") {
                |a, b| a < b
            } else if self.take("&&") {
                |a, b| a != 0.0 && b != 0.0
            } else if self.take("||") {
                |a, b| a != 0.0 || b != 0.0
            } else {
                return Ok(left);
            };
            let right = self.sum()?;
            left = self.join(left, right, |a, b| Some(f64::from(u8::from(compare(a, b)))))?;
        }
    }

    fn sum(&mut self) -> Result<Value, ApiError> {
        let mut left = self.product()?;
        loop {
            if self.take("+") {
                let right = self.product()?;
                left = self.join(left, right, |a, b| Some(a + b))?;
            } else if self.take("-") {
                let right = self.product()?;
                left = self.join(left, right, |a, b| Some(a - b))?;
            } else {
                return Ok(left);
            }
        }
    }

    fn product(&mut self) -> Result<Value, ApiError> {
        let mut left = self.single()?;
        loop {
            if self.take("*") {
                let right = self.single()?;
                left = self.join(left, right, |a, b| Some(a * b))?;
            } else if self.take("/") {
                let right = self.single()?;
                // A period in which the divisor is 0 has no value.
                left = self.join(left, right, |a, b| (b != 0.0).then(|| a / b))?;
            } else {
                return Ok(left);
            }
        }
    }

    fn single(&mut self) -> Result<Value, ApiError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong("it is nested too deep"));
        }
        let value = self.unguarded_single();
        self.depth -= 1;
        value
    }

    fn unguarded_single(&mut self) -> Result<Value, ApiError> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        match token {
            Some(Token::Number(number)) => Ok(Value::Scalar(number)),
            Some(Token::Sign("-")) => {
                let value = self.single()?;
                self.join(Value::Scalar(0.0), value, |a, b| Some(a - b))
            }
            Some(Token::Sign("(")) => {
                let value = self.comparison()?;
                self.expect(")")?;
                Ok(value)
            }
            Some(Token::Sign("[")) => {
                let mut all = Vec::new();
                for value in self.arguments("]")? {
                    match value {
                        Value::Series(points) => all.push((String::new(), points)),
                        Value::Array(more) => all.extend(more),
                        Value::Scalar(_) => return Err(self.wrong("a list holds metrics")),
                    }
                }
                Ok(Value::Array(all))
            }
            Some(Token::Name(name)) if self.take("(") => self.call(&name),
            Some(Token::Name(name)) => self.scope.query(&name),
            Some(token) => Err(self.wrong(&format!("{token:?} is not expected"))),
            None => Err(self.wrong("it ends too early")),
        }
    }

    fn arguments(&mut self, end: &str) -> Result<Vec<Value>, ApiError> {
        let mut all = Vec::new();
        if self.take(end) {
            return Ok(all);
        }
        loop {
            all.push(self.comparison()?);
            if self.take(end) {
                return Ok(all);
            }
            self.expect(",")?;
        }
    }

    fn text(&mut self) -> Result<String, ApiError> {
        match self.tokens.get(self.at).cloned() {
            Some(Token::Text(text)) => {
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.wrong("a text in quotation marks is missing")),
        }
    }

    fn call(&mut self, name: &str) -> Result<Value, ApiError> {
        match name {
            "METRICS" => {
                let part = match self.tokens.get(self.at) {
                    Some(Token::Text(_)) => self.text()?,
                    _ => String::new(),
                };
                self.expect(")")?;
                return Ok(Value::Array(self.scope.metrics(&part)?));
            }
            "SEARCH" => {
                let text = self.text()?;
                self.expect(",")?;
                let statistic = self.text()?;
                if self.take(",") {
                    // The period of the search: that of the whole request is used.
                    self.single()?;
                }
                self.expect(")")?;
                return Ok(Value::Array(self.scope.search(&text, &statistic)?));
            }
            _ => {}
        }
        let arguments = self.arguments(")")?;
        let count = arguments.len();
        let mut arguments = arguments.into_iter();
        match (name, arguments.next(), arguments.next(), arguments.next()) {
            ("SUM", Some(all), None, None) => Ok(fold(all, |v| v.iter().sum())),
            ("MIN", Some(all), None, None) => Ok(fold(all, |v| {
                v.iter().copied().fold(f64::INFINITY, f64::min)
            })),
            ("MAX", Some(all), None, None) => Ok(fold(all, |v| {
                v.iter().copied().fold(f64::NEG_INFINITY, f64::max)
            })),
            ("AVG", Some(all), None, None) => Ok(fold(all, average)),
            ("ABS", Some(value), None, None) => self.map(value, f64::abs),
            ("CEIL", Some(value), None, None) => self.map(value, f64::ceil),
            ("FLOOR", Some(value), None, None) => self.map(value, f64::floor),
            ("PERIOD", Some(_), None, None) => Ok(Value::Scalar(self.scope.period())),
            ("FILL", Some(value), Some(Value::Scalar(fill)), None) => {
                let starts = self.scope.starts();
                self.each(value, |points| {
                    let filled = starts
                        .iter()
                        .map(|at| (*at, *points.get(at).unwrap_or(&fill)));
                    filled.collect()
                })
            }
            ("IF", Some(test), Some(yes), no) => self.choose(test, yes, no),
            _ => Err(self.wrong(&format!(
                "{name} with {count} arguments is not emulated; known are METRICS, SUM, AVG, MIN, \
                 MAX, FILL, IF, ABS, CEIL, FLOOR, PERIOD and SEARCH"
            ))),
        }
    }

    fn choose(&self, test: Value, yes: Value, no: Option<Value>) -> Result<Value, ApiError> {
        let kept = self.join(test.clone(), yes, |t, v| (t != 0.0).then_some(v))?;
        let Some(no) = no else { return Ok(kept) };
        let other = self.join(test, no, |t, v| (t == 0.0).then_some(v))?;
        match (kept, other) {
            (Value::Series(mut kept), Value::Series(other)) => {
                kept.extend(other);
                Ok(Value::Series(kept))
            }
            // Two numbers: exactly one of them is not NaN.
            (Value::Scalar(kept), Value::Scalar(other)) => {
                Ok(Value::Scalar(if kept.is_nan() { other } else { kept }))
            }
            _ => Err(self.wrong("IF takes metrics and numbers, not lists")),
        }
    }

    fn map(&self, value: Value, change: fn(f64) -> f64) -> Result<Value, ApiError> {
        if let Value::Scalar(number) = value {
            return Ok(Value::Scalar(change(number)));
        }
        self.each(value, |points| {
            points.into_iter().map(|(at, v)| (at, change(v))).collect()
        })
    }

    fn each(&self, value: Value, change: impl Fn(Points) -> Points) -> Result<Value, ApiError> {
        match value {
            Value::Series(points) => Ok(Value::Series(change(points))),
            Value::Array(all) => {
                let all = all.into_iter().map(|(name, points)| (name, change(points)));
                Ok(Value::Array(all.collect()))
            }
            Value::Scalar(_) => Err(self.wrong("this function takes metrics, not numbers")),
        }
    }

    /// Value by value; a period counts where both have one.
    fn join(
        &self,
        left: Value,
        right: Value,
        both: impl Fn(f64, f64) -> Option<f64>,
    ) -> Result<Value, ApiError> {
        let kept = |points: Points, with: &dyn Fn(i64, f64) -> Option<f64>| -> Points {
            let points = points.into_iter();
            points
                .filter_map(|(at, v)| Some((at, with(at, v)?)))
                .collect()
        };
        Ok(match (left, right) {
            (Value::Scalar(a), Value::Scalar(b)) => Value::Scalar(both(a, b).unwrap_or(f64::NAN)),
            (Value::Series(a), Value::Scalar(b)) => Value::Series(kept(a, &|_, v| both(v, b))),
            (Value::Scalar(a), Value::Series(b)) => Value::Series(kept(b, &|_, v| both(a, v))),
            (Value::Series(a), Value::Series(b)) => {
                Value::Series(kept(a, &|at, v| both(v, *b.get(&at)?)))
            }
            (Value::Array(all), Value::Scalar(b)) => {
                let all = all.into_iter();
                Value::Array(
                    all.map(|(name, a)| (name, kept(a, &|_, v| both(v, b))))
                        .collect(),
                )
            }
            (Value::Array(all), Value::Series(b)) => {
                let all = all.into_iter();
                let with = |at: i64, v: f64| both(v, *b.get(&at)?);
                Value::Array(all.map(|(name, a)| (name, kept(a, &with))).collect())
            }
            (_, Value::Array(_)) => {
                return Err(self.wrong("a list stands left of an operator, not right of it"));
            }
        })
    }
}

fn average(values: &[f64]) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count of values in memory is far below 2^53"
    )]
    let count = values.len() as f64;
    values.iter().sum::<f64>() / count
}

/// Of a list: period by period. Of one metric: all its values as one number.
fn fold(value: Value, fold: impl Fn(&[f64]) -> f64) -> Value {
    match value {
        Value::Scalar(number) => Value::Scalar(number),
        Value::Series(points) => {
            let values: Vec<f64> = points.into_values().collect();
            Value::Scalar(if values.is_empty() {
                f64::NAN
            } else {
                fold(&values)
            })
        }
        Value::Array(all) => {
            let mut periods: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
            for (at, value) in all.into_iter().flat_map(|(_, points)| points) {
                periods.entry(at).or_default().push(value);
            }
            let periods = periods.into_iter();
            Value::Series(periods.map(|(at, values)| (at, fold(&values))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    fn points(values: &[(i64, f64)]) -> Points {
        values.iter().copied().collect()
    }

    impl Scope for Two {
        fn query(&self, id: &str) -> Result<Value, ApiError> {
            match id {
                "a" => Ok(Value::Series(points(&[(0, 10.0), (60, 20.0)]))),
                "b" => Ok(Value::Series(points(&[(60, 5.0), (120, 0.0)]))),
                _ => Err(invalid(format!("no query {id}"))),
            }
        }

        fn metrics(&self, _: &str) -> Result<Vec<(String, Points)>, ApiError> {
            let of = |id: &str| match self.query(id)? {
                Value::Series(points) => Ok((id.to_owned(), points)),
                other => panic!("{other:?}"),
            };
            Ok(vec![of("a")?, of("b")?])
        }

        fn search(&self, _: &str, _: &str) -> Result<Vec<(String, Points)>, ApiError> {
            self.metrics("")
        }

        fn starts(&self) -> Vec<i64> {
            vec![0, 60, 120]
        }

        fn period(&self) -> f64 {
            60.0
        }
    }

    #[test]
    fn arithmetic_is_period_by_period() {
        let rows = [
            ("a * 2 + 1", vec![(0, 21.0), (60, 41.0)]),
            ("a - b", vec![(60, 15.0)]),
            ("100 * a / b", vec![(60, 400.0)]),
            ("-(a)", vec![(0, -10.0), (60, -20.0)]),
            ("a / PERIOD(a)", vec![(0, 10.0 / 60.0), (60, 20.0 / 60.0)]),
            ("SUM([a, b])", vec![(0, 10.0), (60, 25.0), (120, 0.0)]),
            ("AVG(METRICS())", vec![(0, 10.0), (60, 12.5), (120, 0.0)]),
            ("FILL(b, 1)", vec![(0, 1.0), (60, 5.0), (120, 0.0)]),
            ("IF(a > 10, a, 0)", vec![(0, 0.0), (60, 20.0)]),
            (
                "SUM(SEARCH('{X} y', 'Sum', 60))",
                vec![(0, 10.0), (60, 25.0), (120, 0.0)],
            ),
            ("a / SUM(a)", vec![(0, 1.0 / 3.0), (60, 2.0 / 3.0)]),
        ];
        for (text, wanted) in rows {
            let value = evaluate(text, &Two).unwrap();
            assert_eq!(value, Value::Series(points(&wanted)), "{text}");
        }
        assert_eq!(evaluate("2 + 3 * 4", &Two).unwrap(), Value::Scalar(14.0));
        assert_eq!(evaluate("MAX(a)", &Two).unwrap(), Value::Scalar(20.0));
    }

    #[test]
    fn mistakes_are_named() {
        let deep = "(".repeat(10_000);
        for (text, said) in [
            ("a +", "ends too early"),
            ("a b", "not expected"),
            ("(a", ") is missing"),
            ("c", "no query c"),
            ("ANOMALY_DETECTION_BAND(a, 2)", "is not emulated"),
            ("a ^ 2", "'^' is not understood"),
            ("'a", "not closed"),
            ("1.2.3", "is no number"),
            ("2 * [a]", "left of an operator"),
            (deep.as_str(), "too deep"),
        ] {
            let error = evaluate(text, &Two).unwrap_err();
            assert!(
                error.message().contains(said),
                "{text}: {}",
                error.message()
            );
        }
    }
}
