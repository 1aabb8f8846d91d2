//! Prompt caching: which beginning of a prompt the model already knows.
//!
//! A prompt is read in the order tools, system, messages. Behind each cache point ends a prefix; a
//! request that begins with a prefix kept earlier reads it, and writes what its own cache points
//! add. As documented, a prefix is also found up to twenty blocks before a cache point, which is
//! what lets a growing conversation move its point along (recorded). Each account has its own
//! cache, and each model in it; a prefix is known by a hash of all that stands in it, so any change
//! misses.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use crate::{
    catalogue::Model,
    conversation::{Block, Conversation, Role, Thinking, Ttl},
    journal::Usage,
    media::Media,
};

/// How many blocks before a cache point a kept prefix may end (documented).
const LOOK_BACK: usize = 20;

/// How many prefixes an account keeps; the one that would expire first makes room.
const CAPACITY: usize = 4_096;

type Key = [u8; 16];

/// The prefixes that an account's models keep.
#[derive(Debug, Default)]
pub(crate) struct PromptCache {
    kept: HashMap<Key, Kept>,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    ttl: Ttl,
    until: OffsetDateTime,
}

/// A prompt's prefixes, hashed once for lookup and counting.
#[derive(Debug)]
pub(crate) struct Prefixes {
    boundaries: Vec<Boundary>,
    /// Shorter prefixes are answered and not kept, without a word.
    min_tokens: u32,
    input_tokens: u32,
}

/// The end of a tool or a block.
#[derive(Debug)]
struct Boundary {
    key: Key,
    /// Tokens of everything up to here.
    tokens: u32,
    /// For how long the caller wants this prefix kept, if at all.
    point: Option<Ttl>,
}

impl Prefixes {
    /// The prefixes of a prompt, or `None` when it has no cache point or its model no cache: then
    /// nothing is hashed.
    pub(crate) fn of(model: &Model, conversation: &Conversation) -> Option<Self> {
        let min_tokens = model.min_cache_tokens?;
        if conversation.cache_points() == 0 {
            return None;
        }
        let mut reader = Reader::new(&model.id);
        reader.tools(conversation);
        for block in &conversation.system {
            reader.block(block);
        }
        reader.settings(conversation);
        for turn in &conversation.turns {
            reader.turn(turn.role);
            for block in &turn.blocks {
                reader.block(block);
            }
        }
        if let (Some(ttl), Some(last)) = (conversation.cache_all, reader.boundaries.last_mut()) {
            last.point = last.point.max(Some(ttl));
        }
        Some(Self {
            boundaries: reader.boundaries,
            min_tokens,
            input_tokens: conversation.input_tokens(),
        })
    }

    /// The numbers of the boundaries that end a prefix worth keeping.
    fn points(&self) -> impl DoubleEndedIterator<Item = (usize, &Boundary, Ttl)> {
        let all = self.boundaries.iter().enumerate();
        all.filter(|(_, boundary)| boundary.tokens >= self.min_tokens)
            .filter_map(|(at, boundary)| Some((at, boundary, boundary.point?)))
    }
}

impl PromptCache {
    /// Reads the longest kept prefix, writes what the cache points add, keeps both alive, and says
    /// so in `usage`.
    pub(crate) fn settle(&mut self, prefixes: &Prefixes, now: OffsetDateTime, usage: &mut Usage) {
        let found = self.longest(prefixes, now);
        let mut covered = 0;
        if let Some(at) = found {
            covered = prefixes.boundaries[at].tokens;
            usage.cache_read = covered;
            self.refresh(&prefixes.boundaries[..=at], now);
        }
        for (at, boundary, ttl) in prefixes.points() {
            if found.is_some_and(|found| at <= found) {
                continue;
            }
            let added = boundary.tokens - covered;
            covered = boundary.tokens;
            match ttl {
                Ttl::FiveMinutes => usage.cache_write_5m += added,
                Ttl::OneHour => usage.cache_write_1h += added,
            }
            self.keep(boundary.key, ttl, now);
        }
        usage.input = prefixes.input_tokens.saturating_sub(covered);
    }

