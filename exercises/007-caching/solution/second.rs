//! Exercise 007, solved another way: a task of its own makes each call, and everybody who asks listens
//! to it.
//!
//! `workshop verify` runs the tests against this one too: they must not insist on one way of writing.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_bedrockruntime::{Client, types::StopReason};
use bytes::{Buf, BufMut, Bytes};
use cache_store::Store;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

pub use given::{Ask, AskError, Guardrail, Now, Reply, Source, Tool, Turn, converse};

/// Hashes parts, each behind its length: that keeps neighbours apart as well as any quotes.
#[derive(Default)]
struct Fingerprint(Sha256);

impl Fingerprint {
    fn part(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let bytes = bytes.as_ref();
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// As many parts as follow.
    fn list(&mut self, len: usize) -> &mut Self {
        self.part((len as u64).to_be_bytes())
    }
}

/// What the answer to `ask` is kept under: a fingerprint of everything that the answer depends on.
pub fn key(ask: &Ask) -> String {
    let mut print = Fingerprint::default();
    print.part(&ask.tenant).part(&ask.model);
    print.list(ask.system.iter().len());
    if let Some(system) = &ask.system {
        print.part(system);
    }
    print.list(ask.messages.len());
    for turn in &ask.messages {
        print.part(turn.role.as_str()).part(&turn.text);
    }
    print.part(ask.max_tokens.to_be_bytes());
    print.list(ask.temperature.iter().len());
    if let Some(temperature) = &ask.temperature {
        print.part(temperature.to_be_bytes());
    }
    print.list(ask.guardrail.iter().len());
    if let Some(guardrail) = &ask.guardrail {
        print.part(&guardrail.id).part(&guardrail.version);
    }
    print.list(ask.tools.len());
    for tool in &ask.tools {
        print.part(&tool.name).part(&tool.description);
        print.part(tool.input.to_string());
    }
    let digest = print.0.finalize();
    let hex = digest.iter().map(|byte| format!("{byte:02x}"));
    format!("answer-1-{}", hex.collect::<String>())
}

type Outcome = Result<(Reply, Source), AskError>;

/// Bedrock, with a store in front. Cheap to clone; clones are the same.
pub struct Cached<S>(Arc<Inner<S>>);

struct Inner<S> {
    client: Client,
    store: S,
    now: Now,
    on_the_way: Mutex<HashMap<String, watch::Receiver<Option<Outcome>>>>,
}

impl<S: Store + 'static> Cached<S> {
    /// A cache that keeps answers in `store` and asks `client` for the others.
    pub fn new(client: Client, store: S, now: Now) -> Self {
        Self(Arc::new(Inner {
            client,
            store,
            now,
            on_the_way: Mutex::default(),
        }))
    }

    /// The answer to `ask`, from the store or from Bedrock. One that comes from Bedrock may be served
    /// again until `ttl` is over.
    pub async fn ask(&self, ask: &Ask, ttl: Duration) -> Result<(Reply, Source), AskError> {
        let key = key(ask);
        loop {
            let (mut listener, first) = self.listen(&key, ask, ttl);
            let outcome = listener.wait_for(Option::is_some).await;
            // Only a task that panicked, or a runtime that ends, goes without a word: once more.
            let Ok(outcome) = outcome.map(|outcome| outcome.clone()) else {
                continue;
            };
            return match outcome {
                Some(Ok((reply, Source::Miss))) if !first => Ok((reply, Source::Shared)),
                Some(outcome) => outcome,
                None => continue,
            };
        }
    }

    /// Where the outcome will be told, and whether this ask started it.
    fn listen(
        &self,
        key: &str,
        ask: &Ask,
        ttl: Duration,
    ) -> (watch::Receiver<Option<Outcome>>, bool) {
        let mut on_the_way = self.0.lock();
        let entry = on_the_way.entry(key.to_owned());
        if let Entry::Occupied(other) = &entry
            && other.get().has_changed().is_ok()
        {
            return (other.get().clone(), false);
        }
        let (teller, listener) = watch::channel(None);
        entry.insert_entry(listener.clone());
        // The task belongs to nobody who waits: whoever hangs up takes nobody along.
        let (inner, key, ask) = (Arc::clone(&self.0), key.to_owned(), ask.clone());
        tokio::spawn(async move {
            let outcome = inner.find(&key, &ask, ttl).await;
            inner.lock().remove(&key);
            teller.send_replace(Some(outcome));
        });
        (listener, true)
    }
}

impl<S: Store> Inner<S> {
    async fn find(&self, key: &str, ask: &Ask, ttl: Duration) -> Outcome {
        let found = self.store.get(key).await.ok().flatten();
        if let Some(reply) = found.and_then(|item| decode(item, self.now.seconds())) {
            return Ok((reply, Source::Hit));
        }
        let reply = converse(&self.client, ask).await?;
        let whole = [StopReason::EndTurn, StopReason::StopSequence].contains(&reply.stop);
        if whole {
            let over = self.now.seconds().saturating_add(ttl.as_secs());
            let kept = self.store.put(key, encode(&reply, over), ttl).await;
            drop(kept);
        }
        Ok((reply, Source::Miss))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, watch::Receiver<Option<Outcome>>>> {
        let locked = self.on_the_way.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }
}

/// When it is over, how it ended (0 or 1), its text.
fn encode(reply: &Reply, over: u64) -> Bytes {
    let mut item = Vec::with_capacity(9 + reply.text.len());
    item.put_u64(over);
    item.put_u8(u8::from(reply.stop == StopReason::StopSequence));
    item.put_slice(reply.text.as_bytes());
    item.into()
}

fn decode(mut item: Bytes, now: u64) -> Option<Reply> {
    if item.try_get_u64().ok()? <= now {
        return None;
    }
    let stop = match item.try_get_u8().ok()? {
        0 => StopReason::EndTurn,
        1 => StopReason::StopSequence,
        _ => return None,
    };
    let text = String::from_utf8(item.into()).ok()?;
    Some(Reply { text, stop })
}
