//! Exercise {{id}}: {{title}}, solved.

use aws_sdk_bedrockruntime::{
    Client,
    types::{ContentBlock, ConversationRole, Message},
};

/// Why there is no answer.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Asks `model` once, and returns all text blocks of its answer, joined.
pub async fn answer(client: &Client, model: &str, prompt: &str) -> Result<String, Failure> {
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt.to_owned()))
        .build()?;
    let output = client
        .converse()
        .model_id(model)
        .messages(message)
        .send()
        .await?;
    let message = output
        .output()
        .and_then(|output| output.as_message().ok())
        .ok_or("Bedrock answered with something that is no message")?;

    // A message is a list of blocks, and text may stand in several of them.
    let blocks = message.content().iter();
    Ok(blocks
        .filter_map(|block| block.as_text().ok())
        .map(String::as_str)
        .collect())
}
