//! `workshop`: the command line of Bedrock Workshop.
//!
//! Composes the crates: finds the course ([`source`]), parses the command line ([`cli`]) and hands
//! over to one file per command ([`commands`]). Exit codes are in [`exit`].

mod cli;
mod commands;
mod emulator_config;
mod emulator_logs;
mod emulator_script;
mod exit;
mod local;
mod open_files;
mod report;
mod running;
mod shutdown;
mod source;
mod style;
mod tls;

use std::process::ExitCode;

use clap::Parser as _;
use cli::{Cli, Command};
use source::Source;
use workshop_runner::guard;

fn main() -> ExitCode {
    // Before clap: the guard's arguments end with a program's own, `--` and all.
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == guard::ARG) {
        guard::main(args);
    }
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{} {error:#}", style::red("error:"));
            ExitCode::from(exit::BROKEN_SETUP)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<u8> {
    let source = Source::find(cli.course.as_deref())?;
    let command = cli.command.unwrap_or_else(Cli::serve_by_default);
    match command {
        Command::Serve(args) => server()?.block_on(commands::serve::run(&args, source)),
        Command::Emulator(cli::EmulatorArgs {
            command: Some(cli::EmulatorCommand::Status(args)),
            ..
        }) => commands::status::run(&args, &source),
        Command::Emulator(args) => server()?.block_on(commands::emulator::run(&args, &source)),
        Command::Record(args) => commands::record::run(args),
        Command::Env(args) => commands::env::run(&args, &source),
        Command::List(args) => commands::list::run(&args, &source),
        Command::Start(args) => commands::start::run(&args, &source),
        Command::Check(args) => commands::check::run(&args, &source),
        Command::Watch(args) => commands::watch::run(&args, &source),
        Command::Hint(args) => commands::hint::run(&args, &source),
        Command::Solution(args) => commands::solution::run(&args, &source),
        Command::Explain(args) => commands::explain::run(&args, &source),
        Command::Diff(args) => commands::diff::run(&args, &source),
        Command::Review(args) => commands::review::run(&args, &source),
        Command::Skip(args) => commands::skip::run(&args, &source),
        Command::Checkpoint(args) => commands::checkpoint::run(&args, &source),
        Command::Reset(args) => commands::reset::run(&args, &source),
        Command::Verify(args) => commands::verify::run(&args, &source),
        Command::New(args) => commands::new::run(&args, &source),
        Command::Build(args) => runtime()?.block_on(commands::build::run(args, &source)),
        Command::Doctor(args) => runtime()?.block_on(commands::doctor::run(&args, &source)),
        Command::BenchLoop(args) => commands::bench_loop::run(&args, &source),
    }
}

/// A runtime for who serves many connections.
fn server() -> anyhow::Result<tokio::runtime::Runtime> {
    open_files::prepare();
    runtime()
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Runtime::new()?)
}
