//! Which tools a prompt asks for. A tool is wanted when the prompt names it, or says what its name
//! and description are about; a prompt that only mentions a subject gets an answer and no call.

mod places;
mod words;

use self::{
    places::{places, without},
    words::{EMPTY, VERBS, akin, stems, stems_of_verbs, synonyms, words},
};

/// A tool as far as choosing it needs.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it does.
    pub description: &'a str,
    /// Whether one of its inputs is a place, so that two places make two calls.
    pub takes_place: bool,
}

/// One call that a prompt asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The number of the tool among the offers.
    pub tool: usize,
    /// What the call is about: the part of the prompt that its input is taken from.
    pub about: String,
}

/// More calls in one turn than that are not made.
const MOST: usize = 8;

/// The calls that `prompt` asks for, in the order in which it does.
pub fn wanted(offers: &[Offer<'_>], prompt: &str) -> Vec<Wanted> {
    let asked = Asked::of(prompt);
    let mut found: Vec<(usize, usize)> = offers
        .iter()
        .enumerate()
        .filter_map(|(n, offer)| Some((asked.wants(offer)?, n)))
        .collect();
    found.sort_unstable();
    let several = found.len() > 1;
    let mut calls = Vec::new();
    for (at, tool) in found {
        let about = if several { asked.clause(at) } else { prompt };
        let places = places(about);
        if offers[tool].takes_place && places.len() > 1 {
            calls.extend(places.iter().map(|place| Wanted {
                tool,
                about: format!("in {place}: {}", without(about, &places, place)),
            }));
        } else {
            let about = about.to_owned();
            calls.push(Wanted { tool, about });
        }
    }
    calls.truncate(MOST);
    calls
}

/// The tool that fits `prompt` best; for a choice that forces some tool.
pub fn best(offers: &[Offer<'_>], prompt: &str) -> usize {
    let asked = Asked::of(prompt);
    if let Some(first) = wanted(offers, prompt).first() {
        return first.tool;
    }
    let near = |offer: &Offer<'_>| {
        let name = stems(offer.name);
        let named = name.iter().filter(|word| asked.says(word)).count();
        (named, overlap(&asked, offer.description, &name))
    };
    let scored = offers.iter().enumerate().map(|(n, offer)| (near(offer), n));
    // Of equals the first.
    let best = scored.max_by(|(a, n), (b, m)| a.cmp(b).then(m.cmp(n)));
    best.map_or(0, |(_, n)| n)
}

/// A prompt, read once.
struct Asked<'a> {
    prompt: &'a str,
    lower: String,
    /// Its words in lower case, with their places in `prompt`.
    words: Vec<(usize, String)>,
    /// It asks for an explanation or a text, not for something to be done or looked up.
    discusses: bool,
    /// It holds something to calculate.
    calculates: bool,
}

/// Longer prompts are read up to here.
const READ: usize = 8_000;

impl<'a> Asked<'a> {
    fn of(prompt: &'a str) -> Self {
        const DISCUSS: [&str; 16] = [
            "explain",
            "define",
            "describe",
            "summarize",
            "summarise",
            "translate",
            "compose",
            "discuss",
            "why",
            "rewrite",
            "review",
            "brainstorm",
            "imagine",
            "write",
            "hello",
            "hi",
        ];
        let end = prompt
            .char_indices()
            .nth(READ)
            .map_or(prompt.len(), |(at, _)| at);
        let prompt = &prompt[..end];
        let words = words(prompt);
        let polite = [
            "please", "can", "could", "you", "would", "now", "claude", "ok", "so",
        ];
        let mut first = words.iter().map(|(_, word)| word.as_str());
        let first = first.find(|word| !polite.contains(word));
        Self {
            lower: prompt.to_lowercase(),
            discusses: first.is_some_and(|word| DISCUSS.contains(&word)),
            calculates: calculates(prompt),
            words,
            prompt,
        }
    }

