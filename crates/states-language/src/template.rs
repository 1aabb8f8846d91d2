//! Payload templates (`Parameters`, `ResultSelector`, `ItemSelector`): JSON in which a member whose
//! name ends with `.$` is computed.

use std::{borrow::Cow, cell::OnceCell};

use serde_json::{Map, Value};

use crate::{
    context::Standing,
    failure::{Failure, PARAMETER_PATH_FAILURE},
    intrinsic::Expression,
    limits::PAYLOAD_BYTES,
    path::{Path, Root},
    payload,
    rng::Rng,
};

#[derive(Debug, Clone)]
pub(crate) enum Template {
    Literal(Value),
    Object(Vec<(String, Template)>),
    Array(Vec<Template>),
    Computed(Expression, String),
}

/// A text that stands in the definition or is computed: `Error` or `ErrorPath`.
#[derive(Debug, Clone)]
pub(crate) enum TextSource {
    Fixed(String),
    /// With the name of its field.
    Computed(Expression, &'static str),
}

/// From what values are computed.
pub(crate) struct Env<'a> {
    pub(crate) input: &'a Value,
    pub(crate) context: &'a Context<'a>,
    pub(crate) rng: &'a mut Rng,
    /// Bytes that may still be made. A small template can ask for the whole input a thousand times.
    pub(crate) budget: usize,
}

/// The context object, made when somebody looks.
pub(crate) struct Context<'a> {
    standing: Standing<'a>,
    made: OnceCell<Value>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(standing: Standing<'a>) -> Self {
        Self {
            standing,
            made: OnceCell::new(),
        }
    }

    pub(crate) fn value(&self) -> &Value {
        self.made.get_or_init(|| self.standing.context())
    }
}

/// What a template may make before its result is looked at. No result above the limit is any use, and
/// arguments of functions may be somewhat larger.
pub(crate) const BUDGET: usize = 4 * PAYLOAD_BYTES;

impl<'a> Env<'a> {
    pub(crate) fn new(input: &'a Value, context: &'a Context<'a>, rng: &'a mut Rng) -> Self {
        Self {
            input,
            context,
            rng,
            budget: BUDGET,
        }
    }

    pub(crate) fn root(&self, path: &Path) -> &'a Value {
        match path.root {
            Root::Input => self.input,
            Root::Context => self.context.value(),
        }
    }

    /// Takes what the path leads to. `field` names the member for which it is needed.
    pub(crate) fn take(&mut self, path: &Path, field: &str) -> Result<Cow<'a, Value>, Failure> {
        let root = self.root(path);
        let taken = path
            .select(root)
            .map_err(|_| not_found(path, field, self.input))?;
        if path.makes_a_list() {
            self.spend(payload::length(&taken))?;
        }
        Ok(taken)
    }

    /// Accounts for a value of that length.
    pub(crate) fn spend(&mut self, bytes: usize) -> Result<(), Failure> {
        self.budget = self
            .budget
            .checked_sub(bytes)
            .ok_or_else(|| Failure::data_limit(self.context.standing.state))?;
        Ok(())
    }

    /// A value of one's own.
    pub(crate) fn own(&mut self, value: Cow<'_, Value>) -> Result<Value, Failure> {
        match value {
            Cow::Owned(value) => Ok(value),
            Cow::Borrowed(value) => {
                self.spend(payload::length(value))?;
                Ok(value.clone())
            }
        }
    }
}

/// Recorded, name and text. The documented name is `States.ParameterPathFailure`.
fn not_found(path: &Path, field: &str, input: &Value) -> Failure {
    Failure::runtime(format!(
        "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{input}'",
        path.text()
    ))
    .also(PARAMETER_PATH_FAILURE)
}

impl Template {
    pub(crate) fn fill(&self, env: &mut Env<'_>) -> Result<Value, Failure> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Object(members) => {
                let mut filled = Map::new();
                for (name, template) in members {
                    filled.insert(name.clone(), template.fill(env)?);
                }
                Ok(Value::Object(filled))
            }
            Self::Array(items) => {
                let filled: Result<Vec<_>, _> = items.iter().map(|t| t.fill(env)).collect();
                filled.map(Value::Array)
            }
            Self::Computed(expression, field) => {
                let value = expression.evaluate(env, field)?;
                env.own(value)
            }
        }
    }
}

impl TextSource {
    pub(crate) fn text(&self, env: &mut Env<'_>) -> Result<String, Failure> {
        match self {
            Self::Fixed(text) => Ok(text.clone()),
            Self::Computed(expression, field) => match &*expression.evaluate(env, field)? {
                Value::String(text) => Ok(text.clone()),
                other => Err(Failure::runtime(format!(
                    "The value of the field '{field}' must be a string but was: {other}"
                ))),
            },
        }
    }
}
