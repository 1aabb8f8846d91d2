//! Patterns of policies: `*` and `?`, and policy variables (`${aws:username}`).
//!
//! What a variable stands for is compared as it is: a `*` in a user's name matches a `*` only.

use super::{
    Context, context,
    document::{Problem, problem},
};

/// Text to compare with, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    /// As it stands in the document.
    pub(super) text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Piece(Piece),
    Variable {
        key: String,
        otherwise: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Char(char),
    Any,
    One,
}

/// Whether `*` and `?` are more than themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wildcards {
    Count,
    Literal,
}

impl Pattern {
    /// Without variables.
    pub(super) fn new(text: &str, wildcards: Wildcards) -> Self {
        Self {
            text: text.to_owned(),
            parts: pieces(text, wildcards).collect(),
        }
    }

    /// With variables, if the document's version has them.
    pub(super) fn with_variables(
        text: &str,
        wildcards: Wildcards,
        variables: bool,
        at: &str,
    ) -> Result<Self, Problem> {
        if !variables || !text.contains("${") {
            return Ok(Self::new(text, wildcards));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            parts.extend(pieces(before, wildcards));
            let Some((name, tail)) = after.split_once('}') else {
                return problem(at, &format!("\"{text}\": ${{ is not closed"));
            };
            parts.push(variable(name, at)?);
            rest = tail;
        }
        parts.extend(pieces(rest, wildcards));
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    /// Whether the whole of `text` fits. A variable that the request gives no value fits nothing.
    pub(super) fn matches(&self, text: &str, ignore_case: bool, context: &Context<'_>) -> bool {
        let Some(pieces) = self.resolve(context) else {
            return false;
        };
        fits(&pieces, text, ignore_case)
    }

    /// The same for ARNs in conditions: each of the six fields on its own, so that a star does not
    /// reach over a colon in the first five.
    pub(super) fn matches_arn(&self, arn: &str, context: &Context<'_>) -> bool {
        let Some(pieces) = self.resolve(context) else {
            return false;
        };
        let wanted: Vec<&[Piece]> = pieces.splitn(6, |p| *p == Piece::Char(':')).collect();
        let seen: Vec<&str> = arn.splitn(6, ':').collect();
        wanted.len() == 6
            && seen.len() == 6
            && wanted.iter().zip(seen).all(|(w, s)| fits(w, s, false))
    }

    fn resolve(&self, context: &Context<'_>) -> Option<Vec<Piece>> {
        let mut pieces = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            match part {
                Part::Piece(piece) => pieces.push(*piece),
                Part::Variable { key, otherwise } => {
                    let seen = context.get(key);
                    let value = match seen.as_slice() {
                        [one] => one.as_ref(),
                        _ => otherwise.as_deref()?,
                    };
                    pieces.extend(value.chars().map(Piece::Char));
                }
            }
        }
        Some(pieces)
    }
}

fn pieces(text: &str, wildcards: Wildcards) -> impl Iterator<Item = Part> {
    text.chars().map(move |c| {
        Part::Piece(match (wildcards, c) {
            (Wildcards::Count, '*') => Piece::Any,
            (Wildcards::Count, '?') => Piece::One,
            (_, c) => Piece::Char(c),
        })
    })
}

/// `aws:username`, `aws:username, 'nobody'`, or `*`, `?`, `$` for themselves.
fn variable(name: &str, at: &str) -> Result<Part, Problem> {
    if let "*" | "?" | "$" = name {
        let c = name.chars().next().unwrap_or_default();
        return Ok(Part::Piece(Piece::Char(c)));
    }
    let (key, otherwise) = match name.split_once(',') {
        None => (name, None),
        Some((key, quoted)) => {
            let quoted = quoted.trim();
            let inner = quoted.strip_prefix('\'').and_then(|q| q.strip_suffix('\''));
            let Some(inner) = inner else {
                return problem(
                    at,
                    &format!("${{{name}}}: a default value stands in single quotes"),
                );
            };
            (key, Some(inner.to_owned()))
        }
    };
    let key = key.trim().to_lowercase();
    if !context::known(&key) {
        return problem(
            at,
            &format!("the variable ${{{name}}} is not one the emulator knows"),
        );
    }
    Ok(Part::Variable { key, otherwise })
}

fn fits(pattern: &[Piece], text: &str, ignore_case: bool) -> bool {
    let same = |a: char, b: char| a == b || (ignore_case && a.to_lowercase().eq(b.to_lowercase()));
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Piece::Any) => {
                star = Some((p, t));
                p += 1;
            }
            Some(Piece::One) => {
                p += 1;
                t += 1;
            }
            Some(Piece::Char(c)) if same(*c, text[t]) => {
                p += 1;
                t += 1;
            }
            _ => {
                // Let the last star take one character more.
                let Some((star_p, star_t)) = star else {
                    return false;
                };
                star = Some((star_p, star_t + 1));
                p = star_p + 1;
                t = star_t + 1;
            }
        }
    }
    pattern[p..].iter().all(|piece| *piece == Piece::Any)
}

/// Whether `text` matches `pattern`, where `*` stands for any characters and `?` for one.
#[cfg(test)]
pub(super) fn like(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern, Wildcards::Count).matches(text, false, &Context::default())
}
