//! What the model thinks before it answers: a few sentences that name the subject and the plan.

use super::{ask::Ask, rng::Rng};

/// What the model is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Answer in words.
    Answer,
    /// Call these tools.
    Call(Vec<String>),
    /// Answer from that many tool results.
    Report(usize),
    /// Answer in JSON of a given form.
    Structured,
}

const STEPS: [&str; 10] = [
    "First comes the purpose of the question.",
    "I should separate what is asked from what is only mentioned.",
    "Nothing in the conversation so far contradicts that.",
    "There may be a second reading, but the first one is more likely.",
    "I should keep to what was asked and leave the rest out.",
    "A plain answer fits better than a long one.",
    "One example would make it clearer.",
    "The order of the points matters, so the main one goes first.",
    "I should check the wording once more before I answer.",
    "The details can wait until somebody asks for them.",
];

/// At least two sentences of thinking, the same for the same arguments.
pub fn thought(seed: u64, prompt: &str, plan: &Plan, sentences: usize) -> String {
    let ask = Ask::of(prompt);
    let mut rng = Rng::new(seed, prompt);
    let opener = format!("The user asks about {}.", ask.subject);
    let closer = match plan {
        Plan::Answer => "I can answer that directly.".to_owned(),
        Plan::Call(names) => format!("I need {} for that.", names.join(" and ")),
        Plan::Report(1) => "The tool has answered, so I can tell the result.".to_owned(),
        Plan::Report(n) => format!("The {n} tools have answered, so I can tell the results."),
        Plan::Structured => "The answer has to be JSON of the given form.".to_owned(),
    };
    let mut steps = STEPS.to_vec();
    rng.shuffle(&mut steps);
    let middle = steps.iter().cycle().take(sentences.saturating_sub(2));
    let mut said = vec![opener];
    said.extend(middle.map(|step| (*step).to_owned()));
    said.push(closer);
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Plan, thought};

    #[test]
    fn thinking_names_subject_and_plan() {
        let said = thought(
            1,
            "Explain tides",
            &Plan::Call(vec!["tide_table".to_owned()]),
            4,
        );
        assert!(
            said.contains("tides") && said.contains("tide_table"),
            "{said}"
        );
        assert_eq!(said.matches('.').count(), 4);
        assert!(thought(1, "", &Plan::Answer, 0).ends_with("directly."));
    }
}
