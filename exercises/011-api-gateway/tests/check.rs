//! What exercise 011 asks for. Read it: these tests are the exact form of the task.
//!
//! Most of them send the same requests twice: through your `Gate`, and over HTTP through Amazon API
//! Gateway as your `api` and `settings` configure it. Behind both stands the same function
//! (`examples/bootstrap.rs`), which asks Bedrock. They look at what reached Bedrock (WIRE), at the
//! answers (RESULT), and at what must not have happened (RESTRAINT). Time is the lab's: it stands still
//! until a test moves it.

use std::{panic::resume_unwind, sync::Arc, thread, time::Duration};

use ex011::{Decision, GwRequest, Millis, Plan};
use lambda_http::http::Method;
use workshop_testkit::{Fault, Point, Step, function_or_test, json};
use workshop_testkit_aws::AwsLab;

#[path = "../examples/bootstrap.rs"]
mod bootstrap;

mod bench;

use bench::{
    BOTH, Bench, DAY, PROMPT, Which, asks, calm, customer, customers, fact, gate, key, plan, post,
    request, statuses,
};

// ---- a request that is fine

#[tokio::test]
async fn a_good_request_passes_as_it_is() {
    const ONE_CALL: Point = Point::wire(
        "011/2",
        "a gate that adds, drops or doubles anything is a bug between two parts that work",
        "README.md \"The API\" · workshop hint 011 3",
    );
    const ANSWERED: Point = Point::result(
        "011/3",
        "a gate that lets nobody in is safe and useless",
        "README.md \"The API\" · workshop hint 011 3",
    );
    for which in BOTH {
        let bench = Bench::start(which, &customers(), &ANSWERED).await;
        bench
            .lab
            .script([Step::text("The Elbe."), Step::text("They flow.")]);
        for (request, prompt, text) in [
            (asks("ann", PROMPT), PROMPT, "The Elbe."),
            (
                fact("bob", "rivers"),
                "One fact about rivers.",
                "They flow.",
            ),
        ] {
            let before = bench.calls();
            let answer = bench.send(&request, &ANSWERED).await;
            let what = format!("{which}: {} {}", request.method, request.path);
            ONE_CALL.equal(
                &format!("{what}: calls to Bedrock"),
                bench.calls() - before,
                1,
            );
            ONE_CALL.equal(
                &format!("{what}: its prompt"),
                bench.asked().as_deref(),
                Some(prompt),
            );
            let wanted = format!("200 {}", json!({ "text": text }));
            ANSWERED.holds(&what, answer.to_string() == wanted, &answer, &wanted);
        }
    }
}

// ---- who

#[tokio::test]
async fn without_a_key_and_a_plan_nobody_passes() {
    const FORBIDDEN: Point = Point::result(
        "011/4",
        "a key tells which plan a request is counted under; without one there is nothing to count it under",
        "README.md \"The order\" · workshop hint 011 1",
    );
    const NO_CALL: Point = Point::restraint(
        "011/5",
        "an open gate in front of a model is somebody else's model, on your bill",
        "README.md \"The order\" · workshop hint 011 1",
    );
    let (half, carl) = (&key("ann")[..8], key("carl"));
    for which in BOTH {
        let bench = Bench::start(which, &customers(), &FORBIDDEN).await;
        for (what, key) in [
            ("no key", None),
            ("an empty key", Some("")),
            ("an unknown key", Some("5a37c1e0-key-of-eve")),
            ("the beginning of a key", Some(half)),
            ("a customer's id instead of the key", Some("ann")),
            ("a key without a plan", Some(carl.as_str())),
        ] {
            let body = json!({ "prompt": PROMPT }).to_string();
            for request in [
                post(key, &body),
                request(Method::GET, "/facts/rivers", key, ""),
                // What else is wrong with it is none of a stranger's business.
                post(key, "{}"),
            ] {
                let answer = bench.send(&request, &FORBIDDEN).await;
                let method = &request.method;
                let says = format!("{which}: {method} with {what}");
                NO_CALL.equal(&format!("{says}: calls to Bedrock"), bench.calls(), 0);
                FORBIDDEN.holds(&says, answer.status == 403, &answer, 403);
            }
        }
    }
}

