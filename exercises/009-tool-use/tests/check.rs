//! What exercise 009 asks for. Read it: these tests are the exact form of the task.
//!
//! The model's side is scripted: it asks for tools as the test says. The tests look at what left your
//! process (WIRE), at what came of the run (RESULT) and at what must not have happened (RESTRAINT).

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use ex009::{AgentError, Limits, Outcome, ReadFile, Tool, document, read_file_spec, run, text_at};
use workshop_testkit::{
    Actor, Document, Fault, Hop, Lab, Piece, Point, Step, Value,
    bedrock::types::{StopReason, ToolInputSchema, ToolSpecification},
    json, within,
};

const PROMPT: &str = "When do I have to leave?";

const LIMITS: Limits = Limits {
    turns: 8,
    max_tokens: 300,
};

/// Your loop, on the diagram.
static LOOP: Actor = Actor {
    node: "CLIENT",
    edges: &[("BR", "CLIENT-BR")],
};

/// A tool that notes what it was asked and always says the same.
struct Says {
    name: &'static str,
    reply: Result<Value, &'static str>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Says {
    fn new(name: &'static str, reply: Result<Value, &'static str>) -> Self {
        let asked = Arc::default();
        Self { name, reply, asked }
    }

    /// What it is asked from now on: its name, and the input's `at`.
    fn noting(mut self, asked: &Arc<Mutex<Vec<String>>>) -> Self {
        self.asked = Arc::clone(asked);
        self
    }

    fn boxed(self) -> Box<dyn Tool> {
        Box::new(self)
    }
}

impl Tool for Says {
    fn spec(&self) -> ToolSpecification {
        let schema = json!({ "type": "object", "properties": { "at": { "type": "string" } } });
        ToolSpecification::builder()
            .name(self.name)
            .description(format!("Knows about {}.", self.name))
            .input_schema(ToolInputSchema::Json(document(schema)))
            .build()
            .unwrap()
    }

    fn call(&self, input: &Document) -> Result<Document, String> {
        let at = text_at(input, "at").unwrap_or("nowhere");
        self.asked
            .lock()
            .unwrap()
            .push(format!("{} {at}", self.name));
        self.reply.clone().map(document).map_err(str::to_owned)
    }
}

fn text(words: &str) -> Piece {
    Piece::Text(words.to_owned())
}

fn asks(name: &str, input: Value) -> Piece {
    let name = name.to_owned();
    Piece::ToolUse { name, input }
}

fn train() -> Box<dyn Tool> {
    Says::new("train", Ok(json!({ "leaves": "08:14" }))).boxed()
}

/// One run of the function under test, bounded. Afterwards the diagram shows what the model asked for
/// and what it was told.
async fn ran(
    lab: &Lab,
    tools: &[Box<dyn Tool>],
    limits: Limits,
    point: &Point,
) -> Result<Outcome, AgentError> {
    let (client, model) = (lab.client_at(&LOOP), lab.profile("haiku"));
    let outcome = within(
        point,
        "run(…)",
        run(&client, &model, tools, PROMPT, &limits),
    )
    .await;
    for call in lab.calls() {
        let hop = |from, to, what, status| Hop {
            from,
            to,
            what,
            status,
            request_id: &call.request_id,
        };
        for result in results(&call.body) {
            let failed = result["status"] == "error";
            let status = if failed { 422 } else { 200 };
            lab.saw(hop("CLIENT", "TOOL", "input", status));
            lab.saw(hop("TOOL", "CLIENT", "result", status));
        }
        if let Some(stop) = &call.stop_reason {
            lab.saw(hop("BR", "CLIENT", stop, 200));
        }
    }
    outcome
}

/// The results in a request's last message.
fn results(body: &Value) -> Vec<&Value> {
    let last = body["messages"].as_array().and_then(|list| list.last());
    let blocks = last.and_then(|message| message["content"].as_array());
    let blocks = blocks.into_iter().flatten();
    blocks.filter_map(|block| block.get("toolResult")).collect()
}

