//! The model's part: from a conversation, or from a script's step, to an [`Answer`].

use serde_json::Value;

use crate::{
    answer::{
        chunks,
        intent::{self, Offer},
        report::{self, Outcome},
        schema, text,
        thought::{self, Plan},
        tokens,
    },
    answer_plan::{Answer, Beat, Composer, Ending, Limit, cut, output_tokens},
    catalogue::{Model, ThinkingForms},
    conversation::{Block, Conversation, Role, Thinking, Tool, ToolChoice, texts},
    emulator::Config,
    error::{ApiError, Code},
    journal::Usage,
    rng::{Rng, hash},
    script::Piece,
    signature::Signer,
    sources::Sources,
};

/// A prompt with this in it gets redacted thinking, as Anthropic documents for tests.
const REDACTION_TRIGGER: &str = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB";

/// How the model speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice {
    seed: u64,
    scramble: bool,
    /// Most tokens the model can answer with, if the caller sets no limit.
    max_output: u32,
    thinking: ThinkingForms,
    /// Whether somebody sees the pieces in which a text is told.
    streams: bool,
}

/// One call of a tool, made up.
struct Call<'c> {
    tool: &'c Tool,
    input: Value,
}

impl Voice {
    pub(crate) fn new(config: &Config, seed: u64, model: &Model, streams: bool) -> Self {
        Self {
            seed,
            scramble: config.scramble,
            max_output: model.max_output,
            thinking: model.thinking,
            streams,
        }
    }