// ---- how often

#[tokio::test]
async fn a_burst_of_twelve_is_throttled_exactly() {
    const EXACT: Point = Point::result(
        "011/6",
        "a bucket gives its burst at once and then its rate, whatever the minute on the clock",
        "README.md \"How often\" · workshop hint 011 2",
    );
    const NOT_PAID: Point = Point::restraint(
        "011/7",
        "a 429 that reached the model protects nothing",
        "README.md \"The order\" · workshop hint 011 1",
    );
    for which in BOTH {
        let bench = Bench::start(which, &customers(), &EXACT).await;
        bench.advance_to_noon();
        let request = asks("ann", PROMPT);
        // Rate 2, burst 5: moved on by so many milliseconds, so many of twelve pass.
        let mut calls = 0;
        for (ms, pass) in [
            (0, 5),
            (1_000, 2),
            (499, 0),
            (1, 1),
            (250, 0),
            (250, 1),
            (3_600_000, 5),
        ] {
            bench.advance(Duration::from_millis(ms));
            let saw = bench.burst(&request, 12, &EXACT).await;
            let what = format!("{which}: 12 requests, {ms} ms later");
            statuses(&EXACT, &what, &saw, &[(200, pass), (429, 12 - pass)]);
            calls += pass;
            let saw = bench.calls();
            let what = format!("{what}: calls to Bedrock so far");
            NOT_PAID.holds(&what, saw <= calls, saw, format!("{calls} at most"));
        }
    }
}

#[tokio::test]
async fn one_callers_burst_leaves_the_others_alone() {
    const OWN_BUCKET: Point = Point::result(
        "011/8",
        "with one bucket for all, whoever shouts loudest turns everybody else off",
        "README.md \"How often\" · workshop hint 011 2",
    );
    let plan = Plan {
        quota_per_day: 7,
        ..plan(2.0, 5)
    };
    let customers = [customer("ann", Some(plan)), customer("bob", Some(plan))];
    for which in BOTH {
        let bench = Bench::start(which, &customers, &OWN_BUCKET).await;
        bench.advance_to_noon();
        let _ = bench.burst(&asks("ann", PROMPT), 12, &OWN_BUCKET).await;
        // Strangers have no bucket to empty either.
        let _ = bench.burst(&post(Some("eve"), "{}"), 12, &OWN_BUCKET).await;
        let saw = bench.burst(&asks("bob", PROMPT), 5, &OWN_BUCKET).await;
        let what = format!("{which}: bob's five requests, after twelve of ann's");
        statuses(&OWN_BUCKET, &what, &saw, &[(200, 5)]);
        // Seven a day for each of them, too.
        bench.advance(Duration::from_hours(1));
        let _ = bench.burst(&asks("ann", PROMPT), 2, &OWN_BUCKET).await;
        let saw = bench.burst(&asks("bob", PROMPT), 2, &OWN_BUCKET).await;
        let what = format!("{which}: bob's sixth and seventh of the day, after ann's");
        statuses(&OWN_BUCKET, &what, &saw, &[(200, 2)]);
    }
}

#[test]
fn twelve_threads_take_five_tokens() {
    const ONE_STEP: Point = Point::result(
        "011/9",
        "looking for a token and taking it must be one step, or two requests take the same one",
        "README.md \"How often\" · workshop hint 011 2",
    );
    let gate = gate(&customers(), &[], &ONE_STEP);
    let request = asks("ann", PROMPT);
    let passed = thread::scope(|scope| {
        let decide = || {
            calm(&ONE_STEP, "Gate::decide(…)", || {
                gate.decide(1_000, &request)
            })
        };
        let threads: Vec<_> = (0..12).map(|_| scope.spawn(decide)).collect();
        let decisions = threads.into_iter().map(|thread| thread.join());
        let decisions =
            decisions.map(|decision| decision.unwrap_or_else(|panic| resume_unwind(panic)));
        decisions
            .filter(|decision| *decision == Decision::Forward)
            .count()
    });
    ONE_STEP.equal("of twelve threads at once, those that pass", passed, 5);
}

