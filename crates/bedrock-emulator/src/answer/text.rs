//! Sentences that mention the prompt.

use serde_json::json;

use super::{
    ask::{Ask, Length},
    rng::Rng,
};

/// An English answer to `prompt`, the same for the same `seed` and prompt; never empty.
///
/// It has two to five sentences, or the length the prompt asks for (`in one sentence`,
/// `in 50 words`, `list three …`), names the prompt's subject and carries quoted text over.
///
/// The answer is *not* cut to `max_tokens`: the caller cuts it ([`super::tokens::cut`]) and then
/// knows that the stop reason is `max_tokens`. The argument only bounds the work an asked-for
/// length can cause.
pub fn reply(seed: u64, prompt: &str, max_tokens: u32) -> String {
    let ask = Ask::of(prompt);
    if let Some(dictated) = ask.dictated {
        return dictated;
    }
    let mut writer = Writer::new(seed, prompt, &ask);
    // Each word is a token or more, so one word beyond `max_tokens` is enough to be cut.
    let limit = usize::try_from(max_tokens)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    let prose = match ask.length {
        Length::Free => {
            let sentences = writer.rng.between(2, 5);
            writer.sentences(sentences)
        }
        Length::Sentences(n) => writer.sentences(n.min(limit)),
        Length::Words(n) => writer.words(n.min(limit)),
        Length::Points(n) => writer.points(n.min(limit), |number| format!("{number}.")),
        Length::Bullets(n) => writer.points(n.min(limit), |_| "-".to_owned()),
        Length::Paragraphs(n) => writer.paragraphs(n.min(limit)),
    };
    if ask.json {
        return json!({ "subject": ask.subject, "answer": prose }).to_string();
    }
    prose
}

/// Whether a prompt asks for a length, or dictates the whole answer.
pub fn has_asked_length(prompt: &str) -> bool {
    let ask = Ask::of(prompt);
    ask.length != Length::Free || ask.dictated.is_some() || ask.json
}

/// Random words, letters of many scripts, right-to-left text and emoji: what a model never says,
/// so that a test which passes with it cannot depend on wording.
pub fn scramble(seed: u64) -> String {
    const PIECES: [&str; 24] = [
        "lorem",
        "quartz",
        "nine",
        "Übergröße",
        "naïve",
        "æther",
        "шторм",
        "ветер",
        "λόγος",
        "שלום",
        "עולם",
        "سلام",
        "بحر",
        "好",
        "天気",
        "안녕",
        "ไทย",
        "नमस्ते",
        "🙂",
        "👩‍🚀",
        "e\u{301}",
        "{\"a\":1}",
        "<b>&amp;",
        "\u{202e}abc\u{202c}",
    ];
    const JOINTS: [&str; 6] = [" ", " ", " ", ", ", "\n", ". "];
    let mut rng = Rng::new(seed, "scramble");
    let length = rng.between(1, 40);
    let mut text = rng.pick(&PIECES).to_owned();
    for _ in 1..length {
        text += rng.pick(&JOINTS);
        text += rng.pick(&PIECES);
    }
    text
}

/// First sentences around the subject, which stands after a preposition or as an object, so that its
/// number and gender do not matter.
const OPENERS: [(&str, &str); 6] = [
    ("Here is a short answer about ", "."),
    ("The main point about ", " fits into a few words."),
    ("There is a calm way to look at ", "."),
    ("Let me take ", " one step at a time."),
    ("A good answer about ", " starts with the purpose."),
    ("The best way into ", " is a small example."),
];

const BODIES: [&str; 12] = [
    "First comes the purpose, then the limits, and only then the details.",
    "Most of the difficulty lies in the details and not in the idea.",
    "A small example says more here than a long definition.",
    "It pays to check one assumption at a time and to write down what was seen.",
    "What matters in practice is what happens when something goes wrong.",
    "The rest follows from that and can be tested step by step.",
    "A simple version that works is a better start than a complete one that does not.",
    "Two people may choose differently here, and both can have good reasons.",
    "Numbers decide such a question better than opinions do.",
    "If one part is unclear, it is worth asking about that part alone.",
    "Each step should leave something behind that can be looked at.",
    "The order of the steps matters more than their number.",
];

const CLOSERS: [&str; 5] = [
    "That is the core of it.",
    "These words come from an emulator, so take their form and not their facts.",
    "Say which part you would like to see in more detail.",
    "Everything else can wait until the first step works.",
    "From there on, practice is the best teacher.",
];

