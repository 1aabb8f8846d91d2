//! `workshop check`: one exercise, one verdict.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Context as _, bail};
use bedrock_emulator::catalogue::Catalogue;
use workshop_course::{Course, Exercise, Real, RealLimits};
use workshop_runner::{
    BedrockLimits, CheckOptions, Outcome, Progress, Report, check_bedrock, check_with, guard,
    live::Event,
};
use workshop_server::bedrock::{Aws, MODEL_VARIABLE, PROMPT_TOKENS};

use crate::{
    cli, exit, report, shutdown,
    source::{self, Source},
    style,
};

pub(crate) fn run(args: &cli::Check, source: &Source) -> anyhow::Result<u8> {
    let course = source.course()?;
    let exercise = chosen(args.id.as_deref(), &course, source)?;
    let found = match args.target {
        cli::Target::Emulator => check(exercise, None, source)?,
        cli::Target::Bedrock => {
            let limits = limits(exercise)?;
            if !may_spend(limits, args)? {
                println!("Nothing was sent.");
                return Ok(exit::NOT_SOLVED);
            }
            check(exercise, Some(limits), source)?
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
    Ok(code(&found))
}

/// The exit code of a report. Success against edited tests is practice, not success.
fn code(found: &Report) -> u8 {
    match found.outcome {
        Outcome::Solved if found.counts() => exit::OK,
        Outcome::Solved | Outcome::NotSolved => exit::NOT_SOLVED,
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

/// The report, against real Bedrock when there are limits for it; `None` when it was stopped.
fn check(
    exercise: &Exercise,
    real: Option<RealLimits>,
    source: &Source,
) -> anyhow::Result<Option<Report>> {
    let workspace = source.workspace()?;
    let options = CheckOptions {
        cancel: shutdown::cancel_token(),
        ..options(source)?
    };
    let mut bar = report::Progress::default();
    let mut show = |event: &Event| bar.show(event);
    let found = match real {
        None => check_with(workspace, &exercise.id, &options, &mut show),
        Some(limits) => {
            let limits = BedrockLimits::new(limits.max_calls, limits.max_tokens);
            check_bedrock(workspace, &exercise.id, limits, &options, &mut show)
        }
    };
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

fn limits(exercise: &Exercise) -> anyhow::Result<RealLimits> {
    match exercise.real {
        Real::Optional(limits) => Ok(limits),
        Real::No => bail!(
            "exercise {} runs on the emulator only: what it tests cannot be provoked on real Bedrock",
            exercise.id
        ),
    }
}

/// Says what will be called and what it costs at most, and asks.
fn may_spend(limits: RealLimits, args: &cli::Check) -> anyhow::Result<bool> {
    let aws = Aws::from_env();
    let ceiling = match aws.ceiling_micro_usd(limits) {
        Some(micro_usd) => {
            // Some thousands of micro-dollars: far below where f64 loses units.
            let usd = f64::from(u32::try_from(micro_usd).unwrap_or(u32::MAX)) / 1_000_000.0;
            format!("at most ${usd:.4} for prompts of up to {PROMPT_TOKENS} tokens")
        }
        None => format!("{MODEL_VARIABLE} names a model without a price in the catalogue"),
    };
    let requests = match limits.max_calls {
        1 => "one request".to_owned(),
        calls => format!("at most {calls} requests"),
    };
    eprintln!(
        "{}:\n  \
         {requests}, at most {} output tokens each; more are refused before they leave\n  \
         {ceiling} (list prices of {}; yours may differ)",
        aws.destination(),
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
