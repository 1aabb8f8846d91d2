//! Vectors for texts: the same text gives the same vector, similar texts closer ones.
//!
//! A text becomes features (words and their stems, pairs of words, runs of three letters); each
//! feature points into a direction of its own, drawn from the seed, and the vector is their weighted
//! sum. Texts that share words, or parts of words, share directions. No meaning is known beyond a
//! small table of everyday synonyms: enough for a search over a handful of documents to find the
//! right one, and stable enough to write tests with.

use std::collections::BTreeMap;

use crate::rng::{Rng, hash};

/// How many components one feature touches. Few enough for long texts, enough for two features to
/// be nearly at right angles.
const TOUCHED: usize = 24;

/// What all texts have in common: real embeddings of unrelated texts are not at right angles either.
const COMMON: f32 = 0.25;

/// The vector of `text` with `dimensions` components and length 1.
pub(crate) fn vector(seed: u64, text: &str, dimensions: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; dimensions];
    let mut norm = 0.0_f32;
    for (feature, weight) in features(text) {
        norm += weight * weight;
        point(&mut sum, seed, hash(&feature), weight);
    }
    let common = if norm == 0.0 {
        1.0
    } else {
        COMMON * norm.sqrt()
    };
    point(&mut sum, seed, hash("every text"), common);
    normalize(&mut sum);
    sum
}

/// The vector of bytes that are no text (pictures, sound): equal bytes, equal vectors.
pub(crate) fn vector_of_bytes(seed: u64, base64: &str, dimensions: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; dimensions];
    let mut rng = Rng::new(seed, &[hash(base64)]);
    for component in &mut sum {
        *component = signed(&mut rng);
    }
    normalize(&mut sum);
    sum
}

/// Adds `weight` times the direction of a feature.
fn point(sum: &mut [f32], seed: u64, feature: u64, weight: f32) {
    let mut rng = Rng::new(seed, &[feature]);
    for _ in 0..TOUCHED {
        let at = usize::try_from(rng.below(sum.len() as u64)).unwrap_or(0);
        let share = weight * signed(&mut rng);
        if let Some(component) = sum.get_mut(at) {
            *component += share;
        }
    }
}

/// A number between -1 and 1, never 0.
fn signed(rng: &mut Rng) -> f32 {
    let draw = u16::try_from(rng.below(1_000)).unwrap_or(0);
    let size = (f32::from(draw) + 1.0) / 1_000.0;
    if rng.below(2) == 0 { size } else { -size }
}

fn normalize(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        for component in vector {
            *component /= length;
        }
    }
}

/// The features of a text and how much each counts. One that comes again counts less each time.
fn features(text: &str) -> BTreeMap<String, f32> {
    let mut counts: BTreeMap<String, (f32, f32)> = BTreeMap::new();
    let mut add = |feature: String, weight: f32| {
        let entry = counts.entry(feature).or_insert((weight, 0.0));
        entry.1 += 1.0;
    };
    let mut before: Option<String> = None;
    for word in words(text) {
        let weight = if COMMON_WORDS.contains(&word.as_str()) {
            0.15
        } else {
            1.0
        };
        let stem = stem(&word);
        if let Some(before) = before.replace(stem.clone()) {
            add(format!("{before} {stem}"), 0.3 * weight);
        }
        if weight >= 1.0 {
            for run in runs_of_three(&stem) {
                add(run, 0.25);
            }
        }
        add(format!("={}", concept(&stem)), weight);
    }
    let weighed = counts.into_iter();
    weighed
        .map(|(feature, (weight, count))| (feature, weight * count.sqrt()))
        .collect()
}

