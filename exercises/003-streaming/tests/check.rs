//! What exercise 003 asks for. Read it: these tests are the exact form of the task.
//!
//! They look at what left your process (WIRE), at what your function returned (RESULT) and at what
//! must not have happened (RESTRAINT). No test measures time: a gate holds the second piece of a
//! stream back until your callback has seen the first.

use std::sync::{Arc, Mutex};

use aws_sdk_bedrockruntime::types::StopReason;
use ex003::{StreamFailure, Streamed, stream};
use workshop_testkit::{Fault, Lab, Piece, Point, Step, json, within};

const PROMPT: &str = "Count to three.";

/// Everything the reader was shown, in order.
type Shown = Arc<Mutex<Vec<String>>>;

fn text(piece: &str) -> Piece {
    Piece::Text(piece.to_owned())
}

/// One call of the function under test, to the lab's smallest Claude, and what the reader saw.
async fn streamed(lab: &Lab, point: &Point) -> (Result<Streamed, StreamFailure>, Vec<String>) {
    let shown = Shown::default();
    let seen = Arc::clone(&shown);
    let mut on_text = move |piece: &str| seen.lock().unwrap().push(piece.to_owned());
    let (client, model) = (lab.client(), lab.profile("haiku"));
    let call = stream(&client, &model, PROMPT, 64, &mut on_text);
    let outcome = within(point, "stream(…)", call).await;
    let shown = shown.lock().unwrap().clone();
    (outcome, shown)
}

/// An outcome in one line: an `SdkError` prints the whole HTTP exchange.
fn short(outcome: &Result<Streamed, StreamFailure>) -> String {
    match outcome {
        Ok(Streamed { text, stop, .. }) => format!("Ok with {text:?}, stop {stop:?}"),
        Err(StreamFailure::Start(error)) => format!("Err(Start(…)): {error}"),
        Err(cut) => format!("Err({cut:?})"),
    }
}

// ---- WIRE: what left the process

#[tokio::test]
async fn one_converse_stream_request_carries_prompt_and_limit() {
    const REQUEST: Point = Point::wire(
        "003/2",
        "streaming is an operation of its own, with a path and an IAM action of its own",
        "README.md \"The task\" · workshop hint 003 2",
    );
    const BODY: Point = Point::wire(
        "003/3",
        "a streamed answer costs what a whole one costs; the limit holds for both",
        "README.md \"The task\" · workshop hint 003 2",
    );
    let lab = Lab::start().await;
    let _ = streamed(&lab, &REQUEST).await;

    let calls = lab.calls();
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    REQUEST.equal("operations called", operations, vec!["ConverseStream"]);
    let call = &calls[0];
    REQUEST.equal("model id in the path", &call.model, &lab.profile("haiku"));
    BODY.equal(
        "messages",
        &call.body["messages"],
        &json!([{ "role": "user", "content": [{ "text": PROMPT }] }]),
    );
    let limit = call.body_at("/inferenceConfig/maxTokens");
    BODY.equal("inferenceConfig.maxTokens", limit, Some(&json!(64)));
}

// ---- RESULT: what the reader saw and the function returned

#[tokio::test]
async fn text_is_shown_while_the_stream_is_open() {
    const OPEN: Point = Point::result(
        "003/4",
        "a reader waits for the first word; text that is shown at the end could have come at once",
        "README.md \"As it arrives\" · workshop hint 003 1",
    );
    let lab = Lab::start().await;
    // The emulator sends "one", then waits until the reader has been shown it.
    let gate = Piece::Gate("the reader has seen the first piece".into());
    lab.script([Step::Say(vec![
        text("one "),
        gate,
        text("two "),
        text("three"),
    ])]);
    let gates = lab.gates();
    let mut on_text = move |_: &str| gates.open("the reader has seen the first piece");
    let (client, model) = (lab.client(), lab.profile("haiku"));

    let call = stream(&client, &model, PROMPT, 64, &mut on_text);
    let Ok(outcome) = tokio::time::timeout(std::time::Duration::from_secs(3), call).await else {
        OPEN.fail(
            "on_text",
            "your callback was not called while the stream was open",
            "a call for each piece as soon as it arrives",
        );
    };
    OPEN.holds("the outcome", outcome.is_ok(), short(&outcome), "Ok(…)");
}

#[tokio::test]
async fn the_text_is_what_was_shown_and_nothing_else() {
    const TEXT: Point = Point::result(
        "003/5",
        "what is stored and what was read must be the same; reasoning is for neither",
        "README.md \"As it arrives\" · workshop hint 003 3",
    );
    let lab = Lab::start().await;
    let thought = Piece::Reasoning("They want numbers.".into());
    let pieces = [
        thought,
        text("one "),
        text("two"),
        Piece::NewBlock,
        text(" three"),
    ];
    lab.script([Step::Say(pieces.into())]);

    let (outcome, shown) = streamed(&lab, &TEXT).await;
    TEXT.equal("what on_text saw", shown.concat().as_str(), "one two three");
    let text = outcome.as_ref().ok().map(|streamed| streamed.text.as_str());
    TEXT.holds(
        "text",
        text == Some("one two three"),
        short(&outcome),
        "Ok with \"one two three\"",
    );
}

