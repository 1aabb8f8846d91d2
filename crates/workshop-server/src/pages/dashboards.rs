//! Dashboards: requests, tokens, latency and cost of the emulator beside the site, from the metrics
//! that its CloudWatch answers with, or of an exercise's last run, from its requests.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use bedrock_emulator::Emulator;
use serde::Deserialize;
use time::OffsetDateTime;

use super::{
    Frame, Section, Visitor,
    chart::{Chart, Kind},
    page as answer, words,
};
use crate::{AppState, events::Seen};

/// Minutes shown of the emulator's metrics.
const MINUTES: i64 = 60;

/// Stretches that an exercise's run is cut into.
const STRETCHES: usize = 24;

/// What to look at: the emulator, or the run of an exercise.
#[derive(Debug, Deserialize)]
pub struct Whose {
    exercise: Option<String>,
}

#[derive(Template)]
#[template(path = "dashboards.html")]
struct Page {
    frame: Frame,
    tab: &'static str,
    running: bool,
    sources: Vec<(String, String, bool)>,
    tiles: Vec<(&'static str, String)>,
    charts: Vec<Chart>,
    models: Vec<ModelRow>,
    from: &'static str,
}

/// What one model took.
#[derive(Debug, Default, Clone, PartialEq)]
struct ModelRow {
    model: String,
    answered: u64,
    throttled: u64,
    failed: u64,
    input: u64,
    output: u64,
    micro_usd: u64,
    cost: String,
    p50: String,
    p95: String,
}

/// One stretch of time.
#[derive(Debug, Default, Clone, PartialEq)]
struct Stretch {
    label: String,
    answered: u64,
    throttled: u64,
    client: u64,
    server: u64,
    input: u64,
    output: u64,
    p50: u64,
    p95: u64,
}

/// `GET /dashboards`.
pub async fn page(
    State(state): State<AppState>,
    visitor: Visitor,
    Query(whose): Query<Whose>,
) -> Response {
    let frame = Frame::new(&state, visitor, Section::Emulator, "Dashboards");
    let exercise = whose.exercise.as_deref().filter(|_| visitor.signed_in);
    let edition = state.edition();
    let exercise = exercise.and_then(|id| edition.course.exercise(id));
    let (stretches, models, from) = match (exercise, state.emulator()) {
        (Some(exercise), _) => {
            let requests = state.hub().run_of(&exercise.id);
            let (stretches, models) = of_run(&requests);
            (stretches, models, "From the requests of the last run.")
        }
        (None, Some(endpoint)) if visitor.signed_in => {
            let (stretches, models) = of_emulator(endpoint.emulator());
            let from = "From the emulator’s metrics in the namespace AWS/Bedrock, the last hour \
                        minute by minute; the table and the sums count from its start.";
            (stretches, models, from)
        }
        _ => (Vec::new(), Vec::new(), ""),
    };
    let mut sources = vec![(
        "/dashboards".to_owned(),
        "Emulator".to_owned(),
        exercise.is_none(),
    )];
    let seen = state.hub().exercises();
    let seen = seen.iter().filter_map(|id| edition.course.exercise(id));
    sources.extend(seen.filter(|_| visitor.signed_in).map(|e| {
        (
            format!("/dashboards?exercise={}", e.id),
            format!("{} {}", e.id, e.title),
            exercise.is_some_and(|chosen| chosen.id == e.id),
        )
    }));
    answer(&Page {
        frame,
        tab: "dashboards",
        running: state.emulator().is_some() || exercise.is_some(),
        sources,
        tiles: tiles(&models),
        charts: charts(&stretches),
        models,
        from,
    })
}

/// From what `CloudWatch` counts.
fn of_emulator(emulator: &Emulator) -> (Vec<Stretch>, Vec<ModelRow>) {
    let now = OffsetDateTime::now_utc().unix_timestamp() / 60;
    let mut minutes = BTreeMap::<i64, Stretch>::new();
    let mut fill = |metric: &str, put: fn(&mut Stretch, &bedrock_emulator::observe::Figures)| {
        for minute in emulator.minutes(metric, now - MINUTES) {
            put(minutes.entry(minute.at).or_default(), &minute.figures);
        }
    };
    fill("InvocationLatency", |s, f| {
        s.answered = whole(f.count);
        s.p50 = f.p50.map_or(0, whole);
        s.p95 = f.p95.map_or(0, whole);
    });
    fill("InvocationThrottles", |s, f| s.throttled = whole(f.sum));
    fill("InvocationClientErrors", |s, f| s.client = whole(f.sum));
    fill("InvocationServerErrors", |s, f| s.server = whole(f.sum));
    fill("InputTokenCount", |s, f| s.input = whole(f.sum));
    fill("OutputTokenCount", |s, f| s.output = whole(f.sum));
    let (first, last) = (minutes.keys().next(), minutes.keys().next_back());
    let stretches = match (first, last) {
        (Some(first), Some(last)) => (*first..=*last)
            .map(|at| Stretch {
                label: clock(at),
                ..minutes.get(&at).cloned().unwrap_or_default()
            })
            .collect(),
        _ => Vec::new(),
    };
    let mut models = BTreeMap::<String, ModelRow>::new();
    for (id, metric, figures) in emulator.figures() {
        let row = models.entry(id).or_default();
        match metric {
            "InvocationLatency" => {
                row.answered += whole(figures.count);
                row.p50 = figures
                    .p50
                    .map_or_else(String::new, |ms| words::took(whole(ms)));
                row.p95 = figures
                    .p95
                    .map_or_else(String::new, |ms| words::took(whole(ms)));
            }
            "InvocationThrottles" => row.throttled += whole(figures.sum),
            "InvocationClientErrors" | "InvocationServerErrors" => {
                row.failed += whole(figures.sum);
            }
            "InputTokenCount" => row.input += whole(figures.sum),
            "OutputTokenCount" => row.output += whole(figures.sum),
            _ => {}
        }
    }
    for cost in emulator.costs() {
        if let Some(row) = models.get_mut(&cost.model_id) {
            row.micro_usd += cost.spent.micro_usd;
        }
    }
    (stretches, named(models))
}

/// From the requests themselves.
fn of_run(requests: &[Seen]) -> (Vec<Stretch>, Vec<ModelRow>) {
    let asked = requests.iter().filter(|seen| seen.model.is_some());
    let asked: Vec<&Seen> = asked.collect();
    let times = asked.iter().map(|seen| seen.t);
    let (Some(start), Some(end)) = (times.clone().min(), times.max()) else {
        return (Vec::new(), Vec::new());
    };
    let length = end.abs_diff(start);
    let step = length / STRETCHES as u64 + 1;
    let count = usize::try_from(length / step).unwrap_or_default() + 1;
    let mut stretches: Vec<Stretch> = (0..count as u64)
        .map(|at| Stretch {
            label: words::took(at.saturating_mul(step)),
            ..Stretch::default()
        })
        .collect();
    let mut latencies = vec![Vec::new(); count];
    let mut models = BTreeMap::<String, (ModelRow, Vec<u64>)>::new();
    for seen in asked {
        let offset = seen.t.abs_diff(start);
        let at = usize::try_from(offset / step).unwrap_or_default();
        let (row, of_model) = models
            .entry(seen.model.clone().unwrap_or_default())
            .or_default();
        let stretch = &mut stretches[at.min(count - 1)];
        match seen.status {
            _ if !seen.failed() => {
                stretch.answered += 1;
                row.answered += 1;
            }
            429 => {
                stretch.throttled += 1;
                row.throttled += 1;
            }
            status => {
                let side = match status {
                    400..=499 => &mut stretch.client,
                    _ => &mut stretch.server,
                };
                *side += 1;
                row.failed += 1;
            }
        }
        if let Some(usage) = seen.usage {
            stretch.input += u64::from(usage.input);
            stretch.output += u64::from(usage.output);
            row.input += u64::from(usage.input);
            row.output += u64::from(usage.output);
        }
        row.micro_usd += seen.cost_micro_usd.unwrap_or_default();
        if let Some(ms) = seen.latency_ms {
            latencies[at.min(count - 1)].push(ms);
            of_model.push(ms);
        }
    }
    for (stretch, latencies) in stretches.iter_mut().zip(&mut latencies) {
        latencies.sort_unstable();
        stretch.p50 = percentile(latencies, 50);
        stretch.p95 = percentile(latencies, 95);
    }
    let models = models.into_iter().map(|(id, (mut row, mut latencies))| {
        latencies.sort_unstable();
        if !latencies.is_empty() {
            row.p50 = words::took(percentile(&latencies, 50));
            row.p95 = words::took(percentile(&latencies, 95));
        }
        (id, row)
    });
    (stretches, named(models.collect()))
}

fn named(models: BTreeMap<String, ModelRow>) -> Vec<ModelRow> {
    let rows = models.into_iter().map(|(model, row)| ModelRow {
        model,
        cost: words::dollars(row.micro_usd),
        ..row
    });
    rows.collect()
}

/// The smallest value that so many percent are not above; 0 of nothing.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or_default()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts, tokens and milliseconds; `as` saturates"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// A minute since the Unix epoch as `21:04`.
fn clock(minute: i64) -> String {
    format!(
        "{:02}:{:02}",
        minute.rem_euclid(1_440) / 60,
        minute.rem_euclid(60)
    )
}

fn tiles(models: &[ModelRow]) -> Vec<(&'static str, String)> {
    if models.is_empty() {
        return Vec::new();
    }
    let sum = |of: fn(&ModelRow) -> u64| models.iter().map(of).sum::<u64>();
    vec![
        ("Answered", words::grouped(sum(|m| m.answered))),
        ("Throttled", words::grouped(sum(|m| m.throttled))),
        ("Failed", words::grouped(sum(|m| m.failed))),
        ("Tokens in", words::grouped(sum(|m| m.input))),
        ("Tokens out", words::grouped(sum(|m| m.output))),
        ("Cost", words::dollars(sum(|m| m.micro_usd))),
    ]
}

fn charts(stretches: &[Stretch]) -> Vec<Chart> {
    if stretches.is_empty() {
        return Vec::new();
    }
    let labels: Vec<_> = stretches.iter().map(|s| s.label.clone()).collect();
    let series = |of: fn(&Stretch) -> u64| stretches.iter().map(of).collect::<Vec<_>>();
    vec![
        Chart::new(
            "requests",
            "Requests by outcome",
            Kind::Stacked,
            &labels,
            vec![
                ("answered", "ok", series(|s| s.answered)),
                ("throttled", "wait", series(|s| s.throttled)),
                ("client errors", "bad", series(|s| s.client)),
                ("server errors", "dark", series(|s| s.server)),
            ],
            words::grouped,
        ),
        Chart::new(
            "tokens",
            "Tokens",
            Kind::Stacked,
            &labels,
            vec![
                ("in", "blue", series(|s| s.input)),
                ("out", "flow", series(|s| s.output)),
            ],
            words::grouped,
        ),
        Chart::new(
            "latency",
            "Latency",
            Kind::Lines,
            &labels,
            vec![
                ("p50", "blue", series(|s| s.p50)),
                ("p95", "flow", series(|s| s.p95)),
            ],
            words::took,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Usage;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<u64> = (1..=20).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 95)), (10, 19));
        assert_eq!((percentile(&[], 95), percentile(&[7], 50)), (0, 7));
    }

    #[test]
    fn a_run_adds_up_by_time_and_by_model() {
        let seen = |t, status, model: &str| Seen {
            t,
            status,
            model: Some(model.to_owned()),
            latency_ms: (status == 200).then_some(100),
            usage: (status == 200).then_some(Usage {
                input: 10,
                output: 5,
            }),
            cost_micro_usd: (status == 200).then_some(35),
            ..Seen::default()
        };
        let run = [
            seen(0, 429, "a"),
            seen(1_000, 200, "a"),
            seen(2_400, 403, "b"),
            Seen::default(),
        ];
        let (stretches, models) = of_run(&run);
        assert!(stretches.len() <= STRETCHES + 1);
        let answered: u64 = stretches.iter().map(|s| s.answered).sum();
        assert_eq!((answered, stretches[0].throttled), (1, 1));
        assert_eq!(stretches.last().unwrap().client, 1);
        let ids: Vec<_> = models
            .iter()
            .map(|m| (m.model.as_str(), m.micro_usd))
            .collect();
        assert_eq!(ids, [("a", 35), ("b", 0)]);
        assert_eq!(of_run(&[]), (Vec::new(), Vec::new()));
    }
}
