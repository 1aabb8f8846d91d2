//! Links in pages: found, made relative, checked.

use std::collections::{BTreeMap, BTreeSet};

use workshop_course::percent_decoded;

use super::Broken;
use crate::pages::search::decoded;

/// The attributes in which our pages name other pages. `data-root` is for scripts.
const NAMING: [&str; 4] = ["href", "src", "action", "data-root"];

/// Something that a link can lead to.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) is_page: bool,
    pub(super) ids: BTreeSet<String>,
}

/// What it takes to rewrite the links of one page.
#[derive(Debug)]
pub(super) struct Links<'a> {
    /// The page's address.
    pub(super) address: &'a str,
    /// What its links begin with, if they are not relative.
    pub(super) absolute: Option<String>,
    pub(super) pages: &'a BTreeMap<String, Place>,
    pub(super) elsewhere: &'a BTreeMap<String, String>,
}

impl Links<'_> {
    /// The page with its links relative; those that lead nowhere are noted.
    pub(super) fn rewrite(&self, html: &str, broken: &mut BTreeSet<Broken>) -> String {
        let mut out = String::with_capacity(html.len());
        let mut from = 0;
        for (start, end) in values(html, &NAMING) {
            let value = &html[start..end];
            if !is_ours(value) && !value.starts_with('#') {
                continue;
            }
            out.push_str(&html[from..start]);
            from = end;
            match self.target(value) {
                Ok(target) => out.push_str(&target),
                Err(why) => {
                    out.push_str(value);
                    broken.insert(Broken {
                        page: self.address.to_owned(),
                        link: value.to_owned(),
                        why,
                    });
                }
            }
        }
        out.push_str(&html[from..]);
        out
    }

    fn target(&self, link: &str) -> Result<String, String> {
        if let Some(fragment) = link.strip_prefix('#') {
            self.has(self.address, fragment)?;
            return Ok(link.to_owned());
        }
        let link = match self.elsewhere.get(path_of(link)) {
            // A redirect keeps the fragment.
            Some(to) => format!("{to}{}", &link[path_of(link).len()..]),
            None => link.to_owned(),
        };
        let path = path_of(&link);
        if let Some((_, fragment)) = link.split_once('#') {
            self.has(path, fragment)?;
        } else if !self.pages.contains_key(path) {
            return Err("there is no such page".to_owned());
        }
        let below = self.below_root(path);
        let root = self.absolute.clone().unwrap_or_else(|| up(self.address));
        let target = format!("{root}{below}{}", &link[path.len()..]);
        // The first page's link to itself.
        Ok(if target.is_empty() {
            "./".to_owned()
        } else {
            target
        })
    }

    /// Pages are folders: their addresses end with a slash.
    fn below_root(&self, path: &str) -> String {
        let name = path.trim_start_matches('/');
        let is_page = self.pages.get(path).is_some_and(|place| place.is_page);
        if is_page && !name.is_empty() && !name.contains('.') {
            format!("{name}/")
        } else {
            name.to_owned()
        }
    }

    fn has(&self, path: &str, fragment: &str) -> Result<(), String> {
        let place = self.pages.get(path).ok_or("there is no such page")?;
        let id = percent_decoded(fragment);
        let id = id.split_once(":~:").map_or(id.as_str(), |(id, _)| id);
        if id.is_empty() || place.ids.contains(id) {
            return Ok(());
        }
        Err(format!("the page has no `{id}`"))
    }
}

/// Addresses of ours that a page names, without query and fragment.
pub(super) fn addresses(html: &str) -> impl Iterator<Item = String> + '_ {
    values(html, &NAMING)
        .map(|(start, end)| &html[start..end])
        .filter(|value| is_ours(value))
        .map(|value| path_of(value).to_owned())
}

/// The ids of a page's elements.
pub(super) fn ids(html: &str) -> BTreeSet<String> {
    let values = values(html, &["id"]);
    values
        .map(|(start, end)| decoded(&html[start..end]))
        .collect()
}

/// Where the file of a page is, below the folder.
pub(super) fn file_of(address: &str) -> String {
    let name = address.trim_matches('/');
    if name.is_empty() {
        "index.html".to_owned()
    } else if name.contains('.') {
        name.to_owned()
    } else {
        format!("{name}/index.html")
    }
}

/// An address without its query and fragment.
pub(super) fn path_of(link: &str) -> &str {
    link.split(['?', '#']).next().unwrap_or(link)
}