/// Sentences of exactly one to nine words, which fill a text up to an exact length.
const FILLERS: [&str; 9] = [
    "Indeed.",
    "That works.",
    "That is all.",
    "That is the core.",
    "The details can come later.",
    "The rest follows from this point.",
    "The next step shows whether that holds.",
    "One small step at a time is enough.",
    "All the rest can wait until the first test.",
];

/// `{s}` is the subject.
const POINTS: [&str; 10] = [
    "The purpose: why anyone asks about {s} at all.",
    "The limits: what {s} cannot be used for.",
    "The cost: what one use takes in time and in money.",
    "The first step: a small example that can be run today.",
    "The usual mistake: to begin with the details.",
    "The evidence: a number that shows whether it works.",
    "The failure: what happens when a part is missing.",
    "The alternative: what people did before.",
    "The owner: who decides when opinions differ.",
    "The next step: what to read once this is clear.",
];

/// Draws sentences without repeating one before all of its kind were used.
struct Writer<'a> {
    ask: &'a Ask,
    rng: Rng,
    bodies: Vec<&'static str>,
}

impl<'a> Writer<'a> {
    fn new(seed: u64, prompt: &str, ask: &'a Ask) -> Self {
        Self {
            ask,
            rng: Rng::new(seed, prompt),
            bodies: Vec::new(),
        }
    }

    fn opener(&mut self) -> String {
        let (before, after) = OPENERS[self.rng.below(OPENERS.len())];
        [before, &self.ask.subject, after].concat()
    }

    fn body(&mut self) -> String {
        if self.bodies.is_empty() {
            self.bodies = BODIES.to_vec();
            self.rng.shuffle(&mut self.bodies);
        }
        self.bodies.pop().unwrap_or(BODIES[0]).to_owned()
    }

    /// The sentence that carries quoted text over, if there is any.
    fn quote(&self) -> Option<String> {
        if self.ask.quotes.is_empty() {
            return None;
        }
        let quotes: Vec<String> = self.ask.quotes.iter().map(|q| format!("“{q}”")).collect();
        let quotes = quotes.join(" and ");
        Some(format!(
            "The quoted words {quotes} stay as they were written."
        ))
    }

    fn sentences(&mut self, n: usize) -> String {
        let mut sentences = vec![self.opener()];
        match self.quote() {
            // With room for one sentence only, what was quoted matters most.
            Some(quote) if n <= 1 => sentences = vec![quote],
            Some(quote) => sentences.push(quote),
            None => {}
        }
        while sentences.len() + 1 < n {
            sentences.push(self.body());
        }
        if sentences.len() < n {
            sentences.push(self.rng.pick(&CLOSERS).to_owned());
        }
        sentences.join(" ")
    }

    /// Exactly `n` words, in whole sentences.
    fn words(&mut self, n: usize) -> String {
        let mut sentences = Vec::new();
        let mut left = n;
        let bare = capitalized(&self.ask.subject) + ".";
        // For a single word, the one that says most about the subject.
        if n == 1 {
            let words = self.ask.subject.split_whitespace();
            let plain = words.map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
            let longest = plain.max_by_key(|word| word.chars().count());
            if let Some(word) = longest.filter(|word| !word.is_empty()) {
                return capitalized(word) + ".";
            }
        }
        let quote = self.quote();
        let opener = self.opener();
        // The opener if it fits, or else the bare subject; then what was quoted.
        let start = if word_count(&opener) <= left {
            opener
        } else {
            bare
        };
        for sentence in std::iter::once(start).chain(quote) {
            if word_count(&sentence) <= left {
                left -= word_count(&sentence);
                sentences.push(sentence);
            }
        }
        while left > 0 {
            let body = self.body();
            let sentence = match FILLERS.get(left - 1) {
                Some(filler) => (*filler).to_owned(),
                None if word_count(&body) <= left => body,
                None => FILLERS[4].to_owned(),
            };
            left -= word_count(&sentence);
            sentences.push(sentence);
        }
        sentences.join(" ")
    }

    fn points(&mut self, n: usize, mark: fn(usize) -> String) -> String {
        let mut points = POINTS.to_vec();
        self.rng.shuffle(&mut points);
        // The subject belongs into every list, so a point that names it comes first.
        points.sort_by_key(|point| !point.contains("{s}"));
        let lines = (1..=n).map(|number| {
            let point = points[(number - 1) % points.len()].replace("{s}", &self.ask.subject);
            format!("{} {point}", mark(number))
        });
        let mut lines: Vec<String> = lines.collect();
        // What was quoted goes along without making the list longer than asked for.
        if let (Some(quote), Some(first)) = (self.quote(), lines.first_mut()) {
            *first = format!("{first} {quote}");
        }
        lines.join("\n")
    }

