//! Given: the program's clients, one question and how it is asked, what is recorded of it, and what the
//! alarms are about. Not to be edited.

use std::time::{Duration, SystemTime};

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::{RequestId, converse::ConverseError},
    types::{ContentBlock, ConversationRole, InferenceConfiguration, Message, TokenUsage},
};
use aws_sdk_cloudwatch::{
    operation::put_metric_alarm::builders::PutMetricAlarmInputBuilder,
    types::{Dimension, Metric, MetricDataQuery, MetricStat},
};

/// Where this program's metrics are. Those of AWS's services begin with `AWS/`.
pub const NAMESPACE: &str = "TicketTriage/Bedrock";

/// The program's clients, with their connections.
#[derive(Debug, Clone)]
pub struct App {
    /// Answers.
    pub bedrock: Client,
    /// Takes the alarms, once, when the program is deployed.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
}

/// One question.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The inference profile's id.
    pub model: String,
    /// The user's own words.
    pub prompt: String,
    /// Longest answer, in tokens.
    pub max_tokens: i32,
    /// Longest wait.
    pub timeout: Duration,
    /// Who asks, as a keyed hash that nobody can turn back into a name.
    pub user_hash: Option<String>,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Its text blocks, joined.
    pub text: String,
    /// What is paid for.
    pub usage: Option<TokenUsage>,
    /// Names the request in AWS's logs.
    pub request_id: Option<String>,
}

/// Why there is no [`Reply`].
#[derive(Debug)]
pub enum AskError {
    /// The request failed, on its way or at Bedrock. A service error has a request id, too:
    /// `error.request_id()` of [`RequestId`].
    Sdk(Box<SdkError<ConverseError>>),
    /// The model answered, but with no text. It is paid for all the same.
    NoText {
        /// What is paid for.
        usage: Option<TokenUsage>,
        /// Names the request in AWS's logs.
        request_id: Option<String>,
    },
    /// There was no answer within [`Ask::timeout`].
    TimedOut,
}

/// Asks once, and waits for as long as it takes. Records nothing.
pub async fn converse(bedrock: &Client, ask: &Ask) -> Result<Reply, AskError> {
    let message = Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(ask.prompt.clone()))
        .build()
        .expect("role and content are set");
    let limit = InferenceConfiguration::builder()
        .max_tokens(ask.max_tokens)
        .build();
    let call = bedrock.converse().model_id(&ask.model).messages(message);
    let output = call.inference_config(limit).send().await;
    let output = output.map_err(|error| AskError::Sdk(Box::new(error)))?;

    let request_id = output.request_id().map(str::to_owned);
    let usage = output.usage().cloned();
    let message = output.output().and_then(|output| output.as_message().ok());
    let blocks = message.map(Message::content).unwrap_or_default().iter();
    let texts = blocks.filter_map(|block| block.as_text().ok());
    let text: String = texts.map(String::as_str).collect();
    if text.is_empty() {
        return Err(AskError::NoText { usage, request_id });
    }
    Ok(Reply {
        text,
        usage,
        request_id,
    })
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Ok,
    /// With a `ThrottlingException`.
    Throttled,
    /// Not at all, within its time.
    TimedOut,
    /// With anything else.
    Failed,
}

impl Outcome {
    /// As the line says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Throttled => "throttled",
            Self::TimedOut => "timed-out",
            Self::Failed => "failed",
        }
    }
}

/// What is worth knowing about one call. No prompt, no answer, no name.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRecord {
    /// The inference profile's id.
    pub model: String,
    /// `Converse`.
    pub operation: &'static str,
    /// From the question to the answer, or to the failure.
    pub duration_ms: u64,
    /// Tokens, if the model answered.
    pub usage: Option<TokenUsage>,
    /// How it ended.
    pub outcome: Outcome,
    /// Names the request in AWS's logs.
    pub request_id: Option<String>,
    /// Who asked.
    pub user_hash: Option<String>,
}

/// Tells the time.
pub trait Clock: Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
}

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        u64::try_from(since_1970.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
    }
}

/// One alarm, ready to be put: `PutMetricAlarmInput::builder()` and what you set on it.
pub type Alarm = PutMetricAlarmInputBuilder;

/// What is watched, and from where on it is too much.
#[derive(Debug, Clone)]
pub struct AlarmParams {
    /// The dimension `Model` of what is watched.
    pub model: String,
    /// The dimension `Operation` of what is watched.
    pub operation: String,
    /// This many throttled calls in a minute are too many.
    pub throttled_calls: f64,
    /// The slowest twentieth of the calls may take this long.
    pub p95_ms: f64,
    /// An hour may cost this much.
    pub usd_an_hour: f64,
    /// The price of a million input tokens.
    pub usd_per_million_in: f64,
    /// The price of a million output tokens.
    pub usd_per_million_out: f64,
    /// The ARN of the SNS topic that wakes somebody.
    pub topic: String,
}

impl AlarmParams {
    /// The dimensions of what is watched.
    pub fn dimensions(&self) -> Vec<Dimension> {
        let dimension = |name, value| Dimension::builder().name(name).value(value).build();
        vec![
            dimension("Model", &self.model),
            dimension("Operation", &self.operation),
        ]
    }

    /// The dollars of a period, as metric maths: tokens times prices. For an alarm's `metrics`; such an
    /// alarm has no metric name, statistic and period of its own.
    pub fn dollars(&self, period_seconds: i32) -> Vec<MetricDataQuery> {
        let tokens = |id, name| {
            let metric = Metric::builder()
                .namespace(NAMESPACE)
                .metric_name(name)
                .set_dimensions(Some(self.dimensions()))
                .build();
            let sum = MetricStat::builder()
                .metric(metric)
                .period(period_seconds)
                .stat("Sum")
                .build();
            let query = MetricDataQuery::builder().id(id).metric_stat(sum);
            query.return_data(false).build()
        };
        let (price_in, price_out) = (self.usd_per_million_in, self.usd_per_million_out);
        let dollars = format!("(input * {price_in} + output * {price_out}) / 1000000");
        let dollars = MetricDataQuery::builder().id("dollars").expression(dollars);
        vec![
            tokens("input", "InputTokens"),
            tokens("output", "OutputTokens"),
            dollars.return_data(true).build(),
        ]
    }
}
