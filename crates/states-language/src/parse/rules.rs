//! The parts that states share: templates, choice rules, retriers, catchers.

use serde_json::Value;

use super::{Parser, fields::Fields, graph::Graph};
use crate::{
    choice::{self, Comparison, Is, Operand, Rule, Test, Wildcard},
    diagnostic::Diagnostic,
    failure::ALL,
    intrinsic::Expression,
    machine::StateId,
    path::{Path, ReferencePath},
    retry::{Catcher, Jitter, Retrier},
    template::{Template, TextSource},
};

impl Parser {
    pub(super) fn template(
        &mut self,
        fields: &mut Fields<'_>,
        name: &'static str,
    ) -> Option<Template> {
        let place = fields.below(name);
        fields.value(name).map(|value| self.payload(value, &place))
    }

    /// `place` is the template's own, also for what stands deep within (recorded).
    fn payload(&mut self, value: &Value, place: &str) -> Template {
        if !computes(value) {
            return Template::Literal(value.clone());
        }
        match value {
            Value::Object(members) => {
                let mut parts = Vec::with_capacity(members.len());
                for (name, value) in members {
                    let part = match name.strip_suffix(".$") {
                        Some(plain) => (plain.to_owned(), self.computed(name, value, place)),
                        None => (name.clone(), self.payload(value, place)),
                    };
                    parts.push(part);
                }
                Template::Object(parts)
            }
            Value::Array(items) => {
                Template::Array(items.iter().map(|item| self.payload(item, place)).collect())
            }
            other => Template::Literal(other.clone()),
        }
    }

    fn computed(&mut self, name: &str, value: &Value, place: &str) -> Template {
        let parsed = match value.as_str() {
            Some(text) => Expression::parse(text),
            None => Err("it is no string".to_owned()),
        };
        match parsed {
            Ok(expression) => Template::Computed(expression, name.to_owned()),
            Err(why) => {
                // Recorded up to the colon.
                self.found.push(Diagnostic::schema(
                    place,
                    format!(
                        "The value for the field '{name}' must be a valid JSONPath or a valid \
                         intrinsic function call: {why}"
                    ),
                ));
                Template::Literal(Value::Null)
            }
        }
    }

    /// `Error` or `ErrorPath`.
    pub(super) fn text_source(
        &mut self,
        fields: &mut Fields<'_>,
        fixed: &'static str,
        path: &'static str,
    ) -> Option<TextSource> {
        fields.only_one(&[fixed, path], &mut self.found);
        if let Some(text) = fields.text(fixed, &mut self.found) {
            return Some(TextSource::Fixed(text.to_owned()));
        }
        let text = fields.text(path, &mut self.found)?;
        let parsed = Expression::parse(text);
        let what = "a valid JSONPath or a valid intrinsic function call";
        fields
            .parsed(path, what, parsed, &mut self.found)
            .map(|expression| TextSource::Computed(expression, path))
    }

    pub(super) fn choices(
        &mut self,
        fields: &mut Fields<'_>,
        from: StateId,
        graph: &mut Graph<'_>,
    ) -> Vec<(Rule, StateId)> {
        let place = fields.below("Choices");
        let Some(list) = fields.list("Choices", &mut self.found) else {
            return Vec::new();
        };
        if list.is_empty() {
            self.found
                .push(Diagnostic::schema(place, "Value cannot be empty"));
            return Vec::new();
        }
        let mut choices = Vec::with_capacity(list.len());
        for (at, value) in list.iter().enumerate() {
            let mut rule = Fields::of(value, format!("{place}[{at}]"), &mut self.found);
            rule.required(&["Next"], &mut self.found);
            rule.text("Comment", &mut self.found);
            let next = self.target(&mut rule, "Next", from, graph);
            if rule.has("Assign") {
                self.variables(&mut rule);
            }
            let parsed = self.rule(rule);
            choices.extend(parsed.zip(next));
        }
        choices
    }

