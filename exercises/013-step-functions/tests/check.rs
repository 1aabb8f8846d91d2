//! What exercise 013 asks for. Read it: these tests are the exact form of the task.
//!
//! They create your state machine with the SDK, start executions, and read their history. Step
//! Functions' time jumps over every pause and every timeout, so a minute of retries costs no test a
//! second. What the machine asks of Bedrock, Lambda and SQS is on the wire (WIRE); then come outputs
//! and messages (RESULT), then what must not have happened (RESTRAINT). Two tests start this program
//! once more as Lambda functions. The lint is called as it is.

use aws_sdk_sfn::{
    error::{DisplayErrorContext, ProvideErrorMetadata},
    types::HistoryEvent,
};
use ex013::{Lint, Params, definition, lint};
use workshop_testkit::{
    Call, Fault, FaultRule, Piece, Point, Step, Value, When, function_or_test, json, within,
};
use workshop_testkit_aws::AwsLab;

mod functions;

const TEXT: &str = "Which river flows through Dresden?";

const THROTTLED: Fault = Fault::Throttling {
    retry_after_ms: None,
};

const ANSWERED: &str = "Preprocess → Invoke → Post → ExecutionSucceeded";
const PARKED: &str = "Preprocess → Invoke → Park → Failed → ExecutionFailed";

/// Of every test that runs a machine.
const TAKEN: Point = Point::wire(
    "013/35",
    "what Step Functions refuses has not been deployed; your lint can say the same before",
    "README.md \"The task\" · workshop hint 013 3",
);

/// A lab with a queue for what failed.
struct Bench {
    lab: AwsLab,
    workflows: aws_sdk_sfn::Client,
    queues: aws_sdk_sqs::Client,
    params: Params,
}

/// An execution that is over.
struct Ran {
    /// Every state that was entered, in order, and the history's last event.
    way: String,
    /// The name of its failure.
    error: Option<String>,
    /// Name and cause of what failed last.
    failed: Option<String>,
    output: Value,
    events: Vec<HistoryEvent>,
    seconds: f64,
}

impl Ran {
    /// The way, and what failed on it.
    fn short(&self) -> String {
        match &self.failed {
            None => self.way.clone(),
            Some(failed) => format!("{}\n{failed}", self.way),
        }
    }

    fn succeeded(&self) -> bool {
        self.way.ends_with(" → ExecutionSucceeded")
    }

    /// Fails unless the execution went this way.
    #[track_caller]
    fn went(&self, what: &str, wanted: &str, point: &Point) {
        point.holds(what, self.way == wanted, self.short(), wanted);
    }
}

impl Bench {
    async fn start() -> Self {
        let lab = AwsLab::start().await;
        let queues = aws_sdk_sqs::Client::new(&lab.sdk_config());
        let queue = queues.create_queue().queue_name("dead-letters").send();
        let queue = queue.await.expect("SQS makes a queue");
        let account = lab.emulator().config().account_id.clone();
        let params = Params {
            model: lab.profile("haiku"),
            max_tokens: 64,
            fetch: format!("arn:aws:lambda:us-east-1:{account}:function:fetch"),
            dead_letters: queue.queue_url.expect("the queue's URL"),
            task_seconds: 7,
            retries: 5,
            pause_seconds: 6,
        };
        Self {
            workflows: aws_sdk_sfn::Client::new(&lab.sdk_config()),
            lab,
            queues,
            params,
        }
    }

    /// Runs your definition. Executions of one name have the same jitter.
    async fn run(&self, name: &str, input: &Value, point: &Point) -> Ran {
        let definition = definition(&self.params);
        let execution = self.begin(name, &definition, input).await;
        let ended = self.ended(&execution);
        within(point, "the execution's end", ended).await;
        self.told(&execution).await
    }

    /// Runs a machine that is known to end.
    async fn run_theirs(&self, name: &str, definition: &Value, input: &Value) -> Ran {
        let execution = self.begin(name, definition, input).await;
        self.ended(&execution).await;
        self.told(&execution).await
    }

    /// Creates a machine and starts it.
    async fn begin(&self, name: &str, definition: &Value, input: &Value) -> String {
        let account = &self.lab.emulator().config().account_id;
        let machine = self.workflows.create_state_machine().name(name);
        let machine = machine.role_arn(format!("arn:aws:iam::{account}:role/workflow"));
        let machine = machine.definition(definition.to_string()).send().await;
        let machine = machine.unwrap_or_else(|error| {
            let says = error.message().map(ToOwned::to_owned);
            let says = says.unwrap_or_else(|| DisplayErrorContext(&error).to_string());
            let wanted = "a definition that Step Functions takes";
            TAKEN.fail("CreateStateMachine", says, wanted)
        });
        let started = self.workflows.start_execution().name(name);
        let started = started
            .state_machine_arn(machine.state_machine_arn)
            .input(input.to_string());
        let started = started.send().await.expect("it starts");
        started.execution_arn
    }

