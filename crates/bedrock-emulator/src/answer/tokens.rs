//! Token counting: one function for usage, `CountTokens`, headers, logs, metrics and cost.
//!
//! Claude's tokenizer is not public. This one is an estimate with the properties that programs
//! rely on: about four characters a token for English prose, more tokens for other scripts, never
//! zero for something, and `max(a, b) <= count(a + b) <= count(a) + count(b)`.

/// Tokens in `text`; grows with the text, at least 1 for a non-empty one.
pub fn count(text: &str) -> u32 {
    let mut counter = Counter::default();
    counter.push(text);
    counter.tokens()
}

/// The longest beginning of `text` that has at most `max` tokens: what `maxTokens` leaves of an
/// answer. Gives back all of it when it fits.
pub fn cut(text: &str, max: u32) -> &str {
    Counter::default().cut(text, max)
}

/// What one character belongs to. Each run of neighbours of one kind is counted on its own,
/// rounded up: that is what makes the count monotone and subadditive in concatenation.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Blanks belong to the word beside them.
    #[default]
    Blank,
    /// One token for each two line breaks.
    Line,
    /// Latin letters and apostrophes: six a token, so that a word with its blank and its share of
    /// punctuation comes to a little over four characters a token (recorded: 4.5 in long prose).
    Latin,
    /// Three digits a token.
    Digit,
    /// Letters of other alphabets: two a token.
    Letter,
    /// An ideograph, a kana, a Hangul syllable, a punctuation mark: one token each.
    Single,
    /// Emoji and everything else beyond the basic plane: two tokens each.
    Double,
}

/// The kind of the character that this byte is; `None` for a byte of a longer one.
const ASCII: [Option<Kind>; 256] = {
    let mut kinds = [None; 256];
    let mut at = 0_u8;
    while at < 128 {
        kinds[at as usize] = Some(match at {
            b'\n' | b'\r' => Kind::Line,
            b' ' | b'\t' | 0x0B | 0x0C => Kind::Blank,
            b'0'..=b'9' => Kind::Digit,
            b'\'' | b'a'..=b'z' | b'A'..=b'Z' => Kind::Latin,
            _ => Kind::Single,
        });
        at += 1;
    }
    kinds
};

impl Kind {
    fn of(c: char) -> Self {
        let ascii = u8::try_from(c).ok();
        let kind = ascii.and_then(|byte| ASCII[usize::from(byte)]);
        kind.unwrap_or_else(|| Self::of_other(c))
    }

    fn of_other(c: char) -> Self {
        match c {
            '’' => Self::Latin,
            // Dashes, quotation marks, dots: what prose has most of beyond ASCII.
            '\u{2010}'..='\u{2027}' => Self::Single,
            _ if c.is_whitespace() => Self::Blank,
            _ if c.is_alphabetic() && c < '\u{250}' => Self::Latin,
            // From Hangul Jamo's neighbours on, one sign is a syllable or a word.
            '\u{0E00}'..='\u{0E7F}' | '\u{1100}'..='\u{11FF}' | '\u{2E80}'..='\u{D7FF}' => {
                Self::Single
            }
            _ if c >= '\u{10000}' => Self::Double,
            _ if c.is_alphanumeric() => Self::Letter,
            _ => Self::Single,
        }
    }

    /// Tokens of a run of `length` characters of this kind.
    fn tokens(self, length: u64) -> u64 {
        match self {
            Self::Blank => 0,
            Self::Line | Self::Letter => length.div_ceil(2),
            Self::Latin => length.div_ceil(6),
            Self::Digit => length.div_ceil(3),
            Self::Single => length,
            Self::Double => length * 2,
        }
    }
}

/// Counts a text that comes in pieces: tokens of the finished runs, and the run that is still open.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counter {
    finished: u64,
    kind: Kind,
    /// In characters; 0 before the first one.
    length: u64,
}

impl Counter {
    /// Goes on with `text`.
    pub(crate) fn push(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            if let Some(kind) = ASCII[usize::from(bytes[at])] {
                self.character(kind);
                at += 1;
                // What follows is mostly of the same kind: the letters of a word.
                let same = |byte: &&u8| ASCII[usize::from(**byte)] == Some(kind);
                let run = bytes[at..].iter().take_while(same).count();
                self.length += run as u64;
                at += run;
            } else if let Some(longer) = text[at..].chars().next() {
                self.character(Kind::of_other(longer));
                at += longer.len_utf8();
            }
        }
    }

    /// The longest beginning of `text` with which there are at most `max` tokens.
    pub(crate) fn cut(mut self, text: &str, max: u32) -> &str {
        let end = text.char_indices().find(|(_, c)| {
            self.character(Kind::of(*c));
            self.total() > u64::from(max)
        });
        end.map_or(text, |(end, _)| &text[..end])
    }

    /// Tokens so far.
    pub(crate) fn tokens(&self) -> u32 {
        u32::try_from(self.total()).unwrap_or(u32::MAX)
    }

    fn character(&mut self, kind: Kind) {
        if kind == self.kind {
            self.length += 1;
        } else {
            self.finished += self.kind.tokens(self.length);
            self.kind = kind;
            self.length = 1;
        }
    }

    /// At least one for something.
    fn total(&self) -> u64 {
        let total = self.finished + self.kind.tokens(self.length);
        total.max(self.length.min(1))
    }
}

#[cfg(test)]
mod tests {
    use super::{count, cut};
    use crate::answer::{rng::Rng, text};

    #[test]
    fn counts_what_a_reader_would_expect() {
        for (text, tokens) in [
            ("", 0),
            (" ", 1),
            ("a", 1),
            ("Hello", 1),
            ("Hello!", 2),
            ("Hello, world", 3),
            ("It isn't 1234567.", 6),
            ("你好", 2),
            ("Привет", 3),
            ("🙂", 2),
        ] {
            assert_eq!(count(text), tokens, "{text:?}");
        }
    }

    #[test]
    fn english_prose_has_about_four_characters_a_token() {
        let prose = (0..50).map(|seed| text::reply(seed, "Explain streaming.", 500) + " ");
        let prose: String = prose.collect();
        let (characters, tokens) = (prose.chars().count(), count(&prose) as usize);
        let ratio = characters * 10 / tokens;
        assert!((36..=46).contains(&ratio), "{ratio} tenths");
    }

    #[test]
    fn is_monotone_and_subadditive_in_concatenation() {
        let mut rng = Rng::new(7, "tokens");
        for seed in 0..2_000 {
            let whole = text::scramble(seed);
            let cuts: Vec<usize> = whole.char_indices().map(|(at, _)| at).collect();
            let at = cuts[rng.below(cuts.len())];
            let (a, b) = whole.split_at(at);
            assert!(count(&whole) <= count(a) + count(b), "{a:?} + {b:?}");
            assert!(count(&whole) >= count(a).max(count(b)), "{a:?} + {b:?}");
        }
    }

    #[test]
    fn cut_leaves_the_longest_beginning_that_fits() {
        for seed in 0..500 {
            let whole = text::scramble(seed);
            for max in 0..12 {
                let kept = cut(&whole, max);
                assert!(count(kept) <= max);
                if let Some(next) = whole[kept.len()..].chars().next() {
                    assert!(count(&format!("{kept}{next}")) > max, "{whole:?} at {max}");
                }
            }
        }
    }
}
