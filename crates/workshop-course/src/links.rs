//! Where links lead: addresses of the site from paths of the course, and what cannot be linked.

/// What a link points to, as far as its own text tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Another site.
    External(String),
    /// `mailto:`.
    Mail(String),
    /// A heading of the same page.
    Here(String),
    /// A page of the course, perhaps with an anchor.
    Page(Page, Option<String>),
    /// Another address of this site (`/tags/aws`): not checked here.
    Site(String),
    /// A file of the course that is not a page.
    File(String),
    /// Cannot be a link on this site: why, and what to do.
    Refused(&'static str, &'static str),
}

/// A page of the course.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Page {
    /// `/posts/{slug}`
    Post(String),
    /// `/diagrams/{slug}`
    Diagram(String),
    /// `/exercises/{id}`
    Exercise(String),
    /// `/bugs/{slug}`
    Bug(String),
}

impl Page {
    /// Its address on the site.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Post(slug) => format!("/posts/{slug}"),
            Self::Diagram(slug) => format!("/diagrams/{slug}"),
            Self::Exercise(id) => format!("/exercises/{id}"),
            Self::Bug(slug) => format!("/bugs/{slug}"),
        }
    }

    /// The page made from a file of the course, if one is.
    pub(crate) fn of_file(path: &str) -> Option<Self> {
        if let Some(name) = path.strip_prefix("content/posts/") {
            return Some(Self::Post(page_slug(name)?));
        }
        if let Some(name) = path.strip_prefix("diagrams/") {
            return Some(Self::Diagram(page_slug(name)?));
        }
        if let Some(name) = path.strip_prefix("content/bugs/") {
            let (folder, file) = name.split_once('/').unwrap_or((name, ""));
            return matches!(file, "" | "bug.toml").then(|| Self::Bug(folder.to_owned()));
        }
        let rest = path.strip_prefix("exercises/")?;
        let (folder, file) = rest.split_once('/').unwrap_or((rest, ""));
        if !matches!(file, "" | "README.md") {
            return None;
        }
        exercise_id(folder).map(|id| Self::Exercise(id.to_owned()))
    }
}

/// The slug of `name` if it is a Markdown file directly in its folder.
pub(crate) fn page_slug(name: &str) -> Option<String> {
    let stem = name
        .strip_suffix(".md")
        .or_else(|| name.strip_suffix(".mdx"))?;
    if name.contains('/') || stem.eq_ignore_ascii_case("readme") {
        return None;
    }
    let slug = slug(stem);
    (!slug.is_empty()).then_some(slug)
}

/// Lower-case letters and digits, everything else a single hyphen.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// `004` of `004-bedrock-integration`.
pub(crate) fn exercise_id(folder: &str) -> Option<&str> {
    let (id, slug) = folder.split_once('-')?;
    let digits = id.len() == 3 && id.bytes().all(|b| b.is_ascii_digit());
    (digits && !slug.is_empty()).then_some(id)
}

/// Reads a link of a text that stands in `file`.
pub(crate) fn resolve(link: &str, file: &str) -> Target {
    let link = link.trim();
    if let Some(scheme) = scheme(link) {
        return match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => Target::External(link.to_owned()),
            "mailto" => Target::Mail(link.to_owned()),
            _ => Target::Refused(
                "the link's scheme is not http, https or mailto",
                "link to a page, or write the address as code",
            ),
        };
    }
    if link.starts_with("//") {
        return Target::External(format!("https:{link}"));
    }
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor.to_owned()).filter(|a| !a.is_empty())),
        None => (link, None),
    };
    if path.is_empty() {
        return anchor.map_or(
            Target::Refused("the link is empty", "write where it leads"),
            Target::Here,
        );
    }
    if let Some(path) = path.strip_prefix('/') {
        return site_page(path).map_or_else(
            || Target::Site(link.to_owned()),
            |page| Target::Page(page, anchor),
        );
    }
    let Some(path) = joined(file, path) else {
        return Target::Refused(
            "the link leads out of the course's folder",
            "link to the page's address on the web, or to a file inside the course",
        );
    };
    match Page::of_file(&path) {
        Some(page) => Target::Page(page, anchor),
        None => Target::File(path),
    }
}

