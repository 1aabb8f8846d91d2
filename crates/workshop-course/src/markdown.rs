//! Markdown to HTML for a page with a strict CSP: no inline styles, no scripts, no foreign images.
//!
//! One pass over the events of `pulldown-cmark`:
//!
//! 1. the first heading may be the title and is then left out of the body;
//! 2. headings get anchors, fences become figures (code regions, drawings), quotes with `[!NOTE]`
//!    become notes, raw HTML is shown as text except for a few elements;
//! 3. links are rewritten to addresses of the site and handed back, to be checked once all pages
//!    are known.
//!
//! Every element that is opened is on a stack, so that whatever raw HTML says, the output nests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    ops::Range,
};

use pulldown_cmark::{
    Alignment, BlockQuoteKind, CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Options,
    Parser, Tag, TagEnd,
};

use crate::{
    Diagnostic, Diagram, Rendered, TocEntry, Tree,
    document::Part,
    drawing::{Fence, drawing},
    links::{self, Page, Target},
    markup::{self, Token, escape, escape_text},
    regions::region,
    tree::is_picture,
};

/// What a text is rendered for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) tree: &'a Tree,
    /// The file, relative to the course's root.
    pub(crate) file: &'a str,
    /// Page slug, which names the drawings.
    pub(crate) slug: &'a str,
    /// What to do with a first heading.
    pub(crate) title: TitleRule<'a>,
}

/// Whether the first heading is the page's title (which the page shows by itself).
#[derive(Debug, Clone, Copy)]
pub(crate) enum TitleRule<'a> {
    /// There is no other title: take the first heading.
    Take,
    /// Leave out a first heading of level 1 that says the same.
    Drop(&'a str),
    /// Leave out a first heading of level 1, whatever it says.
    DropAny,
}

/// A text as HTML, and what has to be checked about it.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) rendered: Rendered,
    /// The heading taken by [`TitleRule::Take`].
    pub(crate) title: Option<String>,
    /// Plain text of the first paragraph.
    pub(crate) first_paragraph: String,
    pub(crate) diagrams: Vec<Diagram>,
    /// Anchors on the page.
    pub(crate) anchors: BTreeSet<String>,
    /// Links into the course, with the line of each.
    pub(crate) links: Vec<(usize, Target)>,
    /// Pictures of the course that the page shows.
    pub(crate) media: BTreeSet<String>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Where the site serves a picture of the course.
pub(crate) const MEDIA: &str = "/media/";

/// Words a minute, for the reading time.
const WORDS_A_MINUTE: usize = 200;

/// Seconds for every started ten lines of code.
const SECONDS_FOR_TEN_LINES: usize = 12;

/// Renders `part` of a file.
pub(crate) fn render(part: &Part, setting: Setting<'_>) -> Output {
    let events: Vec<_> = Parser::new_ext(&part.text, options())
        .into_offset_iter()
        .collect();
    let title = title_range(&events, setting.title);
    let mut writer = Writer::new(part, setting);
    if let (Some(range), TitleRule::Take) = (&title, setting.title) {
        writer.output.title = Some(plain_text(&events[range.clone()]));
    }
    let skipped = title.unwrap_or(0..0);
    writer.level_shift = u8::from(events.iter().enumerate().any(|(i, (event, _))| {
        !skipped.contains(&i)
            && matches!(
                event,
                Event::Start(Tag::Heading {
                    level: HeadingLevel::H1,
                    ..
                })
            )
    }));
    for (i, (event, range)) in events.into_iter().enumerate() {
        if !skipped.contains(&i) {
            writer.event(event, &range);
        }
    }
    writer.finish()
}

/// The Mermaid fences of a page, in order.
pub(crate) fn mermaid_fences(part: &Part, file: &str, slug: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let mut title = slug.to_owned();
    let mut heading: Option<String> = None;
    for (event, range) in Parser::new_ext(&part.text, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                if let Some(text) = heading.take().filter(|text| !text.is_empty()) {
                    title = text;
                }
            }
            Event::Text(text) | Event::Code(text) if heading.is_some() => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if is_mermaid(&info) => {
                open = Some((part.line_at(range.start), String::new()));
            }
            Event::Text(text) => {
                if let Some((_, source)) = &mut open {
                    source.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some((line, source)) = open.take() {
                    let mut fence = fence(file, slug, fences.len() + 1, line, source);
                    fence.title.clone_from(&title);
                    fences.push(fence);
                }
            }
            _ => {}
        }
    }
    fences
}

