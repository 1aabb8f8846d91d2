//! A cache of answers that never serves the wrong one, a stale one, or pays twice at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

// region: key
/// Everything that changes the answer, and whose answer it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Question<'a> {
    /// Whose data the prompt may contain. Answers never cross this line.
    pub tenant: &'a str,
    /// The inference profile id.
    pub model: &'a str,
    /// The system prompt.
    pub system: Option<&'a str>,
    /// What is asked.
    pub prompt: &'a str,
    /// Longest answer, in tokens.
    pub max_tokens: i32,
    /// Sampling temperature, for models that take one.
    pub temperature: Option<f32>,
    /// Guardrail id and version.
    pub guardrail: Option<(&'a str, &'a str)>,
}

/// The cache key: a hash, so that no prompt can be read from the cache's keys.
pub fn key(question: &Question<'_>) -> String {
    // Taken apart by name: a field that is added and forgotten here does not compile.
    let Question {
        tenant,
        model,
        system,
        prompt,
        max_tokens,
        temperature,
        guardrail,
    } = question;
    // A JSON array is unambiguous; joined strings are not ("ab" + "c" is "a" + "bc").
    let parts = json!([
        "v1",
        tenant,
        model,
        system,
        prompt,
        max_tokens,
        temperature,
        guardrail
    ]);
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(parts.to_string()))
}
// endregion: key

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The answer; an empty one is an answer too.
    pub text: String,
    /// Seconds since 1970.
    pub expires_at: u64,
}

/// DynamoDB, Redis or memory. May still return what has expired: DynamoDB deletes late.
pub trait Store: Send + Sync {
    /// The item under that key.
    fn get(&self, key: &str) -> impl Future<Output = Option<Item>> + Send;
    /// Stores or replaces it. A cache that cannot store is slow, not broken: no error here.
    fn put(&self, key: &str, item: Item) -> impl Future<Output = ()> + Send;
}

/// What the model said, as far as the cache cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// Whether the model came to its end (`end_turn`); a truncated or blocked answer is passed
    /// on, but not kept.
    pub complete: bool,
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The store.
    Hit,
    /// The model, asked for this caller.
    Miss,
    /// Another caller who asked the same at the same time.
    Shared,
}

type Flight<E> = OnceCell<Result<(Answer, Source), E>>;

/// A store, and the questions being asked at the moment.
#[derive(Debug)]
pub struct Cache<S, E> {
    store: S,
    /// Never held across an `.await`.
    flights: Mutex<HashMap<String, Weak<Flight<E>>>>,
}

// region: single-flight
impl<S: Store, E: Clone> Cache<S, E> {
    /// The stored answer, or what `fetch` brings (polled only if it is needed). Callers with the
    /// same key at the same time share one fetch, its failure included; the next one after them
    /// starts afresh.
    pub async fn answer(
        &self,
        key: &str,
        now: u64,
        ttl: Duration,
        fetch: impl Future<Output = Result<Answer, E>>,
    ) -> Result<(Answer, Source), E> {
        let flight = self.flight(key);
        let mut leads = false;
        let landed = flight
            .get_or_init(async || {
                leads = true;
                // The time to live is judged here, not by the store.
                let stored = self.store.get(key).await;
                if let Some(item) = stored.filter(|item| now < item.expires_at) {
                    let (text, complete) = (item.text, true);
                    return Ok((Answer { text, complete }, Source::Hit));
                }
                let answer = fetch.await?;
                if answer.complete {
                    let (text, expires_at) = (answer.text.clone(), now + ttl.as_secs());
                    self.store.put(key, Item { text, expires_at }).await;
                }
                Ok((answer, Source::Miss))
            })
            .await
            .clone();
        self.land(key, &flight);
        let (answer, source) = landed?;
        Ok((answer, if leads { source } else { Source::Shared }))
    }

