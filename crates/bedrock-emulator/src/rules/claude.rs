//! What the models refuse about a conversation as a whole: Claude, and Nova where it is recorded.

use super::{By, Case, Evidence, Rule, Surface, fill, when};
use crate::{
    catalogue::Family,
    conversation::{Block, CachePoint, Role, Ttl},
    error::Code,
    media::{Document, Media, Source},
};

/// A rule of Claude on both APIs.
pub(super) const fn rule(
    name: &'static str,
    row: Option<u8>,
    evidence: Evidence,
    text: &'static str,
    check: super::Check,
) -> Rule {
    Rule {
        name,
        row,
        surface: None,
        provider: Some("anthropic"),
        by: By::Model,
        code: Code::Validation,
        text,
        evidence,
        check,
    }
}

const fn on(surface: Surface, mut rule: Rule) -> Rule {
    rule.surface = Some(surface);
    rule
}

/// Checked before tools, thinking and media.
pub(super) const BEFORE: &[Rule] = &[
    on(
        Surface::Messages,
        rule(
            "messages-empty",
            None,
            Evidence::Documented,
            "messages: at least one message is required",
            |case| when(case.conversation.turns.is_empty()),
        ),
    ),
    on(
        Surface::Messages,
        rule(
            "message-content-empty",
            None,
            Evidence::Documented,
            "messages.{}: all messages must have non-empty content except for the optional final \
             assistant message",
            |case| {
                let turns = &case.conversation.turns;
                let mut empty = turns
                    .iter()
                    .enumerate()
                    .filter(|(_, t)| t.blocks.is_empty());
                let optional = |t: usize, role| t + 1 == turns.len() && role == Role::Assistant;
                let (t, _) = empty.find(|(t, turn)| !optional(*t, turn.role))?;
                fill![t]
            },
        ),
    ),
    on(
        Surface::Messages,
        rule(
            "messages-max-tokens-too-large",
            Some(36),
            Evidence::Documented,
            "max_tokens: {} > {}, which is the maximum allowed number of output tokens for {}",
            |case| {
                let (limit, id) = (case.model.max_output, &case.model.provider_id);
                let asked = case.conversation.max_tokens?;
                if asked <= limit || case.model.quirks.text_completions {
                    return None;
                }
                fill![asked, limit, id]
            },
        ),
    ),
    // Mid-conversation system messages are recorded on Opus 4.8; what the earlier models say about
    // them is Anthropic's own sentence.
    rule(
        "system-role",
        None,
        Evidence::Documented,
        "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` \
         parameter, not \"system\" as an input message role.",
        |case| when(case.has.system_role && !case.model.quirks.no_sampling),
    ),
    rule(
        "too-many-cache-points",
        Some(52),
        Evidence::Documented,
        "A maximum of 4 blocks with cache_control may be provided. Found {}.",
        |case| {
            let points = case.has.cache_points;
            if points <= 4 {
                return None;
            }
            fill![points]
        },
    ),
    rule(
        "cache-ttl-order",
        None,
        Evidence::Documented,
        "{}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' \
         cache_control block. Note that blocks are processed in the following order: `tools`, \
         `system`, `messages`.",
        long_after_short,
    ),
    rule(
        "cached-empty-text",
        None,
        Evidence::Documented,
        "{}: cache_control cannot be set for empty text blocks",
        |case| {
            if case.has.cache_points == 0 {
                return None;
            }
            let pairs = |blocks: &[Block]| {
                let mut pairs = blocks.windows(2);
                pairs.position(|pair| {
                    let attached = matches!(&pair[1], Block::CachePoint(point) if point.attached);
                    attached && pair[0].text().is_some_and(str::is_empty)
                })
            };
            if let Some(s) = pairs(&case.conversation.system) {
                return fill![format!("system.{s}.text")];
            }
            let mut turns = case.conversation.turns.iter().enumerate();
            let (t, b) = turns.find_map(|(t, turn)| Some((t, pairs(&turn.blocks)?)))?;
            fill![format!("messages.{t}.content.{b}.text")]
        },
    ),
    rule(
        "sampling-deprecated",
        Some(38),
        Evidence::Seen,
        "`{}` is deprecated for this model.",
        |case| {
            if !case.model.quirks.no_sampling {
                return None;
            }
            let said = case.conversation;
            let sent = [
                ("temperature", said.temperature.is_some()),
                ("top_p", said.top_p.is_some()),
                ("top_k", said.top_k),
            ];
            let (name, _) = sent.into_iter().find(|(_, sent)| *sent)?;
            fill![name]
        },
    ),
    rule(
        "temperature-beside-top-p",
        Some(37),
        Evidence::Seen,
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        |case| {
            let said = case.conversation;
            let both = said.temperature.is_some() && said.top_p.is_some();
            when(case.model.quirks.one_sampling && both)
        },
    ),
    // White space beside other content passed (recorded on Sonnet 4.5).
    rule(
        "empty-text",
        Some(42),
        Evidence::Seen,
        "messages: text content blocks must be non-empty",
        |case| {
            let mut blocks = case.conversation.blocks();
            when(blocks.any(|(_, _, block)| block.text().is_some_and(str::is_empty)))
        },
    ),
    rule(
        "white-space-only",
        Some(42),
        Evidence::Seen,
        "messages: text content blocks must contain non-whitespace text",
        |case| {
            let mut turns = case.conversation.turns.iter();
            when(turns.any(|turn| {
                let mut texts = turn.blocks.iter().map(Block::text);
                let blank = |text: Option<&str>| text.is_some_and(|t| t.trim().is_empty());
                turn.blocks.len() == 1 && texts.all(blank)
            }))
        },
    ),
];

