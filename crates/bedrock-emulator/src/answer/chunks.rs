//! How an answer is cut into stream deltas.

use super::rng::Rng;

/// Cuts text into pieces of one to eight words, as Claude's text deltas are; joined they give
/// the text again. A word takes the blanks before it along. No text, no pieces.
pub fn text_deltas(seed: u64, text: &str) -> Vec<String> {
    let mut rng = Rng::new(seed, text);
    let mut words = words(text).into_iter().peekable();
    let mut deltas = Vec::new();
    while words.peek().is_some() {
        let length = rng.between(1, 8);
        deltas.push(words.by_ref().take(length).collect());
    }
    deltas
}

/// Cuts a tool input's JSON into pieces of about eight characters, the first one empty, as
/// Claude's `input` deltas are.
pub fn json_deltas(json: &str) -> Vec<String> {
    let characters: Vec<char> = json.chars().collect();
    let pieces = characters.chunks(8).map(|piece| piece.iter().collect());
    std::iter::once(String::new()).chain(pieces).collect()
}

/// Words with the blanks before them; an ideograph is a word of its own, and so is each part of
/// something endless like a line of base64.
fn words(text: &str) -> Vec<&str> {
    const LONGEST: usize = 24;
    let mut words = Vec::new();
    let (mut start, mut length, mut previous) = (0, 0, ' ');
    for (at, c) in text.char_indices() {
        let new = c.is_whitespace() && !previous.is_whitespace();
        let ideograph = is_ideograph(c) && !previous.is_whitespace() || is_ideograph(previous);
        if at > start && (new || ideograph || length == LONGEST) {
            words.push(&text[start..at]);
            (start, length) = (at, 0);
        }
        length += 1;
        previous = c;
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

fn is_ideograph(c: char) -> bool {
    ('\u{2E80}'..='\u{9FFF}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::{json_deltas, text_deltas};
    use crate::answer::text;

    #[test]
    fn text_deltas_join_to_the_text_and_hold_one_to_eight_words() {
        for seed in 0..500 {
            for text in [
                text::scramble(seed),
                text::reply(seed, "Explain tides.", 300),
            ] {
                let deltas = text_deltas(seed, &text);
                assert_eq!(deltas.concat(), text);
                for delta in &deltas {
                    let words = delta.split_whitespace().count();
                    assert!(!delta.is_empty() && words <= 8, "{delta:?}");
                }
            }
        }
    }

    #[test]
    fn a_long_text_comes_in_several_deltas_whatever_its_script() {
        for text in [
            "one two three four five six seven eight nine ten".to_owned(),
            "好".repeat(9),
            "x".repeat(500),
        ] {
            assert!(text_deltas(3, &text).len() > 1, "{text}");
        }
        assert_eq!(text_deltas(3, ""), Vec::<String>::new());
    }

    #[test]
    fn json_deltas_start_empty_and_cut_on_character_boundaries() {
        let json = r#"{"city":"Zürich 🙂","days":3}"#;
        let deltas = json_deltas(json);
        assert_eq!(deltas[0], "");
        assert_eq!(deltas.concat(), json);
        assert!(
            deltas[1..]
                .iter()
                .all(|d| (1..=8).contains(&d.chars().count()))
        );
        assert_eq!(json_deltas("{}"), ["", "{}"]);
    }
}