/// The law from the other side: it knows no tokens, only when the bucket would be full again. Whole
/// numbers, so that nothing is rounded.
struct Reference {
    /// Tokens per million seconds.
    rate: i128,
    burst: i128,
    /// When the bucket is full again, times the rate.
    full_at: i128,
    seen: i128,
}

impl Reference {
    fn passes(&mut self, now: Millis) -> bool {
        const TOKEN: i128 = 1_000_000_000;
        self.seen = self.seen.max(now.into());
        let now = self.seen * self.rate;
        let full_at = self.full_at.max(now);
        let passes = full_at - now <= (self.burst - 1) * TOKEN;
        if passes {
            self.full_at = full_at + TOKEN;
        }
        passes
    }
}

#[test]
fn a_thousand_arrivals_fare_as_in_a_reference_bucket() {
    const THE_LAW: Point = Point::result(
        "011/10",
        "fractions of a token count; a bucket that rounds them away gives less, or more, than was sold",
        "README.md \"How often\" · workshop hint 011 2",
    );
    // Rates and times are eighths, so that sums of them are exact in binary.
    let plans = [(2.0, 5), (0.5, 1), (8.0, 3), (0.25, 9)];
    let gates = plans.map(|(rate, burst)| {
        let sold = [customer("ann", Some(plan(rate, burst)))];
        gate(&sold, &[], &THE_LAW)
    });
    let mut references = plans.map(|(rate, burst)| Reference {
        rate: (rate * 1e6) as i128,
        burst: burst.into(),
        full_at: 0,
        seen: 0,
    });
    // A linear congruential generator: the same thousand on every machine.
    let mut state = 0x5851_f42d_4c95_7f2d_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let mut now: Millis = 20_000 * DAY;
    for arrival in 1..=1_000 {
        // Mostly close together, sometimes a pause, and now and then a thread that comes late.
        now = match random(20) {
            0 => now + 125 * random(200),
            1 => now - 125,
            _ => now + 125 * random(3),
        };
        let which = random(4) as usize;
        let request = asks("ann", PROMPT);
        let decided = calm(&THE_LAW, "Gate::decide(…)", || {
            gates[which].decide(now, &request)
        });
        let wanted = if references[which].passes(now) {
            "passes"
        } else {
            "429"
        };
        let saw = match decided {
            Decision::Forward => "passes".to_owned(),
            Decision::Reject { status, .. } => status.to_string(),
            Decision::Cached(_) => "an answer that was kept".to_owned(),
        };
        let (rate, burst) = plans[which];
        let what = format!("arrival {arrival} of 1,000 (rate {rate}, burst {burst})");
        THE_LAW.holds(&what, saw == wanted, &saw, wanted);
    }
}

#[test]
fn a_429_says_when_to_come_back() {
    const WHEN: Point = Point::result(
        "011/11",
        "clients that are told no time come back at once, all together, and again",
        "README.md \"How often\" · workshop hint 011 2",
    );
    let one_a_day = Plan {
        quota_per_day: 1,
        ..plan(100.0, 100)
    };
    let gate_for = |plan| gate(&[customer("ann", Some(plan))], &[], &WHEN);
    let (slow, one_a_day) = (gate_for(plan(0.25, 1)), gate_for(one_a_day));
    let strict = gate_for(Plan {
        quota_per_day: 1,
        ..plan(0.25, 2)
    });
    let wait = |seconds| Decision::Reject {
        status: 429,
        retry_after: Some(seconds),
    };
    let midnight = 20_000 * DAY;
    let (noon, forward) = (midnight - DAY / 2, Decision::Forward);
    for (what, gate, now, wanted) in [
        ("the only token", &slow, noon, forward.clone()),
        ("a token every 4 s", &slow, noon, wait(4)),
        ("the same, 1.001 s later", &slow, noon + 1_001, wait(3)),
        ("the same, 3.9 s later", &slow, noon + 3_900, wait(1)),
        ("the same, 4 s later", &slow, noon + 4_000, forward.clone()),
        ("one a day", &one_a_day, noon, forward.clone()),
        (
            "one a day, 90.5 s before midnight",
            &one_a_day,
            midnight - 90_500,
            wait(91),
        ),
        (
            "one a day, with two tokens",
            &strict,
            midnight - 1_000,
            forward,
        ),
        (
            "the second token, which the quota refuses",
            &strict,
            midnight - 1_000,
            wait(1),
        ),
        (
            "at midnight, with the quarter of a token that has flowed",
            &strict,
            midnight,
            wait(3),
        ),
    ] {
        let request = asks("ann", PROMPT);
        let decided = calm(&WHEN, "Gate::decide(…)", || gate.decide(now, &request));
        WHEN.equal(what, decided, wanted);
    }
    let stranger = calm(&WHEN, "Gate::decide(…)", || {
        slow.decide(midnight, &post(None, "{}"))
    });
    let forbidden = Decision::Reject {
        status: 403,
        retry_after: None,
    };
    WHEN.equal(
        "a stranger, whom waiting does not help",
        stranger,
        forbidden,
    );
}

