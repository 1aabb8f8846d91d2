//! Every value is judged by an independent implementation, the crate `jsonschema`.

use serde_json::{Value, json};

use super::{check::check, instance};
use crate::answer::rng::Rng;

fn judge(schema: &Value) -> jsonschema::Validator {
    let options = jsonschema::options().should_validate_formats(true);
    options
        .build(schema)
        .unwrap_or_else(|e| panic!("{e}: {schema}"))
}

/// Makes values of `schema` with several seeds and lets both judges look at them.
#[track_caller]
fn satisfiable(schema: &Value, prompt: &str) -> Vec<Value> {
    let judge = judge(schema);
    let made = (0..20).map(|seed| {
        let value = instance(seed, schema, prompt).unwrap_or_else(|e| panic!("{e}\n{schema}"));
        assert_eq!(
            instance(seed, schema, prompt).as_ref(),
            Ok(&value),
            "not deterministic"
        );
        let errors: Vec<String> = judge.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}\n{value}\n{schema}");
        value
    });
    made.collect()
}

#[test]
fn every_keyword_is_honoured() {
    for schema in [
        json!(true),
        json!({}),
        json!({ "type": "string" }),
        json!({ "type": ["string", "null"] }),
        json!({ "type": "string", "minLength": 30, "maxLength": 31 }),
        json!({ "type": "string", "maxLength": 0 }),
        json!({ "enum": ["a", 1, null, { "x": [] }] }),
        json!({ "enum": ["a", 1, null], "type": "integer" }),
        json!({ "const": { "a": [1, 2] } }),
        json!({ "type": "integer", "minimum": 3, "maximum": 3 }),
        json!({ "type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5 }),
        json!({ "type": "integer", "minimum": -7, "maximum": -2, "multipleOf": 3 }),
        json!({ "type": "integer", "minimum": 18_446_744_073_709_551_610_u64 }),
        json!({ "type": "integer", "maximum": -9_223_372_036_854_775_800_i64 }),
        json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }),
        json!({ "type": "number", "minimum": 0.1, "maximum": 0.2, "multipleOf": 0.05 }),
        json!({ "type": "number", "multipleOf": 0.01 }),
        json!({ "type": "number", "minimum": 1e30 }),
        json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 2, "maxItems": 2, "uniqueItems": true }),
        json!({ "type": "array", "items": { "enum": ["a", "b", "c"] }, "minItems": 3, "uniqueItems": true }),
        json!({ "type": "array", "items": { "type": "string" }, "minItems": 12, "uniqueItems": true }),
        json!({ "type": "array", "prefixItems": [{ "const": 1 }, { "type": "string" }], "items": false, "minItems": 2 }),
        json!({ "type": "array", "items": { "type": "integer" }, "contains": { "minimum": 50 }, "minContains": 2 }),
        json!({ "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"], "additionalProperties": false }),
        json!({ "required": ["b", "a"] }),
        json!({ "type": "object", "additionalProperties": { "type": "integer" }, "minProperties": 3, "maxProperties": 4 }),
        json!({ "type": "object", "propertyNames": { "pattern": "^[a-z]{3}$" }, "minProperties": 2 }),
        json!({ "type": "object", "patternProperties": { "^x-": { "type": "integer" } }, "additionalProperties": false, "minProperties": 1 }),
        json!({ "type": "object", "properties": { "a": {}, "b": {} }, "dependentRequired": { "a": ["b", "c"] } }),
        json!({ "anyOf": [{ "type": "string", "maxLength": 3 }, { "type": "integer" }] }),
        json!({ "oneOf": [{ "type": "integer", "multipleOf": 3 }, { "type": "integer", "multipleOf": 2 }] }),
        json!({ "type": "integer", "minimum": 0, "maximum": 9, "not": { "multipleOf": 2 } }),
        json!({ "allOf": [{ "type": "number", "minimum": 2 }, { "type": "integer", "maximum": 4 }, { "enum": [1, 3, 5] }] }),
        json!({ "allOf": [
            { "properties": { "a": { "type": "string" } }, "required": ["a"] },
            { "properties": { "a": { "maxLength": 2 }, "b": { "type": "null" } }, "required": ["b"] },
        ] }),
        json!({ "type": "object", "properties": { "kind": { "enum": ["x", "y"] } }, "required": ["kind"],
            "if": { "properties": { "kind": { "const": "x" } } },
            "then": { "required": ["size"], "properties": { "size": { "type": "integer" } } },
            "else": { "required": ["name"] } }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "type": "integer" } } }),
        json!({ "$ref": "#here", "$defs": { "a": { "$anchor": "here", "const": 5 } } }),
        json!({ "type": "string", "default": "tea", "examples": ["milk"] }),
    ] {
        satisfiable(&schema, "Weather in Paris for 3 days with \"rain\"?");
        satisfiable(&schema, "");
    }
}

