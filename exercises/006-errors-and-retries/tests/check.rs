//! What exercise 006 asks for. Read it: these tests are the exact form of the task.
//!
//! They look at what left your process (WIRE), at what your functions returned (RESULT) and at what
//! must not have happened (RESTRAINT). Nothing here waits: pauses are waited out in the tests' own
//! time, which stands still until your code asks it to pass.

use std::{
    collections::BTreeSet,
    future::{Future, poll_fn},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::Poll,
    time::Duration,
};

use ex006::{
    AskError, Fault, Policy, Reply, Timing, ask_retrying, classify, request, with_backoff,
};
use workshop_testkit::{
    Actor, Call, Fault as Answer, Hop, Lab, Point, Step,
    bedrock::{
        Client,
        config::{http::HttpResponse, retry::RetryConfig, timeout::TimeoutConfig},
        error::{ErrorMetadata, SdkError},
        operation::converse::ConverseError,
        types::error::ThrottlingException,
    },
    within,
};

const PROMPT: &str = "Name a river.";

/// Short pauses that soon are long ones, and time for all of them.
const POLICY: Policy = Policy {
    max_attempts: 5,
    base: Duration::from_millis(100),
    cap: Duration::from_secs(20),
    deadline: Duration::from_hours(1),
};

/// The largest random number there is, and for pauses in whole milliseconds as good as 1.
const ALMOST_ONE: f64 = 0.999_999_999;

/// The SDK, as the diagram draws it: what reaches Bedrock comes out of it.
static SDK: Actor = Actor {
    node: "SDK",
    edges: &[("BR", "SDK-BR")],
};

/// A test's own time: it passes when somebody sleeps, and at once.
struct TestTime {
    random: f64,
    state: Mutex<(Duration, Vec<Duration>)>,
}

impl TestTime {
    fn with(random: f64) -> Self {
        Self {
            random,
            state: Mutex::default(),
        }
    }

    /// Time passes without a pause: somebody works.
    fn pass(&self, time: Duration) {
        self.state.lock().unwrap().0 += time;
    }

    /// The pauses so far, to the millisecond. A pause of nothing is no pause.
    fn pauses(&self) -> Vec<u128> {
        let state = self.state.lock().unwrap();
        let whole = |pause: &Duration| (*pause + Duration::from_micros(500)).as_millis();
        state.1.iter().map(whole).filter(|ms| *ms > 0).collect()
    }
}

impl Timing for TestTime {
    fn now(&self) -> Duration {
        self.state.lock().unwrap().0
    }

    async fn sleep(&self, pause: Duration) {
        tokio::task::yield_now().await;
        let mut state = self.state.lock().unwrap();
        state.0 += pause;
        state.1.push(pause);
    }

    fn random(&self) -> f64 {
        self.random
    }
}

/// A failure of no service: just what it is to be taken for.
#[derive(Debug, PartialEq)]
struct Failed {
    fault: Fault,
    attempt: u32,
}

/// What became of a call of `with_backoff`.
struct Run {
    attempts: u32,
    pauses: Vec<u128>,
    /// When it was over.
    end: Duration,
    outcome: Result<u32, Failed>,
}

/// Calls `with_backoff` with attempts that fail with `fault` so often, each after `work`, and then
/// succeed with their number.
async fn run(
    point: &Point,
    policy: Policy,
    random: f64,
    (fails, fault): (u32, Fault),
    work: Duration,
) -> Run {
    let time = TestTime::with(random);
    // The clock began long before this call.
    let begin = Duration::from_mins(30);
    time.pass(begin);
    let mut attempts = 0;
    let attempt = || {
        attempts += 1;
        let (time, attempt) = (&time, attempts);
        async move {
            time.pass(work);
            if attempt > 100 {
                point.fail("attempts", "more than 100", "an end, long before that");
            }
            if attempt > fails {
                Ok(attempt)
            } else {
                Err(Failed { fault, attempt })
            }
        }
    };
    let call = with_backoff(&policy, &time, |failed: &Failed| failed.fault, attempt);
    let outcome = within(point, "with_backoff(…)", call).await;
    Run {
        attempts,
        pauses: time.pauses(),
        end: time.now().saturating_sub(begin),
        outcome,
    }
}

