//! `workshop bench-loop`: edit → verdict, beside plain `cargo test` on the same crate.

use std::time::Duration;

use workshop_runner::{BenchReport, bench_loop};

use crate::{cli, exit, source::Source};

pub(crate) fn run(args: &cli::BenchLoop, source: &Source) -> anyhow::Result<u8> {
    let course = source.course()?;
    let exercise = super::exercise(&course, &args.id)?;
    eprintln!(
        "Measuring on a copy of exercise {}, {} rounds; keep the machine idle.",
        exercise.id, args.rounds
    );
    let options = super::check::options(source)?;
    let rounds = usize::try_from(args.rounds)?;
    let found = bench_loop(source.workspace()?, &exercise.id, rounds, &options)?;
    if args.json {
        println!("{}", serde_json::to_string(&found)?);
    } else {
        print_table(&found);
    }
    Ok(exit::OK)
}

fn print_table(found: &BenchReport) {
    println!(
        "exercise {}, {} tests; medians of {} rounds taken side by side\n",
        found.exercise, found.tests, found.rounds
    );
    let base = found.cargo_test.as_secs_f64();
    let row = |name: &str, time: Duration| {
        let seconds = time.as_secs_f64();
        println!("  {name:<52} {seconds:>6.2} s   {:>5.2}x", seconds / base);
    };
    row("edit -> verdict, workshop check", found.edit_to_verdict);
    row("edit -> end, cargo test", found.cargo_test);
    row("edit -> end, cargo check", found.cargo_check);
    row("no edit, workshop check", found.no_edit);
    row("no edit, cargo alone", found.cargo_no_edit);
    println!(
        "\n  the copy's first check took {:.1} s",
        found.first.as_secs_f64()
    );
}
