//! The words of prompts and of tools' names: which say what is done, which say nothing, and which mean
//! the same.

/// The words of a text in lower case, with their places in it.
pub(super) fn words(text: &str) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_alphanumeric() || c == '\'' || c == '’', start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let word = text[from..at].to_lowercase();
                let word = word.trim_end_matches("'s").trim_end_matches("’s");
                words.push((from, word.to_owned()));
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// Words that say what is done and not with what.
pub(super) const VERBS: [&str; 34] = [
    "get", "fetch", "find", "search", "lookup", "look", "list", "create", "update", "set", "make",
    "delete", "remove", "send", "run", "do", "call", "query", "read", "write", "show", "check",
    "retrieve", "execute", "compute", "evaluate", "book", "open", "schedule", "convert", "cancel",
    "submit", "save", "load",
];

/// Words without meaning for the choice.
pub(super) const EMPTY: [&str; 62] = [
    "a",
    "an",
    "the",
    "of",
    "for",
    "in",
    "on",
    "at",
    "to",
    "by",
    "with",
    "from",
    "and",
    "or",
    "is",
    "are",
    "be",
    "it",
    "its",
    "this",
    "that",
    "tool",
    "function",
    "api",
    "data",
    "info",
    "information",
    "given",
    "current",
    "currently",
    "returns",
    "return",
    "gets",
    "provides",
    "provide",
    "use",
    "used",
    "using",
    "user",
    "value",
    "values",
    "result",
    "results",
    "when",
    "what",
    "which",
    "as",
    "if",
    "you",
    "your",
    "i",
    "me",
    "my",
    "can",
    "will",
    "any",
    "all",
    "one",
    "based",
    "specified",
    "new",
    "some",
];

/// The words of a tool's name that say what it is about.
pub(super) fn stems(name: &str) -> Vec<String> {
    let parts = name_parts(name).into_iter();
    let telling =
        |part: &String| !VERBS.contains(&part.as_str()) && !EMPTY.contains(&part.as_str());
    parts.filter(telling).collect()
}

/// The words of a tool's name that say what it does.
pub(super) fn stems_of_verbs(name: &str) -> Vec<String> {
    let parts = name_parts(name).into_iter();
    // "Get me …" asks for anything.
    let telling =
        |part: &String| VERBS.contains(&part.as_str()) && !["get", "do"].contains(&part.as_str());
    parts.filter(telling).collect()
}

/// `get_currentWeather2` is get, current, weather.
fn name_parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut lower = false;
    for c in name.chars() {
        if !c.is_alphabetic() {
            lower = false;
            parts.push(String::new());
            continue;
        }
        if c.is_uppercase() && lower || parts.is_empty() {
            parts.push(String::new());
        }
        lower = c.is_lowercase();
        if let Some(part) = parts.last_mut() {
            part.extend(c.to_lowercase());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Whether two words are forms of one: `flight` and `flights`, `calculate` and `calculator`.
pub(super) fn akin(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let shared = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let (short, long) = (a.chars().count(), b.chars().count());
    let (short, long) = (short.min(long), short.max(long));
    let ending = short >= 4 && shared == short && long - short <= 3;
    let stem = short >= 8 && shared + 1 >= short && long - shared <= 3;
    ending
        || stem
        || short >= 3
            && shared == short
            && long == short + 1
            && a.ends_with('s') != b.ends_with('s')
}

/// Other words for what tools are commonly about.
pub(super) fn synonyms(word: &str) -> &'static [&'static str] {
    const TABLE: [(&str, &[&str]); 12] = [
        (
            "weather",
            &[
                "temperature",
                "forecast",
                "rain",
                "raining",
                "sunny",
                "snowing",
                "degrees",
                "umbrella",
            ],
        ),
        ("forecast", &["weather"]),
        ("temperature", &["weather", "warm", "cold", "hot"]),
        ("time", &["clock", "o'clock"]),
        ("price", &["cost", "costs", "expensive"]),
        ("stock", &["share", "shares", "ticker"]),
        ("email", &["mail", "e-mail"]),
        ("search", &["google", "find", "lookup"]),
        ("calendar", &["appointment", "meeting", "schedule"]),
        ("currency", &["usd", "eur", "dollars", "euros", "exchange"]),
        ("translation", &["translate"]),
        ("add", &["plus", "sum"]),
    ];
    TABLE
        .iter()
        .find(|(known, _)| *known == word)
        .map_or(&[], |(_, others)| others)
}
