//! Given: a question, an answer, and one call to Bedrock. Not to be edited.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use aws_sdk_bedrockruntime::{
    Client,
    error::SdkError,
    operation::converse::{ConverseError, builders::ConverseFluentBuilder},
    types::{
        self, ContentBlock, ConversationRole, GuardrailConfiguration, InferenceConfiguration,
        Message, StopReason, SystemContentBlock, ToolConfiguration, ToolInputSchema,
        ToolSpecification,
    },
};
use aws_smithy_types::{Document, Number};
use serde_json::Value;

/// A question, with everything that the answer depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Whose question it is: a customer's id. It does not go to Bedrock.
    pub tenant: String,
    /// The model's inference profile.
    pub model: String,
    /// The system prompt.
    pub system: Option<String>,
    /// The conversation; the last turn is the question.
    pub messages: Vec<Turn>,
    /// Longest answer, in tokens.
    pub max_tokens: i32,
    /// How far the model may stray; `None`: as far as it does by itself.
    pub temperature: Option<f32>,
    /// What looks over the model's shoulder.
    pub guardrail: Option<Guardrail>,
    /// What the model may ask to be done.
    pub tools: Vec<Tool>,
}

/// One part of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Who said it.
    pub role: ConversationRole,
    /// What was said.
    pub text: String,
}

/// A guardrail, and which version of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Guardrail {
    /// Its id.
    pub id: String,
    /// Its version: a number, or `DRAFT`.
    pub version: String,
}

/// A tool that the model is offered.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The JSON Schema of its input.
    pub input: Value,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Its text: all text blocks in order. It may be empty.
    pub text: String,
    /// Why it stopped.
    pub stop: StopReason,
}

/// Where a reply came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From the store. Nobody was asked.
    Hit,
    /// From Bedrock: this ask made the call.
    Miss,
    /// From Bedrock: the same question was on its way already, and this ask waited for its answer.
    Shared,
}

/// Why there is no [`Reply`]. Clones are the same error: more than one may get it.
#[derive(Debug, Clone)]
pub enum AskError {
    /// The request failed, on its way or at Bedrock.
    Sdk(Arc<SdkError<ConverseError>>),
    /// Bedrock answered with something that is no message.
    NotAMessage,
}

/// Tells the time; in tests another one than the system's.
#[derive(Clone)]
pub struct Now(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Now {
    /// The time that `tell` tells.
    pub fn new(tell: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Seconds since 1970.
    pub fn seconds(&self) -> u64 {
        let since_1970 = (self.0)().duration_since(UNIX_EPOCH);
        since_1970.unwrap_or_default().as_secs()
    }
}

/// Asks Bedrock, once.
pub async fn converse(client: &Client, ask: &Ask) -> Result<Reply, AskError> {
    let output = request(client, ask)
        .send()
        .await
        .map_err(|error| AskError::Sdk(Arc::new(error)))?;
    let message = output
        .output()
        .and_then(|output| output.as_message().ok())
        .ok_or(AskError::NotAMessage)?;
    let texts = message.content().iter().filter_map(|b| b.as_text().ok());
    Ok(Reply {
        text: texts.map(String::as_str).collect(),
        stop: output.stop_reason().clone(),
    })
}

fn request(client: &Client, ask: &Ask) -> ConverseFluentBuilder {
    let said = |turn: &Turn| {
        Message::builder()
            .role(turn.role.clone())
            .content(ContentBlock::Text(turn.text.clone()))
            .build()
            .expect("role and content are set")
    };
    let inference = InferenceConfiguration::builder()
        .max_tokens(ask.max_tokens)
        .set_temperature(ask.temperature);
    let system = ask
        .system
        .clone()
        .map(|s| vec![SystemContentBlock::Text(s)]);
    let guardrail = ask.guardrail.as_ref().map(|guardrail| {
        GuardrailConfiguration::builder()
            .guardrail_identifier(&guardrail.id)
            .guardrail_version(&guardrail.version)
            .build()
    });
    client
        .converse()
        .model_id(&ask.model)
        .set_system(system)
        .set_messages(Some(ask.messages.iter().map(said).collect()))
        .inference_config(inference.build())
        .set_guardrail_config(guardrail)
        .set_tool_config(tools(&ask.tools))
}

fn tools(tools: &[Tool]) -> Option<ToolConfiguration> {
    let offered = tools.iter().map(|tool| {
        let specification = ToolSpecification::builder()
            .name(&tool.name)
            .description(&tool.description)
            .input_schema(ToolInputSchema::Json(document(&tool.input)));
        types::Tool::ToolSpec(specification.build().expect("a name and a schema are set"))
    });
    let offered: Vec<_> = offered.collect();
    if offered.is_empty() {
        return None;
    }
    let configuration = ToolConfiguration::builder().set_tools(Some(offered));
    Some(configuration.build().expect("tools are set"))
}

/// The SDK has a type of its own for JSON.
fn document(json: &Value) -> Document {
    match json {
        Value::Null => Document::Null,
        Value::Bool(truth) => Document::Bool(*truth),
        Value::Number(number) => Document::Number(match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Number::PosInt(number),
            (_, Some(number)) => Number::NegInt(number),
            _ => Number::Float(number.as_f64().unwrap_or_default()),
        }),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(items) => Document::Array(items.iter().map(document).collect()),
        Value::Object(members) => {
            let members = members.iter().map(|(name, v)| (name.clone(), document(v)));
            Document::Object(members.collect::<HashMap<_, _>>())
        }
    }
}
