//! What the reading pages offer around their texts.

use std::fs;

use workshop_server::{SiteConfig, Source};

use crate::support::{Site, config, folder};

#[tokio::test]
async fn patterns_are_chains_that_lead_to_exercise_diagram_and_article() {
    let site = Site::new();
    let home = site.get("/").await;
    for part in [
        "Five patterns, from one call to a workflow",
        "<li class=\"you\">you</li><li class=\"br\">Bedrock</li>",
        "href=\"/diagrams/small\" aria-label=\"Diagram: Direct\"",
        "href=\"/posts/integration-patterns\" aria-label=\"Article: Direct\"",
        "2 exercises",
        "not running",
        "start <code>workshop serve</code> inside a checkout",
    ] {
        assert!(home.text().contains(part), "{part:?} in {}", home.text());
    }
}

#[tokio::test]
async fn the_course_map_is_filled_by_progress() {
    let folder = folder();
    let map = "# Course map\n\n```mermaid\nflowchart LR\n    E001 --> E002\n```\n";
    fs::write(folder.path().join("diagrams/course-map.md"), map).unwrap();
    let svg = "<svg role=\"img\" aria-labelledby=\"t\"><title id=\"t\">Map</title><g class=\"node\" data-node=\"E001\"><text>001</text></g><g class=\"node\" data-node=\"E002\"><text>002</text></g></svg>";
    let drawn = folder.path().join("diagrams/rendered/course-map-1.svg");
    fs::write(drawn, svg).unwrap();
    let state = folder.path().join(".workshop");
    fs::create_dir_all(&state).unwrap();
    let progress = r#"{"version": 1, "exercises": {"001": {"state": "solved"}}}"#;
    fs::write(state.join("progress.json"), progress).unwrap();

    let site = Site::in_folder(folder.path());
    let page = site.get("/diagrams/course-map").await;
    for part in [
        "<a href=\"/exercises/001-one-call\" class=\"box ok\">",
        "<text>✓ 001</text>",
        "<a href=\"/exercises/002-two-calls\" class=\"box \">",
        "<svg role=\"group\"",
        "builds on <a href=\"/exercises/001-one-call\">001</a>",
    ] {
        assert!(page.text().contains(part), "{part:?} in {}", page.text());
    }
    let other = site.get("/diagrams/small").await;
    assert!(!other.text().contains("class=\"box"));
    let home = site.get("/").await;
    assert!(home.text().contains("1 of 2 solved, about "));
    assert!(home.text().contains("href=\"/diagrams/course-map\""));
}

#[tokio::test]
async fn an_agenda_is_a_timetable_that_links_to_what_it_needs() {
    let folder = folder();
    let agendas = folder.path().join("content/agendas");
    fs::create_dir_all(&agendas).unwrap();
    let hour = "title = \"An hour\"\norder = 1\nsummary = \"Short.\"\npeople = \"Two.\"\nminutes = 60\nstart = \"09:45\"\nnotes = [\"Breathe.\"]\n\n[[block]]\nminutes = 20\ntitle = \"Do\"\nscreen = \"The <map>\"\nexercises = [\"001\"]\nlinks = [{ text = \"Picture\", to = \"/diagrams/small\" }]\n\n[[block]]\nminutes = 40\ntitle = \"Break\"\nrest = true\n";
    fs::write(agendas.join("an-hour.toml"), hour).unwrap();
    let site = Site::in_folder(folder.path());
    let list = site.get("/teach").await;
    assert!(list.text().contains("href=\"/teach/an-hour\""));
    let page = site.get("/teach/an-hour").await;
    for part in [
        "1 h, 20 min without the breaks",
        "<b>9:45</b><span>–10:05</span>",
        "<b>10:05</b><span>–10:45</span>",
        "href=\"/exercises/001-one-call\"",
        "href=\"/diagrams/small\"",
        "The &#60;map&#62;",
        "Breathe.",
    ] {
        assert!(page.text().contains(part), "{part:?} in {}", page.text());
    }
    assert_eq!(site.get("/teach/an-hours").await.status, 404);
    let near = site.get("/teach/an-hours").await;
    assert!(near.text().contains("Agenda: An hour"));
}

fn post(slug: &str, date: &str, more: &str, body: &str) -> (String, String) {
    let text = format!(
        "---\ntitle: \"The <{slug}> & more\"\ndate: {date}\nauthor: \"Bedrock Workshop\"\nexcerpt: \"About {slug}.\"\ncategory: \"AWS\"\npublished: true\n{more}---\n\n{body}\n"
    );
    (format!("content/posts/{slug}.md"), text)
}

