//! `workshop check`: one exercise, one verdict.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Context as _, bail};
use bedrock_emulator::catalogue::Catalogue;
use workshop_course::{Course, Exercise, Real};
use workshop_runner::{
    BedrockLimits, CheckOptions, Outcome, Progress, Report, check_bedrock, guard,
};

use crate::{
    cli, exit, report, shutdown,
    source::{self, Source},
    style,
};

pub(crate) fn run(args: &cli::Check, source: &Source) -> anyhow::Result<u8> {
    let course = source.course()?;
    let exercise = chosen(args.id.as_deref(), &course, source)?;
    let found = match args.target {
        cli::Target::Emulator => check(exercise, source)?,
        cli::Target::Bedrock => {
            if !may_spend(exercise, args)? {
                println!("Nothing was sent.");
                return Ok(exit::NOT_SOLVED);
            }
            check_on_bedrock(exercise, source)?
        }
    };
    let Some(found) = found else {
        eprintln!("Stopped.");
        return Ok(exit::INTERRUPTED);
    };
    if args.json {
        println!("{}", serde_json::to_string(&found)?);
    } else {
        print!("{}", report::render(&found, exercise));
    }
    Ok(code(found.outcome))
}

/// The exit code of an outcome.
pub(crate) fn code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Solved => exit::OK,
        Outcome::NotSolved => exit::NOT_SOLVED,
        Outcome::DoesNotCompile => exit::DOES_NOT_COMPILE,
        Outcome::BrokenSetup => exit::BROKEN_SETUP,
    }
}

/// The exercise named, or the first one that is not solved.
pub(crate) fn chosen<'c>(
    id: Option<&str>,
    course: &'c Course,
    source: &Source,
) -> anyhow::Result<&'c Exercise> {
    if let Some(id) = id {
        return super::exercise(course, id);
    }
    let ids: Vec<&str> = course.exercises.iter().map(|e| e.id.as_str()).collect();
    let current = Progress::load(source.workspace()?).current(&ids);
    let id = current.context("all exercises are solved; name one to check it again")?;
    super::exercise(course, id)
}

fn check(exercise: &Exercise, source: &Source) -> anyhow::Result<Option<Report>> {
    let mut bar = report::Progress::default();
    let found = workshop_runner::check_with(
        source.workspace()?,
        &exercise.id,
        &CheckOptions {
            cancel: shutdown::cancel_token(),
            ..options(source)?
        },
        &mut |event| bar.show(event),
    );
    bar.clear();
    Ok(found)
}

/// How a student's check runs: under the guard, judged by the course built into this binary.
pub(crate) fn options(source: &Source) -> anyhow::Result<CheckOptions> {
    source.workspace()?;
    Ok(CheckOptions {
        guard: guard::this_program(),
        protected: workshop_runner::protected(&source::built_in()),
        color: style::colour(),
        ..CheckOptions::default()
    })
}

fn check_on_bedrock(exercise: &Exercise, source: &Source) -> anyhow::Result<Option<Report>> {
    let mut bar = report::Progress::default();
    let Real::Optional(limits) = exercise.real else {
        bail!("exercise {} runs on the emulator only", exercise.id);
    };
    let found = check_bedrock(
        source.workspace()?,
        &exercise.id,
        BedrockLimits::new(limits.max_calls, limits.max_tokens),
        &CheckOptions {
            cancel: shutdown::cancel_token(),
            ..options(source)?
        },
        &mut |event| bar.show(event),
    );
    bar.clear();
    Ok(found)
}

/// Says what will be called and what it costs at most, and asks.
fn may_spend(exercise: &Exercise, args: &cli::Check) -> anyhow::Result<bool> {
    let Real::Optional(limits) = exercise.real else {
        bail!(
            "exercise {} runs on the emulator only: what it tests cannot be provoked on real Bedrock",
            exercise.id
        );
    };
    let ceiling = ceiling_usd(limits.max_calls, limits.max_tokens)?;
    eprintln!(
        "Real Amazon Bedrock, with your AWS configuration:\n  \
         at most {} requests, at most {} output tokens each\n  \
         at most ${ceiling:.4} on the model the exercise uses (list prices of {}; yours may differ)",
        limits.max_calls,
        limits.max_tokens,
        Catalogue::built_in()?.as_of,
    );
    if args.yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!("nobody is here to say yes; add --yes to send these requests without asking");
    }
    eprint!("Send them? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Output tokens at the limit, and as many input tokens as the exercises' prompts can have.
fn ceiling_usd(calls: u32, max_tokens: u32) -> anyhow::Result<f64> {
    const INPUT_TOKENS_PER_CALL: u32 = 1_000;
    let catalogue = Catalogue::built_in()?;
    let haiku = catalogue
        .models
        .iter()
        .find(|m| m.alias.as_deref() == Some("haiku"))
        .context("models.toml has no model with the alias haiku")?;
    let micro_usd_per_call = f64::from(INPUT_TOKENS_PER_CALL) * f64::from(haiku.price.input)
        / 1_000.0
        + f64::from(max_tokens) * f64::from(haiku.price.output) / 1_000.0;
    Ok(f64::from(calls) * micro_usd_per_call / 1_000_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_grows_with_calls_and_tokens() {
        let one = ceiling_usd(1, 200).unwrap();
        assert!(one > 0.0 && one < 0.1, "{one}");
        assert!((ceiling_usd(3, 200).unwrap() - 3.0 * one).abs() < 1e-12);
        assert!(ceiling_usd(1, 400).unwrap() > one);
    }
}
