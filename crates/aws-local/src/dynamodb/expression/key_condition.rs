//! A `KeyConditionExpression`: a partition, and which part of it.

use super::{
    super::value::AttributeValue,
    condition::{Comparator, Condition, Term},
    parser::Operand,
    path::Path,
};

/// What each named attribute must be. A table or index says which of them is its partition key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeyCondition(pub(crate) Vec<(String, SortCondition)>);

/// What a key must be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SortCondition {
    Equal(AttributeValue),
    Less(AttributeValue),
    LessOrEqual(AttributeValue),
    Greater(AttributeValue),
    GreaterOrEqual(AttributeValue),
    Between(AttributeValue, AttributeValue),
    BeginsWith(AttributeValue),
}

impl SortCondition {
    /// The values that it compares with.
    pub(crate) fn values(&self) -> Vec<&AttributeValue> {
        match self {
            Self::Equal(value)
            | Self::Less(value)
            | Self::LessOrEqual(value)
            | Self::Greater(value)
            | Self::GreaterOrEqual(value)
            | Self::BeginsWith(value) => vec![value],
            Self::Between(low, high) => vec![low, high],
        }
    }
}

impl KeyCondition {
    /// From a condition that may say too much.
    pub(super) fn new(condition: Condition) -> Result<Self, String> {
        let mut found = Vec::new();
        collect(condition, &mut found)?;
        Ok(Self(found))
    }
}

fn collect(condition: Condition, found: &mut Vec<(String, SortCondition)>) -> Result<(), String> {
    let (path, sort) = match condition {
        Condition::And(a, b) => {
            collect(*a, found)?;
            return collect(*b, found);
        }
        Condition::Or(..) => return invalid_operator("OR"),
        Condition::Not(_) => return invalid_operator("NOT"),
        Condition::In(..) => return invalid_operator("IN"),
        Condition::Compare(_, Comparator::NotEqual, _) => return invalid_operator("<>"),
        Condition::Exists(_) => return invalid_operator("attribute_exists"),
        Condition::NotExists(_) => return invalid_operator("attribute_not_exists"),
        Condition::IsType(..) => return invalid_operator("attribute_type"),
        Condition::Contains(..) => return invalid_operator("contains"),
        Condition::Compare(a, how, b) => comparison(a, how, b)?,
        Condition::Between(term, low, high) => {
            let path = first_operand(term, "BETWEEN")?;
            (path, SortCondition::Between(value(low)?, value(high)?))
        }
        Condition::BeginsWith(term, start) => {
            let path = first_operand(term, "begins_with")?;
            (path, SortCondition::BeginsWith(value(start)?))
        }
        Condition::Wrong => return invalid_operator("function"),
    };
    if path.is_nested() {
        return Err(
            "KeyConditionExpressions cannot have conditions on nested attributes".to_owned(),
        );
    }
    let name = path.head().to_owned();
    if found.iter().any(|(known, _)| *known == name) {
        return Err("KeyConditionExpressions must only contain one condition per key".to_owned());
    }
    found.push((name, sort));
    Ok(())
}

fn invalid_operator<T>(operator: &str) -> Result<T, String> {
    Err(format!(
        "Invalid operator used in KeyConditionExpression: {operator}"
    ))
}

/// `a = :v`, or `:v = a`.
fn comparison(a: Term, how: Comparator, b: Term) -> Result<(Path, SortCondition), String> {
    use Comparator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let swapped = matches!(a, Term::Plain(Operand::Value(_)));
    let (path, other) = if swapped { (b, a) } else { (a, b) };
    let Some(path) = as_path(path)? else {
        return Err(
            "Invalid condition in KeyConditionExpression: No key attribute specified".to_owned(),
        );
    };
    let value = value(other)?;
    let sort = match (how, swapped) {
        (Equal | NotEqual, _) => SortCondition::Equal(value),
        (Less, false) | (Greater, true) => SortCondition::Less(value),
        (LessOrEqual, false) | (GreaterOrEqual, true) => SortCondition::LessOrEqual(value),
        (Greater, false) | (Less, true) => SortCondition::Greater(value),
        (GreaterOrEqual, false) | (LessOrEqual, true) => SortCondition::GreaterOrEqual(value),
    };
    Ok((path, sort))
}

fn first_operand(term: Term, name: &str) -> Result<Path, String> {
    as_path(term)?.ok_or_else(|| {
        format!(
            "Invalid condition in KeyConditionExpression: {name} operator must have the key \
             attribute as its first operand"
        )
    })
}

fn as_path(term: Term) -> Result<Option<Path>, String> {
    match term {
        Term::Plain(Operand::Path(path)) => Ok(Some(path)),
        Term::Plain(_) => Ok(None),
        Term::Size(_) => nested(),
    }
}

fn value(term: Term) -> Result<AttributeValue, String> {
    match term {
        Term::Plain(Operand::Value(value)) => Ok(value),
        Term::Plain(_) => Err(
            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one \
             condition"
                .to_owned(),
        ),
        Term::Size(_) => nested(),
    }
}

fn nested<T>() -> Result<T, String> {
    Err("KeyConditionExpressions cannot contain nested operations".to_owned())
}
