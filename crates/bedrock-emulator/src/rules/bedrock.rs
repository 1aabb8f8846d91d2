//! What Bedrock itself refuses on Converse, before a model sees the request.

use super::{By, Case, Evidence, Rule, Surface, fill, when};
use crate::{
    catalogue::Modality,
    conversation::{Block, Role, Turn},
    error::Code,
    media::{Image, Media, Source},
};

const fn rule(
    name: &'static str,
    row: Option<u8>,
    evidence: Evidence,
    text: &'static str,
    check: super::Check,
) -> Rule {
    Rule {
        name,
        row,
        surface: Some(Surface::Converse),
        provider: None,
        by: By::Bedrock,
        code: Code::Validation,
        text,
        evidence,
        check,
    }
}

const FIRST_IS_USER: &str = "A conversation must start with a user message. \
     Try again with a conversation that starts with a user message.";

pub(super) const RULES: &[Rule] = &[
    // That an empty list gets the sentence about the first message is inferred.
    rule(
        "no-messages",
        Some(40),
        Evidence::Chosen,
        FIRST_IS_USER,
        |case| when(case.conversation.turns.is_empty()),
    ),
    rule(
        "empty-content",
        Some(43),
        Evidence::Seen,
        "The content field in the Message object at messages.{} is empty. \
         Add a ContentBlock object to the content field and try again.",
        |case| {
            let empty = |turn: &Turn| turn.blocks.is_empty();
            let t = case.conversation.turns.iter().position(empty)?;
            fill![t]
        },
    ),
    rule(
        "unsupported-block",
        Some(50),
        Evidence::Recorded,
        "This model doesn't support the {} content block that you provided. \
         Update the content block and try again.",
        |case| {
            let takes = |kind: Modality| case.model.modalities.input.contains(&kind);
            // Documents are text and pictures: Nova Micro and Titan take none. Claude 2 took them
            // as text (recorded).
            let reads = takes(Modality::Image) || case.model.provider == "anthropic";
            case.media(|block| match block {
                Block::Video(_) if !takes(Modality::Video) => fill!["video"],
                Block::Audio(_) if !takes(Modality::Audio) => fill!["audio"],
                Block::Image(_) if !takes(Modality::Image) => fill!["image"],
                Block::Document(_) if !reads => fill!["document"],
                _ => None,
            })
        },
    ),
    // What a document in S3 leads to, its model says.
    rule(
        "image-from-s3",
        Some(51),
        Evidence::Recorded,
        "This model doesn't support the s3Uri field. Remove s3Uri and try again.",
        |case| {
            let takes = case.model.quirks.s3_sources;
            case.media(|block| when(!takes && matches!(block, Block::Image(image) if in_s3(image))))
        },
    ),
    rule(
        "no-system",
        None,
        Evidence::Documented,
        "This model doesn't support system messages. Try again without a system message or use a \
         model that supports system messages.",
        |case| when(case.model.quirks.no_system && !case.conversation.system.is_empty()),
    ),
    rule(
        "document-without-text",
        Some(44),
        Evidence::Seen,
        "A text block must be included when using documents.",
        |case| {
            if !case.has.media {
                return None;
            }
            let text = |b: &Block| matches!(b, Block::Text(_) | Block::Guard { .. });
            let document = |b: &Block| matches!(b, Block::Document(_));
            let alone =
                |turn: &Turn| turn.blocks.iter().any(document) && !turn.blocks.iter().any(text);
            when(case.conversation.turns.iter().any(alone))
        },
    ),
    // Claude 3.x was checked by Bedrock; Claude 4 and later accept an assistant message first
    // (recorded) and two messages of one role.
    rule(
        "first-message-not-user",
        Some(40),
        Evidence::Seen,
        FIRST_IS_USER,
        |case| {
            let first = case.conversation.turns.first()?.role;
            when(case.model.quirks.strict_roles && first != Role::User)
        },
    ),
    rule(
        "roles-do-not-alternate",
        Some(39),
        Evidence::Seen,
        "A conversation must alternate between user and assistant roles. \
         Make sure the conversation alternates between user and assistant roles and try again.",
        |case| {
            let mut pairs = case.conversation.turns.windows(2);
            when(case.model.quirks.strict_roles && pairs.any(|pair| pair[0].role == pair[1].role))
        },
    ),
    rule(
        "tool-blocks-without-tool-config",
        Some(48),
        Evidence::Seen,
        "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        |case| when(case.has.tools && !case.conversation.tool_config),
    ),
    // Seen in 2024; newer models take both in one turn (recorded).
    rule(
        "tool-result-beside-text",
        Some(49),
        Evidence::Seen,
        "messages.{}.content: Conversation blocks and tool result blocks cannot be provided in \
         the same turn.",
        |case| {
            if !case.model.quirks.no_mixed_turns || !case.has.tools {
                return None;
            }
            let result = |b: &Block| matches!(b, Block::ToolResult { .. });
            let mixed =
                |turn: &Turn| turn.blocks.iter().any(result) && !turn.blocks.iter().all(result);
            let t = case.conversation.turns.iter().position(mixed)?;
            fill![t]
        },
    ),
    // A message must follow for this check; without one, Claude has its own.
    rule(
        "tool-results-missing",
        Some(45),
        Evidence::Seen,
        "Expected toolResult blocks at messages.{}.content for the following Ids: {}",
        |case| {
            if !case.has.tools {
                return None;
            }
            let mut pairs = case.conversation.turns.windows(2).enumerate();
            pairs.find_map(|(t, pair)| {
                let missing = super::tools::missing_results(&pair[0].blocks, &pair[1].blocks)?;
                fill![t + 1, missing]
            })
        },
    ),
    rule(
        "no-tools-in-streams",
        Some(54),
        Evidence::Seen,
        "This model doesn't support tool use in streaming mode.",
        |case| when(case.streams && case.model.quirks.no_tools && case.conversation.tool_config),
    ),
    rule(
        "no-tools",
        None,
        Evidence::Seen,
        "This model doesn't support tool use.",
        |case| when(case.model.quirks.no_tools && case.conversation.tool_config),
    ),
    // The bound is inclusive although its text says "lower than": pydantic-ai sends the model's
    // maximum unless told otherwise, and aichat's users saw 4096 pass where 8192 got this answer.
    rule(
        "max-tokens-too-large",
        Some(36),
        Evidence::Seen,
        "The maximum tokens you requested exceeds the model limit of {}. \
         Try again with a maximum tokens value that is lower than {}.",
        |case| {
            let limit = case.model.max_output;
            let asked = case.conversation.max_tokens?;
            if asked <= limit {
                return None;
            }
            fill![limit, limit]
        },
    ),
    // The models of 2024, and what is not Claude's (seen on Titan in 2025-03).
    rule(
        "blank-text",
        Some(42),
        Evidence::Seen,
        "The text field in the ContentBlock object at messages.{}.content.{} is blank. \
         Add text to the text field, and try again.",
        |case| {
            if !case.model.quirks.strict_roles && case.model.provider == "anthropic" {
                return None;
            }
            let mut blocks = case.conversation.blocks();
            let blank = |b: &Block| b.text().is_some_and(|text| text.trim().is_empty());
            let (t, b, _) = blocks.find(|(_, _, block)| blank(block))?;
            fill![t, b]
        },
    ),
    Rule {
        surface: None,
        code: Code::AccessDenied,
        ..rule(
            "no-prompt-caching",
            Some(53),
            Evidence::Seen,
            "You invoked an unsupported model or your request did not allow prompt caching",
            |case| when(case.has.cache_points > 0 && case.model.min_cache_tokens.is_none()),
        )
    },
];

fn in_s3(image: &Image) -> bool {
    matches!(
        image.media,
        Media {
            source: Source::S3(_),
            ..
        }
    )
}

impl Case<'_> {
    /// Looks at every block of every message, those inside tool results too.
    pub(super) fn media(
        &self,
        look: impl Fn(&Block) -> Option<Vec<String>>,
    ) -> Option<Vec<String>> {
        if !self.has.media {
            return None;
        }
        let blocks = self.conversation.turns.iter().flat_map(|turn| &turn.blocks);
        let mut blocks = blocks.flat_map(|block| match block {
            Block::ToolResult { parts, .. } => parts.iter(),
            other => std::slice::from_ref(other).iter(),
        });
        blocks.find_map(look)
    }
}
