//! What a rule asks of a request: whether it holds, why not, and how it is written down.

use serde_json::{Map, Value, json};

use super::Asked;
use crate::{
    conversation::Conversation,
    document::{Field, Mistake},
    script::text::{Numbers, Text, fits},
};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Operation(Vec<String>),
    Model(Vec<String>),
    Prompt(Text),
    System(Text),
    Turn(Numbers),
    /// The request offers a tool of that name.
    Tool(Vec<String>),
    ToolResult(ToolResult),
    Header(String, Wanted),
    /// A JSON Pointer (RFC 6901) into the body.
    Body(String, Wanted),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ToolResult {
    /// There must be none at all.
    pub(super) absent: bool,
    pub(super) name: Option<String>,
    pub(super) text: Option<Text>,
}

/// What a header or a part of the body must be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    Present(bool),
    Text(Text),
    /// Any other JSON: equal.
    Equals(Value),
}

impl ToolResult {
    /// `true`, `false`, or `{ name = …, text = … }`.
    pub(super) fn read(field: &Field<'_>) -> Result<Self, Mistake> {
        if field.value.is_boolean() {
            let absent = !field.flag()?;
            return Ok(Self {
                absent,
                ..Self::default()
            });
        }
        let mut table = field.table()?;
        let name = table.read("name", |f| f.name())?.map(str::to_owned);
        let text = table.read("text", |f| Text::read(&f))?;
        table.finish()?;
        Ok(Self {
            absent: false,
            name,
            text,
        })
    }

    pub(super) fn shown(&self) -> Value {
        if self.name.is_none() && self.text.is_none() {
            return (!self.absent).into();
        }
        let mut map = Map::new();
        map.extend(self.name.as_deref().map(|n| ("name".to_owned(), n.into())));
        map.extend(self.text.as_ref().map(|t| ("text".to_owned(), t.shown())));
        Value::Object(map)
    }

    pub(super) fn holds(&self, results: &[(&str, String)]) -> bool {
        if self.absent {
            return results.is_empty();
        }
        results.iter().any(|(name, text)| {
            self.name.as_ref().is_none_or(|wanted| fits(wanted, name))
                && self.text.as_ref().is_none_or(|wanted| wanted.holds(text))
        })
    }

    pub(super) fn objection(&self, results: &[(&str, String)]) -> String {
        let found: Vec<_> = results
            .iter()
            .map(|(name, text)| format!("{name}: {:?}", short(text)))
            .collect();
        let found = match found.as_slice() {
            [] => "it has none".to_owned(),
            found => format!("it has {}", found.join(", ")),
        };
        if self.absent {
            return format!("the last message must have no tool result, but {found}");
        }
        let name = self.name.as_ref().map(|n| format!(" of {n:?}"));
        let text = self
            .text
            .as_ref()
            .map(|t| format!(", whose text {}", t.demand()));
        format!(
            "the last message must have a tool result{}{}, but {found}",
            name.unwrap_or_default(),
            text.unwrap_or_default()
        )
    }
}

impl Wanted {
    /// A text (contained), `{ contains, equals, regex }`, `{ exists = true }`, `{ is = … }`, or any
    /// other value (equal).
    pub(super) fn read(field: &Field<'_>) -> Result<Self, Mistake> {
        Ok(match field.value {
            Value::Object(map) if map.contains_key("is") || map.contains_key("exists") => {
                let mut table = field.table()?;
                let exists = table.read("exists", |f| f.flag())?;
                let is = table.read("is", |f| Ok(f.value.clone()))?;
                table.finish()?;
                is.map(Self::Equals)
                    .or(exists.map(Self::Present))
                    .unwrap_or(Self::Present(true))
            }
            Value::String(_) | Value::Object(_) => Self::Text(Text::read(field)?),
            other => Self::Equals(other.clone()),
        })
    }

    pub(super) fn shown(&self) -> Value {
        match self {
            Self::Present(flag) => json!({ "exists": flag }),
            Self::Text(text) => text.shown(),
            Self::Equals(value @ (Value::Number(_) | Value::Array(_))) => value.clone(),
            Self::Equals(value) => json!({ "is": value }),
        }
    }

