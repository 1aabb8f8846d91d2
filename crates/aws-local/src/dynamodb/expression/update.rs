//! What an update does, and an item after it.

use bedrock_emulator::error::ApiError;

use super::{
    super::{
        error::validation,
        number::Number,
        value::{AttributeValue, Attributes},
    },
    Projection,
    parser::Operand,
    path::{Path, Step},
};

/// An update: actions whose paths do not clash.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Update {
    pub(super) actions: Vec<Action>,
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Action {
    Set(Path, Value),
    Remove(Path),
    Add(Path, Operand),
    Delete(Path, Operand),
}

/// What an attribute is set to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Plain(Operand),
    Plus(Box<Value>, Box<Value>),
    Minus(Box<Value>, Box<Value>),
    IfNotExists(Path, Box<Value>),
    ListAppend(Box<Value>, Box<Value>),
}

impl Action {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Set(path, _)
            | Self::Remove(path)
            | Self::Add(path, _)
            | Self::Delete(path, _) => path,
        }
    }
}

impl Update {
    /// The attributes that it changes.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(|action| action.path().head())
    }

    /// What it changes, as `UPDATED_OLD` and `UPDATED_NEW` answer it.
    pub(crate) fn projection(&self) -> Projection {
        Projection::of_paths(self.actions.iter().map(Action::path))
    }

    /// The item after it. All operands are read from the item before it.
    pub(crate) fn apply(&self, item: &Attributes) -> Result<Attributes, ApiError> {
        let mut sets = Vec::new();
        let mut removals = Vec::new();
        for action in &self.actions {
            let path = action.path();
            let value = match action {
                Action::Set(_, value) => Some(value.evaluate(item)?),
                Action::Remove(_) => None,
                Action::Add(_, operand) => Some(add(path.find(item), literal(operand)?)?),
                Action::Delete(_, operand) => match path.find(item) {
                    None => continue,
                    Some(known) => delete(known, literal(operand)?)?,
                },
            };
            match value {
                Some(value) => sets.push((path, value)),
                None => removals.push(path),
            }
        }
        let mut new = item.clone();
        // In order, so that what lies behind the end of a list is appended in the order of its
        // numbers; then removals from the end, so that numbers mean what they meant before.
        sets.sort_by_key(|(path, _)| *path);
        for (path, value) in sets {
            assign(&mut new, path, value)?;
        }
        removals.sort_by_key(|path| std::cmp::Reverse(*path));
        for path in removals {
            take_away(&mut new, path)?;
        }
        Ok(new)
    }
}

impl Value {
    /// Its type, where the text alone tells it.
    pub(super) fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Plain(operand) => operand.kind(),
            Self::Plus(..) | Self::Minus(..) => Some("N"),
            Self::ListAppend(..) => Some("L"),
            Self::IfNotExists(..) => None,
        }
    }

    fn evaluate(&self, item: &Attributes) -> Result<AttributeValue, ApiError> {
        match self {
            Self::Plain(Operand::Path(path)) => path.find(item).cloned().ok_or_else(|| {
                validation(
                    "The provided expression refers to an attribute that does not exist in the item",
                )
            }),
            Self::Plain(operand) => literal(operand).cloned(),
            Self::Plus(a, b) => arithmetic(&a.evaluate(item)?, &b.evaluate(item)?, |b| b),
            Self::Minus(a, b) => {
                arithmetic(&a.evaluate(item)?, &b.evaluate(item)?, Number::negated)
            }
            Self::IfNotExists(path, otherwise) => match path.find(item) {
                Some(value) => Ok(value.clone()),
                None => otherwise.evaluate(item),
            },
            Self::ListAppend(a, b) => match (a.evaluate(item)?, b.evaluate(item)?) {
                (AttributeValue::L(mut a), AttributeValue::L(b)) => {
                    a.extend(b);
                    Ok(AttributeValue::L(a))
                }
                _ => Err(wrong_type()),
            },
        }
    }
}