    /// An answer of the emulator's own making.
    pub(crate) fn generate(self, conversation: &Conversation) -> Result<Answer, ApiError> {
        let mut composer = Composer::default();
        let prompt = conversation.question();
        let calls = self.calls(conversation, &prompt)?;
        let mut hidden = 0;
        if self.thinks(conversation) {
            let plan = plan(conversation, &calls);
            hidden = self.think(conversation, &prompt, &plan, &mut composer);
        }
        let stop = if calls.is_empty() {
            self.say(conversation, &prompt, &mut composer)?;
            "end_turn"
        } else {
            for call in &calls {
                composer.tool_use(&call.tool.name, &call.input);
            }
            "tool_use"
        };
        let beats = composer.beats(true);
        let told = Told {
            beats,
            stop: stop.to_owned(),
            ending: Ending::Complete,
            usage: None,
            hidden,
        };
        Ok(self.finish(conversation, told))
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
                    let signature = self.signature(&text, 0);
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
            let spoken = Usage::new(conversation.input_tokens(), output_tokens(&beats));
            return Answer {
                usage: usage.unwrap_or(spoken),
                usage_scripted: usage.is_some(),
                hidden_tokens: 0,
                beats,
                stop,
                stop_sequence: None,
                ending,
            };
        }
        let stop = if tool_used { "tool_use" } else { "end_turn" };
        let told = Told {
            beats,
            stop: stop.to_owned(),
            ending,
            usage,
            hidden: 0,
        };
        self.finish(conversation, told)
    }

    /// Applies the request's limits.
    fn finish(self, conversation: &Conversation, told: Told) -> Answer {
        let Told {
            mut beats,
            stop,
            ending,
            usage,
            hidden,
        } = told;
        let max_tokens = conversation.max_tokens.unwrap_or(self.max_output);
        let visible = max_tokens.saturating_sub(hidden);
        let uncut = cut(&mut beats, Some(visible), &conversation.stop_sequences);
        let output = match uncut {
            Ok(tokens) => tokens.saturating_add(hidden),
            // A model that runs out of tokens has used exactly as many as it may.
            Err(Limit::MaxTokens) => max_tokens,
            Err(Limit::StopSequence(_)) => output_tokens(&beats).saturating_add(hidden),
        };
        let counted = Usage::new(conversation.input_tokens(), output);
        let (stop, stop_sequence, ending) = match uncut {
            Ok(_) => (stop, None, ending),
            Err(Limit::MaxTokens) => ("max_tokens".to_owned(), None, Ending::Complete),
            Err(Limit::StopSequence(at)) => {
                ("stop_sequence".to_owned(), Some(at), Ending::Complete)
            }
        };
        Answer {
            hidden_tokens: hidden,
            beats,
            stop,
            stop_sequence,
            usage: usage.unwrap_or(counted),
            usage_scripted: usage.is_some(),
            ending,
        }
    }

    // ---- words

    fn say(
        self,
        conversation: &Conversation,
        prompt: &str,
        composer: &mut Composer,
    ) -> Result<(), ApiError> {
        if let Some(format) = &conversation.format {
            let about = [prompt.to_owned(), conversation.tool_results().join("\n")].join("\n");
            let value = self.instance(format, &about)?;
            self.text(&crate::json::sorted(&value), composer);
            return Ok(());
        }
        let sources = Sources::of(conversation);
        if sources.cited() {
            for piece in sources.answer(prompt) {
                if let Some(citation) = piece.citation {
                    let deltas = chunks::text_deltas(self.seed, &piece.text);
                    composer.cited_text(deltas, citation);
                } else {
                    self.text(&piece.text, composer);
                    composer.close();
                }
            }
            return Ok(());
        }
        let mut words = self.words(conversation, prompt);
        if let Some(seen) = sources.mentioned(prompt) {
            words = format!("{words} {seen}");
        }
        self.text(&self.worded(words), composer);
        Ok(())
    }

    fn words(self, conversation: &Conversation, prompt: &str) -> String {
        let outcomes = outcomes(conversation);
        if outcomes.is_empty() || text::has_asked_length(prompt) {
            let room = conversation.max_tokens.unwrap_or(self.max_output);
            return text::reply(self.seed, prompt, room);
        }
        report::report(self.seed, prompt, &outcomes)
    }

    /// What stands in for `words` when no test shall depend on them.
    fn worded(self, words: String) -> String {
        if self.scramble {
            return text::scramble(self.seed ^ hash(&words));
        }
        words
    }

    fn text(self, words: &str, composer: &mut Composer) {
        if !self.streams && !words.is_empty() {
            return composer.text(words);
        }
        for delta in chunks::text_deltas(self.seed, words) {
            composer.text(&delta);
        }
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

    // ---- tools

    /// The tools the model uses now: a forced one, or those the prompt asks for. Once results are
    /// there the model answers from them, unless it must call.
    fn calls<'c>(
        self,
        conversation: &'c Conversation,
        prompt: &str,
    ) -> Result<Vec<Call<'c>>, ApiError> {
        let tools = &conversation.tools;
        if tools.is_empty() {
            return Ok(Vec::new());
        }
        let offers = || tools.iter().map(offer).collect::<Vec<_>>();
        let wanted = match &conversation.choice {
            ToolChoice::None => Vec::new(),
            ToolChoice::Auto if conversation.has_tool_results() => Vec::new(),
            ToolChoice::Auto => intent::wanted(&offers(), prompt),
            ToolChoice::Named(name) => {
                let tool = tools.iter().position(|tool| tool.name == *name);
                tool.map(|tool| whole(tool, prompt)).into_iter().collect()
            }
            ToolChoice::Any => match intent::wanted(&offers(), prompt) {
                none if none.is_empty() => vec![whole(intent::best(&offers(), prompt), prompt)],
                some => some,
            },
        };
        let most = if conversation.one_tool { 1 } else { usize::MAX };
        let calls = wanted.into_iter().take(most).map(|wanted| {
            let tool = &tools[wanted.tool];
            let input = self.instance(&tool.schema, &wanted.about)?;
            Ok(Call { tool, input })
        });
        calls.collect()
    }

    // ---- thinking

    /// Whether there is thinking before this answer. With a budget a model goes on from tool
    /// results without thinking anew; adaptive thinking may come between them. A model that sees
    /// fit does not always think, but a test can rely on this one.
    fn thinks(self, conversation: &Conversation) -> bool {
        match conversation.thinking {
            Thinking::Budget(_) => !conversation.has_tool_results(),
            Thinking::Adaptive => true,
            Thinking::Off => self.thinking.always,
        }
    }

    /// Thinks aloud, or not: gives back the tokens of thinking that is not shown.
    fn think(
        self,
        conversation: &Conversation,
        prompt: &str,
        plan: &Plan,
        composer: &mut Composer,
    ) -> u32 {
        if prompt.contains(REDACTION_TRIGGER) {
            // Two blocks, as recorded.
            for block in 0..2 {
                let mut rng = Rng::new(self.seed, &[hash(prompt), block]);
                composer.redacted_reasoning(Signer::new(self.seed).redacted(&mut rng));
            }
            return 64;
        }
        let sentences = match (conversation.thinking, conversation.effort.as_deref()) {
            (Thinking::Budget(budget), _) => {
                3 + usize::try_from(budget / 2_048).unwrap_or(0).min(5)
            }
            (_, Some("low" | "minimal")) => 2,
            (_, Some("max" | "xhigh")) => 10,
            _ => 4,
        };
        let thought = thought::thought(self.seed, prompt, plan, sentences);
        let thought = self.worded(thought);
        let most = match conversation.thinking {
            Thinking::Budget(budget) => budget,
            _ => conversation.max_tokens.unwrap_or(self.max_output),
        };
        let thought = tokens::cut(&thought, most);
        if conversation
            .shows_thinking
            .unwrap_or(!self.thinking.omitted)
        {
            let signature = self.signature(thought, 0);
            composer.reasoning(self.seed, thought, signature);
            return 0;
        }
        let signature = self.signature("", thought.len());
        composer.reasoning(self.seed, "", signature);
        tokens::count(thought)
    }

    fn signature(self, text: &str, hidden: usize) -> String {
        let mut rng = Rng::new(self.seed, &[hash(text), hidden as u64]);
        Signer::new(self.seed).sign(text, hidden, &mut rng)
    }
}

