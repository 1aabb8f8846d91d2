//! What exercise 007 asks for. Read it: these tests are the exact form of the task.
//!
//! They count what reached Bedrock (WIRE), look at what you returned and kept (RESULT) and at what must
//! not have happened (RESTRAINT). No test measures time: answers wait at gates, and the clock is a
//! number that tests move. The store is the tests' own. It forgets nothing by itself, as a DynamoDB
//! table, which deletes what has expired within days and shows it until then.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::resume_unwind,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use aws_sdk_bedrockruntime::types::ConversationRole;
use bytes::Bytes;
use cache_store::{Store, StoreError};
use ex007::{Ask, AskError, Cached, Guardrail, Now, Reply, Source, Tool, Turn, key};
use tokio::{sync::watch, task::JoinHandle};
use workshop_testkit::{
    Fault, Hop, Lab, Piece, Point, Rule, Step, TraceStatus, When, json, within,
};

const HOUR: Duration = Duration::from_hours(1);

/// How long an answer may take that is there already. Only a wrong solution ever waits that long.
const PATIENCE: Duration = Duration::from_secs(2);

/// The code with the cache in it: it signs as a role of its own.
static CACHE: workshop_testkit::Actor = workshop_testkit::Actor {
    node: "CACHE",
    edges: &[("BR", "CACHE-BR")],
};

type Answered = Result<(Reply, Source), AskError>;

/// A store as DynamoDB is one. Clones are the same.
#[derive(Debug, Clone, Default)]
struct Table(Arc<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    items: Mutex<BTreeMap<String, Bytes>>,
    /// How long each item was to be kept.
    ttls: Mutex<Vec<Duration>>,
    /// Lookups and puts that were answered.
    asked: AtomicUsize,
    /// Whether it is out of order.
    away: AtomicBool,
    /// Whether answers to lookups are held back, after the look itself.
    slow: watch::Sender<bool>,
}

impl Table {
    fn is_away(&self) -> Result<(), StoreError> {
        if self.0.away.load(Ordering::SeqCst) {
            return Err(StoreError {
                doing: "answer",
                because: "connection refused".into(),
            });
        }
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn keys(&self) -> Vec<String> {
        self.0.items.lock().unwrap().keys().cloned().collect()
    }
}

impl Store for Table {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.is_away()?;
        let found = self.0.items.lock().unwrap().get(key).cloned();
        let mut slow = self.0.slow.subscribe();
        let _ = slow.wait_for(|slow| !*slow).await;
        Ok(found)
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        self.is_away()?;
        self.0.ttls.lock().unwrap().push(ttl);
        self.0.items.lock().unwrap().insert(key.to_owned(), value);
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.is_away()?;
        self.0.items.lock().unwrap().remove(key);
        Ok(())
    }
}

/// A lab, a store, a clock and your cache between them.
struct Bench {
    lab: Lab,
    table: Table,
    seconds: Arc<AtomicU64>,
    cached: Arc<Cached<Table>>,
}

impl Bench {
    async fn new() -> Self {
        let (lab, table) = (Lab::start().await, Table::default());
        let seconds = Arc::new(AtomicU64::new(1_787_150_074));
        let cached = process(&lab, &table, &seconds);
        Self {
            lab,
            table,
            seconds,
            cached,
        }
    }

    /// The same service in another process: the store and the time are the same.
    fn another_process(&self) -> Arc<Cached<Table>> {
        process(&self.lab, &self.table, &self.seconds)
    }

    /// A question that says all that has to be said and no more.
    fn question(&self) -> Ask {
        Ask {
            tenant: "acme".to_owned(),
            model: self.lab.profile("haiku"),
            system: Some("Answer in one word.".to_owned()),
            messages: vec![says(
                ConversationRole::User,
                "Which river flows through Ulm?",
            )],
            // Room enough for whatever the emulator says: what is cut off is not kept.
            max_tokens: 4000,
            temperature: None,
            guardrail: None,
            tools: Vec::new(),
        }
    }

    /// Asks, and waits for the answer.
    async fn asked(&self, point: &Point, ask: &Ask) -> Answered {
        self.asked_of(&self.cached, point, ask).await
    }