    fn paragraphs(&mut self, n: usize) -> String {
        let first = self.sentences(4);
        let rest = (1..n).map(|_| {
            let sentences: Vec<String> = (0..4).map(|_| self.body()).collect();
            sentences.join(" ")
        });
        let paragraphs: Vec<String> = std::iter::once(first)
            .chain(rest.collect::<Vec<_>>())
            .collect();
        paragraphs.join("\n\n")
    }
}

fn word_count(text: &str) -> usize {
    text.split_whitespace().count()
}

pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::{BODIES, FILLERS, reply, scramble, word_count};
    use crate::answer::tokens;

    fn sentences(text: &str) -> usize {
        text.matches(['.', '!', '?']).count()
    }

    #[test]
    fn a_free_answer_has_two_to_five_sentences_and_names_the_subject() {
        for seed in 0..200 {
            let text = reply(seed, "What are inference profiles?", 500);
            assert!((2..=5).contains(&sentences(&text)), "{text}");
            assert!(text.contains("inference profiles"), "{text}");
            assert!(!text.contains('{'), "{text}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_text_and_another_one_another() {
        assert_eq!(
            reply(1, "Explain tides", 100),
            reply(1, "Explain tides", 100)
        );
        let texts: std::collections::BTreeSet<_> = (0..20)
            .map(|seed| reply(seed, "Explain tides", 100))
            .collect();
        assert!(texts.len() > 10);
    }

    #[test]
    fn fillers_have_the_length_their_place_says() {
        for (at, filler) in FILLERS.iter().enumerate() {
            assert_eq!(word_count(filler), at + 1, "{filler}");
        }
        assert!(BODIES.iter().all(|body| word_count(body) <= 17));
    }

    #[test]
    fn an_asked_for_length_is_honoured() {
        for seed in 0..50 {
            for n in 1..9 {
                let text = reply(seed, &format!("Explain tides in {n} sentences."), 5_000);
                assert_eq!(sentences(&text), n, "{text}");
            }
            for n in 1..120 {
                let text = reply(seed, &format!("Explain tides in {n} words."), 5_000);
                assert_eq!(word_count(&text), n, "{text}");
            }
            let text = reply(seed, "List three rivers", 500);
            assert_eq!(text.lines().count(), 3, "{text}");
            assert!(text.starts_with("1. "), "{text}");
            let text = reply(seed, "Write two paragraphs about tides", 500);
            assert_eq!(text.split("\n\n").count(), 2, "{text}");
        }
    }

    #[test]
    fn quoted_text_is_carried_over_and_dictated_text_is_said() {
        for seed in 0..50 {
            let text = reply(seed, "Translate \"buenas noches\" for me", 500);
            assert!(text.contains("buenas noches"), "{text}");
        }
        assert_eq!(reply(1, "Say \"pong\"", 5), "pong");
    }

    #[test]
    fn json_is_answered_with_json() {
        let text = reply(1, "Explain tides. Answer in JSON.", 500);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(value["answer"].as_str().unwrap().contains("tides"));
    }

    #[test]
    fn any_prompt_is_answered() {
        for seed in 0..500 {
            let prompt = scramble(seed);
            assert!(!reply(seed, &prompt, 50).trim().is_empty(), "{prompt:?}");
        }
        for prompt in [
            "",
            " ",
            "\n\"",
            "\"\"",
            "0 words",
            "in 99999999999999999999 words",
        ] {
            assert!(!reply(1, prompt, 50).trim().is_empty(), "{prompt:?}");
        }
    }

    #[test]
    fn an_endless_length_costs_no_more_than_max_tokens() {
        for ask in ["words", "sentences", "points", "paragraphs"] {
            let text = reply(1, &format!("Explain tides in 900000000 {ask}"), 100);
            assert!(tokens::count(&text) > 100 && text.len() < 100_000, "{ask}");
        }
    }

    #[test]
    fn scrambled_texts_differ_in_length_and_script() {
        let texts: Vec<String> = (0..100).map(scramble).collect();
        assert!(texts.iter().all(|t| !t.is_empty()));
        assert!(texts.iter().any(|t| t.len() < 20) && texts.iter().any(|t| t.len() > 300));
        assert!(texts.iter().any(|t| t.contains("שלום")));
    }
}
