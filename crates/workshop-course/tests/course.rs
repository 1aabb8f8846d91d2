//! Whole courses in memory: what loads, and what is said about the rest.

use workshop_course::{BugClass, Course, Real, RealLimits, Severity, Sidecar, Tree, source_sha256};

const POST: &str = "---\ntitle: \"Patterns\"\ndate: \"2025-10-18\"\nauthor: \"Bedrock Workshop\"\nexcerpt: \"Five of them.\"\ncategory: \"AWS\"\ntags: [\"AWS\", \"Patterns\"]\npublished: true\n---\n\n# Patterns\n\nText.\n";

const MERMAID: &str = "graph LR\n    A[One] -->|calls| B[Two]\n";

const MANIFEST: &str = "id = \"004\"\ntitle = \"Follow a call\"\ntrack = \"a\"\nminutes = 25\nlevel = 2\ncore = true\nrequires = []\ngoal = \"Evidence for every hop.\"\ndiagram = \"map\"\nnodes = [\"A\"]\nreal = { max_calls = 3, max_tokens = 200 }\n\n[[recall]]\nquestion = \"Which?\"\nchoices = [\"this\", \"that\"]\nanswer = 1\nfrom = \"004\"\n";

fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::default();
    for (path, text) in files {
        tree.files.insert((*path).to_owned(), (*text).into());
    }
    tree
}

fn shown(course: &Course) -> Vec<String> {
    course.diagnostics.iter().map(ToString::to_string).collect()
}

/// Files of one complete exercise and the diagram it names.
fn exercise_files() -> Vec<(&'static str, String)> {
    let dir = "exercises/004-follow-a-call";
    let sidecar = Sidecar {
        source_sha256: source_sha256(MERMAID),
        renderer: "by hand".to_owned(),
        nodes: [("A", "One"), ("B", "Two & more")]
            .map(|(id, label)| (id.to_owned(), label.to_owned()))
            .into(),
        edges: vec![("A".to_owned(), "B".to_owned(), "calls".to_owned())],
        title: "Map".to_owned(),
        desc: "One calls Two.".to_owned(),
    };
    let file = |name: &str| -> &'static str { format!("{dir}/{name}").leak() };
    vec![
        ("diagrams/map.md", format!("# Map\n\nA map of it.\n\n```mermaid\n{MERMAID}```\n")),
        ("diagrams/rendered/map-1.svg", "<svg id=\"map-1\"><g class=\"node\" data-node=\"A\"/></svg>\n".to_owned()),
        ("diagrams/rendered/map-1.json", serde_json::to_string(&sidecar).expect("JSON")),
        ("exercises/tracks.toml", "[[track]]\nid = \"a\"\ntitle = \"Start\"\nsummary = \"First calls.\"\nchain = [\"you\", \"Bedrock\"]\n".to_owned()),
        (file("exercise.toml"), MANIFEST.to_owned()),
        (file("README.md"), "# 004 Follow a call\n\n## Task\n\nDo it, as [the map](../../diagrams/map.md) shows.\n".to_owned()),
        (file("hints.md"), "# Hints\n\n## A question\n\nWho?\n\n## A name\n\n`RequestId`\n\n## Near-code\n\n```rust\n## not a heading\n```\n".to_owned()),
        (file("Cargo.toml"), "[package]\n".to_owned()),
        (file("src/lib.rs"), "//! Starter.\n".to_owned()),
        (file("tests/check.rs"), "#[test]\nfn quotes_the_request() {}\n".to_owned()),
        (file("solution/lib.rs"), "//! Solution.\n".to_owned()),
        (file("wrong/latest.rs"), "//! dies in: quotes_the_request\n".to_owned()),
    ]
}

fn exercise_tree() -> Tree {
    let files = exercise_files();
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (*p, t.as_str())).collect();
    tree(&files)
}

/// What is said after one file of a complete exercise was changed (`None`: removed).
fn after_change(path: &str, text: Option<&str>) -> Vec<String> {
    let mut tree = exercise_tree();
    assert!(tree.files.contains_key(path), "{path}");
    match text {
        Some(text) => tree.files.insert(path.to_owned(), text.into()),
        None => tree.files.remove(path),
    };
    shown(&Course::load(&tree))
}