    async fn asked_of(&self, cached: &Cached<Table>, point: &Point, ask: &Ask) -> Answered {
        let before = self.table.0.asked.load(Ordering::SeqCst);
        let answered = within(point, "ask(…)", cached.ask(ask, HOUR)).await;
        self.light(before, &answered);
        answered
    }

    /// Begins to ask, in a task of its own: it goes on whenever the test waits for something.
    async fn asking(&self, ask: &Ask) -> JoinHandle<Answered> {
        let (cached, ask) = (Arc::clone(&self.cached), ask.clone());
        let task = tokio::spawn(async move { cached.ask(&ask, HOUR).await });
        // Everything else there is to do comes before the test's next line.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        if !task.is_finished() {
            return task;
        }
        match task.await {
            Ok(answered) => tokio::spawn(async { answered }),
            Err(died) => resume_unwind(died.into_panic()),
        }
    }

    /// The outcome of what was begun.
    async fn landed(&self, point: &Point, what: &str, task: JoinHandle<Answered>) -> Answered {
        let before = self.table.0.asked.load(Ordering::SeqCst);
        match within(point, what, task).await {
            Ok(answered) => {
                self.light(before, &answered);
                answered
            }
            Err(died) => resume_unwind(died.into_panic()),
        }
    }

    /// Until so many calls wait at a gate of Bedrock's.
    async fn until_waiting(&self, point: &Point, gate: &str) {
        let gates = self.lab.gates();
        let look = async {
            while !gates.list().iter().any(|g| g.name == gate && g.waiting > 0) {
                tokio::task::yield_now().await;
            }
        };
        within(point, "a call to Bedrock", look).await;
    }

    fn calls(&self) -> usize {
        self.lab.calls().len()
    }

    /// What the diagram shows of an ask: its own answer, and the store if that was asked.
    fn light(&self, before: usize, answered: &Answered) {
        let status = match answered {
            Ok(_) => 200,
            Err(AskError::Sdk(error)) => error.raw_response().map_or(502, |r| r.status().as_u16()),
            Err(AskError::NotAMessage) => 502,
        };
        let (what, request_id) = ("ask", "ask");
        if self.table.0.asked.load(Ordering::SeqCst) > before {
            self.lab.saw(Hop {
                from: "CACHE",
                to: "STORE",
                what: "get or put",
                status: 200,
                request_id,
            });
        }
        self.lab.saw(Hop {
            from: "CLIENT",
            to: "CACHE",
            what,
            status,
            request_id,
        });
    }
}

fn process(lab: &Lab, table: &Table, seconds: &Arc<AtomicU64>) -> Arc<Cached<Table>> {
    let seconds = Arc::clone(seconds);
    let now = Now::new(move || UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::SeqCst)));
    Arc::new(Cached::new(lab.client_at(&CACHE), table.clone(), now))
}

fn says(role: ConversationRole, text: &str) -> Turn {
    Turn {
        role,
        text: text.to_owned(),
    }
}

fn tool(name: &str, description: &str) -> Tool {
    Tool {
        name: name.to_owned(),
        description: description.to_owned(),
        input: json!({ "type": "object", "properties": { "place": { "type": "string" } } }),
    }
}

/// An answer that waits at the gate.
fn gated(gate: &str, pieces: impl IntoIterator<Item = Piece>) -> Step {
    let gate = Piece::Gate(gate.to_owned());
    Step::Say([gate].into_iter().chain(pieces).collect())
}

fn always(step: Step) -> Rule {
    Rule::when(When::any()).then_always(step)
}

/// An outcome in one line: an `SdkError` prints the whole HTTP exchange.
fn short(answered: &Answered) -> String {
    match answered {
        Ok((Reply { text, stop }, source)) => format!("{source:?}: {text:?}, stop {stop:?}"),
        Err(AskError::Sdk(error)) => format!("Err(Sdk(…)): {error}"),
        Err(error) => format!("Err({error:?})"),
    }
}

