//! What pages say, and how they are cached.

use std::{fs, io::Read};

use workshop_course::Tree;
use workshop_runner::Outcome;
use workshop_server::{SiteConfig, Source, state::Edition};

use crate::support::{Site, config, fixture, folder};

const PAGES: [&str; 18] = [
    "/",
    "/posts",
    "/posts/integration-patterns",
    "/diagrams",
    "/diagrams/small",
    "/exercises",
    "/exercises/001-one-call",
    "/exercises/002-two-calls",
    "/bugs",
    "/bugs/a-proxy",
    "/bugs/a-proxy?line=2&class=reliability",
    "/bugs/a-proxy/all",
    "/tags",
    "/tags/aws",
    "/categories/aws",
    "/emulator",
    "/diagnostics",
    "/search?q=bedrock",
];

#[tokio::test]
async fn every_page_is_whole_and_needs_nothing_inline_or_foreign() {
    let site = Site::new();
    for path in PAGES {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        let html = answer.text();
        assert_eq!(html.matches("<h1").count(), 1, "headings of {path}");
        assert_eq!(html.matches("<main").count(), 1, "landmark of {path}");
        assert!(html.contains("<html lang=\"en\">"), "{path}");
        for inline in [
            " style=\"",
            "<style",
            " onclick",
            " onload",
            "<script>",
            "javascript:",
        ] {
            assert!(!html.contains(inline), "{inline:?} in {path}");
        }
        let sources = html.split(" src=\"").skip(1);
        for source in sources.chain(html.split("<link ").skip(1)) {
            assert!(
                !source.split('>').next().unwrap().contains("http"),
                "{source} in {path}"
            );
        }
    }
}

#[tokio::test]
async fn every_address_that_a_page_links_to_exists() {
    let site = Site::new();
    for path in PAGES {
        let html = site.get(path).await.text().to_owned();
        for link in html.split(" href=\"").skip(1) {
            let link = link.split('"').next().unwrap();
            let Some(local) = link.split('#').next().filter(|l| l.starts_with('/')) else {
                continue;
            };
            let answer = site.get(local).await;
            assert_eq!(answer.status, 200, "{local}, linked from {path}");
        }
    }
}

#[tokio::test]
async fn a_page_is_sent_again_only_when_it_changed() {
    let site = Site::new();
    let first = site.get("/posts").await;
    assert_eq!(first.header("cache-control"), "no-cache");
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
    for known in [tag.clone(), format!("\"other\", {tag}"), format!("W/{tag}")] {
        let again = site.send("GET /posts", &[("if-none-match", &known)]).await;
        assert_eq!(
            (again.status.as_u16(), again.body.len()),
            (304, 0),
            "{known}"
        );
        assert_eq!(again.header("etag"), tag);
    }
    let dark = ("cookie", "workshop-theme=dark");
    let other = site
        .send("GET /posts", &[("if-none-match", &tag), dark])
        .await;
    assert_eq!(other.status, 200, "the theme is part of the page");
    assert!(
        other
            .text()
            .contains("<html lang=\"en\" data-theme=\"dark\">")
    );
    let nonsense = ("cookie", "workshop-theme=\"><script>");
    assert_eq!(site.send("GET /posts", &[nonsense]).await.body, first.body);
}

#[tokio::test]
async fn a_kept_page_is_the_one_that_would_be_made_now_for_this_visitor() {
    const POST: &str = "/posts/integration-patterns";
    let site = Site::new();
    let first = site.get(POST).await;
    assert_eq!(site.get(POST).await.headers, first.headers);
    assert_eq!(site.get(POST).await.body, first.body);

    let live = |html: &str| {
        let from = html.split_once("data-live=\"").map(|(_, rest)| rest);
        from.map(|rest| rest.split('"').next().unwrap().to_owned())
    };
    let before = live(site.get_as_owner(POST).await.text());
    assert!(before.is_some() && live(site.get(POST).await.text()).is_none());
    let started = serde_json::json!({"type": "started", "exercise": "001", "t": 1});
    site.state
        .hub()
        .publish_event(&serde_json::from_value(started).unwrap());
    let after = live(site.get_as_owner(POST).await.text());
    assert_ne!(before, after, "the page says which events it includes");

    let mut tree = Tree::read(&fixture()).unwrap();
    let post = tree
        .files
        .get_mut("content/posts/integration-patterns.md")
        .unwrap();
    post.extend(b"\nA sentence that was not here.\n");
    site.state.set_edition(Edition::new(tree));
    let edited = site.get(POST).await;
    assert!(edited.text().contains("A sentence that was not here."));
    let known = ("if-none-match", first.header("etag"));
    let again = site.send(&format!("GET {POST}"), &[known]).await;
    assert_eq!((again.status.as_u16(), again.body), (200, edited.body));
    assert_eq!(site.get("/posts/nothing").await.status, 404);
}

