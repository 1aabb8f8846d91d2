//! A Messages body, read into a [`Conversation`] in the order in which its members are declared.

use serde_json::Value;

use super::{
    Form, blocks,
    body::{Body, Format, Message, OutputConfig, ThinkingConfig},
    fields,
    taken::{Complaint, Member, Structure as _, should_be, unknown_tag},
    tools,
};
use crate::{
    catalogue::Model,
    conversation::{Conversation, Role, Thinking, Ttl, Turn},
    place::Place,
};

/// The members of a Messages body on Bedrock (recorded requests and Anthropic's documentation).
const MEMBERS: &[&str] = &[
    "anthropic_beta",
    "anthropic_version",
    "cache_control",
    "context_management",
    "max_tokens",
    "messages",
    "metadata",
    "output_config",
    "output_format",
    "stop_sequences",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];

/// What only Anthropic's own path takes (Anthropic's SDKs).
const MEMBERS_OF_ITS_OWN_PATH: &[&str] = &[
    "container",
    "inference_geo",
    "mcp_servers",
    "model",
    "service_tier",
    "speed",
    "stream",
    "user_profile_id",
];

pub(super) fn conversation(
    body: Body,
    model: &Model,
    form: Form,
    in_header: &[String],
) -> Result<Conversation, Complaint> {
    if form == Form::Bedrock {
        version(&body.anthropic_version, model)?;
    }
    let counted = form == Form::MessagesToCount;
    let (max_tokens_at, messages_at) = (Place::root("max_tokens"), Place::root("messages"));
    let max_tokens = match body.max_tokens.clone() {
        sent if counted => sent.optional(&max_tokens_at)?,
        sent => Some(sent.required(&max_tokens_at)?),
    };
    if !body.messages.is_sent() {
        return Err(super::taken::field_required(&messages_at));
    }
    if form == Form::Bedrock {
        body.only(MEMBERS, None)?;
    } else {
        body.only(&[MEMBERS, MEMBERS_OF_ITS_OWN_PATH].concat(), None)?;
    }
    let mut betas = betas(body.anthropic_beta)?;
    betas.extend_from_slice(in_header);
    let mut conversation = Conversation {
        max_tokens: max_tokens
            .map(|n| positive(n, &max_tokens_at))
            .transpose()?,
        temperature: fraction(body.temperature, "temperature")?,
        top_p: fraction(body.top_p, "top_p")?,
        top_k: body.top_k.optional(&Place::root("top_k"))?.is_some(),
        stop_sequences: stop_sequences(body.stop_sequences)?,
        tool_config: true,
        ..Conversation::default()
    };
    let system_at = Place::root("system");
    if let Some(system) = body.system.optional(&system_at)? {
        conversation.system = blocks::content(system, &system_at)?;
    }
    let messages = body.messages.required(&messages_at)?;
    for (t, message) in messages.into_iter().enumerate() {
        let at = messages_at.index(t);
        conversation.turns.push(turn(message.required(&at)?, &at)?);
    }
    if let Some(config) = body.thinking.optional(&Place::root("thinking"))? {
        thinking(config, &mut conversation)?;
    }
    let tools_at = Place::root("tools");
    let tools = body.tools.optional(&tools_at)?.unwrap_or_default();
    for (i, tool) in tools.into_iter().enumerate() {
        let at = tools_at.index(i);
        tools::read(tool.required(&at)?, &betas, &at, &mut conversation)?;
    }
    let choice_at = Place::root("tool_choice");
    if let Some(choice) = body.tool_choice.optional(&choice_at)? {
        let one_at = choice_at.member("disable_parallel_tool_use");
        let one = choice.disable_parallel_tool_use.clone().optional(&one_at)?;
        conversation.one_tool = one.unwrap_or_default();
        conversation.choice = tools::choice(choice, &choice_at)?;
    }
    let cache_control_at = Place::root("cache_control");
    if let Some(control) = body.cache_control.optional(&cache_control_at)? {
        conversation.cache_all = Some(blocks::ttl(control, &cache_control_at)?);
    }
    let metadata_at = Place::root("metadata");
    if let Some(metadata) = body.metadata.optional(&metadata_at)? {
        metadata.only(&["user_id"], Some(&metadata_at))?;
        metadata.user_id.optional(&metadata_at.member("user_id"))?;
    }
    let management_at = Place::root("context_management");
    body.context_management.optional(&management_at)?;
    let format_at = Place::root("output_format");
    if let Some(earlier) = body.output_format.optional(&format_at)? {
        conversation.format = format(earlier, &format_at)?;
    }
    let output_at = Place::root("output_config");
    if let Some(config) = body.output_config.optional(&output_at)? {
        output_config(config, &output_at, &mut conversation)?;
    }
    Ok(conversation)
}

