//! The score card: what must be true in the evening of a bad day, whatever happened in between, and how
//! nearly it is.

use std::collections::{BTreeMap, BTreeSet};

use ex020::{Kind, Report};
use workshop_testkit::{Call, Point, Value};

use super::{
    account::shortly,
    day::{Day, days, is_answered},
    plan::{ANSWER, CANARY, FAILURES, Mishap, POISON, Planned, TICKETS, case},
};

/// One thing that must be true of every day.
#[derive(Clone, Copy)]
pub(crate) struct Invariant {
    /// On the card.
    pub(crate) name: &'static str,
    judge: fn(&Day) -> Score,
}

/// From 0 to 100, and why.
#[derive(Debug)]
pub(crate) struct Score {
    points: usize,
    saw: String,
    wanted: String,
}

impl Invariant {
    pub(crate) const ENDS: Self = Self::new("ends", ends);
    pub(crate) const ONCE: Self = Self::new("once", once);
    pub(crate) const MONEY: Self = Self::new("money", money);
    pub(crate) const CACHE: Self = Self::new("cache", cache);
    pub(crate) const MODELS: Self = Self::new("models", models);
    pub(crate) const SAFE: Self = Self::new("safe", safe);
    pub(crate) const LINES: Self = Self::new("lines", lines);
    pub(crate) const QUEUE: Self = Self::new("queue", queue);
    pub(crate) const REPORT: Self = Self::new("report", report);
    pub(crate) const LIT: Self = Self::new("lit", lit);

    const CARD: [Self; 10] = [
        Self::ENDS,
        Self::ONCE,
        Self::MONEY,
        Self::CACHE,
        Self::MODELS,
        Self::SAFE,
        Self::LINES,
        Self::QUEUE,
        Self::REPORT,
        Self::LIT,
    ];

    const fn new(name: &'static str, judge: fn(&Day) -> Score) -> Self {
        Self { name, judge }
    }
}

/// Fails unless an invariant holds on every day. Says the score card, either way.
#[track_caller]
pub(crate) fn judged(point: &Point, invariant: Invariant) {
    for day in days() {
        let card = card(day);
        println!("day {}: {card}", day.seed);
        let mut scores = Invariant::CARD.iter().zip(scores(day));
        let score = scores.find(|(on_card, _)| on_card.name == invariant.name);
        let (_, score) = score.expect("every invariant is on the card");
        point.holds(
            &format!("{} on the day with seed {}", invariant.name, day.seed),
            score.points == 100,
            format!("{}\n{}", score.saw, below_hundred(day)),
            &score.wanted,
        );
    }
}

/// Whether every invariant holds.
pub(crate) fn is_full(day: &Day) -> bool {
    scores(day).iter().all(|score| score.points == 100)
}

/// One for each invariant of the card.
fn scores(day: &Day) -> &[Score] {
    let judge = || {
        let card = Invariant::CARD.iter();
        card.map(|invariant| (invariant.judge)(day)).collect()
    };
    day.card.get_or_init(judge)
}

fn card(day: &Day) -> String {
    let scores = Invariant::CARD.iter().zip(scores(day));
    let scores = scores.map(|(invariant, score)| format!("{} {}", invariant.name, score.points));
    format!("score card: {}", scores.collect::<Vec<_>>().join(" · "))
}

/// The same, as short as it goes.
fn below_hundred(day: &Day) -> String {
    let scores = Invariant::CARD.iter().zip(scores(day));
    let lost = scores.filter(|(_, score)| score.points < 100);
    let lost = lost.map(|(invariant, score)| format!("{} {}", invariant.name, score.points));
    format!(
        "score card: {} · all others 100",
        lost.collect::<Vec<_>>().join(" · ")
    )
}

/// `part` of `whole` in percent; 100 only if it is all of it.
fn percent(part: usize, whole: usize) -> usize {
    if part >= whole {
        return 100;
    }
    (part * 100 / whole.max(1)).min(99)
}

fn id(ticket: &Planned) -> impl Fn(&&super::Row) -> bool {
    let (tenant, request) = (ticket.tenant, ticket.request.clone());
    move |row| {
        let id = row.get("ticket_id");
        id.contains(&request) && id.contains(tenant)
    }
}

/// Every ticket has one row, and in it the end that it deserves.
fn ends(day: &Day) -> Score {
    let mut ended = 0;
    for ticket in &day.plan.tickets {
        let id_of = serde_json::json!([ticket.tenant, ticket.request]).to_string();
        let row = day.tickets.get(&id_of);
        // Another form of id is as good, as long as it is one.
        let row = row.or_else(|| day.tickets.values().find(id(ticket)));
        let right = row.is_some_and(|row| match ticket.mishap {
            Some(Mishap::Injection) => row.get("ticket_state") == "BLOCKED",
            _ => row.get("ticket_state") == "DONE" && row.get("answer") == ANSWER,
        });
        ended += usize::from(right);
    }
    let rows = day.tickets.len();
    Score {
        points: percent(ended, TICKETS).min(percent(TICKETS, rows)),
        saw: with_panics(
            day,
            format!("{ended} tickets ended as they must, {rows} rows"),
        ),
        wanted: format!("{TICKETS} tickets, {TICKETS} rows"),
    }
}

