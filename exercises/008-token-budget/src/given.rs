//! Given: the types of this exercise, and what exercises 001 and 005 were about. Not to be edited.

use std::fmt;

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::{converse::ConverseError, count_tokens::CountTokensError},
    types::{
        ContentBlock, ConversationRole, InferenceConfiguration, Message, SystemContentBlock,
        TokenUsage,
    },
};

/// An amount of money: millionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct MicroUsd(pub u64);

impl fmt::Display for MicroUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// What a million tokens cost, in micro-USD: 3 USD for a million tokens is 3,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Input tokens that were written to the prompt cache.
    pub cache_write: u64,
    /// Input tokens that were read from the prompt cache.
    pub cache_read: u64,
}

impl Price {
    /// What a call cost that used so much, rounded up: exercise 005.
    pub fn cost(&self, usage: &TokenUsage) -> MicroUsd {
        let tokens = |count: i32| u64::try_from(count).unwrap_or_default();
        let sum = tokens(usage.input_tokens) * self.input
            + tokens(usage.output_tokens) * self.output
            + tokens(usage.cache_write_input_tokens.unwrap_or_default()) * self.cache_write
            + tokens(usage.cache_read_input_tokens.unwrap_or_default()) * self.cache_read;
        MicroUsd(sum.div_ceil(1_000_000))
    }
}

/// A model, and the two ids it goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The id of the model itself.
    pub base_id: String,
    /// The id of the inference profile through which it is called.
    pub profile_id: String,
    /// What it costs.
    pub price: Price,
    /// The shortest beginning of a prompt, in tokens, that its cache keeps; `None`: it has no cache.
    pub min_cache_tokens: Option<u32>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The system prompt, the same for many questions.
    pub system: String,
    /// How many tokens it has. It does not change, so it was counted when the program started.
    pub system_tokens: u32,
    /// The question itself.
    pub prompt: String,
    /// At most how many tokens the answer has.
    pub max_tokens: u32,
}

/// There is not enough left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverBudget {
    /// What was wanted.
    pub wanted: MicroUsd,
    /// What is left: neither spent nor reserved.
    pub left: MicroUsd,
}

/// The tokens could not be counted.
#[derive(Debug)]
pub struct CountError(pub Box<SdkError<CountTokensError>>);

/// Why there is no [`Reply`].
#[derive(Debug)]
pub enum BudgetError {
    /// The tokens could not be counted. Nobody was asked.
    Count(CountError),
    /// There is not enough left. Nobody was asked.
    Over(OverBudget),
    /// The model was asked, and there is no answer.
    Sdk(Box<SdkError<ConverseError>>),
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Its text blocks, joined.
    pub text: String,
    /// What the call used.
    pub usage: TokenUsage,
}

/// The one message of a conversation that consists of a question.
pub fn message(prompt: &str) -> Message {
    Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt.to_owned()))
        .build()
        .expect("a role and content are all it needs")
}

/// One call, as in exercise 001: `prompt` to the model or profile `id`, for at most `max_tokens`.
pub async fn converse(
    client: &Client,
    id: &str,
    system: Vec<SystemContentBlock>,
    prompt: &str,
    max_tokens: u32,
) -> Result<Reply, Box<SdkError<ConverseError>>> {
    let limit = InferenceConfiguration::builder()
        .max_tokens(i32::try_from(max_tokens).unwrap_or(i32::MAX))
        .build();
    let output = client
        .converse()
        .model_id(id)
        .set_system(Some(system))
        .messages(message(prompt))
        .inference_config(limit)
        .send()
        .await
        .map_err(Box::new)?;
    let message = output.output().and_then(|output| output.as_message().ok());
    let blocks = message.map_or(&[][..], |message| message.content());
    let texts = blocks.iter().filter_map(|block| block.as_text().ok());
    let none = TokenUsage::builder()
        .input_tokens(0)
        .output_tokens(0)
        .total_tokens(0);
    let usage = match output.usage() {
        Some(usage) => usage.clone(),
        None => none
            .build()
            .map_err(|error| Box::new(SdkError::construction_failure(error)))?,
    };
    Ok(Reply {
        text: texts.map(String::as_str).collect(),
        usage,
    })
}