/// Reads `additionalModelRequestFields`, which Converse adds to what it sends to Claude. `None`
/// when it is no JSON object.
pub(crate) fn additional_fields(
    value: &Value,
    conversation: &mut Conversation,
) -> Option<Result<(), Complaint>> {
    fields(value).map(|body| additional(body, conversation))
}

fn additional(body: Body, conversation: &mut Conversation) -> Result<(), Complaint> {
    const PASSED: &[&str] = &[
        "anthropic_beta",
        "context_management",
        "metadata",
        "output_config",
        "reasoning_config",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
    ];
    body.only(PASSED, None)?;
    let betas = betas(body.anthropic_beta)?;
    if body.top_k.optional(&Place::root("top_k"))?.is_some() {
        conversation.top_k = true;
    }
    for (name, config) in [
        ("reasoning_config", body.reasoning_config),
        ("thinking", body.thinking),
    ] {
        if let Some(config) = config.optional(&Place::root(name))? {
            thinking(config, conversation)?;
        }
    }
    let tools_at = Place::root("tools");
    let tools = body.tools.optional(&tools_at)?.unwrap_or_default();
    for (i, tool) in tools.into_iter().enumerate() {
        let at = tools_at.index(i);
        tools::read(tool.required(&at)?, &betas, &at, conversation)?;
        conversation.tool_config = true;
    }
    let choice_at = Place::root("tool_choice");
    if let Some(choice) = body.tool_choice.optional(&choice_at)? {
        let one_at = choice_at.member("disable_parallel_tool_use");
        let one = choice.disable_parallel_tool_use.clone().optional(&one_at)?;
        conversation.one_tool = one.unwrap_or_default();
        conversation.choice = tools::choice(choice, &choice_at)?;
    }
    let output_at = Place::root("output_config");
    if let Some(config) = body.output_config.optional(&output_at)? {
        output_config(config, &output_at, conversation)?;
    }
    Ok(())
}

/// `anthropic_version` decides the body's meaning on Bedrock. The SDKs of late 2026 send a newer
/// one; Anthropic documents that models up to Opus 4.6 do not know it and "may" answer 400. That
/// refusal's text is not known: this one reads like the model's other complaints.
fn version(sent: &Member<String>, model: &Model) -> Result<(), Complaint> {
    const OLD: &str = "bedrock-2023-05-31";
    const NEW: &str = "2026-10-21";
    let at = Place::root("anthropic_version");
    match sent {
        Member::Is(v) if v == OLD || (v == NEW && model.quirks.no_sampling) => Ok(()),
        Member::Is(_) if model.quirks.no_sampling => {
            Err(should_be(&at, &format!("'{OLD}' or '{NEW}'")))
        }
        Member::Is(_) => Err(should_be(&at, &format!("'{OLD}'"))),
        other => other.clone().required(&at).map(drop),
    }
}

fn betas(sent: Member<Vec<Member<String>>>) -> Result<Vec<String>, Complaint> {
    let at = Place::root("anthropic_beta");
    let sent = sent.optional(&at)?.unwrap_or_default();
    let named = sent.into_iter().enumerate();
    named.map(|(i, beta)| beta.required(&at.index(i))).collect()
}

fn stop_sequences(sent: Member<Vec<Member<String>>>) -> Result<Vec<String>, Complaint> {
    let at = Place::root("stop_sequences");
    let mut stops = Vec::new();
    for (i, stop) in sent
        .optional(&at)?
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let stop = stop.required(&at.index(i))?;
        if stop.trim().is_empty() {
            return Err(Complaint(format!(
                "{at}: each stop sequence must contain non-whitespace"
            )));
        }
        stops.push(stop);
    }
    Ok(stops)
}

