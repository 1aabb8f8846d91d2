//! The stage's cache.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use time::Duration;

use crate::bench::{self, Bench, to_chat};

/// Counts its answers; fails when the query says so.
async fn counting(paths: Value, settings: Value) -> Bench {
    let count = AtomicU32::new(0);
    bench::function(paths, settings, move |event| {
        let n = count.fetch_add(1, Ordering::Relaxed) + 1;
        let status = event["queryStringParameters"]["status"].as_str().unwrap_or("200");
        Ok(json!({ "statusCode": status, "body": n.to_string(), "headers": { "x-n": n.to_string() } }))
    })
    .await
}

fn caching(method_settings: Value) -> Value {
    json!({ "stage": { "cacheClusterEnabled": true, "methodSettings": method_settings } })
}

fn items() -> Value {
    let query = |name: &str| json!({ "name": name, "in": "query" });
    json!({
        "/items": {
            "get": to_chat(json!({
                "parameters": [query("q")],
                "integration": { "cacheKeyParameters": ["method.request.querystring.q"] },
            })),
            "post": to_chat(json!({})),
        },
        "/items/{id}": { "get": to_chat(json!({})) },
    })
}

async fn texts(bench: &Bench, paths: &[&str]) -> Vec<String> {
    let mut texts = Vec::new();
    for path in paths {
        texts.push(bench.get(path).await.text().to_owned());
    }
    texts
}

#[tokio::test]
async fn get_is_cached_for_five_minutes_by_the_chosen_parameters() {
    let bench = counting(
        items(),
        caching(json!({ "*/*": { "cachingEnabled": true } })),
    )
    .await;
    // `q` was chosen, `other` was not.
    let paths = [
        "/items?q=a",
        "/items?q=a",
        "/items?q=b",
        "/items?q=a&other=1",
        "/items",
    ];
    assert_eq!(texts(&bench, &paths).await, ["1", "1", "2", "1", "3"]);
    // No variable was chosen either: every id gets the first one's answer, as on AWS.
    assert_eq!(texts(&bench, &["/items/1", "/items/2"]).await, ["4", "4"]);
    // POST is not cached because everything is.
    assert_eq!(bench.post("/items", &[], "{}").await.text(), "5");
    assert_eq!(bench.post("/items", &[], "{}").await.text(), "6");
    bench.advance(Duration::seconds(299));
    let got = bench.get("/items?q=a").await;
    assert_eq!((got.text(), got.header("x-n")), ("1", Some("1")));
    assert_eq!(bench.lit(), [("CLIENT-APIGW".to_owned(), "Ok".to_owned())]);
    bench.advance(Duration::seconds(1));
    assert_eq!(texts(&bench, &["/items?q=a"]).await, ["7"]);
    let hits = bench.seen().into_iter().filter_map(|seen| seen.cache_hit);
    assert_eq!(hits.filter(|hit| *hit).count(), 4);
    assert!(bench.gateway.flush_cache("workshop", "dev"));
    assert_eq!(texts(&bench, &["/items?q=a"]).await, ["8"]);
}

#[tokio::test]
async fn a_method_is_cached_when_it_is_named_and_for_its_own_time() {
    let settings = caching(json!({
        "/items/POST": { "cachingEnabled": true, "cacheTtlInSeconds": 10 },
        "/items/GET": { "cachingEnabled": true, "cacheTtlInSeconds": 0 },
    }));
    let bench = counting(items(), settings).await;
    // The body is no part of the key, unlike in most caches people write.
    assert_eq!(bench.post("/items", &[], "one").await.text(), "1");
    assert_eq!(bench.post("/items", &[], "two").await.text(), "1");
    bench.advance(Duration::seconds(10));
    assert_eq!(bench.post("/items", &[], "two").await.text(), "2");
    assert_eq!(
        texts(&bench, &["/items", "/items", "/items/1", "/items/1"]).await,
        ["3", "4", "5", "6"]
    );
}

#[tokio::test]
async fn without_a_cluster_nothing_is_cached_and_failures_never_are() {
    let settings = json!({ "stage": { "methodSettings": { "*/*": { "cachingEnabled": true } } } });
    let bench = counting(items(), settings).await;
    assert_eq!(texts(&bench, &["/items", "/items"]).await, ["1", "2"]);
    let bench = counting(
        items(),
        caching(json!({ "*/*": { "cachingEnabled": true } })),
    )
    .await;
    let paths = [
        "/items?status=429",
        "/items?status=500",
        "/items?status=404",
        "/items",
        "/items",
    ];
    assert_eq!(texts(&bench, &paths).await, ["1", "2", "3", "4", "4"]);
}

#[tokio::test]
async fn the_cache_is_behind_the_key_and_the_throttle() {
    let keyed = to_chat(json!({ "security": [{ "api_key": [] }] }));
    let paths = json!({ "/items": { "get": keyed } });
    let mut settings = caching(json!({ "*/*": { "cachingEnabled": true } }));
    settings["apiKeys"] = json!([{ "id": "one", "value": "value-of-key-one" }]);
    settings["usagePlans"] =
        json!([{ "keys": ["one"], "throttle": { "rateLimit": 1.0, "burstLimit": 2 } }]);
    let bench = counting(paths, settings).await;
    let key = ("x-api-key", "value-of-key-one");
    assert_eq!(bench.get_with("/items", &[key]).await.text(), "1");
    assert_eq!(bench.get("/items").await.status, 403);
    assert_eq!(bench.get_with("/items", &[key]).await.text(), "1");
    assert_eq!(bench.get_with("/items", &[key]).await.status, 429);
}

#[tokio::test]
async fn who_wants_the_cache_bypassed_must_be_allowed_to() {
    let renew = ("cache-control", "max-age=0");
    let warning = "199 Cache-control headers were ignored because the caller was unauthorized.";
    let rows = [
        (json!({}), (200, "1"), Some(warning)),
        (
            json!("SUCCEED_WITH_RESPONSE_HEADER"),
            (200, "1"),
            Some(warning),
        ),
        (json!("SUCCEED_WITHOUT_RESPONSE_HEADER"), (200, "1"), None),
        (
            json!("FAIL_WITH_403"),
            (403, r#"{"message":"Forbidden"}"#),
            None,
        ),
    ];
    for (strategy, expected, warned) in rows {
        let mut setting = json!({ "cachingEnabled": true });
        if strategy.is_string() {
            setting["unauthorizedCacheControlHeaderStrategy"] = strategy.clone();
        }
        let bench = counting(items(), caching(json!({ "*/*": setting }))).await;
        assert_eq!(bench.get("/items").await.text(), "1");
        let got = bench.get_with("/items", &[renew]).await;
        assert_eq!(got.pair(), expected, "{strategy}");
        assert_eq!(got.header("warning"), warned, "{strategy}");
    }
    let open = json!({ "cachingEnabled": true, "requireAuthorizationForCacheControl": false });
    let bench = counting(items(), caching(json!({ "*/*": open }))).await;
    assert_eq!(texts(&bench, &["/items", "/items"]).await, ["1", "1"]);
    assert_eq!(bench.get_with("/items", &[renew]).await.text(), "2");
    // The new answer has taken the old one's place.
    assert_eq!(texts(&bench, &["/items"]).await, ["2"]);
}