    async fn ended(&self, execution: &str) {
        let account = &self.lab.emulator().config().account_id;
        let states = &self.lab.services().states;
        states.ended(account, execution).await;
    }

    /// What the history of an execution that is over tells, as far as its first page goes.
    async fn told(&self, execution: &str) -> Ran {
        let history = self.workflows.get_execution_history().max_results(1_000);
        let history = history.execution_arn(execution).send().await;
        let events = history.expect("it has a history").events;
        let entered = events.iter().filter_map(|event| {
            let entered = event.state_entered_event_details()?;
            Some(entered.name())
        });
        let [first, .., last] = &events[..] else {
            panic!("an execution starts and ends")
        };
        let entered = entered.chain([last.r#type.as_str()]);
        let output = last.execution_succeeded_event_details();
        let output = output.and_then(|details| serde_json::from_str(details.output()?).ok());
        let failed = last.execution_failed_event_details();
        Ran {
            way: entered.collect::<Vec<_>>().join(" → "),
            seconds: last.timestamp.as_secs_f64() - first.timestamp.as_secs_f64(),
            error: failed.and_then(|details| details.error().map(ToOwned::to_owned)),
            failed: (events.iter().rev().find_map(failure))
                .or_else(|| events.iter().rev().find_map(caught)),
            output: output.unwrap_or_default(),
            events,
        }
    }

    /// What arrived so far, of one operation.
    fn calls(&self, operation: &str) -> Vec<Call> {
        let mut calls = self.lab.calls();
        calls.retain(|call| call.operation == operation);
        calls
    }

    /// Takes the messages from the queue, each as JSON.
    async fn dead_letters(&self) -> Vec<Value> {
        let url = &self.params.dead_letters;
        let received = self.queues.receive_message().max_number_of_messages(10);
        let received = received.queue_url(url).send().await;
        let mut bodies = Vec::new();
        for message in received.expect("SQS answers").messages.unwrap_or_default() {
            let body = message.body().unwrap_or_default();
            bodies.push(serde_json::from_str(body).unwrap_or_default());
            let delete = self.queues.delete_message().queue_url(url);
            let delete = delete.set_receipt_handle(message.receipt_handle);
            delete.send().await.expect("SQS deletes");
        }
        bodies
    }
}

/// Name and cause, if a task has failed, or the machine itself. That a state Failed was entered says
/// nothing new.
fn failure(event: &HistoryEvent) -> Option<String> {
    let (error, cause) = if let Some(failed) = event.task_failed_event_details() {
        (failed.error(), failed.cause())
    } else if let Some(failed) = event.lambda_function_failed_event_details() {
        (failed.error(), failed.cause())
    } else if let Some(failed) = event.execution_failed_event_details() {
        let runtime = failed.error() == Some("States.Runtime");
        runtime.then(|| (failed.error(), failed.cause()))?
    } else {
        return None;
    };
    let (error, cause) = (error.unwrap_or_default(), cause.unwrap_or_default());
    Some(format!("{error}: {cause}"))
}

/// The same of what a catcher put into a state's input: not everything that is caught is an event.
fn caught(event: &HistoryEvent) -> Option<String> {
    let input = event.state_entered_event_details()?.input()?;
    let input: Value = serde_json::from_str(input).ok()?;
    let (error, cause) = (&input["error"]["Error"], &input["error"]["Cause"]);
    Some(format!("{}: {}", error.as_str()?, cause.as_str()?))
}

fn job(text: &str) -> Value {
    json!({ "id": "job-1", "text": text })
}

// ---- the way of an input

#[tokio::test]
async fn a_text_is_answered_without_a_function() {
    const WAY: Point = Point::wire(
        "013/2",
        "the history is what you read when somebody asks what happened to a job; each state in it is \
         paid for",
        "README.md \"The way of a job\" · workshop hint 013 3",
    );
    const BODY: Point = Point::wire(
        "013/3",
        "no SDK stands between the definition and the model: what the body lacks, nobody adds",
        "README.md \"Invoke\" · workshop hint 013 2",
    );
    const OUTPUT: Point = Point::result(
        "013/4",
        "whoever waits for the execution wants the answer, and not the first block of whatever came",
        "README.md \"The way of a job\" · workshop hint 013 2",
    );
    const NO_FUNCTION: Point = Point::restraint(
        "013/5",
        "a function that only passes a call on is code to keep, a cold start, and paid for waiting",
        "README.md \"Invoke\" · workshop hint 013 1",
    );
    let bench = Bench::start().await;
    bench.lab.script([Step::Say(vec![
        Piece::Reasoning("Saxony, so the Elbe.".into()),
        Piece::Text("The Elbe.".into()),
        Piece::NewBlock,
        Piece::Text("In Czech: Labe.".into()),
    ])]);
    let text = "What does {} mean in \"$.text\"?\n\\ And {0}?";
    let ran = bench.run("text", &job(text), &WAY).await;
    ran.went("states entered", ANSWERED, &WAY);

    let calls = bench.calls("InvokeModel");
    BODY.equal("calls to Bedrock", calls.len(), 1);
    let call = &calls[0];
    BODY.equal("model in the path", &call.model, &bench.params.model);
    for (pointer, wanted) in [
        ("/anthropic_version", json!("bedrock-2023-05-31")),
        ("/max_tokens", json!(64)),
        ("/messages/0/role", json!("user")),
    ] {
        BODY.equal(pointer, call.body_at(pointer).cloned(), Some(wanted));
    }
    BODY.equal("text of the message", call.text().as_str(), text);

    let wanted = json!({ "id": "job-1", "texts": ["The Elbe.", "In Czech: Labe."] });
    OUTPUT.equal("output of the execution", ran.output, wanted);
    NO_FUNCTION.equal("functions called", bench.calls("Invoke").len(), 0);
}

#[tokio::test]
async fn neither_text_nor_pointer_ends_at_once() {
    const WAY: Point = Point::wire(
        "013/6",
        "a comparison with something that is not there is an error that no Catch sees",
        "README.md \"The way of a job\" · workshop hint 013 2",
    );
    const NAMED: Point = Point::result(
        "013/7",
        "States.Runtime says that the machine is broken; this one is not, the input is",
        "README.md \"The way of a job\" · workshop hint 013 2",
    );
    const NOTHING: Point = Point::restraint(
        "013/8",
        "an input that can never be answered costs nothing, and nobody should find it on a queue \
         and try again",
        "README.md \"The way of a job\" · workshop hint 013 1",
    );
    let bench = Bench::start().await;
    for (name, input) in [
        ("empty", json!({ "id": "job-1" })),
        (
            "no-id",
            json!({ "text": "Which river flows through Dresden?" }),
        ),
        ("number", json!({ "id": "job-1", "text": 7 })),
        ("list", json!({ "id": "job-1", "pointer": ["a"] })),
        ("words", json!("Which river flows through Dresden?")),
    ] {
        let ran = bench.run(name, &input, &WAY).await;
        let what = format!("states entered with the input {input}");
        ran.went(&what, "Preprocess → Failed → ExecutionFailed", &WAY);
        let named = ran.error.as_deref().is_some_and(|e| e != "States.Runtime");
        NAMED.holds("the error", named, ran.short(), "a name of your own");
        for operation in ["InvokeModel", "Invoke", "SendMessage"] {
            let calls = bench.calls(operation).len();
            NOTHING.equal(&format!("calls of {operation}"), calls, 0);
        }
    }
}

/// A large document does not fit: an input may have 256 KiB, and so may everything between two states.
#[tokio::test]
async fn a_pointer_is_fetched_by_a_function() {
    const WAY: Point = Point::wire(
        "013/9",
        "a document that is too large for an input stays where it is, and the input says where",
        "README.md \"The way of a job\" · workshop hint 013 2",
    );
    const READ: Point = Point::wire(
        "013/10",
        "what the function found is what the model has to read",
        "README.md \"Fetch\" · workshop hint 013 2",
    );
    const OUTPUT: Point = Point::result(
        "013/11",
        "a result that replaces the whole input takes the job's id with it",
        "README.md \"Fetch\" · workshop hint 013 2",
    );
    let bench = Bench::start().await;
    let lambda = &bench.lab.services().lambda;
    lambda
        .create(functions::called("fetch"))
        .expect("Lambda takes the function");
    bench.lab.script([Step::text("A contract.")]);
    let input = json!({ "id": "job-2", "pointer": "s3://documents/contract.txt" });
    let ran = bench.run("pointer", &input, &WAY).await;
    let wanted = "Preprocess → Fetch → Invoke → Post → ExecutionSucceeded";
    ran.went("states entered", wanted, &WAY);
    let read = bench.calls("InvokeModel").pop().map(|call| call.text());
    let wanted = functions::document("s3://documents/contract.txt");
    READ.equal("text of the message", read, Some(wanted));
    let wanted = json!({ "id": "job-2", "texts": ["A contract."] });
    OUTPUT.equal("output of the execution", ran.output, wanted);
}

// ---- when Bedrock says no

#[tokio::test]
async fn what_heals_is_asked_again() {
    const AGAIN: Point = Point::wire(
        "013/12",
        "a job that gives up because the model was busy for a second is somebody's night shift",
        "README.md \"Invoke\" · workshop hint 013 2",
    );
    const ONE_STATE: Point = Point::result(
        "013/13",
        "a Retry stays in its state; a loop of states has to be counted and ended by you",
        "README.md \"Invoke\" · workshop hint 013 2",
    );
    let bench = Bench::start().await;
    for (name, fault) in [
        ("throttled", THROTTLED),
        ("not-ready", Fault::ModelNotReady),
        ("unavailable", Fault::ServiceUnavailable),
        ("broken", Fault::InternalServer),
    ] {
        let before = bench.calls("InvokeModel").len();
        let steps = [fault.clone(), fault].map(Step::Fault);
        bench.lab.script(steps);
        bench.lab.script([Step::text("The Elbe.")]);
        let ran = bench.run(name, &job(TEXT), &AGAIN).await;
        let calls = bench.calls("InvokeModel").split_off(before);
        let statuses: Vec<u16> = calls.iter().map(|call| call.status).collect();
        let [first, ..] = statuses[..] else {
            AGAIN.fail("calls to Bedrock", ran.short(), "three")
        };
        let what = format!("what Bedrock answered ({})", name.replace('-', " "));
        AGAIN.equal(&what, statuses, vec![first, first, 200]);
        ran.went("states entered", ANSWERED, &ONE_STATE);
        // Of the next one nothing may be left.
        assert_eq!(bench.lab.script_left(), 0);
    }
}

#[tokio::test]
async fn pauses_grow_to_the_longest_and_are_not_the_same() {
    const COUNT: Point = Point::wire(
        "013/14",
        "an outage ends when it ends; until then every retry is one more request of everybody",
        "README.md \"Invoke\" · workshop hint 013 2",
    );
    const LONGEST: Point = Point::result(
        "013/15",
        "twice as long each time is a quarter of an hour at the tenth; nobody waits so long",
        "README.md \"Invoke\" · workshop hint 013 2",
    );
    const GROWS: Point = Point::result(
        "013/16",
        "who comes back every second keeps a service busy that wants to recover",
        "README.md \"Invoke\" · workshop hint 013 2",
    );
    const JITTER: Point = Point::result(
        "013/17",
        "a hundred executions that were throttled together come back together, unless chance parts them",
        "README.md \"Invoke\" · workshop hint 013 2",
    );
    let bench = Bench::start().await;
    let when = When::any().operation("InvokeModel");
    bench.lab.faults([FaultRule::new(THROTTLED).when(when)]);
    let mut all = Vec::new();
    for name in ["one", "two", "three"] {
        let before = bench.calls("InvokeModel").len();
        let ran = bench.run(name, &job(TEXT), &COUNT).await;
        let calls = bench.calls("InvokeModel").len() - before;
        COUNT.equal("calls to Bedrock with five retries", calls, 6);
        ran.went("states entered", PARKED, &COUNT);
        all.push(pauses(&ran.events));
    }
    // One second, two, four, and then the longest: with full jitter, at most so long.
    let limits = [1.0, 2.0, 4.0, 6.0, 6.0];
    let shown = format!("{all:.1?} s");
    let short = all
        .iter()
        .flat_map(|pauses| pauses.iter().zip(limits))
        .all(|(pause, limit)| *pause <= limit + 0.01);
    LONGEST.holds("pauses", short, &shown, format!("at most {limits:.0?} s"));
    let grown = all.iter().flatten().any(|pause| *pause > 2.0);
    GROWS.holds("pauses", grown, &shown, "longer ones after shorter ones");
    let differ = all[0] != all[1] && all[1] != all[2];
    JITTER.holds(
        "pauses of three executions",
        differ,
        &shown,
        "three different rows",
    );
}

/// The pauses before retries, in seconds.
fn pauses(events: &[HistoryEvent]) -> Vec<f64> {
    let mut pauses = Vec::new();
    let mut failed = None;
    for event in events {
        match event.r#type.as_str() {
            "TaskFailed" => failed = Some(event.timestamp.as_secs_f64()),
            "TaskScheduled" => {
                pauses.extend(failed.take().map(|at| event.timestamp.as_secs_f64() - at));
            }
            // Whatever comes after another state is no retry.
            "TaskStateExited" => failed = None,
            _ => {}
        }
    }
    pauses
}

#[tokio::test]
async fn what_does_not_heal_is_asked_once() {
    const ONCE: Point = Point::restraint(
        "013/18",
        "a missing permission is still missing after four retries; only the alarm comes later",
        "README.md \"Invoke\" · workshop hint 013 1",
    );
    const WAY: Point = Point::wire(
        "013/19",
        "a job that cannot be answered now can be answered when you have found out why",
        "README.md \"The way of a job\" · workshop hint 013 2",
    );
    let bench = Bench::start().await;
    for (name, fault) in [
        ("denied", Fault::AccessDenied),
        ("invalid", Fault::Validation("max_tokens: too many".into())),
        ("no-model", Fault::ResourceNotFound("no such model".into())),
        ("quota", Fault::ServiceQuotaExceeded),
    ] {
        let before = bench.calls("InvokeModel").len();
        let when = When::any().operation("InvokeModel");
        bench
            .lab
            .faults([FaultRule::new(fault).when(when).count(1)]);
        let ran = bench.run(name, &job(TEXT), &WAY).await;
        let calls = bench.calls("InvokeModel").len() - before;
        let what = format!("calls to Bedrock ({})", name.replace('-', " "));
        ONCE.equal(&what, calls, 1);
        ran.went("states entered", PARKED, &WAY);
    }
}

#[tokio::test]
async fn a_parked_job_is_as_it_came_with_the_error_beside_it() {
    const KEPT: Point = Point::result(
        "013/20",
        "an error without its job says that somebody gets no answer, and not who",
        "README.md \"Park\" · workshop hint 013 1",
    );
    const ERROR: Point = Point::result(
        "013/21",
        "whoever empties the queue sorts by this name: send it again, or repair something first",
        "README.md \"Park\" · workshop hint 013 2",
    );
    let bench = Bench::start().await;
    // There is no function `fetch` in this lab.
    let text = json!({ "id": "job-3", "text": TEXT, "tenant": { "name": "blue" } });
    let pointer = json!({ "id": "job-4", "pointer": "s3://documents/1", "tenant": "red" });
    for (name, input, error) in [
        ("denied", text, "Bedrock.AccessDeniedException"),
        ("missing", pointer, "Lambda.ResourceNotFoundException"),
    ] {
        bench.lab.script([Step::Fault(Fault::AccessDenied)]);
        let ran = bench.run(name, &input, &KEPT).await;
        let mut messages = bench.dead_letters().await;
        let [message] = &mut messages[..] else {
            let saw = format!("{} messages; {}", messages.len(), ran.short());
            KEPT.fail("the queue", saw, "one message")
        };
        let told = message.as_object_mut().and_then(|m| m.remove("error"));
        let same = *message == input;
        // Whose cause is not the job's.
        if let Some(message) = message.as_object_mut() {
            message.remove("Cause");
        }
        KEPT.holds("the message without its error", same, message, &input);
        let told = told.unwrap_or_default();
        ERROR.equal("error.Error of the message", &told["Error"], error);
        ERROR.holds(
            "error.Cause of the message",
            told["Cause"].is_string(),
            &told["Cause"],
            "what Catch tells",
        );
    }
}

// ---- when nothing comes at all

#[tokio::test]
async fn a_task_that_hangs_ends_in_time() {
    const IN_TIME: Point = Point::result(
        "013/22",
        "a Task without a limit waits for three years before it fails",
        "README.md \"Limits\" · workshop hint 013 1",
    );
    const ONCE: Point = Point::restraint(
        "013/23",
        "a call that ran out of time may have been answered, and paid for; made again, it is paid for \
         twice",
        "README.md \"Invoke\" · workshop hint 013 1",
    );
    let pointer = json!({ "id": "job-4", "pointer": "s3://documents/1" });
    let bench = Bench::start().await;
    for (operation, input, wanted) in [
        ("InvokeModel", job(TEXT), PARKED),
        (
            "Invoke",
            pointer,
            "Preprocess → Fetch → Park → Failed → ExecutionFailed",
        ),
        ("SendMessage", job(TEXT), PARKED),
    ] {
        let hangs = FaultRule::new(Fault::Hang).when(When::any().operation(operation));
        bench.lab.faults([hangs.count(1)]);
        if operation == "SendMessage" {
            bench.lab.script([Step::Fault(Fault::AccessDenied)]);
        }
        let ran = bench.run(operation, &input, &IN_TIME).await;
        let what = format!("states entered when {operation} hangs");
        if operation == "InvokeModel" {
            let calls = bench.calls("InvokeModel").len();
            ONCE.equal("calls to Bedrock", calls, 1);
        }
        ran.went(&what, wanted, &IN_TIME);
        IN_TIME.holds(
            "the execution took",
            ran.seconds <= 7.5,
            format!("{:.1} s", ran.seconds),
            "no longer than task_seconds, 7",
        );
    }
}

#[tokio::test]
async fn without_a_queue_the_machine_ends_where_it_says() {
    const WAY: Point = Point::result(
        "013/24",
        "the state that saves others can fail too; then nothing is left but a clear end",
        "README.md \"Park\" · workshop hint 013 2",
    );
    let mut bench = Bench::start().await;
    bench.params.dead_letters.push_str("-that-are-not-there");
    bench.lab.script([Step::Fault(Fault::AccessDenied)]);
    let ran = bench.run("no-queue", &job(TEXT), &WAY).await;
    ran.went("states entered", PARKED, &WAY);
}

// ---- the machine from the articles

#[test]
fn on_a_bad_day_three_functions_fail_and_yours_answers() {
    // In Lambda this program is a function. See `functions::called`.
    function_or_test(functions::run, compared());
}

async fn compared() {
    const SAME: Point = Point::result(
        "013/25",
        "on a good day nobody sees the difference between a chain of functions and a workflow",
        "README.md \"The way of a job\" · workshop hint 013 3",
    );
    const BETTER: Point = Point::result(
        "013/26",
        "three functions in a row, for the price of three, fail with the first that is throttled",
        "README.md \"Invoke\" · workshop hint 013 2",
    );
    let bench = Bench::start().await;
    let account = &bench.lab.emulator().config().account_id;
    let step = |function: &str, next: &str| {
        let resource = format!("arn:aws:lambda:us-east-1:{account}:function:{function}");
        let mut step = json!({ "Type": "Task", "Resource": resource });
        match next {
            "" => step["End"] = json!(true),
            next => step["Next"] = json!(next),
        }
        step
    };
    let articles = json!({
        "StartAt": "PreprocessInput",
        "States": {
            "PreprocessInput": step("preprocess", "InvokeBedrock"),
            "InvokeBedrock": step("invoke-bedrock", "PostprocessOutput"),
            "PostprocessOutput": step("postprocess", ""),
        },
    });
    for name in ["preprocess", "invoke-bedrock", "postprocess"] {
        let mut function = functions::called(name);
        let model = bench.params.model.clone();
        function.environment.insert("MODEL_ID".to_owned(), model);
        let created = bench.lab.services().lambda.create(function);
        created.expect("Lambda takes the function");
    }

    let input = job(TEXT);
    bench.lab.script(["The Elbe.", "The Elbe."].map(Step::text));
    let yours = bench.run("yours", &input, &SAME).await;
    let theirs = bench.run_theirs("theirs", &articles, &input).await;
    let wanted = "PreprocessInput → InvokeBedrock → PostprocessOutput → ExecutionSucceeded";
    assert_eq!(theirs.way, wanted, "{}", theirs.short());
    SAME.holds(
        "yours on a good day",
        yours.succeeded(),
        yours.short(),
        ANSWERED,
    );
    SAME.equal("output of yours and theirs", yours.output, theirs.output);

    let throttled = Step::Fault(THROTTLED);
    bench
        .lab
        .script([throttled.clone(), Step::text("The Elbe."), throttled]);
    let yours = bench.run("yours-again", &input, &BETTER).await;
    BETTER.holds(
        "yours on a bad day",
        yours.succeeded(),
        yours.short(),
        ANSWERED,
    );
    let theirs = bench.run_theirs("theirs-again", &articles, &input).await;
    assert_eq!(
        theirs.way,
        "PreprocessInput → InvokeBedrock → ExecutionFailed"
    );
}

// ---- the lint

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

/// A Task with which nothing is wrong, and these changes; a null takes a member away.
fn task(changes: &Value) -> Value {
    let mut task = json!({
        "Type": "Task",
        "Resource": FUNCTION,
        "TimeoutSeconds": 60,
        "Catch": [{ "ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed" }],
        "Next": "Done",
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(task.as_object_mut().expect("a state").remove(name)),
            value => task[name] = value.clone(),
        }
    }
    task
}

/// A machine that begins with `Work`, and has the two ends `Done` and `Failed`.
fn machine(work: Value) -> Value {
    machine_of(&json!({ "Work": work }))
}

fn machine_of(states: &Value) -> Value {
    let mut all = json!({ "Done": { "Type": "Succeed" }, "Failed": { "Type": "Fail" } });
    for (name, state) in states.as_object().expect("states") {
        all[name] = state.clone();
    }
    json!({ "StartAt": "Work", "States": all })
}

/// As a set: order does not matter, and nothing is told twice.
#[track_caller]
fn finds(what: &str, definition: &Value, wanted: &[Lint], point: &Point) {
    let mut saw = lint(definition);
    let mut wanted = wanted.to_vec();
    saw.sort();
    wanted.sort();
    point.equal(&format!("lint of {what}"), saw, wanted);
}

/// A retrier with which nothing is wrong.
fn retrier(errors: &[&str]) -> Value {
    json!({ "ErrorEquals": errors, "MaxAttempts": 4, "MaxDelaySeconds": 20 })
}

fn catcher(errors: &[&str]) -> Value {
    json!({ "ErrorEquals": errors, "ResultPath": "$.error", "Next": "Failed" })
}

fn work() -> String {
    "Work".to_owned()
}

fn no_such_state(to: &str) -> Lint {
    let (from, to) = (work(), to.to_owned());
    Lint::NoSuchState { from, to }
}

#[test]
fn a_name_without_a_state_is_found() {
    const EXISTS: Point = Point::result(
        "013/27",
        "a state can be left in five ways, and each of them is a name that somebody can mistype",
        "README.md \"The lint\" · workshop hint 013 2",
    );
    let next = machine(task(&json!({ "Next": "Don" })));
    finds("a wrong Next", &next, &[no_such_state("Don")], &EXISTS);
    let catch = json!([{ "ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Fail" }]);
    let catch = machine(task(&json!({ "Catch": catch })));
    finds(
        "a wrong Next in Catch",
        &catch,
        &[no_such_state("Fail")],
        &EXISTS,
    );
    let choices = json!([{ "Variable": "$.a", "IsPresent": true, "Next": "A" }]);
    let choice = machine(json!({ "Type": "Choice", "Choices": choices, "Default": "B" }));
    let wanted = [no_such_state("A"), no_such_state("B")];
    finds("a Choice between nothings", &choice, &wanted, &EXISTS);
    let mut start = machine(task(&json!({})));
    start["StartAt"] = json!("Wrok");
    let wanted = Lint::NoSuchState {
        from: "StartAt".to_owned(),
        to: "Wrok".to_owned(),
    };
    finds("a wrong StartAt", &start, &[wanted], &EXISTS);
}

#[test]
fn a_way_without_an_end_is_found() {
    const ENDS: Point = Point::result(
        "013/28",
        "a circle of states runs until its history is full, and every step of it is paid for",
        "README.md \"The lint\" · workshop hint 013 2",
    );
    let pass = |next: &str| json!({ "Type": "Pass", "Next": next });
    let no_end = |state: &str| Lint::NoEnd {
        state: state.to_owned(),
    };
    let circle = machine_of(&json!({ "Work": pass("Rest"), "Rest": pass("Work") }));
    let wanted = [no_end("Rest"), no_end("Work")];
    finds("a circle", &circle, &wanted, &ENDS);
    let stuck = machine(json!({ "Type": "Pass" }));
    finds(
        "a state that leads nowhere",
        &stuck,
        &[no_end("Work")],
        &ENDS,
    );
    let into = machine_of(&json!({
        "Work": pass("Turn"), "Turn": pass("Round"), "Round": pass("Turn"),
    }));
    let wanted = [no_end("Round"), no_end("Turn"), no_end("Work")];
    finds("a way into a circle", &into, &wanted, &ENDS);
}

#[test]
fn a_task_without_a_limit_is_found() {
    const LIMITS: Point = Point::result(
        "013/29",
        "what is not written has a default of AWS's: three years to wait, pauses without a bound",
        "README.md \"The lint\" · workshop hint 013 2",
    );
    let no_timeout = [Lint::NoTimeout { state: work() }];
    let task_without = machine(task(&json!({ "TimeoutSeconds": null })));
    finds(
        "a Task without a timeout",
        &task_without,
        &no_timeout,
        &LIMITS,
    );
    let no_limit = [Lint::NoLimit { state: work() }];
    for missing in ["MaxAttempts", "MaxDelaySeconds"] {
        let mut one = retrier(&["Busy"]);
        one.as_object_mut().expect("a retrier").remove(missing);
        let retry = json!({ "Retry": [retrier(&["Slow"]), one] });
        let what = format!("a retrier without {missing}");
        finds(&what, &machine(task(&retry)), &no_limit, &LIMITS);
    }
    let bare = ["Busy", "Slow"].map(|name| json!({ "ErrorEquals": [name] }));
    let twice = machine(task(&json!({ "Retry": bare })));
    finds("two retriers without limits", &twice, &no_limit, &LIMITS);
}

#[test]
fn errors_that_nobody_takes_or_that_take_everything_are_found() {
    const ERRORS: Point = Point::result(
        "013/30",
        "an error that no catcher names ends the execution on the spot, and the job with it",
        "README.md \"The lint\" · workshop hint 013 2",
    );
    const KEEPS: Point = Point::result(
        "013/31",
        "ResultPath is \"$\" unless you say otherwise: the error is all that is left",
        "README.md \"The lint\" · workshop hint 013 2",
    );
    let no_catch = [Lint::NoCatch { state: work() }];
    let none = machine(task(&json!({ "Catch": null })));
    finds("a Task without a Catch", &none, &no_catch, &ERRORS);
    let some = machine(task(&json!({ "Catch": [catcher(&["States.Timeout"])] })));
    finds("a Catch for timeouts only", &some, &no_catch, &ERRORS);

    let not_last = [Lint::NotLast { state: work() }];
    for list in [
        json!([retrier(&["States.ALL"]), retrier(&["Busy"])]),
        json!([retrier(&["Busy", "States.ALL"])]),
    ] {
        let retry = machine(task(&json!({ "Retry": list })));
        finds(&format!("Retry {list}"), &retry, &not_last, &ERRORS);
    }
    let list = json!([catcher(&["Busy", "States.ALL"])]);
    let catch = machine(task(&json!({ "Catch": list })));
    finds(&format!("Catch {list}"), &catch, &not_last, &ERRORS);

    let loses = [Lint::LosesInput { state: work() }];
    for (what, path) in [("no ResultPath", None), ("ResultPath $", Some("$"))] {
        let mut one = catcher(&["States.ALL"]);
        match path {
            None => drop(one.as_object_mut().expect("one").remove("ResultPath")),
            Some(path) => one["ResultPath"] = json!(path),
        }
        let catch = machine(task(&json!({ "Catch": [one] })));
        finds(&format!("a catcher with {what}"), &catch, &loses, &KEEPS);
    }
}

#[test]
fn states_inside_of_states_are_looked_at() {
    const INSIDE: Point = Point::result(
        "013/32",
        "a Map runs its states a thousand times; a mistake in there is made a thousand times",
        "README.md \"The lint\" · workshop hint 013 3",
    );
    let inner = |state: Value| json!({ "StartAt": "Inner", "States": { "Inner": state } });
    let no_timeout = json!({
        "Type": "Task",
        "Resource": FUNCTION,
        "Catch": [{ "ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": "Inner" }],
        "End": true,
    });
    let wanted = [Lint::NoTimeout {
        state: "Inner".to_owned(),
    }];
    let parallel = json!({ "Type": "Parallel", "Branches": [inner(no_timeout.clone())] });
    let map = json!({ "Type": "Map", "ItemProcessor": inner(no_timeout.clone()) });
    let formerly = json!({ "Type": "Map", "Iterator": inner(no_timeout) });
    for (what, mut outer) in [
        ("a Parallel", parallel),
        ("a Map", map),
        ("a Map of old", formerly),
    ] {
        outer["Next"] = json!("Done");
        finds(
            &format!("a Task in {what}"),
            &machine(outer),
            &wanted,
            &INSIDE,
        );
    }
    let out = json!({ "Type": "Pass", "Next": "Done" });
    let map = json!({ "Type": "Map", "ItemProcessor": inner(out), "Next": "Done" });
    let wanted = [Lint::NoSuchState {
        from: "Inner".to_owned(),
        to: "Done".to_owned(),
    }];
    finds("a way out of a Map", &machine(map), &wanted, &INSIDE);
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    const QUIET: Point = Point::restraint(
        "013/33",
        "a lint that complains about good work is switched off, and then it finds nothing at all",
        "README.md \"The lint\" · workshop hint 013 2",
    );
    let poll = json!({
        "Work": task(&json!({ "Next": "Ready" })),
        "Ready": {
            "Type": "Choice",
            "Choices": [{ "Variable": "$.ready", "BooleanEquals": true, "Next": "Done" }],
            "Default": "Wait",
        },
        "Wait": { "Type": "Wait", "Seconds": 5, "Next": "Work" },
    });
    let dropped = json!([{ "ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": "Failed" }]);
    let path = json!({ "TimeoutSeconds": null, "TimeoutSecondsPath": "$.limit" });
    let last = json!([retrier(&["Busy"]), retrier(&["States.ALL"])]);
    let both = json!([catcher(&["Busy"]), catcher(&["States.ALL"])]);
    for (what, definition) in [
        ("a plain Task", machine(task(&json!({})))),
        ("a circle that can be left", machine_of(&poll)),
        (
            "a catcher that drops the error",
            machine(task(&json!({ "Catch": dropped }))),
        ),
        ("a timeout from the input", machine(task(&path))),
        (
            "States.ALL alone and last in Retry",
            machine(task(&json!({ "Retry": last }))),
        ),
        (
            "States.ALL alone and last in Catch",
            machine(task(&json!({ "Catch": both }))),
        ),
        (
            "a state that ends by itself",
            machine(task(&json!({ "Next": null, "End": true }))),
        ),
    ] {
        finds(what, &definition, &[], &QUIET);
    }
    // What is no definition has no states with mistakes.
    for nothing in [json!(null), json!([1]), json!({ "States": 3 }), json!({})] {
        let what = format!("{nothing}");
        finds(&what, &nothing, &[], &QUIET);
    }
}

#[test]
fn your_own_definition_is_clean() {
    const CLEAN: Point = Point::result(
        "013/34",
        "the first definition that a lint has to pass is its author's",
        "README.md \"The lint\" · workshop hint 013 1",
    );
    let params = Params {
        model: "a profile".to_owned(),
        max_tokens: 64,
        fetch: FUNCTION.to_owned(),
        dead_letters: "https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters".to_owned(),
        task_seconds: 60,
        retries: 4,
        pause_seconds: 20,
    };
    finds("your definition", &definition(&params), &[], &CLEAN);
    CLEAN.equal(
        "TimeoutSeconds of the machine as a whole",
        definition(&params).get("TimeoutSeconds"),
        None,
    );
}