#[test]
fn formats_and_patterns_are_honoured() {
    for format in [
        "date",
        "date-time",
        "time",
        "email",
        "uuid",
        "uri",
        "uri-reference",
        "ipv4",
        "ipv6",
        "hostname",
        "duration",
        "unknown-to-all",
    ] {
        let schema = json!({ "type": "string", "format": format });
        satisfiable(
            &schema,
            "mail ada@example.org on 2026-02-31 or 2026-02-11 at 999.1.1.1",
        );
    }
    for pattern in [
        "^[A-Z]{2}-\\d{4}$",
        "^(GET|POST) /[a-z/]+$",
        "x",
        "^.{20,}$",
        "^\\S+$",
    ] {
        satisfiable(
            &json!({ "type": "string", "pattern": pattern, "minLength": 1 }),
            "",
        );
    }
    satisfiable(
        &json!({ "type": "string", "pattern": "^a+$", "minLength": 60 }),
        "",
    );
    let day = json!({ "type": "string", "format": "date" });
    assert_eq!(
        instance(1, &day, "on 2026-02-11, please"),
        Ok(json!("2026-02-11"))
    );
}

#[test]
fn recursive_schemas_come_to_an_end() {
    for schema in [
        json!({ "$ref": "#/$defs/tree", "$defs": { "tree": { "type": "object", "required": ["name", "children"],
            "properties": { "name": { "type": "string" }, "children": { "type": "array", "items": { "$ref": "#/$defs/tree" } } } } } }),
        json!({ "type": "object", "properties": { "next": { "$ref": "#" } } }),
        json!({ "$defs": { "e": { "anyOf": [
            { "type": "object", "required": ["left", "right"], "properties": { "left": { "$ref": "#/$defs/e" }, "right": { "$ref": "#/$defs/e" } } },
            { "type": "integer" } ] } }, "$ref": "#/$defs/e" }),
        json!({ "type": "object", "required": ["a", "b", "c", "d"], "additionalProperties": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] } }),
    ] {
        satisfiable(&schema, "");
    }
}

#[test]
fn values_come_from_the_prompt_where_they_fit() {
    let weather = json!({
        "type": "object",
        "properties": {
            "city": { "type": "string" },
            "days": { "type": "integer", "minimum": 1, "maximum": 14 },
            "unit": { "type": "string", "enum": ["fahrenheit", "celsius"] },
        },
        "required": ["city", "days", "unit"],
    });
    for seed in 0..20 {
        let made = instance(
            seed,
            &weather,
            "What will the weather in Oslo be for 5 days, in Celsius?",
        );
        assert_eq!(
            made,
            Ok(json!({ "city": "Oslo", "days": 5, "unit": "celsius" }))
        );
    }
    // Forty is too much for `days`, so it is left where it is.
    let made = instance(1, &weather, "Weather in Oslo for 40 days").unwrap();
    assert_ne!(made["days"], 40);
}

#[test]
fn what_cannot_be_is_said_with_its_place() {
    for (schema, pointer, reason) in [
        (json!(false), "#", "allows nothing"),
        (json!(3), "#", "object or a boolean"),
        (
            json!({ "type": "integer", "minimum": 3, "maximum": 2 }),
            "#",
            "bounds",
        ),
        (
            json!({ "type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 4 }),
            "#",
            "bounds",
        ),
        (
            json!({ "type": "string", "minLength": 3, "maxLength": 2 }),
            "#",
            "minLength",
        ),
        (
            json!({ "type": "string", "pattern": "(?=a)" }),
            "#/pattern",
            "look-around",
        ),
        (
            json!({ "type": "string", "pattern": "^a$", "minLength": 2 }),
            "#/pattern",
            "length",
        ),
        (json!({ "type": "uuid" }), "#", "`uuid` is not a type"),
        (json!({ "enum": [] }), "#", "enum"),
        (
            json!({ "allOf": [{ "type": "string" }, { "type": "null" }] }),
            "#/allOf/1",
            "type",
        ),
        (json!({ "$ref": "#/$defs/no" }), "#", "leads nowhere"),
        (
            json!({ "$ref": "https://example.com/x" }),
            "#",
            "leads nowhere",
        ),
        (json!({ "$ref": "#" }), "#", "circle"),
        (
            json!({ "type": "object", "required": ["a"], "properties": { "a": { "$ref": "#" } } }),
            "#/properties/a",
            "without an end",
        ),
        (
            json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 3, "uniqueItems": true }),
            "#/items",
            "differs",
        ),
        (
            json!({ "type": "array", "minItems": 999_999_999 }),
            "#",
            "more than this generator",
        ),
        (
            json!({ "type": "object", "properties": { "a/b": false }, "required": ["a/b"] }),
            "#/properties/a~1b",
            "allows nothing",
        ),
        (json!({ "not": {} }), "#", "not"),
    ] {
        let error = instance(1, &schema, "").unwrap_err();
        assert!(error.pointer.starts_with(pointer), "{error}\n{schema}");
        assert!(error.reason.contains(reason), "{error}\n{schema}");
    }
}

