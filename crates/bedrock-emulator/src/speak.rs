//! The model's part: from a conversation, or from a script's step, to an [`Answer`].

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    answer::{chunks, schema, text},
    answer_plan::{Answer, Beat, Composer, Ending, Limit, cut, output_tokens},
    conversation::{Conversation, Thinking, Tool, ToolChoice},
    error::{ApiError, Code},
    journal::Usage,
    rng::{Rng, hash},
    script::Piece,
};

/// How the model speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice {
    pub(crate) seed: u64,
    pub(crate) scramble: bool,
    /// Most tokens the model can answer with, if the caller sets no limit.
    pub(crate) max_output: u32,
}

impl Voice {
    /// An answer of the emulator's own making.
    pub(crate) fn generate(self, conversation: &Conversation) -> Result<Answer, ApiError> {
        let mut composer = Composer::default();
        if conversation.thinking != Thinking::Off {
            self.reason(conversation, &mut composer);
        }
        let stop = if let Some(tool) = wanted_tool(conversation) {
            let input = self.instance(&tool.schema, &conversation.prompt())?;
            composer.tool_use(&tool.name, &input);
            "tool_use"
        } else {
            let words = self.words(conversation)?;
            for delta in chunks::text_deltas(self.seed, &words) {
                composer.text(&delta);
            }
            "end_turn"
        };
        let beats = composer.beats(true);
        Ok(self.finish(conversation, beats, stop.to_owned(), Ending::Complete, None))
    }

    /// The answer a script wants. Limits of the request cut it too, unless the script names the
    /// stop reason itself.
    pub(crate) fn recite(self, conversation: &Conversation, pieces: Vec<Piece>) -> Answer {
        let mut composer = Composer::default();
        let mut stop = None;
        let mut usage = None;
        let mut tool_used = false;
        let mut ending = Ending::Complete;
        for piece in pieces {
            match piece {
                Piece::Text(text) => composer.text(&text),
                Piece::NewBlock => composer.close(),
                Piece::Reasoning(text) => {
                    let signature = self.signature(&text);
                    composer.reasoning(self.seed, &text, signature);
                }
                Piece::ToolUse { name, input } => {
                    tool_used = true;
                    composer.tool_use(&name, &input);
                }
                Piece::Stop(reason) => stop = Some(reason),
                Piece::Usage { input, output } => usage = Some(Usage::new(input, output)),
                Piece::Gate(name) => composer.wait(Beat::Gate(name)),
                Piece::Pause(time) => composer.wait(Beat::Pause(time)),
                Piece::Exception(fault) => ending = Ending::Fault(fault),
                Piece::Cut => ending = Ending::Cut,
                Piece::Raw(bytes) => ending = Ending::Raw(bytes),
            }
            if ending != Ending::Complete {
                break;
            }
        }
        let beats = composer.beats(ending == Ending::Complete);
        if let Some(stop) = stop {
            return Answer {
                usage: usage.unwrap_or_else(|| usage_of(conversation, &beats)),
                usage_scripted: usage.is_some(),
                beats,
                stop,
                stop_sequence: None,
                ending,
            };
        }
        let stop = if tool_used { "tool_use" } else { "end_turn" };
        self.finish(conversation, beats, stop.to_owned(), ending, usage)
    }

    fn finish(
        self,
        conversation: &Conversation,
        mut beats: Vec<Beat>,
        stop: String,
        ending: Ending,
        usage: Option<Usage>,
    ) -> Answer {
        let max_tokens = conversation.max_tokens.unwrap_or(self.max_output);
        let limit = cut(&mut beats, Some(max_tokens), &conversation.stop_sequences);
        let mut counted = usage_of(conversation, &beats);
        let (stop, stop_sequence, ending) = match limit {
            None => (stop, None, ending),
            Some(Limit::MaxTokens) => {
                // A model that runs out of tokens has used exactly as many as it may.
                counted.output = max_tokens;
                ("max_tokens".to_owned(), None, Ending::Complete)
            }
            Some(Limit::StopSequence(at)) => {
                ("stop_sequence".to_owned(), Some(at), Ending::Complete)
            }
        };
        Answer {
            beats,
            stop,
            stop_sequence,
            usage: usage.unwrap_or(counted),
            usage_scripted: usage.is_some(),
            ending,
        }
    }

    fn words(self, conversation: &Conversation) -> Result<String, ApiError> {
        let prompt = conversation.prompt();
        if let Some(format) = &conversation.format {
            return Ok(crate::json::sorted(&self.instance(format, &prompt)?));
        }
        let results = conversation.tool_results();
        let about = if results.is_empty() {
            prompt
        } else {
            results.join(" ")
        };
        let room = conversation.max_tokens.unwrap_or(self.max_output);
        let words = text::reply(self.seed, &about, room);
        Ok(if self.scramble {
            text::scramble(self.seed ^ hash(&words))
        } else {
            words
        })
    }

    fn instance(self, schema: &Value, prompt: &str) -> Result<Value, ApiError> {
        schema::instance(self.seed, schema, prompt).map_err(|why| {
            ApiError::bedrock(
                Code::ModelError,
                format!(
                    "Model produced invalid sequence as part of ToolUse. Please refer to the model \
                     tool use troubleshooting guide. (Bedrock Workshop: {why}.)"
                ),
            )
        })
    }

    fn reason(self, conversation: &Conversation, composer: &mut Composer) {
        let prompt = conversation.prompt();
        let mut first: String = prompt.chars().take(80).collect();
        if first.len() < prompt.len() {
            first.push('…');
        }
        let mut thought = format!("The user says: \"{first}\" I should answer that briefly.");
        if self.scramble {
            thought = text::scramble(self.seed ^ hash(&thought));
        }
        let signature = self.signature(&thought);
        composer.reasoning(self.seed, &thought, signature);
    }

    /// Opaque bytes that belong to the text, as the real signature does.
    fn signature(self, text: &str) -> String {
        let mut rng = Rng::new(self.seed, &[hash(text)]);
        STANDARD.encode(rng.bytes(96 + text.len() / 8))
    }
}

fn usage_of(conversation: &Conversation, beats: &[Beat]) -> Usage {
    Usage::new(conversation.input_tokens(), output_tokens(beats))
}

/// The tool the model uses now: a forced one, or one that the prompt names.
fn wanted_tool(conversation: &Conversation) -> Option<&Tool> {
    let prompt = conversation.prompt().to_lowercase();
    let named = |tool: &&Tool| {
        let name = tool.name.to_lowercase();
        prompt.contains(&name) || prompt.contains(&name.replace(['_', '-'], " "))
    };
    let tools = || conversation.tools.iter();
    match &conversation.choice {
        ToolChoice::Named(name) => tools().find(|tool| tool.name == *name),
        ToolChoice::Any => tools().find(named).or_else(|| tools().next()),
        ToolChoice::Auto if conversation.tool_results().is_empty() => tools().find(named),
        ToolChoice::Auto | ToolChoice::None => None,
    }
}