#[test]
fn a_post_and_a_document_without_front_matter_load() {
    let document =
        "# The Map\r\n\r\nThis shows it.\r\n\r\n## Parts\r\n\r\n```mermaid\r\ngraph LR\r\n```\r\n";
    let course = Course::load(&tree(&[
        ("content/posts/Five_Patterns.md", POST),
        ("content/posts/plain.md", document),
        ("diagrams/map.md", document),
        ("diagrams/README.md", "# For authors\n"),
    ]));
    let post = course.post("five-patterns").expect("the post");
    assert_eq!(post.title, "Patterns");
    assert_eq!(
        post.date.map(|d| d.to_string()).as_deref(),
        Some("2025-10-18")
    );
    assert_eq!(post.tags, ["AWS", "Patterns"]);
    assert_eq!(post.body.html, "<p>Text.</p>\n");
    let plain = course.post("plain").expect("the plain post");
    assert_eq!((plain.title.as_str(), plain.published), ("The Map", true));
    assert_eq!(
        course.posts.last(),
        Some(plain),
        "posts without a date come last"
    );
    let map = course.diagram("map").expect("the diagram page");
    assert_eq!(
        (map.title.as_str(), map.excerpt.as_str()),
        ("The Map", "This shows it.")
    );
    assert_eq!(map.diagrams[0].source, "graph LR\n");
    assert_eq!(map.diagrams[0].line, 7);
    assert!(
        map.body
            .html
            .contains("<figure class=\"diagram pending\" data-diagram=\"map-1\">")
    );
    assert!(
        course
            .diagnostics
            .iter()
            .all(|d| d.severity == Severity::Warning)
    );
}

#[test]
fn one_bad_page_does_not_take_the_others_along() {
    let bad = POST.replace("published: true", "published: \"true\"");
    let link = POST.replace("Text.", "See [it](bad.md).");
    let course = Course::load(&tree(&[
        ("content/posts/bad.md", &bad),
        ("content/posts/good.md", &link),
        ("content/posts/open.md", "---\ntitle: x\n\nText\n"),
    ]));
    assert_eq!(
        shown(&course),
        [
            "content/posts/bad.md:8: error: `published` is text, not true or false\n  cure: write `published: true` or `published: false`, without quotes",
            "content/posts/open.md:1: error: the front matter never ends\n  cure: add a line `---` after its last key",
        ]
    );
    assert_eq!(course.posts.len(), 1);
    assert_eq!(course.posts[0].slug.as_str(), "good");
}

#[test]
fn of_two_pages_with_one_address_the_first_stays() {
    let course = Course::load(&tree(&[
        ("content/posts/A b.md", POST),
        ("content/posts/a-b.mdx", POST),
        ("content/posts/deep/c.md", POST),
    ]));
    assert_eq!(course.posts.len(), 1);
    assert_eq!(
        shown(&course),
        [
            "content/posts/a-b.mdx:0: error: the slug `a-b` is taken by content/posts/A b.md; this file is left out\n  cure: rename one of the two files",
            "content/posts/deep/c.md:0: warning: the file is no page: its name gives no address, or it lies in a subfolder\n  cure: name it with letters, digits and hyphens, directly in content/posts/",
        ]
    );
}

#[test]
fn links_are_checked_against_the_whole_course() {
    let text = "## Part\n\n[1](#part) [2](#prat) [3](/posts/otter)\n[4](other.md#part) [5](other.md#nothing-like-it)\n[6](/exercises/009) [7](gone.txt) [8](/posts/draft)\n";
    let course = Course::load(&tree(&[
        ("content/posts/page.md", &POST.replace("Text.", text)),
        (
            "content/posts/other.md",
            &POST.replace("Text.", "## Part\n"),
        ),
        (
            "content/posts/draft.md",
            &POST.replace("published: true", "published: false"),
        ),
    ]));
    assert_eq!(
        shown(&course),
        [
            "content/posts/page.md:15: error: content/posts/page.md has no heading with the anchor `#prat`\n  cure: link to the page, or add a heading `{#prat}`",
            "content/posts/page.md:15: error: there is no page /posts/otter\n  cure: did you mean /posts/other?",
            "content/posts/page.md:16: error: content/posts/other.md has no heading with the anchor `#nothing-like-it`\n  cure: link to the page, or add a heading `{#nothing-like-it}`",
            "content/posts/page.md:17: error: there is no page /exercises/009\n  cure: write exercises/009-…/, or take the link out",
            "content/posts/page.md:17: error: there is no file content/posts/gone.txt\n  cure: correct the path; it is relative to this text",
            "content/posts/page.md:17: warning: /posts/draft is not published; readers cannot follow this link\n  cure: publish content/posts/draft.md, or take the link out",
        ]
    );
    assert!(!course.post("draft").expect("kept for preview").published);
}

