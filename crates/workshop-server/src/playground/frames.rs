//! Messages of an event stream, taken out of the bytes as they arrive.

use bytes::{Buf as _, Bytes, BytesMut};

/// A message of Bedrock is far shorter; a longer one is none.
const MESSAGE_MAX: usize = 16 * 1024 * 1024;

/// What has arrived and is not a whole message yet.
#[derive(Debug, Default)]
pub(super) struct Frames {
    buffer: BytesMut,
}

impl Frames {
    pub(super) fn add(&mut self, bytes: &Bytes) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message. What is no event stream comes out as it is.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        // The prelude: total length, length of the headers, checksum.
        if self.buffer.len() < 12 {
            return None;
        }
        let length = self.buffer.clone().get_u32();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(16..=MESSAGE_MAX).contains(&length) {
            return Some(self.buffer.split().freeze());
        }
        (self.buffer.len() >= length).then(|| self.buffer.split_to(length).freeze())
    }

    /// What is left when nothing more comes.
    pub(super) fn rest(&mut self) -> Option<Bytes> {
        (!self.buffer.is_empty()).then(|| self.buffer.split().freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(16 + payload.len()).unwrap();
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend([0; 8]);
        bytes.extend(payload);
        bytes.extend([0; 4]);
        bytes
    }

    #[test]
    fn messages_come_out_whole_however_they_arrive() {
        let all = [message(b"one"), message(b""), message(b"three")].concat();
        for size in 1..all.len() {
            let mut frames = Frames::default();
            let mut seen = Vec::new();
            for piece in all.chunks(size) {
                frames.add(&Bytes::copy_from_slice(piece));
                while let Some(message) = frames.next() {
                    seen.push(message.len());
                }
            }
            assert_eq!((seen, frames.rest()), (vec![19, 16, 21], None));
        }
    }

    #[test]
    fn what_is_no_stream_is_handed_on() {
        let mut frames = Frames::default();
        frames.add(&Bytes::from_static(b"{\"message\":\"no stream at all\"}"));
        assert_eq!(frames.next().unwrap().len(), 30);
        frames.add(&Bytes::from_static(b"short"));
        assert_eq!((frames.next(), frames.rest().unwrap().len()), (None, 5));
    }
}
