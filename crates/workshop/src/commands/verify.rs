//! `workshop verify`: the author's proof.

use serde_json::json;
use workshop_runner::{
    VerifyEvent, VerifyOptions, VerifyReport, guard,
    live::Event,
    verify::{self, Repeats},
};

use crate::{cli, exit, report, shutdown, source::Source, style};

pub(crate) fn run(args: &cli::Verify, source: &Source) -> anyhow::Result<u8> {
    let course = source.course()?;
    let ids = args
        .ids
        .iter()
        .map(|name| Ok(super::exercise(&course, name)?.id.clone()))
        .collect::<anyhow::Result<_>>()?;
    let options = VerifyOptions {
        ids,
        guard: guard::this_program(),
        bless: args.bless,
        repeat: args.repeat,
        cancel: shutdown::cancel_token(),
        ..VerifyOptions::default()
    };
    let mut bar = report::Progress::default();
    let found = verify::verify(source.workspace()?, &options, &mut |event| match event {
        VerifyEvent::Building { done, total } => bar.show(&Event::Building {
            exercise: String::new(),
            done: *done,
            total: *total,
        }),
        VerifyEvent::Note(note) => {
            bar.clear();
            eprintln!("{note}");
        }
        VerifyEvent::Ran {
            exercise,
            file,
            ok,
            took,
        } => {
            bar.clear();
            if !args.json {
                let took = format!("{:.1} s", took.as_secs_f64());
                println!("  {} {exercise} {file}  {}", mark(*ok), style::dim(&took));
            }
        }
        VerifyEvent::InCompany { exercise, file, ok } => {
            bar.clear();
            if !args.json {
                println!("  {} {exercise} {file}, two copies at once", mark(*ok));
            }
        }
        VerifyEvent::Repeated {
            exercise,
            file,
            load,
            repeats,
        } => {
            bar.clear();
            let mark = mark(repeats.flakes == 0);
            if !args.json {
                println!("  {mark} {exercise} {file}, {} runs {load}", repeats.runs);
            }
        }
        _ => {}
    });
    bar.clear();
    let Some(found) = found else {
        eprintln!("Stopped.");
        return Ok(exit::INTERRUPTED);
    };
    if !args.json {
        print_table(&found);
    }
    if let Some(broken) = &found.broken {
        eprintln!("{} {broken}", style::red("error:"));
    }
    let totals = found.totals;
    if args.json {
        println!(
            "{}",
            json!({
                "exercises": totals.exercises,
                "starters_fail": totals.starters_fail,
                "solutions_pass": totals.solutions_pass,
                "wrong": totals.wrong,
                "wrong_dead": totals.wrong_dead,
                "failed": totals.failed,
                "rows": found.rows,
                "course": found.course,
                "sources": found.sources,
                "notes": found.notes,
                "seconds": found.elapsed.as_secs_f64(),
                "seconds_building": found.building.as_secs_f64(),
            })
        );
    }
    Ok(match (&found.broken, found.ok()) {
        (Some(_), _) => exit::BROKEN_SETUP,
        (None, true) => exit::OK,
        (None, false) => exit::NOT_SOLVED,
    })
}

fn mark(ok: bool) -> String {
    if ok {
        style::green("✓")
    } else {
        style::red("✗")
    }
}

fn print_table(found: &VerifyReport) {
    println!(
        "\n            starter  progress  solution  in other  two at  stays    wrong         slowest test"
    );
    println!(
        "  exercise  fails    shows     passes    labs too  once    offline  answers dead  (limit)"
    );
    for row in &found.rows {
        println!(
            "  {:<8}  {:<7}  {:<8}  {:<8}  {:<8}  {:<6}  {:<7}  {:>5} of {:<4}  {:>6} ms ({} s)",
            row.exercise,
            yes(row.starter_fails),
            yes(row.shows_progress),
            yes(row.solution_passes),
            yes(row.bears_trials),
            yes(row.bears_company),
            row.stays_on_the_machine.map_or("?", yes),
            row.wrong_dead,
            row.wrong,
            row.slowest_ms,
            row.may_take_ms / 1000,
        );
        if let Some(because) = &row.may_take_because {
            println!(
                "            {}",
                style::dim(&format!("a test may take longer here: {because}"))
            );
        }
        for problem in &row.problems {
            println!("      {} {problem}", style::red("✗"));
        }
    }
    if !found.sources.is_empty() {
        println!("\n  {}", found.sources);
    }
    for problem in &found.course {
        println!("  {} {problem}", style::red("✗"));
    }
    for note in &found.notes {
        println!("  {} {note}", style::red("!"));
    }
    let totals = found.totals;
    println!(
        "\n{} exercises: {} starters fail, {} solutions pass, {} of {} wrong answers dead, {} failed{}  ({:.1} s, of which {:.1} s building)",
        totals.exercises,
        totals.starters_fail,
        totals.solutions_pass,
        totals.wrong_dead,
        totals.wrong,
        totals.failed,
        if found.course.is_empty() {
            ""
        } else {
            ", and the course as a whole"
        },
        found.elapsed.as_secs_f64(),
        found.building.as_secs_f64(),
    );
    let mut repeats = Repeats::default();
    found.rows.iter().for_each(|row| repeats.add(row.repeats));
    if repeats.runs > 0 {
        println!(
            "{} more runs of the solutions: {} flakes",
            repeats.runs, repeats.flakes
        );
    }
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "NO" }
}
