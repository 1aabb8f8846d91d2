//! A guardrail looks at texts: what it finds, and what becomes of them.

use super::{
    Version,
    definition::{Action, Category, Grounding, Sides, Strength},
    detect,
};

/// What the texts are: a caller's or a model's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Input,
    Output,
}

/// One text, with what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passage {
    pub(crate) text: String,
    pub(crate) qualifiers: Vec<Qualifier>,
}

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Qualifier {
    /// What an answer must be grounded in.
    GroundingSource,
    /// What an answer must be relevant to.
    Query,
    /// What the guardrail looks at, though other texts are qualified.
    GuardContent,
}

impl Qualifier {
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "grounding_source" => Self::GroundingSource,
            "query" => Self::Query,
            "guard_content" => Self::GuardContent,
            _ => return None,
        })
    }
}

impl Passage {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            qualifiers: Vec::new(),
        }
    }

    /// A text that only says what an answer is measured against is not looked at itself.
    fn guarded(&self) -> bool {
        self.qualifiers.is_empty() || self.qualifiers.contains(&Qualifier::GuardContent)
    }

    fn is(&self, qualifier: Qualifier) -> bool {
        self.qualifiers.contains(&qualifier)
    }
}

/// Everything a guardrail has to say about some texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assessment {
    pub(crate) source: Source,
    pub(crate) topics: Vec<(String, Outcome)>,
    pub(crate) filters: Vec<(Category, Strength, Strength, Outcome)>,
    pub(crate) words: Vec<(String, Outcome)>,
    pub(crate) profanities: Vec<(String, Outcome)>,
    /// Type and match.
    pub(crate) pii: Vec<(String, String, Outcome)>,
    /// Name, pattern and match.
    pub(crate) patterns: Vec<(String, String, String, Outcome)>,
    /// Kind, threshold and score.
    pub(crate) grounding: Vec<(Grounding, f64, f64, Outcome)>,
    /// Characters that were looked at.
    pub(crate) guarded: usize,
    /// All characters.
    pub(crate) total: usize,
    /// The texts after masking, in order; what a blocking guardrail puts in their place is its
    /// message.
    pub(crate) masked: Vec<String>,
}

/// What is done about one thing that a guardrail looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Not there.
    Absent,
    /// There, and only reported.
    Reported,
    Blocked,
    Anonymized,
}

impl Outcome {
    pub(crate) const fn detected(self) -> bool {
        !matches!(self, Self::Absent)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Absent | Self::Reported => "NONE",
            Self::Blocked => "BLOCKED",
            Self::Anonymized => "ANONYMIZED",
        }
    }

    fn of(action: Action, detected: bool) -> Self {
        match (detected, action) {
            (false, _) => Self::Absent,
            (true, Action::Block) => Self::Blocked,
            (true, Action::Anonymize) => Self::Anonymized,
            (true, Action::None) => Self::Reported,
        }
    }
}

impl Assessment {
    fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        let topics = self.topics.iter().map(|(_, o)| *o);
        let filters = self.filters.iter().map(|(_, _, _, o)| *o);
        let words = self.words.iter().chain(&self.profanities).map(|(_, o)| *o);
        let pii = self.pii.iter().map(|(_, _, o)| *o);
        let patterns = self.patterns.iter().map(|(_, _, _, o)| *o);
        let grounding = self.grounding.iter().map(|(_, _, _, o)| *o);
        topics
            .chain(filters)
            .chain(words)
            .chain(pii)
            .chain(patterns)
            .chain(grounding)
    }

    /// Whether the texts may not pass at all.
    pub(crate) fn blocks(&self) -> bool {
        self.outcomes().any(|o| o == Outcome::Blocked)
    }

    /// Whether parts of the texts are replaced.
    pub(crate) fn masks(&self) -> bool {
        self.outcomes().any(|o| o == Outcome::Anonymized)
    }

    /// Whether the texts may not pass, and the same in a few words.
    pub(crate) fn verdict(&self) -> (bool, &'static str) {
        let words = match (self.source, self.blocks(), self.masks()) {
            (Source::Input, true, _) => "input blocked",
            (Source::Input, _, true) => "input masked",
            (Source::Input, ..) => "input passed",
            (Source::Output, true, _) => "output blocked",
            (Source::Output, _, true) => "output masked",
            (Source::Output, ..) => "output passed",
        };
        (self.blocks(), words)
    }

    /// Whether the guardrail changes anything.
    pub(crate) fn intervenes(&self) -> bool {
        self.blocks() || self.masks()
    }
}

