//! What exercise 016 asks for. Read it: these tests are the exact form of the task.
//!
//! They look at the line that your code writes for each call and at what left your process (WIRE), at
//! what `CloudWatch` makes of lines and alarms (RESULT) and at what must not have happened (RESTRAINT).
//! Alarms are put with the SDK and evaluate themselves; the lab's clock makes an hour cost no time.
//! The last test starts this test program once more as a Lambda function.

#[path = "../examples/function.rs"]
mod function;

mod bench;

use std::{
    io,
    io::Write,
    mem, slice,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_bedrockruntime::types::TokenUsage;
use aws_sdk_cloudwatch::{
    primitives::DateTime,
    types::{MetricDatum, StatisticSet},
};
use bench::{
    LabClock, Metrics, OPERATION, Observed, Watch, app, died, observed, question, stands_at, taken,
};
use ex016::{CallRecord, NAMESPACE, Outcome, ask_observed, emf};
use workshop_testkit::{Fault, Hop, Piece, Point, Step, Value, function_or_test, json, within};
use workshop_testkit_aws::{
    AwsLab,
    aws_local::{Clock as _, lambda::Invocation},
};

/// 19 August 2026.
const NOW_MS: u64 = 1_787_150_074_000;

// ---- one call

/// How calls can end: in words, what Bedrock does, how `ask_observed` ends, and the line's `Outcome`.
fn endings() -> Vec<(&'static str, Step, &'static str, &'static str)> {
    let throttled = Fault::Throttling {
        retry_after_ms: None,
    };
    let never = Step::Say(vec![Piece::Gate("never".into())]);
    vec![
        ("an answer", Step::text("The Elbe."), "Ok", "ok"),
        (
            "a throttled call",
            Step::Fault(throttled),
            "Err(Sdk)",
            "throttled",
        ),
        (
            "a denied call",
            Step::Fault(Fault::AccessDenied),
            "Err(Sdk)",
            "failed",
        ),
        (
            "a cut connection",
            Step::Fault(Fault::Disconnect),
            "Err(Sdk)",
            "failed",
        ),
        (
            "an answer without text",
            Step::Say(Vec::new()),
            "Err(NoText)",
            "failed",
        ),
        ("a call that hangs", never, "Err(TimedOut)", "timed-out"),
    ]
}

/// A question that ends so.
async fn ended(lab: &AwsLab, step: Step, outcome: &str, point: &Point) -> Observed {
    lab.script([step]);
    let mut ask = question(lab);
    if outcome == "timed-out" {
        ask.timeout = Duration::from_millis(50);
    }
    observed(lab, ask, point).await
}

#[tokio::test]
async fn every_call_writes_one_line_however_it_ends() {
    const ONE_LINE: Point = Point::wire(
        "016/2",
        "a call that leaves no line is on no graph, and failed calls are those you look for; of two \
         lines every sum is double",
        "README.md \"The line\" · workshop hint 016 2",
    );
    const ENDED: Point = Point::wire(
        "016/3",
        "a line ends with a newline, or the next one makes both unreadable",
        "README.md \"The line\" · workshop hint 016 2",
    );
    const TELLS: Point = Point::wire(
        "016/4",
        "who reads the line wants to know how the call ended, and how to find it at AWS",
        "README.md \"The line\" · workshop hint 016 3",
    );
    for (what, step, ending, outcome) in endings() {
        let lab = AwsLab::start().await;
        let seen = ended(&lab, step, outcome, &ONE_LINE).await;
        TELLS.equal(&format!("how {what} ends"), seen.ending(), ending);
        let lines = seen.text.lines().count();
        ONE_LINE.holds(
            &format!("lines of {what}"),
            lines == 1,
            match lines {
                0 => "none".to_owned(),
                _ => format!("{lines}: {}", seen.text.trim_end()),
            },
            "one",
        );
        ENDED.holds(
            &format!("the end of the line of {what}"),
            seen.text.ends_with('\n'),
            "no newline",
            "a newline",
        );
        let line = seen.line();
        TELLS.holds(
            &format!("the line of {what}"),
            line.is_object(),
            &seen.text,
            "a JSON object",
        );
        TELLS.equal(
            &format!("Outcome of {what}"),
            &line["Outcome"],
            &json!(outcome),
        );
        // Bedrock answered, so it gave the request an id.
        if !["a cut connection", "a call that hangs"].contains(&what) {
            let id = lab.calls().pop().map(|call| call.request_id);
            TELLS.equal(
                &format!("RequestId of {what}"),
                &line["RequestId"],
                &json!(id),
            );
        }
        TELLS.equal(
            &format!("UserHash of {what}"),
            &line["UserHash"],
            &json!("4e7a91"),
        );
    }
}

#[tokio::test]
async fn a_call_is_one_request() {
    const ONE_REQUEST: Point = Point::wire(
        "016/5",
        "PutMetricData in the path of an answer has its own latency, price, throttling and failures, \
         and the caller waits for all of them",
        "README.md \"The line\" · workshop hint 016 1",
    );
    let lab = AwsLab::start().await;
    lab.script([Step::text("The Elbe.")]);
    let seen = observed(&lab, question(&lab), &ONE_REQUEST).await;
    let calls = lab.calls().into_iter().map(|call| call.operation);
    ONE_REQUEST.equal(
        "operations called",
        calls.collect::<Vec<_>>(),
        vec!["Converse"],
    );
    let text = seen.answer.map(|reply| reply.text).unwrap_or_default();
    ONE_REQUEST.equal("text of the reply", text.as_str(), "The Elbe.");
}

// ---- the line

fn record(outcome: Outcome) -> CallRecord {
    let usage = TokenUsage::builder()
        .input_tokens(1_200)
        .output_tokens(340)
        .total_tokens(1_540)
        .build();
    CallRecord {
        model: "a-profile".into(),
        operation: OPERATION,
        duration_ms: 840,
        usage: (outcome == Outcome::Ok).then(|| usage.expect("all three are set")),
        outcome,
        request_id: Some("request-1".into()),
        user_hash: Some("4e7a91".into()),
    }
}

/// The names in a directive's `Metrics`, with their units, in the order of names.
fn named(line: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("no unit").to_owned();
    let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array();
    let metrics = metrics.into_iter().flatten();
    let mut named: Vec<_> = metrics
        .map(|m| (text(&m["Name"]), text(&m["Unit"])))
        .collect();
    named.sort();
    named
}

const ALWAYS: [(&str, &str); 3] = [
    ("DurationMs", "Milliseconds"),
    ("Failures", "Count"),
    ("Throttles", "Count"),
];
const TOKENS: [(&str, &str); 2] = [("InputTokens", "Count"), ("OutputTokens", "Count")];

#[test]
fn the_line_is_in_the_embedded_metric_format() {
    const FORM: Point = Point::result(
        "016/6",
        "CloudWatch tells nobody that it could not read a line; the graph just stays empty",
        "README.md \"The line\" · workshop hint 016 3",
    );
    const TIME: Point = Point::result(
        "016/7",
        "seconds where milliseconds belong are a day in January 1970, and data that old are dropped",
        "README.md \"The line\" · workshop hint 016 3",
    );
    let line = emf(&record(Outcome::Ok), NOW_MS);
    TIME.equal("_aws.Timestamp", &line["_aws"]["Timestamp"], &json!(NOW_MS));
    let directives = &line["_aws"]["CloudWatchMetrics"];
    FORM.holds(
        "_aws.CloudWatchMetrics",
        directives.as_array().map(Vec::len) == Some(1),
        directives,
        "a list of one directive",
    );
    FORM.equal("Namespace", &directives[0]["Namespace"], &json!(NAMESPACE));
    let mut known: Vec<_> = ALWAYS.into_iter().chain(TOKENS).collect();
    known.sort_unstable();
    for (name, unit) in named(&line) {
        let wanted = known.iter().find(|(known, _)| *known == name);
        if let Some((_, wanted)) = wanted {
            FORM.equal(&format!("Unit of {name}"), unit.as_str(), *wanted);
        }
        FORM.holds(
            &format!("the value of {name}"),
            line[&name].is_number(),
            &line[&name],
            "a number at the root of the document",
        );
    }
    for (name, _) in ALWAYS {
        let names = named(&line).into_iter().map(|(name, _)| name);
        let names: Vec<_> = names.collect();
        let there = names.iter().any(|n| n == name);
        FORM.holds("Metrics", there, names.join(", "), name);
    }
    for dimension in ["Model", "Operation"] {
        FORM.holds(
            &format!("the value of the dimension {dimension}"),
            line[dimension].is_string(),
            &line[dimension],
            "a string at the root of the document",
        );
    }
}

#[test]
fn tokens_in_and_tokens_out_are_two_metrics() {
    const TWO: Point = Point::result(
        "016/8",
        "they have two prices, five to one or so: from their sum nobody can tell what was paid",
        "README.md \"The line\" · workshop hint 016 1",
    );
    let line = emf(&record(Outcome::Ok), NOW_MS);
    for (name, value) in [("InputTokens", 1_200), ("OutputTokens", 340)] {
        let there = named(&line).iter().any(|(known, _)| known == name);
        let names: Vec<_> = named(&line).into_iter().map(|(name, _)| name).collect();
        TWO.holds("Metrics", there, names.join(", "), name);
        TWO.equal(name, &line[name], &json!(value));
    }
}

#[test]
fn what_is_unique_to_a_call_is_no_dimension() {
    const FEW: Point = Point::result(
        "016/9",
        "each new value of a dimension is a new metric, and each metric has a monthly price",
        "README.md \"The line\" · workshop hint 016 1",
    );
    let line = emf(&record(Outcome::Ok), NOW_MS);
    let dimensions = &line["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
    FEW.equal("Dimensions", dimensions, &json!([["Model", "Operation"]]));
    for (name, value) in [("RequestId", "request-1"), ("UserHash", "4e7a91")] {
        let shown = format!("{name}, a member like any other, for log queries");
        FEW.equal(&shown, &line[name], &json!(value));
    }
}

#[test]
fn only_what_was_counted_is_a_number() {
    const NOT_COUNTED: Point = Point::result(
        "016/10",
        "a metric without a value spoils the line; a zero that nobody counted halves the average",
        "README.md \"The line\" · workshop hint 016 3",
    );
    const COUNTED: Point = Point::result(
        "016/11",
        "a zero says that a call went well; without it there is no rate of failures",
        "README.md \"The line\" · workshop hint 016 3",
    );
    for (outcome, failures, throttles) in [
        (Outcome::Ok, 0, 0),
        (Outcome::Throttled, 1, 1),
        (Outcome::TimedOut, 1, 0),
        (Outcome::Failed, 1, 0),
    ] {
        let line = emf(&record(outcome), NOW_MS);
        let of = outcome.name();
        COUNTED.equal(
            &format!("Failures, {of}"),
            &line["Failures"],
            &json!(failures),
        );
        COUNTED.equal(
            &format!("Throttles, {of}"),
            &line["Throttles"],
            &json!(throttles),
        );
        COUNTED.equal(
            &format!("DurationMs, {of}"),
            &line["DurationMs"],
            &json!(840),
        );
        if outcome == Outcome::Ok {
            continue;
        }
        let named = named(&line);
        for (name, _) in TOKENS {
            NOT_COUNTED.holds(
                &format!("{name} of a call without usage"),
                line.get(name).is_none() && named.iter().all(|(known, _)| known != name),
                &line,
                format!("no {name}, neither in Metrics nor at the root"),
            );
        }
    }
}

#[tokio::test]
async fn cloudwatch_makes_metrics_of_the_lines() {
    const READ: Point = Point::result(
        "016/12",
        "a line is worth what CloudWatch can make of it",
        "README.md \"The line\" · workshop hint 016 3",
    );
    const PAID: Point = Point::result(
        "016/13",
        "an answer that is of no use was paid for, too; what is missing here is missing on the bill's graph",
        "README.md \"What a call tells\" · workshop hint 016 2",
    );
    let lab = AwsLab::start().await;
    let mut paid = (0, 0);
    let mut lines = Vec::new();
    for (_, step, _, outcome) in endings() {
        let seen = ended(&lab, step, outcome, &READ).await;
        let call = lab.calls().pop().expect("a call");
        // Nobody took the answer that came too late.
        let usage = call.usage.filter(|_| outcome != "timed-out");
        paid.0 += usage.map_or(0, |usage| usage.input);
        paid.1 += usage.map_or(0, |usage| usage.output);
        lines.push(seen.text);
    }
    taken(&lab, &lines);

    let metrics = Metrics::of(&lab);
    READ.equal(
        "lines that CloudWatch could not read",
        metrics.broken().await,
        0.0,
    );
    let calls = metrics.of_calls("DurationMs").await;
    READ.equal("calls, as the sample count of DurationMs", calls.0, 6.0);
    for (name, sum) in [("Failures", 5.0), ("Throttles", 1.0)] {
        let found = metrics.of_calls(name).await;
        READ.equal(&format!("samples and sum of {name}"), found, (6.0, sum));
    }
    for (name, sum) in [("InputTokens", paid.0), ("OutputTokens", paid.1)] {
        let found = metrics.of_calls(name).await;
        PAID.equal(
            &format!("samples and sum of {name}"),
            found,
            (2.0, f64::from(sum)),
        );
    }
}

#[tokio::test]
async fn the_duration_is_that_of_the_call() {
    const DURATION: Point = Point::result(
        "016/14",
        "a duration that leaves out the wait, or is in another unit, sets an alarm that never rings",
        "README.md \"What a call tells\" · workshop hint 016 2",
    );
    const DATED: Point = Point::result(
        "016/29",
        "a line with another time is in another minute of the graph, or in none",
        "README.md \"The line\" · workshop hint 016 3",
    );
    let lab = AwsLab::with_one_clock().await;
    stands_at(&lab, NOW_MS);
    let clock = lab.clock().clone();
    lab.script([Step::Say(vec![
        Piece::Gate("840 ms later".into()),
        Piece::Text("The Elbe.".into()),
    ])]);
    let waits = async {
        lab.until(|calls| !calls.is_empty()).await;
        clock.advance(time::Duration::milliseconds(840));
        lab.open_gate("840 ms later");
    };
    let asked = async { tokio::join!(observed(&lab, question(&lab), &DURATION), waits) };
    let (seen, ()) = within(&DURATION, "ask_observed(…)", asked).await;
    let line = seen.line();
    DURATION.equal(
        "DurationMs of a call of 840 ms",
        &line["DurationMs"],
        &json!(840),
    );
    let at = &line["_aws"]["Timestamp"];
    DATED.holds(
        "_aws.Timestamp",
        at.as_u64()
            .is_some_and(|at| (NOW_MS..=NOW_MS + 840).contains(&at)),
        at,
        format!("a moment of the call, {NOW_MS} to {}", NOW_MS + 840),
    );
}

// ---- alarms

const NAMES: [&str; 4] = ["throttles", "p95-latency", "hourly-cost", "no-data"];

#[tokio::test]
async fn there_are_four_alarms_and_somebody_hears_them() {
    const FOUR: Point = Point::result(
        "016/15",
        "throttled, slow, expensive, silent: each goes wrong without the others",
        "README.md \"The alarms\" · workshop hint 016 3",
    );
    const HEARD: Point = Point::result(
        "016/16",
        "an alarm without an action changes its colour in a console that nobody looks at",
        "README.md \"The alarms\" · workshop hint 016 3",
    );
    let watch = Watch::start(&FOUR).await;
    let found = watch.cloudwatch.describe_alarms().send().await;
    let found = found.expect("CloudWatch tells its alarms");
    let mut names: Vec<_> = found
        .metric_alarms()
        .iter()
        .filter_map(|a| a.alarm_name())
        .collect();
    names.sort_unstable();
    let mut wanted = NAMES;
    wanted.sort_unstable();
    FOUR.equal("alarms", names, wanted.to_vec());
    for alarm in found.metric_alarms() {
        let name = alarm.alarm_name().unwrap_or_default();
        let what = format!("alarm actions of {name}");
        HEARD.equal(
            &what,
            alarm.alarm_actions(),
            slice::from_ref(&watch.params.topic),
        );
    }
}

#[tokio::test]
async fn silence_rings_one_bell() {
    const SILENT: Point = Point::result(
        "016/17",
        "a dead program fails no request, and whoever does not call counts nothing, not even a zero",
        "README.md \"The alarms\" · workshop hint 016 1",
    );
    const PAUSE: Point = Point::result(
        "016/18",
        "an alarm that rings at every lunch break is switched off before the day it is right",
        "README.md \"The alarms\" · workshop hint 016 2",
    );
    const CALM: Point = Point::result(
        "016/19",
        "no call is no throttled, no slow and no expensive call; by default its state would be \
         INSUFFICIENT_DATA, which is no answer",
        "README.md \"The alarms\" · workshop hint 016 2",
    );
    let watch = Watch::start(&SILENT).await;
    let calls: &[(f64, f64)] = &[(800.0, 20.0)];
    watch.each("DurationMs", &[calls; 10]).await;
    watch
        .rings("no-data", "OK", "ten busy minutes", &PAUSE)
        .await;
    watch.minutes(10);
    watch
        .rings("no-data", "OK", "ten minutes without a call", &PAUSE)
        .await;
    watch.each("DurationMs", &[calls]).await;
    watch
        .rings("no-data", "OK", "a call after that", &PAUSE)
        .await;
    watch.minutes(30);
    watch
        .rings("no-data", "ALARM", "half an hour without a call", &SILENT)
        .await;
    for name in ["throttles", "p95-latency", "hourly-cost"] {
        watch
            .rings(name, "OK", "half an hour without a call", &CALM)
            .await;
    }
    watch.each("DurationMs", &[calls]).await;
    watch
        .rings("no-data", "OK", "there is a call again", &SILENT)
        .await;
}

#[tokio::test]
async fn throttles_ring_in_three_of_five_minutes() {
    const OFTEN: Point = Point::result(
        "016/20",
        "throttling that comes back minute after minute is a quota that is too small",
        "README.md \"The alarms\" · workshop hint 016 2",
    );
    const ONCE: Point = Point::restraint(
        "016/21",
        "one bad minute is what retries are for; nobody can do anything about it at night",
        "README.md \"The alarms\" · workshop hint 016 2",
    );
    let watch = Watch::start(&OFTEN).await;
    // Each of a hundred calls says 0 or 1.
    let bad: &[(f64, f64)] = &[(0.0, 95.0), (1.0, 5.0)];
    let wild: &[(f64, f64)] = &[(0.0, 10.0), (1.0, 90.0)];
    let fair: &[(f64, f64)] = &[(0.0, 96.0), (1.0, 4.0)];
    watch
        .each("Throttles", &[fair, fair, fair, fair, fair])
        .await;
    let when = "4 throttled calls in each minute, where 5 are too many";
    watch.rings("throttles", "OK", when, &ONCE).await;
    watch.each("Throttles", &[wild]).await;
    watch
        .rings("throttles", "OK", "one bad minute of five", &ONCE)
        .await;
    watch.each("Throttles", &[fair, bad]).await;
    watch
        .rings("throttles", "OK", "two bad minutes of five", &ONCE)
        .await;
    watch.each("Throttles", &[fair, bad]).await;
    watch
        .rings("throttles", "ALARM", "three bad minutes of five", &OFTEN)
        .await;
    watch.each("Throttles", &[fair, fair]).await;
    watch
        .rings("throttles", "OK", "two good minutes later", &OFTEN)
        .await;
}

#[tokio::test]
async fn the_slowest_twentieth_rings() {
    const TAIL: Point = Point::result(
        "016/22",
        "one caller in ten waits nine seconds, and the average says one: users feel the tail",
        "README.md \"The alarms\" · workshop hint 016 1",
    );
    const FEW: Point = Point::restraint(
        "016/23",
        "among a hundred calls three are always slow; who is woken by them sleeps through the rest",
        "README.md \"The alarms\" · workshop hint 016 2",
    );
    let watch = Watch::start(&TAIL).await;
    let slow: &[(f64, f64)] = &[(200.0, 90.0), (9_000.0, 10.0)];
    let usual: &[(f64, f64)] = &[(200.0, 97.0), (9_000.0, 3.0)];
    watch.each("DurationMs", &[usual; 5]).await;
    let when = "3 of 100 calls take 9 s, where the slowest twentieth may take 4 s";
    watch.rings("p95-latency", "OK", when, &FEW).await;
    watch.each("DurationMs", &[slow, slow]).await;
    watch
        .rings("p95-latency", "OK", "two slow minutes of five", &FEW)
        .await;
    watch.each("DurationMs", &[usual, slow]).await;
    let when = "10 of 100 calls take 9 s in three minutes of five";
    watch.rings("p95-latency", "ALARM", when, &TAIL).await;
    watch.each("DurationMs", &[usual, usual]).await;
    watch
        .rings("p95-latency", "OK", "two usual minutes later", &TAIL)
        .await;
}

#[tokio::test]
async fn an_expensive_hour_rings() {
    const DEAR: Point = Point::result(
        "016/24",
        "a loop that asks again and again fails nowhere; money is the only thing that shows it, and \
         the bill comes a day later",
        "README.md \"The alarms\" · workshop hint 016 2",
    );
    let watch = Watch::start(&DEAR).await;
    // Of a hundred calls in each minute, in millions: 0.01 in and 0.001 out are 4.5 cents, 2.70 an
    // hour; 0.05 in and 0.01 out are 30 cents, 18 dollars an hour.
    let hour = async |input: f64, output: f64| {
        let now = watch.lab.clock().now().unix_timestamp();
        watch.minutes(60);
        for (name, sum) in [("InputTokens", input), ("OutputTokens", output)] {
            let data = (0..60).map(|minute| {
                let mean = sum / 100.0;
                let set = StatisticSet::builder()
                    .sample_count(100.0)
                    .sum(sum)
                    .minimum(mean)
                    .maximum(mean)
                    .build();
                MetricDatum::builder()
                    .metric_name(name)
                    .set_dimensions(Some(watch.params.dimensions()))
                    .timestamp(DateTime::from_secs(now + minute * 60))
                    .statistic_values(set)
                    .build()
            });
            watch.put(data.collect()).await;
        }
    };
    hour(10_000.0, 1_000.0).await;
    let when = "an hour for 2.70, where 10 is too much";
    watch.rings("hourly-cost", "OK", when, &DEAR).await;
    hour(50_000.0, 10_000.0).await;
    let when = "an hour for 18 dollars, 30 cents each minute";
    watch.rings("hourly-cost", "ALARM", when, &DEAR).await;
    hour(10_000.0, 1_000.0).await;
    watch
        .rings("hourly-cost", "OK", "a cheap hour later", &DEAR)
        .await;
    watch.minutes(61);
    watch
        .rings("hourly-cost", "OK", "an hour without a call", &DEAR)
        .await;
}

// ---- RESTRAINT: what the line must not do

const CANARY: &str = "PII-4711";

#[tokio::test]
async fn no_word_of_prompt_or_answer_is_in_the_line() {
    const SILENT: Point = Point::restraint(
        "016/25",
        "logs are read by more people than the database, and kept for years",
        "README.md \"What a call tells\" · workshop hint 016 1",
    );
    let lab = AwsLab::start().await;
    let quotes = Fault::Validation(format!("Malformed input: {CANARY}"));
    for (what, step) in [
        ("an answer", Step::text(format!("You wrote {CANARY}."))),
        ("an error that quotes the prompt", Step::Fault(quotes)),
    ] {
        lab.script([step]);
        let mut ask = question(&lab);
        ask.prompt = format!("My number is {CANARY}.");
        let seen = observed(&lab, ask, &SILENT).await;
        SILENT.holds(
            &format!("the line of {what}"),
            !seen.text.contains(CANARY),
            around(&seen.text),
            format!("nothing with {CANARY} in it"),
        );
    }
}

/// Where in a line the canary is.
fn around(line: &str) -> String {
    let Some(at) = line.find(CANARY) else {
        return String::new();
    };
    let from = line[..at]
        .char_indices()
        .nth_back(39)
        .map_or(0, |(at, _)| at);
    let to = line[at..]
        .char_indices()
        .nth(49)
        .map_or(line.len(), |(to, _)| at + to);
    format!("… {} …", &line[from..to])
}

/// A sink that takes nothing.
#[derive(Debug, Default)]
struct Full(Arc<Mutex<u32>>);

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        *self.0.lock().expect("nobody panics with it") += 1;
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[tokio::test]
async fn a_line_that_cannot_be_written_costs_no_answer() {
    const ANSWERED: Point = Point::restraint(
        "016/26",
        "the answer is there and paid for; a full disk under the log is no reason to lose it",
        "README.md \"What a call tells\" · workshop hint 016 2",
    );
    let lab = AwsLab::start().await;
    lab.script([Step::text("The Elbe.")]);
    let (app, ask) = (app(&lab), question(&lab));
    let clock = LabClock(lab.clock().clone());
    let call = tokio::spawn(async move {
        let mut sink = Full::default();
        let answer = ask_observed(&app, &ask, &mut sink, &clock).await;
        let tried = mem::take(&mut *sink.0.lock().expect("nobody panics with it"));
        (answer, tried)
    });
    let (answer, tried) = match within(&ANSWERED, "ask_observed(…)", call).await {
        Ok(ended) => ended,
        Err(panicked) => died(panicked, "a sink that fails", "the answer", &ANSWERED),
    };
    ANSWERED.holds("writes to the sink", tried > 0, tried, "one, at least");
    let text = answer.map(|reply| reply.text);
    ANSWERED.holds(
        "a sink that fails",
        matches!(&text, Ok(text) if text == "The Elbe."),
        format!("{text:?}"),
        "the answer",
    );
}

// ---- in Lambda

#[test]
fn in_lambda_a_line_becomes_metrics() {
    // In Lambda this program is the function.
    function_or_test(function::main, in_lambda());
}

async fn in_lambda() {
    const METRICS: Point = Point::result(
        "016/27",
        "in Lambda standard output is all it takes: no agent, no API, no permission",
        "README.md \"In Lambda\" · workshop hint 016 2",
    );
    const NOT_LOGGED: Point = Point::restraint(
        "016/28",
        "everything a function prints is in CloudWatch Logs, for everybody who may read logs",
        "README.md \"In Lambda\" · workshop hint 016 1",
    );
    let lab = AwsLab::start().await;
    let mut program = AwsLab::function("ask", "in_lambda_a_line_becomes_metrics");
    let model = ("MODEL_ID".to_owned(), lab.profile("haiku"));
    program.environment.extend([model]);
    let lambda = &lab.services().lambda;
    lambda.create(program).expect("Lambda takes the function");
    let throttled = Fault::Throttling {
        retry_after_ms: None,
    };
    lab.script([Step::text("The Elbe."), Step::Fault(throttled)]);

    let config = lab.emulator().config();
    let (account, region) = (config.account_id.clone(), config.region.clone());
    for _ in 0..2 {
        let event = json!({ "prompt": format!("My number is {CANARY}."), "user": "4e7a91" });
        let invocation = Invocation::new(event.to_string());
        let invoked = lambda.invoke(&account, &region, "ask", invocation);
        let invoked = within(&METRICS, "an invocation", invoked).await;
        let invoked = match invoked {
            Ok(invoked) => invoked,
            Err(error) => METRICS.fail("an invocation", error, "an answer"),
        };
        let log = invoked.log.iter().map(|line| line.message.as_str());
        let log: Vec<_> = log.collect();
        // The starter's own words are on the log.
        if let Some(line) = log.iter().find(|line| line.contains("016/1:")) {
            METRICS.fail("an invocation", line, "an answer");
        }
        let leaks = log.iter().filter(|line| line.contains(CANARY));
        let leaks = leaks.map(|line| around(line));
        let leaks = leaks.collect::<Vec<_>>().join("\n");
        NOT_LOGGED.holds(
            "lines of the log with the prompt in them",
            leaks.is_empty(),
            &leaks,
            "none",
        );
        if log.iter().any(|line| line.contains("\"_aws\"")) {
            lab.saw(hop("LAMBDA", "CW", "a line", &invoked.request_id));
        }
    }

    let metrics = Metrics::of(&lab);
    for (name, wanted) in [("DurationMs", None), ("Throttles", Some(1.0))] {
        let (samples, sum) = metrics.of_calls(name).await;
        METRICS.equal(&format!("samples of {name} after two calls"), samples, 2.0);
        if let Some(wanted) = wanted {
            METRICS.equal(&format!("sum of {name} after two calls"), sum, wanted);
        }
        lab.saw(hop("CW", "METRICS", name, "GetMetricStatistics"));
    }
}

fn hop<'a>(from: &'a str, to: &'a str, what: &'a str, request_id: &'a str) -> Hop<'a> {
    Hop {
        from,
        to,
        what,
        status: 200,
        request_id,
    }
}