/// The same, after so many calls.
fn after(calls: usize, answered: &Answered) -> String {
    let calls = match calls {
        1 => "1 call".to_owned(),
        n => format!("{n} calls"),
    };
    format!("{calls}; {}", short(answered))
}

fn source(answered: &Answered) -> Option<Source> {
    answered.as_ref().ok().map(|(_, source)| *source)
}

fn text(answered: &Answered) -> Option<&str> {
    answered.as_ref().ok().map(|(reply, _)| reply.text.as_str())
}

// ---- WIRE: what reached Bedrock

#[tokio::test]
async fn the_same_question_is_asked_once() {
    const ONCE: Point = Point::wire(
        "007/2",
        "the second call costs what the first did, takes as long, and says nothing new",
        "README.md \"The task\" · workshop hint 007 1",
    );
    const SAME: Point = Point::result(
        "007/3",
        "whoever reads a kept answer must find what the first reader found, its ending included",
        "README.md \"What is kept\" · workshop hint 007 3",
    );
    let bench = Bench::new().await;
    let ask = bench.question();
    let first = bench.asked(&ONCE, &ask).await;
    let second = bench.asked(&ONCE, &ask).await;

    ONCE.equal("calls to Bedrock after two equal asks", bench.calls(), 1);
    let (first_source, second_source) = (source(&first), source(&second));
    SAME.equal("source of the first", first_source, Some(Source::Miss));
    SAME.equal("source of the second", second_source, Some(Source::Hit));
    let replies = [first, second].map(|answered| answered.ok().map(|(reply, _)| reply));
    let [first, second] = replies;
    SAME.equal("the second reply", second, first);
    let lit = bench.lab.trace();
    let calls = lit.iter().filter(|e| e.edge.as_deref() == Some("CACHE-BR"));
    let green = calls.filter(|e| e.status == TraceStatus::Ok).count();
    ONCE.equal("arrows to Bedrock on the diagram", green, 1);
}

#[tokio::test]
async fn whatever_changes_the_answer_changes_the_question() {
    const ANOTHER: Point = Point::wire(
        "007/4",
        "what the key leaves out cannot be told apart: the next caller reads the wrong answer",
        "README.md \"The key\" · workshop hint 007 1",
    );
    let bench = Bench::new().await;
    bench.lab.rules([always(Step::text("The Danube."))]);
    let ask = bench.question();
    let _ = bench.asked(&ANOTHER, &ask).await;

    let river = "Which river flows through Ulm?";
    let (user, model) = (ConversationRole::User, ConversationRole::Assistant);
    let history = vec![
        says(user.clone(), "Be brief."),
        says(model, "I will."),
        says(user.clone(), river),
    ];
    let guardrail = Guardrail {
        id: "gr0123456789".to_owned(),
        version: "1".to_owned(),
    };
    let q = || ask.clone();
    let others = [
        (
            "model",
            Ask {
                model: bench.lab.profile("sonnet"),
                ..q()
            },
        ),
        (
            "system",
            Ask {
                system: None,
                ..q()
            },
        ),
        (
            "messages: the question",
            Ask {
                messages: vec![says(user, "Which river flows through Prague?")],
                ..q()
            },
        ),
        (
            "messages: what was said before",
            Ask {
                messages: history,
                ..q()
            },
        ),
        (
            "max_tokens",
            Ask {
                max_tokens: 4001,
                ..q()
            },
        ),
        (
            "temperature",
            Ask {
                temperature: Some(0.0),
                ..q()
            },
        ),
        (
            "guardrail",
            Ask {
                guardrail: Some(guardrail),
                ..q()
            },
        ),
        (
            "tools",
            Ask {
                tools: vec![tool("maps", "Finds rivers.")],
                ..q()
            },
        ),
    ];
    for (field, other) in others {
        let before = bench.calls();
        let answered = bench.asked(&ANOTHER, &other).await;
        ANOTHER.holds(
            &format!("an ask with another `{field}`"),
            bench.calls() == before + 1,
            after(bench.calls() - before, &answered),
            "1 call: another question",
        );
    }
}

