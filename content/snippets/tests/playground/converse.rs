use std::collections::HashMap;
use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, InferenceConfiguration, Message, SystemContentBlock, Tool, ToolConfiguration, ToolInputSchema, ToolSpecification};
use workshop_testkit::{Document, Lab};

/// What the emulator answers to the request that was sent in the playground.
const SCRIPT: &str = r#"
# What was answered to a request, to be answered again.

[[reply]]
when = { operation = "Converse", prompt = "What is the weather in \"Paris\"?" }
say = [
  { tool = { input = { city = "Paris" }, name = "get_weather" } },
]
stop_reason = "tool_use"
usage = { input = 566, output = 13 }
"#;

#[tokio::test]
async fn the_request_is_answered_as_before() {
    let lab = Lab::start().await;
    lab.load(SCRIPT);
    let client = lab.client();
    let response = client
        .converse()
        .model_id(lab.profile("haiku"))
        .system(SystemContentBlock::Text("Be brief.".to_owned()))
        .messages(
            Message::builder()
                .role(ConversationRole::User)
                .content(ContentBlock::Text("What is the weather in \"Paris\"?".to_owned()))
                .build().expect("complete"),
        )
        .inference_config(
            InferenceConfiguration::builder()
                .max_tokens(64)
                .stop_sequences("END")
                .temperature(0.2)
                .build(),
        )
        .tool_config(
            ToolConfiguration::builder()
                .tools(Tool::ToolSpec(
                    ToolSpecification::builder()
                        .name("get_weather")
                        .description("The weather of a city")
                        .input_schema(ToolInputSchema::Json(Document::Object(HashMap::from([("properties".to_owned(), Document::Object(HashMap::from([("city".to_owned(), Document::Object(HashMap::from([("type".to_owned(), Document::from("string"))])))]))), ("required".to_owned(), Document::Array(vec![Document::from("city")])), ("type".to_owned(), Document::from("object"))]))))
                        .build().expect("complete"),
                ))
                .build().expect("complete"),
        )
        .send()
        .await;
    let response = response.expect("it is answered");
    let message = response.output().and_then(|output| output.as_message().ok());
    let message = message.expect("a message");
    let texts = message.content().iter().filter_map(|block| block.as_text().ok());
    assert_eq!(texts.cloned().collect::<String>(), "");
    let tools = message.content().iter().filter_map(|block| block.as_tool_use().ok());
    let names: Vec<_> = tools.map(|tool| tool.name()).collect();
    assert_eq!(names, ["get_weather"]);
}
