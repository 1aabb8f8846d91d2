//! An answer as the model gives it, before any dialect: blocks, and the beats in which a stream
//! tells them.
//!
//! Both generated and scripted answers are composed here, so limits (`maxTokens`, stop sequences)
//! cut them alike.

use std::time::Duration;

use serde_json::Value;

use crate::{
    answer::{chunks, tokens},
    journal::Usage,
    script::Fault,
};

/// What the model answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) beats: Vec<Beat>,
    /// In Converse's spelling.
    pub(crate) stop: String,
    /// The stop sequence that ended the text.
    pub(crate) stop_sequence: Option<String>,
    pub(crate) usage: Usage,
    /// Output tokens of thinking that is not shown.
    pub(crate) hidden_tokens: u32,
    /// Whether a script said the usage, so that nothing may change it.
    pub(crate) usage_scripted: bool,
    pub(crate) ending: Ending,
}

/// One step in telling an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Beat {
    /// A content block starts.
    Open(Head),
    /// A part of the open block.
    Delta(Part),
    /// The block ends.
    Close,
    /// Nothing more until the gate opens.
    Gate(String),
    /// Nothing more for that long.
    Pause(Duration),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Head {
    Text,
    /// Text with citations, which come before it.
    CitedText,
    Reasoning,
    /// Reasoning that only the model can read: its data, as Anthropic spells it.
    RedactedReasoning(String),
    ToolUse {
        name: String,
        input: Value,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Text(String),
    Citation(Citation),
    Reasoning(String),
    Signature(String),
    ToolInput(String),
}

/// How the telling ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ending {
    Complete,
    /// With an exception, inside the stream if it is one.
    Fault(Fault),
    /// The connection goes away.
    Cut,
    /// These bytes stand in place of what would follow.
    Raw(Vec<u8>),
}

/// A finished content block.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Text(String),
    CitedText {
        text: String,
        citations: Vec<Citation>,
    },
    Reasoning {
        text: String,
        signature: String,
    },
    RedactedReasoning(String),
    ToolUse {
        name: String,
        input: Value,
    },
}

/// Where a text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Citation {
    pub(crate) location: Location,
    /// The document's name or the search result's title.
    pub(crate) title: String,
    /// What is cited, word for word.
    pub(crate) text: String,
}

/// A place in what the caller sent; documents and search results are counted from 0, each on
/// their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Characters {
        document: usize,
        start: usize,
        end: usize,
    },
    /// Pages count from 1; the last one is not included any more (recorded).
    Pages {
        document: usize,
        start: usize,
        end: usize,
    },
    /// Content blocks of a document that is made of them.
    Blocks {
        document: usize,
        start: usize,
        end: usize,
    },
    SearchResult {
        source: String,
        index: usize,
    },
}

impl Answer {
    /// No answer: the operation asks no model.
    pub(crate) fn nothing() -> Self {
        Self {
            beats: Vec::new(),
            stop: String::new(),
            stop_sequence: None,
            usage: Usage::default(),
            hidden_tokens: 0,
            usage_scripted: false,
            ending: Ending::Complete,
        }
    }

    /// A vector: no words, no output tokens.
    pub(crate) fn embedding(input_tokens: u32) -> Self {
        Self {
            stop: "end_turn".to_owned(),
            usage: Usage::new(input_tokens, 0),
            ..Self::nothing()
        }
    }

