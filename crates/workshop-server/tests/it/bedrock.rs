//! The switch to real Bedrock. Nothing here speaks to AWS: what reaches the runner is looked at.

use axum::http::StatusCode;
use workshop_runner::live::Event;

use crate::{support::Site, templates::with_limits};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");
const CHECK: &str = "/api/exercises/001/check";

async fn agree(site: &Site) {
    let cookie = site.cookie();
    let headers = [("cookie", cookie.as_str()), FORM];
    let answer = site.post("/bedrock", &headers, "understood=yes").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert_eq!(answer.header("location"), "/bedrock");
}

#[tokio::test]
async fn only_the_owner_who_ticked_the_box_turns_it_on() {
    let (_folder, site) = with_limits();
    let cookie = site.cookie();
    let owner = ("cookie", cookie.as_str());
    assert_eq!(site.get("/bedrock").await.status, StatusCode::UNAUTHORIZED);
    let stranger = site.post("/bedrock", &[FORM], "understood=yes").await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    for body in ["", "understood=", "understood=no"] {
        let unticked = site.post("/bedrock", &[owner, FORM], body).await;
        assert_eq!(
            unticked.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{body:?}"
        );
    }
    let elsewhere = [owner, FORM, ("origin", "http://evil.example")];
    let foreign = site.post("/bedrock", &elsewhere, "understood=yes").await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let read = site.get_as_owner("/bedrock?understood=yes&on=yes").await;
    assert_eq!(read.status, StatusCode::OK, "reading changes nothing");
    assert!(!site.state.bedrock().is_on());
    agree(&site).await;
    assert!(site.state.bedrock().is_on());

    let nothing_to_run = Site::new();
    let cookie = nothing_to_run.cookie();
    let headers = [("cookie", cookie.as_str()), FORM];
    let refused = nothing_to_run.post("/bedrock", &headers, "understood=yes");
    assert_eq!(refused.await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn every_page_warns_while_it_is_on_and_leads_back() {
    let (_folder, site) = with_limits();
    let pages = [
        "/",
        "/posts",
        "/diagrams",
        "/exercises/001-one-call",
        "/no-such-page",
    ];
    let warns = async |path: &str| {
        let page = site.get_as_owner(path).await;
        page.text().contains("Real Bedrock is on.")
    };
    for path in pages {
        assert!(!warns(path).await, "{path}");
    }
    agree(&site).await;
    for path in pages {
        assert!(warns(path).await, "{path}");
    }
    let cookie = site.cookie();
    for (referer, back) in [
        ("http://127.0.0.1:3000/posts?q=1", "/posts?q=1"),
        ("http://evil.example/", "/bedrock"),
        ("http://127.0.0.1:3000//evil.example", "/bedrock"),
    ] {
        let headers = [("cookie", cookie.as_str()), FORM, ("referer", referer)];
        let off = site.post("/bedrock/off", &headers, "").await;
        assert_eq!(
            (off.status, off.header("location")),
            (StatusCode::SEE_OTHER, back)
        );
    }
    for path in pages {
        assert!(!warns(path).await, "{path}");
    }
}

#[tokio::test]
async fn a_page_that_does_not_know_that_it_costs_starts_nothing() {
    let (_folder, site) = with_limits();
    let cookie = site.cookie();
    let headers = [("cookie", cookie.as_str()), JSON];
    let early = site.post(CHECK, &headers, r#"{"target": "bedrock"}"#).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "nobody agreed");
    agree(&site).await;
    for body in ["{}", r#"{"target": "emulator"}"#, "nonsense"] {
        let unaware = site.post(CHECK, &headers, body).await;
        assert_eq!(unaware.status, StatusCode::CONFLICT, "{body}");
        assert!(
            unaware.text().contains("Nothing was run"),
            "{}",
            unaware.text()
        );
    }
    let page = site.get_as_owner("/exercises/001-one-call").await;
    assert!(page.text().contains("data-target=\"bedrock\""));
    let other = site.get_as_owner("/exercises/002-two-calls").await;
    assert!(
        other.text().contains("data-target=\"emulator\""),
        "002 stays on the emulator"
    );
    let watch = "/api/exercises/001/watch";
    let on_save = site.post(watch, &headers, r#"{"on": true}"#).await;
    assert!(
        on_save.text().contains("each save would cost"),
        "{}",
        on_save.text()
    );
}

#[tokio::test]
async fn a_check_goes_where_its_owner_agreed_to() {
    let (folder, site) = with_limits();
    agree(&site).await;
    let cookie = site.cookie();
    let headers = [("cookie", cookie.as_str()), JSON];
    let begun = site.post(CHECK, &headers, r#"{"target": "bedrock"}"#).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text());
    let log = folder.path().join(".workshop/live.jsonl");
    let events = loop {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let whole = text.lines().map(serde_json::from_str::<Event>);
        let events: Vec<Event> = whole.filter_map(Result::ok).collect();
        if matches!(events.last(), Some(Event::Finished { .. })) {
            break events;
        }
        tokio::task::yield_now().await;
    };
    let real = |event: &Event| matches!(event, Event::Bedrock { exercise } if exercise == "001");
    assert!(events.iter().any(real), "{events:?}");
    // The runner looked for the exercise's tests against real Bedrock; the fixture has none.
    let Some(Event::Finished { diagnostics, .. }) = events.last() else {
        unreachable!("the loop ends with it");
    };
    assert!(diagnostics[0].contains("real Bedrock"), "{diagnostics:?}");
}
