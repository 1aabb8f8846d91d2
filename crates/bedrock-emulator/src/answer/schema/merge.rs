//! Several schemas that must hold at once become one.

use serde_json::{Map, Value, json};

use super::{Unsatisfiable, referenced};

/// A schema without `$ref` and `allOf`: its plain keywords, and the choices still to be made.
#[derive(Debug, Clone, Default)]
pub(super) struct Flat {
    /// The keywords.
    pub(super) keywords: Map<String, Value>,
    /// Groups of alternatives (`anyOf`, `oneOf`, `if`/`then`/`else`); one of each must be taken.
    pub(super) choices: Vec<Choice>,
    /// How many references were followed.
    pub(super) references: usize,
}

/// Alternatives.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// The schemas to choose from.
    pub(super) branches: Vec<Value>,
    /// Whether exactly one may hold (`oneOf`).
    pub(super) exclusive: bool,
}

/// References that lead to references: more than this is a circle.
const LONGEST_CHAIN: usize = 32;

/// Keywords that are used up here.
const RESOLVED: [&str; 9] = [
    "$ref",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "then",
    "else",
    "$defs",
    "definitions",
];

/// Resolves references and joins all that must hold.
pub(super) fn flatten(root: &Value, schema: &Value, at: &str) -> Result<Flat, Unsatisfiable> {
    let mut flat = Flat::default();
    add(&mut flat, root, schema, at, 0)?;
    Ok(flat)
}

/// Adds one more schema that must hold.
pub(super) fn add(
    flat: &mut Flat,
    root: &Value,
    schema: &Value,
    at: &str,
    chain: usize,
) -> Result<(), Unsatisfiable> {
    if chain > LONGEST_CHAIN {
        return Err(Unsatisfiable::new(at, "references lead in a circle"));
    }
    let keywords = match schema {
        Value::Bool(true) => return Ok(()),
        Value::Object(keywords) => keywords,
        Value::Bool(false) => {
            return Err(Unsatisfiable::new(at, "the schema `false` allows nothing"));
        }
        _ => {
            return Err(Unsatisfiable::new(
                at,
                "a schema must be an object or a boolean",
            ));
        }
    };
    if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
        let target = referenced(root, reference).ok_or_else(|| {
            let reason = format!("`$ref` {reference} leads nowhere inside this schema");
            Unsatisfiable::new(at, reason)
        })?;
        flat.references += 1;
        add(flat, root, target, reference, chain + 1)?;
    }
    for (number, part) in array(keywords, "allOf").iter().enumerate() {
        add(flat, root, part, &format!("{at}/allOf/{number}"), chain + 1)?;
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(Value::Array(branches)) = keywords.get(key) {
            flat.choices.push(Choice {
                branches: branches.clone(),
                exclusive: key == "oneOf",
            });
        }
    }
    if let Some(condition) = keywords.get("if") {
        let branch = |key| keywords.get(key).cloned().unwrap_or(json!(true));
        let met = json!({ "allOf": [condition, branch("then")] });
        let not_met = json!({ "allOf": [{ "not": condition }, branch("else")] });
        flat.choices.push(Choice {
            branches: vec![met, not_met],
            exclusive: false,
        });
    }
    restrict_properties(flat, keywords);
    let plain = keywords
        .iter()
        .filter(|(key, _)| !RESOLVED.contains(&key.as_str()));
    for (key, value) in plain {
        let joined = match flat.keywords.get(key) {
            Some(old) => join(key, old, value, at)?,
            None => value.clone(),
        };
        flat.keywords.insert(key.clone(), joined);
    }
    Ok(())
}

fn array<'a>(keywords: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    keywords
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// `additionalProperties` speaks about the properties its own schema does not name, so before two
/// lists of properties become one, each one's rule is written into the other's list.
fn restrict_properties(flat: &mut Flat, new: &Map<String, Value>) {
    let rule = |of: &Map<String, Value>| {
        let rule = of
            .get("additionalProperties")
            .filter(|rule| **rule != json!(true));
        rule.filter(|_| !of.contains_key("patternProperties"))
            .cloned()
    };
    let names = |of: &Map<String, Value>| -> Vec<String> {
        let properties = of.get("properties").and_then(Value::as_object);
        properties
            .map(|p| p.keys().cloned().collect())
            .unwrap_or_default()
    };
    let (old_names, new_names) = (names(&flat.keywords), names(new));
    let mut also = Map::new();
    if let Some(rule) = rule(&flat.keywords) {
        let unknown = new_names.iter().filter(|name| !old_names.contains(name));
        also.extend(unknown.map(|name| (name.clone(), rule.clone())));
    }
    if let Some(rule) = rule(new) {
        let unknown = old_names.iter().filter(|name| !new_names.contains(name));
        also.extend(unknown.map(|name| (name.clone(), rule.clone())));
    }
    if also.is_empty() {
        return;
    }
    let old = flat
        .keywords
        .get("properties")
        .cloned()
        .unwrap_or_else(|| json!({}));
    flat.keywords.insert(
        "properties".to_owned(),
        both_maps(&old, &Value::Object(also)),
    );
}