fn literal(operand: &Operand) -> Result<&AttributeValue, ApiError> {
    match operand {
        Operand::Value(value) => Ok(value),
        Operand::Path(_) | Operand::Wrong => Err(wrong_type()),
    }
}

fn wrong_type() -> ApiError {
    validation("An operand in the update expression has an incorrect data type")
}

fn wrong_path() -> ApiError {
    validation("The document path provided in the update expression is invalid for update")
}

fn arithmetic(
    a: &AttributeValue,
    b: &AttributeValue,
    second: fn(Number) -> Number,
) -> Result<AttributeValue, ApiError> {
    match (a, b) {
        (AttributeValue::N(a), AttributeValue::N(b)) => a
            .plus(second(*b))
            .map(AttributeValue::N)
            .map_err(|error| validation(error.message(""))),
        _ => Err(wrong_type()),
    }
}

/// `ADD`: a number to a number, members to a set.
fn add(known: Option<&AttributeValue>, more: &AttributeValue) -> Result<AttributeValue, ApiError> {
    use AttributeValue::{Bs, N, Ns, Ss};
    Ok(match (known, more) {
        (None, more) => more.clone(),
        (Some(known @ N(_)), more @ N(_)) => arithmetic(known, more, |b| b)?,
        (Some(Ss(known)), Ss(more)) => Ss(known | more),
        (Some(Ns(known)), Ns(more)) => Ns(known | more),
        (Some(Bs(known)), Bs(more)) => Bs(known | more),
        _ => return Err(wrong_type()),
    })
}

/// `DELETE`: members from a set; an empty set is no attribute any more.
fn delete(
    known: &AttributeValue,
    less: &AttributeValue,
) -> Result<Option<AttributeValue>, ApiError> {
    use AttributeValue::{Bs, Ns, Ss};
    Ok(match (known, less) {
        (Ss(known), Ss(less)) => Some(known - less).filter(|set| !set.is_empty()).map(Ss),
        (Ns(known), Ns(less)) => Some(known - less).filter(|set| !set.is_empty()).map(Ns),
        (Bs(known), Bs(less)) => Some(known - less).filter(|set| !set.is_empty()).map(Bs),
        _ => return Err(wrong_type()),
    })
}

fn assign(item: &mut Attributes, path: &Path, value: AttributeValue) -> Result<(), ApiError> {
    let Some((last, parents)) = path.0.split_last().filter(|_| path.is_nested()) else {
        item.insert(path.head().to_owned(), value);
        return Ok(());
    };
    match (parent(item, parents).ok_or_else(wrong_path)?, last) {
        (AttributeValue::M(map), Step::Name(name)) => {
            map.insert(name.clone(), value);
        }
        (AttributeValue::L(values), Step::Index(index)) => match values.get_mut(*index) {
            Some(place) => *place = value,
            None => values.push(value),
        },
        _ => return Err(wrong_path()),
    }
    Ok(())
}

fn take_away(item: &mut Attributes, path: &Path) -> Result<(), ApiError> {
    let Some((last, parents)) = path.0.split_last().filter(|_| path.is_nested()) else {
        item.remove(path.head());
        return Ok(());
    };
    match (parent(item, parents).ok_or_else(wrong_path)?, last) {
        (AttributeValue::M(map), Step::Name(name)) => {
            map.remove(name);
        }
        (AttributeValue::L(values), Step::Index(index)) => {
            if *index < values.len() {
                values.remove(*index);
            }
        }
        _ => return Err(wrong_path()),
    }
    Ok(())
}

/// What the last step leads out of.
fn parent<'a>(item: &'a mut Attributes, steps: &[Step]) -> Option<&'a mut AttributeValue> {
    let (Step::Name(head), rest) = steps.split_first()? else {
        return None;
    };
    let mut here = item.get_mut(head)?;
    for step in rest {
        here = match (step, here) {
            (Step::Name(name), AttributeValue::M(map)) => map.get_mut(name)?,
            (Step::Index(index), AttributeValue::L(list)) => list.get_mut(*index)?,
            _ => return None,
        };
    }
    Some(here)
}
