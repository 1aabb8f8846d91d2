//! Which requests a rule is about.

mod asked;
mod condition;

use std::time::Duration;

use serde_json::{Map, Value, json};

pub(crate) use self::asked::Asked;
use self::condition::{Condition, ToolResult, Wanted};
use super::text::{Numbers, Text};
use crate::document::{Field, Mistake};

/// Which requests a rule is about: all of its conditions must hold. [`When::any`] is about every
/// request.
///
/// ```
/// use bedrock_emulator::script::{Text, When};
///
/// let when = When::any().operation("Converse*").model("haiku").prompt(Text::contains("weather"));
/// assert_ne!(when, When::any());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct When {
    conditions: Vec<Condition>,
    accounts: Vec<String>,
    call: Option<Numbers>,
    seconds: Option<Window>,
}

/// From one moment to another, counted from when the rule was put in place.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Window {
    from: Duration,
    to: Option<Duration>,
}

impl When {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// The operation's name; `*` and `?` stand for other characters.
    #[must_use]
    pub fn operation(self, pattern: &str) -> Self {
        self.and(Condition::Operation(vec![pattern.to_owned()]))
    }

    /// The model: what the request names, its base id or its alias (`haiku`); `*` and `?` stand for
    /// other characters.
    #[must_use]
    pub fn model(self, pattern: &str) -> Self {
        self.and(Condition::Model(vec![pattern.to_owned()]))
    }

    /// The text of the last user message.
    #[must_use]
    pub fn prompt(self, text: impl Into<Text>) -> Self {
        self.and(Condition::Prompt(text.into()))
    }

    /// The system prompt's text.
    #[must_use]
    pub fn system(self, text: impl Into<Text>) -> Self {
        self.and(Condition::System(text.into()))
    }

    /// How many messages of the user the conversation has: 1 is the first question.
    #[must_use]
    pub fn turn(self, turn: impl Into<Numbers>) -> Self {
        self.and(Condition::Turn(turn.into()))
    }

    /// The request offers a tool of this name.
    #[must_use]
    pub fn tool(self, name: &str) -> Self {
        self.and(Condition::Tool(vec![name.to_owned()]))
    }

    /// The last message brings a result of this tool.
    #[must_use]
    pub fn tool_result(self, name: &str) -> Self {
        self.and(Condition::ToolResult(ToolResult {
            name: Some(name.to_owned()),
            ..ToolResult::default()
        }))
    }

    /// The last message brings a tool result with this text.
    #[must_use]
    pub fn tool_result_text(self, text: impl Into<Text>) -> Self {
        self.and(Condition::ToolResult(ToolResult {
            text: Some(text.into()),
            ..ToolResult::default()
        }))
    }

    /// A header; its name in any case.
    #[must_use]
    pub fn header(self, name: &str, text: impl Into<Text>) -> Self {
        let name = name.to_ascii_lowercase();
        self.and(Condition::Header(name, Wanted::Text(text.into())))
    }

    /// The value that a JSON Pointer (RFC 6901) finds in the request's body.
    #[must_use]
    pub fn body(self, pointer: &str, value: Value) -> Self {
        self.and(Condition::Body(pointer.to_owned(), Wanted::Equals(value)))
    }

    /// Which of the requests that everything else fits, counted from 1.
    #[must_use]
    pub fn call(mut self, call: impl Into<Numbers>) -> Self {
        self.call = Some(call.into());
        self
    }

