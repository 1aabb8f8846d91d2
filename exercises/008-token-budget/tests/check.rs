//! What exercise 008 asks for. Read it: these tests are the exact form of the task.
//!
//! They look at what left your process (WIRE), at what your functions returned (RESULT) and at what
//! must not have happened (RESTRAINT). Callers at the same time are held at a gate, so that what they
//! do does not depend on who is faster. Prices are the tests' own.

use std::{
    hint,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use ex008::{
    Ask, Budget, BudgetError, CountError, MicroUsd, Model, OverBudget, Price, Reply, ask_within,
    count, message, with_cache_point,
};
use tokio::task::JoinSet;
use workshop_testkit::{
    Actor, Call, Hop, Lab, Piece, Point, Rule, Step, Value, When,
    bedrock::{
        Client,
        types::{ConverseTokensRequest, CountTokensInput, SystemContentBlock, TokenUsage},
    },
    json, within,
};

/// Whoever holds the budget asks Bedrock, as a role of its own.
static BUDGET: Actor = Actor {
    node: "BUDGET",
    edges: &[("BR", "BUDGET-BR")],
};

/// 1 USD for a million tokens in, 5 out.
const PRICE: Price = Price {
    input: 1_000_000,
    output: 5_000_000,
    cache_write: 1_250_000,
    cache_read: 100_000,
};

const PLENTY: MicroUsd = MicroUsd(1_000_000_000);

// ---- the questions of these tests

/// The lab's smallest model, at the prices of these tests.
fn model(lab: &Lab) -> Model {
    let known = lab.model("haiku");
    Model {
        base_id: known.id.clone(),
        profile_id: lab.profile("haiku"),
        price: PRICE,
        min_cache_tokens: known.min_cache_tokens,
    }
}

/// A question whose system prompt is too short for any cache.
fn short_ask() -> Ask {
    Ask {
        system: "You sort tickets: urgent, normal or noise.".to_owned(),
        system_tokens: 12,
        prompt: "The printer on the second floor says PC LOAD LETTER.".to_owned(),
        max_tokens: 60,
    }
}

/// How many tokens Bedrock counts: system prompt and question.
async fn tokens(lab: &Lab, ask: &Ask) -> u32 {
    let question = ConverseTokensRequest::builder()
        .system(SystemContentBlock::Text(ask.system.clone()))
        .messages(message(&ask.prompt))
        .build();
    let call = lab.client().count_tokens();
    let call = call.model_id(&lab.model("haiku").id);
    let counted = call.input(CountTokensInput::Converse(question)).send();
    let counted = counted.await.expect("the lab counts");
    u32::try_from(counted.input_tokens()).expect("no negative count")
}

/// So many tokens at these prices for a million.
fn worth(parts: &[(u32, u64)]) -> MicroUsd {
    let sum: u64 = parts.iter().map(|(n, price)| u64::from(*n) * price).sum();
    MicroUsd(sum.div_ceil(1_000_000))
}

/// What a call was billed, by the numbers that Bedrock answered with.
fn billed(call: &Call) -> MicroUsd {
    let usage = call.usage.unwrap_or_default();
    worth(&[
        (usage.input, PRICE.input),
        (usage.output, PRICE.output),
        (usage.cache_write(), PRICE.cache_write),
        (usage.cache_read, PRICE.cache_read),
    ])
}

// ---- one call

/// One call of the function under test, as the holder of the budget.
async fn asked(
    lab: &Lab,
    budget: &Budget,
    model: &Model,
    ask: &Ask,
) -> Result<(Reply, MicroUsd), BudgetError> {
    const RETURNS: Point = Point::result(
        "008/6",
        "a budget that makes callers wait for ever has stopped more than spending",
        "README.md \"The task\" · workshop hint 008 1",
    );
    let client = lab.client_at(&BUDGET);
    let call = ask_within(&client, budget, model, ask);
    let outcome = within(&RETURNS, "ask_within(…)", call).await;
    saw(lab, &outcome);
    outcome
}

/// What the budget's holder told the caller, as light for the diagram.
fn saw(lab: &Lab, outcome: &Result<(Reply, MicroUsd), BudgetError>) {
    let status = match outcome {
        Ok(_) => 200,
        Err(BudgetError::Over(_)) => 402,
        Err(_) => 502,
    };
    let last = lab.calls().pop();
    lab.saw(Hop {
        from: "CLIENT",
        to: "BUDGET",
        what: "ask_within",
        status,
        request_id: &last.map(|call| call.request_id).unwrap_or_default(),
    });
}

/// An outcome in one line: an `SdkError` prints the whole HTTP exchange.
fn short(outcome: &Result<(Reply, MicroUsd), BudgetError>) -> String {
    match outcome {
        Ok(_) => "an answer".to_owned(),
        Err(BudgetError::Over(over)) => format!("Err(Over({over:?}))"),
        Err(BudgetError::Sdk(error)) => {
            let refusal = error.as_service_error().and_then(|e| e.meta().message());
            format!("Err(Sdk(…)): {}", refusal.unwrap_or("no answer"))
        }
        Err(BudgetError::Count(CountError(error))) => {
            let refusal = error.as_service_error().and_then(|e| e.meta().message());
            format!("Err(Count(…)): {}", refusal.unwrap_or("no answer"))
        }
    }
}

/// Each request so far, and what it named the model by.
fn requests(lab: &Lab, model: &Model) -> Vec<String> {
    let named = |call: Call| match call.model {
        id if id == model.base_id => format!("{} (base id)", call.operation),
        id if id == model.profile_id => format!("{} (profile)", call.operation),
        id => format!("{} ({id})", call.operation),
    };
    lab.calls().into_iter().map(named).collect()
}

/// How many requests there were of an operation.
fn made(lab: &Lab, operation: &str) -> usize {
    let calls = lab.calls();
    calls.iter().filter(|c| c.operation == operation).count()
}

/// What is left of a budget, found by asking for too much.
fn left(budget: &Budget) -> Option<MicroUsd> {
    budget
        .reserve(MicroUsd(u64::MAX))
        .err()
        .map(|over| over.left)
}

// ---- WIRE: what left the process

#[tokio::test]
async fn it_counts_what_it_will_send_and_then_sends_it() {
    const ORDER: Point = Point::wire(
        "008/7",
        "counting wants the model's own id and is free; the call wants the profile's and is not",
        "README.md \"Counting\" · workshop hint 008 2",
    );
    const SAME: Point = Point::wire(
        "008/1",
        "the system prompt is often the longest part of a request, and it is paid for every time",
        "README.md \"Counting\" · workshop hint 008 2",
    );
    const LIMIT: Point = Point::wire(
        "008/8",
        "the answer costs most; only a request that limits it has a worst case",
        "README.md \"Reserving\" · workshop hint 008 1",
    );
    let lab = Lab::start().await;
    let (model, ask) = (model(&lab), short_ask());
    let outcome = asked(&lab, &Budget::new(PLENTY), &model, &ask).await;

    ORDER.equal(
        "requests",
        requests(&lab, &model),
        ["CountTokens (base id)", "Converse (profile)"],
    );
    let calls = lab.calls();
    let text_of = |body: Option<&Value>| {
        let body = body.cloned().unwrap_or_default();
        (body["system"][0]["text"].clone(), body["messages"].clone())
    };
    SAME.equal(
        "(system, messages) that were counted",
        text_of(calls[0].body_at("/input/converse")),
        text_of(Some(&calls[1].body)),
    );
    SAME.equal("text of the message", calls[1].text(), ask.prompt.as_str());
    let max_tokens = calls[1].body_at("/inferenceConfig/maxTokens");
    LIMIT.equal("inferenceConfig.maxTokens", max_tokens, Some(&json!(60)));
    ORDER.holds("the outcome", outcome.is_ok(), short(&outcome), "an answer");
}

#[tokio::test]
async fn a_long_system_prompt_is_written_once_and_read_afterwards() {
    const POINT: Point = Point::wire(
        "008/9",
        "a cache point says: up to here it is always the same. In front of the text it says nothing",
        "README.md \"Caching\" · workshop hint 008 2",
    );
    const READ: Point = Point::result(
        "008/10",
        "a prompt that is read from the cache costs a tenth, and only if it was written the same way",
        "README.md \"Caching\" · workshop hint 008 2",
    );
    const PAID: Point = Point::result(
        "008/11",
        "written tokens cost more than plain ones and read ones far less: four counts, four prices",
        "README.md \"Settling\" · workshop hint 008 3",
    );
    let lab = Lab::start().await;
    let mut model = model(&lab);
    let least = *model.min_cache_tokens.get_or_insert(1);
    let rules = usize::try_from(least).expect("a number of words");
    let mut ask = Ask {
        system: "rules apply ".repeat(rules),
        ..short_ask()
    };
    // Without the few that belong to the question.
    ask.system_tokens = tokens(&lab, &ask).await.saturating_sub(100);
    let before = lab.calls().len();
    let budget = Budget::new(PLENTY);
    let first = asked(&lab, &budget, &model, &ask).await;
    let second = asked(&lab, &budget, &model, &ask).await;

    let calls = lab.calls().split_off(before);
    let answered: Vec<_> = calls.iter().filter(|c| c.operation == "Converse").collect();
    for call in &answered {
        let system = call.body_at("/system").and_then(Value::as_array);
        let last = system.and_then(|blocks| blocks.last()?.as_object());
        let kind = last.and_then(|block| block.keys().next());
        POINT.equal(
            "last block of the system prompt",
            kind.map(String::as_str),
            Some("cachePoint"),
        );
    }
    READ.equal("requests that were answered", answered.len(), 2);
    let usage: Vec<_> = answered.iter().filter_map(|call| call.usage).collect();
    READ.holds(
        "usage of the second request",
        usage[0].cache_write() > 0 && usage[1].cache_read > 0,
        format!("{:?}", usage[1]),
        "cache_read above 0",
    );
    let costs = [&first, &second].map(|o| o.as_ref().map_or(MicroUsd(0), |(_, cost)| *cost));
    let bills = [billed(answered[0]), billed(answered[1])];
    PAID.equal("costs of the two", costs, bills);
    PAID.equal("spent", budget.spent(), MicroUsd(bills[0].0 + bills[1].0));
}

#[tokio::test]
async fn a_long_question_is_no_reason_for_a_cache_point() {
    const BEFORE_IT: Point = Point::wire(
        "008/21",
        "the cache keeps what stands before the point: a long question behind it makes that no longer",
        "README.md \"Caching\" · workshop hint 008 2",
    );
    let lab = Lab::start().await;
    let ask = short_ask();
    // The question as a whole is just long enough, and its system prompt is not. There is as much left
    // as it can cost without a cache point.
    let counted = tokens(&lab, &ask).await;
    let model = Model {
        min_cache_tokens: Some(counted),
        ..model(&lab)
    };
    let worst = worth(&[(counted, PRICE.input), (ask.max_tokens, PRICE.output)]);
    let outcome = asked(&lab, &Budget::new(worst), &model, &ask).await;
    BEFORE_IT.holds("the outcome", outcome.is_ok(), short(&outcome), "an answer");
    let calls = lab.calls();
    let sent = calls.iter().rfind(|call| call.operation == "Converse");
    let system = sent.and_then(|call| call.body_at("/system")?.as_array());
    let kinds = |block: &Value| Some(block.as_object()?.keys().next()?.clone());
    let kinds: Option<Vec<_>> = system.map(|blocks| blocks.iter().filter_map(kinds).collect());
    BEFORE_IT.equal(
        "blocks of the system prompt",
        kinds,
        Some(vec!["text".to_owned()]),
    );
}

// ---- RESULT: what the functions returned

#[test]
fn the_cache_point_stands_last_and_only_where_it_helps() {
    const HELPS: Point = Point::result(
        "008/2",
        "too short a prompt is not kept, without a word; a model without a cache refuses the point",
        "README.md \"Caching\" · workshop hint 008 1",
    );
    for (min_cache_tokens, tokens, cached) in [
        (Some(1_024), 1_023, false),
        (Some(1_024), 1_024, true),
        (Some(1_024), 9_999, true),
        (Some(4_096), 1_024, false),
        (Some(4_096), 4_096, true),
        (None, 9_999, false),
    ] {
        let model = Model {
            base_id: "m".to_owned(),
            profile_id: "us.m".to_owned(),
            price: PRICE,
            min_cache_tokens,
        };
        let blocks = with_cache_point("The rules.", &model, tokens);
        let named = |block: &SystemContentBlock| match block {
            SystemContentBlock::Text(text) => text.clone(),
            SystemContentBlock::CachePoint(_) => "(cache point)".to_owned(),
            other => format!("{other:?}"),
        };
        let named: Vec<_> = blocks.iter().map(named).collect();
        let mut wanted = vec!["The rules."];
        wanted.extend(cached.then_some("(cache point)"));
        let cache = min_cache_tokens.map_or_else(|| "no cache".to_owned(), |n| format!("from {n}"));
        HELPS.equal(
            &format!("{tokens} tokens, the model keeps {cache}"),
            named,
            wanted,
        );
    }
}

#[test]
fn what_is_reserved_is_nobody_elses_until_it_is_settled_or_dropped() {
    const RESERVE: Point = Point::result(
        "008/3",
        "what is promised to one caller is gone for the next, spent or not",
        "README.md \"Reserving\" · workshop hint 008 3",
    );
    const SPENT: Point = Point::result(
        "008/4",
        "spent is what was paid; who counts promises as well reports money that is still there",
        "README.md \"Reserving\" · workshop hint 008 3",
    );
    const SETTLE: Point = Point::result(
        "008/5",
        "the worst case hardly ever happens; what is not given back stops callers for nothing",
        "README.md \"Settling\" · workshop hint 008 3",
    );
    let refused = |budget: &Budget, amount| budget.reserve(MicroUsd(amount)).err();
    let over = |wanted, left| {
        Some(OverBudget {
            wanted: MicroUsd(wanted),
            left: MicroUsd(left),
        })
    };
    let budget = Budget::new(MicroUsd(100));
    let first = budget.reserve(MicroUsd(60)).ok();
    RESERVE.equal("60 of 100", first.is_some(), true);
    RESERVE.equal("41 more, with 40 left", refused(&budget, 41), over(41, 40));
    {
        let second = budget.reserve(MicroUsd(40)).ok();
        RESERVE.equal("40 more, with 40 left", second.is_some(), true);
        SPENT.equal("spent, with 100 reserved", budget.spent(), MicroUsd(0));
    }
    RESERVE.equal(
        "41, after 40 were dropped",
        refused(&budget, 41),
        over(41, 40),
    );
    let third = budget.reserve(MicroUsd(40)).ok();
    RESERVE.equal("40, after 40 were dropped", third.is_some(), true);

    if let Some(first) = first {
        first.settle(MicroUsd(25));
    }
    SETTLE.equal(
        "spent, after 60 were settled with 25",
        budget.spent(),
        MicroUsd(25),
    );
    SETTLE.equal(
        "36, with 25 spent and 40 reserved",
        refused(&budget, 36),
        over(36, 35),
    );
    RESERVE.equal(
        "more than there ever was",
        refused(&budget, u64::MAX),
        over(u64::MAX, 35),
    );

    // A bill may be higher than the worst case that somebody thought of.
    if let Some(third) = third {
        third.settle(MicroUsd(90));
    }
    SETTLE.equal(
        "spent, after 40 were settled with 90",
        budget.spent(),
        MicroUsd(115),
    );
    SETTLE.equal("1, with 115 of 100 spent", refused(&budget, 1), over(1, 0));
}

#[test]
fn two_threads_never_get_the_same_dollar() {
    const ONCE: Point = Point::result(
        "008/12",
        "between looking and taking there is always room for somebody else, if only once in a while",
        "README.md \"Reserving\" · workshop hint 008 2",
    );
    const ROUNDS: usize = 2_000;
    // In each round two threads, side by side, want the only dollar of a budget. Right code passes
    // always; wrong code is seen through by chance, and with two free processors nearly always.
    let budgets: Vec<Budget> = (0..ROUNDS).map(|_| Budget::new(MicroUsd(1))).collect();
    let arrived: Vec<AtomicUsize> = (0..ROUNDS).map(|_| AtomicUsize::new(0)).collect();
    let race = || {
        let mut held = Vec::new();
        for (budget, arrived) in budgets.iter().zip(&arrived) {
            arrived.fetch_add(1, Ordering::SeqCst);
            let mut patience = 200;
            while arrived.load(Ordering::SeqCst) < 2 {
                // On a busy machine the other one may have to be let in first.
                patience -= 1;
                if patience == 0 {
                    thread::yield_now();
                    patience = 200;
                }
                hint::spin_loop();
            }
            held.extend(budget.reserve(MicroUsd(1)).ok());
        }
        held
    };
    let granted = thread::scope(|scope| {
        let other = scope.spawn(race);
        let mine = race();
        mine.len() + other.join().map_or(0, |held| held.len())
    });
    let what = format!("dollars given out, of {ROUNDS}");
    ONCE.equal(&what, granted, ROUNDS);
}

#[tokio::test]
async fn it_reserves_the_worst_and_not_a_cent_more() {
    const WORST: Point = Point::result(
        "008/13",
        "a reservation below the worst case is a limit that a bad day goes through",
        "README.md \"Reserving\" · workshop hint 008 3",
    );
    let lab = Lab::start().await;
    let ask = short_ask();
    let plain = Model {
        min_cache_tokens: None,
        ..model(&lab)
    };
    // As if the system prompt were long: what counts here is that a cache point will be set.
    let cached = Model {
        min_cache_tokens: Some(1),
        ..model(&lab)
    };
    let counted = tokens(&lab, &ask).await;
    let answer = (ask.max_tokens, PRICE.output);
    for (what, model, worst) in [
        (
            "without a cache point",
            plain,
            worth(&[(counted, PRICE.input), answer]),
        ),
        (
            "with a cache point",
            cached.clone(),
            worth(&[(counted, PRICE.cache_write), answer]),
        ),
        (
            "with a cache point that costs nothing to write",
            Model {
                price: Price {
                    cache_write: 0,
                    ..PRICE
                },
                ..cached
            },
            worth(&[(counted, PRICE.input), answer]),
        ),
    ] {
        let before = made(&lab, "Converse");
        let short_of_it = Budget::new(MicroUsd(worst.0 - 1));
        let refused = asked(&lab, &short_of_it, &model, &ask).await;
        let is_refused = matches!(refused, Err(BudgetError::Over(over)) if over.wanted == worst);
        WORST.holds(
            &format!("{what}, one micro-USD too little"),
            is_refused && made(&lab, "Converse") == before,
            short(&refused),
            format!("Err(Over(…)) that wanted {worst}, and no Converse"),
        );
        let exactly = Budget::new(worst);
        let answered = asked(&lab, &exactly, &model, &ask).await;
        WORST.holds(
            &format!("{what}, exactly enough"),
            answered.is_ok(),
            short(&answered),
            "an answer",
        );
    }
}

#[tokio::test]
async fn it_settles_what_the_answer_says_it_used() {
    const ACTUAL: Point = Point::result(
        "008/14",
        "an answer of ten words was reserved as a page; the difference is other people's answers",
        "README.md \"Settling\" · workshop hint 008 1",
    );
    let lab = Lab::start().await;
    lab.script([Step::Say(vec![
        Piece::Text("Normal.".into()),
        Piece::Usage {
            input: 31,
            output: 3,
        },
    ])]);
    let budget = Budget::new(PLENTY);
    let outcome = asked(&lab, &budget, &model(&lab), &short_ask()).await;

    let paid = MicroUsd(31 + 3 * 5);
    let said = outcome.as_ref().ok().map(|(_, cost)| *cost);
    ACTUAL.equal("cost of 31 tokens in and 3 out", said, Some(paid));
    ACTUAL.equal("spent", budget.spent(), paid);
    ACTUAL.equal("left", left(&budget), Some(MicroUsd(PLENTY.0 - paid.0)));
}

#[tokio::test]
async fn a_count_is_what_bedrock_counts_or_an_error() {
    const COUNT: Point = Point::result(
        "008/15",
        "a rule of thumb is wrong where it hurts: other languages, code, long numbers",
        "README.md \"Counting\" · workshop hint 008 2",
    );
    let lab = Lab::start().await;
    let client = lab.client();
    let ask = Ask {
        prompt: "Überstundenausgleichsregelung 0x7fff_ffff 東京都千代田区".to_owned(),
        ..short_ask()
    };
    let counted = count(&client, &lab.model("haiku").id, &ask).await;
    let wanted = tokens(&lab, &ask).await;
    COUNT.equal("tokens", counted.ok(), Some(wanted));
    let nobody = count(&client, "anthropic.claude-of-next-year", &ask).await;
    let refused = nobody.is_err();
    COUNT.holds(
        "of a model that nobody knows",
        refused,
        format!("{:?}", nobody.ok()),
        "Err(CountError(…))",
    );
}

// ---- RESTRAINT: what must not happen

#[tokio::test]
async fn over_budget_nobody_is_asked() {
    const NOBODY: Point = Point::restraint(
        "008/16",
        "an alert arrives with the bill; a limit stands in front of the call",
        "README.md \"Reserving\" · workshop hint 008 1",
    );
    let lab = Lab::start().await;
    let (model, budget) = (model(&lab), Budget::new(MicroUsd(5)));
    let outcome = asked(&lab, &budget, &model, &short_ask()).await;

    let over = matches!(outcome, Err(BudgetError::Over(over)) if over.left == MicroUsd(5));
    NOBODY.equal(
        "requests",
        requests(&lab, &model),
        ["CountTokens (base id)"],
    );
    NOBODY.holds("the outcome", over, short(&outcome), "Err(Over(…))");
    let lit = lab.trace();
    let worked = lit.iter().any(|event| event.node == "HAIKU");
    NOBODY.equal("HAIKU lights", worked, false);
    NOBODY.equal("spent", budget.spent(), MicroUsd(0));
}

#[tokio::test]
async fn whoever_cannot_count_does_not_ask() {
    const NO_GUESS: Point = Point::restraint(
        "008/17",
        "a budget that guesses when it cannot count holds on the days when it is not needed",
        "README.md \"Counting\" · workshop hint 008 1",
    );
    let lab = Lab::start().await;
    lab.set_policies([allow("*"), deny("bedrock:CountTokens")]);
    let budget = Budget::new(PLENTY);
    let outcome = asked(&lab, &budget, &model(&lab), &short_ask()).await;

    NO_GUESS.equal("Converse requests", made(&lab, "Converse"), 0);
    let uncounted = matches!(outcome, Err(BudgetError::Count(_)));
    NO_GUESS.holds("the outcome", uncounted, short(&outcome), "Err(Count(…))");
}

fn allow(action: &str) -> Value {
    policy("Allow", action)
}

fn deny(action: &str) -> Value {
    policy("Deny", action)
}

fn policy(effect: &str, action: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": effect, "Action": action, "Resource": "*" }],
    })
}

