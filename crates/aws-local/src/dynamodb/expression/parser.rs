//! What all expressions share: the place in the text, paths, placeholders, and mistakes in the order
//! in which the service names them.

use super::{
    super::value::AttributeValue,
    path::{Clash, Path, Step},
    placeholders::Placeholders,
    reserved::is_reserved,
    token::{Kind, Token, tokens},
};

/// The longest expression, in bytes (service quotas).
const LENGTH_MAX: usize = 4096;
/// Operators and functions in one expression (service quotas).
const OPERATORS_MAX: usize = 300;
/// Parentheses, functions and `NOT` in each other. The service's own bound is not known; this one
/// keeps the parser's stack small.
const DEPTH_MAX: usize = 64;
/// Steps in one path: the deepest document there is.
const STEPS_MAX: usize = 33;

/// Mistakes beside the syntax, in the order in which the service names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Parentheses,
    UnknownFunction,
    MisusedFunction,
    Reserved,
    Section,
    Placeholder,
    Steps,
    Overlap,
    Conflict,
    OperandCount,
    Distinct,
    OperandType,
}

/// The place in an expression.
#[derive(Debug)]
pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
    placeholders: &'a mut Placeholders,
    finding: Option<(Rank, String)>,
    operators: usize,
    depth: usize,
    /// The last pair of parentheses that closed: the numbers of its tokens.
    last_pair: Option<(usize, usize)>,
}

/// A value as an expression names it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Path(Path),
    Value(AttributeValue),
    /// Something that has already been found wrong.
    Wrong,
}

impl Operand {
    /// Its type, where the text alone tells it.
    pub(super) fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Value(value) => Some(value.kind()),
            Self::Path(_) | Self::Wrong => None,
        }
    }
}

impl<'a> Parser<'a> {
    /// Parses a whole expression.
    pub(super) fn parse<T>(
        text: &'a str,
        placeholders: &'a mut Placeholders,
        grammar: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        if text.is_empty() {
            return Err("The expression can not be empty;".to_owned());
        }
        if text.len() > LENGTH_MAX {
            return Err(format!(
                "Expression size has exceeded the maximum allowed size; expression size: {}",
                text.len()
            ));
        }
        let mut parser = Self {
            text,
            tokens: tokens(text),
            at: 0,
            placeholders,
            finding: None,
            operators: 0,
            depth: 0,
            last_pair: None,
        };
        let parsed = grammar(&mut parser)?;
        if parser.peek().kind != Kind::End {
            return Err(parser.syntax());
        }
        match parser.finding {
            Some((_, message)) => Err(message),
            None => Ok(parsed),
        }
    }

