//! The requests of a run: a table for each test, with a bar for each request and the waits between
//! attempts. What the bars show is in the table's words as well.

use std::collections::HashMap;

use askama::Template;

use super::{Visitor, words};
use crate::events::{Board, EMULATOR_TEST, Lit, Seen, Status};

/// The width of a bar's drawing; the page stretches it.
const WIDTH: u64 = 1_000;

/// A request that took no time is still seen.
const TICK: u64 = 7;

/// The part of a page that shows requests.
#[derive(Template)]
#[template(path = "requests.html")]
pub(super) struct Requests {
    /// What is said when there is none.
    empty: &'static str,
    /// Which requests these are.
    which: &'static str,
    count: usize,
    /// Tokens, costs and retries of all of them.
    sums: String,
    groups: Vec<Group>,
    /// What the whole width of a bar stands for.
    span: String,
    lit: String,
}

/// The requests of one test.
struct Group {
    title: String,
    rows: Vec<Row>,
}

/// One request.
struct Row {
    /// From 1, in this test.
    number: usize,
    class: &'static str,
    status: String,
    operation: String,
    model: String,
    error: Option<String>,
    message: Option<String>,
    attempt: Option<usize>,
    repeats: Option<u64>,
    tokens: String,
    arrived: String,
    /// What happened then: how long it took, or how long somebody waited before the next attempt.
    then: String,
    href: String,
    bar: Bar,
}

/// A bar's parts, in units of the drawing.
#[derive(Debug, Default, PartialEq, Eq)]
struct Bar {
    /// Where the request arrived.
    from: u64,
    /// To the first byte.
    first: u64,
    /// From there to the last.
    rest: u64,
    /// Where the wait for the next attempt begins and ends.
    wait: Option<(u64, u64)>,
}

impl Requests {
    /// Those of an exercise's run.
    pub(super) fn of(visitor: Visitor, board: &Board) -> Self {
        let empty = "No requests yet. Run the checks to see them here.";
        Self::new(
            visitor,
            board.requests.iter().collect(),
            "in this run",
            empty,
        )
    }

    /// The last ones to the emulator beside the site.
    pub(super) fn by_hand(visitor: Visitor, requests: &[Seen]) -> Self {
        let empty = "No requests yet. Send one with any AWS tool, or from the playground.";
        Self::new(visitor, requests.iter().collect(), "so far", empty)
    }

    fn new(
        visitor: Visitor,
        mut shown: Vec<&Seen>,
        which: &'static str,
        mut empty: &'static str,
    ) -> Self {
        if !visitor.signed_in {
            shown.clear();
            empty = "Requests are shown to the person at this machine: open the link from the \
                     terminal.";
        }
        let lit = Lit::by(shown.iter().copied());
        let groups = groups(&shown);
        // Tests have clocks of their own, and run side by side: each begins at the left.
        let span = groups.iter().map(|(_, group)| length(group)).max();
        let span = span.unwrap_or_default();
        let groups: Vec<_> = groups
            .into_iter()
            .map(|(title, group)| Group {
                title: match title {
                    EMULATOR_TEST => "Sent to the emulator by hand".to_owned(),
                    "" => "Outside of a test".to_owned(),
                    test => test.to_owned(),
                },
                rows: rows(&group, span),
            })
            .collect();
        Self {
            empty,
            which,
            count: shown.len(),
            sums: sums(&shown, &groups),
            groups,
            span: words::took(span),
            lit: serde_json::to_string(&lit).unwrap_or_default(),
        }
    }
}