#[tokio::test]
async fn twenty_at_once_are_one_call() {
    const TOGETHER: Point = Point::wire(
        "007/5",
        "a popular question expires for everybody in one moment: the store is empty for all twenty",
        "README.md \"At once\" · workshop hint 007 2",
    );
    const SHARED: Point = Point::result(
        "007/6",
        "one paid and nineteen waited; whoever counts calls by `source` has to be able to tell",
        "README.md \"At once\" · workshop hint 007 3",
    );
    let bench = Bench::new().await;
    let answer = gated("all twenty have asked", [Piece::Text("The Danube.".into())]);
    bench.lab.rules([always(answer)]);
    let ask = bench.question();
    let mut tasks = Vec::new();
    for _ in 0..20 {
        tasks.push(bench.asking(&ask).await);
    }
    bench
        .until_waiting(&TOGETHER, "all twenty have asked")
        .await;
    bench.lab.open_gate("all twenty have asked");

    let mut sources = BTreeMap::<String, usize>::new();
    let mut texts = BTreeSet::new();
    for task in tasks {
        let answered = bench.landed(&TOGETHER, "one of twenty asks", task).await;
        let source = source(&answered).map(|source| format!("{source:?}"));
        let source = source.unwrap_or_else(|| short(&answered));
        *sources.entry(source).or_default() += 1;
        texts.extend(text(&answered).map(str::to_owned));
    }
    TOGETHER.equal("calls to Bedrock", bench.calls(), 1);
    let wanted = [("Miss".to_owned(), 1), ("Shared".to_owned(), 19)];
    SHARED.equal("sources of twenty asks", sources, BTreeMap::from(wanted));
    SHARED.equal("different texts", texts.len(), 1);
}

#[tokio::test]
async fn processes_share_what_is_kept() {
    const SHARED: Point = Point::wire(
        "007/7",
        "a deployment starts ten empty processes; only what lies outside of them is still there",
        "README.md \"What is kept\" · workshop hint 007 1",
    );
    let bench = Bench::new().await;
    let ask = bench.question();
    let _ = bench.asked(&SHARED, &ask).await;
    let other = bench.another_process();
    let answered = bench.asked_of(&other, &SHARED, &ask).await;

    SHARED.equal("calls to Bedrock by two processes", bench.calls(), 1);
    let wanted = Some(Source::Hit);
    SHARED.equal("source in the second process", source(&answered), wanted);
    SHARED.equal("keys in the store", bench.table.keys(), vec![key(&ask)]);
}

#[tokio::test]
async fn what_is_over_is_asked_for_anew() {
    const FRESH: Point = Point::wire(
        "007/8",
        "stores delete when they have time, DynamoDB within days: an old answer is still found",
        "README.md \"How long\" · workshop hint 007 1",
    );
    const TOLD: Point = Point::result(
        "007/9",
        "the store deletes what it was told to; without that it grows, and you pay for it",
        "README.md \"How long\" · workshop hint 007 3",
    );
    let bench = Bench::new().await;
    let ask = bench.question();
    let _ = bench.asked(&FRESH, &ask).await;
    let just_before = bench.seconds.fetch_add(3599, Ordering::SeqCst);
    let _ = bench.asked(&FRESH, &ask).await;
    let calls = bench.calls();
    FRESH.equal("calls, one second before the hour is over", calls, 1);

    bench.seconds.store(just_before + 3600, Ordering::SeqCst);
    let again = bench.asked(&FRESH, &ask).await;
    FRESH.equal("calls when the hour is over", bench.calls(), 2);
    FRESH.equal("source then", source(&again), Some(Source::Miss));
    // The new answer stands for an hour of its own.
    bench.seconds.fetch_add(3599, Ordering::SeqCst);
    let answered = bench.asked(&FRESH, &ask).await;
    let wanted = Some(Source::Hit);
    FRESH.equal(
        "source, almost another hour later",
        source(&answered),
        wanted,
    );
    let ttls = bench.table.0.ttls.lock().unwrap().clone();
    TOLD.equal("times to live that the store was told", ttls, vec![HOUR; 2]);
}

