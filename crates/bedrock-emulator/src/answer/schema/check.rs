//! The judge: whether a value is valid against a schema.

use serde_json::{Map, Value};

use super::{Unsatisfiable, merge::types, pattern::Pattern, referenced};

/// Deeper than any value this crate makes; beyond it a reference leads in a circle.
const DEEPEST: usize = 256;

/// Says which keyword refuses `value`, if any.
pub(super) fn check(root: &Value, value: &Value) -> Result<(), Unsatisfiable> {
    Judge { root }.check(root, value, "#", 0)
}

/// The same for a part of a schema.
pub(super) fn check_part(root: &Value, part: &Value, value: &Value) -> Result<(), Unsatisfiable> {
    Judge { root }.check(part, value, "#", 0)
}

struct Judge<'a> {
    root: &'a Value,
}

type Verdict = Result<(), Unsatisfiable>;

impl Judge<'_> {
    fn check(&self, schema: &Value, value: &Value, at: &str, depth: usize) -> Verdict {
        let keywords = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Object(keywords) => keywords,
            _ => return Err(Unsatisfiable::new(at, "the schema allows nothing")),
        };
        if depth > DEEPEST {
            return Err(Unsatisfiable::new(at, "references lead in a circle"));
        }
        for (key, rule) in keywords {
            let at = &format!("{at}/{key}");
            self.keyword(keywords, key, rule, value, at, depth + 1)?;
        }
        Ok(())
    }

    fn keyword(
        &self,
        keywords: &Map<String, Value>,
        key: &str,
        rule: &Value,
        value: &Value,
        at: &str,
        depth: usize,
    ) -> Verdict {
        let refuse = || {
            Err(Unsatisfiable::new(
                at,
                format!("{} is refused", shortened(value)),
            ))
        };
        let ensure = |ok: bool| if ok { Ok(()) } else { refuse() };
        let valid = |schema: &Value| self.check(schema, value, at, depth).is_ok();
        let branches = || rule.as_array().into_iter().flatten();
        match key {
            "$ref" => {
                let reference = rule.as_str().unwrap_or_default();
                match referenced(self.root, reference) {
                    Some(target) => self.check(target, value, reference, depth),
                    None => refuse(),
                }
            }
            "allOf" => branches().try_for_each(|part| self.check(part, value, at, depth)),
            "anyOf" => ensure(branches().any(valid)),
            "oneOf" => ensure(branches().filter(|part| valid(part)).count() == 1),
            "not" => ensure(!valid(rule)),
            "if" => {
                let next = if valid(rule) { "then" } else { "else" };
                keywords
                    .get(next)
                    .map_or(Ok(()), |next| self.check(next, value, at, depth))
            }
            "type" => ensure(types(rule).iter().any(|name| has_type(value, name))),
            "enum" => ensure(branches().any(|allowed| equal(allowed, value))),
            "const" => ensure(equal(rule, value)),
            _ => match value {
                Value::Number(number) => {
                    let number = number.as_f64().unwrap_or(f64::NAN);
                    ensure(number_allowed(key, rule, number))
                }
                Value::String(text) => ensure(string_allowed(key, rule, text)),
                Value::Array(items) => self.array(keywords, key, rule, items, at, depth),
                Value::Object(members) => self.object(keywords, key, rule, members, at, depth),
                _ => Ok(()),
            },
        }
    }

    fn array(
        &self,
        keywords: &Map<String, Value>,
        key: &str,
        rule: &Value,
        items: &[Value],
        at: &str,
        depth: usize,
    ) -> Verdict {
        let ensure = |ok: bool, reason: &str| {
            if ok {
                Ok(())
            } else {
                Err(Unsatisfiable::new(at, reason))
            }
        };
        let all = |schema: &Value, items: &[Value]| {
            items
                .iter()
                .try_for_each(|item| self.check(schema, item, at, depth))
        };
        match key {
            "prefixItems" => {
                let rules = rule.as_array().into_iter().flatten();
                rules
                    .zip(items)
                    .try_for_each(|(rule, item)| self.check(rule, item, at, depth))
            }
            "items" => {
                let prefix = keywords
                    .get("prefixItems")
                    .and_then(Value::as_array)
                    .map_or(0, Vec::len);
                all(rule, items.get(prefix..).unwrap_or_default())
            }
            "minItems" => ensure(at_least(items.len(), rule), "there are too few items"),
            "maxItems" => ensure(at_most(items.len(), rule), "there are too many items"),
            "uniqueItems" => ensure(
                *rule != Value::Bool(true)
                    || (1..items.len()).all(|n| !items[..n].iter().any(|i| equal(i, &items[n]))),
                "two items are equal",
            ),
            "contains" => {
                let found = items
                    .iter()
                    .filter(|i| self.check(rule, i, at, depth).is_ok())
                    .count();
                let least = keywords
                    .get("minContains")
                    .cloned()
                    .unwrap_or(Value::from(1));
                let most = keywords.get("maxContains");
                let fits = at_least(found, &least) && most.is_none_or(|most| at_most(found, most));
                ensure(fits, "the number of matching items does not fit")
            }
            _ => Ok(()),
        }
    }

    fn object(
        &self,
        keywords: &Map<String, Value>,
        key: &str,
        rule: &Value,
        members: &Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Verdict {
        let ensure = |ok: bool, reason: String| {
            if ok {
                Ok(())
            } else {
                Err(Unsatisfiable::new(at, reason))
            }
        };
        let rules = || rule.as_object().into_iter().flatten();
        let strings = |value: &Value| -> Vec<String> { types(value) };
        match key {
            "properties" => rules()
                .filter_map(|(name, schema)| Some((schema, members.get(name)?)))
                .try_for_each(|(schema, member)| self.check(schema, member, at, depth)),
            "patternProperties" => rules().try_for_each(|(pattern, schema)| {
                let matching = members
                    .iter()
                    .filter(|(name, _)| matches_pattern(pattern, name));
                matching
                    .map(|(_, member)| member)
                    .try_for_each(|m| self.check(schema, m, at, depth))
            }),
            "additionalProperties" => members
                .iter()
                .filter(|(name, _)| !is_named(keywords, name))
                .try_for_each(|(_, member)| self.check(rule, member, at, depth)),
            "propertyNames" => members
                .keys()
                .try_for_each(|name| self.check(rule, &Value::String(name.clone()), at, depth)),
            "required" => strings(rule).iter().try_for_each(|name| {
                ensure(members.contains_key(name), format!("`{name}` is missing"))
            }),
            "minProperties" => ensure(
                at_least(members.len(), rule),
                "there are too few properties".to_owned(),
            ),
            "maxProperties" => ensure(
                at_most(members.len(), rule),
                "there are too many properties".to_owned(),
            ),
            "dependentRequired" => rules()
                .filter(|(name, _)| members.contains_key(*name))
                .flat_map(|(_, needed)| strings(needed))
                .try_for_each(|name| {
                    ensure(members.contains_key(&name), format!("`{name}` is missing"))
                }),
            "dependentSchemas" => rules()
                .filter(|(name, _)| members.contains_key(*name))
                .try_for_each(|(_, schema)| {
                    self.check(schema, &Value::Object(members.clone()), at, depth)
                }),
            _ => Ok(()),
        }
    }
}