#[tokio::test]
async fn a_call_that_fails_gives_its_reservation_back() {
    const BACK: Point = Point::restraint(
        "008/18",
        "a refused call costs nothing; a budget that keeps the money is empty after a bad hour",
        "README.md \"Settling\" · workshop hint 008 3",
    );
    let lab = Lab::start().await;
    lab.set_policies([allow("*"), deny("bedrock:InvokeModel")]);
    let budget = Budget::new(MicroUsd(10_000));
    let outcome = asked(&lab, &budget, &model(&lab), &short_ask()).await;

    let denied = matches!(outcome, Err(BudgetError::Sdk(_)));
    BACK.holds("the outcome", denied, short(&outcome), "Err(Sdk(…))");
    BACK.equal("Converse requests", made(&lab, "Converse"), 1);
    BACK.equal("spent, after a 403", budget.spent(), MicroUsd(0));
    BACK.equal("left, after a 403", left(&budget), Some(MicroUsd(10_000)));
}

/// The answers of this lab wait at a gate.
fn hold_answers(lab: &Lab) {
    let answer = Step::Say(vec![
        Piece::Gate("answers".into()),
        Piece::Text("Normal.".into()),
        Piece::Usage {
            input: 31,
            output: 3,
        },
    ]);
    lab.rules([Rule::when(When::any()).then_always(answer)]);
}