/// An answer before the request's limits.
struct Told {
    beats: Vec<Beat>,
    stop: String,
    ending: Ending,
    usage: Option<Usage>,
    /// Tokens of what was thought and not told.
    hidden: u32,
}

fn plan(conversation: &Conversation, calls: &[Call<'_>]) -> Plan {
    let results = conversation.tool_results().len();
    if !calls.is_empty() {
        let names = calls.iter().map(|call| call.tool.name.clone());
        let mut names: Vec<String> = names.collect();
        names.dedup();
        Plan::Call(names)
    } else if conversation.format.is_some() {
        Plan::Structured
    } else if results > 0 {
        Plan::Report(results)
    } else {
        Plan::Answer
    }
}

fn offer(tool: &Tool) -> Offer<'_> {
    let places = ["city", "cities", "location", "place", "town", "country"];
    let members = tool.schema.get("properties").and_then(Value::as_object);
    let takes_place = members.into_iter().flatten().any(|(name, schema)| {
        let name = name.to_lowercase();
        let list = schema.get("type").is_some_and(|kind| kind == "array");
        !list && places.iter().any(|place| name.contains(place))
    });
    Offer {
        name: &tool.name,
        description: &tool.description,
        takes_place,
    }
}

/// One call about the whole prompt.
fn whole(tool: usize, prompt: &str) -> intent::Wanted {
    let about = prompt.to_owned();
    intent::Wanted { tool, about }
}

/// What the tools gave back in the last message, with their names from the message before.
fn outcomes(conversation: &Conversation) -> Vec<Outcome> {
    let Some(last) = conversation.turns.last() else {
        return Vec::new();
    };
    let asked = conversation.turns.iter().rev();
    let asked = asked.filter(|turn| turn.role == Role::Assistant);
    let asked: Vec<_> = asked.flat_map(|turn| &turn.blocks).collect();
    let name_of = |wanted: &str| {
        let mut names = asked.iter().filter_map(|block| match block {
            Block::ToolUse { id, name, .. } if id == wanted => Some(name.clone()),
            _ => None,
        });
        names.next().unwrap_or_default()
    };
    let outcomes = last.blocks.iter().filter_map(|block| match block {
        Block::ToolResult { id, failed, parts } => Some(Outcome {
            tool: name_of(id),
            text: texts(parts),
            failed: *failed,
        }),
        _ => None,
    });
    outcomes.collect()
}