#[tokio::test]
async fn only_a_whole_answer_is_kept() {
    const WHOLE: Point = Point::wire(
        "007/10",
        "an answer that is cut off or blocked is bad luck once; kept, it is everybody's for an hour",
        "README.md \"What is kept\" · workshop hint 007 1",
    );
    const HANDED_ON: Point = Point::result(
        "007/11",
        "an answer that is not kept is an answer still: the caller decides what to do with it",
        "README.md \"What is kept\" · workshop hint 007 1",
    );
    let bench = Bench::new().await;
    for stop in [
        "max_tokens",
        "model_context_window_exceeded",
        "guardrail_intervened",
        "content_filtered",
        "tool_use",
        "malformed_tool_use",
        "invented_next_year",
    ] {
        let half = vec![Piece::Text("The Dan".into()), Piece::Stop(stop.into())];
        bench.lab.script([Step::Say(half)]);
        let ask = Ask {
            messages: vec![says(ConversationRole::User, stop)],
            ..bench.question()
        };
        let before = bench.calls();
        let answered = bench.asked(&HANDED_ON, &ask).await;
        let stopped = answered.as_ref().ok().map(|(reply, _)| reply.stop.as_str());
        HANDED_ON.holds("stop", stopped == Some(stop), short(&answered), stop);
        let answered = bench.asked(&WHOLE, &ask).await;
        let calls = bench.calls() - before;
        WHOLE.holds(
            &format!("asked again after an answer with stop {stop}"),
            calls == 2,
            after(calls, &answered),
            "2 calls: the first answer is not kept",
        );
    }
}

#[tokio::test]
async fn what_ended_by_itself_is_kept() {
    const KEPT: Point = Point::wire(
        "007/12",
        "`nothing found` may be a model's whole answer, and its text may be empty: paid for all the same",
        "README.md \"What is kept\" · workshop hint 007 3",
    );
    for (what, text, stop) in [
        (
            "a text that met a stop sequence",
            "The Danube",
            "stop_sequence",
        ),
        ("an empty text", "", "end_turn"),
    ] {
        let bench = Bench::new().await;
        let answer = vec![Piece::Text(text.into()), Piece::Stop(stop.into())];
        bench.lab.script([Step::Say(answer)]);
        let ask = bench.question();
        let first = bench.asked(&KEPT, &ask).await;
        let second = bench.asked(&KEPT, &ask).await;
        KEPT.holds(
            &format!("asked again after {what}"),
            bench.calls() == 1 && source(&second) == Some(Source::Hit),
            after(bench.calls(), &second),
            "1 call: the second answer comes from the store",
        );
        let replies = [first, second].map(|answered| answered.ok().map(|(reply, _)| reply));
        let [first, second] = replies;
        KEPT.equal("the second reply", second, first);
    }
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    const NOT_KEPT: Point = Point::wire(
        "007/13",
        "a throttled second is over in a second; kept, it would last an hour",
        "README.md \"When it fails\" · workshop hint 007 1",
    );
    let bench = Bench::new().await;
    let throttling = Fault::Throttling {
        retry_after_ms: None,
    };
    bench.lab.script([Step::Fault(throttling)]);
    let ask = bench.question();
    let first = bench.asked(&NOT_KEPT, &ask).await;
    let failed = matches!(&first, Err(AskError::Sdk(error))
        if error.as_service_error().is_some_and(|e| e.is_throttling_exception()));
    NOT_KEPT.holds(
        "a throttled ask",
        failed,
        short(&first),
        "Err(Sdk(…)), whole",
    );
    let second = bench.asked(&NOT_KEPT, &ask).await;
    NOT_KEPT.holds(
        "asked again after a ThrottlingException",
        bench.calls() == 2 && source(&second) == Some(Source::Miss),
        after(bench.calls(), &second),
        "2 calls, and an answer",
    );
}

// ---- RESULT: what a question is called

