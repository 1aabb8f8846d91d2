//! HTML and SVG as text: escaping, a tokenizer for tags, and what is let through.
//!
//! Raw HTML in a text is shown as text, except for a few harmless elements. A committed SVG goes
//! into the page only if it consists of drawing elements alone. Pages have a strict CSP anyway;
//! this keeps a careless file from breaking the page around it.

use std::fmt::Write as _;

/// Elements that raw HTML may use inside a line.
const INLINE: [&str; 18] = [
    "abbr", "b", "br", "cite", "code", "del", "dfn", "em", "i", "ins", "kbd", "mark", "q", "s",
    "samp", "small", "strong", "sub",
];

/// More of them (two lists keep each one readable).
const INLINE_MORE: [&str; 5] = ["sup", "u", "var", "wbr", "span"];

/// Elements that raw HTML may use as blocks.
const BLOCK: [&str; 6] = ["details", "summary", "dl", "dt", "dd", "hr"];

/// Elements without content.
const VOID: [&str; 3] = ["br", "hr", "wbr"];

/// Attributes that raw HTML may use.
const ATTRIBUTES: [&str; 4] = ["title", "open", "lang", "dir"];

/// What a drawing may consist of.
const SVG_ELEMENTS: [&str; 16] = [
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text",
    "tspan", "defs", "marker", "title", "desc", "clipPath",
];

/// Text as an attribute's value.
pub(crate) fn escape(text: &str) -> String {
    escape_text(text).replace('"', "&quot;")
}

/// Text as an element's content.
pub fn escape_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // HTML has no way to write it.
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A piece of markup.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Everything that is not a tag or comment, as written.
    Text(&'a str),
    /// `<!-- … -->`.
    Comment,
    /// `<name attribute="value">`.
    Open(Tag<'a>),
    /// `</name>`.
    Close(&'a str),
}

/// An opening tag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// As written, with the angle brackets.
    pub(crate) raw: &'a str,
    pub(crate) name: &'a str,
    /// Name and value as written (entities are not decoded).
    pub(crate) attributes: Vec<(&'a str, &'a str)>,
    pub(crate) self_closing: bool,
}

/// Splits markup; what does not parse as a tag is text.
pub(crate) fn tokens(mut rest: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut text_end = 0;
    let whole = rest;
    let mut text_start = 0;
    while let Some(i) = rest.find('<') {
        let at = whole.len() - rest.len() + i;
        let candidate = &whole[at..];
        if let Some((token, len)) = token_at(candidate) {
            if at > text_start {
                tokens.push(Token::Text(&whole[text_start..at]));
            }
            tokens.push(token);
            text_start = at + len;
            rest = &whole[text_start..];
        } else {
            rest = &whole[at + 1..];
        }
        text_end = whole.len();
    }
    if text_start < whole.len().max(text_end) {
        tokens.push(Token::Text(&whole[text_start..]));
    }
    tokens
}

/// The token at the `<` that `text` starts with, and its length.
fn token_at(text: &str) -> Option<(Token<'_>, usize)> {
    if let Some(comment) = text.strip_prefix("<!--") {
        return comment.find("-->").map(|end| (Token::Comment, end + 7));
    }
    if let Some(close) = text.strip_prefix("</") {
        let end = close.find('>')?;
        let name = close[..end].trim_end();
        return is_name(name).then_some((Token::Close(name), end + 3));
    }
    let body = &text[1..];
    let name_end = body
        .find(|c: char| !is_name_char(c))
        .filter(|&end| is_name(&body[..end]))?;
    let name = &body[..name_end];
    let mut attributes = Vec::new();
    let mut rest = &body[name_end..];
    loop {
        let trimmed = rest.trim_start();
        let spaced = trimmed.len() < rest.len();
        rest = trimmed;
        let self_closing = rest.starts_with("/>");
        if self_closing || rest.starts_with('>') {
            let len = text.len() - rest.len() + if self_closing { 2 } else { 1 };
            let tag = Tag {
                raw: &text[..len],
                name,
                attributes,
                self_closing,
            };
            return Some((Token::Open(tag), len));
        }
        if !spaced {
            return None;
        }
        let (attribute, after) = attribute_at(rest)?;
        attributes.push(attribute);
        rest = after;
    }
}

fn attribute_at(text: &str) -> Option<((&str, &str), &str)> {
    let end = text.find(|c: char| !(is_name_char(c) || c == ':'))?;
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    let Some(value) = rest.trim_start().strip_prefix('=') else {
        return Some(((name, ""), rest));
    };
    let value = value.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, rest) = value[1..].split_once(quote)?;
    (!value.contains('<')).then_some(((name, value), rest))
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(is_name_char)
}

