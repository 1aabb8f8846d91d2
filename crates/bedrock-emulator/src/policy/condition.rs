//! The `Condition` block of a statement.

use core::net::IpAddr;

use serde_json::Value;
use time::{Date, OffsetDateTime, format_description::well_known::Iso8601};

use super::{
    Context,
    context::known,
    document::{Problem, object, problem},
    explain::ConditionSeen,
    pattern::{Pattern, Wildcards},
};

/// One operator on one key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    /// As written.
    operator: String,
    /// As written.
    written_key: String,
    key: String,
    set: Set,
    /// `…IfExists`: holds when the key is absent.
    if_exists: bool,
    /// `…Not…`: holds when no value fits, also when the key is absent.
    negated: bool,
    wanted: Vec<Wanted>,
    written: Vec<String>,
}

/// How the values of a key with several values count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    /// No qualifier.
    Single,
    /// `ForAnyValue:`
    Any,
    /// `ForAllValues:`
    All,
}

/// One value in the policy, ready to be compared.
#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    Text { pattern: Pattern, ignore_case: bool },
    Arn(Pattern),
    Number(Compare, f64),
    Date(Compare, i128),
    Bool(bool),
    Address { network: IpAddr, bits: u8 },
    Absent(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What an operator compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    Text {
        wildcards: Wildcards,
        ignore_case: bool,
    },
    Arn,
    Number(Compare),
    Date(Compare),
    Bool,
    Address,
    Null,
}

const OPERATORS: &str = "StringEquals, StringNotEquals, StringEqualsIgnoreCase, \
    StringNotEqualsIgnoreCase, StringLike, StringNotLike, Arn… (Equals, Like, NotEquals, NotLike), \
    Numeric… and Date… (Equals, NotEquals, LessThan, LessThanEquals, GreaterThan, \
    GreaterThanEquals), Bool, IpAddress, NotIpAddress, Null, each but Null with …IfExists, and \
    behind ForAnyValue: or ForAllValues:";

pub(super) fn parse(value: &Value, at: &str, variables: bool) -> Result<Vec<Condition>, Problem> {
    let mut conditions = Vec::new();
    for (name, keys) in object(value, at)? {
        let at = format!("{at}.{name}");
        for (key, values) in object(keys, &at)? {
            conditions.push(one(name, key, values, &at, variables)?);
        }
        // An operator without keys still has to be one.
        operator(name, &at)?;
    }
    Ok(conditions)
}

fn one(
    name: &str,
    key: &str,
    values: &Value,
    at: &str,
    variables: bool,
) -> Result<Condition, Problem> {
    let (set, base, negated, if_exists) = operator(name, at)?;
    let lower = key.to_lowercase();
    if !known(&lower) {
        return problem(
            at,
            &format!("the key \"{key}\" is not one the emulator knows"),
        );
    }
    let at = format!("{at}.{key}");
    let written = scalars(values, &at)?;
    let wanted = written.iter().map(|text| base.value(text, &at, variables));
    Ok(Condition {
        operator: name.to_owned(),
        written_key: key.to_owned(),
        key: lower,
        set,
        if_exists,
        negated,
        wanted: wanted.collect::<Result<_, _>>()?,
        written,
    })
}