/// One call of `ask_retrying` in the tests' own time, the requests that arrived meanwhile, and light
/// on the diagram from what was seen.
async fn asked(
    lab: &Lab,
    client: &Client,
    policy: Policy,
    point: &Point,
) -> (Result<Reply, AskError>, Vec<Call>) {
    let before = lab.calls().len();
    let (time, model) = (TestTime::with(0.5), lab.profile("haiku"));
    let call = ask_retrying(client, &policy, &time, &model, PROMPT, 64);
    let outcome = within(point, "ask_retrying(…)", call).await;
    let calls = lab.calls().split_off(before);
    light(lab, &calls, outcome.is_ok());
    (outcome, calls)
}

/// One light for each try (the SDK gives every logical call an invocation id), one for the question.
fn light(lab: &Lab, calls: &[Call], answered: bool) {
    let tries = calls.chunk_by(|call, next| call.invocation == next.invocation);
    for last in tries.filter_map(<[Call]>::last) {
        lab.saw(Hop {
            from: "LOOP",
            to: "SDK",
            what: "a try",
            status: last.status,
            request_id: &last.request_id,
        });
    }
    if let Some(call) = calls.last() {
        lab.saw(Hop {
            from: "CLIENT",
            to: "LOOP",
            what: "a question",
            status: if answered { 200 } else { call.status },
            request_id: &call.request_id,
        });
    }
}

/// An outcome in one line: an `SdkError` prints the whole HTTP exchange.
fn short(outcome: &Result<Reply, AskError>) -> String {
    match outcome {
        Ok(reply) => format!("{reply:?}"),
        Err(error) => format!(
            "AskError after {} attempts: {}",
            error.attempts, error.source
        ),
    }
}

fn throttled() -> Answer {
    Answer::Throttling {
        retry_after_ms: None,
    }
}

/// The error of one request, sent without any retries.
async fn failure(lab: &Lab, client: &Client, point: &Point) -> SdkError<ConverseError> {
    let send = request(client, &lab.profile("haiku"), PROMPT, 64).send();
    let answered = within(point, "one request", send).await;
    answered.expect_err("the lab was told to fail")
}

// ---- WIRE: what left the process

#[tokio::test]
async fn a_throttled_question_is_asked_until_it_is_answered() {
    const AGAIN: Point = Point::wire(
        "006/4",
        "a throttled request has cost nothing and reached no model; a second later it may pass",
        "README.md \"The loop\" · workshop hint 006 3",
    );
    const REPLY: Point = Point::result(
        "006/5",
        "who counts tries sees a quota run short days before users do",
        "README.md \"The question\" · workshop hint 006 3",
    );
    let lab = Lab::start().await;
    let fault = Step::Fault(throttled());
    lab.script([fault.clone(), fault, Step::text("The Rhine.")]);
    let (outcome, calls) = asked(&lab, &lab.client_at(&SDK), POLICY, &AGAIN).await;

    let answers: Vec<u16> = calls.iter().map(|call| call.status).collect();
    AGAIN.equal("answers of Bedrock", answers, vec![429, 429, 200]);
    let (model, limit) = (&calls[2].model, calls[2].body_at("/inferenceConfig"));
    let first = (&calls[0].model, calls[0].body_at("/inferenceConfig"));
    AGAIN.equal("model and limit of the third try", (model, limit), first);
    let answer = calls[2].answer.clone().unwrap_or_default();
    let whole = outcome.as_ref().is_ok_and(|reply| {
        *reply
            == Reply {
                text: answer,
                attempts: 3,
            }
    });
    REPLY.holds(
        "reply",
        whole,
        short(&outcome),
        "the third answer's text, attempts: 3",
    );
}

