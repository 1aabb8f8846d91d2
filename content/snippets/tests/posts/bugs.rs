//! What find-the-bug pages show of their mistakes on the wire: each record is made by the mistaken call,
//! with the bytes that the snippet sends.

mod calls;
mod functions;
mod parse;
mod queue;
mod repeat;
mod services;

use std::{fmt::Write as _, fs, path::PathBuf};

use workshop_testkit::{Call, Fault, Step};

use crate::recorded::{Heard, clean, fold, short};

/// The snippet of a page.
fn snippet(path: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "bugs", path]
        .iter()
        .collect();
    fs::read_to_string(path).unwrap()
}

/// What stands in the snippet between the two.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).expect("the snippet has it");
    rest.split_once(end).expect("it ends").0
}

fn throttling() -> Step {
    Step::Fault(Fault::Throttling {
        retry_after_ms: None,
    })
}

/// A question and its answer without the headers that say nothing about the mistake.
fn exchange(heard: &Heard) -> String {
    let (sent, answered) = (heard.sent.lock().unwrap(), heard.answered.lock().unwrap());
    format!("{}\n{}", brief(&sent), brief(&answered))
}

fn brief(bytes: &[u8]) -> String {
    const TELLING: [&str; 3] = ["content-type", "x-amzn-errortype", "retry-after"];
    let text = clean(bytes);
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let mut lines = head.lines();
    let mut out = format!("{}\n", lines.next().unwrap_or_default());
    let mut telling = false;
    for line in lines {
        // A line that is further in goes on with the header above it.
        if !line.starts_with(' ') {
            let name = line.split(':').next().unwrap_or_default();
            telling = TELLING.contains(&name.to_ascii_lowercase().as_str());
        }
        if telling {
            let _ = writeln!(out, "{line}");
        }
    }
    format!("{out}\n{body}")
}

/// `Converse  429 ThrottlingException`, one line for each call.
fn journal(calls: &[Call]) -> String {
    let mut out = String::new();
    for call in calls {
        let error = call.error.as_deref().unwrap_or("OK");
        let line = format!("{:<16} {} {error}", call.operation, call.status);
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// Folded, and without the names of models.
fn told(text: &str) -> String {
    let text = short(text);
    text.lines().map(fold).collect()
}

fn answered(calls: &[Call]) -> usize {
    calls.iter().filter(|call| call.status == 200).count()
}