    /// The flight for that key that is in the air, or a new one.
    fn flight(&self, key: &str) -> Arc<Flight<E>> {
        let mut flights = self.flights.lock().expect("no code panics with the lock");
        if let Some(flight) = flights.get(key).and_then(Weak::upgrade) {
            return flight;
        }
        let flight = Arc::new(OnceCell::new());
        flights.insert(key.to_owned(), Arc::downgrade(&flight));
        flight
    }

    /// Forgets a flight that has landed, unless a newer one is under way.
    fn land(&self, key: &str, flight: &Arc<Flight<E>>) {
        let mut flights = self.flights.lock().expect("no code panics with the lock");
        if flights
            .get(key)
            .is_some_and(|known| known.as_ptr() == Arc::as_ptr(flight))
        {
            flights.remove(key);
        }
    }
}
// endregion: single-flight

impl<S, E> Cache<S, E> {
    /// An empty cache over a store.
    pub fn new(store: S) -> Self {
        Self {
            store,
            flights: Mutex::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{HashMap, HashSet},
        sync::{
            Arc, Mutex,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use aws_sdk_bedrockruntime::types::StopReason;
    use tokio::{sync::Notify, task::JoinSet};
    use workshop_testkit::{Lab, Piece, Step};

    use super::{Answer, Cache, Item, Question, Source, Store, key};
    use crate::direct::ask;

    const TTL: Duration = Duration::from_mins(1);

    /// A store that, like DynamoDB, returns what has expired.
    #[derive(Debug, Default)]
    struct Memory(Mutex<HashMap<String, Item>>);

    impl Store for Memory {
        async fn get(&self, key: &str) -> Option<Item> {
            self.0.lock().unwrap().get(key).cloned()
        }

        async fn put(&self, key: &str, item: Item) {
            self.0.lock().unwrap().insert(key.to_owned(), item);
        }
    }

    fn cache() -> Cache<Memory, &'static str> {
        Cache::new(Memory::default())
    }

    #[expect(clippy::unnecessary_wraps, reason = "what a fetch brings")]
    fn says(text: &str) -> Result<Answer, &'static str> {
        Ok(Answer {
            text: text.to_owned(),
            complete: true,
        })
    }

    #[test]
    fn every_field_changes_the_key_and_no_key_shows_the_prompt() {
        let plain = Question {
            tenant: "a",
            model: "m",
            system: None,
            prompt: "Hello",
            max_tokens: 64,
            temperature: None,
            guardrail: None,
        };
        let questions = [
            plain.clone(),
            Question {
                tenant: "b",
                ..plain.clone()
            },
            Question {
                model: "n",
                ..plain.clone()
            },
            Question {
                system: Some(""),
                ..plain.clone()
            },
            Question {
                prompt: "hello",
                ..plain.clone()
            },
            Question {
                max_tokens: 65,
                ..plain.clone()
            },
            Question {
                temperature: Some(0.5),
                ..plain.clone()
            },
            Question {
                guardrail: Some(("g", "1")),
                ..plain.clone()
            },
            // The same letters, cut elsewhere.
            Question {
                tenant: "am",
                model: "",
                ..plain
            },
        ];
        let keys: HashSet<String> = questions.iter().map(key).collect();
        assert_eq!(keys.len(), questions.len());
        assert!(keys.iter().all(|k| k.len() == 43 && !k.contains("Hello")));
    }

    #[tokio::test]
    async fn an_answer_is_good_until_its_time_is_over_even_an_empty_one() {
        let cache = cache();
        let fetched = AtomicUsize::new(0);
        let at = async |now| {
            let fetch = async {
                fetched.fetch_add(1, Ordering::Relaxed);
                says("")
            };
            cache.answer("key", now, TTL, fetch).await.unwrap().1
        };
        assert_eq!(at(1_000).await, Source::Miss);
        assert_eq!(at(1_059).await, Source::Hit);
        assert_eq!(at(1_060).await, Source::Miss);
        assert_eq!(at(1_061).await, Source::Hit);
        assert_eq!(fetched.into_inner(), 2);
    }

    #[tokio::test]
    async fn what_is_cut_off_or_failed_is_not_kept() {
        let cache = cache();
        let cut = Answer {
            text: "Hel".to_owned(),
            complete: false,
        };
        let kept = cut.clone();
        let got = cache.answer("key", 0, TTL, async { Ok(kept) }).await;
        assert_eq!(got, Ok((cut, Source::Miss)));
        let got = cache.answer("key", 0, TTL, async { Err("no") }).await;
        assert_eq!(got, Err("no"));
        let got = cache.answer("key", 0, TTL, async { says("Hello") }).await;
        assert_eq!(got, says("Hello").map(|a| (a, Source::Miss)));
        assert!(cache.flights.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn twenty_at_once_ask_once_and_share_success_and_failure() {
        for outcome in [says("Hello"), Err("no")] {
            let cache = Arc::new(cache());
            let fetched = Arc::new(AtomicUsize::new(0));
            let all_wait = Arc::new(Notify::new());
            let mut callers = JoinSet::new();
            for _ in 0..20 {
                let (cache, fetched) = (Arc::clone(&cache), Arc::clone(&fetched));
                let (all_wait, outcome) = (Arc::clone(&all_wait), outcome.clone());
                callers.spawn(async move {
                    let fetch = async {
                        fetched.fetch_add(1, Ordering::Relaxed);
                        all_wait.notified().await;
                        outcome
                    };
                    cache.answer("key", 0, TTL, fetch).await
                });
            }
            // One thread: after enough turns each caller has joined the flight.
            let joined = || {
                let flights = cache.flights.lock().unwrap();
                flights.get("key").map_or(0, std::sync::Weak::strong_count)
            };
            while joined() < 20 {
                tokio::task::yield_now().await;
            }
            all_wait.notify_one();
            let answers = callers.join_all().await;

            assert_eq!(fetched.load(Ordering::Relaxed), 1);
            let led = answers
                .iter()
                .filter(|a| matches!(a, Ok((_, Source::Miss))))
                .count();
            assert_eq!(led, usize::from(outcome.is_ok()));
            let texts = answers.into_iter().map(|a| a.map(|(answer, _)| answer));
            assert!(texts.into_iter().all(|text| text == outcome));
        }
    }

    #[tokio::test]
    async fn when_the_leader_gives_up_the_next_one_asks() {
        let cache = Arc::new(cache());
        let leader = tokio::spawn({
            let cache = Arc::clone(&cache);
            async move { cache.answer("key", 0, TTL, std::future::pending()).await }
        });
        tokio::task::yield_now().await;
        leader.abort();
        let got = cache.answer("key", 0, TTL, async { says("Hello") }).await;
        assert_eq!(got, says("Hello").map(|a| (a, Source::Miss)));
    }

    #[tokio::test]
    async fn a_hit_makes_no_call() {
        let lab = Lab::start().await;
        lab.script([
            Step::Say(vec![
                Piece::Text("Hel".into()),
                Piece::Stop("max_tokens".into()),
            ]),
            Step::text("Hello"),
        ]);
        let (client, model) = (lab.client(), lab.profile("haiku"));
        let cache: Cache<Memory, String> = Cache::new(Memory::default());
        let mut sources = Vec::new();
        for _ in 0..4 {
            let fetch = Box::pin(async {
                let reply = ask(&client, &model, "Say hello.", 64).await;
                let reply = reply.map_err(|e| e.to_string())?;
                Ok(Answer {
                    complete: reply.stop == StopReason::EndTurn,
                    text: reply.text,
                })
            });
            sources.push(cache.answer("key", 0, TTL, fetch).await.unwrap().1);
        }
        assert_eq!(
            sources,
            [Source::Miss, Source::Miss, Source::Hit, Source::Hit]
        );
        assert_eq!(lab.calls().len(), 2);
    }
}
