//! The figures of the posts: measured against the emulator, or computed with the code that is shown.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_bedrockruntime::{Client, config::retry::RetryConfig, types::TokenUsage};
use post_snippets::{
    cost::{Budget, MicroUsd, Price, ask_within},
    direct::ask,
    metrics::{CallRecord, emf},
    queue::{Lease, Outcome, Table, Unavailable, Worker, consume},
    retry::{Policy, Verdict, classify, with_backoff},
};
use serde_json::{Value, json};
use workshop_testkit::{Call, Fault, Lab, Model, Piece, Step, Usage, models};

use crate::kept::{kept, kept_in};

fn throttling() -> Step {
    Step::Fault(Fault::Throttling {
        retry_after_ms: None,
    })
}

/// A table in memory: one row for each job, who may work on it, and whether it is done.
#[derive(Default)]
struct Rows(Mutex<BTreeMap<String, bool>>);

impl Table for Rows {
    async fn submit(&self, id: &str, _prompt: &str) -> Result<(), Unavailable> {
        self.0.lock().unwrap().entry(id.to_owned()).or_default();
        Ok(())
    }

    async fn lease(&self, id: &str, _now: u64, _until: u64) -> Result<Lease, Unavailable> {
        Ok(match self.0.lock().unwrap().get(id) {
            Some(true) => Lease::Closed,
            Some(false) => Lease::Taken {
                prompt: id.to_owned(),
            },
            None => Lease::Unknown,
        })
    }

    async fn finish(&self, id: &str, _lease: u64, outcome: Outcome) -> Result<(), Unavailable> {
        let done = outcome != Outcome::Open;
        self.0.lock().unwrap().insert(id.to_owned(), done);
        Ok(())
    }
}

fn batch(ids: &[String]) -> Value {
    let records = ids
        .iter()
        .map(|id| json!({"messageId": id, "body": json!({"jobId": id}).to_string()}));
    json!({"Records": records.collect::<Vec<_>>()})
}

fn paid(calls: &[Call]) -> usize {
    calls.iter().filter(|call| call.status == 200).count()
}

#[tokio::test]
async fn a_batch_in_which_one_job_is_throttled() {
    let jobs: Vec<String> = (1..=10).map(|n| format!("job-{n:02}")).collect();
    let fault_for = |delivery: usize, job: usize| job == 4 && delivery < 2;
    let mut text = String::from(
        "                      the loop that throws      lease and partial response\n",
    );

    let (naive, careful) = (Lab::start().await, Lab::start().await);
    let rows = Rows::default();
    for id in &jobs {
        rows.submit(id, id).await.unwrap();
    }
    let worker = Arc::new(Worker {
        client: careful.client(),
        model: careful.profile("haiku"),
        max_tokens: 50,
        table: rows,
        clock: || 0,
        lease: 60,
        parallel: 1,
    });
    let mut waiting = jobs.clone();
    for delivery in 0..3 {
        let before = (naive.calls().len(), careful.calls().len());
        for (job, id) in jobs.iter().enumerate() {
            naive.script([if fault_for(delivery, job) {
                throttling()
            } else {
                Step::text("done")
            }]);
            let answer = ask(&naive.client(), &naive.profile("haiku"), id, 50).await;
            if answer.is_err() {
                break;
            }
        }
        for job in &waiting {
            let job = jobs.iter().position(|id| id == job).unwrap();
            careful.script([if fault_for(delivery, job) {
                throttling()
            } else {
                Step::text("done")
            }]);
        }
        let answer = consume(worker.clone(), &batch(&waiting)).await.unwrap();
        let again = answer["batchItemFailures"].as_array().unwrap();
        waiting = again
            .iter()
            .map(|one| one["itemIdentifier"].as_str().unwrap().to_owned())
            .collect();
        let row = |calls: Vec<Call>, before: usize| {
            let calls = &calls[before..];
            format!("{:>2} calls, {:>2} answers paid", calls.len(), paid(calls))
        };
        let _ = writeln!(
            text,
            "delivery {}            {:<26}{}",
            delivery + 1,
            row(naive.calls(), before.0),
            row(careful.calls(), before.1)
        );
    }
    assert_eq!(waiting, [""; 0]);
    let (naive, careful) = (paid(&naive.calls()), paid(&careful.calls()));
    let _ = writeln!(text, "answers paid in all   {naive:<26}{careful}");
    assert_eq!((naive, careful), (18, 10));
    kept("redelivery.txt", &text);
}

