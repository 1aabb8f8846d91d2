//! A guardrail around one model invocation: what goes in is looked at before the model sees it,
//! what comes out before the caller does.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Assessment, Passage, Qualifier, Scope, Source, Version, assess, traced};
use crate::{
    answer_plan::{Answer, Beat, Composer, Content, Ending, Head, Part},
    conversation::{Block, Conversation, Role},
    journal::Usage,
    ops::Input,
    rng::Rng,
    wire::Request,
};

/// What the caller wants to be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Trace {
    #[default]
    Off,
    Enabled,
    /// Also what was looked for and not found.
    Full,
}

/// The members that a guardrail adds to the body of an `InvokeModel` answer, or to the last chunk of a
/// stream (recorded).
#[derive(Debug, Serialize)]
pub(crate) struct Members {
    #[serde(
        rename = "amazon-bedrock-trace",
        skip_serializing_if = "Option::is_none"
    )]
    trace: Option<Value>,
    #[serde(rename = "amazon-bedrock-guardrailAction")]
    action: &'static str,
}

/// What a request says about its guardrail.
#[derive(Debug)]
pub(crate) struct NamedGuardrail<'r> {
    pub(crate) id: &'r str,
    pub(crate) version: &'r str,
    pub(crate) trace: Trace,
    /// A stream does not wait for the guardrail: `async`.
    pub(crate) ahead: bool,
}

/// The guardrail that a request names: `guardrailConfig` of a Converse body, headers of an
/// `InvokeModel` request.
pub(crate) fn named<'r>(input: &'r Input, request: &'r Request) -> Option<NamedGuardrail<'r>> {
    let (id, version, trace, ahead) = match input {
        Input::Converse(converse) => converse.guardrail()?,
        _ => (
            request.header("x-amzn-bedrock-guardrailidentifier")?,
            request.header("x-amzn-bedrock-guardrailversion")?,
            request.header("x-amzn-bedrock-trace"),
            asynchronous(&request.body),
        ),
    };
    let trace = match trace.map(str::to_ascii_lowercase).as_deref() {
        Some("enabled") => Trace::Enabled,
        Some("enabled_full") => Trace::Full,
        _ => Trace::Off,
    };
    (!id.is_empty()).then_some(NamedGuardrail {
        id,
        version,
        trace,
        ahead,
    })
}

/// What the body of an `InvokeModelWithResponseStream` says about its stream (documented).
fn asynchronous(body: &[u8]) -> bool {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    body.is_some_and(|body| {
        body["amazon-bedrock-guardrailConfig"]["streamProcessingMode"] == "ASYNCHRONOUS"
    })
}

/// A guardrail and its findings about one invocation.
#[derive(Debug)]
pub(crate) struct Guarding {
    version: Arc<Version>,
    trace: Trace,
    ahead: bool,
    /// The stop reason of an answer that was changed; only Converse has one for it (recorded).
    stop: &'static str,
    input: Option<Assessment>,
    output: Option<Assessment>,
    /// What the model said before the guardrail changed it.
    said: Option<String>,
    latency_ms: u64,
}

impl Guarding {
    /// `ahead`: the answer is a stream that does not wait.
    pub(crate) fn new(
        version: Arc<Version>,
        (trace, ahead): (Trace, bool),
        input: &Input,
        mut rng: Rng,
    ) -> Self {
        let converse = matches!(input, Input::Converse(_));
        Self {
            version,
            trace,
            ahead,
            stop: if converse {
                "guardrail_intervened"
            } else {
                "end_turn"
            },
            input: None,
            output: None,
            said: None,
            latency_ms: 200 + rng.below(200),
        }
    }

    /// Looks at the conversation; an answer if the model must not see it. No tokens are used then
    /// (documented).
    pub(crate) fn input(&mut self, conversation: &Conversation) -> Option<Answer> {
        let passages = passages(conversation);
        let assessment = assess(&self.version, Source::Input, &passages);
        let blocked = assessment.blocks();
        self.input = Some(assessment);
        blocked.then(|| {
            let message = &self.version.definition.blocked_input;
            instead(message, self.stop, Usage::default())
        })
    }

