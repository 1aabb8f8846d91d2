//! IAM identity policies: explicit deny, then allow, then implicit deny.
//!
//! Small on purpose, and strict: a document with an element this evaluator does not understand is
//! refused when it is set, so that it can never allow by accident.

mod condition;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{ApiError, Code};
use condition::Condition;

/// The answer to "may this caller do that?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Some statement allows it and none denies it.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement allows it.
    ImplicitDeny,
}

/// A policy document that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("IAM policy {index}, {at}: {problem}")]
pub struct PolicyError {
    /// Which document of the list, from 0.
    pub index: usize,
    /// Where in the document: `Statement[0].Effect`.
    pub at: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// The caller's policies, checked. Empty: everything is allowed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Policies {
    statements: Option<Vec<Statement>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Statement {
    allow: bool,
    actions: Matcher,
    resources: Matcher,
    conditions: Vec<Condition>,
}

/// `Action` and `NotAction`, `Resource` and `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Matcher {
    patterns: Vec<String>,
    negated: bool,
    ignore_case: bool,
}

/// What a request says about itself, for conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Context(pub(crate) Vec<(&'static str, String)>);

impl Context {
    /// The keys every request has. A model in no region (the destination of a global profile) is
    /// asked for in the region `unspecified`.
    pub(crate) fn new(region: &str, principal: Option<&str>, resource: &str) -> Self {
        let regionless = resource.starts_with("arn:aws:bedrock:::");
        let region = if regionless { "unspecified" } else { region };
        let mut keys = vec![
            ("aws:RequestedRegion", region.to_owned()),
            ("aws:SecureTransport", "true".to_owned()),
        ];
        if let Some(arn) = principal {
            keys.push(("aws:PrincipalArn", arn.to_owned()));
            if let Some(account) = arn.split(':').nth(4) {
                keys.push(("aws:PrincipalAccount", account.to_owned()));
            }
        }
        Self(keys)
    }

    pub(crate) fn with(mut self, key: &'static str, value: &str) -> Self {
        self.0.push((key, value.to_owned()));
        self
    }
}

impl Policies {
    /// Checks the documents.
    pub(crate) fn parse(documents: &[Value]) -> Result<Self, PolicyError> {
        if documents.is_empty() {
            return Ok(Self::default());
        }
        let mut statements = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            let problem = |(at, problem)| PolicyError { index, at, problem };
            statements.extend(parse_document(document).map_err(problem)?);
        }
        Ok(Self {
            statements: Some(statements),
        })
    }

    /// Decides about one action on one resource.
    pub(crate) fn decide(&self, action: &str, resource: &str, context: &Context) -> Decision {
        let Some(statements) = &self.statements else {
            return Decision::Allow;
        };
        let mut decision = Decision::ImplicitDeny;
        for statement in statements {
            let applies = statement.actions.matches(action)
                && statement.resources.matches(resource)
                && statement.conditions.iter().all(|c| c.holds(context));
            match (applies, statement.allow) {
                (true, false) => return Decision::ExplicitDeny,
                (true, true) => decision = Decision::Allow,
                (false, _) => {}
            }
        }
        decision
    }
}

/// AWS's own sentence about a denial.
pub(crate) fn denial(decision: Decision, arn: &str, action: &str, resource: &str) -> ApiError {
    let reason = match decision {
        Decision::ExplicitDeny => "with an explicit deny in an identity-based policy".to_owned(),
        Decision::Allow | Decision::ImplicitDeny => {
            format!("because no identity-based policy allows the {action} action")
        }
    };
    ApiError::front_door(
        Code::AccessDenied,
        format!(
            "User: {arn} is not authorized to perform: {action} on resource: {resource} {reason}"
        ),
    )
}

type Problem = (String, String);

