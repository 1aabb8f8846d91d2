//! Links: an address of the site, another site, or only the words.

use std::ops::Range;

use pulldown_cmark::LinkType;

use super::Writer;
use crate::{
    links::{self, Page, Target},
    markup::escape,
};

impl Writer<'_> {
    pub(super) fn link(&mut self, kind: LinkType, url: &str, title: &str, range: &Range<usize>) {
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
    pub(super) fn href(&mut self, target: Target, line: usize) -> Option<(String, &'static str)> {
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
}

fn address(page: &Page, anchor: Option<&str>) -> String {
    match anchor {
        Some(anchor) => format!("{}#{anchor}", page.address()),
        None => page.address(),
    }
}
