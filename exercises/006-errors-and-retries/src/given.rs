//! Given: the types of this exercise, the request, and time as an argument. Not to be edited.

use std::{
    collections::hash_map::RandomState,
    future::Future,
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::converse::{ConverseError, ConverseOutput, builders::ConverseFluentBuilder},
    types::{ContentBlock, ConversationRole, InferenceConfiguration, Message},
};
use tokio::time::Instant;

/// What a failure means for the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Too much at once: Bedrock answered 429.
    Throttled {
        /// How long to stay away at least, if the answer says so.
        retry_after: Option<Duration>,
    },
    /// May heal by itself.
    Transient,
    /// The same request would fail again.
    Permanent,
}

/// How often to try, and how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Tries in all, the first one included. 0 counts as 1: a question is asked at least once.
    pub max_attempts: u32,
    /// The upper end of the first pause. It doubles with every pause.
    pub base: Duration,
    /// The upper end of any pause. Only the service itself may ask for more.
    pub cap: Duration,
    /// No pause ends later than this after the first try began.
    pub deadline: Duration,
}

/// Time and chance, from outside: [`RealTiming`] on the job, a test's own in a test. So a test of a
/// minute of pauses takes no time, and knows to the millisecond what to expect.
pub trait Timing: Sync {
    /// The time since some fixed moment.
    fn now(&self) -> Duration;

    /// Done when `pause` is over. The thread is free meanwhile.
    fn sleep(&self, pause: Duration) -> impl Future<Output = ()> + Send;

    /// A random number from 0.0 to just below 1.0.
    fn random(&self) -> f64;
}

/// Time and chance as they are.
#[derive(Debug, Clone, Copy)]
pub struct RealTiming {
    begin: Instant,
}

impl RealTiming {
    /// Begins to count now.
    pub fn start() -> Self {
        Self {
            begin: Instant::now(),
        }
    }
}

impl Timing for RealTiming {
    fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    fn sleep(&self, pause: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(pause)
    }

    fn random(&self) -> f64 {
        // The standard library's hash keys are random. A pause needs no better chance than that.
        let bits = RandomState::new().build_hasher().finish();
        let bits = u32::try_from(bits >> 32).unwrap_or_default();
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }
}

/// An answer, and what it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The text.
    pub text: String,
    /// How many tries it took.
    pub attempts: u32,
}

/// No answer, and what was tried.
#[derive(Debug)]
pub struct AskError {
    /// How many tries were made.
    pub attempts: u32,
    /// The last failure.
    pub source: Box<SdkError<ConverseError>>,
}

/// The request of exercise 001, not sent yet: `.send().await` sends it.
pub fn request(
    client: &Client,
    model: &str,
    prompt: &str,
    max_tokens: i32,
) -> ConverseFluentBuilder {
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(prompt.to_owned()))
        .build()
        .expect("role and content are set");
    let limit = InferenceConfiguration::builder()
        .max_tokens(max_tokens)
        .build();
    client
        .converse()
        .model_id(model)
        .messages(message)
        .inference_config(limit)
}

/// All text of an answer.
pub fn text_of(output: &ConverseOutput) -> String {
    let message = output.output().and_then(|output| output.as_message().ok());
    let blocks = message.map(Message::content).unwrap_or_default();
    blocks
        .iter()
        .filter_map(|block| block.as_text().ok())
        .map(String::as_str)
        .collect()
}