    /// The blocks as a whole.
    pub(crate) fn contents(&self) -> Vec<Content> {
        let mut contents: Vec<Content> = Vec::new();
        for beat in &self.beats {
            match beat {
                Beat::Open(Head::Text) => contents.push(Content::Text(String::new())),
                Beat::Open(Head::CitedText) => contents.push(Content::CitedText {
                    text: String::new(),
                    citations: Vec::new(),
                }),
                Beat::Open(Head::RedactedReasoning(data)) => {
                    contents.push(Content::RedactedReasoning(data.clone()));
                }
                Beat::Open(Head::Reasoning) => contents.push(Content::Reasoning {
                    text: String::new(),
                    signature: String::new(),
                }),
                Beat::Open(Head::ToolUse { name, input }) => contents.push(Content::ToolUse {
                    name: name.clone(),
                    input: input.clone(),
                }),
                Beat::Delta(part) => match (part, contents.last_mut()) {
                    (
                        Part::Text(more),
                        Some(Content::Text(text) | Content::CitedText { text, .. }),
                    )
                    | (Part::Reasoning(more), Some(Content::Reasoning { text, .. })) => {
                        text.push_str(more);
                    }
                    (Part::Citation(one), Some(Content::CitedText { citations, .. })) => {
                        citations.push(one.clone());
                    }
                    (Part::Signature(more), Some(Content::Reasoning { signature, .. })) => {
                        signature.push_str(more);
                    }
                    _ => {}
                },
                Beat::Close | Beat::Gate(_) | Beat::Pause(_) => {}
            }
        }
        contents
    }

    /// How many bytes of text its beats tell, to make room for a body once.
    pub(crate) fn length(&self) -> usize {
        let told = self.beats.iter().map(|beat| match beat {
            Beat::Delta(Part::Text(text) | Part::Reasoning(text) | Part::ToolInput(text)) => {
                text.len()
            }
            _ => 0,
        });
        told.sum()
    }

    /// Output tokens spent on thinking, shown or not.
    pub(crate) fn thinking_tokens(&self) -> u32 {
        let mut shown = String::new();
        for beat in &self.beats {
            if let Beat::Delta(Part::Reasoning(text)) = beat {
                shown.push_str(text);
            }
        }
        tokens::count(&shown).saturating_add(self.hidden_tokens)
    }

    /// All text blocks, joined.
    pub(crate) fn text(&self) -> String {
        let contents = self.contents();
        let texts = contents.iter().filter_map(|content| match content {
            Content::Text(text) | Content::CitedText { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }
}

/// Collects beats; opens and closes blocks as needed.
#[derive(Debug, Default)]
pub(crate) struct Composer {
    beats: Vec<Beat>,
    open: Option<Head>,
}

impl Composer {
    /// One delta of text, in the open text block or a new one.
    pub(crate) fn text(&mut self, delta: &str) {
        if self.open != Some(Head::Text) {
            self.open(Head::Text);
        }
        for piece in pieces(delta) {
            self.beats.push(Beat::Delta(Part::Text(piece.to_owned())));
        }
    }

    /// A whole block of text that comes from somewhere.
    pub(crate) fn cited_text(&mut self, deltas: Vec<String>, citation: Citation) {
        self.open(Head::CitedText);
        self.beats.push(Beat::Delta(Part::Citation(citation)));
        let deltas = deltas
            .into_iter()
            .map(|delta| Beat::Delta(Part::Text(delta)));
        self.beats.extend(deltas);
        self.close();
    }

    /// A whole block of reasoning that nobody but the model can read.
    pub(crate) fn redacted_reasoning(&mut self, data: String) {
        self.open(Head::RedactedReasoning(data));
        self.close();
    }

    /// A whole block of reasoning with its signature.
    pub(crate) fn reasoning(&mut self, seed: u64, text: &str, signature: String) {
        self.open(Head::Reasoning);
        for delta in chunks::text_deltas(seed, text) {
            self.beats.push(Beat::Delta(Part::Reasoning(delta)));
        }
        self.beats.push(Beat::Delta(Part::Signature(signature)));
        self.close();
    }

    /// A whole tool use.
    pub(crate) fn tool_use(&mut self, name: &str, input: &Value) {
        self.open(Head::ToolUse {
            name: name.to_owned(),
            input: input.clone(),
        });
        for delta in chunks::json_deltas(&crate::json::sorted(input)) {
            self.beats.push(Beat::Delta(Part::ToolInput(delta)));
        }
        self.close();
    }

    /// Opens a tool use whose input is still to come.
    pub(crate) fn begin_tool_use(&mut self, name: &str) {
        self.open(Head::ToolUse {
            name: name.to_owned(),
            input: Value::Object(serde_json::Map::new()),
        });
        // The first delta of a tool use is empty (recorded).
        self.tool_input("");
    }

    /// A piece of the input's JSON text.
    pub(crate) fn tool_input(&mut self, json: &str) {
        let part = Part::ToolInput(json.to_owned());
        self.beats.push(Beat::Delta(part));
    }

    /// Ends the open tool use, now that its input is known.
    pub(crate) fn end_tool_use(&mut self, whole: serde_json::Map<String, Value>) {
        let opened = self.beats.iter_mut().rev().find_map(|beat| match beat {
            Beat::Open(Head::ToolUse { input, .. }) => Some(input),
            _ => None,
        });
        if let Some(input) = opened {
            *input = Value::Object(whole);
        }
        self.close();
    }

    /// A composer that has composed these beats.
    pub(crate) fn told(beats: Vec<Beat>) -> Self {
        Self { beats, open: None }
    }

    /// The beats so far.
    pub(crate) fn so_far(&self) -> &[Beat] {
        &self.beats
    }

    /// A wait at this point.
    pub(crate) fn wait(&mut self, beat: Beat) {
        self.beats.push(beat);
    }

    /// Ends the open block.
    pub(crate) fn close(&mut self) {
        if self.open.take().is_some() {
            self.beats.push(Beat::Close);
        }
    }

    fn open(&mut self, head: Head) {
        self.close();
        self.open = Some(head.clone());
        self.beats.push(Beat::Open(head));
    }

    /// The beats; `complete` closes the last block, an interrupted answer leaves it open.
    pub(crate) fn beats(mut self, complete: bool) -> Vec<Beat> {
        if complete {
            self.close();
        }
        self.beats
    }
}

/// `text` as it fits into messages of a stream: nearly always in one piece.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    // In JSON a byte may become six, in base64 those eight; a message holds 24 MB.
    const LONGEST: usize = 2 * 1024 * 1024;
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let whole = rest.take()?;
        let mut at = whole.len().min(LONGEST);
        while !whole.is_char_boundary(at) {
            at -= 1;
        }
        let (piece, tail) = whole.split_at(at);
        rest = (!tail.is_empty()).then_some(tail);
        Some(piece)
    })
}

