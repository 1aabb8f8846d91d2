//! What a caller said, whatever the dialect: Converse and Claude's Messages bodies both become a
//! [`Conversation`], so that rules, answers, prompt caching and token counts are written once.

use std::{borrow::Cow, sync::OnceLock};

use serde_json::Value;

use crate::{
    answer::tokens,
    media::{Document, Image, Media},
};

/// One request to a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Conversation {
    pub(crate) system: Vec<Block>,
    pub(crate) turns: Vec<Turn>,
    pub(crate) tools: Vec<Tool>,
    /// Cache points among the tools: after how many of them, and for how long.
    pub(crate) tool_cache_points: Vec<(usize, Ttl)>,
    pub(crate) choice: ToolChoice,
    /// Whether at most one tool may be used in a turn (`disable_parallel_tool_use`).
    pub(crate) one_tool: bool,
    /// Whether a tool configuration was sent at all.
    pub(crate) tool_config: bool,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) stop_sequences: Vec<String>,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) top_k: bool,
    pub(crate) thinking: Thinking,
    /// `thinking.display`: whether the text of the thinking is shown; `None`: as the model does.
    pub(crate) shows_thinking: Option<bool>,
    /// `output_config.effort`, as it was sent.
    pub(crate) effort: Option<String>,
    /// The JSON schema the answer's text must satisfy (structured output).
    pub(crate) format: Option<Value>,
    /// `cache_control` beside the messages: a cache point behind the last block (Messages only).
    pub(crate) cache_all: Option<Ttl>,
    /// The input tokens, once somebody asked.
    pub(crate) counted: OnceLock<u32>,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Turn {
    pub(crate) role: Role,
    pub(crate) blocks: Vec<Block>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    User,
    Assistant,
    System,
}

/// One content block.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Block {
    Text(String),
    Reasoning {
        text: String,
        /// What proves that the text is the model's own.
        signature: Option<String>,
    },
    /// Reasoning that only the model can read, as Anthropic spells it (base64).
    RedactedReasoning(String),
    ToolUse {
        id: String,
        name: String,
        input: Value,
    },
    ToolResult {
        id: String,
        /// Whether the tool reports a failure (`status: error`, `is_error`).
        failed: bool,
        /// Texts, JSON, images, documents.
        parts: Vec<Block>,
    },
    /// JSON in a tool result.
    Json(Value),
    Image(Image),
    Document(Document),
    /// A document found by a search, which may be cited.
    SearchResult {
        source: String,
        title: String,
        text: String,
        citations: bool,
    },
    /// Text that a guardrail looks at (Converse only).
    Guard {
        text: String,
        /// `grounding_source`, `query`, `guard_content`.
        qualifiers: Vec<String>,
    },
    CachePoint(CachePoint),
    /// A tool that comes or goes in the middle of the conversation (Converse only). What it does is
    /// not known; it is read and checked, and changes nothing.
    ToolChange {
        name: String,
    },
    Video(Media),
    Audio(Media),
}

/// The end of a prefix that the model may keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CachePoint {
    pub(crate) ttl: Ttl,
    /// Whether it was written as `cache_control` of the block before it, so that it has no number
    /// of its own among the blocks.
    pub(crate) attached: bool,
}

/// How long a prompt prefix stays cached after its last use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ttl {
    #[default]
    FiveMinutes,
    OneHour,
}

impl Ttl {
    /// As requests and answers spell it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::OneHour => "1h",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::FiveMinutes, Self::OneHour]
            .into_iter()
            .find(|ttl| ttl.name() == name)
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) schema: Value,
    /// Whether inputs must match the schema exactly.
    pub(crate) strict: bool,
    /// A tool that Anthropic defines (`bash_20250124`); `None`: the caller's own.
    pub(crate) built_in: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ToolChoice {
    #[default]
    Auto,
    /// Some tool must be used.
    Any,
    /// This tool must be used.
    Named(String),
    /// No tool may be used (Messages only).
    None,
}