#[tokio::test]
async fn what_heals_by_waiting_is_told_from_the_rest() {
    const HEALS: Point = Point::wire(
        "006/6",
        "who gives up at once shows users what a second would have healed; the SDK does so after a 408",
        "README.md \"Which failures heal\" · workshop hint 006 1",
    );
    let lab = Lab::start().await;
    let throttling = Fault::Throttled { retry_after: None };
    for (answer, wanted) in [
        (throttled(), throttling),
        (Answer::ModelNotReady, throttling),
        (Answer::ServiceUnavailable, Fault::Transient),
        (Answer::InternalServer, Fault::Transient),
        (Answer::ModelTimeout, Fault::Transient),
        (Answer::Disconnect, Fault::Transient),
    ] {
        lab.script([Step::Fault(answer.clone())]);
        let error = failure(&lab, &lab.client(), &HEALS).await;
        HEALS.equal(
            &format!("classify after {answer:?}"),
            classify(&error),
            wanted,
        );
    }

    lab.script([Step::Fault(Answer::Hang)]);
    let client = lab.client_with(|config| {
        let patience =
            TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(20));
        config.timeout_config(patience.build())
    });
    let error = failure(&lab, &client, &HEALS).await;
    HEALS.equal(
        "classify after no answer in time",
        classify(&error),
        Fault::Transient,
    );
}

#[tokio::test]
async fn what_waiting_does_not_heal_is_asked_once() {
    const ONCE: Point = Point::wire(
        "006/7",
        "the same request fails the same way; each repeat hides the real error a little longer",
        "README.md \"Which failures heal\" · workshop hint 006 1",
    );
    for answer in [
        Answer::AccessDenied,
        Answer::Validation("The prompt is too long.".into()),
        Answer::ResourceNotFound("There is no such model.".into()),
        Answer::ModelError,
        Answer::ServiceQuotaExceeded,
    ] {
        let lab = Lab::start().await;
        let name = format!("requests after {answer:?}");
        lab.script(vec![Step::Fault(answer); 5]);
        let (_, calls) = asked(&lab, &lab.client_at(&SDK), POLICY, &ONCE).await;
        ONCE.equal(&name, calls.len(), 1);
    }
}

#[tokio::test]
async fn only_one_layer_retries() {
    const ONE_LAYER: Point = Point::wire(
        "006/8",
        "two layers multiply: three tries of three attempts hit a service that asks for fewer",
        "README.md \"One layer\" · workshop hint 006 2",
    );
    let lab = Lab::start().await;
    lab.script(vec![Step::Fault(Answer::ServiceUnavailable); 20]);
    // A client as most programs have it: nobody has thought about its retries.
    let client = lab.client_with(|config| {
        let quick = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
        config.retry_config(quick)
    });
    let policy = Policy {
        max_attempts: 3,
        ..POLICY
    };
    let (_, calls) = asked(&lab, &client, policy, &ONE_LAYER).await;

    // The SDK gives every logical call an id, and numbers its own attempts.
    let tries: BTreeSet<&str> = calls.iter().map(|call| call.invocation.as_str()).collect();
    ONE_LAYER.holds(
        "requests of one question",
        calls.len() == tries.len() && calls.iter().all(|call| call.attempt == 1),
        format!(
            "{} requests in {} tries: two layers retry",
            calls.len(),
            tries.len()
        ),
        "one request in each try",
    );
}

