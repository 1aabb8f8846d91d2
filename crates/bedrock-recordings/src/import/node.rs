//! JSON and YAML as one tree that keeps the order of keys and tells bytes from text.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Null, truth or a number.
    Scalar(Value),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(super) fn json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    pub(super) fn yaml(text: &str) -> Result<Self, String> {
        let options = serde_saphyr::options! {
            with_snippet: false,
            budget: None,
        };
        let text = mark_binary(text);
        serde_saphyr::from_str_with_options::<Self>(&text, options.clone())
            .or_else(|error| {
                let mended = indent_quoted(&text);
                serde_saphyr::from_str_with_options(&mended, options).map_err(|_| error)
            })
            .map(Self::unmarked)
            .map_err(|error| error.to_string())
    }

    /// The member of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => {
                let found = members
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value)
            }
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(Value::Null))
    }

    /// A scalar as text.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
            Self::Scalar(Value::Null) | Self::List(_) | Self::Map(_) => None,
            Self::Scalar(scalar) => Some(scalar.to_string()),
        }
    }

    pub(super) fn number(&self) -> Option<u16> {
        self.text()?.trim().parse().ok()
    }

    /// Compact JSON with the keys in their order.
    pub(super) fn to_json(&self) -> String {
        match self {
            Self::Scalar(scalar) => scalar.to_string(),
            Self::Text(text) => Value::from(text.as_str()).to_string(),
            Self::Bytes(bytes) => Value::from(String::from_utf8_lossy(bytes)).to_string(),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_json).collect();
                format!("[{}]", items.join(","))
            }
            Self::Map(members) => {
                let members = members.iter().map(|(key, value)| {
                    format!("{}:{}", Value::from(key.as_str()), value.to_json())
                });
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }

    /// Turns marked text into the bytes it stands for.
    fn unmarked(self) -> Self {
        match self {
            Self::Text(text) => match text.strip_prefix(MARK) {
                Some(base64) => {
                    let base64: String = base64.split_whitespace().collect();
                    STANDARD
                        .decode(base64)
                        .map_or(Self::Text(text), Self::Bytes)
                }
                None => Self::Text(text),
            },
            Self::List(items) => Self::List(items.into_iter().map(Self::unmarked).collect()),
            Self::Map(members) => {
                let members = members.into_iter();
                Self::Map(members.map(|(k, v)| (k, v.unmarked())).collect())
            }
            scalar @ (Self::Scalar(_) | Self::Bytes(_)) => scalar,
        }
    }
}

/// Stands before base64 text that was tagged as binary.
const MARK: &str = "\u{e000}base64 ";

/// The YAML reader gives tagged binary only to whoever asks for bytes in that place, and here a body
/// may be either. So the tag of a block scalar becomes a mark in its text. Text of other block scalars
/// is left alone, whatever it says.
fn mark_binary(yaml: &str) -> String {
    let mut out = String::with_capacity(yaml.len() + 1_024);
    let mut block: Option<Block> = None;
    for line in yaml.split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        let blank = content.trim().is_empty();
        if let Some(open) = &mut block {
            if blank {
                out.push_str(line);
                continue;
            }
            let begins = open.indent.is_none();
            let within = open
                .indent
                .map_or(indent > open.parent, |own| indent >= own);
            if within {
                open.indent.get_or_insert(indent);
                if begins && open.binary {
                    out.push_str(&line[..indent]);
                    out.push_str(MARK);
                    out.push_str(content);
                } else {
                    out.push_str(line);
                }
                continue;
            }
            block = None;
        }
        let header = line.trim_end();
        let Some((before, indicator)) = header.rsplit_once(' ') else {
            out.push_str(line);
            continue;
        };
        if !is_block_indicator(indicator) {
            out.push_str(line);
            continue;
        }
        let untagged = ["!!binary", "!binary"].iter().find_map(|tag| {
            let rest = before.strip_suffix(tag)?;
            rest.trim_end().ends_with([':', '-', '?']).then_some(rest)
        });
        block = Some(Block {
            parent: indent,
            indent: None,
            binary: untagged.is_some(),
        });
        match untagged {
            Some(rest) => {
                out.push_str(rest);
                out.push_str(indicator);
                out.push('\n');
            }
            None => out.push_str(line),
        }
    }
    out
}

