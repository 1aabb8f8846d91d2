//! A policy document, read and checked.

use serde_json::{Map, Value};

use super::{
    Context, Effect,
    condition::{self, Condition},
    pattern::{Pattern, Wildcards},
};

/// Where, and what is wrong.
pub(super) type Problem = (String, String);

/// What a document is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A user, a role, a session or an account: no `Principal`.
    Identity,
    /// A role, to say who may assume it: no `Resource`.
    Trust,
    /// A VPC endpoint, to say who may do what through it.
    Endpoint,
}

/// A policy, checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    pub(super) name: String,
    pub(super) statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    /// Its `Sid`, or `Statement[0]`.
    pub(super) label: String,
    pub(super) effect: Effect,
    principals: Option<Principals>,
    pub(super) actions: Matcher,
    pub(super) resources: Option<Matcher>,
    pub(super) conditions: Vec<Condition>,
}

/// `Action` and `NotAction`, `Resource` and `NotResource`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matcher {
    patterns: Vec<Pattern>,
    negated: bool,
    ignore_case: bool,
}

/// `Principal` and `NotPrincipal`.
#[derive(Debug, Clone, PartialEq)]
struct Principals {
    anyone: bool,
    aws: Vec<String>,
    /// Identity providers.
    federated: Vec<String>,
    negated: bool,
}

/// What a trust policy says to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    /// A statement denies.
    Denied,
    /// No statement speaks of this caller.
    Nothing,
    /// The caller's account is trusted: its own policies must allow it.
    Account,
    /// The caller itself is trusted.
    Caller,
}

impl Policy {
    /// Checks a document.
    pub(crate) fn parse(name: String, document: &Value, kind: Kind) -> Result<Self, Problem> {
        let object = object(document, "the document")?;
        known_keys(object, "the document", &["Version", "Id", "Statement"])?;
        // Without a version, variables are plain text (IAM reference, "Version").
        let variables = match object.get("Version").map(Value::as_str) {
            Some(Some("2012-10-17")) => true,
            None | Some(Some("2008-10-17")) => false,
            Some(_) => return problem("Version", "must be \"2012-10-17\""),
        };
        let parse = |statement, at: &str| parse_statement(statement, at, kind, variables);
        let statements = match object.get("Statement") {
            Some(Value::Array(statements)) => {
                let numbered = statements.iter().enumerate();
                let parsed = numbered.map(|(i, s)| parse(s, &format!("Statement[{i}]")));
                parsed.collect::<Result<_, _>>()?
            }
            Some(statement @ Value::Object(_)) => vec![parse(statement, "Statement")?],
            _ => {
                return problem(
                    "Statement",
                    "is missing; it is a statement or a list of them",
                );
            }
        };
        Ok(Self { name, statements })
    }

    /// What this trust policy says about `arn` (the principal, or of a session the role's and the
    /// session's own) of `account` doing `action`.
    pub(crate) fn trusts(
        &self,
        action: &str,
        arns: &[&str],
        account: &str,
        context: &Context<'_>,
    ) -> Grant {
        let mut grant = Grant::Nothing;
        for statement in &self.statements {
            let Some(principals) = &statement.principals else {
                continue;
            };
            let found = principals.find(arns, account);
            if found == Grant::Nothing || !statement.applies(action, "*", context) {
                continue;
            }
            match (statement.effect, found) {
                (Effect::Deny, _) => return Grant::Denied,
                (Effect::Allow, Grant::Caller) => grant = Grant::Caller,
                (Effect::Allow, found) if grant == Grant::Nothing => grant = found,
                (Effect::Allow, _) => {}
            }
        }
        grant
    }