#[test]
fn front_matter_names_pages_that_exist() {
    let post = POST.replace(
        "published: true\n",
        "published: true\nexercises: [\"007\"]\ndiagrams:\n  - nowhere\n",
    );
    let course = Course::load(&tree(&[("content/posts/page.md", &post)]));
    assert_eq!(
        shown(&course),
        [
            "content/posts/page.md:9: error: the front matter names /exercises/007, which does not exist\n  cure: write exercises/007-…/, or take the link out",
            "content/posts/page.md:11: error: the front matter names /diagrams/nowhere, which does not exist\n  cure: write diagrams/nowhere.md, or take the link out",
        ]
    );
}

#[test]
fn a_complete_exercise_has_no_findings() {
    let course = Course::load(&exercise_tree());
    assert_eq!(shown(&course), [""; 0]);
    let exercise = course.exercise("004").expect("the exercise");
    assert_eq!(exercise.slug.as_str(), "follow-a-call");
    assert_eq!(exercise.dir, "exercises/004-follow-a-call");
    assert_eq!(
        exercise.real,
        Real::Optional(RealLimits {
            max_calls: 3,
            max_tokens: 200
        })
    );
    assert!(
        exercise
            .task
            .html
            .contains("<a href=\"/diagrams/map\">the map</a>")
    );
    assert!(!exercise.task.html.contains("Follow a call"));
    let hints: Vec<&str> = exercise.hints.iter().map(|h| h.markdown.as_str()).collect();
    assert_eq!(
        hints,
        ["Who?", "`RequestId`", "```rust\n## not a heading\n```"]
    );
    assert_eq!(
        exercise.wrong,
        [("latest.rs".to_owned(), "quotes_the_request".to_owned())]
    );
    assert_eq!(course.tracks[0].chain, ["you", "Bedrock"]);
    assert_eq!(exercise.recall[0].answer, 1);
    let html = &course.diagram("map").expect("the page").body.html;
    assert!(html.contains("<figure class=\"diagram\" data-diagram=\"map-1\">"));
    assert!(html.contains("<li><code>B</code> Two &amp; more</li>"));
    assert!(html.contains("<li><code>A</code> → <code>B</code>: calls</li>"));
}

#[test]
fn house_rules_name_file_line_and_cure() {
    let dir = "exercises/004-follow-a-call";
    let manifest = format!("{dir}/exercise.toml");
    let with = |from: &str, to: &str| {
        assert!(MANIFEST.contains(from), "{from}");
        after_change(&manifest, Some(&MANIFEST.replace(from, to)))
    };
    let rows = [
        (
            with("id = \"004\"", "id = \"005\""),
            "1: error: id is \"005\", but the folder starts with 004\n  cure: make them the same",
        ),
        (
            with("level = 2", "level = 6"),
            "5: error: level is 6, not 1 to 5\n  cure: write 1 (easy) to 5 (hard)",
        ),
        (
            with("requires = []", "requires = [\n  \"099\"]"),
            "8: error: `requires` names `099`, which is not another exercise\n  cure: name exercises by their three digits",
        ),
        (
            with("nodes = [\"A\"]", "nodes = [\"X\"]"),
            "10: error: the first diagram of diagrams/map.md has no node `X`\n  cure: its nodes are A, B",
        ),
        (
            with("\"map\"", "\"maps\""),
            "9: error: there is no diagram page `maps`\n  cure: name a file of diagrams/, without the ending",
        ),
        (
            with("{ max_calls = 3, max_tokens = 200 }", "\"yes\""),
            "11: error: `real` is neither \"no\" nor limits\n  cure: write `real = \"no\"` or `real = { max_calls = 3, max_tokens = 200 }`, each at least 1",
        ),
        (
            with("answer = 1", "answer = 2"),
            "13: error: the recall question has no right choice\n  cure: give two choices or more; `answer` is the index of the right one, from 0",
        ),
        (
            with("from = \"004\"", "from = \"1\""),
            "13: error: `from` names `1`, which is not an exercise\n  cure: name the exercise that the question is about by its three digits",
        ),
        (
            with("minutes = 25", "minuets = 25"),
            "4: error: unknown field `minuets`, expected one of `id`, `title`, `track`, `minutes`, `level`, `core`, `requires`, `goal`, `diagram`, `nodes`, `real`, `recall`\n  cure: correct the file; another one of its kind shows the form",
        ),
    ];
    for (found, wanted) in rows {
        assert_eq!(found, [format!("{manifest}:{wanted}")]);
    }
}

