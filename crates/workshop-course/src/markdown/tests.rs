use super::*;
use crate::markup::{self, Token};

const FILE: &str = "content/posts/page.md";

fn tree() -> Tree {
    let mut tree = Tree::default();
    for (path, text) in [
        (
            "content/snippets/src/direct.rs",
            "//! Direct.\n// region: ask\nfn ask() -> &'static str {\n    \"<b>\"\n}\n// endregion: ask\n",
        ),
        ("content/posts/map.png", "not really"),
        ("content/posts/notes.txt", "notes"),
    ] {
        tree.files.insert(path.to_owned(), text.into());
    }
    tree
}

fn output(markdown: &str, title: TitleRule<'_>) -> Output {
    let part = Part {
        text: markdown.to_owned(),
        first_line: 11,
    };
    render(
        &part,
        Setting {
            tree: &tree(),
            file: FILE,
            slug: "page",
            part: None,
            title,
        },
    )
}

/// The HTML of a text, which must be free of findings.
fn check(markdown: &str, html: &str) {
    let output = output(markdown, TitleRule::Drop("Page"));
    assert_eq!(output.diagnostics, [], "{markdown}");
    assert_eq!(output.rendered.html, html, "{markdown}");
}

/// HTML and findings of a text that needs mending.
fn check_found(markdown: &str, html: &str, found: &[&str]) {
    let output = output(markdown, TitleRule::Drop("Page"));
    let shown: Vec<String> = output.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(shown, found, "{markdown}");
    assert_eq!(output.rendered.html, html, "{markdown}");
}

#[test]
fn common_markdown() {
    check(
        "Some *words*, **more**, ~~fewer~~ and `a < b`.",
        "<p>Some <em>words</em>, <strong>more</strong>, <del>fewer</del> and <code>a &lt; b</code>.</p>\n",
    );
    check(
        "1. one\n2. two\n\n3) three\n",
        "<ol>\n<li>one</li>\n<li>two</li>\n</ol>\n<ol start=\"3\">\n<li>three</li>\n</ol>\n",
    );
    check(
        "- [x] built\n- [ ] shown\n",
        "<ul>\n<li><input type=\"checkbox\" disabled checked aria-label=\"done\"> built</li>\n\
         <li><input type=\"checkbox\" disabled aria-label=\"to do\"> shown</li>\n</ul>\n",
    );
    check(
        "| a | b |\n|---|--:|\n| `x` | 1 |\n",
        "<div class=\"table-scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>\n\
         <thead><tr><th scope=\"col\">a</th><th scope=\"col\" class=\"right\">b</th></tr></thead>\n\
         <tbody>\n<tr><td><code>x</code></td><td class=\"right\">1</td></tr>\n</tbody></table></div>\n",
    );
    check(
        "| | a > b |\n|---|---|\n| c | d |\n",
        "<div class=\"table-scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>\n\
         <thead><tr><td></td><th scope=\"col\">a &gt; b</th></tr></thead>\n\
         <tbody>\n<tr><td>c</td><td>d</td></tr>\n</tbody></table></div>\n",
    );
    check("> said\n", "<blockquote>\n<p>said</p>\n</blockquote>\n");
    check("a  \nb\n\n---\n", "<p>a<br>\nb</p>\n<hr>\n");
}

#[test]
fn alerts_are_notes_with_a_title() {
    for (kind, class, title) in [
        ("NOTE", "note", "Note"),
        ("TIP", "note note-tip", "Tip"),
        ("IMPORTANT", "note note-important", "Important"),
        ("WARNING", "note note-warning", "Warning"),
        ("CAUTION", "note note-caution", "Caution"),
    ] {
        check(
            &format!("> [!{kind}]\n> Mind this.\n"),
            &format!(
                "<aside class=\"{class}\">\n<strong>{title}</strong>\n<p>Mind this.</p>\n</aside>\n"
            ),
        );
    }
}

