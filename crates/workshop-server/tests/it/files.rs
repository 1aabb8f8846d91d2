//! The student's file through the page's editor: nothing is lost, and no other file is reached.

use std::{fs, path::PathBuf};

use axum::http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Answer, Site, folder};

const FILE: &str = "/api/exercises/001/file";
const STARTER: &str = "pub fn starter() {}\n";

/// A site over a folder whose exercise 001 has a starter.
struct Desk {
    folder: TempDir,
    site: Site,
}

impl Desk {
    fn new() -> Self {
        let folder = folder();
        let starter = folder.path().join("exercises/001-one-call/starter");
        fs::create_dir_all(&starter).unwrap();
        fs::write(starter.join("lib.rs"), STARTER).unwrap();
        let site = Site::in_folder(folder.path());
        Self { folder, site }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("exercises/001-one-call/src/lib.rs")
    }

    fn disk(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    /// The texts below `.workshop/backups/001`.
    fn backups(&self) -> Vec<String> {
        let folder = self.folder.path().join(".workshop/backups/001");
        let folders = fs::read_dir(folder).into_iter().flatten().flatten();
        let texts = folders.map(|f| fs::read_to_string(f.path().join("src/lib.rs")).unwrap());
        let mut texts: Vec<_> = texts.collect();
        texts.sort();
        texts
    }

    async fn ask(&self, request: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let cookie = self.site.cookie();
        let mut all = vec![
            ("cookie", cookie.as_str()),
            ("content-type", "application/json"),
        ];
        all.extend(headers);
        self.site.send_with(request, &all, body.to_string()).await
    }

    async fn put(&self, text: &str, over: (&str, &str)) -> Answer {
        self.ask(&format!("PUT {FILE}"), &[over], json!({ "text": text }))
            .await
    }

    async fn submit(&self, fields: &str) -> Answer {
        let cookie = self.site.cookie();
        let headers = [
            ("cookie", cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let request = "POST /exercises/001-one-call/file";
        self.site
            .send_with(request, &headers, fields.to_owned())
            .await
    }
}

fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn a_file_is_read_saved_and_read_again() {
    let desk = Desk::new();
    let read = desk.site.get_as_owner(FILE).await;
    assert_eq!(body(&read)["text"], desk.disk());
    let tag = read.header("etag").to_owned();
    assert_eq!(
        tag,
        format!("\"{}\"", body(&read)["version"].as_str().unwrap())
    );
    assert_eq!(read.header("cache-control"), "no-store");

    let saved = desk.put("fn new() {}\n", ("if-match", &tag)).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    assert_eq!(desk.disk(), "fn new() {}\n");
    let again = desk.site.get_as_owner(FILE).await;
    assert_eq!(again.header("etag"), saved.header("etag"));
    // Compression gives a tag a suffix; it names the same text.
    let with_coding = saved.header("etag").replace('"', "") + "-gzip";
    let tag = format!("\"{with_coding}\"");
    assert_eq!(
        desk.put("fn newer() {}\n", ("if-match", &tag)).await.status,
        200
    );
    assert_eq!(
        desk.backups(),
        [""; 0],
        "an ordinary save leaves no copies behind"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_saved_file_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    fs::set_permissions(desk.path(), fs::Permissions::from_mode(0o640)).unwrap();
    let tag = desk.site.get_as_owner(FILE).await.header("etag").to_owned();
    assert_eq!(desk.put("// x\n", ("if-match", &tag)).await.status, 200);
    let mode = fs::metadata(desk.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let left = fs::read_dir(desk.path().parent().unwrap()).unwrap().count();
    assert_eq!(left, 1, "no unfinished file is left");
}

#[tokio::test]
async fn a_save_over_another_text_is_refused_with_that_text() {
    let desk = Desk::new();
    let tag = desk.site.get_as_owner(FILE).await.header("etag").to_owned();
    fs::write(desk.path(), "// from another editor\n").unwrap();
    let refused = desk.put("// mine\n", ("if-match", &tag)).await;
    assert_eq!(refused.status, 412);
    assert_eq!(body(&refused)["text"], "// from another editor\n");
    assert_eq!(
        desk.disk(),
        "// from another editor\n",
        "the disk is left alone"
    );

    // The student chooses; what goes is kept.
    let version = format!("\"{}\"", body(&refused)["version"].as_str().unwrap());
    let request = format!("PUT {FILE}");
    let text = json!({ "text": "// mine\n", "keep_copy": true });
    let kept = desk.ask(&request, &[("if-match", &version)], text).await;
    assert_eq!(kept.status, 200);
    assert_eq!(
        (desk.disk().as_str(), desk.backups()),
        ("// mine\n", vec!["// from another editor\n".to_owned()])
    );
    let copy = desk
        .ask(
            &format!("POST {FILE}/copy"),
            &[],
            json!({ "text": "// let go\n" }),
        )
        .await;
    assert!(
        body(&copy)["path"]
            .as_str()
            .unwrap()
            .starts_with(".workshop/backups/001/")
    );
    assert_eq!(desk.backups(), ["// from another editor\n", "// let go\n"]);

    let part = desk
        .ask(
            &format!("POST {FILE}/difference"),
            &[],
            json!({ "text": "// other\n" }),
        )
        .await;
    for line in ["- // mine", "+ // other"] {
        assert!(part.text().contains(line), "{}", part.text());
    }
}

#[tokio::test]
async fn a_missing_file_is_said_to_be_missing_and_can_be_made() {
    let desk = Desk::new();
    fs::remove_dir_all(desk.path().parent().unwrap()).unwrap();
    let missing = desk.site.get_as_owner(FILE).await;
    assert_eq!(missing.status, 404);
    let message = "src/lib.rs is not there. Reset puts the starter there.";
    assert_eq!(body(&missing)["message"], message);
    let page = desk.site.get_as_owner("/exercises/001-one-call").await;
    assert!(page.text().contains(message));
    let gone = desk.put("x", ("if-match", "\"0\"")).await;
    assert_eq!(
        (gone.status.as_u16(), &body(&gone)["text"]),
        (412, &Value::Null)
    );
    assert_eq!(
        desk.put("// made\n", ("if-none-match", "*")).await.status,
        200
    );
    assert_eq!(desk.disk(), "// made\n");
    assert_eq!(
        desk.put("// over\n", ("if-none-match", "*")).await.status,
        412
    );
}

#[tokio::test]
async fn what_is_no_small_text_is_refused() {
    let desk = Desk::new();
    let tag = desk.site.get_as_owner(FILE).await.header("etag").to_owned();
    let over = ("if-match", tag.as_str());
    let limit = 256 * 1024;
    assert_eq!(desk.put(&"x".repeat(limit + 1), over).await.status, 413);
    assert_eq!(
        desk.put(&"\u{1}".repeat(limit), over).await.status,
        200,
        "escaped it is 1.5 MB"
    );
    let cookie = desk.site.cookie();
    let json = ("content-type", "application/json");
    let owner = ("cookie", cookie.as_str());
    for (what, headers, bytes, status) in [
        (
            "not UTF-8",
            vec![owner, json, over],
            b"{\"text\":\"\xff\"}".to_vec(),
            400,
        ),
        ("not JSON", vec![owner, json, over], b"text".to_vec(), 400),
        ("no text", vec![owner, json, over], b"{}".to_vec(), 400),
        (
            "a path",
            vec![owner, json, over],
            b"{\"path\":\"/etc/passwd\"}".to_vec(),
            400,
        ),
        (
            "no version",
            vec![owner, json],
            b"{\"text\":\"\"}".to_vec(),
            428,
        ),
        (
            "another type",
            vec![owner, over, ("content-type", "text/plain")],
            b"{\"text\":\"\"}".to_vec(),
            415,
        ),
    ] {
        let answer = desk
            .site
            .send_with(&format!("PUT {FILE}"), &headers, bytes)
            .await;
        assert_eq!(answer.status.as_u16(), status, "{what}");
    }

    fs::write(desk.path(), b"fn caf\xe9() {}").unwrap();
    assert_eq!(desk.site.get_as_owner(FILE).await.status, 422);
    fs::write(desk.path(), "x".repeat(limit + 1)).unwrap();
    assert_eq!(desk.site.get_as_owner(FILE).await.status, 413);
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_within_the_exercise_and_not_out_of_it() {
    use std::os::unix::fs::symlink;
    let desk = Desk::new();
    let outside = desk.folder.path().join("outside.rs");
    fs::write(&outside, "// outside\n").unwrap();
    let inside = desk.path().with_file_name("inside.rs");
    fs::rename(desk.path(), &inside).unwrap();
    symlink("inside.rs", desk.path()).unwrap();
    let read = desk.site.get_as_owner(FILE).await;
    let tag = read.header("etag").to_owned();
    assert_eq!(
        desk.put("// through the link\n", ("if-match", &tag))
            .await
            .status,
        200
    );
    assert_eq!(
        fs::read_to_string(&inside).unwrap(),
        "// through the link\n"
    );
    assert!(
        desk.path().symlink_metadata().unwrap().is_symlink(),
        "the link is still one"
    );

    let nowhere = desk.folder.path().join("nowhere.rs");
    for target in [&outside, &nowhere] {
        fs::remove_file(desk.path()).unwrap();
        symlink(target, desk.path()).unwrap();
        assert_eq!(desk.site.get_as_owner(FILE).await.status, 403);
        for over in [("if-match", tag.as_str()), ("if-none-match", "*")] {
            assert_eq!(desk.put("// written\n", over).await.status, 403);
        }
        assert_eq!(
            desk.ask("POST /api/exercises/001/reset", &[], json!({}))
                .await
                .status,
            403
        );
    }
    assert_eq!(fs::read_to_string(&outside).unwrap(), "// outside\n");
    assert!(!nowhere.exists());
}

#[tokio::test]
async fn no_address_reaches_another_file() {
    let desk = Desk::new();
    for id in ["999", "..%2F..", "001-one-call", "%2e%2e", "001%2f..%2f002"] {
        let answer = desk
            .site
            .get_as_owner(&format!("/api/exercises/{id}/file"))
            .await;
        assert_eq!(answer.status, 404, "{id}");
    }
    let built_in = Site::new();
    assert_eq!(
        built_in.get_as_owner(FILE).await.status,
        409,
        "there is no checkout"
    );
}

#[tokio::test]
async fn another_site_can_neither_read_nor_write_it() {
    let desk = Desk::new();
    let before = desk.disk();
    for headers in [
        [("origin", "http://evil.example")],
        [("origin", "null")],
        [("sec-fetch-site", "cross-site")],
    ] {
        for method in ["GET", "PUT"] {
            let answer = desk
                .ask(
                    &format!("{method} {FILE}"),
                    &headers,
                    json!({ "text": "x" }),
                )
                .await;
            assert_eq!(answer.status, 403, "{method} {headers:?}");
        }
    }
    let wrong = [("cookie", "workshop-3000=00000000000000000000000000000000")];
    assert_eq!(
        desk.site.send(&format!("GET {FILE}"), &wrong).await.status,
        401
    );
    assert_eq!(desk.disk(), before);
}

#[tokio::test]
async fn a_reset_puts_the_starter_back_and_keeps_the_text() {
    let desk = Desk::new();
    fs::write(desk.path(), "// an hour of work\n").unwrap();
    let reset = desk
        .ask("POST /api/exercises/001/reset", &[], json!({}))
        .await;
    assert_eq!(body(&reset)["text"], STARTER);
    assert!(
        body(&reset)["backup"]
            .as_str()
            .unwrap()
            .starts_with(".workshop/backups/001/")
    );
    assert_eq!(
        (desk.disk().as_str(), desk.backups()),
        (STARTER, vec!["// an hour of work\n".to_owned()])
    );
    let again = desk
        .ask("POST /api/exercises/001/reset", &[], json!({}))
        .await;
    assert_eq!(body(&again)["backup"], Value::Null, "nothing was replaced");
}

#[tokio::test]
async fn a_text_is_formatted_without_being_saved() {
    let desk = Desk::new();
    let before = desk.disk();
    let format = "POST /api/exercises/001/format";
    let good = desk
        .ask(format, &[], json!({ "text": "fn  a( ){}\n" }))
        .await;
    assert_eq!(body(&good)["text"], "fn a() {}\n", "{}", good.text());
    let bad = desk.ask(format, &[], json!({ "text": "fn a( {\n" })).await;
    assert_eq!(bad.status, 422);
    assert!(bad.text().contains("src/lib.rs:1"), "{}", bad.text());
    assert_eq!(desk.disk(), before);
}

#[tokio::test]
async fn the_form_saves_resets_and_shows_both_texts_without_scripts() {
    let desk = Desk::new();
    let page = desk.site.get_as_owner("/exercises/001-one-call").await;
    assert!(page.text().contains("<textarea"));
    let version = |text: &str| {
        let (_, rest) = text.split_once("name=\"version\" value=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let first = version(page.text());
    let saved = desk
        .submit(&format!("text=a%0D%0Ab%0D%0A&version={first}&act=save"))
        .await;
    assert_eq!(
        (saved.status.as_u16(), saved.header("location")),
        (303, "/exercises/001-one-call#code")
    );
    assert_eq!(
        desk.disk(),
        "a\nb\n",
        "a form's ends of lines are not the file's"
    );

    let clash = desk
        .submit(&format!("text=mine&version={first}&act=save"))
        .await;
    assert_eq!(clash.status, 412);
    for shown in ["- a\n", "+ mine\n", ".workshop/backups/001/"] {
        assert!(
            clash.text().contains(shown),
            "{shown:?} in {}",
            clash.text()
        );
    }
    assert_eq!(
        (desk.disk().as_str(), desk.backups()),
        ("a\nb\n", vec!["mine".to_owned()])
    );
    let kept = desk
        .submit(&format!(
            "text=mine&version={}&act=keep",
            version(clash.text())
        ))
        .await;
    assert_eq!((kept.status.as_u16(), desk.disk().as_str()), (303, "mine"));
    assert_eq!(desk.backups(), ["a\nb\n", "mine"]);

    assert_eq!(desk.submit("text=&version=&act=reset").await.status, 303);
    assert_eq!(desk.disk(), STARTER);
    assert_eq!(desk.submit("text=&version=&act=rm").await.status, 422);
}

#[tokio::test]
async fn a_text_on_a_page_is_only_text() {
    let desk = Desk::new();
    fs::write(desk.path(), "\n\n</textarea><script>alert(1)</script>\n").unwrap();
    let page = desk.site.get_as_owner("/exercises/001-one-call").await;
    assert!(!page.text().contains("<script>alert"), "it is escaped");
    assert!(
        page.text().contains(">\n\n\n&#60;/textarea"),
        "and its first empty line is kept"
    );
    let stranger = desk.site.get("/exercises/001-one-call").await;
    assert!(
        !stranger.text().contains("alert(1)"),
        "only the owner sees it"
    );
}

#[tokio::test]
async fn an_opened_hint_is_remembered_and_others_are_refused() {
    let desk = Desk::new();
    let hint = "POST /api/exercises/001/hint";
    assert_eq!(desk.ask(hint, &[], json!({ "step": 2 })).await.status, 200);
    let progress = workshop_runner::Progress::load(desk.site.state.workspace().unwrap());
    assert_eq!(progress.exercises["001"].hints, 2);
    for step in [0, 200] {
        let answer = desk.ask(hint, &[], json!({ "step": step })).await;
        assert_eq!(answer.status, 404, "{step}");
    }
}

#[tokio::test]
async fn nothing_is_watched_that_no_page_shows() {
    let desk = Desk::new();
    let watch = "POST /api/exercises/001/watch";
    let refused = desk.ask(watch, &[], json!({ "on": true })).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(!desk.site.state.runs().watching("001"));
    let here = workshop_server::presence::Here::enter(&desk.site.state, "001").unwrap();
    assert_eq!(
        desk.ask(watch, &[], json!({ "on": true })).await.status,
        200
    );
    assert!(desk.site.state.runs().watching("001"));
    assert_eq!(
        desk.ask(watch, &[], json!({ "on": false })).await.status,
        200
    );
    assert!(!desk.site.state.runs().watching("001"));
    drop(here);
}

#[tokio::test]
async fn an_error_is_explained_by_its_number_and_by_nothing_else() {
    let desk = Desk::new();
    let page = desk.site.get_as_owner("/rustc/E0308").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("<code class=\"language-rust\">"));
    for code in ["E9999", "--version", "E0308%20-o", "E03088"] {
        let page = desk.site.get_as_owner(&format!("/rustc/{code}")).await;
        assert_eq!(page.status, 404, "{code}");
    }
}

#[tokio::test]
async fn given_files_and_checks_can_be_read_and_nothing_else() {
    let folder = folder();
    let exercise = folder.path().join("exercises/001-one-call");
    for (path, text) in [
        ("src/given.rs", "pub struct Given;\n"),
        ("tests/check.rs", "#[test] fn asks_once() {}\n"),
        ("solution/lib.rs", "pub fn solution() {}\n"),
        ("wrong/asks_twice.rs", "pub fn wrong() {}\n"),
    ] {
        let path = exercise.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let site = Site::in_folder(folder.path());
    let read = async |path: &str| {
        let address = format!("/exercises/001-one-call/files/{path}");
        site.get(&address).await
    };

    let given = read("src/given.rs").await;
    assert_eq!(given.status, StatusCode::OK);
    assert!(given.text().contains("pub struct Given;"));
    assert!(given.text().contains("files/tests/check.rs"));
    assert!(!given.text().contains("files/solution"));
    assert!(read("tests/check.rs").await.text().contains("asks_once"));
    for path in [
        "solution/lib.rs",
        "wrong/asks_twice.rs",
        "src/lib.rs",
        "README.md",
        "src/../solution/lib.rs",
        "src%2F..%2Fsolution%2Flib.rs",
    ] {
        assert_eq!(read(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