#[test]
fn incomplete_exercises_say_what_is_missing() {
    let dir = "exercises/004-follow-a-call";
    for name in [
        "README.md",
        "hints.md",
        "Cargo.toml",
        "src/lib.rs",
        "tests/check.rs",
        "solution/lib.rs",
    ] {
        let found = after_change(&format!("{dir}/{name}"), None);
        assert!(
            found[0].starts_with(&format!(
                "{dir}/{name}:0: error: the file is missing\n  cure: add {name}: "
            )),
            "{found:?}"
        );
    }
    assert_eq!(
        after_change(&format!("{dir}/hints.md"), Some("## One\n\nx\n")),
        [format!(
            "{dir}/hints.md:0: error: there are 1 hints, not 3\n  cure: put each under a heading `## …`: a question, the API's name, near-code"
        )]
    );
    assert_eq!(
        after_change(&format!("{dir}/wrong/latest.rs"), Some("fn x() {}\n")),
        [
            format!(
                "{dir}/wrong:0: error: there is no wrong answer\n  cure: add a plausible mistake, wrong/….rs, and name the test that catches it"
            ),
            format!(
                "{dir}/wrong/latest.rs:1: error: the first line does not say which test catches this wrong answer\n  cure: start the file with `//! dies in: name_of_the_test`"
            ),
        ]
    );
    assert_eq!(
        after_change(
            &format!("{dir}/wrong/latest.rs"),
            Some("//! dies in: quotes\n")
        ),
        [format!(
            "{dir}/wrong/latest.rs:1: error: tests/check.rs has no test `quotes`\n  cure: name a test of tests/check.rs"
        )]
    );
    assert_eq!(
        after_change("exercises/tracks.toml", None),
        [
            format!("{dir}/exercise.toml:0: error: there is no track `a`\n  cure: add it to exercises/tracks.toml, or name one that is there"),
            "exercises/tracks.toml:0: error: the file is missing\n  cure: write a [[track]] with id, title, summary and chain for each track".to_owned(),
        ]
    );
}

const BUG: &str = r#"title = "A proxy"
summary = "It is always fine."
order = 8
file = "handler.mjs"
post = "patterns"
context = "A function behind a [link](#line-2)."

[[bug]]
id = "P-09"
lines = [2, 3]
class = "reliability"
severity = 2
wrong = """
It answers **200**.
See [nowhere](/posts/gone)."""
right = "A status."
exercise = "004"

[[bug]]
id = "P-08"
lines = [1, 1]
class = "security"
severity = 3
wrong = "It trusts `body`.[^1]\n\n[^1]: Twice."
right = "Check it."
read = "/posts/patterns#part"

[bug.record]
file = "bugs/null-body.http"
says = "It sent nothing."
"#;

/// A complete exercise, a post and a find-the-bug page, whose `bug.toml` was changed so.
fn bug_tree(from: &str, to: &str) -> Tree {
    let mut tree = exercise_tree();
    assert!(BUG.contains(from), "{from}");
    let text = BUG
        .replace("\nSee [nowhere](/posts/gone).", "")
        .replace(from, to);
    for (path, text) in [
        ("content/bugs/a-proxy/bug.toml", text.as_str()),
        (
            "content/bugs/a-proxy/handler.mjs",
            "const a = JSON.parse(body);\nreturn {\n}\n",
        ),
        ("content/recorded/bugs/null-body.http", "POST /\r\n\r\n"),
        (
            "content/posts/patterns.md",
            &POST.replace("Text.", "## Part\n\n[Find it](/bugs/a-proxy#line-3)."),
        ),
    ] {
        tree.files.insert(path.to_owned(), text.into());
    }
    tree
}

