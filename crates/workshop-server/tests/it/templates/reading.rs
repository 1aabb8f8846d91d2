//! Pages to read: home, posts, diagrams, tags, agendas, search, what is not there.

use std::fs;

use tempfile::TempDir;
use workshop_course::Tree;
use workshop_server::{SiteConfig, Source, state::Rendering};

use super::{between, element, main_of, owners, page, shot};
use crate::{
    reading::with_posts,
    support::{Site, config, fixture, folder},
};

/// A course with nothing in it.
pub(super) fn empty() -> Site {
    Site::with(config(Source::Embedded(Tree::default())))
}

/// The fixture as pages for others.
fn published(folder: &TempDir, exported: bool) -> Site {
    Site::with(SiteConfig {
        base_url: Some("https://example.com/course/".to_owned()),
        exported,
        ..config(Source::Folder(folder.path().to_path_buf()))
    })
}

fn with_progress(text: &str) -> TempDir {
    let folder = folder();
    let state = folder.path().join(".workshop");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("progress.json"), text).unwrap();
    folder
}

#[tokio::test]
async fn the_frame_of_all_pages() {
    let around = |html: &str| {
        let main = between(html, "data-notice hidden></p>", "<footer class=");
        html.replace(main, "\n(the page)\n")
    };
    let site = Site::new();
    shot(
        "layout-signed_out",
        &around(page(&site, "/tags").await.text()),
    );
    let folder = folder();
    let post = folder.path().join("content/posts/integration-patterns.md");
    fs::write(post, "---\ntitle: [\n---\n# Title\n").unwrap();
    let broken = Site::in_folder(folder.path());
    let owner = [(
        "cookie",
        format!("{}; workshop-theme=dark", broken.cookie()),
    )];
    let owner: Vec<_> = owner.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let listed = broken.send("GET /posts", &owner).await;
    let html = listed.text();
    let main = element(html, "<main", "</main>");
    shot(
        "layout-owner_with_findings",
        &html.replace(main, "(the page)"),
    );
    let exported = published(&with_posts(), true);
    shot(
        "layout-exported",
        &around(page(&exported, "/tags").await.text()),
    );
    let post = page(&exported, "/posts/one").await;
    shot(
        "public-post",
        element(post.text(), "<link rel=\"canonical\"", "</head>"),
    );
}

#[tokio::test]
async fn home() {
    shot(
        "home-without_a_checkout",
        main_of(&page(&Site::new(), "/").await),
    );
    shot("home-empty", main_of(&page(&empty(), "/").await));
    let folder = with_progress(
        r#"{"version": 1, "exercises": {
        "001": {"state": "solved", "last": {"at": "2026-01-01T00:00:00Z", "passed": 2, "total": 2}},
        "002": {"state": "started", "hints": 2, "last": {"at": "2026-01-02T00:00:00Z", "passed": 3, "total": 8,
                "failing": ["a_call_is_retried", "b", "c", "d", "e"]}}}}"#,
    );
    let begun = Site::in_folder(folder.path());
    shot("home-left_off", main_of(&owners(&begun, "/").await));
    shot(
        "exercises-begun",
        main_of(&owners(&begun, "/exercises").await),
    );
    let folder = with_progress(
        r#"{"version": 1, "exercises": {"001": {"state": "solved"}, "002": {"state": "solved"}}}"#,
    );
    let solved = Site::in_folder(folder.path());
    shot("home-all_solved", main_of(&owners(&solved, "/").await));
}

#[tokio::test]
async fn posts() {
    let folder = with_posts();
    let site = Site::in_folder(folder.path());
    let list = page(&site, "/posts").await;
    shot("posts-some", main_of(&list));
    shot(
        "card-post",
        element(list.text(), "<li class=\"card\">", "\n</li>"),
    );
    shot("posts-empty", main_of(&page(&empty(), "/posts").await));
    shot("archive-years", main_of(&page(&site, "/archive").await));
    shot("archive-empty", main_of(&page(&empty(), "/archive").await));
    let alone = page(&Site::new(), "/posts/integration-patterns").await;
    shot("post-alone", main_of(&alone));
    shot(
        "post-in_a_series",
        main_of(&page(&site, "/posts/two").await),
    );
    let preview = Site::with(SiteConfig {
        preview: true,
        ..config(Source::Folder(fixture()))
    });
    shot("post-draft", main_of(&page(&preview, "/posts/draft").await));
    let old = "---\ntitle: Old\ndate: 2020-01-01\nauthor: x\nexcerpt: y\ncategory: AWS\ntags: [a]\npublished: true\nreviewed: 2020-01-02\nexpires: 2021-01-01\nexercises: [\"001\"]\n---\n\nText.\n";
    fs::write(folder.path().join("content/posts/old.md"), old).unwrap();
    let expired = Site::in_folder(folder.path());
    shot("post-expired", main_of(&page(&expired, "/posts/old").await));
}

#[tokio::test]
async fn what_is_published() {
    let folder = with_posts();
    let site = published(&folder, false);
    shot("feed", page(&site, "/feed.xml").await.text());
    shot("sitemap", page(&site, "/sitemap.xml").await.text());
}