fn fence(file: &str, slug: &str, n: usize, line: usize, source: String) -> Fence {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let id = format!("{slug}-{n}");
    Fence {
        stem: format!("{folder}/rendered/{id}"),
        id,
        source,
        line,
        title: slug.to_owned(),
    }
}

fn is_mermaid(info: &str) -> bool {
    info.split([' ', ',', '{']).next() == Some("mermaid")
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_GFM
}

/// The events of the heading to leave out.
fn title_range(events: &[(Event<'_>, Range<usize>)], rule: TitleRule<'_>) -> Option<Range<usize>> {
    let is_heading = |e: &Event<'_>| matches!(e, Event::Start(Tag::Heading { .. }));
    let is_h1 = |e: &Event<'_>| {
        matches!(
            e,
            Event::Start(Tag::Heading {
                level: HeadingLevel::H1,
                ..
            })
        )
    };
    let start = match rule {
        TitleRule::Take => events.iter().position(|(e, _)| is_heading(e))?,
        // Only what opens the text: a later heading of level 1 is a part of it.
        TitleRule::Drop(_) | TitleRule::DropAny => {
            events.first().filter(|(e, _)| is_h1(e)).map(|_| 0)?
        }
    };
    let len = events[start..]
        .iter()
        .position(|(e, _)| matches!(e, Event::End(TagEnd::Heading(_))))?;
    let range = start..start + len + 1;
    match rule {
        TitleRule::Drop(title) => {
            let same = plain_text(&events[range.clone()]).to_lowercase() == title.to_lowercase();
            same.then_some(range)
        }
        TitleRule::Take | TitleRule::DropAny => Some(range),
    }
}

fn plain_text(events: &[(Event<'_>, Range<usize>)]) -> String {
    let mut text = String::new();
    for (event, _) in events {
        match event {
            Event::Text(t) | Event::Code(t) => text.push_str(t),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    text.trim().to_owned()
}

/// An element that is open in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// From Markdown: closed by its own end event.
    Markdown,
    /// From raw HTML: closed by its closing tag, or with what is around it.
    Raw(&'static str),
}

/// A fence or indented block being read.
struct Code {
    info: String,
    line: usize,
    text: String,
}

/// A picture being read: its alternative text comes as events.
struct Picture {
    html_before_alt: String,
    title: String,
    alt: String,
    /// Pictures inside the alternative text.
    depth: usize,
}

/// A heading being read.
struct Heading {
    start: usize,
    id: Option<String>,
    text: String,
}

struct Writer<'a> {
    part: &'a Part,
    setting: Setting<'a>,
    out: String,
    output: Output,
    open: Vec<Open>,
    level_shift: u8,
    heading: Option<Heading>,
    code: Option<Code>,
    picture: Option<Picture>,
    html_block: Option<String>,
    alignments: Vec<Alignment>,
    cell: usize,
    in_table_head: bool,
    /// For each open link, whether it has an `<a>`.
    anchors_open: Vec<bool>,
    /// Footnote name → number, by first use.
    footnotes: BTreeMap<String, usize>,
    footnote_uses: BTreeMap<String, usize>,
    /// Where each footnote's text starts in `out` (they nest in nothing).
    footnote_start: Option<(String, usize)>,
    footnote_texts: BTreeMap<usize, (String, String)>,
    /// Depth of paragraphs and headings, for the first paragraph.
    in_first_paragraph: bool,
    words: usize,
    code_seconds: usize,
}

impl<'a> Writer<'a> {
    fn new(part: &'a Part, setting: Setting<'a>) -> Self {
        Self {
            part,
            setting,
            out: String::with_capacity(part.text.len() * 2),
            output: Output::default(),
            open: Vec::new(),
            level_shift: 0,
            heading: None,
            code: None,
            picture: None,
            html_block: None,
            alignments: Vec::new(),
            cell: 0,
            in_table_head: false,
            anchors_open: Vec::new(),
            footnotes: BTreeMap::new(),
            footnote_uses: BTreeMap::new(),
            footnote_start: None,
            footnote_texts: BTreeMap::new(),
            in_first_paragraph: false,
            words: 0,
            code_seconds: 0,
        }
    }

    fn event(&mut self, event: Event<'_>, range: &Range<usize>) {
        if self.picture.is_some() {
            self.picture_event(event);
            return;
        }
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.text(&text);
            }
            Event::Code(text) => {
                self.note_text(&text);
                let _ = write!(self.out, "<code>{}</code>", escape_text(&text));
            }
            Event::Html(html) => match &mut self.html_block {
                Some(block) => block.push_str(&html),
                None => self.raw_html(&html, true),
            },
            Event::InlineHtml(html) => self.raw_html(&html, false),
            Event::FootnoteReference(name) => self.footnote_reference(&name),
            Event::SoftBreak => {
                self.note_text(" ");
                self.out.push('\n');
            }
            Event::HardBreak => {
                self.note_text(" ");
                self.out.push_str("<br>\n");
            }
            Event::Rule => self.out.push_str("<hr>\n"),
            Event::TaskListMarker(done) => {
                let (checked, label) = if done {
                    (" checked", "done")
                } else {
                    ("", "to do")
                };
                let _ = write!(
                    self.out,
                    "<input type=\"checkbox\" disabled{checked} aria-label=\"{label}\"> "
                );
            }
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.text.push_str(text);
            return;
        }
        self.words += text.split_whitespace().count();
        self.note_text(text);
        self.out.push_str(&escape_text(text));
    }

    /// Text that belongs to the heading or first paragraph as well.
    fn note_text(&mut self, text: &str) {
        if let Some(heading) = &mut self.heading {
            heading.text.push_str(text);
        }
        if self.in_first_paragraph {
            self.output.first_paragraph.push_str(text);
        }
    }

    fn open(&mut self, html: &str) {
        self.out.push_str(html);
        self.open.push(Open::Markdown);
    }

    fn close(&mut self, html: &str) {
        // Raw elements that are still open inside end here.
        while let Some(Open::Raw(name)) = self.open.pop() {
            let _ = write!(self.out, "</{name}>");
        }
        self.out.push_str(html);
    }

    fn start(&mut self, tag: Tag<'_>, range: &Range<usize>) {
        match tag {
            Tag::Paragraph => {
                self.in_first_paragraph = self.open.is_empty()
                    && self.output.first_paragraph.is_empty()
                    && self.heading.is_none();
                self.open("<p>");
            }
            Tag::Heading { id, .. } => {
                self.heading = Some(Heading {
                    start: self.out.len(),
                    id: id.map(CowStr::into_string),
                    text: String::new(),
                });
                self.open("");
            }
            Tag::BlockQuote(kind) => self.open(match kind {
                None => "<blockquote>\n",
                Some(BlockQuoteKind::Note) => "<aside class=\"note\">\n<strong>Note</strong>\n",
                Some(BlockQuoteKind::Tip) => {
                    "<aside class=\"note note-tip\">\n<strong>Tip</strong>\n"
                }
                Some(BlockQuoteKind::Important) => {
                    "<aside class=\"note note-important\">\n<strong>Important</strong>\n"
                }
                Some(BlockQuoteKind::Warning) => {
                    "<aside class=\"note note-warning\">\n<strong>Warning</strong>\n"
                }
                Some(BlockQuoteKind::Caution) => {
                    "<aside class=\"note note-caution\">\n<strong>Caution</strong>\n"
                }
            }),
            Tag::CodeBlock(kind) => {
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.into_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some(Code {
                    info,
                    line: self.part.line_at(range.start),
                    text: String::new(),
                });
            }
            Tag::HtmlBlock => self.html_block = Some(String::new()),
            Tag::List(None) => self.open("<ul>\n"),
            Tag::List(Some(1)) => self.open("<ol>\n"),
            Tag::List(Some(first)) => self.open(&format!("<ol start=\"{first}\">\n")),
            Tag::Item => self.open("<li>"),
            Tag::FootnoteDefinition(name) => {
                self.footnote_start = Some((name.into_string(), self.out.len()));
                self.open("");
            }
            Tag::Table(alignments) => {
                self.alignments = alignments;
                self.open(
                    "<div class=\"table-scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>\n",
                );
            }
            Tag::TableHead => {
                self.cell = 0;
                self.in_table_head = true;
                self.open("<thead><tr>");
            }
            Tag::TableRow => {
                self.cell = 0;
                self.open("<tr>");
            }
            Tag::TableCell => self.table_cell(),
            Tag::Emphasis => self.open("<em>"),
            Tag::Strong => self.open("<strong>"),
            Tag::Strikethrough => self.open("<del>"),
            Tag::Superscript => self.open("<sup>"),
            Tag::Subscript => self.open("<sub>"),
            Tag::Link {
                link_type,
                dest_url,
                title,
                ..
            } => self.link(link_type, &dest_url, &title, range),
            Tag::Image {
                dest_url, title, ..
            } => self.image(&dest_url, &title, range),
            Tag::DefinitionList => self.open("<dl>\n"),
            Tag::DefinitionListTitle => self.open("<dt>"),
            Tag::DefinitionListDefinition => self.open("<dd>"),
            Tag::MetadataBlock(_) => self.open(""),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => {
                self.in_first_paragraph = false;
                self.close("</p>\n");
            }
            TagEnd::Heading(level) => self.end_heading(level),
            TagEnd::BlockQuote(None) => self.close("</blockquote>\n"),
            TagEnd::BlockQuote(Some(_)) => self.close("</aside>\n"),
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::HtmlBlock => {
                if let Some(html) = self.html_block.take() {
                    self.raw_html(&html, true);
                }
            }
            TagEnd::List(true) => self.close("</ol>\n"),
            TagEnd::List(false) => self.close("</ul>\n"),
            TagEnd::Item => self.close("</li>\n"),
            TagEnd::FootnoteDefinition => self.end_footnote(),
            TagEnd::Table => self.close("</tbody></table></div>\n"),
            TagEnd::TableHead => {
                self.in_table_head = false;
                self.close("</tr></thead>\n<tbody>\n");
            }
            TagEnd::TableRow => self.close("</tr>\n"),
            TagEnd::TableCell => {
                let html = if self.in_table_head { "</th>" } else { "</td>" };
                self.close(html);
            }
            TagEnd::Emphasis => self.close("</em>"),
            TagEnd::Strong => self.close("</strong>"),
            TagEnd::Strikethrough => self.close("</del>"),
            TagEnd::Superscript => self.close("</sup>"),
            TagEnd::Subscript => self.close("</sub>"),
            TagEnd::Link => {
                let html = if self.anchors_open.pop() == Some(true) {
                    "</a>"
                } else {
                    ""
                };
                self.close(html);
            }
            // Pictures end in `picture_event`.
            TagEnd::Image => {}
            TagEnd::DefinitionList => self.close("</dl>\n"),
            TagEnd::DefinitionListTitle => self.close("</dt>\n"),
            TagEnd::DefinitionListDefinition => self.close("</dd>\n"),
            TagEnd::MetadataBlock(_) => self.close(""),
        }
    }

    fn table_cell(&mut self) {
        let name = if self.in_table_head {
            "th scope=\"col\""
        } else {
            "td"
        };
        let class = match self.alignments.get(self.cell) {
            Some(Alignment::Center) => " class=\"center\"",
            Some(Alignment::Right) => " class=\"right\"",
            Some(Alignment::Left | Alignment::None) | None => "",
        };
        self.cell += 1;
        self.open(&format!("<{name}{class}>"));
    }

    fn end_heading(&mut self, level: HeadingLevel) {
        self.close("");
        let Some(heading) = self.heading.take() else {
            return;
        };
        let inner = self.out.split_off(heading.start);
        let text = heading.text.trim().to_owned();
        let anchor = self.new_anchor(heading.id, &text);
        let level = (level as u8 + self.level_shift).clamp(2, 6);
        let id = escape(&anchor);
        let _ = writeln!(
            self.out,
            "<h{level} id=\"{id}\">{inner}<a class=\"anchor\" href=\"#{id}\" aria-label=\"Link to “{}”\">#</a></h{level}>",
            escape(&text)
        );
        if level <= 3 {
            self.output.rendered.toc.push(TocEntry {
                level,
                text,
                anchor,
            });
        }
    }

    /// GitHub's anchors: lower-case, spaces to hyphens, no punctuation, `-1` for the second one.
    fn new_anchor(&mut self, id: Option<String>, text: &str) -> String {
        let wanted = id.unwrap_or_else(|| github_anchor(text));
        let wanted = if wanted.is_empty() {
            "section".to_owned()
        } else {
            wanted
        };
        let mut anchor = wanted.clone();
        let mut n = 0;
        while !self.output.anchors.insert(anchor.clone()) {
            n += 1;
            anchor = format!("{wanted}-{n}");
        }
        anchor
    }

    fn link(&mut self, kind: LinkType, url: &str, title: &str, range: &Range<usize>) {
        let line = self.part.line_at(range.start);
        let target = if kind == LinkType::Email {
            Target::Mail(format!("mailto:{url}"))
        } else {
            links::resolve(url, self.setting.file)
        };
        let title = match title {
            "" => String::new(),
            title => format!(" title=\"{}\"", escape(title)),
        };
        let href = self.href(target, line);
        self.anchors_open.push(href.is_some());
        match href {
            Some((href, rel)) => {
                let html = format!("<a href=\"{}\"{title}{rel}>", escape(&href));
                self.open(&html);
            }
            None => self.open(""),
        }
    }

    /// The address to write, or `None` where a link would lead nowhere.
    fn href(&mut self, target: Target, line: usize) -> Option<(String, &'static str)> {
        let href = match &target {
            Target::External(url) => return Some((url.clone(), " rel=\"noopener\"")),
            Target::Mail(url) | Target::Site(url) => return Some((url.clone(), "")),
            Target::Here(anchor) => Some(format!("#{anchor}")),
            Target::Page(page, anchor) => Some(address(page, anchor.as_deref())),
            // Readable in the editor and on GitHub; the site has no page for it.
            Target::File(_) => None,
            Target::Refused(why, cure) => {
                self.error(line, (*why).to_owned(), (*cure).to_owned());
                return None;
            }
        };
        self.output.links.push((line, target));
        href.map(|href| (href, ""))
    }

    fn image(&mut self, url: &str, title: &str, range: &Range<usize>) {
        let line = self.part.line_at(range.start);
        let html_before_alt = match links::resolve(url, self.setting.file) {
            Target::File(path) if !is_picture(&path) => {
                self.error(
                    line,
                    format!("{path} is not a picture"),
                    "use a png, jpg, gif, webp, avif or svg file".to_owned(),
                );
                String::new()
            }
            Target::File(path) if self.setting.tree.files.contains_key(&path) => {
                let html = format!("<img src=\"{MEDIA}{}\" loading=\"lazy\"", url_path(&path));
                self.output.media.insert(path);
                html
            }
            Target::File(path) => {
                self.error(
                    line,
                    format!("there is no picture {path}"),
                    "add the file, or correct the path (it is relative to this text)".to_owned(),
                );
                String::new()
            }
            Target::External(_) => {
                self.error(
                    line,
                    "the picture is on another site; nothing is loaded from there".to_owned(),
                    "put the file into the course and link to it with a relative path".to_owned(),
                );
                String::new()
            }
            _ => {
                self.error(
                    line,
                    format!("`{url}` is not a picture of the course"),
                    "link to a file of the course with a relative path".to_owned(),
                );
                String::new()
            }
        };
        self.picture = Some(Picture {
            html_before_alt,
            title: title.to_owned(),
            alt: String::new(),
            depth: 0,
        });
    }

    fn picture_event(&mut self, event: Event<'_>) {
        let Some(picture) = &mut self.picture else {
            return;
        };
        match event {
            Event::Text(text) | Event::Code(text) => picture.alt.push_str(&text),
            Event::SoftBreak | Event::HardBreak => picture.alt.push(' '),
            Event::Start(Tag::Image { .. }) => picture.depth += 1,
            Event::End(TagEnd::Image) if picture.depth > 0 => picture.depth -= 1,
            Event::End(TagEnd::Image) => {
                if let Some(picture) = self.picture.take() {
                    self.end_picture(&picture);
                }
            }
            _ => {}
        }
    }

    fn end_picture(&mut self, picture: &Picture) {
        let alt = escape(&picture.alt);
        if picture.html_before_alt.is_empty() {
            // What cannot be shown is at least described.
            let _ = write!(self.out, "<em class=\"missing\">{alt}</em>");
            return;
        }
        let _ = write!(self.out, "{} alt=\"{alt}\"", picture.html_before_alt);
        if !picture.title.is_empty() {
            let _ = write!(self.out, " title=\"{}\"", escape(&picture.title));
        }
        self.out.push('>');
    }

    fn end_code(&mut self) {
        let Some(code) = self.code.take() else {
            return;
        };
        if is_mermaid(&code.info) {
            self.mermaid(code);
            return;
        }
        let info = Info::parse(&code.info);
        let text = match &info.file {
            None => code.text,
            Some(file) => match self.code_of(file, info.region.as_deref(), &code) {
                Some(text) => text,
                None => return,
            },
        };
        self.code_seconds += SECONDS_FOR_TEN_LINES * text.lines().count().div_ceil(10);
        let lang = if info.lang.is_empty() {
            "text"
        } else {
            &info.lang
        };
        let lang = escape(lang);
        let _ = write!(self.out, "<figure class=\"code\" data-lang=\"{lang}\">");
        if let Some(file) = &info.file {
            let _ = write!(self.out, "<figcaption>{}</figcaption>", escape_text(file));
        }
        let _ = writeln!(
            self.out,
            "<pre><code class=\"language-{lang}\">{}</code></pre></figure>",
            escape_text(&text)
        );
    }

    /// The code a fence refers to; a note on the page if there is none.
    fn code_of(&mut self, file: &str, name: Option<&str>, code: &Code) -> Option<String> {
        if !code.text.trim().is_empty() {
            self.output.diagnostics.push(Diagnostic::warning(
                self.setting.file,
                code.line,
                format!("the fence has lines of its own, but shows {file}"),
                "leave the fence empty, or take `file=` out",
            ));
        }
        match region(self.setting.tree, file, name) {
            Ok(text) => Some(text),
            Err((message, cure)) => {
                let _ = writeln!(
                    self.out,
                    "<aside class=\"note note-caution\">\n<strong>Code is missing here</strong>\n<p>{}</p>\n</aside>",
                    escape_text(&message)
                );
                self.error(code.line, message, cure);
                None
            }
        }
    }

    fn mermaid(&mut self, code: Code) {
        let fence = fence(
            self.setting.file,
            self.setting.slug,
            self.output.diagrams.len() + 1,
            code.line,
            code.text,
        );
        let (diagram, figure) = drawing(
            fence,
            self.setting.tree,
            self.setting.file,
            &mut self.output.diagnostics,
        );
        self.code_seconds += SECONDS_FOR_TEN_LINES;
        self.output.diagrams.push(diagram);
        self.out.push_str(&figure);
    }

    fn raw_html(&mut self, html: &str, block: bool) {
        for token in markup::tokens(html) {
            match token {
                Token::Comment => {}
                Token::Text(text) => {
                    self.note_text(text);
                    self.words += text.split_whitespace().count();
                    // Entities are the one thing in raw text that is already escaped.
                    self.out.push_str(&escape_keeping_entities(text));
                }
                Token::Open(tag) => match allowed_name(tag.name, block) {
                    Some(name) => {
                        self.out.push_str(&markup::allowed_tag(&tag));
                        if !markup::is_void(name) {
                            self.open.push(Open::Raw(name));
                        }
                    }
                    None => self.out.push_str(&escape_text(tag.raw)),
                },
                Token::Close(name) => self.close_raw(name),
            }
        }
    }

    /// Closes a raw element, if it was opened inside the current Markdown element.
    fn close_raw(&mut self, name: &str) {
        let inside = self
            .open
            .iter()
            .rev()
            .take_while(|open| **open != Open::Markdown)
            .position(|open| *open == Open::Raw(static_name(name).unwrap_or_default()));
        let Some(depth) = inside else {
            if static_name(name).is_none() {
                let _ = write!(self.out, "&lt;/{}&gt;", escape(name));
            }
            return;
        };
        for _ in 0..=depth {
            if let Some(Open::Raw(name)) = self.open.pop() {
                let _ = write!(self.out, "</{name}>");
            }
        }
    }

    fn footnote_reference(&mut self, name: &str) {
        let next = self.footnotes.len() + 1;
        let number = *self.footnotes.entry(name.to_owned()).or_insert(next);
        let uses = self.footnote_uses.entry(name.to_owned()).or_insert(0);
        *uses += 1;
        let id = match *uses {
            1 => format!("fnref-{number}"),
            n => format!("fnref-{number}-{n}"),
        };
        let _ = write!(
            self.out,
            "<sup class=\"fn\"><a id=\"{id}\" href=\"#fn-{number}\" aria-label=\"Footnote {number}\">{number}</a></sup>"
        );
    }

    fn end_footnote(&mut self) {
        self.close("");
        if let Some((name, start)) = self.footnote_start.take() {
            let text = self.out.split_off(start);
            let next = self.footnotes.len() + 1;
            let number = *self.footnotes.entry(name.clone()).or_insert(next);
            self.footnote_texts.insert(number, (name, text));
        }
    }

    fn write_footnotes(&mut self) {
        if self.footnote_texts.is_empty() {
            return;
        }
        self.out
            .push_str("<section class=\"footnotes\" aria-label=\"Footnotes\">\n<ol>\n");
        for (number, (name, text)) in std::mem::take(&mut self.footnote_texts) {
            let back = if self.footnote_uses.contains_key(&name) {
                format!(" <a href=\"#fnref-{number}\" aria-label=\"Back to the text\">↩</a>")
            } else {
                String::new()
            };
            // Inside the last paragraph, so that the arrow follows the words.
            let text = match text.trim_end().strip_suffix("</p>") {
                Some(text) => format!("{text}{back}</p>"),
                None => format!("{text}{back}"),
            };
            let _ = writeln!(
                self.out,
                "<li id=\"fn-{number}\" value=\"{number}\">{text}</li>"
            );
        }
        self.out.push_str("</ol>\n</section>\n");
    }

    fn error(&mut self, line: usize, message: String, cure: String) {
        self.output
            .diagnostics
            .push(Diagnostic::error(self.setting.file, line, message, cure));
    }

    fn finish(mut self) -> Output {
        while let Some(open) = self.open.pop() {
            if let Open::Raw(name) = open {
                let _ = write!(self.out, "</{name}>");
            }
        }
        self.write_footnotes();
        let seconds = self.words * 60 / WORDS_A_MINUTE + self.code_seconds;
        self.output.rendered.minutes = u32::try_from(seconds.div_ceil(60)).unwrap_or(1).max(1);
        self.output.rendered.html = self.out;
        self.output
    }
}

/// What stands after the fence: language and `key=value` pairs.
struct Info {
    lang: String,
    file: Option<String>,
    region: Option<String>,
}

impl Info {
    fn parse(info: &str) -> Self {
        let mut words = info.split([' ', ',', '\t']).filter(|w| !w.is_empty());
        let lang = words.next().unwrap_or_default();
        let mut parsed = Self {
            lang: String::new(),
            file: None,
            region: None,
        };
        for word in std::iter::once(lang).chain(words) {
            match word.split_once('=') {
                Some(("file", file)) => parsed.file = Some(file.to_owned()),
                Some(("region", region)) => parsed.region = Some(region.to_owned()),
                None if parsed.lang.is_empty() => word.clone_into(&mut parsed.lang),
                _ => {}
            }
        }
        parsed
    }
}

fn address(page: &Page, anchor: Option<&str>) -> String {
    match anchor {
        Some(anchor) => format!("{}#{anchor}", page.address()),
        None => page.address(),
    }
}

fn static_name(name: &str) -> Option<&'static str> {
    markup::allowed_elements().find(|n| *n == name)
}

fn allowed_name(name: &str, block: bool) -> Option<&'static str> {
    static_name(name).filter(|name| markup::is_allowed(name, block))
}

/// Letters, digits, `-` and `_` stay, spaces become hyphens, everything else goes.
fn github_anchor(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

/// A path inside an attribute of an address.
fn url_path(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Escapes raw text but leaves `&name;` and `&#123;` as they are.
fn escape_keeping_entities(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(i) = rest.find('&') {
        out.push_str(&escape_text(&rest[..i]));
        rest = &rest[i..];
        let entity = rest
            .find(';')
            .map(|end| &rest[1..end])
            .filter(|name| (1..=32).contains(&name.len()))
            .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '#'));
        if let Some(name) = entity {
            let _ = write!(out, "&{name};");
            rest = &rest[name.len() + 2..];
        } else {
            out.push_str("&amp;");
            rest = &rest[1..];
        }
    }
    out.push_str(&escape_text(rest));
    out
}

#[cfg(test)]
mod tests;
