//! The `Condition` block of a statement.

use serde_json::Value;

use super::{Context, Problem, like, object, problem, strings};

/// One operator on one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    operator: Operator,
    /// `…IfExists`: holds when the key is absent.
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    StringEquals,
    StringNotEquals,
    StringEqualsIgnoreCase,
    StringLike,
    StringNotLike,
    Bool,
    Null,
}

/// Keys that a request to Bedrock has or may have.
const KEYS: [&str; 9] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:requestedregion",
    "aws:securetransport",
    "bedrock:bearertokentype",
    "bedrock:guardrailidentifier",
    "bedrock:inferenceprofilearn",
    "bedrock:promptrouterarn",
    "bedrock:servicetier",
];

pub(super) fn parse(value: &Value, at: &str) -> Result<Vec<Condition>, Problem> {
    let mut conditions = Vec::new();
    for (name, keys) in object(value, at)? {
        let at = format!("{at}.{name}");
        let (operator, if_exists) = match name.strip_suffix("IfExists") {
            Some(plain) => (plain, true),
            None => (name.as_str(), false),
        };
        let operator = Operator::parse(operator, &at)?;
        for (key, values) in object(keys, &at)? {
            let known = key.to_lowercase();
            let tag =
                known.starts_with("aws:resourcetag/") || known.starts_with("aws:principaltag/");
            if !tag && !KEYS.contains(&known.as_str()) {
                return problem(
                    &at,
                    &format!("the key \"{key}\" is not one the emulator knows"),
                );
            }
            conditions.push(Condition {
                operator,
                if_exists,
                key: known,
                values: strings(values, &format!("{at}.{key}"))?,
            });
        }
    }
    Ok(conditions)
}

impl Operator {
    fn parse(name: &str, at: &str) -> Result<Self, Problem> {
        Ok(match name {
            "StringEquals" => Self::StringEquals,
            "StringNotEquals" => Self::StringNotEquals,
            "StringEqualsIgnoreCase" => Self::StringEqualsIgnoreCase,
            // For ARNs the equals operators match like the like operators do (IAM reference).
            "StringLike" | "ArnLike" | "ArnEquals" => Self::StringLike,
            "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => Self::StringNotLike,
            "Bool" => Self::Bool,
            "Null" => Self::Null,
            _ => {
                return problem(
                    at,
                    "is not an operator the emulator knows: StringEquals, StringNotEquals, \
                     StringEqualsIgnoreCase, StringLike, StringNotLike, ArnEquals, ArnNotEquals, \
                     ArnLike, ArnNotLike, Bool, Null, and …IfExists",
                );
            }
        })
    }
}

impl Condition {
    pub(super) fn holds(&self, context: &Context) -> bool {
        let present = context
            .0
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(&self.key));
        let any = |test: &dyn Fn(&str, &str) -> bool| match present {
            None => self.if_exists,
            Some((_, value)) => self.values.iter().any(|wanted| test(wanted, value)),
        };
        // A negated operator holds for an absent key.
        let none = |test: &dyn Fn(&str, &str) -> bool| match present {
            None => true,
            Some((_, value)) => !self.values.iter().any(|wanted| test(wanted, value)),
        };
        match self.operator {
            Operator::StringEquals => any(&|wanted, value| wanted == value),
            Operator::StringNotEquals => none(&|wanted, value| wanted == value),
            Operator::StringEqualsIgnoreCase | Operator::Bool => {
                any(&|wanted, value| wanted.eq_ignore_ascii_case(value))
            }
            Operator::StringLike => any(&like),
            Operator::StringNotLike => none(&like),
            Operator::Null => {
                let absent = present.is_none().to_string();
                self.values.contains(&absent)
            }
        }
    }
}
