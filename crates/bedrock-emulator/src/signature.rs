//! What proves that a block of thinking is the model's own: a MAC over its text under a key derived
//! from the seed. So it verifies in every later request, after a restart too, as long as the seed is
//! the same; and not when text or signature were altered.
//!
//! The envelope looks like the recorded ones (a protobuf message in base64 that begins with `E`):
//! nobody may read it, but programs store, cut and compare it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    conversation::{Block, Conversation},
    rng::Rng,
};

/// Length of the two MACs in an envelope.
const MAC: usize = 64;

/// What stands before the MAC in every recorded envelope, behind the outer length.
const HEADER: [u8; 10] = [0x0A, 0x48, 0x08, 0x10, 0x10, 0x01, 0x18, 0x02, 0x2A, 0x40];

/// Signs and verifies the thinking of one emulator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signer {
    seed: u64,
}

impl Signer {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The signature of `text`. What the model thought and does not show is in there too, so it
    /// grows with `hidden` characters.
    pub(crate) fn sign(self, text: &str, hidden: usize, rng: &mut Rng) -> String {
        let rest = rest(hidden.max(text.len()), rng);
        self.envelope(text.as_bytes(), &rest)
    }

    /// Whether `signature` is ours and belongs to `text`.
    pub(crate) fn verifies(self, text: &str, signature: &str) -> bool {
        self.opens(text.as_bytes(), signature)
    }

    /// The data of a block of redacted thinking.
    pub(crate) fn redacted(self, rng: &mut Rng) -> String {
        let rest = rest(160, rng);
        self.envelope(REDACTED, &rest)
    }

    /// Whether `data` is redacted thinking of ours.
    pub(crate) fn knows(self, data: &str) -> bool {
        self.opens(REDACTED, data)
    }

    /// Refuses thinking that was altered on its way through the caller.
    pub(crate) fn check(self, conversation: &Conversation) -> Result<(), Altered> {
        for (t, turn) in conversation.turns.iter().enumerate() {
            // Cache points are no blocks to Anthropic, which counts here.
            let blocks = turn.blocks.iter();
            let blocks = blocks.filter(|block| !matches!(block, Block::CachePoint(_)));
            for (b, block) in blocks.enumerate() {
                let at = || format!("messages.{t}.content.{b}");
                match block {
                    Block::Reasoning { text, signature } => {
                        // Bedrock takes an empty signature for a missing one (seen live).
                        let given = signature.as_deref().filter(|given| !given.is_empty());
                        let given = given.ok_or_else(|| Altered::Unsigned(at()))?;
                        if !self.verifies(text, given) {
                            return Err(Altered::Signature(at()));
                        }
                    }
                    Block::RedactedReasoning(data) if !self.knows(data) => {
                        return Err(Altered::Data(at()));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn envelope(self, text: &[u8], rest: &[u8]) -> String {
        let length = HEADER.len() + MAC + rest.len();
        let mut bytes = vec![0x12];
        varint(length, &mut bytes);
        bytes.extend(HEADER);
        bytes.extend(self.mac(text, rest));
        bytes.extend(rest);
        STANDARD.encode(bytes)
    }

    fn opens(self, text: &[u8], envelope: &str) -> bool {
        let Ok(bytes) = STANDARD.decode(envelope) else {
            return false;
        };
        // A tag, a length of as many bytes as say that more follow, and that many bytes.
        let Some(length) = bytes.iter().skip(1).position(|byte| *byte < 0x80) else {
            return false;
        };
        let (head, tail) = bytes.split_at(length + 2);
        let mut expected = vec![0x12];
        varint(tail.len(), &mut expected);
        let Some((mac, rest)) = tail
            .strip_prefix(&HEADER)
            .and_then(|tail| tail.split_at_checked(MAC))
        else {
            return false;
        };
        head == expected && self.mac(text, rest) == mac
    }

    fn mac(self, text: &[u8], rest: &[u8]) -> Vec<u8> {
        let half = |label: u8| {
            let key = self.seed.to_le_bytes();
            let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key)
                .expect("HMAC takes keys of any length");
            mac.update(b"bedrock-workshop thinking");
            mac.update(&[label]);
            mac.update(rest);
            mac.update(text);
            mac.finalize().into_bytes()
        };
        [half(0), half(1)].concat()
    }
}

/// Stands for the text that redacted thinking does not have.
const REDACTED: &[u8] = b"\xFFredacted";

/// What follows the MAC in recorded envelopes: two nonces, a key, as much ciphertext as there was
/// thinking, a version.
fn rest(ciphertext: usize, rng: &mut Rng) -> Vec<u8> {
    let mut rest = Vec::new();
    for (tag, length) in [(0x12, 12), (0x1A, 12), (0x22, 48), (0x2A, ciphertext)] {
        rest.push(tag);
        varint(length, &mut rest);
        rest.extend(rng.bytes(length));
    }
    rest.extend([0x18, 0x01]);
    rest
}

fn varint(mut number: usize, out: &mut Vec<u8>) {
    while number > 0x7F {
        out.push(0x80 | number.to_le_bytes()[0]);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Thinking that is not as the model gave it, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Altered {
    Signature(String),
    Data(String),
    Unsigned(String),
}

impl Altered {
    /// Anthropic's words. Those about redacted thinking are inferred from the others; all of them
    /// are seen with Converse's prefix too.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Signature(at) => format!("{at}: Invalid `signature` in `thinking` block"),
            Self::Data(at) => format!("{at}: Invalid `data` in `redacted_thinking` block"),
            Self::Unsigned(at) => format!("{at}.thinking.signature: Field required"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Signer;
    use crate::{answer::text, rng::Rng};

    #[test]
    fn a_signature_verifies_with_its_seed_and_text_only() {
        let mut rng = Rng::new(3, &[]);
        for seed in 0..100 {
            let thought = text::scramble(seed);
            let signer = Signer::new(seed);
            let signature = signer.sign(&thought, 0, &mut rng);
            assert!(signature.starts_with('E'), "{signature}");
            assert!(Signer::new(seed).verifies(&thought, &signature));
            assert!(!Signer::new(seed + 1).verifies(&thought, &signature));
            assert!(!signer.verifies(&format!("{thought} "), &signature));
            assert!(!signer.knows(&signature));
            let redacted = signer.redacted(&mut rng);
            assert!(signer.knows(&redacted) && !signer.verifies("", &redacted));
        }
    }

    #[test]
    fn any_altered_character_is_noticed() {
        let mut rng = Rng::new(4, &[]);
        let signer = Signer::new(1);
        let signature = signer.sign("Two and two.", 0, &mut rng);
        for at in 0..signature.len() {
            let mut altered = signature.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(!signer.verifies("Two and two.", &altered), "at {at}");
            assert!(
                !signer.verifies("Two and two.", &signature[..at]),
                "cut at {at}"
            );
        }
        assert!(!signer.verifies("", "") && !signer.verifies("x", "EgA="));
    }

    #[test]
    fn a_signature_grows_with_the_thinking_it_stands_for() {
        let mut rng = Rng::new(5, &[]);
        let signer = Signer::new(1);
        let (short, long) = (
            signer.sign("", 10, &mut rng),
            signer.sign("", 2_000, &mut rng),
        );
        assert!(long.len() > short.len() + 2_000);
        assert!(signer.verifies("", &short) && signer.verifies("", &long));
    }
}
