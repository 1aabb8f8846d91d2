//! Addresses that resemble one that does not exist.

/// At most this many are suggested.
const SUGGESTIONS_MAX: usize = 5;

/// The candidates that resemble `wanted`, best first.
pub(crate) fn near<'c, T>(
    wanted: &str,
    candidates: impl IntoIterator<Item = (&'c str, T)>,
) -> Vec<T> {
    let wanted = wanted.to_lowercase();
    let mut found: Vec<(usize, T)> = candidates
        .into_iter()
        .filter_map(|(slug, item)| Some((likeness(&wanted, slug)?, item)))
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.truncate(SUGGESTIONS_MAX);
    found.into_iter().map(|(_, item)| item).collect()
}

/// Per mille of pairs of letters that both share (Dice's coefficient); `None` if they differ.
fn likeness(a: &str, b: &str) -> Option<usize> {
    let (a, mut b) = (pairs(a), pairs(b));
    let all = a.len() + b.len();
    let mut shared = 0_usize;
    for pair in a {
        if let Some(at) = b.iter().position(|other| *other == pair) {
            b.swap_remove(at);
            shared += 1;
        }
    }
    let score = (2000 * shared).checked_div(all)?;
    (score >= 350).then_some(score)
}

fn pairs(text: &str) -> Vec<(char, char)> {
    // A long address is not a misspelt one; the bound keeps the comparison cheap.
    let letters: Vec<char> = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .take(200)
        .collect();
    letters.windows(2).map(|w| (w[0], w[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_nonsense_is_not() {
        let slugs = [
            "bedrock-integration-patterns",
            "streaming",
            "001-first-converse-call",
        ];
        let ask = |wanted: &str| near(wanted, slugs.map(|s| (s, s)));
        assert_eq!(
            ask("bedrok-integration-pattern"),
            ["bedrock-integration-patterns"]
        );
        assert_eq!(ask("first-converse-call"), ["001-first-converse-call"]);
        assert_eq!(ask("zzzz"), [""; 0]);
        assert_eq!(ask(""), [""; 0]);
    }
}
