//! The official SDK against a `MockServer` that answers as Bedrock.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use aws_sdk_bedrockruntime::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    types::{
        ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput,
        InferenceConfiguration, Message,
    },
};
use bedrock_wiremock::{Bedrock, Fault, Piece, Step, body_at, model, operation};
use wiremock::{Mock, MockServer};

fn client(server: &MockServer) -> Client {
    let config = aws_sdk_bedrockruntime::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(server.uri())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("any", "key", None, None, "test"))
        .retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}

/// The current profile of the tier `haiku`: ids are in the catalogue only.
fn haiku(bedrock: &Bedrock) -> String {
    let models = &bedrock.emulator().catalogue().models;
    let model = models.iter().find(|m| m.alias.as_deref() == Some("haiku"));
    let model = model.expect("the catalogue has a current Haiku");
    format!("us.{}", model.id)
}

fn hello() -> Message {
    Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text("Hello".to_owned()))
        .build()
        .unwrap()
}

#[tokio::test]
async fn converse_is_matched_and_answered() {
    let server = MockServer::start().await;
    let bedrock = Bedrock::new();
    let haiku = haiku(&bedrock);
    bedrock.script([Step::text("It is sunny.")]);
    Mock::given(operation("Converse"))
        .and(model(&haiku))
        .and(body_at("/inferenceConfig/maxTokens", 64))
        .respond_with(bedrock.clone())
        .expect(1)
        .mount(&server)
        .await;
    let converse = |max_tokens| {
        client(&server)
            .converse()
            .model_id(&haiku)
            .messages(hello())
            .inference_config(
                InferenceConfiguration::builder()
                    .max_tokens(max_tokens)
                    .build(),
            )
            .send()
    };
    let answer = converse(64).await.unwrap();
    let message = answer.output().unwrap().as_message().unwrap();
    assert_eq!(message.content()[0].as_text().unwrap(), "It is sunny.");
    assert_eq!(bedrock.journal()[0].operation.as_deref(), Some("Converse"));
    // Another maxTokens does not match, and wiremock answers 404 by itself.
    assert_eq!(
        converse(65)
            .await
            .unwrap_err()
            .raw_response()
            .unwrap()
            .status()
            .as_u16(),
        404
    );
}

#[tokio::test]
async fn frames_arrive_together_and_a_cut_stream_fails() {
    let server = MockServer::start().await;
    let bedrock = Bedrock::new();
    let haiku = haiku(&bedrock);
    let text = |text: &str| Piece::Text(text.to_owned());
    bedrock.script([
        Step::Say(vec![
            text("one "),
            Piece::Gate("never opened".to_owned()),
            text("two"),
        ]),
        Step::Say(vec![text("one "), Piece::Cut]),
    ]);
    Mock::given(operation("ConverseStream"))
        .respond_with(bedrock)
        .mount(&server)
        .await;
    let client = client(&server);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let stream = client
            .converse_stream()
            .model_id(&haiku)
            .messages(hello())
            .send();
        let mut stream = stream.await.unwrap().stream;
        let mut all = String::new();
        let end = loop {
            match stream.recv().await {
                Ok(Some(ConverseStreamOutput::ContentBlockDelta(event))) => {
                    if let Some(ContentBlockDelta::Text(text)) = event.delta {
                        all += &text;
                    }
                }
                Ok(Some(_)) => {}
                end => break end,
            }
        };
        seen.push((all, end.is_ok()));
    }
    assert_eq!(
        seen,
        [("one two".to_owned(), true), ("one ".to_owned(), false)]
    );
}

#[tokio::test]
async fn a_fault_is_a_typed_error() {
    let server = MockServer::start().await;
    let bedrock = Bedrock::new();
    let haiku = haiku(&bedrock);
    bedrock.script([
        Step::Fault(Fault::Throttling {
            retry_after_ms: None,
        }),
        Step::Fault(Fault::Disconnect),
    ]);
    Mock::given(operation("Converse"))
        .respond_with(bedrock)
        .mount(&server)
        .await;
    let client = client(&server);
    let error = client
        .converse()
        .model_id(&haiku)
        .messages(hello())
        .send()
        .await
        .unwrap_err();
    assert!(error.into_service_error().is_throttling_exception());
    let error = client
        .converse()
        .model_id(&haiku)
        .messages(hello())
        .send()
        .await
        .unwrap_err();
    let error = error.into_service_error();
    assert!(
        error.meta().message().unwrap().contains("use a Lab"),
        "{error:?}"
    );
}
