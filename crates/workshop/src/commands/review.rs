//! `workshop review`: a few questions on what was learned, each asked again when it is about to be
//! forgotten.

use std::io::{self, BufRead, Write};

use time::{Date, OffsetDateTime};
use workshop_course::{Course, Recall};
use workshop_runner::{
    Progress, Workspace,
    progress::State,
    recall::{Remembered, choose},
};

use crate::{cli, exit, source::Source, style};

pub(crate) fn run(args: &cli::Review, source: &Source) -> anyhow::Result<u8> {
    let course = source.course()?;
    let workspace = source.workspace()?;
    let progress = Progress::load(workspace);
    let today = OffsetDateTime::now_utc().date();
    let questions = match &args.before {
        Some(id) => super::exercise(&course, id)?.recall.iter().collect(),
        None => due(&course, &progress, today, args.count),
    };
    if questions.is_empty() {
        println!("{}", nothing(&progress));
        return Ok(exit::OK);
    }
    let mut desk = Desk {
        input: io::stdin().lock(),
        output: io::stdout().lock(),
    };
    let mut right = 0;
    let mut asked = 0;
    for (n, recall) in questions.iter().enumerate() {
        let Some(is_right) = desk.ask(n + 1, questions.len(), recall)? else {
            break;
        };
        asked += 1;
        right += usize::from(is_right);
        remember(workspace, recall, is_right, today)?;
    }
    writeln!(desk.output, "{right} of {asked} right.")?;
    Ok(exit::OK)
}

/// Questions on exercises that are solved: of later exercises and of posts.
fn due<'c>(course: &'c Course, progress: &Progress, today: Date, count: usize) -> Vec<&'c Recall> {
    let exercises = course.exercises.iter().flat_map(|e| &e.recall);
    let posts = course.posts.iter().filter(|post| post.published);
    let posts = posts.flat_map(|post| &post.recall);
    let known = exercises
        .chain(posts)
        .filter(|recall| progress.state(&recall.from) == State::Solved);
    choose(
        known,
        |recall| progress.recall.get(&recall.question),
        today,
        count,
    )
}

fn nothing(progress: &Progress) -> &'static str {
    if progress.exercises.keys().any(|id| progress.solved(id)) {
        "Nothing is due today. Each question comes back after a day, three days, a week, and so on."
    } else {
        "Nothing to review yet: the questions are about exercises that you have solved."
    }
}

fn remember(
    workspace: &Workspace,
    recall: &Recall,
    right: bool,
    today: Date,
) -> anyhow::Result<()> {
    let notes = Progress::update(workspace, |progress| {
        let known = progress.recall.entry(recall.question.clone()).or_default();
        *known = Remembered::after(known, right, today);
    })?;
    for note in notes {
        eprintln!("{note}");
    }
    Ok(())
}

/// Where questions are put and answers come from.
struct Desk<I, O> {
    input: I,
    output: O,
}

impl<I: BufRead, O: Write> Desk<I, O> {
    /// Whether the answer was right; `None` when there was none: `q`, or the end of the input.
    fn ask(&mut self, n: usize, of: usize, recall: &Recall) -> io::Result<Option<bool>> {
        let about = match recall.from.as_str() {
            "" => String::new(),
            from => style::dim(&format!("  (exercise {from})")),
        };
        writeln!(self.output, "{n}/{of}{about}  {}", recall.question)?;
        for (letter, choice) in letters().zip(&recall.choices) {
            writeln!(self.output, "  {letter}) {choice}")?;
        }
        let answer = loop {
            write!(self.output, "> ")?;
            self.output.flush()?;
            let mut line = String::new();
            if self.input.read_line(&mut line)? == 0 {
                writeln!(self.output)?;
                return Ok(None);
            }
            match line.trim().to_lowercase().as_str() {
                "q" | "quit" => return Ok(None),
                said => {
                    if let Some(answer) = chosen(said, recall.choices.len()) {
                        break answer;
                    }
                    let last = letters().nth(recall.choices.len() - 1).unwrap_or('a');
                    writeln!(self.output, "One letter from a to {last}, or q to stop.")?;
                }
            }
        };
        let right = answer == recall.answer;
        if right {
            writeln!(self.output, "{}\n", style::green("Right."))?;
        } else {
            let letter = letters().nth(recall.answer).unwrap_or('a');
            let choice = recall.choices.get(recall.answer);
            let choice = choice.map_or("", String::as_str);
            let no = style::red("Not so.");
            writeln!(self.output, "{no} {letter}) {choice}\n")?;
        }
        Ok(Some(right))
    }
}

fn letters() -> impl Iterator<Item = char> {
    'a'..='z'
}

/// The choice meant by its letter or its number.
fn chosen(said: &str, choices: usize) -> Option<usize> {
    let number = said.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    let mut chars = said.chars();
    let letter = match (chars.next(), chars.next()) {
        (Some(c), None) => letters().position(|letter| letter == c),
        _ => None,
    };
    number.or(letter).filter(|n| *n < choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recall() -> Recall {
        Recall {
            question: "Who pays?".to_owned(),
            choices: vec!["You".to_owned(), "Nobody".to_owned()],
            answer: 1,
            from: "004".to_owned(),
        }
    }

    fn asked(input: &str) -> (Option<bool>, String) {
        let mut output = Vec::new();
        let mut desk = Desk {
            input: input.as_bytes(),
            output: &mut output,
        };
        let answer = desk.ask(1, 2, &recall()).unwrap();
        (answer, String::from_utf8(output).unwrap())
    }

    #[test]
    fn an_answer_is_a_letter_or_a_number() {
        for right in ["b\n", " B \n", "2\n"] {
            assert_eq!(asked(right).0, Some(true), "{right:?}");
        }
        assert_eq!(asked("a\n").0, Some(false));
        assert_eq!(asked("1\n").0, Some(false));
    }

    #[test]
    fn a_wrong_answer_is_told_the_right_one() {
        let (_, text) = asked("a\n");
        let wanted =
            "1/2  (exercise 004)  Who pays?\n  a) You\n  b) Nobody\n> Not so. b) Nobody\n\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn what_is_no_answer_is_asked_again_until_the_end() {
        let (answer, text) = asked("c\n0\nyes\n\nb\n");
        assert_eq!(answer, Some(true));
        assert_eq!(text.matches("One letter from a to b").count(), 4, "{text}");
        assert_eq!(asked("").0, None);
        assert_eq!(asked("q\n").0, None);
        assert_eq!(asked("nonsense").0, None);
    }
}