/// What ended an answer before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Limit {
    MaxTokens,
    StopSequence(String),
}

/// Cuts `beats` where the first stop sequence begins or the tokens run out. Uncut, they have so many
/// tokens.
pub(crate) fn cut(
    beats: &mut Vec<Beat>,
    max_tokens: Option<u32>,
    stops: &[String],
) -> Result<u32, Limit> {
    let mut spent = 0_u32;
    let mut start = 0;
    let mut block = OpenBlock::default();
    for at in 0..beats.len() {
        match &beats[at] {
            Beat::Open(head) => {
                spent = spent.saturating_add(block.counter.tokens());
                block = OpenBlock::default();
                start = at;
                if let Head::ToolUse { name, .. } = head {
                    spent = spent.saturating_add(tokens::count(name));
                }
            }
            Beat::Delta(Part::Text(text)) => {
                let left = max_tokens.map(|max| max.saturating_sub(spent));
                if let Some((keep, limit)) = block.text(text, left, stops) {
                    shorten(beats, start, at, keep);
                    return Err(limit);
                }
            }
            Beat::Delta(Part::Reasoning(text) | Part::ToolInput(text)) => {
                let left = max_tokens.map(|max| max.saturating_sub(spent));
                if let Some((keep, limit)) = block.text(text, left, &[]) {
                    shorten(beats, start, at, keep);
                    return Err(limit);
                }
            }
            _ => {}
        }
    }
    Ok(spent.saturating_add(block.counter.tokens()))
}

/// A block while it is told. Each piece is looked at once, however long the block becomes.
#[derive(Debug, Default)]
struct OpenBlock {
    /// What was told, if stop sequences are looked for.
    text: String,
    /// Its length.
    length: usize,
    counter: tokens::Counter,
}