    /// Looks at the answer, and changes it where it must. An answer that fails anyway passes.
    pub(crate) fn output(&mut self, conversation: &Conversation, answer: &mut Answer) {
        if answer.ending != Ending::Complete {
            return;
        }
        let contents = answer.contents();
        let texts = contents.iter().filter_map(|content| match content {
            Content::Text(text) | Content::CitedText { text, .. } => {
                Some(Passage::new(text.as_str()))
            }
            _ => None,
        });
        let texts: Vec<Passage> = texts.collect();
        if texts.is_empty() {
            return;
        }
        let said: String = texts.iter().map(|p| p.text.as_str()).collect();
        // What the answer is measured against comes after it, so that masks keep their places.
        let measures = passages(conversation);
        let measures = measures.into_iter().filter(|p| {
            let qualifiers = &p.qualifiers;
            qualifiers.contains(&Qualifier::GroundingSource)
                || qualifiers.contains(&Qualifier::Query)
        });
        let all: Vec<Passage> = texts.iter().cloned().chain(measures).collect();
        let mut assessment = assess(&self.version, Source::Output, &all);
        assessment.total = assessment.guarded;
        let message = &self.version.definition.blocked_output;
        match (assessment.blocks(), self.ahead) {
            (true, false) => *answer = instead(message, self.stop, answer.usage),
            (true, true) => self.stop_behind(answer),
            (false, false) if assessment.masks() => {
                mask(answer, self.stop, assessment.masked.clone());
            }
            // A stream that does not wait is not masked (documented).
            (false, _) => {}
        }
        if assessment.intervenes() {
            self.said = Some(said);
        }
        self.output = Some(assessment);
    }