/// Every element that raw HTML may use.
pub(crate) fn allowed_elements() -> impl Iterator<Item = &'static str> {
    INLINE.into_iter().chain(INLINE_MORE).chain(BLOCK)
}

/// Whether raw HTML may use the element; `block` inside an HTML block.
pub(crate) fn is_allowed(name: &str, block: bool) -> bool {
    INLINE.contains(&name) || INLINE_MORE.contains(&name) || (block && BLOCK.contains(&name))
}

/// Whether the element has no content and no closing tag.
pub(crate) fn is_void(name: &str) -> bool {
    VOID.contains(&name)
}

/// The tag with its allowed attributes only.
pub(crate) fn allowed_tag(tag: &Tag<'_>) -> String {
    let mut out = format!("<{}", tag.name);
    for (name, value) in &tag.attributes {
        if ATTRIBUTES.contains(name) {
            // The value is escaped already, apart from what its other kind of quote allowed.
            let value = value.replace('"', "&quot;").replace('>', "&gt;");
            let _ = write!(out, " {name}=\"{value}\"");
        }
    }
    out.push('>');
    out
}

/// Why a drawing may not go into a page.
pub(crate) fn svg_problem(svg: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut seen = false;
    for token in tokens(svg) {
        match token {
            Token::Comment => return Some("it has a comment".to_owned()),
            Token::Text(text) if text.contains('<') => {
                return Some("it is not well-formed".to_owned());
            }
            Token::Text(text) if open.is_empty() && !text.trim().is_empty() => {
                return Some("it has text outside of <svg>".to_owned());
            }
            Token::Text(_) => {}
            Token::Open(tag) => {
                if open.is_empty() && (seen || tag.name != "svg") {
                    return Some("it is not one <svg> element".to_owned());
                }
                seen = true;
                if !SVG_ELEMENTS.contains(&tag.name) {
                    return Some(format!("<{}> is not a drawing element", tag.name));
                }
                if let Some((name, _)) = tag.attributes.iter().find(|(n, v)| is_active(n, v)) {
                    return Some(format!("the attribute {name} is not allowed"));
                }
                if !tag.self_closing {
                    open.push(tag.name);
                }
            }
            Token::Close(name) => {
                if open.pop() != Some(name) {
                    return Some(format!("</{name}> closes nothing"));
                }
            }
        }
    }
    match open.last() {
        Some(name) => Some(format!("<{name}> is never closed")),
        None if !seen => Some("it is empty".to_owned()),
        None => None,
    }
}

/// Attributes that carry script, style or an address (references inside the drawing are fine).
fn is_active(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let address = name == "href" || name.ends_with(":href");
    name.starts_with("on")
        || name == "style"
        || (address && !value.starts_with('#'))
        || (value.contains("url(") && !value.trim_start().starts_with("url(#"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_split_at_tags() {
        let rows: [(&str, &[&str]); 6] = [
            (
                "a <kbd>b</kbd>",
                &["text a ", "open kbd", "text b", "close kbd"],
            ),
            ("1 < 2", &["text 1 < 2"]),
            ("<!-- x --> y", &["comment", "text  y"]),
            ("<br/><", &["open br", "text <"]),
            ("<a b='c' d>", &["open a"]),
            ("<a b=c>", &["text <a b=c>"]),
        ];
        for (markup, wanted) in rows {
            let seen: Vec<String> = tokens(markup)
                .iter()
                .map(|token| match token {
                    Token::Text(text) => format!("text {text}"),
                    Token::Comment => "comment".to_owned(),
                    Token::Open(tag) => format!("open {}", tag.name),
                    Token::Close(name) => format!("close {name}"),
                })
                .collect();
            assert_eq!(seen, wanted, "{markup}");
        }
    }

    #[test]
    fn only_drawings_are_drawings() {
        assert_eq!(
            svg_problem("<svg><g class=\"node\"/><path d=\"M0 0\"></path></svg>\n"),
            None
        );
        for bad in [
            "",
            "<p></p>",
            "<svg>",
            "<svg></svg><svg></svg>",
            "<svg><script>1</script></svg>",
            "<svg onload=\"x\"></svg>",
            "<svg style=\"fill:red\"></svg>",
            "<svg><path xlink:href=\"http://example.com\"/></svg>",
            "<svg><path fill=\"url(http://example.com)\"/></svg>",
            "<svg><g></svg></g>",
            "<svg a=b></svg>",
        ] {
            assert!(svg_problem(bad).is_some(), "{bad}");
        }
    }
}
