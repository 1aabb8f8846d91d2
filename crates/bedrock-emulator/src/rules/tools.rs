//! What Claude refuses about tools, their uses and their results.

use std::collections::BTreeSet;

use super::{Case, Evidence, Rule, claude::rule, fill, when};
use crate::conversation::{Block, ToolChoice};

pub(super) const RULES: &[Rule] = &[
    // Also sees a conversation that ends with a tool use.
    rule(
        "tool-use-without-result",
        Some(46),
        Evidence::Seen,
        "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: \
         {}. Each `tool_use` block must have a corresponding `tool_result` block in the next \
         message.",
        |case| {
            if !case.has.tools {
                return None;
            }
            let turns = &case.conversation.turns;
            let mut numbered = turns.iter().enumerate();
            numbered.find_map(|(t, turn)| {
                let next = turns.get(t + 1).map_or(&[][..], |turn| &turn.blocks);
                let missing = missing_results(&turn.blocks, next)?;
                fill![t, missing]
            })
        },
    ),
    rule(
        "tool-result-without-use",
        Some(47),
        Evidence::Seen,
        "messages.{}.content.{}: unexpected `tool_use_id` found in `tool_result` blocks: {}. \
         Each `tool_result` block must have a corresponding `tool_use` block in the previous \
         message.",
        |case| {
            if !case.has.tools {
                return None;
            }
            let turns = &case.conversation.turns;
            let mut blocks = case.conversation.blocks();
            blocks.find_map(|(t, b, block)| {
                let Block::ToolResult { id, .. } = block else {
                    return None;
                };
                let previous = t.checked_sub(1).map_or(&[][..], |p| &turns[p].blocks);
                let asked =
                    |p: &Block| matches!(p, Block::ToolUse { id: asked, .. } if asked == id);
                if previous.iter().any(asked) {
                    return None;
                }
                fill![t, b, id]
            })
        },
    ),
    rule(
        "tool-use-ids-repeat",
        None,
        Evidence::Documented,
        "messages.{}.content.{}: `tool_use` ids must be unique",
        |case| {
            if !case.has.tools {
                return None;
            }
            let mut seen = BTreeSet::new();
            let mut blocks = case.conversation.blocks();
            blocks.find_map(|(t, b, block)| match block {
                Block::ToolUse { id, .. } if !seen.insert(id) => fill![t, b],
                _ => None,
            })
        },
    ),
    rule(
        "tool-names-repeat",
        None,
        Evidence::Documented,
        "tools: Tool names must be unique.",
        |case| {
            let tools = &case.conversation.tools;
            let repeats = |i: usize| tools[..i].iter().any(|t| t.name == tools[i].name);
            when(match tools.len() {
                0 | 1 => false,
                2..=16 => (1..tools.len()).any(repeats),
                _ => {
                    let mut names = BTreeSet::new();
                    !tools.iter().all(|tool| names.insert(&tool.name))
                }
            })
        },
    ),
    rule(
        "tool-choice-without-tools",
        None,
        Evidence::Documented,
        "tool_choice: tool_choice may only be specified while providing tools",
        |case| {
            let said = case.conversation;
            let any = matches!(said.choice, ToolChoice::Any | ToolChoice::None);
            when(any && said.tools.is_empty())
        },
    ),
    rule(
        "unknown-tool-chosen",
        None,
        Evidence::Documented,
        "Tool '{}' not found in provided tools",
        |case| {
            let ToolChoice::Named(name) = &case.conversation.choice else {
                return None;
            };
            if case
                .conversation
                .tools
                .iter()
                .any(|tool| tool.name == *name)
            {
                return None;
            }
            fill![name]
        },
    ),
];

/// The ids that were asked for and not answered, in one text.
pub(super) fn missing_results(asked: &[Block], answered: &[Block]) -> Option<String> {
    let is_answered = |wanted: &str| {
        let mut blocks = answered.iter();
        blocks.any(|b| matches!(b, Block::ToolResult { id, .. } if id == wanted))
    };
    let mut missing = String::new();
    for block in asked {
        if let Block::ToolUse { id, .. } = block
            && !is_answered(id)
        {
            if !missing.is_empty() {
                missing.push_str(", ");
            }
            missing.push_str(id);
        }
    }
    (!missing.is_empty()).then_some(missing)
}

impl Case<'_> {
    /// Whether the request makes the model use a tool.
    pub(super) fn forces_a_tool(&self) -> bool {
        self.conversation.choice.forces()
    }
}