/// Two values of one keyword as one that means both.
fn join(key: &str, old: &Value, new: &Value, at: &str) -> Result<Value, Unsatisfiable> {
    if old == new {
        return Ok(new.clone());
    }
    let conflict = || {
        let reason = format!("`{key}` cannot be both {old} and {new}");
        Unsatisfiable::new(at, reason)
    };
    Ok(match key {
        "type" => {
            let both = both_types(old, new);
            (!both.is_empty())
                .then(|| json!(both))
                .ok_or_else(conflict)?
        }
        "enum" => {
            let (old, new) = (old.as_array(), new.as_array());
            let both: Vec<&Value> = old
                .into_iter()
                .flatten()
                .filter(|v| new.is_some_and(|n| n.contains(v)))
                .collect();
            (!both.is_empty())
                .then(|| json!(both))
                .ok_or_else(conflict)?
        }
        "const" => return Err(conflict()),
        "required" => {
            let mut both = old.as_array().cloned().unwrap_or_default();
            both.extend(new.as_array().cloned().unwrap_or_default());
            Value::Array(both)
        }
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties"
        | "minContains" => stricter(old, new, f64::gt),
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties"
        | "maxContains" => stricter(old, new, f64::lt),
        "multipleOf" => common_multiple(old, new),
        "properties" | "patternProperties" | "dependentSchemas" => both_maps(old, new),
        "items" | "additionalProperties" | "contains" | "propertyNames" => both(old, new),
        "prefixItems" => both_lists(old, new),
        "not" => json!({ "anyOf": [old, new] }),
        // Whatever else: the later one counts, and the judge reads the schema as it was written.
        _ => new.clone(),
    })
}

fn stricter(old: &Value, new: &Value, is_stricter: fn(&f64, &f64) -> bool) -> Value {
    match (old.as_f64(), new.as_f64()) {
        (Some(a), Some(b)) if is_stricter(&a, &b) => old.clone(),
        _ => new.clone(),
    }
}

/// The types both allow; `number` and `integer` meet in `integer`.
fn both_types(old: &Value, new: &Value) -> Vec<String> {
    let (old, new) = (types(old), types(new));
    let integer = |types: &[String]| types.iter().any(|t| t == "integer" || t == "number");
    let mut both: Vec<String> = old.iter().filter(|t| new.contains(t)).cloned().collect();
    if integer(&old) && integer(&new) && !both.iter().any(|t| t == "number" || t == "integer") {
        both.push("integer".to_owned());
    }
    both
}

/// The keyword `type` as a list.
pub(super) fn types(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

fn common_multiple(old: &Value, new: &Value) -> Value {
    fn greatest_common_divisor(a: u64, b: u64) -> u64 {
        if b == 0 {
            a
        } else {
            greatest_common_divisor(b, a % b)
        }
    }
    match (old.as_u64(), new.as_u64()) {
        (Some(a), Some(b)) if a > 0 && b > 0 => {
            let common = (a / greatest_common_divisor(a, b)).checked_mul(b);
            common.map_or_else(|| new.clone(), |common| json!(common))
        }
        _ => stricter(old, new, f64::gt),
    }
}

fn both(old: &Value, new: &Value) -> Value {
    json!({ "allOf": [old, new] })
}

fn both_maps(old: &Value, new: &Value) -> Value {
    let mut joined = old.as_object().cloned().unwrap_or_default();
    for (key, value) in new.as_object().into_iter().flatten() {
        let value = joined
            .get(key)
            .map_or_else(|| value.clone(), |old| both(old, value));
        joined.insert(key.clone(), value);
    }
    Value::Object(joined)
}

fn both_lists(old: &Value, new: &Value) -> Value {
    let mut joined = old.as_array().cloned().unwrap_or_default();
    for (at, schema) in new.as_array().into_iter().flatten().enumerate() {
        match joined.get_mut(at) {
            Some(old) => *old = both(old, schema),
            None => joined.push(schema.clone()),
        }
    }
    Value::Array(joined)
}