#[tokio::test]
async fn compressed_pages_have_tags_of_their_own() {
    let site = Site::new();
    let gzip = ("accept-encoding", "gzip");
    let packed = site.send("GET /posts", &[gzip]).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.header("etag").ends_with("-gzip\""), "{packed:?}");
    let mut html = String::new();
    flate2::read::GzDecoder::new(&packed.body[..])
        .read_to_string(&mut html)
        .unwrap();
    assert_eq!(html, site.get("/posts").await.text());
    let known = packed.header("etag").to_owned();
    let again = site
        .send("GET /posts", &[gzip, ("if-none-match", &known)])
        .await;
    assert_eq!(
        (again.status.as_u16(), again.header("etag")),
        (304, known.as_str())
    );
}

#[tokio::test]
async fn assets_are_kept_for_ever_under_a_name_that_changes_with_them() {
    let site = Site::new();
    let path = format!("{}/style.css", workshop_server::assets::base());
    let plain = site.get(&path).await;
    assert_eq!(plain.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(
        plain.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    for coding in ["br", "gzip"] {
        let packed = site
            .send(&format!("GET {path}"), &[("accept-encoding", coding)])
            .await;
        assert_eq!(packed.header("content-encoding"), coding);
        assert_eq!(packed.header("vary"), "accept-encoding");
        assert!(
            packed.body.len() * 2 < plain.body.len(),
            "{coding} gains too little"
        );
    }
    assert_eq!(
        site.get("/assets/0000000000000000/style.css").await.status,
        404
    );
}

#[tokio::test]
async fn drafts_are_for_preview() {
    let site = Site::new();
    assert_eq!(site.get("/posts/draft").await.status, 404);
    for path in ["/", "/posts", "/tags", "/search?q=ready", "/posts/drafts"] {
        assert!(
            !site.get(path).await.text().contains("/posts/draft\""),
            "{path}"
        );
    }
    let preview = Site::with(SiteConfig {
        preview: true,
        ..config(Source::Folder(fixture()))
    });
    let draft = preview.get("/posts/draft").await;
    assert_eq!(draft.status, 200);
    assert!(draft.text().contains("draft</span>"));
}

#[tokio::test]
async fn a_misspelt_address_is_answered_with_what_resembles_it() {
    let site = Site::new();
    for (path, suggestion) in [
        ("/posts/integratoin-patterns", "/posts/integration-patterns"),
        ("/exercises/one-call", "/exercises/001-one-call"),
        ("/diagram", "/diagrams"),
        ("/tags/integration-patterns", "/posts/integration-patterns"),
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(
            answer.text().contains(&format!("href=\"{suggestion}\">")),
            "{path}"
        );
    }
    let hostile = site.get("/posts/%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert_eq!(hostile.status, 404);
    assert!(!hostile.text().contains("<script>"));
    assert!(hostile.text().contains("value=\"script alert 1 script\""));
}

#[tokio::test]
async fn search_finds_all_words_and_escapes_them() {
    let site = Site::new();
    let found = site.get("/search?q=Spikes+queue").await;
    assert!(found.text().contains("/posts/integration-patterns"));
    let none = site.get("/search?q=spikes+unheard").await;
    assert!(none.text().contains("Nothing has all of these words."));
    let hostile = site.get("/search?q=%22%3E%3Cscript%3E").await;
    assert!(!hostile.text().contains("\"><script>"));
}

#[tokio::test]
async fn one_broken_file_does_not_take_the_others_along() {
    let folder = folder();
    let post = folder.path().join("content/posts/integration-patterns.md");
    fs::write(&post, "---\ntitle: [\n---\n# Title\n").unwrap();
    let site = Site::in_folder(folder.path());
    assert_eq!(site.get("/exercises/001-one-call").await.status, 200);
    let diagnostics = site.get("/diagnostics").await;
    assert!(
        diagnostics
            .text()
            .contains("content/posts/integration-patterns.md"),
        "{}",
        diagnostics.text()
    );
    let list = site.get("/posts").await;
    assert!(
        list.text().contains("class=\"findings\""),
        "{}",
        list.text()
    );
}

#[tokio::test]
async fn the_home_page_knows_where_the_student_left_off() {
    let folder = folder();
    let site = Site::in_folder(folder.path());
    let fresh = site.get("/").await;
    assert!(fresh.text().contains("Start here") && fresh.text().contains("001 One call"));
    let state = folder.path().join(".workshop");
    fs::create_dir_all(&state).unwrap();
    let progress = r#"{"version": 1, "exercises": {
        "001": {"state": "solved", "last": {"at": "2026-01-01T00:00:00Z", "passed": 2, "total": 2}},
        "002": {"state": "started", "last": {"at": "2026-01-02T00:00:00Z", "passed": 3, "total": 4,
                "failing": ["a_call_is_retried"]}}}}"#;
    fs::write(state.join("progress.json"), progress).unwrap();
    let home = site.get("/").await;
    let html = home.text();
    for text in [
        "Where you left off",
        "002 Two calls",
        "a_call_is_retried",
        "3 more checks",
        "1 of 2 done",
        "001 One call, solved",
        "002 Two calls, next",
    ] {
        assert!(html.contains(text), "{text:?} in {html}");
    }
    let solved = site.get("/exercises/001-one-call").await;
    assert!(
        solved
            .text()
            .contains("Compare with the reference solution")
    );
    assert!(solved.text().contains("On AWS the same call costs money."));
    let solution = site.get("/exercises/001-one-call/solution").await;
    assert!(solution.text().contains("n * 2"));
    let open = site.get("/exercises/002-two-calls").await;
    assert!(!open.text().contains("On AWS the same call costs money."));
    assert!(open.text().contains("3 of 4 passed last time"));
}

#[tokio::test]
async fn results_and_requests_of_a_failed_check_as_a_part_of_the_page() {
    let site = Site::new();
    let at = |t: i64| 1_760_000_000_000 + t;
    let lines = [
        serde_json::json!({"type": "started", "exercise": "001", "t": at(0)}),
        serde_json::json!({"type": "request", "exercise": "001", "test": "a_call_is_signed", "entry": {
            "seq": 1, "t": at(250), "operation": "Converse", "model": "some <model>", "status": 200,
            "request_id": "r1", "usage": {"input": 12, "output": 40}, "trace": [
                {"node": "CC", "status": "ok", "request_id": "r1", "t": at(250)},
                {"node": "BR", "edge": "CC-BR", "status": "ok", "request_id": "r1", "t": at(250)},
                {"node": "HAIKU", "edge": "BR-HAIKU", "status": "ok", "request_id": "r1", "t": at(250)}]}}),
        serde_json::json!({"type": "request", "exercise": "001", "test": "a_throttle_is_waited_out", "entry": {
            "seq": 1, "t": at(900), "operation": "Converse", "model": "some <model>", "status": 429,
            "error": "ThrottlingException", "message": "Too many requests", "attempt": 2,
            "request_id": "r2", "trace": [
                {"node": "BR", "edge": "CC-BR", "status": "throttled", "request_id": "r2", "t": at(900)}]}}),
        serde_json::json!({"type": "test", "exercise": "001", "result": {
            "name": "a_call_is_signed", "status": "passed", "message": "", "location": null,
            "output": "noise of a passing test", "ms": 3}}),
        serde_json::json!({"type": "test", "exercise": "001", "result": {
            "name": "a_throttle_is_waited_out", "status": "failed",
            "message": "001/2 WIRE\n  saw     1 request\n  wanted  2 requests & <patience>",
            "location": "tests/check.rs:12:5", "output": "hello", "ms": 7}}),
        serde_json::json!({"type": "finished", "exercise": "001", "outcome": "not_solved",
            "passed": 1, "total": 2, "t": at(1000)}),
    ];
    for line in lines {
        let event = serde_json::from_value(line).unwrap();
        site.state.hub().publish_event(&event);
    }
    let part = site.get_as_owner("/exercises/001-one-call/results").await;
    insta::assert_snapshot!("results_of_a_failed_check", part.text());

    let page = site.get_as_owner("/exercises/001-one-call").await;
    for lit in [
        r#"class="edge throttled""#,
        r#"class="throttled node" data-node="BR""#,
        r#"class="ok node" data-node="HAIKU""#,
    ] {
        let lit = lit.replace("edge throttled", "throttled edge");
        assert!(page.text().contains(&lit), "{lit} in {}", page.text());
    }
    assert!(
        page.text().contains(r#"class="node" data-node="CW""#),
        "nothing reached CloudWatch"
    );
    let stranger = site.get("/exercises/001-one-call").await;
    assert!(
        !stranger.text().contains("ThrottlingException"),
        "requests are the owner's"
    );
    assert!(!stranger.text().contains("throttled node"));
}

#[tokio::test]
async fn a_check_that_does_not_compile_shows_what_the_compiler_says() {
    let site = Site::new();
    for line in [
        serde_json::json!({"type": "started", "exercise": "001", "t": 1}),
        serde_json::json!({"type": "building", "exercise": "001", "done": 41, "total": 212}),
    ] {
        site.state
            .hub()
            .publish_event(&serde_json::from_value(line).unwrap());
    }
    let building = site.get_as_owner("/exercises/001-one-call").await;
    assert!(building.text().contains("Compiling 41 of 212"));
    assert!(
        building
            .text()
            .contains("<noscript><meta http-equiv=\"refresh\" content=\"2;url=?\">")
    );
    let finished = workshop_runner::live::Event::Finished {
        exercise: "001".to_owned(),
        outcome: Outcome::DoesNotCompile,
        passed: 0,
        total: 0,
        diagnostics: vec!["error[E0308]: mismatched <types>".to_owned()],
        problems: Vec::new(),
        t: 2,
    };
    site.state.hub().publish_event(&finished);
    let page = site.get_as_owner("/exercises/001-one-call").await;
    assert!(
        page.text()
            .contains("It does not compile, so no check was run")
    );
    assert!(
        page.text().contains("mismatched &#60;types&#62;"),
        "{}",
        page.text()
    );
    assert!(!page.text().contains("http-equiv"));
}

#[tokio::test]
async fn a_post_of_a_series_leads_to_its_parts_and_asks_without_a_script() {
    let folder = folder();
    for (slug, order) in [("b-one", 1), ("a-two", 2), ("c-three", 3)] {
        let text = format!(
            "---\ntitle: Title {slug}\ndate: 2025-10-18\nauthor: x\nexcerpt: y\ncategory: AWS\ntags: [a]\n\
             published: true\nseries: The whole way\norder: {order}\nreviewed: 2025-10-19\nexercises: [\"001\"]\n---\n\n\
             ```recall from=001\nWho asks?\n- [ ] Nobody\n- [x] You\n\nYou do.\n```\n"
        );
        fs::write(folder.path().join(format!("content/posts/{slug}.md")), text).unwrap();
    }
    let site = Site::in_folder(folder.path());
    let list = site.get("/posts").await.text().to_owned();
    let place = |slug: &str| list.find(&format!("/posts/{slug}\"")).unwrap();
    assert!(place("b-one") < place("a-two") && place("a-two") < place("c-three"));

    let page = site.get("/posts/a-two").await.text().to_owned();
    for says in [
        "The whole way, part 2",
        "compared with AWS on <time datetime=\"2025-10-19\">",
        "<a rel=\"prev\" href=\"/posts/b-one\"><span class=\"meta\">Previous part</span>",
        "<a rel=\"next\" href=\"/posts/c-three\"><span class=\"meta\">Next part</span>",
        "<details><summary>Show the answer</summary>",
        "<a class=\"btn go\" href=\"/exercises/001-one-call\">",
    ] {
        assert!(page.contains(says), "{says} is not in\n{page}");
    }
    let first = site.get("/posts/b-one").await.text().to_owned();
    assert!(!first.contains("Previous part") && first.contains("Next part"));
}
