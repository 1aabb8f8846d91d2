//! What the reading pages offer around their texts.

use std::fs;

use crate::support::{Site, folder};

#[tokio::test]
async fn patterns_are_chains_that_lead_to_exercise_diagram_and_article() {
    let site = Site::new();
    let home = site.get("/").await;
    for part in [
        "Five patterns, from one call to a workflow",
        "<li class=\"you\">you</li><li class=\"br\">Bedrock</li>",
        "href=\"/diagrams/small\" aria-label=\"Diagram: Direct\"",
        "href=\"/posts/integration-patterns\" aria-label=\"Article: Direct\"",
        "2 exercises",
        "not running",
        "start <code>workshop serve</code> inside a checkout",
    ] {
        assert!(home.text().contains(part), "{part:?} in {}", home.text());
    }
}

#[tokio::test]
async fn the_course_map_is_filled_by_progress() {
    let folder = folder();
    let map = "# Course map\n\n```mermaid\nflowchart LR\n    E001 --> E002\n```\n";
    fs::write(folder.path().join("diagrams/course-map.md"), map).unwrap();
    let svg = "<svg role=\"img\" aria-labelledby=\"t\"><title id=\"t\">Map</title><g class=\"node\" data-node=\"E001\"><text>001</text></g><g class=\"node\" data-node=\"E002\"><text>002</text></g></svg>";
    let drawn = folder.path().join("diagrams/rendered/course-map-1.svg");
    fs::write(drawn, svg).unwrap();
    let state = folder.path().join(".workshop");
    fs::create_dir_all(&state).unwrap();
    let progress = r#"{"version": 1, "exercises": {"001": {"state": "solved"}}}"#;
    fs::write(state.join("progress.json"), progress).unwrap();

    let site = Site::in_folder(folder.path());
    let page = site.get("/diagrams/course-map").await;
    for part in [
        "<a href=\"/exercises/001-one-call\" class=\"box ok\" aria-label=\"001 One call, solved\">",
        "<text>✓ 001</text>",
        "<a href=\"/exercises/002-two-calls\" class=\"box \" aria-label=\"002 Two calls, not started\">",
        "<svg role=\"group\"",
        "builds on <a href=\"/exercises/001-one-call\">001</a>",
    ] {
        assert!(page.text().contains(part), "{part:?} in {}", page.text());
    }
    let other = site.get("/diagrams/small").await;
    assert!(!other.text().contains("class=\"box"));
    let home = site.get("/").await;
    assert!(home.text().contains("1 of 2 solved, about "));
    assert!(home.text().contains("href=\"/diagrams/course-map\""));
}

#[tokio::test]
async fn an_agenda_is_a_timetable_that_links_to_what_it_needs() {
    let folder = folder();
    let agendas = folder.path().join("content/agendas");
    fs::create_dir_all(&agendas).unwrap();
    let hour = "title = \"An hour\"\norder = 1\nsummary = \"Short.\"\npeople = \"Two.\"\nminutes = 60\nstart = \"09:45\"\nnotes = [\"Breathe.\"]\n\n[[block]]\nminutes = 20\ntitle = \"Do\"\nscreen = \"The <map>\"\nexercises = [\"001\"]\nlinks = [{ text = \"Picture\", to = \"/diagrams/small\" }]\n\n[[block]]\nminutes = 40\ntitle = \"Break\"\nrest = true\n";
    fs::write(agendas.join("an-hour.toml"), hour).unwrap();
    let site = Site::in_folder(folder.path());
    let list = site.get("/teach").await;
    assert!(list.text().contains("href=\"/teach/an-hour\""));
    let page = site.get("/teach/an-hour").await;
    for part in [
        "1 h, 20 min without the breaks",
        "<b>9:45</b><span>–10:05</span>",
        "<b>10:05</b><span>–10:45</span>",
        "href=\"/exercises/001-one-call\"",
        "href=\"/diagrams/small\"",
        "The &#60;map&#62;",
        "Breathe.",
    ] {
        assert!(page.text().contains(part), "{part:?} in {}", page.text());
    }
    assert_eq!(site.get("/teach/an-hours").await.status, 404);
    let near = site.get("/teach/an-hours").await;
    assert!(near.text().contains("Agenda: An hour"));
}
