//! A conversation without Bedrock's details: what another model is asked when it is to find the words.

use serde_json::Value;

use crate::{
    conversation::{Block, Conversation, Role, ToolChoice, texts},
    json,
};

/// What the model is asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chat {
    /// The system prompt; empty: none.
    pub system: String,
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// What it may call.
    pub tools: Vec<Tool>,
    /// Whether it may, or must.
    pub choice: Choice,
    /// Most tokens it may answer with, if the caller said so.
    pub max_tokens: Option<u32>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// A JSON schema that the text must satisfy.
    pub format: Option<Value>,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The user says this.
    User(String),
    /// The model said this.
    Assistant {
        /// Its text; may be empty beside calls.
        text: String,
        /// What it called.
        calls: Vec<Call>,
    },
    /// What a call gave.
    Result {
        /// The call's id.
        id: String,
        /// The text of the result.
        text: String,
    },
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Its id.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The input as JSON text.
    pub input: String,
}

/// A tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does; may be empty.
    pub description: String,
    /// The JSON schema of its input.
    pub schema: Value,
}

/// Whether tools are called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    /// As the model sees fit.
    #[default]
    Auto,
    /// Some tool must be.
    Any,
    /// This tool must be.
    Named(String),
    /// None may be.
    None,
}

impl Chat {
    /// The text of `conversation`. Pictures, sounds and films have none and are left out; documents
    /// are told as their text.
    pub(crate) fn of(conversation: &Conversation) -> Self {
        let mut messages = Vec::new();
        for turn in &conversation.turns {
            match turn.role {
                Role::Assistant => messages.push(assistant(&turn.blocks)),
                Role::User | Role::System => messages.extend(user(&turn.blocks)),
            }
        }
        let tools = conversation.tools.iter().map(|tool| Tool {
            name: tool.name.clone(),
            description: tool.description.clone(),
            schema: tool.schema.clone(),
        });
        Self {
            system: text(&conversation.system),
            messages,
            tools: tools.collect(),
            choice: match &conversation.choice {
                ToolChoice::Auto => Choice::Auto,
                ToolChoice::Any => Choice::Any,
                ToolChoice::Named(name) => Choice::Named(name.clone()),
                ToolChoice::None => Choice::None,
            },
            max_tokens: conversation.max_tokens,
            temperature: conversation.temperature,
            top_p: conversation.top_p,
            format: conversation.format.clone(),
        }
    }
}

/// Results come first, as the calls they answer came last.
fn user(blocks: &[Block]) -> Vec<Message> {
    let results = blocks.iter().filter_map(|block| match block {
        Block::ToolResult { id, parts, .. } => Some(Message::Result {
            id: id.clone(),
            text: texts(parts),
        }),
        _ => None,
    });
    let mut messages: Vec<Message> = results.collect();
    let text = text(blocks);
    if !text.is_empty() || messages.is_empty() {
        messages.push(Message::User(text));
    }
    messages
}

fn assistant(blocks: &[Block]) -> Message {
    let calls = blocks.iter().filter_map(|block| match block {
        Block::ToolUse { id, name, input } => Some(Call {
            id: id.clone(),
            name: name.clone(),
            input: json::sorted(input),
        }),
        _ => None,
    });
    Message::Assistant {
        text: text(blocks),
        calls: calls.collect(),
    }
}

/// What the blocks say, results of tools left out.
fn text(blocks: &[Block]) -> String {
    let said = blocks.iter().filter_map(|block| match block {
        Block::Guard { text, .. } => Some(text.clone()),
        other => Some(texts(std::slice::from_ref(other))).filter(|text| !text.is_empty()),
    });
    said.collect::<Vec<_>>().join("\n")
}
