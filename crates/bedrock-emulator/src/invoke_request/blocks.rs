//! The content blocks of a Messages body.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    body::{CacheControl, Citations, Content, ContentBlock, Source, SourceObject},
    messages::cache_point,
    taken::{Complaint, Member, Structure as _, should_be, unknown_tag},
};
use crate::{
    conversation::{Block, CachePoint, Ttl, texts},
    media::{self, Document, Image, Media},
    place::Place,
};

/// The kinds of blocks and the members of each, as Anthropic documents them for Bedrock.
const KINDS: &[(&str, &[&str])] = &[
    (
        "document",
        &[
            "type",
            "source",
            "title",
            "context",
            "citations",
            "cache_control",
        ],
    ),
    ("image", &["type", "source", "cache_control"]),
    ("redacted_thinking", &["type", "data"]),
    (
        "search_result",
        &[
            "type",
            "source",
            "title",
            "content",
            "citations",
            "cache_control",
        ],
    ),
    ("text", &["type", "text", "citations", "cache_control"]),
    ("thinking", &["type", "thinking", "signature"]),
    (
        "tool_result",
        &[
            "type",
            "tool_use_id",
            "content",
            "is_error",
            "cache_control",
        ],
    ),
    (
        "tool_use",
        &["type", "id", "name", "input", "caller", "cache_control"],
    ),
];

/// Content as a string or as a list of blocks; a block's `cache_control` becomes a cache point.
pub(super) fn content(content: Content, at: &Place<'_>) -> Result<Vec<Block>, Complaint> {
    let list = match content {
        Content::Text(text) => return Ok(vec![Block::Text(text)]),
        Content::Blocks(list) => list,
    };
    let mut blocks = Vec::with_capacity(list.len());
    for (b, member) in list.into_iter().enumerate() {
        let at = at.index(b);
        let ttl = block(member.required(&at)?, &at, &mut blocks)?;
        if let Some(ttl) = ttl {
            blocks.push(Block::CachePoint(CachePoint {
                ttl,
                attached: true,
            }));
        }
    }
    Ok(blocks)
}

/// Reads one block into `blocks`, and the cache point behind it.
fn block(
    block: ContentBlock,
    at: &Place<'_>,
    blocks: &mut Vec<Block>,
) -> Result<Option<Ttl>, Complaint> {
    let kind = block.kind.clone().required(&at.member("type"))?;
    let Some((kind, members)) = KINDS.iter().find(|(name, _)| *name == kind) else {
        let tags: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
        return Err(unknown_tag(at, &kind, &tags));
    };
    let at = &at.member(kind);
    let extra = block.only(members, Some(at));
    let mut ttl = cache_point(block.cache_control, at)?;
    let text = |member: Member<String>, name: &str| member.required(&at.member(name));
    let read = match *kind {
        "text" => Block::Text(text(block.text, "text")?),
        "thinking" => Block::Reasoning {
            text: text(block.thinking, "thinking")?,
            signature: Some(text(block.signature, "signature")?),
        },
        "redacted_thinking" => Block::RedactedReasoning(text(block.data, "data")?),
        "tool_use" => Block::ToolUse {
            id: name(block.id, &at.member("id"), usize::MAX)?,
            name: name(block.name, &at.member("name"), 200)?,
            input: block.input.required(&at.member("input"))?.0,
        },
        "tool_result" => {
            let content_at = at.member("content");
            let mut parts = match block.content.optional(&content_at)? {
                Some(inner) => content(inner, &content_at)?,
                None => Vec::new(),
            };
            let id = name(block.tool_use_id, &at.member("tool_use_id"), usize::MAX)?;
            let failed = block.is_error.optional(&at.member("is_error"))?;
            // A point inside a tool result ends the same prefix as one behind it.
            parts.retain(|part| match part {
                Block::CachePoint(point) => {
                    ttl = ttl.or(Some(point.ttl));
                    false
                }
                _ => true,
            });
            Block::ToolResult {
                id,
                failed: failed.unwrap_or_default(),
                parts,
            }
        }
        "image" => {
            let source = source(block.source, &at.member("source"), IMAGES)?;
            Block::Image(Image::new(source.media))
        }
        "document" => Block::Document(document(
            block.source,
            block.title,
            block.context,
            block.citations,
            at,
        )?),
        _ => search_result(
            block.source,
            block.title,
            block.content,
            block.citations,
            at,
        )?,
    };
    extra?;
    blocks.push(read);
    Ok(ttl)
}

/// An id or a name: letters, digits, `_` and `-`.
fn name(sent: Member<String>, at: &Place<'_>, most: usize) -> Result<String, Complaint> {
    let name = sent.required(at)?;
    let legal = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if name.is_empty() || !name.chars().all(legal) {
        return Err(Complaint(format!(
            "{at}: String should match pattern '^[a-zA-Z0-9_-]+$'"
        )));
    }
    if name.len() > most {
        return Err(Complaint(format!(
            "{at}: String should have at most {most} characters"
        )));
    }
    Ok(name)
}

