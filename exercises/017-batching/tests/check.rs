//! What exercise 017 asks for. Read it: these tests are the exact form of the task.
//!
//! Online they hold answers back at gates, and count how many of your calls wait there (WIRE), then look
//! at your results (RESULT) and at what must not have happened (RESTRAINT). No test measures time.
//! Offline, a test plays the batch job: it sends each record of your file to InvokeModel.

use std::{num::NonZeroUsize, panic::resume_unwind, time::Duration};

use aws_sdk_bedrockruntime::{
    Client,
    primitives::Blob,
    types::{ContentBlock, ConversationRole, ConverseTokensRequest, CountTokensInput, Message},
};
use ex017::{Ask, AskError, RecordError, Reply, join, map_bounded, to_jsonl, worth_batching};
use tokio::task::JoinHandle;
use workshop_testkit::{
    Actor, Fault, Hop, Lab, Piece, Point, Rule, Step, Text, Value, When, json, within,
};

/// How long calls may take to arrive that have nothing to wait for. Only a wrong solution takes that long.
const PATIENCE: Duration = Duration::from_secs(2);

/// What stands between the questions and Bedrock, and lets so many through: it signs as a role of its own.
static GAUGE: Actor = Actor {
    node: "GAUGE",
    edges: &[("BR", "GAUGE-BR")],
};

type Results = Vec<Result<Reply, AskError>>;

/// `question 0` and so on.
fn questions(n: usize) -> Vec<Ask> {
    (0..n)
        .map(|number| Ask {
            system: None,
            prompt: format!("question {number};"),
            max_tokens: 200,
        })
        .collect()
}

/// A rule about one question. `;` ends its number: 1 is not 11.
fn about(number: usize) -> Rule {
    let prompt = Text::contains(format!("question {number};"));
    Rule::when(When::any().prompt(prompt))
}

/// Everything else that is asked.
fn others() -> Rule {
    Rule::when(When::any())
}

/// An answer that waits at the gate.
fn gated(gate: &str, text: &str) -> Step {
    Step::Say(vec![
        Piece::Gate(gate.to_owned()),
        Piece::Text(text.to_owned()),
    ])
}

fn limit(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("more than none")
}

/// Begins to ask, in a task of its own.
fn asking(lab: &Lab, items: Vec<Ask>, at_once: usize) -> JoinHandle<Results> {
    let (client, model) = (lab.client_at(&GAUGE), lab.profile("haiku"));
    tokio::spawn(async move { map_bounded(&client, &model, &items, limit(at_once)).await })
}

/// Its results, which light the diagram's first arrow.
async fn results(lab: &Lab, point: &Point, task: JoinHandle<Results>) -> Results {
    let results = match within(point, "map_bounded(…)", task).await {
        Ok(results) => results,
        Err(died) => resume_unwind(died.into_panic()),
    };
    let status = |result: &Result<_, AskError>| match result {
        Ok(_) => 200,
        Err(AskError::Sdk(error)) => error.raw_response().map_or(502, |r| r.status().as_u16()),
        Err(_) => 502,
    };
    if let Some(status) = results.iter().map(status).max() {
        lab.saw(Hop {
            from: "CLIENT",
            to: "GAUGE",
            what: "many questions",
            status,
            request_id: "all",
        });
    }
    results
}

/// Until so many calls wait at the gate, or the task has ended. Tells how many wait.
async fn waiting(lab: &Lab, gate: &str, wanted: usize, task: &mut JoinHandle<Results>) -> usize {
    let gates = lab.gates();
    let waiting = || {
        let gates = gates.list();
        let gate = gates.iter().find(|g| g.name == gate);
        gate.map_or(0, |gate| gate.waiting)
    };
    let look = async {
        while waiting() < wanted && !task.is_finished() {
            tokio::task::yield_now().await;
        }
    };
    let _ = tokio::time::timeout(PATIENCE, look).await;
    starter_speaks(task).await;
    // One more than the limit would be on its way by now; let it arrive.
    others_go_on(lab).await;
    waiting()
}

/// A task that has ended in a panic ends the test with the panic's own words.
async fn starter_speaks(task: &mut JoinHandle<Results>) {
    if task.is_finished() {
        match (&mut *task).await {
            Err(died) if died.is_panic() => resume_unwind(died.into_panic()),
            results => *task = tokio::spawn(async { results.expect("it was not dropped") }),
        }
    }
}

