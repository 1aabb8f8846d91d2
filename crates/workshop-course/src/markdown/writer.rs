//! Events in, HTML out: the elements themselves. What needs more than a line has a file of its own.

mod figures;
mod footnotes;
mod headings;
mod links;
mod raw;
mod recall;

use std::{collections::BTreeMap, fmt::Write as _, ops::Range};

use pulldown_cmark::{Alignment, BlockQuoteKind, CodeBlockKind, CowStr, Event, Tag, TagEnd};

use super::{Output, Setting, WORDS_A_MINUTE};
use crate::{Diagnostic, document::Part, markup::escape_text};

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

pub(super) struct Writer<'a> {
    part: &'a Part,
    setting: Setting<'a>,
    out: String,
    pub(super) output: Output,
    open: Vec<Open>,
    pub(super) level_shift: u8,
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
    pub(super) fn new(part: &'a Part, setting: Setting<'a>) -> Self {
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

    pub(super) fn event(&mut self, event: Event<'_>, range: &Range<usize>) {
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
            TagEnd::TableCell => self.end_table_cell(),
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

    fn end_table_cell(&mut self) {
        if !self.in_table_head {
            self.close("</td>");
            return;
        }
        // A heading that says nothing is none: the corner above a column of names.
        let begin = self.out.rfind("<th scope").unwrap_or(self.out.len());
        if self.out[begin..].find('>') == Some(self.out.len() - begin - 1) {
            self.out.truncate(begin);
            self.out.push_str("<td>");
            self.close("</td>");
        } else {
            self.close("</th>");
        }
    }

    fn error(&mut self, line: usize, message: String, cure: String) {
        self.output
            .diagnostics
            .push(Diagnostic::error(self.setting.file, line, message, cure));
    }

    pub(super) fn finish(mut self) -> Output {
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