/// The rate keeps a minute bearable, the quota a month.
const QUOTA: Point = Point::result(
    "011/12",
    "the rate keeps a minute bearable, the quota keeps a month payable; what was refused was not had",
    "README.md \"How often\" · workshop hint 011 2",
);

#[test]
fn who_comes_from_yesterday_begins_no_new_day() {
    let plan = Plan {
        quota_per_day: 1,
        ..plan(100.0, 100)
    };
    let gate = gate(&[customer("ann", Some(plan))], &[], &QUOTA);
    let midnight = 20_000 * DAY;
    let request = asks("ann", PROMPT);
    let decide = |now| calm(&QUOTA, "Gate::decide(…)", || gate.decide(now, &request));
    QUOTA.equal("the day's first", decide(midnight), Decision::Forward);
    // Two threads: this one read the clock first, and comes second.
    let _ = decide(midnight - 125);
    let wanted = Decision::Reject {
        status: 429,
        retry_after: Some(86_400),
    };
    QUOTA.equal(
        "the day's second, after a straggler of yesterday",
        decide(midnight + 1),
        wanted,
    );
}

#[tokio::test]
async fn a_days_quota_ends_with_the_day() {
    let plan = Plan {
        quota_per_day: 7,
        ..plan(2.0, 5)
    };
    let customers = [customer("ann", Some(plan))];
    for which in BOTH {
        let bench = Bench::start(which, &customers, &QUOTA).await;
        bench.advance_to_noon();
        let request = asks("ann", PROMPT);
        for (what, advance, pass) in [
            ("a burst of twelve", Duration::ZERO, 5),
            ("in the afternoon", Duration::from_hours(2), 2),
            ("at 23:59", Duration::from_mins(9 * 60 + 59), 0),
            ("at midnight", Duration::from_mins(1), 5),
        ] {
            bench.advance(advance);
            let saw = bench.burst(&request, 12, &QUOTA).await;
            let what = format!("{which}, seven a day: {what}");
            statuses(&QUOTA, &what, &saw, &[(200, pass), (429, 12 - pass)]);
        }
    }
}

// ---- what

#[tokio::test]
async fn nonsense_is_400_and_never_reaches_the_model() {
    const BAD_REQUEST: Point = Point::result(
        "011/13",
        "the gate knows the contract: it can say what is wrong before anything is started",
        "README.md \"What\" · workshop hint 011 2",
    );
    const NO_CALL: Point = Point::restraint(
        "011/14",
        "whatever reaches the model is paid for, also when its answer helps nobody",
        "README.md \"What\" · workshop hint 011 1",
    );
    let (longest, too_long) = ("é".repeat(200), "é".repeat(201));
    for which in BOTH {
        let bench = Bench::start(which, &customers(), &BAD_REQUEST).await;
        for body in [
            String::new(),
            "prompt=Name+a+river.".into(),
            "{\"prompt\": \"Na".into(),
            "[\"Name a river.\"]".into(),
            json!({ "text": PROMPT }).to_string(),
            json!({ "prompt": 7 }).to_string(),
            json!({ "prompt": "" }).to_string(),
            json!({ "prompt": PROMPT, "max_tokens": 100_000 }).to_string(),
            json!({ "prompt": too_long }).to_string(),
        ] {
            bench.advance(Duration::from_secs(1));
            let answer = bench
                .send(&post(Some(&key("max")), &body), &BAD_REQUEST)
                .await;
            let short: String = body.chars().take(40).collect();
            let what = format!("{which}: the body {short:?}");
            NO_CALL.equal(&format!("{what}: calls to Bedrock"), bench.calls(), 0);
            BAD_REQUEST.holds(&what, answer.status == 400, &answer, 400);
        }
        let answer = bench.send(&asks("max", &longest), &BAD_REQUEST).await;
        let what = format!("{which}: a prompt as long as may be");
        BAD_REQUEST.holds(&what, answer.status == 200, &answer, 200);
    }
}

