//! dies in: a_message_that_was_cut_is_refused
//!
//! Knows three reasons to refuse, and uses the tools of every other message.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{fs, path::PathBuf};

use aws_sdk_bedrockruntime::{
    Client,
    types::{
        ContentBlock, ConversationRole, ConverseOutput, InferenceConfiguration, Message,
        StopReason, Tool as Offered, ToolConfiguration, ToolResultBlock, ToolResultContentBlock,
        ToolResultStatus, ToolSpecification, ToolUseBlock,
    },
};
use aws_smithy_types::Document;
use serde_json::json;

pub use given::{AgentError, Limits, Outcome, Tool, document, read_file_spec, text_at};

/// Reads text files below one folder, and nothing else.
#[derive(Debug, Clone)]
pub struct ReadFile {
    /// The folder.
    pub folder: PathBuf,
}

impl Tool for ReadFile {
    fn spec(&self) -> ToolSpecification {
        read_file_spec()
    }

    /// `{"path": "docs/plan.md"}` becomes `{"text": "…"}`.
    fn call(&self, input: &Document) -> Result<Document, String> {
        // The schema is a wish. What came is whatever the model wrote.
        let path = text_at(input, "path").ok_or("path is missing, or no string")?;
        // Where the path really leads: `..` and symbolic links followed, and an absolute path, which
        // replaces the folder in `join`, seen for what it is. Then whole components are compared, so
        // that `project-private` does not pass for something in `project`.
        let folder = self.folder.canonicalize();
        let folder = folder.map_err(|_| "there is no project to read")?;
        let file = folder.join(path).canonicalize();
        // One answer for what is not there and for what is not yours: the difference is a secret, too.
        let file = file.ok().filter(|file| file.starts_with(&folder));
        let file = file.ok_or_else(|| format!("there is no file {path:?} in the project"))?;
        let text = fs::read_to_string(file);
        let text = text.map_err(|_| format!("{path:?} cannot be read as text"))?;
        Ok(document(json!({ "text": text })))
    }
}

/// Asks `model`, does what it asks for with `tools`, and returns what it says in the end.
pub async fn run(
    client: &Client,
    model: &str,
    tools: &[Box<dyn Tool>],
    prompt: &str,
    limits: &Limits,
) -> Result<Outcome, AgentError> {
    // Bedrock forgets everything between two requests: the conversation is this list.
    let prompt = ContentBlock::Text(prompt.to_owned());
    let mut messages = vec![message(ConversationRole::User, vec![prompt])];
    let mut calls = Vec::new();
    for turn in 1..=limits.turns {
        let limit = InferenceConfiguration::builder().max_tokens(limits.max_tokens);
        let output = client
            .converse()
            .model_id(model)
            .set_messages(Some(messages.clone()))
            .set_tool_config(offer(tools))
            .inference_config(limit.build())
            .send()
            .await
            .map_err(|error| AgentError::Sdk(Box::new(error)))?;
        let stop = output.stop_reason().clone();
        let Some(ConverseOutput::Message(answer)) = output.output else {
            return Err(AgentError::Refused(stop));
        };
        match stop {
            StopReason::EndTurn | StopReason::StopSequence => {
                let blocks = answer.content().iter();
                let texts = blocks.filter_map(|block| block.as_text().ok());
                return Ok(Outcome {
                    text: texts.map(String::as_str).collect(),
                    turns: turn,
                    calls,
                });
            }
            StopReason::MaxTokens
            | StopReason::GuardrailIntervened
            | StopReason::ContentFiltered => return Err(AgentError::Refused(stop)),
            _ => {}
        }
        // Nobody would read these results.
        if turn == limits.turns {
            break;
        }
        // Every tool use of the message has its result in one message after it.
        let asked = answer.content().iter();
        let asked = asked.filter_map(|block| block.as_tool_use().ok());
        let results = asked
            .map(|asked| {
                let result = result(tools, asked);
                let ok = result.status() == Some(&ToolResultStatus::Success);
                calls.push((asked.name().to_owned(), ok));
                ContentBlock::ToolResult(result)
            })
            .collect();
        // As it came: text, reasoning with its signature, tool uses with their ids.
        messages.push(answer);
        messages.push(message(ConversationRole::User, results));
    }
    Err(AgentError::TooManyTurns(limits.turns))
}

fn message(role: ConversationRole, content: Vec<ContentBlock>) -> Message {
    let message = Message::builder().role(role).set_content(Some(content));
    message.build().expect("role and content are set")
}

/// The tools, for a request; Bedrock refuses an empty list of them.
fn offer(tools: &[Box<dyn Tool>]) -> Option<ToolConfiguration> {
    if tools.is_empty() {
        return None;
    }
    let offered = tools.iter().map(|tool| Offered::ToolSpec(tool.spec()));
    let config = ToolConfiguration::builder().set_tools(Some(offered.collect()));
    Some(config.build().expect("tools are set"))
}

/// Does what the model asked for. Whatever goes wrong is for the model to know: it asked.
fn result(tools: &[Box<dyn Tool>], asked: &ToolUseBlock) -> ToolResultBlock {
    let tool = tools.iter().find(|tool| tool.spec().name() == asked.name());
    let done = match tool {
        Some(tool) => tool.call(asked.input()),
        None => Err(format!("there is no tool {:?}", asked.name())),
    };
    let (status, content) = match done {
        Ok(json) => (
            ToolResultStatus::Success,
            ToolResultContentBlock::Json(json),
        ),
        Err(words) => (ToolResultStatus::Error, ToolResultContentBlock::Text(words)),
    };
    let result = ToolResultBlock::builder().tool_use_id(asked.tool_use_id());
    let result = result.status(status).content(content);
    result.build().expect("id and content are set")
}
