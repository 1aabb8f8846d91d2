//! `GetMetricData`: several metrics at once, and metric math over them.

use std::{cell::RefCell, collections::BTreeMap};

use super::{
    Input, Shape, combination, expression,
    expression::{Scope, Value},
    invalid,
    statistic::{Points, Selector, Span, Statistic},
    unknown_token, wire,
};
use crate::{
    error::ApiError,
    observe::Found,
    page_token::List,
    service::{Call, Permission, Plain, Route},
};

/// As many queries as one request holds (API reference).
const QUERIES_MAX: usize = 500;

/// As long as an expression may be (API reference).
const EXPRESSION_MAX: usize = 2_048;

/// As many values as one answer holds (API reference).
const POINTS_MAX: usize = 100_800;

pub(super) const OPERATION: Plain = Plain {
    name: "GetMetricData",
    route: Route::CloudWatch("GetMetricData"),
    permission: Permission::anywhere("cloudwatch:GetMetricData"),
    answer: |call| wire::answer(call, "GetMetricData", |input| act(call, input)),
};

/// One of the request's queries.
pub(super) struct Query<'v> {
    id: &'v str,
    label: Option<&'v str>,
    returns: bool,
    asks: Asks<'v>,
}

enum Asks<'v> {
    Metric {
        selector: Selector<'v>,
        statistic: Statistic,
        span: Span,
    },
    Expression {
        text: &'v str,
        period: Option<i64>,
    },
}

fn act(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let (start, end) = (
        input.required_time("StartTime")?,
        input.required_time("EndTime")?,
    );
    let newest_first = match input.text("ScanBy")? {
        None | Some("TimestampDescending") => true,
        Some("TimestampAscending") => false,
        Some(other) => {
            return Err(invalid(format!(
                "The value {other} for parameter ScanBy must be TimestampDescending or \
                 TimestampAscending."
            )));
        }
    };
    let list = List::of_input(call, OPERATION.name, input.members().clone());
    let mut page = Page::asked(input, list)?;
    let queries = queries(input.list("MetricDataQueries"), start, end)?;
    let state = call.account.state();
    let found = state.meters.found(call.region);
    let asked = Asked::new(&queries, &found, Span::new(start, end, shortest(&queries))?);
    let mut results = Vec::new();
    for query in queries.iter().filter(|query| query.returns) {
        let label = query.label.unwrap_or(match &query.asks {
            Asks::Metric { selector, .. } => selector.name,
            Asks::Expression { .. } => query.id,
        });
        match asked.value(query)? {
            Value::Series(points) => {
                results.extend(page.result(query.id, label, points, newest_first));
            }
            Value::Array(all) => results.extend(all.into_iter().filter_map(|(name, points)| {
                let label = if name.is_empty() { label } else { &name };
                page.result(query.id, label, points, newest_first)
            })),
            Value::Scalar(_) => {
                return Err(invalid(format!(
                    "Error in expression '{}': it is a number, and must be a time series.",
                    query.id
                )));
            }
        }
    }
    let mut members = vec![
        ("MetricDataResults", Shape::List(results)),
        ("Messages", Shape::List(Vec::new())),
    ];
    if page.more {
        members.push(("NextToken", Shape::Text(list.token(page.end))));
    }
    Ok(Shape::Members(members))
}

/// The queries of a list, over that time.
pub(super) fn queries<'v>(
    list: Vec<Input<'v>>,
    start: i64,
    end: i64,
) -> Result<Vec<Query<'v>>, ApiError> {
    if list.is_empty() || list.len() > QUERIES_MAX {
        return Err(invalid(format!(
            "The collection MetricDataQueries must hold from 1 to {QUERIES_MAX} queries."
        )));
    }
    let mut queries: Vec<Query<'v>> = Vec::new();
    for input in list {
        let id = input.required("Id")?;
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(legal) {
            return Err(invalid(format!(
                "The value {id} for parameter MetricDataQueries.member.1.Id is not matching the \
                 expected pattern: a lower-case letter, then letters, digits and underscores."
            )));
        }
        if queries.iter().any(|query| query.id == id) {
            return Err(invalid(format!(
                "The values for parameter Id in MetricDataQueries are not unique: {id}."
            )));
        }
        queries.push(query(input, id, start, end)?);
    }
    if queries.iter().any(|query| query.returns) {
        return Ok(queries);
    }
    Err(combination(
        "At least one of the queries must have ReturnData true.",
    ))
}