/// A schema built so that something satisfies it.
fn random_schema(rng: &mut Rng, depth: usize) -> Value {
    let (low, wide) = (rng.below(50), rng.below(20));
    match rng.below(if depth == 0 { 8 } else { 14 }) {
        0 => json!({ "type": "integer", "minimum": low, "maximum": low + wide }),
        1 => json!({ "type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + 1 }),
        2 => json!({ "type": "string", "minLength": wide, "maxLength": wide + low }),
        3 => json!({ "enum": ["red", low, null, [wide]] }),
        4 => json!({ "type": ["null", "boolean"] }),
        5 => json!({ "type": "string", "pattern": format!("^[a-f]{{{}}}-(x|y)+$", wide + 1) }),
        6 => {
            json!({ "type": "string", "format": rng.pick(&["date", "email", "uuid", "uri", "ipv4", "time", "date-time"]) })
        }
        7 => json!({ "type": "integer", "multipleOf": wide + 1, "minimum": low }),
        8 => {
            json!({ "type": "array", "items": random_schema(rng, depth - 1), "minItems": wide % 4, "maxItems": 5 })
        }
        9 => json!({ "anyOf": [random_schema(rng, depth - 1), random_schema(rng, depth - 1)] }),
        10 => {
            let first =
                json!({ "properties": { "a": random_schema(rng, depth - 1) }, "required": ["a"] });
            let second =
                json!({ "properties": { "b": random_schema(rng, depth - 1) }, "type": "object" });
            json!({ "allOf": [first, second] })
        }
        11 => json!({ "oneOf": [
            { "type": "object", "properties": { "kind": { "const": "x" }, "v": random_schema(rng, depth - 1) }, "required": ["kind", "v"] },
            { "type": "object", "properties": { "kind": { "const": "y" } }, "required": ["kind"] },
        ] }),
        12 => {
            json!({ "type": "array", "prefixItems": [random_schema(rng, depth - 1), random_schema(rng, depth - 1)], "minItems": 2 })
        }
        _ => {
            let names = ["city", "days", "query", "a b", "x/y"];
            let chosen = &names[..rng.between(1, names.len())];
            let properties: serde_json::Map<String, Value> = chosen
                .iter()
                .map(|name| ((*name).to_owned(), random_schema(rng, depth - 1)))
                .collect();
            let required = &chosen[..rng.below(chosen.len() + 1)];
            json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
        }
    }
}

#[test]
fn random_schemas_are_satisfied() {
    let mut rng = Rng::new(11, "schemas");
    for round in 0..600 {
        let schema = random_schema(&mut rng, 3);
        let judge = judge(&schema);
        for prompt in [
            "",
            "Weather in Paris for 3 days, said \"Ada\" on 2026-01-02",
        ] {
            let value =
                instance(round, &schema, prompt).unwrap_or_else(|e| panic!("{e}\n{schema}"));
            assert!(judge.is_valid(&value), "{value}\n{schema}");
        }
    }
}

#[test]
fn our_judge_agrees_with_the_other_one() {
    let mut rng = Rng::new(12, "judges");
    for round in 0..400 {
        let (a, b) = (random_schema(&mut rng, 2), random_schema(&mut rng, 2));
        // A value of one schema against another: mostly refused, and both must say so.
        let value = instance(round, &a, "").unwrap();
        // Formats are annotations to our judge: the generator meets them by construction.
        let other = jsonschema::options()
            .should_validate_formats(false)
            .build(&b)
            .unwrap();
        assert_eq!(
            check(&b, &value).is_ok(),
            other.is_valid(&value),
            "{value}\n{b}"
        );
    }
}

#[test]
fn a_hopeless_schema_is_given_up_within_bounded_work() {
    let branch = json!({ "required": ["a", "b"], "additionalProperties": { "$ref": "#" }, "type": "object" });
    let schema = json!({ "anyOf": [branch, branch, branch] });
    assert!(instance(1, &schema, "").is_err());
    let wide: Vec<Value> = (0..50).map(|n| json!(format!("p{n}"))).collect();
    let item = json!({ "type": "array", "minItems": 50, "items": { "$ref": "#/$defs/o" } });
    let schema = json!({ "$ref": "#/$defs/o", "$defs": { "o": { "anyOf": [
        { "type": "object", "required": wide, "additionalProperties": item }, { "type": "array", "minItems": 40, "items": item }] } } });
    assert!(instance(1, &schema, "").is_err());
}