#[tokio::test]
async fn a_hint_is_read_in_its_own_unit() {
    const HINT: Point = Point::wire(
        "006/9",
        "`x-amz-retry-after` counts milliseconds, `retry-after` seconds; or it is a date, or nonsense",
        "README.md \"The service's hint\" · workshop hint 006 2",
    );
    let lab = Lab::start().await;
    let answer = Answer::Throttling {
        retry_after_ms: Some(1_500),
    };
    lab.script([Step::Fault(answer)]);
    let error = failure(&lab, &lab.client(), &HINT).await;
    let wanted = Fault::Throttled {
        retry_after: Some(Duration::from_millis(1_500)),
    };
    HINT.equal(
        "classify, x-amz-retry-after: 1500",
        classify(&error),
        wanted,
    );

    // What stands between a client and Bedrock may send the other header. The emulator does not.
    for (value, seconds) in [
        ("2", Some(2)),
        ("0", Some(0)),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-1", None),
        ("", None),
    ] {
        let meta = ErrorMetadata::builder().code("ThrottlingException").build();
        let error = ThrottlingException::builder().meta(meta).build();
        let mut response = HttpResponse::new(429.try_into().expect("a status"), "".into());
        response.headers_mut().insert("retry-after", value);
        let error = SdkError::service_error(ConverseError::ThrottlingException(error), response);
        let wanted = Fault::Throttled {
            retry_after: seconds.map(Duration::from_secs),
        };
        HINT.equal(
            &format!("classify, retry-after: {value}"),
            classify(&error),
            wanted,
        );
    }
}

// ---- RESULT: how long it waits, and when it stops

#[tokio::test]
async fn pauses_double_and_are_jittered() {
    const JITTER: Point = Point::result(
        "006/10",
        "clients that were throttled together come back together, unless chance parts them",
        "README.md \"The pause\" · workshop hint 006 2",
    );
    for (random, wanted) in [
        (0.0, vec![]),
        (0.5, vec![50, 100, 200, 400]),
        (0.99, vec![99, 198, 396, 792]),
    ] {
        let fails = (4, Fault::Transient);
        let run = run(&JITTER, POLICY, random, fails, Duration::ZERO).await;
        JITTER.equal(
            &format!("pauses above 0 ms, random number {random}"),
            run.pauses,
            wanted,
        );
    }
}

#[tokio::test]
async fn no_pause_is_longer_than_the_cap() {
    const CAP: Point = Point::result(
        "006/11",
        "what doubles ten times is a thousand times as long; by then nobody waits for the answer",
        "README.md \"The pause\" · workshop hint 006 2",
    );
    let policy = Policy {
        max_attempts: 50,
        cap: Duration::from_millis(400),
        ..POLICY
    };
    let fails = (40, Fault::Transient);
    let run = run(&CAP, policy, ALMOST_ONE, fails, Duration::ZERO).await;
    let mut wanted = vec![100, 200];
    wanted.resize(40, 400);
    CAP.equal("pauses in ms, cap 400", run.pauses, wanted);
}

#[tokio::test]
async fn the_services_hint_is_the_least_pause() {
    const AT_LEAST: Point = Point::result(
        "006/12",
        "the service knows when it has room again; who comes earlier is turned away again",
        "README.md \"The service's hint\" · workshop hint 006 2",
    );
    let hint = |ms| Fault::Throttled {
        retry_after: Some(Duration::from_millis(ms)),
    };
    for (ms, random, wanted) in [
        (900, 0.0, [900, 900, 900]),
        // A hint is no cap, and the cap is none for the hint.
        (150, ALMOST_ONE, [150, 200, 400]),
        (60_000, ALMOST_ONE, [60_000; 3]),
    ] {
        let run = run(&AT_LEAST, POLICY, random, (3, hint(ms)), Duration::ZERO).await;
        AT_LEAST.equal(
            &format!("pauses in ms, hint {ms}"),
            run.pauses,
            wanted.to_vec(),
        );
    }
}