impl ToolChoice {
    pub(crate) fn forces(&self) -> bool {
        matches!(self, Self::Any | Self::Named(_))
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Thinking {
    #[default]
    Off,
    /// At most that many tokens of reasoning.
    Budget(u32),
    /// As the model sees fit.
    Adaptive,
}

impl Conversation {
    /// Tokens that open the answer, behind everything the caller said.
    const FRAME: u32 = 3;
    /// Tokens that frame one message.
    pub(crate) const TURN: u32 = 4;

    /// Input tokens, counted once: what the text counts, a few for each message's framing, and
    /// what the model is told about tools, thinking, citations and formats. One number for usage,
    /// `CountTokens`, headers, logs, metrics and cost; it grows with the input.
    pub(crate) fn input_tokens(&self) -> u32 {
        *self.counted.get_or_init(|| self.count())
    }

    fn count(&self) -> u32 {
        let tools = self.tools.iter().map(Tool::tokens);
        let system = self.system.iter().map(Block::tokens);
        let turns = self.turns.iter().map(|turn| {
            let blocks = turn.blocks.iter().map(Block::tokens);
            blocks.fold(Self::TURN, u32::saturating_add)
        });
        let start = Self::FRAME + self.preamble_tokens();
        tools
            .chain(system)
            .chain(turns)
            .fold(start, u32::saturating_add)
    }

    /// What the model reads before anything the caller wrote, because of what the caller asks
    /// for. Measured on recorded usage of Claude 4.5; for tools Anthropic documents less (346 and
    /// 313) than is recorded.
    pub(crate) fn preamble_tokens(&self) -> u32 {
        let tools = match (&self.choice, self.tools.is_empty()) {
            (_, true) => 0,
            (choice, false) if choice.forces() => 585,
            _ => 495,
        };
        let thinking = match self.thinking {
            Thinking::Budget(_) => 28,
            Thinking::Off | Thinking::Adaptive => 0,
        };
        let format = self.format.as_ref().map_or(0, |schema| {
            110 + tokens::count(&crate::json::sorted(schema))
        });
        let citations = if self.cites() { 585 } else { 0 };
        [thinking, format, citations]
            .into_iter()
            .fold(tools, u32::saturating_add)
    }

    /// Whether anything that was sent may be cited.
    fn cites(&self) -> bool {
        let blocks = self.turns.iter().flat_map(|turn| &turn.blocks);
        blocks.into_iter().any(Block::cites)
    }

    /// The text of the last user message.
    pub(crate) fn prompt(&self) -> String {
        let last = self.turns.iter().rev().find(|t| t.role == Role::User);
        let texts = last.into_iter().flat_map(|turn| &turn.blocks);
        let texts = texts.filter_map(|block| match block {
            Block::Text(text) | Block::Guard { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// What the user last asked for: the prompt, or the one before the tool results it led to.
    pub(crate) fn question(&self) -> Cow<'_, str> {
        let mut asked = self.turns.iter().rev().filter(|t| t.role == Role::User);
        let text = |block: &Block| matches!(block, Block::Text(_) | Block::Guard { .. });
        let turn = asked.find(|turn| turn.blocks.iter().any(text));
        let texts = turn.into_iter().flat_map(|turn| &turn.blocks);
        let mut texts = texts.filter_map(|block| match block {
            Block::Text(text) | Block::Guard { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let Some(first) = texts.next() else {
            return Cow::Borrowed("");
        };
        match texts.next() {
            None => Cow::Borrowed(first),
            Some(second) => {
                let all = [first, second].into_iter().chain(texts);
                Cow::Owned(all.collect::<Vec<_>>().join("\n"))
            }
        }
    }

    /// Whether the last message brings tool results.
    pub(crate) fn has_tool_results(&self) -> bool {
        let last = self.turns.last().map_or(&[][..], |turn| &turn.blocks);
        last.iter()
            .any(|block| matches!(block, Block::ToolResult { .. }))
    }

    /// The texts of the tool results in the last message.
    pub(crate) fn tool_results(&self) -> Vec<String> {
        let blocks = self.turns.last().map_or(&[][..], |turn| &turn.blocks);
        let results = blocks.iter().filter_map(|block| match block {
            Block::ToolResult { parts, .. } => Some(texts(parts)),
            _ => None,
        });
        results.collect()
    }

    /// All blocks with their places, `messages.{turn}.content.{block}`, counted from 0 as the
    /// caller wrote them.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (usize, usize, &Block)> {
        self.turns
            .iter()
            .enumerate()
            .flat_map(|(t, turn)| turn.numbered().map(move |(b, block)| (t, b, block)))
    }

    /// How many cache points there are: among the tools, in the system prompt, in the messages.
    pub(crate) fn cache_points(&self) -> usize {
        let in_turns = self.turns.iter().flat_map(|turn| &turn.blocks);
        let all = self.system.iter().chain(in_turns);
        all.filter(|block| matches!(block, Block::CachePoint(_)))
            .count()
            + self.tool_cache_points.len()
            + usize::from(self.cache_all.is_some())
    }
}

impl Tool {
    pub(crate) fn tokens(&self) -> u32 {
        let schema = crate::json::sorted(&self.schema);
        tokens::count(&self.name) + tokens::count(&self.description) + tokens::count(&schema)
    }
}

impl Turn {
    /// Its blocks with their numbers in the request: a `cache_control` has none of its own.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &Block)> {
        let mut number = 0;
        self.blocks.iter().map(move |block| {
            if matches!(block, Block::CachePoint(point) if point.attached) {
                return (number.max(1) - 1, block);
            }
            number += 1;
            (number - 1, block)
        })
    }
}

impl Block {
    /// What it says, if it is a text.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it may be cited.
    fn cites(&self) -> bool {
        match self {
            Self::Document(document) => document.citations,
            Self::SearchResult { citations, .. } => *citations,
            Self::ToolResult { parts, .. } => parts.iter().any(Self::cites),
            _ => false,
        }
    }

    pub(crate) fn tokens(&self) -> u32 {
        match self {
            Self::Text(text) | Self::Reasoning { text, .. } | Self::Guard { text, .. } => {
                tokens::count(text)
            }
            // The signature's text is what the model reads again; its length follows the text's.
            Self::RedactedReasoning(data) => u32::try_from(data.len() / 8).unwrap_or(u32::MAX),
            // Around a tool use and its result stand some twenty tokens each (recorded).
            Self::ToolUse { name, input, .. } => {
                20 + tokens::count(name) + tokens::count(&crate::json::sorted(input))
            }
            Self::ToolResult { parts, .. } => {
                let parts = parts.iter().map(Self::tokens);
                parts.fold(20, u32::saturating_add)
            }
            Self::Json(value) => tokens::count(&crate::json::sorted(value)),
            Self::Document(document) => document.tokens(),
            Self::SearchResult {
                source,
                title,
                text,
                ..
            } => tokens::count(source) + tokens::count(title) + tokens::count(text),
            Self::Image(image) => image.tokens(),
            Self::ToolChange { name } => tokens::count(name),
            Self::CachePoint(_) | Self::Video(_) | Self::Audio(_) => 0,
        }
    }
}

/// All text and JSON of `parts`, one part a line.
pub(crate) fn texts(parts: &[Block]) -> String {
    let texts = parts.iter().filter_map(|part| match part {
        Block::Text(text) | Block::SearchResult { text, .. } => Some(text.clone()),
        Block::Document(document) => Some(document.text.clone()),
        Block::Json(value) => Some(crate::json::sorted(value)),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}
