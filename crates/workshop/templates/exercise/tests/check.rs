//! What exercise {{id}} asks for. Read it: these tests are the exact form of the task.

use ex{{id}}::answer;
use workshop_testkit::{Lab, Piece, Point, Step, json};

const PROMPT: &str = "Name one good reason to write tests.";

// ---- WIRE: what left the process

#[tokio::test]
async fn one_converse_request_carries_the_prompt() {
    const REQUEST: Point = Point::wire(
        "{{id}}/1",
        "say why it matters on the job: this line is what a student reads first",
        "README.md \"The task\" · workshop hint {{id}} 1",
    );
    const MESSAGES: Point = Point::wire(
        "{{id}}/2",
        "Bedrock keeps no conversation: the model knows what this list says, and nothing else",
        "README.md \"The task\" · workshop hint {{id}} 2",
    );
    let lab = Lab::start().await;
    let _ = answer(&lab.client(), &lab.profile("haiku"), PROMPT).await;

    let calls = lab.calls();
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    REQUEST.equal("operations called", operations, vec!["Converse"]);
    MESSAGES.equal(
        "messages",
        calls[0].body["messages"].clone(),
        json!([{ "role": "user", "content": [{ "text": PROMPT }] }]),
    );
}

// ---- RESULT: what the function returned

#[tokio::test]
async fn every_block_of_text_is_returned() {
    const TEXT: Point = Point::result(
        "{{id}}/3",
        "who reads the first block alone drops the rest of what was paid for",
        "README.md \"The task\" · workshop hint {{id}} 3",
    );
    let lab = Lab::start().await;
    lab.script([Step::Say(vec![
        Piece::Text("First.".into()),
        Piece::NewBlock,
        Piece::Text(" Second.".into()),
    ])]);
    let said = answer(&lab.client(), &lab.profile("haiku"), PROMPT).await;
    let said = said.map_err(|failure| failure.to_string());
    TEXT.equal("the answer", said, Ok::<_, String>("First. Second.".into()));
}