/// Some calls of somebody else, one after the other: whatever there is to do meanwhile gets done.
async fn others_go_on(lab: &Lab) {
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text("How long am I?".to_owned()))
        .build()
        .expect("role and content are set");
    let question = ConverseTokensRequest::builder().messages(message).build();
    let client = lab.client();
    for _ in 0..10 {
        let count = client.count_tokens().model_id(&lab.model("haiku").id);
        let count = count.input(CountTokensInput::Converse(question.clone()));
        count.send().await.expect("counting costs nothing");
    }
}

/// How many of the calls so far were questions.
fn asked(lab: &Lab) -> usize {
    let calls = lab.calls();
    calls.iter().filter(|c| c.operation == "Converse").count()
}

/// A result in few words: an `SdkError` prints the whole HTTP exchange.
fn short(result: &Result<Reply, AskError>) -> String {
    match result {
        Ok(reply) => reply.text.clone(),
        Err(AskError::Sdk(error)) => match error.raw_response() {
            Some(response) => format!("Err(Sdk({}))", response.status().as_u16()),
            None => "Err(Sdk(no answer))".to_owned(),
        },
        Err(error) => format!("Err({error:?})"),
    }
}

fn shorts(results: &Results) -> Vec<String> {
    results.iter().map(short).collect()
}

// ---- WIRE: what reached Bedrock

#[tokio::test]
async fn so_many_at_a_time_and_no_more() {
    const AT_A_TIME: Point = Point::wire(
        "017/2",
        "one at a time takes all night, all at once is throttled: the limit is there to be reached",
        "README.md \"Online\" · workshop hint 017 1",
    );
    let lab = Lab::start().await;
    lab.rules([others().then_always(gated("as many as may", "yes"))]);
    let mut task = asking(&lab, questions(12), 4);
    let at_once = waiting(&lab, "as many as may", 4, &mut task).await;
    AT_A_TIME.holds(
        "calls that Bedrock is answering, of 12, at most 4",
        at_once == 4,
        if at_once > 4 {
            "more".to_owned()
        } else {
            at_once.to_string()
        },
        4,
    );
    lab.open_gate("as many as may");
    let results = results(&lab, &AT_A_TIME, task).await;
    AT_A_TIME.equal("calls in the end", asked(&lab), 12);
    let answered = results.iter().filter(|r| r.is_ok()).count();
    AT_A_TIME.equal("answers", answered, 12);
}

#[tokio::test]
async fn a_slow_answer_holds_nobody_up() {
    const GOES_ON: Point = Point::wire(
        "017/3",
        "some answers take a minute; three free places that wait for the fourth are paid-for patience",
        "README.md \"Online\" · workshop hint 017 2",
    );
    const ORDER: Point = Point::result(
        "017/4",
        "answers come in the order in which they are ready; put to the wrong question they are lies",
        "README.md \"Online\" · workshop hint 017 2",
    );
    let lab = Lab::start().await;
    let rules = (1..12).map(|n| about(n).then_always(Step::text(format!("answer {n}"))));
    let slow = about(0).then_always(gated("all others have their answers", "answer 0"));
    lab.rules([slow].into_iter().chain(rules));
    let mut task = asking(&lab, questions(12), 3);
    let look = async {
        while asked(&lab) < 12 && !task.is_finished() {
            tokio::task::yield_now().await;
        }
    };
    let _ = tokio::time::timeout(PATIENCE, look).await;
    starter_speaks(&mut task).await;
    GOES_ON.equal("questions asked while the first waits", asked(&lab), 12);
    lab.open_gate("all others have their answers");
    let results = results(&lab, &ORDER, task).await;
    let wanted: Vec<_> = (0..12).map(|n| format!("answer {n}")).collect();
    let saw = shorts(&results);
    let mut missing = wanted.iter().filter(|answer| !saw.contains(answer));
    ORDER.equal("an answer that is missing", missing.next(), None::<&String>);
    ORDER.holds(
        "results",
        saw == wanted,
        "all answers, in another order",
        "in the order of the items",
    );
}