    /// Where the prompt asks for this tool, if it does.
    fn wants(&self, offer: &Offer<'_>) -> Option<usize> {
        if let Some(at) = self.names(offer.name) {
            return Some(at);
        }
        let name = stems(offer.name);
        let place = |word: &str| self.place_of(word);
        let at = name.iter().filter_map(|word| place(word)).min();
        let said = name.iter().filter(|word| self.says(word)).count();
        let about = overlap(self, offer.description, &name);
        let sums = [
            "calculat",
            "calculator",
            "math",
            "arithmetic",
            "evaluate",
            "add",
            "multiply",
            "compute",
            "sum",
        ];
        if self.calculates
            && name
                .iter()
                .any(|word| sums.iter().any(|sum| word.starts_with(sum)))
        {
            return Some(at.unwrap_or(0));
        }
        let verb = stems_of_verbs(offer.name)
            .iter()
            .any(|verb| self.says(verb));
        let clear = match (said, name.len()) {
            (_, 0) => verb && about >= 1,
            (said, all) if said == all => true,
            (said, all) => said * 2 >= all && (about >= 1 || verb) || said >= 1 && about >= 3,
        };
        // "Explain how weather works" is about a subject; "Write a file" asks for `write_file`.
        let only_talk = self.discusses && !verb;
        (clear && !only_talk).then(|| at.or_else(|| self.words.first().map(|(at, _)| *at)))?
    }

    /// Where the prompt says the tool's own name: `get_weather`, or its words in that order.
    fn names(&self, name: &str) -> Option<usize> {
        let name = name.to_lowercase();
        let several = name.contains(['_', '-']);
        let spaced = name.replace(['_', '-'], " ");
        let forms = [Some(name), several.then_some(spaced)];
        let mut found = forms.iter().flatten().filter_map(|form| {
            let mut places = self.lower.match_indices(form.as_str());
            let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            let whole = |at: &usize| {
                let (before, after) = (&self.lower[..*at], &self.lower[at + form.len()..]);
                !joined(before.chars().next_back()) && !joined(after.chars().next())
            };
            // A name that is an everyday word is no name when it stands in a sentence.
            let telling = form.contains(['_', '-', ' '])
                || self.lower.contains(&format!("`{form}`"))
                || self.lower.contains(&format!("{form} tool"));
            places
                .find(|(at, _)| whole(at))
                .map(|(at, _)| at)
                .filter(|_| telling)
        });
        // Lower case may have other places than the prompt itself; then the start will do.
        let at = found.next()?;
        Some(if self.prompt.is_char_boundary(at) {
            at
        } else {
            0
        })
    }

    fn says(&self, word: &str) -> bool {
        self.place_of(word).is_some()
    }

    fn place_of(&self, word: &str) -> Option<usize> {
        let mut words = self.words.iter();
        words
            .find(|(_, said)| akin(said, word) || synonyms(word).contains(&said.as_str()))
            .map(|(at, _)| *at)
    }

    /// The part of the prompt around `at`, if something can be taken from it, or else all of it.
    fn clause(&self, at: usize) -> &str {
        const ENDS: [&str; 8] = [" and ", " then ", " also ", ", ", "; ", ". ", "? ", "\n"];
        let start = ENDS
            .iter()
            .filter_map(|end| Some(self.prompt[..at].rfind(end)? + end.len()))
            .max();
        let mut end = self.prompt.len();
        let (mut from, start) = (at, start.unwrap_or(0));
        // "in Berlin and Paris" is one clause: what follows must have a verb's or a noun's start.
        while let Some((found, length)) = ENDS
            .iter()
            .filter_map(|mark| Some((from + self.prompt[from..].find(mark)?, mark.len())))
            .min()
        {
            let next = self.prompt[found + length..].chars().next();
            if next.is_some_and(char::is_uppercase) && self.prompt[found..].starts_with([' ', ','])
            {
                from = found + length;
                continue;
            }
            end = found;
            break;
        }
        let clause = self.prompt[start..end].trim();
        let facts = clause.split_whitespace().skip(1).any(|word| {
            let first = word.chars().next();
            first.is_some_and(|c| c.is_uppercase() || c.is_numeric() || "\"“`".contains(c))
        });
        if facts { clause } else { self.prompt }
    }
}

/// How many words of the description, beside those of the name, the prompt says.
fn overlap(asked: &Asked<'_>, description: &str, name: &[String]) -> usize {
    let mut seen: Vec<String> = Vec::new();
    for (_, word) in words(description) {
        let telling =
            word.len() > 2 && !EMPTY.contains(&word.as_str()) && !VERBS.contains(&word.as_str());
        let known = seen.iter().chain(name).any(|other| akin(other, &word));
        if telling && !known {
            seen.push(word);
        }
    }
    seen.iter().filter(|word| asked.says(word)).count()
}

