//! dies in: every_block_of_text_is_returned
//!
//! Believes that an answer is one block.

use aws_sdk_bedrockruntime::{
    Client,
    types::{ContentBlock, ConversationRole, Message},
};

/// Why there is no answer.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Asks `model` once, and returns the first block of its answer.
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
    let first = message.content().first().and_then(|b| b.as_text().ok());
    Ok(first.cloned().unwrap_or_default())
}