#[tokio::test]
async fn after_the_deadline_nobody_waits() {
    const IN_TIME: Point = Point::result(
        "006/13",
        "behind you somebody waits with a limit of their own; a later answer is paid for and lost",
        "README.md \"The end\" · workshop hint 006 3",
    );
    let policy = Policy {
        max_attempts: 50,
        deadline: Duration::from_secs(1),
        ..POLICY
    };
    let millis = Duration::from_millis;
    let hint = |time| Fault::Throttled {
        retry_after: Some(time),
    };
    for (name, work, fault, pauses, attempts, end) in [
        // 100 + 200 + 400 = 700; the next 800 would end after 1,000.
        (
            "pauses alone",
            0,
            Fault::Transient,
            vec![100, 200, 400],
            4,
            700,
        ),
        // Each try takes 250: 250, 350, 600, 800, then 1,050 and no more pauses.
        (
            "slow tries",
            250,
            Fault::Transient,
            vec![100, 200],
            3,
            1_050,
        ),
        (
            "a hint that fits",
            0,
            hint(millis(1_000)),
            vec![1_000],
            2,
            1_000,
        ),
        ("a hint that does not", 0, hint(millis(1_001)), vec![], 1, 0),
        ("an endless hint", 0, hint(Duration::MAX), vec![], 1, 0),
    ] {
        let fails = (100, fault);
        let run = run(&IN_TIME, policy, ALMOST_ONE, fails, millis(work)).await;
        let end_ms = (run.end + Duration::from_micros(500)).as_millis();
        IN_TIME.equal(
            &format!("(pauses in ms, tries, end) with {name}, deadline 1000"),
            (run.pauses, run.attempts, end_ms),
            (pauses, attempts, end),
        );
    }
}

#[tokio::test]
async fn the_number_of_attempts_counts_all_of_them() {
    const COUNT: Point = Point::result(
        "006/14",
        "an attempt is a request: one more is a third more load in the worst moment",
        "README.md \"The end\" · workshop hint 006 3",
    );
    const LAST: Point = Point::result(
        "006/15",
        "what was tried and how it ended is all that whoever is on call has",
        "README.md \"The question\" · workshop hint 006 3",
    );
    let policy = |max_attempts| Policy {
        max_attempts,
        ..POLICY
    };
    for max_attempts in [1, 2, 4] {
        let fails = (100, Fault::Transient);
        let policy = policy(max_attempts);
        let run = run(&COUNT, policy, 0.5, fails, Duration::ZERO).await;
        let name = format!("attempts, max_attempts {max_attempts}");
        COUNT.equal(&name, run.attempts, max_attempts);
        let last = Failed {
            fault: Fault::Transient,
            attempt: max_attempts,
        };
        LAST.equal("with_backoff(…)", run.outcome, Err(last));
    }

    let lab = Lab::start().await;
    let faults = [
        Answer::ServiceUnavailable,
        Answer::ServiceUnavailable,
        throttled(),
    ];
    lab.script(faults.map(Step::Fault));
    let (outcome, _) = asked(&lab, &lab.client_at(&SDK), policy(3), &LAST).await;
    let told = outcome.as_ref().is_err_and(|error| {
        let service = error.source.as_service_error();
        error.attempts == 3 && service.is_some_and(ConverseError::is_throttling_exception)
    });
    LAST.holds(
        "after 503, 503, 429 and max_attempts 3",
        told,
        short(&outcome),
        "AskError with attempts 3 and the ThrottlingException",
    );
}

#[tokio::test]
async fn a_policy_of_no_attempts_still_asks_once() {
    const AT_LEAST_ONCE: Point = Point::result(
        "006/16",
        "0 comes from somebody's settings; no question, no answer and no error is the worst of all",
        "README.md \"The end\" · workshop hint 006 3",
    );
    let policy = Policy {
        max_attempts: 0,
        ..POLICY
    };
    // In a task of its own, as a server would run it.
    let task = tokio::spawn(async move {
        let succeeds = (0, Fault::Transient);
        run(&AT_LEAST_ONCE, policy, 0.5, succeeds, Duration::ZERO).await
    });
    let outcome = match task.await {
        Ok(run) => format!("{:?}", run.outcome),
        Err(_) => "a panic".to_owned(),
    };
    AT_LEAST_ONCE.holds(
        "with_backoff(…), max_attempts 0",
        outcome == "Ok(1)",
        outcome,
        "Ok(1), the first attempt's value",
    );
}

