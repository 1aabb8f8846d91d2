//! A method's models: JSON Schema draft 4, as API Gateway reads it.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value};

use super::{diagnostic::member, openapi::Document};

/// The validators of a request's body by media type, in lower case.
pub(super) fn models(
    document: &mut Document<'_>,
    operation: &Map<String, Value>,
    pointer: &str,
) -> BTreeMap<String, Validator> {
    let mut models = BTreeMap::new();
    let pointer = member(pointer, "requestBody");
    let Some(body) = operation.get("requestBody") else {
        return models;
    };
    // The document outlives the operation; the body may stand in `components`.
    let body = match body.get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            let place = reference.strip_prefix('#');
            place
                .and_then(|place| document.root.pointer(place))
                .unwrap_or(body)
        }
        None => body,
    };
    let content = body.get("content").and_then(Value::as_object);
    for (media_type, content) in content.into_iter().flatten() {
        let pointer = member(&member(&pointer, "content"), media_type);
        let Some(schema) = content.get("schema") else {
            continue;
        };
        let pointer = member(&pointer, "schema");
        refuse_unread(document, schema, &pointer, &mut BTreeSet::new());
        match compile(document.root, schema) {
            Ok(validator) => _ = models.insert(media_type.to_ascii_lowercase(), validator),
            Err(problem) => document.findings.add(
                &pointer,
                format!("no JSON schema: {problem}"),
                "write a schema of draft 4; references name #/components/schemas/…",
            ),
        }
    }
    models
}

fn compile(root: &Value, schema: &Value) -> Result<Validator, String> {
    let mut schema = schema.clone();
    let Some(members) = schema.as_object_mut() else {
        return Err("it is no object".to_owned());
    };
    // Beside the schema, so that its references find what they name.
    if let Some(components) = root.get("components") {
        members.insert("components".to_owned(), components.clone());
    }
    let options = jsonschema::options().with_draft(Draft::Draft4);
    options.build(&schema).map_err(|error| error.to_string())
}

/// What OpenAPI knows and API Gateway passes over (API Gateway, "Important notes for REST APIs").
fn refuse_unread(
    document: &mut Document<'_>,
    schema: &Value,
    pointer: &str,
    seen: &mut BTreeSet<String>,
) {
    let Some(members) = schema.as_object() else {
        return;
    };
    for (name, value) in members {
        let pointer = member(pointer, name);
        match name.as_str() {
            "nullable" | "discriminator" => document.findings.add(
                &pointer,
                format!("API Gateway does not support '{name}'"),
                "say it in JSON Schema draft 4, with oneOf",
            ),
            "properties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    refuse_unread(document, value, &member(&pointer, name), seen);
                }
            }
            "items" | "not" | "additionalProperties" => {
                refuse_unread(document, value, &pointer, seen);
            }
            "allOf" | "anyOf" | "oneOf" => {
                let list = value.as_array().into_iter().flatten().enumerate();
                for (index, value) in list {
                    refuse_unread(document, value, &format!("{pointer}/{index}"), seen);
                }
            }
            "$ref" => {
                let place = value
                    .as_str()
                    .and_then(|reference| reference.strip_prefix('#'));
                let Some(place) = place else { continue };
                let named = document.root.pointer(place);
                if let Some(named) = named
                    && seen.insert(place.to_owned())
                {
                    refuse_unread(document, named, place, seen);
                }
            }
            _ => {}
        }
    }
}