#[test]
fn footnotes_are_numbered_by_use_and_stand_at_the_end() {
    check(
        "One[^b] and[^a] again[^b].\n\n[^a]: First.\n[^b]: Second.\n\nEnd.\n",
        "<p>One<sup class=\"fn\"><a id=\"fnref-1\" href=\"#fn-1\" aria-label=\"Footnote 1\">1</a></sup> \
         and<sup class=\"fn\"><a id=\"fnref-2\" href=\"#fn-2\" aria-label=\"Footnote 2\">2</a></sup> \
         again<sup class=\"fn\"><a id=\"fnref-1-2\" href=\"#fn-1\" aria-label=\"Footnote 1\">1</a></sup>.</p>\n\
         <p>End.</p>\n\
         <section class=\"footnotes\" aria-label=\"Footnotes\">\n<ol>\n\
         <li id=\"fn-1\" value=\"1\"><p>Second. <a href=\"#fnref-1\" aria-label=\"Back to the text\">↩</a></p></li>\n\
         <li id=\"fn-2\" value=\"2\"><p>First. <a href=\"#fnref-2\" aria-label=\"Back to the text\">↩</a></p></li>\n\
         </ol>\n</section>\n",
    );
}

#[test]
fn headings_get_anchors_like_on_github() {
    let markdown = "# Page\n\n## API Gateway + Lambda\n\n### Do\n\n### Do\n\n## `x` & *y* {#xy}\n\n## ✨\n\n#### Deep\n";
    let output = output(markdown, TitleRule::Drop("page"));
    let toc: Vec<(u8, &str, &str)> = output
        .rendered
        .toc
        .iter()
        .map(|entry| (entry.level, entry.text.as_str(), entry.anchor.as_str()))
        .collect();
    assert_eq!(
        toc,
        [
            (2, "API Gateway + Lambda", "api-gateway--lambda"),
            (3, "Do", "do"),
            (3, "Do", "do-1"),
            (2, "x & y", "xy"),
            (2, "✨", "section"),
        ]
    );
    assert!(output.rendered.html.starts_with(
        "<h2 id=\"api-gateway--lambda\">API Gateway + Lambda<a class=\"anchor\" href=\"#api-gateway--lambda\" aria-label=\"Link to “API Gateway + Lambda”\">#</a></h2>\n"
    ));
    assert!(output.anchors.contains("deep"));
}

#[test]
fn the_title_is_taken_or_dropped() {
    let take = output("Intro.\n\n## The *title*\n\nText.\n", TitleRule::Take);
    assert_eq!(take.title.as_deref(), Some("The title"));
    assert_eq!(take.rendered.html, "<p>Intro.</p>\n<p>Text.</p>\n");
    // Another heading of level 1 is a part of the text; the page has its own.
    let drop = output("# Other\n\n## Part\n", TitleRule::Drop("Page"));
    assert!(drop.rendered.html.contains("<h2 id=\"other\">"));
    assert!(drop.rendered.html.contains("<h3 id=\"part\">"));
    let any = output("# 001 Task\n\nText.\n", TitleRule::DropAny);
    assert_eq!(any.rendered.html, "<p>Text.</p>\n");
}

#[test]
fn links_become_addresses_of_the_site() {
    check(
        "[a](other.md#part) [b](../../diagrams/d.md) [c](/tags/x) [d](https://example.com/?a=1&b=2 \"T\") <mail@example.com> [e](notes.txt)",
        "<p><a href=\"/posts/other#part\">a</a> <a href=\"/diagrams/d\">b</a> <a href=\"/tags/x\">c</a> \
         <a href=\"https://example.com/?a=1&amp;b=2\" title=\"T\" rel=\"noopener\">d</a> \
         <a href=\"mailto:mail@example.com\">mail@example.com</a> e</p>\n",
    );
    check_found(
        "x\n\n[a](javascript:alert(1))",
        "<p>x</p>\n<p>a</p>\n",
        &[
            "content/posts/page.md:13: error: the link's scheme is not http, https or mailto\n  cure: link to a page, or write the address as code",
        ],
    );
}

#[test]
fn pictures_come_from_the_course() {
    let output = output("![A *map*](map.png \"M\")", TitleRule::Drop("Page"));
    assert_eq!(
        output.rendered.html,
        "<p><img src=\"/media/content/posts/map.png\" loading=\"lazy\" alt=\"A map\" title=\"M\"></p>\n"
    );
    assert!(output.media.contains("content/posts/map.png"));
    check_found(
        "![far](https://example.com/a.png)\n![gone](gone.png)\n![text](notes.txt)",
        "<p><em class=\"missing\">far</em>\n<em class=\"missing\">gone</em>\n<em class=\"missing\">text</em></p>\n",
        &[
            "content/posts/page.md:11: error: the picture is on another site; nothing is loaded from there\n  cure: put the file into the course and link to it with a relative path",
            "content/posts/page.md:12: error: there is no picture content/posts/gone.png\n  cure: add the file, or correct the path (it is relative to this text)",
            "content/posts/page.md:13: error: content/posts/notes.txt is not a picture\n  cure: use a png, jpg, gif, webp, avif or svg file",
        ],
    );
}

