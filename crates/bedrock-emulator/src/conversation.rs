//! What a caller said, whatever the dialect: Converse and Claude's Messages bodies both become a
//! [`Conversation`], so that rules, answers and token counts are written once.

use serde_json::Value;

use crate::answer::tokens;

/// One request to a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Conversation {
    pub(crate) system: Vec<Block>,
    pub(crate) turns: Vec<Turn>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) choice: ToolChoice,
    /// Whether a tool configuration was sent at all.
    pub(crate) tool_config: bool,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) stop_sequences: Vec<String>,
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) top_k: bool,
    pub(crate) thinking: Thinking,
    /// The JSON schema the answer's text must satisfy (structured output).
    pub(crate) format: Option<Value>,
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
    Reasoning(String),
    ToolUse {
        id: String,
        name: String,
        input: Value,
    },
    ToolResult {
        id: String,
        /// All its text and JSON, joined.
        text: String,
    },
    Image {
        bytes: usize,
    },
    Document {
        name: String,
        text: String,
    },
    CachePoint,
    /// A block Claude does not take: `video`, `audio`.
    Unsupported(&'static str),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) schema: Value,
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
    /// Input tokens: what the text counts, a few for each message's framing, and what Anthropic
    /// documents for the system prompt that explains tools.
    pub(crate) fn input_tokens(&self) -> u32 {
        const FRAME: u32 = 3;
        const TURN: u32 = 4;
        let mut sum = FRAME;
        for block in &self.system {
            sum += block.tokens();
        }
        for turn in &self.turns {
            sum += TURN + turn.blocks.iter().map(Block::tokens).sum::<u32>();
        }
        for tool in &self.tools {
            let schema = crate::json::sorted(&tool.schema);
            sum += tokens::count(&tool.name) + tokens::count(&tool.description);
            sum += tokens::count(&schema);
        }
        if !self.tools.is_empty() {
            sum += if self.choice.forces() { 313 } else { 346 };
        }
        sum
    }

    /// The text of the last user message.
    pub(crate) fn prompt(&self) -> String {
        let last = self.turns.iter().rev().find(|t| t.role == Role::User);
        let texts = last.into_iter().flat_map(|turn| &turn.blocks);
        let texts = texts.filter_map(|block| match block {
            Block::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// The texts of the tool results in the last message.
    pub(crate) fn tool_results(&self) -> Vec<&str> {
        let blocks = self.turns.last().map_or(&[][..], |turn| &turn.blocks);
        let results = blocks.iter().filter_map(|block| match block {
            Block::ToolResult { text, .. } => Some(text.as_str()),
            _ => None,
        });
        results.collect()
    }

    /// All blocks with their places, `messages.{turn}.content.{block}`, counted from 0.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (usize, usize, &Block)> {
        self.turns
            .iter()
            .enumerate()
            .flat_map(|(t, turn)| turn.blocks.iter().enumerate().map(move |(b, x)| (t, b, x)))
    }

    /// How many cache points there are, the system prompt's included.
    pub(crate) fn cache_points(&self) -> usize {
        let in_turns = self.blocks().map(|(_, _, block)| block);
        let all = self.system.iter().chain(in_turns);
        all.filter(|block| **block == Block::CachePoint).count()
    }
}

impl Block {
    fn tokens(&self) -> u32 {
        match self {
            Self::Text(text) | Self::Reasoning(text) | Self::ToolResult { text, .. } => {
                tokens::count(text)
            }
            Self::ToolUse { name, input, .. } => {
                tokens::count(name) + tokens::count(&crate::json::sorted(input))
            }
            Self::Document { name, text } => tokens::count(name) + tokens::count(text),
            // Anthropic documents width × height / 750 up to about 1,600; without decoding the
            // picture its size in bytes stands in.
            Self::Image { bytes } => {
                u32::try_from(bytes / 750).map_or(1_600, |n| n.clamp(85, 1_600))
            }
            Self::CachePoint | Self::Unsupported(_) => 0,
        }
    }
}