    /// What this trust policy says about whoever that identity provider vouches for doing `action`:
    /// [`Grant::Caller`], [`Grant::Denied`] or [`Grant::Nothing`].
    pub(crate) fn trusts_provider(
        &self,
        action: &str,
        provider: &str,
        context: &Context<'_>,
    ) -> Grant {
        let mut grant = Grant::Nothing;
        for statement in &self.statements {
            let about = statement.principals.as_ref().is_some_and(|principals| {
                let named =
                    principals.anyone || principals.federated.iter().any(|name| name == provider);
                named != principals.negated
            });
            let applies = statement.actions.matches(action, context)
                && statement.conditions.iter().all(|c| c.holds(context));
            if about && applies {
                match statement.effect {
                    Effect::Deny => return Grant::Denied,
                    Effect::Allow => grant = Grant::Caller,
                }
            }
        }
        grant
    }
}

impl Principals {
    fn find(&self, arns: &[&str], account: &str) -> Grant {
        let root = format!("arn:aws:iam::{account}:root");
        let named = |wanted: &String| arns.contains(&wanted.as_str());
        let whole = |wanted: &String| *wanted == root || wanted == account;
        let found = if self.aws.iter().any(named) {
            Grant::Caller
        } else if self.anyone || self.aws.iter().any(whole) {
            Grant::Account
        } else {
            Grant::Nothing
        };
        match (self.negated, found) {
            (false, found) => found,
            (true, Grant::Nothing) => Grant::Account,
            (true, _) => Grant::Nothing,
        }
    }
}

impl Statement {
    /// Whether it speaks of this action on this resource under these conditions.
    pub(super) fn applies(&self, action: &str, resource: &str, context: &Context<'_>) -> bool {
        self.actions.matches(action, context)
            && self.about(resource, context)
            && self.speaks_of(context)
            && self.conditions.iter().all(|c| c.holds(context))
    }

    /// Whether the caller is among its principals, if it has any.
    fn speaks_of(&self, context: &Context<'_>) -> bool {
        let Some(principals) = &self.principals else {
            return true;
        };
        context.principal.is_some_and(|caller| {
            let arns = [caller.arn.as_str(), caller.policy_arn()];
            principals.find(&arns, &caller.account) != Grant::Nothing
        })
    }

    pub(super) fn about(&self, resource: &str, context: &Context<'_>) -> bool {
        let resources = self.resources.as_ref();
        resources.is_none_or(|resources| resources.matches(resource, context))
    }
}

impl Matcher {
    pub(super) fn matches(&self, text: &str, context: &Context<'_>) -> bool {
        let mut patterns = self.patterns.iter();
        let hit = patterns.any(|pattern| pattern.matches(text, self.ignore_case, context));
        hit != self.negated
    }
}

fn parse_statement(
    statement: &Value,
    at: &str,
    kind: Kind,
    variables: bool,
) -> Result<Statement, Problem> {
    let statement = object(statement, at)?;
    let (resource, principal) = (
        &["Resource", "NotResource"][..],
        &["Principal", "NotPrincipal"][..],
    );
    let (resource, principal) = match kind {
        Kind::Identity => (resource, &[][..]),
        Kind::Trust => (&[][..], principal),
        Kind::Endpoint => (resource, principal),
    };
    let common = ["Sid", "Effect", "Action", "NotAction", "Condition"];
    known_keys(statement, at, &[&common[..], resource, principal].concat())?;
    let effect = match statement.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return problem(&format!("{at}.Effect"), "must be \"Allow\" or \"Deny\""),
    };
    let label = match statement.get("Sid") {
        None => at.to_owned(),
        Some(Value::String(sid)) if sid.is_empty() => at.to_owned(),
        Some(Value::String(sid)) => sid.clone(),
        Some(_) => return problem(&format!("{at}.Sid"), "must be a string"),
    };
    let (key, actions, negated) = one_of(statement, at, "Action", "NotAction")?;
    for action in &actions {
        if action != "*" && !action.contains(':') {
            return problem(
                &format!("{at}.{key}"),
                &format!("\"{action}\" has no service; write \"bedrock:{action}\""),
            );
        }
    }
    let actions = Matcher {
        patterns: actions
            .iter()
            .map(|a| Pattern::new(a, Wildcards::Count))
            .collect(),
        negated,
        ignore_case: true,
    };
    let resources = match kind {
        Kind::Trust => None,
        Kind::Identity | Kind::Endpoint => Some(parse_resources(statement, at, variables)?),
    };
    let principals = match kind {
        Kind::Identity => None,
        Kind::Trust | Kind::Endpoint => Some(parse_principals(statement, at)?),
    };
    let conditions = match statement.get("Condition") {
        None => Vec::new(),
        Some(value) => condition::parse(value, &format!("{at}.Condition"), variables)?,
    };
    Ok(Statement {
        label,
        effect,
        principals,
        actions,
        resources,
        conditions,
    })
}

