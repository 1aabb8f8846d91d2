use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, Message};
use workshop_testkit::Lab;

/// What the emulator answers to the request that was sent in the playground.
const SCRIPT: &str = r#"
# What was answered to a request, to be answered again.

[[fault]]
when = { operation = "ConverseStream" }
count = 1
socket = "cut"
after_frames = 3


[[reply]]
when = { operation = "ConverseStream", prompt = "What is a queue good for?" }
say = [
  { text = "There is a calm way to look" },
]
"#;

#[tokio::test]
async fn the_request_is_answered_as_before() {
    let lab = Lab::start().await;
    lab.load(SCRIPT);
    let client = lab.client();
    let response = client
        .converse_stream()
        .model_id(lab.profile("haiku"))
        .messages(
            Message::builder()
                .role(ConversationRole::User)
                .content(ContentBlock::Text("What is a queue good for?".to_owned()))
                .build().expect("complete"),
        )
        .send()
        .await;
    let response = response.expect("it is answered");
    let mut stream = response.stream;
    let ended = loop {
        match stream.recv().await {
            Ok(Some(_)) => {}
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    assert!(!ended, "the stream breaks off");
}
