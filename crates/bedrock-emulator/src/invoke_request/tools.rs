//! The tools of a Messages body: the caller's own, and those that Anthropic defines.

use serde_json::{Map, Value};

use super::{
    body::{Choice, ToolDefinition},
    messages::cache_point,
    taken::{Complaint, Structure as _, should_be, unknown_tag},
};
use crate::{
    conversation::{Conversation, Tool, ToolChoice},
    place::Place,
};

/// A tool that Anthropic defines: its type, the name it must have, and the beta it needs.
struct Defined {
    kind: &'static str,
    name: &'static str,
    beta: Option<&'static str>,
    members: &'static [&'static str],
}

const COMPUTER: &[&str] = &[
    "type",
    "name",
    "cache_control",
    "display_height_px",
    "display_number",
    "display_width_px",
];
const PLAIN: &[&str] = &["type", "name", "cache_control"];
const EDITOR: &[&str] = &["type", "name", "cache_control", "max_characters"];

/// Without a beta these are the tags that Bedrock lists (recorded); the ones with a beta are
/// documented.
const DEFINED: &[Defined] = &[
    Defined {
        kind: "bash_20241022",
        name: "bash",
        beta: Some("computer-use-2024-10-22"),
        members: PLAIN,
    },
    Defined {
        kind: "bash_20250124",
        name: "bash",
        beta: None,
        members: PLAIN,
    },
    Defined {
        kind: "computer_20241022",
        name: "computer",
        beta: Some("computer-use-2024-10-22"),
        members: COMPUTER,
    },
    Defined {
        kind: "computer_20250124",
        name: "computer",
        beta: Some("computer-use-2025-01-24"),
        members: COMPUTER,
    },
    Defined {
        kind: "memory_20250818",
        name: "memory",
        beta: Some("context-management-2025-06-27"),
        members: PLAIN,
    },
    Defined {
        kind: "text_editor_20241022",
        name: "str_replace_editor",
        beta: Some("computer-use-2024-10-22"),
        members: PLAIN,
    },
    Defined {
        kind: "text_editor_20250124",
        name: "str_replace_editor",
        beta: None,
        members: PLAIN,
    },
    Defined {
        kind: "text_editor_20250429",
        name: "str_replace_based_edit_tool",
        beta: None,
        members: PLAIN,
    },
    Defined {
        kind: "text_editor_20250728",
        name: "str_replace_based_edit_tool",
        beta: None,
        members: EDITOR,
    },
];

/// The members of a tool of the caller's own.
const CUSTOM: &[&str] = &[
    "type",
    "allowed_callers",
    "cache_control",
    "defer_loading",
    "description",
    "eager_input_streaming",
    "input_examples",
    "input_schema",
    "name",
    "strict",
];

/// Reads one tool into `conversation`.
pub(super) fn read(
    tool: ToolDefinition,
    betas: &[String],
    at: &Place<'_>,
    conversation: &mut Conversation,
) -> Result<(), Complaint> {
    let kind = tool.kind.clone().optional(&at.member("type"))?;
    let kind = kind.as_deref().unwrap_or("custom");
    let ttl = cache_point(tool.cache_control.clone(), at)?;
    let tool = if kind == "custom" {
        custom(tool, &at.member("custom"))?
    } else {
        defined(tool, kind, betas, at)?
    };
    conversation.tools.push(tool);
    if let Some(ttl) = ttl {
        let after = conversation.tools.len();
        conversation.tool_cache_points.push((after, ttl));
    }
    Ok(())
}

fn custom(tool: ToolDefinition, at: &Place<'_>) -> Result<Tool, Complaint> {
    tool.only(CUSTOM, Some(at))?;
    let name_at = at.member("name");
    let name = tool.name.required(&name_at)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(legal) {
        return Err(Complaint(format!(
            "{name_at}: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        )));
    }
    let schema_at = at.member("input_schema");
    let schema = tool.input_schema.required(&schema_at)?.0;
    let type_at = schema_at.member("type");
    match schema.get("type") {
        None => return Err(super::taken::field_required(&type_at)),
        Some(Value::String(kind)) if kind == "object" => {}
        Some(_) => return Err(should_be(&type_at, "'object'")),
    }
    let description = tool.description.optional(&at.member("description"))?;
    let strict = tool.strict.optional(&at.member("strict"))?;
    Ok(Tool {
        name,
        description: description.unwrap_or_default(),
        schema,
        strict: strict.unwrap_or_default(),
        built_in: None,
    })
}

fn defined(
    tool: ToolDefinition,
    kind: &str,
    betas: &[String],
    at: &Place<'_>,
) -> Result<Tool, Complaint> {
    let open = |d: &&Defined| d.beta.is_none_or(|beta| betas.iter().any(|b| b == beta));
    let Some(found) = DEFINED.iter().filter(open).find(|d| d.kind == kind) else {
        let mut tags: Vec<_> = DEFINED.iter().filter(open).map(|d| d.kind).collect();
        tags.push("custom");
        tags.sort_unstable();
        return Err(unknown_tag(at, kind, &tags));
    };
    let at = at.member(kind);
    tool.only(found.members, Some(&at))?;
    let name_at = at.member("name");
    let name = tool.name.required(&name_at)?;
    if name != found.name {
        return Err(should_be(&name_at, &format!("'{}'", found.name)));
    }
    if found.members.contains(&"display_width_px") {
        tool.display_height_px
            .required(&at.member("display_height_px"))?;
        tool.display_width_px
            .required(&at.member("display_width_px"))?;
    }
    Ok(Tool {
        name,
        description: String::new(),
        schema: Value::Object(Map::new()),
        strict: false,
        built_in: Some(kind.to_owned()),
    })
}

pub(super) fn choice(choice: Choice, at: &Place<'_>) -> Result<ToolChoice, Complaint> {
    const TAGS: &[&str] = &["any", "auto", "none", "tool"];
    const PARALLEL: &[&str] = &["type", "disable_parallel_tool_use"];
    let kind = choice.kind.clone().required(&at.member("type"))?;
    let tagged = at.member(&kind);
    let members = match kind.as_str() {
        "any" | "auto" => PARALLEL,
        "none" => &["type"],
        "tool" => &["type", "name", "disable_parallel_tool_use"],
        other => return Err(unknown_tag(at, other, TAGS)),
    };
    choice.only(members, Some(&tagged))?;
    Ok(match kind.as_str() {
        "any" => ToolChoice::Any,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(choice.name.required(&tagged.member("name"))?),
        _ => ToolChoice::Auto,
    })
}