impl OpenBlock {
    /// Where the block ends early with this piece, whichever limit comes first.
    fn text(&mut self, piece: &str, left: Option<u32>, stops: &[String]) -> Option<(usize, Limit)> {
        let seen = self.length;
        self.length += piece.len();
        let before = self.counter;
        self.counter.push(piece);
        let too_long = left.filter(|left| self.counter.tokens() > *left);
        let keep = too_long.map(|left| seen + before.cut(piece, left).len());
        let stop = self.stop(piece, seen, stops);
        match (stop, keep) {
            (Some((at, stop)), keep) if keep.is_none_or(|keep| at <= keep) => {
                Some((at, Limit::StopSequence(stop.clone())))
            }
            (_, Some(keep)) => Some((keep, Limit::MaxTokens)),
            _ => None,
        }
    }

    /// The first stop sequence that ends with this piece, and where it begins.
    fn stop<'s>(
        &mut self,
        piece: &str,
        seen: usize,
        stops: &'s [String],
    ) -> Option<(usize, &'s String)> {
        if stops.is_empty() {
            return None;
        }
        self.text.push_str(piece);
        let stops = stops.iter().filter(|stop| !stop.is_empty());
        let found = stops.filter_map(|stop| Some((self.find(stop, seen)?, stop)));
        found.min_by_key(|(at, stop)| (*at, stop.len()))
    }

    /// The first place of `stop` that reaches beyond what was `seen` before.
    fn find(&self, stop: &str, seen: usize) -> Option<usize> {
        let mut from = seen.saturating_sub(stop.len());
        while !self.text.is_char_boundary(from) {
            from -= 1;
        }
        Some(from + self.text[from..].find(stop)?)
    }
}

/// Keeps `keep` bytes of the block that opens at `start`, drops what follows beat `at`, and closes
/// the block; a tool use that lost its end has no input, as recorded.
fn shorten(beats: &mut Vec<Beat>, start: usize, at: usize, keep: usize) {
    beats.truncate(at + 1);
    let mut left = keep;
    for beat in &mut beats[start..] {
        if let Beat::Delta(Part::Text(text) | Part::Reasoning(text) | Part::ToolInput(text)) = beat
        {
            let take = left.min(text.len());
            text.truncate(take);
            left -= take;
        }
    }
    let mut first = true;
    let mut index = 0;
    beats.retain(|beat| {
        let here = index >= start;
        index += 1;
        match beat {
            Beat::Delta(Part::Text(text) | Part::Reasoning(text)) if here => !text.is_empty(),
            Beat::Delta(Part::ToolInput(text)) if here => {
                // The first delta of a tool use is empty by design.
                std::mem::take(&mut first) || !text.is_empty()
            }
            _ => true,
        }
    });
    if let Beat::Open(Head::ToolUse { input, .. }) = &mut beats[start] {
        *input = Value::Object(serde_json::Map::new());
    }
    if keep == 0
        && matches!(
            beats[start],
            Beat::Open(Head::Text | Head::CitedText | Head::Reasoning)
        )
    {
        // What was cited goes with the text that cites it; waits stay.
        let mut index = 0;
        beats.retain(|beat| {
            let here = index;
            index += 1;
            let cites = matches!(beat, Beat::Delta(Part::Citation(_)));
            here != start && !(here > start && cites)
        });
    } else {
        beats.push(Beat::Close);
    }
}

/// Tokens of what the beats say.
pub(crate) fn output_tokens(beats: &[Beat]) -> u32 {
    let mut sum = 0;
    let mut block = tokens::Counter::default();
    for beat in beats {
        match beat {
            Beat::Open(Head::ToolUse { name, .. }) => sum += tokens::count(name),
            Beat::Delta(Part::Text(text) | Part::Reasoning(text) | Part::ToolInput(text)) => {
                block.push(text);
            }
            Beat::Close => sum += std::mem::take(&mut block).tokens(),
            _ => {}
        }
    }
    sum + block.tokens()
}
