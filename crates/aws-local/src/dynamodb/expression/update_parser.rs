//! The grammar of updates.

use super::{
    parser::{Operand, Parser, Rank, path_required, wrong_count, wrong_type},
    path::Path,
    token::Kind,
    update::{Action, Update, Value},
};

/// A whole update: up to four sections in any order.
pub(super) fn update(parser: &mut Parser<'_>) -> Result<Update, String> {
    let mut seen = Vec::new();
    let mut actions = Vec::new();
    loop {
        let token = parser.peek();
        let sections: [(&'static str, Section); 4] = [
            ("SET", set),
            ("REMOVE", remove),
            ("ADD", add),
            ("DELETE", delete),
        ];
        let found = sections.into_iter().find(|(name, _)| token.is_word(name));
        let Some((name, section)) = found else {
            if token.kind == Kind::End && !actions.is_empty() {
                break;
            }
            return Err(parser.syntax());
        };
        parser.next();
        if seen.contains(&name) {
            parser.note(Rank::Section, || {
                format!("The \"{name}\" section can only be used once in an update expression;")
            });
        }
        seen.push(name);
        actions.push(section(parser)?);
        while parser.take(",") {
            actions.push(section(parser)?);
        }
    }
    parser.note_clashes(&actions.iter().map(Action::path).collect::<Vec<_>>());
    Ok(Update { actions })
}

/// One action of a section.
type Section = fn(&mut Parser<'_>) -> Result<Action, String>;

fn set(parser: &mut Parser<'_>) -> Result<Action, String> {
    let path = parser.path(&[])?;
    parser.operator()?;
    parser.expect("=")?;
    Ok(Action::Set(path, value(parser)?))
}

fn remove(parser: &mut Parser<'_>) -> Result<Action, String> {
    parser.operator()?;
    Ok(Action::Remove(parser.path(&[])?))
}

fn add(parser: &mut Parser<'_>) -> Result<Action, String> {
    let (path, value) = path_and_value(parser, "ADD")?;
    Ok(Action::Add(path, value))
}

fn delete(parser: &mut Parser<'_>) -> Result<Action, String> {
    let (path, value) = path_and_value(parser, "DELETE")?;
    Ok(Action::Delete(path, value))
}

fn path_and_value(parser: &mut Parser<'_>, name: &str) -> Result<(Path, Operand), String> {
    parser.operator()?;
    let path = parser.path(&[])?;
    let value = parser.value()?.map_or(Operand::Wrong, Operand::Value);
    let long = match value.kind() {
        Some("S") => Some("STRING"),
        Some("N") if name == "DELETE" => Some("NUMBER"),
        Some("B") => Some("BINARY"),
        Some("NULL") => Some("NULL"),
        Some("BOOL") => Some("BOOLEAN"),
        Some("L") => Some("LIST"),
        Some("M") => Some("MAP"),
        _ => None,
    };
    if let Some(kind) = long {
        parser.note(Rank::OperandType, || {
            format!(
                "Incorrect operand type for operator or function; operator: {name}, operand type: \
                 {kind}, typeSet: ALLOWED_FOR_{name}_OPERAND"
            )
        });
    }
    Ok((path, value))
}

/// `operand`, `operand + operand` or `operand - operand`, also in parentheses.
fn value(parser: &mut Parser<'_>) -> Result<Value, String> {
    let left = operand(parser)?;
    for name in ["+", "-"] {
        if parser.peek().is(name) {
            // One sum in one value: "(a + b) + c" is none.
            plain(parser, &left)?;
            parser.next();
            parser.operator()?;
            let right = operand(parser)?;
            plain(parser, &right)?;
            for side in [&left, &right] {
                if let Some(kind) = side.kind().filter(|kind| *kind != "N") {
                    parser.note(Rank::OperandType, || wrong_type(name, kind));
                }
            }
            let (left, right) = (Box::new(left), Box::new(right));
            return Ok(if name == "+" {
                Value::Plus(left, right)
            } else {
                Value::Minus(left, right)
            });
        }
    }
    Ok(left)
}

/// Refuses a sum where an operand is needed.
fn plain(parser: &Parser<'_>, value: &Value) -> Result<(), String> {
    match value {
        Value::Plus(..) | Value::Minus(..) => Err(parser.syntax()),
        _ => Ok(()),
    }
}

fn operand(parser: &mut Parser<'_>) -> Result<Value, String> {
    let token = parser.peek();
    if token.is("(") {
        return parser.in_parentheses(value);
    }
    match token.kind {
        Kind::Value => {
            let value = parser.value()?;
            Ok(Value::Plain(value.map_or(Operand::Wrong, Operand::Value)))
        }
        Kind::Word if parser.ahead(1).is("(") => {
            parser.operator()?;
            parser.next();
            let list = parser.in_call(operand)?;
            Ok(function(parser, token.text, list))
        }
        _ => Ok(Value::Plain(Operand::Path(parser.path(&[])?))),
    }
}

fn function(parser: &mut Parser<'_>, name: &str, mut list: Vec<Value>) -> Value {
    if !matches!(name, "if_not_exists" | "list_append") {
        // Known ones of conditions are named in other words than unknown ones.
        let known = [
            "attribute_exists",
            "attribute_not_exists",
            "attribute_type",
            "begins_with",
            "contains",
            "size",
        ];
        if known.contains(&name) {
            parser.note(Rank::MisusedFunction, || {
                format!("The function is not allowed in an update expression; function: {name}")
            });
        } else {
            parser.note(Rank::UnknownFunction, || {
                format!("Invalid function name; function: {name}")
            });
        }
        return Value::Plain(Operand::Wrong);
    }
    let count = list.len();
    let (2, Some(second), Some(first)) = (count, list.pop(), list.pop()) else {
        parser.note(Rank::OperandCount, || wrong_count(name, count));
        return Value::Plain(Operand::Wrong);
    };
    if name == "list_append" {
        for side in [&first, &second] {
            if let Some(kind) = side.kind().filter(|kind| *kind != "L") {
                parser.note(Rank::OperandType, || wrong_type(name, kind));
            }
        }
        return Value::ListAppend(Box::new(first), Box::new(second));
    }
    if let Value::Plain(Operand::Path(path)) = first {
        return Value::IfNotExists(path, Box::new(second));
    }
    parser.note(Rank::OperandType, || path_required(name));
    Value::Plain(Operand::Wrong)
}