/// The ids of the tool uses that the lab answered to its request of that number.
fn asked_ids(lab: &Lab, request: usize) -> Vec<Value> {
    let answer = message(lab, request);
    let blocks = answer["content"].as_array().into_iter().flatten();
    let asked = blocks.filter_map(|block| block.get("toolUse"));
    asked.map(|asked| asked["toolUseId"].clone()).collect()
}

/// The ids that the results of a message are for.
fn result_ids(message: &Value) -> Vec<Value> {
    let blocks = message["content"].as_array().into_iter().flatten();
    let results = blocks.filter_map(|block| block.get("toolResult"));
    results.map(|result| result["toolUseId"].clone()).collect()
}

/// What kinds of blocks a message has: `text`, `toolUse`, …
fn kinds(message: &Value) -> Vec<String> {
    let blocks = message["content"].as_array().into_iter().flatten();
    let members = blocks.filter_map(Value::as_object);
    members.flat_map(|block| block.keys().cloned()).collect()
}

/// The message that the lab answered to its request of that number.
fn message(lab: &Lab, request: usize) -> Value {
    let answer = lab
        .journal()
        .into_iter()
        .nth(request)
        .and_then(|entry| entry.answer);
    answer.unwrap_or_default()["output"]["message"].clone()
}

/// An outcome in one line: an `SdkError` prints the whole HTTP exchange.
fn short(outcome: &Result<Outcome, AgentError>) -> String {
    match outcome {
        Ok(outcome) => format!("Ok({outcome:?})"),
        Err(AgentError::Sdk(error)) => {
            let said = error.as_service_error().map(|e| e.meta().to_string());
            format!("Err(Sdk(…)): {}", said.unwrap_or_else(|| error.to_string()))
        }
        Err(error) => format!("Err({error:?})"),
    }
}

/// A project and what lies around it, in a folder of its own, gone when dropped.
struct Disk {
    root: PathBuf,
}

/// What must not leave.
const CANARY: &str = "canary-7f3a";

impl Disk {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = env::temp_dir().join(format!("ex009-{}-{count}", process::id()));
        for (path, text) in [
            ("project/notes.md", "Leave at eight.\n"),
            ("project/docs/plan.md", "First, coffee.\n"),
            ("project/docs/v1..v2.md", "Two dots mean nothing here.\n"),
            ("project-private/plan.md", CANARY),
            ("secret.txt", CANARY),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::write(root.join("project/logo.png"), [0x89, 0xff, 0xfe]).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("../../secret.txt", root.join("project/docs/link.md")).unwrap();
        Self { root }
    }

    fn tool(&self) -> ReadFile {
        let folder = self.root.join("project");
        ReadFile { folder }
    }