    pub(super) fn holds(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Present(wanted), value) => *wanted == value.is_some(),
            (_, None) => false,
            (Self::Text(text), Some(Value::String(value))) => text.holds(value),
            (Self::Text(text), Some(value)) => text.holds(&value.to_string()),
            // 1 and 1.0 are the same number.
            (Self::Equals(wanted), Some(value)) => {
                wanted == value || wanted.as_f64().is_some_and(|n| value.as_f64() == Some(n))
            }
        }
    }

    pub(super) fn objection(&self, what: &str, value: Option<&Value>) -> String {
        let demand = match self {
            Self::Present(true) => "must be there".to_owned(),
            Self::Present(false) => "must not be there".to_owned(),
            Self::Text(text) => text.demand(),
            Self::Equals(value) => format!("must be {value}"),
        };
        match value {
            None => format!("{what} {demand}, but it is not there"),
            Some(value) => format!("{what} {demand}, but it is {}", short(&value.to_string())),
        }
    }
}

impl Condition {
    pub(super) fn holds(&self, asked: &Asked<'_>) -> bool {
        match self {
            Self::Operation(names) => names.iter().any(|n| fits(n, asked.operation)),
            Self::Model(names) => names.iter().any(|n| asked.model_fits(n)),
            Self::Prompt(text) => asked.conversation.is_some_and(|c| text.holds(&c.prompt())),
            Self::System(text) => text.holds(&asked.system()),
            Self::Turn(numbers) => numbers.holds(asked.turn()),
            Self::Tool(names) => {
                let tools = asked.conversation.map_or(&[][..], |c| &c.tools);
                tools.iter().any(|t| names.iter().any(|n| fits(n, &t.name)))
            }
            Self::ToolResult(wanted) => wanted.holds(&asked.tool_results()),
            Self::Header(name, wanted) => wanted.holds(asked.header(name).as_ref()),
            Self::Body(pointer, wanted) => wanted.holds(asked.body().pointer(pointer)),
        }
    }

    /// Why it does not hold.
    pub(super) fn objection(&self, asked: &Asked<'_>) -> String {
        match self {
            Self::Operation(names) => {
                format!("it is for {}, not {}", names.join(" or "), asked.operation)
            }
            Self::Model(names) => format!(
                "it is for the model {}, not {}",
                names.join(" or "),
                asked.model.unwrap_or("(none)")
            ),
            Self::Prompt(text) => {
                let prompt = asked
                    .conversation
                    .map(Conversation::prompt)
                    .unwrap_or_default();
                format!(
                    "the prompt {}, but it is {:?}",
                    text.demand(),
                    short(&prompt)
                )
            }
            Self::System(text) => format!(
                "the system prompt {}, but it is {:?}",
                text.demand(),
                short(&asked.system())
            ),
            Self::Turn(numbers) => {
                format!(
                    "the turn must be {numbers}, but it is number {}",
                    asked.turn()
                )
            }
            Self::Tool(names) => {
                let tools = asked.conversation.map_or(&[][..], |c| &c.tools);
                let offered: Vec<_> = tools.iter().map(|t| t.name.as_str()).collect();
                format!(
                    "the request must offer the tool {}, but it offers {offered:?}",
                    names.join(" or ")
                )
            }
            Self::ToolResult(wanted) => wanted.objection(&asked.tool_results()),
            Self::Header(name, wanted) => {
                wanted.objection(&format!("the header {name}"), asked.header(name).as_ref())
            }
            Self::Body(pointer, wanted) => wanted.objection(
                &format!("the body's {pointer}"),
                asked.body().pointer(pointer),
            ),
        }
    }

    pub(super) fn shown(&self) -> (&'static str, Value) {
        match self {
            Self::Operation(names) => ("operation", json!(names)),
            Self::Model(names) => ("model", json!(names)),
            Self::Prompt(text) => ("prompt", text.shown()),
            Self::System(text) => ("system", text.shown()),
            Self::Turn(numbers) => ("turn", numbers.shown()),
            Self::Tool(names) => ("tool", json!(names)),
            Self::ToolResult(wanted) => ("tool_result", wanted.shown()),
            Self::Header(name, wanted) => ("header", json!({ name.as_str(): wanted.shown() })),
            Self::Body(pointer, wanted) => ("body", json!({ pointer.as_str(): wanted.shown() })),
        }
    }
}

/// Enough of a text to recognise it.
fn short(text: &str) -> String {
    match text.char_indices().nth(120) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}
