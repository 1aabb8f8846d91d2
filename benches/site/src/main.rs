//! Measures the site: static pages beside nginx, the first page after a start, a thousand pages that
//! follow the live events, and `workshop build` of a thousand posts beside Zola or mdBook.
//!
//! `cargo build --release -p workshop && cargo run --release -p site-bench` prints the tables of
//! `benches/README.md`. What needs a program that is not installed says so and is left out.

mod export;
mod first_page;
mod listeners;
mod pages;
mod process;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measure the workshop's site.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    /// The `workshop` binary to measure; built with `cargo build --release -p workshop` beforehand.
    #[arg(long, default_value = "target/release/workshop")]
    workshop: PathBuf,
    /// The course whose pages are asked for: a checkout of this repository.
    #[arg(long, default_value = ".")]
    course: PathBuf,
    /// Measurements of each kind, taken in turns; the tables show medians.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each measurement of pages.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Part {
    /// Only static pages, beside nginx; wants nginx and wrk.
    Pages,
    /// Only the time from the start to the first page.
    FirstPage,
    /// Only pages that follow the live events.
    Listeners {
        /// How many pages.
        #[arg(long, default_value_t = 1_000)]
        listeners: usize,
        /// How many events.
        #[arg(long, default_value_t = 1_000)]
        events: usize,
    },
    /// Only `workshop build`, beside Zola or mdBook.
    Export {
        /// How many posts.
        #[arg(long, default_value_t = 1_000)]
        posts: usize,
    },
}

fn main() -> anyhow::Result<()> {
    let mut args = Args::parse();
    args.workshop = process::absolute(&args.workshop)?;
    args.course = process::absolute(&args.course)?;
    let wants = |part: fn(&Part) -> bool| args.part.as_ref().is_none_or(part);
    if wants(|p| matches!(p, Part::FirstPage)) {
        first_page::run(&args)?;
    }
    if wants(|p| matches!(p, Part::Pages)) {
        pages::run(&args)?;
    }
    if wants(|p| matches!(p, Part::Listeners { .. })) {
        let (listeners, events) = match args.part {
            Some(Part::Listeners { listeners, events }) => (listeners, events),
            _ => (1_000, 1_000),
        };
        listeners::run(listeners, events)?;
    }
    if wants(|p| matches!(p, Part::Export { .. })) {
        let posts = match args.part {
            Some(Part::Export { posts }) => posts,
            _ => 1_000,
        };
        export::run(&args, posts)?;
    }
    Ok(())
}

/// The one in the middle.
fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