/// Requests that arrive for one call, while Bedrock throttles everything.
async fn requests(sdk_attempts: u32, loop_attempts: u32) -> usize {
    let lab = Lab::start().await;
    lab.script((0..20).map(|_| throttling()));
    let client: Client = lab.client_with(|config| {
        config.retry_config(
            RetryConfig::standard()
                .with_max_attempts(sdk_attempts)
                .with_initial_backoff(Duration::from_millis(1)),
        )
    });
    let profile = lab.profile("haiku");
    let policy = Policy {
        max_attempts: loop_attempts,
        base: Duration::ZERO,
        cap: Duration::ZERO,
        deadline: Duration::from_mins(1),
    };
    let sorted = |error: &post_snippets::direct::AskError| match error {
        post_snippets::direct::AskError::Sdk(e) => classify(e),
        _ => Verdict::Permanent,
    };
    let answer = with_backoff(&policy, || 0.0, sorted, || ask(&client, &profile, "?", 50)).await;
    assert!(answer.is_err());
    lab.calls().len()
}

#[tokio::test]
async fn two_layers_multiply() {
    let mut text =
        String::from("the loop's attempts   the SDK's attempts   requests that arrived\n");
    for (own, sdk) in [(1, 3), (3, 1), (3, 3)] {
        let arrived = requests(sdk, own).await;
        assert_eq!(arrived, usize::try_from(own * sdk).unwrap());
        let _ = writeln!(text, "{own:<21} {sdk:<20} {arrived}");
    }
    kept("nine-calls.txt", &text);
}

/// Clients that are all throttled in the same instant, and what they do about it.
struct Herd {
    /// Requests by the second in which they arrive.
    arrivals: BTreeMap<u64, u32>,
    served: u32,
    gave_up: u32,
}

const CLIENTS: usize = 1_000;
const SERVED_A_SECOND: u32 = 100;

fn herd(policy: Policy, mut random: impl FnMut() -> f64) -> Herd {
    let mut herd = Herd {
        arrivals: BTreeMap::new(),
        served: 0,
        gave_up: 0,
    };
    // When each client's next request arrives, and how many failed before it.
    let mut next: BTreeMap<(Duration, usize), u32> = (0..CLIENTS)
        .map(|client| ((Duration::ZERO, client), 0))
        .collect();
    let mut served: BTreeMap<u64, u32> = BTreeMap::new();
    while let Some(((at, client), failures)) = next.pop_first() {
        let second = at.as_secs();
        *herd.arrivals.entry(second).or_default() += 1;
        let so_far = served.entry(second).or_default();
        if *so_far < SERVED_A_SECOND {
            *so_far += 1;
            herd.served += 1;
            continue;
        }
        let verdict = Verdict::Throttled { hint: None };
        match policy.pause(failures + 1, at, verdict, random()) {
            Some(pause) => {
                next.insert((at + pause, client), failures + 1);
            }
            None => herd.gave_up += 1,
        }
    }
    herd
}

#[test]
fn clients_that_come_back_together_and_apart() {
    let policy = Policy {
        max_attempts: 7,
        base: Duration::from_secs(2),
        cap: Duration::from_secs(20),
        deadline: Duration::from_mins(2),
    };
    let mut state = 0x2545_f491_4f6c_dd1d_u64; // a fixed xorshift: the same herd in every run
    let random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX)
    };
    let (together, apart) = (herd(policy, || 1.0), herd(policy, random));
    let row = |herd: &Herd, second: u64| -> String {
        let arrived = herd.arrivals.get(&second).copied().unwrap_or_default();
        let bar = "#".repeat(usize::try_from(arrived.div_ceil(50)).unwrap());
        format!("{arrived:>5} {bar}")
    };
    let mut text = format!(
        "second   {:<28}{}\n",
        "doubled pauses", "the same with full jitter"
    );
    for second in 0..=30 {
        let line = format!(
            "{second:>6}   {:<28}{}",
            row(&together, second),
            row(&apart, second)
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let sum = |herd: &Herd| {
        let requests: u32 = herd.arrivals.values().sum();
        (
            requests,
            herd.served,
            herd.gave_up,
            herd.arrivals.keys().last().copied(),
        )
    };
    let (a, b) = (sum(&together), sum(&apart));
    assert!(a.1 < b.1 && a.2 > b.2, "{a:?} {b:?}");
    text.push('\n');
    for (name, together, apart) in [
        ("requests", a.0, b.0),
        ("served", a.1, b.1),
        ("gave up", a.2, b.2),
    ] {
        let _ = writeln!(text, "{name:<8} {together:<28}{apart}");
    }
    let last = |second: Option<u64>| format!("second {}", second.unwrap_or_default());
    let _ = writeln!(text, "last at  {:<28}{}", last(a.3), last(b.3));
    kept("herd.txt", &text);
}

/// US dollars, from micro-USD.
fn dollars(micro_usd: u64) -> String {
    format!(
        "{}.{:04}",
        micro_usd / 1_000_000,
        micro_usd % 1_000_000 / 100
    )
}

fn tier(alias: &str) -> &'static Model {
    models().by_alias(alias).unwrap()
}