#[test]
fn code_is_escaped_and_named() {
    check(
        "```rust,ignore\nlet a = b < c && \"d\";\n```\n",
        "<figure class=\"code\" data-lang=\"rust\"><pre><code class=\"language-rust\">let a = b &lt; c &amp;&amp; \"d\";\n</code></pre></figure>\n",
    );
    check(
        "    indented\n",
        "<figure class=\"code\" data-lang=\"text\"><pre><code class=\"language-text\">indented\n</code></pre></figure>\n",
    );
    check(
        "```\"><script>\nx\n```\n",
        "<figure class=\"code\" data-lang=\"&quot;&gt;&lt;script&gt;\"><pre><code class=\"language-&quot;&gt;&lt;script&gt;\">x\n</code></pre></figure>\n",
    );
}

#[test]
fn code_comes_from_regions() {
    check(
        "```rust file=content/snippets/src/direct.rs region=ask\n```\n",
        "<figure class=\"code\" data-lang=\"rust\"><figcaption>content/snippets/src/direct.rs</figcaption>\
         <pre><code class=\"language-rust\">fn ask() -&gt; &amp;'static str {\n    \"&lt;b&gt;\"\n}\n</code></pre></figure>\n",
    );
    check_found(
        "```rust file=content/snippets/src/direct.rs region=tell\n```\n",
        "<aside class=\"note note-caution\">\n<strong>Code is missing here</strong>\n\
         <p>content/snippets/src/direct.rs has no region `tell`</p>\n</aside>\n",
        &[
            "content/posts/page.md:11: error: content/snippets/src/direct.rs has no region `tell`\n  cure: mark it with `// region: tell` and `// endregion: tell`",
        ],
    );
}

#[test]
fn raw_html_is_text_except_for_a_few_elements() {
    check(
        "Press <kbd>Ctrl</kbd> and <b onclick=\"x()\" title='\"q\"'>go</b>.",
        "<p>Press <kbd>Ctrl</kbd> and <b title=\"&quot;q&quot;\">go</b>.</p>\n",
    );
    check(
        "<script>alert(1)</script>\n",
        "&lt;script&gt;alert(1)&lt;/script&gt;\n",
    );
    check("a <!-- hidden --> b &copy; c", "<p>a  b © c</p>\n");
    check(
        "<details open>\n<summary>More &amp; more</summary>\n\nText.\n\n</details>\n",
        "<details open=\"\">\n<summary>More &amp; more</summary>\n<p>Text.</p>\n</details>\n",
    );
    // Whatever is left open ends with what is around it, and closes nothing else.
    check(
        "- <b>one\n- two</b>\n\n<details>\n\nEnd.",
        "<ul>\n<li><b>one</b></li>\n<li>two</li>\n</ul>\n<details>\n<p>End.</p>\n</details>",
    );
    check(
        "a </div> b </kbd> <a href=\"x\">c</a>",
        "<p>a &lt;/div&gt; b  &lt;a href=\"x\"&gt;c&lt;/a&gt;</p>\n",
    );
}

#[test]
fn reading_takes_at_least_a_minute() {
    let minutes = |markdown: &str| output(markdown, TitleRule::Drop("Page")).rendered.minutes;
    assert_eq!(minutes(""), 1);
    assert_eq!(minutes(&"word ".repeat(400)), 2);
    assert_eq!(minutes(&"word ".repeat(405)), 3);
    // Five figures of up to ten lines are a minute.
    assert_eq!(minutes(&"```\ncode\n```\n".repeat(10)), 2);
}

/// Opening and closing tags of the output nest, whatever the input was.
fn assert_nested(html: &str, input: &str) {
    let mut open = Vec::new();
    for token in markup::tokens(html) {
        match token {
            Token::Open(tag) => {
                let void = ["br", "hr", "wbr", "img", "input"].contains(&tag.name);
                if !void && !tag.self_closing {
                    open.push(tag.name);
                }
            }
            Token::Close(name) => assert_eq!(open.pop(), Some(name), "{input:?}\n{html}"),
            Token::Comment => panic!("a comment in {html}"),
            Token::Text(text) => assert!(!text.contains('<'), "{input:?}\n{html}"),
        }
    }
    assert_eq!(open, [""; 0], "{input:?}\n{html}");
}

