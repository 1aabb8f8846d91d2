//! What authors are told on every page, and real Bedrock: the page that asks, the strip that warns.

use std::fs;

use regex_lite::Regex;
use serde_json::json;
use tempfile::TempDir;
use workshop_runner::Workspace;
use workshop_server::{SiteConfig, Source};

use super::{at, between, element, happen, main_of, owners, page, shot};
use crate::support::{Site, config, folder};

/// Exercise 001 may run against real Bedrock, 002 may not.
pub(crate) fn with_limits() -> (TempDir, Site) {
    let folder = folder();
    let manifest = folder.path().join("exercises/001-one-call/exercise.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let limits = "real = { max_calls = 2, max_tokens = 100 }";
    fs::write(&manifest, text.replace("real = \"no\"", limits)).unwrap();
    let site = Site::in_folder(folder.path());
    (folder, site)
}

/// Prices, and the environment of whoever runs the tests, are no part of a snapshot.
fn without_prices(html: &str) -> String {
    let environment = between(html, "<dl class=\"facts card\">", "</dl>");
    let html = html.replace(environment, "(what the environment says)");
    let html = Regex::new(r"\$\d+\.\d+")
        .unwrap()
        .replace_all(&html, "$$COST");
    let day = Regex::new(r"list prices of [^;]+;").unwrap();
    day.replace_all(&html, "list prices of DAY;").into_owned()
}

#[tokio::test]
async fn real_bedrock() {
    let (_folder, site) = with_limits();
    shot(
        "bedrock-off",
        &without_prices(main_of(&owners(&site, "/bedrock").await)),
    );
    site.state.bedrock().set(true);
    let on = owners(&site, "/bedrock").await;
    shot("bedrock-on", &without_prices(main_of(&on)));
    shot(
        "bedrock-banner-owner",
        element(on.text(), "<section class=\"real\"", "</section>"),
    );
    let reader = page(&site, "/posts").await;
    shot(
        "bedrock-banner-reader",
        element(reader.text(), "<section class=\"real\"", "</section>"),
    );
}

#[tokio::test]
async fn checks_that_can_go_to_real_bedrock() {
    let (_folder, site) = with_limits();
    let checks = async |exercise: &str| {
        let parts = owners(&site, &format!("/exercises/{exercise}/results")).await;
        let checks = element(parts.text(), "<section class=\"checks\"", "</section>");
        let price = Regex::new(r"\$\d+\.\d+").unwrap();
        price.replace_all(checks, "$$COST").into_owned()
    };
    shot("checks-real_possible", &checks("001-one-call").await);
    site.state.bedrock().set(true);
    shot("checks-real_on", &checks("001-one-call").await);
    shot("checks-real_not_for_it", &checks("002-two-calls").await);
    happen(
        &site,
        [
            json!({"type": "started", "t": at(0)}),
            json!({"type": "bedrock"}),
            json!({"type": "test", "result": {"name": "it_answers", "status": "passed",
                "message": "", "location": null, "output": "", "ms": 900}}),
            json!({"type": "finished", "outcome": "solved", "passed": 1, "total": 1, "t": at(1_500)}),
        ],
    );
    shot("checks-real_passed", &checks("001-one-call").await);
}

#[tokio::test]
async fn findings_in_preview() {
    let folder = folder();
    let preview = || {
        Site::with(SiteConfig {
            workspace: Some(Workspace::at(folder.path())),
            preview: true,
            ..config(Source::Folder(folder.path().to_path_buf()))
        })
    };
    let panel =
        |text: &str| element(text, "<aside class=\"findings panel\"", "</aside>").to_owned();
    let site = preview();
    shot("findings-none", &panel(page(&site, "/posts").await.text()));
    let post = folder.path().join("content/posts/integration-patterns.md");
    let text = fs::read_to_string(&post).unwrap();
    fs::write(&post, format!("{text}\n[Nowhere](no-<such>-page.md)\n")).unwrap();
    let site = preview();
    shot("findings-one", &panel(page(&site, "/posts").await.text()));
}