fn is_ours(link: &str) -> bool {
    link.starts_with('/') && !link.starts_with("//")
}

/// From a page to the root: its file lies as deep as its address has parts.
fn up(address: &str) -> String {
    let name = address.trim_matches('/');
    let parts = name.split('/').filter(|part| !part.is_empty()).count();
    let folders = if name.contains('.') { parts - 1 } else { parts };
    "../".repeat(folders)
}

/// The ranges of the values of those attributes, in the page's order. What stands between tags is text
/// and is left alone, whatever it looks like.
fn values<'h>(html: &'h str, names: &'h [&str]) -> impl Iterator<Item = (usize, usize)> + 'h {
    let bytes = html.as_bytes();
    let mut at = 0;
    let mut in_tag = false;
    std::iter::from_fn(move || {
        loop {
            if !in_tag {
                let open = at + html[at..].find('<')?;
                at = open + 1;
                in_tag = bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
                continue;
            }
            let next = at + html[at..].find(['"', '>'])?;
            if bytes[next] == b'>' {
                at = next + 1;
                in_tag = false;
                continue;
            }
            let start = next + 1;
            let end = start + html[start..].find('"')?;
            let name = html[at..next].trim_end_matches('=');
            let name = name.rsplit([' ', '\n', '\t']).next().unwrap_or_default();
            at = end + 1;
            if names.contains(&name) {
                return Some((start, end));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links<'a>(
        address: &'a str,
        pages: &'a BTreeMap<String, Place>,
        elsewhere: &'a BTreeMap<String, String>,
    ) -> Links<'a> {
        Links {
            address,
            absolute: None,
            pages,
            elsewhere,
        }
    }

    fn pages() -> BTreeMap<String, Place> {
        let page = |ids: &[&str]| Place {
            is_page: true,
            ids: ids.iter().map(|&id| id.to_owned()).collect(),
        };
        BTreeMap::from([
            ("/".to_owned(), page(&[])),
            ("/posts/a".to_owned(), page(&["one", "zwei-ä"])),
            ("/media/p.png".to_owned(), Place::default()),
        ])
    }

    fn rewritten(address: &str, html: &str) -> (String, Vec<String>) {
        let (pages, elsewhere) = (
            pages(),
            BTreeMap::from([("/p".to_owned(), "/posts/a".to_owned())]),
        );
        let mut broken = BTreeSet::new();
        let html = links(address, &pages, &elsewhere).rewrite(html, &mut broken);
        let broken = broken.into_iter().map(|b| format!("{}: {}", b.link, b.why));
        (html, broken.collect())
    }

    #[test]
    fn links_are_relative_to_the_page() {
        for (address, html, wanted) in [
            ("/", r#"<a href="/posts/a">"#, r#"<a href="posts/a/">"#),
            ("/", r#"<a href="/">"#, r#"<a href="./">"#),
            ("/posts/a", r#"<a href="/">"#, r#"<a href="../../">"#),
            ("/posts/a", r##"<a href="#one">"##, r##"<a href="#one">"##),
            (
                "/posts/a",
                r#"<a class="x" href="/posts/a#zwei-%C3%A4">"#,
                r#"<a class="x" href="../../posts/a/#zwei-%C3%A4">"#,
            ),
            (
                "/",
                r#"<img src="/media/p.png">"#,
                r#"<img src="media/p.png">"#,
            ),
            ("/", r#"<a href="/p#one">"#, r#"<a href="posts/a/#one">"#),
            (
                "/",
                r#"<a href="//x.example/">"#,
                r#"<a href="//x.example/">"#,
            ),
        ] {
            assert_eq!(rewritten(address, html), (wanted.to_owned(), vec![]));
        }
    }

    #[test]
    fn text_that_looks_like_a_link_is_text() {
        let html = r#"<p>write href="/posts/a" or "<b>"</b> a < href="/x"</p>"#;
        assert_eq!(rewritten("/", html), (html.to_owned(), vec![]));
    }

    #[test]
    fn links_that_lead_nowhere_are_named() {
        let html = r##"<a href="/gone"><a href="/posts/a#two"><a href="#x">"##;
        let (same, broken) = rewritten("/", html);
        assert_eq!(same, html);
        assert_eq!(
            broken,
            [
                "#x: the page has no `x`",
                "/gone: there is no such page",
                "/posts/a#two: the page has no `two`"
            ]
        );
    }
}