fn parse_resources(
    statement: &Map<String, Value>,
    at: &str,
    variables: bool,
) -> Result<Matcher, Problem> {
    let (key, resources, negated) = one_of(statement, at, "Resource", "NotResource")?;
    let mut patterns = Vec::new();
    for resource in &resources {
        if resource != "*" && !resource.starts_with("arn:") {
            return problem(
                &format!("{at}.{key}"),
                &format!("\"{resource}\" is neither an ARN nor \"*\""),
            );
        }
        // Missing fields of an ARN are filled with stars (IAM reference, "Incomplete ARNs").
        let missing = 5_usize.saturating_sub(resource.matches(':').count());
        let missing = if resource == "*" { 0 } else { missing };
        let whole = format!("{resource}{}", ":*".repeat(missing));
        let at = format!("{at}.{key}");
        patterns.push(Pattern::with_variables(
            &whole,
            Wildcards::Count,
            variables,
            &at,
        )?);
    }
    Ok(Matcher {
        patterns,
        negated,
        ignore_case: false,
    })
}

fn parse_principals(statement: &Map<String, Value>, at: &str) -> Result<Principals, Problem> {
    let (key, value, negated) = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(value), None) => ("Principal", value, false),
        (None, Some(value)) => ("NotPrincipal", value, true),
        (Some(_), Some(_)) => {
            return problem(at, "has both Principal and NotPrincipal; keep one");
        }
        (None, None) => return problem(at, "has neither Principal nor NotPrincipal"),
    };
    let at = format!("{at}.{key}");
    let mut principals = Principals {
        anyone: false,
        aws: Vec::new(),
        federated: Vec::new(),
        negated,
    };
    if value.as_str() == Some("*") {
        principals.anyone = true;
        return Ok(principals);
    }
    for (kind, names) in object(value, &at)? {
        let names = strings(names, &format!("{at}.{kind}"))?;
        match kind.as_str() {
            "AWS" => {
                principals.anyone |= names.iter().any(|name| name == "*");
                principals.aws.extend(names);
            }
            "Federated" => principals.federated.extend(names),
            // Services assume roles in ways that no request here comes from.
            "Service" => {}
            _ => {
                return problem(
                    &at,
                    &format!("has the kind \"{kind}\"; known are AWS, Federated, Service"),
                );
            }
        }
    }
    Ok(principals)
}

fn one_of<'k>(
    statement: &Map<String, Value>,
    at: &str,
    plain: &'k str,
    not: &'k str,
) -> Result<(&'k str, Vec<String>, bool), Problem> {
    let (key, value, negated) = match (statement.get(plain), statement.get(not)) {
        (Some(value), None) => (plain, value, false),
        (None, Some(value)) => (not, value, true),
        (Some(_), Some(_)) => {
            return problem(at, &format!("has both {plain} and {not}; keep one"));
        }
        (None, None) => return problem(at, &format!("has neither {plain} nor {not}")),
    };
    Ok((key, strings(value, &format!("{at}.{key}"))?, negated))
}

pub(super) fn object<'v>(value: &'v Value, at: &str) -> Result<&'v Map<String, Value>, Problem> {
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
pub(super) fn strings(value: &Value, at: &str) -> Result<Vec<String>, Problem> {
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

pub(super) fn problem<T>(at: &str, problem: &str) -> Result<T, Problem> {
    Err((at.to_owned(), problem.to_owned()))
}
