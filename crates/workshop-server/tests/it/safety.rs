//! Only this machine's owner can run code through the site, and pages load nothing from elsewhere.

use axum::http::StatusCode;
use workshop_course::Tree;
use workshop_server::{Site as Server, SiteConfig, Source, StartError};

use crate::support::{Site, config, fixture, folder};

#[tokio::test]
async fn only_our_own_names_are_answered() {
    let site = Site::new();
    for (host, status) in [
        ("127.0.0.1:3000", 200),
        ("localhost:3000", 200),
        ("LOCALHOST:3000", 200),
        ("[::1]:3000", 200),
        ("localhost", 421),
        ("localhost:3001", 421),
        ("evil.example:3000", 421),
        ("127.0.0.1.evil.example:3000", 421),
        ("a.localhost:3000", 421),
        ("192.168.0.7:3000", 421),
        ("localhost:3000@evil.example", 421),
        ("", 421),
    ] {
        let answer = site.send("GET /", &[("host", host)]).await;
        assert_eq!(answer.status.as_u16(), status, "Host: {host}");
    }
    let two = [("host", "localhost:3000"), ("host", "evil.example")];
    assert_eq!(site.send("GET /", &two).await.status, 421, "two hosts");
    let line = site.send("GET http://evil.example/", &[]).await;
    assert_eq!(line.status, 421, "a foreign name in the request line");
}

#[tokio::test]
async fn other_sites_may_link_here_and_nothing_else() {
    let site = Site::new();
    let cookie = site.cookie();
    let owner = ("cookie", cookie.as_str());
    let json = ("content-type", "application/json");
    let check = "POST /api/exercises/001/check";
    for (request, headers, status) in [
        // A script or image tag on another page.
        (
            "GET /",
            vec![
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "no-cors"),
            ],
            403,
        ),
        (
            "GET /events",
            vec![
                owner,
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-mode", "cors"),
            ],
            403,
        ),
        // A link on another page.
        (
            "GET /",
            vec![
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
            ],
            200,
        ),
        // A form on another page, even with the cookie.
        (
            check,
            vec![
                owner,
                json,
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
            ],
            403,
        ),
        (
            check,
            vec![owner, json, ("sec-fetch-site", "same-site")],
            403,
        ),
        (
            check,
            vec![owner, json, ("origin", "http://evil.example")],
            403,
        ),
        (
            check,
            vec![owner, json, ("origin", "http://127.0.0.1:4000")],
            403,
        ),
        (
            check,
            vec![owner, json, ("origin", "https://127.0.0.1:3000")],
            403,
        ),
        (check, vec![owner, json, ("origin", "null")], 403),
        // Our own page; there is no workspace in this site, hence 409 and not 202.
        (
            check,
            vec![
                owner,
                json,
                ("origin", "http://127.0.0.1:3000"),
                ("sec-fetch-site", "same-origin"),
            ],
            409,
        ),
        // A program on this machine that has the token.
        (check, vec![owner, json], 409),
    ] {
        let answer = site.send(request, &headers).await;
        assert_eq!(answer.status.as_u16(), status, "{request} {headers:?}");
    }
}

#[tokio::test]
async fn what_runs_code_or_shows_requests_needs_the_token() {
    let site = Site::new();
    let json = ("content-type", "application/json");
    for request in [
        "GET /events",
        "GET /api/lit",
        "GET /exercises/001-one-call/results",
        "POST /exercises/001-one-call/check",
        "POST /api/exercises/001/check",
        "POST /api/exercises/001/cancel",
        "POST /exercises/001-one-call/cancel",
        "GET /rustc/E0308",
        "POST /api/exercises/001/watch",
        "POST /api/exercises/001/hint",
        "POST /exercises/001-one-call/file",
        "GET /api/exercises/001/file",
        "PUT /api/exercises/001/file",
        "POST /api/exercises/001/file/copy",
        "POST /api/exercises/001/file/difference",
        "POST /api/exercises/001/reset",
        "POST /api/exercises/001/format",
        "POST /bugs/a-proxy/found",
    ] {
        for cookie in [
            "",
            "workshop-3000=",
            "workshop-3000=00000000000000000000000000000000",
        ] {
            let answer = site.send(request, &[json, ("cookie", cookie)]).await;
            assert_eq!(answer.status, 401, "{request} with {cookie:?}");
        }
    }
    let other_port = site.cookie().replace("3000=", "3001=");
    let answer = site.send("GET /api/lit", &[("cookie", &other_port)]).await;
    assert_eq!(
        answer.status, 401,
        "the cookie of another site on this machine"
    );
    assert_eq!(site.get_as_owner("/api/lit").await.status, 200);
}

