//! Which sentences of a text an answer to a prompt would cite.

/// A sentence and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Number of its first character.
    pub start: usize,
    /// Number of the character behind it and the blanks that follow, as recorded.
    pub end: usize,
    /// Its text, the blanks behind it included.
    pub text: String,
}

/// At most that many characters of a document are read.
const READ: usize = 200_000;

/// Up to `most` sentences of `text` that share words with `prompt`, in their order; the first
/// sentence when none does.
pub fn passages(text: &str, prompt: &str, most: usize) -> Vec<Passage> {
    let sentences = sentences(text);
    let asked = words(prompt);
    let shared = |passage: &Passage| {
        let said = words(&passage.text);
        said.iter().filter(|word| asked.contains(word)).count()
    };
    let mut scored: Vec<(usize, &Passage)> = sentences.iter().map(|p| (shared(p), p)).collect();
    scored.sort_by(|(a, p), (b, q)| b.cmp(a).then(p.start.cmp(&q.start)));
    let mut best: Vec<&Passage> = Vec::new();
    for (score, passage) in scored.into_iter().take(most) {
        if score > 0 || best.is_empty() {
            best.push(passage);
        }
    }
    best.sort_by_key(|passage| passage.start);
    best.into_iter().cloned().collect()
}

/// Words of four letters and more: shorter ones say little.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let long = words.filter(|word| word.chars().count() > 3);
    long.map(str::to_lowercase).collect()
}

fn sentences(text: &str) -> Vec<Passage> {
    let mut found = Vec::new();
    let (mut said, mut start, mut number, mut ended) = (String::new(), 0, 0, false);
    for c in text.chars().take(READ) {
        if ended && !c.is_whitespace() {
            push(&mut found, &mut said, start, number);
            (start, ended) = (number, false);
        }
        said.push(c);
        number += 1;
        let breaks = c == '\n' || ".!?".contains(c) && said.len() > 3;
        ended = "。！？".contains(c) || breaks || ended && c.is_whitespace();
        // "3.14" and "e.g." go on: only a blank behind the mark ends a sentence.
        if ".!?".contains(c) {
            ended = true;
        }
    }
    push(&mut found, &mut said, start, number);
    join_short(found)
}

fn push(found: &mut Vec<Passage>, said: &mut String, start: usize, end: usize) {
    let text = std::mem::take(said);
    if !text.is_empty() {
        found.push(Passage { start, end, text });
    }
}

/// Joins what was cut without a blank behind the mark (`3.14`, `example.org`).
fn join_short(pieces: Vec<Passage>) -> Vec<Passage> {
    let mut joined: Vec<Passage> = Vec::new();
    for piece in pieces {
        match joined.last_mut() {
            Some(last)
                if !last.text.ends_with(char::is_whitespace)
                    && !last.text.ends_with(['。', '！', '？']) =>
            {
                last.text.push_str(&piece.text);
                last.end = piece.end;
            }
            _ => joined.push(piece),
        }
    }
    joined.retain(|passage| !passage.text.trim().is_empty());
    joined
}

#[cfg(test)]
mod tests {
    use super::passages;
    use crate::answer::text::scramble;

    #[test]
    fn the_sentence_that_is_asked_for_is_found_with_its_place() {
        // The document and the place of a recorded citation.
        let facts = "The Ruby programming language was created by Yukihiro Matsumoto in 1993. \
                     Ruby was designed to make programmers happy and productive.\n";
        let found = passages(facts, "Who created Ruby? Use the document.", 1);
        assert_eq!((found[0].start, found[0].end), (0, 73));
        assert!(found[0].text.ends_with("in 1993. "));
        let found = passages(facts, "What makes programmers happy?", 1);
        assert_eq!(found[0].start, 73);
        assert_eq!(found[0].end, facts.chars().count());
    }

    #[test]
    fn places_are_characters_of_the_text_whatever_its_script() {
        for seed in 0..300 {
            let text = scramble(seed);
            let characters: Vec<char> = text.chars().collect();
            for passage in passages(&text, "lorem шторм", 3) {
                let cut: String = characters[passage.start..passage.end].iter().collect();
                assert_eq!(cut, passage.text);
            }
        }
        assert!(passages("", "x", 2).is_empty());
        assert_eq!(
            passages("Version 3.14 of example.org is out. Yes.", "version", 1)[0].text,
            "Version 3.14 of example.org is out. "
        );
    }
}