// ---- RESTRAINT: what must not happen

#[tokio::test]
async fn after_the_last_attempt_nobody_pauses() {
    const NO_PAUSE: Point = Point::restraint(
        "006/17",
        "a pause before giving up only delays the bad news, by the longest pause of all",
        "README.md \"The end\" · workshop hint 006 3",
    );
    let policy = Policy {
        max_attempts: 4,
        ..POLICY
    };
    let fails = (100, Fault::Transient);
    let run = run(&NO_PAUSE, policy, ALMOST_ONE, fails, Duration::ZERO).await;
    NO_PAUSE.holds(
        "pauses in ms",
        run.pauses.len() < run.attempts as usize,
        format!("{:?}, and {} attempts", run.pauses, run.attempts),
        "none after the last attempt",
    );
}

#[tokio::test]
async fn what_is_permanent_ends_it() {
    const PERMANENT: Point = Point::restraint(
        "006/18",
        "an error that comes later may be of the other kind; each failure is judged anew",
        "README.md \"The loop\" · workshop hint 006 3",
    );
    let time = TestTime::with(ALMOST_ONE);
    let mut attempts = 0;
    let attempt = || {
        attempts += 1;
        let fault = if attempts == 1 {
            Fault::Transient
        } else {
            Fault::Permanent
        };
        std::future::ready(Err::<(), Fault>(fault))
    };
    let call = with_backoff(&POLICY, &time, |fault: &Fault| *fault, attempt);
    let outcome = within(&PERMANENT, "with_backoff(…)", call).await;
    PERMANENT.equal(
        "(outcome, attempts, pauses) of one transient failure and one permanent",
        (outcome, attempts, time.pauses()),
        (Err(Fault::Permanent), 2, vec![100]),
    );
}

/// Time that passes while somebody else on this thread works.
#[derive(Default)]
struct SharedTime {
    /// What the neighbour has done.
    work: AtomicU32,
    pauses: AtomicU32,
    /// Whether the thread was blocked in a pause.
    blocked: AtomicBool,
}

impl Timing for SharedTime {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> impl Future<Output = ()> + Send {
        let before = self.work.load(Ordering::Relaxed);
        self.pauses.fetch_add(1, Ordering::Relaxed);
        let mut polls = 0;
        poll_fn(move |context| {
            polls += 1;
            if self.work.load(Ordering::Relaxed) > before {
                return Poll::Ready(());
            }
            if polls > 100 {
                self.blocked.store(true, Ordering::Relaxed);
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
    }

    fn random(&self) -> f64 {
        0.5
    }
}

#[tokio::test]
async fn a_pause_leaves_the_thread_to_others() {
    const FREE: Point = Point::restraint(
        "006/19",
        "a thread that sleeps answers nobody: one throttled question then stops all the others",
        "README.md \"The pause\" · workshop hint 006 2",
    );
    let time = SharedTime::default();
    let mut attempts = 0;
    let attempt = || {
        attempts += 1;
        let done = if attempts == 3 { Ok(()) } else { Err(()) };
        std::future::ready(done)
    };
    let retried = with_backoff(&POLICY, &time, |()| Fault::Transient, attempt);
    let neighbour = async {
        loop {
            tokio::task::yield_now().await;
            time.work.fetch_add(1, Ordering::Relaxed);
        }
    };
    tokio::select! {
        biased;
        _ = within(&FREE, "with_backoff(…)", retried) => {}
        () = neighbour => {}
    }
    let asked = time.pauses.load(Ordering::Relaxed);
    FREE.equal("calls of timing.sleep(…)", asked, 2);
    FREE.holds(
        "what else ran on this thread during a pause",
        !time.blocked.load(Ordering::Relaxed),
        "nothing",
        "another task: hand the pause to the runtime with .await",
    );
}
