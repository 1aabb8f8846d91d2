//! What every template makes of every state that it knows: one snapshot each.
//!
//! A snapshot is named after its template and the state (`home-left_off`), and lies in
//! `snapshots/templates/`. They show the fixture course, so that editing the real one alters none. What
//! differs from run to run (ports, folders, hashes) is replaced. After a change on purpose:
//! `INSTA_UPDATE=always cargo test -p workshop-server templates`, and read what changed.

mod doing;
mod emulator;
mod reading;
mod real;

use std::{collections::BTreeSet, fs, path::Path};

use axum::http::StatusCode;
use regex_lite::Regex;
use serde_json::{Value, json};

pub(crate) use self::real::with_limits;
use crate::support::{Answer, Site};

/// Holds one piece of HTML against the snapshot of that name.
fn shot(name: &str, html: &str) {
    insta::with_settings!({
        snapshot_path => "snapshots/templates", prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, settled(html));
    });
}

/// Without what differs from run to run.
fn settled(html: &str) -> String {
    let assets = workshop_server::assets::base();
    let mut text = html.replace(assets, "/assets/HASH");
    for (pattern, instead) in [
        (r"(127\.0\.0\.1|localhost):\d+", "$1:PORT"),
        (r#"data-live="[^"]*""#, r#"data-live="AT""#),
        (r"(/[^\s</]+)+/\.tmp[A-Za-z0-9]+", "/CHECKOUT"),
        (
            r#"name="version" value="[^"]+""#,
            r#"name="version" value="VERSION""#,
        ),
        (r#"data-version="[^"]+""#, r#"data-version="VERSION""#),
        (r"(\.workshop/backups/\d+/)[^/<]+", "${1}TIME"),
    ] {
        let pattern = Regex::new(pattern).unwrap();
        text = pattern.replace_all(&text, instead).into_owned();
    }
    text.trim_end().to_owned() + "\n"
}

/// What a page has of its own: all between the bar and the foot.
fn main_of(answer: &Answer) -> &str {
    between(answer.text(), "data-notice hidden></p>", "<footer class=")
}

/// From the first `start`, without it, to the next `end`.
fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, rest) = text
        .split_once(start)
        .unwrap_or_else(|| panic!("no {start} in {text}"));
    let (inside, _) = rest
        .split_once(end)
        .unwrap_or_else(|| panic!("no {end} in {rest}"));
    inside
}

/// From the first `start` to the end of the next `end`, both included.
fn element<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let inside = between(text, start, end);
    let from = text.find(start).unwrap();
    &text[from..from + start.len() + inside.len() + end.len()]
}

async fn page(site: &Site, path: &str) -> Answer {
    found(site.get(path).await, path)
}

async fn owners(site: &Site, path: &str) -> Answer {
    found(site.get_as_owner(path).await, path)
}

fn found(answer: Answer, path: &str) -> Answer {
    assert_eq!(answer.status, StatusCode::OK, "{path}");
    answer
}

/// Lets the site see these events of exercise 001, as the runner and its tests write them.
fn happen(site: &Site, events: impl IntoIterator<Item = Value>) {
    for mut event in events {
        event["exercise"] = json!("001");
        let event = serde_json::from_value(event).unwrap();
        site.state.hub().publish_event(&event);
    }
}

/// A moment of the fixture, some milliseconds after its runs begin.
fn at(ms: i64) -> i64 {
    1_760_000_000_000 + ms
}

fn folder_of(part: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(part)
}

fn names_in(folder: &str) -> BTreeSet<String> {
    let files = fs::read_dir(folder_of(folder)).unwrap().flatten();
    files
        .map(|file| file.file_name().into_string().unwrap())
        .collect()
}

#[test]
fn every_template_has_a_snapshot_and_every_snapshot_a_template() {
    let templates: BTreeSet<String> = names_in("templates")
        .iter()
        .map(|file| file.rsplit_once('.').unwrap().0.to_owned())
        .collect();
    let sources = names_in("tests/it/templates");
    let sources: String = sources
        .iter()
        .map(|file| fs::read_to_string(folder_of("tests/it/templates").join(file)).unwrap())
        .collect();
    let mut shown = BTreeSet::new();
    for file in names_in("tests/it/snapshots/templates") {
        let name = file.strip_suffix(".snap").unwrap_or_else(|| {
            panic!("{file} is no snapshot; a new one waits to be accepted");
        });
        assert!(
            sources.contains(&format!("\"{name}\"")),
            "no test makes {file} any more"
        );
        // `request-detail-denied` is of `request-detail`, not of `request`.
        let of = templates
            .iter()
            .filter(|template| {
                let state = name.strip_prefix(template.as_str());
                state.is_some_and(|state| state.is_empty() || state.starts_with('-'))
            })
            .max_by_key(|template| template.len());
        shown.insert(of.unwrap_or_else(|| panic!("{file} is of no template")));
    }
    let without: Vec<_> = templates.iter().filter(|t| !shown.contains(t)).collect();
    assert!(
        without.is_empty(),
        "templates without a snapshot: {without:?}; show them in tests/it/templates/"
    );
}

#[test]
fn what_differs_from_run_to_run_is_replaced() {
    let text = format!(
        "<a href=\"http://127.0.0.1:40123/x\"> {}/style.css <i data-live=\"1790-2\"> cat /tmp/.tmpAb12Cd/exercises",
        workshop_server::assets::base()
    );
    assert_eq!(
        settled(&text),
        "<a href=\"http://127.0.0.1:PORT/x\"> /assets/HASH/style.css <i data-live=\"AT\"> cat /CHECKOUT/exercises\n"
    );
}