#[test]
fn nothing_in_a_text_makes_it_panic_or_break_the_page() {
    let pieces = [
        "# ",
        "## ",
        "- ",
        "> ",
        "> [!NOTE]\n> ",
        "1. ",
        "```",
        "```mermaid\n",
        "```recall from=001\nQ?\n- [ ] a\n- [x] b\n",
        "\n",
        "\n\n",
        "    ",
        "**",
        "*",
        "`",
        "~~",
        "[a](b.md)",
        "![x](y.png)",
        "[^1]",
        "[^1]: ",
        "<b>",
        "</b>",
        "<details>",
        "</details>",
        "<script>",
        "<!--",
        "-->",
        "| a | b |\n|---|---|\n| c | d |\n",
        "é",
        "\u{0}",
        "&amp;",
        "&",
        "<",
        ">",
        "\"",
        "{#id}",
        "- [x] ",
        "---\n",
        "word ",
        "https://example.com",
        "<a@b.c>",
        "\\",
        "<kbd",
        "<br/>",
        "<summary>",
    ];
    // A fixed xorshift: the same garbage in every run.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..3_000 {
        let mut text = String::new();
        for _ in 0..25 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(pieces[usize::try_from(state % pieces.len() as u64).unwrap()]);
        }
        let output = output(&text, TitleRule::Take);
        assert_nested(&output.rendered.html, &text);
        assert!(!output.rendered.html.contains("<script"), "{text:?}");
        assert!(!output.rendered.html.contains(" style="), "{text:?}");
    }
}

#[test]
fn a_recall_question_hides_its_answer_behind_a_click() {
    let markdown = "```recall from=012\nHow often is the model *paid*\nfor one job?\n\n- [ ] Once, as `SQS` knows\n- [x] Twice,\n  at worst\n\nThe lease runs out; see [the queue](other.md).\n- not a choice\n```\n";
    let output = output(markdown, TitleRule::Drop("Page"));
    assert_eq!(output.diagnostics, []);
    assert_eq!(
        output.rendered.html,
        "<div class=\"question\">\n<p>How often is the model <em>paid</em>\nfor one job?</p>\n\
         <ul class=\"choices\"><li>Once, as <code>SQS</code> knows</li><li>Twice,\nat worst</li></ul>\n\
         <details><summary>Show the answer</summary>\n<p><strong>Twice,\nat worst</strong></p>\n\
         <p>The lease runs out; see <a href=\"/posts/other\">the queue</a>.</p>\n<ul>\n<li>not a choice</li>\n</ul>\n\
         <p class=\"meta\">Practised in <a href=\"/exercises/012\">exercise 012</a></p>\n</details>\n</div>\n"
    );
    let lines: Vec<usize> = output.links.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [19, 11]);
    assert_eq!(output.recall.len(), 1);
    assert_eq!(output.recall[0].answer, 1);
    assert_eq!(output.recall[0].choices[1], "Twice,\nat worst");
}

#[test]
fn a_recall_question_that_cannot_be_asked_is_named_with_its_line() {
    let rows = [
        (
            "```recall\nQ?\n- [ ] a\n- [x] b\n\nWhy.\n```",
            "does not name an exercise",
        ),
        (
            "```recall from=012\n- [ ] a\n- [x] b\n\nWhy.\n```",
            "asks nothing",
        ),
        (
            "```recall from=012\nQ?\n- [x] b\n\nWhy.\n```",
            "fewer than two choices",
        ),
        (
            "```recall from=012\nQ?\n- [ ] a\n- [ ] b\n\nWhy.\n```",
            "exactly one right choice",
        ),
        (
            "```recall from=012\nQ?\n- [x] a\n- [x] b\n\nWhy.\n```",
            "exactly one right choice",
        ),
        (
            "```recall from=012\nQ?\n- [x]  \n- [ ] b\n\nWhy.\n```",
            "is empty",
        ),
        (
            "```recall from=012\nQ?\n- [ ] a\n- [x] b\n```",
            "does not say why",
        ),
    ];
    for (markdown, wanted) in rows {
        let output = output(&format!("x\n\n{markdown}\n"), TitleRule::Drop("Page"));
        assert_eq!(output.diagnostics.len(), 1, "{markdown}");
        let found = output.diagnostics[0].to_string();
        assert!(
            found.starts_with("content/posts/page.md:13: error: "),
            "{found}"
        );
        assert!(found.contains(wanted), "{found}");
        assert!(output.recall.is_empty(), "{markdown}");
        assert_eq!(output.rendered.html, "<p>x</p>\n");
    }
}
