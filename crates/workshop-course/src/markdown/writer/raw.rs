//! Raw HTML: text, except for a few elements that always nest.

use std::fmt::Write as _;

use super::{Open, Writer};
use crate::markup::{self, Token, escape, escape_text};

impl Writer<'_> {
    pub(super) fn raw_html(&mut self, html: &str, block: bool) {
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
    pub(super) fn close_raw(&mut self, name: &str) {
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
}

fn static_name(name: &str) -> Option<&'static str> {
    markup::allowed_elements().find(|n| *n == name)
}

fn allowed_name(name: &str, block: bool) -> Option<&'static str> {
    static_name(name).filter(|name| markup::is_allowed(name, block))
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
