//! What exercise 001 asks for. Read it: these tests are the exact form of the task.
//!
//! They look at what left your process (WIRE), at what your function returned (RESULT) and at what
//! must not have happened (RESTRAINT). No test looks at a model's wording.

use aws_sdk_bedrockruntime::types::StopReason;
use ex001::{AskError, Reply, ask};
use workshop_testkit::{Fault, Lab, Piece, Point, Step, json, within};

const PROMPT: &str = "Name one good reason to write tests.";

/// One call of the function under test, to the lab's smallest Claude.
async fn asked(lab: &Lab, system: Option<&str>) -> Result<Reply, AskError> {
    const ANSWERS: Point = Point::result(
        "001/1",
        "a call that never returns holds its caller, and the caller's caller, for ever",
        "README.md \"The task\" · workshop hint 001 1",
    );
    let (client, model) = (lab.client(), lab.profile("haiku"));
    within(&ANSWERS, "ask(…)", ask(&client, &model, system, PROMPT, 64)).await
}

/// The reply, or a failure of `point`.
#[track_caller]
fn replied(point: &Point, outcome: Result<Reply, AskError>) -> Reply {
    match outcome {
        Ok(reply) => reply,
        Err(error) => point.fail("ask(…)", short(&error), "Ok(Reply { … })"),
    }
}

/// An error in one line: an `SdkError` prints the whole HTTP exchange.
fn short(error: &AskError) -> String {
    match error {
        AskError::Sdk(error) => format!("Err(Sdk(…)): {error}"),
        other => format!("Err({other:?})"),
    }
}

// ---- WIRE: what left the process

#[tokio::test]
async fn one_converse_request_carries_the_prompt_as_a_user_message() {
    const REQUEST: Point = Point::wire(
        "001/2",
        "every pattern of this course stands on this one request: POST /model/{id}/converse",
        "README.md \"The task\" · workshop hint 001 2",
    );
    const MESSAGES: Point = Point::wire(
        "001/3",
        "Bedrock keeps no conversation: the model knows what this list says, and nothing else",
        "README.md \"The task\" · workshop hint 001 2",
    );
    let lab = Lab::start().await;
    let _ = asked(&lab, None).await;

    let calls = lab.calls();
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    REQUEST.equal("operations called", operations, vec!["Converse"]);
    let call = &calls[0];
    REQUEST.equal("model id in the path", &call.model, &lab.profile("haiku"));
    REQUEST.equal(
        "service in the signature",
        call.scope_service.as_str(),
        "bedrock",
    );
    MESSAGES.equal(
        "messages",
        call.body["messages"].clone(),
        json!([{ "role": "user", "content": [{ "text": PROMPT }] }]),
    );
}

#[tokio::test]
async fn the_answer_is_limited() {
    const LIMIT: Point = Point::wire(
        "001/4",
        "without a limit the model decides what a call costs, and output tokens cost most",
        "README.md \"Limits\" · workshop hint 001 2",
    );
    let lab = Lab::start().await;
    let _ = asked(&lab, None).await;

    let calls = lab.calls();
    let limit = calls
        .first()
        .and_then(|call| call.body_at("/inferenceConfig/maxTokens"));
    LIMIT.equal("inferenceConfig.maxTokens", limit, Some(&json!(64)));
}

#[tokio::test]
async fn a_system_prompt_has_its_own_field() {
    const SYSTEM: Point = Point::wire(
        "001/5",
        "what stands in the user message can be talked away by the user; `system` is yours",
        "README.md \"The task\" · workshop hint 001 2",
    );
    let lab = Lab::start().await;
    let _ = asked(&lab, Some("Answer like a pirate.")).await;

    let calls = lab.calls();
    let body = calls
        .first()
        .map(|call| call.body.clone())
        .unwrap_or_default();
    SYSTEM.equal(
        "system",
        body["system"].clone(),
        json!([{ "text": "Answer like a pirate." }]),
    );
    SYSTEM.equal(
        "text of the user message",
        body["messages"][0]["content"][0]["text"].clone(),
        json!(PROMPT),
    );
}

#[tokio::test]
async fn without_a_system_prompt_there_is_no_system_field() {
    const NO_SYSTEM: Point = Point::wire(
        "001/6",
        "what has nothing to say is left out: Bedrock refuses a system prompt with an empty text",
        "README.md \"The task\" · workshop hint 001 3",
    );
    let lab = Lab::start().await;
    let _ = asked(&lab, None).await;

    let calls = lab.calls();
    let system = calls
        .first()
        .and_then(|call| call.body_at("/system").cloned());
    NO_SYSTEM.equal("system", system, None);
}

// ---- RESULT: what the function returned

#[tokio::test]
async fn all_text_blocks_are_joined_in_order() {
    const JOINED: Point = Point::result(
        "001/7",
        "an answer may come in several blocks; who takes the first loses the rest in silence",
        "README.md \"The answer\" · workshop hint 001 3",
    );
    let lab = Lab::start().await;
    let blocks = [
        Piece::Text("First.".into()),
        Piece::NewBlock,
        Piece::Text(" Second.".into()),
        Piece::NewBlock,
        Piece::Text(" Third.".into()),
    ];
    lab.script([Step::Say(blocks.into())]);

    let reply = replied(&JOINED, asked(&lab, None).await);
    JOINED.equal("text", reply.text.as_str(), "First. Second. Third.");
}