fn cost(model: &Model, usage: Usage, times: u64) -> u64 {
    // Rounded once, at the end: a thousand calls are not a thousand roundings.
    let thousand = Usage {
        input: usage.input * 1_000,
        output: usage.output * 1_000,
        cache_read: usage.cache_read * 1_000,
        cache_write_5m: usage.cache_write_5m * 1_000,
        ..Usage::default()
    };
    let mut price = model.price;
    price.long_context = None;
    price.cost_micro_usd(thousand) * times / 1_000
}

#[test]
fn what_the_same_work_costs() {
    let mut text = format!(
        "prices of the catalogue, as of {}; global profile\n\n\
         a ticket: 2,000 tokens in, 300 out         one ticket     10,000 tickets\n",
        models().as_of
    );
    let ticket = Usage {
        input: 2_000,
        output: 300,
        ..Usage::default()
    };
    for alias in ["haiku", "sonnet", "opus"] {
        let model = tier(alias);
        let _ = writeln!(
            text,
            "{:<41}{:>12}{:>19}",
            model.name,
            dollars(cost(model, ticket, 1)),
            dollars(cost(model, ticket, 10_000))
        );
    }
    let model = tier("sonnet");
    let (input, output) = (
        Usage {
            input: 2_000,
            ..Usage::default()
        },
        Usage {
            output: 300,
            ..Usage::default()
        },
    );
    let _ = writeln!(
        text,
        "\nof a ticket on {}, input {}, output {}",
        model.name,
        dollars(cost(model, input, 1)),
        dollars(cost(model, output, 1))
    );

    let plain = Usage {
        input: 20_200,
        output: 300,
        ..Usage::default()
    };
    let written = Usage {
        input: 200,
        cache_write_5m: 20_000,
        output: 300,
        ..Usage::default()
    };
    let read = Usage {
        input: 200,
        cache_read: 20_000,
        output: 300,
        ..Usage::default()
    };
    let _ = writeln!(
        text,
        "\na handbook of 20,000 tokens and a question of 200, on {}\n\
         questions   without a cache point   with one (a single write, then reads)",
        model.name
    );
    for questions in [1_u64, 2, 10, 100] {
        let cached = cost(model, written, 1) + cost(model, read, questions - 1);
        let _ = writeln!(
            text,
            "{questions:<12}{:<24}{}",
            dollars(cost(model, plain, questions)),
            dollars(cached)
        );
    }
    kept("costs.txt", &text);
}

fn day(day: Option<impl ToString>) -> String {
    day.map_or_else(|| "–".to_owned(), |day| day.to_string())
}

#[test]
fn the_table_of_models_is_the_catalogues() {
    let today = models().as_of;
    let mut rows: Vec<&Model> = models()
        .models
        .iter()
        .filter(|model| model.provider == "anthropic")
        .collect();
    rows.sort_by_key(|model| std::cmp::Reverse((model.lifecycle.start, model.name.clone())));
    let mut text = String::from(
        "| model | since | legacy from | extended access from | end of life | on the catalogue's day |\n\
         |---|---|---|---|---|---|\n",
    );
    for model in rows {
        let life = model.lifecycle;
        let end = match life.eol {
            None if life.retired => "reached; no source names the day".to_owned(),
            eol => day(eol),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {end} | {} |",
            model.name,
            day(life.start),
            day(life.legacy),
            day(life.extended),
            models().state(model, today)
        );
    }
    let _ = writeln!(text, "\nThe catalogue's day is {today}.");
    kept_in("model-ids-are-dates.md", "models", &text);
}

