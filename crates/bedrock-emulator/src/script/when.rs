//! Which requests a rule is about.

use std::{cell::OnceCell, time::Duration};

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::text::{Numbers, Text, fits};
use crate::{
    catalogue::Resolved,
    conversation::{Block, Conversation, Role, texts},
    document::{Field, Mistake},
    wire::Request,
};

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

#[derive(Debug, Clone, PartialEq)]
enum Condition {
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
struct ToolResult {
    /// There must be none at all.
    absent: bool,
    name: Option<String>,
    text: Option<Text>,
}

/// What a header or a part of the body must be.
#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    Present(bool),
    Text(Text),
    /// Any other JSON: equal.
    Equals(Value),
}

/// The request that a rule may be about.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'a str,
    /// As sent: an id, a profile's id or an ARN.
    pub(crate) model: Option<&'a str>,
    pub(crate) resolved: Option<&'a Resolved<'a>>,
    pub(crate) conversation: Option<&'a Conversation>,
    pub(crate) request: &'a Request,
    pub(crate) now: OffsetDateTime,
    /// Read when a rule looks at it.
    body: OnceCell<Value>,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(operation: &'a str, request: &'a Request, now: OffsetDateTime) -> Self {
        Self {
            operation,
            model: None,
            resolved: None,
            conversation: None,
            request,
            now,
            body: OnceCell::new(),
        }
    }

    fn body(&self) -> &Value {
        let read = || serde_json::from_slice(&self.request.body).unwrap_or(Value::Null);
        self.body.get_or_init(read)
    }

    fn model_fits(&self, pattern: &str) -> bool {
        let resolved = self.resolved.map(|r| r.model);
        let names = [
            self.model,
            resolved.map(|m| m.id.as_str()),
            resolved.and_then(|m| m.alias.as_deref()),
        ];
        names.iter().flatten().any(|name| fits(pattern, name))
    }

    /// How many messages of the user there are.
    fn turn(&self) -> u64 {
        let turns = self.conversation.map_or(&[][..], |c| &c.turns);
        let users = turns.iter().filter(|turn| turn.role == Role::User);
        users.count() as u64
    }

    fn system(&self) -> String {
        let blocks = self.conversation.map_or(&[][..], |c| &c.system);
        let texts = blocks.iter().filter_map(|block| match block {
            Block::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Name and text of each tool result in the last message.
    fn tool_results(&self) -> Vec<(&str, String)> {
        let Some(conversation) = self.conversation else {
            return Vec::new();
        };
        let last = conversation
            .turns
            .last()
            .map_or(&[][..], |turn| &turn.blocks);
        let name_of = |wanted: &str| {
            let mut all = conversation
                .blocks()
                .filter_map(|(_, _, block)| match block {
                    Block::ToolUse { id, name, .. } if id == wanted => Some(name.as_str()),
                    _ => None,
                });
            all.next().unwrap_or_default()
        };
        let results = last.iter().filter_map(|block| match block {
            Block::ToolResult { id, parts, .. } => Some((name_of(id), texts(parts))),
            _ => None,
        });
        results.collect()
    }
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

impl ToolResult {
    /// `true`, `false`, or `{ name = …, text = … }`.
    fn read(field: &Field<'_>) -> Result<Self, Mistake> {
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

    fn shown(&self) -> Value {
        if self.name.is_none() && self.text.is_none() {
            return (!self.absent).into();
        }
        let mut map = Map::new();
        map.extend(self.name.as_deref().map(|n| ("name".to_owned(), n.into())));
        map.extend(self.text.as_ref().map(|t| ("text".to_owned(), t.shown())));
        Value::Object(map)
    }

    fn holds(&self, results: &[(&str, String)]) -> bool {
        if self.absent {
            return results.is_empty();
        }
        results.iter().any(|(name, text)| {
            self.name.as_ref().is_none_or(|wanted| fits(wanted, name))
                && self.text.as_ref().is_none_or(|wanted| wanted.holds(text))
        })
    }

    fn objection(&self, results: &[(&str, String)]) -> String {
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
    fn read(field: &Field<'_>) -> Result<Self, Mistake> {
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

    fn shown(&self) -> Value {
        match self {
            Self::Present(flag) => json!({ "exists": flag }),
            Self::Text(text) => text.shown(),
            Self::Equals(value @ (Value::Number(_) | Value::Array(_))) => value.clone(),
            Self::Equals(value) => json!({ "is": value }),
        }
    }

    fn holds(&self, value: Option<&Value>) -> bool {
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

    fn objection(&self, what: &str, value: Option<&Value>) -> String {
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
    fn holds(&self, asked: &Asked<'_>) -> bool {
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
            Self::Header(name, wanted) => wanted.holds(header(asked, name).as_ref()),
            Self::Body(pointer, wanted) => wanted.holds(asked.body().pointer(pointer)),
        }
    }

    /// Why it does not hold.
    fn objection(&self, asked: &Asked<'_>) -> String {
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
                wanted.objection(&format!("the header {name}"), header(asked, name).as_ref())
            }
            Self::Body(pointer, wanted) => wanted.objection(
                &format!("the body's {pointer}"),
                asked.body().pointer(pointer),
            ),
        }
    }

    fn shown(&self) -> (&'static str, Value) {
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

fn header(asked: &Asked<'_>, name: &str) -> Option<Value> {
    asked.request.header(name).map(Value::from)
}

/// Enough of a text to recognise it.
fn short(text: &str) -> String {
    match text.char_indices().nth(120) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}
