//! What a student reads when a wrong answer dies: product copy, kept beside the exercise in
//! `messages.txt`, so that a change of wording is seen and read in review.

use std::{fmt::Write as _, fs};

use crate::workspace::ExerciseDir;

/// The file in the exercise's folder.
const FILE: &str = "messages.txt";

/// A longer text is not read to its end.
pub(crate) const LINES_MAX: usize = 12;

/// The texts of an exercise's dead wrong answers.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    text: String,
}

impl Messages {
    /// Adds what `test` says about the wrong answer in `file`.
    pub(crate) fn add(&mut self, file: &str, test: &str, message: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            self.text,
            "{file} dies in {test}\n\n{}\n",
            lasting(message.trim_end())
        );
    }

    /// Compares with the file, or rewrites it if `bless`; the answer is what is not as it must be.
    pub(crate) fn settle(&self, exercise: &ExerciseDir, bless: bool) -> Option<String> {
        let path = exercise.dir.join(FILE);
        if bless {
            let written = fs::write(&path, &self.text);
            return written
                .err()
                .map(|error| format!("{FILE}: cannot be written: {error}"));
        }
        let cure = format!("read it after `workshop verify {} --bless`", exercise.id);
        let Ok(kept) = fs::read_to_string(&path) else {
            return Some(format!("{FILE}: is missing; {cure}"));
        };
        let kept = kept.replace("\r\n", "\n");
        if kept == self.text {
            return None;
        }
        let line = kept
            .lines()
            .zip(self.text.lines())
            .take_while(|(a, b)| a == b)
            .count();
        let said = self.text.lines().nth(line).unwrap_or("(nothing)");
        Some(format!(
            "{FILE}:{}: the tests now say something else; {cure}\n  now: {said}",
            line + 1
        ))
    }
}

/// The message without what changes from run to run (every lab has a port of its own) or from month
/// to month (model ids belong to the catalogue alone).
fn lasting(message: &str) -> String {
    let message = blanked(message, "127.0.0.1:", "PORT", |c| c.is_ascii_digit());
    let of_an_id = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
    blanked(&message, "anthropic.claude-", "MODEL", of_an_id)
}

/// The text with `word` in place of the characters that belong together behind each `mark`.
fn blanked(text: &str, mark: &str, word: &str, belongs: impl Fn(char) -> bool) -> String {
    let mut parts = text.split(mark);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(mark);
        out.push_str(word);
        out.push_str(part.trim_start_matches(&belongs));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_left_out() {
        let id = ["us.anthropic.claude-", "tiny-1-20260101-v1:0"].concat();
        assert_eq!(
            lasting(&format!("http://127.0.0.1:4566/x asked {id} twice")),
            "http://127.0.0.1:PORT/x asked us.anthropic.claude-MODEL twice"
        );
        assert_eq!(lasting("no address"), "no address");
    }
}
