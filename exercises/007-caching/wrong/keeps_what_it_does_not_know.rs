//! dies in: only_a_whole_answer_is_kept
//!
//! Knows which reasons to stop are bad, and keeps the answer for every other one.

// By its path, so that the same line works for `solution/lib.rs` too.
#[path = "../src/given.rs"]
mod given;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use aws_sdk_bedrockruntime::{Client, types::StopReason};
use cache_store::Store;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

pub use given::{Ask, AskError, Guardrail, Now, Reply, Source, Tool, Turn, converse};

/// What the answer to `ask` is kept under: a fingerprint of everything that the answer depends on.
pub fn key(ask: &Ask) -> String {
    // Taken apart by name and without `..`: whoever adds a field to `Ask` has to come here and decide
    // about it, or nothing compiles.
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
    // JSON has quotes, escapes and brackets, so no text can run over into its neighbour, and null is
    // not "". Its objects have their members in the order of their names, so the same schema written
    // in another order is the same.
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
    // Keys stand in logs, metrics and consoles where prompts must not. 256 bits: two questions with
    // one fingerprint would mean that somebody reads the answer to somebody else's.
    let digest = Sha256::digest(everything.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What comes of one question while it is on its way, for everybody who waits for it.
type Flight = OnceCell<Result<(Reply, Source), AskError>>;

/// Bedrock, with a store in front.
pub struct Cached<S> {
    client: Client,
    store: S,
    now: Now,
    /// By key. Those who wait hold the flight; when the last of them is gone, so is it.
    flights: Mutex<HashMap<String, Weak<Flight>>>,
}

impl<S: Store> Cached<S> {
    /// A cache that keeps answers in `store` and asks `client` for the others.
    pub fn new(client: Client, store: S, now: Now) -> Self {
        Self {
            client,
            store,
            now,
            flights: Mutex::default(),
        }
    }

    /// The answer to `ask`, from the store or from Bedrock. One that comes from Bedrock may be served
    /// again until `ttl` is over.
    pub async fn ask(&self, ask: &Ask, ttl: Duration) -> Result<(Reply, Source), AskError> {
        let key = key(ask);
        let flight = self.board(&key);
        let mut leads = false;
        // One of those who wait does the work. If it is dropped in the middle of it (its caller has
        // hung up), the cell lets the next one begin.
        let outcome = flight
            .get_or_init(|| {
                leads = true;
                self.fly(&key, ask, ttl)
            })
            .await;
        let (reply, source) = outcome.clone()?;
        match source {
            Source::Miss if !leads => Ok((reply, Source::Shared)),
            source => Ok((reply, source)),
        }
    }

    /// The flight of this key: the one that is on its way, or a new one.
    fn board(&self, key: &str) -> Arc<Flight> {
        let mut flights = self.flights();
        if let Some(flight) = flights.get(key).and_then(Weak::upgrade) {
            return flight;
        }
        // Those whose passengers have all given up did not take their own entry away.
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::default();
        flights.insert(key.to_owned(), Arc::downgrade(&flight));
        flight
    }

    /// The whole way, from the look into the store to the entry in it. The look belongs here: whoever
    /// looked first and boarded later might find the flight just landed, and would ask a second time.
    async fn fly(&self, key: &str, ask: &Ask, ttl: Duration) -> Result<(Reply, Source), AskError> {
        let outcome = match self.kept(key).await {
            Some(reply) => Ok((reply, Source::Hit)),
            None => self.call(key, ask, ttl).await,
        };
        // From here on nobody boards: what is over is asked for anew, and a failure too.
        self.flights().remove(key);
        outcome
    }

    async fn call(&self, key: &str, ask: &Ask, ttl: Duration) -> Result<(Reply, Source), AskError> {
        let reply = converse(&self.client, ask).await?;
        if !matches!(
            reply.stop,
            StopReason::MaxTokens
                | StopReason::ModelContextWindowExceeded
                | StopReason::GuardrailIntervened
                | StopReason::ContentFiltered
                | StopReason::ToolUse
        ) {
            let item = json!({
                "text": reply.text,
                "stop": reply.stop.as_str(),
                "expires_at": self.now.seconds().saturating_add(ttl.as_secs()),
            });
            // A store that is away costs money, not answers.
            let _ = self.store.put(key, item.to_string().into(), ttl).await;
        }
        Ok((reply, Source::Miss))
    }

    /// What the store has, if it is still good. Whatever is wrong with it, Bedrock can be asked.
    async fn kept(&self, key: &str) -> Option<Reply> {
        let bytes = self.store.get(key).await.ok()??;
        let item: Value = serde_json::from_slice(&bytes).ok()?;
        // Stores forget when they have time for it. The moment itself stands in the item.
        if self.now.seconds() >= item["expires_at"].as_u64()? {
            return None;
        }
        Some(Reply {
            text: item["text"].as_str()?.to_owned(),
            stop: StopReason::from(item["stop"].as_str()?),
        })
    }

    /// Held for one step, never across an await.
    fn flights(&self) -> MutexGuard<'_, HashMap<String, Weak<Flight>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