/// Checked last.
pub(super) const AFTER: &[Rule] = &[
    rule(
        "prefill",
        Some(41),
        Evidence::Seen,
        "This model does not support assistant message prefill. \
         The conversation must end with a user message.",
        |case| when(case.model.quirks.no_prefill && ends_with_assistant(case)),
    ),
    rule(
        "prefill-white-space",
        None,
        Evidence::Documented,
        "messages: final assistant content cannot end with trailing whitespace",
        |case| {
            if !ends_with_assistant(case) {
                return None;
            }
            let text = case.conversation.turns.last()?.blocks.last()?.text()?;
            when(text.ends_with(char::is_whitespace))
        },
    ),
    // A document in S3 reaches Claude without a source; inside a tool result it is lost in silence
    // (both recorded).
    on(
        Surface::Converse,
        rule(
            "document-from-s3",
            Some(34),
            Evidence::Recorded,
            "messages.{}.content.{}.document.source.type: Field required",
            |case| {
                if !case.has.media {
                    return None;
                }
                let mut blocks = case.conversation.blocks();
                blocks.find_map(|(t, b, block)| match block {
                    Block::Document(document) if in_s3(document) => fill![t, b],
                    _ => None,
                })
            },
        ),
    ),
    // Nova 2 reads media in tool results, but not from S3 (recorded).
    on(
        Surface::Converse,
        Rule {
            provider: Some("amazon"),
            ..rule(
                "nova-tool-result-from-s3",
                Some(32),
                Evidence::Recorded,
                "Malformed input request: #/messages/{}/content/{}: extraneous key [toolResult] \
                 is not permitted, please reformat your input and try again.",
                |case| {
                    if !case.has.media || !is_nova(case) {
                        return None;
                    }
                    let mut blocks = case.conversation.blocks();
                    let far = |part: &Block| match part {
                        Block::Document(document) => in_s3(document),
                        Block::Video(media) => matches!(media.source, Source::S3(_)),
                        _ => false,
                    };
                    blocks.find_map(|(t, b, block)| match block {
                        Block::ToolResult { parts, .. } if parts.iter().any(far) => fill![t, b],
                        _ => None,
                    })
                },
            )
        },
    ),
    on(
        Surface::Converse,
        Rule {
            provider: Some("amazon"),
            ..rule(
                "nova-input-too-long",
                Some(55),
                Evidence::Recorded,
                "Input Tokens Exceeded: Number of input tokens exceeds maximum length. \
                 Please update the input to try again.",
                |case| when(is_nova(case) && case.too_long().is_some()),
            )
        },
    ),
    on(
        Surface::Converse,
        rule(
            "prompt-too-long",
            Some(55),
            Evidence::Seen,
            "prompt is too long: {} tokens > {} maximum",
            |case| {
                let tokens = case.too_long()?;
                fill![tokens, case.model.context]
            },
        ),
    ),
    on(
        Surface::Messages,
        Rule {
            provider: None,
            ..rule(
                "input-too-long",
                Some(55),
                Evidence::Seen,
                "Input is too long for requested model.",
                |case| when(case.too_long().is_some()),
            )
        },
    ),
    // From Claude 4.5 on such an answer ends with `model_context_window_exceeded` instead, as
    // Anthropic documents; Claude 3.5 and before cut `max_tokens` short in silence.
    rule(
        "context-limit",
        Some(55),
        Evidence::Seen,
        "input length and `max_tokens` exceed context limit: {} + {} > {}, \
         decrease input length or `max_tokens` and try again",
        |case| {
            let max = case.conversation.max_tokens?;
            let context = case.model.context;
            if !case.model.quirks.strict_context || !case.may_exceed(context.saturating_sub(max)) {
                return None;
            }
            let tokens = case.conversation.input_tokens();
            if tokens.saturating_add(max) <= context {
                return None;
            }
            fill![tokens, max, context]
        },
    ),
];