#[tokio::test]
async fn keys_of_two_questions_differ() {
    const APART: Point = Point::result(
        "007/14",
        "texts that are only joined run into each other, whatever stands between them",
        "README.md \"The key\" · workshop hint 007 2",
    );
    let bench = Bench::new().await;
    let q = || bench.question();
    let user = |text: &str| says(ConversationRole::User, text);
    let model = |text: &str| says(ConversationRole::Assistant, text);
    let mut pairs = vec![
        (
            "messages: where one ends and the next begins",
            Ask {
                messages: vec![user("ab"), model("c"), user("d")],
                ..q()
            },
            Ask {
                messages: vec![user("a"), model("bc"), user("d")],
                ..q()
            },
        ),
        (
            "messages: who said it",
            Ask {
                messages: vec![user("a"), model("b"), user("c")],
                ..q()
            },
            Ask {
                messages: vec![user("a"), user("b"), user("c")],
                ..q()
            },
        ),
        (
            "system: none, and an empty one",
            Ask {
                system: None,
                ..q()
            },
            Ask {
                system: Some(String::new()),
                ..q()
            },
        ),
        (
            "temperature: 0.2 and 0.25",
            Ask {
                temperature: Some(0.2),
                ..q()
            },
            Ask {
                temperature: Some(0.25),
                ..q()
            },
        ),
        (
            "tools: what one is for",
            Ask {
                tools: vec![tool("maps", "Finds rivers.")],
                ..q()
            },
            Ask {
                tools: vec![tool("maps", "Finds towns.")],
                ..q()
            },
        ),
    ];
    let mut other_schema = tool("maps", "Finds rivers.");
    other_schema.input["properties"]["place"]["type"] = json!("integer");
    pairs.push((
        "tools: what one takes",
        Ask {
            tools: vec![tool("maps", "Finds rivers.")],
            ..q()
        },
        Ask {
            tools: vec![other_schema],
            ..q()
        },
    ));
    let guarded = |id: &str, version: &str| Ask {
        guardrail: Some(Guardrail {
            id: id.to_owned(),
            version: version.to_owned(),
        }),
        ..q()
    };
    let (first, second) = (guarded("gr1", "12"), guarded("gr11", "2"));
    pairs.push(("guardrail: where its id ends", first, second));
    let (first, second) = (guarded("gr1", "1"), guarded("gr1", "2"));
    pairs.push(("guardrail: its version", first, second));
    let (first, second) = (guarded("gr1", "1"), guarded("gr2", "1"));
    pairs.push(("guardrail: which one", first, second));
    let offered = |names: &[&str]| Ask {
        tools: names.iter().map(|n| tool(n, "Finds rivers.")).collect(),
        ..q()
    };
    let (first, second) = (offered(&["maps"]), offered(&["atlas"]));
    pairs.push(("tools: what one is called", first, second));
    let (first, second) = (offered(&["maps"]), offered(&["maps", "atlas"]));
    pairs.push(("tools: one more", first, second));
    // Whatever is put between two texts may stand in them, too.
    for between in [
        "", "|", ":", "/", ",", "-", "#", ".", " ", "\n", "\0", "::", "\",\"",
    ] {
        let (first, second) = (format!("a{between}b"), format!("b{between}c"));
        pairs.push((
            "tenant and model: where one ends and the next begins",
            Ask {
                tenant: first.clone(),
                model: "c".to_owned(),
                ..q()
            },
            Ask {
                tenant: "a".to_owned(),
                model: second.clone(),
                ..q()
            },
        ));
        pairs.push((
            "system and messages: where one ends and the next begins",
            Ask {
                system: Some(first),
                messages: vec![user("c")],
                ..q()
            },
            Ask {
                system: Some("a".to_owned()),
                messages: vec![user(&second)],
                ..q()
            },
        ));
    }
    for (what, one, other) in pairs {
        APART.holds(
            &format!("keys of two questions ({what})"),
            key(&one) != key(&other),
            "the same key",
            "two keys",
        );
    }
}