fn document(
    sent: Member<Source>,
    title: Member<String>,
    context: Member<String>,
    citations: Member<Citations>,
    at: &Place<'_>,
) -> Result<Document, Complaint> {
    let source = source(sent, &at.member("source"), DOCUMENTS)?;
    let title = title.optional(&at.member("title"))?;
    let mut document = Document::new(title.unwrap_or_default(), source.media);
    if let Some(text) = source.text {
        document.text = text;
    }
    document.context = context.optional(&at.member("context"))?;
    document.citations = wants_citations(citations, at)?;
    Ok(document)
}

fn search_result(
    source: Member<Source>,
    title: Member<String>,
    found: Member<Content>,
    citations: Member<Citations>,
    at: &Place<'_>,
) -> Result<Block, Complaint> {
    let source_at = at.member("source");
    let source = match source.required(&source_at)? {
        Source::Text(text) => text,
        Source::Object(_) => return Err(should_be(&source_at, "a valid string")),
    };
    let title = title.required(&at.member("title"))?;
    let content_at = at.member("content");
    let found = content(found.required(&content_at)?, &content_at)?;
    Ok(Block::SearchResult {
        source,
        title,
        text: texts(&found),
        citations: wants_citations(citations, at)?,
    })
}

fn wants_citations(sent: Member<Citations>, at: &Place<'_>) -> Result<bool, Complaint> {
    let citations = sent.optional(&at.member("citations"))?;
    Ok(matches!(citations, Some(Citations::Wanted(true))))
}

/// What a kind of source may be: its tags, and the media types of base64.
struct Accepts {
    tags: &'static [&'static str],
    /// Media types with Converse's names for them.
    media_types: &'static [(&'static str, &'static str)],
    /// The media types in a complaint.
    listed: &'static str,
}

const IMAGES: &Accepts = &Accepts {
    tags: &["base64", "url"],
    media_types: &[
        ("image/jpeg", "jpeg"),
        ("image/png", "png"),
        ("image/gif", "gif"),
        ("image/webp", "webp"),
    ],
    listed: "'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
};

const DOCUMENTS: &Accepts = &Accepts {
    tags: &["base64", "content", "text", "url"],
    media_types: &[("application/pdf", "pdf")],
    listed: "'application/pdf'",
};

/// What a source holds.
struct Read {
    media: Media,
    /// Its text, unless it is bytes.
    text: Option<String>,
}

fn source(sent: Member<Source>, at: &Place<'_>, accepts: &Accepts) -> Result<Read, Complaint> {
    let Source::Object(source) = sent.required(at)? else {
        let wanted = "a valid dictionary or object to extract fields from";
        return Err(should_be(at, wanted));
    };
    let kind = source.kind.clone().required(&at.member("type"))?;
    if !accepts.tags.contains(&kind.as_str()) {
        return Err(unknown_tag(at, &kind, accepts.tags));
    }
    let at = at.member(&kind);
    let members: &[&str] = match kind.as_str() {
        "content" => &["type", "content"],
        "url" => &["type", "url"],
        _ => &["type", "media_type", "data"],
    };
    source.only(members, Some(&at))?;
    let mut format = String::new();
    let mut data = Vec::new();
    let mut text = None;
    let SourceObject {
        media_type,
        data: sent,
        url,
        content: inner,
        ..
    } = *source;
    let source = match kind.as_str() {
        "base64" => {
            let media_type_at = at.member("media_type");
            let media_type = media_type.required(&media_type_at)?;
            let known = accepts.media_types.iter().find(|(t, _)| *t == media_type);
            let known = known.ok_or_else(|| should_be(&media_type_at, accepts.listed))?;
            known.1.clone_into(&mut format);
            let data_at = at.member("data");
            data = STANDARD
                .decode(sent.required(&data_at)?)
                .map_err(|_| Complaint(format!("{data_at}: Invalid base64 data")))?;
            media::Source::Bytes
        }
        "text" => {
            let media_type_at = at.member("media_type");
            if media_type.required(&media_type_at)? != "text/plain" {
                return Err(should_be(&media_type_at, "'text/plain'"));
            }
            "txt".clone_into(&mut format);
            text = Some(sent.required(&at.member("data"))?);
            media::Source::Text
        }
        "content" => {
            let content_at = at.member("content");
            let inner = inner.required(&content_at)?;
            text = Some(texts(&content(inner, &content_at)?));
            media::Source::Content
        }
        _ => media::Source::Url(url.required(&at.member("url"))?),
    };
    Ok(Read {
        media: Media {
            format,
            source,
            data,
        },
        text,
    })
}

/// How long a cached prefix lives.
pub(super) fn ttl(control: CacheControl, at: &Place<'_>) -> Result<Ttl, Complaint> {
    let kind = control.kind.clone().required(&at.member("type"))?;
    if kind != "ephemeral" {
        return Err(unknown_tag(at, &kind, &["ephemeral"]));
    }
    let at = at.member("ephemeral");
    control.only(&["type", "ttl"], Some(&at))?;
    let ttl_at = at.member("ttl");
    let Some(ttl) = control.ttl.optional(&ttl_at)? else {
        return Ok(Ttl::default());
    };
    Ttl::of_name(&ttl).ok_or_else(|| should_be(&ttl_at, "'5m' or '1h'"))
}