    /// The next token.
    pub(super) fn peek(&self) -> Token<'a> {
        self.ahead(0)
    }

    /// The token that many behind the next one.
    pub(super) fn ahead(&self, count: usize) -> Token<'a> {
        let last = self.tokens.len() - 1;
        self.tokens[(self.at + count).min(last)]
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// Takes this symbol, if it is next.
    pub(super) fn take(&mut self, symbol: &str) -> bool {
        let found = self.peek().is(symbol);
        if found {
            self.next();
        }
        found
    }

    /// Takes this keyword, if it is next.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek().is_word(word);
        if found {
            self.next();
        }
        found
    }

    /// Takes this symbol, which must be next.
    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), String> {
        if self.take(symbol) {
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    /// The next token should not stand here. It is shown between its neighbours.
    pub(super) fn syntax(&self) -> String {
        let token = self.peek();
        let start = match self.at.checked_sub(1) {
            Some(before) => self.tokens[before].start,
            None => token.start,
        };
        let near = &self.text[start..self.ahead(1).end()];
        format!("Syntax error; token: \"{}\", near: \"{near}\"", token.text)
    }

    /// Remembers a mistake; the one that the service names first stays.
    pub(super) fn note(&mut self, rank: Rank, message: impl FnOnce() -> String) {
        if self.finding.as_ref().is_none_or(|(known, _)| rank < *known) {
            self.finding = Some((rank, message()));
        }
    }

    /// Parses something that stands within something else.
    pub(super) fn within<T>(
        &mut self,
        grammar: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        if self.depth == DEPTH_MAX {
            return Err(format!(
                "The expression is nested too deeply; the maximum is {DEPTH_MAX}"
            ));
        }
        self.depth += 1;
        let parsed = grammar(self)?;
        self.depth -= 1;
        Ok(parsed)
    }

    /// Parses what stands in a pair of parentheses, of which the opening one is next.
    pub(super) fn in_parentheses<T>(
        &mut self,
        grammar: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        let open = self.at;
        self.expect("(")?;
        let parsed = self.within(grammar)?;
        let close = self.at;
        self.expect(")")?;
        // "((a = b))": what the inner pair holds is all that the outer pair holds.
        if self.last_pair == Some((open + 1, close.saturating_sub(1))) {
            self.note(Rank::Parentheses, || {
                "The expression has redundant parentheses;".to_owned()
            });
        }
        self.last_pair = Some((open, close));
        Ok(parsed)
    }

    /// Parses the operands of a function, of which the opening parenthesis is next.
    pub(super) fn in_call<T>(
        &mut self,
        operand: impl Fn(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        self.expect("(")?;
        self.within(|parser| {
            let mut list = vec![operand(parser)?];
            while parser.take(",") {
                list.push(operand(parser)?);
            }
            parser.expect(")")?;
            Ok(list)
        })
    }

    /// Counts an operator or function.
    pub(super) fn operator(&mut self) -> Result<(), String> {
        self.operators += 1;
        if self.operators > OPERATORS_MAX {
            // The quota is documented, its text is not.
            return Err(format!(
                "The expression contains too many operators and functions; the maximum is \
                 {OPERATORS_MAX}"
            ));
        }
        Ok(())
    }

    /// `a.b[3]`, which must be next. Words in `keywords` are no names.
    pub(super) fn path(&mut self, keywords: &[&str]) -> Result<Path, String> {
        let mut steps = vec![self.name(keywords)?];
        loop {
            if self.take(".") {
                steps.push(self.name(keywords)?);
            } else if self.take("[") {
                if self.peek().kind != Kind::Number {
                    return Err(self.syntax());
                }
                // No list is longer than what a number of this size counts.
                let index = self.next().text.parse().unwrap_or(usize::MAX);
                steps.push(Step::Index(index));
                self.expect("]")?;
            } else {
                break;
            }
        }
        if steps.len() > STEPS_MAX {
            let count = steps.len();
            self.note(Rank::Steps, || {
                format!("The document path has too many nesting elements; nesting levels: {count}")
            });
        }
        Ok(Path(steps))
    }

    fn name(&mut self, keywords: &[&str]) -> Result<Step, String> {
        let token = self.peek();
        let keyword = keywords.iter().any(|word| token.is_word(word));
        match token.kind {
            Kind::Word if !keyword => {
                self.next();
                if is_reserved(token.text) {
                    self.note(Rank::Reserved, || {
                        format!(
                            "Attribute name is a reserved keyword; reserved keyword: {}",
                            token.text
                        )
                    });
                }
                Ok(Step::Name(token.text.to_owned()))
            }
            Kind::Name => {
                self.next();
                let meant = self.placeholders.name(token.text);
                if meant.is_none() {
                    self.note(Rank::Placeholder, || {
                        format!(
                            "An expression attribute name used in the document path is not defined; \
                             attribute name: {}",
                            token.text
                        )
                    });
                }
                Ok(Step::Name(meant.unwrap_or_default()))
            }
            _ => Err(self.syntax()),
        }
    }

    /// `:value`, which must be next; `None`: it is not defined, which is noted.
    pub(super) fn value(&mut self) -> Result<Option<AttributeValue>, String> {
        let token = self.peek();
        if token.kind != Kind::Value {
            return Err(self.syntax());
        }
        self.next();
        let meant = self.placeholders.value(token.text);
        if meant.is_none() {
            self.note(Rank::Placeholder, || {
                format!(
                    "An expression attribute value used in expression is not defined; attribute \
                     value: {}",
                    token.text
                )
            });
        }
        Ok(meant)
    }

    /// Notes paths of which one leads through another.
    pub(super) fn note_clashes(&mut self, paths: &[&Path]) {
        for (i, later) in paths.iter().enumerate() {
            for earlier in &paths[..i] {
                let (rank, verb) = match earlier.clash(later) {
                    None => continue,
                    Some(Clash::Overlap) => (Rank::Overlap, "overlap"),
                    Some(Clash::Conflict) => (Rank::Conflict, "conflict"),
                };
                self.note(rank, || {
                    format!(
                        "Two document paths {verb} with each other; must remove or rewrite one of \
                         these paths; path one: {earlier}, path two: {later}"
                    )
                });
            }
        }
    }
}

/// "Incorrect number of operands …".
pub(super) fn wrong_count(name: &str, count: usize) -> String {
    format!(
        "Incorrect number of operands for operator or function; operator or function: {name}, number \
         of operands: {count}"
    )
}

/// "Incorrect operand type …".
pub(super) fn wrong_type(name: &str, kind: &str) -> String {
    format!(
        "Incorrect operand type for operator or function; operator or function: {name}, operand \
         type: {kind}"
    )
}

/// "Operator or function requires a document path …".
pub(super) fn path_required(name: &str) -> String {
    format!("Operator or function requires a document path; operator or function: {name}")
}
