//! dies in: twenty_at_once_are_one_call, a_failure_is_for_all_who_waited, a_late_look_asks_nobody_twice
//!
//! Looks into the store, then asks: so do the other nineteen.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::time::Duration;

use aws_sdk_bedrockruntime::{Client, types::StopReason};
use cache_store::Store;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use given::{Ask, AskError, Guardrail, Now, Reply, Source, Tool, Turn, converse};

/// What the answer to `ask` is kept under: a fingerprint of everything that the answer depends on.
pub fn key(ask: &Ask) -> String {
    let Ask {
        tenant,
        model,
        system,
        messages,
        max_tokens,
        temperature,
        guardrail,
        tools,
    } = ask;
    let turn = |turn: &Turn| json!([turn.role.as_str(), turn.text]);
    let tool = |tool: &Tool| json!([tool.name, tool.description, tool.input]);
    let everything = json!({
        "tenant": tenant,
        "model": model,
        "system": system,
        "messages": messages.iter().map(turn).collect::<Vec<_>>(),
        "max_tokens": max_tokens,
        "temperature": temperature,
        "guardrail": guardrail.as_ref().map(|g| [&g.id, &g.version]),
        "tools": tools.iter().map(tool).collect::<Vec<_>>(),
    });
    let digest = Sha256::digest(everything.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bedrock, with a store in front.
pub struct Cached<S> {
    client: Client,
    store: S,
    now: Now,
}

impl<S: Store> Cached<S> {
    /// A cache that keeps answers in `store` and asks `client` for the others.
    pub fn new(client: Client, store: S, now: Now) -> Self {
        Self { client, store, now }
    }

    /// The answer to `ask`, from the store or from Bedrock. One that comes from Bedrock may be served
    /// again until `ttl` is over.
    pub async fn ask(&self, ask: &Ask, ttl: Duration) -> Result<(Reply, Source), AskError> {
        let key = key(ask);
        match self.kept(&key).await {
            Some(reply) => Ok((reply, Source::Hit)),
            None => self.call(&key, ask, ttl).await,
        }
    }

    async fn call(&self, key: &str, ask: &Ask, ttl: Duration) -> Result<(Reply, Source), AskError> {
        let reply = converse(&self.client, ask).await?;
        if let StopReason::EndTurn | StopReason::StopSequence = reply.stop {
            let item = json!({
                "text": reply.text,
                "stop": reply.stop.as_str(),
                "expires_at": self.now.seconds().saturating_add(ttl.as_secs()),
            });
            let _ = self.store.put(key, item.to_string().into(), ttl).await;
        }
        Ok((reply, Source::Miss))
    }

    /// What the store has, if it is still good. Whatever is wrong with it, Bedrock can be asked.
    async fn kept(&self, key: &str) -> Option<Reply> {
        let bytes = self.store.get(key).await.ok()??;
        let item: Value = serde_json::from_slice(&bytes).ok()?;
        if self.now.seconds() >= item["expires_at"].as_u64()? {
            return None;
        }
        Some(Reply {
            text: item["text"].as_str()?.to_owned(),
            stop: StopReason::from(item["stop"].as_str()?),
        })
    }
}
