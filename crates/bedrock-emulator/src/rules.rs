//! What Bedrock and Claude refuse: one list of rules over the neutral [`Conversation`].
//!
//! Converse passes the model's own complaints on with a prefix, `InvokeModel` passes them bare
//! (recorded). The texts are the ones collected from recordings and live answers.

use std::collections::BTreeSet;

use crate::{
    catalogue::Model,
    conversation::{Block, Conversation, Role, Thinking, ToolChoice},
    error::{ApiError, Code},
    media::{Document, Image, Source},
};

/// Which API the caller used; decides who checks and how a complaint is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    Converse,
    Messages,
}

impl Surface {
    /// A complaint of the model.
    pub(crate) fn model(self, message: impl AsRef<str>) -> ApiError {
        let prefix = match self {
            Self::Converse => "The model returned the following errors: ",
            Self::Messages => "",
        };
        ApiError::validation(format!("{prefix}{}", message.as_ref()))
    }
}

/// Bedrock's checks, then the model's.
pub(crate) fn check(
    surface: Surface,
    model: &Model,
    conversation: &Conversation,
) -> Result<(), ApiError> {
    if surface == Surface::Converse {
        contents(conversation)?;
        blocks(conversation)?;
        roles(model, conversation)?;
        tool_config(conversation)?;
        expected_tool_results(conversation)?;
        converse_limits(model, conversation)?;
    } else {
        messages_contents(conversation)?;
        messages_limits(model, conversation)?;
    }
    caching(surface, model, conversation)?;
    sampling(surface, model, conversation)?;
    texts(surface, model, conversation)?;
    tool_pairs(surface, conversation)?;
    tool_choice(surface, model, conversation)?;
    thinking(surface, conversation)?;
    prefill(surface, model, conversation)?;
    context(surface, model, conversation)
}

fn contents(conversation: &Conversation) -> Result<(), ApiError> {
    if conversation.turns.is_empty() {
        return Err(ApiError::validation(
            "A conversation must start with a user message. \
             Try again with a conversation that starts with a user message.",
        ));
    }
    for (t, turn) in conversation.turns.iter().enumerate() {
        if turn.blocks.is_empty() {
            return Err(ApiError::validation(format!(
                "The content field in the Message object at messages.{t} is empty. \
                 Add a ContentBlock object to the content field and try again."
            )));
        }
    }
    Ok(())
}

fn messages_contents(conversation: &Conversation) -> Result<(), ApiError> {
    if conversation.turns.is_empty() {
        return Err(ApiError::validation(
            "messages: at least one message is required",
        ));
    }
    let last = conversation.turns.len() - 1;
    for (t, turn) in conversation.turns.iter().enumerate() {
        let optional = t == last && turn.role == Role::Assistant;
        if turn.blocks.is_empty() && !optional {
            return Err(ApiError::validation(format!(
                "messages.{t}: all messages must have non-empty content \
                 except for the optional final assistant message"
            )));
        }
    }
    Ok(())
}

fn blocks(conversation: &Conversation) -> Result<(), ApiError> {
    for (t, _, block) in conversation.blocks() {
        if let Block::Image(Image { media, .. }) | Block::Document(Document { media, .. }) = block
            && matches!(media.source, Source::S3(_))
        {
            return Err(ApiError::validation(
                "This model doesn't support the s3Uri field. Remove s3Uri and try again.",
            ));
        }
        let kind = match block {
            Block::Video(_) => Some("video"),
            Block::Audio(_) => Some("audio"),
            _ => None,
        };
        if let Some(kind) = kind {
            return Err(ApiError::validation(format!(
                "This model doesn't support the {kind} content block that you provided. \
                 Update the content block and try again."
            )));
        }
        if let Block::Document(_) = block {
            let turn = &conversation.turns[t];
            if !turn.blocks.iter().any(|b| matches!(b, Block::Text(_))) {
                return Err(ApiError::validation(
                    "A text block must be included when using documents.",
                ));
            }
        }
    }
    Ok(())
}

