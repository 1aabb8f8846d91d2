//! The frames of an event stream, read by hand: what the SDK does below `recv()`.

use std::{error::Error, fmt};

/// One message of an event stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Names and values; Bedrock sends text values only.
    pub headers: Vec<(String, String)>,
    /// JSON, for Bedrock.
    pub payload: Vec<u8>,
}

/// The bytes are no whole frame, or no frame at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

impl Frame {
    /// The header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(n, _)| n == name);
        header.map(|(_, value)| value.as_str())
    }
}

// region: frames
/// Takes a body apart. A frame is: total length, length of the headers, a checksum of these two
/// (four bytes each), the headers, the payload, and a checksum of it all (four bytes).
pub fn frames(mut bytes: &[u8]) -> Result<Vec<Frame>, Broken> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let total = number(bytes, 0)?;
        let headers_end = 12 + number(bytes, 4)?;
        let payload_end = total.checked_sub(4).ok_or(Broken)?;
        frames.push(Frame {
            headers: headers(bytes.get(12..headers_end).ok_or(Broken)?)?,
            payload: bytes.get(headers_end..payload_end).ok_or(Broken)?.to_vec(),
        });
        bytes = bytes.get(total..).ok_or(Broken)?;
    }
    Ok(frames)
}
// endregion: frames

fn number(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    let four = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    let number = u32::from_be_bytes(four.ok_or(Broken)?);
    usize::try_from(number).map_err(|_| Broken)
}

/// Length of the name (one byte), name, type 7 (text), length of the value (two bytes), value.
fn headers(mut bytes: &[u8]) -> Result<Vec<(String, String)>, Broken> {
    let mut headers = Vec::new();
    while let [name_len, rest @ ..] = bytes {
        let (name, rest) = text(rest, usize::from(*name_len))?;
        let [7, high, low, rest @ ..] = rest else {
            return Err(Broken);
        };
        let (value, rest) = text(rest, usize::from(u16::from_be_bytes([*high, *low])))?;
        headers.push((name, value));
        bytes = rest;
    }
    Ok(headers)
}

fn text(bytes: &[u8], len: usize) -> Result<(String, &[u8]), Broken> {
    let (text, rest) = bytes.split_at_checked(len).ok_or(Broken)?;
    let text = str::from_utf8(text).map_err(|_| Broken)?;
    Ok((text.to_owned(), rest))
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes are not a whole frame of an event stream")
    }
}

impl Error for Broken {}

#[cfg(test)]
mod tests {
    use super::{Broken, frames};

    fn frame() -> Vec<u8> {
        let mut headers = vec![11];
        headers.extend(b":event-type\x07\x00\x0bmessageStop");
        let payload = br#"{"stopReason":"end_turn"}"#;
        let mut frame = Vec::new();
        let total = 12 + headers.len() + payload.len() + 4;
        frame.extend(u32::try_from(total).unwrap().to_be_bytes());
        frame.extend(u32::try_from(headers.len()).unwrap().to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(&headers);
        frame.extend(payload);
        frame.extend([0; 4]);
        frame
    }

    #[test]
    fn frames_are_taken_apart() {
        let two = [frame(), frame()].concat();
        let frames = frames(&two).unwrap();
        assert_eq!(frames.len(), 2);
        assert_eq!(frames[1].header(":event-type"), Some("messageStop"));
        assert_eq!(frames[1].payload, br#"{"stopReason":"end_turn"}"#);
    }

    #[test]
    fn a_body_that_ends_early_is_broken_wherever_it_ends() {
        let whole = frame();
        for end in 1..whole.len() {
            assert_eq!(frames(&whole[..end]), Err(Broken), "{end}");
        }
    }
}
