//! A small XML tree: enough to take a renderer's SVG apart and write our own.

use std::fmt::Write as _;

use quick_xml::{Reader, XmlVersion, escape::resolve_predefined_entity, events::Event};

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// In the order of writing; values unescaped.
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Node>,
}

/// What an element contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The same with one more attribute.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.push((name.to_owned(), value.into()));
        self
    }

    /// The same with a text inside.
    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.children.push(Node::Text(text.into()));
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.get("class")
            .is_some_and(|classes| classes.split_whitespace().any(|c| c == class))
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// This element and everything below it, in document order.
    pub(crate) fn descendants(&self) -> Vec<&Self> {
        let mut all = vec![self];
        for child in self.elements() {
            all.extend(child.descendants());
        }
        all
    }

    /// All text below it.
    pub(crate) fn plain_text(&self) -> String {
        self.children.iter().fold(String::new(), |mut out, child| {
            match child {
                Node::Text(text) => out.push_str(text),
                Node::Element(element) => out.push_str(&element.plain_text()),
            }
            out
        })
    }

    /// As XML, one element a line (texts stay on the line of their element).
    pub(crate) fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}=\"{}\"", escaped(value).replace('"', "&quot;"));
        }
        if self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        // A line feed inside <text> would be shown as a space.
        let lines = self.name != "text" && self.elements().next().is_some();
        for child in &self.children {
            if lines {
                out.push('\n');
            }
            match child {
                Node::Element(element) => element.write_to(out),
                Node::Text(text) => out.push_str(&escaped(text)),
            }
        }
        if lines {
            out.push('\n');
        }
        let _ = write!(out, "</{}>", self.name);
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Reads one document; the error is the parser's message.
pub(crate) fn parse(xml: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(xml);
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => open.push(element(&start)?),
            Event::Empty(start) => push(&mut open, Node::Element(element(&start)?)),
            Event::End(_) => {
                let closed = open.pop().unwrap_or_default();
                push(&mut open, Node::Element(closed));
            }
            Event::Text(text) => {
                let text = text.xml10_content().into_owned();
                push(&mut open, Node::Text(text));
            }
            Event::CData(data) => {
                let text = data.xml10_content().into_owned();
                push(&mut open, Node::Text(text));
            }
            Event::GeneralRef(reference) => {
                let text = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character.to_string(),
                    _ => resolve_predefined_entity(&reference)
                        .ok_or_else(|| format!("unknown entity &{};", &*reference))?
                        .to_owned(),
                };
                push(&mut open, Node::Text(text));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let root = open.swap_remove(0);
    root.children
        .into_iter()
        .find_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
        .ok_or_else(|| "no element".to_owned())
}

fn push(open: &mut [Element], node: Node) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(node);
    }
}

fn element(start: &quick_xml::events::BytesStart<'_>) -> Result<Element, String> {
    let mut element = Element::new(start.name().as_ref());
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        let name = attribute.key.as_ref().to_owned();
        element.attributes.push((name, value.into_owned()));
    }
    Ok(element)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_and_written() {
        let root = parse("<?xml version=\"1.0\"?>\n<svg a=\"1 &lt; &quot;2&quot;\"><g><text>x &amp; &#39;y</text></g><path/></svg>")
            .expect("parsed");
        assert_eq!(root.get("a"), Some("1 < \"2\""));
        assert_eq!(
            root.write(),
            "<svg a=\"1 &lt; &quot;2&quot;\">\n<g>\n<text>x &amp; 'y</text>\n</g>\n<path/>\n</svg>"
        );
        assert!(parse("<svg><g></svg>").is_err());
        assert!(parse("").is_err());
    }
}
