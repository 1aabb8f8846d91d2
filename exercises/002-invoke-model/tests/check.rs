//! What exercise 002 asks for. Read it: these tests are the exact form of the task.
//!
//! They look at what left your process (WIRE), at what your functions returned (RESULT) and at what
//! must not have happened (RESTRAINT). No test looks at a model's wording.

use ex002::{Answer, BodyFault, InvokeFailure, explain_legacy, invoke, read};
use workshop_testkit::{Fault, Lab, Piece, Point, Step, Value, json, within};

const PROMPT: &str = "Name one good reason to write tests.";

/// One call of the function under test, to the lab's Sonnet.
async fn invoked(lab: &Lab) -> Result<Answer, InvokeFailure> {
    const ANSWERS: Point = Point::result(
        "002/3",
        "a call that never returns holds its caller, and the caller's caller, for ever",
        "README.md \"The task\" · workshop hint 002 1",
    );
    let (client, model) = (lab.client(), lab.profile("sonnet"));
    within(&ANSWERS, "invoke(…)", invoke(&client, &model, PROMPT, 64)).await
}

/// An answer as Claude sends it, with this content.
fn claude(content: &Value) -> Vec<u8> {
    let answer = json!({
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": "end_turn",
        "stop_sequence": null,
        "usage": { "input_tokens": 11, "output_tokens": 7 },
    });
    answer.to_string().into_bytes()
}

/// An outcome in one line: an `SdkError` prints the whole HTTP exchange.
fn short(outcome: &Result<Answer, InvokeFailure>) -> String {
    match outcome {
        Ok(answer) => format!("{answer:?}"),
        Err(InvokeFailure::Sdk(error)) => {
            let refusal = error.as_service_error().and_then(|e| e.meta().message());
            format!("Err(Sdk(…)): {}", refusal.unwrap_or("no answer"))
        }
        Err(other) => format!("Err({other:?})"),
    }
}

/// `read(bytes)`, where a panic becomes a sentence of `point`.
#[track_caller]
fn read_calmly(point: &Point, what: &str, bytes: &[u8]) -> Result<Answer, InvokeFailure> {
    match std::panic::catch_unwind(|| read(bytes)) {
        Ok(outcome) => outcome,
        Err(_) => point.fail(what, "a panic", "a Result"),
    }
}

// ---- WIRE: what left the process

#[tokio::test]
async fn bedrock_gets_exactly_the_messages_body() {
    const REQUEST: Point = Point::wire(
        "002/5",
        "Converse and InvokeModel are two doors to the same model; this exercise takes the second",
        "README.md \"The task\" · workshop hint 002 2",
    );
    const FOREIGN: Point = Point::wire(
        "002/6",
        "Claude refuses keys it does not know, and these belong to two other APIs",
        "README.md \"The body\" · workshop hint 002 1",
    );
    const BODY: Point = Point::wire(
        "002/1",
        "InvokeModel hands your bytes to the model as they are: nobody fills in what is missing",
        "README.md \"The body\" · workshop hint 002 3",
    );
    const SAME: Point = Point::result(
        "002/7",
        "two doors, one model: what Converse would have said is what InvokeModel says",
        "README.md \"The answer\" · workshop hint 002 2",
    );
    let lab = Lab::start().await;
    let reply = [
        Piece::Text("They remember".into()),
        Piece::Text(" what you meant.".into()),
        Piece::Usage {
            input: 9,
            output: 6,
        },
    ];
    lab.script([Step::Say(reply.into())]);
    let outcome = invoked(&lab).await;

    let calls = lab.calls();
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    REQUEST.equal("operations called", operations, vec!["InvokeModel"]);
    let call = &calls[0];
    REQUEST.equal("model id in the path", &call.model, &lab.profile("sonnet"));
    let known = ["anthropic_version", "max_tokens", "messages"];
    let keys = call
        .body
        .as_object()
        .into_iter()
        .flat_map(|body| body.keys());
    let foreign: Vec<_> = keys.filter(|key| !known.contains(&key.as_str())).collect();
    FOREIGN.equal("keys that do not belong there", foreign, Vec::<&str>::new());
    BODY.equal(
        "anthropic_version and max_tokens",
        (&call.body["anthropic_version"], &call.body["max_tokens"]),
        (&json!("bedrock-2023-05-31"), &json!(64)),
    );
    BODY.equal(
        "number of messages",
        call.body["messages"].as_array().map(Vec::len),
        Some(1),
    );
    BODY.equal("role", &call.body["messages"][0]["role"], &json!("user"));
    // `content` may be a text or a list of blocks; Claude takes both.
    BODY.equal("text of the message", call.text().as_str(), PROMPT);
    let text = outcome.as_ref().ok().map(|answer| answer.text.as_str());
    SAME.holds(
        "the answer",
        text == Some("They remember what you meant."),
        short(&outcome),
        "an Answer with the text \"They remember what you meant.\"",
    );
}

