//! The store of one process.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;

use crate::{Store, StoreError};

/// Keeps values in this process, up to so many bytes of keys and values. What is over first makes room
/// for what comes. Clones share it.
#[derive(Clone)]
pub struct InProcess {
    now: Arc<Now>,
    kept: Arc<Mutex<Kept>>,
}

type Now = dyn Fn() -> SystemTime + Send + Sync;

impl InProcess {
    /// An empty one, on the system's time.
    pub fn new(bytes_max: usize) -> Self {
        Self::at(bytes_max, SystemTime::now)
    }

    /// An empty one, with the time that `now` tells: a test moves it.
    pub fn at(bytes_max: usize, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        let kept = Kept {
            bytes_max,
            ..Kept::default()
        };
        Self {
            now: Arc::new(now),
            kept: Arc::new(Mutex::new(kept)),
        }
    }

    /// How many bytes of keys and values it holds.
    pub fn bytes(&self) -> usize {
        self.kept().bytes
    }

    /// Held for one step, never across an await.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for InProcess {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        let now = (self.now)();
        let mut kept = self.kept();
        kept.forget_until(now);
        Ok(kept.values.get(key).map(|value| value.bytes.clone()))
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), StoreError> {
        let now = (self.now)();
        let mut kept = self.kept();
        kept.forget_until(now);
        kept.remove(key);
        // A time beyond all calendars is over never.
        let over = now.checked_add(ttl).unwrap_or(now + CENTURY);
        if over > now {
            kept.insert(key, &value, over);
        }
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), StoreError> {
        self.kept().remove(key);
        Ok(())
    }
}

const CENTURY: Duration = Duration::from_hours(100 * 365 * 24);

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept();
        f.debug_struct("InProcess")
            .field("values", &kept.values.len())
            .field("bytes", &kept.bytes)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Kept {
    values: HashMap<Arc<str>, Value>,
    /// By when they are over; the number tells those of one moment apart.
    order: BTreeMap<(SystemTime, u64), Arc<str>>,
    bytes: usize,
    bytes_max: usize,
    puts: u64,
}

struct Value {
    bytes: Bytes,
    place: (SystemTime, u64),
}

impl Kept {
    fn insert(&mut self, key: &str, value: &Bytes, over: SystemTime) {
        let bytes = key.len() + value.len();
        if bytes > self.bytes_max {
            return;
        }
        while self.bytes + bytes > self.bytes_max {
            let Some((_, first)) = self.order.first_key_value() else {
                break;
            };
            let first = Arc::clone(first);
            self.remove(&first);
        }
        self.puts += 1;
        let (key, place): (Arc<str>, _) = (key.into(), (over, self.puts));
        self.order.insert(place, Arc::clone(&key));
        self.bytes += bytes;
        // A copy: a slice of an answer would keep the whole answer.
        let bytes = Bytes::copy_from_slice(value);
        self.values.insert(key, Value { bytes, place });
    }

    fn remove(&mut self, key: &str) {
        if let Some(value) = self.values.remove(key) {
            self.order.remove(&value.place);
            self.bytes -= key.len() + value.bytes.len();
        }
    }

    /// Forgets what is over.
    fn forget_until(&mut self, now: SystemTime) {
        while let Some((&(over, _), key)) = self.order.first_key_value()
            && over <= now
        {
            let key = Arc::clone(key);
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    /// A store and the seconds since its test began.
    fn store(bytes_max: usize) -> (InProcess, Arc<AtomicU64>) {
        let seconds = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&seconds);
        let now = move || SystemTime::UNIX_EPOCH + Duration::from_secs(told.load(Ordering::SeqCst));
        (InProcess::at(bytes_max, now), seconds)
    }

    async fn text(store: &InProcess, key: &str) -> Option<String> {
        let got = store.get(key).await.unwrap()?;
        Some(String::from_utf8(got.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_value_is_there_until_its_time_is_over_and_not_a_moment_longer() {
        let (store, seconds) = store(100);
        store.put("k", "v".into(), MINUTE).await.unwrap();
        seconds.store(59, Ordering::SeqCst);
        assert_eq!(text(&store, "k").await.as_deref(), Some("v"));
        seconds.store(60, Ordering::SeqCst);
        assert_eq!(text(&store, "k").await, None);
        assert_eq!(store.bytes(), 0, "what is over takes no room");
    }

    #[tokio::test]
    async fn the_last_value_counts_with_its_own_time() {
        let (store, seconds) = store(100);
        store.put("k", "short".into(), MINUTE).await.unwrap();
        store.put("k", "".into(), 2 * MINUTE).await.unwrap();
        seconds.store(60, Ordering::SeqCst);
        assert_eq!(
            text(&store, "k").await.as_deref(),
            Some(""),
            "empty is a value"
        );
        store.put("k", "none".into(), Duration::ZERO).await.unwrap();
        assert_eq!(text(&store, "k").await, None);
        store
            .put("k", "for ever".into(), Duration::MAX)
            .await
            .unwrap();
        assert_eq!(text(&store, "k").await.as_deref(), Some("for ever"));
        store.remove("k").await.unwrap();
        store.remove("k").await.unwrap();
        assert_eq!((text(&store, "k").await, store.bytes()), (None, 0));
    }

    #[tokio::test]
    async fn room_is_made_by_what_is_over_first_and_never_beyond_the_limit() {
        let (store, _) = store(20);
        store
            .put("late", "123456".into(), 3 * MINUTE)
            .await
            .unwrap();
        store.put("soon", "123456".into(), MINUTE).await.unwrap();
        assert_eq!(store.bytes(), 20);
        store.put("new", "1".into(), 2 * MINUTE).await.unwrap();
        assert_eq!(text(&store, "soon").await, None);
        assert_eq!(text(&store, "late").await.as_deref(), Some("123456"));
        assert_eq!(text(&store, "new").await.as_deref(), Some("1"));
        // Larger than all of it: not kept, and nobody makes room for it.
        store.put("huge", vec![0; 17].into(), MINUTE).await.unwrap();
        assert_eq!(store.get("huge").await.unwrap(), None);
        assert_eq!(store.bytes(), 14);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_at_once_leave_it_whole() {
        let store = InProcess::new(1_000);
        let tasks = (0..8_u32).map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..500_u32 {
                    let key = format!("{}", (n * 7 + task) % 50);
                    let value = vec![b'x'; (n % 60) as usize];
                    store.put(&key, value.into(), MINUTE).await.unwrap();
                    store.get(&key).await.unwrap();
                    if n % 3 == 0 {
                        store.remove(&key).await.unwrap();
                    }
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert!(store.bytes() <= 1_000);
        for key in 0..50 {
            store.remove(&key.to_string()).await.unwrap();
        }
        assert_eq!(store.bytes(), 0);
    }
}
