//! What a prompt asks for, as far as its form says: a length, a subject, quoted text.

use std::borrow::Cow;

/// What a prompt asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// The asked-for length.
    pub(super) length: Length,
    /// The subject as a phrase that can stand after "about"; in quotation marks when it is not
    /// clearly a noun phrase.
    pub(super) subject: String,
    /// Quoted text, without its marks, in order.
    pub(super) quotes: Vec<String>,
    /// The whole answer, when the prompt dictates it (`Reply with "pong"`).
    pub(super) dictated: Option<String>,
    /// Whether the answer must be JSON.
    pub(super) json: bool,
}

/// An asked-for length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Length {
    /// Nothing asked for.
    Free,
    /// That many sentences.
    Sentences(usize),
    /// That many words.
    Words(usize),
    /// A numbered list of that many points.
    Points(usize),
    /// The same with bullets.
    Bullets(usize),
    /// That many paragraphs.
    Paragraphs(usize),
}

/// Longer prompts are read at both ends, where instructions stand.
const READ_AT_EACH_END: usize = 2_000;

impl Ask {
    /// Reads a prompt in any script; what is not understood is left out, never guessed.
    pub(super) fn of(prompt: &str) -> Self {
        let prompt = &*both_ends(prompt.trim());
        let quotes = quotes(prompt);
        let words = words(prompt);
        Self {
            length: length(&words),
            subject: subject(prompt, &words),
            dictated: dictated(prompt, &quotes),
            json: wants_json(prompt),
            quotes,
        }
    }
}

fn both_ends(prompt: &str) -> Cow<'_, str> {
    // A character is a byte or more.
    if prompt.len() <= 2 * READ_AT_EACH_END {
        return prompt.into();
    }
    let length = prompt.chars().count();
    if length <= 2 * READ_AT_EACH_END {
        return prompt.into();
    }
    let start = prompt.chars().take(READ_AT_EACH_END);
    let end = prompt.chars().skip(length - READ_AT_EACH_END);
    start.chain("\n".chars()).chain(end).collect()
}

/// Text between quotation marks of one kind, at most three pieces.
fn quotes(prompt: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !has(prompt, |b| {
        !b.is_ascii() || matches!(b, b'\'' | b'"' | b'`')
    }) {
        return found;
    }
    let mut rest = prompt;
    while found.len() < 3 {
        // An apostrophe stands behind a letter, a quotation mark does not.
        let opens = |at: usize, c: char| c != '\'' || !rest[..at].ends_with(char::is_alphanumeric);
        let mut marks = rest.char_indices();
        let Some((at, open, close)) = marks.find_map(|(at, c)| {
            let close = closing(c).filter(|_| opens(at, c))?;
            Some((at, c, close))
        }) else {
            break;
        };
        rest = &rest[at + open.len_utf8()..];
        let closes =
            |at: &usize| close != '\'' || !rest[at + 1..].starts_with(char::is_alphanumeric);
        let mut ends = rest.match_indices(close).map(|(at, _)| at);
        let Some(end) = ends.find(closes) else {
            continue;
        };
        let inside = rest[..end].trim();
        if !inside.is_empty() && inside.chars().count() <= 300 {
            found.push(inside.to_owned());
        }
        rest = &rest[end + close.len_utf8()..];
    }
    found
}

/// Whether `text` has such a byte. All of it is looked at in any case: that way many bytes are looked at
/// in one instruction.
#[inline]
fn has(text: &str, wanted: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |any, byte| any | wanted(byte))
}

/// The mark that ends what this one begins.
const fn closing(open: char) -> Option<char> {
    match open {
        '\'' | '"' | '`' => Some(open),
        '“' => Some('”'),
        '„' => Some('“'),
        '«' => Some('»'),
        '「' => Some('」'),
        _ => None,
    }
}