#[tokio::test]
async fn few_or_no_questions_are_questions_too() {
    const FEW: Point = Point::result(
        "017/5",
        "a list is as long as it is: empty on quiet days, and sometimes shorter than the limit",
        "README.md \"Online\" · workshop hint 017 3",
    );
    let lab = Lab::start().await;
    lab.rules([others().then_always(Step::text("yes"))]);
    for n in [0, 1, 2] {
        let task = asking(&lab, questions(n), 5);
        let results = results(&lab, &FEW, task).await;
        let what = format!("results of {n} questions, at most 5 at a time");
        FEW.equal(&what, shorts(&results), vec!["yes".to_owned(); n]);
    }
}

// ---- RESULT: one failure, and a refusal for all

#[tokio::test]
async fn a_failure_is_one_questions_own() {
    const OWN: Point = Point::result(
        "017/6",
        "four answers are paid for; they are not thrown away because the others have failed",
        "README.md \"When it fails\" · workshop hint 017 1",
    );
    let lab = Lab::start().await;
    let throttling = Fault::Throttling {
        retry_after_ms: None,
    };
    lab.rules([
        about(1).then_always(Step::Fault(Fault::Validation("too long".into()))),
        about(3).then_always(Step::Fault(throttling)),
        about(4).then_always(Step::Fault(Fault::ModelTimeout)),
        others().then_always(Step::text("yes")),
    ]);
    let results = results(&lab, &OWN, asking(&lab, questions(7), 1)).await;
    let (yes, failed) = ("yes", |status| format!("Err(Sdk({status}))"));
    let wanted = [yes, &failed(400), yes, &failed(429), &failed(408), yes, yes];
    OWN.equal(
        "results of seven, three of which fail",
        shorts(&results),
        wanted,
    );
}

#[tokio::test]
async fn a_refusal_for_all_stops_all() {
    const STOPS: Point = Point::result(
        "017/7",
        "a role that may not ask once may not ask ten thousand times; each try is a line in an alarm",
        "README.md \"When it fails\" · workshop hint 017 3",
    );
    for (name, fault) in [
        ("AccessDeniedException", Fault::AccessDenied),
        (
            "ResourceNotFoundException",
            Fault::ResourceNotFound("no such model".into()),
        ),
    ] {
        let lab = Lab::start().await;
        lab.rules([others().then_always(Step::Fault(fault))]);
        let results = results(&lab, &STOPS, asking(&lab, questions(40), 4)).await;
        let calls = asked(&lab);
        STOPS.holds(
            &format!("calls, of 40 questions, 4 at a time, after {name}"),
            calls <= 8,
            calls,
            "4, or 4 more that had begun",
        );
        let refused = results.iter().any(|r| matches!(r, Err(AskError::Sdk(_))));
        STOPS.holds(
            "results that are the refusal itself",
            refused,
            "none",
            "one at least",
        );
        let skipped = results
            .iter()
            .filter(|r| matches!(r, Err(AskError::Skipped)));
        let skipped = skipped.count();
        STOPS.holds(
            "results that are Skipped",
            skipped + calls >= 40,
            format!("{skipped}, after {calls} calls"),
            "all that were not asked",
        );
    }
}

#[tokio::test]
async fn what_is_on_its_way_comes_home() {
    const HOME: Point = Point::result(
        "017/8",
        "Bedrock is answering, and you pay for it: an answer that you hang up on is money for nothing",
        "README.md \"When it fails\" · workshop hint 017 3",
    );
    let lab = Lab::start().await;
    lab.rules([
        about(0).then_always(Step::Fault(Fault::AccessDenied)),
        others().then_always(gated("the first is refused", "yes")),
    ]);
    let mut task = asking(&lab, questions(9), 3);
    waiting(&lab, "the first is refused", 2, &mut task).await;
    lab.open_gate("the first is refused");
    let results = results(&lab, &HOME, task).await;
    let first = shorts(&results).into_iter().take(3).collect::<Vec<_>>();
    let wanted = ["Err(Sdk(403))", "yes", "yes"];
    HOME.equal("results of the three that had begun", first, wanted);
}

// ---- RESTRAINT: what must not happen

#[tokio::test]
async fn who_hangs_up_ends_it_all() {
    const ENDS: Point = Point::restraint(
        "017/9",
        "the user has left, the process shuts down: nobody reads what is asked from here on",
        "README.md \"Online\" · workshop hint 017 3",
    );
    let lab = Lab::start().await;
    lab.rules([others().then_always(gated("nobody waits any more", "yes"))]);
    let mut task = asking(&lab, questions(12), 3);
    let begun = waiting(&lab, "nobody waits any more", 3, &mut task).await;
    task.abort();
    let gone = within(&ENDS, "the end of a dropped map_bounded", task).await;
    assert!(gone.is_err_and(|end| end.is_cancelled()), "it was dropped");
    lab.open_gate("nobody waits any more");
    others_go_on(&lab).await;
    let more = asked(&lab) > begun;
    ENDS.holds(
        "calls after it was dropped",
        !more,
        "it goes on asking",
        "none",
    );
}