/// Whether there is a number, a sign and a number: `12 * 7`, `3 plus 4`.
fn calculates(prompt: &str) -> bool {
    let spaced = prompt.replace(['+', '*', '/', '×', '÷', '^'], " + ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let signs = [
        "+",
        "-",
        "plus",
        "minus",
        "times",
        "x",
        "and",
        "by",
        "divided",
        "multiplied",
    ];
    words
        .windows(3)
        .any(|w| number(w[0]) && signs.contains(&w[1]) && number(w[2]))
}

#[cfg(test)]
mod tests {
    use super::{Offer, best, wanted};

    const OFFERS: [Offer<'static>; 7] = [
        offer("get_weather", "Get the current weather for a city", true),
        offer("get_current_time", "The time in a time zone or city", true),
        offer("calculator", "Evaluates an arithmetic expression", false),
        offer(
            "search_flights",
            "Finds flights between two airports on a date",
            false,
        ),
        offer("send_email", "Sends an e-mail to somebody", false),
        offer(
            "knowledge_base",
            "Searches the company knowledge base",
            false,
        ),
        offer(
            "final_result",
            "The final response which ends this conversation",
            false,
        ),
    ];

    const fn offer(
        name: &'static str,
        description: &'static str,
        takes_place: bool,
    ) -> Offer<'static> {
        Offer {
            name,
            description,
            takes_place,
        }
    }

    fn names(prompt: &str) -> Vec<&'static str> {
        let calls = wanted(&OFFERS, prompt);
        calls.iter().map(|call| OFFERS[call.tool].name).collect()
    }

    #[test]
    fn a_prompt_gets_the_tools_it_asks_for_and_no_others() {
        for (prompt, tools) in [
            ("What's the weather in Berlin?", &["get_weather"][..]),
            ("Is it raining in Oslo?", &["get_weather"]),
            ("Use get_weather, please", &["get_weather"]),
            (
                "What is the weather in Berlin and what time is it in Tokyo?",
                &["get_weather", "get_current_time"],
            ),
            (
                "What time is it in Tokyo? And the weather in Berlin?",
                &["get_current_time", "get_weather"],
            ),
            ("What is 12 * 7?", &["calculator"]),
            ("What is 3 plus 4?", &["calculator"]),
            (
                "Find flights from Oslo to Rome on 2026-12-01",
                &["search_flights"],
            ),
            ("Send an email to ada@example.org", &["send_email"]),
            (
                "Who created Ruby? Search the knowledge base first",
                &["knowledge_base"],
            ),
            (
                "Weather in Berlin, Paris and New York?",
                &["get_weather", "get_weather", "get_weather"],
            ),
            ("Hello!", &[]),
            ("What is the capital of France?", &[]),
            ("Tell me about the city of Berlin", &[]),
            ("Explain how weather works", &[]),
            ("Write a poem about time", &[]),
            ("Der Himmel ist blau. 天気", &[]),
            ("", &[]),
        ] {
            assert_eq!(names(prompt), tools, "{prompt}");
        }
    }

    #[test]
    fn each_call_is_about_its_own_part() {
        let calls = wanted(
            &OFFERS,
            "What is the weather in Berlin and what time is it in Tokyo?",
        );
        assert!(calls[0].about.contains("Berlin") && !calls[0].about.contains("Tokyo"));
        assert!(calls[1].about.contains("Tokyo") && !calls[1].about.contains("Berlin"));
        let calls = wanted(&OFFERS, "Weather in New York and Rome?");
        assert!(calls[0].about.starts_with("in New York:") && !calls[0].about.contains("Rome"));
        assert!(calls[1].about.starts_with("in Rome:"));
    }

    #[test]
    fn a_forced_choice_takes_the_nearest_tool() {
        assert_eq!(best(&OFFERS, "Is there a flight to Rome?"), 3);
        assert_eq!(best(&OFFERS, "Hello"), 0);
    }

    #[test]
    fn any_prompt_is_read() {
        for seed in 0..300 {
            let prompt = crate::answer::text::scramble(seed);
            wanted(&OFFERS, &prompt);
            wanted(
                &OFFERS,
                &format!("get_weather {prompt} and, İ weather in {prompt}"),
            );
            best(&OFFERS, &prompt);
        }
    }
}