fn is_nova(case: &Case<'_>) -> bool {
    case.model.family == Family::Nova
}

fn ends_with_assistant(case: &Case<'_>) -> bool {
    let last = case.conversation.turns.last();
    last.is_some_and(|turn| turn.role == Role::Assistant)
}

fn in_s3(document: &Document) -> bool {
    matches!(
        document.media,
        Media {
            source: Source::S3(_),
            ..
        }
    )
}

impl Case<'_> {
    /// The tokens of a prompt that the context window cannot hold.
    fn too_long(&self) -> Option<u32> {
        let context = self.model.context;
        if !self.may_exceed(context) {
            return None;
        }
        let tokens = self.conversation.input_tokens();
        (tokens > context).then_some(tokens)
    }

    /// Whether counting is worth it: a body has hardly more tokens than bytes, media apart.
    fn may_exceed(&self, tokens: u32) -> bool {
        const FRAMING: usize = 4_096;
        let tokens = usize::try_from(tokens).unwrap_or(usize::MAX);
        self.has.media || self.body_length.saturating_add(FRAMING) > tokens
    }
}

/// The first cache point that lives longer than one before it.
fn long_after_short(case: &Case<'_>) -> Option<Vec<String>> {
    if case.has.cache_points < 2 {
        return None;
    }
    let said = case.conversation;
    let points =
        said.tool_cache_points
            .iter()
            .map(|(after, ttl)| (format!("tools.{}", after.max(&1) - 1), *ttl))
            .chain(
                said.system
                    .iter()
                    .enumerate()
                    .filter_map(|(s, block)| Some((format!("system.{s}"), ttl(block)?))),
            )
            .chain(said.blocks().filter_map(|(t, b, block)| {
                Some((format!("messages.{t}.content.{b}"), ttl(block)?))
            }));
    let mut short = false;
    for (at, ttl) in points {
        if short && ttl == Ttl::OneHour {
            return fill![at];
        }
        short |= ttl == Ttl::FiveMinutes;
    }
    None
}

const fn ttl(block: &Block) -> Option<Ttl> {
    match block {
        Block::CachePoint(CachePoint { ttl, .. }) => Some(*ttl),
        _ => None,
    }
}