#[tokio::test]
async fn nonsense_costs_a_token() {
    const NOT_FREE: Point = Point::restraint(
        "011/15",
        "reading a body is work: who may send nonsense for nothing will send a lot of it",
        "README.md \"The order\" · workshop hint 011 1",
    );
    for which in BOTH {
        let bench = Bench::start(which, &customers(), &NOT_FREE).await;
        let nonsense = post(Some(&key("ann")), "{}");
        let mut saw = bench.burst(&nonsense, 6, &NOT_FREE).await;
        saw.extend(bench.burst(&asks("ann", PROMPT), 1, &NOT_FREE).await);
        let what = format!("{which}: six times nonsense and a good request (burst 5)");
        statuses(&NOT_FREE, &what, &saw, &[(400, 5), (429, 2)]);
    }
}

// ---- what is kept

#[tokio::test]
async fn only_the_configured_methods_are_kept() {
    const CONFIGURED: Point = Point::wire(
        "011/16",
        "asked twice, a fact may be the same; a conversation may not, and who configured it knows which is which",
        "README.md \"What is kept\" · workshop hint 011 2",
    );
    const ITS_OWN: Point = Point::result(
        "011/17",
        "API Gateway's cache knows paths, queries and headers; two prompts in two bodies are one to it",
        "README.md \"The managed gateway\" · workshop hint 011 2",
    );
    let both = [Method::GET, Method::POST];
    let rows: [(&[Method], usize, usize); 4] = [
        (&[], 2, 2),
        (&[Method::GET], 2, 1),
        (&[Method::POST], 1, 2),
        (&both, 1, 1),
    ];
    let count = async |bench: &Bench, request: GwRequest| {
        let before = bench.calls();
        let _ = bench.burst(&request, 2, &CONFIGURED).await;
        bench.calls() - before
    };
    for (methods, posts, gets) in rows {
        let bench = Bench::behind(gate(&customers(), methods, &CONFIGURED)).await;
        let what = format!("your Gate, keeping {methods:?}: calls to Bedrock");
        let saw = count(&bench, asks("max", PROMPT)).await;
        CONFIGURED.equal(&format!("{what} of two equal POST"), saw, posts);
        let saw = count(&bench, fact("max", "rivers")).await;
        CONFIGURED.equal(&format!("{what} of two equal GET"), saw, gets);
    }

    let bench = Bench::start(Which::ApiGateway, &customers(), &CONFIGURED).await;
    bench.lab.script(["The Elbe.", "The Alps."].map(Step::text));
    for (prompt, text) in [(PROMPT, "The Elbe."), ("Name a mountain.", "The Alps.")] {
        let answer = bench.send(&asks("max", prompt), &ITS_OWN).await;
        let wanted = format!("200 {}", json!({ "text": text }));
        let what = format!("API Gateway's answer to {prompt:?}");
        ITS_OWN.holds(&what, answer.to_string() == wanted, &answer, &wanted);
    }
    let saw = count(&bench, fact("max", "rivers")).await;
    CONFIGURED.equal("API Gateway: calls to Bedrock of two equal GET", saw, 1);
}

