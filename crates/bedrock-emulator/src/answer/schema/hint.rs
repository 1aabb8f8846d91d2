//! Values taken from the prompt: a city after "in", a number, quoted text.

use std::collections::BTreeSet;

use serde_json::Number;

use crate::answer::ask::{Ask, number_word};

/// What a prompt offers. Each value is handed out once, so that two properties do not share it.
#[derive(Debug)]
pub(super) struct Facts {
    prompt: String,
    subject: String,
    quotes: Vec<String>,
    places: Vec<String>,
    names: Vec<String>,
    words: Vec<String>,
    numbers: Vec<Number>,
    used: BTreeSet<String>,
}

/// Longer prompts are read up to here; what a tool is to be called with stands early.
const READ: usize = 8_000;

impl Facts {
    /// Reads a prompt.
    pub(super) fn of(prompt: &str) -> Self {
        let prompt: String = prompt.trim().chars().take(READ).collect();
        let ask = Ask::of(&prompt);
        let words: Vec<&str> = prompt.split_whitespace().collect();
        let trimmed = words.iter().map(|word| trim(word).to_owned());
        Self {
            places: places(&words),
            names: names(&words),
            numbers: pieces(&prompt).filter_map(number).collect(),
            words: trimmed.filter(|word| !word.is_empty()).collect(),
            subject: ask.subject.trim_matches(['“', '”']).to_owned(),
            quotes: ask.quotes,
            prompt,
            used: BTreeSet::new(),
        }
    }

    /// The first unused text for a property called `name` that `fits`.
    pub(super) fn text(&mut self, name: &str, fits: impl Fn(&str) -> bool) -> Option<String> {
        let found = self
            .candidates(name)
            .into_iter()
            .find(|text| !text.is_empty() && !self.used.contains(text) && fits(text))?;
        self.used.insert(found.clone());
        Some(found)
    }

    /// The first unused number that `fits`.
    pub(super) fn number(&mut self, fits: impl Fn(&Number) -> bool) -> Option<Number> {
        let found = self.numbers.iter().position(fits)?;
        Some(self.numbers.remove(found))
    }

    /// Whether the prompt says `text`, as a whole word or phrase in any case.
    pub(super) fn says(&self, text: &str) -> bool {
        let prompt = self.prompt.to_lowercase();
        let text = text.to_lowercase().replace('_', " ");
        let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !text.is_empty()
            && prompt.match_indices(&text).any(|(at, _)| {
                let after = prompt[at + text.len()..].chars().next();
                !joins(prompt[..at].chars().next_back()) && !joins(after)
            })
    }

    fn candidates(&self, name: &str) -> Vec<String> {
        const PLACES: [&str; 11] = [
            "city",
            "location",
            "place",
            "country",
            "destination",
            "origin",
            "region",
            "town",
            "address",
            "where",
            "area",
        ];
        const TEXTS: [&str; 12] = [
            "query",
            "question",
            "text",
            "prompt",
            "message",
            "input",
            "content",
            "request",
            "sentence",
            "body",
            "utterance",
            "document",
        ];
        const SUBJECTS: [&str; 6] = ["topic", "subject", "title", "term", "keyword", "search"];
        const NAMES: [&str; 6] = ["name", "person", "user", "customer", "author", "recipient"];
        let name = name.to_lowercase();
        let called = |names: &[&str]| names.iter().any(|n| name.contains(n));
        let (quotes, places, names) = (&self.quotes, &self.places, &self.names);
        let one = |text: &String| vec![text.clone()];
        let lists: Vec<Vec<String>> = if called(&PLACES) {
            vec![places.clone(), names.clone()]
        } else if called(&TEXTS) {
            vec![quotes.clone(), one(&self.prompt), one(&self.subject)]
        } else if called(&SUBJECTS) {
            vec![quotes.clone(), one(&self.subject)]
        } else if called(&NAMES) {
            vec![quotes.clone(), names.clone(), places.clone()]
        } else {
            vec![quotes.clone()]
        };
        lists.concat()
    }

    /// Any word of the prompt that `fits` (an address, a date): for formats and patterns.
    pub(super) fn word(&mut self, fits: impl Fn(&str) -> bool) -> Option<String> {
        let found = self.words.iter().position(|word| fits(word))?;
        Some(self.words.remove(found))
    }
}

fn trim(word: &str) -> &str {
    word.trim_matches(|c: char| c.is_whitespace() || ".,;:!?\"'“”„«»()[]{}<>`".contains(c))
}

/// Words, and what stands in the brackets of a call: the 3 of `square(3)`.
fn pieces(prompt: &str) -> impl Iterator<Item = &str> {
    prompt.split(|c: char| c.is_whitespace() || "()[]{}=".contains(c))
}

fn number(word: &str) -> Option<Number> {
    let word = trim(word)
        .trim_start_matches(['$', '€', '£'])
        .trim_end_matches(['%', '€', '°']);
    let digits = word.replace(',', "");
    let plain = digits.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let written =
        || number_word(&word.to_lowercase()).filter(|_| word.len() > 1 && word != "single");
    if !plain {
        return written()
            .and_then(|n| u64::try_from(n).ok())
            .map(Number::from);
    }
    if let Ok(whole) = digits.parse::<i64>() {
        return Some(whole.into());
    }
    let simple = digits
        .chars()
        .all(|c| c.is_ascii_digit() || ".-".contains(c));
    digits
        .parse::<f64>()
        .ok()
        .filter(|_| simple)
        .and_then(Number::from_f64)
}