/// `Say "pong"`, `Reply with exactly: pong`, `Respond only with the word pong`.
fn dictated(prompt: &str, quotes: &[String]) -> Option<String> {
    const POLITE: Leads = Leads::new(&["please", "can you", "could you", "now", "simply"]);
    const LEADS: Leads = Leads::new(&[
        "reply with exactly",
        "respond with exactly",
        "answer with exactly",
        "reply with only",
        "respond with only",
        "reply only with",
        "respond only with",
        "answer only with",
        "reply with",
        "respond with",
        "answer with",
        "repeat after me",
        "repeat",
        "echo",
        "just say",
        "say",
    ]);
    const BETWEEN: Leads = Leads::new(&[
        "exactly",
        "only",
        "just",
        "the single word",
        "the word",
        "the words",
        "the text",
        "the phrase",
    ]);
    let plain = POLITE.strip_all(prompt);
    let rest = LEADS.strip(plain)?;
    let rest = BETWEEN.strip_all(rest);
    let rest = rest.trim_start_matches([':', ' ', ',']);
    if let Some(first) = quotes.first()
        && rest.starts_with(|c: char| !c.is_alphanumeric())
    {
        return Some(first.clone());
    }
    let words = rest.split_whitespace().count();
    let one_line = !rest.contains('\n');
    let said = rest.trim_end_matches(['.', '!', ' ']);
    let instruction = number_word(first_word(rest)).is_some() || first_word(rest) == "a";
    (one_line && (1..=5).contains(&words) && !said.is_empty() && !instruction && quotes.is_empty())
        .then(|| said.to_owned())
}

fn wants_json(prompt: &str) -> bool {
    const ASKS: [&str; 9] = [
        "as json",
        "in json",
        "only json",
        "valid json",
        "json only",
        "return json",
        "json object",
        "with json",
        "output json",
    ];
    if !has(prompt, |b| matches!(b, b'j' | b'J')) || find(prompt, "json").is_none() {
        return false;
    }
    let prompt = prompt.to_lowercase();
    ASKS.iter().any(|ask| prompt.contains(ask))
}

fn length(words: &[Cow<'_, str>]) -> Length {
    let asked = (0..words.len()).rev().find_map(|at| length_at(words, at));
    asked.unwrap_or_else(|| {
        let manner = |word: &Cow<'_, str>| match &**word {
            "briefly" | "concisely" | "concise" | "brief" => Some(Length::Sentences(1)),
            "detailed" | "detail" => Some(Length::Sentences(7)),
            _ => None,
        };
        let asked = words.iter().filter_map(manner);
        // Who asks for both gets the shorter one.
        asked.min().unwrap_or(Length::Free)
    })
}