    /// Lets through what a stream had told when the guardrail found what it blocks, and nothing after
    /// that (documented). That its message follows is inferred.
    fn stop_behind(&self, answer: &mut Answer) {
        let text = |beat: &Beat| match beat {
            Beat::Delta(Part::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let texts: Vec<String> = answer.beats.iter().filter_map(text).collect();
        let blocks = |told: usize| {
            let told = Passage::new(texts[..told].concat());
            assess(&self.version, Source::Output, &[told]).blocks()
        };
        let counts: Vec<usize> = (0..texts.len()).collect();
        let told = counts.partition_point(|told| !blocks(*told));
        let mut left = told;
        let end = answer.beats.iter().position(|beat| {
            left -= usize::from(left > 0 && matches!(beat, Beat::Delta(Part::Text(_))));
            left == 0 && matches!(beat, Beat::Delta(Part::Text(_)))
        });
        answer
            .beats
            .truncate(end.map_or(answer.beats.len(), |end| end + 1));
        let message = self.version.definition.blocked_output.clone();
        answer.beats.push(Beat::Delta(Part::Text(message)));
        answer.beats.push(Beat::Close);
        self.stop.clone_into(&mut answer.stop);
    }

    /// What it found on its way in and on its way out, as far as it looked: whether that may not pass,
    /// and a few words.
    pub(crate) fn looks(&self) -> [Option<(bool, &'static str)>; 2] {
        [&self.input, &self.output].map(|look| look.as_ref().map(Assessment::verdict))
    }

    fn intervened(&self) -> bool {
        let mut both = self.input.iter().chain(&self.output);
        both.any(Assessment::intervenes)
    }

    /// `trace.guardrail` of Converse's answers.
    pub(crate) fn converse_trace(&self) -> Option<Value> {
        let scope = self.scope()?;
        let told =
            |assessment: &Assessment| traced(&self.version, assessment, scope, self.latency_ms);
        let mut trace = Map::new();
        if self.intervened() {
            // Inferred from the texts of `ApplyGuardrail`.
            let blocks = self
                .input
                .iter()
                .chain(&self.output)
                .any(Assessment::blocks);
            let reason = if blocks {
                "Guardrail blocked."
            } else {
                "Guardrail masked."
            };
            trace.insert("actionReason".to_owned(), reason.into());
        }
        let id = self.version.id.as_str();
        if let Some(input) = &self.input {
            trace.insert("inputAssessment".to_owned(), json!({ id: told(input) }));
        }
        if let Some(said) = &self.said {
            trace.insert("modelOutput".to_owned(), json!([said]));
        }
        if let Some(output) = &self.output {
            trace.insert(
                "outputAssessments".to_owned(),
                json!({ id: [told(output)] }),
            );
        }
        Some(json!({ "guardrail": trace }))
    }

    /// What `InvokeModel`'s answers say at their end.
    pub(crate) fn members(&self) -> Members {
        let action = if self.intervened() {
            "INTERVENED"
        } else {
            "NONE"
        };
        Members {
            trace: self.invoke_trace(),
            action,
        }
    }

    fn invoke_trace(&self) -> Option<Value> {
        let scope = self.scope()?;
        let told = |assessment: &Assessment| {
            let id = self.version.id.as_str();
            json!({ id: traced(&self.version, assessment, scope, self.latency_ms) })
        };
        let mut trace = Map::new();
        if let Some(said) = &self.said {
            trace.insert("modelOutput".to_owned(), json!([said]));
        }
        if let Some(input) = &self.input {
            trace.insert("input".to_owned(), told(input));
        }
        if let Some(output) = &self.output {
            trace.insert("outputs".to_owned(), json!([told(output)]));
        }
        Some(json!({ "guardrail": trace }))
    }

    fn scope(&self) -> Option<Scope> {
        match self.trace {
            Trace::Off => None,
            Trace::Enabled => Some(Scope::Interventions),
            Trace::Full => Some(Scope::Full),
        }
    }
}

/// What a guardrail looks at: the guarded blocks, or, where there are none, all that users said.
fn passages(conversation: &Conversation) -> Vec<Passage> {
    let user = conversation.turns.iter().filter(|t| t.role == Role::User);
    let blocks: Vec<&Block> = user.flat_map(|turn| &turn.blocks).collect();
    let system = &conversation.system;
    let guarded = system.iter().chain(blocks.iter().copied());
    let guarded: Vec<Passage> = guarded
        .filter_map(|block| match block {
            Block::Guard { text, qualifiers } => Some(Passage {
                text: text.clone(),
                qualifiers: qualifiers
                    .iter()
                    .filter_map(|q| Qualifier::of_name(q))
                    .collect(),
            }),
            _ => None,
        })
        .collect();
    if !guarded.is_empty() {
        return guarded;
    }
    let texts = blocks.into_iter().filter_map(|block| match block {
        Block::Text(text) => Some(Passage::new(text.as_str())),
        _ => None,
    });
    texts.collect()
}

/// A guardrail's message in the model's place.
fn instead(message: &str, stop: &str, usage: Usage) -> Answer {
    let mut composer = Composer::default();
    composer.text(message);
    Answer {
        beats: composer.beats(true),
        stop: stop.to_owned(),
        stop_sequence: None,
        usage,
        usage_scripted: true,
        hidden_tokens: 0,
        ending: Ending::Complete,
    }
}

/// The same answer with its texts replaced by the masked ones; each comes in one piece (recorded).
fn mask(answer: &mut Answer, stop: &str, masked: Vec<String>) {
    let mut masked = masked.into_iter();
    // The text that the open block is to have, until it was told.
    let mut next = None;
    answer.beats.retain_mut(|beat| match beat {
        Beat::Open(Head::Text | Head::CitedText) => {
            next = masked.next();
            true
        }
        Beat::Delta(Part::Text(text)) => next.take().is_some_and(|masked| {
            *text = masked;
            true
        }),
        _ => true,
    });
    stop.clone_into(&mut answer.stop);
}