/// Whether `properties` or `patternProperties` speak about `name`.
pub(super) fn is_named(keywords: &Map<String, Value>, name: &str) -> bool {
    let has = |key: &str| keywords.get(key).and_then(Value::as_object);
    has("properties").is_some_and(|p| p.contains_key(name))
        || has("patternProperties").is_some_and(|p| p.keys().any(|p| matches_pattern(p, name)))
}

/// Whether `text` matches `pattern`; a pattern nobody here understands matches nothing.
pub(super) fn matches_pattern(pattern: &str, text: &str) -> bool {
    Pattern::parse(pattern).is_ok_and(|pattern| pattern.matches(text))
}

fn number_allowed(key: &str, rule: &Value, number: f64) -> bool {
    let Some(rule) = rule.as_f64() else {
        return true;
    };
    match key {
        "minimum" => number >= rule,
        "exclusiveMinimum" => number > rule,
        "maximum" => number <= rule,
        "exclusiveMaximum" => number < rule,
        "multipleOf" => {
            let times = number / rule;
            (times - times.round()).abs() <= 1e-9 * times.abs().max(1.0)
        }
        _ => true,
    }
}

fn string_allowed(key: &str, rule: &Value, text: &str) -> bool {
    match key {
        "minLength" => at_least(text.chars().count(), rule),
        "maxLength" => at_most(text.chars().count(), rule),
        "pattern" => rule
            .as_str()
            .is_none_or(|pattern| matches_pattern(pattern, text)),
        _ => true,
    }
}

fn at_least(length: usize, rule: &Value) -> bool {
    compared(length, rule, |length, rule| length >= rule)
}

fn at_most(length: usize, rule: &Value) -> bool {
    compared(length, rule, |length, rule| length <= rule)
}

fn compared(length: usize, rule: &Value, compare: fn(f64, f64) -> bool) -> bool {
    let length = u32::try_from(length).map_or(f64::INFINITY, f64::from);
    rule.as_f64().is_none_or(|rule| compare(length, rule))
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        _ => false,
    }
}

/// JSON equality: `1` and `1.0` are the same number.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            let same = |(key, x)| y.get(key).is_some_and(|y| equal(x, y));
            x.len() == y.len() && x.iter().all(same)
        }
        _ => a == b,
    }
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