#[test]
fn a_line_in_the_embedded_metric_format() {
    let record = CallRecord {
        model: "standard".to_owned(),
        operation: "Converse",
        duration_ms: 2_140,
        usage: Some(
            TokenUsage::builder()
                .input_tokens(1_912)
                .output_tokens(304)
                .total_tokens(2_216)
                .build()
                .unwrap(),
        ),
        error: None,
        request_id: Some("5f4d1a9e-0b7c-4c53-9e1e-3a1f5d1c7b20".to_owned()),
    };
    let line = emf(&record, 1_795_339_800_000);
    kept("emf-line.json", &format!("{line:#}"));
}

#[test]
fn what_an_average_hides() {
    // A thousand calls: most take about two seconds, one in fifteen waits for something.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 40
    };
    let mut calm: Vec<u64> = (0..1_000).map(|_| 1_200 + random() % 1_600).collect();
    let mut slow: Vec<u64> = calm
        .iter()
        .map(|ms| ms + if random() % 15 == 0 { 9_000 } else { 0 })
        .collect();
    let mut text =
        String::from("milliseconds of 1,000 calls   average   p50     p95      p99      maximum\n");
    for (name, calls) in [
        ("a good hour", &mut calm),
        ("one in fifteen is slow", &mut slow),
    ] {
        calls.sort_unstable();
        let average = calls.iter().sum::<u64>() / 1_000;
        let at = |percent: usize| calls[percent * 10 - 1];
        let _ = writeln!(
            text,
            "{name:<30}{average:<10}{:<8}{:<9}{:<9}{}",
            at(50),
            at(95),
            at(99),
            calls[999]
        );
    }
    kept("percentiles.txt", &text);
}

/// Ten tasks at once, and money for the worst case of three.
#[tokio::test]
async fn ten_tasks_and_money_for_three() {
    // A dollar for a million tokens in, five for a million out, and a thousand tokens of output each.
    let price = Price {
        input: 1_000,
        output: 5_000,
        cache_write: 1_250,
        cache_read: 100,
    };
    let (input, output) = (2_000, 1_000);
    let worst = price.worst_case(input.into(), output.into());
    let limit = MicroUsd(3 * worst.0);
    let answer = || {
        Step::Say(vec![
            Piece::Text("done".into()),
            Piece::Usage {
                input: 2_000,
                output: 1_000,
            },
        ])
    };

    let (check, reserve) = (Arc::new(Lab::start().await), Arc::new(Lab::start().await));
    for lab in [&check, &reserve] {
        lab.script((0..10).map(|_| answer()));
    }
    let spent = Arc::new(AtomicU64::new(0));
    let budget = Arc::new(Budget::new(limit));
    let mut tasks = Vec::new();
    for _ in 0..10 {
        let (lab, spent) = (check.clone(), spent.clone());
        tasks.push(tokio::spawn(async move {
            // Looks, and spends later: in between, nine others look.
            if spent.load(Ordering::Relaxed) + worst.0 <= limit.0 {
                let reply = ask(&lab.client(), &lab.profile("haiku"), "?", 1_000).await;
                spent.fetch_add(price.of(&reply.unwrap().usage).0, Ordering::Relaxed);
            }
        }));
        let (lab, budget) = (reserve.clone(), budget.clone());
        tasks.push(tokio::spawn(async move {
            let (client, model) = (lab.client(), lab.profile("haiku"));
            let _ = ask_within(&client, &budget, &price, &model, "?", input, output).await;
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let mut text = String::from("                      calls   spent\n");
    for (name, calls, spent) in [
        (
            "look, then call",
            check.calls().len(),
            spent.load(Ordering::Relaxed),
        ),
        (
            "reserve, then call",
            reserve.calls().len(),
            budget.committed().0,
        ),
    ] {
        let _ = writeln!(text, "{name:<22}{calls:<8}${}", dollars(spent));
    }
    let _ = writeln!(
        text,
        "\nlimit                         ${}",
        dollars(limit.0)
    );
    assert_eq!((check.calls().len(), reserve.calls().len()), (10, 3));
    kept("budget-race.txt", &text);
}