#[tokio::test]
async fn the_bytes_are_declared_as_json() {
    const DECLARED: Point = Point::wire(
        "002/8",
        "to Bedrock a body is bytes; left alone the SDK calls it application/octet-stream",
        "README.md \"The task\" · workshop hint 002 2",
    );
    let lab = Lab::start().await;
    let _ = invoked(&lab).await;

    let calls = lab.calls();
    for name in ["content-type", "accept"] {
        let value = calls.first().and_then(|call| call.header(name));
        DECLARED.equal(name, value, Some("application/json"));
    }
}

// ---- RESULT: what the functions returned

#[test]
fn text_blocks_are_joined_and_others_skipped() {
    const TEXT: Point = Point::result(
        "002/2",
        "content is a list: reasoning and tool requests stand in it, in front of the text or behind",
        "README.md \"The answer\" · workshop hint 002 3",
    );
    let content = json!([
        { "type": "thinking", "thinking": "They want a reason.", "signature": "c2ln" },
        { "type": "text", "text": "First." },
        { "type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {} },
        { "type": "text", "text": " Second." },
    ]);
    let outcome = read_calmly(&TEXT, "thinking, text, tool_use, text", &claude(&content));
    let text = outcome.as_ref().ok().map(|answer| answer.text.as_str());
    TEXT.holds(
        "text",
        text == Some("First. Second."),
        short(&outcome),
        "\"First. Second.\"",
    );
}

#[test]
fn an_answer_without_text_is_an_error() {
    const NO_TEXT: Point = Point::result(
        "002/9",
        "an empty text that passes for an answer ends up in a database, a mail or a cache",
        "README.md \"The answer\" · workshop hint 002 1",
    );
    let tool = json!([{ "type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {} }]);
    for (what, content) in [("content: []", json!([])), ("only a tool request", tool)] {
        let outcome = read_calmly(&NO_TEXT, what, &claude(&content));
        let no_text = matches!(outcome, Err(InvokeFailure::NoText));
        NO_TEXT.holds(what, no_text, short(&outcome), "Err(NoText)");
    }
}

#[test]
fn usage_and_stop_reason_are_read_in_claudes_spelling() {
    const USAGE: Point = Point::result(
        "002/10",
        "Converse says inputTokens, Claude says input_tokens; the wrong one reads as nothing",
        "README.md \"The answer\" · workshop hint 002 2",
    );
    let content = json!([{ "type": "text", "text": "Because." }]);
    let outcome = read_calmly(&USAGE, "a plain answer", &claude(&content));
    let read = outcome.as_ref().ok();
    let read = read.map(|a| (a.stop_reason.as_str(), a.input_tokens, a.output_tokens));
    USAGE.holds(
        "(stop_reason, input_tokens, output_tokens)",
        read == Some(("end_turn", 11, 7)),
        short(&outcome),
        "(\"end_turn\", 11, 7)",
    );
}

#[test]
fn an_answer_without_its_numbers_is_an_error() {
    const PARTS: Point = Point::result(
        "002/13",
        "a count that is missing and reads as 0 is a call that cost nothing, until the bill comes",
        "README.md \"The answer\" · workshop hint 002 3",
    );
    let content = json!([{ "type": "text", "text": "Because." }]);
    let usage = json!({ "input_tokens": 11, "output_tokens": 7 });
    for (what, answer) in [
        (
            "no stop_reason",
            json!({ "content": content, "usage": usage }),
        ),
        (
            "no usage",
            json!({ "content": content, "stop_reason": "end_turn" }),
        ),
        (
            "no output_tokens",
            json!({ "content": content, "stop_reason": "end_turn", "usage": { "input_tokens": 11 } }),
        ),
    ] {
        let what = format!("read(…) of an answer with {what}");
        let outcome = read_calmly(&PARTS, &what, answer.to_string().as_bytes());
        let refused = matches!(outcome, Err(InvokeFailure::BadJson(_)));
        PARTS.holds(&what, refused, short(&outcome), "Err(BadJson(…))");
    }
}

#[test]
fn bytes_that_are_no_answer_are_an_error() {
    const GARBAGE: Point = Point::result(
        "002/11",
        "a proxy's error page and half an answer are bytes too; a panic takes the service down",
        "README.md \"The answer\" · workshop hint 002 3",
    );
    let bodies: [&[u8]; 4] = [
        b"",
        b"<html>502 Bad Gateway</html>",
        b"{\"content\":[{\"te",
        b"{}",
    ];
    for bytes in bodies {
        let what = format!("read({:?})", String::from_utf8_lossy(bytes));
        let outcome = read_calmly(&GARBAGE, &what, bytes);
        let refused = matches!(outcome, Err(InvokeFailure::BadJson(_)));
        GARBAGE.holds(&what, refused, short(&outcome), "Err(BadJson(…))");
    }
}

#[test]
fn every_fault_of_an_old_body_is_named_and_no_other() {
    const EXPLAINED: Point = Point::result(
        "002/4",
        "Bedrock's 400 names one fault at a time; who knows all of them repairs a body once",
        "README.md \"Spot the faults\" · workshop hint 002 1",
    );
    let foreign = |key: &str| BodyFault::ForeignKey(key.to_owned());
    let good = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 64,
        "messages": [{ "role": "user", "content": PROMPT }],
    });
    let without = |key: &str| {
        let mut body = good.clone();
        body.as_object_mut().map(|body| body.remove(key));
        body
    };
    let with = |key: &str, value: Value| {
        let mut body = good.clone();
        body[key] = value;
        body
    };
    let all = [
        BodyFault::Version,
        BodyFault::NoMessages,
        BodyFault::NoMaxTokens,
    ];
    for (body, faults) in [
        (good.clone(), vec![]),
        (
            json!({ "prompt": "Explain tides.", "max_tokens": 500 }),
            vec![BodyFault::Version, BodyFault::NoMessages, foreign("prompt")],
        ),
        (
            json!({ "prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 500 }),
            [
                all.to_vec(),
                vec![foreign("max_tokens_to_sample"), foreign("prompt")],
            ]
            .concat(),
        ),
        (without("max_tokens"), vec![BodyFault::NoMaxTokens]),
        (without("anthropic_version"), vec![BodyFault::Version]),
        (
            with("anthropic_version", json!("2023-06-01")),
            vec![BodyFault::Version],
        ),
        (with("model", json!("sonnet")), vec![foreign("model")]),
        (with("stream", json!(true)), vec![foreign("stream")]),
        (with("temperature", json!(0.2)), vec![]),
    ] {
        let mut named = explain_legacy(&body);
        named.sort();
        EXPLAINED.equal(&format!("explain_legacy({body})"), named, faults);
    }
}

// ---- RESTRAINT: what must not happen

#[tokio::test]
async fn a_failure_is_handed_on_after_one_call() {
    const ONE_CALL: Point = Point::restraint(
        "002/12",
        "a repeated call is a second bill; whether it is worth one is the caller's decision",
        "README.md \"When it fails\" · workshop hint 002 1",
    );
    let lab = Lab::start().await;
    lab.script(vec![Step::Fault(Fault::ServiceUnavailable); 5]);

    let outcome = invoked(&lab).await;
    ONE_CALL.equal("requests", lab.calls().len(), 1);
    let handed_on = matches!(outcome, Err(InvokeFailure::Sdk(_)));
    ONE_CALL.holds("the outcome", handed_on, short(&outcome), "Err(Sdk(…))");

    // A pause would help against this one; it is the caller's to make.
    let lab = Lab::start().await;
    let busy = Fault::Throttling {
        retry_after_ms: None,
    };
    lab.script(vec![Step::Fault(busy); 5]);
    let _ = invoked(&lab).await;
    ONE_CALL.equal("requests, when Bedrock is busy", lab.calls().len(), 1);
}
