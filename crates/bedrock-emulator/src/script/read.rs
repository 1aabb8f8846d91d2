//! The keys of a rule, in TOML and in JSON.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{Fault, Mistake, Only, Piece, Raw, Rule, Said, Step, When};
use crate::{
    document::{self, Field, Table},
    error::Code,
    fault::FaultRule,
    refusal::Refusal,
};

/// A script file: scripted replies, fault rules, or both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// Whether a request that no reply fits is refused; `None`: the file does not say.
    pub strict: Option<bool>,
    /// `[[reply]]`, in order.
    pub replies: Vec<Rule>,
    /// `[[fault]]`, in order.
    pub faults: Vec<FaultRule>,
}

impl Document {
    /// Reads a TOML file. A mistake names line, column, key and the cure.
    pub fn from_toml(text: &str) -> Result<Self, Mistake> {
        document::from_toml(text, Self::read)
    }

    /// Reads the same keys from JSON.
    pub fn from_json(value: &Value) -> Result<Self, Mistake> {
        Self::read(Field::root(value).table()?)
    }

    fn read(mut table: Table<'_>) -> Result<Self, Mistake> {
        let strict = table.read("strict", |f| f.flag())?;
        let mut document = Self {
            strict,
            ..Self::default()
        };
        if let Some(field) = table.get("reply") {
            for item in field.list()? {
                document.replies.push(rule(&item)?);
            }
        }
        if let Some(field) = table.get("fault") {
            for item in field.list()? {
                document.faults.push(FaultRule::read(&item)?);
            }
        }
        table.finish()?;
        Ok(document)
    }
}

fn rule(field: &Field<'_>) -> Result<Rule, Mistake> {
    let mut table = field.table()?;
    let name = table.read("name", |f| f.name())?.map(str::to_owned);
    let when = table.read("when", |f| When::read(&f, Only::Everything))?;
    let when = when.unwrap_or_default();
    let then = table.get("then");
    let mut answers = vec![answer(&mut table)?];
    if let Some(field) = then {
        for item in field.list()? {
            let mut table = item.table()?;
            answers.push(answer(&mut table)?);
            table.finish()?;
        }
    }
    table.finish()?;
    let last = answers.len() - 1;
    let mut said = Vec::new();
    for (n, (step, times)) in answers.into_iter().enumerate() {
        let times = match times {
            Some(times) => times,
            // What is about certain requests goes on answering them; a plain step answers once.
            None if n == last && !when.is_any() => None,
            None => Some(1),
        };
        if times.is_none() && n != last {
            return Err(field.mistake("has an answer that never ends before its last one"));
        }
        said.push(Said { step, times });
    }
    Ok(Rule {
        name,
        when,
        answers: said,
    })
}

#[expect(
    clippy::option_option,
    reason = "not said, without end, or so many times"
)]
/// The keys of one answer; the number of times is `None` when the table does not say.
fn answer(table: &mut Table<'_>) -> Result<(Step, Option<Option<u64>>), Mistake> {
    let times = table.read("times", |f| match f.value.as_str() {
        Some("always") => Ok(None),
        _ => f.whole(1).map(Some),
    })?;
    let fault = fault(table)?;
    let raw = table.read("raw", |f| raw(&f))?;
    let pieces = pieces(table)?;
    let step = match (fault, raw, pieces) {
        (Some(fault), None, None) => Step::Fault(fault),
        (None, Some(raw), None) => Step::Raw(raw),
        (None, None, Some(pieces)) => Step::Say(pieces),
        (None, None, None) => {
            // Most likely a misspelt key.
            table.finish()?;
            return Err(table
                .mistake("says nothing; write text, thinking, tool, say, error, socket or raw"));
        }
        _ => {
            return Err(table.mistake(
                "has several answers at once; what follows a failure belongs into [[reply.then]], \
                 and an error in the middle of a stream into say = [ …, { error = … } ]",
            ));
        }
    };
    Ok((step, times))
}