    /// A rule whose `Next` and `Comment` were read.
    fn rule(&mut self, mut fields: Fields<'_>) -> Option<Rule> {
        let place = fields.place();
        let given = |name: &str| fields.has(name);
        let rule = if given("And") || given("Or") || given("Not") {
            fields.only_one(&["And", "Or", "Not", "Variable"], &mut self.found);
            if let Some(rules) = self.nested(&mut fields, "And") {
                Some(Rule::And(rules))
            } else if let Some(rules) = self.nested(&mut fields, "Or") {
                Some(Rule::Or(rules))
            } else if let Some(value) = fields.value("Not") {
                let below = fields.below("Not");
                let inner = Fields::of(value, below, &mut self.found);
                self.rule(inner).map(|rule| Rule::Not(Box::new(rule)))
            } else {
                None
            }
        } else {
            fields.required(&["Variable"], &mut self.found);
            let variable = fields.path("Variable", &mut self.found);
            let test = self.test(&mut fields, &place);
            variable
                .zip(test)
                .map(|(path, test)| Rule::Test(path, test))
        };
        fields.finish(&mut self.found);
        rule
    }

    fn nested(&mut self, fields: &mut Fields<'_>, name: &'static str) -> Option<Vec<Rule>> {
        let place = fields.below(name);
        let list = fields.list(name, &mut self.found)?;
        if list.is_empty() {
            self.found
                .push(Diagnostic::schema(place.clone(), "Value cannot be empty"));
        }
        let mut rules = Vec::with_capacity(list.len());
        for (at, value) in list.iter().enumerate() {
            let mut inner = Fields::of(value, format!("{place}[{at}]"), &mut self.found);
            inner.text("Comment", &mut self.found);
            rules.extend(self.rule(inner));
        }
        Some(rules)
    }

    /// The one comparison of a rule.
    fn test(&mut self, fields: &mut Fields<'_>, place: &str) -> Option<Test> {
        let mut tests = Vec::new();
        for (name, value) in fields.members() {
            if let Some(test) = operator(name, value) {
                fields.known(name);
                tests.push((name, test));
            }
        }
        if tests.len() != 1 {
            self.found.push(Diagnostic::schema(
                place,
                format!(
                    "A choice rule has exactly one comparison operator, and this one has {}",
                    tests.len()
                ),
            ));
            return None;
        }
        let (name, test) = tests.pop()?;
        fields.parsed(
            name,
            "what the operator compares with",
            test,
            &mut self.found,
        )
    }

    pub(super) fn retry(&mut self, fields: &mut Fields<'_>) -> Vec<Retrier> {
        let place = fields.below("Retry");
        let list = fields.list("Retry", &mut self.found).unwrap_or_default();
        let mut retriers = Vec::with_capacity(list.len());
        for (at, value) in list.iter().enumerate() {
            let mut one = Fields::of(value, format!("{place}[{at}]"), &mut self.found);
            let error_equals = self.error_equals(&mut one, at + 1 == list.len());
            let found = &mut self.found;
            one.text("Comment", found);
            let jitter = match one.text("JitterStrategy", found) {
                None | Some("NONE") => Jitter::None,
                Some("FULL") => Jitter::Full,
                Some(_) => {
                    found.push(Diagnostic::schema(
                        one.below("JitterStrategy"),
                        "The field 'JitterStrategy' should have one of these values: [NONE, FULL]",
                    ));
                    Jitter::None
                }
            };
            let interval = one.integer("IntervalSeconds", 1..=99_999_999, found);
            let longest = one.integer("MaxDelaySeconds", 1..=31_622_400, found);
            retriers.push(Retrier {
                error_equals,
                interval_seconds: interval.unwrap_or(1),
                max_attempts: one
                    .integer("MaxAttempts", 0..=99_999_999, found)
                    .unwrap_or(3),
                backoff_rate: one.number("BackoffRate", 1.0, found).unwrap_or(2.0),
                max_delay_seconds: longest,
                jitter,
            });
            one.finish(found);
        }
        retriers
    }

