//! "Find the bug": what each choice leads to, and what is kept.

use std::fs;

use axum::http::StatusCode;

use crate::support::{Answer, Site, folder};

const PROXY: &str = "/bugs/a-proxy";

/// The part of the page that a choice changes.
fn board(html: &str) -> &str {
    let from = html.find("<section class=\"board\"").unwrap();
    let to = html.find("<nav class=\"pager\"").unwrap();
    html[from..to].trim_end()
}

/// One line of the snippet, with what is shown below it.
fn line(html: &str, number: usize) -> &str {
    let from = html.find(&format!("<li id=\"line-{number}\"")).unwrap();
    let next = format!("<li id=\"line-{}\"", number + 1);
    let to = html.find(&next).unwrap_or(html.len());
    &html[from..to]
}

/// Sends a form as the owner of the token does.
async fn post_form(site: &Site, path: &str, form: &'static str) -> Answer {
    let cookie = site.cookie();
    let headers = [
        ("cookie", cookie.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    site.send_with(&format!("POST {path}"), &headers, form)
        .await
}

async fn chosen(site: &Site, query: &str) -> String {
    let answer = site.get(&format!("{PROXY}?{query}")).await;
    assert_eq!(answer.status, 200, "{query}");
    answer.text().to_owned()
}

#[tokio::test]
async fn the_list_the_page_and_each_verdict() {
    let site = Site::new();
    let main =
        |html: &str| html[html.find("<main").unwrap()..html.find("<footer").unwrap()].to_owned();
    insta::assert_snapshot!("list", main(site.get("/bugs").await.text()));
    insta::assert_snapshot!("page", main(site.get(PROXY).await.text()));
    insta::assert_snapshot!("asked", line(&chosen(&site, "line=2").await, 2));
    let found = chosen(&site, "line=2&class=reliability").await;
    insta::assert_snapshot!("found", line(&found, 2));
    let other = chosen(&site, "line=3&class=cost&found=P-08").await;
    insta::assert_snapshot!("another_class", line(&other, 3));
    let clean = chosen(&site, "line=1&class=drift").await;
    insta::assert_snapshot!("nothing_wrong", line(&clean, 1));
    let all = site.get("/bugs/a-proxy/all?found=P-09").await;
    insta::assert_snapshot!("all", board(all.text()));
}

#[tokio::test]
async fn what_was_found_stays_in_the_address() {
    let site = Site::new();
    let first = chosen(&site, "line=2&class=reliability").await;
    assert!(first.contains("<strong>1 of 3</strong> found"));
    assert!(first.contains(
        "data-say=\"Found: line 2. There is something else wrong with it, too. 1 of 3 found.\""
    ));
    assert!(first.contains("<input type=\"hidden\" name=\"found\" value=\"P-08\">"));
    let second = chosen(&site, "line=3&class=security&found=P-08").await;
    assert!(second.contains("value=\"P-08.P-15\""), "{second}");
    let third = chosen(&site, "line=5&class=reliability&found=P-08.P-15").await;
    assert!(
        third.contains("<strong>3 of 3</strong> found <span class=\"tag ok\">all of them</span>")
    );
    assert!(!third.contains("Show all"), "nothing is left to show");
    let known = chosen(&site, "line=2&found=P-08.P-15").await;
    assert!(known.contains("You have found everything that we know to be wrong with line 2."));
    assert!(!known.contains("<fieldset>"));
    let again = chosen(&site, "line=3&class=security&found=P-15").await;
    assert!(again.contains("Found before: line 3."));
}

#[tokio::test]
async fn nonsense_in_the_address_is_ignored() {
    let site = Site::new();
    let plain = site.get(PROXY).await;
    for query in [
        "line=0",
        "line=8&class=cost",
        "line=x",
        "class=cost",
        "found=P-31.%3Cscript%3E..P-99",
        "line=18446744073709551616",
    ] {
        let answer = site.get(&format!("{PROXY}?{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        assert_eq!(board(answer.text()), board(plain.text()), "{query}");
    }
    let unknown = chosen(&site, "line=2&class=ugly").await;
    assert!(unknown.contains("What is wrong with line 2?"));
    let missing = site.get("/bugs/a-prxy").await;
    assert_eq!(missing.status, 404);
    assert!(missing.text().contains("href=\"/bugs/a-proxy\""));
    assert_eq!(site.get("/bugs/a-prxy/all").await.status, 404);
}

#[tokio::test]
async fn the_owner_of_a_checkout_keeps_what_was_found() {
    let folder = folder();
    let site = Site::in_folder(folder.path());
    let progress = folder.path().join(".workshop/progress.json");
    let page = site.get_as_owner("/bugs/a-proxy?line=2").await;
    assert!(
        page.text()
            .contains("<form method=\"post\" action=\"/bugs/a-proxy/found\">")
    );
    let looked = site
        .get_as_owner("/bugs/a-proxy?line=2&class=reliability")
        .await;
    assert!(looked.text().contains("1 of 3"));
    assert!(!progress.exists(), "looking writes nothing");

    let wrong = post_form(&site, "/bugs/a-proxy/found", "line=2&class=cost").await;
    assert_eq!(wrong.status, StatusCode::SEE_OTHER);
    assert_eq!(
        wrong.header("location"),
        "/bugs/a-proxy?line=2&class=cost#line-2"
    );
    assert!(!progress.exists(), "nothing was found");
    let right = post_form(&site, "/bugs/a-proxy/found", "line=5&class=reliability").await;
    assert_eq!(
        right.header("location"),
        "/bugs/a-proxy?line=5&class=reliability#line-5"
    );
    let kept: serde_json::Value = serde_json::from_slice(&fs::read(&progress).unwrap()).unwrap();
    assert!(kept["bugs"]["P-09"].is_string(), "{kept}");

    let later = site.get_as_owner(PROXY).await;
    assert!(later.text().contains("<strong>1 of 3</strong> found"));
    assert!(
        !later.text().contains("name=\"found\""),
        "the address carries nothing"
    );
    let list = site.get_as_owner("/bugs").await;
    assert!(list.text().contains("1 of 3 found") && list.text().contains("You have found 1."));
    let stranger = site.get(PROXY).await;
    assert!(stranger.text().contains("<strong>0 of 3</strong> found"));

    let odd = post_form(&site, "/bugs/a-proxy/found", "line=5&class=ugly").await;
    assert_eq!(odd.status, StatusCode::BAD_REQUEST);
    let nowhere = post_form(&site, "/bugs/a-prxy/found", "line=5&class=cost").await;
    assert_eq!(nowhere.status, 404);
    let token = site.send("POST /bugs/a-proxy/found", &[]).await;
    assert_eq!(token.status, 401);
}

#[tokio::test]
async fn posts_exercises_and_search_lead_to_the_page() {
    let site = Site::new();
    let link = "href=\"/bugs/a-proxy\"";
    for path in [
        "/posts/integration-patterns",
        "/exercises/001-one-call",
        "/exercises/002-two-calls",
        "/search?q=always+fine",
        "/search?q=statusCode",
    ] {
        assert!(site.get(path).await.text().contains(link), "{path}");
    }
    let answers = site.get("/search?q=absent").await;
    assert!(
        !answers.text().contains(link),
        "search does not tell the answers"
    );
    assert!(site.get("/posts").await.text().contains("href=\"/bugs\""));
    let draft = site.get("/bugs/two-words").await;
    assert!(!draft.text().contains("goes with"), "its post is a draft");
}