    fn secret(&self) -> String {
        self.root.join("secret.txt").display().to_string()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

// ---- WIRE: what left the process

#[tokio::test]
async fn every_request_offers_the_tools_and_has_a_limit() {
    const PROMPT_FIRST: Point = Point::wire(
        "009/3",
        "the loop begins with what was asked, and nothing of your own around it",
        "README.md \"The loop\" · workshop hint 009 2",
    );
    const TOOLS: Point = Point::wire(
        "009/4",
        "Bedrock remembers nothing: a request with tool blocks but without toolConfig is refused",
        "README.md \"The loop\" · workshop hint 009 2",
    );
    const LIMIT: Point = Point::wire(
        "009/5",
        "a loop multiplies: what one answer may cost, every turn may cost",
        "README.md \"Limits\" · workshop hint 009 2",
    );
    let lab = Lab::start().await;
    lab.script([
        Step::Say(vec![asks("train", json!({ "at": "home" }))]),
        Step::text("At eight."),
    ]);
    let weather = Says::new("weather", Ok(json!({ "sky": "grey" }))).boxed();
    let _ = ran(&lab, &[train(), weather], LIMITS, &PROMPT_FIRST).await;

    let calls = lab.calls();
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    PROMPT_FIRST.equal(
        "operations called",
        operations,
        vec!["Converse", "Converse"],
    );
    PROMPT_FIRST.equal(
        "messages of request 1",
        &calls[0].body["messages"],
        &json!([{ "role": "user", "content": [{ "text": PROMPT }] }]),
    );
    let schema = json!({ "type": "object", "properties": { "at": { "type": "string" } } });
    let spec = |name: &str| {
        let description = format!("Knows about {name}.");
        let schema = json!({ "json": schema });
        json!({ "toolSpec": { "name": name, "description": description, "inputSchema": schema } })
    };
    let tools = json!([spec("train"), spec("weather")]);
    for (call, number) in calls.iter().zip(1..) {
        let what = format!("toolConfig.tools of request {number}");
        TOOLS.equal(&what, call.body_at("/toolConfig/tools"), Some(&tools));
        let what = format!("inferenceConfig.maxTokens of request {number}");
        let limit = call.body_at("/inferenceConfig/maxTokens");
        LIMIT.equal(&what, limit, Some(&json!(LIMITS.max_tokens)));
    }
}

#[tokio::test]
async fn the_models_messages_go_back_as_they_came() {
    const VERBATIM: Point = Point::wire(
        "009/6",
        "what the model said and thought before it asked is the reason why it asked",
        "README.md \"The loop\" · workshop hint 009 2",
    );
    const EVERYTHING: Point = Point::wire(
        "009/7",
        "what is not in the list of messages has not happened, as far as the model knows",
        "README.md \"The loop\" · workshop hint 009 1",
    );
    let lab = Lab::start().await;
    lab.script([
        Step::Say(vec![
            Piece::Reasoning("The train first.".into()),
            text("I look it up."),
            asks("train", json!({ "at": "home" })),
        ]),
        Step::Say(vec![
            text("Once more."),
            asks("train", json!({ "at": "work" })),
        ]),
        Step::text("At eight."),
    ]);
    let _ = ran(&lab, &[train()], LIMITS, &VERBATIM).await;

    let calls = lab.calls();
    let second = calls.get(1).map(|call| call.body["messages"].clone());
    let second = second.unwrap_or_default();
    VERBATIM.equal(
        "blocks of messages[1] in request 2",
        kinds(&second[1]),
        kinds(&message(&lab, 0)),
    );
    VERBATIM.equal("messages[1] of request 2", &second[1], &message(&lab, 0));
    let third = calls.get(2).map(|call| call.body["messages"].clone());
    let third = third.unwrap_or_default();
    let list = third.as_array().map(Vec::as_slice).unwrap_or_default();
    EVERYTHING.equal("messages in request 3", list.len(), 5);
    EVERYTHING.equal(
        "the first three of them",
        json!(list[..3]),
        json!(second.as_array().map(Vec::as_slice).unwrap_or_default()),
    );
    VERBATIM.equal("messages[3] of request 3", &list[3], &message(&lab, 1));
}

#[tokio::test]
async fn all_results_stand_in_one_message_each_with_its_id() {
    const ONE_MESSAGE: Point = Point::wire(
        "009/8",
        "Bedrock wants a result for every tool use of a message, in the very next one, or says 400",
        "README.md \"The results\" · workshop hint 009 3",
    );
    let lab = Lab::start().await;
    lab.script([
        Step::Say(vec![
            text("Both at once."),
            asks("train", json!({ "at": "home" })),
            asks("weather", json!({ "at": "work" })),
            asks("train", json!({ "at": "work" })),
        ]),
        Step::text("At eight."),
    ]);
    let asked = Arc::default();
    let train = Says::new("train", Ok(json!({ "leaves": "08:14" }))).noting(&asked);
    let weather = Says::new("weather", Ok(json!({ "sky": "grey" }))).noting(&asked);
    let tools = [weather.boxed(), train.boxed()];
    let _ = ran(&lab, &tools, LIMITS, &ONE_MESSAGE).await;

    let calls = lab.calls();
    let messages = calls.get(1).map(|call| call.body["messages"].clone());
    let train = json!({ "leaves": "08:14" });
    let said = [train.clone(), json!({ "sky": "grey" }), train];
    let results = asked_ids(&lab, 0).into_iter().zip(said).map(|(id, json)| {
        let content = json!([{ "json": json }]);
        json!({ "toolResult": { "toolUseId": id, "content": content, "status": "success" } })
    });
    let results: Vec<Value> = results.collect();
    let told = messages.as_ref().map(|list| result_ids(&list[2]));
    ONE_MESSAGE.equal(
        "ids of the results in messages[2] of request 2",
        told.unwrap_or_default(),
        asked_ids(&lab, 0),
    );
    let last = messages.as_ref().and_then(|list| list.as_array()?.get(2));
    ONE_MESSAGE.equal(
        "messages[2] of request 2",
        last,
        Some(&json!({ "role": "user", "content": results })),
    );
    let asked = asked.lock().unwrap().clone();
    ONE_MESSAGE.equal(
        "what the tools were asked",
        asked,
        vec!["train home", "weather work", "train work"],
    );
}

#[tokio::test]
async fn without_tools_none_are_offered() {
    const NONE: Point = Point::wire(
        "009/9",
        "a list of tools that is there and empty is a 400; no list is a plain question",
        "README.md \"The loop\" · workshop hint 009 2",
    );
    let lab = Lab::start().await;
    lab.script([Step::text("At eight.")]);
    let outcome = ran(&lab, &[], LIMITS, &NONE).await;

    let calls = lab.calls();
    let sent = calls.first().map(|call| call.body.clone());
    let config = sent.as_ref().and_then(|body| body.get("toolConfig"));
    NONE.equal("toolConfig", config, None::<&Value>);
    NONE.holds("run(…)", outcome.is_ok(), short(&outcome), "Ok(…)");
}

// ---- RESULT: what came of it

#[tokio::test]
async fn the_outcome_is_the_last_message_and_what_was_done() {
    const OUTCOME: Point = Point::result(
        "009/10",
        "the answer is what the model says when it is done; the rest is how it got there",
        "README.md \"The end\" · workshop hint 009 3",
    );
    for stop in ["end_turn", "stop_sequence"] {
        let lab = Lab::start().await;
        let end = Piece::Stop(stop.into());
        lab.script([
            Step::Say(vec![
                text("I look it up."),
                asks("train", json!({ "at": "home" })),
            ]),
            Step::Say(vec![text("At "), Piece::NewBlock, text("eight."), end]),
        ]);
        let outcome = ran(&lab, &[train()], LIMITS, &OUTCOME).await;

        let Ok(outcome) = &outcome else {
            let what = format!("run(…), whose last message ends with {stop}");
            OUTCOME.fail(&what, short(&outcome), "Ok(…)");
        };
        let last = lab.calls().pop().and_then(|call| call.answer);
        OUTCOME.equal("text", Some(&outcome.text), last.as_ref());
        OUTCOME.equal("turns", outcome.turns, 2);
        OUTCOME.equal("calls", &outcome.calls, &vec![("train".to_owned(), true)]);
    }
}

#[tokio::test]
async fn a_tool_that_fails_is_the_models_to_know() {
    const TOLD: Point = Point::result(
        "009/11",
        "the model can ask better, or otherwise, or tell the user; but only if it is told",
        "README.md \"The results\" · workshop hint 009 3",
    );
    let lab = Lab::start().await;
    lab.script([
        Step::Say(vec![asks("train", json!({ "at": "home" }))]),
        Step::Say(vec![asks("submarine", json!({ "at": "home" }))]),
        Step::text("I do not know."),
    ]);
    let strike = Says::new("train", Err("no trains today"));
    let outcome = ran(&lab, &[strike.boxed()], LIMITS, &TOLD).await;

    for (request, name) in [
        (1, "train, which fails"),
        (2, "submarine, which is no tool"),
    ] {
        let call = lab.calls().into_iter().nth(request);
        let body = call.map(|call| call.body).unwrap_or_default();
        let results = results(&body);
        let result = results.first().copied();
        let status = result.map(|result| &result["status"]);
        TOLD.equal(&format!("status of {name}"), status, Some(&json!("error")));
        let words = result.and_then(|result| result["content"][0]["text"].as_str());
        let told = words.is_some_and(|words| request == 2 || words == "no trains today");
        TOLD.holds(
            &format!("content of {name}"),
            told,
            words.unwrap_or("no text"),
            "the tool's own words, or yours about the name, as text",
        );
    }
    let calls = outcome.as_ref().ok().map(|outcome| outcome.calls.clone());
    let wanted = vec![("train".to_owned(), false), ("submarine".to_owned(), false)];
    TOLD.holds(
        "run(…)",
        calls.as_ref() == Some(&wanted),
        short(&outcome),
        format!("Ok with calls {wanted:?}"),
    );
}

#[tokio::test]
async fn a_message_that_was_cut_is_refused() {
    const CUT: Point = Point::result(
        "009/12",
        "the input of a tool use that was cut may be half of it: `rm -r /tmp/x` begins with `rm -r /`",
        "README.md \"The end\" · workshop hint 009 3",
    );
    for stop in [
        "max_tokens",
        "guardrail_intervened",
        "content_filtered",
        "model_context_window_exceeded",
        "malformed_tool_use",
        "invented_next_year",
    ] {
        let lab = Lab::start().await;
        lab.script([
            Step::Say(vec![
                text("I look"),
                asks("train", json!({ "at": "ho" })),
                Piece::Stop(stop.into()),
            ]),
            Step::text("At eight."),
        ]);
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let train = Says::new("train", Ok(json!({ "leaves": "08:14" }))).noting(&asked);
        let outcome = ran(&lab, &[train.boxed()], LIMITS, &CUT).await;

        let refused = matches!(&outcome, Err(AgentError::Refused(reason))
            if *reason == StopReason::from(stop));
        CUT.holds(
            &format!("a message that ends with {stop}"),
            refused,
            short(&outcome),
            format!("Err(Refused({:?}))", StopReason::from(stop)),
        );
        let asked = asked.lock().unwrap().clone();
        CUT.equal("what the tool was asked", asked, Vec::<String>::new());
    }
}

#[test]
fn read_file_reads_what_lies_in_its_folder() {
    const READS: Point = Point::result(
        "009/13",
        "a tool that refuses what it is there for teaches the model to do without it",
        "README.md \"The file\" · workshop hint 009 2",
    );
    let disk = Disk::new();
    let tool = disk.tool();
    READS.equal("spec()", tool.spec(), read_file_spec());
    for (path, text) in [
        ("notes.md", "Leave at eight.\n"),
        ("docs/plan.md", "First, coffee.\n"),
        ("./docs/plan.md", "First, coffee.\n"),
        ("docs/v1..v2.md", "Two dots mean nothing here.\n"),
    ] {
        READS.equal(
            path,
            tool.call(&document(json!({ "path": path }))),
            Ok::<_, String>(document(json!({ "text": text }))),
        );
    }
}

#[test]
fn an_input_that_makes_no_sense_is_an_error() {
    const SENSE: Point = Point::result(
        "009/14",
        "a schema is a request to the model, not a promise: anything may come",
        "README.md \"The file\" · workshop hint 009 2",
    );
    let disk = Disk::new();
    let tool = disk.tool();
    for input in [
        json!({}),
        json!({ "path": 5 }),
        json!({ "path": null }),
        json!({ "file": "notes.md" }),
        json!(["notes.md"]),
        json!("notes.md"),
        json!({ "path": "" }),
        json!({ "path": "docs" }),
        json!({ "path": "docs/nothing.md" }),
        json!({ "path": "notes.md\0.png" }),
        json!({ "path": "logo.png" }),
    ] {
        let called = std::panic::catch_unwind(|| tool.call(&document(input.clone())));
        let saw = match called {
            Ok(Err(_)) => continue,
            Ok(Ok(read)) => format!("Ok({read:?})"),
            Err(panic) => match panic.downcast::<String>() {
                // The starter's own words.
                Ok(words) if words.contains("009/") => panic!("{words}"),
                _ => "a panic".to_owned(),
            },
        };
        SENSE.fail(
            &format!("read_file of {input}"),
            saw,
            "Err with words for the model",
        );
    }
}

// ---- RESTRAINT: what must not happen

#[tokio::test]
async fn nothing_outside_the_folder_is_read() {
    const OUTSIDE: Point = Point::restraint(
        "009/15",
        "whoever wrote the text that the model reads may have written the path, too",
        "README.md \"The file\" · workshop hint 009 2",
    );
    let disk = Disk::new();
    let secret = disk.secret();
    let mut paths = vec![
        "../secret.txt",
        "docs/../../secret.txt",
        "../project-private/plan.md",
        &secret,
    ];
    if Path::new(&disk.root).join("project/docs/link.md").exists() {
        paths.push("docs/link.md");
    }
    let lab = Lab::start().await;
    let ask = |path: &&str| Step::Say(vec![asks("read_file", json!({ "path": path }))]);
    lab.script(paths.iter().map(ask).chain([Step::text("No luck.")]));
    let tools: [Box<dyn Tool>; 1] = [Box::new(disk.tool())];
    let _ = ran(&lab, &tools, LIMITS, &OUTSIDE).await;

    let calls = lab.calls();
    for (path, call) in paths.iter().zip(calls.iter().skip(1)) {
        let path = path.replace(&*disk.root.to_string_lossy(), "/…");
        let told = results(&call.body).last().map(|result| result.to_string());
        let told = told.unwrap_or_default();
        OUTSIDE.holds(
            &format!("what the model is told about {path}"),
            !told.contains(CANARY),
            "the secret",
            "a result with status error",
        );
    }
}

#[tokio::test]
async fn the_loop_ends_at_its_limit() {
    const ENDS: Point = Point::restraint(
        "009/16",
        "a model that asks for ever is a bill that grows for ever",
        "README.md \"Limits\" · workshop hint 009 3",
    );
    const FOR_NOBODY: Point = Point::restraint(
        "009/17",
        "tools do things; what nobody will be told about should not be done",
        "README.md \"Limits\" · workshop hint 009 3",
    );
    let lab = Lab::start().await;
    let again = Step::Say(vec![asks("train", json!({ "at": "home" }))]);
    lab.script(vec![again; 9].into_iter().chain([Step::text("At eight.")]));
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let train = Says::new("train", Ok(json!({ "leaves": "08:14" }))).noting(&asked);
    let limits = Limits { turns: 3, ..LIMITS };
    let outcome = ran(&lab, &[train.boxed()], limits, &ENDS).await;

    ENDS.equal("requests", lab.calls().len(), 3);
    let too_many = matches!(&outcome, Err(AgentError::TooManyTurns(3)));
    ENDS.holds("run(…)", too_many, short(&outcome), "Err(TooManyTurns(3))");
    FOR_NOBODY.equal("uses of the tool", asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn an_error_of_bedrock_ends_the_run() {
    const ENDS: Point = Point::restraint(
        "009/18",
        "who begins the loop again does everything again that the tools have done already",
        "README.md \"The end\" · workshop hint 009 1",
    );
    let lab = Lab::start().await;
    let throttled = Step::Fault(Fault::Throttling {
        retry_after_ms: None,
    });
    let ask = Step::Say(vec![asks("train", json!({ "at": "home" }))]);
    lab.script([ask.clone(), throttled, ask, Step::text("At eight.")]);
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let train = Says::new("train", Ok(json!({ "leaves": "08:14" }))).noting(&asked);
    let outcome = ran(&lab, &[train.boxed()], LIMITS, &ENDS).await;

    ENDS.equal("uses of the tool", asked.lock().unwrap().len(), 1);
    let sdk = matches!(&outcome, Err(AgentError::Sdk(error))
        if error.as_service_error().is_some_and(|e| e.is_throttling_exception()));
    ENDS.holds(
        "run(…)",
        sdk,
        short(&outcome),
        "Err(Sdk(…)) with the throttling inside",
    );
}
