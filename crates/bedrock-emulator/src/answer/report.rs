//! Words about what a tool gave back, and about what a caller attached.

use serde_json::Value;

use super::{ask::Ask, rng::Rng};

/// What one tool gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The tool's name, if the conversation says it.
    pub tool: String,
    /// Its text or JSON.
    pub text: String,
    /// Whether it reports a failure.
    pub failed: bool,
}

/// Longest part of a result that is told.
const LONGEST: usize = 600;

/// Sentences that tell the results: what `text::reply` is without tools.
pub fn report(seed: u64, prompt: &str, outcomes: &[Outcome]) -> String {
    const CLOSERS: [&str; 4] = [
        "Say which part you would like to see in more detail.",
        "That is all the tool had to say.",
        "Let me know if something else is needed.",
        "Nothing else was asked.",
    ];
    let mut rng = Rng::new(seed, prompt);
    let subject = Ask::of(prompt).subject;
    let mut sentences = Vec::new();
    for (n, outcome) in outcomes.iter().enumerate() {
        let tool = match outcome.tool.as_str() {
            "" => "the tool".to_owned(),
            name => format!("`{name}`"),
        };
        let told = told(&outcome.text);
        sentences.push(match (outcome.failed, told.is_empty()) {
            (true, true) => format!("{tool} failed without saying why."),
            (true, false) => format!("{tool} failed and says: {told}"),
            (false, true) => format!("{tool} is done and gave nothing back."),
            (false, false) if n == 0 => format!("about {subject}, {tool} says: {told}"),
            (false, false) => format!("{tool} says: {told}"),
        });
    }
    let sentences = sentences.iter().map(|sentence| {
        let sentence = super::text::capitalized(sentence);
        let ends = sentence.ends_with(['.', '!', '?', '。']);
        if ends { sentence } else { sentence + "." }
    });
    let mut said: Vec<String> = sentences.collect();
    if outcomes.len() == 1 && !outcomes[0].failed {
        said.push(rng.pick(&CLOSERS).to_owned());
    }
    said.join(" ")
}

/// JSON in words (`temperature is 21, sky is clear`), other text as it is.
fn told(text: &str) -> String {
    let told = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(map)) if !map.is_empty() => {
            let members = map
                .iter()
                .map(|(name, value)| format!("{} is {}", name.replace('_', " "), plain(value)));
            members.collect::<Vec<_>>().join(", ")
        }
        Ok(value @ (Value::Array(_) | Value::String(_))) => plain(&value),
        _ => text.trim().to_owned(),
    };
    match told.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{} …", told[..at].trim_end()),
        None => told,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" and "),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Null => "unknown".to_owned(),
        other => crate::json::sorted(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, report};
    use crate::answer::text::scramble;

    fn outcome(text: &str, failed: bool) -> Outcome {
        Outcome {
            tool: "get_weather".to_owned(),
            text: text.to_owned(),
            failed,
        }
    }

    #[test]
    fn results_are_told() {
        let said = report(
            1,
            "What is the weather in Berlin?",
            &[outcome(r#"{"temperature": 21, "sky": "clear"}"#, false)],
        );
        assert!(
            said.contains("temperature is 21") && said.contains("sky is clear"),
            "{said}"
        );
        assert!(said.contains("weather in Berlin"), "{said}");
        let said = report(1, "x", &[outcome("no such city", true), outcome("", false)]);
        assert_eq!(
            said,
            "`get_weather` failed and says: no such city. `get_weather` is done and gave nothing back."
        );
    }

    #[test]
    fn any_result_is_told_in_bounded_words() {
        for seed in 0..200 {
            let text = scramble(seed).repeat(20);
            let said = report(seed, &scramble(seed + 1), &[outcome(&text, seed % 2 == 0)]);
            assert!(!said.is_empty() && said.chars().count() < 1_000);
        }
    }
}