/// The length asked for by the number at `at`: `three short sentences`, `50 words`, `list five …`.
fn length_at(words: &[Cow<'_, str>], at: usize) -> Option<Length> {
    const ADJECTIVES: [&str; 9] = [
        "short", "simple", "single", "complete", "brief", "key", "main", "bullet", "plain",
    ];
    const POINTS: [&str; 14] = [
        "bullets", "points", "point", "items", "things", "steps", "ideas", "examples", "reasons",
        "ways", "tips", "facts", "options", "bullet",
    ];
    const LISTING: [&str; 8] = [
        "list",
        "name",
        "give",
        "suggest",
        "propose",
        "show",
        "top",
        "enumerate",
    ];
    let n = number_word(&words[at])?;
    let noun = words[at + 1..]
        .iter()
        .take(3)
        .find(|w| !ADJECTIVES.contains(&&***w))?;
    let before = &words[at.saturating_sub(3)..at];
    let said = |word: &str| before.iter().any(|w| w == word);
    match &**noun {
        "sentence" | "sentences" => Some(Length::Sentences(n)),
        "paragraph" | "paragraphs" => Some(Length::Paragraphs(n)),
        // "fewer than 50" and "under 50" exclude the number itself.
        "word" | "words" if said("than") || said("under") || said("below") => {
            Some(Length::Words(n.saturating_sub(1).max(1)))
        }
        "word" | "words" => Some(Length::Words(n)),
        noun if n > 1 && POINTS.contains(&noun) => {
            let near = words[at + 1..].iter().take(3);
            let bullets = near.into_iter().any(|word| word.starts_with("bullet"));
            Some(if bullets {
                Length::Bullets(n)
            } else {
                Length::Points(n)
            })
        }
        noun if n > 1 && noun.ends_with('s') => before
            .iter()
            .rev()
            .take(2)
            .any(|w| LISTING.contains(&&**w))
            .then_some(Length::Points(n)),
        _ => None,
    }
}

/// A number in digits or, up to twenty, in words.
pub(super) fn number_word(word: &str) -> Option<usize> {
    let first = word.bytes().next()?;
    if first.is_ascii_digit() {
        let digits = word.replace(',', "");
        return digits.parse().ok().filter(|n| *n > 0);
    }
    // What most words show in their first letter.
    if !matches!(first, b'a' | b'e' | b'f' | b'n' | b'o' | b's' | b't') {
        return None;
    }
    Some(match word {
        "a" | "single" | "one" => 1,
        "two" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "eleven" => 11,
        "twelve" => 12,
        "thirteen" => 13,
        "fourteen" => 14,
        "fifteen" => 15,
        "sixteen" => 16,
        "seventeen" => 17,
        "eighteen" => 18,
        "nineteen" => 19,
        "twenty" => 20,
        _ => return None,
    })
}

/// What an ASCII byte is in a word.
const LETTER: u8 = 0;
const OTHER: u8 = 1;
const BLANK: u8 = 2;

/// Lower-case letters, blanks, and everything else.
const BYTES: [u8; 256] = {
    let mut bytes = [OTHER; 256];
    let mut at = 0_u8;
    while at < 128 {
        if at.is_ascii_lowercase() {
            bytes[at as usize] = LETTER;
        } else if at.is_ascii_whitespace() {
            bytes[at as usize] = BLANK;
        }
        at += 1;
    }
    bytes
};

/// The words of a text, each as [`bare`].
fn words(text: &str) -> Vec<Cow<'_, str>> {
    // About as many as there will be, so that the list need not grow.
    let mut words = Vec::with_capacity(text.len() / 5 + 1);
    if !text.is_ascii() {
        words.extend(text.split_whitespace().map(bare));
        return words;
    }
    let mut left = text
        .bytes()
        .map(|byte| BYTES[usize::from(byte)])
        .enumerate();
    while let Some((start, first)) = left.next() {
        if first == BLANK {
            continue;
        }
        let (mut end, mut kinds) = (text.len(), first);
        for (at, kind) in left.by_ref() {
            if kind == BLANK {
                end = at;
                break;
            }
            kinds |= kind;
        }
        push_word(&text[start..end], kinds == LETTER, &mut words);
    }
    words
}

/// Adds a word as [`bare`]; a plain one is that already.
fn push_word<'t>(word: &'t str, plain: bool, words: &mut Vec<Cow<'t, str>>) {
    if !word.is_empty() {
        words.push(if plain { word.into() } else { bare(word) });
    }
}

/// The word in lower case, without punctuation around it.
fn bare(word: &str) -> Cow<'_, str> {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    if !bare.is_ascii() {
        return bare.to_lowercase().into();
    }
    if bare.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return bare.to_ascii_lowercase().into();
    }
    bare.into()
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or("")
}

/// Phrases that a text may start with, in lower case.
struct Leads {
    phrases: &'static [&'static str],
    /// Which letters they start with: nearly all texts start with another one.
    initials: u32,
}

impl Leads {
    const fn new(phrases: &'static [&'static str]) -> Self {
        let (mut initials, mut at) = (0, 0);
        while at < phrases.len() {
            initials |= 1 << (phrases[at].as_bytes()[0] & 31);
            at += 1;
        }
        Self { phrases, initials }
    }

    /// `text` without the first of them that it starts with, in any case and as whole words.
    fn strip<'t>(&self, text: &'t str) -> Option<&'t str> {
        let first = text.bytes().next()?;
        if self.initials & (1 << (first & 31)) == 0 {
            return None;
        }
        let mut phrases = self.phrases.iter();
        phrases.find_map(|phrase| strip_prefix(text, phrase))
    }

    /// `text` without any of them, and the commas after them, as often as they stand at its start.
    fn strip_all<'t>(&self, mut text: &'t str) -> &'t str {
        while let Some(rest) = self.strip(text) {
            text = rest.trim_start_matches([',', ' ', '!']);
        }
        text
    }
}

