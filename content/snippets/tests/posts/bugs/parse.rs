//! Snippets in a notation are what they seem to be, and the colours of the picture as hard to read as
//! its page says.

use std::fmt::Write as _;

use serde_json::Value;

use super::{between, snippet};
use crate::kept::kept;

#[test]
fn definitions_and_settings_parse() {
    let machine: Value =
        serde_json::from_str(&snippet("contract-review/contract-review.asl.json")).unwrap();
    assert_eq!(machine["StartAt"], "Split");
    let template: Value = serde_saphyr::from_str(&snippet("one-template/template.yaml")).unwrap();
    let resources = template["Resources"].as_object().unwrap();
    assert_eq!(resources.len(), 4);
    assert!(template["Resources"]["Jobs"]["Properties"].is_null());
    let models: Value = serde_saphyr::from_str(&snippet("team-models/models.yaml")).unwrap();
    for task in models["tasks"].as_object().unwrap().values() {
        assert!(task["id"].is_string() && task["max_tokens"].is_u64());
    }
}

/// WCAG's relative luminance of `#rrggbb`.
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn text_on_a_fill() {
    let picture = snippet("onboarding-picture/overview.mmd");
    let fill = between(&picture, "style CC fill:", "\n");
    let mut text = format!("on {fill}\n");
    for (what, colour) in [
        ("the default theme's text", "#333333"),
        ("white", "#ffffff"),
    ] {
        let _ = writeln!(
            text,
            "  {what:<26} {colour}   {:.2} : 1",
            contrast(fill, colour)
        );
    }
    assert!(contrast(fill, "#333333") < 4.5 && contrast(fill, "#ffffff") >= 4.5);
    kept("bugs/contrast.txt", &text);
}