    /// The last boundary at or shortly before a cache point whose prefix is kept.
    fn longest(&self, prefixes: &Prefixes, now: OffsetDateTime) -> Option<usize> {
        let mut seen = prefixes.boundaries.len();
        for (point, _, _) in prefixes.points().rev() {
            let first = point.saturating_sub(LOOK_BACK);
            let end = (point + 1).min(seen);
            let mut near = (first..end).rev();
            if let Some(at) = near.find(|at| self.alive(&prefixes.boundaries[*at].key, now)) {
                return Some(at);
            }
            seen = first;
        }
        None
    }

    fn alive(&self, key: &Key, now: OffsetDateTime) -> bool {
        self.kept.get(key).is_some_and(|kept| kept.until > now)
    }

    /// A prefix that is used stays for its whole time again, and so do the shorter ones in it.
    fn refresh(&mut self, used: &[Boundary], now: OffsetDateTime) {
        for boundary in used {
            if let Some(kept) = self.kept.get_mut(&boundary.key)
                && kept.until > now
            {
                let ttl = kept.ttl.max(boundary.point.unwrap_or_default());
                *kept = Kept::new(ttl, now);
            }
        }
    }

    fn keep(&mut self, key: Key, ttl: Ttl, now: OffsetDateTime) {
        if self.kept.len() >= CAPACITY && !self.kept.contains_key(&key) {
            self.kept.retain(|_, kept| kept.until > now);
            if self.kept.len() >= CAPACITY {
                let first = self
                    .kept
                    .iter()
                    .min_by_key(|(key, kept)| (kept.until, **key));
                if let Some(first) = first.map(|(key, _)| *key) {
                    self.kept.remove(&first);
                }
            }
        }
        self.kept.insert(key, Kept::new(ttl, now));
    }
}

impl Kept {
    fn new(ttl: Ttl, now: OffsetDateTime) -> Self {
        let time = match ttl {
            Ttl::FiveMinutes => Duration::minutes(5),
            Ttl::OneHour => Duration::hours(1),
        };
        Self {
            ttl,
            until: now.saturating_add(time),
        }
    }
}

/// Runs along a prompt once, with one hash that grows.
struct Reader {
    hash: Sha256,
    tokens: u32,
    boundaries: Vec<Boundary>,
}

impl Reader {
    fn new(model: &str) -> Self {
        let mut reader = Self {
            hash: Sha256::new(),
            tokens: 0,
            boundaries: Vec::new(),
        };
        reader.text("model", model);
        reader
    }

    fn tools(&mut self, conversation: &Conversation) {
        let points = &conversation.tool_cache_points;
        let point_after = |n: usize| {
            let here = points.iter().filter(|(after, _)| *after == n);
            here.map(|(_, ttl)| *ttl).max()
        };
        self.tokens = conversation.preamble_tokens();
        for (n, tool) in conversation.tools.iter().enumerate() {
            self.text("tool", &tool.name);
            self.text("description", &tool.description);
            self.text("schema", &crate::json::sorted(&tool.schema));
            self.text("kind", tool.built_in.as_deref().unwrap_or_default());
            self.flag(tool.strict);
            self.boundary(tool.tokens());
            if let (Some(ttl), Some(last)) = (point_after(n + 1), self.boundaries.last_mut()) {
                last.point = Some(ttl);
            }
        }
    }

    /// What changes the messages' cache and not that of tools and system (documented).
    fn settings(&mut self, conversation: &Conversation) {
        self.text("choice", &format!("{:?}", conversation.choice));
        if conversation.thinking != Thinking::Off {
            self.text("thinking", &format!("{:?}", conversation.thinking));
        }
    }