#[test]
fn a_find_the_bug_page_has_its_lines_and_what_is_wrong_with_them() {
    let course = Course::load(&bug_tree("#line-2", "#line-3"));
    // Links of a text inside `bug.toml` are those of a page without headings.
    assert_eq!(
        shown(&course),
        [
            "content/bugs/a-proxy/bug.toml:6: error: content/bugs/a-proxy/bug.toml has no heading with the anchor `#line-3`\n  cure: link to the page, or add a heading `{#line-3}`"
        ]
    );
    let course = Course::load(&bug_tree("[link](#line-2)", "[link](/exercises/004)"));
    assert_eq!(shown(&course), [""; 0]);
    let page = course.bug_page("a-proxy").expect("the page");
    assert_eq!((page.language, page.lines.len()), ("javascript", 3));
    assert!(page.context.contains("<a href=\"/exercises/004\">link</a>"));
    let ids: Vec<&str> = page.bugs.iter().map(|bug| bug.id.as_str()).collect();
    assert_eq!(ids, ["P-08", "P-09"], "in the order of their lines");
    assert_eq!(page.bugs[0].class, BugClass::Security);
    assert_eq!(page.bugs[0].read.as_deref(), Some("/posts/patterns#part"));
    assert_eq!(
        page.bugs[0].record.as_ref().map(|r| r.text.as_str()),
        Some("POST /\n\n")
    );
    let note = &page.bugs[0].wrong;
    assert!(
        note.contains("id=\"P-08-wrong-fnref-1\" href=\"#P-08-wrong-fn-1\"")
            && note.contains("<div class=\"footnotes\">\n<ol>\n<li id=\"P-08-wrong-fn-1\""),
        "several texts share the page: {note}"
    );
    assert_eq!(
        page.bugs[1].wrong,
        "<p>It answers <strong>200</strong>.</p>\n"
    );
    assert!(page.bugs[1].covers(3) && !page.bugs[1].covers(1));
}

#[test]
fn what_is_wrong_with_a_bug_page_is_said_with_its_line() {
    let file = "content/bugs/a-proxy/bug.toml";
    let rows: &[(&str, &str, &[&str])] = &[
        (
            "class = \"security\"",
            "class = \"securty\"",
            &["21: error: there is no class `securty`\n  cure: did you mean `security`?"],
        ),
        (
            "lines = [2, 3]",
            "lines = [2, 4]",
            &[
                "10: error: content/bugs/a-proxy/handler.mjs has 3 lines, so none is line 4\n  cure: correct the lines; they are counted from 1",
            ],
        ),
        (
            "lines = [2, 3]",
            "lines = [0, 3]",
            &[
                "10: error: [0, 3] are not the lines of anything\n  cure: write the first and the last line, counted from 1",
            ],
        ),
        (
            "lines = [2, 3]\nclass = \"reliability\"",
            "lines = [1, 1]\nclass = \"security\"",
            &[
                "18: error: P-09 and P-08 have the same lines and the same class; readers cannot tell them apart\n  cure: narrow the lines of one, or give it another class",
            ],
        ),
        (
            "severity = 2",
            "severity = 4",
            &[
                "12: error: severity is 4, not 1 to 3\n  cure: write 1 (a flaw) to 3 (it does not work at all)",
            ],
        ),
        (
            "\"P-09\"",
            "\"P-08\"",
            &[
                "19: error: P-08 is told already, in content/bugs/a-proxy/bug.toml:9\n  cure: tell each item of the register once",
            ],
        ),
        (
            "exercise = \"004\"",
            "exercise = \"040\"",
            &[
                "16: error: `exercise` names /exercises/040, which does not exist\n  cure: did you mean /exercises/004?",
            ],
        ),
        (
            "exercise = \"004\"\n",
            "",
            &[
                "9: error: P-09 leads nowhere\n  cure: add `exercise = \"010\"`, or `read = \"/posts/…\"`",
            ],
        ),
        (
            "post = \"patterns\"",
            "post = \"paterns\"",
            &[
                "5: error: `post` names /posts/paterns, which does not exist\n  cure: did you mean /posts/patterns?",
            ],
        ),
        (
            "#part",
            "#prat",
            &[
                "25: error: content/posts/patterns.md has no heading with the anchor `#prat`\n  cure: link to the page, or add a heading `{#prat}`",
            ],
        ),
        (
            "/posts/patterns#part",
            "handler.mjs",
            &[
                "25: error: `handler.mjs` is not a page to read\n  cure: link to a page like \"/posts/at-least-once\", or to one on the web",
            ],
        ),
        (
            "null-body",
            "nil-body",
            &[
                "28: error: there is no record content/recorded/bugs/nil-body.http\n  cure: name a file below content/recorded/, which a test made",
            ],
        ),
        (
            "It answers **200**.",
            "It answers.\n[Twice](/posts/gone).",
            &[
                "15: error: there is no page /posts/gone\n  cure: write content/posts/gone.md, or take the link out",
            ],
        ),
        (
            "summary",
            "sumary",
            &[
                "2: error: unknown field `sumary`, expected one of `title`, `summary`, `order`, `file`, `post`, `context`, `bug`\n  cure: correct the file; another one of its kind shows the form",
            ],
        ),
        (
            "handler.mjs",
            "handler.exe",
            &[
                "4: error: `handler.exe` is not a snippet beside bug.toml\n  cure: name a file in the same folder that ends in one of mjs, js, ts, rs, json, yaml, yml, toml, sh, mmd, md, txt",
            ],
        ),
        (
            "handler.mjs",
            "other.mjs",
            &[
                "4: error: there is no snippet content/bugs/a-proxy/other.mjs; the page is left out\n  cure: write the file, or correct its name",
            ],
        ),
    ];
    for (from, to, wanted) in rows {
        let mut tree = bug_tree(from, to);
        // The context's link is about something else.
        let toml = tree.files.get_mut(file).expect("the file");
        let text = String::from_utf8_lossy(toml).replace("[link](#line-2)", "link");
        *toml = text.into();
        let found: Vec<String> = shown(&Course::load(&tree));
        let wanted: Vec<String> = wanted.iter().map(|w| format!("{file}:{w}")).collect();
        assert_eq!(found, wanted, "{from} → {to}");
    }
    let cut = &BUG[..BUG.find("[[bug]]").expect("a bug")];
    let mut tree = bug_tree("", "");
    tree.files
        .insert(file.to_owned(), cut.replace("(#line-2)", "(/)").into());
    let found = shown(&Course::load(&tree));
    assert!(
        found[0].contains(":0: error: the page has no bug to find; it is left out"),
        "{found:?}"
    );
    assert_eq!(found.len(), 1, "the post's link is not reported as well");
}

