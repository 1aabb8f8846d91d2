//! From the start of the program to its first page.

use std::time::{Duration, Instant};

use crate::{
    Args, median,
    process::{self, Server},
};

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    println!("The first page, in milliseconds from the start of the program\n");
    println!("| course | to the first whole page | of which after it said it was ready |");
    println!("|---|---|---|");
    let empty = tempfile::tempdir()?;
    let built_in = ("built into the binary", None);
    for (name, course) in [built_in, ("from its folder", Some(args.course.as_path()))] {
        let (mut all, mut last) = (Vec::new(), Vec::new());
        for _ in 0..=(args.rounds * 4) {
            let start = Instant::now();
            let server = Server::workshop(&args.workshop, course, empty.path())?;
            let ready = Instant::now();
            process::get(server.addr, "/", "identity")?;
            all.push(millis(start.elapsed()));
            last.push(millis(ready.elapsed()));
        }
        let (all, last) = (median(&all), median(&last));
        println!("| {name} | {all:.1} | {last:.1} |");
    }
    println!();
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