    fn turn(&mut self, role: Role) {
        let role = match role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System => "system",
        };
        self.text("turn", role);
        self.tokens = self.tokens.saturating_add(Conversation::TURN);
    }

    fn block(&mut self, block: &Block) {
        if let Block::CachePoint(point) = block {
            if let Some(last) = self.boundaries.last_mut() {
                last.point = last.point.max(Some(point.ttl));
            }
            return;
        }
        self.content(block);
        self.boundary(block.tokens());
    }

    fn content(&mut self, block: &Block) {
        match block {
            Block::Text(text) => self.text("text", text),
            Block::Reasoning { text, signature } => {
                self.text("reasoning", text);
                self.text("signature", signature.as_deref().unwrap_or_default());
            }
            Block::RedactedReasoning(data) => self.text("redacted", data),
            Block::ToolUse { id, name, input } => {
                self.text("tool_use", id);
                self.text("name", name);
                self.text("input", &crate::json::sorted(input));
            }
            Block::ToolResult { id, failed, parts } => {
                self.text("tool_result", id);
                self.flag(*failed);
                for part in parts {
                    self.content(part);
                }
            }
            Block::Json(value) => self.text("json", &crate::json::sorted(value)),
            Block::Image(image) => self.media("image", &image.media),
            Block::Document(document) => {
                self.media("document", &document.media);
                self.text("name", &document.name);
                self.text("text", &document.text);
                self.text("context", document.context.as_deref().unwrap_or_default());
                self.flag(document.citations);
            }
            Block::SearchResult {
                source,
                title,
                text,
                citations,
            } => {
                self.text("search", source);
                self.text("title", title);
                self.text("text", text);
                self.flag(*citations);
            }
            Block::Guard { text, qualifiers } => {
                self.text("guard", text);
                for qualifier in qualifiers {
                    self.text("qualifier", qualifier);
                }
            }
            Block::ToolChange { name } => self.text("tool_change", name),
            Block::Video(media) => self.media("video", media),
            Block::Audio(media) => self.media("audio", media),
            Block::CachePoint(_) => {}
        }
    }

    fn media(&mut self, kind: &str, media: &Media) {
        self.text(kind, &media.format);
        self.text("source", &format!("{:?}", media.source));
        self.bytes(&media.data);
    }

    fn text(&mut self, kind: &str, text: &str) {
        self.bytes(kind.as_bytes());
        self.bytes(text.as_bytes());
    }

    fn flag(&mut self, on: bool) {
        self.bytes(&[u8::from(on)]);
    }

    /// With its length, so that two texts cannot be told as one.
    fn bytes(&mut self, bytes: &[u8]) {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.hash.update(length.to_le_bytes());
        self.hash.update(bytes);
    }

    fn boundary(&mut self, tokens: u32) {
        self.tokens = self.tokens.saturating_add(tokens);
        let digest = self.hash.clone().finalize();
        let mut key = Key::default();
        key.copy_from_slice(&digest[..16]);
        self.boundaries.push(Boundary {
            key,
            tokens: self.tokens,
            point: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::{CAPACITY, Key, PromptCache};
    use crate::conversation::Ttl;

    #[test]
    fn what_is_kept_is_bounded_and_the_first_to_expire_goes() {
        let mut cache = PromptCache::default();
        let start = OffsetDateTime::UNIX_EPOCH;
        let key = |n: usize| -> Key { (n as u128).to_le_bytes() };
        for n in 0..CAPACITY + 10 {
            let ttl = if n == 0 {
                Ttl::OneHour
            } else {
                Ttl::FiveMinutes
            };
            cache.keep(
                key(n),
                ttl,
                start + Duration::milliseconds(1) * u32::try_from(n).unwrap(),
            );
        }
        assert_eq!(cache.kept.len(), CAPACITY);
        assert!(cache.kept.contains_key(&key(0)) && !cache.kept.contains_key(&key(1)));
        cache.keep(
            key(CAPACITY * 2),
            Ttl::FiveMinutes,
            start + Duration::minutes(30),
        );
        assert_eq!(cache.kept.len(), 2, "expired prefixes go first");
    }
}