/// Looks at all `passages` with one version of a guardrail.
pub(crate) fn assess(version: &Version, source: Source, passages: &[Passage]) -> Assessment {
    let definition = &version.definition;
    let guarded: Vec<&Passage> = passages.iter().filter(|p| p.guarded()).collect();
    let text = guarded
        .iter()
        .map(|p| p.text.as_str())
        .collect::<Vec<_>>()
        .join("\n");
    let chars = |passages: &[&Passage]| passages.iter().map(|p| p.text.chars().count()).sum();
    let mut assessment = Assessment {
        source,
        topics: Vec::new(),
        filters: Vec::new(),
        words: Vec::new(),
        profanities: Vec::new(),
        pii: Vec::new(),
        patterns: Vec::new(),
        grounding: Vec::new(),
        guarded: chars(&guarded),
        total: chars(&passages.iter().collect::<Vec<_>>()),
        masked: Vec::new(),
    };
    for topic in &definition.topics {
        if let Some(action) = action(&topic.sides, source, Action::Block) {
            let outcome = Outcome::of(action, detect::topic(topic, &text));
            assessment.topics.push((topic.name.clone(), outcome));
        }
    }
    for filter in &definition.filters {
        let Some(action) = action(&filter.sides, source, Action::Block) else {
            continue;
        };
        let strength = match source {
            Source::Input => filter.input_strength,
            Source::Output => filter.output_strength,
        };
        let confidence = detect::category(filter.r#type, &text);
        let acts = confidence > Strength::None && strict_enough(strength, confidence);
        let outcome = Outcome::of(action, acts);
        let row = (filter.r#type, confidence, strength, outcome);
        assessment.filters.push(row);
    }
    for word in &definition.words {
        if let Some(action) = action(&word.sides, source, Action::Block) {
            for found in detect::word(&word.text, &text) {
                let outcome = Outcome::of(action, true);
                assessment.words.push((found, outcome));
            }
        }
    }
    for list in &definition.word_lists {
        if let Some(action) = action(&list.sides, source, Action::Block) {
            for found in detect::profanities(&text) {
                let outcome = Outcome::of(action, true);
                assessment.profanities.push((found, outcome));
            }
        }
    }
    sensitive(version, source, passages, &mut assessment);
    if source == Source::Output {
        grounding(version, passages, &text, &mut assessment);
    }
    assessment
}

/// Personal data and patterns: found in each text, and masked there.
fn sensitive(version: &Version, source: Source, passages: &[Passage], assessment: &mut Assessment) {
    let definition = &version.definition;
    let mut masked: Vec<String> = passages.iter().map(|p| p.text.clone()).collect();
    for entity in &definition.pii {
        let Some(action) = action(&entity.sides, source, entity.action) else {
            continue;
        };
        let mut found = Vec::new();
        for (passage, masked) in passages.iter().zip(&mut masked) {
            if passage.guarded() {
                let matches = detect::pii(&entity.r#type, masked);
                if action == Action::Anonymize {
                    replace(masked, &matches, &entity.r#type);
                }
                found.extend(matches);
            }
        }
        if found.is_empty() {
            let none = (entity.r#type.clone(), String::new(), Outcome::Absent);
            assessment.pii.push(none);
        }
        for text in found {
            let outcome = Outcome::of(action, true);
            assessment.pii.push((entity.r#type.clone(), text, outcome));
        }
    }
    for (pattern, regex) in definition.patterns.iter().zip(&definition.compiled) {
        let Some(action) = action(&pattern.sides, source, pattern.action) else {
            continue;
        };
        let mut found = Vec::new();
        for (passage, masked) in passages.iter().zip(&mut masked) {
            if passage.guarded() {
                let all = regex.find_iter(masked).map(|m| m.as_str().to_owned());
                let matches: Vec<String> = all.filter(|m| !m.is_empty()).collect();
                if action == Action::Anonymize {
                    replace(masked, &matches, &pattern.name);
                }
                found.extend(matches);
            }
        }
        let (name, regex) = (&pattern.name, &pattern.regex);
        let row = |text, outcome| (name.clone(), regex.clone(), text, outcome);
        if found.is_empty() {
            let none = row(String::new(), Outcome::Absent);
            assessment.patterns.push(none);
        }
        for text in found {
            let row = row(text, Outcome::of(action, true));
            assessment.patterns.push(row);
        }
    }
    assessment.masked = masked;
}

/// How well an answer is grounded in its sources and relevant to its query: the share of words in
/// common. Without a source or a query there is nothing to measure against.
fn grounding(version: &Version, passages: &[Passage], answer: &str, assessment: &mut Assessment) {
    let of = |qualifier| {
        let texts = passages.iter().filter(move |p| p.is(qualifier));
        texts
            .map(|p| p.text.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    };
    let (sources, query) = (of(Qualifier::GroundingSource), of(Qualifier::Query));
    if sources.is_empty() || query.is_empty() {
        return;
    }
    for filter in &version.definition.grounding {
        if filter.enabled == Some(false) {
            continue;
        }
        let score = match filter.r#type {
            Grounding::Grounding => detect::overlap(answer, &format!("{sources}\n{query}")),
            Grounding::Relevance => detect::overlap(&query, &format!("{answer}\n{sources}")),
        };
        let action = filter.action.unwrap_or(Action::Block);
        let outcome = Outcome::of(action, score < filter.threshold);
        let row = (filter.r#type, filter.threshold, score, outcome);
        assessment.grounding.push(row);
    }
}

/// The action of a policy on this side; `None` when it does not look there.
fn action(sides: &Sides, source: Source, usual: Action) -> Option<Action> {
    let (enabled, action) = match source {
        Source::Input => (sides.input_enabled, sides.input_action),
        Source::Output => (sides.output_enabled, sides.output_action),
    };
    (enabled != Some(false)).then(|| action.unwrap_or(usual))
}

/// A high strength acts on every finding, a low one only on what is sure (documented).
fn strict_enough(strength: Strength, confidence: Strength) -> bool {
    match strength {
        Strength::None => false,
        Strength::Low => confidence >= Strength::High,
        Strength::Medium => confidence >= Strength::Medium,
        Strength::High => confidence >= Strength::Low,
    }
}

/// Puts `{NAME}` in the place of each match (recorded).
fn replace(text: &mut String, matches: &[String], name: &str) {
    for found in matches {
        *text = text.replacen(found.as_str(), &format!("{{{name}}}"), 1);
    }
}