/// Removes `prefix` (lower case, whole words) from the start of `text`, whatever its case.
#[inline]
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    if !starts_with(text, prefix) {
        return None;
    }
    let rest = &text[prefix.len()..];
    let ends = rest.chars().next().is_none_or(|c| !c.is_alphanumeric());
    ends.then(|| rest.trim_start())
}

/// The subject as a phrase that can stand after "about".
fn subject(prompt: &str, words: &[Cow<'_, str>]) -> String {
    const POLITE: Leads = Leads::new(&[
        "please",
        "can you",
        "could you",
        "would you",
        "will you",
        "i want you to",
        "hi",
        "hello",
        "hey",
        "claude",
        "kindly",
        "now",
    ]);
    const NAMING: Leads = Leads::new(&[
        "tell me about",
        "tell us about",
        "talk about",
        "write about",
        "explain to me",
        "explain",
        "describe",
        "define",
        "summarize",
        "summarise",
        "discuss",
        "compare",
        "introduce",
        "what is meant by",
        "what is",
        "what's",
        "what are",
        "what was",
        "what were",
        "who is",
        "who are",
        "who was",
        "where is",
        "where are",
        "when is",
        "when was",
        "translate",
        "review",
        "classify",
        "outline",
    ]);
    let sentence = main_sentence(prompt);
    let plain = POLITE.strip_all(after_length(sentence));
    let named = NAMING.strip(plain).or_else(|| {
        // "Write a haiku about autumn", "Give me three facts about tides".
        let said = words.iter().any(|word| word == "about");
        let at = said.then(|| find(plain, " about "))??;
        Some(plain[at + " about ".len()..].trim_start())
    });
    match named
        .map(without_length)
        .filter(|phrase| is_noun_phrase(phrase))
    {
        Some(phrase) => phrase.to_owned(),
        None => quoted(without_length(plain)),
    }
}

/// The last question, or else the first sentence that has letters.
fn main_sentence(prompt: &str) -> &str {
    let (mut first, mut question) = (None, None);
    let mut rest = prompt;
    while !rest.is_empty() {
        let (sentence, tail) = rest.split_at(sentence_end(rest));
        rest = tail;
        if sentence.chars().any(char::is_alphanumeric) {
            first = first.or(Some(sentence));
            if sentence.ends_with(['?', '？']) {
                question = Some(sentence);
            }
        }
    }
    question.or(first).map_or(prompt, str::trim)
}

fn sentence_end(text: &str) -> usize {
    let Some(inner) = text.len().checked_sub(1) else {
        return 0;
    };
    let bytes = text.as_bytes();
    let mark = |b: &u8| matches!(b, b'?' | b'\n' | b'!' | b'.' | 0xE3 | 0xEF);
    // As in `has`. At the very end a mark ends nothing sooner.
    if !bytes[..inner].iter().fold(false, |any, b| any | mark(b)) {
        return text.len();
    }
    let ends = bytes.iter().enumerate().find_map(|(at, byte)| match byte {
        b'?' | b'\n' | b'!' => Some(at + 1),
        b'.' => (bytes.get(at + 1) == Some(&b' ')).then_some(at + 1),
        // The first byte of each of these three.
        0xE3 | 0xEF => text[at..].starts_with(['。', '？', '！']).then_some(at + 3),
        _ => None,
    });
    ends.unwrap_or(text.len())
}

/// What follows "Answer in five bullet points:".
fn after_length(sentence: &str) -> &str {
    let Some((lead, rest)) = sentence.split_once(':') else {
        return sentence;
    };
    let words = words(lead);
    let length = (0..words.len()).any(|n| length_at(&words, n).is_some());
    let rest = rest.trim();
    if length && !rest.is_empty() {
        rest
    } else {
        sentence
    }
}

/// The phrase without a trailing "in one sentence", "in 50 words", "please", "briefly".
fn without_length(phrase: &str) -> &str {
    let phrase = trim_marks(phrase);
    let cut = last_prepositions(phrase).into_iter().flatten();
    let cut = cut.filter(|at| {
        let tail = words(&phrase[*at..]);
        let length = (1..tail.len()).any(|n| length_at(&tail, n).is_some());
        let manner = tail.last().map(|word| &**word);
        length || matches!(manner, Some("detail" | "brief" | "short"))
    });
    let phrase = cut.min().map_or(phrase, |at| &phrase[..at]);
    let tail = [" please", " briefly", " concisely", " to me", " for me"];
    let tail = tail.iter().find(|tail| {
        let start = phrase.len().checked_sub(tail.len());
        start.is_some_and(|start| starts_with(&phrase.as_bytes()[start..], tail))
    });
    trim_marks(tail.map_or(phrase, |tail| &phrase[..phrase.len() - tail.len()]))
}

/// Whether `text` starts with `prefix`, whatever its case.
#[inline]
fn starts_with(text: impl AsRef<[u8]>, prefix: &str) -> bool {
    let (text, prefix) = (text.as_ref(), prefix.as_bytes());
    let Some((first, wanted)) = text.first().zip(prefix.first()) else {
        return prefix.is_empty();
    };
    // Nearly all that does not start so shows it in its first letter.
    first.eq_ignore_ascii_case(wanted)
        && text
            .get(..prefix.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

/// Where `text` has `part` first, whatever its case.
fn find(text: &str, part: &str) -> Option<usize> {
    let mut windows = text.as_bytes().windows(part.len());
    windows.position(|window| starts_with(window, part))
}

/// Where the last of each preposition stands that a length comes after: at the space before it.
fn last_prepositions(phrase: &str) -> [Option<usize>; 4] {
    let mut last = [None; 4];
    let mut at = 0;
    for word in phrase.as_bytes().split(|byte| *byte == b' ') {
        let end = at + word.len();
        // Hardly any word is as long as one of them and begins as it does.
        let which = match (word.len(), word.first()) {
            (2, Some(b'i' | b'I')) => Some((0, "in")),
            (5, Some(b'u' | b'U')) => Some((1, "using")),
            (4, Some(b'w' | b'W')) => Some((2, "with")),
            (6, Some(b'w' | b'W')) => Some((3, "within")),
            _ => None,
        };
        if let Some((which, preposition)) = which
            && starts_with(word, preposition)
            && at > 0
            && end < phrase.len()
        {
            last[which] = Some(at - 1);
        }
        at = end + 1;
    }
    last
}

fn trim_marks(phrase: &str) -> &str {
    let mark = |c: char| matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '。' | '？' | '！');
    phrase.trim_matches(|c: char| mark(c) || c.is_whitespace())
}

/// Whether "about {phrase}" reads as English: short, one line, and not a clause.
fn is_noun_phrase(phrase: &str) -> bool {
    const NOT_NOUNS: [&str; 34] = [
        "this",
        "that",
        "these",
        "those",
        "it",
        "me",
        "you",
        "i",
        "we",
        "is",
        "are",
        "was",
        "do",
        "does",
        "did",
        "can",
        "could",
        "should",
        "would",
        "to",
        "how",
        "why",
        "what",
        "when",
        "where",
        "who",
        "which",
        "if",
        "whether",
        "not",
        "following",
        "between",
        "from",
        "and",
    ];
    let words = words(phrase);
    let first = words.first().map_or("", |word| &**word);
    let plain = phrase.chars().all(|c| {
        c.is_alphanumeric()
            || matches!(
                c,
                ' ' | '-' | '\'' | '’' | '&' | '+' | '/' | '.' | ',' | '(' | ')'
            )
    });
    let refers = words.get(1).is_some_and(|word| word == "following");
    let clause = NOT_NOUNS.contains(&first) || phrase.contains(". ") || refers;
    plain && (1..=8).contains(&words.len()) && !first.is_empty() && !clause
}

/// The beginning of `phrase` in quotation marks.
fn quoted(phrase: &str) -> String {
    const WORDS: usize = 8;
    let between = |c: char| c.is_whitespace() || matches!(c, '“' | '”' | '"');
    let mut words = phrase.split(between).filter(|word| !word.is_empty());
    let mut short = String::with_capacity(64);
    for word in words.by_ref().take(WORDS) {
        if !short.is_empty() {
            short.push(' ');
        }
        short.push_str(word);
    }
    let end = short.char_indices().nth(60).map(|(end, _)| end);
    let shorter = &short[..end.unwrap_or(short.len())];
    let whole = words.next().is_none() && shorter.len() == short.len();
    match trim_marks(shorter) {
        "" => "your message".to_owned(),
        text if whole => ["“", text, "”"].concat(),
        text => ["“", text, " …”"].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ask, Length};

    #[test]
    fn reads_the_subject() {
        for (prompt, subject) in [
            ("Explain streaming.", "streaming"),
            ("What is the capital of France?", "the capital of France"),
            (
                "Please explain event streams in one sentence.",
                "event streams",
            ),
            ("Hello Claude, tell me about tides in 50 words", "tides"),
            ("Answer in five bullet points: what are tests?", "tests"),
            ("Write a haiku about autumn rain", "autumn rain"),
            ("Give me three facts about the Moon, please", "the Moon"),
            ("How do I renew a passport?", "“How do I renew a passport”"),
            (
                "I am new here. What are inference profiles?",
                "inference profiles",
            ),
            (
                "Summarize the following text:\nfoo",
                "“Summarize the following text”",
            ),
            ("天気はどうですか", "“天気はどうですか”"),
            ("ما هو الطقس؟", "“ما هو الطقس؟”"),
            ("?!", "your message"),
            ("", "your message"),
            ("🙂", "“🙂”"),
        ] {
            assert_eq!(Ask::of(prompt).subject, subject, "{prompt:?}");
        }
    }

    #[test]
    fn reads_the_length() {
        for (prompt, length) in [
            ("Explain tides.", Length::Free),
            ("Explain tides in one sentence.", Length::Sentences(1)),
            ("Explain tides in a single sentence.", Length::Sentences(1)),
            ("Explain tides in 3 short sentences", Length::Sentences(3)),
            ("Explain tides in 50 words", Length::Words(50)),
            (
                "Use fewer than fifty-one words; at most 20 words.",
                Length::Words(20),
            ),
            ("Answer in under 10 words", Length::Words(9)),
            ("Answer in one word.", Length::Words(1)),
            ("Answer in ten bullet points", Length::Bullets(10)),
            ("Explain tides in one word", Length::Words(1)),
            ("List three rivers", Length::Points(3)),
            ("Give me 5 tips for talks", Length::Points(5)),
            ("Write two paragraphs about tides", Length::Paragraphs(2)),
            ("Briefly: tides?", Length::Sentences(1)),
            ("The 3 rivers are long", Length::Free),
        ] {
            assert_eq!(Ask::of(prompt).length, length, "{prompt:?}");
        }
    }

    #[test]
    fn reads_quotes_and_dictation() {
        let ask = Ask::of("Translate “good morning” and \"good night\" into French");
        assert_eq!(ask.quotes, ["good morning", "good night"]);
        for (prompt, said) in [
            ("Say \"pong\".", Some("pong")),
            ("Reply with exactly: pong", Some("pong")),
            ("Please respond only with the word ready.", Some("ready")),
            ("Say hello", Some("hello")),
            ("Answer with one sentence about tides", None),
            (
                "Reply with a poem about the sea and the long way home",
                None,
            ),
            ("Explain \"pong\"", None),
        ] {
            assert_eq!(Ask::of(prompt).dictated.as_deref(), said, "{prompt:?}");
        }
    }
}