    fn and(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Whether it says anything about requests.
    pub(crate) fn is_any(&self) -> bool {
        self.conditions.is_empty() && self.call.is_none() && self.seconds.is_none()
    }

    /// The accounts it is for; none: wherever it is put.
    pub(crate) fn accounts(&self) -> &[String] {
        &self.accounts
    }

    /// Whether all conditions hold that do not depend on what came before.
    pub(crate) fn holds(&self, asked: &Asked<'_>) -> bool {
        self.conditions.iter().all(|c| c.holds(asked))
    }

    /// Whether the `n`-th request that everything else fits is one, `since` the rule's start.
    pub(crate) fn is_its_turn(&self, n: u64, since: time::Duration) -> bool {
        let since = Duration::try_from(since).unwrap_or_default();
        let in_time = |w: Window| since >= w.from && w.to.is_none_or(|to| since < to);
        self.call.is_none_or(|call| call.holds(n)) && self.seconds.is_none_or(in_time)
    }

    /// What keeps it from being about this request; the number of conditions that hold comes along.
    pub(crate) fn objections(&self, asked: &Asked<'_>) -> (usize, Vec<String>) {
        let (held, broken): (Vec<_>, Vec<_>) = self.conditions.iter().partition(|c| c.holds(asked));
        let objections = broken.iter().map(|c| c.objection(asked));
        (held.len(), objections.collect())
    }

    /// In words, why the `n`-th request is not one.
    pub(crate) fn not_its_turn(&self, n: u64) -> String {
        match self.call {
            Some(call) if !call.holds(n) => {
                format!("it is about {call} of the requests that fit it, and this is number {n}")
            }
            _ => "the time it is for is not now".to_owned(),
        }
    }

    /// Reads `when`. With `only`, other conditions are refused: nobody has read the body yet.
    pub(crate) fn read(field: &Field<'_>, only: Only) -> Result<Self, Mistake> {
        let mut table = field.table()?;
        let mut when = Self::default();
        let mut add = |condition: Option<Condition>| when.conditions.extend(condition);
        add(table
            .read("operation", |f| f.texts())?
            .map(Condition::Operation));
        add(table.read("model", |f| f.texts())?.map(Condition::Model));
        if only == Only::Everything {
            add(table
                .read("prompt", |f| Text::read(&f))?
                .map(Condition::Prompt));
            add(table
                .read("system", |f| Text::read(&f))?
                .map(Condition::System));
            add(table
                .read("turn", |f| Numbers::read(&f))?
                .map(Condition::Turn));
            add(table.read("tool", |f| f.texts())?.map(Condition::Tool));
            let result = table.read("tool_result", |f| ToolResult::read(&f))?;
            add(result.map(Condition::ToolResult));
            if let Some(field) = table.get("body") {
                for (pointer, field) in field.table()?.open() {
                    if !pointer.is_empty() && !pointer.starts_with('/') {
                        return Err(field.mistake(
                            "must be a JSON Pointer such as \"/messages/0/role\": it starts with a slash",
                        ));
                    }
                    let wanted = Wanted::read(&field)?;
                    add(Some(Condition::Body(pointer.to_owned(), wanted)));
                }
            }
        }
        if let Some(field) = table.get("header") {
            for (name, field) in field.table()?.open() {
                let wanted = match field.value {
                    Value::Bool(flag) => Wanted::Present(*flag),
                    _ => Wanted::read(&field)?,
                };
                add(Some(Condition::Header(name.to_ascii_lowercase(), wanted)));
            }
        }
        when.accounts = table.read("account", |f| accounts(&f))?.unwrap_or_default();
        when.call = table.read("call", |f| Numbers::read(&f))?;
        when.seconds = table.read("seconds", |f| Window::read(&f))?;
        table.finish()?;
        Ok(when)
    }

    /// As [`When::read`] reads it; nothing if it says nothing.
    pub(crate) fn shown(&self) -> Option<Value> {
        let mut map = Map::new();
        for condition in &self.conditions {
            let (key, value) = condition.shown();
            match (map.get_mut(key), value) {
                (Some(Value::Object(all)), Value::Object(more)) => all.extend(more),
                (_, value) => drop(map.insert(key.to_owned(), value)),
            }
        }
        if !self.accounts.is_empty() {
            map.insert("account".to_owned(), json!(self.accounts));
        }
        map.extend(self.call.map(|call| ("call".to_owned(), call.shown())));
        map.extend(self.seconds.map(|w| ("seconds".to_owned(), w.shown())));
        (!map.is_empty()).then_some(Value::Object(map))
    }
}

/// Which conditions a rule can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Only {
    Everything,
    /// What is known before the body is read.
    Front,
}

fn accounts(field: &Field<'_>) -> Result<Vec<String>, Mistake> {
    let ids = field.texts()?;
    let wrong = ids.iter().find(|id| !crate::account::is_id(id));
    match wrong {
        None => Ok(ids),
        Some(id) => Err(field.mistake(format!("names {id:?}: an account id is twelve digits"))),
    }
}

impl Window {
    fn read(field: &Field<'_>) -> Result<Self, Mistake> {
        const LONG: f64 = 1e9;
        let mut table = field.table()?;
        let from = table.read("from", |f| f.number(0.0, LONG))?.unwrap_or(0.0);
        let to = table.read("to", |f| f.number(from, LONG))?;
        table.finish()?;
        Ok(Self {
            from: Duration::from_secs_f64(from),
            to: to.map(Duration::from_secs_f64),
        })
    }

    fn shown(self) -> Value {
        let mut value = json!({ "from": self.from.as_secs_f64() });
        if let Some(to) = self.to {
            value["to"] = to.as_secs_f64().into();
        }
        value
    }
}
