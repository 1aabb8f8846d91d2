//! The course map: its picture with the student's progress in it, and the same as a list.

use std::fmt::Write as _;

use workshop_course::{Course, Exercise, map_node};
use workshop_runner::{Progress, progress::State as Reached};

use super::exercises;

/// A track of the list.
pub struct Track {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its exercises.
    pub stops: Vec<Stop>,
}

/// An exercise of the list.
pub struct Stop {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its address.
    pub href: String,
    /// How far it is: as a class, as a sign in its box, in words.
    pub class: &'static str,
    sign: &'static str,
    /// In words.
    pub word: &'static str,
    /// Minutes.
    pub minutes: u32,
    /// Whether it belongs to the core.
    pub core: bool,
    /// Ids and addresses of those it builds on.
    pub requires: Vec<(String, String)>,
}

/// The course by its tracks.
pub fn tracks(course: &Course, progress: &Progress) -> Vec<Track> {
    let stops = |track: &str| {
        let within = course.exercises.iter().filter(|e| e.track == track);
        within.map(|e| stop(course, e, progress)).collect()
    };
    let tracks = course.tracks.iter();
    tracks
        .map(|track| Track {
            id: track.id.to_uppercase(),
            title: track.title.clone(),
            stops: stops(&track.id),
        })
        .collect()
}

fn stop(course: &Course, exercise: &Exercise, progress: &Progress) -> Stop {
    let entry = progress.exercises.get(&exercise.id);
    let skipped = entry.is_some_and(|e| e.skipped_at.is_some());
    let (class, sign, word) = match progress.state(&exercise.id) {
        Reached::Solved => ("ok", "✓ ", "solved"),
        _ if skipped => ("skipped", "↷ ", "skipped"),
        Reached::Started => ("now", "… ", "tried"),
        Reached::New => ("", "", "not started"),
    };
    let requires = exercise.requires.iter();
    let requires = requires.filter_map(|id| course.exercise(id));
    Stop {
        id: exercise.id.clone(),
        title: exercise.title.clone(),
        href: exercises::address(exercise),
        class,
        sign,
        word,
        minutes: exercise.minutes,
        core: exercise.core,
        requires: requires
            .map(|e| (e.id.clone(), exercises::address(e)))
            .collect(),
    }
}

/// The page's text with the map's boxes as links, each with the class and the sign of its exercise.
pub fn drawn(html: &str, tracks: &[Track]) -> String {
    // What an image holds cannot be reached with the keyboard.
    let mut html = html.replacen(" role=\"img\"", " role=\"group\"", 1);
    for stop in tracks.iter().flat_map(|track| &track.stops) {
        let start = format!("<g class=\"node\" data-node=\"{}\"", map_node(&stop.id));
        let Some((before, rest)) = html.split_once(&start) else {
            continue;
        };
        let Some(end) = end_of_group(rest) else {
            continue;
        };
        let id = format!(">{}<", stop.id);
        // The words of a box are its link's name; without the spaces its lines would be one word.
        let inside = rest[..end]
            .replacen(&id, &format!(">{}{}<", stop.sign, stop.id), 1)
            .replace("</tspan><tspan", "</tspan> <tspan");
        let mut with = String::with_capacity(html.len() + 160);
        let _ = write!(
            with,
            "{before}<a href=\"{}\" class=\"box {}\">{start}{inside}</a>{}",
            stop.href,
            stop.class,
            &rest[end..],
        );
        html = with;
    }
    html
}

/// Where a `<g …>` ends whose name and attributes `rest` is the rest of.
fn end_of_group(rest: &str) -> Option<usize> {
    let mut depth = 1_usize;
    let mut at = 0;
    while depth > 0 {
        let tag = at + rest[at..].find('<')?;
        let name = &rest[tag..];
        if name.starts_with("</g>") {
            depth -= 1;
        } else if name.starts_with("<g ") || name.starts_with("<g>") {
            depth += 1;
        }
        at = tag + name.find('>')? + 1;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_becomes_a_link_and_the_rest_stays() {
        let stop = Stop {
            id: "012".to_owned(),
            title: "Queue".to_owned(),
            href: "/exercises/012-queue".to_owned(),
            class: "ok",
            sign: "✓ ",
            word: "solved",
            minutes: 40,
            core: true,
            requires: Vec::new(),
        };
        let track = Track {
            id: "C".to_owned(),
            title: String::new(),
            stops: vec![stop],
        };
        let svg = "<svg role=\"img\"><g class=\"node\" data-node=\"E012\" transform=\"x\">\n<rect/><g><text><tspan>012</tspan><tspan>Queue</tspan></text></g>\n</g><g class=\"node\" data-node=\"E013\"><text>013</text></g></svg>";
        assert_eq!(
            drawn(svg, &[track]),
            "<svg role=\"group\"><a href=\"/exercises/012-queue\" class=\"box ok\"><g class=\"node\" data-node=\"E012\" transform=\"x\">\n<rect/><g><text><tspan>✓ 012</tspan> <tspan>Queue</tspan></text></g>\n</g></a><g class=\"node\" data-node=\"E013\"><text>013</text></g></svg>"
        );
    }

    #[test]
    fn a_group_that_does_not_end_has_no_end() {
        for rest in ["", ">", " x=\"1\"><g></g>", "><", "><g"] {
            assert_eq!(end_of_group(rest), None, "{rest}");
        }
    }
}