fn parse_document(document: &Value) -> Result<Vec<Statement>, Problem> {
    let object = object(document, "the document")?;
    known_keys(object, "the document", &["Version", "Id", "Statement"])?;
    match object.get("Version").map(Value::as_str) {
        None | Some(Some("2012-10-17" | "2008-10-17")) => {}
        Some(_) => return problem("Version", "must be \"2012-10-17\""),
    }
    match object.get("Statement") {
        Some(Value::Array(statements)) => statements
            .iter()
            .enumerate()
            .map(|(i, statement)| parse_statement(statement, &format!("Statement[{i}]")))
            .collect(),
        Some(statement @ Value::Object(_)) => Ok(vec![parse_statement(statement, "Statement")?]),
        _ => problem(
            "Statement",
            "is missing; it is a statement or a list of them",
        ),
    }
}

fn parse_statement(statement: &Value, at: &str) -> Result<Statement, Problem> {
    let statement = object(statement, at)?;
    known_keys(
        statement,
        at,
        &[
            "Sid",
            "Effect",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ],
    )?;
    let allow = match statement.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return problem(&format!("{at}.Effect"), "must be \"Allow\" or \"Deny\""),
    };
    let actions = matcher(statement, at, "Action", "NotAction", true)?;
    for action in &actions.patterns {
        if action != "*" && !action.contains(':') {
            return problem(
                &format!("{at}.Action"),
                &format!("\"{action}\" has no service; write \"bedrock:{action}\""),
            );
        }
    }
    let resources = matcher(statement, at, "Resource", "NotResource", false)?;
    for resource in &resources.patterns {
        if resource != "*" && !resource.starts_with("arn:") {
            return problem(
                &format!("{at}.Resource"),
                &format!("\"{resource}\" is neither an ARN nor \"*\""),
            );
        }
    }
    let conditions = match statement.get("Condition") {
        None => Vec::new(),
        Some(value) => condition::parse(value, &format!("{at}.Condition"))?,
    };
    Ok(Statement {
        allow,
        actions,
        resources,
        conditions,
    })
}

fn matcher(
    statement: &Map<String, Value>,
    at: &str,
    plain: &str,
    not: &str,
    ignore_case: bool,
) -> Result<Matcher, Problem> {
    let (key, value, negated) = match (statement.get(plain), statement.get(not)) {
        (Some(value), None) => (plain, value, false),
        (None, Some(value)) => (not, value, true),
        (Some(_), Some(_)) => {
            return problem(at, &format!("has both {plain} and {not}; keep one"));
        }
        (None, None) => return problem(at, &format!("has neither {plain} nor {not}")),
    };
    let patterns = strings(value, &format!("{at}.{key}"))?;
    Ok(Matcher {
        patterns,
        negated,
        ignore_case,
    })
}

impl Matcher {
    fn matches(&self, text: &str) -> bool {
        let hit = self.patterns.iter().any(|pattern| {
            if self.ignore_case {
                like(&pattern.to_lowercase(), &text.to_lowercase())
            } else {
                like(pattern, text)
            }
        });
        hit != self.negated
    }
}

/// Whether `text` matches `pattern`, where `*` stands for any characters and `?` for one.
fn like(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star_p, star_t)) = star {
            // Let the last star take one character more.
            star = Some((star_p, star_t + 1));
            p = star_p + 1;
            t = star_t + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

fn object<'v>(value: &'v Value, at: &str) -> Result<&'v Map<String, Value>, Problem> {
    match value {
        Value::Object(map) => Ok(map),
        _ => problem(at, "must be a JSON object"),
    }
}

fn known_keys(map: &Map<String, Value>, at: &str, known: &[&str]) -> Result<(), Problem> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => problem(
            at,
            &format!("has the element \"{key}\"; known are {}", known.join(", ")),
        ),
    }
}

/// A string or a list of strings.
fn strings(value: &Value, at: &str) -> Result<Vec<String>, Problem> {
    let items = match value {
        Value::Array(items) if !items.is_empty() => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    let strings = items.iter().map(|item| match item {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        _ => problem(at, "must be a string or a list of strings"),
    });
    strings.collect()
}

fn problem<T>(at: &str, problem: &str) -> Result<T, Problem> {
    Err((at.to_owned(), problem.to_owned()))
}

#[cfg(test)]
mod tests;