#[tokio::test]
async fn a_key_tells_nothing() {
    const SILENT: Point = Point::restraint(
        "007/15",
        "keys stand in logs, metrics and consoles, where nobody expects what your users typed",
        "README.md \"The key\" · workshop hint 007 2",
    );
    const LONG: Point = Point::restraint(
        "007/16",
        "of short keys two meet by chance or by intent, and then somebody reads another's answer",
        "README.md \"The key\" · workshop hint 007 2",
    );
    let bench = Bench::new().await;
    let ask = Ask {
        tenant: "tenant-4711".to_owned(),
        system: Some("confidential-instructions".to_owned()),
        messages: vec![says(ConversationRole::User, "my-secret-diagnosis")],
        ..bench.question()
    };
    let key = key(&ask);
    for told in ["tenant-4711", "confidential", "secret", "diagnosis"] {
        SILENT.holds(
            "the key",
            !key.contains(told),
            &key,
            format!("nothing with {told:?} in it"),
        );
    }
    let printable = key.bytes().all(|byte| byte.is_ascii_graphic());
    LONG.holds(
        "the key",
        printable && (43..=200).contains(&key.len()),
        format!("{} characters: {key}", key.chars().count()),
        "43 to 200 printable characters of ASCII: 256 bits, in hex or Base64",
    );
}

// ---- RESTRAINT: what must not happen

#[tokio::test]
async fn a_tenant_never_reads_anothers_answer() {
    const OWN: Point = Point::restraint(
        "007/17",
        "the same words mean another contract, another patient: one customer's answer at another's",
        "README.md \"The key\" · workshop hint 007 1",
    );
    let bench = Bench::new().await;
    bench
        .lab
        .script([Step::text("for acme"), Step::text("for globex")]);
    let ask = bench.question();
    let theirs = Ask {
        tenant: "globex".to_owned(),
        ..ask.clone()
    };
    let first = bench.asked(&OWN, &ask).await;
    let second = bench.asked(&OWN, &theirs).await;
    let third = bench.asked(&OWN, &ask).await;
    let read = [&first, &second, &third].map(|answered| text(answered).unwrap_or_default());
    OWN.equal(
        "what acme, globex and acme again read",
        read,
        ["for acme", "for globex", "for acme"],
    );
}

#[tokio::test]
async fn a_failure_is_for_all_who_waited() {
    const TOGETHER: Point = Point::restraint(
        "007/18",
        "what just failed will fail again: whoever waited must not ask one after the other",
        "README.md \"When it fails\" · workshop hint 007 2",
    );
    let bench = Bench::new().await;
    let broken = gated("all five have asked", [Piece::Cut]);
    bench.lab.rules([always(broken)]);
    let ask = bench.question();
    let mut tasks = Vec::new();
    for _ in 0..5 {
        tasks.push(bench.asking(&ask).await);
    }
    bench.until_waiting(&TOGETHER, "all five have asked").await;
    bench.lab.open_gate("all five have asked");
    for task in tasks {
        let answered = bench.landed(&TOGETHER, "one of five asks", task).await;
        let failed = matches!(&answered, Err(AskError::Sdk(_)));
        TOGETHER.holds("one of five asks", failed, short(&answered), "Err(Sdk(…))");
    }
    TOGETHER.equal("calls to Bedrock", bench.calls(), 1);
}

#[tokio::test]
async fn who_gives_up_takes_nobody_along() {
    const GOES_ON: Point = Point::restraint(
        "007/19",
        "a browser tab is closed, and its request is dropped: a stranger's answer must still come",
        "README.md \"At once\" · workshop hint 007 2",
    );
    let bench = Bench::new().await;
    let answer = gated(
        "the first has given up",
        [Piece::Text("The Danube.".into())],
    );
    bench.lab.rules([always(answer)]);
    let ask = bench.question();
    let first = bench.asking(&ask).await;
    bench
        .until_waiting(&GOES_ON, "the first has given up")
        .await;
    let second = bench.asking(&ask).await;
    first.abort();
    bench.lab.open_gate("the first has given up");

    let what = "the ask of another caller who waited";
    let Ok(answered) = tokio::time::timeout(PATIENCE, bench.landed(&GOES_ON, what, second)).await
    else {
        GOES_ON.fail(
            what,
            "still waiting, for somebody who is gone",
            "the answer",
        );
    };
    let answer = text(&answered) == Some("The Danube.");
    GOES_ON.holds(what, answer, short(&answered), "the answer");
    GOES_ON.holds(
        "calls to Bedrock",
        bench.calls() <= 2,
        bench.calls(),
        "1 or 2",
    );
}