/// `error`, `message` and `retry_after_ms`, or `socket`.
pub(crate) fn fault(table: &mut Table<'_>) -> Result<Option<Fault>, Mistake> {
    let socket = table.read("socket", |f| {
        f.word(&[("cut", Socket::Cut), ("hang", Socket::Hang)])
    })?;
    let error = table.read("error", |f| named(&f))?;
    let message = table.read("message", |f| f.text())?;
    let retry_after_ms = table.read("retry_after_ms", |f| f.whole(0))?;
    if error.is_none() && (message.is_some() || retry_after_ms.is_some()) {
        return Err(table.mistake("has a message or retry_after_ms, but no error they belong to"));
    }
    Ok(match (error, socket) {
        (Some(_), Some(_)) => {
            return Err(table.mistake("has both error and socket; keep one of them"));
        }
        (Some(Named::Code(code)), None) => Some(Fault::of(code, message, retry_after_ms)),
        (Some(Named::Refusal(refusal)), None) => {
            Some(Fault::refused(refusal, message, retry_after_ms))
        }
        (None, Some(Socket::Cut)) => Some(Fault::Disconnect),
        (None, Some(Socket::Hang)) => Some(Fault::Hang),
        (None, None) => None,
    })
}

#[derive(Clone, Copy)]
enum Socket {
    Cut,
    Hang,
}

#[derive(Clone, Copy)]
enum Named {
    Code(Code),
    Refusal(Refusal),
}

/// An error's name as in `x-amzn-ErrorType`, or a refusal's (`legacy-inactive`).
fn named(field: &Field<'_>) -> Result<Named, Mistake> {
    let codes = Code::ALL.iter().map(|c| (c.name(), Named::Code(*c)));
    let refusals = Refusal::ALL.iter().map(|r| (r.name(), Named::Refusal(*r)));
    let all: Vec<_> = codes.chain(refusals).collect();
    field.word(&all)
}

/// A text, or `{ text | base64, status, content_type }`.
fn raw(field: &Field<'_>) -> Result<Raw, Mistake> {
    let mut raw = Raw {
        status: 200,
        content_type: "application/json".to_owned(),
        body: Vec::new(),
    };
    if field.value.is_string() {
        raw.body = field.text()?.as_bytes().to_vec();
        return Ok(raw);
    }
    let mut table = field.table()?;
    let text = table.read("text", |f| f.text())?;
    let base64 = table.read("base64", |f| {
        let bytes = STANDARD.decode(f.text()?);
        bytes.map_err(|error| f.mistake(format!("is not base64: {error}")))
    })?;
    raw.body = match (text, base64) {
        (Some(text), None) => text.as_bytes().to_vec(),
        (None, Some(bytes)) => bytes,
        (None, None) => Vec::new(),
        (Some(_), Some(_)) => {
            return Err(table.mistake("has both text and base64; keep one of them"));
        }
    };
    let status = table.read("status", |f| {
        let status = f.whole(200)?;
        let status = u16::try_from(status).ok().filter(|status| *status <= 599);
        status.ok_or_else(|| f.mistake("must be an HTTP status from 200 to 599"))
    })?;
    raw.status = status.unwrap_or(raw.status);
    if let Some(content_type) = table.read("content_type", |f| f.name())? {
        content_type.clone_into(&mut raw.content_type);
    }
    table.finish()?;
    Ok(raw)
}

