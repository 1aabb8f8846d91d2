//! The store that the processes of a service share: Redis or Valkey.

use std::{fmt, time::Duration};

use bytes::Bytes;
use redis::{
    AsyncCommands as _, Client, RedisError, SetExpiry, SetOptions,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::sync::OnceCell;

use crate::{Store, StoreError};

/// How long a cache may keep somebody waiting: less than what it saves.
const PATIENCE: Duration = Duration::from_millis(500);

/// A Redis or Valkey server. It connects when it is first asked, and again by itself when the connection
/// is lost. An answer takes at most half a second; then it is a [`StoreError`].
///
/// ```no_run
/// use std::time::Duration;
///
/// use cache_store::{Redis, Store};
///
/// # async fn example() -> Result<(), cache_store::StoreError> {
/// let store = Redis::new("redis://127.0.0.1:6379", "answers:")?;
/// store.put("greeting", "hello".into(), Duration::from_secs(60)).await?;
/// # Ok(())
/// # }
/// ```
pub struct Redis {
    client: Client,
    prefix: String,
    connection: OnceCell<ConnectionManager>,
}

impl Redis {
    /// The server at this address, `redis://user:password@host:6379/0`. All keys get the prefix, so
    /// that services can share a server.
    ///
    /// # Errors
    /// If the address is none. Whether somebody listens there shows with the first question.
    pub fn new(url: &str, prefix: impl Into<String>) -> Result<Self, StoreError> {
        Ok(Self {
            client: Client::open(url).map_err(failed("cannot use its address"))?,
            prefix: prefix.into(),
            connection: OnceCell::new(),
        })
    }

    async fn connection(&self) -> Result<ConnectionManager, StoreError> {
        let connect = || {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(PATIENCE))
                .set_response_timeout(Some(PATIENCE))
                .set_number_of_retries(0);
            ConnectionManager::new_with_config(self.client.clone(), config)
        };
        let connection = self.connection.get_or_try_init(connect).await;
        connection.cloned().map_err(failed("cannot be reached"))
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

impl Store for Redis {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let found: Result<Option<Vec<u8>>, _> = self.connection().await?.get(self.key(key)).await;
        found
            .map(|bytes| bytes.map(Bytes::from))
            .map_err(failed("did not tell a value"))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        // Redis counts milliseconds and refuses a time of none.
        let milliseconds = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).min(AGES);
        if milliseconds == 0 {
            return self.remove(key).await;
        }
        let options = SetOptions::default().with_expiration(SetExpiry::PX(milliseconds));
        let mut connection = self.connection().await?;
        let put: Result<(), _> = connection
            .set_options(self.key(key), &value[..], options)
            .await;
        put.map_err(failed("did not keep a value"))
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        let removed: Result<(), _> = self.connection().await?.del(self.key(key)).await;
        removed.map_err(failed("did not forget a value"))
    }
}

/// A thousand years in milliseconds; Redis adds the time to its own.
const AGES: u64 = 1_000 * 365 * 24 * 3_600 * 1_000;

fn failed(doing: &'static str) -> impl FnOnce(RedisError) -> StoreError {
    move |error| StoreError {
        doing,
        because: Box::new(error),
    }
}

impl fmt::Debug for Redis {
    /// Without the address: there may be a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("prefix", &self.prefix)
            .field("connected", &self.connection.initialized())
            .finish_non_exhaustive()
    }
}
