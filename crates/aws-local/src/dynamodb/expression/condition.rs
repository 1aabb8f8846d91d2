//! What a condition or filter says, and whether an item is so.

use std::{cmp::Ordering, collections::BTreeSet};

use super::{
    super::{
        number::Number,
        value::{AttributeValue, Attributes},
    },
    parser::Operand,
};

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    /// `a = :v`.
    Compare(Term, Comparator, Term),
    /// `a BETWEEN :low AND :high`.
    Between(Term, Term, Term),
    /// `a IN (:v, :w)`.
    In(Term, Vec<Term>),
    /// `attribute_exists(a)`.
    Exists(Term),
    /// `attribute_not_exists(a)`.
    NotExists(Term),
    /// `attribute_type(a, :type)`.
    IsType(Term, Term),
    /// `begins_with(a, :v)`.
    BeginsWith(Term, Term),
    /// `contains(a, :v)`.
    Contains(Term, Term),
    /// `… AND …`.
    And(Box<Condition>, Box<Condition>),
    /// `… OR …`.
    Or(Box<Condition>, Box<Condition>),
    /// `NOT …`.
    Not(Box<Condition>),
    /// Something that has already been found wrong.
    Wrong,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Term {
    /// As it stands.
    Plain(Operand),
    /// `size(a)`.
    Size(Operand),
}

/// How two terms are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    /// From its symbol.
    pub(super) fn of(symbol: &str) -> Option<Self> {
        Some(match symbol {
            "=" => Self::Equal,
            "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    /// Whether two values are so. What is not there, or of another type, is different from
    /// everything and neither less nor more.
    fn holds(self, a: Option<&AttributeValue>, b: Option<&AttributeValue>) -> bool {
        let equal = a.is_some() && a == b;
        let order = || a?.order(b?);
        match self {
            Self::Equal => equal,
            Self::NotEqual => !equal,
            Self::Less => order() == Some(Ordering::Less),
            Self::LessOrEqual => order().is_some_and(Ordering::is_le),
            Self::Greater => order() == Some(Ordering::Greater),
            Self::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
        }
    }
}

impl Term {
    /// Its value in an item.
    fn value<'a>(&'a self, item: &'a Attributes) -> Option<std::borrow::Cow<'a, AttributeValue>> {
        use std::borrow::Cow;
        let find = |operand: &'a Operand| match operand {
            Operand::Path(path) => path.find(item),
            Operand::Value(value) => Some(value),
            Operand::Wrong => None,
        };
        match self {
            Self::Plain(operand) => find(operand).map(Cow::Borrowed),
            Self::Size(operand) => {
                let length = i64::try_from(find(operand)?.length()?).ok()?;
                Some(Cow::Owned(AttributeValue::N(Number::from(length))))
            }
        }
    }
}

impl Condition {
    /// Whether an item is so. An item that is not there has no attributes.
    pub(crate) fn holds(&self, item: &Attributes) -> bool {
        let value = |term: &'_ Term| term.value(item).map(std::borrow::Cow::into_owned);
        match self {
            Self::Compare(a, how, b) => {
                let (a, b) = (a.value(item), b.value(item));
                how.holds(a.as_deref(), b.as_deref())
            }
            Self::Between(term, low, high) => {
                let (term, low, high) = (term.value(item), low.value(item), high.value(item));
                Comparator::GreaterOrEqual.holds(term.as_deref(), low.as_deref())
                    && Comparator::LessOrEqual.holds(term.as_deref(), high.as_deref())
            }
            Self::In(term, list) => {
                let term = term.value(item);
                list.iter()
                    .any(|one| Comparator::Equal.holds(term.as_deref(), one.value(item).as_deref()))
            }
            Self::Exists(term) => term.value(item).is_some(),
            Self::NotExists(term) => term.value(item).is_none(),
            Self::IsType(term, kind) => match (term.value(item), value(kind)) {
                (Some(term), Some(AttributeValue::S(kind))) => term.kind() == kind,
                _ => false,
            },
            Self::BeginsWith(term, start) => {
                match (term.value(item).as_deref(), start.value(item).as_deref()) {
                    (Some(AttributeValue::S(text)), Some(AttributeValue::S(start))) => {
                        text.starts_with(start.as_str())
                    }
                    (Some(AttributeValue::B(bytes)), Some(AttributeValue::B(start))) => {
                        bytes.starts_with(start)
                    }
                    _ => false,
                }
            }
            Self::Contains(term, part) => {
                match (term.value(item).as_deref(), part.value(item).as_deref()) {
                    (Some(whole), Some(part)) => contains(whole, part),
                    _ => false,
                }
            }
            Self::And(a, b) => a.holds(item) && b.holds(item),
            Self::Or(a, b) => a.holds(item) || b.holds(item),
            Self::Not(a) => !a.holds(item),
            Self::Wrong => false,
        }
    }

    /// The attributes that it names.
    pub(crate) fn attributes(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.collect(&mut names);
        names
    }

    fn collect<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        let mut terms = |terms: &[&'a Term]| {
            for term in terms {
                if let Term::Plain(Operand::Path(path)) | Term::Size(Operand::Path(path)) = term {
                    names.insert(path.head());
                }
            }
        };
        match self {
            Self::Compare(a, _, b)
            | Self::IsType(a, b)
            | Self::BeginsWith(a, b)
            | Self::Contains(a, b) => terms(&[a, b]),
            Self::Between(a, b, c) => terms(&[a, b, c]),
            Self::In(a, list) => {
                terms(&[a]);
                for one in list {
                    terms(&[one]);
                }
            }
            Self::Exists(a) | Self::NotExists(a) => terms(&[a]),
            Self::And(a, b) | Self::Or(a, b) => {
                a.collect(names);
                b.collect(names);
            }
            Self::Not(a) => a.collect(names),
            Self::Wrong => {}
        }
    }
}

fn contains(whole: &AttributeValue, part: &AttributeValue) -> bool {
    use AttributeValue::{B, Bs, L, N, Ns, S, Ss};
    match (whole, part) {
        (S(text), S(part)) => text.contains(part.as_str()),
        (B(bytes), B(part)) => {
            part.is_empty()
                || bytes
                    .windows(part.len())
                    .any(|window| window == part.as_slice())
        }
        (Ss(set), S(one)) => set.contains(one),
        (Ns(set), N(one)) => set.contains(one),
        (Bs(set), B(one)) => set.contains(one),
        (L(list), one) => list.contains(one),
        _ => false,
    }
}
