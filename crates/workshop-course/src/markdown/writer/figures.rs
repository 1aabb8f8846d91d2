//! Pictures, code and drawings.

use std::fmt::Write as _;

use pulldown_cmark::{Event, Tag, TagEnd};

use super::{Code, Picture, Writer};
use crate::{
    Diagnostic,
    drawing::drawing,
    links::{self, Target},
    markdown::{MEDIA, SECONDS_FOR_TEN_LINES, fence, is_mermaid},
    markup::{escape, escape_text},
    regions::region,
    tree::is_picture,
};
use std::ops::Range;

impl Writer<'_> {
    pub(super) fn image(&mut self, url: &str, title: &str, range: &Range<usize>) {
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

    pub(super) fn picture_event(&mut self, event: Event<'_>) {
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

    pub(super) fn end_picture(&mut self, picture: &Picture) {
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

    pub(super) fn end_code(&mut self) {
        let Some(code) = self.code.take() else {
            return;
        };
        if is_mermaid(&code.info) {
            self.mermaid(code);
            return;
        }
        let info = Info::parse(&code.info);
        if info.lang == "recall" {
            self.recall(&code, info.from.as_deref());
            return;
        }
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
    pub(super) fn code_of(
        &mut self,
        file: &str,
        name: Option<&str>,
        code: &Code,
    ) -> Option<String> {
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

    pub(super) fn mermaid(&mut self, code: Code) {
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
}

/// What stands after the fence: language and `key=value` pairs.
struct Info {
    lang: String,
    file: Option<String>,
    region: Option<String>,
    /// The exercise that a recall question is about.
    from: Option<String>,
}

impl Info {
    fn parse(info: &str) -> Self {
        let mut words = info.split([' ', ',', '\t']).filter(|w| !w.is_empty());
        let lang = words.next().unwrap_or_default();
        let mut parsed = Self {
            lang: String::new(),
            file: None,
            region: None,
            from: None,
        };
        for word in std::iter::once(lang).chain(words) {
            match word.split_once('=') {
                Some(("file", file)) => parsed.file = Some(file.to_owned()),
                Some(("region", region)) => parsed.region = Some(region.to_owned()),
                Some(("from", id)) => parsed.from = Some(id.to_owned()),
                None if parsed.lang.is_empty() => word.clone_into(&mut parsed.lang),
                _ => {}
            }
        }
        parsed
    }
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