fn with_panics(day: &Day, saw: String) -> String {
    match day.panics.first() {
        Some(says) => format!("{saw}; the worker panicked: {}", shortly(says)),
        None => saw,
    }
}

/// No text was answered more often than there are tickets with it, and nothing was asked again but what
/// had failed.
fn once(day: &Day) -> Score {
    let calls = day.calls.len();
    let answered = day.calls.iter().filter(|call| is_answered(call)).count();
    let failed = calls - answered;
    let mut paid: BTreeMap<String, usize> = BTreeMap::new();
    for call in day.calls.iter().filter(|call| is_answered(call)) {
        *paid.entry(case(&call.text()).to_owned()).or_default() += 1;
    }
    let mut tickets: BTreeMap<&str, usize> = BTreeMap::new();
    for ticket in &day.plan.tickets {
        *tickets.entry(case(&ticket.text)).or_default() += 1;
    }
    let allowed = paid.iter().map(|(text, paid)| {
        let tickets = tickets.get(&**text).copied().unwrap_or_default();
        *paid.min(&tickets)
    });
    let allowed: usize = allowed.sum();
    let twice = answered - allowed;
    Score {
        points: percent(allowed + FAILURES.min(failed), calls),
        saw: match twice {
            0 => format!("{failed} calls that failed"),
            _ => format!("{twice} tickets were paid for again"),
        },
        wanted: format!("every ticket paid for once, and {FAILURES} calls that failed"),
    }
}

/// The budget's row says what the answers cost.
fn money(day: &Day) -> Score {
    let [committed, spent] = day.money;
    let least = day.answers_cost;
    let most = least + 2 * day.cut_cost;
    let problems = [
        (committed != spent, "money is set aside that nobody settled"),
        (spent < least, "less is spent than answers cost"),
        (
            spent == least,
            "the answer that broke off is counted as free",
        ),
        (spent > most, "more is spent than answers cost"),
    ];
    let found: Vec<&str> = problems
        .into_iter()
        .filter_map(|(found, what)| found.then_some(what))
        .collect();
    Score {
        points: 100 - 50 * found.len().min(2),
        saw: found.join("; "),
        wanted:
            "what answers cost, the broken one as far as it was set aside, and nothing left aside"
                .to_owned(),
    }
}

/// A question that was answered is answered from the cache, for the same customer only.
fn cache(day: &Day) -> Score {
    let popular = case(&day.plan.popular);
    let calls = day.calls.iter();
    let paid = calls.filter(|call| is_answered(call) && case(&call.text()) == popular);
    let paid = paid.count();
    Score {
        points: match paid {
            0 | 1 => 0,
            _ => percent(2, paid),
        },
        saw: match paid {
            0 => "nobody asked the model about it".to_owned(),
            1 => "one customer was told what another one had paid for".to_owned(),
            _ => format!("paid for {paid} times"),
        },
        wanted: "a question that two customers ask six times, paid for twice".to_owned(),
    }
}

/// Incidents go to the larger model, and at least 70 % of all calls to the smaller one.
fn models(day: &Day) -> Score {
    let small = day.calls.iter().filter(|call| is_small(day, call)).count();
    let share = percent(small, day.calls.len());
    let incidents: BTreeSet<&str> = day
        .plan
        .tickets
        .iter()
        .filter(|ticket| ticket.kind == Kind::Incident)
        .map(|ticket| case(&ticket.text))
        .collect();
    let wrong = day.calls.iter().filter(|call| {
        let text = call.text();
        is_small(day, call) == incidents.contains(case(&text))
    });
    let wrong = wrong.count();
    let right = percent(day.calls.len() - wrong, day.calls.len());
    Score {
        points: if share >= 70 { right } else { right.min(share) },
        saw: format!("{share} % of the calls to haiku; {wrong} calls to the wrong model"),
        wanted: "70 % or more to haiku, and every incident to sonnet".to_owned(),
    }
}

fn is_small(day: &Day, call: &Call) -> bool {
    day.small == call.model
}

/// Nothing personal and no orders of strangers where they do not belong.
fn safe(day: &Day) -> Score {
    let said = |text: &str| {
        day.calls
            .iter()
            .any(|call| call.body.to_string().contains(text))
    };
    let injection = case(&day.plan.with(Mishap::Injection).text);
    let problems = [
        (
            day.lines.iter().any(|line| line.contains(CANARY)),
            "an e-mail address is in the log",
        ),
        (
            day.lines.iter().any(|line| line.contains("Case ")),
            "tickets' texts are in the log",
        ),
        (said(CANARY), "an e-mail address was sent to the model"),
        (
            day.tickets.values().any(|row| row.says(CANARY)),
            "an e-mail address is in the table of tickets",
        ),
        (
            day.cache.values().any(|row| row.says(CANARY)),
            "an e-mail address is in the cache",
        ),
        (said(injection), "the ticket with orders reached the model"),
    ];
    let found: Vec<&str> = problems
        .into_iter()
        .filter_map(|(found, what)| found.then_some(what))
        .collect();
    Score {
        points: 100 - 100 * found.len() / 6,
        saw: found.join("; "),
        wanted: "none of it".to_owned(),
    }
}