fn turn(message: Message, at: &Place<'_>) -> Result<Turn, Complaint> {
    let role_at = at.member("role");
    let role = match message.role.clone().required(&role_at)?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(should_be(&role_at, "'user' or 'assistant'")),
    };
    message.only(&["role", "content"], Some(at))?;
    let content_at = at.member("content");
    let content = message.content.required(&content_at)?;
    Ok(Turn {
        role,
        blocks: blocks::content(content, &content_at)?,
    })
}

fn thinking(config: ThinkingConfig, conversation: &mut Conversation) -> Result<(), Complaint> {
    const TAGS: &[&str] = &["adaptive", "disabled", "enabled"];
    let at = Place::root("thinking");
    let kind = config.kind.clone().required(&at.member("type"))?;
    let at = at.member(&kind);
    conversation.thinking = match kind.as_str() {
        "enabled" => {
            let budget_at = at.member("budget_tokens");
            let budget = config.budget_tokens.clone().required(&budget_at)?;
            config.only(&["type", "budget_tokens", "display"], Some(&at))?;
            // Too small a budget is a rule of its own.
            Thinking::Budget(u32::try_from(budget.max(0)).unwrap_or(u32::MAX))
        }
        "adaptive" => {
            config.only(&["type", "display"], Some(&at))?;
            Thinking::Adaptive
        }
        "disabled" => {
            config.only(&["type"], Some(&at))?;
            Thinking::Off
        }
        other => return Err(unknown_tag(&Place::root("thinking"), other, TAGS)),
    };
    let display_at = at.member("display");
    conversation.shows_thinking = match config.display.optional(&display_at)?.as_deref() {
        None => None,
        Some("summarized") => Some(true),
        Some("omitted") => Some(false),
        Some(_) => return Err(should_be(&display_at, "'omitted' or 'summarized'")),
    };
    Ok(())
}

fn output_config(
    config: OutputConfig,
    at: &Place<'_>,
    conversation: &mut Conversation,
) -> Result<(), Complaint> {
    const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];
    config.only(&["effort", "format", "task_budget"], Some(at))?;
    let effort_at = at.member("effort");
    if let Some(effort) = config.effort.optional(&effort_at)? {
        if !EFFORTS.contains(&effort.as_str()) {
            return Err(should_be(
                &effort_at,
                "'low', 'medium', 'high', 'xhigh' or 'max'",
            ));
        }
        conversation.effort = Some(effort);
    }
    let format_at = at.member("format");
    if let Some(wanted) = config.format.optional(&format_at)? {
        conversation.format = format(wanted, &format_at)?;
    }
    Ok(())
}

/// The schema of a structured output.
fn format(format: Format, at: &Place<'_>) -> Result<Option<Value>, Complaint> {
    let kind = format.kind.clone().required(&at.member("type"))?;
    if kind != "json_schema" {
        return Err(should_be(&at.member("type"), "'json_schema'"));
    }
    format.only(&["type", "schema", "name"], Some(at))?;
    let schema = format.schema.required(&at.member("schema"))?;
    Ok(Some(schema.0))
}

fn positive(number: i64, at: &Place<'_>) -> Result<u32, Complaint> {
    if number < 1 {
        return Err(should_be(at, "greater than or equal to 1"));
    }
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// A number from 0 to 1, if it is there.
fn fraction(sent: Member<f64>, name: &str) -> Result<Option<f64>, Complaint> {
    let at = Place::root(name);
    match sent.optional(&at)? {
        Some(number) if !(0.0..=1.0).contains(&number) => {
            Err(Complaint(format!("{at}: range: 0..1")))
        }
        number => Ok(number),
    }
}

/// As [`blocks::ttl`], for places that may do without.
pub(super) fn cache_point(
    sent: Member<super::body::CacheControl>,
    at: &Place<'_>,
) -> Result<Option<Ttl>, Complaint> {
    let at = at.member("cache_control");
    let control = sent.optional(&at)?;
    control.map(|control| blocks::ttl(control, &at)).transpose()
}