fn query<'v>(input: Input<'v>, id: &'v str, start: i64, end: i64) -> Result<Query<'v>, ApiError> {
    let asks = match (input.inside("MetricStat"), input.text("Expression")?) {
        (Some(asked), None) => {
            let metric = asked.inside("Metric");
            let metric = metric.ok_or_else(|| super::missing("MetricStat.Metric"))?;
            let period = asked.whole("Period")?;
            let period = period.ok_or_else(|| super::missing("MetricStat.Period"))?;
            let span = Span::new(start, end, period)?;
            if span.starts(POINTS_MAX).is_none() {
                return Err(combination(
                    "The request asks for more datapoints than one answer holds: take a longer \
                     Period or a shorter time.",
                ));
            }
            Asks::Metric {
                selector: Selector::parse(metric, asked.text("Unit")?)?,
                statistic: Statistic::parse(asked.required("Stat")?)?,
                span,
            }
        }
        (None, Some(text)) if text.len() > EXPRESSION_MAX => {
            return Err(invalid(format!(
                "The parameter Expression of query {id} must be at most {EXPRESSION_MAX} characters."
            )));
        }
        (None, Some(text)) => Asks::Expression {
            text,
            period: input.whole("Period")?,
        },
        _ => {
            return Err(combination(format!(
                "The query {id} must have either MetricStat or Expression."
            )));
        }
    };
    Ok(Query {
        id,
        label: input.text("Label")?,
        returns: input.flag("ReturnData").unwrap_or(true),
        asks,
    })
}

/// The period of expressions that name none.
pub(super) fn shortest(queries: &[Query<'_>]) -> i64 {
    let periods = queries.iter().filter_map(|query| match &query.asks {
        Asks::Metric { span, .. } => Some(span.period),
        Asks::Expression { period, .. } => *period,
    });
    periods.min().unwrap_or(300)
}

/// All queries of a request, each of which may name others.
pub(super) struct Asked<'a> {
    queries: &'a [Query<'a>],
    found: &'a [Found<'a>],
    default: Span,
    /// The expressions being evaluated, innermost last.
    running: RefCell<Vec<&'a str>>,
    /// What has been evaluated: an expression that names another twice must not double the work.
    known: RefCell<BTreeMap<&'a str, Value>>,
}

impl Query<'_> {
    pub(super) const fn returns(&self) -> bool {
        self.returns
    }

    /// The metric that it asks for, if it is no expression.
    pub(super) const fn selector(&self) -> Option<&Selector<'_>> {
        match &self.asks {
            Asks::Metric { selector, .. } => Some(selector),
            Asks::Expression { .. } => None,
        }
    }
}

impl<'a> Asked<'a> {
    /// `default` is the time of expressions.
    pub(super) fn new(queries: &'a [Query<'a>], found: &'a [Found<'a>], default: Span) -> Self {
        Self {
            queries,
            found,
            default,
            running: RefCell::default(),
            known: RefCell::default(),
        }
    }

    /// What the first query that returns data comes to, if that is one time series.
    pub(super) fn the_series(&self) -> Result<Points, ApiError> {
        let query = self.queries.iter().find(|query| query.returns);
        let query = query.ok_or_else(|| invalid("No query returns data."))?;
        let value = self.value(query)?;
        if let Value::Series(points) = value {
            return Ok(points);
        }
        Err(invalid(format!(
            "Error in expression '{}': an alarm watches one time series, and this is {}.",
            query.id,
            if matches!(value, Value::Scalar(_)) {
                "a number"
            } else {
                "several"
            }
        )))
    }

    fn value(&self, query: &'a Query<'a>) -> Result<Value, ApiError> {
        if let Some(known) = self.known.borrow().get(query.id) {
            return Ok(known.clone());
        }
        let value = self.fresh(query)?;
        self.known.borrow_mut().insert(query.id, value.clone());
        Ok(value)
    }

    fn fresh(&self, query: &'a Query<'a>) -> Result<Value, ApiError> {
        match &query.asks {
            Asks::Metric {
                selector,
                statistic,
                span,
            } => {
                let metrics = selector.select(self.found);
                Ok(Value::Series(span.points(&metrics, *statistic)))
            }
            Asks::Expression { text, .. } => {
                if self.running.borrow().contains(&query.id) || self.running.borrow().len() > 32 {
                    return Err(invalid(format!(
                        "Error in expression '{text}': {} comes back to itself.",
                        query.id
                    )));
                }
                self.running.borrow_mut().push(query.id);
                let value = expression::evaluate(text, self);
                self.running.borrow_mut().pop();
                value
            }
        }
    }
}