    pub(super) fn catch(
        &mut self,
        fields: &mut Fields<'_>,
        from: StateId,
        graph: &mut Graph<'_>,
    ) -> Vec<Catcher> {
        let place = fields.below("Catch");
        let list = fields.list("Catch", &mut self.found).unwrap_or_default();
        let mut catchers = Vec::with_capacity(list.len());
        for (at, value) in list.iter().enumerate() {
            let mut one = Fields::of(value, format!("{place}[{at}]"), &mut self.found);
            one.required(&["Next"], &mut self.found);
            one.text("Comment", &mut self.found);
            let error_equals = self.error_equals(&mut one, at + 1 == list.len());
            let next = self.target(&mut one, "Next", from, graph);
            let result_path = one
                .nullable_reference_path("ResultPath", &mut self.found)
                .or(ReferencePath::whole());
            if one.has("Assign") {
                self.variables(&mut one);
            }
            one.finish(&mut self.found);
            catchers.extend(next.map(|next| Catcher {
                error_equals,
                result_path,
                next,
            }));
        }
        catchers
    }

    /// Names of errors. `States.ALL` stands alone and last (documented).
    fn error_equals(&mut self, fields: &mut Fields<'_>, ends_list: bool) -> Vec<String> {
        fields.required(&["ErrorEquals"], &mut self.found);
        let place = fields.below("ErrorEquals");
        let Some(list) = fields.list("ErrorEquals", &mut self.found) else {
            return Vec::new();
        };
        let names: Vec<String> = list
            .iter()
            .filter_map(|name| name.as_str().map(ToOwned::to_owned))
            .collect();
        let mut say = |message: &str| {
            self.found.push(Diagnostic::schema(place.clone(), message));
        };
        if names.len() < list.len() {
            say("The field 'ErrorEquals' must be an array of strings");
        }
        if list.is_empty() {
            say("Value cannot be empty");
        }
        if names.iter().any(|name| name == ALL) && (names.len() > 1 || !ends_list) {
            say("States.ALL must be the only error of its list, and its list the last one");
        }
        names
    }

    pub(super) fn target(
        &mut self,
        fields: &mut Fields<'_>,
        name: &'static str,
        from: StateId,
        graph: &mut Graph<'_>,
    ) -> Option<StateId> {
        let target = fields.text(name, &mut self.found)?;
        let to = graph.target(target, &fields.below(name), name, &mut self.found)?;
        graph.edge(from, to);
        Some(to)
    }

    pub(super) fn variables(&mut self, fields: &mut Fields<'_>) {
        fields.value("Assign");
        self.unsupported(fields.below("Assign"), "workflow variables; use ResultPath");
    }
}

/// Whether any member is computed.
fn computes(value: &Value) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.ends_with(".$") || computes(value)),
        Value::Array(items) => items.iter().any(computes),
        _ => false,
    }
}

/// The comparison that a member of a choice rule makes, if it makes one.
fn operator(name: &str, value: &Value) -> Option<Result<Test, String>> {
    let text = || value.as_str().ok_or_else(|| "it is no string".to_owned());
    if name == "StringMatches" {
        return Some(text().and_then(Wildcard::parse).map(Test::Matches));
    }
    if let Some(is) = Is::named(name) {
        let wanted = value.as_bool().ok_or_else(|| "it is no boolean".to_owned());
        return Some(wanted.map(|wanted| Test::Is(is, wanted)));
    }
    let Comparison {
        kind,
        operator,
        path,
    } = Comparison::named(name)?;
    let operand = if path {
        text().and_then(Path::parse).map(Operand::Path)
    } else {
        let fits = match kind {
            choice::Kind::String => value.is_string(),
            choice::Kind::Numeric => value.is_number(),
            choice::Kind::Boolean => value.is_boolean(),
            choice::Kind::Timestamp => value.as_str().and_then(choice::timestamp).is_some(),
        };
        if fits {
            Ok(Operand::Value(value.clone()))
        } else {
            Err(format!("{value} is not of the operator's type"))
        }
    };
    Some(operand.map(|operand| Test::Compare(kind, operator, operand)))
}