// ---- Offline

/// What a batch job makes of an input file: a line for each, in InvokeModel's own words.
async fn job(client: &Client, model: &str, input: &str) -> Vec<Value> {
    let mut output = Vec::new();
    for line in input.lines() {
        let mut record: Value = serde_json::from_str(line).unwrap_or_default();
        let body = Blob::new(record["modelInput"].to_string());
        let invoked = client
            .invoke_model()
            .model_id(model)
            .content_type("application/json")
            .body(body)
            .send()
            .await;
        match invoked {
            Ok(answer) => {
                let answer = serde_json::from_slice(answer.body().as_ref());
                record["modelOutput"] = answer.expect("InvokeModel answers in JSON");
            }
            Err(error) => {
                let code = error.raw_response().map(|r| r.status().as_u16());
                let message = error.into_service_error().to_string();
                record["error"] = json!({ "errorCode": code, "errorMessage": message });
            }
        }
        output.push(record);
    }
    output
}

fn records(n: usize) -> Vec<(String, Ask)> {
    let ids = (0..n).map(|number| format!("TICKET{number:05}"));
    ids.zip(questions(n)).collect()
}

#[tokio::test]
async fn each_line_is_a_record_that_invoke_model_takes() {
    const LINE: Point = Point::wire(
        "017/10",
        "a line that is no JSON object, or half of one, fails the job before its first answer",
        "README.md \"Offline\" · workshop hint 017 1",
    );
    const TAKES: Point = Point::wire(
        "017/11",
        "the job hands `modelInput` to InvokeModel as it is, tomorrow night, when nobody looks",
        "README.md \"Offline\" · workshop hint 017 2",
    );
    const SAME: Point = Point::wire(
        "017/12",
        "what is asked offline is what would have been asked online, limit and system prompt included",
        "README.md \"Offline\" · workshop hint 017 2",
    );
    let mut items = records(4);
    items[1].1.prompt = "two\nlines, a \"quote\", a \\ and a\u{2028}separator".to_owned();
    items[2].1.system = Some("Answer in one word.".to_owned());
    items[3].1.max_tokens = 7;
    let input = to_jsonl(&items);

    let lines: Vec<&str> = input.trim_end_matches('\n').split('\n').collect();
    let parsed = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).ok());
    let ids: Vec<_> = parsed
        .map(|record| record?["recordId"].as_str().map(ToOwned::to_owned))
        .collect();
    let wanted: Vec<_> = items.iter().map(|(id, _)| Some(id.clone())).collect();
    LINE.equal("recordId of each line", ids, wanted);

    let lab = Lab::start().await;
    let output = job(&lab.client(), &lab.profile("haiku"), &input).await;
    for (record, (id, ask)) in output.iter().zip(&items) {
        let what = format!("InvokeModel's answer to modelInput of {id}");
        TAKES.holds(&what, record["error"].is_null(), &record["error"], "200");
        let body = &record["modelInput"];
        SAME.equal("max_tokens", &body["max_tokens"], ask.max_tokens);
        SAME.equal("system", body["system"].as_str(), ask.system.as_deref());
    }
    let asked: Vec<_> = lab
        .calls()
        .iter()
        .map(workshop_testkit::Call::text)
        .collect();
    let wanted: Vec<_> = items.iter().map(|(_, ask)| ask.prompt.clone()).collect();
    SAME.equal("what the model was asked", asked, wanted);
}