#[tokio::test]
async fn the_printed_link_is_exchanged_for_a_cookie() {
    let site = Site::new();
    let token = site.state.token().as_str().to_owned();
    assert_eq!(token.len(), 32, "128 bits as hexadecimal digits");
    let answer = site.get(&format!("/?t={token}")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(
        answer.header("location"),
        "/",
        "the token leaves the address bar"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        answer.header("set-cookie"),
        format!("workshop-3000={token}; HttpOnly; SameSite=Strict; Path=/")
    );
    let deep = site.get(&format!("/search?q=a&t={token}")).await;
    assert_eq!(deep.header("location"), "/search?q=a");
    let away = site.get(&format!("//evil.example/?t={token}")).await;
    assert!(!away.header("location").starts_with("//"), "{away:?}");
    let wrong = site.get("/?t=00000000000000000000000000000000").await;
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.header("set-cookie"), "");
    assert!(wrong.text().contains("Open the link from the terminal"));
}

#[tokio::test]
async fn every_answer_carries_the_safety_headers() {
    let site = Site::new();
    let asset = workshop_server::assets::base().to_owned() + "/style.css";
    for path in [
        "/",
        "/nope",
        "/events",
        "/assets/x/y",
        asset.as_str(),
        "/api/lit",
    ] {
        for host in ["127.0.0.1:3000", "evil.example"] {
            let answer = site.send(&format!("GET {path}"), &[("host", host)]).await;
            assert_eq!(
                answer.header("content-security-policy"),
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                 font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
                 frame-ancestors 'none'",
                "{path}"
            );
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                ("referrer-policy", "same-origin"),
                (
                    "permissions-policy",
                    "camera=(), microphone=(), geolocation=()",
                ),
            ] {
                assert_eq!(answer.header(name), value, "{name} of {path}");
            }
            let cors = |name: &&str| name.starts_with("access-control");
            let mut names = answer.headers.keys().map(axum::http::HeaderName::as_str);
            assert_eq!(names.find(cors), None, "{path}");
        }
    }
}

#[tokio::test]
async fn a_check_is_asked_for_in_json_and_refused_with_a_sentence() {
    let site = Site::new();
    let cookie = site.cookie();
    let owner = ("cookie", cookie.as_str());
    let check = "POST /api/exercises/001/check";
    for mime in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
    ] {
        let answer = site.send(check, &[owner, ("content-type", mime)]).await;
        assert_eq!(answer.status, 415, "{mime}");
    }
    let json = ("content-type", "application/json; charset=utf-8");
    let none = site.send(check, &[owner, json]).await;
    assert_eq!(none.status, 409);
    assert!(
        none.text().contains("no checkout of the workshop"),
        "{none:?}"
    );
    let unknown = site
        .send("POST /api/exercises/999/check", &[owner, json])
        .await;
    assert_eq!(unknown.status, 404);
    let path = site
        .send("POST /api/exercises/..%2F..%2Fetc/check", &[owner, json])
        .await;
    assert_eq!(
        path.status, 404,
        "an exercise is an id of the course, never a path"
    );
    let cancel = site
        .send("POST /api/exercises/001/cancel", &[owner, json])
        .await;
    assert_eq!(cancel.status, 409);
    assert_eq!(
        site.send("GET /api/exercises/001/check", &[owner])
            .await
            .status,
        405
    );
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused() {
    let tree = Tree::read(&fixture()).unwrap();
    for addr in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = Server::start(SiteConfig {
            addr: addr.parse().unwrap(),
            ..config(Source::Embedded(tree.clone()))
        })
        .await;
        assert!(matches!(refused, Err(StartError::NotLoopback(_))), "{addr}");
    }
}

#[tokio::test]
async fn no_file_of_the_course_is_served_unless_a_page_shows_it() {
    let folder = folder();
    let site = Site::in_folder(folder.path());
    for path in [
        "/media/exercises/001-one-call/solution/lib.rs",
        "/media/..%2F..%2Fetc/passwd",
        "/assets/../Cargo.toml",
    ] {
        assert_eq!(site.get(path).await.status, 404, "{path}");
    }
    let solution = site.get_as_owner("/exercises/001-one-call/solution").await;
    assert_eq!(solution.status, 403);
    assert!(!solution.text().contains("n * 2"));
    assert!(solution.text().contains("workshop solution 001 --peek"));
}