/// Lower-case words; an ideograph or kana is a word of its own.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        let alone = ('\u{2E80}'..'\u{AC00}').contains(&c);
        if c.is_alphanumeric() && !alone {
            word.extend(c.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if alone {
            words.push(c.to_string());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A word without its English ending: `caching`, `cached` and `caches` are one.
fn stem(word: &str) -> String {
    for ending in [
        "ations", "ation", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "ly", "s", "e",
    ] {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.chars().count() >= 3
        {
            return undoubled(stem).to_owned();
        }
    }
    word.to_owned()
}

/// `shipp` of `shipping` is `ship`.
fn undoubled(stem: &str) -> &str {
    match stem.as_bytes() {
        [.., a, b] if a == b && b"bdfgmnprt".contains(b) => &stem[..stem.len() - 1],
        _ => stem,
    }
}

/// Runs of three letters with the word's borders marked.
fn runs_of_three(word: &str) -> Vec<String> {
    let marked: Vec<char> = ['<'].into_iter().chain(word.chars()).chain(['>']).collect();
    marked.windows(3).map(|run| run.iter().collect()).collect()
}

/// The first word of the group that a stem belongs to, or the stem.
fn concept(stem: &str) -> &str {
    let group = SYNONYMS.iter().find(|group| group.contains(&stem));
    group
        .and_then(|group| group.first())
        .copied()
        .unwrap_or(stem)
}

/// Words that say little about a text.
const COMMON_WORDS: &[&str] = &[
    "a", "about", "an", "and", "are", "as", "at", "be", "by", "can", "did", "do", "does", "for",
    "from", "had", "has", "have", "he", "how", "i", "in", "is", "it", "its", "me", "my", "of",
    "on", "or", "our", "she", "so", "that", "the", "their", "them", "there", "they", "this", "to",
    "was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "would",
    "you", "your",
];

/// Stems that mean much the same.
const SYNONYMS: &[&[&str]] = &[
    &["car", "automobil", "vehicl", "auto"],
    &["buy", "bought", "purchas", "ord"],
    &["mon", "money", "cash", "payment", "pay", "paid"],
    &["refund", "reimburs", "return"],
    &["pric", "cost", "fe", "fee", "expens"],
    &["fast", "quick", "rapid", "spe", "speed"],
    &["big", "larg", "hug", "great"],
    &["small", "little", "littl", "tiny"],
    &["begin", "start", "launch", "began"],
    &["end", "stop", "finish", "terminat"],
    &["error", "failur", "fail", "fault", "exception"],
    &["fix", "repair", "resolv", "solv"],
    &["password", "credential", "login", "passphras"],
    &["doctor", "doct", "physician", "medic"],
    &["hous", "home", "apartment"],
    &["dog", "pupp", "puppy", "hound"],
    &["cat", "kitten", "felin"],
    &["child", "children", "kid"],
    &["rain", "storm", "shower", "wet"],
    &["weath", "forecast", "climat"],
    &["happ", "happy", "glad", "joyful", "joy"],
    &["sad", "unhapp", "unhappy", "sorrow"],
    &["film", "movi", "cinema"],
    &["stud", "student", "pupil", "learn"],
    &["teach", "teacher", "instructor", "professor"],
    &["delet", "remov", "eras"],
    &["creat", "mak", "build", "built", "made"],
    &["vacation", "holiday", "trip", "travel"],
    &["food", "meal", "dish", "cuisin"],
    &["eat", "ate", "din", "dinn"],
    &["job", "work", "employ", "career"],
    &["compan", "company", "firm", "business"],
    &["ship", "deliv", "deliver", "delivery"],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn closeness(a: &str, b: &str, dimensions: usize) -> f32 {
        let (a, b) = (vector(1, a, dimensions), vector(1, b, dimensions));
        a.iter().zip(&b).map(|(x, y)| x * y).sum()
    }

    /// A paraphrase of the first, and something else.
    const TRIPLES: &[(&str, &str, &str)] = &[
        (
            "How do I reset my password?",
            "I forgot my login credentials, how can I reset them?",
            "The soup needs more salt.",
        ),
        (
            "The cat sleeps on the sofa.",
            "A kitten is sleeping on a couch.",
            "Interest rates rose last quarter.",
        ),
        (
            "What does shipping cost?",
            "How much are the delivery fees?",
            "Dinosaurs died out long ago.",
        ),
        (
            "My order arrived broken, I want my money back.",
            "Refund for a purchase that arrived damaged",
            "The train to Berlin leaves at nine.",
        ),
        (
            "Will it rain tomorrow?",
            "The weather forecast for tomorrow: showers",
            "Install the package with npm.",
        ),
        (
            "The car is fast.",
            "It is a quick automobile.",
            "She plays the violin.",
        ),
        (
            "Delete all files in the folder",
            "Removing every file from a folder",
            "A recipe for apple cake",
        ),
        (
            "The teacher explains fractions to the children.",
            "An instructor teaches kids about fractions.",
            "Oil prices fell sharply.",
        ),
        (
            "Retry the request after a throttling error",
            "When requests are throttled, retry them later",
            "The museum opens on Monday.",
        ),
        (
            "Prompt caching makes repeated prompts cheaper",
            "Cached prompts cost less when repeated",
            "Penguins live in the south.",
        ),
        (
            "We watched a long movie last night.",
            "Last night we saw a film that was long.",
            "The database index is corrupt.",
        ),
        (
            "Holiday homes by the sea",
            "A vacation house near the sea",
            "Compile the kernel with clang.",
        ),
    ];

    #[test]
    fn paraphrases_are_closer_than_other_texts() {
        for dimensions in [256, 1_024, 3_072] {
            for (text, paraphrase, other) in TRIPLES {
                let (near, far) = (
                    closeness(text, paraphrase, dimensions),
                    closeness(text, other, dimensions),
                );
                assert!(near > far + 0.05, "{dimensions}: {text}: {near} and {far}");
            }
        }
    }

    #[test]
    fn every_text_finds_its_paraphrase_among_all() {
        for (text, paraphrase, _) in TRIPLES {
            let best = TRIPLES
                .iter()
                .max_by(|a, b| closeness(text, a.1, 1_024).total_cmp(&closeness(text, b.1, 1_024)));
            assert_eq!(best.unwrap().1, *paraphrase, "{text}");
        }
    }

    #[test]
    fn vectors_have_length_1_whatever_the_text() {
        for text in [
            "",
            " ",
            "a",
            "你好世界",
            "🙂",
            "the of and",
            &"word ".repeat(3_000),
        ] {
            for dimensions in [256, 1_536] {
                let vector = vector(7, text, dimensions);
                assert_eq!(vector.len(), dimensions);
                let length: f32 = vector.iter().map(|x| x * x).sum();
                assert!((length - 1.0).abs() < 1e-4, "{text:.10}: {length}");
            }
        }
    }

    #[test]
    fn the_seed_and_the_text_decide() {
        assert_eq!(vector(1, "a b", 64), vector(1, "a b", 64));
        assert_ne!(vector(1, "a b", 64), vector(2, "a b", 64));
        assert_ne!(vector(1, "a b", 64), vector(1, "a c", 64));
        assert!(closeness("Hello world", "hello, World!", 256) > 0.99);
        assert_eq!(
            vector_of_bytes(1, "iVBOR", 64),
            vector_of_bytes(1, "iVBOR", 64)
        );
    }
}
