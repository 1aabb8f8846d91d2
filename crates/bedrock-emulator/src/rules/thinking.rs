//! What Claude refuses about thinking: its form, its budget, and what does not go with it.

use super::{Case, Evidence, Rule, claude::rule, fill, when};
use crate::conversation::{Block, Role, Thinking};

pub(super) const RULES: &[Rule] = &[
    rule(
        "no-thinking",
        None,
        Evidence::Documented,
        "thinking: Extra inputs are not permitted",
        |case| {
            let forms = case.model.thinking;
            when(!forms.budget && !forms.adaptive && case.thinks())
        },
    ),
    rule(
        "thinking-not-by-budget",
        None,
        Evidence::Seen,
        "\"thinking.type.enabled\" is not supported for this model. Use \
         \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.",
        |case| {
            let budget = matches!(case.conversation.thinking, Thinking::Budget(_));
            when(budget && !case.model.thinking.budget)
        },
    ),
    rule(
        "thinking-not-adaptive",
        None,
        Evidence::Seen,
        "adaptive thinking is not supported on this model",
        |case| {
            let adaptive = case.conversation.thinking == Thinking::Adaptive;
            when(adaptive && !case.model.thinking.adaptive)
        },
    ),
    rule(
        "thinking-budget-too-small",
        Some(56),
        Evidence::Seen,
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        |case| {
            when(matches!(
                case.conversation.thinking,
                Thinking::Budget(..1_024)
            ))
        },
    ),
    rule(
        "thinking-budget-over-max-tokens",
        Some(56),
        Evidence::Seen,
        "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our \
         documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
        |case| {
            let Thinking::Budget(budget) = case.conversation.thinking else {
                return None;
            };
            when(
                case.conversation
                    .max_tokens
                    .is_some_and(|max| max <= budget),
            )
        },
    ),
    rule(
        "thinking-beside-temperature",
        None,
        Evidence::Seen,
        "`temperature` may only be set to 1 when thinking is enabled{}. Please consult our \
         documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
        |case| {
            let temperature = case.conversation.temperature?;
            if !case.thinks() || (temperature - 1.0).abs() < f64::EPSILON {
                return None;
            }
            // The models that know both forms say so (seen live in 2026).
            let adaptive = case.model.thinking.adaptive;
            fill![if adaptive { " or in adaptive mode" } else { "" }]
        },
    ),
    rule(
        "thinking-beside-top-p",
        None,
        Evidence::Documented,
        "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled. Please \
         consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
        |case| {
            let low = case.conversation.top_p.is_some_and(|p| p < 0.95);
            when(low && case.thinks())
        },
    ),
    rule(
        "thinking-beside-top-k",
        None,
        Evidence::Documented,
        "`top_k` must be unset when thinking is enabled. Please consult our documentation at \
         https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
        |case| when(case.conversation.top_k && case.thinks()),
    ),
    rule(
        "thinking-beside-forced-tool",
        None,
        Evidence::Seen,
        "Thinking may not be enabled when tool_choice forces tool use.",
        |case| {
            let thinks = case.thinks() || case.model.quirks.no_forced_tool;
            when(thinks && case.forces_a_tool())
        },
    ),
    // Anthropic asks for the thinking block before a tool use that is being answered.
    rule(
        "thinking-left-out",
        None,
        Evidence::Documented,
        "messages.{}.content.0.type: Expected `thinking` or `redacted_thinking`, but found \
         `{}`. When `thinking` is enabled, a final `assistant` message must start with a thinking \
         block (preceeding the lastmost set of `tool_use` and `tool_result` blocks). We recommend \
         you include thinking blocks from previous turns. To avoid this requirement, disable \
         `thinking`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking",
        |case| {
            if !case.has.tools || !matches!(case.conversation.thinking, Thinking::Budget(_)) {
                return None;
            }
            let mut turns = case.conversation.turns.iter().enumerate().rev();
            let (t, turn) = turns.find(|(_, turn)| turn.role == Role::Assistant)?;
            let uses = |b: &Block| matches!(b, Block::ToolUse { .. });
            if !turn.blocks.iter().any(uses) {
                return None;
            }
            let found = match turn.blocks.first()? {
                Block::Text(_) => "text",
                Block::ToolUse { .. } => "tool_use",
                _ => return None,
            };
            fill![t, found]
        },
    ),
];

impl Case<'_> {
    fn thinks(&self) -> bool {
        self.conversation.thinking != Thinking::Off
    }
}