#[tokio::test]
async fn the_reason_to_stop_is_handed_on() {
    const STOP: Point = Point::result(
        "003/6",
        "a text that reached the limit looks finished on the screen; only this field knows better",
        "README.md \"The end\" · workshop hint 003 3",
    );
    let lab = Lab::start().await;
    lab.script([Step::Say(vec![
        text("one two"),
        Piece::Stop("max_tokens".into()),
    ])]);

    let (outcome, _) = streamed(&lab, &STOP).await;
    let stop = outcome.as_ref().ok().map(|streamed| &streamed.stop);
    STOP.holds(
        "stop",
        stop == Some(&StopReason::MaxTokens),
        short(&outcome),
        "Ok with stop MaxTokens",
    );
}

#[tokio::test]
async fn usage_is_read_after_the_message_has_ended() {
    const USAGE: Point = Point::result(
        "003/7",
        "the bill comes last, in `metadata`; who leaves at `messageStop` never sees it",
        "README.md \"The end\" · workshop hint 003 2",
    );
    let lab = Lab::start().await;
    let used = Piece::Usage {
        input: 11,
        output: 7,
    };
    lab.script([Step::Say(vec![text("one two three"), used])]);

    let (outcome, _) = streamed(&lab, &USAGE).await;
    let usage = outcome
        .as_ref()
        .ok()
        .and_then(|streamed| streamed.usage.as_ref());
    let usage = usage.map(|usage| (usage.input_tokens(), usage.output_tokens()));
    USAGE.equal("(input tokens, output tokens)", usage, Some((11, 7)));
}

#[tokio::test]
async fn a_throttled_stream_keeps_its_text_and_says_so() {
    const THROTTLED: Point = Point::result(
        "003/8",
        "inside a stream an error has no code and no status: its variant tells what happened",
        "README.md \"When it breaks\" · workshop hint 003 3",
    );
    let lab = Lab::start().await;
    let throttling = Fault::Throttling {
        retry_after_ms: None,
    };
    let broken = Step::Say(vec![text("one "), text("tw"), Piece::Exception(throttling)]);
    lab.script(vec![broken; 5]);

    let (outcome, _) = streamed(&lab, &THROTTLED).await;
    let cut = matches!(&outcome, Err(StreamFailure::Cut { partial, throttled: true })
        if partial == "one tw");
    THROTTLED.holds(
        "a ThrottlingException after \"one tw\"",
        cut,
        short(&outcome),
        "Err(Cut { partial: \"one tw\", throttled: true })",
    );
}

#[tokio::test]
async fn a_cut_stream_is_not_an_answer() {
    const CUT: Point = Point::result(
        "003/9",
        "half an answer that passes for a whole one is stored, cached, and acted upon",
        "README.md \"When it breaks\" · workshop hint 003 3",
    );
    for (what, end) in [
        ("a connection cut", Piece::Cut),
        ("an end without messageStop", Piece::Raw(Vec::new())),
        (
            "a ModelStreamErrorException",
            Piece::Exception(Fault::ModelError),
        ),
    ] {
        let lab = Lab::start().await;
        let broken = Step::Say(vec![text("one "), text("tw"), end]);
        lab.script(vec![broken; 5]);

        let (outcome, _) = streamed(&lab, &CUT).await;
        let cut = matches!(&outcome, Err(StreamFailure::Cut { partial, throttled: false })
            if partial == "one tw");
        CUT.holds(
            &format!("{what} after \"one tw\""),
            cut,
            short(&outcome),
            "Err(Cut { partial: \"one tw\", throttled: false })",
        );
    }
}

#[tokio::test]
async fn a_refusal_is_told_from_a_cut() {
    const REFUSED: Point = Point::result(
        "003/10",
        "before the first word a caller may try again freely; after it the reader has seen half",
        "README.md \"When it breaks\" · workshop hint 003 2",
    );
    let lab = Lab::start().await;
    lab.script(vec![Step::Fault(Fault::AccessDenied); 5]);

    let (outcome, _) = streamed(&lab, &REFUSED).await;
    let refused = matches!(&outcome, Err(StreamFailure::Start(error))
        if error.as_service_error().is_some_and(|e| e.is_access_denied_exception()));
    REFUSED.holds(
        "a refused request",
        refused,
        short(&outcome),
        "Err(Start(…))",
    );
}

// ---- RESTRAINT: what must not happen

#[tokio::test]
async fn a_broken_stream_is_not_started_again() {
    const ONCE: Point = Point::restraint(
        "003/11",
        "the reader has seen the beginning; a second stream shows it again, and costs again",
        "README.md \"When it breaks\" · workshop hint 003 1",
    );
    let lab = Lab::start().await;
    let throttling = Fault::Throttling {
        retry_after_ms: None,
    };
    let broken = Step::Say(vec![text("Hel"), Piece::Exception(throttling)]);
    lab.script(vec![broken; 5]);

    let (_, shown) = streamed(&lab, &ONCE).await;
    let (shown, calls) = (shown.concat(), lab.calls().len());
    ONCE.holds(
        "after a ThrottlingException in the stream",
        shown == "Hel" && calls == 1,
        format!("the reader saw {shown:?} in {calls} calls"),
        "\"Hel\" in 1 call",
    );
}