/// What stands after "in", "to", "from" and the like: capitalized words, or else one plain word.
fn places(words: &[&str]) -> Vec<String> {
    const BEFORE: [&str; 8] = [
        "in", "to", "from", "for", "at", "near", "around", "visiting",
    ];
    const NOT_PLACES: [&str; 24] = [
        "the",
        "a",
        "an",
        "my",
        "your",
        "this",
        "that",
        "me",
        "us",
        "it",
        "be",
        "order",
        "general",
        "detail",
        "one",
        "short",
        "json",
        "english",
        "celsius",
        "fahrenheit",
        "today",
        "tomorrow",
        "words",
        "all",
    ];
    let after = |at: usize| BEFORE.contains(&words[at - 1].to_lowercase().as_str());
    let starts: Vec<usize> = (1..words.len()).filter(|at| after(*at)).collect();
    let capitalized = starts
        .iter()
        .filter_map(|at| capitalized_run(&words[*at..]))
        .collect::<Vec<_>>();
    if !capitalized.is_empty() {
        return capitalized;
    }
    let plain = starts
        .iter()
        .filter(|at| words[**at - 1].eq_ignore_ascii_case("in"));
    let plain = plain.map(|at| trim(words[*at]));
    let is_word = |word: &&str| word.len() > 2 && word.chars().all(char::is_alphabetic);
    let plain = plain
        .filter(is_word)
        .filter(|word| !NOT_PLACES.contains(&word.to_lowercase().as_str()));
    plain.map(str::to_owned).collect()
}

/// Capitalized words that do not begin a sentence.
fn names(words: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = 1;
    while at < words.len() {
        let begins = words[at - 1].ends_with(['.', '!', '?', ':']);
        match capitalized_run(&words[at..]).filter(|_| !begins) {
            Some(run) => {
                at += run.split(' ').count();
                names.push(run);
            }
            None => at += 1,
        }
    }
    names
}

/// Up to four capitalized words from the first on, up to the next punctuation.
fn capitalized_run(words: &[&str]) -> Option<String> {
    let mut run: Vec<&str> = Vec::new();
    for word in words.iter().take(4) {
        let plain = trim(word).trim_end_matches("'s").trim_end_matches("’s");
        let capital = plain.chars().next().is_some_and(char::is_uppercase);
        if !capital || plain == "I" {
            break;
        }
        run.push(plain);
        if !word.ends_with(plain) {
            break;
        }
    }
    (!run.is_empty()).then(|| run.join(" "))
}

#[cfg(test)]
mod tests {
    use super::Facts;

    fn text(prompt: &str, name: &str) -> Option<String> {
        Facts::of(prompt).text(name, |_| true)
    }

    #[test]
    fn finds_places_names_and_texts() {
        for (prompt, name, wanted) in [
            ("What is the weather in Paris today?", "city", Some("Paris")),
            ("Weather in New York, please", "location", Some("New York")),
            ("what's the weather in berlin?", "city", Some("berlin")),
            ("Is it raining in the city?", "city", None),
            (
                "Book a table for Ada Lovelace.",
                "customer_name",
                Some("Ada Lovelace"),
            ),
            (
                "Search for \"event streams\".",
                "query",
                Some("event streams"),
            ),
            ("Explain tides", "topic", Some("tides")),
            ("Explain tides", "colour", None),
        ] {
            assert_eq!(text(prompt, name).as_deref(), wanted, "{prompt} {name}");
        }
    }

    #[test]
    fn finds_numbers_and_hands_each_out_once() {
        let mut facts = Facts::of("Book three rooms for 2,500.5 € and 14 nights, 50% off");
        let mut next = || facts.number(|_| true).map(|n| n.to_string());
        assert_eq!(next().as_deref(), Some("3"));
        assert_eq!(next().as_deref(), Some("2500.5"));
        assert_eq!(next().as_deref(), Some("14"));
        assert_eq!(next().as_deref(), Some("50"));
        assert_eq!(next(), None);
    }

    #[test]
    fn finds_the_argument_of_a_call() {
        let mut facts = Facts::of("What is the value of square(3)? Use the tool.");
        let found = facts.number(|_| true).map(|n| n.to_string());
        assert_eq!(found.as_deref(), Some("3"));
    }

    #[test]
    fn finds_text_in_single_quotation_marks() {
        let prompt = "Don't wait: create a customer named '你好啊集团' (Hello Group)";
        assert_eq!(text(prompt, "customer_name").as_deref(), Some("你好啊集团"));
        assert_eq!(
            text("It's Ada's turn, isn't it?", "query").as_deref(),
            Some("It's Ada's turn, isn't it?")
        );
    }

    #[test]
    fn says_looks_for_whole_words() {
        let facts = Facts::of("Give it to me in Celsius, high priority");
        assert!(facts.says("celsius") && facts.says("high_priority"));
        assert!(!facts.says("sius") && !facts.says(""));
    }
}