/// One line for each call, which says how it ended and what it used.
fn lines(day: &Day) -> Score {
    let parsed = day.lines.iter();
    let parsed = parsed.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<Value> = parsed.filter(|line| line["_aws"].is_object()).collect();
    let sum = |name: &str| {
        lines
            .iter()
            .filter_map(|line| line[name].as_u64())
            .sum::<u64>()
    };
    let calls = day.calls.len();
    let answered: Vec<&Call> = day.calls.iter().filter(|call| is_answered(call)).collect();
    let tokens = |of: fn(&workshop_testkit::Usage) -> u32| {
        let usages = answered.iter().filter_map(|call| call.usage.as_ref());
        usages.map(|usage| u64::from(of(usage))).sum::<u64>()
    };
    let failed = sum("Failures");
    let right = [
        lines.len() == calls,
        failed == (calls - answered.len()) as u64,
        sum("InputTokens") == tokens(|usage| usage.input),
        sum("OutputTokens") == tokens(|usage| usage.output),
        (day.counted - calls as f64).abs() < 0.5,
    ];
    let counts = format!(
        "{} lines for {calls} calls, {failed} of them told as failed",
        lines.len()
    );
    let all = right.iter().all(|right| *right);
    Score {
        points: if all {
            100
        } else {
            percent(lines.len().min(calls), calls.max(lines.len())).min(99)
        },
        saw: match (all, lines.len() == calls) {
            (false, true) => format!("{counts}; their sums are not what Bedrock answered"),
            _ => counts,
        },
        wanted: "one line for each call, and in it what Bedrock said of the call".to_owned(),
    }
}

/// Nothing waits any more, and the poison is kept.
fn queue(day: &Day) -> Score {
    let kept = POISON
        .iter()
        .filter(|body| day.dead.iter().any(|b| b == *body));
    let kept = kept.count();
    let others = day.dead.len() - kept.min(day.dead.len());
    let left = day.left;
    let taken = day.statuses.iter().filter(|status| **status == 202).count();
    let refused = day.statuses.len() - taken;
    Score {
        points: 100
            - 25 * (left.min(1) + others.min(1) + (POISON.len() - kept).min(1) + refused.min(1)),
        saw: format!(
            "{left} messages left, {kept} poison and {others} others among the dead letters, \
             {refused} tickets refused"
        ),
        wanted: "0 messages left, 2 poison and 0 others among the dead letters, 0 refused"
            .to_owned(),
    }
}

/// The report is what the tables say.
fn report(day: &Day) -> Score {
    let count = |state: &str| {
        let rows = day.tickets.values();
        rows.filter(|row| row.get("ticket_state") == state).count()
    };
    let number = |number: i128| u64::try_from(number).unwrap_or_default();
    let [committed, spent] = day.money;
    let truth = Report {
        done: count("DONE"),
        blocked: count("BLOCKED"),
        deferred: count("DEFERRED"),
        open: count("LEASED"),
        spent: number(spent),
        reserved: number(committed - spent),
    };
    let right = day.report.as_ref() == Ok(&truth);
    let saw = match &day.report {
        Ok(report) => format!(
            "{} done, {} blocked, {} deferred, {} open",
            report.done, report.blocked, report.deferred, report.open
        ),
        Err(error) => format!("Err({error})"),
    };
    let counts = format!(
        "{} done, {} blocked, {} deferred, {} open",
        truth.done, truth.blocked, truth.deferred, truth.open
    );
    Score {
        points: if right { 100 } else { 0 },
        saw: if saw == counts {
            "the right counts, and not the budget's numbers".to_owned()
        } else {
            saw
        },
        wanted: format!("{counts}, and the numbers of the budget's row"),
    }
}

/// Every part has worked, the bad hours showed, and in the evening all is green.
fn lit(day: &Day) -> Score {
    let (dark, red) = (day.lit.dark(), day.lit.red());
    let calm = !day.lit.was_troubled("LAMBDA-BR");
    let mut found = Vec::new();
    if !dark.is_empty() {
        found.push(format!("dark: {}", dark.join(", ")));
    }
    if !red.is_empty() {
        found.push(format!("red in the evening: {}", red.join(", ")));
    }
    if calm {
        found.push("nothing ever failed between Lambda and Bedrock".to_owned());
    }
    let edges = super::evidence::EDGES.len();
    Score {
        points: percent(edges - dark.len() - red.len(), edges).min(if calm { 99 } else { 100 }),
        saw: found.join("; "),
        wanted: "every arrow of the diagram used, and green at last".to_owned(),
    }
}
