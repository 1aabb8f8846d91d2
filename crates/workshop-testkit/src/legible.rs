//! Values as people can read them in a failure message: short, wrapped, JSON as JSON.

use std::iter::Peekable;

/// Columns of a line, without the label.
const WIDTH: usize = 90;

/// How much of what two long values have in common stays in front of their difference.
const CONTEXT: usize = 40;

/// The lines of a text, wrapped, and not more than allowed.
pub(crate) struct Lines(std::vec::IntoIter<String>);

impl Lines {
    /// Wraps `text` into at most `max` lines; if it does not fit, the last one says how long the
    /// whole text is.
    pub(crate) fn of(text: &str, max: usize) -> Self {
        // No text within the limit needs more; do not wrap megabytes for three lines.
        let head: String = text.chars().take(WIDTH * (max + 1)).collect();
        let mut lines: Vec<String> = head
            .lines()
            .filter(|line| !line.trim().is_empty())
            .flat_map(wrap)
            .collect();
        if lines.len() > max || head.len() < text.len() {
            lines.truncate(max);
            let note = format!(" … ({} characters in all)", text.chars().count());
            if let Some(last) = lines.last_mut() {
                let keep = WIDTH - note.chars().count();
                *last = last.chars().take(keep).collect::<String>() + &note;
            }
        }
        Self(lines.into_iter())
    }
}

impl Iterator for Lines {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.0.next()
    }
}

/// The first line of a text, shortened to a hundred columns.
pub(crate) fn one_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim_end();
    if line.chars().count() <= WIDTH + 10 {
        return line.to_owned();
    }
    line.chars().take(WIDTH + 8).collect::<String>() + " …"
}

/// Breaks one line at spaces, or anywhere if there are none.
fn wrap(line: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest: Vec<char> = line.trim_end().chars().collect();
    while rest.len() > WIDTH {
        let space = rest[..WIDTH].iter().rposition(|c| *c == ' ');
        let cut = space.filter(|at| *at > WIDTH / 2).unwrap_or(WIDTH);
        let tail = rest.split_off(cut);
        lines.push(rest.iter().collect());
        rest = tail.into_iter().skip_while(|c| *c == ' ').collect();
    }
    lines.push(rest.into_iter().collect());
    lines
}

/// Two values, both from shortly before they begin to differ if one of them is long.
pub(crate) fn differing(left: &str, right: &str) -> (String, String) {
    let long = left.chars().count().max(right.chars().count()) > WIDTH;
    let same = left.chars().zip(right.chars()).take_while(|(l, r)| l == r);
    let same = same.count();
    if !long || same <= CONTEXT + 2 {
        return (left.to_owned(), right.to_owned());
    }
    let from = |text: &str| {
        format!(
            "… {}",
            text.chars().skip(same - CONTEXT).collect::<String>()
        )
    };
    (from(left), from(right))
}

/// Turns the `Debug` form of JSON values (`Object {"maxTokens": Number(64)}`) into JSON
/// (`{"maxTokens": 64}`). Text inside quotes stays as it is.
pub(crate) fn json(debug: &str) -> String {
    let mut out = String::with_capacity(debug.len());
    let mut chars = debug.chars().peekable();
    // For each open parenthesis: whether it belongs to a variant's name that was left out.
    let mut open = Vec::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted(&mut chars, &mut out),
            'A'..='Z' => word(c, &mut chars, &mut out, &mut open),
            '(' => {
                open.push(false);
                out.push(c);
            }
            ')' => {
                if !open.pop().unwrap_or(false) {
                    out.push(c);
                }
            }
            _ => out.push(c),
        }
    }
    out
}

type Chars<'a> = Peekable<std::str::Chars<'a>>;

fn quoted(chars: &mut Chars<'_>, out: &mut String) {
    out.push('"');
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '\\' => out.extend(chars.next()),
            '"' => return,
            _ => {}
        }
    }
}

fn word(first: char, chars: &mut Chars<'_>, out: &mut String, open: &mut Vec<bool>) {
    let mut word = String::from(first);
    while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
        word.push(c);
    }
    match (word.as_str(), chars.peek()) {
        ("Null", _) => out.push_str("null"),
        ("Object" | "Array", Some(' ')) => {
            chars.next();
        }
        ("Number" | "String" | "Bool", Some('(')) => {
            chars.next();
            open.push(true);
        }
        _ => out.push_str(&word),
    }
}
