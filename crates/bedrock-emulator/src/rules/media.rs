//! What Claude refuses about images.

use super::{Case, Evidence, Rule, Surface, claude::rule, fill};
use crate::{
    conversation::Block,
    media::{Image, Source},
};

const FIVE_MB: usize = 5 * 1_024 * 1_024;
const MOST_PIXELS: usize = 8_000;

pub(super) const RULES: &[Rule] = &[
    // Bedrock does not fetch (documented); the sentence is the one for other unknown tags.
    Rule {
        surface: Some(Surface::Messages),
        ..rule(
            "source-is-url",
            None,
            Evidence::Chosen,
            "{}.source: Input tag 'url' found using 'type' does not match any of the expected \
             tags: {}",
            |case| {
                if !case.has.media {
                    return None;
                }
                let mut blocks = case.conversation.blocks();
                blocks.find_map(|(t, b, block)| match block {
                    Block::Image(image) if is_url(&image.media.source) => {
                        fill![format!("messages.{t}.content.{b}.image"), "'base64'"]
                    }
                    Block::Document(document) if is_url(&document.media.source) => fill![
                        format!("messages.{t}.content.{b}.document"),
                        "'base64', 'content', 'text'"
                    ],
                    _ => None,
                })
            },
        )
    },
    // Converse let a PNG pass that was called a JPEG (recorded on Claude 3.5 Sonnet).
    Rule {
        surface: Some(Surface::Messages),
        ..rule(
            "image-of-another-format",
            None,
            Evidence::Documented,
            "{}.image.source.base64.data: Image does not match the provided media type image/{}",
            |case| {
                case.image(|image| {
                    let (said, is) = (image.media.format.as_str(), format_of(&image.media.data)?);
                    (said != is).then(|| said.to_owned())
                })
            },
        )
    },
    rule(
        "image-too-heavy",
        None,
        Evidence::Documented,
        "{}.image.source.base64: image exceeds 5 MB maximum: {} bytes > 5242880 bytes",
        |case| {
            case.image(|image| {
                // What is weighed is base64.
                let weight = image.media.data.len().div_ceil(3) * 4;
                (weight > FIVE_MB).then(|| weight.to_string())
            })
        },
    ),
    rule(
        "image-too-large",
        None,
        Evidence::Documented,
        "{}.image.source.base64.data: At least one of the image dimensions exceed max allowed \
         size: {} pixels",
        |case| {
            case.image(|image| {
                let (width, height) = image.pixels?;
                (width.max(height) > MOST_PIXELS).then(|| MOST_PIXELS.to_string())
            })
        },
    ),
];

impl Case<'_> {
    /// The first image of a message that something is wrong with: its place, and what it is.
    fn image(&self, wrong: impl Fn(&Image) -> Option<String>) -> Option<Vec<String>> {
        if !self.has.media {
            return None;
        }
        let mut blocks = self.conversation.blocks();
        blocks.find_map(|(t, b, block)| {
            let Block::Image(image) = block else {
                return None;
            };
            let wrong = wrong(image)?;
            fill![format!("messages.{t}.content.{b}"), wrong]
        })
    }
}

const fn is_url(source: &Source) -> bool {
    matches!(source, Source::Url(_))
}

/// The format that the first bytes name.
fn format_of(data: &[u8]) -> Option<&'static str> {
    match data {
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("webp"),
        _ => None,
    }
}