#[tokio::test]
async fn diagrams() {
    let folder = folder();
    let map = "# Course map\n\n```mermaid\nflowchart LR\n    E001 --> E002\n```\n";
    fs::write(folder.path().join("diagrams/course-map.md"), map).unwrap();
    let svg = "<svg role=\"img\" aria-labelledby=\"t\"><title id=\"t\">Map</title><g class=\"node\" data-node=\"E001\"><text>001</text></g><g class=\"node\" data-node=\"E002\"><text>002</text></g></svg>";
    let drawn = folder.path().join("diagrams/rendered/course-map-1.svg");
    fs::write(drawn, svg).unwrap();
    let site = Site::in_folder(folder.path());
    let list = page(&site, "/diagrams").await;
    shot("diagrams-some", main_of(&list));
    shot(
        "diagram-card",
        element(list.text(), "<li class=\"card\">", "\n</li>"),
    );
    shot(
        "diagrams-empty",
        main_of(&page(&empty(), "/diagrams").await),
    );
    shot(
        "diagram-live",
        main_of(&page(&site, "/diagrams/small").await),
    );
    let map = page(&site, "/diagrams/course-map").await;
    shot("diagram-course_map", main_of(&map));
    site.state.set_rendering(Rendering {
        busy: ["small-1".to_owned()].into(),
        failure: None,
    });
    let busy = page(&site, "/diagrams/small").await;
    let header = element(busy.text(), "<article>", "</header>");
    shot("rendering-one", header);
    shot(
        "diagnostics-rendering",
        main_of(&page(&site, "/diagnostics").await),
    );
}

#[tokio::test]
async fn diagnostics() {
    let folder = folder();
    let site = Site::in_folder(folder.path());
    shot(
        "diagnostics-nothing",
        main_of(&page(&site, "/diagnostics").await),
    );
    let post = folder.path().join("content/posts/integration-patterns.md");
    let text = fs::read_to_string(&post).unwrap();
    fs::write(&post, format!("{text}\n[Nowhere](no-<such>-page.md)\n")).unwrap();
    let broken = Site::in_folder(folder.path());
    shot(
        "diagnostics-findings",
        main_of(&page(&broken, "/diagnostics").await),
    );
}

#[tokio::test]
async fn tags_and_agendas() {
    let folder = with_posts();
    let agendas = folder.path().join("content/agendas");
    fs::create_dir_all(&agendas).unwrap();
    let hour = "title = \"An hour\"\norder = 1\nsummary = \"Short.\"\npeople = \"Two.\"\nminutes = 60\nstart = \"09:45\"\nnotes = [\"Breathe.\"]\n\n[[block]]\nminutes = 20\ntitle = \"Do\"\ntext = \"Together.\"\nscreen = \"The <map>\"\nexercises = [\"001\"]\nlinks = [{ text = \"Picture\", to = \"/diagrams/small\" }]\n\n[[block]]\nminutes = 40\ntitle = \"Break\"\nrest = true\n";
    fs::write(agendas.join("an-hour.toml"), hour).unwrap();
    let half = hour
        .replace("An hour", "The same again")
        .replace("order = 1", "order = 2");
    fs::write(agendas.join("again.toml"), half).unwrap();
    let site = Site::in_folder(folder.path());
    shot("tags-some", main_of(&page(&site, "/tags").await));
    shot("tags-none", main_of(&page(&empty(), "/tags").await));
    shot("tag-of_pages", main_of(&page(&site, "/tags/bedrock").await));
    shot(
        "tag-category",
        main_of(&page(&site, "/categories/aws").await),
    );
    shot("teach-agendas", main_of(&page(&site, "/teach").await));
    shot("teach-empty", main_of(&page(&empty(), "/teach").await));
    shot("agenda", main_of(&page(&site, "/teach/an-hour").await));
}

#[tokio::test]
async fn search() {
    let site = Site::new();
    shot("search-begin", main_of(&page(&site, "/search").await));
    let found = page(&site, "/search?q=retries").await;
    shot("search-found", main_of(&found));
    let none = page(&site, "/search?q=%3Cunheard%3E").await;
    shot("search-nothing", main_of(&none));
    let exported = published(&folder(), true);
    shot(
        "search-exported",
        main_of(&page(&exported, "/search").await),
    );
}

#[tokio::test]
async fn what_is_not_there() {
    let site = Site::new();
    let near = site.get("/posts/integratoin-patterns").await;
    shot("missing-near", main_of(&near));
    shot("missing-nothing_near", main_of(&site.get("/xyzzy").await));
    let denied = site.get("/requests/001/1").await;
    shot("sorry-sign_in", main_of(&denied));
    let folder = folder();
    let unsolved = Site::in_folder(folder.path());
    let not_yet = unsolved
        .get_as_owner("/exercises/001-one-call/solution")
        .await;
    shot("sorry-not_yet", main_of(&not_yet));
    let exported = published(&folder, true);
    shot("sorry-only_live", main_of(&exported.get("/emulator").await));
}

async fn board(site: &Site, path: &str) -> String {
    let answer = page(site, path).await;
    element(answer.text(), "<section class=\"board\"", "</section>").to_owned()
}

#[tokio::test]
async fn find_the_bug() {
    let site = Site::new();
    shot("bugs-some", main_of(&page(&site, "/bugs").await));
    shot("bugs-empty", main_of(&page(&empty(), "/bugs").await));
    shot("bug", main_of(&page(&site, "/bugs/a-proxy").await));
    let asked = board(&site, "/bugs/a-proxy?line=2").await;
    shot("bug-board-asked", &asked);
    let wrong = board(&site, "/bugs/a-proxy?line=2&class=cost").await;
    shot("bug-board-not_this", &wrong);
    let all = board(&site, "/bugs/a-proxy/all?found=P-09").await;
    shot("bug-board-all_told", &all);
    let exported = published(&folder(), true);
    shot(
        "bug-board-exported",
        &board(&exported, "/bugs/a-proxy").await,
    );
}