#[tokio::test]
async fn what_is_kept_is_for_one_caller_and_one_question() {
    const ONE_QUESTION: Point = Point::result(
        "011/18",
        "an answer that is kept under too little is given to somebody who asked for something else",
        "README.md \"What is kept\" · workshop hint 011 2",
    );
    const ONE_CALLER: Point = Point::restraint(
        "011/19",
        "an answer that comes from the cache tells one customer what another one asked",
        "README.md \"What is kept\" · workshop hint 011 2",
    );
    for which in BOTH {
        let both = [Method::GET, Method::POST];
        let bench = match which {
            Which::Gate => Bench::behind(gate(&customers(), &both, &ONE_QUESTION)).await,
            Which::ApiGateway => Bench::start(which, &customers(), &ONE_QUESTION).await,
        };
        let mut rows = vec![
            (&ONE_QUESTION, fact("max", "rivers"), "1"),
            (&ONE_QUESTION, fact("max", "lakes"), "2"),
            (&ONE_CALLER, fact("mia", "rivers"), "3"),
            (&ONE_QUESTION, fact("max", "rivers"), "1"),
            (&ONE_QUESTION, fact("mia", "rivers"), "3"),
        ];
        if which == Which::Gate {
            rows.extend([
                (&ONE_QUESTION, asks("max", "Name a river."), "4"),
                (&ONE_QUESTION, asks("max", "Name a lake."), "5"),
                (&ONE_CALLER, asks("mia", "Name a lake."), "6"),
                (&ONE_QUESTION, asks("mia", "Name a lake."), "6"),
            ]);
        }
        bench.lab.script((1..=9).map(|n| Step::text(n.to_string())));
        for (row, (point, request, text)) in rows.iter().enumerate() {
            let answer = bench.send(request, point).await;
            let wanted = format!("200 {}", json!({ "text": text }));
            let GwRequest {
                method, path, body, ..
            } = request;
            let who = request
                .api_key
                .as_deref()
                .and_then(|key| key.rsplit('-').next());
            let body = String::from_utf8_lossy(body);
            let what = format!(
                "{which}, {}: {} asks {method} {path} {body}",
                row + 1,
                who.unwrap_or_default()
            );
            point.holds(&what, answer.to_string() == wanted, &answer, &wanted);
        }
    }
}

#[tokio::test]
async fn what_is_kept_has_its_time() {
    const ITS_TIME: Point = Point::result(
        "011/20",
        "what is kept too long is wrong, and nobody can tell it from what is right",
        "README.md \"What is kept\" · workshop hint 011 2",
    );
    for which in BOTH {
        let bench = Bench::start(which, &customers(), &ITS_TIME).await;
        // A hit in between does not make it younger.
        for (seconds, calls) in [(0, 1), (200, 1), (99, 1), (1, 2), (299, 2)] {
            bench.advance(Duration::from_secs(seconds));
            let answer = bench.send(&fact("ann", "rivers"), &ITS_TIME).await;
            ITS_TIME.holds("the answer", answer.status == 200, &answer, 200);
            let what = format!("{which}, kept for 300 s: calls to Bedrock {seconds} s later");
            ITS_TIME.equal(&what, bench.calls(), calls);
        }
    }
}

#[tokio::test]
async fn failures_are_never_kept() {
    const NOT_KEPT: Point = Point::restraint(
        "011/21",
        "a failure of a second that is kept for five minutes is a failure of five minutes",
        "README.md \"What is kept\" · workshop hint 011 2",
    );
    for which in BOTH {
        let bench = Bench::start(which, &customers(), &NOT_KEPT).await;
        let throttled = Fault::Throttling {
            retry_after_ms: None,
        };
        bench.lab.script([
            Step::Fault(throttled),
            Step::Fault(Fault::InternalServer),
            Step::text("They flow."),
        ]);
        let saw = bench.burst(&fact("ann", "rivers"), 4, &NOT_KEPT).await;
        let what = format!("{which}: the model is throttled, broken, well; then a fourth request");
        statuses(&NOT_KEPT, &what, &saw, &[(429, 1), (502, 1), (200, 2)]);
        NOT_KEPT.equal(
            &format!("{which}: calls to Bedrock of the four"),
            bench.calls(),
            3,
        );
    }
}