/// YAML wants the lines of a quoted scalar indented deeper than what they belong to, `PyYAML` does not
/// insist. White space at the start of such a line says nothing, so more of it does no harm.
fn indent_quoted(yaml: &str) -> String {
    let mut out = String::with_capacity(yaml.len() + 1_024);
    let mut open: Option<char> = None;
    for line in yaml.split_inclusive('\n') {
        let rest = if open.is_some() {
            out.push_str("                                ");
            line
        } else {
            let value = line.trim_start_matches([' ', '-']);
            let value = value.split_once(": ").map_or(value, |(_, value)| value);
            open = value.chars().next().filter(|c| matches!(c, '\'' | '"'));
            value.get(1..).unwrap_or_default()
        };
        out.push_str(line);
        if open.is_some_and(|quote| closes(rest, quote)) {
            open = None;
        }
    }
    out
}

/// Whether the quoted scalar ends in this text.
fn closes(text: &str, quote: char) -> bool {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == quote && (quote == '"' || chars.next_if_eq(&'\'').is_none()) {
            return true;
        }
        if c == '\\' && quote == '"' {
            chars.next();
        }
    }
    false
}

/// A block scalar that is being read.
struct Block {
    /// The indentation of the line that opens it.
    parent: usize,
    /// Its own, once known.
    indent: Option<usize>,
    binary: bool,
}

fn is_block_indicator(text: &str) -> bool {
    let mut chars = text.chars();
    matches!(chars.next(), Some('|' | '>'))
        && chars.all(|c| c == '-' || c == '+' || c.is_ascii_digit())
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Node, E> {
        Ok(Node::Bytes(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some((key, value)) = map.next_entry::<Node, Node>()? {
            members.push((key_text(&key), value));
        }
        Ok(Node::Map(members))
    }
}

/// Some cassettes have keys like `? !!python/…istr [Content-Type]`.
fn key_text(key: &Node) -> String {
    match key.clone().unmarked() {
        Node::List(items) => items.first().map(key_text).unwrap_or_default(),
        other => other.text().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_text_are_told_apart() {
        let yaml = "\
a: !!binary |
  AAH/
  AAA=
b:
- !binary |-
  AAH/
- text
- |
  x: !!binary |
  AAH/
? !!python/object/apply:x.istr
- Content-Type
: 1.50
c: 'AAH/'
";
        let bytes = || Node::Bytes(vec![0, 1, 255]);
        let text = |text: &str| Node::Text(text.to_owned());
        let read = Node::yaml(yaml).unwrap();
        assert_eq!(read.get("a"), Some(&Node::Bytes(vec![0, 1, 255, 0, 0])));
        let items = [bytes(), text("text"), text("x: !!binary |\nAAH/\n")];
        assert_eq!(read.get("b").unwrap().list().unwrap(), items);
        assert_eq!(read.get("content-type").unwrap().text().unwrap(), "1.5");
        assert_eq!(read.get("c"), Some(&text("AAH/")));
    }

    #[test]
    fn quoted_lines_need_no_indentation() {
        let yaml = "a:\n  - b:\n      c: 'it''s\n      here'\n      d: \"x \\\"\n      y\"\n      e: 'z'\n";
        let read = Node::yaml(yaml).unwrap();
        let item = read.get("a").unwrap().list().unwrap()[0].get("b").unwrap();
        let text = |name| item.get(name).unwrap().text().unwrap();
        assert_eq!(
            [text("c"), text("d"), text("e")],
            ["it's here", "x \" y", "z"]
        );
    }

    #[test]
    fn json_keeps_the_order_of_keys() {
        let text = r#"{"b":[1,-2.5,true,null],"a":{"z":"é\n","y":{}}}"#;
        assert_eq!(Node::json(text).unwrap().to_json(), text);
    }
}
