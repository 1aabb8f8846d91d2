//! The document and the table of operations say the same.

use std::collections::BTreeSet;

use serde_json::Value;

use super::DOCUMENT;
use crate::{service::Route, workshop::OPERATIONS};

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// Method, path and operation id of everything described.
fn described(document: &Value) -> BTreeSet<(String, String, String)> {
    let mut all = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            all.insert((method.to_uppercase(), path.clone(), id.to_owned()));
        }
    }
    all
}

#[test]
fn every_operation_is_described_and_nothing_else() {
    let answered = OPERATIONS.iter().map(|operation| match operation.route {
        Route::Rest(method, path) => (
            method.to_owned(),
            path.to_owned(),
            operation.name.to_owned(),
        ),
        _ => panic!("{} has no path", operation.name),
    });
    assert_eq!(described(&document()), answered.collect());
}

#[test]
fn labels_are_parameters_and_every_operation_has_an_answer() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        let labels: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        for (method, operation) in item.as_object().unwrap() {
            let none = Vec::new();
            let parameters = operation["parameters"].as_array().unwrap_or(&none).iter();
            let named: BTreeSet<&str> = parameters
                .filter(|p| p["in"] == "path")
                .map(|p| p["name"].as_str().unwrap())
                .collect();
            assert_eq!(labels, named, "{method} {path}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.keys().any(|code| code.starts_with('2')),
                "{method} {path}"
            );
            assert!(
                !operation["summary"].as_str().unwrap().is_empty(),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|inner| walk(inner, found));
            }
            Value::Array(items) => items.iter().for_each(|inner| walk(inner, found)),
            _ => {}
        }
    }
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = Vec::new();
    walk(&document, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}
