//! The grammar of conditions.
//!
//! `(` may open a condition or an operand, so both are parsed as a [`Node`] and told apart when it is
//! known which is needed.

use super::{
    condition::{Comparator, Condition, Term},
    parser::{Operand, Parser, Rank, path_required, wrong_count, wrong_type},
    path::Path,
    token::Kind,
};
use crate::dynamodb::value::AttributeValue;

/// No names, wherever they stand in a condition.
const KEYWORDS: &[&str] = &["AND", "OR", "NOT", "BETWEEN", "IN"];

/// Functions and how many operands they take.
const FUNCTIONS: &[(&str, usize)] = &[
    ("attribute_exists", 1),
    ("attribute_not_exists", 1),
    ("attribute_type", 2),
    ("begins_with", 2),
    ("contains", 2),
    ("size", 1),
];

const TYPES: &str = "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}";

enum Node {
    Path(Path),
    Value(Option<AttributeValue>),
    Call(String, Vec<Node>),
    Condition(Condition),
}

/// A whole condition.
pub(super) fn condition(parser: &mut Parser<'_>) -> Result<Condition, String> {
    let node = or(parser)?;
    to_condition(parser, node)
}

fn or(parser: &mut Parser<'_>) -> Result<Node, String> {
    let mut left = and(parser)?;
    while parser.peek().is_word("OR") {
        let a = to_condition(parser, left)?;
        parser.next();
        parser.operator()?;
        let right = and(parser)?;
        let b = to_condition(parser, right)?;
        left = Node::Condition(Condition::Or(Box::new(a), Box::new(b)));
    }
    Ok(left)
}

fn and(parser: &mut Parser<'_>) -> Result<Node, String> {
    let mut left = not(parser)?;
    while parser.peek().is_word("AND") {
        let a = to_condition(parser, left)?;
        parser.next();
        parser.operator()?;
        let right = not(parser)?;
        let b = to_condition(parser, right)?;
        left = Node::Condition(Condition::And(Box::new(a), Box::new(b)));
    }
    Ok(left)
}

fn not(parser: &mut Parser<'_>) -> Result<Node, String> {
    if !parser.take_word("NOT") {
        return comparison(parser);
    }
    parser.operator()?;
    let inner = parser.within(not)?;
    let inner = to_condition(parser, inner)?;
    Ok(Node::Condition(Condition::Not(Box::new(inner))))
}

fn comparison(parser: &mut Parser<'_>) -> Result<Node, String> {
    let left = primary(parser)?;
    let token = parser.peek();
    if let Some(how) = Comparator::of(token.text).filter(|_| token.kind == Kind::Symbol) {
        let a = to_term(parser, left)?;
        parser.next();
        parser.operator()?;
        let right = primary(parser)?;
        let b = to_term(parser, right)?;
        check_distinct(parser, token.text, &a, &b);
        if !matches!(how, Comparator::Equal | Comparator::NotEqual) {
            check_ordered(parser, token.text, [&a, &b]);
        }
        return Ok(Node::Condition(Condition::Compare(a, how, b)));
    }
    if token.is_word("BETWEEN") {
        let term = to_term(parser, left)?;
        parser.next();
        parser.operator()?;
        let low = primary(parser)?;
        let low = to_term(parser, low)?;
        if !parser.take_word("AND") {
            return Err(parser.syntax());
        }
        let high = primary(parser)?;
        let high = to_term(parser, high)?;
        check_ordered(parser, "BETWEEN", [&term, &low, &high]);
        check_bounds(parser, &low, &high);
        return Ok(Node::Condition(Condition::Between(term, low, high)));
    }
    if token.is_word("IN") {
        let term = to_term(parser, left)?;
        parser.next();
        parser.operator()?;
        let list = parser.in_call(primary)?;
        let mut terms = Vec::with_capacity(list.len());
        for node in list {
            terms.push(to_term(parser, node)?);
        }
        if terms.len() > 100 {
            let count = terms.len();
            parser.note(Rank::OperandCount, || wrong_count("IN", count));
        }
        return Ok(Node::Condition(Condition::In(term, terms)));
    }
    Ok(left)
}

/// A path, a value, a function, or something in parentheses.
fn primary(parser: &mut Parser<'_>) -> Result<Node, String> {
    let token = parser.peek();
    if token.is("(") {
        return parser.in_parentheses(or);
    }
    match token.kind {
        Kind::Value => parser.value().map(Node::Value),
        Kind::Word
            if parser.ahead(1).is("(") && !KEYWORDS.iter().any(|word| token.is_word(word)) =>
        {
            parser.operator()?;
            parser.next();
            let list = parser.in_call(primary)?;
            Ok(Node::Call(token.text.to_owned(), list))
        }
        _ => parser.path(KEYWORDS).map(Node::Path),
    }
}

// ---------------------------------------------------------------- what a node is needed for

fn to_term(parser: &mut Parser<'_>, node: Node) -> Result<Term, String> {
    Ok(match node {
        Node::Path(path) => Term::Plain(Operand::Path(path)),
        Node::Value(value) => Term::Plain(value.map_or(Operand::Wrong, Operand::Value)),
        Node::Call(name, list) if name == "size" => size(parser, list)?,
        Node::Call(name, list) => {
            check_call(parser, &name, list)?;
            if FUNCTIONS.iter().any(|(known, _)| *known == name) {
                misused(parser, &name);
            }
            Term::Plain(Operand::Wrong)
        }
        Node::Condition(_) => return Err(parser.syntax()),
    })
}