#[test]
fn our_own_bugs_are_items_of_the_register() {
    let tree = bug_tree("\"P-09\"", "\"P-38\"");
    let found: Vec<String> = Course::house_checks(&tree)
        .iter()
        .filter(|d| d.file.starts_with("content/bugs"))
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        found[0],
        "content/bugs/a-proxy/bug.toml:0: error: P-38 is no item of the register\n  cure: name one of P-01 to P-37 or D-01 to D-15"
    );
    let open = "content/bugs:0: error: no find-the-bug page tells D-01, D-02,";
    assert!(found[1].starts_with(open), "{found:?}");
}

#[test]
fn drawings_are_shown_even_when_they_are_old() {
    let changed = format!("# Map\n\n```mermaid\n{MERMAID}    B --> C\n```\n");
    let mut tree = exercise_tree();
    tree.files
        .insert("diagrams/map.md".to_owned(), changed.into());
    let course = Course::load(&tree);
    assert_eq!(
        shown(&course),
        [
            "diagrams/map.md:3: warning: diagrams/rendered/map-1.svg was drawn from an older source\n  cure: run `cargo run -p workshop-diagrams` and commit the result"
        ]
    );
    let page = course.diagram("map").expect("the page");
    assert!(!page.diagrams[0].fresh);
    assert!(page.body.html.contains("<figure class=\"diagram stale\""));

    let svg = "<svg><script>alert(1)</script></svg>";
    tree.files
        .insert("diagrams/rendered/map-1.svg".to_owned(), svg.into());
    let course = Course::load(&tree);
    assert!(shown(&course)[0].starts_with(
        "diagrams/rendered/map-1.svg:0: error: cannot be shown: <script> is not a drawing element"
    ));
    assert!(
        !course
            .diagram("map")
            .expect("the page")
            .body
            .html
            .contains("<script")
    );
}

#[test]
fn model_ids_are_a_rule_of_our_own_course_only() {
    let id = ["anthropic.claude", "haiku", "9"].join("-");
    let tree = tree(&[(
        "content/posts/page.md",
        &POST.replace("Text.", &format!("Use `{id}`.")),
    )]);
    assert_eq!(shown(&Course::load(&tree)), [""; 0]);
    let found: Vec<String> = Course::house_checks(&tree)
        .iter()
        .map(|d| format!("{}:{}: {}", d.file, d.line, d.message))
        .collect();
    assert_eq!(
        found,
        [
            &format!("content/posts/page.md:13: `{id}` is a model id"),
            "content/posts/page.md:1: the post does not say when it was compared with AWS",
            "content/posts/page.md:1: the post leads to no exercise",
            "content/posts/page.md:1: the post asks 0 recall questions, not 3",
        ]
    );
}

