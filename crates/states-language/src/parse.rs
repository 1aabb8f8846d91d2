//! From text to a [`StateMachine`], or to everything that is wrong with the text.
//!
//! One reader ([`fields`]) notes what is missing, unknown or of the wrong type; this module and its
//! children say what there should be; [`graph`] looks at the whole. Nothing stops at the first finding.

mod fields;
mod graph;
mod rules;
mod state;

use serde_json::Value;

use crate::{
    diagnostic::{Code, Diagnostic},
    limits,
    machine::{Scope, ScopeId, StateMachine},
};
use fields::Fields;

/// More findings than this help nobody.
const FINDINGS: usize = 100;

pub(crate) fn definition(text: &str) -> Result<StateMachine, Vec<Diagnostic>> {
    let root = json(text).map_err(|found| vec![found])?;
    let mut parser = Parser::default();
    let mut fields = Fields::new(&root, String::new());
    let timeout_seconds = fields.integer("TimeoutSeconds", 1..=99_999_999, &mut parser.found);
    if let Some(version) = fields.text("Version", &mut parser.found)
        && version != "1.0"
    {
        parser.found.push(Diagnostic::schema(
            "/Version",
            "The field 'Version' should have one of these values: [1.0]",
        ));
    }
    parser.query_language(&mut fields);
    parser.scope(fields);
    if parser.found.is_empty() {
        return Ok(StateMachine {
            timeout_seconds,
            scopes: parser.scopes,
        });
    }
    parser.found.truncate(FINDINGS);
    Err(parser.found)
}

fn json(text: &str) -> Result<Value, Diagnostic> {
    let whole = |code, message: String| Diagnostic {
        code,
        message,
        location: None,
    };
    if text.trim().is_empty() {
        return Err(whole(
            Code::MissingDescription,
            "The definition is empty".to_owned(),
        ));
    }
    if text.len() > limits::DEFINITION_BYTES {
        return Err(whole(
            Code::SchemaValidationFailed,
            format!(
                "The definition has {} bytes, and at most {} are allowed",
                text.len(),
                limits::DEFINITION_BYTES
            ),
        ));
    }
    let value: Value = serde_json::from_str(text).map_err(|why| {
        // The form is recorded; the words of the parser are ours.
        let shown: String = text.chars().take(500).collect();
        let source = format!(
            "[Source: (String)\"{shown}\"; line: {}, column: {}]",
            why.line(),
            why.column()
        );
        Diagnostic::new(
            Code::InvalidJsonDescription,
            source.clone(),
            format!("{why}\n at {source}"),
        )
    })?;
    if value.is_object() {
        return Ok(value);
    }
    Err(whole(
        Code::SchemaValidationFailed,
        "Definition must be a valid JSON object".to_owned(),
    ))
}

#[derive(Default)]
struct Parser {
    found: Vec<Diagnostic>,
    scopes: Vec<Scope>,
    /// Where each name stands: names are unique in the whole machine.
    names: std::collections::BTreeSet<String>,
}

impl Parser {
    /// `StartAt` and `States` of a machine, branch or item processor, whose other fields were read.
    fn scope(&mut self, mut fields: Fields<'_>) -> ScopeId {
        let id = self.scopes.len();
        self.scopes.push(Scope::default());
        fields.text("Comment", &mut self.found);
        // In the order in which AWS names them (recorded).
        fields.required(&["States", "StartAt"], &mut self.found);
        let start_at = fields.text("StartAt", &mut self.found);
        let states = fields.object("States", &mut self.found);
        let (at, states_at) = (fields.location(), fields.below("States"));
        fields.finish(&mut self.found);
        let Some(states) = states else { return id };
        if states.is_empty() {
            self.found
                .push(Diagnostic::schema(states_at, "Value cannot be empty"));
            return id;
        }
        let names: Vec<&str> = states.keys().map(String::as_str).collect();
        let mut graph = graph::Graph::new(&names, states_at.clone());
        let start = start_at.and_then(|name| {
            graph.target(name, &format!("{at}/StartAt"), "StartAt", &mut self.found)
        });
        let mut parsed = Vec::with_capacity(names.len());
        for (name, state) in states {
            let place = format!("{states_at}/{name}");
            self.name(name, &place);
            parsed.push(self.state(name, state, place, &mut graph));
        }
        graph.finish(start, &mut self.found);
        self.scopes[id] = Scope {
            start_at: start.unwrap_or(0),
            states: parsed.into_iter().flatten().collect(),
        };
        id
    }

    fn name(&mut self, name: &str, place: &str) {
        let chars = name.chars().count();
        if chars == 0 || chars > limits::STATE_NAME_CHARS {
            self.found.push(Diagnostic::new(
                Code::InvalidStateName,
                place,
                format!("A state's name has 1 to 80 characters, and this one has {chars}"),
            ));
        }
        if !self.names.insert(name.to_owned()) {
            self.found.push(Diagnostic::new(
                Code::DuplicateStateName,
                place,
                format!("Duplicate State name: {name}"),
            ));
        }
    }

    fn query_language(&mut self, fields: &mut Fields<'_>) {
        let place = fields.below("QueryLanguage");
        match fields.text("QueryLanguage", &mut self.found) {
            None | Some("JSONPath") => {}
            Some("JSONata") => self.unsupported(
                place,
                "the QueryLanguage 'JSONata'; write the paths and templates of JSONPath",
            ),
            Some(_) => self.found.push(Diagnostic::schema(
                place,
                "The field 'QueryLanguage' should have one of these values: [JSONPath, JSONata]",
            )),
        }
    }

    /// What AWS accepts and this interpreter does not.
    fn unsupported(&mut self, place: impl Into<String>, what: &str) {
        self.found.push(Diagnostic::schema(
            place,
            format!("Not supported here, though by AWS: {what}"),
        ));
    }
}