/// Strings, numbers and truth values, one or a list of them.
fn scalars(value: &Value, at: &str) -> Result<Vec<String>, Problem> {
    let items = match value {
        Value::Array(items) if !items.is_empty() => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    let texts = items.iter().map(|item| match item {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(item.to_string()),
        _ => problem(at, "must be a string or a list of strings"),
    });
    texts.collect()
}

/// Takes a name like `ForAnyValue:StringNotLikeIfExists` apart.
fn operator(name: &str, at: &str) -> Result<(Set, Base, bool, bool), Problem> {
    let (set, plain) = match name.split_once(':') {
        None => (Set::Single, name),
        Some(("ForAnyValue", plain)) => (Set::Any, plain),
        Some(("ForAllValues", plain)) => (Set::All, plain),
        Some(_) => return unknown(at),
    };
    let (plain, if_exists) = match plain.strip_suffix("IfExists") {
        Some("Null") => return problem(at, "Null asks whether a key exists; drop IfExists"),
        Some(plain) => (plain, true),
        None => (plain, false),
    };
    let text = |wildcards, ignore_case| Base::Text {
        wildcards,
        ignore_case,
    };
    let (base, negated) = match plain {
        "StringEquals" => (text(Wildcards::Literal, false), false),
        "StringNotEquals" => (text(Wildcards::Literal, false), true),
        "StringEqualsIgnoreCase" => (text(Wildcards::Literal, true), false),
        "StringNotEqualsIgnoreCase" => (text(Wildcards::Literal, true), true),
        "StringLike" => (text(Wildcards::Count, false), false),
        "StringNotLike" => (text(Wildcards::Count, false), true),
        // For ARNs the equals operators match like the like operators do (IAM reference).
        "ArnLike" | "ArnEquals" => (Base::Arn, false),
        "ArnNotLike" | "ArnNotEquals" => (Base::Arn, true),
        "Bool" => (Base::Bool, false),
        "IpAddress" => (Base::Address, false),
        "NotIpAddress" => (Base::Address, true),
        "Null" => (Base::Null, false),
        other => {
            let number = other.strip_prefix("Numeric").and_then(comparison);
            let date = other.strip_prefix("Date").and_then(comparison);
            match (number, date) {
                (Some((compare, negated)), _) => (Base::Number(compare), negated),
                (_, Some((compare, negated))) => (Base::Date(compare), negated),
                _ => return unknown(at),
            }
        }
    };
    Ok((set, base, negated, if_exists))
}

fn unknown<T>(at: &str) -> Result<T, Problem> {
    problem(
        at,
        &format!("is not an operator the emulator knows: {OPERATORS}"),
    )
}

fn comparison(name: &str) -> Option<(Compare, bool)> {
    Some(match name {
        "Equals" => (Compare::Equal, false),
        "NotEquals" => (Compare::Equal, true),
        "LessThan" => (Compare::Less, false),
        "LessThanEquals" => (Compare::LessOrEqual, false),
        "GreaterThan" => (Compare::Greater, false),
        "GreaterThanEquals" => (Compare::GreaterOrEqual, false),
        _ => return None,
    })
}

impl Base {
    fn value(self, text: &str, at: &str, variables: bool) -> Result<Wanted, Problem> {
        let wrong = |what: &str| problem(at, &format!("\"{text}\" is not {what}"));
        let pattern = |wildcards| Pattern::with_variables(text, wildcards, variables, at);
        Ok(match self {
            Self::Text {
                wildcards,
                ignore_case,
            } => Wanted::Text {
                pattern: pattern(wildcards)?,
                ignore_case,
            },
            Self::Arn => {
                let pattern = pattern(Wildcards::Count)?;
                if text != "*" && text.matches(':').count() < 5 {
                    return wrong("an ARN of six fields");
                }
                if text == "*" {
                    Wanted::Arn(Pattern::new("*:*:*:*:*:*", Wildcards::Count))
                } else {
                    Wanted::Arn(pattern)
                }
            }
            Self::Number(compare) => match text.parse() {
                Ok(number) => Wanted::Number(compare, number),
                Err(_) => return wrong("a number"),
            },
            Self::Date(compare) => match date(text) {
                Some(date) => Wanted::Date(compare, date),
                None => return wrong("a date like 2026-08-19T14:34:34Z, or seconds since 1970"),
            },
            Self::Bool | Self::Null => match (self, text.to_lowercase().as_str()) {
                (Self::Null, "true") => Wanted::Absent(true),
                (Self::Null, "false") => Wanted::Absent(false),
                (_, "true") => Wanted::Bool(true),
                (_, "false") => Wanted::Bool(false),
                _ => return wrong("true or false"),
            },
            Self::Address => match network(text) {
                Some((network, bits)) => Wanted::Address { network, bits },
                None => return wrong("an address range like 192.0.2.0/24"),
            },
        })
    }
}

/// Nanoseconds since 1970.
fn date(text: &str) -> Option<i128> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(i128::from(seconds) * 1_000_000_000);
    }
    if let Ok(time) = OffsetDateTime::parse(text, &Iso8601::DEFAULT) {
        return Some(time.unix_timestamp_nanos());
    }
    let day = Date::parse(text, &Iso8601::DATE).ok()?;
    Some(day.midnight().assume_utc().unix_timestamp_nanos())
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(whole);
    (bits <= whole).then_some((address, bits))
}

fn inside(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    let (a, b, width) = match (network, address) {
        (IpAddr::V4(n), IpAddr::V4(a)) => (u128::from(n.to_bits()), u128::from(a.to_bits()), 32),
        (IpAddr::V6(n), IpAddr::V6(a)) => (n.to_bits(), a.to_bits(), 128),
        _ => return false,
    };
    let shift = width - u32::from(bits);
    (a ^ b).checked_shr(shift).unwrap_or(0) == 0
}

impl Compare {
    fn holds<T: PartialOrd>(self, seen: &T, wanted: &T) -> bool {
        match self {
            Self::Equal => seen == wanted,
            Self::Less => seen < wanted,
            Self::LessOrEqual => seen <= wanted,
            Self::Greater => seen > wanted,
            Self::GreaterOrEqual => seen >= wanted,
        }
    }
}

impl Wanted {
    fn fits(&self, seen: &str, context: &Context<'_>) -> bool {
        match self {
            Self::Text {
                pattern,
                ignore_case,
            } => pattern.matches(seen, *ignore_case, context),
            Self::Arn(pattern) => pattern.matches_arn(seen, context),
            Self::Number(compare, wanted) => {
                let seen = seen.parse::<f64>();
                seen.is_ok_and(|seen| compare.holds(&seen, wanted))
            }
            Self::Date(compare, wanted) => date(seen).is_some_and(|s| compare.holds(&s, wanted)),
            Self::Bool(wanted) => seen.eq_ignore_ascii_case(&wanted.to_string()),
            Self::Address { network, bits } => {
                let seen = seen.parse();
                seen.is_ok_and(|address| inside(*network, *bits, address))
            }
            Self::Absent(_) => false,
        }
    }
}

impl Condition {
    pub(super) fn holds(&self, context: &Context<'_>) -> bool {
        let seen = context.get(&self.key);
        if let [Wanted::Absent(_), ..] = self.wanted[..] {
            return self.wanted.contains(&Wanted::Absent(seen.is_empty()));
        }
        if seen.is_empty() {
            return match self.set {
                Set::Single => self.if_exists || self.negated,
                Set::All => true,
                Set::Any => self.if_exists,
            };
        }
        let fits = |value: &str| {
            let hit = self.wanted.iter().any(|wanted| wanted.fits(value, context));
            hit != self.negated
        };
        match self.set {
            // One value; of several, as for `ForAnyValue` (IAM calls it undefined).
            Set::Single | Set::Any => seen.iter().any(|value| fits(value)),
            Set::All => seen.iter().all(|value| fits(value)),
        }
    }

    pub(super) fn seen(&self, context: &Context<'_>) -> ConditionSeen {
        ConditionSeen {
            operator: self.operator.clone(),
            key: self.written_key.clone(),
            wanted: self.written.clone(),
            seen: context
                .get(&self.key)
                .iter()
                .map(ToString::to_string)
                .collect(),
            holds: self.holds(context),
        }
    }
}