/// How many answers wait there.
fn held(lab: &Lab) -> usize {
    let gates = lab.gates().list();
    let gate = gates.iter().find(|gate| gate.name == "answers");
    gate.map_or(0, |gate| gate.waiting)
}

type Asks = JoinSet<Result<(Reply, MicroUsd), BudgetError>>;

/// Another caller of the same budget, at the same time.
fn spawn(asks: &mut Asks, client: &Client, budget: &Arc<Budget>, model: &Model) {
    let (client, budget, model) = (client.clone(), Arc::clone(budget), model.clone());
    asks.spawn(async move { ask_within(&client, &budget, &model, &short_ask()).await });
}

#[tokio::test]
async fn of_ten_at_once_as_many_ask_as_there_is_room_for() {
    const ROOM: Point = Point::restraint(
        "008/19",
        "ten callers looked, ten saw enough left, ten asked: that is how limits are broken at night",
        "README.md \"Reserving\" · workshop hint 008 1",
    );
    let lab = Lab::start().await;
    hold_answers(&lab);
    let (model, ask) = (model(&lab), short_ask());
    let worst = worth(&[
        (tokens(&lab, &ask).await, PRICE.input),
        (ask.max_tokens, PRICE.output),
    ]);
    // Room for three, and for half of a fourth.
    let budget = Arc::new(Budget::new(MicroUsd(worst.0 * 7 / 2)));
    let client = lab.client_at(&BUDGET);
    let mut asks = JoinSet::new();
    for _ in 0..10 {
        spawn(&mut asks, &client, &budget, &model);
    }
    // Nobody is answered yet. Each of the ten was refused by the budget, or waits for the model.
    let mut refused = Vec::new();
    let all_have_decided = async {
        while refused.len() + held(&lab) < 10 {
            match asks.try_join_next() {
                Some(outcome) => refused.push(outcome.expect("no panic")),
                None => tokio::task::yield_now().await,
            }
        }
    };
    within(&ROOM, "ten callers at once", all_have_decided).await;
    ROOM.equal("Converse requests, with room for 3", held(&lab), 3);
    for outcome in &refused {
        let over = matches!(outcome, Err(BudgetError::Over(_)));
        ROOM.holds("one of the others", over, short(outcome), "Err(Over(…))");
        saw(&lab, outcome);
    }

    lab.open_gate("answers");
    let mut paid = 0;
    while let Some(outcome) = within(&ROOM, "an answer", asks.join_next()).await {
        let outcome = outcome.expect("no panic");
        saw(&lab, &outcome);
        paid += outcome.map_or(0, |(_, cost)| cost.0);
    }
    ROOM.equal("Converse requests in all", made(&lab, "Converse"), 3);
    ROOM.equal("spent", budget.spent(), MicroUsd(paid));
}

#[tokio::test]
async fn a_caller_who_goes_away_gives_the_reservation_back() {
    const GONE: Point = Point::restraint(
        "008/20",
        "callers time out and close their browsers; then no line of yours runs, only `drop` does",
        "README.md \"Settling\" · workshop hint 008 3",
    );
    let lab = Lab::start().await;
    hold_answers(&lab);
    let budget = Arc::new(Budget::new(MicroUsd(10_000)));
    let client = lab.client_at(&BUDGET);
    let mut asks = JoinSet::new();
    spawn(&mut asks, &client, &budget, &model(&lab));
    let waits = async {
        while held(&lab) == 0 && asks.try_join_next().is_none() {
            tokio::task::yield_now().await;
        }
    };
    within(&GONE, "the model is asked", waits).await;
    asks.shutdown().await;

    GONE.equal(
        "left, after the caller went",
        left(&budget),
        Some(MicroUsd(10_000)),
    );
}

// What the types promise to those who use them elsewhere.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Budget>();
    let _: fn(&TokenUsage) -> MicroUsd = |usage| PRICE.cost(usage);
};