/// The fixture with some posts more.
pub(crate) fn with_posts() -> tempfile::TempDir {
    let folder = folder();
    let code = "## Both\n\n```rust\nfn a() {}\n```\n\n```js\nfunction a() {}\n```\n\n[Away](https://example.com/)";
    for (path, text) in [
        post(
            "one",
            "2026-02-01",
            "tags: [SQS, Leases]\nseries: Money\norder: 1\n",
            code,
        ),
        post(
            "two",
            "2026-02-02",
            "tags: [SQS, Leases]\nseries: Money\norder: 2\n",
            "Text.",
        ),
        post(
            "three",
            "2024-03-01",
            "tags: [SQS, Leases, AWS]\nseries: Money\norder: 3\n",
            "Text.",
        ),
        post("four", "2024-02-01", "tags: [Elsewhere]\n", "Text."),
    ] {
        fs::write(folder.path().join(path), text).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_post_shows_its_series_and_what_is_related() {
    let folder = with_posts();
    let site = Site::in_folder(folder.path());
    let page = site.get("/posts/one").await;
    let html = page.text();
    for part in [
        "<summary>Money, part 1 of 3</summary>",
        "<b aria-current=\"page\">The &#60;one&#62; &#38; more</b>",
        "/js/langs.js",
        "<meta name=\"description\" content=\"About one.\">",
    ] {
        assert!(html.contains(part), "{part:?} in {html}");
    }
    let (_, related) = html.split_once("id=\"related\"").unwrap();
    let related = related.split("</section>").next().unwrap();
    assert!(
        related.contains("/posts/three") && !related.contains("/posts/two"),
        "{related}"
    );
    assert!(
        !related.contains("/posts/four") && !related.contains("/posts/one"),
        "{related}"
    );
    let plain = site.get("/posts/four").await;
    assert!(!plain.text().contains("langs.js") && !plain.text().contains("id=\"related\""));
}

#[tokio::test]
async fn the_archive_has_years() {
    let folder = with_posts();
    let site = Site::in_folder(folder.path());
    let page = site.get("/archive").await;
    let years: Vec<&str> = page
        .text()
        .split("<h2 id=\"y")
        .skip(1)
        .map(|year| year.split('"').next().unwrap())
        .collect();
    assert_eq!(years, ["2026", "2025", "2024"]);
    assert!(!page.text().contains("/posts/draft"));
}

#[tokio::test]
async fn the_public_address_brings_feed_sitemap_and_previews() {
    let folder = with_posts();
    let hidden = Site::in_folder(folder.path());
    for path in ["/feed.xml", "/sitemap.xml"] {
        assert_eq!(hidden.get(path).await.status, 404, "{path}");
    }
    assert!(!hidden.get("/posts/one").await.text().contains("og:"));

    let site = Site::with(SiteConfig {
        base_url: Some("https://example.com/course/".to_owned()),
        preview: true,
        ..config(Source::Folder(folder.path().to_path_buf()))
    });
    let feed = site.get("/feed.xml").await;
    assert_eq!(
        feed.header("content-type"),
        "application/atom+xml; charset=utf-8"
    );
    for part in [
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed ",
        "<id>https://example.com/course/posts/one</id>",
        "<title>The &#60;one&#62; &#38; more</title>",
        "<updated>2026-02-02T00:00:00Z</updated>",
        "&#60;h2 id=&#34;both&#34;",
        "href=\"https://example.com/course/feed.xml\"",
    ] {
        assert!(feed.text().contains(part), "{part:?} in {}", feed.text());
    }
    assert!(
        !feed.text().contains("draft"),
        "drafts are not for the public"
    );
    let sitemap = site.get("/sitemap.xml").await;
    for part in [
        "<url><loc>https://example.com/course/posts/three</loc><lastmod>2024-03-01</lastmod></url>",
        "<loc>https://example.com/course/exercises/001-one-call</loc>",
        "<loc>https://example.com/course/diagrams/small</loc>",
    ] {
        assert!(
            sitemap.text().contains(part),
            "{part:?} in {}",
            sitemap.text()
        );
    }
    assert!(!sitemap.text().contains("draft"));
    let page = site.get("/posts/one").await;
    for part in [
        "<link rel=\"canonical\" href=\"https://example.com/course/posts/one\">",
        "<meta property=\"og:type\" content=\"article\">",
        "<meta property=\"og:title\" content=\"The &#60;one&#62; &#38; more\">",
        "<meta property=\"article:published_time\" content=\"2026-02-01\">",
        "type=\"application/atom+xml\"",
    ] {
        assert!(page.text().contains(part), "{part:?} in {}", page.text());
    }
}
