//! Seeded randomness: the same seed and the same request give the same bytes.

/// `SplitMix64`: tiny, well mixed, and good enough for ids and padding.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

const URL_SAFE: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
// No 0, O, I, l: the ids in recorded Messages bodies avoid them.
const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

const HEX: &[u8; 16] = b"0123456789abcdef";

const BASE32: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";

impl Rng {
    /// A generator for one purpose: `seed` mixed with numbers that tell this use from others.
    pub(crate) fn new(seed: u64, parts: &[u64]) -> Self {
        let mut rng = Self(seed);
        for part in parts {
            // The mixed output becomes the state. Were it `state + part * γ`, request 2 would draw
            // what request 1 drew, one step later.
            rng.0 ^= part.wrapping_mul(0xD6E8_FEB8_6659_FD93);
            rng.0 = rng.next();
        }
        rng
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// A version 4 UUID in lower case, as in `x-amzn-RequestId`.
    pub(crate) fn uuid(&mut self) -> String {
        let high = self.next() & !(0xF << 12) | (0x4 << 12);
        let low = self.next() & !(0x3 << 62) | (0x2 << 62);
        // Where the digits of each half stand between the hyphens.
        let halves = [
            (
                high,
                [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17],
            ),
            (
                low,
                [
                    19, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
                ],
            ),
        ];
        let mut uuid = [b'-'; 36];
        for (mut bits, places) in halves {
            for place in places {
                bits = bits.rotate_left(4);
                let digit = bits.to_le_bytes()[0] & 0xF;
                uuid[place] = HEX[usize::from(digit)];
            }
        }
        String::from_utf8_lossy(&uuid).into_owned()
    }

    /// `tooluse_` and 22 characters, as Converse's tool use ids are.
    pub(crate) fn tool_use_id(&mut self) -> String {
        self.id("tooluse_", URL_SAFE, 22)
    }

    /// `toolu_bdrk_01…`, as in Claude's Messages bodies.
    pub(crate) fn toolu_id(&mut self) -> String {
        self.id("toolu_bdrk_01", BASE58, 22)
    }

    /// `msg_bdrk_01…`, as in Claude's Messages bodies.
    pub(crate) fn message_id(&mut self) -> String {
        self.id("msg_bdrk_01", BASE58, 22)
    }

    /// Twelve digits; no account of AWS begins with a zero here, so that none is cut as a number.
    pub(crate) fn account_id(&mut self) -> String {
        (100_000_000_000 + self.below(900_000_000_000)).to_string()
    }

    /// `AKIA` and sixteen of base 32.
    pub(crate) fn access_key_id(&mut self) -> String {
        format!(
            "AKIA{}",
            self.chars(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)
        )
    }

    /// Forty characters.
    pub(crate) fn secret_access_key(&mut self) -> String {
        self.chars(URL_SAFE, 40)
    }

    /// `msg_bdrk_` and 52 characters, as in the Messages bodies of the newest models.
    pub(crate) fn long_message_id(&mut self) -> String {
        self.id("msg_bdrk_", BASE32, 52)
    }

    /// The stream padding member `p`: a prefix of the alphabet, 2 to 61 long (recorded: uniform).
    pub(crate) fn padding(&mut self) -> &'static str {
        const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let length = 2 + usize::try_from(self.below(60)).unwrap_or(0);
        &ALPHABET[..length]
    }

    /// Random bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// Lower-case letters and digits, as ids of the control plane's resources are.
    pub(crate) fn lower_id(&mut self, length: usize) -> String {
        self.chars(b"abcdefghijklmnopqrstuvwxyz0123456789", length)
    }

    /// Characters of an alphabet.
    pub(crate) fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        self.chars(alphabet, length)
    }

    fn chars(&mut self, alphabet: &[u8], length: usize) -> String {
        self.id("", alphabet, length)
    }

    /// A prefix, and characters of an alphabet.
    fn id(&mut self, prefix: &str, alphabet: &[u8], length: usize) -> String {
        let mut chars = String::with_capacity(prefix.len() + length);
        chars.push_str(prefix);
        for _ in 0..length {
            let at = usize::try_from(self.below(alphabet.len() as u64)).unwrap_or(0);
            chars.push(char::from(alphabet[at]));
        }
        chars
    }
}

/// A number for a text, stable across runs and platforms (FNV-1a).
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_lengths_cover_2_to_61() {
        let mut rng = Rng::new(1, &[]);
        let lengths: std::collections::BTreeSet<_> =
            (0..5_000).map(|_| rng.padding().len()).collect();
        assert_eq!(lengths, (2..=61).collect());
    }

    #[test]
    fn request_ids_are_version_4_uuids() {
        let mut rng = Rng::new(7, &[3]);
        for _ in 0..100 {
            let id = rng.uuid();
            assert_eq!(id.len(), 36);
            assert_eq!(&id[14..15], "4");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }

    #[test]
    fn different_requests_draw_different_ids() {
        assert_ne!(Rng::new(1, &[1]).uuid(), Rng::new(1, &[2]).uuid());
        assert_eq!(Rng::new(1, &[2]).uuid(), Rng::new(1, &[2]).uuid());
        let mut drawn = std::collections::BTreeSet::new();
        for request in 0..200 {
            let mut rng = Rng::new(1, &[request]);
            for _ in 0..50 {
                assert!(
                    drawn.insert(rng.next()),
                    "request {request} repeats another's draws"
                );
            }
        }
    }
}
