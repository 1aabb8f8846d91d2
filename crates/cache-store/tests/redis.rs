//! A real Redis or Valkey server keeps what it is given.
//!
//! `cargo test -p cache-store --features redis`; `redis-server` or `valkey-server` must be installed.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use cache_store::{Redis, Store as _, StoreError};
use tempfile::TempDir;

/// A server of this test's own, gone with it.
struct Server {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Server {
    fn start() -> Self {
        // A socket in a folder of its own: Redis tells no port that it chose, and a free one may be
        // somebody else's a moment later.
        let folder = tempfile::tempdir().expect("a folder can be made");
        let socket = folder.path().join("socket");
        let child = ["valkey-server", "redis-server"].iter().find_map(|name| {
            let mut command = Command::new(name);
            command
                .args(["--port", "0", "--unixsocket"])
                .arg(&socket)
                .args(["--save", "", "--appendonly", "no"])
                .current_dir(folder.path())
                .stdout(Stdio::piped())
                .spawn()
                .ok()
        });
        let mut child = child.expect("install redis-server or valkey-server for this test");
        let said = BufReader::new(child.stdout.take().expect("it is piped"));
        let ready = said
            .lines()
            .map_while(Result::ok)
            .find(|line| line.contains("eady to accept connections"));
        assert!(ready.is_some(), "the server ended by itself");
        Self {
            child,
            url: format!("redis+unix://{}", socket.display()),
            _folder: folder,
        }
    }

    fn store(&self, prefix: &str) -> Redis {
        Redis::new(&self.url, prefix).expect("the address is one")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_value_is_kept_replaced_and_forgotten() {
    let server = Server::start();
    let (store, other) = (server.store("a:"), server.store("b:"));
    assert_eq!(store.get("k").await.unwrap(), None);
    let bytes: &[u8] = b"\x00\xffanything";
    store.put("k", bytes.into(), MINUTE).await.unwrap();
    assert_eq!(store.get("k").await.unwrap().as_deref(), Some(bytes));
    assert_eq!(other.get("k").await.unwrap(), None, "prefixes keep apart");
    store.put("k", "".into(), Duration::MAX).await.unwrap();
    assert_eq!(store.get("k").await.unwrap().as_deref(), Some(&b""[..]));
    store.put("k", "none".into(), Duration::ZERO).await.unwrap();
    assert_eq!(store.get("k").await.unwrap(), None);
    store.put("k", "v".into(), MINUTE).await.unwrap();
    store.remove("k").await.unwrap();
    store.remove("k").await.unwrap();
    assert_eq!(store.get("k").await.unwrap(), None);
}

#[tokio::test]
async fn redis_forgets_it_in_time() {
    let server = Server::start();
    let store = server.store("");
    store.put("k", "v".into(), MINUTE).await.unwrap();
    let mut raw = redis::Client::open(server.url.as_str()).unwrap();
    let left: i64 = redis::cmd("PTTL").arg("k").query(&mut raw).unwrap();
    assert!((50_000..=60_000).contains(&left), "{left} ms");
}

#[tokio::test]
async fn a_server_that_goes_and_comes_is_an_error_and_then_none() {
    let server = Server::start();
    let store = server.store("");
    store.put("k", "v".into(), MINUTE).await.unwrap();
    drop(server);
    let error: StoreError = store.get("k").await.unwrap_err();
    assert!(
        error.to_string().starts_with("the cache's store"),
        "{error}"
    );
    // Nobody has ever listened here.
    let folder = tempfile::tempdir().unwrap();
    let url = format!("redis+unix://{}", folder.path().join("socket").display());
    let store = Redis::new(&url, "").unwrap();
    let error = store.get("k").await.unwrap_err();
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert!(Redis::new("not an address", "").is_err());
}

#[test]
fn a_password_is_not_shown() {
    let store = Redis::new("redis://me:hunter2@127.0.0.1:1", "p:").unwrap();
    assert!(!format!("{store:?}").contains("hunter2"));
}