#[tokio::test]
async fn a_block_of_reasoning_is_skipped() {
    const SKIPPED: Point = Point::result(
        "001/8",
        "one changed setting makes a model send its reasoning, and the service must not fall over",
        "README.md \"The answer\" · workshop hint 001 3",
    );
    let lab = Lab::start().await;
    let thought = Piece::Reasoning("They want a reason.".into());
    lab.script([
        Step::Say(vec![thought.clone(), Piece::Text("To sleep well.".into())]),
        Step::Say(vec![thought]),
    ]);
    let (client, model) = (lab.client(), lab.profile("haiku"));

    // In a task of its own, so that a panic of `ask` becomes a sentence here.
    let task = tokio::spawn(async move {
        let with_text = ask(&client, &model, None, PROMPT, 64).await;
        (with_text, ask(&client, &model, None, PROMPT, 64).await)
    });
    let Ok((with_text, without_text)) = within(&SKIPPED, "ask(…)", task).await else {
        SKIPPED.fail("a block that is not text", "a panic", "the text around it");
    };
    let reply = replied(&SKIPPED, with_text);
    SKIPPED.equal("text", reply.text.as_str(), "To sleep well.");
    SKIPPED.holds(
        "an answer of reasoning alone",
        matches!(without_text, Err(AskError::Empty)),
        without_text.map_or_else(|e| short(&e), |reply| format!("Ok({:?})", reply.text)),
        "Err(Empty)",
    );
}

#[tokio::test]
async fn an_answer_without_content_is_an_error() {
    const EMPTY: Point = Point::result(
        "001/9",
        "an empty text that passes for an answer ends up in a database, a mail or a cache",
        "README.md \"The answer\" · workshop hint 001 1",
    );
    let lab = Lab::start().await;
    lab.script([Step::Say(Vec::new())]);

    let outcome = asked(&lab, None).await;
    EMPTY.holds(
        "an answer with no content",
        matches!(outcome, Err(AskError::Empty)),
        outcome.map_or_else(|e| short(&e), |reply| format!("Ok({:?})", reply.text)),
        "Err(Empty)",
    );
}

#[tokio::test]
async fn a_cut_answer_says_that_it_was_cut() {
    const STOP: Point = Point::result(
        "001/10",
        "half a JSON document parses as nothing, half a contract reads like a whole one",
        "README.md \"Limits\" · workshop hint 001 3",
    );
    let lab = Lab::start().await;
    let cut = [
        Piece::Text("The first reason is".into()),
        Piece::Stop("max_tokens".into()),
    ];
    lab.script([Step::Say(cut.into())]);

    let reply = replied(&STOP, asked(&lab, None).await);
    STOP.equal("stop", reply.stop, StopReason::MaxTokens);
}

#[tokio::test]
async fn usage_and_request_id_are_handed_on() {
    const USAGE: Point = Point::result(
        "001/11",
        "these two numbers are the bill; a service that drops them learns its costs next month",
        "README.md \"The answer\" · workshop hint 001 2",
    );
    const REQUEST_ID: Point = Point::result(
        "001/12",
        "the first question of any support case, and the key that finds a call in the logs",
        "README.md \"The answer\" · workshop hint 001 2",
    );
    let lab = Lab::start().await;
    let used = Piece::Usage {
        input: 11,
        output: 7,
    };
    lab.script([Step::Say(vec![Piece::Text("Because.".into()), used])]);

    let reply = replied(&USAGE, asked(&lab, None).await);
    let usage = (reply.usage.input_tokens(), reply.usage.output_tokens());
    USAGE.equal("(input tokens, output tokens)", usage, (11, 7));
    let answered = lab.calls().first().map(|call| call.request_id.clone());
    REQUEST_ID.equal("request_id", reply.request_id, answered);
}

// ---- RESTRAINT: what must not happen

#[tokio::test]
async fn a_refusal_is_handed_on_after_one_call() {
    const REFUSED: Point = Point::result(
        "001/13",
        "the caller must tell \"not allowed\" from \"too fast\": one needs a human, one needs a pause",
        "README.md \"When it fails\" · workshop hint 001 3",
    );
    const ONE_CALL: Point = Point::restraint(
        "001/14",
        "what is refused now is refused again; blind repeats hide the reason and may cost money",
        "README.md \"When it fails\" · workshop hint 001 1",
    );
    let lab = Lab::start().await;
    lab.script(vec![Step::Fault(Fault::AccessDenied); 5]);

    let outcome = asked(&lab, None).await;
    let denied = matches!(&outcome, Err(AskError::Sdk(error))
        if error.as_service_error().is_some_and(|e| e.is_access_denied_exception()));
    REFUSED.holds(
        "an AccessDeniedException",
        denied,
        outcome.map_or_else(|e| short(&e), |reply| format!("Ok({:?})", reply.text)),
        "Err(Sdk(…)) with the service's error inside",
    );
    ONE_CALL.equal("requests", lab.calls().len(), 1);

    // A pause would help against this one; it is the caller's to make.
    let lab = Lab::start().await;
    let busy = Fault::Throttling {
        retry_after_ms: None,
    };
    lab.script(vec![Step::Fault(busy); 5]);
    let _ = asked(&lab, None).await;
    ONE_CALL.equal("requests, when Bedrock is busy", lab.calls().len(), 1);
}
