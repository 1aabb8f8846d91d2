//! Receipt handles: opaque to clients, and of one receive of one message of one queue.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bedrock_emulator::error::ApiError;

use super::error::RECEIPT_HANDLE_IS_INVALID;

/// What AWS's handles begin with.
const PREFIX: &str = "AQEB";

/// What a receipt handle says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Receipt {
    /// The queue's.
    pub(super) generation: u64,
    /// The message's place in the queue.
    pub(super) arrival: u64,
    /// The how manieth receive it was.
    pub(super) receive: u32,
}

impl Receipt {
    /// The handle.
    pub(super) fn text(self) -> String {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.generation.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.arrival.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.receive.to_be_bytes());
        let seal = seal(&bytes[..20]).to_be_bytes();
        bytes[20..].copy_from_slice(&seal);
        // Handles of neighbouring messages look as different as AWS's do.
        for at in 0..20 {
            bytes[at] ^= seal[at % 4].rotate_left(u32::try_from(at).unwrap_or_default());
        }
        format!("{PREFIX}{}", STANDARD.encode(bytes))
    }

    /// Reads a handle of the queue of that generation.
    pub(super) fn read(text: &str, generation: u64) -> Result<Self, ApiError> {
        let receipt = Self::unseal(text).filter(|receipt| receipt.generation == generation);
        receipt.ok_or_else(|| {
            RECEIPT_HANDLE_IS_INVALID.error(format!(
                "The input receipt handle \"{text}\" is not a valid receipt handle."
            ))
        })
    }

    fn unseal(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let mut bytes: [u8; 24] = bytes.try_into().ok()?;
        let sealed: [u8; 4] = bytes[20..].try_into().ok()?;
        for at in 0..20 {
            bytes[at] ^= sealed[at % 4].rotate_left(u32::try_from(at).unwrap_or_default());
        }
        let receipt = Self {
            generation: u64::from_be_bytes(bytes[..8].try_into().ok()?),
            arrival: u64::from_be_bytes(bytes[8..16].try_into().ok()?),
            receive: u32::from_be_bytes(bytes[16..20].try_into().ok()?),
        };
        (seal(&bytes[..20]).to_be_bytes() == sealed).then_some(receipt)
    }
}

/// FNV-1a: tells handles of ours from anything else.
fn seal(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |seal, byte| {
        (seal ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_of_one_queue() {
        let receipt = Receipt {
            generation: 7,
            arrival: 1,
            receive: 2,
        };
        let text = receipt.text();
        assert_eq!(Receipt::read(&text, 7).unwrap(), receipt);
        assert!(Receipt::read(&text, 8).is_err());
        let cut = &text[..text.len() - 4];
        for garbage in ["", "garbage", "AQEB", cut, &format!("{text}A"), "AQEBé"] {
            let error = Receipt::read(garbage, 7).unwrap_err();
            assert!(error.message().contains("is not a valid receipt handle."));
        }
    }
}
