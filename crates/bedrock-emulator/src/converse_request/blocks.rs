//! The content blocks of a Converse body, from the service model's shapes to what was said.

use super::{
    must_be_object,
    shapes::{
        CachePointBlock, ContentBlock, GuardContent, Media, ReasoningContent, Source, TextBlock,
        ToolResult, ToolUse, Union as _,
    },
    union_several, union_unset,
};
use crate::{
    conversation::{Block, CachePoint, Ttl},
    error::ApiError,
    media::{self, Document, Image},
    place::Place,
};

/// What a caller is told to set, in the order of Bedrock's sentence.
const KEYS: &[&str] = &["text", "image", "toolUse", "toolResult", "document"];

impl ContentBlock {
    pub(super) fn block(self, at: &Place<'_>) -> Result<Block, ApiError> {
        Ok(match self {
            Self::Text(text) => Block::Text(text),
            Self::Image(image) => Block::Image(Image::new(image.read(&at.member("image"))?.0)),
            Self::Document(document) => Block::Document(document.document(&at.member("document"))?),
            Self::ToolUse(tool_use) => tool_use.block(&at.member("toolUse"))?,
            Self::ToolResult(result) => result.block(&at.member("toolResult"))?,
            Self::ReasoningContent(reasoning) => reasoning.block(&at.member("reasoningContent"))?,
            Self::CachePoint(point) => Block::CachePoint(CachePoint {
                ttl: point.ttl(),
                attached: false,
            }),
            Self::Video(video) => Block::Video(video.read(&at.member("video"))?.0),
            Self::Audio(audio) => Block::Audio(audio.read(&at.member("audio"))?.0),
            Self::GuardContent(guard) => guard.block(&at.member("guardContent"))?,
            Self::SearchResult(result) => {
                let citations = result.citations.and_then(|c| c.enabled);
                Block::SearchResult {
                    source: result.source.unwrap_or_default(),
                    title: result.title.unwrap_or_default(),
                    text: joined(result.content),
                    citations: citations.unwrap_or_default(),
                }
            }
            // What the model said is `content`; the citations beside it are for the reader.
            Self::CitationsContent(cited) => Block::Text(joined(cited.content)),
            Self::ToolAddition(change) | Self::ToolRemoval(change) => Block::ToolChange {
                name: change.tool.and_then(|tool| tool.name).unwrap_or_default(),
            },
            Self::Json(json) => {
                must_be_object(&json, &at.member("json"))?;
                Block::Json(json)
            }
            Self::Unset => return Err(union_unset("ContentBlock", at, KEYS)),
            Self::Several => return Err(union_several("ContentBlock", at, KEYS)),
        })
    }
}

impl CachePointBlock {
    pub(super) fn ttl(&self) -> Ttl {
        let named = self.ttl.as_deref().and_then(Ttl::of_name);
        named.unwrap_or_default()
    }
}

impl ToolUse {
    fn block(self, at: &Place<'_>) -> Result<Block, ApiError> {
        let input = self.input.unwrap_or_default();
        must_be_object(&input, &at.member("input"))?;
        Ok(Block::ToolUse {
            id: self.id.unwrap_or_default(),
            name: self.name.unwrap_or_default(),
            input,
        })
    }
}

impl ToolResult {
    fn block(self, at: &Place<'_>) -> Result<Block, ApiError> {
        let at = at.member("content");
        let mut parts = Vec::new();
        for (c, content) in self.content.unwrap_or_default().into_iter().enumerate() {
            parts.push(content.block(&at.index(c))?);
        }
        Ok(Block::ToolResult {
            id: self.id.unwrap_or_default(),
            failed: self.status.as_deref() == Some("error"),
            parts,
        })
    }
}

impl ReasoningContent {
    fn block(self, at: &Place<'_>) -> Result<Block, ApiError> {
        Ok(match self {
            Self::ReasoningText(reasoning) => Block::Reasoning {
                text: reasoning.text.unwrap_or_default(),
                signature: reasoning.signature,
            },
            // Converse carries Anthropic's base64 string in base64 once more (recorded).
            Self::RedactedContent(data) => {
                Block::RedactedReasoning(String::from_utf8_lossy(&data.0).into_owned())
            }
            Self::Unset => return Err(union_unset("ReasoningContentBlock", at, Self::KEYS)),
            Self::Several => return Err(union_several("ReasoningContentBlock", at, Self::KEYS)),
        })
    }
}

impl GuardContent {
    fn block(self, at: &Place<'_>) -> Result<Block, ApiError> {
        Ok(match self {
            Self::Text(text) => Block::Guard {
                text: text.text.unwrap_or_default(),
                qualifiers: text.qualifiers.unwrap_or_default(),
            },
            Self::Image(image) => Block::Image(Image::new(image.read(&at.member("image"))?.0)),
            Self::Unset => {
                return Err(union_unset("GuardrailConverseContentBlock", at, Self::KEYS));
            }
            Self::Several => {
                return Err(union_several(
                    "GuardrailConverseContentBlock",
                    at,
                    Self::KEYS,
                ));
            }
        })
    }
}

impl Media {
    /// Its bytes, or the text that stands in their place.
    fn read(self, at: &Place<'_>) -> Result<(media::Media, Option<String>), ApiError> {
        let at = at.member("source");
        let format = self.format.unwrap_or_default();
        let mut data = Vec::new();
        let mut text = None;
        let source = match self.source {
            Some(Source::S3Location(location)) => {
                media::Source::S3(location.uri.unwrap_or_default())
            }
            Some(Source::Text(said)) => {
                text = Some(said);
                media::Source::Text
            }
            Some(Source::Content(content)) => {
                text = Some(joined(Some(content)));
                media::Source::Content
            }
            Some(Source::Bytes(bytes)) => {
                data = bytes.0;
                media::Source::Bytes
            }
            None => media::Source::None,
            Some(Source::Unset) => {
                return Err(union_unset("Source", &at, &Source::KEYS[..2]));
            }
            Some(Source::Several) => {
                return Err(union_several("Source", &at, &Source::KEYS[..2]));
            }
        };
        let media = media::Media {
            format,
            source,
            data,
        };
        Ok((media, text))
    }

    fn document(mut self, at: &Place<'_>) -> Result<Document, ApiError> {
        let name = self.name.take().unwrap_or_default();
        let context = self.context.take();
        let citations = self.citations.take().and_then(|c| c.enabled);
        let (media, text) = self.read(at)?;
        let mut document = Document::new(name, media);
        if let Some(text) = text {
            document.text = text;
        }
        document.context = context;
        document.citations = citations.unwrap_or_default();
        Ok(document)
    }
}

/// The texts of some blocks, one a line.
fn joined(blocks: Option<Vec<TextBlock>>) -> String {
    let texts = blocks.into_iter().flatten().filter_map(|block| block.text);
    texts.collect::<Vec<_>>().join("\n")
}