#[tokio::test]
async fn what_is_kept_is_behind_the_key_and_the_bucket() {
    const AFTER_WHO: Point = Point::restraint(
        "011/22",
        "a cache in front of the key gives to strangers what customers have paid for",
        "README.md \"The order\" · workshop hint 011 1",
    );
    const AFTER_HOW_OFTEN: Point = Point::restraint(
        "011/23",
        "what is sold is requests, not calls to the model: the bucket does not know yet which it will be",
        "README.md \"The order\" · workshop hint 011 1",
    );
    for which in BOTH {
        let bench = Bench::start(which, &customers(), &AFTER_WHO).await;
        bench.lab.script([Step::text("They flow.")]);
        let saw = bench.burst(&fact("ann", "rivers"), 2, &AFTER_WHO).await;
        statuses(
            &AFTER_WHO,
            &format!("{which}: ann, twice"),
            &saw,
            &[(200, 2)],
        );
        for key in [None, Some("5a37c1e0-key-of-eve")] {
            let stranger = request(Method::GET, "/facts/rivers", key, "");
            let answer = bench.send(&stranger, &AFTER_WHO).await;
            let what = format!("{which}: ann's kept answer, for the key {key:?}");
            AFTER_WHO.holds(&what, answer.status == 403, &answer, 403);
        }
        let saw = bench
            .burst(&fact("ann", "rivers"), 4, &AFTER_HOW_OFTEN)
            .await;
        let what = format!("{which}: ann's next four (burst 5)");
        statuses(&AFTER_HOW_OFTEN, &what, &saw, &[(200, 3), (429, 1)]);
    }
}

// ---- the whole way

#[test]
fn from_the_client_to_bedrock_over_lambda() {
    // In Lambda this program is the function.
    function_or_test(bootstrap::main, over_lambda());
}

async fn over_lambda() {
    const ANSWERED: Point = Point::result(
        "011/24",
        "what works with a function in the same process and not with Lambda does not work",
        "README.md \"The managed gateway\" · workshop hint 011 3",
    );
    const STOPPED: Point = Point::restraint(
        "011/25",
        "whoever is refused in front costs no function, no second of it and no token",
        "README.md \"The order\" · workshop hint 011 1",
    );
    let bench = Bench::managed(&customers(), &ANSWERED, |lab, app| {
        let mut function = AwsLab::function("ask", "from_the_client_to_bedrock_over_lambda");
        function.environment = [("MODEL_ID".to_owned(), app.model)].into();
        let lambda = &lab.services().lambda;
        lambda.create(function).expect("Lambda takes the function");
        Arc::new(lambda.clone())
    })
    .await;
    bench
        .lab
        .script(["The Elbe.", "They flow."].map(Step::text));
    for (request, text) in [
        (asks("ann", PROMPT), "The Elbe."),
        (fact("ann", "rivers"), "They flow."),
        (fact("ann", "rivers"), "They flow."),
    ] {
        let answer = bench.send(&request, &ANSWERED).await;
        let wanted = format!("200 {}", json!({ "text": text }));
        let what = format!("{} {}", request.method, request.path);
        ANSWERED.holds(&what, answer.to_string() == wanted, &answer, &wanted);
    }
    let lit: Vec<_> = bench.lab.trace();
    for (edge, wanted) in [("CLIENT-APIGW", 3), ("APIGW-LAMBDA", 2), ("LAMBDA-BR", 2)] {
        let lit = lit
            .iter()
            .filter(|event| event.edge.as_deref() == Some(edge));
        ANSWERED.equal(&format!("requests that lit {edge}"), lit.count(), wanted);
    }

    let behind = || {
        let lit = bench.lab.trace().into_iter();
        lit.filter(|event| ["LAMBDA", "BR"].contains(&event.node.as_str()))
            .count()
    };
    let before = behind();
    for (what, request, status) in [
        ("a request without a key", post(None, "{}"), 403),
        ("nonsense", post(Some(&key("ann")), "{}"), 400),
    ] {
        let answer = bench.send(&request, &STOPPED).await;
        STOPPED.holds(what, answer.status == status, &answer, status);
        let what = format!("what {what} lit behind the gateway");
        STOPPED.equal(&what, behind() - before, 0);
    }
}