impl Scope for Asked<'_> {
    fn query(&self, id: &str) -> Result<Value, ApiError> {
        let query = self.queries.iter().find(|query| query.id == id);
        let query = query.ok_or_else(|| {
            invalid(format!(
                "Error in expression: no query of this request has the id {id}."
            ))
        })?;
        self.value(query)
    }

    fn metrics(&self, part: &str) -> Result<Vec<(String, Points)>, ApiError> {
        let metrics = self.queries.iter().filter_map(|query| match &query.asks {
            Asks::Metric {
                selector,
                statistic,
                span,
            } if query.id.contains(part) => {
                let points = span.points(&selector.select(self.found), *statistic);
                Some((query.label.unwrap_or(selector.name).to_owned(), points))
            }
            _ => None,
        });
        Ok(metrics.collect())
    }

    /// `{Namespace,Dimension} MetricName="…" words`: the metrics of that namespace with exactly
    /// these dimensions, whose name is that, and in which all words occur.
    fn search(&self, text: &str, statistic: &str) -> Result<Vec<(String, Points)>, ApiError> {
        let statistic = Statistic::parse(statistic)?;
        let braces = text
            .trim()
            .strip_prefix('{')
            .and_then(|t| t.split_once('}'));
        let (schema, words) = match braces {
            Some((schema, words)) => (Some(schema), words),
            None => (None, text),
        };
        let mut schema = schema.map(|s| s.split(',').map(|part| part.trim().trim_matches('"')));
        let namespace = schema.as_mut().and_then(Iterator::next);
        let mut names: Vec<&str> = schema.into_iter().flatten().collect();
        names.sort_unstable();
        let words: Vec<&str> = words.split_whitespace().collect();
        let fits = |metric: &Found<'_>, word: &str| {
            if let Some(name) = word.strip_prefix("MetricName=") {
                return metric.name == name.trim_matches('"');
            }
            let word = word.trim_matches('"').to_lowercase();
            let mut dimensions = metric.dimensions.iter();
            metric.name.to_lowercase().contains(&word)
                || dimensions.any(|(_, value)| value.to_lowercase().contains(&word))
        };
        let metrics = self.found.iter().filter(|metric| {
            let its = metric.dimensions.iter().map(|(name, _)| *name);
            namespace.is_none_or(|n| n == metric.namespace && its.eq(names.iter().copied()))
                && words.iter().all(|word| fits(metric, word))
        });
        let found = metrics.take(100).map(|metric| {
            let values = metric.dimensions.iter().map(|(_, value)| *value);
            let label: Vec<&str> = values.chain([metric.name]).collect();
            (label.join(" "), self.default.points(&[metric], statistic))
        });
        Ok(found.collect())
    }

    fn starts(&self) -> Vec<i64> {
        let starts = self.default.starts(POINTS_MAX);
        starts.into_iter().flatten().collect()
    }

    fn period(&self) -> f64 {
        f64::from(u32::try_from(self.default.period).unwrap_or(u32::MAX))
    }
}

/// The values of one answer. All results together are one row of values, cut into pages; a token
/// says how many of them the pages before it had.
struct Page {
    first: bool,
    /// How many values of the coming results were on pages before.
    skip: usize,
    /// How many more fit.
    room: usize,
    /// How many values this page and those before it have.
    end: usize,
    /// Whether another page follows.
    more: bool,
}

impl Page {
    fn asked(input: Input<'_>, list: List) -> Result<Self, ApiError> {
        let size = input.whole("MaxDatapoints")?.unwrap_or(i64::MAX);
        let size = usize::try_from(size).ok().filter(|size| *size > 0);
        let size = size.ok_or_else(|| {
            invalid("The parameter MaxDatapoints must be greater than or equal to 1.")
        })?;
        let start = input.text("NextToken")?;
        let start = start.map(|token| list.place(token).ok_or_else(unknown_token));
        let start = start.transpose()?.unwrap_or(0);
        Ok(Self {
            first: start == 0,
            skip: start,
            room: size.min(POINTS_MAX),
            end: start,
            more: false,
        })
    }

    /// What of a result stands on this page; nothing if all of it stands on others.
    fn result(
        &mut self,
        id: &str,
        label: &str,
        points: Points,
        newest_first: bool,
    ) -> Option<Shape> {
        let mut points: Vec<(i64, f64)> =
            points.into_iter().filter(|(_, v)| v.is_finite()).collect();
        if newest_first {
            points.reverse();
        }
        let before = points.len().min(self.skip);
        let here = (points.len() - before).min(self.room);
        let whole = before + here == points.len();
        self.skip -= before;
        self.room -= here;
        self.end += here;
        self.more |= !whole;
        let nothing_to_tell = points.is_empty() && self.first;
        if here == 0 && !nothing_to_tell {
            return None;
        }
        let points = &points[before..before + here];
        let times = points.iter().map(|(at, _)| Shape::Time(*at));
        let values = points.iter().map(|(_, value)| Shape::Number(*value));
        let status = if whole { "Complete" } else { "PartialData" };
        Some(Shape::Members(vec![
            ("Id", id.into()),
            ("Label", label.into()),
            ("Timestamps", Shape::List(times.collect())),
            ("Values", Shape::List(values.collect())),
            ("StatusCode", status.into()),
        ]))
    }
}