/// By test, in the order in which the tests sent their first request.
fn groups<'s>(shown: &[&'s Seen]) -> Vec<(&'s str, Vec<&'s Seen>)> {
    let mut groups: Vec<(&str, Vec<&Seen>)> = Vec::new();
    let mut places = HashMap::new();
    for seen in shown {
        let place = *places.entry(seen.test.as_str()).or_insert_with(|| {
            groups.push((seen.test.as_str(), Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(seen);
    }
    groups
}

/// Milliseconds from the first arrival to the last answer.
fn length(group: &[&Seen]) -> u64 {
    let start = group.first().map_or(0, |seen| seen.t);
    let ends = group.iter().map(|seen| since(start, end(seen)));
    ends.max().unwrap_or_default()
}

fn end(seen: &Seen) -> i64 {
    let took = i64::try_from(seen.latency_ms.unwrap_or_default());
    seen.t.saturating_add(took.unwrap_or(i64::MAX))
}

fn since(start: i64, t: i64) -> u64 {
    u64::try_from(t.saturating_sub(start)).unwrap_or_default()
}

fn rows(group: &[&Seen], span: u64) -> Vec<Row> {
    let start = group.first().map_or(0, |seen| seen.t);
    let mut attempts = vec![1; group.len()];
    let mut retried_at: Vec<Option<i64>> = vec![None; group.len()];
    for later in 1..group.len() {
        let mut before = (0..later).rev();
        let before = before.find(|before| {
            retried_at[*before].is_none() && group[*before].is_retried_by(group[later])
        });
        if let Some(before) = before {
            retried_at[before] = Some(group[later].t);
            attempts[later] = attempts[before] + 1;
        }
    }
    let rows = group.iter().zip(attempts).zip(retried_at).enumerate();
    rows.map(|(at, ((seen, attempt), retried_at))| {
        let from_sdk = seen.attempt.and_then(|n| usize::try_from(n).ok());
        let attempt = attempt.max(from_sdk.unwrap_or(1));
        let wait = retried_at.map(|next| since(end(seen), next));
        Row {
            number: at + 1,
            class: class(seen),
            status: status(seen),
            operation: seen.operation.clone().unwrap_or("unknown".to_owned()),
            model: seen.model.clone().unwrap_or_default(),
            error: seen.error.clone(),
            message: seen.message.clone(),
            attempt: Some(attempt).filter(|attempt| *attempt > 1),
            repeats: seen.replay_of,
            tokens: seen
                .usage
                .map_or_else(String::new, |u| format!("{} in, {} out", u.input, u.output)),
            arrived: words::since(start, seen.t),
            then: match (wait, seen.latency_ms) {
                (Some(ms), _) => format!("then waited {}", words::took(ms)),
                (None, Some(ms)) if ms > 0 => format!("took {}", words::took(ms)),
                _ => String::new(),
            },
            href: seen.href.clone(),
            bar: bar(seen, start, retried_at, span),
        }
    })
    .collect()
}

fn bar(seen: &Seen, start: i64, retried_at: Option<i64>, span: u64) -> Bar {
    let room = WIDTH - TICK;
    let place = |ms: u64| match span {
        0 => 0,
        span => (u128::from(ms.min(span)) * u128::from(room) / u128::from(span))
            .try_into()
            .unwrap_or(room),
    };
    let latency = seen.latency_ms.unwrap_or_default();
    let first = seen.first_token_ms.unwrap_or(latency).min(latency);
    let arrived = since(start, seen.t);
    let (from, spoke) = (place(arrived), place(arrived.saturating_add(first)));
    let to = place(arrived.saturating_add(latency)).max(spoke);
    let first = (spoke - from).max(TICK);
    let rest = (to + TICK).saturating_sub(from + first);
    let wait = retried_at.map(|next| (from + first + rest, place(since(start, next))));
    Bar {
        from,
        first,
        rest: if to > spoke { rest } else { 0 },
        wait: wait.filter(|(from, to)| from < to),
    }
}

/// `ok`, `wait` (turned away for now) or `bad`.
fn class(seen: &Seen) -> &'static str {
    let mut lights = seen.trace.iter().map(|light| light.status);
    let worst = lights.find(|status| *status != Status::Ok);
    match (seen.status, worst) {
        (429 | 503, _) | (_, Some(Status::Throttled)) => "wait",
        (0 | 400.., _) | (_, Some(Status::Denied)) => "bad",
        _ => "ok",
    }
}

/// The status, or that there was none.
fn status(seen: &Seen) -> String {
    match seen.status {
        0 => "none".to_owned(),
        status => status.to_string(),
    }
}

fn sums(shown: &[&Seen], groups: &[Group]) -> String {
    let mut parts = Vec::new();
    let attempts = groups.iter().flat_map(|group| &group.rows);
    match attempts.filter(|row| row.attempt.is_some()).count() {
        0 => {}
        1 => parts.push("1 retry".to_owned()),
        n => parts.push(format!("{n} retries")),
    }
    let used = shown.iter().filter_map(|seen| seen.usage);
    let (input, output) = used.fold((0_u64, 0_u64), |(input, output), usage| {
        (
            input + u64::from(usage.input),
            output + u64::from(usage.output),
        )
    });
    if input + output > 0 {
        parts.push(format!(
            "{} tokens in, {} out",
            words::grouped(input),
            words::grouped(output)
        ));
    }
    let cost: u64 = shown.iter().filter_map(|seen| seen.cost_micro_usd).sum();
    if cost > 0 {
        parts.push(words::dollars(cost));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(test: &str, t: i64, status: u16, body: u64) -> Seen {
        Seen {
            test: test.to_owned(),
            t,
            status,
            operation: Some("Converse".to_owned()),
            body_hash: Some(body),
            latency_ms: (status == 200).then_some(500),
            ..Seen::default()
        }
    }

    #[test]
    fn attempts_of_one_call_are_joined_by_their_waits() {
        let all = [
            seen("a", 1_000, 429, 1),
            seen("a", 1_010, 429, 2),
            seen("a", 2_000, 429, 1),
            seen("a", 4_000, 200, 1),
            seen("a", 4_900, 200, 1),
        ];
        let group: Vec<_> = all.iter().collect();
        let rows = rows(&group, length(&group));
        let attempts: Vec<_> = rows.iter().map(|row| row.attempt).collect();
        assert_eq!(attempts, [None, None, Some(2), Some(3), None]);
        let then: Vec<_> = rows.iter().map(|row| row.then.as_str()).collect();
        let waited = ["then waited 1.0 s", "", "then waited 2.0 s"];
        assert_eq!(then[..3], waited);
        assert_eq!(then[3..], ["took 500 ms"; 2]);
        let (_, to) = rows[0].bar.wait.unwrap();
        assert_eq!(to, rows[2].bar.from, "the wait leads to the next attempt");
        assert_eq!(rows[3].bar.wait, None);
    }

    #[test]
    fn bars_stay_in_their_drawing_whatever_the_times() {
        for (t, latency, span) in [
            (0, 0, 0),
            (5, 5, 10),
            (10, 0, 10),
            (i64::MAX, u64::MAX, u64::MAX),
            (-5, 7, 3),
        ] {
            let one = Seen {
                latency_ms: Some(latency),
                first_token_ms: Some(latency / 2),
                ..seen("a", t, 200, 1)
            };
            let bar = bar(&one, 0, Some(i64::MAX), span);
            assert!(bar.from + bar.first + bar.rest <= WIDTH, "{bar:?}");
            assert!(bar.wait.is_none_or(|(_, to)| to <= WIDTH), "{bar:?}");
        }
    }

    #[test]
    fn each_test_has_rows_of_its_own() {
        let all = [
            seen("a", 1, 200, 1),
            seen("b", 2, 200, 1),
            seen("a", 3, 200, 1),
        ];
        let shown: Vec<_> = all.iter().collect();
        let groups = groups(&shown);
        let sizes: Vec<_> = groups.iter().map(|(test, g)| (*test, g.len())).collect();
        assert_eq!(sizes, [("a", 2), ("b", 1)]);
    }
}