/// `http` of `http://…`; a single letter would be a Windows drive, which is refused as well.
fn scheme(link: &str) -> Option<&str> {
    let (scheme, _) = link.split_once(':')?;
    let mut chars = scheme.chars();
    let valid = chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    valid.then_some(scheme)
}

/// `posts/x`, `diagrams/x`, `bugs/x`, `exercises/004` (also with the folder's full name).
fn site_page(path: &str) -> Option<Page> {
    let path = path.split('?').next().unwrap_or(path).trim_end_matches('/');
    let (kind, name) = path.split_once('/')?;
    if name.is_empty() || name.contains('/') {
        return None;
    }
    match kind {
        "posts" => Some(Page::Post(name.to_owned())),
        "diagrams" => Some(Page::Diagram(name.to_owned())),
        "bugs" => Some(Page::Bug(name.to_owned())),
        "exercises" => Some(Page::Exercise(exercise_id(name).unwrap_or(name).to_owned())),
        _ => None,
    }
}

/// `path` as seen from `file`; `None` if it leaves the course.
pub(crate) fn joined(file: &str, path: &str) -> Option<String> {
    let path = percent_decoded(path.split('?').next().unwrap_or(path));
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A path or fragment of an address without its `%` escapes; as it is, if they are no UTF-8.
pub fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = bytes.get(i + 1..i + 3).and_then(|h| str::from_utf8(h).ok());
        match hex.map(|h| u8::from_str_radix(h, 16)) {
            Some(Ok(byte)) if bytes[i] == b'%' => {
                out.push(byte);
                i += 3;
            }
            _ => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_as_what_they_point_to() {
        let post = |slug: &str, anchor: Option<&str>| {
            Target::Page(Page::Post(slug.to_owned()), anchor.map(str::to_owned))
        };
        let exercise = |id: &str| Target::Page(Page::Exercise(id.to_owned()), None);
        let file = "content/posts/a.md";
        let rows = [
            (
                "https://example.com/x#y",
                Target::External("https://example.com/x#y".into()),
            ),
            (
                "//example.com",
                Target::External("https://example.com".into()),
            ),
            (
                "mailto:a@example.com",
                Target::Mail("mailto:a@example.com".into()),
            ),
            ("#top", Target::Here("top".into())),
            ("/posts/b#c", post("b", Some("c"))),
            ("/posts/b/", post("b", None)),
            ("b.md", post("b", None)),
            ("./B_c.md#d", post("b-c", Some("d"))),
            (
                "../../exercises/004-bedrock-integration/README.md",
                exercise("004"),
            ),
            ("../../exercises/004-bedrock-integration/", exercise("004")),
            ("/exercises/004-bedrock-integration", exercise("004")),
            (
                "../../diagrams/d.md",
                Target::Page(Page::Diagram("d".into()), None),
            ),
            (
                "/bugs/a-proxy#line-3",
                Target::Page(Page::Bug("a-proxy".into()), Some("line-3".into())),
            ),
            (
                "../bugs/a-proxy/bug.toml",
                Target::Page(Page::Bug("a-proxy".into()), None),
            ),
            ("/tags/aws", Target::Site("/tags/aws".into())),
            ("/", Target::Site("/".into())),
            (
                "../snippets/src/lib.rs",
                Target::File("content/snippets/src/lib.rs".into()),
            ),
            ("a%20b.png", Target::File("content/posts/a b.png".into())),
        ];
        for (link, wanted) in rows {
            assert_eq!(resolve(link, file), wanted, "{link}");
        }
        for link in [
            "javascript:alert(1)",
            "",
            "#",
            "../../../x.md",
            "data:text/html,x",
            "C:\\x",
        ] {
            assert!(matches!(resolve(link, file), Target::Refused(..)), "{link}");
        }
    }

    #[test]
    fn slugs_are_lower_case_letters_digits_and_hyphens() {
        let rows = [
            ("Getting Started", "getting-started"),
            ("000_e4aaa67cd01c7f6d", "000-e4aaa67cd01c7f6d"),
            ("--CI/CD--", "ci-cd"),
            ("é", ""),
        ];
        for (text, wanted) in rows {
            assert_eq!(slug(text), wanted);
        }
    }
}
