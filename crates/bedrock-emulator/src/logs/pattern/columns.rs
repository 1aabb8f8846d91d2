//! Lines of columns between spaces, as access logs have them: `[ip, user, ..., status=4*, size>1000]`.
//! What stands in square brackets or quotation marks is one column.

use super::{
    operand::{Compare, Operand},
    wrong,
};
use crate::error::ApiError;

/// The columns of a line, in order.
#[derive(Debug)]
pub(super) struct Columns(Vec<Column>);

#[derive(Debug)]
enum Column {
    /// `...`: any number of columns.
    Some,
    One {
        name: String,
        /// Alternatives, of each of which all must hold; none: anything will do.
        any: Vec<Vec<Operand>>,
    },
}

/// More columns than a line has.
const COLUMNS_MAX: usize = 200;

impl Columns {
    pub(super) fn parse(whole: &str, inside: &str) -> Result<Self, ApiError> {
        let mut columns = Vec::new();
        let mut rest = inside;
        loop {
            rest = rest.trim_start();
            if let Some(left) = rest.strip_prefix("...") {
                if columns.iter().any(|column| matches!(column, Column::Some)) {
                    return Err(wrong(whole, "... stands twice"));
                }
                columns.push(Column::Some);
                rest = left;
            } else {
                let (column, left) = Column::parse(whole, rest)?;
                columns.push(column);
                rest = left;
            }
            rest = rest.trim_start();
            if rest.is_empty() {
                return Ok(Self(columns));
            }
            rest = rest
                .strip_prefix(',')
                .ok_or_else(|| wrong(whole, &format!("{rest:?} is not expected")))?;
        }
    }

    /// Whether a column has that name.
    pub(super) fn has(&self, name: &str) -> bool {
        let mut columns = self.0.iter();
        columns.any(|column| matches!(column, Column::One { name: own, .. } if own == name))
    }

    /// The line's columns by name, if it has as many and all are as they have to be.
    pub(super) fn find(&self, line: &str) -> Option<Vec<(String, String)>> {
        let texts = split(line)?;
        let open = self
            .0
            .iter()
            .position(|column| matches!(column, Column::Some));
        let named = self.0.len() - usize::from(open.is_some());
        let skipped = texts.len().checked_sub(named)?;
        if open.is_none() && skipped > 0 {
            return None;
        }
        let before = open.unwrap_or(named);
        let texts = texts[..before].iter().chain(&texts[before + skipped..]);
        let columns = self.0.iter().filter_map(|column| match column {
            Column::Some => None,
            Column::One { name, any } => Some((name, any)),
        });
        columns
            .zip(texts)
            .map(|((name, any), text)| {
                let number = text.parse().ok();
                let holds = |all: &Vec<Operand>| all.iter().all(|o| o.holds(Some(text), number));
                (any.is_empty() || any.iter().any(holds)).then(|| (name.clone(), text.clone()))
            })
            .collect()
    }
}

impl Column {
    /// A name, perhaps with conditions: `w1=ERROR || w1=WARN`.
    fn parse<'t>(whole: &str, text: &'t str) -> Result<(Self, &'t str), ApiError> {
        const STOPS: [char; 4] = [',', '&', '|', ']'];
        let (name, mut rest) = word(text);
        if name.is_empty() {
            return Err(wrong(whole, "a column's name is missing"));
        }
        let mut any: Vec<Vec<Operand>> = Vec::new();
        let mut alternative = true;
        loop {
            let Some((compare, after)) = Compare::read(rest.trim_start()) else {
                if any.is_empty() {
                    break;
                }
                return Err(wrong(whole, "a comparison is missing"));
            };
            let (operand, left) = Operand::read(whole, after, compare, &STOPS)?;
            if alternative {
                any.push(Vec::new());
            }
            if let Some(all) = any.last_mut() {
                all.push(operand);
            }
            let left = left.trim_start();
            let (or, and) = (left.strip_prefix("||"), left.strip_prefix("&&"));
            alternative = or.is_some();
            let Some(more) = or.or(and) else {
                rest = left;
                break;
            };
            let (again, after) = word(more.trim_start());
            if again != name {
                return Err(wrong(
                    whole,
                    &format!("{again:?} stands in the column {name}"),
                ));
            }
            rest = after;
        }
        let name = name.to_owned();
        Ok((Self::One { name, any }, rest))
    }
}

fn word(text: &str) -> (&str, &str) {
    let end = |c: char| !(c.is_alphanumeric() || c == '_' || c == '-');
    text.split_at(text.find(end).unwrap_or(text.len()))
}

/// The columns of a line; `None` if there are too many.
fn split(line: &str) -> Option<Vec<String>> {
    let mut columns = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        if columns.len() == COLUMNS_MAX {
            return None;
        }
        let close = match rest.chars().next() {
            Some('[') => Some(']'),
            Some('"') => Some('"'),
            _ => None,
        };
        let grouped = close.and_then(|close| rest[1..].split_once(close));
        let (text, left) = grouped
            .unwrap_or_else(|| rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())));
        columns.push(text.to_owned());
        rest = left.trim_start();
    }
    Some(columns)
}