#[tokio::test]
async fn answers_find_their_questions_by_id() {
    const BY_ID: Point = Point::result(
        "017/13",
        "a line's place says nothing: lines come in another order, and some do not come at all",
        "README.md \"Offline\" · workshop hint 017 2",
    );
    const FAILED: Point = Point::result(
        "017/14",
        "a job that is `Completed` has failed records in it; they stand between the good ones",
        "README.md \"Offline\" · workshop hint 017 3",
    );
    let lab = Lab::start().await;
    let rules = (0..6).map(|n| about(n).then_always(Step::text(format!("answer {n}"))));
    let refused = Step::Fault(Fault::Validation("input is too long".into()));
    let cut = vec![Piece::Text("answ".into()), Piece::Stop("max_tokens".into())];
    let odd = [
        about(1).then_always(refused),
        about(4).then_always(Step::Say(cut)),
    ];
    lab.rules(odd.into_iter().chain(rules));
    let items = records(6);
    let mut output = job(&lab.client(), &lab.profile("haiku"), &to_jsonl(&items)).await;
    // A model that thinks first, and answers in two pieces.
    output[5]["modelOutput"]["content"] = json!([
        { "type": "thinking", "thinking": "Hm." },
        { "type": "text", "text": "answer " },
        { "type": "text", "text": "5" },
    ]);
    // Another order, one line lost, one of somebody else's, an empty one, and one that is cut off.
    output.reverse();
    output.retain(|record| record["recordId"] != "TICKET00003");
    let lines = output.iter().map(Value::to_string).collect::<Vec<_>>();
    let strange = r#"{"recordId":"X","modelOutput":{"content":[{"type":"text","text":"?"}],"stop_reason":"end_turn"}}"#;
    let output = format!(
        "{strange}\n\n{}\n{{\"recordId\":\"TICKET0",
        lines.join("\n")
    );

    let joined = join(&items, &output);
    let ids: Vec<_> = joined.iter().map(|(id, _)| id.as_str()).collect();
    let wanted: Vec<_> = items.iter().map(|(id, _)| id.as_str()).collect();
    BY_ID.equal("ids", ids, wanted);
    let say = |text: &str, stop: &str| {
        Ok(Reply {
            text: text.to_owned(),
            stop: stop.to_owned(),
        })
    };
    for (number, text, stop) in [
        (0, "answer 0", "end_turn"),
        (2, "answer 2", "end_turn"),
        (4, "answ", "max_tokens"),
        (5, "answer 5", "end_turn"),
    ] {
        let what = format!("what became of {}", joined[number].0);
        BY_ID.equal(&what, &joined[number].1, &say(text, stop));
    }
    let missing = Err(RecordError::Missing);
    BY_ID.equal("what became of TICKET00003", &joined[3].1, &missing);
    let refused = matches!(&joined[1].1, Err(RecordError::Failed { code: 400, message })
        if message.contains("too long"));
    FAILED.holds(
        "what became of TICKET00001",
        refused,
        format!("{:?}", joined[1].1),
        "Err(Failed { code: 400, … }) with the record's own message",
    );
}

#[tokio::test]
async fn an_unreadable_record_is_no_answer() {
    const UNREADABLE: Point = Point::restraint(
        "017/15",
        "an empty text in the place of an answer is read as one, and nobody asks again",
        "README.md \"Offline\" · workshop hint 017 3",
    );
    let items = records(1);
    for record in [
        json!({ "recordId": "TICKET00000" }),
        json!({ "recordId": "TICKET00000", "modelOutput": null }),
        json!({ "recordId": "TICKET00000", "modelOutput": { "type": "message" } }),
        json!({ "recordId": "TICKET00000", "modelOutput": { "content": "text" } }),
        json!({
            "recordId": "TICKET00000",
            "modelOutput": { "content": [{ "type": "text", "text": "half" }] },
        }),
    ] {
        let joined = join(&items, &record.to_string());
        let wanted = vec![("TICKET00000".to_owned(), Err(RecordError::Unreadable))];
        UNREADABLE.equal(&format!("join(…) of {record}"), joined, wanted);
    }
}

#[tokio::test]
async fn a_batch_job_is_for_many_who_can_wait() {
    const WORTH: Point = Point::result(
        "017/16",
        "a job below the minimum is refused, and one that must be over today may not even begin today",
        "README.md \"Offline\" · workshop hint 017 1",
    );
    let hours = |hours: u64| Duration::from_hours(hours);
    let second = Duration::from_secs(1);
    for (n, min_records, deadline, wanted) in [
        (100, 100, hours(24), true),
        (99, 100, hours(24), false),
        (50_000, 100, hours(24) - second, false),
        (50_000, 100, hours(168), true),
        (99, 1_000, hours(168), false),
    ] {
        WORTH.equal(
            &format!("worth_batching({n}, {min_records}, {deadline:?})"),
            worth_batching(n, min_records, deadline),
            wanted,
        );
    }
}
