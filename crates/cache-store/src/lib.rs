//! Where cached answers lie: the trait [`Store`], [`InProcess`] for one process, and with the feature
//! `redis` `Redis`, which the processes of a service share.
//!
//! A store keeps bytes under a key for a time. What belongs into the key, what may be kept and what
//! happens when twenty ask at once is the caller's business.

mod in_process;
#[cfg(feature = "redis")]
mod redis;

use std::{fmt, future::Future, time::Duration};

use bytes::Bytes;

pub use self::in_process::InProcess;
#[cfg(feature = "redis")]
pub use self::redis::Redis;

/// Keeps bytes under a key for a time.
///
/// ```
/// use std::time::Duration;
///
/// use cache_store::{InProcess, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cache_store::StoreError> {
/// let store = InProcess::new(1_000_000);
/// store.put("greeting", "hello".into(), Duration::from_secs(60)).await?;
/// assert_eq!(store.get("greeting").await?.as_deref(), Some(&b"hello"[..]));
/// # Ok(())
/// # }
/// ```
pub trait Store: fmt::Debug + Send + Sync {
    /// What lies under the key; `None`: nothing, or its time is over. A store that deletes when it has
    /// time for it (a `DynamoDB` table) may return a value whose time is over: whoever must not serve
    /// it writes the moment into the value.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Bytes>, StoreError>> + Send;

    /// Puts a value under a key, in the place of an earlier one, for that long. A time of zero keeps
    /// nothing and forgets the earlier one. A store may forget a value before its time.
    fn put(
        &self,
        key: &str,
        value: Bytes,
        ttl: Duration,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Forgets what lies under the key, if anything does.
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The store cannot say. Whoever asks can go on without it: a cache that is away costs money, not
/// answers.
#[derive(Debug, thiserror::Error)]
#[error("the cache's store {doing}: {because}")]
pub struct StoreError {
    /// What it was to do.
    pub doing: &'static str,
    /// What it said.
    #[source]
    pub because: Box<dyn std::error::Error + Send + Sync>,
}
