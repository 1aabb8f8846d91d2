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

use aws_sdk_bedrockruntime::{
    Client,
    config::retry::RetryConfig,
    types::{
        ContentBlock, ConversationRole, ConverseOutput, ConverseTokensRequest, CountTokensInput,
        Message, TokenUsage, Tool, ToolConfiguration, ToolInputSchema, ToolResultBlock,
        ToolResultContentBlock, ToolResultStatus, ToolSpecification,
    },
};
use post_snippets::{
    cost::{Budget, MicroUsd, Price, ask_within},
    direct::{ask, stream},
    metrics::{CallRecord, emf},
    policy::{Grant, app_policy},
    queue::{Lease, Outcome, Table, Unavailable, Worker, consume},
    retry::{Policy, Verdict, classify, with_backoff},
};
use serde_json::{Value, json};
use workshop_testkit::{Call, Document, Fault, Lab, Model, Piece, Setup, Step, Usage, models};

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

/// The regions that the profile of `region`'s geography may route to.
fn destinations(profile: &str, region: &str) -> Vec<String> {
    let prefix = profile.split('.').next().unwrap();
    let geography = models().geography(prefix).unwrap();
    let regions = geography.destinations_from(region);
    regions.into_iter().map(str::to_owned).collect()
}

/// What IAM was asked about, in words.
fn resource(message: &str, own: &str) -> String {
    let arn = message
        .split("on resource: ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .unwrap_or_default();
    let region = arn.split(':').nth(3).unwrap_or_default();
    match arn.split_once('/') {
        _ if arn.contains(":foundation-model/") => format!("the model in {region}"),
        Some((_, id)) if id == own => format!("the profile in {region}"),
        _ => "another profile".to_owned(),
    }
}

#[derive(Clone, Copy)]
enum Sends {
    Converse,
    Stream,
    Count,
}

#[tokio::test]
async fn what_a_policy_lets_through() {
    let lab = Lab::start().await;
    let (profile, model) = (lab.profile("haiku"), lab.model("haiku").id.clone());
    let other = lab.profile("sonnet");
    let global = format!("global.{model}");
    let regions = destinations(&profile, "us-east-1");
    let all: Vec<&str> = regions.iter().map(String::as_str).collect();
    let grant = |destinations| Grant {
        region: "us-east-1",
        account: "123456789012",
        profile: &profile,
        model: &model,
        destinations,
    };
    let whole = app_policy(&grant(&all));
    let home = app_policy(&grant(&all[..1]));
    let alone = json!({"Version": "2012-10-17", "Statement": [whole["Statement"][0]]});
    let with_action = |actions: Value| {
        let mut policy = whole.clone();
        for statement in policy["Statement"].as_array_mut().unwrap() {
            statement["Action"] = actions.clone();
        }
        policy
    };
    let (is, counts, streams) = (Sends::Converse, Sends::Count, Sends::Stream);
    let rows = [
        (
            "the policy above",
            &whole,
            "Converse, the profile",
            is,
            &profile,
            "us-east-1",
        ),
        (
            "the policy above",
            &whole,
            "ConverseStream, the profile",
            streams,
            &profile,
            "us-east-1",
        ),
        (
            "the policy above",
            &whole,
            "Converse, the model itself",
            is,
            &model,
            "us-east-1",
        ),
        (
            "the policy above",
            &whole,
            "Converse, the `global` profile of the model",
            is,
            &global,
            "us-east-1",
        ),
        (
            "the policy above",
            &whole,
            "Converse, another model's profile",
            is,
            &other,
            "us-east-1",
        ),
        (
            "the policy above",
            &whole,
            "Converse, the profile, from another region",
            is,
            &profile,
            "us-west-2",
        ),
        (
            "the policy above",
            &whole,
            "CountTokens, the model",
            counts,
            &model,
            "us-east-1",
        ),
        (
            "its first statement alone",
            &alone,
            "Converse, the profile",
            is,
            &profile,
            "us-east-1",
        ),
        (
            "models of one region only",
            &home,
            "Converse, the profile",
            is,
            &profile,
            "us-east-1",
        ),
        (
            "without the streaming action",
            &with_action(json!("bedrock:InvokeModel")),
            "ConverseStream, the profile",
            streams,
            &profile,
            "us-east-1",
        ),
        (
            "actions named `bedrock-runtime:…`",
            &with_action(json!(["bedrock-runtime:InvokeModel"])),
            "Converse, the profile",
            is,
            &profile,
            "us-east-1",
        ),
        (
            "actions named `bedrock:Converse`",
            &with_action(json!(["bedrock:Converse", "bedrock:ConverseStream"])),
            "Converse, the profile",
            is,
            &profile,
            "us-east-1",
        ),
    ];
    let mut text = String::from("| policy | request | IAM | about |\n|---|---|---|---|\n");
    for (name, policy, request, sends, id, region) in rows {
        let lab = Lab::with(Setup {
            policies: vec![policy.clone()],
            region: Some(region.to_owned()),
            ..Setup::default()
        })
        .await;
        let client = lab.client();
        match sends {
            Sends::Converse => drop(ask(&client, id, "?", 50).await),
            Sends::Stream => drop(stream(&client, id, "?", 50, &mut |_| {}).await),
            Sends::Count => {
                let input = CountTokensInput::Converse(
                    ConverseTokensRequest::builder()
                        .messages(
                            Message::builder()
                                .role(ConversationRole::User)
                                .content(ContentBlock::Text("?".to_owned()))
                                .build()
                                .unwrap(),
                        )
                        .build(),
                );
                drop(client.count_tokens().model_id(id).input(input).send().await);
            }
        }
        let call = &lab.calls()[0];
        let (says, about) = match call.status {
            200 => ("allows", String::new()),
            403 => (
                "**denies**",
                resource(call.message.as_deref().unwrap_or_default(), &profile),
            ),
            status => panic!("{request}: {status} {:?}", call.message),
        };
        let _ = writeln!(text, "| {name} | {request} | {says} | {about} |");
    }
    kept_in("least-privilege-for-claude.md", "decisions", &text);
}

#[test]
fn what_a_loop_costs() {
    let model = tier("sonnet");
    let (begin, turn, output) = (4_000_u32, 800_u32, 200_u32);
    let mut text = format!(
        "system prompt, tools and question: 4,000 tokens; each turn adds 800; 200 tokens of output a turn\n\
         prices of {} in the catalogue, as of {}\n\n\
         turns   input tokens sent   without a cache point   with one behind each turn\n",
        model.name,
        models().as_of
    );
    for turns in [1_u32, 3, 10, 30] {
        let (mut sent, mut plain, mut cached) = (0_u64, 0, 0);
        for n in 0..turns {
            let input = begin + n * turn;
            sent += u64::from(input);
            let all = Usage {
                input,
                output,
                ..Usage::default()
            };
            plain += cost(model, all, 1);
            let new = if n == 0 { begin } else { turn };
            let read = Usage {
                cache_read: input - new,
                cache_write_5m: new,
                output,
                ..Usage::default()
            };
            cached += cost(model, read, 1);
        }
        let _ = writeln!(
            text,
            "{turns:<8}{sent:<20}{:<24}{}",
            dollars(plain),
            dollars(cached)
        );
    }
    kept("turns.txt", &text);
}

/// Two tools at once, and one of them fails.
#[tokio::test]
async fn the_second_request_of_a_tool_loop() {
    let lab = Lab::start().await;
    lab.script([
        Step::Say(vec![
            Piece::Text("I will look at both.".into()),
            Piece::ToolUse {
                name: "read_file".into(),
                input: json!({"path": "docs/plan.md"}),
            },
            Piece::ToolUse {
                name: "read_file".into(),
                input: json!({"path": "../../etc/passwd"}),
            },
        ]),
        Step::text("The plan has three steps."),
    ]);
    let (client, profile) = (lab.client(), lab.profile("haiku"));
    let schema =
        Document::Object([("type".to_owned(), Document::String("object".to_owned()))].into());
    let tools = ToolConfiguration::builder()
        .tools(Tool::ToolSpec(
            ToolSpecification::builder()
                .name("read_file")
                .description("Reads a text file of the project.")
                .input_schema(ToolInputSchema::Json(schema))
                .build()
                .unwrap(),
        ))
        .build()
        .unwrap();
    let message = |role, blocks| {
        Message::builder()
            .role(role)
            .set_content(Some(blocks))
            .build()
            .unwrap()
    };
    let question = ContentBlock::Text("What does the plan say?".to_owned());
    let mut messages = vec![message(ConversationRole::User, vec![question])];
    loop {
        let answer = client
            .converse()
            .model_id(&profile)
            .set_messages(Some(messages.clone()))
            .tool_config(tools.clone())
            .send()
            .await
            .unwrap();
        let Some(ConverseOutput::Message(said)) = answer.output else {
            panic!("no message");
        };
        let asked = said.content.clone();
        messages.push(said);
        let results: Vec<ContentBlock> = asked
            .iter()
            .filter_map(|block| block.as_tool_use().ok())
            .enumerate()
            .map(|(n, tool)| {
                let (status, words) = match n {
                    0 => (
                        ToolResultStatus::Success,
                        "1. Count. 2. Cut. 3. Count again.",
                    ),
                    _ => (
                        ToolResultStatus::Error,
                        "The path leads out of the project.",
                    ),
                };
                let result = ToolResultBlock::builder()
                    .tool_use_id(&tool.tool_use_id)
                    .status(status)
                    .content(ToolResultContentBlock::Text(words.to_owned()))
                    .build();
                ContentBlock::ToolResult(result.unwrap())
            })
            .collect();
        if results.is_empty() {
            break;
        }
        messages.push(message(ConversationRole::User, results));
    }
    let calls = lab.calls();
    assert_eq!(calls.len(), 2);
    let mut shown = calls[1].body["messages"].clone();
    // Ids are the emulator's, and new in every run.
    for (n, id) in ["tooluse_1", "tooluse_2"].into_iter().enumerate() {
        let asked = &mut shown[1]["content"][n + 1]["toolUse"]["toolUseId"];
        let given = asked.as_str().unwrap().to_owned();
        *asked = id.into();
        let answered = &mut shown[2]["content"][n]["toolResult"]["toolUseId"];
        assert_eq!(answered.as_str(), Some(given.as_str()));
        *answered = id.into();
    }
    kept("tool-results.json", &format!("{shown:#}"));
}

/// A pipeline has no long-lived key, runs no stranger's code with rights, and pins what it uses.
#[test]
fn the_workflow_that_is_shown_keeps_its_own_rules() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../posts/ci-cd-with-claude-code.md"
    );
    let post = std::fs::read_to_string(path).unwrap();
    let yaml = post.split("```yaml\n").nth(1).unwrap();
    let yaml = yaml.split("```").next().unwrap();
    let mut used = 0;
    for line in yaml.lines() {
        if let Some((_, action)) = line.split_once("uses: ") {
            let commit = action.split_once('@').unwrap().1.split(' ').next().unwrap();
            assert_eq!(commit.len(), 40, "{line}");
            assert!(commit.bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
            used += 1;
        }
        if let Some((_, command)) = line.split_once("run: ") {
            assert!(!command.contains("${{"), "{line}");
        }
    }
    assert_eq!(used, 2);
    for absent in ["pull_request_target", "AWS_SECRET_ACCESS_KEY", "write-all"] {
        assert!(!yaml.contains(absent), "{absent}");
    }
    for present in [
        "id-token: write",
        "timeout-minutes",
        "concurrency",
        "role-to-assume",
    ] {
        assert!(yaml.contains(present), "{present}");
    }
}