#[test]
fn a_folder_is_read_and_what_is_left_out_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let write = |path: &str, bytes: &[u8]| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    write("content/posts/page.md", POST.as_bytes());
    write("content/posts/map.png", b"\x89PNG\xff");
    write("content/posts/bad.md", b"one\ntwo \xff\n");
    write("content/posts/big.md", &vec![b'x'; 1024 * 1024 + 1]);
    write("content/posts/.hidden.md", b"x");
    write("exercises/001-x/target/debug/x.md", b"x");
    write("content/snippets/ts/node_modules/x/README.md", b"x");
    write("Cargo.toml", b"x");
    let tree = Tree::read(root).expect("readable");
    let files: Vec<&str> = tree.files.keys().map(String::as_str).collect();
    assert_eq!(files, ["content/posts/map.png", "content/posts/page.md"]);
    assert_eq!(
        shown(&Course::load(&tree)),
        [
            "content/posts/bad.md:2: error: the file is not UTF-8 text and is left out\n  cure: save it as UTF-8",
            "content/posts/big.md:0: warning: the file has 1048577 bytes; the limit is 1048576; it is left out\n  cure: make it smaller or move it out of the course",
        ]
    );
    let error = Tree::read(&root.join("nowhere")).expect_err("no folder");
    assert!(
        error
            .to_string()
            .starts_with("cannot read the course folder "),
        "{error}"
    );
}

#[test]
fn any_cut_of_a_course_loads() {
    for (path, text) in exercise_files() {
        for (i, _) in text.char_indices().step_by(7) {
            let mut tree = exercise_tree();
            tree.files.insert(path.to_owned(), text[..i].into());
            let _ = Course::load(&tree);
            // Not UTF-8 either: a tree may be made by hand.
            let mut bytes = text.as_bytes()[..i].to_vec();
            bytes.push(0xff);
            tree.files.insert(path.to_owned(), bytes);
            let _ = Course::load(&tree);
        }
    }
}

#[test]
fn a_pattern_names_what_there_is() {
    let tracks = "[[track]]\nid = \"a\"\ntitle = \"Start\"\n\n[[pattern]]\ntitle = \"Direct\"\nsummary = \"One call.\"\nchain = [{ part = \"you\", node = \"A\" }, { part = \"Bedrock\", node = \"C\" }]\nexercises = [\"004\", \"005\"]\ndiagram = \"mp\"\npost = \"none\"\n";
    let found = after_change("exercises/tracks.toml", Some(tracks));
    assert_eq!(
        found,
        [
            "exercises/tracks.toml:9: error: there is no page /exercises/005\n  cure: did you mean /exercises/004?",
            "exercises/tracks.toml:10: error: there is no page /diagrams/mp\n  cure: did you mean /diagrams/map?",
            "exercises/tracks.toml:11: error: there is no page /posts/none\n  cure: write content/posts/none.md, or take the link out",
        ]
    );
    let known = tracks.replace("\"mp\"", "\"map\"");
    let found = after_change("exercises/tracks.toml", Some(&known));
    assert!(
        found
            .iter()
            .any(|said| said
                .contains(":8: error: the first diagram of diagrams/map.md has no node `C`")),
        "{found:?}"
    );
}

#[test]
fn the_agendas_of_the_course_add_up() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let course = Course::load(&Tree::read(&root).expect("the course"));
    let sums: Vec<(&str, u32, Option<u32>)> = course
        .agendas
        .iter()
        .map(|agenda| {
            let sum = agenda.blocks.iter().map(|block| block.minutes).sum();
            (agenda.slug.as_str(), sum, agenda.start)
        })
        .collect();
    assert_eq!(
        sums,
        [("three-hours", 180, None), ("one-day", 540, Some(9 * 60))]
    );
    for agenda in &course.agendas {
        let starts: Vec<u32> = agenda.blocks.iter().map(|block| block.at).collect();
        assert!(starts.is_sorted_by(|a, b| a < b), "{starts:?}");
    }
    let found: Vec<String> = shown(&course)
        .into_iter()
        .filter(|said| said.starts_with("content/agendas/"))
        .collect();
    assert_eq!(found, [""; 0]);
}
