//! Every row of the catalogue of Bedrock's errors, numbered as there: what is sent, and the whole
//! refusal. What another file proves is listed with the test that does.
//!
//! Two things are counted at the end: no row, no rule and no fixed refusal may be missing.

use std::collections::BTreeSet;

use bedrock_emulator::{
    Emulator, Reply,
    refusal::Refusal,
    rules::{By, Rule, Surface, rules},
    script::{Fault, Step},
};
use serde_json::{Value, json};
use time::Date;

use crate::bench::{base, call, header, now, open, post, profile, text, with};

mod blocks;
mod circumstances;
mod limits;
mod requests;
mod shapes;
mod turns;

use requests::{merge, messages, messages_with, say, say_turns, say_with, tool_spec};

const PREFIX: &str = "The model returned the following errors: ";

/// Who answers, as the error's namespace and the body's only key tell.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Bedrock,
    FrontDoor,
}

/// What proves a row.
enum Proof {
    /// This request, sent to every operation that takes it.
    Sent {
        emulator: Box<Emulator>,
        model: String,
        actions: &'static [&'static str],
        body: String,
    },
    /// A test elsewhere in this folder: file and function.
    Elsewhere(&'static str, &'static str),
    /// Nothing can: why.
    Nothing(&'static str),
}

struct Row {
    /// Of the collected errors.
    number: Option<u8>,
    /// The rule or fixed refusal that it proves.
    proves: &'static str,
    proof: Proof,
    status: u16,
    code: &'static str,
    side: Side,
    message: String,
    /// The recorded `Content-Length`.
    length: Option<usize>,
}

const CONVERSE: &[&str] = &["converse", "converse-stream"];
const INVOKE: &[&str] = &["invoke", "invoke-with-response-stream"];

/// The models that the rows need, by what is special about them.
struct World {
    emulator: Emulator,
    /// Sonnet 4.5: thinks by budget, one sampling parameter, takes a prefill.
    current: String,
    /// Opus 5: no sampling, no prefill, thinks adaptively.
    newest: String,
    /// Sonnet 5.5: forced tools are refused.
    unforced: String,
    /// Sonnet 4: has the strict context limit.
    strict_context: String,
    /// Claude 3 Haiku: strict roles, no caching, no thinking.
    old: String,
    /// Claude 3.5 Haiku, which ended in 2026-06.
    ended: String,
    /// Claude 2.0: text only.
    ancient: String,
    /// Claude 3 Sonnet, and its provider's id.
    three: (String, String),
}

impl World {
    fn new() -> Self {
        let emulator = open();
        let three = base(&emulator, "Claude 3 Sonnet");
        let provider_id = emulator
            .catalogue()
            .model(&three)
            .unwrap()
            .provider_id
            .clone();
        Self {
            current: profile(&emulator, "sonnet"),
            newest: format!("us.{}", base(&emulator, "Claude Opus 5")),
            unforced: format!("us.{}", base(&emulator, "Claude Sonnet 5.5")),
            strict_context: format!("us.{}", base(&emulator, "Claude Sonnet 4")),
            old: base(&emulator, "Claude 3 Haiku"),
            ended: base(&emulator, "Claude 3.5 Haiku"),
            ancient: base(&emulator, "Claude 2.0"),
            three: (three, provider_id),
            emulator,
        }
    }
}

/// A day in early 2025, when the old models still answered.
fn then() -> Emulator {
    with(|c| c.today = Date::from_ordinal_date(2025, 40).ok())
}

/// An emulator whose model of that name has one more peculiarity, of models that the catalogue lacks.
fn peculiar(name: &str, change: impl FnOnce(&mut bedrock_emulator::catalogue::Model)) -> Emulator {
    let plain = open();
    let mut catalogue = plain.catalogue().clone();
    let model = catalogue
        .models
        .iter_mut()
        .find(|m| m.name == name)
        .unwrap();
    change(model);
    Emulator::with_catalogue(plain.config().clone(), catalogue).unwrap()
}

fn row(
    number: impl Into<Option<u8>>,
    proves: &'static str,
    (emulator, model, actions): (Emulator, &str, &'static [&'static str]),
    body: &Value,
    message: impl Into<String>,
) -> Row {
    Row {
        number: number.into(),
        proves,
        proof: Proof::Sent {
            emulator: Box::new(emulator),
            model: model.to_owned(),
            actions,
            body: body.to_string(),
        },
        status: 400,
        code: "ValidationException",
        side: Side::Bedrock,
        message: message.into(),
        length: None,
    }
}

impl Row {
    fn answered(mut self, status: u16, code: &'static str) -> Self {
        (self.status, self.code) = (status, code);
        self
    }

    fn long(mut self, length: usize) -> Self {
        self.length = Some(length);
        self
    }
}