/// Claude 3.x was checked by Bedrock; Claude 4 and later accept an assistant message first
/// (recorded) and two messages of one role.
fn roles(model: &Model, conversation: &Conversation) -> Result<(), ApiError> {
    if !model.quirks.strict_roles {
        return Ok(());
    }
    if conversation.turns[0].role != Role::User {
        return Err(ApiError::validation(
            "A conversation must start with a user message. \
             Try again with a conversation that starts with a user message.",
        ));
    }
    if conversation
        .turns
        .windows(2)
        .any(|w| w[0].role == w[1].role)
    {
        return Err(ApiError::validation(
            "A conversation must alternate between user and assistant roles. \
             Make sure the conversation alternates between user and assistant roles and try again.",
        ));
    }
    Ok(())
}

fn tool_config(conversation: &Conversation) -> Result<(), ApiError> {
    let uses_tools = conversation
        .blocks()
        .any(|(_, _, b)| matches!(b, Block::ToolUse { .. } | Block::ToolResult { .. }));
    if uses_tools && !conversation.tool_config {
        return Err(ApiError::validation(
            "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        ));
    }
    Ok(())
}

/// Bedrock's own check: a following message must hold the results.
fn expected_tool_results(conversation: &Conversation) -> Result<(), ApiError> {
    for (t, pair) in conversation.turns.windows(2).enumerate() {
        let missing = missing_results(&pair[0].blocks, &pair[1].blocks);
        if !missing.is_empty() {
            return Err(ApiError::validation(format!(
                "Expected toolResult blocks at messages.{}.content for the following Ids: {}",
                t + 1,
                missing.join(", ")
            )));
        }
    }
    Ok(())
}

fn missing_results<'a>(asked: &'a [Block], answered: &[Block]) -> Vec<&'a str> {
    let answered: BTreeSet<&str> = answered
        .iter()
        .filter_map(|b| match b {
            Block::ToolResult { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    asked
        .iter()
        .filter_map(|b| match b {
            Block::ToolUse { id, .. } if !answered.contains(id.as_str()) => Some(id.as_str()),
            _ => None,
        })
        .collect()
}

/// Anthropic's check, which also sees a conversation that ends with a tool use, and results that
/// nobody asked for.
fn tool_pairs(surface: Surface, conversation: &Conversation) -> Result<(), ApiError> {
    let none = Vec::new();
    for (t, turn) in conversation.turns.iter().enumerate() {
        let next = conversation.turns.get(t + 1).map_or(&none, |n| &n.blocks);
        let missing = missing_results(&turn.blocks, next);
        if !missing.is_empty() {
            return Err(surface.model(format!(
                "messages.{t}: `tool_use` ids were found without `tool_result` blocks immediately \
                 after: {}. Each `tool_use` block must have a corresponding `tool_result` block in \
                 the next message.",
                missing.join(", ")
            )));
        }
        let previous = t
            .checked_sub(1)
            .map_or(&none, |p| &conversation.turns[p].blocks);
        for (b, block) in turn.blocks.iter().enumerate() {
            let Block::ToolResult { id, .. } = block else {
                continue;
            };
            let asked = |p: &Block| matches!(p, Block::ToolUse { id: asked, .. } if asked == id);
            if !previous.iter().any(asked) {
                return Err(surface.model(format!(
                    "messages.{t}.content.{b}: unexpected `tool_use_id` found in `tool_result` \
                     blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` \
                     block in the previous message."
                )));
            }
        }
    }
    Ok(())
}

/// The bound is inclusive although its text says "lower than": pydantic-ai sends the model's maximum
/// unless told otherwise, and aichat's users saw 4096 pass where 8192 got this answer.
fn converse_limits(model: &Model, conversation: &Conversation) -> Result<(), ApiError> {
    let limit = model.max_output;
    if conversation.max_tokens.is_some_and(|n| n > limit) {
        return Err(ApiError::validation(format!(
            "The maximum tokens you requested exceeds the model limit of {limit}. \
             Try again with a maximum tokens value that is lower than {limit}."
        )));
    }
    Ok(())
}

fn messages_limits(model: &Model, conversation: &Conversation) -> Result<(), ApiError> {
    let limit = model.max_output;
    match conversation.max_tokens {
        Some(n) if n > limit => Err(ApiError::validation(format!(
            "max_tokens: {n} > {limit}, which is the maximum allowed number of output tokens for {}",
            model.provider_id
        ))),
        _ => Ok(()),
    }
}

fn caching(surface: Surface, model: &Model, conversation: &Conversation) -> Result<(), ApiError> {
    let points = conversation.cache_points();
    if points > 0 && model.min_cache_tokens.is_none() {
        return Err(ApiError::bedrock(
            Code::AccessDenied,
            "You invoked an unsupported model or your request did not allow prompt caching",
        ));
    }
    if points > 4 {
        return Err(surface.model(format!(
            "A maximum of 4 blocks with cache_control may be provided. Found {points}."
        )));
    }
    Ok(())
}

fn sampling(surface: Surface, model: &Model, conversation: &Conversation) -> Result<(), ApiError> {
    let sent = [
        ("temperature", conversation.temperature.is_some()),
        ("top_p", conversation.top_p.is_some()),
        ("top_k", conversation.top_k),
    ];
    if model.quirks.no_sampling
        && let Some((name, _)) = sent.into_iter().find(|(_, sent)| *sent)
    {
        return Err(surface.model(format!("`{name}` is deprecated for this model.")));
    }
    if model.quirks.one_sampling && sent[0].1 && sent[1].1 {
        return Err(surface.model(
            "`temperature` and `top_p` cannot both be specified for this model. \
             Please use only one.",
        ));
    }
    Ok(())
}

/// Blank text: the sentence of 2024 for the models of that time, Anthropic's for the others, which
/// let white space pass beside other content (recorded).
fn texts(surface: Surface, model: &Model, conversation: &Conversation) -> Result<(), ApiError> {
    for (t, turn) in conversation.turns.iter().enumerate() {
        for (b, block) in turn.blocks.iter().enumerate() {
            let Block::Text(text) = block else { continue };
            let blank = text.trim().is_empty();
            if blank && model.quirks.strict_roles && surface == Surface::Converse {
                return Err(ApiError::validation(format!(
                    "The text field in the ContentBlock object at messages.{t}.content.{b} is \
                     blank. Add text to the text field, and try again."
                )));
            }
            if text.is_empty() {
                return Err(surface.model("messages: text content blocks must be non-empty"));
            }
            if blank && turn.blocks.len() == 1 {
                return Err(
                    surface.model("messages: text content blocks must contain non-whitespace text")
                );
            }
        }
    }
    Ok(())
}

fn tool_choice(
    surface: Surface,
    model: &Model,
    conversation: &Conversation,
) -> Result<(), ApiError> {
    if !conversation.tools.is_empty() && model.quirks.no_tools {
        return Err(ApiError::validation("This model doesn't support tool use."));
    }
    let mut names = BTreeSet::new();
    if !conversation
        .tools
        .iter()
        .all(|tool| names.insert(&tool.name))
    {
        return Err(surface.model("tools: Tool names must be unique."));
    }
    if let ToolChoice::Named(name) = &conversation.choice
        && !names.contains(name)
    {
        return Err(surface.model(format!("Tool '{name}' not found in provided tools")));
    }
    let forced = conversation.choice.forces();
    if forced && (model.quirks.no_forced_tool || conversation.thinking != Thinking::Off) {
        return Err(surface.model("Thinking may not be enabled when tool_choice forces tool use."));
    }
    Ok(())
}

fn thinking(surface: Surface, conversation: &Conversation) -> Result<(), ApiError> {
    let Thinking::Budget(budget) = conversation.thinking else {
        return Ok(());
    };
    if budget < 1_024 {
        return Err(surface.model(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ));
    }
    if conversation.max_tokens.is_some_and(|max| max <= budget) {
        return Err(surface.model(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our \
             documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
        ));
    }
    Ok(())
}

fn prefill(surface: Surface, model: &Model, conversation: &Conversation) -> Result<(), ApiError> {
    let ends_with_assistant = conversation
        .turns
        .last()
        .is_some_and(|turn| turn.role == Role::Assistant);
    if ends_with_assistant && model.quirks.no_prefill {
        return Err(surface.model(
            "This model does not support assistant message prefill. \
             The conversation must end with a user message.",
        ));
    }
    Ok(())
}

fn context(surface: Surface, model: &Model, conversation: &Conversation) -> Result<(), ApiError> {
    let tokens = conversation.input_tokens();
    if tokens <= model.context {
        return Ok(());
    }
    Err(match surface {
        Surface::Converse => surface.model(format!(
            "prompt is too long: {tokens} tokens > {} maximum",
            model.context
        )),
        Surface::Messages => ApiError::validation("Input is too long for requested model."),
    })
}