fn to_condition(parser: &mut Parser<'_>, node: Node) -> Result<Condition, String> {
    match node {
        Node::Condition(condition) => Ok(condition),
        Node::Call(name, list) => {
            if name == "size" {
                misused(parser, &name);
                return Ok(Condition::Wrong);
            }
            check_call(parser, &name, list)
        }
        Node::Path(_) | Node::Value(_) => Err(parser.syntax()),
    }
}

fn misused(parser: &mut Parser<'_>, name: &str) {
    parser.note(Rank::MisusedFunction, || {
        format!(
            "The function is not allowed to be used this way in an expression; function: {name}"
        )
    });
}

fn size(parser: &mut Parser<'_>, list: Vec<Node>) -> Result<Term, String> {
    let mut terms = terms(parser, list)?;
    if terms.len() != 1 {
        let count = terms.len();
        parser.note(Rank::OperandCount, || wrong_count("size", count));
        return Ok(Term::Plain(Operand::Wrong));
    }
    match terms.remove(0) {
        Term::Plain(operand) => {
            if let Some(kind @ ("N" | "BOOL" | "NULL")) = operand.kind() {
                parser.note(Rank::OperandType, || wrong_type("size", kind));
            }
            Ok(Term::Size(operand))
        }
        Term::Size(_) => {
            parser.note(Rank::OperandType, || wrong_type("size", "N"));
            Ok(Term::Plain(Operand::Wrong))
        }
    }
}

fn terms(parser: &mut Parser<'_>, list: Vec<Node>) -> Result<Vec<Term>, String> {
    list.into_iter().map(|node| to_term(parser, node)).collect()
}

/// A function that is a condition.
fn check_call(parser: &mut Parser<'_>, name: &str, list: Vec<Node>) -> Result<Condition, String> {
    let Some((_, count)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
        let _ = terms(parser, list)?;
        parser.note(Rank::UnknownFunction, || {
            format!("Invalid function name; function: {name}")
        });
        return Ok(Condition::Wrong);
    };
    let mut terms = terms(parser, list)?;
    if terms.len() != *count {
        let given = terms.len();
        parser.note(Rank::OperandCount, || wrong_count(name, given));
        return Ok(Condition::Wrong);
    }
    let second = (terms.len() > 1).then(|| terms.remove(1));
    let first = terms.remove(0);
    if let Some(second) = &second {
        check_distinct(parser, name, &first, second);
    }
    Ok(match (name, second) {
        ("attribute_exists", _) => {
            check_path(parser, name, &first);
            Condition::Exists(first)
        }
        ("attribute_not_exists", _) => {
            check_path(parser, name, &first);
            Condition::NotExists(first)
        }
        ("attribute_type", Some(kind)) => {
            check_type_name(parser, &kind);
            Condition::IsType(first, kind)
        }
        ("begins_with", Some(start)) => {
            for term in [&first, &start] {
                if let Some(kind) = kind(term).filter(|kind| !matches!(*kind, "S" | "B")) {
                    parser.note(Rank::OperandType, || wrong_type(name, kind));
                }
            }
            Condition::BeginsWith(first, start)
        }
        ("contains", Some(part)) => Condition::Contains(first, part),
        _ => Condition::Wrong,
    })
}

// ---------------------------------------------------------------- what the operands may be

fn kind(term: &Term) -> Option<&'static str> {
    match term {
        Term::Plain(operand) => operand.kind(),
        Term::Size(_) => Some("N"),
    }
}

fn check_path(parser: &mut Parser<'_>, name: &str, term: &Term) {
    if !matches!(term, Term::Plain(Operand::Path(_) | Operand::Wrong)) {
        parser.note(Rank::OperandType, || path_required(name));
    }
}

fn check_type_name(parser: &mut Parser<'_>, term: &Term) {
    match term {
        Term::Plain(Operand::Value(AttributeValue::S(name))) => {
            let known = TYPES
                .trim_matches(['{', '}'])
                .split(',')
                .any(|kind| kind == name);
            if !known {
                parser.note(Rank::OperandType, || {
                    format!("Invalid attribute type name found; type: {name}, valid types: {TYPES}")
                });
            }
        }
        Term::Plain(Operand::Wrong) => {}
        other => {
            let kind = kind(other).unwrap_or("{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
            parser.note(Rank::OperandType, || wrong_type("attribute_type", kind));
        }
    }
}

fn check_distinct(parser: &mut Parser<'_>, name: &str, a: &Term, b: &Term) {
    if let (Term::Plain(Operand::Path(a)), Term::Plain(Operand::Path(b))) = (a, b)
        && a == b
    {
        parser.note(Rank::Distinct, || {
            format!(
                "The first operand must be distinct from the remaining operands for this operator \
                 or function; operator: {name}, first operand: {a}"
            )
        });
    }
}

/// Only strings, numbers and bytes have an order.
fn check_ordered<'a>(
    parser: &mut Parser<'_>,
    name: &str,
    terms: impl IntoIterator<Item = &'a Term>,
) {
    for term in terms {
        if let Some(kind) = kind(term).filter(|kind| !matches!(*kind, "S" | "N" | "B")) {
            parser.note(Rank::OperandType, || wrong_type(name, kind));
        }
    }
}

fn check_bounds(parser: &mut Parser<'_>, low: &Term, high: &Term) {
    let (Term::Plain(Operand::Value(low)), Term::Plain(Operand::Value(high))) = (low, high) else {
        return;
    };
    let wrong = match low.order(high) {
        None => "requires same data type for lower and upper bounds",
        Some(order) if order.is_gt() => {
            "requires upper bound to be greater than or equal to lower bound"
        }
        Some(_) => return,
    };
    parser.note(Rank::OperandType, || {
        format!(
            "The BETWEEN operator {wrong}; lower bound operand: AttributeValue: {low}, upper bound \
             operand: AttributeValue: {high}"
        )
    });
}
