//! Intrinsic functions: `States.Format('{} of {}', $.done, $.all)`.

mod functions;

use std::borrow::Cow;

use serde_json::Value;

use crate::{failure::Failure, limits::INTRINSIC_DEPTH, path::Path, template::Env};
use functions::Function;

/// What a member named `….$` may hold.
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    Path(Path),
    Call(Call),
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    function: Function,
    arguments: Vec<Argument>,
    /// As written, for messages.
    text: String,
}

#[derive(Debug, Clone)]
enum Argument {
    Literal(Value),
    /// A text in quotes: what stands between its placeholders, and the text as a value.
    Text(Vec<String>, Value),
    Path(Path),
    Call(Call),
}

impl Expression {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('$') {
            return Path::parse(text).map(Self::Path);
        }
        let mut reader = Reader { rest: text };
        let call = reader.call(0)?;
        if !reader.rest.is_empty() {
            return Err(format!("unexpected '{}' after the call", reader.rest));
        }
        Ok(Self::Call(call))
    }

    /// `field` is the name of the member, for messages.
    pub(crate) fn evaluate<'a>(
        &self,
        env: &mut Env<'a>,
        field: &str,
    ) -> Result<Cow<'a, Value>, Failure> {
        match self {
            Self::Path(path) => env.take(path, field),
            Self::Call(call) => call.evaluate(env, field).map(Cow::Owned),
        }
    }
}

impl Call {
    fn evaluate(&self, env: &mut Env<'_>, field: &str) -> Result<Value, Failure> {
        let mut values = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            values.push(match argument {
                Argument::Literal(value) | Argument::Text(_, value) => {
                    Cow::Owned(env.own(Cow::Borrowed(value))?)
                }
                Argument::Path(path) => env.take(path, field)?,
                Argument::Call(call) => Cow::Owned(call.evaluate(env, field)?),
            });
        }
        let placeholders = match self.arguments.first() {
            Some(Argument::Text(parts, _)) => Some(parts.as_slice()),
            _ => None,
        };
        self.function
            .apply(&values, placeholders, env)
            .map_err(|why| why.of(&self.text))
    }
}

/// Reads a call from left to right.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn call(&mut self, depth: usize) -> Result<Call, String> {
        if depth == INTRINSIC_DEPTH {
            return Err(format!(
                "more than {INTRINSIC_DEPTH} functions within each other"
            ));
        }
        let whole = self.rest;
        let (name, rest) = whole
            .split_once('(')
            .ok_or("expected a path or a call such as States.Array(...)")?;
        let function = Function::named(name).ok_or_else(|| format!("no function '{name}'"))?;
        self.rest = rest.trim_start();
        let mut arguments = Vec::new();
        if !self.eat(')') {
            loop {
                arguments.push(self.argument(depth)?);
                self.rest = self.rest.trim_start();
                if self.eat(')') {
                    break;
                }
                if !self.eat(',') {
                    return Err("expected ',' or ')' after an argument".to_owned());
                }
                self.rest = self.rest.trim_start();
            }
        }
        function.accepts(arguments.len())?;
        Ok(Call {
            function,
            arguments,
            text: whole[..whole.len() - self.rest.len()].to_owned(),
        })
    }

    fn eat(&mut self, c: char) -> bool {
        self.rest.strip_prefix(c).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    fn argument(&mut self, depth: usize) -> Result<Argument, String> {
        match self.rest.chars().next() {
            Some('\'') => self.quoted(),
            Some('$') => {
                let end = path_end(self.rest);
                let path = Path::parse(self.rest[..end].trim_end())?;
                self.rest = &self.rest[end..];
                Ok(Argument::Path(path))
            }
            Some('S') => self.call(depth + 1).map(Argument::Call),
            _ => {
                let end = self.rest.find([',', ')']).unwrap_or(self.rest.len());
                let word = self.rest[..end].trim_end();
                let value: Value = serde_json::from_str(word)
                    .ok()
                    .filter(|v: &Value| v.is_number() || v.is_boolean() || v.is_null())
                    .ok_or_else(|| format!("'{word}' is no argument"))?;
                self.rest = &self.rest[end..];
                Ok(Argument::Literal(value))
            }
        }
    }

    /// A text in single quotes. `\'`, `\{`, `\}` and `\\` are its only escapes; another backslash is
    /// refused (recorded).
    fn quoted(&mut self) -> Result<Argument, String> {
        let mut parts = vec![String::new()];
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '\'' => {
                    self.rest = &self.rest[at + 1..];
                    let text = parts.join("{}");
                    return Ok(Argument::Text(parts, Value::String(text)));
                }
                '{' if chars.next_if(|(_, next)| *next == '}').is_some() => {
                    parts.push(String::new());
                }
                '\\' => match chars.next() {
                    Some((_, escaped @ ('\'' | '{' | '}' | '\\'))) => {
                        push(&mut parts, escaped);
                    }
                    _ => return Err("a backslash escapes only ' { } and \\".to_owned()),
                },
                _ => push(&mut parts, c),
            }
        }
        Err("a text in quotes is not closed".to_owned())
    }
}

fn push(parts: &mut [String], c: char) {
    if let Some(last) = parts.last_mut() {
        last.push(c);
    }
}

/// Where a path that is an argument ends: at the comma or parenthesis that is not its own.
fn path_end(text: &str) -> usize {
    let (mut brackets, mut parens) = (0_usize, 0_usize);
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') if brackets > 0 => quote = Some(c),
            (None, '[') => brackets += 1,
            (None, ']') => brackets = brackets.saturating_sub(1),
            (None, '(') => parens += 1,
            (None, ')') if parens > 0 => parens -= 1,
            (None, ',' | ')') if brackets == 0 => return at,
            _ => {}
        }
    }
    text.len()
}