fn elsewhere(number: u8, file: &'static str, function: &'static str) -> Row {
    Row {
        number: Some(number),
        proves: "",
        proof: Proof::Elsewhere(file, function),
        status: 0,
        code: "",
        side: Side::FrontDoor,
        message: String::new(),
        length: None,
    }
}

fn count(body: &Value) -> Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    json!({"input": {"invokeModel": {"body": STANDARD.encode(body.to_string())}}})
}

fn table() -> Vec<Row> {
    let world = World::new();
    let mut rows = circumstances::about_models(&world);
    rows.extend(circumstances::about_callers());
    rows.extend(shapes::about_json(&world));
    rows.extend(limits::about_sampling(&world));
    rows.extend(turns::about_turns(&world));
    rows.extend(blocks::about_blocks(&world));
    rows.extend(blocks::about_tools(&world));
    rows.extend(blocks::about_thinking(&world));
    rows.extend(circumstances::about_circumstances());
    rows
}

#[test]
fn every_row_is_refused_as_it_says() {
    let mut wrong = Vec::new();
    for row in table() {
        match &row.proof {
            Proof::Sent {
                emulator,
                model,
                actions,
                body,
            } => {
                for action in *actions {
                    let reply = emulator.handle(&post(model, action, body.clone()), now());
                    wrong.extend(check(&row, action, body, &reply));
                }
            }
            Proof::Elsewhere(file, function) => {
                let source = match *file {
                    "api_keys.rs" => include_str!("api_keys.rs"),
                    "authentication.rs" => include_str!("authentication.rs"),
                    "catalogue.rs" => include_str!("catalogue.rs"),
                    "decisions.rs" => include_str!("decisions.rs"),
                    "permissions.rs" => include_str!("permissions.rs"),
                    other => panic!("{other}"),
                };
                assert!(
                    source.contains(&format!("fn {function}(")),
                    "{file}: {function}"
                );
            }
            Proof::Nothing(why) => assert!(!why.is_empty()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not as the row says.
fn check(row: &Row, action: &str, sent: &str, reply: &Reply) -> Option<String> {
    let (key, namespace) = match row.side {
        Side::Bedrock => ("message", "com.amazon.bedrock"),
        Side::FrontDoor => ("Message", "com.amazon.coral.service"),
    };
    let namespace = format!("http://internal.amazon.com/coral/{namespace}/");
    let code = format!("{}:{namespace}", row.code);
    let said = (
        reply.status,
        header(reply, "x-amzn-ErrorType").unwrap_or_default(),
        String::from_utf8_lossy(&reply.body.bytes()).into_owned(),
    );
    let body = json!({ key: row.message }).to_string();
    let length = row.length.unwrap_or(body.len());
    let wanted = (row.status, code.as_str(), body);
    if said == wanted && said.2.len() == length {
        return None;
    }
    let short: String = sent.chars().take(300).collect();
    let (number, proves) = (row.number, row.proves);
    Some(format!(
        "row {number:?} {proves} on {action}: {short}\n  {said:?}\n  {wanted:?}"
    ))
}

#[test]
fn no_row_no_rule_and_no_refusal_is_missing() {
    let table = table();
    let rows: BTreeSet<u8> = table.iter().filter_map(|row| row.number).collect();
    assert_eq!(rows, (1..=65).collect());
    let proved: BTreeSet<&str> = table.iter().map(|row| row.proves).collect();
    for rule in rules() {
        assert!(proved.contains(rule.name), "no row proves {}", rule.name);
        let same_number = |row: &&Row| row.proves == rule.name && row.number == rule.row;
        assert!(
            table.iter().any(|row| same_number(&row)),
            "{}: {:?}",
            rule.name,
            rule.row
        );
    }
    for refusal in Refusal::ALL {
        assert!(
            proved.contains(refusal.name()),
            "no row proves {}",
            refusal.name()
        );
    }
}

/// A rule that both APIs share and that the model complains about is bare on one and prefixed on
/// the other; Bedrock's own words have no prefix.
#[test]
fn rules_speak_for_who_complains() {
    let bedrock = |rule: &&Rule| rule.by == By::Bedrock;
    for rule in rules().filter(bedrock) {
        let shared = rule.surface != Some(Surface::Messages);
        assert!(shared, "{}: Bedrock checks no Messages body", rule.name);
    }
    for row in table() {
        let Some(rule) = rules().find(|rule| rule.name == row.proves) else {
            continue;
        };
        let Proof::Sent { actions, .. } = row.proof else {
            continue;
        };
        let prefixed = rule.by == By::Model && actions[0].starts_with("converse");
        assert_eq!(row.message.starts_with(PREFIX), prefixed, "{}", rule.name);
    }
}