#[tokio::test]
async fn a_question_that_everybody_gave_up_can_be_asked_again() {
    const FREE: Point = Point::restraint(
        "007/20",
        "what a dropped request leaves behind must not lock a question until the next deployment",
        "README.md \"At once\" · workshop hint 007 2",
    );
    let bench = Bench::new().await;
    let answer = gated("it was given up", [Piece::Text("The Danube.".into())]);
    bench.lab.rules([always(answer)]);
    let ask = bench.question();
    let first = bench.asking(&ask).await;
    bench.until_waiting(&FREE, "it was given up").await;
    first.abort();
    let gone = within(&FREE, "the end of a dropped ask", first).await;
    assert!(gone.is_err_and(|end| end.is_cancelled()), "it was dropped");
    bench.lab.open_gate("it was given up");

    let later = bench.asking(&ask).await;
    let limit = tokio::time::timeout(PATIENCE, later);
    let Ok(landed) = limit.await else {
        FREE.fail(
            "the same question, after its only caller had given up",
            "still waiting, for somebody who is gone",
            "an answer",
        );
    };
    let answered = landed.unwrap_or_else(|died| resume_unwind(died.into_panic()));
    let answer = text(&answered) == Some("The Danube.");
    FREE.holds("the answer", answer, short(&answered), "the answer");
}

#[tokio::test]
async fn a_late_look_asks_nobody_twice() {
    const LATE: Point = Point::restraint(
        "007/21",
        "between the look into the store and the call lies time, in which the answer may have come",
        "README.md \"At once\" · workshop hint 007 3",
    );
    let bench = Bench::new().await;
    let answer = gated("the second has looked", [Piece::Text("The Danube.".into())]);
    bench.lab.rules([always(answer)]);
    let ask = bench.question();
    let first = bench.asking(&ask).await;
    bench.until_waiting(&LATE, "the second has looked").await;
    // If the second looks by itself, it sees an empty store, and learns so when the first has landed.
    bench.table.0.slow.send_replace(true);
    let second = bench.asking(&ask).await;
    bench.lab.open_gate("the second has looked");
    let _ = bench.landed(&LATE, "the first ask", first).await;
    bench.table.0.slow.send_replace(false);
    let answered = bench.landed(&LATE, "the second ask", second).await;
    LATE.holds(
        "two asks, the second of which found the store empty",
        bench.calls() == 1,
        after(bench.calls(), &answered),
        "1 call",
    );
}

#[tokio::test]
async fn a_store_that_is_away_costs_money_and_no_answer() {
    const AWAY: Point = Point::restraint(
        "007/22",
        "the cache is there to save money; a service that stops without it has one more way to stop",
        "README.md \"When it fails\" · workshop hint 007 1",
    );
    const STRANGE: Point = Point::restraint(
        "007/23",
        "yesterday's release wrote items in another form; today's finds them and must not fall over",
        "README.md \"When it fails\" · workshop hint 007 3",
    );
    let bench = Bench::new().await;
    bench.lab.rules([always(Step::text("The Danube."))]);
    let ask = bench.question();
    bench.table.0.away.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let answered = bench.asked(&AWAY, &ask).await;
        let asked = source(&answered) == Some(Source::Miss);
        AWAY.holds(
            "an ask without a store",
            asked,
            short(&answered),
            "Ok, a Miss",
        );
    }
    bench.table.0.away.store(false, Ordering::SeqCst);

    for item in [
        &b""[..],
        b"{",
        b"null",
        b"The Danube.",
        b"\xff\xfe",
        b"{\"text\":\"old\"}",
    ] {
        let strange = Bytes::from_static(item);
        bench
            .table
            .0
            .items
            .lock()
            .unwrap()
            .insert(key(&ask), strange);
        let answered = bench.asked(&STRANGE, &ask).await;
        let asked = source(&answered) == Some(Source::Miss);
        STRANGE.holds(
            &format!("with {:?} in the store", String::from_utf8_lossy(item)),
            asked,
            short(&answered),
            "Ok, a Miss",
        );
    }
}
