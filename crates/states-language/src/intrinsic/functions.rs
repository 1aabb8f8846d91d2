//! What each intrinsic function computes.

use std::{borrow::Cow, fmt::Write};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Number, Value};
use sha2::Digest;

use crate::{
    failure::{Failure, INTRINSIC_FAILURE},
    payload,
    rng::Rng,
    template::Env,
};

/// Elements that `States.ArrayRange` makes at most (documented).
const RANGE: usize = 1_000;
/// Characters that the encoding and hashing functions take at most (documented).
const ENCODED_CHARS: usize = 10_000;

macro_rules! functions {
    ($($name:ident = $text:literal, $arguments:expr;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Function {
            $($name,)*
        }

        impl Function {
            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Whether it takes that many arguments.
            pub(super) fn accepts(self, count: usize) -> Result<(), String> {
                let (name, range) = match self {
                    $(Self::$name => ($text, $arguments),)*
                };
                if range.contains(&count) {
                    return Ok(());
                }
                Err(format!("{name} does not take {count} arguments"))
            }
        }
    };
}

functions! {
    Format = "States.Format", 1..=usize::MAX;
    StringToJson = "States.StringToJson", 1..=1;
    JsonToString = "States.JsonToString", 1..=1;
    Array = "States.Array", 0..=usize::MAX;
    ArrayPartition = "States.ArrayPartition", 2..=2;
    ArrayContains = "States.ArrayContains", 2..=2;
    ArrayRange = "States.ArrayRange", 3..=3;
    ArrayGetItem = "States.ArrayGetItem", 2..=2;
    ArrayLength = "States.ArrayLength", 1..=1;
    ArrayUnique = "States.ArrayUnique", 1..=1;
    Base64Encode = "States.Base64Encode", 1..=1;
    Base64Decode = "States.Base64Decode", 1..=1;
    Hash = "States.Hash", 2..=2;
    JsonMerge = "States.JsonMerge", 3..=3;
    MathRandom = "States.MathRandom", 2..=3;
    MathAdd = "States.MathAdd", 2..=2;
    StringSplit = "States.StringSplit", 2..=2;
    Uuid = "States.UUID", 0..=0;
}

/// Why a call gave nothing.
pub(super) enum Why {
    /// Its arguments are not what it takes.
    Wrong(String),
    Other(Failure),
}

impl Why {
    pub(super) fn of(self, call: &str) -> Failure {
        match self {
            Self::Wrong(why) => Failure::new(
                INTRINSIC_FAILURE,
                format!("The function '{call}' had the following error: {why}"),
            ),
            Self::Other(failure) => failure,
        }
    }
}

impl From<Failure> for Why {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

type Computed = Result<Value, Why>;

fn wrong(why: impl Into<String>) -> Why {
    Why::Wrong(why.into())
}

impl Function {
    /// `placeholders`: what stands between the `{}` of a first argument in quotes.
    pub(super) fn apply(
        self,
        arguments: &[Cow<'_, Value>],
        placeholders: Option<&[String]>,
        env: &mut Env<'_>,
    ) -> Computed {
        let value = |at: usize| -> Result<&Value, Why> {
            arguments
                .get(at)
                .map(|value| &**value)
                .ok_or_else(|| wrong("an argument is missing"))
        };
        let made = match self {
            Self::Format => format(arguments, placeholders, env)?,
            Self::StringToJson => string_to_json(text(value(0)?, "the argument")?)?,
            Self::JsonToString => Value::String(value(0)?.to_string()),
            Self::Array => {
                let items: Result<Vec<Value>, Failure> = arguments
                    .iter()
                    .map(|item| env.own(Cow::Borrowed(&**item)))
                    .collect();
                return Ok(Value::Array(items?));
            }
            Self::ArrayPartition => array_partition(value(0)?, value(1)?)?,
            Self::ArrayContains => array(value(0)?)?.contains(value(1)?).into(),
            Self::ArrayRange => array_range(value(0)?, value(1)?, value(2)?)?,
            Self::ArrayGetItem => array_get_item(value(0)?, value(1)?)?,
            Self::ArrayLength => array(value(0)?)?.len().into(),
            Self::ArrayUnique => array_unique(array(value(0)?)?),
            Self::Base64Encode => BASE64.encode(encodable(value(0)?)?).into(),
            Self::Base64Decode => {
                let bytes = BASE64
                    .decode(encodable(value(0)?)?)
                    .map_err(|why| wrong(format!("the text is not Base64: {why}")))?;
                let text = String::from_utf8(bytes);
                text.map_err(|_| wrong("the decoded bytes are not UTF-8"))?
                    .into()
            }
            Self::Hash => hash(value(0)?, text(value(1)?, "the algorithm")?)?.into(),
            Self::JsonMerge => json_merge(value(0)?, value(1)?, value(2)?)?,
            Self::MathRandom => {
                let mut seeded = match arguments.get(2) {
                    Some(seed) => Some(Rng::new(integer(seed)?.cast_unsigned())),
                    None => None,
                };
                let rng = seeded.as_mut().unwrap_or(env.rng);
                math_random(integer(value(0)?)?, integer(value(1)?)?, rng)?
            }
            Self::MathAdd => integer(value(0)?)?
                .checked_add(integer(value(1)?)?)
                .ok_or_else(|| wrong("the sum is out of range"))?
                .into(),
            Self::StringSplit => {
                let delimiters = text(value(1)?, "the delimiters")?;
                string_split(text(value(0)?, "the first argument")?, delimiters)
            }
            Self::Uuid => env.rng.uuid().into(),
        };
        env.spend(payload::length(&made))?;
        Ok(made)
    }
}

fn text<'a>(value: &'a Value, what: &str) -> Result<&'a str, Why> {
    let text = value.as_str();
    text.ok_or_else(|| wrong(format!("{what} must be a string")))
}

fn array(value: &Value) -> Result<&Vec<Value>, Why> {
    let items = value.as_array();
    items.ok_or_else(|| wrong("the first argument must be an array"))
}

/// Numbers with a fraction are rounded to the nearest integer, halves up, each for itself (recorded; the
/// guide says down): 1.49 and 1.5 add up to 3, -0.5 and 0.5 to 1.
fn integer(value: &Value) -> Result<i64, Why> {
    if let Some(whole) = value.as_i64() {
        return Ok(whole);
    }
    let number = value
        .as_f64()
        .ok_or_else(|| wrong(format!("{value} is not a number")))?;
    let number = (number + 0.5).floor();
    // Beyond 2^53 a double is no longer exact.
    if number.abs() > 9_007_199_254_740_992.0 {
        return Err(wrong("a number is out of range"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
    Ok(number as i64)
}

fn encodable(value: &Value) -> Result<&str, Why> {
    let text = text(value, "the argument")?;
    if text.chars().count() > ENCODED_CHARS {
        return Err(wrong("the text is longer than 10,000 characters"));
    }
    Ok(text)
}

fn format(
    arguments: &[Cow<'_, Value>],
    placeholders: Option<&[String]>,
    env: &mut Env<'_>,
) -> Computed {
    let (template, values) = arguments
        .split_first()
        .ok_or_else(|| wrong("a template is missing"))?;
    let parts: Vec<&str> = match placeholders {
        Some(parts) => parts.iter().map(String::as_str).collect(),
        None => text(template, "the template")?.split("{}").collect(),
    };
    if parts.len() != values.len() + 1 {
        return Err(wrong(format!(
            "the template has {} placeholders, and there are {} values",
            parts.len() - 1,
            values.len()
        )));
    }
    let mut made = String::new();
    for (at, part) in parts.iter().enumerate() {
        made.push_str(part);
        if let Some(value) = values.get(at) {
            env.spend(payload::length(value))?;
            show(value, &mut made);
        }
    }
    Ok(made.into())
}

/// Texts without quotes; arrays and objects as Java shows lists and maps (recorded):
/// `{Arg1=1, Arg2=[]}`.
fn show(value: &Value, into: &mut String) {
    match value {
        Value::String(text) => into.push_str(text),
        Value::Array(items) => {
            into.push('[');
            for (at, item) in items.iter().enumerate() {
                into.push_str(if at > 0 { ", " } else { "" });
                show(item, into);
            }
            into.push(']');
        }
        Value::Object(members) => {
            into.push('{');
            for (at, (name, item)) in members.iter().enumerate() {
                into.push_str(if at > 0 { ", " } else { "" });
                into.push_str(name);
                into.push('=');
                show(item, into);
            }
            into.push('}');
        }
        other => {
            // Writing to a String does not fail.
            let _ = write!(into, "{other}");
        }
    }
}

/// Nothing is null, and a negative zero is an integer (recorded).
fn string_to_json(text: &str) -> Computed {
    match text.trim() {
        "" => Ok(Value::Null),
        "-0" => Ok(0.into()),
        text => {
            serde_json::from_str(text).map_err(|why| wrong(format!("the text is not JSON: {why}")))
        }
    }
}

fn array_partition(items: &Value, size: &Value) -> Computed {
    let size = usize::try_from(integer(size)?).unwrap_or(0);
    if size == 0 {
        return Err(wrong("the size of the parts must be positive"));
    }
    let parts = array(items)?.chunks(size);
    Ok(parts.map(|part| Value::Array(part.to_vec())).collect())
}

fn array_range(first: &Value, last: &Value, step: &Value) -> Computed {
    let (first, last, step) = (integer(first)?, integer(last)?, integer(step)?);
    if step == 0 {
        return Err(wrong("the increment must not be 0"));
    }
    let mut items = Vec::new();
    let mut at = Some(first);
    while let Some(item) = at.filter(|at| if step > 0 { *at <= last } else { *at >= last }) {
        if items.len() == RANGE {
            return Err(wrong("the range has more than 1,000 elements"));
        }
        items.push(Value::from(item));
        at = item.checked_add(step);
    }
    Ok(Value::Array(items))
}

fn array_get_item(items: &Value, index: &Value) -> Computed {
    let index = integer(index)?;
    let at = usize::try_from(index).ok();
    at.and_then(|at| items.get(at))
        .filter(|_| items.is_array())
        .cloned()
        .ok_or_else(|| wrong(format!("the array has no element {index}")))
}

/// By text, because arrays of a payload's size are too long to compare each with each.
fn array_unique(items: &[Value]) -> Value {
    let mut seen = std::collections::HashSet::new();
    let unique = items.iter().filter(|item| seen.insert(item.to_string()));
    Value::Array(unique.cloned().collect())
}

fn hash(data: &Value, algorithm: &str) -> Result<String, Why> {
    let shown = match data {
        Value::String(_) => Cow::Borrowed(encodable(data)?),
        other => Cow::Owned(other.to_string()),
    };
    if shown.len() > 4 * ENCODED_CHARS {
        return Err(wrong("the data is longer than 10,000 characters"));
    }
    let bytes = shown.as_bytes();
    let digest: Vec<u8> = match algorithm {
        "MD5" => md5::Md5::digest(bytes).to_vec(),
        "SHA-1" => sha1::Sha1::digest(bytes).to_vec(),
        "SHA-256" => sha2::Sha256::digest(bytes).to_vec(),
        "SHA-384" => sha2::Sha384::digest(bytes).to_vec(),
        "SHA-512" => sha2::Sha512::digest(bytes).to_vec(),
        other => {
            return Err(wrong(format!(
                "'{other}' is not one of MD5, SHA-1, SHA-256, SHA-384 and SHA-512"
            )));
        }
    };
    let mut hex = String::with_capacity(2 * digest.len());
    for byte in digest {
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

fn json_merge(first: &Value, second: &Value, deep: &Value) -> Computed {
    if *deep != Value::Bool(false) {
        return Err(wrong(
            "the third argument must be false: only shallow merging is supported",
        ));
    }
    let (Value::Object(first), Value::Object(second)) = (first, second) else {
        return Err(wrong("the first two arguments must be objects"));
    };
    let mut merged = first.clone();
    merged.extend(second.iter().map(|(name, v)| (name.clone(), v.clone())));
    Ok(Value::Object(merged))
}

/// From `start` up to but without `end` (documented).
fn math_random(start: i64, end: i64, rng: &mut Rng) -> Computed {
    let span = end.checked_sub(start).and_then(|s| u64::try_from(s).ok());
    let span = span.filter(|span| *span > 0);
    let span = span.ok_or_else(|| wrong("the end must be greater than the start"))?;
    let number = start.checked_add_unsigned(rng.below(span));
    Ok(Value::Number(Number::from(number.unwrap_or(start))))
}

/// At each of the delimiters; empty parts are left out (recorded).
fn string_split(text: &str, delimiters: &str) -> Value {
    let parts = text.split(|c| delimiters.contains(c));
    let kept = parts.filter(|part| !part.is_empty());
    kept.map(|part| Value::String(part.to_owned())).collect()
}