/// What the model says: `say`, or the short forms `thinking`, `text` and `tool` in this order; then
/// `stop_reason` and `usage`. `None` when there is nothing of it.
fn pieces(table: &mut Table<'_>) -> Result<Option<Vec<Piece>>, Mistake> {
    let mut pieces = Vec::new();
    // An empty list is an answer too: a model may say nothing at all.
    let say = table.get("say");
    if let Some(field) = &say {
        for item in field.list()? {
            pieces.push(piece(&item)?);
        }
    }
    let said = say.is_some();
    let wait = table.read("chunk_delay_ms", |f| f.small(1))?;
    let mut short = Vec::new();
    if let Some(text) = table.read("thinking", |f| f.text())? {
        short.push(Piece::Reasoning(text.to_owned()));
    }
    if let Some(chunks) = table.read("text", |f| f.texts())? {
        for (n, chunk) in chunks.into_iter().enumerate() {
            let pause = wait.filter(|_| n > 0);
            short.extend(pause.map(|ms| Piece::Pause(Duration::from_millis(ms.into()))));
            short.push(Piece::Text(chunk));
        }
    }
    if let Some(field) = table.get("tool") {
        let one = [field.clone()];
        let all = if field.value.is_array() {
            field.list()?
        } else {
            one.to_vec()
        };
        for field in all {
            short.push(tool(&field)?);
        }
    }
    if said && !short.is_empty() {
        return Err(table.mistake(
            "has say beside text, thinking or tool; move them into say = [ { text = … }, … ]",
        ));
    }
    let nothing = !said && short.is_empty();
    pieces.extend(short);
    let stop = table.read("stop_reason", |f| f.name())?;
    let usage = table.read("usage", |f| usage(&f))?;
    if nothing && stop.is_none() && usage.is_none() {
        return Ok(None);
    }
    // Before what may end the telling.
    let mut all: Vec<Piece> = stop
        .map(|s| Piece::Stop(s.to_owned()))
        .into_iter()
        .collect();
    all.extend(usage);
    all.extend(pieces);
    Ok(Some(all))
}

fn usage(field: &Field<'_>) -> Result<Piece, Mistake> {
    let mut table = field.table()?;
    let input = table.read("input", |f| f.small(0))?;
    let output = table.read("output", |f| f.small(0))?;
    table.finish()?;
    let (Some(input), Some(output)) = (input, output) else {
        return Err(field.mistake("needs both numbers: { input = 12, output = 40 }"));
    };
    Ok(Piece::Usage { input, output })
}

fn tool(field: &Field<'_>) -> Result<Piece, Mistake> {
    let mut table = field.table()?;
    let name = table.read("name", |f| f.name())?.map(str::to_owned);
    let input = table.read("input", |f| {
        f.table()?;
        Ok(f.value.clone())
    })?;
    table.finish()?;
    let name =
        name.ok_or_else(|| field.mistake("needs a name: { name = \"…\", input = { … } }"))?;
    let input = input.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    Ok(Piece::ToolUse { name, input })
}

/// One item of `say`.
fn piece(field: &Field<'_>) -> Result<Piece, Mistake> {
    let mut table = field.table()?;
    let wait = |ms| Piece::Pause(Duration::from_millis(ms));
    let mut found: Vec<Piece> = Vec::new();
    found.extend(table.read("text", |f| Ok(Piece::Text(f.text()?.to_owned())))?);
    found.extend(table.read("thinking", |f| Ok(Piece::Reasoning(f.text()?.to_owned())))?);
    found.extend(table.read("tool", |f| tool(&f))?);
    found.extend(table.read("wait_ms", |f| Ok(wait(f.small(0)?.into())))?);
    found.extend(table.read("gate", |f| Ok(Piece::Gate(f.name()?.to_owned())))?);
    found.extend(table.read("raw", |f| Ok(Piece::Raw(raw(&f)?.body)))?);
    let new_block = table.read("new_block", |f| f.flag())?;
    found.extend((new_block == Some(true)).then_some(Piece::NewBlock));
    found.extend(fault(&mut table)?.map(|fault| match fault {
        Fault::Disconnect => Piece::Cut,
        fault => Piece::Exception(fault),
    }));
    table.finish()?;
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(piece), None) => Ok(piece),
        (None, _) => Err(field.mistake(
            "says nothing; write one of text, thinking, tool, wait_ms, gate, new_block, error, \
             socket or raw",
        )),
        (Some(_), Some(_)) => {
            Err(field.mistake("says two things at once; make them two items of the list"))
        }
    }
}
