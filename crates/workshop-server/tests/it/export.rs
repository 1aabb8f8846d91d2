//! The site as files.

use std::{collections::BTreeMap, fs, path::Path};

use workshop_server::{
    Source,
    export::{Export, ExportError, Exported, FolderError, export},
};

use crate::support::{config, folder};

async fn build(course: &Path, out: &Path, base_url: Option<&str>) -> Exported {
    let mut site = config(Source::Folder(course.to_owned()));
    site.base_url = base_url.map(str::to_owned);
    let out = out.to_owned();
    export(Export { site, out }).await.unwrap()
}

fn files(below: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![below.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(below).unwrap().to_str().unwrap();
                found.insert(name.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn is_page(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|e| e == "html")
}

fn post(title: &str, text: &str) -> String {
    format!(
        "---\ntitle: {title}\ndate: 2025-10-18\nauthor: Bedrock Workshop\nexcerpt: A post.\n\
         category: AWS\ntags: [AWS]\npublished: true\n---\n\n# {title}\n\n{text}\n"
    )
}

#[tokio::test]
async fn every_page_is_a_file_and_every_link_leads_somewhere() {
    let (course, out) = (folder(), tempfile::tempdir().unwrap());
    let exported = build(course.path(), out.path(), None).await;
    assert_eq!(exported.broken, []);
    let files = files(out.path());
    let page = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    let post = page("posts/integration-patterns/index.html");
    assert!(post.contains(r#"href="../../exercises/""#), "{post}");
    assert!(post.contains(r#"data-root="../../""#), "{post}");
    assert!(
        post.contains("http-equiv=\"Content-Security-Policy\""),
        "{post}"
    );
    for (name, html) in files.iter().filter(|(name, _)| is_page(name)) {
        let html = String::from_utf8_lossy(html);
        // A page may lie below any address; only the one for missing pages knows where it is.
        let rooted = html.contains("href=\"/") || html.contains("src=\"/");
        assert_eq!(rooted, name == "404.html", "{name}");
        assert!(!html.contains("data-live"), "{name} waits for events");
        assert!(!html.contains("127.0.0.1:"), "{name} names this machine");
    }
}

#[tokio::test]
async fn the_same_course_gives_the_same_bytes_and_touches_nothing() {
    let (course, out) = (folder(), tempfile::tempdir().unwrap());
    let first = build(course.path(), out.path(), None).await;
    let before = files(out.path());
    let again = build(course.path(), out.path(), None).await;
    assert_eq!(files(out.path()), before);
    let all = first.written.changed;
    assert_eq!((again.written.changed, again.written.unchanged), (0, all));
}

#[tokio::test]
async fn what_left_the_course_leaves_the_folder() {
    let (course, out) = (folder(), tempfile::tempdir().unwrap());
    let source = course.path().join("content/posts/goodbye.md");
    fs::write(&source, post("Goodbye", "Gone soon.")).unwrap();
    build(course.path(), out.path(), None).await;
    let page = out.path().join("posts/goodbye/index.html");
    let theirs = out.path().join("posts/goodbye/theirs.txt");
    assert!(page.is_file(), "{:?}", files(out.path()).keys());
    fs::write(&theirs, "not ours").unwrap();
    fs::remove_file(&source).unwrap();
    let second = build(course.path(), out.path(), None).await;
    assert!(!page.exists() && second.written.removed > 0);
    assert!(theirs.is_file(), "a file of somebody else's stays");
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_refused() {
    let (course, out) = (folder(), tempfile::tempdir().unwrap());
    fs::write(out.path().join("thesis.txt"), "four years").unwrap();
    let site = config(Source::Folder(course.path().to_owned()));
    let refused = export(Export {
        site,
        out: out.path().to_owned(),
    })
    .await;
    assert!(matches!(
        refused,
        Err(ExportError::Folder(FolderError::NotOurs(_)))
    ));
    assert_eq!(files(out.path()).len(), 1);
}

#[tokio::test]
async fn a_link_that_leads_nowhere_is_named() {
    let (course, out) = (folder(), tempfile::tempdir().unwrap());
    fs::write(
        course.path().join("content/posts/lost.md"),
        post("Lost", "[gone](/posts/gone)"),
    )
    .unwrap();
    let exported = build(course.path(), out.path(), None).await;
    let told: Vec<_> = exported
        .broken
        .iter()
        .map(|b| (b.page.as_str(), b.link.as_str()))
        .collect();
    assert_eq!(told, [("/posts/lost", "/posts/gone")]);
}

#[tokio::test]
async fn the_page_for_missing_pages_knows_where_the_site_is() {
    let (course, out) = (folder(), tempfile::tempdir().unwrap());
    let base = "https://example.org/a/course/";
    build(course.path(), out.path(), Some(base)).await;
    let html = fs::read_to_string(out.path().join("404.html")).unwrap();
    assert!(html.contains("href=\"/a/course/posts/\""), "{html}");
}
